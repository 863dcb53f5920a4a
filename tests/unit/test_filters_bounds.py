"""Filters of hostile size and depth run, or are refused in words; a running one can be stopped."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from tracetui.model.errors import FilterError, StoreError
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, RunRecord
from tracetui.query import parse
from tracetui.query.parser import MAX_DEPTH
from tracetui.store.filters import compile_filter
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

LEAVES = [
    "feedback.a:1",
    "feedback.a.source:human",
    "feedback.b:>0",
    "-feedback.b.source:rule",
    "-kind:tool",
    "foo",
    "id:x",
    "tag:x",
    "feedback.*:*",
    "feedback.c:~x",
    "feedback.c.comment:*",
    "name:é*",
    "trace:x",
    "thread:x",
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory):
    path: Path = tmp_path_factory.mktemp("bounds") / "s.db"
    with Writer(path, create=True) as writer:
        writer.write(Batch((RunRecord(id="x:a", trace="x:a", name="agent"),)))
    with Reader(path) as opened:
        yield opened


def nested(pick: random.Random, depth: int) -> str:
    if depth == 0:
        return pick.choice(LEAVES)
    parts = [nested(pick, depth - 1), *(pick.choice(LEAVES) for _ in range(pick.randint(1, 3)))]
    pick.shuffle(parts)
    return f"{pick.choice(['', '-'])}({pick.choice([' ', ' OR ']).join(parts)})"


@pytest.mark.parametrize("level", list(Level))
def test_the_deepest_filters_that_are_read_also_run(reader, level):
    for seed in range(100):
        reader.count(level, compile_filter(parse(nested(random.Random(seed), MAX_DEPTH)), level))


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(f"id:x{number}" for number in range(1000)),
        " ".join(f"-w{number}" for number in range(1000)),
        " ".join(f"feedback.k:>{number}" for number in range(300)),
        " ".join(f"feedback.k{n}:>0 (feedback.k{n}:<1 OR feedback.k{n + 1}:<1)" for n in range(8)),
        'name:~"' + "%_" * 9000 + '"',
        "name:~" + "é" * 19_000,
        "name:" + "a*" * 9000,
        "x" * 19_000,
    ],
    ids=["many or", "many and", "one key", "many keys", "special", "wide", "stars", "long"],
)
def test_long_filters_run(reader, text):
    for level in Level:
        reader.count(level, compile_filter(parse(text), level))


def test_more_keys_than_can_be_told_apart_are_refused():
    keys = [f"feedback.k{n}:>0 (feedback.k{n}:<1 OR feedback.k{n + 1}:<1)" for n in range(20)]
    with pytest.raises(FilterError):
        compile_filter(parse(" ".join(keys)), Level.TRACE)


def test_a_read_can_be_stopped_from_another_thread(reader):
    seen: list[BaseException] = []

    def read() -> None:
        try:
            reader._access.all("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
        except StoreError as error:
            seen.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while thread.is_alive():  # lost where it comes before the query has begun
        reader.interrupt()
        thread.join(0.01)
    assert len(seen) == 1
    assert reader.count(Level.RUN) == 1
