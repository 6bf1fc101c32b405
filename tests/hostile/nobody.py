"""Every address, asked by who may not use it: by nobody, and by each role that access.toml gives nothing."""

from __future__ import annotations

import re
from random import Random

import oracle
from ground import Ground
from http1 import ask, exchange, request
from oracle import Fault
from people import is_known
from server import found

# What stands in the variable parts of an address.
PARTS = {"id": "V01", "number": "1", "file": "V01.csv", "name": "analyst", "code": "unknown_table", "context": "dataflow",
         "agencyID": "AMANAT", "resourceID": "V01", "version": "latest", "key": "*", "artefactType": "dataflow"}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE")


def table(text: str) -> tuple[list[str], dict[tuple[str, str], dict[str, str]]]:
    """The roles, and for each method and address what each may do there."""
    roles = found(r'^columns = "(.*)"', text).split()
    routes = {}
    for method, path, cells in re.findall(r'^"([A-Z]+) ([^"]+)" *= *"([^"]*)"', text, re.M):
        routes[method, path] = dict(zip(roles, cells.split(), strict=True))
    return roles, routes


def run(ground: Ground) -> None:
    """What is `-` in the table is 401 or 403, and what is not in it is not there."""
    server, port = ground.server, ground.server.ports.http
    roles, routes = table(server.command("config", "access"))
    described = ask(port, "GET", "/openapi.json").json()["paths"]
    for path, methods in described.items():
        for method in methods:
            if (method.upper(), path) not in routes:
                ground.note(-1, Fault(f"access.toml does not speak of {method.upper()} {path}"))
    keys = {role: server.key(f"hostile-{role}", role) for role in roles if role != "public"}
    if not all(is_known(server, key) for key in keys.values()):
        raise SystemExit("a new key is not known")
    paths = sorted({path for _, path in routes} | set(described))
    asked = [(method, path, role) for role in roles for path in paths for method in METHODS]
    # What may not be is asked first, then the rest as far as the number of requests goes.
    forbidden = [one for one in asked if routes.get((one[0].replace("HEAD", "GET"), one[1]), {}).get(one[2]) == "-"]
    chosen = forbidden + ground.random(-1).sample([one for one in asked if one not in forbidden], len(asked) - len(forbidden))

    def attempt(number: int, random: Random) -> None:
        method, path, role = chosen[number % len(chosen)]
        may = routes.get((method.replace("HEAD", "GET"), path), {}).get(role)
        if may == "+" and method in ("POST", "PUT", "DELETE"):
            method = "OPTIONS"  # What is permitted is not tried where it would change something.
        headers = {"Authorization": f"Bearer {keys[role]}"} if role in keys else {}
        if path == "/metrics":
            headers["X-Forwarded-For"] = "192.0.2.1"  # Else they are shown, as documented, to this machine.
        body = b'{"name":"forged","role":"operator"}' if method in ("POST", "PUT") else b""
        filled = re.sub(r"\{(\w+)\}", lambda part: PARTS[part.group(1)], path)
        sent = request(method, filled, headers | ({"Content-Type": "application/json"} if body else {}), body)
        streams = path == "/v1/events"
        got = exchange(port, sent, heads=(method == "HEAD",), patience=0.5 if streams else 15)
        oracle.answers(server, sent, got, waits=streams)
        if not got.answers:
            if streams:
                return
            raise Fault(f"no answer to {method} {path} by {role}: {got.how}", sent)
        status = got.answers[-1].status
        if may == "-" and status not in ((404,) if path == "/metrics" and role != "operator" else (401, 403)):
            raise Fault(f"{method} {path} by {role} is answered with {status}, and access.toml gives it nothing there", sent)
        if may == "-" and role == "public" and path != "/metrics" and status != 401:
            raise Fault(f"{method} {path} by nobody is answered with {status} instead of 401", sent)
        if may is None and status != 405:
            raise Fault(f"{method} {path} is answered with {status}, and access.toml does not speak of it", sent)

    ground.each(attempt, range(ground.count))
