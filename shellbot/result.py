"""What a command gives back, and where it ran."""

from __future__ import annotations

from functools import cached_property

from . import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

_DERIVED = ("output", "text", "stderr")


class Where:
    """A place that commands run in: host, user, and how many logins deep."""

    __slots__ = ("container", "depth", "host", "manager", "privilege", "shell", "system", "user")

    def __init__(
        self,
        host: str,
        user: str,
        depth: int = 0,
        *,
        shell: str = "",
        system: str = "",
        manager: str = "",
        privilege: str = "",
        container: bool = False,
    ) -> None:
        self.host = host
        """The machine's own name for itself."""
        self.user = user
        """The user that the shell runs as."""
        self.depth = depth
        """0 is the shell that the session itself started."""
        self.shell = shell
        """The shell that the session speaks with there, by its row's name."""
        self.system = system
        """The system, as os-release has it in ID and VERSION_ID (``debian 12``), or uname."""
        self.manager = manager
        """The package manager that is native there (``apt``, ``dnf``); nothing if unknown."""
        self.privilege = privilege
        """What gives root's rights there, ``sudo`` or ``doas``; nothing if there is neither."""
        self.container = container
        """Whether it is a container."""

    @property
    def _what(self) -> tuple[str, str, int]:
        return self.host, self.user, self.depth

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, depth {self.depth}"

    def __repr__(self) -> str:
        return f"Where(host={self.host!r}, user={self.user!r}, depth={self.depth})"

    def __eq__(self, other: object) -> bool:
        return self._what == other._what if isinstance(other, Where) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._what)


class Reply:
    """What a program at its prompt printed. Cannot be changed."""

    command: str
    """What was typed, lists already quoted."""
    raw: bytes
    """Every byte that was written, stdout and stderr merged, and nothing else."""
    duration: float
    """Seconds from typing it to knowing that it was done."""
    where: Where
    """The shell that it ran in."""

    def __init__(
        self,
        *,
        command: str,
        raw: bytes,
        duration: float,
        where: Where,
        hide: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.__dict__.update(
            command=command, raw=raw, duration=duration, where=where, _hide=hide or bytes
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"it cannot be changed (tried to set {name!r})")

    def __getstate__(self) -> dict[str, object]:
        # What hides secrets knows them, and stays here.
        return {**self.__dict__, "_hide": bytes, "_repr": repr(self)}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)

    def hidden(self) -> Self:
        """Return the same without the secrets that it holds."""
        hide = self.__dict__["_hide"]
        shown = {
            name: hide(self.__dict__[name])
            for name in ("raw", "raw_stderr")
            if self.__dict__.get(name) is not None
        }
        command = hide(self.command.encode("utf-8", "surrogateescape"))
        return self.but(command=command.decode("utf-8", "surrogateescape"), **shown)

    def but(self, **changes: object) -> Self:
        """Return the same with *changes*."""
        other = type(self).__new__(type(self))
        state = {name: self.__dict__[name] for name in self.__dict__ if name not in _DERIVED}
        other.__setstate__({**state, **changes})
        return other

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"it cannot be changed (tried to delete {name!r})")

    @cached_property
    def output(self) -> str:
        """:attr:`raw` as UTF-8, and nothing taken away.

        Bytes that are not UTF-8 become lone surrogates (PEP 383), as in the file names of
        :func:`os.listdir`, so ``output.encode("utf-8", "surrogateescape") == raw``. Such a string
        can be sent back in a command, but not printed: print :attr:`text`.
        """
        return self.raw.decode("utf-8", "surrogateescape")

    @cached_property
    def text(self) -> str:
        """What a person would have seen: colours gone, overwritten progress lines overwritten."""
        return text.rendered(self.raw)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reply):
            return NotImplemented
        return self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    @property
    def _facts(self) -> tuple[object, ...]:
        return (self.command, self.raw, self.duration, self.where)

    def __repr__(self) -> str:
        if "_repr" in self.__dict__:
            return str(self.__dict__["_repr"])
        hide = self.__dict__["_hide"]
        command = hide(self.command.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
        return (
            f"{type(self).__name__}({self._shown(hide)}, command={text.shorten(command, 60)!r}, "
            f"duration={text.seconds(self.duration)})"
        )

    def _shown(self, hide: Callable[[bytes], bytes]) -> str:
        return f"raw={text.abridged(hide(self.raw))!r}"


class Result(Reply):
    """What one command did. Cannot be changed, and is true when the command succeeded.

    Where standard error was kept apart, :attr:`raw`, :attr:`output` and :attr:`text` are without
    it.
    """

    exit_code: int
    """The exit status as the shell has it: 128 + n for a command killed by signal n."""
    raw_stderr: bytes | None
    """Every byte that it wrote to stderr, if that was kept apart."""
    note: str = ""
    """What it was for, if that was said."""
    skipped: bool = False
    """Whether it was not run, as a person did not want that."""
    truncated: bool
    """Whether :attr:`raw` is only the end of it, as the rest was handed out while it came."""

    def __init__(
        self,
        *,
        command: str,
        raw: bytes,
        exit_code: int,
        duration: float,
        where: Where,
        raw_stderr: bytes | None = None,
        truncated: bool = False,
        hide: Callable[[bytes], bytes] | None = None,
    ) -> None:
        # In one go: one is made for each command.
        self.__dict__.update(
            command=command,
            raw=raw,
            exit_code=exit_code,
            duration=duration,
            where=where,
            raw_stderr=raw_stderr,
            truncated=truncated,
            _hide=hide or bytes,
        )

    @cached_property
    def stderr(self) -> str | None:
        """:attr:`raw_stderr` in the form of :attr:`output`."""
        if self.raw_stderr is None:
            return None
        return self.raw_stderr.decode("utf-8", "surrogateescape")

    @property
    def ok(self) -> bool:
        """Whether the exit status is 0, whatever the call accepted."""
        return self.exit_code == 0

    def __bool__(self) -> bool:
        return self.ok

    @property
    def _facts(self) -> tuple[object, ...]:
        return (*super()._facts, self.exit_code, self.raw_stderr, self.truncated)

    def _shown(self, hide: Callable[[bytes], bytes]) -> str:
        shown = f"exit_code={self.exit_code}, {super()._shown(hide)}"
        if self.raw_stderr is None:
            return shown
        return f"{shown}, raw_stderr={text.abridged(hide(self.raw_stderr))!r}"


class Package:
    """One package that was asked for, and what became of it. Cannot be changed."""

    __slots__ = ("before", "name", "version", "wanted")

    wanted: str
    """What was asked for, with any version."""
    name: str
    """What it is called on that system."""
    version: str
    """The version that is installed now; nothing if it is not."""
    before: str
    """The version that was installed before; nothing if it was not."""

    def __init__(self, wanted: str, name: str, *, version: str = "", before: str = "") -> None:
        for slot, value in zip(
            ("wanted", "name", "version", "before"), (wanted, name, version, before), strict=True
        ):
            object.__setattr__(self, slot, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"it cannot be changed (tried to set {name!r})")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"it cannot be changed (tried to delete {name!r})")

    def __reduce__(self) -> tuple[object, ...]:
        return _package, (self.wanted, self.name, self.version, self.before)

    @property
    def is_installed(self) -> bool:
        """Whether it is there now."""
        return bool(self.version)

    @property
    def was_installed(self) -> bool:
        """Whether it was there before, in whatever version."""
        return bool(self.before)

    @property
    def changed(self) -> bool:
        """Whether it is another version now, or has come, or gone."""
        return self.version != self.before

    @property
    def _facts(self) -> tuple[str, ...]:
        return self.wanted, self.name, self.version, self.before

    def __eq__(self, other: object) -> bool:
        return self._facts == other._facts if isinstance(other, Package) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._facts)

    def __str__(self) -> str:
        if self.version == self.before:
            return f"{self.name} {self.version}: there already" if self.version else self.name
        return f"{self.name} {self.before or 'nothing'} -> {self.version or 'nothing'}"

    def __repr__(self) -> str:
        return f"<Package {self}>"


