"""What is given to log in with is typed, and found nowhere else; nor is what the session types."""

from __future__ import annotations

import logging
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.test_secrets import forms, held_by, shown_by
from logins.servers import BY_PASSWORD, Servers, exact

from shellbot import Answer, CommandError, LevelLostError, LoginError, Secret, Session, logins

# Nobody else's on this machine, so that it is found only if it comes from here.
PASSWORD = f"0pen-{os.getpid()}-it!"
WRONG = f"wr0ng-{os.getpid()}-one"
PASSPHRASE = f"0pen, the {os.getpid()} key"
NEW = f"An0ther-{os.getpid()}-of-mine"
CODE = "c0de-of-today"
SECRETS = (PASSWORD, WRONG, PASSPHRASE, NEW, CODE)
# What nobody but the session types.
OURS = ("__sb", "exec /bin/sh -c")


def hidden(shown: str) -> bool:
    return not any(form in shown for secret in SECRETS for form in forms(secret))


class Watch:
    """Reads the words of every process of this machine, over and over."""

    def __init__(self, secrets: tuple[str, ...] = SECRETS) -> None:
        self.secrets = secrets
        self.found: set[str] = set()
        self.rounds = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for part in ("cmdline", "environ"):
                    try:
                        words = Path("/proc", pid, part).read_bytes().decode("utf-8", "replace")
                    except OSError:
                        continue
                    if int(pid) != os.getpid():
                        self.found |= {one for one in self.secrets if one in words}
            self.rounds += 1

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture(autouse=True)
def own_password(servers: Servers) -> None:
    """Give all users a password of this file's own."""
    names = "tester expired on-bash on-zsh on-fish on-tcsh on-dash on-ksh93"
    servers.machine.told(
        f'for name in {names}; do echo "$name:{PASSWORD}"; done | chpasswd; chage -d 0 expired'
    )


@pytest.fixture
def watch(own_password: None) -> Iterator[Watch]:
    """What the words and the environment of all processes hold meanwhile."""
    with Watch() as watch:
        yield watch
    assert watch.rounds > 0
    assert watch.found == set()


def test_the_watch_would_find_it(client: Session) -> None:
    with Watch() as watch:
        client.send(["sh", "-c", "sleep 0.5; :", PASSWORD])
        client.send("sleep 0.5; :", timeout=20)
    assert watch.found == {PASSWORD}


@pytest.fixture
def made_key(servers: Servers) -> Path:
    """A key with a passphrase, made before anybody watches."""
    key = servers.key("locked-key", PASSPHRASE)
    servers.let_in(key)
    return key


def way_in(servers: Servers, key: Path) -> dict[str, object]:
    """Return everything that can be given to log in with."""
    host = servers.sshd(
        "PasswordAuthentication no\nKbdInteractiveAuthentication yes\n"
        "AuthenticationMethods publickey,keyboard-interactive",
        pam=BY_PASSWORD,
    )
    return {
        "host": "127.0.0.1",
        "user": "tester",
        "port": host.port,
        "key": key,
        "passphrase": Secret(PASSPHRASE),
        "password": PASSWORD,
        "otp": lambda: CODE,
        "new_password": Secret(NEW),
    }


