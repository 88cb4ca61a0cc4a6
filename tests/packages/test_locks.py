"""A lock that another process of the manager holds: waited for, and its holder named."""

from __future__ import annotations

import logging
import signal
import threading
import time

import pytest
from dialogues.machines import until
from logins.users import in_step
from packages.hosts import Host, on

from shellbot import PackageError, Session

# What the holder is called, and how long its lock is waited for while it keeps it, and after.
HOLDERS = {
    "apt": ("apt-get -y install slow", 1.0, 30.0),
    "dnf": ("/usr/bin/dnf -y install slow", 0.0, None),
    "zypper": ("zypper --non-interactive install slow", 1.5, 30.0),
    "pacman": ("pacman --noconfirm -S slow", 0.0, None),
}


def locked(session: Session, limit: float) -> tuple[PackageError, float]:
    """What is raised for a lock that is waited for so long, and when."""
    began = time.monotonic()
    with pytest.raises(PackageError) as caught:
        session.install("greet", lock_timeout=limit)
    assert caught.value.reason == "locked", caught.value
    return caught.value, time.monotonic() - began


@on(*HOLDERS)
def test_a_lock_is_waited_for_and_its_holder_named(host: Host, bash: Session) -> None:
    bash.container(host.name, engine="podman")
    host.hold()
    words, short, long = HOLDERS[host.manager]
    pid = host.told("pgrep", "-o", "-f", f"{words}$").strip()
    error, took = locked(bash, short)
    assert short <= took < short + 8
    assert f"Still locked after {short:g} s by process {pid} (" in str(error)
    assert f"{words})" in str(error)
    in_step(bash, "root")
    assert host.busy()
    assert host.version("greet") == ""

    began = time.monotonic()
    script = "setsid sh -c 'sleep 3; touch /tmp/go' </dev/null >/dev/null 2>&1 &"
    host.told("sh", "-c", script)
    assert bash.install("greet", lock_timeout=long)["greet"].version.startswith("2.0")
    assert 3 <= time.monotonic() - began < 20
    assert (host.version("greet"), host.version("slow")) == ("2.0", "1.0")
    in_step(bash, "root")


@on("apt")
def test_ctrl_c_ends_the_waiting(
    host: Host, bash: Session, caplog: pytest.LogCaptureFixture
) -> None:
    bash.container(host.name, engine="podman")
    host.hold()
    caplog.set_level(logging.DEBUG, "shellbot")
    main = threading.main_thread().ident or 0

    def press() -> None:
        until(lambda: "attempts left after: " in caplog.text)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        bash.install("greet", lock_timeout=None)
    thread.join()
    assert "There now: greet (not installed)." in caplog.records[-1].getMessage()
    in_step(bash, "root")
    host.release()
    assert host.version("greet") == ""


@on("yum")
def test_what_would_wait_by_itself_does_not(host: Host, bash: Session) -> None:
    bash.container(host.name, engine="podman", user="free")
    host.hold()
    pid = host.told("pgrep", "-o", "-f", "/usr/bin/yum -y install slow$").strip()
    error, took = locked(bash, 0)
    assert took < 8
    assert f"process {pid} (" in str(error)
    in_step(bash, "free")
    host.release()
    assert bash.install("greet").changed
    assert host.version("greet") == "2.0"


@on("pacman")
def test_a_lock_that_nobody_holds_any_more_is_told_as_such(host: Host, bash: Session) -> None:
    bash.container(host.name, engine="podman", user="free")
    host.hold()
    host.told("pkill", "-KILL", "-x", "pacman")
    until(lambda: not host.busy())
    error, took = locked(bash, 0)
    assert took < 8
    assert "by nobody that is there" in str(error)
    assert "killed" in str(error)
    assert "db.lck" in error.tail
    assert host.has("/var/lib/pacman/db.lck")
    host.told("rm", "/var/lib/pacman/db.lck")
    assert bash.install("greet").changed
    assert host.version("greet") == "2.0"
