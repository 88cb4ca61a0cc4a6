"""What the person is asked and told: on a real terminal, on a pipe, and with nobody there."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

import shellbot
from shellbot import NobodyToAskError, Session, UsageError

Lines = Callable[[str], None]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Put lines on standard input, as a pipe would."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def bash() -> Iterator[Session]:
    with shellbot.bash() as session:
        yield session


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


def test_an_error_says_why_there_is_nobody(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    lines("")
    with pytest.raises(NobodyToAskError, match=r"at its end; .* default="):
        shellbot.get_input("Name: ")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(NobodyToAskError, match="closed"):
        shellbot.get_input("Name: ")
    assert shellbot.get_input("Go on? ", boolean=True, default=False) is False


@pytest.mark.parametrize("standard_input", ["</dev/null", "<&-"])
def test_a_process_with_no_standard_input_has_nobody(standard_input: str) -> None:
    program = "import shellbot; shellbot.get_input('Name: ')"
    script = f'exec "$0" -c "$1" {standard_input}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, program], capture_output=True, text=True, timeout=20
    )
    assert "NobodyToAskError: nobody to ask 'Name: '" in done.stderr
    assert done.stdout == ""


def test_a_real_pipe_answers_and_output_stays_clean() -> None:
    program = """
import shellbot
print(shellbot.get_input("Colour: ", choices=["red", "green"], color="red"))
print(shellbot.get_input("Secret: ", ispass=True, twice=True))
print(shellbot.get_input("Text: ", multiline=True))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="GR\nhunter2\nhunter2\none\n\ntwo\n\n",
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout == "green\nhunter2\none\n\ntwo\n\n"
    assert done.stderr.startswith("Colour: (red, green) Secret: Once more: Text: (end with")


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        ("red", "red"),
        ("Red", "Red"),
        (" GREEN ", "green"),
        ("g", "green"),
        ("Dark R", "dark red"),
        ("BLUE", "blue"),
        ("BLUEI", "blueish"),
    ],
)
def test_an_answer_is_one_of_the_choices(answer: str, meant: str, lines: Lines) -> None:
    lines(f"{answer}\n")
    colours = ["red", "Red", "green", "dark red", "blue", "blueish"]
    assert shellbot.get_input("Colour: ", choices=colours) == meant


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("RED", "that may be red or Red: type more of it"),
        ("blu", "that may be blue or blueish: type more of it"),
        ("pink", "that is none of: red, Red, blue, blueish"),
        ("  ", "that is none of"),
        ("", "that is none of"),
    ],
)
def test_what_is_no_choice_is_named_with_the_choices(answer: str, why: str, lines: Lines) -> None:
    lines(f"{answer}\nred\n")
    with pytest.raises(UsageError) as caught:
        shellbot.get_input("Colour: ", choices=["red", "Red", "blue", "blueish"])
    assert f"the answer {answer.strip()!r} to 'Colour: ' is no good: {why}" in str(caught.value)
    assert sys.stdin.readline() == "red\n"


def test_a_single_choice_is_not_taken_for_no_answer(lines: Lines) -> None:
    lines("\n")
    with pytest.raises(UsageError, match="none of: agree"):
        shellbot.get_input("Type agree: ", choices=["agree"])


