"""Where a session is started must not matter: rc files, hooks, no terminal, signals, threads."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DIALECTS, OTHERS, open_descriptors, shells_below

import shellbot
from shellbot import Session, StartError

HOSTILE = """
PS1='\\[\\e[31m\\][\\u@\\h $?]\\$ \\[\\e[0m\\]'; export PS1
RPROMPT='right'; PS0='before'; PS2='more'
PROMPT_COMMAND='printf "\\033]0;title\\007"; echo hook; false'
precmd() { echo precmd; }
preexec() { echo preexec; }
alias echo='echo aliased' ls='ls --color=always'
trap 'echo leaving' EXIT
echo 'Welcome! $ # > password: '
"""
RC_FILES = (
    *(".bashrc", ".bash_profile", ".profile", ".bash_login", ".zshrc", ".zshenv", ".zprofile"),
    *(".kshrc", ".mkshrc", ".shrc", ".inputrc", ".tcshrc", ".cshrc", ".yashrc"),
)


def test_rc_files_do_not_matter(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in RC_FILES:
        (home / file).write_text(HOSTILE + "sleep 5\n")
    monkeypatch.setenv("ENV", str(home / ".shrc"))
    started = time.monotonic()
    with Session(name) as session:
        assert session.send("echo hi").raw == b"hi\n"
    assert time.monotonic() - started < 3


def test_an_inherited_environment_does_not_matter(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {
        "PS1": "$(sleep 9)$ ",
        "PS0": "before",
        "PS2": "more",
        "PROMPT_COMMAND": "echo hook; sleep 9",
        "PROMPT": "prompt",
        "RPROMPT": "right",
        "TMOUT": "1",
        "SHELLOPTS": "xtrace:errexit",
        "BASHOPTS": "extdebug",
        "POSIXLY_CORRECT": "1",
        "BASH_FUNC_builtin%%": "() { echo evil; }",
        "BASH_FUNC_printf%%": "() { echo evil; }",
        "VISUAL": "vi",
        "EDITOR": "vi",
        "IFS": "0123456789",
        "TERM": "nonsense",
        "COLUMNS": "10",
        "LC_ALL": "tr_TR.UTF-8",
    }.items():
        monkeypatch.setenv(variable, value)
    with Session(name) as session:
        assert session.send("echo hi").raw == b"hi\n"
        assert session.send("(exit 3)", check=3).raw == b""


@pytest.mark.parametrize("name", ["bash", "zsh"], indirect=True)
def test_hooks_sourced_in_the_session_do_not_matter(shell: Session, home: Path) -> None:
    (home / "hooks").write_text(HOSTILE)
    shell.send("source ~/hooks")
    shell.send("unalias echo", check=False)
    for _ in range(3):
        assert shell.send("echo hi").raw == b"hi\n"
    assert shell.send("set -uo pipefail; echo hi").raw == b"hi\n"
    assert shell.send("true").duration < 1


def test_a_virtual_environment_does_not_matter(bash: Session, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    bash.send("source v/bin/activate")
    assert bash.send_and_get_output("echo $VIRTUAL_ENV").endswith("/v")
    assert bash.send("echo hi").raw == b"hi\n"
    bash.send("deactivate")
    assert bash.send("echo hi").raw == b"hi\n"


def test_nothing_is_left_in_the_home_directory(name: str, home: Path) -> None:
    with Session(name) as session:
        session.send("echo hi; cd /; echo there")
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_the_users_history_is_left_alone(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [home / file for file in (".bash_history", ".zsh_history", ".sh_history", "history")]
    for file in files:
        file.write_text("the user's own line\n")
    monkeypatch.setenv("HISTFILE", str(home / "history"))
    with Session(name) as session:
        session.send("echo hi")
    assert {file.read_text() for file in files} == {"the user's own line\n"}


def test_pagers_never_wait(
    bash: Session, tmp_path: Path, need: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    need("git")
    need("man")
    page = ".TH X 1\n" + "".join(f".SH S{number}\ntext\n" for number in range(100))
    (tmp_path / "page.1").write_text(page)
    bash.send("git init -q . && git config user.name n && git config user.email e@x")
    bash.send("for i in $(seq 60); do git commit -q --allow-empty -m c$i; done", timeout=50)
    assert bash.send("git log", timeout=20).text.count("commit ") >= 60
    assert "S99" in bash.send("man -l ./page.1", timeout=20).text


@pytest.mark.parametrize("name", OTHERS)
def test_shells_of_another_family_make_way(
    name: str, need: Callable[[str], None], tmp_path: Path
) -> None:
    need(name)
    with Session(name, cwd=tmp_path, environment={"GIVEN": "kept"}) as session:
        assert session.dialect.name == "bash"
        assert session.within == name
        assert name in repr(session)
        assert session.send('echo "$GIVEN $PWD"').output == f"kept {tmp_path}\n"
        assert session.send("(exit 3)", check=3).raw == b""


def test_sh_is_whatever_it_is_here() -> None:
    with Session("sh") as session:
        assert session.dialect.name in DIALECTS
        assert session.send("echo hi").raw == b"hi\n"


CHILD = """
import sys, shellbot
with shellbot.Session({name!r}) as session:
    assert session.send("echo hi").raw == b"hi\\n"
    assert session.send("yes | head -n 1; echo done", timeout=10).raw.endswith(b"y\\ndone\\n")
    assert session.send("sh -c 'kill -INT $$'", check=False, timeout=10).exit_code in (130, 258)
    try:
        session.send("sleep 20", timeout=0.3)
    except TimeoutError as error:
        assert error.recovery == "Ctrl-C", error.recovery
    assert session.send("echo hi").raw == b"hi\\n"
