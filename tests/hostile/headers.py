"""Heads of requests that are huge, broken, or say what is not so."""

from __future__ import annotations

from random import Random

import framing
import oracle
from ground import Ground
from http1 import cut, exchange
from oracle import Fault
from sent import SHAPES, UNREAD, Sent, head, junk, shape, word

PATHS = ("/healthz", "/readyz", "/", "/v1/indicators", "/v1/editions", "/v1/code-lists", "/problems", "/v1/session", "/openapi.json",
         "/about")
REGISTRY = ("/", "/subjects", "/schemas/types", "/config", "/mode", "/contexts")


@shape
def huge_value(random: Random, path: str) -> Sent:
    return Sent(head(path, word(random) + b": " + b"a" * random.choice([8_000, 60_000, 300_000, 450_000, 1_500_000])))


@shape
def many_headers(random: Random, path: str) -> Sent:
    return Sent(head(path, *(b"x-" + word(random) + b": 1" for _ in range(random.choice([90, 99, 150, 1_000, 5_000])))))


@shape
def same_header_again(random: Random, path: str) -> Sent:
    name = random.choice([b"Host", b"Accept", b"Cookie", b"Content-Type", b"If-None-Match", b"Accept-Encoding", b"Connection", b"Range"])
    return Sent(head(path, *(name + b": " + word(random) for _ in range(random.randint(2, 30)))))


@shape
def bad_name(random: Random, path: str) -> Sent:
    name = random.choice([b"", b" x", b"x ", b"x\0", b"x\ty", b"x\x7f", b"\xc3\xa9", b"x(y)", b"x@y", b'"x"', b"x,y", b"{x}", b"x\x0b"])
    return Sent(head(path, name + b": 1"), statuses={*UNREAD, 200})


@shape
def bad_value(random: Random, path: str) -> Sent:
    bad = random.choice([b"\0", b"\x01", b"\x7f", b"\x0b", b"\rx", b"\xff\xfe", b"\xc3\x28", b"\x1b[31m"])
    return Sent(head(path, b"X-A: a" + bad + b"b"), statuses={*UNREAD, 200})


@shape
def another_host(random: Random, path: str) -> Sent:
    evil = b"evil-" + word(random) + b".example"
    host = random.choice([b"Host: " + evil, b"Host: 127.0.0.1@" + evil, b"Host: " + evil + b":99999", b"Host: 127.0.0.1\r\nHost: " + evil,
                          b"Host: ", None, b"Host: 127.0.0.1\r\nX-Forwarded-Host: " + evil, b"Host: 127.0.0.1\r\nForwarded: host=" + evil,
                          b"Host: [::1]" + evil, b"Host: " + evil + b"/%2e%2e"])
    return Sent(head(path, host=host), absent=(evil,))


@shape
def other_address(random: Random, path: str) -> Sent:
    """Headers by which proxies and frameworks rewrite a request. None of them makes somebody of nobody."""
    line = random.choice([b"X-Original-URL: /v1/people", b"X-Rewrite-URL: /v1/people", b"X-HTTP-Method-Override: DELETE",
                          b"X-Method-Override: POST", b"X-Forwarded-Prefix: /v1/people", b"X-Forwarded-User: administrator",
                          b"X-Remote-User: administrator", b"Remote-User: administrator", b"X-Forwarded-Proto: https",
                          b"X-Amanat-Role: operator"])
    return Sent(head(path, line), absent=(b'"role":"operator"', b'"comes_by":"'))


@shape
def passed_on(random: Random, _: str) -> Sent:
    """To whom a proxy passes it on, metrics are not shown, whatever it says of whom."""
    line = random.choice([b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-For: ::1, 127.0.0.1", b"Forwarded: for=127.0.0.1",
                          b"X-Real-IP: 127.0.0.1", b"Via: 1.1 localhost", b"x-forwarded-for: " + junk(random, 30, b"0123456789.,: ")])
    return Sent(head("/metrics", line), statuses={404, 400})


