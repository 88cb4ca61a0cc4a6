"""What is known of what was typed, before it is read and after."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from dialogues.machines import until

from shellbot import processes
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
