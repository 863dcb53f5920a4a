"""Trying rules out: what they would find in a store, without writing anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracetui.evaluate.evaluators.base import Tools
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.judging import Judge, Scope, compiled, scope, units
from tracetui.evaluate.load import Loader
from tracetui.evaluate.rules import Rule
from tracetui.evaluate.usual import Usual
from tracetui.evaluate.view import View
from tracetui.model.kinds import Level
from tracetui.store import targets
from tracetui.store.access import Access
from tracetui.store.filters import Where
from tracetui.store.targets import Target, in_sample
from tracetui.store.verdicts import spoken_by

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """One hit: what it is on and what was found. `match` stands in `comment`, where a pattern was looked for."""

    level: Level
    id: str
    name: str
    comment: str
    match: str | None
    score: float | None


@dataclass(slots=True)
class Trial:
    """What one rule would do."""

    rule: Rule
    judged: int = 0
    hits: int = 0
    failed: int = 0
    score_sum: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None
    """Why it failed, the last time."""
    seconds: float = 0.0
    new: int | None = None
    """Hits that the store's version of the rule has not; `None` where the store has no such rule."""
    lost: int | None = None
    """Hits of the store's version that this one has not."""


Shown = Callable[[int, int], None]
"""Targets looked at, and how many there are."""


def try_rules(
    store: Path,
    rules: Sequence[Rule],
    *,
    where: str | None = None,
    samples: int = 3,
    progress: Shown | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Trial, ...]:
    """Judge everything there is, the newest first, ready or not. Raises `StoreError`, `FilterError`."""
    access = Access(store)
    try:
        tools = Tools(baselines=Usual(access.conn))
        trials = [_Trying(access, rule, where, samples, tools) for rule in rules]
        levels = [level for level in Level if any(one.rule.walks is level for one in trials)]
        total = sum(targets.count_of(access.conn, level) for level in levels)
        done = 0
        for level in levels:
            done = _walk(access, level, [one for one in trials if one.rule.walks is level], done, total, progress, stop)
        return tuple(one.ended() for one in trials)
    finally:
        access.close()


def _walk(
    access: Access,
    level: Level,
    trials: Sequence[_Trying],
    done: int,
    total: int,
    progress: Shown | None,
    stop: Callable[[], bool],
) -> int:
    loader = Loader(access.conn)
    before: int | None = None
    while not stop():
        page = targets.newest(access.conn, level, before, _PAGE)
        if not page:
            break
        before = page[-1]
        for one in trials:
            one.turn_to(page)
        loader.refresh(frozenset().union(*(one.judge.reads for one in trials)))
        views = loader.views(level, page)
        for pk in page:
            if stop():
                break
            view = views.pop(pk, None)
            for one in trials if view is not None else ():
                assert view is not None
                one.look(view, loader)
            loader.drop(view)
            done += 1
        if progress is not None:
            progress(done, total)
    return done


class _Trying:
    """One rule on trial."""

    def __init__(self, access: Access, rule: Rule, where: str | None, samples: int, tools: Tools) -> None:
        self.rule = rule
        self._access = access
        self._within: Where | None = compiled(where, rule.on)
        self._samples = samples
        self._trial = Trial(rule)
        self._found: set[tuple[str, int]] = set()
        self._judged: set[tuple[str, int]] = set()
        self.judge = Judge(rule, tools)
        self._before = spoken_by(access.conn, rule.name)
        self._scope: Scope | None = None

    def turn_to(self, page: Sequence[int]) -> None:
        """Ask the filters about a page of targets; about the runs of a trace they are asked trace by trace."""
        if self.rule.on is self.rule.walks:
            self._scope = scope(self._access.conn, self.judge, page, self._within)

    def look(self, walked: View, loader: Loader) -> None:
        """Judge a target, or all that is in it."""
        begin = time.perf_counter()
        inside = list(units(walked, self.rule.on))
        where = self._scope or scope(self._access.conn, self.judge, [unit.pk for unit in inside], self._within)
        for unit in inside:
            target = loader.target(unit)
            if target is None or (where.within is not None and unit.pk not in where.within):
                continue
            if unit.pk in where.allowed and in_sample(target.id, target.project, self.rule.sample):
                self._take(unit, target, self.judge.find(unit))
        self._trial.seconds += time.perf_counter() - begin

    def _take(self, unit: View, target: Target, found: Finding | str | None) -> None:
        trial = self._trial
        trial.judged += 1
        self._judged.add((target.level, target.pk))
        if isinstance(found, str):
            trial.failed += 1
            trial.failure = found
        elif found is not None:
            score = self.rule.score(found.count, found.amount)
            trial.hits += 1
            trial.score_sum += score or 0.0
            self._found.add((target.level, target.pk))
            if len(trial.samples) < self._samples:
                match: Any = found.evidence.get("match")
                trial.samples.append(Sample(target.level, target.id, unit.name, found.comment, match, score))

    def ended(self) -> Trial:
        """What came out, beside what the store's version has said of the same targets."""
        if self._before is not None:
            before = self._before & self._judged if self._within is not None else self._before
            self._trial.new = len(self._found - before)
            self._trial.lost = len(before - self._found)
        return self._trial
