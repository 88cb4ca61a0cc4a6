"""Sessions inside containers, with podman and with the Docker engine."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dialogues.machines import until
from logins.containers import BARE, SMALL, Engine, each_engine

import shellbot
from shellbot import (
    CommandTimeoutError,
    LevelLostError,
    LoginError,
    Session,
)

HERE = os.uname().nodename


@pytest.fixture
def session(engine: Engine, tmp_path: Path) -> Iterator[Session]:
    """A session that reaches the engine."""
    assert engine.environment
    with shellbot.bash(cwd=tmp_path) as session:
        yield session


@pytest.fixture
def inside(session: Session, engine: Engine, box: str) -> Session:
    """A session in the container that has busybox only."""
    session.container(box, engine=engine.name)
    return session


@pytest.fixture
def full(podman: Engine, tmp_path: Path) -> Iterator[Session]:
    """A session in a container that has all of this machine's programs."""
    name = podman.start("--rootfs", "/:O", "sleep", "100000")
    with shellbot.bash(cwd=tmp_path) as session:
        session.container(name, engine="podman")
        yield session


def in_step(session: Session, host: str) -> None:
    result = session.send("echo in step; hostname", timeout=5)
    assert result.raw == b"in step\n%b\n" % host.encode()
    assert result.exit_code == 0


# Where it is


@each_engine
def test_a_minimal_container_is_known_for_what_it_is(
    session: Session, engine: Engine, box: str
) -> None:
    outside = session.where
    with session.container(box, engine=engine.name) as level:
        where = session.where
        assert level.where == where
        assert (where.host, where.user, where.depth) == (box[:12], "root", 1)
        assert (where.shell, where.system, where.container) == ("ash", "Linux", True)
        assert (where.manager, where.privilege) == ("", "")
        assert session.levels == (outside, where)
        in_step(session, box[:12])
    assert session.where == outside
    in_step(session, HERE)
    assert engine.inside(box) == []


def test_a_full_container_has_the_shell_and_the_system_that_it_has(full: Session) -> None:
    where = full.where
    assert (where.user, where.depth, where.container) == ("root", 1, True)
    assert (where.shell, where.host) == ("bash", full.send_and_get_output("hostname"))
    assert where.host != HERE
    expected = full.send_and_get_output('. /etc/os-release; echo "$ID $VERSION_ID"')
    assert where.system == expected.strip()


def test_a_container_as_another_user(session: Session, engine: Engine, box: str) -> None:
    with session.container(box, engine=engine.name, user="worker"):
        assert session.where.user == "worker"
        assert session.send_and_get_output("id -un; id -u") == "worker\n1000"
    with session.container(box, engine=engine.name, user="1234"):
        assert session.where.user == "1234"
        assert session.send_and_get_output("id -u") == "1234"
    in_step(session, HERE)


def test_a_new_container_from_an_image_goes_when_it_is_left(
    session: Session, engine: Engine
) -> None:
    with session.container(SMALL, engine=engine.name):
        assert session.where.container
        session.send("echo mine >/tmp/file")
        assert len(engine.told("ps", "-aq").split()) == 1
    until(lambda: engine.told("ps", "-aq") == "")
    in_step(session, HERE)


@each_engine
def test_run_as_a_plain_login(session: Session, engine: Engine) -> None:
    with session.login(f"{engine.name} run --rm -it --hostname inner -u worker {SMALL} sh"):
        where = session.where
        assert (where.host, where.user, where.shell) == ("inner", "worker", "ash")
        assert where.container
        assert session.send("exec 3>&1; echo $((6 * 7)) >&3").raw == b"42\n"
    until(lambda: engine.told("ps", "-aq") == "")
    in_step(session, HERE)


# Where there is none


@each_engine
def test_no_such_container(session: Session, engine: Engine) -> None:
    with pytest.raises(LoginError, match="no such container, and no such image: none") as caught:
        session.container("none", engine=engine.name)
    assert (caught.value.reason, caught.value.exit_code) == ("no_such_container", 125)
    assert caught.value.where == session.where
    assert session.where.depth == 0
    in_step(session, HERE)


