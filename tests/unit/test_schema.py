"""The tables have one definition, and every way to a store gives the same schema."""

from __future__ import annotations

import os
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from tracetui.model.errors import StoreError
from tracetui.store import db, migrate, tables
from tracetui.store.version import APPLICATION_ID, SCHEMA_VERSION


def schema_of(path: Path) -> set[tuple[str, str]]:
    conn = sqlite3.connect(path)
    rows = conn.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    conn.close()
    return set(rows)


def test_the_classes_and_the_file_are_one(tmp_path):
    text = resources.files("tracetui.store").joinpath("schema.sql").read_text(encoding="utf-8")
    assert text == tables.ddl(), "run `python -m tracetui.store.tables`"
    by_classes = tmp_path / "classes.db"
    conn = sqlite3.connect(by_classes)
    conn.executescript(tables.ddl())
    conn.close()
    by_file = tmp_path / "file.db"
    db.connect_write(by_file, create=True).close()
    assert schema_of(by_classes) == schema_of(by_file)


def test_every_older_version_has_a_way_up():
    assert set(migrate.STEPS) == set(range(1, SCHEMA_VERSION))


def test_a_new_store_is_marked(tmp_path):
    conn = db.connect_write(tmp_path / "s.db", create=True)
    assert conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert conn.execute("PRAGMA page_size").fetchone()[0] == db.PAGE_SIZE
    conn.close()


@pytest.fixture
def store(tmp_path) -> Path:
    path = tmp_path / "s.db"
    db.connect_write(path, create=True).close()
    return path


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def text_file(path: Path) -> None:
    path.write_text("not a database, just some text that is longer than a header of SQLite would be\n" * 20)


def foreign(path: Path) -> None:
    path.unlink()
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE orders(id)")
    conn.commit()
    conn.close()


def newer(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    conn.close()


@pytest.mark.parametrize(
    ("harm", "title"),
    [
        (text_file, "Not a store"),
        (foreign, "A foreign database"),
        (newer, "A newer store"),
        (lambda path: path.unlink(), "No such store"),
        (lambda path: path.write_bytes(b""), "Not a store"),
        (lambda path: (path.unlink(), path.mkdir()), "A directory"),
    ],
)
@pytest.mark.parametrize("connect", [db.connect_read, db.connect_write])
def test_what_is_no_store_is_said(store, harm, title, connect):
    harm(store)
    with pytest.raises(StoreError) as error:
        connect(store)
    assert error.value.title == title
    assert str(store) in error.value.message
    assert error.value.hint


def test_an_older_store_is_brought_up(store, monkeypatch):
    monkeypatch.setattr(db, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(migrate, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setitem(migrate.STEPS, SCHEMA_VERSION, ("ALTER TABLE run ADD COLUMN later INT",))
    conn = db.connect_write(store)
    with db.writing(conn) as rev:
        conn.execute("UPDATE run SET later = ?", (rev,))
    conn.close()
    reading, _ = db.connect_read(store)
    assert reading.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION + 1
    reading.close()


def test_a_pipe_is_no_store(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="Not a file"):
        db.connect_read(tmp_path / "pipe")


def test_a_truncated_store_is_said_when_it_is_read(store):
    damaged(store)
    with pytest.raises(StoreError, match="damaged"):
        conn, _ = db.connect_read(store)
        with db.explained(conn):
            conn.execute("SELECT count(*) FROM feedback").fetchone()
            conn.execute("PRAGMA integrity_check(1)").fetchall()
            conn.execute("SELECT * FROM run, trace, thread, mention, edit_item, rule_failure").fetchall()


def test_a_locked_store_is_said(store):
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    conn = db.connect_write(store)
    with pytest.raises(StoreError, match="busy"), db.writing(conn, wait=0.05):
        pass
    holder.execute("ROLLBACK")
    with db.writing(conn) as rev:
        assert rev == 1
    conn.close()
    holder.close()


def test_a_full_disk_is_said_and_loses_nothing(store):
    conn = db.connect_write(store)
    with db.writing(conn):
        conn.execute("INSERT INTO feedback_key(key, type) VALUES ('kept', 'boolean')")
    pages = conn.execute("PRAGMA page_count").fetchone()[0]
    conn.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full"), db.writing(conn):
        for index in range(1000):
            conn.execute("INSERT INTO feedback_key(key, type) VALUES (?, 'boolean')", (f"k{index}" * 300,))
    assert conn.execute("SELECT key FROM feedback_key").fetchall() == [("kept",)]
    conn.close()


def test_the_wal_stays_bounded(store):
    conn = db.connect_write(store)
    checkpoints = db.Checkpointer(store)
    wal = Path(f"{store}-wal")
    largest = 0
    for index in range(120):
        with db.writing(conn):
            conn.execute(
                "INSERT INTO content(hash, codec, size, body) VALUES (?, 0, 0, ?)", (index.to_bytes(16), bytes(2**20))
            )
        checkpoints.after_commit()
        largest = max(largest, wal.stat().st_size)
    assert largest < 2 * db.PASSIVE_BYTES
    checkpoints.close()
    conn.close()
