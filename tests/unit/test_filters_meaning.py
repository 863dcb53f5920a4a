"""What a filter means: the compiled SQL lists exactly the rows that a slow evaluator picks, for any filter."""

from __future__ import annotations

import re
from pathlib import Path

import naive_filters as naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.model.kinds import Level
from tracetui.model.records import Batch, RunRecord
from tracetui.query import ast, parse
from tracetui.query.printing import to_text
from tracetui.store.filters import compile_filter
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

SEEDS = (1, 2, 3, 4, 5, 6)


class Made:
    """A small store and the same rows as plain records."""

    def __init__(self, path: Path, seed: int) -> None:
        batches, self.threads = naive.make(seed)
        with Writer(path, create=True) as writer:
            for batch in batches:
                writer.write(batch)
        self.reader = Reader(path)

    def listed(self, text: str, level: Level) -> list[str]:
        where = compile_filter(parse(text), level)
        pks = [pk for page in self.reader.all_keys(level, where=where) for pk in page]
        assert self.reader.count(level, where) == len(pks)
        return sorted(row.id for row in self.reader.rows(level, pks).values())

    def expected(self, text: str, level: Level) -> list[str]:
        tree = parse(text)
        rows = [row for thread in self.threads for row in thread.below(level)]
        return sorted(row.id for row in rows if naive.matches(tree, row))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory):
    made = [Made(tmp_path_factory.mktemp("filters") / f"{seed}.db", seed) for seed in SEEDS]
    yield made
    for one in made:
        one.reader.close()


CONDITIONS = """
status:error  status:ok  status:running  kind:llm  kind:tool  kind:a*  name:search  name:lookup*  name:*ORDER
name:STRASSE  name:"refund flow"  name:kelvin  name:~_  name:~%  name:100%*  name:*  model:gpt-4*  model:GPT-4.1
model:*Ö  model:*  error:~order  error:*  error:keyerror*found  user:ömer  user:*  project:SHOP  project:*  tag:beta
tag:Ä  tag:p*  tag:~ro  tag:*  latency:>2  latency:<=350ms  latency:[350ms TO 2s}  latency:*  tokens:506  tokens:>500
tokens:[10 TO *]  tokens:*  cost:0.05  cost:>$0.05  cost:{0 TO 0.25]  errors:0  errors:>1  runs:<3  traces:>1
thread:*  thread:THREAD-1  thread:thread-*  trace:trace0-0  trace:x:Trace1*  id:run0-0-1  id:x:trace0*  id:*0
parent:*  parent:run0-0-0  session:thread-1  feedback.helpful:*  feedback.helpful:<0.5  feedback.helpful:0.3
feedback.helpful:true  feedback.helpful:false  feedback.helpful:[0 TO 0.3}  feedback.helpful:>=0.3
feedback.cause:harness  feedback.cause:har*  feedback.cause:~ärg  feedback.cause.value:Ärger
feedback.cause.score:1  feedback.cause.score:*  feedback.helpful.source:human  feedback.helpful.source:rule
feedback.helpful.author:MIRA  feedback.helpful.author:*  feedback.helpful.comment:~refund
feedback.helpful.comment:*  feedback.helpful.level:trace  feedback.correct:*  feedback.correct.source:user
feedback.*.author:rule-1  feedback.*:<0.5  feedback.*:*  feedback.*.source:human  feedback.*.level:run
refund  "refund flow"  flow  order  ref*  "order not"  strasse  keyerror  x
"""
conditions = st.sampled_from([parse(text) for text in re.split(r"\s{2,}|\n", CONDITIONS.strip())])
on_feedback = conditions.filter(lambda node: isinstance(node, ast.Field) and node.name == "feedback")


def combined(leaf: st.SearchStrategy[ast.Node]) -> st.SearchStrategy[ast.Node]:
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=4).map(ast.all_of),
            st.lists(inner, min_size=2, max_size=3).map(ast.any_of),
            inner.map(ast.negated),
        ),
        max_leaves=6,
    )


levels = st.sampled_from(list(Level))


@settings(deadline=None, max_examples=400)
@given(combined(conditions).map(to_text), levels, st.sampled_from(range(len(SEEDS))))
def test_the_same_rows_as_the_slow_evaluator(stores, text, level, index):
    assert stores[index].listed(text, level) == stores[index].expected(text, level)


@settings(deadline=None, max_examples=300)
@given(combined(on_feedback).map(to_text), levels, st.sampled_from(range(len(SEEDS))))
def test_feedback_binds_as_in_the_slow_evaluator(stores, text, level, index):
    assert stores[index].listed(text, level) == stores[index].expected(text, level)


def test_words_look_at_names_previews_and_errors(tmp_path):
    with Writer(tmp_path / "s.db", create=True) as writer:
        root = RunRecord(
            id="x:a", trace="x:a", name="agent", session="s", inputs="Wo ist mein Café-Gutschein?", outputs="hier"
        )
        failed = RunRecord(id="x:b", trace="x:a", parent="x:a", name="look_up", error="KeyError: voucher 12\nat line 3")
        writer.write(Batch((root, failed)))
    with Reader(tmp_path / "s.db") as reader:

        def found(text: str) -> list[int]:
            return [reader.count(level, compile_filter(parse(text), level)) for level in Level]

        assert found("cafe") == found('"ist mein"') == found("gutsch*") == found("hier") == [1, 1, 0]
        assert found("voucher") == found("look") == found("look_up") == found('"line 3"') == [1, 1, 1]
        assert found("gutsch") == found('"mein ist"') == found("ouche") == [0, 0, 0]
        assert found("-voucher") == [0, 0, 1]
