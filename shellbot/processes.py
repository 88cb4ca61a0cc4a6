"""The processes of this machine, as Linux shows them in /proc (proc(5)). Elsewhere none is seen."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence

# The number of each system call that a process may be found waiting in, by machine: x86_64 and
# the generic table that newer ones share (asm-generic/unistd.h). On others, and for 32-bit
# programs, only the kernel function that it sleeps in is known.
_X86_64 = {
    **{0: "read", 19: "read", 7: "poll", 271: "ppoll", 23: "select", 270: "select"},
    **{232: "epoll", 281: "epoll", 441: "epoll", 35: "sleep", 230: "sleep", 34: "pause"},
    **{61: "wait", 247: "wait", 202: "futex", 73: "lock", 72: "lock", 1: "write", 20: "write"},
    **{42: "socket", 43: "socket", 45: "socket", 47: "socket", 288: "socket", 130: "pause"},
}
_GENERIC = {
    **{63: "read", 65: "read", 73: "ppoll", 72: "select", 22: "epoll", 441: "epoll"},
    **{101: "sleep", 115: "sleep", 260: "wait", 95: "wait", 98: "futex", 32: "lock", 25: "lock"},
    **{64: "write", 66: "write", 202: "socket", 203: "socket", 207: "socket", 212: "socket"},
    **{242: "socket", 133: "pause"},
}
_CALLS = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC, "loongarch64": _GENERIC}
# The same by the kernel's function, where it says enough.
_SLEEPS = (("nanosleep", "sleep"), ("do_wait", "wait"), ("futex", "futex"), ("lock", "lock"))

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_TICKS = os.sysconf("SC_CLK_TCK")
_MOST_PIDS_IN_A_TICK = 5_000
_MOST_FILES = 1_024
_POLL_IN = 1
_CONTROLLING_TERMINAL = os.makedev(5, 0)
_PTY_MASTER = os.makedev(5, 2)
# tty, console and /dev/tty, serial lines, pseudo-terminals (devices.txt of the kernel).
_TERMINALS = frozenset((4, 5, 204, *range(136, 144), 188))
_PTY_SLAVES = range(136, 144)


class Process:
    """One process, as it was when it was looked at."""

    __slots__ = (
        *("pid", "name", "state", "parent", "group", "session", "terminal", "foreground"),
        *("busy", "reaped", "started", "stack"),
    )

    def __init__(self, pid: int, name: str, fields: list[bytes]) -> None:
        self.pid = pid
        self.name = name
        """What the kernel calls it: the first 15 bytes of the program's name."""
        self.state = fields[0].decode()
        """R runs, S sleeps, D waits for a device, T and t are stopped, Z has ended."""
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.terminal = _device(int(fields[4]))
        """Its controlling terminal's device number, or 0. Each container counts its own."""
        self.foreground = int(fields[5])
        """The process group that has that terminal."""
        self.busy = (int(fields[11]) + int(fields[12])) / _TICKS
        """The processor time it has used, in seconds."""
        self.reaped = (int(fields[13]) + int(fields[14])) / _TICKS
        """The same of those that it has started and waited for."""
        self.started = int(fields[19])
        """The tick that it was started in, by CLOCK_BOOTTIME."""
        self.stack = int(fields[25])
        """Where its stack begins: another place for each program, the same for its forks."""

    def began_since(self, moment: Moment) -> bool:
        """Whether it was started after *moment*."""
        if self.started != moment.tick or not moment.last_pid:
            return self.started >= moment.tick
        # In the same tick, the number tells; a much smaller one has begun again from below.
        return self.pid > moment.last_pid or moment.last_pid - self.pid > _MOST_PIDS_IN_A_TICK

    def has_terminal(self) -> bool:
        """Whether it may read from its terminal, or has none that could stop it."""
        return not self.terminal or self.group == self.foreground

    def __repr__(self) -> str:
        return f"<Process {self.pid} {self.name} {self.state}>"


