"""LangSmith: bodies that real clients sent, exports in their shapes, feedback."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tracetui.ingest.documents import Options, Refusal
from tracetui.ingest.formats import langsmith
from tracetui.ingest.importer import import_paths
from tracetui.ingest.langsmith_runs import run_records
from tracetui.ingest.walk import document
from tracetui.model.kinds import Phase
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.writer import Writer

ROOT = "01a20ba2-7cb8-797b-9fcc-e19869119039"
OTHER = "01a20ba2-8228-7dcf-a867-c085ced67abd"
ROOT_ORDER = f"20261124T033847864086Z{ROOT}"


def read(path: Path) -> tuple[list[RunRecord], list[FeedbackRecord], list[Refusal]]:
    doc = document(str(path), path.stat().st_size)
    assert langsmith.sniff(doc)
    items = list(langsmith.read(doc, Options()))
    batches = [item for item in items if isinstance(item, Batch)]
    refused = [item for item in items if isinstance(item, Refusal)]
    return [run for b in batches for run in b.runs], [said for b in batches for said in b.feedback], refused


def run(**more: Any) -> dict[str, Any]:
    return {"id": ROOT, "name": "agent", "run_type": "chain", "start_time": "2026-11-24T03:38:47", **more}


def one(value: dict[str, Any], *, patch: bool = False) -> RunRecord:
    (record,) = run_records(value, patch=patch)
    return record


def llm(**more: Any) -> RunRecord:
    return one(run(run_type="llm", end_time="2026-11-24T03:38:48", **more))


def test_batch_bodies_of_the_python_client(shared: Path) -> None:
    runs: list[RunRecord] = []
    for number in range(1, 5):
        found, _, refused = read(shared / f"captures/langsmith/08_batch_{number}.body")
        assert not refused
        runs += found
    assert {record.trace for record in runs} == {f"ls:{ROOT}"}
    assert {record.session for record in runs} == {"thread-1"}
    assert {record.user for record in runs} == {"u-1"}
    assert {record.project for record in runs} == {"default"}
    assert all(not key.startswith("LANGSMITH") for record in runs for key in record.metadata)
    ended = {record.id: record for record in runs if record.phase == Phase.ENDED}
    assert sorted(record.name or "" for record in ended.values()) == [
        "ChatOpenAI",
        "ChatOpenAI",
        "agent",
        "bad",
        "fetch",
        "get_weather",
    ]
    calls = [record for record in ended.values() if record.kind == "llm"]
    assert [(c.prompt_tokens, c.completion_tokens, c.cache_read_tokens, c.reasoning_tokens) for c in calls] == [
        (42, 9, 10, 3)
    ] * 2
    assert [c.first_token_us for c in calls] == [None, 212_010]
    (bad,) = [record for record in ended.values() if record.name == "bad"]
    assert bad.error is not None and bad.error.startswith("ValueError('boom')\n")
    started = [record for record in runs if record.phase == Phase.STARTED]
    assert all(record.outputs is None and "events" not in record.extra for record in started)


def test_a_body_of_litellm(shared: Path) -> None:
    ((record,), _, _) = read(shared / "captures/langsmith/16_litellm_batch.body")
    assert (record.session, record.project, record.model, record.provider) == (
        "thread-1",
        "litellm-completion",
        "gpt-4o-mini",
        "openai",
    )
    assert (record.prompt_tokens, record.completion_tokens) == (42, 9)
    assert (record.cache_read_tokens, record.reasoning_tokens) == (10, 3)
    assert record.cost == pytest.approx(1.095e-5) and record.cost_source == "source"
    assert record.started_at == 1795492324_248348


def test_bodies_of_older_clients(shared: Path, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(shared / "data/langsmith/langsmith-sdk_python_test_data.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    found = {path.name: read(path)[0] for path in tmp_path.rglob("*.json")}
    assert [len(runs) for runs in found.values()] == [2] * 4
    for post, patch in found.values():
        assert (post.id, post.phase, patch.phase) == (patch.id, Phase.STARTED, Phase.ENDED)
        assert patch.started_at is None and patch.ended_at is not None
    reasoning = found["langsmith_py_wrap_openai_reasoning.json"][1]
    assert (reasoning.prompt_tokens, reasoning.completion_tokens, reasoning.reasoning_tokens) == (43, 2497, 1408)
    assert found["langsmith_py_wrap_openai_stream_no_usage.json"][1].prompt_tokens is None


@pytest.mark.parametrize("shape", ["lines", "list", "runs", "pretty list", "pretty one", "body", "bodies"])
def test_every_shape_of_file(tmp_path: Path, shape: str) -> None:
    runs = [run(id=f"{n}", trace_id=f"{n}", inputs={"x": "y" * 40_000}) for n in range(3)]
    text = {
        "lines": "\n".join(json.dumps(each) for each in runs),
        "list": json.dumps(runs),
        "runs": json.dumps({"runs": runs, "cursors": {"next": None}}),
        "pretty list": json.dumps(runs, indent=2),
        "pretty one": json.dumps(runs[0], indent=2),
        "body": json.dumps({"post": runs[:1], "patch": runs[1:]}),
        "bodies": "\n".join(json.dumps({"post": [each]}) for each in runs),
    }[shape]
    path = tmp_path / "x"
    path.write_text(text)
    found, _, refused = read(path)
    assert [record.id for record in found] == [f"ls:{n}" for n in range(1 if shape == "pretty one" else 3)]
    assert refused == []


def test_a_first_run_longer_than_the_head(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    value = {
        "id": ROOT,
        "name": "a",
        "start_time": 1,
        "inputs": {"x": "y" * 100_000},
        "run_type": "chain",
        "trace_id": ROOT,
    }
    path.write_text(f"{json.dumps(value)}\n{json.dumps(run())}\n")
    assert len(read(path)[0]) == 2


def test_wrong_lines_are_refused_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{json.dumps(run())}\n[]\n{{"id": "x"}}\n{{"id": \n{json.dumps(run())}\n{{"id": "z", "run_ty')
    runs, _, refused = read(path)
    assert len(runs) == 2
    assert [(each.place, each.why) for each in refused] == [
        ("line 2", "neither a run nor feedback"),
        ("line 3", "neither a run nor feedback"),
        ("line 4", "not JSON: expecting value at column 8"),
        ("line 6", "the file ends inside this line (half written?)"),
    ]


def test_phases() -> None:
    assert one(run()).phase == Phase.STARTED
    assert one(run(end_time="2026-11-24T03:38:48")).phase == Phase.ENDED
    assert one(run(error="boom")).phase == Phase.ENDED
    assert one(run(status="pending")).phase == Phase.STARTED
    assert one(run(status="success")).phase == Phase.ENDED
    running = one(run(outputs={}, events=[], extra={}))
    assert (running.outputs, running.extra) == (None, {})
    assert one(run(outputs={}, end_time=1795492324.5)).outputs == {}


def test_an_update_that_names_nothing_but_its_id(shared: Path) -> None:
    ((record,), _, _) = read(shared / "captures/langsmith/12_update_run.body")
    assert (record.trace, record.parent, record.name, record.kind) == (None, None, None, None)
    assert (record.phase, record.outputs) == (Phase.ENDED, {"a": 1})


def test_place_in_the_tree() -> None:
    root = one(run(dotted_order=ROOT_ORDER))
    assert (root.trace, root.parent) == (f"ls:{ROOT}", None)
    child = one(run(id=OTHER, dotted_order=f"{ROOT_ORDER}.20261124T033847864099Z{OTHER}"))
    assert (child.trace, child.parent) == (f"ls:{ROOT}", f"ls:{ROOT}")
    told = one(run(id=OTHER, parent_run_id=ROOT))
    assert (told.trace, told.parent) == (None, f"ls:{ROOT}")
    nested = run(child_runs=[run(id="b", child_runs=[run(id="c")]), run(id="d"), "text"])
    assert [(r.id, r.parent, r.trace) for r in run_records(nested)] == [
        (f"ls:{ROOT}", None, f"ls:{ROOT}"),
        ("ls:b", f"ls:{ROOT}", f"ls:{ROOT}"),
        ("ls:c", "ls:b", f"ls:{ROOT}"),
        ("ls:d", f"ls:{ROOT}", f"ls:{ROOT}"),
    ]


def test_thread_and_project() -> None:
    def of(metadata: dict[str, Any], **more: Any) -> tuple[str | None, str | None]:
        record = one(run(extra={"metadata": metadata}, **more))
        return record.session, record.project

    assert of({"conversation_id": "c", "thread_id": "t", "session_id": "s"}) == ("s", None)
    assert of({"conversation_id": "c", "thread_id": "t", "session_id": ""}) == ("t", None)
    assert of({"conversation_id": 7}, session_id=OTHER) == ("7", OTHER)
    assert of({}, session_id=OTHER, session_name="default") == (None, "default")


def test_exports_hold_json_as_text_and_totals() -> None:
    record = llm(
        inputs='{"messages": [{"role": "user", "content": "hi"}]}',
        outputs='{"text": "ho"}',
        extra='{"metadata": {"ls_model_name": "gpt-5", "LANGSMITH_PROJECT": "p"}}',
        events="[]",
        prompt_tokens=12,
        completion_tokens=3,
        total_cost="0.0125",
        first_token_time="2026-11-24T03:38:47.500000",
    )
    assert record.inputs == {"messages": [{"role": "user", "content": "hi"}]}
    assert (record.outputs, record.metadata) == ({"text": "ho"}, {"ls_model_name": "gpt-5"})
    assert (record.prompt_tokens, record.completion_tokens, record.cost) == (12, 3, 0.0125)
    assert record.first_token_us == 500_000
    chain = one(run(prompt_tokens=12, total_cost=1, outputs={"usage": {"input_tokens": 3}, "model": "m"}))
    assert (chain.prompt_tokens, chain.cost, chain.model) == (None, None, None)


LANGCHAIN = {"input_tokens": 42, "output_tokens": 9, "input_token_details": {"cache_read": 10}}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"usage_metadata": LANGCHAIN}, (42, 9, 10)),
        ({"generations": [[{"message": {"usage_metadata": LANGCHAIN}}]]}, (42, 9, 10)),
        ({"generations": [[{"message": {"kwargs": {"usage_metadata": LANGCHAIN}}}]]}, (42, 9, 10)),
        (
            {"generations": [], "llm_output": {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}}},
            (1, 2, None),
        ),
        ({"llmOutput": {"tokenUsage": {"promptTokens": 1, "completionTokens": 2}}}, (1, 2, None)),
        ({"usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}}, (1, None, 1)),
        ({"usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}}, (12, 1, 7)),
        ({"usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 4}}}, (5, None, 4)),
        ({"usage": {"prompt_tokens": -1, "completion_tokens": 1.5}, "generations": [[]]}, (None, None, None)),
        ("text", (None, None, None)),
    ],
)
def test_usage_wherever_it_stands(outputs: Any, expected: tuple[int | None, ...]) -> None:
    record = llm(outputs=outputs)
    assert (record.prompt_tokens, record.completion_tokens, record.cache_read_tokens) == expected


def test_costs() -> None:
    assert llm(outputs={"usage_metadata": {**LANGCHAIN, "total_cost": 0.5}}).cost == 0.5
    assert llm(outputs={"usage_metadata": {**LANGCHAIN, "input_cost": 0.5, "output_cost": 0.25}}).cost == 0.75
    assert llm(outputs={"usage_metadata": {**LANGCHAIN, "total_cost": 0}}).cost is None


def test_model_in_its_places() -> None:
    assert llm(extra={"metadata": {"ls_model_name": "a"}, "invocation_params": {"model": "b"}}).model == "a"
    assert llm(extra={"invocation_params": {"model_name": "b"}}, inputs={"model": "c"}).model == "b"
    assert llm(inputs={"model": "c"}, outputs={"model": "d"}).model == "c"
    assert llm(outputs={"model": "d"}).model == "d"


def test_feedback_stats_are_kept_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    stats = {
        "helpful": {"n": 2, "avg": 0.5},
        "tone": {"n": 3, "avg": None, "values": {"good": 2, "bad": 1}},
        "none": {},
    }
    child = run(id=OTHER, trace_id=ROOT, parent_run_id=ROOT, feedback_stats=json.dumps({"ok": {"n": 1, "avg": 1.0}}))
    path.write_text(f"{json.dumps(run(trace_id=ROOT, feedback_stats=stats))}\n{json.dumps(child)}\n")
    runs, feedback, _ = read(path)
    assert [(s.level, s.target, s.key, s.score, s.value, s.comment, s.source) for s in feedback] == [
        ("trace", f"ls:{ROOT}", "helpful", 0.5, None, "mean of 2", "unknown"),
        ("trace", f"ls:{ROOT}", "tone", None, "good", "mean of 3", "unknown"),
        ("run", f"ls:{OTHER}", "ok", 1.0, None, None, "unknown"),
    ]
    assert runs[0].extra["feedback_stats"] == stats


def test_feedback_objects(shared: Path, tmp_path: Path) -> None:
    _, (given,), _ = read(shared / "captures/langsmith/04_feedback_json.body")
    assert (given.level, given.key, given.score, given.comment) == ("trace", "correctness", 1.0, "good")
    assert given.id == "ls:01a20ba1-1e36-701e-8434-cc0140a8e24e" and given.target.startswith("ls:")
    path = tmp_path / "x.jsonl"
    base = {"id": "f", "run_id": "r", "trace_id": "t", "key": "k", "score": None}
    values = [
        {**base, "score": True, "feedback_source": {"type": "app", "user_name": "Ann"}},
        {**base, "value": {"a": 1}, "feedback_source": {"type": "model", "metadata": {"__run": {"run_id": "j"}}}},
        {**base, "score": "bad", "correction": {"x": 1}, "feedback_source": None},
        {**base, "key": None},
    ]
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    _, feedback, refused = read(path)
    assert [
        (s.level, s.target, s.trace, s.score, s.boolean, s.value, s.source, s.author, s.source_run) for s in feedback
    ] == [
        ("run", "ls:r", "ls:t", 1.0, True, None, "human", "Ann", None),
        ("run", "ls:r", "ls:t", None, False, '{"a":1}', "judge", "", "ls:j"),
        ("run", "ls:r", "ls:t", None, False, "bad", "unknown", "", None),
    ]
    assert [each.place for each in refused] == ["line 4"]


def test_odd_values_do_not_stop_a_run() -> None:
    record = one(
        run(name=5, tags="x", extra="text", inputs=[1], outputs=None, error={"a": 1}, events={"x": 1}, session_id=[])
    )
    assert (record.name, record.tags, record.inputs, record.error) == ("5", (), [1], '{"a":1}')
    assert list(run_records({"run_type": "llm", "id": None})) == []


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (3, 3, 1, 4, 2)])
def test_the_bodies_of_one_trace_in_any_order(shared: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    store = tmp_path / "traces.db"
    with Writer(store, create=True) as writer:
        paths = [str(shared / f"captures/langsmith/08_batch_{number}.body") for number in order]
        import_paths(writer, paths, Options())
    with sqlite3.connect(store) as conn:
        totals = conn.execute(
            "SELECT run_count, error_count, prompt_tokens, completion_tokens, cache_read_tokens, reasoning_tokens,"
            " status FROM trace"
        ).fetchall()
        runs = conn.execute("SELECT name, status, phase FROM run ORDER BY position").fetchall()
        threads = conn.execute("SELECT project, id FROM thread").fetchall()
    assert totals == [(6, 1, 84, 18, 20, 6, "success")]
    assert [name for name, _, _ in runs] == ["agent", "fetch", "ChatOpenAI", "get_weather", "ChatOpenAI", "bad"]
    assert {(status, phase) for _, status, phase in runs} == {("success", 2), ("error", 2)}
    assert threads == [("default", "thread-1")]
