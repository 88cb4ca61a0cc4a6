"""An OpenSSH server that lets in whoever has the key, and links to it that can be slow or cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from dialogues.machines import THROW_AWAY, Machine, answers, free_port, until

from shellbot.logins import Way, ssh

SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {place}/host_key
AuthorizedKeysFile {place}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
MaxStartups 100
MaxSessions 100
"""
# A link that is cut is noticed after two seconds.
ALIVE = {"ServerAliveInterval": 1, "ServerAliveCountMax": 1}


class Far:
    """The server, and how to come to it."""

    def __init__(self, machine: Machine, place: Path) -> None:
        self.machine = machine
        self.place = place
        self.port = free_port()
        for name in ("host_key", "key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True
            )
        shutil.copy(place / "key.pub", place / "authorized_keys")
        # Every user may log in, and so may those who are there already.
        for directory in (place, *list(place.parents)[:-1]):
            directory.chmod(directory.stat().st_mode | 0o755)

    @contextlib.contextmanager
    def serving(self, port: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Have a server run there, and end it with the logins to it."""
        port = port or self.port
        configuration = self.place / f"sshd_config.{port}"
        configuration.write_text(SSHD.format(port=port, place=self.place))
        command = ["/usr/sbin/sshd", "-D", "-f", str(configuration), "-E", "/dev/null"]
        server = subprocess.Popen(
            ["nsenter", "-t", str(self.machine.pid), "-m", "--wd=/", *command],
            stdin=subprocess.DEVNULL,
        )
        try:
            until(lambda: server.poll() is not None or answers(port))
            assert server.poll() is None, f"sshd has ended with {server.returncode}"
            yield server
        finally:
            server.terminate()
            server.wait()

    def way(
        self,
        port: int | None = None,
        *,
        user: str = "root",
        shell: str | None = None,
        **more: object,
    ) -> Way:
        """Log in over that *port*, which may be a relay's."""
        return ssh(
            "127.0.0.1",
            user=user,
            port=port or self.port,
            key=self.place / "key" if user == "root" else None,
            shell=shell,
            options={
                "UserKnownHostsFile": self.place / "known_hosts",
                "GlobalKnownHostsFile": "/dev/null",
                "IdentityAgent": "none",
                "LogLevel": "ERROR",
                **more,
            },
        )


def hang_up(server: subprocess.Popen[bytes]) -> None:
    """Kill the logins to a server, as a machine does that goes down."""
    for one in children(server.pid):
        for process in (*children(one), one):
            # Those of an earlier login may be about to end by themselves.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if Path(f"/proc/{process}/comm").read_text().startswith("sshd"):
                    os.kill(process, signal.SIGKILL)


def children(pid: int) -> list[int]:
    """Those that a process has now: none, if it has gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Link:
    """A relay to a port, with a delay each way, that can be cut without anybody's being told."""

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self._target = port
        self._delay = delay
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._start(self._accept)

    def cut(self) -> None:
        """Stop passing on anything, for good."""
        self._open.clear()

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    queue: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
                    self._start(self._take, source, queue)
                    self._start(self._give, sink, queue)

    def _take(self, source: socket.socket, queue: SimpleQueue[tuple[float, bytes]]) -> None:
        data = b"."
        while data:
            try:
                data = source.recv(65_536)
            except OSError:
                data = b""
            queue.put((time.monotonic() + self._delay, data))

    def _give(self, sink: socket.socket, queue: SimpleQueue[tuple[float, bytes]]) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = queue.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if self._open.is_set():
                    sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                if not data:
                    return


@contextlib.contextmanager
def linked(port: int, delay: float = 0.0) -> Iterator[Link]:
    link = Link(port, delay)
    try:
        yield link
    finally:
        link.close()


@contextlib.contextmanager
def far_machine(place: Path) -> Iterator[Far]:
    """A machine with a key to let people in by; servers are started when they are needed."""
    script = place / "throw-away"
    script.write_text(THROW_AWAY)
    script.chmod(0o755)
    holder = subprocess.Popen(
        ["unshare", "-m", str(script)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"ready\n"
        try:
            yield Far(Machine(holder.pid), place)
        finally:
            holder.terminate()
            holder.wait()


@pytest.fixture(scope="module")
def far(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """A far machine, and a server on it."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for program in ("ssh", "sshd", "unshare", "mount"):
        if not shutil.which(program):
            if request.config.getoption("--all-parts"):
                pytest.fail(f"{program} is not installed, and --all-parts was given")
            pytest.skip(f"needs {program}")
    with far_machine(tmp_path_factory.mktemp("far")) as found, found.serving():
        yield found
