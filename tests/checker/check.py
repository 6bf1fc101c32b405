"""Checks the invariants I1 to I8 of ingestion (ingestion.md 3.2), and R, what agencies were told (3.4), on a data directory, sharing no
code with the program.

Prints each invariant with what was looked at; ends with 1 when one is broken. Partitions and offsets are named, values never."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import duckdb
from blake3 import blake3
from pyarrow import fs

from log import KafkaLog, SqliteLog
from seal import NO_EVENT, Event, Keys, set_aside_frame
from table import Table

MOST = 5  # breaches that are printed of one invariant
LEASE = "maintain"  # among the claims of a commit: the number of the maintainer's lease, which is taken beside the table


class Findings:
    def __init__(self):
        self.breaches, self.looked_at = {}, {}

    def broken(self, invariant, where, what):
        self.breaches.setdefault(invariant, []).append(f"{where}: {what}")

    def report(self):
        for invariant, text in self.looked_at.items():
            breaches = self.breaches.get(invariant, [])
            says = "BROKEN:" if breaches else "–" if text.startswith(("not ", "does not ", "is the program")) else "holds:"
            print(f"{invariant} {says} {text}")
            for line in breaches[:MOST]:
                print(f"   {line}")
            if len(breaches) > MOST:
                print(f"   and {len(breaches) - MOST} more")
        return 1 if self.breaches else 0


def span(offsets):
    offsets = sorted(offsets)
    return f"offset {offsets[0]}" if len(offsets) == 1 else f"{len(offsets)} offsets from {offsets[0]} to {offsets[-1]}"


def audited(commit, next_of, rows):
    """What is wrong with a reset: it says who and why, moves exactly what it says, forward, and brings no rows."""
    if not (isinstance(commit.reset, dict) and commit.reset.get("operator") and commit.reset.get("reason")):
        return "a reset without operator and reason"
    moves = {f"{move['partition']['log_stream']}/{move['partition']['partition']}": (move["from"], move["to"])
             for move in commit.reset.get("moves", [])}
    if moves != {partition: (next_of.get(partition), to) for partition, to in commit.next.items()}:
        return "a reset that moved something else than it says"
    if any(old is not None and to < old for old, to in moves.values()):
        return "a reset that went backward"
    return "a reset with rows" if rows else None


class Skips:
    """Offsets that audited resets have skipped, and the partitions that one has begun."""

    def __init__(self):
        self.ranges, self.begun = defaultdict(list), set()

    def take(self, partition, old, to):
        if old is None:
            self.begun.add(partition)
        else:
            self.ranges[partition].append(range(old, to))

    def has(self, partition, offset):
        return any(offset in skipped for skipped in self.ranges.get(partition, ()))

    def __len__(self):
        return sum(map(len, (r for ranges in self.ranges.values() for r in ranges)))


def history(table, findings, absent):
    """I2 and I3, commit by commit. Returns the next offset of each partition, where it started, and what resets skipped."""
    next_of, start, claim_of, claimer, skips = {}, {}, {}, {}, Skips()
    seen = Counter()
    for commit in table.commits():
        if not seen["commits"] and commit.version:
            findings.broken("I2", f"version {commit.version}", "the history before it is gone: it cannot be checked")
        seen["commits"] += 1
        where = f"version {commit.version}"
        rows = table.rows_of(commit)
        if rows is None:
            seen["gone"] += 1
        for partition, claim in commit.claims.items():
            highest = claim_of.get(partition, 0)
            if claim < highest or (commit.is_claim and claim == highest and claimer.get(partition) != commit.writer):
                findings.broken("I3", f"{where}, {partition}", f"claim {claim} after {highest}")
            elif partition == LEASE:
                claim_of[partition] = claim
            elif claim > highest and not commit.is_claim:
                findings.broken("I3", f"{where}, {partition}", f"claim {claim} was never taken")
            if commit.is_claim and claim > highest:
                claim_of[partition], claimer[partition] = claim, commit.writer
                seen["claims"] += 1
        for partition in set(rows or {}) - set(commit.next):
            findings.broken("I2", f"{where}, {partition}", f"{span(r[0] for r in rows[partition])} without a next offset")
        if commit.reset is not None:
            seen["resets"] += 1
            wrong = audited(commit, next_of, rows)
            if wrong:
                findings.broken("I2", where, wrong)
        for partition, to in commit.next.items():
            old = next_of.get(partition)
            next_of[partition] = to
            if old is not None and to < old:
                findings.broken("I2", f"{where}, {partition}", f"the next offset went from {old} to {to}")
            if commit.reset is not None and not wrong:
                skips.take(partition, old, to)
                start.setdefault(partition, to if old is None else old)
            if commit.reset is not None or rows is None:
                continue
            found = [offset for offset, *_ in rows.get(partition, [])]
            start.setdefault(partition, old if old is not None else (found[0] if found else to))
            first = start[partition] if old is None else old
            lost = [o for o in range(first, to) if o not in set(found) and o not in absent(partition)] \
                if len(found) != to - first or len(set(found)) != len(found) else []
            outside = [o for o in found if not first <= o < to]
            if lost or outside or len(set(found)) != len(found):
                findings.broken("I2", f"{where}, {partition}", f"its rows are not those of {first} to {to - 1}")
            seen["moves"] += 1
            for _, claim, writer, batch in rows.get(partition, []):
                if (claim, writer) != (claim_of.get(partition), claimer.get(partition)) or writer != commit.writer:
                    findings.broken("I3", f"{where}, {partition}", "rows under a claim that is not the highest, or another's")
                    break
                if batch != commit.info.get("batch_id"):
                    findings.broken("I2", f"{where}, {partition}", "rows of another batch")
                    break
    gone = f", {seen['gone']} of them with files that are gone" if seen["gone"] else ""
    resets = f", {seen['resets']} resets that say who and why" if seen["resets"] else ""
    findings.looked_at["I2"] = f"{seen['moves']} moves of a next offset in {seen['commits']} commits{gone}{resets}"
    findings.looked_at["I3"] = f"{seen['claims']} claims and every row's claim and writer"
    return next_of, start, skips


def offsets_once(rows, next_of, start, skips, absent, findings):
    """I1 on the newest version."""
    for partition in sorted(set(rows) | set(next_of)):
        found = Counter(row["log_offset"] for row in rows.get(partition, []))
        twice = [offset for offset, times in found.items() if times > 1]
        first, end = start.get(partition, 0), next_of.get(partition)
        if end is None:
            findings.broken("I1", partition, "rows of a partition that was never read")
            continue
        skipped = {o for r in skips.ranges.get(partition, ()) for o in r}
        lost = [o for o in range(first, end) if o not in found and o not in skipped and o not in absent(partition)]
        outside = [offset for offset in found if not first <= offset < end or offset in skipped]
        for offsets, what in [(twice, "twice"), (lost, "without a row"), (outside, f"outside of {first} to {end - 1}")]:
            if offsets:
                findings.broken("I1", partition, f"{span(offsets)} {what}")
    total = sum(map(len, rows.values()))
    skipped = f", {len(skips)} offsets skipped by resets" if len(skips) else ""
    findings.looked_at["I1"] = f"{total} rows of {len(rows)} partitions, each offset below the next one once{skipped}"


class Compared:
    """I6 and I8: each record of the log against its row."""

    def __init__(self, keys, findings):
        self.keys, self.findings = keys, findings
        self.seen, self.sums = Counter(), [0, 0]
        self.firsts = defaultdict(dict)  # by partition of the log, whatever its generation
        self.aside, self.accepted = {}, {}  # by position

    def partition(self, name, rows, records):
        by_offset = {row["log_offset"]: row for row in rows}
        first = self.firsts[name.partition("/")[2]]
        for offset, _, key, headers, value in records:
            row = by_offset.get(offset)
            if row is None:
                continue  # I1 speaks of it
            self.seen[row["_status"]] += 1
            what = self.row(name, row, key, headers, value, first)
            if what:
                self.findings.broken("I8", f"{name}, offset {offset}", what)

    def row(self, name, row, key, headers, value, first):
        status = row["_status"]
        if value is None or status == "tombstone":
            return None if value is None and status == "tombstone" and row["payload"] is None else "not a tombstone on both sides"
        if status == "erased":
            return None
        if status == "set_aside":
            return self.set_aside(name, row, key, headers, value)
        try:
            event = Event(self.keys, headers, value)
        except NO_EVENT:
            return f"{status}, but there is no event in the record"
        known = first.get(event.id)
        self.add(name, row["log_offset"], row["payload"], known[1] if status == "duplicate" and known else event.payload,
                 known[1] if status == "duplicate" and known else None)
        if (event.id, event.agency) != (row["event_id"], row["agency"]):
            return "another event's row"
        if status == "ok":
            if known:
                return f"accepted, though {known[0]} has the same event"
            first[event.id] = (f"{name}/{row['log_offset']}", event.payload, event.content())
            self.accepted[first[event.id][0]] = (event.agency, event.id, event.payload, event.content())
            return self.same(row, event)
        if known is None:
            return f"{status} of an event that was not accepted before"
        of = (row["headers"] or {}).get("amanat-of")
        if of != known[0]:
            return f"{status} of {known[0]}, but it names another"
        if (event.content() == known[2]) != (status == "duplicate"):
            return f"{status}, but compared with its first copy it is not"
        if status == "conflict":
            return self.same(row, event)
        return None if row["payload"] is None else "a duplicate that keeps a payload"

    def add(self, name, offset, ours, theirs, copied):
        """The order-independent hash of (partition, offset, sealed payload); a duplicate counts with its first copy's."""
        def number(payload):
            digest = blake3(f"{name}/{offset}".encode() + b"\0" + payload).digest()
            return int.from_bytes(digest[:16], "little")

        self.sums[0] = (self.sums[0] + number(copied if copied is not None else ours or b"")) % 2**128
        self.sums[1] = (self.sums[1] + number(theirs)) % 2**128

    @staticmethod
    def same(row, event):
        pairs = {
            "payload": (row["payload"], event.payload), "record_id": (row["record_id"], event.record_id),
            "event_type": (row["event_type"], event.type), "schema_id": (row["schema_id"], event.schema_id),
            "recorded_at": (row["recorded_at"], round(event.recorded_at.timestamp() * 1e6)),
            "subject_refs": (list(row["subject_refs"] or []), event.subjects),
            "link_refs": (list(row["link_refs"] or []), event.links),
        }
        wrong = [column for column, (table, log) in pairs.items() if table != log]
        return f"differs from the record in {', '.join(wrong)}" if wrong else None

    def set_aside(self, name, row, key, headers, value):
        where = f"{name}, offset {row['log_offset']}"
        kept = row["headers"] or {}
        self.aside[f"{name}/{row['log_offset']}"] = (headers, value)
        frame = set_aside_frame(key, headers, value)
        payload, digest = self.keys.set_aside_row(row["log_stream"], row["log_partition"], row["log_offset"], frame)
        if "amanat-hash" not in kept:
            self.findings.broken("I6", where, "set aside without its hash")
        expired = kept.get("amanat-keep-until", "9999") < date.today().isoformat()
        if row["payload"] is None and not expired:
            self.findings.broken("I6", where, "set aside without its bytes")
        self.seen["bytes"] += row["payload"] is not None
        if row["_error_class"] == "parse":
            try:
                Event(self.keys, headers, value)
                return "set aside as unreadable, but an event is in it"
            except NO_EVENT:
                pass
        if kept.get("amanat-hash") != digest or (row["payload"] is not None and row["payload"] != payload):
            return "its sealed bytes or their hash are not those of the record"
        return None

    def replays(self, name, rows, status_of):
        """Rows of replays: each names one set-aside row, which no other names, and is that one's event. What is not in this log
        any more is not compared."""
        resolved = set()
        for row in rows:
            origin = (row["headers"] or {}).get("amanat-replay-of")
            if origin in resolved:
                self.findings.broken("I1", f"{name}, offset {row['log_offset']}", f"resolves {origin}, as another row does")
            resolved.add(origin)
            what = self.replay(name, row, origin, status_of)
            if what:
                self.findings.broken("I8", f"{name}, offset {row['log_offset']}", what)
            self.seen["replayed"] += 1

    def replay(self, name, row, origin, status_of):
        status = row["_status"]
        if status_of.get(origin) != ("set_aside", row["agency"]):
            return "does not name a row that the agency's stream had set aside"
        if status not in ("ok", "duplicate", "conflict"):
            return f"{status}, which no replay makes"
        if origin not in self.aside:
            return None
        try:
            event = Event(self.keys, *self.aside[origin])
        except NO_EVENT:
            return "there is no event in the record that it resolves"
        if (event.id, event.agency) != (row["event_id"], row["agency"]):
            return "another event's row"
        of = (row["headers"] or {}).get("amanat-of")
        known = self.accepted.get(of)
        if status == "ok":
            self.accepted[f"{name}/{row['log_offset']}"] = (event.agency, event.id, event.payload, event.content())
        elif status_of.get(of) != ("ok", row["agency"]) or known and known[:2] != (event.agency, event.id):
            return f"{status}, but what it names is no accepted row of the event"
        elif known and (event.content() == known[3]) != (status == "duplicate"):
            return f"{status}, but compared with its first copy it is not"
        copied = known[2] if known and status == "duplicate" else None
        if copied is not None or status != "duplicate":
            self.add(name, row["log_offset"], row["payload"], copied if copied is not None else event.payload, copied)
        if status == "duplicate":
            return None if row["payload"] is None else "a duplicate that keeps a payload"
        return self.same(row, event)

    def report(self):
        rows = ", ".join(f"{count} {status}" for status, count in sorted(self.seen.items()) if status != "bytes")
        self.findings.looked_at["I6"] = f"{self.seen['set_aside']} rows set aside, {self.seen['bytes']} with their bytes"
        self.findings.looked_at["I8"] = f"{rows}, each against its record; sum of hashes {self.sums[0]:032x}"
        if self.sums[0] != self.sums[1] and "I8" not in self.findings.breaches:
            self.findings.broken("I8", "all partitions", "the sums of hashes differ")


