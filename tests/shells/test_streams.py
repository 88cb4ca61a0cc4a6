"""Output while it is printed: streams, callbacks, the echo on the screen; and attempts again."""

from __future__ import annotations

import gc
import io
import os
import pty
import random
import statistics
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import shellbot
from shellbot import CommandError, CommandTimeoutError, LevelLostError, Retry, Secret, Session

# Streams


LINES = {
    "nothing": (":", []),
    "one": ("echo a", ["a"]),
    "no final newline": ("printf 'a\\nb'", ["a", "b"]),
    "empty ones": ("printf '\\n\\na\\n\\n'", ["", "", "a", ""]),
    "only a newline": ("echo", [""]),
    "colours": ("printf '\\033[31mred\\033[0m\\nplain\\n'", ["red", "plain"]),
    "CR LF": ("printf 'a\\r\\nb\\r\\n'", ["a", "b"]),
    "drawn over": ("printf '10%%\\r20%%\\rdone\\n'", ["done"]),
    "UTF-8": ("printf 'ä€\\n😀\\n'", ["ä€", "😀"]),
    "UTF-8 in two writes": ("printf '\\303'; sleep 0.1; printf '\\244\\n'", ["ä"]),
    "a line in two writes": (
        "printf a; sleep 0.1; printf 'b\\nc'; sleep 0.1; echo d",
        ["ab", "cd"],
    ),
    "both": ("echo o; echo e >&2", ["o", "e"]),
    "many": ("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done", [*map(str, range(3000))]),
}


@pytest.mark.parametrize("case", LINES)
def test_lines_are_exact(case: str, shell: Session) -> None:
    command, lines = LINES[case]
    stream = shell.stream(command)
    assert list(stream) == lines
    assert stream.result is not None
    assert stream.result.exit_code == 0
    assert list(stream) == []
    assert shell.send("echo in step").raw == b"in step\n"


def test_chunks_are_exact_bytes(shell: Session, tmp_path: Path) -> None:
    data = random.Random(1).randbytes(5_000_000)
    (tmp_path / "data").write_bytes(data)
    with shell.stream("cat data; (exit 3)", check=3) as stream:
        assert b"".join(stream.chunks()) == data
    assert stream.result is not None
    assert stream.result.exit_code == 3
    assert shell.send("echo $?").raw == b"3\n"


def test_lines_come_as_they_are_printed(shell: Session, tmp_path: Path) -> None:
    command = "echo a; until [ -e go ]; do sleep 0.02; done; echo b; until [ -e on ]; do :; done"
    with shell.stream(command, timeout=30) as stream:
        assert next(stream) == "a"
        assert stream.result is None
        (tmp_path / "go").touch()
        assert next(stream) == "b"
        (tmp_path / "on").touch()
        assert list(stream) == []


MEMORY = """
import re, sys, time
import shellbot
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
with shellbot.bash() as session:
    list(session.stream("head -c 20000000 /dev/zero | tr '\\\\000' x | fold -w 99"))
    before, started, count, size = peak(), time.monotonic(), 0, 0
    pieces = session.stream(sys.argv[1])
    for piece in (pieces.chunks() if sys.argv[2] == "chunks" else pieces):
        count += 1
        size += len(piece) + (sys.argv[2] == "lines")
    print(peak() - before, size, count, time.monotonic() - started)
"""


@pytest.mark.parametrize("kind", ["lines", "chunks"])
def test_any_amount_needs_no_memory(kind: str) -> None:
    command = 'yes "$(printf %099d 1)" | head -c 300000000'
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, command, kind], capture_output=True, text=True, check=True
    ).stdout
    grown, size, count, took = told.split()
    assert int(grown) < 8_000
    assert int(size) == 300_000_000
    assert kind == "chunks" or int(count) == 3_000_000
    assert float(took) < 50


ENDLESS = "while :; do echo line; sleep 0.01; done"


def children(session: Session) -> list[str]:
    found = Path(f"/proc/{session.terminal.pid}/task/{session.terminal.pid}/children").read_text()
    return found.split()


