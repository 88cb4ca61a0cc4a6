"""shellbot beside what people would use instead, measured in one run.

    python tests/benchmarks/compare.py [--repeats N]
    python tests/benchmarks/compare.py --out DIR [--short] [--peers a,b] [--measures a,b]

Makes an environment for each peer under .cache/benchmarks, starts an sshd on loopback, and runs
each measure of each peer in turn, several times, each in a process of its own. The figures go to
docs/side-by-side/figures.json, and from there to the page docs/side-by-side.md.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import itertools
import json
import os
import platform
import secrets
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cases
from environments import ROOT, made, versions
from measures import MEASURES, Measure, Task
from peers import NAMES, Driver, Place, driver
from server import Relay, serving

HERE = Path(__file__).parent
OUT = ROOT / "docs" / "side-by-side"
SHORT_OUT = ROOT / ".cache" / "benchmarks" / "short"
PAGE_REQUIREMENTS = ["matplotlib==3.11.2"]
DELAY = 0.05
Row = dict[str, Any]


@dataclass
class Run:
    """One run: where the peers can go, and the workers that it starts."""

    far: Place
    relay: Relay
    mark: str
    pythons: dict[str, Path] = field(default_factory=dict)
    workers: Iterator[int] = field(default_factory=itertools.count)

    def environment(self, home: Path, mark: str) -> dict[str, str]:
        """What a worker finds: nothing of the caller's that would slow it down or lead it off."""
        wanted = ("PATH", "USER", "LOGNAME")
        kept = {name: os.environ[name] for name in wanted if name in os.environ}
        own = {"HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", "TERM": "xterm"}
        name, _, value = mark.partition("=")
        return {**kept, **own, name: value}

    def worker(self, peer: str, name: str, place: Place, task: Task) -> Row:
        """What a worker answers: its figures, an error, or that it was not done in time."""
        limit = MEASURES[name].limit
        mark = f"{self.mark}.{next(self.workers)}"
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
            process = subprocess.Popen(
                [self.pythons[peer], HERE / "worker.py", peer, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env=self.environment(Path(directory), mark),
                start_new_session=True,
            )
            try:
                text = json.dumps({**task, "place": asdict(place)}).encode()
                answer, errors = process.communicate(text, timeout=limit)
                row: Row = json.loads(answer)
                if "error" in row:
                    row["trace"] = errors.decode(errors="replace")[-2000:]
                return row
            except subprocess.TimeoutExpired:
                return {"not within": limit}
            except json.JSONDecodeError:
                return {"error": f"ended with status {process.returncode} and no answer"}
            finally:
                process.kill()
                end_all(mark)
                process.communicate()

    def place(self, measure: Measure, peer: Driver) -> tuple[Place | None, str]:
        """Where a measure is to run for a peer, or why it cannot."""
        wanted = measure.place
        if wanted == "any":
            wanted = peer.places[0]
        if wanted == "here":
            here = Place("here") if "here" in peer.places else None
            return here, "it runs nothing here"
        if "ssh" not in peer.places and measure is not MEASURES["own"]:
            return None, "it runs nothing over ssh"
        return (self.relay.place if wanted == "link" else self.far), ""

    def measured(self, name: str, options: argparse.Namespace) -> dict[str, dict[str, Row]]:
        """A measure's rows, by task and peer."""
        measure = MEASURES[name]
        found: dict[str, dict[str, Row]] = {}
        too_hard: set[tuple[str, str]] = set()
        for label, task in (measure.short if options.short else measure.tasks).items():
            answers: dict[str, list[Row]] = {peer: [] for peer in self.pythons}
            for _ in range(min(options.repeats, measure.most)):
                # What failed, or was not done in time, would be so again.
                peers = [p for p, rows in answers.items() if not rows or "figures" in rows[-1]]
                with ThreadPoolExecutor(measure.at_once) as pool:
                    one = functools.partial(self.one, name, label, task, too_hard)
                    for peer, row in zip(peers, pool.map(one, peers), strict=True):
                        answers[peer].append(row)
            found[label] = {peer: together(rows) for peer, rows in answers.items()}
        return found

    def one(
        self, name: str, label: str, task: Task, too_hard: set[tuple[str, str]], peer: str
    ) -> Row:
        """One worker's answer, or why there is none."""
        measure, file = MEASURES[name], driver(peer)
        place, reason = self.place(measure, file)
        if name in file.NOT_OFFERED:
            row = {"not offered": file.NOT_OFFERED[name]}
        elif name == "own" and not hasattr(file, "own"):
            row = {"not offered": "it has none"}
        elif (peer, label) in too_hard:
            row = {"not tried": "a tenth of it was not done in time"}
        elif place is None:
            row = {"not offered": reason}
        else:
            told = {"told": self.relay.told} if measure.place == "link" else {}
            row = self.worker(peer, name, place, {**task, **told}) | {"place": place.kind}
        if "not within" in row:
            too_hard.update((peer, one) for one in (measure.harder or {}).get(label, ()))
        say(f"{name} {label}: {peer}: {brief(row)}")
        return row


def end_all(mark: str) -> None:
    """End what a worker has left behind, by the mark (NAME=VALUE) in its environment.

    When this returns, it is gone: also what one of them had started when it was ended itself.
    """
    while [entry for entry in Path("/proc").glob("[0-9]*") if ended(entry, mark)]:
        pass


def ended(entry: Path, mark: str) -> bool:
    """Whether this process had the mark. If so, it has been ended and waited for."""
    try:
        process = os.pidfd_open(int(entry.name))
    except ProcessLookupError:
        return False
    try:
        if mark.encode() not in (entry / "environ").read_bytes().split(b"\0"):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [])
    except OSError:  # it has gone meanwhile, or is somebody else's
        return False
    finally:
        os.close(process)
    return True


