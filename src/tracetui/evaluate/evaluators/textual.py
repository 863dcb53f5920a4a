"""What `regex` and `contains` share: matching the chosen texts of a target, and saying where the first match is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tracetui.evaluate.findings import EvaluationError, Finding
from tracetui.evaluate.matching import Found, Hits, Matchers
from tracetui.evaluate.options import REQUIRED, Option
from tracetui.evaluate.texts import CHOICES, is_own, texts_of
from tracetui.evaluate.view import RunView, ThreadView, View
from tracetui.store.parts import Part

TEXT = Option(
    "text", "texts", f"where to look: {', '.join(CHOICES)}, metadata.KEY, inputs.PATH, outputs.PATH", REQUIRED
)
_AROUND = 60
_MATCH = 200


class Place(NamedTuple):
    """Texts of a run under one choice."""

    run: RunView
    choice: str
    texts: Part


Scan = dict[int, tuple[Hits, Place]]
"""By pattern (its bit): what it found in a target, and the place of its first hit."""


def places(view: View, choices: tuple[str, ...]) -> Iterator[Place]:
    """All the texts to look at. Name and metadata of a trace are its own, not those of the runs in it."""
    own = () if isinstance(view, RunView) else tuple(choice for choice in choices if is_own(choice))
    for trace in view.traces if isinstance(view, ThreadView) else (view,):
        for choice in own if trace.runs else ():
            yield Place(trace.runs[0], choice, texts_of(trace, choice))
        for run in trace.runs if len(own) < len(choices) else ():
            for choice in choices:
                if choice not in own:
                    yield Place(run, choice, texts_of(run, choice))


def scan(matchers: Matchers, view: View, choices: tuple[str, ...], wanted: int) -> Scan:
    """What a set of patterns finds in a target. In a trace or thread a text that recurs counts once.

    A target remembers what was found in it: rules that look at the same texts are best asked for together.
    """
    looked: int
    found: Scan
    looked, found = view.kept.get((matchers, choices), (0, {}))
    missing = wanted & ~looked
    if missing:
        seen: set[str | Part] | None = None if isinstance(view, RunView) else set()
        for place in places(view, choices):
            here: dict[int, Hits] = {}
            matchers.scan(place.texts, missing, here, seen)
            for bit, hits in here.items():
                if bit not in found:
                    found[bit] = (hits, place)
                elif found[bit][0].first is None:  # so far there were only texts that took too long
                    hits.slow += found[bit][0].slow
                    found[bit] = (hits, place)
                else:
                    found[bit][0].add(hits)
        view.kept[matchers, choices] = (looked | missing, found)
    return found


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
    if hits.slow:
        evidence["slow"] = hits.slow
    return evidence
