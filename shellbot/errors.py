"""Every exception that shellbot raises.

::

    ShellbotError
    ├── UsageError              your code is wrong; retrying cannot help
    │   ├── UnknownNameError    no such shell: .name .known             also LookupError
    │   ├── NobodyToAskError    a question, and nobody there to answer  also EOFError
    │   ├── SessionClosedError  the session was closed                  also RuntimeError
    │   └── SessionBusyError    it is running another command           also RuntimeError
    └── SessionError            the far side surprised us: .where .tail
        ├── StartError          no terminal, or no shell came up on it  also OSError
        ├── CommandError        not an accepted status: .result
        ├── CommandTimeoutError .limit .waited .partial .recovery       also TimeoutError
        └── LevelLostError      the shell is gone: .exit_code .partial  also EOFError

Catch :class:`SessionError` for what can go wrong with good code on a bad day, and
:class:`ShellbotError` for everything.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import text
from .result import Result, Where


class ShellbotError(Exception):
    """The root of the tree."""

    def __reduce__(self) -> tuple[object, ...]:
        # By its parts and not by calling the constructor, so that it can cross a process pool.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(
    kind: type[ShellbotError], arguments: tuple[object, ...], state: dict[str, object]
) -> ShellbotError:
    error = kind.__new__(kind, *arguments)
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
            printed=result.raw,
        )


class CommandTimeoutError(SessionError, TimeoutError):
    """A limit ran out. The session is in step again unless :attr:`recovery` says it is lost."""

    limit: float
    """The limit that ran out, in seconds."""
    waited: float
    """How long the call really waited, in seconds."""
    partial: bytes
    """What the command had written until then."""
    recovery: str
    """What it took to get the shell back."""

    def __init__(
        self,
        command: str,
        *,
        limit: float,
        waited: float,
        partial: bytes,
        recovery: str,
        where: Where,
    ) -> None:
        self.limit = limit
        self.waited = waited
        self.partial = partial
        self.recovery = recovery
        super().__init__(
            f"not done after {text.seconds(waited)} (limit {text.seconds(limit)}): "
            f"{text.shorten(command)}\n"
            f"On {where}; to get the shell back: {recovery}.",
            where=where,
            printed=partial,
        )


class LevelLostError(SessionError, EOFError):
    """The shell is gone: it left, was replaced or was killed."""

    exit_code: int | None
    """The shell's own exit status (minus the signal's number if one killed it), if known."""
    partial: bytes
    """What the running command had written until then."""

    def __init__(
        self, message: str, *, exit_code: int | None, partial: bytes, where: Where
    ) -> None:
        self.exit_code = exit_code
        self.partial = partial
        super().__init__(f"{message}\nOn {where}.", where=where, printed=partial)
