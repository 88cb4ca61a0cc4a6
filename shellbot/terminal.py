"""The pseudo-terminal: start a program on it, read, write, modes."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from math import inf

from . import processes
from .errors import SessionClosedError, StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .pexpect_view import View
    from .processes import Moment, Process

_READ_SIZE = 65_536
# A terminal hands out 4 KB at a time, or 1 KB on macOS. Where there was so much, there is more.
_MUCH, _MORE_PIECES = 1_000, 15
_HANG_UP_GRACE = 1.0
_KILL_GRACE = 1.0
# What is dying anyway, such as the rest of a pipeline; what was asked to end; and how often to
# look for what those have started in the meantime.
_LEAVING, _ENDING, _ROUNDS = 0.05, 0.3, 5
# How lately a program was started that a shell may not wait for yet; how often to look whether
# there is one, and how long not to.
_LATELY, _LOOKS, _MOMENT = 0.02, 8, 0.0002
# How long a shell may take to be found in its own code, which a loop of built-ins mostly is, and
# how long a worker of the kernel may take to come to a key.
_OUTSIDE, _WORKER = 1.0, 1.0
CLOSE_BOUND = _HANG_UP_GRACE + _KILL_GRACE
"""The longest that :meth:`Terminal.close` can take, in seconds."""

# What is typed has to arrive unchanged, and what is printed as well: no echo, no translation, no
# flow control. Lines stay lines (ICANON), Ctrl-C stays a signal (ISIG) and Ctrl-V a way to type
# any character (IEXTEN). ECHOK does nothing without echo; the diagnosis sees who takes it away.
_INPUT_OFF = (
    termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.ISTRIP
) | getattr(termios, "IUCLC", 0)
_OUTPUT_OFF = termios.OPOST
_LOCAL_OFF = termios.ECHO | termios.ECHONL | getattr(termios, "EXTPROC", 0o200000)
_LOCAL_ON = termios.ICANON | termios.ISIG | termios.IEXTEN | termios.ECHOK
_LITERAL_NEXT = b"\x16"
# A key that is a letter, or ends the line, would act in the middle of a command. A control
# character does not: those are typed with LNEXT in front.
_HARMLESS_KEYS = frozenset(bytes((code,)) for code in (*range(0x20), 0x7F) if code != 0x0A)
_NO_KEY = b"\0"
_END_OF_INPUT = b"\x04"
_INTERRUPT, _QUIT = b"\x03", b"\x1c"

_ALL_SIGNALS = frozenset(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}


class Terminal:
    """A program on a pseudo-terminal of its own, which it has as its controlling terminal."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        size: tuple[int, int],
    ) -> None:
        self._arguments = tuple(arguments)
        self._view: View | None = None
        child = _Child(arguments, environment, size)
        self.pid = child.pid
        self.ended = False
        """Whether the program is gone and everything it wrote has been read."""
        self.device = child.device
        """The side that the program has, as :attr:`shellbot.processes.File.device` has it."""
        self._device_name = child.device_name
        self._side = child.side
        self._fd = self._side.fileno()
        self._modes: list[Any] = []
        self._inbox: list[bytes] = []
        # None is empty but the last one, which not every system has.
        self._pieces = iter(partial(os.read, self._fd, _READ_SIZE), b"")
        self._exit = _Exit(self.pid)
        # Two, and not one that is changed: an exception might come before it is changed back.
        self._poll, self._poll_to_write = select.poll(), select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._poll_to_write.register(self._fd, select.POLLIN | select.POLLOUT)
        if self._exit.fd is not None:
            self._poll.register(self._exit.fd, select.POLLIN)
            self._poll_to_write.register(self._exit.fd, select.POLLIN)
        self.shells = {self.pid}
        """The shells that are on it, one inside the other, as far as they can be seen."""
        self.spared: set[int] = set()
        """The process groups of background jobs, which no command's end concerns."""
        self.clock = processes.Clock()
        """Tells when a command was typed."""
        self._owner = os.getpid()

    @property
    def expect(self) -> View:
        """The same terminal for pexpect's own verbs."""
        if self._view is None:
            if self._side.closed:
                raise SessionClosedError("the terminal is closed; open another session")
            # As slow to import as all of ours is, and most sessions never ask for it.
            from .pexpect_view import View

            self._view = View(self.pid, self._fd, self._arguments)
        return self._view

    @property
    def exit_code(self) -> int | None:
        """The program's exit status, minus the signal's number if one killed it, if known."""
        return self._exit.code

    def read(self, limit: float | None) -> bytes:
        """Return what has arrived, waiting up to *limit* seconds (None: as long as it takes).

        Nothing means that the limit has passed or, with :attr:`ended` set, that there is no more.
        """
        left = inf if limit is None else max(0.0, limit)
        deadline = time.monotonic() + left
        while not self._inbox and not self.ended:
            if self._poll.poll(self._exit.patience(left)) or self._exit.happened():
                self._take()
            if not self._inbox and (left := deadline - time.monotonic()) <= 0:
                break
        # Emptied last, as an exception out of a signal handler may come at any point.
        data = b"".join(self._inbox)
        self._inbox.clear()
        return data

    def _take(self) -> None:
        """Read what is there into the inbox, without waiting.

        Where a program prints much, more is there nearly always: to read on saves a poll, and all
        that is done with what was read, for each 4 KB.
        """
        inbox = self._inbox
        before = len(inbox)
        try:
            # In one go, so that an exception out of a signal handler comes behind the keeping.
            inbox.extend(islice(self._pieces, 1))
            if inbox and len(inbox[-1]) >= _MUCH:
                inbox.extend(islice(self._pieces, _MORE_PIECES))
        except BlockingIOError:
            if len(inbox) == before:
                # The program is gone, but something it left behind still has the terminal open.
                self.ended = self._exit.happened()
            return
        except OSError:
            # EIO: the last one to have the terminal open is gone (Linux).
            pass
        if len(inbox) == before:
            self.ended = True
            self._exit.wait(_HANG_UP_GRACE)

    def write(self, data: bytes, deadline: float = inf) -> bool:
        """Type *data*, and take in what is printed meanwhile, so that neither side blocks.

        Says whether all of it was typed before the *deadline* (by ``time.monotonic``). If not,
        what is still on its way to the program is taken back.
        """
        rest = memoryview(data)
        while rest and not self.ended:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                limit = min(deadline - time.monotonic(), 60.0)
                if limit <= 0:
                    termios.tcflush(self._fd, termios.TCOFLUSH)
                    return False
                self._poll_to_write.poll(self._exit.patience(limit))
                self._take()
            except OSError:
                # EIO: nobody has the terminal open any more. Reading tells the rest.
                self._take()
        return not rest

    def hold_no_flow(self) -> None:
        """Have Ctrl-S and Ctrl-Q passed on, where a program such as telnet lets them be keys."""
        with contextlib.suppress(termios.error):
            modes = termios.tcgetattr(self._fd)
            if modes[0] & termios.IXON:
                modes[0] &= ~termios.IXON
                termios.tcsetattr(self._fd, termios.TCSANOW, modes)

    def hold_modes(self) -> bool:
        """Put the modes back that typing and printing rely on; say whether that was needed."""
        modes = termios.tcgetattr(self._fd)
        if modes == self._modes:
            return False
        self._modes = _modes_held(modes)
        if modes == self._modes:
            return False
        termios.tcsetattr(self._fd, termios.TCSANOW, self._modes)
        return True

    def modes(self) -> list[Any] | None:
        """Return the terminal's modes as tcgetattr has them, or None where it is closed."""
        try:
            return termios.tcgetattr(self._fd)
        except termios.error:
            return None

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns."""
        rows, columns, _, _ = struct.unpack(
            "HHHH", fcntl.ioctl(self._fd, termios.TIOCGWINSZ, bytes(8))
        )
        return rows, columns

    @size.setter
    def size(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def lend(self, modes: list[Any]) -> None:
        """Have the modes that a person's own terminal has, as far as lines can be typed there."""
        iflag, oflag, cflag, lflag, _, _, keys = modes
        held = termios.tcgetattr(self._fd)
        held[:4] = [
            iflag | termios.ICRNL,
            oflag | termios.OPOST | termios.ONLCR,
            cflag,
            lflag | termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN,
        ]
        held[6] = keys
        termios.tcsetattr(self._fd, termios.TCSANOW, held)

    @property
    def watched(self) -> list[int]:
        """The descriptors that can be read when something has happened."""
        return [self._fd, *([] if self._exit.fd is None else [self._exit.fd])]

    @property
    def has_inbox(self) -> bool:
        """Whether something has been read already that nobody was given."""
        return bool(self._inbox)

    def write_some(self, data: bytes) -> int:
        """Type as much of *data* as is taken at once, and return how much that is."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError:  # as write() has it
            return len(data)

    def takes_lines(self) -> bool:
        """Whether a program gets what is typed line by line, and not key by key."""
        modes = self.modes()
        return modes is not None and modes[3] & termios.ICANON != 0

    def press(self, key: int, deadline: float = inf) -> None:
        """Press the key that the terminal has for *key*, such as ``termios.VINTR``."""
        self.hold_modes()
        self.write(termios.tcgetattr(self._fd)[6][key], deadline)

    def rouse(self) -> None:
        """Wake up who waits to print, after a key that made a signal.

        Linux throws away what is being printed then, and may leave the writer waiting for room
        that it has: ``isig()`` in drivers/tty/n_tty.c tells nobody, changing the modes does.
        """
        termios.tcsetattr(self._fd, termios.TCSANOW, self._modes)

    def pass_on(self, key: bytes) -> bool:
        """Type a *key* to a program that acts on keys itself; say whether there is one.

        Such as ssh, which has the far side act on them.
        """
        modes = self.modes()
        raw = modes is not None and not modes[3] & (termios.ICANON | termios.ISIG)
        return raw and self.write(key, time.monotonic())

    def end_input(self, deadline: float) -> None:
        """Press Ctrl-D for the program that has the terminal, whether it takes lines or keys."""
        if self.takes_lines():
            self.press(termios.VEOF, deadline)
        else:
            self.write(_END_OF_INPUT, deadline)

    def foreground(self) -> int:
        """Return the process group that has the terminal, 0 if there is none."""
        try:
            return os.tcgetpgrp(self._fd)
        except OSError:
            return 0

    def has_unread(self) -> bool:
        """Whether something was printed that nobody has read yet."""
        return _arrived(self._fd) > 0 or bool(self._inbox)

    def was_taken(self) -> bool:
        """Whether all that was typed has been read, and whoever reads has come back for more.

        A relay has passed it on by then. Only for one that does not take whole lines.
        """
        with contextlib.suppress(OSError):
            side = os.open(self._device_name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                if _arrived(side):
                    return False
            finally:
                os.close(side)
        here = (self.pid, *(one.pid for one in processes.below(self.pid)))
        seen = [processes.waits(pid) for pid in here]
        return None in seen or any(
            wait.call in ("read", "poll") and any(file.device == self.device for file in wait.files)
            for waits in seen
            for wait in waits or ()
        )

    def started_since(self, moment: Moment, *, below: int | None = None) -> list[Process]:
        """Return what was started since *moment* by the program, or by one further *below*."""
        return [
            one
            for one in processes.below(self.pid if below is None else below)
            if one.began_since(moment) and one.group not in self.spared
        ]

    def is_held_up(self, shell: int, since: Moment, until: Moment) -> bool:
        """Whether a program is still there that process *shell* started in that time."""
        started = self.started_since(since)
        return any(one.parent == shell and not one.began_since(until) for one in started)

    def is_alone_since(self, moment: Moment) -> bool:
        """Whether it is known that the program has started nothing since *moment*."""
        return processes.process(self.pid) is not None and not self.started_since(moment)

    def _left_since(self, moment: Moment) -> list[Process]:
        """Return what was started since *moment*, by whomever, and can print on the terminal."""
        return [
            one
            for one in processes.everything()
            if one.began_since(moment)
            and one.pid not in self.shells
            and one.state not in "ZX"
            and one.group not in self.spared
            and self._can_print(one)
        ]

    def _can_print(self, one: Process) -> bool:
        files = processes.files(one.pid)
        here = one.session == self.pid
        # Another user's files cannot be seen.
        return any(
            file.device == self.device or (here and file.is_controlling) for file in files
        ) or (here and not files)

    def end_since(self, moment: Moment) -> list[str]:
        """End what was started since *moment* and can still print; return what that was."""
        ended: dict[int, str] = {}
        for _ in range(_ROUNDS):
            found = self._left_since(moment)
            if not found:
                break
            left = processes.left(found, _LEAVING)
            ended.update((one.pid, f"{one.name} (pid {one.pid})") for one in left)
            processes.send(left, signal.SIGTERM)
            processes.send(left, signal.SIGCONT)
            processes.send(processes.left(left, _ENDING), signal.SIGKILL)
        return list(ended.values())

    def resume_since(self, moment: Moment) -> bool:
        """Let those go on that were stopped, of the program and what it started since *moment*."""
        shells = filter(None, map(processes.process, self.shells))
        stopped = [one for one in (*shells, *self.started_since(moment)) if one.state == "T"]
        return processes.send(stopped, signal.SIGCONT)

    def is_between(self, shell: int, moment: Moment) -> bool:
        """Whether process *shell* starts one program after another, in its own process group."""
        for _ in range(_LOOKS):
            lately = self.clock.now().before(_LATELY)
            started, own = self._waited_by(shell, moment)
            if not own or not own.has_terminal():
                return False
            if any(one.began_since(lately) for one in started):
                return True
            if started and own.state == "S":
                return False
            time.sleep(_MOMENT)
        return False

    def _waited_by(self, shell: int, moment: Moment) -> tuple[list[Process], Process | None]:
        """Return what process *shell* may wait for, and how it was itself just after that."""
        started = [one for one in self.started_since(moment) if one.parent == shell]
        own = processes.process(shell)
        return [one for one in started if own and one.group == own.group], own

    def interrupt_waited(self, shell: int, moment: Moment, limit: float) -> bool:
        """Interrupt process *shell* while it waits for a program, and that; say whether it did.

        bash takes no notice of SIGINT where the program that it waits for does not end by it, as a
        fork of its own may not that is to be that program; and it may hang by one that comes before
        it waits. So they are stopped first: a key may come too late for one that is quick, or too
        early. As with the key, what was typed and not read is thrown away.
        """
        started = time.monotonic()
        waited: list[Process] = []
        try:
            while (now := time.monotonic()) < started + limit:
                waited, own = self._waited_by(shell, moment)
                going = [one for one in waited if one.state not in "TZ"]
                stopped = [one for one in waited if one.state == "T"]
                if going:
                    processes.send(going, signal.SIGSTOP)
                elif own and own.state == "S" and stopped:
                    # A subshell stays a fork.
                    if now > started + limit / 2 or any(one.stack != own.stack for one in stopped):
                        self._forget_typed()
                        with contextlib.suppress(OSError):  # another user's
                            os.killpg(own.group, signal.SIGINT)
                        return True
                    processes.send(stopped, signal.SIGCONT)
                time.sleep(_MOMENT)
        finally:
            processes.send(waited, signal.SIGCONT)
        return False

    @contextlib.contextmanager
    def held_outside_library(self, shell: int) -> Iterator[None]:
        """Hold process *shell* still, if it is busy with itself, where it has code of its own.

        Or where it reads or writes: a lock is whole by then, and its owner may take it again.
        Only where this process started it: another one would take it for stopped by its user.
        """
        own = processes.process(shell)
        if not own or own.parent != os.getpid():
            yield
            return
        end, turns = time.monotonic() + _OUTSIDE, -1
        try:
            while own and own.state in "RTD" and time.monotonic() < end:
                if own.state == "T":
                    if processes.is_in_own_code(shell) or processes.uses_standard_file(shell):
                        break
                    turns = processes.turns(shell) or -1
                    os.kill(shell, signal.SIGCONT)
                elif own.state == "R" and processes.turns(shell) > turns:
                    # Stopped again before its turn, it would still be where it was.
                    os.kill(shell, signal.SIGSTOP)
                time.sleep(_MOMENT)
                own = processes.process(shell)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(shell, signal.SIGCONT)

    def await_interrupt(self, shell: int) -> None:
        """Wait until process *shell*, if it is held still, has the SIGINT of the key just pressed.

        Who presses a key has only queued it: Linux has a worker look at it (``queue_work()`` in
        drivers/tty/tty_buffer.c), which may be late.
        """
        end = time.monotonic() + _WORKER
        while time.monotonic() < end:
            own = processes.process(shell)
            if not own or own.state != "T" or own.group != self.foreground():
                break
            if not processes.has_signal(shell, "SigCgt", signal.SIGINT):
                break
            if processes.has_signal(shell, "ShdPnd", signal.SIGINT):
                break
            time.sleep(_MOMENT)

    def _forget_typed(self) -> None:
        """Throw away what was typed and not read."""
        with contextlib.suppress(OSError, termios.error):
            side = os.open(self._device_name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                termios.tcflush(side, termios.TCIFLUSH)
            finally:
                os.close(side)

    def kill_since(self, moment: Moment, number: int) -> None:
        """Send signal *number* to what was started since *moment*, by the program or on it."""
        processes.send((*self.started_since(moment), *self._left_since(moment)), number)
        foreground = self.foreground()
        # Where there is no /proc to find them in, or they have another parent by now.
        with contextlib.suppress(OSError):
            if foreground not in (0, *self.shells) and os.getsid(foreground) == self.pid:
                os.killpg(foreground, number)

    def kill(self) -> None:
        """Kill the program, with no further ado."""
        if not self._exit.happened():
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Hang up, as closing a terminal window does, and kill the program if it stays.

        Takes at most :data:`CLOSE_BOUND` seconds.
        """
        self.ended = True
        self.clock.close()
        if self._side.closed:
            return
        if self._view is not None:
            self._view.let_go()
        # With the last descriptor of this side gone the kernel hangs the terminal up: SIGHUP to
        # the shell and to what it runs (tty_ioctl(4)).
        self._side.close()
        if os.getpid() == self._owner and not self._exit.wait(_HANG_UP_GRACE):
            os.kill(self.pid, signal.SIGKILL)
            self._exit.wait(_KILL_GRACE)
        self._exit.close()

    def __del__(self) -> None:
        if hasattr(self, "_owner"):
            self.close()


