"""The session: what a script talks to."""

from __future__ import annotations

import _thread
import _weakref  # weakref itself takes longer than most rooms of ours
import contextlib
import itertools
import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from . import (
    asking,
    console,
    dialects,
    dialogue,
    entry,
    frames,
    jobs,
    logins,
    supervision,
    surroundings,
    text,
)
from .attention import Attention
from .by_hand import ByHand
from .diagnosis import Diagnosis
from .dialogue import Dialogue, Key, Secret, Secrets
from .echo import Audience, Echo, Progress
from .errors import (
    CommandError,
    CommandStoppedError,
    CommandTimeoutError,
    LevelLostError,
    LoginError,
    NobodyToAskError,
    PackageError,
    PauseAborted,
    SessionBusyError,
    SessionClosedError,
    SessionError,
    StartError,
    UsageError,
)
from .jobs import Job
from .levels import FAREWELL, Level, Levels
from .limits import DEFAULT, Default, Limits, Retry, accepted
from .logins import AsRoot, Way
from .program import Program
from .result import PackageResult, Pause, PausedCommand, Result, Where
from .shell import Shell, opened, outcome
from .stream import Stream
from .terminal import CLOSE_BOUND, Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Concatenate, TypeAlias, TypedDict, TypeVar

    from typing_extensions import ParamSpec, Unpack

    from .asking import Ask
    from .attention import OnWaiting
    from .dialogue import Answers
    from .interaction import Callbacks, Interaction
    from .limits import Check
    from .logins import Given
    from .own_terminal import OwnTerminal
    from .package_names import Called
    from .packages import InstallOptions, Packages
    from .packages import Options as PackageOptions
    from .supervision import OnError

    Outcome = TypeVar("Outcome")
    Parameters = ParamSpec("Parameters")
    Piece = TypeVar("Piece")
    Raised: TypeAlias = type[BaseException]
    Limit: TypeAlias = float | Default | None
    Command: TypeAlias = str | Sequence[str | os.PathLike[str]]
    Condition: TypeAlias = str | re.Pattern[str] | Callable[[Result], object]

    class Options(TypedDict, total=False):
        """What :meth:`Session.send` takes besides the command."""

        check: Check
        timeout: Limit
        idle_timeout: Limit
        answers: Answers | None
        input: str | bytes | None
        stderr: str
        on_waiting: OnWaiting | None
        on_output: Callable[[str], object] | None
        echo: bool | None
        retry: Retry | None
        sudo: bool | str | Secret
        expect_disconnect: bool
        note: str
        on_error: OnError | None

    class LoginOptions(TypedDict, total=False):
        """What :meth:`Session.login` takes besides the command."""

        user: str | None
        password: Given
        passphrase: Given
        otp: Given
        new_password: Given
        answers: Answers | None
        shell: str | None
        ask: bool


_UNTIL_LIMIT = 300.0
_HANDING_OVER = 30.0
_numbers = itertools.count(1)
_OPEN_ANOTHER = (
    "open another session, or open it with restart=True; exit, exec and set -e in a command end "
    "the session's own shell, unless they stand in (parentheses)"
)
_CALL_AGAIN = (
    "call again: the next command gets a new shell, in the directory and with the exported "
    "variables that this one had"
)


