"""What is wrong with a filter that does not fit the grammar, in words."""

from __future__ import annotations

from collections.abc import Iterable

from tracetui.model.errors import FilterError
from tracetui.query.fields import BY_NAME, example

_WORDS = {"TO": "TO", "CLOSE": "`]`", "BOUND": "a bound or *", "OR": "OR"}
_TERM = {"FIELD", "WORD"}


def check_outline(text: str, max_length: int, max_depth: int) -> None:
    """Refuse what is too long or too deep, and quotes and parentheses that are never closed."""
    if len(text) > max_length:
        raise FilterError(f"it is {len(text):,} characters long", f"at most {max_length:,} are read")
    open_at: list[int] = []
    quote, escaped = -1, False
    for place, char in enumerate(text):
        if quote >= 0:
            if escaped or char == "\\":
                escaped = not escaped
            elif char == '"':
                quote = -1
        elif char == '"':
            quote = place
        elif char == "(":
            open_at.append(place)
            if len(open_at) > max_depth:
                raise FilterError(f"parentheses are read {max_depth} deep", "", place, place + 1)
        elif char == ")":
            if not open_at:
                raise FilterError("this `)` closes nothing", "in quotes it is a text", place, place + 1)
            open_at.pop()
    if quote >= 0:
        hint = 'a quote inside quotes is written \\"'
        raise FilterError("this quote is never closed", hint, quote, len(text))
    if open_at and text[open_at[-1] + 1 :].strip():
        raise FilterError("this `(` is never closed", "in quotes it is a text", open_at[-1], open_at[-1] + 1)


def unexpected(text: str, start: int, accepts: Iterable[str]) -> FilterError:
    """The error for what stands at an offset of the text, where one of the named terminals was expected."""
    wanted = set(accepts)
    before = text[:start].rstrip()
    last = before.split()[-1] if before else ""
    part = text[start:].split(maxsplit=1)[0] if text[start:].strip() else ""
    end = start + len(part)
    wants_value = bool(wanted & {"VALUE", "BOUND"}) and "WORD" not in wanted
    if not part:
        hint = _example(last) if wants_value else _expected(wanted)
        return FilterError(f"something is missing after `{last}`", hint, len(before) - len(last), len(text))
    if part.startswith(":") and start == len(before) and last.lower() in BY_NAME:
        message = f"`{last}:` needs a value right after the colon"
        return FilterError(message, _example(last), start - len(last), start + 1)
    if part.startswith(":"):
        return FilterError(f"there is no field `{last}`", "a text with a colon goes in quotes", start - len(last), end)
    if part.startswith(")"):
        return FilterError("something is missing before this `)`", _expected(wanted), start, start + 1)
    if wants_value:
        return FilterError(f"`{part}` is no value", _example(last), start, end)
    if part[0] in "<>=~[]{}" and wanted & _TERM:
        hint = f"did you mean {last}:{part}?" if last.lower() in BY_NAME else "for example latency:>2s"
        return FilterError(f"`{part[0]}` needs a field and a colon before it", hint, start, end)
    return FilterError(f"`{part}` cannot stand here", _expected(wanted), start, end)


def _example(last: str) -> str:
    """How the condition that stands right before goes on."""
    name = last.partition(":")[0].lstrip("-(")
    spec = BY_NAME.get(name.lower().split(".")[0])
    return example(name, spec) if spec else ""


def _expected(wanted: set[str]) -> str:
    if wanted & _TERM:
        return "a condition (status:error), a word or a phrase was expected"
    names = [word for name, word in _WORDS.items() if name in wanted]
    return f"{' or '.join(names)} was expected" if names else ""
