"""A rule of the store, ready to judge what the store holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracetui.evaluate.evaluators.base import Evaluator, Tools
from tracetui.evaluate.findings import EvaluationError, Finding
from tracetui.evaluate.load import Loader
from tracetui.evaluate.rules import Rule
from tracetui.evaluate.view import TraceView, View
from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.query import parse
from tracetui.store.filters import Where, compile_filter
from tracetui.store.targets import in_sample, matching
from tracetui.store.verdicts import Judged, KeyForm, Passed, Verdict


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule finds in one target, before anything is written."""

    view: View
    finding: Finding


class Judge:
    """One rule with its evaluator and its compiled filter."""

    def __init__(self, rule: Rule, tools: Tools) -> None:
        self.rule = rule
        self.evaluator: Evaluator = rule.build(tools)
        self.where = compiled(rule.where, rule.on)
        self.key = KeyForm(rule.key, rule.boolean, rule.lower_is_better)

    def allowed(self, conn: sqlite3.Connection, pks: Sequence[int]) -> set[int]:
        """Those of the targets (of the level it judges) that its filter finds."""
        return matching(conn, self.rule.on, pks, [self.where] if self.where is not None else [])

    def find(self, view: View) -> Finding | str | None:
        """What it finds in a target; a text says why it could not be judged."""
        try:
            return self.evaluator.judge(view)
        except EvaluationError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # one target that breaks an evaluator must not end the others
            return f"{type(error).__name__}: {error}"

    def verdict(self, finding: Finding | None) -> Verdict | None:
        """What is written for a finding, or for none."""
        if finding is None:
            if self.rule.record != "all":
                return None
            return Verdict(self.rule.no_hit, None, None, None, hit=False)
        score = self.rule.score(finding.count, finding.amount)
        evidence = jsonx.dumps(dict(finding.evidence)).decode() if finding.evidence else None
        return Verdict(score, self.rule.evaluate["value"], finding.comment, evidence)


def compiled(where: str | None, level: Level) -> Where | None:
    """A filter's condition; `None` for none."""
    return compile_filter(parse(where), level) if where else None


def units(walked: View, on: Level) -> Iterable[View]:
    """What is judged in a target that became ready: itself, or the runs of a trace."""
    if isinstance(walked, TraceView) and on is Level.RUN:
        return walked.runs
    return (walked,)


@dataclass(frozen=True, slots=True)
class Scope:
    """What of a page a rule may judge (`allowed`), and what a lane's own filter leaves in it (`None`: everything)."""

    allowed: set[int]
    within: set[int] | None


def scope(conn: sqlite3.Connection, judge: Judge, views: Iterable[View], within: Where | None) -> Scope:
    """Ask the filters about everything that is judged in some targets."""
    pks = [unit.pk for view in views for unit in units(view, judge.rule.on)]
    return Scope(judge.allowed(conn, pks), None if within is None else matching(conn, judge.rule.on, pks, [within]))


def judge_target(judge: Judge, walked: View, ready_rev: int, where: Scope, loader: Loader) -> Passed:
    """Judge one ready target, or all that is in it."""
    passed = Passed(walked.pk, ready_rev)
    for unit in units(walked, judge.rule.on):
        if where.within is not None and unit.pk not in where.within:
            continue
        target = loader.target(unit)
        if target is None:
            continue
        if unit.pk not in where.allowed or not in_sample(target.id, target.project, judge.rule.sample):
            passed.items.append(Judged(target, judged=False))
            continue
        found = judge.find(unit)
        if isinstance(found, str):
            passed.items.append(Judged(target, judged=True, failure=found))
        else:
            passed.items.append(Judged(target, judged=True, verdict=judge.verdict(found)))
    return passed
