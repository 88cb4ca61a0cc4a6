"""A machine to install things on and to log in to, made for one test and gone after it.

It is this one, but what is written to /etc, /usr, /var and /run goes with the test.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

THROW_AWAY = """#!/bin/sh
set -e
mount -t tmpfs none /mnt
for part in etc usr var; do
    mkdir -p /mnt/$part/upper /mnt/$part/work
    mount -t overlay -o lowerdir=/$part,upperdir=/mnt/$part/upper,workdir=/mnt/$part/work \\
        none /$part
done
mount -t tmpfs none /run
mkdir -p /run/sshd /run/vsftpd/empty /run/lock
useradd --create-home --home-dir /mnt/tester --shell /bin/bash tester
echo tester:Op3n-it! | chpasswd
echo "PS1='tester$ '" >>/mnt/tester/.bashrc
echo ready
exec sleep infinity
"""
PASSWORD = "Op3n-it!"
SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {key}
PidFile none
UsePAM no
PasswordAuthentication yes
KbdInteractiveAuthentication no
LogLevel DEBUG
"""
VSFTPD = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
local_root={root}
pam_service_name=vsftpd
secure_chroot_dir=/run/vsftpd/empty
seccomp_sandbox=NO
log_ftp_protocol=YES
xferlog_enable=YES
xferlog_std_format=NO
vsftpd_log_file={log}
"""


class Machine:
    """Where commands run as on this machine, on files of their own."""

    def __init__(self, pid: int) -> None:
        self.enter = ("nsenter", "-t", str(pid), "-m", "--wd=/")
        self.pid = pid
        """The process that keeps it."""

    def on(self, command: str) -> str:
        """Turn a simple command into one that runs there."""
        return f"env -u DEBIAN_FRONTEND {' '.join(self.enter)} {command}"

    def told(self, script: str) -> str:
        """What a script prints there, in a process of its own, where nobody answers anything."""
        done = subprocess.run(
            [*self.enter, "sh", "-c", script],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextlib.contextmanager
    def serving(self, command: list[str], port: int) -> Iterator[None]:
        """Have a server run there until it is no longer needed."""
        server = subprocess.Popen([*self.enter, *command], stdin=subprocess.DEVNULL)
        try:
            until(lambda: server.poll() is not None or answers(port))
            assert server.poll() is None, f"{command} has ended with {server.returncode}"
            yield
        finally:
            server.terminate()
            server.wait()

    @contextlib.contextmanager
    def serving_each(self, command: list[str]) -> Iterator[int]:
        """Have a program run there for each connection to the port, as inetd does."""
        started: list[subprocess.Popen[bytes]] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        client, _ = listener.accept()
                        with client:
                            started.append(
                                subprocess.Popen(
                                    [*self.enter, *command], stdin=client, stdout=client
                                )
                            )

            thread = threading.Thread(target=serve)
            thread.start()
            try:
                yield listener.getsockname()[1]
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()
                for server in started:
                    server.terminate()
                    server.wait()


def until(condition: Callable[[], object], limit: float = 20.0) -> None:
    """Wait for what happens elsewhere."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def thrown_away(directory: Path) -> Iterator[Machine]:
    """A machine that is gone afterwards, with a user "tester"."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    script = directory / "throw-away"
    script.write_text(THROW_AWAY)
    script.chmod(0o755)
    holder = subprocess.Popen(
        ["unshare", "-m", str(script)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    with holder.stdout:
        try:
            assert holder.stdout.readline() == b"ready\n"
            yield Machine(holder.pid)
        finally:
            holder.terminate()
            holder.wait()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine of the test's own."""
    with thrown_away(tmp_path) as machine:
        yield machine


class Host:
    """A server that asks for a password."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log_file = log

    @property
    def log(self) -> str:
        """What the server has logged until now."""
        return self.log_file.read_text(errors="replace")


@pytest.fixture
def ssh_host(machine: Machine, tmp_path: Path, need: Callable[[str], None]) -> Iterator[Host]:
    """An OpenSSH server with a host key that nobody has seen."""
    need("ssh")
    need("sshd")
    host = Host(free_port(), tmp_path / "sshd.log")
    key, configuration = tmp_path / "host_key", tmp_path / "sshd_config"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    configuration.write_text(SSHD.format(port=host.port, key=key))
    command = ["/usr/sbin/sshd", "-D", "-f", str(configuration), "-E", str(tmp_path / "sshd.log")]
    with machine.serving(command, host.port):
        yield host


@pytest.fixture
def ftp_host(machine: Machine, tmp_path: Path, need: Callable[[str], None]) -> Iterator[Host]:
    """An FTP server, whose only file is "offered"."""
    need("ftp")
    need("vsftpd")
    root = tmp_path / "served"
    root.mkdir()
    (root / "offered").write_text("what the server has\n")
    for directory in (root, *list(root.parents)[:-1]):
        directory.chmod(directory.stat().st_mode | 0o755)
    host = Host(free_port(), tmp_path / "vsftpd.log")
    configuration = tmp_path / "vsftpd.conf"
    configuration.write_text(VSFTPD.format(port=host.port, root=root, log=tmp_path / "vsftpd.log"))
    with machine.serving(["vsftpd", str(configuration)], host.port):
        yield host


@pytest.fixture
def telnet_port(machine: Machine, need: Callable[[str], None]) -> Iterator[int]:
    """The port of a telnet server."""
    need("telnet")
    need("telnetd")
    with machine.serving_each(["telnetd"]) as port:
        yield port
