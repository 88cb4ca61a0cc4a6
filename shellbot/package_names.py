"""What packages are called in each family of systems, where they are not called the same.

A line is: the names that the thing goes by, and in parentheses the commands that it brings; then
its package or packages in each family. ``=`` is the first name, ``.`` is in the base system, and
``-`` is not known there, so that a name is taken as it is.
"""

# ruff: noqa: E501 - a table
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Called: TypeAlias = Mapping[str, str | Sequence[str]]
    Names: TypeAlias = Mapping[str, Called]

_FAMILIES = [
    "debian",
    "fedora",
    "suse",
    "arch",
    "alpine",
    "void",
    "gentoo",
    "brew",
    "freebsd",
    "openwrt",
]
# Debian's were looked up in Debian 12. Those of the others are from their public package trees.
_TABLE = """
build-essential build-base base-devel (make) | build-essential | gcc gcc-c++ make | gcc gcc-c++ make | base-devel | build-base | base-devel | . | . | . | -
g++ gcc-c++ (g++) | g++ | gcc-c++ | gcc-c++ | gcc | g++ | gcc | . | gcc | gcc | -
pkg-config pkgconf-pkg-config (pkg-config) | pkg-config | pkgconf-pkg-config | pkg-config | pkgconf | pkgconf | pkg-config | virtual/pkgconfig | pkgconf | pkgconf | -
libssl-dev openssl-devel openssl-dev libopenssl-devel | libssl-dev | openssl-devel | libopenssl-devel | openssl | openssl-dev | openssl-devel | dev-libs/openssl | openssl@3 | . | -
zlib1g-dev zlib-devel zlib-dev | zlib1g-dev | zlib-devel | zlib-devel | zlib | zlib-dev | zlib-devel | sys-libs/zlib | zlib | . | -
libffi-dev libffi-devel | libffi-dev | libffi-devel | libffi-devel | libffi | libffi-dev | libffi-devel | dev-libs/libffi | libffi | libffi | -
libsqlite3-dev sqlite-devel sqlite-dev sqlite3-devel | libsqlite3-dev | sqlite-devel | sqlite3-devel | sqlite | sqlite-dev | sqlite-devel | dev-db/sqlite | sqlite | sqlite3 | -
sqlite3 sqlite (sqlite3) | sqlite3 | sqlite | sqlite3 | sqlite | sqlite | sqlite | dev-db/sqlite | sqlite | sqlite3 | sqlite3-cli
libxml2-dev libxml2-devel | libxml2-dev | libxml2-devel | libxml2-devel | libxml2 | libxml2-dev | libxml2-devel | dev-libs/libxml2 | libxml2 | libxml2 | -
libxslt1-dev libxslt-devel libxslt-dev | libxslt1-dev | libxslt-devel | libxslt-devel | libxslt | libxslt-dev | libxslt-devel | dev-libs/libxslt | libxslt | libxslt | -
libncurses-dev ncurses-devel ncurses-dev | libncurses-dev | ncurses-devel | ncurses-devel | ncurses | ncurses-dev | ncurses-devel | sys-libs/ncurses | ncurses | . | -
libreadline-dev readline-devel readline-dev | libreadline-dev | readline-devel | readline-devel | readline | readline-dev | readline-devel | sys-libs/readline | readline | readline | -
libbz2-dev bzip2-devel bzip2-dev libbz2-devel | libbz2-dev | bzip2-devel | libbz2-devel | bzip2 | bzip2-dev | bzip2-devel | app-arch/bzip2 | bzip2 | . | -
libcurl4-openssl-dev libcurl-devel curl-dev | libcurl4-openssl-dev | libcurl-devel | libcurl-devel | curl | curl-dev | libcurl-devel | net-misc/curl | curl | curl | -
python3-dev python3-devel | python3-dev | python3-devel | python3-devel | python | python3-dev | python3-devel | dev-lang/python | python3 | python3 | -
python3 (python3) | python3 | python3 | python3 | python | python3 | python3 | dev-lang/python | python3 | python3 | python3
python3-venv | python3-venv | python3 | python3 | python | python3 | python3 | dev-lang/python | python3 | python3 | python3
python3-pip py3-pip python-pip (pip3) | python3-pip | python3-pip | python3-pip | python-pip | py3-pip | python3-pip | dev-python/pip | python3 | - | python3-pip
vim (vim) | vim | vim-enhanced | vim | vim | vim | vim | app-editors/vim | vim | vim | vim-full
openssh-client openssh-clients (ssh scp sftp ssh-keygen) | openssh-client | openssh-clients | openssh-clients | openssh | openssh-client | openssh | net-misc/openssh | . | . | openssh-client
openssh-server (sshd) | openssh-server | openssh-server | openssh-server | openssh | openssh-server | openssh | net-misc/openssh | . | . | openssh-server
netcat-openbsd openbsd-netcat nmap-ncat (nc) | netcat-openbsd | nmap-ncat | netcat-openbsd | openbsd-netcat | netcat-openbsd | openbsd-netcat | net-analyzer/openbsd-netcat | . | . | netcat
dnsutils bind9-dnsutils bind-utils bind-tools (dig nslookup) | bind9-dnsutils | bind-utils | bind-utils | bind | bind-tools | bind-utils | net-dns/bind | bind | bind-tools | bind-dig
procps procps-ng (ps top free pgrep pkill) | procps | procps-ng | procps | procps-ng | procps | procps-ng | sys-process/procps | . | . | -
iputils-ping iputils (ping) | iputils-ping | iputils | iputils | iputils | iputils | iputils | net-misc/iputils | . | . | iputils-ping
iproute2 iproute (ip ss) | iproute2 | iproute | iproute2 | iproute2 | iproute2 | iproute2 | sys-apps/iproute2 | - | - | ip-full
net-tools (ifconfig netstat) | net-tools | net-tools | net-tools | net-tools | net-tools | net-tools | sys-apps/net-tools | . | . | -
plocate (locate) | plocate | plocate | plocate | plocate | plocate | plocate | sys-apps/plocate | . | . | -
cron cronie (crontab) | cron | cronie | cronie | cronie | . | cronie | sys-process/cronie | . | . | .
docker.io moby-engine (docker) | docker.io | moby-engine | docker | docker | docker | docker | app-containers/docker | docker | docker | docker
nodejs (node) | nodejs | nodejs | nodejs | nodejs | nodejs | nodejs | net-libs/nodejs | node | node | node
npm nodejs-npm (npm) | npm | npm | npm-default | npm | npm | nodejs | net-libs/nodejs | node | npm | node-npm
golang golang-go (go) | golang-go | golang | go | go | go | go | dev-lang/go | go | go | golang
default-jre-headless (java) | default-jre-headless | java-21-openjdk-headless | java-21-openjdk-headless | jre-openjdk-headless | openjdk21-jre-headless | openjdk21-jre | virtual/jre | openjdk | openjdk21-jre | -
default-jdk-headless (javac) | default-jdk-headless | java-21-openjdk-devel | java-21-openjdk-devel | jdk-openjdk | openjdk21-jdk | openjdk21 | virtual/jdk | openjdk | openjdk21 | -
postgresql-client (psql) | postgresql-client | postgresql | postgresql | postgresql | postgresql-client | postgresql16-client | dev-db/postgresql | libpq | postgresql16-client | pgsql-cli
default-mysql-client mariadb-client (mysql) | default-mysql-client | mariadb | mariadb-client | mariadb-clients | mariadb-client | mariadb-client | dev-db/mariadb | mysql-client | - | mariadb-client
apache2 httpd (httpd) | apache2 | httpd | apache2 | apache | apache2 | apache | www-servers/apache | httpd | apache24 | apache
redis-server redis | redis-server | redis | redis | redis | redis | redis | dev-db/redis | redis | redis | redis-server
xz-utils xz (xz) | xz-utils | xz | xz | xz | xz | xz | app-arch/xz-utils | xz | . | xz
man-db (man) | man-db | man-db | man | man-db | mandoc | man-db | sys-apps/man-db | . | . | -
gnupg gnupg2 gpg2 (gpg) | gnupg | gnupg2 | gpg2 | gnupg | gnupg | gnupg | app-crypt/gnupg | gnupg | gnupg | gnupg2
ca-certificates | = | = | ca-certificates-mozilla | = | = | = | app-misc/ca-certificates | = | ca_root_nss | ca-bundle
tzdata | = | = | timezone | = | = | = | sys-libs/timezone-data | . | . | zoneinfo-all
"""


@cache
def _rows() -> tuple[dict[str, dict[str, tuple[str, ...]]], dict[str, str]]:
    names, commands = {}, {}
    for line in _TABLE.strip().splitlines():
        called, *columns = (cell.strip() for cell in line.split("|"))
        aliases, _, brings = called.partition("(")
        first, *_ = aliases.split()
        row = {
            family: () if cell == "." else (first,) if cell == "=" else tuple(cell.split())
            for family, cell in zip(_FAMILIES, columns, strict=True)
            if cell != "-"
        }
        names.update(dict.fromkeys(aliases.split(), row))
        commands.update(dict.fromkeys(brings.rstrip(")").split(), first))
    return names, commands


def translated(name: str, family: str, own: Names) -> tuple[str, ...]:
    """Return what to ask for in a *family* for what goes by that *name*; nothing if it is there.

    *own* is the caller's part of the table, by name and family, and comes first.
    """
    found = own.get(name, {}).get(family)
    if found is None:
        found = _rows()[0].get(name, {}).get(family)
    if found is None:
        return (name,)
    return tuple(found.split() if isinstance(found, str) else found)


def bringing(command: str) -> str:
    """Return the name of what brings a *command*, which is its own where nothing else is known."""
    return _rows()[1].get(command, command)
