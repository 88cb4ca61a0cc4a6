"""A machine whose users become one another by su, sudo and doas, and a session on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dialogues.machines import PASSWORD, Machine

import shellbot
from shellbot import Session

OTHER, ROOT, WRONG = "W0rd-of-other", "r00t-of-all-ev1l", "w0rst-0f-guesses"
NOTE_REFUSED = r"""
touch {place}/refused
chmod 666 {place}/refused
printf '#!/bin/sh\necho "$(tr -d "\\0")" >>{place}/refused\n' >{place}/note
chmod 755 {place}/note
cat >/etc/pam.d/common-auth <<'PAM'
auth [success=2 default=ignore] pam_unix.so nodelay
auth optional pam_exec.so quiet expose_authtok {place}/note
auth requisite pam_deny.so
auth required pam_permit.so
PAM
"""
"""Has PAM write down in a place each password that it refuses."""
SETTLE = f"""
set -e
chmod 755 /mnt
useradd --create-home --home-dir /mnt/other --shell /bin/bash other
printf '%s\\n' 'other:{OTHER}' 'root:{ROOT}' | chpasswd
rm -rf /etc/sudoers.d/*
echo 'Defaults:ALL !fqdn' >/etc/sudoers.d/all
{NOTE_REFUSED.format(place="/mnt")}
"""
"""Two users more, and PAM that writes down each password that it refuses."""


class Town:
    """Where "tester", "other" and root live, whose passwords are PASSWORD, OTHER and ROOT."""

    def __init__(self, machine: Machine) -> None:
        self.on = machine.on
        self.told = machine.told
        self.told(SETTLE)

    def sudoers(self, *lines: str) -> None:
        """Say who may do what with sudo."""
        check = "chmod 440 /etc/sudoers.d/*; visudo -c"
        text = "\n".join(("Defaults logfile=/mnt/sudo.log, loglinelen=0", *lines))
        self.told(f"cat >/etc/sudoers.d/town <<'SUDOERS'\n{text}\nSUDOERS\n{check}")

    def doas(self, *lines: str) -> None:
        """Say who may do what with doas."""
        text = "\n".join(lines)
        self.told(f"cat >/etc/doas.conf <<'DOAS'\n{text}\nDOAS\nchmod 600 /etc/doas.conf")

    @property
    def refused(self) -> list[str]:
        """Every password that PAM has refused."""
        return self.told("cat /mnt/refused").splitlines()

    @property
    def sudo_log(self) -> str:
        """What sudo has noted."""
        return self.told("cat /mnt/sudo.log 2>/dev/null || true")


@pytest.fixture
def town(machine: Machine, need: Callable[[str], None]) -> Town:
    """A machine with users, on which sudo asks "tester" for the password."""
    for program in ("su", "sudo"):
        need(program)
    town = Town(machine)
    town.sudoers("tester ALL=(ALL) ALL")
    return town


@pytest.fixture
def tester(town: Town, bash: Session) -> Session:
    """A session in which "tester" is logged in."""
    bash.login(town.on("su - tester"))
    return bash


def in_step(session: shellbot.Session, user: str = "tester") -> None:
    """Make sure that commands run as *user*, and each is answered by its own end."""
    assert session.where.user == user
    assert session.send("id -un", timeout=5).raw == user.encode() + b"\n"
    assert session.send("echo in; (exit 3)", check=3, timeout=5).raw == b"in\n"


__all__ = ["OTHER", "PASSWORD", "ROOT", "WRONG", "Town", "in_step", "tester", "town"]
