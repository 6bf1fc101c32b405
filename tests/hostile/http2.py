"""HTTP/2 by hand, and gRPC on it: frames are sent as they are, headers are read (RFC 9113, RFC 7541)."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote

from http1 import ATTACKER, connect

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1

# Lengths of the codes of Huffman for each byte and the end (RFC 7541, appendix B): A is 5 bits, Z is 30. The codes follow from them.
LENGTHS = (
    "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCC"
    "CCCKGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVS"
    "VWVVWWWWWXWWWWWVZ"
)
# Names and values of the static table, as far as answers of gRPC and errors use them: the others are of requests.
STATIC = dict.fromkeys(range(1, 62), ("?", ""))
STATIC |= {8: (":status", "200"), 9: (":status", "204"), 10: (":status", "206"), 11: (":status", "304"), 12: (":status", "400"),
           13: (":status", "404"), 14: (":status", "500"), 23: ("authorization", ""), 28: ("content-length", ""), 31: ("content-type", ""),
           33: ("date", ""), 54: ("server", "")}


def codes() -> dict[tuple[int, int], int]:
    """Length and code of each byte: codes of one length count up, those of the next begin behind them."""
    found, code, last = {}, 0, 0
    for length, byte in sorted((ord(letter) - ord("A") + 5, byte) for byte, letter in enumerate(LENGTHS)):
        code <<= length - last
        found[length, code] = byte
        code, last = code + 1, length
    return found


CODES = codes()


def huffman(data: bytes) -> bytes:
    out, code, length = bytearray(), 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            if (length, code) in CODES:
                out.append(CODES[length, code] & 255)
                code = length = 0
    return bytes(out)


def number(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """A number with a prefix of so many bits, and where it ends."""
    most = (1 << bits) - 1
    value, at, shift = data[at] & most, at + 1, 0
    if value == most:
        while data[at] & 128:
            value, at, shift = value + ((data[at] & 127) << shift), at + 1, shift + 7
        value, at = value + (data[at] << shift), at + 1
    return value, at


def text(data: bytes, at: int) -> tuple[str, int]:
    is_coded = data[at] & 128
    length, at = number(data, at, 7)
    raw = data[at : at + length]
    return (huffman(raw) if is_coded else raw).decode("latin-1"), at + length


def read_headers(data: bytes, table: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a block; `table` is the dynamic table of the connection, newest first."""
    found, at = [], 0

    def entry(index: int) -> tuple[str, str]:
        return STATIC[index] if index <= 61 else table[index - 62]

    while at < len(data):
        first = data[at]
        if first & 128:
            index, at = number(data, at, 7)
            found.append(entry(index))
            continue
        if first & 224 == 32:
            _, at = number(data, at, 5)
            continue
        index, at = number(data, at, 6 if first & 64 else 4)
        name, at = (entry(index)[0], at) if index else text(data, at)
        value, at = text(data, at)
        found.append((name, value))
        if first & 64:
            table.insert(0, (name, value))
    return found


def write_number(value: int, bits: int, first: int = 0) -> bytes:
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def write_headers(headers: Sequence[tuple[str | bytes, str | bytes]]) -> bytes:
    """A block of headers, none of which is kept in a table."""
    def literal(part: str | bytes) -> bytes:
        raw = part if isinstance(part, bytes) else part.encode()
        return write_number(len(raw), 7) + raw

    return b"".join(b"\0" + literal(name) + literal(value) for name, value in headers)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def grpc_headers(port: int, method: str, metadata: dict[str, str] | None = None) -> bytes:
    """The headers of a call of Flight."""
    headers = [(":method", "POST"), (":scheme", "http"), (":path", f"/arrow.flight.protocol.FlightService/{method}"),
               (":authority", f"127.0.0.1:{port}"), ("content-type", "application/grpc"), ("te", "trailers")]
    return write_headers([*headers, *(metadata or {}).items()])


def message(body: bytes) -> bytes:
    """A message of gRPC."""
    return b"\0" + struct.pack(">I", len(body)) + body


