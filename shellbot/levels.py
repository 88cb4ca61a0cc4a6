"""The shells of a session, one inside the other: log in, prove it, log out, know what is lost."""

from __future__ import annotations

import _weakref  # weakref itself takes longer than most rooms of ours
import contextlib
import termios
import time
from collections.abc import Callable
from math import inf

from . import asking, logins, text
from .attention import Attention
from .conversation import StoppedError
from .diagnosis import Diagnosis, Look
from .dialogue import Answer, Dialogue, Secret, Secrets
from .entry import Entry
from .errors import CommandStoppedError, LevelLostError, LoginError, SessionError
from .limits import Limits
from .line import SCREEN, Line
from .logins import Way
from .result import Where
from .shell import Shell, outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# What a shell's prompt ends with. Nothing more is needed, as what is typed there proves the rest.
_PROMPT = r"[$#%>❯➜»λ][ \t]*\Z"
# How long it has to be silent for somebody to be at a prompt of another look, or at none.
_UNUSUAL, _SILENT = 1.5, 5.0
# How long something that reads, but is no shell, is given to answer as one; and how soon a shell
# that can be seen reads again.
_NO_ANSWER, _READS = 5.0, 0.5
_EXIT_LIMIT = 5.0
FAREWELL = 0.5
"""How long the closing of a session waits for shells behind a relay to leave."""
_HANG_UP = 1.0


class _UnfitError(StoppedError):
    """It has come to something that is no shell for us."""


class _Arrival(Attention):
    """Given to a login until somebody is at a prompt."""

    def __init__(self, line: Line, way: Way, limits: Limits, secrets: Secrets) -> None:
        prompt = Answer(_PROMPT, "", times=None)
        super().__init__(
            limits,
            dialogue=Dialogue((*way.answers, prompt), secrets),
            prompt=prompt,
            on_waiting=_ask_the_person if way.ask else None,
        )
        self._line = line
        self._wakes = way.wakes
        self._own_questions = way.own_questions
        self._wake_at = 0.0

    def is_sure(self, found: str) -> bool:
        """Whether what looks like a prompt is one: a relay passes keys on only to somebody."""
        return self._is_relay()

    def may_give(self, answer: Answer) -> bool:
        """Whether it is asked by whom the answer is for: once ssh passes keys on, it is not ssh."""
        return answer.pattern.pattern not in self._own_questions or not self._has_let_in()

    def is_at_prompt(self) -> bool:
        """Whether somebody is at a prompt, or has said nothing for so long that it may be so."""
        line = self._line
        quiet = time.monotonic() - line.heard
        if self.at_prompt or not self._is_relay() or quiet < _UNUSUAL:
            return self.at_prompt
        said = line.parser.last(SCREEN)
        # What has been answered is asked no more.
        new = min(line.parser.size - line.answered_at, SCREEN)
        last, ended = text.last_line(line.parser.last(new))
        if self._wakes and (ended or not last) and time.monotonic() >= self._wake_at:
            # Nothing but the echo of that: nobody is there yet, such as between two gettys.
            self._wake_at = inf if said.strip() else time.monotonic() + _UNUSUAL
            line.type(b"\n")
        elif self._wakes and not said.strip():
            pass
        elif last and not ended and logins.asks(last):
            diagnosis = Diagnosis("question", question=last, certain=False)
            # It may be what a slow shell says before its prompt.
            patient = self._has_let_in() and quiet < _SILENT and not logins.asks_for_change(last)
            if self.on_waiting is None and not patient:
                raise StoppedError(time.monotonic(), diagnosis)
        elif quiet >= (_UNUSUAL if last and not ended else _SILENT):
            self.at_prompt = True
        return self.at_prompt

    def _has_let_in(self) -> bool:
        line = self._line
        return bool(self._own_questions) and not line.relayed and self._is_relay()

    def _is_relay(self) -> bool:
        # ssh, docker, telnet and their like pass keys on once the other side has opened a shell.
        return self._line.relayed or not self._line.terminal.takes_lines()


