"""What becomes of the programs that a page started when the page ends."""

import os
import signal

import pytest

from dashboard import jobs as module
from dashboard.jobs import JobKind
from tests.support.page_programs import begun
from tests.support.page_programs import soon as soon
from tests.support.page_programs import with_jobs as with_jobs

pytestmark = pytest.mark.usefixtures("soon")


@pytest.mark.parametrize("kind", [JobKind.preview, JobKind.flush])
def test_what_belongs_to_the_page_ends_with_it(with_jobs, tmp_path, kind):
    async def talk(jobs):
        job = await begun(jobs, kind)
        await jobs.close()
        assert job.process.poll() == 130
        assert list(tmp_path.iterdir()) == []

    with_jobs(talk)


def test_the_end_of_the_page_leaves_a_session_and_an_export_alone(with_jobs, tmp_path):
    async def talk(jobs):
        going_on = [await begun(jobs, kind) for kind in (JobKind.run, JobKind.export)]
        await jobs.close()
        try:
            for job in going_on:
                assert os.waitpid(job.process.pid, os.WNOHANG) == (0, 0), "it runs"
            assert {path.name for path in tmp_path.iterdir()} == {job.log.name for job in going_on}
        finally:
            for job in going_on:
                os.kill(job.process.pid, signal.SIGKILL)
                os.waitpid(job.process.pid, 0)

    with_jobs(talk)


def test_one_that_hears_no_signal_ends_with_its_input(with_jobs, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)

    async def talk(jobs):
        job = await begun(jobs, JobKind.flush, "deaf")
        await jobs.close()
        code = job.process.returncode
        if code == 0:
            # It was let go before it had ended.
            code = os.waitstatus_to_exitcode(os.waitpid(job.process.pid, 0)[1])
        assert code == 7

    with_jobs(talk)
