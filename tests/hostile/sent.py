"""A request as bytes, and what may come back; and the parts that broken requests are made of."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from random import Random

# Statuses by which a request is refused that cannot be read.
UNREAD = {400, 408, 413, 414, 417, 426, 431, 501, 505}


@dataclass
class Sent:
    """A request as bytes, and what may come back."""

    data: bytes
    answers: int = 1
    # None: whatever is no fault of ours.
    statuses: Container[int] | None = None
    # What was sent is no whole request: the server may wait for the rest.
    waits: bool = False
    # After the answers nothing may come: so long is waited for it.
    after: float = 0
    heads: tuple[bool, ...] = ()
    # What must not be answered.
    absent: tuple[bytes, ...] = field(default=())


Shape = Callable[[Random, str], Sent]
SHAPES: list[Shape] = []


def shape(make: Shape) -> Shape:
    SHAPES.append(make)
    return make


def junk(random: Random, most: int = 40, of: bytes = bytes(range(256))) -> bytes:
    return bytes(random.choices(of, k=random.randint(1, most)))


def word(random: Random, most: int = 20) -> bytes:
    return junk(random, most, b"abcdefghijklmnopqrstuvwxyz-")


def head(path: str, *lines: bytes, method: str = "GET", version: bytes = b"HTTP/1.1", host: bytes | None = b"Host: 127.0.0.1",
         close: bool = True) -> bytes:
    first = method.encode() + b" " + path.encode() + b" " + version
    return b"\r\n".join([first, *([host] if host is not None else []), *([b"Connection: close"] if close else []), *lines, b"", b""])


def post(*lines: bytes, body: bytes = b"", close: bool = True) -> bytes:
    return head("/v1/sql", b"Content-Type: text/plain", *lines, method="POST", close=close) + body
