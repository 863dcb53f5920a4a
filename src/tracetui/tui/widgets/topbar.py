"""The top bar: store, what it holds, and whether it is live. Pure."""

from __future__ import annotations

from typing import NamedTuple

from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.figures import counted
from tracetui.tui.ink import Glyphs, Ink, Piece

_BAR = 8


class Top(NamedTuple):
    """What the top bar says."""

    store: str
    threads: int | None = None
    traces: int | None = None
    runs: int | None = None
    live: bool = False
    rate: float = 0.0
    """Runs a second that come in."""
    read_only: str = ""
    rules: float | None = None
    """How much of the rules' work is done, 0 to 1; `None`: no rule is at work."""
    rules_left: str = ""
    """What else is to be said of the rules: `4 min left`, `2 failures`."""
    trouble: str = ""


def top(said: Top, ink: Ink, glyphs: Glyphs, width: int) -> list[Piece]:
    """The line. Whole facts leave where there is no room: first at the right of each half."""
    rights = _right(said, ink, glyphs, width)
    lefts = _left(said, ink)
    ground = ink.on("text-2", "surface")
    for right in rights:
        for left in lefts:
            gap = width - _size(left) - _size(right)
            if gap >= 2:
                return [*left, (" " * gap, ground), *right]
    name = cells.cut(said.store, max(width - 2, 0), glyphs.ellipsis)
    return [(" ", ground), (name, ink.on("text", "surface", bold=True))]


def _left(said: Top, ink: Ink) -> list[list[Piece]]:
    muted = ink.on("muted", "surface")
    name = [(cells.cut_middle(display(said.store), 30), ink.on("text", "surface", bold=True))]
    facts = [
        counted(count, noun)
        for count, noun in ((said.threads, "thread"), (said.traces, "trace"), (said.runs, "run"))
        if count is not None
    ]
    lead: list[Piece] = [(" tracetui  ", muted)]
    out = [[*lead, *name, ("".join(f"   {fact}" for fact in facts[:n]), muted)] for n in range(len(facts), 1, -1)]
    middle = facts[1:2] or facts[:1]
    if not facts:
        out.append([*lead, *name])
    out += [[(" ", muted), *name, ("".join(f"   {fact}" for fact in middle), muted)], [(" ", muted), *name]]
    return out


def _right(said: Top, ink: Ink, glyphs: Glyphs, width: int) -> list[list[Piece]]:
    """The right half, from all of it to nothing."""
    muted = ink.on("muted", "surface")
    if said.trouble:
        sign = (glyphs.suspicious + " ", ink.on("warn", "surface"))
        trouble = display(said.trouble)
        rooms = (cells.width(trouble), width * 2 // 3, width // 2)
        return [[sign, (cells.cut(trouble, room, glyphs.ellipsis) + " ", muted)] for room in rooms] + [[]]
    if said.read_only:
        sign = ("! read-only", ink.on("warn", "surface"))
        return [[sign, (f"  {said.read_only} ", muted)], [sign, (" ", muted)]]
    live: list[Piece] = []
    if said.live:
        live = [("live", ink.on("good", "surface"))]
        if said.rate >= 0.1:
            live.append((f" {said.rate:.0f}/s" if said.rate >= 1 else f" {said.rate:.1f}/s", muted))
    end: Piece = (" ", muted)
    if said.rules is None:
        return [[*live, end], [end]]
    done = round(min(max(said.rules, 0.0), 1.0) * _BAR)
    bar: list[Piece] = [
        ("   rules ", muted),
        (glyphs.progress[0] * done, ink.on("accent", "surface")),
        (glyphs.progress[2] * (_BAR - done), ink.on("rule", "surface")),
    ]
    share: Piece = (f" {said.rules:.0%}", ink.on("text-2", "surface"))
    left: list[Piece] = [(f"  {said.rules_left}", muted)] if said.rules_left else []
    return [
        [*live, *bar, share, *left, end],
        [*live, *bar, share, end],
        [*live, ("   rules", muted), share, end],
        [*live, end],
        [end],
    ]


def _size(pieces: list[Piece]) -> int:
    return sum(cells.width(text) for text, _ in pieces)
