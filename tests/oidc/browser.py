"""A browser as far as sign-in needs one: cookies by origin with their paths and SameSite, redirects, forms, pages that lead on."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.parse
from html.parser import HTMLParser
from typing import Any, NamedTuple

import names
from asking import need, secrets

HTML, JSON = "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"


class Answer(NamedTuple):
    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]

    def json(self) -> Any:
        return json.loads(self.body)

    def cookies(self) -> dict[str, str]:
        """The cookies that it sets, each with its attributes as they are written."""
        return {line.partition("=")[0]: line for line in self.all("set-cookie")}


class Cookie(NamedTuple):
    value: str
    path: str
    same_site: str


def origin(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def sent(url: str, headers: dict[str, str], method: str = "GET", body: bytes | None = None, patience: float = names.TAKES + 30) -> Answer:
    """One request on a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line: http.client.HTTPConnection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=patience, context=context)
    else:
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=patience)
    try:
        line.request(method, urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, "")), body, headers)
        got = line.getresponse()
        return Answer(url, got.status, [(name.lower(), value) for name, value in got.getheaders()], got.read())
    finally:
        line.close()


class Browser:
    """Cookies are kept by origin with its port: on this machine ports stand for hosts."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.jar: dict[str, dict[str, Cookie]] = {}

    def cookies(self, url: str, is_crossed: bool, method: str) -> str:
        """What is sent along. What another site has led to is sent no strict cookies, and lax ones where it is only looked at."""
        path = urllib.parse.urlsplit(url).path or "/"

        def goes(cookie: Cookie) -> bool:
            fits = path == cookie.path or path.startswith(cookie.path.rstrip("/") + "/")
            return fits and not (is_crossed and (cookie.same_site == "strict" or cookie.same_site == "lax" and method != "GET"))

        return "; ".join(f"{name}={cookie.value}" for name, cookie in self.jar.get(origin(url), {}).items() if goes(cookie))

    def keep(self, answer: Answer) -> None:
        jar = self.jar.setdefault(origin(answer.url), {})
        for line in answer.all("set-cookie"):
            (name, _, value), *rest = (part.strip().partition("=") for part in line.split(";"))
            known = {key.lower(): text for key, _, text in rest}
            if known.get("max-age") == "0" or "1970" in known.get("expires", ""):
                jar.pop(name, None)
                continue
            jar[name] = Cookie(value, known.get("path", "/"), known.get("samesite", "lax").lower())
            if origin(answer.url) == self.home:
                secrets.hide(f"the cookie {name}", value)

    def ask(self, url: str, *, accept: str = HTML, is_crossed: bool = False, method: str = "GET", form: dict[str, str] | None = None,
            headers: dict[str, str] | None = None, patience: float = names.TAKES + 30) -> Answer:
        """One request of a page, with the cookies that a browser would send; nothing is followed."""
        url = url if "://" in url else self.home + url
        cookies = self.cookies(url, is_crossed, method)
        all_headers = {"Accept": accept, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
                       "Sec-Fetch-Site": "cross-site" if is_crossed else "none"}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        all_headers |= ({"Cookie": cookies} if cookies else {}) | (headers or {})
        answer = sent(url, all_headers, method, body, patience)
        self.keep(answer)
        return answer

    def session(self) -> dict[str, Any]:
        """Who the service takes this browser for, as a script of its pages asks."""
        cookies = self.cookies(self.home + names.SESSION, False, "GET")
        answer = sent(self.home + names.SESSION, {"Accept": JSON, "Sec-Fetch-Site": "same-origin"} | ({"Cookie": cookies} if cookies else {}))
        need(answer.status == 200, f"{names.SESSION} answers {answer.status}")
        said: dict[str, Any] = answer.json()
        secrets.hide("the csrf of a session", said.get("csrf"))
        return said

    def cookie(self, name: str) -> str | None:
        known = self.jar.get(self.home, {}).get(name)
        return known.value if known else None


class Links(HTMLParser):
    """Where a page leads by itself, and by what may be clicked; and what scripts stand in it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.refreshes: list[str] = [refreshed(value) for value in answer.all("refresh")]
        self.clicks: list[str] = []
        self.scripts = 0
        self.feed(answer.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "meta" and known.get("http-equiv", "").lower() == "refresh":
            self.refreshes.append(refreshed(known.get("content", "")))
        if tag in ("a", "area", "base") and "href" in known:
            self.clicks.append(known["href"])
        if tag == "form":
            self.clicks.append(known.get("action", ""))
        if tag == "script" and "src" not in known or any(name.startswith("on") for name in known):
            self.scripts += 1


def refreshed(content: str) -> str:
    """The address in a refresh, as browsers read it (HTML, "shared declarative refresh steps")."""
    match = re.match(r"\s*\d*[\d.]*\s*[;,]?\s*(?:url\s*=\s*)?(?:'([^']*)|\"([^\"]*)|(.*))", content, re.I | re.S)
    return next((part for part in match.groups() if part is not None), "") if match else ""


def leads_to(base: str, target: str) -> str:
    """Where a browser goes from an address (WHATWG URL): backslashes are slashes, tabs and line ends are nothing."""
    target = re.sub(r"[\t\r\n]", "", target.strip("".join(map(chr, range(33)))))
    path, rest = re.fullmatch(r"([^?#]*)(.*)", target, re.S).groups()  # type: ignore[union-attr]
    path = path.replace("\\", "/")
    scheme = re.match(r"([a-z][a-z0-9+.-]*):(.*)", path, re.I | re.S)
    if scheme and scheme.group(1).lower() in ("http", "https"):
        own = urllib.parse.urlsplit(base).scheme == scheme.group(1).lower()
        if own and not scheme.group(2).startswith("//"):
            path = scheme.group(2)
        else:
            return f"{scheme.group(1).lower()}://{scheme.group(2).lstrip('/')}{rest}"
    elif scheme:
        return target
    if path.startswith("//"):
        return f"{urllib.parse.urlsplit(base).scheme}://{path.lstrip('/')}{rest}"
    return urllib.parse.urljoin(base, path + rest) if path + rest else base
