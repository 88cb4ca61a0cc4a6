"""What a call wants of its command: how long to wait, what to answer, and whom to tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from .diagnosis import Diagnosis, Look
from .dialogue import Answer, Dialogue, Key, Secret, Secrets
from .limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Typed: TypeAlias = "str | bytes | Secret | Key | Literal[False] | None"
    OnWaiting: TypeAlias = Callable[[Diagnosis], Typed]
    OnBytes: TypeAlias = Callable[[bytes], object]

# A program that waits is noticed at the second look, so within 1.3 s where somebody wants to know.
_FIRST_LOOK = 0.25
_SECOND_LOOK = 0.25
_LOOKS_APART, _LOOKS_FAR_APART = 1.0, 10.0
# With hundreds of processes a look takes its time: let it be at most a tenth of all.
_LOOKS_COST = 10
# How soon after something was printed it may be answered, and how slowly that is tried again
# while nobody reads.
_ANSWER_SOON, _ANSWER_LATE = 0.003, 0.1


class Behind:
    """Hands on what is printed behind a mark."""

    def __init__(self, mark: bytes, hand_on: OnBytes) -> None:
        self._mark = mark
        self._hand_on = hand_on
        self._before: bytes | None = b""

    def hear(self, data: bytes) -> object:
        if self._before is None:
            return self._hand_on(data)
        before, mark, own = (self._before + data).partition(self._mark)
        self._before = None if mark else before
        return self._hand_on(own) if own else None

    def end(self) -> None:
        """Hand on what there was, as no mark comes any more."""
        before, self._before = self._before, None
        if before:
            self._hand_on(before)


class Attention:
    """Given to one command."""

    def __init__(
        self,
        limits: Limits,
        *,
        on_waiting: OnWaiting | None = None,
        dialogue: Dialogue | None = None,
        on_output: OnBytes | None = None,
        streams: bool = False,
        prompt: Answer | None = None,
        sure: str = "",
        reads: bool = False,
        group: int = 0,
        last_occasion: object = None,
        mark: bytes = b"",
    ) -> None:
        self.started = time.monotonic()
        self.limits = limits
        self.deadline = inf if limits.total is None else self.started + limits.total
        self._idle = inf if limits.idle is None else limits.idle
        self._resumed = self.started
        """Since when it has been waited without a break."""
        self.on_waiting = on_waiting
        self.dialogue = dialogue
        self.mark = mark
        """What stands before the command's own output, if it is run by one that asks first."""
        self._behind = Behind(mark, on_output) if mark and on_output else None
        self.on_output = self._behind.hear if self._behind else on_output
        self.group = group
        """The process group that is waited for, if it is not that which has the terminal."""
        self.streams = streams
        """Whether what is printed is handed out as it comes, and not kept."""
        self.shows = streams or on_output is not None
        """Whether somebody wants what is printed as it comes."""
        self.prompt = prompt
        """The entry of the dialogue that stands for the program's own prompt, if it has one."""
        self.sure = sure
        """What nothing else can print, if that prompt is like that."""
        self.reads = reads
        """Whether it is at its prompt as soon as it reads, whatever it has printed."""
        self.at_prompt = False
        """Whether the program is at its prompt."""
        self.look_at = self.started + _FIRST_LOOK
        """When to look again at what the command is doing."""
        self.seen: Look | None = None
        """What was seen then."""
        self.told: object = None
        """The last occasion that somebody was told of."""
        self.answer_at = self.started + _ANSWER_SOON if reads else inf
        """When to see whether it has asked something."""
        self._patience = _ANSWER_SOON
        self._sighted: object = None
        """The last occasion that was seen and may be answered."""
        self.answered = last_occasion
        """The last occasion that was answered."""

    def own(self, printed: bytes) -> bytes:
        """Return the command's own part of all that was *printed*, or that, if it did not start."""
        if not self.mark:
            return printed
        before, mark, own = printed.partition(self.mark)
        if self._behind:
            self._behind.end()
        return own if mark else before

    def is_at_prompt(self) -> bool:
        """Whether the program is at its prompt."""
        return self.at_prompt

    def may_give(self, answer: Answer) -> bool:
        """Whether *answer* may be given now."""
        return True

    def is_sure(self, found: str) -> bool:
        """Whether *found* cannot be anything but the prompt."""
        return bool(self.sure) and found.endswith(self.sure)

    def to_be_back(self, limit: float) -> Attention | None:
        """Return what to look for once the program was interrupted: its prompt, if it has one."""
        if self.prompt is None and not self.reads:
            return None
        return Attention(
            Limits(limit),
            dialogue=Dialogue((self.prompt,) if self.prompt else (), Secrets()),
            prompt=self.prompt,
            reads=self.reads,
            last_occasion=self.answered,
        )

    def ends(self, heard: float) -> float:
        """Return when a limit runs out, if something was printed last at *heard*."""
        if self._idle == inf:
            return self.deadline
        return min(self.deadline, max(heard, self._resumed) + self._idle)

    def resume(self, paused: float) -> None:
        """Leave out the time since *paused*, which somebody else took."""
        self._resumed = time.monotonic()
        self.deadline += self._resumed - paused
        self.look_at += self._resumed - paused

    def heard(self, now: float) -> None:
        """Take notice that something was printed."""
        if self.dialogue is not None:
            self._patience = _ANSWER_SOON
            self.answer_at = now + _ANSWER_SOON

    def is_new(self, wait: object, now: float) -> bool:
        """Whether nobody was seen waiting there before; then see once more whether it is so."""
        if wait == self._sighted:
            return False
        self._sighted = wait
        self.answer_at = now + _ANSWER_SOON
        return True

    def answer_later(self, now: float) -> None:
        """See again whether it reads what would be the answer."""
        self._patience = min(2 * self._patience, _ANSWER_LATE)
        self.answer_at = now + self._patience

    def look_later(self, now: float, took: float, *, found: bool, quiet_at: float) -> None:
        """Look again, soon if a reader was *found*, and not before text is judged."""
        apart = _LOOKS_APART
        if self.on_waiting is None and self.dialogue is None:
            # Only what is as good as hanging matters then. The longer it has taken, the less.
            apart = max(apart, min(now - self.started, _LOOKS_FAR_APART))
        self.look_at = now + (_SECOND_LOOK if found else max(apart, _LOOKS_COST * took))
        if now < quiet_at:
            self.look_at = min(self.look_at, quiet_at)
