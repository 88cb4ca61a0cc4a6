"""A virtual environment for each peer, made once and kept in .cache/benchmarks."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from peers import CHECKOUT

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "benchmarks"


def made(name: str, requirements: Sequence[str]) -> Path:
    """The Python of the environment with just these, made unless it is there."""
    directory = CACHE / name
    python = directory / "bin" / "python"
    stamp = directory / "requirements"
    wanted = "\n".join([sys.version, *_stamps(requirements)])
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    if requirements:
        packages = [str(ROOT) if one == CHECKOUT else one for one in requirements]
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
        subprocess.run([*command, *packages], check=True)
    stamp.write_text(wanted)
    return python


def _stamps(requirements: Iterable[str]) -> list[str]:
    return [_checkout() if one == CHECKOUT else one for one in requirements]


def _checkout() -> str:
    """What tells this checkout from how it was before."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for file in sorted((ROOT / "shellbot").rglob("*.py")):
        digest.update(os.fsencode(file.relative_to(ROOT)) + file.read_bytes())
    return digest.hexdigest()


def versions(python: Path) -> list[str]:
    """What is installed there, as name==version."""
    found = python.parent.parent.glob("lib/python*/site-packages/*.dist-info")
    return sorted("==".join(one.name.removesuffix(".dist-info").split("-", 1)) for one in found)
