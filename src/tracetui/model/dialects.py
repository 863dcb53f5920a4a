"""How each dialect writes a message: one raw item in, messages of one shape out.

Nothing here says which client made an item: it is recognised by its shape alone, so that a client nobody has
seen is still read as far as it looks like another one. Shapes were taken from what real clients send (shared
ingest notes, A.5, C.3 to C.13, D.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracetui.model import jsonx
from tracetui.model.chat import Message, Role, ToolCall
from tracetui.model.media import media_label

Piece: TypeAlias = "str | _Thought | ToolCall | Message"
"""A part of a message: text, reasoning, a call, or a result (which becomes a message of its own)."""

ROLES: dict[str, Role] = {
    "system": Role.SYSTEM, "developer": Role.SYSTEM,
    "user": Role.USER, "human": Role.USER,
    "assistant": Role.ASSISTANT, "ai": Role.ASSISTANT, "model": Role.ASSISTANT, "aimessagechunk":
    Role.ASSISTANT, "tool": Role.TOOL, "function": Role.TOOL,
}  # fmt: skip
_LANGCHAIN = {"human", "ai", "system", "tool", "function", "chat", "AIMessageChunk", "HumanMessageChunk"}
_CONTENT = ("content", "parts", "blocks", "contents")
_SPOKEN = (*_CONTENT, "tool_calls", "function_call", "toolCalls", "text", "refusal", "reasoning_content")
_TEXT = {"text", "input_text", "output_text", "summary_text", "refusal"}
_THINKING = {"thinking", "reasoning", "redacted_thinking", "reasoning_text"}
_CALL = {
    "tool_use",
    "tool_call",
    "function_call",
    "custom_tool_call",
    "server_tool_use",
    "mcp_tool_use",
    "server_tool_call",
}
_RESULT = {
    "tool_result",
    "tool_call_response",
    "function_call_output",
    "custom_tool_call_output",
    "server_tool_call_response",
}
_MEDIA = {"image", "image_url", "input_image", "blob", "uri", "file", "input_file", "audio", "input_audio",
"document",
          "video", "media"}  # fmt: skip
PARTS = _TEXT | _THINKING | _CALL | _RESULT | _MEDIA
_MAX_EMBEDDED = 1_000_000


@dataclass(frozen=True, slots=True)
class _Thought:
    """Reasoning among the pieces."""

    text: str


def kind_of(part: Mapping[str, Any]) -> str:
    """The part's type in one spelling: `tool-call` and `tool_call` are the same."""
    kind = part.get("type")
    return kind.replace("-", "_") if isinstance(kind, str) else ""


def is_part(item: Any) -> bool:
    """Whether an item is a part of a message, and no message itself."""
    if not isinstance(item, dict) or "role" in item:
        return False
    if kind_of(item) in PARTS or isinstance(item.get("message_content"), dict):
        return True
    return any(key in item for key in ("functionCall", "functionResponse", "toolUse", "toolResult")) or (
        isinstance(item.get("text"), str) and item.keys() <= {"text", "thought", "thoughtSignature", "annotations"}
    )


def is_message(item: Any, depth: int = 0) -> bool:
    """Whether an item has the shape of a message in any dialect, also when wrapped up to three times."""
    if not isinstance(item, dict):
        return False
    if isinstance(item.get("role"), str):
        return any(key in item for key in _SPOKEN)
    if isinstance(item.get("kwargs"), dict) and "lc" in item:
        return "content" in item["kwargs"]
    if _is_langchain(item):
        return "content" in item or isinstance(item.get("data"), dict)
    if is_item(item):
        return True
    if isinstance(item.get("parts"), list):
        return True
    inner = item.get("message") or item.get("content")
    return depth < 3 and isinstance(inner, dict) and is_message(inner, depth + 1)


def _is_langchain(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("type"), str) and item["type"] in _LANGCHAIN


def is_call(item: Any) -> bool:
    """Whether an item is a tool call on its own."""
    if not isinstance(item, dict):
        return False
    return kind_of(item) in _CALL or any(key in item for key in ("toolCallId", "toolUseId", "function", "tool_call"))


def is_item(item: Mapping[str, Any]) -> bool:
    """Whether it is an item of OpenAI's Responses that is no message: reasoning, a call, a call's output."""
    kind = kind_of(item)
    if kind.endswith("_call_output"):
        return "output" in item
    if kind.endswith("_call"):
        return any(key in item for key in ("call_id", "name", "action", "status"))
    return kind == "reasoning" and ("summary" in item or "encrypted_content" in item)


def is_loose(item: Any) -> bool:
    """Whether the next item may belong to the same answer: Responses gives one answer as several items."""
    return isinstance(item, dict) and (is_item(item) or kind_of(item) == "message")


def continues(first: Message, second: Message, loose: bool) -> bool:
    """Whether two messages in a row are one answer: reasoning before it, or calls that follow it `loose`."""
    if not first.role == second.role == Role.ASSISTANT:
        return False
    if first.reasoning and not (first.text or first.tool_calls):
        return True
    return loose and not second.text


