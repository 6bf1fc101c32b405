"""Hostile requests against Amanat: nothing is served that should not be, the process stays alive, its memory is bounded.

    check.py --program AMANAT --work FOLDER [--seed N] [--requests N] [--only FAMILY,…] [--at NUMBER]

Prints a line for each family, then `N of N` requests that were handled as they should. Each request has a number, and is made from
the seed, its family and that number alone: --only and --at make one again.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import bodies
import csrf
import flight
import headers
import nobody
import paths
import postgres
import replay
import slow
import tls
from ground import Ground, until
from normal import Normal
from oracle import Fault, shown
from server import TIME_LIMIT, Server

# MiB that it may have beyond what it has when it is warm: at the end of a family, and while one goes on.
AFTER, MEANWHILE = 256, 512
# Descriptors that it may have open beyond those of before, some seconds after the last client has left.
LEFT_OPEN = 12


class Family(NamedTuple):
    # Of 10,000 requests.
    share: int
    run: Callable[[Ground], None]
    needs_tls: bool = False


FAMILIES = {
    "headers": Family(2_400, headers.run),
    "paths": Family(2_200, paths.run),
    "bodies": Family(1_400, bodies.run),
    "slow": Family(400, slow.run),
    "postgres": Family(1_200, postgres.run),
    "flight": Family(1_000, flight.run),
    "tls-plain": Family(150, tls.run_plain),
    "csrf": Family(250, csrf.run),
    "replay": Family(250, replay.run),
    "nobody": Family(300, nobody.run),
    "tls": Family(450, tls.run, needs_tls=True),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--only", default=",".join(FAMILIES))
    parser.add_argument("--at", type=int)
    args = parser.parse_args()
    print(f"seed {args.seed}, {args.requests} requests", flush=True)
    server = Server(args.program, args.work)
    try:
        server.start(sample=True)
        server.stop()
        server.start()
        return attack(args, server)
    finally:
        server.stop()


def attack(args: argparse.Namespace, server: Server) -> int:
    normal = Normal(server)
    normal.warm()
    normal.remember()
    normal.again()
    warm, open_before = server.resident(), server.descriptors()
    print(f"warm: {warm:.0f} MiB, {open_before} descriptors; at most {AFTER} MiB more after a family, {MEANWHILE} meanwhile", flush=True)
    done = handled = 0
    for name in args.only.split(","):
        family = FAMILIES[name]
        if family.needs_tls != server.is_tls:
            server.stop()
            server.start(tls=tls.certificate(server.work) if family.needs_tls else None)
            normal.warm()
            normal.again()
            warm, open_before = server.resident(), server.descriptors()
        ground = Ground(server, name, args.seed, max(1, family.share * args.requests // 10_000), args.at)
        began = time.monotonic()
        family.run(ground)
        rests = well(ground, normal, (warm, open_before))
        report(ground, time.monotonic() - began, args.requests)
        if server.is_alive() and not rests:
            server.stop()
            server.start()
        done += ground.done
        handled += ground.done - min(ground.done, len(ground.faults))
        if not server.is_alive():
            break
        # Memory that a family has left behind is told of once, and not again after the next.
        warm = max(warm, server.resident() - AFTER)
    print(f"{handled} of {done}")
    return 0 if handled == done and done > 0 else 1


def well(ground: Ground, normal: Normal, before: tuple[float, int]) -> bool:
    """After a family: the process is alive, answers as before, and has neither memory, descriptors nor words too many. Whether it rests."""
    server, (warm, open_before) = ground.server, before
    found: list[str] = []
    rests = True
    if not server.is_alive():
        found.append(f"the process has ended ({server.process and server.process.returncode})")
    else:
        found += normal.again()
        if not until(lambda: server.descriptors() <= open_before + LEFT_OPEN, 10):
            found.append(f"{server.descriptors()} descriptors are open, {open_before} before")
        rests = until(server.is_idle, TIME_LIMIT + 10)
        if not rests:
            found.append("it computes on, though all clients have left; the next family is asked of one that is started anew")
        if not until(lambda: server.resident() <= warm + AFTER, 5):
            found.append(f"{server.resident():.0f} MiB of memory at the end, {warm:.0f} when it was warm")
        if ground.most > warm + MEANWHILE:
            found.append(f"{ground.most:.0f} MiB of memory meanwhile, {warm:.0f} when it was warm")
    said = server.log()
    if b"panicked" in said:
        at = said.index(b"panicked")
        found.append(f"its log has {said.count(b'panicked')} panics, the first: {shown(said[at : at + 200], 200)}")
    secret = server.told(said)
    if secret:
        found.append(f"its log holds a secret: {shown(secret, 24)}")
    for what in found:
        ground.note(-1, Fault(what))
    return rests


def report(ground: Ground, took: float, requests: int) -> None:
    """One line where all is as it should be, else one for each kind of fault."""
    server = ground.server
    cost = "it has ended"
    if server.is_alive():
        cost = f"{server.resident():.0f} MiB at the end, {ground.most:.0f} at most, {server.descriptors()} descriptors"
    if not ground.faults:
        print(f"ok {ground.family}: {ground.done} requests in {took:.0f} s; {cost}", flush=True)
    kinds: dict[str, list[tuple[int, Fault]]] = {}
    for number, fault in sorted(ground.faults, key=lambda one: one[0]):
        kinds.setdefault(re.sub(r"\d+", "N", fault.what)[:100], []).append((number, fault))
    for same in sorted(kinds.values(), key=len, reverse=True)[:12]:
        number, fault = same[0]
        again = f"--seed {ground.seed} --requests {requests} --only {ground.family} --at {number}" if number >= 0 else "seen after it"
        numbers = f", also {', '.join(str(n) for n, _ in same[1:6])}" + ("…" if len(same) > 6 else "") if len(same) > 1 else ""
        print(f"FAIL {ground.family}: {fault.what} ({len(same)} of {ground.done}; {again}{numbers})"
              + (f": {shown(fault.sent)}" if fault.sent else ""), flush=True)
    if ground.faults:
        print(f"     {ground.family}: {ground.done} requests in {took:.0f} s; {cost}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
