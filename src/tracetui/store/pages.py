"""Which rows, in which order: pages of row numbers by keyset, and counts. Every order is an index's order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tracetui.model.kinds import Level
from tracetui.store.access import Access, pk_list
from tracetui.store.fieldsql import VISIBLE
from tracetui.store.filters import Driver, Where, scoped
from tracetui.store.textmatch import Sql

After = tuple[int, int]
"""Where a page ended: the sort value and the row number of its last row."""

FEW = 2000
"""A condition with fewer hits than this is looked up by its own index instead of along the list."""

_LAST = 2**62
_PAGE = 500


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A page of row numbers in the list's order. `after` begins the next page; `None`: there is none."""

    pks: array[int]
    after: After | None


class Matching(NamedTuple):
    """A filter as a condition on the rows of a list. `by_index`: it is to be found by its own index."""

    sql: Sql
    by_index: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """The rows of a list and what they are ordered by."""

    level: Level
    rows: Sql
    by: str
    newest_first: bool

    @classmethod
    def of(cls, level: Level) -> Order:
        """All rows of a level, newest first."""
        return cls(level, Sql(VISIBLE[level]), "position" if level is Level.RUN else "sort_at", True)

    def page(self, access: Access, matching: Matching | None, after: After | None, limit: int) -> KeyPage:
        """One page of at most `limit` rows."""
        sql = self.statement(matching, after, limit + 1)
        found = access.all(sql.text, sql.params)
        more = len(found) > limit
        del found[limit:]
        return KeyPage(array("q", [pk for pk, _ in found]), (found[-1][1], found[-1][0]) if more and found else None)

    def statement(self, matching: Matching | None, after: After | None, limit: int) -> Sql:
        """The query of a page: (pk, sort value) rows."""
        table = self.level.value
        conditions, params = [self.rows.text], [*self.rows.params]
        if matching is not None and matching.by_index:
            conditions = ["+" + self.rows.text]  # the plus keeps SQLite off the index of the whole list
        if after is not None:
            conditions.append(f"({table}.{self.by}, {table}.pk) {'<' if self.newest_first else '>'} (?, ?)")
            params += after
        if matching is not None:
            conditions.append(matching.sql.text)
            params += matching.sql.params
        way = " DESC" if self.newest_first else ""
        return Sql(
            f"SELECT {table}.pk, {table}.{self.by} FROM {table} WHERE {' AND '.join(conditions)} "
            f"ORDER BY {table}.{self.by}{way}, {table}.pk{way} LIMIT ?",
            (*params, limit),
        )


def traces_of(thread: int) -> Order:
    """The traces of a thread, in their order."""
    rows = Sql(f"trace.thread = ? AND {VISIBLE[Level.TRACE]}", (thread,))
    return Order(Level.TRACE, rows, "sort_at", newest_first=False)


def roots_of(access: Access, trace: int) -> Order:
    """The runs of a trace that have no run above them, or one that never came."""
    stubs = hidden_below(access, trace, None)
    above = Sql("run.parent IS NULL")
    if stubs:
        above = Sql("(run.parent IS NULL OR run.parent IN (SELECT value FROM json_each(?)))", (pk_list(stubs),))
    rows = Sql(f"run.trace = ? AND {VISIBLE[Level.RUN]} AND {above.text}", (trace, *above.params))
    return Order(Level.RUN, rows, "position", newest_first=False)


def children_of(access: Access, run: int) -> Order:
    """The runs right below a run; what hangs below one that never came hangs below the next one above."""
    found = access.first("SELECT trace FROM run WHERE pk = ?", (run,))
    trace = found[0] if found else -1
    stubs = hidden_below(access, trace, run)
    above = Sql("run.parent = ?", (run,))
    if stubs:
        above = Sql("run.parent IN (SELECT value FROM json_each(?))", (pk_list([run, *stubs]),))
    rows = Sql(f"run.trace = ? AND {VISIBLE[Level.RUN]} AND {above.text}", (trace, *above.params))
    return Order(Level.RUN, rows, "position", newest_first=False)


def hidden_below(access: Access, trace: int, run: int | None) -> list[int]:
    """The stubs that stand between a run (or the trace itself) and its visible children."""
    stubs = access.all("SELECT pk, parent FROM run WHERE trace = ? AND phase = 0", (trace,))
    below: dict[int | None, list[int]] = {}
    for pk, parent in stubs:
        below.setdefault(parent, []).append(pk)
    found: list[int] = []
    waiting = below.pop(run, [])
    while waiting:
        pk = waiting.pop()
        found.append(pk)
        waiting += below.pop(pk, [])
    return found


def condition(access: Access, level: Level, where: Where | None) -> Matching | None:
    """A filter as a condition on a level's rows, by the way that is shorter in this store."""
    if where is None or where.everything:
        return None
    driver = selective(access, where, level)
    return Matching(scoped(where, level, driver=driver), driver is not None)


def selective(access: Access, where: Where, level: Level) -> Driver | None:
    """The condition of a filter by which to find the rows of a list: the one with the fewest hits, if they are few."""
    best: tuple[int, Driver] | None = None
    for driver in where.drivers:
        hits = access.first(f"SELECT count(*) FROM ({driver.probe} LIMIT {FEW})", driver.probe_params)[0]
        serves = hits < FEW or (driver.in_order and level is where.level)
        if serves and (best is None or hits < best[0]):
            best = hits, driver
    return best[1] if best else None


def count(access: Access, level: Level, where: Where | None) -> int:
    """How many rows of a level a filter matches."""
    sql = count_statement(level, condition(access, level, where))
    return int(access.first(sql.text, sql.params)[0])


def count_statement(level: Level, matching: Matching | None) -> Sql:
    """The query of a count."""
    if matching is None:  # the rollups know
        total = {Level.THREAD: "count(*)", Level.TRACE: "sum(trace_count)", Level.RUN: "sum(run_count)"}[level]
        return Sql(f"SELECT coalesce({total}, 0) FROM thread WHERE run_count > 0")
    plus = "+" if matching.by_index else ""
    sql = matching.sql
    return Sql(f"SELECT count(*) FROM {level.value} WHERE {plus}{VISIBLE[level]} AND {sql.text}", sql.params)


def keys(
    access: Access, level: Level, parent: int | None, where: Where | None, after: After | None, limit: int
) -> KeyPage:
    """A page of a list: of all rows of a level (newest first), or of what hangs below a thread or a trace."""
    if level is Level.RUN and parent is not None:
        return roots_of(access, parent).page(access, None, after, limit)
    if parent is not None:
        below = None if where is None or where.everything else Matching(scoped(where, level))
        return traces_of(parent).page(access, below, after, limit)
    return Order.of(level).page(access, condition(access, level, where), after, limit)


def everything(access: Access, level: Level, where: Where | None, limit: int | None) -> Iterator[array[int]]:
    """All rows of a list, page by page; nothing is kept open between two pages."""
    matching = condition(access, level, where)
    order = Order.of(level)
    left = _LAST if limit is None else limit
    after: After | None = None
    while left > 0:
        page = order.page(access, matching, after, min(_PAGE, left))
        if page.pks:
            yield page.pks
        left -= len(page.pks)
        after = page.after
        if after is None:
            return