def joined(first: Message, second: Message) -> Message:
    """Two parts of one answer as one message."""
    return Message(
        role=first.role,
        text="\n".join(filter(None, (first.text, second.text))),
        reasoning="\n".join(filter(None, (first.reasoning, second.reasoning))),
        tool_calls=first.tool_calls + second.tool_calls,
        name=second.name or first.name,
    )


def read_item(item: Any, role: Role, depth: int = 0) -> list[Message]:
    """The messages of one raw item: mostly one, none where it has no known shape."""
    if isinstance(item, str):
        return [Message(role=role, text=item)]
    if not isinstance(item, dict) or depth > 4:
        return []
    if "role" not in item:
        if isinstance(item.get("kwargs"), dict) and "lc" in item:
            return _assembled(item["kwargs"], _constructor_role(item))
        if _is_langchain(item) and isinstance(item.get("data"), dict):
            return _assembled(item["data"], _role(item["type"], role))
        for key in ("message", "content"):
            if isinstance(item.get(key), dict) and is_message(item[key]):
                return read_item(item[key], role, depth + 1)
        if is_item(item):
            return _split(_item_pieces(item), Role.ASSISTANT)
        if is_part(item):
            return _split([read_part(item)], role)
        if _is_langchain(item):
            return _assembled(item, _role(item["type"], role))
    return _assembled(item, _role(item.get("role"), role))


def _role(name: Any, default: Role) -> Role:
    if not isinstance(name, str):
        return default
    return ROLES.get(name.lower(), Role.ASSISTANT)


def _constructor_role(item: Mapping[str, Any]) -> Role:
    """LangChain's JavaScript leaves `type` out: the role is in the name of the class."""
    named = item["kwargs"].get("type")
    if not isinstance(named, str):
        path = item.get("id")
        named = path[-1] if isinstance(path, list) and path and isinstance(path[-1], str) else ""
        named = named.removesuffix("Chunk").removesuffix("Message").lower()
    return _role(named, Role.ASSISTANT)


def _assembled(item: Mapping[str, Any], role: Role) -> list[Message]:
    """The messages of an item that has a content and, maybe, calls beside it."""
    pieces: list[Piece] = [_Thought(text) for text in _reasoning_beside(item)]
    content = next((item[key] for key in _CONTENT if item.get(key) is not None), item.get("text"))
    pieces += read_content(content)
    if isinstance(item.get("refusal"), str) and item["refusal"]:
        pieces.append(item["refusal"])
    known = {piece.id for piece in pieces if isinstance(piece, ToolCall) and piece.id}
    pieces += [call for call in _calls_beside(item) if call.id is None or call.id not in known]
    said = item.get("role")
    name = item.get("name") if isinstance(item.get("name"), str) else None
    if name is None and isinstance(said, str) and said.lower() not in ROLES:
        name = said
    if role is Role.TOOL and not any(isinstance(piece, Message) for piece in pieces):
        text = "\n".join(piece for piece in pieces if isinstance(piece, str))
        failed = item.get("status") == "error" or item.get("is_error") is True or item.get("error") is True
        return [Message(role=role, text=text, tool_call_id=_id(item), name=name, error=failed)]
    return _split(pieces, role, name)


def _reasoning_beside(item: Mapping[str, Any]) -> Iterator[str]:
    more = item.get("additional_kwargs")
    for place in (item, more if isinstance(more, dict) else {}):
        for key in ("reasoning_content", "reasoning", "thinking"):
            if isinstance(place.get(key), str) and place[key]:
                yield place[key]
                return


def _calls_beside(item: Mapping[str, Any]) -> list[ToolCall]:
    more = item.get("additional_kwargs")
    for place in (item, more if isinstance(more, dict) else {}):
        for key in ("tool_calls", "toolCalls"):
            if isinstance(place.get(key), list) and place[key]:
                return [read_call(call) for call in place[key] if isinstance(call, dict)]
        if isinstance(place.get("function_call"), dict):
            return [read_call(place["function_call"])]
    return []


def _split(pieces: Iterable[Piece | None], role: Role, name: str | None = None) -> list[Message]:
    """Results become messages of their own; what stands between two results is one message."""
    out: list[Message] = []
    text: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []

    def close() -> None:
        if text or thoughts or calls:
            out.append(
                Message(
                    role=role,
                    text="\n".join(text),
                    reasoning="\n".join(thoughts),
                    tool_calls=tuple(calls),
                    name=name,
                )
            )
            text.clear()
            thoughts.clear()
            calls.clear()

    for piece in pieces:
        if isinstance(piece, Message):
            close()
            out.append(piece)
        elif isinstance(piece, ToolCall):
            calls.append(piece)
        elif isinstance(piece, _Thought):
            thoughts.append(piece.text)
        elif piece is not None:
            text.append(piece)
    close()
    return out or [Message(role=role, name=name)]