def _package(wanted: str, name: str, version: str, before: str) -> Package:
    return Package(wanted, name, version=version, before=before)


class PackageResult:
    """What a package manager was asked for, and what is there now, by its own word.

    It is true where something changed.
    """

    __slots__ = ("manager", "output", "packages", "where")

    def __init__(
        self, packages: tuple[Package, ...], *, manager: str, where: Where, output: str = ""
    ) -> None:
        self.packages = packages
        """Each package that was asked for, in that order."""
        self.manager = manager
        """The package manager: apt, dnf, ..."""
        self.where = where
        """Where that was."""
        self.output = output
        """All that the manager printed, stdout and stderr merged; nothing if it had nothing to do.
        """

    @property
    def changed(self) -> tuple[Package, ...]:
        """The packages that are not as they were before."""
        return tuple(one for one in self.packages if one.changed)

    def __bool__(self) -> bool:
        return bool(self.changed)

    def __getitem__(self, wanted: str) -> Package:
        # What was asked for by that name is meant, before what is called so there.
        for name in ("wanted", "name"):
            for one in self.packages:
                if getattr(one, name) == wanted:
                    return one
        raise KeyError(wanted)

    def __repr__(self) -> str:
        return f"<PackageResult {self.manager}: {', '.join(map(str, self.packages))}>"


class PausedCommand:
    """A command that a person has run in a pause."""

    __slots__ = ("command", "exit_code", "raw")

    def __init__(self, command: str, raw: bytes, exit_code: int | None) -> None:
        self.command = command
        """The line as it was typed; empty where that is not known, as when it was longer than the
        screen is wide and the shell does not tell."""
        self.raw = raw
        """What was shown of it, at most the last 4 MiB. Where the command is not known, this may
        begin with the rest of the line."""
        self.exit_code = exit_code
        """The status that it ended with, or None if that is not known."""

    @property
    def output(self) -> str:
        """What was seen of it, as :attr:`Result.text` is."""
        return text.rendered(self.raw)

    def __repr__(self) -> str:
        return f"<PausedCommand {self.command!r}: {self.exit_code}>"


class Pause:
    """What a person did while they had the terminal."""

    __slots__ = (
        *("commands", "directory_after", "directory_before", "duration", "passed", "transcript"),
    )

    def __init__(
        self,
        *,
        commands: tuple[PausedCommand, ...] = (),
        transcript: str = "",
        directories: tuple[str, str] = ("", ""),
        duration: float = 0.0,
        passed: str = "",
    ) -> None:
        self.commands = commands
        """What they ran, in order."""
        self.transcript = transcript
        """All that was shown to them, escape sequences and all; at most the last 4 MiB."""
        self.directory_before, self.directory_after = directories
        self.duration = duration
        """How long it took, in seconds."""
        self.passed = passed
        """Why nobody was asked, if nobody was."""

    def __repr__(self) -> str:
        if self.passed:
            return f"<Pause: passed, as {self.passed}>"
        return f"<Pause of {text.seconds(self.duration)}: {len(self.commands)} commands>"
