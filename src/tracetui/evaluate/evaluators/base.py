"""What an evaluator is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tracetui.evaluate.findings import Finding
from tracetui.evaluate.matching import Matchers
from tracetui.evaluate.options import Option
from tracetui.evaluate.view import View
from tracetui.model.kinds import Level


class Baselines(Protocol):
    """What is usual in the store."""

    def median(self, view: View, measure: str, group: str, least: int) -> tuple[float, int] | None:
        """The median of a measure among the targets of the view's level that are like it, and how many there are.

        `group` says what is like it: `kind`, `name`, `kind and name`, `all`. `None` for less than `least`.
        """


class NoBaselines:
    """For rules that need none, and for tests of those."""

    def median(self, view: View, measure: str, group: str, least: int) -> tuple[float, int] | None:
        """Nothing is known."""
        del view, measure, group, least
        return None


@dataclass(slots=True)
class Tools:
    """What evaluators share: compiled patterns with their memory, and what is usual."""

    matchers: Matchers = field(default_factory=Matchers)
    baselines: Baselines = field(default_factory=NoBaselines)


class Evaluator(Protocol):
    """Decides about one target. Raises `EvaluationError` where it cannot."""

    def judge(self, view: View) -> Finding | None:
        """What it finds in the target, `None` for no hit."""


@dataclass(frozen=True, slots=True)
class EvaluatorType:
    """An evaluator that rules can name, with its options."""

    name: str
    description: str
    options: tuple[Option, ...]
    build: Callable[[Mapping[str, Any], Level, Tools], Evaluator]
    """Makes one from checked options. Raises `OptionError`."""
    levels: tuple[Level, ...] = (Level.RUN, Level.TRACE, Level.THREAD)
    needs_trace: bool = False
    """A run is judged with its whole trace around it, so not before that is complete."""


SCORE = Option(
    "score", "score", "hit (1), count (how many), value (the number measured), or a number of your own", "hit",
    ("hit", "count", "value"),
)  # fmt: skip
LABEL = Option("value", "text", "a label, such as harness; it stands alone unless score says more than hit")
COMMON = (SCORE, LABEL)
"""Options of every evaluator."""