def rebuilt(data, amanat, findings):
    """I7: marts made anew from the events alone hold the same rows."""
    marts = sorted(Path(data, "lake", "marts").glob("*/manifest.json"))
    if not amanat or not marts:
        findings.looked_at["I7"] = "not looked at: " + ("there are no marts" if amanat else "--amanat names no program")
        return
    with tempfile.TemporaryDirectory(dir=Path(data).parent) as place:
        copy = Path(place, "copy")
        derived = shutil.ignore_patterns("marts", "staged", "LOCK*")
        shutil.copytree(data, copy, ignore=derived)
        done = subprocess.run([amanat, "--data", copy, "--log-level", "error", "refresh"], stdout=subprocess.DEVNULL)
        if done.returncode:
            findings.broken("I7", "marts", "the rebuild failed")
        again = sorted(copy.joinpath("lake", "marts").glob("*/manifest.json"))
        compared = 0
        for mart in sorted(marts[-1].parent.glob("*.parquet")):
            other = again[-1].parent / mart.name if again else Path("/nonexistent")
            compared += 1
            if not other.exists():
                findings.broken("I7", mart.stem, "rebuilding does not make it")
                continue
            query = ("SELECT count(*) FROM ((FROM read_parquet($a) EXCEPT ALL FROM read_parquet($b)) UNION ALL"
                     " (FROM read_parquet($b) EXCEPT ALL FROM read_parquet($a)))")
            (differ,) = duckdb.execute(query, {"a": str(mart), "b": str(other)}).fetchone()
            if differ:
                findings.broken("I7", mart.stem, f"{differ} rows differ from a rebuild")
        findings.looked_at["I7"] = f"{compared} marts against a rebuild from the events alone"


