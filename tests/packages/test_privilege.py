"""Who may install: root, those whom sudo or doas makes root, and nobody else."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from dialogues.test_secrets import forms, held_by, shown_by
from logins.containers import Engine
from logins.test_login_secrets import Watch
from logins.users import NOTE_REFUSED, in_step
from packages.hosts import Host, NewHost, each_manager, on
from packages.roots import USERS

import shellbot
from shellbot import PackageError, Secret, Session

WRONG = "w0rst-0f-guesses"
# PAM writes down each password that it refuses, and sudo each command that it runs.
NOTED = f"""
set -e
{NOTE_REFUSED.format(place="/var")}
echo 'Defaults logfile=/var/log/sudo.log, loglinelen=0' >>/etc/sudoers.d/hosts
"""


def noted(host: Host) -> Host:
    """The same host, where it is written down what is refused and what is run by sudo."""
    host.told("sh", "-c", NOTED)
    return host


def refused(host: Host) -> list[str]:
    """Every password that PAM has refused."""
    return host.told("cat", "/var/refused").splitlines()


def by_sudo(host: Host) -> int:
    """How many commands sudo has run."""
    # What it has refused has the reason in between.
    return host.told("sh", "-c", "cat /var/log/sudo.log 2>/dev/null || :").count(" : TTY=")


def fails(reason: str, work: Callable[[], object], limit: float = 8.0) -> PackageError:
    """What it raises, which has to be soon, and for that reason."""
    began = time.monotonic()
    with pytest.raises(PackageError) as caught:
        work()
    assert caught.value.reason == reason, caught.value
    assert time.monotonic() - began < limit
    return caught.value


@each_manager
def test_as_root_and_by_sudo_in_every_way(host: Host, bash: Session) -> None:
    noted(host)
    bash.container(host.name, engine="podman")
    assert bash.install("configured")["configured"].version.startswith("2.0")
    assert (host.version("configured"), by_sudo(host)) == ("2.0", 0)

    with bash.su("free"):
        assert bash.install("greet", ask=False).changed
        in_step(bash, "free")
    assert host.version("greet") == "2.0"
    assert by_sudo(host) > 0

    with bash.su("nobody_special"):
        password = Secret(USERS["nobody_special"])
        error = fails("not_root", lambda: bash.install("extra", sudo=password))
        assert "not in the sudoers file" in error.tail
        # What is there takes nobody's leave.
        assert not bash.install("greet", ask=False)
        in_step(bash, "nobody_special")

        with bash.su("asker", password=USERS["asker"]):
            before = by_sudo(host)
            assert bash.remove("greet", ask=False)["greet"].version == ""
            assert by_sudo(host) > before
            in_step(bash, "asker")
    assert (host.version("greet"), host.version("extra")) == ("", "")

    with bash.su("asker"):
        bash.send("sudo -k")
        before = by_sudo(host)
        error = fails("not_root", lambda: bash.install("extra", ask=False))
        assert "password" in str(error)
        assert "sudo=Secret(...)" in str(error)
        error = fails("wrong_password", lambda: bash.install("extra", sudo=Secret(WRONG)))
        assert WRONG not in str(error)
        assert (refused(host), by_sudo(host)) == ([WRONG], before)
        assert host.version("extra") == ""
        assert bash.install("extra", sudo=Secret(USERS["asker"]))["extra"].version
        in_step(bash, "asker")
    assert refused(host) == [WRONG]
    assert host.version("extra") == "1.0"


@on("apt", "pacman")
def test_where_nobody_becomes_root(host: Host, bash: Session) -> None:
    host.told("rm", "/usr/bin/sudo")
    host.install("greet")
    with bash.container(host.name, engine="podman", user="asker"):
        packages = bash.packages
        for work in (
            lambda: packages.install("extra", sudo=Secret(USERS["asker"])),
            lambda: packages.remove("greet"),
            packages.upgrade,
            lambda: packages.refresh(max_age=0),
            lambda: packages.hold("greet"),
        ):
            error = fails("not_root", work, 4.0)
            assert "There is neither sudo nor doas." in str(error)
            assert (error.partial, error.exit_code) == (b"", None)
        assert packages.version("greet") == bash.install("greet")["greet"].version
        with bash.su(password=USERS["root"]):
            assert bash.install("extra").changed
        in_step(bash, "asker")
    assert (host.version("greet"), host.version("extra")) == ("2.0", "1.0")


@on("dnf")
def test_by_doas(host: Host, bash: Session, need: Callable[[str], None]) -> None:
    need("doas")
    noted(host)
    root = Path("/proc", host.pid, "root")
    shutil.copy(str(shutil.which("doas")), root / "usr/bin/doas")
    shutil.copy("/etc/pam.d/doas", root / "etc/pam.d/doas")
    script = "rm /usr/bin/sudo; chmod 4755 /usr/bin/doas; echo permit asker >/etc/doas.conf"
    host.told("sh", "-ec", f"{script}; chmod 600 /etc/doas.conf")
    with bash.container(host.name, engine="podman", user="nobody_special"):
        assert bash.where.privilege == "doas"
        password = Secret(USERS["nobody_special"])
        error = fails("not_root", lambda: bash.install("greet", sudo=password))
        assert "not permitted" in error.tail
    with bash.container(host.name, engine="podman", user="asker"):
        fails("not_root", lambda: bash.install("greet", ask=False))
        fails("wrong_password", lambda: bash.install("greet", sudo=Secret(WRONG)))
        # That is forgotten.
        fails("not_root", lambda: bash.install("greet", ask=False))
        assert refused(host) == [WRONG]
        assert host.version("greet") == ""
        # It asks each time.
        bash.send("true", sudo=Secret(USERS["asker"]))
        assert bash.install("greet", ask=False, max_age=0).changed
        in_step(bash, "asker")
    assert host.version("greet") == "2.0"
    assert refused(host) == [WRONG]


@on("dnf")
def test_what_is_known_belongs_to_the_level(host: Host, new_host: NewHost, bash: Session) -> None:
    other = new_host("pacman")
    # Another system's, and an older one of the same, which does the same here.
    wrong = "printf '#!/bin/sh\\ntouch /tmp/wrong\\n' >/usr/bin/NAME; chmod 755 /usr/bin/NAME"
    for name in ("apt-get", "pacman", "zypper"):
        host.told("sh", "-c", wrong.replace("NAME", name))
    host.told("ln", "-s", "dnf-3", "/usr/bin/yum")
    outer = (bash.where.manager, bash.packages.version("bash"))
    query = ["dpkg-query", "-W", "-f", "${Version}", "bash"]
    assert outer == ("apt", subprocess.run(query, capture_output=True, text=True).stdout)
    with bash.container(host.name, engine="podman"):
        assert bash.install("configured").manager == "dnf"
        # The password that was given on another level says nothing here.
        with bash.su("asker", password=USERS["asker"]):
            with bash.su("free", password=USERS["free"]):
                assert bash.where.manager == "dnf"
                assert bash.install("greet", manager="yum").manager == "yum"
            with pytest.raises(shellbot.UnknownNameError, match="yum"):
                bash.install("greet", manager="yummy")
            assert bash.remove("configured", ask=False).manager == "dnf"
        assert bash.where.user == "root"
    assert (bash.where.manager, bash.packages.version("bash")) == outer
    with bash.container(other.name, engine="podman"):
        result = bash.install("greet")
        assert (result.manager, result["greet"].version) == ("pacman", "2.0-1")
    assert (bash.where.manager, bash.packages.version("bash")) == outer
    assert (host.version("greet"), host.version("configured")) == ("2.0", "")
    assert other.version("greet") == "2.0"
    assert not host.has("/tmp/wrong")


# A person

DRIVER = """
import sys, shellbot
with shellbot.bash() as session:
    session.container(sys.argv[1], engine="podman", user="asker")
    for ask in (False, True, True) if sys.stdin.isatty() else (True,):
        try:
            print("installed", session.install("greet", ask=ask)["greet"].version)
        except shellbot.PackageError as error:
            print("reason", error.reason)
        except KeyboardInterrupt:
            print("interrupted")
        print("then", session.send_and_get_output("id -un"), flush=True)
