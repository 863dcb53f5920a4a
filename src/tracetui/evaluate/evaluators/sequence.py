"""`sequence`: the order of steps, said in a sentence."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.evaluators.base import COMMON, Evaluator, EvaluatorType, Tools
from tracetui.evaluate.evaluators.step_match import AnyOf, by_table, by_word
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.options import REQUIRED, Option, OptionError
from tracetui.evaluate.steps import Step, shown, steps_of
from tracetui.evaluate.view import RunView, View
from tracetui.model.kinds import Kind, Level

FORMS = (
    "require A before B [within N]",
    "require B after A [within N]",
    "never A without B before it [within N]",
    "never A without B after it [within N]",
    "A then B [within N]",
    "final step is A",
    "final step is not A",
    "require A",
    "never A",
)
"""The sentences. `require` hits where it does not hold, the others where they are found."""
_WORD = r"""("[^"]+"|'[^']+'|[^\s"']+)"""
_WITHIN = r"(?:\s+within\s+(\d{1,6})(?:\s+steps?)?)?"


def _form(text: str) -> re.Pattern[str]:
    return re.compile(rf"\s*{text}\s*", re.I)


_BEFORE = _form(rf"require\s+{_WORD}\s+before\s+{_WORD}{_WITHIN}")
_AFTER = _form(rf"require\s+{_WORD}\s+after\s+{_WORD}{_WITHIN}")
_REQUIRE_THEN = _form(rf"require\s+{_WORD}\s+then\s+{_WORD}{_WITHIN}")
_WITHOUT = _form(rf"(?:never\s+)?{_WORD}\s+without\s+{_WORD}(?:\s+(before|after)(?:\s+it)?)?{_WITHIN}")
_THEN = _form(rf"(?:never\s+)?{_WORD}\s+then\s+{_WORD}{_WITHIN}")
_FINAL = _form(rf"(require\s+|never\s+)?(?:the\s+)?(?:final|last)\s+step\s+is\s+(not\s+)?{_WORD}")
_PRESENT = _form(rf"(require\s+|never\s+)?{_WORD}")


