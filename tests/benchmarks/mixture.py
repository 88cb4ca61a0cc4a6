"""Commands of every kind whose answers are known beforehand, drawn from a seed.

A :class:`Seat` is one session and all that its shell should know by now. What its step number n
is depends on nothing but the seed, the seat's name and n. To have one more kind, add a function
and a row of the table at the end.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import itertools
import os
import re
import shlex
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, TypedDict

import shellbot
from shellbot import CommandError, CommandTimeoutError, Key, LevelLostError, Retry, Secret, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Unpack

    from shellbot.session import Options

LIMIT = 120.0
"""Seconds after which an answer is not late any more, but missing."""
LARGEST = 5_000_000
# All that is special to a shell, a terminal or a decoder, and some that is not.
_CHARACTERS = (
    "abc XYZ 0189 -_./,:@" * 4 + "\t\n!\"'$`\\*?[]{}~#&;|<>()%^=+"
    "é€漢😀\N{COMBINING ACUTE ACCENT}\u2028"
    + "\x01\x03\x04\x07\x08\r\x11\x13\x15\x16\x1a\x1b\x1e\x7f"
)
_DIRECTORIES = ("plain", "with blanks", "-dash", "$HOME", "it's", "new\nline", "für 漢", "*")
_VARIABLES = tuple(f"variable_{number}" for number in range(12))
_FUNCTIONS = tuple(f"function_{number}" for number in range(6))
# A session hides each secret that it was ever given, so there are only a few.
_SECRETS = tuple(f"hunter2-{number}" for number in range(3))
_BROKEN = (
    "echo 'no end",
    'echo "no end',
    "if true",
    "echo )",
    "for in do",
    "case x in",
    "while true; do",
    "echo `date",
    "{ echo",
    "echo ${no",
    "variable_0=${no:-",
    "echo $(no",
    ";;",
    "cat <<END\nnothing ends it",
)
_COMPLAINT = re.compile(rb"syntax error|unexpected|unterminated|delimited by end-of-file|bad subst")
# What a command may do to its shell, and how that is undone.
_UPSETS = (
    ("stty raw", ":"),
    ("stty sane", ":"),
    ("stty -icanon", ":"),
    ("set -u", "set +u"),
    ("set -e", "set +e"),
    ("set -f", "set +f"),
    ("set -o pipefail", "set +o pipefail"),
    ("IFS=0123456789", "unset IFS"),
    ("PROMPT_COMMAND='echo prompt'", "unset PROMPT_COMMAND"),
    ("PS1='$ ' PS2=", ":"),
    ("trap : INT", "trap - INT"),
    ("exec 2>/dev/null", "exec 2>&1"),
    ("echo() { :; }", "unset -f echo"),
    ("exec 9</dev/null", "exec 9<&-"),
)


class WrongAnswer(Exception):  # noqa: N818 - it is what the whole soak looks for
    """An answer is not the one that was known."""


class Wrong(TypedDict):
    """A step that went wrong, and how to take it again."""

    again: str
    kind: str
    problem: str


class Material:
    """What all seats share: a directory, and bytes in a file that answers are cut out of."""

    def __init__(self, place: Path, seed: int) -> None:
        self.place = place
        self.data = Random(seed).randbytes(LARGEST)
        self.directories = place / "directories"
        for name in _DIRECTORIES:
            (self.directories / name).mkdir(parents=True)
        self.file = place / "data"
        self.file.write_bytes(self.data)


class State:
    """What a shell should know, by what it was told."""

    def __init__(self, material: Material, largest: int) -> None:
        self.material = material
        self.largest = largest
        """How many bytes an output may have."""
        self.directory = _DIRECTORIES[0]
        self.variables: dict[str, str] = {}
        self.exported: set[str] = set()
        self.functions: dict[str, str] = {}

    def told(self) -> str:
        """A command that has a new shell know all of it."""
        return "\n".join(
            (
                self.goes_there(),
                *(f"{name}={shlex.quote(said)}" for name, said in self.variables.items()),
                *(f"export {name}" for name in sorted(self.exported)),
                *(_function(name, said) for name, said in self.functions.items()),
            )
        )

    def goes_there(self) -> str:
        return f"cd -- {shlex.quote(str(self.material.directories / self.directory))}"

    def asked(self) -> tuple[str, bytes]:
        """A command that prints all of it, and what that is."""
        values = "".join(f' "${{{name}-}}"' for name in _VARIABLES)
        inner = f"printf '%s\\0'{values}"
        exported = {name: self.variables[name] for name in self.exported}
        command = "; ".join(
            (
                f"printf '%s\\0' \"$PWD\"{values}",
                *(f"{name} 2>/dev/null || printf none" for name in _FUNCTIONS),
                f"sh -c {shlex.quote(inner)}",
            )
        )
        known = "".join(
            (
                f"{self.material.directories / self.directory}\0",
                *(self.variables.get(name, "") + "\0" for name in _VARIABLES),
                *(self.functions.get(name, "none") for name in _FUNCTIONS),
                *(exported.get(name, "") + "\0" for name in _VARIABLES),
            )
        )
        return command, known.encode()


class Seat:
    """A session, and the steps that are taken with it."""

    def __init__(
        self, material: Material, *, seed: int, name: str, largest: int, anew: bool
    ) -> None:
        self.name = name
        self.place = material.place / name
        self.place.mkdir(parents=True)
        self.state = State(material, largest)
        self.index = 0
        """The number of the next step."""
        self.commands = 0
        self.kinds: collections.Counter[str] = collections.Counter()
        self.longest: dict[str, float] = {}
        """How many seconds the longest step of each kind took."""
        self.wrong: list[Wrong] = []
        self.opened = 0
        """How many sessions it has had."""
        self._seed = seed
        self._table = [kind for kind in KINDS if anew or not kind.needs_new]
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The session; a new one knows what the one before it did."""
        if self._session is None:
            self._session = shellbot.bash(timeout=LIMIT)
            self.opened += 1
            self.send(self.state.told(), b"")
        return self._session

    @property
    def shell(self) -> int:
        """The process of its shell."""
        return int(self.session.terminal.pid)

    def close(self) -> None:
        """Close the session. The next use opens another one."""
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

    # Steps

    def skip_to(self, index: int) -> None:
        """Be where the steps before *index* would lead to, without taking them."""
        while self.index < index:
            self._drawn()

    def step(self) -> None:
        """Take the next step, and note it if it goes wrong; then the session is a new one."""
        index = self.index
        kind, act = self._drawn()
        began = time.monotonic()
        try:
            act(self)
        except Exception as error:  # whatever it is, it should not have come
            self.wrong.append(
                {
                    "again": f"--seed {self._seed} --only {self.name}/{index}",
                    "kind": kind.name,
                    "problem": str(error)
                    if isinstance(error, WrongAnswer)
                    else "".join(traceback.format_exception(error))[-4_000:],
                }
            )
            with contextlib.suppress(Exception):
                self.close()
        took = time.monotonic() - began
        self.kinds[kind.name] += 1
        self.longest[kind.name] = max(took, self.longest.get(kind.name, 0.0))

    def _drawn(self) -> tuple[Kind, Act]:
        draw = Random(f"{self._seed}/{self.name}/{self.index}")
        self.index += 1
        kind = draw.choices(self._table, [kind.weight for kind in self._table])[0]
        return kind, kind.drawn(draw, self.state)

    # What steps are made of

    def send(
        self, command: str, known: bytes | None, status: int = 0, **options: Unpack[Options]
    ) -> shellbot.Result:
        """Send *command*, whose output and status are *known*; None for an output that is not."""
        self.commands += 1
        options.setdefault("check", False)
        result = self.session.send(command, **options)
        self.same("the status", result.exit_code, status, command, result.raw)
        if known is not None:
            self.same("the output", result.raw, known, command)
        return result

    def same(
        self, what: str, got: object, known: object, command: str = "", raw: bytes = b""
    ) -> None:
        """See to it that an answer is the one that is *known*."""
        if got == known:
            return
        if isinstance(got, bytes) and isinstance(known, bytes):
            at = _difference(got, known)
            near = slice(max(0, at - 40), at + 80)
            got = f"{len(got)} bytes, at {at} {got[near]!r}"
            known = f"{len(known)} bytes, at {at} {known[near]!r}"
        said = f"\nIt printed {raw[-500:]!r}" if raw else ""
        raise WrongAnswer(f"{what} is {got}, and not {known}: {command[:500]!r}{said}")

    @contextlib.contextmanager
    def raising(self, kind: type[Exception], command: str) -> Iterator[list[Exception]]:
        """See to it that an exception of that *kind* comes; it is in the list then."""
        self.commands += 1
        caught: list[Exception] = []
        try:
            yield caught
        except kind as error:
            caught.append(error)
        if not caught:
            raise WrongAnswer(f"no {kind.__name__}: {command[:500]!r}")

    def cut(self, at: int, size: int) -> bytes:
        """Bytes of the file, as :func:`_cutting` has a command print them."""
        return self.state.material.data[at : at + size]


