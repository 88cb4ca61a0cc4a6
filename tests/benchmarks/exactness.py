"""One awkward command, run in a fresh session, and judged."""

from __future__ import annotations

import signal
from typing import Any

import cases
from peers import Driver, Place, TimedOut

# A peer that does not keep its time is stopped from outside, some seconds after it was to stop.
GRACE = 3
START = 20


def verdict(peer: Driver, place: Place, case: cases.Case, timeout: float) -> str:
    """What became of *case* with *peer*: a verdict of cases.py, "error" or "timed out"."""
    expected = cases.expected(case)

    def late(*_: Any) -> None:
        raise TimedOut

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(START)
    try:
        session = peer.Peer(place)
        signal.alarm(int(timeout * (1 + len(case.before)) + GRACE))
        for command in case.before:
            session.run(command, timeout)
        found = str(cases.judge(session.run(case.command, timeout), expected))
        signal.alarm(GRACE)
        session.close()
    except TimedOut:
        return "timed out"
    except (Exception, SystemExit):
        return "error"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    return found
