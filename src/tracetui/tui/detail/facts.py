"""Facts of a row in lines: names of fields at the left, values at the right of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tracetui.model.rows import Row, RunDetail
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.detail.line import BLANK, Line, Page, Span
from tracetui.tui.detail.prose import heading, wrap
from tracetui.tui.detail.values import value_lines

Fact = tuple[str, str]


def fact_lines(page: Page, facts: Sequence[Fact]) -> Iterator[Line]:
    """Facts in two columns; those without a value are left out."""
    known = [(name, value) for name, value in facts if value]
    column = max((cells.width(name) for name, _ in known), default=0) + 2
    for name, value in known:
        lead = Span(cells.left(name, column), "muted")
        for row in wrap(value, page.narrower(column)):
            yield Line((lead, Span(row, "text")))
            lead = Span(" " * column)


def run_facts(run: RunDetail) -> list[Fact]:
    """Who, when and how much of a run."""
    row = run.row
    first = "" if run.first_token_us is None else figures.duration(run.first_token_us)
    return [
        ("id", display(row.id)),
        ("trace", display(run.trace_id)),
        ("thread", display(run.thread_id or "")),
        ("parent", display(run.parent_id or "")),
        ("session", display(run.session or "") if run.session != run.thread_id else ""),
        ("user", display(run.user or "")),
        ("project", display(row.project or "")),
        ("kind", row.kind or ""),
        ("status", row.status or ""),
        ("model", display(row.model or "")),
        ("provider", display(run.provider or "")),
        ("response", display(run.response_id or "")),
        *times(row),
        ("first token", first),
        *tokens(row, run.cache_write_tokens, run.reasoning_tokens),
        ("cost", _cost(row.cost, run.cost_source)),
        ("tags", display(", ".join(str(tag) for tag in run.tags))),
    ]


def times(row: Row) -> list[Fact]:
    """When it began and ended, in local time, and how long it took."""
    return [
        ("started", moment(row.started_at)),
        ("ended", moment(row.ended_at)),
        ("latency", figures.duration(row.latency_us)),
    ]


def tokens(row: Row, cache_write: int | None = None, reasoning: int | None = None) -> list[Fact]:
    """Tokens in and out, and what of them was cached or thought."""
    return [
        ("tokens in", _number(row.prompt_tokens)),
        ("  from cache", _number(row.cache_read_tokens)),
        ("  to cache", _number(cache_write)),
        ("tokens out", _number(row.completion_tokens)),
        ("  reasoning", _number(reasoning)),
    ]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _cost(cost: float | None, source: str | None) -> str:
    if cost is None:
        return ""
    return f"${cost:.6f}".rstrip("0").rstrip(".") + (f"  by {display(source)}" if source and source != "source" else "")


def moment(at_us: int | None) -> str:
    """A time with date and milliseconds, local; empty where it is unknown or no calendar has it."""
    if at_us is None:
        return ""
    try:
        then = datetime.fromtimestamp(at_us / figures.SECOND_US).astimezone()
    except (OverflowError, OSError, ValueError):
        return ""
    return then.strftime("%Y-%m-%d %H:%M:%S.") + f"{at_us % figures.SECOND_US // 1000:03d}" + then.strftime(" %z")


def meta_lines(page: Page, run: RunDetail) -> Iterator[Line]:
    """Facts, metadata and attributes of a run."""
    yield from fact_lines(page, run_facts(run))
    for title, value in (("metadata", run.metadata), ("attributes", run.extra)):
        if value:
            yield BLANK
            yield heading(title)
            yield from value_lines(page, dict(value), (title,), depth=1)


def raw_of(run: RunDetail) -> dict[str, Any]:
    """Everything that came in for a run, as one JSON value."""
    return {
        "id": run.row.id,
        "inputs": run.inputs,
        "outputs": run.outputs,
        "error": run.row.error,
        "metadata": dict(run.metadata),
        "extra": dict(run.extra),
    }
