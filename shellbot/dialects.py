"""The table of shells. To add one, add a row: ``docs/adding-a-shell.md`` walks through it.

What is typed into a shell is written here with words in capitals, such as ``GUARD`` or ``PROMPT``,
where a row differs from the others; ``KEY`` is the key of the marks that :mod:`shellbot.frames`
describes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from . import frames
from .errors import UnknownNameError, UsageError
from .processes import executable
from .text import quote

# What every shell of the Bourne family is told, once. __sb0 begins a command, or __sb3 where the
# one before it failed; __sb1 ends it; __sb2 ends it where the text could not even be parsed, so
# that the __sb1 in it was never reached; __sb4 ends what is no command of the user's; __sb5 tells
# the standard error that was kept apart in a file, with __sb6; __sb7 forgets a command's input.
#
# * A mark goes where the shell reads its commands from, which is the terminal wherever a command
#   has sent the shell's own output, and else to /dev/tty.
# * The prompt prints a mark, and only while a command runs. It is set in a way that a read-only
#   PS1 does not stop.
# * __sb1 keeps the status, and what `$_` was, for the next command to find.
_SETUP = r"""
set +m
PS1= PS2= __sb_s=0 __sb_u= __sb_d=
__sb0() { __sb_n=$1; SHOW_PROMPT; PRINT_START_0; }
__sb3() { __sb_n=$1; SHOW_PROMPT; PRINT_START_3; RETURN "$__sb_s"; }
__sb1() { __sb_s=$? __sb_u=$2; FREE; PRINT_END_3 && HIDE_PROMPT; __sb_d=$1; TIDY RETURN 1; }
__sb2() { case $__sb_d in "$1");; *) FINISH;; esac; }
__sb4() { \__sb1 "$1" "$__sb_u"; case $__sb_s in 0) __sb_s=$2;; esac; RETURN 1; }
__sb5() { __sb_s=$?; END >/dev/tty; \__sb6 >/dev/tty; RETURN "$__sb_s"; }
__sb7() { __sb_s=$?; \unset __sb_i; RETURN "$__sb_s"; }
__sb6() { PROGRAM cat -- "$__sb_f" && PROGRAM rm -f -- "$__sb_f"; }
"""

# What takes in the input of the command that comes next, which is typed in a form that any
# terminal hands over and any shell can keep: `%b` gives the bytes back, NUL included.
_TAKE_INPUT = r"__sb_i=$(PROGRAM tr -d '\n#' </dev/tty)"
_POUR = r"""GUARD printf %b "$__sb_i" """
# Where the shell further out might be there for the rest of it, so many lines are taken and no
# Ctrl-D, and a command that is as long as to arrive in parts is typed in that form as well.
_TAKE_LINES = r"VARIABLE=BEFORE$(PROGRAM head -n LINES </dev/tty | PROGRAM tr -d '\n#,')"
_COMMAND_TAKEN = """
__sb_c=$(POUR_COMMAND)"""
_TAKEN = r"""GUARD eval "$__sb_c"
"""
_TAKEN_ONLY = r"""GUARD eval "case . in x)
$__sb_c
;;
esac" """
# A shell without process substitution runs the command in a subshell, as the end of a pipeline.
# What pours is not to be killed by a command that does not read it all: pipefail would tell.
_FEED = r"""({ GUARD set +x; GUARD trap '' PIPE; POUR
} 2>/dev/null || GUARD :) | GUARD eval 'COMMAND'
\__sb7 && :"""
_FEED_BY_SUBSTITUTION = r"""GUARD eval 'COMMAND' < <({ GUARD set +x; POUR; } 2>/dev/null)
\__sb7 && :"""

# Standard error goes to a file that only the user may read, and is shown behind the command's own
# output. The command finds the status and the last word of the one before it.
_SPLIT = r"""if { PLACE(GUARD umask 077; GUARD : >"$__sb_f")
} 2>/dev/null; then
{ GUARD : "$__sb_u"; (GUARD exit "$__sb_s") && GUARD : "$__sb_u"
} 2>/dev/null
{ GUARD eval 'COMMAND'
} 2>>"$__sb_f"
{ \__sb5 NUMBER,
} 2>/dev/null && :
fi"""

# `&& :` gives a status other than 0 back without ending the shell or setting off an ERR trap:
# inside a list it is exempt from both, and so is a pipeline with `!` (POSIX XCU 2.15, set -e). The
# `!` also keeps the last line from being the body of an unfinished `for i in 1 2` (bash).
_BEGIN = r"""\__sb0 %d "$__sb_u" """
_BEGIN_AFTER_FAILURE = r"""\__sb3 %d "$__sb_u" """
_FINISH = r"""\__sb1 %d%b LAST_WORD"""
_FINISH_ASIDE = r"""\__sb4 %d= "$__sb_s" """

