"""The options of an evaluator, as data: checked in rules files, and printed as their reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tracetui.query.fields import nearest


class Required(Enum):
    """Stands for the default of an option that must be given."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its name, what values it takes, its default and a line on what it does.

    `kind` is `text`, `texts` (a text or a list of them), `integer`, `number`, `boolean`, `choice`, `amount` (a number
    or a text such as `30s`), `score` (one of `choices` or a number) or `table` (checked by the evaluator).
    """

    name: str
    kind: str
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


class OptionError(ValueError):
    """An option is wrong: which one, what is wrong, and the nearest right thing."""

    def __init__(self, option: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.option = option
        self.message = message
        self.hint = hint


def check(given: Mapping[str, Any], options: Sequence[Option]) -> dict[str, Any]:
    """The values of all options, defaults filled in; raises `OptionError` for the first that is wrong."""
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            near = nearest(name, list(known))
            hint = f"Did you mean {near}?" if near else f"There are {', '.join(known)}."
            raise OptionError(name, f"there is no option {name}", hint)
    values: dict[str, Any] = {}
    for option in options:
        if option.name in given:
            values[option.name] = _checked(option, given[option.name])
        elif option.default is REQUIRED:
            raise OptionError(option.name, f"{option.name} is missing", f"{option.name}: {option.help}.")
        else:
            values[option.name] = option.default
    return values


def _checked(option: Option, value: Any) -> Any:
    match option.kind:
        case "text":
            return _text(option, value)
        case "texts":
            return _texts(option, value)
        case "boolean":
            if isinstance(value, bool):
                return value
        case "integer":
            if isinstance(value, int) and not isinstance(value, bool):
                return _within(option, value)
        case "number":
            if _is_number(value):
                return _within(option, value)
        case "choice":
            return _choice(option, value)
        case "score":
            return float(value) if _is_number(value) else _choice(option, value)
        case "amount":
            if _is_number(value) or isinstance(value, str):
                return value
        case "table":
            return value
    raise OptionError(option.name, f"{option.name} = {value!r} is no {option.kind}", f"{option.help}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(option: Option, value: Any) -> str:
    if not isinstance(value, str):
        raise OptionError(option.name, f"{option.name} = {value!r} is no text", "Texts stand in quotes.")
    if not value and option.default != "":
        raise OptionError(option.name, f"{option.name} is empty", f"{option.help}.")
    return value


def _texts(option: Option, value: Any) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not items:
        raise OptionError(
            option.name, f"{option.name} = {value!r} is neither a text nor a list of texts", f"{option.help}."
        )
    return tuple(_text(option, item) for item in items)


def _choice(option: Option, value: Any) -> str:
    if isinstance(value, str) and value in option.choices:
        return value
    near = nearest(value, list(option.choices)) if isinstance(value, str) else None
    hint = f"Did you mean {near!r}?" if near else f"It is one of {', '.join(option.choices)}."
    raise OptionError(option.name, f"{option.name} = {value!r} is unknown", hint)


def _within(option: Option, value: float) -> float:
    if option.low is not None and value < option.low:
        raise OptionError(option.name, f"{option.name} = {value} is less than {option.low:g}", f"{option.help}.")
    if option.high is not None and value > option.high:
        raise OptionError(option.name, f"{option.name} = {value} is more than {option.high:g}", f"{option.help}.")
    return value
