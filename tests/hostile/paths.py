"""Addresses that lead out of what is served, are huge, or are no text; and what stands behind the question mark."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import oracle
from ground import Ground
from http1 import exchange
from oracle import Fault
from sent import head
from server import Server

# Where a file or a name is expected.
PLACES = ("/assets/{}", "/docs/{}", "/v1/editions/1/data/{}", "/v1/editions/{}/archive.zip", "/licences.txt/{}", "/licences.txt?{}", "/{}",
          "/v1/indicators/{}/data", "/v1/code-lists/{}", "/problems/{}", "/sdmx/v2/data/dataflow/{}/V01",
          "/sdmx/v2/structure/codelist/{}/x", "/sdmx/v2/structure/{}", "/v1/questions/{}", "/v1/questions/{}/data", "/indicators/{}",
          "/questions/{}", "/v1/people/{}")
REGISTRY = ("/subjects/{}", "/subjects/{}/versions", "/subjects/{}/versions/1", "/schemas/ids/{}", "/schemas/ids/{}/schema", "/config/{}",
            "/mode/{}", "/subjects/x/versions/{}", "/{}")
# Ways of writing one step up.
UP = ("../", "..\\", "%2e%2e/", "%2e%2e%2f", "..%2f", "%252e%252e%252f", "..%252f", "..%5c", "%2e%2e%5c", "..%c0%af", "..%e0%80%af",
      "%c0%ae%c0%ae/", "\uff0e\uff0e/", "\u2025/", "....//", "..;/", "../;/", "..%00/", ".%2e/", "%u002e%u002e%u2215", "..%f0%80%80%af",
      "..%ef%bc%8f", "/..//", "./../", "%2f..%2f", "..\u2215")
ENDS = ("", "", "", "%00", "%00.csv", ".csv", "?.csv", "#.csv", "/.", "::$DATA", "%20", ".br", ".gz", "~")

Shape = Callable[[Random, Server], str]


def percent(text: str) -> str:
    """Bytes that no address has, in codes."""
    return "".join(chr(byte) if 33 <= byte <= 126 else f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def outside(random: Random, server: Server) -> str:
    """A file that is not served, as steps up or whole."""
    data = str(server.data)
    files = ("etc/passwd", "etc/shadow", "proc/self/environ", "proc/self/maps", f"{data}/keys/analyst", f"{data}/keys/master",
             f"{data}/canary", f"{data}/readers.toml", f"{data}/store.toml", f"{data}/log.db", f"{data}/vault.db",
             f"{data}/lake/events/_delta_log/00000000000000000000.json", f"{data}/lake/published", "keys/analyst", "keys/master", "canary",
             "readers.toml", "log.db", "gateway.db", "lake/events", "index.html", "Cargo.toml", "root/.ssh/id_rsa")
    file = random.choice(files).lstrip("/")
    step = random.choice(UP)
    up = "".join(step if random.random() < 0.9 else random.choice(UP) for _ in range(random.choice([0, 1, 2, 3, 8, 12])))
    if random.random() < 0.3:
        file = file.replace("/", random.choice(["%2f", "%5c", "//", "/./", "%252f"]))
    begin = random.choice(["", "", "/", "file:///", "file%3a%2f%2f%2f", "C:/", "%2f"])
    return percent(begin + up + file + random.choice(ENDS))


def long_name(random: Random, _: Server) -> str:
    return random.choice(["a", "%41", "/a", "../", "%00", "\u0627", "a.csv/", ","]) * random.choice([1_000, 6_000, 30_000, 70_000, 200_000])


def no_text(random: Random, _: Server) -> str:
    broken = ["%", "%g1", "%f", "%ff", "%80", "%c3%28", "%ed%a0%80", "%f4%90%80%80", "%c0%80", "%e2%82", "%fe%ff", "%%", "%2", "\\",
              "%0d%0a", "%09", "%7f", "%e2%80%ae", "%ef%bf%be", "%f0%9f%92%a9", "\x7f", "%1b"]
    return "".join(percent(random.choice(["V01", "", "a"])) + random.choice(broken) for _ in range(random.randint(1, 6)))


def other_name(random: Random, _: Server) -> str:
    """What might be a name, and is none."""
    names = ["__proto__", "constructor", "null", "NaN", "-1", "0", "1e9", "18446744073709551616", "latest%00", "1.5", "+1", "V01'",
             "V01%22", "V01%3b", "' or 1=1--", "${7*7}", "{{7*7}}", "<script>", "%s%n", "V01.CSV", "..", ".", "*", "_T", "CON", "aux.csv",
             "v01.csv.csv", "public", "administrator", "analyst", "victims", "protected.victims", "$(id)", "|id", "`id`", "A" * 61,
             "V01/data/V01"]
    return percent(random.choice(names))


NAMES: tuple[Shape, ...] = (outside, outside, outside, long_name, no_text, other_name)

# Addresses with parameters, and the names that these have.
ASKED = ("/v1/indicators/V01/data", "/v1/indicators/V01/revisions", "/v1/indicators", "/v1/editions", "/v1/calendar", "/v1/events",
         "/sdmx/v2/data/dataflow/AMANAT/V01", "/sdmx/v2/data/dataflow/AMANAT/V01/1.0.0/*", "/sdmx/v2/structure/dataflow", "/v1/questions",
         "/v1/sql", "/metrics", "/v1/session", "/subjects", "/schemas/ids/1")
PARAMETERS = ("format", "province", "sex", "time_period", "from", "to", "edition", "limit", "after", "offset", "lang", "bom", "measure",
              "c[TIME_PERIOD]", "c[PROVINCE]", "dimensionAtObservation", "firstNObservations", "attributes", "measures", "includeHistory",
              "updatedAfter", "detail", "references", "companions", "subjectPrefix", "deleted", "callback", "debug", "admin", "role",
              "token", "key", "sql", "__proto__[x]")
VALUES = ("", "_T", "*", "-1", "0", "1e309", "99999999999999999999", "2024", "2024-Q5", "9999-Q4", "0000", "true", "csv", "parquet",
          "sdmx-json", "../../etc/passwd", "' or '1'='1", "\" or \"\"=\"", "1;drop table x", "${jndi:ldap://x}", "<svg onload=1>", "\u202e",
          "%00", "ge:2020+le:2024", "ge:x", "a,b,c", ",", "null", "[]", "{}", "PK-PB'--", "x" * 300, "%f0%28%8c%28", "\u0662\u0660",
          "latest", "all")


def with_parameters(random: Random) -> str:
    """An address with what it may and may not be asked."""
    path = random.choice(ASKED)
    count = random.choice([1, 2, 3, 8, 400])
    join = random.choice(["&", "&", "&", ";", "&&", "?"])

    def one() -> str:
        name, value = random.choice(PARAMETERS), random.choice(VALUES)
        return f"{percent(name)}={percent(value)}"

    form = random.randrange(6)
    if form == 0:
        return f"{path}?{percent(random.choice(PARAMETERS))}=" + percent(random.choice(VALUES)) * random.choice([10, 1_000])
    if form == 1:
        return f"{path}?" + join.join([one()] * random.choice([2, 50, 3_000]))
    if form == 2:
        return f"{path}?" + "".join(random.choices("abc=&%;+,[]{}?/#0f", k=random.choice([20, 2_000])))
    if form == 3:
        periods = ",".join(f"{random.randint(1000, 9998)}-Q{random.randint(1, 4)}" for _ in range(random.choice([10, 500])))
        return f"{path}?time_period={periods}&format={percent(random.choice(VALUES))}"
    return f"{path}?" + join.join(one() for _ in range(count))


def sdmx(random: Random) -> str:
    """Parts of an address of SDMX, most of them wrong."""
    parts = ["dataflow", "*", "AMANAT", "V01", "latest", "1.0.0", "1.0+.0", "~", "", "..", "A.B.C", "*.*.*", "+" * 2_000,
             ".".join("*" * 200), "PK-PB+PK-SD._T", "all", "datastructure", "codelist", "x" * 5_000, "%2f", "(", "AMANAT,V01"]
    base = random.choice(["/sdmx/v2/data", "/sdmx/v2/structure", "/sdmx/v2/availability", "/sdmx/v1/data", "/sdmx/v2"])
    return base + "/" + percent("/".join(random.choice(parts) for _ in range(random.randint(1, 7))))


def run(ground: Ground) -> None:
    """Addresses, by GET and now and then by another method, of the readers' door and of the registry."""
    server = ground.server

    def attempt(number: int, random: Random) -> None:
        to_registry, form = number % 6 == 5, number % 8
        if form == 6:
            path = sdmx(random)
        elif form == 7:
            path = with_parameters(random)
        else:
            path = random.choice(REGISTRY if to_registry else PLACES).format(NAMES[form](random, server))
        if random.random() < 0.03:
            path += "/a" * random.choice([100, 10_000])
        method = "GET" if random.random() < 0.93 else random.choice(["HEAD", "DELETE", "PUT", "PATCH", "OPTIONS"])
        accept = random.choice([b"Accept: */*", b"Accept: text/html", b"Accept: application/json"])
        sent = head(path, accept, method=method)
        streams = "/v1/events" in path
        got = exchange(server.ports.gateway if to_registry else server.ports.http, sent, heads=(method == "HEAD",), patience=0.5 if streams
                       else 12)
        oracle.answers(server, sent, got, waits=streams, gateway=to_registry)
        for answer in got.answers:
            plain = answer.plain()
            is_asked = "format=parquet" in path or "archive.zip" in path
            if plain[:4] == b"PAR1" and not is_asked:
                raise Fault("the answer is a file of the lake", sent)
            if plain and answer.status == 200 and form in (0, 1, 2) and not to_registry and b"<!doctype html" not in plain[:200].lower(
                ) and "/licences.txt?" not in path and method != "OPTIONS":
                raise Fault(f"an address that leads outside is answered: {oracle.shown(plain, 80)}", sent)

    ground.each(attempt, range(ground.count))
