"""Junk at the door for clients of PostgreSQL: packets, messages and proofs; with it the clients of keepers.py."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from random import Random

import corpus
import oracle
from ground import Ground, until
from keepers import KEEPERS, keeps, locked, nested
from normal import PROTECTED
from oracle import Fault
from pgwire import CANCEL, EXECUTE, GSS, SSL, SYNC, Session, bind, message, named, packet, parse, public, query, startup, state
from sent import junk
from server import TIME_LIMIT, Server

# The longest message that is taken.
LONGEST = 1 << 20

Bytes = Callable[[Random], bytes]
# What comes first on a connection, and what comes in a session of nobody in particular.
FIRST: list[Bytes] = []
LATER: list[Bytes] = []


def first(make: Bytes) -> Bytes:
    FIRST.append(make)
    return make


def later(make: Bytes) -> Bytes:
    LATER.append(make)
    return make


@first
def anything(random: Random) -> bytes:
    return junk(random, 500)


@first
def lying_length(random: Random) -> bytes:
    whole = bytearray(startup())
    whole[:4] = struct.pack(">I", random.choice([0, 1, 4, 7, 8, 9, 12, 10_000, 10_001, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
                                                 len(whole) - 1, len(whole) + 1]))
    return bytes(whole)


@first
def requests_for_encryption(random: Random) -> bytes:
    count = random.choice([1, 2, 3, 4, 50, 2_000])
    asked = (packet(random.choice([SSL, GSS]), b"" if random.random() < 0.9 else b"x") for _ in range(count))
    return b"".join(asked) + (startup() if random.random() < 0.5 else b"")


@first
def other_version(random: Random) -> bytes:
    code = random.choice([0, 1, 1 << 16, 2 << 16, (3 << 16) + 1, (3 << 16) + 2, (3 << 16) + 99, (3 << 16) + 65_535, 4 << 16, 0xFFFF_FFFF,
                          80_877_105, 0x1603_0100, random.randrange(1 << 32)])
    return packet(code, startup()[8:]) + query("select 1")


@first
def odd_parameters(random: Random) -> bytes:
    made = [packet(196_608), packet(196_608, b"\0"), packet(196_608, b"user\0"), packet(196_608, b"user\0public"),
            packet(196_608, b"user\0\0\0"), packet(196_608, b"\0user\0public\0\0"), packet(196_608, b"user\0public\0" * 300 + b"\0"),
            packet(196_608, b"user\0\xff\xfe\0\0"), startup("a\r\n\x1b[31m" * 20), startup("x" * 9_000), startup(replication="database"),
            startup(options="-c role=operator -c search_path=protected --is_superuser=on"),
            startup(**{"_pq_.x": "y", "_pq_." + "z" * 5_000: "1"}), startup(client_encoding="SQL_ASCII"),
            startup(session_authorization="analyst"), startup(role="analyst"), startup(user="administrator; drop table x"),
            packet(196_608, b"user\0public\0database\0" + b"../" * 2_000 + b"\0\0"), startup(statement_timeout="-1"),
            startup(**{f"a.b{n}": "x" * 60 for n in range(120)}), startup(**{"amanat.role": "operator"})]
    return random.choice(made) + query(PROTECTED)


@first
def guessed_cancel(random: Random) -> bytes:
    secret = random.choice([struct.pack(">I", random.randrange(1 << 32)), b"", b"x", junk(random, 300), b"\0" * 4, b"\xff" * 32])
    return packet(CANCEL, struct.pack(">I", random.randrange(60)) + secret)


@first
def before_the_proof(random: Random) -> bytes:
    """A question of somebody who has proven nothing."""
    user = random.choice(["analyst", "administrator", "nobody", "postgres", "root", ""])
    return startup(user) + random.choice([query(PROTECTED), parse(PROTECTED) + bind() + EXECUTE + SYNC, message(b"p", b"secret\0"),
                                          message(b"X"), message(b"p", b"SCRAM-SHA-256\0\xff\xff\xff\xff"), message(b"p", b"\0" * 9_000),
                                          message(b"p", b"SCRAM-SHA-256\0" + struct.pack(">I", 1 << 30) + b"n,,n=,r=x")])


@first
def spoiled_start(random: Random) -> bytes:
    whole = bytearray(startup(application_name="x") + query("select 1"))
    for _ in range(random.randint(1, 6)):
        whole[random.randrange(len(whole))] = random.randrange(256)
    return bytes(whole)


@later
def unknown_kind(random: Random) -> bytes:
    return message(bytes([random.randrange(256)]), junk(random, 80) if random.random() < 0.8 else b"")


@later
def impossible_length(random: Random) -> bytes:
    length = random.choice([0, 1, 3, LONGEST + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])
    return random.choice([b"Q", b"P", b"B", b"p", b"d", b"F"]) + struct.pack(">I", length) + junk(random, 100)


@later
def wrong_counts(random: Random) -> bytes:
    counted = random.choice([0, 1, 2, 255, 32_767, 32_768, 65_535])
    sql = random.choice(["select $1", "select 1", "select $1::int + $2::int", "select count(*) from victims where year = $1"])
    formats = random.choice([b"", b"\0\1\0\1", b"\xff\xff", b"\0\2\0\0\0\1", b"\0\1\0\7"])
    lengths = random.choice([b"", b"\0\0\0\1x", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xfe", b"\xff\xff\xff\xff", b"\0\0\0\4\0\0\0\1" * 3])
    odd = message(b"B", b"\0\0" + (formats or b"\0\0") + struct.pack(">H", counted) + lengths
                  + random.choice([b"\0\0", b"", b"\0\5\0\1", b"\xff\xff"]))
    lying = bind(values=(b"1",) * random.choice([0, 1, 2, 500]), counted=counted)
    return parse(sql) + random.choice([lying, odd]) + message(b"D", b"P\0") + EXECUTE + SYNC


@later
def many_placeholders(random: Random) -> bytes:
    count = random.choice([1_000, 30_000, 100_000])
    return parse("select " + ",".join(f"${n}" for n in range(1, count + 1))) + message(b"D", b"S\0") + SYNC


@later
def lying_types(random: Random) -> bytes:
    body = b"\0select $1\0" + struct.pack(">H", random.choice([1, 100, 65_535])) + junk(random, 200)
    return random.choice([message(b"P", body), parse("select $1", types=tuple(random.randrange(1 << 32)
                                                                              for _ in range(random.choice([1, 1_000, 30_000]))))]) + bind(
        values=(b"1",)) + EXECUTE + SYNC


@later
def out_of_turn(random: Random) -> bytes:
    kinds = [message(b"D", b"X\0"), message(b"D", b""), message(b"E", b"none\0\0\0\0\0"), message(b"C", b"Snone\0"), message(b"C", b"\0"),
             message(b"H"), message(b"d", b"1\t2\n"), message(b"c"), message(b"f", b"x\0"), message(b"p", b"x\0"),
             message(b"F", struct.pack(">IHHH", 1_234, 0, 0, 0)), bind(name="none"), EXECUTE, message(b"E", b"\0\xff\xff\xff\xff"),
             message(b"Q", b"select 1"), message(b"Q", b"\0\0\0"), message(b"P", b"a"), startup(), packet(SSL)]
    return b"".join(random.choice(kinds) for _ in range(random.randint(1, 12))) + SYNC


@later
def what_is_not_there(random: Random) -> bytes:
    return query(random.choice(["copy victims from stdin", "copy published.v01 from '/etc/passwd'", "copy (select 1) to '/tmp/x'",
                                "copy (select 1) to program 'id'", "set role analyst", "set session authorization administrator",
                                "reset session authorization", "set is_superuser = on", "select pg_read_file('/etc/passwd')",
                                "select lo_import('/etc/passwd')", "select pg_sleep(100)", "select * from pg_shadow",
                                "select rolpassword from pg_authid", "select current_setting('data_directory')", "load 'x'",
                                "do $$ begin end $$", "create extension plpython3u", "select dblink('x')", "listen x; notify x", "vacuum",
                                "select pg_terminate_backend(1)", "select pg_cancel_backend(1)", "alter system set x = 1",
                                "declare c cursor with hold for select * from victims", "prepare p as select * from victims; execute p",
                                "fetch all from none", "select set_config('role', 'operator', false)", "show hba_file", "show all",
                                "select pg_ls_dir('.')", "select query_to_xml('select 1', true, true, '')",
                                "explain analyze select 1"])) + query(PROTECTED)


@later
def long_text(random: Random) -> bytes:
    return query(random.choice(["select '" + "x" * 900_000 + "'", "select 1;" * random.choice([50, 101, 5_000]), "(" * 20_000, "select "
                                + "1," * 100_000 + "1", "/*" * 100_000, "select 1 --" + "\n" * 500_000, "$a" * 50_000, "\u0661" * 100_000,
                                "set a.b = '" + "x" * 2_000 + "'", "select " + "-" * 15_000 + "1", "select e'" + "\\" * 9_001 + "'",
                                "select U&'\\" * 3_000]))


@later
def no_text(random: Random) -> bytes:
    return message(b"Q", b"select '" + junk(random, 60) + b"'\0")


@later
def pipelined(random: Random) -> bytes:
    one = parse("select $1::text", types=(25,)) + bind(values=(b"a",)) + message(b"D", b"P\0") + EXECUTE
    return b"".join(one + (SYNC if random.random() < 0.5 else b"") for _ in range(random.choice([5, 300]))) + SYNC


@later
def hostile_statement(random: Random) -> bytes:
    one, other = random.choice(STATEMENTS), random.choice(STATEMENTS)
    sql = one.sql if random.random() < 0.4 else corpus.spoiled(random, one.sql, other.sql)
    sql = sql[:15_000].replace("\0", "")
    return query(sql) if random.random() < 0.5 else parse(sql) + message(b"D", b"S\0") + SYNC


@later
def spoiled_conversation(random: Random) -> bytes:
    asked = parse("select time_period, value from published.v01 where province = $1", "s") + bind("s", "p", (b"PK-PB",))
    whole = bytearray(asked + message(b"D", b"Pp\0") + message(b"E", b"p\0\0\0\0\5") + SYNC)
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(whole))
        whole[at : at + 1] = random.choice([bytes([random.randrange(256)]), b"", bytes(whole[at : at + 1]) * 2])
    return bytes(whole) + SYNC


STATEMENTS = corpus.read("hostile.sql") + corpus.read("protected.sql")


def asks(sent: bytes) -> bool:
    """Whether it is messages from end to end, and the last of them is one that must be answered."""
    at, kind = 0, b""
    while at < len(sent):
        kind, (length,) = sent[at : at + 1], struct.unpack(">I", sent[at + 1 : at + 5].ljust(4, b"\0"))
        at += 1 + max(length, 4)
    return at == len(sent) and kind in (b"S", b"Q")


def judge(server: Server, sent: bytes, session: Session, found: list[tuple[bytes, bytes]], own: tuple[str, ...] = ()) -> None:
    """Refuses what was answered where it must not be."""
    whole = b"".join(kind + body for kind, body in found) + session.buffer
    oracle.look(server, sent, whole, own)
    for kind, body in found:
        if kind == b"E":
            oracle.insides(sent, body)
            if state(body).startswith("XX"):
                raise Fault(f"a fault of ours: {oracle.shown(body)}", sent)
            if not {b"S", b"C", b"M"} <= {part[:1] for part in body.split(b"\0")}:
                raise Fault(f"an error without its parts: {oracle.shown(body)}", sent)


def spoiled_proof(random: Random, session: Session, user: str) -> bytes:
    """Proofs of a name that prove nothing: the client's first message or its last one is broken."""
    nonce = base64.b64encode(random.randbytes(18))
    form = random.randrange(4)
    if form == 0:
        opening = random.choice([b"n,,n=,r=", b"", b"n,,", b"p=tls-unique,,n=,r=" + nonce, b"y,,n=,r=" + nonce, b"n,a=administrator,n=,r="
                                 + nonce, b"n,,m=x,n=,r=" + nonce, b"n,,n=" + b"a" * 5_000 + b",r=" + nonce, b"n,,n=\xff,r=" + nonce,
                                 junk(random, 100), b"n,,r=" + nonce + b",n=", b"n,,n=,r=,"])
        sent = message(b"p", random.choice([b"SCRAM-SHA-256\0", b"SCRAM-SHA-256-PLUS\0", b"PLAIN\0", b"OAUTHBEARER\0"])
                       + struct.pack(">I", random.choice([len(opening), len(opening) + 50, 0, 0xFFFF_FFFF])) + opening)
        session.send(sent)
        return sent
    proof = random.choice([b"", b"=", base64.b64encode(b"\0" * 32), base64.b64encode(b"\xff" * 32), base64.b64encode(random.randbytes(31)),
                           base64.b64encode(random.randbytes(33)), b"x" * 5_000, base64.b64encode(random.randbytes(32)) + b",p=x",
                           base64.b64encode(random.randbytes(32)) + b"\0", junk(random, 60)])
    session.prove(user, "", spoil=proof)
    return proof