def hints(log, next_of, findings):
    """I4, which only Kafka knows of."""
    if log.kind != "Kafka":
        findings.looked_at["I4"] = "does not apply: the embedded log keeps no offsets of readers"
        return
    told = 0
    for stream, number in log.partitions():
        hint = log.hint(stream, number)
        if hint is not None:
            told += 1
            if hint > next_of.get(f"{log.uid}/{stream}/{number}", 0):
                findings.broken("I4", f"{stream}/{number}", f"the group is at {hint}, ahead of the table")
    findings.looked_at["I4"] = f"{told} committed offsets of the group"


def folded(values, findings):
    """The outcome of each offset that receipts tell: {partition: ({offset: exception or None}, next offset)}. What lies below the
    next offset of a partition was told before."""
    told = {}
    for at, value in enumerate(values):
        try:
            message = json.loads(value)
            if "edition" in message:
                continue
            message["exceptions"], message["to"]
        except (ValueError, KeyError, TypeError):
            findings.broken("R", f"message {at}", "neither a receipt nor an edition")
            continue
        name = f"{message['stream']}/{message['partition']}"
        outcomes, next_offset = told.get(name, ({}, message["from"]))
        exceptions = {e["offset"]: (e["status"], e["class"], e["detail"]) for e in message["exceptions"]}
        if len(message["exceptions"]) > 1000:
            findings.broken("R", name, f"a receipt with {len(message['exceptions'])} exceptions")
        if any(not message["from"] <= offset < message["to"] for offset in exceptions):
            findings.broken("R", name, f"an exception outside of {message['from']} to {message['to'] - 1}")
        outcomes |= {offset: exceptions.get(offset) for offset in range(max(next_offset, message["from"]), message["to"])}
        told[name] = outcomes, max(next_offset, message["to"])
    return told


