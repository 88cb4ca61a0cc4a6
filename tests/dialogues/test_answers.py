"""What may be an answer, what is refused before anything is typed, and what errors tell."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dialogues.asking import ASK, NAME, in_step

from shellbot import (
    Answer,
    CommandStoppedError,
    CommandWaitingError,
    DialogueError,
    Key,
    Secret,
    Session,
    UnknownNameError,
    UsageError,
)

# Functions


def test_a_function_is_given_the_match(shell: Session) -> None:
    command = "printf 'How much is 17 + 25? '; read x; echo \"<$x>\""
    asked: list[re.Match[str]] = []

    def add(match: re.Match[str]) -> str:
        asked.append(match)
        return str(int(match["left"]) + int(match["right"]))

    answers = {r"(?P<left>\d+) \+ (?P<right>\d+)\? $": add}
    assert shell.send(command, answers=answers, timeout=20).text.endswith("<42>\n")
    assert len(asked) == 1
    assert in_step(shell)


def test_a_function_is_asked_each_time(bash: Session) -> None:
    command = 'for n in 1 2 3; do read -p "Number $n? " x; echo "<$x>"; done'
    answer = Answer(r"Number (\d)\?", lambda match: "x" * int(match[1]), times=None)
    assert "<x>\nNumber 2? <xx>\nNumber 3? <xxx>\n" in bash.send(command, answers=[answer]).text


KINDS: dict[str, tuple[object, str]] = {
    "a string": ("bob", "bob"),
    "a string with its newline": ("bob\n", "bob"),
    "an empty string": ("", ""),
    "bytes": (b"bob\n", "bob"),
    "a secret": (Secret("s3same"), "s3same"),
    "a key": (Key.ENTER, ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_may_return_whatever_may_be_given(kind: str, shell: Session) -> None:
    given, taken = KINDS[kind]
    for reply in (given, lambda match: given):
        result = shell.send(ASK, answers={NAME: reply}, timeout=20)  # type: ignore[dict-item]
        assert result.text == f"Name? <{taken}>\n"
    assert in_step(shell)


def test_none_leaves_the_question_open(bash: Session) -> None:
    told: list[str] = []

    def answer(waiting: object) -> str:
        told.append(str(waiting))
        return "eve\n"

    answers = {NAME: lambda match: None}
    result = bash.send(ASK, answers=answers, on_waiting=answer, timeout=20)
    assert result.text == "Name? <eve>\n"
    assert len(told) == 1
    with pytest.raises(CommandStoppedError, match="waits for what nobody will type"):
        bash.send(ASK, answers=answers, timeout=20)
    assert in_step(bash)


def test_false_gives_up(shell: Session) -> None:
    with pytest.raises(DialogueError, match="The answers give up there") as caught:
        shell.send(ASK, answers={NAME: lambda match: False}, timeout=20)
    assert caught.value.asked == "Name? "
    assert caught.value.answered == []
    assert in_step(shell)


@pytest.mark.parametrize("wrong", [7, 1.5, [], {"a": 1}, True, object()])
def test_a_function_that_returns_something_else_is_told_so(wrong: object, bash: Session) -> None:
    answers = {NAME: lambda match: wrong}
    with pytest.raises(UsageError, match=r"function for 'Name\\\\\? \$' returned"):
        bash.send(ASK, answers=answers, timeout=20)  # type: ignore[arg-type]
    assert in_step(bash)


@pytest.mark.parametrize("wrong", ["two\nlines", "a\rb", "x" * 5_000, "nul\0", "\ud800"])
def test_a_function_that_returns_no_line_is_told_so(wrong: str, bash: Session) -> None:
    with pytest.raises(UsageError):
        bash.send(ASK, answers={NAME: lambda match: wrong}, timeout=20)
    assert in_step(bash)


class _OwnError(Exception):
    pass


def test_what_a_function_raises_comes_out(shell: Session) -> None:
    def fail(match: re.Match[str]) -> str:
        raise _OwnError(match.group())

    with pytest.raises(_OwnError, match=r"Name\?"):
        shell.send(ASK, answers={NAME: fail}, timeout=20)
    assert in_step(shell)


def test_bytes_are_typed_exactly(bash: Session) -> None:
    reader = "import sys; print(ascii(sys.stdin.buffer.readline()))"
    given = b"\xff \x01\\'\"$x\t.\n"
    answers = {NAME: given.replace(b"\x01", b"\x16\x01")}
    command = f"printf 'Name? '; {sys.executable} -c '{reader}'"
    assert bash.send(command, answers=answers, timeout=20).text == f"Name? {given!r}\n"


def test_control_characters_in_a_line_are_typed_as_they_are(shell: Session) -> None:
    given = "a\x01\x03\x04\x15\x1a\x1c\x7fb\t"
    reader = "import sys; print(ascii(sys.stdin.readline()))"
    command = f"printf 'Name? '; {sys.executable} -c '{reader}'"
    printed = shell.send(command, answers={NAME: given}, timeout=20).text
    assert printed == f"Name? {given + chr(10)!a}\n"
    assert in_step(shell)


@pytest.mark.parametrize("length", [1_000, 4_095])
def test_a_long_line_arrives_whole(length: int, shell: Session) -> None:
    reader = "import sys; print(len(sys.stdin.readline()))"
    command = f"printf 'Name? '; {sys.executable} -c '{reader}'"
    reply = "x" * (length - 1)
    assert shell.send(command, answers={NAME: reply}, timeout=20).text == f"Name? {length}\n"


def test_bytes_that_are_no_line_are_told(bash: Session) -> None:
    for given in (b"no newline", b"two\nlines\n", b""):
        with pytest.raises(UsageError, match="takes lines"):
            bash.send(ASK, answers={NAME: given}, timeout=20)
        assert in_step(bash)


# Keys

MENU = """
import curses

