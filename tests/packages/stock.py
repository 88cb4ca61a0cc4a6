"""The packages that every host offers under the same names, built by each family's own tools."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

BIG = 40 * 1024 * 1024
"""How much "big" takes on the disk. It is all zeros, so that its package is small."""

# It ends when a test lets it, and after a minute whatever happens.
SLOW = """
echo $$ >/tmp/slow
step=0
until [ -e /tmp/go ]; do
    [ "$step" -lt 600 ] || [ -e /tmp/forever ] || break
    step=$((step + 1))
    echo "slow: step $step"
    sleep 0.1
done
"""
# A script of rpm and pacman has no terminal for its input, but may open it.
READS = """
if (: </dev/tty) 2>/dev/null; then
    printf 'Which colour? ' >/dev/tty
    read -r colour </dev/tty
fi
echo "${colour:-none}" >/etc/NAME.answer
"""
READS_INPUT = """
printf 'Which colour? '
read -r colour || :
echo "${colour:-none}" >/etc/reads.answer
"""
# In one that debconf has, a question has to be answered before the first of these runs.
DEBCONF = """
. /usr/share/debconf/confmodule
db_get asks/colour
echo "${RET:-none}" >/etc/asks.answer
"""
CONFIG = """
. /usr/share/debconf/confmodule
db_input high asks/colour || :
db_go
"""
PURGED = """
if [ "$1" = purge ]; then
    . /usr/share/debconf/confmodule
    db_purge
fi
"""
TEMPLATES = """Template: asks/colour
Type: string
Description: Which colour?
 There is none that you have not chosen.
"""


@dataclass(frozen=True)
class Package:
    """What a package is, for whichever family builds it."""

    name: str
    version: str = "1.0"
    files: dict[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    before: str = ""
    """A script for before it is installed."""
    after: str = ""
    settings: tuple[str, ...] = ()
    """Which of its files are for a person to change, and are left as that person has them."""
    replaced: tuple[str, ...] = ()
    """Those that rpm sets aside for its own."""
    signed: bool = False
    listed: bool = True
    """Whether it is in a repository, and not only a file."""
    provides: tuple[str, ...] = ()
    licence: str = ""
    """What has to be agreed to. Only zypper asks."""


def _program(name: str, version: str) -> dict[str, str]:
    return {f"usr/bin/{name}": f"#!/bin/sh\necho {name} {version}\n"}


def stock(family: str) -> list[Package]:
    """Everything that a family offers: "deb", "rpm" or "arch"."""
    development = {"deb": "libdemo-dev", "rpm": "libdemo-devel", "arch": "libdemo"}[family]
    replaced = ("etc/replaced.conf",) if family == "rpm" else ()
    asks = DEBCONF if family == "deb" else READS.replace("NAME", "asks")
    reads = READS.replace("NAME", "reads")
    if family == "deb":
        reads = READS_INPUT
    return [
        *(Package("greet", version, _program("greet", version)) for version in ("1.0", "2.0")),
        Package(
            "extra",
            files={**_program("extra", "1.0"), **_program("additional", "1.0")},
            needs=("greet",),
        ),
        Package(development, files={"usr/include/demo.h": "#define DEMO 1\n"}),
        Package("asks", files=_program("asks", "1.0"), after=asks),
        Package("reads", files=_program("reads", "1.0"), after=reads),
        *(
            Package(
                "configured",
                version,
                dict.fromkeys(
                    ("etc/configured.conf", *replaced), f"# of {version}\ncolour = green\n"
                ),
                settings=("etc/configured.conf",),
                replaced=replaced,
            )
            for version in ("1.0", "2.0")
        ),
        Package("fails", files=_program("fails", "1.0"), after="echo 'fails: no luck' >&2\nexit 1"),
        Package(
            "fails-before",
            files=_program("fails-before", "1.0"),
            before="echo 'fails-before: no luck' >&2\nexit 1",
        ),
        Package("big", files={"opt/big/zeros": ""}),
        Package("slow", files=_program("slow", "1.0"), after=SLOW),
        Package("broken-dep", files=_program("broken-dep", "1.0"), needs=("nowhere",)),
        Package("local", files=_program("local", "1.0"), listed=False),
        Package("licensed", files=_program("licensed", "1.0"), licence="All is yours."),
        Package("signed", files=_program("signed", "1.0"), signed=True),
    ]


def run(*words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a tool prints; it has to succeed."""
    done = subprocess.run(
        words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def _filled(package: Package, root: Path) -> Path:
    for name, text in package.files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if "/bin/" in name else 0o644)
        if name == "opt/big/zeros":
            os.truncate(file, BIG)
    return root


