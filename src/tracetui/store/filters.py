"""Filters as SQL: one compiled filter serves lists, counts, bulk edits, rules and exports.

A condition is true, false or missing (a comparison with a missing value is neither); a row is listed where the whole
filter is true. The compiler asks of each part of the tree "where is it true" or "where is it false", so that NOT
never meets a NULL:

* on a finer level a condition is true where one row fulfils it, false where there are rows that can be compared and
  none fulfils it, else missing;
* the parts of one `feedback.KEY` in an AND group, its parentheses included, speak of one feedback row, where at least
  one of them is not negated. `-feedback.KEY:*` always means "has none".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tracetui.model.errors import FilterError
from tracetui.model.kinds import Level, Status
from tracetui.query import ast
from tracetui.query.fields import BY_NAME
from tracetui.store import fieldsql
from tracetui.store.binding import Key, bound_together
from tracetui.store.fieldsql import ABOVE, BELOW, FEEDBACK_OF, LEVELS, VISIBLE
from tracetui.store.textmatch import Sql, holds_words

_CHUNK = 30
_DEEP = 30
_MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Driver:
    """A condition that the filter implies and that an index finds. `probe` lists its hits, for counting a few."""

    sql: str
    params: tuple[object, ...]
    probe: str
    probe_params: tuple[object, ...]
    in_order: bool = False
    """Its index has the order of lists: it serves there however many hits it has."""
    above: str = ""
    """What it implies for the rows above, by their rollups; `{}` stands for their table."""


@dataclass(frozen=True, slots=True)
class Where:
    """A compiled filter: a condition over the table of `level` under its own name (`trace.status = ...`).

    The connection it runs on needs the functions of `textmatch.install`. `drivers` are redundant conditions that help
    where few rows match.
    """

    sql: str
    params: tuple[object, ...]
    level: Level
    drivers: tuple[Driver, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether it is the empty filter."""
        return self.sql == "1"


def compile_filter(node: ast.Node, level: Level) -> Where:
    """The condition that a filter is for a list of rows of one level."""
    sql = _Compiler(level).sql(node, _Context())
    return Where(sql.text, sql.params, level, tuple(_drivers(node, level)))


def compile_for_feedback(node: ast.Node) -> Sql:
    """The condition that a filter is for a list of feedback, over that table under its own name.

    `feedback.KEY` speaks of the listed row, every other field of the row it was said of.
    """
    if all(isinstance(leaf, ast.Field) and leaf.name == "feedback" for leaf in ast.leaves(node)):
        return _Compiler(Level.RUN, "feedback").sql(node, _Context())
    parts = []
    for level in LEVELS:
        target = _Compiler(level, "feedback").sql(node, _Context())
        table = level.value
        exists = f"EXISTS (SELECT 1 FROM {table} WHERE {table}.pk = feedback.target AND {target.text})"
        parts.append(Sql(f"(feedback.level = '{table}' AND {exists})", target.params))
    return _join(parts, all_of=False)


def scoped(where: Where, level: Level, *, driver: Driver | None = None) -> Sql:
    """The condition over another level's table: it has a row that matches, or belongs to one that does.

    With a driver the few rows it finds are looked up first; without, each row's own are looked through.
    """
    text, params = where.sql, where.params
    if driver is not None:
        text, params = f"{driver.sql} AND ({text})", driver.params + params
    if level is where.level:
        return Sql(f"({text})", params)
    if LEVELS.index(level) > LEVELS.index(where.level):
        return Sql(ABOVE[level, where.level].format(text), params)
    visible = VISIBLE[where.level]
    if driver is None:
        known = "".join(f"{one.above.format(level.value)} AND " for one in where.drivers if one.above)
        below = BELOW[level, where.level]
        return Sql(f"{known}EXISTS (SELECT 1 FROM {below} AND {visible} AND ({text}))", params)
    found = _PARENTS[level, where.level]
    return Sql(f"{level.value}.pk IN (SELECT {found} WHERE {visible} AND {text})", params)


_PARENTS = {
    (Level.THREAD, Level.TRACE): "trace.thread FROM trace",
    (Level.THREAD, Level.RUN): "trace.thread FROM run CROSS JOIN trace ON trace.pk = run.trace",
    (Level.TRACE, Level.RUN): "run.trace FROM run",
}


