"""Feedback in lines: each key and value with who says so, comments and corrections under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracetui.model.kinds import SOURCE_LETTER, Source
from tracetui.model.rows import FeedbackCell, FeedbackRow
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.chips import Chip, Tone, chip
from tracetui.tui.detail.line import BLANK, Line, Page, Span, Spans, indented
from tracetui.tui.detail.prose import heading, text_lines, wrap
from tracetui.tui.detail.values import value_lines

_KEY, _VALUE = 18, 14
_SHORT = 30
"""Rows of feedback in a section; the tab has all."""
CAUSE = "cause"
"""The key that says why something failed: it has a section of its own."""


def chip_of(row: FeedbackRow, page: Page) -> Chip:
    """What one piece of feedback says, with its tone."""
    values = {row.value: 1} if row.value is not None else {}
    letter = SOURCE_LETTER.get(row.source, SOURCE_LETTER[Source.UNKNOWN])
    one = FeedbackCell(row.key, 1, row.score, row.score, row.score, values, letter, disagree=False)
    return chip(one, page.keys.get(row.key))


def feedback_lines(page: Page, rows: Sequence[FeedbackRow], title: str, where: str = "") -> Iterator[Line]:
    """A section of feedback, one row each, comments in short; nothing where there is none."""
    said = [row for row in rows if row.key != CAUSE]
    why = [row for row in rows if row.key == CAUSE]
    if said:
        yield heading(title, *((Span(where, "muted"),) if where else ()))
        yield from rows_lines(page, said[:_SHORT], full=False)
        if len(said) > _SHORT:
            yield Line((Span(f" {len(said) - _SHORT:,} more, in the tab feedback", "muted"),))
    if said and why:
        yield BLANK
    if why:
        yield heading("why it failed")
        for row in why:
            yield from _why(page, row)


def rows_lines(page: Page, rows: Sequence[FeedbackRow], *, full: bool) -> Iterator[Line]:
    """Rows of feedback in columns, the worst first; with all that was written if `full`."""
    made = sorted(((chip_of(row, page), row) for row in rows), key=lambda pair: (-pair[0].distance, pair[1].key))
    keys = min(max((cells.width(one.key) for one, _ in made), default=0), _KEY)
    values = min(max((cells.width(one.value) for one, _ in made), default=0), _VALUE)
    for number, (one, row) in enumerate(made):
        if full and number and (row.comment or row.correction is not None):
            yield BLANK
        yield _row(page, one, row, keys, values, full)
        if full:
            yield from _written(page, row)


def _row(page: Page, one: Chip, row: FeedbackRow, keys: int, values: int, full: bool) -> Line:
    role = {Tone.BAD: "bad", Tone.GOOD: "good"}.get(one.tone, "text-2")
    ground = "bad-bg" if one.tone is Tone.BAD else ""
    edge = Span(page.glyphs.bad_edge, "bad") if one.tone is Tone.BAD else Span(" ")
    if row.superseded:
        edge, role, ground = Span(" "), "off", ""
    value_role = "off" if row.superseded else "text" if one.tone is Tone.BAD else role
    spans: Spans = (
        edge,
        Span(cells.left(one.key, keys), role, ground=ground),
        Span("  " + cells.right(one.value, values) + " ", value_role, bold=True, ground=ground),
        Span(f" {one.sources} ", "muted"),
    )
    when = figures.clock(row.created_at, page.now_us)
    room = page.width - keys - values - cells.width(when) - 9
    return Line((*spans, Span(cells.cut(_who(row, full), max(room, 4)), "text-2")), (Span(when, "muted"),))


def _who(row: FeedbackRow, full: bool) -> str:
    author = display(row.author, limit=60)
    if row.version is not None:
        author = f"{author}@{row.version}"
    said = [author] if author else []
    if row.superseded:
        said.append("by an older version")
    if row.comment and not full:
        said.append("“" + display(row.comment, limit=200) + "”")
    return "  ".join(said)


def _why(page: Page, row: FeedbackRow) -> Iterator[Line]:
    value = display(row.value or figures.number(row.score or 0), limit=24)
    when = ", ".join(filter(None, (display(row.author, limit=40), figures.clock(row.created_at, page.now_us))))
    comment = display(row.comment or "", limit=400)
    width = page.narrower(cells.width(value) + 4)
    first, *rest = list(wrap(comment, width))
    yield Line((Span("  " + value, "text", bold=True), Span("  " + first, "text-2")), (Span(when, "muted"),))
    for line in rest:
        yield Line((Span(" " * (cells.width(value) + 4)), Span(line, "text-2")))


def _written(page: Page, row: FeedbackRow) -> Iterator[Line]:
    lead = (Span("   "),)
    if row.comment:
        yield from text_lines(page, row.comment, ("comment", row.pk), lead=lead, role="text", lines=20)
    if row.evidence:
        text = row.evidence.get("text")
        if isinstance(text, str) and text:
            yield Line((*lead, Span("found  ", "muted"), Span(display(text, limit=200), "match", ground="match-bg")))
    if row.correction is not None:
        yield Line((*lead, Span("should be", "muted")))
        yield from indented(value_lines(page.shifted(5), row.correction, ("correction", row.pk)), 5)


def feedback_tab(page: Page, sections: Sequence[tuple[str, Sequence[FeedbackRow]]]) -> Iterator[Line]:
    """All feedback, by where it is said."""
    first = True
    for title, rows in sections:
        if not rows:
            continue
        if not first:
            yield BLANK
        first = False
        yield heading(title)
        yield from rows_lines(page, rows, full=True)
    if first:
        yield Line((Span("no feedback yet", "off"),))
