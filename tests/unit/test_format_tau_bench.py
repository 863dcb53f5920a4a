"""tau-bench and tau2-bench: the figures of the real results, pairing, odd and damaged files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracetui.ingest.documents import Options, Refusal
from tracetui.ingest.formats import tau_bench
from tracetui.ingest.walk import document
from tracetui.model.records import Batch, RunRecord


def batches(path: Path) -> Iterator[Batch | Refusal]:
    doc = document(str(path), path.stat().st_size)
    assert tau_bench.sniff(doc)
    yield from tau_bench.read(doc, Options())


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def conversation(task: Any, *messages: Any, **more: Any) -> dict[str, Any]:
    return {"task_id": task, "reward": 1.0, "info": {}, "traj": list(messages), "trial": 0, **more}


def call(name: str, id: str | None, arguments: Any = "{}") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"function": function, "type": "function"} | ({"id": id} if id else {})


def result(text: Any, id: str | None = None) -> dict[str, Any]:
    return {"role": "tool", "content": text} | ({"tool_call_id": id} if id else {})


def tools(path: Path) -> list[RunRecord]:
    return [run for each in batches(path) if isinstance(each, Batch) for run in each.runs if run.kind == "tool"]


def test_the_real_results_give_their_figures(shared: Path) -> None:
    seen: Counter[str] = Counter()
    threads, ids, reward = set(), set(), 0.0
    for batch in batches(shared / "data/tau-bench/gpt-4o-airline.json.xz"):
        assert isinstance(batch, Batch)
        root = batch.runs[0]
        assert (root.kind, root.parent) == ("agent", None)
        threads.add(root.session)
        for run in batch.runs:
            ids.add(run.id)
            seen[str(run.kind)] += 1
            seen["error"] += run.error is not None
            assert run.trace == root.trace
            assert run.started_at is None and run.ended_at is None and run.status is None
            if run.kind == "llm":
                assert run.inputs["messages"][-1]["role"] in ("user", "tool")
                assert run.outputs["role"] == "assistant"
            if run.kind == "tool":
                assert run.outputs is not None
        (said,) = batch.feedback
        assert (said.level, said.key, said.source, said.target) == ("trace", "reward", "outcome", root.trace)
        assert not said.boolean
        reward += said.score or 0
    assert (len(threads), reward) == (50, 84)
    assert seen == {"agent": 200, "llm": 2454, "tool": 1164, "error": 73}
    assert len(ids) == 200 + 2454 + 1164


def test_the_real_tau2_results(shared: Path) -> None:
    seen: Counter[str] = Counter()
    reward = 0.0
    for batch in batches(shared / "data/tau2-bench/toolorchestra_airline_gpt-5_1trial.json.xz"):
        assert isinstance(batch, Batch)
        seen.update(str(run.kind) for run in batch.runs)
        reward += sum(said.score or 0 for said in batch.feedback)
        root = batch.runs[0]
        assert root.extra["task"]["id"] == root.session
        assert root.id.startswith("tau2-bench:") and root.started_at is not None
    assert (seen, reward) == ({"agent": 50, "llm": 505, "tool": 581}, 28)


def test_results_are_paired_by_id_and_each_is_used_once(tmp_path: Path) -> None:
    messages = (
        {"role": "assistant", "tool_calls": [call("a", "1", '{"x": 1}'), call("b", "2", "no json")]},
        result("for b", "2"),
        result("Error: for a", "1"),
        {"role": "assistant", "tool_calls": [call("c", "1")]},  # an id comes again
        result("for c", "1"),
        {"role": "assistant", "tool_calls": [call("d", "9")]},
    )
    found = tools(write(tmp_path / "x.json", [conversation(1, *messages)]))
    assert [(run.name, run.inputs, run.outputs, run.error, run.status) for run in found] == [
        ("a", {"x": 1}, "Error: for a", "Error: for a", None),
        ("b", {"arguments": "no json"}, "for b", None, None),
        ("c", {}, "for c", None, None),
        ("d", {}, None, None, "abandoned"),
    ]


def test_results_without_ids_are_paired_by_order(tmp_path: Path) -> None:
    messages = (
        {"role": "assistant", "tool_calls": [call("a", None), call("b", "2")]},
        result("for a"),
        result(None),
    )
    found = tools(write(tmp_path / "x.json", [conversation(1, *messages)]))
    assert [(run.name, run.outputs) for run in found] == [("a", "for a"), ("b", None)]


def test_the_file_counts_for_the_identity_and_may_grow(tmp_path: Path) -> None:
    first = conversation(1, {"role": "user", "content": "a"})
    second = conversation(2, {"role": "user", "content": "b"})

    def traces(name: str, value: list[Any]) -> list[str | None]:
        path = write(tmp_path / name, value)
        return [each.runs[0].trace for each in batches(path) if isinstance(each, Batch)]

    before = traces("a.json", [first])
    assert traces("grown.json", [first, second])[:1] == before
    other = traces("other.json", [conversation(1, {"role": "user", "content": "else"}), second])
    assert not set(other) & set(traces("grown.json", [first, second]))


def test_odd_records_cost_themselves(tmp_path: Path) -> None:
    value = [
        conversation("x", reward=None),
        "text",
        {"task_id": 3, "reward": 0},
        conversation(4, "text", {"role": "assistant", "content": None, "tool_calls": [None, {"function": None}]}),
        conversation(5, info={"error": "boom", "traceback": "Traceback\n  x"}, reward=0.0),
    ]
    out = list(batches(write(tmp_path / "x.json", value)))
    good = [each for each in out if isinstance(each, Batch)]
    assert [batch.runs[0].session for batch in good] == ["x", "4", "5"]
    assert [len(batch.feedback) for batch in good] == [0, 1, 1]
    assert good[2].runs[0].error == "boom\nTraceback\n  x"
    assert [each.place for each in out if isinstance(each, Refusal)] == [
        "conversation 2",
        "conversation 3",
        "conversation 4, message 1",
    ]


def test_json_lines_and_a_cut_list(tmp_path: Path) -> None:
    lines = tmp_path / "x.jsonl"
    lines.write_text("".join(json.dumps(conversation(n)) + "\n" for n in range(3)))
    assert len(list(batches(lines))) == 3
    text = json.dumps([conversation(n, {"role": "user", "content": "a"}) for n in range(3)])
    cut = tmp_path / "cut.json"
    cut.write_text(text[:-30])
    out = list(batches(cut))
    assert [isinstance(each, Batch) for each in out] == [True, True, False]
    assert out[2] == Refusal(str(cut), "conversation 3", "the file ends inside it (cut off?)")


def test_tau2_usage_cost_and_the_users_own_tools(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    messages = [
        {"role": "assistant", "content": "hi", "usage": usage, "cost": 0.5, "timestamp": "2025-01-01T00:00:10"},
        {"role": "user", "tool_calls": [{"id": "u", "name": "toggle", "arguments": {"on": 1}, "requestor": "user"}]},
        {"role": "tool", "id": "u", "content": "done", "error": True, "requestor": "user"},
    ]
    simulation = {"id": "s1", "task_id": 7, "messages": messages, "termination_reason": "max_steps"}
    value = {"info": {"agent_info": {"llm": "gpt-5"}}, "tasks": [], "simulations": [simulation, {"id": "s2"}]}
    batch, refusal = list(batches(write(tmp_path / "x.json", value)))
    assert isinstance(batch, Batch)
    root, llm, tool = batch.runs
    assert (root.id, root.session, root.error) == ("tau2-bench:s1/agent", "7", "max_steps")
    assert (llm.model, llm.prompt_tokens, llm.cost, llm.started_at) == ("gpt-5", 5, 0.5, None)
    assert (tool.name, tool.inputs, tool.outputs, tool.error) == ("toggle", {"on": 1}, "done", "done")
    assert tool.metadata == {"requestor": "user"}
    assert refusal == Refusal(str(tmp_path / "x.json"), "simulation 2", "no list of messages in it")
