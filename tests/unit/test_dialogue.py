"""Questions and answers by themselves: matching, echo, masks, keys and tables."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shellbot import dialogue, text
from shellbot.diagnosis import Diagnosis
from shellbot.dialogue import READY, Answer, Dialogue, Key, Question, Secret, Secrets
from shellbot.errors import CommandTimeoutError, UnknownNameError, UsageError
from shellbot.result import Where

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
line = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)
secret_text = line.filter(lambda one: "*" not in one)


def dialogue_of(*answers: Answer) -> Dialogue:
    return Dialogue(answers, Secrets())


# What is a question


@given(line, anything)
def test_a_question_is_found_behind_whatever_was_printed(asked: str, before: str) -> None:
    assume(asked.strip() and "?" not in before)
    talk = dialogue_of(Answer(re.escape(asked) + r"\?", "x"))
    question = talk.asked(f"{before}\n{asked}?")
    assert question is not None
    assert question.match.group() == asked + "?"
    assert question.line == asked + "?"
    assert not question.refusal


@given(anything)
def test_no_text_is_a_question_where_there_is_no_answer(printed: str) -> None:
    assert dialogue_of().asked(printed) is None
    assert dialogue_of(Answer("never seen", "x")).asked(printed) is None


@given(anything, st.text("\n", max_size=3), st.booleans())
def test_whatever_was_printed_can_be_looked_at(printed: str, end: str, screen: bool) -> None:
    talk = dialogue_of(Answer(r"(?s).*", "x", times=None), Answer("$", "y"), Answer("^", "z"))
    question = talk.asked(printed + end, full_screen=screen)
    if question is not None:
        assert question.line
        assert "\n" not in question.line


@given(st.integers(0, 2**32), st.lists(st.sampled_from(["\x1b[1m", "\x1b[0m", "\x1b]0;t\a"])))
def test_a_question_in_portions_is_only_one_once_it_is_whole(seed: int, colours: list[str]) -> None:
    asked = "Proceed with it? "
    talk = dialogue_of(Answer(r"Proceed with it\? $", "x"))
    printed = ""
    for number, letter in enumerate(asked):
        assert talk.asked(text.rendered(printed.encode())) is None
        if colours:
            printed += colours[(seed >> number % 32) % len(colours)]
        printed += letter
    assert talk.asked(text.rendered(printed.encode())) is not None


@pytest.mark.parametrize(
    ("pattern", "printed", "is_asked"),
    [
        ("Name", "Name? ", True),
        ("Name", "Name?\n", True),
        ("Name", "Name?\n\n", True),
        ("Name", "Name?\nmore", False),
        ("Name", "Name?\n \n", False),
        ("Name", "My Name is\nJoe? ", False),
        ("Name\n? Joe", "Name\n? Joe", False),
        (r"Name\nJoe\?", "Name\nJoe? ", True),
        ("^Joe", "Name\nJoe? ", True),
        (r"Joe\? $", "Joe? ", True),
        (r"^Name$", "Name\nName", True),
        ("(y/n)? ", "Sure (y/n)? ", True),
        ("[y/N] ", "Sure [y/N] ", True),
        ("C:\\> ", "C:\\> ", True),
        ("Name", "", False),
        ("", "x", None),
        ("(", "(", None),
    ],
)
def test_where_a_pattern_has_to_match(pattern: str, printed: str, is_asked: bool | None) -> None:
    if is_asked is None:
        with pytest.raises(UsageError):
            Answer(pattern, "x")
        return
    assert (dialogue_of(Answer(pattern, "x")).asked(printed) is not None) is is_asked


def test_on_a_screen_a_question_is_anywhere() -> None:
    talk = dialogue_of(Answer("Shall it be", "x"))
    screen = "Shall it be?\n\n   <Yes>   <No>"
    assert talk.asked(screen) is None
    assert talk.asked(screen, full_screen=True) is not None


# In order, bounded


def given_to(talk: Dialogue, printed: str) -> object:
    question = talk.asked(printed)
    if question is None or question.refusal:
        return question and question.refusal
    reply = talk.reply(question)
    talk.note(question, reply)
    return reply


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(0, 12))
def test_answers_are_given_in_order_and_as_often_as_allowed(times: list[int], asked: int) -> None:
    talk = dialogue_of(*(Answer("N", f"{n}", times=count) for n, count in enumerate(times)))
    allowed = [f"{n}" for n, count in enumerate(times) for _ in range(count)]
    replies = [given_to(talk, "N? ") for _ in range(asked)]
    assert replies[: len(allowed)] == allowed[:asked]
    assert all("allows no more" in str(one) for one in replies[len(allowed) :])
    assert talk.answered == [("N? ", repr(one)) for one in allowed[:asked]]


def test_an_answer_without_a_bound_is_given_for_ever() -> None:
    talk = dialogue_of(Answer("N", "x", times=None))
    assert {given_to(talk, "N? ") for _ in range(100)} == {"x"}


def test_a_secret_is_given_once_to_each_line() -> None:
    talk = dialogue_of(Answer("PIN", Secret("9375"), times=None))
    assert given_to(talk, "PIN: ") == Secret("9375")
    assert given_to(talk, "Again PIN: ") == Secret("9375")
    assert given_to(talk, "PIN: ") == "It was given that secret, so it has refused it"


def test_what_was_never_asked_is_known() -> None:
    needed, idle = Answer("A", "x", optional=False), Answer("B", "x")
    talk = dialogue_of(needed, idle)
    assert talk.never_asked() == [needed]
    given_to(talk, "A? ")
    assert talk.never_asked() == []


def test_after_the_last_answer_nothing_is_asked() -> None:
    talk = dialogue_of(Answer("A", "x", stop=True), Answer("B", "y"))
    assert given_to(talk, "A? ") == "x"
    assert talk.over
    assert talk.asked("B? ") is None
    assert "stop=True" in talk.hint()


def test_an_entry_that_only_stops_gives_up() -> None:
    talk = dialogue_of(Answer("A", stop=True))
    question = talk.asked("A? ")
    assert question is not None
    assert talk.reply(question) is False


# Echo


@given(line, st.text("ab", max_size=5))
@example("y", "y")
def test_the_echo_of_an_answer_is_no_question(reply: str, more: str) -> None:
    talk = dialogue_of(Answer("(?s).+", reply, times=None))
    assert given_to(talk, "Name? ") == reply
    for end in range(len(reply) + 2):
        assert talk.asked((reply + "\n")[:end]) is None
    question = talk.asked(f"{reply}\n{more}? ")
    assert question is not None
    assert question.match.group() == f"{more}? "


@given(line, line)
def test_without_an_echo_nothing_is_taken_away(reply: str, asked: str) -> None:
    talk = dialogue_of(Answer("(?s).+", reply, times=None))
    question = talk.asked("Name? ")
    assert question is not None
    talk.note(question, reply, echoed=False)
    following = talk.asked(reply + asked)
    assert following is not None
    assert following.line == reply + asked


# Masks


@given(st.lists(secret_text, min_size=1, max_size=4), st.lists(anything, max_size=5), st.data())
def test_no_secret_is_left_in_what_is_shown(
    texts: list[str], others: list[str], data: st.DataObject
) -> None:
    secrets = Secrets()
    for one in texts:
        secrets.add(Secret(one))
    shown = "".join(data.draw(st.permutations([*texts, *others])))
    hidden = secrets.hide(shown)
    for one in texts:
        assert one not in hidden.replace("*", "")
        assert repr(one)[1:-1] not in hidden.replace("*", "")
    assert hidden.count("*") >= 8


@given(secret_text, anything, anything)
def test_a_secret_is_hidden_in_bytes_and_in_reprs(one: str, before: str, after: str) -> None:
    secrets = Secrets()
    secrets.add(Secret(one))
    assert one.encode() not in secrets.hide_bytes((before + one + after).encode()).replace(
        b"*", b""
    )
    assert "********" in secrets.hide(repr(one))


@given(anything)
def test_without_secrets_nothing_is_hidden(shown: str) -> None:
    assert Secrets().hide(shown) == shown
    assert Secrets().hide_bytes(shown.encode()) == shown.encode()
    assert not Secrets().may_go_on(shown)


@given(secret_text.filter(lambda one: len(one) > 1), anything, st.data())
def test_the_beginning_of_a_secret_is_not_shown_yet(
    one: str, before: str, data: st.DataObject
) -> None:
    secrets = Secrets()
    secrets.add(Secret(one))
    assert secrets.may_go_on(before + one[: data.draw(st.integers(1, len(one) - 1))])


def time_out(printed: bytes) -> CommandTimeoutError:
    """An error that shows what was printed in every place that it has."""
    return CommandTimeoutError(
        "x",
        limit=1,
        idle=False,
        diagnosis=Diagnosis("question", question=printed.decode()),
        waited=1,
        partial=printed,
        recovery="Ctrl-C",
        where=Where("host", "user"),
    )


@given(secret_text.filter(lambda one: len(one) > 3), line)
def test_errors_are_rid_of_their_secrets(one: str, before: str) -> None:
    assume(one not in before and one not in str(time_out(b"")))
    secrets = Secrets()
    secrets.add(Secret(one))
    error = time_out(f"{before}<{one}>".encode())
    secrets.hide_in(error)
    for shown in (str(error), repr(error), error.tail, str(error.diagnosis)):
        assert one not in shown.replace("********", "")
    assert one.encode() not in error.partial.replace(b"********", b"")


def test_an_error_without_secrets_is_let_alone() -> None:
    error = time_out(b"open sesame")
    before = str(error)
    Secrets().hide_in(error)
    assert str(error) == before


def test_half_a_secret_where_the_tail_begins_is_hidden() -> None:
    secrets = Secrets()
    secrets.add(Secret("open-sesame"))
    error = time_out(b"open-sesame" + b"x" * 1_995)
    assert error.tail.startswith("esamex")
    secrets.hide_in(error)
    assert "esame" not in str(error)
    assert error.tail.startswith("********x")


@given(secret_text)
def test_a_secret_shows_nothing_of_itself(one: str) -> None:
    secret = Secret(one)
    assert secret.reveal() == one
    assert {str(secret), f"{secret}", repr(secret)} == {"********", "Secret('********')"}
    assert secret == Secret(one)
    assert hash(secret) == hash(Secret(one))
    assert secret != one
    assert not hasattr(secret, "__dict__")
    assert repr(Answer("x", secret)) == "Answer('x', Secret('********'))"
    assert repr(Answer("x", one, secret=True)) == "Answer('x', Secret('********'))"


@pytest.mark.parametrize(
    ("pattern", "asked", "hidden", "may"),
    [
        ("Name", "Name? ", True, True),
        ("Password", "Password: ", False, False),
        ("Name", "Name? ", None, False),
        ("Password", "Password: ", None, True),
        ("code", "One-time code: ", None, True),
        ("(?i)passphrase", "Enter it: ", None, True),
        ("x", "Spin: x", None, False),
    ],
)
def test_where_a_secret_may_be_typed(
    pattern: str, asked: str, hidden: bool | None, may: bool
) -> None:
    answer = Answer(pattern, Secret("9375"))
    match = answer.pattern.search(asked) or re.match("", asked)
    assert match
    assert dialogue.may_have(Question(answer, match, asked, [], ""), hidden=hidden) is may


# Keys


@pytest.mark.parametrize("name", [name for name in vars(Key) if name.isupper()])
def test_every_key_has_its_name_and_sends_something(name: str) -> None:
    key = getattr(Key, name)
    assert key == Key(name)
    assert hash(key) == hash(Key(name))
    assert repr(key) == f"Key.{name}"
    assert key.sends()
    for full_screen in (False, True):
        for application in (False, True):
            assert key.sends(full_screen=full_screen, application=application)


def test_keys_send_what_a_terminal_sends() -> None:
    assert Key.ENTER.sends() == b"\n"
    assert Key.ENTER.sends(full_screen=True) == b"\r"
    assert Key.UP.sends() == b"\x1b[A"
    assert Key.UP.sends(application=True) == b"\x1bOA"
    assert Key.END.sends(application=True) == b"\x1bOF"
    assert Key.DELETE.sends(application=True) == b"\x1b[3~"
    assert Key.CTRL_C.sends() == b"\x03"
    assert Key("F1").sends() == b"\x1bOP"
    assert Key("F5").sends() == b"\x1b[15~"
    assert Key("F6").sends() == b"\x1b[17~"
    assert Key("F10").sends() == b"\x1b[21~"
    assert Key("F12").sends() == b"\x1b[24~"


def test_only_enter_and_tab_have_a_second_name() -> None:
    names = [name for name in vars(Key) if name.isupper()]
    sent = [getattr(Key, name).sends() for name in names]
    twice = {name for name, one in zip(names, sent, strict=True) if sent.count(one) > 1}
    assert twice == {"ENTER", "CTRL_J", "TAB", "CTRL_I"}


@given(st.characters(exclude_categories=["Cc", "Cs"]))
def test_a_letter_is_a_key(letter: str) -> None:
    if not letter.isprintable():
        with pytest.raises(UnknownNameError):
            Key(letter)
        return
    assert Key(letter).sends() == letter.encode()
    assert repr(Key(letter)) == f"Key({letter!r})"


@given(line)
def test_a_line_is_typed_with_enter_whatever_it_holds(reply: str) -> None:
    for one in (reply, reply + "\n", Secret(reply)):
        keys = dialogue.keystrokes(one, lines=False, full_screen=False, application=False)
        assert keys == reply.encode() + b"\n"
        keys = dialogue.keystrokes(one, lines=False, full_screen=True, application=False)
        assert keys == reply.encode() + b"\r"
    raw = reply.encode() + b"\x01"
    assert dialogue.keystrokes(raw, lines=True, full_screen=True, application=True) == raw


# Tables


@given(st.dictionaries(line.map(re.escape), line, max_size=5))
def test_a_mapping_and_a_list_are_the_same_table(answers: dict[str, str]) -> None:
    from_mapping = dialogue.table(answers)
    from_list = dialogue.table([Answer(*one) for one in answers.items()])
    assert list(map(repr, from_mapping)) == list(map(repr, from_list))
    assert [one.reply for one in from_mapping] == list(answers.values())
    assert all(one.times == 1 and one.optional and not one.stop for one in from_mapping)


def test_no_answers_are_an_empty_table() -> None:
    assert dialogue.table(None) == dialogue.table({}) == dialogue.table([]) == ()


def test_a_mapping_may_hold_answers() -> None:
    answer = Answer("y", "z", times=None)
    assert dialogue.table({"x": answer}) == (answer,)


def test_a_name_stands_for_its_entries_where_it_is() -> None:
    first, last = Answer("a", "x"), Answer("b", "y")
    found = dialogue.table([first, "debconf", last])
    assert found[0] is first
    assert found[-1] is last
    assert [one.pattern.pattern for one in found[1:-1]] == [one for one, _ in READY["debconf"]]
    assert all(one.times is None for one in found[1:-1])


def replied(name: str, asked: str) -> object:
    talk = Dialogue(dialogue.table([name]), Secrets())
    return given_to(talk, asked)


@pytest.mark.parametrize(
    ("name", "asked", "reply"),
    [
        ("yes", "Continue? [y/N] ", "y"),
        ("yes", "Continue? [Y/n] ", "y"),
        ("yes", "Continue (yes/no)? ", "yes"),
        ("yes", "Continue? (y|n) ", "y"),
        ("yes", "Continue? [Y/n/q/?] ", "y"),
        ("yes", "Continue (YES/NO)? ", "yes"),
        ("yes", "Your name? ", None),
        ("yes", "from y/n to z: ", None),
        ("no", "Continue? [y/N] ", "n"),
        ("no", "Continue (yes/no)? ", "no"),
        ("no", "Overwrite (y/n)? ", "n"),
        ("any-key", "Press any key to continue . . . ", Key.ENTER),
        ("any-key", "Press ENTER", Key.ENTER),
        ("any-key", "Hit Enter to go on: ", Key.ENTER),
        ("any-key", "Which key? ", None),
        ("host-key", "Are you sure you want to continue connecting (yes/no)? ", "yes"),
        (
            "host-key",
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            "yes",
        ),
        ("host-key", "Please type 'yes', 'no' or the fingerprint: ", None),
        ("host-key", "bob@host's password: ", None),
        ("debconf", "[More] ", ""),
        ("debconf", "Geographic area: [8] ", ""),
        ("debconf", "Geographic area: ", None),
        ("packages", "Do you want to continue? [Y/n] ", "y"),
        ("packages", "*** hosts (Y/I/N/O/D/Z) [default=N] ? ", "n"),
        ("packages", "Is this ok [y/N]: ", "y"),
        ("packages", "Is this ok [y/d/N]: ", "y"),
        ("packages", "Continue? [y/n/v/...? shows all options] (y): ", "y"),
        ("packages", ":: Proceed with installation? [Y/n] ", "y"),
        ("packages", "Importing GPG key 0x1:\n Userid: x\nIs this ok [y/N]: ", None),
    ],
)
def test_what_well_known_questions_are_answered(name: str, asked: str, reply: object) -> None:
    assert replied(name, asked) == reply


@given(anything)
def test_nothing_ready_fails_on_any_text(printed: str) -> None:
    for name in READY:
        replied(name, printed + " [y/N] ")
        replied(name, printed)
