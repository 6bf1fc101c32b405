"""Real clients of PostgreSQL against a running Amanat: each connects, lists tables with their comments, asks with a typed
parameter, is refused with a hint and an SQLSTATE of its own, and ends a question that runs.

    check.py --host H --port P --pid PID --key-file F [--java CLASSPATH] [--node NODE_MODULES] [--all] [CLIENT…]

Prints a table, then `N of N clients`. What a client itself cannot do the table says in the place of `yes`: pg8000 and RPostgreSQL
cannot cancel and are ended by their time limit, connectorx can do neither; ODBC's driver shows no hint, RPostgreSQL no SQLSTATE. A
client whose part is not installed is a failure.
"""

import argparse
import asyncio
import datetime
import decimal
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from watched import LONG, STEPS, Server, arguments, need, table  # noqa: E402

TYPED = "select province, count(*) as n from victims where year = {} and sex = {} group by province order by province"
REFUSED = "select * from victims"
HINT = "Write count(*), with GROUP BY"
CODE = "PV003"
# What a comment of published.v01 and of its column province must say.
TABLE_COMMENT, COLUMN_COMMENT = "Victims identified", "codes in reference.province"


class Postgres(Server):
    def __init__(self, args):
        super().__init__(args)
        self.node = args.node

    def url(self, driver=""):
        return f"postgresql{driver}://analyst:{self.key}@{self.host}:{self.port}/amanat"


