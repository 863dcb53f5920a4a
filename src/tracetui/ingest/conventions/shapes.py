"""Chats, tool calls and usage of conventions that nobody described: recognised by their shape, wherever they stand."""

from __future__ import annotations

import re
from typing import Any

from tracetui.ingest.conventions.spans import Span, count, parsed, text
from tracetui.ingest.conventions.table import Found, Read, Source, Table
from tracetui.ingest.usage import usage_fields
from tracetui.model.dialects import is_message
from tracetui.model.kinds import Kind

_BEGIN, _END = r"(?:^|[._-])", r"(?:[._-]|$)"
_OUT = re.compile(f"{_BEGIN}(?:outputs?|completions?|responses?|results?|reply|replies|answers?){_END}")
_IN = re.compile(f"{_BEGIN}(?:inputs?|prompts?|messages|requests?|history|query){_END}")
_MODEL = re.compile(f"{_BEGIN}model(?:[._-]?(?:name|id))?$")
_TOOL_NAME = re.compile(f"{_BEGIN}tool[._]name$")
_TOOL_IN = re.compile(f"{_BEGIN}tool[._](?:arguments|args|inputs?|parameters)$")
_TOOL_OUT = re.compile(f"{_BEGIN}tool[._](?:outputs?|results?|response)$")
_AGGREGATED = re.compile(r"aggregat|cumulative|total_usage")
_COUNTS = {
    "prompt_tokens": re.compile(f"{_BEGIN}(?:prompt_tokens|input_tokens|promptTokens|inputTokens)$"),
    "completion_tokens": re.compile(f"{_BEGIN}(?:completion_tokens|output_tokens|completionTokens|outputTokens)$"),
}
_LOOKED_AT = 200


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(is_message(item) for item in value[:_LOOKED_AT])


def _asked(span: Span) -> Found | None:
    return _chat(span, _IN, _OUT)


def _answered(span: Span) -> Found | None:
    return _chat(span, _OUT, None)


def _chat(span: Span, wanted: re.Pattern[str], other: re.Pattern[str] | None) -> Found | None:
    for key, raw in span.attributes.items():
        if not wanted.search(key) or (other is not None and other.search(key)):
            continue
        value = parsed(raw)
        if _is_chat(value):
            return Found({"messages": value}, frozenset((key,)))
        if isinstance(value, dict) and (is_message(value) or _is_chat(value.get("messages"))):
            return Found(value, frozenset((key,)))
    return None


def _is_call(span: Span) -> bool:
    """Whether a span is a call of a model: it asks and answers."""
    return _asked(span) is not None and _answered(span) is not None


def _usage(field: str) -> Read:
    def read(span: Span) -> Found | None:
        if not _is_call(span):
            return None
        for key, raw in span.attributes.items():
            found: Any = None
            if not _AGGREGATED.search(key):
                found = count(raw) if _COUNTS[field].search(key) else None
                if found is None and "usage" in key:
                    found = usage_fields(parsed(raw)).get(field)
            if found is not None:
                return Found(found)
        return None

    return read


def _model(span: Span) -> Found | None:
    if not _is_call(span):
        return None
    names = (text(value) for key, value in span.attributes.items() if _MODEL.search(key))
    return next((Found(name) for name in names if name), None)


def _kind(span: Span) -> Found | None:
    if _tool(span, _TOOL_NAME) is not None and _tool(span, _TOOL_IN) is not None:
        return Found(Kind.TOOL)
    told = _model(span) is not None or _usage("prompt_tokens")(span) is not None
    return Found(Kind.LLM) if told else None


def _tool(span: Span, wanted: re.Pattern[str]) -> Found | None:
    """A part of a tool call, where a span has both the name of a tool and what it was called with."""
    found = next(((key, raw) for key, raw in span.attributes.items() if wanted.search(key)), None)
    return None if found is None else Found(parsed(found[1]), frozenset((found[0],)))


def _of_tool(wanted: re.Pattern[str]) -> Read:
    def read(span: Span) -> Found | None:
        return _tool(span, wanted) if _tool(span, _TOOL_NAME) and _tool(span, _TOOL_IN) else None

    return read


def _tool_name(span: Span) -> Found | None:
    found = _of_tool(_TOOL_NAME)(span)
    name = text(found.value) if found is not None else None
    return Found(name) if name else None


TABLE: Table = {
    "kind": (Source(990, _kind),),
    "name": (Source(990, _tool_name),),
    "inputs": (Source(990, _asked), Source(991, _of_tool(_TOOL_IN))),
    "outputs": (Source(990, _answered), Source(991, _of_tool(_TOOL_OUT))),
    "prompt_tokens": (Source(990, _usage("prompt_tokens")),),
    "completion_tokens": (Source(990, _usage("completion_tokens")),),
    "model": (Source(990, _model),),
}
