"""The file systems of the hosts, made of what this machine's own packages have brought.

Each is what its packages and all they need consist of, and nothing else: no manager but its own.
Debian's dnf, zypper and pacman are the real programs; what they are told about the system that
they are on (its name, its repository) is that of the system which the host stands for.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packages import stock

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "package-hosts"
USERS = {
    "root": "r00t-of-all",
    "asker": "M4y-I-pl3ase",
    "free": "n0-need-t0-ask",
    "nobody_special": "n0t-for-m3",
}
"""Who is on each host, and the passwords. sudo asks asker, does not ask free, and no other may."""

SUDOERS = """Defaults:ALL !fqdn
asker ALL=(ALL) ALL
free ALL=(ALL) NOPASSWD: ALL
"""
BASE = (
    *("bash", "procps", "login", "passwd", "sudo", "mount"),
    *("libpam-modules", "libpam-runtime", "gpgv"),
)
# A host that is no Debian has nothing of its manager, not even what is essential there.
DEBIAN = ("apt", "dpkg", "debconf", "init-system-helpers")
LEFT_OUT = re.compile(r"/usr/(share/(man|doc|info|locale|lintian|bug|doc-base)|games|src)/")

APT = """
echo 'deb [trusted=yes] file:///srv/repo ./' >/etc/apt/sources.list
cat >/srv/unreachable <<'END'
echo 'deb [trusted=yes] http://127.0.0.1:9/ ./' >/etc/apt/sources.list.d/unreachable.list
END
touch /var/lib/dpkg/diversions /var/lib/dpkg/statoverride /var/lib/dpkg/available
mkdir -p /var/cache/debconf /var/lib/apt/lists/partial /var/cache/apt/archives/partial
mkdir -p /etc/apt/apt.conf.d /etc/apt/preferences.d /etc/apt/trusted.gpg.d /var/log/apt
apt-get -qq update
"""
RPM = """
mkdir -p /var/lib/rpm /etc/rpm /usr/lib/sysimage
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
rpm --initdb
rpm -i --force-debian --justdb /srv/files/bash-5.2.rpm
rm /srv/files/bash-5.2.rpm
"""
DNF = f"""{RPM}
mkdir -p /etc/yum.repos.d /etc/dnf/vars /var/cache/dnf /var/lib/dnf
echo RELEASE >/etc/dnf/vars/releasever
add() {{
    printf '%s\\n' "[$1]" "name=$1" "baseurl=$2" "enabled=$3" "$4" "$5" >/etc/yum.repos.d/$1.repo
}}
add test file:///srv/repo 1 gpgcheck=0
add unreachable http://127.0.0.1:9/ 0 gpgcheck=0 retries=1
add signed file:///srv/signed 0 gpgcheck=1 gpgkey=file:///srv/key.asc
cat >/srv/unreachable <<'END'
sed -i s/enabled=0/enabled=1/ /etc/yum.repos.d/unreachable.repo
END
cat >/srv/unknown-key <<'END'
sed -i s/enabled=0/enabled=1/ /etc/yum.repos.d/signed.repo
END
MANAGER -q makecache
"""
ZYPPER = f"""{RPM}
mkdir -p /etc/zypp/repos.d /etc/zypp/services.d /etc/zypp/credentials.d /var/cache/zypp
mkdir -p /var/log/zypp /var/lib/zypp /etc/products.d
cat >/etc/products.d/Leap.prod <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<product schemeversion="0"><vendor>openSUSE</vendor><name>Leap</name><version>15.5</version>
<release>1</release><arch>x86_64</arch><summary>openSUSE Leap 15.5</summary></product>
END
ln -s Leap.prod /etc/products.d/baseproduct
# Debian's rpm has something to say to a person who installs with it, as zypper does.
printf 'rpm alias %s --force-debian %s\n' -U -U -e -e >/etc/popt
add() {{
    printf '%s\\n' "[$1]" "name=$1" "baseurl=$2" "enabled=$3" autorefresh=0 type=rpm-md "$4" "$5" \\
        >/etc/zypp/repos.d/$1.repo
}}
add test dir:///srv/repo 1 gpgcheck=0
add unreachable http://127.0.0.1:9/ 0 gpgcheck=0
add signed dir:///srv/signed 0 gpgcheck=1 gpgkey=file:///srv/key.asc
cat >/srv/unreachable <<'END'
sed -i 's/enabled=0/enabled=1/; s/autorefresh=0/autorefresh=1/' /etc/zypp/repos.d/unreachable.repo
END
cat >/srv/unknown-key <<'END'
sed -i s/enabled=0/enabled=1/ /etc/zypp/repos.d/signed.repo
END
zypper --non-interactive --quiet refresh
"""
PACMAN = """
mkdir -p /var/lib/pacman/sync /var/lib/pacman/local /var/cache/pacman/pkg /etc/pacman.d
cat >/etc/pacman.conf <<'END'
[options]
Architecture = auto
SigLevel = Never
LocalFileSigLevel = Never
CheckSpace

