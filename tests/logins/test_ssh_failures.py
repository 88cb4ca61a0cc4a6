"""Logins with ssh that come to no shell: said why, soon, and the session is as it was."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dialogues.machines import PASSWORD, Host, free_port, until
from logins.servers import BY_PASSWORD, Servers, exact, refused

import shellbot
from shellbot import LoginError, Session, logins

SOON = 5.0
KEYBOARD = "PasswordAuthentication no\nKbdInteractiveAuthentication yes"


class Failed:
    """A login that has to fail, and how long it took."""

    def __init__(self, session: Session, port: int, **options: object) -> None:
        options = {"user": "tester", "host": "127.0.0.1", "port": port, **options}
        started = time.monotonic()
        with pytest.raises(LoginError) as caught:
            session.ssh(**options)  # type: ignore[arg-type]
        self.took = time.monotonic() - started
        self.error = caught.value
        exact(session)
        first = str(self.error).partition("\n")[0]
        assert first.endswith(f": ssh {options['user']}@{options['host']}"), first


# Who is not let in


@pytest.mark.parametrize("pam", [None, BY_PASSWORD])
def test_a_wrong_password_is_sent_once(pam: str | None, servers: Servers, client: Session) -> None:
    host = servers.sshd("MaxAuthTries 9" if pam is None else KEYBOARD, pam=pam)
    failed = Failed(client, host.port, password="wr0ng-one")
    refused(failed.error, "wrong_password", "assword: ", "Permission denied")
    assert failed.took < SOON
    assert failed.error.exit_code == 255
    until(lambda: "Connection closed by authenticating user" in host.log)
    if pam is None:
        assert host.log.count("Failed password for tester") == 1
    else:
        # The one that is for nobody comes of the client's asking once more.
        assert host.log.count("Failed keyboard-interactive/pam for tester") == 1
        assert host.log.count("PAM: Authentication failure for tester") == 1


def test_a_wrong_password_is_not_sent_again_to_whoever_asks_again(
    servers: Servers, client: Session
) -> None:
    host = servers.sshd("MaxAuthTries 8")
    options = {"NumberOfPasswordPrompts": 3}
    failed = Failed(client, host.port, password="wr0ng-one", options=options)
    refused(failed.error, "wrong_password", "try again")
    assert failed.took < SOON
    assert failed.error.exit_code is None
    until(lambda: "Connection closed by authenticating user" in host.log)
    assert host.log.count("Failed password for tester") == 1


def test_a_user_whom_nobody_knows(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, user="stranger", password=PASSWORD)
    refused(failed.error, "wrong_password", "stranger@127.0.0.1's password: ", "Permission denied")
    assert failed.took < SOON
    until(lambda: "Failed password for invalid user stranger" in host.log)


def test_no_password_to_give(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port)
    refused(failed.error, "no_answer", "tester@127.0.0.1's password: ")
    assert failed.took < SOON
    assert failed.error.diagnosis is not None
    assert failed.error.diagnosis.kind == "password"
    assert "password=" in str(failed.error)


def test_a_wrong_passphrase(servers: Servers, client: Session) -> None:
    key = servers.key("locked-key", "open, key")
    servers.let_in(key)
    host = servers.sshd("PasswordAuthentication no")
    failed = Failed(client, host.port, key=key, passphrase="wr0ng-one")
    refused(failed.error, "wrong_password", "Enter passphrase for key", "Permission denied")
    assert failed.took < SOON


def test_a_key_that_is_not_let_in(servers: Servers, client: Session) -> None:
    host = servers.sshd("PasswordAuthentication no")
    failed = Failed(client, host.port, key=servers.key("stranger-key"))
    refused(failed.error, "refused", "Permission denied (publickey)")
    assert failed.took < SOON


def test_too_many_keys(servers: Servers, client: Session) -> None:
    host = servers.sshd("MaxAuthTries 2")
    for number in range(4):
        client.send(f"echo 'IdentityFile {servers.key(f'key-{number}')}' >>ssh_config")
    failed = Failed(client, host.port, password=PASSWORD)
    refused(failed.error, "too_many_attempts", "Too many authentication failures")
    assert failed.took < SOON
    assert "IdentitiesOnly" in str(failed.error)
    assert "Failed password" not in host.log


def test_an_expired_password_without_a_new_one(servers: Servers, client: Session) -> None:
    host = servers.sshd(KEYBOARD, pam=BY_PASSWORD)
    for _ in range(2):
        failed = Failed(client, host.port, user="expired", password=PASSWORD)
        refused(failed.error, "expired_password", "required to change", "New password:")
        assert failed.took < SOON
        assert "new_password=" in str(failed.error)


def test_a_new_password_that_is_none(servers: Servers, client: Session) -> None:
    host = servers.sshd(KEYBOARD, pam=BY_PASSWORD)
    failed = Failed(client, host.port, user="expired", password=PASSWORD, new_password=PASSWORD)
    refused(failed.error, "expired_password", "New password:", "has not been changed")
    assert failed.took < SOON


def test_an_expired_password_that_the_far_end_has_changed_by_passwd(
    servers: Servers, client: Session
) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, user="expired-too", password=PASSWORD)
    refused(failed.error, "expired_password", "password has expired")
    assert failed.took < 12


def test_a_locked_account(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, user="locked", password=PASSWORD)
    refused(failed.error, "wrong_password", "Permission denied")
    assert failed.took < SOON


def test_an_account_that_is_locked_after_wrong_passwords(
    servers: Servers, client: Session, need: Callable[[str], None]
) -> None:
    need("faillock")
    more = (
        "auth requisite pam_faillock.so preauth deny=2 nodelay dir=/run/faillock\n"
        "auth sufficient pam_unix.so nodelay\n"
        "auth [default=die] pam_faillock.so authfail deny=2 nodelay dir=/run/faillock"
    )
    host = servers.sshd(KEYBOARD, pam=more)
    for _ in range(2):
        failed = Failed(client, host.port, password="wr0ng-one")
        refused(failed.error, "wrong_password", "Permission denied")
    failed = Failed(client, host.port, password=PASSWORD)
    refused(failed.error, "locked", "account is locked")
    assert failed.took < SOON


# What is no host


def test_nobody_listens(servers: Servers, client: Session) -> None:
    failed = Failed(client, free_port(), password=PASSWORD)
    refused(failed.error, "refused", "Connection refused")
    assert failed.took < SOON
    assert failed.error.exit_code == 255


def test_a_name_that_is_none(client: Session) -> None:
    failed = Failed(client, 22, host="no-such-host.invalid", password=PASSWORD)
    refused(failed.error, "unknown_host", "no-such-host.invalid")
    assert failed.took < SOON


@pytest.fixture
def cut_off(client: Session, need: Callable[[str], None]) -> Session:
    """The client in a network of its own, where nobody answers at 192.0.2.1."""
    need("ip")
    routes = (
        "ip link set lo up; ip route add 192.0.2.0/24 dev lo; "
        "ip route add unreachable 203.0.113.0/24"
    )
    client.login(["unshare", "-n", "sh", "-c", f"{routes}; exec bash"])
    assert client.send("ip route get 192.0.2.1").ok
    return client


def from_there(session: Session, address: str, **options: object) -> tuple[LoginError, float]:
    """Log in in vain from one level further in."""
    started = time.monotonic()
    with pytest.raises(LoginError) as caught:
        session.ssh(address, user="tester", **options)  # type: ignore[arg-type]
    took = time.monotonic() - started
    exact(session, depth=1)
    session.logout()
    exact(session)
    return caught.value, took


def test_nobody_answers(cut_off: Session) -> None:
    error, took = from_there(cut_off, "192.0.2.1", timeout=2)
    assert error.reason in ("timed_out", "unreachable")
    assert 1.5 < took < SOON
    assert "2 s" in str(error) or "timed out" in str(error)


def test_nobody_answers_and_ssh_would_wait_for_ever(cut_off: Session) -> None:
    error, took = from_there(cut_off, "192.0.2.1", timeout=2, options={"ConnectTimeout": 600})
    assert error.reason == "timed_out"
    assert 1.5 < took < SOON
    assert error.diagnosis is not None


def test_no_way_there(cut_off: Session) -> None:
    error, took = from_there(cut_off, "203.0.113.1")
    assert error.reason == "unreachable"
    assert "No route to host" in error.tail
    assert took < SOON


@pytest.fixture
def closing() -> Iterator[Callable[[bytes], int]]:
    """Servers that say something, or nothing, and close."""
    listeners: list[tuple[socket.socket, threading.Thread]] = []

    def serve(listener: socket.socket, said: bytes) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.sendall(said)

    def start(said: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(listener, said))
        thread.start()
        listeners.append((listener, thread))
        return int(listener.getsockname()[1])

    yield start
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-nobody\r\n", b"Exceeded MaxStartups\r\n"])
def test_a_server_that_closes_at_once(
    said: bytes, closing: Callable[[bytes], int], client: Session
) -> None:
    failed = Failed(client, closing(said), password=PASSWORD)
    assert failed.error.reason == "refused"
    assert failed.took < SOON
    assert re.search("kex_exchange_identification|Connection (reset|closed|to)", failed.error.tail)


def test_something_that_is_no_ssh_server_and_says_nothing(client: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed = Failed(client, silent.getsockname()[1], password=PASSWORD, timeout=2)
    assert failed.error.reason in ("timed_out", "unreachable")
    assert 1.5 < failed.took < SOON


# Host keys


def fingerprint(servers: Servers) -> str:
    """The fingerprint of the servers' key."""
    command = ["ssh-keygen", "-l", "-f", str(servers.key("host_key"))]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return told.split()[1]


