"""What a browser is sent: the newest update alone, every message, and nothing any more once it takes nothing."""

import asyncio

import pytest
from starlette.websockets import WebSocketDisconnect, WebSocketState

from dashboard.clients import MESSAGES, STUCK_S, Client
from tests.support.jumping_loop import run


class Socket:
    """Takes what is sent, each ``delay_s`` after the one before; gone after ``takes``."""

    def __init__(self, delay_s=0.0, takes=10_000):
        self.sent = []
        self.delay_s, self.takes = delay_s, takes
        self.application_state = WebSocketState.CONNECTED
        self.closed = None

    async def _send(self, data):
        if len(self.sent) >= self.takes:
            raise WebSocketDisconnect(1006)
        await asyncio.sleep(self.delay_s)
        self.sent.append(data)

    send_text = send_bytes = _send

    async def close(self, code):
        await asyncio.sleep(self.delay_s)
        self.closed = code


async def told_while(client, talk):
    """Let a client send while somebody talks to it, and a minute longer."""
    sending = asyncio.create_task(client.send())
    await talk()
    await asyncio.sleep(60)
    ended = sending.done()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    return ended


def test_a_slow_browser_is_sent_the_newest_update_alone():
    socket = Socket(delay_s=1.0)
    client = Client(socket)
    made = []

    async def talk():
        for number in range(100):
            client.give(lambda number=number: made.append(number) or b"%d" % number)
            await asyncio.sleep(0.1)

    run(told_while(client, talk))
    numbers = [int(data) for data in socket.sent]
    assert numbers == made == sorted(set(numbers))
    assert numbers[-1] == 99
    assert 10 <= len(numbers) <= 12
    assert client.skipped == 100 - len(numbers)


def test_an_update_is_made_when_it_is_sent_not_before():
    state = ["old"]
    socket = Socket()
    client = Client(socket)

    async def talk():
        client.give(lambda: state[0].encode())
        state[0] = "new"

    run(told_while(client, talk))
    assert socket.sent == [b"new"]


def test_messages_come_whole_in_order_and_before_the_update():
    socket = Socket()
    client = Client(socket)

    async def talk():
        client.give(lambda: b"update")
        for number in range(5):
            client.tell({"n": number})

    run(told_while(client, talk))
    assert socket.sent == [*(f'{{"n":{number}}}' for number in range(5)), b"update"]


def test_what_was_given_of_a_session_that_is_shown_no_more_is_left_out():
    socket = Socket()
    client = Client(socket)

    async def talk():
        client.give(lambda: b"of the one before")
        client.forget()
        client.tell({"t": "hello"})

    run(told_while(client, talk))
    assert socket.sent == ['{"t":"hello"}']


def test_a_browser_that_takes_nothing_is_let_go():
    client = Client(Socket(delay_s=1e6))

    async def wait():
        client.give(lambda: b"update")
        await client.send()

    _, now = run(wait())
    assert now == pytest.approx(STUCK_S)


def test_messages_that_nobody_takes_are_bounded():
    socket = Socket(delay_s=STUCK_S / 2)
    client = Client(socket)

    async def talk():
        for number in range(10 * MESSAGES):
            client.tell({"n": number})

    ended, _ = run(told_while(client, talk))
    assert ended
    assert len(client._messages) <= MESSAGES


@pytest.mark.parametrize("socket", [Socket(takes=0), Socket(takes=3)])
def test_a_browser_that_has_gone_ends_its_sending(socket):
    client = Client(socket)

    async def talk():
        for number in range(10):
            client.tell({"n": number})
            await asyncio.sleep(0.1)

    ended, _ = run(told_while(client, talk))
    assert ended


@pytest.mark.parametrize("delay_s", [0.0, 1e6])
def test_closing_waits_for_nobody_and_may_be_done_twice(delay_s):
    socket = Socket(delay_s)
    client = Client(socket)

    async def close_twice():
        await client.close()
        socket.application_state = WebSocketState.DISCONNECTED
        await client.close()
        await client.send()

    _, now = run(close_twice())
    assert now <= 1.0
    assert socket.closed == (1001 if delay_s == 0 else None)
