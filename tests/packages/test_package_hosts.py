"""The hosts that the tests of package managers run on are what they are said to be."""

from __future__ import annotations

from packages.hosts import MANAGERS, Host, NewHost, each_manager, on
from packages.roots import USERS
from packages.stock import BIG

import shellbot

SYSTEMS = {
    "apt": ("debian", {"apt", "apt-get", "dpkg"}),
    "dnf": ("fedora", {"dnf", "dnf-3", "rpm"}),
    "yum": ("centos", {"yum", "rpm"}),
    "zypper": ("opensuse-leap", {"zypper", "rpm"}),
    "pacman": ("arch", {"pacman"}),
}
FETCH = {
    "apt": "apt-get -o Acquire::Retries=0 update",
    "dnf": "dnf makecache",
    "zypper": "zypper --non-interactive refresh",
    "pacman": "pacman -Sy",
}
# What is behind yum is what is behind dnf.
each_but_yum = on("apt", "dnf", "zypper", "pacman")


@each_manager
def test_it_has_its_own_manager_only_and_users(host: Host) -> None:
    commands = " ".join({*MANAGERS, "apt-get", "dnf-3", "dpkg", "rpm"})
    found = host.told("sh", "-c", f"for one in {commands}; do command -v $one; done; :")
    system, expected = SYSTEMS[host.manager]
    assert {line.rpartition("/")[2] for line in found.splitlines()} == expected
    assert host.told("sh", "-c", ". /etc/os-release; echo $ID") == f"{system}\n"
    for user, may in {"asker": True, "free": True, "nobody_special": False}.items():
        script = f"echo {USERS[user]} | sudo -S -p '' id -un"
        done = host.run(["sh", "-c", script], user=user)
        assert done.stdout == ("root\n" if may else ""), done.stderr
        unasked = host.run(["sudo", "-n", "true"], user=user)
        assert (unasked.returncode == 0) == (user == "free")


@each_manager
def test_a_session_logs_in_and_a_package_asks_it(host: Host, new_host: NewHost) -> None:
    command = " ".join([*host.family.install.split(), "reads"])
    with (
        shellbot.bash() as session,
        session.container(host.name, engine="podman", user="nobody_special"),
        session.su("root", password=USERS["root"]),
    ):
        session.send(command, answers={"Which colour\\? ": "green"}, timeout=50)
    assert host.told("cat", "/etc/reads.answer") == "green\n"
    assert host.version("reads") == "1.0"
    assert new_host(host.manager).version("reads") == ""


@each_but_yum
def test_what_goes_wrong_there(host: Host) -> None:
    told = {}
    for name in ("fails", "fails-before", "broken-dep"):
        done = host.install(name)
        told[name] = done.stdout + done.stderr
    assert "fails: no luck" in told["fails"]
    assert "fails-before: no luck" in told["fails-before"]
    assert "nowhere" in told["broken-dep"]
    assert host.version("broken-dep") == ""
    # pacman does not care what a script has to say.
    assert host.version("fails-before") == ("1.0" if host.manager == "pacman" else "")
    host.unreachable()
    done = host.run(FETCH[host.manager].split())
    assert "127.0.0.1" in done.stdout + done.stderr


@each_but_yum
def test_a_disk_that_is_full(host: Host) -> None:
    host.fill("/opt", 1024)
    assert host.install("big").returncode != 0
    assert host.version("big") == ""
    host.empty("/opt")
    done = host.install("big")
    assert done.returncode == 0, done.stdout + done.stderr
    used = host.told("du", "--block-size=1", "/opt/big/zeros")
    assert int(used.split()[0]) >= BIG


@each_but_yum
def test_the_lock_is_held_until_it_is_released(host: Host) -> None:
    host.hold()
    assert host.busy()
    host.release()
    assert host.version("slow") == "1.0"
    done = host.install("extra")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (host.version("extra"), host.version("greet")) == ("1.0", "2.0")
    assert host.told("greet") == "greet 2.0\n"


@on("dnf", "zypper")
def test_a_key_that_is_not_known(host: Host) -> None:
    host.unknown_key()
    done = host.install("signed")
    told = done.stdout + done.stderr
    # The one trusts whatever key there is if it may not ask, and the other none.
    trusting = host.manager == "dnf"
    assert ("Importing GPG key" if trusting else "signing key received") in told
    assert "Somebody Else" in told
    assert host.version("signed") == ("1.0" if trusting else "")


@on("zypper")
def test_a_licence_that_nobody_has_agreed_to(host: Host) -> None:
    done = host.install("licensed")
    assert "Do you agree with the terms of the license?" in done.stdout
    assert host.version("licensed") == ""
    assert host.install("--auto-agree-with-licenses", "licensed").returncode == 0
    assert host.version("licensed") == "1.0"
