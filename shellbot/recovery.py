"""Get a shell back to its prompt, by ever stronger means."""

from __future__ import annotations

import signal
import termios
import time
from collections.abc import Callable

from .diagnosis import Diagnosis, Look
from .line import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from .processes import Moment

    Step: TypeAlias = tuple[str, float, Callable[[float], object]]

# How soon a shell is at its prompt after Ctrl-C, if nothing holds it up.
_PROMPT = 0.05
# How often a shell that runs a loop is interrupted, and how long it is given each time.
_INSISTENCE, _INSISTENT = 20, 0.03
# How long it may take to find a shell waiting for what it has started.
_HELD = 0.2
# How soon a shell far away is at its prompt.
_ANSWERED = 0.5


class Recovery:
    """One way back from a command that is stopped."""

    def __init__(self, line: Line, diagnosis: Diagnosis | None) -> None:
        self._line = line
        self.diagnosis = diagnosis or Diagnosis("silent", because="it is being stopped")
        """What the command was doing."""
        self._interrupted: Moment | None = None
        """By when it was interrupted last, what it waited for included."""

    def run(self) -> str:
        """Get the shell to its prompt, and return what it took."""
        assert self._line.since
        since, terminal, diagnosis = self._line.since, self._line.terminal, self.diagnosis
        if self._line.answered(time.monotonic()):
            return self._recovered("nothing, as it had just ended by itself", since)
        steps = self._steps_from_afar() if self._line.relayed else self._steps()
        if self._line.relayed:
            pass
        elif diagnosis.kind == "shell":
            if diagnosis.pid == self._line.pid:
                self._line.lost = (
                    f"the shell was replaced by another one, {diagnosis.process}, which login() "
                    "is for"
                )
                raise self._line.gone(self._line.parser.take_output())
            # Nothing but the end of its input, or death, makes it leave.
            steps.insert(0, ("Ctrl-D", 1.0, lambda deadline: self._leave(deadline, inner=True)))
        elif terminal.pass_on(b"\x03") and self._line.answered(time.monotonic() + 0.5):
            return self._recovered("Ctrl-C", since)
        for name, bound, act in steps:
            deadline = time.monotonic() + bound
            act(deadline)
            if self._line.answered(min(deadline, time.monotonic() + _PROMPT)):
                return self._recovered(name, since)
            if not self._line.relayed:
                terminal.rouse()
            if self._line.answered(deadline):
                return self._recovered(name, since)
        # It may go on for ever by itself, as a loop does with a trap of its own.
        line = self._line
        outer = line.watched if line.relayed else line.outer
        if outer:
            line.end_behind_relay(time.monotonic() + _ANSWERED)
            outer.leave_by_force()
            line.lose(outer, "the login had to be ended, as nothing else stopped its last command")
            return f"ending the login to {line.where}, so that level is lost"
        terminal.kill()
        terminal.close()
        line.lost = "the shell had to be killed, as nothing else stopped its last command"
        return "killing the shell itself, so the session is lost"

    def _steps_from_afar(self) -> list[Step]:
        """What is left where nothing but keys reaches the shell."""
        line = self._line
        return [
            ("Ctrl-C", 1.0, self._interrupt),
            ("Ctrl-C again", 1.0, self._interrupt_and_ask),
            ("Ctrl-\\", 1.0, lambda deadline: line.press(termios.VQUIT, deadline)),
            ("Ctrl-\\", 1.0, self._interrupt_and_ask),
        ]

    def _steps(self) -> list[Step]:
        return [
            ("Ctrl-C", 0.3, self._interrupt),
            ("Ctrl-C", 0.7, self._insist),
            ("Ctrl-C again", 0.4, self._interrupt),
            ("Ctrl-\\", 0.4, lambda deadline: self._line.press(termios.VQUIT, deadline)),
            ("Ctrl-D", 0.4, lambda deadline: self._leave(deadline, inner=False)),
            ("hanging up on what it had started", 0.3, self._hang_up),
            ("killing what it had started", 0.5, self._kill),
            # What was killed may have read the last question in the shell's place.
            ("killing what it had started", 0.7, self._ask_at_the_prompt),
        ]

    def _recovered(self, name: str, since: Moment) -> str:
        assert self._line.parser.status is not None
        self._line.status = self._line.parser.status
        left = [] if self._line.relayed else self._line.terminal.end_since(since)
        self._line.settle()
        self._line.since = None
        if left:
            name += f", and ending what it had left on the terminal: {', '.join(left)}"
        return name

    def _interrupt(self, deadline: float) -> None:
        if self._interrupt_between(deadline):
            self._interrupted = self._line.terminal.clock.now()
        else:
            self._press(deadline)

    def _interrupt_between(self, deadline: float) -> bool:
        """Interrupt a shell that starts one program after another; say whether it is one."""
        line = self._line
        if not line.dialect.hangs_if_interrupted or line.relayed:
            return False
        if not line.since or not line.parser.started:
            return False
        if not line.terminal.is_between(line.pid, line.since):
            return False
        line.parser.heed_interrupt()
        limit = min(_HELD, deadline - time.monotonic())
        return line.terminal.interrupt_waited(line.pid, line.since, limit)

    def _press(self, deadline: float) -> None:
        self._line.press(termios.VINTR, deadline)
        self._interrupted = self._line.terminal.clock.now()
        # What is stopped gets it only as it goes on. Not before it has to: ash 1.35, at its prompt
        # by then, takes the news of that for the end of its input.
        promptly = min(deadline, time.monotonic() + _PROMPT)
        if self._line.since and not self._line.answered(promptly) and not self._line.relayed:
            self._line.terminal.resume_since(self._line.since)

    def _interrupt_and_ask(self, deadline: float) -> None:
        line = self._line
        line.press(termios.VINTR, deadline)
        if not line.answered(min(deadline, time.monotonic() + _ANSWERED)):
            if not line.parser.started:
                line.type(line.dialect.abandon, deadline)
            line.type(line.dialect.question(line.number), deadline)

    def _insist(self, deadline: float) -> None:
        """Do for a shell what Ctrl-C alone does not."""
        if self._line.dialect.abandon and not self._line.parser.started:
            self._line.type(self._line.dialect.abandon, deadline)
            self._ask_at_the_prompt(deadline)
            return
        # A shell in a loop takes no notice where the program that it waits for ends by itself.
        for _ in range(_INSISTENCE):
            if self._line.pid in Look(self._line.scene()).readers:
                self._ask_at_the_prompt(deadline)
                break
            self._interrupt_once_more(deadline)
            answered = self._line.answered(min(deadline, time.monotonic() + _INSISTENT))
            if answered or time.monotonic() > deadline:
                break

    def _interrupt_once_more(self, deadline: float) -> None:
        """Interrupt the shell, but no program that was interrupted before and tidies up."""
        terminal, since, before = self._line.terminal, self._line.since, self._interrupted
        if since and before and not terminal.is_held_up(self._line.pid, since, before):
            if terminal.interrupt_waited(self._line.pid, since, _INSISTENT):
                self._interrupted = terminal.clock.now()
            else:
                self._press(deadline)

    def _ask_at_the_prompt(self, deadline: float) -> None:
        """Ask how the frame ended, if the shell is at a prompt that does not tell.

        Such as one that a command has changed for good, or that came before the frame was read.
        """
        if self._line.since and self._line.terminal.is_alone_since(self._line.since):
            self._line.type(self._line.dialect.question(self._line.number), deadline)

    def _leave(self, deadline: float, *, inner: bool) -> None:
        line = self._line
        readers = Look(line.scene()).readers
        is_behind = line.terminal.foreground() != line.pid and line.pid not in readers
        if inner or (is_behind and readers):
            # A shell in the shell gives the terminal back as it leaves. Killed, it does not.
            line.end_input(deadline)
        else:
            self._ask_at_the_prompt(deadline)

    def _hang_up(self, deadline: float) -> None:
        # Ctrl-C also empties the queue of what was typed, which the shell itself is to read next.
        self._press(deadline)
        if self._line.since:
            self._line.terminal.kill_since(self._line.since, signal.SIGHUP)

    def _kill(self, deadline: float) -> None:
        if self._line.since:
            self._line.terminal.kill_since(self._line.since, signal.SIGKILL)
