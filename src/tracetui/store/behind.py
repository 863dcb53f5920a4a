"""A writer in a process of its own: an import reads on while it writes.

Threads do not help here: reading and writing both hold the interpreter's lock most of the time. The child takes pickled
batches from its parent over a socket and answers each with its counts; it ends when the parent does.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from tracetui.model.errors import StoreError
from tracetui.model.records import Batch, Counts
from tracetui.store.db import connect_write
from tracetui.store.writer import Writer

_DEEP = 2_000
"""Levels that a pickler must be able to go down: JSON is read to about a thousand."""
AHEAD = 3
"""Batches that wait for the child at most: memory stays bounded."""


class WriterProcess:
    """Writes batches into one store as a `Writer` does, behind its caller's back.

    Raises `StoreError` where the store cannot be opened, and from `write` and `flush` what went wrong since.
    """

    def __init__(self, path: str | Path, *, create: bool = False) -> None:
        connect_write(path, create=create).close()  # what is wrong with the path is said here and now
        self._pipe, theirs = Pipe()
        command = [sys.executable, "-m", "tracetui.store.behind", str(path), str(theirs.fileno())]
        self._child = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._waiting = 0

    def __enter__(self) -> WriterProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, batch: Batch) -> Counts:
        """Hand a batch over. Returns what was new in the batches that were written meanwhile."""
        counts = Counts()
        while self._waiting >= AHEAD or (self._waiting and self._pipe.poll()):
            counts.add(self._answer())
        try:
            self._pipe.send_bytes(_packed(batch))
        except OSError:
            raise self._gone() from None
        self._waiting += 1
        return counts

    def flush(self) -> Counts:
        """Wait until everything is written."""
        counts = Counts()
        while self._waiting:
            counts.add(self._answer())
        return counts

    def close(self) -> None:
        """End the child; what was handed over is written first."""
        self._pipe.close()
        self._child.wait()

    def _answer(self) -> Counts:
        self._waiting -= 1
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise self._gone() from None
        if isinstance(answer, Counts):
            return answer
        if isinstance(answer, RuntimeError):
            raise answer
        raise StoreError(*answer)

    def _gone(self) -> StoreError:
        self._waiting = 0
        return StoreError(
            "Writing ended", "The process that writes the store was ended.", "What is written stays; import again."
        )


def _packed(batch: Batch) -> bytes:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + _DEEP)
    try:
        return pickle.dumps(batch, protocol=5)
    finally:
        sys.setrecursionlimit(limit)


def serve(path: str, pipe: Connection) -> None:
    """The child: write what comes until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; what was handed over is written
    with Writer(path) as writer:
        while True:
            try:
                batch: Batch = pickle.loads(pipe.recv_bytes())
            except (EOFError, OSError):
                return
            answer: Any
            try:
                answer = writer.write(batch)
            except StoreError as error:
                answer = (error.title, error.message, error.hint)
            except Exception as error:  # noqa: BLE001 - the process's boundary: the parent says what it was
                answer = RuntimeError(f"{type(error).__name__}: {error}")
                answer.add_note(traceback.format_exc())
            try:
                pipe.send(answer)
            except OSError:
                return


if __name__ == "__main__":
    serve(sys.argv[1], Connection(int(sys.argv[2])))
