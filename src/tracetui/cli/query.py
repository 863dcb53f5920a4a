"""`tracetui query`: what a filter finds, for people and for pipes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracetui.cli.params import STORE
from tracetui.model.errors import ExitCode, FilterError, InputError
from tracetui.model.kinds import Level
from tracetui.query import ast, parse

if TYPE_CHECKING:
    from tracetui.store.access import Access
    from tracetui.store.content import Contents
    from tracetui.store.textmatch import Sql

HELP = """\
List what a filter finds: traces unless said otherwise, newest first, streamed.

A filter may begin with `-`; without one everything is listed. With --format ids the output can be piped into other
verbs. --fields takes the names that filters use, and feedback.KEY.

\b
  tracetui query traces.db 'status:error -feedback.correct:*'
  tracetui query traces.db 'kind:tool error:*' --list runs --format jsonl | jq -r .name | sort | uniq -c
  tracetui query traces.db 'feedback.helpful:<0.5' --format ids | tracetui score traces.db - cause=harness
  tracetui query traces.db status:error --count --fail-on '>0'

\b
Filters: status:error kind:llm name:refund* model:"gpt-4.1" latency:>2s tokens:[1k TO 5k] cost:>0.05 tag:prod
  feedback.KEY:* (has), -feedback.KEY:* (has not), feedback.KEY:<0.5, feedback.KEY:true, feedback.KEY:label
  words and "phrases" in names, previews and errors; AND by a blank, OR, NOT or -, parentheses
