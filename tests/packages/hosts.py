"""Hosts with one package manager each, made for one test and gone after it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.machines import until
from logins.containers import Engine
from packages.roots import FAMILIES, USERS, Family, roots

MANAGERS = tuple(FAMILIES)
"""apt, dnf, yum, zypper and pacman."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What builds the file systems and the packages; the managers are among it, for it is they
# whose files are copied.
TOOLS = (
    *("apt-get", "dpkg-deb", "dpkg-scanpackages", "dnf", "rpmbuild", "rpmsign", "createrepo_c"),
    *("zypper", "pacman", "makepkg", "bsdtar", "gpg", "sudo", "runc"),
)


class Host:
    """A running container that has one package manager, and no other's files."""

    def __init__(self, engine: Engine, family: Family, name: str) -> None:
        self.engine = engine
        self.family = family
        self.manager = family.name
        """The command that it has."""
        self.name = name
        """What podman calls it, for a login."""
        self.passwords = USERS
        self.pid = engine.told("inspect", "-f", "{{.State.Pid}}", name)
        """Its first process, as this machine knows it."""

    def run(
        self, words: list[str], *, user: str = "root", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there in a process of its own, which has no terminal."""
        home = "/root" if user == "root" else f"/home/{user}"
        settings = {"PATH": PATH, "HOME": home, "USER": user, "LC_ALL": "C", **(env or {})}
        # A tenth of what podman's exec takes.
        return subprocess.run(
            [
                *("nsenter", "-t", self.pid, "-m", "-u", "-i", "-n", "-p", "--wd=/", "--"),
                *("setpriv", "--reuid", user, "--regid", user, "--init-groups", "--", *words),
            ],
            env=settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def told(self, *words: str) -> str:
        """What a command prints there, which has to succeed."""
        done = self.run(list(words))
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def install(self, *names: str) -> subprocess.CompletedProcess[str]:
        """Install packages as a careful person would who has no terminal."""
        return self.run([*self.family.install.split(), *names])

    def version(self, name: str) -> str:
        """Which version of a package is installed, by the manager's own word; "" for none."""
        query = {
            "deb": ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", name],
            "rpm": ["rpm", "-q", "--qf", "%{VERSION}", name],
            "arch": ["pacman", "-Q", name],
        }[self.family.built]
        done = self.run(query)
        told = done.stdout.strip() if done.returncode == 0 else ""
        if self.family.built == "deb":
            # "ii " is as it is to be, and "hi " is held as well.
            return told[3:] if told[1:3] == "i " else ""
        return told.rpartition(" ")[2].removesuffix("-1")

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.run(["test", "-e", path]).returncode == 0

    def fill(self, path: str, kilobytes: int) -> None:
        """Let a directory be all of a disk that has so much room."""
        self.told("mkdir", "-p", path)
        self.told("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", path)

    def empty(self, path: str) -> None:
        """Take that disk away again."""
        self.told("umount", path)

    def unreachable(self) -> None:
        """Have one more repository, which nothing answers for."""
        self.told("sh", "/srv/unreachable")

    def unknown_key(self) -> None:
        """Have one more repository, with "signed", by somebody whose key is not known yet.

        dnf, yum and zypper only.
        """
        self.told("sh", "/srv/unknown-key")

    def hold(self) -> None:
        """Have another of the manager's processes hold its lock, until it is released."""
        self.told("/srv/hold", "forever")

    def release(self) -> None:
        """Let the one that holds the lock come to its end, and wait for it."""
        self.told("touch", "/tmp/go")
        until(lambda: self.version("slow") and not self.busy())

    def busy(self) -> bool:
        """Whether a process of the manager's runs there."""
        program = {"apt": "apt-get"}.get(self.manager, self.manager)
        return self.run(["pgrep", "-x", program]).returncode == 0


@pytest.fixture(scope="session")
def package_roots(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where the file systems are, by the names of the managers."""
    with roots() as place:
        yield place


@pytest.fixture
def new_host(request: pytest.FixtureRequest, need: Callable[[str], None]) -> Callable[[str], Host]:
    """Starts a host that nobody has used, given the name of its manager."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for tool in ("podman", *TOOLS):
        need(tool)
    need("busybox")
    place: Path = request.getfixturevalue("package_roots")
    engine: Engine = request.getfixturevalue("podman")

    def start(manager: str) -> Host:
        root = f"{place / manager}:O"
        # bash takes leave of what ends there, as an init does.
        first = ("bash", "-c", "sleep infinity & wait")
        name = engine.start("--hostname", manager, "--rootfs", root, *first)
        return Host(engine, FAMILIES[manager], name)

    return start


@pytest.fixture
def host(request: pytest.FixtureRequest, new_host: Callable[[str], Host]) -> Host:
    """The host that a test names with on(), or each of them."""
    return new_host(request.param)


NewHost = Callable[[str], Host]


def on(*managers: str) -> pytest.MarkDecorator:
    """For a test that is to run on the hosts with these managers."""
    return pytest.mark.parametrize("host", managers, indirect=True)


each_manager = on(*MANAGERS)
"""For a test that is to run on every host."""
