"""The next or previous row of some kind, in the order in which the tree shows rows.

Threads newest first, below each its traces in their order, below each its runs, a run before the runs below it.
Rollups and indexes skip the threads and traces that hold nothing; only the trace of the hit is looked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tracetui.model.kinds import Level
from tracetui.store.access import Access, pk_list
from tracetui.store.fieldsql import BELOW, LEVELS, VISIBLE
from tracetui.store.filters import Where, scoped
from tracetui.store.finding import path_to
from tracetui.store.pages import selective
from tracetui.store.textmatch import Sql

What = Literal["error", "unscored", "feedback", "match"]
Place = tuple[Level, int]

_OWN = "SELECT 1 FROM feedback AS f WHERE f.level = '{0}' AND f.target = {0}.pk AND f.deleted = 0"
_OF_ONLY_TRACE = (
    "SELECT 1 FROM trace CROSS JOIN feedback AS f ON f.level = 'trace' AND f.target = trace.pk "
    "WHERE trace.thread = thread.pk AND thread.implicit = 1 AND f.deleted = 0"
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Conditions on the rows that are looked for and on the rows above them."""

    level: Level
    on: dict[Level, Sql]


def step(
    access: Access,
    what: What,
    at: Place | None,
    forward: bool,
    *,
    where: Where | None = None,
    key: str | None = None,
) -> Place | None:
    """The nearest row after (or before) a place; without a place from the first (or last) row on.

    `error`: a failed run. `unscored`: a row of the place's level (else a trace) without own live feedback under
    `key`. `feedback`: a row with live feedback of its own. `match`: a row of the filter's level that it matches. A
    filter holds for the others too: of what it matches, or what stands below or above that.
    """
    path = path_to(access, *at) if at is not None else ()
    if what == "feedback":
        levels: tuple[Level, ...] = (Level.THREAD, Level.TRACE, Level.RUN)
    elif what == "error":
        levels = (Level.RUN,)
    elif what == "match":
        levels = (where.level,) if where is not None else ()
    else:
        levels = (path[-1][0] if path else Level.TRACE,)
    found = []
    for level in levels:
        hit = _nearest(access, _wanted(access, what, level, where, key), path, forward)
        if hit is not None:
            found.append(hit)
    if len(found) < 2:
        return found[0] if found else None
    return _first(access, found, forward)


def _wanted(access: Access, what: What, level: Level, where: Where | None, key: str | None) -> _Wanted:
    """The conditions of a kind of step, from its own level upwards."""
    on: dict[Level, list[Sql]] = {each: [Sql(VISIBLE[each])] for each in Level}
    on[level] += _own(what, level, key)
    skip = {"error": "{0}.error_count > 0", "feedback": "{0}.feedback IS NOT NULL"}.get(what)
    for each in (Level.THREAD, Level.TRACE):
        if skip is not None and each is not level:
            on[each].append(Sql(skip.format(each.value)))
    narrow = where if where is not None and not where.everything else None
    if narrow is not None:
        each = narrow.level if LEVELS.index(narrow.level) < LEVELS.index(level) else level
        driver = selective(access, narrow, level) if each is not narrow.level else None
        on[each].append(scoped(narrow, each, driver=driver))
    # the counts of failed runs alone tell that there is one, where the filter does not choose among them
    sure = {Level.TRACE: narrow is None or narrow.level is not Level.RUN}
    sure[Level.THREAD] = narrow is None or narrow.level is Level.THREAD
    done: dict[Level, Sql] = {}
    for each in (Level.RUN, Level.TRACE, Level.THREAD):
        below = {Level.TRACE: Level.RUN, Level.THREAD: Level.TRACE}.get(each, each)
        if below in done and not (what == "error" and sure[each]):
            inner = done[below]
            on[each].append(Sql(f"EXISTS (SELECT 1 FROM {BELOW[each, below]} AND {inner.text})", inner.params))
        if each is level or done:
            done[each] = _all(on[each])
    return _Wanted(level, done)


