"""Every exception that shellbot raises.

::

    ShellbotError
    ├── UsageError              your code is wrong; retrying cannot help
    │   ├── UnknownNameError    no such shell: .name .known             also LookupError
    │   ├── NobodyToAskError    a question, and nobody there to answer  also EOFError
    │   ├── SessionClosedError  the session was closed                  also RuntimeError
    │   └── SessionBusyError    it is running another command           also RuntimeError
    ├── PauseAborted            a person wants no more of it: .pause
    └── SessionError            the far side surprised us: .where .tail
        ├── StartError          no terminal, or no shell came up on it  also OSError
        ├── CommandError        not an accepted status: .result
        ├── CommandStoppedError .diagnosis .waited .partial .recovery
        │   ├── CommandTimeoutError a limit ran out: .limit .idle       also TimeoutError
        │   ├── CommandWaitingError it waits for what nobody will type
        │   └── DialogueError       not the questions expected: .asked .answered
        ├── ProgramEndedError   it has left its prompt: .exit_code .partial also EOFError
        ├── LoginError          it came to no shell: .reason .exit_code .partial
        ├── PackageError        a package manager failed: .reason .packages .result .partial
        └── LevelLostError      the shell is gone: .exit_code .partial .levels also EOFError

Catch :class:`SessionError` for what can go wrong with good code on a bad day, and
:class:`ShellbotError` for everything.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import text
from .diagnosis import Diagnosis
from .result import PackageResult, Pause, Result, Where


class ShellbotError(Exception):
    """The root of the tree."""

    def __reduce__(self) -> tuple[object, ...]:
        # By its parts and not by calling the constructor, so that it can cross a process pool.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(
    kind: type[ShellbotError], arguments: tuple[object, ...], state: dict[str, object]
) -> ShellbotError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments  # which those that are OSErrors as well leave to their constructor
    error.__dict__.update(state)
    return error


class UsageError(ShellbotError):
    """The call itself is wrong. Raised before anything is typed into a shell."""


class UnknownNameError(UsageError, LookupError):
    """A name that is in no table of ours."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        import difflib  # only ever needed on this path, and it is slow to import

        self.name = name
        self.known = tuple(known)
        near = difflib.get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {name!r}.{hint} Known: {', '.join(self.known)}.")


class NobodyToAskError(UsageError, EOFError):
    """A question was asked and standard input has no line to answer it with."""


class PauseAborted(ShellbotError):  # noqa: N818 - no error, but a person's decision
    """The person who was given the terminal wants no more of the script.

    The session is in step, and can be used to tidy up.
    """

    def __init__(self, message: str, pause: Pause | None = None) -> None:
        super().__init__(message)
        self.pause = pause
        """What they did before, if they had the shell."""


class SessionClosedError(UsageError, RuntimeError):
    """The session was closed; open another one."""


class SessionBusyError(UsageError, RuntimeError):
    """The session is running another command. One session, one command at a time."""


class SessionError(ShellbotError):
    """The far side did something that the caller has to know about."""

    where: Where | None
    """Host, user and depth, or None when no shell had come up yet."""
    tail: str
    """The last 2,000 characters of what was printed, as a person would have seen them."""

    def __init__(self, message: str, *, where: Where | None = None, printed: bytes = b"") -> None:
        self.where = where
        self.tail = text.tail(printed)
        super().__init__(message + (f"\nThe last it printed:\n{self.tail}" if self.tail else ""))


class StartError(SessionError, OSError):
    """No terminal could be had, or no working shell came up on it."""


