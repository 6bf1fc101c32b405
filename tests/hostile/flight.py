"""Junk at the door for clients of Arrow Flight SQL: frames of HTTP/2, messages of gRPC, commands, tickets and credentials."""

from __future__ import annotations

import base64
import gzip
import json
from random import Random

import corpus
import oracle
from flight_sql import METHODS, TYPE, action, bearer, command, field, packed, question, varint
from frames import FRAMES, NUMBER
from ground import Ground
from http2 import END_HEADERS, END_STREAM, HEADERS, Line, Reply, frame, message, write_headers
from normal import PROTECTED
from oracle import Fault
from sent import junk
from server import TIME_LIMIT, Server

INTERNAL, UNKNOWN, UNAUTHENTICATED = 13, 2, 16
COMMANDS = ("CommandStatementQuery", "CommandGetTables", "CommandGetDbSchemas", "CommandGetCatalogs", "CommandGetSqlInfo",
            "CommandGetTableTypes", "CommandGetPrimaryKeys", "CommandGetExportedKeys", "CommandGetImportedKeys", "CommandGetCrossReference",
            "CommandGetXdbcTypeInfo", "CommandPreparedStatementQuery", "CommandPreparedStatementUpdate", "CommandStatementUpdate",
            "CommandStatementSubstraitPlan", "CommandStatementIngest", "TicketStatementQuery", "ActionCreatePreparedStatementRequest",
            "DoPutUpdateResult", "Nothing", "")
ACTIONS = ("CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "CancelQuery", "BeginTransaction", "EndTransaction",
           "CreatePreparedSubstraitPlan", "RenewFlightEndpoint", "SetSessionOptions", "GetSessionOptions", "CloseSession", "healthcheck",
           "shutdown", "", "x" * 3_000)
STATEMENTS = corpus.read("hostile.sql") + corpus.read("protected.sql")


def framed(random: Random, body: bytes) -> bytes:
    """A message of gRPC that may lie about its length, or about being compressed."""
    form = random.randrange(12)
    if form == 0:
        return b"\0" + NUMBER.pack(random.choice([0, len(body) + 1, 1 << 18, (1 << 18) + 1, (1 << 32) - 1])) + body
    if form == 1:
        return random.choice([b"\1", b"\2", b"\xff"]) + NUMBER.pack(len(body)) + body
    if form == 2:
        packed_body = gzip.compress(b"\0" * 5_000_000)
        return b"\1" + NUMBER.pack(len(packed_body)) + packed_body
    if form == 3:
        return junk(random, 60)
    if form == 4:
        return message(body) * random.choice([2, 50])
    return message(body)


def spoiled(random: Random, body: bytes) -> bytes:
    data = bytearray(body or b"\0")
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(data))
        data[at : at + 1] = random.choice([bytes([random.randrange(256)]), b"", bytes(data[at : at + 1]) * 3, b"\xff" * 9])
        data = data or bytearray(b"\0")
    return bytes(data)


def some_message(random: Random) -> bytes:
    """A message as one of the calls may take it, or nearly so."""
    one, other = random.choice(STATEMENTS).sql, random.choice(STATEMENTS).sql
    sql = one[:15_000] if random.random() < 0.5 else corpus.spoiled(random, one, other)
    promise = json.dumps({"execution": "0" * 64, "schema": "0" * 32, "sql": sql, "params": [], "companions": False})
    deep = b""
    for _ in range(random.choice([50, 150, 3_000])):
        deep = field(2, deep)
    inner = random.choice([b"", field(1, sql), field(1, "x" * random.choice([10, 100_000])), field(1, b"\xff\xfe"),
                           field(2, varint(1)) * 500, field(3, sql), deep, junk(random, 100), field(1, 1 << 63), field(19, "x")])
    form = random.randrange(12)
    if form == 0:
        return question(sql)
    if form in (1, 2, 3):
        return command(random.choice(COMMANDS), inner)
    if form == 4:
        return command("CommandGetTables", field(1, "%") + field(2, "%" * 3_000) + field(3, "_" * 3_000) + field(5, 1))
    if form == 5:
        return field(1, packed(random.choice(COMMANDS), inner))
    if form == 6:
        return field(1, packed("TicketStatementQuery", field(1, random.choice([promise, "{}", "[]", '{"sql":1}', "x" * 9_000]))))
    if form in (7, 8, 9):
        prepares = packed("ActionCreatePreparedStatementRequest", field(1, sql))
        closes = packed("ActionClosePreparedStatementRequest", field(1, b"x" * 64))
        return action(random.choice(ACTIONS), random.choice([inner, prepares, closes]))
    odd = [field(1, 1) + field(3, "a/b") * 200, field(1, TYPE + "x") + field(2, deep), field(2, field(2, "victims")) + field(1000, sql)]
    return random.choice([*odd, packed(random.choice(COMMANDS), inner), junk(random, 300), b""])


