"""Programs with a prompt of their own: exact answers, in step, and the session free afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import shellbot
from shellbot import (
    Answer,
    CommandTimeoutError,
    CommandWaitingError,
    DialogueError,
    ProgramEndedError,
    Secret,
    Session,
    SessionBusyError,
    SessionClosedError,
    UsageError,
)

PYTHON = f"{sys.executable} -q"
LIMIT = 20
POSTGRESQL = Path("/usr/lib/postgresql")
PASSWORD = "c0rrect horse"


def in_step(session: Session) -> None:
    """The session is free, and answers what it is asked."""
    assert session.send("echo a; (exit 3)", check=3, timeout=LIMIT).raw == b"a\n"
    assert session.send("echo $?", timeout=LIMIT).raw == b"3\n"


@pytest.fixture
def python(bash: Session) -> Iterator[shellbot.Program]:
    """A Python at its prompt; when the test is over the session has to be in step."""
    with bash.program(PYTHON, timeout=LIMIT) as program:
        yield program
    in_step(bash)


# Python


def test_an_expression_is_shown_as_python_shows_it(python: shellbot.Program) -> None:
    assert python.send("6 * 7").raw == b"42\n"
    assert python.send("'a' 'b'").output == "'ab'\n"
    assert python.send("None").raw == b""
    assert python.send("x = 5").raw == b""
    assert python.send_and_get_output("x") == "5"
    assert python.send_and_get_output("_") == "5"
    assert python.send("").raw == b""


def test_a_block_may_have_empty_lines_in_it(python: shellbot.Program) -> None:
    code = """
        def half(number):

            whole = number // 2


            return whole

        for one in 2, 4:
            half(one)

        print("done")
        """
    assert python.send(textwrap.dedent(code)).output == "1\n2\ndone\n"
    assert python.send_and_get_output("half(84)") == "42"


def test_what_is_typed_arrives_exactly(python: shellbot.Program) -> None:
    text = "tab\there, é ü 漢字 😀, a \\ and a ' and a \" and \x7f \x01 \x1b[A end"
    assert python.send_and_get_output(f"{text!r} == {text!a}") == "True"
    lines = f'text = """one\n\ttwo\n\n  three {text[:40]}\n"""\nlen(text)\n'
    assert python.send_and_get_output(lines) == str(len(f"one\n\ttwo\n\n  three {text[:40]}\n"))
    assert python.send_and_get_output("'a\tb'") == r"'a\tb'"


def test_a_block_of_100_kb_arrives(python: shellbot.Program) -> None:
    code = "total = 0\n" + "".join(f"total += {number}  # é\n" for number in range(6000))
    assert python.send(code).raw == b""
    assert python.send_and_get_output("total") == str(sum(range(6000)))


def test_an_exception_is_output_and_the_program_goes_on(python: shellbot.Program) -> None:
    assert python.send("1 / 0").output.endswith("ZeroDivisionError: division by zero\n")
    told = python.send("a = 1\n\ndef fail():\n    return missing\n\nfail()\nprint('never')\n")
    assert told.output.endswith("NameError: name 'missing' is not defined\n")
    assert "never" not in told.output
    assert "SyntaxError" in python.send("if if").output
    assert "SyntaxError" in python.send("x = (1\nif if\n").output
    assert python.send_and_get_output("a") == "1"


def test_what_is_not_complete_is_dropped(python: shellbot.Program) -> None:
    for line in ("x = (1,", "'''open"):
        with pytest.raises(UsageError, match="beginning of more"):
            python.send(line)
        assert python.send("'fine'").raw == b"'fine'\n"
    assert python.send("for one in 1, 2: one").raw == b"1\n2\n"


def test_output_without_a_newline_is_exact(python: shellbot.Program) -> None:
    assert python.send("print('no newline', end='')").raw == b"no newline"
    assert python.send("print('\\n\\n  x  ', end='')").raw == b"\n\n  x  "
    assert python.send("print(end='\\n')").raw == b"\n"
    assert python.send("import sys; sys.stderr.write('e') and None").raw == b"e"


@pytest.mark.parametrize(
    "printed",
    ["a longer line\rshort", "a\b", "\x1b_no end", "\x1b]0;title", "abc\x1b[2J", "one\ntwo\x1b[A"],
)
def test_output_that_moves_the_cursor_or_hides_the_prompt_is_exact(
    printed: str, python: shellbot.Program
) -> None:
    assert python.send(f"print({printed!r}, end='')", timeout=LIMIT).raw == printed.encode()
    assert python.send("'next'").raw == b"'next'\n"


def test_a_prompt_within_what_it_did_not_overwrite_is_cut_off(bash: Session) -> None:
    program = r"while IFS= read -r -p 'menu> ' line; do printf 'a longer line\rshort'; done"
    with bash.program(["bash", "-c", program], prompt="menu> ") as menu:
        assert menu.send("any", timeout=LIMIT).raw == b"a longer line\rshort"


def test_output_of_5_mb_is_exact(python: shellbot.Program) -> None:
    reply = python.send("for number in range(500_000): print(f'{number:09d}')", timeout=50)
    assert reply.raw == b"".join(b"%09d\n" % number for number in range(500_000))
    reply = python.send("print('y' * 5_000_000, end='')", timeout=50)
    assert reply.raw == b"y" * 5_000_000
    assert python.send("1").raw == b"1\n"


@pytest.mark.parametrize("printed", [">>> ", ">>> \n>>> ", "... ", "$ ", "\x1b[1m>>> \x1b[0m"])
def test_output_that_looks_like_a_prompt_is_output(printed: str, python: shellbot.Program) -> None:
    code = f"import time; print({printed!r}, end='', flush=True); time.sleep(0.4); print('after')"
    assert python.send(code).raw.replace(b"\r", b"") == printed.encode() + b"after\n"
    assert python.send("'next'").raw == b"'next'\n"
    assert python.send(f"print({printed!r}, end='')").raw == printed.encode()


def test_the_prompt_itself_in_the_output_is_not_the_end(python: shellbot.Program) -> None:
    prompt = python.send_and_get_output("import sys; print(sys.ps1, sys.ps2)")
    assert len(prompt.split()) == 2
    assert python.send("print(sys.ps1 + 'x'); 7").raw.endswith(b"x\n7\n")
    assert python.send("'in step'").raw == b"'in step'\n"


def test_what_the_program_asks_is_answered(python: shellbot.Program) -> None:
    told = python.send("name = input('Name? ')", answers={r"Name\? ": "bob"})
    assert told.raw == b"Name? "
    assert python.send_and_get_output("name") == "'bob'"
    code = "a = input('A? ')\nb = input('B? ')\nprint(a + b)\n"
    assert python.send(code, answers={"A": "1", "B": "2"}).text.endswith("12\n")
    assert python.send(
        "input()", answers=[Answer("Name", "x")], on_waiting=lambda _: "seen\n"
    ).raw == (b"'seen'\n")


def test_an_input_without_an_answer_is_told_and_interrupted(python: shellbot.Program) -> None:
    for code in ("input('Name? ')", "input()"):
        with pytest.raises((CommandWaitingError, DialogueError)) as caught:
            python.send(code, answers={"Age": "5"})
        assert "at its prompt" in caught.value.recovery
        assert python.send("'on'").raw == b"'on'\n"


def test_a_password_is_typed_and_never_shown(bash: Session) -> None:
    with bash.program(PYTHON, answers={"Password": Secret(PASSWORD)}, timeout=LIMIT) as python:
        python.send("import getpass; word = getpass.getpass()")
        assert python.send_and_get_output(f"len(word) == {len(PASSWORD)}") == "True"
        reply = python.send("print(word)")
        assert reply.output == PASSWORD + "\n"
        assert PASSWORD not in repr(reply)
        with pytest.raises(CommandTimeoutError) as caught:
            python.send("print(word); import time; time.sleep(60)", timeout=0.3)
        assert PASSWORD not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
        with pytest.raises(ProgramEndedError) as ended:
            python.send("print(word); raise SystemExit(3)")
        assert PASSWORD not in f"{ended.value} {ended.value!r} {vars(ended.value)}"
    in_step(bash)


def test_a_time_out_interrupts_and_the_program_goes_on(python: shellbot.Program) -> None:
    python.send("import time; kept = 'from before'")
    for code in ("time.sleep(60)", "while True: pass", "while True: print('y')"):
        with pytest.raises(CommandTimeoutError) as caught:
            python.send(code, timeout=0.5)
        assert caught.value.recovery == "Ctrl-C, and the program is at its prompt"
        assert caught.value.waited < 5
        assert python.send("kept").raw == b"'from before'\n"
    with pytest.raises(CommandTimeoutError) as caught:
        python.send("print('some'); time.sleep(60)", idle_timeout=0.4)
    assert caught.value.idle
    assert caught.value.partial.startswith(b"some\n")
    assert python.send("kept").raw == b"'from before'\n"


def test_a_program_that_ignores_the_interrupt_is_ended(bash: Session) -> None:
    with bash.program(PYTHON) as python:
        python.send("import signal, time; signal.signal(2, signal.SIG_IGN) and None")
        with pytest.raises(CommandTimeoutError) as caught:
            python.send("time.sleep(60)", timeout=0.3)
        assert "at its prompt" not in caught.value.recovery
        assert python.exit_code is not None
        with pytest.raises(SessionClosedError, match="has ended"):
            python.send("1")
        in_step(bash)
    in_step(bash)


def test_an_end_by_itself_is_told_with_its_status(bash: Session) -> None:
    with bash.program(PYTHON) as python:
        with pytest.raises(ProgramEndedError, match="exit status 3") as caught:
            python.send("print('last words'); import sys; sys.exit(3)")
        assert caught.value.exit_code == python.exit_code == 3
        assert caught.value.partial == b"last words\n"
        in_step(bash)
        with pytest.raises(SessionClosedError, match="with status 3"):
            python.send("1")
        assert python.close() == 3
    in_step(bash)


def test_a_killed_program_is_told(bash: Session) -> None:
    with bash.program(PYTHON) as python:
        with pytest.raises(ProgramEndedError, match="137") as caught:
            python.send("import os; os.kill(os.getpid(), 9)")
        assert caught.value.exit_code == 137
    in_step(bash)


def test_closing_returns_the_status(bash: Session) -> None:
    python = bash.program(PYTHON)
    assert "running" in repr(python)
    assert python.close("exit(4)") == 4
    assert python.close() == 4
    assert "status 4" in repr(python)
    in_step(bash)
    python = bash.program(PYTHON)
    assert python.close() == 0
    in_step(bash)


def test_a_program_that_does_not_close_is_interrupted(bash: Session) -> None:
    python = bash.program(PYTHON)
    started = time.monotonic()
    with pytest.raises(CommandTimeoutError):
        python.close("import time; time.sleep(60)", timeout=0.5)
    assert time.monotonic() - started < 8
    assert python.exit_code is not None
    in_step(bash)


def test_the_environment_and_the_directory_are_the_sessions(bash: Session, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    bash.send("cd deep; export GIVEN=value; own=1")
    with bash.program(PYTHON) as python:
        python.send("import os")
        assert python.send_and_get_output("os.getcwd()") == repr(str(tmp_path / "deep"))
        assert python.send_and_get_output("os.environ['GIVEN']") == "'value'"
    assert bash.send('echo "$own $TERM ${PYTHON_BASIC_REPL-unset}"').output == (
        f"1 {os.environ.get('TERM', 'dumb')} unset\n"
    )


# The session meanwhile, and afterwards


def test_the_session_is_busy_until_the_program_ends(bash: Session) -> None:
    with bash.program(PYTHON) as python:
        for call in (bash.send, bash.program, bash.type, bash.expect, bash.background):
            with pytest.raises(SessionBusyError, match="python"):
                call("echo hi")
        assert python.send("1").raw == b"1\n"
    in_step(bash)


def test_an_exception_inside_goes_on_and_frees_the_session(bash: Session) -> None:
    with pytest.raises(ZeroDivisionError), bash.program(PYTHON):
        raise ZeroDivisionError
    in_step(bash)
    with pytest.raises(KeyboardInterrupt), bash.program(PYTHON):
        raise KeyboardInterrupt
    in_step(bash)
    with pytest.raises(ProgramEndedError), bash.program(PYTHON) as python:
        python.send("exit(5)")
    in_step(bash)


def test_the_end_of_the_with_may_come_after_a_close(bash: Session) -> None:
    with bash.program(PYTHON) as outer:
        outer.close()
        with bash.program(PYTHON) as inner:
            assert inner.send("1").raw == b"1\n"
            assert outer.close() == 0
            with pytest.raises(SessionBusyError):
                bash.send("echo hi")
        in_step(bash)
    in_step(bash)


def test_a_session_closed_under_a_program_says_so(tmp_path: Path) -> None:
    with shellbot.bash(cwd=tmp_path) as session:
        python = session.program(PYTHON)
        session.close()
        with pytest.raises(shellbot.LevelLostError, match="was closed"):
            python.send("1", timeout=5)


def test_every_failure_to_start_leaves_the_session_in_step(bash: Session) -> None:
    with pytest.raises(ProgramEndedError, match="127") as caught:
        bash.program("no-such-program-here")
    assert caught.value.exit_code == 127
    in_step(bash)
    for command, status in {"true": 0, "exit_now() { return 6; }; exit_now": 6}.items():
        with pytest.raises(ProgramEndedError, match="prompt=") as caught:
            bash.program(command)
        assert caught.value.exit_code == status
        in_step(bash)
    with pytest.raises(ProgramEndedError) as caught:
        bash.program(f"{PYTHON} /no/such/file")
    assert caught.value.exit_code == 2
    in_step(bash)
    with pytest.raises(CommandTimeoutError):
        bash.program("sleep 60", timeout=0.5)
    in_step(bash)
    with pytest.raises(CommandTimeoutError):
        bash.program("yes", timeout=0.5)
    in_step(bash)


def test_a_program_without_a_prompt_is_told(bash: Session) -> None:
    with pytest.raises(shellbot.SessionError, match="cannot find the prompt of 'cat'"):
        bash.program("cat", timeout=LIMIT)
    in_step(bash)


@pytest.mark.parametrize("prompt", ["", 5, "(", b"x"])
def test_a_wrong_prompt_is_told_before_anything_runs(prompt: object, bash: Session) -> None:
    with pytest.raises(UsageError):
        bash.program("touch run; cat", prompt=prompt)  # type: ignore[arg-type]
    assert bash.send("ls").raw == b""


# psql, on a server of its own


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The start of a psql command for a PostgreSQL that asks for a password."""
    binaries = max(POSTGRESQL.glob("*/bin"), default=None)
    if binaries is None:
        pytest.fail(f"needs a PostgreSQL server below {POSTGRESQL}")
    with tempfile.TemporaryDirectory(prefix="shellbot-pg-") as name:
        place = Path(name)
        (place / "word").write_text(PASSWORD + "\n")
        shutil.chown(place, "postgres")
        shutil.chown(place / "word", "postgres")
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data, log = place / "data", place / "log"
        start = ["-D", data, "-l", log, "-w", "-o", f"-c listen_addresses= -k {place}"]
        for words in (
            ["initdb", "-D", data, "-A", "scram-sha-256", f"--pwfile={place}/word", "-N"],
            ["pg_ctl", *start, "start"],
        ):
            subprocess.run(
                [*as_postgres, binaries / words[0], *words[1:]],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=place,
            )
        yield f"psql -X -h {place} -U postgres"
        stop = [*as_postgres, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, cwd=place)


