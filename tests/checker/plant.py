"""Does the checker catch what it is for? Damages copies of a store by commits and files of its own making, one kind at a time,
and expects the checker to name the invariant that each breaks; and does what an operator may, and expects no objection."""

import io
import json
import shutil
import sqlite3
import struct
import sys
import tempfile
import zlib
from contextlib import closing, redirect_stdout
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from check import check
from log import ABSENT, RECEIPTS, SqliteLog
from table import Table


class Damaged:
    """A copy of a store that takes commits without any of the rules."""

    def __init__(self, store, place):
        for source in [Path(store, "lake", "events"), Path(store, "keys"), *Path(store).glob("log.db*")]:
            target = place / source.relative_to(store)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
        self.data = place
        self.table = Table(place)
        self.events = self.table.path

    def commit(self, *actions):
        version = 1 + max(commit.version for commit in self.table.commits())
        lines = "\n".join(json.dumps(action) for action in actions)
        self.events.joinpath("_delta_log", f"{version:020}.json").write_text(lines)

    def txn(self, kind, lower):
        """A transaction of some partition that is lower than the last one."""
        for commit in reversed(list(self.table.commits())):
            for partition, last in getattr(commit, "next" if kind == "in" else "claims").items():
                if last > 1 or kind == "claim":
                    return {"txn": {"appId": f"{kind}/v1/{partition}", "version": last - lower}}
        raise SystemExit("the store holds too little to be damaged")

    def file(self, lane):
        """The largest file of a lane: its path and its rows."""
        paths = [path for commit in self.table.commits() for path in commit.adds if f"_lane={lane}" in path]
        path = max(paths, key=lambda path: self.events.joinpath(path).stat().st_size)
        return path, parquet.ParquetFile(self.events / path).read()

    def add(self, like, rows, data_change):
        path = like.rsplit("/", 1)[0] + "/part-damaged.parquet"
        parquet.write_table(rows, self.events / path)
        values = dict(part.split("=", 1) for part in like.split("/")[:-1])
        return {"add": {"path": path, "partitionValues": values, "size": self.events.joinpath(path).stat().st_size,
                        "modificationTime": 0, "dataChange": data_change, "stats": json.dumps({"numRecords": len(rows)})}}

    def rewrite(self, lane, change):
        path, rows = self.file(lane)
        removed = {"remove": {"path": path, "deletionTimestamp": 0, "dataChange": False}}
        self.commit(removed, self.add(path, change(rows), False))


def replaced(rows, column, at, value):
    values = rows[column].to_pylist()
    values[at] = value
    return rows.set_column(rows.schema.get_field_index(column), rows.schema.field(column), pa.array(values, rows[column].type))


def doubled_row(store):
    path, rows = store.file("main")
    store.commit(store.add(path, rows.slice(0, 1), True))


def missing_offset(store):
    store.rewrite("main", lambda rows: rows.slice(1))


def backward(store):
    store.commit(store.txn("in", 1))


def lower_claim(store):
    store.commit(store.txn("claim", 1), {"commitInfo": {"writer_id": "zombie", "claims": {}}})


def changed_payload(store):
    def change(rows):
        at = pc.index(pc.is_valid(rows["payload"]), True).as_py()
        payload = bytearray(rows["payload"][at].as_py())
        payload[-2] ^= 1
        return replaced(rows, "payload", at, bytes(payload))

    store.rewrite("main", change)


def txn(partition, version):
    return {"txn": {"appId": f"in/v1/{partition}", "version": version}}


def move(partition, old, new):
    stream, _, number = partition.rpartition("/")
    return {"partition": {"log_stream": stream, "partition": int(number)}, "from": old, "to": new}


def reset(reason, *moves):
    return {"commitInfo": {"writer_id": "operator", "reset": {"operator": "someone", "reason": reason, "moves": list(moves)}}}


def longer_log(store):
    """A partition that has been read to its end, the log of which has two more offsets now: it and its next offset."""
    with closing(sqlite3.connect(store.data / "log.db")) as log, log:
        stream, number, high = log.execute("SELECT stream, number, high FROM partitions WHERE stream LIKE 'tip.events.%'"
                                           " ORDER BY high DESC").fetchone()
        log.execute("UPDATE partitions SET high = high + 2 WHERE stream = ? AND number = ?", (stream, number))
    return f"{SqliteLog(store.data / 'log.db').uid}/{stream}/{number}", high


def unaudited_gap(store):
    partition, next_offset = longer_log(store)
    store.commit(txn(partition, next_offset + 2))


def reset_without_a_reason(store):
    partition, at = longer_log(store)
    store.commit(txn(partition, at + 2), reset("", move(partition, at, at + 2)))


def reset_of_more_than_it_says(store):
    partition, at = longer_log(store)
    store.commit(txn(partition, at + 2), reset("a reason", move(partition, at, at + 1)))


def replay_of_an_accepted_row(store):
    path, rows = store.file("main")
    row = rows.slice(0, 1)
    place = "/".join(str(row[column][0]) for column in ("log_stream", "log_partition", "log_offset"))
    for column, value in [("log_stream", "replay/v1"), ("log_partition", 0), ("headers", [("amanat-replay-of", place)])]:
        row = replaced(row, column, 0, value)
    store.commit(store.add(path, row, True), txn("replay/v1/0", row["log_offset"][0].as_py() + 1))


