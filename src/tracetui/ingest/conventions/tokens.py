"""Counts of tokens in one meaning: a prompt includes what was read from or written to a cache (shared notes, C.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EXCLUSIVE_SCOPES = frozenset(("openlit.instrumentation.anthropic",))
"""Instrumentations that count the cached part of a prompt apart, as Anthropic does."""


def inclusive(fields: Mapping[str, Any], scope: str) -> dict[str, int]:
    """The token fields of a run, with a prompt that includes its cached part."""
    names = ("prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    found = {name: int(fields[name]) for name in names if fields.get(name) is not None}
    cached = found.get("cache_read_tokens", 0) + found.get("cache_write_tokens", 0)
    prompt = found.get("prompt_tokens")
    if prompt is not None and (scope in EXCLUSIVE_SCOPES or cached > prompt):
        found["prompt_tokens"] = prompt + cached
    return found
