"""Who is no attacker: a reader with a key who asks the same at each door, and must be answered as before."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flight_sql import rows
from http1 import ask
from http2 import Line
from pgwire import named
from server import Server

# A question over records, and one over what is published: at each door each has the same numbers as ever.
PROTECTED = "select province, count(*) as n from victims where year >= 2016 group by province order by province"
PUBLISHED = "select time_period, value from published.v01 where province = '_T' and sex = '_T' and age_group = '_T' order by time_period"
# The address of a reader: no attack comes from it.
READER = "127.0.0.1"


class Normal:
    """The reader `analyst`, whose key the sample store has made."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.key = (server.data / "keys" / "analyst").read_text().strip()
        self.psql = shutil.which("psql")
        self.before: dict[str, object] = {}

    def http(self, sql: str = PROTECTED) -> list[list[object]]:
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "text/plain"}
        answer = ask(self.server.ports.http, "POST", "/v1/sql", sent, sql.encode(), source=READER)
        if answer.status != 200:
            raise OSError(f"status {answer.status}: {answer.body[:200]!r}")
        return answer.json()["rows"]

    def ready(self) -> int:
        return ask(self.server.ports.http, "GET", "/readyz", source=READER).status

    def page(self) -> int:
        return ask(self.server.ports.http, "GET", "/v1/indicators/V01/data?format=csv", source=READER).status

    def postgres(self, sql: str = PROTECTED) -> list[list[bytes | None]]:
        with named(self.server.ports.postgres, "analyst", self.key, READER) as session:
            found, refused = session.ask(sql)
        if not found:
            raise OSError(f"no rows over PostgreSQL's protocol: {session.how} {refused}")
        return found

    def by_psql(self) -> str:
        if not self.psql:
            return "no psql here"
        place = ["-h", "127.0.0.1", "-p", str(self.server.ports.postgres), "-U", "analyst", "amanat"]
        done = subprocess.run([self.psql, "-X", "-A", "-t", *place, "-c", PROTECTED], capture_output=True, text=True,
                              env=os.environ | {"PGPASSWORD": self.key, "PGCONNECT_TIMEOUT": "10"})
        return done.stdout if done.returncode == 0 else f"psql failed: {done.stderr}"

    def flight(self) -> list[bytes]:
        with Line(self.server.ports.flight, source=READER) as line:
            found = rows(line, PROTECTED, self.key)
        if isinstance(found, str):
            raise OSError(f"no rows over Flight SQL: {found}")
        return found

    def doors(self) -> dict[str, object]:
        """What each door answers. Flight is asked where it speaks in the clear."""
        found: dict[str, Callable[[], object]] = {
            "/readyz": self.ready, "a page": self.page, "HTTP": self.http, "what is published": lambda: self.http(PUBLISHED),
            "PostgreSQL": self.postgres, "psql": self.by_psql}
        if not self.server.is_tls:
            found["Flight SQL"] = self.flight
        answered: dict[str, object] = {}
        for door, asks in found.items():
            try:
                answered[door] = asks()
            except Exception as error:  # whatever went wrong, it is not the answer of before
                answered[door] = f"{type(error).__name__}: {error}"
        return answered

    def warm(self) -> None:
        """Has it do at once as much as it does at most, so that its memory is what a busy server has: large answers, passwords."""
        large = "select *, lpad(cast(value as varchar), 200, '{}') from published.indicator_values order by value, time_period"
        kinds = ("text/csv", "application/json", "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")

        def one(number: int) -> None:
            if number % 2:
                body = large.format(number % 10).encode()
                ask(self.server.ports.http, "POST", "/v1/sql", {"Accept": kinds[number // 2 % 4], "Content-Type": "text/plain"}, body,
                    source="127.0.0.3")
            else:
                ask(self.server.ports.http, "POST", "/v1/session", body={"name": f"nobody-{number}", "password": "no password"},
                    source="127.0.0.3")

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(one, range(64)))

    def remember(self) -> None:
        """What is answered before any attack."""
        self.before = self.doors()
        broken = [f"{door}: {answer}" for door, answer in self.before.items() if isinstance(answer, str) and "no psql" not in answer
                  and "|" not in answer]
        if broken or self.before["/readyz"] != 200 or self.before["a page"] != 200:
            raise SystemExit(f"not even a normal client is served: {broken or self.before}")

    def again(self) -> list[str]:
        """What is answered otherwise than before."""
        return [f"{door} answers otherwise than before: {' '.join(str(now).split())[:160]}" for door, now in self.doors().items()
                if now != self.before[door]]


class Meanwhile:
    """Asks again and again while an attack goes on, and notes each answer that is wrong or took longer than it may."""

    def __init__(self, normal: Normal, longest: float = 2.0) -> None:
        self.normal, self.longest, self.stops = normal, longest, threading.Event()
        self.slow: list[str] = []
        self.asked, self.slowest = 0, 0.0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        doors = (("/readyz", self.normal.ready), ("a page", self.normal.page), ("HTTP", self.normal.http))
        while not self.stops.wait(0.5):
            for door, asks in doors:
                began = time.monotonic()
                try:
                    what = "the right answer" if asks() == self.normal.before[door] else "another answer"
                except Exception as error:  # whatever went wrong, it is not the right answer
                    what = f"{type(error).__name__}: {error}"
                took = time.monotonic() - began
                self.asked, self.slowest = self.asked + 1, max(self.slowest, took)
                if what != "the right answer" or took > self.longest:
                    self.slow.append(f"{door}: {what} after {took:.1f} s")

    def __enter__(self) -> Meanwhile:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stops.set()
        self.thread.join()
