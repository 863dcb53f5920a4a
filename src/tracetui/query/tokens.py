"""What a word is: a run of letters and digits, without case and diacritics, as a full-text index sees it."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """A text as comparisons see it: without case."""
    return text.casefold()


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text."""
    if text.isascii():
        plain = text.lower()
    else:
        parts = unicodedata.normalize("NFKD", text)
        plain = "".join(char for char in parts if not unicodedata.combining(char)).casefold()
    return tuple("".join(char if char.isalnum() else " " for char in plain).split())


def holds(text: str, wanted: tuple[str, ...], prefix: bool) -> bool:
    """Whether the wanted words stand one after the other in a text; with `prefix` the last one may go on."""
    found = tokens(text)
    count = len(wanted)
    head, last = wanted[:-1], wanted[-1]
    for start in range(len(found) - count + 1):
        if found[start : start + count - 1] != head:
            continue
        word = found[start + count - 1]
        if word == last or (prefix and word.startswith(last)):
            return True
    return False
