"""Bodies that are no JSON, too deep, too long, of another kind, compressed a thousandfold, or hold a hostile statement."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import corpus
import oracle
from ground import Ground, grows
from http1 import exchange, request
from oracle import Fault
from sent import junk

JSON = "application/json"
# Statuses of what is refused before anything is asked.
REFUSED = {400, 401, 403, 404, 405, 413, 415, 422, 429}
# Where bodies are taken; the last are the registry's.
ADDRESSES = (("POST", "/v1/sql"), ("POST", "/v1/sql"), ("POST", "/v1/session"), ("POST", "/v1/welcome"), ("POST", "/v1/people"), ("POST", "/v1/queue/links"),
             ("PUT", "/v1/questions/hostile"), ("DELETE", "/v1/session"), ("GET", "/v1/indicators"))
REGISTRY = (("POST", "/subjects/hostile/versions"), ("POST", "/subjects/hostile"), ("POST", "/compatibility/subjects/hostile/versions"),
            ("PUT", "/config"), ("PUT", "/config/hostile"), ("PUT", "/mode"), ("POST", "/"))
BOMB = gzip.compress(b'{"sql": "select 1' + b" " * 20_000_000 + b'"}')
ZBOMB = zlib.compress(b" " * 20_000_000)


class Body(NamedTuple):
    """A body, what it says that it is, and whether it may be answered."""

    data: bytes
    kind: str = JSON
    more: tuple[tuple[str, str], ...] = ()
    may_be_read: bool = False


Shape = Callable[[Random], Body]
SHAPES: list[Shape] = []


def shape(make: Shape) -> Shape:
    SHAPES.append(make)
    return make


@shape
def no_json(random: Random) -> Body:
    return Body(random.choice([b"", b"{", b"}", b"[", b"{]", b'{"sql"}', b'{"sql":}', b'{"sql":"select 1"', b'{"sql":"select 1"}}',
                               b"{'sql':'select 1'}", b'{"sql":"select 1",}', b"nul", b"NaN", b"-", b"\xef\xbb\xbf{}", b'{"sql":"\x01"}',
                               b"// x\n{}", b'{"sql":"select 1"}{"sql":"select 2"}', b"0", b'"select 1"', b"[]", b"true", b"undefined",
                               junk(random, 200)]))


@shape
def deep(random: Random) -> Body:
    depth = random.choice([100, 129, 1_000, 10_000, 30_000])
    opens, closes = random.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"sql":', b"}]"), (b'{"sql":[', b"]}")])
    whole = opens * depth + b"1" + (closes * depth if random.random() < 0.7 else b"")
    return Body(random.choice([whole, b'{"sql":"select $1","params":[' + whole[:60_000] + b"]}", b'{"schema":' + whole[:60_000] + b"}"])[
        :65_000])


@shape
def numbers(random: Random) -> Body:
    value = random.choice([b"1e999", b"-1e999", b"9" * 40_000, b"0." + b"0" * 40_000 + b"1", b"1E+" + b"9" * 300, b"01", b"0x10", b"1.",
                           b".5", b"--1", b"1e", b"18446744073709551616", b"1e-400"])
    return Body(b'{"sql":"select $1","params":[' + value + b"]}", may_be_read=True)


@shape
def types(random: Random) -> Body:
    values: list[object] = [None, True, 1, -1.5, "", "select 1", [], {}, [None], {"a": 1}, "x" * 10_000, [[]], {"sql": "select 1"}]
    names = ["sql", "params", "companions", "name", "password", "token", "role", "share", "purpose", "title", "schema", "schemaType",
             "references", "compatibility", "id", "__proto__", "constructor", "\u0000", "sql\u200b", ""]
    made = {random.choice(names): random.choice(values) for _ in range(random.randint(1, 8))}
    return Body(json.dumps(made).encode(), may_be_read=True)


@shape
def twice(random: Random) -> Body:
    name = random.choice([b"sql", b"name", b"password", b"token", b"role", b"schema"])
    return Body(b'{"' + name + b'":"select 1","' + name + b'":"select 2"' + b',"params":[]' * random.choice([0, 1, 500]) + b"}",
                may_be_read=True)


@shape
def texts(random: Random) -> Body:
    text = random.choice([b"\\ud800", b"\\udc00\\ud800", b"\\u0000", b"\\u202e", b"\\uffff", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf",
                          b"\\x41", b"\\", b"\xf4\x90\x80\x80", b"\\ud83d\\udca9" * 5_000, b"\x7f", b"\\u0027; --"])
    return Body(b'{"sql":"select \'' + text + b"'\"}", may_be_read=True)


@shape
def other_alphabet(random: Random) -> Body:
    text = '{"sql": "select 1"}'
    return Body(random.choice([text.encode("utf-16"), text.encode("utf-32"), text.encode("utf-16-be"), text.encode("cp500"), b"+/v8-"
                               + text.encode()]), random.choice([JSON, "text/plain", f"{JSON}; charset=utf-16"]))


@shape
def too_long(random: Random) -> Body:
    length = random.choice([(64 << 10) + 1, 100_000, 1 << 20, (1 << 20) + 1, 4 << 20])
    return Body(b'{"sql":"select 1' + b" " * length + b'"}', random.choice([JSON, "text/plain"]))


@shape
def many(random: Random) -> Body:
    count = random.choice([1_000, 10_000, 30_000])
    return Body(b'{"sql":"select $1","params":[' + b",".join([random.choice([b"1", b"null", b'"a"', b"true"])] * count) + b"]}"[:65_000],
                may_be_read=True)


@shape
def bomb(random: Random) -> Body:
    """What would be 20 MB is not unpacked: no address takes a body in a coding."""
    data, coding = random.choice([(BOMB, "gzip"), (BOMB, "x-gzip"), (ZBOMB, "deflate"), (BOMB, "gzip, gzip"), (BOMB, "br"), (BOMB, "zstd"),
                                  (gzip.compress(b"select 1"), "gzip")])
    return Body(data[:60_000], random.choice([JSON, "text/plain"]), (("Content-Encoding", coding),))


@shape
def other_kind(random: Random) -> Body:
    kinds = ["", "text/html", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 5_000,
             "application/x-www-form-urlencoded", "application/xml", "image/svg+xml", "json", "application/jsonp",
             "application/json, text/plain", "*/*", "application/json\x0b", "text/plain; charset=utf-7", "application/octet-stream",
             "a" * 20_000, "application/x-protobuf", "application/grpc"]
    data = random.choice([b'{"sql":"select 1"}', b"sql=select+1",
                          b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
                          b"--x\r\nContent-Disposition: form-data; name=sql\r\n\r\nselect 1\r\n--x--"])
    return Body(data, random.choice(kinds))


@shape
def schema(random: Random) -> Body:
    """Schemas for the registry: that hold themselves, that grow, that lead elsewhere."""
    inner: object = "int"
    for at in range(random.choice([1, 5, 200])):
        inner = random.choice([{"type": "array", "items": inner}, {"type": "map", "values": inner}, ["null", inner]
                               if not isinstance(inner, list) else {"type": "array", "items": inner},
                               {"type": "record", "name": f"R{at}", "fields": [{"name": "f", "type": inner}]}])
    made = random.choice([{"schema": json.dumps(inner)}, {"schema": '{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}'},
                          {"schema": '{"$ref":"file:///etc/passwd"}', "schemaType": "JSON"}, {"schema": '{"$ref":"http://127.0.0.1:1/x"}',
                                                                                              "schemaType": "JSON"},
                          {"schema": '{"$ref":"#"}', "schemaType": "JSON"}, {"schema": '{"pattern":"(a+)+$","type":"string"}',
                                                                             "schemaType": "JSON"},
                          {"schema": '"int"', "references": [{"name": "x", "subject": "hostile", "version": -1}]},
                          {"schema": '"int"', "references": [{"name": "x", "subject": "x", "version": 1}] * 500}, {"schema": "x" * 30_000},
                          {"schema": '{"type":"enum","name":"E","symbols":["' + '","'.join(f"S{n}" for n in range(3_000)) + '"]}'},
                          {"schema": '"int"', "schemaType": "PROTOBUF"},
                          {"schema": '{"type":"fixed","name":"F","size":9223372036854775807}'},
                          {"schema": '"int"', "id": random.choice([-1, 1, 1 << 40])},
                          {"compatibility": random.choice(["", "EVIL", "x" * 5_000, "none\0"])},
                          {"schema": '{"type":"record","name":"../../x","fields":[]}'},])
    return Body(json.dumps(made).encode(), may_be_read=True)


def run(ground: Ground) -> None:
    """The statements of tests/attacks, then bodies of all kinds, and between them those statements, spoiled."""
    server = ground.server
    # Of another share of the charges than the reader's, which is to be as it was.
    key = server.key("hostile-bodies")
    keyed = {"Authorization": f"Bearer {key}"}
    cases = corpus.read("hostile.sql") + corpus.read("protected.sql") + corpus.read("bypasses.sql")

    def statement(case: corpus.Case) -> None:
        body = json.dumps({"sql": case.sql, "params": case.params}).encode()
        more = {} if case.file == "hostile.sql" else keyed
        sent = request("POST", "/v1/sql", {"Content-Type": JSON, **more}, body)
        got = exchange(server.ports.http, sent, patience=60)
        oracle.answers(server, sent, got, own=(key,))
        code = asked(sent, got)
        if not case.is_met(code, len(body)):
            raise Fault(f"{case.file} line {case.line}: {code}, expected {' or '.join(sorted(case.expect))}", body)

    def asked(sent: bytes, got: oracle.Got) -> str:
        """`ok`, or the code of the refusal."""
        if not got.answers:
            raise Fault(f"no answer: {got.how}", sent)
        answer = got.answers[-1]
        return "ok" if answer.status == 200 else str(answer.json().get("code")) if answer.plain() else str(answer.status)

    def attempt(number: int, random: Random) -> None:
        if number < len(cases):
            statement(cases[number])
            return
        if number % 3 == 0:
            one, other = random.choice(cases), random.choice(cases)
            sql = corpus.spoiled(random, one.sql, other.sql)
            text = json.dumps({"sql": sql, "params": one.params, "companions": random.random() < 0.3}).encode()
            whole = request("POST", "/v1/sql", {"Content-Type": JSON, "Accept": random.choice(
                ["*/*", "text/csv", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"]), **keyed}, text)
            got = exchange(server.ports.http, whole, patience=60)
            oracle.answers(server, whole, got, own=(key,))
            return
        to_registry = number % 5 == 0
        method, path = random.choice(REGISTRY if to_registry else ADDRESSES)
        body = SHAPES[number % len(SHAPES)](random)
        more = keyed if path == "/v1/sql" and random.random() < 0.5 or path.startswith("/v1/questions") else {}
        kind = {"Content-Type": body.kind} if body.kind else {}
        whole = request(method, path, {**kind, **dict(body.more), **more}, body.data)
        got = exchange(server.ports.gateway if to_registry else server.ports.http, whole, patience=30)
        # What is longer than may be is not read: the connection may break off before the answer is there.
        oracle.answers(server, whole, got, own=(key,), gateway=to_registry)
        if not got.answers and len(body.data) < 64 << 10:
            raise Fault(f"no answer: {got.how}", whole)
        statuses = {answer.status for answer in got.answers if answer.status >= 200}
        is_unread = not (to_registry or body.may_be_read or method == "GET" or body.kind == "text/plain" or path == "/v1/session")
        if is_unread and not statuses <= REFUSED:
            raise Fault(f"status {statuses} to a body that nobody can read", whole)

    def nested(number: int, random: Random) -> None:
        """Subqueries within subqueries."""
        def ask(levels: int) -> None:
            sql = f"select {'(select ' * levels}1{')' * levels}".encode()
            exchange(server.ports.http, request("POST", "/v1/sql", {"Content-Type": "text/plain"}, sql), patience=60)

        grows(ask, 8, 13, "subqueries in each other", "(select ")

    ground.each(attempt, range(ground.count - 1), at_once=8)
    ground.each(nested, [ground.count - 1])
