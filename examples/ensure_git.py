"""Log in to a server, ensure that git is there, and log out.

Run it with `sh examples/run ensure_git.py`. It asks for the server and for your password there,
which sudo is given as well, if it asks for one.
"""

from __future__ import annotations

import sys

import shellbot

INSTALL = {
    "apt-get": "apt-get install -y git",
    "dnf": "dnf install -y git",
    "yum": "yum install -y git",
    "zypper": "zypper --non-interactive install git",
    "pacman": "pacman -S --noconfirm git",
    "apk": "apk add git",
}

with shellbot.bash(timeout=600) as shell:
    server = shell.get_input("Server (user@host): ")
    password = shellbot.Secret(shell.get_input("Password: ", ispass=True))
    try:
        with shell.ssh(server, password=password):
            if shell.send("command -v git", check=False):
                print(f"On {shell.where.host} git is there: ", end="")
            else:
                command = INSTALL.get(shell.where.manager)
                if command is None:
                    sys.exit(f"{shell.where.system} has no package manager that is known here")
                shell.send(command, sudo=True)
                print(f"On {shell.where.host} git was installed: ", end="")
            print(shell.send_and_get_output("git --version"))
    except shellbot.SessionError as error:
        sys.exit(str(error))