# A job in the background: a process group of its own, so that Ctrl-C does not reach it and a kill
# reaches all of it; a directory for what it prints and its status, which it removes itself if
# the session is gone by then.
_PLACE = r"""__sb_f=${TMPDIR:-/tmp}/.shellbot-NAME
case $__sb_f in /*) ;; *) __sb_f=$PWD/$__sb_f;; esac
"""
_JOB = r"""PROGRAM mkdir -m 700 -- "$__sb_f" >/dev/tty 2>&1 &&
(GUARD umask 077; GUARD : >"$__sb_f/out") >/dev/tty 2>&1 && {
case $- in *e*) __sb_e=-e;; *) __sb_e=+e;; esac
LAUNCH
} 2>/dev/null"""
_LAUNCH = r"""GUARD set -m
(RUN_JOB) </dev/null >/dev/null 2>&1 &
__sb_e=$!
GUARD set +m
TELL_JOB"""
# Signals are ignored around the command, and not caught: where Ctrl-C was pressed earlier, a trap
# that runs makes the status 0 (mksh R59). `on` tells that from then on a signal reaches it.
_RUN_JOB = r"""GUARD trap '' TERM HUP INT QUIT
GUARD set +me
(GUARD trap - TERM HUP INT QUIT; GUARD : 9>"$__sb_f/on"; GUARD set $__sb_e; GUARD eval 'COMMAND') \
>>"$__sb_f/out" 2>&1
__sb_e=$?
GUARD umask 077
if GUARD kill -0 $$; then PROGRAM printf '%s\n' "$__sb_e" >"$__sb_f/s"
PROGRAM mv -- "$__sb_f/s" "$__sb_f/status"
else PROGRAM rm -rf -- "$__sb_f"
fi
"""
# What is told stands between marks, as `set -x` may print something before and behind it.
_TELL_JOB = r"""PROGRAM printf '\036[%s %s\036]' "$__sb_e" "$__sb_f" >/dev/tty"""
# Ctrl-C is how a wait ends that takes too long, and under set -e may end the shell (mksh R59).
_JOB_AWAITED = r"""case $- in *e*) __sb_r=-e; GUARD set +e;; esac
until GUARD [ -e DIRECTORY/FILE ] || ! GUARD kill -0 PID; do
AWAIT
done 2>/dev/null
NO_MORE"""
_NO_LONGER_AWAITED = 'GUARD set "${__sb_r:-+e}"; __sb_r='
_AWAIT = r"GUARD wait PID || ! GUARD kill -0 PID || PROGRAM sleep 1"
_AWAIT_BEGUN = "PROGRAM sleep 0.1 || PROGRAM sleep 1"
_JOB_TOLD = r"""__sb_e=
if GUARD [ -e DIRECTORY/status ] || GUARD kill -0 PID; then GUARD :
else GUARD wait PID && __sb_e=0 || __sb_e=$?
fi 2>/dev/null
(GUARD set +exv
{
PROGRAM printf '\036['
PROGRAM cat DIRECTORY/status 2>/dev/null || PROGRAM printf "${__sb_e:+gone }${__sb_e:-running}\n"
PROGRAM tail -c +FIRST -- DIRECTORY/out 2>&1 && PROGRAM printf '\036]'
} >/dev/tty) 2>/dev/null || GUARD :"""

# What the session relies on: see shellbot.terminal.
MODES = "sane -echo -echonl -opost -ixon -ixoff -icrnl -inlcr -igncr -istrip"
# Put a terminal's modes back that cannot be seen from here, and tell whether that changed any.
_HOLD_MODES = r"""{ __sb_e=$(PROGRAM stty -g); PROGRAM stty MODES
case $(PROGRAM stty -g) in "$__sb_e") ;; *) PROGRAM printf '\036!' ;; esac
} </dev/tty >/dev/tty 2>/dev/null || GUARD :"""

# A program that makes a process group of its own, as shells do, need not give the terminal back:
# with job control the shell takes it back, and without that it would read the end of its input.
_LOGIN = r"""case $- in *m*) __sb_m=;; *) __sb_m=1; GUARD set -m;; esac 2>/dev/null
GUARD eval 'COMMAND'"""
_LOGIN_OVER = r"""case $__sb_m in 1) GUARD set +m;; esac; __sb_m="""

