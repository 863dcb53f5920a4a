"""One line to type: a comment, a number, a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.tui import cells
from tracetui.tui.editing import Line
from tracetui.tui.ink import Ink, Piece
from tracetui.tui.keys import Where
from tracetui.tui.modes.base import TypingMode

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer


class LineMode(TypingMode):
    """Asks for a line. `done` gets it and says what is wrong with it, or nothing."""

    where = Where.LINE

    def __init__(
        self,
        explorer: Explorer,
        title: str,
        done: Callable[[str], str | None],
        *,
        text: str = "",
        hint: str = "",
        typed: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(explorer, text)
        self.title, self.hint = title, hint
        self._done, self._typed = done, typed
        self.wrong = ""

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """The title and the line."""
        ink = self.explorer.ink
        title: Piece = (f" {self.title}  ", ink.on("text", "surface", bold=True))
        room = width - cells.width(title[0]) - 2
        out = [title, *typed(self.line, ink, max(room, 4))]
        note = self.wrong or ("" if self.line.text else self.hint)
        if note:
            role = "bad" if self.wrong else "muted"
            left = room - cells.width(self.line.text) - 3
            out.append(("  " + cells.cut(note, max(left, 0)), ink.on(role, "surface")))
        return [out]

    def act(self, action: str) -> None:
        """Take the line, or leave it."""
        if action == "line.leave":
            self.leave()
            return
        wrong = self._done(self.line.text.strip())
        if wrong:
            self.wrong = wrong
            self.explorer.redraw_mode()
        else:
            self.leave()

    def changed(self) -> None:
        """Nothing is known to be wrong with the new text."""
        self.wrong = ""
        if self._typed is not None:
            self._typed(self.line.text)
        self.explorer.redraw_mode()


def typed(line: Line, ink: Ink, room: int) -> list[Piece]:
    """A line being typed, its cursor in sight."""
    start = max(line.at - room + 2, 0)
    text = ink.on("text", "surface")
    before, at, after = line.text[start : line.at], line.text[line.at : line.at + 1] or " ", line.text[line.at + 1 :]
    after = cells.cut(after, max(room - cells.width(before) - 1, 0))
    return [(before, text), (at, ink.cell("accent", "surface")), (after, text)]
