"""The one line that proves a shell, and what is made of its answer, whoever gives it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shellbot import UnknownNameError, dialects, entry
from shellbot.entry import Entry, Facts

SHELLS = (
    *("bash", "dash", "busybox", "zsh", "ksh93", "mksh"),
    *("fish", "tcsh", "yash", "xonsh"),
)
sizes = st.tuples(st.integers(0, 65_535), st.integers(0, 65_535))
DEBIAN = """dev=ok
stty=ok
shell=/bin/bash
host=db1
user=deploy
uname=Linux
sh=/usr/bin/dash
in=
/usr/bin/bash
/usr/bin/zsh
/usr/bin/dash
/usr/bin/apt-get
/usr/bin/sudo
ID=debian
VERSION_ID="12"
"""


def an_entry(shell: str | None = None) -> Entry:
    return Entry(depth=1, size=(24, 80), shell=shell)


def key(one: Entry) -> bytes:
    return one.line.partition(b"__sb_k=")[2].partition(b";")[0]


def answer(one: Entry, told: bytes) -> bytes:
    """What a shell prints that tells that."""
    return b"\x1e%b[%b%b]" % (key(one), told, key(one))


def facts(told: str, wanted: str | None = None) -> Facts:
    one = an_entry(wanted)
    found = one.told(answer(one, told.encode("utf-8", "surrogateescape")))
    assert found is not None
    return found


# What is typed


@given(sizes)
def test_the_line_is_one_that_any_shell_and_terminal_takes(size: tuple[int, int]) -> None:
    line = Entry(depth=1, size=size, shell=None).line
    assert len(line) < 1_000
    assert line.endswith(b"\n")
    for byte in line[:-1]:
        assert 0x20 <= byte < 0x7F
    # csh's history, fish's backslash before a quote, and a quote that would end the word.
    assert b"!" not in line
    assert b"\\'" not in line
    assert line.count(b"'") == 2
    assert f"rows {size[0]} cols {size[1]} ".encode() in line


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_makes_way_and_tells(shell: str, need: Callable[[str], None]) -> None:
    need(shell)
    one = an_entry()
    command = [shell, "sh"] if shell == "busybox" else [shell]
    done = subprocess.run(
        [*command, "-c", one.line.decode().removesuffix("\n")],
        input=b"echo and runs a second line\n",
        capture_output=True,
        timeout=20,
    )
    assert done.stderr == b""
    found = one.told(done.stdout)
    assert found is not None
    told, here = found.where, entry.here(depth=1)
    assert (told, told.system, told.manager) == (here, here.system, here.manager)
    assert told.privilege == here.privilege
    assert told.container is here.container
    assert found.missing == "stty"
    assert done.stdout.endswith(b"]and runs a second line\n")


def test_a_shell_that_is_told_to_take_another_key_does_nothing(
    need: Callable[[str], None],
) -> None:
    need("dash")
    one, other = an_entry(), an_entry()
    found = one.told(answer(one, DEBIAN.encode()))
    assert found is not None
    assert key(one) != key(other)
    script = one.line.decode().removesuffix("\n")
    run = {}
    for which in (one, other):
        opening = which.opening(facts(DEBIAN.replace("/usr/bin/bash", "/bin/true")))
        done = subprocess.run(
            ["dash", "-c", script], input=opening + b"true\n", capture_output=True, timeout=20
        )
        run[which] = done.returncode
    assert run == {one: 0, other: 1}


def test_the_shell_that_is_started_has_what_the_session_needs() -> None:
    one = an_entry()
    found = one.told(answer(one, DEBIAN.encode()))
    assert found is not None
    opening = one.opening(found).decode()
    assert opening.count("\n") == 1
    assert opening.endswith("exec /usr/bin/bash --noprofile --norc --noediting -i; }\n")
    assert "export PAGER=cat " in opening
    assert " TERM=xterm" in opening
    unset = opening.partition("unset ")[2].partition(";")[0].split()
    assert {"PS1", "ENV", "PROMPT_COMMAND", "TMOUT", "HISTFILE"} <= set(unset)
    assert all(name.isidentifier() for name in unset)


# What is no answer


def test_its_own_echo_is_no_answer() -> None:
    one = an_entry()
    for echo in (one.line, b"$ " + one.line.replace(b"\n", b"\r\n"), one.line * 3):
        assert one.told(echo) is None


@given(st.binary(max_size=200))
@example(b"\x1e12345678901234567890[host=db1\n12345678901234567890]")
def test_what_anybody_prints_is_no_answer(printed: bytes) -> None:
    assert an_entry().told(printed) is None


def test_half_an_answer_is_none() -> None:
    one = an_entry()
    whole = answer(one, DEBIAN.encode())
    assert one.told(whole) is not None
    for end in range(len(whole)):
        assert one.told(whole[:end]) is None
    assert an_entry().told(whole) is None


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_an_answer_is_found_in_whatever_else_is_printed(before: bytes, after: bytes) -> None:
    one = an_entry()
    found = one.told(before + one.line + answer(one, DEBIAN.encode()) + after)
    assert found is not None
    assert (found.where.host, found.where.user) == ("db1", "deploy")


# What is made of it


def test_facts_are_what_was_told() -> None:
    found = facts(DEBIAN)
    assert found.missing == ""
    assert str(found.dialect) == "bash"
    assert found.program == ("/usr/bin/bash",)
    where = found.where
    assert (where.host, where.user, where.depth, where.shell) == ("db1", "deploy", 1, "bash")
    assert (where.system, where.manager, where.privilege) == ("debian 12", "apt", "sudo")
    assert not where.container


def test_a_terminal_that_ends_lines_in_its_own_way_tells_the_same() -> None:
    found, plain = facts(DEBIAN.replace("\n", "\r\n")), facts(DEBIAN)
    assert found.where == plain.where
    assert found.where.system == plain.where.system
    assert found.program == plain.program


@pytest.mark.parametrize(
    ("own", "wanted", "dialect", "program"),
    [
        ("/bin/bash", None, "bash", ("/usr/bin/bash",)),
        ("/bin/zsh", None, "zsh", ("/usr/bin/zsh",)),
        ("/usr/bin/fish", None, "bash", ("/usr/bin/bash",)),
        ("/usr/sbin/nologin", None, "bash", ("/usr/bin/bash",)),
        ("", None, "bash", ("/usr/bin/bash",)),
        ("bash", None, "bash", ("/usr/bin/bash",)),
        ("/bin/mksh", None, "bash", ("/usr/bin/bash",)),
        ("/bin/bash", "zsh", "zsh", ("/usr/bin/zsh",)),
        ("/bin/bash", "dash", "dash", ("/usr/bin/dash",)),
        ("/bin/bash", "mksh", None, ()),
    ],
)
def test_the_shell_is_the_wanted_one_or_the_users_own_or_bash(
    own: str, wanted: str | None, dialect: str | None, program: tuple[str, ...]
) -> None:
    found = facts(DEBIAN.replace("shell=/bin/bash", f"shell={own}"), wanted)
    assert (found.dialect.name if found.dialect else None) == dialect
    assert found.program == program
    assert found.where.shell == (dialect or "")


@pytest.mark.parametrize(
    ("behind", "dialect"),
    [
        ("/usr/bin/dash", "dash"),
        ("/bin/busybox", "ash"),
        ("/usr/bin/bash", "bash"),
        ("/usr/bin/ksh93u+m", "ksh93"),
        ("/usr/bin/posh", "dash"),
        ("", "dash"),
    ],
)
def test_where_there_is_no_shell_of_the_table_sh_is_taken_for_what_it_is(
    behind: str, dialect: str
) -> None:
    found = facts(f"stty=ok\nshell=/bin/posh\nhost=x\nuser=y\nuname=Linux\nsh={behind}\nin=\n")
    assert str(found.dialect) == dialect
    assert found.program == ("/bin/sh",)


def test_busybox_is_started_as_ash() -> None:
    found = facts("stty=ok\nshell=/bin/ash\nhost=x\nuser=root\nsh=/bin/busybox\n/bin/busybox\n")
    assert str(found.dialect) == "ash"
    assert found.program == ("/bin/busybox", "ash")


def test_a_shell_that_is_in_no_table_cannot_be_wanted() -> None:
    for row in dialects.TABLE:
        for name in row.programs:
            an_entry(name)
    with pytest.raises(UnknownNameError, match="Did you mean 'bash'"):
        an_entry("bsh")
    with pytest.raises(UnknownNameError):
        an_entry("fish")


OS_RELEASES = [
    ("ID=debian\nVERSION_ID=12", "/usr/bin/apt-get\n/usr/bin/dnf", "debian 12", "apt"),
    ("ID=fedora\nVERSION_ID=41", "/usr/bin/apt-get\n/usr/bin/dnf", "fedora 41", "dnf"),
    ('ID="centos"\nVERSION_ID="7"', "/usr/bin/yum", "centos 7", "yum"),
    (
        'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"',
        "/usr/bin/zypper",
        "opensuse-leap 15.6",
        "zypper",
    ),
    ("ID=arch", "/usr/bin/apt-get\n/usr/bin/pacman", "arch", "pacman"),
    ("ID=alpine\nVERSION_ID=3.20.3", "/sbin/apk", "alpine 3.20.3", "apk"),
    ("ID=mint\nID_LIKE='ubuntu debian'", "/usr/bin/dnf\n/usr/bin/apt-get", "mint", "apt"),
    ("ID=strange", "/usr/bin/dnf\n/usr/bin/emerge", "strange", "dnf"),
    ("ID=debian", "", "debian", ""),
    ("", "/usr/sbin/pkg", "FreeBSD", "pkg"),
    ("", "", "FreeBSD", ""),
]


@pytest.mark.parametrize(("release", "there", "system", "manager"), OS_RELEASES)
def test_the_system_and_its_own_manager_are_found(
    release: str, there: str, system: str, manager: str
) -> None:
    where = facts(f"stty=ok\nhost=x\nuser=y\nuname=FreeBSD\n{there}\n{release}\n").where
    assert (where.system, where.manager) == (system, manager)


def test_nothing_told_is_said_to_be_unknown() -> None:
    found = facts("\n")
    assert found.missing == "stty"
    where = found.where
    assert (where.host, where.user) == ("?", "?")
    assert (where.system, where.manager, where.privilege) == ("", "", "")
    assert str(found.dialect) == "dash"


@pytest.mark.parametrize(
    ("told", "container"),
    [("in=", False), ("in=podman", True), ("in=\nin=/.dockerenv", True), ("", False)],
)
def test_a_container_is_one_by_its_marks(told: str, container: bool) -> None:
    assert facts(f"stty=ok\n{told}\n").where.container is container


def test_values_may_hold_what_separates_them() -> None:
    found = facts("stty=ok\nhost=a=b=c\nuser=d e\nshell=/opt/my shells/zsh\n/opt/my shells/zsh\n")
    assert (found.where.host, found.where.user) == ("a=b=c", "d e")
    assert found.program == ("/opt/my shells/zsh",)
    assert b"exec '/opt/my shells/zsh' " in an_entry().opening(found)


parts = ("\n", "=", "\x1b[2J", "\x1e", "\r", "[", "]", "/", "'", '"', "$(id)", "a", "\udc80")
hostile = st.lists(st.sampled_from(parts)).map("".join)


@given(hostile, hostile, hostile)
def test_hostile_values_make_no_command(host: str, shell: str, path: str) -> None:
    one = an_entry()
    told = f"stty=ok\nhost={host}\nshell={shell}\nuser=x\n/{path}/bash\n"
    found = one.told(answer(one, told.encode("utf-8", "surrogateescape")))
    assert found is not None
    assert found.where.depth == 1
    assert str(found.where).isprintable()
    assert found.dialect is not None
    opening = one.opening(found)
    assert opening.count(b"\n") == 1


def test_this_very_process_is_somewhere() -> None:
    where = entry.here(depth=2, shell="zsh")
    told = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert (where.user, where.depth, where.shell) == (told, 2, "zsh")
    assert where.host
    assert where.system