def test_a_key_that_is_not_known_and_has_to_be(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, password=PASSWORD, host_key="strict")
    refused(failed.error, "host_key_unknown", "No ED25519 host key is known")
    assert failed.took < SOON
    assert "host_key=" in str(failed.error)


def test_a_key_that_has_changed(servers: Servers, client: Session, tmp_path: Path) -> None:
    host = servers.sshd()
    public = servers.key("another_host_key").with_suffix(".pub").read_text()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {public}")
    for host_key in ("accept-new", "strict", "ask"):
        failed = Failed(client, host.port, password=PASSWORD, host_key=host_key)
        refused(failed.error, "host_key_changed", "HAS CHANGED", fingerprint(servers))
        assert failed.took < SOON


def test_a_fingerprint_that_is_right(servers: Servers, client: Session, tmp_path: Path) -> None:
    host = servers.sshd()
    # Whatever key is known of the host, and none is noted down.
    public = servers.key("another_host_key").with_suffix(".pub").read_text()
    known = f"[127.0.0.1]:{host.port} {public}"
    (tmp_path / "known_hosts").write_text(known)
    with client.ssh(
        "127.0.0.1",
        user="tester",
        port=host.port,
        password=PASSWORD,
        host_key=fingerprint(servers),
    ):
        exact(client, depth=1)
    exact(client)
    assert (tmp_path / "known_hosts").read_text() == known


