"""Widths are those of the design's table."""

from __future__ import annotations

import pytest

from tracetui.tui.layout import Columns, columns, panes


@pytest.mark.parametrize(
    ("screen", "tree", "detail", "expected"),
    [
        (160, 96, 63, Columns(29, 11, 6, 6, 7, 5, 21)),
        (140, 84, 55, Columns(31, 11, 6, 6, 0, 0, 21)),
        (120, 72, 47, Columns(29, 11, 6, 0, 0, 0, 18)),
        (110, 66, 43, Columns(26, 8, 6, 0, 0, 0, 18)),
        (100, 60, 39, Columns(29, 0, 6, 0, 0, 0, 18)),
        (80, 80, 0, Columns(34, 11, 6, 0, 0, 0, 21)),
    ],
)
def test_table(screen, tree, detail, expected):
    split = panes(screen)
    assert (split.tree, split.detail) == (tree, detail)
    assert columns(split.tree) == expected


def test_columns_fill_the_tree_exactly():
    for width in range(20, 300):
        assert columns(width).total == width
        if width >= 60:
            assert columns(width).name >= 26
            assert columns(width).last >= 16
