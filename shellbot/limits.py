"""How long a command may take, how often it is tried, and which status is accepted."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

from .errors import CommandError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Check: TypeAlias = bool | int | Collection[int]


class Default:
    """Stands for the session's own limit."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "the session's"


DEFAULT = Default()


class Limits:
    """How long a command may take in all, and how long without printing anything, in seconds."""

    __slots__ = ("idle", "total")

    def __init__(self, total: float | None = None, idle: float | None = None) -> None:
        self.total = _checked("timeout", total)
        self.idle = _checked("idle_timeout", idle)

    def but(self, total: float | Default | None, idle: float | Default | None) -> Limits:
        """Return these limits with those replaced that a call has given."""
        if total is DEFAULT and idle is DEFAULT:
            return self
        return Limits(
            self.total if isinstance(total, Default) else total,
            self.idle if isinstance(idle, Default) else idle,
        )


def _checked(name: str, limit: float | None) -> float | None:
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit >= 0:
        raise UsageError(f"{name}={limit!r} is no number of seconds; None waits without a limit")
    return None if math.isinf(limit) else float(limit)


class Retry:
    """Try a command again if it fails: *times* attempts in all, *every* so many seconds.

    *on* says what is tried again: exceptions such as :class:`CommandError`, or a function that is
    given the exception and says yes or no.
    """

    def __init__(
        self,
        times: int,
        *,
        every: float = 1.0,
        on: type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], object] = (
            CommandError
        ),
    ) -> None:
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise UsageError(f"times={times!r} is no number of attempts")
        if _checked("every", every) is None:
            raise UsageError(f"every={every!r} is no number of seconds")
        kinds = on if isinstance(on, tuple) else (on,) if isinstance(on, type) else ()
        if not (all(map(_is_exception, kinds)) if kinds else callable(on)):
            raise UsageError(f"on={on!r} is neither a kind of exception nor a function")
        self.times = times
        self.every = every
        self._on = on

    def applies(self, error: Exception) -> bool:
        """Whether the command is to be tried again after *error*."""
        if isinstance(self._on, (type, tuple)):
            return isinstance(error, self._on)
        return bool(self._on(error))


def _is_exception(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)


def accepted(check: Check) -> Collection[int] | None:
    """Return the exit statuses that *check* accepts, None for any."""
    if check is False:
        return None
    if check is True:
        return (0,)
    if isinstance(check, int):
        return (check,)
    if not check or not all(isinstance(status, int) for status in check):
        raise UsageError(f"check={check!r} is neither True, False nor exit statuses")
    return check
