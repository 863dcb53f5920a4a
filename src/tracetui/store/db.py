"""Opening a store, and the only shape of a write transaction.

Readers and writers are plain `sqlite3`. Waiting is done here, by retrying every half millisecond: SQLite's own
`busy_timeout` sleeps longer each time and starves whoever writes little beside a bulk import.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

from tracetui.model.errors import StoreError
from tracetui.store import migrate
from tracetui.store.version import APPLICATION_ID, MIN_SQLITE, SCHEMA_VERSION

PAGE_SIZE = 8192
RETRY_S = 0.0005
WAIT_S = 20.0
"""How long a writer waits for another before it gives up with a message."""
PASSIVE_BYTES = 16 * 2**20
RESTART_BYTES = 64 * 2**20
_ROOM_BYTES = 64 * 1024


def connect_write(path: str | Path, *, create: bool = False, wait: float = WAIT_S) -> sqlite3.Connection:
    """A connection that may write. Makes the store where it is missing and `create` is true; migrates an older one.

    Raises `StoreError` for a missing path, a directory, a foreign or damaged file, a newer store, and a file that
    may not be written.
    """
    file = Path(path)
    _check_path(file, create=create)
    with _explained(file):
        conn = sqlite3.connect(file, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            _identify(conn, file, create=create, wait=wait)
            _tune(conn)
            if conn.execute("PRAGMA query_only").fetchone()[0] or not os.access(file, os.W_OK):
                raise StoreError("Read-only", f"{file} may not be written.", "Open it with --read-only, or copy it.")
        except BaseException:
            conn.close()
            raise
    return conn


def connect_read(path: str | Path) -> tuple[sqlite3.Connection, bool]:
    """A connection that only reads, and whether it shows a frozen view.

    In a directory that may not be written SQLite cannot share a WAL: then the file is opened as immutable, which shows
    it as it is now. Raises `StoreError` as `connect_write` does.
    """
    file = Path(path)
    _check_path(file, create=False)
    # who closes last brings the WAL into the file and removes it, which a read-only connection cannot
    mode = "rw" if os.access(file, os.W_OK) and os.access(file.absolute().parent, os.W_OK) else "ro"
    with _explained(file):
        try:
            conn = _reading(file, mode)
            frozen = False
        except sqlite3.OperationalError:
            if os.access(file.parent, os.W_OK) or not os.access(file, os.R_OK):
                raise
            conn = _reading(file, "ro&immutable=1")
            frozen = True
    return conn, frozen


def _reading(file: Path, mode: str) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5, check_same_thread=False)
    try:
        _identify(conn, file, create=False, wait=0)
        conn.execute("PRAGMA query_only = 1")
        conn.execute("PRAGMA mmap_size = 268435456")
        conn.execute("PRAGMA cache_size = -8000")
    except BaseException:
        conn.close()
        raise
    return conn


def _check_path(file: Path, *, create: bool) -> None:
    if file.is_dir():
        raise StoreError(
            "A directory", f"{file} is a directory, not a store.",
            f"Import what is in it: tracetui import STORE {file}",
        )  # fmt: skip
    if file.exists() and not file.is_file():
        raise StoreError("Not a file", f"{file} is a device or a pipe.", "A store is an ordinary file.")
    if not file.exists() and not create:
        raise StoreError(
            "No such store", f"{file} does not exist.",
            f"Make it by importing traces: tracetui import {file} PATH...",
        )  # fmt: skip
    if create and not file.exists() and not file.absolute().parent.is_dir():
        raise StoreError("No such directory", f"{file.absolute().parent} does not exist.", "Make it first.")
    if file.exists() and not os.access(file, os.R_OK):
        raise StoreError("Not readable", f"{file} may not be read.", "Check its permissions.")


def _identify(conn: sqlite3.Connection, file: Path, *, create: bool, wait: float) -> None:
    """Check that the file is a store this program can use; make or migrate it where that is asked."""
    if sqlite3.sqlite_version_info < MIN_SQLITE:
        raise StoreError(
            "SQLite is too old",
            f"This Python has SQLite {sqlite3.sqlite_version}.",
            "3.38 or newer is needed.",
        )
    app = conn.execute("PRAGMA application_id").fetchone()[0]
    version = conn.execute("PRAGMA user_version").fetchone()[0]
    if app == 0 and version == 0 and conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        if not create:
            raise StoreError("Not a store", f"{file} is empty.", f"Fill it: tracetui import {file} PATH...")
        _make(conn, wait)
        return
    if app != APPLICATION_ID:
        raise StoreError(
            "A foreign database", f"{file} is a SQLite database, but no tracetui store.",
            "Nothing was changed. Name another path for the store.",
        )  # fmt: skip
    if version > SCHEMA_VERSION:
        raise StoreError(
            "A newer store",
            f"{file} has schema {version}; this tracetui knows up to {SCHEMA_VERSION}.",
            "Update tracetui: pip install -U tracetui",
        )
    if version < SCHEMA_VERSION:
        if version < 1:
            raise StoreError("A damaged store", f"{file} does not say its schema.", "Restore it from a copy.")
        if wait <= 0:
            raise StoreError(
                "An older store",
                f"{file} has schema {version}.",
                f"Bring it up to date: tracetui doctor {file} --repair",
            )
        migrate.upgrade(conn, version, lambda: immediate(conn, wait=wait, checked=False))


def _make(conn: sqlite3.Connection, wait: float) -> None:
    """Make the tables of an empty file; harmless when two processes do it at once."""
    conn.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    _retry(lambda: conn.execute("PRAGMA journal_mode = WAL"), wait)
    with immediate(conn, wait=wait, checked=False):
        if conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
            return
        for statement in schema_statements():
            conn.execute(statement)
        conn.executemany(
            "INSERT INTO meta(key, value) VALUES (?, ?)",
            [("rev", 0), ("store_id", uuid.uuid4().hex), ("authorities", "[]")],
        )


def schema_statements() -> list[str]:
    """The statements of `schema.sql`."""
    text = resources.files("tracetui.store").joinpath("schema.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip()]


def _tune(conn: sqlite3.Connection) -> None:
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute("PRAGMA wal_autocheckpoint = 0")  # `Checkpointer` does it, on a connection of its own
    conn.execute("PRAGMA cache_size = -32000")
    conn.execute("PRAGMA temp_store = MEMORY")


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _retry(act: Callable[[], object], wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            act()
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(RETRY_S)


@contextmanager
def immediate(conn: sqlite3.Connection, *, wait: float = WAIT_S, checked: bool = True) -> Iterator[None]:
    """`BEGIN IMMEDIATE` ... `COMMIT`; what is raised inside rolls back. Waits `wait` seconds for other writers."""
    _retry(lambda: conn.execute("BEGIN IMMEDIATE"), wait)
    try:
        if checked and conn.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            raise StoreError("The store changed", "Another tracetui migrated this store.", "Open it again.")
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


class Unchanged(Exception):  # noqa: N818 - a signal, not an error
    """Raised inside a write to leave the store as it was (`rev` does not rise)."""


@contextmanager
def writing(conn: sqlite3.Connection, *, wait: float = WAIT_S) -> Iterator[int]:
    """A write transaction; gives its `rev`, which all rows touched in it get."""
    with suppress(Unchanged), explained(conn), immediate(conn, wait=wait):
        yield conn.execute("UPDATE meta SET value = value + 1 WHERE key = 'rev' RETURNING value").fetchone()[0]


@contextmanager
def explained(conn: sqlite3.Connection) -> Iterator[None]:
    """Turn SQLite's errors into what a person can read."""
    file = next((row[2] for row in conn.execute("PRAGMA database_list") if row[1] == "main"), "")
    with _explained(Path(file)):
        yield


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _in_words(error, file) from error


