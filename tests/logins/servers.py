"""SSH servers to log in to, with users of every kind, on a machine that is thrown away.

One machine serves all tests of a file. Whoever logs in there is on the host "far".
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.machines import Host, Machine, free_port, thrown_away

import shellbot
from shellbot import LoginError, Session

HOST = "far"
# The login shells, by the users who have them.
SHELLS = {
    "bash": "/bin/bash",
    "zsh": "/usr/bin/zsh",
    "fish": "/usr/bin/fish",
    "tcsh": "/usr/bin/tcsh",
    "dash": "/bin/dash",
    "ash": "/mnt/bin/ash",
    "mksh": "/usr/bin/mksh",
    "ksh93": "/usr/bin/ksh93",
}
NEW_PASSWORD = "Chang3d-it!"
OTP_SECRET = "3132333435363738393031323334353637383930"
USERS = f"""
set -e
mkdir -p /mnt/bin
ln -s "$(command -v busybox || echo /bin/sh)" /mnt/bin/ash
hash=$(sed -n 's/^tester:\\([^:]*\\):.*/\\1/p' /etc/shadow)
number=4000
add() {{
    number=$((number + 1))
    echo "$1:x:$number:$number::/mnt/$1:$2" >>/etc/passwd
    echo "$1:x:$number:" >>/etc/group
    echo "$1:$3$hash:$4:0:99999:7:::" >>/etc/shadow
    mkdir -p "/mnt/$1"
    chown "$number:$number" "/mnt/$1"
}}
{"".join(f"add on-{name} {path} '' 19000;" for name, path in SHELLS.items())}
add nobody-in /usr/sbin/nologin '' 19000
add expired /bin/bash '' 0
add expired-too /bin/bash '' 0
add locked /bin/bash '!' 19000
add slow /bin/bash '' 19000
add new-to-zsh /usr/bin/zsh '' 19000
echo 'sleep 3; printf "slow is up: "' >/mnt/slow/.profile
touch /mnt/on-zsh/.zshrc
"""
PAM = """
{auth}
account    required   pam_unix.so
password   required   pam_unix.so
session    required   pam_unix.so
"""
BY_PASSWORD = "auth required pam_unix.so nodelay\n"
SSHD = """
{settings}
ListenAddress 127.0.0.1
Port {port}
HostKey {key}
PidFile none
UsePAM {pam}
PasswordAuthentication yes
KbdInteractiveAuthentication no
AuthorizedKeysFile /mnt/authorized_keys
StrictModes no
LogLevel DEBUG
PrintLastLog no
PrintMotd no
"""
CLIENT = """
UserKnownHostsFile {directory}/known_hosts
GlobalKnownHostsFile none
IdentityFile none
IdentityAgent none
UpdateHostKeys no
"""


class Servers:
    """SSH servers on a machine that is thrown away. Each is started when it is first needed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._stack = contextlib.ExitStack()
        self._machine: Machine | None = None
        self._started: dict[tuple[str, str | None], Host] = {}
        self._keys: dict[str, Path] = {}

    @property
    def machine(self) -> Machine:
        """The machine, made at the first look."""
        if self._machine is None:
            self._machine = self._stack.enter_context(thrown_away(self.directory))
            self._machine.told(USERS)
        return self._machine

    def key(self, name: str, passphrase: str = "") -> Path:
        """A private key's file, which the servers let in if its name is "user"."""
        if name not in self._keys:
            self._keys[name] = path = self.directory / name
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", path],
                check=True,
            )
        return self._keys[name]

    def let_in(self, key: Path) -> None:
        """Have the servers let in whoever has the *key*."""
        public = key.with_suffix(".pub").read_text().strip()
        self.machine.told(f"echo '{public}' >>/mnt/authorized_keys")

    def sshd(self, settings: str = "", *, pam: str | None = None) -> Host:
        """An OpenSSH server with *settings* of its own, with PAM if *pam* says how that asks."""
        found = self._started.get((settings, pam))
        if found is None:
            found = self._started[settings, pam] = self._sshd(settings, pam)
        return found

    def _sshd(self, settings: str, pam: str | None) -> Host:
        host = Host(free_port(), self.directory / f"sshd-{len(self._started)}.log")
        configuration = self.directory / f"sshd-{host.port}"
        program = "/usr/sbin/sshd"
        if pam is not None:
            # The name that it is started by is that of its file for PAM.
            program = f"/run/sshd-{host.port}"
            text = PAM.format(auth=pam)
            self.machine.told(
                f"ln -s /usr/sbin/sshd {program}; echo '{text}' >/etc/pam.d/sshd-{host.port}"
            )
        configuration.write_text(
            SSHD.format(
                settings=settings,
                port=host.port,
                key=self.key("host_key"),
                pam="no" if pam is None else "yes",
            )
        )
        start = f"hostname {HOST}; exec {program} -D -f {configuration} -E {host.log_file}"
        serving = self.machine.serving(["unshare", "-u", "sh", "-c", start], host.port)
        self._stack.enter_context(serving)
        return host

    def dropbear(self, settings: str = "") -> Host:
        """A dropbear server."""
        found = self._started.get((settings, "dropbear"))
        if found is None:
            host = Host(free_port(), self.directory / "dropbear.log")
            key = self.directory / "dropbear_key"
            subprocess.run(
                ["dropbearkey", "-t", "ed25519", "-f", key], check=True, capture_output=True
            )
            start = (
                f"hostname {HOST}; exec dropbear -F -E -r {key} -p 127.0.0.1:{host.port} "
                f"{settings} 2>{host.log_file}"
            )
            serving = self.machine.serving(["unshare", "-u", "sh", "-c", start], host.port)
            self._stack.enter_context(serving)
            found = self._started[settings, "dropbear"] = host
        return found

    def close(self) -> None:
        """End all of it."""
        self._stack.close()


@pytest.fixture(scope="module")
def made_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of one file of tests."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    try:
        yield servers
    finally:
        servers.close()


@pytest.fixture
def servers(made_servers: Servers, need: Callable[[str], None]) -> Servers:
    """SSH servers to log in to."""
    for part in ("ssh", "sshd", "nsenter"):
        need(part)
    return made_servers


@pytest.fixture
def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, need: Callable[[str], None]
) -> Iterator[Session]:
    """A session of somebody who has never used ssh before, and has a configuration of their own.

    ssh finds its files by the user's number and not by $HOME, so that it has to be told.
    """
    need("ssh")
    (tmp_path / "known_hosts").touch()
    (tmp_path / "ssh_config").write_text(CLIENT.format(directory=tmp_path))
    path = tmp_path / "bin"
    path.mkdir()
    (path / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {tmp_path}/ssh_config "$@"\n')
    (path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}:{os.environ['PATH']}")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with shellbot.bash(cwd=tmp_path) as session:
        yield session


def exact(session: Session, depth: int = 0) -> None:
    """Have a session prove that it is at that depth, and in step."""
    assert session.where.depth == depth
    assert len(session.levels) == depth + 1
    result = session.send("printf 'in\\tstep\\n$ '; (exit 7)", timeout=10, check=7)
    assert (result.raw, result.where.depth) == (b"in\tstep\n$ ", depth)


def refused(error: LoginError, reason: str, *said: str) -> None:
    """Have an error tell why it was, with all that was *said*."""
    assert error.reason == reason
    shown = error.partial.decode()
    for one in said:
        assert one in shown
        assert one in error.tail
        assert one in str(error)
    assert error.where is not None
    assert error.where.depth == 0
    assert reason.replace("_", " ") in str(error)
