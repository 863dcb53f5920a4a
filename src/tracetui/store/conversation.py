"""The calls of a thread in their order, and what is new in each; the tool runs that follow a call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tracetui.model.kinds import Kind
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.novelty import NewInCall, Novelty
from tracetui.store.access import Access
from tracetui.store.content import Contents
from tracetui.store.db import explained

STRIDE = 1000
"""Calls before a call that are looked at: between one and two strides. More would make a long thread quadratic."""
_THREADS_KEPT = 8
_TOOLS = 64

# by the index of a thread's traces, then by that of a trace's runs; the few rows found are sorted
CALLS_SQL = """
SELECT r.pk, r.rev FROM trace t JOIN run r ON r.trace = t.pk
WHERE t.thread = ? AND r.kind = 'llm' AND r.phase > 0
ORDER BY r.position, r.id"""
CALL_SQL = "SELECT inputs, outputs FROM run WHERE pk = ?"
THREAD_SQL = "SELECT t.thread FROM run r JOIN trace t ON t.pk = r.trace WHERE r.pk = ?"
FOLLOWING_SQL = """
SELECT r.pk, r.parent, r.kind FROM run r
WHERE r.trace = ? AND (r.position, r.id) > (?, ?) AND r.phase > 0 AND r.kind IN ('llm', 'tool')
ORDER BY r.position, r.id LIMIT ?"""
TOOL_SQL = """
SELECT pk, id, name, status, error, started_at, ended_at, inputs, outputs, extra FROM run WHERE pk = ?"""
STEPS_SQL = """
SELECT count(*), sum((r.position, r.id) <= (own.position, own.id)) FROM run own JOIN run r ON r.trace = own.trace
WHERE own.pk = ? AND r.phase > 0 AND r.kind IN ('llm', 'tool')"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """A tool run that came after a call of a model. Times in microseconds UTC."""

    pk: int
    id: str
    name: str
    status: str | None
    error: str | None
    started_at: int | None
    ended_at: int | None
    sibling: bool
    """It has the call's own parent, and no other call of that parent lies between."""
    inputs: Any
    outputs: Any
    extra: Any

    @property
    def latency_us(self) -> int | None:
        """End minus start, where both are known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at


@dataclass(slots=True)
class _Known:
    """How far a thread has been read."""

    start: int
    calls: list[tuple[int, int]] = field(default_factory=list)
    novelty: Novelty = field(default_factory=Novelty)
    found: dict[int, tuple[tuple[int, ...], Any]] = field(default_factory=dict)


class Conversations:
    """What is new in the calls of a store. One per connection; remembers the threads it read last.

    Raises `StoreError`, also when the connection is interrupted: then a later question reads on.
    """

    def __init__(self, access: Access, contents: Contents) -> None:
        self._access = access
        self._contents = contents
        self._threads: OrderedDict[tuple[int, int], _Known] = OrderedDict()

    def new_in(self, run_pk: int) -> NewInCall | None:
        """What is new in a call among the calls of its thread; `None` for a run that is no call of a model."""
        row = self._access.first(THREAD_SQL, (run_pk,))
        calls = [] if row is None else self._access.all(CALLS_SQL, row)
        at = next((index for index, call in enumerate(calls) if call[0] == run_pk), None)
        if at is None:
            return None
        start = max(at // STRIDE - 1, 0) * STRIDE
        known = self._known((row[0], start), start, calls)
        with explained(self._access.conn):
            self._read(known, calls[start + len(known.calls) : at + 1])
            fresh, predecessor = known.found[run_pk]
            inputs, _ = self._access.first(CALL_SQL, (run_pk,))
            return NewInCall(tuple(input_messages(self._contents.value(inputs))), fresh, predecessor)

    def _known(self, key: tuple[int, int], start: int, calls: Sequence[tuple[int, int]]) -> _Known:
        """What was read of a thread before, as far as it is still so."""
        known = self._threads.pop(key, None)
        if known is None or known.calls != list(calls[start : start + len(known.calls)]):
            known = _Known(start)
        self._threads[key] = known
        if len(self._threads) > _THREADS_KEPT:
            self._threads.popitem(last=False)
        return known

    def _read(self, known: _Known, calls: Sequence[tuple[int, int]]) -> None:
        for pk, rev in calls:
            inputs, outputs = self._access.first(CALL_SQL, (pk,))
            given = input_messages(self._contents.value(inputs))
            said = output_messages(self._contents.value(outputs))
            new = known.novelty.add(pk, given, said)
            known.found[pk] = (new.fresh, new.predecessor)
            known.calls.append((pk, rev))

    def tools_after(self, run_pk: int) -> tuple[ToolRun, ...]:
        """The tool runs of a trace that come after a call, in their order, at most 64 steps on.

        Those with `sibling` are the work that the call asked for where nothing else says so.
        """
        row = self._access.first("SELECT trace, parent, position, id FROM run WHERE pk = ?", (run_pk,))
        if row is None:
            return ()
        trace, parent, position, own_id = row
        out: list[ToolRun] = []
        own = True
        for pk, above, kind in self._access.all(FOLLOWING_SQL, (trace, position, own_id, _TOOLS)):
            if kind == Kind.LLM:
                own = own and above != parent
            else:
                out.append(self._tool(pk, sibling=own and above == parent))
        return tuple(out)

    def _tool(self, pk: int, *, sibling: bool) -> ToolRun:
        found = self._access.first(TOOL_SQL, (pk,))
        with explained(self._access.conn):
            inputs, outputs, extra = (self._contents.value(blob) for blob in found[7:])
        return ToolRun(
            pk=pk,
            id=found[1],
            name=found[2] or "tool",
            status=found[3],
            error=found[4],
            started_at=found[5],
            ended_at=found[6],
            sibling=sibling,
            inputs=inputs,
            outputs=outputs,
            extra=extra,
        )

    def step(self, run_pk: int) -> tuple[int, int]:
        """How many steps (llm and tool runs) of its trace begin up to this run, and how many there are."""
        found = self._access.first(STEPS_SQL, (run_pk,))
        return found[1] or 0, found[0]
