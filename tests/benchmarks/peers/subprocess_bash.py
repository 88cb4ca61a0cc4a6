"""`subprocess.run(["bash", "-c", ...])`: each command is a shell of its own, and no terminal."""

from __future__ import annotations

import subprocess

from . import Answer, Place, TimedOut

requirements: list[str] = []
imports = "import subprocess"
places = ["here"]
keeps_state = False
NOT_OFFERED = {
    "sessions": "it has no session that stays open",
    "login": "it has no way to another host but a command",
    "latency": "it has no way to another host but a command",
    "link": "it has no way to another host but a command",
}
AHEAD = {
    "start": "It starts one shell without a terminal, which ends by itself after the one command.",
    "capture": "A pipe holds sixteen times what a terminal does, and the kernel only copies it.",
    "threads": "Nothing has to be opened first, and no shell waits at a prompt.",
    "recovery": "The shell that ran the command is killed, and the next one is new anyway.",
    "import": "It is a part of Python's own library.",
    "large_command": "It refuses at once what is longer than the kernel takes as an argument.",
    "waiting": "It blocks until there is something to read.",
}


class Peer:
    """Nothing is kept from one command to the next."""

    def __init__(self, place: Place) -> None:
        pass

    def run(self, command: str, timeout: float | None) -> Answer:
        arguments = ["bash", "-c", command]
        try:
            done = subprocess.run(
                arguments, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired as error:
            raise TimedOut(str(error)) from error
        return Answer(done.stdout, done.stderr, done.returncode)

    def recover(self) -> None:
        """Nothing is left to do: the next command has a shell of its own."""

    def close(self) -> None:
        pass
