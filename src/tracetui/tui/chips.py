"""Feedback as the tree shows it: key, value, who says so, and how good that is by the key itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from tracetui.model.kinds import KeyType
from tracetui.model.rows import FeedbackCell, FeedbackKey
from tracetui.model.text import display
from tracetui.tui import figures

_VALUE_LIMIT = 24


class Tone(StrEnum):
    """What a chip says at a glance, the loudest first."""

    BAD = "bad"
    DIFFER = "differ"
    GOOD = "good"
    PLAIN = "plain"


class Chip(NamedTuple):
    """One key of a row."""

    key: str
    value: str
    sources: str
    """Letters of those who say it."""
    tone: Tone
    distance: float
    """How far from good, 0 to 1."""


def goodness(key: FeedbackKey | None, score: float) -> float | None:
    """How good a score is by its key's own direction, 0 to 1; `None` where the key has no direction."""
    if key is None or key.type == KeyType.FREEFORM:
        return None
    low, high = bounds(key)
    if key.type == KeyType.CATEGORICAL and low is None:
        return None
    if low is None or high is None or high <= low:
        if key.lower_is_better:  # a count of something bad, of no known most
            return 1.0 if score <= 0 else 0.0
        if not 0 <= score <= 1:
            return None
        low, high = 0.0, 1.0
    place = min(max((score - low) / (high - low), 0.0), 1.0)
    return 1 - place if key.lower_is_better else place


def bounds(key: FeedbackKey) -> tuple[float | None, float | None]:
    """The least and the greatest score of a key, where it has them."""
    if key.type == KeyType.BOOLEAN:
        return 0.0, 1.0
    if key.type == KeyType.CATEGORICAL:
        scores = [category.score for category in key.categories if category.score is not None]
        return (min(scores), max(scores)) if scores else (None, None)
    return key.min, key.max


def chip(cell: FeedbackCell, key: FeedbackKey | None) -> Chip:
    """The chip of one key of a row."""
    score = _score(cell, key)
    good = None if score is None else goodness(key, score)
    label = max(cell.values, key=lambda value: cell.values[value], default=None)
    value = display(label, limit=_VALUE_LIMIT) if label else "" if score is None else figures.number(score)
    if cell.disagree:
        tone = Tone.DIFFER
    elif good is None or good == 0.5:
        tone = Tone.PLAIN
    else:
        tone = Tone.BAD if good < 0.5 else Tone.GOOD
    return Chip(display(cell.key), value, cell.sources, tone, 0.0 if good is None else 1 - good)


def _score(cell: FeedbackCell, key: FeedbackKey | None) -> float | None:
    if not cell.disagree or cell.min is None or cell.max is None:
        return cell.mean
    return cell.max if key is not None and key.lower_is_better else cell.min


_ORDER = {Tone.BAD: 0, Tone.DIFFER: 1, Tone.GOOD: 2, Tone.PLAIN: 3}


def chips(cells: Iterable[FeedbackCell], keys: Mapping[str, FeedbackKey]) -> list[Chip]:
    """The chips of a row in the order of what matters: bad by distance from good, differing, good."""
    made = (chip(cell, keys.get(cell.key)) for cell in cells)
    return sorted(made, key=lambda one: (_ORDER[one.tone], -one.distance, one.key))
