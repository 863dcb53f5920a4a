"""A thread, trace or run as one JSON object, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.model.rows import FeedbackRow, Row
from tracetui.model.times import to_iso

if TYPE_CHECKING:
    from tracetui.store.reading import Reader


def write(reader: Reader, row: Row) -> None:
    """Print the object and a line break."""
    for piece in pieces(reader, row):
        click.echo(piece, nl=False)
    click.echo()


def pieces(reader: Reader, row: Row) -> Iterator[bytes]:
    """The object's text, one row of the tree a piece."""
    if row.level == Level.RUN and row.trace_pk is not None:
        yield from _runs(reader, row.trace_pk, [row.pk])
    elif row.level == Level.TRACE:
        yield from _trace(reader, row)
    else:
        yield _open({**_about(row), "inputs": None, "outputs": None, "feedback": _feedback(reader, row)})
        first = True
        for trace in _traces(reader, row.pk):
            if not first:
                yield b","
            first = False
            yield from _trace(reader, trace)
        yield b"]}"


def _traces(reader: Reader, thread: int) -> Iterator[Row]:
    after = None
    while True:
        page = reader.keys(Level.TRACE, parent=thread, after=after)
        yield from reader.rows(Level.TRACE, page.pks).values()
        after = page.after
        if after is None:
            return


def _trace(reader: Reader, row: Row) -> Iterator[bytes]:
    root = next(iter(reader.keys(Level.RUN, parent=row.pk, limit=1).pks), None)
    run = None if root is None else reader.run(root)
    inputs, outputs = (run.inputs, run.outputs) if run is not None else (None, None)
    yield _open({**_about(row), "inputs": inputs, "outputs": outputs, "feedback": _feedback(reader, row)})
    yield from _runs(reader, row.pk, None)
    yield b"]}"


def _runs(reader: Reader, trace: int, top: list[int] | None) -> Iterator[bytes]:
    """Runs with all that hangs below them, commas between; those of the whole trace where `top` is not given."""
    below: dict[int | None, list[int]] = {}
    rows = reader.runs_of(trace)
    known = {row.pk for row in rows}
    for row in rows:
        above = row.parent_pk if row.parent_pk in known else None
        below.setdefault(above, []).append(row.pk)
    waiting: list[Iterator[int]] = [iter(below.get(None, []) if top is None else top)]
    printed: set[int] = set()
    comma = False
    while waiting:
        pk = next(waiting[-1], None)
        if pk is None:
            waiting.pop()
            if waiting:
                yield b"]}"
            comma = True
        elif pk not in printed:  # sources may say that runs hang below each other
            printed.add(pk)
            yield (b"," if comma else b"") + _open(_run(reader, pk))
            comma = False
            waiting.append(iter(below.get(pk, [])))


def _open(about: dict[str, Any]) -> bytes:
    """An object that goes on with its children."""
    return jsonx.dumps(about)[:-1] + b',"children":['


def _run(reader: Reader, pk: int) -> dict[str, Any]:
    run = reader.run(pk)
    return {
        **_about(run.row),
        "trace": run.trace_id,
        "thread": run.thread_id,
        "parent": run.parent_id,
        "session": run.session,
        "user": run.user,
        "provider": run.provider,
        "response_id": run.response_id,
        "first_token_us": run.first_token_us,
        "cache_write_tokens": run.cache_write_tokens,
        "reasoning_tokens": run.reasoning_tokens,
        "cost_source": run.cost_source,
        "tags": list(run.tags),
        "metadata": dict(run.metadata),
        "inputs": run.inputs,
        "outputs": run.outputs,
        "extra": dict(run.extra),
        "feedback": [_said(one) for one in run.feedback],
    }


_COUNTS = {
    Level.THREAD: ("trace_count", "run_count", "error_count", "llm_calls", "tool_calls"),
    Level.TRACE: ("run_count", "error_count", "llm_calls", "tool_calls"),
    Level.RUN: (),
}


def _about(row: Row) -> dict[str, Any]:
    about: dict[str, Any] = {
        "level": row.level.value,
        "id": row.id,
        "name": row.name,
        "project": row.project,
        "kind": row.kind,
        "status": row.status,
        "error": row.error,
        "started_at": to_iso(row.started_at),
        "ended_at": to_iso(row.ended_at),
        "latency_us": row.latency_us,
        "model": row.model,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
        "cache_read_tokens": row.cache_read_tokens,
        "cost": row.cost,
    }
    if row.level != Level.RUN:
        for name in ("kind", "error", "model"):
            del about[name]
    return about | {name: getattr(row, name) for name in _COUNTS[row.level]}


def _feedback(reader: Reader, row: Row) -> list[dict[str, Any]]:
    return [_said(one) for one in reader.feedback(row.level, row.pk)]


def _said(row: FeedbackRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "score": row.score,
        "value": row.value,
        "comment": row.comment,
        "correction": row.correction,
        "source": row.source,
        "author": row.author,
        "version": row.version,
        "superseded": row.superseded,
        "evidence": row.evidence,
        "created_at": to_iso(row.created_at),
        "modified_at": to_iso(row.modified_at),
    }
