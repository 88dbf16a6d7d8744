"""The programs that a page starts, with a small program in their place: how they begin, end, make room."""

import asyncio
import os
import signal
from contextlib import suppress

import pytest

from core.errors import InputError
from dashboard import jobs as module
from dashboard.job_logs import SAID_BYTES, SAID_LINES, said
from dashboard.jobs import EXPORTS, KEPT, JobKind, Jobs
from tests.support.page_programs import Told, begun, codes, nobody_looks, until
from tests.support.page_programs import soon as soon
from tests.support.page_programs import with_jobs as with_jobs

pytestmark = pytest.mark.usefixtures("soon")


def test_facts_of_one_that_runs_was_stopped_and_has_ended(with_jobs, tmp_path):
    async def talk(jobs):
        job = await begun(jobs, JobKind.run)
        [facts] = jobs.listed()
        assert facts == {
            "number": 1, "do": "run", "subject": "M1", "who": "anna", "pid": job.process.pid, "code": None,
            "stops": [], "said": "ready",
        }  # fmt: skip
        assert jobs.one(1) is job
        # Ctrl-C in the page's terminal, and the terminal's end, are not for it.
        assert os.getsid(job.process.pid) == job.process.pid != os.getsid(0)
        told = jobs._changed.times
        jobs.stop(job, "bert")
        assert jobs._changed.times > told
        await until(lambda: job.code is not None)
        [facts] = jobs.listed()
        assert (facts["code"], facts["stops"]) == (130, ["bert"])
        jobs.stop(job, "carl")
        assert jobs.listed() == [facts], "of one that has ended nothing is asked"

    with_jobs(talk)


def test_what_one_says_is_told_once(with_jobs):
    async def talk(jobs):
        job = await begun(jobs, JobKind.run)
        await until(lambda: job.told)
        told = jobs._changed.times
        await asyncio.sleep(0.05)
        assert jobs._changed.times == told
        with job.log.open("a") as file:
            file.write("more\n")
        await until(lambda: jobs._changed.times > told)
        assert jobs.listed()[0]["said"] == "ready\nmore"

    with_jobs(talk)


def test_a_session_that_is_looked_at_is_asked_to_end_before_it_is_made_to(with_jobs):
    async def talk(jobs):
        asked = []
        jobs._ask_end = lambda *given: bool(asked.append(given)) or True
        job = await begun(jobs, JobKind.run)
        jobs.stop(job, "bert")
        [(name, who, otherwise)] = asked
        assert (name, who, job.stops) == (f"session-{job.process.pid}", "bert", ["bert"])
        await asyncio.sleep(0.05)
        assert job.process.poll() is None
        otherwise()
        await until(lambda: job.code is not None)
        assert job.code == 130
        otherwise()

    with_jobs(talk)


@pytest.mark.parametrize("kind", [JobKind.run, JobKind.preview])
def test_who_is_asked_again_and_what_is_no_session_is_made_to_end(with_jobs, kind):
    async def talk(jobs):
        asked = []
        jobs._ask_end = lambda *given: bool(asked.append(given)) or True
        job = await begun(jobs, kind)
        made = []
        # One that has heard a signal may end before it is asked again.
        job.process.send_signal = made.append
        for who in ("bert", "bert", "carl"):
            jobs.stop(job, who)
        del job.process.send_signal
        assert len(asked) == (kind is JobKind.run)
        assert made == [signal.SIGINT] * (3 - len(asked))
        assert job.stops == ["bert", "carl"]
        jobs.stop(job, "carl")
        await until(lambda: job.code is not None)
        assert job.code == 130

    with_jobs(talk)


@pytest.mark.parametrize("code", [0, 2, 3])
def test_every_browser_is_told_how_one_ended_and_what_it_said_last(with_jobs, code):
    async def talk(jobs):
        seen = []
        jobs._changed = lambda: seen.extend(jobs.listed())
        job = await jobs.start(JobKind.run, ["end", str(code)], "M1", "anna")
        await until(lambda: job.code is not None)
        facts = seen[-1]
        assert (facts["code"], facts["said"]) == (code, "as asked")

    with_jobs(talk)


def test_a_signal_that_killed_one_is_told(with_jobs):
    async def talk(jobs):
        job = await begun(jobs, JobKind.run)
        os.kill(job.process.pid, signal.SIGKILL)
        await until(lambda: job.code is not None)
        assert job.code == -signal.SIGKILL

    with_jobs(talk)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one\n\n  two  \n", "one\n  two"),
        ("\rtrial 1\rtrial 2   \r         \rwarning: dark\n\rtrial 3", "warning: dark\ntrial 3"),
        ("\rtrial 1\rtrial 2\r", "trial 2"),
        ("".join(f"{k}\n" for k in range(99)), "\n".join(map(str, range(99 - SAID_LINES, 99)))),
        ("x" * 100_000, "x" * SAID_BYTES),
    ],
    ids=["nothing", "blank lines", "a bar, then a warning", "a bar", "many lines", "a long line"],
)
def test_what_is_told_of_what_it_said_is_what_a_terminal_shows_last(with_jobs, text, shown):
    async def talk(jobs):
        job = await jobs.start(JobKind.export, ["say", text], "M1", "anna")
        await until(lambda: job.code is not None)
        assert said(job.log) == shown

    with_jobs(talk)


