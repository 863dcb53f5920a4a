"""From lines to strips: colours, the words that were searched, facts at the right end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tracetui.tui.detail.line import Line, Span
from tracetui.tui.ink import Glyphs, Ink, Piece, weave

MAX_WIDTH = 100
"""Cells that the pane uses of a wide window."""
MARGIN = 2
"""A cell at the left for the cursor, one at the right."""


def words_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """What finds any of some words, whatever their capitals; `None` where there are none."""
    known = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known)), re.IGNORECASE) if known else None


@dataclass(frozen=True, slots=True)
class Brush:
    """Draws lines in a theme."""

    ink: Ink
    glyphs: Glyphs
    words: re.Pattern[str] | None = None

    def strip(self, line: Line, width: int, ground: str = "bg") -> Strip:
        """One line, as wide as the window."""
        plain = self.ink.on("text-2", ground)
        edge = self.glyphs.edge if ground == "cursor" else " "
        left = Strip(weave([(edge, self.ink.on("accent", ground)), *self._pieces(line.spans, ground)]))
        right = Strip(weave(self._pieces(line.right, ground)))
        end = min(width - 1, MAX_WIDTH + 1)
        room = max(end - right.cell_length - (2 if right.cell_length else 0), 0)
        if left.cell_length > room:
            sign = Segment(self.glyphs.ellipsis, self.ink.on("muted", ground))
            left = Strip([*left.crop(0, max(room - 1, 0)), sign]).crop(0, room)
        gap = Segment(" " * max(end - left.cell_length - right.cell_length, 0), plain)
        rest = Segment(" " * max(width - end, 0), plain)
        return Strip([*left, gap, *right, rest]).crop(0, width)

    def _pieces(self, spans: Iterable[Span], ground: str) -> Iterator[Piece]:
        for span in spans:
            style = self._style(span, ground)
            if self.words is None or span.filled:
                yield span.text, style
            else:
                yield from self._hits(self.words, span, style)

    def _hits(self, words: re.Pattern[str], span: Span, style: Style) -> Iterator[Piece]:
        at = 0
        for hit in words.finditer(span.text):
            yield span.text[at : hit.start()], style
            yield hit.group(), self.ink.on("match", "match-bg", bold=span.bold)
            at = hit.end()
        yield span.text[at:], style

    def _style(self, span: Span, ground: str) -> Style:
        if span.filled:
            return self.ink.cell(span.role)
        style = self.ink.on(span.role, span.ground or ground, bold=span.bold)
        return style + Style(underline=True) if span.underlined else style
