"""Questions and answers: bounded, optional, in order, secret, refusing. Pure.

The table of well-known questions is at the end: to add one, add a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from .errors import CommandError, DialogueError, SessionError, UnknownNameError, UsageError
from .frames import encode, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Literal, TypeAlias

    Reply: TypeAlias = "str | bytes | Secret | Key | Literal[False] | None"
    Answers: TypeAlias = "Mapping[Pattern, Reply | Replier] | Iterable[Answer | str]"
    Pattern: TypeAlias = str | re.Pattern[str]
    Replier: TypeAlias = "Callable[[re.Match[str]], Reply]"

_MASK = "********"
_LINE_LIMIT = 4_095
_REFUSED = "It was given that secret, so it has refused it"
# What a pattern or a question says that is about a secret.
_SECRETIVE = r"(?i)pass ?(?:word|phrase|code|wort)|passwd|\bpin\b|\botp\b|token|secret|one-time"


class Secret:
    """A text that is typed and never shown: not in a message, an error, a log or a repr."""

    __slots__ = ("_text",)

    def __init__(self, secret: str) -> None:
        if not isinstance(secret, str):
            raise UsageError(f"a secret is a string, not a {type(secret).__name__}")
        if not secret:
            raise UsageError("an empty secret is none: it would be typed as a bare Enter")
        if not secret.isprintable() and re.search(r"[\x00-\x1f\x7f]", secret):
            raise UsageError("a secret is one line, without control characters")
        encode(secret)
        self._text = secret

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({_MASK!r})"

    def __str__(self) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)


class Secrets:
    """What must never be shown, of one session."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def add(self, secret: Secret) -> None:
        if secret.reveal() not in self._texts:
            # A longer one may hold a shorter one.
            self._texts = sorted((*self._texts, secret.reveal()), key=len, reverse=True)

    def __bool__(self) -> bool:
        return bool(self._texts)

    def __repr__(self) -> str:
        return f"<{len(self._texts)} secrets>"

    def hide(self, shown: str) -> str:
        """Return *shown* with a mask in the place of each secret."""
        for secret in self._texts:
            # Messages show strings by their repr as well.
            for form in (secret, repr(secret)[1:-1]):
                shown = shown.replace(form, _MASK)
        return shown

    def may_go_on(self, shown: str) -> bool:
        """Whether *shown* ends in what may turn out to be the beginning of a secret."""
        return any(
            shown.endswith(secret[:length])
            for secret in self._texts
            for length in range(1, len(secret))
        )

    def hide_in(self, error: SessionError) -> None:
        """Take the secrets out of *error*, wherever it might show them."""
        if not self._texts:
            return
        tail = self._without_half(error.tail)
        error.args = tuple(
            self.hide(one.replace(error.tail, tail)) if isinstance(one, str) else one
            for one in error.args
        )
        error.tail = tail
        for name, value in vars(error).items():
            if isinstance(value, str) and name != "reason":  # a word of ours, from a table
                setattr(error, name, self.hide(value))
            elif isinstance(value, bytes):
                setattr(error, name, self.hide_bytes(value))
        diagnosis = getattr(error, "diagnosis", None)
        if diagnosis is not None:
            diagnosis.question = self.hide(diagnosis.question)
        if isinstance(error, CommandError):
            error.result = error.result.hidden()
        if isinstance(error, DialogueError):
            error.answered = [(self.hide(line), shown) for line, shown in error.answered]

    def _without_half(self, tail: str) -> str:
        """Return *tail* without the half of a secret that it may begin with."""
        for secret in self._texts:
            for length in range(len(secret) - 1, 2, -1):
                if tail.startswith(secret[-length:]):
                    return _MASK + tail[length:]
        return tail

    def hide_bytes(self, shown: bytes) -> bytes:
        """Return *shown* with a mask in the place of each secret."""
        for secret in self._texts:
            shown = shown.replace(encode(secret), _MASK.encode())
        return shown