class Level:
    """A login, as :meth:`Session.login` makes it. Leaving its ``with`` logs out."""

    def __init__(self, levels: Levels, shell: Shell, way: Way | None = None) -> None:
        # A session that is dropped goes at once, so nothing of it may hold on to it.
        self._levels = _weakref.ref(levels)
        self.shell = shell
        self.way = way
        """How it was come to; None for the session's own shell."""
        self.password = way.password if way else None
        """What sudo is given there."""
        self.lists_refreshed: float | None = None
        """When the package manager's lists were fetched there, by the clock that only goes on."""

    @property
    def where(self) -> Where:
        """The host, the user, and what more is known of the place."""
        return self.shell.where

    def logout(self) -> None:
        """Log out of this level, and before that of those that were logged in to from here.

        Harmless where it is gone already.
        """
        levels = self._levels()
        if levels:
            levels.leave(self)

    def __enter__(self) -> Level:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.logout()
        else:
            # What ends here is to be told, and not what comes of it.
            with contextlib.suppress(SessionError):
                self.logout()

    def __repr__(self) -> str:
        return f"<Level {self.where}: {self.shell.lost or self.shell.dialect}>"


class Levels:
    """A session's stack of shells, the one that it started itself first."""

    def __init__(
        self,
        root: Shell,
        secrets: Secrets,
        alone: Callable[[str, Callable[[], None]], None],
        end_jobs: Callable[[Shell], None],
    ) -> None:
        self._secrets = secrets
        self._alone = alone
        self._end_jobs = end_jobs
        self._stack = [Level(self, root)]
        self.lost: list[Level] = []
        """The levels that were lost and can be come back to, the outermost one first."""

    @property
    def all(self) -> tuple[Level, ...]:
        """Every level, the session's own shell first."""
        return tuple(self._stack)

    @property
    def top(self) -> Level:
        """The level that commands run in."""
        return self._stack[-1]

    def drop_lost(self) -> None:
        """Take notice that somebody was told which levels are lost."""
        lost = [level for level in self._stack[1:] if level.shell.lost]
        if lost:
            self.lost = [*lost, *self.lost]
            self._stack = self._stack[: -len(lost)]
            with contextlib.suppress(SessionError):
                _over(self.top.shell)

    def enter(self, way: Way, limits: Limits) -> Level:
        """Log in from the top level."""
        shell = log_in(self.top.shell, way, limits, self._secrets)
        level = Level(self, shell, way)
        self._stack.append(level)
        self.lost = []
        return level

    def enter_again(self, limits: Limits) -> None:
        """Log in again, from the top level, to the outermost one that was lost."""
        level = self.lost[0]
        assert level.way
        level.shell = log_in(self.top.shell, level.way, limits, self._secrets)
        self._stack.append(level)
        del self.lost[0]

    def leave(self, level: Level) -> None:
        """Log out of *level*, if it is there."""
        if level in self._stack[1:]:
            self._alone("logout()", lambda: self.leave_from(level))

    def leave_from(self, level: Level, limit: float = _EXIT_LIMIT) -> None:
        """Log out of *level* and all further in, each of which is given *limit* seconds."""
        while level in self._stack[1:]:
            top = self.top
            if not top.shell.lost:
                with contextlib.suppress(LevelLostError):  # which is what was wanted
                    self._end_jobs(top.shell)
                    outer = self._stack[-2].shell
                    log_out(top.shell, outer, limit, hangs_up=bool(top.way and top.way.wakes))
            self._stack.remove(top)

    def say_farewell(self, why: str, *, reads: bool = True) -> bool:
        """Tell the shells behind a relay to leave, if there are any; all are lost then.

        A container's engine leaves them there otherwise, as does a serial line. It *reads* what
        they print meanwhile, unless another thread does.
        """
        line = self.top.shell.line
        is_behind = line.relayed and not line.lost
        deadline = time.monotonic() + FAREWELL
        if is_behind and line.is_under_way:
            line.press(termios.VINTR, deadline)
        # A thread that reads is to hear that first, and not how the login ends then.
        line.lose(None, why)
        line.end_behind_relay(deadline, reads=reads)
        return is_behind

    def hear_farewell(self) -> None:
        """Give them a moment to be gone."""
        line = self.top.shell.line
        deadline = time.monotonic() + FAREWELL
        while line.watched.parser.status is None and not line.terminal.ended:
            if not line.hear(max(0.0, deadline - time.monotonic())):
                return