def test_a_stopped_container(session: Session, engine: Engine, box: str) -> None:
    engine.told("kill", box)
    until(lambda: engine.told("inspect", "-f", "{{.State.Running}}", box) == "false")
    with pytest.raises(LoginError) as caught:
        session.container(box, engine=engine.name)
    assert caught.value.reason == "no_such_container"
    in_step(session, HERE)


@each_engine
def test_a_paused_container_cannot_be_entered(session: Session, engine: Engine, box: str) -> None:
    engine.told("pause", box)
    try:
        with pytest.raises(LoginError) as caught:
            session.container(box, engine=engine.name, timeout=20)
        assert caught.value.reason == "no_such_container"
        in_step(session, HERE)
    finally:
        engine.told("unpause", box)


def test_a_user_that_the_container_does_not_have(podman: Engine, bash: Session) -> None:
    # The client of Docker takes ten seconds to say so.
    with pytest.raises(LoginError) as caught:
        bash.container(podman.small(), engine=podman.name, user="nobody-here")
    assert caught.value.reason == "no_such_user"
    in_step(bash, HERE)


@each_engine
def test_a_container_without_a_shell(session: Session, engine: Engine) -> None:
    name = engine.start(BARE, "/bin/sleep", "100000")
    for way in (name, BARE):
        with pytest.raises(LoginError) as caught:
            session.container(way, engine=engine.name)
        assert caught.value.reason == "no_shell", caught.value
        in_step(session, HERE)
    assert engine.inside(name) == []
    until(lambda: len(engine.told("ps", "-aq").split()) == 1)


def test_a_container_without_stty(session: Session, engine: Engine, box: str) -> None:
    engine.told("exec", box, "rm", "/bin/stty")
    with pytest.raises(LoginError, match="stty") as caught:
        session.container(box, engine=engine.name)
    assert caught.value.reason == "no_shell"
    in_step(session, HERE)
    assert engine.is_empty(box), engine.inside(box)


def test_the_shell_that_is_asked_for_is_not_there(
    session: Session, engine: Engine, box: str
) -> None:
    with pytest.raises(LoginError, match="the shell that was asked for") as caught:
        session.container(box, engine=engine.name, shell="zsh")
    assert caught.value.reason == "no_shell"
    in_step(session, HERE)
    assert engine.is_empty(box), engine.inside(box)


def test_a_command_that_is_no_shell(session: Session, engine: Engine, box: str) -> None:
    with pytest.raises(LoginError) as caught:
        session.login(f"{engine.name} exec -it {box} cat", timeout=20)
    assert caught.value.reason == "no_answer"
    assert caught.value.diagnosis is not None
    assert (caught.value.diagnosis.kind, caught.value.diagnosis.process) == ("input", "cat")
    in_step(session, HERE)


# What is lost


@each_engine
def test_killed_while_a_command_runs(inside: Session, engine: Engine, box: str) -> None:
    lost = inside.where
    with shellbot.bash() as killer:
        killer.background(f"{engine.name} kill {box}")
        started = time.monotonic()
        with pytest.raises(LevelLostError) as caught:
            inside.send("echo begun; sleep 100", timeout=20)
    assert time.monotonic() - started < 3
    assert caught.value.levels == (lost,)
    assert f"Lost: {lost}. Now on {inside.where}." in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.depth == 0
    assert inside.where.depth == 0
    in_step(inside, HERE)


@each_engine
def test_killed_between_two_commands(inside: Session, engine: Engine, box: str) -> None:
    lost = inside.where
    engine.told("kill", box)
    started = time.monotonic()
    # The engine says so a moment before its client ends.
    with pytest.raises(LevelLostError) as caught:
        inside.send_until("echo x", "y", timeout=20, every=0.0)
    assert time.monotonic() - started < 3
    assert caught.value.levels == (lost,)
    in_step(inside, HERE)


