"""Syntax tree -> text that reads back as the same tree."""

from __future__ import annotations

import re

from tracetui.query.ast import (
    And,
    Compare,
    Contains,
    Field,
    Has,
    Is,
    Node,
    Not,
    Operand,
    Or,
    Pattern,
    Range,
    Words,
)
from tracetui.query.fields import FEEDBACK_PARTS

_PLAIN = re.compile(r'[^\s()":<>\[\]{}=~*\\/-][^\s()":*\\{}\[\]]*')
_PLAIN_KEY = re.compile(r'[^\s:"().\\*]+')
_KEYWORDS = {"and", "or", "not", "to"}


def to_text(node: Node) -> str:
    """The filter as text; `parse` gives the same tree back."""
    match node:
        case And(items=items):
            return " ".join(_grouped(item) if isinstance(item, Or) else to_text(item) for item in items)
        case Or(items=items):
            return " OR ".join(to_text(item) for item in items)
        case Not(item=item):
            return "-" + _grouped(item)
        case Words(text=text, prefix=prefix):
            return _quoted(text) + ("*" if prefix else "")
        case Field():
            return f"{_name(node)}:{_test(node)}"


def _grouped(node: Node) -> str:
    return f"({to_text(node)})" if isinstance(node, And | Or) else to_text(node)


def _name(node: Field) -> str:
    if node.name != "feedback":
        return node.name
    if node.key is None:
        key = "*"
    elif _PLAIN_KEY.fullmatch(node.key) and (node.part or node.key.lower() not in FEEDBACK_PARTS):
        key = node.key
    else:
        key = _in_quotes(node.key)
    return f"feedback.{key}.{node.part}" if node.part else f"feedback.{key}"


def _test(node: Field) -> str:
    match node.test:
        case Has():
            return "*"
        case Is(pattern=Pattern(pieces=pieces)):
            return "*".join(_quoted(piece) if piece or len(pieces) == 1 else "" for piece in pieces)
        case Contains(text=text):
            return "~" + _quoted(text)
        case Compare(op=op, operand=operand):
            return op + operand.text
        case Range(low=low, high=high, with_low=with_low, with_high=with_high):
            ends = f"{_bound(low)} TO {_bound(high)}"
            return f"{'[' if with_low else '{'}{ends}{']' if with_high else '}'}"


def _bound(operand: Operand | None) -> str:
    return "*" if operand is None else operand.text


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _KEYWORDS else _in_quotes(text)


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