class Reply:
    """What a call was answered with: the code of gRPC (none where there is no answer), the text, all headers, and the messages."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.data = b""
        self.how = "silent"

    @property
    def code(self) -> int | None:
        status = self.headers.get("grpc-status")
        return int(status) if status is not None else None

    @property
    def said(self) -> str:
        return unquote(self.headers.get("grpc-message", ""))

    def messages(self) -> list[bytes]:
        found, at = [], 0
        while at + 5 <= len(self.data):
            (length,) = struct.unpack(">I", self.data[at + 1 : at + 5])
            found.append(self.data[at + 5 : at + 5 + length])
            at += 5 + length
        return found


class Line:
    """A connection of HTTP/2, over TCP or over what `wrap` makes of it."""

    def __init__(self, port: int, first: bytes | None = None, source: str = ATTACKER, patience: float = 20,
                 wrap: Callable[[socket.socket], socket.socket] = lambda line: line) -> None:
        self.port, self.patience = port, patience
        self.line: socket.socket = wrap(connect(port, source, patience))
        self.table: list[tuple[str, str]] = []
        self.stream, self.buffer = 1, b""
        whole = PREFACE + settings((4, (1 << 31) - 1)) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", (1 << 31) - 70_000))
        self.line.sendall(whole if first is None else first)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def frames(self, patience: float) -> Iterator[tuple[int, int, int, bytes]]:
        """Frames as they come, until the server closes or nothing comes in time. Pings are answered."""
        until = time.monotonic() + patience
        while (left := until - time.monotonic()) > 0:
            while len(self.buffer) >= 9 and len(self.buffer) >= 9 + int.from_bytes(self.buffer[:3], "big"):
                length = int.from_bytes(self.buffer[:3], "big")
                kind, flags, stream = self.buffer[3], self.buffer[4], struct.unpack(">I", self.buffer[5:9])[0]
                payload, self.buffer = self.buffer[9 : 9 + length], self.buffer[9 + length :]
                if kind in (SETTINGS, PING) and not flags & ACK:
                    self.send(frame(kind, ACK, 0, payload if kind == PING else b""))
                yield kind, flags, stream, payload
            self.line.settimeout(left)
            try:
                more = self.line.recv(1 << 18)
            except TimeoutError:
                return
            except OSError:
                more = b""
            if not more:
                yield GOAWAY, 0, 0, b"closed"
                return
            self.buffer += more

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # what the server has closed it may have answered before
            self.line.sendall(data)

    def reply(self, stream: int, patience: float | None = None) -> Reply:
        """The answer on a stream."""
        reply, block = Reply(), b""
        for kind, flags, of, payload in self.frames(patience or self.patience):
            if kind == GOAWAY:
                reply.how = "closed"
                break
            if kind in (HEADERS, CONTINUATION):
                block += payload
                if flags & END_HEADERS:
                    headers, block = read_headers(block, self.table), b""
                    reply.headers |= dict(headers) if of == stream else {}
            if of != stream:
                continue
            if kind == DATA:
                reply.data += payload
            if kind == RST_STREAM or kind in (HEADERS, DATA) and flags & END_STREAM:
                reply.how = "reset" if kind == RST_STREAM else "ended"
                break
        return reply

    def call(self, method: str, *bodies: bytes, metadata: dict[str, str] | None = None, patience: float | None = None) -> Reply:
        """A call of Flight with these messages, each as gRPC frames it, and its answer."""
        stream, self.stream = self.stream, self.stream + 2
        self.send(frame(HEADERS, END_HEADERS, stream, grpc_headers(self.port, method, metadata)))
        data = b"".join(bodies)
        pieces = [data[at : at + 16_000] for at in range(0, len(data), 16_000)] or [b""]
        for at, piece in enumerate(pieces):
            self.send(frame(DATA, END_STREAM if at == len(pieces) - 1 else 0, stream, piece))
        return self.reply(stream, patience)
