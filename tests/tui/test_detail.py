"""The detail pane: what stands on its lines, and what its keys do."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tracetui.model.kinds import Kind, Level, Source
from tracetui.model.messages import input_messages
from tracetui.model.novelty import NewInCall
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.model.rows import FeedbackKey, FeedbackRow, Row, RunDetail
from tracetui.store.conversation import ToolRun
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer
from tracetui.tui import ink
from tracetui.tui.detail.line import Folds, Line, Page, Part
from tracetui.tui.detail.line import Source as Lines
from tracetui.tui.detail.loaded import Loaded, assemble
from tracetui.tui.detail.prose import wrap
from tracetui.tui.detail.tabs import EARLIER, lines_of, tabs_of
from tracetui.tui.widgets.detail import DetailPane

NOW = 1_764_000_000_000_000
KEYS = {
    "helpful": FeedbackKey(key="helpful", type="continuous", min=0, max=1),
    "frustrated": FeedbackKey(key="frustrated", type="boolean", lower_is_better=True),
}
STACK = """Traceback (most recent call last):
  File "/app/shop/orders.py", line 41, in lookup
    return ORDERS[number]
  File "/usr/lib/python3.11/site-packages/wrapt/core.py", line 10, in __call__
    return self.wrapped()
  File "/usr/lib/python3.11/site-packages/wrapt/core.py", line 12, in call
    return wrapped()
