"""A person at a bare terminal, with nothing between them and the program: no tmux, no shell."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pexpect
import pytest
from pause import people

ROOT = Path(__file__).parents[2]
PROMPT = re.compile(rb"goes on\) (?:\x1b\[[0-9;]*m|[\x01\r])*\w+@.*?[#$] (?:\x1b\[[0-9;]*m|\x01)*")


class Seat:
    """A program on a pseudo-terminal, and somebody who types there."""

    def __init__(
        self,
        place: Path,
        script: str,
        *,
        environment: Mapping[str, str | None] | None = None,
        size: tuple[int, int] = (24, 100),
        under_script: bool = False,
        **options: str,
    ) -> None:
        self.here = Path(tempfile.mkdtemp(prefix="at"))
        """Where the session is. A short name, as it stands in the prompt."""
        self._told = place / "told.json"
        file = place / "script.py"
        file.write_text(people.program(script, self.here, self._told, **options))
        wanted = {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(environment or {})}
        told = {**os.environ, **wanted}
        command = [sys.executable, "-W", "error", str(file)]
        if under_script:
            command = ["script", "-qfc", shlex.join(command), "/dev/null"]
        self.terminal: pexpect.spawn[bytes] = pexpect.spawn(
            command[0],
            command[1:],
            env={name: value for name, value in told.items() if value is not None},
            dimensions=size,
            cwd=str(place),
            timeout=people.LIMIT,
        )
        self.terminal.delaybeforesend = None
        self._modes = termios.tcgetattr(self.terminal.child_fd)

    def type(self, keys: str) -> None:
        """Type *keys*, just as they are."""
        self.terminal.send(keys)

    def sees(self, what: str) -> bytes:
        """Wait until *what* is printed, and return what came before it."""
        self.terminal.expect_exact(what.encode())
        return bytes(self.terminal.before or b"")

    def sees_prompt(self) -> bytes:
        """Wait for a prompt of the pause, and return what came before it."""
        self.terminal.expect(PROMPT)
        return bytes(self.terminal.before or b"")

    def goes_on(self) -> None:
        """Press Ctrl-], and once more where the shell was not yet at its prompt."""
        self.type("\x1d")
        while self.terminal.expect_exact([b"going on", b"press Ctrl-] again"]):
            self.type("\x1d")

    @property
    def prompt(self) -> bytes:
        """The prompt that was seen last."""
        assert isinstance(self.terminal.after, bytes)
        return self.terminal.after

    def told(self) -> dict[str, Any]:
        """Wait for the program to end, and return what it has told."""
        self.terminal.expect(pexpect.EOF)
        self.terminal.wait()
        told: dict[str, Any] = json.loads(self._told.read_text())
        return told

    @property
    def has_modes_as_before(self) -> bool:
        """Whether the terminal's modes are what they were before the program."""
        return termios.tcgetattr(self.terminal.child_fd) == self._modes

    def leave(self) -> None:
        """Close the terminal, and end what runs there."""
        shutil.rmtree(self.here)
        self.terminal.delayafterclose = self.terminal.delayafterterminate = 0
        with contextlib.suppress(pexpect.ExceptionPexpect):  # it has ended just now
            self.terminal.close(force=True)


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Callable[..., Seat]]:
    """Have a script run at a bare terminal: called with what :class:`Seat` takes."""
    seats: list[Seat] = []

    def take(script: str, **options: Any) -> Seat:
        seats.append(Seat(tmp_path, script, **options))
        return seats[-1]

    yield take
    for one in seats:
        one.leave()
