"""What can be wrong with a store, and finding it. `repair.py` mends.

Most checks are queries that return no row on a sound store. What needs Python (which runs count, which thread a trace
belongs to, which contents it reaches) is one pass over the traces and one over the contents. All of it reads one
snapshot, so that a store that is being written to is not faulted for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tracetui.model.errors import StoreError
from tracetui.model.times import now_us
from tracetui.store import doctor_passes
from tracetui.store.access import Access
from tracetui.store.doctor_checks import CHECKS, Weight
from tracetui.store.feedback import read_keys
from tracetui.store.keys import fits

Progress = Callable[[int], None]
"""Called with how many traces and contents have been looked at."""

_SAMPLES = 5
_PASSES: dict[str, tuple[str, Weight]] = {
    "usage_counted": ("traces in which a usage is counted twice, or not at all", Weight.FAULT),
    "wrong_root": ("traces that name another root than their first run", Weight.FAULT),
    "trace_feedback": ("traces whose feedback is not summed up as it stands", Weight.FAULT),
    "thread_feedback": ("threads whose feedback is not summed up as it stands", Weight.FAULT),
    "wrong_thread": ("traces in another thread than their session's", Weight.FAULT),
    "not_mentioned": ("traces that reach contents they do not mention", Weight.FAULT),
    "damaged_content": ("contents that are not what was stored", Weight.FAULT),
    "missing_content": ("contents that are referred to and missing", Weight.FAULT),
    "mentioned_in_vain": ("traces that mention contents they no longer reach", Weight.NOTE),
    "garbage": ("contents that nothing mentions (garbage)", Weight.NOTE),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that is wrong: how often, some of the places, and all row numbers (of the check's table)."""

    check: str
    says: str
    count: int
    samples: tuple[str, ...]
    weight: Weight = Weight.FAULT
    rows: tuple[int, ...] = ()


def size(path: str | Path) -> int:
    """How many traces and contents there are to look at."""
    access = Access(path)
    try:
        return int(access.first("SELECT (SELECT count(*) FROM trace) + (SELECT count(*) FROM content)")[0])
    finally:
        access.close()


def examine(path: str | Path, progress: Progress | None = None) -> list[Finding]:
    """Everything that is wrong with a store, the gravest first. Raises `StoreError` where it cannot be opened."""
    access = Access(path)
    try:
        access.all("BEGIN")
        found = [finding for part in (_file, _queries, _keys) for finding in part(access)]
        found += _passes(access, progress)
        access.all("ROLLBACK")
    finally:
        access.close()
    return sorted(found, key=lambda one: list(Weight).index(one.weight))


def _finding(check: str, says: str, rows: list[tuple[int, str]], weight: Weight) -> Finding:
    samples = tuple(str(label) for _, label in rows[:_SAMPLES])
    return Finding(check, says, len(rows), samples, weight, tuple(pk for pk, _ in rows))


def _unreadable(what: str, error: Exception) -> Finding:
    return Finding("unreadable", f"the file cannot be read where it says: {what}", 1, (str(error),))


def _file(access: Access) -> Iterator[Finding]:
    try:
        faults = [text for (text,) in access.all("PRAGMA integrity_check(100)") if text != "ok"]
    except StoreError as error:
        faults = [error.message]
    if faults:
        yield Finding("integrity", "the file is damaged", len(faults), tuple(faults[:_SAMPLES]))
    try:
        broken = access.all("PRAGMA foreign_key_check")
    except StoreError as error:
        yield _unreadable("which row belongs to which", error)
        return
    if broken:
        labels = [(pk or 0, f"{table} {pk} names no {parent}") for table, pk, parent, _ in broken]
        yield _finding("reference", "rows that name a row that is not there", labels, Weight.FAULT)


def _queries(access: Access) -> Iterator[Finding]:
    for check in CHECKS:
        try:
            rows = access.all(check.sql.replace(":now", str(now_us())))
        except StoreError as error:
            yield _unreadable(check.says, error)
            continue
        if rows:
            yield _finding(check.name, check.says, rows, check.weight)


def _keys(access: Access) -> Iterator[Finding]:
    """Live scores that their key does not allow: kept as they came, since ingest never refuses."""
    known = {key.key: key for key in read_keys(access.conn)}
    outside: list[tuple[int, str]] = []
    said = access.all("SELECT min(pk), key, score, value FROM feedback WHERE deleted = 0 GROUP BY key, score, value")
    for pk, name, score, value in said:
        if name in known and (score is not None or value is not None) and not fits(known[name], score, value):
            outside.append((pk, f"{name}={value if value is not None else f'{score:g}'}"))
    if outside:
        yield _finding("outside_key", "values that their key does not allow", outside, Weight.WARNING)


def _passes(access: Access, progress: Progress | None) -> Iterator[Finding]:
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done)

    found: doctor_passes.Found = {}
    try:
        doctor_passes.traces(access, found, advance)
        doctor_passes.threads(access, found)
        doctor_passes.contents(access, found, advance)
    except (StoreError, sqlite3.DatabaseError) as error:
        yield _unreadable("traces and contents", error)
    for name, (says, weight) in _PASSES.items():
        if name in found:
            yield _finding(name, says, list(found[name].items()), weight)