def test_the_shell_in_it_is_killed_by_its_own_command(
    inside: Session, engine: Engine, box: str
) -> None:
    with pytest.raises(LevelLostError) as caught:
        inside.send("echo last words; kill -9 $$", timeout=20)
    assert caught.value.partial.endswith(b"last words\n")
    assert caught.value.exit_code == 137
    in_step(inside, HERE)
    assert engine.inside(box) == []


def test_exit_leaves_the_level(inside: Session) -> None:
    with pytest.raises(LevelLostError) as caught:
        inside.send("echo bye; exit 3")
    assert (caught.value.exit_code, caught.value.partial) == (3, b"bye\n")
    in_step(inside, HERE)


@each_engine
def test_restarted_and_come_back_to(inside: Session, engine: Engine, box: str) -> None:
    place = inside.where
    inside.send("x=1; cd /tmp")
    engine.told("restart", "-t", "0", box)
    with pytest.raises(LevelLostError):
        inside.send("echo $x", timeout=20)
    assert inside.reconnect(wait=20, every=0.2) == place
    assert inside.send("echo =$x=").raw == b"==\n"
    inside.logout()
    in_step(inside, HERE)


def test_come_back_to_once_it_is_started_again(inside: Session, engine: Engine, box: str) -> None:
    engine.told("kill", box)
    with pytest.raises(LevelLostError):
        inside.send("sleep 100", timeout=20)
    with shellbot.bash() as other:
        job = other.background(f"sleep 1; {engine.name} start {box}")
        assert inside.reconnect(wait=20, every=0.2).host == box[:12]
        job.wait()
    in_step(inside, box[:12])


def test_stopped_for_good_is_not_come_back_to(inside: Session, engine: Engine, box: str) -> None:
    engine.told("kill", box)
    with pytest.raises(LevelLostError):
        inside.send("sleep 100", timeout=20)
    with pytest.raises(LoginError) as caught:
        inside.reconnect(wait=4, every=5)
    assert caught.value.reason == "no_such_container"
    in_step(inside, HERE)


@each_engine
def test_paused_it_says_so_and_lets_go(inside: Session, engine: Engine, box: str) -> None:
    engine.told("pause", box)
    try:
        with shellbot.bash() as other:
            # As in another container that somebody uses meanwhile.
            other.background("unshare --pid --fork --kill-child sleep 100")
            with pytest.raises(CommandTimeoutError) as caught:
                inside.send("echo x", timeout=1)
    finally:
        engine.told("unpause", box)
    assert caught.value.partial == b""
    assert caught.value.diagnosis.kind == "stopped", caught.value
    assert "that level is lost" in caught.value.recovery
    with pytest.raises(LevelLostError):
        inside.send("echo x")
    in_step(inside, HERE)
    assert engine.is_empty(box), engine.inside(box)


def test_paused_and_unpaused_in_time_costs_nothing(
    inside: Session, engine: Engine, box: str
) -> None:
    engine.told("pause", box)
    with shellbot.bash() as other:
        job = other.background(f"sleep 0.5; {engine.name} unpause {box}")
        assert inside.send("echo x; echo y", timeout=20).raw == b"x\ny\n"
        job.wait()
    in_step(inside, box[:12])


@each_engine
def test_paused_during_a_command_that_goes_on(inside: Session, engine: Engine, box: str) -> None:
    with shellbot.bash() as other:
        line = f"{engine.name} pause {box}; sleep 0.3; {engine.name} unpause {box}"
        job = other.background(line)
        command = "for x in 1 2 3 4 5 6; do sleep 0.2; echo $x; done"
        assert inside.send(command, timeout=20).raw == b"1\n2\n3\n4\n5\n6\n"
        job.wait()


# What is left behind