class _Exit:
    """Notices that a child has ended, with its status, and leaves no zombie."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None
        self.reaped = False
        try:
            self.fd: int | None = os.pidfd_open(pid)
        except (AttributeError, OSError):  # not Linux, or before 5.3
            self.fd = None

    def patience(self, limit: float) -> float | None:
        """Return how many milliseconds to wait at once for the *limit* in seconds."""
        if self.fd is None:
            limit = min(limit, 0.2)
        return None if limit == inf else limit * 1000

    def happened(self) -> bool:
        """Whether the child has ended. Reaps it."""
        if not self.reaped:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # The caller's own SIGCHLD handler, or SIG_IGN, was faster.
                self.reaped = True
            else:
                if pid:
                    self.reaped = True
                    self.code = os.waitstatus_to_exitcode(status)
        return self.reaped

    def wait(self, limit: float) -> bool:
        """Wait up to *limit* seconds for the end."""
        deadline = time.monotonic() + limit
        while not self.happened():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self.fd is None:
                time.sleep(min(left, 0.01))
                continue
            poll = select.poll()
            poll.register(self.fd, select.POLLIN)
            poll.poll(left * 1000)
        return True

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class _Child:
    """A program that was just started, without a fork, and our side of its terminal.

    A fork in a program with threads can deadlock the child (ptyprocess #43, pexpect #817), and
    Python 3.12 warns of it.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]
    ) -> None:
        file = processes.executable(arguments[0], environment.get("PATH"))
        if file is None:
            raise StartError(
                f"cannot start {arguments[0]!r}: there is no such program, or it may not be run."
            )
        try:
            master, slave = os.openpty()
        except OSError as error:
            raise StartError(
                f"no pseudo-terminal to be had: {error.strerror}. The session needs /dev/ptmx and "
                "a mounted /dev/pts; in a chroot or a container, mount devpts there."
            ) from None
        self.side = io.FileIO(master)
        try:
            self.device_name = os.ttyname(slave)
            status = os.fstat(slave)
            self.device = status.st_dev, status.st_rdev
            termios.tcsetattr(slave, termios.TCSANOW, _modes_held(termios.tcgetattr(slave)))
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.set_blocking(master, False)
            self.pid = _spawned(file, arguments, environment, self.device_name)
        except OSError as error:
            self.side.close()
            raise StartError(f"cannot start {arguments[0]!r}: {error.strerror}") from None
        finally:
            os.close(slave)


