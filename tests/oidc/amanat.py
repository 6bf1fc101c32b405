"""The Amanat that is checked: its process, its settings, its memory and its log."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import names
from asking import need, secrets

# Seconds that a start may take; the first one makes and publishes a synthetic country.
START = 300


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


class Amanat:
    """It is started anew for each way to configure it, on one data directory and one address."""

    def __init__(self, program: str, work: Path) -> None:
        self.program, self.work, self.data = program, work, work / "data"
        self.port = free_port()
        self.home = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.said, self.file = work / "said", work / "amanat.toml"
        self.plain = {name: value for name, value in os.environ.items() if not name.startswith(("RUST_", "AMANAT_"))} | {
            "AMANAT_GATEWAY__HTTP": "127.0.0.1:0", "AMANAT_SQL__QUESTIONS_PER_MINUTE": "0", "AMANAT_SQL__QUESTIONS_PER_MINUTE_OF_ALL": "0"}
        self.configure()

    def fill(self) -> None:
        """Makes the country that is served."""
        self.command("up", "--sample", "--once", *self.doors(), level="error")

    def doors(self) -> list[str]:
        return ["--http", f"127.0.0.1:{self.port}", "--postgres", "127.0.0.1:0", "--flight", "127.0.0.1:0"]

    def configure(self, settings: str = "", environment: dict[str, str] | None = None) -> None:
        """Stops it; from now on its commands have this file of settings and this environment."""
        self.stop()
        self.file.write_text(settings)
        self.environment = self.plain | (environment or {})

    def bind(self, readers: dict[str, str]) -> None:
        """Binds accounts anew, each to a value of the claim of the configured provider."""
        for name, value in readers.items():
            self.run(*names.remove(name))
            self.command(*names.invite(name, value))

    def start(self, level: str = "info") -> None:
        """Starts it anew as it is configured, and waits until it serves."""
        self.stop()
        arguments = [self.program, "up", "--data", str(self.data), "--config", str(self.file), "--log-level", level]
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(arguments + self.doors(), stdout=said, stderr=subprocess.STDOUT, env=self.environment)
        (self.work / "amanat.pid").write_text(str(self.process.pid))
        end = time.monotonic() + START
        while b"Ctrl-C" not in self.log():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("amanat up ended or is not ready:\n" + self.log().decode(errors="replace")[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        (self.work / "amanat.pid").unlink(missing_ok=True)

    def run(self, *arguments: str, level: str = "error") -> subprocess.CompletedProcess[str]:
        """Another command of the program on the same data, by the same settings where it names no others."""
        settings = [] if "--config" in arguments else ["--config", str(self.file)]
        given = [self.program, *arguments, *settings, "--data", str(self.data), "--log-level", level]
        return subprocess.run(given, capture_output=True, text=True, env=self.environment)

    def command(self, *arguments: str, level: str = "error") -> str:
        done = self.run(*arguments, level=level)
        # What the command says may be a secret; its name is none.
        need(done.returncode == 0, f"amanat {' '.join(arguments[:2])} ends with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout

    def log(self) -> bytes:
        return self.said.read_bytes()

    def resident(self) -> float:
        """MiB of memory."""
        need(self.process and self.process.poll() is None, "amanat up has ended")
        match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid if self.process else 0}/status").read_text())
        return int(match.group(1)) / 1024 if match else 0.0

    def keeps_silent(self) -> str:
        """Refuses a log with a secret, a panic, or a line that somebody else has written into it."""
        log = self.log()
        need(b"panicked" not in log, "the log has a panic")
        told = secrets.told(log)
        need(told is None, f"the log holds {told}")
        need(not re.search(rb"^\W*forged-line", log, re.M), "the log has a line that came with a request")
        return f"{len(log) // 1024} KiB"
