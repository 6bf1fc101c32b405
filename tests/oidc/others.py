"""The providers: their processes, and what they are asked beside the flow."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from asking import secrets

here = Path(__file__).parent
EVIL = "<script>alert('evil')</script>\"'>\r\nforged-line of the log\r\nset-cookie: amanat=evil\r\n\r\n<b>"


def said_by(process: subprocess.Popen[str]) -> str:
    """The line that it prints when it listens."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError("a provider does not start")
    return line


class Process:
    def __init__(self, work: Path, program: str, settings: dict[str, Any]) -> None:
        file = work / f"{program}.json"
        file.write_text(json.dumps(settings))
        errors = open(work / f"{program}.errors", "ab")
        self.process = subprocess.Popen(["node", str(here / program), str(file)], stdout=subprocess.PIPE, stderr=errors, text=True)
        self.pid = work / f"{program}.pid"
        self.pid.write_text(str(self.process.pid))
        self.first_line = said_by(self.process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.pid.unlink(missing_ok=True)


class Provider(Process):
    """The real one."""

    def __init__(self, work: Path, port: int, redirect: str, secret: str, accounts: dict[str, dict[str, Any]]) -> None:
        super().__init__(work, "provider.mjs", {"port": port, "redirect": redirect, "secret": secret, "accounts": accounts})
        self.issuer = f"http://127.0.0.1:{port}"

    def rotate(self) -> None:
        urllib.request.urlopen(f"{self.issuer}/test/rotate", data=b"").read()

    def learn(self) -> None:
        """Hides the tokens that it has given."""
        tokens = json.load(urllib.request.urlopen(f"{self.issuer}/test/told"))
        secrets.hide("a token of the provider", *tokens)


class Hostile(Process):
    """The bad one. `main` is where it is, `elsewhere` another host that nobody should be led to."""

    def __init__(self, work: Path, secret: str) -> None:
        super().__init__(work, "hostile.mjs", {"secret": secret, "evil": EVIL, "certificate": str(work / "certificate.pem"), "key": str(work / "key.pem")})
        self.addresses: dict[str, Any] = json.loads(self.first_line)
        self.main: str = self.addresses["main"]

    def issuer(self, variant: str = "plain") -> str:
        return f"{self.main}/i/{variant}"

    def told(self) -> dict[str, Any]:
        """What came and went since this was asked last; its secrets are hidden from now on."""
        told: dict[str, Any] = json.load(urllib.request.urlopen(f"{self.main}/test/told"))
        for flow in told["flows"]:
            secrets.hide("a state", flow.get("state"))
            secrets.hide("a nonce", flow.get("nonce"))
            secrets.hide("a challenge", flow.get("code_challenge"))
        for token in told["tokens"]:
            secrets.hide("a code", token.get("code"))
            secrets.hide("a token or verifier", *token.get("secrets", []))
        return told

    def retire(self) -> None:
        urllib.request.urlopen(f"{self.main}/test/retire", data=b"").read()