def audited_skip(store):
    partition, at = longer_log(store)
    store.commit(txn(partition, at + 2), reset("a reason", move(partition, at, at + 2)))


def new_generation(store):
    """Begun by a reset: one partition starts at its first offset again, the others go on."""
    ends = {}
    for commit in store.table.commits():
        ends |= commit.next
    with closing(sqlite3.connect(store.data / "log.db")) as log, log:
        log.execute("UPDATE log SET generation = generation + 1")
    new = SqliteLog(store.data / "log.db").uid
    old = f"{new.rpartition('#')[0]}#{int(new.rpartition('#')[2]) - 1}/"
    starts = {f"{new}/{partition.removeprefix(old)}": end for partition, end in ends.items() if partition.startswith(old)}
    starts[next(iter(starts))] = 0
    store.commit(*(txn(partition, at) for partition, at in starts.items()),
                 reset("a reason", *(move(partition, None, at) for partition, at in starts.items())))


def set_aside_without_bytes(store):
    store.rewrite("side", lambda rows: replaced(rows, "payload", rows["_status"].to_pylist().index("set_aside"), None))


class Receipts:
    """The stream of receipts of a copy, which may be changed: its messages in one batch of the log's form (frame.rs)."""

    def __init__(self, store):
        self.path = store.data / "log.db"
        values, _ = SqliteLog(self.path).receipts()
        self.messages = [json.loads(value) for value in values]

    def some(self, holds):
        return next(message for message in self.messages if "exceptions" in message and holds(message))

    def write(self):
        values = [json.dumps(message).encode() for message in self.messages]
        index = b"".join(struct.pack("<qIII", 1, ABSENT, 0, len(value)) for value in values)
        rest = struct.pack("<Iq", len(values), 0) + index + b"".join(values)
        body = b"AMB1" + struct.pack("<I", zlib.crc32(rest)) + rest
        with closing(sqlite3.connect(self.path)) as log, log:
            (partition,) = log.execute("SELECT id FROM partitions WHERE stream = ?", (RECEIPTS,)).fetchone()
            log.execute("DELETE FROM batches WHERE partition = ?", (partition,))
            log.execute("INSERT INTO batches (partition, first, next, body) VALUES (?, 0, ?, ?)", (partition, len(values), body))
            log.execute("UPDATE partitions SET high = ? WHERE id = ?", (len(values), partition))


def rejection_told_as_accepted(store):
    receipts = Receipts(store)
    receipts.some(lambda message: message["exceptions"])["exceptions"].pop()
    receipts.write()


def reason_told_otherwise(store):
    receipts = Receipts(store)
    receipts.some(lambda message: message["exceptions"])["exceptions"][0]["class"] = "of another kind"
    receipts.write()


def receipts_lost(store):
    """Those of one partition, though the table has claimed since that they were sent."""
    receipts = Receipts(store)
    gone = receipts.some(lambda message: message["to"] > message["from"] + 1)
    receipts.messages = [m for m in receipts.messages if (m.get("stream"), m.get("partition")) != (gone["stream"], gone["partition"])]
    receipts.write()
    store.commit({"txn": {"appId": f"receipt/v1/{gone['stream']}/{gone['partition']}", "version": gone["to"]}})


def receipts_twice(store):
    """As after a crash: in the order of their sending."""
    receipts = Receipts(store)
    receipts.messages = [message for message in receipts.messages for _ in range(2)] + receipts.messages[-1:]
    receipts.write()


PLANTED = {doubled_row: "I1", missing_offset: "I1", backward: "I2", lower_claim: "I3", changed_payload: "I8",
           set_aside_without_bytes: "I6", unaudited_gap: "I1", reset_without_a_reason: "I2", reset_of_more_than_it_says: "I2",
           replay_of_an_accepted_row: "I8", rejection_told_as_accepted: "R", reason_told_otherwise: "R", receipts_lost: "R"}
# What an operator may do: nothing is to be found.
PERMITTED = [audited_skip, new_generation, receipts_twice]


def main(store):
    missed = 0
    for damage, invariant in PLANTED.items():
        with tempfile.TemporaryDirectory() as place:
            damaged = Damaged(store, Path(place))
            damage(damaged)
            findings = check(place, SqliteLog(Path(place, "log.db")))
            with redirect_stdout(io.StringIO()):
                status = findings.report()
            caught = status == 1 and invariant in findings.breaches
            missed += not caught
            where = findings.breaches.get(invariant, ["not caught"])[0]
            print(f"{damage.__name__}: {invariant if caught else 'MISSED'}: {where}")
    for change in PERMITTED:
        with tempfile.TemporaryDirectory() as place:
            changed = Damaged(store, Path(place))
            change(changed)
            findings = check(place, SqliteLog(Path(place, "log.db")))
            missed += bool(findings.breaches)
            print(f"{change.__name__}: {'REFUSED: ' + str(findings.breaches) if findings.breaches else 'permitted'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
