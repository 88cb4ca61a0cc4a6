"""Why has it not finished? Every situation is a real one, looked at in three ways."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import shellbot
from shellbot import CommandTimeoutError, CommandWaitingError, Diagnosis, LevelLostError, Session

PYTHON = sys.executable
IN_PYTHON = f"{PYTHON} -c '{{}}'"


class Seen:
    """What was seen of one command: by its error, by the callback, and from another thread."""

    def __init__(self, session: Session, command: str, *, limit: float = 1.5) -> None:
        self.told: list[Diagnosis] = []
        self.asked: list[Diagnosis] = []
        asking = threading.Timer(limit * 0.75, lambda: self.asked.append(session.diagnose()))
        asking.start()
        with pytest.raises(CommandTimeoutError) as caught:
            session.send(command, timeout=limit, on_waiting=self.told.append)
        asking.join()
        self.error = caught.value
        assert session.send("echo in step", timeout=5).raw == b"in step\n"


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
    "a script from a pipe": (
        "echo 'printf \"Go on? \"; read x </dev/tty' | bash",
        "question",
        "Go on? ",
    ),
    "a number of tokens": ("read -p 'Number of tokens: ' n", "question", "Number of tokens: "),
    "a path of a password file": (
        "read -p 'Path of the password file: ' n",
        "question",
        "Path of the password file: ",
    ),
    "press": (
        r"printf 'Press ENTER to continue.\n'; read x",
        "question",
        "Press ENTER to continue.",
    ),
    "gdb": ("gdb -q", "question", "(gdb) "),
    "apt-get": (
        "apt-get -q -o Debug::NoLocking=1 remove less",
        "question",
        "Do you want to continue? [Y/n] ",
    ),
    "less": ("seq 1000 | less", "pager", ""),
    "more": ("seq 1000 | more", "pager", ""),
    "man": ("MANPAGER=less man -l ./page.1", "pager", ""),
    "git": ("GIT_PAGER=less git -c core.pager=less log", "pager", ""),
    "vi": ("vi f", "full-screen", ""),
    "nano": ("nano f", "full-screen", ""),
    "top": ("top", "full-screen", ""),
    "whiptail": ("whiptail --yesno 'Sure?' 10 40", "full-screen", ""),
}
PROGRAMS = (
    "less",
    "man",
    "git",
    "vi",
    "nano",
    "top",
    "whiptail",
    "bc",
    "ssh-keygen",
    "gdb",
    "apt-get",
)


@pytest.mark.parametrize("situation", WAITING)
def test_what_waits_is_told_from_what_works(
    situation: str, bash: Session, need: Callable[[str], None], tmp_path: Path
) -> None:
    if situation in PROGRAMS:
        need(situation)
    command, kind, question = WAITING[situation]
    page = ".TH X 1\n" + "".join(f".SH S{number}\ntext\n" for number in range(100))
    (tmp_path / "page.1").write_text(page)
    if situation == "git":
        bash.send("git init -q . && git config user.name n && git config user.email e@x")
        bash.send("for i in $(seq 40); do git commit -q --allow-empty -m c$i; done")
    # Those two work for a while before they ask.
    seen = Seen(bash, command, limit={"apt-get": 8.0, "man": 4.0}.get(situation, 1.5))
    for diagnosis in (seen.error.diagnosis, seen.asked[0], seen.told[0]):
        assert (diagnosis.kind, diagnosis.question) == (kind, question)
        assert diagnosis.waiting
        assert diagnosis.certain
        assert diagnosis.pid


# What works


WORKING = {
    "sleep": ("sleep 60", "sleeping"),
    "a busy loop": ("while :; do :; done", "busy"),
    "a busy program": (f"{PYTHON} -c 'while True: pass'", "busy"),
    "a compiler": ("while :; do gcc -O2 -c x.c -o x.o || break; done", "busy"),
    "loops of sleeps": (
        "for i in 1 2 3 4 5 6 7 8; do while :; do sleep 0.1; done & done; wait",
        "sleeping",
    ),
    "a loop of what takes no time": ("while :; do /bin/true; done", "busy"),
    "a flood": ("yes", "printing"),
    "a dripping": ("while :; do echo x; sleep 0.2; done", "printing"),
    "a pipeline that sleeps": ("sleep 60 | cat", "sleeping"),
    "a pipeline with a question in it": ("(printf 'Name? '; sleep 60) | cat", "sleeping"),
    "what looks like a question": ("printf 'Password: '; sleep 60", "sleeping"),
    "what looks like a prompt": ("printf 'root@db1:~# '; sleep 60", "sleeping"),
    "a download that stalls": ("{stalled}", "silent"),
    "a lock": ("flock lock sleep 60 & sleep 0.2; flock lock true", "silent"),
    "a fifo": ("mkfifo f; cat f", "silent"),
    "a stopped program": ("sh -c 'kill -STOP $$; :'", "stopped"),
    "a stopped job": ("sleep 60 & kill -STOP $!; wait $!", "stopped"),
    "a reading thread": (
        IN_PYTHON.format(
            "import threading, time; threading.Thread(target=input, daemon=True).start(); "
            "time.sleep(60)"
        ),
        "sleeping",
    ),
    "a program that glances at its input": (
        IN_PYTHON.format("import select\nwhile True: select.select([0], [], [], 0.05)"),
        None,
    ),
    "in a terminal inside": ("script -qec 'sleep 60' /dev/null", "sleeping"),
    "a reading thread beside a child": (
        IN_PYTHON.format(
            "import threading, subprocess, sys; "
            "threading.Thread(target=sys.stdin.readline, daemon=True).start(); "
            'subprocess.run(["sleep", "60"])'
        ),
        "sleeping",
    ),
    "a program that watches its input and a child": (
        IN_PYTHON.format(
            "import select, subprocess\n"
            'child = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE)\n'
            "select.select([0, child.stdout], [], [])"
        ),
        "sleeping",
    ),
    "keys that are polled": (
        IN_PYTHON.format(
            "import select, tty; tty.setcbreak(0)\nwhile True: select.select([0], [], [], 0.1)"
        ),
        None,
    ),
    "a read that does not wait": (
        IN_PYTHON.format(
            "import os, termios, tty; tty.setcbreak(0); modes = termios.tcgetattr(0)\n"
            "modes[6][termios.VMIN], modes[6][termios.VTIME] = 0, 1\n"
            "termios.tcsetattr(0, 0, modes)\nwhile True: os.read(0, 1)"
        ),
        None,
    ),
    "a glance now and then": ("while :; do read -t 0.3 -n 1 k; printf .; done", None),
    "a background part that reads": ("(read x </dev/tty; echo) & sleep 60", "sleeping"),
    "a program with a session of its own": (
        IN_PYTHON.format(
            'import pexpect, time; child = pexpect.spawn("bash --norc"); time.sleep(60)'
        ),
        "sleeping",
    ),
    "an orphan that reads": ("sh -c 'cat </dev/tty &'; sleep 60", None),
}


@pytest.mark.parametrize("situation", WORKING)
def test_what_works_is_not_taken_for_waiting(
    situation: str, bash: Session, need: Callable[[str], None], tmp_path: Path, stalled: str
) -> None:
    functions = (f"int f{n}(int a) {{ return a * {n}; }}\n" for n in range(3_000))
    (tmp_path / "x.c").write_text("".join(functions))
    if situation == "a compiler":
        need("gcc")
    command, kind = WORKING[situation]
    seen = Seen(bash, command.replace("{stalled}", stalled))
    assert seen.told == []
    for diagnosis in (seen.error.diagnosis, seen.asked[0]):
        assert not diagnosis.waiting
        assert diagnosis.kind == (kind or diagnosis.kind), diagnosis


@pytest.fixture
def stalled() -> Iterator[str]:
    """A command that downloads from a server which takes the request and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield IN_PYTHON.format(
            f'import socket; socket.create_connection(("127.0.0.1", {port})).recv(9)'
        )


