"""Real clients of Arrow Flight SQL against a running Amanat: each connects with a key, lists tables with their schemas, asks with a
typed parameter, is refused with a code and a hint, and ends a question that runs, so that its CPU is free.

    check.py --host H --port P --pid PID --key-file F --java CLASSPATH [--guide FILE] [CLIENT…]

Prints a table, then `N of N clients`. With --guide, the blocks `python elsewhere` of that file that use ADBC are run too.
"""

import argparse
import os
import re
import subprocess
import sys
import warnings

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from watched import LONG, STEPS, Server, arguments, need, table  # noqa: E402

TYPED = "select province, count(*) as n from victims where year = {} and sex = {} group by province order by province"
REFUSED = "select * from victims"
HINT = "Hint: Write count(*), with GROUP BY"
CODE = "PRIV-1003"
# What the schema of published.v01 says of itself and of its column province.
TABLE_COMMENT, COLUMN_COMMENT = "Victims identified", "codes in reference.province"
# The address that the guide shows.
SHOWN = "127.0.0.1:8815"


def adbc(server):
    import adbc_driver_flightsql.dbapi as driver

    address = f"grpc://{server.host}:{server.port}"

    def connect(**more):
        return driver.connect(address, db_kwargs=more, autocommit=True)

    for nobody in ({}, {"username": "public", "password": ""}):
        with connect(**nobody) as connection, connection.cursor() as cursor:
            cursor.execute("select code from reference.province")
            need(len(cursor.fetchall()) > 3, "public")
    try:
        connect(username="analyst", password=server.key + "0")
        need(False, "a wrong key")
    except driver.Error as error:
        need("no key and no password that is known" in str(error), error)
    with connect(**{"adbc.flight.sql.authorization_header": f"Bearer {server.key}"}) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from victims where year = 2024")
        need(cursor.fetchone()[0] > 0, "a bearer")
    with connect(username="analyst", password=server.key) as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        need(cursor.fetchone() == (1,), "select 1")
        need(connection.adbc_get_info()["vendor_name"] == "Amanat", connection.adbc_get_info())
        yield "connect"
        objects = connection.adbc_get_objects(depth="all", db_schema_filter="publ%", table_name_filter="v0_").read_all()
        need("'v01'" in str(objects.to_pylist()) and "'province'" in str(objects.to_pylist()), objects.to_pylist())
        schema = connection.adbc_get_table_schema("v01", db_schema_filter="published")
        need(TABLE_COMMENT in schema.metadata[b"comment"].decode(), schema.metadata)
        need(COLUMN_COMMENT in schema.field("province").metadata[b"comment"].decode(), schema.field("province").metadata)
        need(sorted(connection.adbc_get_table_types()) == ["SYSTEM TABLE", "TABLE"], connection.adbc_get_table_types())
        yield "tables"
        for mark in (["?", "?"], ["$1", "$2"]):
            promised = cursor.adbc_execute_schema(TYPED.format(2024, "'F'"))
            cursor.execute(TYPED.format(*mark), (2024, "F"))
            table = cursor.fetch_arrow_table()
            need("PK-PB" in table["province"].to_pylist() and table.schema.equals(promised), table.schema)
        need(table.schema.metadata[b"amanat.notice"].startswith(b"SYNTHETIC"), table.schema.metadata)
        cursor.execute("select * from published.indicator_values")
        need(cursor.fetch_arrow_table().num_rows > 10_000, "many rows")
        header = {"adbc.flight.sql.rpc.call_header.amanat-companions": "true"}
        with connect(username="analyst", password=server.key, **header) as other, other.cursor() as companions:
            companions.execute(TYPED.format("?", "?"), (2024, "F"))
            need("n_lo95" in companions.fetch_arrow_table().column_names, "companions")
        yield "typed"
        try:
            cursor.execute(REFUSED)
            need(False, "answered")
        except driver.Error as error:
            need(CODE in str(error) and HINT in str(error), error)
            details = dict(error.details)
            need(details.get("amanat-code", CODE.encode()) == CODE.encode(), details)
        yield "refusal"

        def run():
            cursor.execute(LONG)
            cursor.fetchall()

        yield server.ended(run, cursor.adbc_cancel)


def jdbc(server):
    """Prints a line for each step, `run` before the long question, and ends it on `end`."""
    need(server.java, "no class path: --java")
    command = ["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", server.java, "Jdbc"]
    arguments = [server.host, str(server.port), server.key, TYPED.format("{}", "{}"), REFUSED, LONG]
    process = subprocess.Popen(command + arguments, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = []

    def line():
        text = process.stdout.readline().strip()
        if not text:
            raise AssertionError(f"it ended after {said}: {process.stderr.read()[-2000:]}")
        said.append(text)
        return text

    for step in STEPS[:4]:
        need(line() == step, said)
        yield step
    need(line() == "run", said)

    def wait():
        raise RuntimeError(line())

    def cancel():
        process.stdin.write("end\n")
        process.stdin.flush()

    yield server.ended(wait, cancel)
    process.stdin.close()
    process.wait(30)


CLIENTS = {"ADBC (Python)": adbc, "JDBC": jdbc}


def guide(server, paper):
    """Runs what the guide shows, as it is shown but for the address."""
    text = open(paper).read()
    blocks = [block for block in re.findall(r"```python elsewhere\n(.*?)```", text, re.S) if "adbc_driver_flightsql" in block]
    need(blocks, f"{paper} shows nothing for ADBC")
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(server.key_file))))
    for block in blocks:
        block = block.replace(SHOWN, f"{server.host}:{server.port}")
        done = subprocess.run([sys.executable, "-c", block], cwd=folder, text=True, capture_output=True)
        need(done.returncode == 0 and done.stdout, f"{paper}: {done.stderr[-2000:]}")
    print(f"{len(blocks)} block(s) of {os.path.basename(paper)} did what they say")


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    arguments(parser)
    parser.add_argument("--guide")
    args = parser.parse_args()
    server = Server(args)
    passed = table(server, CLIENTS, args.clients or list(CLIENTS))
    if args.guide:
        guide(server, args.guide)
    sys.exit(not passed)


main()
