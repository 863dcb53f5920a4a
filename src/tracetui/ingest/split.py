"""One big JSON document, piece by piece: the items of its list, or the items of the lists it holds by key.

A JSON library that streams turns big numbers and lone surrogates into others and ends at the first damage.
Here only the brackets are looked at; each piece is read by `jsonx`, so a wrong piece costs that piece alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tracetui.ingest.documents import MAX_DOCUMENT, Document, Refusal
from tracetui.ingest.jsonlines import json_lines, json_value, why_no_json
from tracetui.model import jsonx
from tracetui.model.errors import InputError

_CHUNK = 1 << 18
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
# everything up to the next bracket; a quote in its place begins a string that the buffer cuts
_BRACKET = re.compile(rb"(?:" + _STRING + rb'|[^"\[\]{}]++)*+(["\[\]{}])', re.DOTALL)
_WHOLE_STRING = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]*+")
_BLANK = re.compile(rb"[ \t\r\n]*+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One item of the top list (`key` is `None`) or of the list under `key`; or all that is under `key`."""

    key: str | None
    index: int | None
    """From 0; `None` where the value is all that stands under `key`."""
    value: Any


@dataclass(frozen=True, slots=True)
class Record:
    """One value of a file that holds many, with the place a person finds it by."""

    place: str
    key: str | None
    """The key of the list that it stands in, where it stands in one."""
    value: Any


def records(doc: Document, noun: str, keys: Collection[str] = ()) -> Iterator[Record | Refusal]:
    """The values of a file that is a JSON list, JSON lines, one object, or an object with lists under `keys`."""
    shown = doc.glimpse[0] if len(doc.glimpse) == 1 else None
    if doc.head.lstrip().startswith(b"["):
        for piece in pieces(doc, noun=noun):
            if isinstance(piece, Refusal):
                yield piece
            else:
                yield from _spread(f"{noun} {(piece.index or 0) + 1}", piece.value, keys)
    elif isinstance(shown, dict) and any(key in shown for key in keys):
        for piece in pieces(doc, keys=keys):
            if isinstance(piece, Refusal):
                yield piece
            elif piece.index is not None:
                yield Record(f"{piece.key} {piece.index + 1}", piece.key, piece.value)
    elif doc.is_lines():
        for line in json_lines(doc):
            if isinstance(line, Refusal):
                yield line
            else:
                yield from _spread(f"line {line.number}", line.value, keys)
    else:
        value = json_value(doc)
        yield value if isinstance(value, Refusal) else Record("", None, value)


def _spread(place: str, value: Any, keys: Collection[str]) -> Iterator[Record]:
    """A value, or the items of the lists it holds under `keys`."""
    lists = [key for key in keys if isinstance(value.get(key), list)] if isinstance(value, dict) else []
    if not lists:
        yield Record(place, None, value)
    for key in lists:
        for index, item in enumerate(value[key]):
            yield Record(f"{place}, {key} {index + 1}", key, item)


def pieces(doc: Document, keys: Collection[str] = (), noun: str = "item") -> Iterator[Piece | Refusal]:
    """The pieces of a JSON document that is a list or an object, in their order.

    Of an object, a list under one of `keys` comes item by item, everything else whole. `noun` names an item
    of the top list in refusals ("trajectory 3").
    """
    splitter: _Splitter | None = None
    try:
        with doc.open() as stream:
            splitter = _Splitter(stream, doc.path, keys, noun)
            yield from splitter.pieces()
    except InputError as error:
        place = splitter.place if splitter else ""
        yield Refusal(doc.path, place, error.message.removeprefix(f"{doc.path}: "))


