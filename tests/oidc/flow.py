"""One sign-in, step by step, and what its end must look like."""

from __future__ import annotations

import re
import urllib.parse
from typing import NamedTuple

import names
from asking import need, secrets
from browser import HTML, JSON, Answer, Browser, Links, leads_to, origin
from names import Refusal

# The value of the claim that is bound to the account of an analyst. It is no name of an account, and long enough to be looked for.
READER, VALUE = "analyst-7", "idp|5f0c-reader-one"
OTHER, OTHER_VALUE = "analyst-8", "idp|77aa-reader-two"


class Begun(NamedTuple):
    """The provider's address that the browser was sent to, and what stands in its query."""

    location: str
    asked: dict[str, str]


def query_of(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))


def changed(url: str, **parameters: str | None) -> str:
    """The same address with other parameters; None takes one out."""
    parts = urllib.parse.urlsplit(url)
    query = {name: value for name, value in (query_of(url) | parameters).items() if value is not None}
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def asks(browser: Browser, to: str | None = "/sql", **more: object) -> Answer:
    """The first step, however it is answered."""
    return browser.ask(names.LOGIN + ("" if to is None else f"?{urllib.parse.urlencode({'to': to})}"), **more)  # type: ignore[arg-type]


def sent_on(answer: Answer) -> Begun:
    need(answer.status == 303, f"{names.LOGIN} answers {answer.status}, not 303: {answer.body[:200]!r}")
    location = answer.header("location") or ""
    asked = query_of(location)
    secrets.hide("a state", asked.get("state"))
    secrets.hide("a nonce", asked.get("nonce"))
    secrets.hide("a challenge", asked.get("code_challenge"))
    return Begun(location, asked)


def begins(browser: Browser, to: str | None = "/sql") -> Begun:
    return sent_on(asks(browser, to))


def heard(url: str) -> str:
    """An address to return to, whose secrets are hidden from now on."""
    query = query_of(url)
    secrets.hide("a code", query.get("code"))
    secrets.hide("a state", query.get("state"))
    return url


def played(browser: Browser, begun: Begun, play: str = "good", who: str = VALUE) -> str:
    """The address that the hostile provider sends the browser back to, with a code for what is to be played."""
    # The location stays as it is, since its query is looked at as well.
    mark = "&" if "?" in begun.location else "?"
    answer = browser.ask(f"{begun.location}{mark}{urllib.parse.urlencode({'play': play, 'who': who})}", is_crossed=True)
    need(answer.status == 303, f"the provider answers {answer.status}: {answer.body[:200]!r}")
    return heard(answer.header("location") or "")


def logs_in(browser: Browser, begun: Begun, account: str) -> str:
    """The address that the real provider sends the browser back to, after its redirects and its form."""
    answer = browser.ask(begun.location, is_crossed=True)
    for _ in range(12):
        location = answer.header("location")
        if location:
            url = urllib.parse.urljoin(answer.url, location)
            if origin(url) == browser.home:
                return heard(url)
            answer = browser.ask(url)
        elif b"<form" in answer.body:
            answer = browser.ask(answer.url, method="POST", form={"account": account})
        else:
            break
    raise AssertionError(f"the provider leads nowhere: {answer.status} {answer.body[:300]!r}")


def returns(browser: Browser, url: str, accept: str = HTML) -> Answer:
    """The last step: the provider's redirect, so another site leads to it."""
    return browser.ask(url, is_crossed=True, accept=accept)


def is_opened(answer: Answer) -> bool:
    """Whether an answer sets a session."""
    cookie = answer.cookies().get(names.COOKIE)
    return cookie is not None and not re.search(r"max-age=0\b", cookie, re.I)


def signed_in(browser: Browser, answer: Answer, name: str = READER, to: str | None = "/sql") -> None:
    """The page leads on to where the reader wanted to go, and the session is that of the account."""
    need(answer.status == 200, f"{names.RETURN} answers {answer.status}: {answer.body[:300]!r}")
    need((answer.header("content-type") or "").startswith("text/html"), f"it is {answer.header('content-type')}, no page")
    need(is_opened(answer), "no session is set")
    need("no-store" in (answer.header("cache-control") or ""), "the page may be kept")
    told = secrets.told(answer.body)
    need(told is None, f"the page has {told}")
    links = Links(answer)
    need(links.refreshes, "the page leads nowhere by itself")
    need(not links.scripts, "the page has scripts of its own")
    if to is not None:
        goal = leads_to(browser.home + names.RETURN, links.refreshes[0])
        need(goal == browser.home + to, f"the page leads to {goal}")
    said = browser.session()
    need((said["name"], said["role"]) == (name, "analyst"), f"the session is of {said['name']}, {said['role']}")


def refused(browser: Browser, answer: Answer, kind: Refusal, is_page: bool = False) -> str:
    """No session, and a problem that says nothing that is secret. What is returned is printed."""
    need(answer.status in kind.statuses, f"it answers {answer.status}, not {sorted(kind.statuses)}: {answer.body[:200]!r}")
    need(not is_opened(answer), "a session is set")
    need("no-store" in (answer.header("cache-control") or "no-store"), "the refusal may be kept")
    told = secrets.told(answer.body + repr(answer.headers).encode())
    need(told is None, f"the refusal has {told}")
    need(b"<script>alert" not in answer.body and "amanat=evil" not in repr(answer.all("set-cookie")), "what came with the request stands in the answer")
    content = answer.header("content-type") or ""
    if is_page:
        need(content.startswith("text/html"), f"a browser is answered with {content}")
        code = "page"
    else:
        need(content.startswith("application/problem+json"), f"a program is answered with {content}")
        code = answer.json()["code"]
        need(code in kind.codes, f"the code is {code}, not {sorted(kind.codes)}")
    need(browser.session()["name"] is None, "the browser has a session")
    return f"{answer.status} {code}"


def goes_wrong(browser: Browser, kind: Refusal, play: str = "good", who: str = VALUE) -> str:
    """A flow with the hostile provider, whose first or last step is refused."""
    first = asks(browser, accept=JSON)
    if first.status != 303:
        return f"at once, {refused(browser, first, kind)}"
    return refused(browser, returns(browser, played(browser, sent_on(first), play, who), JSON), kind)


def goes_well(browser: Browser, play: str = "good", who: str = VALUE) -> None:
    signed_in(browser, returns(browser, played(browser, begins(browser), play, who)))
