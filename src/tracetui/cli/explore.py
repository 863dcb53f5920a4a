"""Opening the explorer, from either way into the program."""

from __future__ import annotations

import sys
from pathlib import Path

from tracetui.model.errors import InputError


def explore(path: Path, *, read_only: bool = False) -> None:
    """Open the explorer on a store. Raises `TracetuiError` where that cannot be."""
    from tracetui.store.db import connect_read

    connect_read(path)[0].close()  # whatever is wrong with it is said before anything is drawn
    need_terminal(f"`tracetui query {path}` and `tracetui show {path} ID` print what it shows")
    from tracetui.tui.app import run

    run(path, read_only=read_only)


def need_terminal(hint: str) -> None:
    """Raise `InputError` where there is no terminal to draw on."""
    # Textual reads stdin and draws on stderr
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise InputError("The explorer needs a terminal", "stdin, stdout or stderr is a file or a pipe", hint)
