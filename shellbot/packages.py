"""Packages, by the manager that the machine has."""

from __future__ import annotations

import contextlib
import posixpath
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence

from . import asking, console, logins, managers, package_names
from .diagnosis import Diagnosis
from .dialogue import Secret
from .errors import (
    CommandError,
    CommandStoppedError,
    CommandTimeoutError,
    PackageError,
    SessionError,
    UsageError,
)
from .limits import DEFAULT, Default, Limits, Retry
from .result import Package, PackageResult, Result, Where
from .text import rendered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Literal, Protocol, TypeAlias, TypedDict

    from typing_extensions import Unpack

    from .dialogue import Answers
    from .limits import Check

    Limit: TypeAlias = float | Default | None
    # What is installed for something that was asked for: its name, and its version or nothing.
    Found: TypeAlias = tuple[str, str]
    OnOutput: TypeAlias = Callable[[str], object]

    class Options(TypedDict, total=False):
        """What every verb takes that changes something."""

        manager: str | None
        timeout: Limit
        lock_timeout: float | None
        answers: Answers | None
        sudo: str | Secret | None
        ask: bool

    class InstallOptions(Options, total=False):
        """What :meth:`Packages.install` takes besides the packages."""

        configuration: str
        max_age: float

    class Here(Protocol):
        """What is asked of a session."""

        @property
        def where(self) -> Where: ...

        def send(
            self,
            command: str | Sequence[str],
            *,
            check: Check = ...,
            timeout: Limit = ...,
            answers: Answers | None = ...,
            on_waiting: Callable[[Diagnosis], Secret | Literal[False]] | None = ...,
            on_output: OnOutput | None = ...,
            retry: Retry | None = ...,
            sudo: bool = ...,
        ) -> Result: ...

    class Level(Protocol):
        """What is kept for as long as the login lasts."""

        password: Secret | Callable[[], str | Secret] | None
        lists_refreshed: float | None

    Shows: TypeAlias = Callable[[str], AbstractContextManager[OnOutput | None]]


DAY = 86_400.0
DEFAULT_LIMIT = 3_600.0
"""How long a manager may take, in seconds, where nobody says."""
_IN_THE_BASE = "in the base system"
_UNKNOWN = "unknown"
_NOT_YOURS = "log in as the user that it belongs to, who is not root"
# What a package is that is there as a whole; dpkg may have triggers left to run (dpkg(1)).
_INSTALLED = ("", "installed", "triggers-awaited", "triggers-pending")
# How often a person may try.
_PASSWORDS = 3
_LOOKS_APART = 1.0
# Who has the process id "$1", or where that is not known, runs the command "$2".
_HOLDER = """for p in /proc/[0-9]*; do
read -r name <"$p/comm" || continue
case "$1:$2" in "${p#/proc/}:"*|":$name") ;; *) continue;; esac
echo "process ${p#/proc/} ($(tr "\\0" " " <"$p/cmdline" | sed "s/ *$//"))"; done"""