def _ask_the_person(waiting: Diagnosis) -> str | Secret | None:
    """Have the person at the terminal answer."""
    if waiting.kind not in ("password", "question", "input"):
        return None
    prompt = f"{waiting.question} " if waiting.question else ""
    if waiting.kind == "password" or waiting.hidden:
        return Secret(asking.get_input(prompt, ispass=True))
    return asking.get_input(prompt) + "\n"


def log_in(outer: Shell, way: Way, limits: Limits, secrets: Secrets) -> Shell:
    """Log in from *outer*, and return the shell there, or raise :class:`LoginError`."""
    entry = Entry(depth=outer.where.depth + 1, size=outer.terminal.size, shell=way.shell)
    line = outer.line
    data = outer.dialect.login(outer.readied(way.command))
    arrival = _Arrival(line, way, limits, secrets)
    try:
        _arrive(outer, data, arrival)
        if line.parser.status is None:
            shell = _proved(outer, entry, arrival, secrets)
            if shell:
                return shell
        status, said = line.ended()
        failure = _failed(way, line, arrival, said, status=status)
    except StoppedError as stopped:
        if line.is_under_way:
            outer.recover(stopped.diagnosis)
            if line.lost:
                raise line.gone(line.parser.take_output()) from stopped
        failure = _failed(way, line, arrival, line.parser.take_output(), stopped=stopped)
    except LevelLostError as error:
        if line.lost:
            raise
        failure = _failed(way, line, arrival, error.partial, status=error.exit_code)
    except BaseException:
        with contextlib.suppress(SessionError):
            if line.is_under_way:
                outer.recover()
            _over(outer)
        raise
    _over(outer)
    raise failure


def _over(outer: Shell) -> None:
    """Have the shell be as it was before a login."""
    status = outer.line.status
    if not outer.lost:
        outer.aside(outer.dialect.login_over, Attention(Limits(_EXIT_LIMIT)))
        outer.line.status = status


def _arrive(outer: Shell, data: bytes, arrival: _Arrival) -> None:
    """Type the login, and answer what it asks until somebody is at a prompt, or it has ended."""
    try:
        outcome(outer.exchange(data, arrival))
    except StoppedError as stopped:
        is_shell = stopped.diagnosis.kind == "shell" and stopped.diagnosis.certain
        if not is_shell or stopped.limit is not None:
            raise


def _proved(outer: Shell, entry: Entry, arrival: _Arrival, secrets: Secrets) -> Shell | None:
    """Prove that it is a shell, have one started that is known, and return that."""
    line = outer.line
    before = text.last_line(line.parser.last(SCREEN))
    line.type(entry.line_without_trace, arrival.deadline)
    typed, at = time.monotonic(), line.parser.size
    line.heard = typed
    facts, repeated = None, False
    while facts is None:
        line.take_in(min(arrival.deadline, time.monotonic() + _READS))
        if line.parser.status is not None:
            return None
        facts = entry.told(line.parser.last(SCREEN))
        now = time.monotonic()
        if facts is None and now >= arrival.deadline:
            raise StoppedError(now, line.judged(), limit=arrival.limits.total)
        # Its echo alone tells nothing: a shell may be at work before it reads. But no shell asks
        # the same again and then does not answer.
        new = line.parser.size - at
        again = new and before[0] and text.last_line(line.parser.last(min(new, SCREEN))) == before
        if again and not repeated and facts is None and now >= line.heard + _READS:
            repeated = True
            line.type(entry.line, arrival.deadline)
            typed, at = time.monotonic(), line.parser.size
            continue
        more = again or new > 2 * len(entry.line_without_trace)
        if facts is None and more and now >= max(line.heard, typed) + _NO_ANSWER:
            found = line.judged()
            kind = StoppedError if found.question else _UnfitError
            raise kind(now, found, does="does not answer as a shell does")
    missing = facts.missing if facts.dialect else "the shell that was asked for"
    if facts.dialect is None or missing:
        raise _UnfitError(time.monotonic(), line.judged(), does=f"has no {missing}")
    pid = 0 if line.relayed else _seen(line)
    inner = Line(
        line.terminal,
        facts.dialect,
        where=facts.where,
        secrets=secrets,
        advice=line.advice,
        outer=line,
        pid=pid,
    )
    shell = Shell(inner)
    line.type(entry.opening(facts, relayed=not pid), arrival.deadline)
    line.parser.take_output()
    try:
        shell.start()
    except CommandStoppedError as error:
        raise _UnfitError(
            time.monotonic(), error.diagnosis, does=f"does not come up as {facts.dialect}"
        ) from None
    if pid:
        line.terminal.shells.add(pid)
    line.inner = inner
    return shell


