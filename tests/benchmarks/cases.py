"""A stub of the awkward commands and states."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from peers import Answer


@dataclass(frozen=True)
class Case:
    name: str
    group: str
    command: str
    before: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Expected:
    merged: bytes
    output: bytes
    errors: bytes
    status: int


CASES = (
    Case("no newline", "output", "printf abc"),
    Case("status", "status", "(exit 7)"),
    Case("variable", "state", "echo $a", before=("a='b  c'",)),
)


def expected(case: Case) -> Expected:
    script = "\n".join((*case.before, case.command))
    done = subprocess.run(["bash", "-c", script], capture_output=True)
    return Expected(done.stdout + done.stderr, done.stdout, done.stderr, done.returncode)


def judge(answer: Answer, expected: Expected) -> str:
    output = answer.output + (answer.errors or b"")
    if output != expected.merged:
        same = output.replace(b"\r\n", b"\n").strip() == expected.merged.strip()
        return "line ends" if same else "wrong output"
    if answer.status is None:
        return "no status"
    return "right" if answer.status == expected.status else "wrong status"
