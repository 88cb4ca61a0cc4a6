"""ssh, telnet and ftp as one command each: who logs in, with what, and what is typed there."""

from __future__ import annotations

from pathlib import Path

import pytest
from dialogues.machines import PASSWORD, Host, until

from shellbot import (
    Answer,
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    Key,
    Secret,
    Session,
)

AT_PROMPT = r"tester\$ $"
FTP = "ftp> $"
LOGIN = [Answer("login: $", "tester"), Answer("Password: $", Secret(PASSWORD))]
FTP_LOGIN = [Answer(r"Name \(.*\): $", "tester"), Answer("Password: $", Secret(PASSWORD))]


def in_step(session: Session) -> None:
    assert session.send("echo in step", timeout=5).raw == b"in step\n"


@pytest.fixture
def ssh(ssh_host: Host, tmp_path: Path) -> str:
    """The command that logs in to a host that nobody has seen."""
    options = f"-F none -p {ssh_host.port} -o UserKnownHostsFile={tmp_path}/known"
    return f"ssh {options} -o PreferredAuthentications=password tester@127.0.0.1"


# ssh


def test_a_new_host_is_let_in_and_gets_the_password(
    ssh: str, bash: Session, tmp_path: Path
) -> None:
    answers = ["host-key", Answer("password: $", Secret(PASSWORD), optional=False)]
    assert bash.send(f"{ssh} id -un", timeout=20, answers=answers).text.endswith("\ntester\n")
    assert (tmp_path / "known").read_text().startswith("[127.0.0.1]:")
    result = bash.send(f"{ssh} id -un", timeout=20, answers={"password:": Secret(PASSWORD)})
    assert "fingerprint" not in result.text
    assert PASSWORD not in result.text


def test_a_wrong_password_is_sent_once(ssh: str, ssh_host: Host, bash: Session) -> None:
    answers = ["host-key", Answer("password: $", Secret("wrong-one"), times=None)]
    with pytest.raises(DialogueError, match="has refused it") as caught:
        bash.send(f"{ssh} id -un", timeout=20, answers=answers)
    assert caught.value.asked == "tester@127.0.0.1's password: "
    assert caught.value.answered[-1] == (caught.value.asked, "********")
    assert "wrong-one" not in str(caught.value)
    in_step(bash)
    until(lambda: "Connection closed by authenticating user" in ssh_host.log)
    assert ssh_host.log.count("method password") == 1
    assert ssh_host.log.count("Failed password for tester") == 1


SSH_ASKS = {
    "continue connecting": [Answer("password: $", Secret(PASSWORD))],
    "tester@127.0.0.1's password: ": ["host-key", "yes", "any-key"],
}


@pytest.mark.parametrize("question", SSH_ASKS)
def test_what_ssh_itself_asks_needs_an_answer(question: str, ssh: str, bash: Session) -> None:
    with pytest.raises(CommandWaitingError) as caught:
        bash.send(f"{ssh} id -un", timeout=20, answers=SSH_ASKS[question])
    found = caught.value.diagnosis
    assert question in found.question
    assert (found.process, found.certain) == ("ssh", True)
    assert found.kind == ("password" if "password" in question else "question")
    assert caught.value.waited < 5
    in_step(bash)


def test_what_is_asked_at_the_far_end_is_answered(ssh: str, bash: Session) -> None:
    asks = "-t 'for x in a b; do read -p \"Go $x? \" y; echo; echo $x=$y; done'"
    login = ["host-key", Answer("password: $", Secret(PASSWORD))]
    answers = [*login, Answer(r"Go a\? $", "on", optional=False), Answer(r"Go b\? $", "off")]
    result = bash.send(f"{ssh} {asks}", timeout=20, answers=answers)
    assert "\na=on\n" in result.text
    assert "\nb=off\n" in result.text
    with pytest.raises(
        CommandTimeoutError, match=r"probably waiting for input: `Go b\? `"
    ) as caught:
        bash.send(f"{ssh} {asks}", timeout=4, answers=answers[:-1])
    assert (caught.value.diagnosis.process, caught.value.diagnosis.certain) == ("ssh", False)
    in_step(bash)


