"""What the page starts: a session, a preview, a flush, an export. Each is a `rigloop` command, a process of its own.

A session must not end with the page: it runs in a session of its own (in the sense of the system), and what it says
goes to a file, not to a pipe that could break. A preview or flush ends with the page, whatever ends that, since its
standard input does. Used by the thread of the server's event loop.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import InputError
from dashboard.job_logs import log_path, remove, remove_left, said

LOOK_S = 0.2
"""Time between two looks whether a program has ended."""
SAYING_LOOKS = 5
"""Every so many looks it is told what programs say: a bar of progress moves ten times a second."""
PATIENCE_S = 10.0
"""A preview that is to make room for a session has this long to end; a camera that hangs takes as long."""
KEPT = 20
"""Programs that have ended, and of which what they said is still known."""
EXPORTS = 2
"""Exports at a time: each reads and writes gigabytes, beside a session that records."""


class JobKind(Enum):
    """What a program does, by its `rigloop` command."""

    run = "run"
    preview = "preview"
    flush = "flush"
    export = "export"


AskEnd = Callable[[str, str, Callable[[], None]], bool]

ON_RIG = frozenset({JobKind.run, JobKind.preview, JobKind.flush})
"""Of these one runs at a time."""
WITH_PAGE = frozenset({JobKind.preview, JobKind.flush})
"""These end with the page."""


@dataclass(eq=False, slots=True)
class Job:
    """One program.

    Attributes
    ----------
    number : int
        From 1.
    kind : JobKind
    subject : str
        What it is for: a mouse, a rig or a session.
    who : str
        Who started it.
    process : Popen
    log : Path
        What it says.
    code : int or None
        Its exit code, once it has ended; negative: the signal that killed it.
    stops : list of str
        Who asked it to end.
    told : int
        How long its log was when every browser was last told of it, bytes.
    """

    number: int
    kind: JobKind
    subject: str
    who: str
    process: subprocess.Popen[bytes]
    log: Path
    code: int | None = None
    stops: list[str] = field(default_factory=list)
    told: int = 0

    @property
    def live(self) -> str:
        """The name of its link, while a page can look at it."""
        return f"{'session' if self.kind is JobKind.run else self.kind.value}-{self.process.pid}"

    def interrupt(self) -> None:
        """Ask it to end as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def says_more(self) -> bool:
        """Return whether it has said something since the last call."""
        before = self.told
        with suppress(OSError):
            self.told = self.log.stat().st_size
        return self.told != before

    def facts(self) -> dict[str, Any]:
        """Return what the page is told of it."""
        return {
            "number": self.number,
            "do": self.kind.value,
            "subject": self.subject,
            "who": self.who,
            "pid": self.process.pid,
            "code": self.code,
            "stops": list(self.stops),
            "said": said(self.log),
        }


