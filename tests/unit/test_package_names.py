"""What packages are called elsewhere: the table is whole, and what is not in it stays as it is."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shellbot import managers, package_names
from shellbot.package_names import _FAMILIES, _TABLE, bringing, translated

LINES = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()]
families = pytest.mark.parametrize("family", _FAMILIES)


def test_the_table_is_whole() -> None:
    aliases: Counter[str] = Counter()
    commands: Counter[str] = Counter()
    for called, *columns in LINES:
        assert len(columns) == len(_FAMILIES), called
        assert all(columns), called
        found = re.fullmatch(r"([^()]*[^() ]) ?(?:\(([^()]+)\))?", called)
        assert found, called
        aliases.update(found[1].split())
        commands.update((found[2] or "").split())
        # What is a name of its own stands alone.
        assert all({"=", ".", "-"}.isdisjoint(cell.split()) for cell in columns if " " in cell)
    assert [name for name, times in (aliases + commands).items() if times > 2] == []
    assert [name for name, times in aliases.items() if times > 1] == []
    assert [name for name, times in commands.items() if times > 1] == []
    assert set(_FAMILIES) == {row.family for row in managers.TABLE}


@families
def test_what_the_table_has_is_a_name_to_every_manager_there(family: str) -> None:
    rows = [row for row in managers.TABLE if row.family == family]
    for called, *_ in LINES:
        for alias in called.partition("(")[0].split():
            for name in translated(alias, family, {}):
                for row in rows:
                    row.check(name)
                    assert row.split(name) == (name, ""), f"{row.name} takes {name} apart"


@pytest.mark.parametrize(
    ("name", "family", "expected"),
    [
        ("libssl-dev", "fedora", ("openssl-devel",)),
        ("openssl-devel", "debian", ("libssl-dev",)),
        ("openssl-dev", "arch", ("openssl",)),
        ("build-essential", "fedora", ("gcc", "gcc-c++", "make")),
        ("base-devel", "debian", ("build-essential",)),
        ("git", "alpine", ("git",)),
        # In the base system, so that there is nothing to ask for.
        ("tzdata", "freebsd", ()),
        ("cron", "alpine", ()),
        # The same there, and not known there.
        ("ca-certificates", "fedora", ("ca-certificates",)),
        ("procps", "openwrt", ("procps",)),
        ("iproute", "brew", ("iproute",)),
    ],
)
def test_translated(name: str, family: str, expected: tuple[str, ...]) -> None:
    assert translated(name, family, {}) == expected


@given(st.sampled_from(_FAMILIES), st.text(min_size=1))
def test_what_nobody_knows_is_taken_as_it_is(family: str, name: str) -> None:
    known = {alias for called, *_ in LINES for alias in called.partition("(")[0].split()}
    if name not in known:
        assert translated(name, family, {}) == (name,)


def test_the_callers_own_names_come_first() -> None:
    own: package_names.Names = {
        "libdemo": {"debian": "libdemo-dev", "fedora": ["demo", "demo-devel"], "suse": "one two"},
        "vim": {"debian": "vim-nox", "arch": (), "void": ""},
    }
    assert translated("libdemo", "debian", own) == ("libdemo-dev",)
    assert translated("libdemo", "fedora", own) == ("demo", "demo-devel")
    assert translated("libdemo", "suse", own) == ("one", "two")
    assert translated("libdemo", "arch", own) == ("libdemo",)
    assert translated("vim", "debian", own) == ("vim-nox",)
    assert translated("vim", "arch", own) == translated("vim", "void", own) == ()
    # What the caller has said nothing of is as it was.
    assert translated("vim", "fedora", own) == ("vim-enhanced",)
    assert translated("libssl-dev", "fedora", own) == ("openssl-devel",)


def test_what_brings_a_command() -> None:
    assert bringing("dig") == "dnsutils"
    assert translated(bringing("dig"), "fedora", {}) == ("bind-utils",)
    assert translated(bringing("pip3"), "alpine", {}) == ("py3-pip",)
    assert bringing("git") == "git"
    known = {alias for called, *_ in LINES for alias in called.partition("(")[0].split()}
    for called, *_ in LINES:
        for command in called.partition("(")[2].rstrip(")").split():
            assert bringing(command) in known
