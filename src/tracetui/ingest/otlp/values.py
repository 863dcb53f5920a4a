"""The JSON encoding of OTLP: values, attributes, ids and times (specification 1.10; shared ingest notes, B.1)."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MAX_DEPTH = 60
_HEX = re.compile(r"[0-9a-f]+")
_MAX_US = 253_402_300_799_999_999
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def member(place: Any, name: str) -> Any:
    """A member by its name in camel case, also where it is written in snake case."""
    if not isinstance(place, Mapping):
        return None
    found = place.get(name)
    return place.get(re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()) if found is None else found


def members(place: Any, *names: str) -> Iterator[Any]:
    """The items of the first of some lists that is there."""
    for name in names:
        found = member(place, name)
        if isinstance(found, list):
            yield from found
            return


def any_value(value: Any, depth: int = 0) -> Any:
    """The JSON value of an `AnyValue`: integers also from texts, bytes as their base64; plain values as they are."""
    if not isinstance(value, Mapping) or depth > _MAX_DEPTH:
        return value
    for name, read in _READ.items():
        inner = member(value, name)
        if inner is not None:
            return read(inner, depth)
    return None if not value or set(value) <= _NAMES else dict(value)


def _int(value: Any, _: int) -> Any:
    try:
        return int(value) if not isinstance(value, float) or value == int(value) else value
    except (TypeError, ValueError, OverflowError):
        return value


def _double(value: Any, _: int) -> Any:
    if isinstance(value, str):
        if value in _SPECIAL:
            return _SPECIAL[value]
        try:
            return float(value)
        except ValueError:
            return value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


def _array(value: Any, depth: int) -> Any:
    return [any_value(item, depth + 1) for item in members(value, "values")]


def _kvlist(value: Any, depth: int) -> Any:
    return attributes(member(value, "values") or [], depth + 1)


def _same(value: Any, _: int) -> Any:
    return value


_READ = {
    "stringValue": _same,
    "boolValue": _same,
    "intValue": _int,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _same,
}
_NAMES = frozenset(_READ) | frozenset(("string_value", "bool_value", "int_value", "double_value", "array_value",
                                       "kvlist_value", "bytes_value"))  # fmt: skip


def attributes(value: Any, depth: int = 0) -> dict[str, Any]:
    """A list of `KeyValue` as an object; of a key that is there twice the last counts."""
    if isinstance(value, Mapping):
        return {str(key): any_value(inner, depth) for key, inner in value.items()}
    found: dict[str, Any] = {}
    for pair in value if isinstance(value, list) else ():
        if isinstance(pair, Mapping) and isinstance(pair.get("key"), str):
            found[pair["key"]] = any_value(pair.get("value"), depth)
    return found


def hex_id(value: Any, size: int) -> str | None:
    """A trace or span id in lower case; `None` where there is none (all zeros as well). `size` in bytes.

    Ids are hexadecimal; exporters that follow the general JSON form of protobuf write base64.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    found = value.strip().lower()
    if not _HEX.fullmatch(found):
        try:
            raw = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != size:
            return None
        found = raw.hex()
    return found if len(found) <= 64 and found.strip("0") else None


def nano(value: Any) -> int | None:
    """A time in nanoseconds since 1970, from a number or a text; `None` where it is not set."""
    if isinstance(value, bool):
        return None
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 0 < found // 1000 <= _MAX_US else None


def micro(value: Any) -> int | None:
    """The same in microseconds."""
    found = nano(value)
    return None if found is None else found // 1000