def test_choices_are_shown(lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    lines("\nr\n5\n")
    assert shellbot.get_input("Colour?", choices=("red", "green"), default="green") == "green"
    assert capsys.readouterr().err == "Colour? (red, green) [green] "
    meanings = {"keep": "leave it as it is", "replace": "take the new one"}
    assert shellbot.get_input("The file: ", choices=meanings, default="keep") == "replace"
    assert capsys.readouterr().err == (
        "  keep     leave it as it is\n  replace  take the new one\nThe file: [keep] "
    )
    many = [str(number) * 10 for number in range(9)]
    assert shellbot.get_input("Which: ", choices=many) == "5555555555"
    assert capsys.readouterr().err == "".join(f"  {one}\n" for one in many) + "Which: "


def test_validation_is_given_the_choice_that_is_meant(lines: Lines) -> None:
    given: list[str] = []
    lines("R\nR\n")
    assert shellbot.get_input(choices=["red"], validate=given.append) == "red"
    assert given == ["red"]
    with pytest.raises(UsageError, match="not a valid answer"):
        shellbot.get_input(choices=["red"], validate=lambda answer: answer != "red")


@pytest.mark.parametrize("good", [True, False])
def test_yes_or_no_has_many_words(good: bool, lines: Lines) -> None:
    words = ("y", "yes", "1", "true") if good else ("n", "no", "0", "false")
    for word in (*words, *map(str.upper, words), f" {words[1]} "):
        lines(f"{word}\n")
        assert shellbot.get_input("Go on? ", boolean=True) is good


@pytest.mark.parametrize(("default", "hint"), [(None, "[y/n]"), (True, "[Y/n]"), (False, "[y/N]")])
def test_yes_or_no_shows_its_default(
    default: bool | None, hint: str, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    lines("\n")
    if default is None:
        with pytest.raises(UsageError, match=r"'' to 'Go on\?' is .* neither yes nor no"):
            shellbot.get_input("Go on?", boolean=True)
    else:
        assert shellbot.get_input("Go on?", boolean=True, default=default) is default
    assert capsys.readouterr().err == f"Go on? {hint} "


def test_a_secret_that_is_asked_for_twice_is_the_same_twice(lines: Lines) -> None:
    lines("hunter2\nHunter2\nnext\n")
    with pytest.raises(
        UsageError, match=r"the answer to 'New: ' is no good: .* same twice"
    ) as caught:
        shellbot.get_input("New: ", ispass=True, twice=True)
    assert "unter2" not in str(caught.value)
    assert shellbot.get_input() == "next"
    lines("hunter2\n")
    with pytest.raises(NobodyToAskError):
        shellbot.get_input("New: ", ispass=True, twice=True, default="hunter2")
    lines("\nnext\n")
    assert shellbot.get_input("New: ", ispass=True, twice=True, default="old") == "old"
    assert shellbot.get_input() == "next"
    lines("\nother\n")
    with pytest.raises(UsageError, match="same twice"):
        shellbot.get_input("New: ", ispass=True, twice=True)


@pytest.mark.parametrize("secret", ["hunter2", "hunter\\2"])
def test_a_refused_secret_is_not_shown(secret: str, lines: Lines) -> None:
    lines(f"{secret}\n")
    with pytest.raises(UsageError, match="that is not a valid answer") as caught:
        shellbot.get_input("PIN: ", ispass=True, validate=int)
    assert "unter" not in "".join(traceback.format_exception(caught.value))
    lines("short\n")
    with pytest.raises(UsageError, match="8 letters"):
        shellbot.get_input("New: ", ispass=True, validate=at_least_8)


def at_least_8(answer: str) -> None:
    if len(answer) < 8:
        raise ValueError("it needs 8 letters")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("one\n\n two \n", "one\n\n two "),
        ("one\ntwo", "one\ntwo"),
        ("one\n\n", "one\n"),
        ("one\n.\n", "one"),
        ("..\n. \n.\n", "..\n. "),
        (".\n", ""),
        ("\n", ""),
    ],
)
def test_lines_are_kept_as_they_are(typed: str, text: str, lines: Lines) -> None:
    lines(typed)
    assert shellbot.get_input("Text: ", multiline=True) == text


def test_lines_end_with_a_dot_and_may_have_a_default(lines: Lines) -> None:
    lines("one\n.\nnext\n")
    assert shellbot.get_input(multiline=True) == "one"
    assert shellbot.get_input() == "next"
    with pytest.raises(NobodyToAskError):
        shellbot.get_input(multiline=True)
    lines(".\n")
    assert shellbot.get_input(multiline=True, default="a\nb") == "a\nb"


