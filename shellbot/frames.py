"""How a command is written so that its answer is delimited, and how the answer is read. No I/O.

A command travels as one *frame*: one logical line, which has the shell print a mark before the
command and another one after it. The shell's own prompt is a third mark. Each begins with the
record separator and a random key, and holds the frame's number::

    RS KEY ; 17 <             the command of frame 17 starts here
    RS KEY ; 17 = STATUS >    it ended, with this status
    RS KEY ; 17 . STATUS >    the same, said because it was asked
    RS KEY ; 17 , STATUS >    what follows is its standard error, kept apart until now
    RS KEY ; 17 : STATUS >    the shell is at its prompt

Where the terminal's modes cannot be seen from here, the end mark has a newline in place of the
last character: a terminal that translates output puts a carriage return in front of it.

The end mark normally comes first and settles the frame. The prompt alone means that the shell
dropped the rest of the line (Ctrl-C, an unclosed quote, an error in a special built-in: POSIX XCU
2.8.1). As a program may print anything, even the shell's prompt, a prompt is only believed once
the shell has answered a question typed at it: that is the mark with the full stop.

Nothing echoed can be taken for a mark, because the shell builds them; nothing printed by an
earlier command can, because of the number. They hold only digits and punctuation, so that a
terminal which changes the case of letters cannot break them.
"""

from __future__ import annotations

import io
import os
import re
from functools import cache

from .errors import UsageError

RECORD_SEPARATOR = b"\x1e"
# In front of what a command prints that a person has.
LENT = b"\x02"

# A terminal in canonical mode drops what goes over 4,095 bytes in one line (1,023 on macOS).
_LINE_LIMIT = 1_000
_LINE = 960
_PIECE = rb"(?s).{1,240}[\x80-\xbf]{0,3}"

# What the line discipline acts on instead of passing on; with ^V (LNEXT) in front it passes it on
# (termios(3)). TAB is among them for shells whose line editor was switched on behind our back.
_CONTROL = rb"[\x00-\x09\x0b-\x1f\x7f]"
# What a short command can hold and be typed as it is, with no more ado.
_PLAIN = bytes({*range(32, 256)} - {*b"'#<|&\\(){}\x7f"})

_MARK = rb"([0-9]{1,18})(?:(<)|([=.:,])([0-9]{1,10})(?:>|(\r?)\n))"
_BEGUN_MARK = rb"[0-9]{0,18}(?:[=.:,][0-9]{0,10}\r?)?\Z"

# How a terminal shows the control character in the word that runs a command, if it shows what is
# typed; the traces of a shell have no such thing.
_ECHO = b"$__sb_^\b"

# What a shell shows of our own last line under `set -x`, or of that and the empty one in front of
# it under `set -v`, where it cannot be hidden.
_OWN_LINE = rb"(?:\n! \{ \\|[^\n]*)__sb1 '?%s="
_OWN_LINES_LIMIT = 2_000

_HERE_DOCUMENT = (
    rb"(?<!<)<<(?P<tabs>-?)[ \t]*(?!<)"
    rb"(?:'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\n]*)\"|(?P<bare>[^\s;&|()<>'\"`]+))"
)
# `${name}`, `${name:-word}` and their like, with nothing in it that may hide a brace from a shell.
_EXPANSION = rb"\$\{[^{}'\"\\`(]*\}"
_AFTER_DELIMITER = (b"", *(bytes((code,)) for code in b" \t\n;&|()<>"))

_UNSOLICITED_LIMIT = 65_536


def new_key() -> str:
    """Return a key for a shell's marks: 66 random bits, as 20 digits."""
    return f"{int.from_bytes(os.urandom(9), 'big') % 10**20:020d}"


def encode(command: str) -> bytes:
    """Return the bytes that *command* stands for, or raise :class:`UsageError`.

    Lone surrogates become the undecodable bytes they came from (PEP 383).
    """
    try:
        data = command.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the command cannot be sent: character {error.start} ({command[error.start]!r}) "
            "has no UTF-8 form"
        ) from None
    if b"\0" in data:
        raise UsageError(
            f"the command cannot be sent: character {command.index(chr(0))} is NUL, "
            "which no shell can take"
        )
    return data


def does_nothing(command: bytes) -> bool:
    """Whether *command* is only blanks and comments, which leave a shell just as it was."""
    return command.lstrip(b" \t\n")[:1] in (b"", b"#") and all(
        line.lstrip(b" \t")[:1] in (b"", b"#") for line in command.split(b"\n")
    )


def is_plain(command: bytes) -> bool:
    """Whether *command* is one short line that needs no quoting, and no look at its end."""
    return len(command) < _LINE_LIMIT // 8 and not command.translate(None, _PLAIN)


