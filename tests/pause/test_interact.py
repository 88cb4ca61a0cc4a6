"""The plain terminal, with no prompt of ours: a person and a script share one program."""

from __future__ import annotations

import pytest
from pause.people import Person

import shellbot
from shellbot import NobodyToAskError, UsageError


def test_a_full_screen_program(name: str, person: Person) -> None:
    person.start(
        """
        pause = session.interact("vi written; (exit 7)")
        told["command"] = [pause.commands[0].command, pause.commands[0].exit_code]
        """,
        shell=name,
    )
    person.sees("~")
    person.type("i24 rows")
    person.press("Escape")
    person.type(":wq\n")
    told = person.told()
    assert told["command"] == ["vi written; (exit 7)", 7]
    assert (person.here / "written").read_text() == "24 rows\n"
    assert told["after"][:2] == ["one\n", "two\n"]
    assert "-echo " in told["after"][2]
    assert ":xterm:cat:" in told["after"][2]
    assert told["size"] == "24 80"
    assert person.has_terminal_as_before()


def test_a_script_and_a_person_take_turns(person: Person) -> None:
    person.start(
        """
        session.interact("python3 -q")
        session.type("print(x + 1)\\n")
        told["x"] = session.expect(r"\\n(\\d+)\\r?\\n.*>>> ").group(1)
        session.type("y = 'from the script'\\n")
        told["pause"] = session.interact().transcript
        session.type("exit(5)\\n")
        """
    )
    person.sees(">>>")
    person.type("x = 40\nx\n")
    person.sees("\n40")
    person.press("C-]")
    person.type("y\n")
    person.sees("'from the script'")
    person.press("C-]")
    told = person.told()
    assert told.get("x") == "41", told
    assert told["after"][:2] == ["one\n", "two\n"]
    assert "-echo " in told["after"][2]
    assert told["size"] == "24 80"
    assert person.has_terminal_as_before()


def test_patterns_fire(person: Person) -> None:
    person.start(
        r"""
        seen = []
        def answer(match):
            seen.append(match.group(1))
            return "from the script\n"
        session.interact("read -p 'Who? ' who; read -p 'And you? ' you; echo $who, $you",
                         on={r"(Who)\? ": answer, "you": lambda match: seen.append("you")})
        told["seen"] = seen
        """
    )
    person.sees("And you?")
    person.type("from the person\n")
    told = person.told()
    assert told["seen"][:2] == ["Who", "you"]
    assert "from the script, from the person" in person.screen
    assert told["after"][:2] == ["one\n", "two\n"]


def test_the_windows_size_and_ctrl_c(person: Person) -> None:
    person.start("""told["status"] = session.interact("echo ready; cat").commands[0].exit_code""")
    person.sees("ready")
    person.type("echoed\n")
    person.sees(lambda screen: screen.count("echoed") == 2)
    person.press("C-c")
    told = person.told()
    assert told["status"] == 130
    assert told["after"][:2] == ["one\n", "two\n"]


def test_nobody_is_there(bash: shellbot.Session) -> None:
    with pytest.raises(NobodyToAskError, match="no terminal"):
        bash.interact("touch never")
    with pytest.raises(UsageError, match="function"):
        bash.interact("touch never", on={"x": "y"})  # type: ignore[dict-item]
    assert bash.send_and_get_output("ls") == ""
