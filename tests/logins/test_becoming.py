"""su, sudo and doas, the real ones: who one becomes, what is typed, and the way back."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from logins.users import OTHER, PASSWORD, ROOT, WRONG, Town, in_step

import shellbot
from shellbot import (
    CommandError,
    CommandTimeoutError,
    Key,
    LevelLostError,
    LoginError,
    Secret,
    Session,
    UsageError,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def failed(login: Callable[[], object], reason: str, limit: float = 5.0) -> LoginError:
    """Return the error that a login ends with, soon and for that *reason*."""
    started = time.monotonic()
    with pytest.raises(LoginError) as caught:
        login()
    assert time.monotonic() - started < limit
    assert caught.value.reason == reason, str(caught.value)
    for secret in (PASSWORD, OTHER, ROOT, WRONG):
        assert secret not in str(caught.value) + repr(caught.value)
    return caught.value


# su


def test_su_with_the_password(tester: Session, town: Town) -> None:
    with tester.su("other", password=OTHER) as level:
        assert (level.where.user, level.where.depth) == ("other", 2)
        in_step(tester, "other")
        assert tester.send_and_get_output("pwd") == "/mnt/other"
    in_step(tester)
    assert town.refused == []


def test_su_with_a_wrong_password_which_is_sent_once(tester: Session, town: Town) -> None:
    failed(lambda: tester.su("other", password=WRONG), "wrong_password")
    assert town.refused == [WRONG]
    in_step(tester)


def test_a_reason_is_the_same_whatever_the_password_is(tester: Session, town: Town) -> None:
    error = failed(lambda: tester.su("other", password="password"), "wrong_password")
    assert error.reason in shellbot.errors.REASONS
    assert town.refused == ["password"]


def test_su_without_a_password_says_what_is_asked(tester: Session, town: Town) -> None:
    error = failed(lambda: tester.su("other"), "no_answer")
    assert error.diagnosis is not None
    assert (error.diagnosis.kind, error.diagnosis.question) == ("password", "Password: ")
    assert set(town.refused) <= {""}
    in_step(tester)


def test_su_to_nobody_that_there_is(tester: Session) -> None:
    failed(lambda: tester.su("stranger", password=OTHER), "no_such_user")
    in_step(tester)


def test_su_to_one_who_has_no_shell(tester: Session, town: Town) -> None:
    town.told("usermod -s /usr/sbin/nologin other")
    failed(lambda: tester.su("other", password=OTHER), "no_shell")
    in_step(tester)
    town.told("usermod -s /no/such/shell other")
    failed(lambda: tester.su("other", password=OTHER), "no_shell")
    in_step(tester)


def test_an_expired_password_is_changed_if_there_is_a_new_one(tester: Session, town: Town) -> None:
    town.told("chage -d 0 other")
    failed(lambda: tester.su("other", password=OTHER), "expired_password")
    in_step(tester)
    new = "qu1te-An0ther-0ne"
    with tester.su("other", password=OTHER, new_password=new):
        in_step(tester, "other")
    in_step(tester)
    with tester.su("other", password=new):
        in_step(tester, "other")
    failed(lambda: tester.su("other", password=OTHER), "wrong_password")
    assert town.refused == [OTHER]


def test_a_password_is_not_given_as_the_new_one(bash: Session, town: Town) -> None:
    town.told("chage -d 0 other")
    bash.login(town.on("su -"))  # which needs no password for others, but for an expired one
    failed(lambda: bash.su("other", password=OTHER), "expired_password")
    error = failed(lambda: bash.login("su - other", password=OTHER), "expired_password")
    assert b"etype" not in error.partial
    in_step(bash, "root")


def test_a_locked_account_refuses_the_right_password(tester: Session, town: Town) -> None:
    town.told(
        "sed -i -e '1iauth required pam_faillock.so preauth nodelay deny=2' "
        "-e '/pam_deny/iauth [default=die] pam_faillock.so authfail nodelay deny=2' "
        "-e 's/success=2/success=3/' /etc/pam.d/common-auth"
    )
    for _ in range(2):
        failed(lambda: tester.su("other", password=WRONG), "wrong_password")
    error = failed(lambda: tester.su("other", password=OTHER), "locked")
    assert b"locked" in error.partial
    assert town.refused == [WRONG, WRONG]
    in_step(tester)


SHELLS = ("bash", "zsh", "fish", "dash", "ash", "ksh93", "mksh", "tcsh")


@pytest.mark.parametrize("login_shell", SHELLS)
def test_su_to_every_login_shell(
    login_shell: str, tester: Session, town: Town, need: Callable[[str], None]
) -> None:
    need(login_shell)
    path = f"/usr/local/bin/{login_shell}"
    target = "busybox" if login_shell == "ash" else login_shell
    town.told(f"ln -sf {shutil.which(target)} {path}; usermod -s {path} other")
    with tester.su("other", password=OTHER) as level:
        speaks = login_shell if login_shell not in ("fish", "tcsh") else "bash"
        assert level.where.shell == speaks
        in_step(tester, "other")
        with pytest.raises(CommandTimeoutError):
            tester.send("sleep 60", timeout=0.2)
        in_step(tester, "other")
    in_step(tester)


# sudo

DEFAULTS = {
    "nothing": "",
    "lecture": "lecture=always, pwfeedback",
    "passprompt": 'passprompt="[~] who goes there> "',
    "override": 'passprompt_override, passprompt="Parole, %p? "',
    "requiretty": "requiretty",
    "use_pty": "use_pty",
    "no_pty": "!use_pty",
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_sudo_asks_in_any_way(name: str, tester: Session, town: Town) -> None:
    town.sudoers(f"Defaults {DEFAULTS[name]}" if DEFAULTS[name] else "", "tester ALL=(ALL) ALL")
    assert tester.send("id -u", sudo=Secret(PASSWORD), timeout=10).raw == b"0\n"
    tester.send("sudo -K")
    with tester.sudo(password=PASSWORD) as level:
        assert (level.where.user, level.where.depth) == ("root", 2)
        in_step(tester, "root")
        with pytest.raises(CommandTimeoutError) as caught:
            tester.send("printf partly; sleep 60", timeout=0.4)
        assert caught.value.partial.rstrip(b"\n") == b"partly"  # bash ends the line
        in_step(tester, "root")
    in_step(tester)
    assert town.refused == []
    assert town.sudo_log.count("COMMAND=") == 2


@pytest.mark.parametrize("defaults", ["!insults", "insults, passwd_tries=9", "lecture=always"])
def test_a_wrong_password_for_sudo_is_sent_once(defaults: str, tester: Session, town: Town) -> None:
    town.sudoers(f"Defaults {defaults}", "tester ALL=(ALL) ALL")
    failed(lambda: tester.sudo(password=WRONG), "wrong_password")
    assert town.refused == [WRONG]
    in_step(tester)


def test_sudo_without_a_password_says_so(tester: Session, town: Town) -> None:
    error = failed(tester.sudo, "no_answer")
    assert error.diagnosis is not None
    assert error.diagnosis.kind == "password"
    assert town.refused == []
    in_step(tester)


def test_sudo_refuses_who_may_not(tester: Session, town: Town) -> None:
    town.sudoers()
    failed(lambda: tester.sudo(password=PASSWORD), "refused")
    in_step(tester)
    town.sudoers("tester ALL=(other) ALL")
    failed(lambda: tester.sudo(password=PASSWORD), "refused")
    in_step(tester)
    assert town.refused == []


def test_sudo_to_another_user(tester: Session, town: Town) -> None:
    town.sudoers("tester ALL=(other) ALL")
    with tester.sudo("other", password=PASSWORD) as level:
        assert level.where.user == "other"
        in_step(tester, "other")
    in_step(tester)
    assert town.refused == []


def test_sudo_that_asks_nothing(tester: Session, town: Town) -> None:
    with tester.sudo(password=PASSWORD):
        in_step(tester, "root")
        with tester.sudo(password=WRONG):  # as root needs none
            in_step(tester, "root")
    with tester.sudo():  # has been asked just now
        in_step(tester, "root")
    tester.send("sudo -K")
    failed(tester.sudo, "no_answer")
    town.sudoers("tester ALL=(ALL) NOPASSWD: ALL")
    with tester.sudo(password=WRONG):
        in_step(tester, "root")
    in_step(tester)
    assert town.refused == []


def test_a_locked_account_gets_no_sudo_with_the_right_password(tester: Session, town: Town) -> None:
    town.told(
        "sed -i -e '1iauth required pam_faillock.so preauth silent nodelay deny=2' "
        "-e '/pam_deny/iauth [default=die] pam_faillock.so authfail silent nodelay deny=2' "
        "-e 's/success=2/success=3/' /etc/pam.d/common-auth"
    )
    for _ in range(2):
        failed(lambda: tester.sudo(password=WRONG), "wrong_password")
    # Nothing that it says tells the two from one another.
    failed(lambda: tester.sudo(password=PASSWORD), "wrong_password")
    in_step(tester)


@pytest.mark.parametrize(("language", "word"), [("de_DE", "Passwort: "), ("ja_JP", "パスワード:")])
def test_su_and_sudo_in_other_languages(
    language: str, word: str, tester: Session, town: Town, need: Callable[[str], None]
) -> None:
    need("localedef")
    town.told(
        f"mkdir -p /usr/lib/locale; "
        f"localedef --no-archive -i {language} -f UTF-8 /usr/lib/locale/{language}.UTF-8"
    )
    tester.send(f"unset LC_ALL LANGUAGE; export LANG={language}.UTF-8")
    error = failed(lambda: tester.su("other"), "no_answer")
    assert word in error.partial.decode()
    with tester.su("other", password=OTHER):
        in_step(tester, "other")
    assert town.refused == [""] * len(town.refused)
    town.told("truncate -s 0 /mnt/refused")
    failed(lambda: tester.su("other", password=WRONG), "wrong_password")
    failed(lambda: tester.sudo(password=WRONG), "wrong_password")
    assert town.refused == [WRONG, WRONG]
    with tester.sudo(password=PASSWORD):
        in_step(tester, "root")
    tester.send("sudo -K")
    assert tester.send("id -u", sudo=Secret(PASSWORD)).raw == b"0\n"
    failed(lambda: tester.su("stranger", password=OTHER), "no_such_user")
    in_step(tester)


SUDO_RS = """#!/bin/bash
# A stand-in: sudo-rs's words, and the prompt that it was given within them.
while [[ $1 == -* ]]; do
    case $1 in -p) prompt=$2; shift ;; -u) shift ;; --) shift; break ;; esac
    shift
