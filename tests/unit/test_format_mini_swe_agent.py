"""mini-swe-agent: real trajectories give the figures of their benchmark, odd ones what can be had of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tracetui.ingest.documents import Options, Refusal
from tracetui.ingest.formats import mini_swe_agent
from tracetui.ingest.walk import document, documents
from tracetui.model.records import Batch, FeedbackRecord, RunRecord


def read(path: Path) -> tuple[list[RunRecord], list[FeedbackRecord], list[Refusal]]:
    runs: list[RunRecord] = []
    feedback: list[FeedbackRecord] = []
    refused: list[Refusal] = []
    doc = document(str(path), path.stat().st_size)
    assert mini_swe_agent.sniff(doc)
    for item in mini_swe_agent.read(doc, Options()):
        if isinstance(item, Batch):
            runs += item.runs
            feedback += item.feedback
        else:
            refused.append(item)
    return runs, feedback, refused


def trajectory(path: Path, messages: list[Any], **more: Any) -> Path:
    info = {"exit_status": "Submitted", "submission": "diff", "mini_version": "1.15.0", **more.pop("info", {})}
    value = {"info": info, "messages": messages, "trajectory_format": "mini-swe-agent-1", **more}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def answer(text: str, **extra: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, "extra": extra}


def test_the_real_trajectories_give_their_figures(shared: Path) -> None:
    path = shared / "data/mini-swe-agent/gemini-3-pro_swebench-verified_part-A.tar.xz"
    seen: Counter[str] = Counter()
    ids: set[str] = set()
    threads: set[str | None] = set()
    for found in documents(str(path), path.stat().st_size, named=True):
        assert not isinstance(found, Refusal)
        if not mini_swe_agent.sniff(found.doc):
            continue
        for item in mini_swe_agent.read(found.doc, Options()):
            assert isinstance(item, Batch)
            seen["traces"] += 1
            threads.add(item.runs[0].session)
            ids.update(run.id for run in item.runs)
            for run in item.runs:
                seen[str(run.kind)] += 1
                seen["prompt"] += run.prompt_tokens or 0
                seen["completion"] += run.completion_tokens or 0
                seen["errors"] += run.error is not None
                assert run.status is None and run.ended_at is None
            positions = [run.position for run in item.runs]
            assert positions == sorted(positions)
            assert [(each.key, each.boolean, each.source) for each in item.feedback] == [("resolved", True, "outcome")]
            seen["resolved"] += int(item.feedback[0].score or 0)
            calls = [run for run in item.runs if run.kind == "llm"]
            first, last = calls[0], calls[-1]
            # the same objects, so that a store encodes each message once
            assert all(a is b for a, b in zip(first.inputs["messages"], last.inputs["messages"], strict=False))
            assert all("extra" not in message for message in last.inputs["messages"])
    assert len(threads) == 231
    assert len(ids) == 231 + 9302 + 9001
    assert seen == {
        "traces": 231,
        "agent": 231,
        "llm": 9302,
        "tool": 9001,
        "prompt": 152_546_254,
        "completion": 2_524_378,
        "errors": 636,
        "resolved": 170,
    }


def test_usage_cost_and_start_come_from_the_response(tmp_path: Path) -> None:
    response = {
        "id": "gen-1",
        "model": "google/gemini-3-pro-preview",
        "provider": "Google",
        "created": 1763508908,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi", "reasoning": "r"}}],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "cost": 0.25,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }
    free = {**response, "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0}}
    messages = [
        {"role": "user", "content": "task"},
        answer("hi", response=response),
        answer("hi", response={**response, "usage": {"prompt_tokens": 1}}, cost=0.5),
        answer("hi", response=free),
        answer("no response"),
    ]
    runs, _, _ = read(trajectory(tmp_path / "x.traj.json", messages, instance_id="repo__1"))
    root, first, second, third, bare = runs
    assert (root.session, root.trace_name, root.kind) == ("repo__1", "repo__1", "agent")
    assert root.inputs == {"messages": [{"role": "user", "content": "task"}]}
    assert root.outputs == {"submission": "diff"}
    assert (first.prompt_tokens, first.completion_tokens) == (10, 5)
    assert (first.cache_read_tokens, first.reasoning_tokens) == (4, 2)
    assert (first.cost, first.cost_source) == (0.25, "source")
    assert (second.cost, third.cost, third.cost_source) == (0.5, None, None)
    assert first.started_at == 1763508908_000000 and first.ended_at is None
    assert (first.model, first.provider, first.response_id) == ("google/gemini-3-pro-preview", "Google", "gen-1")
    assert first.outputs == {"role": "assistant", "content": "hi", "reasoning": "r"}
    assert first.extra["response"]["choices"] == [{"index": 0}]
    assert bare.outputs == {"role": "assistant", "content": "no response"} and bare.prompt_tokens is None


@pytest.mark.parametrize(
    ("said", "observation", "error"),
    [
        ("```bash\nls\n```", "<returncode>0</returncode>\n<output>\nx\n</output>", None),
        ("```bash\nls\n```", "<returncode>2</returncode>\n<output>\nls: no\n</output>", "exit code 2: ls: no"),
        ("```bash\nls\n```", "<returncode>-9</returncode>\n<output>\n</output>", "exit code -9"),
    ],
)
def test_a_return_code_other_than_zero_is_the_commands_error(
    tmp_path: Path, said: str, observation: str, error: str | None
) -> None:
    messages = [answer(said), {"role": "user", "content": observation}]
    runs, _, _ = read(trajectory(tmp_path / "x.traj.json", messages))
    assert [run.kind for run in runs] == ["agent", "llm", "tool"]
    assert (runs[2].inputs, runs[2].outputs, runs[2].error) == ({"command": "ls"}, observation, error)


def test_an_answer_without_exactly_one_command_made_no_tool_run(tmp_path: Path) -> None:
    two = "```bash\na\n```\n```bash\nb\n```"
    messages = [answer(two), {"role": "user", "content": "exactly one"}, answer("none"), answer("```bash\nc\n```")]
    runs, _, _ = read(trajectory(tmp_path / "x.traj.json", messages))
    assert [run.kind for run in runs] == ["agent", "llm", "llm", "llm", "tool"]
    assert (runs[-1].outputs, runs[-1].status) == (None, "abandoned")


def test_tool_calls_of_newer_versions_are_paired_by_id(tmp_path: Path) -> None:
    actions = [{"command": "one", "tool_call_id": "a"}, {"command": "two", "tool_call_id": "b"}]
    messages = [
        answer("", actions=actions),
        {"role": "tool", "tool_call_id": "b", "content": "2", "extra": {"returncode": 1}},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "1"}], "extra": {"returncode": 0}},
    ]
    runs, _, _ = read(trajectory(tmp_path / "x.traj.json", messages, trajectory_format="mini-swe-agent-1.1"))
    tools = [(run.inputs["command"], run.outputs, run.error) for run in runs if run.kind == "tool"]
    assert tools == [("one", [{"type": "text", "text": "1"}], None), ("two", "2", "exit code 1: 2")]


def test_the_report_beside_it_or_a_given_verdict(tmp_path: Path) -> None:
    messages = [answer("x")]
    path = trajectory(tmp_path / "t/i/i.traj.json", messages, instance_id="i")
    assert read(path)[1] == []
    (path.parent / "report.json").write_text('{"i": {"resolved": false}}')
    (verdict,) = read(path)[1]
    assert (verdict.level, verdict.key, verdict.score, verdict.boolean) == ("trace", "resolved", 0.0, True)
    (path.parent / "report.json").write_text('{"i": {"resol')
    runs, feedback, refused = read(path)
    assert (len(runs), feedback) == (2, [])
    assert refused[0].path.endswith("report.json") and "cut off" in refused[0].why
    given = trajectory(tmp_path / "g.traj.json", messages, info={"resolved": True})
    assert [each.score for each in read(given)[1]] == [1.0]


def test_odd_shapes_give_what_they_hold(tmp_path: Path) -> None:
    messages = [
        "text",
        {"role": "system", "content": None},
        {"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "image_url"}, None]},
        {"role": "assistant", "content": None, "extra": None},
        {"role": "assistant", "content": 5, "extra": {"response": {"choices": [], "usage": None, "created": "x"}}},
        {"content": "no role"},
        {"role": "assistant", "content": "```bash\nls\n```", "extra": {"response": "text"}},
        {"role": "user", "content": None, "tool_call_id": {}},
    ]
    path = trajectory(tmp_path / "x.traj.json", messages, info={"exit_status": "LimitsExceeded", "config": None})
    runs, _, refused = read(path)
    assert [run.kind for run in runs] == ["agent", "llm", "llm", "llm", "tool"]
    assert runs[0].error == "LimitsExceeded"
    assert [(each.place, each.why) for each in refused] == [("message 1", "not an object")]


def test_a_growing_trajectory_stays_the_same_one(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "task"}, answer("one", response={"id": "gen-1"}), answer("two")]
    short = read(trajectory(tmp_path / "a.traj.json", messages[:2], instance_id="i"))[0]
    long = read(trajectory(tmp_path / "b.traj.json", messages, instance_id="i"))[0]
    assert [run.id for run in short] == [run.id for run in long][:2]
    other = read(
        trajectory(tmp_path / "c.traj.json", [messages[0], answer("one", response={"id": "g2"})], instance_id="i")
    )
    assert other[0][0].id != short[0].id


def test_a_cut_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = trajectory(tmp_path / "x.traj.json", [answer("a")] * 10)
    text = json.dumps(json.loads(path.read_text()), indent=1)
    path.write_text(text[: len(text) - 40])
    runs, _, (refusal,) = read(path)
    assert runs == []
    assert refusal.place.startswith("line ") and "cut off" in refusal.why
