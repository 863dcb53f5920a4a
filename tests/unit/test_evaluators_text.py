"""regex, contains, not_contains: what they find, where, how often, and what a slow pattern does."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from rule_views import evaluator, run, said, thread, tool, trace

from tracetui.evaluate.evaluators.base import Tools
from tracetui.evaluate.findings import EvaluationError
from tracetui.evaluate.matching import Hits, Matchers
from tracetui.store.parts import Part, part_of


def test_regex_says_where_and_how_often():
    rule = evaluator(type="regex", text="output", pattern=r"\bwtf\b", flags="i")
    found = rule.judge(run(outputs={"a": "fine", "b": "well, WTF and wtf again"}))
    assert found.count == 2
    assert found.evidence == found.evidence | {"text": "output", "start": 6, "end": 9, "match": "WTF", "count": 2}
    assert "WTF" in found.comment
    assert rule.judge(run(outputs={"wtf": "only a key"})) is None
    assert rule.judge(run(outputs=None)) is None


@pytest.mark.parametrize(
    ("choice", "view"),
    [
        ("new user messages", said("x", "find me")),
        ("answer", said("find me")),
        ("output", run(outputs=["deep", {"in": ["find me"]}])),
        ("input", run(inputs="find me")),
        ("tool arguments", tool("f", {"query": "find me"})),
        ("tool arguments", tool("f", {"command": ["find", "me"]})),
        ("tool arguments", run(outputs={"role": "assistant", "tool_calls": [
            {"id": "1", "function": {"name": "f", "arguments": '{"query": "find me"}'}}]})),
        ("tool results", tool("f", {}, "find me")),
        ("error", tool("f", error="find me\nstack")),
        ("name", tool("find me")),
        ("any", tool("find me")),
        ("any", run(inputs=["find me"])),
        ("metadata.plan.tier", run(metadata_json='{"plan": {"tier": "find me"}}')),
        ("outputs.answer.0", run(outputs={"answer": ["find me"]})),
    ],
)  # fmt: skip
def test_every_text_can_be_looked_at(choice, view):
    rule = evaluator(type="regex", text=choice, pattern="find me")
    assert rule.judge(view).evidence["text"] == choice
    for other in (run(inputs="", outputs="", name="other"), tool("other", {}, "")):
        assert rule.judge(other) is None


def test_history_is_not_new_and_tool_calls_are_no_answer():
    view = run(
        inputs={"messages": [{"role": "user", "content": "wtf"}]}, outputs={"role": "assistant", "content": "ok"}
    )
    assert evaluator(type="regex", text="new user messages", pattern="wtf").judge(view) is None
    assert evaluator(type="regex", text="input", pattern="wtf").judge(view) is not None


def test_in_a_trace_a_text_that_recurs_counts_once_and_the_first_run_is_named():
    runs = [run(outputs="quiet"), run(outputs="wtf wtf"), run(outputs="wtf wtf"), run(outputs="wtf")]
    found = evaluator("trace", type="regex", text="output", pattern="wtf").judge(trace(*runs))
    assert (found.count, found.evidence["run"]) == (3, runs[1].id)
    in_thread = evaluator("thread", type="regex", text="output", pattern="wtf").judge(
        thread(trace(runs[0]), trace(runs[3]), trace(run(outputs="wtf")))
    )
    assert (in_thread.count, in_thread.evidence["run"]) == (1, runs[3].id)


def test_name_and_metadata_of_a_trace_are_its_own():
    view = trace(
        run(name="find me", metadata_json='{"plan": "find me"}'), name="refund", metadata_json='{"plan": "pro"}'
    )
    for choice, own in (("name", "refund"), ("metadata.plan", "pro")):
        assert evaluator("trace", type="regex", text=choice, pattern="find me").judge(view) is None
        assert evaluator("trace", type="regex", text=choice, pattern=own).judge(view) is not None
        assert evaluator("thread", type="contains", text=[choice, "output"], words=own).judge(thread(view)) is not None


def test_an_agent_without_model_calls_was_asked_what_its_root_was_given():
    asked = {"messages": [{"role": "user", "content": "wtf"}, {"role": "assistant", "content": "wtf"}]}
    rule = evaluator("trace", type="regex", text="new user messages", pattern="wtf")
    assert rule.judge(trace(run("agent", inputs=asked))).count == 1
    assert rule.judge(trace(run("agent", inputs=asked), said("x"), llm_calls=1)) is None


def test_a_catastrophic_pattern_is_stopped_and_said():
    rule = evaluator(type="regex", text="output", pattern=r"(a|aa)+$", timeout=0.05)
    with pytest.raises(EvaluationError, match="time limit"):
        rule.judge(run(outputs="a" * 5000 + "!"))
    assert rule.judge(run(outputs="aaa")).count == 1


def test_a_slow_text_beside_a_hit_is_a_hit_that_says_so():
    rule = evaluator(type="regex", text="output", pattern=r"(a|aa)+$", timeout=0.05)
    assert rule.judge(run(outputs=["a" * 5000 + "!", "aaa"])).evidence["slow"] == 1


def test_contains_finds_any_or_all_words_without_case():
    any_ = evaluator(type="contains", text="output", words=["Sorry", "apologise"])
    assert any_.judge(run(outputs="I am SORRY, so sorry")).count == 2
    assert any_.judge(run(outputs="fine")) is None
    all_ = evaluator(type="contains", text="output", words=["order", "refund"], match="all")
    assert all_.judge(run(outputs=["your order", "a Refund"])) is not None
    assert all_.judge(run(outputs="your order")) is None
    assert evaluator(type="contains", text="output", words="Sorry", case=True).judge(run(outputs="sorry")) is None


def test_not_contains_needs_a_text():
    rule = evaluator(type="not_contains", text="answer", words=["[1]", "source:"])
    assert rule.judge(said("just so")) is not None
    assert rule.judge(said("so says [1]")) is None
    assert rule.judge(run(outputs=None)) is None
    assert rule.judge(said("   ")) is None


@given(st.text(st.sampled_from("aAßİıſK x"), max_size=12), st.text(st.sampled_from("aAßİıſK"), min_size=1, max_size=3))
def test_offsets_of_words_are_those_of_the_text_itself(text, word):
    rule = evaluator(type="contains", text="output", words=[word])
    found = rule.judge(run(outputs=text))
    assert (found is not None) == (word.casefold() in text.casefold())
    if found is not None:
        start, end = found.evidence["start"], found.evidence["end"]
        assert word.casefold() in text[start : max(end, start + 1)].casefold() or len(text.casefold()) != len(text)


TEXTS = st.recursive(
    st.text(st.sampled_from("ab "), max_size=6), lambda inner: st.lists(inner, max_size=4), max_leaves=20
)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_looking_together_and_remembering_finds_what_each_pattern_finds_alone(values):
    patterns = ["a+", "b", r"^a", "ab|ba", r"\Z"]
    matchers = Matchers()
    known = [matchers.pattern(pattern) for pattern in patterns]
    shared: dict[int, Part] = {}

    def part(value) -> Part:
        return shared.setdefault(
            id(value), Part(tuple(item if isinstance(item, str) else part(item) for item in value))
        )

    for value in values:
        found: dict[int, Hits] = {}
        whole = Part((value,)) if isinstance(value, str) else part(value)
        matchers.scan(whole, sum(one.bit for one in known), found)
        for one, pattern in zip(known, patterns, strict=True):
            counts = [len(regex.findall(pattern, text)) for text in part_of(value)]
            assert (found[one.bit].count if one.bit in found else 0) == sum(counts)


def test_each_distinct_text_is_searched_once_per_pattern():
    tools = Tools()
    rules = [evaluator(tools=tools, type="regex", text="output", pattern=pattern) for pattern in ("a", "b", "c")]
    for _ in range(5):
        for text in ("one a", "two b", "three"):
            for rule in rules:
                rule.judge(run(outputs=text))
    assert [rule.matcher.searched for rule in rules] == [3, 3, 3]