with open({path!r}, "w") as file:
    file.write("fine")
"""
WAYS: dict[str, list[str]] = {
    "plain": [],
    "setsid": ["setsid", "-w"],
    "nohup": ["nohup"],
    "no environment": ["env", "-i", "PATH=" + os.environ["PATH"]],
}


@pytest.mark.parametrize("standard_input", ["closed", "null", "pipe"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("name", ["bash", "dash", "zsh"], indirect=True)
def test_no_terminal_is_needed(
    name: str, way: list[str], standard_input: str, tmp_path: Path
) -> None:
    program = CHILD.format(name=name, path=str(tmp_path / "result"))
    command = [*way, sys.executable, "-c", program]
    if standard_input == "closed":
        command = ["sh", "-c", '"$@" <&- >log 2>&1', "sh", *command]
    stdin = subprocess.PIPE if standard_input == "pipe" else subprocess.DEVNULL
    with subprocess.Popen(command, stdin=stdin, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate(timeout=50)
    log = tmp_path / "log"
    told = errors.decode() + (log.read_text() if log.exists() else "")
    assert (tmp_path / "result").exists(), told


def test_ignored_signals_are_back_at_their_defaults(name: str) -> None:
    meant = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
    old = {number: signal.signal(number, signal.SIG_IGN) for number in meant}
    try:
        with Session(name) as session:
            told = session.send_and_get_output("sh -c 'grep SigIgn /proc/self/status'")
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    ignored = int(told.split()[1], 16)
    assert [number for number in meant if ignored & 1 << (number - 1)] == []


def test_no_descriptor_of_the_caller_is_inherited(name: str) -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    with Session(name) as session:
        listed = session.send_and_get_output("ls /proc/self/fd").split()
    os.close(read)
    os.close(write)
    assert listed == ["0", "1", "2", "3"]


def test_a_thousand_sessions_leave_nothing(home: Path) -> None:
    before = open_descriptors()
    for _ in range(1_000):
        with shellbot.bash() as session:
            session.send(":")
    assert open_descriptors() == before
    assert [name for name in shells_below(os.getpid()) if "bash" in name] == []
    assert list(home.iterdir()) == []


def test_a_dropped_session_leaves_nothing() -> None:
    before = open_descriptors()
    session = shellbot.bash()
    pid = session.terminal.pid
    session.send("sleep 100 &")
    del session
    assert open_descriptors() == before
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    "busy",
    [
        "trap '' HUP INT TERM; sleep 100",
        "sh -c 'trap \"\" HUP; sleep 100' &",
        "yes >/dev/null &",
        "(trap '' HUP; yes) &",
    ],
)
def test_close_is_bounded(bash: Session, busy: str) -> None:
    with contextlib.suppress(TimeoutError):
        bash.send(busy, timeout=0.2)
    pid = bash.terminal.pid
    started = time.monotonic()
    bash.close()
    assert time.monotonic() - started < 2.5
    assert not Path(f"/proc/{pid}").exists()


def test_spawning_in_threads_is_safe_and_silent() -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for attempt in range(5):
                with shellbot.bash() as session:
                    assert (
                        session.send(f"echo {number} {attempt}").output == f"{number} {attempt}\n"
                    )
        except BaseException as error:
            failures.append(error)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_no_pseudo_terminal_is_one_line_that_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(2, "No such file or directory", "/dev/ptmx")

    monkeypatch.setattr(os, "openpty", none_left)
    with pytest.raises(StartError, match="/dev/ptmx") as caught:
        shellbot.bash()
    assert "\n" not in str(caught.value)


def test_windows_is_told_about_wsl() -> None:
    program = (
        "import os; os.name = 'nt'\n"
        "try:\n    import shellbot\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "WSL" in done.stdout
    assert done.stdout.count("\n") == 1
