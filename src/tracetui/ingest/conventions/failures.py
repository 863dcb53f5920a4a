"""Whether a span failed, and what it says of that (shared ingest notes, C.1 and C.13)."""

from __future__ import annotations

from tracetui.ingest.conventions.spans import Event, Span, text

EXCEPTION = "exception"


def failure(span: Span) -> tuple[bool, str | None]:
    """Whether it failed, and the error: class and message on the first line, then the stack."""
    kind = text(span.attributes.get("error.type"))
    if not span.failed and kind is None:
        return False, None
    said = span.status_message.strip()
    exceptions = [event for event in span.events if event.name == EXCEPTION]
    if not exceptions:
        return True, said or text(span.attributes.get("error.message")) or kind
    event = exceptions[-1]
    headline = _headline(event)
    if not headline or (said and said not in headline):
        headline = said or headline
    stack = (text(event.attributes.get("exception.stacktrace")) or "").strip()
    parts = [headline or kind] if stack and stack in headline else [headline or kind, stack]
    return True, "\n".join(part for part in parts if part) or None


def _headline(event: Event) -> str:
    kind = text(event.attributes.get("exception.type")) or ""
    message = (text(event.attributes.get("exception.message")) or "").strip()
    if not kind or message.startswith(kind):
        return message or kind
    return f"{kind}: {message}" if message else kind