def menu(window):
    items, at = ["tea", "coffee", "milk"], 0
    window.keypad(True)
    while True:
        window.erase()
        window.addstr(0, 0, "What will it be?")
        for number, item in enumerate(items):
            window.addstr(2 + number, 4, ("> " if number == at else "  ") + item)
        window.refresh()
        key = window.getch()
        if key == curses.KEY_DOWN:
            at = min(at + 1, 2)
        elif key == curses.KEY_UP:
            at = max(at - 1, 0)
        elif key == curses.KEY_END:
            at = 2
        elif key in (10, 13, ord("x")):
            return items[at]

print(curses.wrapper(menu))
"""


@pytest.fixture
def menu(tmp_path: Path) -> str:
    """What starts a menu, as programs with curses have them."""
    (tmp_path / "menu.py").write_text(MENU)
    return f"TERM=xterm {sys.executable} menu.py"


def test_a_menu_is_walked_through_with_keys(menu: str, shell: Session) -> None:
    answers = [
        Answer("> tea", Key.DOWN),
        Answer("> coffee", Key.DOWN),
        Answer("> milk", Key.UP),
        Answer("> coffee", Key.ENTER),
    ]
    assert shell.send(menu, answers=answers, timeout=20).text.endswith("coffee\n")
    assert in_step(shell)


def test_any_key_is_a_key(menu: str, bash: Session) -> None:
    answers = [Answer("> tea", Key.END), Answer("> milk", Key("x"))]
    assert bash.send(menu, answers=answers, timeout=20).text.endswith("milk\n")
    with pytest.raises(CommandWaitingError) as caught:
        bash.send(menu, answers=[Answer("What will it be", Key.DOWN)], timeout=20)
    assert caught.value.diagnosis.kind == "full-screen"
    assert in_step(bash)


def test_whiptail_is_answered_with_keys(bash: Session, need: Callable[[str], None]) -> None:
    need("whiptail")
    command = "TERM=xterm whiptail --yesno 'Shall it be?' 10 40; echo; echo $?"
    for keys, status in (([Key.ENTER], 0), ([Key.TAB, Key.ENTER], 1), ([Key.ESCAPE], 255)):
        answers = [Answer("Shall it be", key) for key in keys]
        printed = bash.send(command.replace("echo; ", ""), answers=answers, timeout=20).text
        assert printed.endswith(f"{status}\n")
    assert in_step(bash)


def test_ctrl_c_may_be_the_answer(shell: Session) -> None:
    program = "trap 'echo interrupted; exit 5' INT; printf 'Name? '; read x; echo not"
    command = f'sh -c "{program}"; echo $?'
    printed = shell.send(command, answers={NAME: Key.CTRL_C}, check=False, timeout=20).text
    assert "interrupted" in printed
    assert "not" not in printed
    assert in_step(shell)


def test_ctrl_d_may_be_the_answer(shell: Session) -> None:
    command = "printf 'Name? '; cat; echo; echo ended"
    assert shell.send(command, answers={NAME: Key.CTRL_D}, timeout=20).text.endswith("\nended\n")
    assert in_step(shell)


# What is wrong before anything is typed

WRONG: dict[str, tuple[object, str]] = {
    "no reply": ({"x": None}, "'x' has no reply"),
    "False": ({"x": False}, "'x' has no reply"),
    "a number": ({"x": 7}, "answer to 'x' is 7"),
    "a list": ({"x": ["y"]}, "answer to 'x' is"),
    "two lines": ({"x": "a\nb"}, "answer to 'x' is more than one line"),
    "a carriage return": ({"x": "a\r"}, "answer to 'x' is more than one line"),
    "a line that is too long": ({"x": "y" * 4_096}, "answer to 'x' is over 4095 bytes"),
    "no regular expression": ({"(x": "y"}, "'\\(x' is not a regular expression"),
    "an empty pattern": ({"": "y"}, "a string or a compiled pattern, not ''"),
    "a pattern of bytes": ({b"x": "y"}, "a compiled pattern, not b'x'"),
    "a compiled pattern of bytes": ({re.compile(b"x"): "y"}, "not re.compile"),
    "an unknown name": (["yess"], r"answers\[0\].*'yess'. Did you mean 'yes'"),
    "an unknown name behind": ([Answer("x", "y"), "nope"], r"answers\[1\].*'nope'"),
    "a pair": ([("x", "y")], r"answers\[0\] is \('x', 'y'\)"),
    "a string": ("yes", "a mapping or a list, not 'yes'"),
    "one answer alone": (Answer("x", "y"), "a mapping or a list, not Answer"),
    "a number alone": (7, "a mapping or a list, not 7"),
    "a half character": ({"x": "\ud800"}, "UTF-8"),
    "NUL": ({"x": "a\0b"}, "NUL"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_table_is_told_before_anything_is_typed(
    what: str, bash: Session, tmp_path: Path
) -> None:
    answers, message = WRONG[what]
    with pytest.raises(UsageError, match=message):
        bash.send("touch typed", answers=answers)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=message):
        bash.stream("touch typed", answers=answers)  # type: ignore[arg-type]
    assert in_step(bash)
    assert not (tmp_path / "typed").exists()


@pytest.mark.parametrize("times", [0, -1, 1.5, "2", True])
def test_times_is_a_number_or_none(times: object) -> None:
    with pytest.raises(UsageError, match="answer to 'x' has times="):
        Answer("x", "y", times=times)  # type: ignore[arg-type]


def test_a_secret_entry_names_itself_and_not_its_secret() -> None:
    for wrong in ("", "two\nlines", "a\x03b"):
        with pytest.raises(UsageError, match="the answer to 'the code'") as caught:
            Answer("the code", wrong, secret=True)
        assert not wrong or wrong not in str(caught.value)


@pytest.mark.parametrize("wrong", [b"s3same\n", ["s3same"], {"s3same"}])
def test_what_is_no_text_cannot_be_secret_and_is_not_shown(wrong: object, bash: Session) -> None:
    with pytest.raises(UsageError, match="the answer to 'the code' is no string") as caught:
        Answer("the code", wrong, secret=True)  # type: ignore[arg-type]
    assert "s3same" not in str(caught.value)
    answer = Answer(NAME, lambda match: wrong, secret=True)  # type: ignore[arg-type,return-value]
    command = ASK.replace("Name", "Password: Name")
    with pytest.raises(UsageError, match="returned no string") as caught:
        bash.send(command, answers=[answer], timeout=20)
    assert "s3same" not in str(caught.value)
    assert in_step(bash)


@pytest.mark.parametrize("wrong", ["", 7, None, b"x", "a\nb", "a\x03", "\x7f", "nul\0", "\ud800"])
def test_a_secret_is_one_line_of_text(wrong: object) -> None:
    with pytest.raises(UsageError) as caught:
        Secret(wrong)  # type: ignore[arg-type]
    assert caught.value.__cause__ is None
    assert not (isinstance(wrong, str) and wrong and wrong in str(caught.value))


@pytest.mark.parametrize("wrong", ["UPP", "up", "ab", "", "\n", "\x03"])
def test_an_unknown_key_is_told(wrong: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown key") as caught:
        Key(wrong)
    assert caught.value.name == wrong
    assert "ENTER" in caught.value.known


# What an error tells


def test_a_dialogue_error_tells_the_whole_story(shell: Session) -> None:
    command = (
        "printf 'User: '; read u; printf 'Password: '; read p; printf 'Sure? '; read s; "
        "printf 'Really? '; read r"
    )
    answers = [
        Answer("User", "bob"),
        Answer("Password", Secret("s3same")),
        Answer(r"Sure\?", Key.ENTER),
        Answer(r"Really\?", stop=True),
    ]
    with pytest.raises(DialogueError) as caught:
        shell.send(command, answers=answers, timeout=20)
    error = caught.value
    assert error.asked == "Really? "
    assert error.answered == [
        ("User: ", "'bob'"),
        ("Password: ", "********"),
        ("Sure? ", "Key.ENTER"),
    ]
    assert error.partial.startswith(b"User: Password: Sure? Really? ")
    assert error.tail.startswith("User: Password: Sure? Really?")
    assert error.recovery.startswith("Ctrl-C")
    assert error.diagnosis.kind == "question"
    assert error.where == shell.where
    assert 0 < error.waited < 15
    story = "`User:` with 'bob', `Password:` with ********, `Sure?` with Key.ENTER"
    assert story in str(error)
    assert in_step(shell)
