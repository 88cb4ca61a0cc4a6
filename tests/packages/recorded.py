"""What package managers say that cannot be had here: transcripts/MANAGER/CASE.txt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("transcripts")
HEAD = ("command", "status", "means", "tells", "source")


@dataclass(frozen=True)
class Transcript:
    """One command and what it printed; transcripts/README.md says what each part is."""

    manager: str
    case: str
    command: str
    status: int | None
    succeeded: bool | None
    means: str
    about: tuple[str, ...]
    tells: tuple[str, ...] | None
    source: str
    output: str

    @property
    def name(self) -> str:
        return f"{self.manager}/{self.case}"


def read(path: Path) -> Transcript:
    """One file; it raises ValueError, naming the file, for a head that is not as it should be."""
    head, separator, output = path.read_bytes().decode().partition("\n\n")
    found: dict[str, str] = {}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon or key not in HEAD or key in found:
            raise ValueError(f"{path}: {line!r} is no line of a head")
        found[key] = value.strip()
    missing = [key for key in HEAD if key not in found and key != "tells"]
    if missing or not separator:
        raise ValueError(f"{path}: no {', '.join(missing) or 'empty line after the head'}")
    said = found["status"]
    status = int(said) if said.isdigit() else None
    succeeded = False if said == "unknown, not 0" else None if status is None else status == 0
    means, *about = found["means"].split()
    tells = tuple(found["tells"].split()) if "tells" in found else None
    return Transcript(
        path.parent.name,
        path.stem,
        found["command"],
        status,
        succeeded,
        means,
        tuple(about),
        tells,
        found["source"],
        output,
    )


def transcripts(manager: str | None = None) -> list[Transcript]:
    """All of them, or those of one manager, in order of their names."""
    return [read(path) for path in sorted(FOLDER.glob(f"{manager or '*'}/*.txt"))]
