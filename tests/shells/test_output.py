"""Output is byte for byte what the command wrote, with its status, in every shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from shellbot import Session
from shellbot.frames import new_key

TRANSCRIPT = (
    b"\x1e%(key)b;3<hello\n\x1e%(key)b;3=0>\x1e%(key)b;3:0>\x1e%(key)b;3.1>\x1e%(key)b;<\x1e%(key)b"
)


def transcript(key: bytes) -> bytes:
    return TRANSCRIPT % {b"key": key}


OUTPUTS = {
    "nothing": b"",
    "every byte": bytes(range(256)) * 3,
    "no final newline": b"yes",
    "carriage returns": b"a\rb\r\nc\n\r\n\n\r",
    "escape sequences": b"\x1b[1mbold\x1b[0m\x1b]0;title\x07\x1b[?2004h\x1b[2J\x1b[6n",
    "prompts": b"$ \n# \n% \n> \n[user@host ~]$ \nroot@vm:/# \nPassword: \nlogin: \n>>> ",
    "record separators": b"\x1e" * 1000 + b";<>" + b"\x1e;1<\x1e",
    "invalid UTF-8": b"\xff\xfe\x80caf\xc3",
    "another session": transcript(new_key().encode()),
    "one line of 1 MB": b"x" * 1_000_000,
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS.keys())
def test_output_is_exact(shell: Session, tmp_path: Path, output: bytes) -> None:
    (tmp_path / "file").write_bytes(output)
    result = shell.send("cat file", timeout=20)
    assert result.raw == output
    assert shell.send("echo in step").raw == b"in step\n"


def test_a_million_lines_are_exact(shell: Session) -> None:
    expected = b"".join(b"%d\n" % number for number in range(1, 1_000_001))
    assert shell.send("seq 1000000", timeout=50).raw == expected


def test_a_transcript_of_this_very_session_is_output(shell: Session, tmp_path: Path) -> None:
    key = shell._shell.line.key.encode()
    shell.send("echo earlier")
    (tmp_path / "file").write_bytes(
        transcript(key) + b"".join(b"\x1e%b;%d=7>" % (key, number) for number in range(2))
    )
    assert shell.send("cat file; echo rest").raw == (tmp_path / "file").read_bytes() + b"rest\n"
    assert shell.send("echo in step").raw == b"in step\n"


@pytest.mark.parametrize("status", [0, 1, 2, 42, 127, 128, 130, 255])
def test_the_status_is_exact(shell: Session, status: int) -> None:
    result = shell.send(f"echo out; (exit {status})", check=False)
    assert (result.raw, result.exit_code, result.ok) == (b"out\n", status, status == 0)
    assert shell.send_and_get_output("echo $?") == str(status)


def test_a_signal_is_a_status(shell: Session) -> None:
    result = shell.send("sh -c 'kill -9 $$'", check=False)
    # 128 + 9; ksh93 has 256 + 9 (its manual page, "Signals").
    assert result.exit_code in (137, 265)


@pytest.mark.parametrize(
    "dump", ["set", "env", "export -p", "cat /proc/self/environ", "cat /proc/$$/environ", "alias"]
)
def test_dumps_of_the_very_shell_are_harmless(shell: Session, dump: str) -> None:
    result = shell.send(f"{dump}; echo; echo end of dump", timeout=20)
    assert result.raw.endswith(b"\nend of dump\n")
    assert shell.send("echo in step").raw == b"in step\n"


def test_functions_and_history_are_harmless_dumps(bash: Session) -> None:
    for dump in ("declare -p", "declare -f", "history", "set -o", "shopt", 'echo "${PS1@P}"'):
        assert bash.send(f"{dump}; echo end").raw.endswith(b"end\n")
        assert bash.send('echo "${PS1@P}"').ok
    assert bash.send("echo in step").raw == b"in step\n"


def test_nothing_of_ours_is_in_the_environment(shell: Session) -> None:
    key = shell._shell.line.key
    environment = shell.send("env").output
    assert key not in environment
    assert "PS1=" not in environment
    assert "__sb" not in environment


@pytest.mark.parametrize("columns", [20, 80, 320])
def test_the_width_of_the_terminal_changes_nothing(name: str, columns: int) -> None:
    with Session(name, size=(24, columns)) as session:
        for length in (1, columns - 1, columns, columns + 1, 1_000, 5_000):
            word = "w" * length
            assert session.send(f"echo {word}").raw == f"{word}\n".encode()
        assert session.send_and_get_output("stty size") == f"24 {columns}"


def test_stdout_and_stderr_come_in_the_order_written(shell: Session) -> None:
    assert shell.send("echo 1; echo 2 >&2; echo 3; echo 4 >&2").raw == b"1\n2\n3\n4\n"
