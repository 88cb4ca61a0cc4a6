"""What a peer is: one file here for each way to run commands, all driven alike.

A file here names what it needs and what it offers::

    requirements: list[str]       what pip installs, pinned; `CHECKOUT` stands for this checkout
    imports: str                  the statement that imports it
    places: list[str]             out of "here" and "ssh", the first of them for where either does
    keeps_state: bool             whether a command sees what the one before it has changed
    NOT_OFFERED: dict[str, str]   a measure, and why this peer has nothing to measure there
    AHEAD: dict[str, str]         a measure, and why this peer may be ahead of shellbot there
    class Peer                    as below
    def own(place) -> dict[str, float]    figures that only this one has (optional)

A file is read where its requirements are not installed too, so it imports them where it uses them.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

CHECKOUT = "CHECKOUT"

NAMES = (
    "bare_loop",
    "shellbot_session",
    "replwrap",
    "pxssh",
    "plumbum_session",
    "fabric_connection",
    "asyncssh_connection",
    "libtmux_pane",
    "shutit_session",
    "subprocess_bash",
)


@dataclass(frozen=True)
class Place:
    """Where commands are to run: "here", or over "ssh" on a server with a key."""

    kind: str
    host: str = ""
    port: int = 0
    key: str = ""
    known_hosts: str = ""
    user: str = ""

    @property
    def ssh(self) -> list[str]:
        """The options that OpenSSH's client needs to log in there."""
        return [
            *("-p", str(self.port), "-i", self.key, "-l", self.user),
            *("-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "IdentitiesOnly=yes"),
        ]


@dataclass(frozen=True)
class Answer:
    """What a command gave.

    *complained* is None where both came merged, and *status* where none is told. A peer that gives
    text gives it as it is, so that nothing done for the comparison counts.
    """

    said: bytes | str
    complained: bytes | str | None = None
    status: int | None = None
    encoding: str = "utf-8"

    @property
    def output(self) -> bytes:
        return self._written(self.said)

    @property
    def errors(self) -> bytes | None:
        return None if self.complained is None else self._written(self.complained)

    def _written(self, told: bytes | str) -> bytes:
        return told if isinstance(told, bytes) else told.encode(self.encoding, "surrogateescape")


class TimedOut(Exception):  # noqa: N818 - not an error of the peer
    """The command was not done in its time."""


class Session(Protocol):
    """The class Peer of each file: a session that is ready.

    Where there is a way on after a time-out, it also has `recover()`; without it, the file does not
    offer "recovery".
    """

    def __init__(self, place: Place) -> None: ...

    def run(self, command: str, timeout: float | None) -> Answer:
        """Run *command*; raise TimedOut after so many seconds, or never if that is None."""
        ...

    def close(self) -> None: ...


class Driver(Protocol):
    """A file of this package."""

    __name__: str
    requirements: list[str]
    imports: str
    places: list[str]
    keeps_state: bool
    NOT_OFFERED: dict[str, str]
    AHEAD: dict[str, str]
    Peer: type[Session]


def driver(name: str) -> Driver:
    """The peer of that name."""
    return cast(Driver, importlib.import_module(f"peers.{name}"))
