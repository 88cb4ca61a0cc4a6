"""The side-by-side run works, and is right about what it has run. No test depends on a time."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import compare
import measures
import peers
import pytest
from peers import Answer, Driver, Place
from server import Relay, turns

COMPARE = Path(compare.__file__)


def figures_of(directory: Path, *arguments: str) -> dict[str, Any]:
    subprocess.run([sys.executable, COMPARE, "--out", directory, *arguments], check=True)
    found: dict[str, Any] = json.loads((directory / "figures.json").read_text())
    return found


def page_of(directory: Path) -> str:
    python = compare.made("page", compare.PAGE_REQUIREMENTS)
    subprocess.run([python, COMPARE.with_name("page.py"), directory / "figures.json"], check=True)
    return directory.with_suffix(".md").read_text()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figures")


@pytest.fixture(scope="module")
def short(directory: Path) -> dict[str, Any]:
    return figures_of(directory, "--short")


@pytest.fixture
def parts(need: Callable[[str], None]) -> None:
    for part in ("ssh", "sshd", "ssh-keygen", "tmux"):
        need(part)


@pytest.mark.timeout(900)  # it makes ten environments
@pytest.mark.usefixtures("parts")
def test_every_peer_gives_figures_or_a_reason(short: dict[str, Any]) -> None:
    assert set(short["peers"]) == set(peers.NAMES)
    assert set(short["measures"]) == set(measures.MEASURES) - {"exact"}
    for name, measure in short["measures"].items():
        for task, rows in measure["tasks"].items():
            for peer, row in rows.items():
                assert "figures" in row or "not offered" in row, (name, task, peer, row)
    for peer, verdicts in short["exactness"]["verdicts"].items():
        assert verdicts, peer


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("parts")
def test_shellbot_gives_no_wrong_answer_anywhere(short: dict[str, Any]) -> None:
    assert short["wrong answers"]["shellbot_session"] == 0
    assert set(short["exactness"]["verdicts"]["shellbot_session"].values()) == {"right"}


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("parts", "short")
def test_the_page_shows_every_peer_and_every_picture(directory: Path) -> None:
    page = page_of(directory)
    for name in peers.NAMES:
        assert f"| {name.replace('_', ' ')} |" in page
    said = re.findall(r"^(?:- |\| \w).*", page, re.MULTILINE)
    assert len(said) == len(set(said))
    pictures = set(re.findall(r"\(side-by-side/(\w+\.svg)\)", page))
    assert {"commands.svg", "start.svg", "exactness.svg"} <= pictures
    assert pictures == {picture.name for picture in directory.glob("*.svg")}


@pytest.mark.timeout(300)
def test_the_page_in_the_documents_is_what_its_figures_give(tmp_path: Path) -> None:
    directory = tmp_path / compare.OUT.name
    directory.mkdir()
    for figures in compare.OUT.glob("*.json"):
        shutil.copy(figures, directory)
    page = page_of(directory)
    assert page == compare.OUT.with_suffix(".md").read_text()
    assert "not measured" not in page
    drawn, shown = (one.glob("*.svg") for one in (directory, compare.OUT))
    assert {picture.name for picture in drawn} == {picture.name for picture in shown}


class Lying:
    """A peer whose answers are wrong."""

    def __init__(self, place: Place) -> None:
        pass

    def run(self, command: str, timeout: float | None) -> Answer:
        return Answer(b"something\n", status=0)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("measure", "wrong"),
    [
        *(("start", 4), ("login", 4), ("commands", 3), ("threads", 9), ("sessions", 3)),
        *(("capture", 1), ("large_command", 1), ("waiting", 1), ("recovery", 1)),
    ],
)
def test_wrong_answers_are_counted(
    measure: str, wrong: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a worker has a directory of its own

    class Liar:
        Peer = Lying

    task = next(iter(measures.MEASURES[measure].short.values()))
    figures = measures.MEASURES[measure].run(cast(Driver, Liar), Place("here"), task)
    assert figures["wrong"] == wrong


def test_what_was_not_done_in_time_is_ended_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    brief = dataclasses.replace(measures.MEASURES["waiting"], limit=2)
    monkeypatch.setitem(measures.MEASURES, "waiting", brief)
    mark = f"SIDE_BY_SIDE={tmp_path.name}"
    run = compare.Run(Place("ssh"), cast(Relay, None), mark, {"bare_loop": Path(sys.executable)})
    row = run.worker("bare_loop", "waiting", Place("here"), {"seconds": 600})
    assert row == {"not within": 2}
    left = [entry for entry in Path("/proc").glob("[0-9]*") if marked(entry, f"{mark}.0")]
    assert left == []


def test_what_goes_on_starting_others_is_ended_too() -> None:
    script = "while :; do sleep 60 & echo; sleep 0.001; done"
    mark, environment = "SIDE_BY_SIDE=starting", {**os.environ, "SIDE_BY_SIDE": "starting"}
    with subprocess.Popen(["bash", "-c", script], env=environment, stdout=subprocess.PIPE) as bash:
        assert bash.stdout is not None
        for _ in range(50):
            bash.stdout.readline()
        compare.end_all(mark)
        assert [entry for entry in Path("/proc").glob("[0-9]*") if marked(entry, mark)] == []


def marked(process: Path, mark: str) -> bool:
    try:
        return mark.encode() in (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def test_a_worker_that_fails_says_why() -> None:
    run = compare.Run(
        Place("ssh"), cast(Relay, None), "SIDE=1", {"bare_loop": Path(sys.executable)}
    )
    row = run.worker("bare_loop", "start", Place("here"), {})
    assert "KeyError" in row["error"]


def test_figures_have_a_median_and_a_spread() -> None:
    rows = [{"figures": {"s": value, "wrong": 1}} for value in (3.0, 1.0, "never")]
    one = compare.together([*rows, {"error": "KeyError"}])
    assert one == {
        "error": "KeyError",
        "wrong": 3,
        "figures": {
            "s": {
                "said": ["never"],
                "median": 2.0,
                "lowest": 1.0,
                "highest": 3.0,
                "values": [3.0, 1.0],
            }
        },
    }


def test_the_relay_counts_who_speaks_in_turn(tmp_path: Path) -> None:
    (tmp_path / "host.pub").write_text("ssh-ed25519 key\n")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = Place(
            "ssh",
            host="127.0.0.1",
            port=listening.getsockname()[1],
            key=str(tmp_path / "user"),
            known_hosts=str(tmp_path / "known_hosts"),
        )
        threading.Thread(target=echoing, args=(listening,), daemon=True).start()
        relay = Relay(place, 0.001)
        with socket.create_connection((relay.place.host, relay.place.port)) as client:
            answers = client.makefile("rb")
            for number in range(3):
                # The line is not ended, so the server has nothing to say in between.
                client.sendall(b"%d" % number)
                client.sendall(b"\n")
                assert answers.readline() == b"%d\n" % number
                assert turns(relay.told) == number
        relay.close()


def echoing(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        for line in connection.makefile("rb"):
            connection.sendall(line)
