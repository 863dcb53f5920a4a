"""What the explorer asks of the store. Run in the feed's thread; nothing here knows of widgets.

A thread made for one trace without a session is no level of its own: it stands in the tree as that trace. Only this
module knows: under the key of the thread it gives the trace's row, and the trace's runs as its children.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tracetui.model import jsonx
from tracetui.model.kinds import Kind, Level
from tracetui.model.rows import FeedbackKey, Row
from tracetui.tui.outline import Key, Path
from tracetui.tui.waterfall import Axis, Step, axis_of

if TYPE_CHECKING:
    from tracetui.store.filters import Where
    from tracetui.store.reading import Reader, Totals

After = tuple[int, int] | None

FIRST, PAGE = 200, 5000
_CHAIN = 6
"""How many only children are unfolded with their parent."""
_CALLS = (Kind.TOOL, Kind.RETRIEVER)
_WORDS, _LETTERS = 8, 200
_AXIS_RUNS = 60_000
"""Longer traces have no axis: reading all their runs would hold up the rest."""


class Kids(NamedTuple):
    """Children of a row (`None`: the top level), or a further page of them."""

    key: Key | None
    level: Level
    pks: array[int]
    after: After
    """Where the next page begins; `None`: these are all."""
    only: Kids | None = None
    """Children of the only child."""


class First(NamedTuple):
    """All that the first page needs."""

    kids: Kids
    rows: dict[Key, Row]
    keys: dict[str, FeedbackKey]


def first(reader: Reader, where: Where | None, lines: int) -> First:
    """The first threads, and the rows of those in sight."""
    kids = threads(reader, where, None, FIRST)
    shown = [(Level.THREAD, pk) for pk in kids.pks[:lines]]
    return First(kids, rows(reader, shown), feedback_keys(reader))


def feedback_keys(reader: Reader) -> dict[str, FeedbackKey]:
    """The feedback keys of the store by name."""
    return {key.key: key for key in reader.feedback_keys()}


def threads(reader: Reader, where: Where | None, after: After, limit: int = PAGE) -> Kids:
    """A page of threads, newest first."""
    page = reader.keys(Level.THREAD, where=where, after=after, limit=limit)
    return Kids(None, Level.THREAD, page.pks, page.after)


def rows(reader: Reader, keys: Iterable[Key]) -> dict[Key, Row]:
    """Rows by their place in the tree."""
    wanted: dict[Level, list[int]] = {}
    for level, pk in keys:
        wanted.setdefault(level, []).append(pk)
    out: dict[Key, Row] = {}
    for level, pks in wanted.items():
        for pk, row in reader.rows(level, pks).items():
            out[level, pk] = row
    _with_arguments(reader, out)
    implicit = {key: _only_trace(reader, key[1]) for key, row in out.items() if row.implicit}
    traces = reader.rows(Level.TRACE, [pk for pk in implicit.values() if pk is not None])
    for key, trace in implicit.items():
        if trace is not None and trace in traces:
            out[key] = traces[trace]
    return out


def _with_arguments(reader: Reader, found: dict[Key, Row]) -> None:
    """Give the rows of calls their arguments in a few words."""
    calls = {row.pk: key for key, row in found.items() if row.level == Level.RUN and row.kind in _CALLS}
    if calls:
        for pk, value in reader.inputs(list(calls)).items():
            words = arguments(value)
            if words:
                found[calls[pk]] = replace(found[calls[pk]], input_preview=words)


def arguments(value: Any) -> str:
    """What a call was given, in a few words: its values without their names."""
    words: list[str] = []
    waiting = [value]
    while waiting and len(words) < _WORDS:
        one = waiting.pop(0)
        if isinstance(one, dict):
            waiting[:0] = list(one.values())[:_WORDS]
        elif isinstance(one, list):
            waiting[:0] = one[:_WORDS]
        elif one is not None and one != "":
            words.append(" ".join(str(one)[:_LETTERS].split()))
    return " ".join(words)[:_LETTERS]


def _only_trace(reader: Reader, thread: int) -> int | None:
    pks = reader.keys(Level.TRACE, parent=thread, limit=2).pks
    return pks[0] if len(pks) == 1 else None


def kids(reader: Reader, key: Key, where: Where | None, after: After = None, chain: int = _CHAIN) -> Kids:
    """A page of the children of a row; of an only child its children too."""
    level, pk = key
    if level == Level.THREAD:
        row = reader.rows(level, [pk]).get(pk)
        trace = _only_trace(reader, pk) if row is not None and row.implicit else None
        if trace is None:
            page = reader.keys(Level.TRACE, parent=pk, where=where, after=after, limit=PAGE)
            return _with_only(reader, Kids(key, Level.TRACE, page.pks, page.after), where, chain)
        page = reader.keys(Level.RUN, parent=trace, after=after, limit=PAGE)
    elif level == Level.TRACE:
        page = reader.keys(Level.RUN, parent=pk, after=after, limit=PAGE)
    else:
        page = reader.children(pk, after=after, limit=PAGE)
    return _with_only(reader, Kids(key, Level.RUN, page.pks, page.after), where, chain)


def _with_only(reader: Reader, found: Kids, where: Where | None, chain: int) -> Kids:
    if len(found.pks) != 1 or not chain:
        return found
    below = kids(reader, (found.level, found.pks[0]), where, None, chain - 1)
    return found if not below.pks else Kids(found.key, found.level, found.pks, found.after, below)


def all_kids(reader: Reader, key: Key, where: Where | None) -> Kids:
    """All children of a row."""
    found = kids(reader, key, where, None, 0)
    pks, after = array("q", found.pks), found.after
    while after is not None:
        more = kids(reader, key, where, after, 0)
        pks.extend(more.pks)
        after = more.after
    return Kids(key, found.level, pks, None)


@dataclass(frozen=True, slots=True)
class Way:
    """How to get to a row: its path in the tree and the children of each row above it that was not known."""

    path: Path
    kids: tuple[Kids, ...] = ()
    rest: Kids | None = None
    """The rest of the threads, where the path's thread was not among the known ones."""
    rows: dict[Key, Row] = field(default_factory=dict)


