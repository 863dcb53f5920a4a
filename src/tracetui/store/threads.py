"""Which thread a trace belongs to: the session of its root, else of its first run that has one, else its own."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

_SESSION = """
SELECT run.session, run.project FROM run JOIN trace ON trace.pk = run.trace
WHERE run.trace = ? AND run.session IS NOT NULL AND run.session <> ''
ORDER BY run.pk IS NOT trace.root, run.position, run.id LIMIT 1"""


class Home(NamedTuple):
    """The thread of a trace, before it has a pk."""

    project: str
    id: str
    implicit: bool


def home_of(conn: sqlite3.Connection, trace: int) -> Home:
    """Choose the thread of a trace; its root must be known."""
    found = conn.execute(_SESSION, (trace,)).fetchone()
    if found is not None:
        return Home(found[1] or "", found[0], False)
    trace_id, project = conn.execute("SELECT id, project FROM trace WHERE pk = ?", (trace,)).fetchone()
    return Home(project or "", f"trace:{trace_id}", True)


def thread_pk(conn: sqlite3.Connection, home: Home, now: int, rev: int) -> int:
    """The pk of a thread, made if need be. A thread that feedback knew before its project is adopted."""
    found = conn.execute("SELECT pk FROM thread WHERE project = ? AND id = ?", (home.project, home.id)).fetchone()
    if found is not None:
        return int(found[0])
    if home.project:
        orphan = conn.execute(
            "SELECT pk FROM thread WHERE project = '' AND id = ? AND implicit = 0 "
            "AND NOT EXISTS (SELECT 1 FROM trace WHERE thread = thread.pk)",
            (home.id,),
        ).fetchone()
        if orphan is not None:
            conn.execute("UPDATE thread SET project = ? WHERE pk = ?", (home.project, orphan[0]))
            return int(orphan[0])
    cursor = conn.execute(
        "INSERT INTO thread(project, id, implicit, sort_at, touched_at, rev) VALUES (?, ?, ?, ?, ?, ?)",
        (home.project, home.id, int(home.implicit), now, now, rev),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def named_thread(conn: sqlite3.Connection, project: str, thread_id: str, now: int, rev: int) -> int:
    """The thread that feedback names; without a project the only one of that id is meant."""
    if not project:
        found = conn.execute("SELECT pk FROM thread WHERE id = ? AND implicit = 0 LIMIT 2", (thread_id,)).fetchall()
        if len(found) == 1:
            return int(found[0][0])
    return thread_pk(conn, Home(project, thread_id, False), now, rev)
