"""However a question comes, it is answered once it is asked and read, and nothing else is."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from dialogues.asking import ASK, NAME, in_step

from shellbot import (
    Answer,
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    Retry,
    Secret,
    Session,
)

ECHO = '; echo "<$answer>"'
ASKED = {
    "in one piece": ASK,
    "in two writes with a pause": "printf Na; sleep 0.3; printf 'me? '; read answer" + ECHO,
    "letter by letter": "for one in N a m e '? '; do printf %s \"$one\"; sleep 0.05; done;"
    "read answer" + ECHO,
    "a while before it is read": "printf 'Name? '; sleep 0.5; read answer" + ECHO,
    "with a colour in the word": r"printf 'Na\033[1mme\033[0m? '; read answer" + ECHO,
    "with a colour after it": r"printf '\033[32mName? \033[0m'; read answer" + ECHO,
    "in the middle of an escape sequence": r"printf 'Na\033['; sleep 0.2; printf '1mme? ';"
    "read answer" + ECHO,
    "over what stood there": r"printf 'Wait\rName? '; read answer" + ECHO,
    "with a newline behind it": r"printf 'Name? \n'; read answer" + ECHO,
    "on standard error": "printf 'Name? ' >&2; read answer" + ECHO,
    "on /dev/tty": "printf 'Name? ' >/dev/tty; read answer </dev/tty" + ECHO,
    "on /dev/tty, with the output in a file": "{ printf 'Name? ' >/dev/tty; read answer </dev/tty;"
    'echo "<$answer>"; } >out; cat out',
    "by a child of a child": shlex.join(["sh", "-c", shlex.join(["sh", "-c", ASK]) + "; true"]),
    "in a pipeline": "printf 'Name? ' >&2; head -n 1 | sed 's/.*/<&>/'",
    "in a subshell": f"({ASK})",
    "in a function": f"ask() {{ {ASK}; }}; ask",
    "behind two megabytes": "head -c 2000000 /dev/zero | tr '\\0' 'x' | fold -w 70; echo;" + ASK,
    "behind a line of a megabyte": "head -c 1000000 /dev/zero | tr '\\0' 'x'; echo;" + ASK,
    "while a job prints": "(for one in 1 2 3 4 5; do sleep 0.1; echo $one >>log; done) & " + ASK,
}


@pytest.mark.parametrize("how", ASKED)
def test_a_question_is_answered_however_it_is_asked(how: str, shell: Session) -> None:
    result = shell.send(ASKED[how], answers={r"Name\? *$": "bob"}, timeout=30)
    assert result.text.endswith("<bob>\n")
    assert in_step(shell)


def test_a_question_is_answered_inside_another_terminal(shell: Session) -> None:
    inner = 'printf "Name? "; read answer; echo "<$answer>"'
    result = shell.send(["script", "-qec", inner, "/dev/null"], answers={NAME: "bob"}, timeout=20)
    assert result.text.endswith("<bob>\n")
    assert in_step(shell)


def test_a_question_that_is_repeated_gets_the_next_answer(shell: Session) -> None:
    command = 'until [ "$x" = bob ]; do printf \'Name? \'; read x; done; echo "<$x>"'
    answers = [Answer(NAME, "eve"), Answer(NAME, "mallory"), Answer(NAME, "bob")]
    assert shell.send(command, answers=answers, timeout=20).text == "Name? Name? Name? <bob>\n"
    assert in_step(shell)


def test_an_answer_comes_as_often_as_it_is_allowed(shell: Session) -> None:
    command = "for n in 1 2 3; do printf 'Name? '; read x; echo \"$x\"; done"
    for times in (3, 4, None):
        result = shell.send(command, answers=[Answer(NAME, "bob", times=times)], timeout=20)
        assert result.text == "Name? bob\n" * 3
    with pytest.raises(DialogueError, match="times=2 allows no more") as caught:
        shell.send(command, answers=[Answer(NAME, "bob", times=2)], timeout=20)
    assert caught.value.answered == [("Name? ", "'bob'")] * 2
    assert in_step(shell)


def test_hundreds_of_questions_are_answered_one_by_one(bash: Session) -> None:
    command = "for n in $(seq 400); do read -p 'Name? ' x; last=$n$x; done; echo; echo $last"
    result = bash.send(command, answers=[Answer(NAME, "bob", times=None)], timeout=40)
    assert result.text.endswith("\n400bob\n")


def test_a_program_that_takes_its_time_before_each_reading_gets_its_answers(bash: Session) -> None:
    program = (
        "import time\n"
        "for _ in range(25):\n"
        "    print('Name? ', end='', flush=True)\n"
        "    time.sleep(0.04)\n"
        "    input()\n"
    )
    answers = [Answer(NAME, "bob", times=None)]
    assert bash.send([sys.executable, "-c", program], answers=answers, timeout=40).ok


def test_a_pattern_may_begin_with_the_line(bash: Session) -> None:
    command = "echo Hello; read -p 'Name? ' x; echo; read -p 'Your Name? ' y; echo \"<$x$y>\""
    answers = {"^Name": "bob", "^Your Name": "eve"}
    assert bash.send(command, answers=answers, timeout=20).text.endswith("<bobeve>\n")


def test_a_pattern_may_span_lines(bash: Session) -> None:
    command = "echo Dangerous.; read -p 'Go on? ' x; echo \"<$x>\""
    answers = {re.compile(r"Dangerous\.\nGo on\? $"): "no"}
    assert bash.send(command, answers=answers, timeout=20).text.endswith("<no>\n")


# What is no question


OWN_TEXT = {
    "in the command": "echo 'Password:' >/dev/null; sleep 0.3; echo done",
    "in a comment": "sleep 0.3; echo done # Password:",
    "in the command, below set -v": "set -v; : 'Password:'; sleep 0.3; echo done",
    "in the command, below set -x": "set -x; : 'Password:'; sleep 0.3; echo done",
    "in a here-document": "cat >/dev/null <<end\nPassword:\nend\nsleep 0.3; echo done",
    "in the output, and nobody reads": "printf Password:; sleep 0.3; echo; echo done",
    "in the last of the output": "echo done; printf Password:",
    "on an earlier line": "echo Password:; echo more; sleep 0.3; echo done",
    "in a program that does not read": "sh -c 'printf Password:; exec sleep 0.3'; echo done",
    "in a pipe that is read": "printf 'Password:' | { sleep 0.3; cat; }; echo; echo done",
    "in the title of the window": r"printf '\033]0;Password:\007'; sleep 0.3; echo done",
    "before the reader has what it reads": "printf Password:; cat </dev/null; sleep 0.3; echo done",
}


@pytest.mark.parametrize("where", OWN_TEXT)
def test_what_is_not_asked_is_never_answered(where: str, shell: Session, tmp_path: Path) -> None:
    answers = {"Password:": "touch typed; exit 7"}
    assert "done" in shell.send(OWN_TEXT[where], answers=answers, timeout=20).text
    shell.send("set +vx", check=False)
    assert not (tmp_path / "typed").exists()
    assert in_step(shell)
    assert "typed" not in shell.send_and_get_output("ls")


@pytest.mark.parametrize("option", ["v", "x"])
def test_the_text_of_a_command_that_reads_is_not_its_question(
    option: str, shell: Session, tmp_path: Path
) -> None:
    with pytest.raises(CommandWaitingError, match="None of the answers is for that"):
        shell.send(
            f"set -{option}; : 'Password:'; : more; read x; touch \"$x\"",
            answers={"Password:": "typed"},
            timeout=20,
        )
    assert not (tmp_path / "typed").exists()
    shell.send("set +vx", check=False)
    assert in_step(shell)


def test_what_stood_before_an_answer_does_not_ask_again(bash: Session) -> None:
    with pytest.raises(CommandWaitingError):
        bash.send("printf 'Name? '; read x; read y", answers=[Answer("Name", "bob", times=9)])
    assert in_step(bash)


def test_a_question_of_an_earlier_command_asks_nothing(bash: Session) -> None:
    bash.send("printf 'Name? '")
    with pytest.raises(CommandWaitingError):
        bash.send("read x", answers={"Name": "bob"}, timeout=20)
    assert in_step(bash)


def test_a_trace_does_not_keep_a_question_from_its_answer(shell: Session) -> None:
    result = shell.send("set -x; " + ASK, answers={r"^Name\? ": "bob"}, timeout=20)
    assert result.text.endswith("<bob>\n")
    shell.send("set +x")
    assert in_step(shell)


def test_an_answer_that_the_program_repeats_asks_nothing(shell: Session) -> None:
    command = (
        "printf 'Name? '; read x; printf %s \"$x\"; sleep 0.5; "
        "printf ' again? '; read y; echo \"<$x $y>\""
    )
    answers = [Answer(r"Name\?", "Name?"), Answer("again", "yes")]
    result = shell.send(command, answers=answers, timeout=20)
    assert result.text == "Name? Name? again? <Name? yes>\n"
    assert in_step(shell)


def test_an_answer_may_be_what_the_pattern_says(shell: Session) -> None:
    command = 'for n in 1 2; do printf x; read x; done; echo "<$x>"'
    result = shell.send(command, answers=[Answer("x", "x", times=2)], timeout=20)
    assert result.text == "xx<x>\n"
    assert in_step(shell)


def test_a_question_may_begin_like_the_answer_before(shell: Session) -> None:
    command = "printf 'Go on? '; read x; printf 'name? '; read y; echo \"<$x $y>\""
    answers = {r"Go on\?": "n", "^name": "bob"}
    assert shell.send(command, answers=answers, timeout=20).text.endswith("<n bob>\n")
    assert in_step(shell)


def test_an_echoing_terminal_makes_no_difference(shell: Session) -> None:
    program = "printf 'Name? '; read x; printf 'Age? '; read y; echo \"<$x $y>\""
    result = shell.send(
        f"stty echo; {shlex.join(['sh', '-c', program])}",
        answers={r"^Name\? $": "Age? Name?", r"^Age\? $": "40"},
        timeout=20,
    )
    assert result.text == "Name? Age? Name?\nAge? 40\n<Age? Name? 40>\n"
    assert in_step(shell)


# Not as it had to be


def test_what_was_never_asked_is_an_error_if_it_had_to_be(shell: Session) -> None:
    answers = [Answer(NAME, "bob"), Answer("Age", "40", optional=False)]
    with pytest.raises(DialogueError, match="never asked 'Age'") as caught:
        shell.send(ASK, answers=answers, timeout=20)
    assert caught.value.asked == ""
    assert caught.value.answered == [("Name? ", "'bob'")]
    assert caught.value.partial == b"Name? <bob>\n"
    assert caught.value.diagnosis.kind == "idle"
    assert "nothing" in caught.value.recovery
    assert in_step(shell)
    answers[1].optional = True
    assert shell.send(ASK, answers=answers, timeout=20).ok


def test_a_failure_is_told_before_what_was_not_asked(bash: Session) -> None:
    with pytest.raises(DialogueError, match="with status 4, but not as it had to be"):
        bash.send("(exit 4)", answers=[Answer("Age", "40", optional=False)], timeout=20)
    assert in_step(bash)


def test_a_question_that_must_not_come_stops_the_command(shell: Session, tmp_path: Path) -> None:
    with pytest.raises(DialogueError, match=r"asks `Delete all\?`") as caught:
        shell.send(
            "printf 'Name? '; read x; printf 'Delete all? '; read y; touch deleted",
            answers=[Answer(NAME, "bob"), Answer(r"Delete all\?", stop=True)],
            timeout=20,
        )
    assert caught.value.asked == "Delete all? "
    assert caught.value.answered == [("Name? ", "'bob'")]
    assert caught.value.recovery.startswith("Ctrl-C")
    assert caught.value.waited < 10
    assert in_step(shell)
    assert not (tmp_path / "deleted").exists()


def test_nothing_is_answered_after_the_last_answer(bash: Session) -> None:
    answers = [Answer(NAME, "bob"), Answer("Last", "one", stop=True), Answer("More", "x")]
    command = 'for q in Name Last More; do read -p "$q? " x; echo "<$x>"; done'
    with pytest.raises(CommandWaitingError, match="stop=True had been given") as caught:
        bash.send(command, answers=answers, timeout=20)
    assert caught.value.partial.startswith(b"Name? <bob>\nLast? <one>\nMore? ")
    assert caught.value.diagnosis.question == "More? "
    assert in_step(bash)


def test_a_question_without_an_answer_is_told_within_two_seconds(shell: Session) -> None:
    with pytest.raises(CommandWaitingError, match=r"patterns: 'Age', 'Shoe size'") as caught:
        shell.send(ASK, answers={"Age": "40", "Shoe size": "44"}, timeout=20)
    assert caught.value.waited < 2
    assert caught.value.diagnosis.question == "Name? "
    assert in_step(shell)


def test_who_has_no_answers_at_all_says_so(bash: Session) -> None:
    with pytest.raises(CommandWaitingError, match="patterns: none"):
        bash.send(ASK, answers={}, timeout=20)
    with pytest.raises(CommandTimeoutError):
        bash.send(ASK, timeout=1)
    assert in_step(bash)


def test_answers_and_a_callback_go_together(bash: Session) -> None:
    told = []

    def answer(waiting: object) -> str:
        told.append(str(waiting))
        return "40\n"

    command = "read -p 'Name? ' x; read -p 'Age? ' y; echo \"<$x $y>\""
    result = bash.send(command, answers={"Name": "bob"}, on_waiting=answer, timeout=20)
    assert result.text.endswith("<bob 40>\n")
    assert len(told) == 1
    assert "`Age? `" in told[0]


def test_a_limit_holds_for_a_dialogue_as_well(bash: Session) -> None:
    with pytest.raises(CommandTimeoutError):
        bash.send(
            "while :; do read -p 'Name? ' x; done",
            answers=[Answer("Name", "bob", times=None)],
            timeout=0.5,
        )
    assert in_step(bash)


def test_each_attempt_has_all_its_answers(bash: Session) -> None:
    command = "read -p 'Name? ' x; echo; [ -e once ] || { touch once; false; }"
    result = bash.send(command, answers={"Name": "bob"}, retry=Retry(2, every=0), timeout=20)
    assert result.ok


def test_a_stream_is_answered_as_well(bash: Session) -> None:
    with bash.stream(ASK + "; echo more", answers={"Name": "bob"}, timeout=20) as lines:
        assert list(lines) == ["Name? <bob>", "more"]
    assert in_step(bash)
    answers = [Answer("Name", stop=True)]
    with pytest.raises(DialogueError), bash.stream(ASK, answers=answers) as lines:
        list(lines)
    assert in_step(bash)


READY = {
    "yes": ("Continue? [y/N] ", "y"),
    "no": ("Really (yes/no)? ", "no"),
    "any-key": ("Press any key to continue", ""),
    "host-key": ("Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "yes"),
    "packages": ("Do you want to continue? [Y/n] ", "y"),
    "debconf": ("[More] ", ""),
}


@pytest.mark.parametrize("name", READY)
def test_well_known_questions_have_their_answers_ready(name: str, bash: Session) -> None:
    asks, given = READY[name]
    result = bash.send(f"read -p '{asks}' x; echo \"<$x>\"", answers=[name], timeout=20)
    assert result.text.endswith(f"<{given}>\n")
    assert in_step(bash)


def test_a_secret_needs_a_question_for_one(shell: Session, tmp_path: Path) -> None:
    with pytest.raises(DialogueError, match="only typed where it is not shown") as caught:
        shell.send(
            'stty echo; sh -c \'printf "Name? "; read x; echo "$x" >typed\'',
            answers={"Name": Secret("0pen-sesame")},
            timeout=20,
        )
    assert caught.value.answered == []
    assert not (tmp_path / "typed").exists()
    assert in_step(shell)


def test_a_shell_in_the_shell_is_recognised_among_answers(bash: Session) -> None:
    with pytest.raises(CommandWaitingError, match=r"login\(\)"):
        bash.send("dash", answers={NAME: "bob"}, timeout=20)
    assert in_step(bash)
