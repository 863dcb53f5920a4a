"""`tracetui evaluate`: run rules now, in the foreground."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracetui.cli.params import STORE
from tracetui.model.errors import ExitCode

if TYPE_CHECKING:
    from tracetui.cli.progress import Advance
    from tracetui.evaluate.engine import Event
    from tracetui.store.rules import Progress

HELP = """\
Run rules now, in the foreground, over everything that is there, and say what they found.

What this version of a rule has judged is not judged again. The rules are those of `rules.toml` in the store's
directory (or of --rules), else those that the store knows; --rule picks some, also such as are switched off.

--fail-on makes a check of it: exit code 4 when the condition holds. KEY is the sum of its scores over the targets that
were judged, no hit counting 0.

\b
  tracetui evaluate traces.db
  tracetui evaluate traces.db --rule loop --where 'name:"fix flaky test"'
  tracetui evaluate traces.db --fail-on 'destructive>0' --fail-on 'frustrated>=0.05'
"""


@click.command(help=HELP, short_help="Run rules now, in the foreground.")
@click.argument("store", type=STORE)
@click.option("--rule", "names", multiple=True, metavar="R", help="Only this rule; may be given several times.")
@click.option("--where", metavar="FILTER", help="Only on what this filter finds.")
@click.option(
    "--fail-on", "checks", multiple=True, metavar="'KEY>X'", help="Exit with 4 when this holds; also <, >=, <=."
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The rules file. Default: rules.toml in the store's directory, where there is one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what each rule came to as one object.")
def command(
    store: Path, names: tuple[str, ...], where: str | None, checks: tuple[str, ...], rules: Path | None, as_json: bool
) -> int:
    """Judge what is there; the exit code says whether a condition holds, or whether a rule failed."""
    from tracetui.cli import rules_report
    from tracetui.cli.interrupts import Interrupts
    from tracetui.cli.progress import progress_bar
    from tracetui.evaluate.foreground import evaluate, read_condition

    conditions = [read_condition(check) for check in checks]
    with Interrupts() as interrupts, progress_bar("Judging", lambda: 100) as advance:
        result = evaluate(
            store, rules, names=names, where=where, conditions=conditions, stop=interrupts.pressed, tell=_tell,
            progress=None if advance is None else _shown(advance),
        )  # fmt: skip
    rules_report.print_result(result, as_json=as_json)
    for one in result.outcomes:
        if one.stopped is not None:
            click.echo(f"{one.name} stopped itself: {one.stopped}", err=True)
    if result.waiting:
        click.echo(f"{result.waiting:,} runs have not ended; they are judged when they do", err=True)
    if interrupts.pressed():
        click.echo("Interrupted. What is judged stays; the same line again goes on.", err=True)
        return ExitCode.INTERRUPTED
    for condition, value in result.conditions:
        said = "nothing was judged" if value is None else f"{condition.key} is {value:.4g}"
        click.echo(f"{condition.text}: {said}{', so it holds' if condition.holds(value) else ''}", err=True)
    if result.failed:
        return ExitCode.CONDITION
    broken = any(one.stopped is not None or one.failed for one in result.outcomes)
    return ExitCode.PARTLY if broken else ExitCode.DONE


def _shown(advance: Advance) -> Callable[[Sequence[Progress]], None]:
    begin = time.monotonic()

    def show(lanes: Sequence[Progress]) -> None:
        total = sum(lane.total for lane in lanes)
        passed = sum(lane.passed for lane in lanes)
        judged = sum(lane.judged for lane in lanes)
        seconds = max(time.monotonic() - begin, 0.1)
        advance(100 * passed // max(total, 1), f"{judged / seconds:,.0f} targets/s")

    return show


def _tell(event: Event) -> None:
    from tracetui.model.text import display

    kind, rule, words = event
    if kind != "done":
        click.echo(display(f"{rule}: {words}" if rule else words), err=True)