def test_nothing_is_left_after_an_exception(session: Session, engine: Engine, box: str) -> None:
    with contextlib.suppress(ZeroDivisionError), session.container(box, engine=engine.name):
        session.send("sleep 100 &")
        raise ZeroDivisionError
    assert session.where.depth == 0
    in_step(session, HERE)
    assert [one for one in engine.inside(box) if one.startswith("/bin/sh")] == []


@each_engine
def test_nothing_is_left_after_closing_the_session(
    inside: Session, engine: Engine, box: str
) -> None:
    started = time.monotonic()
    inside.close()
    assert time.monotonic() - started < 2
    assert engine.is_empty(box), engine.inside(box)


@each_engine
def test_nothing_is_left_after_closing_amid_a_stream(
    inside: Session, engine: Engine, box: str
) -> None:
    lines = inside.stream("while :; do echo x; sleep 0.1; done")
    assert next(lines) == "x"
    inside.close()
    assert engine.is_empty(box), engine.inside(box)


def test_nothing_is_left_after_closing_from_another_thread(
    inside: Session, engine: Engine, box: str
) -> None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            inside.send("echo; sleep 100", timeout=50, on_output=lambda text: begun.set())
        except LevelLostError as error:
            caught.append(error)

    begun = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(20)
    inside.close()
    thread.join(20)
    assert "the session was closed" in str(caught[0])
    assert engine.is_empty(box), engine.inside(box)


def test_a_job_ends_with_its_level_or_the_session(
    session: Session, engine: Engine, box: str
) -> None:
    outside = session.background("exec sleep 98765")
    with session.container(box, engine=engine.name):
        session.background("sleep 100")
    assert engine.is_empty(box), engine.inside(box)
    session.container(box, engine=engine.name)
    session.background("sleep 100")
    assert outside.is_running
    pid = outside.pid
    session.close()
    assert engine.is_empty(box), engine.inside(box)
    until(lambda: not os.path.exists(f"/proc/{pid}"), 2.0)


# Inside


@each_engine
def test_a_time_out_inside_costs_only_the_command(
    inside: Session, engine: Engine, box: str
) -> None:
    for command in ("sleep 100", "cat", "while :; do :; done", "trap '' INT; sleep 100"):
        with pytest.raises(CommandTimeoutError) as caught:
            inside.send(f"echo begun; {command}", timeout=0.5)
        assert caught.value.partial.startswith(b"begun\n")
        assert caught.value.where is not None
        assert caught.value.where.depth == 1
        in_step(inside, box[:12])
    inside.logout()
    assert engine.is_empty(box), engine.inside(box)


@pytest.fixture
def with_users(full: Session) -> Session:
    """A session in a container of its own that has the users mary and guest."""
    full.send("useradd -m -s /bin/bash mary; useradd -s /usr/sbin/nologin guest")
    return full


def test_su_inside_a_container(with_users: Session) -> None:
    session, host = with_users, with_users.where.host
    with session.su("mary"):
        where = session.where
        assert (where.user, where.host, where.depth) == ("mary", host, 2)
        assert where.container
        assert session.send("pwd; id -un").raw == b"/home/mary\nmary\n"
        with pytest.raises(CommandTimeoutError):
            session.send("sleep 100", timeout=0.3)
        in_step(session, host)
    assert session.where.user == "root"
    with pytest.raises(LoginError) as caught:
        session.su("guest", timeout=10)
    assert caught.value.reason == "no_shell", caught.value
    in_step(session, host)


def test_a_container_killed_below_su_loses_both(with_users: Session, podman: Engine) -> None:
    with_users.su("mary")
    lost = with_users.levels[1:]
    podman.told("kill", lost[0].host)
    with pytest.raises(LevelLostError) as caught:
        with_users.send("sleep 100", timeout=20)
    assert caught.value.levels == lost
    in_step(with_users, HERE)


def test_nothing_is_left_after_closing_two_levels_deep(with_users: Session, podman: Engine) -> None:
    with_users.su("mary")
    name = with_users.where.host
    with_users.close()
    assert podman.is_empty(name), podman.inside(name)


