"""The way back from the provider, tampered with; where it leads to; and flows that nobody ends."""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import names
from amanat import Amanat
from asking import check, need, until
from browser import JSON, Browser, Links, leads_to, origin
from flow import asks, begins, changed, goes_well, is_opened, played, refused, returns, sent_on, signed_in
from names import DENIED, FORM, STATE, Refusal
from others import EVIL, Hostile

# By what is done to the address to return to: how it is refused.
TAMPERED: dict[str, tuple[Callable[[str], str], Refusal]] = {
    "an unknown state": (lambda url: changed(url, state="A" * 43), STATE),
    "a state with one letter more": (lambda url: changed(url, state=dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))["state"] + "A"), STATE),
    "no state": (lambda url: changed(url, state=None), FORM),
    "an empty state": (lambda url: changed(url, state=""), FORM),
    "a second state": (lambda url: f"{url}&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", FORM | DENIED),
    "a state of 20 KB": (lambda url: changed(url, state="A" * 20_000), FORM),
    "a state of other signs": (lambda url: changed(url, state="\x00\r\nä\"';"), FORM),
    "the issuer of another provider": (lambda url: changed(url, iss="https://other.example"), DENIED | STATE),
    "the issuer with a slash": (lambda url: url.replace("%2Fi%2Fplain", "%2Fi%2Fplain%2F"), DENIED | STATE),
    "no issuer, though one is promised": (lambda url: changed(url, iss=None), DENIED | STATE),
    "a second issuer": (lambda url: f"{url}&iss=https%3A%2F%2Fother.example", FORM | DENIED),
    "no code": (lambda url: changed(url, code=None), FORM | DENIED),
    "an empty code": (lambda url: changed(url, code=""), FORM | DENIED),
    "a code and an error": (lambda url: changed(url, error="access_denied"), FORM | DENIED),
    "an error and no code": (lambda url: changed(url, code=None, error="access_denied", error_description=EVIL, error_uri="https://evil.example"), DENIED),
    "an error of a kind of its own": (lambda url: changed(url, code=None, error=EVIL), FORM | DENIED),
    "an error without a state": (lambda url: changed(url, code=None, state=None, error="access_denied", error_description=EVIL), FORM),
    "an error with an unknown state": (lambda url: changed(url, code=None, state="A" * 43, error="access_denied"), STATE),
}
# Where a reader may want to go; it is kept to the letter.
PATHS = ["/sql", "/", "/indicators/V03?by=exploitation&from_year=2019", "/sql?q=select%201%20%26%20%27%22%3C%3E#answer", "/questions/victims-by-year",
         "/sql?q=%D8%A7%D9%85%D8%A7%D9%86%D8%AA&x=a+b"]
# What is no path of this service, or looks like one.
ASTRAY = ["//evil.example", "///evil.example", "////evil.example", "https://evil.example", "http://evil.example/sql", "http:evil.example",
          "https:evil.example", "https:/evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
          "\t//evil.example", " //evil.example", "\x00//evil.example", "/\r/evil.example", "javascript:alert(1)", "JAVASCRIPT:alert(1)",
          " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>alert(1)</script>", "evil.example", "@evil.example", ".evil.example",
          ":80@evil.example", "?url=//evil.example", "#//evil.example", "/sql\"><script>alert(1)</script>", "/sql'><script>alert(1)</script>",
          "/sql\" http-equiv=\"refresh\" content=\"0;url=//evil.example", "/;url=//evil.example", "/sql';url='//evil.example",
          "/sql\r\nset-cookie: amanat=evil", "/sql\u2028//evil.example", "/../..//evil.example", "/.//evil.example", "/%2F/evil.example", "//", "/\\", "\\",
          "", "/" + "x" * 30_000, "/ü/\U0001f600"]
# Flows that are begun and not ended.
BEGUN = 10_000


