"""JSON that loses nothing: big integers, NaN, lone surrogates and deep nesting survive.

`orjson` is several times faster than the standard library but turns integers over 64 bit into floats, writes NaN as
null and refuses lone surrogates and deep nesting; so it is used only where it is exact, and `json` elsewhere.
"""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_DIGITS = bytes(ord("0") if chr(byte).isdecimal() and byte < 128 else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 17
"""A run of this many digits may be a number that orjson would round; a search after `translate` is the fastest way."""


def loads(data: bytes | str) -> Any:
    """The JSON value of a text. Raises `ValueError` (its text has line and column) where it is none."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if _LONG_NUMBER not in raw.translate(_DIGITS):
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            pass  # NaN, surrogates, depth: the standard library decides
    try:
        return json.loads(raw.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("nested more than a thousand levels deep") from None


def unwrapped(value: Any) -> Any:
    """The object or list that a text holds as JSON (arguments and exports often do so); anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return loads(value)
        except ValueError:
            return value
    return value


def dumps(value: Any) -> bytes:
    """The compact JSON text of a value, keys in their own order, as UTF-8 (lone surrogates escaped)."""
    try:
        out = orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return _dumps_exact(value)
    if b"null" in out and has_nonfinite(value):  # orjson writes NaN as null
        return _dumps_exact(value)
    return out


def _dumps_exact(value: Any) -> bytes:
    try:
        # ensure_ascii writes lone surrogates as \udXXX, which `loads` reads back as they were
        return json.dumps(value, separators=(",", ":")).encode("ascii")
    except RecursionError:
        return "".join(_pieces(value)).encode("ascii")


def _pieces(value: Any) -> list[str]:
    """The text of a value of any depth, without recursion."""
    out: list[str] = []
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, _Raw):
            out.append(item.text)
        elif isinstance(item, dict):
            parts: list[Any] = [_Raw("{")]
            for index, (key, sub) in enumerate(item.items()):
                parts += [_Raw(("," if index else "") + json.dumps(key) + ":"), sub]
            stack.extend(reversed([*parts, _Raw("}")]))
        elif isinstance(item, list | tuple):
            parts = [_Raw("[")]
            for index, sub in enumerate(item):
                parts += [_Raw(","), sub] if index else [sub]
            stack.extend(reversed([*parts, _Raw("]")]))
        else:
            out.append(json.dumps(item))
    return out


class _Raw:
    """Text that stands for itself in `_pieces`."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def has_nonfinite(value: Any) -> bool:
    """Whether a NaN or an infinity stands anywhere in a JSON value."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            if not math.isfinite(item):
                return True
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
    return False


def without_nonfinite(value: Any) -> Any:
    """A copy in which NaN and infinities are null: what a column that SQL filters by can hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nonfinite(sub) for key, sub in value.items()}
    if isinstance(value, list | tuple):
        return [without_nonfinite(sub) for sub in value]
    return value
