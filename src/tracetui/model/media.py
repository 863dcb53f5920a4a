"""What stands in a text for a part that is none: an image, a sound, a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_TYPE = ("media_type", "mime_type", "mimeType", "mediaType", "format")
_DATA = ("data", "base64", "content")
_PLACE = ("url", "uri", "file_uri", "fileUri", "image_url", "filename", "file_id")


def media_label(part: Mapping[str, Any]) -> str:
    """Kind, type and size of a part that is no text, as `[image image/png, 12 KB]`; or where it is."""
    kind = str(part.get("type") or "file").replace("-", "_").removeprefix("input_").removesuffix("_url")
    media = size = place = ""
    for level in _levels(part):
        media = media or _first(level, _TYPE)
        data = _first(level, _DATA)
        if data and not size:
            size = _bytes(len(data) * 3 // 4)
        place = place or _first(level, _PLACE)
    if place.startswith("data:"):
        head, _, data = place.partition(",")
        media = media or head[5:].partition(";")[0]
        size, place = size or _bytes(len(data) * 3 // 4), ""
    if kind in ("blob", "uri", "file", "media") and isinstance(part.get("modality"), str):
        kind = part["modality"]
    facts = ", ".join(filter(None, (" ".join(filter(None, (kind, media[:60]))), size, place[:200])))
    return f"[{facts}]"


def _levels(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield part
    for value in part.values():
        if isinstance(value, dict):
            yield value
            for inner in value.values():
                if isinstance(inner, dict):
                    yield inner


def _first(level: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((level[key] for key in keys if isinstance(level.get(key), str)), "")


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
