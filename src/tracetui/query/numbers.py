"""Numbers as people write them in a filter: `2s`, `350ms`, `10k`, `$0.05`, `true`."""

from __future__ import annotations

import re
from decimal import Decimal

from tracetui.query.ast import Number
from tracetui.query.fields import FieldType

_NUMBER = re.compile(r"([+-]?)(\$?)(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(e[+-]?\d{1,2})?([a-z]*)", re.I)

_SECOND = 1_000_000
_UNITS: dict[FieldType, dict[str, int]] = {
    FieldType.DURATION: {
        "": _SECOND,
        "us": 1,
        "ms": 1000,
        "s": _SECOND,
        "m": 60 * _SECOND,
        "min": 60 * _SECOND,
        "h": 3600 * _SECOND,
        "d": 86_400 * _SECOND,
    },
    FieldType.COUNT: {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000},
    FieldType.MONEY: {"": 1, "k": 1000},
    FieldType.SCORE: {"": 1, "k": 1000},
}
_BOOLEANS = {"true": 1, "false": 0}
_INT64 = 2**63 - 1


def read_number(text: str, kind: FieldType) -> Number | None:
    """The number a text says, in the field's own unit (durations: microseconds), or `None` where it is none.

    Whole numbers come out as `int` where SQLite can hold them, others as `float`.
    """
    units = _UNITS.get(kind)
    if units is None:
        return None
    if kind is FieldType.SCORE and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    found = _NUMBER.fullmatch(text)
    if found is None or (found[2] and kind is not FieldType.MONEY):
        return None
    factor = units.get(found[5].lower())
    if factor is None:
        return None
    exact = Decimal(found[1] + found[3] + (found[4] or "")) * factor
    if exact == exact.to_integral_value() and abs(exact) <= _INT64:
        return int(exact)
    return float(exact)
