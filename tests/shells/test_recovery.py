"""After whatever had to be stopped, the session is in step: exact answers, state kept, quickly."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

import shellbot
from shellbot import CommandTimeoutError, CommandWaitingError, LevelLostError, Session

IGNORES_INT = "sh -c 'trap \"\" INT; while :; do sleep 0.1; done'"
IGNORES_ALL = f"""{sys.executable} -c '
import signal, time
for number in signal.valid_signals() - {{signal.SIGKILL, signal.SIGSTOP}}:
    signal.signal(number, signal.SIG_IGN)
while True: time.sleep(1)'"""
HANGING = {
    "sleep": "sleep 60",
    "a busy loop": "while :; do :; done",
    "a loop of programs": "while :; do /bin/true; done",
    "a loop of sleeps": "for i in 1 2 3 4 5 6 7 8 9; do sleep 9; done",
    "a pipeline": "sleep 60 | cat | cat",
    "a pipeline of shells": "(while :; do echo x; sleep 0.01; done) | sh -c 'cat >/dev/null'",
    "a flood": "yes",
    "a flood through a pipe": "yes | cat",
    "one endless line": "cat /dev/zero | tr '\\0' x",
    "ignores INT": IGNORES_INT,
    "ignores every signal": IGNORES_ALL,
    "prints on INT": "sh -c 'trap \"echo caught; exit 7\" INT; while :; do sleep 0.1; done'",
    "prints and goes on": "sh -c 'trap \"echo caught\" INT; while :; do sleep 0.1; done'",
    "reads": "cat",
    "reads lines": 'while read -r line; do echo "$line"; done',
    "reads keys": f"{sys.executable} -c 'import tty, os; tty.setraw(0); os.read(0, 1); input()'",
    "a subshell with a trap": "(trap 'echo mine' INT; while :; do sleep 0.1; done)",
    "a subshell that ignores": "(trap '' INT; sleep 60)",
    "a stopped program": "sh -c 'kill -STOP $$; sleep 60'; sleep 60",
    "a stopped job": "sleep 60 & kill -STOP $!; wait $!; sleep 60",
    "the shell itself stopped": "kill -STOP $$",
    "a flood behind it": "yes & sleep 60",
    "a late word behind it": "(trap '' INT HUP; sleep 0.4; echo late) & sleep 60",
    "a late word after it": "sh -c '(trap \"\" INT HUP; sleep 0.5; echo late) & sleep 60'",
    "without Ctrl-C": "stty -isig; sleep 60",
    "in raw mode": "stty raw; sleep 60",
    "waits for a job": "sleep 60 & wait",
    "a command substitution": "x=$(sleep 60); echo $x",
    "a function": "f() { while :; do sleep 1; done; }; f",
    "eval": "eval 'eval \"sleep 60\"'",
}


def exact(session: Session) -> None:
    """The next commands answer, each for itself."""
    assert session.send("/bin/echo a; (exit 3)", check=3, timeout=5).raw == b"a\n"
    assert session.send("sh -c 'sleep 0.1; echo b; exit 4'", check=4, timeout=5).raw == b"b\n"
    assert session.send('echo "$kept"', timeout=5).raw == b"from before\n"


@pytest.mark.parametrize("situation", HANGING)
def test_the_session_is_in_step_after_a_time_out(situation: str, shell: Session) -> None:
    shell.send("kept='from before'")
    with pytest.raises(CommandTimeoutError) as caught:
        shell.send(HANGING[situation], timeout=0.3)
    took = time.monotonic()
    assert shell.send("echo first", timeout=5).raw == b"first\n", caught.value.recovery
    assert caught.value.waited < 2
    assert time.monotonic() - took < 1
    assert "lost" not in caught.value.recovery
    exact(shell)


@pytest.mark.parametrize("more", ["time.sleep(1)", "os.write(1, b'y' * 4096)"])
def test_nothing_takes_more_than_five_seconds(more: str, bash: Session) -> None:
    program = IGNORES_ALL.replace("import signal", "import os, signal")
    program = program.replace("time.sleep(1)", more.replace("'", "'\\''"))
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send(program, timeout=0.5)
    assert time.monotonic() - started < 5.5
    assert bash.send("echo first", timeout=5).raw == b"first\n"
    assert caught.value.recovery == "killing what it had started"