def _seen(line: Line) -> int:
    """Return the number of the process that reads on our own terminal, if one does."""
    deadline = time.monotonic() + _READS
    while line.terminal.takes_lines():
        readers = Look(line.scene(prompted=True)).readers
        if readers:
            return next(reversed(readers))
        if time.monotonic() >= deadline:
            break
        line.take_in(time.monotonic() + 0.01)
    return 0


def _failed(
    way: Way,
    line: Line,
    arrival: _Arrival,
    said: bytes,
    *,
    status: int | None = None,
    stopped: StoppedError | None = None,
) -> LoginError:
    assert arrival.dialogue
    # What ends or keeps silent behind that has nothing to do with the password.
    let_in = arrival.at_prompt or (
        way.own_status is not None and status not in (None, way.own_status)
    )
    refused = arrival.dialogue.gave_secret and not let_in
    reason = logins.reason(text.plain(said), gave_secret=refused)
    if stopped and stopped.limit is not None and reason in ("closed", "wrong_password"):
        reason = "timed_out"
    elif stopped and logins.asks_for_new(stopped.diagnosis.question):
        reason = "expired_password"
    elif (
        stopped
        and stopped.asked is None
        and stopped.limit is None
        and (reason == "closed" or not arrival.dialogue.gave_secret)
        and reason in ("closed", "wrong_password")  # which sudo says as it is interrupted
    ):
        asks = stopped.diagnosis.kind in ("password", "question", "input")
        unfit = isinstance(stopped, _UnfitError)
        reason = "no_answer" if asks and not unfit else "no_shell"
    detail = ""
    if stopped and stopped.limit is None:
        detail = f"It {stopped.does}; {arrival.dialogue.story()}."
    return LoginError(
        way.called,
        reason=reason,
        waited=time.monotonic() - arrival.started,
        exit_code=status,
        partial=said,
        where=line.where,
        diagnosis=stopped.diagnosis if stopped else None,
        detail=detail,
    )


def log_out(shell: Shell, outer: Shell, limit: float, *, hangs_up: bool = False) -> None:
    """Log out of *shell*, so that the *outer* one has the terminal again."""
    shell.readied("")
    line = shell.line
    for _ in range(1 if hangs_up else 2):
        # A shell with stopped jobs, or zsh with running ones, leaves only when told again.
        line.type(line.dialect.end(line.name, hangs_up=hangs_up))
        if outer.line.answered(time.monotonic() + (_HANG_UP if hangs_up else limit / 2)):
            outer.line.ended()
            break
    else:
        watched = line.watched if line.relayed else outer.line
        if not hangs_up:  # on a line that stays, the next getty would have it for a name
            line.end_behind_relay(time.monotonic() + _HANG_UP)
        watched.leave_by_force()
        line.lose(watched, "the login had to be ended, as it did not end by itself")
    line.lose(outer.line, "logged out")
    line.terminal.shells.discard(line.pid)
    _over(outer)