class Packages:
    """The packages of the place that commands run in, by the manager that is native there.

    Every verb takes *manager*, where it is to be another one. Those that change something run it
    as root, by sudo or doas where the user is not. *sudo* is the password for that, if it is not
    that of the login; with *ask* the person at the terminal is asked for what nobody has given.
    The manager is told to ask nothing and has no standard input, unless there are *answers*.
    *lock_timeout* is for how many seconds a lock that another process holds is waited for,
    *timeout* for how many each attempt may take.

    They raise :class:`PackageError`, whose ``reason`` says why.
    """

    def __init__(
        self,
        here: Here,
        level: Callable[[], Level],
        *,
        names: dict[str, package_names.Called],
        shows: Shows,
    ) -> None:
        self._here = here
        self._level = level
        self._shows = shows
        self.names = names
        """The caller's own names for packages: ``{"libdemo": {"debian": "libdemo-dev"}}``.

        The families are debian, fedora, suse, arch, alpine, void, gentoo, brew, freebsd, openwrt.
        """

    def _work(self, what: str, **options: Unpack[Options]) -> _Work:
        return _Work(self._here, self._level(), self._shows, self.names, what, **options)

    # What changes something

    def install(
        self,
        *packages: str,
        configuration: str = "keep",
        max_age: float = DAY,
        **options: Unpack[Options],
    ) -> PackageResult:
        """See to it that *packages* are installed, and make sure by the manager's own word.

        A package is a name, also of another family of systems where that is known, or a name with
        a version in the manager's own spelling (``git=1:2.39*``, ``git-2.39``), or a file or URL.
        What is there already is left alone; if all of it is, nothing is run and nobody needs to be
        root. Else the lists of packages are fetched first if they are older than *max_age* seconds.
        Configuration files that were changed stay as they are, if the package lets them, or with
        ``configuration="replace"`` become the package's.
        """
        work = self._work("install", **options)
        work.ask_for(packages)
        flags = work.flags(configuration)
        work.look()
        if not work.missing:
            return work.result()
        work.needs_root()
        stale = None if work.is_fresh(max_age) else work.refresh()
        work.do("install", work.missing, flags)
        if work.failure.reason == "not_found" and stale is None:
            stale = work.refresh()
            work.do("install", work.missing, flags)
        if work.failure.reason == "not_found" and stale and stale.reason:
            # Lists that could not be had know of nothing.
            work.failure.reason = stale.reason
            work.failure.printed = stale.printed + work.failure.printed
        return work.judged("not_installed", lambda: work.missing)

    def remove(self, *packages: str, **options: Unpack[Options]) -> PackageResult:
        """See to it that *packages* are not installed, and make sure by the manager's own word.

        What needs them goes with them where the manager does it so, as apt and dnf do.
        """
        work = self._work("remove", **options)
        work.ask_for(packages)
        work.needs_no_comparison()
        work.look()
        if not work.removable:
            return work.result()
        work.needs_root()
        work.do("remove", work.removable)
        return work.judged("still_installed", lambda: work.removable)

    def upgrade(
        self,
        *packages: str,
        configuration: str = "keep",
        max_age: float = DAY,
        **options: Unpack[Options],
    ) -> PackageResult:
        """Bring *packages* to their newest version, or without any all that is installed.

        The result holds what was asked for, or else what is another version now.
        """
        work = self._work("upgrade", **options)
        flags = work.flags(configuration)
        if packages:
            work.ask_for(packages)
            work.look()
            work.needs_all_of_them()
            if not work.there:
                return work.result()
        else:
            work.look_at_all()
        work.needs_root()
        if not work.is_fresh(max_age):
            work.refresh()
        all_of_them = not packages and work.manager.can("upgrade_all")
        work.do("upgrade_all" if all_of_them else "upgrade", work.there if packages else [], flags)
        return work.judged()

    def refresh(self, *, max_age: float = DAY, **options: Unpack[Options]) -> bool:
        """Have the lists of packages fetched, if they are older than *max_age* seconds.

        Returns whether they were.
        """
        work = self._work("refresh", **options)
        if work.is_fresh(max_age):
            return False
        work.needs_root()
        work.refresh()
        work.judged()
        return True

    def hold(self, *packages: str, on: bool = True, **options: Unpack[Options]) -> None:
        """Keep *packages* at the version that they have, or with ``on=False`` no longer."""
        verb = "hold" if on else "unhold"
        work = self._work(verb, **options)
        work.manager.line(verb)
        work.ask_for(packages)
        work.look()
        work.needs_all_of_them()
        if not work.there:
            return
        work.needs_root()
        work.do(verb, work.there)
        work.judged()

    def mend(self, **options: Unpack[Options]) -> None:
        """Put right what a manager left that was interrupted."""
        work = self._work("mend", **options)
        work.manager.line("mend")
        work.needs_root()
        work.do("mend", [])
        work.judged()

    def ensure(
        self, command: str, *, package: str | None = None, **options: Unpack[Options]
    ) -> PackageResult:
        """See to it that there is a *command* of that name, by whichever package brings it.

        That is *package*, or what the table of names has for it, or what the manager says brings
        it, or else the package of that name.
        """
        if not re.fullmatch(r"[^\s/-][^\s/]*", command) or not command.isprintable():
            raise UsageError(f"{command!r} is no name of a command")
        work = self._work(f"ensure {command}", **options)
        if self._finds(command):
            return work.result()
        name = package or package_names.bringing(command)
        if package is None and name == command and work.manager.can("provides"):
            name = next(iter(work.names("provides", command)), command)
        result = self.install(name, **options)
        if not self._finds(command):
            work.failure.reason = "no_command"
            work.failure.printed = result.output.encode("utf-8", "surrogateescape")
            work.judged()
        return result

    def _finds(self, command: str) -> bool:
        return self._here.send(["sh", "-c", 'command -v "$1"', "sh", command], check=False).ok

    # What only asks

    def is_installed(self, package: str, *, manager: str | None = None) -> bool:
        """Whether *package* is installed, in the version that it asks for, if it does."""
        work = self._work("query", manager=manager)
        work.ask_for((package,))
        work.needs_no_comparison()
        work.look()
        return not work.missing

    def version(self, package: str, *, manager: str | None = None) -> str | None:
        """Return the version of *package* that is installed, as the manager has it, or None."""
        work = self._work("query", manager=manager)
        work.ask_for((package,))
        work.look()
        return work.result().packages[0].version or None

    def available(self, package: str, *, manager: str | None = None) -> str | None:
        """Return the newest version of *package* that there is, as far as the lists tell."""
        work = self._work("available", manager=manager)
        work.ask_for((package,))
        told = work.told("available", *work.specs)
        return next((one[1] for spec in work.specs for one in told[spec]), None)

    def owner_of(self, path: str, *, manager: str | None = None) -> str | None:
        """Return the package that has brought the file *path*, or None."""
        if not posixpath.isabs(path):
            raise UsageError(f"{path!r} is no absolute path")
        return next(iter(self._work("owner", manager=manager).names("owner", path)), None)

    def manual(self, *, manager: str | None = None) -> list[str]:
        """Return the packages that somebody has asked for, and that did not come with others."""
        return self._work("manual", manager=manager).names("manual")

    def changed_files(self, **options: Unpack[Options]) -> list[str]:
        """Return the configuration files that are not as their packages have brought them.

        That takes root, as not everybody may read them.
        """
        work = self._work("changed", **options)
        work.manager.line("changed")
        work.needs_root()
        return work.names("changed", as_root=True)