class CommandError(SessionError):
    """A command ended with a status that the call does not accept."""

    result: Result
    """The whole result, as ``check=False`` would have returned it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        reason = text.status_in_words(result.exit_code)
        super().__init__(
            f"exit status {result.exit_code}{f' ({reason})' if reason else ''} after "
            f"{text.seconds(result.duration)}: {text.shorten(result.command)}\nOn {result.where}.",
            where=result.where,
            printed=result.raw + (result.raw_stderr or b""),
        )


class CommandStoppedError(SessionError):
    """A command was stopped before it was done.

    The session is in step again unless :attr:`recovery` says that it is lost.
    """

    diagnosis: Diagnosis
    """What it seemed to be doing when it was stopped."""
    waited: float
    """How long the call had waited, in seconds."""
    partial: bytes
    """What the command had written until then."""
    recovery: str
    """What it took to get the shell back."""

    def __init__(
        self,
        reason: str,
        command: str,
        *,
        diagnosis: Diagnosis,
        waited: float,
        partial: bytes,
        recovery: str,
        where: Where,
        detail: str = "",
    ) -> None:
        self.diagnosis = diagnosis
        self.waited = waited
        self.partial = partial
        self.recovery = recovery
        super().__init__(
            f"{reason}: {text.shorten(command)}\n"
            + (f"{detail}\n" if detail else "")
            + f"On {where}. It was {diagnosis}.\n"
            f"To try: {diagnosis.advice}.\n"
            f"To get the shell back it took {recovery}.",
            where=where,
            printed=partial,
        )


class CommandTimeoutError(CommandStoppedError, TimeoutError):
    """A limit ran out."""

    limit: float
    """The limit that ran out, in seconds."""
    idle: bool
    """Whether that was the limit for printing nothing, and not the one for the whole command."""

    def __init__(
        self,
        command: str,
        *,
        limit: float,
        idle: bool,
        diagnosis: Diagnosis,
        waited: float,
        partial: bytes,
        recovery: str,
        where: Where,
    ) -> None:
        self.limit = limit
        self.idle = idle
        lasted = f"not done after {text.seconds(waited)}"
        super().__init__(
            f"{lasted}, and nothing printed for {text.seconds(limit)} (idle limit)"
            if idle
            else f"{lasted} (limit {text.seconds(limit)})",
            command,
            diagnosis=diagnosis,
            waited=waited,
            partial=partial,
            recovery=recovery,
            where=where,
        )


class CommandWaitingError(CommandStoppedError):
    """A command waits for what nobody will type."""


class DialogueError(CommandStoppedError):
    """A command asked what must not be answered, or did not ask what it had to."""

    asked: str
    """The line that it asked with, or nothing if it ended without asking."""
    answered: list[tuple[str, str]]
    """Each question that was answered before, with the reply; secrets are masked."""

    def __init__(
        self,
        reason: str,
        command: str,
        *,
        asked: str,
        answered: list[tuple[str, str]],
        diagnosis: Diagnosis,
        waited: float,
        partial: bytes,
        recovery: str,
        where: Where,
        detail: str,
    ) -> None:
        self.asked = asked
        self.answered = answered
        super().__init__(
            reason,
            command,
            detail=detail,
            diagnosis=diagnosis,
            waited=waited,
            partial=partial,
            recovery=recovery,
            where=where,
        )


class ProgramEndedError(SessionError, EOFError):
    """A program has ended that was to be at its prompt again. The session is in step."""

    exit_code: int
    """The exit status, as the shell has it."""
    partial: bytes
    """What it had printed since the last line was typed."""

    def __init__(
        self, line: str, *, exit_code: int, partial: bytes, where: Where, advice: str
    ) -> None:
        self.exit_code = exit_code
        self.partial = partial
        reason = text.status_in_words(exit_code)
        super().__init__(
            f"the program has ended, with exit status {exit_code}"
            f"{f' ({reason})' if reason else ''}: {text.shorten(line)}\n"
            f"On {where}.\nTo try: {advice}.",
            where=where,
            printed=partial,
        )


class LevelLostError(SessionError, EOFError):
    """The shell is gone: it left, was replaced or was killed; or a login has ended.

    Where an outer shell is left, :attr:`where` is that, and commands go to it from now on.
    """

    exit_code: int | None
    """The shell's own exit status (minus the signal's number if one killed it), if known."""
    partial: bytes
    """What the running command had written until then."""
    levels: tuple[Where, ...]
    """The places that were lost, the outermost one first."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: int | None,
        partial: bytes,
        where: Where,
        advice: str,
        levels: tuple[Where, ...] = (),
    ) -> None:
        self.exit_code = exit_code
        self.partial = partial
        self.levels = levels
        lost = "; ".join(map(str, levels))
        told = (
            f"Lost: {lost}. Now on {where}." if levels and where not in levels else f"On {where}."
        )
        super().__init__(f"{message}\n{told}\nTo try: {advice}.", where=where, printed=partial)


# Why a login failed, and what a person can do about it. Every reason is one row.
REASONS = {
    "refused": "see that the server runs there, and lets this user in from here",
    "wrong_password": "check the password; it was sent once, and is not sent again",
    "too_many_attempts": "offer fewer keys (IdentitiesOnly=yes), or wait until the server lets you",
    "locked": "have the account unlocked (faillock --reset, passwd -u)",
    "host_key_changed": "find out why the host's key is another one; only then remove the old one "
    "(ssh-keygen -R)",
    "host_key_unknown": 'compare the fingerprint, and give it as host_key="SHA256:...", or use '
    'host_key="accept-new"',
    "unreachable": "see that the host is up and that there is a route to it (ping)",
    "unknown_host": "check the host's name, or give its address",
    "timed_out": "give it more time with timeout=, and see in the last lines what it waits for",
    "no_such_user": "check the user's name, on that host",
    "no_such_container": "see that the container is there and runs (ps -a)",
    "no_shell": "give shell= one that is there; the command has to end in a shell on a terminal, "
    "and stty has to be there",
    "expired_password": "give new_password=, or change it by hand",
    "no_answer": "give password=, otp= or answers= for what it asks, or ask=True to ask the person",
    "closed": "see in the last lines what the other side said",
}


