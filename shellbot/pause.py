"""A session's shell in the hands of a person, and back."""

from __future__ import annotations

import contextlib
import re
import sys
import termios
import time
from math import inf

from . import console, processes
from .attention import Attention
from .diagnosis import Look
from .dialogue import Secrets
from .errors import LevelLostError, SessionError
from .limits import Limits
from .own_terminal import OwnTerminal
from .record import Record
from .relay import Escape, OverError, Relay
from .result import Pause, PausedCommand
from .shell import Shell
from .surroundings import PAGERS, own_term

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .line import Line

_SET_UP = 30.0
_TAKEN_BACK = 5.0
# How soon a shell is at its prompt after Ctrl-C, and how often that is pressed.
_AT_PROMPT, _PRESSES = 1.0, 4
_MOMENT = 0.001
# How long a shell that has left, or was interrupted, is waited for in vain: its prompt is no longer
# ours where the person has set it.
_SILENCE = 0.3
# How long what was entered may take, if the escape key comes right behind it.
_ENTERED = 0.5
_HELP_KEYS = (b"\x1bOP", b"\x1b[11~", b"\x1b[[A")
_ABORT_KEY = b"\x1c"
_PLAIN = re.compile(r"[^\w.@-]")


class Handover:
    """One pause."""

    def __init__(self, shell: Shell, own: OwnTerminal, escape: Escape) -> None:
        self._shell = shell
        self._line: Line = shell.line
        self._own = own
        self._escape = escape
        where = shell.where
        user, host = _PLAIN.sub("?", where.user), _PLAIN.sub("?", where.host.partition(".")[0])
        go_on = f"({escape.name} goes on) " if escape.key else "(exit goes on) "
        colours = ("33", "1;32", "", "1;34", "") if console.wants_colours(sys.stdout) else ("",) * 5
        sigil = "# " if user in ("root", "0") else "$ "
        self._prompt = tuple(
            zip((go_on, f"{user}@{host}", ":", "DIRECTORY", sigil), colours, strict=True)
        )
        self.record = Record(
            self._line.key,
            prompt="".join(piece for piece, _ in self._prompt),
            tells_start=shell.dialect.tells_start,
        )
        self._size = shell.terminal.size
        self._leaves_by = inf
        """Until when what was entered before the escape key may bring the prompt."""
        self._relay = Relay(
            self._line,
            own,
            show=self._show,
            special=[*filter(None, (escape.key,)), _ABORT_KEY, *_HELP_KEYS, b"\x04"],
            act=self._act,
            passed_on=self.record.typed,
            waited=self._waited,
        )

    def run(self, banner: str) -> bool:
        """Have the person work in the shell until they go on; say whether they abort."""
        line, shell, terminal = self._line, self._shell, self._shell.terminal
        started = False
        size = self._size
        shell.aside(
            shell.dialect.pause(
                line.key,
                self._prompt,
                term=own_term(),
                pagers=PAGERS,
                modes=far_modes(line, self._own),
                back=near_modes(line),
            ),
            Attention(Limits(_SET_UP)),
            command="pause_point()",
        )
        try:
            line.begin()
            started = True
            deadline = time.monotonic() + _SET_UP
            line.type(shell.dialect.hand_over(line.number, after_failure=line.status != 0))
            self._resize(self._own.size, deadline)
            if not line.relayed:
                terminal.lend(self._own.modes)
            line.type(b"\n")
            self._own.write(banner.replace("\n", "\r\n").encode())
            try:
                self._relay.run()
            except OverError as over:
                return over.aborts
        except LevelLostError as error:
            terminal.size = size
            raise line.gone(self.record.without_told(error.partial)) from None
        except BaseException:
            with contextlib.suppress(SessionError):
                if started and line.is_under_way:
                    shell.recover()
                terminal.size = size
                self._tidy()
            raise

    def _resize(self, size: tuple[int, int], deadline: float) -> None:
        """Change the terminal's size while the shell waits for that."""
        line, terminal = self._line, self._shell.terminal
        self.record.waits = False
        while not self.record.waits and time.monotonic() < deadline:
            line.take_in(deadline)
            self.record.feed(line.parser.hand_out())
        # That has a group of its own, unless the shell could not have job control.
        comes_by = time.monotonic() + _AT_PROMPT
        while not line.relayed and terminal.foreground() == line.pid:
            if time.monotonic() >= comes_by:
                break
            time.sleep(_MOMENT)
        terminal.size = size

    def _show(self, printed: bytes) -> bytes:
        self.record.columns = self._own.size[1]
        shown = self.record.feed(printed)
        if self.record.reads and (self.record.has_left or self._leaves_by < inf):
            self._own.write(shown)
            self._leave()
        self._relay.patience = _SILENCE if self.record.has_left else inf
        if self._leaves_by < inf:
            self._relay.patience = max(0.0, self._leaves_by - time.monotonic())
        return shown

    def _waited(self) -> None:
        if self.record.has_left:
            # It does not come to a prompt of ours.
            self._leave()
        self._leaves_by, self._relay.patience = inf, inf
        if self._may_leave():
            self._leave()

    # Keys

    def _act(self, key: bytes) -> bool:
        """Do what *key* stands for; say whether it stands for anything here."""
        record = self.record
        if key == self._escape.key:
            if record.entered:
                # What was entered before is to be run. It may not have begun yet.
                self._leaves_by = time.monotonic() + _ENTERED
                self._relay.patience = _ENTERED
            elif self._may_leave():
                self._leave()
            return True
        if key == b"\x04":
            if record.state == "prompt" and record.is_fresh:
                self._leave()
            return False
        if record.state == "running" or record.entered:
            return False
        if key == _ABORT_KEY:
            self._leave(aborts=True)
        self._tell(self.help())
        return True

    def _may_leave(self) -> bool:
        if self.record.state != "running":
            return True
        if self._is_reading():
            return True
        doing = self._line.judged()
        # That took a moment, and what has come in then would be seen with what comes next only.
        self._relay.take()
        if self.record.state != "running":
            return True
        self._tell(f"Leave that first, and then press {self._escape.name} again. It is {doing}.")
        return False

    def _is_reading(self) -> bool:
        """Whether the shell can be seen to read, whatever the person has made of its prompt."""
        scene = self._line.scene()
        is_same = not self._line.relayed and processes.image(scene.shell) == scene.image
        return is_same and scene.shell in Look(scene).readers

    def help(self) -> str:
        ways = f"{self._escape.name}, exit" if self._escape.key else "exit"
        return "\n".join(
            (
                f"This is the script's own shell, {self._shell.dialect} on {self._shell.where}.",
                "What you change stays: directory, variables, functions.",
                f"{ways} or Ctrl-D: go on with the script.",
                "Ctrl-\\ at the prompt: abort the script. F1: this.",
            )
        )

    def _tell(self, message: str) -> None:
        self._relay.tell(message, again=self.record.line if self.record.state != "running" else b"")

    # And back

    def _leave(self, *, aborts: bool = False) -> None:
        """Take the shell back, and end the pause."""
        line, record = self._line, self.record
        deadline = time.monotonic() + _TAKEN_BACK
        status = record.status
        if not (record.state == "prompt" and record.is_fresh and not self._relay.outgoing):
            self._relay.outgoing = b""
            prompts = record.prompts
            modes = self._shell.terminal.modes()
            key = b"\x03" if line.relayed or not modes else modes[6][termios.VINTR]
            if "e" in record.options:
                key = line.dialect.drop_line or key
            for again in range(_PRESSES):
                line.terminal.write(key, deadline)
                comes_by = time.monotonic() + (_SILENCE if record.has_left else _AT_PROMPT)
                while record.prompts == prompts and time.monotonic() < comes_by:
                    line.take_in(comes_by)
                    record.feed(line.parser.hand_out())
                # Twice, as bash may heed one only at the next key, and has a line until then.
                if record.prompts > prompts or (again and (record.has_left or self._is_reading())):
                    break
            else:
                self._tell("The shell does not come to its prompt.")
                record.has_left = False
                return
            deadline = time.monotonic() + _TAKEN_BACK
        record.close()
        line.type(self._shell.dialect.take_back(line.number, status), deadline)
        self._resize(self._size, deadline)
        line.type(b"\n", deadline)
        if line.answered(deadline):
            line.ended()
        else:
            self._shell.recover()
            self._tidy()
        raise OverError(aborts=aborts)

    def _tidy(self) -> None:
        self._shell.aside(self._shell.dialect.put_back, Attention(Limits(_TAKEN_BACK)))


