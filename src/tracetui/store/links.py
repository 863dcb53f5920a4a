"""Which trace a run belongs to and which run is its parent, whatever comes first.

A record may lack its trace (then its parent tells, else it is taken for a root whose trace has its own id, a *guessed*
trace) and may name parents and traces that have not come yet (they become stubs). What is learned later moves what was
guessed before; a guessed trace moves as a whole.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from tracetui.model import jsonx
from tracetui.model.kinds import Phase
from tracetui.model.records import RunRecord
from tracetui.store import runs
from tracetui.store.runs import RunRow


@dataclass(slots=True)
class Links:
    """The rows and traces of one transaction, loaded as they are needed."""

    conn: sqlite3.Connection
    rows: dict[str, RunRow] = field(default_factory=dict)
    """By id: everything loaded or made in this transaction."""
    new_rows: dict[str, RunRow] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Ids of stored rows to write back."""
    new_traces: dict[int, str] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    """Traces whose runs changed."""
    moved: set[int] = field(default_factory=set)
    """Traces that lost or won runs which were there before: their mentions are made anew."""
    _absent: set[str] = field(default_factory=set)
    """Ids that the store was asked for in vain."""
    _by_pk: dict[int, RunRow] = field(default_factory=dict)
    _traces: dict[str, int] = field(default_factory=dict)
    _trace_ids: dict[int, str] = field(default_factory=dict)
    _next_run: int = 0
    _next_trace: int = 0

    def __post_init__(self) -> None:
        self._next_run = runs.next_pk(self.conn, "run")
        self._next_trace = runs.next_pk(self.conn, "trace")

    def load(self, records: list[RunRecord]) -> None:
        """Fetch what these records refer to in three statements."""
        ids = {record.id for record in records} | {record.parent for record in records if record.parent}
        unknown = sorted(ids - self.rows.keys() - self._absent)
        found_runs = runs.load(self.conn, unknown)
        self._absent.update(unknown)
        for row in found_runs.values():
            self._know(row)
        wanted = {record.trace for record in records if record.trace} | ids
        found = self.conn.execute(
            "SELECT pk, id FROM trace WHERE id IN (SELECT value FROM json_each(?))",
            (jsonx.dumps(sorted(wanted - self._traces.keys())).decode(),),
        )
        for pk, trace_id in found:
            self._traces[trace_id] = pk
            self._trace_ids[pk] = trace_id

    def row(self, run_id: str) -> RunRow | None:
        """The row of an id, loaded if need be."""
        known = self.rows.get(run_id)
        if known is None and run_id not in self._absent:
            self._absent.add(run_id)
            for found in runs.load(self.conn, [run_id]).values():
                self._know(found)
            known = self.rows.get(run_id)
        return known

    def trace(self, trace_id: str) -> int:
        """The pk of a trace, made if need be."""
        pk = self.find_trace(trace_id)
        if pk is None:
            pk = self._next_trace
            self._next_trace += 1
            self.new_traces[pk] = trace_id
            self._traces[trace_id] = pk
            self._trace_ids[pk] = trace_id
        return pk

    def find_trace(self, trace_id: str) -> int | None:
        """The pk of a trace that is there already."""
        pk = self._traces.get(trace_id)
        if pk is None:
            found = self.conn.execute("SELECT pk FROM trace WHERE id = ?", (trace_id,)).fetchone()
            if found is None:
                return None
            pk = int(found[0])
            self._traces[trace_id] = pk
            self._trace_ids[pk] = trace_id
        return pk

    def stub(self, run_id: str, trace: int) -> RunRow:
        """A row for a run that was only referred to."""
        row = RunRow(pk=self._next_run, id=run_id, trace=trace)
        self._next_run += 1
        self.new_rows[run_id] = row
        self._know(row)
        self.touched.add(trace)
        return row

    def place(self, record: RunRecord) -> RunRow:
        """The row of a record, in its trace and below its parent."""
        parent = self.row(record.parent) if record.parent and record.parent != record.id else None
        row = self.row(record.id)
        fresh = row is None
        if row is None:
            if record.trace is not None:
                trace = self.trace(record.trace)
            else:
                trace = parent.trace if parent is not None else self.trace(record.id)
            row = self.stub(record.id, trace)
        elif record.trace is not None and self._trace_id(row.trace) != record.trace:
            self._move(row, self.trace(record.trace))
        if record.parent and record.parent != record.id:
            self._attach(row, parent or self.stub(record.parent, row.trace), fresh=fresh)
        self.touched.add(row.trace)
        return row

    def _attach(self, row: RunRow, parent: RunRow, *, fresh: bool) -> None:
        if row.parent == parent.pk:
            return
        if not fresh and self._above(parent, row.pk):
            return  # a cycle: only a hostile source says so
        if parent.trace != row.trace:
            if parent.phase == Phase.STUB and self._guessed(parent):
                self._move(parent, row.trace)
            elif self._guessed(row):
                self._move(row, parent.trace)
            else:
                return  # two traces by their own word: no link between them
        row.parent = parent.pk
        self.mark(row)

    def _above(self, row: RunRow, pk: int) -> bool:
        seen: set[int] = set()
        current: RunRow | None = row
        while current is not None and current.pk not in seen:
            if current.pk == pk:
                return True
            seen.add(current.pk)
            current = self._row_by_pk(current.parent) if current.parent is not None else None
        return False

    def _guessed(self, row: RunRow) -> bool:
        """Whether nobody said which trace a run (a stub, or one with a parent) is in.

        Its trace then has its own id, or that of another such run.
        """
        name = self._trace_id(row.trace)
        if name == row.id:
            return True
        namesake = self.row(name)
        return namesake is not None and (namesake.parent is not None or namesake.phase == Phase.STUB)

    def _move(self, row: RunRow, trace: int) -> None:
        """Move a run to another trace; a guessed trace moves as a whole."""
        old = row.trace
        members = self._members(old) if self._guessed(row) else [row]
        for member in members:
            member.trace = trace
            self.mark(member)
        self.conn.execute(
            "UPDATE feedback SET trace = ? WHERE level = 'run' AND target IN (SELECT value FROM json_each(?))",
            (trace, jsonx.dumps([member.pk for member in members]).decode()),
        )
        self.touched |= {old, trace}
        self.moved |= {old, trace}
        for child in self._children(members):
            if child.trace != trace:
                if self._guessed(child):
                    self._move(child, trace)
                else:
                    child.parent = None
                    self.mark(child)
        for member in members:
            above = self._row_by_pk(member.parent) if member.parent is not None else None
            if above is not None and above.trace != trace:
                if above.phase == Phase.STUB and self._guessed(above):
                    self._move(above, trace)
                else:
                    member.parent = None

    def _members(self, trace: int) -> list[RunRow]:
        for (pk,) in self.conn.execute("SELECT pk FROM run WHERE trace = ?", (trace,)).fetchall():
            self._row_by_pk(pk)
        return [row for row in self.rows.values() if row.trace == trace]

    def _children(self, rows: list[RunRow]) -> list[RunRow]:
        pks = {row.pk for row in rows}
        found = self.conn.execute(
            "SELECT pk FROM run WHERE parent IN (SELECT value FROM json_each(?))",
            (jsonx.dumps(sorted(pks)).decode(),),
        ).fetchall()
        for (pk,) in found:
            self._row_by_pk(pk)
        return [row for row in self.rows.values() if row.parent in pks]

    def _row_by_pk(self, pk: int) -> RunRow | None:
        if pk not in self._by_pk:
            for found in runs.load_by_pk(self.conn, [pk]).values():
                self._know(found)
        return self._by_pk.get(pk)

    def _know(self, row: RunRow) -> None:
        self.rows[row.id] = row
        self._by_pk[row.pk] = row

    def mark(self, row: RunRow) -> None:
        """Note that a row is to be written."""
        if row.id not in self.new_rows:
            self.changed.add(row.id)

    def _trace_id(self, trace: int) -> str:
        known = self._trace_ids.get(trace)
        if known is None:
            known = str(self.conn.execute("SELECT id FROM trace WHERE pk = ?", (trace,)).fetchone()[0])
            self._trace_ids[trace] = known
            self._traces[known] = trace
        return known
