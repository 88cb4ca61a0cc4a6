"""A person is given the terminal, works there, and gives it back: what they see and leave."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from dialogues.machines import until
from pause.people import Person

PAUSE = """
session.send("X=before")
pause = session.pause_point("Take a look around")
told["commands"] = [[one.command, one.output, one.exit_code] for one in pause.commands]
told["directories"] = [pause.directory_before, pause.directory_after]
told["transcript"] = pause.transcript
told["x"] = session.send_and_get_output("echo $X")
"""


def is_in_step(person: Person, told: dict[str, object], place: Path | str) -> None:
    """Make sure that all is as it was before the pause, but for what the person has changed."""
    assert "error" not in told, told
    one, two, state = told["after"]  # type: ignore[misc]
    assert (one, two) == ("one\n", "two\n")
    assert state.startswith(f"{place}\n")
    assert "-echo " in state
    assert "-opost" in state
    assert ":xterm:cat:" in state
    assert told["size"] == "24 80"
    assert person.has_terminal_as_before()


def test_the_same_shell(name: str, person: Person) -> None:
    person.start(PAUSE, shell=name)
    screen = person.sees_prompt()
    assert "Take a look around" in screen
    assert "Ctrl-]" in screen.split("\n")[-1]
    assert person.runs("echo $X $TERM").split("\n")[-2] == "before tmux-256color"
    person.runs("cd /usr; X=after")
    person.runs("ls nosuch")
    person.press("C-]")
    told = person.told()
    is_in_step(person, told, "/usr")
    assert told["x"] == "after"
    assert told["directories"] == [str(person.here), "/usr"]
    assert [(one, status) for one, _, status in told["commands"]] == [
        ("echo $X $TERM", 0),
        ("cd /usr; X=after", 0),
        ("ls nosuch", 2),
    ]
    assert told["commands"][0][1].startswith("before ")
    assert "No such file" in told["commands"][2][1]
    assert "No such file" in told["transcript"]


@pytest.mark.parametrize(
    "how", ["exit", "logout", "C-d", "cd / && exit 3; touch never", "type-ahead"]
)
def test_exit_goes_on(name: str, how: str, person: Person) -> None:
    person.start(PAUSE, shell=name)
    person.sees_prompt()
    if how == "C-d":
        person.press(how)
    elif how == "type-ahead":
        person.type("sleep 0.3\nX=ahead\nexit\n")
    else:
        person.type(f"{how}\n")
    told = person.told()
    is_in_step(person, told, "/" if "cd /" in how else person.here)
    assert not (person.here / "never").exists()
    assert told["x"] == ("ahead" if how == "type-ahead" else "before")


def test_keys_of_its_own(person: Person) -> None:
    person.start(PAUSE)
    person.sees_prompt()
    person.type("half a li")
    person.press("F1")
    screen = person.sees(lambda screen: screen.endswith("# half a li") and "F1" in screen[300:])
    assert "bash on root@" in screen
    person.press("C-c")
    person.sees_prompt()
    person.press("C-\\")
    told = person.told()
    assert told["error"] == "PauseAborted"
    assert person.has_terminal_as_before()


def test_ctrl_backslash_in_a_program_is_for_the_program(person: Person) -> None:
    person.start(PAUSE)
    person.sees_prompt()
    # bash itself takes no notice of the key, as it has the terminal until the program runs.
    person.type("sh -c 'echo started; exec sleep 100'\n")
    person.sees(lambda screen: screen.endswith("\nstarted"))
    person.press("C-\\")
    person.sees("Quit")
    person.sees_prompt()
    person.type("rest of a line")
    person.press("C-]")
    told = person.told()
    is_in_step(person, told, person.here)
    assert [one[2] for one in told["commands"]] == [131]


def test_job_control(name: str, person: Person) -> None:
    person.start(PAUSE, shell=name)
    person.sees_prompt()
    # What is typed ahead while bash's editor still has the terminal has no newline for cat.
    person.type("echo ready; cat\n")
    person.sees(lambda screen: screen.count("ready") == 2)
    person.type("seen\n")
    person.sees(lambda screen: screen.count("seen") == 2)
    person.press("C-z")
    person.sees_prompt()
    assert "cat" in person.runs("jobs").split("\n")[-2]
    person.resumes()
    person.press("C-d")
    person.sees_prompt()
    person.press("C-]")
    is_in_step(person, person.told(), person.here)


def test_inside_a_program_one_stays_and_is_told(person: Person) -> None:
    person.start(PAUSE)
    person.sees_prompt()
    person.type("vi new\n")
    person.sees("~")
    person.press("C-]")
    screen = person.sees("vi")
    assert "Leave that first" in person.sees("full-screen")
    person.type("iwritten")
    screen = person.sees("written")
    person.sees(lambda screen: "full-screen" not in screen)
    person.press("Escape")
    person.type(":wq\n")
    person.sees_prompt()
    assert "written" in person.runs("cat new")
    person.press("C-]")
    is_in_step(person, person.told(), person.here)
    assert screen


DRAWS = """
import os, select, signal, termios, time, tty

