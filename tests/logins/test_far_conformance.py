"""Three hops away, every shell answers exactly as the session's own does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from logins.far import Far

import shellbot
from shellbot import CommandTimeoutError, Session, dialects

SHELLS = tuple(row.name for row in dialects.TABLE)
# What does not depend on the shell: compared with what bash does on its own.
COMMANDS = {
    "words": "echo a  b",
    "no newline": "printf yes",
    "nothing": ":",
    "status": "echo out; (exit 42)",
    "255": "(exit 255)",
    "not found": "sh -c 'exit 127'",
    "tab": "printf '%s' 'a\tb'",
    "control characters": "printf '%s' '" + "".join(map(chr, (*range(1, 32), 127))) + "'",
    "NUL": "printf 'a\\000b'",
    "every byte": 'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done',
    "carriage returns": "printf 'a\\rb\\r\\nc\\n\\r'",
    "tilde": "printf '%s\\n' '~.' '~~.'\nprintf '%s' '\n~.\n~^Z\n~?'",
    "tilde first": "~/nothing-there 2>/dev/null\n:",
    "UTF-8": "printf '%s' 'grüße ☃ 日本語'",
    "not UTF-8": "printf '%s' '\udcff\udc80'",
    "quotes": """printf '%s' "it's" '"' \\' "\\"" """,
    "backslashes": r"printf '%s' '\\ \n \0 \'",
    "exclamation marks": "printf '%s' 'a!b !! !$' \"!\" !x",
    "here-document": "cat <<EOF\n\ttab $((1+1))\n~.\nEOF",
    "quoted here-document": "cat <<'E F'; echo z\n$x `y` \\ '\nE F",
    "comment": "echo a # it's",
    "function": 'f() {\n  echo "f $1"\n}\nf x',
    "continued": "echo a \\\n b",
    "loop": "for i in 3 1 2\ndo\n echo $i\ndone | sort",
    "escape sequences": "printf '\\033[1mbold\\033[0m\\033]0;title\\007\\033[2J\\033[6n'",
    "prompts": "printf '$ \\n# \\n> \\nPassword: \\n[user@host ~]$ '",
    "both outputs": "echo 1; echo 2 >&2; echo 3",
    "large": "seq 20000",
    "a long line": "echo " + "x" * 20_000,
    "many lines": "\n".join(f"echo {number}" for number in range(300)),
    "terminal": "test -t 0 && test -t 1 && echo yes",
}
CHANGES = {
    "echo": "stty echo",
    "sane": "stty sane",
    "raw": "stty raw",
    "raw and echo": "stty raw echo",
    "cbreak": "stty cbreak",
    "another key": "stty lnext ^A",
    "translated": "stty opost onlcr",
    "prompt": "PS1='$ '",
    "field separator": "IFS=abc",
    "tracing": "set -u",
    "a trap": "trap 'echo left' EXIT",
    "output away": "exec 3>&1 >/dev/null; exec >&3 3>&-",
}
HANGING = {
    "sleep": "sleep 60",
    "reads": "cat",
    "flood": "yes",
    "loop": "while :; do :; done",
    "pipeline": "sleep 60 | cat",
}


@pytest.fixture(scope="module", params=SHELLS)
def away(request: pytest.FixtureRequest, far: Far) -> Iterator[Session]:
    """A session that has gone through ssh, su and ssh."""
    with shellbot.bash() as session:
        session.login(far.way())
        session.su("root")
        session.login(far.way(shell=request.param))
        assert session.where.shell == request.param
        yield session


@pytest.fixture
def session(away: Session, need: Callable[[str], None]) -> Session:
    assert away.where.depth == 3
    return away


def exact(session: Session) -> None:
    assert session.send("printf '%s' 'a\tb\n'; (exit 3)", check=3, timeout=10).raw == b"a\tb\n"
    assert session.send("/bin/echo b; sh -c 'exit 4'", check=4, timeout=10).raw == b"b\n"
    assert session.send("cat", input="in\tput\n", timeout=10).raw == b"in\tput\n"


def test_every_command_is_exact(session: Session) -> None:
    wrong = []
    for what, command in COMMANDS.items():
        # "!" is no word for bash -c, and a terminal is only there if one is given.
        expected = (b"yes\n", 0) if what == "terminal" else as_bash(command)
        found = session.send(command, check=False, timeout=20)
        if (found.raw, found.exit_code) != expected:
            wrong.append((what, found.raw[:200], found.exit_code, expected[0][:200], expected[1]))
    assert wrong == []
    exact(session)


def as_bash(command: str) -> tuple[bytes, int]:
    done = subprocess.run(
        [b"bash", b"-c", command.encode("utf-8", "surrogateescape")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.stdout, done.returncode


def test_a_megabyte_in_one_command(session: Session) -> None:
    word = "0123456789" * 100_000
    found = session.send(f"x={word}; echo ${{#x}}; case $x in {word}) echo same;; esac", timeout=50)
    assert found.raw == b"1000000\nsame\n"
    exact(session)


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_command_leaves_behind_changes_nothing(change: str, session: Session) -> None:
    session.send(CHANGES[change], timeout=10)
    exact(session)
    session.send("unset IFS; set +u; trap - EXIT; PS1=", timeout=10)
    session.send(CHANGES[change], timeout=10)
    found = session.send("echo )", check=False, timeout=10)
    assert b"__sb" not in found.raw
    assert b"\r" not in found.raw
    exact(session)
    session.send("unset IFS; set +u; trap - EXIT; PS1=", timeout=10)


def test_what_is_not_complete_fails(session: Session) -> None:
    for command in ("echo 'abc", "echo $(echo a", "if true", "cat <<EOF\nabc"):
        assert session.send(command, check=False, timeout=10).exit_code != 0
        exact(session)


@pytest.mark.parametrize("situation", HANGING)
def test_the_session_is_in_step_after_a_time_out(situation: str, session: Session) -> None:
    session.send("kept='from before'")
    with pytest.raises(CommandTimeoutError) as caught:
        session.send(HANGING[situation], timeout=0.3)
    assert "lost" not in caught.value.recovery
    exact(session)
    assert session.send('echo "$kept"', timeout=5).raw == b"from before\n"
