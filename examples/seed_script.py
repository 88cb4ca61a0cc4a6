# ruff: noqa
# fmt: off
"""Two scripts for shellbot's ancestor, shutit, with nothing but their import line changed."""

import os
import tempfile

place = tempfile.TemporaryDirectory()
os.chdir(place.name)

# The first says what this machine is called.
import logging
import shellbot as shutit_standalone
session = shutit_standalone.create_bash_session()
session.log('Hostname of server is: ' + session.send_and_get_output('hostname'), level=logging.CRITICAL)

# The second waits for a file that a background job makes.
session.send('rm -f newfile && sleep 2 && touch newfile &')
session.send_until('ls newfile | wc -l', '1')

session.close()
place.cleanup()
