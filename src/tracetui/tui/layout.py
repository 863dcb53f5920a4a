"""From the width of the terminal to panes and columns. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

SPLIT_FROM = 100
"""From this width on the tree and the detail stand side by side."""
MIN_WIDTH, MIN_HEIGHT = 40, 8
"""Below this the explorer says that it needs more room."""

_GUTTER = 3
_TIME, _TOKENS, _COST, _CLOCK = 6, 6, 7, 5
_WHERE, _WHERE_NARROW, _WHERE_MAX = 11, 8, 20
_NAME_MIN, _NAME_WIDE = 26, 29
_LAST_MIN, _LAST, _LAST_WIDE = 16, 18, 21


class Panes(NamedTuple):
    """Widths in cells. One of the two is 0 where only one pane is shown at a time."""

    tree: int
    detail: int
    """Without the vertical rule (one cell) between the panes."""

    @property
    def split(self) -> bool:
        """Whether both panes are on the screen."""
        return bool(self.tree and self.detail)


class Columns(NamedTuple):
    """Widths of a row's columns in cells; 0 is a column that has gone."""

    name: int
    where: int
    time: int
    tokens: int
    cost: int
    clock: int
    last: int

    @property
    def total(self) -> int:
        """Gutter, columns, gaps of 1 (2 before the last column) and the blank at the right."""
        middle = (self.where, self.time, self.tokens, self.cost, self.clock)
        return _GUTTER + self.name + sum(1 + size for size in middle if size) + 2 + self.last + 1


def panes(width: int) -> Panes:
    """How a screen of `width` cells is split: 60 : 40 from 100 cells on."""
    if width < SPLIT_FROM:
        return Panes(width, 0)
    tree = width * 3 // 5
    return Panes(tree, width - tree - 1)


def fits(width: int, height: int) -> bool:
    """Whether a screen of that size has room for anything of use."""
    return width >= MIN_WIDTH and height >= MIN_HEIGHT


@lru_cache(64)
def columns(width: int) -> Columns:
    """The columns of a tree that is `width` cells wide.

    The first to go are cost, clock and tokens, then where-in-trace (11, 8, none). The name keeps 26, the
    last column 16 cells. Room that is left goes to where-in-trace up to 20, then to the name.
    """
    if width >= 96:
        return _fill(width, Columns(_NAME_WIDE, _WHERE, _TIME, _TOKENS, _COST, _CLOCK, _LAST_WIDE))
    if width >= 82:
        return _fill(width, Columns(_NAME_WIDE, _WHERE, _TIME, _TOKENS, 0, 0, _LAST_WIDE), grow_where=False)
    if width >= 75:
        return _fill(width, Columns(_NAME_WIDE, _WHERE, _TIME, 0, 0, 0, _LAST_WIDE), grow_where=False)
    if width >= 69:
        return _fill(width, Columns(_NAME_MIN, _WHERE, _TIME, 0, 0, 0, _LAST), grow_where=False)
    if width >= 66:
        return _fill(width, Columns(_NAME_MIN, _WHERE_NARROW, _TIME, 0, 0, 0, _LAST), grow_where=False)
    if width >= 57:
        return _fill(width, Columns(_NAME_MIN, 0, _TIME, 0, 0, 0, _LAST), grow_where=False)
    least = Columns(_NAME_MIN, 0, _TIME, 0, 0, 0, _LAST_MIN)
    if width >= least.total:
        return _fill(width, least, grow_where=False)
    narrow = Columns(0, 0, _TIME, 0, 0, 0, 0)
    room = max(width - narrow.total, 0)
    last = min(_LAST_MIN, room * 2 // 5)
    return Columns(room - last, 0, _TIME, 0, 0, 0, last)


def _fill(width: int, base: Columns, grow_where: bool = True) -> Columns:
    spare = width - base.total
    where = min(base.where + spare, _WHERE_MAX) if grow_where and base.where else base.where
    spare -= where - base.where
    return Columns(base.name + spare, where, base.time, base.tokens, base.cost, base.clock, base.last)
