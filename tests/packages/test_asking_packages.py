"""What the managers are asked, what goes wrong in asking, and how old their lists may be."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packages import stock
from packages.hosts import Host, each_manager, on

import shellbot
from shellbot import PackageError, Session, UsageError

NASTY = (
    *("x;touch${IFS}/tmp/owned", "$(touch${IFS}/tmp/owned)", "`touch${IFS}/tmp/owned`"),
    *("x'`touch${IFS}/tmp/owned`'", 'x"$(touch${IFS}/tmp/owned)"', "x|tee${IFS}/tmp/owned"),
    *("x>/tmp/owned", "x&touch${IFS}/tmp/owned", "/x;touch /tmp/owned;.deb", "gree?", "gre.*"),
    *("greet*", "*", "@greet", "x;touch /tmp/owned", "greet extra", "x\ntouch /tmp/owned"),
)
NO_NAMES = ("", "-y", "--force", " ", "\n", "\x1b[A", "=1.0")


@pytest.fixture
def there(host: Host, bash: Session) -> Iterator[Session]:
    """A session that is on the host, as root."""
    with bash.container(host.name, engine="podman", user="root"):
        yield bash


def in_step(session: Session) -> bool:
    return session.send_and_get_output("echo in $((1 + 1)) step") == "in 2 step"


def failing(session: Session, reason: str, call: Callable[[], object]) -> PackageError:
    """The error that a verb raises, for that reason; the session is in step after it."""
    with pytest.raises(PackageError) as caught:
        call()
    assert caught.value.reason == reason, caught.value
    assert in_step(session)
    return caught.value


def spelled(host: Host, version: str) -> str:
    return version if host.manager == "apt" else f"{version}-1"


def development(host: Host) -> str:
    return {"apt": "libdemo-dev", "pacman": "libdemo"}.get(host.manager, "libdemo-devel")


INDEX = {
    "deb": "dpkg-scanpackages -m . >Packages",
    "rpm": "createrepo_c -q .",
    "arch": "rm test.*; repo-add -q test.db.tar.gz *.pkg.tar.gz",
}
FETCH = {
    "apt": "apt-get update",
    "dnf": "dnf makecache --refresh",
    "yum": "yum makecache --refresh",
    "zypper": "zypper --non-interactive refresh",
    "pacman": "pacman -Sy",
}
LISTS = {
    "apt": "/var/lib/apt/lists/partial",
    "dnf": "/var/cache/dnf",
    "yum": "/var/cache/dnf",
    "zypper": "/var/cache/zypp",
    # What is in there has the time that it has where it comes from.
    "pacman": "/var/lib/pacman/sync -maxdepth 0",
}


def offer(host: Host, *, without: str = "") -> None:
    """Have the host's repository list its packages, but for one; the host does not look."""
    repository = Path(f"/proc/{host.pid}/root/srv/repo")
    newest = max(file.stat().st_mtime for file in repository.rglob("*"))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(repository, place, dirs_exist_ok=True, symlinks=True)
        for file in place.glob(f"{without}[_-]*") if without else ():
            file.unlink()
        index = ["sh", "-ec", INDEX[host.family.built]]
        subprocess.run(index, cwd=place, check=True, capture_output=True)
        if host.manager == "apt":
            stock.release_deb(place)
        for file in (*place.rglob("*.xml*"), *place.glob("[PRt]e*"), *place.glob("Pack*")):
            # They know what is new by its time, in whole seconds.
            os.utime(file, (newest + 10, newest + 10), follow_symlinks=False)
        for file in repository.rglob("*"):
            # The files themselves may be those that the manager has, too.
            if not file.is_dir() and not file.name.endswith((".deb", ".rpm", "any.pkg.tar.gz")):
                file.unlink()
        shutil.copytree(place, repository, dirs_exist_ok=True, symlinks=True)


def age(host: Host) -> None:
    """Have the lists of packages be older than a day."""
    host.told("sh", "-c", f"find {LISTS[host.manager]} -exec touch -d '26 hours ago' {{}} +")