def run(ground: Ground) -> None:
    """First what is kept of clients and how names are locked, each alone; then junk of all kinds, many at once."""
    server, port = ground.server, ground.server.ports.postgres
    keys = {name: server.key(name) for name in ("hostile-pg", "locked-1", "locked-2")}
    if not until(lambda: named(port, "hostile-pg", keys["hostile-pg"]).how == "ready", 10):
        raise SystemExit("a new key opens no session")

    def alone(number: int, random: Random) -> None:
        if number < len(KEEPERS):
            keeps(port, KEEPERS[number])
        elif number == len(KEEPERS):
            nested(port)
        elif number == len(KEEPERS) + 1:
            locked(port, "locked-1", keys["locked-1"], 6)
        else:
            locked(port, "locked-2", keys["locked-2"], 110)

    def attempt(number: int, random: Random) -> None:
        form = number % 5
        if form == 0:
            sent = FIRST[number // 5 % len(FIRST)](random)
            with Session(port) as session:
                session.send(sent)
                found = []
                for one in session.messages(0.25):
                    found.append(one)
                judge(server, sent, session, found)
                if any(kind == b"D" and b"PK-" in body for kind, body in found):
                    raise Fault("records are asked about by nobody", sent)
        elif form == 1 and number % 2:
            with Session(port, startup("hostile-pg")) as session:
                opened = [one for one in (next(session.messages(), None),) if one]
                sent = spoiled_proof(random, session, "hostile-pg")
                found = opened + list(session.messages(0.1))
                judge(server, sent, session, found)
                if any(kind == b"Z" for kind, _ in found) or session.how == "ready":
                    raise Fault("a session without a proof", sent)
        else:
            sent = LATER[(number - number // 5) % len(LATER)](random)
            with public(port) as session:
                session.send(sent)
                is_whole = asks(sent)
                found = session.until_ready(TIME_LIMIT + 10) if is_whole else list(session.messages(0.25))
                judge(server, sent, session, found)
                if session.how == "silent" and is_whole:
                    raise Fault(f"no end of an answer within {TIME_LIMIT + 10} s", sent)
                if any(kind == b"D" and b"PK-PB" in body and b"victims" in sent for kind, body in found):
                    raise Fault("records are answered to nobody in particular", sent)

    special = len(KEEPERS) + 3
    ground.each(alone, range(special), at_once=1)
    ground.each(attempt, range(special, ground.count), at_once=12)
