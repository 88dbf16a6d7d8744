"""How many updates a browser gets beside one that never reads: it needs the machine for itself."""

import time

from bench.page_clients import never_read
from tests.support.page_server import Server, running, shown

SPAN_S = 5


def test_a_browser_that_never_reads_costs_the_others_nothing(tmp_path):
    with Server() as server, running(tmp_path) as (_, name), server.browser() as browser:
        shown(browser, name)
        # It takes so little that the server has to wait for it at once.
        with never_read(server.port, name):
            end = time.monotonic() + SPAN_S
            before = len(browser.updates)
            while time.monotonic() < end:
                browser.take()
            assert len(browser.updates) - before >= SPAN_S * 14
