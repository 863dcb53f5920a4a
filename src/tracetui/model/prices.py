"""What a call cost, estimated from its model and tokens by genai-prices. An unknown price stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any


def estimate(
    model: str,
    provider: str | None = None,
    at_us: int | None = None,
    *,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    cache_read_tokens: int | None = None,
    cache_write_tokens: int | None = None,
) -> tuple[float, str] | None:
    """US dollars and `genai-prices <version>`, or `None` where the price or the tokens are not known.

    `prompt_tokens` includes cache reads and writes. `at_us` is when the call was made (microseconds UTC): prices
    change. A price of nothing for some tokens counts as unknown.
    """
    if not prompt_tokens and not completion_tokens:
        return None
    known = _reference(model, provider)
    if known is None:
        return None
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=prompt_tokens or 0,
        output_tokens=completion_tokens or 0,
        cache_read_tokens=cache_read_tokens or None,
        cache_write_tokens=cache_write_tokens or None,
    )
    moment = datetime.fromtimestamp(at_us / 1_000_000, UTC) if at_us is not None else None
    try:
        price = calc_price(usage, known[0], provider_id=known[1], genai_request_timestamp=moment)
    except (LookupError, ValueError):  # ValueError: more cached tokens than tokens
        return None
    cost = float(price.total_price)
    return (cost, source()) if cost > 0 else None


@lru_cache(maxsize=1)
def source() -> str:
    """What stands in `cost_source` of an estimate."""
    return f"genai-prices {version('genai-prices')}"


@lru_cache(maxsize=4096)
def _reference(model: str, provider: str | None) -> tuple[str, str | None] | None:
    """The spelling under which the price list knows a model; routers put a vendor before its name."""
    bare = model.rsplit("/", 1)[-1]
    spellings: list[tuple[str, str | None]] = [(model, provider), (model, None), (bare, None)]
    return next((each for each in dict.fromkeys(spellings) if _is_priced(*each)), None)


def _is_priced(model: str, provider: str | None) -> bool:
    from genai_prices import Usage, calc_price

    try:
        calc_price(Usage(input_tokens=1, output_tokens=1), model, provider_id=provider)
    except (LookupError, ValueError):
        return False
    return True


def known_cost(cost: Any, tokens: int) -> float | None:
    """A cost as a source says it, or `None`: what costs nothing although it has tokens was not priced."""
    if isinstance(cost, str):
        try:
            cost = float(cost)
        except ValueError:
            return None
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    value = float(cost)
    if not 0 <= value < float("inf"):
        return None
    return None if value == 0 and tokens > 0 else value