Act = Callable[[Seat], None]


class Kind(NamedTuple):
    """A kind of steps: one row of the table."""

    name: str
    weight: float
    """How often it comes, beside the others."""
    drawn: Callable[[Random, State], Act]
    """Draws one, has the state know what it will do, and returns how to take it."""
    needs_new: bool = False
    """Whether it costs the session."""


def _difference(one: bytes, other: bytes) -> int:
    """Return where two differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _text(draw: Random, most: int) -> str:
    return "".join(draw.choices(_CHARACTERS, k=int(most ** draw.random()) - 1))


def _word(draw: Random) -> str:
    return f"{draw.getrandbits(40):x}"


def _size(draw: Random, most: int) -> int:
    """A number of bytes, of any magnitude."""
    if draw.random() < 0.1:
        return draw.choice([size for size in (0, 1, 4_095, 4_096, 65_536, most) if size <= most])
    return int(most ** draw.random())


def _place(draw: Random, size: int) -> int:
    return draw.randrange(LARGEST - size + 1)


def _cutting(state: State, at: int, size: int) -> str:
    return f"tail -c +{at + 1} {shlex.quote(str(state.material.file))} | head -c {size}"


def _saying(said: str) -> str:
    return f"printf %s {shlex.quote(said)}"


def _function(name: str, said: str) -> str:
    return f"{name}() {{ {_saying(said)}; }}"


# The kinds


def _quick(draw: Random, state: State) -> Act:
    said = _text(draw, draw.choice((2, 60, 60, 60, 20_000)))
    return lambda seat: _says(seat, said)


def _says(seat: Seat, said: str) -> None:
    seat.send(_saying(said) if said else ":", said.encode())


def _lines(draw: Random, state: State) -> Act:
    """Several lines, with what a shell has of control flow."""
    first, count, limit = draw.randrange(1_000), draw.randrange(1, 30), draw.randrange(1_000)
    odd = _text(draw, 40)
    command = f"""
