"""Make the pictures of docs/pausing.md: `python docs/picture.py`, with tmux and rich."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
PAUSE = """
import shellbot

with shellbot.bash(cwd="/srv/app") as shell:
    shell.send("release=41")
    pause = shell.pause_point("Is this the right release?")
    for done in pause.commands:
        print(f"ran {done.command!r}: exit status {done.exit_code}")
    print("release", shell.send_and_get_output("echo $release in $PWD"))
"""
FAILURE = """
import shellbot

with shellbot.bash(cwd="/srv/app", on_error="pause") as shell:
    shell.send("release=42")
    done = shell.send("cp config.yaml /srv/release-$release/")
    print("copied in", f"{done.duration:.3f} s")
"""
# What is typed, and what the screen ends with then.
PLAYS = {
    "pausing": (
        PAUSE,
        ("ls /srv", "app#"),
        ("cd /srv/release-42; release=42", "42#"),
        ("grep -r todo .", "42#"),
        ("C-]", "$"),
    ),
    "failing": (
        FAILURE,
        ("ls", "app#"),
        ("mv config.yml config.yaml", "app#"),
        ("C-]", "abort)"),
        ("retry", "$"),
    ),
}


def stands(typed: str, prompt: str, screen: str) -> bool:
    """Whether *prompt* is at the end of *screen*, behind what was *typed*."""
    return typed in screen and screen.endswith(prompt)


def take_picture(place: Path, script: str, play: tuple[tuple[str, str], ...]) -> str:
    """Play it in a terminal, and return what is on that then, colours and all."""
    (place / "deploy.py").write_text(script)
    socket = str(place / "tmux")

    def tmux(*arguments: str) -> str:
        command = ["tmux", "-S", socket, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def await_that(is_true: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + 20
        while not is_true(tmux("capture-pane", "-p").rstrip()):
            if time.monotonic() >= deadline:
                raise SystemExit(tmux("capture-pane", "-p"))
            time.sleep(0.05)

    # A directory and a host of their own, in a namespace, so that the picture shows no machine's.
    shell = (
        "mount -t tmpfs none /srv; mkdir /srv/app /srv/release-42; touch /srv/app/config.yml; "
        f"hostname web1; cd {place}; "
        f"PYTHONPATH={ROOT} PS1='$ ' PATH={Path(sys.executable).parent}:$PATH sh"
    )
    tmux(
        *("-f", "/dev/null", "new-session", "-d", "-x", "88", "-y", "23"),
        *("unshare", "-mu", "sh", "-c", shell),
    )
    await_that(lambda screen: screen.endswith("$"))
    for typed, seen in (("python deploy.py", "app#"), *play):
        if typed == "C-]":
            tmux("send-keys", typed)
            await_that(partial(stands, "going on", seen))
            continue
        tmux("send-keys", "-l", typed)
        tmux("send-keys", "Enter")
        await_that(partial(stands, typed, seen))
    shown = tmux("capture-pane", "-p", "-e").rstrip()
    tmux("kill-server")
    return shown


for name, (script, *play) in PLAYS.items():
    with tempfile.TemporaryDirectory() as place:
        screen = take_picture(Path(place), script, tuple(play))
    console = Console(record=True, width=88, file=io.StringIO())
    console.print(Text.from_ansi(screen), soft_wrap=True)
    picture = console.export_svg(title="pause_point", unique_id=name)
    # Nothing that is fetched from elsewhere.
    picture = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->|Fira Code, ", "", picture, flags=re.S)
    (ROOT / "docs" / f"{name}.svg").write_text(picture)
