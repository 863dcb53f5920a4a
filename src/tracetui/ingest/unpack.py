"""Compressed streams: gzip, bzip2, xz and zstd, recognised by their first bytes, in any nesting, bounded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from tracetui.model.errors import InputError

UNPACKED_FLOOR = 256 * 1024 * 1024
UNPACKED_RATIO = 1000
"""A file may unpack to the floor or to this many times its size, whichever is more. Real traces that repeat
their whole conversation in every call reach a few hundred."""
_MAX_LAYERS = 4
_XZ_MEMORY = 256 * 1024 * 1024
_ZSTD_WINDOW = 128 * 1024 * 1024


class _Packed(Protocol):
    def read1(self, size: int = ..., /) -> bytes: ...

    def close(self) -> None: ...


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class _ZstdUnpacker:
    """One zstd frame, fed in small parts: 2 KiB can unpack to 64 MiB at most (a block holds up to 128 KiB).

    In place of the library's reader, which takes a frame that is cut off for a whole one.
    """

    def __init__(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._packed = b""
        self._out = io.BytesIO()
        self._left = 0

    @property
    def eof(self) -> bool:
        return self._frame.eof and not self._left

    @property
    def needs_input(self) -> bool:
        return not self._packed and not self._left

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + self._packed

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        self._packed += data
        if not self._left and self._packed:
            part, self._packed = self._packed[:2048], self._packed[2048:]
            out = self._frame.decompress(part)
            self._out, self._left = io.BytesIO(out), len(out)
        result = self._out.read(max_length)
        self._left -= len(result)
        return result


def _open_zstd(stream: io.BufferedReader) -> _Packed:
    return _Streams(stream, _ZstdUnpacker)


class _Streams:
    """The unpacked bytes of one or more streams one after another, as `read1` gives them.

    In place of `lzma.LZMAFile`, which knows no bound on the memory that a header asks for.
    """

    def __init__(self, stream: io.BufferedReader, new: Callable[[], _Unpacker]) -> None:
        self._stream = stream
        self._new = new
        self._unpacker = new()

    def read1(self, size: int = 1 << 18, /) -> bytes:
        while True:
            if not self._unpacker.eof:
                data = self._more(size)
            else:
                packed = self._unpacker.unused_data or self._stream.read1(1 << 16)
                if not packed:
                    return b""
                packed = packed.lstrip(b"\x00") or self._stream.read1(1 << 16).lstrip(b"\x00")  # padding
                if not packed:
                    continue
                self._unpacker = self._new()
                data = self._unpacker.decompress(packed, size)
            if data:
                return data

    def _more(self, size: int) -> bytes:
        if not self._unpacker.needs_input:
            return self._unpacker.decompress(b"", size)
        packed = self._stream.read1(1 << 16)
        if not packed:
            raise EOFError
        return self._unpacker.decompress(packed, size)

    def close(self) -> None:
        """Nothing of its own to close."""


def _open_xz(stream: io.BufferedReader) -> _Packed:
    return _Streams(stream, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


def _open_gzip(stream: io.BufferedReader) -> _Packed:
    return gzip.GzipFile(fileobj=stream)


def _open_bz2(stream: io.BufferedReader) -> _Packed:
    return _Streams(stream, bz2.BZ2Decompressor)


_PACKERS: tuple[tuple[bytes, str, Callable[[io.BufferedReader], _Packed]], ...] = (
    (b"\x1f\x8b\x08", "gzip", _open_gzip),
    (b"BZh", "bzip2", _open_bz2),
    (b"\xfd7zXZ\x00", "xz", _open_xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _open_zstd),
)

SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd")

_DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError)


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of one layer. Damage and bombs are an `InputError`; what precedes them is read."""

    def __init__(self, packed: _Packed, kind: str, path: str, limit: int) -> None:
        self._packed = packed
        self._kind = kind
        self._path = path
        self._limit = limit
        self._seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            data = self._packed.read1(len(buffer))
        except _DAMAGE as error:
            raise self._damaged(error) from None
        self._seen += len(data)
        if self._seen > self._limit:
            raise InputError(
                "The file unpacks to too much",
                f"{self._path}: the {self._kind} data unpacks to more than {UNPACKED_RATIO} times its size",
                "unpack it yourself and import the result, if it is meant to be so large",
            )
        buffer[: len(data)] = data
        return len(data)

    def _damaged(self, error: Exception) -> InputError:
        what = "ends too early (cut off?)" if isinstance(error, EOFError) else f"is damaged ({error})"
        return InputError("The file is damaged", f"{self._path}: the {self._kind} data {what}")

    def close(self) -> None:
        if not self.closed:
            self._packed.close()
        super().close()


def packed_as(head: bytes) -> str | None:
    """The kind of compression that bytes begin with, or `None`."""
    return next((kind for magic, kind, _ in _PACKERS if head.startswith(magic)), None)


def unpacked(stream: io.BufferedReader, path: str, packed_size: int) -> io.BufferedReader:
    """The stream itself, or its unpacked content through all layers of compression it has.

    `packed_size` is the size in bytes that the bound counts from. Closing the result closes `stream`. Raises
    `InputError` where there are too many layers; reading raises it at damage.
    """
    limit = unpacked_limit(packed_size)
    try:
        for _ in range(_MAX_LAYERS):
            head = stream.peek(8)[:8]
            packer = next((each for each in _PACKERS if head.startswith(each[0])), None)
            if packer is None:
                return stream
            _, kind, open_packed = packer
            stream = _Closing(_Unpacked(open_packed(stream), kind, path, limit), stream)
        if packed_as(stream.peek(8)[:8]):
            raise InputError("The file is packed too often", f"{path}: more than {_MAX_LAYERS} layers")
    except InputError:
        stream.close()
        raise
    return stream


class _Closing(io.BufferedReader):
    """A reader that closes the stream below its own: the unpackers of the standard library do not."""

    def __init__(self, raw: io.RawIOBase, below: io.BufferedReader) -> None:
        super().__init__(raw, 1 << 18)
        self._below = below

    def close(self) -> None:
        super().close()
        self._below.close()


def unpacked_limit(packed_size: int) -> int:
    """How many bytes a file of a size may unpack to."""
    return max(UNPACKED_FLOOR, UNPACKED_RATIO * packed_size)
