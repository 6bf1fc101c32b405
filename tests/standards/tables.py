"""JSON-stat, CSV, Parquet and Arrow: each value, interval and status is that of the API."""

import csv
import hashlib
import io
import json
import os
import subprocess
from pathlib import Path

import pyarrow.ipc
import pyarrow.parquet

from asking import WORK, check, equal, get, indicators, rows

HERE = Path(__file__).parent


def expected(indicator):
    found = {}
    for row in rows(f"/v1/indicators/{indicator}/data"):
        key = tuple(value for name, value in row.items() if name not in ("value", "lo95", "hi95", "obs_status", "conf_status", "unit"))
        found[key] = tuple(row[name] for name in ("value", "lo95", "hi95", "obs_status", "conf_status", "unit"))
    return found


@check("JSON-stat 2.0 is read by jsonstat-toolkit, with every status")
def jsonstat():
    path = f"{WORK}/jsonstat.json"
    count = 0
    for indicator in indicators():
        body, _ = get(f"/v1/indicators/{indicator}/data?format=jsonstat")
        Path(path).write_bytes(body)
        read = json.loads(subprocess.run(["node", HERE / "jsonstat.js", path], check=True, capture_output=True, text=True).stdout)
        found = {tuple(key): tuple(cell) for key, cell in read}
        equal(indicator, {key: (*cell[:5], cell[5]) for key, cell in expected(indicator).items()}, found)
        count += len(found)
    return f"{count} cells"


def plain(value):
    return None if value is None else float(value) if not isinstance(value, str) else value


def of_table(table):
    names = [name for name in table.column_names if name not in ("edition", "indicator", "as_of")]
    keys = [name for name in names if name not in ("value", "lo95", "hi95", "obs_status", "conf_status", "unit")]
    found = {}
    for row in table.to_pylist():
        found[tuple(row[name] for name in keys)] = tuple(plain(row[name]) for name in ("value", "lo95", "hi95", "obs_status", "conf_status", "unit"))
    return found


def as_floats(observations):
    return {key: tuple(plain(value) for value in cell) for key, cell in observations.items()}


@check("Parquet and Arrow are read by pyarrow, and their values are those of the API")
def arrow():
    for indicator in indicators():
        wanted = as_floats(expected(indicator))
        parquet, _ = get(f"/v1/indicators/{indicator}/data", "application/vnd.apache.parquet")
        equal(f"{indicator} as Parquet", wanted, of_table(pyarrow.parquet.read_table(io.BytesIO(parquet))))
        stream, _ = get(f"/v1/indicators/{indicator}/data?format=arrow")
        equal(f"{indicator} as Arrow", wanted, of_table(pyarrow.ipc.open_stream(stream).read_all()))


@check("CSV has as many rows and the hash that its headers say, and a byte order mark where one is asked for")
def comma_separated():
    for indicator in indicators():
        body, headers = get(f"/v1/indicators/{indicator}/data?format=csv")
        read = list(csv.DictReader(io.StringIO(body.decode())))
        assert len(read) == int(headers["amanat-rows"]), indicator
        assert hashlib.sha256(body).hexdigest() == headers["amanat-sha256"], indicator
        marked, _ = get(f"/v1/indicators/{indicator}/data?format=csv&bom=true")
        assert marked == b"\xef\xbb\xbf" + body, indicator
        links = headers.get_all("link")
        for rel in ("cite-as", "describedby", "license"):
            assert any(f'rel="{rel}"' in link for link in links), (indicator, rel)


@check("pages of an edition together are the whole")
def pages():
    whole, path, read = rows("/v1/indicators/V01/data"), "/v1/indicators/V01/data?limit=100", []
    while path:
        answer = json.loads(get(path)[0])
        names = [column["name"] for column in answer["columns"]]
        read += [dict(zip(names, row)) for row in answer["rows"]]
        path = answer["page"]["next"]
    assert read == whole, f"{len(read)} of {len(whole)}"
