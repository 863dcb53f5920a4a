"""Reading a store: what the explorer, the printing verbs and the rules ask of it.

Plain `sqlite3`: the way to the first page imports no ORM.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tracetui.model.kinds import Level
from tracetui.model.rows import FeedbackKey, FeedbackRow, Row, RunDetail
from tracetui.store import finding, pages, rowsql
from tracetui.store.access import Access, pk_list
from tracetui.store.db import explained
from tracetui.store.feedback import read_keys
from tracetui.store.filters import Where
from tracetui.store.pages import After, KeyPage

if TYPE_CHECKING:  # the first page needs none of these
    from tracetui.store.content import Contents
    from tracetui.store.conversation import Conversations
    from tracetui.store.rules import Progress
    from tracetui.store.steps import Place, What

__all__ = ["After", "Changes", "KeyPage", "Reader", "Totals"]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much is in a store."""

    threads: int
    traces: int
    runs: int
    errors: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a revision. Feedback stands as the rows it was said of."""

    rev: int
    threads: list[int]
    traces: list[int]
    feedback: list[Place]


class Reader:
    """Reads one store in one thread; `interrupt` alone may come from another. Raises `StoreError`.

    Every method reads whole pages and keeps no transaction open. Row numbers (`pk`) are valid as long as the row is
    in the store; what is gone is left out of answers.
    """

    def __init__(self, path: str | Path, *, mapped: bool = True) -> None:
        """Open a store. `mapped`: the file's pages are mapped, which scans faster and counts as memory in use."""
        self._access = Access(path)
        if not mapped:
            self._access.all("PRAGMA mmap_size = 0")
        self._contents: Contents | None = None
        self._conversations: Conversations | None = None
        self.path = Path(path)
        self.frozen = self._access.frozen
        """The directory may not be written: this shows the file as it was when it was opened."""
        self.writable = not self.frozen and os.access(self.path, os.W_OK)
        self.store_id: str = self._access.first("SELECT value FROM meta WHERE key = 'store_id'")[0]

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._access.close()

    def interrupt(self) -> None:
        """Stop what another thread is reading: it gets a `StoreError`. Lost where its query has not begun yet."""
        self._access.conn.interrupt()

    # -- lists

    def totals(self) -> Totals:
        """How many threads, traces, runs and failed runs there are."""
        found = self._access.first(
            "SELECT count(*), coalesce(sum(trace_count), 0), coalesce(sum(run_count), 0), "
            "coalesce(sum(error_count), 0) FROM thread WHERE run_count > 0"
        )
        return Totals(*found)

    def keys(
        self,
        level: Level,
        *,
        parent: int | None = None,
        where: Where | None = None,
        after: After | None = None,
        limit: int = 500,
    ) -> KeyPage:
        """A page of row numbers.

        Threads newest first; traces of a thread (`parent`) in their order, of all threads newest first; root runs of a
        trace (`parent`) by position, of all traces newest first. A filter of another level lists what has, or belongs
        to, a row that it matches; root runs are listed whatever the filter.
        """
        return pages.keys(self._access, level, parent, where, after, limit)

    def all_keys(self, level: Level, *, where: Where | None = None, limit: int | None = None) -> Iterator[array[int]]:
        """All row numbers of a list, newest first, in pieces; nothing is kept open between two of them."""
        return pages.everything(self._access, level, where, limit)

    def children(self, run_pk: int, *, after: After | None = None, limit: int = 500) -> KeyPage:
        """A page of the runs right below a run, by position."""
        return pages.children_of(self._access, run_pk).page(self._access, None, after, limit)

    def rows(self, level: Level, pks: Sequence[int]) -> dict[int, Row]:
        """The rows of these numbers, in their order."""
        return rowsql.rows(self._access, level, pks)

    def count(self, level: Level, where: Where | None = None) -> int:
        """How many rows of a level a filter matches."""
        return pages.count(self._access, level, where)

    def runs_of(self, trace_pk: int) -> list[Row]:
        """All runs of a trace by position, without their feedback and counts of children."""
        return rowsql.runs_of(self._access, trace_pk)

    def spans_of(self, trace_pk: int) -> list[tuple[int, int | None, int, str | None, int | None, int | None]]:
        """All runs of a trace by position, stubs too: pk, parent, phase, status, start, end; small, unlike rows."""
        spans: list[tuple[int, int | None, int, str | None, int | None, int | None]] = self._access.all(
            "SELECT pk, parent, phase, status, started_at, ended_at FROM run WHERE trace = ? ORDER BY position, pk",
            (trace_pk,),
        )
        return spans

    # -- one row

    def find(self, ident: str) -> list[Row]:
        """The rows of an id, with or without its authority, at any level: threads first, then traces, then runs."""
        return finding.find(self._access, ident)

    def path_to(self, level: Level, pk: int) -> tuple[Place, ...]:
        """Thread, trace, runs down to a row and the row itself; empty where it is gone."""
        return finding.path_to(self._access, level, pk)

    def step(
        self,
        what: What,
        at: Place | None,
        forward: bool = True,
        *,
        where: Where | None = None,
        key: str | None = None,
    ) -> Place | None:
        """The next (or previous) row of some kind in the order of the tree; see `steps.step`."""
        from tracetui.store import steps

        return steps.step(self._access, what, at, forward, where=where, key=key)

    def run(self, pk: int) -> RunDetail:
        """Everything about a run. Raises `InputError` where it is gone."""
        from tracetui.store import details

        with explained(self._access.conn):
            return details.run_detail(self._access, self.contents, pk)

    def inputs(self, run_pks: Sequence[int]) -> dict[int, Any]:
        """The inputs of some runs."""
        found = self._access.all(
            "SELECT pk, inputs FROM run WHERE pk IN (SELECT value FROM json_each(?))", (pk_list(run_pks),)
        )
        with explained(self._access.conn):
            return {pk: self.contents.value(blob) for pk, blob in found}

    def feedback(self, level: Level, pk: int, *, below: bool = False) -> tuple[FeedbackRow, ...]:
        """The live feedback on a row, by key; with `below` also on what hangs below it."""
        from tracetui.store import details

        with explained(self._access.conn):
            return details.feedback(self._access, self.contents, level, pk, below=below)

    @property
    def contents(self) -> Contents:
        """The decoder of stored JSON, with its cache."""
        if self._contents is None:
            from tracetui.store.content import Contents

            self._contents = Contents(self._access.conn)
        return self._contents

    @property
    def conversations(self) -> Conversations:
        """What is new in the calls of a thread, with its memory."""
        if self._conversations is None:
            from tracetui.store.conversation import Conversations

            self._conversations = Conversations(self._access, self.contents)
        return self._conversations

    # -- what changes

    def feedback_keys(self) -> tuple[FeedbackKey, ...]:
        """The feedback keys of the store, by name."""
        with explained(self._access.conn):
            return read_keys(self._access.conn)

    def rules(self) -> tuple[Progress, ...]:
        """How far each lane of each rule is; ask once a second at most."""
        from tracetui.store.rules import progress

        with explained(self._access.conn):
            return progress(self._access.conn)

    def rules_trouble(self) -> str | None:
        """Why the rules file cannot be followed, with file and line; `None` where it can."""
        from tracetui.store.rules import rules_trouble

        with explained(self._access.conn):
            return rules_trouble(self._access.conn)

    def rev(self) -> int:
        """The revision of the last write."""
        return int(self._access.first("SELECT value FROM meta WHERE key = 'rev'")[0])

    def data_version(self) -> int:
        """A number that changes when another connection wrote (some microseconds; poll it)."""
        return int(self._access.first("PRAGMA data_version")[0])

    def changes(self, since_rev: int) -> Changes:
        """The threads and traces that changed after a revision, and the rows on which feedback did."""
        rev = self.rev()
        access = self._access
        threads = [pk for (pk,) in access.all("SELECT pk FROM thread WHERE rev > ?", (since_rev,))]
        traces = [pk for (pk,) in access.all("SELECT pk FROM trace WHERE rev > ?", (since_rev,))]
        said = access.all("SELECT level, target FROM feedback WHERE rev > ?", (since_rev,))
        return Changes(rev, threads, traces, [(Level(level), target) for level, target in dict.fromkeys(said)])
