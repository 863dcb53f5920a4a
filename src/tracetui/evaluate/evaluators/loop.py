"""`loop`: the same tool with the same arguments, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.evaluators.base import COMMON, Evaluator, EvaluatorType, Tools
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.options import Option
from tracetui.evaluate.steps import Step, canonical, named, shown, steps_of
from tracetui.evaluate.view import RunView, TraceView, View
from tracetui.model.kinds import Kind, Level

_WHEN = {
    "anywhere": "wherever the calls stand",
    "in a row": "with no other tool call between them",
    "same result": "each time with the same result",
    "after error": "again right after it failed, nothing changed",
}


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """Hits where one call is made `times` times or more. On runs: the calls from that one on."""

    times: int
    when: str
    ignore: tuple[str, ...]

    def judge(self, view: View) -> Finding | None:
        """The call that is repeated most; of a run, how often it was made before."""
        if isinstance(view, RunView):
            return self._of_run(view)
        groups = self._groups(steps_of(view))
        worst = max(groups, key=len, default=[])
        return self._finding(worst, len(worst)) if len(worst) >= self.times else None

    def _of_run(self, run: RunView) -> Finding | None:
        if run.kind != Kind.TOOL:
            return None
        place = self._places(run.trace).get(run.pk) if run.trace is not None else None
        if place is None:
            return None
        group, nth = place
        return self._finding(group[:nth], nth) if nth >= self.times else None

    def _places(self, trace: TraceView) -> dict[int, tuple[list[Step], int]]:
        """Run -> its group and the how manieth in it; kept with the trace."""
        places: dict[int, tuple[list[Step], int]] | None = trace.kept.get(self)
        if places is None:
            groups = self._groups(steps_of(trace))
            places = {step.run.pk: (group, nth) for group in groups for nth, step in enumerate(group, 1)}
            trace.kept[self] = places
        return places

    def _groups(self, steps: Sequence[Step]) -> list[list[Step]]:
        """Equal calls, each list in order."""
        groups: list[list[Step]] = []
        current: dict[tuple[Any, ...], list[Step]] = {}
        for step in steps:
            if step.kind != Kind.TOOL or any(named(step.name, name) for name in self.ignore):
                continue
            identity: tuple[Any, ...] = (step.name, canonical(step.arguments))
            if self.when == "same result":
                identity = (*identity, canonical(step.output), step.error)
            group = current.get(identity)
            if group is None or (self.when == "after error" and not group[-1].failed):
                if self.when == "in a row":
                    current.clear()
                group = current[identity] = []
                groups.append(group)
            group.append(step)
        return groups

    def _finding(self, group: list[Step], times: int) -> Finding:
        first = group[0]
        evidence = {
            "run": group[self.times - 1].run.id, "tool": first.name, "times": times,
            "runs": [step.run.id for step in group[:50]],
        }  # fmt: skip
        how = {"in a row": " in a row", "same result": ", the same result", "after error": " although it failed"}
        said = f"{first.name} {times} times{how.get(self.when, '')}: {shown(first.arguments)}"
        return Finding(said, evidence, times)


def _build(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    del on, tools
    return Loop(options["times"], options["when"], options["ignore"] or ())


TYPE = EvaluatorType(
    name="loop",
    description="the same tool with the same arguments, so many times or more",
    options=(
        Option("times", "integer", "how often is too often", 3, low=2, high=100_000),
        Option(
            "when", "choice", "; ".join(f"{name}: {what}" for name, what in _WHEN.items()), "anywhere", tuple(_WHEN)
        ),
        Option("ignore", "texts", "tools that may repeat, such as wait; * stands for any text"),
        *COMMON,
    ),
    build=_build,
    needs_trace=True,
)
