"""A level that is lost is noticed and named, and nothing that was meant for it runs elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.machines import free_port, until
from logins.far import ALIVE, Far, hang_up, linked

import shellbot
from shellbot import (
    Answer,
    CommandTimeoutError,
    Key,
    LevelLostError,
    LoginError,
    Session,
    UsageError,
)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session that has something to lose."""
    with shellbot.bash(cwd=tmp_path) as session:
        session.send("export kept='from before'; cd /usr")
        yield session


def outside(session: Session) -> None:
    """The session's own shell is as it was, and exact."""
    assert (session.where.depth, len(session.levels)) == (0, 1)
    assert session.send('echo "$kept $PWD"', timeout=5).raw == b"from before /usr\n"
    assert session.send("printf 'a\\tb\\n'; (exit 3)", check=3, timeout=5).raw == b"a\tb\n"
    assert session.send("echo $?", timeout=5).raw == b"3\n"
    assert session.send("cat", input="x\n", timeout=5).raw == b"x\n"


def client(pid: int, name: str = "ssh") -> int:
    """The relay that a shell has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [int(one) for one in children if Path(f"/proc/{one}/comm").read_text() == f"{name}\n"]
    return found[-1]


# From inside


ENDS = {
    "exit 3": 3,
    "kill -9 $$": (137, 255),
    "exec true": 0,
    "set -e; false": 1,
    "exec sh -c 'exit 4'": 4,
}


@pytest.mark.parametrize("command", ENDS)
@pytest.mark.parametrize("way", ["ssh", "su", "ssh and su"])
def test_a_command_that_ends_the_level(command: str, way: str, far: Far, session: Session) -> None:
    if "ssh" in way:
        session.login(far.way())
    if "su" in way:
        session.su("root")
    lost = session.where
    with pytest.raises(LevelLostError) as caught:
        session.send(command, timeout=20)
    assert caught.value.levels == (lost,)
    assert caught.value.exit_code in (
        ENDS[command] if isinstance(ENDS[command], tuple) else (ENDS[command],)
    )
    assert caught.value.where == session.where
    assert session.where.depth == lost.depth - 1
    assert session.send("printf 'a\\tb\\n'; (exit 3)", check=3, timeout=5).raw == b"a\tb\n"
    session.logout_all()
    outside(session)


# From outside


def test_ssh_is_killed_while_a_command_runs(far: Far, session: Session) -> None:
    session.login(far.way())
    session.su("root")
    lost = session.levels[1:]
    killer = threading.Timer(0.3, os.kill, (client(session.terminal.pid), signal.SIGKILL))
    killer.start()
    with pytest.raises(LevelLostError) as caught:
        session.send("echo begun; sleep 60", timeout=20)
    killer.join()
    assert (caught.value.levels, caught.value.exit_code) == (lost, 137)
    # What the outer shell says of it cannot be told apart.
    assert caught.value.partial.startswith(b"begun\n")
    outside(session)


# Each is given what leaves a mark if it runs anywhere but where the session is logged in to.
Meant = Callable[[Session, str], object]


def by_hand(session: Session, mark: str) -> None:
    session.type(mark, Key.ENTER)
    session.send("true")


def in_a_program(session: Session, mark: str) -> None:
    with session.program("bash --norc", prompt=r"[$#] $") as inner:
        inner.send(mark)
        inner.send(mark)


def answering(session: Session, mark: str) -> None:
    answers = [Answer("Go on", mark)]
    session.send(f"{mark}; read -p 'Go on?' x; {mark}", answers=answers)


MEANT: dict[str, Meant] = {
    "a command": lambda session, mark: session.send(mark),
    "several lines": lambda session, mark: session.send(f"true\n{mark}\ntrue"),
    "a function": lambda session, mark: session.send(f"f() {{ {mark}; }}; f"),
    "open-ended": lambda session, mark: session.send(f"{mark} # it's"),
    "here-document": lambda session, mark: session.send(f"{mark}; cat <<E\nx\nE"),
    "an editor": lambda session, mark: session.send(f"{mark}\nset -o vi\n{mark}"),
    "100 kB": lambda session, mark: session.send(f"{mark}; : {'x' * 100_000}; {mark}"),
    "2,000 lines": lambda session, mark: session.send(f"{mark}\n" * 2_000),
    "input": lambda session, mark: session.send(f"{mark}; sh", input=f"{mark}\n" * 3_000),
    "split": lambda session, mark: session.send(mark, stderr="split"),
    "an answer": answering,
    "a job": lambda session, mark: session.background(mark).wait(),
    "a long job": lambda session, mark: session.background(f"{mark}\n" * 500),
    "a program": in_a_program,
    "by hand": by_hand,
    "a login": lambda session, mark: session.login(f"{mark}; sh"),
}


@pytest.mark.parametrize("kind", MEANT)
def test_nothing_runs_outside_when_ssh_is_gone(
    kind: str, far: Far, session: Session, tmp_path: Path
) -> None:
    """It was killed a while ago, and nobody has read a thing since."""
    session.login(far.way())
    pid = client(session.terminal.pid)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists())
    with pytest.raises(LevelLostError):
        MEANT[kind](session, f'test -z "$kept" || touch {tmp_path}/mark')
    outside(session)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ksh93", "mksh", "ash"])
def test_nothing_runs_outside_when_ssh_goes_in_the_same_moment(
    shell: str, far: Far, tmp_path: Path, need: Callable[[str], None]
) -> None:
    """The shell has its terminal back while the command is being typed."""
    need(shell)
    mark = f'test -z "$kept" || touch {tmp_path}/mark'
    lost = 0
    kinds = [
        "a command",
        "100 kB",
        "open-ended",
        "an editor",
        "input",
        "split",
        "a job",
        "2,000 lines",
    ]
    with Session(shell, cwd=tmp_path) as session:
        session.send("export kept='from before'; cd /usr")
        # As a relay goes that is killed, only faster to start than ssh.
        for number in range(40):
            kind = kinds[number % len(kinds)]
            session.login(f"script -qc '{shell_of(shell)}' /dev/null", shell=shell)
            relay = client(session.terminal.pid, "script")
            delay = (number // len(kinds)) * 0.0004
            killer = threading.Thread(target=kill_after, args=(relay, delay))
            killer.start()
            with contextlib.suppress(LevelLostError):
                for _ in range(100):
                    MEANT[kind](session, mark.replace("$kept", "${kept#x}"))
            killer.join()
            assert session.where.depth == 0
            lost += 1
            outside(session)
        assert not (tmp_path / "mark").exists()
        assert lost == 40


# It is gone as soon as it has read so much, and leaves the rest where it is.
CUT = """
import os, pty, select, sys, termios, tty
pid, shell = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
modes, left = termios.tcgetattr(0), None
tty.setraw(0)
while True:
    ready, _, _ = select.select([0, shell], [], [])
    if shell in ready:
        try:
            os.write(1, os.read(shell, 4096))
        except OSError:
            break
    if 0 in ready:
        keys = os.read(0, 100)
        if left is None and os.path.exists(sys.argv[1]):
            left = int(open(sys.argv[1]).read())
        if left is not None:
            left -= len(keys)
            if left <= 0:
                os._exit(1)
        os.write(shell, keys)
