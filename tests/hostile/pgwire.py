"""PostgreSQL's protocol by hand: messages are sent as they are, and read as far as an attacker needs it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import struct
import time
from collections.abc import Iterator

from http1 import ATTACKER, connect

SSL, GSS, CANCEL, V3 = 80_877_103, 80_877_104, 80_877_102, 196_608


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def packet(code: int, body: bytes = b"") -> bytes:
    """A packet without a type, as they come first."""
    return struct.pack(">II", len(body) + 8, code) + body


def startup(user: str = "public", **more: str) -> bytes:
    """The first packet of a session."""
    pairs = {"user": user, "database": "amanat", **more}
    return packet(V3, b"".join(part.encode() + b"\0" for pair in pairs.items() for part in pair) + b"\0")


def query(sql: str) -> bytes:
    return message(b"Q", sql.encode() + b"\0")


def parse(sql: str, name: str = "", types: tuple[int, ...] = ()) -> bytes:
    return message(b"P", f"{name}\0{sql}\0".encode() + struct.pack(f">H{len(types)}I", len(types), *types))


def bind(name: str = "", portal: str = "", values: tuple[bytes, ...] = (), counted: int | None = None) -> bytes:
    """`counted` values are said to follow."""
    body = b"".join(struct.pack(">I", len(value)) + value for value in values)
    return message(b"B", f"{portal}\0{name}\0".encode() + struct.pack(">HH", 0, len(values) if counted is None else counted) + body
                   + b"\0\0")


EXECUTE, SYNC = message(b"E", b"\0\0\0\0\0"), message(b"S")


class Session:
    """A connection; what comes is cut into messages."""

    def __init__(self, port: int, first: bytes = b"", source: str = ATTACKER, patience: float = 10) -> None:
        self.line: socket.socket = connect(port, source, patience)
        self.patience, self.buffer = patience, b""
        self.how = "silent"
        if first:
            self.line.sendall(first)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def send(self, data: bytes) -> None:
        try:
            self.line.sendall(data)
        except OSError:
            self.how = "reset"

    def messages(self, patience: float | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Messages as they come, until the server closes or nothing more comes in time; `how` says which."""
        until = time.monotonic() + (self.patience if patience is None else patience)
        self.how = "silent"
        while (left := until - time.monotonic()) > 0:
            while len(self.buffer) >= 5 and len(self.buffer) > (length := struct.unpack(">I", self.buffer[1:5])[0]):
                kind, body, self.buffer = self.buffer[:1], self.buffer[5 : length + 1], self.buffer[length + 1 :]
                yield kind, body
            self.line.settimeout(left)
            try:
                more = self.line.recv(1 << 18)
            except TimeoutError:
                return
            except OSError:
                self.how = "reset"
                return
            if not more:
                self.how = "ended"
                return
            self.buffer += more

    def until_ready(self, patience: float | None = None) -> list[tuple[bytes, bytes]]:
        """Messages up to the next at which a question may be asked."""
        found = []
        for one in self.messages(patience):
            found.append(one)
            if one[0] == b"Z":
                self.how = "ready"
                break
        return found

    def ask(self, sql: str) -> tuple[list[list[bytes | None]], str]:
        """The rows of an answer and the SQLSTATE of its refusal, or none."""
        self.send(query(sql))
        found = self.until_ready()
        return [cells(body) for kind, body in found if kind == b"D"], next((state(body) for kind, body in found if kind == b"E"), "")

    def prove(self, user: str, key: str, spoil: bytes | None = None) -> list[tuple[bytes, bytes]]:
        """Proves a key by SCRAM-SHA-256 (RFC 5802); `spoil` stands in the place of the proof."""
        bare = b"n=,r=" + base64.b64encode(hashlib.sha256(user.encode()).digest()[:18])
        first = b"n,," + bare
        self.send(message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", len(first)) + first))
        said = next((body for kind, body in self.messages() if kind == b"R" and body[:4] == b"\0\0\0\x0b"), b"")[4:]
        parts = dict(part.split(b"=", 1) for part in said.split(b",") if b"=" in part)
        if not {b"r", b"s", b"i"} <= parts.keys():
            return list(self.messages(0.2))
        unproven = b"c=biws,r=" + parts[b"r"]
        proof = spoil
        if proof is None:
            salted = hashlib.pbkdf2_hmac("sha256", key.encode(), base64.b64decode(parts[b"s"]), int(parts[b"i"]))
            client = hmac.digest(salted, b"Client Key", "sha256")
            signature = hmac.digest(hashlib.sha256(client).digest(), bare + b"," + said + b"," + unproven, "sha256")
            proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, signature, strict=True)))
        self.send(message(b"p", unproven + b",p=" + proof))
        return self.until_ready()


def cells(body: bytes) -> list[bytes | None]:
    """The cells of a row."""
    found: list[bytes | None] = []
    at = 2
    for _ in range(struct.unpack(">H", body[:2])[0]):
        (length,) = struct.unpack(">i", body[at : at + 4])
        found.append(None if length < 0 else body[at + 4 : at + 4 + length])
        at += 4 + max(length, 0)
    return found


def state(body: bytes) -> str:
    """The SQLSTATE of an error."""
    return next((part[1:].decode() for part in body.split(b"\0") if part[:1] == b"C"), "")


def public(port: int, source: str = ATTACKER, **more: str) -> Session:
    """A session of nobody in particular."""
    session = Session(port, startup(**more), source)
    session.until_ready()
    return session


def named(port: int, user: str, key: str, source: str = ATTACKER) -> Session:
    """A session of who proves a key; `how` is not `ready` where it is not let in."""
    session = Session(port, startup(user), source)
    next(session.messages(), None)
    session.prove(user, key)
    return session
