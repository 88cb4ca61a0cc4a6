"""A pause wherever the session is logged in to, and what becomes of it where that is lost."""

from __future__ import annotations

import os
import platform
import random
import signal
from collections.abc import Callable

import pytest
from dialogues.machines import PASSWORD, until
from logins.containers import Engine
from logins.servers import Servers
from pause.people import Person

from shellbot import processes

PAUSE = """
before = session.levels
session.send("X=before")
pause = session.pause_point("Take a look around")
told["commands"] = [[one.command, one.output, one.exit_code] for one in pause.commands]
told["transcript"] = pause.transcript
told["directories"] = [pause.directory_before, pause.directory_after]
told["x"] = session.send_and_get_output("echo $X")
told["aliases"] = session.send_and_get_output("alias")
told["same"] = session.levels == before
"""
SHELLS = ("zsh", "dash", "ash", "ksh93", "mksh")
SUDOERS = """
rm -rf /etc/sudoers.d/*
cat >/etc/sudoers.d/all <<'LINES'
Defaults !fqdn
Defaults:on-bash use_pty
Defaults:tester !use_pty
ALL ALL=(ALL) NOPASSWD: ALL
LINES
chmod 440 /etc/sudoers.d/all
"""


@pytest.fixture
def ways(
    request: pytest.FixtureRequest, servers: Servers, need: Callable[[str], None]
) -> Callable[[str], str]:
    """What takes a session to a place, as lines of a script."""
    need("sudo")
    if not hasattr(servers, "has_sudo"):
        servers.machine.told(SUDOERS)
        servers.has_sudo = True  # type: ignore[attr-defined]
    port = servers.sshd().port

    def ssh(user: str, shell: str = "bash") -> str:
        options = {"UserKnownHostsFile": "/dev/null", "LogLevel": "ERROR"}
        return (
            f'session.ssh("127.0.0.1", user="{user}", port={port}, password="{PASSWORD}", '
            f'options={options}, shell="{shell}")\n'
        )

    def box() -> str:
        podman: Engine = request.getfixturevalue("podman")
        settings = " ".join(f"{name}={value}" for name, value in podman.environment.items())
        return (
            f'session.send("export {settings}")\n'
            f'session.container("{podman.small()}", engine="podman")\n'
        )

    def become(user: str) -> str:
        return f"session.login({servers.machine.on(f'su - {user}')!r})\n"

    ways = {
        "su": lambda: become("tester"),
        "sudo": lambda: become("tester") + 'session.sudo("on-dash")\n',
        "sudo on a terminal of its own": lambda: become("on-bash") + 'session.sudo("on-zsh")\n',
        "a container": box,
        "ssh": lambda: ssh("on-bash"),
        "ssh, su, ssh": lambda: (
            ssh("on-bash") + f'session.su("tester", password="{PASSWORD}")\n' + ssh("on-zsh", "zsh")
        ),
        **{f"{name} far away": lambda name=name: ssh(f"on-{name}", name) for name in SHELLS},
    }
    return lambda name: ways[name]()


WHO = {
    "su": "tester@",
    "sudo": "on-dash@",
    "sudo on a terminal of its own": "on-zsh@",
    "a container": "root@",
    "ssh": "on-bash@far",
    "ssh, su, ssh": "on-zsh@far",
    **{f"{name} far away": f"on-{name}@far" for name in SHELLS},
}


def is_in_step(person: Person, told: dict[str, object], place: str) -> None:
    """Make sure that the level is there, and all is as it was but for what the person changed."""
    assert "error" not in told, told
    one, two, state = told["after"]  # type: ignore[misc]
    assert (one, two) == ("one\n", "two\n")
    assert state.startswith(f"{place}\n")
    for mode in ("-echo ", "-opost", "-icrnl", "-ixon"):
        assert mode in state
    assert "rows 24; columns 80;" in state
    assert ":xterm:cat:" in state
    assert "goes on" not in state
    assert "__sb" not in str(told.get("aliases", ""))
    assert told["same"]
    assert person.has_terminal_as_before()