def test_psql_answers_a_password_question_and_queries(bash: Session, database: str) -> None:
    with bash.program(database, answers={"Password": Secret(PASSWORD)}, timeout=LIMIT) as psql:
        psql.send("\\pset format unaligned")
        psql.send("\\pset tuples_only on")
        assert psql.send("select 6 * 7;").raw == b"42\n"
        assert psql.send("select 'one'\n\n  || 'two';").raw == b"onetwo\n"
        assert psql.send("select 'postgres=# ';").raw == b"postgres=# \n"
        assert psql.send("create table t (a int);").raw == b"CREATE TABLE\n"
        assert "ERROR" in psql.send("select nonsense;").output
        assert psql.send("begin;").raw == b"BEGIN\n"
        assert "ERROR" in psql.send("select 1/0;").output
        assert psql.send("rollback;").raw == b"ROLLBACK\n"
        for line in ("select 1", "select 'open", "select (", 'select "open', "$$ open"):
            with pytest.raises(UsageError, match="beginning of more"):
                psql.send(line)
            assert psql.send("select 7;").raw == b"7\n"
        many = psql.send("select generate_series(1, 100000);")
        assert many.raw == b"".join(b"%d\n" % one for one in range(1, 100_001))
        with pytest.raises(CommandTimeoutError, match="at its prompt"):
            psql.send("select pg_sleep(60);", timeout=0.4)
        assert psql.send("select 8;").raw == b"8\n"
        with pytest.raises(ProgramEndedError):
            psql.send("\\q")
    in_step(bash)


