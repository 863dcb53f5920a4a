"""Feedback is typed by its key: what may be said under one, and how a score is read from text."""

from __future__ import annotations

import math

from tracetui.model.errors import InputError
from tracetui.model.kinds import KeyType
from tracetui.model.rows import FeedbackKey

_TRUE = ("true", "yes", "y", "t")
_FALSE = ("false", "no", "n", "f")


def parse_score(key: FeedbackKey | None, text: str) -> tuple[float | None, str | None]:
    """(score, value) of what a person typed under a key; `None`: a key that is not known yet.

    A number or true/false is a score, other text a value. Raises `InputError` naming what the key allows.
    """
    words = text.strip()
    if not words:
        raise InputError("No value", "Nothing was given to score with.", allowed(key))
    score = _number(words)
    if key is None:
        return (score, None) if score is not None else (None, words)
    if key.type == KeyType.FREEFORM:
        return None, words
    if key.type == KeyType.CATEGORICAL:
        return check(key, _score_of(key, words), words)
    return check(key, score, None if score is not None else words)


def _number(words: str) -> float | None:
    lower = words.lower()
    if lower in _TRUE:
        return 1.0
    if lower in _FALSE:
        return 0.0
    try:
        number = float(words)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _score_of(key: FeedbackKey, value: str) -> float | None:
    return next((item.score for item in key.categories if item.value == value), None)


def check(key: FeedbackKey, score: float | None, value: str | None) -> tuple[float | None, str | None]:
    """The same pair where the key allows it. Raises `InputError` naming what is allowed."""
    wrong = InputError(
        f"Not a value of {key.key}", f"{key.key} does not allow {value if value is not None else _show(score)!s}.",
        allowed(key),
    )  # fmt: skip
    match key.type:
        case KeyType.BOOLEAN:
            ok = score in (0.0, 1.0) and value is None
        case KeyType.RATING:
            ok = score is not None and value is None and score == int(score) and _within(key, score)
        case KeyType.CONTINUOUS:
            ok = score is not None and value is None and _within(key, score)
        case KeyType.CATEGORICAL:
            ok = value is not None and (not key.categories or any(item.value == value for item in key.categories))
        case _:
            ok = score is None and value is not None
    if not ok:
        raise wrong
    return score, value


def fits(key: FeedbackKey, score: float | None, value: str | None) -> bool:
    """Whether a key allows this pair."""
    try:
        check(key, score, value)
    except InputError:
        return False
    return True


def _within(key: FeedbackKey, score: float) -> bool:
    return (key.min is None or score >= key.min) and (key.max is None or score <= key.max)


def _show(number: float | None) -> str:
    return "nothing" if number is None else f"{number:g}"


def allowed(key: FeedbackKey | None) -> str:
    """What a key allows, in words."""
    if key is None:
        return "A number, true or false, or a word."
    match key.type:
        case KeyType.BOOLEAN:
            return "Allowed: true, false (or 1, 0)."
        case KeyType.RATING:
            return f"Allowed: whole numbers from {_show(key.min)} to {_show(key.max)}."
        case KeyType.CONTINUOUS:
            if key.min is None and key.max is None:
                return "Allowed: any number."
            if key.max is None:
                return f"Allowed: numbers from {_show(key.min)} up."
            if key.min is None:
                return f"Allowed: numbers up to {_show(key.max)}."
            return f"Allowed: numbers from {_show(key.min)} to {_show(key.max)}."
        case KeyType.CATEGORICAL:
            if key.categories:
                return "Allowed: " + ", ".join(item.value for item in key.categories) + "."
            return "Allowed: any word."
    return "Allowed: any text."
