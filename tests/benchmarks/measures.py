"""What is measured, for any peer. Each measure runs in a process of its own, in the peer's own
environment, and returns figures: names and numbers. "wrong" is how many answers were wrong; a
string in place of a number says why there is none.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cases
import exactness
from peers import Answer, Driver, Place, Session, TimedOut
from server import turns

Figures = dict[str, float | str]
Task = Mapping[str, Any]
# There is a peer that ends the whole program where a command of it fails.
FAILURES = (Exception, SystemExit)


@dataclass(frozen=True)
class Measure:
    """One thing to measure.

    *place* is where: "here", over "ssh", "link" (ssh on a slow line), or "any", which is here for
    whoever offers that. It is done once for each task of *tasks*, by the task's name, *most* times
    at most, *at_once* peers at a time, and killed after *limit* seconds. Where a task was not done
    in time, those in *harder* are not tried.
    """

    run: Callable[[Driver, Place, Task], Figures]
    place: str
    limit: float
    tasks: Mapping[str, Task]
    short: Mapping[str, Task]
    most: int = 5
    harder: Mapping[str, tuple[str, ...]] | None = None
    at_once: int = 1


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _wrong(answer: Answer, output: bytes, status: int = 0) -> bool:
    """Whether an answer is wrong. How lines end, and whether the last does, is not judged here."""
    said = answer.output + (answer.errors or b"")
    same = said == output or said.replace(b"\r\n", b"\n").strip(b"\n") == output.strip(b"\n")
    return not same or answer.status not in (status, None)


def memory(field: str) -> int:
    """A field of this process's status, in bytes: VmRSS, or VmHWM for the most that it had."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def _ready(peer: Driver, place: Place) -> Session:
    """A session that has answered once."""
    session = peer.Peer(place)
    session.run(":", 60)
    return session


def start(peer: Driver, place: Place, task: Task) -> Figures:
    """Nothing to the first answer, and to closed behind that."""
    wrong = 0
    answered = []

    def once() -> None:
        nonlocal wrong
        started = time.perf_counter()
        session = peer.Peer(place)
        wrong += _wrong(session.run("echo ready", None), b"ready\n")
        answered.append(time.perf_counter() - started)
        session.close()

    once()
    seconds = statistics.median(_several(once, task))
    return {"answered, s": statistics.median(answered[1:]), "seconds": seconds, "wrong": wrong}


def login(peer: Driver, place: Place, task: Task) -> Figures:
    """Nothing to logged in and the first answer; closing is not counted."""
    wrong = 0
    sessions = []

    def once() -> None:
        nonlocal wrong
        session = peer.Peer(place)
        sessions.append(session)
        wrong += _wrong(session.run("echo ready", None), b"ready\n")

    once()
    found = list(_several(once, task))
    for session in sessions:
        session.close()
    return {"seconds": statistics.median(found), "wrong": wrong}


def _several(work: Callable[[], None], task: Task) -> Iterator[float]:
    """The seconds of each run: as many as *count*, or as fit in the *seconds* of the task."""
    ends = time.monotonic() + task["seconds"]
    for number in range(task["count"]):
        if number and time.monotonic() > ends:
            return
        yield _timed(work)


