"""The Amanat that is attacked: its process, what it costs, what it says in its log, and what it must never say to anybody.

It is started on a synthetic country, and once more before the attacks, so that its memory is that of a server and not of the first
filling. Limits of a question are shorter than the program's own, so that the attacks are; the code that enforces them is the same.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

# Seconds and MiB of one question.
TIME_LIMIT, MEMORY_LIMIT = 5, 64
# Seconds that a start may take: the first one makes, reports, ingests and publishes a country.
START = 300
# What a client that stands still is granted, from docs/guides/run-it.md: a question and 45 s; taking an answer 20 s, in all 60 s.
SILENCE, TAKING, ANSWER = TIME_LIMIT + 45, 20, 60
TOKEN = re.compile(rb"[0-9b-df-hjkmnp-tv-z]{16,64}")


class Ports(NamedTuple):
    http: int
    postgres: int
    flight: int
    gateway: int


def found(pattern: str, text: str) -> str:
    """The part of a text that a pattern looks for; that it is not there is no fault of Amanat's, but the end of the attack."""
    match = re.search(pattern, text, re.M)
    if match is None:
        raise SystemExit(f"there is no {pattern} in what was said: {text[:200]}")
    return match.group(1)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Server:
    """A running Amanat on this machine."""

    def __init__(self, program: str, work: Path) -> None:
        self.program, self.work, self.data = program, work, work / "data"
        self.ports = Ports(*free_ports(4))
        self.process: subprocess.Popen[bytes] | None = None
        self.said = work / "said"
        self.read_until = 0
        self.secret: set[bytes] = set()
        self.tokens: frozenset[bytes] = frozenset()
        self.link = ""
        self.is_tls = False
        self.lock = threading.Lock()

    # Its life.

    def start(self, sample: bool = False, tls: tuple[Path, Path] | None = None) -> None:
        """Starts it, and waits until it is ready."""
        ports = self.ports
        settings = {
            "AMANAT_GATEWAY__HTTP": f"127.0.0.1:{ports.gateway}",
            "AMANAT_SQL__QUESTIONS_PER_MINUTE": "0",
            "AMANAT_SQL__QUESTIONS_PER_MINUTE_OF_ALL": "0",
            "AMANAT_SQL__TIME_LIMIT_SECONDS": str(TIME_LIMIT),
            "AMANAT_SQL__MEMORY_LIMIT_MIB": str(MEMORY_LIMIT),
        }
        if tls:
            settings |= {"AMANAT_TLS__CERTIFICATE": str(tls[0]), "AMANAT_TLS__KEY": str(tls[1])}
        self.is_tls = tls is not None
        arguments = [self.program, "up", "--data", str(self.data)] + ["--sample"] * sample
        for door, port in (("--http", ports.http), ("--postgres", ports.postgres), ("--flight", ports.flight)):
            arguments += [door, f"127.0.0.1:{port}"]
        # As operators have it: a trace behind each panic would be read from hundreds of MiB of a development build.
        plain = {name: value for name, value in os.environ.items() if not name.startswith("RUST_")}
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(arguments, stdout=said, stderr=subprocess.STDOUT, env=plain | settings)
        self.read_until = 0
        (self.work / "pid").write_text(str(self.pid()))
        until = time.monotonic() + START
        while b"Ctrl-C" not in self.said.read_bytes():
            if not self.is_alive() or time.monotonic() > until:
                raise SystemExit("amanat up ended or is not ready:\n" + self.said.read_text(errors="replace")[-2000:])
            time.sleep(0.1)
        if sample:
            self.link = found(r"first login +\S+#(\w+)", self.said.read_text())
            self.keep_secret()

    def stop(self) -> None:
        """Ends it, whole."""
        if self.process and self.is_alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        (self.work / "pid").unlink(missing_ok=True)

    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def command(self, *arguments: str) -> str:
        """Runs another command of the program on the same data."""
        done = subprocess.run([self.program, *arguments, "--data", str(self.data), "--log-level", "error"], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"amanat {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def key(self, name: str, role: str = "analyst", *more: str) -> str:
        """Makes a key. It may take the server a moment to know of it."""
        share = ("--share", "partners") if role in ("analyst", "steward") else ()
        key = found(r"(amanat_\w+)", self.command("key", "new", "--id", name, "--role", role, *share, *more))
        self.hide(key)
        return key

    # What it costs.

    def resident(self) -> float:
        """MiB of memory that it has now; none once it has ended."""
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid()}/status").read_text())
        return int(match.group(1)) / 1024 if match else 0.0

    def cpu(self) -> float:
        """Seconds that it has computed so far."""
        fields = Path(f"/proc/{self.pid()}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_idle(self) -> bool:
        """Whether it computes less than a fifth of a core just now."""
        before = self.cpu()
        time.sleep(0.5)
        return self.cpu() - before < 0.1

    def descriptors(self) -> int:
        """Files and connections that it has open."""
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    # What it must not say.

    def hide(self, *texts: str | bytes) -> None:
        """From now on nobody is to be told these."""
        with self.lock:
            self.secret |= {text.encode() if isinstance(text, str) else text for text in texts}

    def keep_secret(self) -> None:
        """Plants canaries, and learns what lies on the disk: keys, what readers.toml proves them by, and the tokens of persons."""
        for place in (self.data / "canary", self.data / "keys" / "canary", self.work / "canary"):
            canary = f"canary-{secrets.token_hex(16)}"
            place.write_text(canary)
            self.hide(canary)
        master = (self.data / "keys" / "master").read_bytes()
        readers = re.findall(r'"([^"]{20,})"', (self.data / "readers.toml").read_text())
        self.hide(self.link, (self.data / "keys" / "analyst").read_text().strip(), master, master.hex(), base64.b64encode(master))
        self.hide(*(part for line in readers for part in line.split("$") if len(part) >= 20))
        tokens: set[bytes] = set()
        with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True) as log:
            for (body,) in log.execute("select body from batches"):
                tokens.update(re.findall(rb'"token":"(\w+)"', body))
        self.tokens = frozenset(tokens)
        if len(self.tokens) < 1000:
            raise SystemExit("the log has hardly any persons: what this looks for is not there")

    def told(self, text: bytes, own: tuple[str | bytes, ...] = ()) -> bytes | None:
        """A secret or a person's token that stands in a text, beside those that its reader may know."""
        known = {one.encode() if isinstance(one, str) else one for one in own}
        with self.lock:
            found = next((secret for secret in self.secret - known if secret in text), None)
        return found or next((token for token in TOKEN.findall(text) if token in self.tokens), None)

    def log(self) -> bytes:
        """What it has said since this was asked last."""
        with open(self.said, "rb") as said:
            said.seek(self.read_until)
            text = said.read()
        self.read_until += len(text)
        return text
