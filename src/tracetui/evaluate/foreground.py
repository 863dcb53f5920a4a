"""Rules run now, in the foreground, until everything that is there has been judged."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracetui.evaluate import following
from tracetui.evaluate.calm import rare_collections
from tracetui.evaluate.engine import Engine, Event
from tracetui.evaluate.judging import compiled
from tracetui.evaluate.rules import Rule, from_spec, read_rules
from tracetui.model.errors import InputError
from tracetui.model.times import now_us
from tracetui.query.fields import nearest
from tracetui.store import claims, tally
from tracetui.store import rules as stored
from tracetui.store.db import explained
from tracetui.store.ready import sweep
from tracetui.store.rules import BACKFILL, LIVE, Lane, Progress, StoredRule
from tracetui.store.verdicts import failures

_WAIT_S = 0.05
_CONDITION = re.compile(
    r"\s*(?P<key>[^\s<>=]+)\s*(?P<op><=|>=|<|>)\s*(?P<bound>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*", re.I
)


@dataclass(frozen=True, slots=True)
class Condition:
    """`KEY>X` of `--fail-on`: the sum of a key's scores over the targets judged, against a bound."""

    text: str
    key: str
    op: str
    bound: float

    def holds(self, value: float | None) -> bool:
        """Whether it holds; of nothing judged it does not."""
        if value is None:
            return False
        return {"<": value < self.bound, "<=": value <= self.bound, ">": value > self.bound, ">=": value >= self.bound}[
            self.op
        ]


def read_condition(text: str) -> Condition:
    """A condition as it is written. Raises `InputError`."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise InputError(
            "A condition cannot be read", f"--fail-on {text!r}", "Such as 'destructive>0' or 'grounded<0.9'."
        )
    return Condition(text.strip(), found["key"], found["op"], float(found["bound"]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule came to: of the targets in question, how many it judged and hit, and the sum of its scores."""

    name: str
    version: int
    key: str
    on: str
    judged: int
    hits: int
    score_sum: float
    failed: int
    stopped: str | None

    @property
    def score(self) -> float | None:
        """The mean score, no hit counting 0; `None` where nothing was judged."""
        return self.score_sum / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Result:
    """What all rules came to, and which conditions hold."""

    outcomes: tuple[Outcome, ...]
    conditions: tuple[tuple[Condition, float | None], ...]
    waiting: int = 0
    """Targets that cannot be judged yet, because they are still running."""

    @property
    def failed(self) -> bool:
        """Whether a condition of `--fail-on` holds."""
        return any(condition.holds(value) for condition, value in self.conditions)


Shown = Callable[[Sequence[Progress]], None]


def evaluate_all(store: Path, rules: Path | None = None) -> Result:
    """Follow a rules file and judge everything there is with its rules. Raises `RulesError`, `StoreError`."""
    return evaluate(store, rules)


def evaluate(
    store: Path,
    rules: Path | None = None,
    *,
    names: Sequence[str] = (),
    where: str | None = None,
    conditions: Sequence[Condition] = (),
    progress: Shown | None = None,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[Event], None] = lambda _: None,
) -> Result:
    """Run rules over everything that is there (or over what a filter finds), and say what they came to.

    Without `rules` the file beside the store is followed, where there is one. `names` picks rules, also such as are
    switched off. What this version of a rule has judged is not judged again. Raises `RulesError`, `FilterError`,
    `InputError`, `StoreError`.
    """
    named = frozenset(names)
    engine = Engine(store, only=named or None, stop=stop, tell=tell)
    try:
        with rare_collections(), explained(engine.conn):
            _follow(engine, store, rules, tell)
            chosen = _chosen(engine, named)
            for condition in conditions:
                _check_condition(condition, chosen)
            for _, rule in chosen:
                compiled(where, rule.on)
            while sweep(engine.conn, now_us(), settle_us=0, idle_us=0) and not stop():
                pass
            for one, _ in chosen:
                stored.resume(engine.conn, one.name)
                stored.request_backfill(engine.conn, one.name, where)
            _catch_up(engine, frozenset(one.name for one, _ in chosen), progress, stop)
            return _result(engine, chosen, where, conditions)
    finally:
        engine.close()


