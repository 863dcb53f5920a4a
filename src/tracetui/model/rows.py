"""What goes out: frozen rows that cross threads on their way to a screen or a printer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.model.kinds import Level


@dataclass(frozen=True, slots=True)
class FeedbackCell:
    """What is said about a row under one key, summed up for display."""

    key: str
    n: int
    mean: float | None
    min: float | None
    max: float | None
    values: Mapping[str, int]
    """Label -> how often."""
    sources: str
    """Letters of the sources, in the order of `SOURCE_LETTER`."""
    disagree: bool
    """Two sources say different things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the tree: a thread, a trace or a run. Times in integer microseconds UTC."""

    level: Level
    pk: int
    id: str
    name: str
    kind: str | None = None
    status: str | None = None
    error: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    sort_at: int = 0
    trace_pk: int | None = None
    """For runs."""
    thread_pk: int | None = None
    """For traces."""
    parent_pk: int | None = None
    """For runs."""
    implicit: bool = False
    """A thread made for one trace that has no session."""
    trace_count: int = 0
    run_count: int = 0
    error_count: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    child_count: int = 0
    """Traces of a thread, root runs of a trace, children of a run."""
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cost: float | None = None
    feedback: tuple[FeedbackCell, ...] = ()
    input_preview: str | None = None
    output_preview: str | None = None
    project: str | None = None
    rev: int = 0

    @property
    def latency_us(self) -> int | None:
        """End minus start, where both are known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRow:
    """One stored piece of feedback."""

    pk: int
    id: str
    level: Level
    target_pk: int
    target_id: str
    key: str
    score: float | None
    value: str | None
    comment: str | None
    correction: Any
    source: str
    author: str
    version: int | None
    evidence: Mapping[str, Any] | None
    superseded: bool
    created_at: int
    modified_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackKey:
    """A feedback key with its type: what may be said under it, and which way is better."""

    key: str
    type: str
    min: float | None = None
    max: float | None = None
    categories: tuple[Category, ...] = ()
    lower_is_better: bool = False
    keystroke: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """One allowed value of a categorical key."""

    value: str
    score: float | None = None
    keystroke: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """Everything the store knows of one run. `inputs`, `outputs`, `extra` are the JSON values that came in."""

    row: Row
    trace_id: str
    thread_id: str | None
    """`None` for an implicit thread."""
    parent_id: str | None
    session: str | None
    user: str | None
    provider: str | None
    response_id: str | None
    first_token_us: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_source: str | None
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    inputs: Any
    outputs: Any
    extra: Mapping[str, Any]
    feedback: tuple[FeedbackRow, ...] = ()
    path: tuple[Row, ...] = field(default=())
    """The runs above it, root first."""
