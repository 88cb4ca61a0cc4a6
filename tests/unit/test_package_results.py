"""What became of packages, and why it did not: for a program to compare, for a person to read."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import shellbot
from shellbot import Package, PackageError, PackageResult
from shellbot.errors import PACKAGE_REASONS
from shellbot.result import Where

HERE = Where("far", "me", 2, system="debian 12", manager="apt", privilege="sudo")
NEW = Package("libssl-dev", "openssl-devel", version="3.2")
NEWER = Package("git=2*", "git", version="2.47", before="2.39")
THERE = Package("vim", "vim", version="9.1", before="9.1")
GONE = Package("nano", "nano", before="7.2")
NEVER = Package("nosuch", "nosuch")
ALL = (NEW, NEWER, THERE, GONE, NEVER)
RESULT = PackageResult(ALL, manager="dnf", where=HERE, output="Complete!\r\n")


def error(**changes: object) -> PackageError:
    facts: dict[str, object] = {
        "reason": "not_found",
        "packages": ("nosuch", "nothing"),
        "result": RESULT,
        "exit_code": 100,
        "partial": b"Reading...\r\nE: Unable to locate package nosuch\r\n",
        "where": HERE,
        "detail": "",
    }
    return PackageError("apt install nosuch nothing", **{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "facts", "said"),
    [
        (NEW, (True, False, True), "openssl-devel nothing -> 3.2"),
        (NEWER, (True, True, True), "git 2.39 -> 2.47"),
        (THERE, (True, True, False), "vim 9.1: there already"),
        (GONE, (False, True, True), "nano 7.2 -> nothing"),
        (NEVER, (False, False, False), "nosuch"),
    ],
)
def test_what_a_package_says(one: Package, facts: tuple[bool, ...], said: str) -> None:
    assert (one.is_installed, one.was_installed, one.changed) == facts
    assert (str(one), repr(one)) == (said, f"<Package {said}>")


def test_a_package_cannot_be_changed_and_is_compared_by_what_it_is() -> None:
    for name in ("version", "name", "changed", "invented"):
        with pytest.raises(AttributeError, match=name):
            setattr(NEW, name, "1")
        with pytest.raises(AttributeError, match=name):
            delattr(NEW, name)
    assert NEW.version == "3.2"
    same = Package("libssl-dev", "openssl-devel", version="3.2")
    assert len({NEW, same, copy.copy(NEW), copy.deepcopy(NEW), *ALL}) == len(ALL)
    for other in (
        Package("other", "openssl-devel", version="3.2"),
        Package("libssl-dev", "other", version="3.2"),
        Package("libssl-dev", "openssl-devel", version="3.3"),
        Package("libssl-dev", "openssl-devel", version="3.2", before="3.2"),
        "openssl-devel nothing -> 3.2",
    ):
        assert other != NEW


def test_a_result_is_true_where_something_changed() -> None:
    assert RESULT.changed == (NEW, NEWER, GONE)
    assert RESULT
    for nothing in ((THERE,), (NEVER, THERE), ()):
        assert not PackageResult(nothing, manager="apt", where=HERE)
    assert RESULT["libssl-dev"] == RESULT["openssl-devel"] == NEW
    assert RESULT["git=2*"] is RESULT["git"] is NEWER
    with pytest.raises(KeyError, match="openssl"):
        RESULT["openssl"]
    assert repr(RESULT).startswith("<PackageResult dnf: openssl-devel nothing -> 3.2, git 2.39 -> ")


def test_what_was_asked_for_comes_before_what_something_is_called() -> None:
    one, two = Package("docker", "moby", version="1"), Package("moby", "moby-engine", version="2")
    for packages in ((one, two), (two, one)):
        assert PackageResult(packages, manager="dnf", where=HERE)["moby"] is two


def returned(one: object) -> tuple[object, str]:
    """What another process makes of it."""
    return one, repr(one)


def raises(one: PackageError) -> None:
    raise one


def test_they_go_to_other_processes_and_back() -> None:
    failed = error()
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        for one in ALL:
            assert pool.submit(returned, one).result(30) == (one, repr(one))
        result, said = pool.submit(returned, RESULT).result(30)
        assert isinstance(result, PackageResult)
        assert said == repr(RESULT)
        assert (result.packages, result.manager, result.output) == (ALL, "dnf", "Complete!\r\n")
        assert (result.where, result.where.manager) == (HERE, "apt")
        with pytest.raises(PackageError) as raised:
            pool.submit(raises, failed).result(30)
    for back in (raised.value, copy.copy(failed), pickle.loads(pickle.dumps(failed))):
        assert str(back) == str(failed)
        assert (back.reason, back.packages) == ("not_found", ("nosuch", "nothing"))
        assert back.exit_code == 100
        assert (back.partial, back.where) == (failed.partial, HERE)
        assert back.result is not None
        assert back.result.packages == ALL


def test_an_error_says_what_a_person_needs() -> None:
    first, changed, where, advice, *last = str(error()).splitlines()
    assert first == ("not found (nosuch, nothing), exit status 100: apt install nosuch nothing")
    assert changed == (
        "Changed all the same: openssl-devel nothing -> 3.2, git 2.39 -> 2.47, nano 7.2 -> nothing."
    )
    assert where == "On me@far, depth 2."
    assert advice == f"To try: {PACKAGE_REASONS['not_found']}."
    assert last[0] == "The last it printed:"
    assert "E: Unable to locate package nosuch" in last

    holder = "Still locked after 3 s by process 15 (apt-get update)."
    locked = error(reason="locked", packages=(), result=None, exit_code=None, detail=holder)
    first, second, *_ = str(locked).splitlines()
    assert (first, second) == ("locked: apt install nosuch nothing", holder)
    assert "Changed" not in str(locked)
    own = error(advice="ask the person who has it")
    assert "To try: ask the person who has it.\n" in str(own)
    assert PACKAGE_REASONS["not_found"] not in str(own)
    assert "Changed" not in str(error(result=PackageResult((THERE,), manager="apt", where=HERE)))


@pytest.mark.parametrize("reason", PACKAGE_REASONS)
def test_every_reason_has_advice_in_a_sentence_of_its_own(reason: str) -> None:
    said = str(error(reason=reason, partial=b""))
    assert said.startswith(reason.replace("_", " "))
    assert said.endswith(f"To try: {PACKAGE_REASONS[reason]}.")
    assert not PACKAGE_REASONS[reason].endswith(".")


def test_an_error_is_one_of_the_sessions() -> None:
    assert issubclass(PackageError, shellbot.SessionError)
    with pytest.raises(KeyError):
        error(reason="invented")