def test_psql_refused_is_told_without_the_password(bash: Session, database: str) -> None:
    with pytest.raises(ProgramEndedError, match="authentication failed") as caught:
        bash.program(database, answers={"Password": Secret("wrong-word")}, timeout=LIMIT)
    assert caught.value.exit_code == 2
    assert "wrong-word" not in str(caught.value)
    in_step(bash)
    with pytest.raises(CommandWaitingError, match="Password"):
        bash.program(database, timeout=LIMIT)
    in_step(bash)


# The others of the table


def test_sqlite_answers_exactly(bash: Session, need: Callable[[str], None]) -> None:
    need("sqlite3")
    with bash.program("sqlite3", timeout=LIMIT) as sqlite:
        sqlite.send("create table t (a, b); insert into t values (1, 'sqlite> '), (2, 'x');")
        assert sqlite.send("select *\n\nfrom t;").raw == b"1|sqlite> \n2|x\n"
        for line in ("select", "select 'open", 'select "open', "/* open"):
            with pytest.raises(UsageError, match="beginning of more"):
                sqlite.send(line)
            assert sqlite.send("select 5;").raw == b"5\n"
        endless = "with recursive c(x) as (select 1 union all select x from c) select x from c"
        with pytest.raises(CommandTimeoutError, match="at its prompt"):
            sqlite.send(f"select count(*) from ({endless});", timeout=0.4)
        assert sqlite.send("select 6;").raw == b"6\n"
        assert sqlite.close(".exit 3") == 3
    in_step(bash)


