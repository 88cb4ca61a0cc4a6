"""How long a login may take: what the call says, or else the way, or else the session."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import shellbot
from shellbot import LoginError, Session, UsageError, logins

# What is connected to nobody, and says nothing.
SILENT = "sleep 60"


@pytest.mark.parametrize(
    ("own", "log_in"),
    [
        (0.5, lambda session: session.serial(SILENT)),
        (0.5, lambda session: session.login(logins.serial(SILENT))),
        (0.5, lambda session: session.login(SILENT)),
        (None, lambda session: session.serial(SILENT, timeout=0.5)),
        (None, lambda session: session.login(logins.serial(SILENT, timeout=0.5))),
        (60, lambda session: session.login(logins.serial(SILENT, timeout=60), timeout=0.5)),
    ],
)
def test_the_nearest_limit_counts(own: float | None, log_in: Callable[[Session], object]) -> None:
    with shellbot.bash(timeout=own) as session:
        with pytest.raises(LoginError, match=r"after 0\.[5-9]") as caught:
            log_in(session)
        assert caught.value.reason == "timed_out"
        assert session.send("echo in step", timeout=5).raw == b"in step\n"


def test_what_a_way_was_made_with_cannot_be_told_again(bash: Session) -> None:
    with pytest.raises(UsageError, match="takes no user, password"):
        bash.login(logins.su(), user="bob", password="open sesame")
    assert bash.where.depth == 0
