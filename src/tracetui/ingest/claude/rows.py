"""The lines of a transcript file, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracetui.ingest.claude.records import is_transcript
from tracetui.ingest.documents import Document, Refusal
from tracetui.ingest.jsonlines import json_lines, json_value
from tracetui.model.errors import InputError

_LINES = "loglines"
"""What a session exported as one JSON object holds its lines under."""


def sniff(doc: Document) -> bool:
    """Whether a file is a transcript: by its first lines."""
    return any(is_transcript(value) or _is_export(value) for value in doc.glimpse)


def _is_export(value: Any) -> bool:
    """Whether a value is a session exported as one JSON object."""
    lines = value.get(_LINES) if isinstance(value, dict) else None
    return isinstance(lines, list) and bool(lines) and is_transcript(lines[0])


def rows(doc: Document) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    """Number and object of every line; a refusal for every line that holds none."""
    if any(_is_export(value) for value in doc.glimpse):
        yield from _export(doc)
        return
    for line in json_lines(doc):
        if isinstance(line, Refusal):
            yield line
        elif isinstance(line.value, dict):
            yield line.number, line.value
        else:
            yield Refusal(doc.path, f"line {line.number}", "not a JSON object")


def _export(doc: Document) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    try:
        value = json_value(doc)
    except InputError as error:
        yield Refusal(doc.path, "", error.message.removeprefix(f"{doc.path}: "))
        return
    if isinstance(value, Refusal):
        yield value
        return
    lines = value.get(_LINES) if isinstance(value, dict) else None
    for number, line in enumerate(lines if isinstance(lines, list) else (), 1):
        if isinstance(line, dict):
            yield number, line
        else:
            yield Refusal(doc.path, f"{_LINES} {number}", "not a JSON object")
