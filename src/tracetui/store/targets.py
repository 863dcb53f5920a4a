"""What rules judge: targets in the order in which they became ready, and everything about them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.store import runs
from tracetui.store.filters import Where
from tracetui.store.rules import TABLES, Cursor
from tracetui.store.runs import RunRow

ALWAYS = {Level.RUN: "phase > 0", Level.TRACE: "run_count > 0", Level.THREAD: "run_count > 0"}
"""What is judged at all: no stubs."""
_USAGE = (
    "started_at", "ended_at", "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens",
    "reasoning_tokens", "cost",
)  # fmt: skip
USAGE: tuple[str, ...] = _USAGE
"""Columns of times, tokens and cost that runs, traces and threads share."""
COUNTS: tuple[str, ...] = ("run_count", "error_count", "llm_calls", "tool_calls")
_TRACE = ("pk", "id", "thread", "name", "status", "project", "metadata", *COUNTS, *_USAGE)
_THREAD = ("pk", "id", "project", "implicit", "name", "trace_count", *COUNTS, *_USAGE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a verdict is written on."""

    level: Level
    pk: int
    id: str
    trace: int | None
    project: str = ""
    """Of threads: part of what names them."""


@dataclass(slots=True)
class TraceRow:
    """A trace with its sums; `usage` by the names of `USAGE`."""

    pk: int
    id: str
    thread: int
    name: str | None
    status: str | None
    project: str | None
    metadata: str | None
    counts: dict[str, int]
    usage: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ThreadRow:
    """A thread with its sums."""

    pk: int
    id: str
    project: str
    implicit: bool
    name: str | None
    trace_count: int
    counts: dict[str, int]
    usage: dict[str, Any] = field(default_factory=dict)


def ready_page(
    conn: sqlite3.Connection, level: Level, after: Cursor, stop: int | None, limit: int
) -> list[tuple[int, int]]:
    """The next targets that are ready, as `(pk, ready_rev)`, in the order of `(ready_rev, pk)`."""
    bound, params = ("", ()) if stop is None else (" AND ready_rev <= ?", (stop,))
    return conn.execute(
        f"SELECT pk, ready_rev FROM {TABLES[level]} WHERE (ready_rev, pk) > (?, ?){bound} "
        "ORDER BY ready_rev, pk LIMIT ?",
        (*after, *params, limit),
    ).fetchall()


def matching(conn: sqlite3.Connection, level: Level, pks: Sequence[int], where: Sequence[Where]) -> set[int]:
    """Those of the targets that every filter finds. The connection needs `textmatch.install`."""
    table = TABLES[level]
    text = " AND ".join([ALWAYS[level], *(f"({one.sql})" for one in where)])
    params = [param for one in where for param in one.params]
    found = conn.execute(
        f"SELECT pk FROM {table} WHERE pk IN (SELECT value FROM json_each(?)) AND {text}", (_list(pks), *params)
    )
    return {row[0] for row in found}


def in_sample(target_id: str, project: str, share: float) -> bool:
    """Whether a target belongs to a sample: by a hash of its id, the same on every machine."""
    if share >= 1:
        return True
    name = f"{project}\x1f{target_id}" if project else target_id
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64


def run_rows(conn: sqlite3.Connection, pks: Sequence[int]) -> dict[int, RunRow]:
    """Runs by pk."""
    return runs.load_by_pk(conn, pks)


def runs_of(conn: sqlite3.Connection, trace: int) -> list[RunRow]:
    """The runs of a trace in order."""
    pks = [
        row[0]
        for row in conn.execute(
            "SELECT pk FROM run WHERE trace = ? AND phase > 0 ORDER BY position, id", (trace,)
        ).fetchall()
    ]
    rows: dict[int, RunRow] = {}
    for at in range(0, len(pks), 1000):
        rows |= run_rows(conn, pks[at : at + 1000])
    return [rows[pk] for pk in pks if pk in rows]


def model_calls_of(conn: sqlite3.Connection, thread: int) -> list[tuple[int, int, int]]:
    """The model calls of a thread in order, as `(pk, revision of the last change, trace)`."""
    return conn.execute(
        """SELECT run.pk, run.rev, run.trace FROM trace JOIN run ON run.trace = trace.pk
        WHERE trace.thread = ? AND run.kind = 'llm' AND run.phase > 0 ORDER BY run.position, run.id""",
        (thread,),
    ).fetchall()


