"""Clients that are slow, that take nothing, that leave in the middle: hundreds at once, while a reader is served within two seconds.

How long each may stand still is said in docs/guides/run-it.md and in the code of the doors; what holds on longer is a fault.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import oracle
import pgwire
from ground import Ground
from http1 import ATTACKER, cut, request, reset
from http2 import DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, frame, settings, write_headers
from normal import Meanwhile, Normal
from oracle import Fault
from sent import head
from server import ANSWER, SILENCE, TAKING, Server

# Seconds beyond what is granted, for a machine with two cores that others use as well.
GRACE = 8
# Longest time from the first byte to a session of PostgreSQL; of a body; what Flight grants who says nothing, and who answers no ping.
STARTUP, BODY, MUTE, PINGED = 20, 10, 60, 40
# More than the buffers of a connection hold, so that it keeps one of the places where questions are computed.
LARGE = "select lpad(cast(value as varchar), 1000, 'x'), indicator, time_period from published.indicator_values limit 20000"


@dataclass
class Client:
    """A connection that does little, and for how long it may."""

    kind: str
    port: int
    first: bytes
    # Seconds after which the server must have closed it; none: the client leaves by itself at once.
    granted: float | None
    # What is sent each second.
    drop: bytes = b""
    # How much of the answer is taken each second; none: all.
    takes: int | None = None
    receives: int | None = None
    leaves: str = ""
    source: str = ATTACKER
    line: socket.socket = field(default_factory=socket.socket, repr=False)
    began: float = 0.0
    ended: float | None = None
    got: bytes = field(default=b"", repr=False)
    last: float = 0.0

    def open(self) -> None:
        if self.receives:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receives)
        self.line.bind((self.source, 0))
        self.line.connect(("127.0.0.1", self.port))
        self.began = self.last = time.monotonic()
        self.line.sendall(self.first)
        if self.leaves == "half":
            self.line.shutdown(socket.SHUT_WR)
        elif self.leaves == "reset":
            reset(self.line)
            self.ended = self.began

    def tick(self, now: float, connections: str) -> None:
        """What it does each second; `connections` are those of the kernel."""
        if self.ended is not None or now - self.last < 1:
            return
        self.last = now
        try:
            # Of who takes little the server is gone before the last that is on its way has come.
            if self.takes is not None and not self.is_open(connections):
                self.ended = now
                return
            readable, _, _ = select.select([self.line], [], [], 0)
            if readable and self.takes != 0:
                more = self.line.recv(self.takes or 1 << 18)
                if not more:
                    self.ended = now
                    return
                self.got = (self.got + more)[-65_536:]
            if self.drop:
                self.line.send(self.drop)
        except OSError:
            self.ended = now

    def is_open(self, connections: str) -> bool:
        """Whether the server still has it, as the kernel knows: behind an answer that nobody takes its farewell does not arrive."""
        return re.search(f":{self.port:04X} [0-9A-F]+:{self.line.getsockname()[1]:04X} 01 ", connections) is not None


CONNECTIONS = Path("/proc/net/tcp")
Make = Callable[[Server, Random], Client]


def kinds(server: Server) -> list[tuple[int, Make]]:
    """Of 400 clients so many of each kind."""
    ports = server.ports
    sql = request("POST", "/v1/sql", {"Content-Type": "text/plain"}, LARGE.encode())
    unfinished = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    begun = b"POST /v1/sql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\nselect"
    page = head("/v1/editions/1/archive.zip", close=False)
    return [(70, lambda _, r: Client("head a line a second", ports.http, unfinished, SILENCE, drop=b"x-%d: 1\r\n" % r.randrange(9))),
            (20, lambda _, r: Client("head of the registry", ports.gateway, unfinished, 75, drop=b"x: 1\r\n")),
            (50, lambda _, r: Client("body a byte a second", ports.http, begun, BODY, drop=b" ")),
            (10, lambda _, r: Client("chunks a byte a second", ports.http,
                                     begun.replace(b"Content-Length: 60000", b"Transfer-Encoding: chunked").replace(b"\r\nselect", b"\r\n"),
                                     BODY, drop=b"1\r\n \r\n")), (30, lambda _, r: Client("says nothing to HTTP", ports.http, b"",
                                                                                          SILENCE)),
            (40, lambda _, r: Client("takes no answer", ports.http, page * 60, TAKING, takes=0, receives=4096)),
            (30, lambda _, r: Client("half closed", ports.http, head(r.choice(["/v1/indicators", "/healthz"]), close=False), SILENCE,
                                     leaves="half")), (60, lambda _, r: Client("resets in the middle", ports.http,
                                                                               r.choice([unfinished, begun, page, sql]), None,
                                                                               leaves="reset")),
            (15, lambda _, r: Client("says nothing to PostgreSQL", ports.postgres, b"", STARTUP)),
            (15, lambda _, r: Client("half a startup packet", ports.postgres, pgwire.startup()[: r.randint(1, 20)], STARTUP)),
            (10, lambda _, r: Client("proves nothing", ports.postgres, pgwire.startup("analyst"), STARTUP)),
            (15, lambda _, r: Client("resets a session", ports.postgres, pgwire.startup() + pgwire.query(LARGE), None, leaves="reset")),
            (15, lambda _, r: Client("says nothing to Flight", ports.flight, b"", MUTE)),
            (10, lambda _, r: Client("answers no ping", ports.flight, PREFACE + settings(), PINGED)),
            (8, lambda _, r: Client("preface a byte a second", ports.flight, PREFACE[:3], MUTE, drop=b"")), (1, holds_by_http2),
            (1, lambda _, r: Client("takes its rows too slowly", ports.postgres, pgwire.startup() + pgwire.query(LARGE), ANSWER,
                                    takes=150_000, receives=65_536, source="127.0.0.9")),]


def holds_by_http2(server: Server, _: Random) -> Client:
    """Asks by HTTP/2, grants no window for the answer, and shows now and then that it is there. Else it is closed at once."""
    headers = write_headers([(":method", "POST"), (":scheme", "http"), (":path", "/v1/sql"), (":authority", "127.0.0.1"),
                             ("content-type", "text/plain")])
    first = PREFACE + settings((4, 0)) + frame(HEADERS, END_HEADERS, 1, headers) + frame(DATA, END_STREAM, 1, LARGE.encode())
    return Client("takes nothing of a stream of HTTP/2", server.ports.http, first, ANSWER, drop=frame(PING, 0, 0, b"12345678"),
                  source="127.0.0.9")


def run(ground: Ground) -> None:
    """All kinds at once, until the longest time that any is granted is over."""
    server = ground.server
    all_kinds = kinds(server)
    makers = [make for count, make in all_kinds for _ in range(max(1, count * ground.count // 400))]
    clients = [make(server, ground.random(number)) for number, make in enumerate(makers)]
    live = [(number, client) for number, client in enumerate(clients) if ground.at in (None, number)]
    normal = Normal(server)
    normal.before = {"/readyz": 200, "a page": 200, "HTTP": normal.http()}
    with ground.watched(), Meanwhile(normal) as meanwhile:
        for number, client in live:
            try:
                client.open()
            except OSError as error:
                ground.note(number, Fault(f"{client.kind}: {error}"))
                client.ended = 0.0
        longest = max((client.granted or 0 for _, client in live), default=0) + GRACE
        end = time.monotonic() + longest
        while time.monotonic() < end and any(client.ended is None for _, client in live):
            now, connections = time.monotonic(), CONNECTIONS.read_text()
            for _, client in live:
                client.tick(now, connections)
                if client.kind.startswith("takes nothing of a stream") and b"\0\0\x04\x03\0\0\0\0\x01" in client.got:
                    client.ended = client.ended or now
            time.sleep(0.2)
    for number, client in live:
        ground.done += 1
        try:
            judge(server, client)
        except Fault as fault:
            ground.note(number, fault)
        client.line.close()
    for what in meanwhile.slow[:50]:
        ground.note(-1, Fault(f"meanwhile a reader was not served within {meanwhile.longest:.0f} s: {what}"))
    print(f"     slow: a reader asked {meanwhile.asked} times meanwhile, the slowest answer took {meanwhile.slowest:.1f} s", flush=True)


def judge(server: Server, client: Client) -> None:
    """Whether it was closed in time, and told nothing that it should not be."""
    oracle.look(server, client.first, client.got)
    for answer in cut(client.got, [], True)[0]:
        oracle.one(server, client.first, answer, gateway=client.port == server.ports.gateway)
    took = None if client.ended is None else client.ended - client.began
    if client.granted is not None and (took is None or took > client.granted + GRACE):
        raise Fault(f"{client.kind}: {'still open' if took is None else f'closed after {took:.0f} s'}, granted are {client.granted:.0f} s",
                    client.first)
