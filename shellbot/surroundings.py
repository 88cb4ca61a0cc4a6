"""The environment that a session's shell is started with."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .dialects import Program

# Nobody is there to press the space bar, whatever the user's own pager is.
PAGERS = (
    *("PAGER", "MANPAGER", "GIT_PAGER", "GH_PAGER", "SYSTEMD_PAGER"),
    *("PSQL_PAGER", "BAT_PAGER", "DELTA_PAGER", "AWS_PAGER"),
)
# What would change the prompt, run code at it, read a file at the start or log the user out; and
# exported functions that hide the built-in words which everything rests on.
NOT_INHERITED = (
    "_",  # dash and ash would go on exporting it, whatever its size
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PROMPT",
    "PROMPT2",
    "RPROMPT",
    "RPS1",
    "PROMPT_COMMAND",
    "ENV",
    "TMOUT",
    "HISTFILE",
    "SHELLOPTS",
    "BASHOPTS",
    "POSIXLY_CORRECT",
    "EDITRC",
    "BASH_FUNC_builtin%%",
    "BASH_FUNC_command%%",
)
TERM = "xterm"


def own_term() -> str:
    """Return the TERM of the caller's own terminal, for when a person is given the session's."""
    return os.environ.get("TERM") or TERM


def for_program(program: Program, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a shell: the caller's, less what would get in the way."""
    environment = harmless(os.environ)
    environment.update(dict.fromkeys(PAGERS, "cat"), TERM=TERM)
    environment.update(program.dialect.environment)
    environment.update(given)
    return environment


def harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """Return *environment* without what would get in the way of a session."""
    return {name: value for name, value in environment.items() if name not in NOT_INHERITED}
