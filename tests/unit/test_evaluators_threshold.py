"""threshold: numbers against bounds and against what is usual."""

from __future__ import annotations

import pytest
from rule_views import evaluator, run, said, trace

from tracetui.evaluate.evaluators.base import Tools


class Usual:
    def median(self, view, measure, group, least):
        return (10.0, 50) if least <= 50 else None


def judge(view, on="run", **options):
    return evaluator(on, Tools(baselines=Usual()), type="threshold", **options).judge(view)


@pytest.mark.parametrize(
    ("options", "hit"),
    [
        ({"measure": "latency", "max": 29}, True),
        ({"measure": "latency", "max": "30s"}, False),
        ({"measure": "latency", "max": "500ms"}, True),
        ({"measure": "latency", "min": "1m"}, True),
        ({"measure": "tokens", "max": "1k"}, True),
        ({"measure": "tokens", "max": "1.5k"}, False),
        ({"measure": "cost", "max": "$0.05"}, True),
        ({"measure": "metadata.queue.depth", "max": 6}, True),
        ({"measure": "metadata.queue.depth", "max": 7}, False),
        ({"measure": "metadata.absent", "max": 0}, False),
        ({"measure": "first_token", "max": 0}, False),
        ({"measure": "latency", "over": "2.9x median"}, True),
        ({"measure": "latency", "over": "3 x the median"}, False),
        ({"measure": "latency", "over": "2x median", "floor": "31s"}, False),
        ({"measure": "latency", "over": "2x median", "least": 51}, False),
        ({"measure": "latency", "under": "4x median"}, True),
        ({"measure": "latency"}, True),
    ],
)
def test_bounds(options, hit):
    view = run(
        started_at=1_000_000, ended_at=31_000_000, prompt_tokens=1000, completion_tokens=200, cost=0.06,
        metadata_json='{"queue": {"depth": 7}}',
    )  # fmt: skip
    found = judge(view, **options)
    assert (found is not None) == hit
    if hit:
        assert found.amount == found.evidence["value"]


def test_what_is_unknown_is_no_hit():
    assert judge(run(), measure="latency", min=1) is None
    assert judge(run(prompt_tokens=5), measure="tokens", min=100) is None


def test_counts_of_a_trace():
    view = trace(said("a"), llm_calls=30, tool_calls=12, error_count=2)
    assert judge(view, "trace", measure="steps", max=41).amount == 42
    assert judge(view, "trace", measure="errors", max=1).amount == 2


@pytest.mark.parametrize(
    ("outputs", "length"),
    [
        ({"role": "assistant", "content": " \n"}, 0),
        ({"role": "assistant", "content": "yes"}, 3),
        ({"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [
            {"id": "1", "function": {"name": "f", "arguments": "{}"}}]}}]}, 1),
        ({}, 0),
        (None, 0),
        ({"answer": 42}, 1),
    ],
)  # fmt: skip
def test_the_length_of_an_answer(outputs, length):
    found = judge(run(outputs=outputs, status="success"), measure="output_length")
    assert found.amount == length


def test_a_failed_call_without_output_is_not_empty_but_unknown():
    assert judge(run(outputs=None, status="error", error="429"), measure="output_length", min=1) is None
