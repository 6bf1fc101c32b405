"""The settings of sign-in: what is refused before the service starts, and a service without any."""

from __future__ import annotations

from typing import Any

import names
from amanat import Amanat
from asking import check, need, secrets
from browser import JSON, Browser, sent
from flow import begins

FAR = "https://login.ministry.example"
# By what is wrong with it: settings beside good ones. None leaves one out.
REFUSED: dict[str, dict[str, Any]] = {
    "an issuer in the clear": {"issuer": "http://login.ministry.example"},
    "an issuer whose name begins like this machine's": {"issuer": "http://127.0.0.1.evil.example"},
    "an issuer with this machine as its user": {"issuer": "http://127.0.0.1@evil.example"},
    "an issuer with a query": {"issuer": f"{FAR}?tenant=one"},
    "an issuer with a fragment": {"issuer": f"{FAR}#one"},
    "an issuer that is no address": {"issuer": "login.ministry.example"},
    "an issuer of another scheme": {"issuer": "ftp://login.ministry.example"},
    "no issuer": {"issuer": None},
    "no client": {"client_id": None},
    "an empty client": {"client_id": ""},
    "a secret that is not there": {"client_secret_file": "/nowhere/secret"},
    "an empty claim": {"claim": ""},
    "a setting that does not exist": {"client_secret": "a secret in the wrong place"},
}


def check_of(amanat: Amanat, settings: str, *command: str) -> tuple[int, str]:
    file = amanat.work / "tried.toml"
    file.write_text(settings)
    done = amanat.run("config", *(command or ("check",)), "--config", str(file))
    return done.returncode, done.stdout + done.stderr


def refusals(amanat: Amanat, secret: str) -> None:
    (amanat.work / "secret").write_text(secret + "\n")
    good = {"issuer": FAR, "client_id": names.CLIENT, "client_secret_file": str(amanat.work / "secret"), "claim": "sub", "name": names.BUTTON,
            "scopes": ["openid"]}

    @check("settings: good ones are taken, at an address of this machine in the clear as well")
    def _() -> None:
        for issuer in (FAR, f"{FAR}/realms/one", f"{FAR}/", "http://127.0.0.1:8090", "http://[::1]:8090/one"):
            status, said = check_of(amanat, names.settings(amanat.home, **good | {"issuer": issuer}))
            need(status == 0, f"{issuer}: {said[-300:]}")

    @check("settings: they are shown without the secret")
    def _() -> None:
        status, said = check_of(amanat, names.settings(amanat.home, **good), "show")
        need(status == 0 and FAR in said, f"they are not shown: {said[-300:]}")
        need(secrets.told(said.encode()) is None, "the secret is shown")

    for what, change in REFUSED.items():
        @check(f"settings: {what} is refused")
        def _(change: dict[str, Any] = change) -> str:
            status, said = check_of(amanat, names.settings(amanat.home, **good | change))
            need(status != 0, "it is taken")
            need("oidc" in said, f"the refusal does not say where: {said[-200:]}")
            need("wrong place" not in said, "the refusal has the secret")
            return said.strip().splitlines()[-1][:110]


def slash(amanat: Amanat, settings: dict[str, Any]) -> None:
    @check("settings: a public address with a slash at its end makes the same address to return to")
    def _() -> None:
        amanat.configure(names.settings(amanat.home + "/", **settings))
        amanat.start()
        need(begins(Browser(amanat.home)).asked["redirect_uri"] == amanat.home + names.RETURN, "it is another")


def without(amanat: Amanat) -> None:
    """A service that was told of no provider."""

    @check("settings: without a provider there is nothing at the addresses, and no word of it")
    def _() -> None:
        for path in (names.LOGIN, f"{names.LOGIN}?to=/sql", names.RETURN, f"{names.RETURN}?code=x&state=y"):
            for method in ("GET", "POST"):
                answer = sent(amanat.home + path, {"Accept": JSON}, method)
                need(answer.status == 404 or method == "POST" and answer.status == 405, f"{method} {path} answers {answer.status}")
        need(not Browser(amanat.home).session().get("sign_in"), "a sign-in is offered")
