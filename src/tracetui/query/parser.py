"""Text -> syntax tree, with errors that name the place, what was expected and the nearest right thing."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from tracetui.model.errors import FilterError
from tracetui.query import ast, faults
from tracetui.query.conditions import RawTest, condition, words

MAX_LENGTH = 20_000
"""Of characters. SQLite takes patterns of 50,000 bytes, and some characters are written with a backslash there."""
MAX_DEPTH = 8
"""Of parentheses. SQLite's own parser has room for a hundred things on its stack."""
MAX_CONDITIONS = 1000


def parse(text: str) -> ast.Node:
    """The tree of a filter; an empty text gives `EVERYTHING`.

    Raises `FilterError` with the place, what was expected there, and the nearest name where one is unknown.
    """
    faults.check_outline(text, MAX_LENGTH, MAX_DEPTH)
    try:
        node: ast.Node = _Builder().transform(_parser().parse(text))
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise error.orig_exc from None
        if isinstance(error.orig_exc, RecursionError):
            raise FilterError("it is nested too deep") from None
        raise
    except RecursionError:
        raise FilterError("it is nested too deep") from None
    count = sum(1 for _ in ast.leaves(node))
    if count > MAX_CONDITIONS:
        raise FilterError(f"it has {count:,} conditions", f"at most {MAX_CONDITIONS:,} are read")
    return node


@cache
def _parser() -> Lark:
    grammar = resources.files("tracetui.query").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=False)


def _explain(error: UnexpectedInput, text: str) -> FilterError:
    if isinstance(error, UnexpectedToken):
        token = error.token
        start = len(text) if token.type == "$END" else token.start_pos or 0
        return faults.unexpected(text, start, error.accepts)
    if isinstance(error, UnexpectedCharacters):
        return faults.unexpected(text, error.pos_in_stream or 0, error.allowed)
    return FilterError("it cannot be understood", "", 0, len(text))


def _span(items: list[Any]) -> ast.Span:
    first, last = items[0], items[-1]
    start = first.start_pos if isinstance(first, Token) else first.span[0]
    end = last.end_pos if isinstance(last, Token) else last.span[1]
    return (start or 0, end or 0)


class _Builder(Transformer[Token, ast.Node]):
    """The grammar's tree -> ours. One method a rule of the grammar."""

    def start(self, items: list[ast.Node]) -> ast.Node:
        return items[0] if items else ast.EVERYTHING

    def either(self, items: list[Any]) -> ast.Node:
        nodes = [item for item in items if not isinstance(item, Token)]
        return ast.any_of(nodes, _span(nodes))

    def both(self, items: list[Any]) -> ast.Node:
        nodes = [item for item in items if not isinstance(item, Token)]
        return ast.all_of(nodes, _span(nodes))

    def negation(self, items: list[Any]) -> ast.Node:
        return ast.negated(items[1], _span(items))

    def group(self, items: list[Any]) -> ast.Node:
        inner: ast.Node = items[1]
        return inner

    def words(self, items: list[Token]) -> ast.Node:
        return words(str(items[0]), _span(items))

    def field(self, items: list[Any]) -> ast.Node:
        name, test = items
        return condition(str(name), test, name.start_pos or 0)

    def equal(self, items: list[Token]) -> RawTest:
        return RawTest(":", (str(items[0]),), _span(items))

    def compare(self, items: list[Token]) -> RawTest:
        return RawTest(str(items[0]), (str(items[1]),), _span(items))

    def contains(self, items: list[Token]) -> RawTest:
        return RawTest("~", (str(items[1]),), _span(items))

    def range(self, items: list[Token]) -> RawTest:
        opening, low, _to, high, closing = items
        return RawTest(f"{opening}{closing}", (str(low), str(high)), _span(items))
