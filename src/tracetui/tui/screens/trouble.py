"""What went wrong, in words that can be selected and copied; from the bottom, like all that asks."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from tracetui.model.errors import TracetuiError
from tracetui.model.text import display
from tracetui.tui.ink import Glyphs, Ink


class Trouble(ModalScreen[None]):
    """An error: title, message, what to do now. `esc` or `enter` closes it."""

    DEFAULT_CSS = """
    Trouble { align: left bottom; background: transparent; }
    Trouble Static { width: 100%; height: auto; max-height: 80%; padding: 0 1 1 1; }
    """

    def __init__(self, error: TracetuiError, ink: Ink, glyphs: Glyphs) -> None:
        super().__init__()
        self._error, self._ink, self._glyphs = error, ink, glyphs

    def compose(self) -> ComposeResult:
        """The words."""
        ink = self._ink
        words = Text.assemble(
            (self._glyphs.failed + " ", ink.on("bad", "surface", bold=True)),
            (display(self._error.title), ink.on("text", "surface", bold=True)),
            "\n\n",
            (display(self._error.message, lines=True), ink.on("text-2", "surface")),
            "\n",
            (display(self._error.hint, lines=True), ink.on("muted", "surface")),
            "\n\n",
            ("esc", ink.on("accent", "surface", bold=True)),
            (" close", ink.on("muted", "surface")),
        )
        box = Static(words)
        if ink.colours["surface"]:
            box.styles.background = ink.colours["surface"]
        yield box

    def on_key(self, event: events.Key) -> None:
        """Any key that closes things closes it."""
        event.stop()
        event.prevent_default()
        if event.key in ("escape", "enter", "q", "ctrl+c"):
            self.dismiss()


def in_words(error: Exception) -> TracetuiError:
    """An error as people read it; one that is no `TracetuiError` is a mistake of ours."""
    if isinstance(error, TracetuiError):
        return error
    return TracetuiError("Something is wrong", f"{type(error).__name__}: {error}", "Please report it.")
