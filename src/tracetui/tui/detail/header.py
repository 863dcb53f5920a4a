"""The lines that stay at the top of the pane: what this is, its figures, its tabs."""

from __future__ import annotations

from collections.abc import Sequence

from tracetui.model.kinds import Level, Status
from tracetui.model.rows import Row
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.detail.chat import seconds
from tracetui.tui.detail.line import BLANK, Line, Page, Span, Spans
from tracetui.tui.detail.loaded import Loaded

_GAP = "   "


def header_lines(page: Page, loaded: Loaded, tabs: Sequence[str], tab: str) -> list[Line]:
    """Name, figures and tabs of what is shown."""
    return [_title(page, loaded), _figures(page, loaded.row), BLANK, _tabs(page, tabs, tab), BLANK]


def _title(page: Page, loaded: Loaded) -> Line:
    row = loaded.row
    lead: list[Span] = []
    if row.status == Status.ERROR and row.level == Level.RUN:
        lead += [Span(page.glyphs.failed, "bad", filled=True), Span(" ")]
    if row.level == Level.RUN:
        lead.append(Span(page.glyphs.kind(row.kind) + " ", "text-2"))
    facts = _place(loaded)
    above = loaded.trace.name if loaded.trace is not None else loaded.thread.name if loaded.thread is not None else ""
    used = sum(len(span.text) for span in lead)
    name = display(row.name or row.id, limit=200)
    # the name first, then where it is, then what holds it
    right = display(above, limit=200)
    room = page.width - used
    wanted = cells.width(name) + sum(cells.width(fact) + len(_GAP) for fact in facts)
    spare = room - wanted - len(_GAP)
    right = cells.cut(right, spare, page.glyphs.ellipsis) if spare >= min(cells.width(right), 8) else ""
    while facts and room < cells.width(name) + sum(cells.width(fact) + len(_GAP) for fact in facts):
        facts.pop()
    name = cells.cut(name, room - sum(cells.width(fact) + len(_GAP) for fact in facts), page.glyphs.ellipsis)
    spans: Spans = (*lead, Span(name, "text", bold=True), *(Span(_GAP + fact, "text-2") for fact in facts))
    return Line(spans, (Span(right, "muted"),) if right else ())


def _place(loaded: Loaded) -> list[str]:
    row = loaded.row
    if row.level == Level.THREAD:
        return [figures.counted(row.trace_count, "trace")]
    if row.level == Level.TRACE:
        return [figures.counted(row.run_count, "run")]
    if loaded.step is None or not loaded.step[0] or row.kind not in ("llm", "tool"):
        return []
    return [f"step {loaded.step[0]:,} of {loaded.step[1]:,}"]


def _figures(page: Page, row: Row) -> Line:
    facts = [_state(page, row)]
    facts += [
        f"{count:,} {what}" for count, what in ((row.prompt_tokens, "in"), (row.completion_tokens, "out")) if count
    ]
    facts.append(figures.money(row.cost))
    known = [fact for fact in facts if fact]
    clock = "" if row.started_at is None else seconds(row.started_at)
    room = page.width - (len(clock) + len(_GAP) if clock else 0)
    while known and len(_GAP.join(known)) > room:
        known.pop()
    role = "accent" if row.status == Status.RUNNING else "text-2"
    spans = tuple(
        Span((_GAP if number else "") + fact, role if not number else "text-2") for number, fact in enumerate(known)
    )
    return Line(spans, (Span(clock, "muted"),) if clock else ())


def _state(page: Page, row: Row) -> str:
    if row.status == Status.RUNNING and row.started_at is not None:
        return "running, " + figures.age(page.now_us - row.started_at)
    if row.status == Status.ABANDONED and row.latency_us is None:
        return "abandoned, no end"
    return figures.duration(row.latency_us)


def _tabs(page: Page, tabs: Sequence[str], tab: str) -> Line:
    """The names of the tabs; those that do not fit leave from the ends farthest from the open one."""
    first, last = 0, len(tabs)
    at = tabs.index(tab)
    while last - first > 1 and sum(len(name) + 2 for name in tabs[first:last]) - 2 > page.width:
        if last - 1 - at >= at - first:
            last -= 1
        else:
            first += 1
    spans: list[Span] = []
    for name in tabs[first:last]:
        if spans:
            spans.append(Span("  "))
        here = name == tab
        spans.append(Span(name, "accent" if here else "muted", bold=here, underlined=here))
    return Line(tuple(spans))