def is_open_ended(command: bytes) -> bool:
    """Whether a line typed below *command* might be taken for a part of it.

    It would join a here-document, complete ``true &&`` or ``f()``, follow a backslash, or have the
    brace that a ``${`` lacks.
    """
    last = command.rstrip()[-1:]
    if last in (b"|", b"&", b"\\") or b"<<" in command or b"#" in command:
        return True
    if b"${" in command and _may_lack_brace(command):
        return True
    return last == b")" and re.search(rb"\(\s*\)\s*\Z", command) is not None


def _may_lack_brace(command: bytes) -> bool:
    # From the inside out, as far as anybody nests them.
    for _ in range(10):
        if b"${" not in command:
            return False
        command = re.sub(_EXPANSION, b"x", command)
    return True


def may_lack_terminator(command: bytes) -> bool:
    """Whether a here-document in *command* may have no end.

    Most shells take such a document to end with the text, which is hardly ever what was meant.
    This only says that it is worth asking the shell: quotes and arithmetic look the same.
    """
    if b"<<" not in command:
        return False
    wanted: dict[bytes, int] = {}
    for document in re.finditer(_HERE_DOCUMENT, command):
        delimiter = _delimiter(document)
        wanted[delimiter] = wanted.get(delimiter, 0) + 1
        if command[document.end() : document.end() + 1] not in _AFTER_DELIMITER:
            return True
        lines = [
            line.lstrip(b"\t") if document["tabs"] else line
            for line in command[document.end() :].split(b"\n")[1:]
        ]
        if delimiter not in lines:
            return True
    lines = [line.lstrip(b"\t") for line in command.split(b"\n")]
    return any(lines.count(delimiter) < count for delimiter, count in wanted.items())


def parsed_only(command: bytes) -> bytes:
    """Return *command* in a form that a shell parses to its end and does not run."""
    return b"case . in x)\n" + command + b"\n;;\nesac"


def _delimiter(document: re.Match[bytes]) -> bytes:
    if document["bare"] is not None:
        return document["bare"].replace(b"\\", b"")
    return document["single"] if document["single"] is not None else document["double"]


def as_input(data: bytes) -> list[bytes]:
    """Return *data* as lines to be typed, for a shell to give back with ``printf %b``.

    All of it is printable, so that no terminal acts on it, and its own newlines mean nothing.
    """
    text = b"".join(map(_printable().__getitem__, data))
    return [b"#%b\n" % text[at : at + _LINE] for at in range(0, len(text), _LINE)]


def as_inert_input(data: bytes) -> list[bytes]:
    """Return the same in lines that any other shell takes for comments.

    The rest of one, if somebody else has begun to read it, is the name of no command.
    """
    text = b"".join(map(_word().__getitem__, data))
    return [b"#%b,\n" % text[at : at + _LINE] for at in range(0, len(text), _LINE)]


@cache
def _word() -> list[bytes]:
    kept = re.compile(rb"[A-Za-z0-9_./-]")
    codes = (bytes((code,)) for code in range(256))
    return [one if kept.match(one) else b"\\0%03o" % ord(one) for one in codes]


@cache
def _printable() -> list[bytes]:
    table = [bytes((code,)) if 0x20 <= code < 0x7F else b"\\0%03o" % code for code in range(256)]
    table[0x0A], table[0x5C], table[0x23] = b"\\n", rb"\\", rb"\0043"
    return table


def escaped(command: bytes) -> bytes:
    """Return *command* as it stands inside single quotes."""
    return command.replace(b"'", rb"'\''")


def within_quotes(data: bytes) -> bytes:
    """Return *data* as it stands inside single quotes, in lines that any terminal takes whole."""
    if len(data) < _LINE_LIMIT // 8 and b"'" not in data:
        return data
    return b"\n".join(map(_folded, data.split(b"\n")))


def typed(text: bytes) -> bytes:
    """Return *text* as it has to be typed for the terminal to hand over just that."""
    # By a function, as a template with a group takes long to look up where nothing is found.
    return _control().sub(_literal, text)


def _literal(found: re.Match[bytes]) -> bytes:
    return b"\x16" + found[0]


@cache
def _control() -> re.Pattern[bytes]:
    return re.compile(_CONTROL)


def _folded(line: bytes) -> bytes:
    whole = escaped(line)
    if len(whole) + len(_control().findall(whole)) < _LINE_LIMIT // 2:
        return whole
    # Between two pieces: close the quote, continue the line, open the quote.
    pieces = re.findall(_PIECE, line)
    return b"'\\\n'".join(map(escaped, pieces))