def test_bc_answers_exactly(bash: Session, need: Callable[[str], None]) -> None:
    need("bc")
    with bash.program("bc -q", timeout=LIMIT) as bc:
        assert bc.send("2^200").raw == b"%d\n" % 2**200
        assert bc.send("define f(x) {\nreturn x * 2;\n}\nf(4)").raw == b"8\n"
        assert "Divide by zero" in bc.send("1/0").output
        assert bc.send('print "a"').raw == b"a"
        assert bc.send("").raw == b""
    assert bc.exit_code == 0
    in_step(bash)


def test_node_answers_exactly(bash: Session, need: Callable[[str], None]) -> None:
    need("node")
    with bash.program("node", timeout=LIMIT) as node:
        assert node.send("'> '").raw == b"'> '\n"
        assert node.send("function f() {\n\n return 5;\n}\nf()").raw == b"undefined\n5\n"
        for line in ("(1", "`open"):
            with pytest.raises(UsageError, match="beginning of more"):
                node.send(line)
            assert node.send("7").raw == b"7\n"
        with pytest.raises(CommandTimeoutError, match="at its prompt"):
            node.send("while (true) {}", timeout=0.4)
        with pytest.raises(ProgramEndedError) as caught:
            node.send("process.exit(3)")
        assert caught.value.exit_code == 3
    in_step(bash)


