"""`swallowed_error`: a tool failed, and nothing after it took notice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracetui.evaluate.evaluators.base import COMMON, Evaluator, EvaluatorType, Tools
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.options import Option
from tracetui.evaluate.steps import Step, named, shown, steps_of
from tracetui.evaluate.view import RunView, View
from tracetui.model.kinds import Kind, Level
from tracetui.store.parts import strings_of

_FAILURE = re.compile(
    r"\b(errors?|fail(?:s|ed|ing|ures?)?|invalid|cannot|can(?:'|’)t|could(?:n['’]t| not)|unable|unavailable|"
    r"not (?:found|available|possible|allowed|valid|exist|work|succe\w+)|(?:does|do|did|was|were|is|are)n['’]t|"
    r"does not|did not|no (?:such|record|results?|match\w*)|missing|denied|refused|reject\w*|exceptions?|sorry|"
    r"apolog\w+|unfortunately|instead|retry\w*|(?:try|check|verify|look) (?:it |that |this )?again|another way|"
    r"issues?|problems?|wrong|incorrect|mistake|unsuccessful\w*|time[ds]? ?out|timeout|blocked|crash\w*|traceback|"
    r"double[- ]check|confirm the|let me (?:fix|correct|check))\b",
    re.I,
)
_TOKEN = re.compile(r"\w[\w.@/-]{2,}\w")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "error errors with from that this have been were your please must should could would which their there then "
        "than when what while does true false none null file line call most recent last tool exit code returncode "
        "output command result status message http https string value type name user",
    )
)
_LATER_ANSWERS = 3
_ERROR_HEAD = 4000
_FEW_WORDS = 3
_LOOKED_AT = 500
"""Steps after an error in which it may be taken notice of."""


@dataclass(frozen=True, slots=True)
class SwallowedError:
    """Hits where a tool's error is neither mentioned, nor used, nor answered by another try.

    Only errors after which a model still spoke are judged: where the run ended, nobody could take notice.
    """

    ignore: tuple[str, ...]

    def judge(self, view: View) -> Finding | None:
        """The first such error, and how many there are. Of a run: whether it is one."""
        if isinstance(view, RunView) and (view.kind != Kind.TOOL or not view.failed):
            return None
        steps = steps_of(view)
        found = [
            step
            for step in _failed(steps, view)
            if not any(named(step.name, name) for name in self.ignore)
            and self._swallowed(step, steps[step.index + 1 : step.index + 1 + _LOOKED_AT])
        ]
        if not found:
            return None
        step = found[0]
        error = shown(_first_line(step.error), 120)
        more = f", {len(found) - 1} more" if len(found) > 1 else ""
        evidence = {"run": step.run.id, "tool": step.name, "error": error, "count": len(found)}
        return Finding(f"{step.name} failed and nothing came of it: {error}{more}", evidence, len(found))

    def _swallowed(self, step: Step, later: Sequence[Step]) -> bool:
        answers = [after for after in later if after.kind == Kind.LLM]
        if not answers:
            return False
        asked = _words(strings_of(step.arguments))
        told = _words((step.error[:_ERROR_HEAD], *strings_of(step.output))) - asked - _words((step.name,))
        for nth, after in enumerate(answers):
            texts = _spoken(after)
            near = nth < _LATER_ANSWERS or nth == len(answers) - 1
            if (near and any(_FAILURE.search(text) for text in texts)) or told & _words(texts):
                return False
        for after in later:
            if after.kind != Kind.TOOL:
                continue
            given = _words(strings_of(after.arguments))
            # the same tool with other small arguments is another try; a shell's next command need not be one
            again = after.name == step.name and len(asked) <= _FEW_WORDS
            if again or told & given or asked & given:
                return False
        return True


def _failed(steps: Sequence[Step], view: View) -> list[Step]:
    """The tool calls that failed; of a run only itself."""
    if not isinstance(view, RunView) or view.trace is None:
        return [step for step in steps if step.kind == Kind.TOOL and step.failed]
    places: dict[int, Step] | None = view.trace.kept.get("tool steps")
    if places is None:
        places = view.trace.kept["tool steps"] = {step.run.pk: step for step in steps if step.kind == Kind.TOOL}
    return [places[view.pk]] if view.pk in places else []


def _spoken(step: Step) -> list[str]:
    if not step.run.answer:
        return list(step.run.output_texts)
    return [text for message in step.run.answer for text in (message.text, message.reasoning) if text]


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in map(str.lower, _TOKEN.findall(text[:20_000])) if word not in _COMMON}


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _build(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    del on, tools
    return SwallowedError(options["ignore"] or ())


TYPE = EvaluatorType(
    name="swallowed_error",
    description="a tool's error that nothing after it mentioned, used or answered by another try",
    options=(Option("ignore", "texts", "tools whose errors do not count; * stands for any text"), *COMMON),
    build=_build,
    needs_trace=True,
)
