r"""Making outside text harmless: the one place between what a trace says and what a terminal is told.

What acts on a terminal or hides in a text is shown by its name: `\x1b` for a control, `\u202e` for a mark
that turns the reading direction, `\U000e0041` for an invisible tag. Names are ASCII, so they look the same
everywhere, and they are one cell a character, so columns stay where they are.
"""

from __future__ import annotations

import re
from functools import cache

TAB = 4
"""Cells between tab stops in a text of several lines."""

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARKS_KEPT = 4

_HARMFUL = re.compile(
    "["
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 without the line feed, DEL, C1
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"  # soft hyphen, joiner, Arabic signs
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # fillers, no width, bidi
    "\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and variation selectors, which can carry a hidden text
    f"]|(?P<marks>(?<=[{_MARKS}]{{{_MARKS_KEPT}}})[{_MARKS}]+)"  # more than any script has on a letter
)


@cache  # made when it is needed: it takes longer than the rest of this module
def _emoji_glue() -> re.Pattern[str]:
    """What only asks for another picture of the same sign: left out, since terminals disagree about its width."""
    return re.compile(
        "(?<![\ufe00-\ufe0f])[\ufe0e\ufe0f](?![\ufe00-\ufe0f])|(?<=[\u2190-\U0001faff])\u200d(?=[\u2190-\U0001faff])"
    )


_BREAKS = re.compile(r"[\t\n\r\x0b\x0c][\t\n\r\x0b\x0c ]*")
_SHORT = {"\t": "\\t", "\r": "\\r", "\0": "\\0"}


def _name(match: re.Match[str]) -> str:
    found = match.group()
    if match.lastgroup == "marks":
        return f"[+{len(found)} marks]"
    if found in _SHORT:
        return _SHORT[found]
    code = ord(found)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def display(text: str, *, limit: int | None = None, lines: bool = False) -> str:
    r"""The text with everything that could act on a terminal, or hide in the text, named.

    On one line unless `lines`: line breaks and tabs, with the blanks after them, become one blank. With
    `lines`, line breaks stay (`\r\n` as `\n`) and tabs are blanks up to the next stop. `limit` is in
    characters of `text`: what is longer is cut before anything is looked at, and ends in `…`; the result can
    be longer where characters are named.
    """
    cut = limit is not None and len(text) > limit
    if cut:
        text = text[:limit]
    if lines:
        text = text.replace("\r\n", "\n")
        if "\t" in text:
            text = text.expandtabs(TAB)
    elif not text.isprintable():
        text = _BREAKS.sub(" ", text)
    if not (text.isascii() and text.isprintable()):
        if not text.isascii():
            text = _emoji_glue().sub("", text)
        text = _HARMFUL.sub(_name, text)
    return text + "…" if cut else text
