"""The work of a worker, turn by turn: claim lanes, judge what they have not passed, write, give back.

Rules at the same place share a page: its texts are read and decoded once. A turn is short, so that what just became
ready (`live`) never waits long behind what was there before (`backfill`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tracetui.evaluate.evaluators.base import Tools
from tracetui.evaluate.evaluators.textual import scan
from tracetui.evaluate.judging import Judge, Scope, compiled, judge_target, passed_over, scope
from tracetui.evaluate.load import Loader
from tracetui.evaluate.matching import Matcher
from tracetui.evaluate.rules import from_spec
from tracetui.evaluate.usual import Usual
from tracetui.evaluate.view import View
from tracetui.model.errors import RulesError
from tracetui.model.kinds import Level
from tracetui.model.times import now_us
from tracetui.store import claims, targets
from tracetui.store.db import Checkpointer, connect_write
from tracetui.store.filters import Where
from tracetui.store.rules import BACKFILL, DONE, LIVE, STOPPED, Cursor, Lane, StoredRule, walked_level
from tracetui.store.textmatch import install
from tracetui.store.verdicts import LeaseLostError, Passed, Said, VerdictWriter

TURN_S = 0.25
"""About how long a turn judges before it writes."""
_SLOW_S = 0.1
"""A rule that takes longer than this in a turn, and longer than all others, is left behind to go on alone."""
_PAGE = 500
_RUNS_AT_ONCE = 4000
_RENEW_S = 10.0
_STEAL_AFTER_S = 1.0
_WATCHED = 40
_FEWEST = 10

Event = tuple[str, str, str]
"""What happened, to which rule, in words."""


@dataclass(slots=True)
class _Runner:
    """A claimed lane at work."""

    rule: StoredRule
    lane: Lane
    judge: Judge
    scope: Scope | None = None
    """What it may say of the page; of the runs of a trace that is asked trace by trace."""
    passed: list[Passed] = field(default_factory=list)
    judged: int = 0
    failed: list[str | None] = field(default_factory=list)
    """Of what it judged in this turn: why it could not, if so."""
    last: Cursor | None = None
    spent: float = 0.0
    left_behind: bool = False

    def note(self, ready_rev: int, pk: int, judged: int, said: Sequence[Said]) -> None:
        """Take in what was judged in a target."""
        self.judged += judged
        self.last = (ready_rev, pk)
        failures = [one.failure for one in said if one.failure is not None]
        self.failed += failures
        self.failed += [None] * (judged - len(failures))
        if said:
            self.passed.append(Passed(pk, ready_rev, self.judged, tuple(said)))


class Engine:
    """Judges for one process. `only` restricts it to rules by name, and then also works on those switched off."""

    def __init__(
        self,
        path: str | Path,
        *,
        only: frozenset[str] | None = None,
        stop: Callable[[], bool] = lambda: False,
        tell: Callable[[Event], None] = lambda _: None,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self.conn = connect_write(path)
        install(self.conn)
        self.owner = claims.own_name()
        self._only = only
        self._stop = stop
        self._tell = tell
        self._clock = clock
        self._checkpoints = Checkpointer(path)
        self._writer = VerdictWriter(self.conn)
        self._loader = Loader(self.conn)
        self._tools = Tools(baselines=Usual(self.conn))
        self._judges: dict[int, tuple[StoredRule, Judge]] = {}
        self._held: dict[tuple[int, str], Lane] = {}
        self._recent: dict[tuple[int, str], deque[bool]] = {}
        self._served: dict[tuple[int, str], int] = {}
        self._turns = 0
        self._page = 100
        self._blocked_since: float | None = None

    def close(self) -> None:
        """Give everything back."""
        self.release()
        self._checkpoints.close()
        self.conn.close()

    def release(self) -> None:
        """Give all lanes back, for others or for later."""
        claims.release(self.conn, self._held.values())
        self._held.clear()

    # -- one turn

    def turn(self) -> bool:
        """Do some work; returns whether there was any. Raises `StoreError`."""
        group = self._choose()
        if not group:
            if self._held:
                self.release()
            return False
        runners = self._claim(group)
        if runners:
            self._turns += 1
            self._work(runners)
            self._checkpoints.after_commit()
        return True

    def _choose(self) -> list[tuple[StoredRule, Lane]]:
        """Lanes at one place: those with new targets first, else those that waited longest."""
        free, taken = claims.pending(self.conn, self._clock(), self._only)
        mine = [(rule, lane) for rule, lane in taken if lane.owner == self.owner and lane.key in self._held]
        others = [(rule, lane) for rule, lane in taken if lane.owner != self.owner]
        ready = [pair for pair in (*mine, *free) if self._judge(pair[0], pair[1]) is not None]
        if not ready:
            return self._take_over(others)
        self._blocked_since = None
        live = [pair for pair in ready if pair[1].lane == LIVE]
        candidates = live or ready
        first = min(candidates, key=lambda pair: (self._served.get(pair[1].key, 0), pair[1].cursor, pair[1].key))
        place = _place(*first)
        group = [pair for pair in candidates if _place(*pair) == place]
        for _, lane in group:
            self._served[lane.key] = self._turns + 1
        return group

    def _take_over(self, others: Sequence[tuple[StoredRule, Lane]]) -> list[tuple[StoredRule, Lane]]:
        """With nothing to do while another worker has several lanes to itself for long, half of them are taken."""
        now = time.monotonic()
        if not others:
            self._blocked_since = None
            return []
        if self._blocked_since is None:
            self._blocked_since = now
        if now - self._blocked_since < _STEAL_AFTER_S:
            return []
        self._blocked_since = now
        by_owner: dict[str | None, list[tuple[StoredRule, Lane]]] = {}
        for rule, lane in others:
            by_owner.setdefault(lane.owner, []).append((rule, lane))
        richest = max(by_owner.values(), key=len)
        half = [pair for pair in richest if pair[1].lane == BACKFILL][: len(richest) // 2]
        return [pair for pair in half if _place(*pair) == _place(*half[0])]

    def _judge(self, rule: StoredRule, lane: Lane) -> Judge | None:
        """The judge of a rule's current version."""
        known = self._judges.get(rule.pk)
        if known is not None and known[0].version == rule.version and known[0].digest == rule.digest:
            return known[1]
        if known is not None:  # patterns of old versions would be kept for ever
            self._judges.clear()
            self._tools = Tools(baselines=self._tools.baselines)
        try:
            judge = Judge(from_spec(rule.spec, enabled=rule.enabled), self._tools)
        except RulesError as error:
            self._halt(rule, lane, f"this version of tracetui cannot read it: {error.message}")
            return None
        self._judges[rule.pk] = (rule, judge)
        return judge

    def _claim(self, group: Sequence[tuple[StoredRule, Lane]]) -> list[_Runner]:
        wanted = [lane for _, lane in group if lane.key not in self._held]
        for lane in claims.claim(self.conn, self.owner, wanted, self._clock()):
            self._held[lane.key] = lane
        out: list[_Runner] = []
        for rule, lane in group:
            held = self._held.get(lane.key)
            judge = self._judge(rule, lane)
            if held is not None and judge is not None:
                out.append(_Runner(rule, replace(held, cursor=lane.cursor), judge))
        return out

    def _work(self, runners: list[_Runner]) -> None:
        first = runners[0]
        walked = first.judge.rule.walks
        page = targets.ready_page(self.conn, walked, first.lane.cursor, first.lane.stop, self._page)
        if not page:
            for runner in runners:
                self._at_the_end(runner)
            return
        pks = [pk for pk, _ in page]
        for runner in runners:
            if runner.judge.rule.on is walked:
                runner.scope = scope(self.conn, runner.judge, pks, self._filter(runner))
        self._loader.refresh(frozenset().union(*(runner.judge.reads for runner in runners)))
        views = self._loader.views(walked, _to_look_at(runners, pks, walked))
        page = _bounded(page, views)
        self._judge_page(runners, page, views, walked)
        for runner in runners:
            self._write(runner, walked)

    def _judge_page(
        self, runners: Sequence[_Runner], page: Sequence[tuple[int, int]], views: dict[int, View], walked: Level
    ) -> None:
        begin = renewed = time.perf_counter()
        count = 0
        for pk, ready_rev in page:
            view = views.pop(pk, None)
            active = [runner for runner in runners if not runner.left_behind]
            if view is not None and len(active) > 1:
                self._look_together(active, view)
            for runner in active:
                start = time.perf_counter()
                runner.note(ready_rev, pk, *self._judge_one(runner, view, pk, walked))
                runner.spent += time.perf_counter() - start
            count += 1
            self._loader.drop(view)
            now = time.perf_counter()
            if now - renewed > _RENEW_S:
                claims.renew(self.conn, self._held.values(), self._clock())
                renewed = now
            if now - begin > TURN_S or self._stop():
                break
            _leave_behind(active)
        # the next page is what fits into a turn
        took = max(time.perf_counter() - begin, 1e-4)
        self._page = max(10, min(_PAGE, int(1.2 * count * TURN_S / took)))

    def _judge_one(self, runner: _Runner, view: View | None, pk: int, walked: Level) -> tuple[int, list[Said]]:
        where = runner.scope
        if view is None:
            return 0, [] if where is None else passed_over(walked, pk, where)
        if where is None:
            where = scope(self.conn, runner.judge, [run.pk for run in view.runs], self._filter(runner))
        return judge_target(runner.judge, view, where, self._loader)

    def _look_together(self, active: Sequence[_Runner], view: View) -> None:
        """Search a target's texts for the patterns of all rules that will look at them."""
        sets: dict[tuple[str, ...], list[tuple[_Runner, Matcher]]] = {}
        for runner in active:
            if runner.scope is not None and view.pk in runner.scope.allowed:
                choices, matchers = runner.judge.looks
                sets.setdefault(choices, []).extend((runner, matcher) for matcher in matchers)
        for choices, pairs in sets.items():
            if len(pairs) < 2:
                continue
            before = [matcher.spent for _, matcher in pairs]
            try:
                scan(self._tools.matchers, view, choices, sum({matcher.bit for _, matcher in pairs}))
            except Exception:  # noqa: BLE001  # each rule meets it by itself, and notes it as its failure
                continue
            for (runner, matcher), spent in zip(pairs, before, strict=True):
                runner.spent += matcher.spent - spent

    def _filter(self, runner: _Runner) -> Where | None:
        """The filter of a backfill over a part."""
        return compiled(runner.lane.filter, runner.judge.rule.on)

    # -- after judging

    def _write(self, runner: _Runner, walked: Level) -> None:
        reason = self._too_many_failures(runner)
        if reason is not None:
            self._halt(runner.rule, runner.lane, reason, runner.passed)
            return
        assert runner.last is not None
        passed = runner.passed
        if not passed or passed[-1].cursor != runner.last:
            passed = [*passed, Passed(runner.last[1], runner.last[0], runner.judged)]
        try:
            self._writer.commit(runner.rule, runner.lane, walked, runner.judge.key, passed, self._clock())
        except LeaseLostError:
            self._held.pop(runner.lane.key, None)

    def _too_many_failures(self, runner: _Runner) -> str | None:
        """Why a rule is to stop itself: most of what it judged lately failed."""
        recent = self._recent.setdefault(runner.lane.key, deque(maxlen=_WATCHED))
        recent.extend(why is not None for why in runner.failed)
        failed = sum(recent)
        if len(recent) < _FEWEST or failed * 2 <= len(recent):
            return None
        last = next((why for why in reversed(runner.failed) if why is not None), "")
        self._recent.pop(runner.lane.key)
        return f"{failed} of the last {len(recent)} failed: {last}"

    def _halt(self, rule: StoredRule, lane: Lane, reason: str, passed: Iterable[Passed] = ()) -> None:
        """A rule stops itself; the targets it failed on are noted, and come again when it is switched on."""
        self._writer.note_failures(rule, passed, self._clock())
        held = self._held.pop(lane.key, None)
        if held is None:
            held = next(iter(claims.claim(self.conn, self.owner, [lane], self._clock())), None)
        if held is not None and claims.finish(self.conn, held, f"{STOPPED}: {reason}"[:500]):
            self._tell(("stopped", rule.name, reason))

    def _at_the_end(self, runner: _Runner) -> None:
        """A lane has passed everything there is."""
        lane = runner.lane
        try:
            if lane.lane == BACKFILL:
                if lane.filter is None and runner.rule.version > 1:
                    self._forget_superseded(runner)
                if self._stop():
                    return
                if claims.finish(self.conn, lane, DONE):
                    self._tell(("done", runner.rule.name, f"version {runner.rule.version} has judged what was there"))
            else:
                claims.release(self.conn, [lane])
        except LeaseLostError:
            pass
        self._held.pop(lane.key, None)

    def _forget_superseded(self, runner: _Runner) -> None:
        after: int | None = 0
        while after is not None and not self._stop():
            after = self._writer.forget_superseded(runner.rule, runner.lane, after, self._clock())
            time.sleep(0.001)


