"""The package managers: what each is told to do, and what its words mean. Pure.

Each is one row of a table. What a row runs, it runs in ``sh``, with the names as its arguments
(``"$@"``), so that no name is ever read by a shell. What tells of packages prints a line for each,
``+NAME VERSION STATE``, and ``=NAME`` in front of what it tells for one that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .errors import UnknownNameError, UsageError
from .text import quote

# How each name is asked for that a row's own words tell of: "$n" is the name.
# What echo prints for a backslash is the shell's own affair.
_EACH = 'for n; do printf "=%s\\n" "$n"; {}; done'
# What every command has: words that are known, and nobody to answer.
_ENVIRONMENT = {"LC_ALL": "C", "TERM": "dumb"}

Words = tuple[tuple[str, str], ...]


class Manager:
    """One package manager.

    *verbs* are shell commands by what they do. *words* are reasons and what is printed for them;
    a group in such a pattern is a package that it is about, or if it is called ``holder`` the
    process that has the lock. The first that is found counts.
    """

    def __init__(
        self,
        name: str,
        command: str,
        *,
        systems: Sequence[str],
        family: str,
        verbs: Mapping[str, str],
        words: Words,
        statuses: Mapping[int, str] | None = None,
        environment: Mapping[str, str] | None = None,
        asking: Mapping[str, str] | None = None,
        configuration: Mapping[str, str] | None = None,
        pinned: str = "",
        pin: str = r"[=<>~].*",
        refuses: str = r"[*?\[\]]",
        files: str = r"(?!)",
        absent: str,
        is_private: bool = False,
        mends: str = "",
    ) -> None:
        self.name = name
        """What it is called: apt, dnf, ..."""
        self.command = command
        """The command that is looked for."""
        self.systems = tuple(systems)
        """The systems that it is native to, as os-release has them in ID."""
        self.family = family
        """Which of the names it knows, in :mod:`shellbot.package_names`."""
        self.verbs = verbs
        self.words = words
        self.statuses = statuses or {}
        """What its exit statuses mean, where that is sure; nothing for one that is as good as 0."""
        self.environment = {**_ENVIRONMENT, **(environment or {})}
        self.asking = asking or {}
        """What is another one there for it to ask."""
        self.configuration = configuration or {}
        """What is told it for each way with configuration files that were changed."""
        self.pinned = pinned
        """What is told it where a version is asked for."""
        self.pin = pin
        """What follows a name that asks for a version; behind a dash it may be the name's own."""
        self.refuses = refuses
        """What in a name would mean something else than that name."""
        self.files = files
        """How the files end that it takes."""
        self.absent = absent
        """What it says of what it does not know, and of nothing else."""
        self.is_private = is_private
        """Whether it belongs to a user, and root must not run it."""
        self.mends = mends
        """What puts it right after it was interrupted."""

    def __repr__(self) -> str:
        return f"<Manager {self.name}>"

    def can(self, verb: str) -> bool:
        """Whether it knows how to."""
        return verb in self.verbs

    @property
    def accepted(self) -> tuple[int, ...]:
        """The exit statuses that are as good as 0."""
        return (0, *(status for status, reason in self.statuses.items() if not reason))

    def line(self, verb: str, *arguments: str, options: str = "", asks: bool = False) -> str:
        """Return what to run for *verb*, or say that it cannot.

        It has no standard input, and is told to ask nothing, unless it *asks*.
        """
        if verb not in self.verbs:
            raise UsageError(f"{self.name} has no way to {verb.replace('_', ' ')}")
        script = self.verbs[verb].replace(" OPTIONS", f" {options}" if options else "")
        environment = {**self.environment, **(self.asking if asks else {})}
        settings = (f"{name}={quote(value)}" for name, value in environment.items())
        words = " ".join(map(quote, ("sh", "-c", script, "sh", *arguments)))
        return f"env {' '.join(settings)} {words}{'' if asks else ' </dev/null'}"

    def is_file(self, wanted: str) -> bool:
        """Whether *wanted* is a file or a URL, and no name."""
        return re.search(rf"(?:{self.files})\Z", wanted) is not None

    def split(self, wanted: str) -> tuple[str, str]:
        """Return the name in *wanted*, and what it asks of the version."""
        found = None if self.is_file(wanted) else re.search(self.pin, wanted)
        return (wanted[: found.start()], found.group()) if found else (wanted, "")

    def check(self, wanted: str) -> None:
        """Make sure that *wanted* is what can be asked for by that name."""
        if not wanted or wanted.startswith("-") or not wanted.isprintable():
            raise UsageError(f"{wanted!r} is no name of a package")
        if self.is_file(wanted):
            return
        if re.search(r"\s", wanted):
            raise UsageError(f"{wanted!r} is not one name; give each as an argument of its own")
        name, pin = self.split(wanted)
        if pin and not re.fullmatch(r"[-=<>~/]{1,2}[\w.+:~*?^-]+", pin):
            raise UsageError(f"{wanted!r} asks for what is no version")
        if not name or re.search(self.refuses, name):
            raise UsageError(f"{wanted!r} would mean something else to {self.name} than one name")

    def complains(self, printed: str) -> bool:
        """Whether what was *printed* for a question is more than that something is not there."""
        return any(
            line and line[0] not in "=+" and not re.search(self.absent, line)
            for line in map(str.strip, printed.splitlines())
        )

    def reason(self, printed: str, status: int) -> tuple[str, tuple[str, ...], str]:
        """Return why it failed, for which packages, and who holds the lock, if it said so."""
        said = (name for name, words in self.words if re.search(words, printed, re.MULTILINE))
        reason = next(said, None)
        if reason is None:
            if status in self.accepted:
                return "", (), ""
            return self.statuses.get(status, "no_manager" if status == 127 else "failed"), (), ""
        named: dict[str, str] = {}
        for pattern in (pattern for name, pattern in self.words if name == reason):
            for found in re.finditer(pattern, printed, re.MULTILINE):
                named.update((one, group) for group, one in found.groupdict().items() if one)
        holders = [one for one, group in named.items() if group == "holder"]
        names = tuple(one for one in named if one not in holders)
        return reason, names, next(iter(holders), "")


