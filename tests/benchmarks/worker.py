"""Runs one measure of one peer, in that peer's environment: `python worker.py PEER MEASURE`.

A JSON task comes on standard input, a JSON answer goes to standard output: figures, or an error.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

from cases import hear_signals
from measures import MEASURES, Figures
from peers import Place, driver


def main() -> None:
    hear_signals()
    name, measure = sys.argv[1:]
    del sys.argv[1:]  # peers that are programs as well would read them
    # What a peer itself prints is no part of the answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    task = json.load(sys.stdin)
    peer = driver(name)
    answer: dict[str, Figures | str]
    try:
        exec(peer.imports, {})  # once, so that no first session has it to do
        place = Place(**task.pop("place"))
        answer = {"figures": MEASURES[measure].run(peer, place, task)}
    except BaseException as error:
        traceback.print_exc()
        first = (str(error).strip().splitlines() or [""])[0]
        answer = {"error": f"{type(error).__name__}: {first}"[:300]}
    json.dump(answer, answers)
    answers.flush()
    # Hundreds of sessions, or threads that never end, are not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
