"""What the first bytes of a file show of its JSON: what formats are recognised by."""

from __future__ import annotations

import re
from typing import Any

from tracetui.model import jsonx

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
_CLOSER = {b"[": b"]", b"{": b"}"}
_MAX_LINES = 50


def glimpse(head: bytes, cut: bool) -> tuple[Any, ...]:
    """The JSON values (lists and objects) that the head of a file shows; nothing where it is no JSON.

    Of JSON lines the complete lines, 50 at most; of one document that document, without what the head cuts
    off. `cut` says that the file goes on behind the head.
    """
    lines = head.split(b"\n")
    if cut:
        lines.pop()
    first = next((line for line in lines if line.strip()), b"")
    if first and _value(first) is None:  # one document over several lines, or a broken first line
        whole = _completed(head)
        if whole is not None:
            return (whole,)
    elif not first:
        whole = _completed(head)
        return () if whole is None else (whole,)
    seen = [_value(line) for line in lines[:_MAX_LINES] if line.strip()]
    values = tuple(value for value in seen if value is not None)
    is_json = head.lstrip()[:1] in (b"{", b"[") or 2 * len(values) >= len(seen)  # else a text with JSON in it
    return values if is_json else ()


def is_lines(head: bytes, cut: bool) -> bool:
    """Whether a file is to be read line by line: each line a value, not one value over several lines."""
    first, newline, _ = head.lstrip().partition(b"\n")
    if cut and not newline:
        return True  # one long line: read as one, or the first of several
    return _value(first) is not None or _completed(head) is None


def _value(text: bytes) -> Any:
    try:
        value = jsonx.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _completed(head: bytes) -> Any:
    """The value that begins the text: whole, or cut after its last complete member and closed there."""
    stack: list[bytes] = []
    safe = 0
    closers: list[bytes] = []
    for found in _TOKEN.finditer(head):
        token = found[0]
        if token in _CLOSER:
            stack.append(_CLOSER[token])
            safe, closers = found.end(), stack.copy()
        elif token == b"," and stack:
            safe, closers = found.start(), stack.copy()
        elif token == b'"' or not stack:
            break
        elif token in b"]}":
            stack.pop()
            if not stack:
                return _value(head[: found.end()])
    return _value(head[:safe] + b"".join(reversed(closers))) if closers else None
