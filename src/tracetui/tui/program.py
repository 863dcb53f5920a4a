"""The explorer as a textual program: one screen, threads beside it, and a clean end whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from textual.app import App

from tracetui.tui import ink
from tracetui.tui.feed import Feed
from tracetui.tui.screens.explorer import Explorer
from tracetui.tui.writing import Writing

PATIENCE_S = 2.0
"""How long leaving may take after a signal."""


class Tracetui(App[None]):
    """Holds what runs beside the screen; the screen has the logic."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "tracetui"

    def __init__(
        self, path: Path, near: Feed, *, read_only: bool, author: str, focus: str | None, colour: bool
    ) -> None:
        super().__init__()
        self._feeds = (near, Feed(path), Feed(path))
        self._writing = None if read_only else Writing(path, author)
        self.explorer = Explorer(
            path, *self._feeds, self._writing, ink=ink.default(colour=colour), glyphs=ink.glyphs(), author=author,
            read_only="opened with --read-only" if read_only else "", focus=focus,
        )  # fmt: skip

    def get_default_screen(self) -> Explorer:
        """The explorer is the only screen."""
        return self.explorer

    def on_mount(self) -> None:
        """End cleanly when the terminal or the session goes away."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._leave)

    def _leave(self) -> None:
        """Leave, and see to it that leaving ends: where the terminal is gone, textual waits to write to it."""
        last = threading.Timer(PATIENCE_S, self._vanish)
        last.daemon = True
        last.start()
        self.exit()

    def _vanish(self) -> None:
        if self._writing is not None:
            self._writing.close()
        os._exit(128 + signal.SIGHUP)

    def end(self) -> None:
        """Remember where one was, write what is left, stop what runs."""
        # a terminal that vanished while the screen was being set up leaves textual's reader of keys at work for ever
        reading = getattr(self._driver, "exit_event", None)
        if reading is not None:
            reading.set()
        self.explorer.keep()
        self.explorer.status.close()
        for feed in self._feeds:
            feed.close()
        if self._writing is not None:
            self._writing.close()
