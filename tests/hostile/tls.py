"""Handshakes of TLS at doors that speak in the clear, and broken ones at doors that encrypt."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path
from random import Random

import oracle
import pgwire
from ground import Ground
from http1 import connect
from http2 import PREFACE, Line, settings
from oracle import Fault
from sent import head, junk

HANDSHAKE, ALERT, DATA, HEARTBEAT = 22, 21, 23, 24
# A handshake that breaks off must be over by then, beside what a slow machine takes.
STARTUP = 20 + 8


def certificate(work: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    chain, key = work / "chain.pem", work / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)], check=True,
                   capture_output=True)
    return chain, key


def context(alpn: str | None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode, made.maximum_version = False, ssl.CERT_NONE, newest
    if alpn:
        made.set_alpn_protocols([alpn])
    return made


def hello(alpn: str | None = "h2") -> bytes:
    """The first record of a handshake, as a client sends it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(alpn).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def spoiled(random: Random, whole: bytes) -> bytes:
    """A hello that is cut short, says other lengths, or has other bytes."""
    data, form = bytearray(whole), random.randrange(9)
    if form == 0:
        return bytes(data[: random.randrange(1, len(data))])
    if form == 1:
        for _ in range(random.randint(1, 12)):
            data[random.randrange(5, len(data))] = random.randrange(256)
    elif form == 2:
        at = random.choice([3, 4, 6, 7, 8, 43, 44])
        data[at] = random.choice([0, 1, 127, 128, 255])
    elif form == 3:
        data[1:3] = random.choice([b"\2\0", b"\3\0", b"\3\1", b"\3\4", b"\x7f\x1c", b"\0\0", b"\xff\xff"])
    elif form == 4:
        return b"".join(record(HANDSHAKE, bytes([byte])) for byte in data[5:])
    elif form == 5:
        return b"".join(record(HANDSHAKE, b"") for _ in range(random.choice([10, 1_000]))) + bytes(data)
    elif form == 6:
        return record(random.choice([ALERT, DATA, HEARTBEAT, 20, 99, 0]), junk(random, 300))
    elif form == 7:
        return struct.pack(">BHH", HANDSHAKE, 0x0301, random.choice([16_384, 16_385, 65_535])) + junk(random, 500) * random.choice([1, 100])
    else:
        return bytes(data) + record(random.choice([ALERT, DATA, HEARTBEAT, HANDSHAKE]), junk(random, 200))
    return bytes(data)


def records(data: bytes) -> list[int]:
    """The kinds of the records of an answer, where it is nothing else."""
    kinds, at = [], 0
    while at + 5 <= len(data):
        kinds.append(data[at])
        at += 5 + struct.unpack(">H", data[at + 3 : at + 5])[0]
    return kinds


def told(line: socket.socket, patience: float) -> tuple[bytes, bool]:
    """What comes until the server closes, and whether it did."""
    data, until = b"", time.monotonic() + patience
    while (left := until - time.monotonic()) > 0:
        line.settimeout(left)
        try:
            more = line.recv(1 << 16)
        except TimeoutError:
            return data, False
        except OSError:
            return data, True
        if not more:
            return data, True
        data += more
    return data, False


def run_plain(ground: Ground) -> None:
    """Handshakes at the doors that speak in the clear: nobody is answered in a protocol that is not theirs."""
    server, ports, whole = ground.server, ground.server.ports, hello()

    def attempt(number: int, random: Random) -> None:
        port = ports[number % 4]
        sent = whole if random.random() < 0.3 else spoiled(random, whole)
        with connect(port) as line:
            line.sendall(sent)
            data, _ = told(line, 0.3)
        oracle.look(server, sent, data)
        # Of HTTP the library says that it cannot read it; Flight says its settings, or that it goes.
        allowed = {ports.http: b"HTTP/1.1 4", ports.gateway: b"HTTP/1.1 4", ports.flight: b"\0\0"}.get(port, b"")
        if data and not (allowed and data.startswith(allowed)):
            raise Fault(f"{ports._fields[number % 4]} answers {oracle.shown(data)}", sent)
        oracle.insides(sent, data)

    ground.each(attempt, range(ground.count), at_once=16)


