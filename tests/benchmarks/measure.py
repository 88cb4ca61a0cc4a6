"""How fast a session is, as ratios beside the least that the same work can take.

    python tests/benchmarks/measure.py [--short] [--json FILE]

Each figure is a pair: what shellbot does, and a bare loop that does no more than it must. They run
in turn, several times, on one machine; the figure is the median of their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import shellbot
from shellbot import frames, logins

Pair = tuple[float, float]


class Bare:
    """A bash on a terminal, written to and read from with nothing in between."""

    def __init__(self) -> None:
        self.session = shellbot.bash()
        line = self.session._shell.line
        self.dialect, self.key = line.dialect, line.key
        self.descriptor = line.terminal._fd
        self.number = line.number
        os.set_blocking(self.descriptor, True)

    def run(self, command: bytes) -> int:
        """Write one frame and read to its end mark; return how many bytes that was."""
        self.number += 1
        frame = self.dialect.frame(self.number, command, after_failure=False)
        os.write(self.descriptor, frame)
        end = b"\x1e%b;%d=0>" % (self.key.encode(), self.number)
        pieces: list[bytes] = []
        window = b""
        while end not in window:
            pieces.append(os.read(self.descriptor, 65_536))
            window = window[-len(end) :] + pieces[-1]
        return len(b"".join(pieces))

    def close(self) -> None:
        os.set_blocking(self.descriptor, False)
        self.session.close()


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def commands(times: int, count: int) -> Iterator[Pair]:
    """Commands a second, `send(":")`: higher is better."""
    bare = Bare()
    with shellbot.bash() as session:
        for _ in range(times):
            limit = seconds(lambda: [bare.run(b":") for _ in range(count)])
            ours = seconds(lambda: [session.send(":") for _ in range(count)])
            yield count / ours, count / limit
    bare.close()


def capture(times: int, megabytes: int) -> Iterator[Pair]:
    """Megabytes a second of output captured: higher is better."""
    command = f"head -c {megabytes}000000 /dev/zero | tr '\\0' x"
    bare = Bare()
    with shellbot.bash() as session:
        for _ in range(times):
            limit = seconds(lambda: bare.run(command.encode()))
            ours = seconds(lambda: session.send(command))
            yield megabytes / ours, megabytes / limit
    bare.close()


def spawn_and_answer() -> None:
    """What starting a shell takes at least: spawn it, and read its first answer."""
    master, slave = os.openpty()
    name = os.ttyname(slave)
    opened = [(os.POSIX_SPAWN_OPEN, 0, name, os.O_RDWR, 0)]
    opened += [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]  # type: ignore[list-item]
    arguments = ["bash", "--noprofile", "--norc", "--noediting", "-i"]
    pid = os.posix_spawnp("bash", arguments, os.environ, file_actions=opened, setsid=True)
    os.close(slave)
    os.write(master, b"echo rea''dy\n")
    answer = b""
    while b"ready\r\n" not in answer:
        answer += os.read(master, 65_536)
    os.close(master)
    os.waitpid(pid, 0)


def start(times: int) -> Iterator[Pair]:
    """Seconds from nothing to a closed session that has answered: lower is better."""

    def ours() -> None:
        with shellbot.bash():
            pass

    for _ in range(times):
        yield (
            statistics.median(seconds(ours) for _ in range(5)),
            statistics.median(seconds(spawn_and_answer) for _ in range(5)),
        )


def logging_in(times: int) -> Iterator[Pair]:
    """Seconds to be logged in by ssh and ready, beside `ssh -tt` with `true`: lower is better."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        for key in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / key]
            subprocess.run(command, check=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (place / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{port}\nHostKey {place}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {place}/user.pub\nStrictModes no\nPermitRootLogin yes\n"
            # A login shell's own files take what they take: these are quick ones.
            f"PrintMotd no\nPrintLastLog no\nSetEnv HOME={place}\n"
        )
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        server = subprocess.Popen(
            [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", place / "sshd_config"],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield from _logins(times, port, place)
        finally:
            server.terminate()
            server.wait()


def _logins(times: int, port: int, place: Path) -> Iterator[Pair]:
    options = {"UserKnownHostsFile": f"{place}/known", "LogLevel": "ERROR"}
    with shellbot.bash() as session:

        def ours() -> None:
            session.ssh("127.0.0.1", port=port, key=place / "user", options=options)

        # Its command as the session itself types it, but with another one to run there.
        way = logins.ssh("127.0.0.1", port=port, key=place / "user", options=options)
        session.send(f"{way.command} true", retry=shellbot.Retry(50, every=0.1))
        for _ in range(times):
            bare = seconds(lambda: session.send(f"{way.command} true"))
            yield seconds(ours), bare
            session.logout()


def importing(times: int) -> Iterator[Pair]:
    """Seconds to start Python and import: lower is better."""

    compiled = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}

    def run(module: str) -> float:
        command = [sys.executable, "-c", f"import {module}"]
        return seconds(lambda: subprocess.run(command, env=compiled, check=True))

    run("shellbot")
    for _ in range(times):
        yield run("shellbot"), run("pexpect")


def peak(megabytes: int) -> float:
    """The memory that capturing takes at its highest, as a multiple of the output."""
    program = (
        "import re, shellbot\n"
        "def highest():\n"
        "    status = open('/proc/self/status').read()\n"
        "    return int(re.search(r'VmHWM:\\s+([0-9]+)', status)[1]) * 1024\n"
        "session = shellbot.bash()\n"
        "session.send(':')\n"
        "before = highest()\n"
        f"result = session.send('head -c {megabytes}000000 /dev/zero')\n"
        "result.output\n"
        "print((highest() - before) / len(result.raw))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return float(done.stdout)


def waiting(duration: float) -> float:
    """The share of one processor that waiting for a silent command takes."""
    with shellbot.bash() as session:
        before = resource.getrusage(resource.RUSAGE_SELF)
        session.send(f"sleep {duration}")
        after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / duration


def parsing(megabytes: int) -> float:
    """Seconds for each megabyte of output that is nothing but beginnings of marks."""
    parser = frames.Parser("1" * 20)
    chunk = (b"\x1e" + b"1" * 20) * 195
    feed = seconds(lambda: [parser.feed(chunk) for _ in range(megabytes * 1_000_000 // len(chunk))])
    return feed / megabytes


def measure(*, short: bool) -> dict[str, object]:
    times = 3 if short else 15
    large = 2 if short else 100
    small = 1
    pairs = {
        "commands a second": list(commands(times, 20 if short else 300)),
        f"capture of {small} MB, MB/s": list(capture(times, small)),
        f"capture of {large} MB, MB/s": list(capture(2 if short else 5, large)),
        "start to ready, s": list(start(times)),
        "import, s": list(importing(times)),
        "ssh login to ready, s": list(logging_in(times)),
    }
    return {
        "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "python": platform.python_version(),
        "shellbot": shellbot.__version__,
        "ratios": {
            name: {
                "median": statistics.median(ours / limit for ours, limit in found),
                "lowest": min(ours / limit for ours, limit in found),
                "highest": max(ours / limit for ours, limit in found),
                "shellbot": statistics.median(ours for ours, _ in found),
                "bare": statistics.median(limit for _, limit in found),
            }
            for name, found in pairs.items()
        },
        f"peak memory for {large} MB, times the output": peak(large),
        "processor while waiting, share": waiting(0.5 if short else 5),
        "parsing the worst output, s/MB": parsing(1 if short else 20),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--short", action="store_true", help="only see that it runs")
    parser.add_argument("--json", help="write the figures to this file as well")
    options = parser.parse_args()
    figures = measure(short=options.short)
    text = json.dumps(figures, indent=2)
    print(text)
    if options.json:
        with open(options.json, "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
