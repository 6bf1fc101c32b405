"""The table `events`: its commits, read from the Delta log line by line, and its rows, read by DuckDB from the files that the
package `deltalake` says are active."""

import json
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pyarrow.parquet as parquet
from deltalake import DeltaTable


class Commit:
    def __init__(self, version, actions):
        self.version = version
        self.next, self.claims, self.receipted, self.adds, self.info = {}, {}, {}, [], {}
        for action in actions:
            if (txn := action.get("txn")):
                kind, _, partition = txn["appId"].partition("/v1/")
                kinds = {"in": self.next, "claim": self.claims, "receipt": self.receipted}
                kinds.get(kind, {})[partition] = txn["version"]
            if (add := action.get("add")) and add["dataChange"]:
                self.adds.append(unquote(add["path"]))
            self.info |= action.get("commitInfo", {})
        self.writer = self.info.get("writer_id")
        self.is_claim = "claims" in self.info and not self.adds and not self.next
        self.reset = self.info.get("reset")


class Table:
    def __init__(self, data):
        self.path = Path(data, "lake", "events")
        self.delta = DeltaTable(str(self.path))

    def commits(self):
        """Every commit that the log still has, oldest first."""
        names = sorted(self.path.joinpath("_delta_log").glob("*.json"))
        for name in names:
            if re.fullmatch(r"\d{20}", name.stem):
                yield Commit(int(name.stem), map(json.loads, name.read_text().splitlines()))

    def rows_of(self, commit):
        """{partition: sorted [(offset, claim, writer, batch)]} of the files that a commit added; None when one is gone."""
        rows = defaultdict(list)
        for path in commit.adds:
            if not self.path.joinpath(path).exists():
                return None
            columns = ["log_stream", "log_partition", "log_offset", "claim", "writer_id", "batch_id"]
            read = parquet.ParquetFile(self.path / path).read(columns).to_pydict()
            for stream, number, *rest in zip(*(read[column] for column in columns)):
                rows[f"{stream}/{number}"].append(tuple(rest))
        return {partition: sorted(found) for partition, found in rows.items()}

    def rows(self):
        """{partition: rows in order of offset} of the newest version; a row is a dict."""
        files = self.delta.file_uris()
        columns = ("log_stream, log_partition, log_offset, _status, _error_class, _error_detail, event_id, record_id, event_type, schema_id,"
                   " agency, epoch_us(recorded_at) recorded_at, payload, headers, subject_refs, link_refs")
        query = f"SELECT {columns} FROM read_parquet(?, hive_partitioning = true) ORDER BY 1, 2, 3"
        found = defaultdict(list)
        if files:
            relation = duckdb.connect().execute(query, [files])
            names = [column[0] for column in relation.description]
            while batch := relation.fetchmany(20_000):
                for row in batch:
                    row = dict(zip(names, row))
                    found[f"{row['log_stream']}/{row['log_partition']}"].append(row)
        return found
