"""Times: integer microseconds UTC everywhere inside; any spelling outside."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Any

_MAX_US = 253_402_300_799_999_999  # 9999-12-31


def now_us() -> int:
    """Wall clock, microseconds UTC."""
    return time.time_ns() // 1000


def to_us(value: Any) -> int | None:
    """Any source's time as microseconds UTC, or `None` where it is no time.

    Numbers below 1e11 are seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds (shared
    ingest notes, A.3); numeric strings likewise; other strings ISO 8601, naive ones UTC.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            return to_us(int(text) if text.lstrip("-").isdigit() else float(text))
        except ValueError:
            return _from_iso(text)
    if not isinstance(value, int | float) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    size = abs(value)
    if size < 1e11:
        us = round(value * 1_000_000)
    elif size < 1e14:
        us = round(value * 1000)
    elif size < 1e17:
        us = int(value)
    else:
        us = int(value) // 1000
    return us if 0 < us <= _MAX_US else None


def _from_iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    us = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return us if 0 < us <= _MAX_US else None


def to_iso(us: int | None) -> str | None:
    """ISO 8601 in UTC with microseconds, or `None`."""
    if us is None:
        return None
    seconds, rest = divmod(us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:06d}Z"
