# ruff: noqa
# fmt: off
"""A third script for shellbot's ancestor: log in somewhere, look around there, wait for a file.

Run it with `sh examples/run pause_script.py`. Ctrl-] goes on. With nothing but its import line
changed; the way in is what SHELL_AT says, or another shell on this machine.
"""

import os
import tempfile

place = tempfile.TemporaryDirectory()
os.chdir(place.name)

import shellbot as shutit_standalone
session = shutit_standalone.create_bash_session()
session.login(os.environ.get('SHELL_AT', 'bash --norc'))
session.send('cd ' + place.name)
session.pause_point('Take a look around!')
session.send('rm -f newfile && sleep 2 && touch newfile &')
session.send_until('ls newfile | wc -l', '1')
session.logout()

session.close()
place.cleanup()