@pytest.mark.parametrize("place", WHO)
def test_wherever_it_is(place: str, ways: Callable[[str], str], person: Person) -> None:
    person.start(ways(place) + PAUSE)
    prompt = person.sees_prompt().split("\n")[-1]
    assert WHO[place] in prompt
    seen = person.runs("stty size; echo $X $TERM")
    assert seen.split("\n")[-3:-1] == ["24 100", "before tmux-256color"]
    person.resize(95, 30)
    person.sees_prompt()
    person.runs("cd /tmp; X=after; export Y=z")
    assert person.runs("stty size").split("\n")[-2] == "30 95"
    person.type("echo ready; cat; echo äöü 日本\n")
    person.sees(lambda screen: screen.count("ready") == 2)
    person.type("ß語\n")
    person.sees(lambda screen: screen.count("ß語") == 2)
    person.press("C-z")
    person.sees_prompt()
    person.resumes()
    person.press("C-c")
    person.sees_prompt()
    person.type("half a line")
    person.press("C-c")
    person.sees_prompt()
    person.press("C-]")
    told = person.told()
    is_in_step(person, told, "/tmp")
    assert told["x"] == "after"


LOSS = """
try:
    session.pause_point("Take a look around")
except LevelLostError as error:
    told["lost"] = [str(error), [str(one) for one in error.levels], error.exit_code]
told["same"] = True
"""
# With the status that the shell, or the login to it, has ended with.
LOSSES = {
    ("", "kill -9 $$"): -9,
    ("", "\\exit 3"): 3,
    ("", "killed from outside"): -9,
    ("su", "kill -9 $$"): 137,
    ("su", "killed from outside"): 137,
    ("a container", "exec true"): 0,
    ("a container", "killed from outside"): 137,
    ("ssh", "kill -9 $$"): 255,
    ("ssh", "kill -9 $PPID"): 255,
    ("ssh, su, ssh", "\\exit 3"): 3,
    ("ssh, su, ssh", "kill -9 $PPID"): 255,
    ("ssh, su, ssh", "killed from outside"): 137,
}


@pytest.mark.parametrize(("place", "end"), LOSSES)
def test_it_is_lost(place: str, end: str, ways: Callable[[str], str], person: Person) -> None:
    person.start((ways(place) if place else "") + LOSS, **({} if place else {"after": ""}))
    person.sees_prompt()
    if end == "killed from outside":
        person.type("echo go; sleep 100\n")
        person.sees("\ngo")
        name = {"": "bash", "su": "su", "a container": "podman"}.get(place, "ssh")
        [first, *_] = (one for one in processes.below(person.pid) if one.name == name)
        os.kill(first.pid, signal.SIGKILL)
    else:
        person.type(f"{end}\n")
    told = person.told()
    message, levels, status = told["lost"]
    assert status == LOSSES[place, end]
    lost_all = end == "killed from outside" or "," not in place
    assert len(levels) == (3 if "," in place and lost_all else 1)
    assert "pause_point()" in message
    assert f"goes on) {WHO.get(place, 'root@')}" in message
    assert "[:" not in message
    if place:
        is_in_step(person, told, str(person.here) if lost_all else "/mnt/tester")
    assert person.has_terminal_as_before()


SIGNALLED = """
def interrupt(number, frame):
    raise ZeroDivisionError
signal.signal(signal.SIGUSR1, interrupt)
before = session.levels
session.send("X=before")
try:
    session.pause_point("Take a look around")
except (KeyboardInterrupt, ZeroDivisionError) as error:
    told["caught"] = type(error).__name__
told["aliases"] = session.send_and_get_output("alias")
told["same"] = session.levels == before
"""


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("", signal.SIGUSR1),
        ("su", signal.SIGINT),
        ("ssh", signal.SIGINT),
        ("zsh far away", signal.SIGUSR1),
        ("ash far away", signal.SIGINT),
    ],
)
def test_an_exception_ends_it(
    place: str, number: int, ways: Callable[[str], str], person: Person
) -> None:
    person.start("import signal\n" + (ways(place) if place else "") + SIGNALLED)
    person.sees_prompt()
    if number == signal.SIGINT:
        person.type("cd /tmp; echo go; sleep 100\n")
        person.sees("\ngo")
    else:
        person.runs("cd /tmp")
        person.type("half a li")
        person.sees("half a li")
    os.kill(person.pid, number)
    told = person.told()
    is_in_step(person, told, "/tmp")
    assert told["caught"] == {2: "KeyboardInterrupt"}.get(number, "ZeroDivisionError")


