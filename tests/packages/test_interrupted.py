"""Work of a manager that does not come to its end, and what a person sees of it meanwhile."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from dialogues.machines import until
from logins.containers import Engine
from logins.users import in_step
from packages.hosts import Host, on

import shellbot
from shellbot import LevelLostError, PackageError, Session


@contextlib.contextmanager
def meanwhile(host: Host, act: Callable[[], object]) -> Iterator[None]:
    """Have something done elsewhere once "slow" is being set up there."""
    started = Path("/proc", host.pid, "root/tmp/slow")

    def run() -> None:
        until(started.exists, 40)
        act()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def press_ctrl_c() -> None:
    """Do what the terminal does to the script that runs on it."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


# What is left of "slow", by the manager's own word and by that of the session.
LEFT = {
    "apt": (
        "",
        r"apt says: .*half configured.*\bslow\b.*\. dpkg --configure -a puts it right\. "
        r"There now: slow \(not installed\)\.",
    ),
    "dnf": ("1.0", r"dnf does not tell whether .* There now: slow 1\.0"),
    "zypper": ("1.0", r"zypper does not tell whether .* There now: slow 1\.0"),
    "pacman": ("1.0", r"pacman says that nothing is left undone\. There now: slow 1\.0"),
}


@on(*LEFT)
def test_ctrl_c_leaves_the_session_in_step_and_tells_the_state(
    host: Host, bash: Session, podman: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    # apt's state is nothing that everybody may see.
    user = "free" if host.manager == "apt" else "root"
    bash.container(host.name, engine="podman", user=user)
    caplog.set_level(logging.WARNING, "shellbot")
    with pytest.raises(KeyboardInterrupt), meanwhile(host, press_ctrl_c):
        bash.install("slow")
    in_step(bash, user)
    # Nor has it left anything running.
    busy = re.compile(r"(^|/)(apt-get|dpkg|dnf|rpm|zypper|pacman)\b|rpm-tmp|postinst")
    assert [words for words in podman.inside(host.name) if busy.search(words)] == []
    version, told = LEFT[host.manager]
    assert host.version("slow") == version
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"{host.manager} was interrupted (install slow, on {user}@")
    assert re.search(told, message, re.DOTALL), message
    assert bash.packages.is_installed("slow") is bool(version)
    host.told("touch", "/tmp/go")
    if host.manager == "apt":
        bash.packages.mend()
        assert host.version("slow") == "1.0"
    assert bash.install("greet").changed
    assert host.version("greet") == "2.0"


@on("apt")
def test_what_takes_too_long_is_stopped(host: Host, bash: Session) -> None:
    bash.container(host.name, engine="podman")
    with pytest.raises(PackageError) as caught:
        bash.install("greet", "slow", timeout=4)
    error = caught.value
    assert (error.reason, error.exit_code) == ("timed_out", None)
    assert b"slow: step 2\n" in error.partial
    assert not host.busy()
    assert "dpkg --configure -a puts it right" in str(error)
    assert error.result is not None
    assert [one.version for one in error.result.packages] == ["2.0", ""]
    assert (host.version("greet"), host.version("slow")) == ("2.0", "")
    in_step(bash, "root")


@on("apt")
def test_what_was_killed_is_mended_when_told_to(host: Host, bash: Session) -> None:
    host.hold()
    host.told("pkill", "-KILL", "-x", "apt-get|dpkg|slow.postinst")
    until(lambda: not host.busy())
    host.told("touch", "/tmp/go")
    bash.container(host.name, engine="podman", user="free")
    before = host.run(["dpkg-query", "-W"]).stdout
    packages = bash.packages
    works: list[Callable[[], object]] = [
        lambda: packages.install("greet"),
        lambda: packages.remove("tar"),
        lambda: packages.upgrade(),
    ]
    for work in works:
        with pytest.raises(PackageError, match="dpkg --configure -a puts it right") as caught:
            work()
        assert caught.value.reason == "interrupted"
        assert "packages.mend()" in str(caught.value)
    assert host.run(["dpkg-query", "-W"]).stdout == before
    assert host.version("slow") == ""
    packages.mend()
    assert host.version("slow") == "1.0"
    assert packages.install("greet").changed
    assert host.version("greet") == "2.0"
    in_step(bash, "free")


