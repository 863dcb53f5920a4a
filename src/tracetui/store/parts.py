"""The texts of stored values, without building the values.

A pattern is searched once in each node of content, however many runs reach it. So the texts of a value come as a tree
whose shared parts are the same object each time: what was found in a part is remembered by that object.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from tracetui.model import jsonx
from tracetui.store.content import OPAQUE, unpack

_REF = b'{"":'


class Part:
    """Texts in their order: string values, never keys or numbers. Compared by identity."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[str | Part, ...] = ()) -> None:
        self.items = items

    def __iter__(self) -> Iterator[str]:
        """All the texts."""
        stack = [iter(self.items)]
        while stack:
            for item in stack[-1]:
                if isinstance(item, str):
                    yield item
                else:
                    stack.append(iter(item.items))
                    break
            else:
                stack.pop()

    def __bool__(self) -> bool:
        """Whether there is any text, be it empty."""
        return next(iter(self), None) is not None


NOTHING = Part()


def part_of(value: Any) -> Part:
    """The texts of a JSON value that is at hand."""
    return Part(tuple(strings_of(value)))


def strings_of(value: Any) -> Iterator[str]:
    """Every string value of a JSON value, in order."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))


class Parts:
    """Reads the texts of stored values. One per connection; bounded by the bytes of the nodes it keeps."""

    def __init__(self, conn: sqlite3.Connection, budget: int = 64 * 2**20) -> None:
        self._conn = conn
        self._budget = budget
        self._held = 0
        self._nodes: OrderedDict[int, tuple[Part, int]] = OrderedDict()

    def part(self, blob: bytes | None) -> Part:
        """The texts of a stored value. Raises `LookupError` where the store lacks a node."""
        if blob is None:
            return NOTHING
        while self._held > self._budget and self._nodes:
            _, (_, size) = self._nodes.popitem(last=False)
            self._held -= size
        return self._read(bytes(blob))

    def node(self, pk: int) -> Part:
        """The texts of one node: the same object while it is kept."""
        known = self._nodes.get(pk)
        if known is not None:
            self._nodes.move_to_end(pk)
            return known[0]
        row = self._conn.execute("SELECT codec, size, body FROM content WHERE pk = ?", (pk,)).fetchone()
        if row is None:
            raise LookupError(f"content {pk} is missing")
        codec, size, body = row
        text = unpack(codec, body)
        part = part_of(jsonx.loads(text)) if codec >= OPAQUE else self._read(text)
        self._nodes[pk] = (part, size + 100)
        self._held += size + 100
        return part

    def _read(self, text: bytes) -> Part:
        value = jsonx.loads(text)
        if _REF not in text:
            return part_of(value)
        items: list[str | Part] = []
        self._walk(value, items)
        return Part(tuple(items))

    def _walk(self, value: Any, items: list[str | Part]) -> None:
        if isinstance(value, str):
            items.append(value)
        elif isinstance(value, dict):
            if len(value) == 1 and "" in value:
                inner = value[""]
                if isinstance(inner, int):
                    items.append(self.node(abs(inner)))
                else:
                    self._walk(inner[0], items)
                return
            for item in value.values():
                self._walk(item, items)
        elif isinstance(value, list):
            for item in value:
                self._walk(item, items)
