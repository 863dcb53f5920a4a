"""What the attributes of a span mean: the conventions of many instrumentations, as tables over one mechanism.

To add a dialect: a module with a `TABLE` (see `table`), and its place in `_TABLES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.conventions import genai, openinference, shapes
from tracetui.ingest.conventions.failures import failure
from tracetui.ingest.conventions.spans import Event, Span
from tracetui.ingest.conventions.table import Tables
from tracetui.ingest.conventions.tokens import inclusive
from tracetui.model.kinds import Kind

__all__ = ["Event", "Meaning", "Span", "meaning_of"]

_TABLES = Tables(genai.TABLE, openinference.TABLE, shapes.TABLE)
_JSON_KEPT = ("input.value", "output.value", "pydantic_ai.all_messages")


@dataclass(slots=True)
class Meaning:
    """What a span says in the fields of a run record."""

    fields: dict[str, Any]
    """Fields of `RunRecord` by name."""
    rest: dict[str, Any] = field(default_factory=dict)
    """The attributes that no field holds as a whole."""


def meaning_of(span: Span) -> Meaning:
    """Read a span by all conventions. Its kind is `other` where none of them knows it."""
    found = _TABLES.read(genai.with_details(span))
    values = {name: each.value for name, each in found.items()}
    fields = {name: value for name, value in values.items() if not name.endswith("_tokens") and name != "cost"}
    fields |= inclusive(values, span.scope)
    fields.setdefault("kind", Kind.OTHER)
    fields.setdefault("name", span.name)
    fields["tags"] = tuple(values.get("tags", ()))
    fields["metadata"] = values.get("metadata", {})
    cost = values.get("cost")
    if cost is not None and (cost > 0 or (cost == 0 and not fields.get("prompt_tokens"))):
        fields["cost"], fields["cost_source"] = cost, "source"  # nothing for many tokens: not known
    failed, error = failure(span)
    if failed:
        fields |= {"status": "error", "error": error}
    taken = frozenset().union(*(each.keys for each in found.values()))
    return Meaning(fields, _rest(span.attributes, taken))


def _rest(attributes: Mapping[str, Any], taken: frozenset[str]) -> dict[str, Any]:
    """What is kept beside the fields; big JSON as JSON, so that the store keeps what repeats in it once."""
    rest = {
        key: value for key, value in attributes.items() if key not in taken and not key.endswith(openinference.VECTOR)
    }
    for key in _JSON_KEPT:
        if key in rest:
            rest[key] = openinference.read_value(rest[key], attributes.get(key.replace(".value", ".mime_type")))
    return rest