class _Splitter:
    def __init__(self, stream: io.BufferedReader, path: str, keys: Collection[str], noun: str) -> None:
        self.place = ""
        self._stream = stream
        self._path = path
        self._keys = keys
        self._noun = noun
        self._buffer = b""
        self._at = 0

    def pieces(self) -> Iterator[Piece | Refusal]:
        match self._peek():
            case b"":
                return
            case b"[":
                yield from self._items(None)
            case b"{":
                while self._peek() == b"{":  # bodies may follow one another
                    yield from self._members()
            case _:
                raise self._wrong("neither a JSON list nor an object")
        self.place = ""
        if self._peek():
            raise self._wrong("something follows the end of the JSON document")

    def _items(self, key: str | None) -> Iterator[Piece | Refusal]:
        self._at += 1
        index = 0
        if self._peek() == b"]":
            self._at += 1
            return
        while True:
            self.place = f"{key or self._noun} {index + 1}"
            yield self._piece(key, index)
            if not self._goes_on(b"]"):
                return
            index += 1

    def _members(self) -> Iterator[Piece | Refusal]:
        self._at += 1
        if self._peek() == b"}":
            self._at += 1
            return
        while True:
            if self._peek() != b'"':
                raise self._wrong("a key in quotes is missing")
            key = jsonx.loads(self._value())
            self.place = str(key)
            if self._peek() != b":":
                raise self._wrong("a colon is missing after the key")
            self._at += 1
            if key in self._keys and self._peek() == b"[":
                yield from self._items(key)
                self.place = str(key)
            else:
                yield self._piece(key, None)
            if not self._goes_on(b"}"):
                return

    def _goes_on(self, closer: bytes) -> bool:
        """Past the comma or the closing bracket that follows a value; whether it was the comma."""
        found = self._peek()
        if not found:
            self.place = f"after {self.place}"
        if found not in (b",", closer):
            raise self._wrong(
                f"a comma or {closer.decode()} is missing after it" if found else "the file ends here (cut off?)"
            )
        self._at += 1
        return found == b","

    def _piece(self, key: str | None, index: int | None) -> Piece | Refusal:
        raw = self._value()
        try:
            return Piece(key, index, jsonx.loads(raw))
        except ValueError as error:
            return Refusal(self._path, self.place, f"{why_no_json(error, with_line=True)} of it")

    def _wrong(self, why: str) -> InputError:
        why = why or "the file ends inside it (cut off?)"
        return InputError("The file is damaged", f"{self._path}: {why}")

    def _fill(self) -> bool:
        """Read more behind what is held; `False` at the end of the file."""
        held = len(self._buffer) - self._at
        if held > MAX_DOCUMENT:
            raise self._wrong(f"one JSON value of more than {MAX_DOCUMENT >> 20} MB")
        more = self._stream.read1(max(_CHUNK, held))  # doubling keeps the scan of one long value linear
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return bool(more)

    def _peek(self) -> bytes:
        """The next byte that is no blank, and go there; empty at the end of the file."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._fill():
                return b""

    def _value(self) -> bytes:
        """The text of the value that begins here, and go behind it."""
        first = self._peek()
        if first in (b"[", b"{"):
            size = self._container()
        elif first == b'"':
            size = self._scan(_WHOLE_STRING)
        else:
            size = self._scan(_SCALAR)
        value = self._buffer[self._at : self._at + size]
        self._at += size
        return value

    def _scan(self, pattern: re.Pattern[bytes]) -> int:
        while True:
            found = pattern.match(self._buffer, self._at)
            if found and found.end() < len(self._buffer):
                return found.end() - self._at
            if not self._fill():
                if not found:
                    raise self._wrong("")
                return found.end() - self._at

    def _container(self) -> int:
        depth = 0
        scanned = 0
        while True:
            # never `finditer`: a search would go on inside a string
            while found := _BRACKET.match(self._buffer, self._at + scanned):
                bracket = found[1]
                if bracket == b'"':
                    scanned = found.start(1) - self._at
                    break
                depth += 1 if bracket in b"[{" else -1
                scanned = found.end() - self._at
                if depth == 0:
                    return scanned
            if not self._fill():
                raise self._wrong("")
