"""Publishes events to the agency's topic: CloudEvents in structured mode, keyed by the record, idempotent and acknowledged by all.

    BROKERS=127.0.0.1:9092 python send_kafka.py --agency LAB-PB --events 25
"""

import argparse
import os

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from amanat_event import inspection, line

STRUCTURED = [("content-type", "application/cloudevents+json")]


def delivered(error, _message):
    if error is not None:
        raise SystemExit(f"not delivered: {error}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agency", required=True)
    parser.add_argument("--events", type=int, default=25)
    parser.add_argument("--make-topic", action="store_true", help="for trying it out; an operator makes yours")
    arguments = parser.parse_args()
    brokers, topic = os.environ["BROKERS"], f"tip.events.{arguments.agency}.v1"
    if arguments.make_topic:
        admin = AdminClient({"bootstrap.servers": brokers})  # kept until its answer is there
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(60)
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "acks": "all"})
    for _ in range(arguments.events):
        event = inspection(arguments.agency)
        producer.produce(topic, line(event), key=event["subject"], headers=STRUCTURED, on_delivery=delivered)
        producer.poll(0)
    if producer.flush(60) != 0:
        raise SystemExit("not everything was delivered within a minute; what was not is sent again with the same ids")
    print(f"{arguments.events} delivered")


main()
