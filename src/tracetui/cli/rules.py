"""`tracetui rules`: see, test and switch the rules of a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracetui.cli.params import STORE
from tracetui.model.errors import ExitCode, InputError

if TYPE_CHECKING:
    import sqlite3

    from tracetui.evaluate.rules import Rule, RulesFile

_Command = TypeVar("_Command", bound=Callable[..., Any])

HELP = """\
See, test and switch the rules that give feedback.

Rules stand in a file that can be reviewed: `rules.toml` in the directory of the store, or another one given by --rules.
They run while the explorer is open on the store, by `tracetui worker`, and once by `tracetui evaluate`. `show types`
explains what rules can look at.

\b
  tracetui rules traces.db init                    a first set of rules, each with what it means
  tracetui rules traces.db test                    what they would find, without writing anything
  tracetui rules traces.db list
  tracetui rules traces.db show loop
  tracetui rules traces.db disable loop
"""


@click.group(help=HELP, short_help="See, test and switch the rules that give feedback.")
@click.argument("store", type=STORE)
@click.pass_context
def command(context: click.Context, store: Path) -> None:
    """The verbs of rules; each takes the store of the line."""
    context.obj = store


def _rules_file(command: _Command) -> _Command:
    return click.option(
        "--rules",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The rules file. Default: rules.toml in the store's directory.",
    )(command)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One object per rule, as a list.")
@click.pass_obj
def list_(store: Path, as_json: bool) -> None:
    """The rules of the store: version, on or off, hits, failures, progress."""
    from tracetui.cli import rules_report
    from tracetui.store.access import Access

    access = Access(store)
    try:
        rows = rules_report.overview(access.conn)
    finally:
        access.close()
    rules_report.print_overview(rows, as_json=as_json)


@command.command()
@_rules_file
@click.pass_obj
def init(store: Path, file: Path | None) -> None:
    """Write a first set of rules and switch them on. An existing rules file is not touched."""
    from tracetui.evaluate import starter
    from tracetui.evaluate.following import default_file

    target = file or default_file(store)
    conn = _writing(store)
    try:
        if target.exists():
            raise InputError(
                "There are rules already", f"{target} exists; it was not touched.",
                f"`tracetui rules {store} sync` follows it; --rules FILE names another file.",
            )  # fmt: skip
        try:
            target.write_text(starter.text(), encoding="utf-8")
            read = _follow(conn, target)
        except BaseException:
            target.unlink(missing_ok=True)  # a half-written file would be in the way of the next try
            raise
    finally:
        conn.close()
    for rule in read.rules:
        click.echo(f"{rule.name:28} {rule.means or ''}")
    click.echo(f"\n{len(read.rules)} rules in {target}. `tracetui evaluate {store}` runs them now,", err=True)
    click.echo(f"`tracetui {store}` in the background while you look.", err=True)


@command.command()
@_rules_file
@click.pass_obj
def sync(store: Path, file: Path | None) -> None:
    """Make the store follow the rules file, and say what changed."""
    from tracetui.evaluate.following import default_file

    conn = _writing(store)
    try:
        _follow(conn, file or default_file(store))
    finally:
        conn.close()


def _follow(conn: sqlite3.Connection, path: Path) -> RulesFile:
    from tracetui.evaluate import following
    from tracetui.evaluate.rules import read_rules
    from tracetui.store.rules import note_trouble

    read = read_rules(path)
    for note in read.notes:
        click.echo(note, err=True)
    report = following.sync(conn, read)
    note_trouble(conn, None)
    for line in following.in_words(report) or ["nothing changed"]:
        click.echo(line, err=True)
    return read


@command.command()
@_rules_file
@click.argument("names", nargs=-1, metavar="[RULE]...")
@click.option("--where", metavar="FILTER", help="Only on what this filter finds.")
@click.option("--samples", type=click.IntRange(0, 1000), default=3, show_default=True, help="Hits to show per rule.")
@click.option("--json", "as_json", is_flag=True, help="One object per rule, as a list.")
@click.pass_obj
def test(store: Path, file: Path | None, names: tuple[str, ...], where: str | None, samples: int, as_json: bool) -> int:
    """What rules of the file would find in the store, with samples. Nothing is written."""
    from tracetui.cli import rules_report
    from tracetui.cli.interrupts import Interrupts
    from tracetui.cli.progress import progress_bar
    from tracetui.evaluate.following import default_file
    from tracetui.evaluate.rules import read_rules
    from tracetui.evaluate.trial import try_rules
    from tracetui.store.access import Access

    Access(store).close()  # a store that is none is said before a rules file that is missing beside it
    read = read_rules(file or default_file(store))
    for note in read.notes:
        click.echo(note, err=True)
    chosen = _picked(read, names)
    with Interrupts() as interrupts, progress_bar("Testing", lambda: 100) as advance:

        def shown(done: int, total: int) -> None:
            if advance is not None:
                advance(100 * done // max(total, 1), f"{done:,} of {total:,}")

        trials = try_rules(store, chosen, where=where, samples=samples, progress=shown, stop=interrupts.pressed)
    rules_report.print_trials(trials, as_json=as_json)
    if interrupts.pressed():
        click.echo("Interrupted: the counts are of what was looked at, the newest first.", err=True)
        return ExitCode.INTERRUPTED
    return ExitCode.PARTLY if any(trial.failed for trial in trials) else ExitCode.DONE


def _picked(read: RulesFile, names: tuple[str, ...]) -> list[Rule]:
    from difflib import get_close_matches

    known = {rule.name: rule for rule in read.rules}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known) or 'none'}."
            raise InputError("No such rule", f"{read.path} has no rule {name}.", hint)
    return [known[name] for name in dict.fromkeys(names)] if names else list(read.rules)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="RULE...")
@click.pass_obj
def enable(store: Path, names: tuple[str, ...]) -> None:
    """Switch rules on: each goes on where it was. One that stopped itself tries again."""
    _switch(store, names, on=True)


@command.command()
@click.argument("names", nargs=-1, required=True, metavar="RULE...")
@click.pass_obj
def disable(store: Path, names: tuple[str, ...]) -> None:
    """Switch rules off. Their feedback stays."""
    _switch(store, names, on=False)


def _switch(store: Path, names: tuple[str, ...], *, on: bool) -> None:
    from tracetui.store import rules as stored

    conn = _writing(store)
    try:
        for name in names:
            stored.find_rule(conn, name)
        for name in dict.fromkeys(names):
            changed = stored.set_enabled(conn, name, on)
            word = "on" if on else "off"
            click.echo(f"{name} is {word}" if changed else f"{name} was {word} already", err=True)
    finally:
        conn.close()


@command.command()
@click.argument("name", required=False, metavar="[RULE]")
@click.option("--json", "as_json", is_flag=True, help="One object, or a list of them.")
@click.pass_obj
def show(store: Path, name: str | None, as_json: bool) -> None:
    """One rule: what it means, how it decides, how far it is, where it failed. Without a name all that is wrong.

    `show types` prints what a rules file can say.
    """
    from tracetui.cli import rules_report
    from tracetui.store.access import Access

    access = Access(store)
    try:
        if name == "types" and not rules_report.is_rule(access.conn, name):
            click.echo(rules_report.reference())
            return
        details = rules_report.details(access.conn, name)
    finally:
        access.close()
    rules_report.print_details(details, as_json=as_json, one=name is not None)


def _writing(store: Path) -> sqlite3.Connection:
    from tracetui.store.db import connect_write

    return connect_write(store)
