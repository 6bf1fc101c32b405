"""Clients of PostgreSQL's protocol that would have the server keep what they send, or a name locked; each has a place of its own."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import NamedTuple

from ground import grows
from http1 import ATTACKER
from normal import READER
from oracle import Fault
from pgwire import SYNC, Session, bind, message, named, parse, public, query, startup

# The longest message that is taken; MiB that are sent to have them kept, and that may be of one client whom the server does not know,
# beside what the buffers of a connection hold.
LONGEST, SENT, KEPT = 1 << 20, 60, 32
# Computes until its time is over.
LONG = (
    "select count(*) from published.indicator_values a, published.indicator_values b, published.indicator_values c "
    "where a.value + b.value * c.value > 0"
)
MIB = b"x" * (LONGEST - 200)


class Keeper(NamedTuple):
    """What a client may try to have kept: what it begins with, what it sends again and again, the tag of the answer by which each is
    taken, and what it ends with. Without a tag it is taken when it has been read, which is while a question runs."""

    what: str
    begin: bytes
    again: Callable[[int], bytes]
    tag: bytes = b""
    end: bytes = b""


KEEPERS = (
    Keeper("prepared statements", b"", lambda n: parse(f"select 1 /*{MIB.decode()}*/", f"s{n}"), b"1", SYNC),
    Keeper("names of settings", b"", lambda n: query(f"set a{n}.{MIB.decode()} = '1'"), b"C"),
    Keeper("bound values", parse("select $1::text", "s", (25,)), lambda n: bind("s", f"p{n}", (MIB,)), b"2", SYNC),
    Keeper("messages while a question runs", query(LONG), lambda _: message(b"d", MIB)),
)


def keeps(port: int, keeper: Keeper) -> None:
    """One client without a key does not make the server keep more than some MiB: what is sent beyond that is refused, or not read."""
    read = 0
    with public(port) as session:
        session.line.settimeout(1)
        try:
            session.line.sendall(keeper.begin)
            for number in range(SENT):
                session.line.sendall(keeper.again(number))
                read = number + 1
            session.line.sendall(keeper.end)
        except OSError:
            pass  # It takes no more, as it should.
        if keeper.tag:
            answers = [kind for kind, _ in session.messages(4)]
            read = min(answers.count(keeper.tag), read)
        if read > KEPT and not (keeper.tag and session.how in ("ended", "reset")):
            raise Fault(f"one client without a key has {read} MiB kept by {keeper.what}, at most {KEPT} are right", keeper.again(0)[:60])


def nested(port: int) -> None:
    """Calls within calls."""
    def ask(levels: int) -> None:
        with public(port) as session:
            session.send(query(f"select {'abs(' * levels}1{')' * levels}"))
            session.until_ready(60)

    grows(ask, 12, 17, "calls in each other", "abs(")


def locked(port: int, name: str, key: str, wrong: int) -> None:
    """After wrong proofs of a name from one address not even the right one is taken there; whose name it is comes in from elsewhere."""
    proof = base64.b64encode(b"\0" * 32)
    for _ in range(wrong):
        with Session(port, startup(name)) as session:
            next(session.messages(), None)
            session.prove(name, "", spoil=proof)
    with named(port, name, key, ATTACKER) as session:
        if session.how == "ready":
            raise Fault(f"after {wrong} wrong proofs of a name the next is taken at once", proof)
    with named(port, name, key, READER) as session:
        if session.how != "ready":
            raise Fault(f"{wrong} wrong proofs from one address keep the owner of the name out everywhere", proof)
