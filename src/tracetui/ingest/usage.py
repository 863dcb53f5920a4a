"""Token usage in the shapes that providers and clients report it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypedDict, cast


class Usage(TypedDict, total=False):
    """The token fields of a `RunRecord` that a source says."""

    prompt_tokens: int
    completion_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int


PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "promptTokensDetails")
OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def usage_fields(usage: Any) -> Usage:
    """The token fields of a `RunRecord` from a usage object; empty where it holds none.

    Read are OpenAI (chat and Responses), LangChain's `usage_metadata`, Anthropic, Google and camel case. The
    prompt's tokens include what was read from and written to a cache: Anthropic's, which do not, are added up.
    """
    if not isinstance(usage, Mapping):
        return {}
    details = _first_map(usage, PROMPT_DETAILS)
    out_details = _first_map(usage, OUTPUT_DETAILS)
    prompt = _first(usage, "prompt_tokens", "promptTokens", "promptTokenCount", "prompt_token_count")
    inputs = _first(usage, "input_tokens", "inputTokens")
    read = _first(details, "cached_tokens", "cache_read", "cached")
    write = _first(details, "cache_write_tokens", "cache_creation_tokens", "cache_creation")
    if read is None:
        read = _first(usage, "cache_read_input_tokens", "cached_input_tokens", "cachedInputTokens",
                      "prompt_cache_hit_tokens", "cachedContentTokenCount", "cached_content_token_count")  # fmt: skip
    if write is None:
        write = _first(usage, "cache_creation_input_tokens", "cache_write_tokens")
    exclusive = (
        prompt is None
        and not details
        and ("cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage)
    )
    total = prompt if prompt is not None else inputs
    if exclusive and total is not None:
        total += (read or 0) + (write or 0)
    completion = _first(usage, "completion_tokens", "completionTokens", "output_tokens", "outputTokens")
    reasoning = _first(out_details, "reasoning_tokens", "reasoning")
    if reasoning is None:
        reasoning = _first(usage, "reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count")
    if completion is None:
        completion = _first(usage, "candidatesTokenCount", "candidates_token_count")
        if completion is not None:  # Google counts thoughts beside the answer
            completion += reasoning or 0
    fields = {
        "prompt_tokens": total,
        "completion_tokens": completion,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "reasoning_tokens": reasoning,
    }
    return cast(Usage, {name: value for name, value in fields.items() if value is not None})


def count(value: Any) -> int | None:
    """A number of tokens, or `None`: whole, not negative, of a size that a count can have."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value < 2**53 and value == int(value) else None


def _first(usage: Mapping[str, Any], *names: str) -> int | None:
    return next((found for name in names if (found := count(usage.get(name))) is not None), None)


def _first_map(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    return next((usage[name] for name in names if isinstance(usage.get(name), Mapping)), {})
