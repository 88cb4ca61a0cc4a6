"""The page of the comparison, and its pictures, made of the figures alone.

    python tests/benchmarks/page.py docs/side-by-side/figures.json

Writes docs/side-by-side.md and docs/side-by-side/*.svg. A soak.json beside them is shown too.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

Row = dict[str, Any]
US = "shellbot_session"
LIMIT = "bare_loop"
COLOURS = {US: "#1f6feb", LIMIT: "#6e7781"}
OTHERS = "#d4a72c"
CLEARLY = 1.1
"""How many times better a median has to be to be called ahead."""


class Shown(NamedTuple):
    """One figure that the page shows for each peer: where it is, and how to say it."""

    measure: str
    task: str
    figure: str
    title: str
    unit: str
    scale: float = 1
    more_is_better: bool = False


HERE = (
    Shown("start", "", "answered, s", "From nothing to the first answer", "ms", 1000),
    Shown("start", "", "seconds", "From nothing to the first answer, and closed", "ms", 1000),
    Shown("commands", "", "commands a second", "Commands a second", "/s", 1, True),
    Shown("commands", "", "p50, s", "A command", "ms", 1000),
    Shown("commands", "", "p99, s", "The slowest command of a hundred", "ms", 1000),
    Shown("capture", "1 MB, lines", "seconds", "1 MB of output in lines", "ms", 1000),
    Shown("capture", "100 MB, lines", "seconds", "100 MB of output in lines", "s"),
    Shown("capture", "100 MB, one line", "seconds", "100 MB of output in one line", "s"),
    Shown("large_command", "one line", "seconds", "A command of 1 MB", "s"),
    Shown("large_command", "lines", "seconds", "A command of 1 MB in lines", "s"),
    Shown("waiting", "", "processor seconds a second", "Processor while waiting", "%", 100),
    Shown("threads", "", "seconds", "50 sessions in 50 threads, 50 commands each", "s"),
    Shown("sessions", "", "open at once", "Sessions opened within 30 s, of 500", "", 1, True),
    Shown("sessions", "", "KB a session", "Memory of the caller for each session", "KB"),
    Shown("recovery", "", "seconds", "From a time-out to the next right answer", "ms", 1000),
    Shown("import", "", "seconds", "Start Python and import it", "ms", 1000),
)
FAR = (
    Shown("login", "", "seconds", "From nothing to logged in over ssh", "ms", 1000),
    Shown("latency", "", "p50, s", "A command over ssh", "ms", 1000),
    Shown("latency", "", "p99, s", "The slowest of a hundred over ssh", "ms", 1000),
    Shown("link", "", "seconds a command", "A command on a line of 100 ms", "ms", 1000),
    Shown("link", "", "turns a command", "Round trips for each command, counted", ""),
)
_DRAWN = {
    *(("start", "answered, s"), ("commands", "commands a second"), ("threads", "seconds")),
    *(("waiting", "processor seconds a second"), ("sessions", "KB a session")),
    *(("recovery", "seconds"), ("import", "seconds"), ("login", "seconds")),
    *(("latency", "p50, s"), ("link", "seconds a command")),
}
PICTURES = {
    shown.measure: shown for shown in (*HERE, *FAR) if (shown.measure, shown.figure) in _DRAWN
}
SIZES, SHAPES = (1, 10, 100), ("lines", "one line")
VERDICTS = {
    "right": "#2da44e",
    "line ends": "#b4e0bf",
    "no status": "#f5e6a3",
    "wrong status": "#e8883a",
    "wrong output": "#d1242f",
    "error": "#8250df",
    "timed out": "#24292f",
    "not offered": "#f6f8fa",
}

SOAKED = {
    "one": "One session",
    "many": "Many sessions at once",
    "memory": "the caller",
    "shell_memory": "its shells",
}


class Aim(NamedTuple):
    """What shellbot was to reach, as one figure beside another."""

    what: str
    figure: tuple[str, str, str]
    beside: tuple[str, str, str, str] | None = None
    """The other figure, and whose it is."""
    least: float | None = None
    most: float | None = None


LARGEST = ("capture", "100 MB, lines")
AIMS = (
    Aim(
        "Commands a second, beside a loop that does no more than type the same frame and read",
        ("own", "", "commands a second, times a bare loop with the same frame"),
        least=0.7,
    ),
    Aim(
        "100 MB of output in lines, beside a loop that only reads",
        ("own", "", "100 MB captured, times a loop that only reads"),
        most=1.11,
    ),
    Aim(
        "A megabyte of 100 MB, beside one of 1 MB",
        (*LARGEST, "seconds a MB"),
        (US, "capture", "1 MB, lines", "seconds a MB"),
        most=1.5,
    ),
    Aim(
        "Peak memory, beside the output",
        (*LARGEST, "peak memory, times the output"),
        most=2.5,
    ),
    Aim(
        "Start to ready, beside starting bash and reading its first answer",
        ("own", "", "start to ready, times spawning bash and its first answer"),
        most=1.5,
    ),
    Aim(
        "Processor while waiting, of all of it",
        ("waiting", "", "processor seconds a second"),
        most=0.001,
    ),
    Aim(
        "From nothing to logged in over ssh and the first answer, beside `ssh -tt host true`",
        ("login", "", "seconds"),
        (LIMIT, "own", "", "ssh -tt with true, s"),
        most=1.3,
    ),
    Aim(
        "`import shellbot`, beside `import pexpect`, without the start of Python",
        ("own", "", "import, times that of pexpect, without the start of Python"),
        most=1.2,
    ),
)


class Page:
    """The figures, and what is said of them."""

    def __init__(self, file: Path) -> None:
        self.figures: Row = json.loads(file.read_text())
        self.pictures = file.parent
        self.peers: list[str] = list(self.figures["peers"])
        soak = file.with_name("soak.json")
        self.soak: Row = json.loads(soak.read_text()) if soak.exists() else {}

    def row(self, shown: Shown, peer: str) -> Row:
        """What a measure has said of a peer."""
        tasks = self.figures["measures"].get(shown.measure, {}).get("tasks", {})
        found: Row = tasks.get(shown.task, {}).get(peer, {})
        return found

    def figure(self, shown: Shown, peer: str) -> Row:
        found: Row = self.row(shown, peer).get("figures", {}).get(shown.figure, {})
        return found

    def cell(self, shown: Shown, peer: str) -> str:
        """A figure as the tables have it, or why there is none."""
        row, figure, far = self.row(shown, peer), self.figure(shown, peer), self.far(shown, peer)
        if "median" in figure:
            spread = _said(figure, "lowest", shown.scale), _said(figure, "highest", shown.scale)
            values = _said(figure, "median", shown.scale)
            if self.is_sound(shown, peer):
                values = f"**{values}**"
            apart = f" <sub>{'–'.join(spread)}</sub>" if spread[0] != spread[1] else ""
            failed = row.get("figures", {}).get("failed", {}).get("median")
            but = [f", {failed:.0f} failed"] if failed else []
            but += [f", {row['wrong']:.0f} wrong"] if row.get("wrong") else []
            but += [", once not in time"] if "not within" in row else []
            return f"{values}{apart}{''.join(but)}{far}"
        if said := figure.get("said"):
            return f"{said[0]}{far}"
        for key in ("not within", "not tried", "error"):
            if key in row:
                value = f"{row[key]:.0f} s" if key == "not within" else row[key]
                return f"{key}{far}: {value}"
        return "–"

    def far(self, shown: Shown, peer: str) -> str:
        """Where a peer was measured, if that is not where the others were."""
        differs = shown not in FAR and shown.measure != "import"
        return " (over ssh)" if differs and self.row(shown, peer).get("place") == "ssh" else ""

    def is_sound(self, shown: Shown, peer: str) -> bool:
        """Whether nothing failed or was wrong where a figure comes from."""
        row = self.row(shown, peer)
        failed = row.get("figures", {}).get("failed", {}).get("highest")
        return not failed and not row.get("wrong")

    def not_offered(self) -> Iterator[str]:
        """What a peer has no figure for by its nature, and why."""
        for peer in self.peers:
            reasons: dict[str, list[str]] = {}
            for shown in (*HERE, *FAR):
                if reason := self.row(shown, peer).get("not offered"):
                    reasons.setdefault(reason, []).append(shown.title)
            for reason, titles in reasons.items():
                yield f"- {name_of(peer)}: {reason} ({', '.join(titles)})"

    def table(self, rows: Sequence[Shown]) -> Iterator[str]:
        """A table with a line for each figure, and a column for each peer that has one of them."""
        peers = [peer for peer in self.peers if any(self.row(shown, peer) for shown in rows)]
        peers = [peer for peer in peers if any("figures" in self.row(s, peer) for s in rows)]
        yield "| | " + " | ".join(map(name_of, peers)) + " |"
        yield "|---|" + "---|" * len(peers)
        for shown in rows:
            unit = f", {shown.unit}" if shown.unit else ""
            cells = (self.cell(shown, peer) for peer in peers)
            yield f"| {shown.title}{unit} | " + " | ".join(cells) + " |"

    def captured(self) -> Iterator[str]:
        """What a megabyte takes of outputs that grow, and what is held and kept of the largest."""
        kinds = [f"{size} MB, {shape}" for shape in SHAPES for size in SIZES]
        peak, exact = "peak memory, times the output", "exact"
        ends = ["100 MB beside 1", "memory, times the output", "every byte the same"]
        yield f"| | {' | '.join((*kinds, *ends))} |"
        yield "|---|" + "---|" * (len(kinds) + len(ends))
        for peer in self.peers:
            each = (Shown("capture", kind, "seconds a MB", "", "ms", 1000) for kind in kinds)
            cells = [self.cell(shown, peer) for shown in each]
            if all(cell == "–" for cell in cells):
                continue
            cells.append(self._growth(peer))
            held = [(kind, self.median(peer, "capture", kind, peak)) for kind in kinds[:3]]
            measured = [f"{_number(times)} ({kind})" for kind, times in held if times]
            cells.append(measured[-1].replace(f" ({kinds[2]})", "") if measured else "–")
            same = [self.figure(Shown("capture", kind, exact, "", ""), peer) for kind in kinds]
            told = {figure["lowest"] for figure in same if "lowest" in figure}
            cells.append({frozenset({1.0}): "yes", frozenset(): "–"}.get(frozenset(told), "no"))
            yield f"| {name_of(peer)} | " + " | ".join(cells) + " |"

    def _growth(self, peer: str) -> str:
        """What a megabyte of the largest output takes, beside one of the smallest."""
        ratios = []
        for shape in SHAPES:
            first, last = (
                self.median(peer, "capture", f"{size} MB, {shape}", "seconds a MB")
                for size in (SIZES[0], SIZES[-1])
            )
            ratios.append(f"{last / first:.2f}" if first and last else "–")
        return ", ".join(ratios)

    def ahead(self) -> Iterator[str]:
        """Each figure in which a peer is clearly ahead of shellbot, and why."""
        for shown in (*HERE, *FAR):
            for peer in self.peers:
                times = self._times_ahead(shown, peer)
                if times < CLEARLY:
                    continue
                reasons = (
                    self.figures["peers"][peer]["ahead"].get(shown.measure),
                    self.figures["peers"][US]["behind"].get(shown.measure),
                )
                why = " ".join(filter(None, reasons)) or "Why, we do not know."
                far = self.far(shown, peer)
                yield f"- **{shown.title}**: {name_of(peer)}{far}, by {times:.3g} times. {why}"

    def _times_ahead(self, shown: Shown, peer: str) -> float:
        """How many times better a peer is, 0 where it is not known or may be chance."""
        ours, theirs = self.figure(shown, US), self.figure(shown, peer)
        known = "median" in ours and "median" in theirs and self.is_sound(shown, peer)
        if peer in (US, LIMIT) or not known:
            return 0
        more, less = (theirs, ours) if shown.more_is_better else (ours, theirs)
        # Where the spreads overlap, the next run may have it the other way round.
        if more["lowest"] <= less["highest"] or not less["median"]:
            return 0
        return float(more["median"] / less["median"])

    def aims(self) -> Iterator[str]:
        """What was to be reached, and what was."""
        for aim in AIMS:
            ours = self.median(US, *aim.figure)
            other = 1.0 if aim.beside is None else self.median(*aim.beside)
            wanted = f"at least {aim.least:g}" if aim.least else f"at most {aim.most:g}"
            reached = "not measured"
            if ours and other:
                value = ours / other
                missed = (aim.least and value < aim.least) or (aim.most and value > aim.most)
                reached = f"**{_number(value)}**{', missed' if missed else ''}"
            yield f"| {aim.what} | {wanted} | {reached} |"

    def median(self, peer: str, measure: str, task: str, figure: str) -> float | None:
        """A figure by its names, if it was measured."""
        found: float | None = self.figure(Shown(measure, task, figure, "", ""), peer).get("median")
        return found

    def beside_the_limit(self) -> Iterator[str]:
        for shown in (*HERE, *FAR):
            ours, bare = (self.figure(shown, peer).get("median") for peer in (US, LIMIT))
            if ours and bare:
                better = "more" if shown.more_is_better else "less"
                yield f"| {shown.title} | {ours / bare:.3g} | {better} |"

    def own(self) -> Iterator[str]:
        """What only one peer has a figure for, with the spread."""
        measured = self.figures["measures"].get("own", {}).get("tasks", {}).get("", {})
        for peer, row in measured.items():
            for name, figure in row.get("figures", {}).items():
                if "median" in figure:
                    spread = "–".join(_said(figure, key, 1) for key in ("lowest", "highest"))
                    median = f"**{_said(figure, 'median', 1)}** <sub>{spread}</sub>"
                    yield f"| {name_of(peer)}: {name} | {median} |"

    def wrong(self) -> Iterator[str]:
        """The cases that shellbot gets wrong."""
        verdicts = self.verdicts()[US]
        for case in self.figures["exactness"]["cases"]:
            verdict = verdicts.get(case["name"])
            if verdict not in ("right", "not offered", None):
                yield f"- {case['group']}, {case['name']}: {verdict}"

    # Exactness

    def verdicts(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = self.figures.get("exactness", {}).get("verdicts", {})
        return found

    def counts(self) -> Iterator[str]:
        """How many cases each peer has which verdict in."""
        yield "| | " + " | ".join(VERDICTS) + " |"
        yield "|---|" + "---|" * len(VERDICTS)
        for peer, verdicts in self.verdicts().items():
            count = Counter(verdicts.values())
            yield f"| {name_of(peer)} | " + " | ".join(str(count[v]) for v in VERDICTS) + " |"

    def groups(self) -> Iterator[str]:
        """How many cases of each group each peer is right in, of those it was tried with."""
        verdicts = self.verdicts()
        yield "| | " + " | ".join(map(name_of, verdicts)) + " |"
        yield "|---|" + "---|" * len(verdicts)
        cases = self.figures["exactness"]["cases"]
        for group in dict.fromkeys(case["group"] for case in cases):
            names = [case["name"] for case in cases if case["group"] == group]
            cells = []
            for found in verdicts.values():
                tried = [found[name] for name in names if name in found]
                tried = [verdict for verdict in tried if verdict != "not offered"]
                right = sum(verdict in ("right", "line ends") for verdict in tried)
                cells.append(f"{right} of {len(tried)}" if tried else "–")
            yield f"| {group} | " + " | ".join(cells) + " |"

    # Pictures

    def draw(self) -> Iterator[str]:
        """Draw what there are figures for; return the names of the pictures."""
        for name, shown in PICTURES.items():
            if any("median" in self.figure(shown, peer) for peer in self.peers):
                self._bars(name, shown)
                yield name
        if "capture" in self.figures["measures"]:
            self._capture()
            yield "capture"
        if self.verdicts():
            self._matrix()
            yield "exactness"
        if self.soak:
            self._soak()
            yield "soak"

    def _bars(self, name: str, shown: Shown) -> None:
        measured = [
            peer
            for peer in self.peers
            if "median" in self.figure(shown, peer) and self.is_sound(shown, peer)
        ]
        measured.sort(
            key=lambda peer: self.figure(shown, peer)["median"], reverse=not shown.more_is_better
        )
        figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.32 * len(measured)))
        medians = [self.figure(shown, peer)["median"] * shown.scale for peer in measured]
        lows = [self.figure(shown, peer)["lowest"] * shown.scale for peer in measured]
        highs = [self.figure(shown, peer)["highest"] * shown.scale for peer in measured]
        below = [median - low for median, low in zip(medians, lows, strict=True)]
        above = [high - median for median, high in zip(medians, highs, strict=True)]
        labels = [
            name_of(peer) + (" (over ssh)" if self.row(shown, peer).get("place") == "ssh" else "")
            if shown in HERE
            else name_of(peer)
            for peer in measured
        ]
        colours = [COLOURS.get(peer, OTHERS) for peer in measured]
        axes.barh(labels, medians, xerr=(below, above), color=colours, ecolor="#24292f", height=0.6)
        if max(medians) > 20 * min(medians) > 0:
            axes.set_xscale("log")
        for at, value in enumerate(medians):
            axes.annotate(
                f" {_number(value)}", (highs[at], at), va="center", fontsize=8, color="#24292f"
            )
        axes.margins(x=0.12)
        better = "more" if shown.more_is_better else "less"
        axes.set_title(f"{shown.title}, {shown.unit} ({better} is better)", fontsize=10, loc="left")
        self._save(figure, name)

    def _capture(self) -> None:
        """Seconds by size, in lines and as one line."""
        figure, panels = pyplot.subplots(1, 2, figsize=(9, 4.2), sharey=True)
        for axes, shape in zip(panels, SHAPES, strict=True):
            for peer in self.peers:
                points = []
                for megabytes in SIZES:
                    shown = Shown("capture", f"{megabytes} MB, {shape}", "seconds", "", "s")
                    median = self.figure(shown, peer).get("median")
                    if median:
                        points.append((megabytes, median))
                if points:
                    style = "-" if peer in COLOURS else "--"
                    axes.plot(
                        *zip(*points, strict=True),
                        style,
                        marker="o",
                        markersize=3,
                        color=COLOURS.get(peer),
                        label=name_of(peer),
                    )
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(f"Output captured, {shape}", fontsize=10, loc="left")
            axes.set_xlabel("MB")
        panels[0].set_ylabel("seconds")
        panels[1].legend(fontsize=7, frameon=False)
        self._save(figure, "capture")

    def _matrix(self) -> None:
        """A square for each case and peer."""
        verdicts = self.verdicts()
        cases = self.figures["exactness"]["cases"]
        figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.14 * len(cases)))
        kinds = list(VERDICTS)
        squares = [
            [kinds.index(found.get(case["name"], "not offered")) for found in verdicts.values()]
            for case in cases
        ]
        axes.imshow(
            squares,
            cmap=matplotlib.colors.ListedColormap(list(VERDICTS.values())),
            vmin=0,
            vmax=len(kinds) - 1,
            extent=(0, len(verdicts), len(cases), 0),
            aspect="auto",
            interpolation="nearest",
        )
        axes.set_xlim(0, len(verdicts))
        axes.set_ylim(len(cases), 0)
        axes.set_xticks(
            [at + 0.46 for at in range(len(verdicts))],
            [name_of(peer) for peer in verdicts],
            rotation=40,
            ha="left",
            fontsize=8,
        )
        axes.set_yticks(
            [at + 0.43 for at in range(len(cases))],
            [f"{case['group']}: {case['name']}" for case in cases],
            fontsize=6,
        )
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        patches = [pyplot.Rectangle((0, 0), 1, 1, color=colour) for colour in VERDICTS.values()]
        figure.legend(patches, VERDICTS, loc="lower center", ncols=4, fontsize=8, frameon=False)
        self._save(figure, "exactness")

    def _soak(self) -> None:
        """What the caller and the shells hold, over the commands of each part."""
        parts = self.soak["parts"]
        figure, panels = pyplot.subplots(1, len(parts), figsize=(9, 3), squeeze=False)
        for axes, (name, part) in zip(panels[0], parts.items(), strict=True):
            commands = [sample["commands"] for sample in part["samples"]]
            for memory, colour in (("memory", COLOURS[US]), ("shell_memory", OTHERS)):
                held = [sample[memory] / 1e6 for sample in part["samples"]]
                axes.plot(commands, held, color=colour, label=SOAKED[memory])
            axes.set_ylim(0)
            axes.set_title(SOAKED[name], fontsize=10, loc="left")
            axes.set_xlabel("commands")
        panels[0][0].set_ylabel("MB")
        panels[0][0].legend(fontsize=8, frameon=False)
        self._save(figure, "soak")

    def soaked(self) -> Iterator[str]:
        """What a soak ran, and what it came to."""
        yield "| | sessions | minutes | commands | wrong answers | memory, bytes a command |"
        yield "|---|---|---|---|---|---|"
        for name, part in self.soak["parts"].items():
            growth = part["growth"]["memory"]
            yield (
                f"| {SOAKED[name]} | {part['sessions']} ({part['sessions_opened']:,} opened) | "
                f"{part['seconds'] / 60:.1f} | {part['commands']:,} | {part['wrong']} | "
                f"{growth['second_half']:.0f} (a leak is above {growth['bound']:.0f}) |"
            )

    def _save(self, figure: Any, name: str) -> None:
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
        figure.tight_layout()
        # The same figures give the same file.
        figure.savefig(self.pictures / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)

    # Words

    def text(self) -> str:
        drawn = set(self.draw())

        def picture(name: str, about: str) -> list[str]:
            return [f"![{about}](side-by-side/{name}.svg)", ""] if name in drawn else []

        def pictures(*names: str) -> list[str]:
            return [line for name in names for line in picture(name, PICTURES[name].title)]

        machine, wrong = self.figures["machine"], self.figures["wrong answers"]
        lines = [
            "# Side by side",
            "",
            "shellbot beside what people would use instead, and beside a bare loop over the same "
            "kind of terminal, which does the least that has to be done there. Made by",
            "",
            "```sh",
            self.figures["command"],
            "```",
            "",
            f"of commit {self.figures['commit']} on {self.figures['date'][:10]}, on "
            f"{machine['system']} with {machine['processors']} processors "
            f"({machine['processor']}) and {machine['memory, GB']} GB, Python {machine['python']}, "
            f"{machine['bash']}, {machine['ssh']}, {machine['tmux']}. It took "
            f"{self.figures['took']['all'] / 60:.0f} minutes. All of it stays on this machine: ssh "
            "goes to an sshd on loopback.",
            "",
            "Each figure is the **median** of several runs, with the lowest and highest behind it; "
            "each run is a process of its own, and the peers take turns: "
            f"{self.figures['repeats']} runs, or two of what takes long (captures, large commands, "
            "threads, many sessions). The machine is shared and noisy: a tenth means nothing. "
            "Peers are driven as their documentation says, with the settings of theirs that help "
            "them; which, is in [tests/benchmarks/peers](../tests/benchmarks/peers), a file each. "
            "Whoever tells no exit status is asked for it with a second command. All that was "
            "measured is in [figures.json](side-by-side/figures.json).",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name_of(peer)} | {self._about(peer)} |" for peer in self.peers),
            "",
        ]
        if self.verdicts():
            lines += [
                "## Exactness",
                "",
                f"{len(self.figures['exactness']['cases'])} awkward commands and states "
                "([the list](../tests/benchmarks/cases.py)), each in a fresh session, with the "
                "bytes and the status that a real `bash -c` gives (of a syntax error, that it is "
                "told and the status is not 0: the words are the shell's own). *Line ends* is "
                "right but for "
                "`\\r\\n` in place of `\\n`, or for a newline at the very end; *not offered* is "
                "where a command cannot see what an earlier one has changed.",
                "",
                *self.counts(),
                "",
                "Right, line ends aside, of those that were tried:",
                "",
                *self.groups(),
                "",
                "What shellbot gets wrong, which is also among "
                "[the limits of a session](sessions.md#known-limits):",
                "",
                *(list(self.wrong()) or ["Nothing."]),
                "",
                *picture("exactness", "each case, each peer"),
            ]
        lines += [
            "## Here",
            "",
            *self.table(HERE),
            "",
            "Who runs nothing here was measured over ssh, and says so.",
            "",
            *pictures("commands", "start"),
            "Milliseconds for each MB of output. Where the time is linear they stay the same: one "
            "of 100 MB beside one of 1 MB is about 1, in lines and in one line.",
            "",
            *self.captured(),
            "",
            *picture("capture", "seconds by megabytes, in lines and as one line"),
            *pictures("waiting", "threads", "sessions", "recovery", "import"),
            "## Over ssh",
            "",
            *self.table(FAR),
            "",
            "The line of 100 ms is a relay that holds back each byte for "
            f"{self.figures['delay each way, s'] * 1000:.0f} ms each way, and counts how often the "
            "direction changes.",
            "",
            *pictures("login", "latency", "link"),
            "What has no figure, and why:",
            "",
            *self.not_offered(),
            "",
            "## Beside the physical limit",
            "",
            "| | shellbot, times the bare loop | better is |",
            "|---|---|---|",
            *self.beside_the_limit(),
            "",
            "The loop types the least frame that a caller could write, and so is right only while "
            "nothing goes wrong. What ours costs more, and what for, is in "
            "[decision 9](decisions/0009-speed.md). What we set out to reach:",
            "",
            "| | aim | reached |",
            "|---|---|---|",
            *self.aims(),
            "",
            "With their spread, and what else only one of them has a figure for:",
            "",
            "| | |",
            "|---|---|",
            *self.own(),
            "",
            "## Where a peer is ahead",
            "",
            *(list(self.ahead()) or ["Nowhere by more than a tenth."]),
            "",
            "## Wrong answers",
            "",
            "In the measures above, the set of awkward commands aside: "
            + (
                ", ".join(f"{name_of(peer)} {count}" for peer, count in wrong.items() if count)
                or "none by anybody"
            )
            + ".",
            "",
        ]
        if self.soak:
            changed = {name for part in self.soak["parts"].values() for name in part["changed"]}
            lines += [
                "## For long",
                "",
                "```sh",
                f"python tests/benchmarks/soak.py --seed {self.soak['seed']} "
                "--json docs/side-by-side/soak.json",
                "```",
                "",
                f"on {self.soak['date'][:10]}: mixed commands with answers that are known before, "
                "with time-outs, programs, jobs, logins, and what a command leaves behind. Memory "
                "is judged by its slope over the second half, where caches are full.",
                "",
                *self.soaked(),
                "",
                "Descriptors, threads, processes and temporary files: "
                + (f"changed ({', '.join(sorted(changed))})" if changed else "the same throughout")
                + ".",
                "",
                *picture("soak", "memory by commands"),
            ]
        return "\n".join(lines)

    def _about(self, peer: str) -> str:
        found = self.figures["peers"][peer]
        about = " ".join(found["about"].split())
        versions = ", ".join(found["versions"])
        return f"{about} <br>*{versions or 'nothing installed'}*"


def name_of(peer: str) -> str:
    return peer.replace("_", " ")


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _said(figure: Row, key: str, scale: float) -> str:
    return _number(figure[key] * scale)


def main() -> None:
    file = Path(sys.argv[1])
    pyplot.rcParams["svg.fonttype"] = "none"
    pyplot.rcParams["svg.hashsalt"] = "side by side"
    pyplot.rcParams["font.family"] = "sans-serif"
    text = Page(file).text()
    Path(f"{os.fspath(file.parent).rstrip('/')}.md").write_text(text)


if __name__ == "__main__":
    main()
