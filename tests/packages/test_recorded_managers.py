"""The rows of the managers that cannot be had, on what was recorded of them.

Their commands are run by a real shell, against a Fake that prints what was recorded: it shows how
a row calls its manager and how it reads the answer, and not that the real one answers so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from packages.fake import COMMANDS, FakeManager, machine, make_applets
from packages.recorded import FOLDER, Transcript, read, transcripts

import shellbot
from shellbot import managers
from shellbot.packages import Packages

# What a transcript means, where it is not called as the reason is.
REASONS = {
    "no_permission": "not_root",
    "is_root": "not_root",
    "dependency": "conflict",
    "needed": "conflict",
    "masked": "not_found",
    "ambiguous": "not_found",
    "not_installed": "not_found",
    # Nobody has a word for these: the last lines have to say it.
    "read_only": "failed",
    "update_manager": "failed",
    "outdated": "failed",
}
WELL = {"installed", "already", "removed", "upgraded", "refreshed", "up_to_date"}
ALL = transcripts()


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in ALL])
def test_a_row_says_what_a_transcript_means(one: Transcript) -> None:
    status = 1 if one.status is None else one.status
    reason, names, holder = managers.named(one.manager).reason(one.output, status)
    if one.tells is not None or one.case == "hold":
        assert reason == ("failed" if status else ""), "what only tells something says no reason"
    elif one.means in WELL or (one.means == "not_installed" and not status):
        assert (reason, names) == ("", ())
    else:
        assert reason == REASONS.get(one.means, one.means)
        assert names == (() if reason == "failed" else one.about)
    assert holder == ""


def test_the_transcripts_have_been_sorted_whole() -> None:
    failures = {one.means for one in ALL if one.tells is None and one.case != "hold"} - WELL
    assert {REASONS.get(means, means) for means in failures} <= set(shellbot.errors.PACKAGE_REASONS)
    assert set(REASONS) <= failures
    assert {one.manager for one in ALL} == set(COMMANDS)


Start: TypeAlias = Callable[..., AbstractContextManager[tuple[FakeManager, Packages]]]


@pytest.fixture(scope="module")
def applets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that busybox can be called as."""
    path = tmp_path_factory.mktemp("busybox") / "bin"
    make_applets(path)
    return path


@pytest.fixture
def start(tmp_path: Path, need: Callable[[str], None], request: pytest.FixtureRequest) -> Start:
    """Log in to where a Fake is the manager, and see at the end that all was called as expected."""

    @contextmanager
    def start(manager: str, shell: str = "bash") -> Iterator[tuple[FakeManager, Packages]]:
        for program in ("unshare", "mount", "chroot", shell):
            need(program)
        programs = request.getfixturevalue("applets") if shell == "ash" else Path("/usr/bin")
        with (
            shellbot.bash() as session,
            machine(session, tmp_path / manager, manager, programs) as fake,
        ):
            assert (session.where.manager, session.where.shell) == (manager, shell)
            yield fake, session.packages
            assert fake.called == fake.expected
            assert not fake.had_input

    return start


def said(manager: str, case: str) -> tuple[str, int]:
    """What was recorded, and the status; 1 where it is only known not to be 0."""
    one = read(FOLDER / manager / f"{case}.txt")
    return one.output, (one.status if one.status is not None else int(one.succeeded is False))


