"""Other users and other roots, made for one test and gone after it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

AS_TESTER = """#!/bin/sh
# As the user "tester", whose password is "secret" and who may use sudo; in an /etc of its own.
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work none /etc
useradd --no-create-home --shell /bin/bash tester
echo tester:secret | chpasswd
echo 'tester ALL=(ALL) ALL' >/etc/sudoers.d/tester
cd /
exec setpriv --reuid tester --regid tester --init-groups sh -c "$1"
"""
# Each store has locks of its own: all would share those in memory, and be held up by each other.
CONTAINERS = """
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]
netns = "none"
[engine]
runtime = "runc"
lock_type = "file"
tmp_dir = "{0}/tmp"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{0}/graph"
runroot = "{0}/run"
"""


@pytest.fixture
def as_tester(tmp_path: Path, need: Callable[[str], None]) -> Callable[[str], str]:
    """Turns a command into one that an ordinary user runs, who may use sudo."""
    need("sudo")
    script = tmp_path / "as-tester"
    script.write_text(AS_TESTER)
    script.chmod(0o755)

    def command(inner: str) -> str:
        return f"unshare -m {script} '{inner}'"

    return command


@pytest.fixture
def root_directory(tmp_path: Path, need: Callable[[str], None]) -> Path:
    """A system that has busybox and nothing else."""
    need("busybox")
    root = tmp_path / "root"
    program = Path(str(shutil.which("busybox")))
    told = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    libraries = [Path(word) for word in told.split() if word.startswith("/")]
    for file in (program, *libraries):
        target = root / file.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (root / "bin").mkdir(exist_ok=True)
    if not (root / "bin/busybox").exists():
        (root / "bin/busybox").symlink_to(program)
    return root


@pytest.fixture
def image(
    root_directory: Path,
    tmp_path: Path,
    need: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The same as a container image, in a store of the test's own."""
    need("podman")
    need("runc")
    for variable, text in {
        "CONTAINERS_CONF": CONTAINERS.format(tmp_path),
        "CONTAINERS_STORAGE_CONF": STORAGE.format(tmp_path),
    }.items():
        file = tmp_path / variable
        file.write_text(text)
        monkeypatch.setenv(variable, str(file))
    archive = tmp_path / "root.tar"
    subprocess.run(["tar", "-C", root_directory, "-cf", archive, "."], check=True)
    subprocess.run(
        ["podman", "import", archive, "box:1"], check=True, capture_output=True, env=os.environ
    )
    yield "box:1"
    subprocess.run(
        ["podman", "rm", "--all", "--force", "-t", "0"], capture_output=True, check=False
    )
    for mounted in (tmp_path / "graph/overlay", tmp_path / "graph"):
        subprocess.run(["umount", mounted], capture_output=True)
