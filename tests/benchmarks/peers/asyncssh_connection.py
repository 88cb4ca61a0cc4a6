"""asyncssh: `conn.run`, each command a shell of its own, over one connection that stays.

With `encoding=None` it gives the bytes as they came.
"""

from __future__ import annotations

from . import Answer, Place, TimedOut

requirements = ["asyncssh==2.24.1"]
imports = "import asyncssh"
places = ["ssh"]
keeps_state = False
SSH_ONLY = "it only logs in by ssh; see the login there"
NOT_OFFERED = {"start": SSH_ONLY, "commands": SSH_ONLY}
AHEAD = {
    "capture": "It has no terminal at the other end; a channel of ssh takes larger pieces.",
    "login": "It speaks ssh itself, starts no program and no terminal, and opens no shell until "
    "the first command.",
    "sessions": "Its sessions are connections, with no shell at the other end.",
    "recovery": "The channel of the command is closed, and the next command has one of its own.",
    "large_command": "The command goes as one message; no shell has to read it from a terminal.",
}


class Peer:
    """A connection, with a loop of its own, as callers in threads would have it."""

    def __init__(self, place: Place) -> None:
        import asyncio

        import asyncssh

        self._timed_out = asyncssh.TimeoutError
        self.loop = asyncio.new_event_loop()
        self.connection = self.loop.run_until_complete(
            asyncssh.connect(
                place.host,
                place.port,
                username=place.user,
                client_keys=[place.key],
                known_hosts=place.known_hosts,
                config=None,
            )
        )

    def run(self, command: str, timeout: float | None) -> Answer:
        try:
            done = self.loop.run_until_complete(
                self.connection.run(command, encoding=None, timeout=timeout)
            )
        except self._timed_out as error:
            raise TimedOut(str(error)) from error
        return Answer(done.stdout, done.stderr, done.returncode)

    def recover(self) -> None:
        """Nothing is left to do: the next command has a shell of its own."""

    def close(self) -> None:
        self.connection.close()
        self.loop.run_until_complete(self.connection.wait_closed())
        self.loop.close()
