"""Runs a fold in DuckDB and compares its tables with marts. Reads one JSON object on standard input, prints one.

in:  {"threads", "runs", "views": [sql], "forms": {name: [[table, sql]]}, "marts": {table: file}, "apart": [columns]}
out: {"version", "seconds": {form: [of each run]}, "rows": {table: n}, "different": {form: {table: rows on one side only}}}
"""

import json
import sys
import time

import duckdb


def fold(job, form):
    """A connection in which every table of the form has been made, and the seconds that took."""
    db = duckdb.connect(config={"threads": job["threads"]})
    db.execute("SET enable_progress_bar = false")  # it would be drawn where the answer is written
    for view in job["views"]:
        db.execute(view)
    began = time.monotonic()
    for table, sql in job["forms"][form]:
        db.execute(sql)
    return db, time.monotonic() - began


def different(db, table, file, apart):
    """Rows that only one side has. Columns that are keyed surrogates in the mart are left out; a mart keeps days as numbers."""
    theirs = {row[0]: row[1] for row in db.execute(f'DESCRIBE "{table}"').fetchall()}
    described = db.execute(f"DESCRIBE SELECT * FROM read_parquet('{file}')").fetchall()
    columns = [row[0] for row in described if row[0] in theirs and row[0] not in apart]
    plain = [f"{c} - DATE '1970-01-01' AS {c}" if theirs[c] == "DATE" else c for c in columns]
    mine = f"SELECT {', '.join(columns)} FROM read_parquet('{file}')"
    made = f"SELECT {', '.join(plain)} FROM \"{table}\""
    both = f"(({mine}) EXCEPT ALL ({made})) UNION ALL (({made}) EXCEPT ALL ({mine}))"
    return db.execute(f"SELECT count(*) FROM ({both})").fetchone()[0]


def main():
    job = json.load(sys.stdin)
    seconds, found, rows = {}, {}, {}
    for form in job["forms"]:
        seconds[form] = []
        for _ in range(job["runs"]):
            db, took = fold(job, form)
            seconds[form].append(round(took, 3))
        found[form] = {t: different(db, t, file, job["apart"]) for t, file in job["marts"].items()}
        rows = {t: db.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in job["marts"]}
    print(json.dumps({"version": duckdb.__version__, "seconds": seconds, "rows": rows, "different": found}))


main()