# How each asks whether tree is there, and what it answers; by the rows' own words for it.
QUERY = {
    "apk": ("apk info -e -v tree", "tree-2.1.1-r0\n", "2.1.1-r0"),
    "xbps": ("xbps-query -p pkgver tree", "tree-2.1.1_1\n", "2.1.1_1"),
    "emerge": ("portageq match / app-text/tree", "app-text/tree-2.1.3\n", "2.1.3"),
    "brew": ("brew list --versions tree", "tree 2.0.0 2.1.3\n", "2.1.3"),
    "pkg": ("pkg query '+%n %v' tree", "+tree 2.1.3\n", "2.1.3"),
    "opkg": ("opkg list-installed tree", "tree - 2.1.1-1\n", "2.1.1-1"),
}
EMERGE = "emerge --ask=n --color=n --nospinner"
INSTALL = {
    "apk": "apk add --no-progress",
    "xbps": "xbps-install -y",
    "emerge": f"{EMERGE} --quiet-build=y --noreplace",
    "brew": "brew install",
    "pkg": "pkg install -y",
    "opkg": "opkg install",
}
REMOVE = {
    "apk": "apk del --no-progress",
    "xbps": "xbps-remove -y",
    "emerge": f"{EMERGE} --depclean",
    "brew": "brew uninstall",
    "pkg": "pkg delete -y",
    "opkg": "opkg remove",
}
REFRESH = {
    "apk": "apk update --no-progress",
    "xbps": "xbps-install -S",
    "emerge": "emerge --sync",
    "brew": "brew update",
    "pkg": "pkg update",
    "opkg": "opkg update",
}
# Where each has its lists.
LISTS = {
    "apk": "/var/cache/apk/APKINDEX.b89edf6e.tar.gz",
    "xbps": "/var/db/xbps/https___repo_example_org_current/x86_64-repodata",
    "emerge": "/var/db/repos/gentoo/metadata/timestamp.chk",
    "brew": "/cache/api/formula.jws.json",
    "pkg": "/var/db/pkg/repo-FreeBSD.sqlite",
    "opkg": "/var/opkg-lists/openwrt_base",
}
TREE = {manager: "app-text/tree" if manager == "emerge" else "tree" for manager in COMMANDS}
NOSUCH = {manager: "app-text/nosuch" if manager == "emerge" else "nosuch" for manager in COMMANDS}
each_fake = pytest.mark.parametrize("manager", COMMANDS)
each_shell = pytest.mark.parametrize("shell", ["bash", "ash"])


def will_be_asked(fake: FakeManager, *, there: bool) -> None:
    line, answer, _ = QUERY[fake.manager]
    fake.will(line, answer if there else "", 0 if there else 1)


def will_look_for_lists(fake: FakeManager, *, there: bool) -> None:
    if there:
        fake.has(LISTS[fake.manager])
    if fake.manager == "brew":
        fake.will("brew --cache", "/cache\n")
        fake.will("brew --repository", "/repository\n")


@each_fake
def test_install_of_what_is_missing(start: Start, manager: str) -> None:
    tree, version = TREE[manager], QUERY[manager][2]
    # Where busybox is the shell on the real one as well.
    with start(manager, "ash" if manager in ("apk", "opkg") else "bash") as (fake, packages):
        will_be_asked(fake, there=False)
        will_look_for_lists(fake, there=True)
        fake.will(f"{INSTALL[manager]} {tree}", *said(manager, "install"))
        will_be_asked(fake, there=True)
        result = packages.install(tree)
        assert (result.manager, result[tree].before, result[tree].version) == (manager, "", version)
        assert result
        assert said(manager, "install")[0].strip() in result.output.replace("\r", "")
        assert re.search(r"LC_ALL='?C'?$", fake.environment, re.MULTILINE)

        will_be_asked(fake, there=True)
        again = packages.install(tree)
        assert (bool(again), again[tree].version, again.output) == (False, version, "")
        will_be_asked(fake, there=True)
        fake.will(f"{REMOVE[manager]} {tree}", "")
        will_be_asked(fake, there=False)
        gone = packages.remove(tree)
        assert (gone[tree].before, gone[tree].version) == (version, "")
        will_be_asked(fake, there=False)
        assert not packages.remove(tree)
        will_be_asked(fake, there=False)
        assert packages.version(tree) is None


# What each says of one that is not there, in the words of the call that is made.
@each_fake
def test_what_is_not_found(start: Start, manager: str) -> None:
    nosuch = NOSUCH[manager]
    query = QUERY[manager][0].replace(TREE[manager], nosuch)
    with start(manager) as (fake, packages):
        fake.will(query, "", 1)
        will_look_for_lists(fake, there=True)
        fake.will(f"{INSTALL[manager]} {nosuch}", *said(manager, "not_found"))
        # The lists may be too old to know it.
        refreshed = "" if manager in ("xbps", "emerge") else said(manager, "refresh")[0]
        fake.will(REFRESH[manager], refreshed)
        fake.will(f"{INSTALL[manager]} {nosuch}", *said(manager, "not_found"))
        fake.will(query, "", 1)
        with pytest.raises(shellbot.PackageError, match="not found") as raised:
            packages.install(nosuch)
        assert (raised.value.reason, raised.value.packages) == ("not_found", (nosuch,))
        assert raised.value.exit_code == said(manager, "not_found")[1]
        assert raised.value.result is not None
        assert not raised.value.result.changed


