"""Sign-in by a real provider: who comes in, who does not, and how it ends."""

from __future__ import annotations

import json
import re

import names
from amanat import Amanat
from asking import check, need, secrets, until
from browser import JSON, Browser, Cookie, sent
from flow import (OTHER, OTHER_VALUE, READER, VALUE, asks, begins, changed, is_opened, logs_in, query_of, refused, returns, signed_in)
from names import AWAY, DENIED, STATE, STRANGER, UNTRUSTED
from others import Provider

MAIL = "reader.one@ministry.example"
# Accounts of the provider. One has the name of an account of ours as its sub, one the address of mail of another.
ACCOUNTS = {
    "reader-one": {"sub": VALUE, "email": MAIL, "email_verified": True, "preferred_username": "reader-one-by-name"},
    "reader-two": {"sub": OTHER_VALUE, "email": "reader.two@ministry.example", "email_verified": True, "preferred_username": "reader-two-by-name"},
    "stranger": {"sub": "idp|0000-stranger", "email": "stranger@elsewhere.example", "email_verified": True, "preferred_username": "stranger-by-name"},
    "namesake": {"sub": READER, "email": "namesake@elsewhere.example", "email_verified": True, "preferred_username": READER},
    "mimic": {"sub": MAIL, "email": "mimic@elsewhere.example", "email_verified": True, "preferred_username": MAIL},
    "unverified": {"sub": "idp|0000-unverified", "email": MAIL, "email_verified": False, "preferred_username": "unverified-by-name"},
}


def comes_in(browser: Browser, account: str = "reader-one", name: str = READER, to: str = "/sql") -> None:
    signed_in(browser, returns(browser, logs_in(browser, begins(browser, to), account)), name, to)


def stays_out(browser: Browser, account: str, kind: names.Refusal = STRANGER) -> str:
    return refused(browser, returns(browser, logs_in(browser, begins(browser), account), JSON), kind)


def hide_accounts() -> None:
    for account in ACCOUNTS.values():
        secrets.hide("a claim", *(str(value) for value in account.values() if value != READER))


def beginning(amanat: Amanat) -> None:
    """What the browser is sent to the provider with."""

    @check("real: the request to the provider has what OAuth 2.0, OpenID Connect and PKCE ask for, and no more")
    def _() -> str:
        asked = begins(Browser(amanat.home)).asked
        fixed = {"response_type": "code", "client_id": names.CLIENT, "redirect_uri": amanat.home + names.RETURN, "scope": "openid",
                 "code_challenge_method": "S256"}
        need(fixed.items() <= asked.items(), f"it asks {({name: asked.get(name) for name in fixed})}")
        need(len(asked["code_challenge"]) == 43, "the challenge is no SHA-256")
        need(len(asked["state"]) >= 22 and len(asked["nonce"]) >= 22, "state or nonce has less than 128 bits")
        more = set(asked) - set(fixed) - {"code_challenge", "state", "nonce"}
        need(not more, f"it has {more} too")
        return ", ".join(sorted(asked))

    @check("real: the cookie of a flow is bound, short-lived and out of reach of scripts")
    def _() -> str:
        browser = Browser(amanat.home)
        answer = asks(browser)
        [(name, line)] = answer.cookies().items()
        need(name != names.COOKIE, "it has the name of a session")
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        need({"httponly", "samesite=lax", f"path={names.LOGIN}"} <= attributes, f"it has {attributes}")
        age = next((int(one[8:]) for one in attributes if one.startswith("max-age=")), 0)
        need(0 < age <= names.FLOW_HOLDS, f"it holds {age} s")
        need(not any(one.startswith("domain=") for one in attributes), "it is for other hosts too")
        need("no-store" in (answer.header("cache-control") or ""), "the redirect may be kept")
        value = line.split(";")[0].partition("=")[2]
        need(query_of(answer.header("location") or "")["state"] not in value, "who reads the state knows the cookie")
        return re.sub(r"=[^;]+", "=…", line, count=1)

    @check("real: no two flows share a state, nonce, challenge or cookie")
    def _() -> str:
        seen: list[str] = []
        for _ in range(50):
            browser = Browser(amanat.home)
            asked = begins(browser).asked
            seen += [asked["state"], asked["nonce"], asked["code_challenge"], *(cookie.value for cookie in browser.jar[amanat.home].values())]
        need(len(set(seen)) == len(seen), "a value comes again")
        return f"{len(seen)} values"

    @check("real: the address to return to is the configured one, whatever the request says of its host")
    def _() -> None:
        forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        answer = sent(amanat.home + names.LOGIN, forged)
        need(answer.status >= 400 or query_of(answer.header("location") or "")["redirect_uri"] == amanat.home + names.RETURN, "it is another")