def _own(what: What, level: Level, key: str | None) -> list[Sql]:
    if what == "match":
        return []
    if what == "error":
        return [Sql("run.status = 'error'")]
    named = "" if key is None or what == "feedback" else " AND f.key = ?"
    params: tuple[object, ...] = (key,) if named else ()
    said = Sql(f"EXISTS ({_OWN.format(level.value)}{named})", params)
    if level is Level.THREAD:  # what is said of a trace's own thread is said of the trace
        said = Sql(f"({said.text} OR EXISTS ({_OF_ONLY_TRACE}{named}))", params * 2)
    if what == "feedback":
        return [said]
    return [Sql(f"NOT {said.text}", said.params)]


def _all(parts: list[Sql]) -> Sql:
    return Sql(" AND ".join(part.text for part in parts), tuple(param for part in parts for param in part.params))


# -- walking ---------------------------------------------------------------------------------------------------


def _nearest(access: Access, wanted: _Wanted, path: tuple[Place, ...], forward: bool) -> Place | None:
    """The nearest row of one level from a place, given by the path down to it."""
    thread, trace, run = _pk(path, 0), _pk(path, 1), _pk(path[2:], -1)
    if thread is None:
        return _into(access, wanted, (Level.THREAD, _edge(access, wanted, None, forward)), forward)
    if wanted.level is Level.THREAD:
        if not forward and trace is not None and _fulfils(access, wanted, Level.THREAD, thread):
            return (Level.THREAD, thread)
        return _into(access, wanted, (Level.THREAD, _edge(access, wanted, thread, forward)), forward)
    if not _fulfils(access, wanted, Level.THREAD, thread):
        return _into(access, wanted, (Level.THREAD, _edge(access, wanted, thread, forward)), forward)
    # forward from a trace or a run: the runs after it; backward from a run: its trace, or the runs before it
    inside = trace is not None and (run is not None or forward) and (wanted.level is Level.RUN or not forward)
    if trace is not None and inside and _fulfils(access, wanted, Level.TRACE, trace):
        if wanted.level is Level.TRACE:
            return (Level.TRACE, trace)
        hit = _run(access, wanted, trace, run, forward)
        if hit is not None:
            return (Level.RUN, hit)
    if trace is not None or forward:
        beside = _beside(access, wanted, thread, trace, forward)
        if beside is not None:
            return _into(access, wanted, (Level.TRACE, beside), forward)
    return _into(access, wanted, (Level.THREAD, _edge(access, wanted, thread, forward)), forward)


def _pk(path: tuple[Place, ...], index: int) -> int | None:
    return path[index][1] if -len(path) <= index < len(path) else None


def _fulfils(access: Access, wanted: _Wanted, level: Level, pk: int) -> bool:
    test = wanted.on[level]
    return access.first(f"SELECT 1 FROM {level.value} WHERE pk = ? AND {test.text}", (pk, *test.params)) is not None


def _edge(access: Access, wanted: _Wanted, thread: int | None, forward: bool) -> int | None:
    """The next thread; without one to start from the first (or last)."""
    test = wanted.on[Level.THREAD]
    sign, way = ("<", " DESC") if forward else (">", "")
    start: tuple[object, ...] = ()
    after = ""
    if thread is not None:
        start = access.first("SELECT sort_at, pk FROM thread WHERE pk = ?", (thread,))
        after = f" AND (thread.sort_at, thread.pk) {sign} (?, ?)"
    found = access.first(
        f"SELECT thread.pk FROM thread WHERE {test.text}{after} ORDER BY thread.sort_at{way}, thread.pk{way} LIMIT 1",
        (*test.params, *start),
    )
    return found[0] if found else None


