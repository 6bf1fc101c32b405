"""What was once good, or nearly is: used invitations, ended sessions, keys of who was taken out, tickets of others, spoiled keys."""

from __future__ import annotations

import base64
import json
from random import Random

import oracle
from flight_sql import action, bearer, field, handle_of, packed, question, ticket_of
from ground import Ground, until
from http1 import ask, exchange, request
from http2 import Line, message
from normal import PROTECTED
from oracle import Fault
from people import PASSWORD, Operator, is_known
from pgwire import CANCEL, Session, named, packet

UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND = 16, 7, 5


def run(ground: Ground) -> None:
    """Nothing of it opens anything, at no door."""
    server, ports = ground.server, ground.server.ports
    operator = Operator(server)
    dead: list[str] = []

    # An invitation that was taken, one that was taken back, a session that was ended, and one whose account is gone.
    used, ended = operator.let_in("replay-ended", "steward")
    _, removed = operator.let_in("replay-removed", "steward")
    withdrawn = operator.invite("replay-withdrawn", "operator")
    operator.remove("replay-withdrawn")
    if operator.say("DELETE", "/v1/session", ended.sends()).status != 204:
        raise RuntimeError("a session cannot be ended")
    invitations = [used, withdrawn, server.link]
    dead += [ended.cookie, ended.csrf, removed.cookie, removed.csrf, *invitations]

    # Keys: one that is good, one that is over, one that is taken out while sessions of it are open.
    good, gone = server.key("replay-good"), server.key("replay-gone")
    over = server.key("replay-over", "analyst", "--expires", "2026-01-01")
    agency = server.key("replay-agency", "agency")
    if not (is_known(server, good) and is_known(server, gone) and is_known(server, agency)):
        raise SystemExit("a new key is not known")
    open_session = named(ports.postgres, "replay-gone", gone)
    with Line(ports.flight) as line:
        login = base64.b64encode(f"replay-removed:{PASSWORD}".encode()).decode()
        flight_token = line.call("Handshake", metadata={"authorization": f"Basic {login}"}).headers.get("authorization", "").removeprefix(
            "Bearer ")
        ticket = ticket_of(line.call("GetFlightInfo", message(question(PROTECTED)), metadata=bearer(good)).messages()[0])
        prepared = line.call("DoAction", message(action("CreatePreparedStatement", packed("ActionCreatePreparedStatementRequest",
                                                                                          field(1, PROTECTED)))), metadata=bearer(good))
    if not flight_token or prepared.code != 0 or open_session.how != "ready":
        raise SystemExit("what is to be replayed is not there")
    server.hide(flight_token)
    handle = handle_of(prepared.messages()[0])
    operator.remove("replay-removed")
    server.command("user", "remove", "replay-gone")
    dead += [gone, over, flight_token]
    if not until(lambda: ask(ports.http, "GET", "/v1/session", {"Authorization": f"Bearer {gone}"}).status == 401, 15):
        ground.note(-1, Fault("a key that was taken out opens HTTP after 15 s"))
    rows, refused = open_session.ask(PROTECTED)
    if rows or not refused:
        ground.note(-1, Fault("an open session of PostgreSQL asks on after its key was taken out"))
    open_session.line.close()

    def spoiled(random: Random) -> str:
        at = random.randrange(len(good))
        return random.choice([good[:-1], good + "0", good[:at] + chr(ord(good[at]) ^ 1 << random.randrange(5)) + good[at + 1 :],
                              good.upper(), good[::-1], good.replace("amanat_", ""), f"{good}\t{good}", good[:40], "amanat_" + good])

    def web(random: Random, secret: str) -> None:
        """As a cookie, a bearer, a password, an invitation."""
        sql = json.dumps({"sql": PROTECTED}).encode()
        form = random.randrange(6)
        kind = {"Content-Type": "application/json"}
        if form == 0:
            sent = request("GET", "/v1/people", {"Cookie": f"amanat={secret}"})
        elif form == 1:
            shown = random.choice([ended.csrf, removed.csrf, secret])
            sent = request("POST", "/v1/sql", kind | {"Cookie": f"amanat={secret}", "amanat-csrf": shown}, sql)
        elif form == 2:
            sent = request("POST", "/v1/sql", kind | {"Authorization": f"Bearer {secret}"}, sql)
        elif form == 3:
            basic = base64.b64encode(f"administrator:{secret}".encode()).decode()
            sent = request("GET", "/v1/people", {"Authorization": random.choice([f"bearer {secret}", f"BEARER  {secret}",
                                                                                 f"Basic {basic}"])})
        elif form == 4:
            sent = request("POST", "/v1/welcome", kind, json.dumps({"token": secret, "password": "another password of mine"}).encode())
        else:
            sent = request("DELETE", "/v1/people/analyst", {"Cookie": f"amanat={secret}", "amanat-csrf": secret})
        got = exchange(ports.http, sent, patience=20)
        oracle.answers(server, sent, got, statuses={400, 401, 403, 422})

    def wire(random: Random, secret: str) -> None:
        user = random.choice(["replay-gone", "replay-removed", "replay-ended", "replay-over", "replay-good", "analyst-2"])
        with named(ports.postgres, user, secret) as session:
            if session.how == "ready":
                raise Fault(f"a session of {user} by what is not its key", secret.encode())

    def flight(random: Random, secret: str) -> None:
        name = random.choice(["replay-gone", "replay-removed", "replay-over", "administrator-2"])
        metadata = random.choice([bearer(secret), {"authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}])
        with Line(ports.flight) as line:
            method, body = random.choice([("DoGet", ticket), ("GetFlightInfo", question(PROTECTED)), ("ListActions", b""),
                                          ("Handshake", b"")])
            reply = line.call(method, message(body), metadata=metadata)
        oracle.look(server, secret.encode(), reply.data + reply.said.encode() + str(reply.headers).encode())
        # Who tries too often is told to wait.
        if reply.code not in (UNAUTHENTICATED, 8):
            raise Fault(f"{method} by what is not known: code {reply.code}", secret.encode())

    def of_another(random: Random) -> None:
        """A ticket, a prepared question and a request to cancel of one, brought by another."""
        who = random.choice([{}, bearer(agency), bearer("public")])
        method, body = random.choice([("DoGet", ticket), ("DoGet", field(1, packed("CommandPreparedStatementQuery", field(1, handle)))),
                                      ("GetFlightInfo", field(1, 2) + field(2, packed("CommandPreparedStatementQuery", field(1, handle)))),
                                      ("DoAction", action("ClosePreparedStatement", packed("ActionClosePreparedStatementRequest",
                                                                                           field(1, handle))))])
        with Line(ports.flight) as line:
            reply = line.call(method, message(body), metadata=who)
        oracle.look(server, body, reply.data + reply.said.encode())
        if reply.messages() or reply.code not in (UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, 0 if method == "DoAction"
                                                  else UNAUTHENTICATED):
            raise Fault(f"{method} with what is another's: code {reply.code}", body)

    def cancels(random: Random) -> None:
        """Requests to cancel with what sessions had that are over, or with a guess."""
        with Session(ports.postgres, packet(CANCEL, random.randbytes(8))) as session:
            if list(session.messages(2)) or session.how == "silent":
                raise Fault("who asks to cancel is answered")

    def attempt(number: int, random: Random) -> None:
        secret = spoiled(random) if number % 4 == 3 else random.choice(dead)
        form = number % 10
        if form < 5:
            web(random, secret)
        elif form < 7:
            flight(random, secret)
        elif form == 7:
            wire(random, secret)
        elif form == 8:
            of_another(random)
        else:
            cancels(random)

    ground.each(attempt, range(ground.count))
    after(ground, operator, (good, handle))


def after(ground: Ground, operator: Operator, kept: tuple[str, bytes]) -> None:
    """What is good is as good as before: nobody else has used it up, closed it, or locked it."""
    server, (good, handle) = ground.server, kept
    with Line(server.ports.flight) as line:
        if line.call("DoGet", message(field(1, packed("CommandPreparedStatementQuery", field(1, handle)))),
                     metadata=bearer(good)).code != 0:
            ground.note(-1, Fault("a prepared question is gone that its owner did not close"))
    if "replay-ended" not in {person["name"] for person in operator.everybody()}:
        ground.note(-1, Fault("an account is gone that nobody took out"))
    operator.remove("replay-ended")