def psql(server):
    def run(*commands, **more):
        arguments = ["psql", "-X", "-A", "-t", "-v", "VERBOSITY=verbose", "-h", server.host, "-p", str(server.port), "-U", "analyst"]
        arguments += ["amanat"] + [part for command in commands for part in ("-c", command)]
        return subprocess.Popen(arguments, env={**os.environ, "PGPASSWORD": server.key}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def say(*commands):
        process = run(*commands)
        return process.communicate()

    need(say("select 1")[0].strip() == "1", "select 1")
    yield "connect"
    out, error = say("\\dt+ published.*", "\\d+ published.v01", "\\df", "\\du", "\\l", "\\dn+")
    need(TABLE_COMMENT in out and COLUMN_COMMENT in out, out + error)
    need("ERROR" not in error, error)
    yield "tables"
    out, error = say("prepare q as " + TYPED.format("$1", "$2"), "execute q(2024, 'F')")
    need("PK-PB|" in out, out + error)
    yield "typed"
    out, error = say(REFUSED)
    need(f"ERROR:  {CODE}:" in error and HINT in error, error)
    yield "refusal"
    running = []

    def wait():
        running.append(run(LONG))
        out, error = running[0].communicate()
        raise RuntimeError(error or out)

    yield server.ended(wait, lambda: running[0].send_signal(2))


def psycopg3(server):
    import psycopg

    with psycopg.connect(server.url()) as connection:
        need(connection.execute("select 1").fetchone() == (1,), "select 1")
        yield "connect"
        rows = connection.execute(
            "select c.relname, obj_description(c.oid, 'pg_class'), col_description(c.oid, a.attnum) "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid "
            "where n.nspname = %s and c.relname = %s and a.attname = %s", ("published", "v01", "province")).fetchall()
        need(TABLE_COMMENT in rows[0][1] and COLUMN_COMMENT in rows[0][2], rows)
        yield "tables"
        cursor = connection.cursor(binary=True)
        rows = cursor.execute(TYPED.format("%s", "%s"), (2024, "F")).fetchall()
        need(any(row[0] == "PK-PB" and isinstance(row[1], int) for row in rows), rows)
        with connection.cursor("named") as named:
            named.execute("select code from reference.province order by code")
            need(len(named.fetchmany(3)) == 3 and len(named.fetchall()) > 3, "a named cursor")
        with connection.cursor().copy("copy (select time_period, value from published.v01 limit 2) to stdout (format binary)") as copy:
            copy.set_types(["text", "numeric"])
            need(len(list(copy.rows())) == 2, "a binary copy")
        yield "typed"
        try:
            connection.execute(REFUSED)
            need(False, "answered")
        except psycopg.Error as error:
            need(error.sqlstate == CODE and HINT in error.diag.message_hint, error)
        connection.rollback()
        yield "refusal"
        yield server.ended(lambda: connection.execute(LONG), connection.cancel)
        connection.rollback()


def psycopg2(server):
    import psycopg2 as driver

    connection = driver.connect(server.url())
    cursor = connection.cursor()
    cursor.execute("select 1")
    yield "connect"
    cursor.execute("select table_name from information_schema.tables where table_schema = %s order by 1", ("published",))
    need(("v01",) in cursor.fetchall(), "tables")
    cursor.execute("select obj_description('published.v01'::regclass), col_description('published.v01'::regclass, 1)")
    need(TABLE_COMMENT in cursor.fetchone()[0], "a comment")
    yield "tables"
    cursor.execute(TYPED.format("%s", "%s"), (2024, "F"))
    need(any(row[0] == "PK-PB" and isinstance(row[1], int) for row in cursor.fetchall()), "typed")
    yield "typed"
    try:
        cursor.execute(REFUSED)
        need(False, "answered")
    except driver.Error as error:
        need(error.pgcode == CODE and HINT in error.diag.message_hint, error)
    connection.rollback()
    yield "refusal"
    yield server.ended(lambda: cursor.execute(LONG), connection.cancel)


def asyncpg(server):
    import asyncpg as driver

    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(driver.connect(server.url()))
    do = loop.run_until_complete
    need(do(connection.fetchval("select 1")) == 1, "select 1")
    yield "connect"
    row = do(connection.fetchrow(
        "select obj_description($1::regclass, 'pg_class'), array_agg(attname order by attnum) from pg_attribute "
        "where attrelid = $1::regclass and attnum > 0", "published.v01"))
    need(TABLE_COMMENT in row[0] and "province" in row[1], row)
    yield "tables"
    rows = do(connection.fetch(TYPED.format("$1", "$2"), 2024, "F"))
    need(any(row["province"] == "PK-PB" and isinstance(row["n"], int) for row in rows), rows)
    yield "typed"
    try:
        do(connection.fetch(REFUSED))
        need(False, "answered")
    except driver.PostgresError as error:
        need(error.sqlstate == CODE and HINT in error.hint, error)
    yield "refusal"
    tasks = []

    async def run():
        tasks.append(asyncio.current_task())
        await connection.fetch(LONG)

    def wait():
        try:
            loop.run_until_complete(run())
        except asyncio.CancelledError as cancelled:
            # The request goes on a connection of its own, which closing waits for.
            loop.run_until_complete(connection.close(timeout=10))
            raise RuntimeError("cancelled") from cancelled

    yield server.ended(wait, lambda: loop.call_soon_threadsafe(tasks[0].cancel))


def sqlalchemy(server):
    import pandas
    import sqlalchemy as sa

    engine = sa.create_engine(server.url("+psycopg"))
    with engine.connect() as connection:
        need(connection.execute(sa.text("select 1")).scalar() == 1, "select 1")
    yield "connect"
    inspector = sa.inspect(engine)
    need("v01" in inspector.get_table_names("published"), "tables")
    need(TABLE_COMMENT in inspector.get_table_comment("v01", "published")["text"], "a comment")
    columns = {column["name"]: column for column in inspector.get_columns("v01", "published")}
    need(COLUMN_COMMENT in columns["province"]["comment"] and isinstance(columns["value"]["type"], sa.Numeric), columns)
    metadata = sa.MetaData()
    metadata.reflect(engine, schema="published")
    yield "tables"
    frame = pandas.read_sql(sa.text(TYPED.format(":year", ":sex")), engine, params={"year": 2024, "sex": "F"})
    need("PK-PB" in list(frame["province"]) and frame["n"].notna().any(), frame)
    v01 = metadata.tables["published.v01"]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(v01.c.value).where(v01.c.time_period == "2024").limit(2)).all()
        need(len(rows) == 2, rows)
    yield "typed"
    try:
        pandas.read_sql(REFUSED, engine)
        need(False, "answered")
    except (sa.exc.DBAPIError, pandas.errors.DatabaseError) as error:
        cause = error if isinstance(error, sa.exc.DBAPIError) else error.__cause__
        need(cause.orig.sqlstate == CODE and HINT in cause.orig.diag.message_hint, error)
    yield "refusal"
    with engine.connect() as connection:
        yield server.ended(lambda: connection.execute(sa.text(LONG)), connection.connection.driver_connection.cancel)


