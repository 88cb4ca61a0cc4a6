"""Fabric: each command is a shell of its own, over one connection that stays.

It gives text: as latin-1, which has every byte. It reads in large pieces.
"""

from __future__ import annotations

from . import Answer, Place, TimedOut

requirements = ["fabric==3.2.3"]
imports = "import fabric"
places = ["ssh"]
keeps_state = False
SSH_ONLY = "it only logs in by ssh; see the login there"
NOT_OFFERED = {"start": SSH_ONLY, "commands": SSH_ONLY}
AHEAD = {
    "recovery": "The next command has a shell of its own; the one that is late is left to run.",
    "login": "It speaks ssh itself, starts no program and no terminal, and opens no shell until "
    "the first command.",
    "sessions": "Its sessions are connections, with no shell at the other end.",
}


class Peer:
    """A connection."""

    def __init__(self, place: Place) -> None:
        import fabric
        import paramiko
        from fabric.runners import Remote
        from invoke.exceptions import CommandTimedOut

        self._timed_out = CommandTimedOut
        Remote.read_chunk_size = 65_536
        self.connection = fabric.Connection(
            place.host,
            user=place.user,
            port=place.port,
            config=fabric.Config(overrides={"load_ssh_configs": False}),
            connect_kwargs={
                "key_filename": place.key,
                "look_for_keys": False,
                "allow_agent": False,
            },
        )
        self.connection.client.load_host_keys(place.known_hosts)
        self.connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        self.connection.open()

    def run(self, command: str, timeout: float | None) -> Answer:
        try:
            done = self.connection.run(
                command, hide=True, warn=True, timeout=timeout, in_stream=False, encoding="latin-1"
            )
        except self._timed_out as error:
            raise TimedOut(str(error)) from error
        return Answer(done.stdout, done.stderr, done.exited, "latin-1")

    def recover(self) -> None:
        """Nothing is left to do: the next command has a shell of its own."""

    def close(self) -> None:
        self.connection.close()
