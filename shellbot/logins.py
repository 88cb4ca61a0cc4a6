"""The ways in: what to type for each kind of login, and who answers what it asks. Pure.

Each kind is one function, which makes a :class:`Way`; each of a container's engines, and each
reason for a failure, is one row of a table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from . import dialogue, frames
from .dialogue import Answer, Secret
from .errors import UnknownNameError, UsageError
from .limits import DEFAULT, Default, Limits
from .text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from .dialogue import Answers, Reply

    Limit: TypeAlias = float | Default | None
    Given: TypeAlias = str | Secret | Callable[[], str | Secret] | None

DEFAULT_LIMIT = 60.0
"""How long a login may take, in seconds, where nobody says."""

# How the lines end that ask for these, in the languages that su, sudo and PAM speak.
_END = r"[^\n]*[:：?>][ \t]*\Z"
_PASSWORD_WORD = (
    r"pass ?wor[dt]|passwd|kennwort|contraseñ|contrasenya|mot de passe|senha|palavra-passe"
    r"|wachtwoord|lösenord|passord|adgangskode|salasana|hasło|heslo|jelszó|parol|şifre|mật khẩu"
    r"|парол|лозинк|סיסמ|ססמ|كلمة|密码|密碼|パスワード|비밀번호|암호"
)
_PASSPHRASE = rf"(?i)passphrase{_END}"
_CODE = rf"(?i)(?:verification|one-time|otp|token|pass ?code|authenticator|2fa|pin\b){_END}"
# ssh says in front for whom it asks what the other side wants. A host may be called "new".
_FOR = r"(?i)^(?:\(\S+@\S+\) )?"
_A_PASSWORD = rf"(?=[^\n]*(?:{_PASSWORD_WORD}))"
_NEW = (
    rf"{_FOR}(?!\S+@\S+'s )(?:\W*(?:re-?type|re-?enter|repeat|again) ?[:：][ \t]*\Z|{_A_PASSWORD}"
    r"(?:\W*(?:enter |type |your )*(?:new|re-?type|re-?enter|repeat|again)\b"
    r"|[^@'\n]*(?:\b(?:neues?|wiederholen|nouveau|nuev[ao]|nuova|nov[ao]|nieuw|nytt?|nowe|nov[éý]"
    rf"|uusi|új|yeni|нов\w+)\b|新|새)){_END})"
)
_CURRENT = (
    rf"{_FOR}{_A_PASSWORD}(?:\W*(?:enter )?(?:your )?(?:current|old)\b"
    r"|[^@'\n]*(?:\b(?:aktuelles?|altes|derzeitiges|geltendes|actuel|actual|attuale|atual|obecne"
    r"|současné|aktuálne|huidig|nuvarande|nuværende|nåværende|nykyinen|текущий|поточний|mevcut)\b"
    rf"|当前|目前|現在|现在|현재)){_END}"
)
_HIDDEN = rf"(?i)(?:{_PASSWORD_WORD}){_END}"
# Only su, sudo or doas ask at that place, and only for a password, in whatever words.
_ANYTHING = r"[:：>?][ \t]*\Z"
_NAME = r"(?i)(?:login|user ?name|user): *\Z"
_FINGERPRINT = r"(?:\(yes/no/\[fingerprint\]\)\?|or the fingerprint:) *\Z"

# What it says of itself when it fails; the first that is there counts. It needs no entry that a
# password was wrong: it was given, and there was no shell.
FAILURES = (
    ("host_key_changed", r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key mismatch"),
    (
        "host_key_unknown",
        r"Host key verification failed|No \S+ host key is known|not in the trusted hosts file"
        r"|(?:or the fingerprint:|continue connecting[^\n]*)\s*(?:\^C\s*)?\Z",
    ),
    (
        "unknown_host",
        r"Could not resolve|Name or service not known|Temporary failure in name resolution"
        r"|nodename nor servname|(?i:unknown host)|No address associated"
        r"|Dienst ist nicht bekannt|Fehler bei der Namensauflösung",
    ),
    (
        "unreachable",
        r"No route to host|(?:Network|Host) is unreachable|[Tt]imed out|Host is down"
        r"|No such device|cannot open device|could not open|E open\(|Keine Route zum"
        r"|nicht erreichbar|Wartezeit für die Verbindung",
    ),
    (
        "too_many_attempts",
        r"Too many (?:authentication|login) (?:failures|attempts)",
    ),
    (
        "locked",
        r"(?i)account (?:is |has been |temporarily )*locked|locked (?:due|out)|account .*disabled"
        r"|account has expired|account.* not available for authentication|Konto .*gesperrt"
        r"|Konto ist abgelaufen",
    ),
    (
        "expired_password",
        r"(?i)password (?:has|have) expired|must change your password|change your password now"
        r"|password change required|required to change|Passwort (?:sofort )?ändern"
        r"|Passwort ist abgelaufen",
    ),
    (
        "no_such_user",
        r"(?i)user \S+ does not exist|no such user|unknown user|unknown id|unable to find user"
        r"|no passwd entry|no matching entries in passwd|invalid user|unknown login"
        r"|unbekannter Benutzer|Benutzer \S+ existiert nicht",
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
        r"|ssh_dispatch_run_fatal"
        r"|connection (?:reset|closed) by (?!foreign)|must be run from a terminal"
        r"|permission to access|cannot connect to the|was refused|Verbindungsaufbau abgelehnt"
        r"|nicht in der sudoers|darf .* nicht (?:ausführen|verwenden)"
        # No password was asked for.
        r"|permission denied \((?:publickey|hostbased|gssapi[\w-]*|,)+\)",
    ),
    (
        "wrong_password",
        r"(?i)permission denied|authentication (?:failure|failed|token)|sorry, try again"
        r"|login incorrect|incorrect password|a password is required|access denied"
        r"|Fehler bei Authentifizierung|Authentifizierungsfehler|bitte nochmal probieren"
        r"|Login fehlerhaft|Falsches Passwort",
    ),
)
MAY_PASS = ("refused", "unreachable", "unknown_host", "timed_out", "closed", "no_such_container")
"""The reasons that may pass by themselves while a machine comes up."""


def reason(said: str, *, gave_secret: bool) -> str:
    """Return the reason for a failure: what the other side *said*, or that a secret was refused."""
    if re.search(_NEW, said.rpartition("\n")[2]):
        return "expired_password"
    for name, pattern in FAILURES:
        if re.search(pattern, said):
            weak = name in ("refused", "no_shell", "unreachable")
            denied = re.search(dict(FAILURES)["wrong_password"], said)
            return "wrong_password" if weak and denied and gave_secret else name
    return "wrong_password" if gave_secret else "closed"


def asks_for_new(line: str) -> bool:
    """Whether a *line* asks for a new password."""
    return re.search(_NEW, line) is not None


def asks(line: str) -> bool:
    """Whether a *line* that somebody waits behind asks for what is no command."""
    return any(re.search(one, line) for one in (_HIDDEN, _PASSPHRASE, _CODE, _NAME, _CURRENT, _NEW))


def asks_for_change(line: str) -> bool:
    """Whether a *line* that somebody waits behind asks for the old or the new password."""
    return any(re.search(one, line) for one in (_CURRENT, _NEW))


class Way:
    """How to come to a shell: what to type, and what to answer."""

    def __init__(
        self,
        command: str,
        *,
        answers: Sequence[Answer] = (),
        timeout: Limit = DEFAULT,
        shell: str | None = None,
        ask: bool = False,
        password: Given = None,
        wakes: bool = False,
        own_status: int | None = None,
        own_questions: Collection[str] = (),
        called: str = "",
    ) -> None:
        if not command.strip():
            raise UsageError("an empty command logs in to nothing")
        frames.encode(command)
        self.command = command
        """What is typed, in the shell that is left."""
        self.called = called or command
        """The same in short, for messages."""
        self.answers = tuple(answers)
        self.timeout = timeout
        """How long it may take; unless it says so, as long as the session has it."""
        self.shell = shell
        """The shell to have there, by its name; without it the user's own, or bash, or sh."""
        self.ask = ask
        """Whether the person at the terminal is asked what nobody else answers."""
        self.password = Secret(password) if isinstance(password, str) else password
        """What ``send(..., sudo=True)`` may give there."""
        self.wakes = wakes
        """Whether somebody has to press Enter before anything is said: a serial line."""
        self.own_status = own_status
        """What the command itself fails with, where every other status is the other side's."""
        self.own_questions = frozenset(own_questions)
        """The patterns of what only the command itself asks, and never who is behind it."""

    def __repr__(self) -> str:
        return f"<Way {self.command!r}>"