def pg8000(server):
    import pg8000.dbapi as driver

    connection = driver.connect("analyst", host=server.host, port=server.port, database="amanat", password=server.key)
    cursor = connection.cursor()
    cursor.execute("select 1")
    yield "connect"
    cursor.execute("select obj_description(c.oid, 'pg_class') from pg_class c where c.relname = %s", ("v01",))
    need(TABLE_COMMENT in cursor.fetchone()[0], "a comment")
    yield "tables"
    cursor.execute(TYPED.format("%s", "%s"), (2024, "F"))
    need(any(row[0] == "PK-PB" for row in cursor.fetchall()), "typed")
    yield "typed"
    try:
        cursor.execute(REFUSED)
        need(False, "answered")
    except driver.Error as error:
        need(error.args[0]["C"] == CODE and HINT in error.args[0]["H"], error)
    connection.rollback()
    yield "refusal"
    # It has no way to cancel; the session's own limit ends the question.
    cursor.execute("set statement_timeout = 300")
    yield server.ended(lambda: cursor.execute(LONG))


def adbc(server):
    import adbc_driver_postgresql.dbapi as driver

    connection = driver.connect(server.url())
    cursor = connection.cursor()
    cursor.execute("select 1")
    need(cursor.fetchone()[0] == 1, "select 1")
    yield "connect"
    tables = connection.adbc_get_objects(depth="columns", db_schema_filter="published").read_all()
    need("'v01'" in str(tables.to_pylist()) and "'province'" in str(tables.to_pylist()), tables.to_pylist())
    cursor.execute("select obj_description('published.v01'::regclass)")
    need(TABLE_COMMENT in cursor.fetchone()[0], "a comment")
    yield "tables"
    cursor.execute(TYPED.format("$1", "$2"), (2024, "F"))
    table = cursor.fetch_arrow_table()
    need("PK-PB" in table["province"].to_pylist(), table)
    cursor.execute("select time_period, value, as_of from published.v01 limit 5")
    need(cursor.fetch_arrow_table().num_rows == 5, "a copy")
    yield "typed"
    try:
        cursor.execute(REFUSED)
        cursor.fetchall()
        need(False, "answered")
    except driver.Error as error:
        need(error.sqlstate == CODE, error)
        need(HINT in str(error) or HINT in str(error.details), error)
    connection.rollback()
    yield "refusal"

    def run():
        cursor.execute(LONG)
        cursor.fetchall()

    yield server.ended(run, cursor.adbc_cancel)
    cursor.close()
    connection.close()


def connectorx(server):
    import connectorx as driver

    def read(sql, **more):
        return driver.read_sql(server.url(), sql, return_type="arrow", **more)

    need(read("select 1 as one").num_rows == 1, "select 1")
    yield "connect"
    rows = read("select table_name::text as name from information_schema.tables where table_schema = 'published'", protocol="cursor")
    need("v01" in str(rows.to_pydict()), rows)
    yield "tables"
    rows = read(TYPED.format("2024", "'F'"))
    need("PK-PB" in str(rows.to_pydict()), rows)
    yield "typed"
    try:
        read(REFUSED)
        need(False, "answered")
    except Exception as error:
        need("Records of people are not shown" in str(error) or CODE in str(error), error)
    yield "refusal"
    yield "no way to cancel"


