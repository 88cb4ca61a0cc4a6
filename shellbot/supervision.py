"""A person who looks on: asked before each command, and when one has failed."""

from __future__ import annotations

from . import asking
from .errors import NobodyToAskError, PauseAborted, SessionError, UsageError
from .result import Pause, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, TypeAlias

    OnError: TypeAlias = Literal["raise", "pause"]
    HandOver: TypeAlias = Callable[[str], Pause]

_WAYS = ("raise", "pause")
_RUN, _SKIP, _EDIT, _HAND_OVER, _ON, _ABORT = "run", "skip", "edit", "hand over", "on", "abort"
_RETRY, _GO_ON = "retry", "go on"


def pauses(on_error: OnError) -> bool:
    """Whether *on_error* has a person look at what failed; raises :class:`UsageError`."""
    if on_error not in _WAYS:
        raise UsageError(f"on_error={on_error!r} is neither 'raise' nor 'pause'")
    return on_error == "pause"


class Steps:
    """Commands one by one, each only once a person has agreed."""

    def __init__(self, hand_over: HandOver) -> None:
        self._hand_over = hand_over
        self.are_over = False
        """Whether the rest is to run without asking."""

    def agreed(
        self, line: str, where: Where, *, note: str, may_skip: bool, may_edit: bool
    ) -> str | None:
        """Return the *line* to run, which may be another one, or None for none.

        Raises :class:`PauseAborted`.
        """
        others = (*((_SKIP,) if may_skip else ()), *((_EDIT,) if may_edit else ()))
        choices = (_RUN, *others, _HAND_OVER, _ON, _ABORT)
        while True:
            _show(f"Next, on {where}", note, line)
            choice = asking.get_input("What now?", choices=choices, default=_RUN)
            if choice == _SKIP:
                return None
            if choice == _EDIT:
                line = asking.edited("$ ", line)
            elif choice == _HAND_OVER:
                self._hand_over(f"Before: {line}")
            elif choice == _ABORT:
                raise PauseAborted(f"aborted by the person at the terminal, before: {line}")
            else:
                self.are_over = choice == _ON
                return line


def retries(error: SessionError, hand_over: HandOver, *, may_go_on: bool) -> bool:
    """Hand the shell over after an *error*, and return whether to try again, or else to go on.

    Raises :class:`PauseAborted`.
    """
    choices = (_RETRY, *((_GO_ON,) if may_go_on else ()), _HAND_OVER, _ABORT)
    while True:
        try:
            hand_over(str(error))
        except PauseAborted as aborted:
            raise aborted from error
        try:
            choice = asking.get_input("What now?", choices=choices)
        except NobodyToAskError:
            raise error from None
        if choice == _ABORT:
            raise PauseAborted(f"aborted by the person at the terminal, after: {error}") from error
        if choice != _HAND_OVER:
            return choice == _RETRY


def _show(title: str, note: str, line: str) -> None:
    asking.show(f"{title}: {note}\n" if note else f"{title}:\n", "CYAN")
    asking.show(f"  $ {line}\n")