for number in $(seq {first} {first + count - 1}); do
    case $((number % 3)) in
        0) echo "$number fizz" ;;  # it's "three"
        *) test $number -lt {limit} && echo small || echo large ;;
    esac
done
cat <<'END OF "IT"'
{odd}
END OF "IT"
while read -r line; do
    printf '<%s>' "$line"
done <<<'a
b'
"""
    printed = [
        f"{number} fizz" if number % 3 == 0 else "small" if number < limit else "large"
        for number in range(first, first + count)
    ]
    known = "\n".join((*printed, odd, "<a><b>"))
    return lambda seat: _sends(seat, command, known.encode())


def _sends(seat: Seat, command: str, known: bytes | None, status: int = 0) -> None:
    seat.send(command, known, status)


def _status(draw: Random, state: State) -> Act:
    status, number = draw.randrange(256), draw.choice((1, 6, 9, 13, 14, 15))
    command, known = draw.choice(
        (
            (f"(exit {status})", status),
            (f"sh -c 'exit {status}'", status),
            (f"returns() {{ return {status}; }}; returns", status),
            (f"(sh -c 'ulimit -c 0; kill -{number} $$'; exit $?) 2>/dev/null", 128 + number),
            ("! true", 1),
            ("no-such-command-anywhere 2>/dev/null", 127),
            ("/etc/passwd 2>/dev/null", 126),
        )
    )
    raises = known != 0 and draw.random() < 0.3

    def act(seat: Seat) -> None:
        if not raises:
            seat.send(command, b"", known)
        else:
            with seat.raising(CommandError, command) as caught:
                seat.session.send(command)
            error = caught[0]
            assert isinstance(error, CommandError)
            seat.same("the status", error.result.exit_code, known, command)
            seat.same("the output", error.result.raw, b"", command)
        seat.send('echo "$?"', b"%d\n" % known)

    return act


def _output(draw: Random, state: State) -> Act:
    size = _size(draw, state.largest)
    at, listens = _place(draw, size), draw.random() < 0.3

    def act(seat: Seat) -> None:
        known, pieces = seat.cut(at, size), list[str]()
        command = _cutting(state, at, size)
        seat.send(command, known, on_output=pieces.append if listens else None)
        if listens:
            heard = "".join(pieces).encode()
            seat.same("what was heard", heard, known.decode(errors="replace").encode(), command)

    return act


def _apart(draw: Random, state: State) -> Act:
    sizes = [_size(draw, min(state.largest, 300_000)) for _ in range(2)]
    places, status = [_place(draw, size) for size in sizes], draw.randrange(256)

    def act(seat: Seat) -> None:
        out, problem = (_cutting(state, at, size) for at, size in zip(places, sizes, strict=True))
        command = f"{out}; {{ {problem}; }} >&2; (exit {status})"
        result = seat.send(command, seat.cut(places[0], sizes[0]), status, stderr="split")
        known = seat.cut(places[1], sizes[1])
        seat.same("standard error", result.raw_stderr, known, command)

    return act


def _input(draw: Random, state: State) -> Act:
    size = _size(draw, min(state.largest, 1_000_000))
    at = _place(draw, size)
    kind = draw.choice(("cat", "wc -c", "sha256sum", "head -c 10"))

    def act(seat: Seat) -> None:
        given = seat.cut(at, size)
        known = {
            "cat": given,
            "wc -c": b"%d\n" % size,
            "sha256sum": hashlib.sha256(given).hexdigest().encode() + b"  -\n",
            "head -c 10": given[:10],
        }[kind]
        seat.send(kind, known, input=given)

    return act


def _change(draw: Random, state: State) -> Act:
    """Something that lasts."""
    what = draw.choice(("directory", "variable", "variable", "function", "export", "unset"))
    name, said = draw.choice(_VARIABLES), _text(draw, 500)
    if what == "directory":
        state.directory = draw.choice(_DIRECTORIES)
        command = state.goes_there()
    elif what == "function":
        name = draw.choice(_FUNCTIONS)
        state.functions[name] = said
        command = _function(name, said)
    elif what == "unset":
        state.variables.pop(name, None)
        state.exported.discard(name)
        command = f"unset {name}"
    else:
        state.variables[name] = said
        command = f"{name}={shlex.quote(said)}"
        if what == "export":
            state.exported.add(name)
            command = f"export {command}"
    return lambda seat: _sends(seat, command, b"")


def _recall(draw: Random, state: State) -> Act:
    command, known = state.asked()
    return lambda seat: _sends(seat, command, known)


def _asked(draw: Random, state: State) -> Act:
    """Questions, answered as they are asked."""
    command, known = [], []
    answers: dict[str | re.Pattern[str], str | Secret] = {}
    for number in range(draw.randrange(1, 4)):
        question, hidden = f"Question {number} of {_word(draw)}? ", draw.random() < 0.3
        reply = draw.choice(_SECRETS) if hidden else draw.choice(("", _word(draw), "a b  'c' $d "))
        answers[re.escape(question)] = Secret(reply) if hidden else reply
        command.append(f"IFS= read -r {'-s ' if hidden else ''}-p {shlex.quote(question)} reply")
        command.append("printf '<%s>\\n' \"$reply\"")
        known.append(f"{question}<{reply}>\n")

    def act(seat: Seat) -> None:
        seat.send("; ".join(command), "".join(known).encode(), answers=answers)

    return act


def _late(draw: Random, state: State) -> Act:
    """A command that does not end by itself: it is stopped, and the next answers are right."""
    said, word, limit = _text(draw, 200), _word(draw), draw.choice((0.01, 0.05, 0.1, 0.2))
    command, printed, on_and_on = draw.choice(
        (
            (f"{_saying(said)}; sleep 600", said, False),
            (f"{_saying(said)}; sleep 600; echo no", said, False),
            ("while :; do :; done", "", False),
            (f"yes {word}", f"{word}\n", True),
            ("cat", "", False),
            ("read -r nothing", "", False),
            ("sleep 600 | cat", "", False),
            ("(sleep 600; echo no)", "", False),
        )
    )
    idle = not on_and_on and draw.random() < 0.3

    def act(seat: Seat) -> None:
        with seat.raising(CommandTimeoutError, command) as caught:
            if idle:
                seat.session.send(command, idle_timeout=limit)
            else:
                seat.session.send(command, timeout=limit)
        error = caught[0]
        assert isinstance(error, CommandTimeoutError)
        # bash goes to a new line as Ctrl-C ends what it waits for.
        partial, known = error.partial.removesuffix(b"\n"), printed.encode()
        if on_and_on:
            # Or before that, where it was only about to start it.
            partial = partial.removeprefix(b"\n")
            known *= len(partial) // len(known) + 1
        known = known[: len(partial)]
        seat.same("what it printed before", partial, known, command)
        seat.same("which limit it was", error.idle, idle, command)
        _says(seat, word)

    return act


def _jobs(draw: Random, state: State) -> Act:
    """Background jobs, with something else in between."""
    rows = [
        (_text(draw, 200), draw.randrange(256), draw.choice(("0", "0", "0.02", "0.05")))
        for _ in range(draw.randrange(1, 5))
    ]
    together, kills, word = draw.random() < 0.5, draw.random() < 0.2, _word(draw)

    def act(seat: Seat) -> None:
        started = [
            seat.session.background(f"sleep {pause}; {_saying(said)}; exit {status}")
            for said, status, pause in rows
        ]
        seat.commands += len(started)
        if kills:
            killed = seat.session.background("sleep 600")
            _says(seat, word)
            seat.same("the status of what is killed", killed.kill().exit_code, 143)
        _says(seat, word)
        if together:
            seat.same("how many were waited for", len(seat.session.wait_all()), len(rows))
        for job, (said, status, _) in zip(started, rows, strict=True):
            result = job.wait()
            seat.same("the status of a job", result.exit_code, status, job.command, result.raw)
            seat.same("the output of a job", result.raw, said.encode(), job.command)

    return act


def _until(draw: Random, state: State) -> Act:
    """The same again and again until it is so, or does not fail."""
    count, name, retries = draw.randrange(1, 6), _word(draw), draw.random() < 0.3

    def act(seat: Seat) -> None:
        file = seat.place / name
        path = shlex.quote(str(file))
        seat.commands += count
        if retries:
            command = f"echo >>{path}; test $(wc -l <{path}) -ge {count}"
            raw = seat.session.send(command, retry=Retry(6, every=0)).raw
            seat.same("the output", raw, b"", command)
        else:
            command = f"echo >>{path}; wc -l <{path}"
            raw = seat.session.send_until(command, str(count), every=0, timeout=LIMIT).raw
            seat.same("the output", raw, b"%d\n" % count, command)
        seat.same("the file", file.read_bytes(), b"\n" * count, command)
        file.unlink()

    return act


def _stream(draw: Random, state: State) -> Act:
    kind = draw.choice((_lines_as_they_come, _left_early, _chunks))
    return kind(draw, state)


def _lines_as_they_come(draw: Random, state: State) -> Act:
    first, count, status = draw.randrange(100_000), draw.randrange(2_000), draw.choice((0, 0, 7))
    command = f"seq {first} {first + count}; (exit {status})"

    def act(seat: Seat) -> None:
        lines = []
        stream = seat.session.stream(command, check={0, 7})
        seat.commands += 1
        lines = list(stream)
        seat.same("the lines", lines, [str(first + n) for n in range(count + 1)], command)
        assert stream.result is not None
        seat.same("the status", stream.result.exit_code, status, command)

    return act


def _left_early(draw: Random, state: State) -> Act:
    word, count = _word(draw), draw.randrange(1, 500)

    def act(seat: Seat) -> None:
        seat.commands += 1
        with seat.session.stream(f"yes {word}") as stream:
            lines = list(itertools.islice(stream, count))
        seat.same("the lines", lines, [word] * count)
        _says(seat, word)

    return act


def _chunks(draw: Random, state: State) -> Act:
    size = _size(draw, state.largest)
    at = _place(draw, size)

    def act(seat: Seat) -> None:
        command = _cutting(state, at, size)
        seat.commands += 1
        got = b"".join(seat.session.stream(command).chunks())
        seat.same("the chunks", got, seat.cut(at, size), command)

    return act


def _broken(draw: Random, state: State) -> Act:
    """What is no command fails, with the shell's own message."""
    command = draw.choice(_BROKEN)

    def act(seat: Seat) -> None:
        seat.commands += 1
        result = seat.session.send(command, check=False)
        complains = bool(result.exit_code and _COMPLAINT.search(result.raw))
        seat.same("whether it complains", complains, True, command, result.raw)

    return act


