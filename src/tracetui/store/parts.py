"""The texts of stored values, without building the values.

A pattern is searched once in each node of content, however many runs reach it. So the texts of a value come as a tree
whose shared parts are the same object each time: what was found in a part is remembered by that object.
"""

from __future__ import annotations

import re
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from tracetui.model import jsonx
from tracetui.store.content import OPAQUE, damaged, unpack

_REF = b'{"":'
_REFERENCE = re.compile(rb'\{"":(-?\d+)\}')
_NODES = "SELECT pk, codec, body FROM content WHERE pk IN (SELECT value FROM json_each(?))"
_FETCHED_AT_ONCE = 2000


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
        self._fetched: dict[int, tuple[int, bytes]] = {}

    def fetch(self, blobs: Iterable[bytes | None]) -> None:
        """Read ahead what these stored values reach: a statement per level of nesting instead of one per node."""
        wanted = {pk for blob in blobs if blob for pk in _refs(blob)}
        while True:
            missing = sorted(pk for pk in wanted if pk not in self._nodes and pk not in self._fetched)
            if not missing:
                return
            wanted = set()
            for at in range(0, len(missing), _FETCHED_AT_ONCE):
                names = jsonx.dumps(missing[at : at + _FETCHED_AT_ONCE]).decode()
                for pk, codec, body in self._conn.execute(_NODES, (names,)):
                    text = unpack(codec, body)
                    self._fetched[pk] = (codec, text)
                    if codec < OPAQUE:
                        wanted.update(_refs(text))

    def part(self, blob: bytes | None) -> Part:
        """The texts of a stored value. Raises `StoreError` where it is damaged."""
        if blob is None:
            return NOTHING
        while self._held > self._budget and self._nodes:
            _, (_, size) = self._nodes.popitem(last=False)
            self._held -= size
        return self._read(bytes(blob))

    def forget_fetched(self) -> None:
        """Drop what was read ahead and not needed."""
        self._fetched.clear()

    def node(self, pk: int) -> Part:
        """The texts of one node: the same object while it is kept."""
        known = self._nodes.get(pk)
        if known is not None:
            self._nodes.move_to_end(pk)
            return known[0]
        codec, text = self._fetched.pop(pk) if pk in self._fetched else self._fetch_one(pk)
        part = part_of(_loads(text)) if codec >= OPAQUE else self._read(text)
        self._nodes[pk] = (part, len(text) + 100)
        self._held += len(text) + 100
        return part

    def _fetch_one(self, pk: int) -> tuple[int, bytes]:
        row = self._conn.execute("SELECT codec, body FROM content WHERE pk = ?", (pk,)).fetchone()
        if row is None:
            raise damaged(f"content {pk} is missing")
        return row[0], unpack(row[0], row[1])

    def _read(self, text: bytes) -> Part:
        value = _loads(text)
        if isinstance(value, str):
            return Part((value,))
        if _REF not in text:
            return part_of(value)
        items: list[str | Part] = []
        self._walk([value], items)
        return Part(tuple(items))

    def _walk(self, values: Iterable[Any], items: list[str | Part]) -> None:
        nodes = self._nodes
        for value in values:
            kind = type(value)
            if kind is dict:
                if len(value) == 1 and "" in value:
                    inner = value[""]
                    if type(inner) is int:
                        known = nodes.get(abs(inner))
                        items.append(known[0] if known is not None else self.node(abs(inner)))
                    else:
                        self._walk(inner, items)
                else:
                    self._walk(value.values(), items)
            elif kind is str:
                items.append(value)
            elif kind is list:
                self._walk(value, items)


def _loads(text: bytes) -> Any:
    """A JSON value of which only the texts matter: numbers need not be exact, which saves looking for long ones."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return jsonx.loads(text)


def _refs(text: bytes) -> Iterator[int]:
    """The nodes that a stored text refers to. No text inside the JSON can look like a reference: quotes are escaped."""
    return (abs(int(found)) for found in _REFERENCE.findall(text))
