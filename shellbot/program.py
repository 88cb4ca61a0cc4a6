"""Programs with a prompt of their own: an interpreter, a database client, a debugger, a menu.

The table of those that are known is at the end: to add one, add a row. Any other's prompt is
found by asking.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence

from . import frames, text
from .attention import Attention
from .conversation import Conversation, StoppedError
from .dialogue import Answer, Dialogue, Secrets, table
from .errors import ProgramEndedError, SessionClosedError, SessionError, UsageError
from .limits import DEFAULT, Limits
from .result import Reply
from .shell import Shell, outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import TypedDict

    from typing_extensions import Unpack

    from .attention import OnWaiting
    from .dialogue import Answers
    from .limits import Default

    class Options(TypedDict, total=False):
        """What :meth:`Program.send` takes besides the line."""

        timeout: float | Default | None
        idle_timeout: float | Default | None
        answers: Answers | None
        on_waiting: OnWaiting | None


_CLOSE_LIMIT = 10.0
# How long an interrupted program may take to be at its prompt again.
_PRESSES = 2
_BACK_LIMIT = 2.0
_BACK = "Ctrl-C, and the program is at its prompt"
_LINE_LIMIT = 4_095
_AT_ONCE = "run it with send(), or give prompt= if this was it"
_ON_PURPOSE = "use close(), which takes the line to type, to have it end"
# sqlite3 takes a prompt of at most 19 bytes.
_KEY = 16
# The longest prompt that is cut off with what colours it.
_PROMPT_LIMIT = 400


class Kind:
    """How to speak with a program: one row of the table.

    ``PROMPT`` and ``MORE`` stand for prompts that nothing else prints.
    """

    def __init__(
        self,
        name: str,
        *,
        first: str,
        set_up: Sequence[str] = (),
        more: str = "",
        ask: str = "",
        leave: str = "",
        cancel: Sequence[str] = ("\x03",),
        environment: Mapping[str, str] | None = None,
        lines: Callable[[str], Sequence[str]] = str.splitlines,
        complete: str | None = None,
    ) -> None:
        self.name = name
        """A regular expression for the program's name."""
        self.first = first
        """The prompt that it starts with, as a regular expression; none for one that has none."""
        self.set_up = tuple(set_up)
        """What to type to have it use our prompts, first the one that sets PROMPT."""
        self.more = more
        """The prompt with which it asks for more, as a regular expression, where that is fixed."""
        self.ask = ask
        """What to type to have it print PROMPT, where it has no prompt."""
        self.leave = leave
        """What to type to end it; without that, Ctrl-D."""
        self.cancel = tuple(cancel)
        """What to type, one after the other, to have it drop what is not complete."""
        # A line editor does the least it can there.
        self.environment = {"TERM": "dumb", **(environment or {})} if name else {}
        self.lines = lines
        """How a text is typed, line by line."""
        self.complete = complete
        """What to type where it asks for more, if that may be all that is missing."""


