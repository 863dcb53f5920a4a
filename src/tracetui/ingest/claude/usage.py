"""What an answer cost, as its last line says it."""

from __future__ import annotations

from typing import Any

from tracetui.ingest.claude.records import Record
from tracetui.ingest.usage import Usage, usage_fields

_MAX_COST = 1e9


def tokens(record: Record | None) -> Usage:
    """The tokens that a record says; nothing for what the program answered itself."""
    fields = usage_fields(record.message.get("usage")) if record is not None else Usage()
    made_up = record is not None and record.message.get("model") == "<synthetic>" and not any(fields.values())
    return Usage() if made_up else fields


def dollars(record: Record | None) -> float | None:
    """What old versions wrote down as the cost."""
    cost: Any = record.raw.get("costUSD") if record is not None else None
    if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 < cost < _MAX_COST:
        return float(cost)
    return None
