"""The demo's files are what its generator writes, and its store holds what it promises."""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tracetui.cli import demo
from tracetui.model.kinds import Level
from tracetui.store.reading import Reader

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture(scope="module")
def generate() -> Any:
    sys.path.insert(0, str(FIXTURES))
    try:
        return importlib.import_module("generate")
    finally:
        sys.path.remove(str(FIXTURES))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    demo.build(path, lambda words: None)
    return path


def test_the_generator_writes_the_same_every_time(generate: Any) -> None:
    book = generate.story()
    packed = (FIXTURES / "demo.jsonl.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == generate.lines(book.runs)
    assert (FIXTURES / "demo-labels.jsonl").read_bytes() == generate.lines(book.labels)


def test_the_demo_is_as_large_as_it_says(store: Path) -> None:
    reader = Reader(store)
    totals = reader.totals()
    reader.close()
    assert 55 <= totals.threads <= 70
    assert 280 <= totals.traces <= 320


def test_every_source_speaks_on_the_demo_and_on_every_level(store: Path) -> None:
    reader = Reader(store)
    said = Counter(
        (level, row.source) for level in Level for pk in _all(reader, level) for row in reader.feedback(level, pk)
    )
    reader.close()
    assert {source for _, source in said} == {"user", "outcome", "human", "rule", "judge"}
    assert {level for level, _ in said} == set(Level)


def test_each_rule_finds_what_it_is_there_for(store: Path) -> None:
    from tracetui.evaluate.rules import read_rules

    reader = Reader(store)
    rows = (row for level in Level for pk in _all(reader, level) for row in reader.feedback(level, pk))
    hits = Counter(row.author for row in rows if row.source == "rule")
    reader.close()
    rules = [rule.name for rule in read_rules(FIXTURES / "demo-rules.toml").rules]
    assert set(hits) == set(rules)
    assert max(hits.values()) < 60, "a rule that hits everywhere tells nothing"


def test_it_opens_on_a_run_that_four_sources_speak_about(store: Path) -> None:
    reader = Reader(store)
    [row] = [row for row in reader.find(demo.focus()) if row.level == Level.RUN]
    path = reader.path_to(Level.RUN, row.pk)
    sources = {said.source for level, pk in path for said in reader.feedback(level, pk)}
    detail = reader.run(row.pk)
    reader.close()
    assert sources == {"user", "outcome", "human", "rule", "judge"}
    assert "third time" in json.dumps(detail.inputs["messages"][-1])


def _all(reader: Reader, level: Level) -> list[int]:
    if level == Level.RUN:
        return [row.pk for trace in _all(reader, Level.TRACE) for row in reader.runs_of(trace)]
    found, after = [], None
    while True:
        page = reader.keys(level, after=after)
        found += page.pks
        if page.after is None:
            return found
        after = page.after
