"""OTLP/JSON: traces and logs as JSON lines (the collector's `file` exporter), one object, or a list of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.jsonlines import json_lines
from tracetui.ingest.otlp.logs import SpanLogs
from tracetui.ingest.otlp.spans import Wrong, spans_of
from tracetui.ingest.otlp.values import members
from tracetui.ingest.split import pieces
from tracetui.model.records import Batch, FeedbackRecord, RunRecord

NAME = "otlp"
DESCRIPTION = "OpenTelemetry traces and logs (OTLP/JSON)"

_SPANS = ("resourceSpans", "resource_spans")
_LOGS = ("resourceLogs", "resource_logs")
_OTHERS = ("resourceMetrics", "resource_metrics", "resourceProfiles", "resource_profiles")
_LISTS = (*_SPANS, *_LOGS)
_BATCH = 1000


def sniff(doc: Document) -> bool:
    """Objects that hold resource spans, logs or metrics, bare or in a list."""
    for value in doc.glimpse:
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and any(isinstance(first.get(key), list) for key in (*_LISTS, *_OTHERS)):
            return True
    return False


def read(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """Spans as runs; what log records say of spans is merged into these by the store. Metrics are passed over."""
    pile = _Pile(doc.path)
    for item in _items(doc):
        if isinstance(item, Refusal):
            yield item
            continue
        place, value = item
        yield from pile.take(place, value)
    yield from pile.rest()


def _items(doc: Document) -> Iterator[tuple[str, Any] | Refusal]:
    """The parts of a document, each with its place."""
    if doc.is_lines():
        for line in json_lines(doc):
            yield line if isinstance(line, Refusal) else (f"line {line.number}", line.value)
        return
    for piece in pieces(doc, keys=_LISTS, noun="object"):
        if isinstance(piece, Refusal):
            yield piece
        elif piece.key is None:
            yield f"object {(piece.index or 0) + 1}", piece.value
        elif piece.index is not None:
            yield f"{piece.key} {piece.index + 1}", {piece.key: [piece.value]}


class _Pile:
    """What is to be handed over next."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._logs = SpanLogs()
        self._runs: list[RunRecord] = []
        self._feedback: list[FeedbackRecord] = []

    def take(self, place: str, value: Any) -> Iterator[Batch | Refusal]:
        objects = value if isinstance(value, list) else [value]
        for index, each in enumerate(objects):
            where = f"{place}, object {index + 1}" if isinstance(value, list) else place
            if not isinstance(each, dict):
                yield Refusal(self._path, where, "not a JSON object")
                continue
            yield from self._object(where, each)

    def _object(self, place: str, value: dict[str, Any]) -> Iterator[Batch | Refusal]:
        if not any(key in value for key in (*_LISTS, *_OTHERS)):
            yield Refusal(self._path, place, "neither spans nor logs nor metrics")
        for number, item in enumerate(members(value, "resourceSpans")):
            for made in spans_of(item):
                if isinstance(made, Wrong):
                    yield Refusal(self._path, f"{place}, resourceSpans {number + 1}, {made.place}", made.why)
                    continue
                self._runs.append(made[0])
                self._feedback += made[1]
                if len(self._runs) >= _BATCH:
                    yield self._batch()
        for number, item in enumerate(members(value, "resourceLogs")):
            for said in self._logs.take(item):
                if isinstance(said, Wrong):
                    yield Refusal(self._path, f"{place}, resourceLogs {number + 1}, {said.place}", said.why)
                else:
                    self._feedback.append(said)
            if self._logs.full:
                self._runs += self._logs.runs()
                yield self._batch()

    def rest(self) -> Iterator[Batch]:
        self._runs += self._logs.runs()
        if self._runs or self._feedback:
            yield self._batch()

    def _batch(self) -> Batch:
        made = Batch(tuple(self._runs), tuple(self._feedback))
        self._runs, self._feedback = [], []
        return made
