"""One shell on a terminal: start it, run one command at a time, and get it back when it hangs."""

from __future__ import annotations

import contextlib
import re
import signal
import termios
import time
from collections.abc import Callable, Mapping
from math import inf

from . import diagnosis, dialects, dialogue, frames, processes, surroundings, text
from .attention import Attention
from .diagnosis import Diagnosis, Look
from .dialects import Dialect
from .dialogue import Answer, Key, Secret, Secrets
from .errors import (
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    LevelLostError,
    SessionBusyError,
    SessionError,
    StartError,
    UsageError,
)
from .limits import Limits
from .result import Result, Where
from .terminal import Terminal
from .text import quote, rendered, seconds, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeAlias, TypeVar

    from .attention import OnWaiting
    from .processes import Moment

    Outcome = TypeVar("Outcome")
    Typed: TypeAlias = str | bytes | Secret | Key

_START_LIMIT = 30.0
_STATE_LIMIT = 5.0
_MOMENT = 0.05
# How far apart two looks are at what was typed and may not have ended.
_SECOND = 0.1
# With more than one line, the shell itself might get what the program leaves. A control character
# may stand for a key such as Ctrl-D; one that is typed as a part of the line has ^V before it.
_ONE_LINE = rb"(?s)(?:\x16.|[^\n])*[\x00-\x1f\x7f]"
# How much of the output is looked at for a question.
_SHOWN, _SCREEN = 8_192, 65_536
# How quiet it has to be for an answer to be typed to a program that cannot be seen reading.
_BLIND_PAUSE = 0.2
# How long an interrupted program may take to be at its prompt again.
_BACK_LIMIT = 2.0
_LINE_LIMIT = 4_095
# How long a flood of output may keep a step of the recovery busy beyond its own bound.
_FLOODED = 0.1
# How often a shell that runs a loop is interrupted, and how long it is given each time.
_INSISTENCE, _INSISTENT = 20, 0.03


class _StoppedError(Exception):
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


