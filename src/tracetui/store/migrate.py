"""Bringing an older store up to this program's schema, one version at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from tracetui.store.version import SCHEMA_VERSION

STEPS: dict[int, tuple[str, ...]] = {}
"""Version that a step starts from -> its statements. A store of version n runs steps n, n + 1, ..."""


def upgrade(conn: sqlite3.Connection, version: int, transaction: Callable[[], AbstractContextManager[None]]) -> None:
    """Migrate from `version` to `SCHEMA_VERSION` in one transaction."""
    with transaction():
        now = conn.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        for step in range(max(version, now), SCHEMA_VERSION):
            for statement in STEPS[step]:
                conn.execute(statement)
        conn.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
