"""A person looks on: each command is agreed to, and what fails is looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pause.people import Person

import shellbot
from shellbot import CommandError, UsageError

ASKED = "[run]"


def answer(person: Person, choice: str, command: str) -> None:
    """Wait until it is asked about *command*, and say what now."""
    person.sees(lambda screen: ASKED in screen.split("\n")[-1] and f"$ {command}" in screen)
    person.type(f"{choice}\n")


def test_step_by_step(person: Person) -> None:
    person.start(
        """
        session.step_through()
        told["ran"] = session.send("echo ran", note="to see it").output
        skipped = session.send("touch skipped")
        told["skipped"] = [skipped.skipped, skipped.exit_code, skipped.raw.decode()]
        told["edited"] = session.send_and_get_output("echo before")
        told["x"] = session.send_and_get_output("echo $X")
        told["until"] = session.send_until("echo on", "on").output
        """
    )
    screen = person.sees(lambda screen: ASKED in screen)
    assert "to see it" in screen
    person.type("\n")
    answer(person, "s", "touch skipped")
    answer(person, "edit", "echo before")
    person.sees(lambda screen: screen.endswith("$ echo before"))
    person.type(" and after\n")
    answer(person, "", "echo before and after")
    answer(person, "hand", "echo $X")
    person.sees_prompt()
    person.type("X=handed\n")
    person.sees_prompt()
    person.press("C-]")
    person.sees("going on")
    answer(person, "run", "echo $X")
    answer(person, "on", "echo on")
    told = person.told()
    assert "error" not in told, told
    assert told["ran"] == "ran\n"
    assert told["skipped"] == [True, 0, ""]
    assert not (person.here / "skipped").exists()
    assert told["edited"] == "before and after"
    assert told["x"] == "handed"
    assert told["until"] == "on\n"
    assert told["after"][:2] == ["one\n", "two\n"]
    assert person.has_terminal_as_before()


def test_a_step_is_aborted(person: Person) -> None:
    person.start(
        "os.environ['SHELLBOT_STEP'] = '1'\nsession = shellbot.bash()\nsession.send('touch never')"
    )
    person.sees(ASKED)
    person.type("abort\n")
    told = person.told()
    assert told["error"] == "PauseAborted"
    assert "touch never" in told["message"]
    assert not (person.here / "never").exists()


FAILS = """
result = session.send("cat needed", on_error="pause")
told["result"] = [result.exit_code, result.output]
"""


@pytest.mark.parametrize("choice", ["retry", "go on", "abort", "C-\\"])
def test_a_failure_is_looked_at(choice: str, person: Person) -> None:
    person.start(FAILS)
    screen = person.sees_prompt()
    assert "cat needed" in screen
    assert "exit status 1" in screen
    assert "No such file" in screen
    person.type("echo here >needed\n")
    person.sees_prompt()
    if choice == "C-\\":
        person.press(choice)
    else:
        person.press("C-]")
        person.sees(lambda screen: screen.split("\n")[-1].startswith("What now?"))
        person.type(f"{choice}\n")
    told = person.told()
    assert person.has_terminal_as_before()
    if choice == "retry":
        assert told["result"] == [0, "here\n"]
    elif choice == "go on":
        assert told["result"] == [1, "cat: needed: No such file or directory\n"]
    else:
        assert told["error"] == "PauseAborted"
        return
    assert told["after"][:2] == ["one\n", "two\n"]


def test_what_takes_too_long_is_looked_at(person: Person) -> None:
    person.start(
        """
        session = shellbot.bash(on_error="pause")
        result = session.send("echo begun; sleep 60", timeout=0.3)
        told["result"] = [result.exit_code, result.output]
        """
    )
    screen = person.sees_prompt()
    assert "sleep 60" in screen
    person.press("C-]")
    person.sees(lambda screen: screen.split("\n")[-1].startswith("What now?"))
    person.type("go\n")
    status, output = person.told()["result"]
    assert (status, output.strip()) == (130, "begun")


def test_nobody_looks_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELLBOT_STEP", "1")
    with shellbot.bash(cwd=tmp_path, on_error="pause") as session:
        assert session.send("echo ran").output == "ran\n"
        with pytest.raises(CommandError):
            session.send("false")
        with pytest.raises(UsageError, match="neither"):
            session.send("touch never", on_error="ask")  # type: ignore[arg-type]
        assert os.listdir(tmp_path) == []
        assert session.send("true", note="what for").note == "what for"


def test_no_other_policy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither 'raise' nor 'pause'"):
        shellbot.bash(cwd=tmp_path, on_error="ask")  # type: ignore[arg-type]
