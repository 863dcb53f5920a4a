"""A rule of the store, ready to judge what the store holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracetui.evaluate.evaluators.base import Evaluator, Tools
from tracetui.evaluate.findings import EvaluationError, Finding
from tracetui.evaluate.load import Loader
from tracetui.evaluate.matching import Matcher
from tracetui.evaluate.rules import Rule
from tracetui.evaluate.view import TraceView, View
from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.query import parse
from tracetui.store.filters import Where, compile_filter
from tracetui.store.targets import Target, in_sample, matching
from tracetui.store.verdicts import KeyForm, Said, Verdict, spoken_of

_READ = {"any": ("inputs", "outputs"), "input": ("inputs",), "output": ("outputs",)}


class Judge:
    """One rule with its evaluator and its compiled filter."""

    def __init__(self, rule: Rule, tools: Tools) -> None:
        self.rule = rule
        self.evaluator: Evaluator = rule.build(tools)
        self.where = compiled(rule.where, rule.on)
        self.key = KeyForm(rule.key, rule.boolean, rule.lower_is_better)
        self.reads = frozenset(field for choice in rule.evaluate.get("text", ()) for field in _READ.get(choice, ()))
        """`inputs` and `outputs`, where all their texts are looked at."""
        self.looks: tuple[tuple[str, ...], tuple[Matcher, ...]] = getattr(self.evaluator, "wanted", ((), ()))
        """Where patterns look, and which: rules that look at the same texts do it together."""

        needs = getattr(self.evaluator, "needs_patterns", False)
        self.decided_by_patterns = bool(needs) and rule.sample >= 1 and rule.record != "all"
        """Whether there is no hit, and nothing to write of it, where its patterns find nothing."""

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
    """What of some targets a rule judges, and of which it has said something before."""

    allowed: set[int]
    """Found by the rule's filter."""
    within: set[int] | None
    """Found by the lane's own filter, `None`: everything. Of the others nothing is said."""
    spoken: set[int] | None
    """`None`: perhaps of any."""

    def judges(self, pk: int) -> bool:
        """Whether the filters find a target."""
        return pk in self.allowed and (self.within is None or pk in self.within)

    def may_speak(self, pk: int) -> bool:
        """Whether no hit is news: there may be a row to take back."""
        return self.spoken is None or pk in self.spoken


Asked = dict[Where | None, set[int]]
"""What filters have found among the same targets: rules with the same filter ask once."""


def scope(
    conn: sqlite3.Connection, judge: Judge, pks: Sequence[int], within: Where | None, asked: Asked | None = None
) -> Scope:
    """Ask the store about everything that is judged in some targets."""
    rule = judge.rule
    allowed = None if asked is None else asked.get(judge.where)
    if allowed is None:
        allowed = matching(conn, rule.on, pks, [judge.where] if judge.where is not None else [])
        if asked is not None:
            asked[judge.where] = allowed
    return Scope(
        allowed,
        None if within is None else matching(conn, rule.on, pks, [within]),
        None if rule.on is Level.THREAD else spoken_of(conn, rule.name, rule.on, pks),
    )


def judge_target(judge: Judge, walked: View, where: Scope, loader: Loader) -> tuple[int, list[Said]]:
    """Judge one ready target, or all that is in it: how many were judged, and what is to be written."""
    judged = 0
    out: list[Said] = []
    sample = judge.rule.sample
    for unit in units(walked, judge.rule.on):
        if where.within is not None and unit.pk not in where.within:
            continue
        verdict: Verdict | None = None
        failure: str | None = None
        if unit.pk in where.allowed and (sample >= 1 or _in_sample(loader.target(unit), sample)):
            judged += 1
            found = judge.find(unit)
            if isinstance(found, str):
                failure = found
            else:
                verdict = judge.verdict(found)
        if verdict is not None or failure is not None or where.may_speak(unit.pk):
            target = loader.target(unit)
            if target is not None:
                out.append(Said(target, verdict, failure))
    return judged, out


def _in_sample(target: Target | None, share: float) -> bool:
    return target is not None and in_sample(target.id, target.project, share)


def passed_over(level: Level, pk: int, where: Scope) -> list[Said]:
    """A run or trace that the filter does not find, without looking at it: what was said of it before goes."""
    if (where.within is None or pk in where.within) and where.may_speak(pk):
        return [Said(Target(level, pk, "", None))]
    return []
