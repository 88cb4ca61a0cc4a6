"""What the tests of dialogues share: a look whether the session is in step, and answers by name."""

from __future__ import annotations

import shellbot

NAME = r"Name\? $"
ASK = "printf 'Name? '; read answer; echo \"<$answer>\""


def in_step(session: shellbot.Session) -> bool:
    """Whether the next two commands answer, each for itself."""
    first = session.send_and_get_output("echo in step", timeout=5)
    return first == "in step" and session.send("(exit 3)", check=3, timeout=5).raw == b""
