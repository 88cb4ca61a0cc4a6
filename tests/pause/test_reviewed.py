"""What a review has found: commands and keys that went astray between a person and a script."""

from __future__ import annotations

from pause.people import Person


def test_a_command_of_several_lines_or_of_a_long_one(name: str, person: Person) -> None:
    person.start(
        r"""
        lines = session.interact("echo a\nx=$(head -n 1); y=$(head -n 1)\n(exit ${#x}$y)")
        told["lines"] = [lines.transcript.split(), lines.commands[0].exit_code]
        long = "x" * 6000
        told["long"] = session.interact("echo " + long + " | wc -c").transcript.strip()
        """,
        shell=name,
    )
    person.sees(lambda screen: screen.endswith("\na"))
    person.type("bob\n1\n")
    told = person.told()
    assert told["lines"] == [["a", "bob", "1"], 31]
    assert told["long"] == "6001"
    assert told["after"][:2] == ["one\n", "two\n"]


def test_what_runs_is_told_by_its_name(person: Person) -> None:
    person.start(
        r"""
        session.interact("cat\n: last line")
        try:
            session.send("touch never")
        except SessionBusyError as error:
            told["busy"] = str(error)
        session.type(Key.CTRL_C)
        """
    )
    person.type("is there\n")
    person.sees(lambda screen: screen.count("is there") >= 2)
    person.press("C-]")
    told = person.told()
    assert "has not ended: cat" in told["busy"]
    assert told["after"][:2] == ["one\n", "two\n"]


def test_keys_in_front_of_the_escape_key_and_the_end_under_the_persons_hands(
    person: Person,
) -> None:
    person.start(
        r"""
        session.interact("python3 -q")
        session.type("print(x)\n")
        told["x"] = session.expect(r"(41|NameError)").group(1)
        print("ready", flush=True)
        session.interact()
        """
    )
    person.sees(">>>")
    person.type_at_once("x=41\r\x1d")
    person.sees("ready")
    person.type("exit()\n")
    told = person.told()
    assert told["x"] == "41"
    assert told["after"][:2] == ["one\n", "two\n"]


def test_the_end_of_a_paste_is_cut_in_two(person: Person) -> None:
    person.start("""session.interact("cat -v")\nsession.type(Key.CTRL_C)""")
    person.type("ready\n")
    person.sees(lambda screen: screen.count("ready") >= 2)
    person.type_at_once("\x1b[200~pasted\x1d\x1b[20")
    person.sees("pasted^]^[[20")
    person.type_at_once("1~\n")
    person.sees("pasted^]^[[201~\n")
    person.press("C-]")
    assert person.told()["after"][:2] == ["one\n", "two\n"]


def test_what_a_person_is_asked(person: Person) -> None:
    person.start(
        """
        session._secrets.add(Secret("hidden"))
        session.step_through()
        told["length"] = session.send("printf hidden | wc -c", note="hidden").output
        session.step_through(False)
        session.send("false", on_error="pause")
        """
    )
    screen = person.sees("What now?")
    assert "printf ******** | wc" in screen
    assert "hidden" not in screen
    assert "edit" not in screen  # or the mask would be run
    person.type("\n")
    person.sees_prompt()
    person.press("C-]")
    person.sees(lambda screen: screen.split("\n")[-1].startswith("What now?"))
    person.press("C-d")
    told = person.told()
    assert told["length"] == "6\n"
    assert told["error"] == "CommandError"
