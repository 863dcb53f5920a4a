"""A progress bar on stderr where that is a terminal; nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, str], None]
"""Called with how much is done of the total, and a few words: a rate, what is at hand. They may come from outside."""


@contextmanager
def progress_bar(verb: str, total: Callable[[], int], *, of_bytes: bool = False) -> Iterator[Advance | None]:
    """A bar with the time left while the block runs, gone when it ends; `None` where stderr is no terminal.

    `total` is only asked for on a terminal. `of_bytes`: what is counted are bytes.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    from tracetui.model.text import display

    columns = (
        TextColumn(verb),
        BarColumn(bar_width=20),
        DownloadColumn() if of_bytes else MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn(
            "{task.fields[words]}",
            markup=False,
            table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
        ),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task(verb, total=total(), words="")

        def advance(done: int, words: str) -> None:
            bar.update(task, completed=done, words=display(words))

        yield advance