class Program:
    """A program at its prompt, as :meth:`Session.program` starts it.

    Use it in a ``with``, whose end ends the program; until then the session is busy with it.
    """

    def __init__(
        self,
        shell: Shell,
        command: str,
        *,
        prompt: Answer | None,
        answers: Sequence[Answer],
        limits: Limits,
        secrets: Secrets,
        release: Callable[[], None],
        tell: Callable[[SessionError], None],
    ) -> None:
        self._shell = shell
        self._line = shell.line
        self._kind = _MENU if prompt else kind_of(command)
        self._limits = limits
        self._answers = tuple(answers)
        self._secrets = secrets
        self._release = release
        self._tell = tell
        self._prompt = prompt or (Answer(self._kind.first, "") if self._kind.first else None)
        self._sure = self._ask = ""
        self._wants_more = False
        self._occasion: object = None
        self.command = command
        """The command that it was started with."""
        self.exit_code: int | None = None
        """The program's exit status, once it has ended."""
        try:
            self._begin()
            if self._kind.set_up or self._kind.ask:
                self._set_up()
            elif prompt is None:
                self._find_prompt()
        except BaseException:
            self._leave_by_force()
            raise

    def _begin(self) -> None:
        settings = self._kind.environment.items()
        exports = "".join(f"export {name}={text.quote(value)}; " for name, value in settings)
        command = f"({exports}\n{self.command}\n)" if exports else self.command
        attention = self._attention(self._limits)
        data = self._shell.readied(command)
        self._line.command = self.command
        steps = self._shell.exchange(data, attention)
        self._take(self._conversed(steps, attention, self.command), attention, self.command)

    def _set_up(self) -> None:
        """Have it use prompts that nothing else prints."""
        key = frames.new_key()[:_KEY]
        words = {"PROMPT": f"{key}>", "MORE": f"{key}|"}
        self._sure = words["PROMPT"]
        others = f"|{self._kind.more}" if self._kind.more else ""
        self._prompt = Answer(rf"(?:{key}[>|]{others})\Z", "")
        for line in self._kind.set_up:
            self._type(_filled_in(line, words), self._limits)
        self._ask = _filled_in(self._kind.ask, words)
        if self._ask:
            self._type(self._ask, self._limits)

    def _find_prompt(self) -> None:
        """Find the prompt by asking: two empty lines give the same one."""
        found = []
        for _ in range(2):
            printed = self._type("", self._limits)
            found.append(text.rendered(printed).rpartition("\n")[2])
        shapes = [re.sub(r"\d+", r"\\d+", re.escape(line)) for line in found]
        if shapes[0] != shapes[1] or not found[0].strip():
            raise SessionError(
                f"cannot find the prompt of {self.command!r}: after Enter it showed "
                f"{found[0]!r}, and after another one {found[1]!r}. Give prompt=, and answers= "
                "for what it asks before.",
                where=self._shell.where,
            )
        self._prompt = Answer(shapes[0] + r"\Z", "")

    def send(
        self,
        line: str,
        *,
        timeout: float | Default | None = DEFAULT,
        idle_timeout: float | Default | None = DEFAULT,
        answers: Answers | None = None,
        on_waiting: OnWaiting | None = None,
    ) -> Reply:
        """Type *line*, or several, and return what the program prints until it is at its prompt.

        The prompts themselves are left out. Without limits of its own the session's hold, and
        without *answers* those that the program was started with.

        Raises:
            ProgramEndedError: it has ended. To have that happen, use :meth:`close`.
            CommandTimeoutError: it was interrupted with Ctrl-C. If that brought it to its prompt,
                as ``recovery`` tells, it can be used on; else it was ended.
            CommandWaitingError, DialogueError: as for :meth:`Session.send`, and as above.
            UsageError: *line* is not complete. The program was told to drop it.
        """
        if self.exit_code is not None:
            raise SessionClosedError(f"{self.command!r} has ended, with status {self.exit_code}")
        given = self._answers if answers is None else table(answers)
        limits = self._limits.but(timeout, idle_timeout)
        started = time.monotonic()

        def type_on(part: str) -> bytes:
            left = limits
            if limits.total is not None:
                spent = time.monotonic() - started
                left = limits.but(max(0.001, limits.total - spent), limits.idle)
            reads = bool(self._ask) and part != self._ask
            return self._type(part, left, answers=given, on_waiting=on_waiting, reads=reads)

        raw = b"".join(map(type_on, self._kind.lines(line) or [""]))
        if self._wants_more and self._kind.complete is not None:
            raw += type_on(self._kind.complete)
        if self._wants_more:
            self._drop()
            raise UsageError(f"{self.command!r} takes this for the beginning of more: {line!r}")
        if self._ask:
            raw += type_on(self._ask)
        return Reply(
            command=line,
            raw=raw,
            duration=time.monotonic() - started,
            where=self._shell.where,
            hide=self._secrets.hide_bytes,
        )

    def send_and_get_output(self, line: str, **options: Unpack[Options]) -> str:
        """Do what :meth:`send` does, and return the text without the newlines at its end."""
        return self.send(line, **options).text.rstrip("\n")

    def close(self, line: str | None = None, *, timeout: float | None = _CLOSE_LIMIT) -> int:
        """End the program and return its exit status; the session is free again.

        *line* is typed for that, or what its kind has (``exit()``, ``\\q``, Ctrl-D). A program that
        does not end within *timeout* is interrupted, and :class:`CommandTimeoutError` raised.
        """
        if self.exit_code is None:
            leave = self._kind.leave if line is None else line
            attention = Attention(Limits(timeout))
            try:
                self.exit_code = self._end(_typed(leave) if leave else b"", attention)
            except SessionError as error:
                self._tell(error)
                raise
            finally:
                self._leave_by_force()
        assert self.exit_code is not None
        return self.exit_code

    # How it is spoken with

    def _attention(
        self,
        limits: Limits,
        *,
        answers: Sequence[Answer] | None = None,
        on_waiting: OnWaiting | None = None,
        reads: bool = False,
    ) -> Attention:
        given = self._answers if answers is None else answers
        prompt = None if reads else self._prompt
        return Attention(
            limits,
            on_waiting=on_waiting,
            dialogue=Dialogue((*given, prompt) if prompt else given, self._secrets),
            prompt=prompt,
            sure=self._sure,
            reads=prompt is None,
            last_occasion=self._occasion,
        )

    def _type(
        self,
        line: str,
        limits: Limits,
        *,
        answers: Sequence[Answer] | None = None,
        on_waiting: OnWaiting | None = None,
        reads: bool = False,
    ) -> bytes:
        attention = self._attention(limits, answers=answers, on_waiting=on_waiting, reads=reads)
        keys, terminal = _typed(line), self._line.terminal
        if self._line.lost:
            raise self._line.gone()
        if terminal.takes_lines() and len(keys) > _LINE_LIMIT:
            raise UsageError(f"a line of {len(keys)} bytes is more than the terminal hands over")
        # What an exception has left of the line before.
        self._line.parser.take_output()
        self._line.answered_at = 0

        def steps() -> Generator[bytes, None, None]:
            self._line.heard = time.monotonic()
            self._line.type(keys, attention.ends(self._line.heard))
            yield from Conversation(self._line, attention).go_on(attention.is_at_prompt)

        try:
            printed = self._conversed(steps(), attention, line, comes_back=True)
        except BaseException as error:
            if not self._line.is_under_way:
                self.exit_code = None if self._line.lost else self._line.status
                self._release()
            if isinstance(error, SessionError):
                self._tell(error)
            raise
        return self._take(printed, attention, line)

    def _conversed(
        self,
        steps: Generator[bytes, None, None],
        attention: Attention,
        command: str,
        *,
        comes_back: bool = False,
    ) -> tuple[bytes, int | None]:
        """Take the *steps*; return what was printed, and the exit status if it has ended.

        What is stopped is interrupted; if that does not bring the program to its prompt, it is
        ended.
        """
        line = self._line
        try:
            outcome(steps)
        except StoppedError as stopped:
            back = comes_back and self._comes_back(attention)
            stopped.recovery = _BACK if back else self._shell.recover(stopped.diagnosis)
            partial = line.parser.take_output()
            raise stopped.told(command, line, attention, partial) from None
        except SessionError:
            raise
        except BaseException:
            with contextlib.suppress(SessionError):
                if line.is_under_way and not (comes_back and self._comes_back(attention)):
                    self._shell.recover()
            raise
        if line.parser.status is not None:
            status, printed = line.ended()
            return printed, status
        line.answered_at = 0
        return line.parser.take_output(), None

    def _comes_back(self, attention: Attention) -> bool:
        """Interrupt the program, and say whether it comes to its prompt by that."""
        line = self._line
        # A prompt that came before Ctrl-C is no proof.
        line.answered(time.monotonic())
        for _ in range(_PRESSES):
            back = attention.to_be_back(_BACK_LIMIT)
            if back is None:
                return False
            line.answered_at = line.parser.size
            line.type(b"\x03", time.monotonic())
            try:
                outcome(Conversation(line, back).go_on(back.is_at_prompt))
            except StoppedError as stopped:
                if stopped.limit is not None:
                    return False
                # One that was just about to read may read on as if nothing had happened.
                continue
            return back.at_prompt
        return False

    def _end(self, keys: bytes, attention: Attention) -> int:
        """Type *keys*, or Ctrl-D, and return the exit status once the program has ended."""
        line = self._line
        if line.lost:
            raise line.gone()
        line.heard = time.monotonic()
        if keys:
            line.type(keys, attention.ends(line.heard))
        else:
            line.end_input(attention.ends(line.heard))
        steps = Conversation(line, attention).go_on()
        try:
            self._shell.guarded(steps)
        except StoppedError as stopped:
            partial = line.parser.take_output()
            raise stopped.told(self.command, line, attention, partial) from None
        return line.ended()[0]

    def _take(self, printed: tuple[bytes, int | None], attention: Attention, line: str) -> bytes:
        """Return what was *printed*, without the prompt that it ends with."""
        raw, ended = printed
        self._occasion = attention.answered
        if ended is not None:
            self.exit_code = ended
            self._release()
            error = ProgramEndedError(
                line,
                exit_code=ended,
                partial=raw,
                where=self._shell.where,
                advice=_AT_ONCE if line is self.command else _ON_PURPOSE,
            )
            self._tell(error)
            raise error
        if self._sure and raw.endswith(self._sure.encode()):
            self._wants_more = False
            return raw.removesuffix(self._sure.encode())
        # Behind the cursor may stand what the prompt did not overwrite.
        for view in (text.up_to_cursor, text.rendered):
            shown = view(raw)
            prompt = self._prompt and self._prompt.pattern.search(shown, shown.rfind("\n") + 1)
            if prompt:
                self._wants_more = bool(self._sure) and prompt.group() != self._sure
                return _without_end(raw, shown[: prompt.start()], prompt.group(), view)
        return raw

    def _drop(self) -> None:
        """Have it forget the beginning of something."""
        for line in self._kind.cancel:
            if self._wants_more:
                self._type(line, Limits(_CLOSE_LIMIT))

    def _leave_by_force(self) -> None:
        try:
            if self._line.is_under_way:
                with contextlib.suppress(SessionError):
                    self._shell.recover()
        finally:
            if self.exit_code is None and not self._line.lost:
                self.exit_code = self._line.status
            self._release()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            with contextlib.suppress(SessionError):
                self.close()

    def __repr__(self) -> str:
        state = "running" if self.exit_code is None else f"ended with status {self.exit_code}"
        state = self._line.lost or state
        return f"<Program {self.command!r}: {state}>"