def test_a_fingerprint_that_is_wrong(servers: Servers, client: Session, tmp_path: Path) -> None:
    host = servers.sshd()
    wrong = fingerprint(servers)[:-4] + "AAAA"
    failed = Failed(client, host.port, password=PASSWORD, host_key=wrong)
    refused(failed.error, "host_key_unknown", fingerprint(servers))
    assert failed.took < SOON
    assert (tmp_path / "known_hosts").read_text() == ""


def test_a_key_that_somebody_is_asked_about(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, password=PASSWORD, host_key="ask")
    refused(failed.error, "host_key_unknown", "continue connecting", fingerprint(servers))
    assert failed.took < SOON
    with client.ssh(
        "127.0.0.1",
        user="tester",
        port=host.port,
        password=PASSWORD,
        host_key="ask",
        answers={r"continue connecting.*\? $": "yes"},
    ):
        exact(client, depth=1)
    exact(client)


# Who is let in, but to no shell


def test_a_user_who_has_no_shell(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, user="nobody-in", password=PASSWORD)
    refused(failed.error, "no_shell", "This account is currently not available")
    assert failed.took < SOON
    assert failed.error.exit_code == 1


def test_a_server_that_gives_no_terminal(servers: Servers, client: Session) -> None:
    host = servers.sshd("PermitTTY no")
    failed = Failed(client, host.port, password=PASSWORD)
    refused(failed.error, "no_shell", "PTY allocation request failed")
    assert failed.took < 12


CHOOSE = "printf 'Choose:\\n 1) shell\\n 2) leave\\n%s'; read -r choice; echo no"
MENUS = {
    "that leaves": ("> ", f"{CHOOSE}; exit 4", "closed"),
    "that asks again": ("> ", f"while :; do {CHOOSE}; done", "no_answer"),
}


