"""Where in its trace a run was: bars exact to half a cell, and a trace's own axis with its errors. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracetui.model.kinds import Status
from tracetui.model.rows import Row


@dataclass(frozen=True, slots=True)
class Axis:
    """The axis of one trace.

    Without times (trajectories say none, or only some) it is the order of the steps: `order` has each run's place, and
    `start` and `end` count runs.
    """

    start: int
    end: int
    marks: tuple[float, ...] = ()
    """Where on the axis runs failed, 0 to 1."""
    order: dict[int, int] = field(default_factory=dict)
    aside: frozenset[int] = frozenset()
    """Runs (pks) that ran beside a longer one: off the critical path."""
    last: dict[int, int] = field(default_factory=dict)
    """Without times: the place of the last run below a run that has any."""
    inside: dict[int, int] = field(default_factory=dict)
    """How many runs failed below a run (pk), for those that have any."""

    def span(self, row: Row, now_us: int) -> tuple[float, float] | None:
        """Where a run begins and ends on the axis, 0 to 1; `None` where that is not known."""
        length = self.end - self.start
        if self.order:
            place = self.order.get(row.pk)
            return None if place is None else (place / length, (self.last.get(row.pk, place) + 1) / length)
        if row.started_at is None or length <= 0:
            return None
        ended = row.ended_at
        if ended is None:
            ended = now_us if row.status == Status.RUNNING else row.started_at
        return (row.started_at - self.start) / length, (ended - self.start) / length


class Step(NamedTuple):
    """What the axis needs of a run. A stub (`shown` is false) only links what is below it to what is above."""

    pk: int
    parent_pk: int | None = None
    shown: bool = True
    status: str | None = None
    started_at: int | None = None
    ended_at: int | None = None


def axis_of(steps: Sequence[Step], now_us: int) -> Axis | None:
    """The axis of a trace from all its runs in order."""
    runs = [step for step in steps if step.shown]
    starts = [run.started_at for run in runs if run.started_at is not None]
    if not runs:
        return None
    start = min(starts, default=0)
    end = max((_end(run, now_us) for run in runs if run.started_at is not None), default=0)
    failed = _failed(runs)
    timed = sum(run.started_at is not None and (run.ended_at is not None or _at_work(run)) for run in runs)
    if end <= start or timed * 2 < len(runs):
        order = {run.pk: place for place, run in enumerate(runs)}
        marks = tuple((order[run.pk] + 0.5) / len(runs) for run in failed)
        return Axis(0, len(runs), marks, order, last=_last(runs, order), inside=_inside(failed, steps))
    begun = [run.started_at for run in failed if run.started_at is not None]
    marks = tuple((at - start) / (end - start) for at in begun)
    return Axis(start, end, marks, aside=aside(runs, now_us), inside=_inside(failed, steps))


def _failed(runs: Sequence[Step]) -> list[Step]:
    """The failed runs without those that only passed a failure below them on."""
    failed = [run for run in runs if run.status == Status.ERROR]
    above = {run.parent_pk for run in failed}
    return [run for run in failed if run.pk not in above]


def _last(runs: Sequence[Step], order: dict[int, int]) -> dict[int, int]:
    last: dict[int, int] = {}
    for run in reversed(runs):
        if run.parent_pk is not None:
            end = max(order[run.pk], last.get(run.pk, 0))
            last[run.parent_pk] = max(end, last.get(run.parent_pk, 0))
    return last


def _inside(failed: Sequence[Step], runs: Sequence[Step]) -> dict[int, int]:
    above = {run.pk: run.parent_pk for run in runs} if failed else {}
    out: dict[int, int] = {}
    for run in failed:
        seen = {run.pk}
        parent = above.get(run.pk)
        while parent is not None and parent not in seen:
            seen.add(parent)
            out[parent] = out.get(parent, 0) + 1
            parent = above.get(parent)
    return out


def _at_work(run: Step) -> bool:
    return run.status == Status.RUNNING


def _end(run: Step, now_us: int) -> int:
    if run.ended_at is not None:
        return run.ended_at
    if _at_work(run):
        return now_us
    return run.started_at or 0


def aside(runs: Iterable[Step], now_us: int) -> frozenset[int]:
    """The runs off the critical path.

    Of siblings, walking back from the end: the one that ends last is on it, then the last one that ended
    before that one began, and so on. What overlaps them is aside.
    """
    families: dict[int | None, list[Step]] = {}
    for run in runs:
        if run.started_at is not None:
            families.setdefault(run.parent_pk, []).append(run)
    out: set[int] = set()
    for family in families.values():
        if len(family) < 2:
            continue
        limit: int | None = None
        for run in sorted(family, key=lambda run: _end(run, now_us), reverse=True):
            if limit is None or _end(run, now_us) <= limit:
                limit = run.started_at
            else:
                out.add(run.pk)
    return frozenset(out)


def bar(span: tuple[float, float], width: int, strokes: str) -> str:
    """A bar of `width` cells, exact to half a cell and at least half a cell long.

    `strokes`: the signs of a full cell, of its right half, of its left half.
    """
    halves = 2 * width
    first = min(max(int(span[0] * halves), 0), halves - 1)
    last = min(max(round(span[1] * halves), first + 1), halves)
    lead, tail = first % 2, last % 2
    if first // 2 == (last - 1) // 2 and (lead or tail):
        drawn = strokes[1] if lead else strokes[2]
    else:
        whole = last // 2 - (first + 1) // 2
        drawn = strokes[1] * lead + strokes[0] * whole + strokes[2] * tail
    return " " * (first // 2) + drawn + " " * (width - first // 2 - len(drawn))


def marked(marks: Iterable[float], width: int) -> set[int]:
    """The cells of an axis of `width` cells that carry a mark."""
    return {min(max(int(mark * width), 0), width - 1) for mark in marks}
