"""Ctrl-C and SIGTERM for work that ends by itself at the next good place."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any


class Interrupts:
    """While the block runs, the first Ctrl-C (or SIGTERM) is only noted; the second Ctrl-C interrupts at once."""

    def __init__(self, *, leave_after: float | None = None) -> None:
        """`leave_after`: seconds after which the process ends in any case, in the midst of what it does."""
        self._leave_after = leave_after
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
        if self._signal is None and self._leave_after is not None:
            timer = threading.Timer(self._leave_after, os._exit, [130 if number == signal.SIGINT else 0])
            timer.daemon = True
            timer.start()
        self._signal = number
