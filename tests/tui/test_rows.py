"""A row as it is drawn, in ASCII so that a failure can be read."""

from __future__ import annotations

from datetime import datetime

import pytest
from rich.cells import cell_len

from tracetui.model.kinds import Level
from tracetui.model.rows import Category, FeedbackCell, FeedbackKey, Row
from tracetui.tui import ink
from tracetui.tui.chips import Tone, chip, goodness
from tracetui.tui.layout import columns
from tracetui.tui.rows import Look, Place, header, pieces, placeholder
from tracetui.tui.waterfall import Axis

INK = ink.default()
S = 1_000_000
NOON = int(datetime(2026, 11, 24, 12, 0).timestamp()) * S
KEYS = {
    "helpful": FeedbackKey(key="helpful", type="continuous", min=0, max=1),
    "frustrated": FeedbackKey(key="frustrated", type="boolean", lower_is_better=True),
    "grounded": FeedbackKey(key="grounded", type="continuous", min=0, max=1),
    "cause": FeedbackKey(key="cause", type="categorical", categories=(Category("model"),)),
    "loop": FeedbackKey(key="loop", type="continuous", lower_is_better=True),
}


def cell(key, score=None, sources="U", *, low=None, label=None, disagree=False):
    values = {label: 1} if label else {}
    return FeedbackCell(key, 1, score, score if low is None else low, score, values, sources, disagree)


def run(**more):
    given = {"pk": 1, "id": "ls:1", "name": "gpt-4.1", "kind": "llm", "status": "success", **more}
    return Row(level=Level.RUN, **given)


def look(width=72, glyphs=ink.ASCII, **more):
    return Look(INK, glyphs, columns(width), KEYS, NOON + 41 * S, **more)


def drawn(row, place, given=None):
    given = given or look()
    text = "".join(piece for piece, _ in pieces(row, place, given))
    assert cell_len(text) == given.columns.total
    return text


AXIS = Axis(NOON, NOON + 14_200_000, (0.1, 0.37))


@pytest.mark.parametrize(
    ("row", "place", "text"),
    [
        (
            Row(level=Level.THREAD, pk=1, id="t", name="checkout-7f3a", ended_at=NOON, trace_count=5, child_count=5,
                error_count=5),
            Place(0, opened=True, matching=2),
            "   v checkout-7f3a  2 of 5                    12:00  5 errors           ",
        ),
        (
            Row(level=Level.TRACE, pk=1, id="t", name="refund flow", started_at=NOON, ended_at=NOON + 14_200_000,
                child_count=1, error_count=2, feedback=(cell("helpful", 0.2), cell("loop", 37, "R"))),
            Place(1, opened=True, axis=AXIS),
            "     v refund flow               -x--x------  14.2s !loop 37 R +1       ",
        ),
        (
            run(name="support-agent", kind="agent", child_count=9, started_at=NOON, ended_at=NOON + 14_100_000),
            Place(2, opened=True, axis=AXIS),
            "       v A support-agent         -----------  14.1s                     ",
        ),
        (
            run(started_at=NOON, ended_at=NOON + 1_800_000, feedback=(cell("frustrated", 1, "R"),)),
            Place(3, guides=(2,), axis=AXIS, cursor="cursor"),
            ">      | L gpt-4.1               ==            1.8s !frustrated 1 R     ",
        ),
        (
            run(name="lookup_order", kind="tool", input_preview="4411", status="error", error="KeyError: no order 4411",
                started_at=NOON + 1_800_000, ended_at=NOON + 2_000_000),
            Place(3, guides=(2,), axis=AXIS),
            " x     | T lookup_order 4411      =            0.2s  KeyError           ",
        ),
        (
            run(name="policy_index", kind="retriever", feedback=(cell("grounded", 0.9, "JH", low=0.3, disagree=True),)),
            Place(3, guides=(2,), marked=True),
            "*      | R policy_index                              grounded .3 J/H    ",
        ),
        (
            Row(level=Level.THREAD, pk=1, id="t", name="checkout-7e88", status="running", sort_at=NOON, trace_count=2,
                child_count=2),
            Place(0),
            " ~ > checkout-7e88  2 traces                    now  running, 41s       ",
        ),
        (
            run(name="web_search", kind="tool", child_count=3, feedback=(cell("cause", None, "H", label="model"),)),
            Place(3, guides=(2,), axis=Axis(0, 0, inside={1: 2})),
            " x     | > T web_search                              cause model H      ",
        ),
    ],
)  # fmt: skip
def test_rows_are_drawn_as_in_the_pictures(row, place, text):
    assert drawn(row, place) == text


