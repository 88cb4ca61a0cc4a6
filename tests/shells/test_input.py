"""A command's own input, and its standard error apart: exact bytes, and the session in step."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shellbot import CommandTimeoutError, LevelLostError, Session, SessionError, UsageError

BIG_IN = ("bash", "mksh")
IN_A_SUBSHELL = ("dash", "ash", "mksh")
ASKS = f"""{sys.executable} -c '
import sys
terminal = open("/dev/tty", "r+b", buffering=0)
terminal.write(b"Password: ")
answer = terminal.readline().decode().strip()
given = sys.stdin.buffer.read()
open("told", "wb").write(given)
print(answer, len(given))'"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where sessions of these tests keep their temporary files."""
    path = tmp_path / "kept"
    path.mkdir()
    return path


@pytest.fixture
def shell(name: str, tmp_path: Path, kept: Path) -> Iterator[Session]:
    """A session on each shell, with a directory for temporary files of its own."""
    with Session(name, cwd=tmp_path, environment={"TMPDIR": str(kept)}) as session:
        yield session


def in_step(session: Session) -> None:
    assert session.send("echo in step; (exit 3)", check=3, timeout=5).raw == b"in step\n"
    assert session.send("echo $?", timeout=5).raw == b"3\n"


# Input


@pytest.mark.parametrize("kind", ["text", "bytes", "zeros", "percents", "one long line"])
def test_input_of_any_size_arrives_whole(kind: str, shell: Session, tmp_path: Path) -> None:
    size = 10_000_000 if shell.dialect.name in BIG_IN and kind in ("text", "bytes") else 1_000_000
    text = "".join(f"line {number}: é 'quoted' \\n \"$x\"\n" for number in range(size // 30))
    given: dict[str, str | bytes] = {
        "text": text,
        "bytes": random.Random(1).randbytes(size),
        "zeros": bytes(size),
        "percents": b"%s\\%b\\0101" * (size // 10),
        "one long line": b"x" * size,
    }
    data = given[kind]
    raw = data.encode() if isinstance(data, str) else data
    assert shell.send("cat >told", input=data, timeout=60).raw == b""
    assert (tmp_path / "told").read_bytes() == raw
    in_step(shell)


INPUTS = [b"", b"\n", b"\n\n\n", b"\0", b"a\0b\n", b"no newline", b"\x03\x04\x1a\x1c\x7f\x15\x16"]
INPUTS += [
    b"\\",
    b"\\\n",
    b"%",
    b"-n",
    b"-e a\\c",
    b"'",
    b'"$(touch run)`touch run`',
    bytes(range(256)),
]
INPUTS += [
    "ä\n€\U0001f600".encode(),
    b"\xff\xfe",
    b"\r\n\r",
    b"\x1b[31m",
    b"--",
    b" lead and trail \n ",
]


@pytest.mark.parametrize("given", INPUTS)
def test_input_is_exact(given: bytes, shell: Session, tmp_path: Path) -> None:
    assert shell.send("cat >told; echo $?", input=given).raw == b"0\n"
    assert (tmp_path / "told").read_bytes() == given
    assert shell.send("ls -1").raw == b"kept\ntold\n"


@pytest.mark.parametrize("command", [":", "true", "head -c 5 >/dev/null", "read -r x", "exec 0<&-"])
def test_a_command_need_not_read_its_input(command: str, shell: Session) -> None:
    for option in ("", "set -o pipefail 2>/dev/null || :", "set -e"):
        shell.send(option, check=False)
        assert shell.send(command, input=b"x" * 300_000 + b"\n", timeout=20).raw == b""
        assert shell.send("echo $?").raw == b"0\n"
    shell.send("set +e")
    in_step(shell)


OPTIONS = [
    "set -e",
    "set -u",
    "set -f",
    "set -C",
    "set -euf",
    "IFS=t",
    "umask 777",
    "set -m",
    "set -a",
]
OPTIONS += ["; ".join(f"{word}() {{ echo mine; }}" for word in ("printf", "tr", "cat", "kill"))]
OPTIONS += ["alias printf='echo mine' tr='echo mine' trap='echo mine'"]


@pytest.mark.parametrize("option", OPTIONS)
def test_input_is_exact_whatever_the_shell_was_told(option: str, shell: Session) -> None:
    shell.send(option)
    assert shell.send("/bin/cat; (exit 0)", input=b"a\0\n'b", timeout=20).raw == b"a\0\n'b"
    assert shell.send("/bin/cat || /bin/true", input=b"c\n", timeout=20).raw == b"c\n"


def test_a_failure_is_the_commands_own(shell: Session) -> None:
    assert shell.send("cat; exit 5" if shell.dialect.name in IN_A_SUBSHELL else "cat; (exit 5)",
                      input="a\n", check=5).raw == b"a\n"  # fmt: skip
    assert shell.send("echo $?").raw == b"5\n"
    in_step(shell)


def test_set_e_holds_with_input(shell: Session) -> None:
    shell.send("set -e")
    with pytest.raises(LevelLostError) as caught:
        shell.send("cat; (exit 7); echo not reached", input="a\n", timeout=10)
    assert caught.value.exit_code == 7
    assert b"not reached" not in caught.value.partial


def test_a_trace_shows_nothing_of_ours(shell: Session) -> None:
    shell.send("set -x")
    raw = shell.send("cat >/dev/null", input="given\n" * 1000).raw
    assert b"cat" in raw
    assert b"given" not in raw


def test_state_is_kept_where_it_is_said_to(shell: Session, tmp_path: Path) -> None:
    shell.send("read -r x; y=2; cd /", input=b"  one two\n")
    told = shell.send('echo "${x-}|${y-}|$PWD"').output
    if shell.dialect.name in IN_A_SUBSHELL:
        assert told == f"||{tmp_path}\n"
    else:
        assert told == "one two|2|/\n"


def test_the_status_of_the_last_command_is_there(shell: Session) -> None:
    shell.send("(exit 6)", check=6)
    # Process substitution has ksh93 forget it.
    status = b"0" if shell.dialect.name == "ksh93" else b"6"
    assert shell.send("echo $?; cat", input="a\n").raw == status + b"\na\n"


@pytest.mark.parametrize(
    "command", ["echo 'a", 'echo "a', "if true", "cat |", "(", ")", "fi", "echo $(", "cat <<'E"]
)
def test_what_cannot_be_parsed_fails(command: str, shell: Session, tmp_path: Path) -> None:
    shell.send("kept='from before'")
    result = shell.send(f"touch run; {command}", input=b"touch run\n" * 50, check=False, timeout=20)
    assert result.exit_code != 0 or "<<" in command
    assert (tmp_path / "run").exists() is False or "<<" in command
    assert shell.send('echo "$kept"').raw == b"from before\n"
    in_step(shell)


@pytest.mark.parametrize(
    ("command", "raw"),
    [
        ("cat # not read", b"given\n"),
        ("cat <<E\nown\nE", b"own\n"),
        ("cat <<'E'\n'own'\nE\n", b"'own'\n"),
        ("cat; cat", b"given\n"),
        ("cat;", b"given\n"),
        ("\n\ncat\n\n", b"given\n"),
        ("cat &&\n:", b"given\n"),
        ("while read -r x; do\necho \"<$x>\"\ndone", b"<given>\n"),
        ("cat | cat | cat", b"given\n"),
        ("cat </dev/null; cat", b"given\n"),
        ("{ read -r x; echo $x; } && echo 'done'", b"given\ndone\n"),
        ("(cat & wait)", None),
        ("", b""),
        ("# nothing", b""),
    ],
)  # fmt: skip
def test_a_command_of_any_form_has_its_input(
    command: str, raw: bytes | None, shell: Session
) -> None:
    result = shell.send(command, input="given\n", timeout=20)
    # A job in the background reads /dev/null, but in zsh.
    assert result.raw == raw or (raw is None and result.raw in (b"", b"given\n"))
    in_step(shell)


def test_exit_with_input_is_a_loss_or_of_a_subshell(shell: Session) -> None:
    if shell.dialect.name in IN_A_SUBSHELL:
        assert shell.send("echo a; exit 3", input="x", check=3).raw == b"a\n"
        in_step(shell)
        return
    with pytest.raises(LevelLostError) as caught:
        shell.send("echo a; exit 3", input="x")
    assert (caught.value.exit_code, caught.value.partial) == (
        3,
        b"a\nexit\n" if shell.dialect.name == "bash" else b"a\n",
    )


def test_a_program_may_ask_at_the_terminal_meanwhile(shell: Session, tmp_path: Path) -> None:
    data = random.Random(2).randbytes(100_000)
    told = shell.send(ASKS, input=data, answers={"Password": "secret word"}, timeout=30)
    assert told.output.endswith("secret word 100000\n")
    assert (tmp_path / "told").read_bytes() == data
    in_step(shell)


def test_a_limit_holds_for_a_command_with_input(shell: Session) -> None:
    shell.send("kept='from before'")
    for command in ("sleep 60", "cat; sleep 60", "while :; do :; done"):
        with pytest.raises(CommandTimeoutError) as caught:
            shell.send(command, input=b"a\n" * 1000, timeout=0.7)
        assert "lost" not in caught.value.recovery or shell.dialect.name == "ash"
        in_step(shell)
    assert shell.send('echo "$kept"').raw == b"from before\n"


@pytest.mark.parametrize("limit", [0.0, 0.01, 0.05, 0.2])
def test_a_limit_in_the_middle_of_the_input_runs_nothing(limit: float, shell: Session) -> None:
    data = random.Random(3).randbytes(20_000_000)
    shell.send("kept='from before'")
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError) as caught:
        shell.send("touch run", input=data, timeout=limit)
    assert time.monotonic() - started < 20 + limit
    assert "lost" not in caught.value.recovery
    assert shell.send("ls -1; echo $kept", timeout=10).raw == b"kept\nfrom before\n"
    assert shell.send("cat", input="next\n", timeout=10).raw == b"next\n"


@pytest.mark.parametrize("pause", [0.05, 0.3])
def test_ctrl_c_in_the_middle_of_the_input_runs_nothing(pause: float, shell: Session) -> None:
    data = random.Random(3).randbytes(20_000_000)
    shell.send("kept='from before'")
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(pause, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        shell.send("touch run", input=data, timeout=60)
    timer.join()
    assert shell.send("ls -1; echo $kept", timeout=10).raw == b"kept\nfrom before\n"
    assert shell.send("cat", input="next\n", timeout=10).raw == b"next\n"


@pytest.mark.parametrize("bad", [5, ["a"], bytearray(b"a"), True, "\ud800", object()])
def test_bad_input_is_refused(bad: object, bash: Session) -> None:
    with pytest.raises(UsageError, match="input"):
        bash.send("touch run", input=bad)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="stderr"):
        bash.send("touch run", stderr=bad)  # type: ignore[arg-type]
    assert bash.send("ls").raw == b""


# Standard error apart


SPLITS = {
    "nothing": (":", b"", b""),
    "both": ("echo o; echo e >&2; echo p; echo f >&2", b"o\np\n", b"e\nf\n"),
    "no newlines": ("printf o; printf e >&2", b"o", b"e"),
    "only out": ("printf 'o\\n\\n'", b"o\n\n", b""),
    "only errors": ("printf '\\n\\ne' >&2", b"", b"\n\ne"),
    "NUL": ("printf 'a\\000b'; printf 'c\\000d' >&2", b"a\0b", b"c\0d"),
    "every byte": (
        f"{sys.executable} -c "
        "'import os; x = bytes(range(256)); os.write(1, x); os.write(2, x[::-1])'",
        bytes(range(256)),
        bytes(range(256))[::-1],
    ),
    "swapped": ("{ echo o; echo e >&2; } 3>&1 >&2 2>&3", b"e\n", b"o\n"),
    "a here-document": ("cat <<E >&2\na 'b'\nE", b"", b"a 'b'\n"),
    "a comment": ("echo a >&2 # b", b"", b"a\n"),
    "a group of its own": ("(echo o; echo e >&2) 2>/dev/null", b"o\n", b""),
    "a writer behind it": ("(sleep 0.2; echo late >&2 & wait); echo o", b"o\n", b"late\n"),
}


@pytest.mark.parametrize("case", SPLITS)
def test_both_are_exact(case: str, shell: Session, kept: Path) -> None:
    command, out, errors = SPLITS[case]
    result = shell.send(command, stderr="split", timeout=20)
    assert (result.raw, result.raw_stderr) == (out, errors)
    assert result.stderr == errors.decode("utf-8", "surrogateescape")
    assert list(kept.iterdir()) == []
    in_step(shell)


def test_it_is_merged_if_not_asked_for(bash: Session) -> None:
    result = bash.send("echo o; echo e >&2")
    assert result.raw == b"o\ne\n"


def test_much_of_it_arrives_whole(shell: Session, kept: Path) -> None:
    result = shell.send(
        "head -c 20000000 /dev/zero | tr '\\000' e >&2; echo out", stderr="split", timeout=50
    )
    assert result.raw == b"out\n"
    assert result.raw_stderr == b"e" * 20_000_000
    assert list(kept.iterdir()) == []


def test_it_works_where_output_was_sent_elsewhere(shell: Session, tmp_path: Path) -> None:
    shell.send("exec >told")
    result = shell.send("echo out; echo error >&2", stderr="split", timeout=20)
    assert (result.raw, result.raw_stderr) == (b"", b"error\n")
    shell.send("exec >/dev/tty")
    assert (tmp_path / "told").read_bytes() == b"out\n"
    in_step(shell)


def test_the_command_may_send_it_elsewhere_for_good(shell: Session, tmp_path: Path) -> None:
    result = shell.send("echo a >&2; exec 2>told; echo b >&2", stderr="split", timeout=20)
    assert result.raw == b""
    assert result.raw_stderr == b"a\n"
    assert (tmp_path / "told").read_bytes().startswith(b"b\n")
    in_step(shell)


def test_a_writer_left_behind_does_not_come_into_later_answers(shell: Session, kept: Path) -> None:
    result = shell.send("((sleep 0.3; echo late >&2) &); echo o", stderr="split", timeout=20)
    assert (result.raw, result.raw_stderr) == (b"o\n", b"")
    assert shell.send("sleep 0.6; echo p", timeout=20).raw == b"p\n"
    assert list(kept.iterdir()) == []


def test_a_command_cut_short_has_told_both(shell: Session, kept: Path) -> None:
    shell.send("kept='from before'")
    for command in ("sleep 60", "while :; do :; done", "cat"):
        with pytest.raises(CommandTimeoutError) as caught:
            shell.send(f"echo out; echo error >&2; {command}", stderr="split", timeout=0.5)
        if shell.dialect.name == "ash" and "lost" in caught.value.recovery:
            return
        assert caught.value.partial.startswith(b"out\n")
        assert b"error\n" in caught.value.partial
        assert list(kept.iterdir()) == []
        in_step(shell)
    assert shell.send('echo "$kept"').raw == b"from before\n"


@pytest.mark.parametrize(
    "command",
    ["shift 99", ". /nonexistent", "echo ${x?unset}", "readonly r=1; r=2", "eval 'if'", "break 2"],
)
def test_an_error_of_the_shell_itself_is_split_too(
    command: str, shell: Session, kept: Path
) -> None:
    merged = shell.send(command, check=False, timeout=20)
    again = shell.send(command, check=False, stderr="split", timeout=20)
    assert again.exit_code == merged.exit_code
    assert again.raw == b""
    assert bool(again.raw_stderr) == bool(merged.raw)
    assert list(kept.iterdir()) == []
    in_step(shell)


def test_what_cannot_be_parsed_leaves_nothing_behind(shell: Session, kept: Path) -> None:
    for command in ("echo 'a", "if true", "cat |", ")", "echo $("):
        result = shell.send(command, stderr="split", check=False, timeout=20)
        assert result.exit_code != 0
        assert list(kept.iterdir()) == []
        in_step(shell)


@pytest.mark.parametrize("name", ["bash", "dash", "ash"], indirect=True)
def test_the_last_word_is_there_with_standard_error_apart(shell: Session) -> None:
    for status in (0, 5):
        shell.send(f"/bin/echo one two; (exit {status})", check=status)
        assert shell.send("echo $_ $?", stderr="split").raw == f"two {status}\n".encode()


def test_status_and_state_go_on(shell: Session) -> None:
    shell.send("(exit 6)", check=6)
    result = shell.send("echo $?; x=1; cd /; (exit 4)", stderr="split", check=4)
    assert result.raw == b"6\n"
    assert shell.send('echo "$? $x $PWD"').raw == b"4 1 /\n"


@pytest.mark.parametrize(
    "option", ["set -e", "set -u", "set -f", "set -C", "IFS=/", "umask 077", "set -a"]
)
def test_it_is_exact_whatever_the_shell_was_told(option: str, shell: Session, kept: Path) -> None:
    shell.send(option)
    result = shell.send("/bin/echo o; ls /nonexistent || :", stderr="split", timeout=20)
    assert result.raw == b"o\n"
    assert b"/nonexistent" in result.raw_stderr
    assert list(kept.iterdir()) == []


def test_a_trace_is_part_of_it(shell: Session) -> None:
    shell.send("set -x")
    result = shell.send("echo a", stderr="split")
    if shell.dialect.name in ("ksh93", "mksh"):
        # They trace redirections, and where standard error pointed before.
        assert b"a\n" in result.raw.splitlines(keepends=True)
    else:
        assert result.raw == b"a\n"
        assert b"echo a" in result.raw_stderr


def test_words_of_the_users_own_are_not_run(shell: Session, kept: Path) -> None:
    shell.send("; ".join(f"{word}() {{ echo mine; }}" for word in ("cat", "rm", "umask", "printf")))
    result = shell.send("/bin/echo o; /bin/echo e >&2", stderr="split", timeout=20)
    assert (result.raw, result.raw_stderr) == (b"o\n", b"e\n")
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize("place", ["missing", "file/below", "/proc"])
def test_no_room_is_told_and_nothing_run(place: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Session(name, cwd=tmp_path, environment={"TMPDIR": str(tmp_path / place)}) as session:
        with pytest.raises(SessionError) as caught:
            session.send("touch run", stderr="split", timeout=20)
        assert str(tmp_path / place) in str(caught.value) or place in str(caught.value)
        assert session.send("ls").raw == b"file\n"
        in_step(session)


@pytest.mark.parametrize("place", ["a b", "quote's", 'two"quotes', "$HOME", "-n", "nl\nnl", "*"])
def test_any_directory_is_good_for_it(place: str, name: str, tmp_path: Path) -> None:
    directory = tmp_path / place
    directory.mkdir()
    for told in (str(directory), place):
        with Session(name, cwd=tmp_path, environment={"TMPDIR": told}) as session:
            result = session.send("echo e >&2; cd /; echo o; echo f >&2", stderr="split")
            assert (result.raw, result.raw_stderr) == (b"o\n", b"e\nf\n")
        assert list(directory.iterdir()) == []


def test_all_of_it_together(shell: Session, kept: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    result = shell.send(
        f"{ASKS}; echo oops >&2",
        input=b"x\0" * 1000,
        stderr="split",
        answers={"Password": "word"},
        on_output=heard.append,
        timeout=30,
    )
    assert result.output.endswith("word 2000\n")
    assert result.raw_stderr == b"oops\n"
    assert result.output in "".join(heard)
    assert (tmp_path / "told").read_bytes() == b"x\0" * 1000
    assert list(kept.iterdir()) == []
    in_step(shell)


def test_exit_with_split_tells_what_was_printed(shell: Session, kept: Path) -> None:
    with pytest.raises(LevelLostError) as caught:
        shell.send("echo out; echo error >&2; exit 3", stderr="split")
    assert caught.value.exit_code == 3
    assert caught.value.partial.startswith(b"out\n")


def test_it_stays_small_in_the_process_table(bash: Session) -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        bash.send("cat", input=b"a" * 100_000, stderr="split")
    assert len(os.listdir("/dev/fd")) == before
