"""The worker as a child process: started when a rule is on, stopped with the explorer, even by kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path


class Worker:
    """One worker on one store. It ends when the pipe to its stdin closes, so it never outlives its parent."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._process is not None and self._process.poll() is None

    def want(self, wanted: bool) -> None:
        """Start or stop it. One that ends by itself is started again, a few times."""
        if not wanted:
            self.stop()
        elif not self.running and self._failures < 3:
            if self._process is not None:
                self._failures += 1
            self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tracetui", "worker", str(self._store), "--parent-fd", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # the terminal's ctrl+c is not meant for it
        )

    @property
    def trouble(self) -> str:
        """Why rules do not run; empty: they do, or nobody wants them to."""
        return "the rules' worker does not start" if self._failures >= 3 else ""

    def stop(self) -> None:
        """Let it finish what it is writing, then end it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
            return
        process.kill()
        process.wait()
