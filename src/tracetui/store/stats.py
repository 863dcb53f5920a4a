"""What is in a store, in figures. Reads all of it: seconds for a big one."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracetui.store.access import Access
from tracetui.store.content import OPAQUE, unpack

Progress = Callable[[int], None]
"""Called with how many contents are read."""

_PAGE = 2000
_REFERENCE = re.compile(rb'\{"":(-?)(\d+)\}')


@dataclass(frozen=True, slots=True)
class FeedbackStats:
    """What was said under one key. `mean` is `None` where there is no score."""

    n: int
    mean: float | None
    sum: float
    values: dict[str, int]
    by_source: dict[str, int]


@dataclass(frozen=True, slots=True)
class ContentStats:
    """How much JSON is kept: nodes, their bytes as stored, and the bytes of all inputs, outputs and extras in full."""

    stored: int
    stored_bytes: int
    logical_bytes: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a store. Tokens and cost count each usage once, and are `None` where none is known."""

    threads: int
    traces: int
    runs: int
    runs_by_kind: dict[str, int]
    errors: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cache_read_tokens: int | None
    cost: float | None
    feedback: dict[str, FeedbackStats]
    content: ContentStats
    file_bytes: int


def stats(path: str | Path, progress: Progress | None = None) -> Stats:
    """Count a store. Raises `StoreError`."""
    access = Access(path)
    try:
        threads, traces = access.first("SELECT count(*), coalesce(sum(trace_count), 0) FROM thread WHERE run_count > 0")
        kinds = access.all("SELECT kind, count(*), sum(status = 'error') FROM run WHERE phase > 0 GROUP BY kind")
        usage = access.first(
            "SELECT sum(prompt_tokens), sum(completion_tokens), sum(cache_read_tokens), sum(cost) "
            "FROM run WHERE counts_usage = 1 AND phase > 0"
        )
        prompt, completion, cached, cost = usage
        return Stats(
            threads=threads, traces=traces, runs=sum(n for _, n, _ in kinds),
            runs_by_kind={kind: n for kind, n, _ in sorted(kinds, key=lambda row: (-row[1], row[0]))},
            errors=sum(failed for _, _, failed in kinds),
            prompt_tokens=prompt, completion_tokens=completion, cache_read_tokens=cached, cost=cost,
            feedback=_feedback(access), content=_content(access, progress), file_bytes=_file_bytes(access.path),
        )  # fmt: skip
    finally:
        access.close()


def _feedback(access: Access) -> dict[str, FeedbackStats]:
    sources: dict[str, dict[str, int]] = {}
    for key, source, n in access.all(
        "SELECT key, source, count(*) FROM feedback WHERE deleted = 0 GROUP BY key, source ORDER BY key, source"
    ):
        sources.setdefault(key, {})[source] = n
    values: dict[str, dict[str, int]] = {}
    for key, value, n in access.all(
        "SELECT key, value, count(*) FROM feedback WHERE deleted = 0 AND value IS NOT NULL "
        "GROUP BY key, value ORDER BY key, value"
    ):
        values.setdefault(key, {})[value] = n
    scores = access.all(
        "SELECT key, count(*), avg(score), coalesce(sum(score), 0.0) FROM feedback WHERE deleted = 0 "
        "GROUP BY key ORDER BY key"
    )
    return {key: FeedbackStats(n, mean, total, values.get(key, {}), sources[key]) for key, n, mean, total in scores}


def _content(access: Access, progress: Progress | None) -> ContentStats:
    """Nodes refer only to nodes before them, so one pass in their order knows how long each is in full."""
    last, stored = access.first("SELECT coalesce(max(pk), 0), coalesce(sum(length(body)), 0) FROM content")
    full = array("q", bytes(8 * (last + 1)))
    done = 0
    for rows in _pages(access, "SELECT pk, codec, body FROM content WHERE pk > ? ORDER BY pk LIMIT ?"):
        for pk, codec, body in rows:
            text = unpack(codec, body)
            full[pk] = len(text) if codec >= OPAQUE else full_length(text, full)
        done += len(rows)
        if progress is not None:
            progress(done)
    logical = 0
    for rows in _pages(access, "SELECT pk, inputs, outputs, extra FROM run WHERE pk > ? ORDER BY pk LIMIT ?"):
        logical += sum(full_length(blob, full) for row in rows for blob in row[1:] if blob is not None)
    return ContentStats(done, stored, logical)


def content_count(access: Access) -> int:
    """How many contents there are to read."""
    return int(access.first("SELECT count(*) FROM content")[0])


def full_length(text: bytes, full: array[int]) -> int:
    """Bytes of a stored text with what its references stand for; `full` has the length of each node."""
    length = len(text)
    for found in _REFERENCE.finditer(text):
        brackets = 2 if found[1] else 0  # the items of a list's part stand without its brackets
        length += full[int(found[2])] - len(found[0]) - brackets
    return length


def _pages(access: Access, sql: str) -> Iterator[list[Any]]:
    after = 0
    while rows := access.all(sql, (after, _PAGE)):
        yield rows
        after = rows[-1][0]


def _file_bytes(path: Path) -> int:
    """The file with what is not yet checkpointed into it."""
    wal = Path(f"{path}-wal")
    return path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
