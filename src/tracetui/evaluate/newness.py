"""What is new in the model calls of a store, read once per thread and followed as it grows."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from dataclasses import dataclass, field

from tracetui.model.chat import Message
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.novelty import Novelty
from tracetui.store import targets
from tracetui.store.content import Contents
from tracetui.store.conversation import STRIDE

_THREADS_KEPT = 32


@dataclass(slots=True)
class _Stretch:
    """Model calls that are compared with each other, as far as they have been read."""

    calls: list[tuple[int, int]] = field(default_factory=list)
    novelty: Novelty = field(default_factory=Novelty)
    new: dict[int, tuple[Message, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Thread:
    calls: list[tuple[int, int]] = field(default_factory=list)
    """(run, revision of its last change), in order."""
    places: dict[int, int] = field(default_factory=dict)
    stretches: dict[int, _Stretch] = field(default_factory=dict)


class NewMessages:
    """As in the explorer's detail pane, a call is compared with the one to two thousand calls before it."""

    def __init__(self, conn: sqlite3.Connection, contents: Contents) -> None:
        self._conn = conn
        self._contents = contents
        self._threads: OrderedDict[int, _Thread] = OrderedDict()
        self._checked: set[int] = set()

    def refresh(self) -> None:
        """Threads may have changed: look at each again when it is next asked about."""
        self._checked.clear()

    def of(self, thread: int, run: int) -> tuple[Message, ...]:
        """What no call of the thread before this one had; nothing for a run that is no call of a model."""
        known = self._threads.get(thread)
        if known is None or thread not in self._checked:
            known = self._check(thread)
        at = known.places.get(run)
        if at is None:
            return ()
        start = max(at // STRIDE - 1, 0) * STRIDE
        stretch = known.stretches.setdefault(start, _Stretch())
        if run not in stretch.new:
            self._read(stretch, known.calls[start : at + 1])
        return stretch.new[run]

    def _check(self, thread: int) -> _Thread:
        known = self._threads.pop(thread, None) or _Thread()
        calls = targets.model_calls_of(self._conn, thread)
        if calls != known.calls:
            known.calls = calls
            known.places = {run: at for at, (run, _) in enumerate(calls)}
            known.stretches = {
                start: one
                for start, one in known.stretches.items()
                if one.calls == calls[start : start + len(one.calls)]
            }
        self._threads[thread] = known
        self._checked.add(thread)
        if len(self._threads) > _THREADS_KEPT:
            self._threads.popitem(last=False)
        return known

    def _read(self, stretch: _Stretch, calls: list[tuple[int, int]]) -> None:
        for run, rev in calls[len(stretch.calls) :]:
            inputs, outputs = targets.chat_of(self._conn, run)
            given = input_messages(self._contents.value(inputs))
            said = output_messages(self._contents.value(outputs))
            stretch.new[run] = stretch.novelty.add(run, given, said).new
            stretch.calls.append((run, rev))
