"""A machine with a Fake in the place of each manager that cannot be had.

A Fake is told which calls will come, and what to print for each. It prints what was recorded, and
knows nothing: what a manager would really do with a call is not shown by it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import shellbot
from shellbot import managers

COMMANDS = {
    "apk": ("apk",),
    "xbps": ("xbps-install", "xbps-query", "xbps-pkgdb", "xbps-remove"),
    "emerge": ("emerge", "portageq"),
    "brew": ("brew",),
    "pkg": ("pkg",),
    "opkg": ("opkg",),
}
SYSTEMS = {
    "apk": "alpine",
    "xbps": "void",
    "emerge": "gentoo",
    "brew": "",
    "pkg": "freebsd",
    "opkg": "openwrt",
}
# What stands between two arguments, so that blanks within one are seen.
BETWEEN = "\x1f"
# What a shell does by itself takes no time.
SCRIPT = f"""#!/bin/sh
cd /fake/calls || exit 86
read -r number <number
number=$((number + 1))
echo "$number" >number
IFS='{BETWEEN}'
called="${{0##*/}}{BETWEEN}$*"
echo "$called" >"$number.called"
export -p >"$number.environment"
test /dev/stdin -ef /dev/null && echo /dev/null >"$number.input"
test -e "$number.expected" && IFS= read -r expected <"$number.expected"
IFS=' '
if test "$called" != "$expected"; then
    echo "Fake ${{0##*/}}: nothing was recorded for: $*"
    exit 86
fi
test ! -s "$number.output" || cat "$number.output"
test ! -s "$number.errors" || cat "$number.errors" >&2
test ! -e "$number.waits" || read -r never <>"$number.waits"
read -r status <"$number.status"
exit "$status"
"""


class FakeManager:
    """The commands of one manager, in a root directory of their own; *there* is the session."""

    def __init__(self, manager: str, root: Path) -> None:
        self.manager = manager
        self.root = root
        self.expected: list[list[str]] = []
        self._calls = root / "fake/calls"
        self._calls.mkdir(parents=True)
        (self._calls / "number").write_text("0\n")
        for command in COMMANDS[manager]:
            path = root / "fake" / command
            path.write_text(SCRIPT)
            path.chmod(0o755)

    def will(
        self,
        line: str,
        output: str = "",
        status: int = 0,
        *,
        complains: bool = False,
        waits: bool = False,
    ) -> None:
        """Expect the call *line* next, and answer it with *output*, or a complaint.

        With *waits* it does not end by itself.
        """
        self.expected.append(shlex.split(line))
        stem = self._calls / str(len(self.expected))
        stem.with_suffix(".expected").write_text(BETWEEN.join(self.expected[-1]) + "\n")
        stem.with_suffix(".errors" if complains else ".output").write_text(output)
        stem.with_suffix(".status").write_text(f"{status}\n")
        if waits:
            os.mkfifo(stem.with_suffix(".waits"))

    @property
    def called(self) -> list[list[str]]:
        """How it was called, in order."""
        return [self._noted(one, "called").rstrip("\n").split(BETWEEN) for one in self._numbers]

    @property
    def environment(self) -> str:
        """What its last call had in its environment, as a shell would set it."""
        return self._noted(self._numbers[-1], "environment")

    @property
    def had_input(self) -> bool:
        """Whether any call could have read what somebody types."""
        return any(not (self._calls / f"{one}.input").exists() for one in self._numbers)

    @property
    def _numbers(self) -> range:
        return range(1, int((self._calls / "number").read_text()) + 1)

    def _noted(self, number: int, what: str) -> str:
        return (self._calls / f"{number}.{what}").read_text()

    def has(self, path: str, content: str = "") -> None:
        """Have a file there, as new as can be."""
        where = self.root / path.lstrip("/")
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(content)


def make_applets(directory: Path) -> None:
    """Make busybox and all that it can be called as, as Alpine and OpenWrt have it."""
    directory.mkdir()
    program = shutil.copy("/bin/busybox", directory / "busybox")
    listed = subprocess.run(
        [program, "--list"], check=True, capture_output=True, text=True, timeout=20
    )
    for applet in {*listed.stdout.split()} - {"busybox"}:
        (directory / applet).symlink_to("busybox")


def make_root(root: Path, manager: str) -> None:
    """Make what is in the root directory, but for what is mounted there."""
    for directory in ("usr/lib", "usr/lib64", "usr/bin", "proc", "dev", "etc", "root"):
        (root / directory).mkdir(parents=True)
    for link in ("bin", "lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    if SYSTEMS[manager]:
        (root / "etc/os-release").write_text(f"ID={SYSTEMS[manager]}\n")


@contextmanager
def machine(
    session: shellbot.Session, root: Path, manager: str, programs: Path
) -> Iterator[FakeManager]:
    """Log in to a machine whose only manager is a Fake; all else that it has is in *programs*."""
    make_root(root, manager)
    fake = FakeManager(manager, root)
    mounts = {"usr/lib": "/usr/lib", "usr/lib64": "/usr/lib64", "dev": "/dev", "proc": "/proc"}
    script = "".join(
        f"mount --rbind {shlex.quote(source)} {target} || exit; "
        for target, source in {**mounts, "usr/bin": str(programs)}.items()
        if Path(source).is_dir()
    )
    # What the machine of the tests has is none of this one's.
    for row in managers.TABLE:
        if (programs / row.command).exists():
            script += f"mount --bind /dev/null usr/bin/{row.command} || exit; "
    script = f"cd {shlex.quote(str(root))} && {script}"
    script += "exec chroot . /usr/bin/env PATH=/fake:/usr/bin sh"
    with session.login(["unshare", "--mount", "sh", "-c", script]):
        yield fake
