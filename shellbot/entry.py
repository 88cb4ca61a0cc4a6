"""What is typed into a shell that was just logged in to, whichever it is, and what it tells. Pure.

One line proves that it is a shell at all, as nothing else can build the answer; tells what there
is; and makes way for a shell of the table, started as the session's own is. Any shell takes it:
it holds no ``!`` (csh), no backslash before a quote (fish) and no newline.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import cache

from . import dialects, frames, managers
from .errors import UnknownNameError
from .result import Where
from .surroundings import NOT_INHERITED, PAGERS, TERM
from .text import quote

_MANAGERS = tuple(row.command for row in managers.TABLE)
_SHELLS = ("bash", "zsh", "ksh93", "ksh", "mksh", "dash", "busybox")
_PRIVILEGE = ("sudo", "doas")
_MODES = dialects.MODES + " rows {rows} cols {columns}"
_SCRIPT = r"""
__sb_k={key};
{{ stty {modes} && s=ok;
test -c /dev/null && true </dev/tty && d=ok;
printf "\036%s[" $__sb_k;
printf "%s\n" "stty=$s" "dev=$d" "shell=$SHELL" "host=$(uname -n || hostname)"
 "user=$(id -un || id -u)" "uname=$(uname -s)" "sh=$(readlink -f /bin/sh)" "in=$container";
for f in /.dockerenv /run/.containerenv; do test -e $f && echo in=$f; done;
for c in {names}; do command -v $c; done;
grep -E "^(ID|ID_LIKE|VERSION_ID)=" /etc/os-release;
printf "%s]" $__sb_k; }} 2>&-;
read -r l; eval "$l"
"""

# busybox's login waits for the shell in the shell's own group, and leads the session: Ctrl-C would
# end it, and all on that line. There the shell gets a group to itself, from one that waits for it.
_GROUP = (
    "if {{ read -r __sb_p __sb_p __sb_p __sb_p __sb_g __sb_p __sb_l </proc/$$/stat; }} 2>&- && "
    'test "$__sb_g" = "$__sb_p" && test "$__sb_g" != $$; then set -m; {words}; exit; fi; '
)


class Entry:
    """One coming to a shell."""

    def __init__(self, *, depth: int, size: tuple[int, int], shell: str | None) -> None:
        if shell is not None and not any(shell in row.programs for row in dialects.TABLE):
            raise UnknownNameError("shell", shell, (row.name for row in dialects.TABLE))
        self._key = frames.new_key()
        self._depth = depth
        self._size = size
        self._wanted = shell

    @property
    def line(self) -> bytes:
        """What to type."""
        script = _SCRIPT.replace("\n", " ").format(
            key=self._key,
            modes=_MODES.format(rows=self._size[0], columns=self._size[1]),
            names=" ".join((*_SHELLS, *_MANAGERS, *_PRIVILEGE)),
        )
        return f" exec /bin/sh -c '{script.strip()}'\n".encode()

    @property
    def line_without_trace(self) -> bytes:
        """The same, for a shell whose history takes lines that begin with a blank.

        bash, zsh and tcsh write it as they make way. Where HISTFILE cannot be changed, some do
        nothing of this.
        """
        return b" unset HISTFILE savehist;" + self.line

    def told(self, printed: bytes) -> Facts | None:
        """Return what the shell has told, once it has."""
        key = self._key.encode()
        found = re.search(rb"\x1e%b\[(.*?)\n%b\]" % (key, key), printed, re.DOTALL)
        if not found:
            return None
        # It is shown to people: nothing of it may clear their screen, or be no text at all.
        lines = found.group(1).decode("utf-8", "replace").split("\n")
        told = "\n".join("".join(filter(str.isprintable, line)) for line in lines)
        return Facts(told, self._depth, self._wanted)

    def opening(self, facts: Facts, *, relayed: bool = False) -> bytes:
        """Return what to type for the shell to be started, which may be behind a relay."""
        assert facts.dialect
        settings = {**dict.fromkeys(PAGERS, "cat"), "TERM": TERM, **facts.dialect.environment}
        exports = " ".join(f"{name}={quote(value)}" for name, value in settings.items())
        words = " ".join(map(quote, (*facts.program, *facts.dialect.arguments)))
        unset = " ".join(name for name in NOT_INHERITED if name.isidentifier() and name != "_")
        # In no other shell does the variable have that value.
        steps = f"unset {unset}; export {exports}; "
        if relayed:
            steps += _GROUP.format(words=words)
        steps += f"exec {words}"
        return f'test "$__sb_k" = {self._key} && {{ {steps}; }}\n'.encode()


class Facts:
    """What a shell told of where it is."""

    def __init__(self, told: str, depth: int, wanted: str | None) -> None:
        lines = told.split("\n")
        facts = dict(one.split("=", 1) for one in lines if re.match(r"\w+=", one))
        paths = {one.rpartition("/")[2]: one for one in lines if one.startswith("/")}
        self.missing = "" if facts.get("dev") == "ok" else "/dev/null or no /dev/tty"
        """What the session relies on and is not there."""
        if facts.get("stty") != "ok":
            self.missing = "stty"
        self.program: tuple[str, ...] = ()
        """What to start the shell with."""
        self.dialect = self._chosen(facts, paths, wanted)
        """The shell to start, or None if the wanted one is not there."""
        self.where = Where(
            host=facts.get("host") or "?",
            user=facts.get("user") or "?",
            depth=depth,
            shell=self.dialect.name if self.dialect else "",
            system=system(facts),
            manager=manager(facts, paths),
            privilege=next((one for one in _PRIVILEGE if one in paths), ""),
            container=any(one.startswith("in=") and one != "in=" for one in lines),
        )

    def _chosen(
        self, facts: Mapping[str, str], paths: Mapping[str, str], wanted: str | None
    ) -> dialects.Dialect | None:
        own = facts.get("shell", "").rpartition("/")[2]
        candidates = (wanted,) if wanted else (own, "bash")
        for name in candidates:
            for row in dialects.TABLE:
                path = next((paths[one] for one in row.programs if one in paths), None)
                if name in row.programs and path:
                    self.program = (path, "ash") if row.name == "ash" else (path,)
                    return row
        if wanted:
            return None
        # What is behind /bin/sh; and if nobody knows, the shell that has the least of its own.
        self.program = ("/bin/sh",)
        behind = facts.get("sh", "").rpartition("/")[2]
        rows = [row for row in dialects.TABLE if behind in row.programs]
        return rows[0] if rows else next(row for row in dialects.TABLE if row.name == "dash")


def system(facts: Mapping[str, str]) -> str:
    """Return the system's name and version."""
    name, version = (facts.get(key, "").strip("'\"") for key in ("ID", "VERSION_ID"))
    return f"{name} {version}".strip() or facts.get("uname", "")


