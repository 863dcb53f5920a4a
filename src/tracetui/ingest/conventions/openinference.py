"""OpenInference (Arize): flattened attributes `llm.*`, `input.value`, `openinference.span.kind` (shared notes, C.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracetui.ingest.conventions.genai import provider_name
from tracetui.ingest.conventions.spans import Span, any_json, count, empty, nested, number, parsed, text, under
from tracetui.ingest.conventions.table import Found, Read, Source, Table, attribute
from tracetui.model.kinds import Kind

KINDS: Mapping[str, Kind] = {
    "LLM": Kind.LLM, "TOOL": Kind.TOOL, "CHAIN": Kind.CHAIN, "RETRIEVER": Kind.RETRIEVER, "EMBEDDING": Kind.EMBEDDING,
    "AGENT": Kind.AGENT, "RERANKER": Kind.RERANKER, "GUARDRAIL": Kind.GUARDRAIL, "EVALUATOR": Kind.EVALUATOR,
    "PROMPT": Kind.PROMPT,
}  # fmt: skip
_FIRST_TOKEN = "First Token Stream Event"
_JSON = ("application/json", "json")
VECTOR = ".embedding.vector"
"""How the attribute ends that holds an embedding: nobody reads it."""


def _kind(value: Any) -> Kind | None:
    said = text(value)
    return None if said is None else KINDS.get(said.upper(), Kind.OTHER)


def _named(kind: Kind, key: str) -> Read:
    def read(span: Span) -> Found | None:
        name = text(span.attributes.get(key))
        return Found(name) if name and _kind(span.attributes.get("openinference.span.kind")) is kind else None

    return read


def _value(side: str) -> Read:
    """`input.value` or `output.value`."""

    def read(span: Span) -> Found | None:
        key, mime = f"{side}.value", f"{side}.mime_type"
        value = span.attributes.get(key)
        return None if empty(value) else Found(read_value(value, span.attributes.get(mime)), frozenset((key, mime)))

    return read


def read_value(value: Any, mime_type: Any) -> Any:
    """The value of `input.value`: JSON where its type says so, parsed where no type is said and it looks like JSON."""
    if mime_type is None:
        return parsed(value)
    return any_json(value) if str(mime_type).lower() in _JSON else value


def _messages(prefix: str) -> Read:
    """Flattened messages as `{"messages": [...]}`."""

    def read(span: Span) -> Found | None:
        items = nested(span.attributes, prefix)
        if not isinstance(items, list):
            return None
        messages = [_message(item) for item in items]
        return Found({"messages": messages}, frozenset(under(span.attributes, prefix))) if messages else None

    return read


def _message(item: Any) -> Any:
    message = item.get("message", item) if isinstance(item, dict) else item
    if not isinstance(message, dict):
        return {"role": "unknown", "content": message}
    out = {key: value for key, value in message.items() if key not in ("contents", "tool_calls", "role", "content")}
    contents = message.get("contents")
    content: Any = message.get("content")
    if isinstance(contents, list) and empty(content):
        content = [_part(part) for part in contents]
    calls = message.get("tool_calls")
    found: dict[str, Any] = {"role": message.get("role") or "unknown", "content": content, **out}
    if isinstance(calls, list):
        found["tool_calls"] = [call.get("tool_call", call) if isinstance(call, dict) else call for call in calls]
    return found


def _part(part: Any) -> Any:
    inner = part.get("message_content", part) if isinstance(part, dict) else part
    if not isinstance(inner, dict):
        return {"type": "text", "text": inner}
    image = inner.get("image")
    if isinstance(image, dict) and isinstance(image.get("image"), dict):
        return {**inner, "image": image["image"]}
    return inner if "type" in inner else {"type": "text", **inner}


def _documents(prefix: str) -> Read:
    def read(span: Span) -> Found | None:
        items = nested(span.attributes, prefix)
        if not isinstance(items, list):
            return None
        documents = [item.get("document", item) if isinstance(item, dict) else item for item in items]
        return Found({"documents": documents}, frozenset(under(span.attributes, prefix)))

    return read


def _texts(prefix: str, *path: str) -> Read:
    """A flattened list of things that hold one text each."""

    def read(span: Span) -> Found | None:
        items = nested(span.attributes, prefix)
        if not isinstance(items, list):
            return None
        found = [_inner(item, path) for item in items]
        texts = [each for each in found if isinstance(each, str)]
        return Found({"texts": texts}) if texts else None

    return read


def _inner(item: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        item = item.get(part) if isinstance(item, dict) else None
    return item


def _reranked(span: Span) -> Found | None:
    documents = _documents("reranker.input_documents")(span)
    query = text(span.attributes.get("reranker.query"))
    if documents is None and query is None:
        return None
    value = {} if query is None else {"query": query}
    return Found(value | (documents.value if documents else {}), documents.keys if documents else frozenset())


def _first_token(span: Span) -> Found | None:
    at = next((event.at for event in span.events if event.name == _FIRST_TOKEN and event.at is not None), None)
    if at is None or span.started_at is None or at < span.started_at:
        return None
    return Found(at - span.started_at)


def _invoked_model(value: Any) -> str | None:
    """The model in the parameters of a call: a call that failed names it nowhere else."""
    given = parsed(value)
    return text(given.get("model") or given.get("model_name")) if isinstance(given, dict) else None


def _tags(value: Any) -> list[str]:
    given = parsed(value)
    if isinstance(given, str):
        given = [given]
    return [each for each in given if isinstance(each, str) and each] if isinstance(given, list) else []


def _session_in(value: Any) -> str | None:
    """The session in the metadata that an application gave."""
    given = parsed(value)
    found = (
        (given.get(key) for key in ("session_id", "thread_id", "conversation_id")) if isinstance(given, dict) else ()
    )
    return next((name for each in found if (name := text(each))), None)


def _metadata(value: Any) -> dict[str, Any] | None:
    given = parsed(value)
    return given if isinstance(given, dict) else None


TABLE: Table = {
    "kind": (attribute(30, "openinference.span.kind", convert=_kind),),
    "name": (Source(30, _named(Kind.TOOL, "tool.name")), Source(31, _named(Kind.AGENT, "agent.name"))),
    "inputs": (
        Source(29, _messages("llm.input_messages")),
        Source(30, _value("input")),
        Source(31, _texts("llm.prompts", "prompt", "text")),
        Source(32, _texts("embedding.embeddings", "embedding", "text")),
        Source(33, _reranked),
    ),
    "outputs": (
        Source(29, _messages("llm.output_messages")),
        Source(30, _value("output")),
        Source(31, _texts("llm.choices", "completion", "text")),
        Source(32, _documents("retrieval.documents")),
        Source(33, _documents("reranker.output_documents")),
    ),
    "model": (
        attribute(30, "llm.response.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name",
                  convert=text),
        attribute(95, "llm.request.model_name", convert=text),
        attribute(99, "llm.invocation_parameters", "embedding.invocation_parameters", convert=_invoked_model),
    ),
    "provider": (attribute(30, "llm.provider", "llm.system", convert=provider_name),),
    "prompt_tokens": (attribute(30, "llm.token_count.prompt", convert=count),),
    "completion_tokens": (attribute(30, "llm.token_count.completion", convert=count),),
    "cache_read_tokens": (attribute(30, "llm.token_count.prompt_details.cache_read", convert=count),),
    "cache_write_tokens": (attribute(30, "llm.token_count.prompt_details.cache_write", convert=count),),
    "reasoning_tokens": (attribute(30, "llm.token_count.completion_details.reasoning", convert=count),),
    "cost": (attribute(20, "llm.cost.total", convert=number),),
    "session": (attribute(20, "session.id", convert=text), attribute(200, "metadata", convert=_session_in)),
    "user": (attribute(20, "user.id", "enduser.id", convert=text),),
    "tags": (attribute(20, "tag.tags", convert=_tags, whole=True),),
    "metadata": (attribute(20, "metadata", convert=_metadata, whole=True),),
    "first_token_us": (Source(90, _first_token),),
}  # fmt: skip
