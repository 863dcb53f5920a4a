"""From the paths on the command line to documents: files, directories, archives in archives."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tracetui.ingest.archive import is_tar, spill
from tracetui.ingest.documents import Document, Refusal
from tracetui.ingest.unpack import unpacked_limit
from tracetui.model.errors import InputError

_MAX_NESTING = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A document, and what is known of it before its content."""

    doc: Document
    named: bool
    """Its file was named by the person (not met in a directory or an archive)."""
    weight: float
    """Its part of the bytes on disk, for the progress."""


class _Disk:
    """Files on disk as a tree."""

    def get(self, path: str) -> Document | None:
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return None
        return document(path, status.st_size) if stat.S_ISREG(status.st_mode) else None

    def list(self, path: str) -> list[Document]:
        try:
            names = sorted(os.listdir(path or "."))  # noqa: PTH208  (names, not paths)
        except OSError:
            return []
        found = (self.get(posixpath.join(path, name)) for name in names)
        return [doc for doc in found if doc is not None]


_DISK = _Disk()


def document(path: str, size: int) -> Document:
    """The document that a file on disk is, of so many bytes."""
    return Document(path, lambda: Path(path).open("rb"), size, _DISK, path)


def files(paths: Iterable[str]) -> Iterator[tuple[str, int, bool] | Refusal]:
    """Every regular file under the paths: path, size in bytes, whether it was named itself.

    Directories come in sorted order; links to directories are not followed.
    """
    for path in paths:
        try:
            status = Path(path).stat()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            yield Refusal(path, "", (why or "cannot be read").lower())
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _directory(path)
        elif _live_database(path):
            yield Refusal(path, "", "a database, not a trace file (the store comes first on the line)")
        elif stat.S_ISREG(status.st_mode):
            yield path, status.st_size, True
        else:
            yield Refusal(path, "", "neither a regular file nor a directory")


def _live_database(path: str) -> bool:
    """Whether a file belongs to an open SQLite database, perhaps to the store that is being written.

    It is not even opened: closing it again would drop the locks that SQLite holds on it for this process.
    """
    base = path.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal")
    return Path(f"{base}-shm").exists()


def _directory(path: str) -> Iterator[tuple[str, int, bool] | Refusal]:
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        yield Refusal(path, "", (error.strerror or str(error)).lower())
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _directory(entry.path)
            elif entry.is_file() and not _live_database(entry.path):
                yield entry.path, entry.stat().st_size, False
        except OSError as error:
            yield Refusal(entry.path, "", (error.strerror or str(error)).lower())


def documents(
    path: str, size: int, named: bool, unpacking: Callable[[Document], None] | None = None
) -> Iterator[Found | Refusal]:
    """The documents of one file on disk: itself, or the members of the archive it is.

    `unpacking` is called with an archive after each member that was unpacked, for the progress.
    """
    yield from _inside(Found(document(path, size), named, size), unpacked_limit(size), 0, unpacking)


def _inside(
    found: Found, limit: int, depth: int, unpacking: Callable[[Document], None] | None
) -> Iterator[Found | Refusal]:
    doc = found.doc
    if not is_tar(doc.head):
        yield found
        return
    if depth >= _MAX_NESTING:
        yield Refusal(doc.path, "", f"archives nested more than {_MAX_NESTING} deep")
        return
    try:
        opened = spill(doc, limit, unpacking)
    except InputError as error:
        yield Refusal(doc.path, "", error.message)
        return
    with closing(opened) as archive:
        whole = archive.total
        for member in archive.documents():
            inner = Found(member, False, found.weight * member.packed_size / (whole or 1))
            yield from _inside(inner, limit - whole, depth + 1, unpacking)
        yield from archive.refusals
        if not whole and not archive.refusals and found.named:
            yield Refusal(doc.path, "", "the archive holds no files")
