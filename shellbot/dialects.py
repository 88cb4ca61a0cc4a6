"""The table of shells. To add one, add a row: ``docs/adding-a-shell.md`` walks through it.

What a row types into its shell is written with ``KEY``, ``NUMBER`` and ``COMMAND`` where the
marks' key, the frame's number and the quoted command go. See :mod:`shellbot.frames` for the marks.
"""

from __future__ import annotations

import copy
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence

from . import frames
from .errors import UnknownNameError, UsageError

# What every shell of the Bourne family is told. __sb0 begins a command, __sb1 ends it, and __sb2
# ends it where the text of the eval could not be parsed, so that __sb1 in it was never reached.
#
# * A mark goes to the terminal itself, wherever the command has sent the shell's own output.
# * The prompt is a mark only while a command runs: nobody else is shown it. It is set in a way
#   that survives a read-only PS1.
# * __sb1 keeps the status, and what `$_` was, for the next __sb0 to give back. Not so under
#   `set -e`, where a status other than 0 would end the shell.
_SETUP = r"""
set +m
PS1= PS2= __sb_s=0
__sb0() { FREE; SHOW_PROMPT; START >/dev/tty; RETURN "$__sb_s"; }
__sb1() { __sb_s=$? __sb_u=$2 __sb_d=$1; FREE; END >/dev/tty; HIDE_PROMPT; TIDY RETURN 0; }
__sb2() { case $__sb_d in "$1");; *) QUIETLY;; esac; }
"""

# `&& :` is for a status other than 0, which is given back without ending the shell (set -e) or
# setting off an ERR trap: as part of a list it is exempt (POSIX XCU 2.8.1, 2.15 set -e).
#
# With its output closed, a call shows nothing but its mark: no trace (set -x), nothing that a
# DEBUG or ERR trap prints, nothing from a function of the user's that is called like our words.
_BEGIN = rb"""\__sb0 NUMBER "${__sb_u-}" """
_BEGIN_AFTER_FAILURE = rb"""\__sb0 NUMBER "${__sb_u-}" && : """
_FINISH = rb"""\__sb1 NUMBER "${_-}" """
_FINISH_ANYWAY = rb"""\__sb2 NUMBER"""


class Dialect:
    """A shell that a session can speak with: one row of the table."""

    def __init__(
        self,
        name: str,
        *,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        guard: str = "command",
        start: str = r"""GUARD printf '\036KEY;%s<' "$1" """,
        end: str = r"""GUARD printf '\036KEY;%s%s>' "$1" "$__sb_s" """,
        show_prompt: str = """GUARD eval 'PS1="\x1eKEY;$1:\\$?>"'""",
        hide_prompt: str = "GUARD eval PS1=",
        quietly: str = "{ CALL; } >&- 2>&-",
        setup: str = "",
        tidy: str = "",
        rescue: str = "",
        calm: str = "",
        programs: Sequence[str] = (),
    ) -> None:
        self.name = name
        """What it is called, in :func:`named` and in messages."""
        self.arguments = tuple(arguments)
        """What it is started with: interactive, no rc files, no line editor."""
        self.environment = dict(environment or {})
        """What its environment needs at the start, so that it reads no rc file."""
        self.calm = calm.encode()
        """What to type after the terminal's modes had to be put back, if anything."""
        self.programs = (name, *programs)
        """The names of the programs that are this shell."""
        self.within: str | None = None
        """The shell in which this one was started, where that is another one."""
        self._rescue = rescue
        self._evaluate = f" \\{guard} eval ".encode()
        self._begin, self._begin_after_failure, self._finish = (
            quietly.encode().replace(b"CALL", call)
            for call in (_BEGIN, _BEGIN_AFTER_FAILURE, _FINISH)
        )
        self._set_up = setup + _SETUP
        for word, text in (
            ("START", start),
            ("END", end),
            ("TIDY", tidy),
            ("SHOW_PROMPT", show_prompt),
            ("HIDE_PROMPT", hide_prompt),
            ("RETURN", r"\builtin return" if guard == "builtin" else r"\return"),
            ("FREE", rf"! \unset -f {guard}"),
            ("QUIETLY", quietly.replace("CALL", r'\__sb1 "$1" "$__sb_u"')),
            ("GUARD", f"\\{guard}"),
        ):
            self._set_up = self._set_up.replace(word, text)

    def set_up(self, key: str) -> bytes:
        """Return what to type once, at the start."""
        return frames.typed(self._set_up.replace("KEY", key).encode())

    def rescue(self, key: str) -> bytes:
        """Return what to type when our words no longer work in the shell."""
        return f" {self._rescue}\n".encode() + self.set_up(key)

    def frame(self, number: int, command: bytes, *, after_failure: bool) -> bytes:
        """Return *command* as frame *number*: one logical line, to be typed."""
        begin = self._begin_after_failure if after_failure else self._begin
        inside = begin.replace(b"NUMBER", b"%d" % number) + b"\n" + command
        if not frames.is_open_ended(command):
            inside += b"\n" + self._finish.replace(b"NUMBER", b"%d=" % number)
        anyway = _FINISH_ANYWAY.replace(b"NUMBER", b"%d=" % number)
        return frames.typed(self._evaluate + frames.quoted(inside) + b"; " + anyway + b"\n")

    def question(self, number: int) -> bytes:
        """Return what asks a shell at its prompt how frame *number* ended."""
        return b" " + self._finish.replace(b"NUMBER", b"%d." % number) + b"\n"

    def __str__(self) -> str:
        return self.name if self.within is None else f"{self.name} inside {self.within}"

    def __repr__(self) -> str:
        return f"<Dialect {self}>"


