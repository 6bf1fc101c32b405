"""Keys, surrogates, sealed payloads and set-aside bytes, computed from the master secret alone (ingestion.md 3.3, 3.6)."""

import json
import struct
from datetime import datetime
from json.decoder import scanstring

from blake3 import blake3
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt

scan = json.JSONDecoder().scan_once
SPACE = " \t\n\r"


class Keys:
    def __init__(self, master):
        def key(purpose):
            return blake3(master, derive_key_context=f"amanat 2026-11 {purpose}").digest()

        self.person, self.link = key("person"), key("link")
        self.set_aside, self.nonce, self.hash = key("set-aside"), key("set-aside-nonce"), key("set-aside-hash")

    def surrogate(self, agency, token):
        return blake3(f"{agency}\0{token}".encode(), key=self.person).digest()[:16]

    def link_ref(self, kind, token):
        return blake3(f"{kind}\0{token}".encode(), key=self.link).digest()[:16]

    def set_aside_row(self, stream, number, offset, record_frame):
        """The payload and the hash of a row that was set aside."""
        place = struct.pack("<Q", len(stream.encode())) + stream.encode() + struct.pack("<iq", number, offset)
        nonce = blake3(place + record_frame, key=self.nonce).digest(length=24)
        return (nonce + encrypt(record_frame, place, nonce, self.set_aside),
                blake3(record_frame, key=self.hash).hexdigest()[:32])


def set_aside_frame(key, headers, value):
    def part(data):
        return struct.pack("<I", 0xFFFFFFFF) if data is None else struct.pack("<I", len(data)) + data

    names = b"".join(part(name.encode()) + part(content) for name, content in headers)
    return b"\x01" + part(key) + struct.pack("<I", len(headers)) + names + part(value)


class NotAnEvent(Exception):
    """What an independent reader finds no event in."""


NO_EVENT = (NotAnEvent, ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Event:
    """An event as an independent reader understands it."""

    def __init__(self, keys, headers, value):
        try:
            text = value.decode()
        except UnicodeDecodeError as error:
            raise NotAnEvent from error
        json.loads(text)  # one document, to its end
        media = next((v for n, v in headers if n.lower() == "content-type"), b"").split(b";")[0].strip().lower()
        binary = any(name.startswith("ce_") for name, _ in headers) and media != b"application/cloudevents+json"
        if binary:
            attributes = {name[3:]: content.decode() for name, content in headers if name.startswith("ce_")}
            raw = text.strip(SPACE)
        else:
            found = {name: text[start:end] for name, start, end in members(text, 0)}
            raw = found.pop("data", "null")
            attributes = {name: json.loads(part) for name, part in found.items()}
        self.id, self.type = attributes["id"], attributes["type"]
        self.record_id, self.schema_id = attributes["subject"], attributes["dataschema"]
        self.agency = attributes["source"].removeprefix("urn:pk:tip:")
        self.recorded_at = datetime.fromisoformat(attributes["time"])
        tokens = list(tokens_of(raw))
        self.subjects = [keys.surrogate(self.agency, token) for _, token, _, _ in tokens]
        self.links = [keys.link_ref(kind, token) for kind, token, _, _ in tokens]
        self.payload = splice(raw, tokens, self.subjects).encode()

    def content(self):
        """What makes two copies the same, however they are written."""
        return self.type, self.schema_id, self.record_id, self.recorded_at, json.loads(self.payload)


def value_end(text, at):
    try:
        return scan(text, at)[1]
    except StopIteration as error:
        raise NotAnEvent from error


def skip(text, at):
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


def items(text, at, opening, closing):
    """Positions at which the parts of an object or array begin; the caller sends back where each ends."""
    at = skip(text, at)
    if text[at:at + 1] != opening:
        raise NotAnEvent
    at = skip(text, at + 1)
    while text[at:at + 1] != closing:
        at = skip(text, (yield at))
        if text[at:at + 1] == ",":
            at = skip(text, at + 1)


def members(text, at):
    """Name, begin and end of each member of an object."""
    walk = items(text, at, "{", "}")
    at = next(walk, None)
    while at is not None:
        try:
            name, at = scanstring(text, at + 1)
        except ValueError as error:
            raise NotAnEvent from error
        start = skip(text, skip(text, at) + 1)
        end = value_end(text, start)
        yield name, start, end
        try:
            at = walk.send(end)
        except StopIteration:
            at = None


def tokens_of(raw):
    """Kind, token and where it stands, of each entry of `person`."""
    for name, start, end in members(raw, 0):
        if name != "person":
            continue
        walk = items(raw, start, "[", "]")
        at = next(walk, None)
        while at is not None:
            entry = {key: (a, b) for key, a, b in members(raw, at)}
            a, b = entry["token"]
            yield json.loads(raw[slice(*entry["kind"])]), raw[a + 1:b - 1], a + 1, b - 1
            try:
                at = walk.send(value_end(raw, at))
            except StopIteration:
                at = None


def splice(raw, tokens, surrogates):
    out, written = [], 0
    for (_, _, start, end), surrogate in zip(tokens, surrogates):
        out += [raw[written:start], surrogate.hex()]
        written = end
    return "".join(out) + raw[written:]
