"""What a person does in a shell, read from what the shell prints meanwhile. No I/O.

While a person has it, the shell tells where it is between ``RS KEY [`` and ``RS ]``: see
``_PAUSE`` in :mod:`shellbot.dialects`.
"""

from __future__ import annotations

import re

from .frames import RECORD_SEPARATOR, begun
from .result import PausedCommand
from .text import rendered

_KEPT = 4 * 1024 * 1024
_LONGEST = 100_000
# What a terminal says when it is asked where the cursor is, and what it is (ECMA-48: CPR, DA).
_REPLY = re.compile(rb"(?:\x1b\[[0-9;?>]*[Rc])+")
_PROMPT = re.compile(r"(?P<status>[0-9]{1,10})\t(?P<options>[^\t]*)\t(?P<directory>(?s:.*))")
_NUMBERED = re.compile(r"\s*([0-9]+)\*?[ \t]+")


class Record:
    """Takes what is printed, gives what is to be shown, and notes each command.

    *prompt* is what the shell shows in front of the line, with ``DIRECTORY`` for that; where the
    shell *tells_start*, nothing has to be guessed from what is shown.
    """

    def __init__(self, key: str, *, prompt: str, tells_start: bool) -> None:
        self._prefix = RECORD_SEPARATOR + key.encode() + b"["
        self._end = RECORD_SEPARATOR + b"]"
        self._pending = b""
        self._prompt = prompt
        self._tells_start = tells_start
        self._shown = bytearray()
        """What was shown since the prompt began."""
        self._runs_from: int | None = None
        """Where in that the output of a command begins, if one has been started."""
        self._command = ""
        self._number = ""
        self.columns = 80
        """How wide the person's screen is."""
        self.transcript = bytearray()
        """Everything that was shown, but at most the last 4 MiB."""
        self.commands: list[PausedCommand] = []
        """What was run, with how it ended."""
        self.directories: list[str] = []
        """Where the shell was, at its first prompt and at its last one."""
        self.prompts = 0
        """How often it has come to its prompt."""
        self.status = 0
        """The status that it had there."""
        self.options = ""
        """The shell's options there, as in ``$-``."""
        self.state = "running"
        """``running``, or at its ``prompt``, or asking for ``more`` of a line, or ``over``."""
        self.entered = 0
        """How many lines were entered that it has not come to a prompt after."""
        self.is_fresh = False
        """Whether nothing was typed since it came to its prompt."""
        self.has_left = False
        """Whether the person has typed exit."""
        self.waits = False
        """Whether the shell waits for the terminal to be changed."""

    @property
    def line(self) -> bytes:
        """What was shown since the prompt began, to show it again."""
        return bytes(self._shown)

    @property
    def reads(self) -> bool:
        """Whether the prompt is there, and nothing was entered, so that the shell reads."""
        if self.state != "prompt" or self.entered:
            return False
        return self._sigil.strip().encode() in self._shown

    def typed(self, keys: bytes) -> None:
        """Take notice of what the person has typed."""
        if _REPLY.fullmatch(keys):
            return
        self.is_fresh = False
        self.entered += keys.count(b"\r") + keys.count(b"\n")
        if not self._tells_start and (b"\r" in keys or b"\n" in keys):
            self.state = "running"

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, and return what of them is to be shown."""
        data, self._pending = self._pending + data, b""
        shown, at = bytearray(), 0
        while (found := data.find(self._prefix, at)) >= 0:
            end = data.find(self._end, found)
            if end < 0:
                break
            shown += self._show(data[at:found])
            self._told(data[found + len(self._prefix) : end])
            at = end + len(self._end)
        is_begun = found >= 0 and len(data) - found < _LONGEST
        cut = found if is_begun else begun(self._prefix, data, at)
        shown += self._show(data[at:cut])
        self._pending = data[cut:]
        return bytes(shown)

    def without_told(self, printed: bytes) -> bytes:
        """Return what was *printed* without what the shell has told."""
        told = re.escape(self._prefix) + b".*?" + re.escape(self._end)
        return re.sub(told, b"", printed, flags=re.DOTALL)

    def _show(self, data: bytes) -> bytes:
        if not self.prompts or self.state == "over":
            # The echo of what is typed to get there, and back.
            return b""
        self.transcript += data
        self._shown += data
        for kept in (self.transcript, self._shown):
            if len(kept) > 2 * _KEPT:
                del kept[:-_KEPT]
        return data

    def _told(self, what: bytes) -> None:
        if self.state == "over" and what != b"=":
            return
        kind, rest = what[:1], what[1:].decode("utf-8", "replace").replace("\r\n", "\n")
        if kind == b":":
            found = _PROMPT.fullmatch(rest)
            if found:
                self.options = found["options"]
                self._prompted(int(found["status"]), found["directory"])
        elif kind == b"+":
            self._started(rest)
        elif kind == b">":
            self.state = "more"
            self.entered = max(0, self.entered - 1)
            self._runs_from = None
        elif kind == b"-":
            self.has_left = True
        elif kind == b"=":
            self.waits = True

    def _started(self, told: str) -> None:
        self.state = "running"
        self._runs_from = len(self._shown)
        self._command = told
        # bash tells the line's number as well. It is the one before if the line is not kept.
        if numbered := _NUMBERED.match(told):
            self._command = told[numbered.end() :]
            if numbered[1] == self._number:
                seen = rendered(bytes(self._shown)).strip("\n")
                self._command = seen.partition(self._sigil)[2]
            self._number = numbered[1]

    @property
    def _sigil(self) -> str:
        return self._prompt.rpartition("DIRECTORY")[2]

    def _prompted(self, status: int, directory: str) -> None:
        self._end_command(status)
        # A prompt that is only drawn again, as ksh93 and zsh may do, changes nothing.
        self.is_fresh = self.is_fresh or self.state == "running"
        self.state = "prompt"
        self.entered = max(0, self.entered - 1)
        self.status = status
        self.prompts += 1
        self.directories[1:] = [directory]

    def close(self) -> None:
        """Take notice that the person is done, and what comes now is not theirs."""
        self._end_command(None)
        self.state = "over"

    def _end_command(self, status: int | None) -> None:
        if self._runs_from is None and not self._tells_start and self.prompts:
            self._find_command()
        if self._runs_from is not None:
            raw = bytes(self._shown[self._runs_from :][-_KEPT:])
            self.commands.append(PausedCommand(self._command.strip(), raw, status))
        self._runs_from = None
        self._shown.clear()

    def _find_command(self) -> None:
        """See in what was shown what was typed, and where its output begins."""
        first, newline, _ = bytes(self._shown).partition(b"\n")
        prompt = self._prompt.replace("DIRECTORY", self.directories[-1])
        line = rendered(first).rstrip()
        command = line.removeprefix(prompt).strip()
        if newline and command and not command.endswith("^C"):
            self._runs_from = len(first) + 1
            # One that has filled the line was cut off, or wrapped, or scrolled.
            whole = line.startswith(prompt) and len(line) < self.columns - 2
            self._command = command if whole else ""
