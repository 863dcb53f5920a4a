"""What every record gets on its way into a store, wherever it came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from tracetui.model.kinds import Kind, Level
from tracetui.model.prices import estimate
from tracetui.model.records import Batch, FeedbackRecord, RunRecord

_PRICED = (Kind.LLM, Kind.EMBEDDING)
_RUN_TEXTS = ("id", "trace", "parent", "name", "trace_name", "kind", "error", "session", "user", "project", "model",
              "provider", "response_id")  # fmt: skip
_FEEDBACK_TEXTS = ("target", "key", "value", "comment", "author", "id", "project", "trace", "source_run")

_Record = TypeVar("_Record", RunRecord, FeedbackRecord)


def finished(batch: Batch, project: str | None = None) -> Batch:
    """The batch with the project that the person named, with estimated costs where the source says none, and
    with texts that a store can hold and find again: a lone surrogate or a NUL in an id or a name becomes U+FFFD
    (in inputs and outputs they stay).
    """
    return Batch(
        tuple(_encodable(_priced(_placed(run, project)), _RUN_TEXTS) for run in batch.runs),
        tuple(_encodable(_of_project(said, project), _FEEDBACK_TEXTS) for said in batch.feedback),
    )


def _placed(run: RunRecord, project: str | None) -> RunRecord:
    return run if project is None or run.project == project else replace(run, project=project)


def _of_project(said: FeedbackRecord, project: str | None) -> FeedbackRecord:
    if project is None or said.level != Level.THREAD or said.project:
        return said
    return replace(said, project=project)


def _priced(run: RunRecord) -> RunRecord:
    if run.kind not in _PRICED or run.cost is not None or not run.model:
        return run
    found = estimate(
        run.model,
        run.provider,
        run.started_at,
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
        cache_read_tokens=run.cache_read_tokens,
        cache_write_tokens=run.cache_write_tokens,
    )
    return run if found is None else replace(run, cost=found[0], cost_source=found[1])


def _encodable(record: _Record, names: tuple[str, ...]) -> _Record:
    changes: dict[str, Any] = {}
    for name in names:
        text = getattr(record, name)
        if isinstance(text, str) and (not text.isascii() or "\0" in text):
            # SQLite's JSON and text functions end a text at its first NUL
            clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")
            if clean != text:
                changes[name] = clean
    return replace(record, **changes) if changes else record
