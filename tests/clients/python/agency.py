"""An agency that has used Confluent's Avro serializer all along, pointed at our registry: what it writes is in the lake.

Its events name nobody: inspections of workplaces. Prints how many it wrote."""

import os
import secrets
import time
from datetime import datetime, timezone

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

BROKERS, REGISTRY = os.environ["AMANAT_TEST_KAFKA"], os.environ["REGISTRY"]
AGENCY, TYPE = "LAB-SD", "inspection.conducted"
TOPIC = f"tip.events.{AGENCY}.v1"
EVENTS = 25


def uuid7():
    milliseconds, chance = int(time.time() * 1000), secrets.randbits(74)
    number = milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & ((1 << 62) - 1)
    text = f"{number:032x}"
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def headers():
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    record = "".join(secrets.choice("bcdfghjkmnpqrstvz") for _ in range(18))
    envelope = {
        "specversion": "1.0", "id": uuid7(), "source": f"urn:pk:tip:{AGENCY}", "type": f"pk.tip.{TYPE}", "time": now,
        "subject": f"{AGENCY}/{record}", "dataschema": f"https://schemas.amanat.example/{TYPE}/v1",
    }
    return [("content-type", "application/avro")] + [(f"ce_{name}", value) for name, value in envelope.items()]


def delivered(error, _message):
    assert error is None, error


def main():
    client = SchemaRegistryClient({"url": REGISTRY})
    contract = client.get_version("pk.tip.InspectionConducted", 1).schema
    conf = {"auto.register.schemas": False, "subject.name.strategy": record_subject_name_strategy}
    serializer = AvroSerializer(client, contract, conf=conf)
    context = SerializationContext(TOPIC, MessageField.VALUE)
    admin = AdminClient({"bootstrap.servers": BROKERS})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(60)
    producer = Producer({"bootstrap.servers": BROKERS})
    for number in range(EVENTS):
        event = {
            "record_version": 1, "occurred_on": "2024-02-29", "place": "PK-SD-HYD", "sector": "brick_kiln", "kind": "bonded",
            "outcome": ["violation_noted", "bonded_labour_found"], "workers": 30 + number, "children": None, "released": 12,
        }
        producer.produce(TOPIC, serializer(event, context), headers=headers(), on_delivery=delivered)
    assert producer.flush(30) == 0
    print(EVENTS)


main()
