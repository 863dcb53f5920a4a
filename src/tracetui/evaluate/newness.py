"""What is new in the model calls of a store, read once per thread and followed as it grows."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from tracetui.model.chat import Message
from tracetui.model.dialects import is_message, is_part
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.novelty import Novelty
from tracetui.store import targets
from tracetui.store.content import Contents
from tracetui.store.conversation import STRIDE

_THREADS_KEPT = 32
_NEAR = 8


_Call = tuple[int, int, int]
"""A run, the revision of its last change, its trace."""


class GrowingChat:
    """The messages in the inputs of call after call, of which each mostly adds to the one before it.

    Gives exactly what `input_messages` gives, but reads only the items that were added.
    """

    def __init__(self) -> None:
        self._inputs: Any = None
        self._messages: list[Message] = []
        self._known: tuple[str, ...] = ()
        """The keys of inputs whose messages are known to come from the first of them."""

    def read(self, inputs: Any) -> list[Message]:
        """The messages of the next call."""
        grown = self._grown(inputs) if isinstance(inputs, dict) and isinstance(self._inputs, dict) else None
        self._messages = input_messages(inputs) if grown is None else [*self._messages, *grown]
        self._inputs = inputs
        return self._messages

    def _grown(self, inputs: dict[str, Any]) -> list[Message] | None:
        """What was added to the messages; `None` where they have to be read as a whole."""
        before = self._inputs
        if before.keys() != inputs.keys():
            return None
        changed = [key for key, value in inputs.items() if value is not before[key] and value != before[key]]
        if len(changed) != 1:
            return None
        [key] = changed
        old, now = before[key], inputs[key]
        if not (isinstance(old, list) and isinstance(now, list) and old and now[: len(old)] == old):
            return None
        if not self._comes_from(key, old):
            return None
        start = _last_message(old)
        if start is None:
            return None
        last = input_messages({key: old[start:]})
        more = input_messages({key: now[start:]})
        # an item can go on in the message of the item before it: only where that is not so is the rest the rest
        if not last or self._messages[-len(last) :] != last or more[: len(last)] != last:
            return None
        return more[len(last) :]

    def _comes_from(self, key: str, items: list[Any]) -> bool:
        """Whether the messages (besides instructions that stand before them) are those of one key."""
        shape = (key, *self._inputs)
        if shape != self._known:
            alone = input_messages({key: items})
            if not alone or self._messages[-len(alone) :] != alone:
                return False
            self._known = shape
        return True


def _last_message(items: list[Any]) -> int | None:
    """Where, near the end, the last item stands that is a message and no mere part of one.

    A list that has such an item is read item by item; parts and bare texts alone are read in other ways.
    """
    if not is_message(items[0]):
        return None
    near = range(len(items) - 1, max(-1, len(items) - 1 - _NEAR), -1)
    return next((at for at in near if is_message(items[at]) and not is_part(items[at])), None)


@dataclass(slots=True)
class _Stretch:
    """Model calls that are compared with each other, as far as they have been read."""

    calls: list[_Call] = field(default_factory=list)
    chats: dict[int, GrowingChat] = field(default_factory=dict)
    """By trace: several can go on at once; a new one mostly goes on from the latest."""
    latest: GrowingChat = field(default_factory=GrowingChat)
    novelty: Novelty = field(default_factory=Novelty)
    new: dict[int, tuple[Message, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Thread:
    calls: list[_Call] = field(default_factory=list)
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
            known.places = {run: at for at, (run, _, _) in enumerate(calls)}
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

    def _read(self, stretch: _Stretch, calls: list[_Call]) -> None:
        for run, rev, trace in calls[len(stretch.calls) :]:
            inputs, outputs = targets.chat_of(self._conn, run)
            chat = stretch.chats.get(trace)
            if chat is None:
                chat = stretch.chats[trace] = copy(stretch.latest)
            stretch.latest = chat
            given = chat.read(self._contents.value(inputs))
            said = output_messages(self._contents.value(outputs))
            stretch.new[run] = stretch.novelty.add(run, given, said).new
            stretch.calls.append((run, rev, trace))