# What the keys of a terminal send: xterm's, and the second form of cursor keys while a program
# has them in application mode (DECCKM; ctlseqs, "PC-Style Function Keys").
_KEYS = {
    **{"ENTER": b"\n", "TAB": b"\t", "SPACE": b" ", "ESCAPE": b"\x1b", "BACKSPACE": b"\x7f"},
    **{"UP": b"\x1b[A", "DOWN": b"\x1b[B", "RIGHT": b"\x1b[C", "LEFT": b"\x1b[D"},
    **{"HOME": b"\x1b[H", "END": b"\x1b[F", "INSERT": b"\x1b[2~", "DELETE": b"\x1b[3~"},
    **{"PAGE_UP": b"\x1b[5~", "PAGE_DOWN": b"\x1b[6~", "SHIFT_TAB": b"\x1b[Z"},
    **{f"F{n}": b"\x1bO" + b"PQRS"[n - 1 : n] for n in range(1, 5)},
    **{f"F{n}": b"\x1b[%d~" % (n + 10 if n == 5 else n + 11) for n in range(5, 11)},
    **{"F11": b"\x1b[23~", "F12": b"\x1b[24~"},
    **{f"CTRL_{chr(64 + code)}": bytes((code,)) for code in range(1, 27)},
    "CTRL_BACKSLASH": b"\x1c",
}
_APPLICATION = rb"\x1b\[([A-DHF])\Z"


class Key:
    """One key, pressed by itself: ``Key.UP``, ``Key.CTRL_C``, or ``Key("y")``, with no Enter."""

    __slots__ = ("_sends", "name")

    ENTER: ClassVar[Key]
    TAB: ClassVar[Key]
    SPACE: ClassVar[Key]
    ESCAPE: ClassVar[Key]
    BACKSPACE: ClassVar[Key]
    UP: ClassVar[Key]
    DOWN: ClassVar[Key]
    RIGHT: ClassVar[Key]
    LEFT: ClassVar[Key]
    HOME: ClassVar[Key]
    END: ClassVar[Key]
    INSERT: ClassVar[Key]
    DELETE: ClassVar[Key]
    PAGE_UP: ClassVar[Key]
    PAGE_DOWN: ClassVar[Key]
    SHIFT_TAB: ClassVar[Key]
    CTRL_C: ClassVar[Key]
    CTRL_D: ClassVar[Key]
    CTRL_Z: ClassVar[Key]
    CTRL_BACKSLASH: ClassVar[Key]

    def __init__(self, name: str) -> None:
        if name in _KEYS:
            sends = _KEYS[name]
        elif len(name) == 1 and name.isprintable():
            sends = encode(name)
        else:
            raise UnknownNameError("key", name, _KEYS)
        self.name = name
        self._sends = sends

    def sends(self, *, full_screen: bool = False, application: bool = False) -> bytes:
        """Return what the key sends: Enter and the cursor keys have two forms."""
        if full_screen and self.name == "ENTER":
            return b"\r"
        return re.sub(_APPLICATION, b"\x1bO\\1", self._sends) if application else self._sends

    def __repr__(self) -> str:
        return f"Key.{self.name}" if self.name in _KEYS else f"Key({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, Key) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


for _name in _KEYS:
    setattr(Key, _name, Key(_name))