def _filled_in(template: str, words: Mapping[str, str]) -> str:
    for word, meaning in words.items():
        # psql has variables by the name of PROMPT1.
        template = re.sub(rf"\b{word}\b", meaning, template)
    return template


def _typed(line: str) -> bytes:
    # ^V before a control character has readline take it as it is, as the terminal does itself.
    return line.encode() if line == "\x03" else frames.typed(frames.encode(line)) + b"\n"


def _without_end(raw: bytes, shown: str, prompt: str, view: Callable[[bytes], str]) -> bytes:
    """Return *raw* without the *prompt* at its end, in front of which *shown* is seen."""
    if raw.endswith(prompt.encode()):
        return raw.removesuffix(prompt.encode())
    for end in range(len(raw), max(-1, len(raw) - _PROMPT_LIMIT), -1):
        if view(raw[:end]) == shown:
            return raw[:end]
    return shown.encode()


def _python_lines(code: str) -> list[str]:
    """Return *code* as lines for Python's prompt, which takes a block to end at an empty line."""
    if "\n" not in code.strip("\n"):
        return [code.strip("\n")]
    pieces = [code[at : at + 200] for at in range(0, len(code), 200)]
    return ["__shellbot(", *(ascii(piece) for piece in pieces), ")"]


_MENU = Kind("", first="")

