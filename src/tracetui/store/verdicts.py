"""Writing what rules found: in short transactions that check the claim, move the cursor and sum up what they touch."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracetui.model import jsonx
from tracetui.model.ids import feedback_id
from tracetui.model.kinds import Level, Source
from tracetui.store import feedback
from tracetui.store.db import immediate
from tracetui.store.feedback import FeedbackData
from tracetui.store.rollup import feedback_cells, thread_feedback, trace_feedback
from tracetui.store.rules import LEASE_US, TABLES, Cursor, Lane, StoredRule
from tracetui.store.targets import Target

WORK_S = 0.008
PAUSE_S = 0.002
_GROUP = 10
_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a target: a hit, or (`record = "all"`) that it is none."""

    score: float | None
    value: str | None
    comment: str | None
    evidence: str | None
    """JSON."""
    hit: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be written of one target: a verdict, that there is none any more, or that the rule failed on it."""

    target: Target
    verdict: Verdict | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """A ready target that a lane passed and of which something is to be written.

    `judged`: how many targets the lane judged since the last commit, this one included. `pk` and `ready_rev` are of
    what became ready: a run's trace, for rules that need it.
    """

    pk: int
    ready_rev: int
    judged: int
    said: tuple[Said, ...] = ()

    @property
    def cursor(self) -> Cursor:
        """The lane's cursor after it."""
        return self.ready_rev, self.pk


class LeaseLostError(Exception):
    """Another worker has taken the lane: nothing of the transaction is written."""


class VerdictWriter:
    """Writes the verdicts of one worker over its connection."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._save_s = 0.00005  # what saving one row has cost lately
        self._sum_up_s = 0.0005  # and summing up one trace

    def commit(
        self, rule: StoredRule, lane: Lane, walked: Level, key: KeyForm, passed: Sequence[Passed], now: int
    ) -> None:
        """Write what a lane passed, in order and in several transactions. The last one says how far it came.

        Raises `LeaseLostError`; what was committed before it stays, with the cursor behind it.
        """
        at = 0
        judged = 0
        while at < len(passed):
            if at:
                time.sleep(PAUSE_S)
            at += self._transaction(rule, lane, walked, key, passed[at:], judged, now)
            judged = passed[at - 1].judged

    def _transaction(
        self, rule: StoredRule, lane: Lane, walked: Level, key: KeyForm, passed: Sequence[Passed], before: int, now: int
    ) -> int:
        with immediate(self._conn):
            begin = time.perf_counter()
            work = _Work(self._conn, rule, key, now)
            done = 0
            while done < len(passed):
                part = passed[done : done + _GROUP]
                work.take(part, self._current(walked, part))
                done += len(part)
                spent = time.perf_counter() - begin + work.rows * self._save_s
                summing = len(work.traces) * self._sum_up_s
                # a trace that takes long to sum up passes the limit anyway: then as much work as that is worth it
                if spent + summing > WORK_S and spent > min(summing, WORK_S / 2):
                    break
            last = passed[done - 1]
            moved = self._conn.execute(
                "UPDATE rule_work SET cursor_rev = ?, cursor_pk = ?, lease_until = ?, seen = seen + ?, hits = hits + ? "
                "WHERE rule = ? AND lane = ? AND token = ?",
                (*last.cursor, now + LEASE_US, last.judged - before, work.hits, lane.rule, lane.lane, lane.token),
            ).rowcount
            if not moved:
                raise LeaseLostError
            self._finish(work)
        return done

    def _current(self, walked: Level, part: Sequence[Passed]) -> set[int]:
        """Those whose data is still what was judged; the others come again."""
        writing = [one for one in part if one.said]
        if not writing:
            return set()
        found = self._conn.execute(
            f"SELECT pk, ready_rev FROM {TABLES[walked]} WHERE pk IN (SELECT value FROM json_each(?))",
            (jsonx.dumps([one.pk for one in writing]).decode(),),
        )
        now_ready = dict(found.fetchall())
        return {one.pk for one in writing if now_ready.get(one.pk) == one.ready_rev}

    def _finish(self, work: _Work) -> None:
        rows, traces = work.rows, len(work.traces)
        begin = time.perf_counter()
        work.save()
        saved = time.perf_counter()
        work.sum_up()
        if rows:
            self._save_s = 0.7 * self._save_s + 0.3 * (saved - begin) / rows
        if traces:
            self._sum_up_s = 0.7 * self._sum_up_s + 0.3 * (time.perf_counter() - saved) / traces

    def note_failures(self, rule: StoredRule, passed: Iterable[Passed], now: int) -> None:
        """Note only where a rule failed; it has stopped itself, and its cursor stays."""
        with immediate(self._conn):
            work = _Work(self._conn, rule, None, now)
            work.take_failures(passed)
            work.save()

    def forget_superseded(self, rule: StoredRule, lane: Lane, after: int, now: int) -> int | None:
        """Take back a batch of what older versions said and this one, through with everything, does not.

        Goes through feedback by pk (a scan, once per version); returns where to go on, `None` at the end. Raises
        `LeaseLostError`.
        """
        conn = self._conn
        rows = conn.execute(
            "SELECT pk, id, source, author, version, deleted FROM feedback WHERE pk > ? ORDER BY pk LIMIT 2000",
            (after,),
        ).fetchall()
        if not rows:
            return None
        old = [
            row[1]
            for row in rows
            if row[2] == Source.RULE and row[3] == rule.name and not row[5] and (row[4] or 0) < rule.version
        ]
        for at in range(0, len(old), _GROUP):
            with immediate(conn):
                if not conn.execute(
                    "SELECT 1 FROM rule_work WHERE rule = ? AND lane = ? AND token = ?",
                    (lane.rule, lane.lane, lane.token),
                ).fetchone():
                    raise LeaseLostError
                work = _Work(conn, rule, None, now)
                work.take_back(
                    row
                    for row in feedback.load(conn, old[at : at + _GROUP]).values()
                    if not row.deleted and (row.version or 0) < rule.version
                )
                self._finish(work)
        return int(rows[-1][0])


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The feedback key of a rule, and what it becomes where the store does not know it yet."""

    key: str
    boolean: bool
    lower_is_better: bool


