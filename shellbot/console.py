"""The person who runs the script: what they are told, and what they are asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache

from .errors import NobodyToAskError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import TextIO

# The numbers of the logging module, which is only imported once something is logged.
DEBUG = 10
INFO = 20
WARNING = 30

_LOGGER = "shellbot"


def log(message: str, *, level: int = INFO) -> None:
    """Log *message* as ``shellbot``.

    Where nobody has set up :mod:`logging`, it is shown on standard error from INFO upwards.
    """
    _logger().log(level, "%s", message)


def debug(message: str, *details: object) -> None:
    """Log what the library itself does, for those who have set up :mod:`logging`."""
    if "logging" in sys.modules:
        _known().debug(message, *details)


@cache
def _known() -> logging.Logger:
    """Return our logger. To ask for it by name takes a lock of all loggers each time.

    An exception out of a signal handler that comes just then would leave that locked for ever.
    """
    import logging

    return logging.getLogger(_LOGGER)


def _logger() -> logging.Logger:
    import logging

    logger = _known()
    if not logger.hasHandlers():
        handler = _standard_error()
        logger.addHandler(handler)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
    return logger


def _standard_error() -> logging.Handler:
    import logging

    class ToStandardError(logging.Handler):
        """Stands in until the program sets up handlers of its own, and then keeps quiet."""

        def emit(self, record: logging.LogRecord) -> None:
            if logging.getLogger().handlers:
                return
            try:
                stream = sys.stderr
                stream.write(_coloured(self.format(record), record.levelno, stream) + "\n")
                stream.flush()
            except Exception:
                self.handleError(record)

    handler = ToStandardError()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    return handler


def _coloured(line: str, level: int, stream: TextIO) -> str:
    # no-color.org: the variable counts when it is there and not empty.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return line
    from colorama import Fore, Style

    if level >= 40:
        return f"{Fore.RED}{line}{Style.RESET_ALL}"
    if level >= 30:
        return f"{Fore.YELLOW}{line}{Style.RESET_ALL}"
    return f"{Fore.GREEN}{line}{Style.RESET_ALL}" if level >= INFO else line


def get_input(
    prompt: str = "",
    *,
    ispass: bool = False,
    default: str | None = None,
    validate: Callable[[str], object] | None = None,
) -> str:
    """Ask the person who runs the script, and return the answer without its newline.

    On a terminal the answer is typed there, unseen with *ispass*; otherwise it is the next line
    of standard input. An empty answer stands for *default*, if there is one. *validate* is given
    the answer and refuses it by returning False or raising :class:`ValueError`; a person is then
    told why and asked again.

    Raises:
        NobodyToAskError: standard input is closed or at its end, and there is no *default*.
        UsageError: an answer that did not come from a person was refused.
    """
    question = f"{prompt}[{default}] " if default and not ispass else prompt
    person = sys.stdin is not None and sys.stdin.isatty()
    while True:
        answer = _answer(question, ispass=ispass, person=person)
        if not answer and default is not None:
            return default
        if answer is None:
            raise NobodyToAskError(f"nobody to ask {prompt!r}: standard input is at its end")
        refusal = _refusal(answer, validate)
        if refusal is None:
            return answer
        if not person:
            raise UsageError(f"the answer to {prompt!r} is no good: {refusal}")
        print(refusal, file=sys.stderr)


def _answer(question: str, *, ispass: bool, person: bool) -> str | None:
    """Return a line, or None where there is none."""
    try:
        if person and ispass:
            from getpass import getpass

            return getpass(question)
        if person:
            return input(question)
    except EOFError:
        return None
    if sys.stdin is None:
        return None
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return line.removesuffix("\n") if line else None


def _refusal(answer: str, validate: Callable[[str], object] | None) -> str | None:
    if validate is None:
        return None
    try:
        return "that is not a valid answer" if validate(answer) is False else None
    except ValueError as error:
        return str(error) or "that is not a valid answer"