def begun(prefix: bytes, data: bytes, at: int) -> int:
    """Return where, from *at* on, a mark's *prefix* begins that the end of *data* cuts off.

    Without one that is the length of *data*.
    """
    start = max(at, len(data) - len(prefix) + 1)
    while (start := data.find(RECORD_SEPARATOR, start)) >= 0:
        if prefix.startswith(data[start:]):
            return start
        start += 1
    return len(data)


def without_marks(printed: bytes) -> bytes:
    """Return *printed* without the marks of any shell."""
    return re.sub(rb"\x1e[0-9]{20};" + _MARK, b"", printed)


class _Written:
    """What a command has written, by positions in it, of which the front may be forgotten."""

    def __init__(self, data: bytes = b"", first: int = 0) -> None:
        self.first = first
        """Where it begins."""
        # All that grows in Python copies what it holds to give it away, but for this.
        self._kept = io.BytesIO()
        if data:
            self._kept.write(data)

    @property
    def end(self) -> int:
        return self.first + self._kept.tell()

    def add(self, data: bytes) -> None:
        self._kept.write(data)

    def whole(self) -> bytes:
        return self._kept.getvalue()

    def part(self, start: int, end: int | None = None) -> bytes:
        """Return what is left from *start* up to *end*."""
        end = self.end if end is None else end
        with self._kept.getbuffer() as kept:
            return bytes(kept[max(0, start - self.first) : max(0, end - self.first)])