def test_header_stands_over_its_columns():
    text = "".join(piece for piece, _ in header(look()))
    assert text == "   thread / trace / run          in trace      time  error or feedback  "


def test_wide_rows_have_tokens_cost_and_clock():
    row = run(started_at=NOON, ended_at=NOON + 1_800_000, prompt_tokens=3200, completion_tokens=211, cost=0.0131)
    assert drawn(row, Place(2), look(96)).rstrip().endswith("1.8s   3.4k  $0.013 12:00")


def test_what_is_unknown_is_blank():
    assert drawn(run(), Place(2)).split() == ["L", "gpt-4.1"]


def test_a_name_is_cut_from_its_arguments_and_long_ids_in_the_middle():
    row = run(name="read_file", kind="tool", input_preview="/a/very/long/path/to/some/file.py")
    assert "T read_file /a/ve~file.py" in drawn(row, Place(2))
    thread = Row(level=Level.THREAD, pk=1, id="t", name="a" * 40 + "tail", trace_count=3, child_count=3)
    assert "tail  3 traces" in drawn(thread, Place(0))


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "[bold]not markup[/]", "\u202eevil", "日本語" * 20, "a\u0301" * 50, "\ud800"]
)
def test_hostile_names_keep_the_columns(name):
    text = drawn(run(name=name, kind="tool", error=name, status="error"), Place(3))
    assert "\x1b" not in text and "\u202e" not in text


def test_depth_never_eats_the_name():
    assert "gpt-4.1" in drawn(run(), Place(60, guides=tuple(range(2, 60))))


def test_a_chip_too_long_keeps_its_value_and_its_edge():
    row = run(feedback=(cell("a_key_of_an_unusual_length", 0, "R"), cell("helpful", 0.9)))
    keys = {"a_key_of_an_unusual_length": FeedbackKey(key="x", type="boolean")}
    given = Look(INK, ink.ASCII, columns(72), keys, NOON)
    assert "!a_key_of_an_~ 0 R  " in drawn(row, Place(2), given)


def test_a_good_chip_is_a_coloured_word_without_a_fill():
    made = pieces(run(feedback=(cell("helpful", 0.8),)), Place(2), look())
    word = next(style for text, style in made if text == "helpful")
    assert word == INK.on("good", "bg")


def test_an_open_row_leaves_its_failure_to_its_children():
    row = run(status="error", error="ValueError: x", child_count=2)
    axis = Axis(0, 0, inside={row.pk: 1})
    assert "ValueError" not in drawn(row, Place(2, opened=True, axis=axis))
    assert "ValueError" in drawn(row, Place(2, axis=axis))


def test_a_placeholder_says_that_it_is_being_read():
    assert "".join(text for text, _ in placeholder(Place(1), look(), "reading")) == "     reading"


@pytest.mark.parametrize(
    ("key", "score", "good"),
    [
        ("helpful", 0.2, 0.2), ("frustrated", 1, 0), ("frustrated", 0, 1), ("loop", 37, 0), ("loop", 0, 1),
        ("cause", 1, None), ("unheard-of", 1, None),
    ],
)  # fmt: skip
def test_goodness_follows_the_direction_of_the_key(key, score, good):
    assert goodness(KEYS.get(key), score) == good


def test_the_worse_value_is_shown_where_sources_differ():
    made = chip(cell("helpful", 0.9, "UH", low=0.1, disagree=True), KEYS["helpful"])
    assert (made.value, made.tone) == (".1", Tone.DIFFER)
    made = chip(FeedbackCell("frustrated", 2, 0.5, 0, 1, {}, "UR", True), KEYS["frustrated"])
    assert made.value == "1"
