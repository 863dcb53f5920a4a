"""Any part of a file may be anything: it is read or refused, and what is read fits the store."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracetui.ingest.documents import Options, Refusal
from tracetui.ingest.finish import finished
from tracetui.ingest.formats import labels, langsmith, mini_swe_agent, recognise, tau_bench
from tracetui.ingest.walk import document
from tracetui.model import jsonx
from tracetui.model.records import Batch
from tracetui.store.writer import Writer

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 1}, "cost": 0.5}
RESPONSE = {"id": "g", "model": "gpt-4o", "created": 1763508908, "usage": USAGE}
CHAT = [
    {"role": "user", "content": [{"type": "text", "text": "t"}]},
    {
        "role": "assistant",
        "content": "```bash\nls\n```",
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        "extra": {"response": {**RESPONSE, "choices": [{"message": {"role": "assistant", "content": "x"}}]}},
    },
    {"role": "tool", "tool_call_id": "c", "content": "<returncode>1</returncode>"},
]
RUN = {
    "id": "a", "trace_id": "a", "dotted_order": "20261124T033847864086Z01a20ba2-7cb8-797b-9fcc-e19869119039",
    "name": "n", "run_type": "llm", "start_time": 1795491527, "end_time": 1795491528, "tags": ["x"], "error": "e",
    "inputs": {"messages": [CHAT], "model": "gpt-4o"}, "events": [{"name": "new_token", "time": 1795491527.5}],
    "outputs": {"generations": [[{"message": {"kwargs": {"usage_metadata": USAGE}}}]], "llm_output": {"usage": USAGE}},
    "extra": {"metadata": {"thread_id": "t", "user_id": "u"}, "invocation_params": {"model": "m"}},
    "feedback_stats": {"k": {"n": 1, "avg": 1.0, "values": {"a": 1}}}, "child_runs": [{"id": "b", "run_type": "tool"}],
}  # fmt: skip
SIMULATION = {"id": "s", "task_id": "1", "messages": CHAT, "reward_info": {"reward": 1.0}, "start_time": "2025-01-01"}
FEEDBACK = {"id": "f", "run_id": "a", "trace_id": "a", "key": "k", "score": 1, "feedback_source": {"type": "app"}}
BASES: list[tuple[Any, Any]] = [
    (mini_swe_agent, {"info": {"exit_status": "x", "model_stats": {"n": 1}, "config": {"model": {"model_name": "m"}}},
                      "messages": CHAT, "trajectory_format": "mini-swe-agent-1", "instance_id": "i"}),
    (tau_bench, [{"task_id": 1, "reward": 1.0, "traj": CHAT, "info": {"error": "e", "user_cost": 0.1}, "trial": 0}]),
    (tau_bench, {"info": {"agent_info": {"llm": "m"}}, "tasks": [{"id": "1"}], "simulations": [SIMULATION]}),
    (langsmith, {"post": [RUN], "patch": [{"id": "a", "end_time": 5, "outputs": {}}]}),
    (langsmith, [RUN, FEEDBACK]),
    (labels, [{"id": "a", "key": "k", "score": 1, "value": "v", "comment": "c", "level": "run", "at": 5}]),
]  # fmt: skip
ANYTHING = st.sampled_from(
    [None, 5, -1, 1.5, True, "x", "", [], {}, [None], [[]], {"a": 1}, {"text": 5}, float("nan"), 10**30, "\ud800"]
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """The paths of all parts of a JSON value."""
    out: list[tuple[Any, ...]] = []
    stack: list[tuple[Any, tuple[Any, ...]]] = [(value, ())]
    while stack:
        part, path = stack.pop()
        out += [path] if path else []
        items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        stack += [(sub, (*path, key)) for key, sub in items]
    return out


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory):
    with Writer(tmp_path_factory.mktemp("hostile") / "traces.db", create=True) as made:
        yield made


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_part_may_be_anything(tmp_path: Path, writer: Writer, data: st.DataObject) -> None:
    form, base = data.draw(st.sampled_from(BASES))
    value = copy.deepcopy(base)
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(places(value) or [()]))
        if path:
            above = value
            for key in path[:-1]:
                above = above[key]
            above[path[-1]] = copy.deepcopy(data.draw(ANYTHING))
    file = tmp_path / "x.json"
    file.write_bytes(jsonx.dumps(value))
    doc = document(str(file), file.stat().st_size)
    if value == base:
        assert recognise(doc) is form
    for item in form.read(doc, Options()):
        assert isinstance(item, Batch | Refusal)
        if isinstance(item, Batch):
            writer.write(finished(item))
