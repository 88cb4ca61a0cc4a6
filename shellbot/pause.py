"""A session's shell in the hands of a person, and back."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import time
from math import inf

from colorama.ansi import AnsiFore

from . import console, text
from .attention import Attention
from .diagnosis import Look
from .dialogue import Secrets
from .errors import SessionError, UnknownNameError, UsageError
from .limits import Limits
from .line import SCREEN
from .own_terminal import OwnTerminal
from .record import Record
from .result import Pause, PausedCommand
from .shell import Shell
from .surroundings import PAGERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from .line import Line

_SET_UP = 30.0
_TAKEN_BACK = 5.0
_MOMENT = 0.001
# How long a shell that has left, or was interrupted, is waited for in vain: its prompt is no longer
# ours where the person has set it.
_SILENCE = 0.3
_HELP_KEYS = (b"\x1bOP", b"\x1b[11~", b"\x1b[[A")
_ABORT_KEY = b"\x1c"
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
_PLAIN = re.compile(r"[^\w.@-]")


class Escape:
    """The key that gives the terminal back, as it is written and as it is typed."""

    def __init__(self, name: str | None) -> None:
        self.name = ""
        self.key = b""
        if name is None:
            return
        control = re.fullmatch(r"(?i)(?:ctrl-|c-|\^)([a-z@\[\\\]^_])", name)
        if not control:
            raise UsageError(f"escape={name!r} is no key like 'ctrl-]', or None for none")
        self.key = bytes((ord(control[1].upper()) & 0x1F,))
        self.name = f"Ctrl-{control[1].upper()}"


def colour(name: str) -> str:
    """Return the number of the colour *name*, as colorama has them (``green``)."""
    if name.isdigit():  # as shutit had them
        return name
    names = [one.lower() for one in vars(AnsiFore) if one.isupper()]
    if name.lower() not in names:
        raise UnknownNameError("colour", name, names)
    return str(getattr(AnsiFore, name.upper()))


def _has_colours() -> bool:
    return console.wants_colours(sys.stdout)


def _painted(words: str, colour: str) -> str:
    return f"\x1b[{colour}m{words}\x1b[m" if _has_colours() else words


class _Over(Exception):  # noqa: N818 - no error
    """The person gives the terminal back."""

    def __init__(self, *, aborts: bool = False) -> None:
        self.aborts = aborts


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
        colours = ("33", "1;32", "", "1;34", "") if _has_colours() else ("",) * 5
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
        self._outgoing = b""
        self._pasting = False
        self._must_draw = False

    def run(self, banner: str) -> bool:
        """Have the person work in the shell until they go on; say whether they abort."""
        line, shell, terminal = self._line, self._shell, self._shell.terminal
        started = False
        size = self._size
        rows, columns = self._own.size
        erase = "^H" if self._own.modes[6][termios.VERASE] == b"\b" else "^?"
        far = f"\\command -p stty sane erase '{erase}' rows {rows} cols {columns} </dev/tty"
        near = f"\\command -p stty rows {size[0]} cols {size[1]} </dev/tty"
        shell.aside(
            shell.dialect.pause(
                line.key,
                self._prompt,
                term=os.environ.get("TERM") or "xterm",
                pagers=PAGERS,
                modes=f"{far} 2>/dev/null" if line.relayed else "",
                back=f"{shell.dialect.hold_modes.decode()}\n{near} 2>/dev/null"
                if line.relayed
                else "",
            ),
            Attention(Limits(_SET_UP)),
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
                self._relay()
            except _Over as over:
                return over.aborts
        except SessionError:
            raise
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
        while not line.relayed and terminal.foreground() == line.pid:
            if time.monotonic() >= deadline:
                break
            time.sleep(_MOMENT)
        terminal.size = size

    def _relay(self) -> NoReturn:
        terminal, line, own = self._shell.terminal, self._line, self._own
        while True:
            wanted = select.POLLIN | (select.POLLOUT if self._outgoing else 0)
            fds = terminal.watched
            others = [(fds[0], wanted), *((fd, select.POLLIN) for fd in fds[1:])]
            limit = _SILENCE if self.record.has_left else inf
            keys, resized = own.wait(others, 0.0 if terminal.has_inbox else limit)
            if resized and own.size != terminal.size:
                terminal.size = own.size
            if line.take_in(time.monotonic()):
                self._show()
                if self.record.wants_to_leave:
                    self._leave()
            elif self.record.has_left and not keys:
                self._leave()
            if keys is None:
                raise SessionError("the person's terminal is gone", where=line.where)
            if keys:
                self._heed(keys)
            if self._outgoing:
                self._outgoing = self._outgoing[terminal.write_some(self._outgoing) :]

    def _show(self) -> None:
        parser = self._line.parser
        shown = self.record.feed(parser.hand_out())
        parser.forget(SCREEN)
        if shown:
            self._own.write(shown)

    # Keys

    def _heed(self, keys: bytes) -> None:
        if self._must_draw:
            self._must_draw = False
            self._draw_again()
        special = [self._escape.key] if self._escape.key else []
        if self.record.state != "running":
            special += [_ABORT_KEY, *_HELP_KEYS, b"\x04"]
        pattern = b"|".join(map(re.escape, (*special, _PASTE, _PASTED)))
        for part in re.split(b"(%b)" % pattern, keys):
            if part in (_PASTE, _PASTED):
                self._pasting = part == _PASTE
            if part in special and not self._pasting and self._act(part):
                continue
            if part:
                self.record.typed(part)
                self._outgoing += part

    def _act(self, key: bytes) -> bool:
        """Do what *key* stands for; say whether it stands for anything here."""
        record = self.record
        if key == self._escape.key:
            if self._may_leave():
                self._leave()
            return True
        if key == b"\x04":
            if record.state == "prompt" and record.is_fresh:
                self._leave()
            return False
        if record.state == "running":
            return False
        if key == _ABORT_KEY:
            self._leave(aborts=True)
        self._tell(self.help())
        return True

    def _may_leave(self) -> bool:
        if self.record.state != "running":
            return True
        if self._reads():
            return True
        doing = self._line.judged()
        self._tell(
            f"The shell is not at its prompt, but {doing}. Leave that first, and then press "
            f"{self._escape.name} again."
        )
        return False

    def _reads(self) -> bool:
        """Whether the shell itself can be seen to read what is typed."""
        line = self._line
        return not line.relayed and line.pid in Look(line.scene()).readers

    def help(self) -> str:
        keys = (
            [f"{self._escape.name}, exit or Ctrl-D: go on with the script."]
            if self._escape.key
            else ["exit or Ctrl-D: go on with the script."]
        )
        return "\n".join(
            (
                f"This is the script's own shell, {self._shell.dialect} on {self._shell.where}.",
                "What you change stays: directory, variables, functions.",
                *keys,
                "Ctrl-\\ at the prompt: abort the script. F1: this.",
            )
        )

    def _tell(self, message: str) -> None:
        """Show a *message* of ours, without disturbing what is on the screen."""
        if self.record.is_full_screen:
            rows, columns = self._own.size
            shown = text.shorten(message, columns - 1)
            self._own.write(f"\x1b7\x1b[{rows};1H\x1b[7m{shown}\x1b[m\x1b[K\x1b8".encode())
            self._must_draw = True
            return
        shown = message.replace("\n", "\r\n")
        again = self.record.line if self.record.state != "running" else b""
        self._own.write(f"\r\n{_painted(shown, '33')}\r\n".encode() + again)

    def _draw_again(self) -> None:
        """Have a program that fills the screen draw it again, as after a change of size."""
        terminal = self._shell.terminal
        rows, columns = terminal.size
        terminal.size = max(1, rows - 1), columns
        terminal.size = rows, columns

    # And back

    def _leave(self, *, aborts: bool = False) -> None:
        """Take the shell back, and end the pause."""
        line, record = self._line, self.record
        deadline = time.monotonic() + _TAKEN_BACK
        status = record.status
        if not (record.state == "prompt" and record.is_fresh and not self._outgoing):
            self._outgoing = b""
            prompts = record.prompts
            modes = self._shell.terminal.modes()
            key = b"\x03" if line.relayed or not modes else modes[6][termios.VINTR]
            line.terminal.write(key, deadline)
            while record.prompts == prompts and time.monotonic() < deadline:
                if not line.take_in(min(deadline, time.monotonic() + _SILENCE)) and (
                    record.has_left or self._reads()
                ):
                    break
                record.feed(line.parser.hand_out())
            else:
                if record.prompts == prompts:
                    self._tell("The shell does not come to its prompt.")
                    record.has_left = False
                    return
        record.close()
        line.type(self._shell.dialect.take_back(line.number, status), deadline)
        self._resize(self._size, deadline)
        line.type(b"\n", deadline)
        if line.answered(deadline):
            line.ended()
        else:
            self._shell.recover()
            self._tidy()
        raise _Over(aborts=aborts)

    def _tidy(self) -> None:
        self._shell.aside(b"\\__sbc 0", Attention(Limits(_TAKEN_BACK)))


def paused(
    shell: Shell, message: str, escape: Escape, *, color: str, secrets: Secrets
) -> tuple[Pause, bool]:
    """Hand *shell* over to the person at the caller's own terminal, until they give it back."""
    began = time.monotonic()
    aborts = False
    with OwnTerminal() as own:
        handover = Handover(shell, own, escape)
        rule = "─" * max(0, own.size[1] - len(message) - 13)
        line = _painted(f"── paused ─ {message} {rule}", color)
        banner = f"{line}\n{handover.help()}\n"
        try:
            aborts = handover.run(banner)
            line = _painted(f"── {'aborted' if aborts else 'going on'} ──", color)
            own.write(f"\r\n{line}\r\n".encode())
        finally:
            record = handover.record
    places: Sequence[str] = record.directories or ("", "")
    return (
        Pause(
            commands=tuple(
                PausedCommand(secrets.hide(one.command), secrets.hide(one.output), one.exit_code)
                for one in record.commands
            ),
            transcript=secrets.hide(bytes(record.transcript).decode("utf-8", "replace")),
            directories=(places[0], places[-1]),
            duration=time.monotonic() - began,
        ),
        aborts,
    )
