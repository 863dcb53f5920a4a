"""The worker: a process that judges what becomes ready, until it is stopped or its parent is gone."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tracetui.evaluate import following
from tracetui.evaluate.calm import rare_collections
from tracetui.evaluate.engine import Engine, Event
from tracetui.evaluate.following import Watched
from tracetui.model.errors import RulesError, StoreError
from tracetui.model.times import now_us
from tracetui.store import rules as stored
from tracetui.store.db import explained
from tracetui.store.ready import sweep

POLL_S = 0.2
"""How often it looks whether another process wrote."""
LOOK_S = 1.0
"""How often it looks at what becomes ready by waiting, and at the rules file."""
GRACE_S = 3.0
"""How long it may take to end once it is told to or its parent is gone: what it was judging then falls to the next."""
_SWEEPS = 20


class Worker:
    """Follows a store and its rules file until `stop` is called (by any thread) or the given function says so."""

    def __init__(
        self,
        store: Path,
        rules: Path | None = None,
        *,
        tell: Callable[[Event], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self._ended = threading.Event()
        self._tell = tell
        self._clock = clock
        self._file = Watched(rules or following.default_file(store))
        self._asked = stop
        self._engine = Engine(store, stop=self._stopped, tell=tell, clock=clock)
        self._looked = -LOOK_S

    def stop(self) -> None:
        """End soon: what is judged is written, lanes are given back."""
        self._ended.set()

    def _stopped(self) -> bool:
        return self._ended.is_set() or self._asked()

    def run(self) -> None:
        """Work until stopped. Raises `StoreError` where the store can no longer be used."""
        try:
            with rare_collections(), explained(self._engine.conn):
                while not self._stopped():
                    if not self._turn():
                        self._wait()
        finally:
            self._engine.close()

    def _turn(self) -> bool:
        try:
            self._look()
            return self._engine.turn()
        except (StoreError, sqlite3.OperationalError) as error:
            if not _is_busy(error):
                raise
            self._tell(("busy", "", "another process has kept the store locked; trying again"))
            return False

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        if self._file.changed():
            self._follow()
        for _ in range(_SWEEPS):
            if self._stopped() or not sweep(self._engine.conn, self._clock()):
                break

    def _follow(self) -> None:
        """A rules file that cannot be read changes nothing: the rules that run go on."""
        try:
            file = self._file.read()
        except RulesError as error:
            stored.note_trouble(self._engine.conn, error.message)
            self._tell(("rules", "", f"{error.message} {error.hint}".strip()))
            return
        stored.note_trouble(self._engine.conn, None)
        for note in file.notes:
            self._tell(("note", "", note))
        for line in following.in_words(following.sync(self._engine.conn, file)):
            self._tell(("synced", "", line))

    def _wait(self) -> None:
        """Until another process wrote, or it is time to look."""
        conn = self._engine.conn
        version = conn.execute("PRAGMA data_version").fetchone()
        while not self._ended.wait(POLL_S) and not self._asked():
            if time.monotonic() - self._looked >= LOOK_S:
                return
            if conn.execute("PRAGMA data_version").fetchone() != version:
                return


def _is_busy(error: Exception) -> bool:
    """Whether a store could not be written only because another process was writing."""
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def end_with_parent(fd: int, stop: Callable[[], None], *, leave: Callable[[int], None] = os._exit) -> None:
    """Stop when the other end of a pipe is closed, as it is when the parent ends, be it killed.

    A worker in the midst of something long is ended after `GRACE_S`: its claims fall to whoever comes next.
    """

    def watch() -> None:
        with suppress(OSError):
            while os.read(fd, 4096):
                pass
        stop()
        time.sleep(GRACE_S)
        leave(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