C_PROGRAM = """#include <stdio.h>
int twice(int number) {
    return 2 * number;
}
int main(void) {
    char name[80] = "";
    printf("Name? ");
    if (fgets(name, 80, stdin)) printf("Hello %s", name);
    printf("%d\\n", twice(21));
    return 3;
}
"""


def test_gdb_runs_a_program_that_asks(
    bash: Session, tmp_path: Path, need: Callable[[str], None]
) -> None:
    need("gdb")
    need("gcc")
    (tmp_path / "small.c").write_text(C_PROGRAM)
    bash.send("gcc -g -O0 -o small small.c")
    with bash.program("gdb -q ./small", timeout=30) as gdb:
        assert "Breakpoint 1" in gdb.send("break twice").output
        assert "Hello bob" in gdb.send("run", answers={r"Name\? ": "bob"}).output
        assert "#1 " in gdb.send("bt").output
        assert gdb.send("print number").raw == b"$1 = 21\n"
        assert "No symbol" in gdb.send("print nonsense").output
        assert "exited with code 03" in gdb.send("continue").output
        with pytest.raises(CommandWaitingError, match="at its prompt"):
            gdb.send("run")
        assert gdb.send("print 1 + 1").raw.endswith(b" = 2\n")
    in_step(bash)


# Prompts that are found, or given