# A person has the shell. What is told of that stands between RS KEY [ and RS ]: the prompt, with
# the status, the options and the directory; what begins to run; the prompt for more of a line;
# that somebody wants to leave, which needs our prompt, whatever has become of it. __sbd waits for a
# newline, so that the terminal can be changed meanwhile: nobody's editor reads then, and the shell
# does not hear of another size: SIGWINCH kills ksh93 where its editor stands aside (1.0.4).
#
# An error in an expansion has a shell drop the rest of the line and stay (POSIX XCU 2.8.1). In a
# subshell, where its parent is not the shell's own, exit is exit.
#
# Where the script has sent the shell's own output elsewhere (`exec 2>log`), the person would see
# no prompt. __sbe lends those descriptors to the terminal, and __sbf puts them back.
_PAUSE = r"""
__sb_o=$- __sb_x=${TERM-} __sb_g= __sb_e= __sb_h= __sb_w1= __sb_w2= __sb_a= __sb_b=
__sb8() { PROGRAM printf '\036KEY[:%s\t%s\t%s\036]' "$1" "$-" "$PWD" >/dev/tty; }
__sb9() { PROGRAM printf '\036KEY[%s\036]' "$1" >/dev/tty; }
__sba() {
case $(GUARD exec /bin/sh -c 'echo $PPID') in $$) ;; *) GUARD exit "$@";; esac
\__sb9 - "$__sb_s"
case $- in *e*) __sb_o=e$__sb_o; GUARD set +e;; esac
\__sbh
{ GUARD : "${__sb_leave:?}"; } 2>/dev/null
}
__sbb() {
\__sbe
GUARD set -m +e -o ignoreeof
\__sbd
for __sb_e in PAGERS; do
GUARD eval "case \${$__sb_e-} in cat) GUARD unset $__sb_e; __sb_g=\"\$__sb_g $__sb_e \";; esac"
done
GUARD export TERM=PAUSE_TERM
__sb_a=$(GUARD alias exit) __sb_b=$(GUARD alias logout)
GUARD alias exit=__sba logout=__sba
\__sbh
case ${PS1-} in "$__sb_h") ;; *) \__sb8 0;; esac
PAUSE_MODES
}
__sbh() {
__sb_h='$(\__sb8 "$?")PAUSE_LOOK'
SET_PROMPT || GUARD :
PS2='$(\__sb9 ">")> '
}
__sbd() {
\__sb9 =
PROGRAM head -n 1 </dev/tty >/dev/null
}
__sbe() {
for __sb_e in 1 2; do
GUARD [ -t "$__sb_e" ] || for __sb_h in 9 8 7 6 5 4 3; do
(GUARD eval ": >&$__sb_h") 2>/dev/null || {
GUARD eval "\\exec $__sb_h>&$__sb_e $__sb_e>/dev/tty; __sb_w$__sb_e=$__sb_h"
GUARD break
}
done
done
}
__sbf() {
for __sb_e in "1 $__sb_w1" "2 $__sb_w2"; do
case $__sb_e in *\ ) GUARD continue;; esac
__sb_h=${__sb_e#* } __sb_e=${__sb_e% *}
if GUARD [ -t "$__sb_e" ]; then GUARD eval "\\exec $__sb_e>&$__sb_h"; fi
GUARD eval "\\exec $__sb_h>&-"
done
}
__sbg() {
case $(GUARD alias "$1") in *__sba*) GUARD unalias "$1" ;; *) RETURN 0 ;; esac
case $2 in alias\ *) GUARD eval "\\$2" ;; ?*) GUARD eval "\\alias $2" ;; esac
}
__sbc() {
GUARD set +o ignoreeof
HIDE_PROMPT
PS2=
\__sbg exit "$__sb_a"
\__sbg logout "$__sb_b"
for __sb_e in PAGERS; do
GUARD eval "case \$__sb_g in *\" $__sb_e \"*) GUARD export $__sb_e=\"\${$__sb_e-cat}\";; esac"
done
case $TERM in PAUSE_TERM) TERM=$__sb_x;; esac
HOLD
\__sbf
case $__sb_o in *m*) ;; *) GUARD set +m;; esac
case $__sb_o in *e*) GUARD set -e;; esac
RETURN "$1"
}
"""

# A person has the terminal for one program. What runs it is kept in a variable, as a line that is
# typed may not be longer than 4095 bytes, and a second one would go to the program.
_LEND = r"""__sb_i=COMMAND __sb_h=LENT
__sb_x=${TERM-}
GUARD export TERM=PAUSE_TERM
FAR_MODES"""
# The mark tells the command's output from what shows the typed line, which a shell's own editor may
# do more than once.
_RUN_LENT = r""" GUARD echo "$__sb_h" >/dev/tty; (GUARD exit "$__sb_s") && :; GUARD eval "$__sb_i"
"""
_LENT = r"""__sb_i=
case $TERM in PAUSE_TERM) TERM=$__sb_x;; esac
NEAR_MODES"""

_EXIT = "GUARD WORD 'GUARD exit 0; GUARD exit 0'"
_HANG_UP = "GUARD WORD 'GUARD kill -HUP $$'"


def _filled_in(template: str, words: Iterable[tuple[str, str]]) -> str:
    for word, text in words:
        template = template.replace(word, text)
    return template


# As a command and not as text, so that it reaches the terminal wherever standard error goes.
_PROMPT = r"""$(GUARD printf "\036KEY;%s:%s>" "$__sb_n" "$?" >/dev/tty)"""


