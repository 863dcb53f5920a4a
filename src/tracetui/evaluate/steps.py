"""A trajectory as steps, in order: what the evaluators of order and repetition look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tracetui.evaluate.view import RunView, TraceView, View
from tracetui.model import jsonx
from tracetui.model.chat import Message, Role
from tracetui.model.kinds import Kind

WRAPPERS = frozenset({Kind.AGENT, Kind.CHAIN, Kind.PROMPT, Kind.OTHER, Kind.EVALUATOR})
"""Kinds that hold steps and are none themselves."""


@dataclass(frozen=True, slots=True)
class Step:
    """A run, or a tool call that only a model call tells of (then `run` is that model call)."""

    run: RunView
    kind: str
    name: str
    index: int
    """How many steps come before it."""
    arguments: Any = None
    """Of tools: what it was called with."""
    result: Message | None = None
    """Of tool calls without a run of their own: their answer, where one came."""

    @property
    def own_run(self) -> bool:
        """Whether the step has a run of its own."""
        return self.kind == self.run.kind

    @property
    def failed(self) -> bool:
        """Whether it ended in an error."""
        if self.own_run:
            return self.run.failed
        return self.result is not None and (self.result.error or looks_failed(self.result.text))

    @property
    def error(self) -> str:
        """What the error says; empty where there is none."""
        if not self.failed:
            return ""
        if self.own_run:
            return self.run.error or _first_text(self.run.outputs)
        return self.result.text if self.result is not None else ""

    @property
    def output(self) -> Any:
        """What came out: a JSON value or a text."""
        if self.own_run:
            return self.run.outputs
        return None if self.result is None else self.result.text


def looks_failed(text: str) -> bool:
    """Whether a tool's answer opens like an error."""
    return text.lstrip()[:6].lower() in ("error:", "error ", "error\n") or text.strip().lower() == "error"


def _first_text(value: Any) -> str:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str) and item:
            return item
        if isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list):
            stack.extend(reversed(item))
    return ""


def steps_of(view: View) -> tuple[Step, ...]:
    """The steps of a trace, of all traces of a thread, or of the trace that a run is in."""
    if isinstance(view, RunView):
        return steps_of(view.trace) if view.trace is not None else tuple(_numbered([view], 0))
    found: tuple[Step, ...] | None = view.kept.get("steps")
    if found is None:
        traces = [view] if isinstance(view, TraceView) else view.traces
        steps: list[Step] = []
        for trace in traces:
            steps.extend(_numbered(trace.runs, len(steps)))
        found = view.kept["steps"] = tuple(steps)
    return found


def _numbered(runs: list[RunView] | tuple[RunView, ...], start: int) -> Iterator[Step]:
    # a source that records tool runs records all of them; else the calls are read from what the models said
    told = not any(run.kind == Kind.TOOL for run in runs)
    results = _results(runs) if told else {}
    parents = {run.parent for run in runs}
    at = start
    for run in runs:
        if run.kind in WRAPPERS and (run.pk in parents or run.parent is None):
            continue
        yield Step(run, run.kind, run.name, at, run.arguments if run.kind == Kind.TOOL else None)
        at += 1
        if told and run.kind == Kind.LLM:
            for message in run.answer:
                for call in message.tool_calls:
                    found = results.get(call.id) if call.id else None
                    yield Step(run, Kind.TOOL, call.name, at, call.arguments, found)
                    at += 1


def _results(runs: list[RunView] | tuple[RunView, ...]) -> dict[str, Message]:
    return {
        message.tool_call_id: message
        for run in runs
        if run.kind == Kind.LLM
        for message in run.new_messages
        if message.role is Role.TOOL and message.tool_call_id
    }


def named(name: str, pattern: str) -> bool:
    """Whether a name is as the pattern says: capitals make no difference, `*` stands for any text."""
    plain = pattern.casefold().replace("[", "[[]").replace("?", "[?]")
    return fnmatchcase(name.casefold(), plain)


def canonical(value: Any) -> bytes:
    """Equal for JSON values that are equal: the order of keys and `1` against `1.0` make no difference."""
    return jsonx.dumps(_sorted(jsonx.unwrapped(value), 0))


def _sorted(value: Any, depth: int) -> Any:
    if depth > 100:
        return value
    if isinstance(value, dict):
        return {key: _sorted(value[key], depth + 1) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item, depth + 1) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def shown(value: Any, limit: int = 80) -> str:
    """Arguments in a few words, for a comment."""
    text = value if isinstance(value, str) else jsonx.dumps(value).decode("utf-8", "replace")
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
