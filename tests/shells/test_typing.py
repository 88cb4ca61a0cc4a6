"""Keys typed by hand and what is expected of them: nothing interrupted, and in step afterwards."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from shellbot import (
    CommandTimeoutError,
    Key,
    LevelLostError,
    Secret,
    Session,
    SessionBusyError,
    UsageError,
)

LIMIT = 20


def run(session: Session, command: str) -> None:
    session.type(command, Key.ENTER)


def in_step(session: Session) -> None:
    assert session.send('echo "$kept"', timeout=LIMIT).raw == b"from before\n"
    assert session.send("echo a; (exit 3)", check=3, timeout=LIMIT).raw == b"a\n"
    assert session.send("echo $?", timeout=LIMIT).raw == b"3\n"


@pytest.fixture
def typed(shell: Session) -> Session:
    """A session on each shell that has something to lose."""
    shell.send("kept='from before'; mkdir deep; cd deep")
    return shell


def test_a_conversation_with_read(typed: Session, tmp_path: Path) -> None:
    run(typed, "printf 'Code: '; read -r code; echo got $code")
    typed.expect("Code: ", timeout=LIMIT)
    run(typed, "4711")
    assert typed.expect(r"got (\d+)\n", timeout=LIMIT).group(1) == "4711"
    assert typed.send("echo $code; pwd", timeout=LIMIT).output == f"4711\n{tmp_path}/deep\n"
    in_step(typed)


@pytest.mark.parametrize(
    "failed", ["echo 'no end", "x=${y:-", "echo $((1 +", "if true", "(exit 3)"]
)
def test_what_failed_before_does_not_matter(failed: str, typed: Session) -> None:
    typed.send(failed, check=False, timeout=LIMIT)
    typed.type("echo $((6 * 7))", Key.ENTER, timeout=LIMIT)
    typed.expect("42", timeout=LIMIT)
    in_step(typed)


def test_a_program_driven_by_hand(typed: Session) -> None:
    run(typed, f"PYTHON_BASIC_REPL=1 TERM=dumb {sys.executable} -q")
    typed.expect(">>> ", timeout=LIMIT)
    for number in range(5):
        run(typed, f"'x' * {number + 2}")
        assert typed.expect(r"'(x+)'\s+>>> ", timeout=LIMIT).group(1) == "x" * (number + 2)
    run(typed, "exit(7)")
    assert typed.send("echo $?", timeout=LIMIT).raw == b"7\n"
    in_step(typed)


def test_the_status_of_what_was_typed_is_kept(typed: Session) -> None:
    run(typed, "own=5; (exit 9)")
    assert typed.send('echo "$? $own"', timeout=LIMIT).raw == b"9 5\n"
    typed.send("(exit 4)", check=4)
    run(typed, "echo status=$?")
    typed.expect("status=4\n", timeout=LIMIT)
    in_step(typed)


def test_the_earliest_match_wins_and_is_used_up(typed: Session) -> None:
    run(typed, "echo one; echo two; echo three")
    patterns = ["three", re.compile("two"), "one"]
    found = [typed.expect(patterns, timeout=LIMIT) for _ in range(3)]
    assert [match.group() for match in found] == ["one", "two", "three"]
    assert [match.re.pattern for match in found] == ["one", "two", "three"]
    with pytest.raises(CommandTimeoutError):
        typed.expect(["one", "two", "three"], timeout=0.2)
    in_step(typed)


def test_with_no_limit_it_waits(typed: Session) -> None:
    typed.type("sleep 0.2; echo slow$((1 + 1))", Key.ENTER)
    assert typed.expect("slow2")


def test_a_time_out_is_diagnosed_and_interrupts_nothing(typed: Session, tmp_path: Path) -> None:
    run(typed, "echo begun; read -r line; echo end=$line")
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError, match=r"limit 0\.5 s") as caught:
        typed.expect("never", timeout=0.5)
    assert time.monotonic() - started < 5
    assert caught.value.diagnosis.waiting
    assert b"begun\n" in caught.value.partial
    with pytest.raises(CommandTimeoutError) as caught:
        typed.expect("never", idle_timeout=0.3)
    assert caught.value.idle
    run(typed, "here")
    typed.expect("end=here\n", timeout=LIMIT)
    in_step(typed)


def test_colours_are_taken_out_and_writes_put_together(typed: Session) -> None:
    run(typed, r"printf 'a\033[1;3'; sleep 0.2; printf '1mb\033[0'; sleep 0.2; printf 'mc\r\n'")
    assert typed.expect("abc\n", timeout=LIMIT).group() == "abc\n"
    run(typed, r"printf '\303'; sleep 0.2; printf '\251t'; sleep 0.2; printf '\303\251\n'")
    assert typed.expect("été\n", timeout=LIMIT).group() == "été\n"
    in_step(typed)


def test_a_megabyte_before_the_match(typed: Session) -> None:
    run(typed, "yes 0123456789 | head -c 1000000; echo; echo finished")
    typed.expect("finished\n", timeout=LIMIT)
    run(typed, "echo next")
    typed.expect("next\n", timeout=LIMIT)
    in_step(typed)


def test_a_secret_is_typed_and_never_shown(typed: Session) -> None:
    secret = Secret("s3cret-words")
    run(typed, 'read -r word; echo "told $word"; read -r more')
    typed.type(secret, Key.ENTER)
    typed.expect("told s3cret-words\n", timeout=LIMIT)
    typed.type(secret)
    with pytest.raises(CommandTimeoutError) as caught:
        typed.expect("never", timeout=0.2)
    with pytest.raises(SessionBusyError) as busy:
        typed.send("echo hi")
    typed.type(Key.ENTER)
    for error in (caught.value, busy.value):
        assert "s3cret-words" not in f"{error} {error!r} {vars(error)}"
    in_step(typed)


def test_what_has_not_ended_is_named_and_let_alone(typed: Session) -> None:
    run(typed, "cat >file")
    for _ in range(2):
        with pytest.raises(SessionBusyError, match=r"cat >file"):
            typed.send("echo hi")
    run(typed, "a line")
    typed.type(Key.CTRL_D)
    assert typed.send("cat file", timeout=LIMIT).raw == b"a line\n"
    in_step(typed)


def test_ctrl_c_gets_out_of_what_was_typed(typed: Session) -> None:
    run(typed, "echo begun; sleep 60")
    typed.expect("begun\n", timeout=LIMIT)
    with pytest.raises(SessionBusyError, match="sleep"):
        typed.send("echo hi")
    typed.type(Key.CTRL_C)
    in_step(typed)


def test_an_unfinished_command_is_given_up_with_ctrl_c(typed: Session) -> None:
    typed.type("echo 'open", Key.ENTER)
    with pytest.raises(SessionBusyError):
        typed.send("echo hi")
    typed.type(Key.CTRL_C)
    in_step(typed)


def test_exit_typed_is_a_loss(typed: Session) -> None:
    run(typed, "exit 6")
    for _ in range(2):
        with pytest.raises(LevelLostError) as caught:
            typed.send("echo hi", timeout=LIMIT)
        assert caught.value.exit_code == 6
    with pytest.raises(LevelLostError):
        typed.expect("x", timeout=1)
    with pytest.raises(LevelLostError):
        typed.type("x")


def test_nothing_typed_and_wrong_calls_change_nothing(typed: Session) -> None:
    typed.type()
    in_step(typed)
    for wrong in (5, None, ["a"]):
        with pytest.raises(UsageError):
            typed.type(wrong)  # type: ignore[arg-type]
    for pattern in ("", "(", [], 5, [""]):
        with pytest.raises(UsageError):
            typed.expect(pattern)  # type: ignore[arg-type]
    with pytest.raises(CommandTimeoutError):
        typed.expect("never", timeout=0.1)
    in_step(typed)