def _drivers(node: ast.Node, level: Level) -> Iterator[Driver]:
    """What the filter implies and an index finds: one for each positive condition on a feedback key."""
    for item in node.items if isinstance(node, ast.And) else (node,):
        if not isinstance(item, ast.Field):
            continue
        if item.name == "status" and level in _FAILED and item.test == _IS_ERROR:
            failed = _FAILED[level]
            yield Driver(failed, (), f"SELECT 1 FROM {level.value} WHERE {failed}", (), True, "{}.error_count > 0")
        elif item.name == "feedback" and item.key is not None:
            test = fieldsql.on_feedback("feedback", _by_score(item))
            chosen = "feedback.key = ? AND feedback.deleted = 0" + (f" AND {test.text}" if test.text != "1" else "")
            params = (item.key, *test.params)
            targets = _TARGETS[level]
            own = " AND +level = 'run'" if level is Level.RUN else ""
            yield Driver(
                targets.format(*[chosen] * targets.count("{}")), params * targets.count("{}"),
                f"SELECT 1 FROM feedback WHERE {chosen}{own}", params,
            )  # fmt: skip


_FAILED = {Level.TRACE: "trace.error_count > 0", Level.RUN: "run.status = 'error'"}
_IS_ERROR = ast.Is(ast.Pattern((Status.ERROR.value,)))
_TARGETS = {
    Level.THREAD: "thread.pk IN (SELECT target FROM feedback WHERE {} AND +level = 'thread' UNION ALL "
    "SELECT above.thread FROM feedback CROSS JOIN trace AS above ON above.pk = feedback.trace WHERE {})",
    Level.TRACE: "trace.pk IN (SELECT trace FROM feedback WHERE {} AND trace IS NOT NULL)",
    Level.RUN: "run.pk IN (SELECT target FROM feedback WHERE {} AND +level = 'run')",
}


def _by_score(field: ast.Field) -> ast.Field:
    """The condition as the index on scores can use it: what it cannot use is left to the filter itself."""
    if field.part in ("", "score") and isinstance(field.test, ast.Compare | ast.Range):
        return field
    return ast.Field("feedback", ast.Has(), field.key)


class _Context(NamedTuple):
    want: bool = True
    """Whether the condition is to be true, or false."""
    negated: bool = False
    """Whether an odd number of NOTs stands above, in the text."""
    bound: tuple[tuple[Key, str, bool], ...] = ()
    """Feedback keys bound to one row here: key, the row's name in SQL, `negated` where it was bound."""

    @property
    def bound_keys(self) -> frozenset[Key]:
        return frozenset(key for key, _, _ in self.bound)

    def row(self, key: Key) -> tuple[str, bool] | None:
        """The row a key is bound to, and whether the condition is negated as seen from there."""
        for bound, row, negated in self.bound:
            if bound == key:
                return row, negated != self.negated
        return None


