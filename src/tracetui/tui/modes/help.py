"""The keys of what has focus: searchable by typing, grey with the reason where they do nothing now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracetui.tui import cells
from tracetui.tui.editing import Line
from tracetui.tui.ink import Piece
from tracetui.tui.keys import Action, Where, shown, valid
from tracetui.tui.modes.base import Mode
from tracetui.tui.modes.line import typed
from tracetui.tui.reasons import what_scores, why_not
from tracetui.tui.widgets.footer import Item

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer

_TOGETHER: dict[str, tuple[str, str]] = {
    "cursor.up": ("cursor.down", "down, up"),
    "tree.unfold": ("tree.fold", "fold, unfold"),
    "cursor.last": ("cursor.first", "first, last"),
    "page.up": ("page.down", "a page down, up"),
    "page.half_up": ("page.half_down", "half a page down, up"),
    "prev.error": ("next.error", "next, previous error"),
    "prev.unscored": ("next.unscored", "next, previous unscored"),
    "prev.feedback": ("next.feedback", "next, previous feedback"),
    "prev.match": ("next.match", "next, previous match"),
    "prev.marked": ("next.marked", "next, previous marked"),
    "prev.trace": ("next.trace", "next, previous trace"),
    "prev.thread": ("next.thread", "next, previous thread"),
    "jump.forward": ("jump.back", "back, forward"),
    "score.5": ("score.1", "value"),
    "score.false": ("score.true", "yes, no"),
    "score.worst": ("score.best", "best, worst value"),
    "score.redo": ("score.undo", "undo, redo"),
    "detail.next": ("detail.prev", "previous, next tab"),
    "detail.tab9": ("detail.tab1", "tab by number"),
}
"""Actions that share a line with one before them: the last of the line -> its first, and what both do."""
_KEYS = 12
"""Cells of the keys in a column."""
_INSIDE = ("score.2", "score.3", "score.4", *(f"detail.tab{n}" for n in range(2, 9)))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the help."""

    action: Action
    keys: str
    words: str
    reason: str


