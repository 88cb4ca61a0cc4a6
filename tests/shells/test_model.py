"""Long runs: every answer right, none late, none swapped, none lost."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import shellbot
from shellbot import CommandTimeoutError, Session

HANGING = (
    "sleep 60",
    "echo {0}; sleep 60",
    "while :; do sleep 0.01; done",
    "(trap '' INT; sleep 0.4; echo late {0}) & sleep 60",
    "yes {0}",
    "cat",
    "echo {0} | cat - /dev/tty",
    "sh -c 'trap \"echo late {0}; exit 9\" INT; sleep 60 & wait'",
    "yes late {0} & sleep 60",
    "sleep 60 & wait",
)


class Model:
    """What a shell would say, worked out beforehand."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.choice = random.Random(seed)
        self.directory = directory
        self.variables: dict[str, str] = {}
        self.status = 0

    def step(self, number: int) -> tuple[str, bytes, int]:
        """The next command, and the output and status that it has to have."""
        word = f"w{number}"
        kinds: tuple[Callable[[str], tuple[str, str, int]], ...] = (
            lambda word: (f"echo {word}", word + "\n", 0),
            lambda word: (f"echo {word}; (exit {len(word)})", word + "\n", len(word)),
            lambda word: ('echo "$?"', f"{self.status}\n", 0),
            lambda word: (f"echo {word} >&2; false", word + "\n", 1),
            lambda word: (f"/bin/echo {word}; sh -c 'exit 41'", word + "\n", 41),
            lambda word: (f"printf {word}", word, 0),
            lambda word: ("no_such_command_at_all 2>/dev/null", "", 127),
            lambda word: (f"cat <<'END'\n{word}\n$x\nEND", f"{word}\n$x\n", 0),
            lambda word: (f"echo {word} | tr w W", word.replace("w", "W") + "\n", 0),
            lambda word: (f"seq {len(word) * 3000}", self._numbers(len(word) * 3000), 0),
            self._set,
            self._read,
            self._move,
            lambda word: ("pwd", f"{self.directory}\n", 0),
            lambda word: (f"(sleep 0.01; echo {word}) & wait $!; echo {word}", f"{word}\n" * 2, 0),
            lambda word: (f"for i in 1 2 3; do echo {word}$i; done", self._three(word), 0),
        )
        command, output, status = self.choice.choice(kinds)(word)
        self.status = status
        return command, output.encode(), status

    @staticmethod
    def _numbers(last: int) -> str:
        return "".join(f"{number}\n" for number in range(1, last + 1))

    @staticmethod
    def _three(word: str) -> str:
        return "".join(f"{word}{number}\n" for number in (1, 2, 3))

    def _set(self, word: str) -> tuple[str, str, int]:
        name = self.choice.choice(("one", "two", "three"))
        self.variables[name] = word
        return f"{name}={word}", "", 0

    def _read(self, word: str) -> tuple[str, str, int]:
        name = self.choice.choice(("one", "two", "three"))
        return f'echo "{word} ${name}"', f"{word} {self.variables.get(name, '')}\n", 0

    def _move(self, word: str) -> tuple[str, str, int]:
        self.directory = self.directory / word
        return f"mkdir {word}; cd {word}", "", 0


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("name", "count", "hangs"),
    [("bash", 1_000, 50), *((name, 200, 10) for name in ("dash", "zsh", "ksh93", "mksh"))],
    indirect=["name"],
)
def test_a_thousand_commands_and_fifty_time_outs(
    name: str, count: int, hangs: int, tmp_path: Path
) -> None:
    model = Model(20_261_122, tmp_path)
    moments = set(model.choice.sample(range(count), hangs))
    with Session(name, cwd=tmp_path) as session:
        for number in range(count):
            if number in moments:
                command = model.choice.choice(HANGING).format(f"w{number}")
                with pytest.raises(CommandTimeoutError):
                    session.send(command, timeout=0.1)
                session.send("(exit 77)", check=77, timeout=20)
                model.status = 77
            # The answer to an empty line is what the last command left.
            command, output, status = model.step(number)
            told = session.send(command, check=False, timeout=20)
            if announced := re.search(rb"(?s)\A.*?\[\d+\]\s+\d+\n", told.raw):
                # Some shells announce a job when it is started.
                output = announced.group() + output
            assert (told.raw, told.exit_code) == (output, status), command


def test_what_a_child_prints_before_it_ends_is_never_lost(bash: Session) -> None:
    expected = b"0" * 65_536
    for _ in range(1_000):
        assert bash.send("/bin/sh -c 'printf %065536d 0'", timeout=20).raw == expected


SERVER = "sh -c 'while :; do echo tick; sleep 0.02; done' &"


def test_a_chatty_server_delays_nothing(shell: Session) -> None:
    shell.send(SERVER)
    started = time.monotonic()
    for number in range(20):
        assert b"%d\n" % number in shell.send(f"echo {number}", timeout=5).raw
    assert time.monotonic() - started < 1
    with pytest.raises(CommandTimeoutError):
        shell.send("sleep 60", timeout=0.3)
    assert shell.send("kill -0 $!", timeout=5).ok
    started = time.monotonic()
    shell.close()
    assert time.monotonic() - started < 2


def test_a_session_is_closed_in_time_whatever_still_prints(name: str) -> None:
    with shellbot.Session(name) as session:
        session.send("yes & yes & (trap '' HUP TERM INT; yes) &")
        started = time.monotonic()
        session.close()
        assert time.monotonic() - started < 2.5
