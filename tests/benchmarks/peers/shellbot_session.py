"""shellbot itself, installed from this checkout as anybody would install it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import timeit
from pathlib import Path

from . import CHECKOUT, Answer, Place, TimedOut

requirements = [CHECKOUT]
imports = "import shellbot"
places = ["here", "ssh"]
keeps_state = True
NOT_OFFERED: dict[str, str] = {}
AHEAD: dict[str, str] = {}
FRAME = (
    "A command of shellbot's has two marks around it that reach the terminal wherever the shell's "
    "output goes, and that no trap or trace sees."
)
BEHIND = {
    "start": "shellbot has the shell told its words, and proves that it answers.",
    "commands": FRAME,
    "latency": FRAME,
    "waiting": "shellbot looks at what the command does, though ever more seldom.",
    "threads": FRAME,
    "sessions": "shellbot remembers what was left on the terminal, and by whom.",
    "large_command": "shellbot quotes a command and folds it into short lines, which any terminal "
    "takes whole.",
    "capture": "shellbot's shell has a terminal, which hands out 4 KB at a time.",
    "login": "shellbot has OpenSSH log in, with all of its settings, and then asks the far shell "
    "what it is and tells it its words.",
    "recovery": "shellbot looks twice, a tenth of a second apart, at what the command does, to say "
    "why it has not finished; and it ends what it has left behind.",
    "import": "shellbot knows eleven package managers, six shells and nine ways to log in.",
}
"""What shellbot does there that takes its time."""


class Peer:
    """A session, logged in by ssh where that is asked for."""

    def __init__(self, place: Place) -> None:
        import shellbot

        self._timed_out = shellbot.CommandTimeoutError
        self.session = shellbot.bash()
        if place.kind == "ssh":
            self.session.ssh(
                place.host,
                user=place.user,
                port=place.port,
                key=place.key,
                host_key="strict",
                options={"UserKnownHostsFile": place.known_hosts, "IdentitiesOnly": "yes"},
            )

    def run(self, command: str, timeout: float | None) -> Answer:
        try:
            result = self.session.send(command, check=False, timeout=timeout)
        except self._timed_out as error:
            raise TimedOut(str(error)) from error
        return Answer(result.raw, status=result.exit_code)

    def recover(self) -> None:
        """Nothing is left to do: a time-out is raised once the shell is back."""

    def close(self) -> None:
        self.session.close()


def own(place: Place) -> dict[str, float]:
    """What is asked of shellbot alone: ratios in one process, whose sides take turns; the memory
    that a string takes as well; the parser with output that is nothing but beginnings of marks.
    """
    from measures import memory

    import shellbot
    from peers.bare_loop import spawn_and_answer
    from shellbot import frames

    def importing(module: str) -> float:
        # Python's own start is the same for both.
        code = f"import time; began = time.perf_counter(); import {module}; "
        code += "print(time.perf_counter() - began)"
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        return float(done.stdout)

    def starting() -> float:
        # It has answered once by then.
        started = time.perf_counter()
        session = shellbot.bash()
        seconds = time.perf_counter() - started
        session.close()
        return seconds

    with shellbot.bash() as session:
        before = memory("VmHWM")
        result = session.send("head -c 20000000 /dev/zero")
        size = len(result.output)
        peak = (memory("VmHWM") - before) / size
    starts = [starting() / spawn_and_answer() for _ in range(30)]
    importing("shellbot")
    ratios = [importing("shellbot") / importing("pexpect") for _ in range(25)]
    parser = frames.Parser("1" * 20)
    chunk = (b"\x1e" + b"1" * 20) * 195
    started = time.perf_counter()
    for _ in range(5_000_000 // len(chunk)):
        parser.feed(chunk)
    parsing = (time.perf_counter() - started) / 5
    return {
        "commands a second, times a bare loop with the same frame": beside_its_own_frame(),
        "100 MB captured, times a loop that only reads": beside_a_loop_that_reads(),
        "start to ready, times spawning bash and its first answer": statistics.median(starts),
        "import, times that of pexpect, without the start of Python": statistics.median(ratios),
        "peak memory with the output as a string too, times the output": peak,
        "parsing output full of beginnings of marks, s/MB": parsing,
    }


def beside_its_own_frame() -> float:
    """The rate of commands, beside a loop that does no more than type the same frame and read.

    In several pairs of shells, as one may run all its life where the other's processor is busy.
    """
    return statistics.median(_beside_its_own_frame() for _ in range(25))


def _beside_its_own_frame() -> float:
    import shellbot

    ratios = []
    with shellbot.bash() as session, shellbot.bash() as bare:
        # A bash that was set up as ever, and from then on is talked to by the loop alone.
        line = bare._shell.line
        descriptor, number = line.terminal._fd, line.number
        os.set_blocking(descriptor, True)

        def loop() -> None:
            nonlocal number
            number += 1
            os.write(descriptor, line.dialect.frame(number, b":", after_failure=False))
            end, window = b"\x1e%b;%d=0>" % (line.key.encode(), number), b""
            while end not in window:
                window += os.read(descriptor, 65_536)

        for _ in range(5):
            theirs = timeit.timeit(loop, number=200)
            ratios.append(theirs / timeit.timeit(lambda: session.send(":"), number=200))
        os.set_blocking(descriptor, False)
    return statistics.median(ratios)


def beside_a_loop_that_reads() -> float:
    """The time that 100 MB take in lines, in pairs with the loop, as the machine changes."""
    import shellbot
    from peers.bare_loop import Peer as Loop

    source = Path("captured").resolve()
    source.write_bytes((b"x" * 79 + b"\n") * 1_250_000)
    command = f"cat {source}"
    loop = Loop(Place("here"))
    ratios = []
    with shellbot.bash() as session:
        for _ in range(5):
            theirs = timeit.timeit(lambda: loop.run(command, None), number=1)
            ratios.append(timeit.timeit(lambda: session.send(command), number=1) / theirs)
    loop.close()
    source.unlink()
    return statistics.median(ratios)
