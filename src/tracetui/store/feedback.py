"""Feedback rows: written by importers, people and rules alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tracetui.model import jsonx
from tracetui.model.kinds import KeyType, Level, Source
from tracetui.model.rows import Category, FeedbackKey

COLUMNS = (
    "pk", "id", "level", "target", "trace", "key", "score", "value", "comment", "correction", "source", "author",
    "version", "evidence", "source_run", "deleted", "created_at", "modified_at", "rev",
)  # fmt: skip
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_INSERT = f"INSERT INTO feedback({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"
_UPDATE = "UPDATE feedback SET " + ", ".join(f'"{name}" = ?' for name in COLUMNS[1:]) + " WHERE pk = ?"

_KEY_COLUMNS = "key, type, min, max, categories, lower_is_better, keystroke, description"


@dataclass(slots=True)
class FeedbackData:
    """A feedback row in memory; the fields are the columns of the table. `correction` is a stored text (content.py)."""

    pk: int | None
    id: str
    level: str
    target: int
    trace: int | None
    key: str
    score: float | None = None
    value: str | None = None
    comment: str | None = None
    correction: bytes | None = None
    source: str = Source.UNKNOWN
    author: str = ""
    version: int | None = None
    evidence: str | None = None
    source_run: str | None = None
    deleted: int = 0
    created_at: int = 0
    modified_at: int = 0
    rev: int = 0

    def values(self) -> tuple[Any, ...]:
        """The values in the order of `COLUMNS`."""
        return tuple(getattr(self, name) for name in COLUMNS)

    def said(self) -> tuple[Any, ...]:
        """What is said, without when: two equal ones need no write."""
        return (
            self.score,
            self.value,
            self.comment,
            self.correction,
            self.version,
            self.evidence,
            self.deleted,
        )


def load(conn: sqlite3.Connection, ids: Iterable[str]) -> dict[str, FeedbackData]:
    """The stored rows of these ids, deleted ones too."""
    found = conn.execute(
        f"SELECT {_NAMES} FROM feedback WHERE id IN (SELECT value FROM json_each(?))",
        (jsonx.dumps(list(ids)).decode(),),
    )
    return {row[1]: FeedbackData(*row) for row in found}


def save(conn: sqlite3.Connection, rows: Iterable[FeedbackData]) -> None:
    """Insert rows without a pk, update the others."""
    for row in rows:
        values = row.values()
        if row.pk is None:
            row.pk = conn.execute(_INSERT, values).lastrowid
        else:
            conn.execute(_UPDATE, (*values[1:], row.pk))


def touched_by(rows: Iterable[FeedbackData]) -> tuple[set[int], set[int]]:
    """The traces and the threads whose rollups these rows change."""
    traces: set[int] = set()
    threads: set[int] = set()
    for row in rows:
        if row.level == Level.THREAD:
            threads.add(row.target)
        elif row.trace is not None:
            traces.add(row.trace)
    return traces, threads


def ensure_key(
    conn: sqlite3.Connection,
    key: str,
    *,
    boolean: bool,
    score: float | None,
    value: str | None,
    lower: bool = False,
) -> None:
    """A key first seen gets the type its value suggests."""
    if score is not None:
        kind = KeyType.BOOLEAN if boolean else KeyType.CONTINUOUS
    else:
        kind = KeyType.FREEFORM if value is None or len(value) > 60 else KeyType.CATEGORICAL
    low, high = (0.0, 1.0) if kind is KeyType.BOOLEAN else (None, None)
    conn.execute(
        "INSERT OR IGNORE INTO feedback_key(key, type, min, max, lower_is_better) VALUES (?, ?, ?, ?, ?)",
        (key, kind, low, high, int(lower)),
    )


def read_keys(conn: sqlite3.Connection) -> tuple[FeedbackKey, ...]:
    """All feedback keys of the store, by name."""
    rows = conn.execute(f"SELECT {_KEY_COLUMNS} FROM feedback_key ORDER BY key").fetchall()
    return tuple(_key(row) for row in rows)


def read_key(conn: sqlite3.Connection, key: str) -> FeedbackKey | None:
    """One feedback key."""
    row = conn.execute(f"SELECT {_KEY_COLUMNS} FROM feedback_key WHERE key = ?", (key,)).fetchone()
    return None if row is None else _key(row)


def write_key(conn: sqlite3.Connection, key: FeedbackKey) -> None:
    """Define a key, or replace its definition."""
    categories = [
        {"value": c.value, "score": c.score, "keystroke": c.keystroke, "description": c.description}
        for c in key.categories
    ]
    conn.execute(
        "INSERT INTO feedback_key(key, type, min, max, categories, lower_is_better, keystroke, description) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(key) DO UPDATE SET type = excluded.type, min = excluded.min, "
        "max = excluded.max, categories = excluded.categories, lower_is_better = excluded.lower_is_better, "
        "keystroke = excluded.keystroke, description = excluded.description",
        (key.key, key.type, key.min, key.max, jsonx.dumps(categories).decode() if categories else None,
         int(key.lower_is_better), key.keystroke, key.description),
    )  # fmt: skip


def _key(row: tuple[Any, ...]) -> FeedbackKey:
    key, kind, low, high, categories, lower, keystroke, description = row
    return FeedbackKey(
        key=key, type=kind, min=low, max=high,
        categories=tuple(Category(**item) for item in jsonx.loads(categories)) if categories else (),
        lower_is_better=bool(lower), keystroke=keystroke, description=description,
    )  # fmt: skip
