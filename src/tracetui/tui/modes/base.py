"""What every mode is: a place with keys of its own, some lines above the footer, and a footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracetui.tui.editing import Line
from tracetui.tui.ink import Piece
from tracetui.tui.keys import BY_ID, Where, shown
from tracetui.tui.widgets.footer import Item

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer


class Mode:
    """Takes the keys while it is open. Subclasses say where it is, what it draws and what keys do."""

    where: Where

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """What stands above the footer, in a screen of that size."""
        return []

    def items(self) -> list[Item]:
        """The footer."""
        return items_of(self.where)

    def end(self) -> Item | None:
        """What stands at the right end of the footer."""
        return None

    def act(self, action: str) -> None:
        """Do an action of this place."""
        raise NotImplementedError(action)

    def type(self, key: str) -> bool:
        """Take a key that is no action here; whether it means anything."""
        return False

    def paste(self, text: str) -> None:
        """Take text that was pasted."""

    def leave(self) -> None:
        """Close it."""
        self.explorer.leave(self)


class TypingMode(Mode):
    """A mode with a line that is typed in."""

    def __init__(self, explorer: Explorer, text: str = "") -> None:
        super().__init__(explorer)
        self.line = Line()
        self.line.set(text)

    def changed(self) -> None:
        """The text is another one now."""
        raise NotImplementedError

    def type(self, key: str) -> bool:
        """A key of the line."""
        if not self.line.press(key):
            return False
        self.changed()
        return True

    def paste(self, text: str) -> None:
        """Text that was pasted."""
        self.line.insert(text)
        self.changed()


def items_of(where: Where) -> list[Item]:
    """The footer of a place, made of its actions."""
    return [
        Item(shown(action.keys[0]), action.footer)
        for action in BY_ID.values()
        if where in action.where and action.footer
    ]