def readers(amanat: Amanat) -> None:
    """Who comes in, and with what session."""

    @check("real: a reader comes in, with the account that the claim is bound to")
    def _() -> None:
        comes_in(Browser(amanat.home))

    @check("real: who is logged in at the provider already comes in without a form")
    def _() -> None:
        browser = Browser(amanat.home)
        comes_in(browser)
        browser.jar.pop(amanat.home)
        need(browser.session()["name"] is None, "there is a session without a cookie")
        comes_in(browser, account="nobody is asked")

    @check("real: the session is that of a login by password: strict cookie, csrf for what changes something, and an end")
    def _() -> None:
        browser = Browser(amanat.home)
        answer = returns(browser, logs_in(browser, begins(browser), "reader-one"))
        attributes = {part.strip().lower() for part in answer.cookies()[names.COOKIE].split(";")[1:]}
        need({"httponly", "samesite=strict", "path=/"} <= attributes, f"the cookie has {attributes}")
        cookie, csrf = {"Cookie": f"{names.COOKIE}={browser.cookie(names.COOKIE)}"}, {names.CSRF: browser.session()["csrf"]}
        asked = {"Content-Type": "application/json"}, "POST", json.dumps({"sql": "select 1"}).encode()
        need(sent(f"{amanat.home}/v1/sql", cookie | asked[0], *asked[1:]).status == 403, "a question without csrf is answered")
        need(sent(f"{amanat.home}/v1/sql", cookie | csrf | asked[0], *asked[1:]).status == 200, "a question with csrf is refused")
        need(sent(amanat.home + names.SESSION, cookie | csrf, "DELETE").status == 204, "it cannot be ended")
        need(browser.session()["name"] is None, "it goes on after its end")

    @check("real: a new sign-in takes the place of another reader's session, and of a cookie that somebody has planted")
    def _() -> None:
        browser = Browser(amanat.home)
        comes_in(browser)
        before = browser.cookie(names.COOKIE)
        for site in list(browser.jar):
            if site != amanat.home:
                browser.jar.pop(site)
        comes_in(browser, "reader-two", OTHER)
        need(browser.cookie(names.COOKIE) != before, "the cookie stays the same")
        for value in (str(before), "0" * 64):
            victim = Browser(amanat.home)
            victim.jar[amanat.home] = {names.COOKIE: Cookie(value, "/", "lax")}
            answer = returns(victim, logs_in(victim, begins(victim), "reader-one"))
            need(is_opened(answer) and victim.cookie(names.COOKIE) != value, "a planted cookie is taken up")


def strangers(amanat: Amanat) -> None:
    for account, why in (("stranger", "whom no reader line names"), ("namesake", "whose sub is the name of an account")):
        @check(f"real: somebody {why} is refused")
        def _(account: str = account) -> str:
            said = stays_out(Browser(amanat.home), account)
            browser = Browser(amanat.home)
            page = returns(browser, logs_in(browser, begins(browser), account))
            return f"{said}, {refused(browser, page, STRANGER, is_page=True)}"

    @check("real: who is denied by the provider is told so, and may try again")
    def _() -> str:
        browser = Browser(amanat.home)
        said = stays_out(browser, "unknown to the provider", DENIED)
        comes_in(browser)
        return said

    @check("real: an address to return to opens once")
    def _() -> str:
        browser, again = Browser(amanat.home), Browser(amanat.home)
        url = logs_in(browser, begins(browser), "reader-one")
        signed_in(browser, returns(browser, url))
        cookie = browser.cookie(names.COOKIE)
        answer = returns(browser, url, JSON)
        need(answer.status in STATE.statuses and not is_opened(answer) and browser.cookie(names.COOKIE) == cookie, f"again: {answer.status}")
        need(browser.session()["name"] == READER, "the session that it has opened is over")
        return refused(again, returns(again, url, JSON), STATE)

    @check("real: an account that is bound to a claim has no password, not even an empty one")
    def _() -> str:
        said = []
        for password in ("", READER, VALUE, "a password of mine"):
            body = json.dumps({"name": READER, "password": password}).encode()
            answer = sent(amanat.home + names.SESSION, {"Content-Type": "application/json", "Accept": JSON}, "POST", body)
            need(400 <= answer.status < 500 and not is_opened(answer), f"it answers {answer.status}")
            said.append(str(answer.status))
        return ", ".join(said)


def rotated(amanat: Amanat, provider: Provider) -> None:
    @check("real: after the provider has new keys, sign-in works again within a minute or so")
    def _() -> str:
        comes_in(Browser(amanat.home))
        provider.rotate()

        def works() -> bool:
            browser = Browser(amanat.home)
            return is_opened(returns(browser, logs_in(browser, begins(browser), "reader-one")))

        took = until(works, names.ROTATES, step=1)
        need(took is not None, f"not within {names.ROTATES} s")
        return f"{took:.1f} s"


