"""What the id of a label means in a store."""

from __future__ import annotations

from pathlib import Path

from tracetui.ingest.documents import Target
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level
from tracetui.model.rows import Row
from tracetui.store.reading import Reader

_SHOWN = 3


class Resolver:
    """Finds the thread, trace or run of an id, bare or with its authority. The store is opened when first asked."""

    def __init__(self, path: Path, project: str | None = None) -> None:
        self._path = path
        self._project = project
        self._reader: Reader | None = None

    def close(self) -> None:
        """Close the store."""
        if self._reader is not None:
            self._reader.close()

    def __call__(self, given: str, level: Level | None) -> Target:
        """The target. An id that is a trace's and its root run's means the trace.

        An id with an authority that the store does not know yet is taken as it stands where the level is given:
        its trace may come later. Raises `InputError` where an id means nothing, or more than one thing.
        """
        if self._reader is None:
            self._reader = Reader(self._path)
        rows = self._fitting(self._reader.find(given), level)
        if len(rows) == 1:
            row = rows[0]
            return Target(row.level, row.id, (row.project or "") if row.level is Level.THREAD else "")
        if rows:
            shown = ", ".join(f"{row.level} {row.id}" for row in rows[:_SHOWN])
            threads = all(row.level is Level.THREAD for row in rows)
            hint = "name its project by --project" if threads else "give its level, or the id with its authority"
            raise InputError("More than one", f"the id `{given[:80]}` means {len(rows)} things: {shown}", hint)
        if level is Level.THREAD:
            return Target(level, given, self._project or "")
        if level is not None and ":" in given:
            return Target(level, given)
        what = level or "thread, trace or run"
        raise InputError("Not there", f"no {what} of the store has the id `{given[:80]}`")

    def _fitting(self, rows: list[Row], level: Level | None) -> list[Row]:
        if level is not None:
            return self._of_project([row for row in rows if row.level is level])
        traces = {row.id for row in rows if row.level is Level.TRACE}
        return self._of_project([row for row in rows if not (row.level is Level.RUN and row.id in traces)])

    def _of_project(self, rows: list[Row]) -> list[Row]:
        """Of threads of one name the one in the project that the person named."""
        if len(rows) < 2 or self._project is None:
            return rows
        return [row for row in rows if row.level is not Level.THREAD or (row.project or "") == self._project]
