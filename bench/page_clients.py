"""Browsers of a benchmark, in a process of their own: some read and count what comes, others never read.

``python -m bench.page_clients PORT READERS DEAF`` looks at the newest session, says ``ready`` once everybody has seen
something of it, and answers each line of two times (of the monotonic clock, ns) with what came between them, as JSON.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sys
import time
from collections.abc import Sequence
from itertools import pairwise

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.typing import Origin
from websockets.uri import parse_uri

HOST = "127.0.0.1"
DEAF_BYTES = 4096
"""What the system takes for one that never reads: so little that the server notices at once."""
PATIENCE_S = 30.0


def session_at(port: int) -> str:
    """Return the name of the newest session that the page shows. Raises SystemExit where none comes."""
    for _ in range(round(PATIENCE_S / 0.1)):
        asked = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_S)
        asked.request("GET", "/api/state")
        live = json.loads(asked.getresponse().read())["live"]
        asked.close()
        if live:
            return str(live[-1]["name"])
        time.sleep(0.1)  # noqa: TID251 - no part of what is measured
    raise SystemExit("bench_page: the page finds no session")


def origin_of(port: int) -> Origin:
    """Return what a browser says it comes from."""
    return Origin(f"http://{HOST}:{port}")


def look(name: str) -> str:
    """Return the message that asks for a session."""
    return json.dumps({"id": 1, "do": "look", "live": name})


async def count(socket_of: ClientConnection, name: str, times: list[int]) -> None:
    """Look at a session, and note when each update came."""
    await socket_of.send(look(name))
    async for message in socket_of:
        if isinstance(message, bytes):
            times.append(time.monotonic_ns())


def never_read(port: int, name: str) -> socket.socket:
    """Return a connection that looks at a session and takes nothing of it."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DEAF_BYTES)
    deaf.connect((HOST, port))
    protocol = ClientProtocol(parse_uri(f"ws://{HOST}:{port}/ws"), origin=origin_of(port))
    protocol.send_request(protocol.connect())
    deaf.sendall(b"".join(protocol.data_to_send()))
    protocol.receive_data(deaf.recv(DEAF_BYTES))
    if protocol.handshake_exc is not None:
        raise protocol.handshake_exc
    protocol.send_text(look(name).encode())
    deaf.sendall(b"".join(protocol.data_to_send()))
    return deaf


def between(times: Sequence[int], start_ns: int, end_ns: int) -> dict[str, float]:
    """Return updates per second between two times, and the longest time without one, ms."""
    some = [each for each in times if start_ns <= each <= end_ns]
    edges = [start_ns, *some, end_ns]
    return {
        "rate": len(some) * 1e9 / (end_ns - start_ns),
        "gap": max(b - a for a, b in pairwise(edges)) / 1e6,
    }


async def run(port: int, readers: int, deaf: int) -> None:
    """Look until the input ends."""
    name = session_at(port)
    silent = [never_read(port, name) for _ in range(deaf)]
    times: list[list[int]] = [[] for _ in range(readers)]
    address, origin = f"ws://{HOST}:{port}/ws", origin_of(port)
    sockets = [await connect(address, origin=origin, compression=None, max_size=None) for _ in range(readers)]
    tasks = [asyncio.create_task(count(*each)) for each in zip(sockets, [name] * readers, times, strict=True)]
    while not all(times):
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        start_ns, end_ns = map(int, line.split())
        print(json.dumps([between(each, start_ns, end_ns) for each in times]), flush=True)
    for task in tasks:
        task.cancel()
    for each in silent:
        each.close()


if __name__ == "__main__":
    asyncio.run(run(*map(int, sys.argv[1:4])))