def tampered(amanat: Amanat, hostile: Hostile) -> None:
    for what, (change, kind) in TAMPERED.items():
        @check(f"return: {what}")
        def _(change: Callable[[str], str] = change, kind: Refusal = kind) -> str:
            browser = Browser(amanat.home)
            url = played(browser, begins(browser))
            hostile.told()
            said = refused(browser, returns(browser, change(url), JSON), kind)
            sent = [token for token in hostile.told()["tokens"] if token.get("code")]
            need(not sent, "the code is sent to the token endpoint")
            return said

    @check("return: an error with a page's words in it is shown to a browser without them")
    def _() -> str:
        browser = Browser(amanat.home)
        url = changed(played(browser, begins(browser)), code=None, error="access_denied", error_description=EVIL)
        return refused(browser, returns(browser, url), DENIED, is_page=True)

    @check("return: after an error the flow is over")
    def _() -> str:
        browser = Browser(amanat.home)
        url = played(browser, begins(browser))
        refused(browser, returns(browser, changed(url, code=None, error="access_denied"), JSON), DENIED)
        return refused(browser, returns(browser, url, JSON), STATE)

    @check("return: as a form that is posted from another site")
    def _() -> str:
        browser = Browser(amanat.home)
        url = played(browser, begins(browser))
        answer = browser.ask(names.RETURN, method="POST", is_crossed=True, accept=JSON, form=dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)))
        need(400 <= answer.status < 500 and not is_opened(answer), f"it answers {answer.status}")
        return str(answer.status)


def browsers(amanat: Amanat, hostile: Hostile) -> None:
    """A flow ends in the browser that has begun it (login CSRF)."""

    def stolen(into: Browser) -> str:
        attacker = Browser(amanat.home)
        url = played(attacker, begins(attacker))
        hostile.told()
        said = refused(into, returns(into, url, JSON), STATE)
        need(hostile.told()["requests"]["token"] == 0, "the code is sent to the token endpoint")
        return said

    @check("return: in a browser that has begun nothing")
    def _() -> str:
        return stolen(Browser(amanat.home))

    @check("return: in a browser that has begun another flow")
    def _() -> str:
        victim = Browser(amanat.home)
        begins(victim)
        return stolen(victim)

    @check("return: in a browser whose cookie is not the one that was set")
    def _() -> str:
        said = set()
        for value in ("", "x", "A" * 43, "A" * 8000, "\"", "%00", "=;,"):
            browser = Browser(amanat.home)
            url = played(browser, begins(browser))
            jar = browser.jar[amanat.home]
            for name, cookie in jar.items():
                jar[name] = cookie._replace(value=value)
            said.add(refused(browser, returns(browser, url, JSON), STATE | Refusal({431}, set())))
        return ", ".join(sorted(said))


def again(amanat: Amanat, hostile: Hostile) -> None:
    """A flow ends once."""

    @check("return: an ended flow again, with a new code for its state")
    def _() -> str:
        browser = Browser(amanat.home)
        begun = begins(browser)
        goods = [played(browser, begun), played(browser, begun)]
        kept = dict(browser.jar[amanat.home])
        signed_in(browser, returns(browser, goods[0]))
        browser.jar[amanat.home] = kept
        return refused(browser, returns(browser, goods[1], JSON), STATE)

    @check("return: twelve times at once it opens one session, and the code is used once")
    def _() -> str:
        browser = Browser(amanat.home)
        url = played(browser, begins(browser))
        cookies = browser.cookies(url, True, "GET")
        hostile.told()

        def once(_: int) -> int:
            one = Browser(amanat.home)
            return one.ask(url, is_crossed=True, accept=JSON, headers={"Cookie": cookies}).status

        with ThreadPoolExecutor(12) as pool:
            statuses = list(pool.map(once, range(12)))
        need(statuses.count(200) == 1, f"they are answered {sorted(statuses)}")
        need(hostile.told()["requests"]["token"] == 1, "the token endpoint is asked several times")
        return f"{statuses.count(200)} of 12"

    @check("return: of two flows that one browser has begun, the later one works, and the earlier one works or is refused")
    def _() -> str:
        browser = Browser(amanat.home)
        first, second = begins(browser, "/sql"), begins(browser, "/people")
        earlier = returns(browser, played(browser, first), JSON)
        if earlier.status == 200:
            need(is_opened(earlier), "no session is set")
        else:
            refused(browser, earlier, STATE)
            second = begins(browser, "/people")
        signed_in(browser, returns(browser, played(browser, second)), to="/people")
        return "works" if earlier.status == 200 else "refused"


