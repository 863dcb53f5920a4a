"""What `regex` and `contains` share: matching the chosen texts of a target, and saying where the first match is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.findings import EvaluationError, Finding
from tracetui.evaluate.matching import Found, Hits, Matcher
from tracetui.evaluate.options import REQUIRED, Option
from tracetui.evaluate.texts import CHOICES, texts_of
from tracetui.evaluate.view import RunView, View
from tracetui.store.parts import Part

TEXT = Option(
    "text", "texts", f"where to look: {', '.join(CHOICES)}, metadata.KEY, inputs.PATH, outputs.PATH", REQUIRED
)
_AROUND = 60
_MATCH = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Texts of a run under one choice."""

    run: RunView
    choice: str
    texts: Part


def places(view: View, choices: tuple[str, ...]) -> Iterator[Place]:
    """All the texts to look at."""
    for run in view.runs:
        for choice in choices:
            yield Place(run, choice, texts_of(run, choice))


def scan(matcher: Matcher, view: View, choices: tuple[str, ...]) -> tuple[Hits, Place | None]:
    """What a matcher finds, and the place of the first match. In a trace or thread a text that recurs counts once."""
    hits = Hits()
    first: Place | None = None
    seen: set[str | Part] | None = None if isinstance(view, RunView) else set()
    for place in places(view, choices):
        matcher.scan(place.texts, hits, seen)
        if first is None and hits.first is not None:
            first = place
    return hits, first


def finding(hits: Hits, place: Place) -> Finding:
    """The first match with what stands around it, and how many there are."""
    assert hits.text is not None and hits.first is not None
    return Finding(_excerpt(hits.text, hits.first), _evidence(hits, place), hits.count)


def slow(hits: Hits) -> EvaluationError:
    """Why a target without a match cannot be called free of them."""
    what = "one text" if hits.slow == 1 else f"{hits.slow} texts"
    return EvaluationError(f"the pattern was stopped by its time limit on {what}")


def _excerpt(text: str, found: Found) -> str:
    start, end = max(0, found.start - _AROUND), min(len(text), found.end, found.start + _MATCH)
    after = min(len(text), end + _AROUND)
    words = " ".join(text[start:after].split())
    return ("…" if start else "") + words + ("…" if after < len(text) else "")


def _evidence(hits: Hits, place: Place) -> dict[str, Any]:
    assert hits.text is not None and hits.first is not None
    found = hits.first
    evidence: dict[str, Any] = {
        "text": place.choice, "run": place.run.id, "start": found.start, "end": found.end,
        "match": hits.text[found.start : min(found.end, found.start + _MATCH)], "count": hits.count,
    }  # fmt: skip
    path = _path_to(place, hits.text)
    if path is not None:
        evidence["path"] = path
    if hits.slow:
        evidence["slow"] = hits.slow
    return evidence


def _path_to(place: Place, text: str) -> list[str | int] | None:
    """Where in the run's inputs or outputs the text stands: the keys and indexes that lead to it."""
    for field in ("inputs", "outputs"):
        if place.choice.startswith((field.removesuffix("s"), "any", "tool", "answer")):
            path = _find(getattr(place.run, field), text)
            if path is not None:
                return [field, *path]
    return None


def _find(value: Any, text: str) -> list[str | int] | None:
    stack: list[tuple[Any, list[str | int]]] = [(value, [])]
    while stack:
        item, path = stack.pop()
        if item is text or (isinstance(item, str) and item == text):
            return path
        if len(path) > 50:
            continue
        if isinstance(item, dict):
            stack.extend((inner, [*path, key]) for key, inner in reversed(item.items()))
        elif isinstance(item, list):
            stack.extend((inner, [*path, index]) for index, inner in reversed(list(enumerate(item))))
    return None
