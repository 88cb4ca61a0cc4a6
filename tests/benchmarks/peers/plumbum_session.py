"""plumbum's shell session: a shell behind pipes, with standard error apart.

`session()` starts /bin/sh; a session over a bash of the caller's own is what its class is for, so
that is what it gets, here and behind ssh, where SshMachine would log in twice. It gives text: as
latin-1, which has every byte. Its `run` takes no limit of time. It reads a line of output and a
line of errors in turn, so that a command which fills one pipe (64 KB) without a word on the other
never ends.
"""

from __future__ import annotations

from . import Answer, Place

requirements = ["plumbum==2.0.2"]
imports = "import plumbum"
places = ["here", "ssh"]
keeps_state = True
NOT_OFFERED = {"recovery": "its sessions take no limit of time"}
AHEAD = {
    "start": "Its shell has no terminal, is not interactive, and is not asked what it is.",
    "commands": "Its shell has no terminal and its frame is two lines of printf and echo.",
    "capture": "A pipe holds sixteen times what a terminal does, and the kernel only copies it.",
    "sessions": "Its sessions are three pipes and a process.",
    "threads": "Its shells have no terminal, and are not interactive.",
    "latency": "Its shell has no terminal and its frame is two lines of printf and echo.",
    "login": "It has no terminal made at the other end, and asks the shell there nothing.",
    "large_command": "A pipe takes a command of any length in large pieces.",
    "import": "It loads most of itself when that is used.",
}


class Peer:
    """A session, over a bash here, or over what ssh gives."""

    def __init__(self, place: Place) -> None:
        from plumbum import local
        from plumbum.machines.session import ShellSession

        if place.kind == "here":
            shell = local["bash"]
        else:
            shell = local["ssh"][(*place.ssh, place.host, "bash")]
        self.session = ShellSession(shell.popen(), encoding="latin-1")

    def run(self, command: str, timeout: float | None) -> Answer:
        typed = command.encode("utf-8", "surrogateescape").decode("latin-1")
        status, output, errors = self.session.run(typed, retcode=None)
        return Answer(output, errors, status, "latin-1")

    def close(self) -> None:
        self.session.close()
