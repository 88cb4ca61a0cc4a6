"""What package managers ask is answered, once, and nothing else is; cross-checked from outside."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dialogues.machines import Machine

import shellbot
from shellbot import Answer, CommandWaitingError, Key, Secret, Session

CONFFILE = "/etc/installed.conf"
KEEP_OR_TAKE = r"\(Y/I/N/O/D/Z\) \[default=N\] \? $"
CONTROL = """Package: {name}
Version: {version}
Architecture: all
Depends: {depends}
Maintainer: Nobody <nobody@localhost>
Description: made for a test
"""


def in_step(session: Session) -> None:
    assert session.send("echo in step", timeout=5).raw == b"in step\n"


@pytest.fixture
def packed(tmp_path: Path, need: Callable[[str], None]) -> Callable[..., Path]:
    """Makes a Debian package of a configuration file, or of files for its control directory."""
    need("dpkg-deb")

    def packed(
        name: str, version: int = 1, *, depends: str = "dpkg", content: str = "", **control: str
    ) -> Path:
        root = tmp_path / f"{name}-{version}"
        (root / "DEBIAN").mkdir(parents=True)
        fields = CONTROL.format(name=name, version=version, depends=depends)
        (root / "DEBIAN/control").write_text(fields)
        if content:
            (root / "etc").mkdir()
            (root / CONFFILE[1:]).write_text(content)
            (root / "DEBIAN/conffiles").write_text(CONFFILE + "\n")
        for file, text in control.items():
            (root / "DEBIAN" / file).write_text(text)
            (root / "DEBIAN" / file).chmod(0o755)
        package = tmp_path / f"{name}-{version}.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-b", root, package], check=True, capture_output=True
        )
        return package

    return packed


def version(machine: Machine, name: str) -> str:
    return machine.told(f"dpkg-query -W -f '${{Version}} ${{Status}}' {name}")


# dpkg: a configuration file that was changed


@pytest.fixture
def changed(machine: Machine, packed: Callable[..., Path]) -> Path:
    """The second version of a package whose configuration file was changed, and not as it is."""
    machine.told(f"dpkg -i {packed('installed', 1, content='the first')}")
    machine.told(f"echo mine >{CONFFILE}")
    return packed("installed", 2, content="the second\n")


def test_the_ready_made_answers_keep_a_changed_file(
    bash: Session, machine: Machine, changed: Path
) -> None:
    result = bash.send(machine.on(f"dpkg -i {changed}"), timeout=30, answers=["packages"])
    assert "Configuration file" in result.text
    assert machine.told(f"cat {CONFFILE}") == "mine\n"
    assert version(machine, "installed") == "2 install ok installed"


def test_an_answer_of_ones_own_takes_the_new_file(
    bash: Session, machine: Machine, changed: Path
) -> None:
    answers = [Answer(KEEP_OR_TAKE, "y", optional=False)]
    bash.send(machine.on(f"dpkg -i {changed}"), timeout=30, answers=answers)
    assert machine.told(f"cat {CONFFILE}") == "the second\n"
    assert machine.told(f"cat {CONFFILE}.dpkg-old") == "mine\n"
    assert version(machine, "installed") == "2 install ok installed"


def test_the_same_question_has_one_answer_after_the_other(
    bash: Session, machine: Machine, changed: Path
) -> None:
    answers = [Answer(KEEP_OR_TAKE, "d"), Answer(KEEP_OR_TAKE, "n")]
    result = bash.send(machine.on(f"dpkg -i {changed}"), timeout=30, answers=answers)
    assert "\n-mine\n+the second\n" in result.text
    assert machine.told(f"cat {CONFFILE}") == "mine\n"


def test_a_question_more_than_was_answered_is_an_error(
    bash: Session, machine: Machine, changed: Path
) -> None:
    answers = {KEEP_OR_TAKE: "d"}
    with pytest.raises(shellbot.DialogueError) as caught:
        bash.send(machine.on(f"dpkg -i {changed}"), timeout=30, answers=answers)
    assert caught.value.asked == "*** installed.conf (Y/I/N/O/D/Z) [default=N] ? "
    assert caught.value.answered == [(caught.value.asked, "'d'")]
    in_step(bash)


@pytest.mark.parametrize("answers", [[], ["yes"], {"(?i)continue": "y"}])
def test_an_installer_that_asks_something_else_is_stopped_and_can_be_finished(
    answers: shellbot.dialogue.Answers, bash: Session, machine: Machine, changed: Path
) -> None:
    with pytest.raises(CommandWaitingError, match=r"\[default=N\]") as caught:
        bash.send(machine.on(f"dpkg -i {changed}"), timeout=30, answers=answers)
    found = caught.value.diagnosis
    assert (found.kind, found.process, found.certain) == ("question", "dpkg", True)
    assert found.question == "*** installed.conf (Y/I/N/O/D/Z) [default=N] ? "
    assert caught.value.waited < 5
    in_step(bash)
    bash.send(machine.on("dpkg --configure -a"), timeout=30, answers=["packages"])
    assert version(machine, "installed") == "2 install ok installed"
    assert machine.told(f"cat {CONFFILE}") == "mine\n"


def test_a_shell_that_an_installer_opens_is_recognised(
    bash: Session, machine: Machine, changed: Path
) -> None:
    answers = [Answer(KEEP_OR_TAKE, "z"), Answer(KEEP_OR_TAKE, "n")]
    with pytest.raises(CommandWaitingError, match=r"use login\(\)") as caught:
        bash.send(machine.on(f"dpkg -i {changed}"), timeout=30, answers=answers)
    assert caught.value.diagnosis.kind == "shell"
    in_step(bash)


# apt


@pytest.fixture
def repository(
    machine: Machine, packed: Callable[..., Path], tmp_path: Path, need: Callable[[str], None]
) -> Machine:
    """The machine with one repository: "upper" needs "lower", whose changed file gets a new one."""
    need("apt-get")
    machine.told(f"dpkg -i {packed('lower', 1, content='the first')}; echo mine >{CONFFILE}")
    packages = [
        packed("lower", 2, content="the second\n"),
        packed("upper", 1, depends="lower (>= 2), other"),
        packed("other"),
    ]
    index = tmp_path / "Packages"
    index.write_text("\n".join(map(entry, packages)))
    machine.told(
        f"mkdir /var/packages; cp {' '.join(map(str, packages))} {index} /var/packages\n"
        "rm -rf /etc/apt/sources.list.d /etc/apt/sources.list /var/lib/apt/lists\n"
        "echo 'deb [trusted=yes] file:/var/packages ./' >/etc/apt/sources.list\n"
        "apt-get -q update"
    )
    return machine


def entry(package: Path) -> str:
    fields = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True)
    data = package.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return f"{fields.stdout}Filename: ./{package.name}\nSize: {len(data)}\nSHA256: {digest}\n"


def test_apt_is_told_to_go_on_and_to_keep_a_changed_file(
    bash: Session, repository: Machine
) -> None:
    command = repository.on("apt-get install upper")
    result = bash.send(command, timeout=40, answers=["packages"])
    assert "Do you want to continue? [Y/n]" in result.output
    assert "[default=N] ?" in result.text
    for name, number in {"upper": 1, "lower": 2, "other": 1}.items():
        assert version(repository, name) == f"{number} install ok installed"
    assert repository.told(f"cat {CONFFILE}") == "mine\n"


def test_apt_is_told_not_to_go_on(bash: Session, repository: Machine) -> None:
    command = repository.on("apt-get install upper")
    result = bash.send(command, timeout=40, answers=["no"], check=1)
    assert result.text.endswith("Do you want to continue? [Y/n] Abort.\n")
    assert version(repository, "lower") == "1 install ok installed"


def test_apt_without_an_answer_is_stopped_before_it_does_anything(
    bash: Session, repository: Machine
) -> None:
    with pytest.raises(
        CommandWaitingError, match=r"`Do you want to continue\? \[Y/n\] `"
    ) as caught:
        bash.send(repository.on("apt-get install upper"), timeout=40, answers={"Password": "x"})
    found = caught.value.diagnosis
    assert (found.kind, found.process, found.certain) == ("question", "apt-get", True)
    assert caught.value.waited < 5
    in_step(bash)
    assert version(repository, "lower") == "1 install ok installed"


def test_what_apt_has_others_ask_needs_an_answer_as_well(
    bash: Session, repository: Machine
) -> None:
    with pytest.raises(CommandWaitingError, match=r"\[default=N\]") as caught:
        bash.send(repository.on("apt-get install upper"), timeout=40, answers=["yes"])
    assert (caught.value.diagnosis.process, caught.value.diagnosis.certain) == ("dpkg", True)
    in_step(bash)
    bash.send(repository.on("dpkg --configure -a"), timeout=40, answers=["packages"])
    assert version(repository, "lower") == "2 install ok installed"


# debconf

TEMPLATES = """Template: asking/name
Type: string
Default: nobody
Description: Name of the service:
 It is shown to others.