@pytest.mark.parametrize("menu", MENUS)
def test_a_menu_that_nobody_answers(menu: str, servers: Servers, client: Session) -> None:
    asks, script, reason = MENUS[menu]
    name = f"/mnt/menu-{menu}".replace(" ", "-")
    servers.machine.told(f"cat >{name} <<'END'\n{script.replace('%s', asks)}\nEND")
    host = servers.sshd(f"ForceCommand sh {name}")
    failed = Failed(client, host.port, password=PASSWORD)
    refused(failed.error, reason, "Choose:", " 2) leave")
    assert failed.error.exit_code == (4 if reason == "closed" else None)
    assert failed.took < 12


def test_a_command_that_ends_at_once(servers: Servers, client: Session) -> None:
    host = servers.sshd("ForceCommand echo only this; exit 3")
    failed = Failed(client, host.port, password=PASSWORD)
    assert failed.error.exit_code == 3
    refused(failed.error, "closed", "only this")
    assert failed.took < SOON


def test_a_jump_that_is_refused(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    failed = Failed(client, host.port, password=PASSWORD, jump=f"127.0.0.1:{free_port()}")
    refused(failed.error, "refused", "Connection refused")
    assert failed.took < SOON


def test_dropbear_refuses_as_well(
    servers: Servers, client: Session, need: Callable[[str], None], tmp_path: Path
) -> None:
    need("dropbear")
    need("dbclient")
    host = servers.dropbear()
    failed = Failed(client, host.port, password="wr0ng-one")
    refused(failed.error, "wrong_password", "Permission denied")
    assert failed.took < SOON
    until(lambda: "Bad password attempt for 'tester'" in host.log)
    assert host.log.count("Bad password attempt for 'tester'") == 1
    started = time.monotonic()
    with pytest.raises(LoginError) as caught:
        client.login(
            f"HOME={tmp_path} dbclient -y -p {host.port} tester@127.0.0.1", password="wr0ng-one"
        )
    refused(caught.value, "wrong_password", "password: ")
    assert time.monotonic() - started < 10
    exact(client)
    with pytest.raises(LoginError) as caught:
        client.login(f"HOME={tmp_path}/none dbclient -p {host.port} tester@127.0.0.1")
    refused(caught.value, "host_key_unknown", "Do you want to continue connecting?")
    exact(client)


def test_after_a_failure_the_right_password_is_let_in(servers: Servers, client: Session) -> None:
    host = servers.sshd()
    Failed(client, host.port, password="wr0ng-one")
    with client.ssh("127.0.0.1", user="tester", port=host.port, password=PASSWORD):
        with pytest.raises(LoginError) as caught:
            client.ssh("127.0.0.1", user="tester", port=host.port, password="wr0ng-one")
        assert caught.value.reason == "wrong_password"
        assert caught.value.where == client.where
        exact(client, depth=1)
    exact(client)


# Many at once


MANY = 50


@pytest.mark.parametrize("settings", ["", f"MaxStartups {MANY + 1}"])
def test_fifty_log_in_at_once(settings: str, servers: Servers, tmp_path: Path) -> None:
    """The server drops some of them, unless it is told to take so many."""
    host: Host = servers.sshd(settings)
    before = host.log.count("drop connection")
    key = servers.key("user")
    servers.let_in(key)
    all_there = threading.Barrier(MANY)

    def one(number: int) -> str:
        with shellbot.bash(cwd=tmp_path) as session:
            options = {"UserKnownHostsFile": f"{tmp_path}/known-{number}", "IdentityAgent": "none"}
            way = logins.ssh(
                "127.0.0.1", user="tester", port=host.port, key=key, options=options, timeout=50
            )
            all_there.wait()
            try:
                session.login(way)
            except LoginError as error:
                exact(session)
                return error.reason
            exact(session, depth=1)
            told = session.send_and_get_output(f"echo $(({number} * 3))")
            assert told == str(number * 3)
            session.logout()
            exact(session)
            return "in"

    with contextlib.ExitStack() as waiting:
        if not settings:
            # By default that is how many it takes before it drops any: all are less welcome now.
            for _ in range(10):
                idle = socket.create_connection(("127.0.0.1", host.port))
                waiting.enter_context(idle)
                assert idle.recv(4) == b"SSH-"
        threads = waiting.enter_context(ThreadPoolExecutor(MANY))
        outcomes = list(threads.map(one, range(MANY)))
    dropped = host.log.count("drop connection") - before
    assert len(outcomes) - outcomes.count("in") == dropped
    if settings:
        assert outcomes == ["in"] * MANY
    else:
        assert set(outcomes) in ({"in", "refused"}, {"in", "closed"}, {"in", "refused", "closed"})
