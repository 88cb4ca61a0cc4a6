"""What a session does, shown live to the person at the caller's own terminal."""

from __future__ import annotations

import _thread
import codecs
import itertools
import os
import sys
import time

from .console import coloured
from .dialogue import Secrets
from .text import rendered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_COLOURS = ("CYAN", "MAGENTA", "YELLOW", "GREEN", "BLUE", "RED")
_LONG = 8_192
_ERASE = "\r\x1b[K"
_DRAWN_EVERY = 0.5

_numbers = itertools.count()


class Echo:
    """One session's share of the screen: whole lines, each with the session's name in front.

    On a terminal an unfinished line is shown as well, as far as it has come.
    """

    _lock = _thread.allocate_lock()
    _unfinished: Echo | None = None
    """Whose line the cursor stands on, of all sessions."""

    def __init__(self, name: str, secrets: Secrets) -> None:
        self.name = name
        self._secrets = secrets
        self._colour = _COLOURS[next(_numbers) % len(_COLOURS)]
        self._line = b""
        self._shown = ""
        self._continues = False

    def command(self, command: str) -> None:
        """Show what is sent."""
        self.write(b"".join(b"$ %b\n" % line for line in _encoded(command).split(b"\n")))

    def write(self, data: bytes) -> None:
        """Show what was printed."""
        with self._lock:
            *lines, self._line = (self._line + data).split(b"\n")
            for line in lines:
                self._show(line, finished=True)
            if sys.stdout.isatty() and self._line:
                self._show(self._line, finished=False)
            sys.stdout.flush()

    def end(self) -> None:
        """Finish the line, as the command has ended."""
        if self._line:
            self.write(b"\n")

    def _show(self, line: bytes, *, finished: bool) -> None:
        text = self._secrets.hide(rendered(line))
        if not finished and self._secrets.may_go_on(text):
            return
        other = Echo._unfinished
        if other is not None and other is not self:
            sys.stdout.write("\n")
            other._shown, other._continues = "", False
        if self._shown and not text.startswith(self._shown):
            sys.stdout.write(_ERASE)
            self._shown = ""
        start = "" if self._shown or self._continues else self._prefix()
        sys.stdout.write(start + text[len(self._shown) :] + ("\n" if finished else ""))
        self._shown, self._continues = ("", False) if finished else (text, self._continues)
        Echo._unfinished = None if finished else self
        if not finished and len(line) > _LONG:
            # Else each of its pieces would have all of it drawn again.
            self._line, self._shown, self._continues = b"", "", True

    def _prefix(self) -> str:
        return coloured(f"[{self.name}] ", self._colour, sys.stdout)


class Audience:
    """Those who want to know at once what a command prints."""

    def __init__(self, echo: Echo | None, on_output: Callable[[str], object] | None) -> None:
        self._echo = echo
        self._on_output = on_output

    def begin(self, command: str) -> None:
        """Tell them that *command* is sent."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        if self._echo:
            self._echo.command(command)

    def hear(self, data: bytes) -> None:
        """Tell them what was printed."""
        if self._echo:
            self._echo.write(data)
        self._call(self._decoder.decode(data))

    def end(self) -> None:
        """Tell them the rest."""
        if self._echo:
            self._echo.end()
        self._call(self._decoder.decode(b"", True))

    def _call(self, text: str) -> None:
        if self._on_output and text:
            self._on_output(text)


class Progress:
    """One line on standard error that says what is being done, and for how long.

    It is there while something goes on for longer than a moment, if that is a terminal.
    """

    def __init__(self, title: str, secrets: Secrets) -> None:
        self._title = title
        self._secrets = secrets
        self._started = time.monotonic()
        self._last = b""
        self._ended = _thread.allocate_lock()
        self._drawing = _thread.allocate_lock()
        self._shown = False

    def __enter__(self) -> Callable[[str], object] | None:
        if sys.stderr is None or not sys.stderr.isatty():
            return None
        self._ended.acquire()
        _thread.start_new_thread(self._draw_on, ())
        return self._hear

    def __exit__(self, *_: object) -> None:
        if self._ended.locked():
            self._ended.release()
            with self._drawing:
                if self._shown:
                    sys.stderr.write(_ERASE)
                    sys.stderr.flush()

    def _hear(self, printed: str) -> None:
        lines = (self._last + printed.encode("utf-8", "replace")).splitlines(keepends=True)
        self._last = b"".join(lines[-2:])[-_LONG:]

    def _draw_on(self) -> None:
        while not self._ended.acquire(timeout=_DRAWN_EVERY):
            with self._drawing:
                if self._ended.locked():
                    self._draw()
        self._ended.release()

    def _draw(self) -> None:
        self._shown = True
        took = time.monotonic() - self._started
        lines = [line for line in rendered(self._last).splitlines() if line.strip()]
        doing = self._secrets.hide(lines[-1].strip()) if lines else ""
        line = f"{self._title}  {took:.0f} s  {doing}"
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        sys.stderr.write(_ERASE + "".join(filter(str.isprintable, line))[: max(1, width - 1)])
        sys.stderr.flush()


def _encoded(command: str) -> bytes:
    return command.strip("\n").encode("utf-8", "surrogateescape")
