"""Wait for a command as a call wants it: with limits, answering, telling and handing out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from math import inf

from . import diagnosis, dialogue, frames, text
from .attention import Attention
from .diagnosis import Diagnosis, Look
from .dialogue import Key, Secret
from .errors import (
    CommandStoppedError,
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    UsageError,
)
from .line import SCREEN, SHOWN, Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeAlias

    from .attention import OnWaiting

    Typed: TypeAlias = str | bytes | Secret | Key

_MOMENT = 0.05
# With more than one line, the shell itself might get what the program leaves. A control character
# may stand for a key such as Ctrl-D; one that is typed as a part of the line has ^V before it.
_ONE_LINE = rb"(?s)(?:\x16.|[^\n])*[\x00-\x1f\x7f]"
# How quiet it has to be for an answer to be typed to a program that cannot be seen reading.
_BLIND_PAUSE = 0.2


class StoppedError(Exception):
    """A command was stopped before it was done."""

    def __init__(
        self,
        at: float,
        diagnosis: Diagnosis,
        *,
        limit: float | None = None,
        idle: bool = False,
        does: str = "waits for what nobody will type",
        why: str = "",
        asked: str | None = None,
    ) -> None:
        self.at = at
        self.diagnosis = diagnosis
        self.limit = limit
        """The limit that had run out, if that was it."""
        self.idle = idle
        self.does = does
        """Or what the command does that stops it."""
        self.why = why
        """And more about that."""
        self.asked = asked
        """The question, where the table of answers says that it must not be answered."""
        self.recovery = ""

    def told(
        self, command: str, line: Line, attention: Attention, partial: bytes
    ) -> CommandStoppedError:
        """Return what to raise for it."""
        waited = self.at - attention.started
        if self.limit is not None:
            return CommandTimeoutError(
                command,
                limit=self.limit,
                idle=self.idle,
                diagnosis=self.diagnosis,
                waited=waited,
                partial=partial,
                recovery=self.recovery,
                where=line.where,
            )
        reason = f"stopped after {text.seconds(waited)}, as it {self.does}"
        if self.asked is not None:
            assert attention.dialogue
            return DialogueError(
                reason,
                command,
                detail=f"{self.why}; {attention.dialogue.story()}.",
                asked=self.asked,
                answered=attention.dialogue.answered,
                diagnosis=self.diagnosis,
                waited=waited,
                partial=partial,
                recovery=self.recovery,
                where=line.where,
            )
        return CommandWaitingError(
            reason,
            command,
            detail=self.why and f"{self.why}.",
            diagnosis=self.diagnosis,
            waited=waited,
            partial=partial,
            recovery=self.recovery,
            where=line.where,
        )


class Conversation:
    """What passes between one call and its command, until the frame on the line has ended."""

    def __init__(self, line: Line, attention: Attention) -> None:
        self._line = line
        self._attention = attention

    def go_on(self, enough: Callable[[], bool] = bool) -> Generator[bytes, None, None]:
        """Read until the frame has ended, or it is *enough*, or raise what stops it."""
        line, attention = self._line, self._attention
        line.group = attention.group
        while line.parser.status is None and not enough():
            ends = attention.ends(line.heard)
            heard = line.take_in(min(ends, attention.look_at, attention.answer_at))
            if heard and attention.shows:
                yield from self._show()
            if line.parser.status is not None:
                break
            now = time.monotonic()
            if now >= attention.deadline:
                raise StoppedError(now, line.judged(), limit=attention.limits.total)
            if now >= ends and not heard:
                raise StoppedError(now, line.judged(), limit=attention.limits.idle, idle=True)
            if heard:
                attention.heard(now)
            elif now >= attention.answer_at:
                self._answer()
            if now >= attention.look_at:
                self._look()

    def _show(self) -> Generator[bytes, None, None]:
        """Hand out what was printed."""
        line, attention = self._line, self._attention
        new = line.parser.hand_out()
        if not new:
            return
        began = time.monotonic()
        if attention.on_output is not None:
            attention.on_output(new)
        if attention.streams:
            yield new
            line.parser.forget(SHOWN)
        attention.resume(began)

    def _look(self) -> None:
        """See what the command is doing, and tell of it if it waits for somebody."""
        line, attention = self._line, self._attention
        if not line.is_up:
            # A shell that comes up slowly has nothing to do with what it will be sent.
            attention.look_at = inf
            return
        started = time.monotonic()
        before, attention.seen = attention.seen, Look(line.scene())
        waiting = attention.seen.waiting(before) if before else None
        found = attention.seen.readers.keys() - (before.readers.keys() if before else ())
        now = time.monotonic()
        quiet_at = line.heard + diagnosis.QUIET_ENOUGH
        attention.look_later(now, now - started, found=bool(found), quiet_at=quiet_at + _MOMENT)
        if attention.group and before and attention.seen.has_stopped(before):
            does = "has stopped: it wants the terminal, which a background job cannot have"
            raise StoppedError(now, attention.seen.working(before), does=does)
        if waiting is None:
            attention.told = None
            return
        occasion = waiting.occasion or (waiting.kind, line.parser.size)
        # What was printed last may be a question that there is an answer to.
        to_come = attention.answer_at < inf or line.terminal.has_unread()
        if attention.dialogue and to_come:
            return
        if occasion == attention.told or self._wait(waiting) == attention.answered:
            return
        if attention.on_waiting is not None:
            attention.told = occasion
            self._tell(waiting, attention.on_waiting)
        elif waiting.kind == "shell" and waiting.certain:
            # It would never end, and what is sent next would go to nobody knows whom.
            raise StoppedError(now, waiting)
        elif attention.dialogue and waiting.certain and waiting.lasting:
            raise StoppedError(now, waiting, why=attention.dialogue.hint())

    def _tell(self, waiting: Diagnosis, on_waiting: OnWaiting) -> None:
        line, attention = self._line, self._attention
        asked = time.monotonic()
        answer = on_waiting(waiting)
        attention.resume(asked)
        if answer is False:
            raise StoppedError(time.monotonic(), waiting)
        if isinstance(answer, str):
            self._type(frames.encode(answer), f"on_waiting returned {answer!r}")
        elif isinstance(answer, (bytes, Secret, Key)):
            if isinstance(answer, Secret):
                line.secrets.add(answer)
            full_screen = waiting.kind == "full-screen"
            self._reply(answer, f"on_waiting returned {answer!r}", full_screen=full_screen)
        elif answer is not None:
            raise UsageError(f"on_waiting returned {answer!r}, not text, None or False")

    def _answer(self) -> None:
        """Answer what the command asks, if it does, and if somebody reads the answer."""
        line, attention = self._line, self._attention
        talk = attention.dialogue
        assert talk
        printed = line.parser.last(min(line.parser.size - line.answered_at, SCREEN))
        if attention.sure and printed.endswith(attention.sure.encode()):
            # Wherever on the screen that is, or if nothing shows there.
            attention.at_prompt = True
            return
        on_screen = diagnosis.has_alternate_screen(line.parser.last(SCREEN))
        drawn = on_screen or diagnosis.has_screen(printed)
        new = text.rendered(printed if drawn else printed[-SHOWN:])
        question = talk.asked(new, full_screen=drawn)
        if question is None and not drawn:
            # Behind the question may stand what it did not overwrite, as ssh's after a banner.
            question = talk.asked(text.up_to_cursor(printed[-SHOWN:]))
        if on_screen and (question is None or question.refusal):
            # There, what did not change is not written again.
            standing = talk.asked(text.rendered(line.parser.last(SCREEN)), full_screen=True)
            question = standing if standing and not standing.refusal else question
        if question and not attention.may_give(question.answer):
            question = None
        is_prompt = question is not None and question.answer is attention.prompt
        if question and is_prompt and attention.is_sure(question.match.group()):
            attention.at_prompt = True
            return
        if question is None and not attention.reads:
            attention.answer_at = inf
            return
        look = Look(line.scene(prompted=question is not None))
        asking, now = look.asking(), time.monotonic()
        if line.terminal.has_unread():
            # That may be another question.
            attention.answer_at = now
            return
        if asking is None and look.is_blind and now >= line.heard + _BLIND_PAUSE:
            asking = Diagnosis("question", question=text.last_line(printed)[0], certain=False)
        if asking is None or self._wait(asking) == attention.answered:
            attention.answer_later(now)
            return
        if asking.certain and attention.is_new(self._wait(asking), now):
            # It may have printed the question just now, and the kernel has not passed it on yet.
            return
        if question and question.refusal and not asking.lasting:
            # It may go on by itself, as vi does that waits for a moment before it ends.
            attention.answer_later(now)
            return
        attention.answer_at = inf
        if question is None or is_prompt:
            # Nobody types a line for a password question but who has the answer to it.
            attention.at_prompt = is_prompt or asking.kind != "password"
            attention.answered = self._wait(asking)
            return
        refusal = question.refusal
        reply = False if refusal else talk.reply(question)
        if isinstance(reply, Secret):
            refusal = talk.why_not(question, reply, hidden=asking.hidden)
            reply = False if refusal else reply
        attention.resume(now)
        if reply is None:
            return
        if reply is False:
            raise StoppedError(
                time.monotonic(),
                asking,
                does=f"asks `{question.line.strip()}`",
                why=refusal or "The answers give up there",
                asked=question.line,
            )
        silent = asking.hidden and line.terminal.takes_lines()
        talk.note(question, reply, echoed=not silent)
        attention.answered = self._wait(asking)
        what = f"the answer to {question.answer.pattern.pattern!r}"
        self._reply(reply, what, full_screen=drawn or asking.kind == "full-screen")

    def _wait(self, asking: Diagnosis) -> object:
        """Return what differs from one time that somebody waits to the next."""
        if asking.occasion is None:
            return self._line.parser.size
        _, pid, runs = asking.occasion
        # How often a full-screen program has run tells nothing, as it refreshes its screen.
        return pid, runs or self._line.parser.size

    def _reply(self, reply: Typed, what: str, *, full_screen: bool) -> None:
        line = self._line
        cursor_keys = re.findall(rb"\x1b\[\?1([hl])", line.parser.last(SCREEN))
        keys = dialogue.keystrokes(
            reply,
            lines=line.terminal.takes_lines(),
            full_screen=full_screen,
            application=cursor_keys[-1:] == [b"h"],
        )
        self._type(keys, what)

    def _type(self, keys: bytes, what: str) -> None:
        line, attention = self._line, self._attention
        if line.terminal.takes_lines() and not re.fullmatch(_ONE_LINE, keys):
            raise UsageError(
                f"{what}, but the program takes lines: type one, with its newline. The next has to "
                "wait until it is asked for."
            )
        # The answer is not echoed, so that the next question would stand on the same line.
        line.answered_at = line.parser.size
        line.type(keys, attention.ends(line.heard))
        attention.told = None


def never_asked(command: str, line: Line, attention: Attention, raw: bytes) -> DialogueError:
    """Return what to raise for a command that did not ask what it had to."""
    talk = attention.dialogue
    assert talk
    waited = time.monotonic() - attention.started
    patterns = ", ".join(repr(one.pattern.pattern) for one in talk.never_asked())
    return DialogueError(
        f"done after {text.seconds(waited)} with status {line.status}, but not as it had to be",
        command,
        detail=f"It never asked {patterns}; {talk.story()}.",
        asked="",
        answered=talk.answered,
        diagnosis=Diagnosis("idle"),
        waited=waited,
        partial=raw,
        recovery="nothing, as the command had ended by itself",
        where=line.where,
    )
