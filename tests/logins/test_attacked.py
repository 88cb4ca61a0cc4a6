"""What has been tried against logins, and went wrong once."""

from __future__ import annotations

import os

import pytest
from logins.far import Far

from shellbot import LevelLostError, LoginError, Session

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_a_session_whose_own_shell_made_way_for_the_login_says_that_it_is_gone(
    bash: Session,
) -> None:
    bash.login("exec bash --norc")
    assert bash.send_and_get_output("echo $((6 * 7))") == "42"
    bash.logout()
    with pytest.raises(LevelLostError, match="the shell has ended"):
        bash.send("true")


def test_a_failed_login_does_not_claim_a_level_that_had_to_be_ended(
    far: Far, bash: Session
) -> None:
    bash.login(far.way())
    with pytest.raises(LevelLostError) as caught:
        bash.login("trap '' INT QUIT; sleep 60", timeout=0.5)
    assert (caught.value.where.depth, len(caught.value.levels)) == (0, 1)
    assert isinstance(caught.value.__cause__, Exception)
    assert bash.send_and_get_output("echo $((6 * 7))") == "42"


def test_a_password_without_a_newline_after_it_is_not_asked_for_again(
    far: Far, bash: Session
) -> None:
    with bash.login(far.way()):
        command = "read -s -p 'Password: ' it; sleep 2; test \"$it\" = right && bash --norc"
        with bash.login(command, password="right"):
            assert bash.where.depth == 2
            assert bash.send_and_get_output("echo $((6 * 7))") == "42"
        with pytest.raises(LoginError) as caught:
            bash.login(command, password="another")
        assert caught.value.reason == "wrong_password"
