"""Why has it not finished? Seen in the kernel where that can be, and else judged by the text."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import termios
import time
from collections.abc import Callable, Collection, Iterable

from . import processes, text
from .processes import File, Moment, Process, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOOKS_APART = 0.1
"""Seconds between the two looks that a judgement takes."""

# How often, and how soon, it looks again while somebody is only passing by.
_MORE_LOOKS, _SOON = 5, 0.02

QUIET_ENOUGH = 1.0
"""Seconds of silence after which the text is judged."""

# What it is, and what a person can do about it. Every kind is one row.
KINDS = {
    "password": (
        "waiting for a password",
        "give it the password with answers=, or use what needs none (a key, sudo -n)",
    ),
    "question": (
        "waiting for input",
        "answer it with answers=, or give the command the option that answers beforehand "
        "(often -y)",
    ),
    "input": (
        "reading standard input, with no question asked",
        "give it a file or a pipe to read from (< file), or </dev/null if it needs none",
    ),
    "shell": (
        "in another shell, at its prompt",
        "use login() for a command that opens another shell, so that commands reach it",
    ),
    "pager": (
        "in a pager",
        "have it print at once: pipe it through cat, or switch its pager off (--no-pager)",
    ),
    "full-screen": (
        "in a full-screen program",
        "a person has to use it, or give it the option that makes it print and end (top -b -n 1)",
    ),
    "printing": ("still printing", "give it more time, or have it print less"),
    "busy": ("silent but running: busy", "give it more time"),
    "sleeping": ("silent but running: sleeping", "give it more time, or a shorter sleep"),
    "silent": ("silent but running", "give it more time, or look at what it waits for"),
    "stopped": ("stopped", "let it go on with kill -CONT, or unpause its container"),
    "disconnected": ("disconnected", "open another session, or have this one restarted"),
    "idle": ("at its prompt, with no command running", "nothing: it is ready"),
}
_WAITING = ("password", "question", "input", "shell", "pager", "full-screen")

_PAGERS = frozenset(("less", "more", "most", "pager", "pg", "bat", "ov", "moar"))
_FULL_SCREEN = frozenset(
    (
        *("vi", "vim", "vim.tiny", "vim.basic", "nvim", "nano", "pico", "emacs", "joe", "mcedit"),
        *("top", "htop", "btop", "atop", "iotop", "nmtui", "dialog", "whiptail", "mc", "tig"),
    )
)
_SHELLS = frozenset(
    (
        *("sh", "bash", "dash", "ash", "zsh", "ksh", "ksh93", "mksh", "lksh", "busybox", "fish"),
        *("tcsh", "csh", "yash", "xonsh", "rbash", "elvish", "nu", "pwsh"),
    )
)
# What these read from a terminal themselves is a password, in whatever words they ask for it.
_ASK_FOR_PASSWORDS = frozenset(("sudo", "su", "doas"))
# They pass on what is typed, whether the other side wants it or not.
_CONTAINERS = frozenset(("docker", "podman", "nerdctl"))
_OPEN_CONTAINERS = frozenset(("run", "exec", "start", "attach"))
_RELAYS = _CONTAINERS | frozenset(
    (
        *("ssh", "mosh-client", "telnet", "rlogin", "dbclient", "plink", "kubectl", "oc", "lxc"),
        *("incus", "crictl", "machinectl", "tmux: client", "screen", "vagrant", "socat"),
    )
)
# A blocking read in one of these is its own question: they only poll while they pass things on.
_POLITE_RELAYS = frozenset(("ssh", "dbclient", "telnet"))

# Where somebody reads, this is a password.
_PASSWORD = (
    r"(?i)(?:pass ?(?:word|phrase|code|wort)|\bpasswd|\bpin\b|\botp\b|\btoken\b|one-time"
    r"|verification code|\bsecret\b|kennwort|contraseñ|mot de passe|senha|wachtwoord|lösenord"
    r"|hasło|heslo|парол|密码|密碼|パスワード|비밀번호|암호)[^?\n]*[:>：][ \t]*\Z"
    r"|pass(?:word|phrase)\??[ \t]*\Z"
)
_NO_PASSWORD = r"(?i)\b(?:file|path|directory|(?:user)?name|number|count|login|e-?mail)\b"
_CHOICE = r"(?i)\b(?:y(?:es)?\s?[/|]\s?n(?:o)?|n(?:o)?\s?[/|]\s?y(?:es)?)\b"
# What asks, even if a newline ends it or nobody knows who reads. "Compiling: " does not.
_ASKS = (
    r"[?？][ \t]*\Z|(?i:\bpress\b)"
    r"|(?i:\b(?:enter|type|choose|choice|select|selection|user|(?:user)?name|login|e-?mail|address"
    r"|number|value|answer|option|confirm|continue)\b)[^:\n]*[:：][ \t]*\Z"
)
# How a line ends that somebody reads after.
_PROMPT = r"[:?>$#%\])»❯：？][ \t]*\Z"
_SHELL_PROMPT = r"[$#❯][ \t]*\Z|\A\S+@\S+.*[%>][ \t]*\Z"
_PROGRESS = r"\d\s*%|\d\s*/\s*\d"
_PAGER_PROMPT = r"\A(?::|\(END\)|--More--.*|lines \d+-\d+.*|\S.* \(press h for help.*)\Z"
# Alternate screen (xterm's private modes 47, 1047, 1049) and an addressed cursor (ECMA-48 CUP).
_SCREEN_ON = rb"\x1b\[\?(?:47|104[79])h"
_SCREEN_OFF = rb"\x1b\[\?(?:47|104[79])l"
_ADDRESSED = rb"\x1b\[\d*(?:;\d*)?[Hf]"

_BACKGROUND = 1 << (signal.SIGINT - 1) | 1 << (signal.SIGQUIT - 1)
_SWITCHES = "voluntary_ctxt_switches"
_RECENTLY = 0.5
_BUSY_SHARE = 0.2

# Which of many processes tells most about a silence, the first one first.
_AT_WORK = ("busy", "device", "network", "lock", "sleeping", "poll", "futex")
_TELLING = (*_AT_WORK, "pause", "", "write", "relay", "read", "wait", "passing")


class Diagnosis:
    """What a command seems to be doing. Its string is a phrase for a message."""

    __slots__ = (
        *("because", "certain", "hidden", "kind", "lasting", "occasion", "pid", "process"),
        *("question", "waiting"),
    )

    def __init__(
        self,
        kind: str,
        *,
        process: Process | None = None,
        question: str = "",
        because: str = "",
        certain: bool = True,
    ) -> None:
        self.kind = kind
        """password, question, input, shell, pager, full-screen, printing, busy, sleeping, silent,
        stopped, disconnected or idle."""
        self.waiting = kind in _WAITING
        """Whether it goes on only once somebody types something."""
        self.certain = certain
        """Whether this was seen in the kernel, and not judged by the text."""
        self.process = process.name if process else None
        """The name of the process that this is about, if it is known."""
        self.pid = process.pid if process else None
        self.question = question
        """The line that it asks with, as it stands on the screen; for kinds that have one."""
        self.occasion: tuple[str, int, str] | None = None
        """Differs from one time that the process waits to the next, if that is known."""
        self.hidden: bool | None = None
        """Whether the terminal does not show what is typed, if that is known."""
        self.lasting = True
        """Whether it waits however long it takes, as far as is known."""
        self.because = because
        """What more was seen, or what an uncertain judgement rests on."""

    @property
    def advice(self) -> str:
        """What to try."""
        return KINDS[self.kind][1]

    def __str__(self) -> str:
        words = KINDS[self.kind][0] if self.certain else f"probably {KINDS[self.kind][0]}"
        if self.question:
            words += f": `{self.question}`"
        about = [f"{self.process}, pid {self.pid}"] if self.process else []
        about += [self.because] if self.because else []
        return f"{words} ({'; '.join(about)})" if about else words

    def __repr__(self) -> str:
        return f"<Diagnosis {self.kind}: {self}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagnosis):
            return NotImplemented
        return repr(self) == repr(other) and self.waiting == other.waiting

    def __hash__(self) -> int:
        return hash((self.kind, self.pid, self.question))


class Scene:
    """What a session knows of a running command, besides what the kernel tells."""

    def __init__(
        self,
        *,
        shell: int,
        image: object,
        device: tuple[int, int],
        modes: list[Any] | None,
        foreground: int,
        unread: bool,
        since: Moment,
        printed: bytes,
        quiet: float,
        prompted: bool = False,
        spared: Collection[int] = (),
        session: int = 0,
    ) -> None:
        self.shell = shell
        """The shell's process id."""
        self.session = session or shell
        """Who leads the terminal's session: the shell, or that which it was logged in from."""
        self.image = image
        """The program that the shell is, to tell it from one that it was replaced by."""
        self.device = device
        """The terminal, as :attr:`File.device` has it."""
        self.modes = modes
        """The terminal's modes as tcgetattr has them, or None where it is gone."""
        self.foreground = foreground
        """The process group that has the terminal."""
        self.unread = unread
        """Whether it has printed something that is not in :attr:`printed` yet."""
        self.since = since
        """When the command was typed."""
        self.printed = printed
        """The last of what the command has printed."""
        self.quiet = quiet
        """Seconds since it last printed something, or since it was typed."""
        self.prompted = prompted
        """Whether somebody knows the end of that for something to be answered."""
        self.spared = spared
        """The process groups of other commands."""


