"""The runs of a trace as an indented tree, for printing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from tracetui.model.kinds import Status
from tracetui.model.rows import Row
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.chips import Tone, chips
from tracetui.tui.detail.failure import split_error
from tracetui.tui.detail.line import Line, Page, Span

SHORT = 60
"""Runs that are printed of a tree, unless all are asked for."""
_INDENTS = 20


def tree_lines(page: Page, rows: Sequence[Row], limit: int) -> Iterator[Line]:
    """The runs of a trace, parents before children, at most `limit`; then how many more there are."""
    for depth, row in islice(_in_order(rows), limit):
        yield run_line(page, row, depth)
    if len(rows) > limit:
        yield Line((Span(f"  {len(rows) - limit:,} more runs   ", "muted"), Span(page.more, "accent", bold=True)))


def _in_order(rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    below: dict[int | None, list[Row]] = {}
    known = {row.pk for row in rows}
    for row in rows:
        below.setdefault(row.parent_pk if row.parent_pk in known else None, []).append(row)
    stack = [(0, row) for row in reversed(below.get(None, []))]
    while stack:
        depth, row = stack.pop()
        yield depth, row
        stack += [(depth + 1, child) for child in reversed(below.get(row.pk, []))]


def run_line(page: Page, row: Row, depth: int) -> Line:
    """One run: sign, kind, name, what went wrong or was said; its time at the right."""
    failed = row.status == Status.ERROR
    sign = Span(page.glyphs.failed, "bad", bold=True) if failed else Span(_sign(page, row), "muted")
    right = "  ".join(filter(None, (_tokens(row), figures.duration(row.latency_us))))
    lead = "  " * min(depth, _INDENTS) + page.glyphs.kind(row.kind) + " "
    room = page.width - cells.width(lead) - cells.width(right) - 4
    name = cells.cut(display(row.name or row.id, limit=200), max(room, 8))
    spans = [sign, Span(" " + lead, "muted"), Span(name, "text")]
    left = room - cells.width(name) - 2
    error = display(split_error(row.error)[0], limit=300) if row.error else ""
    if error and left > 8:
        spans.append(Span("  " + cells.cut(error, left), "bad"))
    elif not error:
        spans += said(page, row, left)
    return Line(tuple(spans), (Span(right, "muted"),))


def _sign(page: Page, row: Row) -> str:
    if row.status == Status.RUNNING:
        return page.glyphs.running
    return page.glyphs.abandoned if row.status == Status.ABANDONED else " "


def _tokens(row: Row) -> str:
    counts = [count for count in (row.prompt_tokens, row.completion_tokens) if count is not None]
    return figures.amount(sum(counts)) if counts else ""


def said(page: Page, row: Row, room: int) -> Iterator[Span]:
    """The feedback on a row, as much as there is room for."""
    for chip in chips(row.feedback, page.keys):
        text = f"  {chip.key} {chip.value} {chip.sources}".rstrip()
        room -= cells.width(text)
        if room < 0:
            return
        yield Span(text, {Tone.BAD: "bad", Tone.GOOD: "good"}.get(chip.tone, "text-2"))