@pytest.mark.parametrize("command", [ENDLESS, "yes", "echo line; cat", "echo line; sleep 60"])
@pytest.mark.parametrize("way", ["break", "close", "with", "exception", "drop", "chunks", "unread"])
def test_a_stream_can_be_left_early(way: str, command: str, bash: Session) -> None:
    bash.send("kept='from before'")
    started = time.monotonic()
    if way == "break":
        with bash.stream(command) as stream:
            for _ in stream:
                break
    elif way == "close":
        stream = bash.stream(command)
        next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    elif way == "with":
        with bash.stream(command) as stream:
            next(stream)
    elif way == "exception":
        with pytest.raises(ZeroDivisionError), bash.stream(command) as stream:
            raise ZeroDivisionError(next(stream))
    elif way == "drop":
        stream = bash.stream(command)
        next(stream)
        del stream
        gc.collect()
    elif way == "chunks":
        with bash.stream(command) as stream:
            next(stream.chunks())
    else:
        with bash.stream(command):
            pass
    assert bash.send("echo in step; echo $kept", timeout=5).raw == b"in step\nfrom before\n"
    assert time.monotonic() - started < 4
    assert children(bash) == []


def test_a_stream_that_is_left_is_left_in_every_shell(shell: Session) -> None:
    for _ in shell.stream(ENDLESS):
        break
    gc.collect()
    assert shell.send("echo in step", timeout=5).raw == b"in step\n"


def test_a_session_is_busy_while_it_streams(bash: Session) -> None:
    with bash.stream(ENDLESS) as stream:
        next(stream)
        with pytest.raises(shellbot.SessionBusyError):
            bash.send("echo a")
        assert next(stream) == "line"
    assert bash.send("echo a").raw == b"a\n"


def test_a_failure_comes_after_the_lines(shell: Session) -> None:
    lines: list[str] = []
    stream = shell.stream("echo a; printf b; (exit 7)")
    with pytest.raises(CommandError) as caught:
        lines.extend(stream)
    assert lines == ["a", "b"]
    assert caught.value.result.exit_code == 7
    assert stream.result is caught.value.result
    assert shell.send("echo $?").raw == b"7\n"


def test_a_lost_shell_is_told_after_the_lines(shell: Session) -> None:
    lines: list[str] = []
    with pytest.raises(LevelLostError) as caught:
        lines.extend(shell.stream("echo a; echo b; exit 4"))
    assert lines[:2] == ["a", "b"]
    assert caught.value.exit_code == 4


def test_limits_hold_for_a_stream(shell: Session) -> None:
    for limits in ({"timeout": 0.5}, {"idle_timeout": 0.5}):
        lines: list[str] = []
        with pytest.raises(CommandTimeoutError):
            lines.extend(shell.stream("echo a; sleep 60", **limits))  # type: ignore[arg-type]
        assert lines == ["a"]
        assert shell.send("echo in step").raw == b"in step\n"


@pytest.mark.parametrize("limit", ["timeout", "idle_timeout"])
def test_the_readers_own_time_does_not_count(limit: str, bash: Session) -> None:
    lines = []
    stream = bash.stream("for i in 1 2 3; do echo $i; sleep 0.02; done", **{limit: 1})  # type: ignore[arg-type]
    for line in stream:
        lines.append(line)
        time.sleep(0.7)
    assert lines == ["1", "2", "3"]


@pytest.mark.parametrize("bad", [5, b"ls", [], None])
def test_what_is_no_command_is_refused_at_once(bad: object, bash: Session) -> None:
    with pytest.raises(shellbot.UsageError):
        bash.stream(bad)  # type: ignore[arg-type]
    assert bash.send("echo a").raw == b"a\n"


# Callbacks


def test_a_callback_hears_everything_and_once(shell: Session) -> None:
    heard: list[str] = []
    result = shell.send(
        "printf 'ä\\303'; sleep 0.1; printf '\\244'; sleep 0.1; printf '\\377x\\n'; printf '\\342'",
        on_output=heard.append,
    )
    assert "".join(heard) == "ää\ufffdx\n\ufffd"
    assert result.raw == b"\xc3\xa4\xc3\xa4\xffx\n\xe2"


def test_much_of_it_is_heard_exactly(bash: Session) -> None:
    heard: list[str] = []
    result = bash.send("seq 200000", on_output=heard.append)
    assert "".join(heard) == result.output == "".join(f"{n}\n" for n in range(1, 200_001))