def receipts(log, table, rows, next_of, skips, findings):
    """R (ingestion.md 3.4): what agencies were told, folded, is what the table says; and the table claims no more than was told."""
    values, whole = log.receipts()
    if not values:
        findings.looked_at["R"] = "does not apply: nobody was told anything"
        return
    told, seen = folded(values, findings), Counter()
    if not whole:
        findings.looked_at["R"] = "not looked at: the stream of receipts has lost its beginning"
        return
    for partition in sorted(told):
        outcomes, end = told[partition]
        of = {row["log_offset"]: row for row in rows.get(partition, [])}
        if end > next_of.get(partition, 0):
            findings.broken("R", partition, f"told of up to {end}, and in the table up to {next_of.get(partition)}")
        wrong, nowhere = [], [o for o, exception in outcomes.items() if o not in of and (exception or skips.has(partition, o))]
        for offset, row in of.items():
            side = row["_status"] in ("set_aside", "duplicate", "conflict")
            says = (row["_status"], row["_error_class"], row["_error_detail"]) if side else None
            if offset >= end:
                seen["not yet"] += 1
            elif offset not in outcomes or outcomes[offset] != says:
                wrong.append(offset)
            else:
                seen["exceptions" if side else "accepted"] += 1
        for offsets, what in [(wrong, "told otherwise than the rows say"), (nowhere, "told of and without a row")]:
            if offsets:
                findings.broken("R", partition, f"{span(offsets)} {what}")
    claimed = {}
    for commit in table.commits():
        for partition, offset in commit.receipted.items():
            if offset < claimed.get(partition, 0):
                findings.broken("R", f"version {commit.version}, {partition}", f"receipts went from {claimed[partition]} to {offset}")
            claimed[partition] = offset
    for partition, offset in claimed.items():
        first = min((row["log_offset"] for row in rows.get(partition, [])), default=offset)
        if offset > max(first, told.get(partition, ({}, 0))[1]):
            findings.broken("R", partition, f"the table claims receipts up to {offset}, and they were not sent")
    later = f", {seen['not yet']} not told of yet" if seen["not yet"] else ""
    findings.looked_at["R"] = (f"{len(values)} messages to agencies: {seen['accepted']} rows accepted and {seen['exceptions']} exceptions,"
                               f" as the table has them{later}")


