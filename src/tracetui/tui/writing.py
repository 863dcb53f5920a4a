"""A thread that writes what a person says, in the order it was said, so that the screen never waits for the store."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracetui.model.errors import StoreError

if TYPE_CHECKING:
    from tracetui.store.people import Scorer

BUSY = "The store is busy"


@dataclass(slots=True, eq=False)
class Job:
    """Something to write. `write` gets the scorer and the job, whose `progress` and `cancelled` it passes on."""

    topic: str
    write: Callable[[Scorer, Job], Any]
    about: Any = None
    """Whatever the one who asked needs to know when it is done."""
    deliver: Callable[[Written], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self.began

    def progress(self, done: int, total: int) -> None:
        """Say how far it is."""
        if self.deliver is not None:
            self.deliver(Written(self, done=done, total=total))

    def cancelled(self) -> bool:
        """Whether somebody wants it to stop."""
        return self.stop.is_set()


class Written(NamedTuple):
    """News of a job: how far it is (`total` > 0), its result, or why there is none."""

    job: Job
    value: Any = None
    error: Exception | None = None
    done: int = 0
    total: int = 0


class Writing:
    """Writes jobs one after the other. A busy store is waited for: no job is dropped because of it."""

    def __init__(self, path: Path, author: str) -> None:
        self._path, self._author = path, author
        self._jobs: deque[Job] = deque()
        self._now: Job | None = None
        self._lock = threading.Condition()
        self._closed = False
        self._deliver: Callable[[Written], None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"writing {path.name}")
        self.busy = ""
        """Why jobs are waiting; empty: they are not."""

    def start(self, deliver: Callable[[Written], None]) -> None:
        """Begin. `deliver` is called in the writing thread."""
        self._deliver = deliver
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Write this after what was submitted before it."""
        with self._lock:
            job.deliver = self._deliver
            self._jobs.append(job)
            self._lock.notify()

    def waiting(self) -> tuple[int, float]:
        """How many jobs are not written yet, and how old the oldest is, in seconds."""
        with self._lock:
            jobs = [*([self._now] if self._now else []), *self._jobs]
            return len(jobs), jobs[0].age if jobs else 0.0

    def cancel(self) -> bool:
        """Stop the job that is being written; what it wrote till now can be undone. Whether there was one."""
        with self._lock:
            if self._now is None:
                return False
            self._now.stop.set()
            return True

    def close(self) -> None:
        """Write what is left, then stop. A busy store is not waited for any longer."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        from tracetui.store.people import Scorer  # before the first score, which is not to wait for it

        scorer: Scorer | None = None
        try:
            while (job := self._next()) is not None:
                try:
                    if scorer is None:
                        scorer = Scorer(self._path, self._author)
                    news = Written(job, job.write(scorer, job))
                except StoreError as error:
                    if error.title == BUSY and not self._closed:
                        self._put_back(job, error)
                        continue
                    news = Written(job, error=error)
                except Exception as error:  # noqa: BLE001 - the thread's boundary: the screen says what it was
                    news = Written(job, error=error)
                self._tell(news)
        finally:
            if scorer is not None:
                scorer.close()

    def _next(self) -> Job | None:
        with self._lock:
            while not self._jobs:
                if self._closed:
                    return None
                self._lock.wait()
            self._now = self._jobs.popleft()
            return self._now

    def _put_back(self, job: Job, error: StoreError) -> None:
        with self._lock:
            self.busy = error.message
            self._jobs.appendleft(job)
            self._now = None

    def _tell(self, news: Written) -> None:
        with self._lock:
            self._now = None
            self.busy = ""
        if self._deliver is not None and not self._closed:
            self._deliver(news)