# emerge has no word of it for a refresh that was recorded.
@pytest.mark.parametrize(
    ("manager", "refreshed", "installed"),
    [
        ("apk", "network_update", "network"),
        ("apk", "network_update", "network_2_10"),
        ("xbps", "network", "not_found"),
        ("brew", "network", "network"),
        ("pkg", "network", "no_catalogue"),
        ("opkg", "network", "not_found"),
    ],
)
def test_lists_that_cannot_be_had_know_of_nothing(
    start: Start, manager: str, refreshed: str, installed: str
) -> None:
    name = "nosuch" if installed == "not_found" else "tree"
    query = QUERY[manager][0].replace("tree", name)
    with start(manager) as (fake, packages):
        fake.will(query, "", 1)
        will_look_for_lists(fake, there=False)
        fake.will(REFRESH[manager], *said(manager, refreshed))
        fake.will(f"{INSTALL[manager]} {name}", *said(manager, installed))
        fake.will(query, "", 1)
        with pytest.raises(shellbot.PackageError) as raised:
            packages.install(name)
        assert raised.value.reason == "network"
        fake.will(REFRESH[manager], *said(manager, refreshed))
        with pytest.raises(shellbot.PackageError) as raised:
            packages.refresh(max_age=0)
        assert raised.value.reason == "network"


@each_fake
def test_a_lock_is_waited_for_as_long_as_may_be(start: Start, manager: str) -> None:
    tree = TREE[manager]
    locked = said(manager, "locked")
    with start(manager) as (fake, packages):
        will_be_asked(fake, there=False)
        will_look_for_lists(fake, there=True)
        waits = manager == "emerge"
        fake.will(f"{INSTALL[manager]} {tree}", *locked, waits=waits)
        will_be_asked(fake, there=False)
        with pytest.raises(shellbot.PackageError) as raised:
            packages.install(tree, lock_timeout=0, timeout=0.5 if waits else 30)
        assert raised.value.reason == "locked"
        assert "ocked" in str(raised.value).partition("\n")[2].partition("To try")[0]
        if manager == "xbps":
            will_be_asked(fake, there=False)
            will_look_for_lists(fake, there=True)
            fake.will("xbps-install -y tree", *locked)
            fake.will("xbps-install -y tree", *said("xbps", "install"))
            will_be_asked(fake, there=True)
            assert packages.install(tree)["tree"].version == "2.1.1_1"


@each_fake
@each_shell
def test_what_only_asks(start: Start, manager: str, shell: str) -> None:
    with start(manager, shell) as (fake, packages):
        _ask[manager](fake, packages)


def _ask_apk(fake: FakeManager, packages: Packages) -> None:
    fake.will("apk search -e git", "git-2.45.2-r0\n")
    assert packages.available("git") == "2.45.2-r0"
    fake.will("apk search -e nosuch")
    assert packages.available("nosuch") is None
    fake.will("apk info -W /usr/bin/git", *said("apk", "owner"))
    assert packages.owner_of("/usr/bin/git") == "git"
    fake.will("apk info -W /bin/ls", *said("apk", "owner_link"))
    assert packages.owner_of("/bin/ls") == "busybox"
    fake.will("apk info -W /etc/nobody", *said("apk", "owner_none"), complains=True)
    assert packages.owner_of("/etc/nobody") is None
    fake.has("/etc/apk/world", said("apk", "manual")[0])
    assert packages.manual() == told("apk", "manual")
    fake.will("apk audit --backup", *said("apk", "changed"))
    assert packages.changed_files() == told("apk", "changed")
    with pytest.raises(shellbot.UsageError, match="apk has no way to hold"):
        packages.hold("git")
    fake.will("apk info -e -v git", "git-2.45.2-r0\n")
    assert packages.is_installed("git=2.45.2-r0")
    fake.will("apk info -e -v git", "git-2.45.2-r0\n")
    assert not packages.is_installed("git=2.45.1-r0")
    # Nobody but apk can compare versions, and to ask it is to install.
    with pytest.raises(shellbot.UsageError, match=r"git~2\.45"):
        packages.is_installed("git~2.45")
    with pytest.raises(shellbot.UsageError, match="git<3"):
        packages.remove("git<3")
    fake.will("apk info -e -v git", "git-2.45.2-r0\n")
    other = packages.remove("git=2.45.1-r0")
    assert (bool(other), other["git"].version) == (False, "2.45.2-r0")
    fake.will("apk info -e -v git", "git-2.45.2-r0\n")
    will_look_for_lists(fake, there=True)
    fake.will("apk add --no-progress 'git~2.45'", *said("apk", "already"))
    fake.will("apk info -e -v git", "git-2.45.2-r0\n")
    assert not packages.install("git~2.45")


