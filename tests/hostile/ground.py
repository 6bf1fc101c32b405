"""Where one family of attacks takes place: its share of the requests, its chance, and what was not as it should be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from random import Random

from oracle import Fault
from server import Server

Attempt = Callable[[int, Random], None]


class Ground:
    """A family's place. Each request has a number, and its chance comes from the seed, the family and that number alone."""

    def __init__(self, server: Server, family: str, seed: int, count: int, at: int | None = None) -> None:
        self.server, self.family, self.seed, self.count, self.at = server, family, seed, count, at
        self.faults: list[tuple[int, Fault]] = []
        self.done = 0
        self.most = 0.0
        self.lock = threading.Lock()

    def random(self, number: int) -> Random:
        return Random(f"{self.seed} {self.family} {number}")

    def try_one(self, number: int, attempt: Attempt) -> None:
        """Makes one request, and notes what was not as it should be. One that has ended is attacked no more."""
        if not self.server.is_alive():
            return
        try:
            attempt(number, self.random(number))
        except Fault as fault:
            self.note(number, fault)
        except Exception as error:  # nothing else may happen either: say, a connection that is refused
            self.note(number, Fault(f"{type(error).__name__}: {error}"))
        with self.lock:
            self.done += 1

    def note(self, number: int, fault: Fault) -> None:
        with self.lock:
            self.faults.append((number, fault))

    def each(self, attempt: Attempt, numbers: Iterable[int], at_once: int = 8) -> None:
        """Makes the requests of these numbers, several at once; with `at` that one alone."""
        chosen = [number for number in numbers if self.at is None or number == self.at]
        with self.watched(), ThreadPoolExecutor(at_once) as pool:
            for number in chosen:
                pool.submit(self.try_one, number, attempt)

    def watched(self) -> Watch:
        return Watch(self)


class Watch:
    """Notes the most memory that the server has meanwhile."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.stops = ground, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        going = True
        while going and self.ground.server.is_alive():
            going = not self.stops.wait(0.2)
            try:
                self.ground.most = max(self.ground.most, self.ground.server.resident())
            except OSError:
                return

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.stops.set()
        self.thread.join()


def grows(ask: Callable[[int], None], few: int, many: int, what: str, sent: str) -> None:
    """Refuses what takes twice as long with each level, and so for ever with some more: a few more levels may take a little longer."""
    def took(levels: int) -> float:
        began = time.monotonic()
        ask(levels)
        return time.monotonic() - began

    short, long = (min(took(levels) for _ in range(3)) for levels in (few, many))
    if long > 0.15 and long > 6 * short:
        raise Fault(f"a statement takes {short:.2f} s with {few} {what} and {long:.2f} s with {many}", sent.encode() * many)


def until(holds: Callable[[], bool], seconds: float, step: float = 0.2) -> bool:
    """Whether something holds before the time is over."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
