"""install, remove and upgrade on real managers, whose own word on it is asked for apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from packages.hosts import Host, each_manager, on
from packages.stock import BIG

from shellbot import Package, PackageError, PackageResult, Session, UsageError

# What none of the stock is called.
NOWHERE, NEITHER = "nowhere-at-all", "neither"
DEVELOPMENT = {"apt": "libdemo-dev", "pacman": "libdemo"}
PIN = {"apt": "{}={}", "dnf": "{}-{}", "yum": "{}-{}", "zypper": "{}={}", "pacman": "{}={}"}
SUFFIX = {"deb": "deb", "rpm": "rpm", "arch": "pkg.tar.gz"}


def spelled(host: Host, version: str) -> str:
    """A version of the stock's as the manager has it."""
    return version if host.manager == "apt" or not version else f"{version}-1"


def development(host: Host) -> str:
    return DEVELOPMENT.get(host.manager, "libdemo-devel")


def older(host: Host, *names: str) -> None:
    """Have the first version of these, of which the repository has a second."""
    words = [*host.family.install.split(), *(PIN[host.manager].format(one, "1.0") for one in names)]
    if host.manager == "pacman":
        files = (f"/srv/files/{name}-1.0-1-any.pkg.tar.gz" for name in names)
        words = ["pacman", "--noconfirm", "-U", *files]
    host.told(*words)
    assert [host.version(name) for name in names] == ["1.0"] * len(names)


def tells(host: Host, result: PackageResult | None, **versions: tuple[str, str]) -> None:
    """Make sure that a result has these versions, before and now, and that the manager has too."""
    assert result is not None
    named = {name.replace("_", "-"): pair for name, pair in versions.items()}
    found = {one.name: (one.before, one.version) for one in result.packages}
    assert found == {
        name: tuple(spelled(host, version) for version in pair) for name, pair in named.items()
    }
    assert {name: host.version(name) for name in named} == {
        name: now for name, (_, now) in named.items()
    }
    assert bool(result) == any(before != now for before, now in named.values())
    assert result.manager == host.manager


@pytest.fixture
def there(host: Host, bash: Session) -> Iterator[Session]:
    """A session that is on the host, as root."""
    with bash.container(host.name, engine="podman", user="root"):
        yield bash


def failing(session: Session, reason: str, call: Callable[[], object]) -> PackageError:
    """The error that a verb raises, for that reason; the session is in step after it."""
    with pytest.raises(PackageError) as caught:
        call()
    assert caught.value.reason == reason, caught.value
    assert session.send_and_get_output("echo in $((1 + 1)) step") == "in 2 step"
    return caught.value


@each_manager
def test_one_and_several_are_installed_and_removed(host: Host, there: Session) -> None:
    result = there.install("greet")
    tells(host, result, greet=("", "2.0"))
    assert "greet" in result.output
    more = development(host)
    tells(host, there.install("extra", more), extra=("", "1.0"), **{more: ("", "1.0")})
    assert there.send_and_get_output("extra") == "extra 1.0"
    tells(host, there.remove("extra"), extra=("1.0", ""))
    assert not host.has("/usr/bin/extra")
    for names in (["extra"], [NOWHERE, "extra"]):
        again = there.remove(*names)
        assert not again
        assert again.output == ""
        assert [one.version for one in again.packages] == [""] * len(names)
    tells(host, there.install("extra"), extra=("", "1.0"))
    removed = there.remove("extra", NOWHERE, more)
    assert removed[NOWHERE] == Package(NOWHERE, NOWHERE)
    assert [one.name for one in removed.changed] == ["extra", more]
    assert (host.version("extra"), host.version(more)) == ("", "")


@each_manager
def test_what_is_there_is_left_alone_and_takes_no_root(host: Host, there: Session) -> None:
    older(host, "greet")
    host.install("configured")
    with there.su("nobody_special"):
        result = there.install("configured", "greet")
        tells(host, result, configured=("2.0", "2.0"), greet=("1.0", "1.0"))
        assert result.output == ""
        assert not there.remove("extra")
        failing(there, "not_root", lambda: there.install("greet", "extra"))
    more = development(host)
    result = there.install("greet", more)
    tells(host, result, greet=("1.0", "1.0"), **{more: ("", "1.0")})
    assert [one.name for one in result.changed] == [more]


@each_manager
def test_nothing_is_installed_if_one_of_several_is_not_to_be_had(
    host: Host, there: Session
) -> None:
    error = failing(there, "not_found", lambda: there.install("extra", NOWHERE))
    assert error.packages == (NOWHERE,)
    tells(host, error.result, **{"extra": ("", ""), NOWHERE: ("", "")})
    # One that has another name here is named as it was asked for.
    error = failing(there, "not_found", lambda: there.install(NEITHER, "extra", "libffi-dev"))
    assert set(error.packages) == {NEITHER, "libffi-dev"}
    assert error.result is not None
    assert not error.result
    assert host.version("extra") == ""
    missing = f"/srv/files/{NOWHERE}.{SUFFIX[host.family.built]}"
    error = failing(there, "not_found", lambda: there.install(missing))
    assert error.result is not None
    assert not error.result


