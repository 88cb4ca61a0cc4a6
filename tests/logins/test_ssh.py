"""Logging in with ssh, to real servers, in every way that they let somebody in."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dialogues.machines import PASSWORD, Host
from logins.servers import BY_PASSWORD, HOST, NEW_PASSWORD, OTP_SECRET, SHELLS, Servers, exact

from shellbot import Answer, Secret, Session

KEYBOARD = "PasswordAuthentication no\nKbdInteractiveAuthentication yes"
PASSPHRASE = "open, key"


def used(session: Session, user: str = "tester") -> None:
    """Have a level prove that it is that user's on the other host, and that it is exact."""
    exact(session, depth=1)
    assert (session.where.host, session.where.user) == (HOST, user)
    assert session.send_and_get_output("id -un; uname -n") == f"{user}\n{HOST}"


def left(session: Session) -> None:
    """Log out, and have the session's own shell prove that it has the terminal again."""
    session.logout()
    exact(session)
    assert session.where.host != HOST


# The ways to be let in


def test_with_a_key(servers: Servers, client: Session) -> None:
    key = servers.key("user")
    servers.let_in(key)
    host = servers.sshd()
    with client.ssh("127.0.0.1", user="tester", port=host.port, key=key) as level:
        used(client)
        assert level.where == client.where
        assert client.where.system == client.levels[0].system
    exact(client)


def test_with_a_key_that_has_a_passphrase(servers: Servers, client: Session) -> None:
    key = servers.key("locked-key", PASSPHRASE)
    servers.let_in(key)
    host = servers.sshd("PasswordAuthentication no")
    client.ssh("127.0.0.1", user="tester", port=host.port, key=key, passphrase=PASSPHRASE)
    used(client)
    left(client)


def test_with_a_password(servers: Servers, client: Session, tmp_path: Path) -> None:
    host = servers.sshd()
    client.ssh("127.0.0.1", user="tester", port=host.port, password=Secret(PASSWORD))
    used(client)
    left(client)
    assert (tmp_path / "known_hosts").read_text().startswith(f"[127.0.0.1]:{host.port} ")


def test_with_a_password_that_pam_asks_for(servers: Servers, client: Session) -> None:
    host = servers.sshd(KEYBOARD, pam=BY_PASSWORD)
    client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD)
    used(client)
    left(client)
    assert "keyboard-interactive" in host.log


def test_with_login_and_any_command(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    command = ["ssh", "-oStrictHostKeyChecking=no", "-p", str(host.port), "tester@127.0.0.1"]
    client.login(command, password=lambda: PASSWORD)
    used(client)
    left(client)


def test_with_a_one_time_code_that_a_function_gets(
    servers: Servers, client: Session, need: Callable[[str], None]
) -> None:
    need("oathtool")
    servers.machine.told(
        f"echo 'HOTP tester - {OTP_SECRET}' >/etc/users.oath; chmod 600 /etc/users.oath"
    )
    more = BY_PASSWORD + "auth required pam_oath.so usersfile=/etc/users.oath window=5 digits=6"
    host = servers.sshd(KEYBOARD, pam=more)
    counters = iter((0, 1))
    asked: list[int] = []

    def code() -> str:
        asked.append(next(counters))
        command = ["oathtool", "--hotp", f"--counter={asked[-1]}", OTP_SECRET]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    for number in (1, 2):
        client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD, otp=code)
        used(client)
        left(client)
        assert len(asked) == number


def test_with_a_new_password_where_the_old_one_has_expired(
    servers: Servers, client: Session
) -> None:
    host = servers.sshd(KEYBOARD, pam=BY_PASSWORD)
    client.ssh(
        "127.0.0.1",
        user="expired",
        port=host.port,
        password=PASSWORD,
        new_password=NEW_PASSWORD,
    )
    used(client, "expired")
    left(client)
    client.ssh("127.0.0.1", user="expired", port=host.port, password=NEW_PASSWORD)
    used(client, "expired")
    left(client)


def test_through_another_host(servers: Servers, client: Session) -> None:
    key = servers.key("user")
    servers.let_in(key)
    jump, host = servers.sshd("PermitTTY no"), servers.sshd("PasswordAuthentication no")
    client.send(f"ssh-keyscan -p {jump.port} 127.0.0.1 >>known_hosts", timeout=20)
    client.send(f"echo 'IdentityFile {key}' >>ssh_config")
    client.ssh(
        "127.0.0.1", user="tester", port=host.port, key=key, jump=f"tester@127.0.0.1:{jump.port}"
    )
    used(client)
    assert "direct-tcpip" in jump.log
    left(client)


def test_through_another_host_that_asks_for_a_password(servers: Servers, client: Session) -> None:
    jump, host = servers.sshd("MaxSessions 9"), servers.sshd()
    client.send("echo 'StrictHostKeyChecking accept-new' >>ssh_config")
    client.ssh(
        "127.0.0.1",
        user="tester",
        port=host.port,
        jump=f"tester@127.0.0.1:{jump.port}",
        password=PASSWORD,
        answers=[Answer("password: $", Secret(PASSWORD))],
    )
    used(client)
    left(client)


def test_from_one_host_to_the_next(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD)
    with client.ssh("127.0.0.1", user="on-zsh", port=host.port, password=PASSWORD):
        exact(client, depth=2)
        assert [str(one) for one in client.levels][1:] == [
            f"tester@{HOST}, depth 1",
            f"on-zsh@{HOST}, depth 2",
        ]
        assert client.where.shell == "zsh"
    used(client)
    left(client)


