"""A short soak passes, and a soak would find what it is for. Nothing here depends on a time."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import mixture
import pytest
import watch

SOAK = Path(__file__).with_name("soak.py")


def run(*options: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SOAK, *options], capture_output=True, text=True, timeout=55
    )


@pytest.mark.parametrize("part", ["one", "many"])
def test_a_short_soak_has_no_wrong_answer(part: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = run("--short", "--seed", "8", "--part", part, "--json", file)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(file.read_text())
    figures = report["parts"][part]
    assert (report["passed"], figures["wrong"]) == (True, 0)
    assert figures["steps"] == sum(figures["steps_by_kind"].values()) >= 100
    assert figures["commands"] > figures["steps"]
    assert len(figures["samples"]) == 6


@pytest.fixture
def seat(tmp_path: Path) -> mixture.Seat:
    material = mixture.Material(tmp_path / "material", seed=1)
    return mixture.Seat(material, seed=1, name="one/0", largest=1_000, anew=True)


def test_a_step_is_the_same_again(seat: mixture.Seat, tmp_path: Path) -> None:
    for _ in range(30):
        seat.step()
    commands, asked = seat.commands, seat.state.asked()
    seat.close()
    assert seat.wrong == []
    material = mixture.Material(tmp_path / "again", seed=1)
    other = mixture.Seat(material, seed=1, name="one/0", largest=1_000, anew=True)
    other.skip_to(30)
    assert other.commands == 0
    place, again = str(seat.state.material.place), str(material.place)
    assert other.state.asked()[1].replace(again.encode(), place.encode()) == asked[1]
    assert commands > 0


def test_a_wrong_answer_is_noted(seat: mixture.Seat) -> None:
    # Somebody else has changed what the shell was to know.
    seat.session.send("cd /; variable_1=another")
    while not seat.wrong:
        seat.step()
        assert seat.index < 500
    wrong = seat.wrong[0]
    assert wrong["again"] == f"--seed 1 --only one/0/{seat.index - 1}"
    assert "the output is" in wrong["problem"]
    # The next session is one that knows what it should.
    count = len(seat.wrong)
    for _ in range(20):
        seat.step()
    seat.close()
    assert len(seat.wrong) == count


@pytest.mark.parametrize("got", [b"right", "right", 1, None])
def test_only_the_known_answer_is_right(seat: mixture.Seat, got: object) -> None:
    seat.same("it", got, got)
    with pytest.raises(mixture.WrongAnswer, match="it is"):
        seat.same("it", got, b"righ")


def points(leak: float, *, count: int = 60, commands: int = 500) -> list[tuple[float, float]]:
    """Memory as it goes: a cache fills, a few samples are far off, each of them is some MB off."""
    draw = random.Random(count)
    return [
        (
            commands * number,
            5e7
            + 2e6 * min(number, count / 4)
            + draw.uniform(-3e6, 3e6)
            + (2e7 if draw.random() < 0.1 else 0)
            + leak * commands * number,
        )
        for number in range(1, count + 1)
    ]


def test_a_leak_of_a_kilobyte_a_command_is_found() -> None:
    for leak in (0, 1_024):
        found = watch.growth(points(leak))
        assert (found["judged"], found["grows"]) == (True, leak > 0)


def test_what_a_short_run_cannot_find_it_does_not_judge() -> None:
    short = watch.growth(points(100_000, count=6, commands=20))
    assert (short["judged"], short["grows"]) == (False, False)


def test_what_is_left_behind_is_seen(tmp_path: Path) -> None:
    seen = watch.Watch(tmp_path, settling=0)
    seen.look(0, [])
    seen.look(1, [])
    assert seen.changed() == {}
    descriptor = os.open("/dev/null", os.O_RDONLY)
    (tmp_path / "left").touch()
    child = subprocess.Popen(["sleep", "600"])
    try:
        seen.look(2, [])
    finally:
        child.kill()
        child.wait()
        os.close(descriptor)
    assert set(seen.changed()) == {"descriptors", "temporary_files", "processes"}