def _upload(draw: Random, state: State) -> Act:
    """A file, written by a here-document."""
    name, body = _word(draw), _text(draw, 100_000) + "\n"

    def act(seat: Seat) -> None:
        file = seat.place / name
        seat.send(f"cat >{shlex.quote(str(file))} <<'{name}'\n{body}{name}", b"")
        seat.same("the file", file.read_bytes(), body.encode())
        file.unlink()

    return act


def _program(draw: Random, state: State) -> Act:
    number, status, said = draw.randrange(10**6), draw.randrange(256), _text(draw, 300)

    def act(seat: Seat) -> None:
        with seat.session.program("python3 -q") as python:
            for line, known in (
                (f"number = {number}", b""),
                ("number * 2", b"%d\n" % (number * 2)),
                (f"print({said!r}, end='')", said.encode()),
                ("for one in range(3):\n    print(one)\n\nnumber", b"0\n1\n2\n%d\n" % number),
            ):
                seat.commands += 1
                seat.same("the reply", python.send(line).raw, known, line)
            seat.same("the status", python.close(f"exit({status})"), status)

    return act


def _login(draw: Random, state: State) -> Act:
    """Shells inside the shell, and out again."""
    ways = [draw.choice(_WAYS) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    said, status, by_all = _text(draw, 300), draw.randrange(256), draw.random() < 0.5
    size = _size(draw, min(state.largest, 100_000))
    at = _place(draw, size)
    command, known = state.asked()

    def act(seat: Seat) -> None:
        for depth, way in enumerate(ways, 1):
            way(seat.session)
            seat.commands += 1
            seat.same("the depth", seat.session.where.depth, depth)
            seat.send(f"inner={depth}; {_saying(said)}; (exit {status})", said.encode(), status)
            seat.send("cd /; pwd", b"/\n")
        seat.send(_cutting(state, at, size), seat.cut(at, size))
        if by_all:
            seat.session.logout_all()
        for depth in range(0 if by_all else len(ways) - 1, 0, -1):
            seat.session.logout()
            seat.send('echo "$inner"', b"%d\n" % depth)
        if not by_all:
            seat.session.logout()
        seat.same("the depth", seat.session.where.depth, 0)
        seat.send(command, known)

    return act


def _passes(*command: str) -> bool:
    """Whether root may do that here, and nothing is asked."""
    return os.geteuid() == 0 and shutil.which(command[0]) is not None


_WAYS: tuple[Callable[[Session], object], ...] = (
    lambda session: session.login("sh"),
    lambda session: session.login("bash --norc --noprofile"),
    lambda session: session.sudo() if _passes("sudo") else session.login("sh"),
    lambda session: session.su() if _passes("su") else session.login("sh"),
)


def _upset(draw: Random, state: State) -> Act:
    """What upsets a terminal or a shell, and does not upset a session."""
    (upset, mend), said = draw.choice(_UPSETS), _text(draw, 100)

    def act(seat: Seat) -> None:
        seat.send(upset, b"")
        seat.send(_saying(said), said.encode())
        seat.send(mend, b"")

    return act


def _refused(draw: Random, state: State) -> Act:
    word = _word(draw)

    def act(seat: Seat) -> None:
        with seat.raising(shellbot.UsageError, "NUL"):
            seat.session.send(f"echo {word}\0")
        _says(seat, word)

    return act


def _by_hand(draw: Random, state: State) -> Act:
    word = _word(draw)

    def act(seat: Seat) -> None:
        seat.commands += 1
        seat.session.type(f"read -r it; printf '<%s>' \"${{it}}{word}\"", Key.ENTER)
        seat.session.type("yes", Key.ENTER)
        seat.session.expect(f"<yes{word}>", timeout=LIMIT)
        _says(seat, word)

    return act


def _new(draw: Random, state: State) -> Act:
    """The session is closed, and another one is opened."""
    command, known = state.asked()

    def act(seat: Seat) -> None:
        seat.close()
        seat.send(command, known)

    return act


def _lost(draw: Random, state: State) -> Act:
    """The shell ends in the midst of a command."""
    said, status = _text(draw, 200), draw.randrange(256)

    def act(seat: Seat) -> None:
        command = f"{_saying(said)}; exit {status}"
        with seat.raising(LevelLostError, command) as caught:
            seat.session.send(command)
        error = caught[0]
        assert isinstance(error, LevelLostError)
        # Which is what an interactive bash says itself as it leaves.
        printed = error.partial.removesuffix(b"exit\n")
        seat.same("what it printed before", printed, said.encode(), command)
        seat.same("the status of the shell", error.exit_code, status, command)
        seat.close()

    return act


KINDS = (
    Kind("quick", 30, _quick),
    Kind("lines", 8, _lines),
    Kind("status", 10, _status),
    Kind("output", 10, _output),
    Kind("apart", 4, _apart),
    Kind("input", 4, _input),
    Kind("change", 12, _change),
    Kind("recall", 8, _recall),
    Kind("asked", 3, _asked),
    Kind("late", 2, _late),
    Kind("jobs", 2, _jobs),
    Kind("until", 2, _until),
    Kind("stream", 3, _stream),
    Kind("broken", 3, _broken),
    Kind("upload", 3, _upload),
    Kind("program", 0.7, _program),
    Kind("login", 1, _login),
    Kind("upset", 2, _upset),
    Kind("refused", 1, _refused),
    Kind("by hand", 1, _by_hand),
    Kind("new", 0.7, _new, needs_new=True),
    Kind("lost", 0.7, _lost, needs_new=True),
)
