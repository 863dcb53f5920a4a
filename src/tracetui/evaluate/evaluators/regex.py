"""`regex`: a pattern in chosen texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import regex

from tracetui.evaluate.evaluators import textual
from tracetui.evaluate.evaluators.base import COMMON, Evaluator, EvaluatorType, Tools
from tracetui.evaluate.findings import Finding
from tracetui.evaluate.matching import FLAGS, TIMEOUT_S, Matcher, Matchers
from tracetui.evaluate.options import REQUIRED, Option, OptionError
from tracetui.evaluate.texts import check_choices
from tracetui.evaluate.view import View
from tracetui.model.kinds import Level

_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Regex:
    """Hits where the pattern is found in one of the texts."""

    matcher: Matcher
    choices: tuple[str, ...]
    matchers: Matchers
    needs_patterns: ClassVar[bool] = True
    """No hit where one of its patterns finds nothing."""

    @property
    def wanted(self) -> tuple[tuple[str, ...], tuple[Matcher, ...]]:
        """Where it looks, and with which patterns."""
        return self.choices, (self.matcher,)

    def judge(self, view: View) -> Finding | None:
        """The first match, with the count of all in the target."""
        found = textual.scan(self.matchers, view, self.choices, self.matcher.bit).get(self.matcher.bit)
        if found is None:
            return None
        hits, place = found
        if hits.first is None:
            raise textual.slow(hits)
        return textual.finding(hits, place)


def _build(options: Mapping[str, Any], on: Level, tools: Tools) -> Evaluator:
    del on
    check_choices("text", options["text"])
    matcher = compiled("pattern", options["pattern"], options["flags"], options["timeout"], tools)
    return Regex(matcher, options["text"], tools.matchers)


def compiled(option: str, pattern: str, flags: str, timeout: float, tools: Tools) -> Matcher:
    """The matcher of a pattern. Raises `OptionError` where the pattern or a flag is wrong."""
    if len(pattern) > _LONGEST:
        raise OptionError(option, f"{option} is longer than {_LONGEST:,} characters", "Split it into several rules.")
    try:
        return tools.matchers.pattern(pattern, flags, timeout)
    except KeyError as error:
        hint = f"There are {', '.join(FLAGS)} (i: capitals make no difference)."
        raise OptionError("flags", f"flags = {flags!r}: there is no flag {error.args[0]!r}", hint) from None
    except (regex.error, ValueError, OverflowError) as error:
        hint = "In TOML a pattern stands best in '''three single quotes''', where a backslash is a backslash."
        raise OptionError(option, f"{option} is no regular expression: {error}", hint) from None
    except RecursionError:
        raise OptionError(option, f"{option} is nested too deep", "Make it simpler.") from None


TYPE = EvaluatorType(
    name="regex",
    description="a pattern (library regex) in chosen texts; the first match is the comment",
    options=(
        textual.TEXT,
        Option("pattern", "text", "the regular expression", REQUIRED),
        Option("flags", "text", f"letters of {', '.join(FLAGS)}", ""),
        Option(
            "timeout", "number", "seconds for one text, per started million characters", TIMEOUT_S, low=0.001, high=60
        ),
        *COMMON,
    ),
    build=_build,
)