@pytest.mark.parametrize("situation", ["sleep", "a flood", "reads", "a pipeline", "a busy loop"])
def test_five_in_a_row(situation: str, shell: Session) -> None:
    shell.send("kept='from before'")
    for _ in range(5):
        with pytest.raises(CommandTimeoutError):
            shell.send(HANGING[situation], timeout=0.2)
    exact(shell)


@pytest.mark.parametrize("loop", [HANGING["a busy loop"], "while :; do echo; done >/dev/null"])
def test_a_loop_of_built_ins_is_interrupted_however_often(loop: str, shell: Session) -> None:
    """Where Ctrl-C has busybox ash leave a function of glibc, it may wait for a lock for ever."""
    shell.send("kept='from before'")
    for _ in range(40):
        with pytest.raises(CommandTimeoutError) as caught:
            shell.send(loop, timeout=0.01)
        assert caught.value.recovery == "Ctrl-C"
    exact(shell)


def test_a_built_in_that_does_not_end_is_given_up(shell: Session) -> None:
    """busybox ash takes no notice of SIGINT while it reads."""
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError):
        shell.send("while read x; do :; done </dev/zero", timeout=0.1)
    assert time.monotonic() - started < 6


def test_what_cannot_be_stopped_costs_the_shell(shell: Session) -> None:
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError) as caught:
        shell.send("trap 'echo mine' INT QUIT; while :; do sleep 0.1; done", timeout=0.3)
    assert "the session is lost" in caught.value.recovery
    assert time.monotonic() - started < 6
    for _ in range(2):
        with pytest.raises(LevelLostError, match="had to be killed"):
            shell.send("echo first")
    assert shell.diagnose().kind == "disconnected"
    assert str(shell.terminal.pid) not in os.listdir("/proc")


def test_a_flood_from_an_earlier_command_changes_no_status(shell: Session) -> None:
    shell.send("yes &")
    with pytest.raises(CommandTimeoutError):
        shell.send("sleep 60", timeout=0.3)
    result = shell.send("/bin/echo here; (exit 3)", check=3, timeout=5)
    assert b"here\n" in result.raw
    shell.send("kill $!", timeout=5)
    started = time.monotonic()
    shell.close()
    assert time.monotonic() - started < 2


def test_what_earlier_commands_left_running_is_let_alone(bash: Session) -> None:
    for _ in range(20):
        # In the same instant, as far as the kernel's own times can tell.
        bash.send("sleep 60 & mine=$!; sh -c 'sleep 61 &'; mate=$(pgrep -n -x sleep -s $$)")
        with pytest.raises(CommandTimeoutError):
            bash.send("sleep 62 & sleep 63", timeout=0.01)
        assert bash.send("kill $mine && kill $mate", timeout=5).ok
    assert bash.send("pgrep -x sleep -P $$", check=False).raw == b""


# Limits


def test_an_idle_limit_counts_from_the_last_output(bash: Session) -> None:
    ticking = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done"
    assert bash.send(ticking, idle_timeout=0.5, timeout=5).ok
    with pytest.raises(CommandTimeoutError, match=r"nothing printed for 0\.3 s") as caught:
        bash.send("echo one; sleep 0.2; echo two; sleep 60", idle_timeout=0.3, timeout=30)
    assert caught.value.idle
    assert caught.value.limit == 0.3
    assert 0.5 <= caught.value.waited < 1.5
    assert caught.value.partial.startswith(b"one\ntwo\n")


def test_a_flood_does_not_outrun_the_limit(bash: Session) -> None:
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send("yes", timeout=0.3, idle_timeout=0.2)
    assert not caught.value.idle
    assert caught.value.diagnosis.kind == "printing"
    assert 0.3 <= caught.value.waited < 1


