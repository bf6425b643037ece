"""The fetching processes: each host belongs to one of them, chosen by the hash of its name."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from groundwork.artifacts import sha256_bytes
from groundwork.crawl.job import Answer, Ask, read_answer, to_line
from groundwork.errors import InputError

SOURCE_DIR = Path(__file__).resolve().parents[2]
"""The folder that holds `groundwork`: a process must run this code, not an installed copy."""
LINE_BYTES = 1 << 26
"""Longest line with an `Answer`: more than `MAX_LISTED_BYTES`, and six times `MAX_LINKS_BYTES`, for
JSON writes a letter beyond ASCII as `\\uXXXX`."""
GRACE_S = 10.0
"""A process whose input has ended ends at once, unless a parser hangs in it."""


def owner(url: str, processes: int) -> int:
    """Number of the process that a URL's host belongs to; ports do not matter."""
    host = urlsplit(url).hostname or ""
    return int(sha256_bytes(host.encode())[:8], 16) % processes


@dataclass(slots=True)
class Worker:
    """One process, the answers that are waited for, and the task that reads them."""

    process: Process
    waiting: dict[tuple[str, str], asyncio.Future[Answer]] = field(default_factory=dict)
    reading: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """Raises: `InputError` when the process is gone."""
        assert self.process.stdin is not None
        assert self.reading is not None
        if self.reading.done():
            raise InputError(f"{ask.url}: {broken_off(await self.process.wait())}")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        assert (ask.kind, ask.url) not in self.waiting
        self.waiting[ask.kind, ask.url] = future
        self.process.stdin.write(to_line(ask))
        return await future

    async def read(self) -> None:
        """Hand out answers until the process ends; what is still waited for fails then."""
        assert self.process.stdout is not None
        try:
            while line := await self.process.stdout.readline():
                answer = read_answer(line)
                future = self.waiting.pop((answer.kind, answer.fetched.url), None)
                if future is not None and not future.done():
                    future.set_result(answer)
        except BaseException:  # a cancelled reader, too, must leave no process behind
            self.process.kill()
            raise
        finally:
            status = await self.process.wait()
            for (_, url), future in sorted(self.waiting.items()):
                if not future.done():
                    future.set_exception(InputError(f"{url}: {broken_off(status)}"))

    async def close(self) -> None:
        """End the process; what it was about to answer is not waited for."""
        assert self.process.stdin is not None
        assert self.reading is not None
        self.waiting.clear()
        self.process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_S):
                await asyncio.shield(self.reading)
        except TimeoutError:
            self.process.kill()
            await self.reading


class Fleet:
    """Asynchronous context manager: starts a process when the first of its hosts is asked."""

    def __init__(self, folder: Path, *, processes: int, inherit: Sequence[int]) -> None:
        """`folder` holds the job and the bodies; `inherit` are open files to pass on."""
        self.folder, self.inherit = folder, inherit
        self.workers: list[Worker | None] = [None] * processes
        self._starting = asyncio.Lock()

    async def ask(self, ask: Ask) -> Answer:
        """Let the process that owns the host answer. Raises: `InputError` when it breaks off."""
        number = owner(ask.url, len(self.workers))
        async with self._starting:
            worker = self.workers[number]
            if worker is None:
                worker = self.workers[number] = await self._start()
        return await worker.ask(ask)

    async def _start(self) -> Worker:
        paths = [str(SOURCE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "groundwork.crawl.worker", str(self.folder)),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=PIPE,
            stdout=PIPE,
            limit=LINE_BYTES,
            pass_fds=tuple(self.inherit),
        )
        worker = Worker(process)
        worker.reading = asyncio.create_task(worker.read())
        return worker

    async def __aenter__(self) -> "Fleet":
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker is not None:
                await worker.close()


def broken_off(status: int) -> str:
    """What the exit status of a fetching process says."""
    if status == -signal.SIGALRM:
        return "the crawl hung past crawl.max_total_s and was ended; try a smaller crawl.max_pages"
    return f"the crawl broke off with exit status {status}; its messages are above"