def leads(amanat: Amanat, hostile: Hostile) -> None:
    """Where a reader is led to in the end."""
    for path in PATHS:
        @check(f"to: {path}")
        def _(path: str = path) -> None:
            browser = Browser(amanat.home)
            signed_in(browser, returns(browser, played(browser, begins(browser, path))), to=path)

    @check("to: nothing said leads to a page of this service")
    def _() -> None:
        browser = Browser(amanat.home)
        signed_in(browser, returns(browser, played(browser, begins(browser, None))), to=None)

    for target in ASTRAY:
        @check(f"to: {ascii(target)[1:-1][:60]} does not lead away")
        def _(target: str = target) -> str:
            browser = Browser(amanat.home)
            first = asks(browser, target, accept=JSON)
            if first.status != 303:
                need(400 <= first.status < 500, f"it answers {first.status}")
                return str(first.status)
            answer = returns(browser, played(browser, sent_on(first)))
            signed_in(browser, answer, to=None)
            links = Links(answer)
            goals = [leads_to(amanat.home + names.RETURN, link) for link in links.refreshes + links.clicks]
            away = [goal for goal in goals if origin(goal) != amanat.home]
            need(not away, f"the page leads to {away}")
            need(urllib.parse.urlsplit(goals[0]).path != names.RETURN, "the page leads to itself")
            need(b"<script>alert" not in answer.body and "amanat=evil" not in repr(answer.headers), "its text stands in the page")
            return f"leads to {goals[0].removeprefix(amanat.home)[:40]}"


def flood(amanat: Amanat, to: str) -> dict[int, int]:
    """Begins flows as nobody's browser, several at once; how they are answered, by status."""
    path = f"{names.LOGIN}?{urllib.parse.urlencode({'to': to})}"

    def some(count: int) -> list[int]:
        line = http.client.HTTPConnection("127.0.0.1", amanat.port, timeout=30)
        statuses = []
        for _ in range(count):
            line.request("GET", path, headers={"Accept": JSON})
            answer = line.getresponse()
            answer.read()
            statuses.append(answer.status)
        line.close()
        return statuses

    with ThreadPoolExecutor(4) as pool:
        every = [status for part in pool.map(some, [BEGUN // 4] * 4) for status in part]
    return {status: every.count(status) for status in sorted(set(every))}


def many(amanat: Amanat) -> None:
    @check(f"many: {BEGUN} flows that nobody ends, with a short way to go: the latest works, the oldest has gone")
    def _() -> str:
        goes_well(Browser(amanat.home))
        oldest, before = Browser(amanat.home), amanat.resident()
        url = played(oldest, begins(oldest))
        statuses = flood(amanat, "/sql")
        need(set(statuses) <= {303, 429, 503}, f"they are answered {statuses}")
        more = amanat.resident() - before
        need(more <= names.MORE_MEMORY, f"{more:.0f} MiB of memory more")
        if set(statuses) == {303}:
            refused(oldest, returns(oldest, url, JSON), STATE)
        until(lambda: asks(Browser(amanat.home)).status == 303, names.ROTATES, step=1)
        goes_well(Browser(amanat.home))
        return f"{statuses}, {more:.0f} MiB more"

    @check(f"many: {BEGUN} flows that nobody ends, with a way to go of 6 KB each")
    def _() -> str:
        before = amanat.resident()
        statuses = flood(amanat, "/sql?q=" + "x" * 6000)
        need(set(statuses) <= {303, 400, 414, 422, 429, 503}, f"they are answered {statuses}")
        more = amanat.resident() - before
        need(more <= names.MORE_MEMORY, f"{more:.0f} MiB of memory more")
        until(lambda: asks(Browser(amanat.home)).status == 303, names.ROTATES, step=1)
        goes_well(Browser(amanat.home))
        return f"{statuses}, {more:.0f} MiB more"