class Answer:
    """What to type when a program asks.

    *pattern* is a regular expression, or the question itself, letter by letter. It has to match
    on the line that the program waits at, or run on to it; what came before the last answer, and
    what was typed, is not looked at. Colours are taken out before.

    *reply* is a string, which is typed as a line, with Enter; a :class:`Secret`, likewise; a
    :class:`Key`; bytes, which are typed exactly; or a function that is given the match and
    returns one of those, or None to leave the question open, or False to give up.

    *times* is how often it may be asked, None any number of times. When it is asked once more,
    that is an error, as it is when something not *optional* was never asked. A *secret* is never
    given twice to the same question, as that means it was refused. With *stop* nothing is answered
    after this; without a reply, the command is stopped as soon as it asks that.
    """

    __slots__ = ("optional", "pattern", "reply", "secret", "stop", "times")

    def __init__(
        self,
        pattern: Pattern,
        reply: Reply | Replier = None,
        *,
        times: int | None = 1,
        optional: bool = True,
        secret: bool = False,
        stop: bool = False,
    ) -> None:
        self.pattern = _compiled(pattern)
        if reply is False or (reply is None and not stop):
            raise UsageError(f"the answer to {pattern!r} has no reply; only with stop=True it may")
        if secret and not (reply is None or isinstance(reply, (str, Secret)) or callable(reply)):
            raise UsageError(f"the answer to {pattern!r} is no string, so it cannot be secret")
        if not (reply is None or isinstance(reply, _REPLIES) or callable(reply)):
            raise UsageError(
                f"the answer to {pattern!r} is {reply!r}, and not a string, bytes, a Secret, a Key "
                "or a function"
            )
        if times is not None and (isinstance(times, bool) or not isinstance(times, int)):
            raise UsageError(f"the answer to {pattern!r} has times={times!r}, and not a number")
        if times is not None and times < 1:
            raise UsageError(f"the answer to {pattern!r} has times={times!r}: at least 1, or None")
        if secret and isinstance(reply, str):
            try:
                reply = Secret(reply)
            except UsageError as error:
                raise UsageError(f"the answer to {pattern!r}: {error}") from None
        if isinstance(reply, str):
            _checked_line(reply, f"the answer to {pattern!r}")
        self.reply = reply
        self.times = times
        self.optional = optional
        self.secret = secret or isinstance(reply, Secret)
        self.stop = stop

    def __repr__(self) -> str:
        return f"Answer({self.pattern.pattern!r}, {self.reply!r})"


_REPLIES = (str, bytes, Secret, Key)


def _compiled(pattern: object) -> re.Pattern[str]:
    if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
        return pattern
    if not isinstance(pattern, str) or not pattern:
        raise UsageError(f"what is asked is a string or a compiled pattern, not {pattern!r}")
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}") from None


def _checked_line(line: str, what: str) -> None:
    if "\n" in line.removesuffix("\n") or "\r" in line:
        raise UsageError(f"{what} is more than one line: give one answer for each line")
    if len(encode(line)) > _LINE_LIMIT:
        raise UsageError(f"{what} is over {_LINE_LIMIT} bytes, which no terminal takes as a line")


def table(answers: Answers | None) -> tuple[Answer, ...]:
    """Return the answers as a table, or say which one is wrong."""
    if answers is None:
        return ()
    if isinstance(answers, Mapping):
        return tuple(
            reply if isinstance(reply, Answer) else Answer(pattern, reply)
            for pattern, reply in answers.items()
        )
    if isinstance(answers, (str, bytes, Answer)) or not isinstance(answers, Iterable):
        raise UsageError(f"answers are a mapping or a list, not {answers!r}")
    found: list[Answer] = []
    for number, one in enumerate(answers):
        if isinstance(one, Answer):
            found.append(one)
        elif isinstance(one, str):
            if one not in READY:
                raise UnknownNameError(f"set of answers (answers[{number}])", one, READY)
            found += [Answer(pattern, reply, times=None) for pattern, reply in READY[one]]
        else:
            raise UsageError(f"answers[{number}] is {one!r}, and neither an Answer nor a name")
    return tuple(found)


class Question:
    """Something that was asked, and the entry of the table that has the answer."""

    def __init__(
        self, answer: Answer, match: re.Match[str], line: str, lines: list[str], refusal: str
    ) -> None:
        self.answer = answer
        self.match = match
        self.line = line
        """The line that asks."""
        self.lines = lines
        """The lines that were given the same answer."""
        self.refusal = refusal
        """Why it cannot be answered, if so."""