class Jobs:
    """The programs of one page.

    Parameters
    ----------
    command : sequence of str
        What runs `rigloop`, such as ``(python, "-m", "cli.main")``.
    root : Path
        The folder in which it runs.
    logs : Path
        An existing folder of this user's, for what they say.
    changed : callable
        Called when one has begun, said something, was asked to end, or has ended.
    ask_end : callable
        ``ask_end(name, who, otherwise)``: asks a session that is looked at to end, so that it records by whose wish;
        calls ``otherwise`` if it does not. Returns False where none of this name is looked at.
    """

    def __init__(
        self, command: Sequence[str], root: Path, logs: Path, changed: Callable[[], None], ask_end: AskEnd
    ) -> None:
        self._command = tuple(command)
        self._root = root
        self._logs = logs
        remove_left(logs)
        self._changed = changed
        self._ask_end = ask_end
        self._jobs: list[Job] = []
        self._number = 0
        self._looking: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    def listed(self) -> list[dict[str, Any]]:
        """Return the facts of those that run and of those that ended last, the oldest first."""
        return [job.facts() for job in self._jobs]

    def one(self, number: int) -> Job:
        """Return one. Raises InputError."""
        for job in self._jobs:
            if job.number == number:
                return job
        raise InputError(f"job {number}: there is none; reload the page")

    async def start(self, kind: JobKind, words: Sequence[str], subject: str, who: str) -> Job:
        """Start a command; a session ends the preview that runs, and waits for its end.

        Parameters
        ----------
        kind : JobKind
        words : sequence of str
            Its options.
        subject, who : str

        Raises
        ------
        InputError
            Another one has the rig, a preview does not end, there are as many exports as may be at a time, or the
            program cannot be started.
        """
        async with self._starting:
            await self._make_room(kind, who)
            job = self._spawn(kind, words, subject, who)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        self._changed()
        return job

    def stop(self, job: Job, who: str) -> None:
        """Ask one to end: a session through its link, any other (and whoever is asked again) as Ctrl-C does.

        Of one that has ended nothing is asked.
        """
        if job.code is not None or job.process.poll() is not None:
            return
        again = bool(job.stops)
        if who not in job.stops:
            job.stops.append(who)
        if again or job.kind is not JobKind.run or not self._ask_end(job.live, who, job.interrupt):
            job.interrupt()
        self._changed()

    async def close(self) -> None:
        """End what ends with the page, and remove what was said by those that have ended; a session goes on."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        for job in self._jobs:
            if job.kind in WITH_PAGE and job.process.poll() is None:
                job.interrupt()
        for job in self._jobs:
            if job.kind in WITH_PAGE:
                await self._until_ended(job)
            if job.process.stdin is not None:
                job.process.stdin.close()
            if job.process.poll() is None:
                # A session that goes on is nobody's child from here on; it says on what it has to say.
                job.process.returncode = 0
            else:
                remove(job.log)

    async def _make_room(self, kind: JobKind, who: str) -> None:
        if kind is JobKind.export:
            running = [each for each in self._jobs if each.kind is kind and each.process.poll() is None]
            if len(running) >= EXPORTS:
                raise InputError(f"export: {EXPORTS} run already; wait until one of them is done")
        if kind not in ON_RIG:
            return
        for job in [each for each in self._jobs if each.kind in ON_RIG and each.process.poll() is None]:
            if not (job.kind is JobKind.preview and kind in (JobKind.run, JobKind.preview)):
                raise InputError(f"{kind.value}: a {job.kind.value} of {job.subject} runs; stop it first")
            self.stop(job, who)
            if not await self._until_ended(job):
                raise InputError(
                    f"{kind.value}: the preview of {job.subject} has not ended within {PATIENCE_S:g} s; try again"
                )

    async def _until_ended(self, job: Job) -> bool:
        for _ in range(round(PATIENCE_S / LOOK_S)):
            if job.process.poll() is not None:
                return True
            await asyncio.sleep(LOOK_S)
        return False

    def _spawn(self, kind: JobKind, words: Sequence[str], subject: str, who: str) -> Job:
        """Start the process. Raises InputError."""
        self._number += 1
        log = log_path(self._logs, self._number)
        with_page = kind in WITH_PAGE
        try:
            with log.open("wb") as file:
                process = self._process([*self._command, kind.value, *words], file, with_page)
        except OSError as error:
            remove(log)
            raise InputError(
                f"{kind.value}: cannot be started ({error.strerror}); end other programs, or free space in {self._logs}"
            ) from error
        job = Job(self._number, kind, subject, who, process, log)
        self._jobs.append(job)
        self._forget()
        return job

    def _process(self, words: Sequence[str], log: BinaryIO, with_page: bool) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - a list of words, no shell; no word of a person's is an option
            words,
            cwd=self._root,
            stdin=subprocess.PIPE if with_page else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _forget(self) -> None:
        """Forget the oldest of those that have ended."""
        ended = [job for job in self._jobs if job.code is not None]
        for job in ended[: max(0, len(ended) - KEPT)]:
            self._jobs.remove(job)
            remove(job.log)

    async def _look(self) -> None:
        """Tell what each program says, and its end."""
        looks = 0
        while running := [job for job in self._jobs if job.code is None]:
            await asyncio.sleep(LOOK_S)
            looks += 1
            news = [job for job in running if looks % SAYING_LOOKS == 0 and job.says_more()]
            for job in running:
                if (code := job.process.poll()) is not None:
                    job.code = code
                    news.append(job)
                    if job.process.stdin is not None:
                        job.process.stdin.close()
            if news:
                self._changed()
