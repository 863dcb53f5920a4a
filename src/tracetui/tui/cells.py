"""Text in terminal cells: cutting and padding to an exact width. Pure."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"


def width(text: str) -> int:
    """How many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, size: int, ellipsis: str = ELLIPSIS) -> str:
    """The text in at most `size` cells; one that is cut ends in the ellipsis."""
    if width(text) <= size:
        return text
    if size <= 0:
        return ""
    if size <= len(ellipsis):
        return ellipsis[:size]
    return set_cell_size(text, size - len(ellipsis)).rstrip() + ellipsis


def cut_middle(text: str, size: int, ellipsis: str = ELLIPSIS) -> str:
    """The text in at most `size` cells with its middle left out: ids and paths tell by both ends."""
    if width(text) <= size:
        return text
    room = size - len(ellipsis)
    if room < 4:
        return cut(text, size, ellipsis)
    tail = room * 3 // 5
    end = text[-tail:]
    while width(end) > tail:
        end = end[1:]
    return set_cell_size(text, room - width(end)).rstrip() + ellipsis + end


def left(text: str, size: int, ellipsis: str = ELLIPSIS) -> str:
    """Exactly `size` cells, the text at the left."""
    text = cut(text, size, ellipsis)
    return text + " " * (size - width(text))


def right(text: str, size: int, ellipsis: str = ELLIPSIS) -> str:
    """Exactly `size` cells, the text at the right."""
    text = cut(text, size, ellipsis)
    return " " * (size - width(text)) + text
