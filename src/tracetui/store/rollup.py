"""What a trace and a thread sum up to: always computed anew, in the transaction that changed something below.

Nothing is ever incremented; `doctor` runs the same statements and compares.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from tracetui.model import jsonx
from tracetui.model.kinds import SOURCE_LETTER
from tracetui.model.preview import preview
from tracetui.store.content import Contents

USAGE = (
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
)

_HAS_USAGE = (
    "kind IN ('llm', 'embedding') AND phase > 0 "
    "AND (prompt_tokens IS NOT NULL OR completion_tokens IS NOT NULL OR cost IS NOT NULL)"
)
_COUNTING = f"""
WITH RECURSIVE
  usage(pk, parent) AS (SELECT pk, parent FROM run WHERE trace = :trace AND {_HAS_USAGE}),
  above(pk) AS (
    SELECT parent FROM usage WHERE parent IS NOT NULL
    UNION SELECT run.parent FROM run JOIN above ON run.pk = above.pk WHERE run.parent IS NOT NULL)
SELECT pk FROM usage WHERE pk NOT IN (SELECT pk FROM above)"""

_TWINS = f"""
SELECT pk, parent, response_id, started_at, ended_at FROM run
WHERE trace = :trace AND {_HAS_USAGE} AND response_id IS NOT NULL ORDER BY position, id"""

RUN_SUMS = """
SELECT count(*), coalesce(sum(status = 'error'), 0), coalesce(sum(status = 'running'), 0),
  coalesce(sum(kind = 'llm'), 0), coalesce(sum(kind = 'tool'), 0), min(started_at), max(ended_at)
FROM run WHERE trace = ? AND phase > 0"""

USAGE_SUMS = f"SELECT {', '.join(f'sum({name})' for name in USAGE)} FROM run WHERE trace = ? AND counts_usage = 1"

_ROOT = """
SELECT pk FROM run WHERE trace = :trace AND phase > 0 AND parent IS NULL ORDER BY position, id LIMIT 1"""
_ROOT_BELOW_STUB = """
SELECT run.pk FROM run LEFT JOIN run above ON above.pk = run.parent
WHERE run.trace = :trace AND run.phase > 0 ORDER BY above.phase > 0, run.position, run.id LIMIT 1"""


def counting_runs(conn: sqlite3.Connection, trace: int) -> set[int]:
    """The runs of a trace whose usage counts: model calls with usage that hold no such call.

    Of siblings with one response id and overlapping times (a call that its package and an instrumentation both traced)
    the first counts.
    """
    counted = {row[0] for row in conn.execute(_COUNTING, {"trace": trace})}
    first: dict[tuple[Any, Any], list[tuple[int | None, int | None]]] = {}
    for pk, parent, response, start, end in conn.execute(_TWINS, {"trace": trace}):
        if pk not in counted:
            continue
        spans = first.setdefault((parent, response), [])
        if any(_overlap(start, end, *span) for span in spans):
            counted.discard(pk)
        else:
            spans.append((start, end))
    return counted


def _overlap(start: int | None, end: int | None, other_start: int | None, other_end: int | None) -> bool:
    if start is None or end is None or other_start is None or other_end is None:
        return False
    return start <= other_end and other_start <= end


def root_of(conn: sqlite3.Connection, trace: int) -> int | None:
    """The root run: without a parent, else below a run that never came; the first by position and id."""
    row = (
        conn.execute(_ROOT, {"trace": trace}).fetchone() or conn.execute(_ROOT_BELOW_STUB, {"trace": trace}).fetchone()
    )
    return row[0] if row else None


def recompute_trace(
    conn: sqlite3.Connection, trace: int, rev: int, now: int, contents: Contents, *, data: bool
) -> None:
    """Sum a trace up. `data`: its runs changed, so it is to be judged again; else only what is said of it did."""
    cells = feedback_cells(trace_feedback(conn, trace))
    conn.execute("UPDATE trace SET feedback = ?, rev = ? WHERE pk = ?", (cells, rev, trace))
    if not data:
        return
    counted = counting_runs(conn, trace)
    before = {row[0] for row in conn.execute("SELECT pk FROM run WHERE trace = ? AND counts_usage = 1", (trace,))}
    if before != counted:
        conn.executemany(
            "UPDATE run SET counts_usage = ? WHERE pk = ?",
            [(1, pk) for pk in counted - before] + [(0, pk) for pk in before - counted],
        )
    runs, errors, running, llm, tool, started, ended = conn.execute(RUN_SUMS, (trace,)).fetchone()
    usage = conn.execute(USAGE_SUMS, (trace,)).fetchone()
    root = root_of(conn, trace)
    conn.execute(
        f"""UPDATE trace SET run_count = ?, error_count = ?, running = ?, llm_calls = ?, tool_calls = ?,
          started_at = ?, ended_at = ?, {", ".join(f"{name} = ?" for name in USAGE)}, root = ?,
          sort_at = coalesce(?, ?, received_at) WHERE pk = ?""",
        (runs, errors, running, llm, tool, started, ended, *usage, root, ended, started, trace),
    )
    _from_root(conn, trace, root, rev, now, contents)


def _from_root(conn: sqlite3.Connection, trace: int, root: int | None, rev: int, now: int, contents: Contents) -> None:
    """What a trace takes from its root run, and whether it can be judged now."""
    name = status = tags = metadata = project = inputs = outputs = None
    ready = None
    if root is not None:
        name, status, tags, metadata, project, inputs, outputs, phase = conn.execute(
            "SELECT name, status, tags, metadata, project, inputs, outputs, phase FROM run WHERE pk = ?",
            (root,),
        ).fetchone()
        ready = rev if phase == 2 else None
    said = conn.execute(
        "SELECT trace_name FROM run WHERE trace = ? AND trace_name IS NOT NULL ORDER BY position, id LIMIT 1",
        (trace,),
    ).fetchone()
    conn.execute(
        """UPDATE trace SET name = ?, status = ?, tags = ?, metadata = ?, project = ?, input_preview = ?,
          output_preview = ?, touched_at = ?, ready_rev = ? WHERE pk = ?""",
        (said[0] if said else name, status, tags, metadata, project, _preview(contents, inputs, asked=True),
         _preview(contents, outputs, asked=False), now, ready, trace),
    )  # fmt: skip


def _preview(contents: Contents, blob: bytes | None, *, asked: bool) -> str | None:
    found = preview(contents.value(blob), asked=asked)
    return None if found is None else found.encode("utf-8", "replace").decode()


THREAD_SUMS = f"""
SELECT count(*), coalesce(sum(run_count), 0), coalesce(sum(error_count), 0), coalesce(sum(llm_calls), 0),
  coalesce(sum(tool_calls), 0), min(started_at), max(ended_at), {", ".join(f"sum({name})" for name in USAGE)},
  max(sort_at)