class _Failure:
    """Why an attempt failed; with no reason, it did not."""

    def __init__(self) -> None:
        self.reason = ""
        self.packages: tuple[str, ...] = ()
        self.detail = ""
        self.printed = b""
        self.status: int | None = None
        self.cause: Exception | None = None


class _Work:
    """One call's use of a manager."""

    def __init__(
        self,
        here: Here,
        level: Level,
        shows: Shows,
        names: package_names.Names,
        what: str,
        *,
        manager: str | None = None,
        timeout: Limit = DEFAULT,
        lock_timeout: float | None = 300.0,
        answers: Answers | None = None,
        sudo: str | Secret | None = None,
        ask: bool = True,
    ) -> None:
        self._timeout = Limits(DEFAULT_LIMIT if isinstance(timeout, Default) else timeout).total
        self._lock_timeout = Limits(lock_timeout).total
        self._here = here
        self._level = level
        self._shows = shows
        self._names = names
        self._what = what
        self._answers = answers
        self._asks_left = _PASSWORDS if ask else 0
        self.failure = _Failure()
        self._output = ""
        self._asked: list[tuple[str, str]] = []
        self._before: dict[str, Found] | None = None
        self._now: dict[str, Found] = {}
        self._looks_at_all = False
        self._brought: dict[str, str] = {}
        self._exact: set[str] = set()
        self._half: list[str] = []
        self._has_run = False
        self._sudo = False
        name = manager or here.where.manager
        if not name:
            raise self._error("no_manager")
        self.manager = managers.named(name)
        if sudo is not None:
            level.password = sudo if isinstance(sudo, Secret) else Secret(sudo)

    # What is asked for, and what is there of it

    def ask_for(self, packages: Sequence[str]) -> None:
        """Take notice of what is asked for, and make sure that it can be."""
        if not packages:
            raise UsageError(f"no package to {self._what}")
        for package in packages:
            if not isinstance(package, str):
                raise UsageError(f"{package!r} is no name of a package")
            self.manager.check(package)
            name, pin = self.manager.split(package)
            called = package_names.translated(name, self.manager.family, self._names)
            for one in called or ("",):
                # A version is one package's.
                spec = f"{one}{pin}" if len(called) == 1 else one
                self._asked.append((package, spec))
        self._what = f"{self._what} {' '.join(packages)}"
        for spec in self.specs:
            self.manager.check(spec)

    @property
    def specs(self) -> list[str]:
        """What to ask the manager for."""
        return list(dict.fromkeys(spec for _, spec in self._asked if spec))

    @property
    def missing(self) -> list[str]:
        """What is not there as it was asked for."""
        return [spec for spec in self.specs if not self._fits(spec)]

    @property
    def there(self) -> list[str]:
        """The names of what is there as it was asked for."""
        return [self._now[spec][0] for spec in self.specs if self._fits(spec)]

    @property
    def removable(self) -> list[str]:
        """The names of what is there, or has been left there half installed."""
        return [*self.there, *self._half]

    def needs_no_comparison(self) -> None:
        """Raise if what is asked of a version is for the manager to compare, as it installs."""
        for spec in self.specs:
            pin = self.manager.split(spec)[1]
            if pin and managers.fits("0", pin) is None:
                raise UsageError(
                    f"{spec}: which versions that means is for {self.manager.name} to say when it "
                    "installs; give the version itself, or none, and see version()"
                )

    def _fits(self, spec: str) -> bool:
        version, pin = self._now[spec][1], self.manager.split(spec)[1]
        if not version or spec in self._exact:
            return bool(version)
        if spec in self._brought:
            return version == self._brought[spec]
        fits = managers.fits(version, pin) if pin else True
        # What only the manager can compare, it has compared.
        return self._has_run if fits is None else fits

    def look(self) -> None:
        """See what is there of what is asked for."""
        files = [spec for spec in self.specs if self.manager.is_file(spec)]
        brings: dict[str, str] = {}
        if files and self.manager.can("describe"):
            told = self.told("describe", *files)
            brings = {spec: told[spec][0][0] for spec in files if told.get(spec)}
            self._brought = {spec: told[spec][0][1] for spec in brings}
        split = {spec: self.manager.split(spec) for spec in self.specs if spec not in files}
        names = {**{spec: name for spec, (name, _) in split.items()}, **brings}
        own = [spec for spec, (_, pin) in split.items() if pin.startswith("-")]
        told = self.told("query", *dict.fromkeys((*names.values(), *own))) if names else {}
        found = {
            asked: [one[:2] for one in several if one[2] in _INSTALLED]
            for asked, several in told.items()
        }
        whole = (*_INSTALLED, "not-installed", "config-files")
        self._half = [
            one[0] for name in names.values() for one in told.get(name, []) if one[2] not in whole
        ]
        now: dict[str, Found] = {}
        for spec in self.specs:
            name = names.get(spec, spec)
            there = found.get(name, [])
            if spec in own:
                there = found[spec] or [one for one in there if one[0] == name]
                self._exact = {*self._exact, spec} if found[spec] else self._exact - {spec}
            now[spec] = there[0] if there else (name, "")
            if spec in files and spec not in brings and self._has_run and not self.failure.reason:
                # What cannot be looked into is there if the manager has said so.
                now[spec] = spec, _UNKNOWN
        self._take(now)

    def look_at_all(self) -> None:
        """See what is there at all."""
        self._looks_at_all = True
        versions: dict[str, list[str]] = {}
        for name, version, state in self.told("every")[""]:
            if state in _INSTALLED:
                versions.setdefault(name, []).append(version)
        self._take({name: (name, ", ".join(sorted(found))) for name, found in versions.items()})

    def _take(self, now: dict[str, Found]) -> None:
        self._before, self._now = now if self._before is None else self._before, now

    def told(self, verb: str, *arguments: str) -> dict[str, list[tuple[str, str, str]]]:
        """Return what the manager tells, by what it was asked about."""
        done = self._run(verb, *arguments)
        found = managers.told(done.output)
        if not all(found.get(one) for one in arguments or ("",)):
            self._needs_an_answer(done)
        return found

    def names(self, verb: str, *arguments: str, as_root: bool = False) -> list[str]:
        """Return the names that the manager tells."""
        done = self._run(verb, *arguments, sudo=as_root)
        found = {line[1:] for line in done.output.splitlines() if line.startswith("+")}
        if not found:
            self._needs_an_answer(done)
        return sorted(found)

    def _needs_an_answer(self, done: Result) -> None:
        """Raise if it may be that something was not told of because it could not be found out."""
        if self.manager.complains(done.text):
            self.failure.status, self.failure.printed = done.exit_code, done.raw
            reason, _, _ = self.manager.reason(done.text, done.exit_code)
            raise self._error(reason or "failed", failure=self.failure)

    # What takes root

    def flags(self, configuration: str) -> str:
        """Return what is told the manager about *configuration* files, and versions."""
        known = {"keep": "", **self.manager.configuration}
        if configuration not in known:
            raise UsageError(
                f"{self.manager.name} has no way to have configuration={configuration!r}; "
                f"it has: {', '.join(known)}"
            )
        return known[configuration]

    def needs_all_of_them(self) -> None:
        """Raise if something is not installed that was asked for."""
        self.needs_no_comparison()
        if self.missing:
            self.failure.reason = "not_installed"
            self.failure.packages = self._as_asked(self.missing)
            self.judged()

    def needs_root(self) -> None:
        """Raise if the manager has to be run by root, and there is no way to."""
        where = self._here.where
        self._sudo = not self.manager.is_private and where.user not in ("root", "0")
        if self._sudo and not where.privilege:
            raise self._error("not_root", detail="There is neither sudo nor doas.")
        if self._sudo:
            self._becomes_root()

    def _becomes_root(self) -> None:
        """Raise if the user may not be root after all, before anything is run."""
        failure = _Failure()
        try:
            self._here.send("true", timeout=self._timeout, on_waiting=self._password, sudo=True)
            return
        except CommandError as error:
            failure.cause, failure.status = error, error.result.exit_code
            failure.printed = error.result.raw
            said = logins.reason(rendered(failure.printed), gave_secret=False)
            failure.reason = "wrong_password" if said == "wrong_password" else "not_root"
        except CommandStoppedError as error:
            failure.cause, failure.printed = error, error.partial
            failure.reason = "not_root" if self._level.password is None else "wrong_password"
            if isinstance(error, CommandTimeoutError):
                failure.reason = "timed_out"
            failure.detail = f"It was {error.diagnosis}."
        if failure.reason == "wrong_password":
            # Sent once more, it might lock the user out.
            self._level.password = None
        raise self._error(failure.reason, failure=failure) from failure.cause

    def is_fresh(self, max_age: float) -> bool:
        """Whether the lists are not older than *max_age* seconds, as far as can be seen."""
        refreshed = self._level.lists_refreshed
        if refreshed is not None and time.monotonic() - refreshed <= max_age:
            return True
        minutes = int(max_age / 60)
        if minutes <= 0:
            return False
        # Paths are lists; what else is printed is a complaint that there are none.
        found = self._run("lists", str(minutes)).output
        return any(line.startswith("/") for line in found.splitlines())

    def refresh(self) -> _Failure:
        """Have the lists fetched; return how that went, which need not be the end of it."""
        self.do("refresh", [])
        if not self.failure.reason:
            self._level.lists_refreshed = time.monotonic()
        return self.failure

    def do(self, verb: str, specs: Sequence[str], flags: str = "") -> None:
        """Have the manager do something, and see whether it said that it could."""
        files = [spec for spec in specs if self.manager.is_file(spec)]
        apart = bool(files) and self.manager.can(f"{verb}_files")
        self.failure = _Failure()
        for part, names in (
            (verb, [spec for spec in specs if not (apart and spec in files)]),
            (f"{verb}_files", files if apart else []),
        ):
            if (names or (not specs and part == verb)) and not self.failure.reason:
                self._do(part, names, flags)

    def _do(self, verb: str, names: list[str], flags: str) -> None:
        if any(self.manager.split(name)[1] for name in names):
            flags = f"{flags} {self.manager.pinned}".strip()
        self._has_run = True
        try:
            result = self._run(verb, *names, flags=flags, checks=True, sudo=self._sudo)
        except CommandError as error:
            self._failed(error.result, error)
        except CommandStoppedError as error:
            self._stopped(error)
        except KeyboardInterrupt:
            with contextlib.suppress(SessionError):
                self._tell_of_interruption()
            raise
        else:
            self._heard(result.raw)
            reason, packages, _ = self.manager.reason(rendered(result.raw), 0)
            # Some say so, and end as if all were well.
            told = ["network"] if verb == "refresh" else ["script_failed"]
            if verb == "upgrade" and set(names) & set(packages):
                told.append("held")
            if reason in told:
                self.failure.reason, self.failure.packages = reason, self._as_asked(packages)

    def _tell_of_interruption(self) -> None:
        self.failure.reason = "interrupted"
        said = [f"{self.manager.name} was interrupted ({self._what}, on {self._here.where})."]
        said.append(self._state())
        if self._asked:
            self.look()
            there = self.result().packages
            now = (f"{one.name} {one.version or '(not installed)'}" for one in there)
            said.append(f"There now: {', '.join(now)}.")
        console.log(" ".join(said), level=console.WARNING)

    def _failed(self, result: Result, error: CommandError) -> None:
        failure = self.failure
        failure.cause, failure.status = error, result.exit_code
        self._heard(result.raw)
        reason, named, holder = self.manager.reason(rendered(result.raw), result.exit_code)
        failure.reason, failure.packages = reason, self._as_asked(named)
        if reason == "locked":
            waited = "" if self._lock_timeout is None else f" after {self._lock_timeout:g} s"
            failure.detail = f"Still locked{waited} by {self._holder(holder)}."
        elif reason in ("interrupted", "script_failed"):
            failure.detail = self._state()

    def _as_asked(self, named: Iterable[str]) -> tuple[str, ...]:
        """Return what the manager has named as it was asked for, and what came with that."""
        asked: dict[str, str] = {}
        for package, spec in self._asked:
            for name in (self.manager.split(spec)[0], spec):
                asked.setdefault(name, package)
        order = [package for package, _ in self._asked]
        found = dict.fromkeys(asked.get(name, name) for name in named)
        return tuple(sorted(found, key=lambda one: order.index(one) if one in order else -1))

    def _stopped(self, error: CommandStoppedError) -> None:
        failure = self.failure
        failure.cause = error
        self._heard(error.partial)
        told, _, holder = self.manager.reason(rendered(error.partial), 0)
        if isinstance(error, CommandTimeoutError):
            failure.reason = "locked" if told == "locked" else "timed_out"
        else:
            failure.reason = "question"
        failure.detail = f"It was {error.diagnosis}. It took {error.recovery}."
        if failure.reason == "locked":
            failure.detail += f" Locked by {self._holder(holder)}."
        elif failure.reason in ("question", "timed_out"):
            failure.detail += f" {self._state()}"

    def _heard(self, raw: bytes) -> None:
        self.failure.printed += raw
        self._output += raw.decode("utf-8", "surrogateescape")

    def _state(self) -> str:
        """Return what the manager says of what it has left undone."""
        if not self.manager.can("state"):
            return f"{self.manager.name} does not tell whether it has left anything undone."
        # Not everybody may ask it.
        result = self._run("state", sudo=self._sudo)
        said = " ".join(result.output.split())
        if not said:
            return f"{self.manager.name} says that nothing is left undone."
        mend = f" {self.manager.mends} puts it right." if self.manager.mends else ""
        return f"{self.manager.name} says: {said.rstrip('.')}.{mend}"

    def _holder(self, told: str) -> str:
        pid = told.partition(" ")[0]
        found = self._here.send(["sh", "-c", _HOLDER, "sh", pid, self.manager.command], check=False)
        return "; ".join(found.output.splitlines()) or (
            f"process {told}"
            if told
            else f"nobody that is there: {self.manager.name} may have "
            "been killed and have left its lock"
        )

    def _run(
        self,
        verb: str,
        *arguments: str,
        flags: str = "",
        checks: bool = False,
        sudo: bool = False,
    ) -> Result:
        """Run what the row has for *verb*; with *checks* it waits for locks, and has to succeed."""
        line = self.manager.line(verb, *arguments, options=flags, asks=self._answers is not None)
        if not checks:
            return self._here.send(line, check=False, timeout=self._timeout, sudo=sudo)
        ends = None if self._lock_timeout is None else time.monotonic() + self._lock_timeout

        def is_locked(error: Exception) -> bool:
            if not isinstance(error, CommandError) or (ends and time.monotonic() >= ends):
                return False
            result = error.result
            return self.manager.reason(rendered(result.raw), result.exit_code)[0] == "locked"

        with self._shows(f"{self.manager.name} {self._what}") as show:
            return self._here.send(
                line,
                check=self.manager.accepted,
                timeout=self._timeout,
                answers=self._answers,
                on_waiting=lambda asking: False,
                on_output=show,
                retry=Retry(sys.maxsize, every=_LOOKS_APART, on=is_locked),
                sudo=sudo,
            )

    def _password(self, waiting: Diagnosis) -> Secret | Literal[False]:
        """Have the person at the terminal give the password that sudo asks for."""
        is_refused = waiting.kind != "password" or not self._asks_left
        if is_refused or not asking.is_person_there():
            return False
        self._asks_left -= 1
        where = self._here.where
        prompt = f"{where.privilege}: password for {where.user} on {where.host}: "
        self._level.password = Secret(asking.get_input(prompt, ispass=True))
        return self._level.password

    # What comes of it

    def result(self) -> PackageResult:
        """Return what there was of what was asked for, and what there is."""
        before, now = self._before or {}, self._now
        asked = self._asked
        if self._looks_at_all:
            names = sorted({**before, **now})
            asked = [(name, name) for name in names if before.get(name) != now.get(name)]
        base = {"": (_IN_THE_BASE, _IN_THE_BASE)}
        return PackageResult(
            tuple(
                Package(
                    package,
                    {**base, **before, **now}[spec][0],
                    version={**base, **now}.get(spec, ("", ""))[1],
                    before={**base, **before}.get(spec, ("", ""))[1],
                )
                for package, spec in asked
            ),
            manager=self.manager.name,
            where=self._here.where,
            output=self._output,
        )

    def judged(self, reason: str = "", wrong: Callable[[], Iterable[str]] = tuple) -> PackageResult:
        """Look again, and return the result; or raise, with *reason* if something is *wrong* then.

        Of a failure it tells what has changed all the same.
        """
        failure = self.failure
        if self._looks_at_all:
            self.look_at_all()
        elif self._asked:
            self.look()
        found = tuple(wrong())
        if not failure.reason and found:
            said, packages, _ = self.manager.reason(rendered(failure.printed), 0)
            failure.reason, failure.packages = said or reason, self._as_asked(packages or found)
        if failure.reason:
            raise self._error(failure.reason, failure=failure) from failure.cause
        return self.result()

    def _error(
        self, reason: str, *, detail: str = "", failure: _Failure | None = None
    ) -> PackageError:
        found = failure or _Failure()
        manager = getattr(self, "manager", None)
        return PackageError(
            f"{manager.name} {self._what}" if manager else self._what,
            reason=reason,
            packages=found.packages,
            result=None if self._before is None else self.result(),
            exit_code=found.status,
            partial=found.printed,
            where=self._here.where,
            detail=detail or found.detail,
            advice=_NOT_YOURS if reason == "not_root" and manager and manager.is_private else "",
        )
