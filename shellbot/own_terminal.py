"""The terminal that the calling program itself runs on, while a person works on another one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

_READ_SIZE = 65_536
_NO_SIZE = (24, 80)
# How often the size is looked at where no signal can tell of a change, in seconds.
_LOOKS_APART = 0.25
_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class OwnTerminal:
    """The caller's terminal, with each key passed on as it is; put back however the use ends.

    SIGTERM, SIGHUP and SIGQUIT, where nothing else was set up for them, first put it back.
    Outside the main thread no signal can be caught: there a signal that kills leaves it as it is,
    and a change of size is noticed within a quarter of a second.
    """

    def __init__(self) -> None:
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._modes: list[Any] = []
        self._handlers: dict[int, Any] = {}
        self._woken, self._wake = -1, -1
        self._is_main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> OwnTerminal:
        sys.stdout.flush()
        self._modes = termios.tcgetattr(self._in)
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if self._is_main:
                self._catch(signal.SIGWINCH, self._heed)
                self._catch(signal.SIGCONT, self._go_on)
                for number in _ENDS:
                    if signal.getsignal(number) is signal.SIG_DFL:
                        self._catch(number, self._die)
            self._pass_keys()
        except BaseException:
            self._put_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._put_back()

    @property
    def modes(self) -> list[Any]:
        """How the person had it."""
        return self._modes

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns."""
        try:
            told = fcntl.ioctl(self._out, termios.TIOCGWINSZ, bytes(8))
        except OSError:
            return _NO_SIZE
        rows, columns, _, _ = struct.unpack("HHHH", told)
        return (rows, columns) if rows and columns else _NO_SIZE

    def wait(self, others: Sequence[tuple[int, int]], limit: float) -> tuple[bytes | None, bool]:
        """Wait for a key, for one of the *others*, for a change of size, or until the *limit*.

        Returns the keys, None if there will be no more, and whether the size may have changed.
        """
        poll = select.poll()
        poll.register(self._in, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        for fd, events in others:
            poll.register(fd, events)
        if not self._is_main:
            limit = min(limit, _LOOKS_APART)
        found = dict(poll.poll(None if limit == inf else max(0.0, limit) * 1000))
        resized = not self._is_main
        if self._woken in found:
            os.read(self._woken, _READ_SIZE)
            resized = True
        keys: bytes | None = b""
        if self._in in found:
            try:
                keys = os.read(self._in, _READ_SIZE) or None
            except OSError:  # EIO: the terminal is gone
                keys = None
        return keys, resized

    def write(self, data: bytes) -> None:
        """Show *data*, just as it is."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._out, rest) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._out, select.POLLOUT)
                poll.poll()

    def _pass_keys(self) -> None:
        iflag, oflag, cflag, lflag, ispeed, ospeed, keys = self._modes
        keys = list(keys)
        keys[termios.VMIN], keys[termios.VTIME] = 1, 0
        iflag &= ~(
            termios.BRKINT
            | termios.ICRNL
            | termios.INLCR
            | termios.IGNCR
            | termios.INPCK
            | termios.ISTRIP
            | termios.IXON
            | termios.IXOFF
        )
        lflag &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw = [iflag, oflag & ~termios.OPOST, cflag, lflag, ispeed, ospeed, keys]
        termios.tcsetattr(self._in, termios.TCSADRAIN, raw)

    def _catch(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        before = signal.signal(number, handler)
        # None is one that was not set up by Python, which cannot be put back.
        self._handlers[number] = signal.SIG_DFL if before is None else before

    def _heed(self, number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            os.write(self._wake, b"\0")

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        # Whoever stopped us, a shell has had the terminal in between.
        self._pass_keys()
        self._heed(number, frame)

    def _die(self, number: int, frame: FrameType | None) -> None:
        self._put_back()
        os.kill(os.getpid(), number)

    def _put_back(self) -> None:
        if self._modes:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._modes)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()
        for fd in (self._woken, self._wake):
            if fd >= 0:
                os.close(fd)
        self._woken = self._wake = -1
