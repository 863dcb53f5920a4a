"""Keeping the store's rules those of a rules file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tracetui.evaluate.rules import FILE_NAME, Rule, RulesFile, read_rules
from tracetui.store import rules as stored
from tracetui.store.rules import Definition, SyncReport


def default_file(store: Path) -> Path:
    """Where the rules of a store stand unless said otherwise: `rules.toml` in its directory."""
    return store.absolute().parent / FILE_NAME


def definition(rule: Rule) -> Definition:
    """A rule as the store keeps it."""
    return Definition(rule.name, rule.digest, rule.spec(), rule.enabled, rule.history)


def sync(conn: sqlite3.Connection, file: RulesFile) -> SyncReport:
    """Make the store's rules those of a file."""
    return stored.sync(conn, [definition(rule) for rule in file.rules])


def in_words(report: SyncReport) -> list[str]:
    """What a sync changed, a line each."""
    lines = [f"new: {', '.join(report.added)}"] if report.added else []
    if report.changed:
        lines.append(f"changed, a new version each: {', '.join(report.changed)}")
    if report.back:
        lines.append(f"back in the file: {', '.join(report.back)}")
    if report.removed:
        lines.append(f"no longer in the file, so off (their feedback stays): {', '.join(report.removed)}")
    return lines


class Watched:
    """A rules file that is looked at again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is another than when it was last asked about; a missing one never is."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        now = (status.st_mtime_ns, status.st_size, status.st_ino)
        if now == self._seen:
            return False
        self._seen = now
        return True

    def read(self) -> RulesFile:
        """Its rules. Raises `RulesError`."""
        return read_rules(self.path)
