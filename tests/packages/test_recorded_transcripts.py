"""The recorded words of package managers are whole: readable, told where from, and not at odds."""

from __future__ import annotations

from pathlib import Path

import pytest
from packages.recorded import FOLDER, read, transcripts

MANAGERS = ("apk", "brew", "emerge", "opkg", "pkg", "xbps")
# What each manager must have a transcript of, for a table row to be tested at all.
NEEDED = {"installed", "already", "not_found", "locked", "network", "disk_full", "query", "manual"}
# OpenWrt's opkg has no list of what was asked for.
WITHOUT = {("opkg", "manual")}
FAILURES = {"not_found", "no_permission", "disk_full", "dependency", "is_root", "read_only"}


def test_every_file_is_read() -> None:
    files = {path for path in FOLDER.rglob("*") if path.is_file() and path.name != "README.md"}
    assert files == {FOLDER / f"{one.name}.txt" for one in transcripts()}
    assert tuple(sorted({one.manager for one in transcripts()})) == MANAGERS


@pytest.mark.parametrize("manager", MANAGERS)
def test_a_manager_has_what_a_row_needs(manager: str) -> None:
    found = {one.means for one in transcripts(manager)}
    wanted = {means for means in NEEDED if (manager, means) not in WITHOUT}
    assert wanted <= found, f"{manager} lacks {sorted(wanted - found)}"


def test_a_transcript_is_not_at_odds_with_itself() -> None:
    for one in transcripts():
        kind = one.source.split()[0].rstrip(";")
        assert kind in {"code", "seen", "docs", "memory"}, one.name
        if one.means in FAILURES:
            assert one.succeeded is not True, f"{one.name}: a failure with status 0"
        for package in one.about:
            plain = package.rpartition("/")[2]
            assert plain in one.output, f"{one.name} is about {package}, which it does not name"
        for told in one.tells or ():
            shown, _, version = told.partition("=")
            assert shown.lstrip("/") in one.output, f"{one.name} tells {told}"
            assert version in one.output, f"{one.name} tells {told}"
        assert "\r" not in one.output, one.name
        assert not one.output or one.output.endswith(("\n", "] ")), f"{one.name} is cut off"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("command: x\nstatus: 0\nmeans: query\n\nout\n", "no source"),
        ("command: x\nstatus: 0\nmeans: query\nsource: code\n", "empty line"),
        ("command: x\nstate: 0\nmeans: query\nsource: code\n\n", "no line of a head"),
        ("command: x\ncommand: y\n\n", "no line of a head"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "case.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read(path)
