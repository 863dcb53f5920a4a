"""One thread's way to read a store: whole results, no cursor left open, errors in words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tracetui.store.db import connect_read, explained
from tracetui.store.textmatch import install


class Access:
    """A read-only connection. `frozen`: the file is shown as it was when it was opened (read-only directory)."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.conn, self.frozen = connect_read(self.path)
        install(self.conn)

    def all(self, sql: str, params: Iterable[object] = ()) -> list[Any]:
        """Every row of a query, as tuples. Raises `StoreError`, also when interrupted."""
        try:
            return self.conn.execute(sql, tuple(params)).fetchall()
        except sqlite3.DatabaseError:
            with explained(self.conn):
                raise

    def first(self, sql: str, params: Iterable[object] = ()) -> Any:
        """The first row of a query or `None`."""
        rows = self.all(sql, params)
        return rows[0] if rows else None

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()


def pk_list(pks: Iterable[int]) -> str:
    """Row numbers as one parameter, for `IN (SELECT value FROM json_each(?))`."""
    return json.dumps(list(pks))
