"""The syntax tree of a filter.

Two trees are equal when they say the same in the same shape; `span`, the place in the text that a node was
read from, does not count. `And(())` is the empty filter: it matches everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Offsets of a part in the filter's text: start, end."""

Number: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text to compare with; a `*` (any text, also none) stands between two pieces. One piece: that text."""

    pieces: tuple[str, ...]

    @property
    def exact(self) -> str | None:
        """The text, where there is no wildcard."""
        return self.pieces[0] if len(self.pieces) == 1 else None


@dataclass(frozen=True, slots=True)
class Operand:
    """A number as it was written, and in the field's own unit (microseconds, tokens, dollars, score)."""

    text: str
    value: Number


@dataclass(frozen=True, slots=True)
class Has:
    """`field:*`: there is a value."""


@dataclass(frozen=True, slots=True)
class Is:
    """`field:text`: equal, or of the form of a pattern with wildcards."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Contains:
    """`field:~text`: the text stands somewhere in the value."""

    text: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`field:<2`; `op` is one of `<`, `<=`, `>`, `>=`."""

    op: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class Range:
    """`field:[low TO high]`; `None` is an open end, `{` and `}` leave the bound itself out."""

    low: Operand | None
    high: Operand | None
    with_low: bool = True
    with_high: bool = True


Test: TypeAlias = Has | Is | Contains | Compare | Range


@dataclass(frozen=True, slots=True)
class Field:
    """A condition on one field. Of `feedback`: `key` (`None`: any), `part` (empty: score or value)."""

    name: str
    test: Test
    key: str | None = None
    part: str = ""
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Words that stand one after the other; with `prefix` the last one may go on."""

    text: str
    prefix: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of them. An `And` holds no `And`: parentheses in an AND group belong to it."""

    items: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them. An `Or` holds no `Or`."""

    items: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Not this. A comparison with a missing value matches neither way. A `Not` holds no `Not`."""

    item: Node
    span: Span = field(default=(0, 0), compare=False, repr=False)


Node: TypeAlias = Field | Words | And | Or | Not

EVERYTHING = And(())


def all_of(items: list[Node], span: Span = (0, 0)) -> Node:
    """The AND of some nodes, as the tree keeps it: flat, and a single one stands for itself."""
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if isinstance(item, And) else (item,))
    return flat[0] if len(flat) == 1 else And(tuple(flat), span)


def any_of(items: list[Node], span: Span = (0, 0)) -> Node:
    """The OR of some nodes, as the tree keeps it: flat, and a single one stands for itself."""
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if isinstance(item, Or) else (item,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat), span)


def negated(item: Node, span: Span = (0, 0)) -> Node:
    """The NOT of a node, as the tree keeps it: two of them are none."""
    return item.item if isinstance(item, Not) else Not(item, span)


def leaves(node: Node) -> Iterator[Field | Words]:
    """Every condition of a tree, in the order of the text."""
    match node:
        case And(items=items) | Or(items=items):
            for item in items:
                yield from leaves(item)
        case Not(item=item):
            yield from leaves(item)
        case _:
            yield node


def feedback_keys(node: Node) -> tuple[str, ...]:
    """The feedback keys a filter names, each once: a filter that names one makes it the current key."""
    named = (leaf.key for leaf in leaves(node) if isinstance(leaf, Field) and leaf.name == "feedback")
    return tuple(dict.fromkeys(key for key in named if key is not None))


def tags(node: Node) -> tuple[str, ...]:
    """The tags a filter names without a wildcard, each once."""
    named = (
        leaf.test.pattern.exact
        for leaf in leaves(node)
        if isinstance(leaf, Field) and leaf.name == "tag" and isinstance(leaf.test, Is)
    )
    return tuple(dict.fromkeys(tag for tag in named if tag is not None))
