"""pexpect's pxssh: logs in by ssh, and sets a prompt of its own.

It tells no status, so that its users ask with a second command. No delay before what is typed, nor
after the end; no echo, no line editor, newlines and keys left alone; large pieces, of which only
the end is searched for the prompt.
"""

from __future__ import annotations

from . import Answer, Place, TimedOut

requirements = ["pexpect==4.9.0"]
imports = "from pexpect import pxssh"
places = ["ssh"]
keeps_state = True
SSH_ONLY = "it only logs in by ssh; see the login there"
NOT_OFFERED = {"start": SSH_ONLY, "commands": SSH_ONLY}
AHEAD = {
    "recovery": "Ctrl-C is typed and the prompt is read; whether it is the right one is not asked.",
    "import": "It is a part of a smaller library.",
    "sessions": "Its sessions keep no more than a buffer and the terminal.",
}


class Peer:
    """A shell that is logged in to."""

    def __init__(self, place: Place) -> None:
        from pexpect import pxssh

        self.shell = shell = pxssh.pxssh(
            options={"UserKnownHostsFile": place.known_hosts, "IdentitiesOnly": "yes"},
            maxread=65_536,
            searchwindowsize=4096,
            echo=False,
            encoding="utf-8",
            codec_errors="surrogateescape",
        )
        shell.delaybeforesend = None
        # Without a look for the prompt that was there first, which waits for silence.
        shell.login(
            place.host,
            place.user,
            port=place.port,
            ssh_key=place.key,
            sync_original_prompt=False,
        )
        shell.ptyproc.delayafterclose = 0
        # The far terminal has an echo of its own.
        self._typed("stty -echo -onlcr -icanon -icrnl -ixon; set +o emacs +o vi", 10)
        self._typed("PS2=", 10)

    def run(self, command: str, timeout: float | None) -> Answer:
        output = self._typed(command, timeout)
        return Answer(output, status=int(self._typed("echo $?", timeout)))

    def recover(self) -> None:
        self.shell.sendintr()
        if not self.shell.prompt(timeout=10):
            raise TimedOut

    def close(self) -> None:
        self.shell.close(force=True)

    def _typed(self, line: str, timeout: float | None) -> str:
        self.shell.sendline(line)
        if not self.shell.prompt(timeout=timeout):
            raise TimedOut
        return str(self.shell.before)
