"""The table of package managers: its rows are whole, and a name is a name to all of them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shellbot import managers
from shellbot.errors import PACKAGE_REASONS, UnknownNameError, UsageError
from shellbot.managers import TABLE, Manager
from shellbot.package_names import _FAMILIES

VERBS = {
    *("install", "remove", "refresh", "lists", "upgrade"),
    *("query", "every", "available", "owner", "manual"),
}
each_row = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in TABLE])
rows = st.sampled_from(TABLE)
# What means something to a shell, to sed, or to a manager, and some that means nothing.
awkward = st.text("ab1;&|<>$`\"'\\(){}*?[]!#~=%^+-./:@, \t\n\0é", max_size=12)
NASTY = [
    "a;touch>x",
    "$(touch${IFS}x)",
    "`touch${IFS}x`",
    "a'b\"c",
    "a/;etouch${IFS}x;s/x",
    "a\\tb\\c",
    "a&&b||c>x",
    "a#{b}",
    "%s%n",
]


@each_row
def test_a_row_is_whole(row: Manager) -> None:
    assert set(row.verbs) >= VERBS
    assert {reason for reason, _ in row.words} <= set(PACKAGE_REASONS)
    assert {reason for reason in row.statuses.values() if reason} <= set(PACKAGE_REASONS)
    assert {"not_root", "locked", "disk_full", "network", "not_found"} <= {
        reason for reason, _ in row.words
    } | set(row.statuses.values())
    assert row.family in _FAMILIES
    for pattern in (row.pin, row.refuses, row.files, row.absent, *(one for _, one in row.words)):
        # What matches nothing at all would be found in everything.
        assert not re.search(pattern, "", re.MULTILINE)
    assert managers.named(row.name) is managers.named(row.command) is row


def test_no_two_rows_are_taken_for_each_other() -> None:
    assert len({row.name for row in TABLE}) == len({row.command for row in TABLE}) == len(TABLE)
    shared = [
        (row.name, other.name)
        for row in TABLE
        for other in TABLE
        if row.name < other.name and {*row.systems} & {*other.systems}
    ]
    # The first of these that is there is taken.
    assert shared == [("dnf", "yum")]
    assert [len(row.systems) for row in TABLE] == [len({*row.systems}) for row in TABLE]
    with pytest.raises(UnknownNameError, match="apt"):
        managers.named("aptt")


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "busybox"])
def test_every_shell_reads_what_the_rows_run(shell: str, need: Callable[[str], None]) -> None:
    need(shell)
    command = [shell, "sh", "-n"] if shell == "busybox" else [shell, "-n"]
    for row in TABLE:
        scripts = "".join(f"{verb}() {{\n{script}\n}}\n" for verb, script in row.verbs.items())
        done = subprocess.run(command, input=scripts, capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stderr) == (0, ""), row


@given(st.text())
def test_anything_can_be_told(printed: str) -> None:
    found = managers.told(printed)
    lines = printed.splitlines()
    assert found.keys() == {"", *(line[1:] for line in lines if line.startswith("="))}
    told = [" ".join(one) for several in found.values() for one in several]
    assert {one.rstrip() for one in told} <= {line[1:].rstrip() for line in lines}


word = st.text("abc.+-0", min_size=1, max_size=5)


@given(st.dictionaries(word, st.lists(st.tuples(word, word), max_size=3), max_size=4))
def test_what_is_told_is_told_of_what_was_asked(asked: dict[str, list[tuple[str, str]]]) -> None:
    printed = "".join(
        f"={name}\nnoise from a manager\n"
        + "".join(f"+{one} {has} installed\n" for one, has in told)
        for name, told in asked.items()
    )
    expected = {name: [(*one, "installed") for one in told] for name, told in asked.items()}
    assert managers.told(printed) == {"": [], **expected}


def accepts(row: Manager, name: str) -> bool:
    with suppress(UsageError):
        row.check(name)
        return True
    return False


@given(rows, st.text() | awkward)
def test_a_name_is_split_and_checked_whatever_it_is(row: Manager, wanted: str) -> None:
    if accepts(row, wanted):
        assert "".join(row.split(wanted)) == wanted
        assert wanted.isprintable()
        assert not wanted.startswith("-")
        assert row.is_file(wanted) or not re.search(r"\s", wanted)
    for bad in ("", f"-{wanted}", f"{wanted}\n", f"a{wanted}\0", f"a {wanted} b"):
        assert not accepts(row, bad)


@each_row
def test_what_would_mean_more_than_one_name_is_refused(row: Manager) -> None:
    for name in ("git", "libstdc++6", "python3.11", "xorg-server"):
        assert accepts(row, name)
        assert row.split(name) == (name, "")
    for name in ("gi*", "g?t", "[g]it", "=1.0" if "=" in row.pin else "*"):
        assert not accepts(row, name), name
    others = {
        "apt": ["vim-", "vim^", "lib.*x|y", "+a"],
        "dnf": ["@core"],
        "zypper": ["!git", "~git", "@a"],
        "emerge": ["@world"],
        "pacman": ["core/git"],
        "apk": ["!git", "git@edge"],
    }
    for name in others.get(row.name, []):
        assert not accepts(row, name), name


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Fake for each command that a row may ask: it notes its arguments, NUL behind each."""
    directory = tmp_path_factory.mktemp("fakes")
    asking = {"dpkg-query", "apt-cache", "rpm", "xbps-query", "portageq"}
    for command in asking | {row.command for row in TABLE}:
        path = directory / command
        path.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\" '' >>\"$NOTED\"\necho a-1.0-r1\n")
        path.chmod(0o755)
    (directory / "here").mkdir()
    return directory


