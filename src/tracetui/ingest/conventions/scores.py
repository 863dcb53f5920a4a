"""Feedback that a trace brings along: evaluation results of OpenTelemetry GenAI and of OpenInference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracetui.ingest.conventions.spans import Span, nested, number, parsed, text, under
from tracetui.model.kinds import Level, Source
from tracetui.model.records import FeedbackRecord

RESULT = "gen_ai.evaluation.result"
_ANNOTATORS = {"LLM": Source.JUDGE, "HUMAN": Source.HUMAN}
_LISTS = {
    "evaluations": Level.RUN,
    "annotations": Level.RUN,
    "span.annotations": Level.RUN,
    "trace.evaluations": Level.TRACE,
    "trace.annotations": Level.TRACE,
}


def evaluation(
    attributes: Mapping[str, Any], run: str, trace: str, at: int | None, place: str
) -> FeedbackRecord | None:
    """The feedback in a `gen_ai.evaluation.result`, on the run it belongs to. `place` tells it from others there."""
    key = text(attributes.get("gen_ai.evaluation.name"))
    score = attributes.get("gen_ai.evaluation.score.value")
    label = text(attributes.get("gen_ai.evaluation.score.label"))
    if key is None or (number(score) is None and not isinstance(score, bool) and label is None):
        return None
    return FeedbackRecord(
        level=Level.RUN, target=run, trace=trace, key=key, score=_score(score), boolean=isinstance(score, bool),
        value=label, comment=text(attributes.get("gen_ai.evaluation.explanation")), source=Source.UNKNOWN,
        id=f"{run}/evaluation/{place}/{key}", created_at=at,
    )  # fmt: skip


def annotated(span: Span, run: str, trace: str, at: int | None) -> Iterator[FeedbackRecord]:
    """OpenInference's evaluations: `evaluations.N.evaluation.{name,score,label,explanation,annotator_kind}`."""
    for prefix, level in _LISTS.items():
        for number_, item in enumerate(_items(span, prefix)):
            inner = item.get("evaluation", item.get("annotation", item)) if isinstance(item, dict) else None
            if not isinstance(inner, dict):
                continue
            key, score = text(inner.get("name")), inner.get("score")
            label = text(inner.get("label"))
            if key is None or (_score(score) is None and label is None):
                continue
            yield FeedbackRecord(
                level=level, target=run if level is Level.RUN else trace, trace=trace if level is Level.RUN else None,
                key=key, score=_score(score), boolean=isinstance(score, bool), value=label,
                comment=text(inner.get("explanation")),
                source=_ANNOTATORS.get(str(inner.get("annotator_kind")).upper(), Source.UNKNOWN),
                id=f"{run}/{prefix}/{number_}/{key}", created_at=at,
            )  # fmt: skip


def _items(span: Span, prefix: str) -> list[Any]:
    items = parsed(span.attributes.get(prefix))
    if items is None and any(True for _ in under(span.attributes, prefix)):
        items = nested(span.attributes, prefix)
    return items if isinstance(items, list) else []


def _score(value: Any) -> float | None:
    return float(value) if isinstance(value, bool) else number(value)
