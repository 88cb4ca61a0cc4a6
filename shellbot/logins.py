"""The ways in: what to type for each kind of login, and who answers what it asks. Pure.

Each kind is one function, which makes a :class:`Way`; each of a container's engines, and each
reason for a failure, is one row of a table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence

from . import dialogue, frames
from .dialogue import Answer, Secret
from .errors import UnknownNameError, UsageError
from .text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from .dialogue import Answers, Reply

    Given: TypeAlias = str | Secret | Callable[[], str | Secret] | None

DEFAULT_LIMIT = 60.0
"""How long a login may take, in seconds, where nobody says."""

# How the lines end that ask for these, in the languages that su, sudo and PAM speak.
_END = r"[^\n]*[:：?>][ \t]*\Z"
_PASSWORD_WORD = (
    r"pass ?wor[dt]|passwd|kennwort|contraseñ|mot de passe|senha|wachtwoord|lösenord|adgangskode"
    r"|salasana|hasło|heslo|parola|şifre|парол|密码|密碼|パスワード|비밀번호|암호"
)
_PASSPHRASE = rf"(?i)passphrase{_END}"
_CODE = rf"(?i)(?:verification|one-time|otp|token|pass ?code|authenticator|2fa|pin\b){_END}"
_NEW = (
    r"(?i)^\W*(?:enter |type |your )*"
    rf"(?:new|retype|re-?enter|repeat|again|neues|erneut|nouveau|nuev[ao]|新)\b{_END}"
)
_CURRENT = (
    r"(?i)^\W*(?:enter )?(?:your )?"
    rf"(?:current|old|aktuelles|derzeitiges|geltendes|actuel|現在){_END}"
)
_HIDDEN = rf"(?i)(?:{_PASSWORD_WORD}){_END}"
# Only su, sudo or doas ask at that place, and only for a password, in whatever words.
_ANYTHING = r"[:：>][ \t]*\Z"
_NAME = r"(?i)(?:login|user ?name|user): *\Z"
_FINGERPRINT = r"(?:\(yes/no/\[fingerprint\]\)\?|or the fingerprint:) *\Z"
_DROPBEAR_KEY = r"(?i)continue connecting\? \(y/n\) *\Z"

# What it says of itself when it fails; the first that is there counts. It needs no entry that a
# password was wrong: it was given, and there was no shell.
FAILURES = (
    ("host_key_changed", r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key mismatch"),
    (
        "host_key_unknown",
        r"Host key verification failed|No \S+ host key is known|not in the trusted hosts file",
    ),
    (
        "unknown_host",
        r"Could not resolve|Name or service not known|Temporary failure in name resolution"
        r"|nodename nor servname|(?i:unknown host)|No address associated",
    ),
    (
        "unreachable",
        r"No route to host|(?:Network|Host) is unreachable|[Tt]imed out|Host is down"
        r"|No such device|cannot open device|could not open",
    ),
    (
        "too_many_attempts",
        r"Too many (?:authentication|login) (?:failures|attempts)",
    ),
    (
        "locked",
        r"(?i)account (?:is |has been |temporarily )*locked|locked (?:due|out)|account .*disabled"
        r"|account has expired|account.* not available for authentication",
    ),
    (
        "expired_password",
        r"(?i)password (?:has|have) expired|must change your password|change your password now"
        r"|password change required|is required to change",
    ),
    (
        "no_such_user",
        r"(?i)user \S+ does not exist|no such user|unknown user|unknown id|unable to find user"
        r"|no passwd entry|no matching entries in passwd|invalid user|unknown login",
    ),
    (
        "no_such_container",
        r"(?i)no such container|no container with|container [^:\n]*not found|no such image"
        r"|container state improper|is not running|is paused|pods? .* not found"
        r"|can only create exec|no machine .*known|could not get machine",
    ),
    (
        "no_shell",
        r"(?i)account is currently not available|nologin|executable file not found"
        r"|PTY allocation request failed|shell request failed|failed to run command"
        r"|failed to execute|cannot run|not a tty",
    ),
    (
        "refused",
        r"(?i)connection refused|not in the sudoers file|is not allowed to|may not run"
        r"|operation not permitted|not permitted|kex_exchange_identification"
        r"|connection (?:reset|closed) by|must be run from a terminal|permission to access",
    ),
    (
        "wrong_password",
        r"(?i)permission denied|authentication (?:failure|failed|token)|sorry, try again"
        r"|login incorrect|incorrect password|a password is required|access denied",
    ),
)
MAY_PASS = ("refused", "unreachable", "unknown_host", "timed_out", "closed", "no_such_container")
"""The reasons that may pass by themselves while a machine comes up."""


def reason(said: str, *, gave_secret: bool) -> str:
    """Return the reason for a failure: what the other side *said*, or that a secret was refused."""
    for name, pattern in FAILURES:
        if re.search(pattern, said):
            weak = name in ("refused", "no_shell", "unreachable")
            denied = re.search(dict(FAILURES)["wrong_password"], said)
            return "wrong_password" if weak and denied and gave_secret else name
    return "wrong_password" if gave_secret else "closed"


def asks(line: str) -> bool:
    """Whether a *line* that somebody waits behind asks for what is no command."""
    return any(re.search(one, line) for one in (_HIDDEN, _PASSPHRASE, _CODE, _NAME, _CURRENT, _NEW))


class Way:
    """How to come to a shell: what to type, and what to answer."""

    def __init__(
        self,
        command: str,
        *,
        answers: Sequence[Answer] = (),
        timeout: float | None = DEFAULT_LIMIT,
        shell: str | None = None,
        ask: bool = False,
        password: Secret | None = None,
        wakes: bool = False,
    ) -> None:
        frames.encode(command)
        self.command = command
        """What is typed, in the shell that is left."""
        self.answers = tuple(answers)
        self.timeout = timeout
        self.shell = shell
        """The shell to have there, by its name; without it the user's own, or bash, or sh."""
        self.ask = ask
        """Whether the person at the terminal is asked what nobody else answers."""
        self.password = password
        """What ``send(..., sudo=True)`` may give there."""
        self.wakes = wakes
        """Whether somebody has to press Enter before anything is said: a serial line."""

    def __repr__(self) -> str:
        return f"<Way {self.command!r}>"


