"""Background jobs of a shell that was logged in from: nothing about them is typed further in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dialogues.machines import until

import shellbot
from shellbot import LevelLostError, Session, UsageError


def is_gone(pid: int) -> bool:
    """Whether a process has ended, even if nobody has taken notice of that."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_job_further_out_is_let_alone_until_one_is_back(bash: Session) -> None:
    job = bash.background("read x </dev/null; sleep 60")
    with bash.login("bash --norc"):
        for ask in (job.poll, job.kill, job.wait, lambda: job.output):
            with pytest.raises(UsageError, match="log out first"):
                ask()
        assert bash.wait_all(timeout=5) == []
        assert bash.send("echo in step", timeout=5).raw == b"in step\n"
        os.kill(job.pid, 0)
    assert bash.where.depth == 0
    assert job.poll() is None
    assert job.kill().exit_code == 143


def test_a_job_ends_with_its_level(bash: Session) -> None:
    with bash.login("bash --norc"):
        job = bash.background("sleep 60")
    assert bash.wait_all(timeout=5) == []
    with pytest.raises(LevelLostError, match="logged out"):
        job.wait(timeout=5)
    assert not os.path.exists(job.directory)
    until(lambda: is_gone(job.pid))
    mine = bash.background("exit 3")
    assert [one.exit_code for one in bash.wait_all(timeout=5)] == [3]
    assert mine.exit_code == 3


def test_closing_ends_the_jobs_of_every_level() -> None:
    with shellbot.bash() as session:
        jobs = [session.background("sleep 60")]
        session.login("bash --norc")
        jobs.append(session.background("sleep 60"))
    for job in jobs:
        assert not os.path.exists(job.directory)
        until(lambda pid=job.pid: is_gone(pid))  # type: ignore[misc]
