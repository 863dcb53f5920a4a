"""What trajectory formats share: positions without times, and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracetui.model import jsonx
from tracetui.model.ids import content_id


class Order:
    """Positions of the runs of one trajectory: their time where there is one, else one after the last."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, at_us: int | None = None) -> int:
        """The position of the next run."""
        self._last = at_us if at_us is not None and at_us > self._last else self._last + 1
        return self._last


def record_id(authority: str, *parts: Any) -> str:
    """An id made from JSON values, the same every time."""
    return content_id(authority, *(jsonx.dumps(part) for part in parts))


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts of which those with text count."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = (part.get("text") if isinstance(part, Mapping) else part for part in content)
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def named(value: Any) -> str | None:
    """A name or an id as text; `None` where there is none."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
