"""Ctrl-C and SIGTERM for work that ends by itself at the next good place."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


class Interrupts:
    """While the block runs, the first Ctrl-C (or SIGTERM) is only noted; the second Ctrl-C interrupts at once."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._before: dict[int, Any] = {}

    def pressed(self) -> bool:
        """Whether to stop."""
        return self._signal is not None

    @property
    def by_keyboard(self) -> bool:
        """Whether it was Ctrl-C."""
        return self._signal == signal.SIGINT

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signal == signal.SIGINT and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signal = number
