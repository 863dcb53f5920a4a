"""OpenTelemetry GenAI (`gen_ai.*`), and its older forms with messages in events (shared ingest notes, C.3, C.13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tracetui.ingest.conventions.spans import Event, Span, count, empty, nested, number, parsed, text, under
from tracetui.ingest.conventions.table import Found, Read, Source, Table, attribute
from tracetui.model.kinds import Kind

OPERATIONS: Mapping[str, Kind] = {
    "chat": Kind.LLM, "text_completion": Kind.LLM, "generate_content": Kind.LLM, "embeddings": Kind.EMBEDDING,
    "retrieval": Kind.RETRIEVER, "execute_tool": Kind.TOOL, "invoke_agent": Kind.AGENT, "create_agent": Kind.AGENT,
    "invoke_workflow": Kind.CHAIN,
}  # fmt: skip
_REQUEST_TYPES: Mapping[str, Kind] = {
    "chat": Kind.LLM, "completion": Kind.LLM, "embedding": Kind.EMBEDDING, "rerank": Kind.RERANKER,
}  # fmt: skip
NO_PROVIDER = frozenset(
    ("langchain", "langgraph", "microsoft.agent_framework", "strands-agents", "autogen", "gcp.vertex.agent", "_other")
)
"""What frameworks write where the provider of the model belongs."""
DETAILS = "gen_ai.client.inference.operation.details"
_MESSAGE_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}


def provider_name(value: Any) -> str | None:
    """The provider in lower case, where it is one."""
    found = text(value)
    return None if found is None or found.lower() in NO_PROVIDER else found.lower()


def _kind(value: Any) -> Kind | None:
    operation = text(value)
    return None if operation is None else OPERATIONS.get(operation, Kind.CHAIN)


def _named(kind: Kind, key: str) -> Read:
    """A name that counts for runs of one kind: an agent's name stands on its calls as well."""

    def read(span: Span) -> Found | None:
        value = text(span.attributes.get(key))
        return Found(value) if value and _kind(span.attributes.get("gen_ai.operation.name")) is kind else None

    return read


def _request(span: Span) -> Found | None:
    """Messages and instructions of a call: `{"messages": [...], "system_instructions": [...]}`."""
    messages = parsed(span.attributes.get("gen_ai.input.messages"))
    instructions = parsed(span.attributes.get("gen_ai.system_instructions"))
    if empty(messages):
        return None
    value = {} if empty(instructions) else {"system_instructions": instructions}
    return Found(
        value | {"messages": messages}, frozenset(("gen_ai.input.messages", "gen_ai.system_instructions"))
    )  # fmt: skip


def _response(span: Span) -> Found | None:
    messages = parsed(span.attributes.get("gen_ai.output.messages"))
    return None if empty(messages) else Found({"messages": messages}, frozenset(("gen_ai.output.messages",)))


def _older(side: str, role: str) -> Read:
    """Up to 1.27: `gen_ai.prompt.N.{role,content,...}` flattened, or all of it as JSON in `gen_ai.prompt`."""

    def read(span: Span) -> Found | None:
        items = nested(span.attributes, side)
        if isinstance(items, list):
            return Found(
                {"messages": [_older_message(item, role) for item in items]}, frozenset(under(span.attributes, side))
            )
        value = span.attributes.get(side)
        return None if empty(value) else Found(parsed(value), frozenset((side,)))

    return read


def _older_message(item: Any, role: str) -> Any:
    if not isinstance(item, dict):
        return {"role": role, "content": item}
    return {"role": item.get("role") or role, **{key: inner for key, inner in item.items() if key != "role"}}


def _all_but_last(span: Span) -> Found | None:
    """Pydantic AI's agents hold the whole conversation; the answer is its end."""
    messages = parsed(span.attributes.get("pydantic_ai.all_messages"))
    if not isinstance(messages, list) or len(messages) < 2:
        return None
    return Found({"messages": messages[:-1]})


def _last(span: Span) -> Found | None:
    messages = parsed(span.attributes.get("pydantic_ai.all_messages"))
    return Found({"messages": messages[-1:]}) if isinstance(messages, list) and messages else None


def _session(span: Span) -> Found | None:
    """Pydantic AI makes up a conversation for each run, so a session that the application names goes before it."""
    found = text(span.attributes.get("gen_ai.conversation.id"))
    if found is None or (span.scope == "pydantic-ai" and text(span.attributes.get("session.id"))):
        return None
    return Found(found)


def _asked(span: Span) -> Found | None:
    messages = messages_of_events((event.name, event.attributes) for event in span.events)[0]
    return Found({"messages": messages}) if messages else None