def credentials(random: Random, key: str) -> tuple[dict[str, str], bool]:
    """Metadata that proves somebody or nobody, and whether it must be refused."""
    basic = [base64.b64encode(text).decode() for text in (b"\xff\xfe:x", b"no colon", f"public2:{key}".encode())]
    wrong = [f"Bearer {key[:-1]}", f"Bearer {key}0", f"bearer {key.upper()}", "Bearer", "Bearer ", "Basic", "Basic ????", "Digest x", "x",
             f"Bearer {'a' * 5_000}", f"Bearer amanat_{'0' * 64}", f"Negotiate {key}", *(f"Basic {text}" for text in basic)]
    form = random.randrange(4)
    if form == 0:
        return {"authorization": random.choice(wrong)}, True
    if form == 1:
        return bearer(key), False
    if form == 2:
        odd = [("grpc-timeout", ["1n", "99999999H", "x", "-1S", "1S1S", ""]), ("grpc-encoding", ["gzip", "deflate", "x", "identity"]),
               ("amanat-companions", ["true", "x", "\x7f"]), ("x-bin", ["!!!", "AAAA", ""]), ("te", ["gzip"]),
               ("grpc-accept-encoding", ["x," * 900]), ("cookie", ["amanat=x"]), ("authorization-bin", ["AAAA"]),
               ("grpc-previous-rpc-attempts", ["x"])]
        name, values = random.choice(odd)
        return {name: random.choice(values)}, False
    return {}, False


def judge(server: Server, sent: bytes, reply: Reply, own: tuple[str, ...]) -> None:
    """Refuses a reply that must not be."""
    texts = " ".join(f"{name}: {value}" for name, value in reply.headers.items())
    oracle.look(server, sent, texts.encode() + reply.said.encode() + reply.data, own)
    oracle.insides(sent, reply.said.encode())
    if reply.how == "silent":
        raise Fault("no end of an answer in time", sent)
    if reply.code == INTERNAL or reply.code == UNKNOWN:
        raise Fault(f"code {reply.code}: {reply.said[:160]}", sent)
    if reply.headers.get(":status", "200") not in ("200", "400", "404", "405", "413", "415", "431"):
        raise Fault(f"status {reply.headers[':status']}", sent)


def run(ground: Ground) -> None:
    """Frames on connections of their own, then calls of each method."""
    server, ports = ground.server, ground.server.ports
    key = server.key("hostile-flight")

    def raw(number: int, random: Random) -> None:
        """Frames. The doors for HTTP get them as well, as far as they speak HTTP/2."""
        port = ports.flight if number % 4 else random.choice([ports.http, ports.gateway])
        sent = FRAMES[number // 2 % len(FRAMES)](random, port)
        with Line(port, b"") as line:
            line.send(sent)
            data = b"".join(payload for _, _, _, payload in line.frames(0.25)) + line.buffer
        oracle.look(server, sent, data)
        if port == ports.flight:
            oracle.insides(sent, data)

    def call(number: int, random: Random) -> None:
        method = random.choice(METHODS)
        metadata, must_be_refused = credentials(random, key)
        body = some_message(random)
        if random.random() < 0.4:
            body = spoiled(random, body)
        sent = framed(random, body)
        with Line(ports.flight) as line:
            reply = line.call(method, sent, metadata=metadata, patience=3 * TIME_LIMIT + 10)
        judge(server, method.encode() + b" " + sent, reply, (key,))
        if must_be_refused and reply.code == 0:
            raise Fault(f"{method} is answered to {str(metadata)[:60]}", sent)

    def other_path(random: Random) -> None:
        """What is no method of Flight."""
        path = random.choice(["/", "/x", "/arrow.flight.protocol.FlightService/", "/arrow.flight.protocol.FlightService/Nothing",
                              "/../../etc/passwd", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                              "/grpc.health.v1.Health/Check", "/%2e%2e/x", "/v1/sql", "/metrics", "*", "/" + "a" * 9_000])
        method, kind = random.choice(["POST", "GET", "DELETE", "TRACE"]), random.choice(["application/grpc", "text/html",
                                                                                         "application/grpc-web", ""])
        headers = write_headers([(":method", method), (":scheme", "http"), (":path", path), (":authority", "x"), ("content-type", kind)])
        sent = frame(HEADERS, END_HEADERS | END_STREAM, 1, headers)
        with Line(ports.flight) as line:
            line.send(sent)
            judge(server, sent, line.reply(1, 10), ())

    def without_a_key(random: Random) -> None:
        """Records are nobody's, however it is asked about them. What columns an answer would have is no secret; the answer is."""
        made = json.dumps({"execution": "0" * 64, "schema": "0" * 32, "sql": PROTECTED, "params": [], "companions": False})
        prepares = packed("ActionCreatePreparedStatementRequest", field(1, PROTECTED))
        ticket, at_once = packed("TicketStatementQuery", field(1, made)), packed("CommandStatementQuery", field(1, PROTECTED))
        ways = [("GetFlightInfo", question(PROTECTED)), ("GetSchema", question(PROTECTED)), ("DoGet", field(1, ticket)),
                ("DoGet", field(1, at_once)), ("DoAction", action("CreatePreparedStatement", prepares))]
        asked = random.choice(ways)
        with Line(ports.flight) as line:
            reply = line.call(asked[0], message(asked[1]), metadata=random.choice([{}, bearer("public")]))
        judge(server, asked[1], reply, ())
        if reply.code != UNAUTHENTICATED and (asked[0] == "DoGet" or reply.code != 0):
            raise Fault(f"{asked[0]} about records by nobody: code {reply.code}", asked[1])

    def attempt(number: int, random: Random) -> None:
        if number % 2 == 0:
            raw(number, random)
        elif number % 20 == 1:
            other_path(random)
        elif number % 20 == 3:
            without_a_key(random)
        else:
            call(number, random)

    ground.each(attempt, range(ground.count), at_once=12)