class Parser:
    """Reads the bytes of one shell, in any portions, and finds the frame's marks in them.

    Feed it what arrives. :attr:`status` is None until the frame has ended. When :attr:`prompts`
    grows, the shell seems to stand at its prompt without having said how the command ended: then
    type the question, and go on.
    """

    def __init__(self, key: str) -> None:
        self._prefix = RECORD_SEPARATOR + key.encode() + b";"
        self._mark = re.compile(_MARK)
        self._begun_mark = re.compile(_BEGUN_MARK)
        self._pending = b""
        self._unsolicited = b""
        self.expect(0)

    def expect(self, number: int, *, by_hand: bool = False) -> None:
        """Get ready for the answer to frame *number*.

        In one that is typed by hand every prompt is believed, as no program is sent our key, and
        is no part of the output.
        """
        self._by_hand = by_hand
        self._number = b"%d" % number
        self._start = b"%b%b<" % (self._prefix, self._number)
        self._success = b"%b%b=0>" % (self._prefix, self._number)
        self._output = _Written()
        self._handed_out = 0
        self._before_prompt: int | None = None
        self._interrupted: int | None = None
        self._prompt_status = 0
        self._since_typed = b""
        self.errors_at: int | None = None
        """Where in the output the standard error begins, if it was kept apart."""
        self.started = False
        """Whether the start mark was seen."""
        self.translates = False
        """Whether the terminal was seen to change what is printed."""
        self.echoes = False
        """Whether it was seen to print what is typed."""
        self.status: int | None = None
        """The command's exit status, once it has ended."""
        self.was_at_prompt = False
        """Whether it was there since something was typed by hand, whatever was printed then."""
        self.at_prompt = False
        """Whether the shell seems to stand at its prompt, and has not said how it got there."""
        self.prompts = 0
        """How often it has come to its prompt like that."""

    @property
    def output(self) -> bytes:
        """What the command has written so far."""
        return self._output.whole()

    @property
    def size(self) -> int:
        """How many bytes the command has written so far."""
        return self._output.end

    def last(self, count: int) -> bytes:
        """Return the last *count* bytes that the command has written so far."""
        return self._output.part(self._output.end - count)

    def heed_typing(self) -> None:
        """Take notice that something was typed, so that an earlier prompt means nothing more."""
        self.at_prompt = self.was_at_prompt = False

    def heed_interrupt(self) -> None:
        """Take notice of a Ctrl-C: a shell that is at its prompt by then comes to another one."""
        if self._interrupted is None:
            self._interrupted = self._before_prompt if self.at_prompt else self.size

    def take_output(self) -> bytes:
        """Return what the command has written and forget it, so that it is never held twice."""
        output, self._output = self._output.whole(), _Written()
        self._handed_out = 0
        self._before_prompt = self._interrupted = None
        return output

    def hand_out(self) -> bytes:
        """Return what the command has certainly written since this was asked last."""
        end = self._before_prompt if self.at_prompt else None
        end = self.size if end is None else end
        new = self._output.part(self._handed_out, end)
        self._handed_out = max(self._handed_out, end)
        return new

    def forget(self, keep: int) -> None:
        """Forget what was handed out, but for the last *keep* bytes."""
        first = self._handed_out - keep
        if first > self._output.first:
            self._output = _Written(self._output.part(first), first)

    def resume(self, output: bytes, status: int | None) -> None:
        """Take an earlier frame's answer up again, which another frame has come between."""
        self._output, self.status = _Written(output), status

    @property
    def unsolicited(self) -> bytes:
        """The last 64 KiB of what belongs to no command."""
        return self._unsolicited

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._pending:
            data = self._pending + data
            self._pending = b""
        if RECORD_SEPARATOR not in data:
            # One byte is found fifteen times as fast as a whole prefix is.
            self._write(data)
            return
        at = 0
        # Nearly all answers begin and end like that. To match a mark takes four times as long.
        if not self.started and self.status is None and data.startswith(self._start):
            self._begin()
            at = len(self._start)
        while (found := data.find(self._prefix, at)) >= 0:
            if found > at:
                self._write(data[at:found])
            at, after = found, found + len(self._prefix)
            if self.status is None and data.startswith(self._success, found):
                self._end(0, asked=False)
                at += len(self._success)
            elif mark := self._mark.match(data, after):
                at = mark.end()
                self._see(mark, found)
            elif self._begun_mark.match(data, after):
                break
            else:
                self._write(data[at:after])
                at = after
        if at < len(data):
            end = found if found >= 0 else begun(self._prefix, data, at)
            self._write(data[at:end] if at or end < len(data) else data)
            self._pending = data[end:]

    @property
    def _running(self) -> bool:
        return self.started and self.status is None

    def _write(self, data: bytes) -> None:
        if not data:
            return
        if self._running:
            # The program goes on after what looked like our prompt, so it was the program's.
            self.at_prompt = False
            self._output.add(data)
        else:
            self._unsolicited = (self._unsolicited + data)[-_UNSOLICITED_LIMIT:]
            self._since_typed = (self._since_typed + data)[-_UNSOLICITED_LIMIT:]

    def _see(self, mark: re.Match[bytes], found: int) -> None:
        number, start, kind, status, translated = mark.groups()
        if kind == b":":
            self._see_prompt(number, int(status), mark.string[found : mark.end()])
        elif number != self._number or self.status is not None or (start and self.started):
            # Another frame's mark, as in a transcript that a command shows.
            if self._running:
                self._write(mark.string[found : mark.end()])
        elif start:
            self._begin()
        elif kind == b",":
            self.errors_at = self.size
        else:
            self.translates = bool(translated)
            self._end(int(status), asked=kind == b".")

    def _begin(self) -> None:
        self.started = True
        self.echoes = _ECHO in self._since_typed

    def _end(self, status: int, *, asked: bool) -> None:
        if asked and self._before_prompt is not None:
            # So the prompt was the shell's own: no part of the output, and right about the status.
            self._cut(self._before_prompt)
            status = self._prompt_status
        if asked and self._by_hand:
            # Asking has told, and the prompt may have changed it since (ksh93).
            status = self._prompt_status
        if asked and self._interrupted is not None:
            # It was at its prompt, and what it had begun to start went on for a while.
            own = rb"%b%b:[0-9]+>" % (re.escape(self._prefix), self._number)
            printed = self._output.part(self._interrupted)
            self._cut(self._interrupted, and_then=re.sub(own, b"", printed))
        if not self.started:
            # The shell could not even parse the text, and what it has said is why.
            self._output.add(self._since_typed)
        if self._output.end:
            self._drop_own_lines()
        self.status = status
        self.at_prompt = False

    def _drop_own_lines(self) -> None:
        last = self.output[-_OWN_LINES_LIMIT:]
        own = list(re.finditer(_OWN_LINE % self._number, last)) if b"__sb1" in last else []
        if own:
            self._cut(self.size - len(last) + own[-1].start())

    def _cut(self, at: int, *, and_then: bytes = b"") -> None:
        first = self._output.first
        self._output = _Written(self._output.part(first, at) + and_then, first)

    def _is_prompted_again(self) -> bool:
        """Whether the last prompt was the shell's as well, which has been interrupted there."""
        last, interrupted = self._before_prompt, self._interrupted
        if last is None or interrupted is None or last < max(interrupted, self._output.first):
            return False
        return not without_marks(self._output.part(last)).strip(b"\r\n")

    def _see_prompt(self, number: bytes, status: int, whole: bytes) -> None:
        if self._by_hand and number == self._number:
            self.at_prompt = self.was_at_prompt = True
            self._prompt_status = status
        elif self.status is None and number == self._number:
            if not self.at_prompt and not self._is_prompted_again():
                self._before_prompt = self.size
                self._prompt_status = status
            self._write(whole)
            self.at_prompt = True
            self.prompts += 1
        elif self._running:
            self._write(whole)