def told(printed: str) -> dict[str, list[tuple[str, str, str]]]:
    """Return the packages that were told of, each as name, version and state, by what was asked."""
    found: dict[str, list[tuple[str, str, str]]] = {"": []}
    asked = ""
    for line in printed.splitlines():
        if line.startswith("="):
            asked = line[1:]
            found[asked] = []
        elif line.startswith("+"):
            name, version, state = (*line[1:].split(" ", 2), "", "", "")[:3]
            found[asked].append((name, version, state))
    return found


def fits(version: str, pin: str) -> bool | None:
    """Whether *version* is what *pin* asks for; None if that is for the manager to say."""
    wanted = re.sub(r"\A(?:==?|-)", "", pin)
    if re.match(r"[<>~/@:]", wanted):
        return None
    pattern = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    short = version.partition(":")[2] or version
    forms = {version, short, version.rpartition("-")[0], short.rpartition("-")[0]}
    return any(re.fullmatch(pattern, form) for form in forms if form)


_DISK_FULL = r"[Nn]o space left on device"
_APT = "apt-get -y -o Dpkg::Use-Pty=0 OPTIONS"
_DPKG = "${Package} ${Version} ${db:Status-Status}"
_RPM = "+%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n"
_RPM_VERBS = {
    # By name or name and version, by what it provides, and by a pattern of those.
    "query": _EACH.format(
        f"r=$(rpm -q --qf '{_RPM}' \"$n\") || r=$(rpm -q --qf '{_RPM}' --whatprovides \"$n\") || "
        "r=$(rpm -qa --qf '%{NAME}-%{VERSION}-%{RELEASE} " + _RPM + "' | "
        'while read -r full rest; do case $full in $n|$n-*) echo "$rest";; esac; done); echo "$r"'
    ),
    "every": f"rpm -qa --qf '{_RPM}'",
    "describe": _EACH.format(f"rpm -qp --nosignature --qf '{_RPM}' \"$n\" 2>/dev/null"),
    "owner": "rpm -qf --qf '+%{NAME}\\n' \"$1\"",
    "changed": "rpm -Va --nodeps --noscripts | "
    "sed -n 's/^\\(missing  \\|..5......\\) *c  *\\(.*\\)/+\\2/p'",
}
_RPM_WORDS: Words = (
    (
        "disk_full",
        r"installing package (?P<name>\S+?)-[^-\s]+-[^-\s]+ needs \S+ (?:more )?space on the"
        r"|Disk Requirements:|" + _DISK_FULL,
    ),
    (
        "script_failed",
        r"%(?:pre|post)\w*\((?P<name>.+?)-[^-]+-[^-]+\) scriptlet failed"
        r"|scriptlet in rpm package (?P<package>\S+)",
    ),
)
_RPM_ABSENT = (
    r"^package .* is not installed$|^no package provides |^file .* is not owned by any package$"
    r"|^error: file .*: No such file or directory$|^warning: "
)
# A name may end like that as well.
_DASHED = r"-\d[^-]*(?:-[^-]*)?\Z"
_DNF_WORDS: Words = (
    (
        "not_root",
        r"has to be run with superuser privileges|operation requires superuser privileges"
        r"|need to be root to perform",
    ),
    (
        "locked",
        r"already locked by (?P<holder>\d+)|[Ww]aiting for process with pid \d+ to finish"
        r"|[Ff]ailed to obtain (?:the |rpm )?transaction lock"
        r"|can't create transaction lock|another copy is running as pid"
        r"|currently holding the (?:yum|dnf) lock",
    ),
    *_RPM_WORDS,
    (
        "untrusted",
        r"GPG check FAILED|[Pp]ublic key for \S+ is not installed|is not signed"
        r"|GPG key .*(?:but they are not correct|not installed)|Key import failed",
    ),
    (
        "network",
        r"Failed to download metadata|Cannot (?:download|prepare|retrieve)|Curl error"
        r"|Could not resolve host|valid baseurl|No more mirrors to try|Usable URL not found"
        r"|Error downloading packages|retrieve mirrorlist",
    ),
    ("unsupported", r"No such command: versionlock"),
    ("held", r"filtered out by exclude|versionlock"),
    (
        "conflict",
        r"nothing provides .* needed by (?P<name>\S+?)-[^-\s]+-[^-\s]+(?: from \S+)?$"
        r"|nothing provides |conflicting requests|Depsolve|file conflicts|conflicts with file"
        r"|Problem(?: \d+)?: ",
    ),
    (
        "not_found",
        r"(?:No match for argument: |Unable to find a match: |No package )(?P<name>\S+)"
        r"|Could not open: (?P<file>\S+)|Can not load RPM file",
    ),
)
_DNF_VERBS = {
    **_RPM_VERBS,
    "install": 'dnf -y --color=never --setopt=exit_on_lock=True OPTIONS install "$@"',
    "remove": 'dnf -y --color=never --setopt=exit_on_lock=True remove "$@"',
    "refresh": "dnf -y --color=never --setopt=exit_on_lock=True makecache --refresh",
    "lists": "find /var/cache/dnf/*/repodata /var/cache/libdnf5/*/repodata "
    '-name "*-primary.xml*" -mmin -"$1"',
    "upgrade": 'dnf -y --color=never --setopt=exit_on_lock=True upgrade "$@"',
    "available": _EACH.format(
        'dnf -q --color=never repoquery --latest-limit=1 --arch="$(uname -m),noarch" '
        "--qf '+%{name} %{evr}\\n' \"$n\""
    ),
    "hold": 'dnf -q -y versionlock add "$@"',
    "unhold": 'dnf -q -y versionlock delete "$@"',
    "provides": "dnf -q --color=never repoquery --latest-limit=1 --qf '+%{name}\\n' "
    '"/usr/bin/$1" "/usr/sbin/$1" "/bin/$1" "/sbin/$1"',
    "manual": "dnf -q --color=never repoquery --userinstalled --qf '+%{name}\\n'",
}
# Interrupted, zypper is gone, and its rpm is not: a package's script, to which Ctrl-C is nothing,
# would go on reading what is typed.
_ZYPPER = "trap : INT; zypper --non-interactive --no-color"
_LEFT_BY_ZYPPER = (
    '; s=$?; while p=$(pgrep -d, -g 0 -f "^rpm --root .* --dbpath "); do pkill -P "$p"; '
    'sleep 0.1; done; exit "$s"'
)

