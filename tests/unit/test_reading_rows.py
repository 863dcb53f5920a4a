"""Rows, lists, ids and details: what went in comes out, page by page and in the tree's order."""

from __future__ import annotations

from array import array
from pathlib import Path

import naive_filters as naive
import pytest

from tracetui.model.errors import InputError, StoreError
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.query import parse
from tracetui.store.filters import compile_filter
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

T0 = 1_700_000_000_000_000


def store(path: Path, *batches: Batch) -> Reader:
    with Writer(path, create=True) as writer:
        for batch in batches:
            writer.write(batch)
    return Reader(path)


def run(ident: str, trace: str = "x:t", parent: str | None = None, **more) -> RunRecord:
    return RunRecord(id=f"x:{ident}", trace=trace, parent=None if parent is None else f"x:{parent}", **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    batches, threads = naive.make(11)
    reader = store(tmp_path_factory.mktemp("rows") / "made.db", *batches)
    yield reader, threads
    reader.close()


def all_pks(reader: Reader, level: Level, limit: int, **more) -> list[int]:
    found: list[int] = []
    after = None
    while True:
        page = reader.keys(level, limit=limit, after=after, **more)
        found += page.pks
        assert len(page.pks) <= limit
        after = page.after
        if after is None:
            return found


def test_rows_show_what_went_in(made):
    reader, threads = made
    for level in Level:
        expected = {node.id: node for thread in threads for node in thread.below(level)}
        rows = list(reader.rows(level, all_pks(reader, level, 500)).values())
        assert sorted(row.id for row in rows) == sorted(expected)
        for row in rows:
            node = expected[row.id]
            values = node.values
            tokens = None
            if row.prompt_tokens is not None and row.completion_tokens is not None:
                tokens = row.prompt_tokens + row.completion_tokens
            assert (row.cost, tokens) == (pytest.approx(values["cost"]), values["tokens"])
            assert (row.latency_us, row.project) == (
                None if values["latency"] is None else values["latency"] * 10**6,
                values["project"],
            )
            if level is not Level.THREAD:
                assert row.status == values["status"]
            if level is not Level.RUN:
                assert (row.run_count, row.error_count) == (values["runs"], values["errors"])
            own = node.feedback if level is Level.RUN else node.all_feedback()
            assert {cell.key: cell.n for cell in row.feedback} == {
                key: sum(one.key == key for one in own) for key in {one.key for one in own}
            }


def test_totals_and_counts(made):
    reader, threads = made
    totals = reader.totals()
    assert totals.threads == reader.count(Level.THREAD) == len(threads)
    assert totals.traces == reader.count(Level.TRACE) == sum(len(thread.children) for thread in threads)
    assert totals.runs == reader.count(Level.RUN) == sum(len(thread.below(Level.RUN)) for thread in threads)
    assert totals.errors == sum(thread.values["errors"] for thread in threads)


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_pages_of_any_size_give_the_same_list(made, limit):
    reader, _ = made
    for level in Level:
        for where in (None, compile_filter(parse("-name:search"), Level.RUN)):
            whole = [pk for page in reader.all_keys(level, where=where) for pk in page]
            assert all_pks(reader, level, limit, where=where) == whole
            assert len(whole) == len(set(whole)) == reader.count(level, where)
            cut = [pk for page in reader.all_keys(level, where=where, limit=2) for pk in page]
            assert cut == whole[:2]


def test_newest_first_and_missing_times_last(tmp_path: Path):
    reader = store(
        tmp_path / "s.db",
        Batch((run("old", "x:1", started_at=T0, session="a"), run("new", "x:2", started_at=T0 + 5, session="a"))),
        Batch((run("newer", "x:3", started_at=T0 + 9, session="b"), run("step", "x:3", "newer", position=7))),
    )
    names = [row.name for row in reader.rows(Level.THREAD, reader.keys(Level.THREAD).pks).values()]
    assert names == ["b", "a"]
    traces = reader.keys(Level.TRACE, parent=reader.find("a")[0].pk).pks
    assert [row.id for row in reader.rows(Level.TRACE, traces).values()] == ["x:1", "x:2"]
    assert [row.id for row in reader.rows(Level.TRACE, reader.keys(Level.TRACE).pks).values()] == ["x:3", "x:2", "x:1"]
    runs = reader.rows(Level.RUN, reader.keys(Level.RUN).pks).values()
    assert [row.id for row in runs] == ["x:newer", "x:new", "x:old", "x:step"]


def test_what_hangs_below_a_run_that_never_came_is_shown(tmp_path: Path):
    reader = store(
        tmp_path / "s.db",
        Batch((
            run("root", position=1, name="root"),
            run("a", parent="root", position=2),
            run("orphan", parent="gone", position=3),
            run("b", parent="lost", position=4),
            RunRecord(id="x:lost", trace="x:t", parent="x:a", phase=0),
            RunRecord(id="x:gone", trace="x:t", phase=0),
        )),
    )  # fmt: skip
    trace = reader.find("x:t")[0]
    assert (trace.run_count, trace.child_count) == (4, 2)
    roots = reader.rows(Level.RUN, reader.keys(Level.RUN, parent=trace.pk).pks)
    assert [row.id for row in roots.values()] == ["x:root", "x:orphan"]
    assert [row.child_count for row in roots.values()] == [1, 0]
    a, b = reader.find("x:a")[0], reader.find("x:b")[0]
    assert list(reader.children(a.pk).pks) == [b.pk]
    assert (a.child_count, b.parent_pk) == (1, a.pk)
    assert [level_pk[1] for level_pk in reader.path_to(Level.RUN, b.pk)][2:] == [next(iter(roots)), a.pk, b.pk]
    assert [row.parent_pk for row in reader.runs_of(trace.pk)] == [None, next(iter(roots)), None, a.pk]
    assert not reader.find("x:gone")


def test_a_cycle_of_parents_ends(tmp_path: Path):
    reader = store(
        tmp_path / "s.db",
        Batch((run("root"), run("a", parent="b", error="E"), run("b", parent="a"), run("self", parent="self"))),
    )
    a = reader.find("x:a")[0]
    assert reader.path_to(Level.RUN, a.pk)[-1] == (Level.RUN, a.pk)
    assert len(reader.run(a.pk).path) == 1
    assert reader.step("error", None) == (Level.RUN, a.pk)


def test_ids_are_found_with_and_without_their_authority(tmp_path: Path):
    reader = store(
        tmp_path / "s.db",
        Batch((
            RunRecord(id="ls:1", trace="ls:1", session="same"),
            RunRecord(id="otel:aa/bb", trace="otel:aa", session="same", project="p"),
        )),
    )  # fmt: skip
    assert [(row.level, row.id) for row in reader.find("1")] == [(Level.TRACE, "ls:1"), (Level.RUN, "ls:1")]
    assert [row.id for row in reader.find(" otel:aa/bb ")] == ["otel:aa/bb"]
    assert [row.project for row in reader.find("same")] == [None, "p"]
    assert reader.find("aa")[0].level is Level.TRACE
    assert reader.find("nothing") == reader.find("") == reader.find("ls:") == []


def test_a_run_in_full(tmp_path: Path):
    inputs = {"messages": [{"role": "user", "content": "x" * 500}], "n": 10**30, "nan": float("inf")}
    said = FeedbackRecord(
        level=Level.RUN, target="x:b", key="ok", score=0.0, comment="no", source="human", author="mira",
        correction={"answer": ["y" * 400]}, evidence={"text": "x", "start": 0, "end": 1},
    )  # fmt: skip
    reader = store(
        tmp_path / "s.db",
        Batch((
            run("root", session="s", name="agent"),
            run("b", parent="root", kind="llm", inputs=inputs, outputs="done", tags=("t",), user="u", provider="p",
                response_id="r", first_token_us=5, cache_write_tokens=6, reasoning_tokens=7, cost=0.5,
                cost_source="source", metadata={"a": {"b": 1}, "odd": float("-inf"), "late": 1}, extra={"k": [1]}),
        ), (said,)),
    )  # fmt: skip
    detail = reader.run(reader.find("x:b")[0].pk)
    assert (detail.inputs, detail.outputs, detail.extra) == (inputs, "done", {"k": [1]})
    assert detail.metadata == {"a": {"b": 1}, "odd": float("-inf"), "late": 1}
    assert (detail.trace_id, detail.thread_id, detail.parent_id) == ("x:t", "s", "x:root")
    assert (detail.tags, detail.provider, detail.response_id, detail.user) == (("t",), "p", "r", "u")
    assert (detail.first_token_us, detail.cache_write_tokens, detail.reasoning_tokens) == (5, 6, 7)
    assert detail.cost_source == "source"
    assert [row.id for row in detail.path] == ["x:root"]
    (row,) = detail.feedback
    assert (row.target_id, row.correction, row.evidence) == ("x:b", said.correction, said.evidence)
    assert (row.score, row.comment, row.author, row.superseded) == (0.0, "no", "mira", False)
    thread = reader.find("s")[0]
    assert reader.feedback(Level.THREAD, thread.pk) == ()
    assert reader.feedback(Level.THREAD, thread.pk, below=True) == detail.feedback
    assert [key.key for key in reader.feedback_keys()] == ["ok"]
    with pytest.raises(InputError):
        reader.run(10**6)


def test_rules_of_an_older_version_are_superseded(tmp_path: Path):
    path = tmp_path / "s.db"
    said = FeedbackRecord(level=Level.RUN, target="x:a", key="k", score=1.0, source="rule", author="loop", version=1)
    with Writer(path, create=True) as writer:
        writer.write(Batch((run("a"),), (said,)))
        writer._conn.execute("INSERT INTO rule(name, version, digest, spec, enabled) VALUES ('loop', 2, '', '{}', 1)")
    reader = Reader(path)
    assert [row.superseded for row in reader.feedback(Level.RUN, reader.find("x:a")[0].pk)] == [True]


def test_changes_since_a_revision(tmp_path: Path):
    path = tmp_path / "s.db"
    reader = store(path, Batch((run("a", "x:1"), run("b", "x:2"))))
    seen, version = reader.rev(), reader.data_version()
    assert reader.changes(seen) == type(reader.changes(seen))(seen, [], [], [])
    with Writer(path) as writer:
        writer.write(Batch(feedback=(FeedbackRecord(level=Level.RUN, target="x:b", key="k", score=1.0),)))
    assert reader.data_version() != version
    changes = reader.changes(seen)
    trace, found = reader.find("x:2")[0], reader.find("x:b")[0]
    assert changes.rev == reader.rev() > seen
    assert (changes.traces, changes.threads) == ([trace.pk], [trace.thread_pk])
    assert changes.feedback == [(Level.RUN, found.pk)]


def test_reading_never_writes_and_keeps_no_transaction(tmp_path: Path):
    reader = store(tmp_path / "s.db", Batch((run("a"),)))
    with pytest.raises(StoreError):
        reader._access.all("DELETE FROM run")
    list(reader.all_keys(Level.RUN))
    assert not reader._access.conn.in_transaction
    assert isinstance(reader.keys(Level.RUN).pks, array)
    with pytest.raises(StoreError, match="does not exist"):
        Reader(tmp_path / "missing.db")