"""


def driven(host: Host) -> tuple[list[str], dict[str, str]]:
    """What runs that script, and its environment."""
    root = str(Path(shellbot.__file__).parents[1])
    return [sys.executable, "-c", DRIVER, host.name], {**os.environ, "PYTHONPATH": root}


@on("apt")
def test_the_person_is_asked_who_is_at_the_terminal(host: Host) -> None:
    noted(host)
    (program, *words), environment = driven(host)
    done = subprocess.run(
        [program, *words],
        env=environment,
        input=f"{USERS['asker']}\n" * 3,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("reason not_root\nthen asker\n", "")
    assert host.version("greet") == ""
    child = pexpect.spawn(program, words, env=environment, encoding="utf-8", timeout=20)
    with child:
        said = []
        assert child.expect(["reason not_root\r\nthen asker\r\n", "password for"]) == 0
        for keys in ("\x03", WRONG, USERS["asker"]):
            child.expect_exact("sudo: password for asker on apt: ")
            said.append(str(child.before))
            child.waitnoecho()
            child.send(keys if keys == "\x03" else f"{keys}\n")
        child.expect("installed 2.0\r\nthen asker\r\n")
        said.append(str(child.before))
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0
    assert "interrupted\r\nthen asker\r\n" in said[1]
    assert not any(word in text for text in said for word in (WRONG, USERS["asker"]))
    assert refused(host) == [WRONG]
    assert host.version("greet") == "2.0"


@on("apt")
def test_the_password_shows_nowhere(
    host: Host,
    bash: Session,
    podman: Engine,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # Nobody else's on this machine, so that it is found only if it comes from here.
    password, wrong = f"0pen-{os.getpid()}-sudo!", f"n0t-{os.getpid()}-th1s"
    host.told("sh", "-c", f"echo 'asker:{password}' | chpasswd")
    with Watch((password, wrong)) as watch:
        level = bash.container(host.name, engine="podman", user="asker")
        error = fails("wrong_password", lambda: bash.install("greet", sudo=wrong))
        shown = [*shown_by(error), *held_by(error), pickle.dumps(error).decode("latin-1")]
        error = fails("conflict", lambda: bash.install("broken-dep", sudo=password))
        shown += [*shown_by(error), *held_by(error), pickle.dumps(error).decode("latin-1")]
        result = bash.install("greet", sudo=password)
        assert "greet" in result.output
        shown += [repr(result), *held_by(result), repr(level), repr(bash), repr(bash.packages)]
        shown.append(bash.send("fc -ln -50; env; set; cat ~/.bash_history", check=False).output)
        level.logout()
        shown.append(bash.send("fc -ln -50; env; set", check=False).output)
        assert watch.rounds > 0
    assert watch.found == set()
    files = f"grep -rlaF -e {password} -e {wrong} /var /etc /home /root /tmp /run 2>/dev/null || :"
    assert host.told("sh", "-c", files) == ""
    shown += [bash.unsolicited.decode(), caplog.text, *capfd.readouterr()]
    hidden = (*forms(password), *forms(wrong))
    assert [one for one in shown if any(form in one for form in hidden)] == []
    in_step(bash, bash.where.user)