def _beside(access: Access, wanted: _Wanted, thread: int, trace: int | None, forward: bool) -> int | None:
    """The next trace of a thread; without one to start from the first (or last)."""
    test = wanted.on[Level.TRACE]
    sign, way = (">", "") if forward else ("<", " DESC")
    start: tuple[object, ...] = ()
    after = ""
    if trace is not None:
        start = access.first("SELECT sort_at, pk FROM trace WHERE pk = ?", (trace,))
        after = f" AND (trace.sort_at, trace.pk) {sign} (?, ?)"
    found = access.first(
        f"SELECT trace.pk FROM trace WHERE trace.thread = ? AND {test.text}{after} "
        f"ORDER BY trace.sort_at{way}, trace.pk{way} LIMIT 1",
        (thread, *test.params, *start),
    )
    return found[0] if found else None


def _run(access: Access, wanted: _Wanted, trace: int, run: int | None, forward: bool) -> int | None:
    """The next run of a trace; without one to start from the first (or last)."""
    test = wanted.on[Level.RUN]
    found = access.all(f"SELECT run.pk FROM run WHERE run.trace = ? AND {test.text}", (trace, *test.params))
    candidates = {pk for (pk,) in found}
    place = places(access, trace, candidates if run is None else candidates | {run})
    here = -1 if forward else len(place)
    if run is not None:
        here = place.get(run, here)
    ahead = [
        (place[pk], pk) for pk in candidates if pk in place and (place[pk] > here if forward else place[pk] < here)
    ]
    return (min(ahead) if forward else max(ahead))[1] if ahead else None


def _into(access: Access, wanted: _Wanted, found: tuple[Level, int | None], forward: bool) -> Place | None:
    """From a row that holds a hit down to the first (or last) hit in it."""
    level, pk = found
    if pk is None:
        return None
    if level is wanted.level:
        return (level, pk)
    if level is Level.THREAD:
        return _into(access, wanted, (Level.TRACE, _beside(access, wanted, pk, None, forward)), forward)
    return _into(access, wanted, (Level.RUN, _run(access, wanted, pk, None, forward)), forward)


def places(access: Access, trace: int, runs: set[int]) -> dict[int, int]:
    """The order in which the tree shows some runs of a trace: a number for each of them and of the runs above."""
    if len(runs) > _MANY:
        found = access.all(f"SELECT pk, parent, phase FROM run WHERE trace = ? {_FALLING}", (trace,))
    else:
        found = access.all(
            f"""WITH RECURSIVE up(pk) AS (
              SELECT value FROM json_each(?)
              UNION SELECT run.parent FROM up JOIN run ON run.pk = up.pk WHERE run.parent IS NOT NULL)
            SELECT run.pk, run.parent, run.phase FROM up JOIN run ON run.pk = up.pk {_FALLING}""",
            (pk_list(runs),),
        )
    stubs = {pk: parent for pk, parent, phase in found if phase == 0}
    below: dict[int | None, list[int]] = {}
    for pk, parent, phase in found:
        if phase > 0:
            below.setdefault(_shown(parent, stubs) if stubs else parent, []).append(pk)
    place: dict[int, int] = {}
    waiting = below.pop(None, [])
    while waiting:
        pk = waiting.pop()  # lists are in falling order: the last one comes first
        place[pk] = len(place)
        waiting += below.pop(pk, ())
    return place


_MANY = 1000
"""From so many runs on, reading the whole trace is quicker than climbing up from each."""
_FALLING = "ORDER BY run.position DESC, run.pk DESC"


def _shown(parent: int | None, stubs: dict[int, int | None]) -> int | None:
    seen: set[int] = set()
    while parent in stubs and parent not in seen:
        seen.add(parent)
        parent = stubs[parent]
    return None if parent in stubs else parent


def _first(access: Access, found: list[Place], forward: bool) -> Place:
    """Which of some rows of different levels comes first (or last) in the tree."""

    def key(place: Place) -> tuple[int, ...]:
        path = path_to(access, *place)
        at, pk = access.first("SELECT sort_at, pk FROM thread WHERE pk = ?", (path[0][1],))
        parts = [-at, -pk]
        if len(path) > 1:
            parts += access.first("SELECT sort_at, pk FROM trace WHERE pk = ?", (path[1][1],))
        return (*parts, len(path))

    return (min if forward else max)(found, key=key)
