"""A thread that reads the store, so that the screen never waits for it.

The screen asks questions, the thread answers them one after the other, the most urgent first. Asking under a
topic again replaces the question before it: what it was reading is interrupted and its answer is never
delivered. Between questions the thread watches whether anybody has written to the store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tracetui.store.reading import Reader

POLL_S = 0.15
"""How often the store is asked whether anybody has written."""
CHANGED = "changed"
"""Topic of the answer that says what changed."""

NOW, SOON, LATER = 0, 1, 2
"""Urgency of a question."""


class Answer(NamedTuple):
    """What came of a question: its value, or why there is none."""

    topic: str
    value: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class _Question:
    topic: str
    urgency: int
    number: int
    read: Callable[[Reader], Any]


class Feed:
    """Reads a store in a thread of its own. `watch`: also say what others change (topic `CHANGED`)."""

    def __init__(self, path: Path, *, watch: bool = False) -> None:
        self._path = path
        self._watch = watch
        self._lock = threading.Condition()
        self._waiting: dict[str, _Question] = {}
        self._running: _Question | None = None
        self._unwanted = False
        """What is being read is not wanted any more."""
        self._reader: Reader | None = None
        self._number = 0
        self._closed = False
        self._deliver: Callable[[Answer], None] | None = None
        self._held: list[Answer] = []
        self._rev = 0
        self._opened = threading.Event()
        self._refused: Exception | None = None
        self._version = 0
        self._thread = threading.Thread(target=self._run, name=f"feed {path.name}", daemon=True)

    def start(self) -> None:
        """Begin. Questions may be asked before."""
        self._thread.start()

    def opened(self) -> None:
        """Wait until the store is open. Raises the `StoreError` that says why it cannot be."""
        self._opened.wait()
        if self._refused is not None:
            raise self._refused

    def listen(self, deliver: Callable[[Answer], None]) -> None:
        """Where answers go, called in the feed's thread. Answers until now were kept and are delivered first."""
        with self._lock:
            held, self._held = self._held, []
            self._deliver = deliver
        for answer in held:
            deliver(answer)

    def ask(self, topic: str, read: Callable[[Reader], Any], urgency: int = SOON) -> None:
        """Ask under a topic, in place of what was asked under it before."""
        with self._lock:
            self._drop(topic)
            self._hurry()
            self._number += 1
            self._waiting[topic] = _Question(topic, urgency, self._number, read)
            self._lock.notify()

    def forget(self, topic: str) -> None:
        """Nobody wants the answer of a topic any more."""
        with self._lock:
            self._drop(topic)

    def asked(self, topic: str) -> bool:
        """Whether an answer of this topic is still to come."""
        with self._lock:
            return topic in self._waiting or (self._running is not None and self._running.topic == topic)

    @property
    def busy(self) -> bool:
        """Whether any answer is still to come."""
        with self._lock:
            return bool(self._waiting) or self._running is not None

    def close(self) -> None:
        """Stop, and interrupt what is being read."""
        with self._lock:
            self._closed = True
            self._deliver = None
            self._waiting.clear()
            if self._running is not None and self._reader is not None:
                self._reader.interrupt()
            self._lock.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _drop(self, topic: str) -> None:
        self._waiting.pop(topic, None)
        if self._running is not None and self._running.topic == topic:
            self._running, self._unwanted = None, True
            self._hurry()

    def _hurry(self) -> None:
        """Interrupt what is not wanted; again at every question, for one is lost before a query has begun."""
        if self._unwanted and self._reader is not None:
            self._reader.interrupt()

    def _run(self) -> None:
        from tracetui.store.reading import Reader

        try:
            self._reader = Reader(self._path, mapped=False)
            # before the first question: what is written from here on is seen as a change
            self._version, self._rev = self._reader.data_version(), self._reader.rev()
        except Exception as error:  # noqa: BLE001 - the thread's boundary: whoever waits for it raises it
            self._refused = error
            return
        finally:
            self._opened.set()
        polled = time.monotonic()
        try:
            while True:
                question = self._next(polled + POLL_S - time.monotonic())
                if question is not None:
                    self._answer(question, self._reader)
                elif self._closed:
                    return
                if self._watch and time.monotonic() - polled >= POLL_S:
                    self._poll(self._reader)
                    polled = time.monotonic()
        finally:
            self._reader.close()

    def _next(self, patience: float) -> _Question | None:
        with self._lock:
            if not self._waiting and not self._closed:
                self._lock.wait(max(patience, 0.001) if self._watch else None)
            if self._closed or not self._waiting:
                return None
            question = min(self._waiting.values(), key=lambda one: (one.urgency, one.number))
            del self._waiting[question.topic]
            self._running = question
            return question

    def _answer(self, question: _Question, reader: Reader) -> None:
        try:
            answer = Answer(question.topic, question.read(reader))
        except Exception as error:  # noqa: BLE001 - the thread's boundary: the screen says what it was
            answer = Answer(question.topic, None, error)
        with self._lock:
            wanted, self._running, self._unwanted = self._running is question, None, False
        if wanted:
            self._send(answer)

    def _poll(self, reader: Reader) -> None:
        try:
            version = reader.data_version()
            if version == self._version:
                return
            self._version = version
            changes = reader.changes(self._rev)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: the screen says what it was
            self._send(Answer(CHANGED, None, error))
            return
        if changes.rev != self._rev:
            self._rev = changes.rev
            self._send(Answer(CHANGED, changes))

    def _send(self, answer: Answer) -> None:
        with self._lock:
            deliver = self._deliver
            if deliver is None:
                if not self._closed:
                    self._held.append(answer)
                return
        deliver(answer)
