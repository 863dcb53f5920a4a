"""Counting what rules judged and said."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tracetui.model.kinds import Level
from tracetui.store.filters import Where
from tracetui.store.rules import TABLES, StoredRule
from tracetui.store.targets import ALWAYS, in_sample


def revision(conn: sqlite3.Connection) -> int:
    """The store's revision."""
    return int(conn.execute("SELECT value FROM meta WHERE key = 'rev'").fetchone()[0])


def waiting(conn: sqlite3.Connection) -> int:
    """Runs that have not ended and so cannot be judged."""
    return int(conn.execute("SELECT coalesce(sum(running), 0) FROM trace WHERE running > 0").fetchone()[0])


def live_hits(conn: sqlite3.Connection) -> dict[str, int]:
    """Rule -> how many pieces of feedback it has given, of any version. A scan of feedback."""
    found = conn.execute(
        "SELECT author, count(*) FROM feedback WHERE source = 'rule' AND deleted = 0 GROUP BY author"
    ).fetchall()
    return dict(found)


def judged(conn: sqlite3.Connection, on: Level, walks: Level, filters: Sequence[Where], sample: float) -> int:
    """How many targets a rule judges as things are: ready, found by its filters, in its sample. Scans."""
    text, params = _judged(on, walks, filters)
    table = TABLES[on]
    if sample >= 1:
        return int(conn.execute(f"SELECT count(*) FROM {table} WHERE {text}", params).fetchone()[0])
    project = "project" if on is Level.THREAD else "''"
    if on is Level.THREAD:  # of a thread without a session it is the trace that is judged
        rows = conn.execute(
            f"""SELECT CASE WHEN implicit THEN substr(id, 7) ELSE id END, CASE WHEN implicit THEN '' ELSE project END
            FROM {table} WHERE {text}""",
            params,
        )
    else:
        rows = conn.execute(f"SELECT id, {project} FROM {table} WHERE {text}", params)
    return sum(in_sample(ident, named, sample) for ident, named in rows)


def _judged(on: Level, walks: Level, filters: Sequence[Where]) -> tuple[str, list[object]]:
    ready = "ready_rev > 0"
    if on is not walks:
        ready = "trace IN (SELECT pk FROM trace WHERE ready_rev > 0)"
    text = " AND ".join([ready, ALWAYS[on], *(f"({one.sql})" for one in filters)])
    return text, [param for one in filters for param in one.params]


def said(
    conn: sqlite3.Connection, rule: StoredRule, on: Level, filters: Sequence[Where], no_hit: float | None
) -> tuple[int, float]:
    """Hits of a rule's current version on what the filters find, and the sum of its scores.

    `no_hit` is the score of rows that are no hits, where the rule writes such.
    """
    table = TABLES[on]
    text = " AND ".join([ALWAYS[on], *(f"({one.sql})" for one in filters)])
    params = [param for one in filters for param in one.params]
    found = f"(f.level = '{on.value}' AND f.target IN (SELECT pk FROM {table} WHERE {text}))"
    if on is Level.THREAD:  # feedback on a thread without a session is on its trace
        alone = f"SELECT pk FROM thread WHERE implicit = 1 AND {text}"
        traces = f"SELECT trace.pk FROM trace WHERE trace.thread IN ({alone})"
        found = f"({found} OR (f.level = 'trace' AND f.target IN ({traces})))"
        params = params * 2
    hits, total = conn.execute(
        f"""SELECT coalesce(sum(? IS NULL OR f.score IS NOT ?), 0), coalesce(sum(f.score), 0.0) FROM feedback f
        WHERE f.source = 'rule' AND f.author = ? AND f.version = ? AND f.deleted = 0 AND {found}""",
        (no_hit, no_hit, rule.name, rule.version, *params),
    ).fetchone()
    return int(hits), float(total)
