"""How texts compare in SQL: without case, for every script.

SQLite's own `LIKE` and `NOCASE` know ASCII only, and Python functions cost a call a row. So ASCII texts are compared
by SQLite and the others by the functions that `install` adds to a connection.
"""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache
from typing import NamedTuple

from tracetui.query.ast import Pattern
from tracetui.query.tokens import fold, holds, tokens

_LIKE_SPECIAL = str.maketrans({"%": "\\%", "_": "\\_", "\\": "\\\\"})
_LONGEST_HINT = 60


class Sql(NamedTuple):
    """A piece of SQL and the values of its parameters."""

    text: str
    params: tuple[object, ...] = ()


def install(conn: sqlite3.Connection) -> None:
    """Give a connection the functions that compiled filters call."""
    conn.create_function("same_text", 2, _same, deterministic=True)
    conn.create_function("like_text", 2, _like, deterministic=True)
    conn.create_function("holds_words", 3, _holds, deterministic=True)


def matches(column: str, pattern: Pattern) -> Sql:
    """A condition: the text has the form of the pattern. NULL where the text is NULL."""
    pieces = tuple(fold(piece) for piece in pattern.pieces)
    if len(pieces) == 1:
        plain = f"{column} = ? COLLATE NOCASE", pieces[0]
        full = f"same_text({column}, ?)", pieces[0]
    else:
        plain = f"{column} LIKE ? ESCAPE '\\'", "%".join(piece.translate(_LIKE_SPECIAL) for piece in pieces)
        full = f"like_text({column}, ?)", json.dumps(pieces)
    if not all(piece.isascii() for piece in pieces):
        return Sql(full[0], (full[1],))
    return Sql(f"CASE WHEN {_ascii(column)} THEN {plain[0]} ELSE {full[0]} END", (plain[1], full[1]))


def contains(column: str, text: str) -> Sql:
    """A condition: the text stands somewhere in the column's. NULL where that is NULL."""
    return matches(column, Pattern(("", text, "")))


def holds_words(column: str, text: str, *, prefix: bool) -> Sql:
    """A condition: the words stand in the column's text, one after the other. Never NULL."""
    wanted = tokens(text)
    hint = f"%{wanted[0][:_LONGEST_HINT].translate(_LIKE_SPECIAL)}%"
    return Sql(
        f"CASE WHEN {_ascii(column)} AND {column} NOT LIKE ? ESCAPE '\\' THEN 0 "
        f"ELSE holds_words({column}, ?, {int(prefix)}) END",
        (hint, json.dumps(wanted)),
    )


def _ascii(column: str) -> str:
    # `length` counts characters up to a NUL: equal only where every character is one byte
    return f"length({column}) = length(CAST({column} AS BLOB))"


def _same(text: str | None, folded: str) -> bool | None:
    return None if text is None else fold(text) == folded


def _like(text: str | None, pattern: str) -> bool | None:
    if text is None:
        return None
    first, *middle, last = _pieces(pattern)
    folded = fold(text)
    if not folded.startswith(first) or not folded.endswith(last) or len(folded) < len(first) + len(last):
        return False
    at, end = len(first), len(folded) - len(last)
    for piece in middle:
        found = folded.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _holds(text: str | None, wanted: str, prefix: int) -> bool:
    return text is not None and holds(text, _pieces(wanted), bool(prefix))


@lru_cache(maxsize=256)
def _pieces(encoded: str) -> tuple[str, ...]:
    return tuple(json.loads(encoded))
