"""One shell on a terminal: what is typed to it frame by frame, and what comes back."""

from __future__ import annotations

import time

from . import diagnosis, frames, processes
from .diagnosis import Diagnosis
from .dialogue import Secrets
from .errors import LevelLostError, SessionError
from .text import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .dialects import Dialect
    from .processes import Moment
    from .result import Where
    from .terminal import Terminal

# How much of the output is looked at for a question, and for what is drawn on a screen.
SHOWN, SCREEN = 8_192, 65_536
# How long a flood of output may keep a reader busy beyond its own bound.
_FLOODED = 0.1


class Line:
    """A shell's terminal, and the frame that is on it."""

    def __init__(
        self, terminal: Terminal, dialect: Dialect, *, where: Where, secrets: Secrets, advice: str
    ) -> None:
        self.terminal = terminal
        self.dialect = dialect
        self.where = where
        self.secrets = secrets
        self.key = frames.new_key()
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
        self.heard = 0.0
        """When something was printed last."""
        self.answered_at = 0
        """How much had been printed when something was typed last."""
        self.group = 0
        """The background job that is waited for, if any."""
        self.is_up = False
        self._image: object = None
        self._advice = advice

    @property
    def is_under_way(self) -> bool:
        """Whether a frame has been typed that has not ended."""
        return self.since is not None and not self.lost

    def is_ready(self) -> None:
        """Take notice that the shell has come up."""
        self._image = processes.image(self.terminal.pid)
        self.is_up = True

    def begin(self, *, by_hand: bool = False) -> None:
        """Get ready for the next frame, which is typed then."""
        self.number += 1
        self.parser.expect(self.number, by_hand=by_hand)
        self.heard, self.answered_at = time.monotonic(), 0
        self.since = self.terminal.clock.now()

    def take_in(self, until: float) -> bool:
        """Read once, waiting for it until then; say whether there was anything."""
        parser, terminal = self.parser, self.terminal
        seen = parser.prompts
        data = terminal.read(until - time.monotonic())
        if data:
            self.heard = time.monotonic()
            parser.feed(data)
            if parser.prompts > seen:
                self._ask(parser.prompts)
        if terminal.ended and parser.status is None:
            self.lost = self.lost or "the shell has ended"
            raise self.gone(self.lost, parser.take_output())
        return bool(data)

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
            self.terminal.write(self.dialect.rescue(self.key))
        if time_asked <= 2:
            self.terminal.write(self.dialect.question(self.number))

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
        return diagnosis.Scene(
            shell=self.terminal.pid,
            image=self._image,
            device=self.terminal.device,
            modes=self.terminal.modes(),
            foreground=self.group or self.terminal.foreground(),
            spared=self.terminal.spared - {self.group},
            unread=self.terminal.has_unread(),
            since=since or self.since or self.terminal.clock.now(),
            printed=printed,
            quiet=time.monotonic() - self.heard,
            prompted=prompted,
        )

    def gone(self, why: str, partial: bytes = b"") -> LevelLostError:
        code = self.terminal.exit_code
        told = "" if code is None else f" with status {code}" if code >= 0 else ""
        if code is not None and code < 0:
            told = f", killed by signal {-code}"
        return LevelLostError(
            f"{why}{told}: {shorten(self.command)}",
            exit_code=code,
            partial=partial,
            where=self.where,
            advice=self._advice,
        )
