"""Spans as run records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.conventions import Event, Span, meaning_of, scores
from tracetui.ingest.conventions.spans import text
from tracetui.ingest.otlp.values import attributes, hex_id, member, members, micro, nano
from tracetui.model.kinds import Phase
from tracetui.model.records import FeedbackRecord, RunRecord

_ERROR = (2, "2", "STATUS_CODE_ERROR", "ERROR")
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_SCOPES = ("scopeSpans", "instrumentationLibrarySpans")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A span or log record that cannot be taken: where it stands below the resource, and why."""

    place: str
    why: str


@dataclass(slots=True)
class Origin:
    """Where spans come from: what is the same for many of them is one object."""

    resource: dict[str, Any] = field(default_factory=dict)
    scope_name: str = ""
    scope: dict[str, Any] = field(default_factory=dict)


def run_id(trace: str, span: str) -> str:
    """The id of a span's run."""
    return f"otel:{trace}/{span}"


def trace_id(trace: str) -> str:
    """The id of a trace."""
    return f"otel:{trace}"


def origins(item: Any, *names: str) -> Iterator[tuple[int, Origin, Any]]:
    """The scopes below a `ResourceSpans` or `ResourceLogs`: number, origin, and the object that holds the records."""
    resource = attributes(member(member(item, "resource"), "attributes"))
    for number, place in enumerate(members(item, *names)):
        scope = member(place, "scope") or member(place, "instrumentationLibrary") or {}
        about = {key: member(scope, key) for key in ("name", "version") if member(scope, key)}
        more = attributes(member(scope, "attributes"))
        yield (
            number,
            Origin(resource, str(about.get("name", "")), about | ({"attributes": more} if more else {})),
            place,
        )


def spans_of(item: Any) -> Iterator[tuple[RunRecord, list[FeedbackRecord]] | Wrong]:
    """The run record of each span below a `ResourceSpans`, with the feedback that the span brings along."""
    for number, origin, place in origins(item, *_SCOPES):
        for index, raw in enumerate(members(place, "spans")):
            made = _run(raw, origin)
            if isinstance(made, str):
                yield Wrong(f"scopeSpans {number + 1}, span {index + 1}", made)
            elif made is not None:
                yield made


def _run(raw: Any, origin: Origin) -> tuple[RunRecord, list[FeedbackRecord]] | str | None:
    """The record of a span; a text: why there is none; `None`: it only announces a span that comes later."""
    if not isinstance(raw, Mapping):
        return "no JSON object"
    trace, own = hex_id(member(raw, "traceId"), 16), hex_id(member(raw, "spanId"), 8)
    if trace is None or own is None:
        return f"without a {'traceId' if trace is None else 'spanId'}"
    given = attributes(member(raw, "attributes"))
    if given.get("logfire.span_type") == "pending_span":
        return None
    parent = hex_id(member(raw, "parentSpanId"), 8)
    started, ended = micro(member(raw, "startTimeUnixNano")), micro(member(raw, "endTimeUnixNano"))
    status = member(raw, "status")
    span = Span(
        name=text(member(raw, "name")) or "",
        scope=origin.scope_name,
        attributes=given,
        resource=origin.resource,
        events=tuple(_event(event) for event in members(raw, "events") if isinstance(event, Mapping)),
        started_at=started,
        failed=member(status, "code") in _ERROR,
        status_message=text(member(status, "message")) or "",
    )
    meaning = meaning_of(span)
    service = text(origin.resource.get("service.name"))
    named = service is not None and not service.startswith("unknown_service")
    metadata = ({"service.name": service} if named else {}) | meaning.fields.pop("metadata")
    run = RunRecord(
        id=run_id(trace, own),
        trace=trace_id(trace),
        parent=run_id(trace, parent) if parent is not None else None,
        phase=Phase.ENDED if ended is not None else Phase.STARTED,
        project=text(origin.resource.get("openinference.project.name")),
        started_at=started,
        ended_at=ended,
        metadata=metadata,
        extra=_extra(raw, origin, meaning.rest),
        **meaning.fields,
    )
    return run, list(_feedback(raw, span, run))


def _event(raw: Mapping[str, Any]) -> Event:
    return Event(
        text(member(raw, "name")) or "", micro(member(raw, "timeUnixNano")), attributes(member(raw, "attributes"))
    )


def _extra(raw: Mapping[str, Any], origin: Origin, rest: dict[str, Any]) -> dict[str, Any]:
    kind = member(raw, "kind")
    events = [
        {
            "name": member(event, "name"),
            "time_unix_nano": nano(member(event, "timeUnixNano")),
            "attributes": attributes(member(event, "attributes")),
        }
        for event in members(raw, "events")
        if isinstance(event, Mapping)
    ]
    links = [
        {
            "trace_id": hex_id(member(link, "traceId"), 16),
            "span_id": hex_id(member(link, "spanId"), 8),
            "attributes": attributes(member(link, "attributes")),
        }
        for link in members(raw, "links")
        if isinstance(link, Mapping)
    ]
    extra = {
        "attributes": rest,
        "events": events,
        "links": links,
        "resource": origin.resource,
        "scope": origin.scope,
        "span_kind": _span_kind(kind),
        "trace_state": member(raw, "traceState"),
        "status": member(raw, "status"),
    }
    return {key: value for key, value in extra.items() if value}


def _span_kind(kind: Any) -> str | None:
    if isinstance(kind, str) and not kind.isdigit():
        return kind.removeprefix("SPAN_KIND_").lower()
    number = int(kind) if isinstance(kind, int | str) and str(kind).isdigit() else 0
    return _KINDS[number] if 0 < number < len(_KINDS) else None


def _feedback(raw: Mapping[str, Any], span: Span, run: RunRecord) -> Iterator[FeedbackRecord]:
    assert run.trace is not None
    yield from scores.annotated(span, run.id, run.trace, run.ended_at)
    for number, event in enumerate(span.events):
        if event.name == scores.RESULT:
            said = scores.evaluation(event.attributes, run.id, run.trace, event.at, f"event-{number}")
            if said is not None:
                yield said
