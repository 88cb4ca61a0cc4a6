"""What a terminal would show, how to quote, and how to say things in a few words. Pure."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable

# Everything below a space except TAB and newline moves the cursor or starts a sequence,
# and so do DEL and the C1 controls: without one of these, text is what it shows.
_ACTIVE = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"

# ECMA-48 sections 5.4 (CSI) and 5.6 (control strings), each in its 7-bit and 8-bit form. A
# control string ends with ST, or with BEL, which xterm accepts for OSC.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~]?)"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|(?=\x1b)|\Z)"
    r"|\x1b(?P<cursor>[78])"
    r"|\x1b[ -/]*[0-~]"
    r"|\x1b[ -/]*|[\x80-\x9f]"
)
_RUN = r"[^\x00-\x1f\x7f-\x9f]+"
_SAFE_WORD = r"[A-Za-z0-9_./-]+"
_TAB_STOP = 8


def rendered(raw: bytes) -> str:
    """Return what a person would have seen of *raw* on a terminal of endless width.

    UTF-8, undecodable bytes as U+FFFD, ``\\n`` line ends. Colours and titles are gone; a carriage
    return, a backspace or a moved cursor overwrites what stood there. Text without control
    characters comes back unchanged.

    >>> rendered(b"10%\\r50%\\r100%\\n")
    '100%\\n'
    >>> rendered(b"\\x1b[1mbold\\x1b[0m")
    'bold'
    """
    shown = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    if not re.search(_ACTIVE, shown):
        return shown
    return _Page().write(shown).text()


def up_to_cursor(raw: bytes) -> str:
    """Return what :func:`rendered` does, without what stands behind and below the cursor.

    >>> up_to_cursor(b"a long greeting\\rName: ")
    'Name: '
    """
    shown = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return _Page().write(shown).text_up_to_cursor() if re.search(_ACTIVE, shown) else shown


def plain(raw: bytes) -> str:
    """Return *raw* with the sequences left out that move, colour and name; nothing is overwritten.

    >>> plain(b"\\x1b[1mName\\x1b[0m: ")
    'Name: '
    """
    shown = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return re.sub(_SEQUENCE, "", shown) if re.search(_ACTIVE, shown) else shown


def length_of(printed: bytes, length: int) -> int:
    """Return how many bytes of *printed* its first *length* characters are."""
    low, high = 0, len(printed)
    while low < high:
        middle = (low + high) // 2
        if len(plain(printed[:middle])) < length:
            low = middle + 1
        else:
            high = middle
    return low


def lines(raw: bytes) -> list[str]:
    """Return what a person would have seen of each line of *raw*, which ends with a newline.

    >>> lines(b"one\\n\\x1b[1mtwo\\x1b[0m\\n")
    ['one', 'two']
    """
    shown = raw.decode("utf-8", "replace")
    if not re.search(_ACTIVE, shown):
        return shown.split("\n")[:-1]
    return [rendered(line) for line in raw.split(b"\n")[:-1]]


class _Page:
    """An endless page: lines of cells, and a cursor that sequences move about.

    A wide character fills two cells, the second one empty; a combining mark joins the cell
    before it.
    """

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = 0
        self.column = 0
        self._saved = 0, 0

    def write(self, shown: str) -> _Page:
        match_run, match_sequence = re.compile(_RUN).match, re.compile(_SEQUENCE).match
        at = 0
        while at < len(shown):
            run = match_run(shown, at)
            if run:
                self._put(run.group())
                at = run.end()
                continue
            sequence = match_sequence(shown, at)
            if sequence:
                if sequence["final"]:
                    self._control(sequence["final"], sequence["parameters"])
                elif sequence["cursor"] == "7":
                    self._saved = self.row, self.column
                elif sequence["cursor"] == "8":
                    self._go(*self._saved)
                at = sequence.end()
                continue
            self._move(shown[at])
            at += 1
        return self

    def text(self) -> str:
        return "\n".join("".join(line) for line in self.lines)

    def text_up_to_cursor(self) -> str:
        lines = [*self.lines[: self.row], self.lines[self.row][: self.column]]
        return "\n".join("".join(line) for line in lines)

    def _put(self, run: str) -> None:
        if not run.isascii():
            for character in run:
                self._put_one(character)
            return
        line = self._padded(len(run))
        line[self.column : self.column + len(run)] = run
        self.column += len(run)

    def _put_one(self, character: str) -> None:
        width = _cells(character)
        if width == 0:
            if self.column and self._padded(0):
                self._padded(0)[self.column - 1] += character
            return
        line = self._padded(width)
        line[self.column : self.column + width] = [character, ""][:width]
        self.column += width

    def _padded(self, width: int) -> list[str]:
        """Return the line, ready for *width* cells to be written at the cursor."""
        line = self.lines[self.row]
        if len(line) < self.column:
            line.extend(" " * (self.column - len(line)))
        for edge in (self.column, self.column + width):
            # Half of a wide character is no character.
            if width and line[edge : edge + 1] == [""]:
                line[edge - 1 : edge + 1] = "  "
        return line

    def _move(self, control: str) -> None:
        if control == "\n":
            self._go(self.row + 1, 0)
        elif control == "\r":
            self.column = 0
        elif control == "\b":
            self.column = max(0, self.column - 1)
        elif control == "\t":
            stop = self.column - self.column % _TAB_STOP + _TAB_STOP
            if self.column == len(self.lines[self.row]):
                self._put(" " * (stop - self.column))
            self.column = stop

    def _go(self, row: int, column: int) -> None:
        # A hostile sequence must not make us allocate for a place far beyond any screen.
        self.row = min(max(0, row), len(self.lines) + 1_000)
        self.column = min(max(0, column), max(1_000, self.column))
        while len(self.lines) <= self.row:
            self.lines.append([])

    def _control(self, final: str, parameters: str) -> None:
        numbers = [int(part[:6]) if part.isdigit() else 0 for part in parameters.split(";")]
        count = max(1, numbers[0])
        row, column = self.row, self.column
        line = self.lines[row]
        if final in "AF":
            self._go(row - count, 0 if final == "F" else column)
        elif final in "BEe":
            self._go(row + count, 0 if final == "E" else column)
        elif final in "Ca":
            self._go(row, column + count)
        elif final == "D":
            self._go(row, column - count)
        elif final in "G`":
            self._go(row, count - 1)
        elif final == "d":
            self._go(count - 1, column)
        elif final == "b" and 0 < column <= len(line):
            self._put(line[column - 1] * min(count, 1_000))
        elif final == "K":
            self._erase(line, numbers[0])
        elif final == "J" and numbers[0] == 0:
            del self.lines[row + 1 :]
            del line[column:]
        elif final == "J":
            # The screen is wiped; what comes next starts a fresh page.
            self.lines, self.row, self.column = [[]], 0, 0
        elif final in "Hf":
            below = numbers[1] if len(numbers) > 1 else 1
            self._go(count - 1, max(1, below) - 1)
        elif final == "P":
            del line[column : column + count]
        elif final == "@":
            self._padded(0)[column:column] = " " * min(count, 1_000)
        elif final == "X":
            end = min(len(line), column + count)
            line[column:end] = " " * max(0, end - column)

    def _erase(self, line: list[str], which: int) -> None:
        if which == 0:
            del line[self.column :]
        elif which == 1:
            end = min(len(line), self.column + 1)
            line[:end] = " " * end
        else:
            line.clear()


def _cells(character: str) -> int:
    import unicodedata  # 4 ms to import, for output that moves the cursor over non-ASCII text

    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def tail(raw: bytes, characters: int = 2_000) -> str:
    """Return the last *characters* of *raw* as a person would have seen them."""
    # A sequence is short; eight bytes a character leave room for colours and overwrites.
    window = raw[-8 * characters :]
    if len(window) < len(raw):
        window = re.sub(rb"\A[^\x1b\n]{0,64}(?=[\x1b\n])", b"", window)
    return rendered(window).strip("\n")[-characters:]


def last_line(raw: bytes) -> tuple[str, bool]:
    """Return the last line of *raw* that shows anything, and whether a newline ends it.

    >>> last_line(b"one\\ntwo? ")
    ('two? ', False)
    """
    shown = rendered(raw[-8_000:])
    last = shown.rstrip("\n")
    return last[last.rfind("\n") + 1 :][-500:], len(last) < len(shown)


def seconds(duration: float) -> str:
    """Return *duration* in as many digits as say something.

    >>> seconds(0.01234), seconds(1234.5)
    ('0.0123 s', '1234 s')
    """
    return f"{duration:.3g} s" if duration < 999.5 else f"{duration:.0f} s"


def quote(word: str) -> str:
    """Return *word* as one literal word for any shell of the Bourne family.

    >>> quote("it's")
    "'it'\\\\''s'"
    """
    if re.fullmatch(_SAFE_WORD, word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def shorten(command: str, limit: int = 200) -> str:
    """Return *command* on one line of at most *limit* characters, for a message."""
    line = " ".join(command[: 4 * limit].split())
    whole = len(line) <= limit and len(command) <= 4 * limit
    return line if whole else line[: limit - 1] + "…"


def status_in_words(status: int) -> str:
    """Say what shells mean by *status*, where they agree (POSIX XCU 2.8.2)."""
    if status == 127:
        return "command not found"
    if status == 126:
        return "found, but not executable"
    if 128 < status < 192:
        try:
            return f"killed by {signal.Signals(status - 128).name}"
        except ValueError:
            return ""
    return ""


def abridged(raw: bytes, limit: int = 80) -> bytes:
    """Return *raw*, or its two ends with ``...`` between them where it is long."""
    return raw if len(raw) <= limit else raw[: limit // 2] + b"..." + raw[-limit // 2 :]


def lines_match(pattern: re.Pattern[str], lines: Iterable[str]) -> bool:
    """Whether *pattern* matches one of *lines* from end to end, blanks around it aside."""
    return any(pattern.fullmatch(line) or pattern.fullmatch(line.strip()) for line in lines)
