"""`contains` and `not_contains`: literal words in chosen texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tracetui.evaluate.evaluators import textual
from tracetui.evaluate.evaluators.base import COMMON, Evaluator, EvaluatorType, Tools
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.matching import Matcher, Matchers
from tracetui.evaluate.options import REQUIRED, Option
from tracetui.evaluate.texts import check_choices
from tracetui.evaluate.view import View
from tracetui.model.kinds import Level


@dataclass(frozen=True, slots=True)
class Contains:
    """Hits where the words stand in the texts; several patterns: each of them somewhere."""

    words: tuple[Matcher, ...]
    choices: tuple[str, ...]
    matchers: Matchers
    needs_patterns: ClassVar[bool] = True
    """No hit where one of its patterns finds nothing."""

    @property
    def wanted(self) -> tuple[tuple[str, ...], tuple[Matcher, ...]]:
        """Where it looks, and with which patterns."""
        return self.choices, self.words

    def judge(self, view: View) -> Finding | None:
        """The first of the words, with the count of all."""
        scan = textual.scan(self.matchers, view, self.choices, sum(one.bit for one in self.words))
        found = [scan[one.bit] for one in self.words if one.bit in scan]
        if len(found) < len(self.words):
            return None
        finding = textual.finding(*found[0])
        return Finding(finding.comment, finding.evidence, sum(hits.count for hits, _ in found))


@dataclass(frozen=True, slots=True)
class NotContains:
    """Hits where there are texts and `present` does not hit. A target without such texts is no hit."""

    present: Contains
    words: tuple[str, ...]

    @property
    def wanted(self) -> tuple[tuple[str, ...], tuple[Matcher, ...]]:
        """Where it looks, and with which patterns."""
        return self.present.wanted

    def judge(self, view: View) -> Finding | None:
        """That the words are missing."""
        if self.present.judge(view) is not None:
            return None
        full = (place for place in textual.places(view, self.present.choices) if any(map(str.strip, place.texts)))
        place = next(full, None)
        if place is None:
            return None
        missing = self.words[0] if len(self.words) == 1 else f"{len(self.words)} words, {self.words[0]!r} first"
        evidence = {"text": ", ".join(self.present.choices), "run": place.run.id}
        return Finding(f"{self.present.choices[0]} without {missing}", evidence)


def _contains(options: Mapping[str, Any], on: Level, tools: Tools) -> Contains:
    del on
    check_choices("text", options["text"])
    words = options["words"]
    groups = [words] if options["match"] == "any" else [(word,) for word in words]
    matchers = tuple(tools.matchers.words(group, case=options["case"]) for group in groups)
    return Contains(matchers, options["text"], tools.matchers)


def _build(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    return _contains(options, on, tools)


def _build_not(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    return NotContains(_contains(options, on, tools), options["words"])


_OPTIONS = (
    textual.TEXT,
    Option("words", "texts", "one text or a list of them, found as they stand", REQUIRED),
    Option("match", "choice", "any of the words, or all of them", "any", ("any", "all")),
    Option("case", "boolean", "true: capitals make a difference", default=False),
    *COMMON,
)
TYPE = EvaluatorType("contains", "literal words in chosen texts", _OPTIONS, _build)
NOT_TYPE = EvaluatorType(
    "not_contains", "chosen texts in which the words are missing (there must be a text)", _OPTIONS, _build_not
)
