"""The checks that need more than a query: one pass over the traces, one over the contents."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tracetui.model import jsonx
from tracetui.model.errors import StoreError
from tracetui.store.access import Access, pk_list
from tracetui.store.content import OPAQUE, body_hash, refs, unpack
from tracetui.store.rollup import counting_runs, feedback_cells, root_of, thread_feedback, trace_feedback
from tracetui.store.threads import home_of

Found = dict[str, dict[int, str]]
"""Check -> row number -> what to call it."""
Advance = Callable[[int], None]

_PAGE = 500
_CACHE = 300_000
_EXISTS, _WANTED, _MENTIONED, _KEPT = 1, 2, 4, 8


def pages(access: Access, sql: str, size: int = _PAGE) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a query that begins after a row number and has a limit."""
    after = 0
    while rows := access.all(sql, (after, size)):
        yield rows
        after = rows[-1][0]


def traces(access: Access, found: Found, advance: Advance) -> None:
    """What each trace says of itself against what its runs, feedback and contents say."""
    reach = Reach(access)
    for rows in pages(
        access,
        """SELECT trace.pk, trace.id, trace.root, trace.feedback, thread.project, thread.id, thread.implicit
        FROM trace LEFT JOIN thread ON thread.pk = trace.thread WHERE trace.pk > ? ORDER BY trace.pk LIMIT ?""",
    ):
        for pk, ident, root, said, *home in rows:
            for name in _trace_faults(access.conn, pk, root, said, home):
                found.setdefault(name, {})[pk] = ident
            reached = reach.of_trace(pk)
            if reached & reach.unreadable:
                continue  # what lies behind is unknown: its mentions stay, so that nothing is collected as garbage
            mentioned = {content for (content,) in access.all("SELECT content FROM mention WHERE trace = ?", (pk,))}
            if reached - mentioned:
                found.setdefault("not_mentioned", {})[pk] = ident
            if mentioned - reached:
                found.setdefault("mentioned_in_vain", {})[pk] = ident
        advance(len(rows))


def _trace_faults(
    conn: sqlite3.Connection, pk: int, root: int | None, said: str | None, home: list[Any]
) -> Iterator[str]:
    stored = {run for (run,) in conn.execute("SELECT pk FROM run WHERE trace = ? AND counts_usage = 1", (pk,))}
    if stored != counting_runs(conn, pk):
        yield "usage_counted"
    if root != root_of(conn, pk):
        yield "wrong_root"
    if said != feedback_cells(trace_feedback(conn, pk)):
        yield "trace_feedback"
    chosen = home_of(conn, pk)
    if home != [chosen.project, chosen.id, int(chosen.implicit)]:
        yield "wrong_thread"


def threads(access: Access, found: Found) -> None:
    """The feedback that threads sum up."""
    for rows in pages(access, "SELECT pk, id, feedback FROM thread WHERE pk > ? ORDER BY pk LIMIT ?"):
        for pk, ident, said in rows:
            if said != feedback_cells(thread_feedback(access.conn, pk)):
                found.setdefault("thread_feedback", {})[pk] = ident


class Reach:
    """Which contents a trace's runs reach. Remembers what refers to what, up to a bound."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._children: OrderedDict[int, tuple[int, ...]] = OrderedDict()
        self.unreadable: set[int] = set()
        """Contents met so far that are damaged or missing."""

    def of_trace(self, trace: int) -> set[int]:
        """The contents that a trace's runs reach, directly or through others."""
        blobs = self._access.all("SELECT inputs, outputs, extra FROM run WHERE trace = ?", (trace,))
        return self.of(pk for row in blobs for blob in row if blob is not None for pk in refs(blob))

    def of(self, roots: Iterable[int]) -> set[int]:
        """These contents and all they refer to."""
        seen: set[int] = set()
        ahead = set(roots)
        while ahead:
            seen |= ahead
            ahead = {child for children in self._below(ahead) for child in children} - seen
        return seen

    def _below(self, pks: set[int]) -> list[tuple[int, ...]]:
        unknown = [pk for pk in pks if pk not in self._children]
        for at in range(0, len(unknown), _PAGE):
            page = unknown[at : at + _PAGE]
            self.unreadable.update(page)
            for pk, codec, body in self._access.all(
                "SELECT pk, codec, body FROM content WHERE pk IN (SELECT value FROM json_each(?))", (pk_list(page),)
            ):
                below = references(codec, body)
                self._children[pk] = tuple(below or ())
                if below is not None:
                    self.unreadable.discard(pk)
        out = [self._children.get(pk, ()) for pk in pks]
        while len(self._children) > _CACHE:
            self._children.popitem(last=False)
        return out


def references(codec: int, body: bytes) -> list[int] | None:
    """What a content refers to; `None` where it cannot be read."""
    try:
        return [] if codec >= OPAQUE else refs(unpack(codec, body))
    except (StoreError, TypeError):  # TypeError: no bytes
        return None


def contents(access: Access, found: Found, advance: Advance) -> None:
    """Contents that are damaged, missing, or that nothing needs."""
    last = access.first("SELECT coalesce(max(pk), 0) FROM content")[0]
    marks = bytearray(last + 1)
    missing: set[int] = set()

    def mark(pks: Iterable[int], bit: int) -> None:
        for pk in pks:
            if pk <= last:
                marks[pk] |= bit
            else:
                missing.add(pk)

    for rows in pages(access, "SELECT pk, hash, codec, body FROM content WHERE pk > ? ORDER BY pk LIMIT ?"):
        for pk, digest, codec, body in rows:
            marks[pk] |= _EXISTS
            below = references(codec, body)
            if below is None or body_hash(unpack(codec, body), codec) != digest:
                found.setdefault("damaged_content", {})[pk] = f"content {pk}"
            mark(below or (), _WANTED)
        advance(len(rows))
    for rows in pages(access, "SELECT pk, inputs, outputs, extra FROM run WHERE pk > ? ORDER BY pk LIMIT ?"):
        mark((pk for row in rows for blob in row[1:] if blob is not None for pk in refs(blob)), _WANTED)
    mark((pk for (pk,) in access.all("SELECT DISTINCT content FROM mention")), _MENTIONED)
    kept = Reach(access).of(corrections(access))
    mark(kept, _WANTED | _KEPT)
    missing |= {pk for pk, bits in enumerate(marks) if bits and not bits & _EXISTS}
    if missing:
        found["missing_content"] = {pk: f"content {pk}" for pk in sorted(missing)}
    garbage = [pk for pk, bits in enumerate(marks) if bits & _EXISTS and not bits & (_MENTIONED | _KEPT)]
    if garbage:
        found["garbage"] = {pk: f"content {pk}" for pk in garbage}


def corrections(access: Access) -> set[int]:
    """The contents that corrections refer to, and what edits can bring back."""
    found: set[int] = set()
    for (blob,) in access.all("SELECT correction FROM feedback WHERE correction IS NOT NULL"):
        found.update(refs(blob))
    for row in access.all("SELECT before, after FROM edit_item"):
        for text in row:
            said = jsonx.loads(text) if text is not None else {}
            if said.get("correction") is not None:
                found.update(refs(said["correction"].encode()))
    return found
