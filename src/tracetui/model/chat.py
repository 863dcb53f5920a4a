"""What a chat is made of, whatever dialect it came in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from tracetui.model import jsonx


class Role(StrEnum):
    """Who speaks. Every dialect's own names are mapped to these four."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that a message asks for."""

    name: str
    arguments: Any = None
    """The JSON value; a text that is no JSON object or list stays text."""
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat. A tool's result is a message of its own, with role `tool`."""

    role: Role
    text: str = ""
    """What is said. Parts are joined by line breaks; what is no text is named: `[image image/png, 12 KB]`."""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a result: the call that it answers."""
    name: str | None = None
    """Of a result: the tool, where it says; else the speaker's own name, or a role of no known meaning."""
    error: bool = False
    """Of a result: the tool failed."""
    _identity: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def identity(self) -> bytes:
        """Equal for messages that say the same: role, text and tool calls (names and arguments), nothing
        else.

        What one dialect adds to an answer and leaves out where it is sent again (ids, annotations, reasoning,
        blanks at the ends) makes no difference.
        """
        if self._identity is None:
            object.__setattr__(self, "_identity", _digest(self))
        assert self._identity is not None
        return self._identity


def _digest(message: Message) -> bytes:
    digest = hashlib.blake2b(digest_size=12)
    digest.update(message.role.encode())
    digest.update(message.text.strip().encode("utf-8", "surrogatepass"))
    for call in message.tool_calls:
        digest.update(b"\0" + call.name.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(_canonical(call.arguments))
    return digest.digest()


def _canonical(value: Any) -> bytes:
    """The JSON text of a value with sorted keys; in their own order where a value is too odd for that."""
    try:
        return orjson.dumps(value or None, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return jsonx.dumps(value)


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool that was offered to a call."""

    name: str
    description: str = ""
    parameters: Any = None
    """The JSON Schema of its arguments, or whatever stands in its place."""