@on("dnf")
def test_a_machine_that_is_gone(host: Host, bash: Session, podman: Engine) -> None:
    bash.container(host.name, engine="podman")
    with pytest.raises(LevelLostError), meanwhile(host, lambda: podman.told("kill", host.name)):
        bash.install("slow")
    assert bash.where.depth == 0
    assert bash.where.manager == "apt"
    in_step(bash, bash.where.user)


# A person at the terminal

DRIVER = """
import json, os, sys, time, shellbot
from pathlib import Path

def threads():
    return len(os.listdir("/proc/self/task"))

echo = sys.argv[2] == "echo"
with shellbot.bash(name="here", echo=echo) as session:
    session.container(sys.argv[1], engine="podman")
    before, used, began = threads(), time.process_time(), time.monotonic()
    result = session.install("slow")
    share = (time.process_time() - used) / (time.monotonic() - began)
    while threads() > before and time.monotonic() < began + 30:
        pass
    told = {
        "share": share,
        "threads": threads() - before,
        "output": result.output,
        "version": result["slow"].version,
    }
    Path(sys.argv[3]).write_text(json.dumps(told))
    print("over", flush=True)
"""
ERASED = "\r\x1b[K"


def driven(host: Host, told: Path, *, echo: bool = False) -> tuple[list[str], dict[str, str]]:
    """What runs that script, and its environment."""
    root = str(Path(shellbot.__file__).parents[1])
    words = [sys.executable, "-c", DRIVER, host.name, "echo" if echo else "quiet", str(told)]
    return words, {**os.environ, "PYTHONPATH": root}


def at_a_terminal(host: Host, told: Path, *, echo: bool = False) -> str:
    """What a person sees of it, who lets "slow" come to its end after a while."""
    (program, *words), environment = driven(host, told, echo=echo)
    child = pexpect.spawn(
        program, words, env=environment, encoding="utf-8", timeout=30, dimensions=(24, 60)
    )
    with child:
        child.expect(r"slow: step 1\d" if echo else r"  (?:[2-9]|\d\d) s  slow: step \d+")
        seen = f"{child.before}{child.after}"
        host.told("touch", "/tmp/go")
        child.expect(pexpect.EOF)
        seen += str(child.before)
        child.close()
    assert child.exitstatus == 0, seen
    assert host.version("slow") == "1.0"
    return seen


@on("apt")
def test_a_person_sees_what_is_being_done(host: Host, tmp_path: Path) -> None:
    told = tmp_path / "told"
    seen = at_a_terminal(host, told)
    *lines, end = seen.split(ERASED)
    assert lines.pop(0) == ""
    # It is gone at the end, and takes one line at most meanwhile.
    assert end == "over\r\n"
    assert len(lines) >= 2
    for line in lines:
        assert re.match(r"\[here\] apt install slow  \d+ s  ", line), line
        assert len(line) < 60
        assert line.isprintable()
    result = json.loads(told.read_text())
    assert result["threads"] == 0
    assert result["share"] < 0.3
    steps = [int(one) for one in re.findall(r"slow: step (\d+)\n", result["output"])]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) > 5
    assert result["version"].startswith("1.0")


@on("apt")
def test_nobody_sees_it_twice_or_where_there_is_no_terminal(host: Host, tmp_path: Path) -> None:
    seen = at_a_terminal(host, tmp_path / "told", echo=True)
    assert "[here] \x1b[0mslow: step 3\r\n" in seen
    assert "apt install slow  " not in seen
    host.told("apt-get", "-y", "remove", "slow")
    words, environment = driven(host, tmp_path / "again")
    done = subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("over\n", "")
    assert "slow: step" not in json.loads((tmp_path / "again").read_text())["output"]
    assert host.version("slow") == "1.0"
