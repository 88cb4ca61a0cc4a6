"""Commands that run in the background of a session, any number at once."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time

from . import frames, text
from .attention import Attention
from .errors import CommandError, CommandTimeoutError, CommandWaitingError, SessionError
from .limits import DEFAULT, Limits, accepted
from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .dialogue import Secrets
    from .limits import Check, Default
    from .shell import Shell

_ASK_LIMIT = 30.0
_GRACE = 2.0
# Killed by SIGKILL; and what `wait` says of a process that the shell does not know (any more).
_KILLED, _UNKNOWN = 137, 127
# With the session: how long each step may take, and how long a job has for its own ending.
_END_LIMIT, _LEAVING = 0.5, 0.1


class Job:
    """A command in the background, as :meth:`Session.background` starts it.

    It has a process group of its own, reads nothing and prints into a file that only the user
    may read; whatever interrupts other commands does not reach it. Asking after it takes the
    session for a moment, until its end is known.
    """

    def __init__(
        self,
        shell: Shell,
        command: str,
        *,
        limits: Limits,
        secrets: Secrets,
        alone: Callable[[str, Callable[[], Result | None]], Result | None],
    ) -> None:
        self.shell = shell
        """The shell that it belongs to."""
        self._limits = limits
        self._secrets = secrets
        self._alone = alone
        self._started = time.monotonic()
        self._raw = b""
        self._result: Result | None = None
        self.command = command
        """The command, lists already quoted."""
        self.where = shell.where
        self.pid, self.directory = self._start()
        """The number of its process group, and where its output goes."""

    def _start(self) -> tuple[int, str]:
        frame = self.shell.dialect.job(frames.encode(self.command))
        # zsh has told of the job itself, before that.
        told = self._told(frame, rb"(\d+) (.*?)", "no room for the output of a background job")
        pid = int(told.group(1))
        if not self.shell.line.relayed:
            self.shell.terminal.spared.add(pid)
        return pid, told.group(2).decode("utf-8", "surrogateescape")

    # How it is doing

    @property
    def is_running(self) -> bool:
        """Whether its end is not known; this asks nobody."""
        return self._result is None

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        if self._result is None:
            self._alone(self.command, self._ask)
        return None if self._result is None else self._result.exit_code

    @property
    def exit_code(self) -> int | None:
        """The exit status as the shell has it, or None while it runs."""
        return self.poll()

    @property
    def output(self) -> str:
        """What it has printed so far, stdout and stderr merged, as :attr:`Result.output` is."""
        self.poll()
        return self._raw.decode("utf-8", "surrogateescape")

    def wait(
        self,
        *,
        timeout: float | Default | None = DEFAULT,
        check: Check = False,
    ) -> Result:
        """Wait for its end and return what it did.

        The status is not judged, unless *check* says which ones are accepted, as for
        :meth:`Session.send`.

        Raises:
            CommandTimeoutError: it has not ended in time. It goes on.
            CommandError: the status is not accepted.
        """
        limits, statuses = self._limits.but(timeout, None), accepted(check)
        if self._result is None:
            self._alone(self.command, lambda: self._wait(limits))
        assert self._result is not None
        if statuses is not None and self._result.exit_code not in statuses:
            raise CommandError(self._result)
        return self._result

    def kill(self, *, grace: float = _GRACE) -> Result:
        """End it: by SIGTERM, and by SIGKILL if it is there *grace* seconds later."""
        Limits(grace)
        if self._result is None:
            self._alone(self.command, lambda: self._kill(grace))
        assert self._result is not None
        return self._result

    def __repr__(self) -> str:
        result = self._result
        state = f"pid {self.pid}" if result is None else f"ended with status {result.exit_code}"
        return f"<Job {self._secrets.hide(text.shorten(self.command, 60))}: {state}>"

    # How that is found out

    def _ask(self) -> Result | None:
        """Take in what it has printed, and how it ended if it has."""
        if self._result is not None:
            return self._result
        question = self.shell.dialect.job_told(self.pid, self.directory, len(self._raw))
        complaint = "the output of a background job is not there"
        state, printed = self._told(question, rb"([\w ]+)\n(.*)", complaint).groups()
        self._raw += printed
        if state == b"running":
            return None
        code = int(state.removeprefix(b"gone "))
        if state == b"gone %d" % _UNKNOWN:
            # Nobody wrote its status down, and the shell does not know it: it catches what can
            # be caught.
            code = _KILLED
        self._result = Result(
            command=self.command,
            raw=self._raw,
            exit_code=code,
            duration=time.monotonic() - self._started,
            where=self.where,
            hide=self._secrets.hide_bytes,
        )
        self._forget()
        return self._result

    def _told(self, frame: bytes, pattern: bytes, complaint: str) -> re.Match[bytes]:
        """Return what the shell tells between two marks, as *pattern* has it."""
        _, raw = self.shell.aside(frame, Attention(Limits(_ASK_LIMIT)))
        told = re.search(rb"\x1e\[%b\x1e\]" % pattern, raw, re.DOTALL)
        if told is None:
            words = f"{complaint}: {text.shorten(self.command)}"
            raise SessionError(words, where=self.where, printed=raw)
        return told

    def _wait(self, limits: Limits) -> Result | None:
        try:
            self._await(limits)
        except CommandTimeoutError as error:
            if self._ask() is None:
                raise CommandTimeoutError(
                    self.command,
                    limit=error.limit,
                    idle=False,
                    diagnosis=error.diagnosis,
                    waited=error.waited,
                    partial=self._raw,
                    recovery="nothing, as the job goes on",
                    where=self.where,
                ) from None
        return self._ask()

    def _await(self, limits: Limits, *, only_begun: bool = False) -> None:
        dialect, attention = self.shell.dialect, Attention(limits, group=self.pid)
        waiting = dialect.job_awaited(self.pid, self.directory, only_begun=only_begun)
        try:
            self.shell.aside(waiting, attention, command=self.command)
        except BaseException:
            with contextlib.suppress(SessionError):
                self.shell.aside(dialect.job_no_longer_awaited, Attention(Limits(_ASK_LIMIT)))
            raise

    def _kill(self, grace: float) -> Result | None:
        # Earlier, the signal would get lost.
        with contextlib.suppress(CommandTimeoutError):
            self._await(Limits(grace), only_begun=True)
        self._signal("TERM")
        try:
            return self._wait(Limits(grace))
        except (CommandTimeoutError, CommandWaitingError):
            self._signal("KILL")
            return self._wait(Limits(_ASK_LIMIT))

    def _signal(self, name: str) -> None:
        line = self.shell.dialect.job_signalled(name, [self.pid])
        self.shell.aside(line, Attention(Limits(_ASK_LIMIT)))

    def _forget(self) -> None:
        self.shell.terminal.spared.discard(self.pid)
        self.shell.aside(
            self.shell.dialect.job_forgotten([self.directory]), Attention(Limits(_ASK_LIMIT))
        )


def end(shell: Shell, jobs: Sequence[Job]) -> None:
    """End those of *jobs* that run in *shell*, and leave nothing of them behind."""
    left = [job for job in jobs if job.is_running and job.shell is shell]
    if not left:
        return
    with contextlib.suppress(SessionError):
        if not shell.lost and not shell.line.inner:
            _end_by(shell, left)
            return
    _end_without(shell, left)


def _end_by(shell: Shell, jobs: Sequence[Job]) -> None:
    pids = [job.pid for job in jobs]
    shell.aside(shell.dialect.job_signalled("TERM", pids), Attention(Limits(_END_LIMIT)))
    shell.drain(_LEAVING)
    shell.aside(shell.dialect.job_signalled("KILL", pids), Attention(Limits(_END_LIMIT)))
    directories = [job.directory for job in jobs]
    shell.aside(shell.dialect.job_forgotten(directories), Attention(Limits(_END_LIMIT)))


def _end_without(shell: Shell, jobs: Sequence[Job]) -> None:
    """End *jobs* whose shell is gone."""
    if not shell.line.pid:
        # Elsewhere, those numbers are somebody else's here.
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        for job in jobs:
            with contextlib.suppress(OSError):
                if os.getsid(job.pid) == shell.terminal.pid:
                    os.killpg(job.pid, number)
                    os.killpg(job.pid, signal.SIGCONT)
        if number == signal.SIGTERM:
            time.sleep(_LEAVING)
    import shutil  # five times as slow to import as this room

    for job in jobs:
        shutil.rmtree(job.directory, ignore_errors=True)
