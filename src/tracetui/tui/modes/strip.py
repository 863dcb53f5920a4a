"""The score strip: the store's keys with their letters, then the values of a categorical key with theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.model.kinds import KeyType
from tracetui.model.rows import Category, FeedbackKey
from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.chips import Tone, chip
from tracetui.tui.ink import Piece
from tracetui.tui.keys import Where
from tracetui.tui.modes.base import Mode
from tracetui.tui.modes.line import LineMode
from tracetui.tui.scoring import CAUSE, Verdict, letters, rank, scale, strokes
from tracetui.tui.widgets.footer import Item

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer

_RESERVED = "?"


class StripMode(Mode):
    """Letters choose a key; for a categorical one, letters then choose a value."""

    where = Where.STRIP

    def __init__(self, explorer: Explorer, key: FeedbackKey | None = None) -> None:
        super().__init__(explorer)
        self.key = key
        """The categorical key whose values are shown."""
        self._aside = key is not None
        self.unfolded = False
        keys = rank(explorer.shelf.keys.values())
        self._keys = {key.key: key for key in keys}
        self._letters = letters(((one.key, one.keystroke) for one in keys), _RESERVED)

    # -- what is drawn

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """One line; unfolded, a table of the keys."""
        if self.unfolded and self.key is None:
            return self._table(width, height)
        return [self._line(width)]

    def _line(self, width: int) -> list[Piece]:
        ink = self.explorer.ink
        bold, muted = ink.on("accent", "surface", bold=True), ink.on("muted", "surface")
        lead = "score" if self.key is None else self.key.key
        out: list[Piece] = [(f" {lead}  ", ink.on("text", "surface", bold=True))]
        used = len(lead) + 3
        choices = self._choices()
        if not choices:
            return [*out, ("no keys yet, ", muted), ("ctrl+n", bold), (" makes one", muted)]
        for place, (letter, word) in enumerate(choices):
            text = display(word)
            if used + cells.width(text) + 4 + 4 > width and place < len(choices) - 1:
                out.append((f" +{len(choices) - place}", muted))
                break
            now = self.key is None and word == self.explorer.judge.current
            style = ink.on("text", "surface", bold=True) if now else muted
            out += [(letter, bold), (f" {text}  ", style)]
            used += cells.width(text) + 4
        return out

    def _choices(self) -> list[tuple[str, str]]:
        if self.key is not None:
            return list(self._values(self.key).items())
        return list(self._letters.items())

    @staticmethod
    def _values(key: FeedbackKey) -> dict[str, str]:
        return letters(((one.value, one.keystroke) for one in key.categories), _RESERVED)

    def _table(self, width: int, height: int) -> list[list[Piece]]:
        ink, glyphs = self.explorer.ink, self.explorer.glyphs
        muted, bold = ink.on("muted", "surface"), ink.on("accent", "surface", bold=True)
        row = self.explorer.listing.current
        said = {cell.key: cell for cell in row.feedback} if row is not None else {}
        head = " " + " " * 6 + "".join(cells.left(word, size) for word, size in _COLUMNS)
        out: list[list[Piece]] = [
            [(" score  ", ink.on("text", "surface", bold=True)), (self.explorer.called, muted)],
            [],
            [(head, muted)],
        ]
        current = self.explorer.judge.current
        for letter, name in list(self._letters.items())[: max(height - 8, 1)]:
            key = self._keys[name]
            edge = (glyphs.edge if name == current else " ", ink.on("accent", "surface"))
            cell = said.get(name)
            shown = chip(cell, key) if cell is not None else None
            here = f"{shown.value} {shown.sources}" if shown is not None else ""
            role = {Tone.BAD: "bad", Tone.GOOD: "good"}.get(shown.tone, "text-2") if shown is not None else "muted"
            out.append(
                [
                    edge,
                    (f" {letter}    ", bold),
                    (cells.left(display(name), _COLUMNS[0][1], glyphs.ellipsis), ink.on("text", "surface")),
                    (cells.left(scale(key), _COLUMNS[1][1]), muted),
                    (cells.left(_better(key), _COLUMNS[2][1]), muted),
                    (cells.left(here, _COLUMNS[3][1]), ink.on(role, "surface")),
                    (cells.cut(display(key.description or ""), max(width - 64, 0), glyphs.ellipsis), muted),
                ]
            )
        return [*out, []]

    def items(self) -> list[Item]:
        """What can be pressed."""
        if self.key is not None:
            return [Item("letter", "score"), Item("backspace", "take mine back"), Item("esc", "leave")]
        judge = self.explorer.judge
        out = []
        if judge.current is not None:
            out.append(Item(strokes(judge.key) or "letter", f"score {display(judge.current)}"))
        out.append(Item("letter", "another key"))
        return [
            *out,
            Item("ctrl+n", "new key"),
            Item("backspace", "take mine back"),
            Item("?", "fold" if self.unfolded else "all keys"),
            Item("esc", "leave"),
        ]

    # -- what keys do

    def act(self, action: str) -> None:
        """Unfold, make a key, take one's own back, leave."""
        match action:
            case "strip.unfold":
                self.unfolded = not self.unfolded
                self.explorer.redraw_mode()
            case "strip.new":
                self.leave()
                new_key(self.explorer)
            case "strip.take_back":
                self.leave()
                if self.key is not None:
                    self.explorer.judge.current = self.key.key
                self.explorer.judge.take_back()
            case "strip.leave":
                self.leave()

    def type(self, key: str) -> bool:
        """A letter: a key or a value; a digit or sign: a score under the current key."""
        if self.key is not None:
            value = self._values(self.key).get(key)
            if value is None:
                return False
            self.leave()
            self._give(self.key, value)
            return True
        name = self._letters.get(key)
        if name is None:
            if key in "12345+-" and len(key) == 1:
                self.leave()
                self.explorer.stroke(key)
                return True
            return False
        self._choose(self._keys[name])
        return True

    def _give(self, key: FeedbackKey, value: str) -> None:
        known = key.key in self._keys
        score = next((one.score for one in key.categories if one.value == value), None)
        self.explorer.judge.give(Verdict(key, score, value, known=known, aside=self._aside))

    def _choose(self, key: FeedbackKey) -> None:
        self.explorer.judge.current = key.key
        if key.type == KeyType.CATEGORICAL and key.categories:
            self.key = key
            self.explorer.redraw_mode()
            return
        self.leave()
        if key.type in (KeyType.BOOLEAN, KeyType.RATING):
            self.explorer.say(display(key.key), f"is the current key: {strokes(key) or scale(key)}")
            return
        self.explorer.enter(LineMode(self.explorer, display(key.key), self._typed(key), hint=scale(key)))

    def _typed(self, key: FeedbackKey) -> Callable[[str], str | None]:
        def done(text: str) -> str | None:
            from tracetui.model.errors import InputError
            from tracetui.store.keys import parse_score

            try:
                score, value = parse_score(key, text)
            except InputError as error:
                return f"{error.message} {error.hint}"
            self.explorer.judge.give(Verdict(key, score, value))
            return None

        return done