class _Work:
    """What one transaction writes."""

    def __init__(self, conn: sqlite3.Connection, rule: StoredRule, key: KeyForm | None, now: int) -> None:
        self._conn = conn
        self._rule = rule
        self._key = key
        self._now = now
        self._rows: list[FeedbackData] = []
        self._failed: list[tuple[str, int, str]] = []
        self._well: list[tuple[str, int]] = []
        self._rev = 0
        self.hits = 0
        self.traces: set[int] = set()

    def take(self, part: Sequence[Passed], current: set[int]) -> None:
        """Take in what was judged, as far as it is still so."""
        items = [item for one in part if one.pk in current for item in one.said]
        if not items:
            return
        stored = self._stored([item.target for item in items])
        for item in items:
            target = item.target
            if item.failure is not None:
                self._failed.append((target.level, target.pk, item.failure))
                continue
            self._well.append((target.level, target.pk))
            old = stored.get((target.level, target.pk), [])
            keep = None
            if item.verdict is not None:
                keep = self._say(target, item.verdict, old)
                self.hits += item.verdict.hit
            self.take_back(row for row in old if row.id != keep and not row.deleted)

    def take_failures(self, passed: Iterable[Passed]) -> None:
        """Take in failures alone."""
        for one in passed:
            for item in one.said:
                if item.failure is not None:
                    self._failed.append((item.target.level, item.target.pk, item.failure))

    def take_back(self, rows: Iterable[FeedbackData]) -> None:
        """Mark rows as deleted: there is no such hit any more."""
        for row in rows:
            row.deleted = 1
            self._add(row)

    def _say(self, target: Target, verdict: Verdict, old: Sequence[FeedbackData]) -> str:
        assert self._key is not None
        ident = feedback_id(target.level, target.id, self._key.key, Source.RULE, self._rule.name, target.project)
        row = next((row for row in old if row.id == ident), None)
        before = None if row is None else row.said()
        if row is None:
            row = FeedbackData(
                None, ident, target.level, target.pk, target.trace, self._key.key, source=Source.RULE,
                author=self._rule.name, created_at=self._now,
            )  # fmt: skip
        row.score, row.value, row.comment = verdict.score, _clean(verdict.value), _clean(verdict.comment)
        row.evidence, row.version, row.deleted, row.trace = verdict.evidence, self._rule.version, 0, target.trace
        if row.said() != before:
            self._add(row)
        return ident

    def _add(self, row: FeedbackData) -> None:
        row.modified_at = self._now
        self._rows.append(row)
        if row.trace is not None:
            self.traces.add(row.trace)

    def _stored(self, targets: Sequence[Target]) -> dict[tuple[str, int], list[FeedbackData]]:
        """What this rule has said of these targets, under any key, taken back or not."""
        by_level: dict[str, list[int]] = {}
        for target in targets:
            by_level.setdefault(target.level, []).append(target.pk)
        out: dict[tuple[str, int], list[FeedbackData]] = {}
        for level, pks in by_level.items():
            ids = [
                row[0]
                for row in self._conn.execute(
                    "SELECT id FROM feedback WHERE level = ? AND target IN (SELECT value FROM json_each(?)) "
                    "AND source = 'rule' AND author = ?",
                    (level, jsonx.dumps(pks).decode(), self._rule.name),
                )
            ]
            if ids:
                for row in feedback.load(self._conn, ids).values():
                    out.setdefault((row.level, row.target), []).append(row)
        return out

    @property
    def rows(self) -> int:
        """How many rows are to be written."""
        return len(self._rows)

    def save(self) -> None:
        """Write the rows."""
        conn = self._conn
        self._note_failures()
        if not self._rows:
            return
        rev = conn.execute("UPDATE meta SET value = value + 1 WHERE key = 'rev' RETURNING value").fetchone()[0]
        homes = self._homes()
        for row in self._rows:
            row.rev = rev
            row.trace = homes.get(row.target, row.trace) if row.level == Level.RUN else row.trace
        if self._key is not None:
            for row in self._rows:
                if not row.deleted:
                    feedback.ensure_key(
                        conn, row.key, boolean=self._key.boolean, score=row.score, value=row.value,
                        lower=self._key.lower_is_better,
                    )  # fmt: skip
                    break
        feedback.save(conn, self._rows)
        self._rev = rev

    def sum_up(self) -> None:
        """Sum up the traces and threads that the rows touch."""
        if not self._rows:
            return
        conn, rev = self._conn, self._rev
        traces, threads = feedback.touched_by(self._rows)
        for trace in sorted(traces):
            cells = feedback_cells(trace_feedback(conn, trace))
            conn.execute("UPDATE trace SET feedback = ?, rev = ? WHERE pk = ?", (cells, rev, trace))
        threads |= {
            row[0]
            for row in conn.execute(
                "SELECT thread FROM trace WHERE pk IN (SELECT value FROM json_each(?))",
                (jsonx.dumps(sorted(traces)).decode(),),
            )
        }
        for thread in sorted(threads):
            cells = feedback_cells(thread_feedback(conn, thread))
            conn.execute("UPDATE thread SET feedback = ?, rev = ? WHERE pk = ?", (cells, rev, thread))

    def _homes(self) -> dict[int, int]:
        """Run -> its trace as it is now: it may have moved since it was judged."""
        pks = [row.target for row in self._rows if row.level == Level.RUN]
        found = self._conn.execute(
            "SELECT pk, trace FROM run WHERE pk IN (SELECT value FROM json_each(?))", (jsonx.dumps(pks).decode(),)
        )
        return dict(found.fetchall())

    def _note_failures(self) -> None:
        rule = self._rule
        self._conn.executemany(
            "INSERT INTO rule_failure(rule, level, target, version, at, message) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT(rule, level, target) DO UPDATE SET version = excluded.version, at = excluded.at, "
            "message = excluded.message",
            [(rule.pk, level, pk, rule.version, self._now, _clean(why)) for level, pk, why in self._failed],
        )
        any_failed = self._conn.execute("SELECT 1 FROM rule_failure WHERE rule = ? LIMIT 1", (rule.pk,)).fetchone()
        if self._well and any_failed:
            self._conn.executemany(
                "DELETE FROM rule_failure WHERE rule = ? AND level = ? AND target = ?",
                [(rule.pk, level, pk) for level, pk in self._well],
            )