@pytest.mark.parametrize("kind", [JobKind.run, JobKind.preview])
def test_a_preview_makes_room(with_jobs, kind):
    async def talk(jobs):
        preview = await begun(jobs, JobKind.preview)
        job = await begun(jobs, kind, subject="M2")
        assert preview.process.poll() == 130
        assert preview.stops == ["anna"]
        assert job.code is None

    with_jobs(talk)


def test_a_preview_that_does_not_end_is_told(with_jobs, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)

    async def talk(jobs):
        await begun(jobs, JobKind.preview, "deaf")
        with pytest.raises(InputError, match=r"the preview of M1 has not ended within 0\.1 s; try again"):
            await jobs.start(JobKind.run, ["wait"], "M1", "anna")
        assert len(jobs.listed()) == 1

    with_jobs(talk)


@pytest.mark.parametrize(
    ("first", "second"),
    [(a, b) for a in ("run", "flush") for b in ("run", "preview", "flush")] + [("preview", "flush")],
)
def test_the_rig_is_one_programs(with_jobs, first, second):
    async def talk(jobs):
        job = await begun(jobs, JobKind(first))
        with pytest.raises(InputError, match=f"^{second}: a {first} of M1 runs; stop it first$"):
            await jobs.start(JobKind(second), ["wait"], "M2", "bert")
        assert codes(jobs) == {1: None}
        assert job.stops == []

    with_jobs(talk)


def test_two_that_are_asked_for_at_once_are_one_that_begins_and_one_that_is_refused(with_jobs):
    async def talk(jobs):
        asked = [jobs.start(JobKind.run, ["wait"], name, "anna") for name in ("M1", "M2")]
        made = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(each) for each in made] == [module.Job, InputError]

    with_jobs(talk)


def test_exports_run_beside_a_session_but_few_at_a_time(with_jobs):
    async def talk(jobs):
        await begun(jobs, JobKind.run)
        for _ in range(EXPORTS):
            last = await begun(jobs, JobKind.export)
        with pytest.raises(InputError, match="wait until one of them is done"):
            await jobs.start(JobKind.export, ["wait"], "S1", "anna")
        jobs.stop(last, "anna")
        await until(lambda: last.code is not None)
        await begun(jobs, JobKind.export)

    with_jobs(talk)


def test_the_oldest_that_have_ended_are_forgotten_with_what_they_said(with_jobs, tmp_path):
    async def talk(jobs):
        running = await begun(jobs, JobKind.run)
        for _ in range(KEPT + 3):
            job = await jobs.start(JobKind.export, ["end", "0"], "S1", "anna")
            await until(lambda job=job: job.code is not None)
        # What is forgotten makes room for the next.
        await jobs.start(JobKind.export, ["end", "0"], "S1", "anna")
        numbers = [fact["number"] for fact in jobs.listed()]
        assert numbers == [1, *range(5, KEPT + 6)]
        assert {path.name for path in tmp_path.iterdir()} == {f"job-{os.getpid()}-{number}.log" for number in numbers}
        assert running.code is None
        with pytest.raises(InputError, match="job 2: there is none"):
            jobs.one(2)

    with_jobs(talk)


def test_what_cannot_be_started_is_told_and_leaves_nothing(tmp_path):
    async def talk():
        jobs = Jobs((str(tmp_path / "nothing"),), tmp_path, tmp_path, Told(), nobody_looks)
        with pytest.raises(InputError, match=r"^run: cannot be started \(No such file"):
            await jobs.start(JobKind.run, [], "M1", "anna")
        assert jobs.listed() == []
        await jobs.close()

    asyncio.run(talk())
    assert list(tmp_path.iterdir()) == []


def test_what_was_said_to_a_page_that_is_gone_is_removed(tmp_path):
    gone = 2**22 + 1  # above the largest process id
    for name in (f"job-{gone}-1.log", f"job-{os.getppid()}-1.log", "session-7.sock", "job-x.log"):
        (tmp_path / name).touch()
    Jobs((), tmp_path, tmp_path, Told(), nobody_looks)
    assert {path.name for path in tmp_path.iterdir()} == {f"job-{os.getppid()}-1.log", "session-7.sock", "job-x.log"}


def test_a_log_that_is_gone_is_no_harm(with_jobs):
    async def talk(jobs):
        job = await begun(jobs, JobKind.run)
        with suppress(OSError):
            job.log.unlink()
        assert jobs.listed()[0]["said"] == ""

    with_jobs(talk)
