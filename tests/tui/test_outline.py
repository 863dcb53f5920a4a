"""The sparse outline says the same rows as a list of all of them would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracetui.model.kinds import Level
from tracetui.tui.outline import Outline

THREAD, TRACE, RUN = Level.THREAD, Level.TRACE, Level.RUN
_CHILD = {THREAD: TRACE, TRACE: RUN, RUN: RUN}


class Naive:
    """The same tree, with every row in a list."""

    def __init__(self, pks):
        self.kids = {None: [(THREAD, pk) for pk in pks]}

    def rows(self, key=None, depth=0, above=()):
        for kid in self.kids[key]:
            yield kid, depth, (*above, kid)
            if kid in self.kids:
                yield from self.rows(kid, depth + 1, (*above, kid))


@st.composite
def stories(draw):
    """A tree of some threads and what is done to it."""
    return draw(st.integers(1, 6)), draw(
        st.lists(
            st.tuples(
                st.sampled_from(["unfold", "fold", "extend", "prepend", "shuffle"]),
                st.integers(0, 40),
                st.integers(0, 4),
            ),
            max_size=25,
        )
    )


@given(stories())
def test_same_rows_as_a_list_of_all(story):
    threads, steps = story
    numbers = iter(range(1, 10_000))
    naive = Naive([next(numbers) for _ in range(threads)])
    outline = Outline()
    outline.extend(None, [pk for _, pk in naive.kids[None]], complete=True)
    for what, where, count in steps:
        listed = list(naive.rows())
        key, _, path = listed[where % len(listed)]
        fresh = [next(numbers) for _ in range(count)]
        if what == "unfold" and key not in naive.kids:
            naive.kids[key] = [(_CHILD[key[0]], pk) for pk in fresh]
            outline.unfold(path, _CHILD[key[0]], fresh)
        elif what == "fold" and key in naive.kids:
            for gone in [k for k, _, p in listed if path == p[: len(path)] and k in naive.kids]:
                del naive.kids[gone]
            outline.fold(key)
        elif what == "extend" and key in naive.kids:
            naive.kids[key] += [(_CHILD[key[0]], pk) for pk in fresh]
            outline.extend(key, fresh, complete=True)
        elif what == "prepend":
            naive.kids[None] = [(THREAD, pk) for pk in fresh] + naive.kids[None]
            outline.prepend(fresh)
        elif what == "shuffle":
            naive.kids[None].reverse()
            outline.replace(None, [pk for _, pk in naive.kids[None]], complete=True)
        listed = list(naive.rows())
        assert len(outline) == len(listed)
        for row, (key, depth, path) in enumerate(listed):
            spot = outline.at(row)
            assert (spot.key, spot.depth, outline.path(row)) == (key, depth, path)
            assert outline.row(path) == row
            assert (spot.node is not None) == (key in naive.kids)


def test_what_leaves_takes_its_children_with_it():
    outline = Outline()
    outline.extend(None, [1, 2, 3], complete=True)
    outline.unfold(((THREAD, 2),), TRACE, [20, 21])
    outline.replace(None, [1, 3], complete=True)
    assert [outline.at(row).key for row in range(len(outline))] == [(THREAD, 1), (THREAD, 3)]
    assert not outline.is_open((THREAD, 2))


def test_nearest_is_the_lowest_part_that_is_shown():
    outline = Outline()
    outline.extend(None, [1, 2], complete=True)
    outline.unfold(((THREAD, 1),), TRACE, [10])
    assert outline.nearest(((THREAD, 1), (TRACE, 10), (RUN, 5))) == 1
    assert outline.nearest(((THREAD, 9),)) is None


def test_outside_is_an_error():
    with pytest.raises(IndexError):
        Outline().at(0)