_LEAVE_EDITOR = "[[ -o vi || -o emacs ]] && GUARD set +o vi +o emacs;"

TABLE = (
    Dialect(
        "bash",
        arguments=("--noprofile", "--norc", "--noediting", "-i"),
        guard="builtin",
        show_prompt=r"""GUARD printf -v PS1 %s "\036KEY;$1:\$?>" """,
        hide_prompt=r"""GUARD printf -v PS1 '' """,
        setup="set +H +o history\n",
        tidy=_LEAVE_EDITOR,
        # POSIX mode finds special built-ins before functions, and an assignment switches it on.
        rescue=r"POSIXLY_CORRECT=1; \unset -f unset builtin; \unset POSIXLY_CORRECT",
    ),
    Dialect("dash", arguments=("-i",), environment={"ENV": ""}),
    Dialect(
        "ash",
        arguments=("-i",),
        environment={"ENV": ""},
        # Its line editor stands aside while echo is off, but where a command has switched echo
        # on, the editor has the old modes saved by now and would put them back.
        calm=" stty -echo -opost -ixon -icrnl\n",
        programs=("busybox",),
    ),
    Dialect(
        "zsh",
        arguments=("-f", "-i", "+Z"),
        guard="builtin",
        # It reports that a built-in's output is closed, on the standard error it had before.
        quietly="CALL >/dev/null 2>&1",
        setup="unsetopt prompt_sp prompt_cr bang_hist; setopt prompt_subst interactive_comments\n",
        tidy="[[ -o zle ]] && GUARD unsetopt zle;",
        rescue=r"\unfunction unset builtin",
    ),
    Dialect(
        "ksh93",
        # With echo off its emacs editor stands aside; with any other, or with none, it loses
        # what follows a newline in a quoted word (93u+m 1.0.4).
        arguments=("-i", "+E", "-o", "emacs"),
        environment={"ENV": "", "HISTFILE": "/dev/null"},
        quietly="CALL >/dev/null 2>&1",
        programs=("ksh", "ksh93u+m"),
        tidy="[[ -o emacs ]] || set -o emacs;",
    ),
    Dialect(
        "mksh",
        arguments=("-i", "+o", "emacs"),
        environment={"ENV": "/dev/null"},
        guard="builtin",
        start=r"""GUARD print -n -- "\0036KEY;$1<" """,
        end=r"""GUARD print -n -- "\0036KEY;$1$__sb_s>" """,
        show_prompt="""GUARD typeset -g PS1="\x1eKEY;$1:\\$?>" """,
        hide_prompt="GUARD typeset -g PS1=",
        # It traces redirections, and it traces them where standard error pointed before.
        quietly="CALL",
        setup="set +o inherit-xtrace\n",
        tidy=_LEAVE_EDITOR,
    ),
)

# Shells of another family. They read their own rc files and then make way, with their directory
# and environment, for bash or else sh.
OTHERS = {
    "fish": ("-c",),
    "tcsh": ("-c",),
    "csh": ("-c",),
    "xonsh": ("-c",),
    "yash": ("-c",),
}


class Program:
    """What to start for a session, and how to speak with it."""

    def __init__(self, dialect: Dialect, arguments: Sequence[str]) -> None:
        self.dialect = dialect
        self.arguments = tuple(arguments)


def program(shell: str) -> Program:
    """Return what to start for *shell*: a name from the table, or the path of such a program.

    Raises :class:`UnknownNameError` for a name that is in no table, and :class:`UsageError` for a
    command line.
    """
    words = shell.split()
    name = os.path.basename(words[0]) if words else ""
    if name == "busybox" and words[1:] in ([], ["ash"], ["sh"]):
        return Program(_row("ash"), (words[0], "ash", *_row("ash").arguments))
    if len(words) != 1:
        raise UsageError(f"name one shell, not {shell!r}: what it is started with is in the table")
    found = shutil.which(words[0])
    for candidate in (name, os.path.basename(os.path.realpath(found)) if found else name):
        if candidate in OTHERS:
            return _inside(words[0], candidate)
        for row in TABLE:
            if candidate in row.programs:
                return Program(row, _command(row, words[0], found))
    raise UnknownNameError("shell", shell, (*(row.name for row in TABLE), *OTHERS))


def _row(name: str) -> Dialect:
    return next(row for row in TABLE if row.name == name)


def _command(row: Dialect, given: str, found: str | None) -> tuple[str, ...]:
    if not found and row.name == "ash":
        # Debian's busybox brings no link of that name.
        return ("busybox", "ash", *row.arguments)
    return (given, *row.arguments)


def _inside(given: str, name: str) -> Program:
    inner = program("bash" if shutil.which("bash") else "sh")
    dialect = copy.copy(inner.dialect)
    dialect.within = name
    settings = [f"{key}={value}" for key, value in dialect.environment.items()]
    command = shlex.join(["exec", "env", *settings, *inner.arguments])
    return Program(dialect, (given, *OTHERS[name], command))
