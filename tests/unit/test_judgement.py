"""What is judged by the text, where nothing else can be known."""

from __future__ import annotations

import os
import subprocess
import sys
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shellbot import limits, processes
from shellbot.diagnosis import KINDS, Diagnosis, Look, Scene
from shellbot.errors import UsageError

NOBODY = 2**22 + 1


def scene(printed: bytes = b"", quiet: float = 1.5) -> Scene:
    return Scene(
        shell=NOBODY,
        image=None,
        device=(0, 0),
        modes=[0, 0, 0, termios.ICANON, 0, 0, []],
        foreground=NOBODY,
        unread=False,
        since=processes.Moment(0),
        printed=printed,
        quiet=quiet,
    )


def judged(printed: bytes, quiet: float = 1.5) -> Diagnosis | None:
    look = Look(scene(printed, quiet))
    return look.waiting(look)


@pytest.mark.parametrize(
    ("printed", "kind"),
    [
        (b"[sudo] password for bob: ", "password"),
        (b"Enter passphrase for key '/root/.ssh/id': ", "password"),
        (b"Passwort: ", "password"),
        (b"Mot de passe : ", "password"),
        ("パスワード: ".encode(), "password"),
        (b"db1 login: ", "question"),
        (b"Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "question"),
        (b"Do you want to continue? [Y/n] ", "question"),
        (b"Overwrite the password file? [y/N] ", "question"),
        (b"\x1b[1mYour choice:\x1b[0m ", "question"),
        (b"Number of tokens: ", "question"),
        (b">>> ", "question"),
        (b"mysql> ", "question"),
        (b"10%\rdone\nrm: remove regular file 'f'? ", "question"),
        (b"root@db1:~# ", "shell"),
        (b"$ ", "shell"),
        (b"bob@db1 ~> ", "shell"),
        (b"line\n\x1b[7m(END)\x1b[27m", "pager"),
        (b"\x1b[7m--More--(12%)\x1b[0m", "pager"),
        (b"text\n:", "pager"),
        (b"\x1b[?1049h\x1b[1;1H~\x1b[2;1H~", "full-screen"),
        (b"\x1b[?1049h~\x1b[?1049l", None),
        (b"", None),
        (b"compiling\n", None),
        (b"Compiling: ", None),
        (b"Step 1: ", None),
        (b"Progress: 45%", None),
        (b"(Reading database ... 45%", None),
        (b"Receiving objects:  45% (450/1000)\r", None),
        (b"45%|####    | 45/100 [00:05<00:06,  2.1s/it]", None),
        (b"[####    ]", None),
        (b"checking for gcc... (cached)", None),
        (b"\x1b[1;23r\x1b[24;0fProgress: [ 45%]\x1b[24;0f", None),
        (b"Password: \nwelcome\n", None),
    ],
)
def test_a_last_line_is_judged(printed: bytes, kind: str | None) -> None:
    found = judged(printed)
    assert (found and found.kind) == kind
    if found:
        assert not found.certain
        assert found.waiting
        assert str(found).startswith("probably ")
        assert "judged by its last line" in str(found)


def test_nothing_is_judged_before_a_second_of_silence() -> None:
    assert judged(b"Password: ", quiet=0.9) is None


@given(st.binary(max_size=300))
def test_any_output_can_be_judged(printed: bytes) -> None:
    found = judged(printed)
    assert found is None or (found.kind in KINDS and str(found) and found.advice)


@given(st.text(max_size=100))
def test_progress_is_never_taken_for_waiting(words: str) -> None:
    found = judged(f"{words} 45% (450/1000) ".replace("\n", " ").encode())
    assert found is None or found.kind in ("pager", "full-screen")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_phrase_and_an_advice(kind: str) -> None:
    found = Diagnosis(kind)
    assert str(found)
    assert found.advice
    assert kind in repr(found)


# Who is at work

SHELL, FIRST, SECOND = 100, 101, 102


def running(pid: int, state: str = "S", busy: int = 0, reaped: int = 0) -> processes.Process:
    """A process in that *state*, after so many ticks of its own and of its children."""
    fields = [b"0"] * 40
    fields[0], fields[11], fields[13] = state.encode(), b"%d" % busy, b"%d" % reaped
    fields[1] = b"%d" % (0 if pid == SHELL else SHELL)
    return processes.Process(pid, "bash" if pid == SHELL else "x", fields)


def look(*these: processes.Process) -> Look:
    found = Look(scene())
    found.processes = list(these)
    found.waits = {one.pid: [] for one in these}
    return found


def test_who_has_just_begun_to_run_is_only_passing_by() -> None:
    before = look(running(SHELL), running(FIRST))
    now = look(running(SHELL), running(SECOND, "R"))
    assert now.passing(before) == {SECOND}
    assert now.working(before, {SECOND}).kind == "silent"
    now = look(running(SHELL, "R", 1), running(FIRST))
    assert now.passing(before) == {SHELL}


def test_who_runs_each_time_is_busy_however_little_it_gets() -> None:
    before, now = (
        look(running(SHELL), running(FIRST, "R")),
        look(running(SHELL), running(FIRST, "R")),
    )
    assert now.passing(before) == set()
    found = now.working(before)
    assert (found.kind, found.pid) == ("busy", FIRST)


def test_who_has_used_much_since_is_busy() -> None:
    before = look(running(SHELL), running(FIRST, "S", 500))
    for now in (
        look(running(SHELL), running(SECOND, "R", 5)),
        look(running(SHELL), running(FIRST, "S", 505)),
    ):
        assert now.passing(before) == set()
        assert now.working(before).kind == "busy"


def test_what_children_have_used_since_counts_and_nothing_from_before() -> None:
    before = look(running(SHELL, reaped=100), running(FIRST, "S", 500))
    busy = look(running(SHELL, reaped=605), running(SECOND))
    assert (busy.working(before).kind, busy.working(before).pid) == ("busy", SHELL)
    assert look(running(SHELL, reaped=601), running(SECOND)).working(before).kind == "silent"


# Moments


@given(
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.integers(1, 4_194_304),
    st.integers(1, 4_194_304),
)
def test_what_began_before_and_after_is_told_apart(
    started: int, tick: int, pid: int, last: int
) -> None:
    fields = [b"S", *(b"0" for _ in range(40))]
    fields[19] = b"%d" % started
    one = processes.Process(pid, "x", fields)
    nanoseconds = tick * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    moment = processes.Moment(nanoseconds, b"0.00 0.01 0.05 1/78 %d\n" % last)
    began = one.began_since(moment)
    if started != tick:
        assert began == (started > tick)
    elif pid > last:
        assert began
    elif last - pid < 5_000:
        assert not began


def test_a_child_began_since_the_moment_before_and_not_the_one_after() -> None:
    clock = processes.Clock()
    for _ in range(20):
        before = clock.now()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            after = clock.now()
            found = next(one for one in processes.below(os.getpid()) if one.pid == child.pid)
            assert found.began_since(before)
            assert not found.began_since(after)
            child.communicate(b"\n")
    clock.close()
    clock.close()


def test_what_a_process_waits_for_is_seen() -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(["cat"], stdin=reading, stdout=subprocess.DEVNULL) as child:
        os.close(reading)
        while not (waits := processes.waits(child.pid)) or waits[0].call != "read":
            pass
        assert waits[0].main
        assert waits[0].files[0].name.startswith("pipe:")
        os.close(writing)
    assert processes.waits(NOBODY) == []
    assert processes.process(NOBODY) is None
    assert processes.arguments(NOBODY) == []
    assert processes.files(NOBODY) == []


# Limits


@given(st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_a_call_replaces_the_limits_that_it_gives(total: float, idle: float | None) -> None:
    own = limits.Limits(total, idle)
    kept = own.but(limits.DEFAULT, limits.DEFAULT)
    assert (kept.total, kept.idle) == (total, idle)
    assert own.but(None, limits.DEFAULT).total is None
    assert own.but(limits.DEFAULT, 7).idle == 7


@pytest.mark.parametrize("limit", [-1, float("nan"), "5", True, object()])
def test_what_is_no_limit_is_refused(limit: object) -> None:
    with pytest.raises(UsageError, match="is no number of seconds"):
        limits.Limits(limit)  # type: ignore[arg-type]