class _Compiler:
    """Compiles for rows of one level. `listed`: the feedback row that all of `feedback.KEY` speaks of."""

    def __init__(self, level: Level, listed: str | None = None) -> None:
        self._level = level
        self._listed = listed
        self._rows = 0

    def sql(self, node: ast.Node, context: _Context) -> Sql:
        match node:
            case ast.And(items=items):
                return self._group(items, context)
            case ast.Or(items=items):
                return _join([self.sql(item, context) for item in items], all_of=not context.want)
            case ast.Not(item=item):
                return self.sql(item, context._replace(want=not context.want, negated=not context.negated))
            case ast.Words():
                return _truth(self._words(node), context.want)
            case ast.Field(name="feedback"):
                return self._feedback(node, context)
            case ast.Field():
                return self._field(node, context.want)

    # -- AND groups and what they bind -----------------------------------------------------------------------

    def _group(self, items: tuple[ast.Node, ...], context: _Context) -> Sql:
        if self._listed is not None:
            return _join([self.sql(item, context) for item in items], all_of=context.want)
        parts = [
            self._one_row_each(keys, members, context) for keys, members in bound_together(items, context.bound_keys)
        ]
        return _join(parts, all_of=context.want)

    def _one_row_each(self, keys: Sequence[Key], items: Sequence[ast.Node], context: _Context) -> Sql:
        """The AND of items for one feedback row of each key."""
        if not keys:
            return _join([self.sql(item, context) for item in items], all_of=context.want)
        if len(keys) > _MOST_ROWS:
            raise FilterError(
                f"it speaks of {len(keys)} feedback keys at once", f"at most {_MOST_ROWS} can be told apart"
            )
        named = [(key, self._new_row()) for key in keys]
        inside = context._replace(bound=(*context.bound, *((key, row, context.negated) for key, row in named)))
        found = self._rows_of(named)

        def rows(want: bool) -> Sql:
            there = inside._replace(want=want)
            return _exists(found, _join([self.sql(item, there) for item in items], all_of=want))

        return _some(rows, context.want)

    def _feedback(self, field: ast.Field, context: _Context) -> Sql:
        if self._listed is not None:
            return self._of_listed(self._listed, field, context.want)
        bound = context.row(field.key)
        has = isinstance(field.test, ast.Has) and not field.part
        if bound is not None and not (has and bound[1]):
            return _truth(fieldsql.on_feedback(bound[0], field), context.want)
        row = self._new_row()

        def rows(want: bool) -> Sql:
            test = _truth(fieldsql.on_feedback(row, field), want)
            return _exists(self._rows_of([(field.key, row)]), test)

        if isinstance(field.test, ast.Has):
            return _truth(rows(True), context.want)
        return _some(rows, context.want)

    def _of_listed(self, row: str, field: ast.Field, want: bool) -> Sql:
        mine = Sql("1") if field.key is None else Sql(f"{row}.key = ?", (field.key,))
        test = fieldsql.on_feedback(row, field)
        if isinstance(field.test, ast.Has):
            return _truth(_join([mine, test], all_of=True), want)
        return _join([mine, _truth(test, want)], all_of=True)

    def _rows_of(self, named: Sequence[tuple[Key, str]]) -> Sql:
        """One live feedback row of each key, as FROM and WHERE."""
        conditions, params = [], []
        for key, row in named:
            conditions += [FEEDBACK_OF[self._level].format(f=row), f"{row}.deleted = 0"]
            if key is not None:
                conditions.append(f"+{row}.key = ?")  # the plus: by what it is on, not by all that has this key
                params.append(key)
        tables = ", ".join(f"feedback AS {row}" for _, row in named)
        return Sql(f"{tables} WHERE {' AND '.join(conditions)}", tuple(params))

    def _new_row(self) -> str:
        self._rows += 1
        return f"f{self._rows}"

    # -- other conditions ------------------------------------------------------------------------------------

    def _field(self, field: ast.Field, want: bool) -> Sql:
        home = fieldsql.home(self._level, BY_NAME[field.name])
        here = fieldsql.condition(home, field)
        if home is self._level:
            return _truth(here, want, home)
        if LEVELS.index(home) < LEVELS.index(self._level):
            test = _truth(here, want, home)
            return Sql(ABOVE[self._level, home].format(test.text), test.params)
        below = Sql(f"{BELOW[self._level, home]} AND {VISIBLE[home]}")

        def rows(want: bool) -> Sql:
            return _exists(below, _truth(here, want, home))

        return _truth(rows(True), want) if isinstance(field.test, ast.Has) else _some(rows, want)

    def _words(self, words: ast.Words) -> Sql:
        """Words look at names, previews and errors of the row and of all below it."""
        found = [holds_words(column, words.text, prefix=words.prefix) for column in _TEXTS.get(self._level, ())]
        for level in LEVELS[LEVELS.index(self._level) + 1 :]:
            here = [holds_words(column, words.text, prefix=words.prefix) for column in _TEXTS[level]]
            below = Sql(f"{BELOW[self._level, level]} AND {VISIBLE[level]}")
            found.append(_exists(below, _join(here, all_of=False)))
        return _join(found, all_of=False)


_TEXTS = {
    Level.TRACE: ("trace.name", "trace.input_preview", "trace.output_preview"),
    Level.RUN: ("run.name", "run.error"),
}


def _some(rows: Callable[[bool], Sql], want: bool) -> Sql:
    """Where some row makes a condition true; or where rows make it false and none makes it true."""
    if want:
        return rows(True)
    return _join([_truth(rows(True), False), rows(False)], all_of=True)


def _exists(rows: Sql, test: Sql) -> Sql:
    extra = "" if test.text == "1" else f" AND {test.text}"
    return Sql(f"EXISTS (SELECT 1 FROM {rows.text}{extra})", rows.params + test.params)


def _truth(test: Sql, want: bool, level: Level | None = None) -> Sql:
    """A condition that may be NULL: where it is true, or where it is false."""
    if not want:
        return Sql(f"NOT ({test.text})", test.params)
    if level is Level.TRACE and test.text == "trace.status = 'error'":
        return Sql(f"({test.text} AND trace.error_count > 0)")  # implied: the index of failed traces serves
    return test


def _join(parts: Sequence[Sql], *, all_of: bool) -> Sql:
    """AND or OR of conditions, in groups, since SQLite bounds the depth of a chain."""
    if not parts:
        return Sql("1" if all_of else "0")
    while len(parts) > _CHUNK:
        parts = [_join(parts[at : at + _CHUNK], all_of=all_of) for at in range(0, len(parts), _CHUNK)]
    if len(parts) == 1:
        return parts[0]
    if any(part.text.count("(") > _DEEP for part in parts):
        # what is nested deep comes first, where SQLite's parser still has room
        parts = sorted(parts, key=lambda part: -part.text.count("("))
    text = (" AND " if all_of else " OR ").join(part.text for part in parts)
    return Sql(f"({text})", tuple(param for part in parts for param in part.params))
