"""shellbot and bash agree about every awkward command and state, to the byte."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import cases
import pytest
from cases import CASES, Case, Expected, judge
from peers import Answer

import shellbot
from shellbot import Session, SessionError

ALONE = [case for case in CASES if not case.before]

# What shellbot is known to get wrong: docs/sessions.md has it among the limits.
KNOWN = {
    "a pipeline's seen by the next": "PIPESTATUS does not reach the next command",
    "PS1 is what was set": "PS1 is the session's own while a command runs",
    "PS4": "a command runs in an eval, for which bash says one more + in a trace",
    "set -x": "a command runs in an eval, for which bash says one more + in a trace",
    "a function there still": "a function called builtin does not last",
    "printf switched off": "a built-in printf that was switched off is switched on again",
}
# And where standard error is kept apart in a file, which is another place for it by design.
KNOWN_APART = KNOWN | {
    "errors sent to a file": "the command's standard error is what is asked for",
    "errors sent nowhere": "the command's standard error is what is asked for",
    "COLUMNS changed": "a program of ours has run, after which bash looks at the window",
    "set -v": "bash shows what is typed for it",
    "DEBUG": "the trap runs for what is typed for it",
    "DEBUG and a function": "the trap runs for what is typed for it",
    "ERR": "the trap runs for the eval as well",
    "reserved words, aliases": "the session says so, and that the command was not run",
}


def each_case_but(known: dict[str, str]) -> pytest.MarkDecorator:
    """Every case in turn, with whether shellbot is to be right about it."""
    rows = [pytest.param(case, case.name not in known, id=case.name) for case in CASES]
    assert known.keys() <= {case.name for case in CASES}
    return pytest.mark.parametrize(("case", "right"), rows)


@cache
def bash_says(case: Case) -> Expected:
    return cases.expected(case)


def verdict(session: Session, case: Case, stderr: str = "merged") -> tuple[bool, str]:
    """Whether the session is right about *case*, and what to say if that is not as expected."""
    for command in case.before:
        session.send(command, check=False, timeout=30)
    try:
        result = session.send(case.command, check=False, timeout=30, stderr=stderr)
    except SessionError as error:
        return False, str(error)
    answer = Answer(result.raw, result.raw_stderr, result.exit_code)
    judged = judge(answer, bash_says(case))
    return judged == "right", f"{judged}: {case}\n{answer}\n{bash_says(case)}"


@each_case_but(KNOWN)
def test_a_case_in_a_session_of_its_own(case: Case, right: bool, tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path) as session:
        found, said = verdict(session, case)
    assert found == right, said
    assert list(tmp_path.iterdir()) == []


@each_case_but(KNOWN_APART)
def test_a_case_with_standard_error_apart(case: Case, right: bool, tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path) as session:
        found, said = verdict(session, case, "split")
    assert found == right, said


def test_one_session_goes_through_all_that_need_no_other_state(tmp_path: Path) -> None:
    order = random.Random(8)
    with shellbot.bash(cwd=tmp_path) as session:
        for case in order.sample(ALONE, len(ALONE)):
            found, said = verdict(session, case)
            assert found, said
            assert session.send("echo in step").raw == b"in step\n", case


def test_there_are_enough_and_each_says_what_it_is_for() -> None:
    assert len(CASES) >= 130
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.why for case in CASES)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer(b"a\nb\n", None, 3), "right"),
        (Answer(b"a\n", b"b\n", 3), "right"),
        (Answer(b"a\r\nb\r\n", None, 3), "line ends"),
        (Answer(b"a\nb", None, 3), "line ends"),
        (Answer(b"a\r\nb", None, 3), "line ends"),
        (Answer(b"a\nb\n\n", None, 3), "line ends"),
        (Answer(b"a", b"b\n", 3), "line ends"),
        (Answer(b"a\nb\n\n\n", None, 3), "wrong output"),
        (Answer(b"a\r\nb\n", None, 3), "wrong output"),
        (Answer(b"a\n b\n", None, 3), "wrong output"),
        (Answer(b"a\n", b"", 3), "wrong output"),
        (Answer(b"a\nb\n", b"", 3), "wrong output"),
        (Answer(b"b\na\n", None, 3), "wrong output"),
        (Answer(b"", None, None), "wrong output"),
        (Answer(b"a\nb\n", None, 0), "wrong status"),
        (Answer(b"a\nb\n", None, None), "no status"),
    ],
)
def test_an_answer_is_judged(answer: Answer, verdict: str) -> None:
    assert judge(answer, Expected(b"a\nb\n", b"a\n", b"b\n", 3)) == verdict


def test_where_the_shell_has_words_of_its_own_it_has_to_fail_and_say_so() -> None:
    expected = Expected(b"bash: no\n", b"", b"bash: no\n", 2, own_words=True)
    assert judge(Answer(b"sh: other words", None, 1), expected) == "right"
    assert judge(Answer(b"", b"sh: other words", 2), expected) == "right"
    assert judge(Answer(b"", None, 1), expected) == "wrong output"
    assert judge(Answer(b"sh: other words", None, 0), expected) == "wrong status"
    assert judge(Answer(b"sh: other words", None, None), expected) == "no status"


def test_what_is_expected_comes_from_bash() -> None:
    case = Case("", "", "echo a$x; echo b >&2; (exit $?3)", ("echo before; echo it >&2", "x=1"))
    assert cases.expected(case) == Expected(b"a1\nb\n", b"a1\n", b"b\n", 3)
    killed = Case("", "", "kill -9 $$")
    assert cases.expected(killed).status == 137
    leaves = Case("", "", "sleep 60 & echo a")
    assert cases.expected(leaves).merged == b"a\n"


def test_what_does_not_print_the_same_each_time_is_no_case() -> None:
    with pytest.raises(ValueError, match="not print the same"):
        cases.expected(Case("", "", "", ("echo $BASHPID $RANDOM",)))
