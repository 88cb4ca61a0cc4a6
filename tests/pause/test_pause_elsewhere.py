"""Pauses without tmux: at a bare terminal, at odd ones, in odd shells, and where nobody is."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from pause.people import program
from pause.seats import ROOT, Seat

from shellbot import Session, UnknownNameError, UsageError

TakeASeat = Callable[..., Seat]

# What a script has done to its shell. A line that starts with "person" is typed in the pause.
SPOILT = (
    *("set -e", "set -u", "set -x", "set -v", "set -f", "set -C", "set -o vi", "IFS=x1"),
    *("exec 2>/dev/null", "exec >/dev/null", "trap 'echo int' INT", "trap '' INT"),
    *("PS1='mine> '", "PROMPT_COMMAND='echo hook'", "unset TERM", "PATH="),
    *("alias exit='echo mine' alias='echo mine'", "exit() { echo mine; }", "printf() { echo no; }"),
    *("trap 'echo debug >&2' DEBUG", "stty -icanon echo"),
    *("person IFS=x1", "person set -u", "person set -x", "person set -e", "person set -o vi"),
    *("person readonly PS1", "person PS1='mine> '", "person . ./rc"),
    *("person trap '' INT", "person trap 'echo int' INT", "person alias exit='echo mine'"),
)
# The same is done to a shell that nobody is given, to see what it answers then.
PAUSES = """
def answers(shell):
    answers = []
    for command in ("echo one", "printf 'two\\\\n'; ! :", "echo $-; echo err >&2; alias exit || :"):
        result = shell.send(command, check=False, timeout=8)
        answers.append([result.raw.decode(), result.exit_code])
    return answers

with open("rc", "w") as file:
    file.write("PS1='rc> '; PS2='more> '\\n")
for number, spoilt in enumerate({spoilt!r}):
    spoils = spoilt.removeprefix("person ")
    with Session({name!r}, cwd=os.getcwd()) as shell:
        shell.send(spoils, check=False)
        expected = answers(shell)
    with Session({name!r}, cwd=os.getcwd()) as shell:
        if spoils == spoilt:
            shell.send(spoils, check=False)
        shell.pause_point(f"pause {{number}}.")
        told[spoilt] = [expected, answers(shell)]
"""


def test_whatever_was_done_to_the_shell(name: str, seat: TakeASeat) -> None:
    at = seat(PAUSES.format(spoilt=SPOILT, name=name), shell=name, after="")
    for number, spoilt in enumerate(SPOILT):
        at.sees(f"pause {number}.")
        at.sees_prompt()
        by_person = spoilt.removeprefix("person ")
        if by_person != spoilt:
            at.type(f"{by_person}\r")
        at.type("echo se''en >/dev/tty\r")
        at.sees("seen\r\n")
        # Both ways out.
        if number % 2 and "exit" not in spoilt:
            at.type("exit\r")
            at.sees("going on")
        else:
            at.goes_on()
    told = at.told()
    assert told.pop("done", None), told
    assert {one: said for one, (expected, said) in told.items() if said != expected} == {}
    assert at.has_modes_as_before


def test_half_a_line_under_set_e(name: str, seat: TakeASeat) -> None:
    at = seat(
        "session.pause_point('look')\ntold['one'] = session.send('echo one').output", shell=name
    )
    at.sees("look")
    at.sees_prompt()
    at.type("set -e\r")
    at.sees_prompt()
    at.type("false; half a line")
    at.sees("half a line")
    at.goes_on()
    assert at.told()["one"] == "one\n"


HISTORY = """
session.send("echo ours")
pause = session.pause_point("first")
told["commands"] = [one.command for one in pause.commands]
session.send("echo ours again")
pause = session.pause_point("second")
"""


def test_no_line_of_ours_is_in_the_history(name: str, seat: TakeASeat) -> None:
    history = Path(os.environ["HOME"], "history")
    at = seat(HISTORY, shell=name, environment={"HISTFILE": str(history), "HISTTIMEFORMAT": "%F "})
    seen: list[bytes] = []
    for pause in ("first", "second"):
        at.sees(pause)
        at.sees_prompt()
        # Up, as the key and as Ctrl-P, and away with what that brings.
        at.type("\x1b[A\x1b[A\x10\x10\x15echo mi''ne\r")
        mine = at.sees("mine\r\n") + at.sees_prompt()
        at.type("history 2>/dev/null || fc -l; echo list''ed\r")
        seen.append(mine + at.sees("listed\r\n"))
        at.goes_on()
    told = at.told()
    assert told["done"], told
    if name not in ("ksh93", "mksh"):  # whose editors may draw a line in pieces
        assert any("mi''ne" in command for command in told["commands"])
    if name in ("bash", "zsh"):  # which tell what they run
        assert told["commands"][0] == "echo mi''ne"
    assert b"history" in seen[0]
    file = history.read_text(errors="replace") if history.exists() else ""
    if name == "ash":
        # It keeps each line that its editor reads, and has nothing to forget one with.
        assert set(re.findall(rb"__sb\w+", seen.pop())) <= {b"__sbd", b"__sbc", b"__sb1"}
    for text in (*map(bytes.decode, seen), file):
        assert "__sb" not in text
        assert "ours" not in text


@pytest.mark.parametrize(
    ("environment", "size"),
    [
        ({"TERM": "dumb"}, (24, 100)),
        ({"TERM": None}, (24, 100)),
        ({"TERM": "nonsense"}, (0, 0)),
        ({"NO_COLOR": "1"}, (0, 0)),
    ],
    ids=lambda value: str(value),
)
def test_odd_terminals(
    environment: dict[str, str | None], size: tuple[int, int], seat: TakeASeat
) -> None:
    at = seat(
        "session.pause_point('take a look')\nsession.pause_point('again', escape='ctrl-t')\n"
        "told['none'] = session.pause_point('last', escape=None).commands",
        environment=environment,
        size=size,
    )
    before = at.sees_prompt() + at.prompt
    colours = at.terminal.compile_pattern_list([rb"\x1b\[[0-9;]+m"])[0]
    is_plain = environment.get("TERM") == "dumb" or "NO_COLOR" in environment
    assert bool(colours.search(before)) is not is_plain
    at.goes_on()
    at.sees("again")
    at.sees("(Ctrl-T goes on) ")
    at.type("\x14")
    at.sees("last")
    at.sees("(exit goes on) ")
    at.type("stty size; cat\r")
    at.sees("24 80\r\n" if size == (0, 0) else "24 100\r\n")
    at.type("\x16\x1d\r")
    at.sees("^]\r\n\x1d\r\n")
    at.type("\x04")
    at.sees_prompt()
    at.type("exit\r")
    told = at.told()
    assert told["size"] == "24 80"
    assert [told["after"][0], told["after"][1]] == ["one\n", "two\n"]
    assert at.has_modes_as_before


def test_under_script(seat: TakeASeat, need: Callable[[str], None]) -> None:
    need("script")
    at = seat("session.pause_point('take a look')", under_script=True)
    at.sees_prompt()
    at.type("stty size\r")
    at.sees("24 100\r\n")
    at.goes_on()
    assert at.told()["done"]


NOBODY = """
pause = session.pause_point("take a look")
told["passed"] = pause.passed
told["kept"] = [list(pause.commands), pause.transcript]
try:
    session.pause_point("take a look", require=True)
