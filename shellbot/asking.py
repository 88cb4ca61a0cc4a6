"""What the person who runs the script is asked, and what counts as an answer."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence

from . import text
from .console import coloured, known_colour
from .errors import NobodyToAskError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, Protocol, TextIO, TypeAlias, TypeGuard, overload

    Choices: TypeAlias = Sequence[str] | Mapping[str, str]

    class Ask(Protocol):
        """What :func:`get_input` takes, and which type the answer has then."""

        @overload
        def __call__(
            self,
            prompt: str = "",
            *,
            boolean: Literal[True],
            default: bool | None = None,
            color: str | None = None,
        ) -> bool: ...
        @overload
        def __call__(
            self,
            prompt: str = "",
            *,
            boolean: Literal[False] = False,
            default: str | None = None,
            choices: Choices | None = None,
            ispass: bool = False,
            twice: bool = False,
            multiline: bool = False,
            validate: Callable[[str], object] | None = None,
            color: str | None = None,
        ) -> str: ...


_YES = ("y", "yes", "1", "true")
_NO = ("n", "no", "0", "false")
_INVALID = "that is not a valid answer"
_END = "."
_ENDS = f'(end with a line of only "{_END}", or with Ctrl-D)'
_AGAIN = "Once more: "
_FITS_IN_BRACKETS = 60


def _as_ask(function: Callable[..., Any]) -> Ask:
    # By a type, as the overload of typing would have to be imported, which is slow.
    return function


@_as_ask
def get_input(
    prompt: str = "",
    *,
    default: str | bool | None = None,
    choices: Choices | None = None,
    boolean: bool = False,
    ispass: bool = False,
    twice: bool = False,
    multiline: bool = False,
    validate: Callable[[str], object] | None = None,
    color: str | None = None,
) -> str | bool:
    """Ask the person who runs the script, and return the answer without its newline.

    On a terminal the answer is typed there; otherwise it is the next line of standard input, and
    *prompt* goes to standard error. An empty answer stands for *default*, if there is one. A
    person whose answer is refused is told why and asked again.

    One of these may say what kind of answer it is:

    - *choices*: one of them, which are shown, with what they mean if it is a mapping. The case of
      letters does not matter, nor does the rest where the beginning fits only one; what is
      returned is the choice as it is written there.
    - *boolean*: yes or no, and True or False is returned.
    - *ispass*: a secret, which is typed unseen, and *twice* if it is a new one.
    - *multiline*: lines, up to one that is only a dot, or to the end of input.

    *validate* is given the answer, and refuses it by returning False or raising
    :class:`ValueError`. *color* is the prompt's: the name of one that colorama has.

    Raises:
        NobodyToAskError: standard input is closed or at its end, and there is no *default*.
        UsageError: the arguments do not go together, and nothing was asked; or an answer that
            did not come from a person was refused.
    """
    kinds = {"choices": choices is not None, "boolean": boolean, "ispass": ispass}
    _check_kinds({**kinds, "multiline": multiline}, twice=twice, validated=validate is not None)
    meanings = {} if choices is None else _meanings(choices)
    _check_default(default, boolean=boolean, choices=meanings)
    colour = None if color is None else known_colour(color)

    def understood(answer: str) -> str | bool:
        if boolean:
            return _yes_or_no(answer)
        if meanings:
            answer = _chosen(answer, meanings)
        if validate and validate(answer) is False:
            raise ValueError
        return answer

    listing = _listing(meanings)
    question = _with_hints(
        prompt,
        f"({', '.join(meanings)})" if meanings and not listing else "",
        _yes_no_hint(default) if boolean else "",
        f"[{text.shorten(default)}]" if isinstance(default, str) and default and not ispass else "",
        _ENDS if multiline else "",
    )
    if listing and _is_open(sys.stdin):
        show(listing)
    while True:
        answer = _lines(question, colour) if multiline else _line(question, colour, ispass=ispass)
        if not answer and default is not None:
            return default
        again = _line(_AGAIN, colour, ispass=True) if twice and answer is not None else answer
        if answer is None or again is None:
            raise NobodyToAskError(
                f"nobody to ask {prompt!r}: standard input is "
                f"{'at its end' if _is_open(sys.stdin) else 'closed'}; "
                "give it the answer, or give default="
            )
        refusal = "that is not the same twice"
        if answer == again:
            try:
                return understood(answer)
            except ValueError as error:
                refusal = _reason(error, secret=answer if ispass else "")
        # Outside of the handler, or the traceback would show the error as well, and a secret in it.
        if not is_person_there():
            given = "" if ispass else f"{text.shorten(answer)!r} "
            raise UsageError(f"the answer {given}to {prompt!r} is no good: {refusal}")
        show(f"{refusal}\n")


def is_person_there() -> bool:
    """Whether standard input is a terminal."""
    return _is_terminal(sys.stdin)


def edited(prompt: str, line: str) -> str:
    """Have the person change *line*, and return what it is then."""
    try:
        import readline
    except ImportError:
        return get_input(prompt, default=line)
    readline.set_startup_hook(lambda: readline.insert_text(line))
    try:
        return get_input(prompt)
    finally:
        readline.set_startup_hook()


# What is asked for


def _check_kinds(kinds: Mapping[str, bool], *, twice: bool, validated: bool) -> None:
    given = [f"{name}=" for name, is_given in kinds.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do not go together: give one of them")
    if kinds["boolean"] and validated:
        raise UsageError("boolean= takes no validate=: yes and no are both good answers")
    if twice and not kinds["ispass"]:
        raise UsageError("twice= is for what is typed unseen: give ispass= as well")


def _meanings(choices: Choices) -> dict[str, str]:
    """Return what each choice means, or nothing where that has not been said."""
    if isinstance(choices, str):
        raise UsageError(f"choices= is a list of answers, and not a string: {choices!r}")
    meanings = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    if not meanings:
        raise UsageError("choices= is empty, so that no answer would be good: give some")
    for choice in meanings:
        if not isinstance(choice, str) or not choice.strip() or len(choice.splitlines()) > 1:
            raise UsageError(f"a choice is a line of text, and not {choice!r}")
    return meanings


def _check_default(
    default: str | bool | None, *, boolean: bool, choices: Mapping[str, str]
) -> None:
    if default is None:
        return
    if boolean and not isinstance(default, bool):
        raise UsageError(f"with boolean= the default is True or False, and not {default!r}")
    if not boolean and not isinstance(default, str):
        raise UsageError(f"the default is a string, and not {default!r}; see also boolean=")
    if choices and default not in choices:
        raise UsageError(f"the default {default!r} is none of the choices: {', '.join(choices)}")


# What counts as an answer


def _yes_or_no(answer: str) -> bool:
    word = answer.strip().lower()
    if word not in _YES + _NO:
        raise ValueError("that is neither yes nor no")
    return word in _YES


def _chosen(answer: str, choices: Collection[str]) -> str:
    """Return the choice that *answer* means: exactly, or but for its case, or by its beginning."""
    if answer in choices:
        return answer
    word = answer.strip().casefold()
    fit = [choice for choice in choices if choice.casefold() == word]
    if not fit and word:
        fit = [choice for choice in choices if choice.casefold().startswith(word)]
    if len(fit) > 1:
        raise ValueError(f"that may be {' or '.join(fit)}: type more of it")
    if not fit:
        raise ValueError(f"that is none of: {', '.join(choices)}")
    return fit[0]


def _reason(error: ValueError, *, secret: str) -> str:
    """Return what *error* says, but for what would show the *secret*."""
    reason = str(error)
    is_shown = secret and (secret in reason or repr(secret)[1:-1] in reason)
    return _INVALID if is_shown or not reason else reason


# What is shown


def _listing(meanings: Mapping[str, str]) -> str:
    """Return a line for each choice, or nothing where they do without."""
    if not any(meanings.values()) and len(", ".join(meanings)) <= _FITS_IN_BRACKETS:
        return ""
    width = max(map(len, meanings))
    lines = (f"  {choice:{width}}  {meaning}" for choice, meaning in meanings.items())
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _yes_no_hint(default: str | bool | None) -> str:
    return f"[{'Y' if default is True else 'y'}/{'N' if default is False else 'n'}]"


def _with_hints(prompt: str, *hints: str) -> str:
    shown = " ".join(filter(None, hints))
    gap = " " if prompt and not prompt[-1].isspace() else ""
    return f"{prompt}{gap}{shown} " if shown else prompt


def show(words: str, colour: str | None = None) -> None:
    """Write to standard error, or where the person is, if that is not the terminal."""
    stream = sys.stderr
    if _is_terminal(sys.stdout):
        sys.stdout.flush()
        if is_person_there() and not _is_terminal(stream):
            stream = sys.stdout
    if _is_open(stream):
        stream.write(coloured(words, colour, stream))
        stream.flush()


# What is read


def _line(question: str, colour: str | None = None, *, ispass: bool = False) -> str | None:
    """Ask, and return a line, or None where there is none."""
    if not _is_open(sys.stdin):
        return None
    try:
        if ispass and is_person_there():
            from getpass import getpass

            return getpass(coloured(question, colour, sys.stdin))
        if "readline" in sys.modules and is_person_there() and _is_terminal(sys.stdout):
            return input(_for_readline(coloured(question, colour, sys.stdout)))
    except EOFError:
        return None
    # Not by input(), whose prompt goes where the person may not see it.
    show(question, colour)
    line = sys.stdin.readline()
    return line.removesuffix("\n") if line else None


def _lines(question: str, colour: str | None) -> str | None:
    """Ask, and return lines up to the lone dot or the end, or None where there are none."""
    lines: list[str] = []
    line = _line(f"{question.rstrip()}\n", colour)
    if line is None:
        return None
    while line is not None and line != _END:
        lines.append(line)
        line = _line("")
    return "\n".join(lines)


def _for_readline(prompt: str) -> str:
    """Mark what takes no room on the screen (RL_PROMPT_START_IGNORE in readline.h)."""
    return re.sub("(\x1b\\[[0-9;]*m)", "\x01\\1\x02", prompt)


def _is_open(stream: TextIO | None) -> TypeGuard[TextIO]:
    return stream is not None and not stream.closed


def _is_terminal(stream: TextIO | None) -> TypeGuard[TextIO]:
    return _is_open(stream) and stream.isatty()