def read_content(content: Any) -> list[Piece]:
    """The pieces of a message's content: a text, a part, or a list of parts."""
    if content is None:
        return []
    if isinstance(content, str):
        return _embedded(content) or [content]
    if isinstance(content, dict):
        inner = content.get("parts")
        return read_content(inner) if isinstance(inner, list) else [_only(read_part(content))]
    if isinstance(content, list):
        return [piece for part in content if (piece := read_part(part)) is not None]
    return [_json(content)]


def _only(piece: Piece | None) -> Piece:
    return "" if piece is None else piece


def _embedded(text: str) -> list[Piece] | None:
    """Older OpenLLMetry writes a list of parts as JSON text."""
    if not text.startswith('[{"') or len(text) > _MAX_EMBEDDED:
        return None
    try:
        parts = jsonx.loads(text)
    except ValueError:
        return None
    if not isinstance(parts, list) or not all(isinstance(part, dict) and kind_of(part) in PARTS for part in parts):
        return None
    return [piece for part in parts if (piece := read_part(part)) is not None]


def read_part(part: Any) -> Piece | None:
    """One part of a content. `None` where it says nothing."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None if part is None else _json(part)
    if isinstance(part.get("message_content"), dict):
        part = part["message_content"]
    kind = kind_of(part)
    if kind in _THINKING or part.get("thought") is True:
        return _Thought(_thought(part))
    for key in ("functionCall", "function_call", "toolUse", "tool_call"):
        if isinstance(part.get(key), dict):
            return read_call(part[key])
    for key in ("functionResponse", "function_response", "toolResult", "tool_call_result"):
        if isinstance(part.get(key), dict):
            return _result(part[key])
    if kind in _CALL:
        return read_call(part)
    if kind in _RESULT or kind.endswith("_tool_result"):
        return _result(part)
    if kind in _MEDIA or "inlineData" in part or "inline_data" in part or "fileData" in part:
        return media_label(part)
    for key in ("text", "content", "refusal"):
        if isinstance(part.get(key), str):
            return str(part[key])
    return None if not part or kind in _TEXT else _json(part)


def _thought(part: Mapping[str, Any]) -> str:
    for key in ("thinking", "reasoning", "content", "text", "summary"):
        value = part.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value:
            return "\n".join(str(entry.get("text", "")) for entry in value if isinstance(entry, dict))
    return ""


def read_call(call: Mapping[str, Any]) -> ToolCall:
    """A tool call in any spelling."""
    if isinstance(call.get("tool_call"), dict):
        call = call["tool_call"]
    function = call.get("function")
    place = function if isinstance(function, dict) else call
    name = next((place[key] for key in ("name", "toolName", "tool_name") if isinstance(place.get(key), str)), None)
    if name is None:
        name = function if isinstance(function, str) else kind_of(call).removesuffix("_call") or "tool"
    keys = ("arguments", "args", "input", "parameters", "action", "arguments_str")
    arguments = next((place[key] for key in keys if place.get(key) is not None), None)
    return ToolCall(name=name, arguments=_parsed(arguments), id=_id(call))


def _parsed(arguments: Any) -> Any:
    if isinstance(arguments, str) and arguments[:1] in "{[" and len(arguments) <= _MAX_EMBEDDED:
        try:
            return jsonx.loads(arguments)
        except ValueError:
            return arguments
    return arguments


def _id(call: Mapping[str, Any]) -> str | None:
    keys = ("tool_call_id", "tool_use_id", "call_id", "toolCallId", "toolUseId", "id")
    found = next((call[key] for key in keys if call.get(key)), None)
    if isinstance(found, list):
        found = found[-1]
    return found if isinstance(found, str) else None


def _result(part: Mapping[str, Any]) -> Message:
    """A tool's result as a message of its own."""
    keys = ("content", "response", "result", "output")
    value = next((part[key] for key in keys if part.get(key) is not None), None)
    if isinstance(value, dict) and value.keys() <= {"type", "value"} and "value" in value:  # Vercel's wrapping
        value = value["value"]
    failed = part.get("is_error") is True or part.get("isError") is True or part.get("status") == "error"
    failed = failed or part.get("error") is True
    name = next((part[key] for key in ("name", "toolName") if isinstance(part.get(key), str)), None)
    return Message(role=Role.TOOL, text=_text_of(value), tool_call_id=_id(part), name=name, error=failed)


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(is_part(part) for part in value):
        return "\n".join(piece for piece in read_content(value) if isinstance(piece, str))
    return _json(value)


def _item_pieces(item: Mapping[str, Any]) -> list[Piece]:
    """An item of OpenAI's Responses that is no message."""
    kind = kind_of(item)
    if kind == "reasoning":
        return [_Thought(_thought(item))]
    if kind.endswith("_output"):
        return [_result(item)]
    call = read_call(item)
    if item.get("output") is not None or item.get("error"):  # a call that the provider made itself
        return [call, _result({**item, "error": bool(item.get("error"))})]
    return [call]


def _json(value: Any) -> str:
    return jsonx.dumps(value).decode("utf-8", "replace")
