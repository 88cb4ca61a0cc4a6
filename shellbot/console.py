"""What the person who runs the script is told, and in which colour."""

from __future__ import annotations

import os
import sys
from functools import cache

from .errors import UnknownNameError

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


def known_colour(name: str) -> str:
    """Return the colour *name* as colorama has it, or raise :class:`UnknownNameError`.

    A number is one of shutit's, as terminals have them: 32 is green.
    """
    from colorama.ansi import AnsiFore

    numbers = {colour: str(number) for colour, number in vars(AnsiFore).items() if colour.isupper()}
    del numbers["RESET"]
    for colour, number in numbers.items():
        if name.upper() == colour or name == number:
            return colour
    raise UnknownNameError("colour", name, [colour.lower() for colour in numbers])


def why_nobody() -> str:
    """Say why there is nobody to hand a terminal over to, or nothing if there is somebody."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        try:
            if stream is None or not os.isatty(stream.fileno()):
                return f"standard {name} is no terminal"
        except (OSError, ValueError):  # closed, or none that the system knows
            return f"standard {name} is no terminal"
    try:
        if os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
            return "this program runs in the background"
    except OSError:
        # Not our controlling terminal, so nobody stops us for using it.
        pass
    return ""


def wants_colours(stream: TextIO) -> bool:
    """Return whether what is written to *stream* may be coloured."""
    # no-color.org: the variable counts when it is there and not empty.
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and stream.isatty()
