"""JSON files: one value, or a value on each line; wrong lines are refused one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tracetui.ingest.documents import MAX_LINE, Document, Refusal
from tracetui.model import jsonx
from tracetui.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file and the JSON value that stands on it."""

    number: int
    value: Any


def json_lines(doc: Document) -> Iterator[Line | Refusal]:
    """The values of a JSON-lines file; a refusal for every line that holds none. Blank lines are passed over.

    A file that cannot be read to its end gives what stands before the damage and one refusal for the rest.
    """
    number = 0
    try:
        for number, line, ended in doc.numbered():
            if not line or line.isspace():
                continue
            if len(line) > MAX_LINE:
                yield Refusal(doc.path, f"line {number}", f"longer than {MAX_LINE >> 20} MB")
                continue
            try:
                value = jsonx.loads(line)
            except ValueError as error:
                why = why_no_json(error) if ended else "the file ends inside this line (half written?)"
                yield Refusal(doc.path, f"line {number}", why)
                continue
            yield Line(number, value)
    except InputError as error:
        yield Refusal(doc.path, f"after line {number}", error.message.removeprefix(f"{doc.path}: "))


def json_value(doc: Document) -> Any | Refusal:
    """The JSON value of a file, or why it is none. Raises `InputError` where the file cannot be read."""
    raw = doc.read()
    try:
        return jsonx.loads(raw)
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        cut = "" if raw.rstrip().endswith((b"}", b"]")) else " (cut off?)"
        return Refusal(doc.path, place, why_no_json(error) + cut)


def why_no_json(error: ValueError, *, with_line: bool = False) -> str:
    """A parser's complaint in a few words; `with_line` where its place does not say the line."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start + 1}"
    if isinstance(error, json.JSONDecodeError):
        line = f"line {error.lineno}, " if with_line and error.lineno > 1 else ""
        return f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} at {line}column {error.colno}"
    return f"not JSON: {error}"
