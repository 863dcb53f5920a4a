"""What the person did, as feedback: interruptions and refused tool calls (source `outcome`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracetui.ingest.claude import records
from tracetui.ingest.claude.places import Places
from tracetui.ingest.claude.records import Record
from tracetui.model.kinds import Level, Source
from tracetui.model.records import FeedbackRecord

INTERRUPTED = "interrupted"
REJECTED = "tool_rejected"
_REFUSALS = (
    "The user doesn't want to proceed with this tool use.",
    "The user doesn't want to take this action right now.",
    "Permission for this tool use was denied. The tool use was rejected",
    "The agent proposed a plan that was rejected by the user.",
    "User rejected tool use",
)
_REASON = "the user said:"


def feedback_of(record: Record, places: Places) -> Iterator[FeedbackRecord]:
    """The feedback in a record: on the turn (or the subagent) it interrupts, on the tool calls it refuses."""
    trace = places.trace_of(record)
    for use, block in records.results(record):
        refused, reason = _refusal(record, block)
        if refused:
            yield FeedbackRecord(
                level=Level.RUN, target=places.run_id(use), trace=trace, key=REJECTED, score=1.0, boolean=True,
                comment=reason, source=Source.OUTCOME, id=f"{places.run_id(use)}/{REJECTED}", created_at=record.at,
            )  # fmt: skip
    if not records.interrupts(record):
        return
    on_agent = record.agent is not None or trace is None
    target = places.parent_of(record) if on_agent else trace
    if target is not None:
        yield FeedbackRecord(
            level=Level.RUN if on_agent else Level.TRACE, target=target, trace=trace if on_agent else None,
            key=INTERRUPTED, score=1.0, boolean=True, source=Source.OUTCOME,
            id=f"{places.run_id(record.uuid)}/{INTERRUPTED}", created_at=record.at,
        )  # fmt: skip


def _refusal(record: Record, block: dict[str, Any]) -> tuple[bool, str | None]:
    """Whether the person refused the call, and what they said to that."""
    if block.get("is_error") is not True:
        return False, None
    text = "\n".join(records.text_of(part) for part in records.blocks_of(block.get("content"))).strip()
    short = record.raw.get("toolUseResult")
    if not text.startswith(_REFUSALS) and not (isinstance(short, str) and short.startswith("User rejected")):
        return False, None
    _, found, reason = text.partition(_REASON)
    return True, reason.strip() if found and reason.strip() else None
