"""Superset as it comes, in a folder of its own; what it asks the catalogue is written down, with what was refused."""

import json
import os

from sqlalchemy import event
from sqlalchemy.engine import Engine

SECRET_KEY = os.environ["BI_SECRET"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.path.join(os.environ["BI_WORK"], "superset.db")
# Its check of a text as it is typed runs a program of PostgreSQL's (ecpg) that is not here.
SQL_VALIDATORS_BY_ENGINE = {}


def written(**what):
    with open(os.path.join(os.environ["BI_WORK"], "statements.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(what, default=str) + "\n")


# Questions of SQL Lab and of charts go past these: what they answer is looked at for itself.
@event.listens_for(Engine, "before_cursor_execute")
def asked(connection, cursor, statement, parameters, context, executemany):
    if connection.dialect.name == "postgresql":
        written(asked=statement, parameters=parameters)


@event.listens_for(Engine, "handle_error")
def refused(context):
    if context.engine is None or context.engine.dialect.name == "postgresql":
        written(refused=str(context.original_exception), statement=context.statement, parameters=context.parameters)
