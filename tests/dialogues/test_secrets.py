"""A secret is typed, and found nowhere else: in no error, no log, no repr and on no screen."""

from __future__ import annotations

import io
import logging
import pickle
import shlex
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from dialogues.asking import in_step

import shellbot
from shellbot import (
    Answer,
    CommandError,
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    LevelLostError,
    Secret,
    Session,
    SessionError,
)

SECRET = "0pen\"S'esame\\ größer"
READ = "printf 'Password: '; read -r p; "
SHOWN = READ + 'printf "<%s>" "$p"; '


def held_by(thing: object, seen: set[int] | None = None) -> Iterator[str]:
    """Every text that *thing* holds, however deep, as text."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, (bytes, bytearray)):
        yield bytes(thing).decode("utf-8", "replace")
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from held_by(key, seen)
            yield from held_by(value, seen)
    elif isinstance(thing, (list, tuple, set)):
        for value in thing:
            yield from held_by(value, seen)
    else:
        names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        yield from held_by([getattr(thing, name, None) for name in names], seen)
        yield from held_by(getattr(thing, "__dict__", {}), seen)


def forms(secret: str) -> tuple[str, ...]:
    """The secret as it is, as messages have it, and the most of it."""
    return secret, repr(secret)[1:-1], repr(secret.encode())[2:-1], secret[:-4], secret[4:]


def shown_by(error: BaseException) -> list[str]:
    """Every way in which an error is shown or sent on."""
    return [
        str(error),
        repr(error),
        "".join(traceback.format_exception(error)),
        *map(str, error.args),
        *map(repr, error.args),
        *held_by(vars(error)),
    ]


FAILURES = {
    "a status": (CommandError, SHOWN + "exit_with() { return 3; }; exit_with"),
    "a limit": (CommandTimeoutError, SHOWN + "sleep 60"),
    "another question": (CommandWaitingError, SHOWN + "printf ' Name? '; read x"),
    "the same question": (DialogueError, SHOWN + "printf '\\nPassword: '; read x"),
    "a question that must not be": (DialogueError, SHOWN + "printf ' Delete? '; read x"),
    "a lost shell": (LevelLostError, SHOWN + "exit 3"),
    "the secret in the question": (
        CommandWaitingError,
        READ + 'printf "%s is it? " "$p"; read x',
    ),
    "the secret in a question with an answer": (
        DialogueError,
        READ + 'printf "\n%s is it? " "$p"; read -r x; printf "Delete? "; read x',
    ),
    "only its end in the tail": (
        CommandTimeoutError,
        SHOWN + 'head -c 1985 /dev/zero | tr "\\0" x; sleep 60',
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_error_shows_a_secret(
    failure: str, shell: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kind, command = FAILURES[failure]
    answers = [
        Answer("^Password: $", Secret(SECRET), times=None),
        Answer(r"Delete\?", stop=True),
        *([Answer("is it", "y")] if "an answer" in failure else []),
    ]
    with pytest.raises(kind) as caught:
        shell.send(command, answers=answers, timeout=1.5)
    for text in (*shown_by(caught.value), caplog.text):
        assert not any(form in text for form in forms(SECRET))
    assert "********" in str(caught.value)
    sent = pickle.dumps(caught.value)
    assert not any(form.encode() in sent for form in forms(SECRET))
    assert str(pickle.loads(sent)) == str(caught.value)
    if kind is not LevelLostError:
        assert in_step(shell)


def test_a_result_has_the_secret_only_where_the_program_printed_it(
    bash: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    result = bash.send(SHOWN, answers={"Password": Secret(SECRET)}, timeout=20)
    assert result.text == f"Password: <{SECRET}>"
    assert f"<{SECRET}>" not in repr(result)
    assert not any(form in repr(result) for form in forms(SECRET))
    assert not any(form in caplog.text for form in forms(SECRET))
    assert "********" in repr(result)
    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert repr(again) == repr(result)


def test_a_result_from_before_does_not_show_it_either(bash: Session) -> None:
    result = bash.send(f"printf %s {shlex.quote(SECRET)}")
    bash.send(READ + "true", answers={"Password: ": Secret(SECRET)})
    assert not any(form in repr(result) for form in forms(SECRET))


def test_a_result_does_not_take_the_secrets_with_it(bash: Session) -> None:
    result = bash.send(READ, answers={"Password": Secret(SECRET)}, timeout=20)
    assert not any(form.encode() in pickle.dumps(result) for form in forms(SECRET))


def test_a_later_error_does_not_show_it_either(bash: Session) -> None:
    bash.send(READ, answers={"Password": Secret(SECRET)}, timeout=20)
    with pytest.raises(CommandError) as caught:
        bash.send('echo "[$p]"; false')
    assert not any(form in text for text in shown_by(caught.value) for form in forms(SECRET))
    with pytest.raises(CommandError) as caught:
        bash.send(["sh", "-c", f"echo {SECRET!a}; exit 4"])
    assert SECRET not in str(caught.value)


def test_a_secret_of_the_callback_is_hidden_as_well(bash: Session) -> None:
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send(SHOWN + "sleep 60", on_waiting=lambda waiting: Secret(SECRET), timeout=2)
    assert b"********" in caught.value.partial
    assert not any(form in text for text in shown_by(caught.value) for form in forms(SECRET))
    assert in_step(bash)


def test_a_secret_that_a_function_returns_is_hidden_as_well(bash: Session) -> None:
    for answer in (
        Answer("Password", lambda match: Secret(SECRET)),
        Answer("Password", lambda match: SECRET, secret=True),
        Answer("Password", SECRET, secret=True),
    ):
        assert SECRET not in repr(answer)
        with pytest.raises(CommandError) as caught:
            bash.send(SHOWN + "false", answers=[answer], timeout=20)
        assert not any(form in text for text in shown_by(caught.value) for form in forms(SECRET))


LETTERS = """
rest=$p
while [ "$rest" ]; do printf %s "${rest%"${rest#?}"}"; sleep 0.01; rest=${rest#?}; done
"""
SHOWING = {
    "in one write": SHOWN,
    "in two writes": READ
    + 'e=${p#"${p%??????}"}; printf "<%s" "${p%"$e"}"; sleep 0.3; echo "$e>";',
    "letter by letter": READ + LETTERS,
    "in colour": READ + r'printf "\033[1m%s\033[0m" "$p"; ',
}


class Screen(io.StringIO):
    """A standard output that says it is a terminal, or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("how", SHOWING)
def test_live_output_never_shows_a_secret(
    how: str, terminal: bool, bash: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stdout", screen)
    bash.send("export LC_ALL=C.UTF-8")
    result = bash.send(
        SHOWING[how] + "echo; echo done",
        answers={"Password": Secret(SECRET)},
        echo=True,
        timeout=20,
    )
    assert SECRET in result.text
    seen = screen.getvalue()
    assert "Password:" in seen
    assert "done" in seen
    assert "********" in seen
    assert not any(form in seen for form in (SECRET, SECRET[:-4], SECRET[4:]))
    assert in_step(bash)


def test_a_secret_in_a_command_is_hidden_once_it_is_known(
    bash: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    bash.send(READ, answers={"Password": Secret("s3same-0pen")}, timeout=20)
    screen = Screen(False)
    monkeypatch.setattr(sys, "stdout", screen)
    assert bash.send("echo s3same-0pen", echo=True).raw == b"s3same-0pen\n"
    assert "s3same-0pen" not in screen.getvalue()
    assert screen.getvalue().count("********") == 2


def test_a_session_shows_nothing_of_its_secrets(bash: Session) -> None:
    secret = Secret(SECRET)
    bash.send(READ, answers={"Password": secret}, timeout=20)
    assert SECRET not in repr(bash)
    assert SECRET not in f"{secret} {secret!r} {secret!s} {[secret]}"
    assert repr(secret) == "Secret('********')"


def test_what_retry_logs_shows_no_secret(bash: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    retry = shellbot.Retry(2, every=0)
    with pytest.raises(SessionError):
        bash.send(SHOWN + "false", answers={"Password": Secret(SECRET)}, retry=retry, timeout=20)
    assert "attempts left" in caplog.text
    assert not any(form in caplog.text for form in forms(SECRET))


def test_a_stream_that_fails_shows_no_secret(bash: Session) -> None:
    lines = bash.stream(SHOWN + "echo; false", answers={"Password": Secret(SECRET)}, timeout=20)
    with pytest.raises(CommandError) as caught, lines:
        list(lines)
    assert not any(form in text for text in shown_by(caught.value) for form in forms(SECRET))


def test_a_secret_of_a_function_is_not_typed_where_it_would_be_seen(
    bash: Session, tmp_path: Path
) -> None:
    command = 'stty echo; sh -c \'printf "Name? "; read x; echo "$x" >typed\''
    with pytest.raises(DialogueError, match="only typed where it is not shown"):
        bash.send(command, answers={"Name": lambda match: Secret(SECRET)}, timeout=20)
    assert not (tmp_path / "typed").exists()
    assert in_step(bash)


def test_a_secret_of_a_function_is_not_given_twice_either(bash: Session) -> None:
    answers = [Answer("PIN", lambda match: Secret("9375"), times=None)]
    with pytest.raises(DialogueError, match="refused it") as caught:
        bash.send("read -sp PIN: x; echo; read -sp PIN: x", answers=answers, timeout=20)
    assert caught.value.answered == [("PIN:", "********")]
    codes = iter(("9375", "9376"))
    answers = [Answer("PIN", lambda match: Secret(next(codes)), times=None)]
    command = 'read -sp PIN: x; echo; read -sp PIN: y; [ "$x$y" = 93759376 ]'
    assert bash.send(command, answers=answers, timeout=20).ok
