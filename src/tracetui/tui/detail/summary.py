"""A trace or a thread at a glance: what was asked and answered, what failed, what was said of it."""

from __future__ import annotations

from collections.abc import Iterator

from tracetui.model.kinds import Level
from tracetui.model.rows import Row
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.detail.facts import fact_lines
from tracetui.tui.detail.failure import split_error
from tracetui.tui.detail.line import BLANK, Line, Page, Span, Spans
from tracetui.tui.detail.loaded import ERRORS, Loaded
from tracetui.tui.detail.opinions import feedback_lines
from tracetui.tui.detail.prose import INDENT, heading, text_lines, wrap


def lines(page: Page, loaded: Loaded) -> Iterator[Line]:
    """The summary of a trace or thread."""
    row = loaded.row
    yield from fact_lines(page, _counts(row))
    if loaded.failed:
        yield BLANK
        yield from _failed(page, loaded)
    for title, text in _said(loaded):
        yield BLANK
        yield heading(title)
        yield from text_lines(page, text, title, lead=_lead(page, title), lines=12)
    if loaded.children:
        yield BLANK
        yield heading(figures.counted(row.trace_count, "trace"))
        for child in loaded.children:
            yield from _child(page, child)
        if row.trace_count > len(loaded.children):
            left = row.trace_count - len(loaded.children)
            yield Line((Span(f"  {left:,} more, in the tree", "muted"),))
    for title, rows in loaded.feedback:
        if rows:
            yield BLANK
            yield from feedback_lines(page, rows, "feedback", "" if title == "here" else title)


def _said(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """What was asked last and answered last: from the root run, else what the list shows of them."""
    row = loaded.row
    for title, chat, short in (
        ("user", loaded.given, row.input_preview),
        ("assistant", loaded.answered, row.output_preview),
    ):
        text = chat[-1].message.text if chat else short
        if text and row.level == Level.TRACE:
            yield title, text


def _lead(page: Page, title: str) -> Spans:
    return (Span(page.glyphs.quote, "accent"), Span(" ")) if title == "user" else INDENT


def _counts(row: Row) -> list[tuple[str, str]]:
    errors = figures.counted(row.error_count, "error") if row.error_count else ""
    steps = ", ".join(
        figures.counted(count, noun)
        for count, noun in ((row.llm_calls, "model call"), (row.tool_calls, "tool call"))
        if count
    )
    traces = figures.counted(row.trace_count, "trace") if row.level == Level.THREAD else ""
    return [
        ("holds", ", ".join(filter(None, (traces, figures.counted(row.run_count, "run"), errors)))),
        ("steps", steps),
        ("tokens", _tokens(row)),
        ("cost", figures.money(row.cost)),
    ]


def _tokens(row: Row) -> str:
    known = ((row.prompt_tokens, "in"), (row.completion_tokens, "out"), (row.cache_read_tokens, "from cache"))
    return ", ".join(f"{count:,} {what}" for count, what in known if count is not None)


def _failed(page: Page, loaded: Loaded) -> Iterator[Line]:
    """Failed runs, equal failures of one name on one line."""
    groups: dict[tuple[str, str], int] = {}
    for row in loaded.failed:
        title = display(split_error(row.error or "error")[0], limit=300)
        groups[display(row.name, limit=60), title] = groups.get((display(row.name, limit=60), title), 0) + 1
    yield heading(figures.counted(loaded.row.error_count, "error"))
    for (name, title), count in groups.items():
        times = f" x{count}" if count > 1 else ""
        yield Line(
            (
                Span(page.glyphs.failed, "bad", filled=True),
                Span(f" {name}", "text", bold=True),
                Span(times, "text", bold=True),
            )
        )
        for text in wrap(title, page.narrower(2)):
            yield Line((Span("  " + text, "bad"),))
    if loaded.row.error_count > len(loaded.failed) >= ERRORS:
        yield Line((Span(f"  {loaded.row.error_count - len(loaded.failed):,} more", "muted"),))


def _child(page: Page, row: Row) -> Iterator[Line]:
    bad = row.error_count > 0
    sign = Span(page.glyphs.failed if bad else " ", "bad" if bad else "text-2", bold=bad)
    time = figures.duration(row.latency_us)
    name = cells.cut(display(row.name, limit=200), page.narrower(4 + len(time)))
    yield Line((sign, Span(f" {name}", "text")), (Span(time, "muted"),))
    if row.input_preview:
        yield Line((Span("  " + cells.cut(display(row.input_preview), page.narrower(2)), "muted"),))
