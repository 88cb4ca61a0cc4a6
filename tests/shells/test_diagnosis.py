"""Why has it not finished? Every situation is a real one, looked at in three ways."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from shellbot import CommandTimeoutError, Diagnosis, Session

PYTHON = sys.executable
IN_PYTHON = f"{PYTHON} -c '{{}}'"
SPARE = "import time; time.sleep"


class Seen:
    """What was seen of one command: by its error, by the callback, and from another thread."""

    def __init__(self, session: Session, command: str, *, limit: float = 2.0) -> None:
        self.told: list[Diagnosis] = []
        self.asked: list[Diagnosis] = []
        asking = threading.Timer(limit * 0.75, lambda: self.asked.append(session.diagnose()))
        asking.start()
        with pytest.raises(CommandTimeoutError) as caught:
            session.send(command, timeout=limit, on_waiting=self.told.append)
        asking.join()
        self.error = caught.value
        assert session.send("echo in step", timeout=5).raw == b"in step\n"

    @property
    def kinds(self) -> set[str]:
        return {one.kind for one in (self.error.diagnosis, *self.asked, *self.told)}


WAITING = {
    "getpass": (IN_PYTHON.format("import getpass; getpass.getpass()"), "password", "Password: "),
    "getpass with words of its own": (
        IN_PYTHON.format('import getpass; getpass.getpass("Sesame: ")'),
        "password",
        "Sesame: ",
    ),
    "read with a question": ('read -p "Continue? [y/N] " x', "question", "Continue? [y/N] "),
    "a question in two lines": (
        r"printf 'This takes a while.\nName: '; read x",
        "question",
        "Name: ",
    ),
    "a question with a newline": (
        r"printf 'Which one shall it be?\n'; read x",
        "question",
        "Which one shall it be?",
    ),
    "read -s": ("read -s x", "password", ""),
    "read -s with words of its own": ("read -s -p 'Sesame: ' x", "password", "Sesame: "),
    "read without a question": ("read x", "input", ""),
    "select": ("select x in one two; do :; done", "question", "#? "),
    "read -n 1": ("read -n 1 -p 'Press any key ' x", "question", "Press any key "),
    "cat": ("cat", "input", ""),
    "cat after some output": ("echo hello; cat", "input", ""),
    "input()": (IN_PYTHON.format('input("Your name: ")'), "question", "Your name: "),
    "a script that reads": ("sh -c 'printf \"Go on? \"; read x'", "question", "Go on? "),
    "python": (f"{PYTHON} -q", "question", ">>> "),
    "bc": ("bc -q", "input", ""),
    "sort": ("sort", "input", ""),
    "rm -i": ("touch f; rm -i f", "question", "rm: remove regular empty file 'f'? "),
    "ssh-keygen": (
        "ssh-keygen -q -t ed25519 -f k",
        "password",
        "Enter passphrase (empty for no passphrase): ",
    ),
    "a pipeline whose first reads": ("cat | sort", "input", ""),
    "a pipeline whose last reads": (
        "sleep 0.1 | sh -c 'printf \"Sure? \"; read x </dev/tty'",
        "question",
        "Sure? ",
    ),
    "behind a background job": ("sleep 30 & read -p 'Name: ' x", "question", "Name: "),
    "behind a busy background job": (
        "sh -c 'while :; do :; done' & read -p 'Name: ' x",
        "question",
        "Name: ",
    ),
    "behind a chatty background job": (
        "sh -c 'while sleep 0.2; do echo tick; done' & read x",
        "input",
        "",
    ),
    "in a terminal inside": (
        f"script -qec '{PYTHON} -c \"import getpass; getpass.getpass(chr(63))\"' /dev/null",
        "password",
        "?",
    ),
    "less": ("seq 1000 | less", "pager", ""),
    "more": ("seq 1000 | more", "pager", ""),
    "man": ("MANPAGER=less man bash", "pager", ""),
    "git": ("GIT_PAGER=less git -c core.pager=less log", "pager", ""),
    "vi": ("vi f", "full-screen", ""),
    "nano": ("nano f", "full-screen", ""),
    "top": ("top", "full-screen", ""),
    "whiptail": ("whiptail --yesno 'Sure?' 10 40", "full-screen", ""),
}
PROGRAMS = {
    "less": "less",
    "man": "man",
    "git": "git",
    "vi": "vi",
    "nano": "nano",
    "top": "top",
    "whiptail": "whiptail",
    "bc": "bc",
    "ssh-keygen": "ssh-keygen",
}


@pytest.mark.parametrize("situation", WAITING)
def test_what_waits_is_told_from_what_works(
    situation: str, bash: Session, need: Callable[[str], None]
) -> None:
    if situation in PROGRAMS:
        need(PROGRAMS[situation])
    command, kind, question = WAITING[situation]
    if situation == "git":
        bash.send("git init -q . && git config user.name n && git config user.email e@x")
        bash.send("for i in $(seq 40); do git commit -q --allow-empty -m c$i; done")
    seen = Seen(bash, command)
    for diagnosis in (seen.error.diagnosis, seen.asked[0], seen.told[0]):
        assert (diagnosis.kind, diagnosis.question) == (kind, question)
        assert diagnosis.waiting
        assert diagnosis.certain
        assert diagnosis.pid
