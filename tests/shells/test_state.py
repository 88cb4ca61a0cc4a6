"""What a command changes lasts, and whatever it changes, the session stays in step."""

from __future__ import annotations

from pathlib import Path

import pytest

from shellbot import Session

HI = b"hi there\n"


def in_step(session: Session) -> None:
    for _ in range(3):
        assert session.send("echo hi there", timeout=5).raw == HI
    assert session.send("(exit 5)", check=5, timeout=5).raw == b""
    assert session.send('echo "$?"', timeout=5).raw == b"5\n"


def test_state_lasts(shell: Session, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    shell.send(
        "cd sub; x='a  b'; f() { echo \"f $x\"; }; umask 027; set -- one 'two three'; set -f"
    )
    shell.send("alias hey='echo alias'; trap 'echo usr1' USR1; export Y=exported")
    assert shell.send_and_get_output("pwd").endswith("/sub")
    assert shell.send('echo "$x"; f').raw == b"a  b\nf a  b\n"
    assert shell.send('echo $# "$2" $-; umask').output.startswith("2 two three ")
    assert shell.send("hey").raw == b"alias\n"
    assert shell.send("echo [*]", check=False).raw in (b"[*]\n", b"zsh: no matches found: [*]\n")
    assert shell.send("kill -USR1 $$; :").raw == b"usr1\n"
    assert shell.send("sh -c 'echo $Y; umask'").raw == b"exported\n0027\n"


def test_the_last_status_is_there(shell: Session) -> None:
    shell.send("(exit 7)", check=False)
    assert shell.send("echo $? $((1<<2))").raw == b"7 4\n"
    assert shell.send("echo $?").raw == b"0\n"


@pytest.mark.parametrize("name", ["bash", "dash", "zsh", "mksh"], indirect=True)
def test_the_last_word_is_there(shell: Session) -> None:
    shell.send("echo one two >/dev/null")
    assert shell.send("echo $_").raw == b"two\n"
    shell.send("mkdir made")
    assert shell.send_and_get_output("cd $_ && pwd").endswith("/made")


def test_the_last_background_process_is_there(shell: Session) -> None:
    shell.send("sleep 0 &")
    shell.send("echo between")
    assert shell.send("wait $!; echo $?").raw == b"0\n"
    shell.send("(exit 9) &")
    assert shell.send("wait $!; echo $?").raw == b"9\n"


def test_job_notices_stay_out_of_later_answers(shell: Session) -> None:
    shell.send("sleep 0.05 & sleep 0.01 &")
    for _ in range(20):
        assert shell.send("sleep 0.01; echo hi there").raw == HI


def test_what_a_background_job_prints_between_commands_belongs_to_none(shell: Session) -> None:
    shell.send("(sleep 0.2; echo from the back) &")
    while b"from the back\n" not in shell.unsolicited:
        shell._shell.drain(0.05)
    assert shell.send("echo hi there").raw == HI


# What a command may do to its shell. Each has to succeed where the shell knows it.
DEEDS = [
    # the prompt, and what hooks into it
    "PS1='$ '",
    "PS1='[PEXPECT]# ' PS2='more> ' PS4='++ '; export PS1 PS2 PS4",
    "unset PS1 PS2",
    "readonly PS1",
    "PS1=mine; readonly PS1",
    "readonly PS2",
    # words and names
    "printf() { echo evil; }",
    "echo_() { :; }; command() { echo evil; }",
    "alias printf='echo evil' command='echo evil' builtin='echo evil' eval='echo evil'",
    "alias case='echo evil' if='echo evil' unset='echo evil' set='echo evil' return='echo evil'",
    "test() { return 1; }; true() { return 1; }; false() { return 0; }",
    "unset IFS",
    "IFS=0123456789",
    "IFS=_sb",
    "IFS=",
    "readonly IFS",
    "set -- a b c; shift; set --",
    "PATH=/nonexistent",
    "unset PATH HOME USER TERM LANG LC_ALL",
    "LC_ALL=C",
    "LC_ALL=xx_XX.nonsense 2>/dev/null",
    # options
    "set -u",
    "set -f",
    "set -C",
    "set -a",
    "set -b; :",
    "set -o vi; set +o vi",
    "set -o vi",
    "set +o vi",
    "set -o emacs",
    "set -e",
    "set -eu",
    # traps
    "trap 'echo never' INT",
    "trap '' INT QUIT HUP TSTP",
    "trap 'echo bye' EXIT",
    "trap 'echo caught' USR1; kill -USR1 $$",
    # the shell's own descriptors
    "exec 3>&1 4>&2 5</dev/null",
    "exec 2>/dev/null",
    "exec 2>&-",
    "exec </dev/tty",
    # the terminal
    "stty sane",
    "stty raw",
    "stty -icanon min 1 time 0",
    "stty echo",
    "stty echo onlcr opost icrnl ixon",
    "stty -isig -iexten",
    "stty inlcr igncr istrip",
    "stty olcuc",
    "stty intr x quit q erase e kill k eof f lnext l susp s",
    "stty eol a eol2 b",
    "reset >/dev/null 2>&1 || :",
    "clear >/dev/null 2>&1 || :",
    "printf '\\033c\\033[?1049h\\033[6n' >/dev/null",
    # the rest
    "umask 777",
    "ulimit -c 0",
    "hash -r",
    "cd /",
    "cd /tmp && mkdir -p gone.$$ && cd gone.$$ && rmdir ../gone.$$",
]
BASH_DEEDS = [
    "PROMPT_COMMAND='echo prompt'",
    "PROMPT_COMMAND=('echo a' 'false' 'PS1=x')",
    "PROMPT_COMMAND='PS1=changed; (exit 3)'",
    "PS0='before '",
    "shopt -u promptvars",
    "shopt -s nullglob failglob dotglob extglob nocasematch xpg_echo lastpipe",
    "shopt -u expand_aliases",
    "set -o posix",
    "set -T",
    "set -E",
    "set -k",
    "set +B",
    "set -o history",
    "set -m",
    "set -h +h",
    "f() { set -o vi; }; f",
    "builtin() { echo evil; }",
    "eval() { echo evil; }",
    "unset() { echo evil; }; unalias -a",
    "return() { echo evil; }; set() { echo evil; }; trap() { echo evil; }",
    "local() { echo evil; }; declare() { echo evil; }; read() { echo evil; }; [() { echo evil; }",
    "printf() { echo evil; }; builtin() { echo evil; }; eval() { echo evil; }",
    "enable -n printf",
    "enable -n builtin",
    "builtin() { echo evil; }; unset() { echo evil; }; printf() { echo evil; }",
    "complete -W 'a b' echo",
    'bind \'"x": "y"\' 2>/dev/null || :',
    "declare -r __sb_mine=1",
    "trap 'echo returned' RETURN",
    "trap 'echo child' CHLD; sleep 0",
]
ZSH_DEEDS = [
    "precmd() { echo precmd; }; preexec() { echo preexec; }",
    "precmd_functions=(p); p() { PS1='x '; return 3; }",
    "RPROMPT='right'; PROMPT='left '",
    "setopt prompt_cr prompt_sp",
    "setopt zle",
    "unsetopt prompt_subst",
    "setopt ksh_arrays sh_word_split glob_subst null_glob",
    "setopt no_unset err_return",
    "setopt no_interactive_comments",
    "setopt bang_hist share_history",
    "emulate sh",
    "setopt csh_junkie_quotes",
    "disable printf",
    "emulate ksh",
    "TRAPUSR1() { echo x; }",
    "unfunction -m 'nothing*'; disable -r repeat",
    "builtin() { echo evil; }",
]


def did(session: Session, deed: str) -> None:
    """A deed may fail where a shell does not know it, and must not throw the session."""
    session.send(deed, check=False, timeout=5)


@pytest.mark.parametrize("deed", DEEDS)
def test_the_session_stays_in_step(shell: Session, deed: str) -> None:
    did(shell, deed)
    if " -e" in deed:  # where a status other than 0 ends the shell
        assert shell.send("echo hi there", timeout=5).raw == HI
        assert shell.send("false || echo $?; ! true || :", timeout=5).raw == b"1\n"
        shell.send("set +e")
    in_step(shell)


@pytest.mark.parametrize("deed", BASH_DEEDS)
def test_bash_stays_in_step(bash: Session, deed: str) -> None:
    did(bash, deed)
    bash.send("trap - CHLD RETURN DEBUG", check=False)
    in_step(bash)


@pytest.mark.parametrize("deed", ZSH_DEEDS)
@pytest.mark.parametrize("name", ["zsh"], indirect=True)
def test_zsh_stays_in_step(shell: Session, deed: str) -> None:
    did(shell, deed)
    in_step(shell)


@pytest.mark.parametrize("name", ["bash", "dash", "ash", "zsh", "mksh"], indirect=True)
def test_the_size_of_the_window_may_change(shell: Session) -> None:
    shell.send("stty cols 20 rows 5")
    assert shell.send_and_get_output("stty size") == "5 20"
    in_step(shell)


def test_everything_at_once(shell: Session) -> None:
    for deed in DEEDS:
        if " -e" not in deed and "umask 777" not in deed:
            did(shell, deed)
            assert shell.send("echo hi there", timeout=5).raw == HI


@pytest.mark.parametrize("where", [">", "2>", ">&2 2>"])
def test_redirecting_the_shell_itself(shell: Session, tmp_path: Path, where: str) -> None:
    shell.send(f"exec 8>&1 9>&2; exec {where}log", timeout=5)
    assert shell.send("echo out; echo err >&2; (exit 4)", check=4, timeout=5).exit_code == 4
    shell.send(": more", timeout=5)
    shell.send("exec >&8 2>&9 8>&- 9>&-", timeout=5)
    expected = {">": b"out\n", "2>": b"err\n", ">&2 2>": b"err\n"}
    assert (tmp_path / "log").read_bytes() == expected[where]
    in_step(shell)


def test_a_closed_output_stays_closed_and_the_session_in_step(shell: Session) -> None:
    shell.send("exec 8>&1; exec >&-", timeout=5)
    assert shell.send("echo lost 2>/dev/null", check=False, timeout=5).raw == b""
    shell.send("exec >&8 8>&-", timeout=5)
    in_step(shell)


@pytest.mark.parametrize("name", ["bash", "dash", "ash", "zsh", "ksh93", "mksh"], indirect=True)
def test_a_trace_shows_the_commands_own_lines(shell: Session) -> None:
    assert shell.send("set -x").raw == b""
    traced = shell.send("echo hi there").output
    assert traced.endswith("echo hi there\nhi there\n")
    assert traced.count("\n") == 2
    assert "__sb" not in traced
    shell.send("set +x")
    in_step(shell)


@pytest.mark.parametrize("name", ["bash", "dash", "ash", "zsh"], indirect=True)
def test_verbose_shows_nothing_of_ours(shell: Session) -> None:
    shell.send("set -v")
    shown = shell.send("echo hi there").raw
    assert shown in (HI, b"echo hi there\n" + HI)
    empty = shell.send("printf 'a\\n\\n'").raw
    assert empty in (b"a\n\n", b"printf 'a\\n\\n'\na\n\n")
    shell.send("set +v")
    in_step(shell)


def test_a_debug_trap_runs_for_the_command_only(bash: Session) -> None:
    assert bash.send("trap 'echo debug' DEBUG").raw == b""
    assert bash.send("echo hi there").raw == b"debug\nhi there\n"
    bash.send("trap - DEBUG")
    in_step(bash)


@pytest.mark.parametrize("name", ["bash", "ash", "zsh", "ksh93", "mksh"], indirect=True)
def test_an_error_trap_runs_once(shell: Session) -> None:
    shell.send("trap 'echo error' ERR")
    assert shell.send("false", check=False).raw == b"error\n"
    assert shell.send("echo $?").raw == b"1\n"
    shell.send("trap - ERR")
    in_step(shell)


def test_such_an_error_is_told_although_standard_error_is_elsewhere(
    shell: Session, tmp_path: Path
) -> None:
    shell.send("exec 2>errors")
    for command in (": ${nope?gone}", "echo 'x", ". /nonexistent"):
        assert shell.send(command, check=False, timeout=5).exit_code != 0
        in_step(shell)
    assert b"\x1e" not in (tmp_path / "errors").read_bytes()


def test_a_long_last_word_is_not_passed_on(shell: Session) -> None:
    shell.send(": " + "y" * 200_000)
    assert shell.send("/bin/echo a").raw == b"a\n"


def test_an_error_that_drops_the_line_is_a_result(shell: Session) -> None:
    for command in (": ${nope?gone}; echo no", "readonly r=1; r=2; echo no", ". /nonexistent"):
        result = shell.send(command, check=False, timeout=5)
        assert result.exit_code != 0
        assert b"no\n" not in result.raw
        in_step(shell)