# What is said before the prompt


SAID = {
    "ends in a prompt": "Welcome to $ and # and >\npassword: \nroot@far:~# ",
    "ends in a question": "Are you sure (yes/no)? \npassword:",
    "is what a shell asks": "login: \nPassword: \n[sudo] password for tester: ",
    "is long": "$ # > password: " * 4_000,
    "has marks": "\x1e__sb[0]\x1b]0;title\x07\x1b[2J\x1b[6n",
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("where", ["banner", "motd"])
def test_what_is_said_before_the_prompt_is_no_prompt(
    said: str, where: str, servers: Servers, client: Session
) -> None:
    text = servers.directory / f"said-{said}".replace(" ", "-")
    text.write_text(SAID[said])
    settings, pam = f"Banner {text}", None
    if where == "motd":
        settings, pam = (
            "KbdInteractiveAuthentication yes",
            f"{BY_PASSWORD}session optional pam_motd.so motd={text}",
        )
    host = servers.sshd(settings, pam=pam)
    client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD)
    used(client)
    left(client)
    assert host.log.count("Accepted ") == 1


def test_a_slow_rc_file_is_waited_for(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    started = time.monotonic()
    client.ssh("127.0.0.1", user="slow", port=host.port, password=PASSWORD)
    assert 3 < time.monotonic() - started < 10
    used(client, "slow")
    left(client)


def test_an_rc_file_that_prints_a_prompt_and_goes_on_is_waited_for(
    servers: Servers, client: Session
) -> None:
    host = servers.sshd()
    servers.machine.told(
        "printf '%s\\n' 'printf \"not yet\\n$ \"; sleep 2; printf \"password: \"; sleep 2' "
        ">/mnt/on-bash/.profile"
    )
    started = time.monotonic()
    client.ssh("127.0.0.1", user="on-bash", port=host.port, password=PASSWORD)
    assert time.monotonic() - started > 4
    used(client, "on-bash")
    left(client)
    servers.machine.told("rm /mnt/on-bash/.profile")


# The shells at the far end


@pytest.fixture(params=SHELLS)
def user(request: pytest.FixtureRequest, need: Callable[[str], None]) -> str:
    """A user of each shell."""
    need("busybox" if request.param == "ash" else str(request.param))
    return f"on-{request.param}"


def test_every_login_shell_is_used_and_left(user: str, servers: Servers, client: Session) -> None:
    host = servers.sshd()
    client.ssh("127.0.0.1", user=user, port=host.port, password=PASSWORD)
    used(client, user)
    name = user.removeprefix("on-")
    assert client.where.shell == (name if name not in ("fish", "tcsh") else "bash")
    lines = "printf '%s|' a 'b  c' \"$((6 * 7))\"; printf '\\033[1m\\a'; (exit 200)"
    assert client.send(lines, check=200).raw == b"a|b  c|42|\x1b[1m\a"
    assert (
        client.send("cat", input="no\tmatter\n~.\nwhat\x04!\n").raw
        == b"no\tmatter\n~.\nwhat\x04!\n"
    )
    text = "".join(f"{number} ~. \t !! $x\n" for number in range(3_000))
    assert client.send(f"cat <<'END'\n{text}END").text + "\n" in (text, text + "\n")
    client.send("cd / && export kept=1")
    assert client.send_and_get_output("pwd; echo $kept") == "/\n1"
    left(client)


def test_the_shell_to_have_can_be_named(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    with client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD, shell="dash"):
        used(client)
        assert client.dialect.name == "dash"
    exact(client)


def test_what_zsh_asks_a_new_user_is_not_answered_by_chance(
    servers: Servers, client: Session, need: Callable[[str], None]
) -> None:
    need("zsh")
    host = servers.sshd()
    client.ssh("127.0.0.1", user="new-to-zsh", port=host.port, password=PASSWORD)
    used(client, "new-to-zsh")
    left(client)
    assert servers.machine.told("ls -A /mnt/new-to-zsh") == ""


# Menus


MENU = """
printf 'Choose:\\n 1) shell\\n 2) leave\\n> '
read -r choice
case $choice in 1) exec bash;; *) echo bye; exit 4;; esac
"""


@pytest.fixture
def menu(servers: Servers) -> Host:
    """A server that shows a menu instead of a shell."""
    servers.machine.told(f"cat >/mnt/menu <<'END'\n{MENU}\nEND")
    return servers.sshd("ForceCommand sh /mnt/menu")


def test_a_menu_is_answered(menu: Host, client: Session) -> None:
    client.ssh(
        "127.0.0.1",
        user="tester",
        port=menu.port,
        password=PASSWORD,
        answers=[Answer("(?s)Choose.*> $", "1")],
    )
    used(client)
    left(client)


# Another server and another client


def test_dropbear_lets_in_as_well(
    servers: Servers, client: Session, need: Callable[[str], None]
) -> None:
    need("dropbear")
    host = servers.dropbear()
    client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD)
    used(client)
    left(client)


def test_dbclient_is_used_like_any_command(
    servers: Servers, client: Session, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dropbear")
    need("dbclient")
    for host in (servers.dropbear(), servers.sshd()):
        # It does not tell servers of one host apart by their ports.
        home = tmp_path / str(host.port)
        home.mkdir()
        command = f"HOME={home} dbclient -p {host.port} tester@127.0.0.1"
        client.login(command, password=PASSWORD, answers={r"\(y/n\) $": "y"})
        used(client)
        left(client)