MENU = """n=0
while n=$((n + 1)); printf 'menu %d of 1999> ' $n; read -r choice; do
    case $choice in
        quit) exit 4 ;;
        look) printf 'menu 7 of 1999> \\nno prompt\\n' ;;
        ask) printf 'Sure? '; read -r sure; echo "sure=$sure" ;;
        hang) sleep 60 ;;
        "") ;;
        *) echo "chose $choice" ;;
    esac
done
"""


@pytest.mark.parametrize("prompt", [None, r"menu \d+ of \d+> $"])
def test_a_menu_whose_prompt_counts(prompt: str | None, bash: Session, tmp_path: Path) -> None:
    (tmp_path / "menu").write_text(MENU)
    with bash.program("sh menu", prompt=prompt, timeout=LIMIT) as menu:
        for choice in ("first", "second"):
            assert menu.send(choice).raw == b"chose %s\n" % choice.encode()
        assert menu.send("look").raw == b"menu 7 of 1999> \nno prompt\n"
        assert menu.send("ask", answers={r"Sure\? ": "yes"}).raw == b"Sure? sure=yes\n"
        with pytest.raises(CommandTimeoutError):
            menu.send("hang", timeout=0.4)
        in_step(bash)
    menu = bash.program("sh menu", prompt=prompt, timeout=LIMIT)
    assert menu.close("quit") == 4
    in_step(bash)


def test_a_shell_with_its_prompt_given(bash: Session) -> None:
    with bash.program("PS1='mine> ' sh -i", prompt=r"mine> $", timeout=LIMIT) as inner:
        assert inner.send("echo one; cd /usr; pwd").raw == b"one\n/usr\n"
        with pytest.raises(CommandTimeoutError, match="at its prompt"):
            inner.send("sleep 60", timeout=0.4)
        assert inner.send("echo two").raw == b"two\n"
        assert inner.close("exit 5") == 5
    in_step(bash)


def test_gnuplot_has_its_prompt_found(bash: Session, need: Callable[[str], None]) -> None:
    need("gnuplot")
    with bash.program("gnuplot", timeout=LIMIT) as gnuplot:
        assert gnuplot.send("print 6 * 7").raw == b"42\n"
        assert gnuplot.send("print 'gnuplot> '").raw == b"gnuplot> \n"
        assert "invalid command" in gnuplot.send("nonsense").output
    in_step(bash)