def chat_of(conn: sqlite3.Connection, run: int) -> tuple[bytes | None, bytes | None]:
    """The stored texts of a run's inputs and outputs."""
    found = conn.execute("SELECT inputs, outputs FROM run WHERE pk = ?", (run,)).fetchone()
    return (None, None) if found is None else (found[0], found[1])


def threads_of(conn: sqlite3.Connection, traces: Iterable[int]) -> dict[int, int]:
    """Trace -> its thread."""
    found = conn.execute(
        "SELECT pk, thread FROM trace WHERE pk IN (SELECT value FROM json_each(?))", (_list(sorted(set(traces))),)
    )
    return dict(found.fetchall())


def trace_rows(conn: sqlite3.Connection, pks: Sequence[int]) -> dict[int, TraceRow]:
    """Traces by pk."""
    names = ", ".join(f'"{name}"' for name in _TRACE)
    found = conn.execute(
        f"SELECT {names} FROM trace WHERE pk IN (SELECT value FROM json_each(?))", (_list(pks),)
    ).fetchall()
    return {row[0]: _trace(row) for row in found}


def traces_of(conn: sqlite3.Connection, thread: int) -> list[TraceRow]:
    """The traces of a thread in order."""
    names = ", ".join(f'"{name}"' for name in _TRACE)
    found = conn.execute(
        f"SELECT {names} FROM trace WHERE thread = ? AND run_count > 0 ORDER BY sort_at, pk", (thread,)
    ).fetchall()
    return [_trace(row) for row in found]


def _trace(row: Sequence[Any]) -> TraceRow:
    pk, ident, thread, name, status, project, metadata, *rest = row
    counts, usage = _sums(rest)
    return TraceRow(pk, ident, thread, name, status, project, metadata, counts, usage)


def _sums(rest: Sequence[Any]) -> tuple[dict[str, int], dict[str, Any]]:
    counts = len(COUNTS)
    return dict(zip(COUNTS, rest[:counts], strict=True)), dict(zip(_USAGE, rest[counts:], strict=True))


def thread_rows(conn: sqlite3.Connection, pks: Sequence[int]) -> dict[int, ThreadRow]:
    """Threads by pk."""
    names = ", ".join(_THREAD)
    found = conn.execute(
        f"SELECT {names} FROM thread WHERE pk IN (SELECT value FROM json_each(?))", (_list(pks),)
    ).fetchall()
    out: dict[int, ThreadRow] = {}
    for pk, ident, project, implicit, name, trace_count, *rest in found:
        counts, usage = _sums(rest)
        out[pk] = ThreadRow(pk, ident, project, bool(implicit), name, trace_count, counts, usage)
    return out


def trace_of_implicit(conn: sqlite3.Connection, thread: int) -> Target | None:
    """Where feedback on a thread without a session goes: its trace."""
    row = conn.execute("SELECT pk, id FROM trace WHERE thread = ? ORDER BY sort_at, pk LIMIT 1", (thread,)).fetchone()
    return None if row is None else Target(Level.TRACE, row[0], row[1], row[0])


def newest(conn: sqlite3.Connection, level: Level, before: int | None, limit: int) -> list[int]:
    """A page of targets, ready or not, the latest written first. `before`: the last one of the page before."""
    found = conn.execute(
        f"SELECT pk FROM {TABLES[level]} WHERE pk < ? AND {ALWAYS[level]} ORDER BY pk DESC LIMIT ?",
        (2**62 if before is None else before, limit),
    )
    return [row[0] for row in found]


def count_of(conn: sqlite3.Connection, level: Level) -> int:
    """How many targets there are, ready or not."""
    return int(conn.execute(f"SELECT count(*) FROM {TABLES[level]} WHERE {ALWAYS[level]}").fetchone()[0])


def last_pk(conn: sqlite3.Connection, level: Level) -> int:
    """The greatest row number of a level: about how many there are."""
    found = conn.execute(f"SELECT max(pk) FROM {TABLES[level]}").fetchone()[0]
    return int(found or 0)


def numbers(
    conn: sqlite3.Connection, level: Level, columns: Sequence[str], after: int, stride: int, limit: int
) -> list[tuple[Any, ...]]:
    """A page of rows by pk for what is usual: pk, then the columns. A scan, on purpose: medians look at everything."""
    names = ", ".join(f'"{name}"' for name in columns)
    return conn.execute(
        f"SELECT pk, {names} FROM {TABLES[level]} WHERE pk > ? AND pk % ? = 0 AND {ALWAYS[level]} ORDER BY pk LIMIT ?",
        (after, stride, limit),
    ).fetchall()


def _list(pks: Iterable[int]) -> str:
    return jsonx.dumps(list(pks)).decode()
