"""Containers to log in to: podman's and the Docker engine's, in stores of the test run's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.machines import until
from hosts.places import CONTAINERS, STORAGE

SMALL = "small:1"
"""The image that has busybox and its names, and the users root and worker."""
BARE = "bare:1"
"""The image that has a program and no shell."""
ENGINES = ("podman", "docker")

# In mounts and a network of its own, so that all of it goes with its processes.
DOCKER = """#!/bin/sh
set -e
cd {place}
mount -t tmpfs none /run
containerd -c containerd.toml >containerd.log 2>&1 &
containerd=$!
until test -S /run/containerd.sock; do kill -0 $containerd; sleep 0.05; done
dockerd --config-file dockerd.json --containerd /run/containerd.sock --bridge none \\
    --iptables=false --ip6tables=false --ip-forward=false --default-ulimit nofile=20000:20000 \\
    --data-root {place}/data --exec-root /run/docker --pidfile /run/docker.pid \\
    -H unix://{place}/socket >dockerd.log 2>&1 &
dockerd=$!
echo ready
read forever || :
kill $dockerd
wait $dockerd || :
kill $containerd
wait $containerd || :
"""
CONTAINERD = """
version = 2
root = "{place}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
oom_score = 0
[grpc]
address = "/run/containerd.sock"
"""


class Engine:
    """podman or docker, as a person uses it in another terminal."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self.environment = environment

    def told(self, *words: str) -> str:
        """What the engine prints for a command of its own."""
        done = subprocess.run(
            [self.name, *words],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def start(self, *words: str) -> str:
        """Start a container and return its name, which is its number."""
        return self.told("run", "-d", *words)

    def small(self) -> str:
        """Start a container of busybox that does nothing."""
        return self.start(SMALL, "sleep", "100000")

    def inside(self, name: str) -> list[str]:
        """What runs in the container, but for its first process."""
        pid = self.told("inspect", "-f", "{{.State.Pid}}", name)
        space, found = os.readlink(f"/proc/{pid}/ns/pid"), []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if entry != pid and os.readlink(f"/proc/{entry}/ns/pid") == space:
                    words = Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                    found.append(b" ".join(words).decode().strip())
        # A first process that is no init leaves those that have ended there.
        return list(filter(None, found))

    def is_empty(self, name: str) -> bool:
        """Whether the first process is the only one there within two seconds."""
        with contextlib.suppress(AssertionError):
            until(lambda: not self.inside(name), 2.0)
        return self.inside(name) == []

    def remove_all(self) -> None:
        """Remove every container there is."""
        if names := self.told("ps", "-aq").split():
            if self.name == "podman":
                self.told("rm", "--force", "-t", "0", *names)
            else:
                self.told("rm", "--force", *names)


def furnished(root: Path) -> Path:
    """The same with busybox's names, and with users."""
    (root / "etc").mkdir()
    (root / "tmp").mkdir()
    (root / "etc/passwd").write_text(
        "root:x:0:0::/:/bin/sh\nworker:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/no\n"
    )
    (root / "etc/group").write_text("root:x:0:\nworker:x:1000:\n")
    listed = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True)
    for applet in listed.stdout.split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to("/bin/busybox")
    return root


def _import(engine: Engine, root: Path, place: Path) -> None:
    furnished(root)
    _import_as(engine, SMALL, root, place)
    for applet in (root / "bin").iterdir():
        if applet.name not in ("busybox", "sleep"):
            applet.unlink()
    _import_as(engine, BARE, root, place)


def _import_as(engine: Engine, image: str, root: Path, place: Path) -> None:
    archive = place / "root.tar"
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    engine.told("import", str(archive), image)
    archive.unlink()


def busybox_root(root: Path) -> Path:
    """A system that has /bin/busybox and what that needs."""
    program = Path(str(shutil.which("busybox")))
    told = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    (root / "bin").mkdir(parents=True)
    shutil.copy(program, root / "bin/busybox")
    for library in (Path(word) for word in told.split() if word.startswith("/")):
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    return root


@pytest.fixture(scope="session")
def podman_store() -> Iterator[Engine]:
    """podman with the images, in a store of its own."""
    # Where that has a long name, podman does not get to remove what has ended (--rm).
    place = Path(tempfile.mkdtemp(prefix="podman-"))
    engine = Engine("podman", {})
    for variable, text in {
        "CONTAINERS_CONF": CONTAINERS.format(place),
        "CONTAINERS_STORAGE_CONF": STORAGE.format(place),
    }.items():
        (place / variable).write_text(text)
        engine.environment[variable] = str(place / variable)
    try:
        _import(engine, busybox_root(place / "root"), place)
        yield engine
        engine.remove_all()
    finally:
        for mounted in (place / "graph/overlay", place / "graph"):
            subprocess.run(["umount", mounted], capture_output=True)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The Docker engine with the images, in mounts and a network of its own."""
    place = tmp_path_factory.mktemp("docker")
    script = place / "engine"
    script.write_text(DOCKER.format(place=place))
    script.chmod(0o755)
    (place / "containerd.toml").write_text(CONTAINERD.format(place=place))
    (place / "dockerd.json").write_text("{}")
    server = subprocess.Popen(
        ["unshare", "-n", "-m", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"ready\n", (place / "containerd.log").read_text()
            engine = Engine("docker", {"DOCKER_HOST": f"unix://{place}/socket"})

            def is_up() -> bool:
                assert server.poll() is None, (place / "dockerd.log").read_text()
                with contextlib.suppress(AssertionError):
                    return bool(engine.told("version"))
                return False

            until(is_up)
            _import(engine, busybox_root(place / "root"), place)
            yield engine
            engine.remove_all()
        finally:
            server.stdin.close()
            server.wait()


@pytest.fixture
def engine(
    request: pytest.FixtureRequest,
    need: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Engine]:
    """podman, or whichever a test names. Its containers are removed after the test."""
    name: str = getattr(request, "param", "podman")
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for part in {"podman": ("podman",), "docker": ("docker", "dockerd")}[name]:
        need(part)
    need("runc")
    need("busybox")
    fixture = {"podman": "podman_store", "docker": "docker_engine"}[name]
    found: Engine = request.getfixturevalue(fixture)
    for variable, value in found.environment.items():
        monkeypatch.setenv(variable, value)
    try:
        yield found
    finally:
        found.remove_all()


@pytest.fixture
def podman(
    podman_store: Engine, need: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """podman, for what no engine does differently."""
    for variable, value in podman_store.environment.items():
        monkeypatch.setenv(variable, value)
    try:
        yield podman_store
    finally:
        podman_store.remove_all()


each_engine = pytest.mark.parametrize("engine", ENGINES, indirect=True)
"""For a test that is to run with each of them."""


@pytest.fixture
def box(engine: Engine) -> str:
    """A running container that has busybox only."""
    return engine.small()
