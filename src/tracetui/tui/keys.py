"""Every action as data: id, keys, what it does, where, and why it cannot be done now.

Help, footer, dispatch and the table in the documentation are all made from `ACTIONS`. A key is written as a
person types it: a character, or a name of `NAMES`; a chord is two of them with a blank between.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

NAMES = {
    "pageup": "pgup",
    "pagedown": "pgdn",
    "escape": "esc",
    "return": "enter",
    "delete": "del",
}
"""Names of keys where textual's name is another."""


class Where(StrEnum):
    """The places that have keys of their own."""

    ROWS = "rows"
    DETAIL = "detail"
    BAR = "filter bar"
    STRIP = "score strip"
    LINE = "line"
    ASK = "what asks"
    HELP = "help"


BOTH = (Where.ROWS, Where.DETAIL)
_ROWS = (Where.ROWS,)
_DETAIL = (Where.DETAIL,)


class Action(NamedTuple):
    """Something a key does."""

    id: str
    keys: tuple[str, ...]
    description: str
    where: tuple[Where, ...] = BOTH
    group: str = "go and get"
    """Heading in the help."""
    reason: str = ""
    """Id of the function in `reasons.REASONS` that says why it cannot be done now."""
    footer: str = ""
    """One or two words for the footer; empty: not there."""


_MOVE, _SCORE, _GET, _HERE = "move", "score", "go and get", "here"

ACTIONS: tuple[Action, ...] = (
    Action("cursor.down", ("j", "down"), "down", group=_MOVE),
    Action("cursor.up", ("k", "up"), "up", group=_MOVE),
    Action("tree.fold", ("h", "left"), "fold, or to the row above it", _ROWS, _MOVE),
    Action("tree.unfold", ("l", "right"), "unfold, or into it", _ROWS, _MOVE),
    Action("cursor.first", ("g", "home"), "first, and follow what is new", group=_MOVE),
    Action("cursor.last", ("G", "end"), "last", group=_MOVE),
    Action("page.down", ("pgdn", "ctrl+f"), "page down", group=_MOVE),
    Action("page.up", ("pgup", "ctrl+b"), "page up", group=_MOVE),
    Action("page.half_down", ("ctrl+d",), "half a page down", group=_MOVE),
    Action("page.half_up", ("ctrl+u",), "half a page up", group=_MOVE),
    Action("next.error", ("] e",), "next error", group=_MOVE, reason="row", footer="next error"),
    Action("prev.error", ("[ e",), "previous error", group=_MOVE, reason="row"),
    Action("next.unscored", ("] u",), "next without the current key", group=_MOVE, reason="current"),
    Action("prev.unscored", ("[ u",), "previous without the current key", group=_MOVE, reason="current"),
    Action("next.feedback", ("] f",), "next with feedback", group=_MOVE, reason="row"),
    Action("prev.feedback", ("[ f",), "previous with feedback", group=_MOVE, reason="row"),
    Action("next.match", ("] m",), "next match of the filter", group=_MOVE, reason="filter"),
    Action("prev.match", ("[ m",), "previous match of the filter", group=_MOVE, reason="filter"),
    Action("next.marked", ("] x",), "next marked row", group=_MOVE, reason="marked"),
    Action("prev.marked", ("[ x",), "previous marked row", group=_MOVE, reason="marked"),
    Action("next.trace", ("] t",), "next trace", group=_MOVE, reason="row"),
    Action("prev.trace", ("[ t",), "previous trace", group=_MOVE, reason="row"),
    Action("next.thread", ("] T",), "next thread", group=_MOVE, reason="row"),
    Action("prev.thread", ("[ T",), "previous thread", group=_MOVE, reason="row"),
    Action("jump.back", ("alt+left", "backspace"), "back to where one was", group=_MOVE, reason="back"),
    Action("jump.forward", ("alt+right",), "forward again", group=_MOVE, reason="forward"),
    Action("score.1", ("1",), "score 1", group=_SCORE, reason="stroke"),
    Action("score.2", ("2",), "score 2", group=_SCORE, reason="stroke"),
    Action("score.3", ("3",), "score 3", group=_SCORE, reason="stroke"),
    Action("score.4", ("4",), "score 4", group=_SCORE, reason="stroke"),
    Action("score.5", ("5",), "score 5", group=_SCORE, reason="stroke"),
    Action("score.true", ("y",), "yes, pass", group=_SCORE, reason="stroke"),
    Action("score.false", ("n",), "no, fail", group=_SCORE, reason="stroke"),
    Action("score.best", ("+",), "the best value of the key", group=_SCORE, reason="stroke"),
    Action("score.worst", ("-",), "the worst value of the key", group=_SCORE, reason="stroke"),
    Action("score.strip", ("s",), "another key, a label", group=_SCORE, reason="write"),
    Action("score.comment", ("c",), "comment", group=_SCORE, reason="write", footer="comment"),
    Action("score.cause", ("w",), "why it failed", group=_SCORE, reason="write", footer="why"),
    Action("score.correct", ("C",), "correct it in an editor", group=_SCORE, reason="write"),
    Action("score.repeat", (".",), "the last score again", group=_SCORE, reason="repeat"),
    Action("score.undo", ("u",), "undo", group=_SCORE, reason="store"),
    Action("score.redo", ("U",), "redo", group=_SCORE, reason="store"),
    Action("mark.row", ("space",), "mark", _ROWS, _SCORE, "row"),
    Action("mark.range", ("v",), "mark a range", _ROWS, _SCORE, "row"),
    Action("mark.all", ("*",), "mark all that match", _ROWS, _SCORE, "filter"),
    Action("open", ("enter",), "into it; unfold a part", group=_GET, reason="row"),
    Action("close", ("esc",), "out, unmark, no filter", group=_GET),
    Action("pane.other", ("tab",), "the other pane", group=_GET, reason="pane"),
    Action("filter.edit", ("/",), "filter", _ROWS, _GET, footer="filter"),
    Action("help", ("?",), "the keys that work here", group=_GET),
    Action("quit", ("q",), "leave", group=_GET),
    Action("stop", ("ctrl+c",), "stop what runs", group=_GET),
    Action("detail.prev", ("h", "left"), "previous tab", _DETAIL, _HERE),
    Action("detail.next", ("l", "right"), "next tab", _DETAIL, _HERE),
    *(
        Action(f"detail.tab{n}", (f"alt+{n}",), f"tab {n}", _DETAIL, _HERE)
        for n in range(1, 10)
    ),
    Action("view.earlier", ("e",), "earlier messages", BOTH, _GET, "pane"),
    Action("view.zoom", ("z",), "the detail alone", BOTH, _GET, "pane"),
    Action("bar.run", ("enter",), "run the filter", (Where.BAR,), _HERE, "reads", "run"),
    Action("bar.fix", ("tab",), "take the nearest name", (Where.BAR,), _HERE, "fix", "take the fix"),
    Action("bar.leave", ("esc",), "back to the last filter", (Where.BAR,), _HERE, footer="last good filter"),
    Action("strip.unfold", ("?",), "all keys, with what is said here", (Where.STRIP,), _HERE, footer="all"),
    Action("strip.new", ("ctrl+n",), "a new key", (Where.STRIP,), _HERE, footer="new key"),
    Action("strip.take_back", ("backspace",), "take my score back", (Where.STRIP,), _HERE, "", "take mine back"),
    Action("strip.leave", ("esc",), "leave", (Where.STRIP,), _HERE, footer="leave"),
    Action("line.done", ("enter",), "done", (Where.LINE,), _HERE, footer="done"),
    Action("line.leave", ("esc",), "leave it", (Where.LINE,), _HERE, footer="leave it"),
    Action("ask.do", ("enter",), "do it", (Where.ASK,), _HERE, footer="do it"),
    Action("ask.no", ("esc",), "do not", (Where.ASK,), _HERE, footer="no"),
    Action("help.up", ("up",), "previous key", (Where.HELP,), _HERE),
    Action("help.down", ("down",), "next key", (Where.HELP,), _HERE, footer="choose"),
    Action("help.do", ("enter",), "do it", (Where.HELP,), _HERE, footer="do it"),
    Action("help.leave", ("esc",), "close", (Where.HELP,), _HERE, footer="close"),
)  # fmt: skip
"""In the order of the help."""

