"""What may be answered to a hostile request: nothing that is secret, nothing of a person, nothing of our insides, and no fault of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from urllib.parse import unquote_to_bytes

from http1 import Answer, Got
from server import Server

# What only our insides have. A text that the client sent itself is not ours, so it is looked for there first.
INSIDES = re.compile(
    rb"panicked|stack backtrace|RUST_BACKTRACE|\.rs:\d+|untagged enum|(?:struct|variant|enum) [A-Z]\w+|[a-z_]+::[a-z_]+::|"
    rb"called `|DataFusion|ArrowError|sqlparser|ParserError|SQLite|sqlite|/root/|/home/|/tmp/|/proc/|/usr/|os error|readers\.toml|"
    rb"vault\.db|audit\.db|log\.db"
)
# What no file of the machine may be answered with: passwd, a key, a database, a configuration.
FILES = re.compile(rb"root:[x*]?:0:0|BEGIN [A-Z ]*PRIVATE KEY|SQLite format 3|key_blake3|token_blake3|\[\[reader\]\]|SCRAM-SHA-256\$\d")
# Codes of problems with a status of 500 or more by which a limit speaks, or a part of a standard that there is not.
DELIBERATE = {"time_limit", "answer_timeout", "too_many_streams", "not_implemented", "not_ready"}


class Fault(Exception):
    """Something that must not be, and the bytes that brought it about."""

    def __init__(self, what: str, sent: bytes = b"") -> None:
        super().__init__(what)
        self.what, self.sent = what, sent


def shown(data: bytes, most: int = 160) -> str:
    """Bytes in short."""
    text = repr(data[:most])[2:-1]
    return text + (f"… ({len(data)} bytes)" if len(data) > most else "")


def look(server: Server, sent: bytes, got: bytes, own: tuple[str | bytes, ...] = ()) -> None:
    """Refuses what holds a secret, a person, or a file."""
    found = server.told(got, (*own, *(secret for secret in tuple(server.secret) if secret in sent)))
    if found:
        raise Fault(f"the answer holds a secret: {shown(found, 24)}", sent)
    file = FILES.search(got)
    if file and file.group(0) not in sent:
        raise Fault(f"the answer holds part of a file: {shown(file.group(0))}", sent)


def insides(sent: bytes, text: bytes) -> None:
    """Refuses a text of an error that tells of our insides. What the client wrote itself, in codes too, is not ours."""
    written = sent + unquote_to_bytes(sent)
    for found in INSIDES.finditer(text):
        if found.group(0) not in written:
            at = max(0, found.start() - 60)
            raise Fault(f"an error tells of our insides: {shown(text[at : found.end() + 60])}", sent)


def problem(sent: bytes, answer: Answer, gateway: bool) -> None:
    """Refuses an error that is not in the form in which errors are said. What the library of HTTP refuses has no body."""
    text = answer.plain()
    insides(sent, text)
    if not text:
        if answer.status >= 500:
            raise Fault(f"status {answer.status} without a word", sent)
        return
    try:
        said = json.loads(text)
    except ValueError:
        if answer.status == 404 and (answer.header("content-type") or "").startswith("text/html"):
            return
        raise Fault(f"status {answer.status} with what is no problem: {shown(text)}", sent) from None
    if gateway:
        if not {"error_code", "message"} <= said.keys() or answer.status >= 500 and said["error_code"] not in (50302,):
            raise Fault(f"status {answer.status} of the registry: {shown(text)}", sent)
        return
    if said.get("status") != answer.status or not {"type", "title", "detail", "code"} <= said.keys():
        raise Fault(f"status {answer.status} with another problem: {shown(text)}", sent)
    if answer.header("content-type") != "application/problem+json":
        raise Fault(f"a problem of type {answer.header('content-type')}", sent)
    if answer.status >= 500 and said["code"] not in DELIBERATE:
        raise Fault(f"status {answer.status}, {said['code']}: a fault of ours", sent)


def one(server: Server, sent: bytes, answer: Answer, own: tuple[str | bytes, ...] = (), gateway: bool = False) -> None:
    """Refuses an answer that must not be, whatever was asked."""
    look(server, sent, answer.raw, own)
    look(server, sent, answer.plain(), own)
    if answer.status >= 400:
        problem(sent, answer, gateway)


def answers(server: Server, sent: bytes, got: Got, statuses: Container[int] | None = None, waits: bool = False,
            own: tuple[str | bytes, ...] = (), gateway: bool = False) -> None:
    """Refuses what came back where it must not be. `waits`: what was sent is no whole request, and the server may wait."""
    look(server, sent, got.raw(), own)
    for answer in got.answers:
        one(server, sent, answer, own, gateway)
        if statuses is not None and answer.status >= 200 and answer.status not in statuses:
            raise Fault(f"status {answer.status}: {shown(answer.body)}", sent)
    if got.how == "silent" and not waits:
        raise Fault("no whole answer in time" + (f", but {shown(got.rest)}" if got.rest else ""), sent)
