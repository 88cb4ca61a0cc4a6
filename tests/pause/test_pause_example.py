"""The example with a pause in it, and somebody who takes the look around that it offers."""

from __future__ import annotations

from collections.abc import Callable

from pause.seats import ROOT, Seat

EXAMPLE = ROOT / "examples" / "pause_script.py"


def test_the_seed_script_with_a_pause(seat: Callable[..., Seat]) -> None:
    at = seat(f"import runpy\ntold['names'] = list(runpy.run_path({str(EXAMPLE)!r}))", after="")
    at.sees("Take a look around!")
    at.sees("depth 1.")
    at.sees_prompt()
    at.type("echo $$ >&2; touch newfile; ls\r")
    at.sees("newfile\r\n")
    at.goes_on()
    told = at.told()
    assert told["done"], told
