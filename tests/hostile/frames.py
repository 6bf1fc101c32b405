"""Frames of HTTP/2 that are against its rules, or too many of those that are not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

from flight_sql import question
from http2 import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    grpc_headers,
    message,
    settings,
    write_headers,
    write_number,
)
from sent import junk

NUMBER = struct.Struct(">I")

Frames = Callable[[Random, int], bytes]
FRAMES: list[Frames] = []


def frames(make: Frames) -> Frames:
    FRAMES.append(make)
    return make


def get(port: int) -> bytes:
    """The headers of a request that any of our doors may be sent."""
    return write_headers([(":method", "GET"), (":scheme", "http"), (":path", "/healthz"), (":authority", f"127.0.0.1:{port}")])


@frames
def anything(random: Random, _: int) -> bytes:
    return random.choice([b"", PREFACE, PREFACE + settings()]) + junk(random, 600)


@frames
def rapid_reset(random: Random, port: int) -> bytes:
    """Streams that are opened and taken back at once (CVE-2023-44487)."""
    one, count = random.choice([get(port), grpc_headers(port, "DoGet")]), random.choice([50, 500, 3_000])
    opened = (frame(HEADERS, END_HEADERS | END_STREAM, stream, one) + frame(RST_STREAM, 0, stream, NUMBER.pack(8))
              for stream in range(1, 2 * count, 2))
    return PREFACE + settings() + b"".join(opened)


@frames
def endless_headers(random: Random, port: int) -> bytes:
    """Headers that go on and on (CVE-2024-27316 and its like)."""
    piece = write_headers([(f"x-{random.random()}", "a" * random.choice([0, 50, 8_000]))])
    return PREFACE + settings() + frame(HEADERS, 0, 1, get(port)) + frame(CONTINUATION, 0, 1, piece) * random.choice([10, 1_000, 4_000])


@frames
def long_headers(random: Random, port: int) -> bytes:
    size = random.choice([8_000, 16_000, 16_500])
    return PREFACE + settings() + frame(HEADERS, END_HEADERS | END_STREAM, 1, (get(port) + write_headers([("x", "a" * size)]))[: (1 << 14)])


@frames
def unpacked_headers(random: Random, port: int) -> bytes:
    """A header that is put into the table once and then named thousands of times."""
    value = b"a" * 4_000
    bomb = b"\x40\x01x" + write_number(len(value), 7) + value + b"\xbe" * random.choice([100, 10_000])
    return PREFACE + settings((1, 65_536)) + frame(HEADERS, END_HEADERS | END_STREAM, 1, (get(port) + bomb)[: 1 << 14])


@frames
def broken_headers(random: Random, port: int) -> bytes:
    tunnel = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"), (":authority", "x")]
    block = random.choice([b"\x80", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x0f", b"\xfe", b"\x3f\xff\xff\xff\xff\x0f",
                           b"\x00\x7f\xff\xff\xff\xff\x0f", b"\x00\x85\xff\xff\xff\xff\xff\x01x", b"\x40\x00\x00", junk(random, 200),
                           b"\x00\x01x\x83\xff\xff\xff", write_headers([(":path", "/x"), (":path", "/y")]),
                           write_headers([("UPPER", "x"), (":method", "GET")]), write_headers([(":method", "GET"), (":path", ""),
                                                                                               (":scheme", "")]),
                           write_headers([("connection", "close"), (":x", "y")]), write_headers(tunnel),
                           write_headers([(b"x\r\n", b"\0\r\ny")])])
    return PREFACE + settings() + frame(HEADERS, END_HEADERS | random.choice([0, END_STREAM]), 1, random.choice([b"", get(port)]) + block)


@frames
def floods(random: Random, port: int) -> bytes:
    count = random.choice([100, 2_000, 8_000])
    one = random.choice([frame(SETTINGS, 0, 0), settings((3, 1), (4, 5)), frame(PING, 0, 0, b"12345678"),
                         frame(PRIORITY, 0, 3, b"\0\0\0\1\x10"), frame(WINDOW_UPDATE, 0, 0, NUMBER.pack(1)), frame(SETTINGS, 1, 0),
                         frame(99, 0, 0, b"x"), frame(RST_STREAM, 0, 1, NUMBER.pack(0))])
    return PREFACE + settings() + one * count


@frames
def empty_data(random: Random, port: int) -> bytes:
    empty = frame(DATA, 0, 1) * random.choice([10, 5_000])
    return PREFACE + settings() + frame(HEADERS, END_HEADERS, 1, grpc_headers(port, "DoPut")) + empty + frame(DATA, 8, 1, b"\xff") + frame(
        DATA, END_STREAM, 1)


@frames
def against_the_rules(random: Random, port: int) -> bytes:
    head = get(port)
    sent = [frame(WINDOW_UPDATE, 0, 0, NUMBER.pack(0)), frame(WINDOW_UPDATE, 0, 0, NUMBER.pack((1 << 31) - 1)) * 3,
            frame(PUSH_PROMISE, 4, 1, NUMBER.pack(2) + head), frame(HEADERS, 5, 2, head), frame(HEADERS, 5, 0, head),
            frame(DATA, 1, 7, b"x"), frame(HEADERS, 5, 5, head) + frame(HEADERS, 5, 3, head), frame(CONTINUATION, 4, 1, head),
            frame(HEADERS, 0, 1, head) + frame(DATA, 1, 1, b"x"), settings((4, (1 << 32) - 1)), settings((5, 0)),
            settings((5, (1 << 32) - 1)), settings((2, 2)), settings((1, (1 << 32) - 1)), frame(SETTINGS, 0, 0, b"12345"),
            frame(SETTINGS, 0, 3), frame(SETTINGS, 1, 0, b"123456"), frame(PING, 0, 0, b"123"), frame(PING, 0, 5, b"12345678"),
            frame(GOAWAY, 0, 0, b"\0" * 8 + b"x" * 5_000), frame(GOAWAY, 0, 0), frame(RST_STREAM, 0, 1, b"1"),
            frame(RST_STREAM, 0, 0, NUMBER.pack(0)), frame(HEADERS, 0x2D, 1, b"\xff\0\0\0\1\xff" + head),
            frame(PRIORITY, 0, 1, b"\0\0\0\1\0"), struct.pack(">I", 0xFFFFFF)[1:] + b"\0\0\0\0\0\1" + b"x" * 20_000,
            frame(HEADERS, 5, (1 << 31) - 1, head) + frame(HEADERS, 5, 1, head), frame(HEADERS, 5, 1, head) * 3, frame(DATA, 0, 0, b"x"),
            settings(*[(9, 9)] * 2_000)]
    return PREFACE + random.choice([b"", settings()]) + random.choice(sent)


@frames
def many_streams(random: Random, port: int) -> bytes:
    """More calls at once than one connection may have; none of them ends."""
    return PREFACE + settings() + b"".join(frame(HEADERS, END_HEADERS, stream, grpc_headers(port, "DoPut"))
                                           for stream in range(1, 2 * random.choice([64, 300]), 2))


@frames
def spoiled_frames(random: Random, port: int) -> bytes:
    whole = bytearray(PREFACE + settings((4, 65_535)) + frame(HEADERS, END_HEADERS, 1, grpc_headers(port, "GetFlightInfo"))
                      + frame(DATA, END_STREAM, 1, message(question("select 1"))))
    for _ in range(random.randint(1, 6)):
        whole[random.randrange(24, len(whole))] = random.randrange(256)
    return bytes(whole)
