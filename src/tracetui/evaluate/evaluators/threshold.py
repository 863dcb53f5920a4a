"""`threshold`: a number against bounds, or against what is usual."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.evaluators.base import COMMON, Baselines, Evaluator, EvaluatorType, Tools
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.measures import MEASURES, measure, read_bound
from tracetui.evaluate.options import REQUIRED, Option, OptionError
from tracetui.evaluate.view import View
from tracetui.model.kinds import Level
from tracetui.query.fields import FieldType, nearest

_RELATIVE = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:x|times|\*)?\s*(?:the\s+)?median\s*", re.I)
_GROUPS = ("kind and name", "kind", "name", "all")


@dataclass(frozen=True, slots=True)
class Threshold:
    """Hits where the number is out of bounds; without any bound, wherever there is a number."""

    name: str
    low: float | None
    high: float | None
    over: float | None
    under: float | None
    floor: float | None
    group: str
    least: int
    baselines: Baselines

    def judge(self, view: View) -> Finding | None:
        """The number, and the bound it breaks. An unknown number is no hit."""
        number = measure(view, self.name)
        if number is None:
            return None
        evidence: dict[str, Any] = {"measure": self.name, "value": number}
        said = f"{self.name} {written(self.name, number)}"
        bounded = self.low is not None or self.high is not None
        relative = self.over is not None or self.under is not None
        if not bounded and not relative:
            return Finding(said, evidence, amount=number)
        if self.high is not None and number > self.high:
            return Finding(
                f"{said}, over {written(self.name, self.high)}", evidence | {"max": self.high}, amount=number
            )
        if self.low is not None and number < self.low:
            return Finding(f"{said}, under {written(self.name, self.low)}", evidence | {"min": self.low}, amount=number)
        return self._against_usual(view, number, said, evidence) if relative else None

    def _against_usual(self, view: View, number: float, said: str, evidence: dict[str, Any]) -> Finding | None:
        if self.floor is not None and number < self.floor:
            return None
        usual = self.baselines.median(view, self.name, self.group, self.least)
        if usual is None:
            return None
        median, n = usual
        evidence |= {"median": median, "n": n}
        out = (self.over is not None and number > self.over * median) or (
            self.under is not None and number < self.under * median
        )
        if not out:
            return None
        times = f"{number / median:.1f}x the median" if median else "the median is 0"
        return Finding(f"{said}, {times} {written(self.name, median)} of {n:,}", evidence, amount=number)


def written(name: str, number: float) -> str:
    """A number with its unit, short."""
    kind = MEASURES[name][2] if name in MEASURES else None
    if kind is FieldType.DURATION:
        if number < 1:
            return f"{number * 1000:.0f} ms"
        return f"{number:.1f} s" if number < 120 else f"{number / 60:.1f} min"
    if kind is FieldType.MONEY:
        return f"${number:.4f}" if number < 1 else f"${number:,.2f}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.4g}"


def _build(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    name = options["measure"]
    _check_measure(name, on)
    for option in ("over", "under"):
        if options[option] is not None and name == "output_length":
            raise OptionError(option, "output_length has no median", "Give it min or max.")
    return Threshold(
        name=name, low=_bound(options, "min", name), high=_bound(options, "max", name),
        over=_times(options, "over"), under=_times(options, "under"),
        floor=_bound(options, "floor", name), group=options["like"], least=options["least"], baselines=tools.baselines,
    )  # fmt: skip


def _check_measure(name: str, on: Level) -> None:
    if name.startswith("metadata.") and len(name) > len("metadata."):
        if on is Level.THREAD:
            raise OptionError("measure", f"a thread has no {name}", "Put the rule on traces or runs.")
        return
    if name not in MEASURES:
        known = [*MEASURES, "metadata.KEY"]
        near = nearest(name, known)
        hint = f"Did you mean {near}?" if near else f"There are {', '.join(known)}."
        raise OptionError("measure", f"there is no measure {name!r}", hint)
    if on not in MEASURES[name][1]:
        fits = ", ".join(MEASURES[name][1])
        raise OptionError("measure", f"a {on} has no {name}", f"Put the rule on {fits}.")


def _bound(options: Mapping[str, Any], option: str, name: str) -> float | None:
    given = options[option]
    if given is None:
        return None
    bound = read_bound(name, given)
    if bound is None:
        raise OptionError(option, f"{option} = {given!r} is no bound of {name}", 'Such as 30, "30s", "10k" or "$0.05".')
    return bound


def _times(options: Mapping[str, Any], option: str) -> float | None:
    given = options[option]
    if given is None:
        return None
    found = _RELATIVE.fullmatch(str(given))
    if found is None:
        raise OptionError(option, f"{option} = {given!r} cannot be read", f'Such as {option} = "3x median".')
    return float(found[1])


TYPE = EvaluatorType(
    name="threshold",
    description="a number against bounds, or against the median of its like",
    options=(
        Option("measure", "text", f"which number: {', '.join(MEASURES)}, metadata.KEY", REQUIRED),
        Option("max", "amount", 'hit above it: 30, "30s", "10k", "$0.05"'),
        Option("min", "amount", "hit below it"),
        Option("over", "text", 'hit above so many medians: "3x median"'),
        Option("under", "text", 'hit below so many medians: "0.2x median"'),
        Option("floor", "amount", "numbers below it are no hit by median, however unusual"),
        Option(
            "like",
            "choice",
            "whose median; of traces with too few of one name it is that of all",
            "kind and name",
            _GROUPS,
        ),
        Option("least", "integer", "no verdict by median with fewer targets than this", 20, low=1, high=1_000_000_000),
        *COMMON,
    ),
    build=_build,
)