FROM trace WHERE thread = ? AND run_count > 0"""


_NO_NAME = re.compile(r"[0-9a-fA-F-]{20,}|[0-9A-Z]{26}")
"""Ids that tell a person nothing (UUIDs, hashes, ULIDs): such a thread is called after its title or its first trace."""
_FIRST_NAME = """
SELECT coalesce(metadata ->> 'title', name) FROM trace
WHERE thread = ? AND run_count > 0 AND coalesce(metadata ->> 'title', name) IS NOT NULL
ORDER BY metadata ->> 'title' IS NULL, started_at, id LIMIT 1"""


def recompute_thread(conn: sqlite3.Connection, thread: int, rev: int, now: int, *, data: bool) -> None:
    """Sum a thread up over its traces; without `data` only what is said of it and below."""
    cells = feedback_cells(thread_feedback(conn, thread))
    conn.execute("UPDATE thread SET feedback = ?, rev = ? WHERE pk = ?", (cells, rev, thread))
    if not data:
        return
    *sums, sort_at = conn.execute(THREAD_SUMS, (thread,)).fetchone()
    user = conn.execute(
        """SELECT run.user FROM trace JOIN run ON run.pk = trace.root
        WHERE trace.thread = ? AND run.user IS NOT NULL ORDER BY run.position, run.id LIMIT 1""",
        (thread,),
    ).fetchone()
    thread_id = conn.execute("SELECT id FROM thread WHERE pk = ?", (thread,)).fetchone()[0]
    name = None
    if _NO_NAME.fullmatch(thread_id):
        found = conn.execute(_FIRST_NAME, (thread,)).fetchone()
        name = found[0] if found else None
    conn.execute(
        f"""UPDATE thread SET trace_count = ?, run_count = ?, error_count = ?, llm_calls = ?, tool_calls = ?,
          started_at = ?, ended_at = ?, {", ".join(f"{name} = ?" for name in USAGE)}, user = ?, name = ?,
          sort_at = coalesce(?, sort_at), touched_at = ?, ready_rev = NULL WHERE pk = ?""",
        (*sums, user[0] if user else None, name, sort_at, now, thread),
    )


def trace_feedback(conn: sqlite3.Connection, trace: int) -> list[tuple[Any, ...]]:
    """(level, target, key, score, value, source) of all live feedback on a trace and its runs."""
    return conn.execute(
        "SELECT level, target, key, score, value, source FROM feedback WHERE trace = ? AND deleted = 0",
        (trace,),
    ).fetchall()


def thread_feedback(conn: sqlite3.Connection, thread: int) -> list[tuple[Any, ...]]:
    """The same for a thread and everything below it."""
    return conn.execute(
        """SELECT level, target, key, score, value, source FROM feedback
        WHERE level = 'thread' AND target = :thread AND deleted = 0
        UNION ALL SELECT f.level, f.target, f.key, f.score, f.value, f.source
        FROM trace t JOIN feedback f ON f.trace = t.pk WHERE t.thread = :thread AND f.deleted = 0""",
        {"thread": thread},
    ).fetchall()


def feedback_cells(rows: Iterable[tuple[Any, ...]]) -> str | None:
    """`{key: [n, mean, min, max, {label: n}, "letters", disagree]}` of rows (level, target, key, score, value, source).

    `disagree` is 1 where two sources say different things of one target. For display only: filters read feedback.
    """
    keys: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        keys.setdefault(row[2], []).append(row)
    if not keys:
        return None
    return jsonx.dumps({key: _cell(keys[key]) for key in sorted(keys)}).decode()


def _cell(rows: list[tuple[Any, ...]]) -> list[Any]:
    scores = sorted(row[3] for row in rows if row[3] is not None)
    values: dict[str, int] = {}
    said: dict[tuple[str, int], dict[str, set[tuple[Any, Any]]]] = {}
    for level, target, _, score, value, source in rows:
        if value is not None:
            values[value] = values.get(value, 0) + 1
        said.setdefault((level, target), {}).setdefault(source, set()).add((score, value))
    letters = "".join(letter for source, letter in SOURCE_LETTER.items() if any(source == row[5] for row in rows))
    disagree = any(len({frozenset(one) for one in by_source.values()}) > 1 for by_source in said.values())
    mean = sum(scores) / len(scores) if scores else None
    low, high = (scores[0], scores[-1]) if scores else (None, None)
    return [len(rows), mean, low, high, dict(sorted(values.items())), letters, int(disagree)]