def manager(facts: Mapping[str, str], commands: Iterable[str]) -> str:
    """Return the native package manager among *commands*."""
    families = f"{facts.get('ID', '')} {facts.get('ID_LIKE', '')} {facts.get('uname', '')}".lower()
    found = managers.native(re.findall(r"[\w-]+", families), commands)
    return found.name if found else ""


@cache
def _commands_in(path: str) -> list[str]:
    return [
        name
        for name in (*_MANAGERS, *_PRIVILEGE)
        if any(os.access(f"{directory}/{name}", os.X_OK) for directory in path.split(":"))
    ]


def here(depth: int = 0, shell: str = "") -> Where:
    """Return where this very process runs."""
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run as a number that has no name
        user = str(os.geteuid())
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as file:
            facts = dict(line.strip().split("=", 1) for line in file if re.match(r"\w+=", line))
    except OSError:
        facts = {}
    facts["uname"] = os.uname().sysname
    commands = _commands_in(os.environ.get("PATH", os.defpath))
    return Where(
        host=os.uname().nodename,
        user=user,
        depth=depth,
        shell=shell,
        system=system(facts),
        manager=manager(facts, commands),
        privilege=next((one for one in _PRIVILEGE if one in commands), ""),
        container="container" in os.environ
        or any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))),
    )
