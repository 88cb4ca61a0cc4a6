"""Awkward commands and states, and what a real ``bash -c`` says to each of them.

Each case stands for something that burns those who script a shell from outside. What is right is
not written here: :func:`expected` asks bash, at run time, in a process of its own.

The rules for a case, so that bash on a terminal and ``bash -c`` have to agree about it:

* It says the same each time, takes about a second at most, and leaves nothing behind.
* It prints nothing that bash rightly words in another way on a terminal: its ``bash: line 1:`` in
  front of an error, ``$0``, the ``[1] 1234`` of a job, whether there is a terminal at all. Where
  such words cannot be kept out, as of a syntax error, the case is one of :data:`OWN_WORDS`, and it
  counts only that the command has failed and that something was said about it.
* Without *before*, it leaves its shell as it was, so that one session can go through all of them.

Left out is what bash rightly does in another way at a prompt: a here-document without its end, for
which ``bash -c`` takes the end of the text; ``exec </dev/null``, which ends a shell that reads its
commands there; ``set -n``, which it ignores there; ``shopt -s lastpipe``, which needs job control
to be off.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from typing import TypeAlias

    from peers import Answer

    Verdict: TypeAlias = Literal["right", "line ends", "wrong output", "wrong status", "no status"]

LIMIT = 20.0
"""How many seconds bash itself may take for a case."""
OWN_WORDS = "syntax errors"
"""The group of cases in which bash words its own message."""


class Case(NamedTuple):
    """A command that is judged, after others that only make a state."""

    name: str
    group: str
    command: str
    before: tuple[str, ...] = ()
    why: str = ""


class Expected(NamedTuple):
    """What bash says: all in the order written, and standard output and standard error apart."""

    merged: bytes
    output: bytes
    errors: bytes
    status: int
    own_words: bool = False
    """Whether only that it fails counts, and that something is said about it."""


def _in(group: str, *rows: tuple[str, ...]) -> Iterator[Case]:
    """Make cases of rows: the name, the command, why, and what is run before."""
    for name, command, why, *before in rows:
        yield Case(name, group, command, tuple(before), why)


def _control_characters() -> Iterator[Case]:
    keys = {
        "\x01": "the prefix key of screen",
        "\x02": "the prefix key of tmux",
        "\x03": "the key that interrupts",
        "\x04": "the key for the end of input",
        "\x08": "backspace",
        "\x0c": "the key that clears the screen",
        "\r": "Enter",
        "\x11": "the key that resumes output",
        "\x12": "search in the history, or show the line again",
        "\x13": "the key that stops output",
        "\x15": "the key that deletes the line",
        "\x16": "the key that quotes the next one",
        "\x17": "the key that deletes a word",
        "\x1a": "the key that suspends",
        "\x1b": "Escape, and the first byte of every arrow key",
        "\x1c": "the key that quits",
        "\x1d": "the key that leaves telnet",
        "\x1e": "the record separator, a favourite of marks",
        "\x7f": "the key that deletes",
    }
    for key, meaning in keys.items():
        name = f"control character {ord(key):#04x} in quotes"
        why = f"typed at a terminal it is {meaning}"
        yield Case(name, "control characters", f"printf '%s' 'a{key}b' | od -An -tx1", (), why)


def _statuses() -> Iterator[Case]:
    known = {
        0: "success",
        1: "failure",
        2: "misuse",
        10: "two digits: a pattern that takes one sees 1",
        100: "three digits",
        124: "what timeout(1) says",
        126: "said without there being a file",
        127: "said without there being no command",
        128: "the first that a signal might have made",
        130: "what Ctrl-C would have made",
        137: "what SIGKILL would have made",
        141: "what SIGPIPE would have made",
        255: "the last, and what a failed ssh says",
    }
    for status, meaning in known.items():
        yield Case(f"status {status}", "statuses", f"(exit {status})", (), meaning)


def _widths() -> Iterator[Case]:
    for width in (79, 80, 81, 160, 200, 5_000, 100_000):
        why = "terminals wrap at 80, and editors of lines redraw"
        command = f"printf '%0{width}d\\n' 0"
        yield Case(f"a line of {width:,} columns", "output", command, (), why)


def _prompts() -> Iterator[Case]:
    prompts = {
        "dollar": "$ ",
        "number sign": "# ",
        "greater than": "> ",
        "percent": "% ",
        "bash": "bash-5.2$ ",
        "Debian": "user@host:~$ ",
        "Red Hat": "[root@host ~]# ",
        "Python": ">>> ",
        "replwrap": "[PEXPECT_PROMPT>",
        "replwrap, more": "[PEXPECT_PROMPT+",
        "pxssh": "[PEXPECT]$ ",
        "shutit": "ORIGIN_ENV# ",
        "a password": "Password: ",
        "a login": "login: ",
    }
    for name, prompt in prompts.items():
        command = f"echo first; printf '%s' {_quoted(prompt)}"
        why = "output that looks like a prompt ends the wait of whoever waits for one"
        yield Case(f"the prompt of {name} at the end", "lookalikes", command, (), why)
        command = f"printf '%s\\n' {_quoted(prompt)} rest {_quoted(prompt + 'echo typed')}"
        yield Case(f"the prompt of {name} on lines", "lookalikes", command, (), why)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_OUTPUT = _in(
    "output",
    ("nothing", ":", "nothing to wait for"),
    ("no newline at the end", "printf abc", "the next mark or prompt joins the last line"),
    ("only a newline", "echo", "stripped by whoever strips"),
    ("many newlines at the end", r"printf 'a\n\n\n\n'", "stripped by whoever strips"),
    ("empty lines at the start", r"printf '\n\n\na\n'", "taken for what an echo leaves"),
    ("empty lines between", r"printf 'a\n\n\nb\n\nc\n'", "lost by whoever splits into words"),
    ("only spaces", "printf '     '", "an invisible answer"),
    ("blanks around", "echo '   a   '", "stripped by whoever strips"),
    ("blanks at the end of lines", r"printf 'a  \nb\t\n  \n'", "a screen does not keep them"),
    ("tabs", r"printf '\ta\tb\t\tc\n'", "terminals expand them (XTABS)"),
    ("progress by carriage return", r"printf '10%%\r20%%\r100%%\n'", "a screen overwrites"),
    ("carriage return and newline", r"printf 'a\r\nb\r\n'", "taken for the terminal's doing"),
    ("many carriage returns", r"printf 'a\r\r\r\nb\r\r\n'", "what onlcr makes worse"),
    ("carriage return at the end", r"printf 'abc\r'", "the next mark overwrites it"),
    ("newline, then carriage return", r"printf 'a\n\rb\n\r'", "replaced by whoever replaces"),
    ("backspace", r"printf 'abc\b\bX\n'", "a screen overwrites"),
    ("colours", r"printf '\033[1;31mred\033[0m plain\n'", "removed, or left in an answer"),
    ("cursor movement", r"printf 'a\033[2Ab\033[10Cc\033[Kd\n'", "acted on by a screen"),
    ("half an escape sequence", r"printf 'a\033['", "swallows what comes next"),
    ("an unended title", r"printf 'a\033]0;title'", "swallows what comes next"),
    ("bell", r"printf 'a\ab\a\n'", "a screen does not keep it"),
    ("NUL", r"printf 'a\0b\0\n'", "ends a string in C, and in bash"),
    (
        "every byte",
        r"""for i in {0..255}; do printf "\\x$(printf %x "$i")"; done""",
        "what a terminal, a decoder or a screen changes",
    ),
    ("control characters", r"printf '\001\002\003\004\005\013\016\017\021\023\032\177'", "keys"),
    ("shift out", r"printf 'a\016lqk\n'", "a terminal shows all that follows as lines"),
    ("no UTF-8", r"printf '\377\376caf\303\n'", "a strict decoder raises"),
    ("Latin-1", r"printf 'gr\374\337e\n'", "a strict decoder raises"),
    ("half a character at the end", r"printf 'gr\303'", "joins with what comes next"),
    ("umlauts", "echo 'Grüße, Öl'", "more bytes than columns"),
    ("Chinese", "echo '日本語 中文'", "two columns for each"),
    ("emoji", "echo '👩‍👩‍👧 🎉'", "joined out of several"),
    ("combining characters", r"printf 'e\xcc\x81 a\xcc\x88\n'", "changed by whoever normalizes"),
    ("right to left", "echo 'שלום עולם'", "reordered by a terminal"),
    ("line separators", r"printf 'a\xe2\x80\xa8b\xc2\x85c\fd\ve\x1cf\n'", "splitlines splits"),
    (
        "80,000 bytes of umlauts",
        r"printf 'ü%.0s' {1..40000}",
        "a read of any size ends in the middle of one",
    ),
    ("a megabyte in one line", r"head -c 1000000 /dev/zero | tr '\0' x", "slow, cut or wrapped"),
    ("a megabyte of lines", r"yes 'a line of text' | head -n 62500", "cut by a scroll buffer"),
    ("100,000 short lines", "seq 100000", "cut by a scroll buffer"),
    ("100,000 empty lines", r"head -c 100000 /dev/zero | tr '\0' '\n'", "a newline each"),
    ("percent signs", "echo '%'; echo '%s %d %%'; printf %%", "given to printf by whoever wraps"),
    ("backslashes", r"printf '%s\n' '\' '\\' '\n' '\033[0m'", "undone by echo -e"),
    ("exclamation marks", "printf '%s\\n' '!' '!!' '!$' '!echo'", "history"),
    ("looks like an option", r"printf '%s\n' -n -e --", "given to echo by whoever wraps"),
    ("in portions", "for i in 1 2 3; do printf $i; sleep 0.1; done", "a pause is no end"),
    ("a long silence", "sleep 0.7; echo late", "a pause is no end"),
    (
        "a part of a line, then the rest",
        "printf '$ '; sleep 0.3; echo rest",
        "a pause after what looks like a prompt is no end",
    ),
    (
        "a background writer",
        "{ (sleep 0.2; echo late) & wait; } 2>/dev/null; echo end",
        "it ends within the command",
    ),
    ("a writer in a pipeline", "(sleep 0.2; echo late) | cat", "the first one ends last"),
    (
        "half a MB from a child that ends at once",
        "sh -c \"head -c 500000 /dev/zero | tr '\\\\0' y\"",
        "a terminal may lose what was not read yet",
    ),
    ("asks where the cursor is", r"printf '\033[6n'", "a terminal answers, as if typed"),
    ("asks what terminal it is", r"printf '\033[c\033[>c\033[5n\005'", "a terminal answers"),
)

_LOOKALIKES = _in(
    "lookalikes",
    ("the command", "echo 'echo hello'; echo hello", "taken for the echo of what was typed"),
    (
        "the very command",
        r"""c='c=%s; printf "$c" "'$c'"'; printf "$c\n" "'$c'" """,
        "whoever removes the echo removes it here",
    ),
    ("the question for the status", "echo 'echo $?'; echo 'echo $?'", "asked after each command"),
    ("a number at the end", "echo 0", "taken for a status"),
    ("a number with no newline", "echo text; printf 0", "joins with the status"),
    ("a wrong number", "echo 1; (exit 3)", "taken for a status"),
    ("digits that join", "printf 12; (exit 7)", "joins with the status: 127"),
    ("a record separator", r"printf '\0360\036'; printf '\036%s\036\n' 0 17", "a mark's look"),
    ("a mark with a key", r"printf '\03612345678901234567890;3=0>\n'", "a mark's look"),
    ("the end of plumbum", r"printf -- '--.END123456.789\n0\n--.END123456.789\n'", "a mark's look"),
    ("common ends", "printf '%s\\n' END EOF __END__ DONE ___MARK___ :END:0", "a mark's look"),
    ("unit and file separators", r"printf '\034\035\036\037'", "a mark's look"),
    ("an end of input", r"printf 'a\004\nb\n'", "taken for one"),
    ("a question", "printf 'Continue? [y/N] '", "nobody asks here"),
    ("a pager", "echo '--More--'; echo '(END)'; printf ':'", "no pager is here"),
    ("the environment", "env | grep -c . >/dev/null; echo $?", "holds whatever was exported"),
    ("a kill", "echo Killed; echo Terminated; echo '^C'", "nothing was killed"),
    ("a lost connection", "echo 'Connection to host closed.'; echo logout", "nothing was lost"),
    ("an error of the shell", "echo 'bash: x: command not found'; echo '> '", "no error"),
    ("a job", "echo '[1] 1234'; echo '[1]+  Done   sleep 1'", "nothing is in the background"),
)

_ORDER = _in(
    "order",
    ("alternating", "echo 1; echo 2 >&2; echo 3; echo 4 >&2", "two pipes lose the order"),
    (
        "alternating 2,000 times",
        "for ((i = 0; i < 1000; i++)); do echo o$i; echo e$i >&2; done",
        "two pipes lose the order, or fill up",
    ),
    ("only errors", "echo wrong >&2", "lost, or taken for output"),
    ("half lines", "printf a; printf b >&2; printf c; printf d >&2", "no newline to part them"),
    ("an error in the middle", "echo a; LC_ALL=C ls nowhere; echo b", "a real program's error"),
    ("errors into output", "{ echo a; echo b >&2; echo c; } 2>&1", "both on one"),
    ("errors into a pipe", "{ echo a; echo b >&2; echo c; } 2>&1 | cat", "both through a pipe"),
    ("only errors into a pipe", "{ echo a; echo b >&2; } 2>&1 >/dev/null | cat", "one dropped"),
    ("swapped", "{ echo a; echo b >&2; } 3>&1 1>&2 2>&3", "each goes where the other did"),
    ("by name", "echo a >/dev/stdout; echo b >/dev/stderr; echo c", "opened by their names"),
    ("children in turn", "sh -c 'echo a; echo b >&2'; sh -c 'echo c >&2; echo d'", "processes"),
    ("many errors", "seq 20000 >&2; echo done", "a pipe nobody reads fills up"),
    ("closed output", "{ echo lost; } >&- 2>/dev/null; echo kept", "closed for one command"),
)

_STATUSES = _in(
    "statuses",
    ("false", "false", "the built-in"),
    ("of a program", "sh -c 'exit 41'", "a child"),
    ("of the last command", "false; true", "the one before has failed"),
    ("of the last of a list", "true; false", "the one before has not"),
    ("output and a status", "echo out; (exit 9)", "both are wanted"),
    ("output with no newline and a status", "printf out; (exit 9)", "both are wanted"),
    ("256", "(exit 256)", "only eight bits are kept"),
    ("-1", "(exit -1)", "only eight bits are kept"),
    ("not found", "no-such-command-at-all 2>/dev/null", "127"),
    ("not executable", "/dev/null 2>/dev/null", "126"),
    ("a directory", "/ 2>/dev/null", "126"),
    ("killed by 9", "(sh -c 'kill -9 $$'; exit $?) 2>/dev/null", "128 and the signal"),
    ("killed by 15", "(sh -c 'kill -15 $$'; exit $?) 2>/dev/null", "128 and the signal"),
    ("killed by 2", "(sh -c 'trap - INT; kill -2 $$'; exit $?) 2>/dev/null", "as by Ctrl-C"),
    ("killed by 1", "(sh -c 'kill -1 $$'; exit $?) 2>/dev/null", "as by a lost terminal"),
    ("killed by 13", "yes | head -n 1; echo ${PIPESTATUS[0]}", "a pipe nobody reads"),
    ("a pipeline that fails first", "false | true", "the last counts"),
    ("a pipeline that fails last", "true | false", "the last counts"),
    ("pipefail", "(set -o pipefail; (exit 3) | true)", "the last that fails counts"),
    ("each of a pipeline", "(exit 3) | (exit 4) | true; echo ${PIPESTATUS[*]}", "an array"),
    ("! true", "! true", "turned round"),
    ("! false", "! false", "turned round"),
    ("and", "false && echo no", "the list stops"),
    ("or", "false || echo yes", "the list goes on"),
    ("and, or", "true && (exit 5) || (exit 6)", "the last that ran"),
    ("exit in a subshell", "(echo a; exit 4; echo b)", "leaves only the subshell"),
    ("exit in a pipeline", "echo a | { cat; exit 6; }", "leaves only the pipeline"),
    ("exit in a substitution", "echo $(echo a; exit 3)", "the status is that of echo"),
    ("an assignment", "x=$(exit 3)", "the status is that of the substitution"),
    ("return from a function", "f() { echo f; return 42; }; f", "a number of its own"),
    ("break outside a loop", "break 2>/dev/null; echo $?", "a loop around it would be left"),
    ("local outside a function", "local x 2>/dev/null; echo $?", "a function around it shows"),
    ("return outside a function", "(return 3) 2>/dev/null; echo $?", "a function around it shows"),
    ("test", "[ 1 -gt 2 ]", "1, and no output"),
    ("test with an error", "[ 1 -gt x ] 2>/dev/null", "2"),
    ("arithmetic", "((0))", "1, as zero is false"),
    ("the substitution's own", "echo $(false)$?", "what a substitution leaves"),
    ("an empty condition", "if false; then :; fi", "0"),
    ("grep with nothing found", "echo a | grep b", "1, and no output"),
    ("seen by the next command", "echo $?", "the question for it changes it", "(exit 7)"),
    ("success seen by the next", "echo $?", "the question for it changes it", "false", "true"),
    (
        "a signal's seen by the next",
        "echo $?",
        "the question for it changes it",
        "(sh -c 'kill -9 $$'; exit $?) 2>/dev/null",
    ),
    ("used by the next", "(exit $(($? + 1)))", "the question for it changes it", "(exit 41)"),
    ("a comment keeps it", "# only a comment\necho $?", "a comment runs nothing", "(exit 7)"),
    (
        "a pipeline's seen by the next",
        'echo "${PIPESTATUS[*]}"',
        "gone with the next",
        "(exit 3) | (exit 4) | true",
    ),
)

_QUOTING = _in(
    "quoting",
    ("single quotes", "echo 'a \"b\" $HOME `x` \\ c'", "all is literal"),
    ("double quotes", 'x=1; echo "a \'b\' $x `echo c` \\" \\$ d"', "some is not"),
    ("a quote in a quote", "echo 'it'\\''s' \"it's\" it\\'s", "every way to write it"),
    ("dollar quotes", r"echo $'a\tb\n\x41\u00fc\'c\''", "escapes of its own"),
    ("empty words", "printf '<%s>' '' \"\" a", "not dropped"),
    ("backslashes in words", r"""printf '%s\n' \a \\ "\a" "\\" '\\' "\$" a\ b""", "kept or taken"),
    ("a backslash at the end of a word", r"echo a\\", "escapes what comes next"),
    ("unbalanced brackets in quotes", "echo '({[<' \"]})>\" \\) \\(", "counted by whoever counts"),
    ("unbalanced quotes in quotes", "echo \"'\" '\"' \\' \\\"", "counted by whoever counts"),
    ("a number sign in a word", "echo a#b '#' \\# #comment", "only some begin a comment"),
    ("a comment at the end", "echo a # it's a 'comment", "swallows what is put behind it"),
    ("a comment at the start", "# (first\necho a", "unbalanced on purpose"),
    ("only a comment", "# nothing", "nothing runs"),
    ("the empty command", "", "nothing runs"),
    ("only blanks", "   \t ", "nothing runs"),
    ("only newlines", "\n\n\n", "a prompt for each"),
    ("newlines around", "\n\necho a\n\n", "a prompt for each"),
    ("leading blanks", "   echo a", "kept out of a history"),
    ("trailing blanks", "echo a   ", "whoever puts words behind it"),
    ("a semicolon at the end", "echo a;", "a second one behind it is an error"),
    ("an ampersand at the end", "{ (echo a) & wait; } 2>/dev/null; (: &) &>/dev/null", "`& ;`"),
    ("a line continued", "echo a \\\n  b", "two lines are one command"),
    ("continued within a word", "ec\\\nho a\\\nb", "two lines are one word"),
    ("a backslash and newline at the end", "echo a \\\n", "joins with what comes next"),
    ("the same in an eval", "eval 'echo a \\\n'", "bash 5.2 then forgets its reserved words"),
    ("a newline in single quotes", "echo 'a\n  b\n\nc'", "a prompt for each line"),
    ("a newline in double quotes", 'echo "a\n> b\n$((1 +\n1))"', "a prompt for each line"),
    ("history by words", 'echo "a!b" !x a!', "history expansion, in double quotes too"),
    ("the last command", 'echo "hi!!" !! !-1 !$', "history expansion, in double quotes too"),
    ("quick substitution", "printf '%s' ^a^b^; echo ^x^y", "history expansion at the start"),
    ("braces", "echo {a,b}{1..3} {} {a}", "expanded by bash only"),
    ("globs that match nothing", "echo /nonexistent/* [ab]x*z ?", "left as they are"),
    ("tildes", "HOME=/h; echo ~ a~ '~' ~/x; HOME=$OLDHOME", "only some are", "OLDHOME=$HOME"),
    ("a tab between words", "echo a\tb\t\tc", "completion"),
    ("tabs in quotes", "echo 'a\tb\t\tc'", "completion"),
    ("tabs at the start of lines", "if true\nthen\n\t\techo a\nfi", "completion, twice"),
    ("many tabs", "printf '%s' '" + "\t" * 200 + "' | wc -c", "completion, 200 times"),
    ("umlauts in the command", "x='Grüße'; echo \"$x\" 'ä'", "the terminal's own idea of a byte"),
    ("emoji in the command", "echo '👩‍👩‍👧' 🎉", "four bytes each"),
    ("a name in umlauts", "touch 'ü ä'; ls -N | cat; rm 'ü ä'", "no variable, but a file"),
    ("a no-break space", "echo 'a\u00a0b'", "looks like a blank"),
    ("a carriage return in quotes", "printf '%s' 'a\rb' | od -An -c", "Enter, for a terminal"),
    ("percent and printf words", "echo %s %d '%%' %n", "given to printf by whoever wraps"),
    ("braces as of a template", "echo '{0} {command} {}'", "given to format by whoever wraps"),
    ("dollars as of a template", "echo '$1 ${x} $$ \\1 \\g<0> &'", "given to sed or re.sub"),
    ("5,000 bytes in a line", "echo " + "x" * 5_000, "a terminal takes 4,095 in a line"),
    ("4,095 bytes in a line", "echo " + "x" * 4_090, "a terminal takes 4,095 in a line"),
    ("4,096 bytes in a line", "echo " + "x" * 4_091, "a terminal takes 4,095 in a line"),
    ("100,000 bytes in a line", "echo " + "y" * 100_000, "a terminal takes 4,095 in a line"),
    ("100,000 bytes of words", "echo " + "word " * 20_000, "a terminal takes 4,095 in a line"),
    (
        "50,000 quotes",
        'printf %s "' + "'" * 50_000 + '"',
        "whoever quotes makes it four times as long",
    ),
    ("20,000 umlauts", "echo '" + "ü" * 20_000 + "'", "cut in the middle of one"),
    ("1,000 lines", "\n".join(f"echo {n}" for n in range(1_000)), "a prompt for each"),
    ("1,000 lines in quotes", "echo '" + "a\n" * 1_000 + "'", "a prompt for each"),
)

_SYNTAX = _in(
    "syntax",
    ("here-document", "cat <<EOF\na\n  $((1 + 1)) `echo b`\nEOF", "more lines are awaited"),
    ("quoted here-document", "cat <<'EOF'\n$x `y` \\ '\"\nEOF", "nothing is expanded"),
    ("here-document with tabs", "cat <<-EOF\n\t\ta\n\tb\tc\n\tEOF", "completion, and stripped"),
    ("two here-documents", "cat <<A; cat <<B\na\nA\nb\nB", "one after the other"),
    ("here-document in a here-document", "bash <<'A'\ncat <<'B'\nx\nB\nA", "nested"),
    ("here-document, then more", "cat <<EOF | tr a b; echo c\na\nEOF\necho d", "and what follows"),
    ("an empty here-document", "cat <<EOF\nEOF", "nothing at all"),
    ("here-document with a newline at the end", "cat <<EOF\na\nEOF\n", "and nothing behind"),
    ("the end's name in blanks", "cat <<'E F'\na\nE F", "its end has a blank"),
    ("here-document of prompts", "cat <<EOF\n$ \n> \n# \nEOF", "looks like prompts"),
    ("here-document of 1,000 lines", "cat <<EOF\n" + "line\n" * 1_000 + "EOF", "long"),
    (
        "here-document with a long line",
        "cat <<EOF\n" + "x" * 20_000 + "\nEOF",
        "a terminal takes 4,095 in a line",
    ),
    (
        "here-document with control characters",
        "cat <<EOF | od -An -tx1\na\x03\x04\x15\x1a\x7fb\nEOF",
        "keys",
    ),
    ("here-document in a function", "f() {\ncat <<EOF\n$1\nEOF\n}\nf x", "kept for later"),
    ("here-document in a loop", "for i in 1 2; do\ncat <<EOF\n$i\nEOF\ndone", "read twice"),
    ("here-document in a substitution", 'echo "$(cat <<EOF\na "b"\nEOF\n)"', "within quotes"),
    ("here-string", "cat <<<'a b'; tr a b <<< \"$(echo aa)\"", "no here-document"),
    ("shift, no here-document", "echo $((1 << 3)) $((256 >> 2))", "no here-document"),
    ("a here-document in quotes", "echo '<<EOF'", "no here-document"),
    ("a loop over lines", "for i in 1 2 3\ndo\n  echo $i\ndone", "more lines are awaited"),
    ("a while loop", "i=0; while [ $i -lt 3 ]; do\necho $i\ni=$((i + 1))\ndone", "lines"),
    ("an until loop", "i=0; until ((i++ >= 2)); do echo $i; done | tac", "into a pipe"),
    ("a loop in C's way", "for ((i = 0; i < 3; i++)); do echo $i; done", "semicolons"),
    ("if, elif, else", "if false; then\necho a\nelif true; then\necho b\nelse\necho c\nfi", "long"),
    ("case", "case abc in\n  (x|y) echo no ;;\n  a*) echo yes ;;&\n  *c) echo too ;;\nesac", ")"),
    ("a function", 'f() {\n  local x=$1\n  echo "f $x"\n}\nf "a b"', "lines"),
    ("a function of many words", "function g { echo $# \"$@\"; }\ng a 'b c' ''", "lines"),
    ("recursion", "r() { (($1)) && echo $1 && r $(($1 - 1)); }; r 3", "and a status"),
    ("a group", "{ echo a; echo b; } | tac", "one pipe"),
    ("subshells", "(echo a; (echo b; (echo c)))", "nested"),
    ("(( and ( (", "((1)) && ( (echo a) )", "not the same"),
    ("substitutions", "echo $(echo a; echo `echo b`) $((2 * 3))", "nested"),
    ("a substitution over lines", 'x="$(\necho a\necho b\n)"; echo "$x"', "lines"),
    ("newlines a substitution strips", "x=$(printf 'a\\n\\n'); echo \"<$x>\"", "bash does that"),
    ("process substitution", "diff <(echo a) <(echo b); cat <(echo c)", "a descriptor"),
    ("an array", 'a=(1 "2 3" 4); echo ${#a[@]} "${a[1]}" "${a[@]: -1}"; unset a', "lists"),
    ("a map", "declare -A m=([k]=v [x y]=z); echo ${m[k]} ${m[x y]}; unset m", "a list with names"),
    ("expansions", 'x=a.b.c; echo ${x%.*} ${x##*.} ${x//./-} ${x^^} ${#x} "${x:2:1}"', "operators"),
    ("arithmetic expanded", "echo $((7 / 2)) $((-7 % 3)) $((2 ** 10)) $((1 ? 2 : 3))", "signs"),
    ("[[ ]]", "[[ abc =~ ^a(.)c$ && a < b ]]; echo $? ${BASH_REMATCH[1]}", "redirects nothing"),
    ("extended globs", "shopt -s extglob\n[[ aaa == +(a) ]]; echo $?\nshopt -u extglob", "lines"),
    ("redirections", "echo a >kept; echo b >>kept; cat <kept; rm kept", "a file"),
    ("a redirection first", "<<<a cat; >kept echo b; cat kept; rm kept", "the command is second"),
    ("|&", "{ echo a; echo b >&2; } |& sort", "both into a pipe"),
    ("&>", "{ echo a; echo b >&2; } &>kept; cat kept; rm kept", "both into a file"),
    ("and over lines", "true &&\n\n  echo a ||\n  echo b", "more lines are awaited"),
    ("a pipe over lines", "echo a |\n  tr a b |\n\n  cat", "more lines are awaited"),
    ("eval", "eval 'echo \"a b\"' ';' echo c", "within an eval of whoever wraps"),
    ("eval of lines", "eval $'echo a\\necho b'", "within an eval of whoever wraps"),
    ("a variable for one command", "X=1 sh -c 'echo $X'; echo [$X]", "gone behind it"),
    ("time", "{ time true; } 2>&1 | grep -c real", "a reserved word"),
    ("a reserved word as a word", "echo if then fi done } {", "no syntax here"),
    ("a coprocess", "{ coproc cat; } 2>/dev/null; echo a >&${COPROC[1]}; exec {COPROC[1]}>&-; "
        "cat <&${COPROC[0]}; wait 2>/dev/null", "descriptors"),
    ("the shell itself", "[ $$ = $BASHPID ]; echo $? $BASH_SUBSHELL", "no subshell around it"),
    ("no function around it", 'echo "${#FUNCNAME[@]}"', "declare would be local there"),
    ("declare lasts", "declare d=1\necho $d; unset d", "declare would be local in a function"),
    ("no arguments", 'echo $# "$*"', "those of whoever wraps"),
    ("an alias of this very line", "alias zz='echo no'; unalias zz; echo yes", "read beforehand"),
)  # fmt: skip

_ERRORS = _in(
    OWN_WORDS,
    ("an unclosed single quote", "echo 'abc", "more is awaited, for ever"),
    ("an unclosed double quote", 'echo "abc', "more is awaited, for ever"),
    ("an unclosed backquote", "echo `echo a", "more is awaited, for ever"),
    ("an unclosed substitution", "echo $(echo a", "more is awaited, for ever"),
    ("an unclosed parenthesis", "( echo a", "more is awaited, for ever"),
    ("an unclosed brace", "{ echo a", "more is awaited, for ever"),
    ("an unclosed expansion", "echo ${x", "more is awaited, for ever"),
    ("unclosed arithmetic", "echo $((1 + ", "more is awaited, for ever"),
    ("if and no more", "if true", "more is awaited, for ever"),
    ("for and no more", "for i in 1 2", "what is put behind it becomes its body"),
    ("case and no more", "case x in", "more is awaited, for ever"),
    ("and with nothing behind", "true &&", "what is put behind it becomes a part"),
    ("a pipe with nothing behind", "echo a |", "what is put behind it gets the output"),
    ("a function with no body", "f()", "what is put behind it becomes its body"),
    ("a parenthesis too many", "echo )", "a syntax error"),
    ("a brace too many", "}", "closes what was opened around it"),
    ("fi and no if", "fi", "closes what was opened around it"),
    ("done and no loop", "done", "closes what was opened around it"),
    ("two semicolons", ";;", "a syntax error"),
    ("a lone pipe", "| cat", "a syntax error"),
    ("closes a quote and a parenthesis", "echo a'); echo b", "closes what was put around it"),
    ("a redirection to nothing", "echo a >", "a syntax error"),
    ("a variable that must be set", ": ${nobody_set_this:?}", "drops the rest of the line"),
    ("an expansion there is not", "echo ${x!y}", "drops the rest of the line"),
    ("a division by zero", "echo $((1 / 0))", "drops the rest of the line"),
)

_EVIL = "builtin printf 'evil\\n'"
_HERE_AGAIN = "echo a; (exit 3)"
_STATE = _in(
    "state",
    ("the directory", "basename \"$PWD\"; cd ..; rmdir sub", "each in a shell of its own loses it",
        "mkdir sub; cd sub"),
    ("the directory before", 'cd - >/dev/null; basename "$OLDPWD"; rmdir sub', "cd - needs it",
        "mkdir sub", "cd sub"),
    ("the stack of directories", "popd >/dev/null; [ / != \"$PWD\" ]; echo $?", "kept by the shell",
        "pushd / >/dev/null"),
    ("a variable", 'echo "$x"', "kept by the shell", "x='a  b'"),
    ("a variable of many lines", 'echo "$x"', "kept by the shell", "x='a\n\nb\n'"),
    ("an exported variable", "sh -c 'echo $X'", "for children too", "export X='a b'"),
    ("an array kept", 'echo "${a[1]}" ${#a[@]}', "no environment can hold it", "a=(1 '2 3' 4)"),
    ("a function kept", "f x", "kept by the shell", 'f() { echo "f $1"; }'),
    ("an exported function", "bash -c 'f x'", "for children too",
        'f() { echo "f $1"; }; export -f f'),
    ("an alias", "hey", "off in a script, on at a prompt", "shopt -s expand_aliases",
        "alias hey='echo alias'"),
    ("umask", "umask; touch kept; stat -c %a kept; rm kept", "kept by the shell", "umask 027"),
    ("arguments", 'echo $# "$2"', "whoever wraps may have some", "set -- a 'b c' d"),
    ("the last word", "echo $_", "a question for $? changes it", "echo one two >/dev/null"),
    ("the last background process", "wait $!; echo $?", "kept by the shell",
        "{ (exit 9) & } 2>/dev/null"),
    ("a resource limit", "ulimit -c", "kept by the shell", "ulimit -c 0"),
    ("an open file", "echo three >&3; exec 3>&-; cat kept; rm kept", "kept by the shell",
        "exec 3>kept"),
    ("an open file that is read", "read -r x <&3; read -r y <&3; echo $y$x; exec 3<&-", "a place",
        "exec 3< <(echo a; echo b)"),
    ("output sent to a file", "echo lost; exec >&8 8>&-; cat kept; rm kept", "all of it",
        "exec 8>&1 >kept"),
    ("output in a file", "exec >&8 8>&-; cat kept; rm kept", "the marks of whoever wraps go there",
        "exec 8>&1 >kept", "echo one", "echo two"),
    ("errors sent to a file", "echo a; echo b >&2; exec 2>&9 9>&-; cat kept; rm kept", "only they",
        "exec 9>&2 2>kept"),
    ("errors sent nowhere", "echo a; echo b >&2", "the prompt goes there too", "exec 2>/dev/null"),
    ("closed errors", "echo a; (exit 3)", "the prompt goes there too", "exec 2>&-"),
    ("a read-only variable", "(x=2) 2>/dev/null; echo $? $x", "drops the line", "readonly x=1"),
    ("IFS", "x=a:b; printf '<%s>' $x", "splits the words of whoever wraps", "IFS=:"),
    ("IFS of digits", _HERE_AGAIN, "splits a status", "IFS=0123456789"),
    ("no IFS", "x='a b'; printf '<%s>' $x", "splits nothing", "IFS="),
    ("IFS unset", "x='a b'; printf '<%s>' $x", "splits as ever", "unset IFS"),
    ("PATH lost", "echo a; no-such-command 2>/dev/null; echo $?", "no program is found",
        "PATH=/nonexistent"),
    ("PATH unset", "echo a; echo [$PATH]", "no program is found", "unset PATH"),
    ("HOME unset", "cd 2>/dev/null; echo $? [$HOME]", "a prompt may show it", "unset HOME"),
    ("LANG changed", "printf '\\303\\274\\n'", "another encoding", "export LC_ALL=C LANG=C"),
    ("TERM changed", "echo $TERM; echo a", "programs ask it", "export TERM=dumb"),
    ("TERM unset", "echo [$TERM]; echo a", "programs ask it", "unset TERM"),
    ("COLUMNS changed", "printf '%0100d\\n' 0; echo $COLUMNS", "lines wrap elsewhere",
        "COLUMNS=20"),
    ("a directory that is gone", "echo a; cd ..; (exit 3)", "a prompt may show it",
        "mkdir gone; cd gone; rmdir ../gone"),
    ("nothing writable", "echo a; umask", "temporary files", "umask 777"),
    ("the shell's name for a command", "true; echo a", "a cache", "hash -r; hash true"),
    ("RANDOM seeded", "echo $((RANDOM == $(RANDOM=1; echo $RANDOM)))", "drawn by whoever wraps",
        "RANDOM=1"),
    ("SHELLOPTS exported", "bash -c 'echo a'", "for children too", "export SHELLOPTS"),
    ("everything unset", "echo a; (exit 3)", "nothing to rely on",
        "unset TERM HOME USER LOGNAME SHELL LANG LC_ALL MAIL PS1 PS2 PS4 PROMPT_COMMAND"),
)  # fmt: skip

_HOOKS = _in(
    "prompts",
    ("PS1", "echo a; (exit 3)", "whoever waits for the old one waits for ever", "PS1='mine> '"),
    ("PS1 of nothing", "echo a; (exit 3)", "nothing to wait for", "PS1="),
    ("PS1 unset", "echo a; (exit 3)", "nothing to wait for", "unset PS1"),
    ("PS1 of a newline", "echo a; (exit 3)", "two lines", "PS1=$'first\\nsecond$ '"),
    ("PS1 that runs a command", "echo $?", "runs before each answer", "PS1='$(false)$ '; false"),
    ("PS1 in colours", "echo a", "escape sequences", r"PS1='\[\033[1;32m\]\u\[\033[0m\]\$ '"),
    ("PS1 read-only", "echo a; (exit 3)", "it cannot be set again", "readonly PS1='$ '"),
    ("PS1 exported", "bash -c 'echo a'", "for children too", "export PS1='x$ '"),
    ("PS1 is what was set", 'echo "$PS1"', "virtual environments keep and restore it",
        "PS1='mine> '"),
    ("PS2", "echo 'a\nb'; cat <<E\nc\nE", "printed for each line of a command", "PS2='more> '"),
    ("PS2 is what was set", 'echo "$PS2"', "restored by whoever changed it", "PS2='more> '"),
    ("PS4", "(set -x; echo a) 2>&1", "printed by a trace", "PS4='trace: '"),
    ("PROMPT_COMMAND", "echo a; (exit 3)", "it may print", "PROMPT_COMMAND='echo prompt'"),
    ("PROMPT_COMMAND that fails", "echo $?", "runs before each prompt", "PROMPT_COMMAND='false'"),
    ("PROMPT_COMMAND as a list", "echo a", "bash 5.1 has it", "PROMPT_COMMAND=('echo a' 'echo b')"),
    ("PROMPT_COMMAND sets PS1", "echo a; (exit 3)", "as fancy prompts do",
        "PROMPT_COMMAND='PS1=\"$? new$ \"'"),
    ("a virtual environment", 'echo "[$VIRTUAL_ENV]"; PS1=$old; unset VIRTUAL_ENV; echo a',
        "it keeps PS1 and restores it", "old=$PS1; PS1=\"(env) $PS1\"; VIRTUAL_ENV=/env"),
)  # fmt: skip

_OPTIONS = _in(
    "options",
    ("set -u", 'echo "${nobody-none}"; (exit 3)', "an unset word of whoever wraps", "set -u"),
    ("set -u, and an unset one", "(echo $nobody) 2>/dev/null; [ $? -ne 0 ]; echo $?", "an error",
        "set -u"),
    ("set -e", "false || echo handled; ! true || :", "a status that is asked for", "set -e"),
    ("set -e in a condition", "if false; then :; else echo no; fi", "does not count", "set -e"),
    ("set -e, and a subshell", "(set +e; false; echo a)", "off again", "set -e"),
    ("set -eu", "echo a; set +eu; false", "both", "set -eu"),
    ("set -euo pipefail", "echo a | cat; set +eu; (exit 4) | true", "as in every script",
        "set -euo pipefail"),
    ("pipefail kept", "(exit 4) | true", "kept by the shell", "set -o pipefail"),
    ("set -f", "echo * '?'", "no globs", "set -f"),
    ("set -C", "echo a >kept; (echo b >kept) 2>/dev/null; echo $?; cat kept; rm kept",
        "no file is overwritten", "set -C"),
    ("set -a", "x=1; sh -c 'echo $x'", "every variable is exported", "set -a"),
    ("set -k", "sh -c 'echo $X' X=1", "assignments anywhere", "set -k"),
    ("set -x", "echo a; echo b >/dev/null", "a trace of whoever wraps", "set -x"),
    ("set -x into nothing", "echo a", "a trace elsewhere", "exec 7>/dev/null; BASH_XTRACEFD=7",
        "set -x"),
    ("set -v", "echo a", "what is read is shown", "set -v"),
    ("set -T", "echo a; (exit 3)", "traps in functions too", "set -T"),
    ("set -E", "echo a; (exit 3)", "traps in functions too", "set -E"),
    ("set -m", "sleep 0.1 | cat; echo a; (exit 3)", "job control", "set -m"),
    ("set -b", "echo a; (exit 3)", "jobs are told at once", "set -b"),
    ("set -h", "echo a; (exit 3)", "no cache", "set +h"),
    ("set +B", "echo {a,b}", "no braces", "set +B"),
    ("set -o posix", "echo a; (exit 3)", "other rules", "set -o posix"),
    ("set -o vi", "echo a; (exit 3)", "another line editor", "set -o vi"),
    ("set -o emacs", "echo a; (exit 3)", "another line editor", "set -o emacs"),
    ("set +o history", "echo a !!; (exit 3)", "no history", "set +o history"),
    ("set -o history", "echo a !!; (exit 3)", "a history", "set -o history"),
    ("set -o ignoreeof", "echo a; (exit 3)", "an end of input is ignored", "set -o ignoreeof"),
    ("expand_aliases off", "echo a; (exit 3)", "no aliases", "shopt -u expand_aliases"),
    ("extglob", "[[ aaa == +(a) ]]; echo $? @(x|y)", "another syntax", "shopt -s extglob"),
    ("nullglob", "echo /nonexistent/* [ab]", "words vanish", "shopt -s nullglob"),
    ("failglob", "echo a; echo '*'", "no match is an error", "shopt -s failglob"),
    ("nocasematch", "[[ A == a ]]; echo $?; case X in x) echo yes ;; esac", "in a case of ours too",
        "shopt -s nocasematch"),
    ("xpg_echo", r"echo 'a\tb'", "echo takes backslashes", "shopt -s xpg_echo"),
    ("promptvars off", "echo a; (exit 3)", "a prompt is literal", "shopt -u promptvars"),
    ("many at once", "echo a; (exit 3)", "all of them",
        "shopt -s nullglob failglob dotglob extglob nocasematch globstar; set -ufCa"),
)  # fmt: skip

_TRAPS = _in(
    "traps",
    ("DEBUG", "echo a", "runs for each command of whoever wraps", "trap 'echo debug' DEBUG"),
    ("DEBUG and a function", "f() { echo f; }; f; echo a", "once for each", "trap 'echo d' DEBUG"),
    ("ERR", "false", "runs for each command that fails", "trap 'echo error' ERR"),
    ("ERR and success", "true; echo a", "runs for nothing", "trap 'echo error' ERR"),
    ("ERR seen by the next", "echo $?", "the status is kept", "trap 'echo error' ERR", "(exit 5)"),
    ("RETURN", "f() { echo f; }; f", "functions have it only with -T", "trap 'echo r' RETURN"),
    ("EXIT not yet", "ls -N kept; trap - EXIT; rm kept", "runs where each has a shell of its own",
        "touch kept; trap 'rm kept' EXIT"),
    ("EXIT in a subshell", "(trap 'echo bye' EXIT; echo a)", "runs at its end"),
    ("EXIT with a status", "(trap 'exit 9' EXIT; exit 3)", "changes the status"),
    ("a signal", "kill -USR1 $$; echo a", "runs at once", "trap 'echo usr1' USR1"),
    ("a signal to a child", "sh -c 'kill -USR1 $PPID'; echo a", "from it", "trap 'echo usr1' USR1"),
    ("INT", "kill -INT $$; echo a", "that of Ctrl-C", "trap 'echo int' INT"),
    ("signals ignored", "kill -TERM $$; kill -HUP $$; kill -INT $$; echo a", "even HUP",
        "trap '' TERM HUP INT"),
    ("CHLD", "trap - CHLD; echo a", "at the end of each child", "trap 'x=1' CHLD", "/bin/true"),
    ("WINCH", "kill -WINCH $$; echo a", "a window of another size", "trap 'echo size' WINCH"),
    ("listed", "trap", "those of whoever wraps", "trap 'echo usr1' USR1"),
)  # fmt: skip

_NAMES = _in(
    "names taken",
    ("echo, a function", "echo a", "used by whoever wraps", f"echo() {{ {_EVIL}; }}"),
    ("printf, a function", "printf a; echo b", "used by whoever wraps", f"printf() {{ {_EVIL}; }}"),
    ("test, a function", "echo a; (exit 3)", "used by whoever wraps",
        "test() { return 1; }; [() { return 1; }"),
    ("true, a function", "false && echo a; (exit 3)", "used by whoever wraps",
        "true() { return 1; }; false() { return 0; }"),
    ("eval, a function", "echo a; (exit 3)", "used by whoever wraps", f"eval() {{ {_EVIL}; }}"),
    ("exit, a function", "exit 3; echo a", "used by whoever wraps", "exit() { echo \"not $1\"; }"),
    ("cd, a function", "cd /; [ / = \"$PWD\" ] || echo here", "as tools for directories do",
        "cd() { echo \"cd $1\"; }"),
    ("set and unset, functions", "echo a; (exit 3)", "used by whoever wraps",
        f"set() {{ {_EVIL}; }}; unset() {{ {_EVIL}; }}"),
    ("read, a function", "echo a; (exit 3)", "used by whoever wraps", f"read() {{ {_EVIL}; }}"),
    ("trap and return, functions", "echo a; (exit 3)", "used by whoever wraps",
        f"trap() {{ {_EVIL}; }}; return() {{ {_EVIL}; }}"),
    ("command, a function", "echo a; (exit 3)", "used by whoever wraps",
        f"command() {{ {_EVIL}; }}"),
    ("builtin, a function", "echo a; (exit 3)", "used by whoever wraps",
        "builtin() { echo evil; }"),
    ("a function there still", "command x; builtin y", "moved away by whoever wraps",
        "command() { echo mine \"$1\"; }; builtin() { echo mine \"$1\"; }"),
    ("a shadow cat", "cat nothing", "used by whoever wraps", "cat() { echo meow; }"),
    ("printf, an alias", "printf a; echo b", "used by whoever wraps", "shopt -s expand_aliases",
        "alias printf='echo evil'"),
    ("echo, an alias", "echo a", "used by whoever wraps", "shopt -s expand_aliases",
        "alias echo='echo evil'"),
    ("reserved words, aliases", "\\echo a; (exit 3)", "used by whoever wraps",
        "shopt -s expand_aliases", "alias if='echo evil' case='echo evil' eval='echo evil'"),
    ("printf switched off", "echo a; type -t printf", "a program then", "enable -n printf"),
    ("echo switched off", "echo a; type -t echo", "a program then", "enable -n echo"),
    ("what to do when not found", "no-such-command a; echo $?", "as distributions have",
        "command_not_found_handle() { echo \"no $1\"; return 9; }"),
)  # fmt: skip

_TERMINAL = _in(
    "terminal",
    ("no post-processing", r"printf 'a\nb\n'", "newlines alone", "stty -opost 2>/dev/null || :"),
    ("post-processing", r"printf 'a\nb\n'", "newlines become two",
        "stty opost onlcr 2>/dev/null || :"),
    ("echo on", "echo a; echo b", "what is typed comes back", "stty echo 2>/dev/null || :"),
    ("echo off", "echo a; echo b", "what is typed is not seen", "stty -echo 2>/dev/null || :"),
    ("raw", "echo a; (exit 3)", "Enter is no end of a line", "stty raw 2>/dev/null || :"),
    ("raw, a long line", "echo " + "x" * 9_000, "no limit, no end", "stty raw 2>/dev/null || :"),
    ("sane", "echo a; (exit 3)", "as tools leave it", "stty sane 2>/dev/null || :"),
    ("upper case", "echo a; (exit 3)", "every letter is changed", "stty olcuc 2>/dev/null || :"),
    ("no signals", "echo a; (exit 3)", "Ctrl-C is a character", "stty -isig 2>/dev/null || :"),
    ("other keys", "echo 'a x q e k'; (exit 3)", "letters are keys",
        "stty intr x quit q erase e kill k 2>/dev/null || :"),
    ("another size", "printf '%0100d\\n' 0", "lines wrap elsewhere",
        "stty cols 20 rows 5 2>/dev/null || :"),
    ("flow control", "printf 'a\\023b\\n'; echo c", "a stop that is only output",
        "stty ixon 2>/dev/null || :"),
    ("tput", "tput -T xterm bold 2>/dev/null; echo a; tput -T xterm sgr0 2>/dev/null", "escapes"),
    ("clear", "clear -T xterm 2>/dev/null; echo a", "a screen is emptied"),
    ("columns through a pipe", "touch b a c; ls | cat; rm a b c", "one name in a line"),
    ("ls in colours", "mkdir d; ls --color=always | cat; rmdir d", "escape sequences"),
    ("grep in colours", "echo abc | grep --color=always b", "escape sequences"),
    ("a title", r"printf '\033]0;a title\007text\n'", "sent with each prompt"),
    ("another screen and back", r"printf '\033[?1049h\033[Hhello\033[?1049l\n'", "as vi does"),
    ("another screen", r"printf '\033[?1049hhello'", "and never back"),
    ("a reset", r"printf '\033c\033[!p\033[?3;4l\033[4l\033>after\n'", "as reset does"),
    ("bracketed paste", r"printf '\033[?2004ha\033[?2004l\n'", "as readline does"),
    ("a mouse", r"printf '\033[?1000;1006ha\033[?1000;1006l\n'", "movements are typed"),
    ("scroll regions", r"printf '\033[2;5ra\n\033[rb\n'", "a part of the screen scrolls"),
    ("a hidden cursor", r"printf '\033[?25la\033[?25h\n'", "as progress bars do"),
    ("a progress bar", "for i in 1 2 3; do printf '\\r[%-3s]' $i; sleep 0.05; done; echo",
        "one line, often"),
    ("a spinner", r"for c in '|' / - '\'; do printf '%s\b' $c; done; echo", "backspaces"),
)  # fmt: skip

_READERS = _in(
    "readers",
    ("nothing to read", "cat </dev/null; echo a", "an end at once"),
    ("read from nothing", "read -r x </dev/null; echo $? [$x]", "a status of 1"),
    ("read a here-document", "read -r a b <<EOF\n1 2 3\nEOF\necho $b$a", "not the next command"),
    ("read until NUL", "read -r -d '' x <<EOF\na\n\nb\nEOF\necho $? \"$x\"", "more than a line"),
    ("read lines", 'while read -r x; do echo "<$x>"; done <<EOF\na\n  b\n\nc\nEOF', "each one"),
    (
        "a reader in a loop",
        "while read -r x; do echo $x; cat >/dev/null; done <<EOF\na\nb\nEOF",
        "as ssh does, which eats the rest",
    ),
    (
        "a reader in a loop, kept off",
        "while read -r x; do echo $x; cat </dev/null; done <<EOF\na\nb\nEOF",
        "as ssh -n",
    ),
    ("a shell that reads", "bash -s a b <<'EOF'\necho $# $1\nexit 5\nEOF", "commands of its own"),
    ("a shell that reads a pipe", "echo 'echo a; exit 6' | bash", "commands of its own"),
    ("mapfile", "mapfile -t m <<<$'a\\nb'; echo ${#m[@]} ${m[1]}; unset m", "all lines"),
    (
        "head leaves the rest",
        "printf 'a\\nb\\n' | { head -n 1; }; echo c",
        "what is not read is lost",
    ),
    ("select", "select x in a b; do echo $x; break; done <<<2 2>/dev/null", "a menu"),
    ("xargs", "printf 'a b\\nc\\n' | xargs -n 1 echo x", "a command for each"),
    ("tee", "echo a | tee /dev/stderr", "to both"),
    ("dd", "printf abcdef | dd bs=3 count=1 2>/dev/null; echo", "counts bytes"),
    ("sort", "sort -r <<<$'b\\nc\\na'", "only at the end of input"),
    ("awk", "echo 'a b c' | awk '{ print $3, $1; exit 4 }'", "dollars and quotes"),
    ("sed", r"echo a/b | sed -e 's/\//\\n/' -e 's/$/!/'", "backslashes and quotes"),
)

_JOBS = _in(
    "jobs",
    ("a child left behind", "(sleep 1 &); echo a", "it keeps the terminal open"),
    ("a job left behind", "{ sleep 1 & } 2>/dev/null; echo a", "it keeps the terminal open"),
    ("nohup", "{ nohup sleep 1 >/dev/null 2>&1 & } 2>/dev/null; echo a", "no hang-up"),
    ("disown", "{ sleep 1 & disown; } 2>/dev/null; jobs; echo a", "not a job any more"),
    ("setsid", "setsid -f sleep 0.5 </dev/null >/dev/null 2>&1; echo a", "no terminal at all"),
    ("a daemon", "( (sleep 0.5; :) </dev/null >/dev/null 2>&1 &); echo a", "on its own"),
    ("wait for all", "{ (sleep 0.1; echo late) & wait; } 2>/dev/null; echo $?", "in order"),
    ("wait for one", "{ (exit 7) & wait $!; } 2>/dev/null", "its status"),
    ("wait -n", "{ (exit 7) & wait -n; } 2>/dev/null; echo $?", "its status"),
    ("kill by number", "{ sleep 9 & kill %1; wait %1; } 2>/dev/null; echo $?", "128 and 15"),
    ("kill by process", "{ sleep 9 & kill -9 $!; wait $!; } 2>/dev/null; echo $?", "128 and 9"),
    ("a job that reads", "{ cat & wait; } 2>/dev/null </dev/null; echo $?", "from nothing"),
    ("the number of jobs", "{ sleep 1 & } 2>/dev/null; jobs -r | wc -l; kill $!; wait 2>/dev/null",
        "those of whoever wraps"),
    ("a job that ended before", "echo a; (exit 3)", "it is told before a prompt",
        "{ sleep 0.1 & } 2>/dev/null; sleep 0.2"),
    ("a job waited for later", "wait $job; echo $?", "kept by the shell",
        "{ (exit 6) & } 2>/dev/null; job=$!"),
    ("timeout", "timeout 0.2 sleep 9; echo $?", "124"),
)  # fmt: skip

CASES: tuple[Case, ...] = (
    *_OUTPUT,
    *_widths(),
    *_LOOKALIKES,
    *_prompts(),
    *_ORDER,
    *_statuses(),
    *_STATUSES,
    *_QUOTING,
    *_control_characters(),
    *_SYNTAX,
    *_ERRORS,
    *_READERS,
    *_JOBS,
    *_STATE,
    *_HOOKS,
    *_OPTIONS,
    *_TRAPS,
    *_NAMES,
    *_TERMINAL,
)
"""All of them, in the order in which the page shows them."""


def expected(case: Case) -> Expected:
    """Ask a real ``bash -c`` what *case* prints and with what status it ends.

    What is run before is a part of the same text. What that prints is found by running it alone,
    so that nothing has to be put between the two, which would be seen by traps and by ``$?``.
    """
    merged, _, status = _answer(case, apart=False)
    output, errors, _ = _answer(case, apart=True)
    return Expected(merged, output, errors, status, own_words=case.group == OWN_WORDS)


def _answer(case: Case, *, apart: bool) -> tuple[bytes, bytes, int]:
    printed: list[tuple[bytes, bytes, int]] = []
    for commands in (case.before, (*case.before, case.command)):
        with tempfile.TemporaryDirectory() as directory:
            printed.append(_bash("\n".join(commands), directory, apart=apart))
    (output_before, errors_before, _), (output, errors, status) = printed
    if not output.startswith(output_before) or not errors.startswith(errors_before):
        raise ValueError(f"{case.name}: what runs before does not print the same each time")
    return output[len(output_before) :], errors[len(errors_before) :], status


def hear_signals() -> None:
    """Take no signal as ignored because whoever started this ignores it, as nohup does."""
    # Python itself ignores those two, and has its children hear them.
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _bash(text: str, directory: str, *, apart: bool) -> tuple[bytes, bytes, int]:
    """Return what ``bash -c`` prints until it ends, whatever it leaves running."""
    output, errors = _Pipe(), _Pipe()
    program = shutil.which("bash") or "/bin/bash"
    process = subprocess.Popen(
        [program, "-c", text.encode("utf-8", "surrogateescape")],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=output.entry,
        stderr=errors.entry if apart else output.entry,
        start_new_session=True,
        preexec_fn=hear_signals,
    )
    try:
        status = process.wait(LIMIT)
    finally:
        with contextlib.suppress(ProcessLookupError):
            # What the case has left behind is in the group too.
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        told = output.close(), errors.close()
    return (*told, status if status >= 0 else 128 - status)


class _Pipe:
    """A pipe that is read until it is closed here, though others may have it open still."""

    def __init__(self) -> None:
        self._exit, self.entry = os.pipe()
        self._end = os.urandom(16)
        self._read = bytearray()
        self._reader = threading.Thread(target=self._take)
        self._reader.start()

    def _take(self) -> None:
        seen = 0
        while self._end not in self._read[seen:]:
            seen = max(0, len(self._read) - len(self._end))
            self._read += os.read(self._exit, 65_536)

    def close(self) -> bytes:
        """Return all that was written before."""
        os.write(self.entry, self._end)
        self._reader.join()
        os.close(self.entry)
        os.close(self._exit)
        return bytes(self._read.partition(self._end)[0])


def judge(answer: Answer, expected: Expected) -> Verdict:
    """Say whether *answer* is what bash says.

    Where standard error was told apart, both are compared on their own, and else all of it in the
    order written. "line ends" is what terminals and those who strip do by design: a carriage return
    in front of every newline, or one newline at the very end that is missing or too many.
    """
    verdict: Verdict = "right"
    if expected.own_words:
        if not answer.output and not answer.errors:
            return "wrong output"
        fails = answer.status is None or (answer.status == 0) == (expected.status == 0)
        if not fails:
            return "wrong status"
    elif answer.errors is None:
        verdict = _compared(answer.output, expected.merged)
    else:
        verdicts = (
            _compared(answer.output, expected.output),
            _compared(answer.errors, expected.errors),
        )
        worst: tuple[Verdict, ...] = ("wrong output", "line ends", "right")
        verdict = next(one for one in worst if one in verdicts)
    if verdict == "wrong output":
        return verdict
    if answer.status is None:
        return "no status"
    if not expected.own_words and answer.status != expected.status:
        return "wrong status"
    return verdict


def _compared(told: bytes, right: bytes) -> Verdict:
    if told == right:
        return "right"
    for newline in (b"\n", b"\r\n"):
        lines = right.replace(b"\n", newline)
        if told in (lines, lines + newline) or told + newline == lines:
            return "line ends"
    return "wrong output"