def _kind_of_login(
    make: Callable[Parameters, Way],
) -> Callable[Concatenate[Session, Parameters], Level]:
    """Return the method that logs in by the row *make*, with its arguments."""

    def method(self: Session, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Level:
        way = make(*args, **kwargs)
        return self._logged_in(way)

    method.__doc__ = make.__doc__
    method.__name__ = make.__name__
    return method


class _Turn:
    """One call's use of a session."""

    def __init__(self) -> None:
        self.thread = _thread.get_ident()


class _Unattended:
    """A session for a verb that needs many commands, of which a person is asked as a whole."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def where(self) -> Where:
        return self._session.where

    def send(self, command: Command, **options: Unpack[Options]) -> Result:
        self._session._unattended += 1
        try:
            return self._session.send(command, **options)
        finally:
            self._session._unattended -= 1


class Session:
    """A real shell on a real terminal, one command at a time.

    Everything that a command changes lasts: directory, variables, functions, options. Commands
    from two threads at once raise :class:`SessionBusyError`; open one session for each thread.

    *shell* is a name or path of one in the table: bash, dash, ash, zsh, ksh93, mksh, or one that
    gets bash or sh started inside it: fish, tcsh, xonsh, yash. It reads no rc file. *environment*
    is added to the caller's own, *size* is the terminal's rows and columns.

    *timeout* and *idle_timeout* hold for every call that gives none of its own. With *restart*,
    a shell that was lost is replaced when the next command is sent, in the same directory and
    with the same exported variables as after the last command that ended; asking for them makes
    each command take some milliseconds longer.

    With *echo* every command is shown on standard output while it runs, each line with the
    session's *name* in front.

    With ``on_error="pause"`` the person who runs the script is given the shell where a command
    has failed, and asked then whether to try again, to go on, or to abort.
    """

    def __init__(
        self,
        shell: str | dialects.Dialect = "bash",
        *,
        cwd: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        size: tuple[int, int] = (24, 80),
        timeout: float | None = None,
        idle_timeout: float | None = None,
        restart: bool = False,
        name: str | None = None,
        echo: bool = False,
        on_error: OnError = "raise",
    ) -> None:
        self._limits = Limits(timeout, idle_timeout)
        self._pauses = supervision.pauses(on_error)
        self._steps = os.environ.get("SHELLBOT_STEP", "") not in ("", "0")
        self._unattended = 0
        self._restart = restart
        self._size = size
        self._program = program = dialects.program(shell)
        self._owner = os.getpid()
        self._turns: list[_Turn] = []
        self._doing = ""
        self._jobs: list[Job] = []
        self._by_hand: ByHand | None = None
        self._closed = False
        self._secrets = Secrets()
        self._package_names: dict[str, Called] = {}
        self._echoes = echo
        self.name = name or f"{program.dialect}-{next(_numbers)}"
        """What it is called where several are shown."""
        self._echo = Echo(self.name, self._secrets)
        self.within = program.within
        """The shell of another family that was started first and made way, such as fish."""
        directory = None if cwd is None else os.fspath(cwd)
        root = self._opened(directory, surroundings.for_program(program, environment or {}))
        self._levels = self._stacked(root)
        self._kept = root.state() if restart else None

    def _opened(self, cwd: str | None, environment: Mapping[str, str]) -> Shell:
        return opened(
            self._program,
            cwd=cwd,
            environment=environment,
            size=self._size,
            # Asked while the shell comes up.
            here=lambda: entry.here(shell=self._program.dialect.name),
            secrets=self._secrets,
            advice=_CALL_AGAIN if self._restart else _OPEN_ANOTHER,
        )

    def _stacked(self, root: Shell) -> Levels:
        # A session that is dropped goes at once, so its levels may not hold on to it.
        me = _weakref.ref(self)

        def alone(line: str, run: Callable[[], None]) -> None:
            if session := me():
                session._in_step_alone(line, run)

        def end_jobs(shell: Shell) -> None:
            if session := me():
                session._end_jobs(shell)

        return Levels(root, self._secrets, alone, end_jobs)

    def _end_jobs(self, shell: Shell) -> None:
        """End the background jobs of a *shell* that is about to be left."""
        jobs.end(shell, self._jobs)
        self._jobs = [job for job in self._jobs if job.shell is not shell]

    # What the session is

    @property
    def _shell(self) -> Shell:
        return self._levels.top.shell

    @property
    def dialect(self) -> dialects.Dialect:
        """The shell that the session speaks with."""
        return self._shell.dialect

    @property
    def where(self) -> Where:
        """Where commands run now: host, user, depth, shell, system, package manager, container."""
        return self._shell.where

    @property
    def levels(self) -> tuple[Where, ...]:
        """Every place from the session's own shell to where commands run now."""
        return tuple(level.where for level in self._levels.all)

    @property
    def terminal(self) -> Terminal:
        """The terminal itself, for what no verb here does."""
        return self._shell.terminal

    @property
    def unsolicited(self) -> bytes:
        """The last 64 KiB that came in while no command was running, as background jobs print."""
        return self._shell.unsolicited

    # Commands

    def _running(
        self,
        line: str,
        attention: Attention,
        *,
        given: bytes | None = None,
        splits: bool = False,
    ) -> Generator[bytes, None, Result]:
        self._ready()
        steps = self._shell.running(line, attention, given=given, splits=splits)
        return self._remembered(steps) if self._restart else steps

    def _remembered(self, steps: Generator[bytes, None, Result]) -> Generator[bytes, None, Result]:
        try:
            result = yield from steps
        except CommandStoppedError:
            self._remember()
            raise
        self._remember()
        return result

    def _remember(self) -> None:
        """Keep what a new shell would have to be given, if this one should be lost."""
        if self._restart and not self._shell.lost and self.where.depth == 0:
            self._kept = None
            # What this raises says nothing about the command; but then there is nothing kept.
            with contextlib.suppress(SessionError):
                self._kept = self._shell.state()

    def _ready(self) -> None:
        """See to it that a command can be typed."""
        if self._by_hand is not None:
            self._in_step()
        if self._restart and self._levels.all[0].shell.lost:
            self._reopen()

    def _reopen(self) -> None:
        if self._kept is None:
            raise StartError(
                "cannot restart: after the last command the shell did not tell its directory and "
                "its exported variables. Open another session.",
                where=self.where,
            )
        jobs.end(self._shell, self._jobs)
        self._shell.close()
        self._levels = self._stacked(self._opened(*self._kept))

    def send(
        self,
        command: Command,
        *,
        check: Check = True,
        timeout: Limit = DEFAULT,
        idle_timeout: Limit = DEFAULT,
        answers: Answers | None = None,
        input: str | bytes | None = None,  # noqa: A002 - as subprocess.run has it
        stderr: str = "merged",
        on_waiting: OnWaiting | None = None,
        on_output: Callable[[str], object] | None = None,
        echo: bool | None = None,
        retry: Retry | None = None,
        sudo: bool | str | Secret = False,
        expect_disconnect: bool = False,
        note: str = "",
        on_error: OnError | None = None,
    ) -> Result:
        """Run *command*, as if typed, and return what it did.

        A list is quoted: ``send(["rm", name])`` removes just that file, whatever its name.

        *check* says which exit statuses are accepted: True for 0 only, False for any, or a
        status, or a collection of them.

        *timeout* is how many seconds it may take, and *idle_timeout* how many without printing
        anything; None waits as long as it takes, and without them the session's own hold.

        *answers* are what it is told when it asks: a mapping of patterns to replies, or a list of
        :class:`Answer`, and of names of ready-made ones: ``host-key``, ``yes``, ``no``,
        ``any-key``, ``debconf``, ``packages``. A reply is typed once the program reads it.

        *input* is what the command reads from its standard input, of any size; the terminal is
        free for questions meanwhile, as ``sudo`` may have. In dash, ash and mksh it makes the
        command run in a subshell, as the end of a pipeline does.

        ``stderr="split"`` keeps standard error apart, as :attr:`Result.stderr`. It is then a file
        and not a terminal for the command, and how the two followed each other is not known.

        *on_waiting* is called within 2 seconds of the command's starting to wait for somebody to
        type something, with a :class:`Diagnosis` that says what for. It returns what to type: a
        string or bytes exactly (so end an answer with a newline), a :class:`Secret` or a
        :class:`Key`; or None to wait on, or False to give up. The time that it takes does not
        count. It is called again when the command asks again.

        *on_output* is called with what the command prints, at once and in any portions; together
        they are :attr:`Result.output`, but that undecodable bytes are U+FFFD. *echo* shows it on
        standard output, with the command; without it, the session's own setting holds.

        *retry* has it tried again: ``retry=Retry(3, every=5)``. Each attempt has all of its time.

        *sudo* runs it as root, in a shell of its own, by sudo or doas; root needs neither. If a
        password is asked for, that is the one given here (``sudo=Secret(...)``), before on this
        level, or at the login to it. It is not kept for longer than the level.

        With *expect_disconnect* the command is to end the level that it runs in, as ``reboot``
        does: this returns once it is gone, with the status that the login ended with. See
        :meth:`reconnect`.

        *note* says what it is for: it is logged, shown by :meth:`step_through`, and kept in the
        result. With ``on_error="pause"`` a person looks at what fails, as the session's own says.

        Raises:
            CommandError: the status is not accepted. It carries the result.
            CommandTimeoutError: not done in time. The command was interrupted, and the session
                is in step again.
            CommandWaitingError: *on_waiting* gave up, or it asks what *answers* have no answer
                to, or it has opened another shell, which is what login is for. Interrupted, and
                in step again.
            DialogueError: it asks more often than *answers* allow, or did not ask what it had to.
            LevelLostError: the shell has ended.
            UsageError: the command cannot be sent at all; nothing was typed.
        """
        statuses = accepted(check)
        line = _line(command)
        limits = self._limits.but(timeout, idle_timeout)
        table = dialogue.table(answers)
        given = _input(input)
        if stderr not in ("merged", "split"):
            raise UsageError(f"stderr={stderr!r} is neither 'merged' nor 'split'")

        echoes = self._echoes if echo is None else echo
        audience = (
            Audience(self._echo if echoes else None, on_output) if echoes or on_output else None
        )

        def attempt(line: str) -> Result:
            root = self._as_root(line, sudo) if sudo else None
            attention = Attention(
                limits,
                on_waiting=on_waiting,
                dialogue=(
                    Dialogue((*table, *(root.answers if root else ())), self._secrets)
                    if root or answers is not None
                    else None
                ),
                on_output=None if audience is None else audience.hear,
                mark=root.mark if root else b"",
            )
            if audience:
                audience.begin(line)
            try:
                typed = root.line if root else line
                splits = stderr == "split"
                result = outcome(self._running(typed, attention, given=given, splits=splits))
                if root or note:
                    result = result.but(command=line, note=note)
                if expect_disconnect:
                    return self._left(result, attention)
            except LevelLostError as error:
                if not expect_disconnect:
                    raise
                return self._left(error, attention)
            finally:
                if audience:
                    audience.end()
            return _judged(result, statuses)

        def run(line: str) -> Result:
            once = partial(attempt, line)
            return self._alone(line, partial(self._tried, once, retry) if retry else once)

        return self._supervised(line, run, note=note, on_error=on_error)

    def _supervised(
        self, line: str, run: Callable[[str], Result], *, note: str, on_error: OnError | None
    ) -> Result:
        """Run *line*, and have a person look on, if one is to."""
        pauses = self._pauses if on_error is None else supervision.pauses(on_error)
        if not (note or pauses or self._steps):
            # Nobody does, as nearly always: what follows would come to the same.
            return run(line)
        agreed = self._agreed(line, note, may_skip=True)
        if agreed is None:
            return self._not_run(line)
        return self._looked_at(
            lambda: run(agreed), pauses=pauses, instead=lambda error: self._as_it_is(agreed, error)
        )

    def _agreed(self, line: str, note: str = "", *, may_skip: bool = False) -> str | None:
        """Return the line to run, as it is or as the person wants it, or None for none."""
        if note:
            console.log(self._secrets.hide(f"{note}: {line}"))
        if not self._steps or self._unattended or console.why_nobody():
            return line
        steps = supervision.Steps(self.pause_point)
        shown = self._secrets.hide(line)
        # A mask that was edited would be run as it is.
        may_edit = may_skip and shown == line
        note = self._secrets.hide(note)
        agreed = steps.agreed(shown, self.where, note=note, may_skip=may_skip, may_edit=may_edit)
        self._steps = not steps.are_over
        return line if agreed == shown else agreed

    def _not_run(self, line: str) -> Result:
        nothing = Result(command=line, raw=b"", exit_code=0, duration=0.0, where=self.where)
        return nothing.but(skipped=True)

    def _looked_at(
        self,
        run: Callable[[], Outcome],
        *,
        pauses: bool,
        instead: Callable[[SessionError], Outcome] | None = None,
    ) -> Outcome:
        """Run, and if it fails and *pauses*, let a person have a look and say what now."""
        while True:
            try:
                return run()
            except (CommandError, CommandStoppedError, LoginError, PackageError) as error:
                if not pauses or self._unattended or self._shell.lost:
                    raise
                if why_not := console.why_nobody():
                    console.debug("not paused, as %s", why_not)
                    raise
                # Before the person runs something else there.
                as_it_is = None if instead is None else instead(error)
                if not supervision.retries(error, self.pause_point, may_go_on=as_it_is is not None):
                    assert as_it_is is not None
                    return as_it_is

    def _as_it_is(self, line: str, error: SessionError) -> Result:
        """Return what is known of a command that has failed and is gone on with."""
        if isinstance(error, CommandError):
            return error.result
        assert isinstance(error, CommandStoppedError)
        return Result(
            command=line,
            raw=error.partial,
            exit_code=self._status,
            duration=error.waited,
            where=self.where,
            hide=self._secrets.hide_bytes,
        )

    def _as_root(self, line: str, sudo: bool | str | Secret) -> AsRoot | None:
        """Return how to run *line* as root, if that takes anything."""
        level = self._levels.top
        if not isinstance(sudo, bool):
            level.password = sudo if isinstance(sudo, Secret) else Secret(sudo)
        where = level.where
        if where.user in ("root", "0"):  # as a container may have no names
            return None
        return AsRoot(
            line,
            privilege=where.privilege,
            # Debian's busybox brings no link of that name.
            shell="sh" if self.dialect.name == "ash" else self.dialect.name,
            password=level.password,
        )

    def _left(self, last: Result | LevelLostError, attention: Attention) -> Result:
        """Wait until the level is gone, and return how it ended."""
        raw = last.raw if isinstance(last, Result) else last.partial
        line, where = self._shell.line, self.where
        error = last if isinstance(last, LevelLostError) else None
        while error is None:
            try:
                line.catch_up(min(attention.ends(line.heard), time.monotonic() + 1.0))
            except LevelLostError as lost:
                error = lost
            now = time.monotonic()
            if error is None and now >= attention.ends(line.heard):
                raise CommandTimeoutError(
                    line.command,
                    limit=attention.limits.total or attention.limits.idle or 0.0,
                    idle=now < attention.deadline,
                    diagnosis=Diagnosis("idle", because="it has ended, but the level is there"),
                    waited=now - attention.started,
                    partial=raw,
                    recovery="nothing, as the command had ended",
                    where=where,
                )
        self._levels.drop_lost()
        return Result(
            command=line.command,
            raw=raw,
            exit_code=error.exit_code or 0,
            duration=time.monotonic() - attention.started,
            where=where,
            hide=self._secrets.hide_bytes,
        )

    def _tried(self, attempt: Callable[[], Result], retry: Retry) -> Result:
        for left in reversed(range(retry.times)):
            began = time.monotonic()
            try:
                return attempt()
            except SessionError as error:
                if not left or not retry.applies(error):
                    raise
                console.debug("%d attempts left after: %s", left, self._secrets.hide(str(error)))
            self._shell.drain(began + retry.every - time.monotonic())
        raise AssertionError("the last attempt returns or raises")

    def send_and_get_output(self, command: Command, **options: Unpack[Options]) -> str:
        """Run *command* and return its :attr:`Result.text` without the newlines at its end.

        Takes and raises what :meth:`send` does. For the exact bytes, use ``send(...).raw``.
        """
        return self.send(command, **options).text.rstrip("\n")

    def stream(
        self,
        command: Command,
        *,
        check: Check = True,
        timeout: Limit = DEFAULT,
        idle_timeout: Limit = DEFAULT,
        answers: Answers | None = None,
        on_waiting: OnWaiting | None = None,
        note: str = "",
    ) -> Stream:
        """Start *command* and return its lines as they come, in constant memory.

        ::

            with session.stream("journalctl -f") as lines:
                for line in lines:
                    if "ready" in line:
                        break

        Arguments as for :meth:`send`; what that raises, the iteration raises.
        """
        statuses = accepted(check)
        line = _line(command)
        table = dialogue.table(answers)
        attention = Attention(
            self._limits.but(timeout, idle_timeout),
            on_waiting=on_waiting,
            dialogue=None if answers is None else Dialogue(table, self._secrets),
            streams=True,
        )

        line = self._agreed(line, note) or line

        def steps() -> Generator[bytes, None, Result]:
            return _judged((yield from self._running(line, attention)), statuses)

        return Stream(self._in_turn(line, steps()))

    def program(
        self,
        command: Command,
        *,
        prompt: str | re.Pattern[str] | None = None,
        answers: Answers | None = None,
        timeout: Limit = DEFAULT,
        idle_timeout: Limit = DEFAULT,
        note: str = "",
    ) -> Program:
        """Start a program with a prompt of its own, and return it once it is at that.

        ::

            with session.program("psql shop", answers={"Password": secret}) as database:
                print(database.send_and_get_output("select count(*) from orders;"))

        The prompt is known for python, psql, sqlite3, node, gdb and bc. That of any other program
        is found by asking: two empty lines give the same prompt. *prompt* is a regular expression
        that saves the asking, and has to match where the prompt ends. *answers* are for what the
        program asks, also before it is at its prompt. The limits hold for the start and for every
        line that gives none of its own.

        Raises what :meth:`send` raises, and :class:`ProgramEndedError` if it ends at once.
        """
        line = _line(command)
        given = None if prompt is None else dialogue.Answer(prompt, "", times=None)
        table = dialogue.table(answers)
        limits = self._limits.but(timeout, idle_timeout)
        line = self._agreed(line, note) or line
        turn = _Turn()
        try:
            self._take(turn, line)
            self._in_step()
            return Program(
                self._shell,
                line,
                prompt=given,
                answers=table,
                limits=limits,
                secrets=self._secrets,
                release=lambda: self._give_back(turn),
                tell=self._tell,
            )
        except BaseException as error:
            self._give_back(turn)
            if isinstance(error, SessionError):
                self._tell(error)
            raise

    def background(self, command: Command, *, timeout: Limit = DEFAULT, note: str = "") -> Job:
        """Start *command* in the background and return at once; any number may run.

        ::

            jobs = [session.background(f"./build {part}") for part in parts]
            session.wait_all(timeout=600)
            assert all(job.exit_code == 0 for job in jobs)

        It has the shell's directory, variables and functions, but cannot change them, and has no
        standard input. *timeout* is for its :meth:`Job.wait`. It ends with the session, or
        with the login that it was started in.
        """
        line = _line(command)
        frames.encode(line)
        line = self._agreed(line, note) or line

        def start() -> Job:
            self._ready()
            job = Job(
                self._shell,
                line,
                limits=self._limits.but(timeout, None),
                secrets=self._secrets,
                alone=self._alone,
            )
            self._jobs = [one for one in self._jobs if one.is_running]
            self._jobs.append(job)
            return job

        return self._alone(line, start)

    def wait_all(self, *, timeout: Limit = DEFAULT, check: Check = False) -> list[Result]:
        """Wait for all background jobs whose end is not known; return what they did, in order.

        These are the jobs of the place that commands run in, and not of what is logged in to from.

        Raises what :meth:`Job.wait` raises, with *timeout* for all of them together.
        """
        accepted(check)
        limits = self._limits.but(timeout, None)
        started = time.monotonic()
        results = []
        here = self._shell
        waited = [job for job in self._jobs if job.shell is here or job.shell.lost]
        for job in [job for job in waited if job.is_running]:
            left = limits.total and max(0.001, started + limits.total - time.monotonic())
            try:
                results.append(job.wait(timeout=left, check=check))
            except LevelLostError:
                # Nobody will ever know more of it.
                self._jobs.remove(job)
                raise
        return results

    # Logins

    def login(
        self,
        command: Command | Way,
        *,
        timeout: Limit = DEFAULT,
        note: str = "",
        **options: Unpack[LoginOptions],
    ) -> Level:
        """Log in with *command*, anything that ends in a shell; commands run there from now on.

        ::

            with session.login("ssh db1", password=secret):
                print(session.send_and_get_output("hostname"))

        Options as for :func:`shellbot.logins.login`. Without a ``with`` it lasts until
        :meth:`logout`. :meth:`ssh`, :meth:`su`, :meth:`sudo`, :meth:`container`, :meth:`chroot`
        and :meth:`serial` know more about their kind. *timeout* is 60 seconds unless the session
        has a limit of its own.

        Raises:
            LoginError: it came to no shell; ``reason`` says why. The session is where it was.
            LevelLostError: the shell that was to be left is gone itself.
        """
        if not isinstance(command, Way):
            return self._logged_in(logins.login(_line(command), **options), timeout, note)
        if options:
            raise UsageError(
                f"{command!r} was made with options, and takes no {', '.join(options)}"
            )
        return self._logged_in(command, timeout, note)

    def _limits_for(self, way: Way, timeout: Limit = DEFAULT) -> Limits:
        given = way.timeout if isinstance(timeout, Default) else timeout
        limits = self._limits.but(given, None)
        if limits.total is None and isinstance(given, Default):
            limits = limits.but(logins.DEFAULT_LIMIT, None)
        return limits

    def _logged_in(self, way: Way, timeout: Limit = DEFAULT, note: str = "") -> Level:
        limits = self._limits_for(way, timeout)

        def run() -> Level:
            self._ready()
            return self._levels.enter(way, limits)

        self._agreed(way.command, note)
        return self._looked_at(lambda: self._alone(way.command, run), pauses=self._pauses)

    ssh = _kind_of_login(logins.ssh)
    su = _kind_of_login(logins.su)
    sudo = _kind_of_login(logins.sudo)
    container = _kind_of_login(logins.container)
    chroot = _kind_of_login(logins.chroot)
    serial = _kind_of_login(logins.serial)

    def logout(self) -> None:
        """Log out of the level that commands run in. The session's own shell stays.

        Raises :class:`UsageError` where there is no login.
        """

        level = self._levels.top
        if level.way is None:
            raise UsageError("there is no login to log out of; close() ends the session")
        level.logout()

    def logout_all(self) -> None:
        """Log out of every level, down to the session's own shell."""

        for level in self._levels.all[1:2]:
            level.logout()

    def reconnect(self, *, wait: float = 300.0, every: float = 2.0) -> Where:
        """Log in again to the levels that were lost, the way it was done; return where that is.

        Tried again *every* so many seconds for *wait* seconds, as a machine takes its time to come
        up. Raises the last :class:`LoginError`.
        """
        started = time.monotonic()
        Limits(wait)

        def run() -> Where:
            self._ready()
            try:
                self._shell.readied("")
            except LevelLostError:
                if self._levels.all[0].shell.lost:
                    raise
            self._levels.drop_lost()
            if not self._levels.lost:
                raise UsageError("no level was lost, so there is nothing to reconnect to")
            while self._levels.lost:
                began = time.monotonic()
                left = max(0.1, started + wait - began)
                way = self._levels.lost[0].way
                assert way
                total = self._limits_for(way).total
                try:
                    self._levels.enter_again(Limits(left if total is None else min(left, total)))
                except LoginError as error:
                    later = began + every
                    if error.reason not in logins.MAY_PASS or later >= started + wait:
                        raise
                    self._shell.drain(later - time.monotonic())
            return self.where

        return self._alone("reconnect()", run)

    # Packages

    @property
    def packages(self) -> Packages:
        """The packages of the place that commands run in: install, remove, ask about them."""
        from .packages import Packages  # only for those who use it

        def shows(title: str) -> AbstractContextManager[Callable[[str], object] | None]:
            if self._echoes:
                return contextlib.nullcontext()
            return Progress(f"[{self.name}] {title}", self._secrets)

        return Packages(
            _Unattended(self), lambda: self._levels.top, names=self._package_names, shows=shows
        )

    def install(self, *packages: str, **options: Unpack[InstallOptions]) -> PackageResult:
        """See to it that *packages* are installed. See :meth:`Packages.install`.

        ::

            shell.install("git", "libssl-dev")
        """
        self._agreed(f"install {' '.join(map(str, packages))}")
        return self._looked_at(
            lambda: self.packages.install(*packages, **options), pauses=self._pauses
        )

    def remove(self, *packages: str, **options: Unpack[PackageOptions]) -> PackageResult:
        """See to it that *packages* are not installed. See :meth:`Packages.remove`."""
        self._agreed(f"remove {' '.join(map(str, packages))}")
        return self._looked_at(
            lambda: self.packages.remove(*packages, **options), pauses=self._pauses
        )

    def ensure(
        self, command: str, *, package: str | None = None, **options: Unpack[PackageOptions]
    ) -> PackageResult:
        """See to it that there is a *command* of that name. See :meth:`Packages.ensure`."""
        self._agreed(f"ensure {command}")
        return self._looked_at(
            lambda: self.packages.ensure(command, package=package, **options), pauses=self._pauses
        )

    # Without frames

    def type(self, *keys: str | bytes | Secret | Key, timeout: Limit = DEFAULT) -> None:
        """Type *keys*, exactly: no Enter is added (``type("ls", Key.ENTER)``).

        For what :meth:`send` does not fit. :meth:`expect` reads what is printed. The next command
        makes sure first that the shell is at its prompt, and raises :class:`SessionBusyError` if
        what was typed has not ended.
        """
        limits = self._limits.but(timeout, None)
        for one in keys:
            if not isinstance(one, (str, bytes, Secret, Key)):
                raise UsageError(f"{one!r} cannot be typed: a string, bytes, a Secret or a Key can")
            if isinstance(one, Secret):
                self._secrets.add(one)
        data = b"".join(map(dialogue.exactly, keys))
        self._alone("type()", lambda: self._typed(limits).type(data, Attention(limits)))

    def expect(
        self,
        pattern: str | re.Pattern[str] | Sequence[str | re.Pattern[str]],
        *,
        timeout: Limit = DEFAULT,
        idle_timeout: Limit = DEFAULT,
    ) -> re.Match[str]:
        """Wait until *pattern*, or one of several, matches what is printed; return the match.

        What is looked at begins behind the last match, and is 64 KiB at most. Colours are taken
        out, and line ends are newlines. Which pattern it was, ``match.re`` tells.

        Raises:
            CommandTimeoutError: it did not come in time. Nothing was interrupted.
            LevelLostError: the shell has ended.
        """
        several = (
            list(pattern)
            if isinstance(pattern, Sequence) and not isinstance(pattern, str)
            else [pattern]
        )
        compiled = [dialogue.Answer(one, "").pattern for one in several]
        if not compiled:
            raise UsageError("expect() needs a pattern")
        limits = self._limits.but(timeout, idle_timeout)
        return self._alone(
            "expect()", lambda: self._typed(limits).expect(compiled, Attention(limits))
        )

    def _typed(self, limits: Limits) -> ByHand:
        """Return the frame that is typed by hand, begun if there is none."""
        if self._by_hand is None:
            self._by_hand = ByHand(self._shell, Attention(limits))
        return self._by_hand

    def _in_step(self) -> None:
        """Make sure that nothing typed by hand is under way."""
        if self._by_hand is not None:
            self._by_hand.end()
            self._by_hand = None

    def send_until(
        self,
        command: Command,
        condition: Condition,
        *,
        timeout: Limit = DEFAULT,
        idle_timeout: Limit = DEFAULT,
        every: float = 1.0,
        absent: bool = False,
        note: str = "",
        on_error: OnError | None = None,
    ) -> Result:
        """Run *command* again and again until its output meets *condition*; return that result.

        *condition* is a regular expression that has to match a whole line of the output, blanks
        around it aside (so ``"1"`` does not accept ``10``); or a compiled pattern, which is
        searched for anywhere; or a function that is given the :class:`Result` and says yes or no.
        With *absent*, wait until the condition is not met; an output that is only "command not
        found" (127) or "cannot be executed" (126) never counts for that.

        Other exit statuses do not matter: what is waited for often fails at first. Attempts start
        *every* so many seconds, or at once where one took longer. *timeout* is for all of them
        together, 300 seconds unless the session has a limit of its own; *idle_timeout* is for
        each.

        Raises:
            CommandTimeoutError: a limit has run out; the message ends with the last output.
            LevelLostError: the shell has ended.
        """
        met = _condition(condition)
        line = _line(command)
        limits = self._limits.but(timeout, idle_timeout)
        if limits.total is None and isinstance(timeout, Default):
            limits = limits.but(_UNTIL_LIMIT, DEFAULT)
        if not every >= 0:
            raise UsageError(f"every={every!r} has to be 0 or more")

        def run(line: str) -> Result:
            until = self._until
            return self._alone(line, lambda: until(line, met, limits, every=every, absent=absent))

        return self._supervised(line, run, note=note, on_error=on_error).but(note=note)

    def _until(
        self,
        line: str,
        met: Callable[[Result], object],
        limits: Limits,
        *,
        every: float,
        absent: bool,
    ) -> Result:
        started = time.monotonic()
        left = limits
        while True:
            attempt = time.monotonic()
            if limits.total is not None:
                left = limits.but(max(started + limits.total - attempt, 0.001), limits.idle)
            try:
                result = outcome(self._running(line, Attention(left)))
            except CommandTimeoutError as error:
                raise self._not_met(line, started, limits, error) from None
            cannot_tell = absent and result.exit_code in (126, 127)
            if not cannot_tell and bool(met(result)) is not absent:
                return result
            pause = max(0.0, attempt + every - time.monotonic())
            if limits.total is not None and time.monotonic() + pause >= started + limits.total:
                raise self._not_met(line, started, limits, result)
            self._shell.drain(pause)

    def _not_met(
        self, line: str, started: float, limits: Limits, last: Result | CommandTimeoutError
    ) -> CommandTimeoutError:
        idle, diagnosis = False, Diagnosis("idle")
        recovery = "nothing, as the last attempt had ended by itself"
        if isinstance(last, CommandTimeoutError):
            idle, diagnosis, recovery = last.idle, last.diagnosis, last.recovery
        return CommandTimeoutError(
            line,
            limit=(limits.idle if idle else limits.total) or 0.0,
            idle=idle,
            diagnosis=diagnosis,
            waited=time.monotonic() - started,
            partial=last.raw if isinstance(last, Result) else last.partial,
            recovery=recovery,
            where=self.where,
        )

    def diagnose(self) -> Diagnosis:
        """Say what the running command seems to be doing; meant for another thread.

        Takes a tenth of a second. Changes nothing: nothing is typed and nobody is stopped.
        """
        if self._closed:
            return Diagnosis("disconnected", because="the session is closed")
        return self._shell.diagnose()

    # People

    def pause_point(
        self,
        message: str = "",
        *,
        escape: str | None = "ctrl-]",
        color: str = "yellow",
        require: bool = False,
    ) -> Pause:
        """Hand the terminal over to the person who runs the script, until they go on.

        They get this very shell, wherever it is, with a prompt that says so, the shell's own line
        editor, history and completion, their own TERM and window size, and job control. Ctrl-]
        goes on, as ``exit`` and Ctrl-D do; Ctrl-\\ at the prompt aborts, F1 helps. What they
        change stays. *escape* is another key (``"ctrl-t"``), or None for none; *color* is that of
        the line that shows *message*.

        Where there is nobody (standard input or output is no terminal, or the script runs in the
        background), that is logged, and the script goes on; with *require* it is an error.

        While it lasts, SIGTERM, SIGHUP and SIGQUIT put the terminal back before they end the
        program, unless you have set up something else for them.

        Raises:
            PauseAborted: the person wants no more of the script. The session is in step.
            NobodyToAskError: there is nobody, and *require* was given.
            LevelLostError: the shell has ended.
        """
        from .pause import paused  # only for those who use it
        from .relay import Escape

        key, shade = Escape(escape), console.known_colour(color)
        why_not = console.why_nobody()
        if why_not:
            if require:
                raise NobodyToAskError(f"nobody to hand the terminal to: {why_not}")
            console.log(f"Passed a pause, as {why_not}: {message or 'no message'}")
            return Pause(passed=why_not)

        def run() -> Pause:
            self._ready()
            done, aborts = paused(self._shell, message, key, color=shade, secrets=self._secrets)
            self._remember()
            if aborts:
                raise PauseAborted("aborted by the person at the terminal", done)
            return done

        return self._alone("pause_point()", run)

    def interact(
        self,
        command: Command | None = None,
        *,
        escape: str | None = "ctrl-]",
        on: Callbacks | None = None,
    ) -> Pause:
        """Hand the plain terminal over, with no prompt of ours, until *command* has ended.

        ::

            session.interact("vim /etc/hosts")

        Ctrl-] ends it before that, and :meth:`type` and :meth:`expect` go on where the person
        left; without a *command* they get what is running there. A program that :meth:`type` has
        started does not show what they type: have this start it.

        *on* maps patterns to functions: each match in what is printed is given to its function,
        which returns what to type, or None.

        Raises:
            NobodyToAskError: there is no terminal to hand over.
            LevelLostError: the shell has ended.
        """
        from .interaction import Interaction  # only for those who use it
        from .own_terminal import OwnTerminal
        from .relay import Escape

        key, secrets = Escape(escape), self._secrets
        line = None if command is None else _line(command)
        interaction = Interaction(key, on or {}, secrets, command=line)
        if why_not := console.why_nobody():
            raise NobodyToAskError(f"nobody to hand the terminal to: {why_not}")

        def run() -> Pause:
            if line is not None:
                self._ready()
            with OwnTerminal() as own:
                done = self._interacted(interaction, line, own)
            if line is None or not self._shell.line.parser.at_prompt:
                return done
            self._in_step()
            ended = PausedCommand(secrets.hide(line), done.transcript.encode(), self._status)
            return Pause(commands=(ended,), transcript=done.transcript, duration=done.duration)

        return self._alone("interact()", run)

    def _interacted(self, interaction: Interaction, line: str | None, own: OwnTerminal) -> Pause:
        from .pause import far_modes, near_modes

        shell, terminal, size = self._shell, self.terminal, self.terminal.size
        term = surroundings.own_term()
        attention = Attention(Limits(_HANDING_OVER))
        if self._by_hand is None:
            modes = far_modes(shell.line, own)
            lend = shell.dialect.lend(term, modes=modes, command=line or "")
            shell.aside(lend, attention)
            hand = self._typed(attention.limits)
            hand.afterwards = shell.dialect.lent(term, modes=near_modes(shell.line))
        hand = self._typed(attention.limits)
        if not shell.line.relayed and terminal.takes_lines():
            terminal.lend(own.modes)
        try:
            if shell.dialect.resizes:
                terminal.size = own.size
            if line is not None:
                hand.runs_command = True
                hand.type(shell.dialect.run_lent, attention)
                shell.line.command = self._secrets.hide(line)
            return interaction.run(hand, shell.line, own)
        finally:
            if shell.dialect.resizes:
                terminal.size = size

    @property
    def _status(self) -> int:
        return self._shell.line.status

    def step_through(self, value: bool = True) -> None:
        """Ask the person before each command from now on, or no more.

        They run it, skip it, edit it, have the shell handed over, run on without being asked, or
        abort (:class:`PauseAborted`). A command that is skipped has a result whose ``skipped`` is
        true, with the status 0. Where there is nobody, all runs as ever. SHELLBOT_STEP=1 in the
        environment does it for every session from its start.
        """
        self._steps = value

    def log(self, message: str, *, level: int = console.INFO) -> None:
        """Log *message* as ``shellbot``, by :mod:`logging`.

        Where no handler was set up, it goes to standard error, coloured if that is a terminal.
        """
        console.log(message, level=level)

    @property
    def get_input(self) -> Ask:
        """Ask the person who runs the script: :func:`shellbot.get_input`, as it is."""
        return asking.get_input

    # The end

    def close(self) -> None:
        """End the shell and what it runs, within 2 seconds. Closing twice is harmless.

        Works from any thread: a command running in another one raises :class:`LevelLostError`.
        """
        if self._closed:
            return
        self._closed = True
        if os.getpid() == self._owner and self._turns:
            if self._levels.say_farewell("the session was closed", reads=False):
                self._others_leave(FAREWELL)
                self._levels.hear_farewell()
            self._shell.abandon("the session was closed")
            self._others_leave(CLOSE_BOUND)
        elif os.getpid() == self._owner:
            self._end_jobs(self._shell)
            if self._levels.say_farewell("the session was closed"):
                self._levels.hear_farewell()
            for level in self._levels.all[:-1]:
                self._end_jobs(level.shell)
        self._shell.close()

    def _others_leave(self, limit: float) -> None:
        """Let the calls end that other threads are in."""
        mine = _thread.get_ident()
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and any(turn.thread != mine for turn in self._turns):
            time.sleep(0.005)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: Raised | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else self._shell.lost or "open"
        within = f" inside {self.within}" if self.within else ""
        return f"<Session {self.dialect}{within} on {self.where}: {state}>"

    def _alone(self, line: str, run: Callable[[], Outcome]) -> Outcome:
        """Do one thing at a time, or say why the session cannot be had."""
        turn = _Turn()
        try:
            self._take(turn, line)
            return run()
        except SessionError as error:
            self._tell(error)
            raise
        finally:
            # With no function in between, at whose beginning a signal handler might raise.
            if turn in self._turns:
                self._turns.remove(turn)

    def _in_step_alone(self, line: str, run: Callable[[], None]) -> None:
        def in_step() -> None:
            self._in_step()
            run()

        self._alone(line, in_step)

    def _in_turn(
        self, line: str, steps: Generator[Piece, None, Outcome]
    ) -> Generator[Piece, None, Outcome]:
        """Have the session to oneself while the *steps* are taken."""
        turn = _Turn()
        try:
            self._take(turn, line)
            return (yield from steps)
        except SessionError as error:
            self._tell(error)
            raise
        finally:
            # With no function in between, at whose beginning a signal handler might raise.
            if turn in self._turns:
                self._turns.remove(turn)

    def _tell(self, error: SessionError) -> None:
        """Make ready what the caller is about to be told."""
        self._secrets.hide_in(error)
        if isinstance(error, LevelLostError):
            self._levels.drop_lost()

    def _take(self, turn: _Turn, line: str) -> None:
        if self._closed:
            raise SessionClosedError("the session is closed; open another one")
        if os.getpid() != self._owner:
            raise UsageError(
                f"the session belongs to process {self._owner}; after a fork, open one of your own"
            )
        # Not a lock: what a signal handler raises must find no moment in which the turn is
        # taken and nobody would give it back.
        self._turns.append(turn)
        if self._turns[0] is not turn:
            raise SessionBusyError(
                f"the session is running {text.shorten(self._doing)!r}, called further out or "
                "in another thread; open a session for each thread"
            )
        self._doing = line

    def _give_back(self, turn: _Turn) -> None:
        if turn in self._turns:
            self._turns.remove(turn)


def _line(command: Command) -> str:
    if isinstance(command, str):
        return command
    if isinstance(command, bytes) or not isinstance(command, Sequence):
        raise UsageError(f"a command is a string or a list of words, not {command!r}")
    words = []
    for word in command:
        if not isinstance(word, (str, os.PathLike)):
            raise UsageError(f"{word!r} in the list {command!r} is not a string or a path")
        words.append(text.quote(os.fspath(word)))
    if not words:
        raise UsageError("an empty list is no command")
    return " ".join(words)


def _input(given: str | bytes | None) -> bytes | None:
    if given is None or isinstance(given, bytes):
        return given
    if not isinstance(given, str):
        raise UsageError(f"input is a string or bytes, not a {type(given).__name__}")
    try:
        return given.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"the input cannot be sent: {error}") from None


def _judged(result: Result, statuses: Collection[int] | None) -> Result:
    console.debug("%r", result)
    if statuses is not None and result.exit_code not in statuses:
        raise CommandError(result)
    return result


def _condition(condition: Condition) -> Callable[[Result], object]:
    if isinstance(condition, str):
        try:
            line = re.compile(condition)
        except re.error as error:
            raise UsageError(f"{condition!r} is not a regular expression: {error}") from None
        return lambda result: text.lines_match(line, result.text.split("\n"))
    if isinstance(condition, re.Pattern):
        return lambda result: condition.search(result.text)
    if not callable(condition):
        raise UsageError(f"a condition is a string, a pattern or a function, not {condition!r}")
    return condition
