"""Programs of a page with a small one in their place, and an event loop in which a test talks with them."""

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from dashboard import jobs as module
from dashboard.job_logs import said
from dashboard.jobs import Jobs

PROGRAM = """
import os, select, signal, sys
how, *more = sys.argv[2:]
if how == "say":
    sys.stdout.write(more[0])
    sys.exit()
if how == "end":
    print("as asked", file=sys.stderr)
    sys.exit(int(more[0]))
heard, hears = os.pipe()
os.set_blocking(hears, False)
signal.set_wakeup_fd(hears)
signal.signal(signal.SIGINT, signal.SIG_IGN if how == "deaf" else lambda *_: None)
print("ready", flush=True)
with_page = sys.argv[1] in ("preview", "flush")
begun = select.select([heard, *[0] * with_page], [], [])[0]
sys.exit(130 if heard in begun else 7)
"""
"""``how``: ``say TEXT``, ``end CODE``, ``wait`` for Ctrl-C (exit code 130), or be ``deaf``; 7: its input ended."""


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.01)


class Told:
    """How often every browser was told."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1


def nobody_looks(name, who, otherwise):
    return False


@pytest.fixture
def with_jobs(tmp_path, soon):
    """Run a test's talk with jobs, in an event loop; then end whatever it left."""

    @asynccontextmanager
    async def made():
        jobs = Jobs((sys.executable, "-ISc", PROGRAM), tmp_path, tmp_path, Told(), nobody_looks)
        try:
            yield jobs
        finally:
            for job in list(jobs._jobs):
                if job.process.poll() is None:
                    job.process.kill()
                    job.process.wait(10)
            await jobs.close()

    def run(talk):
        async def whole():
            async with made() as jobs:
                await asyncio.wait_for(talk(jobs), 60)

        asyncio.run(whole())

    return run


async def until(holds):
    while not holds():
        await asyncio.sleep(0.005)


async def begun(jobs, kind, how="wait", subject="M1"):
    job = await jobs.start(kind, [how], subject, "anna")
    await until(lambda: "ready" in said(job.log))
    return job


def codes(jobs):
    return {fact["number"]: fact["code"] for fact in jobs.listed()}