def way(
    reader: Reader, target: Key, where: Where | None, unfolded: frozenset[Key], threads_after: After, known: bool
) -> Way | None:
    """The way to a row, at any level; `None` where it is no longer in the store.

    `unfolded`: rows whose children are all known. `threads_after`: where the unknown threads begin; `known`:
    whether all threads are known.
    """
    path = tuple(reader.path_to(*target))
    if not path:
        return None
    head = rows(reader, path[:1]).get(path[0])
    if head is not None and head.level == Level.TRACE and path[0][0] == Level.THREAD:
        path = (path[0], *(key for key in path[1:] if key[0] != Level.TRACE))
    found = tuple(all_kids(reader, key, where) for key in path[:-1] if key not in unfolded)
    rest = None
    if not known:
        pks, after = array("q"), threads_after
        while True:
            page = threads(reader, where, after)
            pks.extend(page.pks)
            after = page.after
            if after is None or path[0][1] in page.pks:
                break
        rest = Kids(None, Level.THREAD, pks, after)
    return Way(path, found, rest, rows(reader, path))


def axes(reader: Reader, traces: Sequence[Row], now_us: int) -> dict[int, Axis]:
    """The axes of some traces, by pk."""
    out: dict[int, Axis] = {}
    for trace in traces:
        if trace.run_count <= _AXIS_RUNS:
            steps = [
                Step(pk, parent, phase > 0, status, start, end)
                for pk, parent, phase, status, start, end in reader.spans_of(trace.pk)
            ]
            axis = axis_of(steps, now_us)
            if axis is not None:
                out[trace.pk] = axis
    return out


def matching(reader: Reader, thread_pks: Iterable[int], where: Where) -> dict[int, int]:
    """How many traces of each thread the filter matches."""
    return {pk: len(reader.keys(Level.TRACE, parent=pk, where=where, limit=PAGE).pks) for pk in thread_pks}


def totals(reader: Reader) -> Totals:
    """What the store holds."""
    return reader.totals()


def fresh(reader: Reader, pks: Sequence[int], where: Where | None) -> list[int]:
    """Those of these new threads that the filter matches, newest first."""
    if where is not None:
        found = [pk for pk in pks if reader.keys(Level.TRACE, parent=pk, where=where, limit=1).pks]
    else:
        found = list(pks)
    known = reader.rows(Level.THREAD, found)
    listed = [pk for pk in found if pk in known and known[pk].run_count]
    return sorted(listed, key=lambda pk: (known[pk].sort_at, pk), reverse=True)


def again(reader: Reader, keys: Sequence[Key], where: Where | None) -> list[Kids]:
    """The children of unfolded rows as they are now."""
    return [all_kids(reader, key, where) for key in keys]


def fallen(reader: Reader, traces: Sequence[int], where: Where) -> tuple[list[int], list[int]]:
    """Of some traces, those that the filter does not match (any more), and those that it does."""
    kept = set(members(reader, Level.TRACE, traces, where))
    return [pk for pk in traces if pk not in kept], sorted(kept)


def members(reader: Reader, level: Level, pks: Sequence[int], where: Where) -> list[int]:
    """Those of some rows that a filter matches."""
    inside = f"{level}.pk IN (SELECT value FROM json_each(?)) AND ({where.sql})"
    narrow = replace(where, sql=inside, params=(jsonx.dumps(list(pks)).decode(), *where.params), drivers=())
    out: list[int] = []
    after: After = None
    while True:
        page = reader.keys(level, where=narrow, after=after, limit=PAGE)
        out.extend(page.pks)
        after = page.after
        if after is None:
            return out
