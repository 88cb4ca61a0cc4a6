"""Programs that everybody knows, asked by and answered to as they are."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.asking import in_step

from shellbot import Answer, CommandError, DialogueError, Key, Secret, Session

PHRASE = Secret("a phrase of five words")
OTHER = Secret("quite another phrase")


def told_by(*words: str, typed: str = "") -> str:
    """What a program prints, not by way of shellbot."""
    ran = subprocess.run(words, input=typed, capture_output=True, text=True, timeout=20)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# ssh-keygen

KEYGEN = "ssh-keygen -q -t ed25519 -C mine -f key"
PHRASES = {
    "one entry": [Answer("passphrase", PHRASE, times=2)],
    "two entries": [
        Answer("^Enter passphrase", PHRASE, optional=False),
        Answer("again: $", PHRASE, optional=False),
    ],
}


@pytest.mark.parametrize("entries", PHRASES)
def test_a_new_key_gets_its_passphrase(
    entries: str, shell: Session, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("ssh-keygen")
    assert shell.send(KEYGEN, answers=PHRASES[entries], timeout=20).ok
    key = str(tmp_path / "key")
    public = told_by("ssh-keygen", "-y", "-P", PHRASE.reveal(), "-f", key)
    assert public == (tmp_path / "key.pub").read_text()
    assert in_step(shell)


def test_passphrases_that_differ_are_asked_for_again(bash: Session, tmp_path: Path) -> None:
    with pytest.raises(DialogueError, match="Passphrases do not match") as caught:
        bash.send(KEYGEN, answers={"^Enter pass": PHRASE, "again": OTHER}, timeout=20)
    assert caught.value.asked == "Enter passphrase (empty for no passphrase): "
    assert [shown for _, shown in caught.value.answered] == ["********", "********"]
    assert not (tmp_path / "key").exists()
    assert in_step(bash)


@pytest.mark.parametrize(("word", "kept"), [("n", True), ("y", False)])
def test_an_existing_key_is_kept_or_replaced(
    word: str, kept: bool, bash: Session, tmp_path: Path
) -> None:
    bash.send([*KEYGEN.split(), "-N", ""])
    before = (tmp_path / "key").read_text()
    answers = [
        Answer(r"Overwrite (y/n)? ", word, optional=False),
        Answer("passphrase", "", times=2),
    ]
    bash.send(KEYGEN, answers=answers, check=False, timeout=20)
    assert ((tmp_path / "key").read_text() == before) is kept
    assert in_step(bash)


# openssl

SUBJECT = {
    "Country Name": "DE",
    "State or Province": "Baden-Württemberg",
    "Locality": "Ulm",
    "Organization Name": "Spatz & Söhne",
    "Organizational Unit": "Bau",
    "Common Name": "spatz.example",
    "Email": "spatz@example.org",
    "challenge password": "",
    "optional company name": "",
}


def test_a_certificate_request_asks_many_questions(bash: Session, tmp_path: Path) -> None:
    answers = [Answer("PEM pass phrase:", PHRASE, times=2)]
    answers += [Answer(asks, given, optional=False) for asks, given in SUBJECT.items()]
    bash.send(
        "openssl req -new -newkey rsa:2048 -utf8 -keyout key.pem -out new.csr",
        answers=answers,
        timeout=30,
    )
    subject = ["openssl", "req", "-in", str(tmp_path / "new.csr"), "-noout", "-subject", "-utf8"]
    told = told_by(*subject, "-nameopt", "utf8,sep_comma_plus")
    for given in filter(None, SUBJECT.values()):
        assert f"={given}" in told.replace(" = ", "=")
    phrase = ["-passin", "pass:" + PHRASE.reveal()]
    assert told_by("openssl", "rsa", "-in", str(tmp_path / "key.pem"), "-check", *phrase)


def test_what_was_encrypted_with_an_answer_is_decrypted_with_it(
    shell: Session, tmp_path: Path
) -> None:
    # With a salt of its own each time, one wrong password in 256 seems to fit.
    cipher = "openssl enc -aes-256-cbc -pbkdf2 -S 0102030405060708"
    answers = [Answer("encryption password:", PHRASE, times=2)]
    assert shell.send(f"echo words | {cipher} -out sealed", answers=answers, timeout=20).ok
    pipe = [*cipher.split(), "-d", "-in", str(tmp_path / "sealed")]
    assert told_by(*pipe, "-pass", "pass:" + PHRASE.reveal()) == "words\n"
    opened = shell.send(
        f"{cipher} -d -in sealed", answers={"decryption password": PHRASE}, timeout=20
    )
    assert opened.text.endswith(":\nwords\n")
    with pytest.raises(CommandError, match="bad decrypt"):
        shell.send(f"{cipher} -d -in sealed", answers={"decryption": OTHER}, timeout=20)
    assert in_step(shell)


# Partitions


def test_a_partition_is_made_with_fdisk(bash: Session, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(20 * 2**20)
    answers = [
        Answer("Command (m for help): ", "n"),
        Answer("Select", "p"),
        Answer("Partition number", ""),
        Answer("First sector", ""),
        Answer("Last sector", "+5M"),
        Answer("Command (m for help): ", "p"),
        Answer("Command (m for help): ", "w"),
    ]
    printed = bash.send("/sbin/fdisk disk", answers=answers, timeout=20).text
    assert "of size 5 MiB" in printed
    assert "start=        2048, size=       10240, type=83" in told_by(
        "/sbin/sfdisk", "-d", str(disk)
    )
    assert in_step(bash)


# gpg


@pytest.fixture
def keyring(need: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place for gpg's keys, with a name that is short enough for the sockets of its agent."""
    need("gpg")
    with tempfile.TemporaryDirectory(prefix="gpg") as directory:
        monkeypatch.setenv("GNUPGHOME", directory)
        yield
        subprocess.run(["gpgconf", "--kill", "all"], capture_output=True)


