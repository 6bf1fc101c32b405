"""Sign-in by OpenID Connect, with a real provider and with a hostile one.

    check.py --program AMANAT --work FOLDER [--only PART,…]

Prints a line for each check, then `N of N checks`; ends with 1 where one fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import configured
import descriptions
import journeys
import names
import ordinary
import tokens
from amanat import Amanat, free_port
from asking import check, conclude, need, secrets
from browser import JSON, Browser
from flow import OTHER, OTHER_VALUE, READER, VALUE, begins, changed, goes_well, goes_wrong, played, refused, returns
from ordinary import MAIL
from others import EVIL, Hostile, Provider

# With signs that client_secret_basic has to write otherwise (RFC 6749, 2.3.1); Appendix A allows these.
SECRET = "synthetic secret: 100 % + /&=~\\\""


class Ground:
    """The service, its readers, and the providers."""

    def __init__(self, program: str, work: Path) -> None:
        self.work = work
        self.provider: Provider | None = None
        (work / "secret").write_text(SECRET + "\n")
        secrets.hide("the client's secret", SECRET)
        ordinary.hide_accounts()
        # The hostile one takes ports of its own; those that are free after it stay so.
        self.hostile = Hostile(work, SECRET)
        self.amanat, self.port = Amanat(program, work), free_port()
        self.amanat.fill()

    def real(self) -> Provider:
        self.provider = self.provider or Provider(self.work, self.port, self.amanat.home + names.RETURN, SECRET, ordinary.ACCOUNTS)
        return self.provider

    def settings(self, issuer: str, **more: Any) -> dict[str, Any]:
        return {"issuer": issuer, "client_id": names.CLIENT, "client_secret_file": str(self.work / "secret"), "name": names.BUTTON} | more

    def start(self, issuer: str, level: str = "info", readers: dict[str, str] | None = None, **more: Any) -> None:
        """With a file of settings. Readers are of a provider: each time they are bound anew."""
        self.amanat.configure(names.settings(self.amanat.home, **self.settings(issuer, **more)))
        self.amanat.bind(readers or {READER: VALUE, OTHER: OTHER_VALUE})
        self.amanat.start(level)

    def start_by_environment(self, variant: str) -> None:
        issuer = f"{self.hostile.addresses['tls']}/i/plain" if variant == "tls" else self.hostile.issuer(variant)
        self.amanat.configure(environment=names.environment(self.amanat.home, **self.settings(issuer)))
        self.amanat.bind({READER: VALUE})
        self.amanat.start()

    def silence(self, part: str) -> None:
        """What the service has said in its log meanwhile has no secret in it."""
        @check(f"log: {part}")
        def _() -> str:
            self.hostile.told()
            if self.provider:
                self.provider.learn()
            return self.amanat.keeps_silent()

    def stop(self) -> None:
        self.amanat.stop()
        for process in (self.provider, self.hostile):
            if process:
                process.stop()


def settings(ground: Ground) -> None:
    configured.refusals(ground.amanat, SECRET)
    ground.amanat.configure()
    ground.amanat.start()
    configured.without(ground.amanat)
    configured.slash(ground.amanat, ground.settings(ground.hostile.issuer()))


def real(ground: Ground) -> None:
    issuer = f"http://127.0.0.1:{ground.port}"
    if not ground.provider:
        ground.start(issuer)
        ordinary.away(ground.amanat)
        ground.real()
        ordinary.back(ground.amanat)
    ordinary.confidential(ground.amanat, ground.real())


def public(ground: Ground) -> None:
    by_mail: dict[str, Any] = {"readers": {READER: MAIL}, "claim": "email"}
    ground.start(ground.real().issuer, client_id=names.PUBLIC_CLIENT, client_secret_file=None, scopes=["openid", "email"], **by_mail)
    ordinary.public(ground.amanat)
    ground.silence("public, first")
    ground.start(ground.hostile.issuer(), **by_mail)
    tokens.mails(ground.amanat, ground.hostile, MAIL)


def identity(ground: Ground) -> None:
    ground.start(ground.hostile.issuer())
    tokens.identity(ground.amanat, ground.hostile)


def answers(ground: Ground) -> None:
    ground.start(ground.hostile.issuer())
    tokens.answers(ground.amanat, ground.hostile)
    tokens.waiting(ground.amanat, ground.hostile)


def journey(ground: Ground) -> None:
    ground.start(ground.hostile.issuer())
    journeys.tampered(ground.amanat, ground.hostile)
    journeys.browsers(ground.amanat, ground.hostile)
    journeys.again(ground.amanat, ground.hostile)
    journeys.leads(ground.amanat, ground.hostile)


def many(ground: Ground) -> None:
    ground.start(ground.hostile.issuer())
    journeys.many(ground.amanat)


def discovery(ground: Ground) -> None:
    def start(variant: str) -> None:
        # Each start has a log of its own.
        ground.amanat.stop()
        if ground.amanat.said.exists():
            ground.hostile.told()
            ground.amanat.keeps_silent()
        ground.start_by_environment(variant)

    for group in (descriptions.useful, descriptions.unusable, descriptions.costly, descriptions.silent):
        group(ground.amanat, ground.hostile, start)


def words(ground: Ground) -> None:
    """The program's own words when it is asked to tell much; and the record of who asked what."""
    ground.start(ground.hostile.issuer(), level="debug")
    for play in ("alg-none", "invalid-grant", "html", "sub-in-another-claim", "redirect"):
        goes_wrong(Browser(ground.amanat.home), names.NOBODY, play)
    goes_well(Browser(ground.amanat.home))
    browser = Browser(ground.amanat.home)
    url = played(browser, begins(browser))
    refused(browser, returns(browser, changed(url, code=None, error="access_denied", error_description=EVIL), JSON), names.DENIED)

    @check("log: the audit log and the file of readers have names of accounts, and nothing that the provider has said")
    def _() -> str:
        kept = [file for file in ground.amanat.data.iterdir() if file.name.startswith(names.AUDIT) or file.name == names.READERS]
        for file in kept:
            told = secrets.told(file.read_bytes())
            need(told is None, f"{file.name} has {told}")
        need(any(READER.encode() in file.read_bytes() for file in kept if file.name != names.READERS), "nobody has recorded who came in")
        return ", ".join(sorted(file.name for file in kept))


PARTS: dict[str, Callable[[Ground], None]] = {
    "settings": settings, "real": real, "public": public, "identity": identity, "answers": answers, "journey": journey, "many": many,
    "discovery": discovery, "words": words}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--only", default=",".join(PARTS))
    args = parser.parse_args()
    ground = Ground(args.program, args.work)
    try:
        for part in args.only.split(","):
            PARTS[part](ground)
            ground.silence(part)
    finally:
        ground.stop()
    return conclude()


if __name__ == "__main__":
    sys.exit(main())