def asked(fakes: Path, row: Manager, verb: str, *names: str) -> tuple[list[list[str]], str]:
    """How the Fakes were called for *verb*, and what was printed."""
    noted = fakes / "noted"
    noted.write_bytes(b"")
    done = subprocess.run(
        ["sh", "-c", row.line(verb, *names)],
        env={"PATH": f"{fakes}:/usr/bin:/bin", "NOTED": str(noted)},
        cwd=fakes / "here",
        capture_output=True,
        timeout=20,
    )
    assert list((fakes / "here").iterdir()) == []
    calls = noted.read_text().split("\0\0")[:-1]
    return [call.split("\0") for call in calls], done.stdout.decode()


@settings(max_examples=25)
@given(rows, st.sampled_from(["query", "available"]), st.lists(awkward, max_size=6))
@example(managers.named("brew"), "available", [])
@example(managers.named("emerge"), "query", [])
@example(managers.named("pacman"), "available", [])
def test_no_name_is_ever_read_by_a_shell(
    fakes: Path, row: Manager, verb: str, names: list[str]
) -> None:
    names = [name for name in dict.fromkeys([*names, *NASTY]) if accepts(row, name)]
    (harmless,), _ = asked(fakes, row, verb, "harmless")
    calls, printed = asked(fakes, row, verb, *names)
    assert calls == [[*harmless[:-1], name] for name in names]
    assert harmless[-1] == "harmless"
    assert [*managers.told(printed)] == ["", *names]


def test_what_is_run_has_no_input_unless_it_may_ask() -> None:
    apt = managers.named("apt-get")
    told, asks = apt.line("install", "a b", "$c"), apt.line("install", "a b", asks=True)
    assert told.endswith(" </dev/null")
    assert "</dev/null" not in asks
    assert shlex.split(told)[-4:-1] == ["sh", "a b", "$c"]
    assert "DEBIAN_FRONTEND=noninteractive" in shlex.split(told)
    assert "DEBIAN_FRONTEND=readline" in shlex.split(asks)
    script = shlex.split(apt.line("install", "a", options="--some -o x=1"))[-4]
    assert " --some -o x=1 install " in script
    assert "OPTIONS" not in told
    with pytest.raises(UsageError, match="apk has no way to hold"):
        managers.named("apk").line("hold", "git")


