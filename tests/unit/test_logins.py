"""The ways in by themselves: what is typed, what is refused before that, who answers what, why."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shellbot import Answer, Secret, UnknownNameError, UsageError, logins
from shellbot.dialogue import Dialogue, Secrets
from shellbot.errors import REASONS
from shellbot.logins import Way

SECRET = Secret("open sesame")
name = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
host = name.filter(lambda one: not one.startswith("-"))
user = host.filter(lambda one: not re.search(r"[\s:/]", one))


def words(way: Way) -> list[str]:
    """What a shell makes of what is typed."""
    return shlex.split(way.command)


def reply(way: Way, asked: str) -> object:
    """What is typed to a question, if anything."""
    question = Dialogue(way.answers, Secrets()).asked(asked)
    if question is None or question.refusal:
        return None
    found = question.answer.reply
    typed = found(question.match) if callable(found) else found
    return typed.reveal() if isinstance(typed, Secret) else typed


# What is typed


@given(host, user, st.integers(1, 65_535), name, name, name)
def test_whatever_ssh_is_given_is_one_word_of_its_command(
    host: str, user: str, port: int, key: str, jump: str, option: str
) -> None:
    way = logins.ssh(
        host, user=user, port=port, key=key, jump=jump, options={"RemoteCommand": option}
    )
    found = words(way)
    assert found[:2] == ["ssh", "-tt"]
    assert found[-2:] == ["--", host]
    settings = dict(one.removeprefix("-o").split("=", 1) for one in found[2:-2])
    assert settings == {
        **{"StrictHostKeyChecking": "accept-new", "NumberOfPasswordPrompts": "1"},
        **{"ServerAliveInterval": "5", "ServerAliveCountMax": "3", "EscapeChar": "none"},
        **{"ConnectTimeout": "60", "Port": str(port), "User": user, "ProxyJump": jump},
        **{"IdentityFile": key, "IdentitiesOnly": "yes", "RemoteCommand": option},
    }


def test_options_of_ssh_come_last_and_count() -> None:
    way = logins.ssh("db1", port=22, options={"Port": 2222, "ServerAliveInterval": 1}, timeout=None)
    assert "-oPort=2222" in words(way)
    assert "-oPort=22" not in words(way)
    assert "-oServerAliveInterval=1" in words(way)
    assert "ConnectTimeout" not in way.command
    assert "ConnectTimeout" not in logins.ssh("db1", timeout=math.inf).command
    assert "-oConnectTimeout=1" in words(logins.ssh("db1", timeout=0.5))


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ("accept-new", "accept-new"),
        ("strict", "yes"),
        ("ask", "ask"),
        ("SHA256:AbCd", "ask"),
        ("MD5:12:34", "ask"),
    ],
)
def test_what_is_done_about_a_host_key_is_told_to_ssh(given: str, typed: str) -> None:
    assert f"-oStrictHostKeyChecking={typed}" in words(logins.ssh("db1", host_key=given))


def test_a_fingerprint_is_given_where_it_is_asked_for() -> None:
    way = logins.ssh("db1", host_key="SHA256:AbCd")
    asked = "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
    assert reply(way, asked) == "SHA256:AbCd"
    assert reply(way, "Please type 'yes', 'no' or the fingerprint: ") == "SHA256:AbCd"
    for other in ("accept-new", "strict", "ask"):
        assert reply(logins.ssh("db1", host_key=other, password="x"), asked) is None


@given(user)
def test_another_user_is_one_word(user: str) -> None:
    assert words(logins.su(user)) == ["su", "-", user]
    found = words(logins.sudo(user))
    assert (found[:2], found[3:]) == (["sudo", "-p"], ["-u", user, "-i"])
    assert words(logins.sudo(user, program="doas")) == ["doas", "-u", user, "-s"]
    assert words(logins.chroot("/a b", user=user)) == [
        *("chroot", f"--userspec={user}", "/a b", "/bin/sh")
    ]


@given(host, user)
def test_a_container_is_one_word_wherever_it_is_named(host: str, user: str) -> None:
    for engine in ("docker", "podman", "nerdctl"):
        found = words(logins.container(host, engine=engine, user=user))
        at = found.index("-it")
        assert found[at : at + 4] == ["-it", "-u", user, host]
        at = found.index("--rm")
        assert found[at : at + 7] == [
            *("--rm", "-it", "-u", user, "--entrypoint", "sh", f"{host};")
        ]
    assert words(logins.container(host, engine="kubectl")) == [
        *("kubectl", "exec", "-it", host, "--", "sh")
    ]
    assert words(logins.container(host, engine="machinectl", user=user))[3:] == [f"{user}@{host}"]


def test_an_engine_may_be_given_by_its_path() -> None:
    found = words(logins.container("web", engine="/opt/my tools/podman"))
    assert found.count("/opt/my tools/podman") == 4
    assert "podman" not in found


def test_a_login_is_typed_as_it_is_given() -> None:
    assert logins.login("ssh a | tee log").command == "ssh a | tee log"
    assert words(logins.login(["ssh", "a b", "$(id)"])) == ["ssh", "a b", "$(id)"]
    assert logins.serial("socat - UNIX:console").command == "socat - UNIX:console"


def test_a_serial_device_is_opened_by_socat() -> None:
    way = logins.serial("/dev/ttyUSB0", speed=9600)
    assert words(way) == ["socat", "-,rawer", "open:/dev/ttyUSB0,rawer,b9600"]
    assert way.wakes
    assert not logins.login("/bin/bash").wakes


# What is refused before anything is typed


@pytest.mark.parametrize(
    "make",
    [
        lambda: logins.ssh(""),
        lambda: logins.ssh("-oProxyCommand=reboot"),
        lambda: logins.ssh("db1", host_key="yes"),
        lambda: logins.ssh("db1", password=""),
        lambda: logins.ssh("db1", password=b"bytes"),  # type: ignore[arg-type]
        lambda: logins.ssh("db1", password="two\nlines"),
        lambda: logins.ssh("db1", otp=123456),  # type: ignore[arg-type]
        lambda: logins.ssh("a\0b"),
        lambda: logins.ssh("db1", timeout=-1),
        lambda: logins.ssh("db1", timeout="soon"),  # type: ignore[arg-type]
        lambda: logins.su(""),
        lambda: logins.su("-c"),
        lambda: logins.su("a b"),
        lambda: logins.sudo("a:b"),
        lambda: logins.sudo("a/b"),
        lambda: logins.sudo(program="pkexec"),
        lambda: logins.container(""),
        lambda: logins.container("--privileged"),
        lambda: logins.container("web", engine="lxc"),
        lambda: logins.container("web", engine="kubectl", user="bob"),
        lambda: logins.container("web", user="-u"),
        lambda: logins.login("a\0b"),
        lambda: logins.login("x", answers=["no-such-name"]),
        lambda: logins.AsRoot("id", privilege="", shell="bash", password=None),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert "open sesame" not in str(caught.value)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'podman'"):
        logins.container("web", engine="podmann")
    with pytest.raises(UnknownNameError, match="Did you mean 'accept-new'"):
        logins.ssh("db1", host_key="accept_new")


# Who answers what

PASSWORD_PROMPTS = [
    "deploy@db1's password: ",
    "(deploy@db1) Password: ",
    "Password: ",
    "Password for deploy@db1: ",
    "[sudo] password for deploy: ",
    "[sudo] Passwort für deploy: ",
    "\rdoas (deploy@db1) password: ",
    "Kennwort: ",
    "Contraseña: ",
    "Mot de passe\xa0: ",
    "Пароль: ",
    "パスワード:",
    "密码： ",
    "암호: ",
    "Passord: ",
    "Palavra-passe: ",
    "Contrasenya: ",
    "Jelszó: ",
    "Parolă: ",
    "Лозинка: ",
    "ססמה: ",
    "Current password: ",
    "(current) UNIX password: ",
    "Geben Sie das aktuelle Passwort ein: ",
    "Altes Passwort: ",
    "Текущий пароль: ",
    "当前的密码： ",
    "bob@newton's password: ",
    "bob@new's password: ",
    "(deploy@db1) Current password: ",
    "(bob@new) Password: ",
]
NEW_PROMPTS = [
    "New password: ",
    "New UNIX password: ",
    "(deploy@db1) New password: ",
    "(deploy@db1) Retype new password: ",
    "Again: ",
    "Enter new UNIX password: ",
    "Retype new password: ",
    "Re-enter new password: ",
    "Retype new UNIX password: ",
    "Neues Passwort: ",
    "Passwort wiederholen: ",
    "Geben Sie ein neues Passwort ein: ",
    "Geben Sie das neue Passwort erneut ein: ",
    "Nouveau mot de passe\xa0: ",
    "Retapez le nouveau mot de passe\xa0: ",
    "Nueva contraseña: ",
    "Vuelva a escribir la nueva contraseña: ",
    "Nuova password: ",
    "Nieuw wachtwoord: ",
    "Nytt lösenord: ",
    "Nowe hasło: ",
    "Nové heslo: ",
    "Nova senha: ",
    "Новый пароль: ",
    "Повторите ввод нового пароля: ",
    "Yeni parola: ",
    "新しい パスワード:",
    "新しい パスワードを再入力してください:",
    "新的密码： ",
    "重新输入新的密码： ",
    "새 암호: ",
]
CODE_PROMPTS = [
    "Verification code: ",
    "One-time password (OATH) for `bob': ",
    "(bob@db1) Verification code: ",
    "Enter token: ",
    "Passcode: ",
    "Passcode or option (1-3): ",
    "OTP: ",
    "PIN: ",
]
PASSPHRASE_PROMPTS = [
    "Enter passphrase for key '/home/bob/.ssh/id_ed25519': ",
    "Enter passphrase for /home/bob/.ssh/password: ",
]
EVERYTHING = [
    *((one, "password") for one in PASSWORD_PROMPTS),
    *((one, "new") for one in NEW_PROMPTS),
    *((one, "code") for one in CODE_PROMPTS),
    *((one, "phrase") for one in PASSPHRASE_PROMPTS),
]


@pytest.mark.parametrize(("asked", "who"), EVERYTHING)
def test_each_question_has_its_own_answer(asked: str, who: str) -> None:
    way = logins.ssh(
        "db1", password="password", otp="code", passphrase="phrase", new_password="new"
    )
    assert reply(way, asked) == who
    assert logins.asks(asked)


@pytest.mark.parametrize("asked", NEW_PROMPTS)
def test_the_old_password_is_never_set_as_the_new_one(asked: str) -> None:
    assert reply(logins.ssh("db1", password="password"), asked) is None


@pytest.mark.parametrize(
    "line",
    [
        "$ ",
        "# ",
        "deploy@db1:~$ ",
        "[root@db1 ~]# ",
        "db1% ",
        "~ ❯ ",
        "new> ",
        "[bob@nova new]$ ",
        "Nova> ",
        "Last login: Sun Nov 22 23:25:47 2026 from 192.0.2.1",
        "Your password will expire in 7 days.",
        "Do not share your password!",
        "password: is what we never ask for. ",
        "",
    ],
)
def test_what_asks_for_nothing_is_given_nothing(line: str) -> None:
    everything = {"user": "bob", "password": "password", "otp": "x", "new_password": "y"}
    assert not logins.asks(line)
    assert reply(logins.login("x", **everything), line) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", ["login: ", "db1 login: ", "Username: ", "User: "])
def test_a_name_is_given_where_it_is_asked_for(asked: str) -> None:
    assert reply(logins.login("telnet db1", user="bob"), asked) == "bob"
    assert reply(logins.serial("/dev/ttyS0", user="bob"), asked) == "bob"
    assert reply(logins.login("telnet db1", password="x"), asked) is None


def test_su_and_sudo_answer_in_any_language() -> None:
    for way in (logins.su(password=SECRET), logins.sudo(password=SECRET)):
        assert reply(way, "Ọrọ igbaniwọle: ") == "open sesame"
    assert reply(logins.ssh("db1", password=SECRET), "Ọrọ igbaniwọle: ") is None


def test_answers_of_ones_own_come_first() -> None:
    way = logins.ssh("db1", password="theirs", answers=[Answer("password: $", "mine")])
    assert reply(way, "Password for bob@db1: password: ") == "mine"


def test_a_function_is_asked_each_time() -> None:
    codes = iter(["111111", "222222"])
    way = logins.ssh("db1", otp=lambda: next(codes))
    assert reply(way, "Verification code: ") == "111111"
    assert reply(way, "Verification code: ") == "222222"


@given(st.sampled_from([one for one, _ in EVERYTHING]), st.text(max_size=40), st.booleans())
def test_a_question_that_is_over_is_none(asked: str, after: str, ended: bool) -> None:
    way = logins.ssh(
        "db1", password="password", otp="code", passphrase="phrase", new_password="new"
    )
    assert reply(way, f"{asked}{after}\n") is None
    assert reply(way, f"{asked}\n{'$ ' if ended else ''}") is None


def test_nothing_shows_what_a_way_was_given() -> None:
    way = logins.login("telnet db1", user="bob", password="open sesame")
    assert way.password == SECRET
    assert "open sesame" not in repr(way) + repr(way.answers) + repr(vars(way))
    assert logins.su(password="open sesame").password == SECRET
    assert logins.sudo(password="open sesame").password is None
    asked = logins.ssh("db1", password=lambda: "open sesame").password
    root = logins.AsRoot("id", privilege="sudo", shell="bash", password=asked)
    assert reply(Way(root.line, answers=root.answers), words(Way(root.line))[2]) == "open sesame"


def test_sudo_asks_in_words_that_nothing_else_says() -> None:
    assert logins.sudo_prompt() != logins.sudo_prompt()
    root = logins.AsRoot("echo 'a b'", privilege="sudo", shell="dash", password=SECRET)
    way = Way(root.line, answers=root.answers)
    found = words(way)
    assert found[:2] == ["sudo", "-p"]
    assert found[3:6] == ["--", "dash", "-c"]
    assert found[6].endswith("; echo 'a b'")
    assert root.mark.decode() not in root.line
    assert reply(way, found[2]) == "open sesame"
    root = logins.AsRoot("id", privilege="doas", shell="bash", password=None)
    way = Way(root.line, answers=root.answers)
    assert words(way)[:4] == ["doas", "--", "bash", "-c"]
    assert reply(way, "\rdoas (bob@db1) password: ") is None


# Why it failed

SAID = {
    # OpenSSH
    "ssh: connect to host 127.0.0.1 port 1: Connection refused": "refused",
    "ssh: connect to host db1 port 22: No route to host": "unreachable",
    "ssh: connect to host db1 port 22: Network is unreachable": "unreachable",
    "ssh: connect to host db1 port 22: Connection timed out": "unreachable",
    "Connection to 192.0.2.1 port 22 timed out": "unreachable",
    "ssh: Could not resolve hostname db1: Name or service not known": "unknown_host",
    "ssh: Could not resolve hostname db1: Temporary failure in name resolution": "unknown_host",
    "ssh: Could not resolve hostname db1: nodename nor servname provided, or not known": (
        "unknown_host"
    ),
    "kex_exchange_identification: Connection closed by remote host": "refused",
    "kex_exchange_identification: read: Connection reset by peer": "refused",
    "Connection closed by 127.0.0.1 port 2222": "refused",
    "bob@db1: Permission denied (publickey).": "refused",
    "bob@db1: Permission denied (publickey,hostbased).": "refused",
    "bob@db1: Permission denied (publickey,password).": "wrong_password",
    "Permission denied, please try again.": "wrong_password",
    "Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures": (
        "too_many_attempts"
    ),
    "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n...\n"
    "Host key verification failed.": "host_key_changed",
    "No ED25519 host key is known for db1 and you have requested strict checking.\n"
    "Host key verification failed.": "host_key_unknown",
    "PTY allocation request failed on channel 0": "no_shell",
    "shell request failed on channel 0": "no_shell",
    "This account is currently not available.\nConnection to db1 closed.": "no_shell",
    "WARNING: Your password has expired.\nPassword change required but no TTY available.": (
        "expired_password"
    ),
    "You must change your password now and login again!": "expired_password",
    "Connection to db1 closed.": "closed",
    # dropbear
    "dbclient: Connection to bob@db1:22 exited: Connect failed: Connection refused": "refused",
    "dbclient: Connection to bob@nowhere:22 exited: Connect failed: Error resolving 'nowhere' "
    "port '22'. Name or service not known": "unknown_host",
    "Host is not in the trusted hosts file.\n(ssh-ed25519 fingerprint SHA256:x)\n"
    "Didn't validate host key": "host_key_unknown",
    "ssh-ed25519 host key mismatch for db1 !": "host_key_changed",
    "dbclient: Connection to bob@db1:22 exited: Permission denied": "wrong_password",
    # su, sudo, doas
    "su: user nobody-here does not exist or the user entry does not contain all the required "
    "fields": "no_such_user",
    "su: Authentication failure": "wrong_password",
    "su: Permission denied": "wrong_password",
    "su: failed to execute /bin/fish: No such file or directory": "no_shell",
    "sudo: unknown user nobody-here\nsudo: error initializing audit plugin": "no_such_user",
    "bob is not in the sudoers file.": "refused",
    "bob is not in the sudoers file.  This incident will be reported.": "refused",
    "Sorry, user bob is not allowed to execute '/bin/sh' as root on db1.": "refused",
    "Sorry, user bob may not run sudo on db1.": "refused",
    "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt": (
        "wrong_password"
    ),
    "sudo: a password is required": "wrong_password",
    "The account is locked due to 3 failed logins.\nsu: Authentication failure": "locked",
    "(2 minutes left to unlock)\nAccount temporarily locked (5 seconds left)": "locked",
    "Your account has expired; please contact your system administrator": "locked",
    "You are required to change your password immediately (password expired).": (
        "expired_password"
    ),
    "doas: unknown user": "no_such_user",
    "doas: Operation not permitted": "refused",
    "doas: Authentication failed": "wrong_password",
    # the same in German
    "su: Fehler bei Authentifizierung": "wrong_password",
    "su: Authentifizierungsfehler": "wrong_password",
    "Das hat nicht funktioniert, bitte nochmal probieren.": "wrong_password",
    "Login fehlerhaft": "wrong_password",
    "»bob« ist nicht in der sudoers-Datei.": "refused",
    "Leider darf der Benutzer bob »/bin/sh« als root auf db1 nicht ausführen.": "refused",
    "Leider darf der Benutzer bob sudo für db1 nicht verwenden.": "refused",
    "Das Konto ist wegen 3 fehlgeschlagener Anmelde-Versuche gesperrt.": "locked",
    "Ihr Konto ist abgelaufen. Wenden Sie sich an den Systemadministrator.": "locked",
    "Sie müssen Ihr Passwort sofort ändern (Passwortablauf).": "expired_password",
    "Ihr Passwort ist abgelaufen.": "expired_password",
    "telnet: Unable to connect to remote host: Verbindungsaufbau abgelehnt": "refused",
    "telnet: Unable to connect to remote host: Keine Route zum Zielrechner": "unreachable",
    "db1: Der Name oder der Dienst ist nicht bekannt": "unknown_host",
    # telnet, login, socat
    "Trying 127.0.0.1...\ntelnet: Unable to connect to remote host: Connection refused": "refused",
    "Server lookup failure:  nowhere:telnet, Name or service not known": "unknown_host",
    "telnet: could not resolve nowhere/telnet: Temporary failure in name resolution": (
        "unknown_host"
    ),
    "Login incorrect\nConnection closed by foreign host.": "wrong_password",
    'socat[1] E open("/dev/ttyUSB9", O_RDWR): No such file or directory': "unreachable",
    # containers and other roots
    'Error: no container with name or ID "web" found: no such container': "no_such_container",
    "Error response from daemon: No such container: web": "no_such_container",
    "Error response from daemon: Container 4711 is not running": "no_such_container",
    "Error: can only create exec sessions on running containers: container state improper": (
        "no_such_container"
    ),
    "no such container, and no such image: web": "no_such_container",
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": '
    "executable file not found in $PATH: unknown": "no_shell",
    "unable to find user bob: no matching entries in passwd file": "no_such_user",
    'Error from server (NotFound): pods "web" not found': "no_such_container",
    "Could not get path to machine: No machine 'web' known": "no_such_container",
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
    "running?": "refused",
    "The connection to the server localhost:8080 was refused - did you specify the right host or "
    "port?": "refused",
    "chroot: failed to run command '/bin/sh': No such file or directory": "no_shell",
    "chroot: cannot change root directory to '/x': Operation not permitted": "refused",
    "chroot: cannot change root directory to '/x': No such file or directory": "closed",
    "Connection closed by foreign host.": "closed",
    "(bob@db1) Current password: \n(bob@db1) New password: ": "expired_password",
    "Geben Sie ein neues Passwort ein: ": "expired_password",
    "": "closed",
}


@pytest.mark.parametrize("said", SAID)
def test_a_failure_has_the_reason_that_was_told(said: str) -> None:
    assert logins.reason(said, gave_secret=False) == SAID[said]
    banner = "Authorised users only. Your password: keep it.\n"
    assert logins.reason(banner + said, gave_secret=False) == SAID[said]


UNSAID = ("closed", "wrong_password")


@pytest.mark.parametrize("said", [one for one, why in SAID.items() if why not in UNSAID])
def test_a_password_that_was_given_does_not_hide_the_reason(said: str) -> None:
    if "publickey" not in said:
        assert logins.reason(said, gave_secret=True) == SAID[said]


@given(st.text(st.characters(max_codepoint=127, categories=["Ll"]), max_size=40))
def test_a_password_that_brought_nobody_in_was_wrong(said: str) -> None:
    assert logins.reason(said, gave_secret=True) in REASONS
    if not any(re.search(pattern, said) for _, pattern in logins.FAILURES):
        assert logins.reason(said, gave_secret=True) == "wrong_password"
        assert logins.reason(said, gave_secret=False) == "closed"


def test_every_reason_has_its_advice_and_may_be_told() -> None:
    assert {name for name, _ in logins.FAILURES} <= set(REASONS)
    assert set(logins.MAY_PASS) <= set(REASONS)
    assert {"timed_out", "no_answer", "closed"} == set(REASONS) - {
        name for name, _ in logins.FAILURES
    }
