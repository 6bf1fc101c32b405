"""ID tokens that are not to be believed, and answers of the token endpoint that are none."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import names
from amanat import Amanat
from asking import check, need, until
from browser import JSON, Browser
from flow import VALUE, begins, goes_well, goes_wrong, played, refused, returns, signed_in
from names import DENIED, NOBODY, STRANGER, UNTRUSTED, Refusal
from others import Hostile

GOOD = ["good", "good-es256", "good-audience-list", "good-azp", "good-clock-behind", "good-more-claims", "good-type-letters", "good-code-with-signs"]
SIGNATURES = [
    "alg-none", "alg-none-with-key", "alg-none-capitals", "alg-none-signed", "alg-missing", "alg-list", "hs256-client-secret", "hs256-public-key",
    "hs256-public-key-pkcs1", "hs256-public-key-trimmed", "hs256-public-key-der", "hs256-modulus", "hs256-shared-key", "hs256-empty-secret",
    "another-key", "another-key-without-kid", "unknown-kid", "kid-of-another-kind", "kid-of-another-kind-ec", "alg-of-another-kind",
    "key-for-enciphering", "key-too-short", "key-in-the-header", "key-by-address", "critical-unknown", "spoiled-claims", "spoiled-signature",
    "without-signature", "two-parts", "five-parts", "es256-zero", "no-token-at-all", "claims-no-object"]
CLAIMS = [
    "issuer-wrong", "issuer-slash", "issuer-missing", "audience-wrong", "audience-begins-alike", "audience-empty", "audience-missing",
    "audiences-without-azp", "audiences-azp-other", "azp-other", "expired-long", "expired", "expiry-missing", "expiry-text", "expiry-zero",
    "issued-in-the-future", "issue-missing", "not-yet", "nonce-wrong", "nonce-missing", "nonce-empty", "nonce-list", "nonce-of-state",
    "token-of-another-flow"]
SUBJECTS = ["sub-capitals", "sub-space", "sub-newline", "sub-nul", "sub-shortened", "sub-wide-letter", "sub-pattern", "sub-number", "sub-list",
            "sub-null", "sub-empty", "sub-missing", "sub-long", "sub-in-another-claim"]
EMAILS = ["email-unverified", "email-unsaid", "email-verified-text", "email-verified-null", "email-list", "email-missing"]
# What a token endpoint answers at once, how it is refused.
ANSWERS: dict[str, Refusal] = {name: UNTRUSTED for name in (
    "500", "503-html", "html", "empty", "no-body", "list", "without-id-token", "id-token-null", "id-token-object", "good-but-400", "redirect",
    "redirect-with-body", "redirect-308", "broken-off", "not-http", "deep")} | {"invalid-grant": DENIED, "invalid-client": UNTRUSTED}
HUGE = ["huge", "huge-announced", "huge-header", "huge-compressed"]
SLOW = ["never", "never-after-head", "drip"]
# Sign-ins that wait for a provider that does not answer, all at once.
WAITING = 30


def asked_in_form(hostile: Hostile) -> dict[str, int]:
    """What the provider was asked since this was looked at last; refuses a client that asks in a wrong form, or asks elsewhere."""
    told = hostile.told()
    wrong = [sentence for token in told["tokens"] for sentence in token["wrong"]]
    need(not wrong, f"the token endpoint was asked wrongly: {sorted(set(wrong))}")
    need(told["requests"]["elsewhere"] == 0, "another host was asked")
    return {**told["requests"], "mostSent": told["mostSent"]}


def each(amanat: Amanat, hostile: Hostile, kind: str, plays: list[str], refusal: Refusal, who: str = VALUE) -> None:
    for play in plays:
        @check(f"{kind}: {play}")
        def _(play: str = play) -> str:
            hostile.told()
            said = goes_wrong(Browser(amanat.home), refusal, play, who)
            asked_in_form(hostile)
            return said


def believed(amanat: Amanat, hostile: Hostile) -> None:
    """Were good ones refused, too, then what is refused below would prove nothing."""
    for play in GOOD:
        @check(f"ID token: {play} is taken")
        def _(play: str = play) -> None:
            hostile.told()
            goes_well(Browser(amanat.home), play)
            need(asked_in_form(hostile)["token"] == 1, "the token endpoint was asked several times")


def identity(amanat: Amanat, hostile: Hostile) -> None:
    retired(amanat, hostile)
    believed(amanat, hostile)
    each(amanat, hostile, "ID token", SIGNATURES + CLAIMS, UNTRUSTED)
    each(amanat, hostile, "ID token", SUBJECTS, NOBODY)
    each(amanat, hostile, "ID token", ["good"], STRANGER, who="idp|nobody-knows-them")
    flooded(amanat, hostile)


def retired(amanat: Amanat, hostile: Hostile) -> None:
    @check("ID token: a key that the provider has taken out is forgotten within a minute or so")
    def _() -> str:
        goes_well(Browser(amanat.home), "old-key")
        hostile.retire()

        def is_forgotten() -> bool:
            goes_wrong(Browser(amanat.home), UNTRUSTED, "unknown-kid")
            browser = Browser(amanat.home)
            return returns(browser, played(browser, begins(browser), "old-key"), JSON).status != 200

        took = until(is_forgotten, names.ROTATES, step=1)
        need(took is not None, f"not within {names.ROTATES} s")
        return f"{took:.1f} s, after a token with an unknown key"


def flooded(amanat: Amanat, hostile: Hostile) -> None:
    @check("ID token: forty with unknown keys do not make it fetch the provider's keys forty times")
    def _() -> str:
        hostile.told()
        for _ in range(40):
            goes_wrong(Browser(amanat.home), UNTRUSTED, "unknown-kid")
        fetched = asked_in_form(hostile)["jwks"]
        need(fetched <= names.FETCHES, f"it fetches {fetched} times")
        goes_well(Browser(amanat.home))
        return f"{fetched} fetches"


def mails(amanat: Amanat, hostile: Hostile, mail: str) -> None:
    """The claim is `email`."""

    @check("email: verified, it is taken")
    def _() -> None:
        goes_well(Browser(amanat.home), "good-email", mail)

    each(amanat, hostile, "email", EMAILS, NOBODY, who=mail)


def answers(amanat: Amanat, hostile: Hostile) -> None:
    for play, kind in ANSWERS.items():
        each(amanat, hostile, "token endpoint", [play], kind)
    for play in HUGE:
        @check(f"token endpoint: {play}")
        def _(play: str = play) -> str:
            goes_well(Browser(amanat.home))
            hostile.told()
            before = amanat.resident()
            said = goes_wrong(Browser(amanat.home), UNTRUSTED, play)
            until(lambda: amanat.resident() <= before + names.MORE_MEMORY, 3)
            more, read = amanat.resident() - before, asked_in_form(hostile)["mostSent"] >> 20
            need(more <= names.MORE_MEMORY, f"{more:.0f} MiB of memory more")
            need(read <= names.READS, f"it reads {read} MiB")
            return f"{said}; {more:.0f} MiB more, {read} MiB read"


def waiting(amanat: Amanat, hostile: Hostile) -> None:
    """A provider that does not answer is waited for a while, and by those alone who ask it."""

    def waits(number: int) -> tuple[float, str]:
        browser = Browser(amanat.home)
        url = played(browser, begins(browser), SLOW[number % len(SLOW)])
        began = time.monotonic()
        answer = returns(browser, url, JSON)
        took = time.monotonic() - began
        return took, refused(browser, answer, UNTRUSTED)

    @check(f"token endpoint: {WAITING} answers that never come, or a byte in a second, while others read and sign in")
    def _() -> str:
        hostile.told()
        with ThreadPoolExecutor(WAITING) as pool:
            all_waiting = [pool.submit(waits, number) for number in range(WAITING)]
            need(until(lambda: hostile.told()["requests"]["token"] > 0, 10) is not None, "the token endpoint is not asked")
            began = time.monotonic()
            Browser(amanat.home).session()
            need(time.monotonic() - began < 2, f"who reads meanwhile waits {time.monotonic() - began:.1f} s")
            began = time.monotonic()
            goes_well(Browser(amanat.home))
            another = time.monotonic() - began
            need(another < 5, f"who signs in meanwhile waits {another:.1f} s")
            took, said = zip(*(one.result() for one in all_waiting))
        need(max(took) <= names.TAKES, f"one takes {max(took):.0f} s")
        return f"{max(took):.1f} s at most, {', '.join(sorted(set(said)))}"

    @check("token endpoint: a browser that goes away while it waits leaves nothing behind")
    def _() -> None:
        browser = Browser(amanat.home)
        url = played(browser, begins(browser), "never")
        try:
            browser.ask(url, is_crossed=True, patience=1)
        except TimeoutError:
            pass
        answer = returns(browser, url, JSON)
        refused(browser, answer, names.STATE)
        signed_in(browser, returns(browser, played(browser, begins(browser))))
