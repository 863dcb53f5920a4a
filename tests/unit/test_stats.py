"""The figures of a store: each usage once, feedback as it stands, contents as they are and as they would be."""

from __future__ import annotations

import json
from pathlib import Path

import naive_filters as naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.cli.main import run as cli
from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.reading import Reader
from tracetui.store.stats import stats
from tracetui.store.writer import Writer


def made(path: Path, *batches: Batch) -> Path:
    with Writer(path, create=True) as writer:
        for batch in batches:
            writer.write(batch)
    return path


def test_counts_and_feedback_are_those_of_the_records(tmp_path: Path):
    batches, threads = naive.make(51)
    path = made(tmp_path / "s.db", *batches)
    found = stats(path)
    traces = [trace for thread in threads for trace in thread.children]
    runs = [run for trace in traces for run in trace.children]
    kinds = [run.values["kind"] for run in runs]
    assert (found.threads, found.traces, found.runs) == (len(threads), len(traces), len(runs))
    assert found.runs_by_kind == {kind: kinds.count(kind) for kind in set(kinds)}
    assert found.errors == sum(run.values["status"] == "error" for run in runs)
    assert found.prompt_tokens == naive.total(trace.values["prompt"] for trace in traces)
    assert found.cost == pytest.approx(naive.total(trace.values["cost"] for trace in traces))
    said = [one for thread in threads for one in thread.all_feedback()]
    assert set(found.feedback) == {one.key for one in said}
    for key, figures in found.feedback.items():
        own = [one for one in said if one.key == key]
        scores = [one.score for one in own if one.score is not None]
        assert figures.n == len(own) == sum(figures.by_source.values())
        assert figures.sum == pytest.approx(sum(scores))
        assert figures.mean == (pytest.approx(sum(scores) / len(scores)) if scores else None)
        assert sum(figures.values.values()) == sum(one.value is not None for one in own)
    assert found.file_bytes == path.stat().st_size


def test_a_usage_that_a_wrapper_repeats_counts_once_and_unknown_is_not_zero(tmp_path: Path):
    runs = (
        RunRecord(id="x:agent", trace="x:t", kind="agent", prompt_tokens=70),
        RunRecord(id="x:outer", trace="x:t", parent="x:agent", kind="llm", prompt_tokens=70, cost=7.0),
        RunRecord(id="x:inner", trace="x:t", parent="x:outer", kind="llm", prompt_tokens=70, cost=7.0),
    )
    deleted = FeedbackRecord(level=Level.RUN, target="x:inner", key="gone", score=1.0, deleted=True)
    found = stats(made(tmp_path / "s.db", Batch(runs, (deleted,))))
    assert (found.prompt_tokens, found.completion_tokens, found.cost) == (70, None, 7.0)
    assert found.feedback == {}


long_text = st.text(min_size=200, max_size=400) | st.text(max_size=20)
values = st.recursive(
    st.none() | st.integers(-(2**40), 2**40) | long_text,
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.sampled_from(["a", '{"":3}']), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=25)
@given(st.lists(values, min_size=1, max_size=4))
def test_logical_bytes_are_those_of_the_json_in_full(tmp_path_factory, given_values):
    runs = tuple(
        RunRecord(id=f"x:{i}", trace="x:t", inputs=value, outputs=[value]) for i, value in enumerate(given_values)
    )
    path = made(tmp_path_factory.mktemp("bytes") / "s.db", Batch(runs))
    with Reader(path) as reader:
        pks = reader.keys(Level.RUN).pks
        kept = [value for pk in pks for value in (reader.run(pk).inputs, reader.run(pk).outputs) if value is not None]
    assert stats(path).content.logical_bytes == sum(len(jsonx.dumps(value)) for value in kept)


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "the same long system prompt, again and again " * 20
    runs = tuple(
        RunRecord(id=f"x:{i}", trace="x:t", kind="llm", cost=0.5, inputs={"m": text, "i": i}) for i in range(9)
    )
    said = FeedbackRecord(level=Level.TRACE, target="x:t", key="cause", value="har\x1b[31mness", source="human")
    path = made(tmp_path / "s.db", Batch(runs, (said,)))
    assert cli(["stats", str(path), "--json"]) == 0
    shape = json.loads(capsys.readouterr().out)
    assert list(shape) == [
        "threads", "traces", "runs", "runs_by_kind", "errors", "prompt_tokens", "completion_tokens",
        "cache_read_tokens", "cost", "feedback", "content", "file_bytes",
    ]  # fmt: skip
    assert shape["feedback"] == {
        "cause": {"n": 1, "mean": None, "sum": 0.0, "values": {"har\x1b[31mness": 1}, "by_source": {"human": 1}}
    }
    assert shape["content"]["stored_bytes"] < len(text) < 9 * len(text) < shape["content"]["logical_bytes"]
    assert cli(["stats", str(path)]) == 0
    out = capsys.readouterr().out
    assert "9 llm" in out and "$4.5000" in out and "\x1b" not in out and "\\x1b[31mness 1" in out
    assert cli(["stats", str(tmp_path / "missing.db")]) == 3
