"""The rooms stand on each other in one direction only: see docs/decisions/0001-ranks.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "shellbot"
RANKS = {
    "text": 0,
    "processes": 0,
    "diagnosis": 1,
    "result": 1,
    "errors": 2,
    "frames": 3,
    "console": 3,
    "limits": 3,
    "managers": 3,
    "package_names": 3,
    "asking": 4,
    "dialects": 4,
    "dialogue": 4,
    "echo": 5,
    "attention": 5,
    "stream": 5,
    "surroundings": 5,
    "logins": 5,
    "entry": 6,
    "pexpect_view": 4,
    "terminal": 5,
    "own_terminal": 5,
    "supervision": 5,
    "record": 5,
    "line": 6,
    "relay": 7,
    "conversation": 7,
    "recovery": 7,
    "shell": 8,
    "program": 9,
    "by_hand": 9,
    "interaction": 10,
    "jobs": 9,
    "levels": 9,
    "packages": 9,
    "pause": 9,
    "session": 11,
    "__init__": 12,
}


def imports(module: str) -> list[str]:
    """Every module that *module* imports, lazily and for types as well."""
    found = []
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found += [f".{node.module or name.name}" for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(str(node.module))
    return found


def test_every_room_has_a_rank() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(RANKS)


@pytest.mark.parametrize("module", RANKS)
def test_a_room_imports_only_lower_ranks(module: str) -> None:
    for imported in imports(module):
        assert not imported.startswith("shellbot")
        if imported.startswith("."):
            assert RANKS[imported[1:]] < RANKS[module], imported


@pytest.mark.parametrize("module", RANKS)
def test_only_the_view_of_pexpect_knows_it(module: str) -> None:
    outside = {name.split(".")[0] for name in imports(module)}
    assert module == "pexpect_view" or not outside & {"pexpect", "ptyprocess"}