TABLE = (
    Manager(
        "apt",
        "apt-get",
        systems=("debian", "ubuntu"),
        family="debian",
        environment={
            "DEBIAN_FRONTEND": "noninteractive",
            "APT_LISTCHANGES_FRONTEND": "none",
            "NEEDRESTART_MODE": "l",
        },
        asking={"DEBIAN_FRONTEND": "readline"},
        configuration={
            "keep": "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold",
            "replace": "-o Dpkg::Options::=--force-confnew",
            "ask": "",
        },
        pin=r"[=/].*",
        pinned="--allow-downgrades",
        # "vim-" removes vim, "vim+" installs it, and what is no name is a regular expression.
        refuses=r"[^a-zA-Z0-9.+:-]|-\Z|\A[^a-zA-Z0-9]",
        files=r"\.deb",
        mends="dpkg --configure -a",
        absent=r"^dpkg-query: no (?:packages|path) found matching |^[NW]: ",
        verbs={
            "install": _APT + ' install "$@"',
            "remove": _APT + ' remove "$@"',
            "refresh": "apt-get -o APT::Update::Error-Mode=any update",
            "lists": "ls /var/lib/apt/lists/*Packages* >/dev/null && "
            'find /var/lib/apt/lists/partial -prune -mmin -"$1"',
            "upgrade": _APT + ' --only-upgrade install "$@"',
            "upgrade_all": _APT + " --with-new-pkgs upgrade",
            "query": _EACH.format(f"dpkg-query -W -f '+{_DPKG}\\n' \"$n\""),
            "every": f"dpkg-query -W -f '+{_DPKG}\\n'",
            "describe": _EACH.format(
                "dpkg-deb -W --showformat '+${Package} ${Version}\\n' \"$n\" 2>/dev/null"
            ),
            "available": _EACH.format(
                'apt-cache policy -- "$n" | while read -r key version; do case $key$version in '
                '"Candidate:(none)") ;; Candidate:*) echo "+$n $version";; esac; done'
            ),
            "hold": 'apt-mark hold "$@"',
            "unhold": 'apt-mark unhold "$@"',
            "owner": 'for p in "$1" "${1#/usr}" "/usr$1" "$(readlink -f "$1")"; do '
            'dpkg-query -S "$p"; done | '
            "sed -n '/^diversion by/d; s/[:,].*//; s/^/+/p'",
            "provides": 'command -v apt-file >/dev/null && apt-file -x search "/s?bin/$1\\$" | '
            "sed -n 's/^\\([^:]*\\):.*/+\\1/p'",
            "manual": "apt-mark showmanual | sed 's/^/+/'",
            "changed": "dpkg --verify | "
            "sed -n 's/^\\(missing  \\|..5......\\) *c *\\(.*\\)/+\\2/p'",
            "mend": "dpkg --configure -a --force-confdef --force-confold",
            "state": "dpkg --audit",
        },
        words=(
            ("not_root", r"are you root\?|requires superuser privilege"),
            (
                "locked",
                r"Could not get lock \S+ (?:It is )?held by process (?P<holder>\d+(?: \(\S+\))?)"
                r"|Could not get lock|lock was locked by another process|Unable to lock directory",
            ),
            ("interrupted", r"dpkg was interrupted, you must"),
            ("disk_full", _DISK_FULL + r"|have enough free space in"),
            ("held", r"Held packages were changed and -y was used"),
            (
                "untrusted",
                r"There were unauthenticated packages|is not signed\.|NO_PUBKEY|EXPKEYSIG"
                r"|does not have a Release file|no longer has a Release file",
            ),
            (
                "script_failed",
                r"^dpkg: error processing (?:package|archive) (?:\S*/)?(?P<name>[^\s/_]+)\S* .*\n"
                r".*script"
                r"|subprocess returned error exit status|subprocess was (?:interrupted|killed)",
            ),
            ("not_found", r"Unable to locate package (?P<name>\S+)"),
            (
                "not_found",
                r"Version '[^']*' for '(?P<name>[^']+)' was not found"
                r"|Release '[^']*' for '(?P<released>[^']+)' was not found"
                r"|Package '(?P<virtual>[^']+)' has no installation candidate"
                r"|Couldn't find any package by \w+ '(?P<pattern>[^']+)'"
                r"|Unsupported file (?P<file>.+) given",
            ),
            (
                "network",
                r"Failed to fetch|Could not resolve|Could not connect|Temporary failure resolving"
                r"|Some index files failed to download|Unable to fetch some archives",
            ),
            (
                "conflict",
                r"^ (?P<name>\S+) : (?:Pre)?(?:Depends|Conflicts|Breaks): "
                r"|unmet dependencies|held broken packages|Unable to satisfy dependencies",
            ),
        ),
    ),
    Manager(
        "dnf",
        "dnf",
        systems=("fedora", "rhel", "centos", "rocky", "almalinux", "ol", "amzn"),
        family="fedora",
        pin=_DASHED,
        refuses=r"\A@|[*?\[\]]",
        files=r"\.rpm",
        absent=_RPM_ABSENT,
        verbs=_DNF_VERBS,
        words=_DNF_WORDS,
    ),
    Manager(
        "yum",
        "yum",
        systems=("rhel", "centos", "ol", "amzn"),
        family="fedora",
        pin=_DASHED,
        refuses=r"\A@|[*?\[\]]",
        files=r"\.rpm",
        absent=_RPM_ABSENT + r"|No matching Packages to list|No matches found",
        verbs={
            **_RPM_VERBS,
            "install": 'yum -y --setopt=exit_on_lock=True OPTIONS install "$@"',
            "remove": 'yum -y --setopt=exit_on_lock=True remove "$@"',
            "refresh": "yum -y --setopt=exit_on_lock=True makecache",
            "lists": 'find /var/cache/yum /var/cache/dnf -name "*-primary.xml*" -mmin -"$1" -o '
            '-name cachecookie -mmin -"$1"',
            "upgrade": 'yum -y --setopt=exit_on_lock=True update "$@"',
            "available": _EACH.format(
                'yum -q --showduplicates list "$n" | '
                "while read -r name version rest; do "
                'case $name in "$n".*) echo "+$n $version";; esac; done | tail -n 1'
            ),
            "hold": 'yum -q -y versionlock add "$@"',
            "unhold": 'yum -q -y versionlock delete "$@"',
            "manual": "yum -q history userinstalled | sed -n 's/^\\(.*\\)-[^-]*-[^-]*$/+\\1/p'",
            "provides": 'yum -q provides "*/bin/$1" | '
            "sed -n 's/^\\([^ ]*\\)-[^-]*-[^-]* : .*/+\\1/p'",
        },
        words=_DNF_WORDS,
    ),
    Manager(
        "zypper",
        "zypper",
        systems=("opensuse", "suse", "sles", "sled"),
        family="suse",
        # It shows a licence by this, and falls over a name that is no path.
        environment={"PAGER": "/bin/cat"},
        pinned="--oldpackage",
        pin=r"[=<>].*",
        refuses=r"[*?\[\]]|\A[!+~@]",
        files=r"\.rpm",
        absent=_RPM_ABSENT,
        verbs={
            **_RPM_VERBS,
            "install": f'{_ZYPPER} install OPTIONS "$@"{_LEFT_BY_ZYPPER}',
            "install_files": f'{_ZYPPER} install --allow-unsigned-rpm OPTIONS "$@"'
            f"{_LEFT_BY_ZYPPER}",
            "remove": f'{_ZYPPER} remove "$@"{_LEFT_BY_ZYPPER}',
            "refresh": "zypper --non-interactive --no-color refresh",
            # The rest of it stays as it is if there is nothing new.
            "lists": 'find /var/cache/zypp/raw/*/repodata/repomd.xml -mmin -"$1"',
            "upgrade": f'{_ZYPPER} update "$@"{_LEFT_BY_ZYPPER}',
            "available": _EACH.format(
                'zypper --non-interactive --no-color --no-refresh info "$n" | '
                "while read -r key colon version; do "
                'case $key in Version) echo "+$n $version";; esac; done'
            ),
            "hold": 'zypper --non-interactive addlock "$@"',
            "unhold": 'zypper --non-interactive removelock "$@"',
            "provides": "zypper --non-interactive --no-color --no-refresh search --provides "
            '--match-exact "/usr/bin/$1" "/usr/sbin/$1" "/bin/$1" "/sbin/$1" | '
            "sed -n 's/^[^|]*| *\\([^ |]*\\) *|.*| package *$/+\\1/p'",
            "manual": "zypper --non-interactive --no-color --no-refresh search -i -t package | "
            "sed -n 's/^i+ *| *\\([^ |]*\\) *|.*/+\\1/p'",
        },
        statuses={
            5: "not_root",
            7: "locked",
            # What was to be installed is there; what else there is to say is told in words.
            102: "",
            103: "",
            104: "not_found",
            105: "interrupted",
            106: "",
            107: "script_failed",
        },
        words=(
            ("not_root", r"Root privileges are required"),
            (
                "locked",
                r"locked by the application with pid (?P<holder>\d+ \([^)]*\))"
                r"|PackageKit is blocking zypper",
            ),
            *_RPM_WORDS,
            ("untrusted", r"[Ss]ignature verification failed|is not signed|unknown GnuPG key"),
            (
                "network",
                r"Curl error|Could not resolve host|Timeout exceeded when|Connection refused"
                r"|Valid metadata not found at|Connection failed"
                r"|Failed to (?:cache|download|provide)|Can't provide file",
            ),
            ("held", r"[Ll]ocked by|lock\(s\)|remove lock to allow"),
            (
                "conflict",
                r"nothing provides .* needed by (?:the to be installed )?"
                r"(?P<name>\S+?)-[^-\s]+-[^-\s]+$|^Problem(?: \d+)?: ",
            ),
            ("licence", r"need for license confirmation"),
            (
                "not_found",
                r"Package '(?P<name>[^']+)' not found\.|No provider of '(?P<provider>[^']+)' found"
                r"|'(?P<other>[^']+)' not found in package names"
                r"|Problem with the RPM file specified as '(?P<file>[^']+)'",
            ),
        ),
    ),
    Manager(
        "pacman",
        "pacman",
        systems=("arch", "archarm", "manjaro", "endeavouros"),
        family="arch",
        refuses=r"[*?\[\]/]",
        files=r"\.pkg\.tar(?:\.\w+)?",
        absent=r"^error: (?:package '.*' was not found|No package owns .*)$|^warning: ",
        verbs={
            "install": 'pacman --noconfirm --noprogressbar --color never -S --needed "$@"',
            "install_files": 'pacman --noconfirm --noprogressbar --color never -U --needed "$@"',
            "remove": 'pacman --noconfirm --noprogressbar --color never -R "$@"',
            "refresh": "pacman --noconfirm --noprogressbar --color never -Sy",
            "lists": 'find /var/lib/pacman/sync -prune -mmin -"$1"',
            # Asked for by name, it takes one that is held as well.
            "upgrade": 'for n; do ! pacman-conf IgnorePkg | grep -qxF "$n" || '
            '{ echo "error: $n is in IgnorePkg"; exit 1; }; done; '
            'pacman --noconfirm --noprogressbar --color never -S --needed "$@"',
            "upgrade_all": "pacman --noconfirm --noprogressbar --color never -Su",
            "query": _EACH.format('pacman -Q -- "$n" | sed "s/^/+/"'),
            "every": "pacman -Q | sed 's/^/+/'",
            "describe": _EACH.format('pacman -Qp -- "$n" 2>/dev/null | sed "s/^/+/"'),
            "available": _EACH.format(
                'pacman -Si -- "$n" | while read -r key colon version; do '
                'case $key in Version) echo "+$n $version"; break;; esac; done'
            ),
            "hold": 'for n; do grep -qxF "IgnorePkg = $n" /etc/pacman.conf || '
            'sed -i "s/^\\[options\\].*/&\\nIgnorePkg = $n/" /etc/pacman.conf; done',
            "unhold": 'for n; do sed -i "/^IgnorePkg = $n\\$/d" /etc/pacman.conf; done',
            "owner": 'pacman -Qqo -- "$1" | sed "s/^/+/"',
            "provides": 'pacman -Fq -- "usr/bin/$1" "usr/sbin/$1" | sed "s,^.*/,+,"',
            "manual": "pacman -Qqe | sed 's/^/+/'",
            "changed": "pacman -Qii | "
            "sed -n 's/^\\(MODIFIED\\|UNREADABLE\\|MISSING\\)[\t ]*\\(.*\\)/+\\2/p; "
            "s/^.*[\t ]\\(\\/.*\\) \\[\\(modified\\|missing\\)\\]$/+\\1/p'",
            "state": "test ! -e /var/lib/pacman/db.lck || "
            "echo 'the lock file /var/lib/pacman/db.lck is there'",
        },
        words=(
            ("not_root", r"unless you are root"),
            ("locked", r"could not lock database|unable to lock database"),
            ("held", r"error: (?P<name>\S+) is in IgnorePkg"),
            ("disk_full", r"too full|not enough free disk space|" + _DISK_FULL),
            (
                "script_failed",
                r"^\w+ing (?P<name>\S+)\.\.\.\n(?:(?!\w+ing \S+\.\.\.$).*\n)*?"
                r"error: command failed to execute correctly",
            ),
            ("script_failed", r"command failed to execute correctly|scriptlet failed"),
            (
                "untrusted",
                r"unknown trust|invalid or corrupted package \(PGP|keyring is not writable"
                r"|could not be looked up remotely|missing required signature",
            ),
            (
                "network",
                r"failed retrieving file|failed to synchronize|failed to retrieve some files"
                r"|download library error|could not find database",
            ),
            ("conflict", r"could not satisfy dependencies|conflicting (?:dependencies|files)"),
            (
                "conflict",
                r"unable to satisfy dependency '[^']*' required by (?P<name>\S+)"
                r"|breaks dependency '[^']*' required by|unresolvable package conflicts",
            ),
            (
                "not_found",
                r"target not found: (?P<name>\S+)|could not find or read package"
                r"|'(?P<file>[^']+)': could not (?:find|open)|database file for .* does not exist",
            ),
        ),
    ),
    Manager(
        "apk",
        "apk",
        systems=("alpine", "postmarketos"),
        family="alpine",
        files=r"\.apk",
        refuses=r"[*?\[\]!@]",
        absent=r"Could not find owner package|^WARNING: ",
        verbs={
            "install": 'apk add --no-progress "$@"',
            "install_files": 'apk add --no-progress --allow-untrusted "$@"',
            "remove": 'apk del --no-progress "$@"',
            "refresh": "apk update --no-progress",
            "lists": 'find /var/cache/apk/APKINDEX* /etc/apk/cache/APKINDEX* -prune -mmin -"$1"',
            "upgrade": 'apk add --no-progress -u "$@"',
            "upgrade_all": "apk upgrade --no-progress",
            "query": _EACH.format(
                "apk info -e -v \"$n\" | sed 's/^\\(.*\\)-\\([0-9][^-]*-r[0-9]*\\)$/+\\1 \\2/'"
            ),
            "every": "apk info -v | sed -n 's/^\\(.*\\)-\\([0-9][^-]*-r[0-9]*\\)$/+\\1 \\2/p'",
            "available": _EACH.format(
                "apk search -e \"$n\" | sed 's/^\\(.*\\)-\\([0-9][^-]*-r[0-9]*\\)$/+\\1 \\2/'"
            ),
            "owner": 'apk info -W "$1" | '
            "sed -n 's/.* is owned by \\(.*\\)-[0-9][^-]*-r[0-9]*$/+\\1/p'",
            "provides": "apk search -x \"cmd:$1\" | sed 's/^\\(.*\\)-[0-9][^-]*-r[0-9]*$/+\\1/'",
            "manual": "sed '/^!/d; s/^\\([^=<>~@]*\\).*/+\\1/' /etc/apk/world",
            "changed": "apk audit --backup | sed -n 's,^[UX] ,+/,p'",
        },
        words=(
            ("not_root", r"Unable to lock database: Permission denied"),
            ("locked", r"Unable to lock database: (?:temporary error|Resource temporarily)"),
            ("disk_full", _DISK_FULL),
            ("untrusted", r"UNTRUSTED signature"),
            (
                "network",
                r"^(?:ERROR|WARNING): .*(?:temporary error \(try again later\)"
                r"|DNS(?: lookup)? error|DNS: transient error|network error"
                r"|could not connect to server|remote server returned error"
                r"|network connection aborted|operation timed out)",
            ),
            (
                "script_failed",
                r"(?P<name>\S+)-[0-9][^-]*-r\d+\.(?:(?:pre|post)-(?:install|upgrade|deinstall)"
                r"|trigger): script exited",
            ),
            (
                "conflict",
                r"^\s+(?:breaks|conflicts|masked in): "
                r"|\((?:no such package|missing)\):\n\s+required by: (?!world\[)"
                r"|trying to overwrite \S+ owned by",
            ),
            (
                "conflict",
                r"^\s+breaks: world\[(?P<pinned>[^]=<>~]+)|not removed due to:\n  (?P<name>\S+):",
            ),
            ("not_found", r"^\s+(?P<name>\S+) \((?:no such package|missing)\):$"),
            ("not_found", r"No such package: (?P<name>\S+)"),
        ),
    ),
    Manager(
        "xbps",
        "xbps-install",
        systems=("void",),
        family="void",
        pin=r"[<>].*|-[^-]+_\d+\Z",
        absent=r"not found|^WARNING: ",
        verbs={
            "install": 'xbps-install -y "$@"',
            "remove": 'xbps-remove -y "$@"',
            "refresh": "xbps-install -S",
            "lists": 'find /var/db/xbps -name "*-repodata" -mmin -"$1"',
            "upgrade": 'xbps-install -Suy "$@"',
            "query": _EACH.format(
                "xbps-query -p pkgver \"$n\" | sed -n 's/^\\(.*\\)-\\([^-]*_[0-9]*\\)$/+\\1 \\2/p'"
            ),
            "every": "xbps-query -l | sed -n 's/^ii \\([^ ]*\\)-\\([^- ]*_[0-9]*\\) .*/+\\1 \\2/p'",
            "available": _EACH.format(
                'xbps-query -R -p pkgver "$n" | '
                "sed -n 's/^\\(.*\\)-\\([^-]*_[0-9]*\\)$/+\\1 \\2/p'"
            ),
            "hold": 'xbps-pkgdb -m hold "$@"',
            "unhold": 'xbps-pkgdb -m unhold "$@"',
            "owner": "xbps-query -o \"$1\" | sed -n 's/^\\(.*\\)-[^-]*_[0-9]*: .*/+\\1/p'",
            "provides": 'xbps-query -R -o "/usr/bin/$1" | '
            "sed -n 's/^\\(.*\\)-[^-]*_[0-9]*: .*/+\\1/p'",
            "manual": "xbps-query -m | sed -n 's/^\\(.*\\)-[^-]*_[0-9]*$/+\\1/p'",
        },
        # It is there already.
        statuses={17: ""},
        words=(
            ("not_root", r"[Ff]ailed to lock (?:the )?pkgdb: Permission denied"),
            ("locked", r"[Ff]ailed to lock (?:the )?pkgdb: Resource temporarily unavailable"),
            ("disk_full", r"insufficient disk space|" + _DISK_FULL),
            ("network", r"\[reposync\] failed to fetch file|failed to download"),
            ("script_failed", r"^(?:ERROR: )?(?P<name>\S+)-[^-\s]+: .*INSTALL script failed"),
            (
                "conflict",
                r"Transaction aborted due to (?:unresolved|conflicting)"
                r"|(?P<name>\S+) IS REQUIRED BY",
            ),
            (
                "not_found",
                r"Package '(?P<name>\S+)' not found in repository pool"
                r"|Unable to locate '(?P<older>\S+)' in repository pool",
            ),
        ),
    ),
    Manager(
        "emerge",
        "emerge",
        systems=("gentoo",),
        family="gentoo",
        environment={"EMERGE_DEFAULT_OPTS": ""},
        pin=r"(?!)",
        refuses=r"[*?\[\]@]",
        absent=r"None of the installed packages claim|^/",
        verbs={
            "install": 'emerge --ask=n --color=n --nospinner --quiet-build=y --noreplace "$@"',
            "remove": 'emerge --ask=n --color=n --nospinner --depclean "$@"',
            "refresh": "emerge --sync",
            "lists": 'find /var/db/repos/gentoo/metadata/timestamp.chk -mmin -"$1"',
            "upgrade": 'emerge --ask=n --color=n --nospinner --quiet-build=y -u "$@"',
            "upgrade_all": "emerge --ask=n --color=n --nospinner --quiet-build=y -uDN @world",
            "query": _EACH.format(
                "portageq match / \"$n\" | sed -n 's/^\\(.*\\)-\\([0-9].*\\)$/+\\1 \\2/p'"
            ),
            "every": 'for d in /var/db/pkg/*/*-[0-9]*; do echo "+${d#/var/db/pkg/}"; done | '
            "sed 's/-\\([0-9][^/-]*\\(-r[0-9]*\\)*\\)$/ \\1/'",
            "available": _EACH.format(
                "portageq best_visible / \"$n\" | sed -n 's/^\\(.*\\)-\\([0-9].*\\)$/+\\1 \\2/p'"
            ),
            "owner": "portageq owners / \"$1\" | sed -n 's,^\\([^\t /]*/.*\\)-[0-9].*$,+\\1,p'",
            "manual": "sed 's/^\\([^:]*\\).*/+\\1/' /var/lib/portage/world",
        },
        words=(
            (
                "not_root",
                r"(?:superuser|portage group) access is required"
                r"|requires (?:superuser|portage group) access",
            ),
            ("locked", r"waiting for lock on"),
            ("disk_full", _DISK_FULL),
            (
                "network",
                r"Couldn't download '|Fetch failed for|rsync error|not successfully finished",
            ),
            ("script_failed", r"ERROR: (?P<name>\S+)-\d\S* failed \(\w+ phase\)"),
            ("conflict", r"dependency required by|^\[blocks B|changes are necessary to proceed"),
            (
                "not_found",
                r"there are no ebuilds to satisfy \"(?P<name>[^\"]+)\""
                r"|ebuilds that could satisfy \"(?P<masked>[^\"]+)\" have been masked"
                r"|Couldn't find '(?P<absent>[^']+)' to"
                r"|short ebuild name \"(?P<short>[^\"]+)\" is ambiguous",
            ),
        ),
    ),
    Manager(
        "brew",
        "brew",
        systems=("darwin",),
        family="brew",
        environment={
            "HOMEBREW_NO_AUTO_UPDATE": "1",
            "HOMEBREW_NO_INSTALL_UPGRADE": "1",
            "HOMEBREW_NO_INSTALL_CLEANUP": "1",
            "HOMEBREW_NO_ENV_HINTS": "1",
            "HOMEBREW_NO_COLOR": "1",
            "HOMEBREW_NO_EMOJI": "1",
            "HOMEBREW_NO_ASK": "1",
            "NONINTERACTIVE": "1",
        },
        pin=r"(?!)",
        is_private=True,
        absent=r"^Warning: |No available formula",
        verbs={
            "install": 'brew install "$@"',
            "remove": 'brew uninstall "$@"',
            "refresh": "brew update",
            "lists": 'find "$(brew --cache)/api/formula.jws.json" '
            '"$(brew --repository)/.git/FETCH_HEAD" -mmin -"$1"',
            "upgrade": 'brew upgrade "$@"',
            "query": _EACH.format(
                'brew list --versions "$n" | while read -r name versions; do '
                'echo "+$name ${versions##* }"; done'
            ),
            "every": "brew list --versions | while read -r name versions; do "
            'echo "+$name ${versions##* }"; done',
            "available": _EACH.format(
                'v=$(brew info --json=v2 "$n" | '
                'sed -n \'s/.*"stable": *"\\([^"]*\\)".*/\\1/p\'); '
                'test "$v" && echo "+$n $v"'
            ),
            "hold": 'brew pin "$@"',
            "unhold": 'brew unpin "$@"',
            "owner": "readlink -f \"$1\" | sed -n 's,.*/Cellar/\\([^/]*\\)/.*,+\\1,p'",
            "provides": "brew which-formula \"$1\" | sed 's/^/+/'",
            "manual": "brew list --installed-on-request | sed 's/^/+/'",
        },
        words=(
            ("not_root", r"Running Homebrew as root|Permission denied @|not writable"),
            ("locked", r"process has already locked|Another active Homebrew"),
            ("disk_full", _DISK_FULL),
            ("network", r"curl: \(\d+\)|Could not resolve host|Download failed"),
            ("script_failed", r"step did not complete successfully"),
            ("held", r"Not upgrading \d+ pinned packages?:\n(?P<name>\S+)"),
            (
                "conflict",
                r"because conflicting formulae are installed"
                r"|Refusing to uninstall \S*/Cellar/(?P<name>[^/\s]+)/",
            ),
            (
                "not_found",
                r"No available formula(?: or cask)? with the name \"(?P<name>[^\"]+)\""
                r"|No such keg: \S*/(?P<keg>[^/\s]+)$",
            ),
        ),
    ),
    Manager(
        "pkg",
        "pkg",
        systems=("freebsd", "dragonfly", "ghostbsd"),
        family="freebsd",
        environment={"ASSUME_ALWAYS_YES": "yes", "IGNORE_OSVERSION": "yes"},
        pin=r"(?!)",
        files=r"\.pkg",
        absent=r"No packages? (?:available|matching)|was not found in the database",
        verbs={
            "install": 'pkg install -y "$@"',
            "install_files": 'pkg add "$@"',
            "remove": 'pkg delete -y "$@"',
            "refresh": "pkg update",
            "lists": 'find /var/db/pkg/repo-*.sqlite /var/db/pkg/repos/*/db -mmin -"$1"',
            "upgrade": 'pkg upgrade -y "$@"',
            "query": _EACH.format("pkg query '+%n %v' \"$n\""),
            "every": "pkg query -a '+%n %v'",
            "describe": _EACH.format("pkg query -F \"$n\" '+%n %v'"),
            "available": _EACH.format("pkg rquery -U '+%n %v' \"$n\""),
            "hold": 'pkg lock -y "$@"',
            "unhold": 'pkg unlock -y "$@"',
            "owner": "pkg which -q \"$1\" | sed -n 's/^\\([^ /]*\\)-[^- /]*$/+\\1/p'",
            "manual": "pkg query -e '%a = 0' '+%n'",
            "changed": "pkg check -s -a 2>&1 | sed -n 's/.*: checksum mismatch for /+/p'",
        },
        words=(
            ("not_root", r"Insufficient privileges to"),
            ("locked", r"Cannot get an? \w+ lock on a? ?database|database is locked"),
            ("disk_full", r"Not enough space in|" + _DISK_FULL),
            (
                "held",
                r"^(?P<name>\S+)-[^-\s]+ is locked and may not be"
                r"|locked or vital and may not be removed:\s+(?P<vital>\S+)-[^-\s]+$",
            ),
            (
                "network",
                r"Unable to update repository|Error updating repositories!|No address record"
                r"|'pkg update' required",
            ),
            (
                "script_failed",
                r"^\[\d+/\d+\] \w+ (?P<name>\S+)-[^-\s]+(?:\.\.\.|: .*)\n.*script failed"
                r"|(?:PRE|POST)-\w+ script failed",
            ),
            (
                "not_found",
                r"No packages (?:available to \w+ )?matching '(?P<name>[^']+)'"
                r"|No packages matched for pattern '(?P<absent>[^']+)'",
            ),
            ("conflict", r"Cannot (?:solve|perform)|conflicts with .* installs files into"),
            ("conflict", r"has a missing dependency: "),
        ),
    ),
    Manager(
        "opkg",
        "opkg",
        systems=("openwrt",),
        family="openwrt",
        pin=r"(?!)",
        files=r"\.ipk",
        absent=r"^No packages ",
        verbs={
            "install": 'opkg install "$@"',
            "remove": 'opkg remove "$@"',
            "refresh": "opkg update",
            "lists": 'find /var/opkg-lists /tmp/opkg-lists /opt/var/opkg-lists -prune -mmin -"$1"',
            "upgrade": 'opkg upgrade "$@"',
            "upgrade_all": "set -- $(opkg list-upgradable | sed -n 's/^\\([^ ]*\\) - .*/\\1/p'); "
            'test $# = 0 || opkg upgrade "$@"',
            "query": _EACH.format(
                "opkg list-installed \"$n\" | sed -n 's/^\\([^ ]*\\) - \\([^ ]*\\).*/+\\1 \\2/p'"
            ),
            "every": "opkg list-installed | sed -n 's/^\\([^ ]*\\) - \\([^ ]*\\).*/+\\1 \\2/p'",
            "available": _EACH.format(
                "opkg list \"$n\" | sed -n 's/^\\([^ ]*\\) - \\([^ ]*\\).*/+\\1 \\2/p'"
            ),
            "hold": 'opkg flag hold "$@"',
            "unhold": 'opkg flag ok "$@"',
            "owner": "opkg search \"$1\" | sed -n 's/^\\([^ ]*\\) - .*/+\\1/p'",
            "manual": "{ opkg status; echo; } | while read -r key value; do case $key in "
            'Package:) name=$value; own=yes;; Auto-Installed:) own=;; "") '
            'test "$name" && test "$own" && echo "+$name"; name=;; esac; done',
            "changed": "opkg list-changed-conffiles | sed 's/^/+/'",
        },
        words=(
            ("not_root", r"Could not create lock file \S+: Permission denied"),
            ("locked", r"Could not lock \S+: Resource temporarily unavailable"),
            ("disk_full", r"Only have \d+kb available|" + _DISK_FULL),
            ("network", r"Failed to download"),
            (
                "script_failed",
                r"package \"(?P<name>[^\"]+)\" (?:pre|post)(?:inst|rm) script returned status",
            ),
            (
                "conflict",
                r"Cannot satisfy the following dependencies|incompatible with the architectures"
                r"|already provided by package|conflict with|cannot find dependency"
                r"|Package (?P<name>\S+) is depended upon by packages",
            ),
            (
                "not_found",
                r"Unknown package '(?P<name>\S+)'\.|Package (?P<absent>\S+) is not installed\.",
            ),
        ),
    ),
)


def named(name: str) -> Manager:
    """Return the manager that is called *name*, or whose command is."""
    for row in TABLE:
        if name in (row.name, row.command):
            return row
    raise UnknownNameError("package manager", name, (row.name for row in TABLE))


def native(systems: Iterable[str], commands: Iterable[str]) -> Manager | None:
    """Return the manager that is native to the first of *systems*, of those that are there."""
    known = frozenset(commands)
    there = [row for row in TABLE if row.command in known]
    for system in systems:
        for row in there:
            if system.partition("-")[0] in row.systems:
                return row
    return there[0] if there else None
