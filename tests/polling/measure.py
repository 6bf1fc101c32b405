"""What pollers get from a served store, beside nginx: as a cache in front of it, and with the same bytes in a file.

Started by `run`, which serves the store. Prints a line for each check, `ok …` or `FAIL …` with what was measured, and how many of
them passed at the end; ends with 0 if all did.

Saturated means as many requests as 500 connections of wrk get answered, one after the other on each. The three take turns, so that a
slow moment of the machine hits all of them, and what is judged are the ratios. All three send the body of V01 as JSON, coded with
gzip by the server under test: the same bytes.

At a fixed rate a client that waits for a slow answer asks the fewer questions the slower the answers are, and percentiles become
those of the good moments (coordinated omission). h2load gives each of 500 connections its turns, spread over the period; what could
not be sent in its turn it sends as soon as the answer before it is there. It logs each request, and percentiles are made here of
that log, in two ways of which the worse counts. By the schedule: the request that was sent as the n-th counts from when the n-th
was due by an even schedule, which is exact where the server or h2load itself stood still; one that is not answered takes for ever.
By the client: one whose answer took longer than its period missed turns, and each turn missed counts with what it would have
waited, which is exact where single connections stood still. (Pipelining would spare both, but pollers do not pipeline, and what the
system does to several small answers in a row, Nagle's algorithm, would be measured with it.) A rate that is not reached fails,
whatever the percentiles are.

Load and servers share the machine's processors. What the generator takes of them is said with the figures, and so is what
nginx makes of the same load.
"""

import argparse
import asyncio
import contextlib
import gzip
import hashlib
import http.client
import itertools
import json
import math
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CLIENTS = 500
HOST = "127.0.0.1"
TARGET = "/v1/indicators/V01/data"
PATH = f"{TARGET}?format=json"
CODING = {"Accept-Encoding": "gzip"}

# The goals: requests a second in relation to the peers; requests a second and milliseconds at the 99th percentile.
OF_CACHE, OF_FILE = 1.0, 0.8
ALONE, BESIDE_SQL = (20_000, 20.0), (2_000, 50.0)

# What may be lacking of a fixed rate: the schedule begins and ends between two requests.
REACHED = 0.99
ROUNDS = 2
ASKERS = 10
# A question is heavy that takes so long on an idle server, seconds.
HEAVY = 0.5

# What the crossings are by; with the years and the status of the victims they make questions of which no two are alike.
CROSSED = [
    "province, sex", "province, age_group", "sector, sex", "sector, age_group", "sex, age_group, scope", "recruiter_relation, sex",
    "citizenship_region, sex", "referral_source, sex", "sector, sex, age_group", "province, sex, age_group", "exploitation, sex",
    "means, sex",
]

checks: list[bool] = []


def check(passed: bool, what: str) -> None:
    """Prints a check and remembers it."""
    checks.append(passed)
    print(f"{'ok  ' if passed else 'FAIL'} {what}", flush=True)


# --- Processes, as /proc tells of them ---


def ticks(pid: int) -> int:
    """User and system time of a process so far, in ticks of the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def family(pid: int) -> list[int]:
    """A process and its children: nginx is a master with workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    return sum(map(ticks, family(pid))) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Resident memory of a process, MiB."""
    line = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(line[1]) / 1024 if line else 0.0


def children_cpu() -> float:
    """CPU seconds of all programs that were run to their end so far: a load generator's, as the difference of two."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


class Peak:
    """The largest resident memory of a process while the block runs, MiB."""

    def __init__(self, pid: int) -> None:
        self.pid, self.mib, self.ended = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self) -> None:
        while True:
            self.mib = max(self.mib, resident(self.pid))
            if self.ended.wait(0.2):
                return

    def __enter__(self) -> "Peak":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