class Dialect:
    """A shell that a session can speak with: one row of the table."""

    def __init__(
        self,
        name: str,
        *,
        programs: Sequence[str] = (),
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        guard: str = "command",
        start: str = r"""GUARD printf '\036KEY;%s<' "$1" """,
        end: str = r"""GUARD printf '\036KEY;%s%sLAST' "$1" "$__sb_s" """,
        prompt: str = _PROMPT,
        show_prompt: str = r"GUARD eval PS1=\''PROMPT'\'",
        hide_prompt: str = "GUARD eval PS1=",
        set_prompt: str = "GUARD eval 'PS1=$__sb_h' 2>/dev/null",
        printed: str = "MARK >&FD || MARK >/dev/tty",
        last_word: str = '"$_"',
        gap: str = "",
        parses_ahead: bool = False,
        runner: str = "",
        quietly: str = "{ CALL; } 3>&0 >&- 2>&-",
        pour: str = _POUR,
        feed: str = _FEED,
        launch: str = _LAUNCH,
        wait: str = _AWAIT,
        setup: str = "",
        tidy: str = "",
        rescue: str = "",
        settle: str = "",
        abandon: str = "",
        calm: str = "",
        not_in_eval: str | None = None,
        leave: str = "",
        prompts: str = "",
        editor: str = "",
        invisible: tuple[str, str] = ("", ""),
        prompt_start: str = "",
        directory: str = "$PWD",
        hand_over: str = "",
        take_back: str = "",
        tells_start: bool = False,
        resizes: bool = True,
        drop_line: bytes = b"",
        hangs_if_interrupted: bool = False,
        hangs_in_library: bool = False,
    ) -> None:
        self.name = name
        """What it is called, in :func:`program` and in messages."""
        self.programs = (name, *programs)
        """The names of the programs that are this shell."""
        self.arguments = tuple(arguments)
        """What it is started with: interactive, no rc files, no line editor."""
        self.environment = dict(environment or {})
        """What its environment needs at the start, so that it reads no rc file."""
        self.calm = calm.encode()
        """What to type after the terminal's modes had to be put back, if anything."""
        self.settle = settle.encode()
        """What to run after a command was stopped by force, if anything."""
        self.runner = runner.encode()
        """What goes before a word that may be unknown, if that would end the whole line."""
        self.abandon = abandon.encode()
        """What to type to have a half-read line dropped, if Ctrl-C does not do that."""
        self._words = (
            ("FINISH", "! " + quietly.replace("CALL", r'\__sb1 "$1" "$__sb_u"') + " "),
            ("PRINT_START_0", printed.replace("MARK", start).replace("FD", "0")),
            ("PRINT_START_3", printed.replace("MARK", start).replace("FD", "3")),
            ("PRINT_END_3", printed.replace("MARK", end).replace("FD", "3")),
            ("START", start),
            ("END", end.replace("LAST", ">")),
            ("TIDY", tidy),
            ("SHOW_PROMPT", show_prompt),
            ("HIDE_PROMPT", hide_prompt),
            ("SET_PROMPT", set_prompt),
            ("PROMPT", prompt),
            ("RETURN", r"\builtin return" if guard == "builtin" else r"\return"),
            ("FREE", rf"! \unset -f {guard}"),
            ("POUR", pour),
            ("LAUNCH", launch),
            ("AWAIT", wait),
            ("NO_MORE", _NO_LONGER_AWAITED),
            ("RUN_JOB", _RUN_JOB),
            ("TELL_JOB", _TELL_JOB),
            ("PROGRAM", r"GUARD command -p"),
            ("GUARD", f"\\{guard}"),
        )
        self._own_setup = setup
        self._own_rescue = rescue
        begins = _BEGIN, quietly.replace("CALL", _BEGIN_AFTER_FAILURE) + " && :"
        self._begin, self._begin_after_failure = (one.encode() for one in begins)
        # bash takes the first word behind an unclosed quote for no reserved one, such as a brace.
        self._first_word = f"\\{guard} :; ".encode()
        finish = "! " + quietly.replace("CALL", _FINISH.replace("LAST_WORD", last_word))
        self._finish = finish.encode()
        # Our own words hold no quote, so they can stand inside the quoted word as they are.
        # Filled in at once, as one is typed for each command; the second is for after a failure.
        self._lines = tuple(
            f" \\{guard} %b '{begin}\n%b\n{gap}{finish}'; \\__sb2 %d=\n".encode()
            for begin in begins
        )
        self._open_lines = tuple(
            f" \\{guard} %b '{begin}\n%b'; {finish}\n".encode() for begin in begins
        )
        aside = quietly.replace("CALL", _FINISH_ASIDE)
        # Where the word means nothing, not even the start is told.
        self._aside = f" \\{guard} %b '\\__sb0 %d \"\"'; \\{guard} %b '%b'; ! {aside}\n".encode()
        self.forget_taken = b"__sb_c="
        """What to run once what was taken in as a command has ended."""
        self.tell_errors = rb"\__sb6 >/dev/tty"
        """What to run to be told the standard error of a command that was cut short."""
        self._pour = pour
        self._own_feed = feed
        self._own_hide_prompt = hide_prompt
        self._parses_ahead = parses_ahead
        self._not_in_eval = not_in_eval
        self._leave = leave.encode()
        self._prompts = prompts.encode()
        self._editor = editor.encode() or self._prompts
        self._own_hand_over, self._own_take_back = hand_over, take_back
        self.put_back = rb"\__sbc 0"
        """What to run for the shell to be as before a pause that has not come to its end."""
        self.tells_start = tells_start
        """Whether it tells a person's command as that begins."""
        self.drop_line = drop_line
        """What to type for a half-typed line to be dropped under set -e, if not Ctrl-C."""
        self.resizes = resizes
        """Whether it bears another size of the terminal while it stands at our own prompt."""
        self.hangs_if_interrupted = hangs_if_interrupted
        """Whether Ctrl-C may hang it in the moment after it has started a program."""
        self.hangs_in_library = hangs_in_library
        """Whether Ctrl-C may hang it in a function of the C library."""
        self._invisible = invisible
        self._prompt_start = prompt_start
        self._directory = directory

    def _filled(self, template: str) -> str:
        return _filled_in(template, self._words)

    def set_up(self, key: str, *, shows_modes: bool = False) -> bytes:
        """Return what to type once, at the start; the end mark *shows_modes*, if so."""
        setup = f"__sb_{key[:9]}=eval\n{self._setup}"
        hold = ""
        if shows_modes:
            modes = MODES.replace("sane", "icanon isig iexten")
            hold = self._filled(f"PROGRAM stty {modes} </dev/tty >/dev/null 2>&1;")
        words = (("KEY", key), ("LAST", r"\n" if shows_modes else ">"), ("HOLD", hold))
        return frames.typed(_filled_in(setup, words).encode())

    @cached_property
    def _setup(self) -> str:
        return self._filled(_SETUP + self._own_setup)

    def rescue(self, key: str, *, shows_modes: bool = False) -> bytes:
        """Return what to type where our words no longer work."""
        rescue = f" {self._filled(self._own_rescue)}\n".encode()
        return rescue + self.set_up(key, shows_modes=shows_modes)

    def frame(
        self, number: int, command: bytes, *, after_failure: bool, word: bytes = b"eval"
    ) -> bytes:
        """Return *command* as frame *number*: one logical line, to be typed.

        *word* is what runs it: ``eval``, or what stands for that in one shell only.
        """
        if self.runs_outside_eval(command):
            begin = (self._begin_after_failure if after_failure else self._begin) % number
            # No prompt between its lines: the end is on the last of them.
            opening = begin + b"; " + self._filled(self._own_hide_prompt).encode()
            closing = self._finish % (number, b"=") + self._leave
            between = b"\n " if frames.is_open_ended(command) else b"; "
            if word != b"eval":
                # As one command, which nothing but the right shell begins.
                lines = b"\n".join((opening, frames.typed(command.strip())))
                return b" \\builtin %b : && {\n%b\n}; %b\n" % (word, lines, closing)
            return b" %b; %b%b%b\n" % (opening, frames.typed(command.strip()), between, closing)
        plain = frames.is_plain(command)
        text = command if plain else frames.typed(frames.within_quotes(command))
        if self._parses_ahead or (not plain and frames.is_open_ended(command)):
            return self._open_lines[after_failure] % (word, number, text, number, b"=")
        return self._lines[after_failure] % (word, number, text, number, b"=", number)

    def opening(self, number: int, *, after_failure: bool) -> bytes:
        """Return what to type before lines that are in no frame: each prompt has its mark then."""
        begin = (self._begin_after_failure if after_failure else self._begin) % number
        return b" %b%b%b\n" % (self._first_word, begin, self._prompts)

    def pause(
        self,
        key: str,
        prompt: Sequence[tuple[str, str]],
        *,
        term: str,
        modes: str,
        back: str,
        pagers: Sequence[str],
    ) -> bytes:
        """Return what to run to get ready for a person.

        *prompt* is what it says, piece by piece, each with how it is coloured; ``DIRECTORY``
        stands for that.
        """
        first, last = self._invisible
        pieces = [
            f"{first}\x1b[{colour}m{last}{piece}{first}\x1b[m{last}" if colour else piece
            for piece, colour in prompt
        ]
        shown = self._prompt_start + "".join(pieces).replace("DIRECTORY", self._directory)
        words = (
            ("PAUSE_LOOK", shown),
            ("PAUSE_TERM", quote(term)),
            ("PAUSE_MODES", modes),
            ("HOLD", back),
            ("PAGERS", " ".join(pagers)),
            ("KEY", key),
            ("NAME", frames.new_key()),
        )
        template = (
            _PAUSE.replace("PAUSE_MODES", f"PAUSE_MODES\n{self._own_hand_over}")
            .replace("HOLD", f"HOLD\n{self._own_take_back}")
            .replace("PLACE", _PLACE)
        )
        return _filled_in(self._filled(template), words).encode()

    def lend(self, term: str, *, modes: str, command: str) -> bytes:
        """Return what to run before a person has a program, with the terminal's *modes*."""
        words = (("PAUSE_TERM", quote(term)), ("FAR_MODES", modes))
        lend = _filled_in(_LEND, (*words, *self._words))
        lend = lend.replace("LENT", quote(frames.LENT.decode()))
        return frames.encode(lend.replace("COMMAND", quote(command)))

    @property
    def run_lent(self) -> bytes:
        """What to type to run the command that :meth:`lend` was given."""
        return self._filled(_RUN_LENT).encode()

    def lent(self, term: str, *, modes: str) -> bytes:
        """Return what to run after that."""
        words = (("PAUSE_TERM", quote(term)), ("NEAR_MODES", modes))
        return _filled_in(_LENT, (*words, *self._words)).encode()

    def hand_over(self, number: int, *, after_failure: bool) -> bytes:
        """Return what to type for a person to have the shell, until :meth:`take_back`."""
        begin = (self._begin_after_failure if after_failure else self._begin) % number
        return b" %b; \\__sbb%b\n" % (begin, self._editor)

    def take_back(self, number: int, status: int) -> bytes:
        """Return what to type for the shell to be as it was before."""
        finish = self._finish % (number, b"=")
        # Exempt from what `set -e` and an ERR trap do, whatever the status is.
        return b" { \\__sbd; \\__sbc %d; } && :; %b%b\n" % (status, finish, self._leave)

    def aside(self, number: int, command: bytes, word: bytes = b"eval") -> bytes:
        """Return a frame for *command* that, if it succeeds, leaves `$?` and `$_` alone."""
        text = frames.typed(frames.within_quotes(command))
        return self._aside % (word, number, word, text, number)

    def state(self, file: str) -> bytes:
        """Return what writes the environment and the working directory to *file*.

        Simple commands, so that a DEBUG trap or `set -x` cannot write there as well.
        """
        tell = "PROGRAM env -0 2>/dev/null >>FILE && GUARD pwd 2>/dev/null >>FILE"
        return self._filled(tell).replace("FILE", quote(file)).encode()

    @property
    def take_input(self) -> bytes:
        """What to run to take in the input that is typed then, up to a Ctrl-D."""
        return self._filled(_TAKE_INPUT).encode()

    def take_lines(
        self, lines: int, *, is_first: bool, is_last: bool, as_command: bool = False
    ) -> bytes:
        """Return what to run to take in so many *lines* of input, or of a command."""
        variable = "__sb_c" if as_command else "__sb_i"
        words = (
            ("VARIABLE", variable),
            ("BEFORE", "" if is_first else f"${variable}"),
            ("LINES", str(lines)),
        )
        taken = ""
        if as_command and is_last:
            pour = self._pour.replace("__sb_i", "__sb_c")
            taken = self._filled(_COMMAND_TAKEN.replace("POUR_COMMAND", pour))
        return f"{_filled_in(self._filled(_TAKE_LINES), words)}{taken}".encode()

    @property
    def taken(self) -> bytes:
        """What runs the command that was taken in."""
        return self._filled(_TAKEN).encode()

    @property
    def taken_only(self) -> bytes:
        """What has it parsed to its end, and not run."""
        return self._filled(_TAKEN_ONLY).encode()

    def fed(self, command: bytes) -> bytes:
        """Return *command* with the input that was taken in as its standard input."""
        return self._running(self._own_feed, command)

    def split(self, number: int, command: bytes) -> bytes:
        """Return *command*, for frame *number*, with its standard error kept apart."""
        words = (("NUMBER", str(number)), ("NAME", frames.new_key()))
        return self._running(_SPLIT.replace("PLACE", _PLACE), command, words)

    def login(self, command: bytes) -> bytes:
        """Return what runs a *command* that opens another shell."""
        return self._running(_LOGIN, command)

    @property
    def login_over(self) -> bytes:
        """What to run once a login has ended."""
        return self._filled(_LOGIN_OVER).encode()

    def job(self, command: bytes) -> bytes:
        """Return what starts *command* in the background, and tells its number and directory."""
        return self._running(_PLACE + _JOB, command, (("NAME", frames.new_key()),))

    def _running(
        self, template: str, command: bytes, words: Iterable[tuple[str, str]] = ()
    ) -> bytes:
        text = _filled_in(self._filled(template), words)
        # Last, as it may hold such words itself.
        return text.encode().replace(b"COMMAND", frames.escaped(command))

    @property
    def job_no_longer_awaited(self) -> bytes:
        """What to run where waiting for a job was cut short."""
        return self._filled(_NO_LONGER_AWAITED).encode()

    @property
    def hold_modes(self) -> bytes:
        """What to run to have the terminal's modes put back that typing relies on."""
        return self._filled(_HOLD_MODES.replace("MODES", MODES)).encode()

    def job_awaited(self, pid: int, directory: str, *, only_begun: bool = False) -> bytes:
        """Return what waits for the end of a job, or only until a signal reaches its command."""
        waiting = _JOB_AWAITED.replace("FILE", "on" if only_begun else "status")
        if only_begun:
            waiting = waiting.replace("AWAIT", _AWAIT_BEGUN)
        return self._about_a_job(waiting, pid, directory)

    def job_told(self, pid: int, directory: str, seen: int) -> bytes:
        """Return what tells how a job is doing, and what it has printed behind the *seen* bytes."""
        told = self._about_a_job(_JOB_TOLD, pid, directory)
        return told.replace(b"FIRST", b"%d" % (seen + 1))

    def job_signalled(self, name: str, pids: Iterable[int]) -> bytes:
        """Return what sends jobs the signal *name*, and has those go on that were stopped."""
        groups = " ".join(f"-{pid}" for pid in pids)
        # In a form that every shell has; ash takes no `--`, and dash no process group behind `-s`.
        line = f"{{ GUARD kill -{name} {groups}; GUARD kill -CONT {groups}; }} || GUARD :"
        return self._filled(line).encode()

    def job_forgotten(self, directories: Iterable[str]) -> bytes:
        """Return what removes what was kept of jobs."""
        names = " ".join(map(quote, directories))
        return self._filled(f"PROGRAM rm -rf -- {names}").encode()

    def _about_a_job(self, template: str, pid: int, directory: str) -> bytes:
        text = self._filled(template).replace("PID", str(pid))
        return text.replace("DIRECTORY", quote(directory)).encode("utf-8", "surrogateescape")

    def runs_outside_eval(self, command: bytes) -> bool:
        """Whether *command* is typed as plain lines, as it does harm in an eval."""
        if not self._not_in_eval or b"set" not in command:
            return False
        # What a here-document holds is not run, and its end has to stand on a line of its own.
        found = re.search(self._not_in_eval.encode(), command)
        return found is not None and b"<<" not in command

    def question(self, number: int) -> bytes:
        """Return what asks a shell at its prompt how frame *number* ended."""
        return b" " + self._finish % (number, b".") + self._leave + b"\n"

    def end(self, word: bytes, *, hangs_up: bool = False) -> bytes:
        """Return what ends the shell, and only the one where *word* means something.

        With *hangs_up* it is hung up on in the same line, should it not leave.
        """
        steps = f"{_EXIT}; {_HANG_UP}" if hangs_up else _EXIT
        return b" %b\n" % self._filled(steps).encode().replace(b"WORD", word)

    def hang_up(self, word: bytes) -> bytes:
        """Return what ends it as a terminal does that is closed, with what it has started."""
        return b" %b\n" % self._filled(_HANG_UP).encode().replace(b"WORD", word)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Dialect {self}>"


