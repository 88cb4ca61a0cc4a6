"""What a person types, passed on to a session's terminal, and what that prints, to the person's."""

from __future__ import annotations

import re
import select
import sys
import time
from math import inf

from . import text
from .console import coloured
from .errors import SessionError, UsageError
from .line import SCREEN, Line
from .own_terminal import OwnTerminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

# The other screen, that programs have which fill it (xterm's control sequences, DECSET).
_OTHER_SCREEN = re.compile(rb"\x1b\[\?(?:47|1047|1049)([hl])")
# What is pasted stands between these (xterm's control sequences, bracketed paste).
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
# How long a program may take to draw its screen again, and how long it is quiet when it has.
_DRAWN_BY, _DRAWN = 0.5, 0.05


class Escape:
    """The key that gives the terminal back, as it is written and as it is typed."""

    def __init__(self, name: str | None) -> None:
        self.name = ""
        self.key = b""
        if name is None:
            return
        control = re.fullmatch(r"(?i)(?:ctrl-|c-|\^)([a-z@\[\\\]^_])", name)
        if not control:
            raise UsageError(f"escape={name!r} is no key like 'ctrl-]', or None for none")
        self.key = bytes((ord(control[1].upper()) & 0x1F,))
        self.name = f"Ctrl-{control[1].upper()}"


class OverError(Exception):
    """The person gives the terminal back."""

    def __init__(self, *, aborts: bool = False) -> None:
        self.aborts = aborts


class Relay:
    """A person at their own terminal, and a session's.

    *show* is given what was printed and returns what of it the person is to see. *act* is given
    each of the *special* keys and says whether it meant something; all others are *passed_on*,
    which is told of them. *waited* is called where nothing has happened for as long as
    :attr:`patience` says. Any of these raises :class:`OverError` to end it.
    """

    def __init__(
        self,
        line: Line,
        own: OwnTerminal,
        *,
        show: Callable[[bytes], bytes],
        special: list[bytes],
        act: Callable[[bytes], bool],
        passed_on: Callable[[bytes], object],
        waited: Callable[[], object] = lambda: None,
    ) -> None:
        self._line = line
        self._own = own
        self._show = show
        self._special = special
        self._apart = re.compile(b"(%b)" % b"|".join(map(re.escape, (*special, _PASTE, _PASTED))))
        self._act = act
        self._passed_on = passed_on
        self._waited = waited
        self.patience = inf
        """How long nothing may happen before it is *waited*, in seconds."""
        self.outgoing = b""
        """What the session's terminal has not taken yet."""
        self._pasting = False
        self._before = b""
        """The last keys, which may be the beginning of a bracket."""
        self._is_full_screen = False
        self._must_draw = False

    def run(self) -> NoReturn:
        """Go on until it is over."""
        line, own, terminal = self._line, self._own, self._line.terminal
        while True:
            wanted = select.POLLIN | (select.POLLOUT if self.outgoing else 0)
            fds = terminal.watched
            others = [(fds[0], wanted), *((fd, select.POLLIN) for fd in fds[1:])]
            keys, resized = own.wait(others, 0.0 if terminal.has_inbox else self.patience)
            if resized and own.size != terminal.size:
                terminal.size = own.size
            if line.take_in(time.monotonic()):
                self.take()
            elif not keys and not resized and self.patience < inf:
                self._waited()
            if keys is None:
                raise SessionError("the person's terminal is gone", where=line.where)
            if keys:
                self._heed(keys)
            if self.outgoing:
                self.outgoing = self.outgoing[terminal.write_some(self.outgoing) :]

    def take(self) -> None:
        """Show what has come in."""
        parser = self._line.parser
        shown = self._show(parser.hand_out())
        parser.forget(SCREEN)
        for change in _OTHER_SCREEN.finditer(shown):
            self._is_full_screen = change[1] == b"h"
        if shown:
            self._own.write(shown)

    def _heed(self, keys: bytes) -> None:
        if self._must_draw:
            self._must_draw = False
            self._draw_again()
        for part in self._apart.split(self._after_cut_bracket(keys)):
            if part in (_PASTE, _PASTED):
                self._pasting = part == _PASTE
            if part in self._special and not self._pasting and self._act(part):
                continue
            if part:
                self._pass_on(part)

    def _after_cut_bracket(self, keys: bytes) -> bytes:
        """Return what of the *keys* is behind a bracket of a paste that the last ones began."""
        ends = len(self._before)
        both = self._before + keys
        self._before = both[1 - len(_PASTE) :]
        for bracket in (_PASTE, _PASTED):
            at = both.find(bracket, 0, ends + len(bracket) - 1)
            if 0 <= at < ends:
                self._pasting = bracket == _PASTE
                rest = at + len(bracket) - ends
                self._pass_on(keys[:rest])
                return keys[rest:]
        return keys

    def _pass_on(self, keys: bytes) -> None:
        self._passed_on(keys)
        self.outgoing += keys

    def tell(self, message: str, *, again: bytes = b"") -> None:
        """Show a *message* of ours, and *again* what it has come upon."""
        if self._is_full_screen:
            rows, columns = self._own.size
            shown = text.shorten(message, columns - 1)
            self._own.write(f"\x1b7\x1b[{rows};1H\x1b[7m{shown}\x1b[m\x1b[K\x1b8".encode())
            self._must_draw = True
            return
        shown = message.replace("\n", "\r\n")
        self._own.write(f"\r\n{coloured(shown, 'YELLOW', sys.stdout)}\r\n".encode() + again)

    def _draw_again(self) -> None:
        """Have a program that fills the screen draw it again, as after a change of size."""
        terminal = self._line.terminal
        rows, columns = terminal.size
        terminal.size = max(1, rows - 1), columns
        terminal.size = rows, columns
        # vim 9.0 does not look at keys that come in meanwhile, before the next key.
        drawn_by = quiet_at = time.monotonic() + _DRAWN_BY
        while time.monotonic() < drawn_by and self._line.take_in(quiet_at):
            self.take()
            quiet_at = min(time.monotonic() + _DRAWN, drawn_by)
