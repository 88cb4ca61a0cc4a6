"""What a soak watches: memory, descriptors, threads, processes and files; and whether they grow.

Needs Linux, as all of it is read from /proc.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import os
import re
import statistics
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TypedDict

Sample = dict[str, float]

COUNTED = ("descriptors", "shell_descriptors", "threads", "processes", "temporary_files")
"""What has to be the same whenever no command runs."""
MEMORY = ("memory", "own_share_of_memory", "shell_memory")
"""What may go up and down, in bytes, but may not grow with the commands."""

_LEAK = 512
"""Bytes a command that count as growth: half of what the smallest leak to be found loses."""
_NOISE, _NOISE_OF_A_SHELL = 4_000_000, 6_000_000
"""Bytes that memory may come to differ by over half a run, whatever the number of commands."""
_FEW = 1_000
"""With fewer commands in half a run, nothing can be said of memory."""
_SETTLING = 10.0
"""How long, in seconds, a process that was ended may take to be gone."""
_M_ARENA_MAX = -8  # in malloc.h


class Growth(TypedDict):
    """How a kind of memory went with the commands, in bytes a command."""

    first_half: float
    second_half: float
    bound: float
    """Above this, the second half shows a leak: so much of one this run was able to find."""
    judged: bool
    """Whether there were enough commands to tell."""
    grows: bool


class Watch:
    """Samples of what a process and its shells hold, taken while no command runs."""

    def __init__(self, temporary: Path, *, settling: float = _SETTLING) -> None:
        self.samples: list[Sample] = []
        self._temporary = temporary
        self._settling = settling
        self._began = time.monotonic()
        self._shells = 0

    def look(self, commands: int, shells: Collection[int]) -> None:
        """Take a sample after so many *commands*, with the processes of the *shells*."""
        self._shells = len(shells)
        gc.collect()
        _give_back_what_is_free()
        ends = time.monotonic() + self._settling
        found = self._counted(shells)
        while not self._is_settled(found) and time.monotonic() < ends:
            time.sleep(0.01)
            found = self._counted(shells)
        self.samples.append(
            {
                "seconds": round(time.monotonic() - self._began, 3),
                "commands": commands,
                "memory": _kibibytes("/proc/self/status", "VmRSS"),
                "own_share_of_memory": _kibibytes("/proc/self/smaps_rollup", "Pss"),
                "shell_memory": sum(
                    _kibibytes(f"/proc/{pid}/smaps_rollup", "Pss") for pid in shells
                ),
                **found,
            }
        )

    def _is_settled(self, found: Sample) -> bool:
        """Whether nothing is there any more that is only on its way out."""
        first = self.samples[0] if self.samples else {**found, "processes": self._shells}
        return all(found[name] == first[name] for name in COUNTED)

    def _counted(self, shells: Iterable[int]) -> Sample:
        return {
            "descriptors": len(os.listdir("/proc/self/fd")),
            "shell_descriptors": sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in shells),
            "threads": len(os.listdir("/proc/self/task")),
            "processes": len(_processes(self._temporary)),
            "temporary_files": len(os.listdir(self._temporary)),
        }

    def growth(self) -> dict[str, Growth]:
        """Say of each kind of memory whether it grows."""
        noise = {"shell_memory": _NOISE_OF_A_SHELL * self._shells}
        return {
            name: growth(
                [(one["commands"], one[name]) for one in self.samples],
                noise=noise.get(name, _NOISE),
            )
            for name in MEMORY
        }

    def changed(self) -> dict[str, list[float]]:
        """Return the first count and the most different one, of what did not stay the same."""
        found = {}
        for name in COUNTED:
            counts = [one[name] for one in self.samples]
            furthest = max(counts, key=lambda count: abs(count - counts[0]))
            if furthest != counts[0]:
                found[name] = [counts[0], furthest]
        return found


def growth(points: Sequence[tuple[float, float]], *, noise: float = _NOISE) -> Growth:
    """Say whether memory grows, of which *points* are (commands, bytes).

    It is the second half of them that counts: what fills once, such as a cache, is full by then.
    """
    middle = len(points) // 2
    second = points[middle:]
    commands = second[-1][0] - second[0][0]
    bound = max(_LEAK, noise / max(1.0, commands))
    steep = slope(second)
    return {
        "first_half": round(slope(points[: middle + 1]), 1),
        "second_half": round(steep, 1),
        "bound": round(bound, 1),
        "judged": commands >= _FEW,
        "grows": commands >= _FEW and steep > bound,
    }


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between any two *points*, which no single one can bend."""
    slopes = [
        (after[1] - before[1]) / (after[0] - before[0])
        for before, after in itertools.combinations(points, 2)
        if after[0] > before[0]
    ]
    return statistics.median(slopes) if slopes else 0.0


def share_one_heap() -> None:
    """Have all threads allocate from one heap: what lies idle in those of others is no leak."""
    with contextlib.suppress(AttributeError):  # only glibc has this
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _give_back_what_is_free() -> None:
    # What the C library keeps for later is not held by anybody.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _kibibytes(file: str, name: str) -> int:
    """Return the bytes that a line of a *file* in /proc tells."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(file).read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(f"no {name} in {file}")
    return int(found[1]) * 1024


def _processes(temporary: Path) -> set[int]:
    """The processes below this one, and those that have lost their parent.

    They are known by the directory for temporary files that they were given.
    """
    parents: dict[int, int] = {}
    found: set[int] = set()
    given = b"TMPDIR=%b\0" % os.fsencode(temporary)
    for name in filter(str.isdigit, os.listdir("/proc")):
        # It may be gone meanwhile, or somebody else's.
        with contextlib.suppress(OSError):
            stat = Path("/proc", name, "stat").read_text(errors="replace")
            parents[int(name)] = int(stat.rpartition(")")[2].split()[1])
            if given in Path("/proc", name, "environ").read_bytes():
                found.add(int(name))
    below = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= more
    return (found | below) - {os.getpid()}
