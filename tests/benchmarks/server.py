"""What the peers log in to: a real sshd on loopback, and a line to it that is slow."""

from __future__ import annotations

import contextlib
import getpass
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from peers import Place

HOST = "127.0.0.1"
# A directory for each connection, by its port, as commands make and remove files where they are.
PROFILE = """\
here=${SSH_CLIENT#* }; here=$HOME/${here% *}
cd "$here" 2>/dev/null || { mkdir "$here"; cd "$here"; }
unset here
"""


@contextlib.contextmanager
def serving(directory: Path, mark: str) -> Iterator[Place]:
    """An sshd with its keys in *directory*, and *mark* (NAME=VALUE) in what it starts."""
    directory.chmod(0o755)
    for key in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / key]
        subprocess.run(command, check=True)
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    configuration = directory / "sshd_config"
    configuration.write_text(
        f"ListenAddress {HOST}:{port}\nHostKey {directory}/host\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {directory}/user.pub\nStrictModes no\nPermitRootLogin yes\n"
        # Hundreds of logins are under way at once, some with many commands each.
        "MaxStartups 1000\nMaxSessions 1000\n"
        # A login shell's own files take what they take: these are quick ones.
        "PrintMotd no\nPrintLastLog no\n"
        f"SetEnv HOME={directory} TERM=xterm LANG=C.UTF-8 {mark}\n"
    )
    for name in (".bashrc", ".bash_profile"):
        (directory / name).write_text(PROFILE)
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    server = subprocess.Popen(
        [program, "-D", "-e", "-f", configuration],
        stderr=subprocess.DEVNULL,
    )
    try:
        place = Place(
            kind="ssh",
            host=HOST,
            port=port,
            key=str(directory / "user"),
            known_hosts=str(directory / "known_hosts"),
            user=getpass.getuser(),
        )
        trust(place)
        _answers(place, server)
        yield place
    finally:
        server.terminate()
        server.wait()


def trust(place: Place) -> None:
    """Have the server's key known for the port of *place*."""
    host_key = Path(place.key).with_name("host.pub").read_text()
    with open(place.known_hosts, "a") as known:
        known.write(f"[{place.host}]:{place.port} {host_key}")


def _answers(place: Place, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((place.host, place.port), timeout=10).close()
            return
        time.sleep(0.01)
    raise RuntimeError("sshd did not start")


class Relay:
    """A line to a server that takes *delay* seconds each way, however much goes through it.

    It counts its turns: how often the client spoke again after the server had spoken. Whoever
    connects to the port *told* is told how many those are by now.
    """

    def __init__(self, place: Place, delay: float) -> None:
        self._target = (place.host, place.port)
        self._delay = delay
        self._lock = threading.Lock()
        self._server_spoke = False
        self.turns = 0
        self._sockets = [socket.create_server((HOST, 0)), socket.create_server((HOST, 0))]
        line, told = self._sockets
        self.place = replace(place, port=line.getsockname()[1])
        self.told = int(told.getsockname()[1])
        trust(self.place)
        self._start(self._accept, line, self._connect)
        self._start(self._accept, told, self._tell)

    def close(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    @staticmethod
    def _start(work: object, *arguments: object) -> None:
        assert callable(work)
        threading.Thread(target=work, args=arguments, daemon=True).start()

    def _accept(self, listening: socket.socket, handle: object) -> None:
        assert callable(handle)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            handle(connection)

    def _tell(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(str(self.turns).encode())

    def _connect(self, client: socket.socket) -> None:
        server = socket.create_connection(self._target)
        self._sockets += [client, server]
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pump(client, server, from_server=False)
        self._pump(server, client, from_server=True)

    def _pump(self, source: socket.socket, target: socket.socket, *, from_server: bool) -> None:
        under_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

        def take() -> None:
            piece = b"more"
            while piece:
                try:
                    piece = source.recv(65_536)
                except OSError:
                    piece = b""
                if piece:
                    self._count(from_server)
                under_way.put((time.monotonic() + self._delay, piece))

        def give() -> None:
            piece = b"more"
            while piece:
                due, piece = under_way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                with contextlib.suppress(OSError):
                    if piece:
                        target.sendall(piece)
                    else:
                        target.shutdown(socket.SHUT_WR)

        self._start(take)
        self._start(give)

    def _count(self, from_server: bool) -> None:
        with self._lock:
            if self._server_spoke and not from_server:
                self.turns += 1
            self._server_spoke = from_server


def turns(told: int) -> int:
    """How many turns the relay that tells it at that port has counted by now."""
    with socket.create_connection((HOST, told), timeout=10) as connection:
        return int(connection.makefile().read())