def _spawned(
    file: str, arguments: Sequence[str], environment: Mapping[str, str], device_name: str
) -> int:
    """Start the program in *file* on the terminal of that name; return its process id."""
    # A session leader that opens a terminal without O_NOCTTY gets it as its controlling
    # terminal on Linux (credentials in tty_ioctl(4)).
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, device_name, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
        *((os.POSIX_SPAWN_CLOSE, fd) for fd in _inherited()),
    ]
    return os.posix_spawn(
        file,
        [os.path.basename(arguments[0]), *arguments[1:]],
        environment,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        # A shell cannot undo that the caller ignores a signal: nohup does so with SIGHUP,
        # and every Python program with SIGPIPE (POSIX XCU 2.11).
        setsigdef=_ALL_SIGNALS,
    )


def _arrived(fd: int) -> int:
    """Return how many bytes can be read from this side of a terminal."""
    # Linux passes on what the other side has written a little later. It is not counted until
    # then, but poll() waits for that (n_tty_poll() in drivers/tty/n_tty.c).
    side = select.poll()
    side.register(fd, select.POLLIN)
    side.poll(0)
    count = bytearray(4)
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def _inherited() -> list[int]:
    """Return the descriptors that a child would get without anybody's having meant it to."""
    try:
        listed = os.listdir("/dev/fd")
    except OSError:
        return []
    inherited = []
    for fd in map(int, listed):
        try:
            if fd > 2 and os.get_inheritable(fd):
                inherited.append(fd)
        except OSError:  # the one that listed them
            pass
    return inherited


def _modes_held(modes: list[Any]) -> list[Any]:
    iflag, oflag, cflag, lflag, ispeed, ospeed, keys = modes
    keys = [_NO_KEY if key not in _HARMLESS_KEYS else key for key in keys]
    keys[termios.VLNEXT] = _LITERAL_NEXT
    keys[termios.VINTR] = keys[termios.VINTR].replace(_NO_KEY, _INTERRUPT)
    keys[termios.VQUIT] = keys[termios.VQUIT].replace(_NO_KEY, _QUIT)
    # Where lines are kept, VMIN and VTIME mean nothing, and Python shows them as numbers or keys.
    keys[termios.VMIN], keys[termios.VTIME] = modes[6][termios.VMIN], modes[6][termios.VTIME]
    return [
        iflag & ~_INPUT_OFF,
        oflag & ~_OUTPUT_OFF,
        cflag,
        (lflag & ~_LOCAL_OFF) | _LOCAL_ON,
        ispeed,
        ospeed,
        keys,
    ]
