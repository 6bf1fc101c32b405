"""Opens many streams of /v1/events on loopback and says when each was told of a new edition: `streams.py PORT COUNT`.

Prints `open` when every stream has said which edition there is. When every stream has been told of another one, prints a JSON
object: the moments (Unix seconds) at which the first and the last were told, and how many were. Bounded: COUNT is at most
10,000, the address is 127.0.0.1, and it ends after two minutes.
"""

import asyncio
import json
import sys
import time

PORT, COUNT = int(sys.argv[1]), min(int(sys.argv[2]), 10_000)
ASKED = b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"


async def told(reader, known):
    """The id of the next event with another id than the known one."""
    while True:
        line = await reader.readuntil(b"\n")
        if line.startswith(b"id: ") and line.strip() != known:
            return line.strip()


async def one(turns, told_first):
    async with turns:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=4096)
        writer.write(ASKED)
        known = await told(reader, None)
        told_first.append(known)
    if len(told_first) == COUNT:
        print("open", flush=True)
    await told(reader, known)
    at = time.time()
    writer.close()
    return at


async def main():
    # So many at once that the queue of the listener does not overflow.
    turns, told_first = asyncio.Semaphore(100), []
    async with asyncio.timeout(120):
        moments = await asyncio.gather(*(one(turns, told_first) for _ in range(COUNT)))
    print(json.dumps({"told": len(moments), "first": min(moments), "last": max(moments)}))


asyncio.run(main())
