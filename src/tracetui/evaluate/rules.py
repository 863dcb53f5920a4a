"""Rules as they stand in a rules file: read, checked, and normalised.

A rule's *meaning* is what decides about feedback: level, filter, sample, key, evaluator with all its options. Its
digest tells whether a change of the file is a change of meaning, which makes a new version. Texts for people, and
whether a rule is on, change nothing.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracetui.evaluate.evaluators import TYPES
from tracetui.evaluate.evaluators.base import Evaluator, Tools
from tracetui.evaluate.lines import RuleLines, rule_lines
from tracetui.evaluate.options import REQUIRED, Option, OptionError, check
from tracetui.model import jsonx
from tracetui.model.errors import FilterError, RulesError
from tracetui.model.kinds import Level
from tracetui.query import parse
from tracetui.query.fields import nearest

FILE_NAME = "rules.toml"
_MAX_BYTES = 2_000_000
_MAX_RULES = 1000
_NAME = re.compile(r"[^\s/\x00-\x1f]{1,100}")
ACTIONS = ("queue", "alert", "dataset")
"""Actions of `[[rule.then]]` that are known and not done yet: the feedback is written, the rest is said."""

OPTIONS = (
    Option("name", "text", "what the rule is called; author of its feedback", REQUIRED),
    Option("key", "text", "the feedback key it writes", REQUIRED),
    Option("on", "choice", "what it judges", Level.RUN, tuple(Level)),
    Option("where", "text", "a filter; without it everything", ""),
    Option("sample", "number", "the share that is judged, by a hash of the id", 1.0, low=0, high=1),
    Option(
        "record",
        "choice",
        "hits: only hits are written; all: no hit is written too, as score 0",
        "hits",
        ("hits", "all"),
    ),
    Option("enabled", "boolean", "whether a new rule starts switched on", default=True),
    Option("history", "boolean", "whether a new version judges what is there already", default=True),
    Option("lower_is_better", "boolean", "whether a low score is the good one (for a new key)", default=True),
    Option("means", "text", "a line on what a hit means"),
    Option("do", "text", "a line on what to do about it"),
    Option("evaluate", "table", "how it decides: type and its options", REQUIRED),
    Option("then", "table", "actions, of later versions"),
)
"""What a `[[rule]]` may say."""
_MEANING = ("on", "where", "sample", "key", "record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, checked. `evaluate` holds the type and every option with its value."""

    name: str
    key: str
    on: Level
    where: str
    sample: float
    record: str
    evaluate: Mapping[str, Any]
    enabled: bool = True
    history: bool = True
    lower_is_better: bool = True
    means: str | None = None
    do: str | None = None
    line: int = field(default=0, compare=False)

    def meaning(self) -> dict[str, Any]:
        """What decides about feedback."""
        return {name: getattr(self, name) for name in _MEANING} | {"evaluate": dict(self.evaluate)}

    @property
    def digest(self) -> str:
        """Equal for rules that mean the same. Defaults do not count, so that new options change nothing."""
        said = _besides_defaults({name: getattr(self, name) for name in _MEANING}, OPTIONS)
        options = _besides_defaults(self.evaluate, TYPES[self.evaluate["type"]].options)
        text = jsonx.dumps(_sorted(said | {"evaluate": options}))
        return hashlib.blake2b(text, digest_size=16).hexdigest()

    def spec(self) -> str:
        """The rule as JSON, as the store keeps it."""
        people = {name: getattr(self, name) for name in ("lower_is_better", "history", "means", "do")}
        return jsonx.dumps({"name": self.name, "walks": self.walks} | self.meaning() | people).decode()

    @property
    def walks(self) -> Level:
        """The level whose readiness it follows: runs judged with their trace around them wait for the trace."""
        return Level.TRACE if self.on is Level.RUN and TYPES[self.evaluate["type"]].needs_trace else self.on

    def build(self, tools: Tools) -> Evaluator:
        """Its evaluator."""
        kind = TYPES[self.evaluate["type"]]
        return kind.build(self.evaluate, self.on, tools)

    def score(self, count: int, amount: float | None) -> float | None:
        """The score of a hit; none where a label stands alone."""
        said = self.evaluate["score"]
        if said == "hit":
            return 1.0 if self.evaluate["value"] is None else None
        if said == "count":
            return float(count)
        return amount if said == "value" else float(said)

    @property
    def no_hit(self) -> float:
        """The score of no hit, where that is recorded."""
        return 1.0 if self.evaluate["score"] == 0 else 0.0

    @property
    def boolean(self) -> bool:
        """Whether its scores are only 0 and 1."""
        return self.evaluate["score"] in ("hit", 0, 1)


