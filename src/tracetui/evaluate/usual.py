"""What is usual in a store: medians of a measure among targets of one kind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from tracetui.evaluate.measures import measure
from tracetui.evaluate.view import RunView, ThreadView, TraceView, View
from tracetui.model.kinds import Level
from tracetui.store import targets

_SAMPLED = 200_000
"""Rows that are looked at; of larger stores every second, third, ... row."""
_GROWTH = 1.2
_PAGE = 5000
_COLUMNS: dict[Level, tuple[str, ...]] = {
    Level.RUN: (*targets.USAGE, "name", "kind", "first_token_us", "metadata"),
    Level.TRACE: (*targets.USAGE, *targets.COUNTS, "name", "metadata"),
    Level.THREAD: (*targets.USAGE, *targets.COUNTS, "project", "trace_count"),
}
_Medians = Mapping[tuple[Any, ...], tuple[float, int]]


class Usual:
    """Medians, computed once and again when the store has grown by a fifth."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._known: dict[tuple[Level, str, str], tuple[int, _Medians]] = {}

    def median(self, view: View, measure: str, group: str, least: int) -> tuple[float, int] | None:
        """The median among the targets that are like the view, and how many there are; `None` for less than `least`.

        Traces are often named after what they are about: where too few have the name, all of them are its like.
        """
        found = self._median(view, measure, group)
        if (found is None or found[1] < least) and group == "kind and name" and view.level is Level.TRACE:
            found = self._median(view, measure, "all")
        return found if found is not None and found[1] >= least else None

    def _median(self, view: View, measure: str, group: str) -> tuple[float, int] | None:
        key = (view.level, measure, group)
        last = targets.last_pk(self._conn, view.level)
        known = self._known.get(key)
        if known is None or last > known[0] * _GROWTH:
            known = self._known[key] = (last, self._compute(view.level, measure, group, last))
        return known[1].get(_group(view, group))

    def _compute(self, level: Level, name: str, group: str, last: int) -> _Medians:
        stride = 1 + last // _SAMPLED
        columns = _COLUMNS[level]
        make = _MAKERS[level]
        numbers: dict[tuple[Any, ...], list[float]] = {}
        after = 0
        while rows := targets.numbers(self._conn, level, columns, after, stride, _PAGE):
            after = rows[-1][0]
            for row in rows:
                view = make(columns, row)
                number = measure(view, name)
                if number is not None:
                    numbers.setdefault(_group(view, group), []).append(number)
        return {key: (median(found), len(found) * stride) for key, found in numbers.items()}


def _group(view: View, group: str) -> tuple[Any, ...]:
    if isinstance(view, ThreadView):
        return () if group == "all" else (view.project,)
    if isinstance(view, TraceView):
        return (view.name,) if "name" in group else ()
    return tuple(value for part, value in (("kind", view.kind), ("name", view.name)) if part in group)


def _run(columns: Sequence[str], row: Sequence[Any]) -> View:
    fields = dict(zip(columns, row[1:], strict=True))
    return RunView(pk=row[0], id="", metadata_json=fields.pop("metadata"), **_named(fields))


def _trace(columns: Sequence[str], row: Sequence[Any]) -> View:
    fields = dict(zip(columns, row[1:], strict=True))
    return TraceView(pk=row[0], id="", metadata_json=fields.pop("metadata"), **_named(fields))


def _thread(columns: Sequence[str], row: Sequence[Any]) -> View:
    return ThreadView(pk=row[0], id="", **dict(zip(columns, row[1:], strict=True)))


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"name": fields["name"] or ""}


_MAKERS: dict[Level, Callable[[Sequence[str], Sequence[Any]], View]] = {
    Level.RUN: _run,
    Level.TRACE: _trace,
    Level.THREAD: _thread,
}
