"""Tar archives: members are read once, in order, into one unnamed file, so that each finds its siblings."""

from __future__ import annotations

import io
import os
import posixpath
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from tracetui.ingest.documents import Document, Refusal
from tracetui.model.errors import InputError

_MAX_MEMBERS = 1_000_000
_CHUNK = 1 << 20


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive."""
    return head[257:262] == b"ustar"


class Spill:
    """The members of one archive, as a tree of documents. `close` gives the disk space back.

    The file behind it has no name: it is gone with the process, however that ends.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.refusals: list[Refusal] = []
        """What of the archive could not be read."""
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self._places: dict[str, tuple[int, int]] = {}
        self._by_dir: dict[str, list[str]] = {}

    def close(self) -> None:
        """Give the space back; documents of this archive cannot be opened any more."""
        self._file.close()

    def fill(self, archive: Document, limit: int, unpacking: Callable[[Document], None] | None) -> None:
        """Read all members of an archive, up to `limit` bytes; what is damaged goes into `refusals`."""
        try:
            with archive.open() as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
                for member in tar:
                    self._add(tar, member, limit)
                    if unpacking is not None:
                        unpacking(archive)
        except (tarfile.TarError, EOFError) as error:
            self._refuse(f"the archive is damaged or cut off ({error})")
        except InputError as error:
            self._refuse(error.message.removeprefix(f"{self.path}: "))
        except OSError as error:
            self._refuse(f"unpacking into {tempfile.gettempdir()} failed: {error.strerror or error}")
        for names in self._by_dir.values():
            names.sort()

    def _refuse(self, why: str) -> None:
        place = f"after member {len(self._places)}" if self._places else ""
        self.refusals.append(Refusal(self.path, place, why))

    def _add(self, tar: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> None:
        name = _tree_path(member.name)
        if member.islnk():
            place = self._places.get(_tree_path(member.linkname))
        elif member.isreg():
            place = self._copy(tar, member, limit)
        else:
            return
        if place is None:
            return
        if len(self._places) >= _MAX_MEMBERS:
            raise InputError("The archive is too large", f"{self.path}: more than {_MAX_MEMBERS} members")
        if name not in self._places:
            self._by_dir.setdefault(posixpath.dirname(name), []).append(name)
        self._places[name] = place

    def _copy(self, tar: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> tuple[int, int] | None:
        source = tar.extractfile(member)
        if source is None:
            return None
        start = end = self._file.seek(0, os.SEEK_END)
        while part := source.read(_CHUNK):
            end += len(part)
            if end > limit:
                raise InputError(
                    "The archive is too large",
                    f"{self.path}: its members come to more than {limit >> 20} MB",
                    "unpack it yourself and import the directory, if it is meant to be so large",
                )
            self._file.write(part)
        self._file.flush()
        if end - start < member.size:
            self.refusals.append(Refusal(f"{self.path}!/{member.name}", "", "the archive ends inside it"))
            return None
        return start, end - start

    @property
    def total(self) -> int:
        """The size of all members in bytes."""
        return sum(size for _, size in self._places.values())

    def documents(self) -> Iterator[Document]:
        """All members that are regular files, sorted by path; made one by one, since each holds its head."""
        return (self._document(name) for name in sorted(self._places))

    def get(self, path: str) -> Document | None:
        """The member at a path."""
        return self._document(path) if path in self._places else None

    def list(self, path: str) -> list[Document]:
        """The members directly in a directory, sorted by name."""
        return [self._document(name) for name in self._by_dir.get(_tree_path(path), ())]

    def _document(self, name: str) -> Document:
        start, size = self._places[name]

        def open_packed() -> io.BufferedReader:
            return io.BufferedReader(_Slice(self._file.fileno(), start, size), 1 << 18)

        return Document(f"{self.path}!/{name}", open_packed, size, self, name)


class _Slice(io.RawIOBase):
    """A part of a file, read on its own: several can be open at a time."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        self._fd = fd
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._size - self._at))
        data = os.pread(self._fd, wanted, self._start + self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _tree_path(name: str) -> str:
    """A member's name as a path that stays inside the archive."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts)


def spill(archive: Document, limit: int, unpacking: Callable[[Document], None] | None = None) -> Spill:
    """Read an archive, up to `limit` bytes; `unpacking` is called after each member.

    Raises `InputError` only where no temporary file can be made.
    """
    try:
        tree = Spill(archive.path)
    except OSError as error:
        raise InputError(
            "No room to unpack",
            f"no temporary file can be made for unpacking it ({error.strerror or error})",
            "set TMPDIR to a directory with space",
        ) from None
    tree.fill(archive, limit, unpacking)
    return tree
