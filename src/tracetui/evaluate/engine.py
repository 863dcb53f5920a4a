"""The work of a worker, turn by turn: claim lanes, judge what they have not passed, write, give back.

Rules at the same place share a page: its texts are read and decoded once. A turn is short, so that what just became
ready (`live`) never waits long behind what was there before (`backfill`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tracetui.evaluate.evaluators.base import Tools
from tracetui.evaluate.judging import Judge
from tracetui.evaluate.load import Loader
from tracetui.evaluate.page import TURN_S, Page, Ready, Runner
from tracetui.evaluate.rules import from_spec
from tracetui.evaluate.usual import Usual
from tracetui.model.errors import RulesError
from tracetui.model.kinds import Level
from tracetui.model.times import now_us
from tracetui.store import claims, targets
from tracetui.store.db import Checkpointer, connect_write
from tracetui.store.rules import BACKFILL, DONE, LIVE, STOPPED, Lane, StoredRule, walked_level
from tracetui.store.textmatch import install
from tracetui.store.verdicts import LeaseLostError, Passed, VerdictWriter

_FIRST_PAGE, _PAGE = 50, 500
_RENEW_S = 10.0
_STEAL_AFTER_S = 1.0
_WATCHED = 40
_FEWEST = 10

Event = tuple[str, str, str]
"""What happened, to which rule, in words."""


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
        self._recent: dict[tuple[int, str], tuple[float, float]] = {}
        self._renewed = time.monotonic()
        self._served: dict[tuple[int, str], int] = {}
        self._turns = 0
        self._sizes: dict[tuple[int, str], int] = {}
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

    def _claim(self, group: Sequence[tuple[StoredRule, Lane]]) -> list[Runner]:
        wanted = [lane for _, lane in group if lane.key not in self._held]
        for lane in claims.claim(self.conn, self.owner, wanted, self._clock()):
            self._held[lane.key] = lane
        out: list[Runner] = []
        for rule, lane in group:
            held = self._held.get(lane.key)
            judge = self._judge(rule, lane)
            if held is not None and judge is not None:
                out.append(Runner(rule, replace(held, cursor=lane.cursor), judge))
        return out

    def _work(self, runners: list[Runner]) -> None:
        """Pages of these lanes, as many as fit into a turn."""
        begin = time.perf_counter()
        while runners:
            first = runners[0]
            walked = first.judge.rule.walks
            size = min(self._sizes.get(runner.lane.key, _FIRST_PAGE) for runner in runners)
            page = targets.ready_page(self.conn, walked, first.lane.cursor, first.lane.stop, size)
            if not page:
                for runner in runners:
                    self._at_the_end(runner)
                return
            self._judge_page(runners, page, walked)
            for runner in runners:
                self._write(runner, walked)
            if self._stop() or time.perf_counter() - begin > TURN_S:
                return
            runners = [runner.going_on() for runner in runners if self._goes_on(runner)]

    def _judge_page(self, runners: Sequence[Runner], page: Sequence[Ready], walked: Level) -> None:
        begin = time.perf_counter()
        count = Page(self.conn, self._loader, self._tools.matchers, runners, page, walked).judge(
            self._stop, self._still_here
        )
        # the next page is what fits into a turn
        took = max(time.perf_counter() - begin, 1e-4)
        size = max(10, min(_PAGE, int(1.2 * count * TURN_S / took)))
        for runner in runners:
            self._sizes[runner.lane.key] = size

    def _goes_on(self, runner: Runner) -> bool:
        return not runner.left_behind and runner.lane.key in self._held

    def _still_here(self) -> None:
        """Keep the lanes while a page takes long."""
        now = time.monotonic()
        if now - self._renewed > _RENEW_S:
            claims.renew(self.conn, self._held.values(), self._clock())
            self._renewed = now

    # -- after judging

    def _write(self, runner: Runner, walked: Level) -> None:
        reason = self._too_many_failures(runner)
        if reason is not None:
            self._halt(runner.rule, runner.lane, reason, runner.passed)
            return
        try:
            self._writer.commit(runner.rule, runner.lane, walked, runner.judge.key, runner.all_passed(), self._clock())
        except LeaseLostError:
            self._held.pop(runner.lane.key, None)

    def _too_many_failures(self, runner: Runner) -> str | None:
        """Why a rule is to stop itself: most of what it judged lately failed."""
        judged, failed = self._recent.get(runner.lane.key, (0.0, 0.0))
        judged, failed = judged + runner.judged, failed + len(runner.failures)
        if judged >= _FEWEST and failed * 2 > judged:
            self._recent.pop(runner.lane.key, None)
            return f"{failed:.0f} of the last {judged:.0f} failed: {runner.failures[-1] if runner.failures else ''}"
        shrink = min(1.0, _WATCHED / judged) if judged else 1.0
        self._recent[runner.lane.key] = (judged * shrink, failed * shrink)
        return None

    def _halt(self, rule: StoredRule, lane: Lane, reason: str, passed: Iterable[Passed] = ()) -> None:
        """A rule stops itself; the targets it failed on are noted, and come again when it is switched on."""
        self._writer.note_failures(rule, passed, self._clock())
        held = self._held.pop(lane.key, None)
        if held is None:
            held = next(iter(claims.claim(self.conn, self.owner, [lane], self._clock())), None)
        if held is not None and claims.finish(self.conn, held, f"{STOPPED}: {reason}"[:500]):
            self._tell(("stopped", rule.name, reason))

    def _at_the_end(self, runner: Runner) -> None:
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

    def _forget_superseded(self, runner: Runner) -> None:
        after: int | None = 0
        while after is not None and not self._stop():
            after = self._writer.forget_superseded(runner.rule, runner.lane, after, self._clock())
            time.sleep(0.001)


def _place(rule: StoredRule, lane: Lane) -> tuple[object, ...]:
    return walked_level(rule.spec), lane.cursor, lane.stop
