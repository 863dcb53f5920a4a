"""Rows of the tree from the store's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tracetui.model import jsonx
from tracetui.model.kinds import Level, Status
from tracetui.model.rows import FeedbackCell, Row
from tracetui.store.access import Access, pk_list
from tracetui.store.pages import hidden_below

_IN = "pk IN (SELECT value FROM json_each(?))"
_SUMS = (
    "run_count, error_count, llm_calls, tool_calls, prompt_tokens, completion_tokens, cache_read_tokens, cost, feedback"
)
_THREAD = f"pk, id, name, implicit, project, started_at, ended_at, sort_at, trace_count, rev, {_SUMS}"
_TRACE = (
    f"pk, id, name, status, thread, project, started_at, ended_at, sort_at, input_preview, output_preview, rev, {_SUMS}"
)
_RUN = (
    "pk, id, name, kind, status, error, trace, parent, position, started_at, ended_at, model, prompt_tokens, "
    "completion_tokens, cache_read_tokens, cost, project, rev"
)


def rows(access: Access, level: Level, pks: Sequence[int]) -> dict[int, Row]:
    """The rows of these numbers; what is no longer in the store is left out."""
    make: Callable[[Access, Sequence[int]], list[Row]]
    make = {Level.THREAD: _threads, Level.TRACE: _traces, Level.RUN: _runs}[level]
    found = {row.pk: row for row in make(access, pks)} if pks else {}
    return {pk: found[pk] for pk in pks if pk in found}


def _threads(access: Access, pks: Sequence[int]) -> list[Row]:
    found = access.all(f"SELECT {_THREAD} FROM thread WHERE {_IN}", (pk_list(pks),))
    alone = [row[0] for row in found if row[3]]
    names = dict(
        access.all(
            "SELECT thread, name FROM trace WHERE thread IN (SELECT value FROM json_each(?)) AND run_count > 0",
            (pk_list(alone),),
        )
        if alone
        else ()
    )
    open_ends = _open_ends(access, pks)
    return [_thread(row, names.get(row[0]), open_ends.get(row[0])) for row in found]


def _open_ends(access: Access, threads: Sequence[int]) -> dict[int, str]:
    """The threads that are at work, and those whose last trace was abandoned: their status."""
    found = access.all(
        "SELECT thread, status, sort_at FROM trace WHERE thread IN (SELECT value FROM json_each(?)) "
        "AND status IN ('running', 'abandoned') AND run_count > 0",
        (pk_list(threads),),
    )
    if not found:
        return {}
    last = dict(access.all(f"SELECT pk, sort_at FROM thread WHERE {_IN}", (pk_list({row[0] for row in found}),)))
    out: dict[int, str] = {}
    for thread, status, at in found:
        if status == Status.RUNNING or (at == last[thread] and thread not in out):
            out[thread] = status
    return out


def _thread(row: tuple[Any, ...], trace_name: str | None, status: str | None) -> Row:
    pk, ident, name, implicit, project, started, ended, sort_at, traces, rev, *sums = row
    return Row(
        level=Level.THREAD, pk=pk, id=ident, name=name or trace_name or _bare(ident, bool(implicit)),
        implicit=bool(implicit), project=project or None, started_at=started, ended_at=ended, sort_at=sort_at,
        status=status, trace_count=traces, child_count=traces, rev=rev, **_sums(sums),
    )  # fmt: skip


def _traces(access: Access, pks: Sequence[int]) -> list[Row]:
    found = access.all(f"SELECT {_TRACE} FROM trace WHERE {_IN}", (pk_list(pks),))
    roots = dict(
        access.all(
            "SELECT trace, count(*) FROM run WHERE trace IN (SELECT value FROM json_each(?)) AND parent IS NULL "
            "GROUP BY trace",
            (pk_list(pks),),
        )
    )
    for trace in _with_stubs(access, [row[0] for row in found]):
        roots[trace] = _shown_below(access, trace, None)
    return [_trace(row, roots.get(row[0], 0)) for row in found]


def _trace(row: tuple[Any, ...], roots: int) -> Row:
    pk, ident, name, status, thread, project, started, ended, sort_at, asked, answer, rev, *sums = row
    return Row(
        level=Level.TRACE, pk=pk, id=ident, name=name or _bare(ident, True), status=status, thread_pk=thread,
        project=project, started_at=started, ended_at=ended, sort_at=sort_at, input_preview=asked,
        output_preview=answer, child_count=roots, rev=rev, **_sums(sums),
    )  # fmt: skip


def _sums(values: Sequence[Any]) -> dict[str, Any]:
    runs, errors, llm, tool, prompt, completion, cached, cost, feedback = values
    return {
        "run_count": runs, "error_count": errors, "llm_calls": llm, "tool_calls": tool, "prompt_tokens": prompt,
        "completion_tokens": completion, "cache_read_tokens": cached, "cost": cost, "feedback": cells(feedback),
    }  # fmt: skip


def _runs(access: Access, pks: Sequence[int]) -> list[Row]:
    wanted = (pk_list(pks),)
    found = access.all(f"SELECT {_RUN} FROM run WHERE {_IN} AND phase > 0", wanted)
    counts = dict(
        access.all(
            "SELECT parent, count(*) FROM run WHERE parent IN (SELECT value FROM json_each(?)) GROUP BY parent", wanted
        )
    )
    said = _said(access, pks)
    parents: dict[int, int | None] = {}
    stubbed = set(_with_stubs(access, {row[6] for row in found}))
    for row in found:
        if row[6] in stubbed:
            counts[row[0]] = _shown_below(access, row[6], row[0])
            parents[row[0]] = shown_above(access, row[7])
    return [_run(row, parents.get(row[0], row[7]), counts.get(row[0], 0), said.get(row[0], ())) for row in found]


def _run(row: tuple[Any, ...], parent: int | None, children: int, feedback: tuple[FeedbackCell, ...] = ()) -> Row:
    (pk, ident, name, kind, status, error, trace, _, position, started, ended, model, prompt, completion, cached,
     cost, project, rev) = row  # fmt: skip
    return Row(
        level=Level.RUN, pk=pk, id=ident, name=name or kind or "", kind=kind, status=status, error=error,
        trace_pk=trace, parent_pk=parent, sort_at=position, started_at=started, ended_at=ended, model=model,
        prompt_tokens=prompt, completion_tokens=completion, cache_read_tokens=cached, cost=cost, project=project,
        rev=rev, child_count=children, feedback=feedback,
    )  # fmt: skip


def runs_of(access: Access, trace: int) -> list[Row]:
    """All runs of a trace by position, without feedback and counts of children."""
    found = access.all(f"SELECT {_RUN} FROM run WHERE trace = ? AND phase > 0 ORDER BY position, pk", (trace,))
    stubs = {pk for (pk,) in access.all("SELECT pk FROM run WHERE trace = ? AND phase = 0", (trace,))}
    return [_run(row, shown_above(access, row[7]) if row[7] in stubs else row[7], 0) for row in found]


def shown_above(access: Access, run: int | None) -> int | None:
    """A run, or the nearest one above it that is no stub."""
    seen: set[int] = set()
    while run is not None and run not in seen:
        seen.add(run)
        found = access.first("SELECT phase, parent FROM run WHERE pk = ?", (run,))
        if found is None or found[0] > 0:
            return run
        run = found[1]
    return None


def _with_stubs(access: Access, traces: Sequence[int] | set[int]) -> list[int]:
    found = access.all(
        "SELECT DISTINCT trace FROM run WHERE trace IN (SELECT value FROM json_each(?)) AND phase = 0",
        (pk_list(traces),),
    )
    return [trace for (trace,) in found]


def _shown_below(access: Access, trace: int, run: int | None) -> int:
    """How many children a run (or the trace itself) shows where there are stubs."""
    stubs = hidden_below(access, trace, run)
    above = pk_list([*([] if run is None else [run]), *stubs])
    below = "parent IN (SELECT value FROM json_each(?))"
    if run is None:
        below = f"(parent IS NULL OR {below})"
    sql = f"SELECT count(*) FROM run WHERE trace = ? AND phase > 0 AND {below}"
    return int(access.first(sql, (trace, above))[0])


def _said(access: Access, runs: Sequence[int]) -> dict[int, tuple[FeedbackCell, ...]]:
    """The feedback on each of these runs, summed up."""
    found = access.all(
        "SELECT level, target, key, score, value, source FROM feedback WHERE level = 'run' "
        "AND target IN (SELECT value FROM json_each(?)) AND deleted = 0",
        (pk_list(runs),),
    )
    if not found:
        return {}
    from tracetui.store.rollup import feedback_cells

    by_run: dict[int, list[tuple[Any, ...]]] = {}
    for row in found:
        by_run.setdefault(row[1], []).append(row)
    return {run: cells(feedback_cells(said)) for run, said in by_run.items()}


def cells(text: str | None) -> tuple[FeedbackCell, ...]:
    """The feedback of a row as its rollup column has it."""
    if text is None:
        return ()
    return tuple(
        FeedbackCell(key, n, mean, low, high, values, sources, bool(disagree))
        for key, (n, mean, low, high, values, sources, disagree) in jsonx.loads(text).items()
    )


def _bare(ident: str, has_authority: bool) -> str:
    return ident.rpartition(":")[2] if has_authority else ident