def test_it_is_heard_at_once(shell: Session) -> None:
    delays: list[float] = []

    def hear(text: str) -> None:
        now = time.time()
        delays.extend(now - float(one) for one in text.split())

    program = "import time\nfor _ in range(15): print(time.time(), flush=True); time.sleep(0.05)"
    shell.send([sys.executable, "-c", program], on_output=hear)
    assert len(delays) == 15
    assert statistics.median(delays) < 0.05


def test_what_a_callback_raises_is_raised_with_the_session_in_step(shell: Session) -> None:
    def hear(text: str) -> None:
        raise ZeroDivisionError

    for command in (ENDLESS, "echo a", "echo a; sleep 60"):
        with pytest.raises(ZeroDivisionError):
            shell.send(command, on_output=hear)
        assert shell.send("echo in step", timeout=5).raw == b"in step\n"


def test_a_callback_hears_what_a_stopped_command_has_printed(bash: Session) -> None:
    heard: list[str] = []
    with pytest.raises(CommandTimeoutError) as caught:
        bash.send("echo a; sleep 60", timeout=0.4, on_output=heard.append)
    assert "".join(heard).startswith("a\n")
    assert caught.value.partial.startswith(b"a\n")


# The echo


def echoed(*commands: str, name: str = "db", secret: Secret | None = None) -> str:
    screen = io.StringIO()
    with redirect_stdout(screen), shellbot.bash(name=name, echo=True) as session:
        for command in commands:
            answers = None if secret is None else {"PIN": secret}
            session.send(command, check=False, answers=answers)
    return screen.getvalue()


def test_the_echo_shows_commands_and_lines_with_the_name() -> None:
    assert echoed("echo a; printf b", ":", "echo c\nfalse") == (
        "[db] $ echo a; printf b\n[db] a\n[db] b\n[db] $ :\n[db] $ echo c\n[db] $ false\n[db] c\n"
    )


def test_a_call_decides_for_itself() -> None:
    screen = io.StringIO()
    with redirect_stdout(screen), shellbot.bash(name="a") as session:
        session.send("echo quiet")
        session.send("echo loud", echo=True)
    assert screen.getvalue() == "[a] $ echo loud\n[a] loud\n"
    screen = io.StringIO()
    with redirect_stdout(screen), shellbot.bash(name="a", echo=True) as session:
        session.send("echo quiet", echo=False)
    assert screen.getvalue() == ""


def test_lines_of_two_sessions_stay_whole() -> None:
    screen = io.StringIO()

    def work(name: str) -> None:
        with shellbot.bash(name=name, echo=True) as session:
            session.send(f"for i in {{1..300}}; do printf '{name} '; printf 'word %s\\n' $i; done")

    with redirect_stdout(screen):
        threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = screen.getvalue().splitlines()
    for name in ("one", "two"):
        own = [line for line in lines if line.startswith(f"[{name}] {name}")]
        assert own == [f"[{name}] {name} word {n}" for n in range(1, 301)]
    assert len(lines) == 602


def test_secrets_are_masked_however_they_come() -> None:
    command = (
        "read -rsp 'PIN: ' x; echo; echo \"got $x\"; for ((i = 0; i < ${#x}; i++)); do "
        'printf %s "${x:i:1}"; sleep 0.02; done; echo'
    )
    shown = echoed(command, secret=Secret("hunter22"))
    assert "hunter22" not in shown
    assert "got " in shown
    assert "hunter2" not in shown


UNDER_A_PTY = """
import sys, time
import shellbot
with shellbot.bash(name="a", echo=True) as session:
    session.send("printf 'Loading'; sleep 0.3; printf ' more'; sleep 0.3; echo ' done'")
    session.send("printf '10%%'; sleep 0.2; printf '\\\\r20%%'; sleep 0.2; echo")
    answers = {"PIN": shellbot.Secret("hunter22")}
    session.send("read -rsp 'PIN: ' x; echo; for ((i = 0; i < ${#x}; i++)); do "
        "printf %s \\"${x:i:1}\\"; sleep 0.05; done; echo", answers=answers)
"""


