"""The filter being typed: what is wrong with it, and how much it finds, with every key."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracetui.model.errors import FilterError
from tracetui.tui.keys import Where
from tracetui.tui.modes.base import TypingMode
from tracetui.tui.widgets.filterbar import Fault
from tracetui.tui.widgets.footer import Item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracetui.model.rows import FeedbackKey, Row
    from tracetui.query.ast import Node
    from tracetui.tui.screens.explorer import Explorer

_MEANT = re.compile(r"did you mean `?(.+?)`?\?")


class BarMode(TypingMode):
    """The filter bar while it is typed in."""

    where = Where.BAR

    def __init__(self, explorer: Explorer, text: str) -> None:
        super().__init__(explorer, text)
        self.faults: tuple[Fault, ...] = ()
        self.notes: tuple[Fault, ...] = ()
        """What reads but finds nothing in this store."""
        self.node: Node | None = None
        self.row: Row | None = None
        """The row that the text is the id of."""
        self._read()

    def _read(self) -> None:
        self.node, self.faults = read(self.line.text)
        self.notes = () if self.node is None else unknown_keys(self.node, self.line.text, self.explorer.shelf.keys)
        self.row = None

    def changed(self) -> None:
        """Read it anew and count what it finds."""
        self._read()
        self.explorer.filters.typed(self)
        self.explorer.redraw_bars()

    @property
    def fix(self) -> Fault | None:
        """The first mistake that has a mend."""
        return next((fault for fault in (*self.faults, *self.notes) if fault.fix), None)

    def items(self) -> list[Item]:
        """Run, or why not; leave."""
        out = []
        if self.fix is not None:
            out.append(Item("tab", "take the fix"))
        if self.row is not None:
            out = [Item("enter", "go to it")]
        elif self.faults:
            out.append(Item("enter", "run: mend it first", off=True))
        else:
            out.append(Item("enter", "run"))
        out.append(Item("esc", "last good filter"))
        return out

    def act(self, action: str) -> None:
        """Run it, mend it, leave it."""
        match action:
            case "bar.leave":
                self.leave()
                self.explorer.filters.dropped()
            case "bar.fix":
                if (fault := self.fix) is not None:
                    self.line.set(self.line.text[: fault.start] + fault.fix + self.line.text[fault.end :])
                    self.changed()
            case "bar.run" if self.row is not None:
                self.leave()
                self.explorer.filters.dropped()
                self.explorer.filters.go(self.row)
            case "bar.run" if self.node is not None:
                self.leave()
                self.explorer.filters.run(self.line.text.strip(), self.node)


def read(text: str) -> tuple[Node | None, tuple[Fault, ...]]:
    """The filter of a text, or what is wrong with it."""
    from tracetui.query import parse

    try:
        return parse(text), ()
    except FilterError as error:
        fix = _fix(error, text)
        why = error.message if fix or not error.hint else f"{error.message}; {error.hint}"
        return None, (Fault(error.start, error.end, why, fix),)


def _fix(error: FilterError, text: str) -> str:
    """What to write in place of the wrong part, where the error names something near."""
    meant = _MEANT.search(error.hint)
    if meant is None or "KEY" in meant.group(1):
        return ""
    before, colon, value = meant.group(1).rpartition(":")
    return value if colon and text[: error.start].endswith(before + ":") else meant.group(1)


def unknown_keys(node: Node, text: str, known: Mapping[str, FeedbackKey]) -> tuple[Fault, ...]:
    """The feedback keys of a filter that this store does not have, each with the nearest one."""
    from tracetui.query.ast import Field, leaves

    out = []
    for leaf in leaves(node):
        if not isinstance(leaf, Field) or leaf.name != "feedback" or leaf.key is None or leaf.key in known:
            continue
        place = text.find(leaf.key, leaf.span[0])
        if place >= 0:
            near = get_close_matches(leaf.key, known, n=1)
            why = f"no feedback {leaf.key} in this store yet"
            out.append(Fault(place, place + len(leaf.key), why, near[0] if near else "", soft=True))
    return tuple(out)
