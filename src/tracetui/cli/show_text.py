"""A thread, trace or run as text: colours on a terminal, none in a pipe."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tracetui.cli.show_tree import SHORT, said, tree_lines
from tracetui.model.kinds import Kind, Level
from tracetui.model.rows import Row
from tracetui.model.text import display
from tracetui.model.times import now_us
from tracetui.tui import cells, figures, ink
from tracetui.tui.detail import tabs
from tracetui.tui.detail.chat import call_lines, chat_lines
from tracetui.tui.detail.facts import fact_lines, run_facts
from tracetui.tui.detail.failure import error_lines
from tracetui.tui.detail.line import BLANK, Folds, Line, Page, Span, Unfolded
from tracetui.tui.detail.loaded import Loaded, load
from tracetui.tui.detail.opinions import rows_lines
from tracetui.tui.detail.prose import heading
from tracetui.tui.detail.trajectory import Step, steps_of
from tracetui.tui.detail.values import value_lines

if TYPE_CHECKING:
    from tracetui.store.reading import Reader

_WIDTH = 100
_TRACES = 50


def write(reader: Reader, row: Row, *, full: bool) -> None:
    """Print a row and what belongs to it, line by line."""
    page = page_for(reader, full=full)
    paint(page, lines(reader, row, page, full=full))


def page_for(reader: Reader, *, full: bool) -> Page:
    """The page to print on: as wide as the terminal, at most 100 cells."""
    columns = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    keys = {key.key: key for key in reader.feedback_keys()}
    folds = Unfolded() if full else Folds()
    signs = ink.glyphs() if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else ink.ASCII
    return Page(max(min(columns, _WIDTH), 30), signs, folds, keys, now_us(), printed=True)


def lines(reader: Reader, row: Row, page: Page, *, full: bool) -> Iterator[Line]:
    """Everything about a row."""
    if row.level == Level.RUN:
        yield from _run(load(reader, Level.RUN, row.pk), reader, page, full)
    elif row.level == Level.TRACE:
        yield from _title(page, row)
        yield from _feedback(reader, row, page)
        yield BLANK
        yield from tree_lines(page, reader.runs_of(row.pk), 2**40 if full else SHORT)
        for step in steps_of(reader, row.pk):
            yield BLANK
            yield from _step(page, step)
    else:
        yield from _thread(reader, row, page, full)


def _title(page: Page, row: Row) -> Iterator[Line]:
    name = display(row.name or row.id, limit=400)
    yield Line((Span(cells.cut(name, page.width), "text", bold=True),))
    held = [
        figures.counted(row.trace_count, "trace") if row.level == Level.THREAD else "",
        figures.counted(row.run_count, "run"),
        figures.counted(row.error_count, "error") if row.error_count else "",
        figures.duration(row.latency_us) if row.level == Level.TRACE else "",
        f"{figures.amount(row.prompt_tokens)} in" if row.prompt_tokens else "",
        f"{figures.amount(row.completion_tokens)} out" if row.completion_tokens else "",
        figures.money(row.cost),
    ]
    yield Line((Span("   ".join(fact for fact in held if fact), "text-2"),))
    yield from fact_lines(page, [(row.level.value, display(row.id)), ("project", display(row.project or ""))])


def _feedback(reader: Reader, row: Row, page: Page) -> Iterator[Line]:
    rows = reader.feedback(row.level, row.pk)
    if rows:
        yield BLANK
        yield heading("feedback")
        yield from rows_lines(page, rows, full=True)


def _thread(reader: Reader, row: Row, page: Page, full: bool) -> Iterator[Line]:
    yield from _title(page, row)
    yield from _feedback(reader, row, page)
    after, shown = None, 0
    while shown < (row.trace_count if full else _TRACES):
        found = reader.keys(Level.TRACE, parent=row.pk, after=after)
        for trace in reader.rows(Level.TRACE, found.pks).values():
            if shown == _TRACES and not full:
                break
            shown += 1
            yield BLANK
            yield from _trace_of_thread(reader, trace, page, full)
        after = found.after
        if after is None:
            return
    if row.trace_count > shown:
        yield BLANK
        yield Line((Span(f"{row.trace_count - shown:,} more traces   ", "muted"), Span(page.more, "accent", bold=True)))


def _trace_of_thread(reader: Reader, trace: Row, page: Page, full: bool) -> Iterator[Line]:
    when = "" if trace.started_at is None else figures.clock(trace.started_at, page.now_us)
    right = "  ".join(filter(None, (figures.duration(trace.latency_us), when)))
    name = cells.cut(display(trace.name or trace.id, limit=200), page.width - len(right) - 2)
    chips = tuple(said(page, trace, page.width - cells.width(name) - len(right) - 2))
    yield Line((Span(name, "text", bold=True), *chips), (Span(right, "muted"),))
    yield Line((Span(display(trace.id), "muted"),))
    yield from tree_lines(page, reader.runs_of(trace.pk), 2**40 if full else SHORT)


def _step(page: Page, step: Step) -> Iterator[Line]:
    if step.call is not None:
        yield from call_lines(page, step.call, (step.row.pk, 0), step.result, step.row.kind or Kind.OTHER)
        return
    row = step.row
    facts = [figures.duration(row.latency_us)]
    facts += [f"{count:,} {way}" for count, way in ((row.prompt_tokens, "in"), (row.completion_tokens, "out")) if count]
    yield Line(
        (Span(f"{page.glyphs.kind(row.kind)} {display(row.name, limit=100)}", "muted"),),
        (Span("   ".join(fact for fact in facts if fact), "muted"),),
    )
    yield from chat_lines(page, step.said)
    if row.error:
        yield from error_lines(page, row.error, row.pk)


def _run(loaded: Loaded, reader: Reader, page: Page, full: bool) -> Iterator[Line]:
    run = loaded.run
    assert run is not None
    row = run.row
    yield Line((Span(f"{page.glyphs.kind(row.kind)} ", "muted"), Span(display(row.name, limit=200), "text", bold=True)))
    yield from fact_lines(page, run_facts(run))
    yield BLANK
    yield from tabs.lines_of(page, loaded, "all" if full and loaded.is_call else tabs.tabs_of(loaded)[0])
    if full:
        for title, value in (("metadata", run.metadata), ("attributes", run.extra)):
            if value:
                yield BLANK
                yield heading(title)
                yield from value_lines(page, dict(value), title)
    below = _below(reader, row)
    if below:
        yield BLANK
        yield heading("runs below")
        yield from tree_lines(page, below, 2**40 if full else SHORT)


def _below(reader: Reader, row: Row) -> list[Row]:
    """The runs below a run, without itself."""
    if row.trace_pk is None or not row.child_count:
        return []
    inside = {row.pk}
    found: list[Row] = []
    for run in reader.runs_of(row.trace_pk):  # parents begin before their children
        if run.parent_pk in inside:
            inside.add(run.pk)
            found.append(run)
    return found


_STYLES = {
    "text": "", "text-2": "", "muted": "dim", "off": "dim", "accent": "magenta", "bad": "bright_red",
    "warn": "bright_yellow", "good": "bright_cyan", "match": "underline",
}  # fmt: skip


def paint(page: Page, lines: Iterable[Line]) -> None:
    """Print lines, in colours where a person looks at a terminal that wants them."""
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    plain = not console.is_terminal or console.no_color
    for line in lines:
        used = sum(cells.width(span.text) for span in line.spans)
        right = sum(cells.width(span.text) for span in line.right)
        gap = (Span(" " * max(page.width - used - right, 2)),) if right else ()
        spans = (*line.spans, *gap, *line.right)
        if plain:
            sys.stdout.write("".join(span.text for span in spans).rstrip() + "\n")
            continue
        text = Text(end="\n")
        for span in spans:
            text.append(span.text, Style.parse(_STYLES.get(span.role, "")) + Style(bold=span.bold or None))
        console.print(text)
