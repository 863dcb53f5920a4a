"""Log records of spans.

What a log record says of a span comes in phase 0: it fills what the span leaves empty, whichever comes first. Each
record is a key of its own in `extra`; messages in events of the older form, and the newer event that holds a whole
call, are the run's inputs and outputs as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.conventions import Span, meaning_of, scores
from tracetui.ingest.conventions.genai import DETAILS, messages_of_events
from tracetui.ingest.conventions.spans import text
from tracetui.ingest.otlp.spans import Wrong, origins, run_id, trace_id
from tracetui.ingest.otlp.values import any_value, attributes, hex_id, member, members, nano
from tracetui.model import jsonx
from tracetui.model.kinds import Phase
from tracetui.model.records import FeedbackRecord, RunRecord

_HELD_BYTES = 32 * 1024 * 1024
_FROM_DETAILS = ("inputs", "outputs", "model", "provider", "response_id", "session", "prompt_tokens",
                 "completion_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")  # fmt: skip
_SCOPES = ("scopeLogs", "instrumentationLibraryLogs")


@dataclass(slots=True)
class _Entry:
    """One log record of a span."""

    at: int
    number: int
    event: str
    scope: str
    content: dict[str, Any]
    key: str


@dataclass(slots=True)
class SpanLogs:
    """The log records of the spans of a document, gathered by span until they are asked for."""

    _spans: dict[tuple[str, str], list[_Entry]] = field(default_factory=dict)
    _held: int = 0
    _count: int = 0

    @property
    def full(self) -> bool:
        """Whether more is held than should be."""
        return self._held > _HELD_BYTES

    def take(self, item: Any) -> Iterator[FeedbackRecord | Wrong]:
        """Take the records below a `ResourceLogs`; evaluation results among them come back as feedback.

        Records that belong to no span are passed over: there is no run that they could be part of.
        """
        for number, origin, place in origins(item, *_SCOPES):
            for index, raw in enumerate(members(place, "logRecords", "logs")):
                if not isinstance(raw, Mapping):
                    yield Wrong(f"scopeLogs {number + 1}, log record {index + 1}", "no JSON object")
                    continue
                trace, span = hex_id(member(raw, "traceId"), 16), hex_id(member(raw, "spanId"), 8)
                if trace is None or span is None:
                    continue
                entry = self._entry(raw, origin.scope_name)
                if entry.event == scores.RESULT:
                    given = entry.content.get("attributes", {})
                    run, at = run_id(trace, span), entry.at // 1000 or None
                    said = scores.evaluation(given, run, trace_id(trace), at, str(entry.at))
                    if said is not None:
                        yield said
                self._spans.setdefault((trace, span), []).append(entry)

    def _entry(self, raw: Mapping[str, Any], scope: str) -> _Entry:
        given = attributes(member(raw, "attributes"))
        at = nano(member(raw, "timeUnixNano")) or nano(member(raw, "observedTimeUnixNano")) or 0
        event = text(member(raw, "eventName")) or ""
        if text(given.get("event.name")):
            event = str(given["event.name"])
        content = {
            "event": event,
            "time_unix_nano": at,
            "severity": member(raw, "severityText") or member(raw, "severityNumber"),
            "body": any_value(member(raw, "body")),
            "attributes": given,
            "scope": scope,
        }
        content = {key: value for key, value in content.items() if value not in (None, "", {})}
        packed = jsonx.dumps(content)
        self._held += len(packed)
        self._count += 1
        digest = hashlib.blake2b(packed, digest_size=6).hexdigest()
        return _Entry(at, self._count, event, scope, content, f"log.{at}.{digest}")

    def runs(self) -> Iterator[RunRecord]:
        """What the records gathered so far say of their spans; they are held no longer."""
        spans, self._spans, self._held = self._spans, {}, 0
        for (trace, span), entries in spans.items():
            entries.sort(key=lambda entry: (entry.at, entry.number))
            asked, answered = messages_of_events(
                (entry.event, entry.content.get("body") or entry.content.get("attributes")) for entry in entries
            )
            fields: dict[str, Any] = {
                "inputs": {"messages": asked} if asked else None,
                "outputs": {"messages": answered} if answered else None,
            }
            for entry in entries:
                if entry.event == DETAILS:
                    fields |= _details(entry)
            yield RunRecord(
                id=run_id(trace, span),
                trace=trace_id(trace),
                phase=Phase.STUB,
                extra={entry.key: entry.content for entry in entries},
                **fields,
            )


def _details(entry: _Entry) -> dict[str, Any]:
    """A whole call in one log record."""
    body = entry.content.get("body")
    given = {**(body if isinstance(body, dict) else {}), **entry.content.get("attributes", {})}
    meaning = meaning_of(Span(scope=entry.scope, attributes=given))
    return {name: meaning.fields[name] for name in _FROM_DETAILS if meaning.fields.get(name) is not None}