def rebound(amanat: Amanat) -> None:
    """The file of readers changes."""

    @check("real: a value of the claim is bound to one account")
    def _() -> str:
        done = amanat.run(*names.invite("analyst-9", VALUE))
        need(done.returncode != 0, "it is bound to two")
        need(VALUE not in done.stdout + done.stderr or "analyst-9" in done.stderr, "the refusal does not say why")
        return done.stderr.strip().split("was not changed: ")[-1][:100]  # without the folder, which is of this machine

    @check("real: an account that is taken out has no session any more, and does not come in again until it is invited anew")
    def _() -> str:
        browser, other = Browser(amanat.home), Browser(amanat.home)
        comes_in(browser)
        comes_in(other, "reader-two", OTHER)
        amanat.command(*names.remove(READER))
        took = until(lambda: browser.session()["name"] is None, names.FOLLOWS, step=0.05)
        need(took is not None, f"its session lives on after {names.FOLLOWS} s")
        need(other.session()["name"] == OTHER, "another's session is over as well")
        said = stays_out(Browser(amanat.home), "reader-one")
        amanat.command(*names.invite(READER, VALUE))

        def works() -> bool:
            again = Browser(amanat.home)
            return is_opened(returns(again, logs_in(again, begins(again), "reader-one")))

        need(until(works, names.FOLLOWS) is not None, "whoever is invited anew does not come in")
        need(browser.session()["name"] is None, "the old session lives again")
        return f"over after {took:.2f} s, then {said}"

    @check("real: an account that is bound to somebody else is theirs alone: a session of before is over")
    def _() -> str:
        browser = Browser(amanat.home)
        comes_in(browser, "reader-two", OTHER)
        # One after the other at once: nobody need have looked at the file in between.
        amanat.command(*names.remove(OTHER))
        amanat.command(*names.invite(OTHER, str(ACCOUNTS["stranger"]["sub"])))

        def works() -> bool:
            new = Browser(amanat.home)
            return is_opened(returns(new, logs_in(new, begins(new), "stranger")))

        need(until(works, names.FOLLOWS) is not None, "whoever has the account now does not come in")
        need(browser.session()["name"] is None, "whoever had the account before has a session of it")
        said = stays_out(Browser(amanat.home), "reader-two")
        amanat.command(*names.remove(OTHER))
        amanat.command(*names.invite(OTHER, OTHER_VALUE))
        return said


def confidential(amanat: Amanat, provider: Provider) -> None:
    beginning(amanat)
    readers(amanat)
    strangers(amanat)
    rotated(amanat, provider)
    rebound(amanat)

    @check("real: a start of the service anew forgets sessions, not readers")
    def _() -> None:
        browser = Browser(amanat.home)
        comes_in(browser)
        amanat.start()
        need(browser.session()["name"] is None, "a session outlives the process")
        comes_in(Browser(amanat.home))


def away(amanat: Amanat) -> None:
    """The service is started while the provider is away."""

    @check("real: a provider that is away keeps nobody from reading, and sign-in says so")
    def _() -> str:
        browser = Browser(amanat.home)
        said = browser.session().get("sign_in")
        need(said == {"name": names.BUTTON, "at": names.LOGIN}, f"{names.SESSION} says sign_in = {said}")
        answer = asks(browser, accept=JSON)
        page = asks(browser)
        return f"{refused(browser, answer, AWAY)}, {refused(browser, page, AWAY, is_page=True)}"


def back(amanat: Amanat) -> None:
    @check("real: when it is back, sign-in works without a new start")
    def _() -> str:
        took = until(lambda: asks(Browser(amanat.home)).status == 303, names.ROTATES)
        need(took is not None, f"not within {names.ROTATES} s")
        comes_in(Browser(amanat.home))
        return f"{took:.1f} s"


def public(amanat: Amanat) -> None:
    """A client without a secret, ES256, and readers by their verified address of mail."""

    @check("public: a client without a secret comes in by PKCE alone, with ES256, by a verified address of mail")
    def _() -> None:
        browser = Browser(amanat.home)
        begun = begins(browser)
        need(begun.asked["client_id"] == names.PUBLIC_CLIENT, "it is another client")
        need(set(begun.asked["scope"].split()) == {"openid", "email"}, f"it asks for {begun.asked['scope']}")
        signed_in(browser, returns(browser, logs_in(browser, begun, "reader-one")))

    @check("public: the same address of mail, not verified, is nobody's")
    def _() -> str:
        return stays_out(Browser(amanat.home), "unverified", STRANGER | UNTRUSTED)

    for account, why in (("stranger", "whose address of mail is not bound"), ("mimic", "whose sub is a reader's address of mail")):
        @check(f"public: somebody {why} is refused")
        def _(account: str = account) -> str:
            return stays_out(Browser(amanat.home), account)

    @check("public: a code that another browser has begun is of no use with an own flow")
    def _() -> str:
        browser, thief = Browser(amanat.home), Browser(amanat.home)
        url = logs_in(browser, begins(browser), "reader-one")
        own = begins(thief)
        stolen = changed(url, state=own.asked["state"])
        return refused(thief, returns(thief, stolen, JSON), UNTRUSTED)
