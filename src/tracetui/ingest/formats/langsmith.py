"""LangSmith: runs as JSON or JSON lines, lists and `{"runs": ...}`, batch bodies, feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.jsonlines import Line, json_lines
from tracetui.ingest.langsmith_runs import feedback_record, is_feedback, is_run, run_records, stats_feedback
from tracetui.ingest.split import records
from tracetui.model.records import Batch, FeedbackRecord, RunRecord

NAME = "langsmith"
DESCRIPTION = "LangSmith runs: exports, JSON lines, {post, patch} bodies, feedback"

_LISTS = ("post", "patch", "runs", "feedback")
"""The keys of a body or an export under which runs and feedback stand."""
_RUN_KEYS = {
    "run_type",
    "trace_id",
    "dotted_order",
    "parent_run_id",
    "start_time",
    "end_time",
    "session_name",
    "inputs",
}
_MAX_BATCH = 200


def sniff(doc: Document) -> bool:
    """Run or feedback objects, bare, in lists, or under the keys of a body."""
    for value in doc.glimpse:
        items = value if isinstance(value, list) else [value]
        if any(is_run(item) or is_feedback(item) or _is_body(item) for item in items[:5]):
            return True
    return _begins_with_a_long_run(doc)


def _is_body(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    lists = [value[key] for key in _LISTS if isinstance(value.get(key), list)]
    return any(items and (_is_part_of_run(items[0]) or is_feedback(items[0])) for items in lists)


def _is_part_of_run(value: Any) -> bool:
    """A run, one that only updates, or the beginning of one that is longer than the head."""
    return isinstance(value, Mapping) and "id" in value and bool(_RUN_KEYS & value.keys())


def _begins_with_a_long_run(doc: Document) -> bool:
    """Whether the first line is a run that shows what it is only behind the head."""
    shown = doc.glimpse[0] if len(doc.glimpse) == 1 else None
    if not _is_part_of_run(shown) or not doc.is_lines():
        return False
    first = next(iter(json_lines(doc)), None)
    return isinstance(first, Line) and is_run(first.value)


def read(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """Runs and feedback in batches of a bounded size."""
    runs: list[RunRecord] = []
    feedback: list[FeedbackRecord] = []
    for record in records(doc, "run", _LISTS):
        if isinstance(record, Refusal):
            yield record
            continue
        value = record.value
        said = feedback_record(value) if is_feedback(value) else None
        if said is not None:
            feedback.append(said)
        elif isinstance(value, Mapping) and (is_run(value) or (record.key == "patch" and "id" in value)):
            runs += run_records(value, patch=record.key == "patch", project=options.project)
            feedback += stats_feedback(value)
        else:
            yield Refusal(doc.path, record.place, "neither a run nor feedback")
        if len(runs) + len(feedback) >= _MAX_BATCH:
            yield Batch(tuple(runs), tuple(feedback))
            runs, feedback = [], []
    if runs or feedback:
        yield Batch(tuple(runs), tuple(feedback))
