"""Mending what `doctor` finds, in short transactions, so that others can go on writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tracetui.model.times import now_us
from tracetui.store import runs
from tracetui.store.access import pk_list
from tracetui.store.content import Contents, Encoder
from tracetui.store.db import connect_write, writing
from tracetui.store.doctor import Finding
from tracetui.store.mentions import Mentions
from tracetui.store.rollup import recompute_thread, recompute_trace
from tracetui.store.threads import home_of, thread_pk

_CHUNK = 50
_THESE = "IN (SELECT value FROM json_each(?))"


def repair(path: str | Path, findings: Iterable[Finding]) -> list[str]:
    """Mend what can be mended; returns the checks that something was done for. Raises `StoreError`.

    What people and sources said is never removed: feedback whose target is gone is marked as deleted.
    """
    conn = connect_write(path)
    try:
        done = []
        for finding in sorted(findings, key=_order):
            act = _ACTS.get(finding.check)
            if act is None:
                continue
            for at in range(0, max(len(finding.rows), 1), _CHUNK):
                with writing(conn) as rev:
                    act(_Work(conn, rev, now_us()), finding.rows[at : at + _CHUNK])
            done.append(finding.check)
        return done
    finally:
        conn.close()


def _order(finding: Finding) -> int:
    """Rows first, then what is summed up over them, then what is left over."""
    return list(_ACTS).index(finding.check) if finding.check in _ACTS else len(_ACTS)


class _Work:
    """One transaction of a repair."""

    def __init__(self, conn: sqlite3.Connection, rev: int, now: int) -> None:
        self.conn = conn
        self.rev = rev
        self.now = now
        self.contents = Contents(conn)

    def sum_up(self, traces: Iterable[int], *, data: bool = False) -> None:
        """Compute what is said of traces and their threads anew; with `data` everything else too, and their thread."""
        threads: set[int] = set()
        for trace in sorted(set(traces)):
            found = self.conn.execute("SELECT thread FROM trace WHERE pk = ?", (trace,)).fetchone()
            if found is None:
                continue
            recompute_trace(self.conn, trace, self.rev, self.now, self.contents, data=data)
            threads.add(found[0])
            if data:
                home = thread_pk(self.conn, home_of(self.conn, trace), self.now, self.rev)
                self.conn.execute("UPDATE trace SET thread = ? WHERE pk = ?", (home, trace))
                threads.add(home)
        for thread in sorted(threads):
            recompute_thread(self.conn, thread, self.rev, self.now, data=data)
        drop_threads(self, sorted(threads))

    def column(self, sql: str, *params: object) -> list[int]:
        """The first column of a query."""
        return [row[0] for row in self.conn.execute(sql, params)]


def _name(work: _Work, pks: Sequence[int]) -> None:
    work.conn.execute(
        f"UPDATE run SET name = coalesce(name, ''), kind = coalesce(kind, 'other'), rev = ? WHERE pk {_THESE}",
        (work.rev, pk_list(pks)),
    )
    work.sum_up(work.column(f"SELECT trace FROM run WHERE pk {_THESE}", pk_list(pks)), data=True)


def _cut_parents(work: _Work, pks: Sequence[int]) -> None:
    work.conn.execute(f"UPDATE run SET parent = NULL, rev = ? WHERE pk {_THESE}", (work.rev, pk_list(pks)))
    work.sum_up(work.column(f"SELECT trace FROM run WHERE pk {_THESE}", pk_list(pks)), data=True)


def _cut_cycles(work: _Work, pks: Sequence[int]) -> None:
    """One run of each cycle loses its parent; what hangs below comes with it."""
    parent = dict(work.conn.execute(f"SELECT pk, parent FROM run WHERE pk {_THESE}", (pk_list(pks),)))
    cut: set[int] = set()
    for start in parent:
        seen: list[int] = []
        at: int | None = start
        while at is not None and at not in seen and at not in cut:
            seen.append(at)
            row = work.conn.execute("SELECT parent FROM run WHERE pk = ?", (at,)).fetchone()
            at = row[0] if row else None
        if at is not None and at in seen:
            cut.add(min(seen[seen.index(at) :]))
    _cut_parents(work, sorted(cut))


def _said_again(work: _Work, traces: Sequence[int]) -> None:
    work.sum_up(traces)


def _from_runs(work: _Work, traces: Sequence[int]) -> None:
    work.sum_up(traces, data=True)


def _threads_again(work: _Work, threads: Sequence[int]) -> None:
    for thread in threads:
        recompute_thread(work.conn, thread, work.rev, work.now, data=True)


def _drop_traces(work: _Work, traces: Sequence[int]) -> None:
    threads = work.column(f"SELECT thread FROM trace WHERE pk {_THESE}", pk_list(traces))
    work.conn.execute(f"DELETE FROM mention WHERE trace {_THESE}", (pk_list(traces),))
    work.conn.execute(
        f"DELETE FROM trace WHERE pk {_THESE} AND NOT EXISTS (SELECT 1 FROM run WHERE run.trace = trace.pk) "
        "AND NOT EXISTS (SELECT 1 FROM feedback WHERE feedback.trace = trace.pk)",
        (pk_list(traces),),
    )
    _threads_again(work, sorted(set(threads)))
    drop_threads(work, threads)


def drop_threads(work: _Work, threads: Sequence[int]) -> None:
    """Remove threads that hold neither traces nor feedback."""
    work.conn.execute(
        f"DELETE FROM thread WHERE pk {_THESE} AND NOT EXISTS (SELECT 1 FROM trace WHERE trace.thread = thread.pk) "
        "AND NOT EXISTS (SELECT 1 FROM feedback WHERE level = 'thread' AND target = thread.pk)",
        (pk_list(threads),),
    )


def _catch_up(work: _Work, pks: Sequence[int]) -> None:
    del pks
    for table in ("thread", "trace", "run", "feedback"):
        work.conn.execute(
            f"UPDATE meta SET value = max(value, (SELECT coalesce(max(rev), 0) FROM {table})) WHERE key = 'rev'"
        )


def _not_ready(work: _Work, pks: Sequence[int]) -> None:
    work.conn.execute(f"UPDATE run SET ready_rev = NULL, rev = ? WHERE pk {_THESE}", (work.rev, pk_list(pks)))


def _mark_deleted(work: _Work, pks: Sequence[int]) -> None:
    work.conn.execute(
        f"UPDATE feedback SET deleted = 1, modified_at = ?, rev = ? WHERE pk {_THESE}",
        (work.now, work.rev, pk_list(pks)),
    )
    work.sum_up(work.column(f"SELECT trace FROM feedback WHERE pk {_THESE} AND trace IS NOT NULL", pk_list(pks)))


def _follow_target(work: _Work, pks: Sequence[int]) -> None:
    traces = work.column(f"SELECT trace FROM feedback WHERE pk {_THESE}", pk_list(pks))
    work.conn.execute(
        "UPDATE feedback SET trace = CASE level WHEN 'run' THEN (SELECT trace FROM run WHERE run.pk = target) "
        f"ELSE target END, rev = ? WHERE pk {_THESE}",
        (work.rev, pk_list(pks)),
    )
    work.sum_up(traces + work.column(f"SELECT trace FROM feedback WHERE pk {_THESE}", pk_list(pks)))


def _to_trace(work: _Work, pks: Sequence[int]) -> None:
    """Feedback on a thread that only stands for its trace goes to that trace."""
    work.conn.execute(
        "UPDATE feedback SET level = 'trace', target = found.pk, trace = found.pk, rev = ? "
        "FROM (SELECT min(pk) AS pk, thread FROM trace GROUP BY thread) AS found "
        f"WHERE found.thread = feedback.target AND feedback.pk {_THESE}",
        (work.rev, pk_list(pks)),
    )
    work.sum_up(work.column(f"SELECT trace FROM feedback WHERE pk {_THESE}", pk_list(pks)))


def _close_edits(work: _Work, pks: Sequence[int]) -> None:
    work.conn.execute(f"UPDATE edit SET state = 'done' WHERE pk {_THESE}", (pk_list(pks),))


def _mention_again(work: _Work, traces: Sequence[int]) -> None:
    mentions = Mentions(work.conn, Encoder(work.conn))
    for trace in traces:
        pks = work.column("SELECT pk FROM run WHERE trace = ?", trace)
        mentions.rebuild(trace, list(runs.load_by_pk(work.conn, pks).values()))
        mentions.flush()


def _collect(work: _Work, pks: Sequence[int]) -> None:
    work.conn.execute(
        f"DELETE FROM content WHERE pk {_THESE} AND NOT EXISTS (SELECT 1 FROM mention WHERE content = content.pk)",
        (pk_list(pks),),
    )


_ACTS: dict[str, Callable[[_Work, Sequence[int]], None]] = {
    "future_rev": _catch_up,
    "unnamed": _name,
    "parent_elsewhere": _cut_parents,
    "parent_cycle": _cut_cycles,
    "ready_running": _not_ready,
    "feedback_elsewhere": _follow_target,
    "feedback_on_implicit": _to_trace,
    "lost_target": _mark_deleted,
    "verdict_twice": _mark_deleted,
    "open_edit": _close_edits,
    "empty_trace": _drop_traces,
    "wrong_root": _from_runs,
    "wrong_thread": _from_runs,
    "usage_counted": _from_runs,
    "trace_sums": _from_runs,
    "trace_feedback": _said_again,
    "thread_sums": _threads_again,
    "thread_feedback": _threads_again,
    "empty_thread": drop_threads,
    "not_mentioned": _mention_again,
    "mentioned_in_vain": _mention_again,
    "garbage": _collect,
}
"""What mends what, in the order in which it is done."""