class LoginError(SessionError):
    """A login did not come to a shell. The session is where it was before."""

    reason: str
    """One word for why: a key of ``shellbot.errors.REASONS``."""
    exit_code: int | None
    """The exit status of the login command, where it ended by itself."""
    partial: bytes
    """Everything that the other side said."""
    diagnosis: Diagnosis | None
    """What it was doing, if it had to be stopped."""

    def __init__(
        self,
        command: str,
        *,
        reason: str,
        waited: float,
        exit_code: int | None,
        partial: bytes,
        where: Where,
        diagnosis: Diagnosis | None = None,
        detail: str = "",
    ) -> None:
        self.reason = reason
        self.exit_code = exit_code
        self.partial = partial
        self.diagnosis = diagnosis
        ended = "" if exit_code is None else f", exit status {exit_code}"
        super().__init__(
            f"login failed after {text.seconds(waited)}: {reason.replace('_', ' ')}{ended}: "
            f"{text.shorten(command)}\n"
            + (f"{detail}\n" if detail else "")
            + (f"It was {diagnosis}.\n" if diagnosis else "")
            + f"Still on {where}.\nTo try: {REASONS[reason]}.",
            where=where,
            printed=partial,
        )


# Why a package manager failed, and what a person can do about it. Every reason is one row.
PACKAGE_REASONS = {
    "not_found": "check the name, which may be another one on this system, and the repositories",
    "locked": "wait until the other one is done, or give it more time with lock_timeout=",
    "network": "see that the repositories can be reached from there",
    "disk_full": "make room there",
    "not_root": "log in as root, or as a user who may use sudo, and give sudo=Secret(...) where "
    "that asks for a password",
    "wrong_password": "check the password; it was sent once, and is not sent again",
    "untrusted": "see whose key it is, and import it by hand if you trust them",
    "script_failed": "see in the last lines what the package's own script did not like",
    "conflict": "see in the last lines what it cannot be together with, or what it lacks",
    "held": "take the hold off first: packages.hold(..., on=False)",
    "interrupted": "have it put right: packages.mend()",
    "question": "give answers= for what it asks",
    "licence": "read it, and if you agree, install it by hand: zypper install "
    "--auto-agree-with-licenses",
    "timed_out": "give it more time with timeout=",
    "unsupported": "install the manager's plugin for that, or do it by hand",
    "not_installed": "see in the last lines what the manager did instead",
    "still_installed": "see in the last lines why the manager left it there",
    "no_manager": "give manager=, if there is one",
    "no_command": "give package=, the package that brings the command",
    "failed": "see in the last lines what the manager said",
}


class PackageError(SessionError):
    """A package manager did not do what it was asked for."""

    reason: str
    """One word for why: a key of ``shellbot.errors.PACKAGE_REASONS``."""
    packages: tuple[str, ...]
    """The packages that it is about, as they were asked for."""
    result: PackageResult | None
    """What is there now of all that was asked for, if that could be found out."""
    exit_code: int | None
    """The manager's exit status, if it ended by itself."""
    partial: bytes
    """All that it printed."""

    def __init__(
        self,
        what: str,
        *,
        reason: str,
        packages: tuple[str, ...] = (),
        result: PackageResult | None = None,
        exit_code: int | None = None,
        partial: bytes = b"",
        where: Where,
        detail: str = "",
        advice: str = "",
    ) -> None:
        self.reason = reason
        self.packages = packages
        self.result = result
        self.exit_code = exit_code
        self.partial = partial
        about = f" ({', '.join(packages)})" if packages else ""
        ended = "" if exit_code is None else f", exit status {exit_code}"
        changed = ", ".join(map(str, result.changed)) if result else ""
        super().__init__(
            f"{reason.replace('_', ' ')}{about}{ended}: {text.shorten(what)}\n"
            + (f"{detail}\n" if detail else "")
            + (f"Changed all the same: {changed}.\n" if changed else "")
            + f"On {where}.\nTo try: {advice or PACKAGE_REASONS[reason]}.",
            where=where,
            printed=partial,
        )
