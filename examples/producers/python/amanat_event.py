"""An event of this example: an inspection of a workplace. It names nobody."""

import json
import secrets
import time
from datetime import datetime, timezone

LETTERS = "bcdfghjkmnpqrstvwxz"


def uuid7():
    """A UUID of version 7 (RFC 9562). Python 3.14 has `uuid.uuid7`."""
    milliseconds, chance = int(time.time() * 1000), secrets.randbits(74)
    number = milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & ((1 << 62) - 1)
    text = f"{number:032x}"
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def inspection(agency):
    """A structured CloudEvent. `subject` is your own record, as an opaque name that you keep beside its number."""
    return {
        "specversion": "1.0",
        "id": uuid7(),
        "source": f"urn:pk:tip:{agency}",
        "type": "pk.tip.inspection.conducted",
        "dataschema": "https://schemas.amanat.example/inspection.conducted/v1",
        "subject": f"{agency}/{''.join(secrets.choice(LETTERS) for _ in range(20))}",
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": {
            "record_version": 1,
            "occurred_on": "2026-02-03",
            "place": "PK-SD-HYD",
            "sector": "brick_kiln",
            "kind": "bonded",
            "outcome": ["violation_noted", "bonded_labour_found"],
            "workers": 30,
            "released": 12,
        },
    }


def line(event):
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