def _place(rule: StoredRule, lane: Lane) -> tuple[object, ...]:
    return walked_level(rule.spec), lane.cursor, lane.stop


def _to_look_at(runners: Sequence[_Runner], pks: Sequence[int], walked: Level) -> Sequence[int]:
    """What a rule may have to look at. Of threads all: feedback may go to their traces."""
    if walked is Level.THREAD or any(runner.scope is None for runner in runners):
        return pks
    wanted: set[int] = set().union(*(runner.scope.allowed for runner in runners if runner.scope is not None))
    return [pk for pk in pks if pk in wanted]


def _bounded(page: list[tuple[int, int]], views: dict[int, View]) -> list[tuple[int, int]]:
    """As much of a page as holds not too many runs: traces and threads are read with all of them."""
    runs = 0
    for at, (pk, _) in enumerate(page):
        runs += getattr(views.get(pk), "run_count", 0)
        if runs > _RUNS_AT_ONCE and at:
            return page[:at]
    return page


def _leave_behind(active: Sequence[_Runner]) -> None:
    """The one rule that takes longer than all others together goes on alone, in turns of its own."""
    if len(active) < 2:
        return
    slowest = max(active, key=lambda runner: runner.spent)
    others = sum(runner.spent for runner in active) - slowest.spent
    if slowest.spent > _SLOW_S and slowest.spent > 2 * others:
        slowest.left_behind = True
