"""Rules files: what they may say, and where they are wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_views import rule_text

from tracetui.evaluate import starter
from tracetui.evaluate.rules import from_spec, parse_rules, read_rules
from tracetui.model.errors import RulesError
from tracetui.model.kinds import Level

GOOD = rule_text(type="regex", text="output", pattern="x")


def digest(text: str) -> str:
    [rule] = parse_rules(text).rules
    return rule.digest


def test_the_rule_of_the_design_reads():
    [rule] = parse_rules(
        """[[rule]]
name    = "user-frustration"
on      = "run"                       # run | trace | thread
where   = "kind:llm"
sample  = 1.0
key     = "frustrated"
[rule.evaluate]
type    = "regex"
text    = "new user messages"
pattern = \'\'\'\\b(wtf|ffs|this sucks)\\b\'\'\'
flags   = "i"
"""
    ).rules
    assert (rule.name, rule.on, rule.where, rule.key) == ("user-frustration", Level.RUN, "kind:llm", "frustrated")
    assert rule.evaluate["text"] == ("new user messages",)
    assert rule.line == 2


def test_actions_of_later_versions_are_said():
    file = parse_rules(GOOD + "[[rule.then]]\naction = 'queue'\nqueue = 'q'\n")
    assert len(file.rules) == 1
    assert "line 10" in file.notes[0]
    assert "queue" in file.notes[0]


BAD = [
    (GOOD.replace("key =", "kye ="), 3, "kye", "key"),
    (GOOD.replace("'''regex'''", "'regx'"), 7, "regx", "regex"),
    (GOOD.replace("'''output'''", "'outptu'"), 8, "outptu", "output"),
    (GOOD.replace("'''x'''", "'''(x'''"), 9, "missing )", ""),
    (GOOD.replace("'run'", "'runs'"), 4, "runs", "run"),
    (GOOD + "flags = 'q'\n", 10, "'q'", "i"),
    (GOOD.replace("pattern", "patern"), 9, "patern", "pattern"),
    (rule_text(where="kindd:llm", type="loop"), 5, "kindd", "kind"),
    (rule_text(type="loop", times=1), 8, "less than 2", ""),
    (rule_text(type="loop", times="3"), 8, "integer", ""),
    (rule_text("thread", type="threshold", measure="metadata.x"), 8, "thread", "traces"),
    (rule_text("run", type="threshold", measure="stps", max=3), 8, "stps", "steps"),
    (rule_text("run", type="threshold", measure="steps", max=3), 8, "a run has no steps", "trace"),
    (rule_text("trace", type="threshold", measure="steps", max="many"), 9, "many", "30"),
    (rule_text("trace", type="sequence", order="first this then"), 8, "first this then", "A then B"),
    (rule_text("trace", type="sequence", order="never a", steps={"b": {"name": "x"}}), 9, "steps.b", "never a"),
    (rule_text("trace", type="sequence", order="never b", steps={"b": {"nam": "x"}}), 9, "nam", "name"),
    (rule_text("run", type="sequence", order="require b"), 8, "no run", "traces"),
    (rule_text(more="sample = 1.5", type="loop"), 5, "more than 1", ""),
    (rule_text(more="record = 'all'", type="loop", value="bad"), 5, "label", "value"),
    (GOOD + GOOD, 11, "already", "name"),
    (GOOD + "[[rule]]\nname = 'a\n", 11, "", ""),
    (GOOD + "\x00", 10, "", ""),
    ("[rule]\nname = 'a'\n", 1, "[rule]", "[[rule]]"),
    ("x = '''\n[[rule]]\n'''\n" + GOOD, 0, "x", "[[rule]]"),
    (GOOD.replace("'''x'''", '"\\d"'), 9, "", "single quotes"),
]


@pytest.mark.parametrize(("text", "line", "message", "hint"), BAD)
def test_a_wrong_rule_is_named_with_its_line_and_the_nearest_right_thing(text, line, message, hint):
    with pytest.raises(RulesError) as caught:
        parse_rules(text, "team/rules.toml")
    error = caught.value
    assert error.message.startswith("team/rules.toml")
    if line:
        assert f"line {line}" in error.message
    assert message in error.message
    assert hint in error.hint


def test_lines_are_right_behind_texts_of_several_lines():
    text = GOOD.replace("pattern = '''x'''", "pattern = '''\n[[rule]]\nname = 1 # no rule\n'''") + GOOD.replace(
        "name = 'rule'", "name = 'two'"
    ).replace("'''output'''", "'nowhere'")
    with pytest.raises(RulesError, match="line 20"):
        parse_rules(text)


@pytest.mark.parametrize(("data", "place"), [(b"\xff", "line 1"), (b"# fine\n\xe9", "line 2")])
def test_a_file_that_is_no_text(tmp_path, data, place):
    file = tmp_path / "rules.toml"
    file.write_bytes(data)
    with pytest.raises(RulesError, match=place):
        read_rules(file)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(RulesError) as caught:
        read_rules(tmp_path / "rules.toml")
    assert "init" in caught.value.hint


def test_only_a_change_of_meaning_changes_the_digest():
    same = [
        GOOD,
        GOOD.replace("key =", "means = 'more'\nkey ="),
        GOOD.replace("key =", "enabled = false\nsample = 1.0\nkey ="),
        GOOD + "flags = ''\ntimeout = 0.5\n",
        "# a comment\n" + GOOD,
        GOOD.replace("name = 'rule'", "name = 'other'"),
    ]
    other = [
        GOOD.replace("'''x'''", "'y'"),
        GOOD.replace("'run'", "'trace'"),
        GOOD.replace("'k'", "'k2'"),
        GOOD.replace("key =", "sample = 0.5\nkey ="),
        GOOD.replace("key =", "where = 'kind:llm'\nkey ="),
        GOOD + "flags = 'i'\n",
        GOOD + "score = 'count'\n",
    ]
    assert {digest(text) for text in same} == {digest(GOOD)}
    assert len({digest(text) for text in other} | {digest(GOOD)}) == len(other) + 1


def test_the_store_keeps_a_rule_whole():
    for rule in parse_rules(starter.text()).rules:
        again = from_spec(rule.spec(), enabled=rule.enabled)
        assert again == rule
        assert again.digest == rule.digest


def test_every_starter_rule_says_what_it_means_and_what_to_do():
    rules = parse_rules(starter.text()).rules
    assert len(rules) >= 8
    assert all(rule.means and rule.do for rule in rules)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["name", "key", "on", "where", "sample", "record", "evaluate", "then", "type", "text", "pattern", "flags", "order",
     "steps", "measure", "max", "over", "words", "times", "score", "value", "x"]
)  # fmt: skip


@settings(max_examples=200)
@given(
    st.dictionaries(NAMES, VALUES, max_size=6),
    st.dictionaries(NAMES, VALUES, max_size=6),
    st.sampled_from(["regex", "contains", "threshold", "loop", "sequence", "swallowed_error"]),
)
def test_whatever_a_rule_holds_it_is_read_or_refused_in_words(table, options, kind):
    from tracetui.evaluate.lines import RuleLines
    from tracetui.evaluate.rules import _rule

    rule = {"name": "n", "key": "k", **table, "evaluate": {"type": kind, **options}}
    try:
        _rule(rule, "rules.toml", RuleLines(1), [])
    except RulesError as error:
        assert "rules.toml" in error.message


@settings(max_examples=200)
@given(st.text(st.sampled_from("[]rule=\"'\n#.abc\\ "), max_size=60))
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(text):
    try:
        parse_rules(text)
    except RulesError as error:
        assert error.message