@dataclass(frozen=True, slots=True)
class RulesFile:
    """What a rules file says, and what of it is not done."""

    path: str
    rules: tuple[Rule, ...]
    notes: tuple[str, ...] = ()


def read_rules(path: Path) -> RulesFile:
    """The rules of a file. Raises `RulesError` naming file and line."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise RulesError("No rules file", f"{path} does not exist.", "tracetui rules STORE init writes one.") from None
    except OSError as error:
        raise RulesError("The rules cannot be read", f"{path}: {error.strerror}.", "") from None
    if len(raw) > _MAX_BYTES:
        raise RulesError("The rules cannot be read", f"{path} is larger than {_MAX_BYTES // 1_000_000} MB.", "")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise RulesError("The rules cannot be read", f"{path}, line {line}: not UTF-8.", "Save it as UTF-8.") from None
    return parse_rules(text, str(path))


def parse_rules(text: str, path: str = FILE_NAME) -> RulesFile:
    """The rules of a text. Raises `RulesError` naming `path` and the line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(error, text, path) from None
    except RecursionError:
        raise RulesError("The rules cannot be read", f"{path}: nested too deep.", "") from None
    for name in document:
        if name != "rule":
            near = "Did you mean [[rule]]?" if nearest(name, ["rule"]) else "There is only [[rule]]."
            raise RulesError("A rules file holds rules", f"{path}: there is no {name} at its top.", near)
    tables = document.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        line = _line_of(text, r"\s*(\[\s*rule\b|rule\b)")
        raise RulesError("A rule is a table in a list", f"{path}, line {line}: [rule]", "Write [[rule]].")
    if len(tables) > _MAX_RULES:
        raise RulesError("Too many rules", f"{path} holds {len(tables):,} rules, at most {_MAX_RULES:,}.", "")
    places = rule_lines(text)
    rules: list[Rule] = []
    notes: list[str] = []
    for index, table in enumerate(tables):
        place = places[index] if len(places) == len(tables) else RuleLines(1)
        rule = _rule(table, path, place, notes)
        twin = next((other for other in rules if other.name == rule.name), None)
        if twin is not None:
            said = f"{path}, line {place.line('name')}: there is a rule {rule.name} already, at line {twin.line}."
            raise RulesError("Two rules of one name", said, "Give it another name.")
        rules.append(rule)
    return RulesFile(path, tuple(rules), tuple(notes))


def from_spec(spec: str, *, enabled: bool) -> Rule:
    """A rule as the store keeps it. Raises `RulesError` where this version no longer reads it."""
    table = jsonx.loads(spec)
    kept = {name: value for name, value in table.items() if value is not None and name != "walks"}
    options = {name: value for name, value in kept["evaluate"].items() if value is not None}
    return _rule(kept | {"evaluate": options, "enabled": enabled}, "the store", RuleLines(0), [])


def _rule(table: Mapping[str, Any], path: str, place: RuleLines, notes: list[str]) -> Rule:
    try:
        given = check(table, OPTIONS)
        rule = Rule(
            **{name: given[name] for name in _MEANING if name != "on"}
            | {name: given[name] for name in ("name", "enabled", "history", "lower_is_better", "means", "do")},
            on=Level(given["on"]), evaluate=_evaluate(given["evaluate"]), line=place.line("name"),
        )  # fmt: skip
        _check(rule, notes, path, place)
        _then(given["then"], rule, notes, path, place)
    except OptionError as error:
        name = table.get("name")
        of = f" (rule {name})" if isinstance(name, str) else ""
        line = f", line {place.line(error.option)}" if place.start else ""
        raise RulesError("A rule is wrong", f"{path}{line}: {error.message}{of}", error.hint) from None
    return rule


