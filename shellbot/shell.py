"""One shell on a terminal: start it, run one command at a time, and get it back when it hangs."""

from __future__ import annotations

import os
import termios
import time
from collections.abc import Callable, Mapping

from . import dialects, frames
from .dialects import Dialect
from .errors import CommandTimeoutError, LevelLostError, SessionError, StartError
from .result import Result, Where
from .terminal import Terminal
from .text import quote

_START_LIMIT = 30.0
_SIGNAL_GRACE = 1.0

# Nobody is there to press the space bar, whatever the user's own pager is.
_PAGERS = (
    *("PAGER", "MANPAGER", "GIT_PAGER", "GH_PAGER", "SYSTEMD_PAGER"),
    *("PSQL_PAGER", "BAT_PAGER", "DELTA_PAGER", "AWS_PAGER"),
)
# What would change the prompt, run code at it, read a file at the start or log the user out; and
# exported functions that hide the built-in words which everything rests on.
_NOT_INHERITED = (
    "_",  # dash and ash would go on exporting it, whatever its size
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PROMPT",
    "PROMPT2",
    "RPROMPT",
    "RPS1",
    "PROMPT_COMMAND",
    "ENV",
    "TMOUT",
    "HISTFILE",
    "SHELLOPTS",
    "BASHOPTS",
    "POSIXLY_CORRECT",
    "EDITRC",
    "BASH_FUNC_builtin%%",
    "BASH_FUNC_command%%",
)
_TERM = "xterm"


