"""Lines of the detail pane before they have colours, the folds in them, and a list of lines made on demand."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from tracetui.model.rows import FeedbackKey
from tracetui.tui.ink import Glyphs

TEXT_WIDTH = 84
"""Cells that a line of text has at most: longer ones are hard to read."""


class Span(NamedTuple):
    """A text that is safe to show, and how: roles and grounds of `ink.ROLES`."""

    text: str
    role: str = "text-2"
    bold: bool = False
    ground: str = ""
    """Empty: the line's own."""
    filled: bool = False
    """The ground's colour on the role's, as of an error's sign."""
    underlined: bool = False


Spans: TypeAlias = tuple[Span, ...]


class Act(StrEnum):
    """What `enter` does on a line."""

    FOLD = "fold"
    MORE = "more"


class Part(NamedTuple):
    """Something that unfolds, by a key that stays the same when lines are made again."""

    act: Act
    key: Hashable


class Line(NamedTuple):
    """One line: text from the left, facts at the right end, and what `enter` does on it."""

    spans: Spans = ()
    right: Spans = ()
    part: Part | None = None


BLANK = Line()


def indented(lines: Iterable[Line], cells: int = 2) -> Iterator[Line]:
    """Lines made for a shifted page, in their place."""
    lead = Span(" " * cells)
    for line in lines:
        yield Line((lead, *line.spans), line.right, line.part) if line.spans else line


@dataclass(slots=True)
class Folds:
    """What a person unfolded, folded and paged. Everything else is as its maker says."""

    turned: set[Hashable] = field(default_factory=set)
    """Keys that are not as they are by default."""
    pages: dict[Hashable, int] = field(default_factory=dict)

    def is_open(self, key: Hashable, default: bool) -> bool:
        """Whether a part is unfolded."""
        return default != (key in self.turned)

    def page(self, key: Hashable) -> int:
        """How many pages of a long part are shown."""
        return self.pages.get(key, 1)

    def press(self, part: Part) -> None:
        """Fold or unfold a part, or show its next page."""
        if part.act is Act.MORE:
            self.pages[part.key] = self.page(part.key) + 1
        elif part.key in self.turned:
            self.turned.remove(part.key)
        else:
            self.turned.add(part.key)


class Unfolded(Folds):
    """Everything unfolded and nothing cut: for printing all there is."""

    def is_open(self, key: Hashable, default: bool) -> bool:
        """Always."""
        return True

    def page(self, key: Hashable) -> int:
        """More pages than anything has."""
        return 2**40


@dataclass(frozen=True, slots=True)
class Page:
    """What all makers of lines need to know."""

    width: int
    glyphs: Glyphs
    folds: Folds
    keys: Mapping[str, FeedbackKey]
    now_us: int
    printed: bool = False
    """It is printed once: nothing on it can be unfolded."""

    @property
    def more(self) -> str:
        """What shows the rest of a part that is cut."""
        return "--full" if self.printed else "enter"

    def fold_sign(self, is_open: bool) -> str:
        """The sign before a part that folds."""
        return self.glyphs.open if is_open else self.glyphs.folded

    def shifted(self, cells: int) -> Page:
        """The page for what stands further to the right."""
        return replace(self, width=max(self.width - cells, 8))

    def narrower(self, cells: int) -> int:
        """Cells left for text after an indent."""
        return max(min(self.width, TEXT_WIDTH) - cells, 8)


class Source:
    """A list of lines that are made when they are asked for."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._rest: Iterator[Line] | None = iter(lines)
        self._made: list[Line] = []

    def __len__(self) -> int:
        """How many lines are made."""
        return len(self._made)

    @property
    def complete(self) -> bool:
        """Whether all lines are made."""
        return self._rest is None

    def make(self, count: int) -> int:
        """Make lines until there are `count`, or no more; how many there are."""
        while self._rest is not None and len(self._made) < count:
            line = next(self._rest, None)
            if line is None:
                self._rest = None
            else:
                self._made.append(line)
        return len(self._made)

    def get(self, number: int) -> Line | None:
        """One line; `None` beyond the last."""
        self.make(number + 1)
        return self._made[number] if 0 <= number < len(self._made) else None