def test_a_session_has_limits_of_its_own(tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path, timeout=0.3) as session:
        for call in (session.send, session.send_and_get_output):
            with pytest.raises(CommandTimeoutError, match=r"limit 0\.3 s"):
                call("sleep 60")
        with pytest.raises(CommandTimeoutError, match=r"limit 0\.3 s"):
            session.send_until("echo no", "yes", every=0.1)
        assert session.send("sleep 0.5", timeout=None).ok
        assert session.send("sleep 0.4", timeout=5).ok
    with shellbot.bash(idle_timeout=0.3) as session:
        with pytest.raises(CommandTimeoutError, match="idle limit"):
            session.send("echo a; sleep 60")
        with pytest.raises(CommandTimeoutError, match="idle limit"):
            session.send_until("sleep 60", "yes", timeout=20)
        assert session.send("sleep 0.5", idle_timeout=None).ok


@pytest.mark.parametrize("limit", [-1, float("nan"), "5", True, -0.001])
def test_a_limit_is_a_number_of_seconds(limit: object, bash: Session) -> None:
    with pytest.raises(shellbot.UsageError, match="is no number of seconds"):
        bash.send("touch f", timeout=limit)  # type: ignore[arg-type]
    with pytest.raises(shellbot.UsageError, match="is no number of seconds"):
        bash.send("touch f", idle_timeout=limit)  # type: ignore[arg-type]
    with pytest.raises(shellbot.UsageError, match="is no number of seconds"):
        bash.send_until("touch f", "x", timeout=limit)  # type: ignore[arg-type]
    with pytest.raises(shellbot.UsageError, match="is no number of seconds"):
        shellbot.bash(idle_timeout=limit)  # type: ignore[arg-type]
    assert bash.send("ls").raw == b""


def test_no_limit_is_none_or_infinity(bash: Session) -> None:
    assert bash.send("sleep 0.1; echo x", timeout=float("inf"), idle_timeout=None).raw == b"x\n"