def on_a_terminal(script: str, **environment: str) -> bytes:
    pid, terminal = pty.fork()
    if pid == 0:
        surroundings = {**os.environ, "TERM": "xterm", **environment}
        os.execve(sys.executable, [sys.executable, "-c", script], surroundings)
    shown = b""
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:  # the end of a terminal
        pass
    os.close(terminal)
    assert os.waitpid(pid, 0)[1] == 0, shown.decode()
    return shown


def test_on_a_terminal_unfinished_lines_are_shown_and_secrets_are_not() -> None:
    shown = on_a_terminal(UNDER_A_PTY)
    assert b"Loading more done\r\n" in shown
    assert shown.count(b"Loading") == 2
    assert b"\r\x1b[K" in shown
    assert b"20%" in shown
    assert b"hunter2" not in shown
    assert b"\x1b[3" in shown


def test_colours_can_be_switched_off() -> None:
    for unwanted in ({"NO_COLOR": "1"}, {"NO_COLOR": "", "TERM": "dumb"}):
        shown = on_a_terminal(UNDER_A_PTY, **unwanted)
        assert b"\x1b[3" not in shown
    assert b"[a] $ printf" in shown
    assert b"\x1b[3" in on_a_terminal(UNDER_A_PTY, NO_COLOR="")


# Once more


def attempts(path: Path) -> int:
    return (path / "log").read_text().count("x") if (path / "log").exists() else 0


def test_a_command_is_not_tried_again_by_itself(shell: Session, tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        shell.send("echo x >>log; false")
    assert attempts(tmp_path) == 1


def test_a_command_is_tried_until_it_succeeds(shell: Session, tmp_path: Path) -> None:
    result = shell.send(
        "echo x >>log; [ $(wc -l <log) -ge 3 ]", retry=Retry(5, every=0.01), timeout=20
    )
    assert result.exit_code == 0
    assert attempts(tmp_path) == 3


def test_the_last_failure_is_raised(bash: Session, tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        bash.send("echo x >>log; false", retry=Retry(4, every=0))
    assert attempts(tmp_path) == 4


def test_attempts_start_every_so_many_seconds(bash: Session) -> None:
    started = time.monotonic()
    with pytest.raises(CommandError):
        bash.send("sleep 0.2; false", retry=Retry(3, every=0.5))
    assert 1.2 <= time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("on", "command", "tried"),
    [
        (CommandError, "echo x >>log; sleep 60", 1),
        (CommandTimeoutError, "echo x >>log; sleep 60", 3),
        (CommandTimeoutError, "echo x >>log; false", 1),
        ((CommandError, CommandTimeoutError), "echo x >>log; false", 3),
        (lambda error: "status 4" in str(error), "echo x >>log; (exit 4)", 3),
        (lambda error: "status 4" in str(error), "echo x >>log; (exit 5)", 1),
    ],
)
def test_only_what_was_named_is_tried_again(
    on: object, command: str, tried: int, bash: Session, tmp_path: Path
) -> None:
    retry = Retry(3, every=0, on=on)  # type: ignore[arg-type]
    with pytest.raises(shellbot.SessionError):
        bash.send(command, retry=retry, timeout=0.3)
    assert attempts(tmp_path) == tried
    assert bash.send("echo in step").raw == b"in step\n"


def test_a_status_that_is_accepted_is_not_tried_again(bash: Session, tmp_path: Path) -> None:
    assert bash.send("echo x >>log; (exit 2)", check=2, retry=Retry(3)).exit_code == 2
    assert bash.send("echo x >>log; (exit 2)", check=False, retry=Retry(3)).exit_code == 2
    assert attempts(tmp_path) == 2


@pytest.mark.parametrize("times", [0, -1, 1.5, "3", True, None])
def test_attempts_are_a_number(times: object) -> None:
    with pytest.raises(shellbot.UsageError):
        Retry(times)  # type: ignore[arg-type]


@pytest.mark.parametrize("every", [-1, "1", None, float("nan"), float("inf")])
def test_a_pause_is_a_number_of_seconds(every: object) -> None:
    with pytest.raises(shellbot.UsageError):
        Retry(2, every=every)  # type: ignore[arg-type]


@pytest.mark.parametrize("on", [5, "CommandError", int, (), (CommandError, 5)])
def test_what_is_tried_again_is_an_exception(on: object) -> None:
    with pytest.raises(shellbot.UsageError):
        Retry(2, on=on)  # type: ignore[arg-type]
