"""LangSmith's run and feedback objects as records: in exports, in batch bodies, from the SDKs and from LiteLLM."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tracetui.ingest.trajectory import mapping, named
from tracetui.ingest.usage import Usage, usage_fields
from tracetui.model import jsonx
from tracetui.model.kinds import Kind, Level, Phase, Source, Status
from tracetui.model.prices import known_cost
from tracetui.model.records import FeedbackRecord, RunRecord
from tracetui.model.times import to_us

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SEGMENT = re.compile(r"\d{8}T\d{12}Z([0-9a-fA-F-]{36})")
_THREAD_KEYS = ("session_id", "thread_id", "conversation_id")
_HIDDEN = ("LANGSMITH_", "LANGCHAIN_")
"""What the SDKs copy from the environment into metadata."""
_CALLS = (Kind.LLM, Kind.EMBEDDING, None)
_MAPPED = {
    "id", "name", "run_type", "start_time", "end_time", "inputs", "outputs", "error", "extra", "tags", "parent_run_id",
    "trace_id", "session_name", "child_runs",
}  # fmt: skip
"""Keys of a run object that have a field of their own in a record; the others are kept in `extra`."""
_SOURCES = {"app": Source.HUMAN, "model": Source.JUDGE, "auto_eval": Source.JUDGE}
"""`feedback_source.type`; `api` can be anybody."""
_JSON_FIELDS = ("inputs", "outputs", "extra", "events", "feedback_stats", "serialized", "tags")


def is_run(value: Any) -> bool:
    """Whether an object is a run: of an export, or of a body that creates or updates one."""
    return isinstance(value, Mapping) and "run_type" in value and "id" in value


def is_feedback(value: Any) -> bool:
    """Whether an object is a piece of feedback."""
    return isinstance(value, Mapping) and {"run_id", "key"} <= value.keys() and bool({"score", "value"} & value.keys())


def run_records(run: Mapping[str, Any], *, patch: bool = False, project: str | None = None) -> Iterator[RunRecord]:
    """A run object, and the runs nested in its `child_runs`, as records. Nothing where it has no id.

    `patch` says that the object updates a run. `project` wins over what the run says.
    """
    stack: list[tuple[Mapping[str, Any], str | None, str | None]] = [(run, None, None)]
    while stack:
        value, trace, parent = stack.pop()
        own = named(value.get("id"))
        if own is None:
            continue
        record = _Run(value, patch=patch, project=project).record(trace, parent)
        yield record
        children = [child for child in _items(value.get("child_runs")) if isinstance(child, Mapping)]
        stack.extend((child, record.trace, record.id) for child in reversed(children))


def stats_feedback(run: Mapping[str, Any]) -> Iterator[FeedbackRecord]:
    """The aggregates of `feedback_stats`, one piece of feedback a key. Who said them is not known."""
    own = named(run.get("id"))
    stats = jsonx.unwrapped(run.get("feedback_stats"))
    if own is None or not isinstance(stats, Mapping):
        return
    trace = named(run.get("trace_id"))
    is_root = run.get("is_root") is True or (not run.get("parent_run_id") and trace in (None, own))
    for key, each in stats.items():
        said = mapping(each)
        values = {label: n for label, n in mapping(said.get("values")).items() if isinstance(n, int | float)}
        label = max(values, key=lambda name: values[name]) if values else None
        score = _number(said.get("avg"))
        if score is None and label is None:
            continue
        count = said.get("n")
        yield FeedbackRecord(
            level=Level.TRACE if is_root else Level.RUN,
            target=f"ls:{own}",
            trace=None if is_root or trace is None else f"ls:{trace}",
            key=str(key),
            score=score,
            value=label,
            comment=f"mean of {count}" if isinstance(count, int) and count > 1 else None,
            created_at=to_us(run.get("end_time")) or to_us(run.get("start_time")),
        )


def feedback_record(value: Mapping[str, Any]) -> FeedbackRecord | None:
    """A feedback object as a record, or `None` where it names no key, or neither run nor trace."""
    key = named(value.get("key"))
    run, trace = named(value.get("run_id")), named(value.get("trace_id"))
    if key is None or (run is None and trace is None):
        return None
    whole = run is None or run == trace
    source = mapping(value.get("feedback_source"))
    given, score = value.get("value"), value.get("score")
    origin = mapping(mapping(source.get("metadata")).get("__run"))
    own = named(value.get("id"))
    judge = named(origin.get("run_id"))
    return FeedbackRecord(
        level=Level.TRACE if whole else Level.RUN,
        target=f"ls:{trace if whole else run}",
        trace=f"ls:{trace}" if trace is not None and not whole else None,
        key=key,
        score=_number(score),
        value=_text(given) if given is not None else score if isinstance(score, str) else None,
        comment=named(value.get("comment")),
        correction=value.get("correction"),
        source=_SOURCES.get(str(source.get("type")), Source.UNKNOWN),
        author=named(source.get("user_name")) or named(source.get("user_id")) or "",
        id=f"ls:{own}" if own is not None else None,
        boolean=isinstance(score, bool),
        source_run=f"ls:{judge}" if judge is not None else None,
        created_at=to_us(value.get("created_at")),
    )


class _Run:
    """One run object; what an export holds as JSON text is decoded."""

    def __init__(self, value: Mapping[str, Any], *, patch: bool, project: str | None) -> None:
        self.value = {key: jsonx.unwrapped(sub) if key in _JSON_FIELDS else sub for key, sub in value.items()}
        self.patch = patch
        self.project = project
        self.extra = mapping(self.value.get("extra"))
        self.inputs = mapping(self.value.get("inputs"))
        self.outputs = mapping(self.value.get("outputs"))
        self.is_litellm = "litellm_call_id" in self.inputs
        # LiteLLM's `extra` is the metadata itself
        said = self.extra if self.is_litellm and "metadata" not in self.extra else self.extra.get("metadata")
        self.metadata = {key: sub for key, sub in mapping(said).items() if not key.startswith(_HIDDEN)}

    def record(self, trace: str | None, parent: str | None) -> RunRecord:
        """The record; `trace` and `parent` (with authority) are those of the run it is nested in."""
        value = self.value
        path = _SEGMENT.findall(named(value.get("dotted_order")) or "")
        own = str(named(value.get("id")))
        parent_id = named(value.get("parent_run_id")) or (path[-2] if len(path) > 1 else None)
        trace_id = named(value.get("trace_id")) or (path[0] if path else None)
        kind = named(value.get("run_type"))
        # an update may say nothing of where it belongs
        is_root = not parent_id and not self.patch and kind is not None
        usage = self._usage() if kind in _CALLS else Usage()
        cost = self._cost(usage) if kind in _CALLS else None
        started, ended = to_us(value.get("start_time")), to_us(value.get("end_time"))
        phase = self._phase(ended)
        return RunRecord(
            id=f"ls:{own}",
            trace=f"ls:{trace_id}" if trace_id else trace or (f"ls:{own}" if is_root else None),
            parent=f"ls:{parent_id}" if parent_id else parent,
            phase=phase,
            name=named(value.get("name")),
            kind=kind,
            status=Status.ERROR if value.get("status") == "error" else None,
            error=_text(value.get("error")) if value.get("error") not in (None, "") else None,
            session=self._session(),
            user=self._user(),
            project=self._project(),
            started_at=started,
            ended_at=ended,
            first_token_us=self._first_token(started),
            model=self._model() if kind in _CALLS else None,
            provider=named(self.metadata.get("ls_provider")) or named(self.inputs.get("custom_llm_provider")),
            response_id=named(self.outputs.get("id")) if kind == Kind.LLM and "choices" in self.outputs else None,
            cost=cost,
            cost_source=None if cost is None else "source",
            tags=tuple(tag for tag in _items(value.get("tags")) if isinstance(tag, str)),
            metadata=self.metadata,
            inputs=_said(value.get("inputs"), phase),
            outputs=_said(value.get("outputs"), phase),
            extra=self._rest(phase),
            **usage,
        )

    def _phase(self, ended: int | None) -> int:
        value = self.value
        over = ended is not None or value.get("error") or value.get("status") in ("success", "error")
        return Phase.ENDED if over else Phase.STARTED

    def _session(self) -> str | None:
        found = (named(self.metadata.get(key)) for key in _THREAD_KEYS)
        said = next((each for each in found if each is not None), None)
        if said is not None:
            return said
        top = named(self.value.get("session_id"))
        # the project's uuid, except from LiteLLM, which puts the thread there
        return top if top is not None and (self.is_litellm or not _UUID.fullmatch(top)) else None

    def _project(self) -> str | None:
        if self.project is not None:
            return self.project
        top = named(self.value.get("session_id"))
        return named(self.value.get("session_name")) or (top if top and _UUID.fullmatch(top) else None)

    def _user(self) -> str | None:
        said = (
            self.metadata.get("user_id"),
            self.metadata.get("user_api_key_end_user_id"),
            self.inputs.get("end_user"),
        )
        return next((found for each in said if (found := named(each)) is not None), None)

    def _model(self) -> str | None:
        params = mapping(self.extra.get("invocation_params")) or mapping(self.metadata.get("ls_invocation_params"))
        said = (
            self.metadata.get("ls_model_name"),
            params.get("model"),
            params.get("model_name"),
            self.inputs.get("model"),
            self.outputs.get("model"),
        )
        return next((found for each in said if (found := named(each)) is not None), None)

    def _usage_objects(self) -> Iterator[Any]:
        yield self.outputs.get("usage_metadata")
        yield self.metadata.get("usage_metadata")
        message = _last_message(self.outputs)
        yield message.get("usage_metadata")
        yield mapping(message.get("kwargs")).get("usage_metadata")
        for name in ("llm_output", "llmOutput"):
            output = mapping(self.outputs.get(name))
            yield output.get("token_usage")
            yield output.get("tokenUsage")
            yield output.get("usage")
        yield self.outputs.get("usage")
        yield {key: self.value.get(key) for key in ("prompt_tokens", "completion_tokens")}

    def _usage(self) -> Usage:
        found = [fields for each in self._usage_objects() if (fields := usage_fields(each))]
        said = found[0] if found else Usage()
        for other in found[1:]:  # details that the first leaves out
            if other.get("prompt_tokens") == said.get("prompt_tokens"):
                said = Usage(**{**other, **said})
        return said

    def _cost(self, usage: Usage) -> float | None:
        tokens = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
        for each in self._usage_objects():
            said = mapping(each)
            parts = [known_cost(said.get(name), 0) for name in ("input_cost", "output_cost")]
            total = known_cost(said.get("total_cost"), tokens)
            if total is None and any(parts):
                total = sum(part or 0.0 for part in parts)
            if total is not None:
                return total
        litellm = known_cost(self.inputs.get("response_cost"), tokens) if self.is_litellm else None
        return litellm if litellm is not None else known_cost(self.value.get("total_cost"), tokens)

    def _first_token(self, started: int | None) -> int | None:
        at = to_us(self.value.get("first_token_time"))
        if at is None:
            events = [mapping(event) for event in _items(self.value.get("events"))]
            times = [to_us(event.get("time")) for event in events if event.get("name") == "new_token"]
            at = next((each for each in times if each is not None), None)
        return at - started if at is not None and started is not None and at >= started else None

    def _rest(self, phase: int) -> dict[str, Any]:
        rest = {} if self.is_litellm else {key: sub for key, sub in self.extra.items() if key != "metadata"}
        rest |= {key: sub for key, sub in self.value.items() if key not in _MAPPED}
        return {key: sub for key, sub in rest.items() if _said(sub, Phase.STARTED) is not None}


def _last_message(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message of the first generation: where LangChain keeps the usage of a chat model."""
    found = outputs.get("generations")
    while isinstance(found, list):
        found = found[0] if found else None
    message = mapping(mapping(found).get("message"))
    return mapping(message.get("kwargs")) or message


def _said(value: Any, phase: int) -> Any:
    """The value; of a run that has only begun an empty object or list says nothing."""
    return None if phase < Phase.ENDED and isinstance(value, dict | list) and not value else value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else jsonx.dumps(value).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