class _TimedOutError(Exception):
    """A frame did not end in time; what it waited, and what it took to get the shell back."""

    def __init__(self, waited: float, recovery: str) -> None:
        self.waited = waited
        self.recovery = recovery


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
    ) -> None:
        self.dialect: Dialect = program.dialect
        self.where = where
        self.lost: str | None = None
        """Why the shell can no longer be used, if so."""
        self._number = -1
        self._status = 0
        self._key = frames.new_key()
        self._parser = frames.Parser(self._key)
        self._terminal = Terminal(
            program.arguments,
            environment=_surroundings(program, environment),
            size=size,
        )
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
            result = self.run(first, timeout=_START_LIMIT)
        except SessionError as error:
            raise StartError(
                f"{self.dialect} did not come up within {_START_LIMIT:g} s as a shell that "
                "answers.",
                printed=self._parser.unsolicited,
            ) from error
        if not result.ok:
            raise StartError(f"cannot start in {cwd!r}.", where=self.where, printed=result.raw)

    def run(self, command: str, *, timeout: float | None) -> Result:
        """Run *command* and return what it did. The caller judges the status.

        Raises :class:`CommandTimeoutError` after *timeout* seconds, with the shell in step again,
        and :class:`LevelLostError` when the shell is gone.
        """
        data = frames.encode(command)
        if self.lost:
            raise self._gone(self.lost, b"")
        started = time.monotonic()
        deadline = None if timeout is None else started + timeout
        status, raw = 0, b""
        try:
            if frames.may_lack_terminator(data):
                status, raw = self._frame(frames.parsed_only(data), deadline, aside=True)
            if status == 0 and not frames.does_nothing(data):
                status, raw = self._frame(data, deadline)
        except _TimedOutError as timed_out:
            raise CommandTimeoutError(
                command,
                limit=timeout or 0.0,
                waited=timed_out.waited,
                partial=self._parser.take_output(),
                recovery=timed_out.recovery,
                where=self.where,
            ) from None
        duration = time.monotonic() - started
        return Result(
            command=command, raw=raw, exit_code=status, duration=duration, where=self.where
        )

    def _frame(
        self, data: bytes, deadline: float | None, *, aside: bool = False
    ) -> tuple[int, bytes]:
        self._number += 1
        parser, terminal = self._parser, self._terminal
        parser.expect(self._number)
        started, moment = time.monotonic(), _since_boot()
        try:
            if terminal.hold_modes() and self.dialect.calm:
                terminal.write(self.dialect.calm)
            if aside:
                frame = self.dialect.aside(self._number, data)
            else:
                failed = self._status != 0
                frame = self.dialect.frame(self._number, data, after_failure=failed)
            terminal.write(frame)
            if not self._answered(deadline):
                waited = time.monotonic() - started
                raise _TimedOutError(waited, self._recover(moment))
        except (_TimedOutError, SessionError):
            raise
        except BaseException:
            # Ctrl-C in the calling program, or whatever a signal handler of its raises.
            self._recover(moment)
            raise
        assert parser.status is not None
        if not (aside and parser.status == 0):
            self._status = parser.status
        if parser.prompts > 1 and (not parser.started or b"__sb" in parser.output[-200:]):
            raise SessionError(
                "the shell had lost the functions that the session speaks through; they are back "
                "now, but how this command ended is not known.",
                where=self.where,
                printed=parser.take_output(),
            )
        return parser.status, parser.take_output()

    def _answered(self, deadline: float | None) -> bool:
        """Read until the frame has ended, or the *deadline* has passed; say which."""
        parser, terminal = self._parser, self._terminal
        limit = None
        seen = parser.prompts
        while parser.status is None:
            if deadline is not None:
                limit = deadline - time.monotonic()
                if limit <= 0:
                    return False
            parser.feed(terminal.read(limit))
            if parser.prompts > seen:
                seen = parser.prompts
                self._ask(seen)
            if terminal.ended and parser.status is None:
                self.lost = "the shell has ended"
                raise self._gone(self.lost, parser.take_output())
        return True

    def _ask(self, time_asked: int) -> None:
        if time_asked == 2:
            # Asked once and no answer, only the prompt again: our words are gone or changed.
            self._terminal.write(self.dialect.rescue(self._key))
        if time_asked <= 2:
            self._terminal.write(self.dialect.question(self._number))

    def _recover(self, moment: float) -> str:
        """Get the shell to its prompt, by ever stronger means; return what it took."""
        terminal = self._terminal
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("Ctrl-C", lambda: terminal.press(termios.VINTR)),
            ("Ctrl-C again", lambda: terminal.press(termios.VINTR)),
            ("Ctrl-\\", lambda: terminal.press(termios.VQUIT)),
            ("Ctrl-D", lambda: self._leave_inner_shell(moment)),
            ("killing what it had started", lambda: terminal.kill_since(moment)),
        )
        for name, act in steps:
            act()
            if self._answered(time.monotonic() + _SIGNAL_GRACE):
                assert self._parser.status is not None
                self._status = self._parser.status
                self._settle()
                return name
        self.lost = "nothing got the shell back after a time-out"
        return "nothing helped, and the session is lost"

    def _leave_inner_shell(self, moment: float) -> None:
        if not self._terminal.in_foreground():
            # A shell in the shell gives the terminal back as it leaves. Killed, it does not.
            self._terminal.press(termios.VEOF)
        elif not self._terminal.started_since(moment):
            # The shell is at its prompt, and a command has changed that for good.
            self._terminal.write(self.dialect.question(self._number))

    def _settle(self) -> None:
        if self.dialect.settle:
            partial, status = self._parser.take_output(), self._parser.status
            self._number += 1
            self._parser.expect(self._number)
            self._terminal.write(self.dialect.aside(self._number, self.dialect.settle))
            self._answered(time.monotonic() + _SIGNAL_GRACE)
            self._parser.resume(partial, status)

    def drain(self, limit: float) -> None:
        """Take in what arrives during *limit* seconds between commands."""
        deadline = time.monotonic() + limit
        while (left := deadline - time.monotonic()) > 0:
            self._parser.feed(self._terminal.read(left))
            if self._terminal.ended:
                self.lost = "the shell has ended between two commands"
                raise self._gone(self.lost, b"")

    def close(self) -> None:
        """End the shell, within :data:`shellbot.terminal.CLOSE_BOUND` seconds."""
        self.lost = "the session is closed"
        self._terminal.close()

    def _gone(self, why: str, partial: bytes) -> LevelLostError:
        code = self._terminal.exit_code
        told = "" if code is None else f" with status {code}" if code >= 0 else ""
        if code is not None and code < 0:
            told = f", killed by signal {-code}"
        return LevelLostError(f"{why}{told}", exit_code=code, partial=partial, where=self.where)


def _surroundings(program: dialects.Program, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a shell: the caller's, less what would get in the way."""
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    environment.update(dict.fromkeys(_PAGERS, "cat"), TERM=_TERM)
    environment.update(program.dialect.environment)
    environment.update(given)
    return environment


def _since_boot() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else 0.0
