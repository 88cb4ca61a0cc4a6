"""pexpect's replwrap: its own `bash()`, with the settings that it leaves to the caller.

It tells no status, so that its users ask with a second command. `bash()` takes no codec and no
buffer size; what it does is done here with its parts, so that bytes survive and large outputs are
read in large pieces. The terminal is told to leave newlines and keys alone, and bash to have no
line editor, which would act on keys. No delay before what is typed, nor after the end.
"""

from __future__ import annotations

from . import Answer, Place, TimedOut

requirements = ["pexpect==4.9.0"]
imports = "from pexpect import replwrap"
places = ["here"]
keeps_state = True
HERE_ONLY = "its users have pxssh for that"
NOT_OFFERED = {"login": HERE_ONLY, "latency": HERE_ONLY, "link": HERE_ONLY}
AHEAD = {
    "capture": "It is pexpect's loop with large reads, and looks for one prompt and nothing else.",
    "start": "It reads the shell's first prompt and sets another, and asks the shell nothing.",
    "import": "It is a part of a smaller library.",
    "sessions": "Its sessions keep no more than a buffer and the terminal.",
    "recovery": "Ctrl-C is typed and the prompt is read; whether it is the right one is not asked.",
}


class Peer:
    """A bash with the prompts of replwrap."""

    def __init__(self, place: Place) -> None:
        import os

        import pexpect
        from pexpect import replwrap

        self._timed_out = pexpect.TIMEOUT
        parts = os.path.dirname(replwrap.__file__)
        child = pexpect.spawn(
            "bash",
            ["--noediting", "--rcfile", os.path.join(parts, "bashrc.sh")],
            echo=False,
            encoding="utf-8",
            codec_errors="surrogateescape",
            maxread=65_536,
        )
        child.delaybeforesend = None
        child.ptyproc.delayafterclose = 0
        # As bash() has it: the prompt in the environment is not the one that is shown.
        first, second = (
            prompt[:5] + r"\[\]" + prompt[5:]
            for prompt in (replwrap.PEXPECT_PROMPT, replwrap.PEXPECT_CONTINUATION_PROMPT)
        )
        self.shell = replwrap.REPLWrapper(
            child,
            r"\$",
            f"PS1='{first}' PS2='{second}' PROMPT_COMMAND=''",
            extra_init_cmd="export PAGER=cat; stty -onlcr -icanon -icrnl -ixon",
        )

    def run(self, command: str, timeout: float | None) -> Answer:
        try:
            output = self.shell.run_command(command, timeout=timeout)
            status = self.shell.run_command("echo $?", timeout=timeout)
        except self._timed_out as error:
            raise TimedOut(str(error)) from error
        return Answer(output, status=int(status))

    def recover(self) -> None:
        self.shell.child.sendintr()
        self.shell._expect_prompt(timeout=10)

    def close(self) -> None:
        self.shell.child.close(force=True)
