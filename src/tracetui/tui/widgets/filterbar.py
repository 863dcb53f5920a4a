"""The filter bar: the filter, what is wrong with it while it is typed, and how much it finds. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from rich.style import Style

from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.ink import Glyphs, Ink, Piece

_FIELD = re.compile(r"-?[\w.*]+:")


class Fault(NamedTuple):
    """Something wrong with a filter: its place in the text, why, and what would mend it."""

    start: int
    end: int
    why: str
    fix: str = ""
    soft: bool = False
    """It reads, and finds nothing here."""


class Bar(NamedTuple):
    """What the filter bar says."""

    text: str = ""
    at: int | None = None
    """Place of the cursor while the filter is typed; `None`: it is not."""
    faults: tuple[Fault, ...] = ()
    number: str = ""
    """How many rows it finds: `318`; `> 10,000`."""
    note: str = ""
    """What stands behind the count: `traces, exact`."""
    lead: str = ""
    """What stands before the count: `shown: the last filter that reads,`."""
    sign: str = ""
    """`*` where rows are marked."""


def bar(said: Bar, ink: Ink, glyphs: Glyphs, width: int) -> list[Piece]:
    """The line: the filter at the left, its count at the right."""
    muted = ink.on("muted", "surface")
    right = _count(said, ink)
    size = sum(cells.width(text) for text, _ in right)
    if size > width // 2:
        right = [piece for piece in right if piece[0].strip() in (said.number, said.sign)]
        size = sum(cells.width(text) for text, _ in right)
    room = width - size - 4
    left = _left(said, ink, room, glyphs)
    used = sum(cells.width(text) for text, _ in left)
    gap = (" " * max(width - used - size - 1, 0), muted)
    return [*left, gap, *right, (" ", muted)]


def _count(said: Bar, ink: Ink) -> list[Piece]:
    muted = ink.on("muted", "surface")
    out: list[Piece] = []
    if said.lead:
        out.append((said.lead + " ", muted))
    if said.sign:
        out.append((said.sign + " ", ink.on("accent", "surface")))
    if said.number:
        out.append((said.number, ink.on("text", "surface", bold=True)))
    if said.note:
        out.append((" " + said.note if said.number else said.note, muted))
    return out


def _left(said: Bar, ink: Ink, room: int, glyphs: Glyphs) -> list[Piece]:
    key = (" / ", ink.on("accent", "surface", bold=True))
    muted = ink.on("muted", "surface")
    if not said.text and said.at is None:
        return [key, (cells.cut("everything", room, glyphs.ellipsis), ink.on("off", "surface"))]
    start, text = _window(said, room)
    styles = _styles(said, ink)
    out: list[Piece] = [key]
    for place, char in enumerate(text, start):
        style = ink.cell("accent", "surface") if place == said.at else styles[place]
        out.append((display(char), style))
    if said.at is not None and said.at >= len(said.text):
        out.append((" ", ink.cell("accent", "surface")))
        if not said.text:
            hint = "status:error  kind:tool  feedback.KEY:<0.5  -feedback.KEY:*  words"
            out.append((cells.cut(hint, max(room - 2, 0), glyphs.ellipsis), muted))
    return out


def _window(said: Bar, room: int) -> tuple[int, str]:
    """The part of the filter that is in sight: the cursor is in it."""
    if cells.width(said.text) < room:
        return 0, said.text
    if said.at is None:
        return 0, cells.cut(said.text, room)
    start = max(said.at - room + 2, 0)
    return start, said.text[start : start + room - 1]


def _styles(said: Bar, ink: Ink) -> list[Style]:
    text, muted = ink.on("text", "surface"), ink.on("muted", "surface")
    styles = [text] * len(said.text)
    for found in _FIELD.finditer(said.text):
        styles[found.start() : found.end()] = [muted] * len(found.group())
    for fault in said.faults:
        end = min(max(fault.end, fault.start + 1), len(said.text))
        wrong = ink.under("warn" if fault.soft else "bad", "surface")
        styles[fault.start : end] = [wrong] * (end - min(fault.start, end))
    return styles


def faults(said: Bar, ink: Ink, glyphs: Glyphs, width: int) -> list[list[Piece]]:
    """The lines under the bar: each mistake with its mend."""
    muted, text = ink.on("muted", "surface"), ink.on("text", "surface")
    out: list[list[Piece]] = []
    for fault in said.faults[:3]:
        part = cells.cut(display(said.text[fault.start : fault.end].strip()), 24, glyphs.ellipsis)
        sign = (glyphs.suspicious, "warn") if fault.soft else (glyphs.failed, "bad")
        line: list[Piece] = [(f"  {sign[0]} ", ink.on(sign[1], "surface"))]
        if part and part not in fault.why:
            line.append((part + "   ", text))
        line.append((display(fault.why), muted))
        if fault.fix:
            line += [("      ", muted), ("tab", ink.on("accent", "surface", bold=True)), (" takes ", muted)]
            line.append((display(fault.fix), text))
        out.append(line)
    return out
