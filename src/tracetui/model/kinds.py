"""The closed lists of the vocabulary. Names follow LangSmith and OpenTelemetry GenAI."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Level(StrEnum):
    """The three levels of a store: a thread holds traces, a trace holds runs."""

    THREAD = "thread"
    TRACE = "trace"
    RUN = "run"


class Kind(StrEnum):
    """What a run is. Spans, events and memory steps of no known kind are `other`."""

    LLM = "llm"
    TOOL = "tool"
    AGENT = "agent"
    CHAIN = "chain"
    RETRIEVER = "retriever"
    EMBEDDING = "embedding"
    RERANKER = "reranker"
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    PARSER = "parser"
    PROMPT = "prompt"
    OTHER = "other"


class Status(StrEnum):
    """How a run ended, or that it has not."""

    SUCCESS = "success"
    ERROR = "error"
    RUNNING = "running"
    ABANDONED = "abandoned"


class Phase(IntEnum):
    """How much is known of a run: only referred to, started, ended."""

    STUB = 0
    STARTED = 1
    ENDED = 2


class Source(StrEnum):
    """Who says a piece of feedback. `SOURCE_LETTER` has the letter that shows it."""

    USER = "user"
    OUTCOME = "outcome"
    HUMAN = "human"
    RULE = "rule"
    JUDGE = "judge"
    UNKNOWN = "unknown"


SOURCE_LETTER: dict[str, str] = {
    Source.USER: "U",
    Source.OUTCOME: "O",
    Source.HUMAN: "H",
    Source.RULE: "R",
    Source.JUDGE: "J",
    Source.UNKNOWN: "?",
}


class KeyType(StrEnum):
    """The type of a feedback key."""

    BOOLEAN = "boolean"
    RATING = "rating"
    CONTINUOUS = "continuous"
    CATEGORICAL = "categorical"
    FREEFORM = "freeform"
