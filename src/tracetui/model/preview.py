"""A few words that tell what went in or came out: for lists, never the whole text."""

from __future__ import annotations

from typing import Any

LENGTH = 160
_ASKING = ("user", "human")
_LISTS = ("messages", "input", "contents", "prompt", "choices", "generations", "output")
_TEXTS = (
    "content", "text", "input", "output", "question", "query", "prompt", "answer", "result", "message", "value",
    "parts", "kwargs", "task", "messages", "outputs",
)  # fmt: skip
_STEPS = 400


def preview(value: Any, *, asked: bool) -> str | None:
    """The last thing a user said in an input (`asked`), else the last text; one line, at most `LENGTH` characters."""
    found = _last_asked(value) if asked else None
    if found is None:
        found = _first_text(value, [_STEPS])
    if found is None:
        return None
    words = " ".join(found[: 4 * LENGTH].split())
    return words if len(words) <= LENGTH else words[: LENGTH - 1] + "…"


def _last_asked(value: Any) -> str | None:
    messages = value
    for _ in range(3):
        if isinstance(messages, dict):
            messages = next((messages[key] for key in _LISTS if isinstance(messages.get(key), list)), None)
        if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], list):
            messages = messages[0]
    if not isinstance(messages, list):
        return None
    for message in reversed(messages):
        if isinstance(message, dict) and (message.get("role") or message.get("type")) in _ASKING:
            text = _first_text(message, [_STEPS])
            if text:
                return text
    return None


def _first_text(value: Any, steps: list[int]) -> str | None:
    steps[0] -= 1
    if steps[0] < 0:
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, list):
        for item in reversed(value[-20:]):
            found = _first_text(item, steps)
            if found:
                return found
    if isinstance(value, dict):
        for key in _TEXTS:
            if key in value:
                found = _first_text(value[key], steps)
                if found:
                    return found
        for item in list(value.values())[:20]:
            if isinstance(item, str | dict | list):
                found = _first_text(item, steps)
                if found:
                    return found
    return None
