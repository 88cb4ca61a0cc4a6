"""A person at a program of a session, with no prompt of ours, and callbacks that look on."""

from __future__ import annotations

import re
import time

from . import dialogue, frames
from .by_hand import ByHand
from .dialogue import Answer, Key, Secret, Secrets
from .errors import UsageError
from .line import SCREEN, Line
from .own_terminal import OwnTerminal
from .relay import Escape, OverError, Relay
from .result import Pause
from .text import length_of, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Reply: TypeAlias = str | bytes | Secret | Key | None
    Callbacks: TypeAlias = Mapping[str | re.Pattern[str], Callable[[re.Match[str]], Reply]]

_BEGINS = frames.LENT + b"\r\n"
# How long a program may take to read what was typed before the escape key.
_PASSED_ON = 1.0
_WHERE_IS_THE_CURSOR = b"\x1b[6n"
_KEPT = 4 * 1024 * 1024


class Interaction:
    """What a person does until they press the *escape* key or the *command* has ended, if any.

    *on* has what is called when a pattern matches what is printed, once for each match; what it
    returns is typed.
    """

    def __init__(
        self, escape: Escape, on: Callbacks, secrets: Secrets, *, command: str | None
    ) -> None:
        self._escape = escape
        self._on = [(Answer(pattern, "").pattern, callback) for pattern, callback in on.items()]
        for _, callback in self._on:
            if not callable(callback):
                raise UsageError(f"on= maps patterns to functions, and not to {callback!r}")
        self._secrets = secrets
        self._ends = False
        """Whether it is over once the shell is at its prompt."""
        self._echo: bytes | None = None if command is None else b""
        """What has come of what only shows the line that the script has typed."""
        self._unmatched = b""
        self._transcript = bytearray()

    def run(self, hand: ByHand, line: Line, own: OwnTerminal) -> Pause:
        """Have the person at it, and return what was shown to them."""
        began = time.monotonic()
        self._line, self._own = line, own
        self._ends = hand.runs_command
        self._relay = Relay(
            line,
            own,
            show=self._show,
            special=[self._escape.key] if self._escape.key else [],
            act=self._act,
            passed_on=lambda keys: line.parser.heed_typing(),
        )
        try:
            self._relay.run()
        except OverError:
            hand.skip()
        return Pause(
            transcript=self._secrets.hide(bytes(self._transcript).decode("utf-8", "replace")),
            duration=time.monotonic() - began,
        )

    def _act(self, key: bytes) -> bool:
        # What was typed before it, at once.
        self._line.terminal.write(self._relay.outgoing, time.monotonic() + _PASSED_ON)
        raise OverError

    def _show(self, printed: bytes) -> bytes:
        if self._echo is not None:
            self._echo, mark, printed = (self._echo + printed).partition(_BEGINS)
            if mark:
                self._echo = None
        is_over = self._ends and self._line.parser.was_at_prompt
        if is_over:
            # busybox ash asks behind its prompt.
            printed = printed.removesuffix(_WHERE_IS_THE_CURSOR)
        self._transcript += printed
        del self._transcript[: -2 * _KEPT]
        self._unmatched = (self._unmatched + printed)[-SCREEN:]
        for pattern, callback in self._on:
            while match := pattern.search(plain(self._unmatched)):
                if match.end() == match.start():
                    break
                self._unmatched = self._unmatched[length_of(self._unmatched, match.end()) :]
                self._reply(callback(match))
        if is_over:
            self._line.parser.at_prompt = True
            self._own.write(printed)
            raise OverError
        return printed

    def _reply(self, reply: Reply) -> None:
        if isinstance(reply, Secret):
            self._secrets.add(reply)
        if reply is not None:
            self._relay.outgoing += dialogue.exactly(reply)