def spoken_of(conn: sqlite3.Connection, name: str, level: Level, pks: Sequence[int]) -> set[int]:
    """Those of some targets of which a rule has said something, or on which it failed."""
    names = jsonx.dumps(list(pks)).decode()
    said = conn.execute(
        "SELECT target FROM feedback WHERE level = ? AND target IN (SELECT value FROM json_each(?)) "
        "AND source = 'rule' AND author = ? AND deleted = 0",
        (level, names, name),
    ).fetchall()
    failed = conn.execute(
        "SELECT f.target FROM rule JOIN rule_failure f ON f.rule = rule.pk WHERE rule.name = ? AND f.level = ? "
        "AND f.target IN (SELECT value FROM json_each(?))",
        (name, level, names),
    ).fetchall()
    return {row[0] for row in (*said, *failed)}


def spoken_by(conn: sqlite3.Connection, name: str) -> set[tuple[str, int]] | None:
    """Everything a rule has hits on, by level and target; `None` where the store has no such rule. Scans feedback."""
    if conn.execute("SELECT 1 FROM rule WHERE name = ?", (name,)).fetchone() is None:
        return None
    found = conn.execute(
        "SELECT level, target FROM feedback WHERE source = 'rule' AND author = ? AND deleted = 0", (name,)
    )
    return {(row[0], row[1]) for row in found}


def _clean(text: str | None) -> str | None:
    """A text that SQLite can hold, of bounded length."""
    if text is None:
        return None
    return text[:_COMMENT].encode("utf-8", "replace").decode()


def failures(conn: sqlite3.Connection, rule: int, limit: int = 20) -> tuple[int, list[tuple[str, str, int, str]]]:
    """How many targets a rule failed on, and the latest of them as `(level, id, at, message)`."""
    count = conn.execute("SELECT count(*) FROM rule_failure WHERE rule = ?", (rule,)).fetchone()[0]
    rows = conn.execute(
        "SELECT level, target, at, message FROM rule_failure WHERE rule = ? ORDER BY at DESC LIMIT ?", (rule, limit)
    ).fetchall()
    out: list[tuple[str, str, int, str]] = []
    for level, target, at, message in rows:
        found = conn.execute(f"SELECT id FROM {TABLES[Level(level)]} WHERE pk = ?", (target,)).fetchone()
        out.append((level, found[0] if found else str(target), at, message))
    return int(count), out
