"""What a terminal says that is too small for anything else. Pure."""

from __future__ import annotations

from tracetui.tui import cells, layout
from tracetui.tui.ink import Ink, Piece


def too_small(ink: Ink, width: int, height: int) -> list[list[Piece]]:
    """As many lines as the terminal has."""
    words = [
        ("More room, please:", "text"),
        (f"{layout.MIN_WIDTH} x {layout.MIN_HEIGHT} at least,", "text-2"),
        (f"this is {width} x {height}.", "text-2"),
        ("q leaves", "muted"),
    ]
    lines = [[(cells.cut(text, width), ink.on(role))] for text, role in words[:height]]
    return [*lines, *([] for _ in range(height - len(lines)))]