class Dialogue:
    """One command's questions, and what has been answered."""

    def __init__(self, answers: Iterable[Answer], secrets: Secrets) -> None:
        self._answers = tuple(answers)
        self._lines: list[list[str]] = [[] for _ in self._answers]
        self._secrets = secrets
        self._given: list[tuple[Answer, str, Secret]] = []
        self.answered: list[tuple[str, str]] = []
        """Each question that was answered, with the reply as it may be shown."""
        self.over = False
        """Whether nothing is answered any more."""
        self._typed = ""
        for one in self._answers:
            if isinstance(one.reply, Secret):
                secrets.add(one.reply)

    def asked(self, printed: str, *, full_screen: bool = False) -> Question | None:
        """Return the question that *printed* ends with, if the table has an answer to it.

        *printed* is what the program has written since the last answer.
        """
        shown = self._without_echo(printed)
        # The last lines of a screen are often blank.
        end = len(shown.rstrip() if full_screen else shown.rstrip("\n"))
        start = 0 if full_screen else shown.rfind("\n", 0, end) + 1
        last = shown[shown.rfind("\n", 0, end) + 1 : end]
        if self.over or not last:
            return None
        refused = None
        for answer, lines in zip(self._answers, self._lines, strict=True):
            match = _last_match(answer.pattern, shown, start)
            if match is None:
                continue
            line = (_line_of(match) or last) if full_screen else last
            refusal = _refusal(answer, lines, line)
            if not refusal:
                return Question(answer, match, line, lines, "")
            refused = refused or Question(answer, match, line, lines, refusal)
        return refused

    def _without_echo(self, printed: str) -> str:
        """Return what is left of *printed* without what was typed, if the program repeats that."""
        if not self._typed:
            return printed
        echo = self._typed + "\n"
        return "" if echo.startswith(printed) else printed.removeprefix(echo)

    def reply(self, question: Question) -> Reply:
        """Return what to type, or None to leave it open, or False to give up."""
        given = question.answer.reply
        what = f"the function for {question.answer.pattern.pattern!r} returned"
        reply: Reply = given(question.match) if callable(given) else given
        if isinstance(reply, str) and question.answer.secret:
            reply = Secret(reply)
        may_be = (Secret,) if question.answer.secret else _REPLIES
        if reply is not None and reply is not False and not isinstance(reply, may_be):
            if question.answer.secret:
                raise UsageError(f"{what} no string, so it cannot be secret")
            raise UsageError(
                f"{what} {reply!r}, and not a string, bytes, a Secret, a Key, None or False"
            )
        if isinstance(reply, str):
            _checked_line(reply, f"what {what}")
        if isinstance(reply, Secret):
            self._secrets.add(reply)
        return reply if callable(given) or reply is not None else False

    def why_not(self, question: Question, secret: Secret, *, hidden: bool | None) -> str:
        """Say why *secret* must not be typed there, if so; *hidden* as for :func:`may_have`."""
        if not may_have(question, hidden=hidden):
            return "A secret is only typed where it is not shown, or to what speaks of a password"
        return _REFUSED if (question.answer, question.line, secret) in self._given else ""

    def note(self, question: Question, reply: Reply, *, echoed: bool = True) -> None:
        """Note that *question* was given that *reply*, and whether that may be *echoed*."""
        question.lines.append(question.line)
        self._typed = reply.removesuffix("\n") if echoed and isinstance(reply, str) else ""
        if isinstance(reply, Secret):
            self._given.append((question.answer, question.line, reply))
        shown = _MASK if isinstance(reply, Secret) else repr(reply)
        self.answered.append((question.line, shown))
        self.over = question.answer.stop

    @property
    def gave_secret(self) -> bool:
        """Whether a secret was typed."""
        return bool(self._given)

    def never_asked(self) -> list[Answer]:
        """Return the answers that are not optional and were not asked for."""
        both = zip(self._answers, self._lines, strict=True)
        return [one for one, lines in both if not one.optional and not lines]

    def hint(self) -> str:
        """Say why a question has no answer in the table."""
        if self.over:
            return "The answer with stop=True had been given, and none counts after that"
        patterns = ", ".join(repr(one.pattern.pattern) for one in self._answers)
        return f"None of the answers is for that (patterns: {patterns or 'none'})"

    def story(self) -> str:
        """Say what has been answered."""
        if not self.answered:
            return "nothing had been answered"
        return "answered had been " + ", ".join(
            f"`{line.strip()}` with {shown}" for line, shown in self.answered
        )


def _last_match(pattern: re.Pattern[str], shown: str, start: int) -> re.Match[str] | None:
    """Return the last match that ends behind *start*."""
    found = None
    for match in pattern.finditer(shown):
        if match.end() > start:
            found = match
    if found is None and (at := shown.rfind(pattern.pattern, start)) >= 0:
        found = re.compile(re.escape(pattern.pattern)).match(shown, at)
    return found


