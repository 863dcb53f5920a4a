"""loop, sequence, swallowed_error: what they find in a trajectory."""

from __future__ import annotations

import pytest
from rule_views import evaluator, run, said, thread, tool, trace


def loop(on="trace", **options):
    return evaluator(on, type="loop", **options)


def test_a_loop_is_the_same_tool_with_equal_arguments():
    calls = [
        tool("get", {"id": 1, "n": 2}),
        said("hm"),
        tool("get", {"n": 2.0, "id": 1}),
        tool("get", '{"id":1,"n":2}'),
    ]
    found = loop().judge(trace(*calls))
    assert (found.count, found.evidence["tool"], found.evidence["times"]) == (3, "get", 3)
    assert loop(times=4).judge(trace(*calls)) is None
    assert loop(ignore=["g*"]).judge(trace(*calls)) is None
    assert loop(times=2).judge(trace(tool("get", {"id": 1}), tool("get", {"id": True}))) is None


def test_loop_knows_how_calls_repeat():
    spread = trace(tool("a", 1), tool("b", 1), tool("a", 1), tool("b", 1), tool("a", 1))
    assert loop().judge(spread).count == 3
    assert loop(when="in a row").judge(spread) is None
    assert loop(when="in a row").judge(trace(*(tool("a", 1) for _ in range(4)))).count == 4
    polling = trace(*(tool("status", {}, f"{n}%") for n in range(5)))
    assert loop().judge(polling).count == 5
    assert loop(when="same result").judge(polling) is None
    failing = trace(tool("a", 1, error="no"), tool("a", 1, error="no"), tool("a", 1), tool("a", 1))
    assert loop(when="after error").judge(failing).count == 3


def test_on_runs_a_loop_is_the_calls_from_the_nth_on():
    calls = [tool("a", 1), tool("a", 1), tool("a", 1), tool("a", 1), tool("b", 1)]
    trace(*calls)
    rule = loop("run")
    assert [found.count if (found := rule.judge(one)) else 0 for one in calls] == [0, 0, 3, 4, 0]


def test_calls_that_only_models_tell_of_are_steps_too():
    def asks(call_id: str):
        calls = [{"id": call_id, "function": {"name": "get", "arguments": '{"id": 7}'}}]
        return run(outputs={"role": "assistant", "content": "", "tool_calls": calls})

    assert loop().judge(trace(asks("1"), asks("2"), asks("3"))).evidence["times"] == 3


def order(sentence, view, on="trace", **options):
    found = evaluator(on, type="sequence", order=sentence, **options).judge(view)
    return None if found is None else found.evidence["step"]


A, B, C = (lambda: tool("a")), (lambda: tool("b")), (lambda: tool("c"))


@pytest.mark.parametrize(
    ("sentence", "steps", "hit"),
    [
        ("require a before b", [A, B], None),
        ("require a before b", [B, A], 1),
        ("require a before b within 1", [A, C, B], 3),
        ("require b after a", [A, C], 1),
        ("require b after a within 2", [A, C, B], None),
        ("require b after a within 1", [A, C, B], 1),
        ("never b without a before it", [B], 1),
        ("never b without a before it", [A, B, B], None),
        ("never b without a", [C, B], 2),
        ("never a without b after it", [A, B, A], 3),
        ("a then b", [B, A, C, B], 4),
        ("a then b within 1", [A, C, B], None),
        ("never a then b", [A, B], 2),
        ("final step is c", [A, C], 2),
        ("final step is c", [C, A], None),
        ("final step is not c", [C, A], 2),
        ("require final step is c", [C, A], 2),
        ("require final step is c", [A, C], None),
        ("require b", [A, C], 2),
        ("require b", [A, B], None),
        ("never b", [A, B], 2),
        ("never \"B\" without 'A'", [B], 1),
    ],
)
def test_sentences_of_order(sentence, steps, hit):
    assert order(sentence, trace(*(step() for step in steps))) == hit


def test_an_empty_trace_has_no_order():
    for sentence in ("require b", "final step is not c", "require a before b"):
        assert order(sentence, trace()) is None


def test_steps_can_be_described():
    steps = {
        "destructive": {"kind": "tool", "arguments": r"\brm -rf\b"},
        "approval": [{"user": r"\byes\b"}, {"name": ["approve*", "confirm"]}],
    }
    sentence = "never destructive without approval before it"
    danger = {"command": "cd x && rm -rf /"}
    assert order(sentence, trace(said("hi", "do it"), tool("bash", danger)), steps=steps) == 2
    assert order(sentence, trace(said("hi", "Yes, please"), tool("bash", danger)), steps=steps) is None
    assert order(sentence, trace(tool("approve_it"), tool("bash", danger)), steps=steps) is None
    assert order(sentence, trace(tool("bash", danger), tool("approve_it")), steps=steps) == 1


def test_order_speaks_of_kinds_and_errors_and_of_runs():
    view = trace(tool("a", error="no"), said("sorry"), tool("b"))
    assert order("error then b", view) == 3
    assert order("final step is llm", view) is None
    rule = evaluator("run", type="sequence", order="error then b")
    assert [rule.judge(one) is not None for one in view.runs] == [False, False, True]
    whole = thread(trace(tool("a")), trace(tool("b")))
    assert order("a then b", whole, on="thread") == 2


@pytest.mark.parametrize(
    ("after", "swallowed"),
    [
        ([said("Your parcel is on its way.")], True),
        ([said("The lookup failed, let me see.")], False),
        ([said("There is no such order in Utrecht.")], False),
        ([said("One moment."), tool("get_order", {"id": "4412"}), said("Here it is.")], False),
        ([said("One moment."), tool("list_orders", {"near": "Utrecht"}), said("Here it is.")], False),
        ([said("One moment."), tool("weather", {"city": "Oslo"}), said("It rains.")], True),
        ([], False),
    ],
)
def test_an_error_is_swallowed_when_nothing_after_it_takes_notice(after, swallowed):
    failed = tool("get_order", {"id": "4411"}, error="KeyError: depot Utrecht lacks it")
    view = trace(said("I look it up."), failed, *after)
    found = evaluator("trace", type="swallowed_error").judge(view)
    assert (found is not None) == swallowed
    on_run = evaluator("run", type="swallowed_error")
    assert (on_run.judge(failed) is not None) == swallowed
    if swallowed:
        assert "Utrecht" in found.comment
        assert found.evidence["run"] == failed.id
