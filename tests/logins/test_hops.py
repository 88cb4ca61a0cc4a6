"""One level inside the other: where commands run is known after every step, in and out."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from logins.far import Far, linked

from shellbot import CommandError, CommandTimeoutError, LoginError, Session
from shellbot.text import quote


class OopsError(Exception):
    """Raised by a caller's own code."""


def is_here(session: Session, user: str, depth: int) -> None:
    assert (session.where.user, session.where.depth) == (user, depth)
    assert session.levels[-1] == session.where
    assert [one.depth for one in session.levels] == list(range(depth + 1))
    assert session.send_and_get_output("id -un") == user
    assert session.send_and_get_output('echo "$level"') == str(depth)


def mixed(far: Far, session: Session) -> list[str]:
    """Go in through each kind, with a mark at every level."""
    session.send("level=0")
    users = ["root"]
    ways = (
        ("root", lambda: session.login(far.way())),
        ("root", lambda: session.sudo("root")),
        ("tester", lambda: session.su("tester")),
        ("tester", lambda: session.login("sh")),
    )
    for user, enter in ways:
        enter()
        users.append(user)
        session.send(f"level={len(users) - 1}")
        is_here(session, user, len(users) - 1)
    return users


def test_in_through_every_kind_and_out_again(
    far: Far, bash: Session, need: Callable[[str], None]
) -> None:
    need("sudo")
    users = mixed(far, bash)
    while len(users) > 1:
        bash.logout()
        users.pop()
        is_here(bash, users[-1], len(users) - 1)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_an_exception_unwinds_to_the_callers_level(depth: int, far: Far, bash: Session) -> None:
    bash.send("level=0")

    def go_in(further: int) -> None:
        with bash.login(far.way()) if further == 3 else bash.su("root"):
            bash.send(f"level={bash.where.depth}")
            if further:
                go_in(further - 1)
            bash.send("(exit 7)")

    with pytest.raises(CommandError):
        go_in(depth)
    is_here(bash, "root", 0)


def test_levels_that_nobody_left_go_with_an_exception(far: Far, bash: Session) -> None:
    def go_in() -> None:
        level = bash.su("root")
        bash.send("level=1")
        with pytest.raises(CommandTimeoutError), bash.su("root"), bash.login(far.way()):
            bash.send("sleep 60", timeout=0.3)
        is_here(bash, "root", 1)
        with level:
            bash.su("root")  # and nobody logs out
            raise OopsError

    bash.send("level=0")
    with pytest.raises(OopsError):
        go_in()
    is_here(bash, "root", 0)


def test_leaving_a_level_leaves_those_further_in(far: Far, bash: Session) -> None:
    bash.send("level=0")
    outer = bash.login(far.way())
    bash.send("level=1")
    middle = bash.su("tester")
    bash.su("tester") if bash.where.user == "root" else bash.login("sh")
    middle.logout()
    is_here(bash, "root", 1)
    middle.logout()  # harmless
    is_here(bash, "root", 1)
    bash.login(far.way())
    outer.logout()
    is_here(bash, "root", 0)


def test_ten_levels(far: Far, bash: Session) -> None:
    bash.send("level=0")
    for depth in range(1, 11):
        bash.login(far.way()) if depth % 3 == 1 else bash.su("root")
        bash.send(f"level={depth}")
    is_here(bash, "root", 10)
    assert bash.send("printf 'a\\tb\\n~.\\n'; cat; (exit 3)", input="x\n", check=3).raw == (
        b"a\tb\n~.\nx\n"
    )
    with pytest.raises(CommandTimeoutError):
        bash.send("sleep 60", timeout=0.3)
    is_here(bash, "root", 10)
    for depth in reversed(range(5, 10)):
        bash.logout()
        is_here(bash, "root", depth)
    bash.logout_all()
    is_here(bash, "root", 0)


def test_a_slow_link_costs_one_round_trip_per_command(far: Far, bash: Session) -> None:
    with linked(far.port, delay=0.1) as link:
        with bash.login(far.way(link.port)):
            for command in ("echo 1", "(exit 3)", "f() {\n echo 1\n}; f", ": " + "x" * 2_000):
                started = time.monotonic()
                bash.send(command, check=False)
                assert 0.2 <= time.monotonic() - started < 0.35
            with pytest.raises(CommandTimeoutError):
                bash.send("sleep 60", timeout=0.5)
            assert bash.send("echo here; (exit 3)", check=3).raw == b"here\n"
            bash.send("stty sane")
            assert bash.send("echo here; (exit 3)", check=3).raw == b"here\n"
        assert bash.where.depth == 0


def test_a_hundred_megabytes_through_three_hops(far: Far, bash: Session) -> None:
    size = 100_000_000
    command = f"seq 100000000 | head -c {size}"
    expected = hashlib.sha256()
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE) as here:
        assert here.stdout
        for block in iter(lambda: here.stdout.read(1 << 20), b""):
            expected.update(block)

    # Half of it over the same hops, with nobody at the near end but wc.
    hop = far.way().command
    half = command.replace(str(size), str(size // 2))
    inner = f"{hop} {quote(f'stty -opost; {half}')}"
    middle = f"stty -opost; su root -c {quote(inner)}"
    started = time.monotonic()
    counted = subprocess.run(
        f"{hop} {quote(middle)} | wc -c",
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    bare = time.monotonic() - started
    assert int(counted.stdout) >= size // 2

    with bash.login(far.way()), bash.su("root"), bash.login(far.way()):
        started = time.monotonic()
        result = bash.send(command, timeout=None)
        took = time.monotonic() - started
        assert len(result.raw) == size
        assert hashlib.sha256(result.raw).digest() == expected.digest()
        assert took < 3 * 2 * bare
        assert bash.send("echo here; (exit 3)", check=3).raw == b"here\n"
    assert bash.where.depth == 0


def test_a_stand_in_for_vagrant(far: Far, bash: Session, tmp_path: Path) -> None:
    """Not vagrant, but what calls ssh as its "vagrant ssh" does: any command may log in."""
    stand_in = tmp_path / "vagrant"
    stand_in.write_text(f'#!/bin/sh\ntest "$*" = "ssh db1" || exit 64\nexec {far.way().command}\n')
    stand_in.chmod(0o755)
    bash.send(f"PATH={tmp_path}:$PATH; level=0")
    with bash.login("vagrant ssh db1"):
        bash.send("level=1")
        is_here(bash, "root", 1)
    is_here(bash, "root", 0)
    with pytest.raises(LoginError) as caught:
        bash.login("vagrant ssh db2")
    assert (caught.value.reason, caught.value.exit_code) == ("closed", 64)
    is_here(bash, "root", 0)
