"""libtmux: a pane of a tmux server, typed to and read from as a screen.

As its guide on automation has it: marks around the output, with the whole scrollback read back and
wrapped lines joined. A channel of tmux is waited for, where the guide polls:
that is quicker. What is longer than tmux takes as keys is pasted from a buffer. The shell has no
echo and no line editor, and its scrollback holds two million lines.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import uuid

from . import Answer, Place, TimedOut

requirements = ["libtmux==0.62.0"]
imports = "import libtmux"
places = ["here"]
keeps_state = True
HERE_ONLY = "its channels and buffers are those of the tmux here"
NOT_OFFERED = {"login": HERE_ONLY, "latency": HERE_ONLY, "link": HERE_ONLY}
AHEAD = {
    "recovery": "Ctrl-C is typed, and nothing is asked before the next command is typed as well.",
    "sessions": "The terminals and all that is on them are kept by the tmux server, which is "
    "another process and not counted.",
    "capture": "It gives back a screen, which has fewer bytes than what was written.",
    "waiting": "It waits for a tmux client, which waits for the server.",
}
MOST_KEYS = 8192


class Peer:
    """A pane with a bash, on a server of its own."""

    def __init__(self, place: Place) -> None:
        import libtmux

        self.directory = tempfile.TemporaryDirectory(prefix="pane-")
        configuration = os.path.join(self.directory.name, "tmux.conf")
        with open(configuration, "w") as file:
            file.write("set -g history-limit 2000000\n")
        self.server = libtmux.Server(
            socket_path=f"{self.directory.name}/s", config_file=configuration
        )
        self.session = self.server.new_session(
            window_command="bash --noprofile --norc --noediting", x=200, y=50
        )
        pane = self.session.active_pane
        assert pane is not None
        self.pane = pane
        self._tmux = f"tmux -S {self.directory.name}/s"
        self.run("stty -echo -icanon -icrnl -ixon; PS1= PS2=", 20)

    def run(self, command: str, timeout: float | None) -> Answer:
        name = uuid.uuid4().hex
        self.pane.reset()
        self._type(
            f"printf '%s\\n' begin-{name}\n{command}\n"
            f"printf '\\n%s %s\\n' end-{name} $?; {self._tmux} wait-for -S {name}\n"
        )
        self._wait(name, timeout)
        lines = self.pane.capture_pane(start="-", join_wrapped=True)
        bare = [line.rstrip(" ") for line in lines]
        begin = bare.index(f"begin-{name}")
        end = next(number for number, line in enumerate(bare) if line.startswith(f"end-{name} "))
        output = "\n".join(bare[begin + 1 : end])
        return Answer(output, status=int(bare[end].split()[1]))

    def recover(self) -> None:
        self.pane.send_keys("C-c", enter=False)

    def close(self) -> None:
        self.server.kill()
        self.directory.cleanup()

    def _type(self, text: str) -> None:
        if len(text.encode("utf-8", "surrogateescape")) <= MOST_KEYS:
            self.pane.send_keys(text, enter=False, literal=True)
            return
        path = os.path.join(self.directory.name, "text")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        self.server.load_buffer(path, buffer_name="text")
        self.pane.paste_buffer(buffer_name="text", delete_after=True, linefeed_separator=True)

    def _wait(self, name: str, timeout: float | None) -> None:
        """Wait for the channel; waiting has no limit of its own, so a timer ends it."""
        if timeout is None:
            self.server.wait_for(name)
            return
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self.server.wait_for(name, set_flag=True)

        timer = threading.Timer(timeout, give_up)
        timer.start()
        try:
            self.server.wait_for(name)
        finally:
            timer.cancel()
        if late.is_set():
            raise TimedOut


def own(place: Place) -> dict[str, float]:
    """What one call of tmux takes, which each of its calls is."""
    import timeit

    return {
        "one tmux -V, s": timeit.timeit(
            lambda: subprocess.run(["tmux", "-V"], capture_output=True, check=True), number=20
        )
        / 20
    }
