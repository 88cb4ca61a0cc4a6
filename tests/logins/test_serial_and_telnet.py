"""Serial lines with a getty at the other end, and telnet."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import shells_below
from dialogues.machines import PASSWORD, Machine, until

import shellbot
from shellbot import CommandTimeoutError, LevelLostError, LoginError, Secret, Session

HERE = os.uname().nodename
# One line after the other, as init keeps a getty on a console.
GETTY = """#!/bin/sh
while :; do setsid -w agetty -L 115200 {line} linux; done
"""

LEADER = """#!{python}
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.wait() if os.fork() else os.execlp("{shell}", "{shell}", "-i")
"""


def in_step(session: Session) -> None:
    assert session.send("echo in step", timeout=5).raw == b"in step\n"


@pytest.fixture
def device(machine: Machine, tmp_path: Path, need: Callable[[str], None]) -> Iterator[Path]:
    """A serial line's near end. At its far end is a getty of the machine's."""
    need("socat")
    need("agetty")
    near, far = tmp_path / "near", tmp_path / "far"
    wire = subprocess.Popen(
        ["socat", f"pty,rawer,link={near}", f"pty,rawer,link={far}"], stdin=subprocess.DEVNULL
    )
    until(lambda: near.exists() and far.exists())
    script = tmp_path / "getty"
    script.write_text(GETTY.format(line=os.path.relpath(far.resolve(), "/dev")))
    script.chmod(0o755)
    getty = subprocess.Popen(
        [*machine.enter, str(script)], stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield near
    finally:
        getty.kill()
        getty.wait()
        # Whoever is on the line is hung up as it goes.
        wire.terminate()
        wire.wait()


def logged_in(session: Session) -> None:
    where = session.where
    assert (where.user, where.depth, where.shell) == ("tester", 1, "bash")
    assert session.send("id -un; echo $((6 * 7))").raw == b"tester\n42\n"


@pytest.mark.parametrize("as_command", [False, True])
def test_a_serial_line(as_command: bool, device: Path, bash: Session) -> None:
    line = f"socat -,rawer {device},rawer" if as_command else str(device)
    for _ in range(1 if as_command else 2):  # leaving logs out, so there is a getty again
        with bash.serial(line, user="tester", password=Secret(PASSWORD), timeout=30):
            logged_in(bash)
            assert bash.send("stty size").raw == b"24 80\n"
        assert bash.where.depth == 0
        in_step(bash)


def test_a_wrong_password_on_a_serial_line_is_sent_once(device: Path, bash: Session) -> None:
    started = time.monotonic()
    with pytest.raises(LoginError, match="Login incorrect") as caught:
        bash.serial(str(device), user="tester", password="wrong-one", timeout=30)
    assert caught.value.reason == "wrong_password"
    assert caught.value.partial.count(b"Password:") == 1
    assert "wrong-one" not in str(caught.value)
    assert time.monotonic() - started < 15
    in_step(bash)
    with bash.serial(str(device), user="tester", password=PASSWORD, timeout=30):
        logged_in(bash)


def test_a_serial_line_without_a_password_to_give(device: Path, bash: Session) -> None:
    started = time.monotonic()
    with pytest.raises(LoginError) as caught:
        bash.serial(str(device), user="tester", timeout=30)
    assert caught.value.reason == "no_answer"
    assert time.monotonic() - started < 15
    in_step(bash)


def test_somebody_is_logged_in_there_already(device: Path, bash: Session) -> None:
    line = os.open(device, os.O_RDWR | os.O_NOCTTY)
    said = b""
    for asked, typed in ((b"login: ", "tester"), (b"Password: ", PASSWORD), (b"$ ", "cd /tmp")):
        while not said.endswith(asked):
            said += os.read(line, 1000)
        os.write(line, f"{typed}\n".encode())
        said = b""
    while not said.endswith(b"$ "):
        said += os.read(line, 1000)
    os.close(line)
    with bash.serial(str(device), timeout=30):
        assert bash.where.user == "tester"
        assert bash.send("pwd").raw == b"/tmp\n"
    in_step(bash)


def test_closing_the_session_logs_out_of_a_serial_line(device: Path, tmp_path: Path) -> None:
    for _ in range(2):
        with shellbot.bash(cwd=tmp_path) as session:
            session.serial(str(device), user="tester", password=PASSWORD, timeout=30)
            assert session.where.user == "tester"


def test_time_outs_and_deeper_logins_on_a_serial_line(device: Path, bash: Session) -> None:
    bash.serial(str(device), user="tester", password=PASSWORD, timeout=30)
    for command in ("sleep 100", "cat", "while :; do :; done"):
        with pytest.raises(CommandTimeoutError, match=r"took Ctrl-"):
            bash.send(command, timeout=0.5)
        in_step(bash)
    with bash.su("tester", password=PASSWORD):
        assert [one.depth for one in bash.levels] == [0, 1, 2]
        in_step(bash)
    data = bytes(range(256)) * 20
    assert bash.send("cat", input=data, timeout=20).raw == data
    assert bash.send("seq 20000", timeout=20).text.split()[-1] == "20000"
    bash.logout()
    in_step(bash)


def test_a_serial_line_that_is_cut(device: Path, bash: Session) -> None:
    bash.serial(str(device), user="tester", password=PASSWORD, timeout=30)
    lost = bash.where
    relay = next(one.split()[0] for one in shells_below(bash.terminal.pid) if "socat" in one)
    with shellbot.bash() as other:
        other.background(f"sleep 0.3; kill {relay}")
        with pytest.raises(LevelLostError) as caught:
            bash.send("sleep 100", timeout=20)
    assert caught.value.levels == (lost,)
    in_step(bash)


def test_a_serial_device_that_is_not_there(
    tmp_path: Path, bash: Session, need: Callable[[str], None]
) -> None:
    need("socat")
    with pytest.raises(LoginError) as caught:
        bash.serial(str(tmp_path / "none"), timeout=20)
    assert (caught.value.reason, caught.value.exit_code) == ("unreachable", 1)
    assert "No such file" in caught.value.partial.decode()
    assert list(tmp_path.iterdir()) == []
    in_step(bash)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_ctrl_c_does_not_end_what_waits_for_the_shell(
    shell: str, tmp_path: Path, bash: Session, need: Callable[[str], None]
) -> None:
    """busybox's login leads the line's session, and waits for the shell in the same group."""
    need("socat")
    need(shell)
    leader = tmp_path / "leader"
    leader.write_text(LEADER.format(python=sys.executable, shell=shell))
    leader.chmod(0o755)
    with bash.serial(f"socat -,rawer EXEC:{leader},pty,setsid,ctty,stderr", shell=shell):
        bash.send("kept='from before'")
        for command in ("sleep 100", "cat"):
            with pytest.raises(CommandTimeoutError, match=r"took Ctrl-C\."):
                bash.send(command, timeout=0.5)
            assert bash.send('echo "$kept"').raw == b"from before\n"
    in_step(bash)


# telnet


@pytest.fixture
def command(telnet_port: int) -> str:
    return f"telnet -E 127.0.0.1 {telnet_port}"


def test_telnet(command: str, bash: Session) -> None:
    for _ in range(2):
        with bash.login(command, user="tester", password=Secret(PASSWORD), timeout=30):
            logged_in(bash)
            with pytest.raises(CommandTimeoutError):
                bash.send("sleep 100", timeout=0.5)
            in_step(bash)
        assert bash.where.depth == 0
        in_step(bash)


def test_telnet_passes_every_byte_on(command: str, bash: Session) -> None:
    with bash.login(command, user="tester", password=PASSWORD, timeout=30):
        data = bytes(range(256)) * 20
        assert bash.send("cat", input=data, timeout=20).raw == data
        result = bash.send("printf %s '\x1d\x11\xff' | od -An -tx1", timeout=20)
        assert result.text.split() == ["1d", "11", "c3", "bf"]
        assert bash.send("seq 100000 | md5sum").raw == bash_md5()
        assert bash.send("stty size").raw == b"24 80\n"


def bash_md5() -> bytes:
    return subprocess.run("seq 100000 | md5sum", shell=True, capture_output=True).stdout


def test_telnet_with_its_escape_key(telnet_port: int, bash: Session) -> None:
    command = f"telnet 127.0.0.1 {telnet_port}"
    with bash.login(command, user="tester", password=PASSWORD, timeout=30):
        data = "a\x1db\x1d\x1dc\n"
        assert bash.send("cat", input=data, timeout=20).output == data
    in_step(bash)


def test_a_wrong_password_for_telnet_is_sent_once(command: str, bash: Session) -> None:
    with pytest.raises(LoginError, match="Login incorrect") as caught:
        bash.login(command, user="tester", password="wrong-one", timeout=30)
    assert caught.value.reason == "wrong_password"
    assert caught.value.partial.count(b"Password:") == 1
    in_step(bash)


def test_leaving_telnet_by_exit(command: str, bash: Session) -> None:
    bash.login(command, user="tester", password=PASSWORD, timeout=30)
    with pytest.raises(LevelLostError) as caught:
        # What is printed right before the end, telnetd may drop (inetutils 2.4): it is seen first.
        bash.send("echo bye; read x; exit 3", answers={"bye": "leave"}, timeout=20)
    assert caught.value.partial.startswith(b"bye\n")
    in_step(bash)


def test_nobody_listens(bash: Session, need: Callable[[str], None]) -> None:
    need("telnet")
    with pytest.raises(LoginError) as caught:
        bash.login("telnet -E 127.0.0.1 9", user="tester", timeout=20)
    assert caught.value.reason == "refused"
    in_step(bash)
