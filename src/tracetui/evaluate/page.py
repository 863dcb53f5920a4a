"""Judging a page of targets with several rules at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tracetui.evaluate.evaluators.textual import scan
from tracetui.evaluate.judging import Asked, Judge, Scope, compiled, judge_target, passed_over, scope
from tracetui.evaluate.load import Loader
from tracetui.evaluate.matching import Matchers
from tracetui.evaluate.view import View
from tracetui.model.kinds import Level
from tracetui.store.rules import Cursor, Lane, StoredRule
from tracetui.store.verdicts import Passed, Said

TURN_S = 0.25
"""About how long a turn judges before it writes."""
_SLOW_S = 0.1
"""A rule that takes longer than this in a turn, and longer than all others, is left behind to go on alone."""
_RUNS_AT_ONCE = 4000

Ready = tuple[int, int]
"""A target that became ready: its pk, and at which revision."""


@dataclass(slots=True)
class Runner:
    """A claimed lane at work on a page."""

    rule: StoredRule
    lane: Lane
    judge: Judge
    scope: Scope | None = None
    """What it may say of the page; of the runs of a trace that is asked trace by trace."""
    passed: list[Passed] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    judged: int = 0
    last: Cursor | None = None
    left_behind: bool = False
    _page: Sequence[Ready] = ()
    _at: int = 0
    """The place in the page up to which `judged` counts."""
    _spent: float = 0.0
    _patterns_before: float = 0.0

    def begin(self, conn: sqlite3.Connection, page: Sequence[Ready], walked: Level, asked: Asked) -> None:
        """Turn to a page."""
        self._page = page
        if self.judge.rule.on is walked:
            self.scope = self._scope(conn, [pk for pk, _ in page], asked)
        self._patterns_before = sum(one.spent for one in self.judge.looks[1])

    @property
    def by_patterns(self) -> bool:
        """Whether a target in which its patterns find nothing can be skipped (`skip_to`), where nothing was said."""
        return self.judge.decided_by_patterns and self.scope is not None and self.scope.spoken is not None

    def skip_to(self, at: int) -> None:
        """Pass targets up to a place of the page: those that it judges are no hits."""
        if at > self._at and self.scope is not None:
            self.judged += sum(self.scope.judges(pk) for pk, _ in self._page[self._at : at])
            self._at = at

    def look(self, conn: sqlite3.Connection, view: View | None, at: int, walked: Level, loader: Loader) -> None:
        """Judge the target at a place of the page; `view` is `None` where no rule may judge it."""
        self.skip_to(at)
        self._at = at + 1
        pk = self._page[at][0]
        where = self.scope
        begin = time.perf_counter()
        if view is None:
            self._note(at, 0, [] if where is None else passed_over(walked, pk, where))
        else:
            if where is None:
                where = self._scope(conn, [run.pk for run in view.runs])
            self._note(at, *judge_target(self.judge, view, where, loader))
        self._spent += time.perf_counter() - begin

    def end(self, at: int) -> None:
        """Leave the page before this place."""
        self.skip_to(at)
        pk, ready_rev = self._page[at - 1]
        self.last = (ready_rev, pk)

    def _scope(self, conn: sqlite3.Connection, pks: Sequence[int], asked: Asked | None = None) -> Scope:
        return scope(conn, self.judge, pks, compiled(self.lane.filter, self.judge.rule.on), asked)

    def _note(self, at: int, judged: int, said: Sequence[Said]) -> None:
        self.judged += judged
        self.failures += [one.failure for one in said if one.failure is not None]
        if said:
            self.passed.append(Passed(*self._page[at], self.judged, tuple(said)))

    def spent(self) -> float:
        """Seconds it took so far, its patterns included."""
        return self._spent + sum(one.spent for one in self.judge.looks[1]) - self._patterns_before

    def going_on(self) -> Runner:
        """The same lane, turned to what comes after what it has passed."""
        assert self.last is not None
        return Runner(self.rule, replace(self.lane, cursor=self.last), self.judge)

    def all_passed(self) -> list[Passed]:
        """What is to be written; the last one says how far it came."""
        assert self.last is not None
        if self.passed and self.passed[-1].cursor == self.last:
            return self.passed
        return [*self.passed, Passed(self.last[1], self.last[0], self.judged)]


class Page:
    """A page and the rules that turn to it together: each target is read once, and its texts searched once for all."""

    def __init__(
        self, conn: sqlite3.Connection, loader: Loader, matchers: Matchers, runners: Sequence[Runner],
        page: Sequence[Ready], walked: Level,
    ) -> None:  # fmt: skip
        self._conn = conn
        self._loader = loader
        self._matchers = matchers
        self._runners = runners
        self._walked = walked
        asked: Asked = {}
        for runner in runners:
            runner.begin(conn, page, walked, asked)
        loader.refresh(frozenset().union(*(runner.judge.reads for runner in runners)))
        self._views = loader.views(walked, self._to_look_at([pk for pk, _ in page]))
        self._page = self._bounded(page)
        self._together = self._sets()
        said = (runner.scope.spoken for runner in runners if runner.scope is not None)
        self._spoken: set[int] = set().union(*(pks for pks in said if pks is not None))

    def judge(self, stop: Callable[[], bool], still_here: Callable[[], None]) -> int:
        """Judge as many targets as fit into a turn; returns how many. `still_here` is called now and then."""
        begin = time.perf_counter()
        active = list(self._runners)
        at = 0
        for at, (pk, _) in enumerate(self._page):
            view = self._views.pop(pk, None)
            found = view is not None and self._look_together(view)
            for runner in active:
                if found or not runner.by_patterns or pk in self._spoken:
                    runner.look(self._conn, view, at, self._walked, self._loader)
            self._loader.drop(view)
            still_here()
            spent = time.perf_counter() - begin
            if spent > TURN_S or stop():
                break
            if spent > _SLOW_S and len(active) > 1:
                active = self._without_the_slowest(active, at + 1)
        for runner in active:
            runner.end(at + 1)
        return at + 1

    def _to_look_at(self, pks: Sequence[int]) -> Sequence[int]:
        """What a rule may have to look at. Of threads all: feedback may go to their traces."""
        if self._walked is Level.THREAD or any(runner.scope is None for runner in self._runners):
            return pks
        wanted: set[int] = set().union(*(runner.scope.allowed for runner in self._runners if runner.scope is not None))
        return [pk for pk in pks if pk in wanted]

    def _bounded(self, page: Sequence[Ready]) -> Sequence[Ready]:
        """As much of a page as holds not too many runs: traces and threads are read with all of them."""
        runs = 0
        for at, (pk, _) in enumerate(page):
            runs += getattr(self._views.get(pk), "run_count", 0)
            if runs > _RUNS_AT_ONCE and at:
                return page[:at]
        return page

    def _sets(self) -> dict[tuple[str, ...], dict[int, int]]:
        """Where rules look -> target -> the set of patterns that look there."""
        sets: dict[tuple[str, ...], dict[int, int]] = {}
        for runner in self._runners:
            choices, matchers = runner.judge.looks
            if runner.scope is not None and matchers and not runner.left_behind:
                bits = sum({matcher.bit for matcher in matchers})
                by_target = sets.setdefault(choices, {})
                for pk in runner.scope.allowed:
                    by_target[pk] = by_target.get(pk, 0) | bits
        return sets

    def _look_together(self, view: View) -> bool:
        """Search a target's texts for the patterns of all rules that will look at them; whether any found anything."""
        any_found = False
        for choices, by_target in self._together.items():
            wanted = by_target.get(view.pk, 0)
            if wanted:
                try:
                    any_found = bool(scan(self._matchers, view, choices, wanted)) or any_found
                except Exception:  # noqa: BLE001  # each rule meets it by itself, and notes it as its failure
                    any_found = True
        return any_found

    def _without_the_slowest(self, active: list[Runner], at: int) -> list[Runner]:
        """The one rule that takes longer than all others together goes on alone, in turns of its own."""
        spent = {id(runner): runner.spent() for runner in active}
        slowest = max(active, key=lambda runner: spent[id(runner)])
        most = spent[id(slowest)]
        if most < _SLOW_S or most < 2 * (sum(spent.values()) - most):
            return active
        slowest.left_behind = True
        slowest.end(at)
        self._together = self._sets()
        return [runner for runner in active if runner is not slowest]
