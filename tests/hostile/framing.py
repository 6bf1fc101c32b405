"""Requests of which two readers would say that they end in different places, or that end nowhere: lengths, codings, lines."""

from __future__ import annotations

from random import Random

from sent import UNREAD, Sent, head, junk, post, shape

SMUGGLED = b"GET /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Smuggled: 1\r\n\r\n"


@shape
def bad_length(random: Random, _: str) -> Sent:
    length = random.choice(["-1", "+8", "0x8", "8e0", "8.0", "8 8", "8, 9", "", " ", "８", "99999999999999999999999", str(1 << 63),
                            str(1 << 64), "8;", "0b1000", "８"])
    return Sent(post(b"Content-Length: " + length.encode(), body=b"select 1"), statuses=UNREAD)


@shape
def two_lengths(random: Random, _: str) -> Sent:
    one, other = random.choice([(8, 9), (0, 8), (8, 0), (7, 8)])
    lines = (f"Content-Length: {one}".encode(), f"Content-Length: {other}".encode())
    return Sent(post(*lines, body=b"select 1"), statuses=UNREAD)


@shape
def strange_coding(random: Random, _: str) -> Sent:
    coding = random.choice([b"identity", b"gzip", b"xchunked", b"chunked, identity", b"chunked, chunked", b"chunked\x0b", b"\x0bchunked",
                            b"cHuNkEd;x=1", b"chunked, gzip", b'"chunked"', b"chunked\0", b"", b",", b"trailers"])
    return Sent(post(b"Transfer-Encoding: " + coding, body=b"8\r\nselect 1\r\n0\r\n\r\n"), statuses={*UNREAD, 200}, after=0.05)


@shape
def length_and_chunks(random: Random, _: str) -> Sent:
    """CL.TE and TE.CL: whichever is believed, what is smuggled behind it is not answered on this connection (RFC 9112, 6.1)."""
    lines = [b"Content-Length: " + str(random.choice([3, 4, 6, 5 + len(SMUGGLED)])).encode(), b"Transfer-Encoding: chunked"]
    random.shuffle(lines)
    return Sent(post(*lines, body=b"0\r\n\r\n" + SMUGGLED, close=False), statuses={*UNREAD, 200}, after=0.15, absent=(b'"role"',))


@shape
def hidden_chunks(random: Random, _: str) -> Sent:
    """A coding that one end sees and the other does not."""
    line = random.choice([b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked", b"Transfer-Encoding\t: chunked",
                          b"Transfer-Encoding:\n chunked", b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked",
                          b"Transfer_Encoding: chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x"])
    body = b"0\r\n\r\n" + SMUGGLED
    return Sent(post(line, f"Content-Length: {len(body)}".encode(), body=body), after=0.1, absent=(b'"role"',), waits=b"_" in line)


@shape
def folded(random: Random, path: str) -> Sent:
    return Sent(head(path, b"X-A: b" + random.choice([b"\r\n c", b"\r\n\tc", b"\n c", b"\r\n \r\n c"])), statuses={*UNREAD, 200})


@shape
def bare_ends(random: Random, path: str) -> Sent:
    end = random.choice([b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x85", b"\xe2\x80\xa8"])
    return Sent(head(path).replace(b"\r\n", end), statuses={*UNREAD, 200}, waits=True)


@shape
def strange_chunks(random: Random, _: str) -> Sent:
    size = random.choice([b"-1", b"ffffffffffffffffff", b"7fffffffffffffff", b"0x8", b" 8", b"8 ", b"+8", b"", b"g", b"8" + b"0" * 40,
                          b"00000008", b"8;" + b"a" * 20_000, b"8;a=b;c=\"d\"", b"8\n", b"8\0"])
    return Sent(post(b"Transfer-Encoding: chunked", body=size + b"\r\nselect 1\r\n0\r\n\r\n"), statuses={*UNREAD, 200},
                waits=size == b"8\n")


@shape
def many_chunks(random: Random, _: str) -> Sent:
    trailer = random.choice([b"", b"Content-Length: 5\r\n", b"Host: evil\r\n", b"X: " + b"a" * 100_000 + b"\r\n", b"x: y\r\n" * 3_000,
                             b": \r\n"])
    body = b"1;" + b"x" * random.randint(0, 30) + b"\r\n \r\n"
    return Sent(post(b"Transfer-Encoding: chunked", body=body * random.choice([10, 1_000, 5_000]) + b"8\r\nselect 1\r\n0\r\n" + trailer
                     + b"\r\n"), waits=True)


@shape
def pipelined(random: Random, _: str) -> Sent:
    """Each is answered, in its turn, and no more."""
    count = random.randint(2, 40)
    return Sent(head("/healthz", close=False) * count, answers=count, statuses={200}, after=0.02)


@shape
def expecting(random: Random, _: str) -> Sent:
    line = random.choice([b"100-continue", b"100-Continue, x", b"200-ok", b"", b"100-continue" * 1_000])
    return Sent(post(b"Expect: " + line, b"Content-Length: 8", body=b"select 1"), statuses={200, *UNREAD})


@shape
def without_version(random: Random, path: str) -> Sent:
    return Sent(b"GET " + path.encode() + random.choice([b"\r\n\r\n", b"\n\n", b"\r\n"]), statuses=UNREAD, waits=True)


@shape
def preface(random: Random, _: str) -> Sent:
    """What begins a connection of HTTP/2. Streams of that are attacked in flight.py; here no byte may be answered but theirs."""
    return Sent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + junk(random, 60), answers=0, waits=True, after=0.05)


@shape
def nothing_bytes(random: Random, path: str) -> Sent:
    whole = bytearray(head(path))
    for _ in range(random.randint(1, 3)):
        whole.insert(random.randrange(len(whole) - 4), 0)
    return Sent(bytes(whole), statuses={200, 404, 405, *UNREAD}, waits=True)


@shape
def anything(random: Random, _: str) -> Sent:
    return Sent(junk(random, 400) + b"\r\n\r\n", statuses=UNREAD, waits=True)


@shape
def spoiled(random: Random, path: str) -> Sent:
    """A request as it should be, with some bytes of it changed, taken out or doubled."""
    whole = bytearray(post(b"Content-Length: 8", b"Accept: text/csv", b"Cookie: a=b", body=b"select 1") if random.random() < 0.5
                      else head(path, b"Accept: */*"))
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(whole))
        change = random.randrange(3)
        whole[at : at + 1] = (bytes([random.randrange(256)]), b"", bytes(whole[at : at + 1] * 2))[change]
    return Sent(bytes(whole), waits=True)
