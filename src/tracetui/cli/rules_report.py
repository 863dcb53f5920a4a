"""What `tracetui rules` and `tracetui evaluate` print."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tracetui.model import jsonx
from tracetui.model.text import display
from tracetui.model.times import to_iso
from tracetui.store import rules as stored
from tracetui.store import tally
from tracetui.store.rules import Progress, StoredRule
from tracetui.store.verdicts import failures

if TYPE_CHECKING:
    from tracetui.evaluate.foreground import Result
    from tracetui.evaluate.trial import Sample, Trial

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Overview:
    """One rule of the store in a line."""

    rule: StoredRule
    spec: dict[str, Any]
    lanes: tuple[Progress, ...]
    hits: int
    failed: int

    @property
    def state(self) -> str:
        """On, off or stopped."""
        if any(lane.state == "stopped" for lane in self.lanes):
            return "stopped"
        return "on" if self.rule.enabled else "off"

    @property
    def reason(self) -> str | None:
        """Why it stopped itself."""
        return next((lane.reason for lane in self.lanes if lane.reason), None)

    @property
    def judged(self) -> int:
        """Targets it has judged in this version; those that changed count each time."""
        return sum(lane.judged for lane in self.lanes)

    @property
    def progress(self) -> str:
        """How far it is with what was there before it."""
        back = next((lane for lane in self.lanes if lane.lane == stored.BACKFILL), None)
        if back is None or not back.total:
            return ""
        return "done" if back.state == "done" else f"{100 * back.passed // back.total}%"

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.rule.name, "version": self.rule.version, "state": self.state, "reason": self.reason,
            "key": self.spec["key"], "on": self.spec["on"], "where": self.spec["where"],
            "type": self.spec["evaluate"]["type"], "judged": self.judged, "hits": self.hits, "failed": self.failed,
            "means": self.spec["means"], "do": self.spec["do"],
            "lanes": [
                {"lane": lane.lane, "state": lane.state, "passed": lane.passed, "total": lane.total,
                 "judged": lane.judged}
                for lane in self.lanes
            ],
        }  # fmt: skip


def overview(conn: sqlite3.Connection, name: str | None = None) -> list[Overview]:
    """The rules of a store, or one of them. Raises `InputError` for a name it has not."""
    if name is not None:
        stored.find_rule(conn, name)
    lanes = stored.progress(conn)
    said = tally.live_hits(conn)
    out: list[Overview] = []
    for rule in stored.stored_rules(conn).values():
        if name in (None, rule.name):
            mine = tuple(lane for lane in lanes if lane.name == rule.name)
            failed = failures(conn, rule.pk, limit=0)[0]
            out.append(Overview(rule, jsonx.loads(rule.spec), mine, said.get(rule.name, 0), failed))
    return out


def print_overview(rows: Sequence[Overview], *, as_json: bool) -> None:
    """`rules STORE list`."""
    if as_json:
        click.echo(jsonx.dumps([row.as_json() for row in rows]))
        return
    if not rows:
        click.echo("The store has no rules. `tracetui rules STORE init` writes a first set.", err=True)
        return
    table = [("rule", "v", "is", "on", "key", "judged", "hits", "rate", "failed", "history")]
    for row in rows:
        rate = f"{100 * row.hits / row.judged:.2f}%" if row.judged else ""
        table.append(
            (row.rule.name, str(row.rule.version), row.state, row.spec["on"], row.spec["key"], f"{row.judged:,}",
             f"{row.hits:,}", rate, f"{row.failed:,}" if row.failed else "", row.progress)
        )  # fmt: skip
    _print_table(table, right={1, 5, 6, 7, 8, 9})
    for row in rows:
        if row.reason is not None:
            click.echo(f"{row.rule.name} stopped itself: {display(row.reason)}", err=True)


def details(conn: sqlite3.Connection, name: str | None) -> list[tuple[Overview, list[tuple[str, str, int, str]]]]:
    """Rules with their latest failures: one, or all."""
    return [(row, failures(conn, row.rule.pk, limit=_SHOWN)[1]) for row in overview(conn, name)]


def is_rule(conn: sqlite3.Connection, name: str) -> bool:
    """Whether the store has a rule of that name."""
    return name in stored.stored_rules(conn)


def print_details(
    found: Sequence[tuple[Overview, list[tuple[str, str, int, str]]]], *, as_json: bool, one: bool
) -> None:
    """`rules STORE show`."""
    if as_json:
        objects = [
            row.as_json()
            | {"evaluate": row.spec["evaluate"], "sample": row.spec["sample"], "record": row.spec["record"]}
            | {"failures": [{"level": f[0], "id": f[1], "at": to_iso(f[2]), "message": f[3]} for f in failed]}
            for row, failed in found
        ]
        click.echo(jsonx.dumps(objects[0] if one else objects))
        return
    if not found:
        print_overview([], as_json=False)
    for number, (row, failed) in enumerate(found):
        if number:
            click.echo("")
        _print_one(row, failed)


def _print_one(row: Overview, failed: Sequence[tuple[str, str, int, str]]) -> None:
    spec = row.spec
    click.echo(f"{row.rule.name}  version {row.rule.version}  {row.state}")
    if row.reason is not None:
        click.echo(f"  stopped itself: {display(row.reason)}")
        click.echo(f"  `rules STORE enable {row.rule.name}` lets it try again")
    facts = [
        ("means", spec["means"]), ("do", spec["do"]), ("on", spec["on"]), ("where", spec["where"]),
        ("sample", None if spec["sample"] == 1 else spec["sample"]), ("key", spec["key"]),
    ]  # fmt: skip
    facts += [(name, value) for name, value in spec["evaluate"].items() if value not in (None, "", [])]
    for name, value in facts:
        if value not in (None, ""):
            text = value if isinstance(value, str) else jsonx.dumps(value).decode()
            click.echo(f"  {name:10} {display(text, limit=500)}")
    for lane in row.lanes:
        click.echo(f"  {lane.lane:10} {lane.state}, passed {lane.passed:,} of {lane.total:,}, judged {lane.judged:,}")
    click.echo(f"  {'hits':10} {row.hits:,}")
    if row.failed:
        click.echo(f"  {'failed':10} {row.failed:,}")
    for level, target, at, message in failed:
        click.echo(f"    {to_iso(at)}  {level} {display(target)}: {display(message, limit=200)}")


def print_trials(trials: Sequence[Trial], *, as_json: bool) -> None:
    """`rules STORE test`."""
    if as_json:
        click.echo(jsonx.dumps([_trial_json(trial) for trial in trials]))
        return
    for number, trial in enumerate(trials):
        if number:
            click.echo("")
        rate = f" ({100 * trial.hits / trial.judged:.2f}%)" if trial.judged else ""
        click.echo(
            f"{trial.rule.name}: {trial.hits:,} hits in {trial.judged:,} {trial.rule.on}s{rate}, {trial.seconds:.1f} s"
        )
        if trial.new is not None and trial.lost is not None and (trial.new or trial.lost):
            click.echo(f"  {trial.new:,} new against the store, {trial.lost:,} lost")
        if trial.failed:
            click.echo(f"  failed on {trial.failed:,}: {display(trial.failure or '', limit=200)}")
        for sample in trial.samples:
            score = "" if sample.score in (None, 1.0) else f"  {sample.score:g}"
            click.echo(f"  {display(sample.id)}  {display(sample.name, limit=40)}{score}")
            click.echo(f"    {_marked(sample)}")


def _marked(sample: Sample) -> str:
    """The comment with the match marked, on a terminal."""
    comment = display(sample.comment, limit=400)
    match = " ".join(display(sample.match, limit=200).split()) if sample.match else ""
    if not match or not sys.stdout.isatty() or match not in comment:
        return comment
    before, _, after = comment.partition(match)
    return before + click.style(match, bold=True, underline=True) + after


def _trial_json(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.rule.name, "key": trial.rule.key, "on": trial.rule.on, "judged": trial.judged,
        "hits": trial.hits, "score_sum": trial.score_sum, "failed": trial.failed, "failure": trial.failure,
        "new": trial.new, "lost": trial.lost,
        "samples": [
            {"level": one.level, "id": one.id, "name": one.name, "score": one.score, "comment": one.comment,
             "match": one.match}
            for one in trial.samples
        ],
    }  # fmt: skip


def print_result(result: Result, *, as_json: bool) -> None:
    """`tracetui evaluate`."""
    if as_json:
        rules = [
            {"name": one.name, "version": one.version, "key": one.key, "on": one.on, "judged": one.judged,
             "hits": one.hits, "score_sum": one.score_sum, "score": one.score, "failed": one.failed,
             "stopped": one.stopped}
            for one in result.outcomes
        ]  # fmt: skip
        conditions = [
            {"condition": condition.text, "value": value, "holds": condition.holds(value)}
            for condition, value in result.conditions
        ]
        click.echo(jsonx.dumps({"rules": rules, "conditions": conditions, "running": result.waiting}))
        return
    table = [("rule", "v", "on", "key", "judged", "hits", "rate", "score", "failed")]
    for one in result.outcomes:
        rate = f"{100 * one.hits / one.judged:.2f}%" if one.judged else ""
        score = "" if one.score is None else f"{one.score:.4g}"
        table.append(
            (one.name, str(one.version), one.on, one.key, f"{one.judged:,}", f"{one.hits:,}", rate, score,
             f"{one.failed:,}" if one.failed else "")
        )  # fmt: skip
    _print_table(table, right={1, 4, 5, 6, 7, 8})


def _print_table(rows: Sequence[tuple[str, ...]], right: set[int]) -> None:
    shown = [[display(cell, limit=60) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in shown) for at in range(len(shown[0]))]
    for row in shown:
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def reference() -> str:
    """What a rules file can say: `rules STORE show types`."""
    from tracetui.evaluate.evaluators import TYPES
    from tracetui.evaluate.evaluators.step_match import OPTIONS as STEPS
    from tracetui.evaluate.measures import MEASURES
    from tracetui.evaluate.options import REQUIRED, Option
    from tracetui.evaluate.rules import OPTIONS
    from tracetui.evaluate.texts import CHOICES

    def line(option: Option) -> str:
        default = "must be given" if option.default is REQUIRED else _default(option.default)
        return f"  {option.name:16} {option.help}{default and f' ({default})'}"

    parts = ["[[rule]]", *map(line, OPTIONS)]
    for kind in TYPES.values():
        levels = ", ".join(kind.levels)
        parts += ["", f'[rule.evaluate] type = "{kind.name}": {kind.description}; on {levels}']
        parts += map(line, kind.options)
    parts += ["", "[rule.evaluate.steps.NAME] of sequence", *map(line, STEPS)]
    parts += ["", "texts", *(f"  {name:18} {what}" for name, what in CHOICES.items())]
    parts += ["", "measures", *(f"  {name:18} {what[0]}; on {', '.join(what[1])}" for name, what in MEASURES.items())]
    return "\n".join(parts)


def _default(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else jsonx.dumps(value).decode()
    return f"default {text}" if text else ""
