"""Other roots and other namespaces: shells on the session's own terminal."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import shells_below
from dialogues.machines import Machine
from logins.containers import busybox_root, furnished

import shellbot
from shellbot import CommandTimeoutError, CommandWaitingError, LevelLostError, LoginError, Session

HERE = os.uname().nodename


@pytest.fixture
def root(tmp_path: Path, need: Callable[[str], None]) -> Path:
    """A root directory that has busybox and a few users."""
    need("busybox")
    if os.geteuid() != 0:
        pytest.skip("needs root")
    place = furnished(busybox_root(tmp_path / "root"))
    (place / "dev").mkdir()
    for device, minor in (("null", 3), ("tty", 0)):
        major = 5 if device == "tty" else 1
        os.mknod(place / "dev" / device, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        (place / "dev" / device).chmod(0o666)
    return place


def in_step(session: Session) -> None:
    assert session.send("echo in step", timeout=5).raw == b"in step\n"


def children(session: Session) -> list[str]:
    return shells_below(session.terminal.pid)


def test_a_small_root(bash: Session, root: Path) -> None:
    (root / "file").write_text("mine\n")
    with bash.chroot(root):
        where = bash.where
        assert (where.depth, where.shell, where.system) == (1, "ash", "Linux")
        assert (where.user, where.host, where.manager) == ("root", HERE, "")
        assert (
            bash.send("cat /file; ls -1 /").raw == b"mine\nbin\ndev\netc\nfile\nlib\nlib64\ntmp\n"
        )
    assert bash.where.depth == 0
    in_step(bash)
    assert children(bash) == []


def test_a_root_as_another_user(bash: Session, root: Path) -> None:
    with bash.chroot(root, user="1000:1000"):
        assert bash.where.user == "worker"
        assert bash.send("id -u").raw == b"1000\n"
    in_step(bash)


def test_a_root_that_is_a_whole_system(bash: Session) -> None:
    system = bash.where.system
    with bash.chroot("/"):
        assert (bash.where.shell, bash.where.system) == ("bash", system)
        in_step(bash)
    with bash.chroot("/", shell="dash"):
        assert bash.where.shell == "dash"
        assert bash.send("readlink /proc/$$/exe").text.endswith("/dash\n")


def test_a_root_that_is_not_there(bash: Session, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(LoginError) as caught:
            bash.chroot(path)
        assert caught.value.reason in ("no_shell", "closed")
        assert caught.value.exit_code in (125, 127)
        assert "chroot: " in caught.value.partial.decode()
        in_step(bash)


def test_a_root_without_stty(bash: Session, root: Path) -> None:
    (root / "bin/stty").unlink()
    with pytest.raises(LoginError, match="has no stty") as caught:
        bash.chroot(root)
    assert caught.value.reason == "no_shell"
    in_step(bash)
    assert children(bash) == []


@pytest.mark.parametrize("device", ["null", "tty"])
def test_a_root_without_devices(device: str, bash: Session, root: Path) -> None:
    (root / "dev" / device).unlink()
    with pytest.raises(LoginError, match="has no /dev/null or no /dev/tty") as caught:
        bash.chroot(root, user="1000:1000")
    assert caught.value.reason == "no_shell"
    in_step(bash)
    assert children(bash) == []


def test_a_shell_that_cannot_make_way_says_so(bash: Session, need: Callable[[str], None]) -> None:
    need("dash")
    # The process group that it would give the terminal back to is outside of its space.
    with pytest.raises(LoginError, match="Cannot set tty process group") as caught:
        bash.login("unshare -fp --mount-proc dash", timeout=20)
    assert caught.value.exit_code == 2
    in_step(bash)
    assert children(bash) == []


def test_time_outs_in_a_root_cost_only_the_command(bash: Session, root: Path) -> None:
    with bash.chroot(root):
        for command in ("sleep 100", "while :; do :; done", "trap '' INT QUIT; sleep 100"):
            with pytest.raises(CommandTimeoutError) as caught:
                bash.send(command, timeout=0.3)
            assert caught.value.where is not None
            assert caught.value.where.depth == 1
            in_step(bash)
        with pytest.raises(CommandTimeoutError, match="standard input"):
            bash.send("cat", timeout=0.8)
        in_step(bash)
        with pytest.raises(CommandWaitingError):
            bash.send("sh", timeout=20)
        in_step(bash)
    assert bash.where.depth == 0
    assert children(bash) == []


def test_what_asks_in_a_root_is_seen(bash: Session, root: Path) -> None:
    with bash.chroot(root):
        result = bash.send(
            "printf 'Name? '; read x; echo =$x=", answers={r"Name\? ": "bob"}, timeout=20
        )
        assert result.output.endswith("=bob=\n")


def test_a_root_in_a_root(bash: Session, root: Path) -> None:
    with bash.chroot("/", shell="dash"), bash.chroot(root) as level:
        assert [one.depth for one in bash.levels] == [0, 1, 2]
        assert [one.shell for one in bash.levels] == ["bash", "dash", "ash"]
        assert level.where == bash.where
        with pytest.raises(LevelLostError) as caught:
            bash.send("exit 5")
        assert (caught.value.exit_code, caught.value.levels) == (5, (level.where,))
        assert bash.where.shell == "dash"
        in_step(bash)
    assert bash.where.depth == 0
    in_step(bash)


SPACES = {
    "unshare -fp --mount-proc bash": ("bash", "echo $$", "1"),
    "unshare -fp --mount-proc zsh -f": ("bash", "echo $$", "1"),
    "unshare -u -m bash": ("bash", "hostname inner; hostname; umount /x", "inner"),
    "unshare -m dash": ("bash", "mount -t tmpfs none /mnt; ls /mnt; echo mounted", "mounted"),
    "unshare -fp --mount-proc busybox ash": ("bash", "echo $$", "1"),
}


@pytest.mark.parametrize("command", SPACES)
def test_namespaces(command: str, bash: Session, need: Callable[[str], None]) -> None:
    for program in ("zsh", "dash", "busybox"):
        if program in command:
            need(program)
    shell, line, expected = SPACES[command]
    with bash.login(command, timeout=20):
        assert (bash.where.shell, bash.where.depth) == (shell, 1)
        assert bash.send(line, check=False).output.startswith(f"{expected}\n")
        with pytest.raises(CommandTimeoutError):
            bash.send("sleep 100", timeout=0.3)
        in_step(bash)
    assert bash.where.depth == 0
    assert bash.send("hostname").raw == f"{HERE}\n".encode()
    assert children(bash) == []


def test_a_process_space_that_ends_while_a_command_runs(bash: Session) -> None:
    started = time.monotonic()
    with bash.login("unshare -fp --kill-child --mount-proc bash", timeout=20):
        pid = next(one.split()[0] for one in children(bash) if "unshare" in one)
        with shellbot.bash() as other:
            other.background(f"sleep 0.2; kill -9 {pid}")
            with pytest.raises(LevelLostError) as caught:
                bash.send("sleep 100", timeout=20)
        assert caught.value.levels[0].depth == 1
    assert time.monotonic() - started < 5
    in_step(bash)


def test_entering_the_mounts_of_another_process(machine: Machine, bash: Session) -> None:
    machine.told("echo inner >/etc/where")
    with bash.login(machine.on("bash"), timeout=20):
        assert bash.where.depth == 1
        assert bash.send("cat /etc/where").raw == b"inner\n"
        with pytest.raises(CommandTimeoutError):
            bash.send("sleep 100", timeout=0.3)
        with bash.su("tester"):
            assert bash.where.user == "tester"
            assert bash.where.depth == 2
    bash.send("cat /etc/where", check=1)


def test_nothing_is_left_of_a_namespace_after_closing(tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path) as session:
        session.login("unshare -fp --kill-child --mount-proc bash", timeout=20)
        session.send("sleep 54321 & sleep 54321 &")
        pid = session.terminal.pid
    assert not os.path.exists(f"/proc/{pid}")


def test_no_such_process_to_enter(bash: Session) -> None:
    with pytest.raises(LoginError, match="nsenter") as caught:
        bash.login("nsenter -t 4194304 -m bash", timeout=20)
    assert caught.value.exit_code == 1
    in_step(bash)
