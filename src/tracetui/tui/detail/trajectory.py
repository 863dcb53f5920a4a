"""A trace as one conversation: every message once, every tool call beside its result, steps in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracetui.model.chat import Role, ToolCall
from tracetui.model.kinds import Kind, Level
from tracetui.model.rows import Row
from tracetui.tui.detail.chat import Result, Said
from tracetui.tui.detail.loaded import load
from tracetui.tui.detail.pairing import result_text

if TYPE_CHECKING:
    from tracetui.store.reading import Reader

_WRAPPERS = frozenset((Kind.AGENT, Kind.CHAIN, Kind.PROMPT, Kind.OTHER, Kind.EVALUATOR))


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a model with what was new in it, or a run that no call of a model asked for."""

    row: Row
    said: tuple[Said, ...] = ()
    call: ToolCall | None = None
    result: Result | None = None


def steps_of(reader: Reader, trace_pk: int) -> Iterator[Step]:
    """The steps of a trace, read one by one. Raises `StoreError` as the reader does."""
    rows = reader.runs_of(trace_pk)
    parents = {row.parent_pk for row in rows}
    told = _Told()
    for row in rows:
        if row.kind == Kind.LLM:
            yield told.call(reader, row)
        elif row.pk not in told.runs and not (row.kind in _WRAPPERS and (row.pk in parents or row.parent_pk is None)):
            run = reader.run(row.pk)
            text = result_text(run.outputs)
            result = Result(text, row.error, row.latency_us, waiting=run.outputs is None and row.error is None)
            yield Step(row, call=ToolCall(row.name, run.inputs), result=result)


class _Told:
    """What was told already: results stand beside their call, and come in again as messages of the next one."""

    def __init__(self) -> None:
        self.runs: set[int] = set()
        self._calls: set[str] = set()
        self._texts: set[str] = set()

    def call(self, reader: Reader, row: Row) -> Step:
        loaded = load(reader, Level.RUN, row.pk)
        fresh = (said for number, said in enumerate(loaded.given) if number in loaded.fresh)
        said = [replace(one, key=self._key(row, one)) for one in fresh if not self._known(one)]
        answered = [replace(one, key=self._key(row, one)) for one in loaded.answered]
        for one in answered:
            for number, result in one.results.items():
                self._remember(result, one.message.tool_calls[number])
            for call, result in one.did:
                self._remember(result, call)
        return Step(row, (*said, *answered))

    @staticmethod
    def _key(row: Row, said: Said) -> int:
        return row.pk << 20 | said.key

    def _remember(self, result: Result, call: ToolCall) -> None:
        if result.waiting:
            return
        if result.run_pk is not None:
            self.runs.add(result.run_pk)
        if call.id is not None:
            self._calls.add(call.id)
        else:
            self._texts.add((result.text or result.error or "").strip())

    def _known(self, said: Said) -> bool:
        message = said.message
        if message.role is Role.TOOL and message.tool_call_id is not None:
            return message.tool_call_id in self._calls
        if message.role in (Role.TOOL, Role.USER):  # agents without tool calls get results as a user's words
            return message.text.strip() in self._texts
        return False