def test_a_limit_holds_while_the_command_is_typed(bash: Session) -> None:
    os.kill(bash.terminal.pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send("x=" + "y" * 300_000, timeout=0.5)
    assert time.monotonic() - started < 5
    assert caught.value.diagnosis.kind == "stopped"
    assert bash.send("echo ${#x}", timeout=5).raw == b"0\n"


# The caller's own Ctrl-C


def interrupted(session: Session, command: str, *pauses: float) -> None:
    """Send *command* and press Ctrl-C after each of *pauses*, which the call has to raise."""
    main = threading.main_thread().ident
    assert main is not None

    def press() -> None:
        for pause in pauses:
            time.sleep(pause)
            signal.pthread_kill(main, signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        session.send(command, timeout=30)
    # Further presses may come after the call has ended.
    while pressing.is_alive():
        with contextlib.suppress(KeyboardInterrupt):
            pressing.join()


@pytest.mark.parametrize(
    "command",
    ["sleep 60", "yes", "cat", "while :; do :; done", IGNORES_INT, "trap 'echo i' INT; sleep 60"],
)
def test_ctrl_c_goes_to_the_command_first(command: str, bash: Session) -> None:
    bash.send("kept='from before'")
    started = time.monotonic()
    interrupted(bash, command, 0.3)
    assert time.monotonic() - started < 5
    exact(bash)


def test_impatience_leaves_the_session_in_step_as_well(bash: Session) -> None:
    bash.send("kept='from before'")
    interrupted(bash, IGNORES_INT, 0.3, 0.1, 0.1)
    exact(bash)


class _AlarmError(Exception):
    pass


# One that comes between open() and its "with" leaves the file to be closed by Python, which warns.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_an_exception_at_any_moment_leaves_the_session_in_step(bash: Session) -> None:
    def ring(number: int, frame: object) -> None:
        raise _AlarmError

    moments = random.Random(3)
    old = signal.signal(signal.SIGALRM, ring)
    rung = 0
    try:
        for number in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, moments.uniform(0.00001, 0.004))
                output = bash.send(f"echo {number}; /bin/true", timeout=20).raw
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert output == b"%d\n" % number
            except _AlarmError:
                signal.setitimer(signal.ITIMER_REAL, 0)
                rung += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert rung > 30
    assert bash.send("echo in step", timeout=20).raw == b"in step\n"


def test_no_signal_handler_is_installed() -> None:
    before = [signal.getsignal(number) for number in signal.valid_signals()]
    with shellbot.bash() as session, pytest.raises(CommandTimeoutError):
        session.send("sleep 60", timeout=0.1)
    assert [signal.getsignal(number) for number in signal.valid_signals()] == before


# Lost shells, and new ones


LOSSES = {
    "exit 3": 3,
    "exec true": 0,
    "exec /bin/sh -c 'exit 5'": 5,
    "kill -9 $$": -9,
    "set -e; (exit 7)": 7,
    "echo words; exit 4": 4,
    "sleep 0.3; exit 2": 2,
}


@pytest.mark.parametrize("command", LOSSES)
def test_a_lost_shell_is_told_at_once_and_every_time(command: str, shell: Session) -> None:
    started = time.monotonic()
    with pytest.raises(LevelLostError) as caught:
        shell.send(command, timeout=20)
    assert time.monotonic() - started < 1.5
    assert caught.value.exit_code == LOSSES[command]
    assert caught.value.partial.startswith(b"words\n" if "words" in command else b"")
    for _ in range(2):
        with pytest.raises(LevelLostError):
            shell.send("echo hi")


def test_the_end_of_its_input_is_a_loss(shell: Session) -> None:
    shell.terminal.write(b"\x04")
    if shell.dialect.name == "ash":
        # It reads the terminal as a script; when that ends, it reads on by itself.
        assert shell.send("echo hi", timeout=20).raw == b"hi\n"
        return
    started = time.monotonic()
    with pytest.raises(LevelLostError):
        shell.send("echo hi", timeout=20)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("command", LOSSES)
def test_a_lost_shell_comes_back_where_it_was(command: str, name: str, tmp_path: Path) -> None:
    deep = tmp_path / "a directory\nof two lines"
    deep.mkdir()
    with shellbot.Session(name, restart=True) as session:
        session.send(["cd", str(deep)])
        session.send("export GIVEN='two\n words' OTHER=x; unset OTHER; not_exported=1")
        session.send("(exit 9)", check=9)
        assert session.send("echo $?").raw == b"9\n"
        with pytest.raises(LevelLostError, match="call again"):
            session.send(command, timeout=20)
        told = session.send('pwd; echo "$GIVEN|$OTHER|$not_exported"', timeout=20)
        assert told.output == f"{deep}\ntwo\n words||\n"
        with pytest.raises(CommandTimeoutError):
            session.send("sleep 60", timeout=0.2)
        assert session.send("pwd", timeout=20).output == f"{deep}\n"


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with shellbot.bash(cwd=gone, restart=True) as session:
        gone.rmdir()
        with pytest.raises(LevelLostError):
            session.send("exit 3")
        with pytest.raises(shellbot.StartError, match="cannot start in"):
            session.send("echo hi")
        gone.mkdir()
        assert session.send("echo hi").raw == b"hi\n"


def test_an_interrupted_loop_comes_back(name: str) -> None:
    with shellbot.Session(name, restart=True) as session:
        session.send("export A=1; cd /usr")
        with pytest.raises(CommandTimeoutError, match="session is lost"):
            session.send("trap 'echo mine' INT QUIT; while :; do sleep 0.1; done", timeout=0.3)
        assert session.send("echo $A; pwd", timeout=20).raw == b"1\n/usr\n"


# A shell inside


@pytest.mark.parametrize(
    "command",
    [
        "bash",
        "dash",
        "zsh -f",
        "fish",
        "mksh",
        "busybox sh",
        "tcsh",
        "su",
        "su -",
        "cd / && bash -i",
    ],
)
def test_a_shell_in_the_shell_is_recognised(command: str, bash: Session) -> None:
    bash.send("kept='from before'")
    started = time.monotonic()
    with pytest.raises(CommandWaitingError, match=r"use login\(\)") as caught:
        bash.send(command)
    assert time.monotonic() - started < 5
    assert caught.value.diagnosis.kind == "shell"
    assert caught.value.diagnosis.certain
    exact(bash)


@pytest.mark.parametrize("command", ["exec zsh -f", "exec bash --norc", "exec dash"])
def test_a_shell_in_place_of_the_shell_is_a_loss(command: str, bash: Session) -> None:
    with pytest.raises(LevelLostError, match=r"was replaced by another one.*login\(\)"):
        bash.send(command)
    with pytest.raises(LevelLostError, match="was replaced by another one"):
        bash.send("echo hi")


# What a review found


def test_an_interrupted_recovery_types_nothing_into_the_program(name: str, tmp_path: Path) -> None:
    with Session(name, cwd=tmp_path, restart=True) as session:
        started = time.monotonic()
        interrupted(session, "sh -c 'trap \"\" INT; cat >eaten'", 0.3, 0.2)
        assert time.monotonic() - started < 2
        assert session.send("cat eaten", timeout=20).raw == b""


def test_a_recovery_that_is_made_up_for_may_cost_the_shell(bash: Session) -> None:
    interrupted(bash, "trap 'echo mine' INT QUIT; while :; do sleep 0.1; done", 0.3, 0.2)
    for _ in range(2):
        with pytest.raises(LevelLostError, match="had to be killed"):
            bash.send("echo hi", timeout=5)


NOISE = {
    "a trace": "set -x",
    "verbose": "set -v",
    "a DEBUG trap": "trap 'echo dbg' DEBUG",
    "a chatty job": "(while :; do echo NOISE=1; sleep 0.001; done) &",
    "functions": "env() { echo mine; }; pwd() { echo mine; }; command() { echo mine; }",
    "noclobber": "set -C; set -u; set -f",
    "no PATH": "unset PATH",
    "a bad PATH": "export PATH=/nonexistent",
    "output elsewhere": "exec >/dev/null",
}


@pytest.mark.parametrize("noise", NOISE)
def test_a_restart_is_exact_whatever_was_printed(noise: str, name: str) -> None:
    with Session(name, restart=True) as session:
        session.send(NOISE[noise], check=False)
        session.send("cd /usr; export GIVEN='one two'", check=False)
        with pytest.raises(LevelLostError):
            session.send("exit 3", check=False, timeout=5)
        told = session.send('/bin/pwd; echo "$GIVEN${NOISE:-}"', timeout=5)
        assert told.raw == b"/usr\none two\n"


def test_a_restart_that_cannot_be_exact_says_so() -> None:
    with shellbot.bash(restart=True) as session:
        session.send("export HUGE=$(printf %0200000d 0); cd /usr")
        with pytest.raises(LevelLostError):
            session.send("exit 3")
        with pytest.raises(shellbot.StartError, match="cannot restart"):
            session.send("pwd")


@pytest.mark.parametrize(
    "command", ["while :; do /bin/true; done", "while ! /bin/false; do /bin/date; done >/dev/null"]
)
def test_a_loop_of_quick_programs_is_interrupted(command: str, bash: Session) -> None:
    for number in range(30):
        with pytest.raises(CommandTimeoutError) as caught:
            bash.send(command, timeout=0.05 + number / 500)
        assert caught.value.recovery.startswith("Ctrl-C")
        assert bash.send("echo in step", timeout=5).raw == b"in step\n"


def test_what_stands_behind_a_loop_of_quick_programs_is_not_run(
    bash: Session, tmp_path: Path
) -> None:
    # The first line has the rest typed as plain lines, which wait on the terminal.
    loop = "set -o emacs\nwhile :; do /bin/true; done\ntouch later"
    for number in range(5):
        with pytest.raises(CommandTimeoutError) as caught:
            bash.send(loop, timeout=0.2 + number / 100)
        assert caught.value.recovery.startswith("Ctrl-C")
        assert bash.send("echo in step", timeout=5).raw == b"in step\n"
        assert not (tmp_path / "later").exists()


COUNTING = """
use Time::HiRes "time"; my $n = 0; $SIG{INT} = sub { $n++ }; my $end = time + 0.5;
while (time < $end) { } open(my $told, ">>", "told"); print $told "$n ";
"""


def test_a_program_that_tidies_up_is_interrupted_no_more_than_once(
    bash: Session, tmp_path: Path
) -> None:
    (tmp_path / "counting.pl").write_text(COUNTING)
    # It starts while the shell that computes is on its way to be interrupted.
    command = "while [[ ${EPOCHREALTIME/[.,]/} < %d ]]; do :; done; perl counting.pl"
    for number in range(12):
        limit = 0.1
        start = (time.time() + limit + 0.1 + number / 500) * 1_000_000
        with pytest.raises(CommandTimeoutError):
            bash.send(command % start, timeout=limit)
        assert bash.send("echo in step", timeout=5).raw == b"in step\n"
    told = tmp_path / "told"
    assert not told.exists() or max(map(int, told.read_text().split())) <= 1


@pytest.mark.parametrize("signals", ["INT QUIT", "INT QUIT HUP"])
def test_job_control_is_no_obstacle(signals: str, shell: Session) -> None:
    shell.send("kept='from before'; set -m")
    for _ in range(2):
        with pytest.raises(CommandTimeoutError):
            shell.send(f"sh -c 'trap \"\" {signals}; sleep 60; sleep 60'", timeout=0.2)
        assert shell.send("echo in step", timeout=5).raw == b"in step\n"
    assert shell.send('echo "$kept"', timeout=5).raw == b"from before\n"


@pytest.mark.parametrize("size", [5_000, 30_000, 200_000])
def test_a_command_that_is_stopped_while_it_is_typed_is_not_run(
    size: int, shell: Session, tmp_path: Path
) -> None:
    shell.send("kept='from before'")
    for number in range(4):
        command = "touch run; x=" + "y" * size + "; sleep 9"
        with pytest.raises(CommandTimeoutError) as caught:
            shell.send(command, timeout=number / 2_000)
        assert "lost" not in caught.value.recovery
        assert shell.send("echo in step", timeout=5).raw == b"in step\n"
    assert shell.send('echo "$kept"', timeout=5).raw == b"from before\n"


def test_what_the_dying_leave_behind_is_ended_as_well(bash: Session, tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(
        "import os, signal, time\n"
        "if os.fork() == 0:\n"
        "    signal.signal(2, signal.SIG_IGN); os.setsid(); parent = os.getppid()\n"
        "    while os.getppid() == parent: time.sleep(0.001)\n"
        "    time.sleep(0.02)\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(0.8); os.write(1, b'LATE\\n')\n"
        "    os._exit(0)\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(CommandTimeoutError):
        bash.send(f"{sys.executable} late.py", timeout=0.5)
    assert bash.send("sleep 1.2; echo ok", timeout=5).raw == b"ok\n"


@pytest.mark.parametrize(
    ("shell", "command"),
    [
        ("dash", "dash -i"),
        ("bash", "bash --noprofile --norc --noediting -i"),
        ("bash", "(read x; bash --noprofile --norc --noediting -i) </dev/null </dev/tty"),
    ],
)
def test_a_shell_like_our_own_is_recognised(shell: str, command: str) -> None:
    with Session(shell) as session:
        with pytest.raises(CommandWaitingError, match=r"login\(\)"):
            session.send(command, timeout=20, on_waiting=press_enter)
        assert session.send("echo in step", timeout=5).raw == b"in step\n"
        with pytest.raises(LevelLostError, match=r"login\(\)"):
            session.send("exec " + command.strip("(").split(";")[-1].split(")")[0].strip())


def press_enter(waiting: shellbot.Diagnosis) -> str | bool:
    return "\n" if waiting.kind == "input" else False


def test_an_answer_is_one_line(bash: Session) -> None:
    for answer in ("a\nb", "a\ntouch run\n", "no newline", ""):
        with pytest.raises(shellbot.UsageError, match="takes lines"):
            bash.send("read x", timeout=20, on_waiting=lambda waiting, answer=answer: answer)
        assert bash.send("echo hi; ls").raw == b"hi\n"


def test_a_session_may_be_closed_from_the_callback(bash: Session) -> None:
    def close(waiting: object) -> None:
        started = time.monotonic()
        bash.close()
        assert time.monotonic() - started < 1

    with pytest.raises(LevelLostError, match="the session was closed"):
        bash.send("read x", timeout=20, on_waiting=close)
    with pytest.raises(shellbot.SessionClosedError):
        bash.send("echo hi")