class File:
    """What a descriptor of a process stands for."""

    __slots__ = ("device", "name", "path")

    def __init__(self, pid: int, number: int) -> None:
        self.path = f"/proc/{pid}/fd/{number}"
        self.name = os.readlink(self.path)
        self.device = 0, 0
        """The file system that a device file is on, and its number."""
        if self.name.startswith("/"):
            status = os.stat(self.path)
            self.device = status.st_dev, status.st_rdev

    @property
    def is_master(self) -> bool:
        """Whether it is the side of a pseudo-terminal that types and reads what is printed."""
        return self.device[1] == _PTY_MASTER or self.name.endswith("/ptmx")

    @property
    def is_terminal(self) -> bool:
        """Whether it is a terminal that a program may have."""
        return os.major(self.device[1]) in _TERMINALS and not self.is_master

    @property
    def is_controlling(self) -> bool:
        """Whether it was opened as /dev/tty."""
        return self.device[1] == _CONTROLLING_TERMINAL

    @property
    def is_pseudo_terminal(self) -> bool:
        return os.major(self.device[1]) in _PTY_SLAVES

    def goes_both_ways(self) -> bool:
        """Whether it was opened for reading and writing."""
        with open(self.path.replace("/fd/", "/fdinfo/")) as file:
            # "flags:	0100002" (proc(5)), in octal.
            flags = next(line.split()[1] for line in file if line.startswith("flags:"))
        return int(flags, 8) & os.O_ACCMODE == os.O_RDWR

    @property
    def is_socket(self) -> bool:
        return self.name.startswith("socket:")


class Wait:
    """What one thread waits for."""

    __slots__ = ("call", "endless", "files", "main")

    def __init__(self, call: str, files: tuple[File, ...], *, endless: bool, main: bool) -> None:
        self.call = call
        """read, poll, sleep, wait, futex, lock, socket, write, pause, or nothing if not known."""
        self.files = files
        """The files that it waits for."""
        self.endless = endless
        """Whether it waits however long it takes."""
        self.main = main
        """Whether it is the program's first thread."""


class Moment:
    """A point in time that processes were started before or after."""

    __slots__ = ("_load", "_nanoseconds")

    def __init__(self, nanoseconds: int, load: bytes = b"") -> None:
        # One is made for each command, and few are ever looked at.
        self._nanoseconds = nanoseconds
        self._load = load

    @property
    def tick(self) -> int:
        """The number of ticks since the machine was started."""
        return self._nanoseconds * _TICKS // 1_000_000_000

    @property
    def last_pid(self) -> int:
        """The newest process then, or 0 if that is not known."""
        # "0.00 0.01 0.05 1/78 20833": the last one (proc(5)).
        return int(self._load.split()[-1]) if self._load else 0

    def before(self, seconds: float) -> Moment:
        """Return the one that was so many *seconds* earlier."""
        return Moment(self._nanoseconds - int(seconds * 1_000_000_000))


class Clock:
    """Tells moments, at little cost. Holds a descriptor until it is closed."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
            # lxcfs puts its own file there, which says something else.
            if os.fstat(self._descriptor).st_dev != os.stat("/proc").st_dev:
                self.close()
        except OSError:
            pass

    def now(self) -> Moment:
        """Return this moment."""
        load = b"" if self._descriptor is None else os.pread(self._descriptor, 128, 0)
        return Moment(time.clock_gettime_ns(_BOOT_CLOCK), load)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def executable(name: str, path: str | None = None) -> str | None:
    """Return the file that a command of that *name* runs, by a PATH or else the caller's own."""
    # shutil has this as well, and takes as long to import as five rooms of ours.
    if path is None:
        path = os.environ.get("PATH")
    directories = [""] if "/" in name else (path or os.defpath).split(os.pathsep)
    files = (os.path.join(directory, name) for directory in directories)
    return next((one for one in files if os.path.isfile(one) and os.access(one, os.X_OK)), None)


