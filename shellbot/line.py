"""One shell on a terminal: what is typed to it frame by frame, and what comes back."""

from __future__ import annotations

import re
import signal
import termios
import time
from math import inf

from . import diagnosis, frames, processes
from .diagnosis import Diagnosis
from .dialogue import Secrets
from .errors import LevelLostError, SessionError
from .text import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .dialects import Dialect
    from .processes import Moment, Process
    from .result import Where
    from .terminal import Terminal

# How much of the output is looked at for a question, and for what is drawn on a screen.
SHOWN, SCREEN = 8_192, 65_536
# How long a login may take to end once it is told to.
_LEAVING = 1.0
# How long a command of ours may take that runs between two others, near and far.
_SETTLED, _FAR_AWAY = 1.0, 5.0
_MOMENT = 0.002
# How long a flood of output may keep a reader busy beyond its own bound.
_FLOODED = 0.1
_LOG_IN_AGAIN = (
    "log in again, or use reconnect(), which repeats the logins; commands go to the shell that is "
    "named here now"
)
# What a terminal has by default, and a shell that was logged in to is given.
_KEYS = {termios.VINTR: b"\x03", termios.VQUIT: b"\x1c", termios.VEOF: b"\x04"}


class Line:
    """A shell's terminal, and the frame that is on it."""

    def __init__(
        self,
        terminal: Terminal,
        dialect: Dialect,
        *,
        where: Where,
        secrets: Secrets,
        advice: str,
        outer: Line | None = None,
        pid: int = 0,
    ) -> None:
        self.terminal = terminal
        self.outer = outer
        """The shell that this one was logged in from, if any. Its own frame has not ended."""
        self.inner: Line | None = None
        """The shell that was logged in to from here, while it is there."""
        self.pid = pid if outer else terminal.pid
        """The shell's process id, or 0 where it cannot be seen from here."""
        self.relayed: bool = outer is not None and (outer.relayed or not pid)
        """Whether the shell has a terminal of its own, which ours only reaches through a relay."""
        self.dialect = dialect
        self.where = where
        self.secrets = secrets
        self.key = frames.new_key()
        name = self.key[:9].encode()
        self.name = b'%b"$__sb_%b"' % (dialect.runner, name) if outer else b"eval"
        """The word that runs a command: in any other shell but an inner one, it means nothing."""
        # The terminal takes Ctrl-V for the literal next key, and nothing comes of that. If its
        # modes are others, the word means nothing, so that no command is read as another one.
        self.word = self.name.replace(b"$__sb_", b"$__sb_\x16") if self.relayed else self.name
        """The same, which means something only if the terminal's modes are as they have to be."""
        self.parser = frames.Parser(self.key)
        self.number = -1
        """The frame's number."""
        self.command = ""
        """What it is typed for, to be named in messages."""
        self.since: Moment | None = None
        """When it was typed, if it has not ended."""
        self.status = 0
        """The exit status of the last frame that has ended."""
        self.lost: str | None = None
        """Why the shell can no longer be used, if so."""
        self.left_with: int | None = None
        """The status that the login to it has ended with."""
        self.heard = 0.0
        """When something was printed last."""
        self.answered_at = 0
        """How much had been printed when something was typed last."""
        self.group = 0
        """The background job that is waited for, if any."""
        self.is_up = False
        self._image: object = None
        self.advice = advice

    @property
    def is_under_way(self) -> bool:
        """Whether a frame has been typed that has not ended."""
        return self.since is not None and not self.lost

    def is_ready(self) -> None:
        """Take notice that the shell has come up."""
        self._image = processes.image(self.pid) if self.pid else None
        self.is_up = True

    @property
    def watched(self) -> Line:
        """The nearest shell, this one or further out, whose processes can be seen from here."""
        line = self
        while line.outer and line.relayed:
            line = line.outer
        return line

    # What is typed

    def type(self, data: bytes, deadline: float = inf) -> bool:
        """Type *data*; say whether all of it was typed before the *deadline*.

        Raises :class:`LevelLostError` instead, if what has arrived tells that nobody is there: it
        would go to the shell that was logged in from.
        """
        if not self.outer:
            return self.terminal.write(data, deadline)
        self.catch_up()
        if not self._holds_together():
            # Those further in still read the terminal, until the loss has been told.
            deadline = time.monotonic() + _LEAVING
            while self.hear(max(0.0, deadline - time.monotonic())):
                self.check()
        return self._write(data, deadline)

    def _write(self, data: bytes, deadline: float = inf) -> bool:
        if self.relayed:
            # ssh takes a "~" at the beginning of a line for itself (ssh(1), ESCAPE CHARACTERS).
            data = re.sub(rb"(\A|\n)~", b"\\1\x16~", data)
        return self.terminal.write(data, deadline)

    def hold_modes(self, *, asking: bool = False) -> bool:
        """Put the terminal's modes back that typing relies on; say whether that was needed.

        Those of a terminal behind a relay are only *asked* for where something tells of them.
        """
        if not self.relayed:
            return self.terminal.hold_modes()
        self.terminal.hold_no_flow()
        if not (asking or self.parser.translates or self.parser.echoes):
            return False
        return b"\x1e!" in self._run_aside(self.dialect.hold_modes, _FAR_AWAY)

    def press(self, key: int, deadline: float) -> None:
        """Press the key that the shell's terminal has for *key*, such as ``termios.VINTR``."""
        if key == termios.VINTR:
            self.parser.heed_interrupt()
        if self.relayed:
            self.terminal.write(_KEYS[key], deadline)
        elif key == termios.VINTR and self.dialect.hangs_in_library:
            with self.terminal.held_outside_library(self.pid):
                self.terminal.press(key, deadline)
                self.terminal.await_interrupt(self.pid)
        else:
            self.terminal.press(key, deadline)

    def end_input(self, deadline: float) -> None:
        """Press Ctrl-D."""
        if self.relayed:
            self.press(termios.VEOF, deadline)
        else:
            self.terminal.end_input(deadline)

    # What comes back

    def begin(self, *, by_hand: bool = False) -> None:
        """Get ready for the next frame, which is typed then."""
        self.number += 1
        self.parser.expect(self.number, by_hand=by_hand)
        outer = self.outer
        while outer:
            # What those before it have said says nothing about this one.
            outer.parser.take_output()
            outer = outer.outer
        self.heard, self.answered_at = time.monotonic(), 0
        self.since = self.terminal.clock.now()

    def take_in(self, until: float) -> bool:
        """Read once, waiting for it until then; say whether there was anything."""
        parser = self.parser
        seen = parser.prompts
        heard = self.hear(until - time.monotonic())
        if parser.prompts > seen:
            self._ask(parser.prompts)
        if parser.status is None and (self.outer or self.terminal.ended):
            self.check()
        return heard

    def hear(self, limit: float) -> bool:
        """Read once, waiting up to *limit* seconds; say whether there was anything."""
        data = self.terminal.read(limit)
        if data:
            self.heard = time.monotonic()
            if self.outer:
                self.outer.overhear(data)
            self.parser.feed(data)
        return bool(data)

    def catch_up(self, until: float = 0.0) -> None:
        """Take in what has arrived since the last frame, and raise if the shell is gone.

        Waits for something to arrive, but not longer than until then.
        """
        limit = until - time.monotonic()
        while self.hear(max(0.0, limit)):
            limit = 0.0
        self.check()

    def overhear(self, data: bytes) -> None:
        """Look in what an inner shell prints for the end of the login to it."""
        if self.outer:
            self.outer.overhear(data)
        seen = self.parser.prompts
        self.parser.feed(data)
        self.parser.hand_out()
        self.parser.forget(SHOWN)
        if self.parser.prompts > seen and self.parser.status is None:
            self._ask(self.parser.prompts)

    def check(self) -> None:
        """Make sure that the shell is there, as far as what was read tells."""
        gone, line = None, self.outer
        while line:
            # The outermost one that has its terminal back is where we are.
            gone = line if line.parser.status is not None else gone
            line = line.outer
        if self.terminal.ended:
            innermost = self
            while innermost.inner:
                innermost = innermost.inner
            innermost.lose(None, "the shell has ended")
        elif gone and not self.lost:
            since = gone.since
            status, said = gone.ended()
            if since:
                self._end_orphans(gone, since)
            self.lose(gone, f"the login has ended with status {status}", status)
            raise self.gone(frames.without_marks(self.parser.take_output() or said))
        if self.lost:
            raise self.gone(self.parser.take_output())

    def lose(self, outer: Line | None, why: str, status: int | None = None) -> None:
        """Take notice that the shells from here to *outer* are gone, and with what status."""
        line: Line | None = self
        while line and line is not outer:
            line.lost = line.lost or why
            line.since = None
            line.left_with = status
            line = line.outer
            if line:
                line.inner = None

    def _holds_together(self) -> bool:
        """Whether every shell that can be seen from here is there, between us and this one."""
        line: Line | None = self
        while line and (not line.is_up or not line.pid or processes.is_there(line.pid)):
            line = line.outer
        return line is None

    def _end_orphans(self, outer: Line, since: Moment) -> None:
        # One in between that was killed leaves those further in, and they still read the terminal.
        # Whoever has started one tells of its end, and takes the terminal: so that goes first.
        line: Line | None = self
        orphans: list[Process] = []
        if self.since and self.pid:
            orphans = self.terminal.started_since(self.since, below=self.pid)
        while line and line is not outer:
            if line.pid and line._image and processes.image(line.pid) == line._image:
                orphans[:0] = processes.above(line.pid, since)
            line = line.outer
        processes.send(orphans, signal.SIGKILL)
        processes.left(orphans, _LEAVING)

    def answered(self, deadline: float) -> bool:
        """Read until the frame has ended, or the *deadline* has passed; say which."""
        while self.parser.status is None:
            if not self.take_in(deadline) and time.monotonic() >= deadline:
                return False
            if time.monotonic() >= deadline + _FLOODED:
                return False
        return True

    def _ask(self, time_asked: int) -> None:
        if time_asked == 2:
            # Asked once and no answer, only the prompt again: our words are gone or changed.
            self._write(self.dialect.rescue(self.key, shows_modes=self.relayed))
        if time_asked <= 2:
            self._write(self.dialect.question(self.number))

    def ended(self, *, aside: bool = False) -> tuple[int, bytes]:
        """Return the status of the frame that has ended, and what was printed."""
        parser = self.parser
        self.since = None
        assert parser.status is not None
        if not (aside and parser.status == 0):
            self.status = parser.status
        if parser.prompts > 1 and (not parser.started or b"__sb" in parser.last(200)):
            raise SessionError(
                "the shell had lost the functions that the session speaks through; they are back "
                "now, but how this command ended is not known.",
                where=self.where,
                printed=parser.take_output(),
            )
        return parser.status, parser.take_output()

    def judged(self) -> Diagnosis:
        def scene() -> diagnosis.Scene:
            # Who judges is who reads: nothing that was said may be left unread.
            self.answered(time.monotonic())
            return self.scene()

        found = diagnosis.judge(scene)
        return found if self.parser.status is None else Diagnosis("idle", because="just now")

    def scene(self, since: Moment | None = None, *, prompted: bool = False) -> diagnosis.Scene:
        printed = self.parser.last(min(self.parser.size - self.answered_at, SHOWN))
        watched = self.watched
        return diagnosis.Scene(
            shell=watched.pid,
            image=watched._image,
            device=self.terminal.device,
            modes=self.terminal.modes(),
            # Far away, the number of a group is nobody's here.
            foreground=(not self.relayed and self.group) or self.terminal.foreground(),
            spared=self.terminal.spared - {self.group},
            unread=self.terminal.has_unread(),
            since=(watched.since if watched is not self else since or self.since)
            or self.terminal.clock.now(),
            printed=printed,
            quiet=time.monotonic() - self.heard,
            prompted=prompted,
            session=self.terminal.pid,
        )

    def settle(self) -> None:
        """Run what the shell has to run after a command was stopped by force, if anything."""
        if self.dialect.settle:
            partial, status = self.parser.take_output(), self.parser.status
            self._run_aside(self.dialect.settle, _SETTLED)
            self.parser.resume(partial, status)

    def _run_aside(self, command: bytes, limit: float) -> bytes:
        """Run a *command* of ours that needs no modes; return what it has printed."""
        self.number += 1
        self.parser.expect(self.number)
        self.type(self.dialect.aside(self.number, command, self.name))
        self.answered(time.monotonic() + limit)
        return self.parser.take_output()

    def end_behind_relay(self, deadline: float, *, reads: bool = True) -> None:
        """Hang up on the shells that are behind a relay, for when they read again.

        What ends the relay does not always end them: not where a container's engine, or a serial
        line, keeps their terminal. It *reads* what they print, unless another thread does.
        """
        line: Line | None = self
        while line and line.relayed:
            line._write(line.dialect.hang_up(line.name), deadline)
            line = line.outer
        # The relay is ended next, and what it has not taken until then goes with it.
        while line and line.parser.status is None and time.monotonic() < deadline:
            if self.terminal.was_taken():
                break
            if reads:
                self.hear(_MOMENT)
            else:
                time.sleep(_MOMENT)

    def leave_by_force(self) -> None:
        """End the login that is under way here, whatever it takes."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            if self.since:
                self.terminal.kill_since(self.since, number)
            if self.answered(time.monotonic() + _LEAVING):
                self.ended()
                return
        self.terminal.kill()
        self.lose(None, "the shell had to be killed, as the login could not be ended")

    def gone(self, partial: bytes = b"") -> LevelLostError:
        """Return what to raise for a shell that is lost."""
        left: Line | None = self
        levels = []
        while left and left.lost:
            levels.append(left.where)
            left = left.outer
        code = self.left_with if left else self.terminal.exit_code
        told = "" if left or code is None else f" with status {code}" if code >= 0 else ""
        if not left and code is not None and code < 0:
            told = f", killed by signal {-code}"
        return LevelLostError(
            f"{self.lost}{told}: {shorten(self.command)}",
            exit_code=code,
            partial=partial,
            where=left.where if left else self.where,
            levels=tuple(reversed(levels)),
            advice=_LOG_IN_AGAIN if left else self.advice,
        )