def login(
    command: str | Sequence[str],
    *,
    user: str | None = None,
    password: Given = None,
    passphrase: Given = None,
    otp: Given = None,
    new_password: Given = None,
    answers: Answers | None = None,
    timeout: Limit = DEFAULT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Log in with *command*, which may be anything that ends in a shell on a terminal.

    *user* and *password* are given when they are asked for, as are *passphrase*, which unlocks a
    key, *otp*, a one-time code, and *new_password* where the old one has expired; each is a string,
    a :class:`Secret` or a function that returns one. *answers* are for anything else, and come
    first. *shell* is the one to have there; without it the user's own, or bash, or sh. With *ask*
    the person at the terminal is asked what has no answer.
    """
    line = command if isinstance(command, str) else " ".join(map(quote, command))
    return Way(
        line,
        answers=_answers(
            answers,
            password,
            user=user,
            otp=otp,
            new_password=new_password,
            passphrase=passphrase,
        ),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=password,
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
    timeout: Limit = DEFAULT,
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
    total = Limits(DEFAULT_LIMIT).but(timeout, None).total
    if total is not None:
        settings["ConnectTimeout"] = max(1, int(total))
    if host_key not in policies:
        # Of a key that it knows it would ask nothing, whatever its fingerprint is.
        nowhere = dict.fromkeys(("UserKnownHostsFile", "GlobalKnownHostsFile"), os.devnull)
        settings.update(nowhere, VerifyHostKeyDNS="no")
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
    entries = dialogue.table(answers)
    if host_key not in policies:
        entries = (*entries, Answer(_FINGERPRINT, host_key))
    return Way(
        " ".join(map(quote, words)),
        called=f"ssh {user}@{host}" if user else f"ssh {host}",
        answers=_answers(
            entries, password, otp=otp, new_password=new_password, passphrase=passphrase
        ),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=password,
        own_status=255,
        own_questions=(_PASSPHRASE, _CODE, _HIDDEN),
    )


def su(
    user: str = "root",
    *,
    password: Given = None,
    new_password: Given = None,
    answers: Answers | None = None,
    timeout: Limit = DEFAULT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Become *user* with ``su -``, with that user's password."""
    _checked_name(user)
    return Way(
        f"su - {quote(user)}",
        answers=_answers(answers, password, new_password=new_password, anything=True),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=password,
    )


def sudo(
    user: str = "root",
    *,
    password: Given = None,
    program: str = "sudo",
    answers: Answers | None = None,
    timeout: Limit = DEFAULT,
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
        answers=_answers(answers, password, anything=True),
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
    timeout: Limit = DEFAULT,
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
    return Way(
        line,
        called=f"{found} {name}",
        answers=dialogue.table(answers),
        timeout=timeout,
        shell=shell,
        ask=ask,
    )


def chroot(
    path: str | os.PathLike[str],
    *,
    user: str | None = None,
    timeout: Limit = DEFAULT,
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
    timeout: Limit = DEFAULT,
    shell: str | None = None,
    ask: bool = False,
) -> Way:
    """Log in over a serial line: a device, which socat opens, or a command that is connected to it.

    Whoever is logged in there already is asked nothing. Leaving logs out, and closes the line.
    """
    command = line
    if re.fullmatch(r"/\S+", line):
        command = f"socat -,rawer {quote(f'open:{line},rawer,b{speed}')}"
    return Way(
        command,
        answers=_answers(answers, password, user=user, new_password=new_password),
        timeout=timeout,
        shell=shell,
        ask=ask,
        password=password,
        wakes=True,
    )


# One command as another user


def sudo_prompt() -> str:
    """Return words for sudo to ask for a password with, which nothing else says."""
    return f"[shellbot {frames.new_key()[:8]}] password:"


class AsRoot:
    """How to run one *command* as root, in a *shell* of its own."""

    def __init__(self, command: str, *, privilege: str, shell: str, password: Given) -> None:
        rows = {"sudo": f"sudo -p {quote(sudo_prompt())} --", "doas": "doas --"}
        if privilege not in rows:
            raise UsageError("neither sudo nor doas is there, and the user is not root")
        mark = frames.new_key()
        # In two parts, as a trace shows the command; and to the terminal, wherever its output goes.
        told = f"{{ printf %s%s {mark[:4]} {mark[4:]} >/dev/tty; }} 2>/dev/null"
        self.line = f"{rows[privilege]} {shell} -c {quote(f'{told}; {command}')}"
        """What to type."""
        self.mark = mark.encode()
        """What is written before what the command writes. All in front of it is the dialogue."""
        self.answers = _answers(None, password, anything=True)
        """What to answer."""


def _answers(
    answers: Answers | None,
    password: Given,
    *,
    user: str | None = None,
    otp: Given = None,
    new_password: Given = None,
    passphrase: Given = None,
    anything: bool = False,
) -> tuple[Answer, ...]:
    rows = (
        (_PASSPHRASE, passphrase, 1),
        (_CODE, otp, 1),
        (_NEW, new_password, 2),
        (_CURRENT, password, 1),
        (_ANYTHING if anything else _HIDDEN, password, 1),
    )
    name = () if user is None else (Answer(_NAME, user),)
    secrets = (
        # The old password is never set as the new one.
        Answer(_NEW, lambda match: None, times=None, secret=True)
        if given is None
        else Answer(pattern, _replier(given), times=times, secret=True)
        for pattern, given, times in rows
        if given is not None or pattern == _NEW
    )
    return (*dialogue.table(answers), *name, *secrets)


def _replier(given: Given) -> Secret | Callable[[re.Match[str]], Reply]:
    if isinstance(given, Secret):
        return given
    if isinstance(given, str):
        return Secret(given)
    if not callable(given):
        raise UsageError(f"a password is a string, a Secret or a function, not {given!r}")
    return lambda match: given()


def _checked_name(user: str) -> None:
    if not user or user.startswith("-") or re.search(r"[\s:/]", user):
        raise UsageError(f"{user!r} is no user's name")
