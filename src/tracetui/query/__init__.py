"""The filter language: text -> syntax tree -> text. Pure; knows no SQL.

The parser's library is loaded when the first filter is parsed: the way to the first page has none.
"""

from __future__ import annotations

from tracetui.query.ast import Node


def parse(text: str) -> Node:
    """The tree of a filter; an empty text gives `ast.EVERYTHING`. Raises `FilterError`."""
    from tracetui.query.parser import parse as read

    return read(text)
