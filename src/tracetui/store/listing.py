"""Rows as printing verbs show them: the fields asked for, of a page of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tracetui.model import jsonx
from tracetui.model.kinds import SOURCE_LETTER, Level
from tracetui.model.rows import FeedbackCell
from tracetui.model.times import to_iso
from tracetui.query.fields import BY_NAME
from tracetui.store.access import Access, pk_list
from tracetui.store.content import Contents
from tracetui.store.fieldsql import LEVELS, column, home
from tracetui.store.rowsql import rows
from tracetui.store.textmatch import Sql

SHOWN_AS = {"started": "started_at", "ended": "ended_at", "latency": "latency_us", "first_token": "first_token_us"}
"""Fields that come out under a name that says their unit."""

_FEEDBACK = "feedback"
_CONTENT = {"input": "inputs", "output": "outputs"}
_JSON = ("tag", "metadata", "evidence")
_OWN = {
    "started": "{0}.started_at",
    "ended": "{0}.ended_at",
    "steps": "({0}.llm_calls + {0}.tool_calls)",
    "metadata": "{0}.metadata",
}
_ABOVE = {
    (Level.TRACE, Level.THREAD): "(SELECT {} FROM thread WHERE thread.pk = trace.thread)",
    (Level.RUN, Level.TRACE): "(SELECT {} FROM trace WHERE trace.pk = run.trace)",
    (Level.RUN, Level.THREAD): "(SELECT {} FROM trace CROSS JOIN thread ON thread.pk = trace.thread "
    "WHERE trace.pk = run.trace)",
}

FIELDS = (*(name for name in BY_NAME if name != _FEEDBACK), *_OWN, *_CONTENT, _FEEDBACK)
"""What can be printed of a thread, trace or run; also `feedback.KEY`."""

FEEDBACK_FIELDS = (
    "id", "level", "target", "key", "score", "value", "comment", "correction", "source", "author", "version",
    "evidence", "created_at", "modified_at",
)  # fmt: skip
"""What can be printed of a piece of feedback."""


def listed(
    access: Access, contents: Contents, level: Level, pks: Sequence[int], fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The rows of these numbers in their order: values by the names under which they come out.

    What a level has not itself is taken from above it (a run's thread), never from below; what is missing is `None`.
    """
    names = [name for name in fields if name not in _CONTENT and not _is_feedback(name)]
    chosen = "".join(f", {_expression(level, name)}" for name in names)
    table = level.value
    found = access.all(
        f"SELECT {table}.pk{chosen} FROM {table} WHERE {table}.pk IN (SELECT value FROM json_each(?))", (pk_list(pks),)
    )
    values = {pk: dict(zip(names, row, strict=True)) for pk, *row in found}
    said = rows(access, level, pks) if any(_is_feedback(name) for name in fields) else {}
    for pk in pks:
        if pk in values:
            cells = said[pk].feedback if pk in said else ()
            yield {
                SHOWN_AS.get(name, name): _said(cells, name)
                if _is_feedback(name)
                else _content(access, contents, level, pk, name)
                if name in _CONTENT
                else _value(name, values[pk][name])
                for name in fields
            }


def _is_feedback(name: str) -> bool:
    return name == _FEEDBACK or name.startswith(f"{_FEEDBACK}.")


def _expression(level: Level, name: str) -> str:
    """A field as SQL over a level's table: NULL where only finer levels have it."""
    if name in _OWN:
        at = level
        if name == "steps" and level is Level.RUN:
            at = Level.TRACE
        own = "NULL" if name == "metadata" and level is Level.THREAD else _OWN[name].format(at.value)
    else:
        at = home(level, BY_NAME[name])
        if LEVELS.index(at) > LEVELS.index(level):
            return "NULL"
        own = column(at, name)
    return own if at is level else _ABOVE[level, at].format(own)


def _value(name: str, value: Any) -> Any:
    if name in ("started", "ended", "created_at", "modified_at"):
        return to_iso(value)
    if name in _JSON:
        return jsonx.loads(value) if value is not None else [] if name == "tag" else None
    return value


def _said(cells: tuple[FeedbackCell, ...], name: str) -> Any:
    """All feedback by key; of `feedback.KEY` its mean score, else its commonest label."""
    if name == _FEEDBACK:
        return {cell.key: _cell(cell) for cell in cells}
    key = name.partition(".")[2]
    for cell in cells:
        if cell.key == key:
            common = max(cell.values.items(), key=lambda one: one[1], default=(None, 0))[0]
            return cell.mean if cell.mean is not None else common
    return None


def _cell(cell: FeedbackCell) -> dict[str, Any]:
    sources = [source for source, letter in SOURCE_LETTER.items() if letter in cell.sources]
    return {
        "n": cell.n, "mean": cell.mean, "min": cell.min, "max": cell.max, "values": dict(cell.values),
        "sources": sources,
    }  # fmt: skip


def _content(access: Access, contents: Contents, level: Level, pk: int, name: str) -> Any:
    """Inputs or outputs of a run, or of a trace's root run."""
    if level is Level.THREAD:
        return None
    run = "?" if level is Level.RUN else "(SELECT root FROM trace WHERE pk = ?)"
    found = access.first(f"SELECT {_CONTENT[name]} FROM run WHERE pk = {run}", (pk,))
    return contents.value(found[0]) if found else None


# -- lists of feedback -----------------------------------------------------------------------------------------

_FEEDBACK_COLUMNS = {
    "target": "CASE feedback.level WHEN 'run' THEN (SELECT id FROM run WHERE pk = feedback.target) "
    "WHEN 'trace' THEN (SELECT id FROM trace WHERE pk = feedback.target) "
    "ELSE (SELECT id FROM thread WHERE pk = feedback.target) END",
}
_PAGE = 500


def feedback_listed(
    access: Access, contents: Contents, where: Sql, fields: Sequence[str], limit: int | None
) -> Iterator[list[dict[str, Any]]]:
    """The live feedback that a filter matches, the last written first, page by page."""
    left = 2**62 if limit is None else limit
    before = 2**62
    while left > 0:
        sql = feedback_statement(where, fields, before, min(_PAGE, left))
        found = access.all(sql.text, sql.params)
        if not found:
            return
        before = found[-1][0]
        left -= len(found)
        yield [
            {
                name: contents.value(value) if name == "correction" else _value(name, value)
                for name, value in zip(fields, row, strict=True)
            }
            for _, *row in found
        ]


def feedback_statement(where: Sql, fields: Sequence[str], before: int, limit: int) -> Sql:
    """The query of a page: the row's number, then the fields."""
    chosen = "".join(f", {_FEEDBACK_COLUMNS.get(name, f'feedback.{name}')}" for name in fields)
    return Sql(
        f"SELECT feedback.pk{chosen} FROM feedback WHERE feedback.deleted = 0 AND feedback.pk < ? AND {where.text} "
        "ORDER BY feedback.pk DESC LIMIT ?",
        (before, *where.params, limit),
    )


def feedback_count(access: Access, where: Sql) -> int:
    """How much live feedback a filter matches."""
    sql = count_statement(where)
    return int(access.first(sql.text, sql.params)[0])


def count_statement(where: Sql) -> Sql:
    """The query of a count of feedback."""
    return Sql(f"SELECT count(*) FROM feedback WHERE feedback.deleted = 0 AND {where.text}", where.params)
