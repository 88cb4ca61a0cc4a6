"""Frames: how a command is written into one line, and how its answer is found again."""

from __future__ import annotations

import re
from itertools import cycle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shellbot import frames
from shellbot.errors import UsageError

KEY = "01234567890123456789"
NUMBER = 7


def mark(body: str, key: str = KEY) -> bytes:
    return f"\x1e{key};{body}".encode()


START, END, PROMPT, ANSWER = mark("7<"), mark("7=0>"), mark("7:130>"), mark("7.0>")
OWN_START = re.compile(re.escape(START))
OWN_END = re.compile(re.escape(mark("7")) + rb"[=.][0-9]{1,10}>")
OWN_PROMPT = re.compile(re.escape(mark("7:")) + rb"[0-9]{1,10}>")


def stream(output: bytes, status: int = 0, noise: bytes = b"") -> bytes:
    """What a shell sends for a command that writes *output* and ends with *status*."""
    return noise + START + output + mark(f"7={status}>")


def fed(*chunks: bytes) -> frames.Parser:
    parser = frames.Parser(KEY)
    parser.expect(NUMBER)
    for chunk in chunks:
        parser.feed(chunk)
    return parser


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut *data* into chunks of *sizes*, over and over."""
    chunks: list[bytes] = []
    for size in cycle(sizes):
        if not data:
            return chunks
        chunks.append(data[:size])
        data = data[size:]
    return chunks


bodies = st.builds(
    "{}{}".format,
    st.sampled_from([0, 6, 7, 8, 70, 77, "07", 10**17, 10**18, ""]),
    st.sampled_from(["<", "=0>", ".0>", ":0>", "=130>", "=99999999999>", "=>", ":", "=", ""]),
)
lookalikes = st.builds(mark, bodies, st.sampled_from([KEY, KEY[::-1], KEY[1:], ""]))
fragments = st.one_of(
    st.binary(max_size=20),
    st.just(b"\x1e"),
    lookalikes,
    st.builds(lambda whole, length: whole[:length], lookalikes, st.integers(1, 30)),
)
anything = st.lists(fragments, max_size=8).map(b"".join)
outputs = anything.filter(lambda data: not OWN_END.search(data))
promptless = outputs.filter(lambda data: not OWN_PROMPT.search(data))
noises = promptless.filter(lambda data: not OWN_START.search(data))
statuses = st.integers(0, 255)
chunk_sizes = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@settings(max_examples=500)
@given(output=outputs, status=statuses, noise=noises, sizes=chunk_sizes)
def test_any_output_in_any_chunks_is_found_exactly(
    output: bytes, status: int, noise: bytes, sizes: list[int]
) -> None:
    parser = fed(*split(stream(output, status, noise), sizes))
    assert (parser.output, parser.status) == (output, status)


@pytest.mark.parametrize("at", range(len(stream(b"out" + PROMPT + b"put"))))
def test_a_cut_anywhere_changes_nothing(at: int) -> None:
    output = b"out" + PROMPT + b"put"
    whole = stream(output)
    parser = fed(whole[:at], whole[at:])
    assert (parser.output, parser.status) == (output, 0)


@given(output=outputs, before=st.binary(max_size=50), after=st.binary(max_size=50))
def test_what_no_command_wrote_is_never_output(output: bytes, before: bytes, after: bytes) -> None:
    parser = fed(before, stream(output), after, b"\n")
    assert parser.output == output
    assert parser.unsolicited == before + after + b"\n"


@given(output=promptless, sizes=chunk_sizes, keep=st.integers(0, 60), asked=st.booleans())
def test_what_is_handed_out_can_be_forgotten(
    output: bytes, sizes: list[int], keep: int, asked: bool
) -> None:
    parser, handed_out = fed(), b""
    end = PROMPT + ANSWER if asked else END
    for chunk in split(START + output + end, sizes):
        parser.feed(chunk)
        handed_out += parser.hand_out()
        if not parser.prompts:
            assert parser.last(keep) == handed_out[max(0, len(handed_out) - keep) :]
            assert parser.size == len(handed_out)
        parser.forget(keep)
        assert len(parser.output) <= keep + len(PROMPT)
    assert handed_out == output
    assert parser.size == len(output)
    assert output.endswith(parser.take_output())
    assert parser.size == 0


def test_only_the_last_64_kib_that_no_command_wrote_are_kept() -> None:
    parser = fed(b"old" * 50_000, b"new")
    assert len(parser.unsolicited) == 65_536
    assert parser.unsolicited.endswith(b"oldnew")


def test_a_frame_has_no_status_before_its_end_mark_is_whole() -> None:
    parser = fed(START, b"half", END[:-1])
    assert (parser.started, parser.status, parser.output) == (True, None, b"half")
    parser.feed(END[-1:])
    assert parser.status == 0


def test_a_stale_mark_is_output() -> None:
    assert fed(stream(mark("6=1>"))).output == mark("6=1>")


def test_a_mark_with_another_key_is_output() -> None:
    other = mark("7=1>", key=KEY[::-1])
    assert fed(stream(other)).output == other


def test_what_a_shell_says_of_a_text_it_cannot_parse_is_output() -> None:
    parser = fed(b"sh: syntax error\n", mark("7=2>"))
    assert (parser.started, parser.output, parser.status) == (False, b"sh: syntax error\n", 2)


def test_a_prompt_that_comes_last_asks_for_the_question() -> None:
    parser = fed(START, b"^C\n", PROMPT)
    assert (parser.at_prompt, parser.prompts, parser.status) == (True, 1, None)


@given(output=promptless, status=statuses, sizes=chunk_sizes)
def test_an_answer_cuts_off_the_prompt_and_takes_its_status(
    output: bytes, status: int, sizes: list[int]
) -> None:
    prompt = mark(f"7:{status}>")
    parser = fed(*split(START + output + prompt, sizes))
    assert parser.prompts == 1
    parser.feed(ANSWER)
    assert (parser.output, parser.status, parser.at_prompt) == (output, status, False)


def test_a_prompt_with_more_behind_it_is_output() -> None:
    parser = fed(START, b"one ", PROMPT, b" two")
    assert not parser.at_prompt
    parser.feed(END)
    assert (parser.output, parser.status) == (b"one " + PROMPT + b" two", 0)


def test_the_shells_own_prompt_is_told_from_one_that_was_printed_before() -> None:
    parser = fed(START, mark("7:0>"), b"printed\n", PROMPT, ANSWER)
    assert (parser.output, parser.status) == (mark("7:0>") + b"printed\n", 130)


@pytest.mark.parametrize("seen", [True, False])
def test_each_prompt_that_ctrl_c_brings_is_the_shells_own(seen: bool) -> None:
    parser = fed(START, b"out")
    parser.heed_interrupt()
    if seen:
        parser.feed(b"\n" + PROMPT)
        parser.heed_interrupt()
        parser.feed(b"\n" + PROMPT)
    else:
        parser.heed_interrupt()
        parser.feed(b"\n" + PROMPT + b"\n" + PROMPT)
    parser.feed(ANSWER)
    assert (parser.output, parser.status) == (b"out\n", 130)


def test_what_goes_on_behind_the_prompt_that_ctrl_c_brought_is_output_and_the_prompt_is_not() -> (
    None
):
    parser = fed(START, PROMPT, b"\n")
    parser.heed_interrupt()
    parser.feed(b"\n" + PROMPT + b"more\n" + PROMPT + ANSWER)
    assert parser.output == PROMPT + b"\n\nmore\n"


def test_a_late_answer_to_an_old_question_does_not_reach_the_next_frame() -> None:
    parser = fed(stream(PROMPT))
    parser.expect(8)
    parser.feed(ANSWER + mark("8<") + b"next" + mark("8=3>"))
    assert (parser.output, parser.status, parser.prompts) == (b"next", 3, 0)


def test_taken_output_is_given_once() -> None:
    parser = fed(stream(b"out"))
    assert [parser.take_output(), parser.take_output()] == [b"out", b""]


@given(sizes=chunk_sizes)
def test_our_own_line_in_a_trace_is_dropped_in_any_chunks(sizes: list[int]) -> None:
    traced = stream(b"out\n+ __sb1 '7=' last\n")
    assert fed(*split(traced, sizes)).output == b"out\n"


def test_keys_are_twenty_digits_and_differ() -> None:
    keys = {frames.new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch("[0-9]{20}", key) for key in keys)


@given(st.binary().map(lambda data: data.replace(b"\0", b"")))
def test_every_byte_but_nul_can_be_sent(data: bytes) -> None:
    assert frames.encode(data.decode("utf-8", "surrogateescape")) == data


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("echo \0", "character 5 is NUL"),
        ("\ud800", "character 0"),
        ("echo \udfff", "character 5"),
        ("echo a\udc7f", "character 6"),
    ],
)
def test_what_has_no_bytes_is_refused_by_its_place(command: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        frames.encode(command)


def untyped(text: bytes) -> bytes:
    """What a terminal hands over: the character behind ^V, whatever it is."""
    plain = re.sub(rb"(?s)\x16.", b"", text)
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", plain)
    return re.sub(rb"(?s)\x16(.)", rb"\1", text)


def unquoted(word: bytes) -> bytes:
    """What a shell makes of a word of '...', \\x and continued lines."""
    parts = re.findall(rb"(?s)'[^']*'|\\.", word)
    assert b"".join(parts) == word
    return b"".join(
        part[1:-1] if part.startswith(b"'") else part[1:].strip(b"\n") for part in parts
    )


commands = st.lists(
    st.builds(
        lambda data, times: data.replace(b"\0", b"") * times,
        st.one_of(st.binary(max_size=12), st.sampled_from([b"'", b"\n", b"\x16", "é'€".encode()])),
        st.sampled_from([1, 2, 60, 500]),
    ),
    max_size=4,
).map(b"".join)


@settings(max_examples=300)
@given(commands)
def test_a_quoted_and_typed_command_arrives_as_it_was(command: bytes) -> None:
    text = b"'" + frames.typed(frames.within_quotes(command)) + b"'"
    assert unquoted(untyped(text)) == command


@settings(max_examples=300)
@given(commands)
def test_no_typed_line_is_longer_than_a_terminal_takes(command: bytes) -> None:
    text = b"'" + frames.typed(frames.within_quotes(command)) + b"'"
    assert max(map(len, text.split(b"\n"))) <= 1_023


short_ones = st.text(st.sampled_from("ab1 ./=;$\"'\n\t\\\x7f#<&|(){}é"), max_size=9).map(str.encode)


@settings(max_examples=1_000)
@given(short_ones)
@example(b"")
@example(b"a" * 200)
@example(b"x=${y")
@example(b"f()")
def test_what_is_plain_is_typed_as_it_is(command: bytes) -> None:
    is_as_it_is = frames.typed(frames.within_quotes(command)) == command
    may_be_plain = is_as_it_is and len(command) < 200 and not frames.is_open_ended(command)
    assert may_be_plain or not frames.is_plain(command)


def test_what_most_commands_are_is_plain() -> None:
    assert frames.is_plain(b'cd /tmp; ls -l "$HOME" *.py')


@pytest.mark.parametrize("command", [b"", b" \t\n", b"# a", b"\n  # a\n\t# b\n"])
def test_blanks_and_comments_do_nothing(command: bytes) -> None:
    assert frames.does_nothing(command)


@pytest.mark.parametrize("command", [b":", b"# a\nb", b"a # b", b"\\#", b"'#'", b"\r"])
def test_whatever_a_shell_would_run_does_something(command: bytes) -> None:
    assert not frames.does_nothing(command)


@pytest.mark.parametrize(
    "command",
    [
        *(b"true &&", b"true |\n", b"sleep 1 &", b"a \\", b"cat <<EOF\nx", b"echo # x"),
        *(b"x=${y:-", b"echo ${a} ${y:-", b"x=${y:-${z}", b"echo ${y:-'}'", b"${y:-$(echo })"),
    ],
)
def test_a_command_that_a_next_line_might_join_is_open_ended(command: bytes) -> None:
    assert frames.is_open_ended(command)


@pytest.mark.parametrize(
    "command",
    [
        *(b"true", b"a && b\n", b"cat < file", b"for x in 1; do :; done"),
        *(b'echo "${y}"', b"x=${y:-${z:=b}$a}${b}", b"f() { echo $x; }"),
    ],
)
def test_a_complete_command_is_not_open_ended(command: bytes) -> None:
    assert not frames.is_open_ended(command)


@pytest.mark.parametrize(
    "command",
    [
        b"cat <<EOF\nx",
        b"cat <<EOF",
        b"cat <<EOF\nx\n EOF",
        b"cat <<EOF\nx\n\tEOF",
        b"cat <<-EOF\nx\n EOF",
        b"cat <<'E F'\nx\nE",
        b"cat <<A; cat <<B\nx\nA\n",
        b"cat <<A <<A\nx\nA",
        b'cat <<"E"F\nx\nE',
    ],
)
def test_a_here_document_without_its_end_is_noticed(command: bytes) -> None:
    assert frames.may_lack_terminator(command)


@pytest.mark.parametrize("command", [b"echo $((1<<2))", b"echo '<<EOF'"])
def test_what_only_looks_like_a_here_document_is_worth_asking_about(command: bytes) -> None:
    assert frames.may_lack_terminator(command)


@pytest.mark.parametrize(
    "command",
    [
        b"cat <<EOF\nx\nEOF",
        b"cat << \\EOF\nx\nEOF\n",
        b"cat <<-'E F'\n\tx\n\tE F",
        b'cat <<"E F"\nE F\n',
        b"cat <<A; cat <<B\nA\nB\n",
        b"cat <<''\nx\n\n",
        b"cat <<<x",
        b"cat <<< x",
        b"cat < x",
    ],
)
def test_a_here_document_with_its_end_is_left_alone(command: bytes) -> None:
    assert not frames.may_lack_terminator(command)
