"""How long a command may take."""

from __future__ import annotations

import math

from .errors import UsageError


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
