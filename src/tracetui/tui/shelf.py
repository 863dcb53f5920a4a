"""What the screen knows of the store: rows, axes, keys. Filled by answers of the feed, bounded, never read from SQL."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from tracetui.model.kinds import SOURCE_LETTER, Level, Source
from tracetui.model.rows import FeedbackCell, FeedbackKey, Row
from tracetui.tui.outline import Key
from tracetui.tui.waterfall import Axis

ROWS, AXES, MATCHING = 4000, 200, 4000

K = TypeVar("K")
V = TypeVar("V")


class Bounded(OrderedDict[K, V], Generic[K, V]):
    """A dictionary that forgets what was not used for the longest time."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def use(self, key: K) -> V | None:
        """The value of a key, which counts as used now."""
        value = self.get(key)
        if value is not None:
            self.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        self[key] = value
        self.move_to_end(key)
        while len(self) > self._size:
            self.popitem(last=False)


class Shelf:
    """Rows by their place in the tree; a thread that stands for one trace is kept as that trace's row."""

    def __init__(self) -> None:
        self.rows: Bounded[Key, Row] = Bounded(ROWS)
        self.axes: Bounded[int, Axis] = Bounded(AXES)
        """By trace."""
        self.matching: Bounded[int, int] = Bounded(MATCHING)
        """Traces of a thread that the filter matches."""
        self.keys: dict[str, FeedbackKey] = {}
        self.dimmed: set[Key] = set()
        """Rows that fell out of the filter while they were worked on."""
        self.fresh: dict[Key, dict[str, FeedbackCell | None]] = {}
        """Scores shown before the store has them."""

    def row(self, key: Key) -> Row | None:
        """The row at a place in the tree, with what was said of it a moment ago."""
        row = self.rows.use(key)
        said = self.fresh.get(key)
        if row is None or not said:
            return row
        kept = [cell for cell in row.feedback if cell.key not in said]
        return replace(row, feedback=(*kept, *(cell for cell in said.values() if cell is not None)))

    def put(self, rows: Mapping[Key, Row]) -> None:
        """Keep rows that were read."""
        for key, row in rows.items():
            self.rows.put(key, row)

    def say(self, key: Key, name: str, cell: FeedbackCell | None) -> None:
        """Show a score (or that it is gone) at once."""
        self.fresh.setdefault(key, {})[name] = cell
        row = self.rows.get(key)
        if row is not None:
            self.rows[key] = replace(row)  # another object: what is drawn of the old one is stale

    def settle(self, keys: Iterable[Key]) -> None:
        """The store has these now."""
        for key in keys:
            self.fresh.pop(key, None)

    def axis(self, row: Row) -> Axis | None:
        """The axis of the trace a row belongs to."""
        trace = row.pk if row.level == Level.TRACE else row.trace_pk
        return None if trace is None else self.axes.use(trace)


def mine(old: FeedbackCell | None, key: str, score: float | None, value: str | None) -> FeedbackCell:
    """What a row shows right after one's own score: one's own value, and who else says something."""
    letter = SOURCE_LETTER[Source.HUMAN]
    others = old.sources if old is not None else ""
    order = "".join(SOURCE_LETTER.values())
    sources = "".join(sorted({letter, *others}, key=order.index))
    n = max(old.n if old is not None else 0, 1)
    return FeedbackCell(key, n, score, score, score, {value: 1} if value is not None else {}, sources, False)