[test]
Server = file:///srv/repo
END
cat >/srv/unreachable <<'END'
printf '%s\\n' '' '[unreachable]' 'Server = http://127.0.0.1:9/' >>/etc/pacman.conf
END
pacman -Sy >/dev/null
"""
# "slow" is in the middle of being set up when this returns, and ends when /tmp/go is there.
HOLD = """#!/bin/sh
# Usage: /srv/hold SECONDS|forever. Another of the manager's processes takes its lock.
rm -f /tmp/go /tmp/slow
touch /tmp/forever
setsid INSTALL </dev/null >/tmp/hold.log 2>&1 &
until [ -e /tmp/slow ]; do
    kill -0 $! || { cat /tmp/hold.log; exit 1; }
    sleep 0.05
done
[ "$1" = forever ] || setsid sh -c "sleep $1; touch /tmp/go" </dev/null >/dev/null 2>&1 &
"""


@dataclass(frozen=True)
class Family:
    """A manager and the system that it stands for."""

    name: str
    packages: tuple[str, ...]
    built: str
    release: str
    recipe: str
    install: str
    """How it installs a package and asks nothing."""
    remove: tuple[str, ...] = ()
    """Which of the packages' commands are not to be there."""
    manager: str = ""


_DNF = "MANAGER -y install"
FAMILIES = {
    family.name: family
    for family in (
        Family(
            "apt",
            ("apt", "dpkg", "debconf", "diffutils", "tar"),
            "deb",
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n'
            'VERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
            APT,
            "env DEBIAN_FRONTEND=noninteractive apt-get -y install",
        ),
        Family(
            "dnf",
            ("dnf", "rpm"),
            "rpm",
            'NAME="Fedora Linux"\nVERSION="39 (Container Image)"\nID=fedora\nVERSION_ID=39\n'
            'PRETTY_NAME="Fedora Linux 39 (Container Image)"\n',
            DNF.replace("RELEASE", "39").replace("MANAGER", "dnf"),
            "dnf -y install",
        ),
        Family(
            "yum",
            ("dnf", "rpm"),
            "rpm",
            'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\n'
            'VERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n',
            # What answers to the name is dnf, as on every system since CentOS 8: no yum of Python 2
            # is to be had any more. Its options, words and exit statuses are dnf's.
            "mv /usr/bin/dnf-3 /usr/bin/yum\nrm /usr/bin/dnf\n"
            + DNF.replace("RELEASE", "7").replace("MANAGER", "yum"),
            "yum -y install",
        ),
        Family(
            "zypper",
            ("zypper", "rpm"),
            "rpm",
            'NAME="openSUSE Leap"\nVERSION="15.5"\nID="opensuse-leap"\n'
            'ID_LIKE="suse opensuse"\nVERSION_ID="15.5"\nPRETTY_NAME="openSUSE Leap 15.5"\n',
            ZYPPER,
            "zypper --non-interactive install",
        ),
        Family(
            "pacman",
            ("pacman-package-manager",),
            "arch",
            'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
            PACMAN,
            "pacman --noconfirm -S",
        ),
    )
}


