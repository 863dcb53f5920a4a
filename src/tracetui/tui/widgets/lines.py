"""A widget of a few styled lines: bars, footer and drawers are all made of it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tracetui.tui.ink import Ink, Piece, weave


class Lines(Widget):
    """Lines of pieces on one ground. Only lines that changed are drawn again."""

    DEFAULT_CSS = "Lines { height: 1; width: 100%; }"

    def __init__(self, ink: Ink, ground: str = "surface", *, lines: int = 1, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ink = ink
        self._lines: list[list[Piece]] = [[] for _ in range(lines)]
        self.styles.height = lines
        self.ground = ground

    def show(self, lines: Sequence[list[Piece]], ground: str | None = None) -> None:
        """Show these lines; another number of them is another height."""
        before, self._lines = self._lines, list(lines)
        regrounded = ground is not None and ground != self.ground
        if ground is not None:
            self.ground = ground
        if len(before) != len(self._lines):
            self.styles.height = len(self._lines)
        if len(before) != len(self._lines) or regrounded:
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they are: they bring ground and colours, so no CSS style or filter is to be put on them."""
        x, y, width, height = crop
        lines = [self.render_line(number) for number in range(y, y + height)]
        return lines if (x, width) == (0, self.size.width) else [line.crop(x, x + width) for line in lines]

    def render_line(self, y: int) -> Strip:
        """One line, filled with the ground."""
        width = self.size.width
        ground = self._ink.on("text-2", self.ground)
        pieces = self._lines[y] if y < len(self._lines) else []
        segments = weave([*pieces, (" ", ground)])
        strip = Strip(segments)
        if strip.cell_length < width:
            return Strip([*segments, Segment(" " * (width - strip.cell_length), ground)], width)
        return strip.crop(0, width)