def test_a_stalled_download_says_from_where(bash: Session, stalled: str) -> None:
    seen = Seen(bash, stalled)
    assert "waits for the network: 127.0.0.1:" in str(seen.error)


def test_a_thousand_looks_at_working_commands_raise_no_alarm(
    bash: Session, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("gcc")
    functions = (f"int f{n}(int a) {{ return a * {n}; }}\n" for n in range(300))
    (tmp_path / "x.c").write_text("".join(functions))
    commands = (
        "for i in $(seq 99); do gcc -O2 -c x.c -o x.o; done",
        "for i in $(seq 999); do ls -R /usr/share/doc | sort | md5sum; done",
        "(while :; do tar -cf - /usr/bin | gzip -1; done) >/dev/null",
        f"for i in $(seq 999); do {PYTHON} -c 'import json, random; print(random.random())'; done",
        "seq 9999 | while read x; do /bin/echo $x; sleep 0.001; done",
        "find / -xdev -type f 2>/dev/null | xargs -n 50 cat 2>/dev/null | wc -c; sleep 60",
        "sleep 60 | cat",
    )
    judged: list[Diagnosis] = []
    told: list[Diagnosis] = []

    def run(session: Session, command: str) -> None:
        with contextlib.suppress(LevelLostError):
            session.send(command, on_waiting=told.append)

    def sample(session: Session, wanted: int) -> None:
        while session.diagnose().kind == "idle":
            pass
        while len(judged) < wanted:
            judged.append(session.diagnose())

    for number, command in enumerate(commands, 1):
        with shellbot.bash(cwd=tmp_path) as session:
            running = threading.Thread(target=run, args=(session, command))
            wanted = number * (1_000 // len(commands) + 1)
            samplers = [threading.Thread(target=sample, args=(session, wanted)) for _ in range(5)]
            for thread in (running, *samplers):
                thread.start()
            for sampler in samplers:
                sampler.join()
        running.join()
    assert len(judged) >= 1_000
    assert sum(one.kind in ("idle", "disconnected") for one in judged) < 50
    assert [one for one in judged if one.waiting] == []
    assert told == []


# Telling of it


def test_the_callback_can_answer(bash: Session) -> None:
    questions: list[str] = []

    def answer(waiting: Diagnosis) -> str:
        questions.append(waiting.question)
        return {"Name: ": "bob\n", "Again? ": "no\n", "": "last\n"}[waiting.question]

    program = (
        "read -p 'Name: ' name; read -p 'Again? ' a; read -p 'Again? ' b; read c; "
        'echo; echo "$name $a $b $c"'
    )
    result = bash.send(program, timeout=20, on_waiting=answer)
    assert result.output == "Name: Again? Again? \nbob no no last\n"
    assert questions == ["Name: ", "Again? ", "Again? ", ""]


def test_keys_can_be_pressed(bash: Session, need: Callable[[str], None]) -> None:
    need("less")
    assert bash.send("seq 1000 | less", timeout=20, on_waiting=lambda waiting: "q").ok
    assert bash.send("cat", timeout=20, on_waiting=lambda waiting: b"\x04").raw == b""


def test_the_callback_is_told_once_and_in_time(bash: Session) -> None:
    told: list[float] = []
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError):
        bash.send(
            "sleep 3.1; read x",
            timeout=6,
            on_waiting=lambda waiting: told.append(time.monotonic() - started),
        )
    assert len(told) == 1
    assert 3.1 < told[0] < 5.1


def test_giving_up_says_why(bash: Session) -> None:
    with pytest.raises(CommandWaitingError) as caught:
        bash.send("read -p 'Continue? [y/N] ' x", on_waiting=lambda waiting: False)
    assert caught.value.diagnosis.question == "Continue? [y/N] "
    assert "waiting for input: `Continue? [y/N] `" in str(caught.value)
    assert caught.value.recovery == "Ctrl-C"
    assert bash.send("echo in step", timeout=5).raw == b"in step\n"


def test_what_the_callback_raises_is_raised(bash: Session) -> None:
    def ask(waiting: Diagnosis) -> None:
        raise LookupError(waiting.kind)

    with pytest.raises(LookupError, match="password"):
        bash.send("read -s x", on_waiting=ask)
    with pytest.raises(shellbot.SessionBusyError):
        bash.send("read x", on_waiting=lambda waiting: bash.send("echo hi").output)
    with pytest.raises(shellbot.UsageError, match="on_waiting"):
        bash.send("read x", on_waiting=lambda waiting: 5)  # type: ignore[arg-type, return-value]
    assert bash.send("echo in step", timeout=5).raw == b"in step\n"


def test_thinking_about_an_answer_takes_none_of_the_time(bash: Session) -> None:
    def think(waiting: Diagnosis) -> str:
        time.sleep(2.5)
        return "yes\n"

    told = bash.send("read x; echo $x", timeout=2, idle_timeout=1.9, on_waiting=think)
    assert told.output == "yes\n"


# Asking about it


def test_a_session_with_nothing_to_do_is_idle(bash: Session) -> None:
    assert bash.diagnose().kind == "idle"
    bash.send("true")
    assert bash.diagnose().kind == "idle"
    bash.close()
    assert bash.diagnose().kind == "disconnected"


def test_waiting_costs_no_processor_time(bash: Session) -> None:
    bash.send("true")
    before = time.process_time()
    bash.send("sleep 5", on_waiting=lambda waiting: None)
    assert time.process_time() - before < 0.005 * 5


WITHOUT_PROC = """
import os, shellbot
assert os.listdir("/proc") == []
told = []
with shellbot.bash() as session:
    for command, kinds in {
        "sleep 60": ("silent",),
        "read -p 'Name: ' x": ("question",),
        "read -p 'Password: ' x": ("password",),
        "while :; do :; done": ("silent",),
        "yes": ("printing",),
        "bash --norc --noprofile": ("shell",),
    }.items():
        try:
            session.send(command, timeout=2, on_waiting=told.append)
        except shellbot.CommandTimeoutError as error:
            assert error.diagnosis.kind in kinds, error
            assert error.diagnosis.certain == (error.diagnosis.kind == "printing"), error
        else:
            raise AssertionError(command)
        assert session.send("echo in step", timeout=5).raw == b"in step\\n"
assert {one.kind for one in told} == {"question", "password", "shell"}, told
print("fine")
"""


def test_without_proc_it_says_less_and_never_wrong(bash: Session) -> None:
    bash.send("unshare -m true")
    hidden = f"unshare -m sh -c 'mount -t tmpfs none /proc && exec {PYTHON} program.py'"
    bash.send(f"cat >program.py <<'END'\n{WITHOUT_PROC}\nEND")
    bash.send(f"export PYTHONPATH={Path(shellbot.__file__).parents[1]}")
    assert bash.send(hidden, timeout=50).output == "fine\n"