def far_modes(line: Line, own: OwnTerminal) -> str:
    """Return what gives a terminal behind a relay the modes and the size that a person has."""
    rows, columns = own.size
    erase = "^H" if own.modes[6][termios.VERASE] == b"\b" else "^?"
    return _stty(line, f"sane erase '{erase}' rows {rows} cols {columns}")


def near_modes(line: Line) -> str:
    """Return what gives it those of the session again."""
    rows, columns = line.terminal.size
    size = _stty(line, f"rows {rows} cols {columns}")
    return f"{line.dialect.hold_modes.decode()}\n{size}" if line.relayed else ""


def _stty(line: Line, words: str) -> str:
    return f"\\command -p stty {words} </dev/tty 2>/dev/null" if line.relayed else ""


def paused(
    shell: Shell, message: str, escape: Escape, *, color: str, secrets: Secrets
) -> tuple[Pause, bool]:
    """Hand *shell* over to the person at the caller's own terminal, until they give it back."""
    began = time.monotonic()
    aborts = False
    with OwnTerminal() as own:
        handover = Handover(shell, own, escape)
        first, *more = message.rstrip().split("\n") or [""]
        rule = "─" * max(0, own.size[1] - len(first) - 13)
        told = "".join(f"{line}\n" for line in (*more, handover.help()))
        banner = console.coloured(f"── paused ─ {first} {rule}", color, sys.stdout) + f"\n{told}"
        try:
            aborts = handover.run(banner)
            end = f"── {'aborted' if aborts else 'going on'} ──"
            own.write(f"\r\n{console.coloured(end, color, sys.stdout)}\r\n".encode())
        finally:
            record = handover.record
    places: Sequence[str] = record.directories or ("", "")
    return (
        Pause(
            commands=tuple(
                PausedCommand(secrets.hide(one.command), secrets.hide_bytes(one.raw), one.exit_code)
                for one in record.commands
            ),
            transcript=secrets.hide(bytes(record.transcript).decode("utf-8", "replace")),
            directories=(places[0], places[-1]),
            duration=time.monotonic() - began,
        ),
        aborts,
    )