def _ask_xbps(fake: FakeManager, packages: Packages) -> None:
    fake.will("xbps-query -R -p pkgver tree", *said("xbps", "available"))
    assert packages.available("tree") == "2.2.1_1"
    fake.will("xbps-query -o /usr/bin/git", *said("xbps", "owner"))
    assert packages.owner_of("/usr/bin/git") == "git"
    fake.will("xbps-query -o /etc/nobody", *said("xbps", "owner_none"), complains=True)
    assert packages.owner_of("/etc/nobody") is None
    fake.will("xbps-query -m", *said("xbps", "manual"))
    assert packages.manual() == told("xbps", "manual")
    with pytest.raises(shellbot.UsageError, match="xbps has no way to changed"):
        packages.changed_files()
    fake.will("xbps-query -p pkgver tree", *said("xbps", "query"))
    fake.will("xbps-pkgdb -m hold tree")
    fake.will("xbps-query -p pkgver tree", *said("xbps", "query"))
    packages.hold("tree")
    fake.will("xbps-query -p pkgver nosuch", *said("xbps", "query_missing"))
    fake.will("xbps-query -p pkgver nosuch", *said("xbps", "query_missing"))
    with pytest.raises(shellbot.PackageError, match=r"not installed.*nosuch"):
        packages.hold("nosuch")
    for name, there in {"tree-2.1.1_1": True, "tree-2.1.0_1": False}.items():
        fake.will("xbps-query -p pkgver tree", *said("xbps", "query"))
        fake.will(f"xbps-query -p pkgver {name}", *(said("xbps", "query") if there else ("", 2)))
        assert packages.is_installed(name) is there
    newer = said("xbps", "list")[0].replace("git-2.46.0_1", "git-2.47.0_1")
    fake.will("xbps-query -l", *said("xbps", "list"))
    will_look_for_lists(fake, there=True)
    fake.will("xbps-install -Suy")
    fake.will("xbps-query -l", newer)
    assert [str(one) for one in packages.upgrade().packages] == ["git 2.46.0_1 -> 2.47.0_1"]


def _ask_emerge(fake: FakeManager, packages: Packages) -> None:
    fake.will("portageq best_visible / dev-vcs/git", *said("emerge", "available"))
    assert packages.available("dev-vcs/git") == "2.47.1"
    fake.will("portageq match / dev-vcs/git", *said("emerge", "query"))
    assert packages.version("dev-vcs/git") == "2.46.0-r1"
    fake.will("portageq owners / /usr/bin/git", *said("emerge", "owner"))
    assert packages.owner_of("/usr/bin/git") == "dev-vcs/git"
    fake.will("portageq owners / /etc/nobody", *said("emerge", "owner_none"), complains=True)
    assert packages.owner_of("/etc/nobody") is None
    fake.has("/var/lib/portage/world", said("emerge", "manual")[0])
    assert packages.manual() == told("emerge", "manual")
    with pytest.raises(shellbot.UsageError, match="emerge has no way to hold"):
        packages.hold("dev-vcs/git")
    fake.has("/var/db/pkg/dev-vcs/git-2.46.0-r1/PF")
    fake.has("/var/db/pkg/app-text/tree-2.1.3/PF")
    will_look_for_lists(fake, there=True)
    fake.will(f"{EMERGE} --quiet-build=y -uDN @world", *said("emerge", "already"))
    assert not packages.upgrade()