def run(ground: Ground) -> None:
    """Broken handshakes, and what is broken behind a handshake, at the doors that encrypt."""
    server, ports = ground.server, ground.server.ports
    hellos = {ports.postgres: hello("postgresql"), ports.flight: hello("h2")}
    server.hide((server.work / "key.pem").read_text().splitlines()[1])

    def broken(random: Random, port: int, asks: bool) -> None:
        """A handshake that is none, after a request for TLS where PostgreSQL's clients make one."""
        sent = spoiled(random, hellos[port])
        waits = random.random() < 0.03
        with connect(port) as line:
            if asks:
                line.sendall(pgwire.packet(pgwire.SSL))
                if line.recv(1) != b"S":
                    raise Fault("TLS is not offered", sent)
            line.sendall(sent)
            data, closed = told(line, STARTUP if waits else 0.15)
        judge(sent, data)
        if waits and not closed and HANDSHAKE not in records(data):
            raise Fault(f"a handshake that breaks off is waited for longer than {STARTUP} s", sent)

    def judge(sent: bytes, data: bytes) -> None:
        oracle.look(server, sent, data)
        if set(records(data)) - {HANDSHAKE, ALERT, DATA, 20}:
            raise Fault(f"what is answered is no TLS: {oracle.shown(data)}", sent)

    def plain(random: Random, port: int) -> None:
        """What is said in the clear at a door that encrypts."""
        whole = [PREFACE + settings(), head("/healthz"), junk(random, 300), b"\x80\x2e\x01\x00\x02" + junk(random, 40)]
        sent = random.choice(whole if port == ports.flight else whole[1:])
        with connect(port) as line:
            line.sendall(sent)
            data, _ = told(line, 0.15)
        judge(sent, data)

    def injected(random: Random) -> None:
        """What comes in the clear behind the request for TLS is not taken for what comes encrypted (CVE-2021-23222)."""
        sent = pgwire.packet(pgwire.SSL) + random.choice([pgwire.startup(), pgwire.startup() + pgwire.query("select 1"), junk(random, 50)])
        with connect(ports.postgres) as line:
            line.sendall(sent)
            data, _ = told(line, 0.3)
        oracle.look(server, sent, data)
        if data[:1] != b"S" or set(records(data[1:])) - {ALERT}:
            raise Fault(f"it goes on in the clear: {oracle.shown(data)}", sent)

    def behind(random: Random, port: int) -> None:
        """A handshake as it should be, and then no records, another handshake, or a heartbeat that asks for more than it sends."""
        newest = random.choice([ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
        raw = connect(port)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context("h2" if port == ports.flight else "postgresql", newest).wrap_bio(incoming, outgoing)
        with raw:
            for _ in range(8):
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(1 << 16))
                except ssl.SSLError as error:
                    raise Fault(f"no handshake: {error}") from None
            sent = random.choice([record(HANDSHAKE, b"\0\0\0\0"), hellos[port], record(HEARTBEAT, b"\1\x40\0" + b"x" * 3),
                                  record(DATA, junk(random, 300)), record(DATA, b""), record(20, b"\1"), record(HANDSHAKE, b"\x18\0\0\1\1"),
                                  junk(random, 300), record(ALERT, b"\1\0"), record(DATA, b"x" * 16_641)])
            raw.sendall(outgoing.read() + sent)
            data, _ = told(raw, 0.2)
        judge(sent, data)
        if len(data) > 16_384:
            raise Fault(f"{len(data)} bytes are answered to {len(sent)}", sent)

    def other_protocol(random: Random, port: int) -> None:
        """A client that names another protocol is refused, and one that would use an old TLS."""
        old = random.random() < 0.5
        made = context(random.choice(["http/1.1", "x", "smtp"]), ssl.TLSVersion.TLSv1_2)
        if old:
            made.minimum_version, made.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
            made.set_ciphers("ALL:@SECLEVEL=0")
        try:
            with made.wrap_socket(connect(port)) as line:
                line.sendall(pgwire.startup())
                line.settimeout(1)
                if line.recv(100):
                    raise Fault(f"{line.version()} with {line.selected_alpn_protocol()} is served")
        except (ssl.SSLError, ConnectionError, TimeoutError):
            pass

    def attempt(number: int, random: Random) -> None:
        port = (ports.flight, ports.postgres)[number % 2]
        form = number // 2 % 8
        if form in (0, 1, 2):
            broken(random, port, port == ports.postgres and random.random() < 0.5)
        elif form in (3, 4):
            plain(random, port)
        elif form == 5:
            injected(random)
        elif form == 6:
            behind(random, port)
        else:
            other_protocol(random, port)

    ground.each(attempt, range(ground.count), at_once=16)
    # And a client of TLS is served nevertheless.
    with Line(ports.flight, wrap=context("h2").wrap_socket) as line:
        if line.call("ListActions", b"\0\0\0\0\0").code != 0:
            ground.note(-1, Fault("no client of TLS is served by Flight"))