def process(pid: int) -> Process | None:
    """Return process *pid*, if it is there and can be seen."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return None
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")
    return Process(pid, name.decode("utf-8", "replace"), rest.split())


def everything() -> Iterator[Process]:
    """Yield every process that can be seen."""
    try:
        entries = os.listdir("/proc")
    except OSError:
        return
    for entry in entries:
        if entry.isdigit() and (found := process(int(entry))):
            yield found


def below(root: int) -> list[Process]:
    """Return the descendants of process *root*, parents before their children."""
    if not os.path.exists(f"/proc/{root}/task/{root}/children"):
        return _below(root, everything())
    found = []
    waiting = list(_children(root))
    for pid in waiting:
        child = process(pid)
        if child:
            found.append(child)
            waiting += _children(pid)
    return found


def above(pid: int, moment: Moment) -> list[Process]:
    """Return process *pid* and those above it that began since *moment*, the uppermost first."""
    found: list[Process] = []
    one = process(pid)
    while one and one.began_since(moment):
        found.insert(0, one)
        one = process(one.parent)
    return found


def is_there(pid: int) -> bool:
    """Whether process *pid* has not ended, as far as can be seen."""
    found = process(pid)
    return found is not None and found.state not in "ZX"


def _below(root: int, among: Iterable[Process]) -> list[Process]:
    children: dict[int, list[Process]] = {}
    for one in among:
        children.setdefault(one.parent, []).append(one)
    found = children.get(root, [])[:]
    for one in found:
        found += children.get(one.pid, ())
    return found


def _children(pid: int) -> Iterator[int]:
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                yield from map(int, file.read().split())
    except OSError:  # it has ended meanwhile
        return


def send(these: Iterable[Process], number: int) -> bool:
    """Send signal *number* to *these*; say whether there was one to send it to."""
    sent = False
    for one in these:
        sent = True
        # It may have ended meanwhile, or belong to another user.
        with contextlib.suppress(OSError):
            os.kill(one.pid, number)
    return sent


def left(these: Sequence[Process], limit: float) -> list[Process]:
    """Return those of *these* that are still there after *limit* seconds, or sooner if none is."""
    deadline = time.monotonic() + limit
    while remaining := [one for one in these if _is_still(one)]:
        if time.monotonic() >= deadline:
            break
        time.sleep(0.005)
    return remaining


def _is_still(one: Process) -> bool:
    now = process(one.pid)
    return now is not None and now.started == one.started and now.state not in "ZX"


def arguments(pid: int) -> list[str]:
    """Return what process *pid* was started with, its own name first, or nothing."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().rstrip(b"\0").decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def image(pid: int) -> object:
    """Return what tells the program that *pid* runs from others, though not from its own forks."""
    found = process(pid)
    return (arguments(pid), found.stack) if found else None


def uses_standard_file(pid: int) -> bool:
    """Whether a stopped process is reading or writing one of its first three files."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/syscall") as call:
        number, first, *_ = call.read().split()
        return _calls(pid).get(int(number)) in ("read", "write") and int(first, 16) <= 2
    return False


def is_in_own_code(pid: int) -> bool:
    """Whether a stopped process is at an instruction of its program, not of a shared library."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/syscall") as call:
        # "-1 0x7ffe16085918 0x7f1ed00200d6": in no system call, stack pointer, program counter.
        at = int(call.read().split()[-1], 16)
        program = os.readlink(f"/proc/{pid}/exe")
        with open(f"/proc/{pid}/maps") as maps:
            for line in maps:
                area, *_, name = line.rstrip("\n").split(maxsplit=5)
                first, last = (int(address, 16) for address in area.split("-"))
                if first <= at < last:
                    return name == program
    return False


def status(pid: int, field: str) -> str:
    """Return a *field* of /proc/PID/status, or nothing."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((line.split()[1] for line in file if line.startswith(field + ":")), "")
    except OSError:
        return ""


def turns(pid: int) -> int:
    """Return how often process *pid* was given a processor, 0 where the kernel keeps no count."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[2])
    except (OSError, IndexError):
        return 0


def has_signal(pid: int, field: str, number: int) -> bool:
    """Whether a *field* of /proc/PID/status, such as SigCgt, has signal *number*."""
    return bool(int(status(pid, field) or "0", 16) & 1 << number - 1)


