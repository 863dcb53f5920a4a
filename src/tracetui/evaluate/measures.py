"""Numbers of runs, traces and threads that a rule can hold against bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tracetui.evaluate.texts import at_path
from tracetui.evaluate.view import RunView, ThreadView, TraceView, View
from tracetui.model.chat import Role
from tracetui.model.kinds import Level
from tracetui.query.fields import FieldType
from tracetui.query.numbers import read_number

_ALL = (Level.RUN, Level.TRACE, Level.THREAD)
_UP = (Level.TRACE, Level.THREAD)

MEASURES: dict[str, tuple[str, tuple[Level, ...], FieldType]] = {
    "latency": ("end minus start, in seconds", _ALL, FieldType.DURATION),
    "first_token": ("time to the first token, in seconds", (Level.RUN,), FieldType.DURATION),
    "tokens": ("prompt and completion tokens", _ALL, FieldType.COUNT),
    "prompt_tokens": ("prompt tokens", _ALL, FieldType.COUNT),
    "completion_tokens": ("completion tokens", _ALL, FieldType.COUNT),
    "cache_read_tokens": ("prompt tokens read from a cache", _ALL, FieldType.COUNT),
    "cache_write_tokens": ("prompt tokens written to a cache", _ALL, FieldType.COUNT),
    "reasoning_tokens": ("completion tokens spent on reasoning", _ALL, FieldType.COUNT),
    "cost": ("US dollars", _ALL, FieldType.MONEY),
    "steps": ("model calls and tool runs", _UP, FieldType.COUNT),
    "llm_calls": ("model calls", _UP, FieldType.COUNT),
    "tool_calls": ("tool runs", _UP, FieldType.COUNT),
    "errors": ("runs that failed", _UP, FieldType.COUNT),
    "runs": ("runs", _UP, FieldType.COUNT),
    "traces": ("traces", (Level.THREAD,), FieldType.COUNT),
    "output_length": ("characters of the answer, its tool calls included", (Level.RUN, Level.TRACE), FieldType.COUNT),
}
"""Name -> what it is, the levels that have it, the unit of its bounds. Beside them: `metadata.KEY`."""

_SECOND = 1_000_000


def unit_of(measure: str) -> FieldType:
    """How bounds of a measure are written."""
    return MEASURES[measure][2] if measure in MEASURES else FieldType.SCORE


def read_bound(measure: str, bound: str | float) -> float | None:
    """A bound as written (`30`, `"30s"`, `"10k"`, `"$0.05"`) in the measure's unit; `None` where it is no number."""
    number = read_number(str(bound), unit_of(measure))
    if number is None:
        return None
    return number / _SECOND if unit_of(measure) is FieldType.DURATION else float(number)


def measure(view: View, name: str) -> float | None:
    """A number of a view; `None` where it is unknown."""
    if name.startswith("metadata."):
        return _number(at_path(getattr(view, "metadata", {}), name.removeprefix("metadata.")))
    found = _OF[name](view) if name in _OF else getattr(view, name)
    return None if found is None else float(found)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _latency(view: View) -> float | None:
    if view.started_at is None or view.ended_at is None:
        return None
    return (view.ended_at - view.started_at) / _SECOND


def _tokens(view: View) -> float | None:
    if view.prompt_tokens is None or view.completion_tokens is None:
        return None
    return view.prompt_tokens + view.completion_tokens


def _first_token(view: View) -> float | None:
    assert isinstance(view, RunView)
    return None if view.first_token_us is None else view.first_token_us / _SECOND


def _counts(view: View) -> TraceView | ThreadView:
    assert isinstance(view, TraceView | ThreadView)
    return view


def _output_length(view: View) -> float | None:
    if isinstance(view, TraceView):
        last = next((run for run in reversed(view.runs) if run.kind == "llm" and run.status != "running"), None)
        root = next((run for run in view.runs if run.parent is None), None)
        answered = last if last is not None else root
        return None if answered is None else _output_length(answered)
    assert isinstance(view, RunView)
    if view.answer:
        return sum(_weight(message) for message in view.answer if message.role is Role.ASSISTANT)
    if view.failed and view.outputs is None:
        return None
    return _size(view.outputs)


def _weight(message: Any) -> int:
    return len(message.text.strip()) + sum(
        max(len(call.name), 1) + _size(call.arguments) for call in message.tool_calls
    )


def _size(value: Any) -> int:
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            total += len(item.strip())
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif item is not None:
            total += 1
    return total


_OF: dict[str, Callable[[View], float | None]] = {
    "latency": _latency,
    "first_token": _first_token,
    "tokens": _tokens,
    "steps": lambda view: _counts(view).llm_calls + _counts(view).tool_calls,
    "errors": lambda view: _counts(view).error_count,
    "runs": lambda view: _counts(view).run_count,
    "traces": lambda view: getattr(view, "trace_count", None),
    "output_length": _output_length,
}