def together(rows: Sequence[Row]) -> Row:
    """The rows of all repeats as one: of each figure the median, the spread, and all values."""
    measured = [row["figures"] for row in rows if "figures" in row]
    one: Row = {key: value for row in rows for key, value in row.items() if key != "figures"}
    if measured:
        names = dict.fromkeys(name for figures in measured for name in figures)
        one["wrong"] = sum(figures.get("wrong", 0) for figures in measured)
        one["figures"] = {
            name: spread([figures[name] for figures in measured if name in figures])
            for name in names
            if name != "wrong"
        }
    return one


def spread(values: Sequence[float | str]) -> Row:
    """A figure's median and spread, and what was said where there was no number."""
    numbers = [value for value in values if not isinstance(value, str)]
    said = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    figure: Row = {"said": said} if said else {}
    if numbers:
        figure |= {
            "median": statistics.median(numbers),
            "lowest": min(numbers),
            "highest": max(numbers),
            "values": numbers,
        }
    return figure


def brief(row: Row) -> str:
    figures = row.get("figures")
    if figures is None:
        return ", ".join(f"{key}: {value}" for key, value in row.items() if key != "trace")
    shown = [
        f"{name} {value:.4g}" if isinstance(value, int | float) else f"{name}: {value}"
        for name, value in figures.items()
    ]
    return ", ".join(shown[:8])


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def compare(options: argparse.Namespace) -> Row:
    """Everything that was asked for, measured."""
    started = time.monotonic()
    mark = f"SIDE_BY_SIDE={secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory), f"{mark}.far") as far:
        relay = Relay(far, DELAY)
        run = Run(far, relay, mark)
        for name in options.peers:
            run.pythons[name] = made(name, driver(name).requirements)
        ready = time.monotonic()
        measures: dict[str, Row] = {}
        try:
            for name in options.measures:
                began = time.monotonic()
                tasks = run.measured(name, options)
                measure = MEASURES[name]
                measures[name] = {
                    "about": (measure.run.__doc__ or "").strip(),
                    "place": measure.place,
                    "limit": measure.limit,
                    "took": time.monotonic() - began,
                    "tasks": tasks,
                }
        finally:
            end_all(f"{mark}.far")
            relay.close()
    peers = {
        name: {
            "about": (sys.modules[f"peers.{name}"].__doc__ or "").strip(),
            "versions": versions(run.pythons[name]),
            "places": driver(name).places,
            "keeps state": driver(name).keeps_state,
            "ahead": driver(name).AHEAD,
            "behind": getattr(driver(name), "BEHIND", {}),
        }
        for name in options.peers
    }
    figures: Row = {
        "commit": commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": " ".join(["python", "tests/benchmarks/compare.py", *sys.argv[1:]]),
        "short": options.short,
        "repeats": options.repeats,
        "machine": machine(),
        "delay each way, s": DELAY,
        "took": {"environments": ready - started, "all": time.monotonic() - started},
        "peers": peers,
        "measures": measures,
    }
    figures["wrong answers"] = wrong_answers(figures)
    if "exact" in measures:
        figures["exactness"] = exactness(measures.pop("exact")["tasks"][""])
    return figures


def wrong_answers(figures: Row) -> dict[str, int]:
    """How many wrong answers were noticed in all measures, by peer."""
    found = dict.fromkeys(figures["peers"], 0)
    for measure in figures["measures"].values():
        for rows in measure["tasks"].values():
            for peer, row in rows.items():
                found[peer] += int(row.get("wrong", 0))
    return found


def exactness(rows: dict[str, Row]) -> Row:
    """The matrix: what each case is, and the verdict on each peer's answer."""
    return {
        "cases": [
            {name: getattr(case, name) for name in ("name", "group", "why")} for case in cases.CASES
        ],
        "verdicts": {
            peer: {name: figure["said"][0] for name, figure in row.get("figures", {}).items()}
            for peer, row in rows.items()
        },
    }


def commit() -> str:
    """What was measured, as far as that is known here."""
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def machine() -> Row:
    """What it was measured on."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")

    def said(*command: str) -> str:
        if not shutil.which(command[0]):
            return "not installed"
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0]

    return {
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "processors": os.cpu_count(),
        "processor": model,
        "memory, GB": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "python": platform.python_version(),
        "bash": said("bash", "--version"),
        "ssh": said("ssh", "-V"),
        "tmux": said("tmux", "-V"),
    }


def listed(known: Sequence[str]) -> Any:
    def names(text: str) -> list[str]:
        wanted = text.split(",")
        for name in wanted:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return wanted

    return names


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="only see that it works")
    parser.add_argument("--peers", type=listed(NAMES), default=list(NAMES))
    parser.add_argument("--measures", type=listed(tuple(MEASURES)), default=list(MEASURES))
    parser.add_argument("--repeats", type=int, help="5, or 1 with --short")
    parser.add_argument("--out", type=Path, help="a directory for figures.json")
    options = parser.parse_args(given)
    options.repeats = options.repeats or (1 if options.short else 5)
    whole = options.peers == list(NAMES) and options.measures == list(MEASURES)
    if not (whole or options.short or options.out):
        parser.error("the page is made of all of it: say with --out where a part is to go")
    return options


def main() -> None:
    options = arguments()
    out = options.out or (SHORT_OUT if options.short else OUT)
    figures = compare(options)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "figures.json"
    file.write_text(json.dumps(figures, indent=1) + "\n")
    say(f"{file}: {figures['took']['all']:.0f} s")
    if not options.out and not options.short:
        subprocess.run([made("page", PAGE_REQUIREMENTS), HERE / "page.py", file], check=True)


if __name__ == "__main__":
    main()
