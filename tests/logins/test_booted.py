"""The serial console of a machine that has a kernel of its own, and is slow."""

from __future__ import annotations

import threading
import time

import pytest
from dialogues.machines import PASSWORD
from logins.booted import HOST, Booted
from logins.servers import exact

from shellbot import CommandTimeoutError, LevelLostError, LoginError, Secret, Session

# It has to boot first, and one processor may be all that there is for it and for others.
UP = 60.0


def logged_in(session: Session, user: str) -> None:
    where = session.where
    assert (where.host, where.user, where.depth, where.shell) == (HOST, user, 1, "ash")
    assert session.send("id -un; cat /proc/cmdline").text.startswith(f"{user}\nconsole=ttyS0 ")


def test_a_booted_machine(booted: Booted, bash: Session) -> None:
    # Nobody has waited for it: the login comes to it while it boots.
    bash.serial(booted.line, user="tester", password=Secret(PASSWORD), timeout=UP)
    logged_in(bash, "tester")
    result = bash.send("printf 'a\\tb\\r\\n$ '; (exit 3)", check=3, timeout=10)
    assert (result.raw, result.exit_code) == (b"a\tb\r\n$ ", 3)
    word = "0123456789" * 500
    found = bash.send(f"x={word}; echo ${{#x}} $x | md5sum; echo $x", timeout=20)
    assert found.text.splitlines()[1] == word
    data = bytes(range(256)) * 8
    assert bash.send("cat", input=data, timeout=20).raw == data
    assert bash.send("seq 5000", timeout=20).raw == b"".join(
        b"%d\n" % one for one in range(1, 5001)
    )
    for command in ("sleep 100", "cat", "while :; do :; done"):
        with pytest.raises(CommandTimeoutError, match=r"took Ctrl-C\."):
            bash.send(command, timeout=0.5)
        exact(bash, depth=1)
    bash.logout()
    exact(bash)
    # Nothing was typed to the next getty, and nobody is logged in.
    assert set(booted.on_the_line(b" login: ").split()) == {HOST.encode(), b"login:"}


def test_a_wrong_password_for_a_booted_machine_is_sent_once(booted: Booted, bash: Session) -> None:
    started = time.monotonic()
    with pytest.raises(LoginError, match="Login incorrect") as caught:
        bash.serial(booted.line, user="tester", password="wr0ng-one", timeout=UP)
    assert caught.value.reason == "wrong_password"
    assert caught.value.partial.count(b"Password:") == 1
    assert "wr0ng-one" not in str(caught.value)
    # It says so after three seconds; before that, it may have had to boot.
    assert time.monotonic() - started < UP / 2
    exact(bash)


def test_a_machine_behind_its_console_restarts_and_then_has_its_plug_pulled(
    booted: Booted, bash: Session
) -> None:
    bash.serial(booted.line, user="root", password=PASSWORD, timeout=UP)
    before = bash.where
    # The line stays, so nothing tells that the shell has gone, but that it does not answer.
    with pytest.raises(CommandTimeoutError, match="that level is lost"):
        bash.send("reboot -f", expect_disconnect=True, timeout=1)
    with pytest.raises(LevelLostError) as caught:
        bash.send("echo this is not run")
    assert caught.value.levels == (before,)
    exact(bash)
    bash.reconnect(wait=UP)
    logged_in(bash, "root")
    assert float(bash.send("cut -d' ' -f1 /proc/uptime").text) < UP

    killer = threading.Timer(0.3, booted.pull_the_plug)
    started = time.monotonic()
    killer.start()
    with pytest.raises(LevelLostError) as caught:
        bash.send("echo begun; sleep 100", timeout=20)
    killer.join()
    assert (caught.value.levels, caught.value.partial) == ((before,), b"begun\n")
    assert time.monotonic() - started < 5
    exact(bash)
