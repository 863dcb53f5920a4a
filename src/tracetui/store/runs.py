"""Run rows: how records become rows, and how rows take in later records."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from tracetui.model import jsonx
from tracetui.model.kinds import Kind, Phase, Status
from tracetui.model.merge import EMPTY, VALUE, kind_of, merge_maps, merge_tags, pick, rank, status_of
from tracetui.model.records import RunRecord
from tracetui.store.content import Contents, Encoder

PLAIN_FIELDS = (
    "name", "trace_name", "error", "session", "user", "project", "started_at", "ended_at", "first_token_us", "model",
    "provider", "response_id", "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens",
    "reasoning_tokens", "cost", "cost_source",
)  # fmt: skip
"""Fields that a record and a row share under one name and one rule (`model.merge.pick`)."""

COLUMNS = (
    "pk", "id", "trace", "parent", "phase", "position", "kind", "status", *PLAIN_FIELDS,
    "counts_usage", "tags", "metadata", "inputs", "outputs", "extra", "ready_rev", "rev",
)  # fmt: skip
_EMPTY_BLOBS = (b"{}", b"[]", b'""')
_MAX_INT = 2**63 - 1


@dataclass(slots=True)
class RunRow:
    """A run row in memory; the fields are the columns of the table."""

    pk: int
    id: str
    trace: int
    parent: int | None = None
    phase: int = Phase.STUB
    position: int = 0
    kind: str | None = None
    status: str | None = None
    name: str | None = None
    trace_name: str | None = None
    error: str | None = None
    session: str | None = None
    user: str | None = None
    project: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    first_token_us: int | None = None
    model: str | None = None
    provider: str | None = None
    response_id: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    cost_source: str | None = None
    counts_usage: int = 0
    tags: str | None = None
    metadata: str | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    extra: bytes | None = None
    ready_rev: int | None = None
    rev: int = 0

    def values(self) -> tuple[Any, ...]:
        """The values in the order of `COLUMNS`."""
        return _values(self)


_values: Callable[[RunRow], tuple[Any, ...]] = attrgetter(*COLUMNS)
_QUOTED = [f'"{name}"' for name in COLUMNS]
_SELECT = f"SELECT {', '.join(_QUOTED)} FROM run"
_INSERT = f"INSERT INTO run({', '.join(_QUOTED)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_UPDATE = f"UPDATE run SET {', '.join(f'{name} = ?' for name in _QUOTED[1:])} WHERE pk = ?"


def load(conn: sqlite3.Connection, ids: Sequence[str]) -> dict[str, RunRow]:
    """The stored rows of these ids."""
    found = conn.execute(f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?))", (jsonx.dumps(list(ids)).decode(),))
    return {row[1]: RunRow(*row) for row in found}


def load_by_pk(conn: sqlite3.Connection, pks: Iterable[int]) -> dict[int, RunRow]:
    """The stored rows of these pks."""
    found = conn.execute(f"{_SELECT} WHERE pk IN (SELECT value FROM json_each(?))", (jsonx.dumps(list(pks)).decode(),))
    return {row[0]: RunRow(*row) for row in found}


def insert(conn: sqlite3.Connection, rows: Iterable[RunRow]) -> None:
    """Add rows; their pks are given already (`next_pk`)."""
    conn.executemany(_INSERT, [row.values() for row in rows])


def update(conn: sqlite3.Connection, rows: Iterable[RunRow]) -> None:
    """Write whole rows back."""
    conn.executemany(_UPDATE, [(*row.values()[1:], row.pk) for row in rows])


def next_pk(conn: sqlite3.Connection, table: str) -> int:
    """The next free row number of a table; valid while the write lock is held."""
    top: int | None = conn.execute(f"SELECT max(pk) FROM {table}").fetchone()[0]
    return (top or 0) + 1


def absorb(row: RunRow, record: RunRecord, encoder: Encoder, contents: Contents) -> bool:
    """Merge a record into a row. Returns whether stored inputs or outputs were replaced by others.

    `trace` and `parent` are not touched: they are links, which the writer resolves.
    """
    later = record.phase >= row.phase
    fresh = row.phase == Phase.STUB and row.inputs is None and row.outputs is None and row.extra is None
    replaced = False
    for name in PLAIN_FIELDS:
        value = getattr(record, name)
        if value is not None:
            setattr(row, name, _bounded(value) if fresh else pick(getattr(row, name), _bounded(value), later=later))
    if record.kind is not None:
        known = "" if row.kind in (None, Kind.OTHER) else row.kind
        row.kind = pick(known, kind_of(record.kind), later=later)
    position = record.position if record.position is not None and (later or row.position == 0) else row.position
    row.position = row.started_at if row.started_at is not None else _bounded(position) or 0
    if record.tags:
        row.tags = _json(list(merge_tags(tuple(jsonx.loads(row.tags)) if row.tags else (), record.tags)))
    if record.metadata:
        stored = jsonx.loads(row.metadata) if row.metadata else {}
        row.metadata = _json(jsonx.without_nonfinite(merge_maps(stored, record.metadata, later=later)))
    extra: dict[str, Any] = dict(record.extra)
    if record.metadata and jsonx.has_nonfinite(record.metadata):
        extra["metadata_exact"] = record.metadata  # the column can only hold a cleaned copy
    if extra:
        merged = extra if fresh else merge_maps(contents.value(row.extra) or {}, extra, later=later)
        row.extra = encoder.encode(merged)
    for name in ("inputs", "outputs"):
        value, stored_blob = getattr(record, name), getattr(row, name)
        new, old = rank(value), _blob_rank(stored_blob)
        if new > old or (new == old and new > 0 and later):
            blob = encoder.encode(value)
            replaced |= old == VALUE and blob != stored_blob
            setattr(row, name, blob)
    said = record.status or (Status.ERROR if row.status == Status.ERROR else None)
    row.phase = max(row.phase, record.phase)
    if row.error == "":
        row.error = None
    row.status = status_of(row.phase, row.error, said)
    if row.phase > Phase.STUB:
        row.name = row.name or ""
        row.kind = row.kind or Kind.OTHER
    return replaced


def _blob_rank(blob: bytes | None) -> int:
    if blob is None:
        return 0
    return EMPTY if blob in _EMPTY_BLOBS else VALUE


def _bounded(value: Any) -> Any:
    """Integers that a column cannot hold are nobody's token count or time."""
    if isinstance(value, int) and not -_MAX_INT <= value <= _MAX_INT:
        return None
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """SQLite's text is UTF-8: lone surrogates in names and errors become U+FFFD (inputs and outputs keep them)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text


def _json(value: Any) -> str:
    return jsonx.dumps(value).decode()
