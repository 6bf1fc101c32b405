"""The event log, read without any of our code: the SQLite file (its format stands in crates/eventlog/src/sqlite/frame.rs) or
Kafka. A record is (offset, time in ms, key, [(header, bytes)], value)."""

import sqlite3
import struct
import zlib

ABSENT = 0xFFFFFFFF
RECEIPTS = "tip.receipts.v1"


class SqliteLog:
    kind = "SQLite"

    def __init__(self, path):
        self.db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        uid, generation = self.db.execute("SELECT uid, generation FROM log").fetchone()
        self.uid = f"{uid}#{generation}"

    def partitions(self):
        """{(stream, number): (low, high)} of the agencies' streams."""
        return {at: ends for at, ends in self.all().items() if at[0].startswith("tip.events.")}

    def all(self):
        rows = self.db.execute("SELECT stream, number, low, high FROM partitions")
        return {(stream, number): (low, high) for stream, number, low, high in rows}

    def receipts(self):
        """Messages on the stream of receipts, partition by partition, and whether that stream begins at its beginning."""
        parts = [(at, ends) for at, ends in sorted(self.all().items()) if at[0] == RECEIPTS]
        values = [value for at, (_, high) in parts for *_, value in self.records(*at, high)]
        return values, all(low == 0 for _, (low, _) in parts)

    def records(self, stream, number, below):
        batches = self.db.execute(
            "SELECT first, body FROM batches JOIN partitions ON partitions.id = partition"
            " WHERE stream = ? AND number = ? AND first < ? ORDER BY first", (stream, number, below))
        for first, body in batches:
            yield from (record for record in frame(first, body) if record[0] < below)


def frame(first, body):
    magic, checksum, count, says = struct.unpack_from("<4sIIq", body)
    if magic != b"AMB1" or checksum != zlib.crc32(body[8:]) or says != first:
        raise SystemExit(f"the log is damaged: batch at offset {first}")
    at = 20 + 20 * count
    for n in range(count):
        time_ms, key, headers, value = struct.unpack_from("<qIII", body, 20 + 20 * n)

        def take(length):
            nonlocal at
            if length == ABSENT:
                return None
            at += length
            return body[at - length:at]

        yield first + n, time_ms, take(key), list(header_block(take(headers))), take(value)


def header_block(block):
    at = 0
    while at < len(block):
        name, value = struct.unpack_from("<HI", block, at)
        at += 6 + name + value
        yield block[at - name - value:at - value].decode(), block[at - value:at]


class KafkaLog:
    kind = "Kafka"

    def __init__(self, bootstrap, generation, group):
        from confluent_kafka import Consumer, TopicPartition
        self.at = TopicPartition
        settings = {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False,
                    "isolation.level": "read_committed", "enable.partition.eof": True,
                    # Partitions are read one after the other: what the broker holds back for the last one delays the next.
                    "fetch.wait.max.ms": 10}
        self.consumer = Consumer(settings)
        self.topics = self.consumer.list_topics(timeout=30)
        self.uid = f"{self.topics.cluster_id}#{generation}"

    def partitions(self):
        return {(name, number): self.consumer.get_watermark_offsets(self.at(name, number), timeout=30)
                for name, topic in self.topics.topics.items() if name.startswith("tip.events.")
                for number in topic.partitions}

    def receipts(self):
        values, whole = [], True
        for number in self.topics.topics[RECEIPTS].partitions if RECEIPTS in self.topics.topics else ():
            low, high = self.consumer.get_watermark_offsets(self.at(RECEIPTS, number), timeout=30)
            whole = whole and low == 0
            values += [record[-1] for record in self.records(RECEIPTS, number, high)]
        return values, whole

    def hint(self, stream, number):
        """What the group has committed; None when nothing."""
        offset = self.consumer.committed([self.at(stream, number)], timeout=30)[0].offset
        return offset if offset >= 0 else None

    def records(self, stream, number, below):
        low, _ = self.consumer.get_watermark_offsets(self.at(stream, number), timeout=30)
        self.consumer.assign([self.at(stream, number, low)])
        while True:
            message = self.consumer.poll(30)
            if message is None:
                raise SystemExit(f"{stream}/{number}: Kafka does not answer")
            if message.error() or message.offset() >= below:
                if message.error() and message.error().name() != "_PARTITION_EOF":
                    raise SystemExit(f"{stream}/{number}: {message.error().str()}")
                return
            yield (message.offset(), message.timestamp()[1], message.key(), message.headers() or [], message.value())
