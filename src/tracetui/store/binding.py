"""Which conditions of a filter speak of the same feedback row."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from tracetui.query import ast

Key = str | None
"""A feedback key; `None`: any."""


@dataclass(slots=True)
class _Set:
    keys: set[Key] = field(default_factory=set)
    members: list[int] = field(default_factory=list)


def bound_together(items: tuple[ast.Node, ...], already: Set[Key]) -> Iterator[tuple[tuple[Key, ...], list[ast.Node]]]:
    """The items of an AND group in sets, each with the keys of which its members share one row.

    A key is shared where several items name it and one of them does so without a NOT. Keys bound `already` by a group
    around this one stay bound there.
    """
    mentions = [_mentions(item) for item in items]
    shared: list[Key] = []
    for key in dict.fromkeys(key for mention in mentions for key, _ in mention):
        naming = sum(1 for mention in mentions if (key, True) in mention or (key, False) in mention)
        if key not in already and naming > 1 and any((key, False) in mention for mention in mentions):
            shared.append(key)
    sets: list[_Set] = []
    for index, mention in enumerate(mentions):
        merged = _Set({key for key, _ in mention if key in shared}, [index])
        apart = []
        for one in sets:
            if one.keys & merged.keys:
                merged = _Set(one.keys | merged.keys, one.members + merged.members)
            else:
                apart.append(one)
        sets = [*apart, merged]
    for one in sorted(sets, key=lambda one: min(one.members)):
        yield tuple(key for key in shared if key in one.keys), [items[index] for index in sorted(one.members)]


def _mentions(node: ast.Node, negated: bool = False) -> dict[tuple[Key, bool], None]:
    """The feedback keys of a tree and whether they stand negated. `-feedback.KEY:*` binds nothing."""
    match node:
        case ast.And(items=items) | ast.Or(items=items):
            return {mention: None for item in items for mention in _mentions(item, negated)}
        case ast.Not(item=item):
            return _mentions(item, not negated)
        case ast.Field(name="feedback", key=key, part=part, test=test):
            return {} if negated and not part and isinstance(test, ast.Has) else {(key, negated): None}
    return {}
