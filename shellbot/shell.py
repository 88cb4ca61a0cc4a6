"""A shell of a session: start it, run one command at a time, and get it back when it hangs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from math import inf

from . import diagnosis, dialects, frames, surroundings
from .attention import Attention
from .conversation import Conversation, StoppedError, never_asked
from .diagnosis import Diagnosis
from .dialogue import Secrets
from .errors import SessionBusyError, SessionError, StartError
from .limits import Limits
from .line import Line
from .recovery import Recovery
from .result import Result, Where
from .terminal import Terminal
from .text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeVar

    Outcome = TypeVar("Outcome")

_START_LIMIT = 30.0
_STATE_LIMIT = 5.0
# What is typed at once and not longer than this a relay takes as a whole or not at all: a terminal
# keeps 4,095 bytes for its reader (N_TTY_BUF_SIZE).
_AT_ONCE = 3_000
# How many lines of input are typed before it is seen whether anybody is there, and how many before
# they have to have been taken: sshd (9.2) sends a packet as long as what it writes to a terminal in
# one go without echo (channel_handle_wfd() in channels.c), and ssh gives up at 256 KiB.
_LINES, _LINES_BELOW = 64, 128


class Shell:
    """A shell that has been told our prompt and our marks, and answers frame by frame."""

    def __init__(self, line: Line) -> None:
        self.line = line
        """What is typed and printed."""
        self._recovery: Recovery | None = None
        """The way back from the command that is being stopped, while it is."""

    @property
    def dialect(self) -> dialects.Dialect:
        """How the shell is spoken with."""
        return self.line.dialect

    @property
    def where(self) -> Where:
        """Where its commands run."""
        return self.line.where

    @property
    def lost(self) -> str | None:
        """Why the shell can no longer be used, if so."""
        return self.line.lost

    @property
    def terminal(self) -> Terminal:
        """The terminal that the shell is on."""
        return self.line.terminal

    @property
    def unsolicited(self) -> bytes:
        """The last 64 KiB that came in when no command was running: background jobs, mostly."""
        return self.line.parser.unsolicited

    def start(self, first: str = "true") -> Result:
        """Tell the shell our prompt and our marks, and run *first* as a proof that it answers."""
        self.line.type(self.dialect.set_up(self.line.key, shows_modes=self.line.relayed))
        result = outcome(self.running(first, Attention(Limits(_START_LIMIT))))
        self.line.is_ready()
        return result

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
        data = self.readied(command)
        status, raw, errors = 0, b"", b"" if splits else None
        asks, runs = frames.may_lack_terminator(data), not frames.does_nothing(data)
        try:
            if apart := self._goes_apart(data):
                yield from self._take_in(data, attention, as_command=True)
                data = self.dialect.taken
            if asks:
                only = self.dialect.taken_only if apart else frames.parsed_only(data)
                status, raw = yield from self._frame(only, attention, aside=True)
            if status == 0 and runs:
                if given is not None:
                    yield from self._take_in(given, attention)
                    data = self.dialect.fed(data)
                if splits:
                    data = self.dialect.split(self.line.number + 1, data)
                status, raw = yield from self._frame(data, attention)
                if splits:
                    raw, errors = self._split(status, raw)
            if apart:
                self._forget_taken()
        except StoppedError as stopped:
            partial = attention.own(self.line.parser.take_output())
            if splits:
                there, left = self._errors_left()
                partial += left if there else b""
            raise stopped.told(command, self.line, attention, partial) from None
        raw = attention.own(raw)
        duration = time.monotonic() - attention.started
        if attention.dialogue and attention.dialogue.never_asked():
            raise never_asked(command, self.line, attention, raw)
        return Result(
            command=command,
            raw=raw,
            raw_stderr=errors,
            exit_code=status,
            duration=duration,
            where=self.line.where,
            truncated=attention.streams,
            hide=self.line.secrets.hide_bytes,
        )

    def readied(self, command: str) -> bytes:
        """Make sure that the shell is at its prompt, and return *command* as bytes."""
        data = frames.encode(command)
        if self.line.inner:
            raise SessionBusyError(
                f"the shell on {self.where} is where the session has logged in from to "
                f"{self.line.inner.where}; log out first"
            )
        if self.line.is_under_way:
            # What interrupted the last call also interrupted its getting the shell back.
            self.recover()
        if self.line.lost:
            raise self.line.gone()
        self.line.command = command
        return data

    def aside(self, frame: bytes, attention: Attention, *, command: str = "") -> tuple[int, bytes]:
        """Run what is no command of the user's; return its status and what it printed."""
        self.readied(command)
        try:
            if apart := self._goes_apart(frame):
                outcome(self._take_in(frame, attention, as_command=True))
                frame = self.dialect.taken
            ended = outcome(self._frame(frame, attention, aside=True))
            if apart:
                self._forget_taken()
            return ended
        except StoppedError as stopped:
            partial = self.line.parser.take_output()
            raise stopped.told(command, self.line, attention, partial) from None

    def _goes_apart(self, command: bytes) -> bool:
        """Whether *command* may arrive in parts, and the rest at the shell further out."""
        may_arrive_in_parts = self.line.outer is not None and len(command) > _AT_ONCE
        return may_arrive_in_parts and not self.dialect.runs_outside_eval(command)

    def _forget_taken(self) -> None:
        attention = Attention(Limits(_STATE_LIMIT))
        outcome(self._frame(self.dialect.forget_taken, attention, aside=True))

    def _take_in(
        self, data: bytes, attention: Attention, *, as_command: bool = False
    ) -> Generator[bytes, None, None]:
        """Have the shell take in *data* that is typed, as a command or as the input of one."""
        if not self.line.outer:
            lines = frames.as_input(data)
            yield from self._taken(self.dialect.take_input, lines, attention)
            return
        lines = frames.as_inert_input(data)
        for at in range(0, max(len(lines), 1), _LINES_BELOW):
            some = lines[at : at + _LINES_BELOW]
            is_last = at + _LINES_BELOW >= len(lines)
            take = self.dialect.take_lines(
                len(some), is_first=at == 0, is_last=is_last, as_command=as_command
            )
            yield from self._taken(take, some, attention)

    def _taken(
        self, take: bytes, lines: list[bytes], attention: Attention
    ) -> Generator[bytes, None, None]:
        status, raw = yield from self._frame(take, attention, lines=lines, aside=True)
        if status != 0:
            raise SessionError("the input was not taken in", where=self.where, printed=raw)

    def _split(self, status: int, raw: bytes) -> tuple[bytes, bytes]:
        """Return what came on standard output, and what on standard error."""
        at = self.line.parser.errors_at
        if at is not None:
            return raw[:at], raw[at:]
        # Ctrl-C, or an error in a special built-in, has ended the line early. Or it was not begun.
        there, errors = self._errors_left()
        if not there:
            raise SessionError(
                "no room in $TMPDIR, or else /tmp, for the standard error of a command, which was "
                "not run",
                where=self.where,
                printed=errors,
            )
        return raw, errors

    def _errors_left(self) -> tuple[bool, bytes]:
        """Return whether a command that was cut short has left standard error, and that."""
        if self.lost:
            return False, b""
        attention = Attention(Limits(_STATE_LIMIT))
        status, errors = outcome(self._frame(self.dialect.tell_errors, attention, aside=True))
        return status == 0, errors

    def _frame(
        self,
        data: bytes,
        attention: Attention,
        *,
        aside: bool = False,
        lines: list[bytes] | None = None,
    ) -> Generator[bytes, None, tuple[int, bytes]]:
        try:
            yield from self.exchange(data, attention, aside=aside, lines=lines)
        except BaseException as error:
            self._regain(error)
            raise
        return self.line.ended(aside=aside)

    def exchange(
        self,
        data: bytes,
        attention: Attention,
        *,
        aside: bool = False,
        lines: list[bytes] | None = None,
    ) -> Generator[bytes, None, None]:
        """Type a frame, and read until it has ended or what *attention* looks for is there."""
        line, talk = self.line, Conversation(self.line, attention)
        if line.hold_modes() and self.dialect.calm and not line.relayed:
            line.type(self.dialect.calm, attention.deadline)
        # A frame that was refused is typed once more.
        for may_be_refused in (line.relayed, False):
            line.begin()
            if aside:
                frame = line.dialect.aside(line.number, data, line.word)
            else:
                failed = line.status != 0
                frame = line.dialect.frame(line.number, data, after_failure=failed, word=line.word)
            line.type(frame, attention.ends(line.heard))
            if attention.streams:
                # So that whoever asked for a stream has started it by asking.
                yield b""
                attention.resume(line.heard)
            if lines is not None:
                yield from talk.go_on(lambda: line.parser.started)
                ends = attention.ends(inf)
                parts = (b"".join(lines[at : at + _LINES]) for at in range(0, len(lines), _LINES))
                begun = line.parser.status is None
                if begun and all(line.type(one, ends) for one in parts) and not line.outer:
                    line.end_input(ends)
            yield from talk.go_on(attention.is_at_prompt)
            if not may_be_refused or not self._was_refused():
                return

    def _was_refused(self) -> bool:
        """Put the modes back, if the frame was not begun as they were others; say whether so."""
        line = self.line
        if line.parser.started or line.parser.status is None:
            return False
        said, status = line.parser.take_output(), line.parser.status
        # The shell itself may have put them back by now.
        if line.hold_modes(asking=True) or line.key[:9].encode() in said:
            return True
        line.parser.resume(said, status)
        return False

    def guarded(self, steps: Generator[bytes, None, None]) -> None:
        """Take the *steps*; if they end in an exception, get the shell back first."""
        try:
            outcome(steps)
        except BaseException as error:
            self._regain(error)
            raise

    def _regain(self, error: BaseException) -> None:
        """Get the shell back from what has ended in an *error*, and tell that how."""
        if isinstance(error, StoppedError):
            error.recovery = self.recover(error.diagnosis)
        elif not isinstance(error, SessionError) and self.line.since:
            # Ctrl-C in the calling program, a stream that is left, or whatever a callback or a
            # signal handler raises. If that costs the shell, the next call says so.
            with contextlib.suppress(SessionError):
                self.recover()

    def recover(self, diagnosis: Diagnosis | None = None) -> str:
        """Get the shell to its prompt, by ever stronger means; return what it took."""
        self._recovery = Recovery(self.line, diagnosis)
        took = self._recovery.run()
        self._recovery = None
        return took

    def diagnose(self) -> Diagnosis:
        """Say what the running command seems to be doing. From any thread."""
        since, recovery, found = self.line.since, self._recovery, None
        if since and not recovery:
            found = diagnosis.judge(lambda: self.line.scene(since))
        if self.line.lost:
            return Diagnosis("disconnected", because=self.line.lost)
        if recovery := recovery or self._recovery:
            return recovery.diagnosis
        if found is None or self.line.since is not since or self.line.parser.status is not None:
            return Diagnosis("idle")
        return found

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
            except StoppedError:
                status, raw = 1, self.line.parser.take_output()
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
            self.line.hear(left)
            if self.terminal.ended:
                self.line.lose(None, "the shell has ended between two commands")
                raise self.line.gone()

    def abandon(self, why: str) -> None:
        """Kill the shell. Whoever waits for it is told *why*. From any thread."""
        self.line.lose(None, why)
        self.line.terminal.kill()

    def close(self) -> None:
        """End the shell, within :data:`shellbot.terminal.CLOSE_BOUND` seconds."""
        self.line.terminal.close()


def opened(
    program: dialects.Program,
    *,
    cwd: str | None,
    environment: Mapping[str, str],
    size: tuple[int, int],
    here: Callable[[], Where],
    secrets: Secrets,
    advice: str,
) -> Shell:
    """Start *program* on a terminal of its own, or raise :class:`StartError`."""
    terminal = Terminal(program.arguments, environment=environment, size=size)
    try:
        dialect, where = program.dialect, here()
        line = Line(terminal, dialect, where=where, secrets=secrets, advice=advice)
        shell = Shell(line)
        try:
            result = shell.start("true" if cwd is None else f"cd -- {quote(cwd)}")
        except SessionError as error:
            raise StartError(
                f"{dialect} did not come up within {_START_LIMIT:g} s as a shell that answers.",
                printed=line.parser.unsolicited,
            ) from error
        if not result.ok:
            raise StartError(f"cannot start in {cwd!r}.", where=where, printed=result.raw)
    except BaseException:
        terminal.close()
        raise
    return shell


def outcome(steps: Generator[object, None, Outcome]) -> Outcome:
    """Take all the *steps*, and return what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Outcome = end.value
            return result
