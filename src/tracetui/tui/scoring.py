"""What a scoring key means under a feedback key, or why it means nothing there. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tracetui.model.kinds import KeyType
from tracetui.model.rows import Category, FeedbackKey
from tracetui.tui import figures
from tracetui.tui.chips import bounds

CAUSE = FeedbackKey(
    key="cause",
    type=KeyType.CATEGORICAL,
    categories=(
        Category("model", None, "m", "the model did wrong with what it had"),
        Category("harness", None, "h", "the harness: tools, their descriptions, the loop around the model"),
        Category("context", None, "k", "the context: missing, stale or too much"),
        Category("other", None, "o", "something else"),
    ),
    description="why it failed",
)
"""The key behind `w`."""

STROKES = {
    "score.1": "1",
    "score.2": "2",
    "score.3": "3",
    "score.4": "4",
    "score.5": "5",
    "score.true": "y",
    "score.false": "n",
    "score.best": "+",
    "score.worst": "-",
}


class Verdict(NamedTuple):
    """A score or value to be given, or taken back."""

    key: FeedbackKey
    score: float | None = None
    value: str | None = None
    known: bool = True
    """Whether the store has the key; else it is defined first."""
    aside: bool = False
    """Said beside the judging (why it failed): the current key stays what it is."""

    @property
    def words(self) -> str:
        """`helpful 2`, `cause harness`."""
        said = self.value if self.value is not None else "" if self.score is None else figures.number(self.score)
        return f"{self.key.key} {said}".rstrip()


def verdict(name: str | None, key: FeedbackKey | None, stroke: str) -> Verdict | str:
    """What a key press says under the current key; a text is the reason why it says nothing.

    A key that the store does not know yet (a filter named it) takes its type from its first score.
    """
    if name is None:
        return "no key yet"
    if key is None:
        made = _first(name, stroke)
        return made if isinstance(made, str) else Verdict(made[0], made[1], known=False)
    if stroke in "+-":
        return _extreme(key, best=stroke == "+")
    if stroke in "yn":
        if key.type == KeyType.BOOLEAN:
            return Verdict(key, 1.0 if stroke == "y" else 0.0)
        return f"{name} is {scale(key)}"
    score = float(stroke)
    if key.type == KeyType.RATING and (key.min is None or score >= key.min) and (key.max is None or score <= key.max):
        return Verdict(key, score)
    return f"{name} is {scale(key)}"


def _first(name: str, stroke: str) -> tuple[FeedbackKey, float] | str:
    if stroke in "yn":
        return FeedbackKey(key=name, type=KeyType.BOOLEAN), 1.0 if stroke == "y" else 0.0
    if stroke in "12345":
        return FeedbackKey(key=name, type=KeyType.RATING, min=1, max=5), float(stroke)
    return f"{name} has no type yet"


def _extreme(key: FeedbackKey, *, best: bool) -> Verdict | str:
    low, high = bounds(key)
    if low is None or high is None:
        return f"{key.key} has no best value"
    score = high if best != key.lower_is_better else low
    if key.type == KeyType.CATEGORICAL:
        found = next((category.value for category in key.categories if category.score == score), None)
        return Verdict(key, score, found)
    return Verdict(key, score)


def scale(key: FeedbackKey) -> str:
    """The values of a key in a few words: `1-5`, `yes/no`, `4 labels`."""
    match key.type:
        case KeyType.BOOLEAN:
            return "yes/no"
        case KeyType.CATEGORICAL:
            return figures.counted(len(key.categories), "label")
        case KeyType.FREEFORM:
            return "text"
    if key.min is None or key.max is None:
        return "a number"
    return f"{figures.number(key.min)}-{figures.number(key.max)}"


def strokes(key: FeedbackKey | None) -> str:
    """The keys that score under a key, for the footer: `1-5`, `y n`; empty where its values have letters."""
    if key is None:
        return "1-5 y n"
    if key.type == KeyType.BOOLEAN:
        return "y n"
    if key.type == KeyType.RATING:
        low, high = max(int(key.min or 1), 1), min(int(key.max or 5), 5)
        return f"{low}-{high}" if low < high else ""
    return ""


def letters(words: Iterable[tuple[str, str | None]], taken: str = "?") -> dict[str, str]:
    """A letter for each word, its own wish first, then its letters, then the alphabet: letter -> word.

    Words that find none (more than there are letters) are left out.
    """
    given: dict[str, str] = {}
    listed = list(words)
    for word, wish in listed:
        if wish and len(wish) == 1 and wish not in given and wish not in taken:
            given[wish] = word
    for word, _ in listed:
        if word in given.values():
            continue
        for letter in (*word.lower(), *"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
            if letter.isascii() and letter.isalpha() and letter not in given and letter not in taken:
                given[letter] = word
                break
    return given


def rubric(keys: Iterable[FeedbackKey]) -> str | None:
    """The key that is current before any was used: the first that somebody described and one stroke scores."""
    described = (key for key in rank(keys) if key.description and strokes(key))
    return next((key.key for key in described), None)


def rank(keys: Iterable[FeedbackKey]) -> list[FeedbackKey]:
    """Keys in the order of the strip: by name, the cause last."""
    return sorted(keys, key=lambda key: (key.key == CAUSE.key, key.key.lower()))
