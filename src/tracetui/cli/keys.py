"""`tracetui keys`: what is bound in the explorer."""

from __future__ import annotations

import click

HELP = """\
Print the keys of the explorer, with the places where they apply.

\b
  tracetui keys
  tracetui keys --format md > docs/keys.md
"""
PAGE = """\
# The keys of the explorer

Made by `tracetui keys --format md`. Rows: the tree. Detail: the pane beside it; *both* are rows and detail. A key that
cannot do anything where you are is grey in `?`, with the reason.

"""


@click.command(help=HELP, short_help="Print the keys of the explorer.")
@click.option("--format", "form", type=click.Choice(["text", "md"]), default="text", show_default=True)
def command(form: str) -> None:
    """Print the table."""
    from tracetui.tui.keys import ACTIONS, BOTH, shown, table

    if form == "md":
        click.echo(PAGE + table(), nl=False)
        return
    for action in ACTIONS:
        keys = "  ".join(shown(key) for key in action.keys)
        where = "rows, detail" if action.where == BOTH else ", ".join(action.where)
        click.echo(f"{keys:<16} {action.description:<42} {where:<14} {action.id}")
