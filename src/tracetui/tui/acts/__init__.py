"""What actions do: one function each, by the id of the action in `keys.ACTIONS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.tui.acts import getting, moving, scoring

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer

HANDLERS: dict[str, Callable[[Explorer], None]] = {**moving.HANDLERS, **scoring.HANDLERS, **getting.HANDLERS}
"""Actions of rows, and of rows and detail alike; those of the other places are in their modes."""
DETAIL: dict[str, Callable[[Explorer], None]] = {**HANDLERS, **getting.DETAIL}
"""Actions where the detail has the keys."""
