"""What the person is asked and told: on a real terminal, on a pipe, and with nobody there."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pexpect
import pytest

import shellbot
from shellbot import NobodyToAskError, UsageError

Lines = Callable[[str], None]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Put lines on standard input, as a pipe would."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def even(answer: str) -> None:
    if int(answer) % 2:
        raise ValueError(f"{answer} is odd")


def test_a_pipe_answers_line_by_line(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    lines("first\nsecond \n")
    assert shellbot.get_input("Name: ") == "first"
    assert shellbot.get_input("Secret: ", ispass=True) == "second "
    assert capsys.readouterr() == ("", "Name: Secret: ")


def test_an_empty_line_takes_the_default(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    lines("\n")
    assert shellbot.get_input("Port: ", default="22") == "22"
    assert capsys.readouterr().err == "Port: [22] "


def test_an_empty_line_is_an_answer_where_there_is_no_default(lines: Lines) -> None:
    lines("\n")
    assert shellbot.get_input("Name: ") == ""


def test_with_nobody_there_the_default_counts_or_it_is_said(lines: Lines) -> None:
    lines("")
    assert shellbot.get_input("Port: ", default="22") == "22"
    with pytest.raises(NobodyToAskError, match=r"nobody to ask 'Name: '") as caught:
        shellbot.get_input("Name: ")
    assert isinstance(caught.value, EOFError)


def test_closed_standard_input_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(NobodyToAskError):
        shellbot.get_input("Name: ")


def test_a_refused_line_is_not_asked_for_again(lines: Lines) -> None:
    lines("3\n4\n")
    with pytest.raises(UsageError, match="3 is odd"):
        shellbot.get_input("Even: ", validate=even)
    assert shellbot.get_input("Even: ", validate=even) == "4"
    lines("no\n")
    with pytest.raises(UsageError, match="not a valid answer"):
        shellbot.get_input("Digits: ", validate=str.isdigit)


def person(program: str) -> pexpect.spawn[str]:
    """A person at a real terminal, and *program* on it."""
    arguments = ["-c", f"import shellbot\n{program}"]
    return pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=20)


def test_a_person_is_asked_until_the_answer_is_good() -> None:
    terminal = person(
        "print('got', shellbot.get_input('Digits: ', default='7', validate=str.isdigit))"
    )
    terminal.expect_exact("Digits: [7] ")
    terminal.sendline("x")
    terminal.expect_exact("that is not a valid answer")
    terminal.expect_exact("Digits: [7] ")
    terminal.sendline("")
    terminal.expect_exact("got 7")
    terminal.expect(pexpect.EOF)
    terminal.close()


def test_a_password_is_not_shown() -> None:
    terminal = person("print('length', len(shellbot.get_input('Password: ', ispass=True)))")
    terminal.expect_exact("Password: ")
    terminal.waitnoecho()
    terminal.sendline("hunter2")
    terminal.expect_exact("length 7")
    assert "hunter2" not in str(terminal.before)
    terminal.expect(pexpect.EOF)
    terminal.close()


@pytest.mark.parametrize(
    ("no_color", "term", "coloured"),
    [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)],
)
def test_the_log_is_coloured_on_a_terminal_that_wants_it(
    no_color: str, term: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    terminal = person("shellbot.console.log('hello', level=40)")
    terminal.expect(pexpect.EOF)
    assert "ERROR hello" in str(terminal.before)
    assert ("\x1b[31m" in str(terminal.before)) is coloured
    terminal.close()
