"""The way into the explorer. Light: the store is being read while textual is imported."""

from __future__ import annotations

import gc
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tracetui.tui.feed import NOW, Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracetui.store.reading import Reader
    from tracetui.tui.opening import Opening
    from tracetui.tui.program import Tracetui

FIRST_LINES = 80
"""Rows that are read before anybody knows how tall the terminal is."""


def run(path: str | Path, *, read_only: bool = False, author: str | None = None, focus: str | None = None) -> None:
    """Open the explorer on a store and return when it is left.

    `focus` is the id of the row to open on; `author` the name that scores are given under (else the user's).
    Raises `StoreError` where the store cannot be opened.
    """
    app = prepare(Path(path), read_only=read_only, author=author, focus=focus)
    try:
        app.run(mouse=not _remote())
    finally:
        app.end()


def prepare(path: Path, *, read_only: bool = False, author: str | None = None, focus: str | None = None) -> Tracetui:
    """The program, its first page being read. Raises `StoreError` where the store cannot be opened."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")  # both are read when textual is imported
    os.environ.setdefault("ESCDELAY", "100" if _remote() else "25")
    colour = not os.environ.get("NO_COLOR")  # textual takes it out of the environment
    if not colour:
        os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")  # any other is drawn in shades of grey
    near = Feed(path, watch=True)
    near.ask("opening", _opening(restore=focus is None), NOW)
    near.start()
    gc.disable()
    try:
        from tracetui.tui.program import Tracetui

        near.opened()
    except BaseException:
        near.close()
        raise
    finally:
        # modules live as long as the program: a collection that walks them all would be felt as a late key
        gc.freeze()
        gc.enable()
    return Tracetui(path, near, read_only=read_only, author=author or who(), focus=focus, colour=colour)


def _opening(*, restore: bool) -> Callable[[Reader], Opening]:
    def read(reader: Reader) -> Opening:
        from tracetui.tui.opening import opening

        return opening(reader, FIRST_LINES, restore=restore)

    return read


def who() -> str:
    """The name of whoever sits here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "someone"


def _remote() -> bool:
    return bool(os.environ.get("SSH_TTY") or os.environ.get("SSH_CONNECTION"))
