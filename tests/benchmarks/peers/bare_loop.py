"""The physical limit: bash on a terminal, one write, and reads until an end mark.

The frame is the least that a caller would write: the command, a newline, and a `printf` of a mark
with the status in it. Nothing here keeps it right: output that looks like the mark ends a command
too early, a command that is not complete hangs, and whatever a command does to its shell stays.
"""

from __future__ import annotations

import os
import select
import signal
import statistics
import subprocess
import termios
import time

from . import Answer, Place, TimedOut

requirements: list[str] = []
imports = "import os, select, termios"
places = ["here", "ssh"]
keeps_state = True
NOT_OFFERED: dict[str, str] = {}
AHEAD: dict[str, str] = {}  # it is not compared with: it is the limit

BASH = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
END = b"\036\n"


class Peer:
    """The loop itself."""

    def __init__(self, place: Place) -> None:
        self.master, slave = os.openpty()
        arguments = BASH
        if place.kind == "ssh":
            arguments = ["ssh", *place.ssh, "-tt", place.host, " ".join(BASH)]
        # No echo, no \r, and no line buffer, which would cut a line at 4,095 bytes. ssh makes its
        # own terminal raw, and the far one a copy of what this one was.
        quiet(slave)
        self.pid = spawn(arguments, slave, {**os.environ, "PS1": "", "PS2": ""})
        self._ready = select.poll()
        self._ready.register(self.master, select.POLLIN)
        # The first command is quiet only from here on, as bash over ssh has its own prompt.
        os.write(self.master, b"PS1= PS2=; printf '\\036%s\\036\\n' ready\n")
        self._until(b"\036ready" + END, 30)

    def run(self, command: str, timeout: float | None) -> Answer:
        frame = command.encode("utf-8", "surrogateescape") + b"\nprintf '\\036%d\\036\\n' $?\n"
        while frame:
            frame = frame[os.write(self.master, frame) :]
        pieces = self._until(END, timeout)
        # The status is in the last bytes, whichever pieces those came in.
        while len(pieces) > 1 and pieces[-1].rfind(b"\036", 0, -len(END)) < 0:
            pieces[-2:] = [pieces[-2] + pieces[-1]]
        pieces[-1], status = pieces[-1][: -len(END)].rsplit(b"\036", 1)
        return Answer(b"".join(pieces), status=int(status))

    def recover(self) -> None:
        os.write(self.master, b"\x03")
        # An interrupted line is dropped with what was typed behind it: ask afresh.
        os.write(self.master, b"\nprintf '\\036%s\\036\\n' again\n")
        self._until(b"\036again" + END, 10)

    def close(self) -> None:
        os.close(self.master)
        os.waitpid(self.pid, 0)

    def _until(self, end: bytes, timeout: float | None) -> list[bytes]:
        pieces: list[bytes] = []
        window = b""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not window.endswith(end):
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0 or not self._ready.poll(left * 1000):
                    raise TimedOut
            piece = os.read(self.master, 65_536)
            pieces.append(piece)
            window = (window + piece)[-len(end) :]
        return pieces


def quiet(terminal: int) -> None:
    """Have a terminal neither echo nor change what goes through it."""
    mode = termios.tcgetattr(terminal)
    mode[0] &= ~(termios.ICRNL | termios.IXON)
    mode[1] &= ~termios.OPOST
    mode[3] &= ~(termios.ECHO | termios.ICANON)
    mode[6][termios.VMIN] = 1
    mode[6][termios.VTIME] = 0
    termios.tcsetattr(terminal, termios.TCSANOW, mode)


def spawn(arguments: list[str], terminal: int, environment: dict[str, str]) -> int:
    """Start a program with that terminal as its own, which is then closed here."""
    name = os.ttyname(terminal)
    # Opened in the new session, which makes it the one that Ctrl-C comes from.
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    ]
    pid = os.posix_spawnp(
        arguments[0],
        arguments,
        environment,
        file_actions=actions,
        setsid=True,
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them
    )
    os.close(terminal)
    return pid


def own(place: Place) -> dict[str, float]:
    """What starting a shell, and logging in, take at least."""
    command = ["ssh", *place.ssh, "-tt", place.host, "true"]

    def log_in() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        return time.perf_counter() - started

    return {
        "ssh -tt with true, s": statistics.median(log_in() for _ in range(5)),
        "spawn bash, first answer, s": statistics.median(spawn_and_answer() for _ in range(15)),
    }


def spawn_and_answer() -> float:
    """Seconds to spawn a bash that reads no files, and read its first answer."""
    started = time.perf_counter()
    master, slave = os.openpty()
    pid = spawn(BASH, slave, dict(os.environ))
    os.write(master, b"echo rea''dy\n")
    answer = b""
    while b"ready\r\n" not in answer:
        answer += os.read(master, 65_536)
    seconds = time.perf_counter() - started
    os.close(master)
    os.waitpid(pid, 0)
    return seconds
