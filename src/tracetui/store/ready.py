"""When a trace or a thread can be judged, and when a running run is given up.

A run is ready when it ended and a trace when its root did: the writer says so at once. What stays open is swept: a
trace that was quiet for `settle`, a thread that was quiet for `idle` (wall clock, since imports carry old times or
none). Whatever writes (worker, explorer, receiver) sweeps.
"""

from __future__ import annotations

import sqlite3

from tracetui.model.merge import ABANDONED_AFTER_US
from tracetui.store.content import Contents
from tracetui.store.db import Unchanged, writing
from tracetui.store.rollup import recompute_thread, recompute_trace

SETTLE_US = 10 * 1_000_000
IDLE_US = 5 * 60 * 1_000_000
BATCH = 200


def sweep(conn: sqlite3.Connection, now: int, *, settle_us: int = SETTLE_US, idle_us: int = IDLE_US) -> int:
    """Make ready what became quiet, a batch at most. Returns how many rows changed; call again while it is not 0.

    `settle_us` and `idle_us` of 0 make everything ready now (`tracetui evaluate`). A thread is never ready before its
    traces are.
    """
    if not _due(conn, now, settle_us, idle_us):
        return 0
    changed = 0
    with writing(conn) as rev:
        for table, quiet in (("trace", settle_us), ("thread", idle_us)):
            changed += conn.execute(
                f"UPDATE {table} SET ready_rev = ? WHERE pk IN (SELECT pk FROM {table} WHERE ready_rev IS NULL "
                "AND touched_at <= ? AND run_count > 0 ORDER BY touched_at LIMIT ?)",
                (rev, now - quiet, BATCH),
            ).rowcount
        changed += _abandon(conn, now, rev)
        if not changed:
            raise Unchanged
    return changed


def _due(conn: sqlite3.Connection, now: int, settle_us: int, idle_us: int) -> bool:
    """A look without the write lock: mostly there is nothing to do."""
    for sql, before in (
        (
            "SELECT 1 FROM trace WHERE ready_rev IS NULL AND touched_at <= ? AND run_count > 0 LIMIT 1",
            now - settle_us,
        ),
        (
            "SELECT 1 FROM thread WHERE ready_rev IS NULL AND touched_at <= ? AND run_count > 0 LIMIT 1",
            now - idle_us,
        ),
        ("SELECT 1 FROM trace WHERE running > 0 AND touched_at <= ? LIMIT 1", now - ABANDONED_AFTER_US),
    ):
        if conn.execute(sql, (before,)).fetchone():
            return True
    return False


def _abandon(conn: sqlite3.Connection, now: int, rev: int) -> int:
    """Mark what still runs in traces without news for long."""
    traces = conn.execute(
        "SELECT pk, thread FROM trace WHERE running > 0 AND touched_at <= ? LIMIT ?",
        (now - ABANDONED_AFTER_US, BATCH),
    ).fetchall()
    contents = Contents(conn)
    for trace, _ in traces:
        conn.execute(
            "UPDATE run SET status = 'abandoned', rev = ? WHERE trace = ? AND status = 'running'",
            (rev, trace),
        )
        touched, ready = conn.execute("SELECT touched_at, ready_rev FROM trace WHERE pk = ?", (trace,)).fetchone()
        recompute_trace(conn, trace, rev, now, contents, data=True)
        conn.execute("UPDATE trace SET touched_at = ?, ready_rev = ? WHERE pk = ?", (touched, ready or rev, trace))
    for thread in sorted({row[1] for row in traces}):
        recompute_thread(conn, thread, rev, now, data=False)
    return len(traces)