# --- Single requests ---


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(connection: http.client.HTTPConnection, path: str = PATH, headers: dict[str, str] | None = None) -> Answer:
    """One GET; names of headers in lower case."""
    connection.request("GET", path, headers=CODING | (headers or {}))
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def get(port: int, path: str = PATH, headers: dict[str, str] | None = None) -> Answer:
    """One GET on a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        return ask(connection, path, headers)


def answered(port: int, status: int) -> int:
    """How often the service says that it has answered for an indicator with this status."""
    wanted = f'route="/v1/indicators/{{id}}/data",method="GET",status="{status}"'
    lines = get(port, "/metrics", {"Accept-Encoding": "identity"}).body.decode().splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("amanat_http_requests_total{") and wanted in line)


# --- nginx ---

CONFIGURATION = """
daemon off;
{user}
worker_processes auto;
pid {work}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    open_file_cache max=1000 inactive=300s;
    default_type application/json;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    proxy_cache_path {work}/cache keys_zone=answers:10m max_size=256m inactive=1h use_temp_path=off;
    upstream amanat {{ server {host}:{amanat}; keepalive 16; }}

    # A cache in front of the service. How long an answer is kept, and may be given while a new one is fetched, the answer says;
    # the coding is in the key and not left to Vary alone, which costs a second look.
    server {{
        listen {host}:{cache} reuseport backlog=4096;
        location / {{
            proxy_pass http://amanat;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache answers;
            proxy_cache_key $request_uri$http_accept_encoding;
            proxy_cache_lock on;
            proxy_cache_revalidate on;
            proxy_cache_background_update on;
            proxy_cache_use_stale updating;
            add_header X-Cache $upstream_cache_status;
        }}
    }}
    server {{
        listen {host}:{file} reuseport backlog=4096;
        root {work}/files;
        gzip_static on;
        gzip_vary on;
    }}
}}
"""


@dataclass
class Nginx:
    """nginx with its two servers, in a folder of its own and without anybody's rights."""

    process: subprocess.Popen[bytes]
    cache: int
    file: int


@contextlib.contextmanager
def nginx(work: Path, amanat: int, body: Answer) -> Iterator[Nginx]:
    """Starts nginx over this answer and this service, and stops it at the end."""
    where = work / "nginx"
    path = where / "files" / TARGET.removeprefix("/")
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.decompress(body.body))
    path.with_name(f"{path.name}.gz").write_bytes(body.body)
    cache, file = free_port(), free_port()
    # Workers of root become nobody, who may not read the folder of this run.
    user = "user root;" if os.geteuid() == 0 else ""
    settings = where / "nginx.conf"
    settings.write_text(CONFIGURATION.format(work=where, user=user, host=HOST, amanat=amanat, cache=cache, file=file))
    with (where / "said").open("wb") as said:
        process = subprocess.Popen(["nginx", "-c", settings, "-p", where, "-e", "stderr"], stderr=said)
    try:
        for port in (cache, file):
            until = time.monotonic() + 20
            while True:
                with contextlib.suppress(OSError):
                    get(port)
                    break
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"nginx did not start: {(where / 'said').read_text()}")
                time.sleep(0.05)
        yield Nginx(process, cache, file)
    finally:
        process.terminate()
        process.wait()


# --- Saturation ---


@dataclass
class Saturated:
    """What wrk got, over all its turns."""

    requests: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    errors: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def cost(self) -> float:
        """CPU of the server for a request, microseconds."""
        return self.cpu / self.requests * 1e6 if self.requests else math.inf


