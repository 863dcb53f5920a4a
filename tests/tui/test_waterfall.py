from __future__ import annotations

import pytest

from tracetui.tui.waterfall import Step, aside, axis_of, bar, marked


def run(pk, start=None, end=None, *, parent=None, status="success"):
    return Step(pk, parent, True, status, start, end)


@pytest.mark.parametrize(
    ("span", "drawn"),
    [
        ((0, 1), "━━━━"), ((0, 0.125), "╸   "), ((0.125, 0.25), "╺   "), ((0.125, 0.625), "╺━╸ "), ((0.5, 0.5), "  ╸ "),
        ((1, 1), "   ╺"), ((-1, 2), "━━━━"), ((0.25, 0.75), " ━━ "),
    ],
)  # fmt: skip
def test_bar_is_exact_to_half_a_cell(span, drawn):
    assert bar(span, 4, "━╺╸") == drawn


def test_failed_runs_mark_the_axis_where_they_began_and_not_those_that_passed_it_on():
    runs = [run(1, 0, 100, status="error"), run(2, 0, 10, parent=1), run(3, 50, 60, parent=1, status="error")]
    axis = axis_of(runs, 0)
    assert axis is not None
    assert axis.marks == (0.5,)
    assert axis.inside == {1: 1}
    assert axis.span(runs[2], 0) == (0.5, 0.6)
    assert marked(axis.marks, 10) == {5}


def test_without_times_the_axis_is_the_order_of_steps():
    runs = [run(1), run(2, parent=1), run(3, parent=1, status="error"), run(4)]
    axis = axis_of(runs, 0)
    assert axis is not None
    assert axis.span(runs[1], 0) == (0.25, 0.5)
    assert axis.span(runs[0], 0) == (0, 0.75)
    assert axis.marks == (0.625,)


def test_where_few_runs_have_times_the_order_tells_more():
    runs = [run(1, 0, None), run(2), run(3, 5, None), run(4)]
    axis = axis_of(runs, 0)
    assert axis is not None
    assert axis.span(runs[3], 0) == (0.75, 1)


def test_running_work_reaches_to_now():
    runs = [run(1, 0, None, status="running"), run(2, 0, 50, parent=1)]
    axis = axis_of(runs, 200)
    assert axis is not None
    assert axis.span(runs[0], 200) == (0, 1)
    assert axis.span(runs[1], 200) == (0, 0.25)


def test_what_overlaps_the_critical_path_is_aside():
    runs = [run(1, 0, 40), run(2, 5, 20), run(3, 40, 100), run(4, 50, 60), run(5, 0, 10, parent=3)]
    assert aside(runs, 0) == {2, 4}