def options(**given: Any) -> dict[str, Any]:
    return given


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (options(boolean=True, choices=["a"]), "choices= and boolean= do not go together"),
        (options(boolean=True, ispass=True), "boolean= and ispass="),
        (options(boolean=True, multiline=True), "boolean= and multiline="),
        (options(boolean=True, validate=bool), "boolean= takes no validate="),
        (options(boolean=True, default="y"), "True or False, and not 'y'"),
        (options(boolean=True, default=1), "True or False, and not 1"),
        (options(default=True), "a string, and not True"),
        (options(choices=["a"], ispass=True), "choices= and ispass="),
        (options(choices=["a"], multiline=True), "choices= and multiline="),
        (options(choices=["a", "b"], default="c"), "'c' is none of the choices: a, b"),
        (options(choices="ab"), "a list of answers, and not a string: 'ab'"),
        (options(choices=[]), "choices= is empty"),
        (options(choices=["a", " "]), "a line of text, and not ' '"),
        (options(choices=["a\nb"]), "a line of text"),
        (options(choices=[1, 2]), "a line of text, and not 1"),
        (options(ispass=True, multiline=True), "ispass= and multiline="),
        (options(twice=True), "give ispass="),
        (options(color="redd"), "unknown colour 'redd'. Did you mean 'red'?"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_asked(
    given: dict[str, Any], why: str, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    lines("a\n")
    with pytest.raises(UsageError, match=re.escape(why)):
        shellbot.get_input("Name: ", **given)
    assert capsys.readouterr() == ("", "")
    assert sys.stdin.readline() == "a\n"


def test_a_session_asks_the_same_way(lines: Lines, bash: Session) -> None:
    lines("y\nG\n")
    assert bash.get_input("Go on? ", boolean=True) is True
    assert bash.get_input("Colour: ", choices=["red", "green"]) == "green"


def person(program: str, redirected: str = "", *, columns: int = 80) -> pexpect.spawn[str]:
    """A person at a real terminal, and *program* on it."""
    script = f'exec "$0" -c "$1" {redirected}'
    arguments = ["-c", script, sys.executable, f"import shellbot\n{program}"]
    return pexpect.spawn("sh", arguments, encoding="utf-8", timeout=20, dimensions=(24, columns))


def told(terminal: pexpect.spawn[str]) -> str:
    """What the person still sees until the program has ended."""
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    return str(terminal.before)


def test_a_person_is_asked_until_the_answer_is_good() -> None:
    terminal = person(
        "print('got', shellbot.get_input('Digits: ', default='7', validate=str.isdigit))"
    )
    terminal.expect_exact("Digits: [7] ")
    terminal.sendline("x")
    terminal.expect_exact("x\r\nthat is not a valid answer\r\nDigits: [7] ")
    terminal.sendline("")
    assert told(terminal) == "\r\ngot 7\r\n"


def test_a_person_is_shown_the_choices_once_and_asked_until_it_is_one() -> None:
    terminal = person("print('got', shellbot.get_input('Do: ', choices={'a': 'one', 'b': 'two'}))")
    terminal.expect_exact("  a  one\r\n  b  two\r\nDo: ")
    terminal.sendline("c")
    terminal.expect_exact("c\r\nthat is none of: a, b\r\nDo: ")
    terminal.sendline("B")
    assert told(terminal) == "B\r\ngot b\r\n"


def test_a_person_says_yes_or_no() -> None:
    terminal = person("print('got', shellbot.get_input('Go on?', boolean=True, default=False))")
    terminal.expect_exact("Go on? [y/N] ")
    terminal.sendline("perhaps")
    terminal.expect_exact("that is neither yes nor no\r\nGo on? [y/N] ")
    terminal.sendline("Yes")
    assert told(terminal) == "Yes\r\ngot True\r\n"


@pytest.mark.parametrize("end", [".\n", "\x04"], ids=["dot", "ctrl-d"])
@pytest.mark.parametrize("editor", ["", "import readline\n"], ids=["plain", "readline"])
def test_a_person_types_lines(editor: str, end: str) -> None:
    terminal = person(editor + "print(repr(shellbot.get_input('Text: ', multiline=True)))")
    terminal.expect_exact('Text: (end with a line of only ".", or with Ctrl-D)\r\n')
    terminal.send("one\n\n two\n")
    terminal.expect_exact(" two")
    terminal.send(end)
    assert "'one\\n\\n two'" in told(terminal)


@pytest.mark.parametrize("kind", ["multiline=True", "choices=['a']", "ispass=True"])
def test_ctrl_d_is_nobody(kind: str) -> None:
    terminal = person(
        f"try:\n    shellbot.get_input('Name: ', {kind})\n"
        "except shellbot.NobodyToAskError as error:\n    print(error)"
    )
    terminal.expect_exact("Name: ")
    terminal.sendeof()
    assert "nobody to ask 'Name: '" in told(terminal)


@pytest.mark.parametrize("redirected", ["", ">output", "2>output"])
@pytest.mark.parametrize("editor", ["", "import readline\n"], ids=["plain", "readline"])
def test_a_person_sees_the_question_wherever_output_goes(
    redirected: str, editor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    terminal = person(
        editor + "import sys\nshellbot.get_input('Digits: ', validate=str.isdigit)", redirected
    )
    terminal.expect_exact("Digits: ")
    terminal.sendline("x")
    terminal.expect_exact("x\r\nthat is not a valid answer\r\nDigits: ")
    terminal.sendline("1")
    assert told(terminal) == "1\r\n"
    assert not redirected or (tmp_path / "output").read_text() == ""


def test_a_password_is_not_shown() -> None:
    terminal = person("print('length', len(shellbot.get_input('Password: ', ispass=True)))")
    terminal.expect_exact("Password: ")
    terminal.waitnoecho()
    terminal.sendline("hunter2")
    assert told(terminal) == "\r\nlength 7\r\n"


def test_a_new_password_is_asked_for_until_it_is_the_same_twice() -> None:
    terminal = person(
        "good = lambda answer: len(answer) > 3\n"
        "new = shellbot.get_input('New: ', ispass=True, twice=True, validate=good)\n"
        "print('length', len(new))"
    )
    for first, second in (("hunter2", "hunter3"), ("abc", "abc"), ("hunter2", "hunter2")):
        terminal.expect_exact("New: ")
        terminal.sendline(first)
        terminal.expect_exact("Once more: ")
        assert "abc" not in str(terminal.before)
        assert "hunter" not in str(terminal.before)
        terminal.sendline(second)
        if first != second:
            terminal.expect_exact("\r\nthat is not the same twice\r\n")
        elif first == "abc":
            terminal.expect_exact("\r\nthat is not a valid answer\r\n")
    assert told(terminal) == "\r\nlength 7\r\n"


@pytest.mark.parametrize("twice", [False, True])
def test_echo_comes_back_whatever_happens(twice: bool) -> None:
    terminal = person(
        f"""
def broken(answer): raise OSError("broken")
for validate in (None, broken):
    try:
        shellbot.get_input("Password: ", ispass=True, twice={twice}, validate=validate)
    except (KeyboardInterrupt, OSError) as error:
        input(f"caught {{type(error).__name__}} ")
"""
    )
    terminal.expect_exact("Password: ")
    if twice:
        terminal.sendline("hunter2")
        terminal.expect_exact("Once more: ")
    assert not terminal.getecho()
    terminal.sendintr()
    terminal.expect_exact("caught KeyboardInterrupt ")
    assert terminal.getecho()
    terminal.sendline()
    terminal.expect_exact("Password: ")
    terminal.sendline("hunter2")
    if twice:
        terminal.expect_exact("Once more: ")
        terminal.sendline("hunter2")
    terminal.expect_exact("caught OSError ")
    assert terminal.getecho()
    terminal.sendline()
    assert "hunter2" not in told(terminal)


@pytest.mark.parametrize("ispass", [False, True])
@pytest.mark.parametrize("editor", ["", "import readline\n"], ids=["plain", "readline"])
@pytest.mark.parametrize(("term", "coloured"), [("xterm", True), ("dumb", False)])
def test_a_prompt_has_a_colour_on_a_terminal_that_wants_it(
    ispass: bool, editor: str, term: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", term)
    terminal = person(editor + f"shellbot.get_input('Name: ', color='Red', ispass={ispass})")
    terminal.expect_exact("\x1b[31mName: \x1b[0m" if coloured else "Name: ")
    assert coloured or "\x1b[31m" not in str(terminal.before)
    terminal.sendline("x")
    assert "\x01" not in str(terminal.before) + told(terminal)


def test_the_colour_of_a_prompt_takes_no_room_on_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "xterm")
    terminal = person("import readline\nshellbot.get_input('Name: ', color='red')", columns=20)
    terminal.expect_exact("Name: \x1b[0m")
    terminal.send("01234567")
    terminal.expect_exact("567")
    terminal.sendline("\x01X")  # Ctrl-A: to the beginning of the line
    shown = told(terminal)
    assert "X01234567" in shown
    assert "\x1b[A" not in shown  # nor to the line above, as if it had been full


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