TABLE = (
    Kind(
        r"python[\d.]*|pypy[\d.]*",
        first=r">>> \Z",
        # What is shown of an expression, and what fails, is as if it had been typed.
        set_up=(
            r"""exec("def __shellbot(code):\n import ast\n for node in ast.parse(code).body: """
            r"""exec(compile(ast.Interactive([node]), '<stdin>', 'single'), globals())"); """
            r"""import sys as __sys; __sys.ps1, __sys.ps2 = 'PROMPT', 'MORE'; del __sys""",
        ),
        leave="exit()",
        environment={"PYTHON_BASIC_REPL": "1"},
        lines=_python_lines,
        complete="",
    ),
    Kind(
        "psql",
        first=r"\S*[=^!*][#>] \Z",
        set_up=(r"\set PROMPT1 'PROMPT'", r"\set PROMPT2 'MORE'", r"\pset pager off"),
        leave=r"\q",
    ),
    Kind(
        "sqlite3?",
        first=r"sqlite> \Z",
        set_up=(".prompt PROMPT MORE",),
        leave=".quit",
        cancel=(";", "';", '";', "*/;"),
    ),
    Kind(
        "node|nodejs",
        first=r"> \Z",
        set_up=("repl.repl.setPrompt('PROMPT')",),
        more=r"(?:\.\.\.|\|)+ ",
        leave=".exit",
        cancel=(".break",),
        # Its line editor draws every line anew.
        environment={"NODE_NO_READLINE": "1", "NODE_DISABLE_COLORS": "1"},
    ),
    Kind(
        "gdb",
        first=r"\(gdb\) \Z",
        set_up=(
            *("set prompt PROMPT", "set style enabled off", "set pagination off"),
            *("set confirm off", "set width 0"),
        ),
        more=">",
        leave="quit",
        environment={"DEBUGINFOD_URLS": ""},
    ),
    Kind(
        "bc",
        first="",
        ask='print "PROMPT"',
        leave="quit",
        environment={"BC_LINE_LENGTH": "0"},
    ),
)


def kind_of(command: str) -> Kind:
    """Return the row for the first program of the table that *command* names."""
    for word in command.split():
        for kind in TABLE:
            if re.fullmatch(kind.name, os.path.basename(word)):
                return kind
    return _MENU