except NobodyToAskError as error:
    told["required"] = str(error)
"""


# How the script is started, by a shell that has a terminal.
WAYS = {
    "/dev/null": 'exec "$@" </dev/null',
    "a pipe": 'echo exit | "$@"',
    "closed": 'exec "$@" <&-',
    "into a file": 'exec "$@" >output',
    "setsid": 'exec setsid -w "$@" </dev/null',
    "cron": 'cd /; exec env -i HOME="$HOME" PYTHONPATH="$PYTHONPATH" "$@" </dev/null | cat',
}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_there(way: str, tmp_path: Path) -> None:
    file, told = tmp_path / "script.py", tmp_path / "told.json"
    file.write_text(program(NOBODY, tmp_path, told))
    person, terminal = os.openpty()
    done = subprocess.run(
        ["sh", "-c", WAYS[way], "sh", sys.executable, "-W", "error", file],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        timeout=50,
    )
    os.close(person)
    os.close(terminal)
    said = json.loads(told.read_text())
    why = f"standard {'output' if way == 'into a file' else 'input'} is no terminal"
    assert done.returncode == 0
    assert said["passed"] == why
    assert said["kept"] == [[], ""]
    assert f"Passed a pause, as {why}: take a look" in done.stderr.decode()
    assert said["required"].endswith(why)
    assert said["after"][:2] == ["one\n", "two\n"]
    assert said["done"]


def test_what_is_wrong_is_told_before_anything_happens(bash: Session) -> None:
    for escape in ("", "]", "ctrl-", "ctrl-1", "F1"):
        with pytest.raises(UsageError, match="is no key like"):
            bash.pause_point(escape=escape)
    with pytest.raises(UnknownNameError, match="yellow"):
        bash.pause_point(color="yelow")
    assert bash.pause_point(color="32").passed


def ticks(pid: int) -> int:
    """The processor time that a process has had."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(stat[11]) + int(stat[12])


IDLE = """
session.pause_point("idle")
"""


def test_idle_it_takes_no_time_of_the_processor(seat: TakeASeat) -> None:
    at = seat(IDLE)
    at.sees_prompt()
    at.type("echo se''en; sleep 1; echo la''ter\r")
    at.sees("seen\r\n")
    before = ticks(at.terminal.pid)
    at.sees("later\r\n")
    assert ticks(at.terminal.pid) - before <= 1
    at.goes_on()
    assert at.told()["done"]


def delays(terminal: pexpect.spawn[bytes], keys: int = 50) -> list[float]:
    """How long each of some keys takes to be seen."""
    found = []
    for _ in range(keys):
        began = time.perf_counter()
        terminal.send("x")
        terminal.expect_exact(b"x")
        found.append(time.perf_counter() - began)
    return sorted(found)


def test_typing_is_not_delayed(seat: TakeASeat) -> None:
    at = seat("session.pause_point('type')")
    at.sees_prompt()
    bare = pexpect.spawn("bash", ["--norc", "--noprofile"], env={**os.environ, "PS1": "bare> "})
    bare.delaybeforesend = None
    bare.expect_exact(b"bare> ")
    # Side by side, so that what else the machine does concerns both.
    ours, theirs = delays(at.terminal), delays(bare)
    bare.close(force=True)
    assert statistics.median(ours) <= statistics.median(theirs) + 0.005
    assert ours[-3] <= theirs[-3] + 0.02
    at.goes_on()
    assert at.told()["done"]