def check(data, log, amanat=None):
    findings = Findings()
    table = Table(data)
    keys = Keys(Path(os.environ.get("AMANAT_MASTER_KEY_FILE", Path(data, "keys", "master"))).read_bytes())
    partitions = log.partitions()
    missing = {}

    def of_log(partition):
        """Stream and number of a partition of this log, and its generation; None of another log's, a file's, a replay's."""
        uid, _, rest = partition.partition("/")
        (one, _, generation), (other, _, _) = uid.rpartition("#"), log.uid.rpartition("#")
        stream, _, number = rest.rpartition("/")
        return (stream, int(number), int(generation)) if one == other and generation.isdigit() else None

    def absent(partition):
        """Offsets that the log does not hold: Kafka's markers and what was compacted. Below the low watermark nobody knows."""
        if log.kind != "Kafka" or not of_log(partition):
            return ()
        if partition not in missing:
            stream, number, _ = of_log(partition)
            low, high = partitions.get((stream, number), (0, 0))
            held = {record[0] for record in log.records(stream, number, high)}
            missing[partition] = set(range(low, high)) - held
        return missing[partition]

    next_of, start, skips = history(table, findings, absent)
    rows = table.rows()
    offsets_once(rows, next_of, start, skips, absent, findings)
    hints(log, next_of, findings)
    receipts(log, table, rows, next_of, skips, findings)
    findings.looked_at["I5"] = "is the program's own to keep: metrics and the figure of memory speak of it"
    compared = Compared(keys, findings)
    log_name, _, newest = log.uid.rpartition("#")
    begun = {of_log(partition)[2] for partition in skips.begun if of_log(partition)}
    for (stream, number), (low, high) in sorted(partitions.items()):
        # An earlier generation is of the same records if a reset began the next one; else the stream was another one.
        earlier = [g for g in range(int(newest)) if all(later in begun for later in range(g + 1, int(newest) + 1))]
        for generation in [*earlier, int(newest)]:
            name = f"{log_name}#{generation}/{stream}/{number}"
            end = next_of.get(name, low)
            if end > high:
                findings.broken("I8", name, f"the table is at {end}, beyond the log's end {high}")
            compared.partition(name, rows.get(name, []), log.records(stream, number, end))
    status_of = {f"{name}/{row['log_offset']}": (row["_status"], row["agency"]) for name, of in rows.items() for row in of}
    compared.replays("replay/v1/0", rows.get("replay/v1/0", []), status_of)
    compared.report()
    rebuilt(data, amanat, findings)
    findings.looked_at = dict(sorted(findings.looked_at.items()))
    return findings


