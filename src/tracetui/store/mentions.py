"""Which trace reaches which content, and in which run each content first appeared.

"First" is the least time: inputs count from a run's start, outputs from its end, so the call that made a text wins over
the later ones that repeat it. Without times the position stands in; what an agent without times returns comes last.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict

from tracetui.model.kinds import Kind
from tracetui.store.content import Encoder, refs
from tracetui.store.runs import RunRow

_LAST = 2**62
_TRACES_CACHED = 64


_First = tuple[int, str, int]
"""(at, id of the run, pk of the run): compared in this order, so that ties do not depend on what came first."""


def appearances(row: RunRow) -> tuple[tuple[int, bytes | None], ...]:
    """(time, stored text) of everything a run holds."""
    begin = row.started_at if row.started_at is not None else row.position
    end = row.ended_at
    if end is None:
        wrapper = row.kind in (Kind.AGENT, Kind.CHAIN)
        end = _LAST if wrapper else begin
    return ((begin, row.inputs), (end, row.outputs), (begin, row.extra))


class Mentions:
    """The mention rows of the traces a writer works on."""

    def __init__(self, conn: sqlite3.Connection, encoder: Encoder) -> None:
        self._conn = conn
        self._encoder = encoder
        self._traces: OrderedDict[int, dict[int, _First]] = OrderedDict()
        self._dirty: set[tuple[int, int]] = set()

    def reset(self) -> None:
        """Forget what is known: another process wrote, or a transaction was rolled back."""
        self._traces.clear()
        self._dirty.clear()

    def note(self, row: RunRow, *, fresh_trace: bool = False) -> None:
        """Take in everything that a run reaches. `fresh_trace`: its trace has no mentions yet."""
        seen = self._seen(row.trace, fresh=fresh_trace)
        for at, blob in appearances(row):
            if not blob:
                continue
            here = (at, row.id, row.pk)
            stack = list(refs(blob))
            while stack:
                pk = stack.pop()
                known = seen.get(pk)
                if known is None or at < known[0] or (at == known[0] and here < known):
                    seen[pk] = here
                    self._dirty.add((pk, row.trace))
                    stack.extend(self._encoder.children(pk))

    def rebuild(self, trace: int, rows: list[RunRow]) -> None:
        """Make a trace's mentions anew: something it held was replaced or moved."""
        self._conn.execute("DELETE FROM mention WHERE trace = ?", (trace,))
        self._traces[trace] = {}
        self._dirty = {item for item in self._dirty if item[1] != trace}
        for row in rows:
            self.note(row)

    def flush(self) -> None:
        """Write what changed."""
        rows = []
        for pk, trace in sorted(self._dirty):
            at, _, run = self._traces[trace][pk]
            rows.append((pk, trace, run, at))
        self._conn.executemany(
            "INSERT INTO mention(content, trace, run, at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT(content, trace) DO UPDATE SET run = excluded.run, at = excluded.at",
            rows,
        )
        self._dirty.clear()
        while len(self._traces) > _TRACES_CACHED:
            self._traces.popitem(last=False)

    def _seen(self, trace: int, *, fresh: bool) -> dict[int, _First]:
        known = self._traces.get(trace)
        if known is None:
            found = () if fresh else self._conn.execute(
                "SELECT m.content, m.at, r.id, m.run FROM mention m JOIN run r ON r.pk = m.run WHERE m.trace = ?",
                (trace,),
            )  # fmt: skip
            known = {content: (at, run_id, run) for content, at, run_id, run in found}
            self._traces[trace] = known
        self._traces.move_to_end(trace)
        return known
