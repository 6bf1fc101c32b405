"""Confluent's own Python client against our registry: its registry client, and its Avro serializer over a real Kafka."""

import json
import os
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError, SchemaReference
from confluent_kafka.schema_registry import record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

BROKERS, REGISTRY = os.environ["AMANAT_TEST_KAFKA"], os.environ["REGISTRY"]
TOPIC = f"tip.events.clients-python-{uuid.uuid4().hex[:8]}.v1"


def record(*fields, name="pk.test.python.Seen"):
    return json.dumps({"type": "record", "name": name, "fields": list(fields)})


ID = {"name": "id", "type": "string"}
FIRST = record(ID, {"name": "count", "type": "int"})
SECOND = record(ID, {"name": "count", "type": "long"}, {"name": "province", "type": ["null", "string"], "default": None})
BROKEN = record(ID, {"name": "count", "type": "string"})


def refused(code, act):
    try:
        act()
    except SchemaRegistryError as error:
        assert error.error_code == code, f"{error.error_code} in place of {code}: {error}"
        return error
    raise AssertionError(f"not refused with {code}")


def the_registry_client_does_what_it_does_with_confluents(client):
    subject = "python-client-value"
    first = client.register_schema(subject, Schema(FIRST, "AVRO"))
    assert client.register_schema(subject, Schema(FIRST, "AVRO"), normalize_schemas=True) == first
    # A client that remembers nothing: the answers are the registry's.
    client = SchemaRegistryClient({"url": REGISTRY})
    assert json.loads(client.get_schema(first).schema_str) == json.loads(FIRST)
    assert client.lookup_schema(subject, Schema(FIRST, "AVRO")).version == 1
    assert client.test_compatibility(subject, Schema(SECOND, "AVRO"))
    assert not client.test_compatibility(subject, Schema(BROKEN, "AVRO"))
    assert not client.test_compatibility_all_versions(subject, Schema(BROKEN, "AVRO"))
    second = client.register_schema(subject, Schema(SECOND, "AVRO"))
    assert second > first
    full = client.register_schema_full_response(subject, Schema(SECOND, "AVRO"))
    assert full.schema_id == second, full
    assert "count" in str(refused(409, lambda: client.register_schema(subject, Schema(BROKEN, "AVRO"))))
    assert client.get_versions(subject) == [1, 2]
    assert client.get_latest_version(subject).schema_id == second
    assert client.get_version(subject, 1).schema_id == first
    assert subject in client.get_subjects()
    assert client.get_subjects_by_schema_id(first) == [subject]
    assert [version.version for version in client.get_schema_versions(first)] == [1]
    assert sorted(client.get_schema_types()) == ["AVRO", "JSON"]
    assert client.get_compatibility() == "BACKWARD_TRANSITIVE"
    assert client.set_compatibility(subject, "FULL_TRANSITIVE")["compatibility"] == "FULL_TRANSITIVE"
    assert client.get_compatibility(subject) == "FULL_TRANSITIVE"
    assert client.get_config(subject).compatibility_level == "FULL_TRANSITIVE"
    client.delete_config(subject)
    refused(40408, lambda: client.get_compatibility(subject))
    refused(42203, lambda: client.set_compatibility(subject, "SOMEHOW"))
    refused(40401, lambda: client.get_latest_version("nobody-value"))
    refused(40402, lambda: client.get_version(subject, 77))
    refused(40403, lambda: client.get_schema(999_999))
    refused(42201, lambda: client.register_schema(subject, Schema('{"type":"nothing"}', "AVRO")))
    refused(42201, lambda: client.register_schema(subject, Schema('syntax = "proto3";', "PROTOBUF")))
    refused(42205, lambda: client.delete_subject(subject))
    refused(42205, lambda: client.delete_version(subject, 1))
    assert client.get_global_mode() == "READWRITE"


def delivered(error, _message):
    assert error is None, error


def events_are_written_and_read_with_schemas_that_evolve(client):
    """Two producers, the older and the newer, one topic; the reader has the newer schema and finds the older by its id."""
    conf = {"subject.name.strategy": record_subject_name_strategy}
    context = SerializationContext(TOPIC, MessageField.VALUE)
    events = [(FIRST, {"id": "a", "count": 1}), (SECOND, {"id": "b", "count": 1 << 40, "province": "PK-PB"})]
    # The broker of the tests makes no topic by itself.
    admin = AdminClient({"bootstrap.servers": BROKERS})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(60)
    producer = Producer({"bootstrap.servers": BROKERS})
    for schema, event in events:
        value = AvroSerializer(client, schema, conf=conf)(event, context)
        assert value[0] == 0 and int.from_bytes(value[1:5], "big") > 0, "Confluent's framing: 0, then the id"
        producer.produce(TOPIC, value, on_delivery=delivered)
    assert producer.flush(30) == 0
    refused(409, lambda: AvroSerializer(client, BROKEN, conf=conf)({"id": "c", "count": "x"}, context))

    # A reader that remembers nothing asks the registry for both ids.
    read = AvroDeserializer(SchemaRegistryClient({"url": REGISTRY}), SECOND)
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": TOPIC})
    consumer.assign([TopicPartition(TOPIC, 0, OFFSET_BEGINNING)])
    seen = []
    while len(seen) < len(events):
        message = consumer.poll(60)
        assert message is not None, "Kafka gave nothing for a minute"
        if message.error() is None:
            seen.append(read(message.value(), context))
    consumer.close()
    assert seen == [{"id": "a", "count": 1, "province": None}, events[1][1]], seen


def a_schema_refers_to_another(client):
    place = record({"name": "code", "type": "string"}, name="pk.test.python.Place")
    client.register_schema("pk.test.python.Place", Schema(place, "AVRO"))
    whole = record(ID, {"name": "place", "type": "pk.test.python.Place"}, name="pk.test.python.Sighting")
    references = [SchemaReference("pk.test.python.Place", "pk.test.python.Place", 1)]
    schema = Schema(whole, "AVRO", references)
    value = AvroSerializer(client, schema)({"id": "a", "place": {"code": "PK-SD"}}, SerializationContext("x", "value"))
    read = AvroDeserializer(SchemaRegistryClient({"url": REGISTRY}))
    assert read(value, SerializationContext("x", "value")) == {"id": "a", "place": {"code": "PK-SD"}}


def a_json_schema_is_kept(client):
    schema = Schema('{"type": "object", "properties": {"id": {"type": "string"}}}', "JSON")
    identity = client.register_schema("python-json-value", schema)
    assert SchemaRegistryClient({"url": REGISTRY}).get_schema(identity).schema_type == "JSON"


def main():
    tests = [
        the_registry_client_does_what_it_does_with_confluents,
        events_are_written_and_read_with_schemas_that_evolve,
        a_schema_refers_to_another,
        a_json_schema_is_kept,
    ]
    for test in tests:
        test(SchemaRegistryClient({"url": REGISTRY}))
        print(f"python: {test.__name__} ok", flush=True)
    print(f"{len(tests)} passed, 0 failed")


main()
