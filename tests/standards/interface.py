"""The API's own description by redocly and schemathesis, conditional requests, and events."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from asking import ADDRESS, WORK, check, document, get, rows

HERE = Path(__file__).parent


@check("OpenAPI 3.1 has no error by redocly")
def openapi():
    file = Path(WORK) / "openapi.json"
    file.write_bytes(get("/openapi.json")[0])
    asked = [os.environ["REDOCLY"], "lint", "--config", HERE / "redocly.yaml", "--format=json", file]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout[done.stdout.index("{"):])
    errors = [f"{problem['message']} at {problem['location'][0].get('pointer')}" for problem in found["problems"] if problem["severity"] == "error"]
    assert not errors and found["totals"]["errors"] == 0, errors[:5]
    return f"{len(document('/openapi.json')['paths'])} paths"


@check("no generated request has an answer that the description does not have (schemathesis)")
def generated():
    examples = os.environ.get("EXAMPLES", "12")
    # What is valid and yet refused depends on codes; what is surplus is not refused everywhere: those two checks say nothing here.
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"
    asked = [sys.executable, "-m", "schemathesis.cli", "run", f"{ADDRESS}/openapi.json", "--checks", checks, "--max-examples", examples, "--phases", "examples,coverage,fuzzing",
             "--exclude-path", "/v1/events", "--seed", "1", "--generation-database", "none", "--no-color", "--request-timeout", "30"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=WORK)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-500:]
    found = re.search(r"(\d+) generated", done.stdout)
    return f"{found.group(1)} requests" if found else None


@check("who has an answer is told so in every form, whatever a cache on the way did to its tag")
def conditional():
    for path in ("/v1/indicators/V01/data?format=csv", "/v1/indicators/V01/data?format=jsonstat", "/sdmx/v2/data/dataflow/AMANAT/V01",
                 "/v1/editions/1/archive.zip", "/v1/feed.atom", "/v1/indicators/V01/revisions"):
        tags = set()
        for coding in ("identity", "gzip", "br", "zstd"):
            request = urllib.request.Request(ADDRESS + path, headers={"accept-encoding": coding})
            with urllib.request.urlopen(request) as answer:
                tag = answer.headers["etag"]
            assert tag and not tag.startswith("W/"), path
            tags.add(tag)
            again = urllib.request.Request(ADDRESS + path, headers={"accept-encoding": coding, "if-none-match": f"W/{tag}"})
            try:
                urllib.request.urlopen(again)
            except urllib.error.HTTPError as error:
                assert error.code == 304 and error.headers["etag"] == tag, path
            else:
                raise AssertionError(f"{path} was sent again")
        assert len(tags) == (1 if path.endswith(("zip", "atom")) and len(tags) == 1 else 4), (path, tags)


@check("revisions have every value of the latest edition")
def revisions():
    answer = document("/v1/indicators/V01/revisions")
    latest = [dict(zip(answer["columns"], row)) for row in answer["rows"] if row[answer["columns"].index("edition")] == answer["edition"]]
    # The unit is that of the indicator; all else is there.
    wanted = [{name: value for name, value in row.items() if name != "unit"} for row in rows("/v1/indicators/V01/data")]
    assert [{name: row[name] for name in wanted[0]} for row in latest] == wanted


@check("a stream of events begins with the edition that there is")
def events():
    with urllib.request.urlopen(f"{ADDRESS}/v1/events", timeout=10) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        said = {}
        while (line := stream.readline().decode().rstrip("\n")):
            name, value = line.split(": ", 1)
            said[name] = value
    assert said["event"] == "edition" and said["id"] == "1" and json.loads(said["data"])["edition"] == 1, said