class Look:
    """What the kernel shows of a running command at one moment."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.at = time.monotonic()
        """When it was taken."""
        self.processes = [] if scene.modes is None else _concerned(scene)
        """Those that the command consists of, the shell first."""
        self._elsewhere, self._is_ours_for_sure = _in_containers(scene, self.processes)
        self.processes += self._elsewhere
        seen = {one.pid: processes.waits(one.pid) for one in self.processes}
        self.waits = {pid: waits or [] for pid, waits in seen.items()}
        self._unseen = {pid for pid, waits in seen.items() if waits is None}
        self.readers: dict[int, File] = {}
        """Who waits for somebody to type something, and at which terminal."""
        self._brief: set[int] = set()
        """Those of them that wait only for a while."""
        inwards = any(_types_inwards(one, self.waits[one.pid], scene) for one in self.processes)
        for one in self.processes:
            reads = _reads(one, self.waits[one.pid], self)
            # A shell that reads may have said meanwhile that the command has ended.
            if reads is None or (one.pid == scene.shell and scene.unread):
                continue
            if processes.is_frozen(one.pid):
                continue
            terminal, wait = reads
            # At a terminal that a program has made for it, it may be that program that types.
            if inwards or _is_ours(terminal, one, scene):
                self.readers[one.pid] = terminal
                if not wait.endless:
                    self._brief.add(one.pid)

    def children(self, of: Process) -> list[Process]:
        """Return the processes that one of them has started."""
        return [one for one in self.processes if one.parent == of.pid]

    def waiting(self, before: Look) -> Diagnosis | None:
        """Say what the command waits for, if it waits for somebody to type something.

        It rests on two looks: who is only passing through a read is not found there twice.
        """
        busy = {one.pid: one.busy for one in before.processes}
        for one in reversed(self.processes):
            twice = one.pid in self.readers and one.pid in before.readers
            if twice and one.busy == busy[one.pid]:
                return self._waiting(one)
        return _by_the_text(self.scene, self._hidden()) if self.is_blind else None

    def asking(self) -> Diagnosis | None:
        """Say what is waited for by this look alone: it might be somebody who is passing by."""
        readers = (one for one in reversed(self.processes) if one.pid in self.readers)
        return next(map(self._waiting, readers), None)

    @property
    def is_blind(self) -> bool:
        """Whether something may be reading that cannot be seen."""
        return not self.processes or bool(self._hidden())

    def has_stopped(self, before: Look) -> bool:
        """Whether a part of the command was stopped both times, and no other part was at work."""
        both = [[one.state for one in look.processes] for look in (before, self)]
        return all("T" in states and "R" not in states for states in both)

    def _waiting(self, one: Process) -> Diagnosis:
        terminal = self.readers[one.pid]
        found = _waiting(self.scene, one, terminal)
        found.hidden = not _modes(terminal, one, self.scene)[3] & termios.ECHO
        found.lasting = one.pid not in self._brief
        if self._elsewhere and not self._is_ours_for_sure:
            found.certain = False
            found.because = "judged by when it was started"
        # A full-screen program runs each time that it refreshes its screen.
        runs = "" if found.kind == "full-screen" else processes.status(one.pid, _SWITCHES)
        found.occasion = (found.kind, one.pid, runs)
        return found

    def _hidden(self) -> list[Process]:
        """Return those of which nothing can be seen, or that pass on what cannot be seen."""
        return [
            one
            for one in self.processes
            if one.pid in self._unseen
            or (_passes_on(one, self.waits[one.pid], self.scene) and not self._elsewhere)
        ]

    def running(self) -> set[int]:
        """Return those that run, or would if a processor were free."""
        return {one.pid for one in self.processes if one.state == "R"}

    def passing(self, before: Look) -> set[int]:
        """Return those that run, as a program also does that starts in order to sleep."""
        shares = self._shares(before)
        return {pid for pid in self.running() - before.running() if shares[pid] <= _BUSY_SHARE}

    def _shares(self, before: Look) -> dict[int, float]:
        """Return how much of a processor each has used since, with those it has waited for."""
        earlier = {one.pid: one.busy + one.reaped for one in before.processes}
        now = {one.pid: one.busy + one.reaped for one in self.processes}
        for one in before.processes:
            # What it had used until then is its parent's from the moment that it ends.
            if one.pid not in now and one.parent in earlier:
                earlier[one.parent] += earlier[one.pid]
        elapsed = max(self.at - before.at, LOOKS_APART)
        return {pid: (used - earlier.get(pid, 0.0)) / elapsed for pid, used in now.items()}

    def working(self, before: Look, passing: Collection[int] = ()) -> Diagnosis:
        """Say what a command is doing that waits for nobody, but for those only *passing* by."""
        if not self.processes:
            return Diagnosis("silent", certain=False, because="this system has no /proc to look in")
        for one in self._elsewhere:
            if processes.is_frozen(one.pid):
                return Diagnosis("stopped", process=one, because="its container is paused")
        shares, doings = self._shares(before), []
        for one in self.processes:
            doing = _doing(one, self.waits[one.pid], shares[one.pid])
            doings.append(("passing" if one.pid in passing else doing, one))
        doing, one = min(doings, key=lambda pair: _TELLING.index(pair[0]))
        stopped = [one for one in self.processes if one.state in "Tt"]
        if stopped and doing not in _AT_WORK:
            return Diagnosis("stopped", process=stopped[-1])
        if doing in ("busy", "sleeping"):
            return Diagnosis(doing, process=one)
        because = _waits_for(one, self.waits[one.pid], doing)
        return Diagnosis("silent", process=one, because=because, certain=not self._hidden())


def judge(scene: Callable[[], Scene]) -> Diagnosis:
    """Say what a command seems to be doing. Takes :data:`LOOKS_APART` seconds, or twice that."""
    before = Look(scene())
    time.sleep(LOOKS_APART)
    now = Look(scene())
    steady = now.running()
    for _ in range(_MORE_LOOKS):
        if not now.passing(before):
            break
        time.sleep(_SOON)
        now = Look(scene())
        steady &= now.running()
    shell = next(iter(now.processes), None)
    if now.scene.modes is None:
        return Diagnosis("disconnected", because="the terminal has been hung up")
    if shell is None and processes.process(os.getpid()):
        return Diagnosis("disconnected", because="the shell has ended")
    if shell and shell.state in "Tt":
        return Diagnosis("stopped", process=shell, because="the session's own shell")
    if waiting := now.waiting(before):
        return waiting
    # The first look's, as who asks may be the one who reads.
    if now.scene.printed and before.scene.quiet < _RECENTLY:
        return Diagnosis("printing", because=f"the last {text.seconds(before.scene.quiet)} ago")
    return now.working(before, now.passing(before) - steady)


def _concerned(scene: Scene) -> list[Process]:
    """Return the processes that the command consists of, the shell first."""
    shell = processes.process(scene.shell)
    if shell is None:
        return []
    found = [shell]
    for one in processes.below(scene.shell):
        ours = one.group == scene.foreground != shell.group
        if one.group in scene.spared or one.state in "ZX":
            continue
        if ours or one.began_since(scene.since):
            found.append(one)
    return found


def _in_containers(scene: Scene, known: list[Process]) -> tuple[list[Process], bool]:
    """Return what a container's client has had started, and whether it is that for sure.

    It has other parents. But the client was given its command, word by word.
    """
    clients = [processes.arguments(one.pid) for one in known if one.name in _CONTAINERS]
    clients = [words for words in clients if _OPEN_CONTAINERS & set(words)]
    if not clients:
        return [], False
    ours = {one.pid for one in known}
    spaces: dict[str, list[Process]] = {}
    for one in processes.everything():
        if one.pid not in ours and one.began_since(scene.since):
            space = _process_space(one.pid)
            if space and space != _process_space(os.getpid()):
                spaces.setdefault(space, []).append(one)
    among = list(spaces.values())
    # Others on this machine may use containers as well.
    among = [found for found in among if any(_names(client, found) for client in clients)] or among
    named = [
        found
        for found in among
        if any(
            words and words == client[-len(words) :]
            for client in clients
            for words in map(processes.arguments, (one.pid for one in found))
        )
    ]
    if len(named) == 1:
        return named[0], True
    return (among[0], False) if len(among) == 1 else ([], False)


def _names(client: list[str], found: list[Process]) -> bool:
    """Whether a client was given the number, or podman's name, of the container of *found*."""
    for one in found:
        numbers = processes.container_numbers(one.pid)
        keeper = processes.arguments(one.parent) or [""]
        kept = os.path.basename(keeper[0]) == "conmon" and "-n" in keeper[:-1]
        name = keeper[keeper.index("-n") + 1] if kept else None
        for word in client[2:]:
            whole = re.fullmatch("[0-9a-f]{6,64}", word)
            if word == name or (whole and any(number.startswith(word) for number in numbers)):
                return True
    return False


