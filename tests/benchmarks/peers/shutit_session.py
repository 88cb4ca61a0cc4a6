"""shutit, the ancestor: `create_session('bash')` and `send_and_get_output`.

It tells no status with the output, so that its users ask with a second command. What changes the
output is turned off on the terminal, and a newline at the end is kept. Stripping is left on:
without it, all that follows an escape is dropped. No command is tried three times over, and none
fails for its having printed nothing.
"""

from __future__ import annotations

import shlex

from . import Answer, Place

requirements = ["shutit==1.0.173"]
imports = "import shutit"
places = ["here", "ssh"]
keeps_state = True
NOT_OFFERED = {"recovery": "a time-out counts down from 60, and then ends the whole program"}
AHEAD: dict[str, str] = {}


class Peer:
    """A session with a bash, logged in by ssh where that is asked for."""

    def __init__(self, place: Place) -> None:
        import shutit

        self.session = shutit.create_session("bash", loglevel="CRITICAL", nocolor=True)
        if place.kind == "ssh":
            command = shlex.join(["ssh", *place.ssh, place.host])
            self.session.login(command, user=place.user, go_home=False)
        quiet = "stty -onlcr -echo -icanon -icrnl -ixon; set +o emacs +o vi"
        self.session.send(quiet, check_exit=False, fail_on_empty_before=False)

    def run(self, command: str, timeout: float | None) -> Answer:
        output = self._sent(command, timeout)
        return Answer(output, status=int(self._sent("echo $?", timeout)))

    def close(self) -> None:
        for name in list(self.session.shutit_pexpect_sessions):
            self.session.shutit_pexpect_sessions[name].pexpect_child.close(force=True)

    def _sent(self, command: str, timeout: float | None) -> str:
        output = self.session.send_and_get_output(
            command,
            timeout=timeout,
            retry=1,
            preserve_newline=True,
            fail_on_empty_before=False,
        )
        return str(output)