def test_a_login_shows_none_of_its_secrets(
    servers: Servers,
    client: Session,
    made_key: Path,
    watch: Watch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    options = way_in(servers, made_key)
    way = logins.ssh(**options)  # type: ignore[arg-type]
    level = client.ssh(**options)  # type: ignore[arg-type]
    exact(client, depth=1)
    shown = [repr(way), way.command, repr(way.answers), repr(vars(way))]
    shown += [repr(level), repr(client), repr(client.where), str(client.levels)]
    shown += [client.unsolicited.decode(), caplog.text]
    result = client.send(f"echo {PASSWORD} {PASSPHRASE!r}; (exit 3)", check=3)
    shown.append(repr(result))
    with pytest.raises(CommandError) as caught:
        client.send(f"echo {PASSWORD} {PASSPHRASE!r}; (exit 3)")
    shown += shown_by(caught.value)
    with pytest.raises(LevelLostError) as lost:
        client.send(f"echo {PASSWORD}; exit 3")
    shown += shown_by(lost.value)
    exact(client)
    shown += [client.unsolicited.decode(), caplog.text, *capfd.readouterr()]
    assert [one for one in shown if not hidden(one)] == []
    assert (
        client.send_and_get_output("fc -ln -50; cat known_hosts ssh_config; env; set").count(
            PASSWORD
        )
        == 0
    )


FAILURES: dict[str, tuple[dict[str, object], str, str]] = {
    "a wrong password": ({"password": Secret(WRONG)}, "", "wrong_password"),
    "a wrong password, asked again": (
        {"password": WRONG, "options": {"NumberOfPasswordPrompts": 3}},
        "",
        "wrong_password",
    ),
    "a password of a function": ({"password": lambda: WRONG}, "", "wrong_password"),
    "a command that ends": ({"password": PASSWORD}, "ForceCommand echo bye", "closed"),
    "a program that shows it": (
        {
            "password": PASSWORD,
            "answers": [Answer("^Second password: $", Secret(WRONG))],
            "timeout": 4,
        },
        'ForceCommand printf "Second password: "; read x; echo "<$x>"; echo $x; exit 3',
        "closed",
    ),
    "an expired password": ({"password": PASSWORD, "user": "expired"}, "pam", "expired_password"),
    "nobody there": ({"password": PASSWORD, "port": 1}, "", "refused"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_login_that_fails_shows_none_either(
    failure: str,
    servers: Servers,
    client: Session,
    watch: Watch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    options, settings, reason = FAILURES[failure]
    keyboard = "PasswordAuthentication no\nKbdInteractiveAuthentication yes"
    host = servers.sshd(keyboard, pam=BY_PASSWORD) if settings == "pam" else servers.sshd(settings)
    with pytest.raises(LoginError) as caught:
        client.ssh(
            "127.0.0.1",
            **{"user": "tester", "port": host.port, **options},  # type: ignore[arg-type]
        )
    assert caught.value.reason == reason
    shown = [*shown_by(caught.value), *held_by(caught.value), caplog.text, repr(client)]
    assert [one for one in shown if not hidden(one)] == []
    sent = pickle.dumps(caught.value)
    assert hidden(sent.decode("latin-1"))
    assert str(pickle.loads(sent)) == str(caught.value)
    exact(client)


BEFORE_THE_PROMPT = ("Password: ", "Enter your PIN: ", "Passphrase for it: ")


@pytest.mark.parametrize("said", BEFORE_THE_PROMPT)
def test_nothing_is_typed_where_it_would_be_a_command(
    said: str, servers: Servers, client: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = servers.key("user")
    servers.let_in(key)
    host = servers.sshd()
    # It comes before the prompt, and says so in time for an answer that is typed blindly.
    servers.machine.told(f"echo 'printf \"{said}\"; sleep 2' >/mnt/on-dash/.profile")
    seen = bytearray()
    read = client.terminal.read

    def reading(limit: float) -> bytes:
        seen.extend(data := read(limit))
        return data

    monkeypatch.setattr(client.terminal, "read", reading)
    client.ssh(
        "127.0.0.1",
        user="on-dash",
        port=host.port,
        key=key,
        password=PASSWORD,
        passphrase=PASSPHRASE,
        otp=CODE,
    )
    exact(client, depth=1)
    client.logout()
    exact(client)
    assert said.encode() in seen
    assert hidden(seen.decode("utf-8", "replace"))
    assert b"not found" not in seen


HISTORIES = {
    "bash": ".profile:HISTFILE=~/kept; HISTCONTROL=ignoredups",
    "bash, at once": ".profile:HISTFILE=~/kept HISTCONTROL=ignoreboth PROMPT_COMMAND='history -a'",
    "bash, exported": ".profile:export HISTFILE=~/kept HISTCONTROL=",
    "zsh": ".zshrc:HISTFILE=~/kept SAVEHIST=99 HISTSIZE=99",
    "zsh, at once": ".zshrc:HISTFILE=~/kept SAVEHIST=99 HISTSIZE=99; setopt inc_append_history "
    "hist_ignore_space",
    "fish": "",
    "tcsh": ".tcshrc:set history=99 savehist=(99 merge) histfile=~/kept",
}
READ_ONLY = {
    "bash": ".profile",
    "zsh": ".zshrc",
    "dash": ".profile",
    "ksh93": ".profile",
}


def histories(name: str, lines: str, servers: Servers, client: Session) -> tuple[str, str]:
    """What a user's home holds after a login by hand, and after one of ours."""
    home = f"/mnt/on-{name}"
    file, _, lines = lines.partition(":")
    servers.machine.told(f"rm -f {home}/kept")
    if file:
        servers.machine.told(f"cat >{home}/{file} <<'END'\n{lines}\nEND")
    host = servers.sshd()
    client.send(
        f"ssh -tt -oStrictHostKeyChecking=no -p {host.port} on-{name}@127.0.0.1",
        answers=[
            Answer("password: $", Secret(PASSWORD)),
            Answer(r"[$%>] *\Z", "echo mine"),
            Answer(r"[$%>] *\Z", "exit"),
        ],
        timeout=20,
        check=False,
    )
    read = f"cd {home}; grep -rah . . | tr -cd '[:print:]\\n' || true"
    by_hand = servers.machine.told(read)
    client.ssh("127.0.0.1", user=f"on-{name}", port=host.port, password=PASSWORD)
    client.send("echo not-mine")
    exact(client, depth=1)
    client.logout()
    exact(client)
    return by_hand, servers.machine.told(read)


@pytest.mark.parametrize("case", HISTORIES)
def test_a_history_has_what_its_user_typed_and_nothing_of_ours(
    case: str, servers: Servers, client: Session, need: Callable[[str], None]
) -> None:
    name = case.partition(",")[0]
    need(name)
    before, after = histories(name, HISTORIES[case], servers, client)
    assert hidden(after)
    assert not any(one in after for one in (*OURS, "unset HISTFILE", "not-mine"))
    assert "echo mine" in before
    assert "echo mine" in after


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_history_that_must_not_be_changed_keeps_nobody_out(
    name: str, servers: Servers, client: Session, need: Callable[[str], None]
) -> None:
    need(name)
    home = f"/mnt/on-{name}"
    servers.machine.told(f"echo 'readonly HISTFILE=~/kept' >{home}/{READ_ONLY[name]}")
    host = servers.sshd()
    client.ssh("127.0.0.1", user=f"on-{name}", port=host.port, password=PASSWORD)
    client.send("echo not-mine")
    exact(client, depth=1)
    client.logout()
    exact(client)
    after = servers.machine.told(f"tr -cd '[:print:]' <{home}/kept || true")
    assert hidden(after)
    assert "not-mine" not in after
