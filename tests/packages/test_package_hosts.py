"""The hosts that the tests of package managers run on are what they are said to be."""

from __future__ import annotations

from dialogues.machines import until
from packages.hosts import MANAGERS, Host, NewHost, each_manager
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


@each_manager
def test_it_has_its_own_manager_only(host: Host) -> None:
    commands = sorted({*MANAGERS, "apt-get", "dnf-3", "dpkg", "rpm"})
    found = host.told("sh", "-c", f"for one in {' '.join(commands)}; do command -v $one; done; :")
    system, expected = SYSTEMS[host.manager]
    assert {line.rpartition("/")[2] for line in found.splitlines()} == expected
    assert system in host.told("sh", "-c", ". /etc/os-release; echo $ID").split()


@each_manager
def test_what_is_installed_there_is_gone_with_it(host: Host, new_host: NewHost) -> None:
    done = host.install("extra")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (host.version("extra"), host.version("greet")) == ("1.0", "2.0")
    assert host.told("greet") == "greet 2.0\n"
    assert new_host(host.manager).version("greet") == ""


@each_manager
def test_a_script_that_fails_and_a_package_that_needs_what_is_nowhere(host: Host) -> None:
    told = {}
    for name in ("fails", "fails-before", "broken-dep"):
        done = host.install(name)
        told[name] = done.stdout + done.stderr
    assert "fails: no luck" in told["fails"]
    assert "fails-before: no luck" in told["fails-before"]
    assert "nowhere" in told["broken-dep"]
    assert host.version("broken-dep") == ""


@each_manager
def test_a_disk_that_is_full(host: Host) -> None:
    host.fill("/opt", 1024)
    done = host.install("big")
    assert done.returncode != 0
    assert host.version("big") == ""
    host.empty("/opt")
    done = host.install("big")
    assert done.returncode == 0, done.stdout + done.stderr
    used = host.told("du", "--block-size=1", "/opt/big/zeros")
    assert int(used.split()[0]) >= BIG


@each_manager
def test_the_lock_is_held_until_it_is_released(host: Host) -> None:
    host.hold()
    assert host.busy()
    assert not host.has("/usr/bin/greet")
    host.release()
    assert host.version("slow") == "1.0"
    assert host.install("greet").returncode == 0


@each_manager
def test_its_users_and_who_may_do_what(host: Host) -> None:
    asked = "echo {} | sudo -S -p '' id -un"
    for user, expected in {"asker": "root\n", "free": "root\n", "nobody_special": ""}.items():
        done = host.run(["sh", "-c", asked.format(USERS[user])], user=user)
        assert done.stdout == expected, done.stderr
    assert host.run(["sudo", "-n", "id", "-un"], user="free").stdout == "root\n"
    assert host.run(["sudo", "-n", "id", "-un"], user="asker").returncode != 0


@each_manager
def test_a_session_logs_in_and_becomes_another(host: Host) -> None:
    with shellbot.bash() as session:
        with session.container(host.name, engine="podman", user="nobody_special"):
            assert session.send("id -un").output.strip() == "nobody_special"
            with session.su("root", password=USERS["root"]):
                assert session.send("id -un").output.strip() == "root"
        with session.container(host.name, engine="podman"):
            assert session.send("id -un").output.strip() == "root"


@each_manager
def test_a_package_that_asks_has_its_answer_from_a_terminal(host: Host) -> None:
    command = " ".join([*host.family.install.split(), "reads"])
    with shellbot.bash() as session, session.container(host.name, engine="podman"):
        answered = session.send(command, answers={"Which colour\\? ": "green"}, timeout=50)
        assert answered.ok
    assert host.told("cat", "/etc/reads.answer") == "green\n"


@each_manager
def test_a_repository_that_nothing_answers_for(host: Host) -> None:
    host.unreachable()
    lists = {
        "apt": ["apt-get", "update"],
        "zypper": ["zypper", "--non-interactive", "refresh"],
        "pacman": ["pacman", "-Sy"],
    }.get(host.manager, [host.manager, "-y", "makecache"])
    done = host.run(lists)
    assert "127.0.0.1" in done.stdout + done.stderr
    until(lambda: not host.busy())
