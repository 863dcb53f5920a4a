"""The formats of `tracetui query`: pages of rows come in, pieces of text go out."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tracetui.model import jsonx
from tracetui.model.text import display
from tracetui.store.listing import SHOWN_AS

Page = list[dict[str, Any]]

_WIDEST = 40


def jsonl(pages: Iterable[Page], fields: Sequence[str]) -> Iterator[str]:
    """One object a line, exact."""
    for page in pages:
        yield "".join(jsonx.dumps(row).decode() + "\n" for row in page)


def ids(pages: Iterable[Page], fields: Sequence[str]) -> Iterator[str]:
    """One id a line."""
    for page in pages:
        yield "".join(f"{display(str(row['id']))}\n" for row in page)


def as_csv(pages: Iterable[Page], fields: Sequence[str]) -> Iterator[str]:
    """A header and a line a row; what is missing is empty, lists and objects are JSON.

    On a terminal outside text is made harmless as everywhere; a file or a pipe gets it exactly.
    """
    harmless = sys.stdout.isatty()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([SHOWN_AS.get(name, name) for name in fields])
    for page in pages:
        writer.writerows([_plain(value, harmless) for value in row.values()] for row in page)
        yield out.getvalue().encode("utf-8", "replace").decode()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def table(pages: Iterable[Page], fields: Sequence[str]) -> Iterator[str]:
    """Columns as wide as the first page needs; longer cells are cut."""
    widths: list[int] | None = None
    for page in pages:
        cells = [[_shown(name, value) for name, value in zip(fields, row.values(), strict=True)] for row in page]
        if widths is None:
            widths = [max(map(len, column)) for column in zip(fields, *cells, strict=True)]
            yield _line(fields, fields, widths)
        yield "".join(_line(row, fields, widths) for row in cells)


def md(pages: Iterable[Page], fields: Sequence[str]) -> Iterator[str]:
    """A Markdown table."""
    yield f"| {' | '.join(fields)} |\n|{'---|' * len(fields)}\n"
    for page in pages:
        for row in page:
            cells = [_shown(name, value) for name, value in zip(fields, row.values(), strict=True)]
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _line(cells: Sequence[str], fields: Sequence[str], widths: Sequence[int]) -> str:
    placed = [
        cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
        for cell, name, width in zip(cells, fields, widths, strict=True)
    ]
    return "  ".join(placed).rstrip() + "\n"


_NUMBERS = {
    "latency", "first_token", "tokens", "prompt_tokens", "completion_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "cost", "errors", "runs", "traces", "steps", "score",
}  # fmt: skip


def _plain(value: Any, harmless: bool) -> Any:
    if isinstance(value, dict | list | bool):
        return jsonx.dumps(value).decode()
    return display(value) if harmless and isinstance(value, str) else value


def _shown(name: str, value: Any) -> str:
    """A cell for people: on one line, units written out, harmless."""
    if value is None:
        return ""
    if name in ("latency", "first_token"):
        return f"{value / 1e6:.2f}s"
    if name in ("started", "ended", "created_at", "modified_at"):
        return str(value)[:19].replace("T", " ")
    if name == "cost":
        return f"${value:.4f}"
    if name == "feedback":
        text = " ".join(_chip(key, cell) for key, cell in value.items())
    elif isinstance(value, list) and name == "tag":
        text = " ".join(value)
    elif isinstance(value, float):
        text = f"{value:g}"
    elif isinstance(value, str):
        text = value
    else:
        text = jsonx.dumps(value).decode()
    return display(text, limit=None if name in ("id", "thread", "trace", "target") else _WIDEST)


def _chip(key: str, cell: dict[str, Any]) -> str:
    if cell["mean"] is not None:
        return f"{key}={cell['mean']:.3g}"
    labels = "/".join(cell["values"])
    return f"{key}={labels}" if labels else key


FORMATS: dict[str, Callable[[Iterable[Page], Sequence[str]], Iterator[str]]] = {
    "table": table, "jsonl": jsonl, "csv": as_csv, "md": md, "ids": ids,
}  # fmt: skip