def test_root_in_a_container_without_names_needs_no_sudo(
    session: Session, engine: Engine, box: str
) -> None:
    engine.told("exec", box, "rm", "/etc/passwd")
    with session.container(box, engine=engine.name):
        assert session.where.user == "0"
        assert session.send("id -u", sudo=True).raw == b"0\n"


@each_engine
def test_big_output_is_exact(inside: Session, engine: Engine) -> None:
    # What the engine of Docker passes on is a megabyte in a second.
    size = {"podman": 20_000_000, "docker": 800_000}[engine.name]
    result = inside.send(f"yes 0123456789abcde | head -c {size}", timeout=50)
    assert result.raw == b"0123456789abcde\n" * (size // 16)


def test_a_command_of_a_megabyte(inside: Session) -> None:
    text = "0123456789abcdé~!'\\\n" * 50_000
    result = inside.send(f"cat <<'END' | md5sum\n{text}END\n", timeout=50)
    import hashlib

    assert result.output.split()[0] == hashlib.md5(text.encode()).hexdigest()


@each_engine
def test_input_with_every_byte(inside: Session) -> None:
    data = bytes(range(256)) * 40
    result = inside.send("od -An -v -tx1 | tr -d ' \\n'", input=data, timeout=20)
    assert result.raw == data.hex().encode()


def test_every_byte_is_written_as_it_is(inside: Session) -> None:
    data = bytes(range(256))
    assert inside.send("cat", input=data, timeout=20).raw == data


def test_standard_error_apart(inside: Session) -> None:
    result = inside.send("echo out; echo err >&2; false", stderr="split", check=1)
    assert (result.output, result.stderr) == ("out\n", "err\n")


def test_background_jobs(inside: Session) -> None:
    job = inside.background("echo up; sleep 0.2; exit 7")
    assert inside.send("echo free").raw == b"free\n"
    result = job.wait(timeout=20)
    assert (result.exit_code, result.output) == (7, "up\n")
    other = inside.background("echo up; sleep 100")
    until(lambda: other.output == "up\n")
    other.kill()
    assert other.wait(timeout=20).exit_code == 143


def test_the_size_of_the_window(session: Session, engine: Engine, box: str) -> None:
    with session.container(box, engine=engine.name):
        assert session.send_and_get_output("stty size") == "24 80"
    with (
        shellbot.Session("bash", size=(31, 97)) as other,
        other.container(box, engine=engine.name),
    ):
        assert other.send_and_get_output("stty size") == "31 97"


@each_engine
def test_what_detaches_a_person_detaches_no_command(inside: Session) -> None:
    assert inside.send("printf %s '\x10\x11' | od -An -tx1").text.split() == ["10", "11"]
    assert inside.send("cat", input="\x10\x11\n").raw == b"\x10\x11\n"
    with pytest.raises(CommandTimeoutError):
        inside.send("sleep 100", timeout=0.3)
    with pytest.raises(CommandTimeoutError, match="Ctrl-C"):
        inside.send("printf 'Go? '; read x; sleep 100", answers={r"Go\? ": "\x10\x11"}, timeout=1)
    assert inside.where.depth == 1


def test_answers_inside(inside: Session) -> None:
    command = "printf 'Name? '; read name; echo; echo =$name="
    result = inside.send(command, answers={r"Name\? ": "bob"}, timeout=20)
    assert result.output.endswith("=bob=\n")


def test_a_program_with_a_prompt_inside(full: Session) -> None:
    with full.program("python3") as python:
        assert python.send_and_get_output("6 * 7") == "42"
    in_step(full, full.where.host)


def test_streams_inside(inside: Session) -> None:
    with inside.stream("yes 'line by line'") as lines:
        assert [next(lines) for _ in range(5)] == ["line by line"] * 5
    assert inside.send("echo in step", timeout=5).raw == b"in step\n"
