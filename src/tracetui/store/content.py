"""JSON kept once: every subtree of some size is a row of its own, whatever its dialect and nesting.

A value is stored as its own JSON text in which big subtrees are replaced by references:

* `{"": 17}` stands for the node 17;
* `{"": -17}`, only inside a list, stands for the items of the list node 17 (long lists are cut into runs of 16 items,
  so that a history that grows by two messages shares all its full runs with the call before);
* `{"": [value]}` is a source object whose only key is the empty string.

Reading back gives the JSON value that came in, key order included.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any

import orjson
import zstandard

from tracetui.model import jsonx
from tracetui.model.errors import StoreError

THRESHOLD = 256
"""Bytes of JSON text from which a subtree is a node."""
CHUNK = 16
"""Items of a list run."""
MAX_DEPTH = 150
"""Deeper subtrees are kept as one opaque text: recursion stays bounded."""
PLAIN, ZSTD, OPAQUE, OPAQUE_ZSTD = 0, 1, 2, 3
"""Codecs. The zstd ones use the dictionary in `dictionary.txt`; another dictionary would be another codec."""
INLINE = 96
"""Encoded bytes up to which an object inside an object stays where it is, though it held something big."""
_COMPRESS_FROM = 64
_LEVEL = 3
_NODE_CACHE = 200_000
_ESCAPED = b'{"":'
_REF = re.compile(rb'\{"":(-?\d+)\}')


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    """Shapes of JSON that agents' traces are full of: small bodies compress to a third of what they would alone.

    The file must never change: stored bodies are read with it.
    """
    text = resources.files("tracetui.store").joinpath("dictionary.txt").read_bytes()
    found = zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    found.precompute_compress(level=_LEVEL)
    return found


_local = threading.local()


def _decompress(body: bytes) -> bytes:
    tool: zstandard.ZstdDecompressor | None = getattr(_local, "zstd", None)
    if tool is None:
        tool = _local.zstd = zstandard.ZstdDecompressor(dict_data=_dictionary())
    return tool.decompress(body)


def body_hash(body: bytes, codec: int) -> bytes:
    """blake2b-128 of a node's body; opaque text hashes apart from text with references."""
    return hashlib.blake2b(body, digest_size=16, person=b"opaque" if codec >= OPAQUE else b"").digest()