def _answered(span: Span) -> Found | None:
    messages = messages_of_events((event.name, event.attributes) for event in span.events)[1]
    return Found({"messages": messages}) if messages else None


def messages_of_events(events: Iterable[tuple[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Messages in events of the older form, (name, body or attributes) each: what was asked, what was answered."""
    asked: list[Any] = []
    answered: list[Any] = []
    for name, body in events:
        role = _MESSAGE_EVENTS.get(name)
        message = _message(role, parsed(body)) if role is not None else None
        if message is not None:
            (answered if name == "gen_ai.choice" else asked).append(message)
    return asked, answered


def _message(role: str, body: Any) -> dict[str, Any] | None:
    if isinstance(body, str):
        return {"role": role, "content": body} if body else None
    if not isinstance(body, Mapping):
        return None
    inner = parsed(body.get("gen_ai.event.content"))
    if not empty(inner):
        return _message(role, inner) if isinstance(inner, Mapping) else {"role": role, "content": inner}
    inner = parsed(body.get("message"))
    if isinstance(inner, Mapping):
        return {"role": role, **inner}
    content = inner if not empty(inner) else parsed(body.get("content"))
    more = {key: parsed(body[key]) for key in ("tool_calls", "id", "name", "finish_reason") if not empty(body.get(key))}
    if empty(content) and "tool_calls" not in more:
        return None
    return {"role": text(body.get("role")) or role, "content": content, **more}


def with_details(span: Span) -> Span:
    """The span with what an event of it holds in attributes (the newer form of content in events)."""
    held: dict[str, Any] = {}
    for event in span.events:
        if event.name == DETAILS:
            held.update(event.attributes)
    if not held:
        return span
    return Span(
        span.name, span.scope, {**held, **span.attributes}, span.resource, span.events, span.started_at, span.failed,
        span.status_message,
    )  # fmt: skip


def first_chunk(value: Any) -> int | None:
    """Seconds as microseconds."""
    seconds = number(value)
    return round(seconds * 1_000_000) if seconds is not None and 0 <= seconds < 1e9 else None


TABLE: Table = {
    "kind": (
        attribute(50, "gen_ai.operation.name", convert=_kind),
        attribute(80, "llm.request.type", convert=lambda value: _REQUEST_TYPES.get(str(value))),
        attribute(900, "gen_ai.request.model", convert=lambda value: Kind.LLM if text(value) else None),
    ),
    "name": (
        Source(20, _named(Kind.TOOL, "gen_ai.tool.name")),
        Source(21, _named(Kind.AGENT, "gen_ai.agent.name")),
    ),
    "trace_name": (attribute(30, "gen_ai.workflow.name", convert=text),),
    "inputs": (
        Source(20, _request),
        attribute(21, "gen_ai.tool.call.arguments", convert=parsed, whole=True),
        attribute(22, "gen_ai.retrieval.query.text", whole=True),
        Source(80, _older("gen_ai.prompt", "user")),
        Source(900, _all_but_last),
        Source(950, _asked),
    ),
    "outputs": (
        Source(20, _response),
        attribute(21, "gen_ai.tool.call.result", convert=parsed, whole=True),
        attribute(22, "gen_ai.retrieval.documents", convert=parsed, whole=True),
        Source(80, _older("gen_ai.completion", "assistant")),
        attribute(900, "final_result", convert=parsed),
        Source(901, _last),
        Source(950, _answered),
    ),
    "model": (
        attribute(10, "gen_ai.response.model", convert=text),
        attribute(90, "gen_ai.request.model", convert=text),
    ),
    "provider": (attribute(10, "gen_ai.provider.name", "gen_ai.system", convert=provider_name),),
    "response_id": (attribute(10, "gen_ai.response.id", convert=text),),
    "prompt_tokens": (attribute(10, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", convert=count),),
    "completion_tokens": (
        attribute(10, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", convert=count),
    ),
    "cache_read_tokens": (
        attribute(
            10, "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.cached_tokens", convert=count,
        ),
    ),
    "cache_write_tokens": (
        attribute(
            10, "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_write_input_tokens",
            "gen_ai.usage.details.cache_write_tokens", convert=count,
        ),
    ),
    "reasoning_tokens": (
        attribute(
            10, "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.thinking_tokens", convert=count,
        ),
    ),
    "cost": (attribute(30, "gen_ai.cost.total_cost", "operation.cost", "gen_ai.usage.cost", convert=number),),
    "session": (Source(10, _session),),
    "first_token_us": (attribute(10, "gen_ai.response.time_to_first_chunk", convert=first_chunk),),
}  # fmt: skip


def is_event_of_messages(event: Event) -> bool:
    """Whether an event only repeats what inputs and outputs hold."""
    return event.name in _MESSAGE_EVENTS