KeyError: no order "4411"
"""


def detail(
    kind: str = Kind.LLM, *, inputs: Any = None, outputs: Any = None, extra: Any = None, **row: Any
) -> RunDetail:
    return RunDetail(
        row=Row(level=Level.RUN, pk=1, id="x:1", name="gpt-4.1", kind=kind, trace_pk=1, **row),
        trace_id="t", thread_id=None, parent_id=None, session=None, user=None, provider=None, response_id=None,
        first_token_us=None, cache_write_tokens=None, reasoning_tokens=None, cost_source=None, tags=(),
        metadata={}, inputs=inputs, outputs=outputs, extra=extra or {},
    )  # fmt: skip


def said(**fields: Any) -> FeedbackRow:
    given = FeedbackRow(
        pk=1, id="f", level=Level.RUN, target_pk=1, target_id="x:1", key="helpful", score=None, value=None,
        comment=None, correction=None, source=Source.HUMAN, author="mira", version=None, evidence=None,
        superseded=False, created_at=NOW, modified_at=NOW,
    )  # fmt: skip
    return replace(given, **fields)


def ran(**fields: Any) -> ToolRun:
    given = ToolRun(
        pk=9, id="x:9", name="lookup_order", status="success", error=None, started_at=0, ended_at=200_000,
        sibling=True, inputs={}, outputs=None, extra={},
    )  # fmt: skip
    return replace(given, **fields)


def page(folds: Folds | None = None, width: int = 60) -> Page:
    return Page(width, ink.UNICODE, folds or Folds(), KEYS, NOW)


def text(line: Line, width: int = 60) -> str:
    left = "".join(span.text for span in line.spans)
    right = "".join(span.text for span in line.right)
    return (left + (" " * (width - cell_len(left + right)) + right if right else "")).rstrip()


def shown(loaded: Loaded, tab: str, folds: Folds | None = None, width: int = 60) -> list[str]:
    return [text(line, width) for line in lines_of(page(folds, width), loaded, tab)]


CALL = {"id": "c1", "type": "function", "function": {"name": "lookup_order", "arguments": '{"id": "4411"}'}}
TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Where is my order?"},
    {"role": "assistant", "content": "Which one?"},
    {"role": "user", "content": "wtf, this is the third time I ask. The order is 4411-B, not 4411. Where is my money?"},
]


def refund(**row: Any) -> RunDetail:
    return detail(
        inputs={"messages": TALK}, outputs={"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]}, **row
    )


def new_in(run: RunDetail, *fresh: int) -> NewInCall:
    return NewInCall(tuple(input_messages(run.inputs)), fresh)


def test_what_is_new_comes_first_and_each_call_stands_over_its_result() -> None:
    run = refund()
    after = [ran(inputs={"id": "4411"}, error='KeyError: no order "4411"\n' + STACK)]
    loaded = assemble(run, new_in(run, 3), after=after)
    assert shown(loaded, "new", width=50) == [
        "▸ 3 earlier messages",
        "",
        "user",
        "▎ wtf, this is the third time I ask. The order is",
        "▎ 4411-B, not 4411. Where is my money?",
        "",
        "assistant",
        "  Let me look.",
        "",
        '  ƒ lookup_order  id="4411"                   0.2s',
        '  × KeyError  no order "4411"',
        "    ▾ stack, 3 frames",
        "      /app/shop/orders.py:41  lookup",
        "        return ORDERS[number]",
        "      ▸ 2 frames of wrapt",
    ]
    folds = Folds()
    folds.press(Part("fold", EARLIER))
    assert shown(loaded, "new", folds)[:5] == ["▾ 3 earlier messages", "", "system", "  Be kind.", ""]


def test_a_result_that_came_in_is_shown_with_the_call_it_answers() -> None:
    messages = [
        *TALK,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "sent"},
    ]
    run = detail(inputs={"messages": messages}, outputs="It is sent.")
    loaded = assemble(run, new_in(run, 5), before=[ran(extra={"tool_call_id": "c1"})])
    assert shown(loaded, "new", width=40)[2:5] == [
        "tool result",
        '  ƒ lookup_order  id="4411"         0.2s',
        "    sent",
    ]


def test_results_are_paired_by_id_then_by_arguments_then_by_name() -> None:
    calls = [
        {"id": "a", "function": {"name": "look", "arguments": '{"n": 1}'}},
        {"id": "b", "function": {"name": "look", "arguments": '{"n": 2}'}},
        {"id": "c", "function": {"name": "send", "arguments": '{"n": 3}'}},
    ]
    run = detail(inputs={"messages": TALK}, outputs={"role": "assistant", "content": None, "tool_calls": calls})
    after = [
        ran(pk=1, name="look", inputs={"n": 2}, outputs="second"),
        ran(pk=2, name="look", inputs={"n": 9}, outputs="first", extra={"gen_ai.tool.call.id": "a"}),
        ran(pk=3, name="send", inputs={"input": '{"n": 7}'}, outputs={"output": "third"}),
    ]
    lines = shown(assemble(run, new_in(run, 3), after=after), "new")
    results = [line.strip() for line in lines if line.strip() in ("first", "second", "third")]
    assert results == ["first", "second", "third"]


def test_what_an_agent_did_after_a_plain_answer_stands_under_it() -> None:
    run = detail(inputs={"messages": TALK[:2]}, outputs={"role": "assistant", "content": "```bash\nls\n```"})
    loaded = assemble(run, new_in(run, 0, 1), after=[ran(name="bash", inputs={"command": "ls"}, outputs="a.py\nb.py")])
    assert shown(loaded, "new", width=40)[-3:] == ['  ƒ bash  command="ls"              0.2s', "    a.py", "    b.py"]


def test_the_tools_offered_with_what_they_say_of_themselves() -> None:
    schema = {
        "properties": {"id": {"type": "string", "description": "Its number"}, "how": {"enum": ["a", "b"]}},
        "required": ["id"],
    }
    tools = [
        {
            "type": "function",
            "function": {"name": "lookup_order", "description": "Finds an order", "parameters": schema},
        },
        {"name": "send", "input_schema": {"type": "object"}},
    ]
    run = detail(inputs={"messages": TALK, "tools": tools}, outputs={"role": "assistant", "tool_calls": [CALL]})
    assert shown(assemble(run, new_in(run, 3)), "tools", width=40) == [
        "2 tools offered",
        "",
        "ƒ lookup_order                    called",
        "  Finds an order",
        "    id  string",
        "      Its number",
        "    how  one of a, b, optional",
        "",
        "ƒ send",
        "  no description",
        "      type  object",
    ]


def test_feedback_says_key_value_source_author_and_where() -> None:
    run = replace(
        refund(),
        feedback=(
            said(pk=1, key="frustrated", score=1, source=Source.RULE, author="user-frustration", version=2),
            said(pk=2, key="helpful", score=0.9, comment="at last"),
            said(pk=3, key="cause", value="model", comment="ignored the suffix"),
        ),
    )
    trace = said(
        pk=4, key="helpful", score=0.2, source=Source.USER, author="", comment="wrong order again", level=Level.TRACE
    )
    loaded = assemble(run, new_in(run, 3), feedback=(("here", run.feedback), ("on the trace", (trace,))))
    lines = [line[:47].rstrip() for line in shown(loaded, "new", width=60)]
    at = lines.index(next(line for line in lines if line.startswith("feedback")))
    assert lines[at + 1 :] == [
        "▌frustrated   1  R user-frustration@2",
        "▌helpful     .2  U “wrong order again”",
        " helpful     .9  H mira  “at last”",
        "",
        "why it failed",
        "  model  ignored the suffix",
    ]
    full = shown(loaded, "feedback", width=50)
    assert "   at last" in full
    assert full.count("here") == full.count("on the trace") == 1


def test_json_folds_and_long_lists_have_pages() -> None:
    value = {"messages": TALK[:1], "deep": {"a": {"b": {"c": 1}}}, "many": list(range(250)), "none": None, "empty": {}}
    loaded = assemble(detail(Kind.CHAIN, inputs=value), None)
    folds = Folds()
    lines = shown(loaded, "in", folds)
    assert lines[:5] == [
        "▾ messages  1 item",
        "  ▾ 0  system  2 keys",
        "      role  system",
        "      content  Be kind.",
        "▾ deep  1 key",
    ]
    assert "    ▸ b  1 key" in lines
    assert "▸ many  250 items" in lines
    many = next(line for line in lines_of(page(folds), loaded, "in") if "many" in text(line))
    folds.press(many.part)
    lines = shown(loaded, "in", folds)
    assert "  150 more   enter" in lines
    more = next(line for line in lines_of(page(folds), loaded, "in") if "150 more" in text(line))
    folds.press(more.part)
    lines = shown(loaded, "in", folds)
    assert "    199  199" in lines
    assert "  50 more   enter" in lines


def test_a_text_of_ten_megabytes_is_cut_with_how_much_is_left() -> None:
    huge = "x" * 10_000_000
    run = detail(inputs={"messages": [{"role": "user", "content": huge}]}, outputs="ok")
    lines = shown(assemble(run, new_in(run, 0)), "new", width=40)
    assert lines[61] == "▎ 10.0 MB more   enter"
    assert len(lines) < 70
    for tab in ("all", "in", "raw"):
        assert len(shown(assemble(run, new_in(run, 0)), tab)) < 80


def test_lines_are_made_when_they_are_looked_at() -> None:
    made: list[int] = []

    def endless() -> Any:
        for number in range(10**9):
            made.append(number)
            yield Line()

    lines = Lines(endless())
    assert lines.get(40) is not None
    assert len(made) == 41
    assert not lines.complete


def test_a_trace_says_what_failed() -> None:
    row = Row(
        level=Level.TRACE, pk=1, id="t", name="refund flow", run_count=9, error_count=3, llm_calls=4, tool_calls=4,
        input_preview="money back", output_preview="no",
    )  # fmt: skip
    failed = tuple(
        Row(level=Level.RUN, pk=pk, id=f"x:{pk}", name=name, status="error", error=error)
        for pk, name, error in (
            (1, "look", "KeyError: 4411\nmore"),
            (2, "look", "KeyError: 4411"),
            (3, "send", "Timeout"),
        )
    )
    loaded = Loaded(row=row, failed=failed)
    assert tabs_of(loaded) == ("summary", "feedback", "meta")
    lines = shown(loaded, "summary")
    assert lines[0] == "holds  9 runs, 3 errors"
    assert lines[3:8] == ["3 errors", "× look x2", "  KeyError: 4411", "× send", "  Timeout"]
    assert lines[-2:] == ["assistant", "  no"]


HOSTILE = st.text(alphabet='a b\x1b[31m\x9b\n\t\r\u202e\u200b\ud800\U000e0041[bold]é漢\u0301\0\\"{', max_size=40)
hostile_json = st.recursive(
    HOSTILE | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(HOSTILE, hostile_json, st.integers(12, 100))
def test_nothing_harmful_reaches_a_line_and_no_line_is_too_wide(words: str, value: Any, width: int) -> None:
    call = {"id": words, "function": {"name": words, "arguments": value}}
    messages = [
        {"role": "user", "content": words},
        {"role": words or "x", "content": [{"type": "text", "text": words}, {"type": "thinking", "thinking": words}]},
        {"role": "assistant", "content": words, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": words, "content": words, "is_error": True},
    ]
    tools = [{"name": words, "description": words, "parameters": {"properties": {words: {"description": words}}}}]
    opinion = said(key=words, value=words, comment=words, correction=value, author=words, evidence={"text": words})
    inputs = {"messages": messages, "tools": tools, words: value}
    run = detail(inputs=inputs, outputs=messages[2], extra={words: value}, error=words + "\n" + STACK)
    run = replace(run, feedback=(opinion,))
    loaded = assemble(run, new_in(run, 0, 1, 2, 3), after=[ran(name=words, inputs=value, outputs=value, error=words)])
    for tab in tabs_of(loaded):
        for line in lines_of(page(width=width), loaded, tab):
            for span in (*line.spans, *line.right):
                harmful = [char for char in span.text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
                assert not harmful, (tab, span.text)


@given(st.text(alphabet="ab 漢é", max_size=200), st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(words: str, width: int) -> None:
    lines = list(wrap(words, width))
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


# -- the widget, on a real store


class Stage(App[None]):
    CSS = "Screen { layout: vertical; }"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.shown: list[tuple[Level, int]] = []

    def compose(self) -> ComposeResult:
        yield DetailPane(ink.default(), ink.UNICODE, self.path)

    def on_detail_pane_shown(self, shown: DetailPane.Shown) -> None:
        self.shown.append((shown.level, shown.pk))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    long = [{"role": "user", "content": f"line {n}\n" * 3} for n in range(150)]
    agent = {"trace": "t", "trace_name": "refund flow", "session": "s", "started_at": NOW}
    step = {"trace": "t", "parent": "x:a"}
    runs = (
        RunRecord(id="x:a", name="agent", kind=Kind.AGENT, **agent),
        RunRecord(
            id="x:1", name="gpt-4.1", kind=Kind.LLM, started_at=NOW, ended_at=NOW + 1_840_000,
            inputs={"messages": TALK},
            outputs={"role": "assistant", "tool_calls": [CALL]}, prompt_tokens=3204, completion_tokens=211, cost=0.0131,
            **step,
        ),
        RunRecord(
            id="x:2", name="lookup_order", kind=Kind.TOOL, started_at=NOW + 1_900_000, inputs={"id": "4411"},
            error=STACK, extra={"tool_call_id": "c1"}, **step,
        ),
        RunRecord(
            id="x:3", name="gpt-4.1", kind=Kind.LLM, started_at=NOW + 2_000_000, outputs="sorry",
            inputs={"messages": [*TALK, {"role": "assistant", "tool_calls": [CALL]}, *long]}, **step,
        ),
    )  # fmt: skip
    feedback = FeedbackRecord(level=Level.TRACE, target="t", key="helpful", score=0.2, source=Source.USER)
    with Writer(path, create=True) as writer:
        writer.write(Batch(runs, (feedback,)))
    return path


def number(path: Path, ident: str, level: Level = Level.RUN) -> int:
    with Reader(path) as reader:
        return next(row.pk for row in reader.find(ident) if row.level == level)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.005)
    raise AssertionError("it never came")


async def test_the_pane_shows_a_call_and_its_keys_walk_it(store: Path) -> None:
    app = Stage(store)
    async with app.run_test(size=(62, 24)) as pilot:
        pane = app.query_one(DetailPane)
        pane.focused_here = True
        pane.show(Level.RUN, number(store, "x:1"))
        await until(pilot, lambda: bool(app.shown))
        lines = pane.text()
        assert lines[0] == " • gpt-4.1   step 1 of 3" + " " * 26 + "refund flow"
        assert lines[1].startswith(" 1.8s   3,204 in   211 out   $0.013")
        assert lines[3] == " new  all  in  out  tools  feedback  meta  raw"
        assert any('ƒ lookup_order  id="4411"' in line for line in lines)
        assert any('× KeyError  no order "4411"' in line for line in lines)
        pane.action_next_tab()
        assert pane.tab == "all"
        pane.action_tab(6)
        assert pane.tab == "feedback"
        assert any("helpful" in line and "U" in line for line in pane.text())
        pane.action_prev_tab()
        assert pane.tab == "tools"
        # the tab stays when another call is shown; a tool has none of that name
        pane.show(Level.RUN, number(store, "x:3"))
        await until(pilot, lambda: len(app.shown) == 2)
        assert pane.tab == "tools"
        pane.show(Level.RUN, number(store, "x:2"))
        await until(pilot, lambda: len(app.shown) == 3)
        assert pane.tab == "run"


async def test_a_call_of_many_messages_opens_on_its_end_and_unfolds(store: Path) -> None:
    app = Stage(store)
    async with app.run_test(size=(60, 24)) as pilot:
        pane = app.query_one(DetailPane)
        pane.focused_here = True
        pane.show(Level.RUN, number(store, "x:3"), now=True)
        await until(pilot, lambda: bool(app.shown))
        assert pane.text()[5].startswith("▌▸ 5 earlier messages")
        assert len(pane._source) < 60
        pane.action_cursor_last()
        assert "helpful" in pane.text()[-1]
        assert pane._source.complete
        pane.action_cursor_first()
        pane.action_open()
        assert pane.text()[5].startswith("▌▾ 5 earlier messages")
        pane.action_earlier()
        assert pane.text()[5].startswith("▌▸ 5 earlier messages")
        pane.action_page_down()
        assert pane.top > 10
        pane.action_page_up()
        assert pane.top == 0
        pane.reload()
        pane.action_open()
        await until(pilot, lambda: not pane._feed.asked("detail"))
        assert pane.text()[5].startswith("▌▾ 5 earlier messages"), "a row read again keeps its folds"


async def test_only_the_row_where_the_cursor_stayed_is_read(store: Path) -> None:
    app = Stage(store)
    async with app.run_test(size=(60, 24)) as pilot:
        pane = app.query_one(DetailPane)
        for ident in ("x:1", "x:2", "x:3", "x:1", "x:2"):
            pane.show(Level.RUN, number(store, ident))
        await until(pilot, lambda: bool(app.shown))
        assert app.shown == [(Level.RUN, number(store, "x:2"))]


async def test_words_are_marked_and_what_is_gone_is_said(store: Path) -> None:
    app = Stage(store)
    async with app.run_test(size=(60, 24)) as pilot:
        pane = app.query_one(DetailPane)
        pane.show(Level.RUN, number(store, "x:1"))
        await until(pilot, lambda: bool(app.shown))
        pane.highlight(["WTF", "4411-b"])
        match = ink.default().on("match", "match-bg")
        marked = [segment.text for y in range(24) for segment in pane.render_line(y) if segment.style == match]
        assert marked == ["wtf", "4411-B"]
        pane.show(Level.RUN, 4711)
        await until(pilot, lambda: pane.error is not None)
        assert pane.text()[0].strip() == "× Gone"


async def test_every_size_is_drawn_to_its_width(store: Path) -> None:
    app = Stage(store)
    async with app.run_test(size=(120, 40)) as pilot:
        pane = app.query_one(DetailPane)
        for level, ident in ((Level.RUN, "x:1"), (Level.TRACE, "t"), (Level.THREAD, "s")):
            count = len(app.shown)
            pane.show(level, number(store, ident, level), now=True)
            await until(pilot, lambda count=count: len(app.shown) > count)
            for width, height in ((120, 40), (80, 24), (39, 12), (20, 5), (3, 2)):
                await pilot.resize_terminal(width, height)
                await until(pilot, lambda width=width: pane.size.width == width)
                assert {pane.render_line(y).cell_length for y in range(height)} == {width}


def test_the_repr_before_a_traceback_is_said_once() -> None:
    from tracetui.tui.detail.failure import split_error

    error = "KeyError('no order 4411')\n\nTraceback (most recent call last):\n  File \"a.py\", line 1, in f\n"
    title, rest = split_error(error + "KeyError: no order 4411\n")
    assert title == "KeyError: no order 4411"
    assert "no order" not in rest
    assert "a.py" in rest
    assert split_error("KeyError('x')\nsomething else") == ("KeyError('x')", "something else")