done
IFS= read -rs -p "[sudo: ${prompt:-authenticate}] Password: " word </dev/tty 2>/dev/tty
echo >/dev/tty
if [[ $word != Op3n-it! ]]; then
    echo "sudo: Authentication failed, try again." >/dev/tty
    IFS= read -rs -p "[sudo: ${prompt:-authenticate}] Password: " again </dev/tty 2>/dev/tty
    echo "$again" >>/mnt/again
    exit 1
fi
if (( $# )); then exec "$@"; else exec bash; fi
"""


def test_the_words_of_sudo_rs(tester: Session, town: Town) -> None:
    town.told(f"cat >/usr/local/bin/sudo <<'END'\n{SUDO_RS}END\nchmod 755 /usr/local/bin/sudo")
    assert tester.send_and_get_output("command -v sudo") == "/usr/local/bin/sudo"
    with tester.sudo(password=PASSWORD):
        in_step(tester)
    failed(lambda: tester.sudo(password=WRONG), "wrong_password")
    assert town.told("cat /mnt/again 2>/dev/null || true").strip() == ""
    assert tester.send("echo out", sudo=Secret(PASSWORD)).raw == b"out\n"
    in_step(tester)


# doas


def test_doas(tester: Session, town: Town, need: Callable[[str], None]) -> None:
    need("doas")
    town.doas("permit tester")
    with tester.sudo(password=PASSWORD, program="doas"):
        in_step(tester, "root")
    failed(lambda: tester.sudo(password=WRONG, program="doas"), "wrong_password")
    assert town.refused == [WRONG]
    failed(lambda: tester.sudo(program="doas"), "no_answer")
    town.doas("permit nopass tester as other")
    with tester.sudo("other", password=PASSWORD, program="doas"):
        in_step(tester, "other")
    failed(lambda: tester.sudo(password=PASSWORD, program="doas"), "refused")
    in_step(tester)


def test_a_command_by_doas_where_there_is_no_sudo(
    town: Town, bash: Session, need: Callable[[str], None]
) -> None:
    need("doas")
    town.doas("permit tester")
    town.told("rm -f $(command -v sudo)")
    bash.login(town.on("su - tester"))
    assert bash.where.privilege == "doas"
    assert bash.send("id -u", sudo=Secret(PASSWORD)).raw == b"0\n"
    assert bash.send("id -u; exit 7", sudo=True, check=7).raw == b"0\n"
    with pytest.raises(CommandError):
        bash.send("true", sudo=Secret(WRONG))
    assert town.refused == [WRONG]
    in_step(bash)


# One command as root


def test_one_command_as_root(tester: Session, town: Town) -> None:
    town.sudoers("Defaults timestamp_timeout=0, lecture=always", "tester ALL=(ALL) ALL")
    result = tester.send("id -u; printf end", sudo=Secret(PASSWORD))
    assert (result.raw, result.exit_code) == (b"0\nend", 0)
    # It is asked again, and given without being told again.
    assert tester.send("echo $HOME 'a b'; exit 7", sudo=True, check=7).exit_code == 7
    assert tester.send("cat", sudo=True, input="given\n").raw == b"given\n"
    apart = tester.send("echo out; echo err >&2", sudo=True, stderr="split")
    assert (apart.raw, apart.raw_stderr) == (b"out\n", b"err\n")
    asked = tester.send("printf 'Name? '; read x; echo $x", sudo=True, answers={"Name": "bob"})
    assert asked.raw == b"Name? bob\n"
    pieces: list[str] = []
    heard = tester.send("seq 3", sudo=True, on_output=pieces.append)
    assert "".join(pieces) == heard.output == "1\n2\n3\n"
    with pytest.raises(CommandError) as caught:
        tester.send("echo no; exit 9", sudo=True)
    assert (caught.value.result.exit_code, caught.value.result.raw) == (9, b"no\n")
    with pytest.raises(CommandTimeoutError) as late:
        tester.send("printf partly; sleep 60", sudo=True, timeout=1)
    assert late.value.partial == b"partly"
    in_step(tester)
    assert town.refused == []


def test_its_output_is_its_own_where_the_shell_is_traced_or_writes_elsewhere(
    tester: Session, town: Town
) -> None:
    town.sudoers("Defaults timestamp_timeout=0", "tester ALL=(ALL) ALL")
    tester.send("exec 5>&1 >kept")
    tester.send("echo kept", sudo=Secret(PASSWORD))
    tester.send("exec >&5 5>&-")
    assert tester.send("cat kept").raw == b"kept\n"
    tester.send("set -x")
    assert tester.send("echo out", sudo=True).raw == b"out\n"
    tester.send("set +x")
    in_step(tester)


def test_a_wrong_password_for_one_command_is_sent_once(tester: Session, town: Town) -> None:
    pieces: list[str] = []
    with pytest.raises(shellbot.DialogueError, match="refused") as caught:
        tester.send("touch /mnt/done", sudo=Secret(WRONG), on_output=pieces.append)
    assert WRONG not in str(caught.value) + repr(vars(caught.value)) + "".join(pieces)
    assert town.refused == [WRONG]
    assert town.told("ls /mnt/done 2>/dev/null || echo none") == "none\n"
    in_step(tester)


def test_who_may_not_is_told(tester: Session, town: Town) -> None:
    town.sudoers()
    pieces: list[str] = []
    with pytest.raises(CommandError, match="not in the sudoers file"):
        tester.send("true", sudo=Secret(PASSWORD), on_output=pieces.append)
    assert "not in the sudoers file" in "".join(pieces)
    in_step(tester)


def test_a_password_is_kept_for_its_level_only(tester: Session, town: Town) -> None:
    town.sudoers("Defaults timestamp_timeout=0", "tester ALL=(ALL) ALL", "other ALL=(ALL) ALL")
    tester.send("true", sudo=Secret(PASSWORD))
    with tester.sudo("other", password=PASSWORD):
        with pytest.raises(shellbot.CommandWaitingError):
            tester.send("true", sudo=True)
        assert tester.send("id -u", sudo=Secret(OTHER)).raw == b"0\n"
    with tester.su("other", password=OTHER):
        assert tester.send("id -u", sudo=True).raw == b"0\n"
    assert tester.send("id -u", sudo=True).raw == b"0\n"
    with tester.sudo("other", password=PASSWORD), pytest.raises(shellbot.CommandWaitingError):
        tester.send("true", sudo=True)
    in_step(tester)


def test_a_password_shows_nowhere(
    tester: Session,
    town: Town,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    everything = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
    result = tester.send(everything, sudo=Secret(PASSWORD), check=False, echo=True)
    assert b"HOME=" in result.raw
    assert PASSWORD.encode() not in result.raw
    level = tester.su("other", password=OTHER)
    assert OTHER not in tester.send("history; fc -l; set; cat ~/.bash_history", check=False).output
    shown = repr(tester) + repr(level) + repr(level.way) + repr(vars(level)) + caplog.text
    shown += capsys.readouterr().out
    assert PASSWORD not in shown
    assert OTHER not in shown


def test_root_needs_no_sudo(bash: Session, tmp_path: Path) -> None:
    (tmp_path / "sudo").write_text("#!/bin/sh\nexit 99\n")
    (tmp_path / "sudo").chmod(0o755)
    bash.send(f"PATH={tmp_path}:$PATH")
    result = bash.send("echo $$", sudo=True)
    assert result.raw.strip() == str(bash.terminal.pid).encode()
    assert bash.send("id -u", sudo=Secret(WRONG)).raw == b"0\n"


def test_where_there_is_neither_nothing_is_typed(town: Town, bash: Session) -> None:
    town.told("rm -f $(command -v sudo) $(command -v doas)")
    bash.login(town.on("su - tester"))
    assert bash.where.privilege == ""
    with pytest.raises(UsageError, match="neither sudo nor doas"):
        bash.send("touch here", sudo=Secret(PASSWORD))
    assert bash.send("ls").raw == b""
    in_step(bash)


# A person

DRIVER = """
import sys, shellbot
with shellbot.bash() as session:
    session.login(sys.argv[1])
    with session.login("su - other", ask=True):
        print("became", session.send_and_get_output("id -un"), flush=True)
"""


def test_the_person_is_asked(town: Town) -> None:
    root = str(Path(shellbot.__file__).parents[1])
    child = pexpect.spawn(
        sys.executable,
        ["-c", DRIVER, town.on("su - tester")],
        env={**os.environ, "PYTHONPATH": root},
        encoding="utf-8",
        timeout=20,
    )
    with child:
        child.expect("Password: ")
        child.waitnoecho()
        child.sendline(OTHER)
        child.expect("became other")
        before = str(child.before)
        child.expect(pexpect.EOF)
        child.close()
        assert OTHER not in before + str(child.before)
        assert child.exitstatus == 0
    assert town.refused == []


# Inside


@pytest.fixture(params=["su", "sudo", "sudo-pty"])
def inner(request: pytest.FixtureRequest, tester: Session, town: Town) -> Session:
    """A session two levels deep: on our own terminal, and behind sudo's."""
    if request.param == "su":
        tester.su("other", password=OTHER)
    else:
        pty = "use_pty" if request.param == "sudo-pty" else "!use_pty"
        town.sudoers(f"Defaults {pty}", "tester ALL=(ALL) ALL")
        tester.sudo("other", password=PASSWORD)
    in_step(tester, "other")
    return tester


STUCK = ("cat", "yes", "stty raw; sleep 60")


@pytest.mark.parametrize("stuck", STUCK)
def test_after_a_time_out_inside_it_is_in_step(stuck: str, inner: Session) -> None:
    with pytest.raises(CommandTimeoutError) as caught:
        inner.send(f"echo before; {stuck}", timeout=0.3)
    assert caught.value.partial.startswith(b"before\n")
    if "that level is lost" in caught.value.recovery:
        # Behind a relay no key means anything to a raw terminal.
        assert ("raw" in stuck, inner._levels.top.shell.line.relayed) == (True, True)
        with pytest.raises(LevelLostError, match="the login had to be ended"):
            inner.send("true")
        in_step(inner)
        return
    in_step(inner, "other")
    assert inner.where.depth == 2
    inner.logout()
    in_step(inner)


def test_every_verb_works_inside(inner: Session) -> None:
    job = inner.background("echo job; exit 3")
    done = job.wait(timeout=10)
    assert (done.exit_code, done.raw) == (3, b"job\n")
    with inner.stream("seq 4") as lines:
        assert list(lines) == ["1", "2", "3", "4"]
    with inner.stream("yes") as lines:
        assert next(lines) == "y"
    in_step(inner, "other")
    with inner.program("bc -q") as bc:
        assert bc.send_and_get_output("6 * 7") == "42"
    inner.type("read -p 'Code: ' code", Key.ENTER)
    inner.expect("Code: ", timeout=5)
    inner.type("4711", Key.ENTER)
    assert inner.send_and_get_output("echo $code") == "4711"
    big = inner.send("head -c 300000 /dev/zero | tr '\\0' x")
    assert big.raw == b"x" * 300_000
    long = "y" * 100_000
    assert inner.send(f"echo {long}").raw == long.encode() + b"\n"
    inner.send("cat >got", input=bytes(range(256)) * 20)
    assert inner.send("cat got").raw == bytes(range(256)) * 20
    inner.logout()
    in_step(inner)


LOSSES = {"exit 5": 5, "kill -9 $$": 137, "exec sh -c 'exit 6'": 6, "set -e; false": 1}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_level_that_is_lost_is_named(loss: str, inner: Session) -> None:
    with pytest.raises(LevelLostError) as caught:
        inner.send(f"printf partly; {loss}", timeout=10)
    error = caught.value
    assert [(one.user, one.depth) for one in error.levels] == [("other", 2)]
    assert error.where is not None
    assert (error.where.user, error.where.depth) == ("tester", 1)
    assert error.exit_code == LOSSES[loss]
    assert error.partial.startswith(b"partly")
    in_step(inner)
    assert len(inner.levels) == 2


@pytest.mark.parametrize("jobs", ["sleep 600 & sleep 600 &", "sleep 600 & kill -STOP $!;"])
def test_logging_out_with_jobs_inside(jobs: str, inner: Session) -> None:
    inner.send(f"set -m; {jobs}")
    pids = inner.send_and_get_output("jobs -p").split()
    try:
        started = time.monotonic()
        inner.logout()
        assert time.monotonic() - started < 2
        assert inner.where.depth == 1
        in_step(inner)
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def test_a_login_that_fails_inside_leaves_the_level(inner: Session) -> None:
    inner.send("cd /tmp; kept=yes")
    failed(lambda: inner.su("root", password=WRONG), "wrong_password")
    failed(lambda: inner.login("false"), "closed")
    failed(lambda: inner.login("no-such-command-at-all"), "closed")
    assert inner.send_and_get_output("echo $kept $PWD") == "yes /tmp"
    in_step(inner, "other")
    inner.logout()
    in_step(inner)


USERS = ("root", "tester", "root", "other", "tester")


def four_deep(session: Session) -> None:
    session.sudo(password=PASSWORD)
    session.su("other")
    session.su("tester", password=PASSWORD)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_an_exception_at_any_depth_unwinds_to_the_callers_level(
    depth: int, tester: Session
) -> None:
    logins = [lambda: tester.su("other"), lambda: tester.su("tester", password=PASSWORD)]

    def work() -> None:
        with tester.sudo(password=PASSWORD):
            for login in logins[: depth - 2]:
                login()
            assert [one.user for one in tester.levels] == list(USERS[: depth + 1])
            in_step(tester, USERS[depth])
            tester.send("false")

    with pytest.raises(CommandError):
        work()
    assert len(tester.levels) == 2
    in_step(tester)


def test_four_deep_level_by_level(tester: Session) -> None:
    four_deep(tester)
    assert [one.depth for one in tester.levels] == [0, 1, 2, 3, 4]
    for depth in (4, 3, 2, 1):
        in_step(tester, USERS[depth])
        tester.logout()
    assert tester.where.depth == 0
    assert tester.send("id -un").raw == b"root\n"
    with pytest.raises(UsageError, match="no login to log out of"):
        tester.logout()
    assert tester.send("id -un").raw == b"root\n"


@pytest.mark.parametrize("when", ["at the prompt", "while a command runs"])
def test_where_an_outer_level_is_killed_those_further_in_are_lost(
    when: str, tester: Session, town: Town
) -> None:
    town.sudoers("Defaults !use_pty", "tester ALL=(ALL) ALL")
    tester.sudo(password=PASSWORD)
    pid = int(tester.send_and_get_output("echo $$"))
    tester.su("other")
    tester.su("tester", password=PASSWORD)

    def kill(_: object = None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    if when == "at the prompt":
        kill()
    with pytest.raises(LevelLostError) as caught:
        tester.send("echo on; sleep 60", timeout=10, on_output=kill)
    assert [one.depth for one in caught.value.levels][:1] == [2]
    in_step(tester)
    tester.logout_all()
    assert tester.send("id -un").raw == b"root\n"


def test_all_levels_are_left_at_once(tester: Session) -> None:
    four_deep(tester)
    tester.logout_all()
    assert tester.levels == (tester.where,)
    assert tester.send("id -un").raw == b"root\n"
    tester.logout_all()


def test_a_quick_login_is_quick(town: Town, bash: Session) -> None:
    """Six runs of su itself, and the time that an unlucky look at the processes takes."""

    def quickest(one: Callable[[], object]) -> float:
        took = []
        for _ in range(3):
            started = time.monotonic()
            one()
            took.append(time.monotonic() - started)
            bash.logout_all()
        return min(took)

    itself = quickest(lambda: bash.send(town.on("su - tester -c true")))
    assert quickest(lambda: bash.login(town.on("su - tester"))) < 6 * itself + 0.2