def _follow(engine: Engine, store: Path, rules: Path | None, tell: Callable[[Event], None]) -> None:
    file = rules or following.default_file(store)
    if rules is None and not file.exists():
        return
    read = read_rules(file)
    for note in read.notes:
        tell(("note", "", note))
    for line in following.in_words(following.sync(engine.conn, read)):
        tell(("synced", "", line))


def _chosen(engine: Engine, named: frozenset[str]) -> list[tuple[StoredRule, Rule]]:
    for name in sorted(named):
        stored.find_rule(engine.conn, name)
    known = stored.stored_rules(engine.conn).values()
    picked = [one for one in known if (one.name in named if named else one.enabled)]
    if not picked:
        why = "every rule of the store is switched off" if known else "the store has no rules"
        raise InputError("Nothing to run", why, "tracetui rules STORE init writes a first set of rules.")
    return [(one, from_spec(one.spec, enabled=one.enabled)) for one in picked]


def _check_condition(condition: Condition, chosen: Sequence[tuple[StoredRule, Rule]]) -> None:
    keys = sorted({rule.key for _, rule in chosen})
    if condition.key not in keys:
        near = nearest(condition.key, keys)
        hint = f"Did you mean {near}?" if near else f"They write {', '.join(keys)}."
        raise InputError(
            "No rule writes that key", f"--fail-on {condition.text!r}: no rule writes {condition.key}", hint
        )


def _catch_up(engine: Engine, names: frozenset[str], progress: Shown | None, stop: Callable[[], bool]) -> None:
    """Work until these rules have judged what is there now, beside other workers where there are some."""
    until = tally.revision(engine.conn)
    shown = 0.0
    while not stop() and _open(engine, names, until):
        worked = engine.turn()
        if progress is not None and time.monotonic() - shown > 0.25:
            progress([one for one in stored.progress(engine.conn) if one.name in names])
            shown = time.monotonic()
        if not worked:
            time.sleep(_WAIT_S)


def _open(engine: Engine, names: frozenset[str], until: int) -> bool:
    """Whether a lane of these rules has not come to where the store was when this began."""
    rules = {rule.pk: rule for rule in stored.stored_rules(engine.conn).values() if rule.name in names}
    return any(
        lane.state == stored.READY and _behind(engine, rules[lane.rule], lane, until)
        for lane in stored.lanes(engine.conn).values()
        if lane.rule in rules
    )


def _behind(engine: Engine, rule: StoredRule, lane: Lane, until: int) -> bool:
    if lane.lane == BACKFILL:
        return True
    return lane.cursor[0] < until and claims.has_work(engine.conn, rule, lane)


def _result(
    engine: Engine, chosen: Sequence[tuple[StoredRule, Rule]], where: str | None, conditions: Sequence[Condition]
) -> Result:
    lanes = stored.lanes(engine.conn)
    outcomes: list[Outcome] = []
    for one, rule in chosen:
        filters = [part for part in (compiled(rule.where, rule.on), compiled(where, rule.on)) if part is not None]
        judged = tally.judged(engine.conn, rule.on, rule.walks, filters, rule.sample)
        hits, total = tally.said(engine.conn, one, rule.on, filters, rule.no_hit if rule.record == "all" else None)
        reasons = (lanes[key].reason for key in ((one.pk, LIVE), (one.pk, BACKFILL)) if key in lanes)
        stopped = next((reason for reason in reasons if reason is not None), None)
        failed = failures(engine.conn, one.pk, limit=0)[0]
        outcomes.append(Outcome(one.name, one.version, rule.key, rule.on, judged, hits, total, failed, stopped))
    values = tuple((condition, _value(condition, outcomes)) for condition in conditions)
    return Result(tuple(outcomes), values, tally.waiting(engine.conn))


def _value(condition: Condition, outcomes: Sequence[Outcome]) -> float | None:
    """The sum of a key's scores over the targets that its rules judged."""
    mine = [outcome for outcome in outcomes if outcome.key == condition.key]
    judged = sum(outcome.judged for outcome in mine)
    return sum(outcome.score_sum for outcome in mine) / judged if judged else None
