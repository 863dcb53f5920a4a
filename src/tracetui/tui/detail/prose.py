"""Texts in lines: made harmless, wrapped to the width, cut with how much is left."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice

from rich.cells import chop_cells

from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.detail.line import Act, Line, Page, Part, Span, Spans
from tracetui.tui.figures import counted

CHARS = 16_000
"""Characters of a text that a page of it looks at."""
INDENT: Spans = (Span("  "),)


def wrap(text: str, width: int) -> Iterator[str]:
    """One line of text in lines of at most `width` cells, broken between words where that is possible."""
    while len(text) > 2 * width or cells.width(text) > width:  # the width of a long text is costly
        head = text[:width] if text.isascii() else chop_cells(text[: 2 * width], width)[0]
        rest = text[len(head) :]
        blank = head.rfind(" ")
        if rest[:1] != " " and blank > 0 and head[:blank].strip():
            head, rest = text[:blank], text[blank:]
        yield head.rstrip()
        text = rest.lstrip(" ")
    yield text


def wrapped(text: str, width: int) -> Iterator[str]:
    """A text that is safe to show, of several lines, wrapped."""
    for line in text.split("\n"):
        yield from wrap(line.rstrip(), width)


def text_lines(
    page: Page, text: str, key: Hashable, *, lead: Spans = INDENT, role: str = "text", lines: int = 60
) -> Iterator[Line]:
    """A text of any size with `lead` before each line; after each page of `lines` lines, how much is left."""
    shown = page.folds.page(key)
    limit, most = CHARS * shown, lines * shown
    width = page.narrower(sum(cells.width(span.text) for span in lead))
    text = text.strip("\n")
    rows = wrapped(display(text[:limit], lines=True), width)
    for row in islice(rows, most):
        yield Line((*lead, Span(row, role)))
    if len(text) > limit:
        yield more(page, key, f"{size(len(text) - limit)} more", lead)
    elif left := sum(1 for _ in rows):
        yield more(page, key, counted(left, "more line"), lead)


def more(page: Page, key: Hashable, what: str, lead: Spans = INDENT) -> Line:
    """The line that says how much is left, and shows the next page."""
    return Line((*lead, Span(what + "   ", "muted"), Span(page.more, "accent", bold=True)), (), Part(Act.MORE, key))


def size(chars: int) -> str:
    """About how much a number of characters is: `800 B`, `12 KB`, `1.9 MB`."""
    if chars < 1000:
        return f"{chars} B"
    return f"{chars / 1000:.0f} KB" if chars < 1_000_000 else f"{chars / 1_000_000:.1f} MB"


def heading(text: str, *right: Span) -> Line:
    """The title of a section, quiet."""
    return Line((Span(text, "muted"),), right)
