"""From what the grammar saw to typed conditions: names are looked up, numbers read, values checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tracetui.model.errors import FilterError
from tracetui.query import ast
from tracetui.query.fields import BY_NAME, FEEDBACK_PARTS, FieldSpec, FieldType, example, nearest
from tracetui.query.numbers import read_number
from tracetui.query.tokens import tokens

_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|(\*+)|([^"*]+)', re.S)
_SEGMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^".]+)', re.S)
_ESCAPE = re.compile(r'\\(["\\])')
_NUMERIC = (FieldType.COUNT, FieldType.DURATION, FieldType.MONEY)
_REGEX = re.compile(r"/.+/[a-z]*", re.S)


@dataclass(frozen=True, slots=True)
class RawTest:
    """What stands after `field:`. `op` is `:`, a comparison, `~`, or the two brackets of a range."""

    op: str
    texts: tuple[str, ...]
    span: ast.Span


def words(raw: str, span: ast.Span) -> ast.Words:
    """The node of a bare word, a phrase, or a prefix (`word*`)."""
    pieces = pattern(raw).pieces
    prefix = len(pieces) == 2 and pieces[1] == ""
    if len(pieces) > 1 and not prefix:
        raise FilterError(f"`*` stands only at the end of a word: `{raw}`", 'in quotes it is a star: "*"', *span)
    text = pieces[0]
    if not tokens(text):
        raise FilterError(f"`{raw}` has neither letter nor digit to look for", "", *span)
    return ast.Words(text, prefix, span)


def condition(name: str, test: RawTest, start: int) -> ast.Field:
    """The node of `name:test`; `name` is as written, with its colon, and begins at offset `start`."""
    segments = _segments(name[:-1])
    named = (start, start + len(name) - 1)
    span = (start, test.span[1])
    field = segments[0].lower()
    spec = BY_NAME.get(field)
    if spec is None:
        raise _unknown(segments[0], named)
    if spec.type is FieldType.SCORE:
        return _feedback(segments[1:], name, test, named, span)
    if len(segments) > 1:
        raise FilterError(f"`{field}` has no parts", example(field, spec), *named)
    return ast.Field(field, _typed(spec, field, test), span=span)


def _feedback(path: list[str], name: str, test: RawTest, named: ast.Span, span: ast.Span) -> ast.Field:
    if not path or not all(path):
        raise FilterError(
            "`feedback` needs a key", "for example feedback.helpful:<0.5; of any key: feedback.*:*", *named
        )
    part = path[-1].lower() if len(path) > 1 and not name.endswith('":') else ""
    if part not in FEEDBACK_PARTS:
        part = ""
    keys = path[:-1] if part else path
    key = None if keys == ["*"] and '"*"' not in name else ".".join(keys)
    if test.op == ":" and _is_star(test.texts[0]):
        return ast.Field("feedback", ast.Has(), key, part, span)
    spec = FEEDBACK_PARTS[part] if part else BY_NAME["feedback"]
    return ast.Field("feedback", _typed(spec, name[:-1], test), key, part, span)


def _typed(spec: FieldSpec, name: str, test: RawTest) -> ast.Test:
    if test.op == ":":
        return _equal(spec, name, test)
    if test.op == "~":
        return _contains(spec, name, test)
    if spec.type not in (*_NUMERIC, FieldType.SCORE):
        raise FilterError(f"`{name}` has no order to compare by", example(name, spec), *test.span)
    if len(test.texts) == 1:
        return ast.Compare(test.op, _operand(spec, name, test.texts[0], test.span))
    low, high = (_bound(spec, name, text, test.span) for text in test.texts)
    if low is not None and high is not None and low.value > high.value:
        raise FilterError(f"the range ends before it begins: {low.text} TO {high.text}", "", *test.span)
    return ast.Range(low, high, test.op[0] == "[", test.op[1] == "]")


def _equal(spec: FieldSpec, name: str, test: RawTest) -> ast.Test:
    raw = test.texts[0]
    if _is_star(raw):
        return ast.Has()
    if _REGEX.fullmatch(raw):
        raise FilterError(
            f"`{raw}` looks like a regular expression; a filter has none here",
            f'{name}:~TEXT finds what contains a text; in quotes it is the text itself: "{raw}"',
            *test.span,
        )
    read = pattern(raw)
    if spec.type in _NUMERIC:
        return ast.Is(ast.Pattern((_operand(spec, name, read.exact or raw, test.span).text,)))
    if spec.choices and read.exact is not None:
        return ast.Is(ast.Pattern((_choice(spec, name, read.exact, test.span),)))
    return ast.Is(read)


def _contains(spec: FieldSpec, name: str, test: RawTest) -> ast.Test:
    read = pattern(test.texts[0])
    if spec.type in _NUMERIC:
        raise FilterError(f"`{name}` is a number, it contains nothing", example(name, spec), *test.span)
    if read.exact is None or not read.exact:
        raise FilterError("`~` takes a plain text", f'for example {name}:~refund or {name}:~"a star: *"', *test.span)
    return ast.Contains(read.exact)


def _choice(spec: FieldSpec, name: str, text: str, span: ast.Span) -> str:
    word = dict(spec.aliases).get(text.lower(), text.lower())
    if word not in spec.choices:
        near = nearest(word, [*spec.choices, *dict(spec.aliases)])
        hint = f"did you mean {name}:{near}? " if near else ""
        raise FilterError(f"`{name}` is never `{text}`", f"{hint}{example(name, spec)}".strip(), *span)
    return word


def _operand(spec: FieldSpec, name: str, raw: str, span: ast.Span) -> ast.Operand:
    value = read_number(raw, spec.type)
    if value is None:
        what = {FieldType.DURATION: "a duration", FieldType.MONEY: "an amount"}.get(spec.type, "a number")
        raise FilterError(f"`{raw}` is not {what}", example(name, spec), *span)
    return ast.Operand(raw, value)


def _bound(spec: FieldSpec, name: str, raw: str, span: ast.Span) -> ast.Operand | None:
    return None if raw == "*" else _operand(spec, name, raw, span)


def _unknown(name: str, span: ast.Span) -> FilterError:
    near = nearest(name, list(BY_NAME))
    if near == "feedback":
        near = "feedback.KEY"
    hint = f"did you mean {near}?" if near else f"fields are {', '.join(BY_NAME)}; a text with a colon goes in quotes"
    return FilterError(f"there is no field `{name}`", hint, *span)


def _segments(name: str) -> list[str]:
    parts: list[str] = []
    at = 0
    while at <= len(name):
        found = _SEGMENT.match(name, at)
        if found is None:  # nothing between two dots, or after the last
            parts.append("")
            at += 1
            continue
        parts.append(found[2] if found[2] is not None else _ESCAPE.sub(r"\1", found[1]))
        at = found.end() + 1
    return parts


def _is_star(raw: str) -> bool:
    return bool(raw) and raw.strip("*") == ""


def pattern(raw: str) -> ast.Pattern:
    """The pattern of a value as written: pieces in quotes or not, stars outside quotes between them."""
    pieces = [""]
    for found in _PIECE.finditer(raw):
        if found[2]:
            if len(pieces) == 1 or pieces[-1]:  # several stars are one
                pieces.append("")
        elif found[1] is not None:
            pieces[-1] += _ESCAPE.sub(r"\1", found[1])
        else:
            pieces[-1] += found[3]
    return ast.Pattern(tuple(pieces))
