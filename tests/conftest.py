"""What every test shares: the shells that are there, sessions on them, and a home of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

import shellbot
from shellbot import dialects

pytest_plugins = [
    *("dialogues.machines", "hosts.places"),
    *("logins.booted", "logins.containers", "logins.far", "logins.servers", "logins.users"),
    "packages.hosts",
    "pause.people",
    "pause.seats",
]

DIALECTS = tuple(row.name for row in dialects.TABLE)
OTHERS = ("fish", "tcsh", "xonsh", "yash")

# How long an example takes says something about the machine, and nothing about the code.
hypothesis.settings.register_profile("shellbot", deadline=None)
hypothesis.settings.load_profile("shellbot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-parts",
        action="store_true",
        help="fail where a test would be skipped because a part it needs is not installed",
    )


@pytest.fixture
def need(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Skip the test by name, or fail it with --all-parts, where a program is not there."""

    def need(program: str) -> None:
        found = shutil.which(program) or (program == "ash" and shutil.which("busybox"))
        if not found and request.config.getoption("--all-parts"):
            pytest.fail(f"{program} is not installed, and --all-parts was given")
        if not found:
            pytest.skip(f"needs {program}")

    return need


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory that nobody has been in."""
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(path))
    for name in ("ZDOTDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture(params=DIALECTS)
def name(request: pytest.FixtureRequest, need: Callable[[str], None]) -> str:
    """The name of each shell in the table."""
    shell = str(request.param)
    need(shell)
    return shell


@pytest.fixture
def shell(name: str, tmp_path: Path) -> Iterator[shellbot.Session]:
    """A session on each shell in the table. What holds for this holds for a new row as well."""
    with shellbot.Session(name, cwd=tmp_path) as session:
        yield session


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[shellbot.Session]:
    """A session on bash, for what no other shell does differently."""
    with shellbot.bash(cwd=tmp_path) as session:
        yield session


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/dev/fd"))


def shells_below(pid: int) -> list[str]:
    """The processes whose parent is *pid*, zombies included, as "pid name state"."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        name, _, rest = stat.partition("(")[2].rpartition(")")
        state, parent = rest.split()[:2]
        if int(parent) == pid:
            found.append(f"{entry} {name} {state}")
    return found