class HelpMode(Mode):
    """The help drawer."""

    where = Where.HELP

    def __init__(self, explorer: Explorer, place: Where) -> None:
        super().__init__(explorer)
        self.place = place
        self.line = Line()
        self.chosen = 0
        self._entries = self._all()

    def _all(self) -> list[Entry]:
        state = self.explorer.state
        lasts = {first: (last, words) for last, (first, words) in _TOGETHER.items()}
        known = {action.id: action for action in valid(self.place)}
        out = []
        for action in known.values():
            if action.id in _TOGETHER or action.id in _INSIDE:
                continue
            keys, words = shown(action.keys[0]), action.description
            if action.id in lasts:
                last, words = lasts[action.id]
                keys = _both(keys, shown(known[last].keys[0]), run=last in ("score.5", "detail.tab9"))
            out.append(Entry(action, keys, words, why_not(action, state)))
        return out

    @property
    def found(self) -> list[Entry]:
        """The entries that have what was typed."""
        words = self.line.text.lower().split()
        return [
            entry
            for entry in self._entries
            if all(word in f"{entry.keys} {entry.words} {entry.action.id}".lower() for word in words)
        ]

    # -- what is drawn

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """Title, what is typed, the keys in columns, the signs."""
        ink = self.explorer.ink
        muted = ink.on("muted", "surface")
        title = f" keys for the {'tree' if self.place == Where.ROWS else 'detail'}{self._on()}"
        what = f"   {what_scores(self.explorer.state)}"
        search: list[Piece] = [(" / ", ink.on("accent", "surface", bold=True)), *typed(self.line, ink, width - 6)]
        if not self.line.text:
            search.append(("type to find a key, enter does it", muted))
        out: list[list[Piece]] = [
            [(cells.cut(title, width), ink.on("text", "surface", bold=True)), (cells.cut(what, width // 2), muted)],
            search,
            [],
        ]
        signs = self._signs(width) if height >= 30 else []
        room = max(height - len(out) - len(signs) - 3, 3)
        return [*out, *self._columns(width, room), *signs, []]

    def _on(self) -> str:
        row = self.explorer.listing.current
        return f", on a {row.level.value}" if row is not None else ""

    def _columns(self, width: int, room: int) -> list[list[Piece]]:
        count = 3 if width >= 110 else 2 if width >= 76 else 1
        size = (width - 2) // count
        blocks = self._blocks()
        flat: list[tuple[str, Entry | None]] = []
        if self.line.text or sum(len(entries) + 2 for _, entries in blocks) > room * count:
            for heading, entries in blocks:
                flat += [(heading, None), *(("", entry) for entry in entries)]
            columns = [flat[at : at + room] for at in range(0, len(flat), room)]
        else:
            columns = [[(heading, None), *(("", entry) for entry in entries)] for heading, entries in blocks]
            columns = _packed(columns, count, room)
        found = self.found
        chosen = found[min(self.chosen, len(found) - 1)] if found else None
        first = next((at for at, column in enumerate(columns) if any(one is chosen for _, one in column)), 0)
        first = max(min(first, len(columns) - count), 0) if first >= count else 0
        shown_columns = columns[first : first + count]
        out = []
        for y in range(max((len(column) for column in shown_columns), default=0)):
            line: list[Piece] = [(" ", self.explorer.ink.on("muted", "surface"))]
            for column in shown_columns:
                line += self._cell(*column[y], chosen, size) if y < len(column) else self._blank(size)
            out.append(line)
        return out

    def _blocks(self) -> list[tuple[str, list[Entry]]]:
        blocks: dict[str, list[Entry]] = {}
        for entry in self.found:
            blocks.setdefault(entry.action.group, []).append(entry)
        return list(blocks.items())

    def _blank(self, size: int) -> list[Piece]:
        return [(" " * size, self.explorer.ink.on("muted", "surface"))]

    def _cell(self, heading: str, entry: Entry | None, chosen: Entry | None, size: int) -> list[Piece]:
        ink = self.explorer.ink
        muted = ink.on("muted", "surface")
        if entry is None:
            return [(cells.left(heading, size), muted)]
        ground = "cursor" if entry is chosen and self.explorer.ink.colours["cursor"] else "surface"
        key = ink.on("off", ground) if entry.reason else ink.on("accent", ground, bold=True)
        words = ink.on("off" if entry.reason else "text", ground)
        reason = " " + entry.reason if entry.reason else ""
        room = max(size - _KEYS - cells.width(reason) - 2, 0)
        return [
            (cells.left(entry.keys, _KEYS - 1) + " ", key),
            (cells.left(entry.words, room), words),
            (cells.cut(reason, size - _KEYS - room - 2), ink.on("muted", ground)),
            ("  ", muted),
        ]

    def _signs(self, width: int) -> list[list[Piece]]:
        ink, glyphs = self.explorer.ink, self.explorer.glyphs
        muted = ink.on("muted", "surface")
        signs: list[tuple[Piece, str]] = [
            ((glyphs.failed, ink.cell("bad", "surface")), "failed here"),
            ((glyphs.failed, ink.on("bad", "surface", bold=True)), "failed inside"),
            ((glyphs.running, ink.on("accent", "surface")), "running"),
            ((glyphs.abandoned, muted), "no end"),
            ((glyphs.marked, ink.on("accent", "surface")), "marked"),
            ((glyphs.differ, ink.on("warn", "surface")), "differ"),
        ]
        kinds = [((glyphs.kind(kind), ink.on("text-2", "surface")), kind) for kind in list(glyphs.kinds)[:7]]
        sources = "U user   O outcome   H human   R rule   J judge   ? unknown"
        out: list[list[Piece]] = [[], [(" signs", muted)]]
        for group in (signs, kinds):
            line: list[Piece] = [(" ", muted)]
            for sign, words in group:
                line += [sign, (cells.left(" " + words, 15), muted)]
            out.append(line)
        chip: list[Piece] = [
            (" ", muted),
            (glyphs.bad_edge, ink.on("bad", "surface")),
            ("key ", ink.on("bad", "bad-bg")),
            ("value", ink.on("text", "bad-bg", bold=True)),
            (" U ", ink.on("bad", "bad-bg")),
            (" bad for this key   ", muted),
            ("key value", ink.on("good", "surface")),
            (" good   ", muted),
            (sources, muted),
        ]
        return [*out, chip]

    def items(self) -> list[Item]:
        """Find, choose, do."""
        return [Item("/", "find"), Item("up down", "choose"), Item("enter", "do it")]

    def end(self) -> Item | None:
        """How to close it."""
        return Item("esc", "close")

    # -- what keys do

    def act(self, action: str) -> None:
        """Choose, do, close."""
        found = self.found
        match action:
            case "help.leave":
                self.leave()
                return
            case "help.up":
                self.chosen = max(self.chosen - 1, 0)
            case "help.down":
                self.chosen = min(self.chosen + 1, max(len(found) - 1, 0))
            case "help.do":
                self.leave()
                if found:
                    self.explorer.do(found[min(self.chosen, len(found) - 1)].action)
                return
        self.explorer.redraw_mode()

    def type(self, key: str) -> bool:
        """What is looked for."""
        if not self.line.press(key):
            return False
        self.chosen = 0
        self.explorer.redraw_mode()
        return True

    def paste(self, text: str) -> None:
        """What is looked for."""
        self.line.insert(text)
        self.explorer.redraw_mode()


def _both(first: str, last: str, *, run: bool) -> str:
    """Two keys as one: `]e [e`, `1-5`, `ctrl+d u`; the first alone where both are too long."""
    lead, plus, end = last.rpartition("+")
    short = end if plus and end and first.startswith(lead + plus) else last
    both = f"{first}-{short}" if run else f"{first} {short}"
    return both if len(both) < _KEYS else first


def _packed(
    blocks: list[list[tuple[str, Entry | None]]], count: int, room: int
) -> list[list[tuple[str, Entry | None]]]:
    """Blocks one under the other where they fit, at most `count` columns wide where that can be."""
    columns: list[list[tuple[str, Entry | None]]] = []
    for place, block in enumerate(blocks):
        left = len(blocks) - place
        last = columns[-1] if columns else None
        if last is not None and len(columns) + left > count and len(last) + 1 + len(block) <= room:
            last += [("", None), *block]
        else:
            columns.append(list(block))
    return columns