@each_manager
def test_what_there_is_and_whose(host: Host, there: Session) -> None:
    packages = there.packages
    assert packages.version("greet") is None
    assert not packages.is_installed("greet")
    assert packages.available("greet") == spelled(host, "2.0")
    assert packages.available("nowhere") is None
    assert packages.owner_of("/usr/bin/greet") is None
    host.install("extra")
    with there.su("nobody_special"):
        assert packages.version("greet") == spelled(host, host.version("greet"))
        assert packages.is_installed("extra")
        assert not packages.is_installed("libssl-dev")
        assert packages.owner_of("/usr/bin/additional") == "extra"
        assert packages.owner_of("/etc/hostname") is None
    asked_for = packages.manual()
    assert "extra" in asked_for
    assert "greet" not in asked_for
    # Names of another family's, the caller's own.
    packages.names["libmine"] = {"debian": "libdemo-dev", "arch": ["libdemo"]}
    for family in ("fedora", "suse"):
        packages.names["libmine"][family] = "libdemo-devel"  # type: ignore[index]
    result = there.install("libmine", "greet")
    assert [one.name for one in result.changed] == [development(host)]
    assert result["libmine"].version == spelled(host, host.version(development(host)))
    assert packages.is_installed("libmine")
    with pytest.raises(UsageError, match="absolute"):
        packages.owner_of("bin/greet")


@each_manager
def test_a_command_is_there_by_whichever_package_brings_it(host: Host, there: Session) -> None:
    assert not there.ensure("ls")
    assert there.ensure("ls").output == ""
    if host.manager == "pacman":
        host.told("pacman", "-Fy")
    if host.manager == "apt":
        # Only apt-file could tell.
        failing(there, "not_found", lambda: there.ensure("additional"))
        result = there.ensure("additional", package="extra")
    else:
        result = there.ensure("additional")
    assert [one.name for one in result.changed] == ["extra"]
    assert there.send_and_get_output("additional") == "additional 1.0"
    assert host.version("extra") == "1.0"
    error = failing(there, "no_command", lambda: there.ensure("hammer", package="configured"))
    assert "hammer" in str(error)
    assert host.version("configured") == "2.0"


@each_manager
def test_one_that_is_held_stays_as_it_is(host: Host, there: Session) -> None:
    packages = there.packages
    host.install("configured")
    old = {"apt": "greet=1.0", "zypper": "greet=1.0"}.get(host.manager, "greet-1.0")
    if host.manager == "pacman":
        host.told("pacman", "--noconfirm", "-U", "/srv/files/greet-1.0-1-any.pkg.tar.gz")
    else:
        host.install(old)
    if host.manager in ("dnf", "yum"):
        failing(there, "unsupported", lambda: packages.hold("greet"))
        return
    failing(there, "not_installed", lambda: packages.hold("extra", "greet"))
    packages.hold("greet")
    packages.hold("greet")
    assert not packages.upgrade()
    failing(there, "held", lambda: packages.upgrade("greet"))
    assert host.version("greet") == "1.0"
    # It is there, whatever its version.
    assert packages.is_installed("greet")
    assert not there.install("greet")
    packages.hold("greet", on=False)
    assert [one.name for one in packages.upgrade().changed] == ["greet"]
    assert host.version("greet") == "2.0"


@each_manager
def test_what_was_interrupted_is_put_right(host: Host, there: Session) -> None:
    if host.manager != "apt":
        with pytest.raises(UsageError, match="no way to mend"):
            there.packages.mend()
        return
    host.told("dpkg", "--unpack", "/srv/repo/greet_2.0_all.deb")
    assert not there.packages.is_installed("greet")
    assert host.version("greet") == ""
    there.packages.mend()
    assert there.packages.version("greet") == host.version("greet") == "2.0"