@dataclass(frozen=True, slots=True)
class Without:
    """Steps A that have no step B before (or after) them, near enough."""

    one: AnyOf
    other: AnyOf
    before: bool
    within: int | None

    def hits(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Those steps, in order."""
        others = [step.index for step in steps if self.other.matches(step)]
        for step in steps:
            if self.one.matches(step) and not self._near(step.index, others):
                yield step

    def _near(self, at: int, others: Sequence[int]) -> bool:
        place = bisect_left(others, at) - 1 if self.before else bisect_right(others, at)
        if not 0 <= place < len(others):
            return False
        return self.within is None or abs(others[place] - at) <= self.within


@dataclass(frozen=True, slots=True)
class Then:
    """Steps B that have a step A before them, near enough."""

    one: AnyOf
    other: AnyOf
    within: int | None

    def hits(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Those steps, in order."""
        last: int | None = None
        for step in steps:
            if (
                last is not None
                and self.other.matches(step)
                and (self.within is None or step.index - last <= self.within)
            ):
                yield step
            if self.one.matches(step):
                last = step.index


@dataclass(frozen=True, slots=True)
class Final:
    """The last step, if it is (or is not) an A."""

    one: AnyOf
    negated: bool

    def hits(self, steps: Sequence[Step]) -> Iterator[Step]:
        """The last step or nothing."""
        if steps and self.one.matches(steps[-1]) != self.negated:
            yield steps[-1]


@dataclass(frozen=True, slots=True)
class Present:
    """Steps A, wherever they stand."""

    one: AnyOf

    def hits(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Those steps, in order."""
        return (step for step in steps if self.one.matches(step))


@dataclass(frozen=True, slots=True)
class Missing:
    """The last step, where no step is an A."""

    one: AnyOf

    def hits(self, steps: Sequence[Step]) -> Iterator[Step]:
        """The last step or nothing."""
        if steps and not any(self.one.matches(step) for step in steps):
            yield steps[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Hits where the sentence does (see `FORMS`); of a run, where it is that step."""

    sentence: str
    form: Without | Then | Final | Present | Missing

    def judge(self, view: View) -> Finding | None:
        """The first step that the sentence points to, and how many there are."""
        found = self._hits(view)
        if not found:
            return None
        step = found[0]
        what = f"{step.name}({shown(step.arguments)})" if step.kind == Kind.TOOL else step.name or step.kind
        more = f", {len(found) - 1} more" if len(found) > 1 else ""
        evidence = {"run": step.run.id, "step": step.index + 1, "order": self.sentence, "count": len(found)}
        return Finding(f"{self.sentence}: {what} at step {step.index + 1}{more}", evidence, len(found))

    def _hits(self, view: View) -> list[Step]:
        """The steps that the sentence points to; of a run those of its trace are found once and kept with that."""
        if not isinstance(view, RunView) or view.trace is None:
            return list(self.form.hits(steps_of(view)))
        kept: dict[int, list[Step]] | None = view.trace.kept.get(self)
        if kept is None:
            kept = view.trace.kept[self] = {}
            for step in self.form.hits(steps_of(view)):
                kept.setdefault(step.run.pk, []).append(step)
        return kept.get(view.pk, [])


def _build(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    tables = options["steps"] or {}
    if not isinstance(tables, Mapping):
        raise OptionError("steps", "steps is no table", "Such as [rule.evaluate.steps.NAME] with name, arguments, ...")
    described = {name: by_table(name, table, tools) for name, table in tables.items()}
    used: set[str] = set()

    def steps(word: str) -> AnyOf:
        quoted = word[0] in "\"'"
        name = word[1:-1] if quoted else word
        used.add(name)
        return described[name] if name in described else by_word(name, quoted=quoted, tools=tools)

    form = _read(options["order"], steps)
    unused = sorted(described.keys() - used)
    if unused:
        raise OptionError(
            f"steps.{unused[0]}", f"steps.{unused[0]} stands nowhere in order", f"order = {options['order']!r}"
        )
    if on is Level.RUN and isinstance(form, Missing):
        raise OptionError("order", "what is missing stands on no run", "Put the rule on traces or threads.")
    return Order(" ".join(options["order"].split()), form)


def _read(order: str, steps: Any) -> Without | Then | Final | Present | Missing:
    if found := _FINAL.fullmatch(order):
        negated = bool(found[2]) != bool(found[1] and found[1].lower().startswith("require"))
        return Final(steps(found[3]), negated)
    if found := _BEFORE.fullmatch(order):
        return Without(steps(found[2]), steps(found[1]), before=True, within=_number(found[3]))
    if found := _AFTER.fullmatch(order):
        return Without(steps(found[2]), steps(found[1]), before=False, within=_number(found[3]))
    if found := _REQUIRE_THEN.fullmatch(order):
        return Without(steps(found[1]), steps(found[2]), before=False, within=_number(found[3]))
    if found := _WITHOUT.fullmatch(order):
        before = (found[3] or "before").lower() == "before"
        return Without(steps(found[1]), steps(found[2]), before=before, within=_number(found[4]))
    if found := _THEN.fullmatch(order):
        return Then(steps(found[1]), steps(found[2]), _number(found[3]))
    if found := _PRESENT.fullmatch(order):
        required = found[1] is not None and found[1].lower().startswith("require")
        return Missing(steps(found[2])) if required else Present(steps(found[2]))
    raise OptionError("order", f"order = {order!r} cannot be read", "It is one of: " + "; ".join(FORMS) + ".")


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


TYPE = EvaluatorType(
    name="sequence",
    description="the order of steps, said in a sentence",
    options=(
        Option("order", "text", "; ".join(FORMS), REQUIRED),
        Option(
            "steps", "table", "what A and B are, where they are no names of tools: kind, name, arguments, user, ..."
        ),
        *COMMON,
    ),
    build=_build,
    needs_trace=True,
)