@each_manager
def test_what_needs_it_goes_with_it_where_the_manager_does_so(host: Host, there: Session) -> None:
    host.install("extra")
    if host.manager == "pacman":
        error = failing(there, "conflict", lambda: there.remove("greet"))
        tells(host, error.result, greet=("2.0", "2.0"))
        tells(host, there.remove("greet", "extra"), greet=("2.0", ""), extra=("1.0", ""))
    else:
        tells(host, there.remove("greet"), greet=("2.0", ""))
        assert host.version("extra") == ""


@each_manager
def test_upgrade_tells_exactly_what_has_changed(host: Host, there: Session) -> None:
    host.install(development(host))
    older(host, "greet", "configured")
    upgrade = there.packages.upgrade
    error = failing(there, "not_installed", lambda: upgrade("greet", "extra"))
    assert error.packages == ("extra",)
    assert host.version("greet") == "1.0"
    tells(host, upgrade("greet"), greet=("1.0", "2.0"))
    assert host.version("configured") == "1.0"
    tells(host, upgrade("greet"), greet=("2.0", "2.0"))
    tells(host, upgrade(), configured=("1.0", "2.0"))
    nothing = upgrade()
    assert not nothing
    assert nothing.packages == ()


@each_manager
def test_a_version_is_what_was_asked_for_or_an_error(host: Host, there: Session) -> None:
    pin = PIN[host.manager].format
    host.install("extra")
    wanted = pin("greet", "1.0")
    if host.manager == "pacman":
        # There is but the newest in its repositories.
        failing(there, "not_found", lambda: there.install(wanted))
        assert host.version("greet") == "2.0"
        older(host, "greet")
    else:
        result = there.install(wanted)
        tells(host, result, greet=("2.0", "1.0"))
        assert result.packages[0].wanted == wanted
    again = there.install(wanted)
    assert not again
    assert again.output == ""
    is_installed = there.packages.is_installed
    versions = ("1.0", "2.0", spelled(host, "1.0"))
    assert [is_installed(pin("greet", one)) for one in versions] == [True, False, True]
    tells(host, there.install(pin("greet", spelled(host, "2.0"))), greet=("1.0", "2.0"))
    error = failing(there, "not_found", lambda: there.install(pin("greet", "7.7"), "configured"))
    assert error.packages == (pin("greet", "7.7"),)
    assert (host.version("greet"), host.version("configured")) == ("2.0", "")
    if host.manager in ("apt", "dnf", "yum"):
        tells(host, there.install(pin("greet", "1*")), greet=("2.0", "1.0"))
        assert there.install(pin("greet", "1*")).output == ""


ASKED = "Which colour\\?"


@each_manager
@pytest.mark.parametrize("name", ["asks", "reads"])
def test_a_package_that_asks_is_answered_or_keeps_nobody_waiting(
    host: Host, there: Session, name: str
) -> None:
    result: PackageResult | None
    if host.manager == "apt":
        # It is told that there is nobody to ask.
        result = there.install(name)
        assert host.told("cat", f"/etc/{name}.answer") == "none\n"
    else:
        error = failing(there, "question", lambda: there.install(name, timeout=30))
        assert "Which colour? " in str(error)
        assert "answers=" in str(error)
        assert not host.busy()
        result = error.result
    assert result
    now = host.version(name)
    assert result[name].version == spelled(host, now)
    if now:
        there.remove(name)
        if host.manager == "apt":
            host.told("dpkg", "--purge", name)
    result = there.install(name, answers={ASKED: "green"})
    tells(host, result, **{name: ("", "1.0")})
    assert host.told("cat", f"/etc/{name}.answer") == "green\n"


def changed_by_a_person(host: Host, *files: str) -> None:
    for file in files:
        host.told("sh", "-c", f"echo 'colour = red' >>/etc/{file}.conf")


def colour(host: Host, file: str = "configured.conf") -> str:
    version, *settings = host.told("cat", f"/etc/{file}").splitlines()
    return f"{version} {settings[-1]}"


@each_manager
def test_settings_that_a_person_has_changed_are_kept(host: Host, there: Session) -> None:
    older(host, "configured")
    changed = there.packages.changed_files
    assert changed() == []
    host.told("rm", "/etc/configured.conf")
    assert changed() == ["/etc/configured.conf"]
    host.told("sh", "-c", "printf '# of 1.0\\ncolour = green\\n' >/etc/configured.conf")
    changed_by_a_person(host, "configured")
    assert changed() == ["/etc/configured.conf"]
    if host.manager != "apt":
        with pytest.raises(UsageError, match="configuration='replace'"):
            there.packages.upgrade(configuration="replace")
        with pytest.raises(UsageError, match="configuration='replace'"):
            there.install("configured", configuration="replace")
        assert host.version("configured") == "1.0"
    tells(host, there.packages.upgrade(), configured=("1.0", "2.0"))
    assert colour(host) == "# of 1.0 colour = red"
    # What the package has brought is beside it.
    new = {"deb": "dpkg-dist", "rpm": "rpmnew", "arch": "pacnew"}[host.family.built]
    assert colour(host, f"configured.conf.{new}") == "# of 2.0 colour = green"
    assert changed() == ["/etc/configured.conf"]


