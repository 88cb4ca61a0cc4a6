"""What is known of what was typed, before it is read and after."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dialogues.machines import until

from shellbot import SessionClosedError, StartError, processes
from shellbot.terminal import Terminal

# Takes what is typed key by key, as a relay does, and stands still each time that it has read.
RELAY = """
import os, signal, tty
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
tty.setraw(0)
while True:
    print("here", flush=True)
    signal.sigwait([signal.SIGUSR1])
    os.read(0, 4096)
"""


@pytest.fixture
def relay() -> Iterator[Terminal]:
    """A terminal with a relay on it, which reads once for each SIGUSR1."""
    words = (sys.executable, "-c", RELAY)
    terminal = Terminal(words, environment=dict(os.environ), size=(24, 80))
    try:
        assert says_it_is_here(terminal)
        yield terminal
    finally:
        terminal.close()


def says_it_is_here(terminal: Terminal) -> bool:
    printed = b""
    while b"\n" not in printed and (data := terminal.read(20)):
        printed += data
    return printed.endswith(b"here\n")


def state(terminal: Terminal) -> str:
    found = processes.process(terminal.pid)
    assert found
    return found.state


def test_what_was_just_typed_was_not_taken(relay: Terminal) -> None:
    os.kill(relay.pid, signal.SIGUSR1)
    until(relay.was_taken)
    os.kill(relay.pid, signal.SIGSTOP)
    until(lambda: state(relay) == "T")
    for _ in range(500):
        relay.write(b"x")
        assert not relay.was_taken()


def test_what_was_just_printed_is_unread(relay: Terminal) -> None:
    side = os.open(relay._device_name, os.O_WRONLY | os.O_NOCTTY)
    try:
        for _ in range(500):
            assert not relay.has_unread()
            os.write(side, b"x")
            assert relay.has_unread()
            assert relay.read(20) == b"x"
    finally:
        os.close(side)


def test_it_was_taken_once_the_reader_is_back_for_more(relay: Terminal) -> None:
    relay.write(b"x")
    os.kill(relay.pid, signal.SIGUSR1)
    assert says_it_is_here(relay)
    assert not relay.was_taken()
    os.kill(relay.pid, signal.SIGUSR1)
    until(relay.was_taken)


def test_a_busy_program_is_held_where_it_is_in_no_library() -> None:
    words = ("busybox", "ash", "-c", "echo here; while :; do :; done")
    terminal = Terminal(words, environment=dict(os.environ), size=(24, 80))
    try:
        assert says_it_is_here(terminal)
        for _ in range(50):
            with terminal.held_outside_library(terminal.pid):
                assert state(terminal) == "T"
                counter = Path(f"/proc/{terminal.pid}/syscall").read_text().split()[-1]
                maps = Path(f"/proc/{terminal.pid}/maps").read_text().splitlines()
                libraries = [line.split()[0].split("-") for line in maps if ".so" in line]
                assert libraries
                for first, last in libraries:
                    assert not int(first, 16) <= int(counter, 16) < int(last, 16)
            assert state(terminal) == "R"
    finally:
        terminal.close()


def test_the_interrupt_of_a_key_has_come_once_it_was_awaited() -> None:
    words = ("busybox", "ash", "-c", "trap : INT; echo here; while :; do :; done")
    terminal = Terminal(words, environment=dict(os.environ), size=(24, 80))
    try:
        assert says_it_is_here(terminal)
        for _ in range(200):
            with terminal.held_outside_library(terminal.pid):
                assert state(terminal) == "T"
                terminal.press(termios.VINTR)
                terminal.await_interrupt(terminal.pid)
                assert processes.has_signal(terminal.pid, "ShdPnd", signal.SIGINT)
    finally:
        terminal.close()


def test_nobody_waits_for_the_interrupt_of_one_that_ignores_it() -> None:
    words = ("busybox", "ash", "-c", "trap '' INT; echo here; while :; do :; done")
    terminal = Terminal(words, environment=dict(os.environ), size=(24, 80))
    try:
        assert says_it_is_here(terminal)
        with terminal.held_outside_library(terminal.pid):
            started = time.monotonic()
            terminal.await_interrupt(terminal.pid)
            assert time.monotonic() - started < 0.5
    finally:
        terminal.close()


def test_a_flood_comes_whole_in_portions_that_are_bounded() -> None:
    words = ("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x")
    terminal = Terminal(words, environment=dict(os.environ), size=(24, 80))
    pieces = []
    while data := terminal.read(50):
        pieces.append(data)
    terminal.close()
    assert b"".join(pieces) == b"x" * 1_000_000
    assert max(map(len, pieces)) < 2 * 65_536
    assert terminal.exit_code == 0


@pytest.fixture
def cat() -> Iterator[Terminal]:
    """A terminal with ``cat`` on it."""
    terminal = Terminal(["cat"], environment={"PATH": os.environ["PATH"]}, size=(24, 80))
    yield terminal
    terminal.close()


def test_pexpect_has_the_same_terminal(cat: Terminal) -> None:
    cat.expect.sendline("some words")
    cat.expect.expect_exact(b"some words", timeout=20)
    assert (cat.expect.pid, cat.expect.isalive(), cat.expect.name) == (cat.pid, True, "<cat>")


def test_what_pexpect_closes_is_no_descriptor_of_ours(cat: Terminal) -> None:
    cat.expect.close()
    with open(os.devnull) as other:
        until(lambda: not cat.read(20) and cat.ended)
        cat.close()
        os.fstat(other.fileno())


def test_closing_the_terminal_closes_what_pexpect_has(cat: Terminal) -> None:
    view = cat.expect
    descriptor = view.child_fd
    cat.close()
    assert (view.closed, view.child_fd) == (True, -1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_pexpect_is_given_no_terminal_that_is_closed(cat: Terminal) -> None:
    cat.close()
    with pytest.raises(SessionClosedError):
        cat.expect  # noqa: B018 - the attribute is what raises


def test_a_program_that_is_not_there_is_not_taken_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy("/bin/sh", tmp_path / "unheard-of")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StartError, match="cannot start 'unheard-of'"):
        Terminal(["unheard-of"], environment={"PATH": "/bin"}, size=(24, 80))


def test_a_session_imports_nothing_slow_that_it_does_not_need() -> None:
    program = (
        "import sys\n"
        "there = set(sys.modules)\n"
        "import shellbot\n"
        "with shellbot.bash() as session:\n"
        "    session.send('true')\n"
        "slow = {'dataclasses', 'logging', 'pexpect', 'shutil', 'subprocess', 'typing'}\n"
        "print(sorted((slow & set(sys.modules)) - there))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
