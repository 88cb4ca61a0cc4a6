"""A machine with a kernel of its own, of which there is nothing but its serial console.

It is emulated, so it is slow. Its kernel is Debian's, as tests/run fetches it, and all else on it
is busybox: init, a getty on the line, login, the shell.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dialogues.machines import PASSWORD, until

KERNELS = Path(__file__).parents[2] / ".cache" / "kernel"
HOST = "cellar"
FILES = {
    "init": "#!/bin/sh\nexec /bin/busybox init\n",
    "etc/rc": f"""#!/bin/sh
/bin/busybox mkdir -p /usr/bin /sbin /usr/sbin
/bin/busybox --install -s
mount -t proc none /proc
mount -t devtmpfs none /dev
hostname {HOST}
""",
    "etc/inittab": "::sysinit:/etc/rc\nttyS0::respawn:/sbin/getty -L 115200 ttyS0 vt100\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\ntester:x:1000:1000::/home/tester:/bin/sh\n",
    "etc/group": "root:x:0:\ntester:x:1000:\n",
}
APPEND = "console=ttyS0 quiet loglevel=1 panic=-1"


class Booted:
    """The machine. It is switched on when somebody needs it, and is not on already."""

    def __init__(self, directory: Path, kernel: Path) -> None:
        self.directory = directory
        self.kernel = kernel
        self.socket = directory / "console"
        self.line = f"socat -,rawer UNIX-CONNECT:{self.socket}"
        """The command that is connected to its console."""
        self._process: subprocess.Popen[bytes] | None = None
        self._disk = directory / "initrd"
        self._disk.write_bytes(made_disk(directory / "root"))

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def switch_on(self) -> None:
        """Have it run. Nobody waits for it to be up: that is what a login does."""
        if self.is_on:
            return
        self.socket.unlink(missing_ok=True)
        self._process = process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-m", "128"),
                *("-nodefaults", "-no-user-config", "-display", "none"),
                *("-kernel", self.kernel, "-initrd", self._disk, "-append", APPEND),
                *("-serial", f"unix:{self.socket},server=on,wait=off"),
            ],
            stdin=subprocess.DEVNULL,
        )
        until(lambda: process.poll() is not None or self.socket.exists())
        assert process.poll() is None, f"qemu has ended with {process.returncode}"

    def pull_the_plug(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def on_the_line(self, last: bytes, limit: float = 5.0) -> bytes:
        """What is said to somebody who comes to the line and presses Enter, until *last*."""
        said = b""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(limit)
            line.connect(str(self.socket))
            line.sendall(b"\n")
            while not said.endswith(last):
                new = line.recv(1000)
                assert new, said
                said += new
        return said


def made_disk(root: Path) -> bytes:
    """Everything that is on the machine, as an archive for its kernel."""
    busybox = shutil.which("busybox")
    assert busybox
    libraries = subprocess.run(["ldd", busybox], capture_output=True, text=True).stdout.split()
    for file in (busybox, *(one for one in libraries if one.startswith("/"))):
        copy = root / file.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    for name in ("proc", "dev", "tmp", "root", "home/tester", "bin", "etc"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    for name in ("busybox", "sh"):
        if not (root / "bin" / name).exists():
            (root / "bin" / name).symlink_to(busybox)
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
    ).stdout.strip()
    users = ("root", "tester")
    (root / "etc/shadow").write_text(
        "".join(f"{one}:{hashed}:19000:0:99999:7:::\n" for one in users)
    )
    # su is busybox as well.
    Path(root / busybox.lstrip("/")).chmod(0o4755)
    names = "\n".join(str(one.relative_to(root)) for one in sorted(root.rglob("*")))
    return subprocess.run(
        [busybox, "cpio", "-o", "-H", "newc", "-R", "0:0"],
        cwd=root,
        input=names.encode(),
        check=True,
        capture_output=True,
    ).stdout


@pytest.fixture(scope="module")
def made_booted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Booted]]:
    """The machine of one file of tests, once it is asked for."""
    with contextlib.ExitStack() as stack:
        made: list[Booted] = []

        def make() -> Booted:
            if not made:
                kernels = sorted(KERNELS.glob("vmlinuz-*"))
                if not kernels and request.config.getoption("--all-parts"):
                    pytest.fail("no kernel was fetched, and --all-parts was given")
                if not kernels:
                    pytest.skip("needs a kernel, which tests/run fetches")
                made.append(Booted(tmp_path_factory.mktemp("booted"), kernels[-1]))
                stack.callback(made[0].pull_the_plug)
            return made[0]

        yield make


@pytest.fixture
def booted(made_booted: Callable[[], Booted], need: Callable[[str], None]) -> Booted:
    """A machine that is up, or just coming up."""
    for program in ("qemu-system-x86_64", "busybox", "socat", "openssl"):
        need(program)
    machine = made_booted()
    machine.switch_on()
    return machine