def given(argument: str) -> list[int]:
    """Whatever runs and was given that argument, whoever started it."""
    return [one.pid for one in processes.everything() if argument in processes.arguments(one.pid)]


@pytest.mark.parametrize(
    ("place", "end"),
    [
        *(("", end) for end in ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL", "terminal")),
        *(("ssh, su, ssh", end) for end in ("SIGHUP", "SIGKILL", "terminal killed")),
    ],
)
def test_the_program_is_ended(
    place: str, end: str, ways: Callable[[str], str], person: Person
) -> None:
    person.start((ways(place) if place else "") + PAUSE)
    person.sees_prompt()
    seconds = f"{random.randrange(10**9, 2 * 10**9)}"
    person.type(f"sleep {seconds} & echo go; sleep {seconds}\n")
    person.sees("\ngo")
    # A bash that is hung up while it starts a program may leave it: its copy, which has the
    # handler of the shell until it is the program, takes the signal for itself.
    until(lambda: len(given(seconds)) == 2)
    programs = [person.pid, *(one.pid for one in processes.below(person.pid))]
    if end == "terminal":
        person.leave()
    elif end == "terminal killed":
        os.kill(person.terminal_pid, signal.SIGKILL)
    else:
        os.kill(person.pid, getattr(signal, end))
        person.sees("left")
        assert person.has_terminal_as_before() == (end != "SIGKILL")
    until(lambda: not any(map(processes.is_there, programs)) and not given(seconds))


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ("su", "C-d"),
        ("ssh", "logout"),
        ("ssh, su, ssh", "exit"),
        ("ssh, su, ssh", "C-d"),
        ("dash far away", "cd / && echo bye && exit 3"),
        ("a container", "exit"),
    ],
)
def test_exit_does_not_leave_the_level(
    place: str, how: str, ways: Callable[[str], str], person: Person
) -> None:
    person.start(ways(place) + "session.send('cd /tmp')\n" + PAUSE)
    person.sees_prompt()
    person.press(how) if how == "C-d" else person.type(f"{how}\n")
    told = person.told()
    is_in_step(person, told, "/" if "cd /" in how else "/tmp")
    assert ("\nbye\n" in person.screen) == ("bye" in how)
    assert told["x"] == "before"


@pytest.mark.parametrize("place", ["sudo on a terminal of its own", "ssh"])
def test_inside_a_program_one_stays(place: str, ways: Callable[[str], str], person: Person) -> None:
    person.start(ways(place) + "session.send('cd /tmp')\n" + PAUSE)
    person.sees_prompt()
    person.type(f"vi -u NONE {person.here}/new\n")
    person.sees("~")
    person.press("C-]")
    person.sees("Leave that first")
    person.type("ihere")
    person.sees("here")
    person.press("Escape")
    person.type(":q!\n")
    person.sees_prompt()
    # Then a shell of their own, and a program that reads.
    for command in ("sh", "bash --norc", "cat"):
        person.type(f"PS1='own> ' {command}\n")
        person.sees("own> " if command != "cat" else "cat")
        person.press("C-]")
        person.sees("Leave that first")
        person.press("C-d")
        person.sees_prompt()
        person.type("clear\n")
        person.sees(lambda screen: "\n" not in screen and screen.endswith(("#", "$")))
    person.press("C-]")
    is_in_step(person, person.told(), "/tmp")


