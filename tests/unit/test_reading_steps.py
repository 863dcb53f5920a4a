"""Steps go through the rows in the order in which the tree shows them, forward and back, respecting the filter."""

from __future__ import annotations

from pathlib import Path

import naive_filters as naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.model.kinds import Level
from tracetui.model.records import Batch, RunRecord
from tracetui.query import parse
from tracetui.store.filters import compile_filter
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

SEEDS = (21, 22, 23)
STUBS = Batch((
    RunRecord(id="x:s0", trace="x:stubs", position=1),
    RunRecord(id="x:s1", trace="x:stubs", parent="x:never", position=2, error="E"),
    RunRecord(id="x:s2", trace="x:stubs", parent="x:s0", position=3, error="E"),
    RunRecord(id="x:s3", trace="x:stubs", parent="x:s1", position=0, error="E"),
))  # fmt: skip


class Walked:
    """A store and all its rows as the tree shows them, unfolded."""

    def __init__(self, path: Path, seed: int) -> None:
        batches, self.threads = naive.make(seed)
        with Writer(path, create=True) as writer:
            for batch in [*batches, STUBS]:
                writer.write(batch)
        self.reader = Reader(path)
        self.places: list[tuple[Level, int]] = []
        for thread in self.reader.keys(Level.THREAD).pks:
            self.places.append((Level.THREAD, thread))
            for trace in self.reader.keys(Level.TRACE, parent=thread).pks:
                self.places.append((Level.TRACE, trace))
                for run in self.reader.keys(Level.RUN, parent=trace).pks:
                    self._walk(run)
        self.paths = {place: self.reader.path_to(*place) for place in self.places}

    def _walk(self, run: int) -> None:
        self.places.append((Level.RUN, run))
        for child in self.reader.children(run).pks:
            self._walk(child)

    def wanted(self, what: str, level: Level, key: str, text: str, of: Level) -> set[tuple[Level, int]]:
        """The rows a step may stop at, found the slow way."""
        where = compile_filter(parse(text), of)
        matching = {(of, pk) for pk in self.reader.keys(of, where=where).pks}
        return {
            place
            for place in self.places
            if self._is(what, place, level, key, of) and self._narrow(place, of, matching)
        }

    def _is(self, what: str, place: tuple[Level, int], level: Level, key: str, of: Level) -> bool:
        own = self.reader.feedback(*place)
        if self.reader.rows(place[0], [place[1]])[place[1]].implicit:
            own += self.reader.feedback(*next(p for p, path in self.paths.items() if path[:-1] == (place,)))
        if what == "error":
            return place[0] is Level.RUN and self.reader.run(place[1]).row.status == "error"
        if what == "match":
            return place[0] is of
        if what == "feedback":
            return bool(own)
        return place[0] is level and all(one.key != key for one in own)

    def _narrow(self, place: tuple[Level, int], of: Level, matching: set[tuple[Level, int]]) -> bool:
        if place[0] is of:
            return place in matching
        above = any(one in matching for one in self.paths[place])
        return above or any(place in self.paths[one] for one in matching if one in self.paths)


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory):
    made = [Walked(tmp_path_factory.mktemp("steps") / f"{seed}.db", seed) for seed in SEEDS]
    yield made
    for one in made:
        one.reader.close()


def test_the_walk_meets_every_row(walks):
    for walk in walks:
        totals = walk.reader.totals()
        assert len(walk.places) == len(set(walk.places)) == totals.threads + totals.traces + totals.runs


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(range(len(SEEDS))),
    st.sampled_from(["error", "unscored", "feedback", "match"]),
    st.one_of(st.none(), st.integers(0, 200)),
    st.booleans(),
    st.sampled_from(["", "status:error", "-kind:tool", "feedback.helpful:*", "name:search", "cost:>0.1", "tag:prod"]),
    st.sampled_from(list(Level)),
    st.sampled_from(naive.KEYS),
)
def test_a_step_goes_to_the_nearest_row_of_the_walk(walks, index, what, at, forward, text, of, key):
    walk = walks[index]
    here = None if at is None else at % len(walk.places)
    place = None if here is None else walk.places[here]
    level = Level.TRACE if place is None else place[0]
    wanted = walk.wanted(what, level, key, text, of)
    order = (
        range(0 if here is None else here + 1, len(walk.places))
        if forward
        else reversed(range(len(walk.places) if here is None else here))
    )
    expected = next((walk.places[i] for i in order if walk.places[i] in wanted), None)
    found = walk.reader.step(what, place, forward, where=compile_filter(parse(text), of), key=key)
    assert found == expected


def test_matches_need_a_filter_and_a_row_that_is_gone_starts_anew(walks):
    walk = walks[0]
    assert walk.reader.step("match", None) is None
    assert walk.reader.step("error", (Level.RUN, 10**9)) == walk.reader.step("error", None)