class Encoder:
    """Turns JSON values into stored texts, adding the nodes that are new. Lives as long as its connection.

    Objects seen before in the same session (`forget` ends one) are encoded once, by identity: importers share the
    message objects of a growing history.
    """

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._known: OrderedDict[bytes, int] = OrderedDict()  # a dict slows down when its first items go
        self._complete = False  # whether `_known` holds every node of the store: a miss is then a new node
        self._new: list[tuple[int, bytes, int, int, bytes]] = []
        self._next = 0
        self._children: OrderedDict[int, tuple[int, ...]] = OrderedDict()
        # by place: an item of a list is encoded apart from a member of an object (see `_dict`)
        self._memo: tuple[dict[int, tuple[Any, bytes]], dict[int, tuple[Any, bytes]]] = ({}, {})
        self._zstd = zstandard.ZstdCompressor(
            level=_LEVEL,
            dict_data=_dictionary(),
            write_content_size=True,
            write_checksum=False,
            write_dict_id=False,
        )

    def begin(self, *, alone: bool, preload: bool = False) -> None:
        """Begin a transaction. `alone`: nobody else wrote since the last one of this encoder.

        `preload` learns all nodes of a store that is not big: what is not among them is new without asking.
        """
        last = self._conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'content'").fetchone()
        self._next = 1 + (last[0] if last else 0)
        if alone:
            return
        self._known.clear()  # another process may have collected nodes
        self._complete = preload and self._next <= _NODE_CACHE
        if self._complete:
            self._known.update(self._conn.execute("SELECT hash, pk FROM content"))

    def flush(self) -> None:
        """Write the nodes that are new; before that they cannot be read."""
        self._conn.executemany("INSERT INTO content(pk, hash, codec, size, body) VALUES (?, ?, ?, ?, ?)", self._new)
        self._new.clear()

    @property
    def pending(self) -> bool:
        """Whether nodes wait to be flushed."""
        return bool(self._new)

    def forget(self) -> None:
        """End a session: objects are no longer recognised by identity."""
        self._memo[0].clear()
        self._memo[1].clear()

    def reset(self) -> None:
        """After a rollback: node numbers given in it are void."""
        self._new.clear()
        self._complete = False
        self._memo[0].clear()
        self._memo[1].clear()
        self._known.clear()
        self._children.clear()

    def encode(self, value: Any) -> bytes:
        """The stored text of a value. Its new nodes wait for `flush`."""
        return self._encode(value, 0, item=False)

    def _encode(self, value: Any, depth: int, item: bool) -> bytes:
        if isinstance(value, str):
            return self._string(value)
        if not isinstance(value, dict | list | tuple):
            return jsonx.dumps(value)
        seen = self._memo[item]
        known = seen.get(id(value))
        if known is not None:
            return known[1]
        if depth >= MAX_DEPTH:
            text = jsonx.dumps(value)
            out = self._node(text, OPAQUE) if len(text) >= THRESHOLD or _ESCAPED in text else text
        elif isinstance(value, dict):
            out = self._dict(value, depth, item)
        else:
            out = self._list(value, depth)
        seen[id(value)] = (value, out)
        return out

    def _string(self, value: str) -> bytes:
        text = jsonx.dumps(value)
        return text if len(text) < THRESHOLD else self._node(text, PLAIN)

    def _dict(self, value: dict[str, Any], depth: int, item: bool) -> bytes:
        if len(value) == 1 and "" in value:
            return b'{"":[' + self._encode(value[""], depth + 1, item=True) + b"]}"
        shallow: dict[str, Any] | None = None
        for key, part in value.items():
            # most members are short texts and numbers, which orjson writes exactly and small (or refuses)
            kind = type(part)
            if len(part) <= _SHORT if kind is str else kind not in _BIG and (kind is not float or isfinite(part)):
                continue
            if shallow is None:
                shallow = dict(value)
            shallow[key] = orjson.Fragment(self._encode(part, depth + 1, item=False))
        text = self._text(value if shallow is None else shallow)
        # items of lists (messages) are nodes at once: the lists of a growing history then share them by number
        refers = _ESCAPED in text
        if len(text) >= THRESHOLD or (refers and (item or len(text) > INLINE)):
            return self._node(text, PLAIN)
        return text

    def _text(self, value: dict[str, Any]) -> bytes:
        """The JSON text of an object whose bigger members are fragments."""
        try:
            return orjson.dumps(value)
        except (TypeError, orjson.JSONEncodeError):  # surrogates, big integers
            parts = []
            for key, part in value.items():
                write = orjson.dumps if isinstance(part, orjson.Fragment) else jsonx.dumps
                parts.append(jsonx.dumps(key) + b":" + write(part))
            return b"{" + b",".join(parts) + b"}"

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> bytes:
        items = self._memo[True]
        parts = [
            seen[1] if (seen := items.get(id(part))) is not None else self._encode(part, depth + 1, item=True)
            for part in value
        ]
        while len(parts) > 2 * CHUNK:
            full = len(parts) // CHUNK * CHUNK
            parts = [*(self._run(parts[at : at + CHUNK]) for at in range(0, full, CHUNK)), *parts[full:]]
        text = b"[" + b",".join(parts) + b"]"
        return self._node(text, PLAIN) if len(text) >= THRESHOLD else text

    def _run(self, parts: list[bytes]) -> bytes:
        pk = self._node_pk(b"[" + b",".join(parts) + b"]", PLAIN)
        return b'{"":-%d}' % pk

    def _node(self, body: bytes, codec: int) -> bytes:
        return b'{"":%d}' % self._node_pk(body, codec)

    def _node_pk(self, body: bytes, codec: int) -> int:
        digest = body_hash(body, codec)
        known = self._known
        pk = known.get(digest)
        if pk is None:
            row = None
            if not self._complete:
                row = self._conn.execute("SELECT pk FROM content WHERE hash = ?", (digest,)).fetchone()
            pk = row[0] if row else self._insert(digest, body, codec)
            known[digest] = pk
            if len(known) > _NODE_CACHE:
                known.popitem(last=False)
                self._complete = False
            if row is None and codec < OPAQUE:
                self._remember(pk, tuple(refs(body)))
        return pk

    def _insert(self, digest: bytes, body: bytes, codec: int) -> int:
        size = len(body)
        if size >= _COMPRESS_FROM:
            packed = self._zstd.compress(body)
            if len(packed) < size:
                body, codec = packed, codec + 1
        pk = self._next
        self._next += 1
        self._new.append((pk, digest, codec, size, body))
        return pk

    def children(self, pk: int) -> tuple[int, ...]:
        """The nodes that a node refers to."""
        known = self._children.get(pk)
        if known is None:
            row = self._conn.execute("SELECT codec, body FROM content WHERE pk = ?", (pk,)).fetchone()
            known = () if row is None or row[0] >= OPAQUE else tuple(refs(unpack(row[0], row[1])))
            self._remember(pk, known)
        return known

    def _remember(self, pk: int, children: tuple[int, ...]) -> None:
        self._children[pk] = children
        if len(self._children) > _NODE_CACHE:
            self._children.popitem(last=False)


