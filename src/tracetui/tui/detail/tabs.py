"""The tabs of the pane: which a row has, and the lines of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tracetui.model.kinds import Kind, Level
from tracetui.model.offered import tools_of
from tracetui.model.text import display
from tracetui.tui.detail import facts, summary
from tracetui.tui.detail.chat import chat_lines, earlier_line, said_lines
from tracetui.tui.detail.failure import error_lines
from tracetui.tui.detail.line import BLANK, Line, Page, Span, indented
from tracetui.tui.detail.loaded import Loaded
from tracetui.tui.detail.offered import tools_lines
from tracetui.tui.detail.opinions import feedback_lines, feedback_tab
from tracetui.tui.detail.prose import heading
from tracetui.tui.detail.values import value_lines

EARLIER = "earlier"
"""The key of the fold that holds the messages which are not new."""

Maker = Callable[[Page, Loaded], Iterator[Line]]


def tabs_of(loaded: Loaded) -> tuple[str, ...]:
    """The names of a row's tabs, the first is the one to open with."""
    if loaded.level == Level.THREAD:
        return ("summary", "feedback", "meta")
    if loaded.level == Level.TRACE:
        return ("summary", *(("in", "out") if loaded.run is not None else ()), "feedback", "meta")
    if loaded.is_call:
        return ("new", "all", "in", "out", "tools", "feedback", "meta", "raw")
    if loaded.row.kind == Kind.LLM:
        return ("run", "in", "out", "tools", "feedback", "meta", "raw")
    return ("run", "in", "out", "feedback", "meta", "raw")


def lines_of(page: Page, loaded: Loaded, tab: str) -> Iterator[Line]:
    """The lines of a tab, made one by one."""
    return _MAKERS[tab](page, loaded)


def _new(page: Page, loaded: Loaded) -> Iterator[Line]:
    earlier = [said for number, said in enumerate(loaded.given) if number not in loaded.fresh]
    fresh = [said for number, said in enumerate(loaded.given) if number in loaded.fresh]
    if earlier:
        is_open = page.folds.is_open(EARLIER, default=False)
        yield earlier_line(page, len(earlier), is_open, EARLIER)
        if is_open:
            for said in earlier:
                yield BLANK
                yield from said_lines(page, said)
        yield BLANK
    if not fresh and earlier:
        yield Line((Span("nothing new: the call before had the same messages", "off"),))
        yield BLANK
    yield from chat_lines(page, [*fresh, *loaded.answered])
    yield from _after(page, loaded, missing=not loaded.answered)


def _all(page: Page, loaded: Loaded) -> Iterator[Line]:
    yield from chat_lines(page, [*loaded.given, *loaded.answered])
    yield from _after(page, loaded, missing=not loaded.answered)


def _after(page: Page, loaded: Loaded, *, missing: bool) -> Iterator[Line]:
    """What ends a call: its error, and what was said of it."""
    error = loaded.row.error
    if error is not None:
        yield BLANK
        yield from error_lines(page, error, "run")
    elif missing:
        yield BLANK
        yield Line((Span(_unfinished(loaded), "off"),))
    yield from _said_of_it(page, loaded)


def _unfinished(loaded: Loaded) -> str:
    return "no answer yet" if loaded.row.status == "running" else "no answer"


def _said_of_it(page: Page, loaded: Loaded) -> Iterator[Line]:
    rows = [row for _, rows in loaded.feedback for row in rows]
    if not rows:
        return
    where = [title for title, rows in loaded.feedback if rows]
    yield BLANK
    yield from feedback_lines(page, rows, "feedback", _places(where))


def _places(where: list[str]) -> str:
    """`here and on the trace`; nothing where all is said here."""
    if where == ["here"]:
        return ""
    if len(where) > 2:  # short, so that the heading beside it stays whole in a narrow pane
        where = [title.removeprefix("on the ") for title in where]
    return " and ".join([", ".join(where[:-1]), where[-1]] if len(where) > 1 else where)


def _run(page: Page, loaded: Loaded) -> Iterator[Line]:
    """A run that is no call of a model: what went in, what came out, what failed."""
    run = loaded.run
    assert run is not None
    if loaded.row.error is not None:
        yield from error_lines(page, loaded.row.error, "run")
        yield BLANK
    if loaded.given or loaded.answered:
        yield from chat_lines(page, [*loaded.given, *loaded.answered])
    else:
        inner = page.shifted(2)
        yield heading("in")
        yield from indented(value_lines(inner, run.inputs, "in"))
        if run.outputs is None and loaded.row.error is not None:
            yield from _said_of_it(page, loaded)
            return
        yield BLANK
        yield heading("out")
        if run.outputs is None and loaded.row.status == "running":
            yield Line((Span("  nothing yet", "off"),))
        else:
            yield from indented(value_lines(inner, run.outputs, "out"))
    yield from _said_of_it(page, loaded)


def _in(page: Page, loaded: Loaded) -> Iterator[Line]:
    return value_lines(page, loaded.run.inputs if loaded.run else None, "in", depth=3)


def _out(page: Page, loaded: Loaded) -> Iterator[Line]:
    return value_lines(page, loaded.run.outputs if loaded.run else None, "out", depth=3)


def _tools(page: Page, loaded: Loaded) -> Iterator[Line]:
    run = loaded.run
    assert run is not None
    called = [call.name for said in loaded.answered for call in said.message.tool_calls]
    return tools_lines(page, tools_of(run.inputs, dict(run.extra)), called)


def _feedback(page: Page, loaded: Loaded) -> Iterator[Line]:
    return feedback_tab(page, loaded.feedback)


def _meta(page: Page, loaded: Loaded) -> Iterator[Line]:
    if loaded.level == Level.RUN and loaded.run is not None:
        yield from facts.meta_lines(page, loaded.run)
        return
    row = loaded.row
    about = [("id", display(row.id)), ("project", display(row.project or "")), *facts.times(row), *facts.tokens(row)]
    yield from facts.fact_lines(page, about)
    if loaded.run is not None:
        yield BLANK
        yield heading("root run")
        yield from facts.meta_lines(page, loaded.run)


def _raw(page: Page, loaded: Loaded) -> Iterator[Line]:
    run = loaded.run
    assert run is not None
    return value_lines(page, facts.raw_of(run), "raw", depth=100)


_MAKERS: dict[str, Maker] = {
    "new": _new,
    "all": _all,
    "run": _run,
    "in": _in,
    "out": _out,
    "tools": _tools,
    "feedback": _feedback,
    "meta": _meta,
    "raw": _raw,
    "summary": summary.lines,
}
