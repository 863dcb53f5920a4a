"""What a convention is read from: a span (or a log record) with plain attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.model import jsonx

_MAX_JSON = 64 * 1024 * 1024
_MAX_INDEX = 100_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened during a span. `at` in microseconds UTC."""

    name: str
    at: int | None
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Span:
    """A span as conventions see it. Attribute values are JSON values."""

    name: str = ""
    scope: str = ""
    """Name of the instrumentation."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    started_at: int | None = None
    failed: bool = False
    """The status says so."""
    status_message: str = ""
    _prefixes: frozenset[str] | None = None

    def speaks(self, *prefixes: str) -> bool:
        """Whether an attribute begins with one of these first words (up to the first dot)."""
        if self._prefixes is None:
            self._prefixes = frozenset(key.partition(".")[0] for key in self.attributes)
        return not self._prefixes.isdisjoint(prefixes)


def text(value: Any) -> str | None:
    """A text that says something; numbers as their text."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def number(value: Any) -> float | None:
    """A finite number, also where it comes as a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and abs(value) < 1e18:
        return float(value)
    return None


def count(value: Any) -> int | None:
    """A count of tokens: a whole number, not negative, also as a double or a text."""
    found = number(value)
    return int(found) if found is not None and found >= 0 and found == int(found) else None


def parsed(value: Any) -> Any:
    """The JSON value of a text that is an object or a list; every other value as it is."""
    if isinstance(value, str) and len(value) <= _MAX_JSON and value.lstrip()[:1] in ("{", "["):
        try:
            return jsonx.loads(value)
        except ValueError:
            return value
    return value


def any_json(value: Any) -> Any:
    """The JSON value of a text that is JSON at all, for attributes that are said to be JSON."""
    if isinstance(value, str) and len(value) <= _MAX_JSON:
        try:
            return jsonx.loads(value)
        except ValueError:
            return value
    return value


def empty(value: Any) -> bool:
    """Whether a value says nothing."""
    return value is None or (isinstance(value, str | list | dict | tuple) and not value)


def under(attributes: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """The keys below a prefix (`llm.tools` finds `llm.tools.0.tool.json_schema`)."""
    beginning = f"{prefix}."
    return (key for key in attributes if key.startswith(beginning))


def nested(attributes: Mapping[str, Any], prefix: str) -> Any:
    """The value that was flattened under a prefix: numbers make lists, names make objects. `None`: nothing there."""
    root: dict[str, Any] = {}
    for key in under(attributes, prefix):
        *path, last = key[len(prefix) + 1 :].split(".")
        place = root
        for part in path:
            inner = place.get(part)
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        if not isinstance(place.get(last), dict):
            place[last] = attributes[key]
    return _listed(root) if root else None


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() and len(key) < 7 and int(key) < _MAX_INDEX for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(inner) for key, inner in value.items()}
