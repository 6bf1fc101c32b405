"""The messages of Arrow Flight SQL that are sent and read here, as bytes of protobuf."""

from __future__ import annotations

from collections.abc import Iterator

from http2 import Line, message

TYPE = "type.googleapis.com/arrow.flight.protocol.sql."
METHODS = ("Handshake", "ListFlights", "GetFlightInfo", "PollFlightInfo", "GetSchema", "DoGet", "DoPut", "DoExchange", "DoAction",
           "ListActions")


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(at: int, value: bytes | str | int) -> bytes:
    """A field of a message: a number, or bytes."""
    if isinstance(value, int):
        return varint(at << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(at << 3 | 2) + varint(len(raw)) + raw


def fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message, as far as they can be read."""
    at = 0

    def read() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            value, at, shift = value | (byte & 127) << shift, at + 1, shift + 7
            if not byte & 128:
                return value

    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            yield tag >> 3, read()
        else:
            length = read()
            yield tag >> 3, data[at : at + length]
            at += length


def packed(kind: str, body: bytes) -> bytes:
    """A message of Flight SQL, as it stands in a command, a ticket or an action."""
    return field(1, TYPE + kind) + field(2, body)


def command(kind: str, body: bytes) -> bytes:
    """A descriptor of a command."""
    return field(1, 2) + field(2, packed(kind, body))


def question(sql: str) -> bytes:
    return command("CommandStatementQuery", field(1, sql))


def action(kind: str, body: bytes) -> bytes:
    return field(1, kind) + field(2, body)


def part(data: bytes, *path: int) -> bytes:
    """The bytes that a message has at a path of fields, the first where there are several."""
    for wanted in path:
        data = next((value for at, value in fields(data) if at == wanted and isinstance(value, bytes)), b"")
    return data


def ticket_of(info: bytes) -> bytes:
    """The first ticket of a FlightInfo: of its first endpoint."""
    return part(info, 3, 1)


def handle_of(result: bytes) -> bytes:
    """The handle of a prepared question, in the result of its preparation."""
    return part(result, 1, 2, 1)


def bearer(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def rows(line: Line, sql: str, key: str | None) -> list[bytes] | str:
    """The messages of the answer to a question without the schema, or the text of its refusal."""
    planned = line.call("GetFlightInfo", message(question(sql)), metadata=bearer(key))
    if planned.code != 0:
        return planned.said or planned.how
    taken = line.call("DoGet", message(ticket_of(planned.messages()[0])), metadata=bearer(key))
    return taken.messages()[1:] if taken.code == 0 else taken.said or taken.how