"""

_LISTS = {"threads": Level.THREAD, "traces": Level.TRACE, "runs": Level.RUN}
_FEEDBACK = "feedback"
_DEFAULT = ("id", "thread", "trace", "name", "kind", "status", "started", "latency", "tokens", "cost", "feedback")
_TABLE = {
    "threads": ("id", "traces", "runs", "errors", "started", "latency", "tokens", "cost", "feedback"),
    "traces": ("id", "name", "status", "runs", "errors", "started", "latency", "tokens", "cost", "feedback"),
    "runs": ("id", "name", "kind", "status", "started", "latency", "tokens", "cost", "feedback", "error"),
    _FEEDBACK: ("target", "key", "score", "value", "source", "author", "comment"),
}
_OPERATORS = re.compile(r"\s*(>=|<=|!=|==|=|>|<)\s*(\d+)\s*")


@click.command(
    help=HELP,
    short_help="List what a filter finds, for people and for pipes.",
    # a filter may begin with a minus sign: what is no option is part of it, and there is no -h for it to be taken for
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("store", type=STORE)
@click.argument("filter_", metavar="[FILTER]", nargs=-1, type=click.UNPROCESSED)
@click.option("--list", "listed", type=click.Choice([*_LISTS, _FEEDBACK]), default="traces", show_default=True)
@click.option(
    "--format", "form", type=click.Choice(["table", "jsonl", "csv", "md", "ids"]), default="table", show_default=True
)
@click.option("--fields", metavar="A,B,...", help="What to print of each row.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most so many rows.")
@click.option("--count", is_flag=True, help="Print how many there are, and nothing else.")
@click.option("--sql", is_flag=True, help="Print the SQL instead of running it.")
@click.option("--fail-on", metavar="COND", help="With --count: exit with 4 where the count is so ('>0', '<100').")
def command(
    store: Path,
    filter_: tuple[str, ...],
    listed: str,
    form: str,
    fields: str | None,
    limit: int | None,
    count: bool,
    sql: bool,
    fail_on: str | None,
) -> int:
    """Print the rows, their number, or the SQL that finds them."""
    from tracetui.store.access import Access
    from tracetui.store.content import Contents

    condition = _condition(fail_on, count)
    names = _fields(listed, form, fields)
    node = _parse(" ".join(filter_))
    access = Access(store)
    try:
        asked = _Asked(access, Contents(access.conn), node, listed, names, limit)
        if sql:
            _print_sql(asked.statement(count))
            return ExitCode.DONE
        _hint(access, node)
        if count:
            number = asked.count()
            click.echo(number)
            return ExitCode.CONDITION if condition is not None and condition.holds(number) else ExitCode.DONE
        _print(asked, form)
    finally:
        access.close()
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Condition:
    """The condition of `--fail-on`."""

    op: str
    number: int

    def holds(self, count: int) -> bool:
        left, right = count, self.number
        return {
            ">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right, "!=": left != right,
            "=": left == right, "==": left == right,
        }[self.op]  # fmt: skip


def _condition(text: str | None, count: bool) -> _Condition | None:
    if text is None:
        return None
    if not count:
        raise click.UsageError("--fail-on needs --count")
    found = _OPERATORS.fullmatch(text)
    if found is None:
        raise InputError("Not a condition", f"--fail-on takes `>0` or the like, not `{text}`", "For example '>0'")
    return _Condition(found[1], int(found[2]))


def _fields(listed: str, form: str, text: str | None) -> tuple[str, ...]:
    """The fields to print. Raises `InputError` naming the nearest one."""
    from tracetui.query.fields import nearest
    from tracetui.store.listing import FEEDBACK_FIELDS, FIELDS, SHOWN_AS

    if form == "ids":
        return ("id",)
    if text is None and listed != _FEEDBACK:
        return _TABLE[listed] if form in ("table", "md") else _DEFAULT
    if text is None:
        return _TABLE[listed] if form in ("table", "md") else FEEDBACK_FIELDS
    known = FEEDBACK_FIELDS if listed == _FEEDBACK else FIELDS
    spelled = {shown: name for name, shown in SHOWN_AS.items()}
    out = []
    for part in text.split(","):
        name = spelled.get(part.strip(), part.strip()) if listed != _FEEDBACK else part.strip()
        if name not in known and not (listed != _FEEDBACK and name.startswith("feedback.")):
            near = nearest(name, list(known))
            hint = f"Did you mean {near}?" if near else f"There are {', '.join(known)}"
            raise InputError("No such field", f"`{name}` in --fields is no field of {listed}", hint)
        out.append(name)
    return tuple(dict.fromkeys(out))


def _parse(text: str) -> ast.Node:
    try:
        return parse(text)
    except FilterError as error:
        if error.end <= error.start:
            raise
        line = " ".join(text.splitlines())
        width = min(error.end, len(line)) - error.start
        place = f"{error.message}\n  {line}\n  {' ' * error.start}{'^' * max(width, 1)}"
        raise FilterError(place, error.hint, error.start, error.end) from None


def _hint(access: Access, node: ast.Node) -> None:
    """Say on stderr which feedback keys and tags of a filter occur nowhere: it may be a slip of the pen."""
    from tracetui.query.fields import nearest

    for key in ast.feedback_keys(node):
        if access.first("SELECT 1 FROM feedback WHERE key = ? AND deleted = 0 LIMIT 1", (key,)) is None:
            known = [name for (name,) in access.all("SELECT key FROM feedback_key ORDER BY key")]
            near = None if key in known else nearest(key, known)
            others = "" if key in known or not known else f"; keys are {', '.join(known[:20])}"
            meant = f"; did you mean {near}?" if near else others
            click.echo(f"hint: no feedback has the key {key}{meant}", err=True)
    for tag in ast.tags(node):
        if not _tag_occurs(access, tag):
            click.echo(f"hint: nothing has the tag {tag}", err=True)


def _tag_occurs(access: Access, tag: str) -> bool:
    from tracetui.store.fieldsql import condition

    named = ast.Field("tag", ast.Is(ast.Pattern((tag,))))
    for level in (Level.TRACE, Level.RUN):
        test = condition(level, named)
        if access.first(f"SELECT 1 FROM {level.value} WHERE {test.text} LIMIT 1", test.params) is not None:
            return True
    return False


class _Asked:
    """What a line asks for: the rows of a filter, their number and their SQL."""

    def __init__(
        self, access: Access, contents: Contents, node: ast.Node, listed: str, fields: Sequence[str], limit: int | None
    ) -> None:
        self._access = access
        self._contents = contents
        self._node = node
        self._level = _LISTS.get(listed)
        self.fields = fields
        self._limit = limit

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The rows, page by page; nothing of the store is held between two of them."""
        from tracetui.store import listing, pages

        if self._level is None:
            yield from listing.feedback_listed(
                self._access, self._contents, self._for_feedback(), self.fields, self._limit
            )
            return
        for pks in pages.everything(self._access, self._level, self._where(self._level), self._limit):
            yield list(listing.listed(self._access, self._contents, self._level, pks, self.fields))

    def count(self) -> int:
        """How many rows there are, at most the limit."""
        from tracetui.store import listing, pages

        if self._level is None:
            number = listing.feedback_count(self._access, self._for_feedback())
        else:
            number = pages.count(self._access, self._level, self._where(self._level))
        return number if self._limit is None else min(number, self._limit)

    def statement(self, count: bool) -> Sql:
        """The query of the first page (or of the count)."""
        from tracetui.store import listing, pages

        limit = 500 if self._limit is None else min(500, self._limit)
        if self._level is None:
            if count:
                return listing.count_statement(self._for_feedback())
            return listing.feedback_statement(self._for_feedback(), self.fields, 2**62, limit)
        matching = pages.condition(self._access, self._level, self._where(self._level))
        if count:
            return pages.count_statement(self._level, matching)
        return pages.Order.of(self._level).statement(matching, None, limit)

    def _where(self, level: Level) -> Any:
        from tracetui.store.filters import compile_filter

        return compile_filter(self._node, level)

    def _for_feedback(self) -> Sql:
        from tracetui.store.filters import compile_for_feedback

        return compile_for_feedback(self._node)


def _print_sql(sql: Sql) -> None:
    """The statement; the values of its parameters are written into it."""
    parts = sql.text.split("?")
    click.echo("".join(part + literal for part, literal in zip(parts, [*map(_literal, sql.params), ";"], strict=True)))


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def _print(asked: _Asked, form: str) -> None:
    from tracetui.cli import query_formats

    write = query_formats.FORMATS[form]
    for text in write(asked.pages(), asked.fields):
        click.echo(text, nl=False)
        sys.stdout.flush()
