"""Which steps a name in a rule of order stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.evaluators.base import Tools
from tracetui.evaluate.evaluators.regex import compiled
from tracetui.evaluate.findings import EvaluationError
from tracetui.evaluate.matching import TIMEOUT_S, Hits, Matcher, Matchers
from tracetui.evaluate.options import Option, OptionError, check
from tracetui.evaluate.steps import Step, named
from tracetui.evaluate.texts import argument_texts, texts_of
from tracetui.model.kinds import Kind
from tracetui.store.parts import NOTHING, Part, part_of

OPTIONS = (
    Option("kind", "choice", "kind of run", None, tuple(Kind)),
    Option("name", "texts", "names, * stands for any text"),
    Option("arguments", "text", "pattern in a tool's arguments"),
    Option("output", "text", "pattern in what came out"),
    Option("user", "text", "pattern in what the user newly says to a model call"),
    Option("answer", "text", "pattern in a model's words"),
    Option("error", "boolean", "whether it failed"),
    Option("flags", "text", "flags of the patterns", "i"),
)
"""What a `[rule.evaluate.steps.NAME]` table may say; all that it says must hold."""
_PATTERNS = ("arguments", "output", "user", "answer")


@dataclass(frozen=True, slots=True)
class StepMatch:
    """Steps of which all of this holds."""

    kind: str | None
    names: tuple[str, ...] | None
    error: bool | None
    patterns: tuple[tuple[str, Matcher], ...]
    matchers: Matchers

    def matches(self, step: Step) -> bool:
        """Whether a step is one of them. Raises `EvaluationError` where a pattern took too long."""
        if self.kind is not None and step.kind != self.kind:
            return False
        if self.names is not None and not any(named(step.name, name) for name in self.names):
            return False
        if self.error is not None and step.failed != self.error:
            return False
        return all(self._found(matcher, step, where) for where, matcher in self.patterns)

    def _found(self, matcher: Matcher, step: Step, where: str) -> bool:
        found: dict[int, Hits] = {}
        self.matchers.scan(self._texts(step, where), matcher.bit, found)
        hits = found.get(matcher.bit)
        if hits is not None and not hits.count:
            raise EvaluationError(f"the pattern {where} of a step was stopped by its time limit")
        return hits is not None

    def _texts(self, step: Step, where: str) -> Part:
        if where == "arguments":
            return argument_texts(step.arguments) if step.kind == Kind.TOOL else NOTHING
        if where == "output":
            return step.run.output_texts if step.own_run else part_of(step.output)
        if step.kind != Kind.LLM:
            return NOTHING
        return texts_of(step.run, "new user messages" if where == "user" else "answer")


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Steps that one of several matches takes."""

    matches_: tuple[StepMatch, ...]

    def matches(self, step: Step) -> bool:
        """Whether a step is one of them."""
        return any(match.matches(step) for match in self.matches_)


def by_word(word: str, *, quoted: bool, tools: Tools) -> AnyOf:
    """What a name says that no table describes: `error`, a kind, else the name of a step that is no model call."""
    if not quoted and word.lower() == "error":
        return AnyOf((StepMatch(None, None, True, (), tools.matchers),))
    if not quoted and word.lower() in tuple(Kind):
        return AnyOf((StepMatch(word.lower(), None, None, (), tools.matchers),))
    kinds = (
        Kind.TOOL,
        Kind.RETRIEVER,
        Kind.AGENT,
        Kind.CHAIN,
        Kind.GUARDRAIL,
        Kind.RERANKER,
        Kind.EMBEDDING,
        Kind.OTHER,
    )
    return AnyOf(tuple(StepMatch(kind, (word,), None, (), tools.matchers) for kind in kinds))


def by_table(name: str, table: Any, tools: Tools) -> AnyOf:
    """What a table, or a list of tables of which one must hold, says. Raises `OptionError`."""
    tables = table if isinstance(table, list) else [table]
    if not tables or not all(isinstance(item, Mapping) and item for item in tables):
        raise OptionError(f"steps.{name}", f"steps.{name} is no table of conditions", _hint())
    return AnyOf(tuple(_one(name, item, tools) for item in tables))


def _one(name: str, table: Mapping[str, Any], tools: Tools) -> StepMatch:
    try:
        given = check(table, OPTIONS)
        patterns = tuple(
            (where, compiled(where, given[where], given["flags"], TIMEOUT_S, tools))
            for where in _PATTERNS
            if given[where] is not None
        )
    except OptionError as error:
        raise OptionError(f"steps.{name}.{error.option}", error.message, error.hint) from None
    return StepMatch(given["kind"], given["name"], given["error"], patterns, tools.matchers)


def _hint() -> str:
    return 'Such as { name = "delete_*" }; there are ' + ", ".join(option.name for option in OPTIONS) + "."
