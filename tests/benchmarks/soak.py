"""Mixed commands with known answers, for long: is every answer right, and does nothing grow?

    python tests/benchmarks/soak.py [--short] [--seed N] [--part one|many] [--json FILE]
    python tests/benchmarks/soak.py --seed N --only PART/SEAT/FIRST[-LAST]

Two parts: one session for ten minutes, and 200 sessions in threads on two processors for five
minutes. What is sent is drawn from the seed; each answer is known before it is asked for, by how
the command was made. Between two rounds no command runs, and what is held is looked at. The exit
status is 1 if an answer was wrong or anything grew. A step that went wrong says how to take it
again, alone or with those before it.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import datetime
import faulthandler
import itertools
import json
import logging
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import mixture
import watch

import shellbot

_SHOWN = 20
"""How many wrong answers are kept whole."""
_PROCESSORS = 2


class Part(NamedTuple):
    """One of the soaks."""

    sessions: int
    seconds: float
    largest: int
    """How many bytes an output may have."""
    anew: bool
    """Whether sessions are closed and opened again meanwhile."""
    rounds: int = 60
    steps: int | None = None
    """How many steps each session takes in a round; without that, as many as the time allows."""


PARTS = {
    "one": Part(sessions=1, seconds=600, largest=mixture.LARGEST, anew=False),
    "many": Part(sessions=200, seconds=300, largest=100_000, anew=True),
}
SHORT = {
    "one": PARTS["one"]._replace(rounds=6, steps=20),
    "many": PARTS["many"]._replace(sessions=12, rounds=6, steps=2),
}


def soak(name: str, part: Part, seed: int, place: Path) -> dict[str, object]:
    """Run one part, and return its figures."""
    material = mixture.Material(place / "material", seed)
    seats = [_seat(name, number, part, seed, material) for number in range(part.sessions)]
    seen = watch.Watch(Path(os.environ["TMPDIR"]))
    began, told = time.monotonic(), 0
    try:
        for number in range(1, part.rounds + 1):
            ends = began + part.seconds * number / part.rounds if part.steps is None else math.inf
            _together(seats, part.steps, ends)
            seen.look(sum(seat.commands for seat in seats), [seat.shell for seat in seats])
            wrong = [one for seat in seats for one in seat.wrong]
            if part.steps is None:
                print(
                    f"{name}, round {number}: {seen.samples[-1]}, {len(wrong)} wrong",
                    *wrong[told:],
                    sep="\n",
                    file=sys.stderr,
                )
            told = len(wrong)
        took = time.monotonic() - began
    finally:
        for seat in seats:
            seat.close()
    return _figures(part, seats, seen, took)


def _seat(
    name: str, number: int, part: Part, seed: int, material: mixture.Material
) -> mixture.Seat:
    where = f"{name}/{number}"
    return mixture.Seat(material, seed=seed, name=where, largest=part.largest, anew=part.anew)


def _together(seats: list[mixture.Seat], steps: int | None, ends: float) -> None:
    """Take steps with all *seats* at once: so many, or until the time is over."""

    def take(seat: mixture.Seat) -> None:
        for _ in itertools.count() if steps is None else range(steps):
            if time.monotonic() >= ends:
                break
            seat.step()

    threads = [threading.Thread(target=take, args=(seat,)) for seat in seats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _figures(
    part: Part, seats: list[mixture.Seat], seen: watch.Watch, took: float
) -> dict[str, object]:
    wrong = [one for seat in seats for one in seat.wrong]
    kinds: collections.Counter[str] = collections.Counter()
    longest: dict[str, float] = {}
    for seat in seats:
        kinds.update(seat.kinds)
        for kind, seconds in seat.longest.items():
            longest[kind] = max(round(seconds, 3), longest.get(kind, 0.0))
    growth, changed = seen.growth(), seen.changed()
    return {
        "sessions": part.sessions,
        "sessions_opened": sum(seat.opened for seat in seats),
        "seconds": round(took, 1),
        "steps": kinds.total(),
        "commands": sum(seat.commands for seat in seats),
        "steps_by_kind": dict(kinds.most_common()),
        "longest_step_by_kind": dict(sorted(longest.items())),
        "wrong": len(wrong),
        "wrong_steps": wrong[:_SHOWN],
        "growth": growth,
        "changed": changed,
        "passed": not wrong and not changed and not any(one["grows"] for one in growth.values()),
        "samples": seen.samples,
    }


def again(which: str, parts: dict[str, Part], seed: int, place: Path) -> bool:
    """Take some steps once more, telling all that is done; say whether all went right."""
    name, number, steps = which.split("/")
    first, _, last = steps.partition("-")
    logging.basicConfig(level=logging.DEBUG, format="%(relativeCreated)7d ms  %(message)s")
    material = mixture.Material(place / "material", seed)
    seat = _seat(name, int(number), parts[name], seed, material)
    seat.skip_to(int(first))
    for _ in range(int(first), int(last or first) + 1):
        seat.step()
    seat.close()
    for one in seat.wrong:
        print(f"{one['again']} ({one['kind']}): {one['problem']}")
    print(f"{seat.kinds.total()} steps, {len(seat.wrong)} of them wrong")
    return not seat.wrong


@contextlib.contextmanager
def _own_place() -> Iterator[Path]:
    """A directory that goes, with an empty one in it for temporary files."""
    with tempfile.TemporaryDirectory(prefix="shellbot-soak-") as name:
        place = Path(name).resolve()
        (place / "temporary").mkdir()
        os.environ["TMPDIR"] = str(place / "temporary")
        yield place


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--short", action="store_true", help="a fixed few seconds' work")
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments.add_argument("--part", choices=PARTS, action="append", help="only this part")
    arguments.add_argument("--seconds", type=float, help="for each part, instead of its own")
    arguments.add_argument("--json", type=Path, help="write the figures to this file")
    arguments.add_argument("--only", help="take only these steps: PART/SEAT/FIRST[-LAST]")
    given = arguments.parse_args()

    parts = SHORT if given.short else PARTS
    if given.seconds is not None:
        parts = {name: part._replace(seconds=given.seconds) for name, part in parts.items()}
    processors = sorted(os.sched_getaffinity(0))[:_PROCESSORS]
    os.sched_setaffinity(0, processors)
    watch.share_one_heap()
    with _own_place() as place:
        if given.only:
            return 0 if again(given.only, parts, given.seed, place) else 1
        figures: dict[str, dict[str, object]] = {}
        for name in given.part or parts:
            # A session that hangs says where.
            faulthandler.dump_traceback_later(parts[name].seconds + 300, exit=True)
            figures[name] = soak(name, parts[name], given.seed, place / name)
            faulthandler.cancel_dump_traceback_later()
    bash = subprocess.run(["bash", "--version"], capture_output=True, text=True, check=True)
    report = {
        "seed": given.seed,
        "short": given.short,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "shellbot": shellbot.__version__,
        "python": platform.python_version(),
        "bash": bash.stdout.splitlines()[0],
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "processors": f"{len(processors)} of {os.cpu_count()}",
        "passed": all(part["passed"] for part in figures.values()),
        "parts": figures,
    }
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    for part in figures.values():
        part.pop("samples")
    print(json.dumps(report, indent=1))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