@pytest.mark.parametrize(
    ("version", "pin", "fits"),
    [
        ("1.0", "=1.0", True),
        ("1.0", "==1.0", True),
        ("1.0", "-1.0", True),
        ("1.0-1", "-1.0", True),
        ("1.0-1", "=1.0-1", True),
        ("1.0-1", "=1.0-2", False),
        ("1.0-1", "=1", False),
        ("1.0", "=1.00", False),
        ("1x0", "=1.0", False),
        ("10.0", "=1*", True),
        ("2.0", "=1*", False),
        ("1:2.39.5-0+deb12u1", "=1:2.39*", True),
        ("1:2.39.5-0+deb12u1", "=2.39.5-0+deb12u1", True),
        ("1:2.39.5-0+deb12u1", "=2:2.39*", False),
        ("1:2.39.5-0+deb12u1", "=2.39.?", True),
        ("2.46.0_1", "-2.46.0_1", True),
        ("1.0", ">=0.5", None),
        ("1.0", "<2", None),
        ("1.0", "~1", None),
        ("1.0", "~=1", None),
        ("1.0", "/stable", None),
        ("1.0", "=", False),
        ("1.0", "-", False),
    ],
)
def test_whether_a_version_is_what_was_asked_for(version: str, pin: str, fits: bool | None) -> None:
    assert managers.fits(version, pin) is fits


@given(st.text("0123456789.:+~-_abz", min_size=1))
def test_a_version_is_itself(version: str) -> None:
    assert managers.fits(version, f"=0{version}") is not True
    assert managers.fits(version, f"={version}") in (True, None)


@pytest.mark.parametrize(
    ("systems", "commands", "name"),
    [
        (["debian"], ["rpm", "dnf", "apt-get"], "apt"),
        (["fedora"], ["apt-get", "dnf", "yum"], "dnf"),
        (["linuxmint", "ubuntu", "debian"], ["dnf", "apt-get"], "apt"),
        (["opensuse-leap", "suse", "opensuse"], ["apt-get", "zypper"], "zypper"),
        (["opensuse-tumbleweed"], ["dnf", "zypper"], "zypper"),
        (["centos", "rhel", "fedora"], ["yum"], "yum"),
        (["centos", "rhel", "fedora"], ["yum", "dnf"], "dnf"),
        (["manjaro", "arch"], ["brew", "pacman"], "pacman"),
        (["alpine", "linux"], ["brew", "apk"], "apk"),
        (["darwin"], ["brew", "pkg"], "brew"),
        (["freebsd"], ["pkg"], "pkg"),
        # Nobody knows that system: what is there is better than nothing.
        (["nobodys"], ["pacman"], "pacman"),
        ([], ["brew"], "brew"),
        (["debian"], ["apt"], None),
        (["debian"], [], None),
    ],
)
def test_the_native_one(systems: list[str], commands: list[str], name: str | None) -> None:
    for given_as in (commands, iter(commands), commands[::-1]):
        found = managers.native(iter(systems), given_as)
        assert (found and found.name) == name


def test_a_status_means_something_where_no_word_is_said() -> None:
    zypper, apt = managers.named("zypper"), managers.named("apt")
    assert zypper.reason("", 7) == ("locked", (), "")
    assert zypper.reason("", 106) == zypper.reason("", 0) == ("", (), "")
    assert {0, 102, 103, 106} == set(zypper.accepted)
    assert apt.reason("", 127) == ("no_manager", (), "")
    assert apt.reason("something else", 100) == ("failed", (), "")
    assert apt.accepted == (0,)
    two = "E: Unable to locate package nosuch\nE: Unable to locate package nothing\n"
    assert apt.reason(two, 100) == ("not_found", ("nosuch", "nothing"), "")
    held = "E: Could not get lock /var/lib/dpkg/lock. It is held by process 15 (apt-get)\n"
    assert apt.reason(held, 100) == ("locked", (), "15 (apt-get)")