@each_manager
def test_lists_are_fetched_when_they_are_old_or_know_of_no_such_package(
    host: Host, there: Session
) -> None:
    packages = there.packages
    if host.manager == "apt":
        # What lies there already is no list that has been fetched.
        host.told("sed", "-i", "s/file:/copy:/", "/etc/apt/sources.list")
        host.told("apt-get", "update")
    # They are new once they have been fetched, if there is nothing new in them as well.
    for fetch in (
        lambda: host.told(*FETCH[host.manager].split()),
        lambda: packages.refresh(max_age=0),
    ):
        age(host)
        fetch()
        with there.sudo():
            assert not packages.refresh(max_age=3600)
    offer(host, without="extra")
    assert packages.refresh(max_age=0)
    assert packages.available("extra") is None
    offer(host)
    assert not packages.refresh(max_age=3600)
    assert packages.available("extra") is None
    # It is not found until they are fetched.
    assert there.install("extra", max_age=3600)["extra"].version == spelled(host, "1.0")
    assert host.version("extra") == "1.0"
    offer(host, without="extra")
    assert there.remove("extra")
    assert not packages.refresh(max_age=3600)
    assert packages.available("extra") == spelled(host, "1.0")
    assert packages.refresh(max_age=0)
    assert packages.available("extra") is None
    offer(host)
    age(host)
    # Whoever is there for the first time can go by nothing but what is there.
    with there.sudo():
        assert not packages.refresh(max_age=7 * 86400)
        if host.manager not in ("dnf", "yum"):
            # Those look for themselves when they are asked.
            assert packages.available("extra") is None
        assert packages.refresh(max_age=86400)
        assert packages.available("extra") == spelled(host, "1.0")
    # An install looks how old they are as well, if that is not known.
    age(host)
    offer(host, without="configured")
    with there.sudo():
        failing(there, "not_found", lambda: there.install("configured"))


@each_manager
def test_no_shell_reads_a_name(host: Host, there: Session) -> None:
    packages = there.packages
    passed = []
    for name in NASTY:
        try:
            there_is = packages.is_installed(name)
        except UsageError:
            for verb in (there.install, there.remove, packages.upgrade, packages.hold):
                with pytest.raises(UsageError):
                    verb("greet", name)
            for ask in (packages.version, packages.available):
                with pytest.raises(UsageError):
                    ask(name)
        else:
            assert not there_is, name
            passed.append(name)
    # What is left is taken for what it is: a name, of nothing.
    if passed:
        failing(there, "not_found", lambda: there.install(*passed))
        assert not there.remove(*passed)
        failing(there, "not_installed", lambda: packages.upgrade(*passed))
        assert packages.version(passed[0]) is None
        for name in passed[:3]:
            # With a slash it may be a repository's, which is an error where there is none.
            if "/" not in name:
                assert packages.available(name) is None
    for name in NASTY[:8]:
        assert packages.owner_of(f"/{name}") is None
        assert there.install("greet") if not host.version("greet") else True
    for name in NASTY[:6]:
        with pytest.raises((UsageError, PackageError)):
            there.ensure(name)
    assert not host.has("/tmp/owned")
    assert (host.version("greet"), host.version("extra")) == ("2.0", "")
    assert in_step(there)


@on("apt")
def test_what_cannot_be_asked_for_runs_nothing(host: Host, there: Session) -> None:
    packages = there.packages

    def process() -> int:
        """A process is numbered after the one before it."""
        return int(there.send_and_get_output("sh -c 'echo $$'"))

    before = process()
    verbs = (there.install, there.remove, packages.hold, packages.upgrade)
    for verb in verbs:
        for name in NO_NAMES:
            with pytest.raises(UsageError):
                verb("greet", name)
        with pytest.raises(UsageError):
            verb(5)  # type: ignore[arg-type]
        with pytest.raises(shellbot.UnknownNameError, match="apt"):
            verb("greet", manager="aptitude")
    for verb in verbs[:3]:
        with pytest.raises(UsageError, match="no package"):
            verb()
    for ask in (packages.is_installed, packages.version, packages.available, there.ensure):
        for name in NO_NAMES[:5]:
            with pytest.raises(UsageError):
                ask(name)
    for call in (there.install, packages.upgrade):
        with pytest.raises(UsageError, match="it has: keep, replace, ask"):
            call("greet", configuration="what")
    with pytest.raises(UsageError):
        there.install("greet", timeout=-1)
    assert process() == before + 1
    assert host.version("greet") == ""
