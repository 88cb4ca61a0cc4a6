"""Log in to a server, ensure that git is there, and log out.

Run it with `sh examples/run ensure_git.py`. It asks for the server and for your password there,
which sudo is given as well, if it asks for one.
"""

from __future__ import annotations

import sys

import shellbot

with shellbot.bash() as shell:
    server = shell.get_input("Server (user@host): ")
    password = shellbot.Secret(shell.get_input("Password: ", ispass=True))
    try:
        with shell.ssh(server, password=password):
            done = shell.ensure("git")
            print(f"On {shell.where.host} git {'was installed' if done else 'is there'}: ", end="")
            print(shell.send_and_get_output("git --version"))
    except shellbot.SessionError as error:
        sys.exit(str(error))
