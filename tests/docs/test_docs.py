"""Every snippet of the README and of docs/ runs, and so does every example."""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.machines import SSHD, Machine, free_port

import shellbot
from shellbot import diagnosis, errors, logins, managers

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SNIPPETS = [
    (code, f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
]
KINDS = {
    name: one
    for name, one in inspect.getmembers(logins, inspect.isfunction)
    if one.__annotations__.get("return") == "Way"
}
LOGS_IN = re.compile(rf"shell\.(?:{'|'.join(KINDS)})\(")
ALONE = [pytest.param(code, id=name) for code, name in SNIPPETS if not LOGS_IN.search(code)]
ON_HOSTS = [pytest.param(code, id=name) for code, name in SNIPPETS if LOGS_IN.search(code)]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ENSURE_GIT = ROOT / "examples" / "ensure_git.py"

PASSWORD = "Op3n-it!"
HOSTS = ("bastion", "db1")
# Hosts by the names that the documentation has for them. Their own names differ, and nothing else.
SSH_CONFIG = """
Host {name}
    HostName 127.0.0.1
    Port {port}
    User deploy
    UserKnownHostsFile /mnt/known_hosts
"""
DEPLOY = f"""
useradd --create-home --home-dir /mnt/deploy --shell /bin/bash deploy
echo deploy:{PASSWORD} | chpasswd
mkdir -p /etc/sudoers.d
echo 'deploy ALL=(ALL) ALL' >/etc/sudoers.d/deploy
printf '127.0.0.1 %s\\n' {" ".join(HOSTS)} >>/etc/hosts
"""
# git is not there, and a package of ours, so that none has to be fetched. Nothing depends on it.
NO_GIT = """
rm -f /usr/bin/git /usr/local/bin/git
: >/var/lib/dpkg/status
mkdir -p {root}/DEBIAN {root}/usr/bin /var/packages
printf '#!/bin/sh\\necho "git version 2.0.test"\\n' >{root}/usr/bin/git
chmod +x {root}/usr/bin/git
printf '%s\\n' 'Package: git' 'Version: 99' 'Architecture: all' 'Description: made for a test' \\
    'Maintainer: Nobody <nobody@localhost>' >{root}/DEBIAN/control
dpkg-deb --root-owner-group -b {root} /var/packages/git.deb >/dev/null
cd /var/packages
{{ cat {root}/DEBIAN/control; echo Filename: ./git.deb; echo Size: $(wc -c <git.deb)
echo SHA256: $(sha256sum <git.deb | cut -d' ' -f1); }} >Packages
rm -rf /etc/apt/sources.list.d /etc/apt/sources.list /var/lib/apt/lists
echo 'deb [trusted=yes] file:/var/packages ./' >/etc/apt/sources.list
apt-get -q update
"""


class Network:
    """Where ``ssh db1`` works, and on the way there ``bastion``."""

    def __init__(self, machine: Machine, directory: Path) -> None:
        self.machine = machine
        self._directory = directory

    def run(self, script: Path, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a *script* that is *given* what its user types."""
        python = (sys.executable, "-W", "error", script)
        return subprocess.run(
            [*self.machine.on("").split(), *map(str, python)],
            cwd=self._directory,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DB_PASSWORD": PASSWORD},
            input=given,
            capture_output=True,
            text=True,
            timeout=50,
        )


@pytest.fixture
def network(machine: Machine, tmp_path: Path, need: Callable[[str], None]) -> Iterator[Network]:
    """Two hosts that can be logged in to, of which one is the machine that scripts run on."""
    for program in ("ssh", "sshd", "sudo"):
        need(program)
    key, configuration = tmp_path / "host_key", tmp_path / "ssh_config"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    ports = {name: free_port() for name in HOSTS}
    configuration.write_text(
        "".join(SSH_CONFIG.format(name=name, port=port) for name, port in ports.items())
    )
    machine.told(f"{DEPLOY}\ncp {configuration} /etc/ssh/ssh_config")
    with contextlib.ExitStack() as servers:
        for name, port in ports.items():
            settings = tmp_path / f"{name}.conf"
            settings.write_text(SSHD.format(port=port, key=key))
            serve = f"hostname {name}; exec /usr/sbin/sshd -D -f {settings} -E {tmp_path}/{name}"
            servers.enter_context(machine.serving(["unshare", "-u", "sh", "-c", serve], port))
        yield Network(machine, tmp_path)


@pytest.mark.parametrize("code", ALONE)
def test_a_snippet_runs(code: str, tmp_path: Path) -> None:
    script = tmp_path / "snippet.py"
    script.write_text(code)
    subprocess.run([sys.executable, "-W", "error", script], cwd=tmp_path, check=True, timeout=50)


@pytest.mark.parametrize("code", ON_HOSTS)
def test_a_snippet_that_logs_in_runs(code: str, network: Network, tmp_path: Path) -> None:
    script = tmp_path / "snippet.py"
    script.write_text(code)
    if "install(" in code:
        network.machine.told(NO_GIT.format(root=tmp_path / "git-package"))
    done = network.run(script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if one != ENSURE_GIT], ids=lambda path: path.name
)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", example], cwd=tmp_path, check=True, timeout=50)


def test_first_light_shows_statuses_and_output(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "first_light.py"))
    shown = capsys.readouterr().out
    assert "exit status 0" in shown
    assert "exit status 2" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("is_there", [True, False])
def test_git_is_ensured_on_a_server(
    is_there: bool, network: Network, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("git" if is_there else "apt-get")
    if not is_there:
        network.machine.told(NO_GIT.format(root=tmp_path / "git-package"))
    before = network.machine.told("command -v git || true")
    assert bool(before) is is_there
    done = network.run(ENSURE_GIT, given=f"deploy@db1\n{PASSWORD}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("is there" if is_there else "was installed") in done.stdout
    assert "git version " in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    assert network.machine.told("command -v git") == (before or "/usr/bin/git\n")


def test_git_is_not_ensured_with_a_wrong_password(network: Network) -> None:
    done = network.run(ENSURE_GIT, given="deploy@db1\nnot the right one\n")
    assert done.returncode == 1
    assert "wrong password" in done.stderr
    assert "Traceback" not in done.stderr
    assert "not the right one" not in done.stdout + done.stderr


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target, _, heading in re.findall(r"\]\(([^)#:]+)(#([^)]*))?\)", page.read_text()):
            found = page.parent / target
            assert found.exists(), f"{page.name}: {target}"
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.M) if heading else []
            slugs = [re.sub(r"[^\w-]", "", one.lower().replace(" ", "-")) for one in headings]
            assert not heading or heading in slugs, f"{page.name}: {target}#{heading}"


def test_every_diagnosis_is_shown() -> None:
    page = (ROOT / "docs" / "not-finished.md").read_text()
    for kind, (words, _) in diagnosis.KINDS.items():
        assert f"| `{kind}` | {words}" in page


def test_every_reason_for_a_failed_login_is_shown() -> None:
    page = (ROOT / "docs" / "logging-in.md").read_text()
    table = page[page.index("| `reason` |") :].split("\n\n")[0].splitlines()[2:]
    assert table == [f"| `{name}` | {advice} |" for name, advice in errors.REASONS.items()]


def test_every_reason_for_a_failed_package_is_shown() -> None:
    page = (ROOT / "docs" / "packages.md").read_text()
    table = page[page.index("| `reason` |") :].split("\n\n")[0].splitlines()[2:]
    assert table == [f"| `{name}` | {advice} |" for name, advice in errors.PACKAGE_REASONS.items()]


def test_every_package_manager_is_shown() -> None:
    page = (ROOT / "docs" / "packages.md").read_text()
    table = page[page.index("| | tested with |") :].split("\n\n")[0].splitlines()[2:]
    shown = [name for line in table for name in line.split("|")[1].strip().split(", ")]
    assert sorted(shown) == sorted(row.name for row in managers.TABLE)


def test_every_kind_of_login_is_shown_and_can_be_called_so() -> None:
    page = (ROOT / "docs" / "logging-in.md").read_text()
    calls = re.findall(r"^\| `shell\.(\w+\(.*?\))` \|", page, re.M)
    shown = set()
    for call in calls:
        parsed = ast.parse(call, mode="eval").body
        assert isinstance(parsed, ast.Call)
        assert isinstance(parsed.func, ast.Name)
        shown.add(parsed.func.id)
        way = eval(call, {**KINDS, "secret": shellbot.Secret(PASSWORD)})
        assert isinstance(way, logins.Way)
        assert hasattr(shellbot.Session, parsed.func.id)
    assert shown == set(KINDS)


def test_the_changelog_knows_the_version() -> None:
    assert f"## {shellbot.__version__}" in (ROOT / "docs" / "changelog.md").read_text()
