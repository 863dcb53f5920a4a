"""Views of what the store holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.newness import NewMessages
from tracetui.evaluate.view import RunView, ThreadView, TraceView, View
from tracetui.model.chat import Message
from tracetui.model.kinds import Kind, Level
from tracetui.store import targets
from tracetui.store.content import Contents
from tracetui.store.parts import Part, Parts
from tracetui.store.runs import RunRow
from tracetui.store.targets import Target, ThreadRow, TraceRow

_VALUES_BYTES = 24 * 2**20
_PARTS_BYTES = 24 * 2**20


@dataclass(frozen=True, slots=True)
class _Stored:
    """A run's content, read when it is asked for."""

    loader: Loader
    row: RunRow

    def inputs(self) -> Any:
        return self.loader.contents.value(self.row.inputs)

    def outputs(self) -> Any:
        return self.loader.contents.value(self.row.outputs)

    def extra(self) -> Any:
        return self.loader.contents.value(self.row.extra)

    def input_texts(self) -> Part:
        return self.loader.parts.part(self.row.inputs)

    def output_texts(self) -> Part:
        return self.loader.parts.part(self.row.outputs)

    def new_messages(self) -> Sequence[Message]:
        if self.row.kind != Kind.LLM:
            return ()
        return self.loader.new_messages(self.row)


class Loader:
    """Makes views over one connection. What several rules look at is read once: call `refresh` between batches."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self.contents = Contents(conn, _VALUES_BYTES)
        self.parts = Parts(conn, _PARTS_BYTES)
        self._new = NewMessages(conn, self.contents)
        self._views: dict[tuple[Level, int], View] = {}
        self._threads: dict[int, int] = {}
        self._ahead: frozenset[str] = frozenset()

    def refresh(self, ahead: frozenset[str] = frozenset()) -> None:
        """Begin a batch: rows are read anew; decoded content, which never changes, is kept.

        `ahead`: `inputs` and `outputs` whose texts will be looked at in all runs, so are better read together.
        """
        self._ahead = ahead
        self.parts.forget_fetched()
        self._views.clear()
        self._threads.clear()
        self._new.refresh()

    def views(self, level: Level, pks: Iterable[int]) -> dict[int, View]:
        """The views of these targets; one that is gone is left out."""
        wanted = list(pks)
        missing = [pk for pk in wanted if (level, pk) not in self._views]
        if missing:
            self._read(level, missing)
        return {pk: self._views[level, pk] for pk in wanted if (level, pk) in self._views}

    def drop(self, view: View | None) -> None:
        """Forget a view that every rule has judged: it holds decoded content."""
        if view is not None:
            self._views.pop((view.level, view.pk), None)

    def _read(self, level: Level, pks: Sequence[int]) -> None:
        if level is Level.RUN:
            rows = targets.run_rows(self._conn, pks)
            self._read_ahead(rows.values())
            for pk, row in rows.items():
                self._views[level, pk] = self._run(row, None)
        elif level is Level.TRACE:
            for pk, trace in targets.trace_rows(self._conn, pks).items():
                self._views[level, pk] = self._trace(trace)
        else:
            for pk, thread in targets.thread_rows(self._conn, pks).items():
                self._views[level, pk] = self._thread(thread)

    def _read_ahead(self, rows: Iterable[RunRow]) -> None:
        if self._ahead:
            self.parts.fetch(getattr(row, field) for row in rows for field in sorted(self._ahead))

    def _run(self, row: RunRow, trace: TraceView | None) -> RunView:
        return RunView(
            pk=row.pk, id=row.id, name=row.name or "", kind=row.kind or Kind.OTHER, status=row.status,
            error=row.error, parent=row.parent, position=row.position, first_token_us=row.first_token_us,
            model=row.model, metadata_json=row.metadata, content=_Stored(self, row), trace=trace,
            trace_pk=row.trace, **{name: getattr(row, name) for name in targets.USAGE},
        )  # fmt: skip

    def _trace(self, row: TraceRow) -> TraceView:
        return TraceView(
            pk=row.pk, id=row.id, name=row.name or "", status=row.status, project=row.project,
            metadata_json=row.metadata, load=self._runs_of, **row.counts, **row.usage,
        )  # fmt: skip

    def _thread(self, row: ThreadRow) -> ThreadView:
        return ThreadView(
            pk=row.pk, id=row.id, name=row.name or "", project=row.project, implicit=row.implicit,
            trace_count=row.trace_count, load=self._traces_of, **row.counts, **row.usage,
        )  # fmt: skip

    def _runs_of(self, trace: TraceView) -> tuple[RunView, ...]:
        rows = targets.runs_of(self._conn, trace.pk)
        self._read_ahead(rows)
        return tuple(self._run(row, trace) for row in rows)

    def _traces_of(self, thread: ThreadView) -> tuple[TraceView, ...]:
        return tuple(self._trace(row) for row in targets.traces_of(self._conn, thread.pk))

    def new_messages(self, row: RunRow) -> Sequence[Message]:
        """What is new in a model call among the calls of its thread."""
        if row.trace not in self._threads:
            self._threads |= targets.threads_of(self._conn, [row.trace])
        thread = self._threads.get(row.trace)
        return () if thread is None else self._new.of(thread, row.pk)

    def target(self, view: View) -> Target | None:
        """What a verdict on a view is written on: feedback on a thread without a session goes to its trace."""
        if isinstance(view, RunView):
            return Target(Level.RUN, view.pk, view.id, view.trace_pk)
        if isinstance(view, TraceView):
            return Target(Level.TRACE, view.pk, view.id, view.pk)
        if view.implicit:
            return targets.trace_of_implicit(self._conn, view.pk)
        return Target(Level.THREAD, view.pk, view.id, None, view.project or "")
