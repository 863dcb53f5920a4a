"""What the detail pane shows of a row, read in one go off the screen's loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tracetui.model.chat import Message, Role, ToolCall
from tracetui.model.errors import InputError
from tracetui.model.kinds import Kind, Level, Status
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.novelty import NewInCall
from tracetui.model.rows import FeedbackKey, FeedbackRow, Row, RunDetail
from tracetui.tui.detail.chat import Result, Said
from tracetui.tui.detail.pairing import result, result_of, results_of

if TYPE_CHECKING:
    from tracetui.store.conversation import ToolRun
    from tracetui.store.reading import Reader

ERRORS = 200
"""Failed runs of a trace or thread that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A row with all that its tabs need."""

    row: Row
    run: RunDetail | None = None
    """The run itself; of a trace its root run, of a thread nothing."""
    trace: Row | None = None
    thread: Row | None = None
    step: tuple[int, int] | None = None
    """Number among the steps of the trace, and how many there are."""
    given: tuple[Said, ...] = ()
    answered: tuple[Said, ...] = ()
    fresh: frozenset[int] = frozenset()
    """Indexes of what is new in `given`."""
    feedback: tuple[tuple[str, tuple[FeedbackRow, ...]], ...] = ()
    """Feedback by where it is said: here, on the trace, on the thread, below."""
    failed: tuple[Row, ...] = field(default=())
    """Failed runs inside a trace or thread."""
    children: tuple[Row, ...] = ()
    """Traces of a thread."""
    keys: Mapping[str, FeedbackKey] = field(default_factory=dict)
    """The feedback keys of the store."""

    @property
    def level(self) -> Level:
        """Of the row."""
        return self.row.level

    @property
    def is_call(self) -> bool:
        """Whether it is a call of a model, with messages to show."""
        return self.level == Level.RUN and self.row.kind == Kind.LLM and bool(self.given or self.answered)


def load(reader: Reader, level: Level, pk: int) -> Loaded:
    """Everything about a row. Raises `InputError` where it is gone, and `StoreError` as the reader does."""
    keys = {key.key: key for key in reader.feedback_keys()}
    if level == Level.RUN:
        return replace(_run(reader, pk), keys=keys)
    row = reader.rows(level, [pk]).get(pk)
    if row is None:
        raise InputError("Gone", f"This {level.value} is no longer in the store.", "Reload the list.")
    return replace(_trace(reader, row) if level == Level.TRACE else _thread(reader, row), keys=keys)


def _run(reader: Reader, pk: int) -> Loaded:
    run = reader.run(pk)
    trace_pk = run.row.trace_pk
    trace = None if trace_pk is None else reader.rows(Level.TRACE, [trace_pk]).get(trace_pk)
    above: list[tuple[str, tuple[FeedbackRow, ...]]] = [("here", run.feedback)]
    if trace is not None:
        above.append(("on the trace", reader.feedback(Level.TRACE, trace.pk)))
        if trace.thread_pk is not None:
            above.append(("on the thread", reader.feedback(Level.THREAD, trace.thread_pk)))
    talk = reader.conversations
    new = talk.new_in(pk) if run.row.kind == Kind.LLM else None
    after = talk.tools_after(pk) if run.row.kind == Kind.LLM else ()
    before = talk.tools_after(new.predecessor) if new is not None and isinstance(new.predecessor, int) else ()
    return assemble(
        run, new, before=before, after=after, trace=trace, step=talk.step(pk), feedback=tuple(above)
    )  # fmt: skip


def assemble(
    run: RunDetail,
    new: NewInCall | None,
    *,
    before: Sequence[ToolRun] = (),
    after: Sequence[ToolRun] = (),
    trace: Row | None = None,
    step: tuple[int, int] | None = None,
    feedback: tuple[tuple[str, tuple[FeedbackRow, ...]], ...] = (),
) -> Loaded:
    """A run with its messages, each tool call beside its result.

    `before` are the tool runs that ended in what is new, `after` those that the answer asked for.
    """
    chats = run.row.kind in (Kind.LLM, Kind.AGENT, Kind.CHAIN, Kind.PROMPT)
    given = new.inputs if new is not None else tuple(input_messages(run.inputs)) if chats else ()
    answers = output_messages(run.outputs) if chats else []
    fresh = frozenset(new.fresh) if new is not None else frozenset(range(len(given)))
    return Loaded(
        row=run.row,
        run=run,
        trace=trace,
        step=step,
        given=tuple(_given(run, given, fresh, before)),
        answered=tuple(_answered(run, answers, len(given), after)),
        fresh=fresh,
        feedback=feedback or (("here", run.feedback),),
    )


def _given(run: RunDetail, messages: Sequence[Message], fresh: frozenset[int], before: Sequence[ToolRun]) -> list[Said]:
    calls: dict[str, ToolCall] = {}
    unnamed: list[ToolCall] = []
    out: list[Said] = []
    for number, message in enumerate(messages):
        for call in message.tool_calls:
            if call.id is None:
                unnamed.append(call)
            else:
                calls[call.id] = call
        at_us = run.row.started_at if number in fresh and message.role is Role.USER else None
        call_of: ToolCall | None = None
        latency = None
        if message.role is Role.TOOL:
            if message.tool_call_id is not None:
                call_of = calls.get(message.tool_call_id)
            elif unnamed:
                call_of = unnamed.pop(0)
            if call_of is not None and number in fresh:
                found = result_of(call_of, before)
                latency = None if found is None else found.latency_us
        out.append(Said(message, number, at_us=at_us, call=call_of, latency_us=latency))
    return out


def _answered(run: RunDetail, messages: Sequence[Message], start: int, after: Sequence[ToolRun]) -> list[Said]:
    at_us = run.row.ended_at if run.row.ended_at is not None else run.row.started_at
    own = {message.tool_call_id: message for message in messages if message.role is Role.TOOL}
    out: list[Said] = []
    for number, message in enumerate(messages):
        if message.role is Role.TOOL and message.tool_call_id is not None:
            continue  # beside its call
        results: dict[int, Result] = {}
        for place, call in enumerate(message.tool_calls):
            answer = own.get(call.id) if call.id is not None else None
            if answer is not None:
                results[place] = Result("" if answer.error else answer.text, answer.text if answer.error else None)
        results |= results_of(message, after, skip=set(results))
        out.append(Said(message, start + number, at_us=at_us, results=results))
    if out and not any(said.message.tool_calls for said in out):
        did = tuple((ToolCall(run.name, run.inputs), result(run)) for run in after if run.sibling)
        out[-1] = replace(out[-1], did=did)
    return out


def _trace(reader: Reader, row: Row) -> Loaded:
    root = next(iter(reader.keys(Level.RUN, parent=row.pk, limit=1).pks), None)
    failed = [run for run in reader.runs_of(row.pk) if run.status == Status.ERROR] if row.error_count else []
    sections = [
        ("here", reader.feedback(Level.TRACE, row.pk)),
        ("below", reader.feedback(Level.TRACE, row.pk, below=True)),
    ]
    if row.thread_pk is not None:
        sections.insert(1, ("on the thread", reader.feedback(Level.THREAD, row.thread_pk)))
    thread = None if row.thread_pk is None else reader.rows(Level.THREAD, [row.thread_pk]).get(row.thread_pk)
    run = None if root is None else reader.run(root)
    return Loaded(
        row=row,
        run=run,
        thread=thread,
        given=_last(input_messages(run.inputs), Role.USER, 0) if run is not None else (),
        answered=_last(output_messages(run.outputs), Role.ASSISTANT, 1) if run is not None else (),
        feedback=_apart(sections),
        failed=tuple(failed[:ERRORS]),
    )


def _last(messages: Sequence[Message], role: Role, key: int) -> tuple[Said, ...]:
    """The last thing that someone said."""
    found = next((message for message in reversed(messages) if message.role is role and message.text), None)
    return () if found is None else (Said(found, key),)


def _thread(reader: Reader, row: Row) -> Loaded:
    pks = reader.keys(Level.TRACE, parent=row.pk, limit=ERRORS).pks
    rows = reader.rows(Level.TRACE, pks)
    sections = [
        ("here", reader.feedback(Level.THREAD, row.pk)),
        ("below", reader.feedback(Level.THREAD, row.pk, below=True)),
    ]
    children = tuple(rows[pk] for pk in pks if pk in rows)
    return Loaded(row=row, feedback=_apart(sections), children=children)


def _apart(
    sections: Sequence[tuple[str, tuple[FeedbackRow, ...]]],
) -> tuple[tuple[str, tuple[FeedbackRow, ...]], ...]:
    """Sections in which no row stands that stood in one before."""
    seen: set[int] = set()
    out = []
    for title, rows in sections:
        out.append((title, tuple(row for row in rows if row.pk not in seen)))
        seen.update(row.pk for row in rows)
    return tuple(out)
