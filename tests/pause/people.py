"""A person at a terminal: tmux holds the terminal, types the keys and tells what is on it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LIMIT = 20.0
# What every script does that has been paused: three commands more, to be exact.
_AFTERWARDS = """
told["after"] = [
    session.send("echo one").raw.decode(),
    session.send("printf 'two\\\\n'; (exit 3)", check=3).raw.decode(),
    session.send_and_get_output("pwd; stty -a; echo $-:$TERM:$PAGER:$PS1"),
]
told["size"] = session.send_and_get_output("stty size")
"""


class Person:
    """Somebody at a terminal of 24 rows and 100 columns, in a shell whose prompt is ``me> ``."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.here = Path(tempfile.mkdtemp(prefix="at"))
        """Where its session is. A short name, as it stands in the prompt."""
        self._socket = place / "tmux"
        self._told = place / "told.json"
        self._script = place / "script.py"
        self._pid = Path(f"{self._told}.pid")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "24", "sh")
        self.type("PS1='me> '; clear; stty -a >modes-before\n")
        self.sees(lambda screen: screen == "me>")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._socket), *arguments]
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        return subprocess.run(
            command, cwd=self._place, env=environment, check=True, capture_output=True, text=True
        ).stdout

    # What a person does

    def type(self, text: str) -> None:
        """Type *text*, with a newline for Enter."""
        for number, line in enumerate(text.split("\n")):
            if number:
                self.press("Enter")
            if line:
                self._tmux("send-keys", "-l", "--", line)

    def press(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them: C-c, Up, Tab, F1."""
        self._tmux("send-keys", "--", *keys)

    def paste(self, text: str) -> None:
        """Paste *text*, in brackets where the program has asked for those."""
        (self._place / "pasted").write_text(text)
        self._tmux("load-buffer", str(self._place / "pasted"))
        self._tmux("paste-buffer", "-p", "-r")

    def type_at_once(self, keys: str) -> None:
        """Type *keys* so that whoever reads them gets all in one piece."""
        self._tmux("set-buffer", keys)
        self._tmux("paste-buffer", "-r")

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def start(
        self,
        script: str,
        *,
        shell: str = "bash",
        after: str = _AFTERWARDS,
        background: bool = False,
    ) -> None:
        """Start a Python program in which ``session`` is open and ``told`` a dictionary.

        It notes there how the pause went: ``pause = session.pause_point(...)``.
        """
        self._script.write_text(program(script, self.here, self._told, shell=shell, after=after))
        root = shlex.quote(str(Path(__file__).parents[2]))
        python = shlex.join((sys.executable, str(self._script)))
        rest = " & wait" if background else ""
        (self._place / "run").write_text(
            f"PYTHONPATH={root} {python}{rest}\nstty -a >modes-after\necho left\n"
        )
        self.type(". ./run\n")

    # What a person sees

    @property
    def screen(self) -> str:
        """What is on the screen, without blanks at the ends of lines and below the last one."""
        lines = [line.rstrip() for line in self._tmux("capture-pane", "-p").split("\n")]
        return "\n".join(lines).rstrip("\n")

    @property
    def _everything(self) -> str:
        """What is on the screen, and what has left it at the top."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    def sees(self, what: str | Callable[[str], object]) -> str:
        """Wait until *what* is on the screen, or is true of it; return the screen."""
        deadline = time.monotonic() + LIMIT
        while True:
            screen = self.screen
            if what in screen if isinstance(what, str) else what(screen):
                return screen
            if time.monotonic() >= deadline:
                raise AssertionError(f"not seen: {what}\n{screen}")
            time.sleep(0.02)

    def sees_prompt(self) -> str:
        """Wait until the cursor stands behind a prompt of the pause, and nothing else."""
        return self.sees(lambda screen: screen.split("\n")[-1].endswith(("#", "$")))

    def runs(self, command: str) -> str:
        """Type a command at the pause's prompt, and wait for the next prompt."""
        before = self._everything.count(command)
        self.type(f"{command}\n")
        self.sees(lambda _screen: self._everything.count(command) > before)
        return self.sees_prompt()

    def resumes(self) -> None:
        """Bring back the cat that was stopped, and see that it has the terminal again."""
        self.type("fg\n")
        self.sees(lambda screen: "(Ctrl-]" not in screen.split("\n")[-1])
        self.type("again\n")
        self.sees(lambda screen: screen.count("again") == 2)

    # What became of it

    @property
    def terminal_pid(self) -> int:
        """The process id of what holds the terminal."""
        return int(self._tmux("display-message", "-p", "#{pid}"))

    @property
    def pid(self) -> int:
        """The program's process id."""
        return int(self._pid.read_text())

    def told(self) -> dict[str, Any]:
        """Wait for the program to end, and return what it has told."""
        self.sees("left")
        told: dict[str, Any] = json.loads(self._told.read_text())
        return told

    def has_terminal_as_before(self) -> bool:
        """Whether the terminal's modes are what they were before the program."""
        before, after = (
            re.sub("(?:rows|columns) [0-9]+;", "", (self._place / name).read_text())
            for name in ("modes-before", "modes-after")
        )
        return before == after

    def leave(self) -> None:
        """Close the terminal."""
        subprocess.run(
            ["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False
        )
        shutil.rmtree(self.here, ignore_errors=True)


def program(
    script: str, here: Path, told: Path, *, shell: str = "bash", after: str = _AFTERWARDS
) -> str:
    """Return a Python program that has ``session`` open *here*, and writes what it *told*."""
    return (
        "import json, os, sys\n"
        "import shellbot\n"
        "from shellbot import *\n"
        f"with open({str(told)!r} + '.pid', 'w') as file:\n"
        "    file.write(str(os.getpid()))\n"
        "told = {}\n"
        "try:\n"
        f"    with shellbot.Session({shell!r}, cwd={str(here)!r}) as session:\n"
        + _indented(script)
        + _indented(after)
        + "        told['done'] = True\n"
        "except BaseException as error:\n"
        "    told['error'] = type(error).__name__\n"
        "    told['message'] = str(error)\n"
        "finally:\n"
        f"    with open({str(told)!r} + '.new', 'w') as file:\n"
        "        json.dump(told, file, default=repr)\n"
        f"    os.rename({str(told)!r} + '.new', {str(told)!r})\n"
    )


def _indented(script: str) -> str:
    lines = script.strip("\n").split("\n")
    first = len(lines[0]) - len(lines[0].lstrip())
    return "".join(f"        {line[first:]}\n" for line in lines)


@pytest.fixture
def person(tmp_path: Path, need: Callable[[str], None]) -> Iterator[Person]:
    """Somebody at a terminal."""
    need("tmux")
    person = Person(tmp_path)
    yield person
    person.leave()