@pytest.mark.usefixtures("keyring")
def test_a_key_for_mail_is_made_and_signed_with() -> None:
    gpg = "gpg --pinentry-mode loopback"
    answers = [
        Answer(r"Your selection\?", "4", optional=False),
        Answer("What keysize", "1024", optional=False),
        Answer("valid for", "0", optional=False),
        Answer(r"Is this correct\?", "y", optional=False),
        Answer("Real name: ", "Robert Roe", optional=False),
        Answer("Email address: ", "roe@example.org", optional=False),
        Answer("Comment: ", "", optional=False),
        Answer(r"\(O\)kay/\(Q\)uit\? ", "O", optional=False),
        Answer("Enter passphrase: ", PHRASE, optional=False),
    ]
    with Session("bash") as bash:
        bash.send(f"{gpg} --full-generate-key", answers=answers, timeout=40)
        assert "Robert Roe <roe@example.org>" in told_by("gpg", "--list-secret-keys")
        bash.send("gpgconf --kill gpg-agent")
        with pytest.raises(CommandError, match="signing failed: Bad passphrase"):
            bash.send(
                f"{gpg} --clear-sign </etc/hostname",
                answers={"passphrase": OTHER},
                timeout=20,
            )
        signed = bash.send(
            f"{gpg} --clear-sign </etc/hostname", answers={"passphrase": PHRASE}, timeout=20
        )
        told_by("gpg", "--verify", typed=signed.text[signed.text.index("-----BEGIN") :])
        assert in_step(bash)


# Python, and the readers of shells


@pytest.mark.parametrize("text", ["bob", "", "  two  words ", 'it\'s \\ "$HOME" `id`', "žluť 名"])
def test_python_gets_each_answer_as_it_is(text: str, shell: Session) -> None:
    program = f"{sys.executable} -c 'print(ascii(input(\"Name? \")))'"
    result = shell.send(program, answers={"Name": text}, timeout=20)
    assert result.text == f"Name? {text!a}\n"


def test_getpass_gets_a_secret(shell: Session) -> None:
    program = f"{sys.executable} -c 'import getpass; print(len(getpass.getpass()))'"
    result = shell.send(program, answers={"Password: $": PHRASE}, timeout=20)
    assert result.text == f"Password: \n{len(PHRASE.reveal())}\n"


