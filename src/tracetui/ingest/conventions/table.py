"""How a convention is written down: for each field of a run, where it stands, and which place comes first.

A dialect is a table: field -> sources. All tables are joined; of the sources of a field the first (by `rank`) that
finds something counts. So a span may speak several dialects at once, and a field that one does not say is taken from
another (shared ingest notes, C.1, whose order the ranks follow).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracetui.ingest.conventions.spans import Span, empty


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and the attributes that it holds all of (they need not be kept beside it)."""

    value: Any
    keys: frozenset[str] = frozenset()


Read: TypeAlias = Callable[[Span], "Found | None"]


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a field may stand."""

    rank: int
    read: Read


Table: TypeAlias = Mapping[str, tuple[Source, ...]]


def attribute(
    rank: int, *keys: str, convert: Callable[[Any], Any] = lambda value: value, whole: bool = False
) -> Source:
    """The first of some attributes that says something after `convert`.

    `whole`: the field holds everything that the attribute does.
    """

    def read(span: Span) -> Found | None:
        for key in keys:
            if key in span.attributes:
                value = convert(span.attributes[key])
                if not empty(value):
                    return Found(value, frozenset((key,)) if whole else frozenset())
        return None

    return Source(rank, read)


class Tables:
    """Several tables as one."""

    def __init__(self, *tables: Table) -> None:
        joined: dict[str, list[Source]] = {}
        for table in tables:
            for field, sources in table.items():
                joined.setdefault(field, []).extend(sources)
        self._sources = {field: sorted(sources, key=lambda each: each.rank) for field, sources in joined.items()}

    def read(self, span: Span) -> dict[str, Found]:
        """What a span says, by field."""
        found: dict[str, Found] = {}
        for field, sources in self._sources.items():
            for source in sources:
                value = source.read(span)
                if value is not None and not empty(value.value):
                    found[field] = value
                    break
        return found