def saturate(into: Saturated, port: int, pid: int, seconds: float, headers: dict[str, str] | None = None) -> None:
    """One turn of wrk. As many threads as processors up to two: one thread is busier than a fast server."""
    named = [f"{name}: {value}" for name, value in (CODING | (headers or {})).items()]
    threads = min(2, os.cpu_count() or 1)
    command = ["wrk", f"-t{threads}", f"-c{CLIENTS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    before = cpu(pid)
    ran = subprocess.run(
        [*command, *itertools.chain.from_iterable(("-H", one) for one in named), f"http://{HOST}:{port}{PATH}"],
        capture_output=True, text=True, check=True,
    )
    into.cpu += cpu(pid) - before
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", ran.stdout, re.MULTILINE)
    count = re.search(r"^\s*(\d+) requests in", ran.stdout, re.MULTILINE)
    if not rate or not count:
        raise SystemExit(f"wrk said something else: {ran.stdout}{ran.stderr}")
    into.requests += int(count[1])
    into.seconds += int(count[1]) / float(rate[1]) if float(rate[1]) else seconds
    into.errors += re.findall(r"Non-2xx.*|Socket errors.*", ran.stdout)


# --- A fixed rate ---


@dataclass
class Fixed:
    """What came of requests at a fixed rate. Milliseconds from when a request was due; infinite where it was not answered."""

    asked: int
    reached: float
    p50: float
    p99: float
    worst: float
    late: float
    statuses: Counter[int]
    generator: float

    def says(self) -> str:
        """The figures in words."""
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, worst {self.worst:.0f} ms"

    def answers(self) -> str:
        """The rate in words."""
        other = {status: n for status, n in self.statuses.items() if status != 200}
        told = f"; other answers than 200: {other}" if other else ""
        return (
            f"{self.reached:,.0f} requests/s answered of {self.asked:,}; h2load took {self.generator:.2f} cores "
            f"and was {self.late:.1f} ms behind the schedule at p99{told}"
        )

    def kept(self) -> bool:
        """Whether the rate was reached, and every answer was the body."""
        return self.reached >= REACHED * self.asked and set(self.statuses) == {200}


def fixed(port: int, rate: int, seconds: float, work: Path) -> Fixed:
    """Asks at a fixed rate. The first second, in which connections are opened, and the last, in which they end, are not counted."""
    log = work / "requests"
    log.unlink(missing_ok=True)
    total = round(rate * (seconds + 2))
    command = [
        "h2load", "--h1", "-t1", f"-c{CLIENTS}", "-m1", f"-n{total}", f"--rps={rate / CLIENTS:g}",
        # A connection a millisecond: if all began at once, all would ask in the same moment of each period.
        "-r1", "--rate-period=1ms", f"--log-file={log}", "-H", "Accept-Encoding: gzip", f"http://{HOST}:{port}{PATH}",
    ]
    before, began = children_cpu(), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # A rate that is not reached leaves a queue; how long that is, the goal does not ask.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds + 2 + max(3.0, seconds / 4))
    finally:
        process.kill()
        process.wait()
    took = (children_cpu() - before) / (time.monotonic() - began)
    return judged(log, rate, round(rate * seconds), took)


def missed(took: int, turn: float) -> Iterator[float]:
    """What a client waited that has a request in each turn: for this answer, and for those of the turns that it had to leave out.
    Microseconds."""
    waited = float(took)
    while waited > 0:
        yield waited
        waited -= turn


def quantile(microseconds: list[float], share: float, lost: int = 0) -> float:
    """Within how many milliseconds this share was answered, where so many more never were."""
    place = math.ceil(share * (len(microseconds) + lost)) - 1
    return sorted(microseconds)[place] / 1000 if place < len(microseconds) else math.inf


def judged(log: Path, rate: int, due: int, generator: float) -> Fixed:
    """Reads h2load's log: the microsecond when a request was sent, its status, microseconds until its answer was whole."""
    rows: list[tuple[int, int, int]] = []
    with log.open() as lines:
        for line in lines:
            parts = line.split()
            if len(parts) == 3:   # the last line is cut where h2load was stopped
                rows.append((int(parts[0]), int(parts[1]), int(parts[2])))
    rows.sort()
    if not rows:
        return Fixed(rate, 0.0, math.inf, math.inf, math.inf, math.inf, Counter(), generator)
    # What was answered in the time in question by the clock, whenever it was due: of a server that is too slow, what it can do.
    begins = rows[0][0] + 1e6
    reached = sum(1 for sent, _, took in rows if begins <= sent + took < begins + due / rate * 1e6) / (due / rate)
    statuses = Counter(status for _, status, _ in rows)
    rows = rows[rate:rate + due] or rows[-1:]
    period = 1e6 / rate
    # The latest even schedule of which no request is ahead: clients have turns of their own, and the one that is earliest counts.
    first = min(sent - k * period for k, (sent, _, _) in enumerate(rows))
    late = [sent - first - k * period for k, (sent, _, _) in enumerate(rows)]
    by_schedule = [behind + took for behind, (_, _, took) in zip(late, rows, strict=True)]
    by_client = [waited for _, _, took in rows for waited in missed(took, period * CLIENTS)]
    lost = due - len(rows)

    def worse(share: float) -> float:
        return max(quantile(by_schedule, share, lost), quantile(by_client, share, lost))

    return Fixed(rate, reached, worse(0.5), worse(0.99), worse(1.0), quantile(late, 0.99), statuses, generator)


# --- Heavy questions ---


# What stands for a question that is refused because the share of who asks is used up (PRIV-1020).
SPENT = -1


class Askers:
    """Ten who ask one question after the other in SQL: half join published tables, half cross the records. No two are alike until
    all 1,200 crossings were asked."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.crossings = itertools.cycle(self.crossed())
        self.width, self.alone = self.heavy()
        self.thresholds = itertools.count(1)
        self.outcomes: dict[str, Counter[str]] = {"crossings": Counter(), "joins": Counter()}
        self.joining = 0
        self.fewest = self.most = 0
        self.threads = [threading.Thread(target=self.work, args=(n % 2 == 0,)) for n in range(ASKERS)]
        self.watcher = threading.Thread(target=self.watch)

    @staticmethod
    def crossed() -> Iterator[str]:
        """Crossings of the records of victims. New ways to ask are charged, so those that come late may be refused."""
        years = itertools.product(range(2025, 2020, -1), range(2011, 2021))
        for (last, first), columns, status in itertools.product(years, CROSSED, ("", "status = 'actual' and ")):
            yield (
                f"select {columns}, count(*) as victims, count(distinct case_id) as cases from victims "
                f"where {status}year between {first} and {last} group by {columns}"
            )

    @staticmethod
    def joined(years: int, threshold: int) -> str:
        """A join of all published values with those of the last years."""
        return (
            "select a.indicator, count(*) as pairs, sum(a.value * b.value) as product from published.indicator_values a "
            "join published.indicator_values b on a.province = b.province "
            f"where a.time_period >= '{2026 - years}' and a.value + b.value > {threshold} group by a.indicator order by product desc"
        )

    def heavy(self) -> tuple[int, float]:
        """Over how many years a join must go to be heavy for this program on this machine, and the seconds that it takes alone."""
        took, years = 0.0, 1
        for years in (1, 2, 4, 8, 15):
            began = time.monotonic()
            status, _ = self.put(self.joined(years, 0))
            took = time.monotonic() - began
            if status != 200:
                raise SystemExit(f"a join of published tables was answered {status}")
            if took >= HEAVY:
                break
        return years, took

    def put(self, sql: str) -> tuple[int, dict[str, str]]:
        """Asks a question: the status, and the headers in lower case."""
        with contextlib.closing(http.client.HTTPConnection(HOST, self.port, timeout=90)) as connection:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/sql", json.dumps({"sql": sql}), headers)
            response = connection.getresponse()
            body = response.read()
            if response.status == 403 and b'"PRIV-1020"' in body:
                return SPENT, {}
            return response.status, {name.lower(): value for name, value in response.getheaders()}

    def work(self, joins: bool) -> None:
        kind = "joins" if joins else "crossings"
        while not self.ended.is_set():
            with self.lock:
                sql = self.joined(self.width, next(self.thresholds)) if joins else next(self.crossings)
                self.joining += joins
            try:
                status, headers = self.put(sql)
                outcome = {200: "answered", 422: "refused by the guard", SPENT: "spent", 429: "too many at once", 503: "too many at once",
                           504: "past 30 s"}.get(status, f"status {status}")
            except (OSError, http.client.HTTPException) as error:
                outcome, headers = type(error).__name__, {}
            with self.lock:
                self.joining -= joins
                self.outcomes[kind][outcome] += 1
            if outcome in ("refused by the guard", "spent"):
                self.ended.wait(0.25)   # somebody reads the refusal; without it these would be questions that cost nothing
            if outcome == "too many at once":
                if "retry-after" not in headers:
                    with self.lock:
                        self.outcomes[kind]["without Retry-After"] += 1
                self.ended.wait(min(5.0, float(headers.get("retry-after", "1"))))

    def watch(self) -> None:
        """How many joins are being computed or wait for their turn. (A crossing that is answered may wait for its moment to leave,
        which costs nothing, so it does not count.)"""
        self.fewest = len(self.threads)
        while not self.ended.wait(0.02):
            self.fewest, self.most = min(self.fewest, self.joining), max(self.most, self.joining)

    def __enter__(self) -> "Askers":
        for thread in self.threads:
            thread.start()
        time.sleep(1)
        self.watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever has asked waits for the answer, which counts."""
        self.ended.set()
        for thread in [self.watcher, *self.threads]:
            thread.join()

    def fine(self) -> bool:
        """Whether joins and crossings were answered, joins were under way at every look, and nothing broke."""
        known = {"answered", "refused by the guard", "spent", "too many at once", "past 30 s"}
        whole = all(set(outcomes) <= known and outcomes["answered"] > 0 for outcomes in self.outcomes.values())
        return whole and self.fewest > 0

    def says(self) -> str:
        """The outcomes in words."""
        told = [
            f"{kind}: {', '.join(f'{n} {outcome}' for outcome, n in sorted(outcomes.items()))}"
            for kind, outcomes in self.outcomes.items()
        ]
        return (
            f"{ASKERS} askers, {'; '.join(told)}; {self.fewest} to {self.most} joins under way at any moment, each takes "
            f"{self.alone:.1f} s alone"
        )


# --- Pollers ---


class Pollers:
    """500 that ask twice a second each and send back the tag that they were given, as those do that follow the guide."""

    EVERY = 0.5

    def __init__(self, port: int) -> None:
        self.port = port
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.tags: dict[int, bytes] = {}
        self.hashes: dict[bytes, str] = {}
        self.moments: dict[bytes, list[float]] = {}
        self.ended = False

    def fault(self, what: str) -> None:
        self.faults[what] += 1

    async def one(self, number: int) -> None:
        """Polls until told to end."""
        await asyncio.sleep(self.EVERY * number / CLIENTS)
        reader, writer = await asyncio.open_connection(HOST, self.port, limit=1 << 20)
        due = time.monotonic()
        while not self.ended:
            tag = self.tags.get(number)
            known = b"If-None-Match: " + tag + b"\r\n" if tag else b""
            writer.write(f"GET {PATH} HTTP/1.1\r\nHost: {HOST}:{self.port}\r\nAccept-Encoding: gzip\r\n".encode() + known + b"\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            status = int(head[0].split()[1])
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:] if line)}
            self.statuses[status] += 1
            given = headers.get(b"etag")
            if status == 304:
                if given != tag:
                    self.fault("304 with another tag than was sent, or none")
            elif status == 200:
                body = await reader.readexactly(int(headers[b"content-length"]))
                if given is None:
                    self.fault("200 without a tag")
                elif given == tag:
                    self.fault("200 though the tag that was sent is current")
                else:
                    self.took(number, given, body, headers.get(b"amanat-sha256", b"").decode())
            else:
                await reader.readexactly(int(headers.get(b"content-length", b"0")))
            if headers.get(b"connection", b"").lower() == b"close":
                self.fault("the connection was closed")
                break
            due += self.EVERY
            await asyncio.sleep(due - time.monotonic())
        writer.close()

    def took(self, number: int, tag: bytes, body: bytes, sha256: str) -> None:
        """A poller has a new body; each body is compared with its hash, and one tag has one body."""
        found = hashlib.sha256(body).hexdigest()
        if self.hashes.setdefault(tag, found) != found:
            self.fault("two bodies with one tag")
        if tag not in self.moments and hashlib.sha256(gzip.decompress(body)).hexdigest() != sha256:
            self.fault("a body that is not what Amanat-Sha256 says")
        self.tags[number] = tag
        self.moments.setdefault(tag, []).append(time.monotonic())

    async def run(self, seconds: float, publish: list[str]) -> tuple[float, float]:
        """Polls for so long, and until everybody has the edition that is published on the way. Returns the seconds of polling, and
        those from the end of publishing to the last poller that has it."""
        began = time.monotonic()
        pollers = [asyncio.create_task(self.one(number)) for number in range(CLIENTS)]
        await asyncio.sleep(seconds / 3)
        publishing = await asyncio.create_subprocess_exec(
            *publish, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        if await publishing.wait() != 0:
            self.fault("no edition could be published")
        published = time.monotonic()
        until = max(began + seconds, published + 30)
        broken: list[BaseException] = []
        while time.monotonic() < until:
            everybody = len(self.moments) == 2 and len(list(self.moments.values())[1]) == CLIENTS
            if everybody and time.monotonic() >= began + seconds:
                break
            await asyncio.sleep(0.1)
        self.ended = True
        for outcome in await asyncio.gather(*pollers, return_exceptions=True):
            if isinstance(outcome, BaseException):
                broken.append(outcome)
        for error in broken:
            self.fault(type(error).__name__)
        last = max(list(self.moments.values())[-1]) if self.moments else math.inf
        return time.monotonic() - began, max(0.0, last - published)


# --- The figure ---


def sound(port: int) -> Answer:
    """What a poller relies on: one connection for many requests, a tag, and 304 with that tag and without a body."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        answer = ask(connection)
        held = connection.sock
        again = ask(connection, headers={"If-None-Match": answer.headers.get("etag", "")})
        other = ask(connection, headers={"If-None-Match": '"another"'})
        kept = connection.sock is held and held is not None
    plain = gzip.decompress(answer.body) if answer.headers.get("content-encoding") == "gzip" else answer.body
    tagged = again.status == 304 and again.headers.get("etag") == answer.headers.get("etag") and not again.body
    held_back = [name for name in ("etag", "vary", "cache-control", "last-modified") if name not in answer.headers]
    check(
        answer.status == 200 and answer.headers.get("content-encoding") == "gzip" and tagged and kept and not held_back
        and other.status == 200 and other.body == answer.body,
        f"V01 as JSON: {answer.headers.get('amanat-rows')} rows, {len(plain):,} bytes, {len(answer.body):,} of them with gzip; "
        f"{answer.status}, with its tag {again.status}, with another {other.status}; the connection "
        f"{'is kept' if kept else 'IS CLOSED'}" + (f"; WITHOUT {', '.join(held_back)}" if held_back else ""),
    )
    return answer


def saturation(args: argparse.Namespace, peers: Nginx, before: float) -> None:
    """The three in turns. `before` is the resident memory of the service before anything was asked, MiB."""
    ours, cache, file = Saturated(), Saturated(), Saturated()
    turns = [(ours, args.port, args.pid), (cache, peers.cache, peers.process.pid), (file, peers.file, peers.process.pid)]
    # What a first turn finds cold is nobody's merit.
    for _, port, pid in turns:
        saturate(Saturated(), port, pid, 1)
    after_first, peak = 0.0, 0.0
    for n in range(ROUNDS):
        for into, port, pid in turns:
            with Peak(args.pid) as memory:
                saturate(into, port, pid, args.seconds / ROUNDS)
            peak = max(peak, memory.mib)
        if n == 0:
            after_first = resident(args.pid)
    after = resident(args.pid)
    for name, peer, goal in (("as a cache in front of it", cache, OF_CACHE), ("with the same bytes in a file", file, OF_FILE)):
        ratio = ours.rate / peer.rate
        check(
            ratio >= goal,
            f"saturated by {CLIENTS} clients: {ours.rate:,.0f} requests/s, {ratio:.2f}x nginx {name} ({peer.rate:,.0f}); goal {goal}x",
        )
    check(
        not (ours.errors + cache.errors + file.errors),
        f"every answer was whole ({ours.requests:,}, {cache.requests:,}, {file.requests:,} requests); CPU of the server a request: "
        f"{ours.cost:.1f} µs, nginx as a cache {cache.cost:.1f} µs, with a file {file.cost:.1f} µs; resident {before:.0f} MiB before, "
        f"{peak:.0f} MiB at most, {after_first:.0f} MiB after the first round, {after:.0f} MiB after the last"
        + "".join(f"; {said}" for said in ours.errors + cache.errors + file.errors),
    )


def conditional(args: argparse.Namespace, tag: str) -> None:
    """Saturated by pollers that have everything: what a request costs that is answered 304."""
    into, before = Saturated(), answered(args.port, 304)
    saturate(into, args.port, args.pid, args.seconds / 4, {"If-None-Match": tag})
    not_modified = answered(args.port, 304) - before
    # wrk counts what it has read; what was under way when it ended was answered, too.
    check(
        not into.errors and into.requests <= not_modified <= into.requests + 2 * CLIENTS,
        f"saturated by {CLIENTS} pollers that have it: {into.rate:,.0f} requests/s, {not_modified:,} answers 304 to {into.requests:,} "
        f"requests, {into.cost:.1f} µs of CPU each",
    )


def rates(args: argparse.Namespace, peers: Nginx, key: str) -> None:
    """At the fixed rates, alone and beside heavy questions."""
    seconds = args.seconds / 2
    (rate, goal), (slow, slow_goal) = ALONE, BESIDE_SQL
    reference = fixed(peers.file, rate, min(10.0, seconds), args.work)
    before = cpu(args.pid)
    with Peak(args.pid) as memory:
        alone = fixed(args.port, rate, seconds, args.work)
    used = (cpu(args.pid) - before) / (seconds + 2)
    check(alone.kept(), f"{rate:,} requests/s for {seconds:.0f} s: {alone.answers()}; the service used {used:.2f} cores")
    check(
        alone.p99 <= goal,
        f"{rate:,} requests/s: {alone.says()}; goal p99 {goal:.0f} ms; nginx with a file: {reference.reached:,.0f} requests/s, "
        f"{reference.says()}; resident at most {memory.mib:.0f} MiB",
    )
    askers = Askers(args.port, key)
    with Peak(args.pid) as memory, askers:
        before, began = cpu(args.pid), time.monotonic()
        beside = fixed(args.port, slow, max(5.0, seconds), args.work)
        used = (cpu(args.pid) - before) / (time.monotonic() - began)
    check(beside.kept(), f"{slow:,} requests/s beside {ASKERS} heavy questions: {beside.answers()}; the service used {used:.2f} cores")
    check(
        beside.p99 <= slow_goal,
        f"{slow:,} requests/s beside {ASKERS} heavy questions: {beside.says()}; goal p99 {slow_goal:.0f} ms; "
        f"resident at most {memory.mib:.0f} MiB",
    )
    check(askers.fine(), askers.says())


def polling(args: argparse.Namespace) -> None:
    """Pollers as they should be, over a new edition."""
    publish = [args.amanat, "edition", "publish", "--as-of", "2025-12-31", "--data", str(args.data)]
    pollers = Pollers(args.port)
    seconds, told = asyncio.run(pollers.run(max(8.0, args.seconds / 4), publish))
    total = pollers.statuses.total()
    fetched = [len(moments) for moments in pollers.moments.values()]
    check(
        set(pollers.statuses) == {200, 304} and not pollers.faults and fetched == [CLIENTS, CLIENTS],
        f"{CLIENTS} pollers with a tag, {total / seconds:,.0f} requests/s over a new edition: "
        f"{100 * pollers.statuses[304] / total:.1f} % of {total:,} answers are 304; bodies fetched of each edition: "
        f"{' and '.join(map(str, fetched))}; the last had the new one {told:.1f} s after it was published"
        + "".join(f"; {n} x {what}" for what, n in pollers.faults.items()),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--amanat", required=True, help="the program, which publishes an edition on the way")
    parser.add_argument("--data", type=Path, required=True, help="the store that is served")
    parser.add_argument("--port", type=int, required=True, help="where it is served, on 127.0.0.1")
    parser.add_argument("--pid", type=int, required=True, help="the process that serves it")
    parser.add_argument("--work", type=Path, required=True, help="a folder for what is only of this run")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each of the three is saturated")
    args = parser.parse_args()
    if not 4 <= args.seconds <= 600:
        parser.error("--seconds is from 4 to 600")
    # As by Ctrl-C: what was started ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    key = (args.data / "keys" / "analyst").read_text().strip()

    before = resident(args.pid)
    body = sound(args.port)
    with nginx(args.work, args.port, body) as peers:
        twice = [get(peers.cache) for _ in range(2)][1]
        kept, filed = twice.headers.get("x-cache"), get(peers.file)
        check(
            kept == "HIT" and twice.body == body.body == filed.body and filed.headers.get("content-encoding") == "gzip",
            f"nginx sends the same {len(filed.body):,} bytes, from its cache ({kept}) and from a file; "
            f"{os.cpu_count()} processors for servers and load",
        )
        saturation(args, peers, before)
        conditional(args, body.headers["etag"])
        rates(args, peers, key)
    polling(args)
    print(f"{sum(checks)} of {len(checks)}")
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
