"""Shell automation that never gives a wrong answer.

A session keeps a real shell on a real terminal, and knows when each command is done, what it
printed and with what status it ended::

    import shellbot

    with shellbot.bash() as shell:
        shell.send("cd /srv/app && make -j2", timeout=600)
        host = shell.send_and_get_output("hostname")
        shell.send_until("curl -s localhost:8080/health", "ok", timeout=60)
"""

from __future__ import annotations

import os as _os

if _os.name == "nt":
    raise ImportError(
        "shellbot needs a POSIX terminal, which Windows does not have: run it inside WSL."
    )

from .asking import get_input
from .diagnosis import Diagnosis
from .dialects import Dialect
from .dialogue import Answer, Key, Secret
from .errors import (
    CommandError,
    CommandStoppedError,
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    LevelLostError,
    LoginError,
    NobodyToAskError,
    PackageError,
    PauseAborted,
    ProgramEndedError,
    SessionBusyError,
    SessionClosedError,
    SessionError,
    ShellbotError,
    StartError,
    UnknownNameError,
    UsageError,
)
from .jobs import Job
from .levels import Level
from .limits import Retry
from .program import Program
from .result import Package, PackageResult, Pause, PausedCommand, Reply, Result, Where
from .session import Session
from .stream import Stream

__all__ = [
    "Answer",
    "CommandError",
    "CommandStoppedError",
    "CommandTimeoutError",
    "CommandWaitingError",
    "Diagnosis",
    "Dialect",
    "DialogueError",
    "Job",
    "Key",
    "Level",
    "LevelLostError",
    "LoginError",
    "NobodyToAskError",
    "Package",
    "PackageError",
    "PackageResult",
    "Pause",
    "PauseAborted",
    "PausedCommand",
    "Program",
    "ProgramEndedError",
    "Reply",
    "Result",
    "Retry",
    "Secret",
    "Session",
    "SessionBusyError",
    "SessionClosedError",
    "SessionError",
    "ShellbotError",
    "StartError",
    "Stream",
    "UnknownNameError",
    "UsageError",
    "Where",
    "bash",
    "create_bash_session",
    "get_input",
]

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .supervision import OnError


def bash(
    *,
    cwd: str | _os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    size: tuple[int, int] = (24, 80),
    timeout: float | None = None,
    idle_timeout: float | None = None,
    restart: bool = False,
    name: str | None = None,
    echo: bool = False,
    on_error: OnError = "raise",
) -> Session:
    """Open a session with a local bash. See :class:`Session` for the arguments."""
    return Session(
        "bash",
        cwd=cwd,
        environment=environment,
        size=size,
        timeout=timeout,
        idle_timeout=idle_timeout,
        restart=restart,
        name=name,
        echo=echo,
        on_error=on_error,
    )


def create_bash_session() -> Session:
    """Open a session with a local bash, under the name that shutit has for it."""
    return bash()
