"""A command of any shape reaches the shell unchanged, or nothing is typed at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shellbot import CommandError, Session, UsageError

COMMANDS: dict[str, tuple[str, bytes]] = {
    "tab": ("printf '%s' 'a\tb'", b"a\tb"),
    "exclamation marks": ("printf '%s' 'a!b !! !$' \"!\" !x", b"a!b !! !$!!x"),
    "quotes": ("""printf '%s' "it's" '"' \\' "\\"" """, b"it's\"'\""),
    "backslashes": (r"printf '%s' '\\ \n \0 \'", b"\\\\ \\n \\0 \\"),
    "control characters": (
        "printf '%s' '" + "".join(map(chr, (*range(1, 32), 127))) + "'",
        bytes((*range(1, 32), 127)),
    ),
    "UTF-8": ("printf '%s' 'grüße ☃ 日本語 👩‍👩‍👧'", "grüße ☃ 日本語 👩‍👩‍👧".encode()),
    "not UTF-8": ("printf '%s' '\udcff\udc80'", b"\xff\x80"),
    "here-document": ("cat <<EOF\n\ttab $((1+1))\n\nEOF", b"\ttab 2\n\n"),
    "quoted here-document": ("cat <<'E F'; echo z\n$x `y` \\ '\nE F", b"$x `y` \\ '\nz\n"),
    "tabbed here-document": ("cat <<-EOF\n\t\tx\n\tEOF\n", b"x\n"),
    "here-document about the editor": ("cat <<EOF\nset -o vi\nEOF", b"set -o vi\n"),
    "the editor in quotes": ("echo 'set -o vi'\necho b", b"set -o vi\nb\n"),
    "two here-documents": ("cat <<A; cat <<B\na\nA\nb\nB\n", b"a\nb\n"),
    "shift, not here-document": ("echo $((1<<3))", b"8\n"),
    "here-document in quotes": ("echo '<<EOF'", b"<<EOF\n"),
    "function": ('f() {\n  echo "f $1"\n}\nf x', b"f x\n"),
    "comment at the end": ("echo a # b", b"a\n"),
    "comment between": ("echo a\n# it's\necho b", b"a\nb\n"),
    "newlines around": ("\n\n echo a\n\n", b"a\n"),
    "loops": ("for i in 1 2\ndo\n  echo $i\ndone | sort -r", b"2\n1\n"),
    "case": ("case x in (y) echo no;; x) echo yes;; esac", b"yes\n"),
    "substitutions": ("echo $(echo a; echo `echo b`) $((2*3))", b"a b 6\n"),
    "subshell": ("(echo a; exit 0); echo b", b"a\nb\n"),
    "trailing semicolon": ("echo a;", b"a\n"),
    "line continuation": ("echo a \\\n b", b"a b\n"),
    "line continued to nowhere": ("echo a \\\n", b"a\n"),
    "such a line in an eval": ("eval 'echo a \\\n'", b"a\n"),
    "2,000 lines": (
        "\n".join(f"echo {number}" for number in range(2_000)),
        b"".join(b"%d\n" % number for number in range(2_000)),
    ),
    "a long line": ("echo " + "x" * 100_000, b"x" * 100_000 + b"\n"),
    "a long line of quotes": ("printf '%s' \"" + "'" * 20_000 + '"', b"'" * 20_000),
    "a long line of letters": ("printf '%s' '" + "é☃" * 20_000 + "'", "é☃".encode() * 20_000),
}


@pytest.mark.parametrize(("command", "output"), COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_arrives_unchanged(shell: Session, command: str, output: bytes) -> None:
    assert shell.send(command, timeout=20).raw == output
    assert shell.send("echo in step").raw == b"in step\n"


def test_one_line_of_a_megabyte_arrives_unchanged(shell: Session) -> None:
    word = "0123456789" * 100_000
    result = shell.send(f"x={word}; echo ${{#x}}; case $x in {word}) echo same;; esac", timeout=50)
    assert result.raw == b"1000000\nsame\n"


@pytest.mark.parametrize("command", ["", " ", "\n\t\n", "# only a comment", "\n # it's\n"])
def test_nothing_to_do_succeeds_and_changes_nothing(shell: Session, command: str) -> None:
    shell.send("(exit 3)", check=3)
    assert (shell.send(command).raw, shell.send(command).exit_code) == (b"", 0)
    assert shell.send_and_get_output("echo $?") == "3"


INCOMPLETE = {
    "quote": "echo 'abc",
    "double quote": 'echo "abc',
    "backquote": "echo `echo a",
    "substitution": "echo $(echo a",
    "expansion": "x=${y:-",
    "expansion with a brace in it": "x=${y:-'}'",
    "expansion in an expansion": "echo ${x} ${y:=a${z}",
    "arithmetic": "echo $((1 + ",
    "parenthesis": "( echo a",
    "brace": "{ echo a",
    "if": "if true",
    "for": "for i in 1 2",
    "case": "case x in",
    "here-document": "cat <<EOF\nabc",
    "quoted here-document": "cat <<'EOF'\nabc\n EOF\nEOF ",
    "here-document of a file": "cat >file <<EOF\nabc",
}


@pytest.mark.parametrize("command", INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_an_incomplete_command_fails_within_a_second(shell: Session, command: str) -> None:
    started = time.monotonic()
    with pytest.raises(CommandError):
        shell.send(command, timeout=20)
    assert time.monotonic() - started < 1
    assert shell.send("echo in step").raw == b"in step\n"


def test_an_incomplete_here_document_runs_nothing(shell: Session, tmp_path: Path) -> None:
    shell.send("touch ran; cat >file <<EOF\nabc", check=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["echo a\0b", "echo \ud800"])
def test_what_cannot_be_sent_raises_before_anything_is_typed(bash: Session, command: str) -> None:
    with pytest.raises(UsageError, match="cannot be sent"):
        bash.send(command)
    assert bash._shell.line.number == 0


def test_lists_are_quoted(shell: Session, tmp_path: Path) -> None:
    names = ["a b", "it's", "$HOME", "*", "-x", "new\nline", "ü", "~", "=ls", "a\\b", "#", "!"]
    shell.send(["touch", "--", *names])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    shell.send(["rm", "--", *(tmp_path / name for name in names)])
    assert list(tmp_path.iterdir()) == []


WRONG: list[Callable[[Session], object]] = [
    lambda session: session.send([]),
    lambda session: session.send(["echo", 1]),  # type: ignore[list-item]
    lambda session: session.send(b"echo"),  # type: ignore[arg-type]
    lambda session: session.send(None),  # type: ignore[arg-type]
    lambda session: session.send("echo", check="0"),  # type: ignore[arg-type]
    lambda session: session.send("echo", check=[]),
    lambda session: session.send_until("echo", "("),
    lambda session: session.send_until("echo", 1),  # type: ignore[arg-type]
    lambda session: session.send_until("echo", "x", every=-1),
    lambda session: session.send_until("echo", "x", timeout=float("nan")),
]


@pytest.mark.parametrize("call", WRONG)
def test_a_wrong_call_raises_before_anything_is_typed(
    bash: Session, call: Callable[[Session], object]
) -> None:
    with pytest.raises(UsageError):
        call(bash)
    assert bash._shell.line.number == 0


def test_a_command_that_reads_the_terminal_is_never_fed_our_words(shell: Session) -> None:
    for command in ("cat", "read x", "head -n1"):
        with pytest.raises(TimeoutError):
            shell.send(command, timeout=0.3)
        assert shell.send("echo in step").raw == b"in step\n"
