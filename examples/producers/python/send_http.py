"""Sends events to the agencies' door and follows its receipt until each event is in the lake.

    GATEWAY_URL=http://127.0.0.1:8081 GATEWAY_KEY=… python send_http.py --agency LAB-SD --events 25

What matters in it: one Idempotency-Key for a body, kept until there was an answer, so that a retry never counts twice; 429 and
503 wait and send the same again; every other refusal names the line and is mended, not repeated.
"""

import argparse
import os
import time
import uuid

import requests

from amanat_event import inspection, line

AGAIN = {429, 503}


def send(session, url, lines):
    body = "\n".join(lines).encode()
    headers = {"content-type": "application/x-ndjson", "Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(8):
        try:
            answer = session.post(f"{url}/v1/events", data=body, headers=headers, timeout=60)
        except requests.ConnectionError:
            time.sleep(2**attempt / 4)  # whether it was taken is not known: the same key makes the same again harmless
            continue
        if answer.status_code not in AGAIN:
            return answer
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    raise SystemExit("the door did not take the events; try again later with the same file and key")


def follow(session, url, receipt):
    """Waits until every event of a receipt is beyond the log; gives how many became what."""
    while True:
        answer = session.get(url + receipt, timeout=60)
        answer.raise_for_status()
        states = [event["status"] for event in answer.json()["events"]]
        if "durable" not in states:
            return {state: states.count(state) for state in set(states)}
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agency", required=True)
    parser.add_argument("--events", type=int, default=25)
    arguments = parser.parse_args()
    url = os.environ["GATEWAY_URL"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {os.environ['GATEWAY_KEY']}"
        answer = send(session, url, [line(inspection(arguments.agency)) for _ in range(arguments.events)])
        taken = answer.json()
        for result in taken.get("results", []):
            if result["status"] != 202:
                print("refused:", result)
        answer.raise_for_status()
        print(f"{taken['accepted']} durable; {follow(session, url, taken['url'])}")


main()
