"""The fields a filter can name, as data. What a field is in SQL stands in `store/filters.py`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum

from tracetui.model.kinds import Kind, Level, Source, Status


class FieldType(StrEnum):
    """What the values of a field are; says which conditions it takes and in which unit numbers are."""

    TEXT = "text"
    ID = "id"
    CHOICE = "choice"
    COUNT = "count"
    DURATION = "duration"
    MONEY = "money"
    TAGS = "tags"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field: its name, type, the levels that have it themselves, and a line on what it is."""

    name: str
    type: FieldType
    levels: tuple[Level, ...]
    description: str
    choices: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    """Other words for choices: written, meant."""


_RUN = (Level.RUN,)
_TRACE_UP = (Level.THREAD, Level.TRACE)
_TRACE_DOWN = (Level.TRACE, Level.RUN)
_ALL = (Level.THREAD, Level.TRACE, Level.RUN)

FIELDS: tuple[FieldSpec, ...] = (
    FieldSpec(
        "status",
        FieldType.CHOICE,
        _TRACE_DOWN,
        "how it ended; of a trace: how its root run did",
        tuple(status.value for status in Status),
        (("ok", "success"), ("pending", "running")),
    ),
    FieldSpec("kind", FieldType.CHOICE, _RUN, "what a run is", tuple(kind.value for kind in Kind)),
    FieldSpec("name", FieldType.TEXT, _TRACE_DOWN, "name; of a trace: of its root run"),
    FieldSpec("error", FieldType.TEXT, _RUN, "text of a run's error"),
    FieldSpec("model", FieldType.TEXT, _RUN, "model of an llm or embedding run"),
    FieldSpec("provider", FieldType.TEXT, _RUN, "who serves the model"),
    FieldSpec("id", FieldType.ID, _ALL, "id, with or without its authority"),
    FieldSpec("trace", FieldType.ID, (Level.TRACE,), "id of the trace"),
    FieldSpec("thread", FieldType.ID, (Level.THREAD,), "id of the thread; missing where the source names none"),
    FieldSpec("parent", FieldType.ID, _RUN, "id of the run above"),
    FieldSpec("session", FieldType.TEXT, _RUN, "session as the run itself says it"),
    FieldSpec("user", FieldType.TEXT, (Level.THREAD, Level.RUN), "the agent's user"),
    FieldSpec("project", FieldType.TEXT, _ALL, "project"),
    FieldSpec("tag", FieldType.TAGS, _TRACE_DOWN, "a tag; of a trace: of its root run"),
    FieldSpec("latency", FieldType.DURATION, _ALL, "end minus start"),
    FieldSpec("first_token", FieldType.DURATION, _RUN, "time to the first token"),
    FieldSpec("tokens", FieldType.COUNT, _ALL, "prompt and completion tokens together"),
    FieldSpec("prompt_tokens", FieldType.COUNT, _ALL, "prompt tokens, cache reads and writes included"),
    FieldSpec("completion_tokens", FieldType.COUNT, _ALL, "completion tokens, reasoning included"),
    FieldSpec("cache_read_tokens", FieldType.COUNT, _ALL, "prompt tokens read from a cache"),
    FieldSpec("cache_write_tokens", FieldType.COUNT, _ALL, "prompt tokens written to a cache"),
    FieldSpec("reasoning_tokens", FieldType.COUNT, _ALL, "completion tokens spent on reasoning"),
    FieldSpec("cost", FieldType.MONEY, _ALL, "US dollars"),
    FieldSpec("errors", FieldType.COUNT, _TRACE_UP, "how many runs in it failed"),
    FieldSpec("runs", FieldType.COUNT, _TRACE_UP, "how many runs it has"),
    FieldSpec("traces", FieldType.COUNT, (Level.THREAD,), "how many traces it has"),
    FieldSpec("feedback", FieldType.SCORE, _ALL, "feedback.KEY: what was said under this key, here or below"),
)

BY_NAME: dict[str, FieldSpec] = {spec.name: spec for spec in FIELDS}

FEEDBACK_PARTS: dict[str, FieldSpec] = {
    spec.name: spec
    for spec in (
        FieldSpec("score", FieldType.SCORE, (), "its number"),
        FieldSpec("value", FieldType.TEXT, (), "its label"),
        FieldSpec("comment", FieldType.TEXT, (), "its comment"),
        FieldSpec("source", FieldType.CHOICE, (), "who says so", tuple(source.value for source in Source)),
        FieldSpec("author", FieldType.TEXT, (), "the person's or the rule's name"),
        FieldSpec("level", FieldType.CHOICE, (), "what it was said about", tuple(level.value for level in Level)),
    )
}

EXAMPLES: dict[FieldType, str] = {
    FieldType.TEXT: '{0}:refund*  {0}:"Refund Flow"  {0}:*',
    FieldType.ID: "{0}:7f3a*",
    FieldType.COUNT: "{0}:>10k  {0}:[1000 TO 5000]",
    FieldType.DURATION: "{0}:>2s  {0}:[350ms TO 1.5m]",
    FieldType.MONEY: "{0}:>0.05  {0}:>$1",
    FieldType.TAGS: "{0}:prod",
    FieldType.SCORE: "{0}:<0.5  {0}:true  {0}:*",
}


def example(name: str, spec: FieldSpec) -> str:
    """How a field is used, for a hint; `name` as it was written."""
    if spec.choices:
        return "one of " + ", ".join(spec.choices)
    return "for example " + EXAMPLES[spec.type].format(name)


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that is most like the one written, or `None` where none is like it."""
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None
