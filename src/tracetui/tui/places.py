"""Where one has been: jumps, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.model.kinds import Level
from tracetui.tui.outline import Key

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer

_KEPT = 100


class Places:
    """Goes to rows wherever they are, and remembers from where."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self.been: list[Key] = []
        self.ahead: list[Key] = []

    def remember(self) -> None:
        """This is where one was before a jump."""
        target = self._explorer.target
        if target is not None and (not self.been or self.been[-1] != target):
            self.been = [*self.been[1 - _KEPT :], target]
            self.ahead = []

    def jump(self, way: int) -> None:
        """Back (-1) to where one was, or forward (1) again."""
        source, other = (self.been, self.ahead) if way < 0 else (self.ahead, self.been)
        here = self._explorer.target
        while source:
            there = source.pop()
            if there != here:
                if here is not None:
                    other.append(here)
                self.go(there)
                return

    def go(self, target: Key) -> None:
        """Put the cursor on a row."""

        def hear(found: bool) -> None:
            if not found:
                self._explorer.say("that row is not in this list")

        self._explorer.browser.go(target, hear)

    def found(self, words: str, *, forward: bool) -> Callable[[bool], None]:
        """Says when a step found nothing."""

        def hear(found: bool) -> None:
            if not found:
                self.been = self.been[:-1]
                self._explorer.say(f"no further {words}" if forward else f"no {words} before this")

        return hear

    def step_match(self, *, forward: bool, then: Callable[[bool], None], level: Level | None = None) -> None:
        """To the next row of a level (the cursor's) that the filter matches; without a filter, the next row."""
        from tracetui.query.ast import EVERYTHING
        from tracetui.store.filters import compile_filter

        target = self._explorer.target
        wanted = level or (target[0] if target is not None else Level.TRACE)
        where = self._explorer.filters.at(wanted) or compile_filter(EVERYTHING, wanted)
        self._explorer.browser.step("match", target, forward=forward, key=None, then=then, where=where)

    def beside(self, level: Level, *, forward: bool) -> int | None:
        """The screen row of the next thread or trace beside the cursor's; `None` where only the store knows it.

        Rows that fell out of the filter are passed over.
        """
        tree, shelf = self._explorer.listing, self._explorer.shelf
        outline, path = tree.outline, tree.path
        if not path:
            return None
        alone = self._is_trace(path[0])
        depth = 0 if level == Level.THREAD or alone else 1
        row = outline.row(path[: depth + 1]) if len(path) > depth else None
        if row is None:
            return None
        spot = outline.at(row)
        index = spot.place + (1 if forward else -1)
        while 0 <= index < len(spot.parent.kids):
            key = (spot.parent.level, spot.parent.kids[index])
            if level == Level.TRACE and depth == 0 and not self._is_trace(key):
                return None
            if key not in shelf.dimmed:
                return outline.row((*path[:depth], key))
            index += 1 if forward else -1
        return None

    def _is_trace(self, key: Key) -> bool:
        """Whether a row of the top level stands for a trace."""
        row = self._explorer.shelf.rows.get(key)
        return row is not None and row.level == Level.TRACE

    def advance(self) -> None:
        """After a score in a filtered list: to the next row of the same level."""
        explorer = self._explorer
        if not explorer.filters.active or explorer.target is None:
            return
        level = explorer.target[0]
        row = self.beside(level, forward=True) if level != Level.RUN else None
        if row is not None:
            explorer.listing.move(row)
            return

        def hear(found: bool) -> None:
            if not found:
                explorer.say("that was the last one", undo=True)

        self.step_match(forward=True, level=level, then=hear)
