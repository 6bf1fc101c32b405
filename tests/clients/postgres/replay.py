"""What clients ask as they start, as recorded in crates/pgcatalog/tests/recorded, put to a running Amanat over the wire.

    replay.py --port P [--host H]

Prints `CLIENT: N of N recorded statements` for each client, what was not answered, and the sum. That the answers are right is held by
the tests of pgcatalog; here each statement must be answered, by a server with tables of its own, to a reader without a key.
"""

import argparse
import pathlib
import sys

import psycopg

RECORDED = pathlib.Path(__file__).parents[3] / "crates/pgcatalog/tests/recorded"
# Files of one client, by the name it goes by; in other files each purpose begins with the client's name.
NAMES = {"psql": "psql", "asyncpg": "asyncpg", "psycopg": "psycopg 2 and 3", "pgjdbc": "JDBC", "sqlalchemy": "SQLAlchemy", "psqlodbc": "ODBC",
         "pgcli": "pgcli", "pgadmin": "pgAdmin", "npgsql": "Npgsql"}


def statements():
    """Client, purpose, parameters and statement of each that was recorded."""
    for path in sorted(RECORDED.glob("*.sql")):
        for block in path.read_text().split("\n\n\n"):
            lines = block.strip().split("\n")
            if not block.strip():
                continue
            purpose = next((line[4:] for line in lines if line.startswith("--: ")), "")
            given = [line[4:] for line in lines if line.startswith("--$ ")]
            sql = "\n".join(line for line in lines if not line.startswith(("--: ", "--$ ")))
            begins = purpose.partition(":")[0].removesuffix("'s manner")
            client = NAMES.get(path.stem, begins) if begins != "Power BI" else begins
            yield client, purpose, [None if value == "NULL" else value for value in given], sql


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    answered, asked, failed = {}, {}, []
    with psycopg.connect(host=args.host, port=args.port, user="public", dbname="amanat", autocommit=True) as connection:
        for client, purpose, parameters, sql in statements():
            asked[client] = asked.get(client, 0) + 1
            try:
                psycopg.RawCursor(connection).execute(sql, parameters or None)
                answered[client] = answered.get(client, 0) + 1
            except psycopg.Error as error:
                failed.append(f"FAIL {client}: {purpose}: {error.sqlstate} {str(error).splitlines()[0]}")
    for client in sorted(asked, key=str.lower):
        print(f"{client}: {answered.get(client, 0)} of {asked[client]} recorded statements")
    print("\n".join(failed + [f"{sum(answered.values())} of {sum(asked.values())} recorded statements"]))
    sys.exit(bool(failed) or not asked)


main()