_SHORT = (THRESHOLD - 2) // 6
"""Characters of a string whose JSON text is below the threshold, however much of it is escaped."""


_BIG = (dict, list, tuple)


def refs(text: bytes) -> list[int]:
    """The nodes that a stored text refers to, in their order.

    Inside a JSON string a quote is escaped, so these bytes are never part of one; `{"": [...]}` has no number.
    """
    return [abs(int(found)) for found in _REF.findall(text)] if _ESCAPED in text else []


def unpack(codec: int, body: bytes) -> bytes:
    """A node's body before its codec. Raises `StoreError` where it is damaged."""
    if codec not in (ZSTD, OPAQUE_ZSTD):
        return body
    try:
        return _decompress(body)
    except (zstandard.ZstdError, MemoryError) as error:  # damaged bytes can ask for any size
        raise damaged(str(error)) from error


def damaged(why: str) -> StoreError:
    """What a person reads when something stored can no longer be read."""
    return StoreError(
        "A damaged store", f"What is stored here cannot be read ({why}).", "tracetui doctor STORE says what is wrong."
    )


class Contents:
    """Decoding: stored texts back to JSON values. One per connection.

    A node comes back as the same Python object each time while it is cached, so memos keyed by `id` work across the
    runs that share it. Never change what it returns.
    """

    def __init__(self, conn: sqlite3.Connection, budget: int = 64 * 2**20) -> None:
        self._conn = conn
        self._budget = budget
        self._held = 0
        self._nodes: OrderedDict[int, tuple[Any, int]] = OrderedDict()

    def value(self, blob: bytes | None) -> Any:
        """The exact JSON value of a stored text (`None` for NULL). Raises `StoreError` where it is damaged."""
        if blob is None:
            return None
        self._trim()
        try:
            return self._resolve_text(bytes(blob))
        except (ValueError, TypeError, IndexError, RecursionError, OverflowError) as error:
            raise damaged(str(error)) from error

    def node(self, pk: int) -> Any:
        """The exact JSON value of one node. Raises `StoreError` where it is missing or damaged."""
        known = self._nodes.get(pk)
        if known is not None:
            self._nodes.move_to_end(pk)
            return known[0]
        row = self._conn.execute("SELECT codec, size, body FROM content WHERE pk = ?", (pk,)).fetchone()
        if row is None:
            raise damaged(f"content {pk} is missing")
        codec, size, body = row
        text = unpack(codec, body)
        value = jsonx.loads(text) if codec >= OPAQUE else self._resolve_text(text)
        self._nodes[pk] = (value, size)
        self._held += size
        return value

    def _trim(self) -> None:
        while self._held > self._budget and self._nodes:
            _, (_, size) = self._nodes.popitem(last=False)
            self._held -= size

    def _resolve_text(self, text: bytes) -> Any:
        value = jsonx.loads(text)
        return self._resolve(value) if _ESCAPED in text else value

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1 and "" in value:
                inner = value[""]
                return {"": self._resolve(inner[0])} if isinstance(inner, list) else self.node(inner)
            return {key: self._resolve(item) if isinstance(item, dict | list) else item for key, item in value.items()}
        if isinstance(value, list):
            return list(self._items(value))
        return value

    def _items(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            if isinstance(item, dict):
                inner = item.get("")
                if len(item) == 1 and isinstance(inner, int) and inner < 0:
                    yield from self.node(-inner)
                    continue
            yield self._resolve(item) if isinstance(item, dict | list) else item