def _ask_brew(fake: FakeManager, packages: Packages) -> None:
    fake.will(
        "brew info --json=v2 git",
        '{"formulae":[{"name":"git","versions":{"stable":"2.47.1","head":"HEAD"},'
        '"urls":{"stable":{"url":"https://example.org/git"}}}],"casks":[]}\n',
    )
    assert packages.available("git") == "2.47.1"
    assert re.search(r"HOMEBREW_NO_AUTO_UPDATE='?1'?$", fake.environment, re.MULTILINE)
    fake.will("brew info --json=v2 a/tap/nosuch", *said("brew", "not_found_info"), complains=True)
    assert packages.available("a/tap/nosuch") is None
    fake.has("/opt/homebrew/Cellar/git/2.46.0/bin/git")
    (fake.root / "opt/homebrew/bin").mkdir()
    (fake.root / "opt/homebrew/bin/git").symlink_to("../Cellar/git/2.46.0/bin/git")
    assert packages.owner_of("/opt/homebrew/bin/git") == "git"
    assert packages.owner_of("/etc/nobody") is None
    fake.will("brew list --installed-on-request", *said("brew", "manual"))
    assert packages.manual() == told("brew", "manual")
    for verb, on in {"pin": True, "unpin": False}.items():
        will_be_asked(fake, there=True)
        fake.will(f"brew {verb} tree")
        will_be_asked(fake, there=True)
        packages.hold("tree", on=on)
    will_be_asked(fake, there=False)
    will_look_for_lists(fake, there=True)
    fake.will("brew install tree", *said("brew", "root"))
    will_be_asked(fake, there=False)
    with pytest.raises(shellbot.PackageError, match="not root") as raised:
        packages.install("tree")
    assert "log in as root" not in str(raised.value)
    assert "user" in str(raised.value).partition("To try: ")[2]


def _ask_pkg(fake: FakeManager, packages: Packages) -> None:
    fake.will("pkg rquery -U '+%n %v' git", "+git 2.47.1,1\n")
    assert packages.available("git") == "2.47.1,1"
    fake.will("pkg which -q /usr/local/bin/git", "git-2.46.0\n")
    assert packages.owner_of("/usr/local/bin/git") == "git"
    fake.will("pkg which -q /etc/no-body", "/etc/no-body was not found in the database\n", 1)
    assert packages.owner_of("/etc/no-body") is None
    fake.will("pkg query -e '%a = 0' +%n", "".join(f"+{one}\n" for one in told("pkg", "manual")))
    assert packages.manual() == told("pkg", "manual")
    fake.will("pkg check -s -a", "git-2.46.0: checksum mismatch for /usr/local/etc/git.conf\n", 1)
    assert packages.changed_files() == ["/usr/local/etc/git.conf"]
    will_be_asked(fake, there=True)
    fake.will("pkg lock -y tree", *said("pkg", "hold"))
    will_be_asked(fake, there=True)
    packages.hold("tree")
    fake.will("pkg query '+%n %v' zsh", "+zsh 5.9_5\n")
    fake.will("pkg delete -y zsh", *said("pkg", "remove_held"))
    fake.will("pkg query '+%n %v' zsh", "+zsh 5.9_5\n")
    with pytest.raises(shellbot.PackageError) as raised:
        packages.remove("zsh")
    assert (raised.value.reason, raised.value.packages) == ("held", ("zsh",))
    assert raised.value.exit_code == 7


def _ask_opkg(fake: FakeManager, packages: Packages) -> None:
    fake.will("opkg list tree", *said("opkg", "available"))
    assert packages.available("tree") == "2.1.1-1"
    fake.will("opkg search /usr/bin/tree", *said("opkg", "owner"))
    assert packages.owner_of("/usr/bin/tree") == "tree"
    fake.will("opkg search /etc/nobody", *said("opkg", "owner_none"))
    assert packages.owner_of("/etc/nobody") is None
    came_along = "Package: libc\nStatus: install user installed\nAuto-Installed: yes\n"
    fake.will("opkg status", f"{said('opkg', 'status')[0]}{came_along}")
    assert packages.manual() == ["tree"]
    fake.will("opkg list-changed-conffiles", *said("opkg", "changed"))
    assert packages.changed_files() == told("opkg", "changed")
    will_be_asked(fake, there=True)
    fake.will("opkg flag hold tree", *said("opkg", "hold"))
    will_be_asked(fake, there=True)
    packages.hold("tree")
    fake.will("opkg list-installed", *said("opkg", "query"))
    will_look_for_lists(fake, there=True)
    fake.will("opkg list-upgradable", *said("opkg", "upgradable"))
    fake.will("opkg upgrade tree")
    fake.will(
        "opkg list-installed", said("opkg", "query")[0].replace("tree - 2.1.1", "tree - 2.2.1")
    )
    assert [str(one) for one in packages.upgrade().packages] == ["tree 2.1.1-1 -> 2.2.1-1"]
    # It takes the one, and says that the other is not there.
    fake.will("opkg list-installed tree")
    fake.will("opkg list-installed nosuch")
    fake.will("opkg install tree nosuch", *said("opkg", "one_not_found"))
    fake.will("opkg update", *said("opkg", "refresh"))
    fake.will("opkg install tree nosuch", *said("opkg", "one_not_found"))
    fake.will("opkg list-installed tree", "tree - 2.1.1-1\n")
    fake.will("opkg list-installed nosuch")
    with pytest.raises(shellbot.PackageError, match=r"tree nothing -> 2\.1\.1-1") as raised:
        packages.install("tree", "nosuch")
    assert (raised.value.reason, raised.value.packages) == ("not_found", ("nosuch",))


