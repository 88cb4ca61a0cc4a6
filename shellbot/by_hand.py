"""Keys typed to a session by hand, and what is expected of what they bring about."""

from __future__ import annotations

import re
import time

from . import text
from .attention import Attention
from .conversation import Conversation, StoppedError
from .diagnosis import Look
from .errors import CommandTimeoutError, SessionBusyError
from .limits import Limits
from .line import SCREEN
from .shell import Shell

_BACK_LIMIT, _AFTERWARDS = 2.0, 5.0
_CTRL_C = b"\x03"
_LOOKS_APART = 0.1


class ByHand:
    """A frame of a shell that somebody types, and that ends at the prompt after the last key."""

    def __init__(self, shell: Shell, attention: Attention) -> None:
        self._shell = shell
        self._line = line = shell.line
        self._seen = 0
        """Up to where the output was matched."""
        self.afterwards = b""
        """What to run at the end, if anything."""
        self.runs_command = False
        """Whether a person was given a command here, and no shell."""
        shell.readied("type()")
        line.hold_modes()
        line.begin(by_hand=True)
        opening = line.dialect.opening(line.number, after_failure=line.status != 0)
        line.type(opening, attention.ends(line.heard))
        steps = Conversation(line, attention).go_on(lambda: line.parser.at_prompt)
        try:
            shell.guarded(steps)
        except StoppedError as stopped:
            raise stopped.told("type()", line, attention, b"") from None

    def type(self, keys: bytes, attention: Attention) -> None:
        """Type *keys*."""
        line = self._line
        if line.lost:
            raise line.gone()
        if not keys:
            return
        line.command = line.secrets.hide(keys.decode("utf-8", "replace"))
        line.parser.heed_typing()
        line.type(keys, attention.ends(line.heard))
        if keys == _CTRL_C and line.dialect.abandon:
            self._abandon(attention)

    def _abandon(self, attention: Attention) -> None:
        """Have a shell drop a line that it has half read, where Ctrl-C does not do that."""
        line, deadline = self._line, time.monotonic() + _LOOKS_APART
        while not line.parser.at_prompt and time.monotonic() < deadline:
            line.take_in(deadline)
        if not line.parser.at_prompt and line.pid in Look(line.scene()).readers:
            line.type(line.dialect.abandon, attention.ends(line.heard))

    def expect(self, patterns: list[re.Pattern[str]], attention: Attention) -> re.Match[str]:
        """Return the first match of one of *patterns* since the last one."""
        line = self._line
        if line.lost:
            raise line.gone()
        while True:
            while line.take_in(time.monotonic()):
                pass
            printed = line.parser.last(min(line.parser.size - self._seen, SCREEN))
            shown = text.plain(printed)
            matches = [match for one in patterns if (match := one.search(shown))]
            if matches:
                match = min(matches, key=lambda match: match.start())
                self._seen = line.parser.size - len(printed) + text.length_of(printed, match.end())
                line.parser.hand_out()
                line.parser.forget(SCREEN)
                return match
            ends = attention.ends(line.heard)
            if not line.take_in(ends) and time.monotonic() >= ends:
                raise self._not_there(patterns, attention, printed)

    def _not_there(
        self, patterns: list[re.Pattern[str]], attention: Attention, printed: bytes
    ) -> CommandTimeoutError:
        idle = time.monotonic() < attention.deadline
        limit = attention.limits.idle if idle else attention.limits.total
        return CommandTimeoutError(
            f"expect {', '.join(repr(one.pattern) for one in patterns)}",
            limit=limit or 0.0,
            idle=idle,
            diagnosis=self._line.judged(),
            waited=time.monotonic() - attention.started,
            partial=printed,
            recovery="nothing, as what was typed goes on",
            where=self._line.where,
        )

    def skip(self) -> None:
        """Have :meth:`expect` look only at what comes from now on."""
        self._seen = self._line.parser.size

    def end(self) -> None:
        """Prove that the shell is at its prompt, or raise :class:`SessionBusyError`."""
        line = self._line
        if not line.is_under_way:
            return
        deadline = time.monotonic() + _BACK_LIMIT
        before: Look | None = None
        while not line.parser.at_prompt:
            if line.take_in(min(deadline, time.monotonic() + _LOOKS_APART)):
                continue
            look = Look(line.scene())
            waiting = before and look.waiting(before)
            if waiting or time.monotonic() >= deadline:
                raise SessionBusyError(
                    f"what was typed has not ended: {text.shorten(line.command)}\n"
                    f"It is {waiting or line.judged()}.\n"
                    "To try: bring it to its end with type() and expect(); type(Key.CTRL_C) "
                    "interrupts it."
                )
            before = look
        line.type(line.dialect.question(line.number), deadline)
        if line.answered(time.monotonic() + _BACK_LIMIT):
            line.ended()
        else:
            self._shell.recover()
        if self.afterwards:
            self._shell.aside(self.afterwards, Attention(Limits(_AFTERWARDS)))