_really = functools.lru_cache(maxsize=None)(os.path.realpath)


class Installed:
    """What is installed on this machine, as dpkg knows it."""

    def __init__(self) -> None:
        self.stanzas: dict[str, dict[str, str]] = {}
        self.texts: dict[str, str] = {}
        self.provided: dict[str, list[str]] = {}
        for text in Path("/var/lib/dpkg/status").read_text().split("\n\n"):
            fields = dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))
            if fields.get("Status", "").endswith(" installed"):
                name = fields["Package"]
                self.stanzas[name], self.texts[name] = fields, text
                for virtual in re.split(r"\s*,\s*", fields.get("Provides", "")):
                    self.provided.setdefault(virtual.partition(" ")[0], []).append(name)
        self.lists: dict[str, list[str]] = {}
        self.about: dict[str, list[Path]] = {}
        for file in Path("/var/lib/dpkg/info").iterdir():
            self.about.setdefault(file.stem.partition(":")[0], []).append(file)

    def needs(self, name: str) -> Iterator[str]:
        """What a package needs, of which one is enough where there are several."""
        for which in ("Depends", "Pre-Depends"):
            for needed in filter(None, self.stanzas[name].get(which, "").split(",")):
                choices = [re.split(r"[\s:(]", one.strip())[0] for one in needed.split("|")]
                for choice in choices:
                    there = [choice] if choice in self.stanzas else self.provided.get(choice, [])
                    if there:
                        yield there[0]
                        break

    def closure(self, names: Iterable[str], without: tuple[str, ...] = ()) -> list[str]:
        """The packages, and all that they need."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and name not in without:
                found.add(name)
                waiting.extend(self.needs(name))
        return sorted(found)

    def essential(self) -> list[str]:
        """What no Debian is without."""
        return [name for name, one in self.stanzas.items() if one.get("Essential") == "yes"]

    def information(self, name: str) -> list[Path]:
        """dpkg's own files about a package, of this machine's kind where there are several."""
        own = (name, f"{name}:{self.stanzas[name]['Architecture']}")
        return [file for file in self.about.get(name, []) if file.stem in own]

    def files(self, name: str) -> list[str]:
        """What a package consists of, where that really lies."""
        if name not in self.lists:
            listed = [one for one in self.information(name) if one.suffix == ".list"]
            paths = [path for one in listed for path in one.read_text().splitlines()[1:]]
            split = [os.path.split(path) for path in paths if not LEFT_OUT.match(path)]
            found = [os.path.join(_really(parent), last) for parent, last in split]
            self.lists[name] = [path for path in found if os.path.lexists(path)]
        return self.lists[name]


def packages_of(family: Family, installed: Installed) -> list[str]:
    """What is on a host."""
    names = (*BASE, *installed.essential(), *family.packages)
    return installed.closure(names, () if family.name == "apt" else DEBIAN)


def _contents(packages: list[str], installed: Installed) -> list[str]:
    found: set[str] = set()
    for package in packages:
        for path in installed.files(package):
            if path not in found:
                found.add(path)
                if path.endswith(".py"):
                    # Python would compile these again on each new host.
                    parent, name = os.path.split(path)
                    compiled = Path(parent, "__pycache__").glob(f"{name[:-3]}.*.pyc")
                    found.update(map(str, compiled))
    merged = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}
    return sorted(path for path in found if path not in merged)


def _copy(paths: list[str], target: Path) -> None:
    target.mkdir(mode=0o755)
    for name in ("bin", "sbin", "lib", "lib64"):
        (target / name).symlink_to(f"usr/{name}")
    listed = "\0".join(path.lstrip("/") for path in paths).encode()
    with subprocess.Popen(
        ["tar", "-C", "/", "--no-recursion", "--null", "-T", "-", "-c"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as packing:
        assert packing.stdin is not None
        with subprocess.Popen(
            ["tar", "-C", target, "-x", "-p", "--keep-directory-symlink"], stdin=packing.stdout
        ) as unpacking:
            packing.stdin.write(listed)
            packing.stdin.close()
        assert unpacking.returncode == 0


def inside(root: Path, script: str) -> None:
    """Run a script where the root is the whole file system, with a /proc and a /dev/null."""
    enter = (
        'mount --bind "$1" "$1" && cd "$1" && mount -t proc proc proc && '
        "for one in null urandom tty; do : >dev/$one && mount --bind /dev/$one dev/$one; done && "
        'exec chroot . /bin/sh -ec "$2"'
    )
    stock.run(
        *("unshare", "-m", "-p", "-f", "--kill-child", "sh", "-ec", enter, "sh", root, script),
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        },
    )


def _furnish(root: Path) -> None:
    """What the scripts of Debian's packages do, and our users."""
    for name in ("proc", "sys", "dev", "srv", "tmp", "run", "root", "etc/sudoers.d", "run/lock"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    for name in ("passwd", "group"):
        shutil.copy(f"/usr/share/base-passwd/{name}.master", root / "etc" / name)
    for name, text in {
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
        "shells": "/bin/sh\n/bin/bash\n",
        "environment": "",
        "pam.d/common-auth": "auth required pam_unix.so nodelay\n",
        "pam.d/common-account": "account required pam_unix.so\n",
        "pam.d/common-password": "password required pam_unix.so\n",
        "pam.d/common-session": "session required pam_unix.so\n",
        "pam.d/common-session-noninteractive": "session required pam_unix.so\n",
        "sudoers.d/hosts": SUDOERS,
    }.items():
        (root / "etc" / name).write_text(text)
    (root / "etc/sudoers.d/hosts").chmod(0o440)
    for link, program in {"awk": "mawk", "which": "which.debianutils"}.items():
        if not os.path.lexists(root / "usr/bin" / link):
            (root / "usr/bin" / link).symlink_to(program)
    passwords = "".join(f"{name}:{word}\n" for name, word in USERS.items())
    others = " ".join(name for name in USERS if name != "root")
    inside(
        root,
        "ldconfig; pwconv; grpconv; cp /usr/share/base-files/profile /etc/profile\n"
        f"for one in {others}; do useradd --create-home --shell /bin/bash $one; done\n"
        f"printf '{passwords}' | chpasswd",
    )


def _linked(paths: list[str], source: Path, target: Path) -> None:
    """The same files once more, under other names. Nothing ever writes to one."""
    for path in paths:
        old, new = source / path.lstrip("/"), target / path.lstrip("/")
        if old.is_dir() and not old.is_symlink():
            new.mkdir(exist_ok=True)
            status = old.stat()
            new.chmod(status.st_mode)
            os.chown(new, status.st_uid, status.st_gid)
        elif os.path.lexists(old) and not os.path.lexists(new):
            new.parent.mkdir(parents=True, exist_ok=True)
            os.link(old, new, follow_symlinks=False)


def _written(path: Path, text: str, mode: int = 0o644) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _finish(family: Family, root: Path, wares: Path, installed: Installed) -> None:
    """Make a host of a file system: its system's name, its repository, its manager's files."""
    _written(root / "usr/lib/os-release", family.release)
    _written(root / "etc/hostname", f"{family.name}\n")
    shutil.rmtree(root / "srv")
    shutil.copytree(wares / family.built, root / "srv", symlinks=True)
    hold = HOLD.replace("INSTALL", f"{family.install} slow")
    _written(root / "srv/hold", hold, 0o755)
    if family.name == "apt":
        database = root / "var/lib/dpkg"
        (database / "info").mkdir(parents=True, exist_ok=True)
        packages = packages_of(family, installed)
        texts = "".join(f"{installed.texts[name]}\n\n" for name in packages)
        (database / "status").write_text(texts)
        (database / "info/format").write_text("1\n")
        for name in packages:
            for file in installed.information(name):
                shutil.copy(file, database / "info")
    else:
        (root / "etc/debian_version").unlink(missing_ok=True)
        for path in ("var/lib/dpkg", "etc/dpkg"):
            shutil.rmtree(root / path, ignore_errors=True)
    inside(root, f"ldconfig\n{family.recipe}")
    for name in ("unreachable", "unknown-key"):
        if (root / "srv" / name).exists():
            (root / "srv" / name).chmod(0o755)


def _build(place: Path, installed: Installed) -> None:
    wares = place / "wares"
    for built, make in {
        "deb": stock.make_deb,
        "rpm": stock.make_rpm,
        "arch": stock.make_arch,
    }.items():
        top = wares / built
        for name in ("repo", "files"):
            (top / name).mkdir(parents=True)
        aside = place / f"making-{built}"
        aside.mkdir()
        make(aside, top / "repo", top / "files")
        shutil.rmtree(aside)
    contents = {
        family.name: _contents(packages_of(family, installed), installed)
        for family in FAMILIES.values()
    }
    everything = place / "everything"
    _copy(sorted(set().union(*contents.values())), everything)
    _furnish(everything)
    made = set(_made_in(everything)).difference(*contents.values())
    for family in FAMILIES.values():
        root = place / family.name
        root.mkdir(mode=0o755)
        _linked(sorted({*contents[family.name], *made}), everything, root)
        _finish(family, root, wares, installed)
    shutil.rmtree(everything)
    shutil.rmtree(wares)


def _made_in(everything: Path) -> list[str]:
    """What no package has brought: the settings, the users, and where things are mounted."""
    tops = ("etc", "home", "root", "var/lib/pam")
    found = [f"/{top.name}" for top in everything.iterdir()]
    for top in tops:
        found += [f"/{path.relative_to(everything)}" for path in (everything / top).rglob("*")]
    found += ["/usr/bin/awk", "/usr/bin/which", "/run/lock"]
    return found


@contextlib.contextmanager
def roots() -> Iterator[Path]:
    """Where the file systems are, by the names of their managers; made now unless they are."""
    installed = Installed()
    missing = {
        name
        for family in FAMILIES.values()
        for name in (*BASE, *family.packages)
        if name not in installed.stanzas
    }
    assert not missing, f"not installed: {sorted(missing)}"
    packages = {name for one in FAMILIES.values() for name in packages_of(one, installed)}
    versions = [f"{name}={installed.stanzas[name]['Version']}" for name in sorted(packages)]
    recipes = [Path(module.__file__ or "").read_text() for module in (stock,)]
    key = stock.key_of(Path(__file__).read_text(), *recipes, *versions)
    CACHE.mkdir(parents=True, exist_ok=True)
    place = CACHE / key
    with open(CACHE / f"{key}.lock", "w") as lock:
        # Whoever uses them holds it, so that nobody clears them away.
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not place.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                _clear(lock.name)
                aside = CACHE / f"{key}.half"
                shutil.rmtree(aside, ignore_errors=True)
                aside.mkdir()
                _build(aside, installed)
                aside.rename(place)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield place


def _clear(mine: str) -> None:
    """Remove what other recipes have made, unless somebody uses that.

    The locks stay: whoever waits for one that is gone would have it to itself, as would the next.
    """
    for other in CACHE.glob("*.lock"):
        if str(other) != mine:
            with open(other) as lock, contextlib.suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(other.with_suffix(""), ignore_errors=True)
                shutil.rmtree(other.with_suffix(".half"), ignore_errors=True)
