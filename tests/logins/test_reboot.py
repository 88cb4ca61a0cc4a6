"""A machine that is rebooted under a session: a container in which systemd runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosts.places import CONTAINERS, STORAGE

from shellbot import LevelLostError, Session, UsageError

# This machine's own files under a layer of their own, and none of its services.
MACHINE = (
    *("podman", "run", "-d", "--name", "rebooted", "--systemd=always"),
    *(f"--tmpfs={path}:rw,notmpcopyup" for path in ("/tmp", "/run", "/run/lock")),
    *("--rootfs", "/:O", "/sbin/init", "--unit=basic.target"),
)


@pytest.fixture
def rebooted(
    tmp_path: Path, need: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A machine that systemd has started."""
    for part in ("podman", "runc", "init"):
        need(part)
    for variable, words in {
        "CONTAINERS_CONF": CONTAINERS.format(tmp_path),
        "CONTAINERS_STORAGE_CONF": STORAGE.format(tmp_path),
    }.items():
        (tmp_path / variable).write_text(words)
        monkeypatch.setenv(variable, str(tmp_path / variable))
    subprocess.run(MACHINE, check=True, capture_output=True, env=os.environ)
    yield "rebooted"
    subprocess.run(["podman", "rm", "--all", "--force", "-t", "0"], capture_output=True)
    for mounted in (tmp_path / "graph/overlay", tmp_path / "graph"):
        subprocess.run(["umount", mounted], capture_output=True)


def test_a_reboot_is_waited_for_and_logged_in_after(rebooted: str, bash: Session) -> None:
    is_up = f"podman exec {rebooted} systemctl is-active basic.target"
    bash.send_until(is_up, "active", timeout=50, every=0.2)
    bash.container(rebooted, engine="podman")
    assert bash.where.container
    assert bash.send_and_get_output("cat /proc/1/comm") == "systemd"
    bash.send("echo before >/root/kept; inside=yes")

    result = bash.send("systemctl reboot", expect_disconnect=True, timeout=50)
    assert result.where.depth == 1
    assert bash.where.depth == 0
    assert bash.send("echo out here").raw == b"out here\n"

    state = f"podman inspect -f '{{{{.State.Status}}}}' {rebooted}"
    bash.send_until(state, "exited|stopped", every=0.2)
    bash.background(f"podman start {rebooted}")
    assert bash.reconnect(wait=50, every=0.2).depth == 1
    assert bash.send('cat /root/kept; echo "${inside-gone}"').raw == b"before\ngone\n"


def test_a_reboot_that_nobody_expected_is_a_lost_level(rebooted: str, bash: Session) -> None:
    is_up = f"podman exec {rebooted} systemctl is-active basic.target"
    bash.send_until(is_up, "active", timeout=50, every=0.2)
    with bash.container(rebooted, engine="podman") as level:
        with pytest.raises(LevelLostError) as caught:
            bash.send("systemctl reboot; sleep 30", timeout=40)
        assert caught.value.levels == (level.where,)
        assert caught.value.where == bash.where
    assert bash.where.depth == 0
    with pytest.raises(UsageError, match="no login"):
        bash.logout()
