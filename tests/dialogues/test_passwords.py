"""passwd, su and sudo are given the passwords they ask for, each of them once."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator

import pytest
from dialogues.asking import in_step

from shellbot import Answer, CommandError, DialogueError, Secret, Session

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

OLD, NEW, WRONG = "sesame-0pen-0ld", "l1ly.0f the.valley", "w0rst-0f-guesses"
TOWN = """
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work none /etc
useradd --no-create-home --shell /bin/bash resident
echo resident:sesame-0pen-0ld | chpasswd
echo 'resident ALL=(ALL) ALL
Defaults logfile=/mnt/sudo.log, timestamp_timeout=0, !lecture' >/etc/sudoers.d/resident
chmod o+rx /mnt
echo ready
exec sleep infinity
"""


class Town:
    """A mount namespace with an /etc of its own, in which a user lives whose password is OLD."""

    def __init__(self, pid: int) -> None:
        self._enter = ["nsenter", "-t", str(pid), "-m", "--wd=/"]

    def command(self, inner: str, *, user: str = "resident", group: str = "") -> str:
        """Return what runs *inner* there as that user."""
        become = ["setpriv", "--reuid", user, "--regid", group or user, "--init-groups"]
        return shlex.join([*self._enter, *become, "sh", "-c", inner])

    def as_nobody(self, inner: str) -> str:
        """Return what runs *inner* there as a user who may do nothing."""
        return self.command(inner, user="nobody", group="nogroup")

    def lets_in(self, password: str) -> bool:
        """Whether su takes that password for the user. Not by way of shellbot."""
        told = subprocess.run(
            shlex.split(self.as_nobody("su resident -c 'id -un'")),
            input=password + "\n",
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=20,
        )
        return told.stdout == "resident\n"

    def sudo_log(self) -> str:
        """Return what sudo has noted."""
        words = [*self._enter, "cat", "/mnt/sudo.log"]
        return subprocess.run(words, capture_output=True, text=True).stdout.replace("\n    ", " ")


@pytest.fixture
def town(need: Callable[[str], None]) -> Iterator[Town]:
    need("sudo")
    with subprocess.Popen(
        ["unshare", "-m", "sh", "-c", TOWN], stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout
        assert keeper.stdout.readline() == "ready\n"
        yield Town(keeper.pid)
        keeper.kill()


def test_root_gives_a_user_a_new_password(bash: Session, town: Town) -> None:
    assert town.lets_in(OLD)
    result = bash.send(
        town.command("passwd resident", user="root"),
        answers=[Answer("[Nn]ew password: $", Secret(NEW), times=2)],
        timeout=20,
    )
    assert b"password updated successfully" in result.raw
    assert town.lets_in(NEW)
    assert not town.lets_in(OLD)
    assert in_step(bash)


def test_a_user_changes_the_own_password(bash: Session, town: Town) -> None:
    answers = {"Current password: $": Secret(OLD), "(?i)new password: $": Secret(NEW)}
    with pytest.raises(DialogueError, match="times=1 allows no more") as caught:
        bash.send(town.command("passwd"), answers=answers, timeout=20)
    assert caught.value.asked == "Retype new password: "
    assert town.lets_in(OLD)
    result = bash.send(
        town.command("passwd"),
        answers={**answers, "Retype": Secret(NEW)},
        timeout=20,
    )
    assert b"password updated successfully" in result.raw
    assert town.lets_in(NEW)


def test_a_wrong_current_password_changes_nothing(bash: Session, town: Town) -> None:
    with pytest.raises(CommandError, match="Authentication token manipulation error"):
        bash.send(
            town.command("passwd"),
            answers={"Current password: $": Secret(WRONG), "New": Secret(NEW)},
            timeout=20,
        )
    assert town.lets_in(OLD)
    assert in_step(bash)


def test_a_password_that_was_retyped_wrong_changes_nothing(bash: Session, town: Town) -> None:
    answers = {"New password": Secret(NEW), "Retype": Secret(WRONG)}
    with pytest.raises(CommandError, match="passwords do not match"):
        bash.send(town.command("passwd resident", user="root"), answers=answers, timeout=20)
    assert town.lets_in(OLD)


def test_su_is_given_the_password_on_every_shell(shell: Session, town: Town) -> None:
    command = town.as_nobody("su resident -c 'id -un'")
    assert shell.send(command, answers={"Password": Secret(OLD)}, timeout=20).text == (
        "Password: \nresident\n"
    )
    assert in_step(shell)


def test_su_refuses_a_wrong_password(bash: Session, town: Town) -> None:
    with pytest.raises(CommandError, match="Authentication failure") as caught:
        bash.send(
            town.as_nobody("su resident -c 'id -un'"),
            answers={"Password": Secret(WRONG)},
            timeout=20,
        )
    assert WRONG not in str(caught.value)
    assert in_step(bash)


def test_two_answers_to_the_same_question_are_given_in_order(bash: Session, town: Town) -> None:
    result = bash.send(
        town.command("sudo id -un"),
        answers=[Answer("password for", Secret(WRONG)), Answer("password for", Secret(OLD))],
        timeout=20,
    )
    assert result.text.endswith("\nroot\n")
    assert result.text.count("[sudo] password for resident: ") == 2
    log = town.sudo_log()
    assert log.count("COMMAND=/usr/bin/id") == 1
    assert "incorrect" not in log


@pytest.mark.parametrize("times", [1, 3, None])
def test_a_refused_password_is_sent_exactly_once(
    times: int | None, bash: Session, town: Town
) -> None:
    with pytest.raises(DialogueError, match="refused it") as caught:
        bash.send(
            town.command("sudo id -un"),
            answers=[Answer("password for", Secret(WRONG), times=times)],
            timeout=20,
        )
    assert ": 1 incorrect password attempt ;" in town.sudo_log()
    assert caught.value.asked == "[sudo] password for resident: "
    assert caught.value.answered == [("[sudo] password for resident: ", "********")]
    assert caught.value.diagnosis.kind == "password"
    assert in_step(bash)


def test_a_password_that_is_not_needed_is_not_typed(bash: Session, town: Town) -> None:
    command = town.command("sudo id -un", user="root")
    result = bash.send(command, answers={"assword": Secret(OLD)}, timeout=20)
    assert result.raw == b"root\n"
    assert in_step(bash)


def test_what_sudo_runs_may_ask_as_well(bash: Session, town: Town) -> None:
    result = bash.send(
        town.command('sudo sh -c \'printf "Name? "; read x; echo "$(id -un): $x"\''),
        answers={"Name": "bob", "password for": Secret(OLD)},
        timeout=20,
    )
    assert result.text.endswith("\nName? root: bob\n")


def test_the_callback_may_return_a_secret(bash: Session, town: Town) -> None:
    result = bash.send(
        town.command("sudo id -un"),
        on_waiting=lambda waiting: Secret(OLD) if waiting.kind == "password" else False,
        timeout=20,
    )
    assert result.text.endswith("\nroot\n")
    assert "incorrect" not in town.sudo_log()


def test_a_secret_is_not_given_twice_to_the_same_question(bash: Session) -> None:
    with pytest.raises(DialogueError, match="refused it") as caught:
        bash.send(
            "sh -c 'stty -echo; printf PIN:; read x; printf PIN:; read x'",
            answers=[Answer("PIN:", Secret("9375"), times=None)],
            timeout=20,
        )
    assert caught.value.answered == [("PIN:", "********")]
    assert in_step(bash)