def commands(peer: Driver, place: Place, task: Task) -> Figures:
    """How many commands a second, and how long one takes."""
    session = _ready(peer, place)
    wrong = 0

    def once() -> None:
        nonlocal wrong
        wrong += _wrong(session.run(":", None), b"")

    found = sorted(_several(once, task))
    session.close()
    return {
        "commands a second": len(found) / sum(found),
        "p50, s": statistics.median(found),
        "p99, s": found[min(len(found) - 1, len(found) * 99 // 100)],
        "commands": len(found),
        "wrong": wrong,
    }


def link(peer: Driver, place: Place, task: Task) -> Figures:
    """The same on a slow line, with the turns that each command takes."""
    session = _ready(peer, place)
    before = turns(task["told"])
    wrong = 0

    def once() -> None:
        nonlocal wrong
        wrong += _wrong(session.run("echo there", None), b"there\n")

    found = list(_several(once, task))
    taken = turns(task["told"]) - before
    session.close()
    return {
        "seconds a command": statistics.median(found),
        "turns a command": taken / len(found),
        "wrong": wrong,
    }


LINE = "x" * 79 + "\n"


def capture(peer: Driver, place: Place, task: Task) -> Figures:
    """A large output: how long, how much memory, and whether it came exactly."""
    size = int(task["megabytes"] * 1_000_000)
    # A file, so that whatever makes the output takes none of the time.
    source = Path("output").resolve()
    piece = (LINE if task["lines"] else "x" * len(LINE)).encode() * 500
    with source.open("wb") as file:
        for _ in range(size // len(piece)):
            file.write(piece)
    session = _ready(peer, place)
    before = memory("VmHWM")
    started = time.perf_counter()
    answer = session.run(f"cat {source}", None)
    seconds = time.perf_counter() - started
    peak = memory("VmHWM") - before
    expected = source.read_bytes()
    exact = answer.output == expected
    wrong = _wrong(answer, expected)
    session.close()
    return {
        "seconds": seconds,
        "seconds a MB": seconds / task["megabytes"],
        "peak memory, times the output": peak / size,
        "exact": float(exact),
        "wrong": float(wrong),
    }


def large_command(peer: Driver, place: Place, task: Task) -> Figures:
    """A command so long, whose answer is a digest of what arrived."""
    letters = random.Random(8).choices("abcdefghijklmnopqrstuvwxyz", k=task["bytes"])
    if task["lines"]:
        letters[79::80] = "\n" * len(letters[79::80])
    text = "".join(letters)
    session = _ready(peer, place)
    started = time.perf_counter()
    try:
        answer = session.run(f"printf %s '{text}' | md5sum", task["timeout"])
    except TimedOut:
        return {"seconds": f"not within {task['timeout']} s", "wrong": 0}
    except FAILURES as error:
        return {"seconds": f"refused ({_said(error)})", "wrong": 0}
    seconds = time.perf_counter() - started
    session.close()
    wrong = _wrong(answer, f"{hashlib.md5(text.encode()).hexdigest()}  -\n".encode())
    return {"seconds": "wrong" if wrong else seconds, "wrong": wrong}


def waiting(peer: Driver, place: Place, task: Task) -> Figures:
    """The processor time that a silent command costs the caller's own process."""
    session = _ready(peer, place)
    started, before = time.monotonic(), time.process_time()
    answer = session.run(f"sleep {task['seconds']}", None)
    taken = time.process_time() - before
    early = time.monotonic() - started < task["seconds"]
    session.close()
    return {
        "processor seconds a second": taken / task["seconds"],
        "wrong": early or _wrong(answer, b""),
    }


def threads(peer: Driver, place: Place, task: Task) -> Figures:
    """A session in each thread, and commands in it whose answers all differ."""
    wrong: list[int] = []
    errors: list[str] = []
    barrier = threading.Barrier(task["threads"] + 1)

    def work(number: int) -> None:
        try:
            session = peer.Peer(place)
            for command in range(task["commands"]):
                text = f"thread {number} command {command}"
                if _wrong(session.run(f"echo '{text}'", None), f"{text}\n".encode()):
                    wrong.append(number)
        except FAILURES as error:
            errors.append(_said(error))
            barrier.wait()
            return
        barrier.wait()
        session.close()

    started = time.perf_counter()
    for number in range(task["threads"]):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    barrier.wait()
    seconds = time.perf_counter() - started
    figures: Figures = {"seconds": seconds, "wrong": len(wrong), "failed": len(errors)}
    if errors:
        figures["error"] = errors[0]
    return figures


def sessions(peer: Driver, place: Place, task: Task) -> Figures:
    """Many sessions open at once: what each takes of the calling process, and of the time."""
    opened = [_ready(peer, place)]
    before = memory("VmRSS")
    wrong = 0
    error = ""
    started = time.perf_counter()
    while len(opened) <= task["count"] and time.perf_counter() - started < task["seconds"]:
        try:
            session = peer.Peer(place)
            opened.append(session)
            text = f"session {len(opened)}"
            wrong += _wrong(session.run(f"echo '{text}'", 60), f"{text}\n".encode())
        except FAILURES as caught:
            error = _said(caught)
            break
    seconds = time.perf_counter() - started
    taken = memory("VmRSS") - before
    number = len(opened) - 1
    # The first ones still answer, now that there are all the others.
    for session in opened[: task["count"] // 10]:
        wrong += _wrong(session.run("echo still", 60), b"still\n")
    figures: Figures = {
        "open at once": number,
        "KB a session": taken / 1000 / max(number, 1),
        "ms a session": seconds * 1000 / max(number, 1),
        "wrong": wrong,
    }
    if error:
        figures["error"] = error
    # Closing hundreds is not measured, and not waited for.
    return figures


def recovery(peer: Driver, place: Place, task: Task) -> Figures:
    """From the moment that a command's time is up until the next one has answered rightly."""
    session: Any = _ready(peer, place)
    ends = time.perf_counter() + task["timeout"]
    try:
        session.run("sleep 600", task["timeout"])
        return {"seconds": "no time-out was told", "wrong": 1}
    except TimedOut:
        pass
    try:
        session.recover()
        answer = session.run("echo ok", 10)
    except FAILURES as error:
        return {"seconds": f"never ({_said(error)})", "wrong": 0}
    seconds = time.perf_counter() - ends
    if _wrong(answer, b"ok\n"):
        return {"seconds": "never (the next answer is wrong)", "wrong": 1}
    session.close()
    return {"seconds": seconds, "wrong": 0}


def importing(peer: Driver, place: Place, task: Task) -> Figures:
    """Start Python and import the peer, and start Python alone."""

    def run(statement: str) -> float:
        return _timed(lambda: subprocess.run([sys.executable, "-c", statement], check=True))

    run(peer.imports)
    found = [(run(peer.imports), run("pass")) for _ in range(task["count"])]
    return {
        "seconds": statistics.median(ours for ours, _ in found),
        "python alone, s": statistics.median(bare for _, bare in found),
        "wrong": 0,
    }


def own(peer: Any, place: Place, task: Task) -> Figures:
    """What only this peer has a figure for."""
    return {**peer.own(place), "wrong": 0}


def exact(peer: Driver, place: Place, task: Task) -> Figures:
    """Every awkward command and state: the verdict on each."""
    figures: Figures = {"wrong": 0}
    judged = functools.partial(_judged, peer.__name__, place, task["timeout"])
    # Nothing is timed, and most of them mostly sleep.
    with ProcessPoolExecutor(3) as pool:
        chosen = cases.CASES[:: task["step"]]
        for case, verdict in zip(chosen, pool.map(judged, chosen, chunksize=4), strict=True):
            figures[case.name] = verdict
    return figures


def _judged(name: str, place: Place, timeout: float, case: cases.Case) -> str:
    peer = cast(Driver, importlib.import_module(name))
    if case.before and not peer.keeps_state:
        return "not offered"
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            return exactness.verdict(peer, place, case, timeout)
        finally:
            os.chdir("/")


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:120]


_BRIEF: Task = {"count": 3, "seconds": 1}

MEASURES = {
    "start": Measure(start, "here", 60, {"": {"count": 20, "seconds": 5}}, {"": _BRIEF}),
    "commands": Measure(commands, "here", 60, {"": {"count": 2000, "seconds": 5}}, {"": _BRIEF}),
    "capture": Measure(
        capture,
        "any",
        60,
        {
            f"{megabytes} MB, {shape}": {"megabytes": megabytes, "lines": shape == "lines"}
            for megabytes in (1, 10, 100)
            for shape in ("lines", "one line")
        },
        {
            f"0.04 MB, {shape}": {"megabytes": 0.04, "lines": shape == "lines"}
            for shape in ("lines", "one line")
        },
        most=2,
        harder={
            f"{megabytes} MB, {shape}": (f"{megabytes * 10} MB, {shape}", f"100 MB, {shape}")
            for megabytes in (1, 10)
            for shape in ("lines", "one line")
        },
    ),
    "large_command": Measure(
        large_command,
        "any",
        80,
        {
            "one line": {"bytes": 1_000_000, "lines": False, "timeout": 60},
            "lines": {"bytes": 1_000_000, "lines": True, "timeout": 60},
        },
        {"one line": {"bytes": 20_000, "lines": False, "timeout": 20}},
        most=2,
    ),
    "waiting": Measure(waiting, "any", 60, {"": {"seconds": 10}}, {"": {"seconds": 0.2}}, most=3),
    "threads": Measure(
        threads,
        "any",
        120,
        {"": {"threads": 50, "commands": 50}},
        {"": {"threads": 3, "commands": 3}},
        most=2,
    ),
    "sessions": Measure(
        sessions,
        "any",
        180,
        {"": {"count": 500, "seconds": 30}},
        {"": {"count": 3, "seconds": 10}},
        most=2,
    ),
    "login": Measure(login, "ssh", 60, {"": {"count": 5, "seconds": 5}}, {"": _BRIEF}),
    "latency": Measure(commands, "ssh", 60, {"": {"count": 500, "seconds": 5}}, {"": _BRIEF}),
    "link": Measure(link, "link", 120, {"": {"count": 20, "seconds": 10}}, {"": _BRIEF}, most=3),
    "recovery": Measure(recovery, "any", 60, {"": {"timeout": 1}}, {"": {"timeout": 0.3}}, most=3),
    "import": Measure(importing, "any", 60, {"": {"count": 10}}, {"": {"count": 1}}),
    "own": Measure(own, "ssh", 120, {"": {}}, {"": {}}),
    "exact": Measure(
        exact,
        "any",
        3600,
        {"": {"step": 1, "timeout": 5}},
        {"": {"step": 100, "timeout": 5}},
        most=1,
        at_once=4,  # nothing is timed, and most of them mostly sleep
    ),
}
