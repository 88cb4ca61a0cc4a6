"""Errors: the tree, and messages that say what, where and what was printed last."""

from __future__ import annotations

import inspect
import re

import pytest

import shellbot
from shellbot import errors
from shellbot.diagnosis import Diagnosis
from shellbot.result import Result, Where

HERE = Where("db1", "root", 2)


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """The tree in the module's docstring: name -> (parent, built-in that it also is)."""
    tree: dict[str, tuple[str | None, str | None]] = {}
    above: dict[int, str] = {}
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        found = re.fullmatch(r"    ([│├└─ ]*)(\w+(?:Error|Aborted))\b(?:.*\balso (\w+))?.*", line)
        if found:
            depth = len(found[1]) // 4
            above[depth] = found[2]
            tree[found[2]] = (above.get(depth - 1), found[3])
    return tree


def command_error(
    *, exit_code: int = 2, raw: bytes = b"", duration: float = 1.5
) -> errors.CommandError:
    return errors.CommandError(
        Result(command="make all", raw=raw, exit_code=exit_code, duration=duration, where=HERE)
    )


def timeout_error(
    *, waited: float = 5.25, partial: bytes = b"", idle: bool = False
) -> errors.CommandTimeoutError:
    return errors.CommandTimeoutError(
        "make all",
        limit=5,
        idle=idle,
        diagnosis=Diagnosis("busy"),
        waited=waited,
        partial=partial,
        recovery="Ctrl-C",
        where=HERE,
    )


def test_every_exported_exception_is_in_the_drawn_tree() -> None:
    exported = {
        name
        for name in shellbot.__all__
        if isinstance(item := getattr(shellbot, name), type) and issubclass(item, BaseException)
    }
    assert set(drawn()) == exported


@pytest.mark.parametrize("name", drawn())
def test_the_tree_is_drawn_as_it_is(name: str) -> None:
    parent, also = drawn()[name]
    bases = [base.__name__ for base in getattr(errors, name).__bases__]
    assert bases == [parent or "Exception", *([also] if also else [])]


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.CommandTimeoutError, TimeoutError),
        (errors.LevelLostError, EOFError),
        (errors.StartError, OSError),
        (errors.UnknownNameError, LookupError),
        (errors.NobodyToAskError, EOFError),
        (errors.SessionClosedError, RuntimeError),
        (errors.SessionBusyError, RuntimeError),
    ],
)
def test_an_error_is_the_builtin_that_one_would_expect(
    error: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(error, builtin)
    assert issubclass(error, errors.ShellbotError)


def test_a_bad_day_is_not_a_usage_error() -> None:
    assert not issubclass(errors.SessionError, errors.UsageError)
    assert not issubclass(errors.UsageError, errors.SessionError)


def test_an_unknown_name_is_told_with_the_known_ones_and_the_nearest() -> None:
    error = errors.UnknownNameError("shell", "bsh", iter(["bash", "zsh"]))
    assert (error.name, error.known) == ("bsh", ("bash", "zsh"))
    assert str(error) == "unknown shell 'bsh'. Did you mean 'bash'? Known: bash, zsh."


def test_a_name_near_to_none_gets_no_hint() -> None:
    error = errors.UnknownNameError("shell", "python", ["bash", "zsh"])
    assert str(error) == "unknown shell 'python'. Known: bash, zsh."


@pytest.mark.parametrize("error", [errors.SessionError, errors.StartError])
def test_a_session_error_says_what_and_what_was_printed_last(
    error: type[errors.SessionError],
) -> None:
    raised = error("no shell came up", where=HERE, printed=b"\x1b[31mlogin:\x1b[0m\r\n")
    assert (raised.where, raised.tail) == (HERE, "login:")
    assert str(raised) == "no shell came up\nThe last it printed:\nlogin:"


@pytest.mark.parametrize("error", [errors.SessionError, errors.StartError])
def test_a_session_error_without_any_output_is_one_line(error: type[errors.SessionError]) -> None:
    raised = error("no terminal")
    assert (str(raised), raised.where, raised.tail) == ("no terminal", None, "")


def test_a_tail_is_at_most_2_000_characters() -> None:
    raised = errors.SessionError("lost", printed=b"x" * 100_000 + b"end\n")
    assert len(raised.tail) == 2_000
    assert str(raised).endswith("end")


def test_a_command_error_says_what_where_and_the_last_lines() -> None:
    error = command_error(raw=b"cc a.c\nno rule to make target\n")
    assert str(error) == (
        "exit status 2 after 1.5 s: make all\nOn root@db1, depth 2.\n"
        "The last it printed:\ncc a.c\nno rule to make target"
    )


def test_a_command_error_holds_the_whole_result() -> None:
    error = command_error(raw=b"out", exit_code=3)
    assert (error.result.raw, error.result.exit_code, error.where) == (b"out", 3, HERE)


def test_a_command_error_puts_the_status_in_words() -> None:
    assert "exit status 127 (command not found)" in str(command_error(exit_code=127))
    assert "exit status 137 (killed by SIGKILL)" in str(command_error(exit_code=137))


def test_a_timeout_says_what_where_how_long_and_what_to_try() -> None:
    assert str(timeout_error(partial=b"cc a.c\n")) == (
        "not done after 5.25 s (limit 5 s): make all\n"
        "On root@db1, depth 2. It was silent but running: busy.\n"
        "To try: give it more time.\n"
        "To get the shell back it took Ctrl-C.\n"
        "The last it printed:\ncc a.c"
    )


def test_an_idle_timeout_says_so() -> None:
    error = timeout_error(idle=True)
    assert error.idle
    assert str(error).startswith(
        "not done after 5.25 s, and nothing printed for 5 s (idle limit): make all\n"
    )


def test_a_waiting_command_says_what_for() -> None:
    error = errors.CommandWaitingError(
        "stopped after 0.5 s",
        "bash",
        diagnosis=Diagnosis("shell", question="$ "),
        waited=0.5,
        partial=b"$ ",
        recovery="Ctrl-D",
        where=HERE,
    )
    assert str(error).startswith(
        "stopped after 0.5 s: bash\nOn root@db1, depth 2. It was in another"
    )
    assert "use login()" in str(error)


def test_a_timeout_holds_what_the_caller_needs() -> None:
    error = timeout_error(partial=b"\xff")
    assert (error.limit, error.waited, error.partial) == (5, 5.25, b"\xff")
    assert (error.recovery, error.where) == ("Ctrl-C", HERE)


def test_a_long_time_is_told_in_plain_digits() -> None:
    assert "e+" not in str(timeout_error(waited=1234.5))
    assert "e+" not in str(command_error(duration=86_400.0))


def test_a_lost_level_says_what_where_and_the_last_lines() -> None:
    error = errors.LevelLostError(
        "the shell has ended", exit_code=-9, partial=b"bye", where=HERE, advice="open another"
    )
    assert (error.exit_code, error.partial, error.where) == (-9, b"bye", HERE)
    assert str(error) == (
        "the shell has ended\nOn root@db1, depth 2.\nTo try: open another.\n"
        "The last it printed:\nbye"
    )
