"""JSON values in lines that fold."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from tracetui.model import jsonx
from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.detail.line import Act, Line, Page, Part, Span
from tracetui.tui.detail.prose import more, text_lines
from tracetui.tui.figures import counted

_PAGE = 100
"""Items of a list or an object on a page of it."""
_TEXT_LINES = 8
_KEY = 60
_OPEN_ITEMS = 30


def value_lines(page: Page, value: Any, key: Hashable, *, depth: int = 2) -> Iterator[Line]:
    """A JSON value, containers unfolded down to `depth`. A text alone is shown as text."""
    if isinstance(value, str):
        yield from text_lines(page, value, key, lead=(), role="text")
    elif isinstance(value, dict | list):
        if value:
            yield from _members(page, value, (key,), 0, depth)
        else:
            yield Line((Span("empty " + ("object" if isinstance(value, dict) else "list"), "off"),))
    elif value is None:
        yield Line((Span("nothing", "off"),))
    else:
        yield Line((Span(_scalar(value), "text"),))


def _members(
    page: Page, value: dict[str, Any] | list[Any], key: tuple[Hashable, ...], level: int, depth: int
) -> Iterator[Line]:
    limit = _PAGE * page.folds.page(key)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for number, (name, member) in enumerate(items):
        if number == limit:
            left = counted(len(value) - limit, "more")
            yield more(page, key, left.replace("mores", "more"), (Span("  " * level),))
            return
        # by number: an object may hold many long keys
        yield from _member(page, str(name), member, (*key, number), level, depth)


def _member(page: Page, name: str, value: Any, key: tuple[Hashable, ...], level: int, depth: int) -> Iterator[Line]:
    indent = "  " * min(level, max(page.width // 4, 1))
    label = Span(display(name, limit=_KEY), "muted")
    if isinstance(value, dict | list) and value:
        is_open = page.folds.is_open(key, default=level + 1 < depth and len(value) <= _OPEN_ITEMS)
        spans = (Span(indent), Span(page.fold_sign(is_open) + " ", "muted"), label, Span("  " + _summary(value), "off"))
        yield Line(spans, (), Part(Act.FOLD, key))
        if is_open:
            yield from _members(page, value, key, level + 1, depth)
        return
    lead = (Span(indent + "  "), label, Span("  "))
    if isinstance(value, str) and not _fits(page, value, indent + "    " + label.text):
        yield Line(lead[:2])
        yield from text_lines(page, value, key, lead=(Span(indent + "    "),), role="text", lines=_TEXT_LINES)
    else:
        yield Line((*lead, Span(display(value) if isinstance(value, str) else _scalar(value), "text")))


def _fits(page: Page, text: str, before: str) -> bool:
    room = page.narrower(cells.width(before) + 2)
    return len(text) <= room and "\n" not in text and cells.width(display(text)) <= room


def _scalar(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 10_000:
        return f"an integer of {value.bit_length():,} bits"
    return display(jsonx.dumps(value).decode(), limit=400)


def _summary(value: dict[str, Any] | list[Any]) -> str:
    """What is in a container, in a word or two."""
    if isinstance(value, list):
        return counted(len(value), "item")
    for name in ("role", "type", "name"):
        said = value.get(name)
        if isinstance(said, str) and said:
            return f"{display(said, limit=30)}  {counted(len(value), 'key')}"
    return counted(len(value), "key")
