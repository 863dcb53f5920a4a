"""`tracetui doctor`: check a store, and mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracetui.cli.params import STORE
from tracetui.cli.progress import progress_bar
from tracetui.model.errors import ExitCode, StoreError

if TYPE_CHECKING:
    from tracetui.store.doctor import Finding

HELP = """\
Check that a store keeps what it promises: the file, references, sums, feedback, contents.

Exit code 1 when something is wrong. Warnings (what is legal, but odd) and notes (what only takes up room) are
listed and leave it 0. --repair mends what can be mended and removes nothing that anybody said.

\b
  tracetui doctor traces.db
  tracetui doctor traces.db --repair
  tracetui doctor traces.db --json | jq '.findings[].check'
"""
_SIGNS = {"fault": "x", "warning": "!", "note": "-"}
_ROUNDS = 3
"""Mending one thing can bring another to light: contents that only a mention kept."""


@click.command(help=HELP, short_help="Check a store, and repair it.")
@click.argument("store", type=STORE)
@click.option("--repair", "mend", is_flag=True, help="Mend what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(store: Path, mend: bool, as_json: bool) -> int:
    """Print what is wrong; with --repair what was mended, and what is left."""
    try:
        return _doctor(store, mend, as_json)
    except StoreError as error:
        if "tracetui doctor" not in error.hint:
            raise
        hint = (
            "SQLite cannot read it. Import its sources into a new store; `sqlite3 FILE .recover` may save what is left."
        )
        raise StoreError(error.title, error.message, hint) from None


def _doctor(store: Path, mend: bool, as_json: bool) -> int:
    if mend:
        from tracetui.store.db import connect_write

        connect_write(store).close()  # migrates an older store, and says at once where it may not be written
    found = _examine(store)
    left: Sequence[Finding] = found
    repaired: list[str] = []
    if mend and found:
        from tracetui.store.repair import repair

        for _ in range(_ROUNDS):
            done = repair(store, left)
            repaired += done
            if not done:
                break
            left = _examine(store)
            if not left:
                break
    if as_json:
        _print_json(found, left, mend)
    else:
        _print(found, left, mend)
    return ExitCode.PARTLY if any(finding.weight == "fault" for finding in left) else ExitCode.DONE


def _examine(store: Path) -> list[Finding]:
    from tracetui.store.doctor import examine, size

    with progress_bar("Checking", lambda: size(store)) as advance:
        return examine(store, None if advance is None else lambda done: advance(done, ""))


def _print(found: Sequence[Finding], left: Sequence[Finding], mend: bool) -> None:
    from tracetui.model.text import display

    still = {finding.check: finding.count for finding in left}
    for finding in found:
        samples = ", ".join(display(sample, limit=80) for sample in finding.samples)
        more = ", ..." if finding.count > len(finding.samples) else ""
        outcome = _outcome(finding, still, mend)
        click.echo(f"{_SIGNS[finding.weight]} {finding.count:,} {finding.says}: {samples}{more}{outcome}")
    for finding in left:
        if finding.check not in {one.check for one in found}:
            click.echo(f"{_SIGNS[finding.weight]} {finding.count:,} {finding.says}, seen after the repair")
    if not found:
        click.echo("Nothing is wrong.", err=True)
    elif not mend:
        click.echo("--repair mends what can be mended.", err=True)


def _outcome(finding: Finding, still: dict[str, int], mend: bool) -> str:
    if not mend:
        return ""
    return f" ({still[finding.check]:,} left)" if finding.check in still else " (mended)"


def _print_json(found: Sequence[Finding], left: Sequence[Finding], mend: bool) -> None:
    from tracetui.model import jsonx

    still = {finding.check: finding.count for finding in left}
    seen = {finding.check for finding in found}
    findings = [
        {
            "check": finding.check, "says": finding.says, "weight": finding.weight, "count": finding.count,
            "samples": list(finding.samples), "left": still.get(finding.check, 0),
        }
        for finding in [*found, *(one for one in left if one.check not in seen)]
    ]  # fmt: skip
    ok = not any(finding.weight == "fault" for finding in left)
    click.echo(jsonx.dumps({"ok": ok, "repaired": mend, "findings": findings}).decode())
