"""Which tool call started which subagent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.claude import records
from tracetui.ingest.claude.records import Record, Sort
from tracetui.ingest.claude.sessions import Session

STARTERS = frozenset(("Agent", "Task"))
_AGENT_ID = re.compile(r"\bagentId: ([A-Za-z0-9_-]+)")


@dataclass(slots=True, eq=False)
class Use:
    """One tool call: the block that asks for it, and what came of it."""

    id: str
    block: dict[str, Any]
    """Empty where only the result is known."""
    asked: Record | None
    answered: Record | None = None
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The tool's name."""
        return records.string(self.block.get("name"))

    @property
    def input(self) -> dict[str, Any]:
        """The arguments, where they are an object."""
        given = self.block.get("input")
        return given if isinstance(given, dict) else {}

    @property
    def record(self) -> Record:
        """The record in which it stands."""
        found = self.asked or self.answered
        assert found is not None
        return found


def uses_of(session: Session) -> dict[str, Use]:
    """All tool calls of a session by their id, in their order; results without their call as well."""
    uses: dict[str, Use] = {}
    for record in session.records:
        if record.sort is Sort.ASSISTANT:
            for block in record.blocks:
                name = records.string(block.get("id"))
                if block.get("type") in records.TOOL_USES and name:
                    uses.setdefault(name, Use(name, block, record))
    for record in session.records:
        for name, block in records.results(record):
            use = uses.setdefault(name, Use(name, {}, None))
            use.answered, use.result = record, block
    return uses


def agents_of(session: Session) -> dict[str, list[Record]]:
    """The records of each subagent."""
    found: dict[str, list[Record]] = {}
    for record in session.records:
        if record.agent is not None:
            found.setdefault(record.agent, []).append(record)
    return found


def starters(session: Session, uses: dict[str, Use]) -> dict[str, str]:
    """By subagent: the id of the tool call that started it, as far as anything says so."""
    found: dict[str, str] = {}
    agents = agents_of(session)
    said = _said_by_results(uses)
    for agent in agents:
        meta = records.string(session.agents.get(agent, {}).get("toolUseId"))
        use = meta or said.get(agent)
        if use is not None:
            found[agent] = use
    for agent, conversation in agents.items():
        if agent not in found and (match := _by_content(conversation[0], uses, set(found.values()))):
            found[agent] = match
    return found


def _said_by_results(uses: dict[str, Use]) -> dict[str, str]:
    found: dict[str, str] = {}
    for use in uses.values():
        if use.name not in STARTERS or use.answered is None:
            continue
        structured = use.answered.raw.get("toolUseResult")
        agent = records.string(structured.get("agentId")) if isinstance(structured, dict) else None
        if agent is None:
            text = "\n".join(records.text_of(block) for block in records.blocks_of(use.result.get("content")))
            match = _AGENT_ID.search(text)
            agent = match[1] if match else None
        if agent is not None:
            found.setdefault(agent, use.id)
    return found


def _by_content(first: Record, uses: dict[str, Use], taken: set[str]) -> str | None:
    """For transcripts that do not say it: the call above it in the chain, or with the same prompt, or the one open."""
    free = [use for use in uses.values() if use.name in STARTERS and use.id not in taken and use.asked is not None]
    free = [use for use in free if use.asked is not None and use.asked.agent != first.agent]
    above = first.parent
    if above is not None and above.sort is Sort.ASSISTANT:
        for use in free:
            if use.asked is above:
                return use.id
    for use in free:
        if first.text and use.input.get("prompt") == first.text:
            return use.id
    open_then = [use for use in free if _was_open(use, first)]
    return open_then[-1].id if open_then else None


def _was_open(use: Use, record: Record) -> bool:
    if use.asked is None or use.asked.at is None or record.at is None or use.asked.at > record.at:
        return False
    return use.answered is None or use.answered.at is None or use.answered.at >= record.at