BY_ID = {action.id: action for action in ACTIONS}


def spelled(key: str, character: str | None) -> str:
    """A key as `ACTIONS` writes it, from textual's name of it and the character it types."""
    if character == " ":
        return "space"
    if character is not None and len(character) == 1 and character.isprintable():
        return character
    head, plus, last = key.rpartition("+")
    return head + plus + NAMES.get(last, last)


def shown(key: str) -> str:
    """A key as people read it: the parts of a chord together."""
    return key.replace(" ", "")


class Keymap:
    """What a key does in a place, with the first half of a chord kept until the second comes."""

    def __init__(self, actions: Iterable[Action] = ACTIONS) -> None:
        self._bound: dict[tuple[Where, str], Action] = {}
        self._first: set[tuple[Where, str]] = set()
        self.pending = ""
        """The first half of a chord that was pressed."""
        for action in actions:
            for place in action.where:
                for key in action.keys:
                    self._bound[place, key] = action
                    first, blank, _ = key.partition(" ")
                    if blank:
                        self._first.add((place, first))

    def press(self, place: Where, key: str) -> Action | None:
        """The action of a key, or `None`: nothing is bound, or it began a chord (see `pending`)."""
        if self.pending:
            chord, self.pending = f"{self.pending} {key}", ""
            return self._bound.get((place, chord))
        if (place, key) in self._first:
            self.pending = key
            return None
        return self._bound.get((place, key))

    def second(self, place: Where) -> list[tuple[str, Action]]:
        """What can follow the first half of a chord that was pressed: second key and action."""
        lead = self.pending + " "
        return [(key[len(lead) :], action) for (at, key), action in self._bound.items()
                if at == place and key.startswith(lead)]  # fmt: skip


def valid(place: Where) -> list[Action]:
    """The actions of a place, in the order of the help."""
    return [action for action in ACTIONS if place in action.where]


def table() -> str:
    """The table of all keys, as Markdown."""
    lines = ["| keys | action | where | does |", "|---|---|---|---|"]
    for action in ACTIONS:
        keys = " ".join(f"`{shown(key)}`" for key in action.keys).replace("|", "\\|")
        where = "both" if action.where == BOTH else ", ".join(action.where)
        lines.append(f"| {keys} | {action.id} | {where} | {action.description} |")
    return "\n".join(lines) + "\n"
