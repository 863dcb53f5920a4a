"""The filter language: what is read, what is refused and how it is said, and that trees print back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracetui.model.errors import FilterError
from tracetui.query import ast, parse
from tracetui.query.ast import And, Compare, Contains, Field, Has, Is, Not, Operand, Or, Pattern, Range, Words
from tracetui.query.fields import BY_NAME, FEEDBACK_PARTS, FIELDS, FieldSpec, FieldType
from tracetui.query.numbers import read_number
from tracetui.query.printing import to_text


def exact(name: str, text: str) -> Field:
    return Field(name, Is(Pattern((text,))))


def test_the_empty_filter_is_everything():
    assert parse("") == parse("  \n ") == ast.EVERYTHING


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("status:error kind:llm", And((exact("status", "error"), exact("kind", "llm")))),
        ("STATUS:OK", exact("status", "success")),
        ("status:pending", exact("status", "running")),
        ("latency:>2s", Field("latency", Compare(">", Operand("2s", 2_000_000)))),
        ("latency:<= 350ms", Field("latency", Compare("<=", Operand("350ms", 350_000)))),
        ("tokens:[1k TO *}", Field("tokens", Range(Operand("1k", 1000), None, True, False))),
        ("cost:>$0.05", Field("cost", Compare(">", Operand("$0.05", 0.05)))),
        ("model:gpt-4*", Field("model", Is(Pattern(("gpt-4", ""))))),
        ('name:"Refund Flow"', exact("name", "Refund Flow")),
        ('name:"a*b"**', Field("name", Is(Pattern(("a*b", ""))))),
        (r'name:"say \"hi\" \\ \n"', exact("name", r'say "hi" \ \n')),
        ("name:*", Field("name", Has())),
        ("name:~refund", Field("name", Contains("refund"))),
        ("thread:otel:a/b", exact("thread", "otel:a/b")),
        ("feedback.helpful:<0.5", Field("feedback", Compare("<", Operand("0.5", 0.5)), "helpful")),
        ("feedback.k:-1", Field("feedback", Is(Pattern(("-1",))), "k")),
        ("-feedback.correct:*", Not(Field("feedback", Has(), "correct"))),
        ('feedback."a key".source:human', Field("feedback", Is(Pattern(("human",))), "a key", "source")),
        ("feedback.a.b.author:Mira", Field("feedback", Is(Pattern(("Mira",))), "a.b", "author")),
        ("feedback.source:1", Field("feedback", Is(Pattern(("1",))), "source")),
        ('feedback.x."source":1', Field("feedback", Is(Pattern(("1",))), "x.source")),
        ("feedback.*.comment:~refund", Field("feedback", Contains("refund"), None, "comment")),
        ('feedback."*":1', Field("feedback", Is(Pattern(("1",))), "*")),
        ('"order not found" refund*', And((Words("order not found"), Words("refund", True)))),
        ("lookup_order gpt-4.1", And((Words("lookup_order"), Words("gpt-4.1")))),
        ("(a OR b) -c NOT d", And((Or((Words("a"), Words("b"))), Not(Words("c")), Not(Words("d"))))),
        ("a and b or not c", Or((And((Words("a"), Words("b"))), Not(Words("c"))))),
        ("a (b (c OR d))", And((Words("a"), Words("b"), Or((Words("c"), Words("d")))))),
        ("- (a) --b", And((Not(Words("a")), Words("b")))),
        ("sand orbit nothing android", And(tuple(map(Words, ["sand", "orbit", "nothing", "android"])))),
    ],
)
def test_what_is_read(text, tree):
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "place", "said", "hint"),
    [
        ("kind:llm staus:error", "staus", "no field `staus`", "did you mean status?"),
        ("feedbak.helpful:1", "feedbak.helpful", "no field `feedbak`", "feedback.KEY"),
        ("status:err", "err", "never `err`", "status:error"),
        ("kind:toool", "toool", "never `toool`", "kind:tool"),
        ("status: error", "status:", "needs a value right after", "one of success"),
        ("name:", "name:", "needs a value right after", "name:refund*"),
        ("name:>5", ">5", "no order", "name:refund*"),
        ("latency:>fast", ">fast", "`fast` is not a duration", "latency:>2s"),
        ("tokens:many", "many", "`many` is not a number", "tokens:>10k"),
        ("cost:>", "cost:>", "missing after `cost:>`", "cost:>0.05"),
        ("tokens:~5", "~5", "contains nothing", "tokens:"),
        ("latency >2s", ">2s", "needs a field and a colon", "latency:>2s"),
        ("tokens:[5 TO 1]", "[5 TO 1]", "ends before it begins", ""),
        ("tokens:[5 TO", "TO", "missing after `TO`", ""),
        ("tokens:[1 5]", "5]", "cannot stand here", "TO was expected"),
        ("feedback.k:<good", "<good", "`good` is not a number", "feedback.k:<0.5"),
        ("feedback:*", "feedback", "needs a key", "feedback.helpful"),
        ("feedback.:1", "feedback.", "needs a key", "feedback.helpful"),
        ("feedback.k.source:robot", "robot", "never `robot`", "one of user"),
        ("model.x:5", "model.x", "has no parts", "model:"),
        ('name:"open', '"open', "never closed", "quote"),
        ("(a OR b", "(", "never closed", ""),
        ("a) b", ")", "closes nothing", ""),
        ("()", ")", "missing before", "condition"),
        ("a OR", "OR", "missing after `OR`", "condition"),
        ("NOT", "NOT", "missing after", "condition"),
        ("12:30", "12:30", "no field `12`", "quotes"),
        ("http://x", "http", "no field `http`", "quotes"),
        ("a*b", "a*b", "end of a word", "quotes"),
        ("***", "***", "neither letter nor digit", ""),
        ("name:/x+/", "/x+/", "regular expression", "name:~"),
        ("name:(a OR b)", "(a", "no value", "name:refund*"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text, place, said, hint):
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert text[caught.value.start : caught.value.end] == place
    assert said in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["(" * 500 + "a" + ")" * 500, "-" * 20_000 + "a", "a " * 2000, "x" * 70_000])
def test_hostile_sizes_are_refused_in_words(text):
    with pytest.raises(FilterError):
        parse(text)


@given(st.text(alphabet='ab:"*-()[]{}<>=~\\/. TORNADnotstatuskindfeedback15\n\u00e9', max_size=40))
def test_any_text_gives_a_tree_that_prints_back_or_a_filter_error(text):
    try:
        tree = parse(text)
    except FilterError as error:
        assert error.message and 0 <= error.start <= error.end <= len(text)
    else:
        assert parse(to_text(tree)) == tree


# -- trees of every shape print back

any_text = st.text(max_size=12)
some_text = any_text.filter(bool)
numbers = st.sampled_from(["0", "2", "0.5", "-1", "10k", "1e3", ".25"])


def operands(spec: FieldSpec) -> st.SearchStrategy[Operand]:
    unit = {"duration": "ms", "money": "k"}.get(spec.type, "")
    written = numbers.map(lambda text: text.rstrip("k") + unit if unit else text)
    return written.map(lambda text: Operand(text, read_number(text, spec.type)))  # type: ignore[arg-type]


def conditions_of(spec: FieldSpec) -> st.SearchStrategy[ast.Test]:
    number = operands(spec)
    bounds = st.tuples(number, number).map(lambda pair: sorted(pair, key=lambda bound: bound.value))
    ordered: st.SearchStrategy[ast.Test] = st.one_of(
        st.builds(Compare, st.sampled_from(["<", "<=", ">", ">="]), number),
        st.builds(lambda pair, low, high: Range(pair[0], pair[1], low, high), bounds, st.booleans(), st.booleans()),
        st.builds(Range, number, st.none(), st.booleans(), st.booleans()),
        st.builds(Range, st.none(), number, st.booleans(), st.booleans()),
    )
    if spec.type in (FieldType.COUNT, FieldType.DURATION, FieldType.MONEY):
        return st.just(Has()) | ordered | number.map(lambda one: Is(Pattern((one.text,))))
    inner = st.lists(some_text, max_size=2).map(tuple)
    wild = st.builds(lambda a, mid, b: Pattern((a, *mid, b)), any_text, inner, any_text)
    wild = wild.filter(lambda pattern: any(pattern.pieces))
    named = st.sampled_from(spec.choices) if spec.choices else any_text
    texts = st.just(Has()) | wild.map(Is) | named.map(lambda text: Is(Pattern((text,)))) | some_text.map(Contains)
    return texts | ordered if spec.type is FieldType.SCORE else texts


plain = st.sampled_from([spec for spec in FIELDS if spec.name != "feedback"]).flatmap(
    lambda spec: st.builds(Field, st.just(spec.name), conditions_of(spec))
)
key = st.none() | some_text | st.sampled_from(["helpful", "source", "*", "a.b", "to"])
on_feedback = st.sampled_from(["", *FEEDBACK_PARTS]).flatmap(
    lambda part: st.builds(
        Field,
        st.just("feedback"),
        conditions_of(FEEDBACK_PARTS.get(part, BY_NAME["feedback"])),
        key,
        st.just(part),
    )
)
word = st.builds(Words, st.text('ab1 -:"\\(é*', max_size=8).map(lambda text: text + "x"), st.booleans())
trees = st.recursive(
    plain | on_feedback | word,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(ast.all_of),
        st.lists(inner, min_size=1, max_size=3).map(ast.any_of),
        inner.map(ast.negated),
    ),
    max_leaves=8,
)


@given(trees)
def test_a_tree_prints_as_text_that_reads_as_the_same_tree(tree):
    assert parse(to_text(tree)) == tree


def test_the_keys_and_tags_a_filter_names():
    tree = parse("feedback.a:1 OR -(feedback.b:* tag:prod tag:x* feedback.a.source:human feedback.*:*)")
    assert ast.feedback_keys(tree) == ("a", "b")
    assert ast.tags(tree) == ("prod",)


def test_every_field_has_an_example_that_reads():
    from tracetui.query.fields import EXAMPLES

    for spec in FIELDS:
        if not spec.choices and spec.name != "feedback":
            parse(EXAMPLES[spec.type].format(spec.name))