Template: asking/start
Type: boolean
Default: false
Description: Start at boot?
 Say yes or no.

Template: asking/mode
Type: select
Choices: slow, medium, fast
Default: medium
Description: Mode of work:
 One of them.

Template: asking/password
Type: password
Description: Password of the service:
 Nobody sees it.

Template: asking/news
Type: note
Description: What is new
 Long ago:
"""
LONG = "".join(f" .\n Paragraph {number}.\n" for number in range(24))
ASK = """#!/bin/sh
set -e
. /usr/share/debconf/confmodule
for one in name start mode password news; do
    db_input high asking/$one || true
    db_go || true
done
"""
USE = "#!/bin/sh\nset -e\n. /usr/share/debconf/confmodule\ndb_stop\n"
QUESTIONS = {
    "Name of the service: ": ("web", "asking/name", "web"),
    r"Start at boot\? \[yes/no\] ": ("yes", "asking/start", "true"),
    "Mode of work: ": ("3", "asking/mode", "fast"),
    "Password of the service: ": (Secret("s3same!"), "asking/password", "s3same!"),
}
PAGE = Answer(r"\[More\] $", "", times=None, optional=False)


@pytest.fixture
def asking(packed: Callable[..., Path], need: Callable[[str], None]) -> Path:
    """A package that asks questions, of every type that debconf has."""
    need("dpkg-reconfigure")
    return packed("asking", templates=TEMPLATES + LONG, config=ASK, postinst=USE)


def own(*but: str) -> list[Answer]:
    given = {one: reply for one, (reply, _, _) in QUESTIONS.items() if one not in but}
    return [*(Answer(one, reply, optional=False) for one, reply in given.items()), PAGE]


def get(machine: Machine, name: str) -> str:
    return machine.told(f"echo get {name} | debconf-communicate asking").removesuffix("\n")


@pytest.mark.parametrize("frontend", ["readline", "teletype"])
def test_a_package_that_asks_is_installed_and_configured_anew(
    frontend: str, bash: Session, machine: Machine, asking: Path
) -> None:
    command = machine.on(f"env DEBIAN_FRONTEND={frontend} dpkg -i {asking}")
    result = bash.send(command, timeout=30, answers=own())
    assert "Paragraph 23." in result.text
    assert "s3same" not in result.text
    for _, name, value in QUESTIONS.values():
        assert get(machine, name) == f"0 {value}"
    assert "* asking/name: web\n" in machine.told("debconf-show asking")
    again = [Answer("Name of the service: ", "other"), *own("Name of the service: ")]
    bash.send(machine.on(f"dpkg-reconfigure -f{frontend} asking"), timeout=30, answers=again)
    assert get(machine, "asking/name") == "0 other"


@pytest.mark.parametrize("frontend", ["readline", "teletype"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_a_package_that_has_no_answer_is_named(
    question: str, frontend: str, bash: Session, machine: Machine, asking: Path
) -> None:
    machine.told(f"dpkg -i {asking}")
    answers = [one for one in own(question) if one is not PAGE]
    with pytest.raises(CommandWaitingError) as caught:
        bash.send(machine.on(f"dpkg-reconfigure -f{frontend} asking"), timeout=30, answers=answers)
    found = caught.value.diagnosis
    assert found.question == question.replace("\\", "")
    assert found.kind == ("password" if "Password" in question else "question")
    assert found.certain
    assert caught.value.waited < 5
    in_step(bash)


@pytest.mark.parametrize("frontend", ["readline", "teletype"])
def test_the_ready_made_answers_turn_the_pages_and_decide_nothing(
    frontend: str, bash: Session, machine: Machine, packed: Callable[..., Path]
) -> None:
    only = ASK.replace("name start mode password news", "news start")
    package = packed("asking", templates=TEMPLATES + LONG, config=only, postinst=USE)
    machine.told(f"dpkg -i {package}")
    command = machine.on(f"dpkg-reconfigure -f{frontend} asking")
    with pytest.raises(CommandWaitingError, match=r"`Start at boot\? \[yes/no\] `") as caught:
        bash.send(command, timeout=30, answers=["debconf"])
    assert b"Paragraph 23." in caught.value.partial
    in_step(bash)
    assert get(machine, "asking/start") == "0 false"
    bash.send(command, timeout=30, answers=["debconf", "yes"])
    assert get(machine, "asking/start") == "0 true"


def test_a_package_that_asks_on_the_whole_screen_is_configured(
    bash: Session, machine: Machine, asking: Path, need: Callable[[str], None]
) -> None:
    need("whiptail")
    machine.told(f"dpkg -i {asking}")
    answers = [
        Answer("Name of the service:", b"\x15web\r", optional=False),
        Answer(r"Start at boot\?", Key.TAB, optional=False),
        Answer(r"<Yes>\s+<No>", Key.ENTER, optional=False),
        Answer("Mode of work:", Key.DOWN, optional=False),
        Answer("fast", Key.ENTER, optional=False),
        Answer("Password of the service:", Secret("s3same!"), optional=False),
        Answer("What is new", b"\t\r", optional=False),
    ]
    bash.send(machine.on("dpkg-reconfigure -fdialog asking"), timeout=30, answers=answers)
    assert get(machine, "asking/name") == "0 web"
    assert get(machine, "asking/mode") == "0 fast"
    assert get(machine, "asking/password") == "0 s3same!"


def test_a_screen_of_a_package_that_has_no_answer_is_told_of(
    bash: Session, machine: Machine, asking: Path, need: Callable[[str], None]
) -> None:
    need("whiptail")
    machine.told(f"dpkg -i {asking}")
    answers = [Answer("Name of the service:", Key.ENTER)]
    with pytest.raises(CommandWaitingError, match=r"Start at boot\?") as caught:
        bash.send(machine.on("dpkg-reconfigure -fdialog asking"), timeout=30, answers=answers)
    found = caught.value.diagnosis
    assert (found.kind, found.process, found.certain) == ("full-screen", "whiptail", True)
    assert caught.value.waited < 5
    in_step(bash)