_ask = {
    "apk": _ask_apk,
    "xbps": _ask_xbps,
    "emerge": _ask_emerge,
    "brew": _ask_brew,
    "pkg": _ask_pkg,
    "opkg": _ask_opkg,
}


def told(manager: str, case: str) -> list[str]:
    """What a transcript tells, without the versions."""
    return [one.partition("=")[0] for one in read(FOLDER / manager / f"{case}.txt").tells or ()]


def test_what_stays_although_all_went_well(start: Start) -> None:
    with start("apk") as (fake, packages):
        fake.will("apk info -e -v libcurl", "libcurl-8.9.1-r0\n")
        fake.will("apk del --no-progress libcurl", *said("apk", "remove_needed"))
        fake.will("apk info -e -v libcurl", "libcurl-8.9.1-r0\n")
        with pytest.raises(shellbot.PackageError) as raised:
            packages.remove("libcurl")
        assert (raised.value.reason, raised.value.packages) == ("conflict", ("libcurl",))
        assert "libcurl: git" in raised.value.partial.decode()


@pytest.mark.parametrize(
    ("manager", "line", "case", "reason"),
    [
        ("apk", "apk info -e -v tree", "not_root", "not_root"),
        ("xbps", "xbps-query -p pkgver tree", "locked", "locked"),
        ("brew", "brew list --versions tree", "locked", "locked"),
        ("pkg", "pkg query '+%n %v' tree", "locked_read", "locked"),
        ("opkg", "opkg list-installed tree", "locked", "locked"),
    ],
)
def test_what_could_not_be_asked_is_not_called_missing(
    start: Start, manager: str, line: str, case: str, reason: str
) -> None:
    with start(manager) as (fake, packages):
        fake.will(line, *said(manager, case), complains=True)
        with pytest.raises(shellbot.PackageError) as raised:
            packages.is_installed("tree")
        assert raised.value.reason == reason
        assert raised.value.exit_code is not None


def test_what_went_wrong_although_all_ended_well(start: Start) -> None:
    with start("pkg") as (fake, packages):
        fake.will("pkg query '+%n %v' fails", "", 1)
        will_look_for_lists(fake, there=True)
        fake.will("pkg install -y fails", said("pkg", "script_failed")[0])
        fake.will("pkg query '+%n %v' fails", "+fails 1.0\n")
        with pytest.raises(
            shellbot.PackageError, match=r"Changed.*fails nothing -> 1\.0"
        ) as raised:
            packages.install("fails")
        assert (raised.value.reason, raised.value.packages) == ("script_failed", ("fails",))
        fake.will("pkg query '+%n %v' zsh", "+zsh 5.9_5\n")
        fake.will("pkg upgrade -y zsh", *said("pkg", "locked_package"))
        fake.will("pkg query '+%n %v' zsh", "+zsh 5.9_5\n")
        with pytest.raises(shellbot.PackageError, match="hold off") as raised:
            packages.upgrade("zsh")
        assert (raised.value.reason, raised.value.packages) == ("held", ("zsh",))


def call_otherwise(start: Start) -> None:
    with start("apk") as (fake, packages):
        fake.will("apk info -e -v git", "git-2.45.2-r0\n")
        with pytest.raises(shellbot.PackageError, match="nothing was recorded for: info"):
            packages.version("tree")


def test_a_fake_that_is_called_otherwise_says_so(start: Start) -> None:
    with pytest.raises(AssertionError, match="tree"):
        call_otherwise(start)
