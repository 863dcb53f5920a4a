"""`tracetui worker`: run rules until stopped."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracetui.cli.params import STORE
from tracetui.model.errors import ExitCode

if TYPE_CHECKING:
    from tracetui.evaluate.engine import Event

HELP = """\
Run the rules of a store until stopped.

What becomes ready is judged within two seconds; what was there before is judged in the background. A changed rules
file is followed by itself; a broken one changes nothing. Several workers on one store share the rules. An explorer
starts one by itself.

\b
  tracetui worker traces.db
  tracetui worker traces.db --rules team/rules.toml
"""


@click.command(help=HELP, short_help="Run rules until stopped.")
@click.argument("store", type=STORE)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The rules file. Default: rules.toml in the store's directory, where there is one.",
)
@click.option(
    "--parent-fd", type=int, metavar="N", help="End when this file descriptor, a pipe from the parent, is closed."
)
def command(store: Path, rules: Path | None, parent_fd: int | None) -> int:
    """Work until Ctrl-C, SIGTERM or the end of the parent."""
    from tracetui.cli.interrupts import Interrupts
    from tracetui.evaluate.rules import read_rules
    from tracetui.evaluate.worker import GRACE_S, Worker, end_with_parent

    if rules is not None:
        read_rules(rules)  # a file that was named must be there and in order
    with Interrupts(leave_after=GRACE_S) as interrupts:
        worker = Worker(store, rules, tell=_tell, stop=interrupts.pressed)
        if parent_fd is not None:
            end_with_parent(parent_fd, worker.stop)
        with suppress(OSError):
            os.nice(5)  # whoever looks or scores comes first
        worker.run()
    return ExitCode.INTERRUPTED if interrupts.by_keyboard else ExitCode.DONE


def _tell(event: Event) -> None:
    from tracetui.model.text import display

    _, rule, words = event
    click.echo(display(f"{rule}: {words}" if rule else words), err=True)
