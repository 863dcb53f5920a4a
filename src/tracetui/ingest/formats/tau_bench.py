"""Results of tau-bench (a list of conversations) and tau2-bench (`simulations` of `tasks`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.split import Piece, pieces, records
from tracetui.ingest.trajectory import Order, mapping, named, record_id, text_of
from tracetui.ingest.usage import usage_fields
from tracetui.model import jsonx
from tracetui.model.kinds import Kind, Level, Source, Status
from tracetui.model.prices import known_cost
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.model.times import to_us

NAME = "tau-bench"
DESCRIPTION = "tau-bench and tau2-bench results"

_FINE = {"user_stop", "agent_stop", None}
"""How a tau2 simulation ends when nothing went wrong."""


def sniff(doc: Document) -> bool:
    """A list (or lines) of objects with `traj` and what it earned; an object with `simulations` of `tasks`."""
    if not doc.glimpse:
        return False
    first = doc.glimpse[0]
    if isinstance(first, list):
        return bool(first) and _is_conversation(first[0])
    return _is_conversation(first) or _is_results(first)


def _is_conversation(value: Any) -> bool:
    return isinstance(value, dict) and "task_id" in value and ("traj" in value or "reward" in value)


def _is_results(value: dict[str, Any]) -> bool:
    simulations = value.get("simulations")
    if isinstance(simulations, list) and ("tasks" in value or "info" in value):
        return True
    info = value.get("info")
    return isinstance(info, dict) and bool({"user_info", "agent_info", "environment_info"} & info.keys())


def read(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """Each conversation is one batch."""
    first = doc.glimpse[0] if doc.glimpse else []
    if isinstance(first, dict) and not _is_conversation(first):
        yield from _results(doc, options)
    else:
        yield from _conversations(doc, options)


def _conversations(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """tau-bench. The file counts for the identity of its traces; its first record stands for it, since a results
    file grows while the benchmark runs.
    """
    file = ""
    for record in records(doc, "conversation"):
        if isinstance(record, Refusal):
            yield record
            continue
        place, value = record.place, record.value
        messages = value.get("traj") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(messages, list):
            yield Refusal(doc.path, place, "no `traj` with messages in it")
            continue
        file = file or record_id(NAME, value)
        info = mapping(value.get("info"))
        error = named(info.get("error"))
        conversation = _Conversation(
            trace=record_id(NAME, file, value),
            task=named(value.get("task_id")),
            messages=messages,
            options=options,
            metadata={"trial": value.get("trial"), "user_cost": info.get("user_cost")},
            extra={key: sub for key, sub in value.items() if key not in ("traj", "reward")},
            error=f"{error}\n{info.get('traceback') or ''}".rstrip() if error else None,
        )
        yield from conversation.batch(doc, place, value.get("reward"))


def _results(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """tau2-bench: simulations have ids of their own; what they share comes before them in the file."""
    info: Mapping[str, Any] = {}
    tasks: dict[str, Any] = {}
    for piece in pieces(doc, keys=("simulations", "tasks")):
        if isinstance(piece, Refusal):
            yield piece
        elif piece.key == "info":
            info = mapping(piece.value)
        elif piece.key == "tasks":
            tasks[str(mapping(piece.value).get("id"))] = piece.value
        elif piece.key == "simulations":
            yield from _simulation(doc, piece, info, tasks, options)


def _simulation(
    doc: Document, piece: Piece, info: Mapping[str, Any], tasks: Mapping[str, Any], options: Options
) -> Iterator[Batch | Refusal]:
    value, place = piece.value, f"simulation {(piece.index or 0) + 1}"
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(messages, list):
        yield Refusal(doc.path, place, "no list of messages in it")
        return
    task = named(value.get("task_id"))
    agent = mapping(info.get("agent_info"))
    reason = named(value.get("termination_reason"))
    own = named(value.get("id"))
    extra = {key: sub for key, sub in value.items() if key not in ("messages", "id", "start_time", "end_time")}
    if task is not None and task in tasks:
        extra["task"] = tasks[task]
    conversation = _Conversation(
        trace=f"tau2-bench:{own}" if own else record_id("tau2-bench", value),
        task=task,
        messages=messages,
        options=options,
        metadata={
            "trial": value.get("trial"),
            "termination_reason": reason,
            "agent_cost": value.get("agent_cost"),
            "user_cost": value.get("user_cost"),
            "domain": mapping(info.get("environment_info")).get("domain_name"),
        },
        extra={**extra, "info": info},
        error=None if reason in _FINE else reason,
        model=named(agent.get("llm")),
        started_at=to_us(value.get("start_time")),
        ended_at=to_us(value.get("end_time")),
    )
    yield from conversation.batch(doc, place, mapping(value.get("reward_info")).get("reward"))


class _Conversation:
    """One conversation as runs. Message objects are shared: the store keeps each once."""

    def __init__(
        self,
        *,
        trace: str,
        task: str | None,
        messages: Sequence[Any],
        options: Options,
        metadata: Mapping[str, Any],
        extra: Mapping[str, Any],
        error: str | None,
        model: str | None = None,
        started_at: int | None = None,
        ended_at: int | None = None,
    ) -> None:
        self._trace = trace
        self._task = task
        self._all = messages
        self._messages = [each for each in messages if isinstance(each, dict)]
        self._project = options.project
        self._metadata = {key: sub for key, sub in metadata.items() if sub is not None}
        self._extra = extra
        self._error = error
        self._model = model
        self._started_at = started_at
        self._ended_at = ended_at
        self._order = Order()
        self._answered: set[int] = set()

    def batch(self, doc: Document, place: str, reward: Any) -> Iterator[Batch | Refusal]:
        """The runs and the reward; refusals of messages that are none."""
        for index, message in enumerate(self._all):
            if not isinstance(message, dict):
                yield Refusal(doc.path, f"{place}, message {index + 1}", "not an object")
        given = isinstance(reward, int | float) and math.isfinite(reward)
        said = (self._reward(reward),) if given else ()
        yield Batch(tuple(self._runs()), said)

    def _reward(self, reward: float) -> FeedbackRecord:
        return FeedbackRecord(
            level=Level.TRACE, target=self._trace, key="reward", score=float(reward), source=Source.OUTCOME
        )

    def _runs(self) -> Iterator[RunRecord]:
        yield self._root()
        for index, message in enumerate(self._messages):
            if message.get("role") == "assistant":
                yield self._call(index, message)
            calls = message.get("tool_calls")
            for number, call in enumerate(calls if isinstance(calls, list) else ()):
                yield self._tool(index, number, mapping(call))

    def _name(self) -> str | None:
        if self._task is None:
            return None
        trial = self._metadata.get("trial")  # the trials of a task stand together: their number tells them apart
        return f"task {self._task}, trial {trial}" if isinstance(trial, int) else f"task {self._task}"

    def _root(self) -> RunRecord:
        answers = [index for index, each in enumerate(self._messages) if each.get("role") == "assistant"]
        begin = answers[0] if answers else len(self._messages)
        return RunRecord(
            id=f"{self._trace}/agent",
            trace=self._trace,
            position=0,
            name="agent",
            trace_name=self._name(),
            kind=Kind.AGENT,
            error=self._error,
            session=self._task,
            project=self._project,
            started_at=self._started_at,
            ended_at=self._ended_at,
            metadata=self._metadata,
            inputs={"messages": self._messages[:begin]},
            outputs=self._messages[answers[-1]] if answers else None,
            extra=self._extra,
        )

    def _call(self, index: int, message: Mapping[str, Any]) -> RunRecord:
        usage = usage_fields(message.get("usage"))
        cost = known_cost(message.get("cost"), usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0))
        return RunRecord(
            id=f"{self._trace}/{index:05}",
            trace=self._trace,
            parent=f"{self._trace}/agent",
            position=self._order.next(),
            name=self._model or "llm",
            kind=Kind.LLM,
            project=self._project,
            ended_at=to_us(message.get("timestamp")),
            model=self._model,
            cost=cost,
            cost_source=None if cost is None else "source",
            inputs={"messages": self._messages[:index]},
            outputs=message,
            **usage,
        )

    def _tool(self, index: int, number: int, call: Mapping[str, Any]) -> RunRecord:
        function = mapping(call.get("function")) or call  # tau2 has no level between
        at = self._result(index, call)
        result = {} if at is None else self._messages[at]
        requestor = named(call.get("requestor"))
        return RunRecord(
            id=f"{self._trace}/{index:05}/{number}",
            trace=self._trace,
            parent=f"{self._trace}/agent",
            position=self._order.next(),
            name=named(function.get("name")) or "tool",
            kind=Kind.TOOL,
            status=Status.ABANDONED if at is None else None,
            error=_error(result),
            project=self._project,
            ended_at=to_us(result.get("timestamp")),
            metadata={"requestor": requestor} if requestor else {},
            inputs=_arguments(function.get("arguments")),
            outputs=result.get("content"),
        )

    def _result(self, index: int, call: Mapping[str, Any]) -> int | None:
        """The message that answers a call: the first free one with its id, else the next free one without."""
        wanted = named(call.get("id"))
        unnamed = None
        for at in range(index + 1, len(self._messages)):
            message = self._messages[at]
            if message.get("role") != "tool" or at in self._answered:
                continue
            # tau2 calls it `id`
            found = named(message.get("tool_call_id")) or named(message.get("id"))
            if wanted is not None and found == wanted:
                self._answered.add(at)
                return at
            if unnamed is None and (found is None or wanted is None):
                unnamed = at
        if unnamed is not None:
            self._answered.add(unnamed)
        return unnamed


def _arguments(value: Any) -> Any:
    """Arguments as the object they are the text of; as they are where they are not. The call keeps the text."""
    if isinstance(value, str):
        try:
            value = jsonx.loads(value)
        except ValueError:
            return {"arguments": value}
    return value if isinstance(value, dict) or value is None else {"arguments": value}


def _error(result: Mapping[str, Any]) -> str | None:
    text = text_of(result.get("content"))
    if text.startswith("Error"):
        return text.splitlines()[0]
    return (text.splitlines() or ["error"])[0] if result.get("error") is True else None
