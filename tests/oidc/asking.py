"""How the checks are counted, and what nobody is to be told."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

passed: list[str] = []
failed: list[str] = []


def need(condition: object, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def check(name: str) -> Callable[[Callable[[], Any]], None]:
    """A check: it passes when its function returns; what that returns is printed."""

    def run(function: Callable[[], Any]) -> None:
        try:
            said = function()
        except Exception as error:  # every failure is counted, whatever it is
            failed.append(name)
            print(f"FAILED {name}: {type(error).__name__ + ': ' if not isinstance(error, AssertionError) else ''}{error}")
        else:
            passed.append(name)
            print(f"ok     {name}" + (f": {said}" if said else ""))
        sys.stdout.flush()

    return run


def conclude() -> int:
    for name in failed:
        print(f"failed: {name}")
    print(f"{len(passed)} of {len(passed) + len(failed)} checks")
    return 1 if failed or not passed else 0


def until(holds: Callable[[], bool], seconds: float, step: float = 0.2) -> float | None:
    """After how many seconds something holds; None where it does not in time."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            return None
        time.sleep(step)
    return time.monotonic() - began


class Secrets:
    """What must stand neither in a log nor in the answer of a refusal: codes, states, tokens, cookies, values of claims."""

    # What is shorter would be found by chance.
    SHORTEST = 8

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.lock = threading.Lock()

    def hide(self, what: str, *values: str | None) -> None:
        with self.lock:
            for value in values:
                if value and len(value) >= self.SHORTEST:
                    self.known[value] = what

    def told(self, text: bytes) -> str | None:
        """Which kind of secret stands in a text, as it is or as URLs, JSON and base64 write it; the secret itself is not said."""
        shown = text.decode(errors="replace")
        with self.lock:
            known = list(self.known.items())
        for value, what in known:
            forms = {value, urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value), json.dumps(value)[1:-1],
                     base64.b64encode(value.encode()).decode().rstrip("=")}
            if any(form in shown for form in forms):
                return what
        return None


secrets = Secrets()