def _size(root: Path) -> int:
    return sum(file.stat().st_size for file in root.rglob("*") if file.is_file())


def _script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def make_deb(place: Path, repository: Path, files: Path) -> None:
    """Build what apt gets."""
    for package in stock("deb"):
        if package.signed:
            continue
        root = _filled(package, place / f"{package.name}-{package.version}")
        control = root / "DEBIAN"
        control.mkdir()
        fields = {
            "Package": package.name,
            "Version": package.version,
            "Architecture": "all",
            "Maintainer": "Nobody <nobody@localhost>",
            "Installed-Size": str(_size(root) // 1024),
            "Depends": ", ".join(package.needs),
            "Description": f"{package.name} for a test",
        }
        if package.name == "asks":
            fields["Depends"] = "debconf"
            _script(control / "config", CONFIG)
            _script(control / "postrm", PURGED)
            (control / "templates").write_text(TEMPLATES)
        lines = (f"{name}: {value}\n" for name, value in fields.items() if value)
        (control / "control").write_text("".join(lines))
        if package.settings:
            names = (f"/{name}\n" for name in package.settings)
            (control / "conffiles").write_text("".join(names))
        # As they would be: only what is being set up runs the one, only what comes in the other.
        if package.before:
            _script(control / "preinst", package.before)
        if package.after:
            _script(control / "postinst", package.after)
        target = repository if package.listed else files
        built = target / f"{package.name}_{package.version}_all.deb"
        run("dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", root, built)
        if not package.listed:
            built.rename(files / f"{package.name}-{package.version}.deb")
    packages = repository / "Packages"
    packages.write_text(run("dpkg-scanpackages", "-m", ".", cwd=repository))
    release_deb(repository)


def release_deb(repository: Path) -> None:
    """Say what apt's list of packages has to be."""
    text = (repository / "Packages").read_bytes()
    (repository / "Release").write_text(
        "Origin: test\nArchitectures: all amd64\nDate: Tue, 14 Nov 2023 22:13:20 UTC\n"
        f"SHA256:\n {hashlib.sha256(text).hexdigest()} {len(text)} Packages\n"
    )


def _spec(package: Package) -> str:
    files = []
    for name in package.files:
        kind = "%config(noreplace) " if name in package.settings else ""
        kind = "%config " if name in package.replaced else kind
        files.append(f"{kind}/{name}")
    return textwrap.dedent(
        """\
        Name: {name}
        Version: {version}
        Release: 1
        Summary: {name} for a test
        License: MIT
        BuildArch: noarch
        AutoReqProv: no
        {needs}
        {provides}
        %description
        For a test.
        {before}
        {after}
        %files
        {files}
        """
    ).format(
        name=package.name,
        version=package.version,
        needs="".join(f"Requires: {name}\n" for name in package.needs),
        provides="".join(f"Provides: {name}\n" for name in package.provides),
        before=f"%pre\n{package.before}\n" if package.before else "",
        after=f"%post\n{package.after}\n" if package.after else "",
        files="\n".join(files),
    )


def _licences(packages: list[Package], repository: Path) -> str:
    listed = []
    for package in (one for one in packages if one.licence):
        file = repository / f"{package.name}-{package.version}-1.noarch.rpm"
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        listed.append(
            f'<package pkgid="{digest}" name="{package.name}" arch="noarch">'
            f'<version epoch="0" ver="{package.version}" rel="1"/>'
            f"<eula>{package.licence}</eula></package>"
        )
    space = "http://linux.duke.edu/metadata/susedata"
    return f'<susedata xmlns="{space}" packages="{len(listed)}">{"".join(listed)}</susedata>'


def make_rpm(place: Path, repository: Path, files: Path) -> None:
    """Build what dnf, yum and zypper get, and a key that nobody has seen before."""
    packages = stock("rpm")
    # Debian's shell is there, but rpm does not know of it.
    packages.append(Package("bash", "5.2", {}, provides=("/bin/sh",), listed=False))
    for package in packages:
        name = f"{package.name}-{package.version}-1.noarch"
        _filled(package, place / "BUILDROOT" / name)
        (place / f"{name}.spec").write_text(_spec(package))
    home = place / "home"
    home.mkdir(mode=0o700)
    settings = {
        "_topdir": str(place),
        "_dbpath": str(place / "db"),
        "_binary_payload": "w1.gzdio",
        "_gpg_name": "Somebody Else",
        "__gpg": str(shutil.which("gpg")),
        "__spec_install_pre": "%{nil}",
        "__spec_clean_cmd": "true",
        "_build_id_links": "none",
    }
    words = [word for item in settings.items() for word in ("--define", " ".join(item))]
    # Nothing is compiled, so what is to be packed lies there already.
    environment = {**os.environ, "HOME": str(home), "GNUPGHOME": str(home), "LC_ALL": "C"}
    specs = sorted(place.glob("*.spec"))
    run(
        "rpmbuild",
        "--quiet",
        "-bb",
        "--noclean",
        "--target",
        "noarch",
        *words,
        *specs,
        env=environment,
    )
    apart = repository.parent / "signed"
    apart.mkdir()
    for package in packages:
        built = place / f"RPMS/noarch/{package.name}-{package.version}-1.noarch.rpm"
        if not package.listed:
            shutil.copy(built, files / f"{package.name}-{package.version}.rpm")
        else:
            shutil.copy(built, apart if package.signed else repository)
    who = ("--batch", "--pinentry-mode", "loopback", "--passphrase", "")
    run(
        *("gpg", *who, "--quick-generate-key", "Somebody Else <else@localhost>", "rsa2048"),
        *("sign", "never"),
        env=environment,
    )
    (repository.parent / "key.asc").write_text(run("gpg", "--armor", "--export", env=environment))
    run("rpmsign", *words, "--addsign", *apart.glob("*.rpm"), env=environment)
    for directory in (repository, apart):
        run("createrepo_c", "-q", directory)
    licences = place / "susedata.xml"
    licences.write_text(_licences(packages, repository))
    run("modifyrepo_c", "--mdtype=susedata", licences, repository / "repodata")
    # zypper looks at the signature of the list, where dnf looks at the package's.
    index = apart / "repodata/repomd.xml"
    run("gpg", *who, "--armor", "--detach-sign", index, env=environment)
    shutil.copy(repository.parent / "key.asc", f"{index}.key")
    run("gpgconf", "--kill", "all", env=environment)


def make_arch(place: Path, repository: Path, files: Path) -> None:
    """Build what pacman gets. Its repository has only the newest of each."""
    newest = {}
    for package in stock("arch"):
        if package.signed:
            continue
        root = _filled(package, place / f"{package.name}-{package.version}")
        lines = [
            f"pkgname = {package.name}",
            f"pkgbase = {package.name}",
            f"pkgver = {package.version}-1",
            f"pkgdesc = {package.name} for a test",
            "arch = any",
            f"size = {_size(root)}",
            "builddate = 1700000000",
            "packager = Nobody <nobody@localhost>",
            "license = MIT",
            *(f"depend = {name}" for name in package.needs),
            *(f"backup = {name}" for name in package.settings),
        ]
        (root / ".PKGINFO").write_text("\n".join(lines) + "\n")
        names = [".PKGINFO"]
        if package.before or package.after:
            functions = {"pre_install": package.before, "post_install": package.after}
            script = "".join(
                f"{name}() {{\n{text or ':'}\n}}\n" for name, text in functions.items()
            )
            (root / ".INSTALL").write_text(script)
            names.append(".INSTALL")
        tops = sorted({name.partition("/")[0] for name in package.files})
        built = files / f"{package.name}-{package.version}-1-any.pkg.tar.gz"
        owned = (
            "--uid",
            "0",
            "--gid",
            "0",
            "--format",
            "pax",
            "--options",
            "gzip:compression-level=1",
        )
        run("bsdtar", "--no-read-sparse", "-czf", built, *owned, *names, *tops, cwd=root)
        if not package.listed:
            built.rename(files / f"{package.name}-{package.version}.pkg.tar.gz")
        else:
            newest[package.name] = built
    for built in newest.values():
        built.rename(repository / built.name)
    packed = sorted(repository.glob("*.pkg.tar.gz"))
    run("repo-add", "-q", repository / "test.db.tar.gz", *packed)


def key_of(*texts: str) -> str:
    """A short name for what was made from these."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