def odbc(server):
    import pyodbc as driver

    connection = driver.connect(driver="{PostgreSQL Unicode}", server=server.host, port=server.port, database="amanat",
                                uid="analyst", pwd=server.key)
    cursor = connection.cursor()
    need(cursor.execute("select 1").fetchone()[0] == 1, "select 1")
    yield "connect"
    need("v01" in [row.table_name for row in cursor.tables(schema="published")], "tables")
    columns = [row.column_name for row in cursor.columns(schema="published", table="v01")]
    need("province" in columns and "lo95" in columns, columns)
    for facts in (cursor.primaryKeys("v01", schema="published"), cursor.foreignKeys("v01", schema="published"),
                  cursor.statistics("v01", schema="published"), cursor.procedures(), cursor.getTypeInfo()):
        facts.fetchall()
    # The driver leaves REMARKS empty, of any server.
    comment, = cursor.execute("select obj_description('published.v01'::regclass)").fetchone()
    need(TABLE_COMMENT in comment, comment)
    yield "tables"
    rows = cursor.execute(TYPED.format("?", "?"), (2024, "F")).fetchall()
    need(any(row[0] == "PK-PB" and isinstance(row[1], int) for row in rows), rows)
    cursor.execute("select value, as_of from published.v01 where time_period = ? and value > ?", ("2024", decimal.Decimal("10.5")))
    value, as_of = cursor.fetchone()
    need(isinstance(value, decimal.Decimal) and isinstance(as_of, datetime.date), (value, as_of))
    yield "typed"
    try:
        cursor.execute(REFUSED)
        need(False, "answered")
    except driver.Error as error:
        need(error.args[0] == CODE and f"/problems/PRIV-1{CODE[2:]}" in error.args[1], error)
        yield "refusal" if HINT in error.args[1] else "no hint"
    connection.rollback()
    yield server.ended(lambda: cursor.execute(LONG), cursor.cancel)


def external(server, command):
    """A client in another language: prints a line for each step, with what it cannot do behind a colon; then `run` before the long
    question, which it ends on `end`, or `limit` where its own limit does."""
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
        name, _, lacks = line().partition(": ")
        need(name == step, said)
        yield lacks or step
    need(line() in ("run", "limit"), said)

    def wait():
        raise RuntimeError(line())

    def cancel():
        process.stdin.write("end\n")
        process.stdin.flush()

    yield server.ended(wait, cancel if said[-1] == "run" else None)
    process.stdin.close()
    process.wait(30)


def jdbc(server):
    need(server.java, "no class path: --java")
    yield from external(server, ["java", "-cp", server.java, "Jdbc"])


def node(server):
    need(server.node, "no modules: --node")
    os.environ["NODE_PATH"] = server.node
    yield from external(server, ["node", os.path.join(os.path.dirname(__file__), "client.js")])


def r(server):
    need(shutil.which("Rscript"), "no Rscript")
    yield from external(server, ["Rscript", "--vanilla", os.path.join(os.path.dirname(__file__), "client.R")])


CLIENTS = {
    "psql": psql, "psycopg 3": psycopg3, "psycopg 2": psycopg2, "asyncpg": asyncpg, "SQLAlchemy and pandas": sqlalchemy,
    "pg8000": pg8000, "JDBC": jdbc, "node pg": node, "ADBC": adbc, "connectorx": connectorx,
}
# Those for which packages of the system are installed.
MORE = {"ODBC": odbc, "R": r}


def main():
    parser = argparse.ArgumentParser()
    arguments(parser)
    parser.add_argument("--node")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    known = CLIENTS | MORE
    names = args.clients or list(known if args.all else CLIENTS)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no client {', '.join(unknown)}; there are {', '.join(known)}")
    sys.exit(not table(Postgres(args), known, names))


main()
