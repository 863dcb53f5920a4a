"""What a format module reads: one logical file, wherever it lies (disk, archive) and however it is packed."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from tracetui.ingest.partial import glimpse, is_lines
from tracetui.ingest.unpack import SUFFIXES, packed_as, unpacked
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level

HEAD = 64 * 1024
MAX_LINE = 128 * 1024 * 1024
MAX_DOCUMENT = 512 * 1024 * 1024
_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"
_MAX_UP = 4


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not taken in. `place` is "line 12", "trajectory 3", or "" for the whole file."""

    path: str
    place: str
    why: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a piece of feedback is about."""

    level: Level
    id: str
    """With authority; of a thread the id its source gave."""
    project: str = ""
    """Of a thread."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for when importing, and what the store knows."""

    project: str | None = None
    resolve: Callable[[str, Level | None], Target] | None = None
    """Finds what an id of a label means (bare or with authority), at a level where that is given. Raises
    `InputError` where it means nothing, or more than one thing. `None`: ids are taken as they stand.
    """


class Tree(Protocol):
    """Where a document lies among others: a directory on disk, or an archive."""

    def get(self, path: str) -> Document | None:
        """The document at a path of the tree, or `None`."""

    def list(self, path: str) -> list[Document]:
        """The documents directly in a directory of the tree, sorted by name."""


class Document:
    """One logical file, decompressed. It can be opened as often as one likes.

    `open_packed` opens the bytes as they lie there; `size` is their number, decompressed where that is known.
    """

    def __init__(
        self,
        path: str,
        open_packed: Callable[[], io.BufferedReader],
        packed_size: int,
        tree: Tree,
        tree_path: str,
    ) -> None:
        self.path = path
        self.name = posixpath.basename(tree_path)
        self.packed_size = packed_size
        self.damage = ""
        """Why `head` is shorter than it should be: what unpacking it said."""
        self._open_packed = open_packed
        self._tree = tree
        self._tree_path = tree_path
        self._lowest: io.BufferedReader | None = None

    def __repr__(self) -> str:
        return f"Document({self.path!r})"

    @property
    def stem(self) -> str:
        """The name without what says compression and format: `gpt-4o.json.xz` is `gpt-4o`."""
        name = self.name
        for suffix in SUFFIXES:
            name = name.removesuffix(suffix)
        return name.rsplit(".", 1)[0] if "." in name.lstrip(".") else name

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB, decompressed; less where the file is shorter or damaged (then see `damage`)."""
        parts: list[bytes] = []
        wanted = HEAD
        try:
            with self.open() as stream:
                while wanted > 0 and (part := stream.read1(wanted)):
                    parts.append(part)
                    wanted -= len(part)
        except InputError as error:
            self.damage = error.message
        return b"".join(parts).removeprefix(_BOM)

    @cached_property
    def glimpse(self) -> tuple[Any, ...]:
        """The JSON lists and objects that the head shows: of JSON lines the complete ones, 50 at most; of one
        document that document, without what the head cuts off. Empty where it is no JSON.
        """
        return glimpse(self.head, self._is_cut())

    def is_lines(self) -> bool:
        """Whether JSON in it stands line by line, one value a line."""
        return is_lines(self.head, self._is_cut())

    def _is_cut(self) -> bool:
        return len(self.head) + len(_BOM) >= HEAD or bool(self.damage)

    @property
    def size(self) -> int | None:
        """The decompressed size in bytes, where it is known without reading everything."""
        with self._open_packed() as stream:
            return None if packed_as(stream.peek(8)[:8]) else self.packed_size

    def open(self) -> io.BufferedReader:
        """The decompressed bytes. Opening and reading raise `InputError` where the file is damaged."""
        try:
            self._lowest = self._open_packed()
        except OSError as error:
            raise unreadable(self.path, error) from None
        return unpacked(self._lowest, self.path, self.packed_size)

    def consumed(self) -> int:
        """How many of the `packed_size` bytes the stream opened last has read so far."""
        try:
            return self._lowest.tell() if self._lowest else 0
        except ValueError:  # closed: it was read
            return self.packed_size

    def read(self) -> bytes:
        """The whole content, without a byte order mark. Raises `InputError` over `MAX_DOCUMENT` bytes."""
        parts: list[bytes] = []
        total = 0
        with self.open() as stream:
            while part := stream.read(_CHUNK):
                total += len(part)
                if total > MAX_DOCUMENT:
                    raise InputError(
                        "The file is too large",
                        f"{self.path}: one JSON value of more than {MAX_DOCUMENT >> 20} MB",
                        "split it, or convert it to JSON lines",
                    )
                parts.append(part)
        return b"".join(parts).removeprefix(_BOM)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines, numbered from 1, without their line ends.

        A line over `MAX_LINE` bytes comes cut to one byte more than that. Where the file is damaged, the
        complete lines before the damage come, then `InputError` is raised.
        """
        for number, line, _ in self.numbered():
            yield number, line

    def numbered(self) -> Iterator[tuple[int, bytes, bool]]:
        """As `lines`, and whether the line had a line end."""
        number = 1
        parts: list[bytes] = []
        held = 0
        with self.open() as stream:
            while chunk := stream.read1(_CHUNK):
                *whole, rest = chunk.split(b"\n")
                for part in whole:
                    parts.append(part[: MAX_LINE + 1 - held])
                    yield number, _clean(b"".join(parts), number), True
                    number, parts, held = number + 1, [], 0
                if rest and held <= MAX_LINE:
                    parts.append(rest[: MAX_LINE + 1 - held])
                    held += len(parts[-1])
        if parts:
            yield number, _clean(b"".join(parts), number), False

    def sibling(self, relative: str) -> Document | None:
        """Another document of the same tree or archive, by a path relative to this one's directory."""
        path = self._beside(relative)
        return self._tree.get(path) if path is not None else None

    def list(self, relative_dir: str = ".") -> list[Document]:
        """The documents directly in a directory, given relative to this one's, sorted by name."""
        path = self._beside(relative_dir)
        return self._tree.list(path) if path is not None else []

    def _beside(self, relative: str) -> str | None:
        """A relative path in the tree; `None` where it is none or leads far away (names come from files)."""
        parts = relative.split("/")
        if relative.startswith("/") or "\x00" in relative or parts.count("..") > _MAX_UP:
            return None
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._tree_path), relative))


def _clean(line: bytes, number: int) -> bytes:
    line = line.removesuffix(b"\r")
    return line.removeprefix(_BOM) if number == 1 else line


def unreadable(path: str, error: OSError) -> InputError:
    """What a person reads where the system does not give a file."""
    return InputError("The file cannot be read", f"{path}: {(error.strerror or str(error)).lower()}")
