"""A thread, trace or run as Markdown, for tickets and chats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from tracetui.cli.show_text import page_for
from tracetui.cli.show_tree import SHORT, tree_lines
from tracetui.model import jsonx
from tracetui.model.chat import Message, Role, ToolCall
from tracetui.model.kinds import Kind, Level
from tracetui.model.rows import FeedbackRow, Row
from tracetui.model.text import display
from tracetui.tui import figures
from tracetui.tui.detail.chat import Result, Said
from tracetui.tui.detail.facts import Fact, moment, run_facts, times, tokens
from tracetui.tui.detail.line import Line, Page
from tracetui.tui.detail.loaded import Loaded, load
from tracetui.tui.detail.prose import size
from tracetui.tui.detail.trajectory import Step, steps_of

if TYPE_CHECKING:
    from tracetui.store.reading import Reader

_CUT = 4000
"""Characters of a text, unless all is asked for."""
_TICKS = re.compile(r"`{3,}")


def write(reader: Reader, row: Row, *, full: bool) -> None:
    """Print a row and what belongs to it as Markdown."""
    writer = _Markdown(reader, page_for(reader, full=full), full)
    for line in writer.row(row):
        click.echo(line)


class _Markdown:
    def __init__(self, reader: Reader, page: Page, full: bool) -> None:
        self._reader, self._page, self._full = reader, page, full

    def row(self, row: Row) -> Iterator[str]:
        """A row and all below it."""
        if row.level == Level.RUN:
            yield from self._run(load(self._reader, Level.RUN, row.pk))
        elif row.level == Level.TRACE:
            yield from self._trace(row, 1)
        else:
            yield from self._head(row, 1)
            after = None
            while True:
                found = self._reader.keys(Level.TRACE, parent=row.pk, after=after)
                for trace in self._reader.rows(Level.TRACE, found.pks).values():
                    yield ""
                    yield from self._trace(trace, 2)
                after = found.after
                if after is None:
                    return

    def _head(self, row: Row, depth: int) -> Iterator[str]:
        yield f"{'#' * depth} {_inline(row.name or row.id)}"
        yield ""
        held = figures.counted(row.run_count, "run")
        errors = figures.counted(row.error_count, "error") if row.error_count else ""
        yield from _table([("id", display(row.id)), ("holds", ", ".join(filter(None, (held, errors)))), *times(row),
                           *tokens(row), ("cost", figures.money(row.cost))])  # fmt: skip
        yield from _opinions(self._reader.feedback(row.level, row.pk), depth + 1)

    def _trace(self, row: Row, depth: int) -> Iterator[str]:
        yield from self._head(row, depth)
        yield ""
        rows = self._reader.runs_of(row.pk)
        tree = tree_lines(self._page, rows, len(rows) if self._full else SHORT)
        yield from _fenced("\n".join(_plain(self._page, line) for line in tree))
        for step in steps_of(self._reader, row.pk):
            yield ""
            yield from self._step(step)

    def _step(self, step: Step) -> Iterator[str]:
        if step.call is not None:
            yield from self._call(step.call, step.result, step.row.kind or Kind.OTHER)
            return
        for number, said in enumerate(step.said):
            if number:
                yield ""
            yield from self._said(said)
        if step.row.error:
            yield ""
            yield from self._error(step.row.error)

    def _run(self, loaded: Loaded) -> Iterator[str]:
        run = loaded.run
        assert run is not None
        yield f"# {_inline(run.row.name or run.row.id)}"
        yield ""
        yield from _table(run_facts(run))
        yield from _opinions(run.feedback, 2)
        chat = [said for number, said in enumerate(loaded.given) if self._full or number in loaded.fresh]
        earlier = len(loaded.given) - len(chat)
        yield ""
        if earlier:
            yield f"*{figures.counted(earlier, 'earlier message')}*"
            yield ""
        for said in (*chat, *loaded.answered):
            yield from self._said(said)
            yield ""
        if not (loaded.given or loaded.answered):
            for title, value in (("in", run.inputs), ("out", run.outputs)):
                yield f"**{title}**"
                yield ""
                yield from _fenced(self._cut(value if isinstance(value, str) else _json(value)))
                yield ""
        if run.row.error:
            yield from self._error(run.row.error)

    def _said(self, said: Said) -> Iterator[str]:
        message = said.message
        if message.role is Role.TOOL:
            call = said.call or ToolCall(message.name or "tool")
            result = Result(error=message.text) if message.error else Result(message.text)
            yield from self._call(call, result)
            return
        name = f" {_inline(message.name)}" if message.name else ""
        yield f"**{message.role.value}**{name}"
        text = self._cut(message.text).strip()
        if text:
            yield ""
            # a quote ends whatever a text opens: fences, headings, lists
            yield from (f"> {line}".rstrip() for line in text.split("\n"))
        yield from self._calls(message, said)

    def _calls(self, message: Message, said: Said) -> Iterator[str]:
        calls = [(call, said.results.get(number)) for number, call in enumerate(message.tool_calls)]
        for call, result in (*calls, *said.did):
            yield ""
            yield from self._call(call, result)

    def _call(self, call: ToolCall, result: Result | None, kind: str = Kind.TOOL) -> Iterator[str]:
        took = "" if result is None or result.latency_us is None else f"  {figures.duration(result.latency_us)}"
        yield f"**{kind}** {_code(call.name)}{took}"
        if call.arguments not in (None, {}):
            yield ""
            arguments = call.arguments
            yield from _fenced(self._cut(arguments if isinstance(arguments, str) else _json(arguments)))
        if result is not None and result.error is not None:
            yield ""
            yield from self._error(result.error)
        elif result is not None and result.text:
            yield ""
            yield from _fenced(self._cut(result.text))

    def _error(self, error: str) -> Iterator[str]:
        yield "**error**"
        yield ""
        yield from _fenced(self._cut(error))

    def _cut(self, text: str) -> str:
        """The text made harmless; long ones cut, with how much is left."""
        if self._full or len(text) <= _CUT:
            return display(text, lines=True)
        return display(text[:_CUT], lines=True) + f"\n[{size(len(text) - _CUT)} more]"


def _plain(page: Page, line: Line) -> str:
    left = "".join(span.text for span in line.spans)
    right = "".join(span.text for span in line.right)
    return (left.ljust(page.width - len(right)) + right if right else left).rstrip()


def _table(facts: Sequence[Fact]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {name.strip()} | {_cell(value)} |" for name, value in facts if value)


def _opinions(rows: Sequence[FeedbackRow], depth: int) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"{'#' * depth} Feedback"
    yield ""
    yield "| key | score | value | source | by | comment | when |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        score = "" if row.score is None else figures.number(row.score)
        by = row.author if row.version is None else f"{row.author}@{row.version}"
        texts = [row.key, score, row.value or "", row.source, by, row.comment or "", moment(row.created_at)]
        yield "| " + " | ".join(_cell(display(text)) for text in texts) + " |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`").replace("<", "&lt;")


def _inline(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", display(text, limit=200))


def _code(text: str) -> str:
    shown = display(text, limit=200)
    return f"`{shown}`" if "`" not in shown else f"`` {shown} ``"


def _fenced(text: str) -> Iterator[str]:
    """A block that no text can end: its fence is longer than any in it."""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    yield fence
    yield from text.rstrip("\n").split("\n")
    yield fence


def _json(value: object) -> str:
    return jsonx.dumps(value).decode("utf-8", "replace")