@on("apt")
def test_settings_become_the_packages_own_if_that_is_asked_for(host: Host, there: Session) -> None:
    older(host, "configured")
    changed_by_a_person(host, "configured")
    result = there.install("configured=2.0", configuration="replace")
    tells(host, result, configured=("1.0", "2.0"))
    assert colour(host) == "# of 2.0 colour = green"
    assert there.packages.changed_files() == []


@on("dnf", "yum", "zypper")
def test_settings_that_rpm_replaces_are_set_aside(host: Host, there: Session) -> None:
    older(host, "configured")
    changed_by_a_person(host, "replaced")
    tells(host, there.packages.upgrade("configured"), configured=("1.0", "2.0"))
    assert colour(host, "replaced.conf") == "# of 2.0 colour = green"
    assert colour(host, "replaced.conf.rpmsave") == "# of 1.0 colour = red"


@each_manager
def test_a_script_that_fails_is_an_error_with_what_has_changed(host: Host, there: Session) -> None:
    more = development(host)
    error = failing(there, "script_failed", lambda: there.install(more, "fails"))
    assert error.packages == ("fails",)
    assert "fails: no luck" in str(error)
    state = "" if host.manager == "apt" else "1.0"
    tells(host, error.result, **{more: ("", "1.0"), "fails": ("", state)})
    assert f"Changed all the same: {more} nothing ->" in str(error)
    # Half installed is not gone.
    there.remove("fails")
    assert not host.has("/usr/bin/fails")
    tells(host, there.install("greet"), greet=("", "2.0"))
    error = failing(there, "script_failed", lambda: there.install("fails-before"))
    assert error.packages == ("fails-before",)
    tells(host, error.result, fails_before=("", host.version("fails-before")))
    error = failing(there, "conflict", lambda: there.install("configured", "broken-dep"))
    assert error.packages == ("broken-dep",)
    assert "nowhere" in str(error)
    tells(host, error.result, broken_dep=("", ""), configured=("", ""))


@each_manager
def test_a_repository_that_cannot_be_reached(host: Host, there: Session) -> None:
    if host.manager == "apt":
        host.told("sh", "-c", "echo 'Acquire::Retries 0;' >/etc/apt/apt.conf.d/retries")
    host.unreachable()
    error = failing(there, "network", lambda: there.packages.refresh(max_age=0))
    assert "127.0.0.1" in str(error)
    failing(there, "network", lambda: there.install(NOWHERE))
    if host.manager == "pacman":
        # It does nothing at all without one of its databases.
        failing(there, "network", lambda: there.install("extra"))
        assert host.version("extra") == ""
    else:
        tells(host, there.install("extra"), extra=("", "1.0"))


@each_manager
def test_a_disk_that_is_full_and_then_is_not(host: Host, there: Session) -> None:
    host.fill("/opt", 1024)
    more = development(host)
    error = failing(there, "disk_full", lambda: there.install("big", more))
    assert error.result is not None
    assert (error.result["big"].version, host.version("big")) == ("", "")
    assert error.result[more].version == spelled(host, host.version(more))
    host.empty("/opt")
    result = there.install("big", more)
    assert (host.version("big"), host.version(more)) == ("1.0", "1.0")
    assert result["big"].changed
    assert int(host.told("stat", "-c", "%s", "/opt/big/zeros")) == BIG


@each_manager
def test_a_file_is_installed_once(host: Host, there: Session) -> None:
    file = f"/srv/files/local-1.0.{SUFFIX[host.family.built]}"
    assert not there.packages.is_installed(file)
    result = there.install(file)
    assert result.packages == (Package(file, "local", version=spelled(host, "1.0")),)
    assert host.version("local") == "1.0"
    again = there.install(file)
    assert not again
    assert again.output == ""
    assert there.packages.is_installed(file)
    assert there.packages.version("local") == spelled(host, "1.0")
    # One beside another that is to be had by its name.
    there.remove("local")
    tells(host, there.install("greet", file), greet=("", "2.0"), local=("", "1.0"))


@on("zypper")
def test_a_licence_is_a_question(host: Host, there: Session) -> None:
    error = failing(there, "licence", lambda: there.install("licensed"))
    assert "Do you agree with the terms of the license?" in str(error)
    tells(host, error.result, licensed=("", ""))


@on("dnf", "yum", "zypper")
def test_a_key_that_nobody_knows(host: Host, there: Session) -> None:
    host.unknown_key()
    if host.manager == "zypper":
        error = failing(there, "untrusted", lambda: there.install("signed"))
        tells(host, error.result, signed=("", ""))
    else:
        # They take it as they find it when they may not ask.
        tells(host, there.install("signed"), signed=("", "1.0"))
