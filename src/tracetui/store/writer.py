"""The one way records get into a store.

A batch is written in transactions of at most 10 ms of work with a pause between them, so that a person's score beside a
running import waits only that long. Each transaction merges, links, and sums up what it touched: whoever reads between
two of them sees a store that adds up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from tracetui.model import jsonx
from tracetui.model.ids import feedback_id
from tracetui.model.kinds import Level, Phase
from tracetui.model.records import Batch, Counts, FeedbackRecord, RunRecord
from tracetui.model.times import now_us
from tracetui.store import feedback, runs
from tracetui.store.content import Contents, Encoder
from tracetui.store.db import Checkpointer, Unchanged, connect_write, writing
from tracetui.store.feedback import FeedbackData
from tracetui.store.links import Links
from tracetui.store.mentions import Mentions
from tracetui.store.rollup import recompute_thread, recompute_trace
from tracetui.store.runs import RunRow
from tracetui.store.threads import home_of, named_thread, thread_pk

WORK_S = 0.010
PAUSE_S = 0.002
_CHUNK = 16
_FEEDBACK_CHUNK = 64


class Writer:
    """Writes batches into one store. One per thread of work; safe to call from several threads."""

    def __init__(self, path: str | Path, *, create: bool = False, clock: Callable[[], int] = now_us) -> None:
        self.path = Path(path)
        self._conn = connect_write(path, create=create)
        self._clock = clock
        self._encoder = Encoder(self._conn)
        self._contents = Contents(self._conn)
        self._mentions = Mentions(self._conn, self._encoder)
        self._checkpoints = Checkpointer(path)
        self._lock = threading.Lock()
        self._rev = -1

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store; what was written stays."""
        with self._lock:
            self._checkpoints.close()
            self._conn.close()

    def write(self, batch: Batch) -> Counts:
        """Merge a batch into the store. Returns what was new. Raises `StoreError`; what was committed stays."""
        counts = Counts()
        with self._lock:
            rest, said = list(batch.runs), list(batch.feedback)
            first = True
            while rest or said:
                if not first:
                    time.sleep(PAUSE_S)
                first = False
                done, told = self._transaction(rest, said, counts)
                del rest[:done], said[:told]
            self._encoder.forget()
        return counts

    def flush(self) -> Counts:
        """Everything is written when `write` returns: there is nothing to wait for (see `WriterProcess`)."""
        return Counts()

    def _transaction(
        self, records: Sequence[RunRecord], said: Sequence[FeedbackRecord], counts: Counts
    ) -> tuple[int, int]:
        """Write as much as fits into one transaction; returns how many runs and pieces of feedback were taken."""
        done = told = 0
        here = Counts()
        try:
            with writing(self._conn) as rev:
                alone = rev == self._rev + 1
                if not alone:
                    self._mentions.reset()  # somebody else wrote in between
                self._encoder.begin(alone=alone, preload=self._rev < 0)
                self._rev = rev
                part = _Part(self, rev, self._clock(), here)
                begin = time.perf_counter()
                while done < len(records) and time.perf_counter() - begin < WORK_S:
                    chunk = list(records[done : done + _CHUNK])
                    part.take_runs(chunk)
                    done += len(chunk)
                while done == len(records) and told < len(said) and time.perf_counter() - begin < WORK_S:
                    piece = said[told : told + _FEEDBACK_CHUNK]
                    part.take_feedback(piece)
                    told += len(piece)
                if not part.finish():
                    self._rev = rev - 1
                    if self._encoder.pending:
                        self._encoder.reset()
                    raise Unchanged
        except BaseException:
            self._encoder.reset()
            self._mentions.reset()
            self._rev = -1
            raise
        counts.add(here)
        self._checkpoints.after_commit()
        return done, told


