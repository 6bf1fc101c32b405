"""The statements of tests/attacks, each with what it must be answered with, and ways of spoiling a statement."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
# Whoever expects one of these expects that the statement ends at a limit; which comes first is the store's.
BOUNDED = {"time_limit", "memory_limit", "row_limit"}


class Case(NamedTuple):
    file: str
    line: int
    expect: frozenset[str]
    params: list[Any]
    sql: str

    def is_met(self, code: str, body: int) -> bool:
        """Whether it may be answered so: `ok`, or the code of a refusal."""
        if code in self.expect or code == "time_limit":
            return True
        if self.expect & BOUNDED and (code in BOUNDED or code == "ok"):
            return True
        # The guard's compiler takes no EXPLAIN; at a door it is an analyst's to ask (`e` in access.toml).
        if code == "ok" and self.sql.lower().startswith("explain select count"):
            return True
        # A statement that is too long for a question is too long for a body as well.
        return code == "body_too_large" and body > 64 << 10


def read(name: str) -> list[Case]:
    """The statements of a file; its form is told in tests/README.md."""
    cases: list[Case] = []
    params: list[Any] = []
    lines: list[str] = []
    expect, at = frozenset[str](), 0
    text = (ATTACKS / name).read_text().splitlines()
    for number, line in enumerate([*text, "-- expect: end"], 1):
        if line.startswith("-- expect: "):
            sql = re.sub(r"\{\{(\d+)\*(.*?)\}\}", lambda found: found.group(2) * int(found.group(1)), "\n".join(lines).rstrip(), flags=re.S)
            if expect:
                cases.append(Case(name, at, expect, params, sql))
            expect, params, lines, at = frozenset(line[11:].strip().split(" or ")), [], [], number
        elif line.startswith("-- params: "):
            params = json.loads(line[11:])
        elif not line.startswith(("--> ", "-- means: ")):
            lines.append(line)
    return cases


WORDS = ("select", "from", "where", "group by", "having", "union all", "with recursive t as (select 1)", "lateral", "cross join", "over ()",
         "limit 1", "distinct", "null", "protected.victims", "victims", "person_id", "(", ")", "*", "'", '"', "--", "/*", "*/", ";", "$1",
         "$9999999999", "::text", "e'\\0'", "U&'\\0061'", "\u0000", "\u202e", "0x", "1e999", "array[1]", "interval '1' day",
         "cast(1 as int)", "case when", "exists (select 1)")


def spoiled(random: Random, sql: str, other: str) -> str:
    """A statement with some of its parts changed, doubled, or taken from another."""
    sql = sql[:12_000]
    for _ in range(random.randint(1, 4)):
        at, to = sorted(random.randrange(len(sql) + 1) for _ in range(2))
        form = random.randrange(7)
        if form == 0:
            sql = sql[:at] + sql[to:]
        elif form == 1:
            sql = sql[:at] + sql[at:to] * random.choice([2, 3, 20]) + sql[to:]
        elif form == 2:
            sql = sql[:at] + f" {random.choice(WORDS)} " + sql[at:]
        elif form == 3:
            sql = sql[:at] + other[len(other) * at // (len(sql) + 1) :]
        elif form == 4:
            letter = random.choice([0, 9, 39, 34, 92, 0x200B, 0x0456, 0xFF07, 0x1F4A9, random.randrange(32, 0xD000)])
            sql = sql[:at] + chr(letter) + sql[at + 1 :]
        elif form == 5:
            sql = f"select * from ({sql}) t" if random.random() < 0.5 else f"{sql} union all {other[:2_000]}"
        else:
            sql = re.sub(r"\b\d+\b", lambda _: random.choice(["0", "-1", "9223372036854775808", "1e308", "'x'", "null"]), sql)
    return sql[:15_000]
