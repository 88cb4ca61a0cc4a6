"""What a command waits for is seen through su, sudo, chroot and containers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import colorama
import pexpect
import ptyprocess
import pytest

import shellbot
from shellbot import CommandTimeoutError, CommandWaitingError, Diagnosis, Session

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def seen(session: Session, command: str, *, limit: float = 2.5) -> Diagnosis:
    """What is said of the command in the error, which has to agree with what the callback gets."""
    told: list[Diagnosis] = []
    with pytest.raises(CommandTimeoutError) as caught:
        session.send(command, timeout=limit, on_waiting=told.append)
    assert session.send("echo in step", timeout=5).raw == b"in step\n"
    found = caught.value.diagnosis
    assert [one.kind for one in told] == ([found.kind] if found.waiting else [])
    return found


PASSWORDS = {
    "sudo true": "[sudo] password for tester: ",
    "sudo -p Sesame: true": "Sesame:",
    "su -c true": "Password: ",
    "passwd": "Current password: ",
}


@pytest.mark.parametrize("command", PASSWORDS)
def test_who_asks_for_a_password(
    command: str, bash: Session, as_tester: Callable[[str], str]
) -> None:
    found = seen(bash, as_tester(command))
    assert (found.kind, found.question) == ("password", PASSWORDS[command])
    assert found.certain


def test_sudo_goes_on_once_it_has_the_password(
    bash: Session, as_tester: Callable[[str], str]
) -> None:
    told: list[str] = []

    def answer(waiting: Diagnosis) -> str:
        told.append(waiting.kind)
        return "secret\n" if waiting.kind == "password" else "bob\n"

    command = as_tester('sudo sh -c "printf Name:; read x; echo; id -un; echo not \\$x"')
    result = bash.send(command, timeout=30, on_waiting=answer)
    assert result.output.endswith("Name:\nroot\nnot bob\n")
    assert told == ["password", "question"]


INSIDE = {
    "su -c 'read -p \"Name? \" x'": ("question", "bash"),
    "su nobody -s /bin/bash -c 'read -p \"Name? \" x'": ("question", "bash"),
    "sudo sh -c 'printf \"Name? \"; read x'": ("question", "sh"),
    "sudo cat": ("input", "cat"),
    "sudo sleep 60": ("sleeping", "sleep"),
    "su nobody -s /bin/sh -c 'sleep 60'": ("sleeping", "sleep"),
    "sudo -u nobody sh -c 'while :; do :; done'": ("busy", "sh"),
}


@pytest.mark.parametrize("command", INSIDE)
def test_what_another_user_runs(command: str, bash: Session, need: Callable[[str], None]) -> None:
    need("sudo")
    found = seen(bash, command)
    assert (found.kind, found.process) == INSIDE[command]
    assert found.question == ("Name? " if "Name?" in command else "")
    assert found.certain


IN_A_ROOT = {
    "/bin/busybox sh -c 'printf \"Name? \"; read x'": "question",
    "/bin/busybox cat": "input",
    "/bin/busybox sleep 60": "sleeping",
    "/bin/busybox vi": "full-screen",
    "/bin/busybox sh": "shell",
}


@pytest.mark.parametrize("command", IN_A_ROOT)
def test_what_runs_in_another_root(command: str, bash: Session, root_directory: Path) -> None:
    found = seen(bash, f"chroot {root_directory} {command}")
    assert found.kind == IN_A_ROOT[command]
    assert found.certain


@pytest.mark.parametrize("command", IN_A_ROOT)
def test_what_runs_in_a_container(command: str, image: str, bash: Session) -> None:
    found = seen(bash, f"podman run --rm -it {image} {command}", limit=5)
    assert found.kind == IN_A_ROOT[command]
    assert found.process == "busybox"
    assert found.certain


def test_a_hidden_answer_in_a_container(image: str, bash: Session) -> None:
    command = "/bin/busybox sh -c 'busybox stty -echo; printf Sesame; read x'"
    found = seen(bash, f"podman run --rm -it {image} {command}", limit=5)
    assert (found.kind, found.question) == ("password", "Sesame")


def test_a_container_without_a_terminal_waits_for_nobody(image: str, bash: Session) -> None:
    found = seen(bash, f"podman run --rm {image} /bin/busybox sleep 60", limit=4)
    assert not found.waiting


@pytest.mark.parametrize("command", ["sudo -i", "sudo -u nobody bash", "su - nobody -s /bin/bash"])
def test_a_login_without_login_is_recognised(
    command: str, bash: Session, need: Callable[[str], None]
) -> None:
    need("sudo")
    with pytest.raises(CommandWaitingError, match=r"use login\(\)"):
        bash.send(command, timeout=20)
    assert bash.send("id -u; echo in step", timeout=5).raw == b"0\nin step\n"


def test_an_ordinary_user_sees_less_of_sudo_and_nothing_wrong(
    bash: Session, as_tester: Callable[[str], str], tmp_path: Path
) -> None:
    # The interpreter that runs the tests may be in a directory that only root may enter.
    for package in (shellbot, pexpect, ptyprocess, colorama):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, tmp_path / "packages" / source.name)
    (tmp_path / "packages/program.py").write_text(AS_ORDINARY_USER)
    for directory in (tmp_path, *tmp_path.parents[:-1]):
        directory.chmod(directory.stat().st_mode | 0o755)
    command = as_tester(f"HOME=/ /usr/bin/python3 {tmp_path}/packages/program.py")
    assert bash.send(command, timeout=50).text.endswith("fine\n")


AS_ORDINARY_USER = """
import shellbot
with shellbot.bash() as session:
    for command, kind, certain in (
        ("sudo true", "password", False),
        ("read x", "input", True),
        ("sleep 60", "sleeping", True),
    ):
        try:
            session.send(command, timeout=3)
        except shellbot.CommandTimeoutError as error:
            assert (error.diagnosis.kind, error.diagnosis.certain) == (kind, certain), error
        assert session.send("echo in step", timeout=5).raw == b"in step\\n"
print("fine")
"""