class Shell:
    """A shell that has been told our prompt and our marks, and answers frame by frame."""

    def __init__(
        self,
        program: dialects.Program,
        *,
        cwd: str | None,
        environment: Mapping[str, str],
        size: tuple[int, int],
        where: Where,
        secrets: Secrets,
        advice: str,
    ) -> None:
        self.dialect: Dialect = program.dialect
        self.where = where
        self.lost: str | None = None
        """Why the shell can no longer be used, if so."""
        self._secrets = secrets
        self._advice = advice
        """What to try when it is lost."""
        self._number = -1
        self._status = 0
        self._key = frames.new_key()
        self._parser = frames.Parser(self._key)
        self._since: Moment | None = None
        """When the frame was typed that has not ended, if there is one."""
        self._pressed: Moment | None = None
        """When Ctrl-C was pressed last."""
        self._heard = 0.0
        self._answered_at = 0
        self._is_raw = False
        """Whether something was typed outside of frames since the last one."""
        self._seen = 0
        """Up to where its output was matched."""
        self._command = ""
        self._group = 0
        """The background job that is waited for, if any."""
        self._stopping: Diagnosis | None = None
        """What the command was doing that is being stopped, while it is."""
        self._is_up = False
        self._image: object = None
        """The program that the shell is, if that can be known."""
        self._terminal = Terminal(program.arguments, environment=environment, size=size)
        try:
            self._start(cwd)
        except BaseException:
            self._terminal.close()
            raise

    @property
    def terminal(self) -> Terminal:
        """The terminal that the shell is on."""
        return self._terminal

    @property
    def unsolicited(self) -> bytes:
        """The last 64 KiB that came in when no command was running: background jobs, mostly."""
        return self._parser.unsolicited

    def _start(self, cwd: str | None) -> None:
        self._terminal.write(self.dialect.set_up(self._key))
        first = "true" if cwd is None else f"cd -- {quote(cwd)}"
        try:
            result = outcome(self.running(first, Attention(Limits(_START_LIMIT))))
        except SessionError as error:
            raise StartError(
                f"{self.dialect} did not come up within {_START_LIMIT:g} s as a shell that "
                "answers.",
                printed=self._parser.unsolicited,
            ) from error
        if not result.ok:
            raise StartError(f"cannot start in {cwd!r}.", where=self.where, printed=result.raw)
        self._image = processes.image(self._terminal.pid)
        self._is_up = True

    def running(
        self,
        command: str,
        attention: Attention,
        *,
        given: bytes | None = None,
        splits: bool = False,
    ) -> Generator[bytes, None, Result]:
        """Run *command* and return what it did. The caller judges the status.

        What it writes is handed out as it comes, if *attention* wants that; closing the generator
        stops the command. Its standard input is what is *given*, if anything; with *splits* its
        standard error is kept apart.

        Raises :class:`CommandTimeoutError` when a limit has run out, with the shell in step
        again; :class:`DialogueError` and :class:`CommandWaitingError` when it asks what must not or
        cannot be answered; and :class:`LevelLostError` when the shell is gone.
        """
        data = self._readied(command)
        status, raw, errors = 0, b"", b"" if splits else None
        try:
            if frames.may_lack_terminator(data):
                only = frames.parsed_only(data)
                status, raw = yield from self._frame(only, attention, aside=True)
            if status == 0 and not frames.does_nothing(data):
                if given is not None:
                    yield from self._give(given, attention)
                    data = self.dialect.fed(data)
                if splits:
                    data = self.dialect.split(self._number + 1, data)
                status, raw = yield from self._frame(data, attention)
                if splits:
                    raw, errors = self._split(status, raw)
        except _StoppedError as stopped:
            partial = self._parser.take_output()
            if splits:
                partial += self._errors_left()
            raise self._stopped(command, stopped, attention, partial) from None
        duration = time.monotonic() - attention.started
        if attention.dialogue and (left := attention.dialogue.never_asked()):
            raise self._never_asked(command, left, attention, raw)
        return Result(
            command=command,
            raw=raw,
            raw_stderr=errors,
            exit_code=status,
            duration=duration,
            where=self.where,
            truncated=attention.streams,
            hide=self._secrets.hide_bytes if self._secrets else None,
        )

    def _readied(self, command: str) -> bytes:
        """Make sure that the shell is at its prompt, and return *command* as bytes."""
        data = frames.encode(command)
        if self._since and self._is_raw and not self.lost:
            self._back_in_step()
        if self._since and not self.lost:
            # What interrupted the last call also interrupted its getting the shell back.
            self._recover()
        if self.lost:
            raise self._gone(self.lost)
        self._command = command
        return data

    def aside(self, frame: bytes, attention: Attention, *, command: str = "") -> tuple[int, bytes]:
        """Run what is no command of the user's; return its status and what it printed."""
        self._readied(command)
        try:
            return outcome(self._frame(frame, attention, aside=True))
        except _StoppedError as stopped:
            partial = self._parser.take_output()
            raise self._stopped(command, stopped, attention, partial) from None

    def _give(self, given: bytes, attention: Attention) -> Generator[bytes, None, None]:
        """Have the shell take in what a command is to read."""
        taking = self._frame(self.dialect.take_input, attention, given=given, aside=True)
        status, raw = yield from taking
        if status != 0:
            raise SessionError("the input was not taken in", where=self.where, printed=raw)

    def _split(self, status: int, raw: bytes) -> tuple[bytes, bytes]:
        """Return what came on standard output, and what on standard error."""
        at = self._parser.errors_at
        if at is not None:
            return raw[:at], raw[at:]
        # Ctrl-C, or an error in a special built-in, has ended the line early.
        return raw, self._errors_left()

    def _errors_left(self) -> bytes:
        """Return the standard error of a command that was cut short."""
        if self.lost:
            return b""
        attention = Attention(Limits(_STATE_LIMIT))
        _, errors = outcome(self._frame(self.dialect.tell_errors, attention, aside=True))
        return errors

    def _stopped(
        self, command: str, stopped: _StoppedError, attention: Attention, partial: bytes
    ) -> SessionError:
        waited = stopped.at - attention.started
        if stopped.limit is not None:
            return CommandTimeoutError(
                command,
                limit=stopped.limit,
                idle=stopped.idle,
                diagnosis=stopped.diagnosis,
                waited=waited,
                partial=partial,
                recovery=stopped.recovery,
                where=self.where,
            )
        reason = f"stopped after {seconds(waited)}, as it {stopped.does}"
        if stopped.asked is not None:
            assert attention.dialogue
            return DialogueError(
                reason,
                command,
                detail=f"{stopped.why}; {attention.dialogue.story()}.",
                asked=stopped.asked,
                answered=attention.dialogue.answered,
                diagnosis=stopped.diagnosis,
                waited=waited,
                partial=partial,
                recovery=stopped.recovery,
                where=self.where,
            )
        return CommandWaitingError(
            reason,
            command,
            detail=stopped.why and f"{stopped.why}.",
            diagnosis=stopped.diagnosis,
            waited=waited,
            partial=partial,
            recovery=stopped.recovery,
            where=self.where,
        )

    def _never_asked(
        self, command: str, left: list[Answer], attention: Attention, raw: bytes
    ) -> DialogueError:
        assert attention.dialogue
        waited = time.monotonic() - attention.started
        patterns = ", ".join(repr(one.pattern.pattern) for one in left)
        return DialogueError(
            f"done after {seconds(waited)} with status {self._status}, but not as it had to be",
            command,
            detail=f"It never asked {patterns}; {attention.dialogue.story()}.",
            asked="",
            answered=attention.dialogue.answered,
            diagnosis=Diagnosis("idle"),
            waited=waited,
            partial=raw,
            recovery="nothing, as the command had ended by itself",
            where=self.where,
        )

    def _frame(
        self,
        data: bytes,
        attention: Attention,
        *,
        aside: bool = False,
        given: bytes | None = None,
    ) -> Generator[bytes, None, tuple[int, bytes]]:
        steps = self._exchange(data, attention, aside=aside, given=given)
        yield from self._guarded(steps)
        return self._ended(aside=aside)

    def _exchange(
        self,
        data: bytes,
        attention: Attention,
        *,
        aside: bool = False,
        given: bytes | None = None,
    ) -> Generator[bytes, None, None]:
        """Type a frame, and read until it has ended or what *attention* looks for is there."""
        self._number += 1
        parser, terminal = self._parser, self._terminal
        parser.expect(self._number)
        if terminal.hold_modes() and self.dialect.calm:
            terminal.write(self.dialect.calm, attention.deadline)
        if aside:
            frame = self.dialect.aside(self._number, data)
        else:
            failed = self._status != 0
            frame = self.dialect.frame(self._number, data, after_failure=failed)
        self._heard, self._answered_at = time.monotonic(), 0
        self._since = terminal.clock.now()
        terminal.write(frame, attention.ends(self._heard))
        if attention.streams:
            # So that whoever asked for a stream has started it by asking.
            yield b""
            attention.resume(self._heard)
        if given is not None:
            yield from self._attend(attention, lambda: parser.started)
            terminal.write(frames.as_input(given), attention.ends(inf))
            terminal.end_input(attention.ends(inf))
        yield from self._attend(attention, lambda: attention.at_prompt)

    def _guarded(self, steps: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
        """Take the *steps*; if they end in an exception, get the shell back first."""
        try:
            yield from steps
        except _StoppedError as stopped:
            stopped.recovery = self._recover(stopped.diagnosis)
            raise
        except SessionError:
            raise
        except BaseException:
            # Ctrl-C in the calling program, a stream that is left, or whatever a callback or a
            # signal handler raises. If that costs the shell, the next call says so.
            if self._since:
                with contextlib.suppress(SessionError):
                    self._recover()
            raise

    def _ended(self, *, aside: bool = False) -> tuple[int, bytes]:
        """Return the status of the frame that has ended, and what was printed."""
        parser = self._parser
        self._since = None
        assert parser.status is not None
        if not (aside and parser.status == 0):
            self._status = parser.status
        if parser.prompts > 1 and (not parser.started or b"__sb" in parser.last(200)):
            raise SessionError(
                "the shell had lost the functions that the session speaks through; they are back "
                "now, but how this command ended is not known.",
                where=self.where,
                printed=parser.take_output(),
            )
        return parser.status, parser.take_output()

    # A program with a prompt of its own

    def begin(self, command: str, attention: Attention) -> tuple[bytes, int | None]:
        """Start *command*, and return what it prints until it is at its prompt, or its status.

        Raises what :meth:`running` raises.
        """
        data = self._readied(command)
        return self._conversed(command, self._exchange(data, attention), attention)

    def converse(self, line: str, keys: bytes, attention: Attention) -> tuple[bytes, int | None]:
        """Type *keys* to the program that was begun, and return what :meth:`begin` returns.

        What is stopped is interrupted; if that does not bring the program to its prompt, it is
        ended.
        """
        if self._terminal.takes_lines() and len(keys) > _LINE_LIMIT:
            raise UsageError(f"a line of {len(keys)} bytes is more than the terminal hands over")
        self._heard = time.monotonic()
        self._terminal.write(keys, attention.ends(self._heard))
        steps = self._attend(attention, lambda: attention.at_prompt)
        return self._conversed(line, steps, attention, comes_back=True)

    def _conversed(
        self,
        line: str,
        steps: Generator[bytes, None, None],
        attention: Attention,
        *,
        comes_back: bool = False,
    ) -> tuple[bytes, int | None]:
        try:
            outcome(steps)
        except _StoppedError as stopped:
            back = self._brought_back(attention) if comes_back else ""
            stopped.recovery = back or self._recover(stopped.diagnosis)
            partial = self._parser.take_output()
            raise self._stopped(line, stopped, attention, partial) from None
        except SessionError:
            raise
        except BaseException:
            if self._since:
                with contextlib.suppress(SessionError):
                    if not (comes_back and self._brought_back(attention)):
                        self._recover()
            raise
        if self._parser.status is not None:
            status, printed = self._ended()
            return printed, status
        self._answered_at = 0
        return self._parser.take_output(), None

    def _brought_back(self, attention: Attention) -> str:
        """Interrupt a program; say how that was done, if it has come to its prompt by that."""
        back = attention.to_be_back(_BACK_LIMIT)
        if back is None:
            return ""
        self._answered_at = self._parser.size
        self._terminal.write(b"\x03", time.monotonic())
        try:
            outcome(self._attend(back, lambda: back.at_prompt))
        except _StoppedError:
            return ""
        return "Ctrl-C, and the program is at its prompt" if back.at_prompt else ""

    def end_program(self, keys: bytes, attention: Attention) -> int:
        """Type *keys*, or Ctrl-D, and wait until the program has ended; return its status."""
        self._heard = time.monotonic()
        if keys:
            self._terminal.write(keys, attention.ends(self._heard))
        else:
            self._terminal.end_input(attention.ends(self._heard))
        try:
            outcome(self._attend(attention))
        except _StoppedError as stopped:
            stopped.recovery = self._recover(stopped.diagnosis)
            partial = self._parser.take_output()
            raise self._stopped(self._command, stopped, attention, partial) from None
        return self._ended()[0]

    @property
    def is_under_way(self) -> bool:
        """Whether something has been started that has not ended."""
        return self._since is not None and not self.lost

    @property
    def status(self) -> int:
        """The exit status of the last command that has ended."""
        return self._status

    def interrupt(self) -> None:
        """Get the shell to its prompt, if that can be."""
        if self._since:
            with contextlib.suppress(SessionError):
                self._recover()

    # Without frames

    def type(self, keys: bytes, attention: Attention) -> None:
        """Type *keys*, outside of any frame; :meth:`expect` reads what is printed."""
        if self.lost:
            raise self._gone(self.lost)
        if not self._is_raw:
            self._readied("type()")
            self._open(attention)
        self._command = keys.decode("utf-8", "replace")
        self._parser.heed_typing()
        self._terminal.write(keys, attention.ends(self._heard))

    def _open(self, attention: Attention) -> None:
        """Begin a frame whose prompts tell, and that only :meth:`_back_in_step` will end."""
        self._number += 1
        self._parser.expect(self._number)
        self._terminal.hold_modes()
        self._heard, self._seen, self._answered_at = time.monotonic(), 0, 0
        self._since = self._terminal.clock.now()
        self._is_raw = True
        opening = self.dialect.opening(self._number, after_failure=self._status != 0)
        self._terminal.write(opening, attention.ends(self._heard))
        try:
            outcome(self._guarded(self._attend(attention, lambda: self._parser.at_prompt)))
        except _StoppedError as stopped:
            self._is_raw = False
            raise self._stopped("type()", stopped, attention, b"") from None

    def expect(self, patterns: list[re.Pattern[str]], attention: Attention) -> re.Match[str]:
        """Return the first match of one of *patterns* since the last one."""
        if not self._is_raw:
            self.type(b"", attention)
        while True:
            while self._take_in(time.monotonic()):
                pass
            printed = self._parser.last(min(self._parser.size - self._seen, _SCREEN))
            shown = text.plain(self._parser.without_marks(printed))
            matches = [match for one in patterns if (match := one.search(shown))]
            if matches:
                match = min(matches, key=lambda match: match.start())
                self._seen = self._parser.size - len(printed) + self._behind(printed, match.end())
                self._parser.hand_out()
                self._parser.forget(_SCREEN)
                return match
            ends = attention.ends(self._heard)
            if not self._take_in(ends) and time.monotonic() >= ends:
                limit, idle = attention.limits.total, time.monotonic() < attention.deadline
                raise CommandTimeoutError(
                    f"expect {', '.join(repr(one.pattern) for one in patterns)}",
                    limit=(attention.limits.idle if idle else limit) or 0.0,
                    idle=idle,
                    diagnosis=self._judged(),
                    waited=time.monotonic() - attention.started,
                    partial=self._parser.without_marks(printed),
                    recovery="nothing: what was typed was let go on",
                    where=self.where,
                )

    def _behind(self, printed: bytes, length: int) -> int:
        """Return how many bytes of *printed* its first *length* characters are, as expected."""
        low, high = 0, len(printed)
        while low < high:
            middle = (low + high) // 2
            if len(text.plain(self._parser.without_marks(printed[:middle]))) < length:
                low = middle + 1
            else:
                high = middle
        return low

    def _back_in_step(self) -> None:
        """Prove that the shell is at its prompt after something was typed outside of frames."""
        deadline = time.monotonic() + _BACK_LIMIT
        before: Look | None = None
        while not self._parser.at_prompt:
            if self._take_in(min(deadline, time.monotonic() + _SECOND)):
                continue
            look = Look(self._scene())
            waiting = before and look.waiting(before)
            if waiting or time.monotonic() >= deadline:
                raise SessionBusyError(
                    f"what was typed has not ended: {shorten(self._command)}\n"
                    f"It is {waiting or self._judged()}.\n"
                    "To try: bring it to its end with type() and expect(); type(Key.CTRL_C) "
                    "interrupts it."
                )
            before = look
        self._terminal.write(self.dialect.question(self._number), deadline)
        if self._answered(time.monotonic() + _BACK_LIMIT):
            self._ended()
        else:
            self._recover()
        self._is_raw = False

    # Waiting

    def _attend(
        self, attention: Attention, enough: Callable[[], bool] = bool
    ) -> Generator[bytes, None, None]:
        """Read until the frame has ended, or it is *enough*, or raise what stops it."""
        self._group = attention.group
        while self._parser.status is None and not enough():
            ends = attention.ends(self._heard)
            heard = self._take_in(min(ends, attention.look_at, attention.answer_at))
            if heard and attention.shows:
                yield from self._show(attention)
            now = time.monotonic()
            if self._parser.status is not None:
                break
            if now >= attention.deadline:
                raise _StoppedError(now, self._judged(), limit=attention.limits.total)
            if now >= ends and not heard:
                raise _StoppedError(now, self._judged(), limit=attention.limits.idle, idle=True)
            if heard:
                attention.heard(now)
            elif now >= attention.answer_at:
                self._answer(attention)
            if now >= attention.look_at:
                self._look(attention)

    def _show(self, attention: Attention) -> Generator[bytes, None, None]:
        """Hand out what was printed."""
        new = self._parser.hand_out()
        if not new:
            return
        began = time.monotonic()
        if attention.on_output is not None:
            attention.on_output(new)
        if attention.streams:
            yield new
            self._parser.forget(_SHOWN)
        attention.resume(began)

    def _take_in(self, until: float) -> bool:
        """Read once, waiting for it until then; say whether there was anything."""
        parser, terminal = self._parser, self._terminal
        seen = parser.prompts
        data = terminal.read(until - time.monotonic())
        if data:
            self._heard = time.monotonic()
            parser.feed(data)
            if parser.prompts > seen and not self._is_raw:
                self._ask(parser.prompts)
        if terminal.ended and parser.status is None:
            self.lost = self.lost or "the shell has ended"
            raise self._gone(self.lost, parser.take_output())
        return bool(data)

    def _answered(self, deadline: float) -> bool:
        """Read until the frame has ended, or the *deadline* has passed; say which."""
        while self._parser.status is None:
            if not self._take_in(deadline) and time.monotonic() >= deadline:
                return False
            if time.monotonic() >= deadline + _FLOODED:
                return False
        return True

    def _ask(self, time_asked: int) -> None:
        if time_asked == 2:
            # Asked once and no answer, only the prompt again: our words are gone or changed.
            self._terminal.write(self.dialect.rescue(self._key))
        if time_asked <= 2:
            self._terminal.write(self.dialect.question(self._number))

    def _look(self, attention: Attention) -> None:
        """See what the command is doing, and tell of it if it waits for somebody."""
        if not self._is_up:
            # A shell that comes up slowly has nothing to do with what it will be sent.
            attention.look_at = inf
            return
        started = time.monotonic()
        before, attention.seen = attention.seen, Look(self._scene())
        waiting = attention.seen.waiting(before) if before else None
        found = attention.seen.readers.keys() - (before.readers.keys() if before else ())
        now = time.monotonic()
        quiet_at = self._heard + diagnosis.QUIET_ENOUGH
        attention.look_later(now, now - started, found=bool(found), quiet_at=quiet_at + _MOMENT)
        if attention.group and before and attention.seen.has_stopped(before):
            does = "has stopped: it wants the terminal, which a background job cannot have"
            raise _StoppedError(now, attention.seen.working(before), does=does)
        if waiting is None:
            attention.told = None
            return
        occasion = waiting.occasion or (waiting.kind, self._parser.size)
        if occasion == attention.told or (waiting.turn and waiting.turn == attention.answered):
            return
        if attention.on_waiting is not None:
            attention.told = occasion
            self._tell(waiting, attention, attention.on_waiting)
        elif waiting.kind == "shell" and waiting.certain:
            # It would never end, and what is sent next would go to nobody knows whom.
            raise _StoppedError(now, waiting)
        elif attention.dialogue and waiting.certain and waiting.lasting:
            raise _StoppedError(now, waiting, why=attention.dialogue.hint())

    def _tell(self, waiting: Diagnosis, attention: Attention, on_waiting: OnWaiting) -> None:
        asked = time.monotonic()
        answer = on_waiting(waiting)
        attention.resume(asked)
        if answer is False:
            raise _StoppedError(time.monotonic(), waiting)
        if isinstance(answer, str):
            self._type(frames.encode(answer), attention, f"on_waiting returned {answer!r}")
        elif isinstance(answer, (bytes, Secret, Key)):
            if isinstance(answer, Secret):
                self._secrets.add(answer)
            full_screen = waiting.kind == "full-screen"
            what = f"on_waiting returned {answer!r}"
            self._reply(answer, attention, what, full_screen=full_screen)
        elif answer is not None:
            raise UsageError(f"on_waiting returned {answer!r}, not text, None or False")

    def _answer(self, attention: Attention) -> None:
        """Answer what the command asks, if it does, and if somebody reads the answer."""
        talk = attention.dialogue
        assert talk
        printed = self._parser.last(min(self._parser.size - self._answered_at, _SCREEN))
        # What an answer changes on a screen may be little.
        alone = diagnosis.is_on_its_screen(self._parser.last(_SCREEN))
        drawn = alone or diagnosis.has_screen(printed)
        question = talk.asked(rendered(printed if drawn else printed[-_SHOWN:]), full_screen=drawn)
        is_prompt = question is not None and question.answer is attention.prompt
        if question and is_prompt and attention.is_sure(question.match.group()):
            attention.at_prompt = True
            return
        if question is None and not attention.reads:
            attention.answer_at = inf
            return
        look = Look(self._scene(prompted=question is not None))
        asking, now = look.asking(), time.monotonic()
        if self._terminal.has_unread():
            # That may be another question.
            attention.answer_at = now
            return
        if asking is None and look.is_blind and now >= self._heard + _BLIND_PAUSE:
            asking = Diagnosis("question", question=text.last_line(printed)[0], certain=False)
        if asking is None or (asking.turn and asking.turn == attention.answered):
            attention.answer_later(now)
            return
        attention.answer_at = inf
        if question is None or is_prompt:
            # Nobody types a line for a password question but who has the answer to it.
            attention.at_prompt = is_prompt or asking.kind != "password"
            attention.answered = asking.turn
            return
        refusal = question.refusal
        if question.answer.secret and not dialogue.may_have(question, hidden=asking.hidden):
            refusal = (
                "A secret is only typed where it is not shown, or to what speaks of a password"
            )
        reply = False if refusal else talk.reply(question)
        attention.resume(now)
        if reply is None:
            return
        if reply is False:
            raise _StoppedError(
                time.monotonic(),
                asking,
                does=f"asks `{question.line.strip()}`",
                why=refusal or "The answers give up there",
                asked=question.line,
            )
        talk.note(question, reply)
        what = f"the answer to {question.answer.pattern.pattern!r}"
        self._reply(reply, attention, what, full_screen=drawn or asking.kind == "full-screen")
        attention.answered = asking.turn

    def _reply(self, reply: Typed, attention: Attention, what: str, *, full_screen: bool) -> None:
        cursor_keys = re.findall(rb"\x1b\[\?1([hl])", self._parser.last(_SCREEN))
        keys = dialogue.keystrokes(
            reply,
            lines=self._terminal.takes_lines(),
            full_screen=full_screen,
            application=cursor_keys[-1:] == [b"h"],
        )
        self._type(keys, attention, what)

    def _type(self, keys: bytes, attention: Attention, what: str) -> None:
        if self._terminal.takes_lines() and not re.fullmatch(_ONE_LINE, keys):
            raise UsageError(
                f"{what}, but the program takes lines: type one, with its newline. The next has to "
                "wait until it is asked for."
            )
        # The answer is not echoed, so that the next question would stand on the same line.
        self._answered_at = self._parser.size
        self._terminal.write(keys, attention.ends(self._heard))
        attention.told = None

    def _judged(self) -> Diagnosis:
        def scene() -> diagnosis.Scene:
            # Who judges is who reads: nothing that was said may be left unread.
            self._answered(time.monotonic())
            return self._scene()

        found = diagnosis.judge(scene)
        return found if self._parser.status is None else Diagnosis("idle", because="just now")

    def diagnose(self) -> Diagnosis:
        """Say what the running command seems to be doing. From any thread."""
        since, found = self._since, None
        if since and not self._stopping:
            found = diagnosis.judge(lambda: self._scene(since))
        if self.lost:
            return Diagnosis("disconnected", because=self.lost)
        if self._stopping:
            return self._stopping
        if found is None or self._since is not since or self._parser.status is not None:
            return Diagnosis("idle")
        return found

    def _scene(self, since: Moment | None = None, *, prompted: bool = False) -> diagnosis.Scene:
        printed = self._parser.last(min(self._parser.size - self._answered_at, _SHOWN))
        return diagnosis.Scene(
            shell=self._terminal.pid,
            image=self._image,
            device=self._terminal.device,
            modes=self._terminal.modes(),
            foreground=self._group or self._terminal.foreground(),
            spared=self._terminal.spared - {self._group},
            unread=self._terminal.has_unread(),
            since=since or self._since or self._terminal.clock.now(),
            printed=self._parser.without_marks(printed) if self._is_raw else printed,
            quiet=time.monotonic() - self._heard,
            prompted=prompted,
        )

    # Getting it back

    def _recover(self, diagnosis: Diagnosis | None = None) -> str:
        """Get the shell to its prompt, by ever stronger means; return what it took."""
        assert self._since
        since, terminal = self._since, self._terminal
        self._stopping = diagnosis or Diagnosis("silent", because="it is being stopped")
        if self._answered(time.monotonic()):
            return self._recovered("nothing, as it had just ended by itself", since)
        steps: list[tuple[str, float, Callable[[float], object]]] = [
            ("Ctrl-C", 0.3, self._interrupt),
            ("Ctrl-C", 0.7, self._insist),
            ("Ctrl-C again", 0.4, self._interrupt),
            ("Ctrl-\\", 0.4, lambda deadline: terminal.press(termios.VQUIT, deadline)),
            ("Ctrl-D", 0.4, lambda deadline: self._leave(deadline, inner=False)),
            ("hanging up on what it had started", 0.3, self._hang_up),
            ("killing what it had started", 0.5, self._kill),
            # What was killed may have read the last question in the shell's place.
            ("killing what it had started", 0.7, self._ask_at_the_prompt),
        ]
        if diagnosis and diagnosis.kind == "shell":
            if diagnosis.pid == terminal.pid:
                self.lost = (
                    f"the shell was replaced by another one, {diagnosis.process}, which login() "
                    "is for"
                )
                raise self._gone(self.lost, self._parser.take_output())
            # Nothing but the end of its input, or death, makes it leave.
            steps.insert(0, ("Ctrl-D", 1.0, lambda deadline: self._leave(deadline, inner=True)))
        elif terminal.pass_on(b"\x03") and self._answered(time.monotonic() + 0.5):
            return self._recovered("Ctrl-C", since)
        for name, bound, act in steps:
            deadline = time.monotonic() + bound
            act(deadline)
            if self._answered(deadline):
                return self._recovered(name, since)
        # It may go on for ever by itself, as a loop does with a trap of its own.
        terminal.kill()
        terminal.close()
        self.lost = "the shell had to be killed, as nothing else stopped its last command"
        return "killing the shell itself, so the session is lost"

    def _recovered(self, name: str, since: Moment) -> str:
        assert self._parser.status is not None
        self._status = self._parser.status
        left = self._terminal.end_since(since)
        self._settle()
        self._since = self._stopping = None
        if left:
            name += f", and ending what it had left on the terminal: {', '.join(left)}"
        return name

    def _interrupt(self, deadline: float) -> None:
        self._pressed = self._terminal.clock.now()
        self._terminal.press(termios.VINTR, deadline)
        if self._since:
            # What is stopped gets it only as it goes on.
            self._terminal.resume_since(self._since)

    def _insist(self, deadline: float) -> None:
        """Do for a shell what Ctrl-C alone does not."""
        terminal, since, pressed = self._terminal, self._since, self._pressed
        if self.dialect.abandon and not self._parser.started:
            terminal.write(self.dialect.abandon, deadline)
            self._ask_at_the_prompt(deadline)
        elif terminal.pid in Look(self._scene()).readers:
            self._ask_at_the_prompt(deadline)
        # A shell in a loop takes no notice where the program that it waits for ends by itself.
        elif since and pressed and not terminal.is_held_up(since, pressed):
            for _ in range(_INSISTENCE):
                self._interrupt(deadline)
                if self._answered(min(deadline, time.monotonic() + _INSISTENT)):
                    break

    def _ask_at_the_prompt(self, deadline: float) -> None:
        """Ask how the frame ended, if the shell is at a prompt that does not tell.

        Such as one that a command has changed for good, or that came before the frame was read.
        """
        if self._since and self._terminal.is_alone_since(self._since):
            self._terminal.write(self.dialect.question(self._number), deadline)

    def _leave(self, deadline: float, *, inner: bool) -> None:
        terminal = self._terminal
        if inner or (terminal.foreground() != terminal.pid and Look(self._scene()).readers):
            # A shell in the shell gives the terminal back as it leaves. Killed, it does not.
            terminal.end_input(deadline)
        else:
            self._ask_at_the_prompt(deadline)

    def _hang_up(self, deadline: float) -> None:
        # Ctrl-C also empties the queue of what was typed, which the shell itself is to read next.
        self._interrupt(deadline)
        if self._since:
            self._terminal.kill_since(self._since, signal.SIGHUP)

    def _kill(self, deadline: float) -> None:
        if self._since:
            self._terminal.kill_since(self._since, signal.SIGKILL)

    def _settle(self) -> None:
        if self.dialect.settle:
            partial, status = self._parser.take_output(), self._parser.status
            self._number += 1
            self._parser.expect(self._number)
            self._terminal.write(self.dialect.aside(self._number, self.dialect.settle))
            self._answered(time.monotonic() + 1.0)
            self._parser.resume(partial, status)

    def state(self) -> tuple[str, dict[str, str]]:
        """Return its working directory and its exported variables, and leave no trace of asking.

        By way of a file: on the terminal, anything might print in between.
        """
        import tempfile

        with tempfile.NamedTemporaryFile(prefix="shellbot-") as file:
            attention = Attention(Limits(_STATE_LIMIT))
            try:
                frame = self._frame(self.dialect.state(file.name), attention, aside=True)
                status, raw = outcome(frame)
            except _StoppedError:
                status, raw = 1, self._parser.take_output()
            told = file.read().decode("utf-8", "surrogateescape")
        *variables, directory = told.split("\0")
        if status != 0 or not directory.startswith("/"):
            raise SessionError("the shell does not tell its state", where=self.where, printed=raw)
        environment = dict(one.split("=", 1) for one in variables)
        return directory.removesuffix("\n"), surroundings.harmless(environment)

    def drain(self, limit: float) -> None:
        """Take in what arrives during *limit* seconds between commands."""
        deadline = time.monotonic() + limit
        while (left := deadline - time.monotonic()) > 0:
            self._parser.feed(self._terminal.read(left))
            if self._terminal.ended:
                self.lost = "the shell has ended between two commands"
                raise self._gone(self.lost)

    def abandon(self, why: str) -> None:
        """Kill the shell. Whoever waits for it is told *why*. From any thread."""
        self.lost = why
        self._terminal.kill()

    def close(self) -> None:
        """End the shell, within :data:`shellbot.terminal.CLOSE_BOUND` seconds."""
        self._terminal.close()

    def _gone(self, why: str, partial: bytes = b"") -> LevelLostError:
        code = self._terminal.exit_code
        told = "" if code is None else f" with status {code}" if code >= 0 else ""
        if code is not None and code < 0:
            told = f", killed by signal {-code}"
        return LevelLostError(
            f"{why}{told}: {shorten(self._command)}",
            exit_code=code,
            partial=self._parser.without_marks(partial) if self._is_raw else partial,
            where=self.where,
            advice=self._advice,
        )


def outcome(steps: Generator[object, None, Outcome]) -> Outcome:
    """Take all the *steps*, and return what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Outcome = end.value
            return result
