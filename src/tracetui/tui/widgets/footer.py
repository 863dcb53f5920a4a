"""The footer: what can be pressed, the most useful first; `?` at the right end, always. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracetui.tui import cells
from tracetui.tui.ink import Ink, Piece


class Item(NamedTuple):
    """A key with one or two words; or words alone (`score helpful`), `loud` the part that stands out."""

    key: str
    words: str = ""
    loud: str = ""
    near: bool = True
    """Two blanks before it: of one group with the item before; else three."""
    off: bool = False
    """It does not work now: the reason is its words."""


def footer(items: Sequence[Item], end: Item | None, ink: Ink, width: int) -> list[Piece]:
    """The line. Items leave from the right; the first two and the end stay."""
    last = _piece(end, ink) if end is not None else []
    room = width - _size(last) - 2
    kept: list[Piece] = [(" ", ink.on("muted", "surface"))]
    used = 1
    for place, item in enumerate(items):
        made = _piece(item, ink)
        gap = 0 if place == 0 else 2 if item.near else 3
        size = _size(made)
        if used + gap + size > room and place > 1:
            break
        kept += [(" " * gap, ink.on("muted", "surface")), *made]
        used += gap + size
    blank = max(width - used - _size(last) - 1, 1)
    return [*kept, (" " * blank, ink.on("muted", "surface")), *last, (" ", ink.on("muted", "surface"))]


def _piece(item: Item, ink: Ink) -> list[Piece]:
    muted = ink.on("muted", "surface")
    out: list[Piece] = []
    if item.key:
        role = ink.on("off", "surface") if item.off else ink.on("accent", "surface", bold=True)
        out.append((item.key, role))
    if item.words:
        out.append(((" " if item.key else "") + item.words, muted))
    if item.loud:
        out.append((" " + item.loud, ink.on("text", "surface", bold=True)))
    return out


def _size(pieces: Sequence[Piece]) -> int:
    return sum(cells.width(text) for text, _ in pieces)
