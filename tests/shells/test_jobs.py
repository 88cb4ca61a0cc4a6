"""Background jobs: exact outputs and statuses, disturbed by nobody and disturbing nobody."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shells.test_recovery import IGNORES_ALL

import shellbot
from shellbot import CommandError, CommandTimeoutError, Job, LevelLostError, Session, SessionError

# A program with a handler of its own: what is ignored at the start of a job in the background
# would tell nothing of a Ctrl-C that came through.
CATCHES = f"""{sys.executable} -c '
import signal, sys, time
def caught(number, frame): print("caught", number, flush=True)
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, caught)
print("ready", flush=True)
while True: time.sleep(0.05)'"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where sessions of these tests keep their temporary files."""
    path = tmp_path / "kept here"
    path.mkdir()
    return path


@pytest.fixture
def shell(name: str, tmp_path: Path, kept: Path) -> Iterator[Session]:
    """A session on each shell, with a directory for temporary files of its own."""
    with Session(name, cwd=tmp_path, environment={"TMPDIR": str(kept)}) as session:
        yield session


def until(met: Callable[[], object], limit: float = 20) -> None:
    """Wait until *met*."""
    end = time.monotonic() + limit
    while not met():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    """Whether process *pid* runs; a zombie does not."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def in_step(session: Session) -> None:
    assert session.send("echo in step; (exit 3)", check=3, timeout=5).raw == b"in step\n"
    assert session.send("echo $?", timeout=5).raw == b"3\n"


def test_twenty_jobs_keep_their_outputs_and_statuses_apart(shell: Session, kept: Path) -> None:
    jobs = [
        shell.background(f"echo {n}; sleep 0.{n % 5}; echo {n} >&2; exit {n}") for n in range(20)
    ]
    results = shell.wait_all(timeout=30)
    assert [result.exit_code for result in results] == list(range(20))
    assert [result.raw for result in results] == [b"%d\n%d\n" % (n, n) for n in range(20)]
    assert [job.exit_code for job in jobs] == list(range(20))
    assert shell.wait_all() == []
    assert list(kept.iterdir()) == []
    in_step(shell)


OUTPUTS = {
    "nothing": (":", b""),
    "no final newline": ("printf 'a\\nb'", b"a\nb"),
    "newlines only": ("printf '\\n\\n'", b"\n\n"),
    "NUL": ("printf 'a\\000b\\n'", b"a\0b\n"),
    "CR": ("printf 'a\\r\\n\\rb'", b"a\r\n\rb"),
    "every byte": (
        f"{sys.executable} -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 9)'",
        bytes(range(256)) * 9,
    ),
    "merged in order": (
        "for i in 1 2 3; do echo o$i; echo e$i >&2; done",
        b"o1\ne1\no2\ne2\no3\ne3\n",
    ),
    "no newline behind a comment": ("echo a # b", b"a\n"),
    "quotes and dollars": ("""printf '%s|' "a'b" '$x' "\\\\" '%d'""", b"a'b|$x|\\|%d|"),
    "several lines": ("echo a\nif :; then\necho b\nfi", b"a\nb\n"),
    "a here-document": ("cat <<E\na 'b' $((1+1))\nE", b"a 'b' 2\n"),
    "reads nothing": ("cat; echo $?", b"0\n"),
    "a job of its own": ("(sleep 0.2; echo late) & echo first; wait", b"first\nlate\n"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_the_output_of_a_job_is_exact(case: str, shell: Session, kept: Path) -> None:
    command, raw = OUTPUTS[case]
    result = shell.background(command).wait(timeout=20)
    assert (result.raw, result.exit_code) == (raw, 0)
    assert result.command == command
    assert list(kept.iterdir()) == []


def test_twenty_megabytes_arrive_whole(shell: Session, kept: Path) -> None:
    job = shell.background("head -c 20000000 /dev/zero | tr '\\000' x; exit 5")
    result = job.wait(timeout=40)
    assert result.raw == b"x" * 20_000_000
    assert result.exit_code == 5
    assert list(kept.iterdir()) == []


def test_output_is_there_while_it_runs(shell: Session, tmp_path: Path) -> None:
    job = shell.background("echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 4")
    until(lambda: job.output == "one\n")
    assert job.is_running
    assert job.poll() is None
    shell.send("touch go")
    assert job.wait(timeout=20).output == "one\ntwo\n"
    assert job.output == "one\ntwo\n"
    assert not job.is_running
    assert job.exit_code == 4
    assert "ended with status 4" in repr(job)


def test_a_status_is_there_long_after_the_end(shell: Session) -> None:
    jobs = [shell.background(f"exit {n}") for n in range(3)]
    for _ in range(50):
        shell.send("/bin/true & (exit 1) & wait")
    assert [job.wait(timeout=20).exit_code for job in jobs] == [0, 1, 2]


def test_a_wait_of_the_user_takes_no_status_away(shell: Session) -> None:
    jobs = [shell.background(f"echo {n}; sleep 0.1; exit {n}") for n in (7, 8)]
    assert shell.send("wait", check=False, timeout=20).raw == b""
    if shell.dialect.name == "mksh":
        # Its `wait` does not know of them.
        shell.wait_all(timeout=20)
    assert [(job.poll(), job.output) for job in jobs] == [(7, "7\n"), (8, "8\n")]


@pytest.mark.parametrize(("name_of", "status"), [("KILL", 137), ("TERM", 143)])
def test_a_program_killed_from_outside_has_its_status(
    name_of: str, status: int, shell: Session, tmp_path: Path
) -> None:
    job = shell.background("sh -c 'echo $$ >pid.new; mv pid.new pid; exec sleep 60'")
    until((tmp_path / "pid").exists)
    os.kill(int((tmp_path / "pid").read_text()), getattr(signal, "SIG" + name_of))
    told = job.wait(timeout=20).exit_code
    # ksh93 adds 256.
    assert told in (status, 256 + status - 128)


def test_a_job_killed_with_all_that_belongs_to_it_is_told(shell: Session, kept: Path) -> None:
    job = shell.background("echo begun; sleep 60; sleep 60")
    until(lambda: job.output)
    os.killpg(job.pid, signal.SIGKILL)
    result = job.wait(timeout=20)
    assert result.exit_code == (265 if shell.dialect.name == "ksh93" else 137)
    assert result.raw == b"begun\n"
    assert list(kept.iterdir()) == []
    in_step(shell)


def test_kill_ends_a_job_at_once(shell: Session, kept: Path) -> None:
    job = shell.background("echo begun; sleep 60; echo not reached")
    until(lambda: job.output)
    started = time.monotonic()
    result = job.kill()
    assert time.monotonic() - started < 1.5
    assert result.raw.startswith(b"begun\n")
    assert b"not reached" not in result.raw
    assert result.exit_code != 0
    assert job.kill() is result
    assert list(kept.iterdir()) == []
    in_step(shell)


def test_kill_ends_what_ignores_it(shell: Session, tmp_path: Path, kept: Path) -> None:
    job = shell.background(
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >pid; sleep 60; sleep 60' | cat | cat"
    )
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
    pid = int((tmp_path / "pid").read_text())
    assert job.kill(grace=0.3).exit_code == (265 if shell.dialect.name == "ksh93" else 137)
    until(lambda: not is_there(pid), 5)
    assert list(kept.iterdir()) == []
    in_step(shell)


def test_a_stopped_job_can_be_killed(shell: Session) -> None:
    job = shell.background("echo begun; sleep 60")
    until(lambda: job.output)
    os.killpg(job.pid, signal.SIGSTOP)
    started = time.monotonic()
    job.kill(grace=5)
    assert time.monotonic() - started < 4
    in_step(shell)


def test_ctrl_c_for_others_never_reaches_a_job(shell: Session) -> None:
    job = shell.background(CATCHES)
    until(lambda: job.output == "ready\n")
    for command in ("sleep 60", "while :; do :; done", "cat", "sleep 60 | cat"):
        with pytest.raises(CommandTimeoutError):
            shell.send(command, timeout=0.2)
    assert job.output == "ready\n"
    os.kill(job.pid, 0)
    assert job.kill(grace=0.2).output.startswith("ready\n")


def test_the_hardest_recovery_lets_jobs_and_their_new_children_alone(
    shell: Session, tmp_path: Path
) -> None:
    caught = shell.background(CATCHES)
    counts = shell.background(
        "i=0; until [ -e stop ]; do sh -c 'sleep 0.05' || echo hit; i=$((i+1)); done; echo end $?"
    )
    until(lambda: caught.output == "ready\n")
    for command in (IGNORES_ALL, "sleep 60"):
        with pytest.raises(CommandTimeoutError) as error:
            shell.send(command, timeout=0.3)
        assert "lost" not in error.value.recovery
    assert counts.poll() is None
    assert caught.output == "ready\n"
    shell.send("touch stop")
    assert counts.wait(timeout=20).raw == b"end 0\n"
    caught.kill(grace=0.1)
    in_step(shell)


def test_others_see_nothing_of_jobs(shell: Session) -> None:
    shell.send("(exit 5)", check=5)
    jobs = [shell.background(f"sleep 0.0{n}; exit {n}") for n in range(5)]
    assert shell.send("echo $?").raw == b"5\n"
    for number in range(60):
        assert shell.send(f"/bin/echo {number}").raw == b"%d\n" % number
    for job in jobs:
        job.wait(timeout=20)
    for number in range(10):
        assert shell.send(f"/bin/echo {number}; (exit 6)", check=6).raw == b"%d\n" % number
    assert shell.send("echo $?").raw == b"6\n"


def test_asking_after_a_job_changes_neither_status_nor_last_word(shell: Session) -> None:
    shell.send("echo word; (exit 9)", check=9)
    job = shell.background("exit 2")
    job.wait(timeout=20)
    assert shell.send("echo $?").raw == b"9\n"


def test_a_job_has_the_state_and_cannot_change_it(shell: Session, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    shell.send("cd in; x='one  two'; f() { echo \"f $1\"; }; umask 027")
    job = shell.background('pwd; echo "$x"; f 1; umask; x=other; cd /')
    assert job.wait(timeout=20).output.startswith(f"{tmp_path}/in\none  two\nf 1\n")
    assert "27" in job.output
    assert shell.send('pwd; echo "$x"').output == f"{tmp_path}/in\none  two\n"


OPTIONS = {
    "e": "set -e",
    "u": "set -u",
    "x": "set -x",
    "f": "set -f",
    "C": "set -C",
    "v": "set -v",
    "a": "set -a",
    "m": "set -m",
    "all": "set -euxfC",
    "umask": "umask 777",
    "IFS": "IFS=/",
    "no PATH": "PATH=/nonexistent",
    "output elsewhere": "exec >/dev/null",
    "closed": "exec >&-",
    "traps": "trap 'echo exiting' EXIT; trap 'echo term' TERM",
    "functions": "; ".join(
        f"{word}() {{ echo mine; }}"
        for word in ("printf", "cat", "rm", "kill", "wait", "mv", "mkdir", "sleep", "tail")
    ),
    "aliases": "; ".join(
        f"alias {word}='echo mine'"
        for word in ("printf", "cat", "rm", "kill", "wait", "trap", "mv", "mkdir", "tail")
    ),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_a_job_is_exact_whatever_the_shell_was_told(
    option: str, shell: Session, tmp_path: Path, kept: Path
) -> None:
    shell.send(OPTIONS[option])
    job = shell.background("/bin/echo out; /bin/echo err >&2; exit 3")
    result = job.wait(timeout=20)
    assert result.exit_code == 3
    lines = result.raw.replace(b"exiting\n", b"").splitlines()
    if option not in ("x", "all", "v"):
        assert lines == [b"out", b"err"]
    assert b"out" in result.raw
    assert b"err" in result.raw
    job = shell.background("/bin/sleep 60")
    job.kill()
    shell.send("trap - EXIT TERM", check=False)
    assert list(kept.iterdir()) == []


def test_a_wait_that_takes_too_long_ends_no_shell_under_set_e(shell: Session) -> None:
    shell.send("set -e")
    job = shell.background("sleep 60")
    for _ in range(2):
        with pytest.raises(CommandTimeoutError):
            job.wait(timeout=0.3)
    assert "e" in shell.send("echo $-").output
    job.kill()
    assert "e" in shell.send("echo $-").output


def has_printed(job: Job) -> None:
    until(lambda: job.output)


def test_a_killed_job_is_told_as_killed_even_after_ctrl_c(shell: Session) -> None:
    with pytest.raises(CommandTimeoutError):
        shell.send("sleep 60", timeout=0.3)
    for _ in range(3):
        began = time.monotonic()
        job = shell.background("sh -c 'echo begun; exec sleep 60'")
        if shell.dialect.name == "mksh":
            # It catches SIGTERM, so one between its fork and what it starts there is lost (R59).
            has_printed(job)
        code = job.kill().exit_code
        # A subshell of ksh93 may cut its 271 to a byte.
        assert code in ((271, 15) if shell.dialect.name == "ksh93" else (143,))
        assert time.monotonic() - began < 2


def test_set_e_holds_in_a_job(shell: Session) -> None:
    shell.send("set -e")
    assert shell.background("echo a; false; echo b").wait(timeout=20).raw == b"a\n"
    assert shell.send("echo still here").raw == b"still here\n"
    shell.send("set +e")
    assert shell.background("echo a; false; echo b").wait(timeout=20).raw == b"a\nb\n"


def test_a_trace_in_the_shell_shows_nothing_of_ours(shell: Session) -> None:
    shell.send("set -x")
    job = shell.background("echo a")
    result = job.wait(timeout=20)
    assert b"__sb" not in result.raw
    assert result.raw.endswith(b"a\n")
    assert shell.send("echo b").raw.count(b"\n") == 2


def test_a_directory_that_is_gone_is_no_obstacle(shell: Session, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    shell.send("cd gone; rmdir ../gone")
    assert shell.background("echo a; exit 2").wait(timeout=20).raw == b"a\n"


@pytest.mark.parametrize("place", ["a b", "quote's", 'two"quotes', "$HOME", "-n", "nl\nnl", "*"])
def test_any_directory_is_good_for_output(place: str, name: str, tmp_path: Path) -> None:
    directory = tmp_path / place
    directory.mkdir()
    for told in (str(directory), place):
        with Session(name, cwd=tmp_path, environment={"TMPDIR": told}) as session:
            job = session.background("echo a; sleep 0.1; exit 4")
            session.send("cd /")
            assert (job.wait(timeout=20).raw, job.exit_code) == (b"a\n", 4)
            session.send(["cd", str(tmp_path)])
            session.background("sleep 60")
        assert list(directory.iterdir()) == []


@pytest.mark.parametrize("place", ["missing", "file/below", "/proc"])
def test_no_room_is_told_and_nothing_started(place: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Session(name, cwd=tmp_path, environment={"TMPDIR": str(tmp_path / place)}) as session:
        for _ in range(2):
            with pytest.raises(SessionError, match="no room for the output") as caught:
                session.background("touch started")
            assert "annot create" in str(caught.value)
        in_step(session)
        assert session.wait_all() == []
        assert session.send("ls").raw == b"file\n"
        session.send("TMPDIR=/tmp")
        assert session.background("echo a").wait(timeout=20).raw == b"a\n"


def test_a_job_that_reads_the_terminal_is_told_of_soon(shell: Session) -> None:
    job = shell.background("read x </dev/tty; echo $?")
    started = time.monotonic()
    if shell.dialect.name == "mksh":
        # Its jobs have no parent in the session, so that the kernel hangs up on what it would stop.
        job.wait(timeout=4)
    else:
        # ash waits in poll, and is not always stopped for it.
        kinds = (shellbot.CommandWaitingError, CommandTimeoutError)
        told = kinds if shell.dialect.name == "ash" else kinds[:1]
        with pytest.raises(told):
            job.wait(timeout=4)
        job.kill()
    assert time.monotonic() - started < 6
    in_step(shell)


# The end


def test_nothing_is_left_by_a_close_while_jobs_run(
    shell: Session, kept: Path, tmp_path: Path
) -> None:
    jobs = [shell.background(f"sh -c 'echo $$ >pid{n}; sleep 60' | cat") for n in range(3)]
    stubborn = shell.background("trap '' TERM HUP; sh -c 'sleep 60'; sleep 60")
    until(lambda: all((tmp_path / f"pid{n}").exists() for n in range(3)))
    started = time.monotonic()
    shell.close()
    assert time.monotonic() - started < 2.5
    for job in (*jobs, stubborn):
        until(lambda job=job: not is_there(job.pid), 3)
    until(lambda: list(kept.iterdir()) == [], 3)
    with pytest.raises(shellbot.SessionClosedError):
        jobs[0].poll()


def test_a_job_goes_with_its_shell(shell: Session, kept: Path) -> None:
    job = shell.background("sleep 60")
    ends = shell.background("sleep 0.5; echo a")
    with pytest.raises(LevelLostError):
        shell.send("exit 3")
    with pytest.raises(LevelLostError):
        job.wait(timeout=5)
    shell.close()
    until(lambda: not is_there(job.pid), 5)
    until(lambda: not is_there(ends.pid), 5)
    until(lambda: list(kept.iterdir()) == [], 5)


def test_a_new_shell_can_have_jobs(name: str, tmp_path: Path) -> None:
    with Session(name, cwd=tmp_path, restart=True) as session:
        assert session.background("echo a; exit 3").wait(timeout=20).exit_code == 3
        old = session.background("sleep 60")
        with pytest.raises(LevelLostError):
            session.send("exit 3")
        with pytest.raises(LevelLostError):
            old.wait(timeout=5)
        assert session.background("pwd").wait(timeout=20).output == f"{tmp_path}\n"
        new = session.background("echo b; exit 4")
        assert new.wait(timeout=20).raw == b"b\n"
        with pytest.raises(LevelLostError):
            old.poll()


def test_a_new_shell_can_wait_for_all_its_jobs(tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path, restart=True) as session:
        session.background("sleep 60")
        with pytest.raises(LevelLostError):
            session.send("exit 3")
        session.background("exit 4")
        with pytest.raises(LevelLostError):
            session.wait_all(timeout=20)


# Limits and checks


def test_a_limit_stops_the_waiting_and_not_the_job(shell: Session) -> None:
    job = shell.background("echo a; until [ -e go ]; do sleep 0.02; done; exit 4", timeout=0.3)
    with pytest.raises(CommandTimeoutError) as caught:
        job.wait()
    assert caught.value.partial == b"a\n"
    assert "the job goes on" in str(caught.value)
    with pytest.raises(CommandTimeoutError):
        shell.wait_all(timeout=0.2)
    shell.send("touch go")
    with pytest.raises(CommandError) as failed:
        job.wait(timeout=20, check=True)
    assert failed.value.result.raw == b"a\n"
    assert job.wait(check=4).exit_code == 4


def test_a_limit_for_all_is_for_all_together(bash: Session) -> None:
    jobs = [bash.background("sleep 60") for _ in range(3)]
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError):
        bash.wait_all(timeout=0.5)
    assert time.monotonic() - started < 3
    assert [job.poll() for job in jobs] == [None] * 3


def test_an_impatient_user_can_stop_waiting(shell: Session) -> None:
    job = shell.background(CATCHES)
    until(lambda: job.output == "ready\n")
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.4, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        job.wait(timeout=20)
    timer.join()
    in_step(shell)
    assert job.output == "ready\n"
    job.kill(grace=0.1)


def test_jobs_can_be_asked_after_from_any_thread(shell: Session) -> None:
    jobs: list[Job] = [shell.background(f"echo {n}; exit {n}") for n in range(6)]
    errors: list[BaseException] = []
    told: dict[int, object] = {}

    def ask(n: int) -> None:
        try:
            while n not in told:
                try:
                    told[n] = (jobs[n].wait(timeout=20).raw, jobs[n].exit_code)
                except shellbot.SessionBusyError:
                    time.sleep(0.001)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(n % 6,)) for n in range(2 * 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert told == {n: (b"%d\n" % n, n) for n in range(6)}
    in_step(shell)


@pytest.mark.parametrize("command", ["echo 'a", "if true", "cat <<E", "echo )", "echo \\"])
def test_what_cannot_be_parsed_fails_and_hurts_nobody(
    command: str, shell: Session, kept: Path
) -> None:
    job = shell.background(command)
    job.wait(timeout=20)
    in_step(shell)
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize("bad", [-5, b"ls", [], ["a", 1], True])
def test_what_is_no_command_is_refused(bad: object, bash: Session) -> None:
    with pytest.raises(shellbot.UsageError):
        bash.background(bad)  # type: ignore[arg-type]
    with pytest.raises(shellbot.UsageError):
        bash.background("ls", timeout=bad)  # type: ignore[arg-type]
    in_step(bash)


def test_the_jobs_of_a_lost_shell_are_told_of_once(bash: Session) -> None:
    bash.background("sleep 60")
    with pytest.raises(LevelLostError):
        bash.send("kill -9 $$")
    with pytest.raises(LevelLostError):
        bash.wait_all()
    assert bash.wait_all() == []


def test_a_job_belongs_to_the_shell_that_it_was_started_in(bash: Session) -> None:
    outside = bash.background("sleep 0.2; echo outside; exit 3")
    with bash.login("bash"):
        inside = bash.background("sleep 61 & echo $!; wait")
        with pytest.raises(shellbot.SessionBusyError, match="log out first"):
            outside.poll()
        assert bash.send("echo in step").raw == b"in step\n"
        while not inside.output:
            bash.send("sleep 0.05")
        pid = int(inside.output)
    assert outside.wait(timeout=20).exit_code == 3
    assert outside.output == "outside\n"
    assert bash.wait_all() == []
    until(lambda: not is_there(pid))
