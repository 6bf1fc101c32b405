"""DuckDB reads the events as NDJSON and writes them as Parquet: peer.py NDJSON PARQUET. Prints the number of rows.

An upper bound and no peer: nothing is checked, sealed or looked up, nothing is synced, and a second run writes all again.
"""

import sys

import duckdb

source, target = sys.argv[1:]
names = "id source type subject dataschema".split()
columns = {name: "VARCHAR" for name in names} | {"time": "TIMESTAMPTZ", "data": "JSON"}
db = duckdb.connect()
db.execute("SET threads = 2")
db.execute(
    f"COPY (SELECT * FROM read_json($source, format = 'newline_delimited', columns = {columns})) "
    "TO $target (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
    {"source": source, "target": target},
)
print(db.execute("SELECT count(*) FROM read_parquet($target)", {"target": target}).fetchone()[0])