def _line_of(match: re.Match[str]) -> str:
    """Return what is on the screen where the match ends, without the frame that is around it."""
    shown = match.string
    end = shown.find("\n", match.end())
    line = shown[shown.rfind("\n", 0, match.end()) + 1 : end if end >= 0 else len(shown)]
    return line.strip(" \u2502|")


def _refusal(answer: Answer, lines: list[str], line: str) -> str:
    if answer.secret and line in lines:
        return _REFUSED
    if answer.times is not None and len(lines) >= answer.times:
        times = "once" if answer.times == 1 else f"{answer.times} times"
        return f"It was answered {times}, and times={answer.times} allows no more"
    return ""


def may_have(question: Question, *, hidden: bool | None) -> bool:
    """Whether a secret may be typed: *hidden* says if the terminal would not show it, if known."""
    if hidden is not None:
        return hidden
    about = question.answer.pattern.pattern + "\n" + question.line
    return re.search(_SECRETIVE, about) is not None


def exactly(one: str | bytes | Secret | Key) -> bytes:
    """Return what to type for *one*, with nothing added."""
    if isinstance(one, bytes):
        return one
    if isinstance(one, Key):
        return one.sends()
    return encode(one.reveal() if isinstance(one, Secret) else one)


def keystrokes(reply: Reply, *, lines: bool, full_screen: bool, application: bool) -> bytes:
    """Return what to type for *reply*; *lines* says that the terminal takes lines, and not keys."""
    if isinstance(reply, bytes):
        return reply
    if isinstance(reply, Key):
        return reply.sends(full_screen=full_screen, application=application)
    assert reply is not None
    assert reply is not False
    line = reply.reveal() if isinstance(reply, Secret) else reply.removesuffix("\n")
    data = encode(line)
    return (typed(data) if lines else data) + Key.ENTER.sends(full_screen=full_screen)


def _yes(match: re.Match[str]) -> Reply:
    return "yes" if "yes" in match.group().lower() else "y"


def _no(match: re.Match[str]) -> Reply:
    return "no" if re.search(r"(?i)\bno\b", match.group()) else "n"


def _no_new_key(match: re.Match[str]) -> Reply:
    # Whose packages are trusted is not for a table to decide.
    return None if re.search(r"(?i)\bGPG key|\bkey\b.*\btrust", match.string) else "y"


_CHOICE = r"(?i)[(\[]\s?(?:y(?:es)?\s?[/|]\s?n(?:o)?|n(?:o)?\s?[/|]\s?y(?:es)?)\b[^)\]\n]*[)\]]"

# Answers to well-known questions, by the name that stands for them in a list of answers. They are
# given as often as it is asked.
READY: Mapping[str, tuple[tuple[str, Reply | Replier], ...]] = {
    # ssh, for a host that it has not seen before
    "host-key": ((r"continue connecting \(yes/no(?:/\[fingerprint\])?\)\? *$", "yes"),),
    # "[y/N]", "(yes/no)", "[Y/n/q]", in the spelling that is asked for
    "yes": ((_CHOICE, _yes),),
    "no": ((_CHOICE, _no),),
    "any-key": (
        (
            r"(?i)\bpress\b.*\b(?:any key|enter|return)\b|\bhit (?:any key|enter|return)\b",
            Key.ENTER,
        ),
    ),
    # debconf's readline and teletype frontends: on to the next page, and the default in brackets.
    # To "[yes/no]" Enter is no answer there: it is asked again, for ever.
    "debconf": ((r"\[More\] *$", ""), (r"\[[^\[\]/\n]*\] *$", "")),
    # apt and dpkg (keeps the configuration files that are there), dnf and yum, zypper, pacman
    "packages": (
        (r"Do you want to continue\? \[Y/n\] *$", "y"),
        (r"\(Y/I/N/O/D/Z\) \[default=N\] \? *$", "n"),
        (r"Is this ok \[y/(?:d/)?N\]: *$", _no_new_key),
        (r"Continue\? \[y/n/.*\] \(y\): *$", "y"),
        (r":: Proceed with installation\? \[Y/n\] *$", "y"),
    ),
}