def files(pid: int) -> list[File]:
    """Return the files that process *pid* has open, as far as this user may know."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []
    return _files(pid, map(int, numbers[:_MOST_FILES]))


def _files(pid: int, numbers: Iterable[int]) -> list[File]:
    found = []
    for number in numbers:
        try:
            found.append(File(pid, number))
        except OSError:  # closed meanwhile, or another user's
            continue
    return found


def container_numbers(pid: int) -> list[str]:
    """Return the numbers of the container that process *pid* is in, if that has any."""
    try:
        with open(f"/proc/{pid}/cgroup") as file:
            # "0::/system.slice/docker-4f5a....scope" (cgroups(7)); a nested one has two.
            return re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", file.read())
    except OSError:
        return []


def is_frozen(pid: int) -> bool:
    """Whether process *pid* is kept from running, as everything in a paused container is."""
    try:
        with open(f"/proc/{pid}/wchan") as file:
            sleeps_in = file.read()
    except OSError:
        return False
    # The freezer of cgroup v1, and of v2.
    return "refrigerator" in sleeps_in or "freezer" in sleeps_in


def waits(pid: int) -> list[Wait] | None:
    """Return what the threads of process *pid* wait for. A running one is left out.

    None, if this user may not know: that takes the right to trace it (ptrace(2)).
    """
    try:
        threads = sorted(map(int, os.listdir(f"/proc/{pid}/task")))
    except OSError:
        return []
    calls = _calls(pid)
    found = []
    for thread in threads:
        try:
            wait = _wait(pid, thread, calls)
        except PermissionError:
            return None
        except (OSError, ValueError, IndexError):  # it has ended or gone on meanwhile
            continue
        if wait:
            found.append(wait)
    return found


def _calls(pid: int) -> dict[int, str]:
    try:
        with open(f"/proc/{pid}/exe", "rb") as program:
            # The fifth byte of an ELF file: 2 is a 64-bit program (elf(5)).
            wide = program.read(5)[4:] == b"\2"
    except OSError:
        wide = False
    return _CALLS.get(os.uname().machine, {}) if wide else {}


def _wait(pid: int, thread: int, calls: dict[int, str]) -> Wait | None:
    with open(f"/proc/{pid}/task/{thread}/syscall") as file:
        words = file.read().split()
    if words[0] == "running":
        return None
    number, values = int(words[0]), [int(word, 16) for word in words[1:]]
    call = calls.get(number, "") if number >= 0 else ""
    numbers: Iterable[int] = ()
    endless = True
    if call in ("read", "write", "lock", "socket"):
        numbers = values[:1]
    elif call in ("poll", "ppoll"):
        numbers = _polled(pid, values[0], values[1])
        endless = values[2] & 0xFFFFFFFF == 0xFFFFFFFF if call == "poll" else not values[2]
        call = "poll"
    elif call == "select":
        numbers = _selected(pid, values[0], values[1])
        endless, call = not values[4], "poll"
    elif call == "epoll":
        numbers = _watched(pid, values[0])
        endless, call = values[3] & 0xFFFFFFFF == 0xFFFFFFFF, "poll"
    if not call:
        with open(f"/proc/{pid}/task/{thread}/wchan") as file:
            sleeps_in = file.read()
        call = next((name for part, name in _SLEEPS if part in sleeps_in), "")
    return Wait(call, tuple(_files(pid, numbers)), endless=endless, main=thread == pid)


def _memory(pid: int, address: int, size: int) -> bytes:
    if not size:
        return b""
    descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size, address)
    finally:
        os.close(descriptor)


def _polled(pid: int, address: int, count: int) -> list[int]:
    # struct pollfd: int fd; short events; short revents (poll(2)).
    table = _memory(pid, address, 8 * min(count, _MOST_FILES))
    found = []
    for at in range(0, len(table), 8):
        number = int.from_bytes(table[at : at + 4], "little", signed=True)
        if number >= 0 and table[at + 4] & _POLL_IN:
            found.append(number)
    return found


def _selected(pid: int, count: int, address: int) -> list[int]:
    if not address:
        return []
    # Whole words, as the kernel reads them (select(2)).
    words = _memory(pid, address, (min(count, _MOST_FILES) + 63) // 64 * 8)
    bits = int.from_bytes(words, "little")
    return [number for number in range(min(count, _MOST_FILES)) if bits >> number & 1]


def _watched(pid: int, epoll: int) -> list[int]:
    found = []
    with open(f"/proc/{pid}/fdinfo/{epoll}") as file:
        for line in file:
            words = line.split()
            # "tfd: 0 events: 19 ..." (proc(5), fdinfo of an epoll descriptor).
            if words[:1] == ["tfd:"] and int(words[3], 16) & _POLL_IN:
                found.append(int(words[1]))
    return found


def peer(pid: int, socket: File) -> str:
    """Return the other end of an internet connection as ``address:port``, or nothing."""
    import socket as sockets

    inode = socket.name[len("socket:[") : -1]
    for table, family in (("tcp", sockets.AF_INET), ("tcp6", sockets.AF_INET6)):
        try:
            with open(f"/proc/{pid}/net/{table}") as file:
                rows = [line.split() for line in file]
        except OSError:
            continue
        for row in rows:
            if row[9:10] == [inode]:
                address, port = row[2].split(":")
                # Words of four bytes, each in the machine's own order.
                octets = b"".join(
                    bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)
                )
                return f"{sockets.inet_ntop(family, octets)}:{int(port, 16)}"
    return ""


def _device(number: int) -> int:
    """Return a device number as stat(2) has it, from what /proc/PID/stat shows (tty_nr)."""
    if not number:
        return 0
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)
