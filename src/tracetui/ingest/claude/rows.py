"""The lines of a transcript file, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tracetui.ingest.claude.records import is_transcript
from tracetui.ingest.documents import Document, Refusal
from tracetui.ingest.jsonlines import json_lines, json_value
from tracetui.model import jsonx
from tracetui.model.errors import InputError

WHOLE = b'"loglines"'
"""What a session exported as one JSON object holds its lines under."""

_LINES = 20
_CUT = re.compile(
    rb'\{\s*"(?:parentUuid|sessionId|uuid|isSidechain|type|message)"\s*:(?=.{0,4000}"(?:parentUuid|sessionId|isSidechain)"'
    rb'\s*:|.{0,200}"message"\s*:\s*\{)',
    re.DOTALL,
)
"""How a line begins that is longer than what is looked at."""


def sniff(doc: Document) -> bool:
    """Whether a file is a transcript: by its first lines."""
    if is_whole(doc):
        return True
    *whole, last = doc.head.split(b"\n")
    for line in [*whole, last][:_LINES]:
        try:
            if line and is_transcript(jsonx.loads(line)):
                return True
        except ValueError:
            if line is last and _CUT.match(line.lstrip()):
                return True
    return False


def is_whole(doc: Document) -> bool:
    """Whether the file is one JSON object with all lines in it (an export), not a line each."""
    head = doc.head.lstrip()
    return head.startswith(b"{") and head[1:].lstrip().startswith(WHOLE)


def rows(doc: Document) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    """Number and object of every line; a refusal for every line that holds none."""
    if is_whole(doc):
        yield from _whole(doc)
        return
    for line in json_lines(doc):
        if isinstance(line, Refusal):
            yield line
        elif isinstance(line.value, dict):
            yield line.number, line.value
        else:
            yield Refusal(doc.path, f"line {line.number}", "not a JSON object")


def _whole(doc: Document) -> Iterator[tuple[int, dict[str, Any]] | Refusal]:
    try:
        value = json_value(doc)
    except InputError as error:
        yield Refusal(doc.path, "", error.message.removeprefix(f"{doc.path}: "))
        return
    if isinstance(value, Refusal):
        yield value
        return
    lines = value.get("loglines") if isinstance(value, dict) else None
    for number, line in enumerate(lines if isinstance(lines, list) else (), 1):
        if isinstance(line, dict):
            yield number, line
        else:
            yield Refusal(doc.path, f"loglines {number}", "not a JSON object")