# With no backslash, which ksh93's editor would take for a key of its own.
_CALM = "command -p stty -echo -opost -ixon -icrnl icanon"
_LEAVE_EDITOR = "[[ -o vi || -o emacs ]] && GUARD set +o vi +o emacs;"
TABLE = (
    Dialect(
        "bash",
        arguments=("--noprofile", "--norc", "--noediting", "-i"),
        guard="builtin",
        # As text where it can be: that needs none of the words that a command may have redefined.
        show_prompt=f"if [[ -t 2 ]]; then GUARD printf -v PS1 %s 'PROMPT'; "
        f"else GUARD printf -v PS1 %s '{_PROMPT}'; fi",
        hide_prompt="GUARD printf -v PS1 ''",
        set_prompt='GUARD printf -v PS1 %s "$__sb_h" 2>/dev/null',
        setup="set +H +o history\nGUARD history -c\n",
        prompt=r"\036KEY;$__sb_n:$?>",
        # Behind an eval whose text ends in a backslash and a newline, it takes the first word of
        # the next line for no reserved word (5.2), unless that line is empty.
        gap="\n",
        feed=_FEED_BY_SUBSTITUTION,
        # POSIX mode finds special built-ins before functions, and an assignment switches it on.
        rescue=r"POSIXLY_CORRECT=1; \unset -f unset builtin; \unset POSIXLY_CORRECT; "
        r"\enable builtin eval printf return set unset",
        # Inside an eval this cuts bash off from the terminal where it was started with no line
        # editor (5.2); as a line of its own it works, and the editor has to go again.
        not_in_eval=r"\bset\s+(?:\S+\s+)*[-+]o\s*(?:vi|emacs)\b",
        leave=r"; \builtin set +o vi +o emacs",
        editor=r"; \builtin set -o emacs",
        invisible=(r"\[", r"\]"),
        directory=r"\w",
        hand_over=r"""PS0='$(\__sb9 "+$(HISTTIMEFORMAT= \builtin history 1)")'
GUARD set -o history""",
        # The line that takes the shell back is in there by now, unless HISTCONTROL keeps it out.
        take_back=r"""PS0=; __sb_h=$(HISTTIMEFORMAT= GUARD history 1)
case $__sb_h in *\__sbc*) GUARD history -d "$((${__sb_h%%[!0-9 ]*}))";; esac
GUARD set +o history""",
        tells_start=True,
        # wait_sigint_handler() raises the signal again if it does not wait yet, to have the handler
        # before it called; as long as that is not noted down, it calls itself for ever (5.2).
        hangs_if_interrupted=True,
    ),
    Dialect(
        "dash",
        arguments=("-i",),
        environment={"ENV": ""},
        last_word='"${_-}"',
    ),
    Dialect(
        "ash",
        programs=("busybox",),
        arguments=("-i",),
        environment={"ENV": ""},
        last_word='"${_-}"',
        # Its line editor stands aside while echo is off, and then takes the end of a background
        # job for the end of input (1.35). As a script that it reads, the terminal has no editor.
        setup=". /dev/tty\n",
        leave="; . /dev/tty",
        # A script has no prompts.
        prompts=r"; \return",
        invisible=(r"\[", r"\]"),
        # It calls clearerr() before each built-in, and its handler jumps out of that: the lock on
        # its standard output that glibc has taken by then stays taken, for ever (1.35).
        hangs_in_library=True,
    ),
    Dialect(
        "zsh",
        arguments=("-f", "-i", "+Z"),
        guard="builtin",
        # It says that a built-in's output is closed on the standard error it had before, and a
        # redirected group loses `$_`.
        quietly="CALL >/dev/null 2>&1",
        printed="MARK >/dev/tty",
        setup="unsetopt prompt_sp prompt_cr bang_hist; setopt prompt_subst interactive_comments\n",
        prompt="\x1eKEY;$__sb_n:$?>",
        feed=_FEED_BY_SUBSTITUTION,
        show_prompt=rf"if [[ -t 2 ]]; then GUARD eval PS1=\''PROMPT'\'; "
        rf"else GUARD eval PS1=\''{_PROMPT}'\'; fi",
        tidy="GUARD unsetopt zle csh_junkie_quotes;",
        # It catches SIGINT while it reads, and keeps what it has read of a quoted word. This is an
        # error inside the quote, where the rest of the line is dropped, and a word outside.
        abandon="';)'\n",
        # And its short loops would take our last line for their body.
        parses_ahead=True,
        rescue=r"\unfunction unset builtin; \enable builtin eval printf return unset",
        editor=r"; \builtin setopt zle",
        invisible=("%{", "%}"),
        directory="%~",
        # It takes the modes that a command leaves which succeeds for those of the next ones.
        hand_over=r"""GUARD fc -p; GUARD command -p stty -g </dev/tty >/dev/null
__sb_p() { \__sb9 +$1; }; preexec_functions+=(__sb_p)""",
        take_back="GUARD fc -P; preexec_functions=(${preexec_functions:#__sb_p})",
        tells_start=True,
    ),
    Dialect(
        "ksh93",
        programs=("ksh", "ksh93u+m"),
        # With echo off its emacs editor stands aside; with any other, or with none, it loses
        # what follows a newline in a quoted word (93u+m 1.0.4).
        arguments=("-i", "+E", "-o", "emacs"),
        environment={"ENV": "", "HISTFILE": "/dev/null"},
        quietly="CALL >/dev/null 2>&1",
        feed=_FEED_BY_SUBSTITUTION,
        # Ctrl-C in its own would reach the job.
        wait="PROGRAM sleep 0.1",
        printed="MARK >/dev/tty",
        # With echo on, its editor would act on what is typed, before anybody can be told of that.
        tidy="[[ -o emacs ]] || set -o emacs; HOLD",
        # Without it, a pipeline stopped by Ctrl-C is mixed up with what runs next (1.0.4).
        settle=": | :",
        # Where a command has switched echo on, that editor has saved those modes by now, and would
        # put them back.
        calm=f" {_CALM}\n",
        leave=f"; {_CALM} </dev/tty",
        # Setting the file's name has it forget what it knows, which is what was typed by us.
        resizes=False,
        hand_over="PLACEHISTFILE=$__sb_f",
        take_back='HISTFILE=/dev/null; PROGRAM rm -f -- "$__sb_f"',
    ),
    Dialect(
        "mksh",
        programs=("lksh",),
        arguments=("-i", "+o", "emacs"),
        environment={"ENV": "/dev/null"},
        guard="builtin",
        start=r"""GUARD print -n -- "\0036KEY;$1<" """,
        end=r"""GUARD print -n -- "\0036KEY;$1${__sb_s}LAST" """,
        prompt="""${ __sb_e=$?; GUARD print -n -- "\\0036KEY;$__sb_n:$__sb_e>" >/dev/tty; """
        """(exit $__sb_e);}""",
        show_prompt="GUARD typeset -g PS1='PROMPT' 2>/dev/null",
        hide_prompt="GUARD typeset -g PS1= 2>/dev/null",
        set_prompt='GUARD typeset -g PS1="$__sb_h" 2>/dev/null',
        # After Ctrl-\ it holds a SIGQUIT of its own back for the next subshell (R59).
        settle="(:)",
        runner="command ",
        # It traces redirections, and traces them where standard error pointed before.
        quietly="CALL",
        pour="""GUARD print -n -- "$__sb_i" """,
        # In the background it sets the terminal's modes when a program fails, and is stopped for
        # that (R59), unless its parent has gone.
        launch="(GUARD set -m\n(RUN_JOB) </dev/null >/dev/null 2>&1 &\n__sb_e=$!\nTELL_JOB\n)",
        wait="PROGRAM sleep 0.1",
        printed="MARK >/dev/tty",
        setup="set +o inherit-xtrace\n",
        # In raw mode it reads one key at a time, and some of them are never answered.
        tidy=f"{_LEAVE_EDITOR} HOLD",
        editor="; set -o emacs",
        invisible=("\x01", "\x01"),
        prompt_start="\x01\r",
        # Under set -e it ends at Ctrl-C (R59).
        drop_line=b"\x15\r",
        # Giving the file another name has it forget what it knows, which is what was typed by us.
        hand_over="HISTFILE=/dev/null; HISTFILE=; GUARD unset HISTFILE",
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

    def __init__(
        self, dialect: Dialect, arguments: Sequence[str], *, within: str | None = None
    ) -> None:
        self.dialect = dialect
        # A command may change PATH, and the shell be started once more after that.
        self.arguments = (executable(arguments[0]) or arguments[0], *arguments[1:])
        self.within = within
        """The shell of another family that makes way for it, if any."""


def program(shell: str | Dialect) -> Program:
    """Return what to start for *shell*: a row, a name from the table, or such a program's path.

    Raises :class:`UnknownNameError` for a name that is in no table, and :class:`UsageError` for a
    command line.
    """
    if isinstance(shell, Dialect):
        return Program(shell, (shell.name, *shell.arguments))
    words = shell.split()
    name = os.path.basename(words[0]) if words else ""
    if name == "busybox" and words[1:] in ([], ["ash"], ["sh"]):
        return Program(_row("ash"), (words[0], "ash", *_row("ash").arguments))
    if len(words) != 1:
        raise UsageError(f"name one shell, not {shell!r}: what it is started with is in the table")
    for candidate in _names(words[0]):
        if candidate in OTHERS:
            return _inside(words[0], candidate)
        for row in TABLE:
            if candidate in row.programs:
                return Program(row, _command(row, words[0]))
    raise UnknownNameError("shell", shell, (*(row.name for row in TABLE), *OTHERS))


def _names(given: str) -> Iterator[str]:
    yield os.path.basename(given)
    if found := executable(given):
        yield os.path.basename(os.path.realpath(found))


def _row(name: str) -> Dialect:
    return next(row for row in TABLE if row.name == name)


def _command(row: Dialect, given: str) -> tuple[str, ...]:
    if row.name == "ash" and not executable(given):
        # Debian's busybox brings no link of that name.
        return ("busybox", "ash", *row.arguments)
    return (given, *row.arguments)


def _inside(given: str, name: str) -> Program:
    inner = program("bash" if executable("bash") else "sh")
    settings = [f"{key}={value}" for key, value in inner.dialect.environment.items()]
    command = " ".join(map(quote, ("exec", "env", *settings, *inner.arguments)))
    return Program(inner.dialect, (given, *OTHERS[name], command), within=name)