def _in_words(error: sqlite3.DatabaseError, file: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    match code & 0xFF:
        case sqlite3.SQLITE_NOTADB:
            return StoreError("Not a store", f"{file} is not a SQLite database.", "Did you mean to import it?")
        case sqlite3.SQLITE_CORRUPT:
            return StoreError(
                "A damaged store",
                f"{file} is damaged ({error}).",
                f"See what is wrong: tracetui doctor {file}",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(
                "The store is busy",
                f"Another process has kept {file} locked.",
                "Nothing was changed; try again.",
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR if code == sqlite3.SQLITE_FULL or _is_full(file):
            return StoreError(
                "The disk is full",
                f"{file} cannot grow. What was committed before is safe.",
                "Make room, try again.",
            )
        case sqlite3.SQLITE_READONLY:
            return StoreError("Read-only", f"{file} may not be written.", "Open it with --read-only, or copy it.")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM if not os.access(file.parent, os.W_OK):
            return StoreError(
                "Read-only", f"{file} cannot be written: its directory may not be.", "Name a path that may be written."
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreError("Cannot be opened", f"{file}: {error}.", "Check the path and its permissions.")
        case sqlite3.SQLITE_IOERR if code == sqlite3.SQLITE_IOERR_WRITE:
            return StoreError(
                "The file cannot grow",
                f"{file}: a limit on file sizes, or a disk that fails. What was committed before is safe.",
                "See `ulimit -f` and the disk, try again.",
            )
        case sqlite3.SQLITE_IOERR:
            return StoreError("The disk does not answer", f"{file}: {error}.", "Check the disk; then run doctor.")
        case sqlite3.SQLITE_INTERRUPT:
            return StoreError("Stopped", "The work was interrupted.", "")
    return StoreError("The store cannot be used", f"{file}: {error}.", f"See what is wrong: tracetui doctor {file}")


def _is_full(file: Path) -> bool:
    """Whether there is no room even for the small files beside a store, which readers need too."""
    try:
        return shutil.disk_usage(file.absolute().parent).free < _ROOM_BYTES
    except OSError:
        return False


_wal_indexes: dict[str, int] = {}


def _wal_index(path: str) -> bytes:
    """The first bytes of a WAL index; empty where there is none.

    The file is opened once and never closed: POSIX drops all locks of a process on a file when *any* of its descriptors
    is closed, and SQLite's locks on this file are what keeps processes from truncating it under each other.
    """
    try:
        now = os.stat(path)  # noqa: PTH116  (the fields of a path that may vanish)
        fd = _wal_indexes.get(path)
        if fd is None or os.fstat(fd).st_ino != now.st_ino:
            fd = _wal_indexes[path] = os.open(path, os.O_RDONLY)
        return os.pread(fd, 100, 0)
    except OSError:
        return b""


class Checkpointer:
    """Keeps the WAL bounded without making anybody wait.

    A connection of its own with no waiting: passive over 16 MB that are not yet in the file, and where readers kept the
    WAL from starting over until it passed 64 MB, a restart is tried. Busy means that it is tried again after a later
    commit.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._shm = f"{path}-shm"
        self._conn: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def after_commit(self) -> None:
        """Look at the WAL and checkpoint where it is due."""
        size, pending = self._wal()
        if pending < PASSIVE_BYTES and size < RESTART_BYTES:
            return
        with self._lock, suppress(sqlite3.OperationalError):
            if self._conn is None:
                self._conn = sqlite3.connect(self._path, isolation_level=None, timeout=0, check_same_thread=False)
            mode = "PASSIVE" if size < RESTART_BYTES else "TRUNCATE"
            self._conn.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()

    def _wal(self) -> tuple[int, int]:
        """Bytes of pages in the WAL, and how many of them are not yet in the file.

        Read from the WAL index, as SQLite's "WAL-mode File Format" has it: mxFrame at byte 16, nBackfill at 96. The
        file's size does not tell: it stays when the WAL starts over.
        """
        header = _wal_index(self._shm)
        if len(header) < 100:
            return 0, 0
        frames = int.from_bytes(header[16:20], sys.byteorder)
        done = int.from_bytes(header[96:100], sys.byteorder)
        return frames * PAGE_SIZE, (frames - done) * PAGE_SIZE

    def close(self) -> None:
        """Close the connection."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None
