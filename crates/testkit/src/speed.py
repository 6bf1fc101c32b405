"""Times a GROUP BY in DuckDB. Reads one JSON object on standard input, prints one.

in:  {"threads", "runs", "sql"}
out: {"version", "seconds": [of each run], "rows": n}
"""

import json
import sys
import time

import duckdb

job = json.load(sys.stdin)
db = duckdb.connect(config={"threads": job["threads"]})
db.execute("SET enable_progress_bar = false")  # it would be drawn where the answer is written
seconds, rows = [], 0
for _ in range(job["runs"]):
    began = time.monotonic()
    rows = len(db.execute(job["sql"]).fetchall())
    seconds.append(round(time.monotonic() - began, 4))
print(json.dumps({"version": duckdb.__version__, "seconds": seconds, "rows": rows}))