def login(
    command: str | Sequence[str],
    *,
    user: str | None = None,
    password: Given = None,
    otp: Given = None,
    new_password: Given = None,
    answers: Answers | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Log in with *command*, which may be anything that ends in a shell on a terminal.

    *user* and *password* are given when they are asked for, as is *otp*, a one-time code, and
    *new_password* where the old one has expired; each is a string, a :class:`Secret` or a function
    that returns one. *answers* are for anything else, and come first. *shell* is the one to have
    there; without it the user's own, or bash, or sh. With *ask* the person at the terminal is
    asked what has no answer.
    """
    line = command if isinstance(command, str) else " ".join(map(quote, command))
    entries = [*dialogue.table(answers)]
    if user is not None:
        entries.append(Answer(_NAME, user))
    return Way(
        line,
        answers=(*entries, *_answers(password, otp=otp, new_password=new_password)),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=_kept(password),
    )


def ssh(
    host: str,
    *,
    user: str | None = None,
    port: int | None = None,
    key: str | os.PathLike[str] | None = None,
    jump: str | None = None,
    options: Mapping[str, object] | None = None,
    host_key: str = "accept-new",
    password: Given = None,
    passphrase: Given = None,
    otp: Given = None,
    new_password: Given = None,
    answers: Answers | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Log in to *host* with OpenSSH's ssh, whose own configuration holds for all that is not said.

    *key* is a private key's file, *passphrase* what unlocks it, *jump* a host to go through, and
    *options* are more of ``ssh -o``. *host_key* says what to do about a host's key: accept-new
    (unless another one is known), strict (it has to be known), ask, or the fingerprint
    (``SHA256:...``) that it has to have. A lost link is noticed after 15 seconds, unless *options*
    say otherwise (ServerAliveInterval).
    """
    policies = {"accept-new": "accept-new", "strict": "yes", "ask": "ask"}
    if host_key not in policies and not re.match(r"(?:SHA256|MD5):", host_key):
        raise UnknownNameError("host_key", host_key, (*policies, "SHA256:..."))
    if not host or host.startswith("-"):
        raise UsageError(f"{host!r} is no host")
    settings: dict[str, object] = {
        "StrictHostKeyChecking": policies.get(host_key, "ask"),
        "NumberOfPasswordPrompts": 1,
        "ServerAliveInterval": 5,
        "ServerAliveCountMax": 3,
        "EscapeChar": "none",
    }
    if timeout is not None:
        settings["ConnectTimeout"] = max(1, int(timeout))
    if port is not None:
        settings["Port"] = port
    if user is not None:
        settings["User"] = user
    if key is not None:
        settings.update(IdentityFile=os.fspath(key), IdentitiesOnly="yes")
    if jump is not None:
        settings["ProxyJump"] = jump
    settings.update(options or {})
    words = ["ssh", "-tt", *(f"-o{name}={value}" for name, value in settings.items()), "--", host]
    entries = [*dialogue.table(answers)]
    if host_key not in policies:
        entries.append(Answer(_FINGERPRINT, host_key))
    return Way(
        " ".join(map(quote, words)),
        answers=(
            *entries,
            *_answers(password, otp=otp, new_password=new_password, passphrase=passphrase),
        ),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=_kept(password),
    )


def su(
    user: str = "root",
    *,
    password: Given = None,
    new_password: Given = None,
    answers: Answers | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Become *user* with ``su -``, with that user's password."""
    _checked_name(user)
    return Way(
        f"su - {quote(user)}",
        answers=(
            *dialogue.table(answers),
            *_answers(password, new_password=new_password, anything=True),
        ),
        timeout=timeout,
        shell=shell,
        ask=ask,
    )


def sudo(
    user: str = "root",
    *,
    password: Given = None,
    program: str = "sudo",
    answers: Answers | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Become *user* with sudo, with the own password, if one is asked for.

    It is asked for in words of ours, so that no language, lecture or setting matters. *program*
    may also be ``doas``.
    """
    _checked_name(user)
    rows = {
        "sudo": f"sudo -p {quote(sudo_prompt())} -u {quote(user)} -i",
        "doas": f"doas -u {quote(user)} -s",
    }
    if program not in rows:
        raise UnknownNameError("program", program, rows)
    return Way(
        rows[program],
        answers=(*dialogue.table(answers), *_answers(password, anything=True)),
        timeout=timeout,
        shell=shell,
        ask=ask,
    )


# Ctrl-P Ctrl-Q would detach, and docker takes other keys for that, but not none.
_KEYS = "--detach-keys 'ctrl-^,ctrl-_,ctrl-^,ctrl-@' "
# What each engine opens a shell with, in what runs, and else in a new one from an image.
ENGINES: Mapping[str, str] = {
    **{
        name: "if PROGRAM container inspect NAME >/dev/null 2>&1; then "
        "PROGRAM exec KEYS-it USER NAME sh; elif PROGRAM image inspect NAME >/dev/null 2>&1; then "
        "PROGRAM run KEYS--rm -it USER --entrypoint sh NAME; else "
        "echo 'no such container, and no such image: 'NAME; (exit 125); fi".replace(
            "PROGRAM", name
        ).replace("KEYS", keys)
        for name, keys in (("docker", _KEYS), ("podman", _KEYS), ("nerdctl", ""))
    },
    "kubectl": "kubectl exec -it NAME -- sh",
    "machinectl": "machinectl shell -q USERNAME",
}


def container(
    name: str,
    *,
    engine: str = "docker",
    user: str | None = None,
    answers: Answers | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Go into the running container *name*, or into a new one from the image of that name.

    A new one is removed when it is left. No image is fetched. *engine* is docker, podman,
    nerdctl, kubectl (a running pod) or machinectl (a running machine), or the path of one.
    """
    found = os.path.basename(engine)
    if found not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if not name or name.startswith("-"):
        raise UsageError(f"{name!r} is no container")
    if user is not None and found == "kubectl":
        raise UsageError("kubectl takes no user; use su() inside")
    _checked_name(user or "root")
    line = ENGINES[found].replace("USERNAME", quote(f"{user}@{name}" if user else name))
    line = line.replace("USER ", f"-u {quote(user)} " if user else "").replace("NAME", quote(name))
    line = line.replace(f"{found} ", f"{quote(engine)} ") if engine != found else line
    return Way(line, answers=dialogue.table(answers), timeout=timeout, shell=shell, ask=ask)


def chroot(
    path: str | os.PathLike[str],
    *,
    user: str | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
) -> Way:
    """Go into the root directory *path* with chroot, which needs root, as *user* if given."""
    words = ["chroot", *([f"--userspec={user}"] if user else []), os.fspath(path), "/bin/sh"]
    return Way(" ".join(map(quote, words)), timeout=timeout, shell=shell)


def serial(
    line: str,
    *,
    speed: int = 115_200,
    user: str | None = None,
    password: Given = None,
    new_password: Given = None,
    answers: Answers | None = None,
    timeout: float | None = DEFAULT_LIMIT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Log in over a serial line: a device, which socat opens, or a command that is connected to it.

    Whoever is logged in there already is asked nothing. Leaving logs out, and closes the line.
    """
    command = line
    if re.fullmatch(r"/\S+", line):
        command = f"socat -,rawer {quote(f'open:{line},rawer,b{speed}')}"
    entries = [*dialogue.table(answers)]
    if user is not None:
        entries.append(Answer(_NAME, user))
    return Way(
        command,
        answers=(*entries, *_answers(password, new_password=new_password)),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=_kept(password),
        wakes=True,
    )


KINDS: Mapping[str, Callable[..., Way]] = {
    one.__name__: one for one in (login, ssh, su, sudo, container, chroot, serial)
}
"""The kinds of login, by the names that they have as methods of a session."""


# One command as another user


def sudo_prompt() -> str:
    """Return words for sudo to ask for a password with, which nothing else says."""
    return f"[shellbot {frames.new_key()[:8]}] password:"


def as_root(command: str, *, privilege: str, shell: str, password: Secret | None) -> Way:
    """Run one *command* as root, in a *shell* of its own, by what gives the *privilege* there."""
    rows = {"sudo": f"sudo -p {quote(sudo_prompt())} --", "doas": "doas --"}
    if privilege not in rows:
        raise UsageError("neither sudo nor doas is there, and the user is not root")
    line = f"{rows[privilege]} {shell} -c {quote(command)}"
    return Way(line, answers=_answers(password, anything=True), timeout=None)


def _answers(
    password: Given,
    *,
    otp: Given = None,
    new_password: Given = None,
    passphrase: Given = None,
    anything: bool = False,
) -> tuple[Answer, ...]:
    rows = (
        (_PASSPHRASE, passphrase),
        (_CODE, otp),
        (_NEW, new_password),
        (_CURRENT, password),
        (_ANYTHING if anything else _HIDDEN, password),
    )
    return tuple(
        Answer(pattern, _replier(given), times=2 if given is new_password else 1, secret=True)
        for pattern, given in rows
        if given is not None
    )


def _replier(given: Given) -> Secret | Callable[[re.Match[str]], Reply]:
    if isinstance(given, Secret):
        return given
    if isinstance(given, str):
        return Secret(given)
    if not callable(given):
        raise UsageError(f"a password is a string, a Secret or a function, not {given!r}")
    return lambda match: given()


def _kept(given: Given) -> Secret | None:
    return Secret(given) if isinstance(given, str) else given if isinstance(given, Secret) else None


def _checked_name(user: str) -> None:
    if not user or user.startswith("-") or re.search(r"[\s:/]", user):
        raise UsageError(f"{user!r} is no user's name")
