"""`tracetui show`: one thread, trace or run, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracetui.cli.params import STORE
from tracetui.model.errors import InputError
from tracetui.model.text import display

if TYPE_CHECKING:
    from tracetui.model.rows import Row
    from tracetui.store.reading import Reader

HELP = """\
Print one thread, trace or run: its tree, its messages, the feedback on it.

An ID may stand with or without its authority (`ls:...`). One that is both a trace's and its root run's means the
trace. Of a model's call only what is new in it is printed, and long texts are cut: --full prints all. `json` is
one object with `children`, `inputs`, `outputs` and `feedback`, exactly as they came in.

\b
  tracetui show traces.db ls:0d2e...
  tracetui show traces.db run-17 --format json | jq .outputs
  tracetui show traces.db checkout-7f3a --format md | pbcopy
"""


@click.command(help=HELP, short_help="Print one thread, trace or run.")
@click.argument("store", type=STORE)
@click.argument("ident", metavar="ID")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text", show_default=True)
@click.option("--full", is_flag=True, help="All messages, nothing cut.")
def command(store: Path, ident: str, form: str, full: bool) -> None:
    """Print what an id names."""
    from tracetui.store.reading import Reader

    with Reader(store) as reader:
        row = _find(reader, ident, store)
        if form == "json":
            from tracetui.cli import show_json

            show_json.write(reader, row)
        elif form == "md":
            from tracetui.cli import show_md

            show_md.write(reader, row, full=full)
        else:
            from tracetui.cli import show_text

            show_text.write(reader, row, full=full)


def _find(reader: Reader, ident: str, store: Path) -> Row:
    found = reader.find(ident)
    if not found:
        raise InputError(
            "No such id",
            f"nothing in {store} has the id {display(ident, limit=200)}",
            f"`tracetui query {store} --list runs --format ids` prints ids; threads and traces likewise",
        )
    same = [row for row in found if row.level == found[0].level]
    if len(same) > 1:
        names = ", ".join(f"{display(row.id)} in {display(row.project or 'no project')}" for row in same[:5])
        raise InputError(
            "More than one", f"{len(same)} have the id {display(ident, limit=200)}: {names}", "Give it whole"
        )
    return found[0]
