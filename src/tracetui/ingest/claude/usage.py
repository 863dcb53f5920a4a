"""Tokens of an answer. Anthropic counts the cached part of a prompt apart: here it is part of the prompt."""

from __future__ import annotations

from typing import Any, TypedDict

from tracetui.ingest.claude.records import Record

_MAX = 1 << 53


class Usage(TypedDict, total=False):
    """Fields of a run record."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost: float | None
    cost_source: str | None


def usage_of(record: Record | None) -> Usage:
    """The usage that a record says; nothing for what the program answered itself."""
    usage = record.message.get("usage") if record is not None else None
    if record is None or not isinstance(usage, dict):
        return {}
    plain, answer, read, write = (
        _count(usage.get(key))
        for key in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    prompt = [part for part in (plain, read, write) if part is not None]
    if record.message.get("model") == "<synthetic>" and not any([*prompt, answer]):
        return {}
    cost: Any = record.raw.get("costUSD")  # old versions
    said = isinstance(cost, int | float) and not isinstance(cost, bool) and 0 < cost < _MAX
    return {
        "prompt_tokens": sum(prompt) if prompt else None,
        "completion_tokens": answer,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cost": float(cost) if said else None,
        "cost_source": "source" if said else None,
    }


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _MAX else None
