"""What the fields of the filter language are in SQL, level by level."""

from __future__ import annotations

from tracetui.model.kinds import Level
from tracetui.query.ast import Compare, Contains, Field, Has, Is, Pattern, Range, Test
from tracetui.query.fields import BY_NAME, FEEDBACK_PARTS, FieldSpec, FieldType
from tracetui.query.numbers import read_number
from tracetui.store.textmatch import Sql, contains, matches

LEVELS = (Level.THREAD, Level.TRACE, Level.RUN)

VISIBLE: dict[Level, str] = {
    Level.THREAD: "thread.run_count > 0",
    Level.TRACE: "trace.run_count > 0",
    Level.RUN: "run.phase > 0",
}
"""What lists show: no stubs."""

BELOW: dict[tuple[Level, Level], str] = {
    (Level.THREAD, Level.TRACE): "trace WHERE trace.thread = thread.pk",
    (Level.THREAD, Level.RUN): "trace CROSS JOIN run ON run.trace = trace.pk WHERE trace.thread = thread.pk",
    (Level.TRACE, Level.RUN): "run WHERE run.trace = trace.pk",
}
"""The rows of a finer level that hang below a row."""

ABOVE: dict[tuple[Level, Level], str] = {
    (Level.TRACE, Level.THREAD): "trace.thread IN (SELECT thread.pk FROM thread WHERE {})",
    (Level.RUN, Level.TRACE): "run.trace IN (SELECT trace.pk FROM trace WHERE {})",
    (Level.RUN, Level.THREAD): "run.trace IN (SELECT trace.pk FROM trace WHERE trace.thread IN "
    "(SELECT thread.pk FROM thread WHERE {}))",
}
"""A row whose row of a coarser level fulfils a condition."""

FEEDBACK_OF: dict[Level, str] = {
    Level.THREAD: "(({f}.level = 'thread' AND {f}.target = thread.pk) "
    "OR {f}.trace IN (SELECT trace.pk FROM trace WHERE trace.thread = thread.pk))",
    Level.TRACE: "{f}.trace = trace.pk",
    Level.RUN: "{f}.level = 'run' AND {f}.target = run.pk",
}
"""Feedback on a row or below it; a run has only its own."""

_COLUMNS: dict[str, str] = {
    "name": "nullif({level}.name, '')",
    "project": "nullif({level}.project, '')",
    "trace": "trace.id",
    "thread": "CASE WHEN thread.implicit = 0 THEN thread.id END",
    "tag": "{level}.tags",
    "parent": "(SELECT above.id FROM run AS above WHERE above.pk = run.parent)",
    "latency": "({level}.ended_at - {level}.started_at)",
    "first_token": "run.first_token_us",
    "tokens": "({level}.prompt_tokens + {level}.completion_tokens)",
    "errors": "{level}.error_count",
    "runs": "{level}.run_count",
    "traces": "thread.trace_count",
}
"""Fields that are no column of the same name."""


def column(level: Level, field: str) -> str:
    """The expression of a field over the table of a level that has it."""
    return _COLUMNS.get(field, "{level}." + field).format(level=level.value)


def home(level: Level, spec: FieldSpec) -> Level:
    """Where a field is looked at from a list of this level: here, else the nearest finer level, else coarser."""
    at = LEVELS.index(level)
    nearest = (*LEVELS[at:], *reversed(LEVELS[:at]))
    return next(candidate for candidate in nearest if candidate in spec.levels)


def condition(level: Level, field: Field) -> Sql:
    """A field's test over the table of a level that has it. NULL where the value is missing."""
    spec = BY_NAME[field.name]
    value = column(level, field.name)
    if spec.type is FieldType.TAGS:
        return _tags(value, field.test)
    if spec.type is FieldType.ID and level is not Level.THREAD and field.name != "thread":
        return _id(value, field.test)
    return _value(spec, value, field.test)


def on_feedback(row: str, field: Field) -> Sql:
    """The test of a `feedback.KEY` part over one feedback row. NULL where the part is missing."""
    if field.part:
        spec = FEEDBACK_PARTS[field.part]
        value = f"nullif({row}.author, '')" if field.part == "author" else f"{row}.{field.part}"
        if spec.type is FieldType.SCORE and isinstance(field.test, Is):
            return Sql(f"{value} = ?", (read_number(field.test.pattern.pieces[0], FieldType.SCORE),))
        return _value(spec, value, field.test)
    match field.test:
        case Has():
            return Sql("1")
        case Is(pattern=pattern):
            return _said(row, pattern)
        case Contains(text=text):
            return contains(f"{row}.value", text)
        case _:
            return _value(BY_NAME["feedback"], f"{row}.score", field.test)


def _said(row: str, pattern: Pattern) -> Sql:
    """`feedback.k:x`: its label is x, or its score where x is a number; missing only where it has neither."""
    label = matches(f"{row}.value", pattern)
    number = None if pattern.exact is None else read_number(pattern.exact, FieldType.SCORE)
    if number is None:
        said, params = f"coalesce({label.text}, 0)", label.params
    else:
        said, params = f"({row}.score IS ? OR coalesce({label.text}, 0))", (number, *label.params)
    return Sql(f"CASE WHEN {row}.score IS NOT NULL OR {row}.value IS NOT NULL THEN {said} END", params)


def _value(spec: FieldSpec, value: str, test: Test) -> Sql:
    match test:
        case Has():
            return Sql(f"{value} IS NOT NULL")
        case Is(pattern=pattern):
            if spec.choices and pattern.exact is not None:
                return Sql(f"{value} = '{pattern.exact}'")  # of a closed list; partial indexes need it literal
            if spec.type in (FieldType.TEXT, FieldType.ID, FieldType.CHOICE):
                return matches(value, pattern)
            return Sql(f"{value} = ?", (read_number(pattern.pieces[0], spec.type),))
        case Contains(text=text):
            return contains(value, text)
        case Compare(op=op, operand=operand):
            return Sql(f"{value} {op} ?", (operand.value,))
        case Range():
            return _range(value, test)


def _range(value: str, test: Range) -> Sql:
    parts: list[str] = []
    params: list[object] = []
    if test.low is not None:
        parts.append(f"{value} {'>=' if test.with_low else '>'} ?")
        params.append(test.low.value)
    if test.high is not None:
        parts.append(f"{value} {'<=' if test.with_high else '<'} ?")
        params.append(test.high.value)
    if not parts:  # [* TO *] holds of every value
        return Sql(f"{value} = {value}")
    return Sql(f"({' AND '.join(parts)})", tuple(params))


def _id(value: str, test: Test) -> Sql:
    """Ids carry their authority; people may leave it out."""
    spec = BY_NAME["id"]
    whole = _value(spec, value, test)
    if isinstance(test, Has | Contains):
        return whole
    bare = _value(spec, f"substr({value}, instr({value}, ':') + 1)", test)
    return Sql(f"({whole.text} OR {bare.text})", whole.params + bare.params)


def _tags(value: str, test: Test) -> Sql:
    """Tags are a set, which may be empty and is never missing."""
    match test:
        case Is(pattern=pattern):
            one = matches("tag.value", pattern)
        case Contains(text=text):
            one = contains("tag.value", text)
        case _:
            return Sql(f"json_array_length(coalesce({value}, '[]')) > 0")
    return Sql(f"EXISTS (SELECT 1 FROM json_each({value}) AS tag WHERE {one.text})", one.params)
