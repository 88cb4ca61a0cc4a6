"""A host's key by its fingerprint: what was seen of the host before does not count."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from dialogues.machines import PASSWORD, Host

from shellbot import LoginError, Session

WRONG = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture
def known(tmp_path: Path, ssh_host: Host) -> Path:
    """A file that has the host's own key already."""
    file = tmp_path / "known"
    key = (tmp_path / "host_key.pub").read_text()
    file.write_text(f"[127.0.0.1]:{ssh_host.port} {key}")
    return file


@pytest.fixture
def fingerprint(tmp_path: Path, ssh_host: Host) -> str:
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "host_key.pub"],
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split()[1]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_host_has_to_have_the_fingerprint(
    is_known: bool, known: Path, fingerprint: str, ssh_host: Host, bash: Session, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(f"UserKnownHostsFile {known if is_known else tmp_path / 'x'}")
    before = known.read_bytes()

    def log_in(host_key: str) -> str:
        words = ["ssh", "-F", str(tmp_path / "config")]
        bash.send(f'ssh() {{ command {" ".join(words)} "$@"; }}')
        with bash.ssh(
            "127.0.0.1",
            user="tester",
            port=ssh_host.port,
            password=PASSWORD,
            host_key=host_key,
            timeout=20,
        ):
            return bash.send_and_get_output("id -un")

    with pytest.raises(LoginError) as caught:
        log_in(WRONG)
    assert caught.value.reason == "host_key_unknown", str(caught.value)
    assert fingerprint in caught.value.tail
    assert "method password" not in ssh_host.log
    assert log_in(fingerprint) == "tester"
    assert known.read_bytes() == before