def test_what_is_typed_unseen_is_nowhere(ways: Callable[[str], str], person: Person) -> None:
    person.start(ways("su") + "session.login('sh', password='kn0wn')\n" + PAUSE)
    person.sees_prompt()
    # Not before its words are there: until then the terminal shows what is typed.
    person.type("read -s -p 'Unseen: ' y; echo $?\n")
    person.sees(lambda screen: screen.endswith("\nUnseen:"))
    person.type("uns33n\n")
    person.sees_prompt()
    person.type("su on-bash -c 'id -un'\n")
    person.sees("Password:")
    person.type(f"{PASSWORD}\n")
    person.sees("\non-bash\n")
    person.sees_prompt()
    person.runs("echo kn0wn by the session")
    person.press("C-]")
    told = person.told()
    is_in_step(person, told, "/mnt/tester")
    assert [one[0] for one in told["commands"]] == [
        "read -s -p 'Unseen: ' y; echo $?",
        "su on-bash -c 'id -un'",
        "echo ******** by the session",
    ]
    for secret in ("uns33n", PASSWORD, "kn0wn"):
        assert secret not in str(told)


@pytest.mark.parametrize("place", ["", "zsh far away", "ksh93 far away", "mksh far away"])
def test_another_prompt_does_not_strand(
    place: str, ways: Callable[[str], str], person: Person
) -> None:
    person.start((ways(place) if place else "") + "session.send('cd /tmp')\n" + PAUSE)
    person.sees_prompt()
    person.type("PS1='mine> '\n")
    person.sees("\nmine>")
    person.type("exit\n") if place else person.press("C-]")
    is_in_step(person, person.told(), "/tmp")


def test_replaced_by_another_shell(person: Person) -> None:
    person.start(LOSS, after="")
    person.sees_prompt()
    person.type("PS1='mine> ' exec bash --norc\n")
    person.sees("\nmine>")
    person.press("C-]")
    person.sees("another shell")
    person.type("exit\n")
    assert person.told()["lost"][1:] == [[f"root@{platform.node()}, depth 0"], 0]
    assert person.has_terminal_as_before()


@pytest.mark.parametrize("delay", [0.1, 0.2, 0.3])
def test_what_comes_while_we_look_is_seen(delay: float, person: Person) -> None:
    person.start("told['same'] = session.pause_point('Look')")
    person.sees_prompt()
    person.type(f"echo go; sleep {delay}; echo late\n")
    person.sees("\ngo")
    person.press("C-]")
    screen = person.sees(lambda screen: screen.endswith(("#", "left\nme>")))
    assert "\nlate\n" in screen
    if screen.endswith("#"):
        person.press("C-]")
    is_in_step(person, person.told(), str(person.here))


ROUNDS = """
import threading
before = session.levels
def pauses():
    session.send("X=before")
    with session.login("bash"):
        for number in range(2):
            told[f"pause {number}"] = session.pause_point(f"Round {number}").directory_after
    told["x"] = session.send_and_get_output("echo $X")
thread = threading.Thread(target=pauses)
thread.start()
thread.join()
told["same"] = session.levels == before
"""


def test_again_and_in_another_thread(person: Person) -> None:
    person.start(ROUNDS)
    person.sees("Round 0")
    person.sees_prompt()
    person.resize(90, 30)
    person.sees_prompt()
    person.type("sleep 0.5; stty size\n")
    person.sees("\n30 90\n")
    person.runs("cd /usr")
    person.press("C-]")
    person.sees("Round 1")
    person.sees_prompt()
    assert person.runs("stty size").split("\n")[-2] == "30 90"
    person.runs("cd /tmp")
    person.type("exit\n")
    told = person.told()
    is_in_step(person, told, str(person.here))
    assert [told["pause 0"], told["pause 1"]] == ["/usr", "/tmp"]


def test_in_the_background_it_is_passed(person: Person) -> None:
    person.start("told['same'] = session.pause_point('Look').passed != ''", background=True)
    assert "Passed a pause, as this program runs in the background: Look" in person.sees("left")
    is_in_step(person, person.told(), str(person.here))
