"""Connections that say nothing, half a request, or are too many: they are let go, and others are served."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import uvicorn

from dashboard import connections
from dashboard.connections import Connection

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def server():
    """Yield what connects to a server of such connections."""
    config = uvicorn.Config(page, http=Connection, lifespan="off", log_level="error", timeout_keep_alive=60)
    config.load()
    state = uvicorn.server.ServerState()
    listening = await asyncio.get_running_loop().create_server(
        lambda: Connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    made = []

    async def connect(text=b""):
        made.append(await asyncio.open_connection(*listening.sockets[0].getsockname()))
        made[-1][1].write(text)
        return made[-1]

    try:
        yield connect
    finally:
        listening.close()
        for _, writer in made:
            writer.close()
        while state.connections:
            await asyncio.sleep(0)


async def served(reader):
    return (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("said", [b"", b"GET / HT", ASK, ASK + b"GET /"])
def test_a_connection_that_does_not_say_what_it_wants_is_let_go(monkeypatch, said):
    monkeypatch.setattr(connections, "HEAD_S", 0.02)

    async def talk():
        async with server() as connect:
            reader, _ = await connect(said)
            if said.startswith(ASK):
                assert await served(reader)
            assert await asyncio.wait_for(reader.read(), 10) == b""

    asyncio.run(talk())


def test_of_too_many_those_go_that_wait_and_who_asks_is_served(monkeypatch):
    monkeypatch.setattr(connections, "MOST", 5)

    async def talk():
        async with server() as connect:
            for _ in range(40):
                await connect(b"GET")
            for _ in range(3):
                reader, _ = await connect(ASK)
                assert await asyncio.wait_for(served(reader), 10)

    asyncio.run(talk())
