"""A session's terminal as pexpect sees it. Knows pexpect and ptyprocess, and nobody else does."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pexpect
import ptyprocess


class View(pexpect.spawn):  # type: ignore[type-arg]
    """pexpect's verbs for a program that was started by somebody else.

    It has a descriptor of its own, so that closing it closes nobody else's. Its lifetime is the
    terminal's business: nothing happens when the object is dropped.
    """

    def __init__(self, pid: int, fd: int, arguments: Sequence[str]) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # its stub forgets that form
        self.args = list(arguments)
        self.command = arguments[0]
        self.name = f"<{' '.join(arguments)}>"
        self.delaybeforesend = None
        self.ptyproc = ptyprocess.PtyProcess(pid, os.dup(fd))
        self.pid = pid
        self.child_fd = self.ptyproc.fd
        self.terminated = self.closed = False

    def let_go(self) -> None:
        """Close the descriptor, and do nothing to the program."""
        self.ptyproc.closed = self.closed = True
        self.ptyproc.fileobj.close()
        self.child_fd = -1

    def __del__(self) -> None:
        pass
