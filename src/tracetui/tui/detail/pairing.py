"""Which tool run answers which call of a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tracetui.model import jsonx
from tracetui.model.chat import Message, Role, ToolCall
from tracetui.model.kinds import Status
from tracetui.model.messages import output_messages
from tracetui.tui.detail.chat import Result

if TYPE_CHECKING:
    from tracetui.store.conversation import ToolRun

_ID_KEYS = ("tool_call_id", "gen_ai.tool.call.id", "tool_use_id", "call_id", "toolUseId", "tool_call.id")
_WRAPPERS = ("arguments", "args", "input", "parameters", "kwargs")


def results_of(message: Message, runs: Sequence[ToolRun], skip: set[int]) -> dict[int, Result]:
    """The results of a message's calls by their number, found among the runs after it."""
    left = list(runs)
    out: dict[int, Result] = {}
    for number, call in enumerate(message.tool_calls):
        found = _find(call, left)
        if found is not None:
            left.remove(found)
            if number not in skip:
                out[number] = result(found)
    return out


def result_of(call: ToolCall, runs: Sequence[ToolRun]) -> Result | None:
    """The result of one call among the runs after it."""
    found = _find(call, runs)
    return None if found is None else result(found)


def _find(call: ToolCall, runs: Sequence[ToolRun]) -> ToolRun | None:
    """By the call's id, else by name and equal arguments, else by name alone, else none."""
    if call.id is not None:
        for run in runs:
            if call.id in ids_of(run):
                return run
    named = [run for run in runs if run.name == call.name and not ids_of(run)]
    same = (run for run in named if _equal(call.arguments, run.inputs))
    return next(same, None) or next((run for run in named if run.sibling), None)


def ids_of(run: ToolRun) -> set[str]:
    """The ids of calls that a tool run says it answers; the last part of its own id may be one."""
    found: set[str] = set()
    for place in (run.extra, run.inputs, run.outputs):
        if isinstance(place, dict):
            found |= {place[key] for key in _ID_KEYS if isinstance(place.get(key), str)}
    own = run.id.rpartition(":")[2]
    if own.startswith(("toolu_", "call_")):
        found.add(own)
    return found


def _equal(arguments: Any, inputs: Any) -> bool:
    if arguments == inputs:
        return True
    if isinstance(inputs, dict) and len(inputs) <= 3:
        return any(key in inputs and jsonx.unwrapped(inputs[key]) == arguments for key in _WRAPPERS)
    return bool(jsonx.unwrapped(inputs) == arguments)


def result(run: ToolRun) -> Result:
    """What a tool's own run says."""
    text = result_text(run.outputs)
    if run.error is not None:
        error = run.error if text in run.error else f"{run.error}\n{text}"
        return Result(error=error, latency_us=run.latency_us, run_pk=run.pk)
    waiting = run.status in (Status.RUNNING, Status.ABANDONED) and not text
    return Result(text, latency_us=run.latency_us, waiting=waiting, run_pk=run.pk)


def result_text(outputs: Any) -> str:
    """A tool's output as text: the text of a result message where it is one, else JSON."""
    if outputs is None:
        return ""
    if isinstance(outputs, str):
        return outputs
    if isinstance(outputs, dict) and len(outputs) == 1:
        [(key, value)] = outputs.items()
        if key in ("output", "outputs", "result", "content") and isinstance(value, str):
            return value
    messages = output_messages(outputs)
    if messages and all(message.role is Role.TOOL or not message.tool_calls for message in messages):
        return "\n".join(message.text for message in messages)
    return jsonx.dumps(outputs).decode("utf-8", "replace")
