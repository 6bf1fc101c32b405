"""How a provider describes itself (OpenID Connect Discovery), and its keys: the service is started anew for each way to do it badly."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import names
from amanat import Amanat
from asking import check, need, until
from browser import JSON, Answer, Browser
from flow import asks, begins, changed, goes_well, goes_wrong, played, refused, returns, sent_on, signed_in
from names import AWAY, DENIED, STATE, UNTRUSTED
from others import Hostile

# Descriptions that cannot be followed: sign-in is refused at once, and nobody else is asked.
UNUSABLE = ["issuer-other", "issuer-slash", "issuer-missing", "far-authorize", "far-token", "far-jwks", "authorize-name", "authorize-user",
            "authorize-script", "authorize-data", "authorize-relative", "authorize-missing", "token-file", "token-missing",
            "jwks-missing", "doc-500", "doc-html", "doc-empty", "doc-deep", "doc-redirect"]
# Keys that are none: refused at once, or when a token is to be checked by them.
KEYLESS = ["jwks-empty", "jwks-500", "jwks-html", "jwks-list", "jwks-redirect"]
HUGE = ["doc-huge", "jwks-10mib", "jwks-huge"]
# Sign-ins at once, of a provider that does not describe itself.
AT_ONCE = 20

Start = Callable[[str], None]


def alone(hostile: Hostile) -> None:
    need(hostile.told()["requests"]["elsewhere"] == 0, "another host was asked")


def begins_with_provider(answer: Answer, hostile: Hostile) -> bool:
    return answer.status == 303 and (answer.header("location") or "").startswith(f"{hostile.main}/i/")


def useful(amanat: Amanat, hostile: Hostile, start: Start) -> None:
    """Unusual descriptions that are to be followed."""

    @check("discovery: an authorization endpoint with a query of its own keeps it")
    def _() -> None:
        start("query")
        browser = Browser(amanat.home)
        begun = begins(browser)
        need(begun.asked.get("tenant") == "one" and begun.asked.get("response_type") == "code", f"it has {sorted(begun.asked)}")
        signed_in(browser, returns(browser, played(browser, begun)))

    @check("discovery: a provider that promises no `iss` in the return may leave it out, but not name another")
    def _() -> str:
        start("bare")
        goes_well(Browser(amanat.home))
        browser = Browser(amanat.home)
        url = played(browser, begins(browser))
        need("iss=" not in url, "there is an issuer")
        return refused(browser, returns(browser, changed(url, iss="https://other.example"), JSON), DENIED | STATE)

    @check("discovery: a provider that says it signs with nothing, or with shared secrets, is not believed for it")
    def _() -> str:
        start("none-only")
        return ", ".join(goes_wrong(Browser(amanat.home), UNTRUSTED, play) for play in ("alg-none", "hs256-client-secret", "hs256-shared-key"))

    @check("discovery: odd keys among good ones are passed over")
    def _() -> None:
        start("jwks-odd")
        goes_well(Browser(amanat.home))
        goes_well(Browser(amanat.home), "good-es256")

    @check("discovery: the description and the keys are not fetched for every sign-in")
    def _() -> str:
        start("plain")
        hostile.told()
        for _ in range(20):
            goes_well(Browser(amanat.home))
        requests = hostile.told()["requests"]
        need(requests["discovery"] <= 4 and requests["jwks"] <= 4, f"of 20 sign-ins: {requests}")
        return f"{requests['discovery']} and {requests['jwks']} of 20"


def unusable(amanat: Amanat, hostile: Hostile, start: Start) -> None:
    for variant in UNUSABLE:
        @check(f"discovery: {variant}")
        def _(variant: str = variant) -> str:
            start(variant)
            hostile.told()
            began = time.monotonic()
            said = refused(Browser(amanat.home), asks(Browser(amanat.home), accept=JSON), AWAY)
            need(time.monotonic() - began < 5, "it is tried for long")
            alone(hostile)
            return said
    for variant in KEYLESS:
        @check(f"discovery: {variant}")
        def _(variant: str = variant) -> str:
            start(variant)
            hostile.told()
            said = goes_wrong(Browser(amanat.home), UNTRUSTED)
            alone(hostile)
            return said

    @check("discovery: an address with line ends in it adds nothing to the answer")
    def _() -> str:
        start("authorize-lines")
        answer = asks(Browser(amanat.home), accept=JSON)
        need(all("evil" not in line for line in answer.all("set-cookie")), "it sets a cookie")
        need(answer.status in AWAY.statuses or begins_with_provider(answer, hostile), f"it answers {answer.status}")
        return str(answer.status)

    @check("discovery: a certificate that nobody vouches for")
    def _() -> str:
        start("tls")
        hostile.told()
        said = refused(Browser(amanat.home), asks(Browser(amanat.home), accept=JSON), AWAY)
        need(hostile.told()["requests"]["discovery"] == 0, "the provider is asked nevertheless")
        return said


def costly(amanat: Amanat, hostile: Hostile, start: Start) -> None:
    for variant in HUGE:
        @check(f"discovery: {variant}")
        def _(variant: str = variant) -> str:
            start(variant)
            Browser(amanat.home).session()
            before = amanat.resident()
            hostile.told()
            said = goes_wrong(Browser(amanat.home), UNTRUSTED)
            until(lambda: amanat.resident() <= before + names.MORE_MEMORY, 3)
            more, read = amanat.resident() - before, hostile.told()["mostSent"] >> 20
            need(more <= names.MORE_MEMORY, f"{more:.0f} MiB of memory more")
            need(read <= names.READS, f"it reads {read} MiB")
            return f"{said}; {more:.0f} MiB more, {read} MiB read"


def silent(amanat: Amanat, hostile: Hostile, start: Start) -> None:
    """A provider that does not answer is waited for once by all, not by one after the other."""

    def waits(_: int) -> float:
        began = time.monotonic()
        browser = Browser(amanat.home)
        first = asks(browser, accept=JSON)
        answer = first if first.status != 303 else returns(browser, played(browser, sent_on(first)), JSON)
        took = time.monotonic() - began
        need(took <= names.TAKES, f"one takes {took:.0f} s, and is answered {answer.status}")
        refused(browser, answer, UNTRUSTED)
        return took

    for variant, what in (("doc-never", "discovery"), ("jwks-never", "jwks")):
        @check(f"discovery: {variant}, {AT_ONCE} sign-ins at once while others read")
        def _(variant: str = variant, what: str = what) -> str:
            start(variant)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                all_waiting = [pool.submit(waits, number) for number in range(AT_ONCE)]
                need(until(lambda: hostile.told()["requests"][what] > 0 or all_waiting[0].done(), 10) is not None, "nobody is asked")
                began = time.monotonic()
                Browser(amanat.home).session()
                need(time.monotonic() - began < 2, "who reads meanwhile waits")
            return f"{max(one.result() for one in all_waiting):.1f} s at most"
