"""Marked rows: one by one, a range, all that the filter matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracetui.model.kinds import Level
from tracetui.tui.outline import Key, Path

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer


class Marking:
    """What is marked; the tree draws it."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self.everything = False
        """All that the filter matches is marked."""
        self._from: tuple[Path, frozenset[Key]] | None = None

    @property
    def stretching(self) -> bool:
        """Whether a range is being marked."""
        return self._from is not None

    def turn(self) -> None:
        """Mark the cursor's row, or not any more, and go on."""
        tree, spot, target = self._explorer.listing, self._explorer.listing.spot, self._explorer.target
        if spot is None:
            return
        self._from, self.everything = None, False
        if tree.is_marked(spot.key):
            tree.marks -= {spot.key, spot.key if target is None else target}
        else:
            tree.marks.add(spot.key if target is None else target)
        tree.redraw({spot.key})
        tree.move(tree.cursor + 1)
        self._explorer.redraw_bars()

    def begin_or_end(self) -> None:
        """Begin a range at the cursor, or end it: its rows stay marked."""
        if self._from is not None:
            self._from = None
            self._explorer.say(f"{len(self._explorer.listing.marks):,} marked")
            return
        self._from = (self._explorer.listing.path, frozenset(self._explorer.listing.marks))
        self.stretch()
        self._explorer.say("marking from here", "move, then score;  v ends the range,  esc unmarks")

    def stretch(self) -> None:
        """Mark from where the range began to the cursor: the rows of the level it began on."""
        tree = self._explorer.listing
        if self._from is None:
            return
        path, before = self._from
        start = tree.outline.nearest(path)
        if start is None or not path:
            return
        low, high = sorted((start, tree.cursor))
        keys = (tree.outline.at(row).key for row in range(low, high + 1))
        tree.marks = set(before) | {self._target(key) for key in keys if key[0] == path[-1][0]}
        self.everything = False
        tree.refresh()
        self._explorer.redraw_bars()

    def _target(self, key: Key) -> Key:
        row = self._explorer.shelf.rows.get(key)
        return key if row is None else (row.level, row.pk)

    def ask_all(self) -> None:
        """Mark all that the filter matches."""
        where = self._explorer.browser.where
        if where is not None:
            self._explorer.say("marking all of the filter")
            pages = self._explorer.far.ask
            pages("all", lambda reader: [pk for page in reader.all_keys(Level.TRACE, where=where) for pk in page])

    def take_all(self, traces: Iterable[int]) -> None:
        """These are all."""
        tree = self._explorer.listing
        tree.marks = {(Level.TRACE, pk) for pk in traces}
        self._from, self.everything = None, True
        tree.refresh()
        self._explorer.unsay()
        self._explorer.redraw_bars()

    def clear(self) -> None:
        """Nothing is marked any more."""
        self._explorer.listing.marks = set()
        self._from, self.everything = None, False
        self._explorer.listing.refresh()
        self._explorer.redraw_bars()
