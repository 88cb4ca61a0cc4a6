"""The measurements run, and are right about what they ran. Nothing here depends on a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MEASURE = Path(__file__).with_name("measure.py")


def test_the_measurements_run(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    subprocess.run(
        [sys.executable, MEASURE, "--short", "--json", file],
        check=True,
        timeout=55,
        stdout=subprocess.DEVNULL,
    )
    figures = json.loads(file.read_text())
    assert len(figures["ratios"]) == 6
    for ratio in figures["ratios"].values():
        assert 0 < ratio["lowest"] <= ratio["median"] <= ratio["highest"]
