"""Run records and feedback of a session.

thread = session; trace = turn of the person (root run `turn`); under it one `llm` run for each answer and one `tool`
run for each tool call; a subagent is an `agent` run under the call that started it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.claude import records
from tracetui.ingest.claude.outcomes import feedback_of
from tracetui.ingest.claude.places import Places
from tracetui.ingest.claude.records import Record, Sort
from tracetui.ingest.claude.sessions import Session
from tracetui.ingest.claude.subagents import Use
from tracetui.ingest.claude.survey import answer_rank
from tracetui.ingest.claude.titles import title_of
from tracetui.ingest.claude.turns import Call, Messages, Turn
from tracetui.ingest.claude.usage import dollars, tokens
from tracetui.model.kinds import Kind, Phase, Status
from tracetui.model.records import Batch, FeedbackRecord, RunRecord

_BATCH = 1_000_000
"""Messages (each time they are given) after which a batch is handed over."""
_ABOUT = ("cwd", "gitBranch", "version", "entrypoint", "userType", "permissionMode", "slug", "teamName")


@dataclass(slots=True)
class _Pile:
    """What is to be handed over next."""

    runs: list[RunRecord] = field(default_factory=list)
    feedback: list[FeedbackRecord] = field(default_factory=list)
    weight: int = 0

    def batch(self) -> Batch:
        made = Batch(tuple(self.runs), tuple(self.feedback))
        self.runs, self.feedback, self.weight = [], [], 0
        return made


class SessionRuns:
    """The records of one session. What stands in a file is handed over when that file is read."""

    def __init__(
        self, session: Session, best_answer: Callable[[str], tuple[int, int] | None], project: str | None
    ) -> None:
        self._session = session
        self._best_answer = best_answer
        self._project = project
        self.places = Places(session)
        self._messages: dict[str | None, Messages] = {}

    def batches(self, file: str) -> Iterator[Batch]:
        """The records that stand in a file, turn by turn."""
        pile = _Pile()
        for unit in self.places.units():
            for turn in unit.turns:
                if file in turn.first.files:
                    pile.runs.append(self._turn(turn, unit.calls))
            for agent in unit.agents:
                if any(file in record.files for record in self.places.agents[agent]):
                    pile.runs.append(self._agent(agent))
            for call in unit.calls:
                if any(file in record.files for record in call.records):
                    run = self._call(call)
                    pile.runs.append(run)
                    pile.weight += len(run.inputs["messages"])
            for use in unit.uses:
                if any(file in record.files for record in (use.asked, use.answered) if record is not None):
                    pile.runs.append(self._use(use))
            for record in unit.records:
                if file in record.files:
                    pile.feedback += feedback_of(record, self.places)
            if pile.weight > _BATCH:
                yield pile.batch()
        if pile.runs or pile.feedback:
            yield pile.batch()

    def _turn(self, turn: Turn, calls: Sequence[Call]) -> RunRecord:
        own = [call for call in calls if call.first.turn is turn and call.first.agent is None]
        until = own[0].first.order if own else len(self._session.records)
        asked = [record.message for record in turn.records if _asks(record) and record.order < until]
        times = [record.at for record in turn.records if record.at is not None and record.sort is not Sort.EVENT]
        start = (turn.prompt or turn.first).at or turn.first.at
        prompt = turn.prompt or turn.first
        metadata = {key: prompt.raw[key] for key in _ABOUT if prompt.raw.get(key) not in (None, "")}
        metadata |= self._names(turn)
        events = [_event(record) for record in self.places.events(turn)]
        return RunRecord(
            id=self.places.root_id(turn),
            trace=self.places.trace_id(turn),
            position=turn.first.order,
            name="turn",
            trace_name=title_of(prompt) or None,
            kind=Kind.AGENT,
            error=_api_error(own[-1]) if own else None,
            session=self._session.id,
            project=self._project,
            started_at=start,
            ended_at=max([*times, start], default=None) if start is not None else None,
            metadata=metadata,
            inputs={"messages": asked} if asked else None,
            outputs=own[-1].message if own else None,
            extra=_extra(prompt) | ({"events": events} if events else {}),
        )

    def _names(self, turn: Turn) -> dict[str, str]:
        """What the session was called, on its first turn; what a part of it was called, where that ends."""
        found: dict[str, str] = {}
        if self._session.titles and turn is self.places.turns[0]:
            found["title"] = self._session.titles[-1]
        for record in turn.records:
            if record.uuid in self._session.summaries:
                found["summary"] = self._session.summaries[record.uuid]
        return found

    def _agent(self, agent: str) -> RunRecord:
        conversation = self.places.agents[agent]
        start = self.places.starters.get(agent)
        use = self.places.uses.get(start) if start is not None else None
        meta = self._session.agents.get(agent, {})
        calls = self.places.calls_in(agent)
        until = calls[0].first.order if calls else conversation[-1].order + 1
        asked = [record.message for record in conversation if _asks(record) and record.order < until]
        times = [record.at for record in conversation if record.at is not None]
        kind = records.string(meta.get("agentType")) or (
            records.string(use.input.get("subagent_type")) if use else None
        )
        events = [_event(record) for record in conversation if record.sort is Sort.EVENT]
        return RunRecord(
            id=self.places.agent_id(agent),
            trace=self.places.trace_of_agent(agent),
            parent=self.places.parent_of_agent(agent),
            position=conversation[0].order,
            name=kind or "subagent",
            trace_name=None if start is not None else title_of(conversation[0]) or None,
            kind=Kind.AGENT,
            error=_api_error(calls[-1]) if calls else None,
            session=self._session.id,
            project=self._project,
            started_at=min(times, default=None),
            ended_at=max(times, default=None),
            metadata={key: conversation[0].raw[key] for key in _ABOUT if conversation[0].raw.get(key)},
            inputs={"messages": asked} if asked else None,
            outputs=calls[-1].message if calls else None,
            extra={"agentId": agent, **meta} | ({"events": events} if events else {}),
        )

    def _call(self, call: Call) -> RunRecord:
        given = self._messages.setdefault(call.first.agent, Messages()).up_to(call.given)
        last = call.records[-1]
        model = records.string(last.message.get("model"))
        start = call.first.parent.at if call.first.parent is not None else None
        if start is None or (call.first.at is not None and start > call.first.at):
            start = call.first.at
        counted = self._counted(call)
        cost = dollars(counted)
        said = {key: value for key, value in last.message.items() if key not in ("role", "content")}
        return RunRecord(
            id=self.places.run_id(call.id),
            trace=self.places.trace_of(call.first),
            parent=self.places.parent_of(call.first),
            position=call.first.order,
            name=model or "llm",
            kind=Kind.LLM,
            error=_api_error(call),
            session=self._session.id,
            project=self._project,
            started_at=start,
            ended_at=last.at if last.at is not None else call.first.at,
            model=model,
            provider="anthropic" if model and not model.startswith("<") else None,
            response_id=records.string(last.message.get("id")),
            inputs={"messages": given},
            outputs=call.message,
            extra={"message": said, "uuids": [record.uuid for record in call.records], **_extra(last)},
            cost=cost,
            cost_source="source" if cost is not None else None,
            **tokens(counted),
        )

    def _counted(self, call: Call) -> Record | None:
        """The record whose usage counts: the last of the answer, unless the same answer counts in another place."""
        last_lines = {record.file: record for record in call.records if isinstance(record.message.get("usage"), dict)}
        ranked = {answer_rank(record.at or 0, record.uuid): record for record in last_lines.values()}
        if not ranked:
            return None
        rank = max(ranked)
        best = self._best_answer(records.string(call.last.message.get("id")) or "")
        return ranked[rank] if best is None or best == rank else None

    def _use(self, use: Use) -> RunRecord:
        answered = use.answered
        failed = use.result.get("is_error") is True
        text = "\n".join(records.text_of(block) for block in records.blocks_of(use.result.get("content")))
        gone_on = answered is None and self.places.goes_on_after(use.record)
        extra: dict[str, Any] = {key: value for key, value in use.block.items() if key not in _BLOCK}
        if answered is not None:
            extra |= {key: answered.raw[key] for key in ("toolUseResult",) if key in answered.raw}
            extra |= _extra(answered)
        return RunRecord(
            id=self.places.run_id(use.id),
            trace=self.places.trace_of(use.record),
            parent=self.places.parent_of(use.record),
            phase=Phase.ENDED if answered is not None or gone_on else Phase.STARTED,
            position=use.record.order,
            name=use.name,
            kind=Kind.TOOL,
            status=Status.ABANDONED if gone_on else None,
            error=(text or "the tool failed") if failed else None,
            session=self._session.id,
            project=self._project,
            started_at=use.asked.at if use.asked is not None else None,
            ended_at=answered.at if answered is not None else None,
            inputs=use.block.get("input"),
            outputs=use.result.get("content"),
            extra=extra,
        )


_BLOCK = frozenset(("type", "id", "name", "input"))


def _asks(record: Record) -> bool:
    return record.sort in records.SPOKEN and record.sort is not Sort.RESULT


def _extra(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.more().items() if key not in _ABOUT}


def _event(record: Record) -> dict[str, Any]:
    kept = ("type", "timestamp", "uuid")
    return {key: record.raw[key] for key in kept if key in record.raw} | record.more()


def _api_error(call: Call) -> str | None:
    """The text of an answer that is none: the program puts the failure of the request in its place."""
    if call.last.raw.get("isApiErrorMessage") is not True:
        return None
    return "\n".join(record.text for record in call.records) or "the request failed"