class _Part:
    """The work of one transaction."""

    def __init__(self, writer: Writer, rev: int, now: int, counts: Counts) -> None:
        self.conn = writer._conn
        self.encoder = writer._encoder
        self.contents = writer._contents
        self.mentions = writer._mentions
        self.rev = rev
        self.now = now
        self.counts = counts
        self.links = Links(self.conn)
        self.noted: dict[str, RunRow] = {}
        """Runs whose contents are to be mentioned."""
        self.said: dict[str, FeedbackData] = {}
        self.threads: dict[int, bool] = {}
        """Touched threads, and whether their data changed (not only feedback)."""

    # -- runs

    def take_runs(self, records: list[RunRecord]) -> None:
        links = self.links
        links.load(records)
        for record in records:
            known = links.row(record.id)
            before = known.values() if known is not None else None
            was_there = known is not None and known.phase > Phase.STUB
            touched = set(links.touched)
            if known is not None:
                self.encoder.flush()  # what it holds may be read to be merged
            row = links.place(record)
            replaced = runs.absorb(row, record, self.encoder, self.contents)
            if before == row.values():
                links.touched = touched
                self.counts.unchanged += 1
                continue
            row.rev = self.rev
            row.ready_rev = self.rev if row.phase == Phase.ENDED else None
            links.mark(row)
            if row.phase > Phase.STUB and not was_there:
                self.counts.runs += 1
            if replaced or (before is not None and row.pk in links._by_pk and was_there):
                links.moved.add(row.trace)
            self.noted[row.id] = row

    # -- feedback

    def take_feedback(self, records: Sequence[FeedbackRecord]) -> None:
        named = [(record, _identity(record)) for record in records]
        stored = feedback.load(self.conn, [ident for _, ident in named if ident not in self.said])
        for record, ident in named:
            old = self.said.get(ident) or stored.get(ident)
            new = self._row(record, ident, old)
            if old is not None and old.said() == new.said():
                continue
            if old is None:
                self.counts.feedback += 1
                feedback.ensure_key(
                    self.conn, record.key, boolean=record.boolean, score=record.score, value=record.value
                )
            new.rev = self.rev
            self.said[ident] = new

    def _row(self, record: FeedbackRecord, ident: str, old: FeedbackData | None) -> FeedbackData:
        if old is not None:
            level, target, trace = old.level, old.target, old.trace
        else:
            level, target, trace = self._target(record)
        correction = None if record.correction is None else self.encoder.encode(record.correction)
        evidence = None if record.evidence is None else jsonx.dumps(dict(record.evidence)).decode()
        base = old or FeedbackData(None, ident, level, target, trace, record.key)
        return FeedbackData(
            pk=base.pk, id=ident, level=level, target=target, trace=trace, key=record.key,
            score=base.score if record.score is None else record.score,
            value=base.value if record.value is None else record.value,
            comment=base.comment if record.comment is None else record.comment,
            correction=correction or base.correction, source=record.source, author=record.author,
            version=base.version if record.version is None else record.version,
            evidence=evidence or base.evidence, source_run=record.source_run or base.source_run,
            deleted=int(record.deleted or base.deleted),
            created_at=base.created_at or record.created_at or self.now, modified_at=self.now, rev=self.rev,
        )  # fmt: skip

    def _target(self, record: FeedbackRecord) -> tuple[str, int, int | None]:
        """Level, target and trace of feedback; what is not there yet becomes a stub."""
        if record.level == Level.THREAD and not record.target.startswith("trace:"):
            thread = named_thread(self.conn, record.project, record.target, self.now, self.rev)
            self.threads.setdefault(thread, False)
            return Level.THREAD, thread, None
        if record.level == Level.RUN:
            row = self.links.row(record.target)
            if row is None:
                row = self.links.stub(record.target, self.links.trace(record.trace or record.target))
            return Level.RUN, row.pk, row.trace
        # feedback on an implicit thread goes to its trace
        trace = self.links.trace(
            record.target.removeprefix("trace:") if record.level == Level.THREAD else record.target
        )
        return Level.TRACE, trace, trace

    # -- the end of the transaction

    def finish(self) -> bool:
        """Write everything and sum up. Returns whether anything changed."""
        links = self.links
        if not (links.new_rows or links.changed or self.said):
            return False
        for row in links.new_rows.values():
            row.rev = self.rev
        runs.insert(self.conn, links.new_rows.values())
        changed = [links.rows[name] for name in links.changed]
        for row in changed:
            row.rev = self.rev
        runs.update(self.conn, changed)
        self.conn.executemany(
            "INSERT INTO trace(pk, id, thread, sort_at, received_at, touched_at, rev) VALUES (?, ?, 0, ?, ?, ?, ?)",
            [(pk, name, self.now, self.now, self.now, self.rev) for pk, name in links.new_traces.items()],
        )
        for said in self.said.values():
            if said.level == Level.RUN:  # its run may have moved since
                moved = self.conn.execute("SELECT trace FROM run WHERE pk = ?", (said.target,)).fetchone()
                said.trace = moved[0]
        feedback.save(self.conn, self.said.values())
        self.encoder.flush()
        self._mention()
        self._sum_up()
        self._authorities()
        return True

    def _mention(self) -> None:
        links = self.links
        for row in self.noted.values():
            if row.trace not in links.moved:
                self.mentions.note(row, fresh_trace=row.trace in links.new_traces)
        for trace in links.moved:
            pks = [row[0] for row in self.conn.execute("SELECT pk FROM run WHERE trace = ?", (trace,))]
            self.mentions.rebuild(trace, list(runs.load_by_pk(self.conn, pks).values()))
        self.mentions.flush()

    def _sum_up(self) -> None:
        said_traces, said_threads = feedback.touched_by(self.said.values())
        data = self.links.touched | set(self.links.new_traces)
        for trace in sorted(data | said_traces):
            before = self._visible("trace", trace)
            recompute_trace(self.conn, trace, self.rev, self.now, self.contents, data=trace in data)
            self._choose_thread(trace, data=trace in data)
            self.counts.traces += self._visible("trace", trace) - before
        for thread in said_threads:
            self.threads.setdefault(thread, False)
        self._drop_empty()
        for thread, changed in sorted(self.threads.items()):
            before = self._visible("thread", thread)
            recompute_thread(self.conn, thread, self.rev, self.now, data=changed)
            self.counts.threads += self._visible("thread", thread) - before
        self._drop_empty_threads()

    def _visible(self, table: str, pk: int) -> int:
        row = self.conn.execute(f"SELECT run_count > 0 FROM {table} WHERE pk = ?", (pk,)).fetchone()
        return int(row[0]) if row else 0

    def _choose_thread(self, trace: int, *, data: bool) -> None:
        old = self.conn.execute("SELECT thread FROM trace WHERE pk = ?", (trace,)).fetchone()[0]
        if not data:
            self.threads.setdefault(old, False)
            return
        new = thread_pk(self.conn, home_of(self.conn, trace), self.now, self.rev)
        if new != old:
            self.conn.execute("UPDATE trace SET thread = ? WHERE pk = ?", (new, trace))
        for thread in {old, new} - {0}:
            self.threads[thread] = True

    def _drop_empty(self) -> None:
        """Traces without runs and feedback go: their runs were moved away."""
        for trace in self.links.moved:
            self.conn.execute(
                "DELETE FROM trace WHERE pk = ? AND NOT EXISTS (SELECT 1 FROM run WHERE trace = ?) "
                "AND NOT EXISTS (SELECT 1 FROM feedback WHERE trace = ?)",
                (trace, trace, trace),
            )

    def _drop_empty_threads(self) -> None:
        for thread in self.threads:
            self.conn.execute(
                "DELETE FROM thread WHERE pk = ? AND NOT EXISTS (SELECT 1 FROM trace WHERE thread = ?) "
                "AND NOT EXISTS (SELECT 1 FROM feedback WHERE level = 'thread' AND target = ?)",
                (thread, thread, thread),
            )

    def _authorities(self) -> None:
        """Keep the list of id prefixes, so that a bare id can be looked up under each."""
        here = {name.partition(":")[0] for name in self.links.new_rows if ":" in name}
        here |= {name.partition(":")[0] for name in self.links.new_traces.values() if ":" in name}
        if not here:
            return
        known = jsonx.loads(self.conn.execute("SELECT value FROM meta WHERE key = 'authorities'").fetchone()[0])
        if not here <= set(known):
            self.conn.execute(
                "UPDATE meta SET value = ? WHERE key = 'authorities'",
                (jsonx.dumps(sorted({*known, *here})).decode(),),
            )


def _identity(record: FeedbackRecord) -> str:
    return record.id or feedback_id(
        record.level, record.target, record.key, record.source, record.author, record.project
    )
