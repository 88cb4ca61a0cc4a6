"""Programs that draw on the whole screen are answered with keys, as often as they ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shellbot import Answer, CommandWaitingError, DialogueError, Key, Secret, Session

YES_OR_NO = "whiptail --yesno 'Go on?' 8 40"
MENU = "whiptail --menu 'Which one?' 12 40 3 a one b two c three 2>chosen"


def in_step(session: Session) -> None:
    assert session.send("echo in step", timeout=5).raw == b"in step\n"


@pytest.fixture
def whiptail(need: Callable[[str], None], bash: Session) -> Session:
    need("whiptail")
    return bash


def test_enter_takes_the_button_that_has_the_focus(whiptail: Session) -> None:
    whiptail.send(YES_OR_NO, timeout=20, answers=[Answer("Go on", Key.ENTER, optional=False)])


def test_tab_goes_to_the_other_button(whiptail: Session) -> None:
    answers = [Answer("Go on", Key.TAB), Answer("<No>", Key.ENTER)]
    whiptail.send(YES_OR_NO, timeout=20, answers=answers, check=1)


def test_escape_leaves(whiptail: Session) -> None:
    whiptail.send(YES_OR_NO, timeout=20, answers={"Go on": Key.ESCAPE}, check=255)


def test_all_the_keys_may_be_one_answer(whiptail: Session) -> None:
    whiptail.send(YES_OR_NO, timeout=20, answers={"Go on": b"\t\r"}, check=1)


def test_cursor_keys_choose_from_a_menu(whiptail: Session, tmp_path: Path) -> None:
    answers = [Answer("Which one", Key.DOWN), Answer("two", Key.DOWN), Answer("three", Key.ENTER)]
    whiptail.send(MENU, timeout=20, answers=answers)
    assert (tmp_path / "chosen").read_text() == "c"


def test_the_same_key_may_be_pressed_more_than_once(whiptail: Session, tmp_path: Path) -> None:
    answers = [Answer("Which one", Key.DOWN, times=2), Answer("Which one", Key.ENTER)]
    whiptail.send(MENU, timeout=20, answers=answers)
    assert (tmp_path / "chosen").read_text() == "c"


def test_a_line_is_typed_into_a_box(whiptail: Session) -> None:
    command = "answer=$(whiptail --inputbox 'Name?' 8 40 3>&1 1>&2 2>&3)"
    whiptail.send(command, timeout=20, answers={"Name": "Bob Böb"})
    assert whiptail.send('echo "$answer"').output == "Bob Böb\n"


def test_a_secret_is_typed_into_a_box_for_passwords(whiptail: Session, tmp_path: Path) -> None:
    command = "whiptail --passwordbox 'Password?' 8 40 2>chosen"
    result = whiptail.send(command, timeout=20, answers={"Password": Secret("s3same!")})
    assert "s3same" not in result.text
    assert (tmp_path / "chosen").read_text() == "s3same!"


UNANSWERED = {
    YES_OR_NO: [],
    MENU: [Answer("Which one", Key.DOWN)],
    f"{YES_OR_NO}; {MENU}": [Answer("Go on", Key.ENTER)],
    "whiptail --inputbox 'Name?' 8 40": [Answer("Number", "1")],
    "whiptail --passwordbox 'Password?' 8 40": ["yes", "no", "any-key", "host-key"],
    "nano new": [],
    "vi new": [Answer("E325", "a")],
    "less numbers": [Answer("numbers", Key.SPACE)],
    "MANPAGER=less man sh": ["any-key"],
}


@pytest.mark.parametrize("command", UNANSWERED)
def test_a_screen_without_an_answer_is_told_of(
    command: str, bash: Session, need: Callable[[str], None]
) -> None:
    words = command.split()
    need(words[1] if "=" in words[0] else words[0])
    bash.send("seq 500 >numbers")
    with pytest.raises(CommandWaitingError) as caught:
        bash.send(command, timeout=20, answers=UNANSWERED[command])
    found = caught.value.diagnosis
    assert found.kind == ("pager" if "less" in command else "full-screen")
    assert found.certain
    # vi waits for 4 s at first, to save what was typed, and only then for ever.
    assert caught.value.waited < (9 if "vi" in words else 5)
    in_step(bash)


def test_a_screen_that_asks_again_is_an_error(whiptail: Session) -> None:
    with pytest.raises(DialogueError, match="answered once") as caught:
        whiptail.send(f"{MENU}; {MENU}", timeout=20, answers={"Which one": Key.ENTER})
    assert caught.value.asked == "Which one?"
    assert caught.value.answered == [("Which one?", "Key.ENTER")]
    in_step(whiptail)


def test_two_screens_may_have_the_same_secret(whiptail: Session, tmp_path: Path) -> None:
    ask = "whiptail --passwordbox '{} password?' 8 40 2>{}".format
    answers = [Answer("password", Secret("s3same!"), times=2)]
    command = f"{ask('New', 'first')} && {ask('Repeat the', 'second')}"
    whiptail.send(command, timeout=20, answers=answers)
    assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text() == "s3same!"


EDITORS = {
    "nano new": [
        Answer("GNU nano", b"one\rtwo\r", optional=False),
        Answer("two", Key("CTRL_O"), optional=False),
        Answer("File Name to Write: new", Key.ENTER, optional=False),
        Answer(r"Wrote \d lines", Key("CTRL_X"), optional=False),
    ],
    "vi new": [
        Answer(r'"new" \[New( File)?\](?! \d)', b"ione\rtwo\x1b", optional=False),
        Answer("two", ":wq", optional=False),
    ],
    "busybox vi new": [
        Answer("- new", b"ione\rtwo\x1b", optional=False),
        Answer("two", ":wq", optional=False),
    ],
}


@pytest.mark.parametrize("command", EDITORS)
def test_a_file_is_written_in_an_editor(
    command: str, bash: Session, need: Callable[[str], None], tmp_path: Path
) -> None:
    need(command.split()[0])
    bash.send(command, timeout=20, answers=EDITORS[command])
    assert (tmp_path / "new").read_text().split() == ["one", "two"]
    in_step(bash)


PAGERS = {
    "seq 500 | less": [Answer(r":$", Key("G")), Answer(r"\(END\)", Key("q"))],
    "less numbers": [Answer("numbers$", b"/499\r"), Answer("499", Key("q"))],
    "more numbers": [Answer("--More--", Key.SPACE, times=2), Answer("--More--", Key("q"))],
    "MANPAGER=less man sh": [Answer("Manual page", Key("q"))],
}


@pytest.mark.parametrize("command", PAGERS)
def test_a_pager_is_left(command: str, bash: Session, need: Callable[[str], None]) -> None:
    for program in ("less", "more", "man"):
        need(program)
    bash.send("seq 500 >numbers")
    bash.send(command, timeout=20, answers=PAGERS[command])
    in_step(bash)


# Ready-made answers


def test_yes_and_no_in_the_words_of_who_asks(
    bash: Session, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("ssh-keygen")
    command = "ssh-keygen -q -t ed25519 -N '' -f key"
    bash.send(command, timeout=20)
    first = (tmp_path / "key.pub").read_text()
    bash.send(command, timeout=20, answers=["no"], check=1)
    assert (tmp_path / "key.pub").read_text() == first
    result = bash.send(command, timeout=20, answers=["yes"])
    assert "Overwrite (y/n)? " in result.text
    assert (tmp_path / "key.pub").read_text() != first


ANY_KEY = {
    "less nowhere numbers": [Answer("numbers", Key("q")), "any-key"],
    "vi -c '!true' -c q! new": ["any-key"],
    "read -rsn1 -p 'Press any key to continue...' x": ["any-key"],
    "read -rp 'Hit return:' x": ["any-key"],
}


@pytest.mark.parametrize("command", ANY_KEY)
def test_any_key_is_pressed(command: str, bash: Session, need: Callable[[str], None]) -> None:
    for program in ("less", "vi"):
        need(program)
    bash.send("seq 500 >numbers")
    bash.send(command, timeout=20, answers=ANY_KEY[command], check=False)
    in_step(bash)
