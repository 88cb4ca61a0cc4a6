"""What the person who runs the script is told, and in which colour."""

from __future__ import annotations

import os
import sys
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import TextIO

# The numbers of the logging module, which is only imported once something is logged.
DEBUG = 10
INFO = 20
WARNING = 30

_LOGGER = "shellbot"
_COLOURS = ((40, "RED"), (WARNING, "YELLOW"), (INFO, "GREEN"))


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
                colour = next((name for least, name in _COLOURS if record.levelno >= least), None)
                stream.write(coloured(self.format(record), colour, stream) + "\n")
                stream.flush()
            except Exception:
                self.handleError(record)

    handler = ToStandardError()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    return handler


def coloured(words: str, colour: str | None, stream: TextIO) -> str:
    """Return *words* in the colour of that name in colorama, if *stream* wants any."""
    if not colour or not wants_colours(stream):
        return words
    from colorama import Fore, Style

    return f"{getattr(Fore, colour)}{words}{Style.RESET_ALL}"


def wants_colours(stream: TextIO) -> bool:
    """Return whether what is written to *stream* may be coloured."""
    # no-color.org: the variable counts when it is there and not empty.
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and stream.isatty()
