"""The structure of a session: turns, the calls of the model in them, and what each call was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.claude import records
from tracetui.ingest.claude.records import SPOKEN, Record, Sort
from tracetui.ingest.claude.survey import answer_rank


@dataclass(slots=True, eq=False)
class Step:
    """The end of a conversation: the last message, and the step before it. Branches share their beginning."""

    before: Step | None
    message: dict[str, Any]


@dataclass(slots=True, eq=False)
class Call:
    """One answer of the model: the records that carry its message id."""

    id: str
    records: list[Record]
    message: dict[str, Any]
    """The whole answer as one message."""
    given: Step | None = None
    """What the model was given."""
    said: Step | None = None
    """That, and the answer."""

    @property
    def first(self) -> Record:
        """The record that the answer begins with."""
        return self.records[0]

    @property
    def last(self) -> Record:
        """The record that the answer ends with."""
        return self.records[-1]


@dataclass(slots=True, eq=False)
class Turn:
    """What the person asked, and all that was done for it."""

    first: Record
    prompt: Record | None = None
    """The message that the turn is about; `None` where there are only commands, or none."""
    answered: bool = False
    records: list[Record] = field(default_factory=list)


def calls_of(conversation: Iterable[Record]) -> list[Call]:
    """The calls of a conversation in the order in which they begin.

    An answer stands on several lines with one message id, and copies of them in other files. Lines with one message
    id that no file has together are different answers; the last one has the id, the others have more to theirs.
    """
    groups: dict[str, list[list[Record]]] = {}
    for record in conversation:
        if record.sort is Sort.ASSISTANT:
            named = records.string(record.message.get("id")) or records.string(record.raw.get("requestId"))
            answers = groups.setdefault(named or record.uuid, [])
            group = next((known for known in answers if any(other.files & record.files for other in known)), None)
            if group is None:
                answers.append([record])
            else:
                group.append(record)
    calls: list[Call] = []
    for name, answers in groups.items():
        named_last = max(answers, key=lambda group: answer_rank(group[-1].at or 0, group[-1].uuid))
        for group in answers:
            own = name if group is named_last else f"{name}~{group[0].uuid}"
            calls.append(Call(own, group, _whole_answer(group)))
    return sorted(calls, key=lambda call: call.first.order)


def _whole_answer(group: list[Record]) -> dict[str, Any]:
    content: list[Any] = []
    for record in group:
        part = record.message.get("content")
        content += part if isinstance(part, list) else [{"type": "text", "text": part}] if part else []
    return {"role": "assistant", "content": content}


def give(conversation: list[Record], calls: list[Call]) -> None:
    """Find what each call was given.

    That is the chain of parents up to its beginning or the last compaction, with the results of all tool calls of an
    answer in the chain: parallel calls make branches, of which the chain holds one. A person's message that was typed
    right before a compaction, and that no call was given yet, comes along.
    """
    call_of = {record.order: call for call in calls for record in call.records}
    answers: dict[str, list[Record]] = {}
    for record in conversation:
        if record.sort is Sort.RESULT:
            for use, _ in records.results(record):
                answers.setdefault(use, []).append(record)
    given: set[int] = set()
    for call in calls:
        base, found = _chain(call, call_of, given)
        if base is not None:
            results = (answer for use in tool_uses(base) for answer in answers.get(use, ()))
            found += [record for record in results if record.order < call.first.order]
        given |= {record.order for record in found}
        step = base.said if base is not None else None
        for _, message in sorted({record.order: record.message for record in found}.items()):
            step = Step(step, message)
        call.given, call.said = step, Step(step, call.message)


def _chain(call: Call, call_of: dict[int, Call], given: set[int]) -> tuple[Call | None, list[Record]]:
    """The answer that a call follows (`None`: none since the last compaction), and the messages between them."""
    found: list[Record] = []
    compacted = False
    here = call.first.parent
    while here is not None:
        if here.agent == call.first.agent:
            before = call_of.get(here.order)
            if before is not None and before is not call and before.said is not None:
                return None if compacted else before, found
            waits = here.sort in (Sort.PROMPT, Sort.STEER) and here.order not in given
            if waits or (here.sort in SPOKEN and not compacted):
                found.append(here)
            compacted |= here.sort in (Sort.BOUNDARY, Sort.SUMMARY)
        elif call.first.agent is not None:
            break
        here = here.parent
    return None, found


def tool_uses(call: Call) -> Iterator[str]:
    """The ids of the tool calls of an answer."""
    for block in records.blocks_of(call.message["content"]):
        use = records.string(block.get("id"))
        if block.get("type") in records.TOOL_USES and use:
            yield use


class Messages:
    """Lists of messages out of steps; what two of them share is copied, not walked."""

    def __init__(self) -> None:
        self._end: Step | None = None
        self._list: list[dict[str, Any]] = []

    def up_to(self, step: Step | None) -> list[dict[str, Any]]:
        """All messages up to a step, oldest first."""
        tail: list[dict[str, Any]] = []
        here = step
        while here is not None and here is not self._end:
            tail.append(here.message)
            here = here.before
        tail.reverse()
        self._list = [*self._list, *tail] if here is not None else tail
        self._end = step
        return self._list


def turns_of(conversation: list[Record]) -> list[Turn]:
    """The turns of the main conversation; every record in the chain of one gets it as its `turn`.

    A turn begins with what the person typed. Commands before a message belong to its turn; what nothing came before
    (a transcript that begins in the middle) makes a turn of its own.
    """
    turns: list[Turn] = []
    done: set[int] = set()
    for record in conversation:
        waiting = [record]
        while waiting:
            here = waiting[-1]
            if here.order in done:
                waiting.pop()
            elif (parent := _above(here)) is not None and parent.order not in done:
                waiting.append(parent)
            else:
                done.add(here.order)
                _take(here, turns)
    return turns


def _above(record: Record) -> Record | None:
    """The next record up the chain that is of the main conversation."""
    here = record.parent
    while here is not None and here.agent is not None:
        here = here.parent
    return here


def _take(record: Record, turns: list[Turn]) -> None:
    above = _above(record)
    turn: Turn | None = above.turn if above is not None else None
    begins = record.sort is Sort.PROMPT or record.sort is Sort.COMMAND
    closed = turn is None or turn.answered or turn.prompt is not None
    if (begins and closed) or (turn is None and record.sort not in (Sort.EVENT, Sort.LINK, Sort.BOUNDARY)):
        turn = Turn(record)
        turns.append(turn)
    if turn is None:
        return
    if record.sort is Sort.PROMPT or (record.sort is Sort.STEER and turn.prompt is None):
        turn.prompt = record
    turn.answered |= record.sort in (Sort.ASSISTANT, Sort.RESULT, Sort.INTERRUPT)
    turn.records.append(record)
    record.turn = turn
