"""Text: what a terminal would show, quoting, and short words for messages."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shellbot import text

plain_text = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\n\t"))
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


@given(plain_text)
def test_plain_text_is_unchanged(shown: str) -> None:
    assert text.rendered(shown.encode()) == shown


def test_terminal_line_ends_become_newlines() -> None:
    assert text.rendered(b"a\r\nb\r\n") == "a\nb\n"


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert text.rendered(b"caf\xe9\r") == "caf\ufffd"


@given(printable, printable)
def test_a_carriage_return_overwrites_from_the_left(first: str, second: str) -> None:
    assert text.rendered(f"{first}\r{second}".encode()) == second + first[len(second) :]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("abc\b\bX", "aXc"),
        ("a\b\b\bX", "X"),
        ("a\tb\rX", "X       b"),
        ("12345678\t\rX", "X2345678        "),
        ("bell\a", "bell"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[38;5;208morange\x1b[m", "orange"),
        ("\x9b31mred\x9bm", "red"),
        ("\x1b[?25lhidden cursor\x1b[?25h", "hidden cursor"),
        ("working...\r\x1b[Kdone", "done"),
        ("abc\x1b[2D\x1b[1Kx", " xc"),
        ("abc\x1b[2K\rx", "x"),
        ("abc\x1b[2DX", "aXc"),
        ("a\x1b[3Cb", "a   b"),
        ("abc\x1b[2Gx", "axc"),
        ("abcd\r\x1b[2Px", "xd"),
        ("ab\r\x1b[2@x", "x ab"),
        ("abcd\r\x1b[2X", "  cd"),
        ("old\nold\x1b[2J\x1b[Hnew", "new"),
        ("one\ntwo\nthree\x1b[2A\x1b[Jx", "one  x"),
        ("ab\ncd\x1b[1;2HX", "aX\ncd"),
        ("a\x1b[2Eb\x1b[Fc", "a\nc\nb"),
    ],
)
def test_a_moved_cursor_overwrites_and_erases(raw: str, shown: str) -> None:
    assert text.rendered(raw.encode()) == shown


def test_progress_bars_on_two_lines_show_their_last_state() -> None:
    bars = [f"a: {done}%\nb: {done // 2}%\n" for done in (10, 50, 100)]
    assert text.rendered("\x1b[2A".join(bars).encode()) == "a: 100%\nb: 50%\n"


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b]0;title\a",
        "\x1b]0;title\x1b\\",
        "\x1b]0;title\x9c",
        "\x9d0;title\x9c",
        "\x1b]8;;http://example.org\x1b\\",
        "\x1bP1$r0m\x1b\\",
        "\x1b_application\x1b\\",
        "\x1b(B",
        "\x1b(0",
        "\x1b)B",
        "\x1b%G",
        "\x1b=",
        "\x1b7",
        "\x1b[2 q",
        "\x1b[>4;1m",
    ],
)
def test_what_a_terminal_does_not_show_is_gone(sequence: str) -> None:
    assert text.rendered(f"a{sequence}b".encode()) == "ab"


@pytest.mark.parametrize("end", ["", "\x1b[m"])
@pytest.mark.parametrize("start", ["\x1b", "\x1b[", "\x1b[3", "\x1b[38;5;2", "\x1b]0;ti", "\x1b("])
def test_a_sequence_that_breaks_off_shows_nothing(start: str, end: str) -> None:
    assert text.rendered(f"a{start}{end}".encode()) == "a"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("世界\r\x1b[2Cx ", "世x "),
        ("世界\b\bx ", "世x "),
        ("世b\rx", "x b"),
        ("世b\r\x1b[Cx", " xb"),
        ("ab\r世", "世"),
    ],
)
def test_a_wide_character_takes_two_columns(raw: str, shown: str) -> None:
    assert text.rendered(raw.encode()) == shown


def test_a_combining_mark_takes_no_column() -> None:
    assert text.rendered("e\u0301a\bo".encode()) == "e\u0301o"


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        (b"a\x1b[99999999999Cb", 200_000),
        (b"a\x1b[99999999Bb", 200_000),
        (b"a\x1b[99999999;99999999Hb", 200_000),
        (b"a\r\x1b[99999999@b", 200_000),
        (b"a\x1b[99999999A\x1b[99999999Db", 1),
        (b"\x1b[99999Ca\n" * 100, 1_000_000),
        (b"\x1b[99999B" * 100, 1_000_000),
    ],
)
def test_hostile_numbers_make_no_big_page(raw: bytes, limit: int) -> None:
    assert len(text.rendered(raw)) <= limit


@pytest.mark.timeout(5)
@pytest.mark.parametrize("start", [b"\x1b]", b"\x1bP", b"\xc2\x9d", b"\x1b[", b"\x1b[1;", b"\x1b "])
def test_sequences_that_never_end_take_no_time(start: bytes) -> None:
    assert text.rendered(start * 20_000 + b"\x1b[m\ndone").endswith("\ndone")


sequences = st.builds(
    "\x1b[{}{}".format,
    st.sampled_from(["", "0", "1", "2", "3;4", ";", "?25", "999", "1:2"]),
    st.sampled_from("ABCDEFGHJKPX@`fmhlq"),
).map(str.encode)
pieces = st.one_of(
    st.binary(max_size=12),
    sequences,
    st.sampled_from(
        [b"\r", b"\n", b"\b", b"\t", b"\x1b", b"\x1b]", b"\x1b\\", "世e\u0301".encode()]
    ),
)


@settings(max_examples=500)
@given(st.lists(pieces, max_size=15).map(b"".join))
def test_any_bytes_are_rendered_without_control_characters(raw: bytes) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text.rendered(raw))


def test_a_tail_is_the_end_without_blank_lines_around_it() -> None:
    assert text.tail(b"\n\nfirst\nlast\n\n") == "first\nlast"
    assert text.tail(b"x" * 10_000 + b"the end\n", 10) == "xxxthe end"


def test_a_tail_is_what_was_left_to_see() -> None:
    assert text.tail(b"10%\r50%\r\x1b[32m100%\x1b[0m\n") == "100%"


@pytest.mark.parametrize("colour", [b"\x1b[31m", b"\x1b[38;5;208m", b"\x1b[38;2;255;100;100m"])
def test_a_tail_does_not_begin_inside_a_sequence(colour: bytes) -> None:
    assert set(text.tail((colour + b"x\x1b[0m") * 5_000)) == {"x"}


@given(st.text())
def test_a_quoted_word_is_one_literal_word(word: str) -> None:
    assert shlex.split(text.quote(word)) == [word]


@pytest.mark.parametrize("word", ["", "a b", "$HOME", "~", "*", "a\nb", "!", "#", "a=b", "{a,b}"])
def test_what_means_something_to_a_shell_is_quoted(word: str) -> None:
    assert text.quote(word) == f"'{word}'"


def test_a_harmless_word_stays_readable() -> None:
    assert text.quote("/srv/app-1.2/x_y") == "/srv/app-1.2/x_y"


@given(st.text("ab \n\t", max_size=300), st.integers(1, 50))
@example("echo one" + " " * 1_000 + "two", 50)
def test_a_shortened_command_is_one_short_line_and_says_what_it_left_out(
    command: str, limit: int
) -> None:
    short = text.shorten(command, limit)
    assert len(short) <= limit
    assert "\n" not in short
    assert short == " ".join(command.split()) or short.endswith("…")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, ""),
        (1, ""),
        (126, "found, but not executable"),
        (127, "command not found"),
        (128, ""),
        (130, "killed by SIGINT"),
        (137, "killed by SIGKILL"),
        (143, "killed by SIGTERM"),
        (160, ""),
        (255, ""),
    ],
)
def test_a_status_is_put_in_words_where_shells_agree(status: int, words: str) -> None:
    assert text.status_in_words(status) == words


def test_long_bytes_keep_both_their_ends() -> None:
    assert text.abridged(b"short") == b"short"
    assert text.abridged(b"begin" + b"." * 1_000 + b"end", 10) == b"begin.....end"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("ok", True), ("o.", True), ("  ok", True), ("o", False), ("k", False), ("ok\nbad", False)],
)
def test_a_pattern_has_to_match_a_whole_line(pattern: str, matches: bool) -> None:
    assert text.lines_match(re.compile(pattern), ["bad", "  ok"]) is matches


def test_cursors_move_in_all_the_ways_that_curses_moves_them() -> None:
    assert (
        text.rendered(b"one\r\x1b[3dtwo\x1b[2eend\x1b[1d\x1b[2aX") == "one     X\n\ntwo\n\n   end"
    )
    assert text.rendered(b"=\x1b[4b>") == "=====>"
    assert text.rendered(b"\x1b[4b>") == ">"
    assert text.rendered(b"one\x1b7\x1b[1Gtwo\x1b8!") == "two!"
