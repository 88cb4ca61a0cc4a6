"""The verbs: what they return, what they raise, what they wait for."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import shellbot
from shellbot import (
    CommandError,
    CommandTimeoutError,
    LevelLostError,
    Session,
    SessionBusyError,
    SessionClosedError,
    StartError,
    UnknownNameError,
    UsageError,
)


def test_a_failed_command_raises_with_its_result(shell: Session) -> None:
    with pytest.raises(CommandError) as caught:
        shell.send("echo why; (exit 3)")
    result = caught.value.result
    assert (result.exit_code, result.raw, bool(result)) == (3, b"why\n", False)
    message = str(caught.value)
    assert all(part in message for part in ("exit status 3", "echo why; (exit 3)", "depth 0"))
    assert message.endswith("why")


@pytest.mark.parametrize(
    ("check", "accepted"), [(True, False), (False, True), (3, True), ({0, 3}, True), ([1], False)]
)
def test_check_says_what_is_accepted(bash: Session, check: object, accepted: bool) -> None:
    try:
        assert bash.send("(exit 3)", check=check).exit_code == 3  # type: ignore[arg-type]
        assert accepted
    except CommandError:
        assert not accepted


def test_send_and_get_output_is_what_a_person_would_have_seen(bash: Session) -> None:
    assert bash.send_and_get_output("printf '  a  \\n\\n'") == "  a  "
    assert bash.send_and_get_output("printf '\\033[1mx\\033[0m\\n10%%\\r99%%'") == "x\n99%"
    with pytest.raises(CommandError):
        bash.send_and_get_output("false")


def test_a_result_knows_where_when_and_what(bash: Session) -> None:
    result = bash.send(["sleep", "0.1"])
    assert result.command == "sleep 0.1"
    assert 0.1 <= result.duration < 2
    assert result.where == bash.where
    assert bash.where.host == bash.send_and_get_output("uname -n")
    assert bash.where.user == bash.send_and_get_output("id -un")


def test_a_time_out_leaves_the_session_in_step(shell: Session) -> None:
    for command in ("echo before; sleep 30", "while :; do :; done", "yes", "cat", "read x"):
        started = time.monotonic()
        with pytest.raises(CommandTimeoutError) as caught:
            shell.send(command, timeout=0.3)
        assert time.monotonic() - started < 5
        error = caught.value
        assert error.limit == pytest.approx(0.3, abs=0.01)
        assert error.waited >= 0.29
        assert isinstance(error, TimeoutError)
        for _ in range(3):
            assert shell.send("echo in step", timeout=5).raw == b"in step\n"
    assert shell.send_and_get_output("echo $((1+1))") == "2"


def test_a_time_out_keeps_what_was_printed(bash: Session) -> None:
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send("echo before; sleep 30", timeout=0.5)
    assert caught.value.partial.strip() == b"before"
    assert caught.value.recovery == "Ctrl-C"
    assert "before" in str(caught.value)


def test_an_interrupted_call_leaves_the_session_in_step(bash: Session) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            bash.send("sleep 30; echo late")
    finally:
        signal.signal(signal.SIGALRM, old)
    for _ in range(3):
        assert bash.send("echo in step", timeout=5).raw == b"in step\n"


def test_what_ignores_ctrl_c_is_got_rid_of_by_stronger_means(bash: Session) -> None:
    bash.send("x=kept")
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send("sh -c 'trap \"\" INT QUIT HUP; while :; do sleep 1; done'", timeout=0.3)
    assert caught.value.recovery == "killing what it had started"
    assert bash.send("echo $x").raw == b"kept\n"


def test_a_time_out_leaves_no_trace(shell: Session, tmp_path: Path) -> None:
    for command in (
        "cat | cat",
        "sh -c 'trap \"\" INT; cat >file'",
        "sh -c 'trap \"\" INT; sleep 100'",
        "sh -i",
    ):
        with pytest.raises(CommandTimeoutError):
            shell.send(command, timeout=0.3)
        assert shell.send("/bin/echo a; (exit 3)", check=3, timeout=5).raw == b"a\n"
        assert shell.send("sh -c 'sleep .1; echo b; exit 4'", check=4, timeout=5).raw == b"b\n"
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 3", 3), ("echo last; exit 0", 0), ("exec true", 0), ("kill -9 $$", -9)],
)
def test_a_shell_that_ends_is_told_at_once(shell: Session, command: str, status: int) -> None:
    started = time.monotonic()
    with pytest.raises(LevelLostError) as caught:
        shell.send(command)
    assert time.monotonic() - started < 2
    assert caught.value.exit_code == status
    # An interactive bash or zsh announces its leaving.
    printed = caught.value.partial.removesuffix(b"exit\n")
    assert printed == (b"last\n" if "last" in command else b"")
    with pytest.raises(LevelLostError):
        shell.send("echo again")


def test_set_e_ends_the_shell_as_it_would_for_a_person(shell: Session) -> None:
    shell.send("set -e")
    with pytest.raises(LevelLostError) as caught:
        shell.send("false")
    assert caught.value.exit_code == 1


def test_send_until_waits_for_a_whole_line(shell: Session) -> None:
    shell.send("(sleep 0.3; touch newfile) &")
    result = shell.send_until("ls newfile 2>/dev/null | wc -l", "1", timeout=10, every=0.1)
    assert result.text.strip() == "1"


def test_send_until_does_not_take_10_for_1(bash: Session) -> None:
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send_until("echo 10", "1", timeout=0.3, every=0.1)
    assert caught.value.tail == "10"
    assert caught.value.limit == 0.3


def test_send_until_takes_patterns_and_functions(bash: Session) -> None:
    assert bash.send_until("echo status: ok", re.compile("ok$"), timeout=1).ok
    assert bash.send_until("echo  ' active '", "act.*", timeout=1).ok
    bash.send("n=0")
    count = bash.send_until("n=$((n+1)); echo $n", lambda r: int(r.text) >= 5, every=0)
    assert count.raw == b"5\n"


def test_send_until_absent_waits_for_it_to_go(bash: Session) -> None:
    bash.send("touch lock; (sleep 0.2; rm lock) &")
    assert bash.send_until("ls", "lock", absent=True, timeout=10, every=0.05).raw == b""


def test_send_until_absent_is_not_content_with_a_missing_command(bash: Session) -> None:
    with pytest.raises(CommandTimeoutError, match="command not found"):
        bash.send_until("no-such-command", "lock", absent=True, timeout=0.2, every=0.1)


def test_send_until_limits_a_hanging_attempt(bash: Session) -> None:
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send_until("sleep 30", "x", timeout=0.3)
    assert time.monotonic() - started < 5
    assert caught.value.limit == 0.3
    assert bash.send("echo in step").raw == b"in step\n"


def test_send_until_notices_that_the_shell_is_gone(bash: Session) -> None:
    bash.send("(sleep 0.2; kill -9 $$) &")
    started = time.monotonic()
    with pytest.raises(LevelLostError):
        bash.send_until("false", "never", timeout=30, every=10)
    assert time.monotonic() - started < 5


def test_closing_hangs_up_and_lets_traps_run(bash: Session, tmp_path: Path) -> None:
    bash.send("trap 'echo bye >left' EXIT")
    bash.close()
    assert (tmp_path / "left").read_text() == "bye\n"


def test_a_closed_session_says_so(bash: Session) -> None:
    bash.close()
    bash.close()
    with pytest.raises(SessionClosedError):
        bash.send("echo")
    assert "closed" in repr(bash)


def test_two_threads_cannot_mix_answers(bash: Session, tmp_path: Path) -> None:
    running = threading.Thread(target=bash.send, args=("touch on; sleep 0.5",))
    running.start()
    while not (tmp_path / "on").exists():
        pass
    with pytest.raises(SessionBusyError, match=r"sleep 0\.5"):
        bash.send("echo mixed")
    running.join()
    assert bash.send("echo in step").raw == b"in step\n"


def test_closing_from_another_thread_ends_the_command(bash: Session, tmp_path: Path) -> None:
    seen: list[BaseException] = []

    def run() -> None:
        try:
            bash.send("touch on; sleep 30")
        except LevelLostError as error:
            seen.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not (tmp_path / "on").exists():
        pass
    started = time.monotonic()
    bash.close()
    thread.join(5)
    assert time.monotonic() - started < 2.5
    assert len(seen) == 1


def test_a_session_of_another_process_is_refused(bash: Session) -> None:
    bash._owner += 1
    with pytest.raises(UsageError, match="after a fork"):
        bash.send("echo")
    bash._owner -= 1


def test_names_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'bash'") as caught:
        Session("bahs")
    assert "dash" in caught.value.known
    with pytest.raises(UsageError):
        Session("bash -l")
    with pytest.raises(StartError):
        Session("/nonexistent/bash")
    with pytest.raises(StartError, match="nowhere"):
        Session("bash", cwd=tmp_path / "nowhere")


def test_environment_and_directory_are_as_given(name: str, tmp_path: Path) -> None:
    directory = tmp_path / "a 'quoted' dir"
    directory.mkdir()
    with Session(name, cwd=directory, environment={"GIVEN": "a b", "PAGER": "mine"}) as session:
        assert session.send('echo "$GIVEN $PAGER"').raw == b"a b mine\n"
        assert session.send_and_get_output("pwd") == str(directory)


def test_log_goes_through_logging(bash: Session, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="shellbot"):
        bash.log("hello", level=logging.CRITICAL)
    assert [(r.name, r.levelname, r.message) for r in caplog.records] == [
        ("shellbot", "CRITICAL", "hello")
    ]


def test_log_shows_on_standard_error_where_nobody_set_up_logging() -> None:
    program = "import shellbot; s = shellbot.bash(); s.log('shown'); s.log('no', level=10)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert done.stderr.endswith("INFO shown\n")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_the_seed_names_are_there() -> None:
    session = shellbot.create_bash_session()
    assert session.send_and_get_output("hostname")
    session.close()


def test_what_is_exported_is_what_is_there() -> None:
    assert sorted(shellbot.__all__) == shellbot.__all__
    public = {name for name in vars(shellbot) if not name.startswith("_")}
    modules = {path.stem for path in Path(shellbot.__file__).parent.glob("*.py")}
    assert public - modules - {"annotations", "TYPE_CHECKING"} == set(shellbot.__all__)
