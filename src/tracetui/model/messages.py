"""The chat in a run's inputs and outputs, whatever client wrote them.

`messages_of` finds the messages wherever they stand and gives them one shape. Nothing is normalised when it
is stored, so this runs on every read; what it makes of a large message is remembered by the identity of the
JSON object, because the store hands out the same object for the same stored content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tracetui.model import dialects, jsonx
from tracetui.model.chat import Message, Role, ToolCall, ToolDefinition

__all__ = [
    "Message",
    "Role",
    "ToolCall",
    "ToolDefinition",
    "input_messages",
    "messages_of",
    "output_messages",
]

_IN = ("messages", "input_messages", "gen_ai.input.messages", "llm_input_messages", "contents", "input",
"prompt",
       "prompts", "question", "query", "request", "inputs", "kwargs", "body", "llm", "chat_history",
       "history", "text")  # fmt: skip
_OUT = ("choices", "generations", "candidates", "messages", "output_messages", "gen_ai.output.messages",
"message",
        "output", "outputs", "response", "content", "completion", "replies", "generation", "answer", "result",
        "reply", "text", "llm")  # fmt: skip
_ALTERNATIVES = {"choices", "generations", "candidates"}
"""Several answers to one call: the first is the one that went on."""
_PLAIN = {"prompt", "prompts", "input", "contents", "question", "query", "text", "output", "outputs",
"response",
          "content", "completion", "generation", "answer", "result", "reply", "message"}  # fmt: skip
"""Where a bare text is a message."""
_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction", "system_instructions",
           "gen_ai.system_instructions")  # fmt: skip
_MAX_DEPTH = 4
_MAX_SEARCHED = 64
_MAX_JSON_TEXT = 20_000_000


def input_messages(inputs: Any) -> list[Message]:
    """What a call was given: a bare text is the user's."""
    return messages_of(inputs, Role.USER)


def output_messages(outputs: Any) -> list[Message]:
    """What a call answered: a bare text is the assistant's."""
    return messages_of(outputs, Role.ASSISTANT)


def messages_of(value: Any, role: Role = Role.USER) -> list[Message]:
    """The messages in a JSON value of any dialect, in order; empty where there are none. Never raises.

    `role` is who speaks where nothing says so.
    """
    return _search(value, role, plain=True, depth=0)


def _search(value: Any, role: Role, *, plain: bool, depth: int) -> list[Message]:
    if depth > _MAX_DEPTH or value is None:
        return []
    if isinstance(value, str):
        return _of_text(value, role, plain, depth)
    if isinstance(value, list):
        return _of_list(value, role, plain, depth)
    if isinstance(value, dict):
        return _of_dict(value, role, plain, depth)
    return []


def _of_text(value: str, role: Role, plain: bool, depth: int) -> list[Message]:
    if value.startswith(('[{"', '{"')) and len(value) <= _MAX_JSON_TEXT:
        found = _remembered(value, role, lambda text, role: _of_json_text(text, role, plain, depth + 1))
        if found:
            return found
    return [Message(role=role, text=value)] if plain and value else []


def _of_json_text(text: str, role: Role, plain: bool, depth: int) -> list[Message]:
    """OpenTelemetry attributes hold JSON as text."""
    try:
        return _search(jsonx.loads(text), role, plain=plain, depth=depth)
    except ValueError:
        return []


def _of_list(value: list[Any], role: Role, plain: bool, depth: int) -> list[Message]:
    first = next((item for item in value if item is not None), None)
    if isinstance(first, list):  # a batch of one
        return _of_list(first, role, plain, depth + 1) if depth < _MAX_DEPTH else []
    if isinstance(first, str):
        return [Message(role=role, text=item) for item in value if isinstance(item, str)] if plain else []
    if plain and all(dialects.is_part(item) for item in value):
        return _remembered(value, role, lambda parts, role: dialects.read_item({"content": parts}, role))
    if any(dialects.is_message(item) for item in value):
        return _read(value, role)
    if value and all(dialects.is_call(item) for item in value):
        return dialects.read_item({"tool_calls": value}, Role.ASSISTANT)
    return []


def _of_dict(value: dict[str, Any], role: Role, plain: bool, depth: int) -> list[Message]:
    if dialects.is_message(value) and ("role" in value or "messages" not in value):
        return _read([value], role)
    keys = _IN if role is Role.USER else _OUT
    for key in (*keys, *(_OUT if role is Role.USER else _IN)):
        inner = value.get(key)
        if inner is None:
            continue
        if key in _ALTERNATIVES:
            found = _first_answer(inner, depth)
        else:
            found = _search(inner, role, plain=plain and key in keys and key in _PLAIN, depth=depth + 1)
        if found:
            return [*_system(value), *found] if role is Role.USER else found
    calls = value.get("toolCalls") or value.get("tool_calls")
    if isinstance(calls, list) and calls and all(dialects.is_call(call) for call in calls):
        return dialects.read_item({"tool_calls": calls}, Role.ASSISTANT)
    return _anywhere(value, role, depth)


def _first_answer(value: Any, depth: int) -> list[Message]:
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and isinstance(value.get("message"), dict):
        return _read([value["message"]], Role.ASSISTANT)
    return _search(value, Role.ASSISTANT, plain=True, depth=depth + 1)


def _system(value: dict[str, Any]) -> list[Message]:
    """Instructions that a dialect keeps beside the messages."""
    config = value.get("config")
    for place in (value, config if isinstance(config, dict) else {}):
        for key in _SYSTEM:
            found = _search(place.get(key), Role.SYSTEM, plain=True, depth=_MAX_DEPTH - 1)
            if found:
                return [Message(role=Role.SYSTEM, text=message.text) for message in found]
    return []


def _anywhere(value: dict[str, Any], role: Role, depth: int) -> list[Message]:
    """Messages under a name that is not known: only what has the full shape of one counts."""
    for key, inner in list(value.items())[:_MAX_SEARCHED]:
        if isinstance(inner, dict | list) and key not in _IN and key not in _OUT and key not in _SYSTEM:
            found = _search(inner, role, plain=False, depth=depth + 2)
            if found:
                return found
    return []


def _read(items: list[Any], role: Role) -> list[Message]:
    out: list[Message] = []
    loose = False
    for item in items:
        for message in _remembered(item, role, dialects.read_item):
            if out and dialects.continues(out[-1], message, loose):
                out[-1] = dialects.joined(out[-1], message)
            else:
                out.append(message)
        loose = dialects.is_loose(item)
    return out


_REMEMBERED_CHARS = 8_000_000
_WORTH_REMEMBERING = 200


class _Memo:
    """What was made of a JSON object, by its identity. Holds the object, so that its identity stays its
    own."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Role], tuple[Any, list[Message]]] = {}
        self._chars = 0

    def get(self, item: Any, role: Role, make: Callable[[Any, Role], list[Message]]) -> list[Message]:
        key = (id(item), role)
        known = self._known.get(key)
        if known is not None and known[0] is item:
            return known[1]
        made = make(item, role)
        size = _size(made)
        if size >= _WORTH_REMEMBERING:
            if self._chars + size > _REMEMBERED_CHARS:
                self._known = {}  # a new dict: another thread may be reading the old one
                self._chars = 0
            self._known[key] = (item, made)
            self._chars += size
        return made


def _size(messages: Iterable[Message]) -> int:
    return sum(len(message.text) + len(message.reasoning) + 100 * len(message.tool_calls) for message in messages)


_memo = _Memo()
_remembered = _memo.get