def _evaluate(table: Any) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise OptionError(
            "evaluate", "evaluate is no table", 'Write [rule.evaluate] with type = "regex" and its options.'
        )
    name = table.get("type")
    if not isinstance(name, str) or name not in TYPES:
        if name is None:
            raise OptionError("evaluate", "evaluate has no type", f"There are {', '.join(TYPES)}.")
        near = nearest(str(name), list(TYPES))
        hint = f"Did you mean {near}?" if near else f"There are {', '.join(TYPES)}."
        raise OptionError("evaluate.type", f"there is no evaluator {name!r}", hint)
    try:
        options = check({key: value for key, value in table.items() if key != "type"}, TYPES[name].options)
    except OptionError as error:
        raise OptionError(f"evaluate.{error.option}", error.message, error.hint) from None
    return {"type": name} | options


def _check(rule: Rule, notes: list[str], path: str, place: RuleLines) -> None:
    """What options do not say alone."""
    if not _NAME.fullmatch(rule.name):
        raise OptionError(
            "name", f"name = {rule.name!r} has blanks, a slash or is too long", "Such as user-frustration."
        )
    if not _NAME.fullmatch(rule.key):
        raise OptionError("key", f"key = {rule.key!r} has blanks, a slash or is too long", "Such as frustrated.")
    kind = TYPES[rule.evaluate["type"]]
    score = rule.evaluate["score"]
    if score == "value" and kind.name != "threshold":
        raise OptionError(
            "evaluate.score", f"{kind.name} measures no value", "threshold does; here there are hit and count."
        )
    if rule.record == "all" and rule.evaluate["value"] is not None:
        raise OptionError("record", 'record = "all" writes scores, and this rule writes a label', "Leave out value.")
    if rule.record == "all" and not (isinstance(score, str) or score in (0, 1)):
        raise OptionError(
            "record", 'record = "all" needs a score that 0 is no hit of', 'score = "hit", "count", 0 or 1.'
        )
    try:
        rule.build(Tools())
    except OptionError as error:
        raise OptionError(f"evaluate.{error.option}", error.message, error.hint) from None
    _check_where(rule, notes, path, place)


def _check_where(rule: Rule, notes: list[str], path: str, place: RuleLines) -> None:
    from tracetui.query.ast import Field, leaves

    if not rule.where:
        return
    try:
        tree = parse(rule.where)
    except FilterError as error:
        raise OptionError("where", f"where = {rule.where!r}: {error.message}", error.hint) from None
    if any(isinstance(leaf, Field) and leaf.name == "feedback" for leaf in leaves(tree)):
        notes.append(
            f"{path}, line {place.line('where')}: {rule.name} looks at feedback when it judges; "
            "feedback that comes later does not wake it."
        )


def _then(then: Any, rule: Rule, notes: list[str], path: str, place: RuleLines) -> None:
    if then is None:
        return
    for action in then if isinstance(then, list) else [then]:
        name = action.get("action") if isinstance(action, Mapping) else None
        if name not in ACTIONS:
            near = nearest(str(name), list(ACTIONS))
            hint = f"Did you mean {near}?" if near else f"There are {', '.join(ACTIONS)}."
            raise OptionError("then", f"there is no action {name!r}", hint)
        notes.append(
            f"{path}, line {place.line('then')}: the action {name} of {rule.name} is not done by this version; "
            "its feedback is written."
        )


def _syntax(error: tomllib.TOMLDecodeError, text: str, path: str) -> RulesError:
    said = str(error)
    found = re.search(r" ?\(at line (\d+), column (\d+)\)", said)
    if found:
        words = said[: found.start()]
        return RulesError(
            "The rules are no TOML", f"{path}, line {found[1]}, column {found[2]}: {words}.", _hint(words)
        )
    words = re.sub(r" ?\(at end of document\)", "", said)
    line = max(1, len(text.splitlines()))
    return RulesError("The rules are no TOML", f"{path}, line {line}: {words}, at the end of the file.", _hint(words))


def _hint(words: str) -> str:
    if "escape" in words.lower():
        return "In double quotes a backslash needs another; a pattern stands best in '''three single quotes'''."
    return "Texts stand in quotes; a rule begins with [[rule]], its evaluator with [rule.evaluate]."


def _line_of(text: str, pattern: str) -> int:
    return next((n for n, line in enumerate(text.splitlines(), 1) if re.match(pattern, line)), 1)


def _besides_defaults(values: Mapping[str, Any], options: Sequence[Option]) -> dict[str, Any]:
    defaults = {option.name: option.default for option in options}
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value
