"""Those who are somebody, and those who would like to be: accounts, sessions and keys as the attacks on them need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ground import until
from http1 import Answer, ask
from normal import READER
from server import Server, found

PASSWORD = "a password of mine"


@dataclass
class Session:
    """An open session, and whose it is."""

    name: str
    cookie: str
    csrf: str

    def sends(self, means_it: bool = True) -> dict[str, str]:
        return {"Cookie": f"amanat={self.cookie}"} | ({"amanat-csrf": self.csrf} if means_it else {})


def opened(server: Server, answer: Answer) -> Session:
    """The session that an answer has opened."""
    if answer.status not in (200, 201):
        raise RuntimeError(f"no session: {answer.status} {answer.body[:200]!r}")
    said = answer.json()
    cookie = found(r"^amanat=(\w+);", answer.header("set-cookie") or "")
    server.hide(cookie, said["csrf"])
    return Session(said["name"], cookie, said["csrf"])


class Operator:
    """The account that lets others in: the first that a store has, made once by the link of its first start."""

    def __init__(self, server: Server) -> None:
        self.server = server
        answer = self.say("POST", "/v1/welcome", {}, {"token": server.link, "password": PASSWORD})
        if answer.status != 201:
            answer = self.say("POST", "/v1/session", {}, {"name": "administrator", "password": PASSWORD})
        self.session = opened(server, answer)

    def say(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | bytes = b"") -> Answer:
        return ask(self.server.ports.http, method, path, headers, body, source=READER)

    def does(self, method: str, path: str, body: dict[str, Any] | bytes = b"") -> Answer:
        return self.say(method, path, self.session.sends(), body)

    def everybody(self) -> list[dict[str, Any]]:
        return self.does("GET", "/v1/people").json()

    def invite(self, name: str, role: str = "analyst") -> str:
        """The token of an invitation."""
        answer = self.does("POST", "/v1/people", {"name": name, "role": role})
        if answer.status != 201:
            raise RuntimeError(f"no invitation: {answer.status} {answer.body[:200]!r}")
        token = answer.json()["link"].partition("#")[2]
        self.server.hide(token)
        return token

    def let_in(self, name: str, role: str = "analyst") -> tuple[str, Session]:
        """Somebody who has taken an invitation: its token, and the session."""
        token = self.invite(name, role)
        return token, opened(self.server, self.say("POST", "/v1/welcome", {}, {"token": token, "password": PASSWORD}))

    def remove(self, name: str) -> None:
        answer = self.does("DELETE", f"/v1/people/{name}")
        if answer.status != 204:
            raise RuntimeError(f"{name} is not taken out: {answer.status}")


def is_known(server: Server, key: str) -> bool:
    """Whether the server has seen a new key in the file of readers."""
    return until(lambda: ask(server.ports.http, "GET", "/v1/session", {"Authorization": f"Bearer {key}"}, source=READER).status == 200, 15)