def fetched(data, url, place):
    """A data directory in `place` with the log and key of `data` and the lake of a bucket, fetched by Arrow's own S3 client."""
    endpoint = os.environ.get("AMANAT_LAKE__ENDPOINT", "")
    scheme, _, host = endpoint.rpartition("://")
    bucket = fs.S3FileSystem(**({"endpoint_override": host, "scheme": scheme} if endpoint else {}))
    fs.copy_files(url.removeprefix("s3://").rstrip("/"), str(place), source_filesystem=bucket)
    for source in [Path(data, "keys"), *Path(data).glob("log.db*")]:
        if source.is_dir():
            shutil.copytree(source, place / source.name)
        elif source.exists():
            shutil.copy(source, place)
    return place


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="the data directory")
    parser.add_argument("--kafka", metavar="BOOTSTRAP", help="read the log from Kafka instead of <data>/log.db")
    parser.add_argument("--generation", type=int, default=0, help="`log.generation` of the configuration, with --kafka")
    parser.add_argument("--group", default="amanat", help="the group that is told of progress, with --kafka")
    parser.add_argument("--amanat", metavar="PROGRAM", help="the program, for the rebuild of I7")
    parser.add_argument("--lake", metavar="URL", help="the lake is in this bucket (s3://bucket/prefix); endpoint and keys by AMANAT_LAKE__ENDPOINT and AWS_*")
    args = parser.parse_args()
    log = KafkaLog(args.kafka, args.generation, args.group) if args.kafka else SqliteLog(Path(args.data, "log.db"))
    if not args.lake:
        return check(args.data, log, args.amanat).report()
    with tempfile.TemporaryDirectory(dir=Path(args.data).parent) as place:
        return check(fetched(args.data, args.lake, Path(place, "fetched")), log, args.amanat).report()


if __name__ == "__main__":
    sys.exit(main())
