"""Opening a store: what was remembered of it, and its first page. Runs in the feed's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracetui.model.errors import FilterError
from tracetui.model.kinds import Level
from tracetui.tui.memory import Memory, recall
from tracetui.tui.questions import First, first

if TYPE_CHECKING:
    from tracetui.query.ast import Node
    from tracetui.store.filters import Where
    from tracetui.store.reading import Reader


class Opening(NamedTuple):
    """A store as it was left, and its first page."""

    store_id: str
    frozen: bool
    writable: bool
    first: First
    memory: Memory
    node: Node | None = None
    where: Where | None = None


def opening(reader: Reader, lines: int, *, restore: bool) -> Opening:
    """Read the first page, filtered as it was when the store was left (if `restore`)."""
    memory = recall(reader.store_id) if restore else Memory()
    node = where = None
    if memory.filter:
        from tracetui.query import parse
        from tracetui.store.filters import compile_filter

        try:
            node = parse(memory.filter)
            where = compile_filter(node, Level.TRACE)
        except FilterError:
            node = where = None  # remembered by a version that read another language
            memory.filter = ""
    page = first(reader, where, lines)
    return Opening(reader.store_id, reader.frozen, reader.writable, page, memory, node, where)


def refusal(opening: Opening) -> str:
    """Why nothing can be written to a store; empty where it can."""
    if opening.frozen:
        return "its directory may not be written"
    return "" if opening.writable else "the file may not be written"
