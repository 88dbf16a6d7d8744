"""Networks that do what a user's network should not."""

import time

import brian2 as b2

from tests.support.networks import tiny

FAILS_AFTER_S = 1.0


def _after(tissue, call):
    """Call something a second after the first frame, from inside the network."""
    start = FAILS_AFTER_S + tissue.settle_s

    @b2.network_operation(dt=1 * b2.ms)
    def act(t):
        if t >= start * b2.second:
            call()

    tissue.network.add(act)
    return tissue


def raises(preparation):
    def fail():
        raise ZeroDivisionError("as this network was told to")

    return _after(tiny.build(preparation), fail)


def hangs(preparation):
    def hang():
        while True:
            time.sleep(60)

    return _after(tiny.build(preparation), hang)


def hangs_in_build(preparation):
    time.sleep(600)


def is_slow(preparation):
    asked = []

    def sleep_once():
        if not asked:
            asked.append(True)
            time.sleep(1.0)

    return _after(tiny.build(preparation), sleep_once)
