"""One shell on a terminal: start it, run one command at a time, and get it back when it hangs."""

from __future__ import annotations

import os
import termios
import time
from collections.abc import Mapping

from . import dialects, frames
from .dialects import Dialect
from .errors import CommandTimeoutError, LevelLostError, SessionError, StartError
from .result import Result, Where
from .terminal import Terminal
from .text import quote, shorten

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
            blocked=program.dialect.blocked,
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
        status, raw = 0, b""
        if frames.may_lack_terminator(data):
            status, raw = self._frame(command, frames.parsed_only(data), timeout)
        if status == 0 and not frames.does_nothing(data):
            left = None if timeout is None else timeout - (time.monotonic() - started)
            status, raw = self._frame(command, data, left)
        duration = time.monotonic() - started
        return Result(
            command=command, raw=raw, exit_code=status, duration=duration, where=self.where
        )

    def _frame(self, command: str, data: bytes, timeout: float | None) -> tuple[int, bytes]:
        self._number += 1
        parser, terminal = self._parser, self._terminal
        parser.expect(self._number)
        started = time.monotonic()
        moment = _since_boot()
        try:
            if terminal.hold_modes() and self.dialect.calm:
                terminal.write(self.dialect.calm)
            terminal.write(self.dialect.frame(self._number, data, after_failure=self._status != 0))
            if not self._answered(timeout):
                waited = time.monotonic() - started
                recovery = self._recover(moment)
                raise CommandTimeoutError(
                    command,
                    limit=timeout or 0.0,
                    waited=waited,
                    partial=parser.take_output(),
                    recovery=recovery,
                    where=self.where,
                )
        except KeyboardInterrupt:
            self._recover(moment)
            raise
        assert parser.status is not None
        self._status = parser.status
        if parser.prompts > 1 and (not parser.started or b"__sb" in parser.output[-200:]):
            raise SessionError(
                "the shell had lost the functions that the session speaks through; they are back "
                f"now, but how this command ended is not known: {shorten(command)}",
                where=self.where,
                printed=parser.take_output(),
            )
        return parser.status, parser.take_output()

    def _answered(self, limit: float | None) -> bool:
        """Read until the frame has ended, or for *limit* seconds; say which."""
        parser, terminal = self._parser, self._terminal
        deadline = None if limit is None else time.monotonic() + limit
        seen = parser.prompts
        while parser.status is None:
            if deadline is not None:
                limit = deadline - time.monotonic()
                if limit <= 0:
                    return False
            data = terminal.read(limit)
            parser.feed(data)
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
        steps = (
            ("Ctrl-C", lambda: self._terminal.press(termios.VINTR)),
            ("Ctrl-C again", lambda: self._terminal.press(termios.VINTR)),
            ("Ctrl-\\", lambda: self._terminal.press(termios.VQUIT)),
            ("killing what it had started", lambda: self._terminal.kill_since(moment)),
        )
        for name, act in steps:
            act()
            # A prompt that a command has changed for good would not tell that it has come.
            self._terminal.write(self.dialect.question(self._number))
            if self._answered(_SIGNAL_GRACE):
                assert self._parser.status is not None
                self._status = self._parser.status
                return name
        self.lost = "nothing got the shell back after a time-out"
        return "nothing helped, and the session is lost"

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