_COLUMNS = (("key", 16), ("type", 12), ("better", 9), ("here", 16))


def _better(key: FeedbackKey) -> str:
    if key.type in (KeyType.FREEFORM, KeyType.CATEGORICAL):
        return "none"
    if key.type == KeyType.BOOLEAN:
        return "no" if key.lower_is_better else "yes"
    return "low" if key.lower_is_better else "high"


def cause(explorer: Explorer) -> StripMode:
    """The strip of `w`: why it failed."""
    known = explorer.shelf.keys.get(CAUSE.key)
    return StripMode(explorer, known if known is not None and known.categories else CAUSE)


# -- a new key: name, type, then what the type needs


class ChoiceMode(Mode):
    """One line of choices, each with its letter."""

    where = Where.STRIP

    def __init__(self, explorer: Explorer, title: str, choices: dict[str, str], then: Callable[[str], None]) -> None:
        super().__init__(explorer)
        self.title, self.choices = title, choices
        self._then = then

    def lines(self, width: int, height: int) -> list[list[Piece]]:
        """The choices."""
        ink = self.explorer.ink
        out: list[Piece] = [(f" {self.title}  ", ink.on("text", "surface", bold=True))]
        for letter, word in self.choices.items():
            out += [(letter, ink.on("accent", "surface", bold=True)), (f" {word}  ", ink.on("muted", "surface"))]
        return [out]

    def items(self) -> list[Item]:
        """Choose, or leave."""
        return [Item("letter", "choose"), Item("esc", "leave")]

    def act(self, action: str) -> None:
        """Only leaving is anything here."""
        if action == "strip.leave":
            self.leave()

    def type(self, key: str) -> bool:
        """A letter."""
        if key not in self.choices:
            return False
        self.leave()
        self._then(key)
        return True


_TYPES = {
    "b": "yes/no",
    "r": "rating 1-5",
    "n": "number",
    "l": "labels",
    "t": "text",
}


def new_key(explorer: Explorer) -> None:
    """Ask for a new key's name, then its type, then what the type needs."""

    def named(name: str) -> str | None:
        if not name or any(char.isspace() for char in name):
            return "a name without blanks"
        if name in explorer.shelf.keys:
            return f"there is {name} already"
        explorer.enter(ChoiceMode(explorer, display(name), _TYPES, lambda letter: _typed(explorer, name, letter)))
        return None

    explorer.enter(LineMode(explorer, "new key", named, hint="its name, such as helpful or correct"))


def _typed(explorer: Explorer, name: str, letter: str) -> None:
    def directed(kind: KeyType, low: float | None, high: float | None) -> None:
        better = {"h": "yes, high", "l": "no, low"} if kind == KeyType.BOOLEAN else {"h": "high", "l": "low"}

        def chosen(way: str) -> None:
            _make(explorer, FeedbackKey(key=name, type=kind, min=low, max=high, lower_is_better=way == "l"))

        explorer.enter(ChoiceMode(explorer, f"{display(name)}: which is better?", better, chosen))

    match letter:
        case "b":
            directed(KeyType.BOOLEAN, None, None)
        case "r":
            directed(KeyType.RATING, 1, 5)
        case "n":
            directed(KeyType.CONTINUOUS, None, None)
        case "t":
            _make(explorer, FeedbackKey(key=name, type=KeyType.FREEFORM))
        case _:
            explorer.enter(LineMode(explorer, f"labels of {display(name)}", _labels(explorer, name), hint="a, b, c"))


def _labels(explorer: Explorer, name: str) -> Callable[[str], str | None]:
    def done(text: str) -> str | None:
        words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
        if len(words) < 2:
            return "two or more, with commas between them"
        categories = tuple(Category(word) for word in words)
        _make(explorer, FeedbackKey(key=name, type=KeyType.CATEGORICAL, categories=categories))
        return None

    return done


def _make(explorer: Explorer, key: FeedbackKey) -> None:
    explorer.judge.define(key)
    explorer.say(display(key.key), f"is the current key: {strokes(key) or scale(key)}")
