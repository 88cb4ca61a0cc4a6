"""What a person does is read from what the shell prints, in whatever pieces that arrives."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shellbot.record import Record

KEY = "01234567890123456789"
PROMPT = "(Ctrl-] goes on) root@here:DIRECTORY# "
HOSTILE = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            *(b"\x1e", b"\x1e]", b"[", b"\r\n", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[A"),
            *(f"\x1e{KEY[:19]}", f"\x1e{KEY[1:]}[", f"\x1e{KEY};7=0>", "é─"),
        ]
    ).map(lambda one: one.encode() if isinstance(one, str) else one),
)


def told(what: str) -> bytes:
    return f"\x1e{KEY}[{what}\x1e]".encode()


def shown(directory: str) -> bytes:
    return PROMPT.replace("DIRECTORY", directory).encode()


COMMANDS = st.lists(
    st.tuples(
        st.from_regex(r"[a-z][a-z ]{0,8}[a-z]", fullmatch=True),
        st.lists(HOSTILE, max_size=4).map(b"".join),
        st.integers(0, 255),
    ),
    max_size=4,
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def fed(chunks: list[bytes], *, tells_start: bool = True) -> tuple[Record, bytes]:
    record = Record(KEY, prompt=PROMPT, tells_start=tells_start)
    return record, b"".join(map(record.feed, chunks))


@settings(max_examples=40)
@given(COMMANDS, st.lists(st.integers(0, 2000), max_size=30))
def test_commands_in_any_pieces(commands: list[tuple[str, bytes, int]], places: list[int]) -> None:
    data, visible = b"echo of our own" + told(":0\t\t/start"), b""
    for number, (command, output, status) in enumerate(commands):
        line = shown(f"/{number}") + command.encode() + b"\r\n"
        visible += line + output
        data += line + told(f"+{command}") + output + told(f":{status}\thi\t/{number + 1}")
    record, seen = fed(cut(data, places))
    assert seen == visible == bytes(record.transcript)
    assert KEY.encode() + b"[" not in seen
    assert [(one.command, one.exit_code) for one in record.commands] == [
        (command, status) for command, _, status in commands
    ]
    assert record.directories == (["/start", f"/{len(commands)}"] if commands else ["/start"])
    assert record.prompts == len(commands) + 1
    whole, _ = fed([data])
    assert [one.output for one in record.commands] == [one.output for one in whole.commands]


TOLD = st.one_of(
    HOSTILE,
    st.sampled_from([":0\t\t/a", ":1\te\t", ":1", "+x", "+  7  x", ">", "-", "=", ""]).map(told),
    st.builds(lambda kind, what: told(kind) + what, st.sampled_from([">", "="]), HOSTILE),
)


@settings(max_examples=60)
@given(st.lists(TOLD, max_size=20), st.lists(st.integers(0, 2000), max_size=30), st.booleans())
def test_whatever_is_printed_pieces_make_no_difference(
    parts: list[bytes], places: list[int], tells_start: bool
) -> None:
    data = told(":0\t\t/") + b"".join(parts)
    whole, at_once = fed([data], tells_start=tells_start)
    pieces, bit_by_bit = fed(cut(data, places), tells_start=tells_start)
    assert at_once == bit_by_bit
    for name in ("state", "status", "prompts", "has_left", "waits", "directories", "line"):
        assert getattr(whole, name) == getattr(pieces, name), name
    assert repr(whole.commands) == repr(pieces.commands)
    assert KEY.encode() + b"[" not in at_once