@shape
def part(random: Random, path: str) -> Sent:
    line = random.choice([b"bytes=0-0", b"bytes=-1", b"bytes=0-18446744073709551615", b"bytes=5-2", b"bytes=" + b"0-0," * 5_000,
                          b"lines=1-2", b"bytes=-", b"bytes=a-b"])
    return Sent(head(path, b"Range: " + line, b"If-Range: x"), statuses={200, 206, 400, 416, 431})


@shape
def upgraded(random: Random, path: str) -> Sent:
    to = random.choice([b"h2c", b"websocket", b"TLS/1.0", b"HTTP/2.0", b"raw", b"postgres"])
    return Sent(head(path, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + to, b"HTTP2-Settings: AAMAAABkAAQAAP__",
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"), statuses={200, *UNREAD})


@shape
def version(random: Random, path: str) -> Sent:
    said = random.choice([b"HTTP/0.9", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/3", b"HTTP/9.9", b"HTTP/1.1.1", b"http/1.1",
                          b"HTTP/ 1.1", b"ICY", b"", b"HTTP/1." + b"1" * 100])
    return Sent(head(path, version=said), statuses={200, *UNREAD})


@shape
def target(random: Random, path: str) -> Sent:
    written = random.choice([f"http://evil.example{path}", f"https://user:pw@evil.example{path}", "evil.example:443", "*",
                             f"{path}#fragment", f"/{path}", "?", "http://", "http:///", f"\\{path}", "file:///etc/passwd", "http://[::1",
                             "//etc/passwd", "/ /", f"{path}\tx", "ftp://127.0.0.1/etc/passwd", "/\u202e", "http://127.0.0.1:1/"])
    return Sent(head(written, method=random.choice(["GET", "OPTIONS", "CONNECT", "POST"])))


@shape
def method(random: Random, path: str) -> Sent:
    written = random.choice(["TRACE", "TRACK", "PROPFIND", "get", "GETT", "PATCH", "PURGE", "M-SEARCH", "BREW", "A" * 5_000, "G(T", "\x00",
                             "DEBUG", "LOCK", "MOVE", "LINK", "QUERY"])
    marker = b"echo-" + word(random)
    return Sent(head(path, b"X-Marker: " + marker, method=written), absent=(marker,))


@shape
def accepted(random: Random, path: str) -> Sent:
    types = [b"*/*;q=-1", b"text/html;q=0.0000001", b";;;", b"a/b/c", b"*", b"application/json;q=nan", b"text/html," * 3_000,
             b"application/*;level=" + b"9" * 500, b"/", b"text/csv;header=\"", b"\xff/\xff", b"application/json;" * 2_000, b"image/png",
             b",,,,", b"application/vnd.apache.parquet;q=1e9"]
    return Sent(head(path, b"Accept: " + random.choice(types), b"Accept-Language: " + random.choice(types)), statuses={200, 406, 400, 431})


@shape
def coded(random: Random, path: str) -> Sent:
    codings = [b"gzip;q=-5", b"br, " * 3_000, b"*;q=0", b"identity;q=0, *;q=0", b"gzip\0", b"zstd;q=1.0.0", b"deflate, compress, exi",
               b"\xf0\x9f\x92\xa9", b"gzip;;;q", b"x-gzip", b"gzip;q=999999999999999999999"]
    return Sent(head(path, b"Accept-Encoding: " + random.choice(codings)), statuses={200, 400, 406, 431})


@shape
def known_already(random: Random, path: str) -> Sent:
    tags = [b"*", b'"', b'W/"x", "y', b'"a",' * 5_000, b"x", b'W/', b'"\xff"', b'""', b"*, *", b"W/W/W/\"\""]
    dates = [b"Thu, 01 Jan 99999 00:00:00 GMT", b"Thu, 00 Jan 1970 00:00:00 GMT", b"0", b"-1", b"now", b"Thu, 32 Feb 2024 25:61:61 GMT",
             b"1e400"]
    lines = [random.choice([b"If-None-Match: ", b"If-Match: "]) + random.choice(tags), b"If-Modified-Since: " + random.choice(dates)]
    return Sent(head(path, *lines), statuses={200, 304, 400, 412, 431})


@shape
def cookies(random: Random, path: str) -> Sent:
    value = random.choice([b"amanat=" + junk(random, 64, b"0123456789abcdef"), b"amanat=", b"amanat", b"=;=;=",
                           b"__Host-amanat=x; amanat=y", b"amanat=" * 4_000, b"amanat=\xff\xff", b'amanat="a\\"b"', b"a=b;" * 10_000,
                           b"amanat=../../keys/analyst", b"amanat=' or 1=1--"])
    return Sent(head(path, b"Cookie: " + value), statuses={200, 400, 431}, absent=(b'"role":"operator"', b'"role":"analyst"')
                if path == "/v1/session" else ())


@shape
def credentials(random: Random, path: str) -> Sent:
    value = random.choice([b"Bearer", b"Bearer ", b"bearer \t", b"Basic YTpi", b"Basic !!!", b"Digest x", b"Bearer " + b"a" * 50_000,
                           b"Bearer \xff", b"Bearer amanat_", b"Bearer amanat_" + b"0" * 64, b"Negotiate YII=", b"Bearer null",
                           b"Bearer public", b"Bearer analyst", b"amanat_" + b"0" * 64, b"Bearer a b c", b"AWS4-HMAC-SHA256 x"])
    return Sent(head(path, b"Authorization: " + value), statuses={401, 400, 431})


@shape
def injected(random: Random, _: str) -> Sent:
    """A line of a header that stands in the address, in codes."""
    end = random.choice(["%0d%0a", "%0a", "%0d", "%E5%98%8A%E5%98%8D", "%u000d%u000a", "%250d%250a", "\u560a\u560d"])
    path = random.choice(["/v1/indicators/{}", "/v1/code-lists/{}", "/problems/{}", "/assets/{}", "/v1/editions/1/data/{}",
                          "/v1/indicators/V01/data?format={}", "/indicators/{}", "/{}"])
    return Sent(head(path.format(f"{end}Set-Cookie:%20injected=1{end}{end}<script>")),
                absent=(b"\r\nset-cookie", b"\nSet-Cookie", b"<script>"))


def run(ground: Ground) -> None:
    """Heads of requests, those of framing.py as well, to the readers' door and to the registry."""
    ports = ground.server.ports

    def attempt(number: int, random: Random) -> None:
        to_registry = number // len(SHAPES) % 5 == 4
        path = random.choice(REGISTRY if to_registry else PATHS)
        sent = SHAPES[number % len(SHAPES)](random, path)
        port = ports.gateway if to_registry else ports.http
        got = exchange(port, sent.data, sent.answers, sent.heads, patience=0.3 if sent.waits else 12, after=sent.after)
        # The registry has other addresses: what is said there of one that it has not is as good.
        statuses = None if to_registry or sent.statuses is None else sent.statuses
        oracle.answers(ground.server, sent.data, got, statuses, sent.waits, gateway=to_registry)
        whole = sum(answer.status >= 200 for answer in got.answers)
        if whole > max(sent.answers, 1) and SHAPES[number % len(SHAPES)] is not framing.spoiled:
            raise Fault(f"{whole} answers to {sent.answers} requests", sent.data)
        for text in sent.absent:
            if text in got.raw() or any(text in answer.plain() for answer in got.answers):
                raise Fault(f"the answer holds {text!r}", sent.data)
        if sent.answers == 0 and cut(got.rest, [], True)[0]:
            raise Fault("an answer to what is no request", sent.data)

    ground.each(attempt, range(ground.count))