def test_a_shell_at_the_far_end_is_used_and_left(ssh: str, bash: Session) -> None:
    login = ["host-key", Answer("password: $", Secret(PASSWORD))]
    answers = [*login, *(Answer(AT_PROMPT, line) for line in ("echo $((6 * 7))", "exit 7"))]
    result = bash.send(ssh, timeout=20, answers=answers, check=7)
    assert "\n42\n" in result.text
    in_step(bash)


def test_a_screen_at_the_far_end_is_answered_with_keys(ssh: str, bash: Session) -> None:
    login = ["host-key", Answer("password: $", Secret(PASSWORD))]
    answers = [*login, Answer("Go on", Key.TAB), Answer("<No>", Key.ENTER)]
    bash.send(f"{ssh} -t \"whiptail --yesno 'Go on?' 8 40\"", timeout=20, answers=answers, check=1)
    in_step(bash)


# telnet


def test_telnet_logs_in_and_types_commands(telnet_port: int, bash: Session) -> None:
    lines = ("id -un", "echo $((6 * 7))", "exit")
    answers = [*LOGIN, *(Answer(AT_PROMPT, line, optional=False) for line in lines)]
    result = bash.send(f"telnet 127.0.0.1 {telnet_port}", timeout=20, answers=answers, check=False)
    assert "tester$ id -un\ntester\ntester$ " in result.text
    assert "\n42\n" in result.text
    assert PASSWORD not in result.text
    in_step(bash)


@pytest.mark.parametrize(
    ("known", "kind", "question"),
    [(0, "question", "login: "), (1, "password", "Password: "), (2, "shell", "tester$ ")],
)
def test_what_telnet_passes_on_and_has_no_answer_is_guessed_at(
    known: int, kind: str, question: str, telnet_port: int, bash: Session
) -> None:
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send(f"telnet 127.0.0.1 {telnet_port}", timeout=4, answers=LOGIN[:known])
    found = caught.value.diagnosis
    assert (found.kind, found.process, found.certain) == (kind, "telnet", False)
    assert found.question.endswith(question)
    in_step(bash)


def test_a_password_that_login_refuses_is_typed_once(telnet_port: int, bash: Session) -> None:
    answers = [
        Answer("login: $", "tester", times=None),
        Answer("Password: $", Secret("wrong-one"), times=None),
    ]
    with pytest.raises(DialogueError, match="has refused it") as caught:
        bash.send(f"telnet 127.0.0.1 {telnet_port}", timeout=20, answers=answers)
    assert [shown for _, shown in caught.value.answered] == ["'tester'", "********", "'tester'"]
    assert caught.value.asked == "Password: "
    in_step(bash)


# ftp


def test_ftp_logs_in_and_fetches_a_file(ftp_host: Host, bash: Session, tmp_path: Path) -> None:
    lines = ("ls", "get offered", "bye")
    answers = [*FTP_LOGIN, *(Answer(FTP, line, optional=False) for line in lines)]
    result = bash.send(f"ftp 127.0.0.1 {ftp_host.port}", timeout=20, answers=answers)
    assert " offered\n" in result.text
    assert (tmp_path / "offered").read_text() == "what the server has\n"
    assert PASSWORD not in result.text
    until(lambda: 'FTP response: Client "127.0.0.1", "221 Goodbye."' in ftp_host.log)
    assert ftp_host.log.count('FTP command: Client "127.0.0.1", "USER tester"') == 1
    in_step(bash)


@pytest.mark.parametrize(
    ("known", "kind", "question"),
    [(0, "question", "Name (127.0.0.1:"), (1, "password", "Password: "), (2, "question", "ftp> ")],
)
def test_what_ftp_asks_needs_an_answer(
    known: int, kind: str, question: str, ftp_host: Host, bash: Session
) -> None:
    with pytest.raises(CommandWaitingError) as caught:
        bash.send(f"ftp 127.0.0.1 {ftp_host.port}", timeout=20, answers=FTP_LOGIN[:known])
    found = caught.value.diagnosis
    assert found.question.startswith(question)
    assert (found.kind, found.certain) == (kind, True)
    assert caught.value.waited < 5
    in_step(bash)
