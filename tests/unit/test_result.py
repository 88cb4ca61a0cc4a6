"""Results: what a command gives back, unchangeable and comparable."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shellbot.result import Result, Where

HERE = Where("host", "user", 1)


def result(
    *,
    command: str = "make",
    raw: bytes = b"",
    exit_code: int = 0,
    duration: float = 0.5,
    where: Where = HERE,
) -> Result:
    return Result(command=command, raw=raw, exit_code=exit_code, duration=duration, where=where)


@pytest.mark.parametrize("name", ["raw", "exit_code", "output", "text", "ok", "invented"])
def test_a_result_cannot_be_changed(name: str) -> None:
    frozen = result(raw=b"out")
    with pytest.raises(AttributeError, match=name):
        setattr(frozen, name, "other")
    with pytest.raises(AttributeError, match=name):
        delattr(frozen, name)
    assert frozen == result(raw=b"out")


@pytest.mark.parametrize(("exit_code", "good"), [(0, True), (1, False), (130, False)])
def test_a_result_is_true_when_the_command_succeeded(exit_code: int, good: bool) -> None:
    assert bool(result(exit_code=exit_code)) is good
    assert result(exit_code=exit_code).ok is good


@given(st.binary())
def test_output_holds_every_byte(raw: bytes) -> None:
    assert result(raw=raw).output.encode("utf-8", "surrogateescape") == raw


def test_output_keeps_what_text_takes_away() -> None:
    coloured = result(raw=b"50%\r\x1b[1m100%\x1b[0m\r\n")
    assert coloured.output == "50%\r\x1b[1m100%\x1b[0m\r\n"
    assert coloured.text == "100%\n"


def test_text_can_always_be_printed() -> None:
    assert result(raw=b"caf\xe9").text.encode() == "caf\ufffd".encode()


def test_equal_results_are_one_in_a_set() -> None:
    assert len({result(raw=b"a"), result(raw=b"a"), result(raw=b"b")}) == 2


def test_having_read_a_result_does_not_change_it() -> None:
    read = result(raw=b"a")
    assert read.output == read.text
    assert read == result(raw=b"a")
    assert hash(read) == hash(result(raw=b"a"))


@pytest.mark.parametrize(
    "other",
    [
        result(command="make all"),
        result(raw=b"out"),
        result(exit_code=1),
        result(duration=1.0),
        result(where=Where("host", "root", 1)),
        0,
        None,
    ],
)
def test_a_result_differs_from_any_other(other: object) -> None:
    assert result() != other


def test_a_result_survives_copying_and_pickling() -> None:
    original = result(raw=b"out", exit_code=2)
    assert copy.deepcopy(original) == original
    assert pickle.loads(pickle.dumps(original)) == original


def test_a_result_shows_its_status_bytes_and_command() -> None:
    shown = repr(result(command="ls /x", raw=b"\xff", exit_code=2))
    assert "exit_code=2" in shown
    assert r"b'\xff'" in shown
    assert "'ls /x'" in shown


def test_the_repr_of_a_huge_result_is_short() -> None:
    huge = result(command="echo " + "x" * 1_000_000, raw=b"\0begin" + bytes(20_000_000) + b"end")
    assert len(repr(huge)) < 600
    assert "begin" in repr(huge)
    assert "end'" in repr(huge)


def test_a_place_is_told_in_a_few_words() -> None:
    assert str(Where("db1", "root", 2)) == "root@db1, depth 2"


def test_a_place_can_be_made_from_its_repr() -> None:
    assert eval(repr(HERE), {"Where": Where}) == HERE


@pytest.mark.parametrize(
    "other", [Where("h", "user", 1), Where("host", "u", 1), Where("host", "user"), "user@host"]
)
def test_a_place_differs_from_any_other(other: object) -> None:
    assert other != HERE
    assert len({HERE, other, Where("host", "user", 1)}) == 2
