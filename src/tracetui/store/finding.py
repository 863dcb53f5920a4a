"""From an id to its rows, and from a row to the rows above it."""

from __future__ import annotations

from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.model.rows import Row
from tracetui.store.access import Access, pk_list
from tracetui.store.rowsql import rows

_BY_ID = {
    Level.THREAD: "SELECT pk FROM thread WHERE id IN (SELECT value FROM json_each(?)) AND run_count > 0 ORDER BY pk",
    Level.TRACE: "SELECT pk FROM trace WHERE id IN (SELECT value FROM json_each(?)) AND run_count > 0 ORDER BY pk",
    Level.RUN: "SELECT pk FROM run WHERE id IN (SELECT value FROM json_each(?)) AND phase > 0 ORDER BY pk",
}


def find(access: Access, ident: str) -> list[Row]:
    """The rows with this id: exactly so, else with any authority before it. Threads first, then traces, runs.

    Thread ids have no authority; the same one may be in several projects.
    """
    ident = ident.strip()
    known = access.first("SELECT value FROM meta WHERE key = 'authorities'")
    authorities = jsonx.loads(known[0]) if known and known[0] else []
    for spellings in ([ident], [f"{authority}:{ident}" for authority in authorities]):
        found: list[Row] = []
        for level, sql in _BY_ID.items():
            pks = [pk for (pk,) in access.all(sql, (_texts(spellings),))]
            found += rows(access, level, pks).values()
        if found:
            return found
    return []


def _texts(texts: list[str]) -> str:
    return jsonx.dumps(texts).decode()


def path_to(access: Access, level: Level, pk: int) -> tuple[tuple[Level, int], ...]:
    """The way down to a row: its thread, its trace, the runs above it, itself. Empty where it is gone."""
    if level is Level.THREAD:
        found = access.first("SELECT pk FROM thread WHERE pk = ?", (pk,))
        return ((level, pk),) if found else ()
    if level is Level.TRACE:
        found = access.first("SELECT thread FROM trace WHERE pk = ?", (pk,))
        return ((Level.THREAD, found[0]), (level, pk)) if found else ()
    runs = runs_above(access, pk)
    found = access.first("SELECT trace FROM run WHERE pk = ?", (pk,))
    if not found:
        return ()
    return (*path_to(access, Level.TRACE, found[0]), *((level, run) for run in [*runs, pk]))


def runs_above(access: Access, run: int) -> list[int]:
    """The visible runs above a run, the root first. A cycle ends where it closes."""
    found = access.all(
        """WITH RECURSIVE above(pk, parent, phase) AS (
          SELECT pk, parent, phase FROM run WHERE pk = ?
          UNION SELECT run.pk, run.parent, run.phase FROM above JOIN run ON run.pk = above.parent)
        SELECT pk FROM above WHERE phase > 0 AND pk <> ?""",
        (run, run),
    )
    return [pk for (pk,) in reversed(found)]


def run_rows(access: Access, pks: list[int]) -> tuple[Row, ...]:
    """Rows of runs in the order of their numbers."""
    return tuple(rows(access, Level.RUN, pks).values())


def targets(access: Access, level: Level, pks: list[int]) -> dict[int, str]:
    """The ids of rows."""
    return dict(
        access.all(f"SELECT pk, id FROM {level.value} WHERE pk IN (SELECT value FROM json_each(?))", (pk_list(pks),))
    )
