"""Requests that change something, as a page of another origin makes a browser send them: with its cookie, without its meaning it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import oracle
from ground import Ground
from http1 import exchange, request
from oracle import Fault
from people import Operator, Session

# Statuses of what is refused; the code that is expected most is other_origin.
REFUSED = {400, 401, 403, 404, 405, 413, 415, 422, 429}
# Requests by which a session is used as many pages at once would use it, and how many of them come on one connection.
MANY, AT_ONCE = 12_000, 40
CHANGES: list[tuple[str, str, dict[str, Any] | None]] = [("POST", "/v1/people", {"name": "forged", "role": "operator"}),
                                                         ("DELETE", "/v1/people/analyst", None), ("DELETE", "/v1/people/csrf-other", None),
                                                         ("DELETE", "/v1/session", None),
                                                         ("POST", "/v1/sql", {"sql": "select count(*) from victims"}),
                                                         ("PUT", "/v1/questions/forged", {"title": "x", "sql": "select 1"}),
                                                         ("DELETE", "/v1/questions/forged", None)]
ELSEWHERE = ("https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:{}.evil.example",
             "http://evil.example:{}", "file://", "http://localhost:{}", "", "http://127.0.0.1:{}@evil.example", "x" * 3_000)
SITES = ("cross-site", "same-site", "none, cross-site", "x", "", "Cross-Site")


def hammered(ground: Ground, session: Session) -> None:
    """A session that many requests use at once, as a page makes them, stays what it is."""
    sent = b"GET /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: amanat=" + session.cookie.encode() + b"\r\n\r\n"

    def one(_: int) -> bool:
        got = exchange(ground.server.ports.http, sent * AT_ONCE, answers=AT_ONCE, patience=30)
        return all(answer.json()["name"] == session.name for answer in got.answers)

    with ThreadPoolExecutor(12) as pool:
        stays = all(pool.map(one, range(MANY // AT_ONCE)))
    if not stays:
        ground.note(-1, Fault("a session that many requests use at once is over by itself", sent))


def run(ground: Ground) -> None:
    """Nothing of it is done, and afterwards everything is as it was."""
    server, port = ground.server, ground.server.ports.http
    operator = Operator(server)
    mine = operator.session
    _, other = operator.let_in("csrf-other", "steward")
    before = operator.everybody()

    def forgery(random: Random, session: Session, stranger: Session) -> tuple[dict[str, str], bool]:
        """Headers of a request that its session did not mean, and whether they are of the kind that a login is refused for as well."""
        form = random.randrange(8)
        cookie = session.sends(means_it=False)
        if form == 0:
            return cookie, False
        if form == 1:
            wrong = [stranger.csrf, session.csrf[:-1], session.csrf + "0", session.csrf.upper() + " x", "", "null", session.cookie,
                     "0" * 64, session.csrf[::-1], f"{stranger.csrf}, {session.csrf}"]
            return cookie | {"amanat-csrf": random.choice(wrong)}, False
        if form == 2:
            return cookie | {"X-CSRF-Token": session.csrf, "X-XSRF-TOKEN": session.csrf,
                             "Cookie": f"amanat={session.cookie}; amanat-csrf={session.csrf}"}, False
        if form == 3:
            return session.sends() | {"Origin": random.choice(ELSEWHERE).format(port)}, True
        if form == 4:
            return session.sends() | {"Sec-Fetch-Site": random.choice(SITES)}, True
        if form == 5:
            # A cookie that a page of a neighbour has put beside the right one.
            return {"Cookie": f"amanat={session.cookie}; amanat={stranger.cookie}", "amanat-csrf": stranger.csrf}, False
        if form == 6:
            # A name of the attacker's that leads to this machine.
            return cookie | {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin", "Host": "evil.example"}, False
        return cookie | {"Referer": f"http://127.0.0.1:{port}/people", "Origin": f"http://127.0.0.1:{port}",
                         "Sec-Fetch-Site": "same-origin"}, False

    def attempt(number: int, random: Random) -> None:
        session, stranger = (mine, other) if number % 2 else (other, mine)
        headers, also_for_login = forgery(random, session, stranger)
        method, path, body = random.choice(CHANGES)
        if also_for_login and random.random() < 0.3:
            method, path, body = random.choice([("POST", "/v1/session", {"name": "administrator", "password": "x"}),
                                                ("POST", "/v1/welcome", {"token": "0" * 64, "password": "a password of mine"})])
        data = json.dumps(body).encode() if body is not None else b""
        kind = "application/json"
        if random.random() < 0.2:
            # What a form can send: another kind, and no DELETE.
            kind = random.choice(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "text/plain; application/json"])
            method, headers = ("POST", headers | {"X-HTTP-Method-Override": method, "X-Method-Override": method})
        elif random.random() < 0.1:
            method, path = random.choice(["GET", "HEAD"]), f"{path}?_method={method}&amanat-csrf={session.csrf}&name=forged&role=operator"
        host = headers.pop("Host", f"127.0.0.1:{port}")
        sent = request(method, path, headers | ({"Content-Type": kind} if data else {}), data, host)
        got = exchange(port, sent, heads=(method == "HEAD",), patience=20)
        own = (session.cookie, session.csrf, stranger.cookie, stranger.csrf)
        oracle.answers(server, sent, got, own=own)
        status = got.answers[-1].status if got.answers else 0
        if status not in REFUSED and not (method in ("GET", "HEAD") and status == 200):
            raise Fault(f"{method} {path[:30]} is answered with {status} though its session did not mean it", sent)

    ground.each(attempt, range(ground.count))
    if operator.everybody() != before:
        ground.note(-1, Fault("there are other people than before"))
    hammered(ground, other)
    for session in (mine, other):
        if operator.say("GET", "/v1/session", session.sends()).json()["name"] != session.name:
            ground.note(-1, Fault(f"the session of {session.name} is over"))
    operator.remove("csrf-other")
