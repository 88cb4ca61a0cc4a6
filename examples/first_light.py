"""First light: open a session, run commands on this very machine, and wait for something.

Run it with `sh examples/run`, which needs nothing prepared.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

import shellbot

COLOURED = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
BOLD, DIM, GREEN, RED = 1, 2, 32, 31


def painted(colour: int, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if COLOURED else text


def show(result: shellbot.Result) -> None:
    """Print a command, what it printed, how it ended and how long it took."""
    print(painted(BOLD, f"$ {result.command}"))
    if result.text:
        print(result.text.removesuffix("\n"))
    status = painted(GREEN if result else RED, f"exit status {result.exit_code}")
    print(status + painted(DIM, f", {result.duration:.3f} s"), end="\n\n", flush=True)


with tempfile.TemporaryDirectory() as workplace, shellbot.bash() as shell:
    print(painted(BOLD, f"A session as {shell.where.user} on {shell.where.host}"), end="\n\n")

    # A command returns when it is done, with its output and its exit status.
    show(shell.send("uname -sr"))
    show(shell.send("df -h /"))
    show(shell.send("cut -d: -f7 /etc/passwd | sort | uniq -c | sort -rn | head -n 3"))

    # One that fails raises CommandError, unless its status is accepted.
    show(shell.send("ls /no/such/directory", check=False))
    try:
        shell.send("grep root /no/such/file")
    except shellbot.CommandError as error:
        show(error.result)

    # What a command changes lasts: here the directory. A list is quoted, whatever is in it.
    show(shell.send(["cd", workplace]))
    show(shell.send("pwd"))

    # A job in the background takes a while. Look again and again until its file is there.
    asked = time.monotonic()
    show(shell.send("(sleep 1.5; date > report.txt) &"))
    show(shell.send_until("ls", "report.txt", every=0.25, timeout=30))
    print(f"The report was there after {time.monotonic() - asked:.1f} s. ", end="")

    # Where only the output is of interest:
    print("It says:", shell.send_and_get_output("cat report.txt"))
