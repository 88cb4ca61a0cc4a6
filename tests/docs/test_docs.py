"""Every snippet of the README and of docs/ runs, and so does every example."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import shellbot
from shellbot import diagnosis

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SNIPPETS = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.S))
]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_runs(code: str, tmp_path: Path) -> None:
    script = tmp_path / "snippet.py"
    script.write_text(code)
    subprocess.run([sys.executable, "-W", "error", script], cwd=tmp_path, check=True, timeout=50)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "error", example], cwd=tmp_path, check=True, timeout=50)


def test_first_light_shows_statuses_and_output(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "first_light.py"))
    shown = capsys.readouterr().out
    assert "exit status 0" in shown
    assert "exit status 2" in shown
    assert "\x1b" not in shown


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_diagnosis_is_shown() -> None:
    page = (ROOT / "docs" / "not-finished.md").read_text()
    for kind, (words, _) in diagnosis.KINDS.items():
        assert f"| `{kind}` | {words}" in page


def test_the_changelog_knows_the_version() -> None:
    assert f"## {shellbot.__version__}" in (ROOT / "docs" / "changelog.md").read_text()