def draw():
    # As vim does, which does not look at keys that come in meanwhile.
    time.sleep(0.02)
    termios.tcflush(0, termios.TCIFLUSH)
    os.write(1, b"\\x1b[2J\\x1b[Hdrawn")

resized, wake = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(wake)
signal.signal(signal.SIGWINCH, lambda number, frame: None)
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b"\\x1b[?1049h")
draw()
while resized in select.select([0, resized], [], [])[0]:
    os.read(resized, 100)
    draw()
key = os.read(0, 1)
os.write(1, b"\\x1b[?1049l")
termios.tcsetattr(0, termios.TCSADRAIN, before)
print("typed:", key.decode())
"""


def test_the_key_behind_what_a_program_is_told_over(person: Person) -> None:
    (person.here / "draws.py").write_text(DRAWS)
    person.start(PAUSE)
    person.sees_prompt()
    person.type(f"{shlex.quote(sys.executable)} draws.py\n")
    person.sees("drawn")
    person.press("C-]")
    person.sees("full-screen")
    person.type("k")
    person.sees("typed: k")
    person.press("C-]")
    is_in_step(person, person.told(), person.here)


def test_the_persons_own_history(person: Person) -> None:
    (person.here / ".bash_history").write_text("echo from long ago\n")
    person.type(f"export HOME={shlex.quote(str(person.here))}\n")
    person.start(PAUSE)
    person.sees_prompt()
    person.press("Up")
    person.sees(lambda screen: screen.endswith("echo from long ago"))
    person.press("C-c")
    person.sees_prompt()
    person.press("C-]")
    is_in_step(person, person.told(), person.here)


def test_the_windows_size(name: str, person: Person) -> None:
    person.start(PAUSE, shell=name)
    person.sees_prompt()
    assert "24 100" in person.runs("stty size")
    person.resize(70, 30)
    person.sees_prompt()
    until(lambda: "30 70" in person.runs("stty size"))
    person.press("C-]")
    is_in_step(person, person.told(), person.here)


def written(person: Person) -> int:
    file = person.here / "pasted"
    return len(file.read_text().split()) if file.exists() else 0


def test_a_paste_of_10_kb(name: str, person: Person) -> None:
    lines = [f"echo {number:04} >>pasted" for number in range(450)]
    person.start(PAUSE, shell=name)
    person.sees_prompt()
    person.paste("".join(f"{line}\n" for line in lines))
    # Where it is pasted into an editor's line, that is run as a whole.
    person.press("Enter")
    person.sees(lambda screen: written(person) == 450)
    person.press("C-]")
    is_in_step(person, person.told(), person.here)
    assert (person.here / "pasted").read_text() == "".join(f"{n:04}\n" for n in range(450))


def test_keys_right_behind_one_another(name: str, person: Person) -> None:
    person.start(PAUSE, shell=name)
    person.sees_prompt()
    person.press("X", "=", "7", "Enter", "c", "d", "Space", "/", "Enter", "C-]")
    told = person.told()
    is_in_step(person, told, "/")
    assert told["x"] == "7"


def test_a_command_that_goes_on_behind_the_key(person: Person) -> None:
    person.start(PAUSE)
    person.sees_prompt()
    person.press("c", "a", "t", "Enter", "C-]")
    person.sees("Leave that first")
    person.press("C-c")
    person.sees_prompt()
    person.press("C-]")
    is_in_step(person, person.told(), person.here)


def test_the_shells_own_editor(name: str, person: Person) -> None:
    """History, a correction in the middle of a line, and completion; dash has no editor."""
    person.start(PAUSE, shell=name)
    person.sees_prompt()
    person.runs("echo frst >>unmistakable")
    if name != "dash":
        person.press("Up")
        person.sees(lambda screen: screen.count("echo frst") == 2)
        person.press(*["Left"] * len("rst >>unmistakable"), "i")
        person.sees("echo first >>unmistakable")
        person.press("Enter")
        person.sees_prompt()
        person.type("cat unmis")
        person.press("Tab")
        person.sees(lambda screen: screen.split("\n")[-1].endswith("cat unmistakable"))
        person.press("Enter")
        person.sees("frst\nfirst\n")
        person.sees_prompt()
        assert (person.here / "unmistakable").read_text() == "frst\nfirst\n"
    person.press("C-]")
    is_in_step(person, person.told(), person.here)
