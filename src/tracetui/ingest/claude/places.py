"""Where everything of a session belongs: ids, traces and parents."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tracetui.ingest.claude.records import Record, Sort
from tracetui.ingest.claude.sessions import Session
from tracetui.ingest.claude.subagents import Use, agents_of, starters, uses_of
from tracetui.ingest.claude.turns import Call, Turn, calls_of, give, turns_of


@dataclass(slots=True)
class Unit:
    """What belongs to one trace."""

    turns: list[Turn] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


class Places:
    """The turns, calls, tool calls and subagents of a session, and the place of each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.agents = agents_of(session)
        self.uses = uses_of(session)
        self.starters = starters(session, self.uses)
        main = session.conversation(None)
        self.turns = turns_of(main)
        if not self.turns and any(record.sort is Sort.EVENT for record in main):
            self.turns = [Turn(main[0])]  # nothing was asked, but something is known
        self._calls: dict[str | None, list[Call]] = {}
        conversations: list[tuple[str | None, list[Record]]] = [(None, main), *self.agents.items()]
        for agent, conversation in conversations:
            self._calls[agent] = calls_of(conversation)
            give(conversation, self._calls[agent])
        self._last: dict[str | None, int] = {}
        for record in session.records:
            if record.sort is Sort.ASSISTANT or record.sort is Sort.PROMPT:
                self._last[record.agent] = record.order
        self._firsts = [turn.first.order for turn in self.turns]
        self._loose: dict[int, list[Record]] = defaultdict(list)
        for record in main:
            if record.sort is Sort.EVENT and record.turn is None:
                self._loose[id(self._next_turn(record))].append(record)

    def calls_in(self, agent: str | None) -> list[Call]:
        """The calls of the main conversation or of a subagent."""
        return self._calls[agent]

    def units(self) -> Iterator[Unit]:
        """Everything, trace by trace, in the order in which they begin."""
        units: dict[str, Unit] = {}
        for turn in self.turns:
            units.setdefault(self.trace_id(turn), Unit()).turns.append(turn)

        def unit(trace: str | None, agent: str | None) -> Unit:
            return units.setdefault(trace or self.agent_id(agent or ""), Unit())

        for agent in self.agents:
            unit(self.trace_of_agent(agent), agent).agents.append(agent)
        for calls in self._calls.values():
            for call in calls:
                unit(self.trace_of(call.first), call.first.agent).calls.append(call)
        for use in self.uses.values():
            unit(self.trace_of(use.record), use.record.agent).uses.append(use)
        for record in self._session.records:
            if record.sort is Sort.RESULT or record.sort is Sort.INTERRUPT:
                unit(self.trace_of(record), record.agent).records.append(record)
        yield from units.values()

    def run_id(self, name: str) -> str:
        """The id of what has the given name in this session."""
        return f"claude:{self._session.id}/{name}"

    def trace_id(self, turn: Turn) -> str:
        """The id of a turn's trace: its first record."""
        return self.run_id(turn.first.uuid)

    def root_id(self, turn: Turn) -> str:
        """The id of a turn's root run."""
        return f"{self.trace_id(turn)}/turn"

    def agent_id(self, agent: str) -> str:
        """The id of a subagent's run."""
        return self.run_id(f"agent-{agent}")

    def trace_of(self, record: Record) -> str | None:
        """The trace of a record; `None`: that of the run it hangs on."""
        if record.agent is not None:
            return self.trace_of_agent(record.agent)
        return self.trace_id(self.turn_of(record))

    def parent_of(self, record: Record) -> str:
        """The run under which the runs of a record stand."""
        if record.agent is not None:
            return self.agent_id(record.agent)
        return self.root_id(self.turn_of(record))

    def turn_of(self, record: Record) -> Turn:
        """The turn of a record of the main conversation."""
        turn: Turn | None = record.turn
        return turn or self._next_turn(record)

    def trace_of_agent(self, agent: str) -> str | None:
        """The trace in which a subagent worked; `None`: the one of the run it hangs on, else its own."""
        seen = {agent}
        here: str | None = agent
        while here is not None:
            start = self.starters.get(here)
            if start is None:
                turn = self._turn_at(self.agents[here][0])
                return self.trace_id(turn) if turn is not None else None
            use = self.uses.get(start)
            if use is None:
                return None
            if use.record.agent is None:
                return self.trace_id(self.turn_of(use.record))
            here = use.record.agent
            if here in seen:
                return None
            seen.add(here)
        return None

    def parent_of_agent(self, agent: str) -> str | None:
        """The run under which a subagent worked: the tool call that started it, else the turn at that time."""
        start = self.starters.get(agent)
        if start is not None:
            return self.run_id(start)
        turn = self._turn_at(self.agents[agent][0])
        return self.root_id(turn) if turn is not None else None

    def goes_on_after(self, record: Record) -> bool:
        """Whether the conversation went on after a record with another answer or message."""
        return self._last.get(record.agent, 0) > record.order

    def events(self, turn: Turn) -> list[Record]:
        """Attachments and system messages of a turn, with those that came before it and belong to none."""
        loose = self._loose.get(id(turn), [])
        return [*loose, *(record for record in turn.records if record.sort is Sort.EVENT)]

    def _next_turn(self, record: Record) -> Turn:
        at = bisect.bisect_left(self._firsts, record.order)
        return self.turns[min(at, len(self.turns) - 1)]

    def _turn_at(self, record: Record) -> Turn | None:
        """The last turn that had begun when a subagent did."""
        begun = [turn for turn in self.turns if _begun(turn, record)]
        return begun[-1] if begun else (self.turns[0] if self.turns else None)


def _begun(turn: Turn, record: Record) -> bool:
    start = (turn.prompt or turn.first).at
    return start is not None and record.at is not None and start <= record.at
