"""Puts a mapping in place and sends a CSV file by it; follows the receipt until each row is in the lake.

    GATEWAY_URL=… GATEWAY_KEY=… python send.py victims victims.mapping.toml sealed.csv
"""

import os
import sys
import time
import uuid

import requests


def main():
    name, mapping, rows = sys.argv[1:]
    url = os.environ["GATEWAY_URL"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['GATEWAY_KEY']}"
        put = session.put(f"{url}/v1/mappings/{name}", data=open(mapping, "rb").read(), headers={"content-type": "application/toml"})
        if not put.ok:
            raise SystemExit(f"the mapping was refused: {put.text}")
        headers = {"content-type": "text/csv", "Idempotency-Key": str(uuid.uuid4())}
        answer = session.post(f"{url}/v1/events?mapping={name}", data=open(rows, "rb").read(), headers=headers)
        if answer.status_code != 202:
            raise SystemExit(f"refused with {answer.status_code}: {answer.text}")
        while True:
            events = session.get(url + answer.json()["url"]).json()["events"]
            states = [event["status"] for event in events]
            if "durable" not in states:
                break
            time.sleep(0.2)
        print(f"{len(states)} durable; {({state: states.count(state) for state in set(states)})}")


main()
