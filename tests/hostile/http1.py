"""HTTP/1.1 by hand: bytes are sent as they are, and what comes back is cut into answers."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
import zlib
from typing import Any, NamedTuple

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?$")
# Attackers come from an address of their own, so that what one of them is refused no other client is.
ATTACKER = "127.0.0.2"


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    def plain(self) -> bytes:
        """The body without its coding, where it has one that can be taken off here."""
        try:
            return zlib.decompress(self.body, 47) if self.header("content-encoding") in ("gzip", "deflate") else self.body
        except zlib.error:
            return self.body

    def json(self) -> Any:
        return json.loads(self.plain())


class Got(NamedTuple):
    """What came back."""

    answers: list[Answer]
    # What is left after the answers.
    rest: bytes
    # complete: all answers came. ended: the server closed. reset: it broke off. silent: nothing more came in time.
    how: str

    def raw(self) -> bytes:
        return b"".join(answer.raw for answer in self.answers) + self.rest


def chunked(data: bytes) -> tuple[bytes, int] | None:
    """A chunked body and its length on the wire; none where it is not whole."""
    at, body = 0, b""
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2
        if len(data) < at + size + 2:
            return None
        body += data[at : at + size]
        at += size + 2
        if not size:
            return body, at


def cut(data: bytes, heads: list[bool], ended: bool) -> tuple[list[Answer], bytes]:
    """The whole answers at the beginning, and what is left. `heads` says which requests were HEAD."""
    answers: list[Answer] = []
    while b"\r\n\r\n" in data:
        head, rest = data.split(b"\r\n\r\n", 1)
        first, *lines = head.split(b"\r\n")
        found = STATUS.match(first)
        if not found:
            break
        headers = [(name.decode("latin-1").lower(), value.strip().decode("latin-1")) for name, _,
                   value in (line.partition(b":") for line in lines)]
        status, known = int(found.group(1)), dict(headers)
        final = sum(answer.status >= 200 for answer in answers)
        if status < 200 or status in (204, 304) or heads[final : final + 1] == [True]:
            body, length = b"", 0
        elif known.get("transfer-encoding") == "chunked":
            whole = chunked(rest)
            if whole is None:
                break
            body, length = whole
        elif "content-length" in known:
            length = int(known["content-length"])
            body = rest[:length]
            if len(body) < length:
                break
        elif ended:
            body, length = rest, len(rest)
        else:
            break
        answers.append(Answer(status, headers, body, data[: len(head) + 4 + length]))
        data = rest[length:]
    return answers, data


def connect(port: int, source: str = ATTACKER, patience: float = 10) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=patience, source_address=(source, 0))


def reset(line: socket.socket) -> None:
    """Closes without a word: the other end gets a RST."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def exchange(port: int, sent: bytes, answers: int = 1, heads: tuple[bool, ...] = (), patience: float = 10, after: float = 0,
             source: str = ATTACKER) -> Got:
    """Sends bytes and reads until so many answers came, the server closed, or nothing more came in time. `after` is for how long
    something more than those answers is waited for."""
    with connect(port, source, patience) as line:
        data, how, until = b"", "complete", time.monotonic() + patience
        try:
            line.sendall(sent)
        except TimeoutError:
            how = "silent"
        except OSError:
            # It closed before it had read all; its answer may be there nevertheless.
            how = "reset"
        found: list[Answer] = []
        while True:
            enough = sum(answer.status >= 200 for answer in found) >= answers
            left = after if enough else until - time.monotonic()
            if left <= 0:
                how = how if enough else "silent"
                break
            line.settimeout(left)
            try:
                more = line.recv(1 << 18)
            except TimeoutError:
                how = how if enough else "silent"
                break
            except OSError:
                how = "reset"
                break
            if not more:
                how = "ended"
                found, rest = cut(data, list(heads), True)
                return Got(found, rest, how)
            data += more
            found, _ = cut(data, list(heads), False)
        found, rest = cut(data, list(heads), False)
        return Got(found, rest, how)


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"", host: str = "127.0.0.1") -> bytes:
    """A request as it should be, after which the connection ends."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | dict[str, Any] = b"", patience: float = 20,
        source: str = ATTACKER, host: str | None = None) -> Answer:
    """A request as it should be, and its answer. A body of JSON says so by itself."""
    headers = dict(headers or {})
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    sent = request(method, path, headers, body, host or f"127.0.0.1:{port}")
    got = exchange(port, sent, heads=(method == "HEAD",), patience=patience, source=source)
    if not got.answers:
        raise OSError(f"no answer to {method} {path[:60]}: {got.how}")
    return got.answers[-1]
