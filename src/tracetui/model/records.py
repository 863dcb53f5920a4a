"""What comes in: the records that importers and receivers hand to the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.model.kinds import Level, Phase, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as one message of its source says it. What is not said is `None` (or empty).

    Ids carry their authority (`otel:<trace>/<span>`, `ls:<uuid>`, `claude:<uuid>`, ...). Times are integer
    microseconds UTC, `first_token_us` is a duration. `prompt_tokens` includes cache reads and writes,
    `completion_tokens` includes reasoning. `inputs`, `outputs` and the values of `extra` are any JSON value and
    come back exactly; share Python objects between runs where the source repeats them (the message dicts of a
    growing history): the store encodes each object once. Records are never changed after they were made.
    """

    id: str
    trace: str | None = None
    """Id of the trace, with authority. `None`: found by the parent, else the run's own id."""
    parent: str | None = None
    phase: int = Phase.ENDED
    position: int | None = None
    """Order among siblings where the source has no times: its sequence number. `started_at` is used before it."""
    name: str | None = None
    trace_name: str | None = None
    """Name of the whole trace where the source says one; else the root's name is taken."""
    kind: str | None = None
    status: str | None = None
    """Only `error` or `abandoned` where the source says so without an error text; else derived."""
    error: str | None = None
    """First line: class and message of the error; a stack may follow on further lines."""
    session: str | None = None
    """The thread's id as the source names it (no authority)."""
    user: str | None = None
    project: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    first_token_us: int | None = None
    model: str | None = None
    provider: str | None = None
    response_id: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    """US dollars."""
    cost_source: str | None = None
    """`source` (the trace said it) or `genai-prices <version>` (estimated)."""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    inputs: Any = None
    outputs: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Everything else the source said (attributes, events, invocation parameters, tools)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackRecord:
    """One piece of feedback on a run, trace or thread.

    `id` is the source's own id (with authority) or `None`: then identity is one opinion per level, target, key,
    source and author (`model.ids.feedback_id`). `score` is a number (`true`/`false` are 1/0), `value` any other
    text. `trace` is the trace of a run target where the source knows it.
    """

    level: Level
    target: str
    key: str
    score: float | None = None
    value: str | None = None
    comment: str | None = None
    correction: Any = None
    source: str = Source.UNKNOWN
    author: str = ""
    id: str | None = None
    project: str = ""
    """Only for thread targets: a thread's id is unique within its project."""
    trace: str | None = None
    version: int | None = None
    evidence: Mapping[str, Any] | None = None
    """Where it stands: `{"text": ..., "start": ..., "end": ...}` of a rule's first match."""
    source_run: str | None = None
    boolean: bool = False
    """The score was given as true/false: a key first seen so becomes a boolean one."""
    created_at: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that came in together (a file, a trace of it, or one HTTP body). Order does not matter."""

    runs: tuple[RunRecord, ...] = ()
    feedback: tuple[FeedbackRecord, ...] = ()


@dataclass(slots=True)
class Counts:
    """How much of what came in was new."""

    threads: int = 0
    traces: int = 0
    runs: int = 0
    feedback: int = 0
    unchanged: int = 0
    """Run records that changed nothing."""

    def add(self, other: Counts) -> None:
        """Add another count to this one."""
        self.threads += other.threads
        self.traces += other.traces
        self.runs += other.runs
        self.feedback += other.feedback
        self.unchanged += other.unchanged
