"""A question before something big: what changes, what does not, how to undo. `enter` does it, `esc` does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.tui import cells
from tracetui.tui.ink import Piece
from tracetui.tui.keys import Where
from tracetui.tui.modes.base import Mode
from tracetui.tui.widgets.footer import Item

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer


class AskMode(Mode):
    """Asks, with the count. Lines are words; a number at their start stands out."""

    where = Where.ASK

    def __init__(self, explorer: Explorer, title: str, about: str, do: str, then: Callable[[], None]) -> None:
        super().__init__(explorer)
        self.title, self.about, self.do = title, about, do
        self._then = then
        self.facts: list[tuple[str, str]] = [("", "counting what changes")]
        """Number and words."""
        self.rest = ""

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """Title, what changes, what does not."""
        ink = self.explorer.ink
        muted, text = ink.on("muted", "surface"), ink.on("text", "surface")
        out: list[list[Piece]] = [
            [(f" {self.title}   ", ink.on("text", "surface", bold=True)), (self.about, muted)],
            [],
        ]
        size = max((len(number) for number, _ in self.facts), default=0)
        out += [[(" " + cells.right(number, size) + "  ", text), (words, muted)] for number, words in self.facts]
        if self.rest:
            out += [[], [(" " + self.rest, muted)]]
        return [*out, []]

    def items(self) -> list[Item]:
        """Do it, or not."""
        return [Item("enter", self.do), Item("esc", "no")]

    def end(self) -> Item | None:
        """Why it asks."""
        return Item("", "above 20 it asks")

    def act(self, action: str) -> None:
        """Do it, or not."""
        self.leave()
        if action == "ask.do":
            self._then()


class ProgressMode(Mode):
    """Long work: how far it is, its rate, how to stop it."""

    where = Where.ASK

    def __init__(self, explorer: Explorer, title: str, stop: Callable[[], object]) -> None:
        super().__init__(explorer)
        self.title = title
        self._stop = stop
        self.done, self.total, self.seconds = 0, 0, 0.0

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """Title, bar, numbers."""
        ink, glyphs = self.explorer.ink, self.explorer.glyphs
        muted = ink.on("muted", "surface")
        share = self.done / self.total if self.total else 0.0
        size = max(min(width // 4, 30), 8)
        full = int(share * size)
        rate = self.done / self.seconds if self.seconds > 0.2 else 0.0
        numbers = f"  {self.done:,} of {self.total:,}"
        if rate:
            numbers += f"   {rate:,.0f}/s   {max((self.total - self.done) / rate, 0):.0f} s left"
        return [
            [
                (f" {self.title}   ", ink.on("text", "surface", bold=True)),
                (glyphs.progress[0] * full, ink.on("accent", "surface")),
                (glyphs.progress[2] * (size - full), ink.on("rule", "surface")),
                (f"  {share:.0%}", ink.on("text", "surface")),
                (numbers, muted),
            ]
        ]

    def items(self) -> list[Item]:
        """How to stop it."""
        return [Item("esc", "stop")]

    def act(self, action: str) -> None:
        """Stop it; it closes when it has stopped."""
        if action == "ask.no":
            self._stop()