termios.tcsetattr(0, termios.TCSANOW, modes)
"""


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ksh93", "mksh", "ash"])
def test_the_rest_of_what_was_typed_is_not_run_outside(
    shell: str, tmp_path: Path, need: Callable[[str], None]
) -> None:
    """The relay has taken the first part of it."""
    need(shell)
    relay, cut = tmp_path / "relay.py", tmp_path / "cut"
    relay.write_text(CUT)
    mark = f'test -z "${{kept#x}}" || touch {tmp_path}/mark'
    with Session(shell, cwd=tmp_path) as session:
        session.send("export kept='from before'; cd /usr")
        for kind in ("2,000 lines", "100 kB", "input", "a long job"):
            for length in (300, 5_000):
                inner = shell_of(shell)
                session.login(f"{sys.executable} {relay} {cut} {inner}", shell=shell)
                cut.write_text(str(length))
                with pytest.raises(LevelLostError):
                    MEANT[kind](session, mark)
                cut.unlink()
                outside(session)
                assert not (tmp_path / "mark").exists(), (kind, length)


def shell_of(name: str) -> str:
    return "env -u kept " + ("busybox ash" if name == "ash" else name)


def kill_after(pid: int, delay: float) -> None:
    started = time.monotonic()
    while time.monotonic() < started + delay:
        pass
    os.kill(pid, signal.SIGKILL)


def test_a_program_is_lost_with_its_level(far: Far, session: Session) -> None:
    session.login(far.way())
    inner = session.program("bash --norc", prompt=r"[$#] $")
    assert "1" in inner.send_and_get_output("echo 1")
    pid = client(session.terminal.pid)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists())
    with pytest.raises(LevelLostError):
        inner.send("true")
    outside(session)


# The link


def test_the_server_goes_and_all_levels_with_it(far: Far, session: Session) -> None:
    port = free_port()
    with far.serving(port) as server:
        session.login(far.way(port))
        session.su("root")
        session.login(far.way(port))
        lost = session.levels[1:]
        killer = threading.Timer(0.3, hang_up, (server,))
        killer.start()
        with pytest.raises(LevelLostError) as caught:
            session.send("sleep 60", timeout=20)
        killer.join()
    assert (caught.value.levels, caught.value.exit_code) == (lost, 255)
    outside(session)


@pytest.mark.parametrize("when", ["while a command runs", "between two"])
@pytest.mark.parametrize("hop", ["the outer one", "the one in the middle"])
def test_a_link_is_cut_silently(when: str, hop: str, far: Far, session: Session) -> None:
    with linked(far.port) as link:
        if hop == "the one in the middle":
            session.login(far.way())
        stays = session.levels
        session.login(far.way(link.port, **ALIVE))
        session.su("root")
        lost = session.levels[len(stays) :]
        if when == "between two":
            link.cut()
        killer = threading.Timer(0.3, link.cut)
        killer.start()
        started = time.monotonic()
        with pytest.raises(LevelLostError) as caught:
            session.send("sleep 60; echo done", timeout=20)
        took = time.monotonic() - started
        killer.join()
        assert (caught.value.levels, caught.value.exit_code) == (lost, 255)
        assert session.levels == stays
        assert took < 0.3 + 2 + 1
        assert session.send("printf 'a\\tb\\n'; (exit 3)", check=3, timeout=5).raw == b"a\tb\n"
        session.logout_all()
    outside(session)


# On purpose, and again


def test_a_command_that_cuts_the_link_on_purpose(far: Far, session: Session) -> None:
    session.login(far.way())
    result = session.send("kill -9 $PPID", expect_disconnect=True, timeout=20)
    assert (result.exit_code, result.where.depth) == (255, 1)
    outside(session)


def test_a_command_that_has_ended_before_the_link_goes(far: Far, session: Session) -> None:
    session.login(far.way())
    later = "(sleep 0.5; kill -9 $PPID) >/dev/null 2>&1 & echo soon"
    result = session.send(later, expect_disconnect=True, timeout=20)
    assert result.duration >= 0.5
    assert result.exit_code == 255
    assert result.raw.endswith(b"soon\n")
    outside(session)


def test_a_link_that_stays_is_a_time_out(far: Far, session: Session) -> None:
    session.login(far.way())
    with pytest.raises(CommandTimeoutError) as caught:
        session.send("echo here", expect_disconnect=True, timeout=0.5)
    assert caught.value.partial == b"here\n"
    assert 0.5 <= caught.value.waited < 1
    assert session.where.depth == 1
    assert session.send("echo still here").raw == b"still here\n"


def test_all_levels_come_back_when_the_server_does(far: Far, session: Session) -> None:
    port = free_port()
    with far.serving(port) as server:
        session.login(far.way(port))
        session.su("tester")
        before = session.levels
        hang_up(server)
    with pytest.raises(LevelLostError) as caught:
        session.send("sleep 5", timeout=20)
    assert caught.value.levels == before[1:]
    outside(session)
    with pytest.raises(LoginError) as failed:
        session.reconnect(wait=0.5, every=0.2)
    assert failed.value.reason == "refused"
    outside(session)
    up = threading.Event()

    def come_back() -> None:
        with far.serving(port):
            up.wait(20)

    server = threading.Timer(1.0, come_back)
    server.start()
    try:
        started = time.monotonic()
        where = session.reconnect(wait=20, every=0.2)
        assert 1 <= time.monotonic() - started < 20
        assert session.levels == before
        assert where == before[-1]
        assert session.send_and_get_output("id -un") == "tester"
        with pytest.raises(UsageError):
            session.reconnect(wait=5)
        session.logout_all()
    finally:
        up.set()
        server.join()
    outside(session)


def test_nothing_to_reconnect_to(session: Session) -> None:
    with pytest.raises(UsageError, match="no level was lost"):
        session.reconnect(wait=5)
    with session.su("root"), pytest.raises(UsageError):
        session.reconnect(wait=5)
    outside(session)


def test_a_session_that_restarts_has_no_logins_then(far: Far, tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path, restart=True) as session:
        session.send("export kept='from before'; cd /usr")
        session.login(far.way())
        session.send("cd /")
        with pytest.raises(LevelLostError):
            session.send("exit 3")
        outside(session)
        session.login(far.way())
        os.kill(session.terminal.pid, signal.SIGKILL)
        with pytest.raises(LevelLostError):
            session.send("sleep 60", timeout=20)
        outside(session)


@pytest.mark.parametrize("innermost", ["bash --norc", "dash", "zsh -f"])
def test_one_in_between_is_killed(
    session: Session, need: Callable[[str], None], innermost: str
) -> None:
    """Those further in that have lost it would read what is meant for the shell outside."""
    need(innermost.split()[0])
    session.login("bash --norc")
    between = int(session.send_and_get_output("echo $$"))
    session.login("dash")
    pids = [int(session.send_and_get_output("echo $$"))]
    session.login(innermost)
    pids.append(int(session.send_and_get_output("echo $$")))
    os.kill(between, signal.SIGKILL)
    until(lambda: foreground(session.terminal.pid) == session.terminal.pid)
    with pytest.raises(LevelLostError) as caught:
        session.send("echo further in", timeout=5)
    assert [where.depth for where in caught.value.levels] == [1, 2, 3]
    outside(session)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def foreground(pid: int) -> int:
    """The foreground process group of a process's terminal (proc(5), stat, field 8)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[5])


def test_close_leaves_nothing_on_the_far_side(far: Far, tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path) as session:
        session.login(far.way())
        session.su("root")
        pids = session.send_and_get_output("sleep 4711 & echo $$ $PPID").split()
        job = session.background("sleep 4712")
        assert job.is_running
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 5)
    assert all(isinstance(one, str) for one in pids)