def _process_space(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _reads(one: Process, waits: list[Wait], look: Look) -> tuple[File, Wait] | None:
    """Return the terminal that the process waits to read from, and for nothing else, and how."""
    scene = look.scene
    if not one.has_terminal() or _relays(one, waits):
        return None
    for wait in waits:
        terminal = next((file for file in wait.files if _is_terminal(file, one, scene)), None)
        if terminal is None or wait.call not in ("read", "poll"):
            continue
        if _is_in_the_background(one, look):
            return None
        modes = _modes(terminal, one, scene)
        raw = modes[3] & termios.ICANON == 0
        if wait.call == "read" and raw and modes[6][termios.VMIN] in (0, b"\0"):
            continue
        others = [file for file in wait.files if not _is_terminal(file, one, scene)]
        if any(file.is_master or _peers(one, (wait,)) for file in others):
            continue
        alone = wait.call == "read" or (wait.endless and not others and not look.children(one))
        if alone and (wait.main or _rests(one, waits, look)):
            return terminal, wait
        if _asks(one, scene, raw=raw) and (wait.main or raw):
            return terminal, wait
    return None


def _rests(one: Process, waits: list[Wait], look: Look) -> bool:
    """Whether a program does nothing that would end by itself, but for its reading thread."""
    return (
        not look.children(one)
        and waits[0].main
        and all(
            wait.call in ("futex", "read") and all(file.is_terminal for file in wait.files)
            for wait in waits
        )
    )


def _asks(one: Process, scene: Scene, *, raw: bool) -> bool:
    """Whether what is on the screen is there for somebody to act on."""
    if scene.prompted:
        return True
    if raw and (one.name in _FULL_SCREEN or one.name in _PAGERS or has_screen(scene.printed)):
        return True
    line, ended = text.last_line(scene.printed)
    return not ended and re.search(_PROMPT, line) is not None and not re.search(_PROGRESS, line)


def _is_in_the_background(one: Process, look: Look) -> bool:
    """Whether it was started with `&`, without job control, while something else goes on.

    Then it ignores SIGINT and SIGQUIT (POSIX XCU 2.11), and the shell does not wait for it.
    """
    if one.pid == look.scene.shell:
        return False
    ignored = int(processes.status(one.pid, "SigIgn") or "0", 16)
    if ignored & _BACKGROUND != _BACKGROUND:
        return False
    return any(
        other.parent in (look.scene.shell, one.parent) and other.pid not in (one.pid, one.parent)
        for other in look.processes[1:]
    )


def _relays(one: Process, waits: list[Wait]) -> bool:
    if one.name in _POLITE_RELAYS:
        return not any(wait.call == "read" for wait in waits)
    return one.name in _RELAYS


def _types_inwards(one: Process, waits: list[Wait], scene: Scene) -> bool:
    """Whether what is typed goes on to a terminal further in, as sudo and script have it."""
    if one.name in _RELAYS:
        return True
    return one.has_terminal() and any(
        wait.call == "poll"
        and any(file.is_master for file in wait.files)
        and any(_is_terminal(file, one, scene) for file in wait.files)
        for wait in waits
    )


def _passes_on(one: Process, waits: list[Wait], scene: Scene) -> bool:
    """Whether the process types what is typed into something that cannot be seen from here."""
    if not one.has_terminal():
        return False
    if _relays(one, waits):
        return True
    for wait in waits:
        if wait.call == "poll" and any(_is_terminal(file, one, scene) for file in wait.files):
            return bool(_peers(one, (wait,))) and not any(file.is_master for file in wait.files)
    return False


def _is_terminal(file: File, one: Process, scene: Scene) -> bool:
    if file.is_controlling or file.device == scene.device:
        return True
    return one.terminal != 0 and file.device[1] == one.terminal


def _is_ours(file: File, one: Process, scene: Scene) -> bool:
    """Whether that terminal is the session's own, and not one further in."""
    return file.device == scene.device or (file.is_controlling and one.session == scene.session)


def _modes(terminal: File, one: Process, scene: Scene) -> list[Any]:
    """Return the modes of the terminal that a process reads."""
    assert scene.modes is not None
    if _is_ours(terminal, one, scene):
        return scene.modes
    for file in (terminal, *processes.files(one.pid)):
        # /dev/tty is another one for us, and opening a serial line may hang it up.
        if file.device[1] == one.terminal and file.is_pseudo_terminal:
            with contextlib.suppress(OSError, termios.error):
                return _modes_of(file.path)
    return scene.modes


def _modes_of(path: str) -> list[Any]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return termios.tcgetattr(descriptor)
    finally:
        os.close(descriptor)


def _waiting(scene: Scene, one: Process, terminal: File) -> Diagnosis:
    modes = _modes(terminal, one, scene)
    line, ended = text.last_line(scene.printed)
    if _is_another_shell(one, scene):
        return Diagnosis("shell", process=one, question=line)
    if one.name in _PAGERS:
        return Diagnosis("pager", process=one)
    lines = modes[3] & termios.ICANON != 0
    if one.name in _FULL_SCREEN or (not lines and has_screen(scene.printed)):
        return Diagnosis("full-screen", process=one)
    if ended and not (re.search(_ASKS, line) or re.search(_CHOICE, line)):
        line = ""
    hidden = lines and _hides(terminal, modes, line, ours=_is_ours(terminal, one, scene))
    secret = hidden or one.name in _ASK_FOR_PASSWORDS or _is_about_a_password(line)
    if secret and not re.search(_CHOICE, line):
        return Diagnosis("password", process=one, question=line)
    return Diagnosis("question" if line else "input", process=one, question=line)


def _hides(terminal: File, modes: list[Any], line: str, *, ours: bool) -> bool:
    """Whether the terminal would not show what is typed, by the doing of who reads it."""
    local = modes[3]
    if not ours and (local & termios.ECHO or modes[1] & termios.OPOST):
        return not local & termios.ECHO
    # A session's own terminal never echoes, and sudo copies that to the one that it makes. So
    # ECHO tells nothing there. But getpass(3) takes ISIG away as well, `read -s` of bash and ash
    # ECHOK, and who asks for a password mostly opens /dev/tty for it, both ways.
    if not (local & termios.ISIG and local & termios.ECHOK):
        return True
    with contextlib.suppress(OSError):
        both = terminal.is_controlling and terminal.goes_both_ways()
        return both and not re.search(_NO_PASSWORD + r"|>[ \t]*\Z", line)
    return False


def _is_about_a_password(line: str) -> bool:
    return re.search(_PASSWORD, line) is not None and not re.search(_NO_PASSWORD, line)


def _is_another_shell(one: Process, scene: Scene) -> bool:
    """Whether the process is a shell that reads commands, and not a script that reads a line."""
    words = processes.arguments(one.pid)
    if one.name not in _SHELLS or processes.image(one.pid) == scene.image:
        return False
    if not words or one.group != one.pid:
        # It has ended meanwhile; or it reads a script from a pipe, and so has no job control and
        # no group of its own.
        return False
    if one.name == "busybox" or os.path.basename(words[0]) == "busybox":
        words = words[1:] if os.path.basename(words[0]) == "busybox" else words
        if not words or os.path.basename(words[0]).lstrip("-") not in _SHELLS:
            return False
    return not any(re.fullmatch(r"[^-].*|-[a-z]*c[a-z]*", word) for word in _operands(words))


def _operands(words: list[str]) -> list[str]:
    """Return a shell's arguments less the values of its options (`-o emacs`, `--rcfile FILE`)."""
    kept, skip = [], False
    for word in words[1:]:
        if not skip:
            kept.append(word)
        skip = word in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file")
    return kept


def has_screen(printed: bytes) -> bool:
    """Whether *printed* draws on a screen, and does not only follow line by line."""
    if re.search(_SCREEN_ON + b"|" + _SCREEN_OFF, printed):
        return has_alternate_screen(printed)
    return len(re.findall(_ADDRESSED, printed)) > 1


def has_alternate_screen(printed: bytes) -> bool:
    """Whether *printed* leaves the terminal on the screen that full-screen programs draw on."""
    on = [found.start() for found in re.finditer(_SCREEN_ON, printed)]
    off = [found.start() for found in re.finditer(_SCREEN_OFF, printed)]
    return max(on, default=-1) > max(off, default=-1)


def _by_the_text(scene: Scene, unseen: list[Process]) -> Diagnosis | None:
    """Judge by the last line and the silence, where the kernel cannot be asked."""
    line, ended = text.last_line(scene.printed)
    one = unseen[-1] if unseen else None
    because = "judged by its last line"
    if scene.quiet < QUIET_ENOUGH:
        return None

    def probably(kind: str, question: str = "") -> Diagnosis:
        return Diagnosis(kind, process=one, question=question, because=because, certain=False)

    if not ended and re.search(_PAGER_PROMPT, line):
        return probably("pager")
    if re.search(_SCREEN_ON, scene.printed) and has_screen(scene.printed):
        return probably("full-screen")
    if ended or not line or re.search(_PROGRESS, line):
        return None
    if _is_about_a_password(line) and not re.search(_CHOICE, line):
        return probably("password", line)
    if re.search(_SHELL_PROMPT, line):
        return probably("shell", line)
    asks = re.search(_ASKS, line) or re.search(_CHOICE, line) or re.search(r">[ \t]*\Z", line)
    return probably("question", line) if asks else None


def _doing(one: Process, waits: list[Wait], share: float) -> str:
    """Return a word of ``_TELLING`` for what a process does, given its share of a processor."""
    if one.name in _RELAYS:
        # What it passes on tells more, where that can be seen.
        return "relay"
    if one.state in "Tt":
        return "wait"
    if one.state == "R" or share > _BUSY_SHARE:
        return "busy"
    if one.state == "D":
        return "device"
    for wait in waits:
        if wait.call in ("read", "poll", "socket") and _peers(one, (wait,)):
            return "network"
        if wait.call == "poll" and not wait.files and not wait.endless:
            return "sleeping"
    call = waits[0].call if waits else ""
    return {"sleep": "sleeping", "socket": "poll"}.get(call, call)


def _peers(one: Process, waits: Iterable[Wait]) -> list[str]:
    sockets = [file for wait in waits for file in wait.files if file.is_socket]
    return [peer for file in sockets if (peer := processes.peer(one.pid, file))]


def _waits_for(one: Process, waits: list[Wait], doing: str) -> str:
    if doing == "network":
        return f"waits for the network: {_peers(one, waits)[0]}"
    if doing == "lock":
        names = [file.name for wait in waits for file in wait.files]
        return f"waits for a lock: {names[0]}" if names else "waits for a lock"
    return {
        "relay": "passes on what another machine or container does",
        "device": "waits for a device or a file system",
        "poll": "waits for something to happen",
        "futex": "waits for another of its threads",
        "pause": "waits for a signal",
        "read": "waits for what another program prints",
        "write": "waits for another program to read",
        "wait": "waits for another process",
    }.get(doing, "")
