"""Actions that score, comment, correct, mark, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.rows import title as name_of
from tracetui.tui.scoring import STROKES

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer

Handler = Callable[["Explorer"], None]


def _stroke(stroke: str) -> Handler:
    return lambda explorer: explorer.stroke(stroke)


def _strip(explorer: Explorer) -> None:
    from tracetui.tui.modes.strip import StripMode

    explorer.enter(StripMode(explorer))


def _cause(explorer: Explorer) -> None:
    from tracetui.tui.modes.strip import cause

    explorer.enter(cause(explorer))


def _comment(explorer: Explorer) -> None:
    from tracetui.tui.modes.line import LineMode

    row = explorer.listing.current
    if row is None:
        return
    drafts = explorer.memory.drafts
    ident = f"{row.level.value} {row.id}"

    def done(text: str) -> str | None:
        drafts.pop(ident, None)
        explorer.judge.comment(text, row)
        return None

    def typed(text: str) -> None:
        if text:
            drafts[ident] = text
        else:
            drafts.pop(ident, None)
        explorer.memory_changed = True

    key = f", {display(explorer.judge.current)}" if explorer.judge.current else ""
    title = f"comment on {cells.cut(name_of(row)[0], 30)}{key}"
    draft = drafts.get(ident, "")
    explorer.enter(LineMode(explorer, title, done, text=draft, hint="esc keeps it as a draft", typed=typed))


def _correct(explorer: Explorer) -> None:
    row = explorer.listing.current
    if row is not None:
        from tracetui.tui import correcting

        correcting.ask(explorer, row)


def _repeat(explorer: Explorer) -> None:
    if explorer.judge.last is not None:
        explorer.judge.give(explorer.judge.last)


def _undo(explorer: Explorer) -> None:
    explorer.judge.undo()


def _redo(explorer: Explorer) -> None:
    explorer.judge.undo(forward=True)


def _mark(explorer: Explorer) -> None:
    explorer.marking.turn()


def _range(explorer: Explorer) -> None:
    explorer.marking.begin_or_end()


def _all(explorer: Explorer) -> None:
    explorer.marking.ask_all()


HANDLERS: dict[str, Handler] = {
    **{action: _stroke(stroke) for action, stroke in STROKES.items()},
    "score.strip": _strip,
    "score.cause": _cause,
    "score.comment": _comment,
    "score.correct": _correct,
    "score.repeat": _repeat,
    "score.undo": _undo,
    "score.redo": _redo,
    "mark.row": _mark,
    "mark.range": _range,
    "mark.all": _all,
}