READERS = {
    ("bash", "read -p 'Name? ' x"): ("bob", "bob"),
    ("bash", "read -s -p 'Name? Password: ' x"): (Secret("b0b-b0b"), "b0b-b0b"),
    ("bash", "read -e -p 'Name? ' x"): ("bob", "bob"),
    ("bash", "read -e -i Ja -p 'Name? ' x"): ("cob", "Jacob"),
    ("bash", "read -n1 -p 'Name? ' x"): (Key("b"), "b"),
    ("bash", "read -n3 -p 'Name? ' x"): (b"bob", "bob"),
    ("bash", "read -d. -p 'Name? ' x"): (b"bob.", "bob"),
    ("bash", "read -t 9 -p 'Name? ' x"): ("bob", "bob"),
    ("dash", "read -p 'Name? ' x"): ("bob", "bob"),
    ("ash", "read -s -p 'Name? Password: ' x"): (Secret("b0b-b0b"), "b0b-b0b"),
    ("zsh", "read 'x?Name? '"): ("bob", "bob"),
    ("zsh", "read -s 'x?Name? Password: '"): (Secret("b0b-b0b"), "b0b-b0b"),
    ("zsh", "read -k1 'x?Name? '"): (Key("b"), "b"),
    ("zsh", "read -q 'x?Name? '"): (Key("y"), "y"),
    ("ksh93", "read x?'Name? '"): ("bob", "bob"),
    ("mksh", "read x?'Name? '"): ("bob", "bob"),
    ("mksh", "read -n1 x?'Name? '"): (Key("b"), "b"),
}


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_every_reader_of_a_shell_takes_its_answer(
    reader: tuple[str, str], need: Callable[[str], None]
) -> None:
    (name, command), (reply, taken) = reader, READERS[reader]
    need(name)
    with Session(name) as session:
        command += '; echo; echo "<$x>"'
        printed = session.send(command, answers={"Name": reply}, timeout=20).text
        assert printed.endswith(f"\n<{taken}>\n")
        assert in_step(session)


# ksh93 1.0.4 crashes in a select on a terminal, with whoever answers it.
@pytest.mark.parametrize("name", ["bash", "zsh", "mksh"])
def test_select_is_asked_again_after_a_wrong_choice(name: str, need: Callable[[str], None]) -> None:
    need(name)
    with Session(name) as session:
        command = 'select x in tea coffee; do [ "$x" ] && break; done; echo "<$x>"'
        answers = [Answer(r"(#\?|\?#) $", "7"), Answer(r"(#\?|\?#) $", "2")]
        assert session.send(command, answers=answers, timeout=20).text.endswith("<coffee>\n")
        assert in_step(session)


# MariaDB


@pytest.fixture
def server(tmp_path: Path, need: Callable[[str], None]) -> Iterator[Path]:
    """A MariaDB server with nobody's password set; its socket."""
    for program in ("mariadb-install-db", "mariadbd", "mariadb-secure-installation"):
        need(program)
    data, socket = tmp_path / "data", tmp_path / "socket"
    common = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        [
            *("mariadb-install-db", *common, "--user=root"),
            "--auth-root-authentication-method=normal",
        ],
        check=True,
        capture_output=True,
    )
    with subprocess.Popen(
        ["mariadbd", *common, "--user=root", "--skip-networking", f"--socket={socket}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout
        assert any("ready for connections" in line for line in running.stdout)
        yield socket
        running.kill()


def test_mariadb_is_made_secure(server: Path, bash: Session, tmp_path: Path) -> None:
    (tmp_path / "client").write_text(f"[client]\nsocket={server}\n")
    printed = bash.send(
        "mariadb-secure-installation --defaults-file=client",
        answers=[
            Answer("Enter current password for root", "", optional=False),
            Answer("unix_socket authentication", "n", optional=False),
            Answer("Set root password", "y", optional=False),
            Answer("[Nn]ew password: ", PHRASE, times=2, optional=False),
            "yes",
        ],
        timeout=30,
    ).text
    assert "All done!" in printed
    assert printed.count("... Success!") == 6
    query = ["mariadb", "--no-defaults", f"--socket={server}", "-u", "root", "-NBe"]
    phrase = "-p" + PHRASE.reveal()
    assert told_by(*query, "show databases like 'test'", phrase) == ""
    assert "root\n" in told_by(*query, "select user from mysql.user", phrase)
    assert subprocess.run([*query, "select 1"], capture_output=True).returncode != 0
    assert in_step(bash)
