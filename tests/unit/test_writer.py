"""Writing: the same input in any order and any split gives the same store."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracetui.model import jsonx
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, Counts, FeedbackRecord, RunRecord
from tracetui.store.content import Contents
from tracetui.store.writer import Writer

EQUAL: dict[str, Any] = {}
BIG = "a tool result that is long enough to be kept as a node of its own. " * 8


def dump(path) -> dict[str, Any]:
    """What a store says, without row numbers, revisions and the time of receipt."""
    conn = sqlite3.connect(path)
    conn.row_factory = sqlite3.Row
    contents = Contents(conn)
    runs = {row["pk"]: row["id"] for row in conn.execute("SELECT pk, id FROM run")}
    traces = {row["pk"]: row["id"] for row in conn.execute("SELECT pk, id FROM trace")}
    threads = {row["pk"]: (row["project"], row["id"]) for row in conn.execute("SELECT pk, project, id FROM thread")}
    names = {"run": runs, "trace": traces, "thread": threads}
    out: dict[str, Any] = {"run": {}, "trace": {}, "thread": {}, "feedback": {}, "mention": set()}
    for row in conn.execute("SELECT * FROM run"):
        data = {key: row[key] for key in row.keys() if key not in ("pk", "rev", "ready_rev")}  # noqa: SIM118
        data["trace"], data["parent"] = traces[row["trace"]], runs.get(row["parent"])
        data.update({key: contents.value(row[key]) for key in ("inputs", "outputs", "extra")})
        data["ready"] = row["ready_rev"] is not None
        out["run"][row["id"]] = data
    for row in conn.execute("SELECT * FROM trace"):
        skip = ("pk", "rev", "ready_rev", "received_at", "touched_at", "sort_at")
        data = {key: row[key] for key in row.keys() if key not in skip}  # noqa: SIM118
        data["thread"], data["root"] = threads[row["thread"]], runs.get(row["root"])
        data["cost"] = None if row["cost"] is None else round(row["cost"], 9)
        out["trace"][row["id"]] = data
    for row in conn.execute("SELECT * FROM thread"):
        skip = ("pk", "rev", "ready_rev", "touched_at", "sort_at")
        data = {key: row[key] for key in row.keys() if key not in skip}  # noqa: SIM118
        data["cost"] = None if row["cost"] is None else round(row["cost"], 9)
        out["thread"][row["project"], row["id"]] = data
    for row in conn.execute("SELECT * FROM feedback"):
        data = {key: row[key] for key in row.keys() if key not in ("pk", "rev", "created_at", "modified_at")}  # noqa: SIM118
        data["target"], data["trace"] = names[row["level"]][row["target"]], traces.get(row["trace"])
        out["feedback"][row["id"]] = data
    for row in conn.execute("SELECT content, trace, run, at FROM mention"):
        what = jsonx.dumps(contents.node(row["content"]))
        out["mention"].add((what, traces[row["trace"]], runs[row["run"]], row["at"]))
    conn.close()
    return out


def differences(one: Any, other: Any) -> Any:
    """Only what differs, so that a failure can be read."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = {*one, *other}
        return {key: differences(one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)}
    if isinstance(one, set):
        return one ^ other
    return None if one == other else (one, other)


def dangling(path) -> list[Any]:
    """Rows that break an invariant which the dump cannot show."""
    conn = sqlite3.connect(path)
    found = conn.execute("PRAGMA foreign_key_check").fetchall()
    found += conn.execute("SELECT r.id FROM run r JOIN run p ON p.pk = r.parent WHERE r.trace <> p.trace").fetchall()
    found += conn.execute(
        "SELECT id FROM trace WHERE NOT EXISTS (SELECT 1 FROM run WHERE trace = trace.pk) "
        "AND NOT EXISTS (SELECT 1 FROM feedback WHERE feedback.trace = trace.pk)"
    ).fetchall()
    found += conn.execute(
        "SELECT id FROM thread WHERE NOT EXISTS (SELECT 1 FROM trace WHERE thread = thread.pk) "
        "AND NOT EXISTS (SELECT 1 FROM feedback WHERE level = 'thread' AND target = thread.pk)"
    ).fetchall()
    conn.close()
    return found


@st.composite
def worlds(draw) -> tuple[list[RunRecord], list[FeedbackRecord]]:
    """Runs of a few traces as one or two messages each (start and end), and feedback on all levels."""
    records: list[RunRecord] = []
    said: list[FeedbackRecord] = []
    for trace in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 6))
        session = draw(st.sampled_from([None, "s1", "s2"]))
        carrier = draw(st.integers(0, size - 1))
        explicit = draw(st.booleans())
        root = f"t:{trace}-0"
        history: list[dict[str, Any]] = []
        for index in range(size):
            ident = f"t:{trace}-{index}"
            parent = None if index == 0 else f"t:{trace}-{draw(st.integers(0, index - 1))}"
            history.append({"role": "user", "content": f"{BIG} {trace % 2} {index}"})
            begin = 1_700_000_000_000_000 + trace * 1000 + index * 10
            kind = draw(st.sampled_from(["llm", "tool", "agent"]))
            usage = {"prompt_tokens": draw(st.integers(0, 99)), "completion_tokens": 3} if kind == "llm" else {}
            common = dict(
                id=ident, parent=parent, trace=root if explicit or index == 0 else None,
                session=session if index == carrier else None, project={"s1": None, "s2": "p"}.get(session or "s1"),
            )  # fmt: skip
            start = dict(name=f"n{index}", kind=kind, started_at=begin, inputs={"messages": list(history)})
            end = dict(
                ended_at=begin + 5, outputs={"text": BIG[index:]}, tags=("a", f"b{index}"), metadata={"v": index},
                error=draw(st.sampled_from([None, "KeyError: no"])), extra={"raw": {"index": index}}, **usage,
            )  # fmt: skip
            match draw(st.sampled_from(["one", "two", "started"])):
                case "one":
                    records.append(RunRecord(phase=2, **common, **start, **end))
                case "two":
                    records.append(RunRecord(phase=1, outputs={}, **common, **start))
                    records.append(RunRecord(phase=2, **common, **end))
                case _:
                    records.append(RunRecord(phase=1, **common, **start))
            if draw(st.booleans()):
                said.append(FeedbackRecord(level=Level.RUN, target=ident, key="ok", score=1, boolean=True, author="a"))
        said.append(FeedbackRecord(level=Level.TRACE, target=root, key="grade", score=draw(st.integers(1, 5)) / 5))
        if session:
            said.append(FeedbackRecord(level=Level.THREAD, target=session, key="mood", value="bad", author=str(trace)))
    return records, said


@settings(max_examples=60, deadline=None)
@given(worlds(), st.randoms(use_true_random=False), st.integers(1, 7))
def test_any_order_and_split_give_the_same_store(tmp_path_factory, world, random, split):
    records, said = world
    folder = tmp_path_factory.mktemp("w")
    plain, mixed = folder / "plain.db", folder / "mixed.db"
    with Writer(plain, create=True) as writer:
        writer.write(Batch(tuple(records), tuple(said)))
    items: list[RunRecord | FeedbackRecord] = [*records, *said, *random.sample(records, k=len(records) // 2)]
    random.shuffle(items)
    with Writer(mixed, create=True) as writer:
        for at in range(0, len(items), split):
            part = items[at : at + split]
            runs = tuple(item for item in part if isinstance(item, RunRecord))
            writer.write(Batch(runs, tuple(item for item in part if isinstance(item, FeedbackRecord))))
    assert differences(dump(plain), dump(mixed)) == EQUAL
    assert dangling(plain) == dangling(mixed) == []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.db"


def write(path, *runs: RunRecord, feedback: tuple[FeedbackRecord, ...] = ()) -> Counts:
    with Writer(path, create=True) as writer:
        return writer.write(Batch(runs, feedback))


def one(path, sql: str, *params: Any) -> tuple[Any, ...]:
    conn = sqlite3.connect(path)
    try:
        return conn.execute(sql, params).fetchone()
    finally:
        conn.close()


def test_the_same_input_twice_changes_nothing(path):
    run = RunRecord(id="t:1", kind="llm", name="m", inputs={"messages": [BIG]}, outputs="x", metadata={"a": 1})
    said = FeedbackRecord(level=Level.TRACE, target="t:1", key="k", score=1)
    assert write(path, run, feedback=(said,)) == Counts(threads=1, traces=1, runs=1, feedback=1)
    before = one(path, "SELECT value FROM meta WHERE key = 'rev'")
    assert write(path, run, feedback=(said,)) == Counts(unchanged=1)
    assert one(path, "SELECT value FROM meta WHERE key = 'rev'") == before, "an unchanged batch does not raise rev"


def test_a_session_that_arrives_last_moves_the_trace(path):
    write(path, RunRecord(id="t:1", name="root"), RunRecord(id="t:2", parent="t:1", name="child"))
    assert one(path, "SELECT implicit, id FROM thread") == (1, "trace:t:1")
    write(path, RunRecord(id="t:2", session="chat"))
    assert one(path, "SELECT implicit, id, run_count, (SELECT count(*) FROM thread) FROM thread") == (0, "chat", 2, 1)


def test_a_child_without_a_trace_follows_its_parent(path):
    write(path, RunRecord(id="t:c", parent="t:p", name="child", inputs=BIG))
    write(path, RunRecord(id="t:g", parent="t:c", name="grandchild"))
    write(path, RunRecord(id="t:p", trace="t:root", parent="t:root", name="parent"))
    assert one(path, "SELECT count(*), min(id), min(run_count) FROM trace") == (1, "t:root", 3)
    assert one(path, "SELECT count(DISTINCT trace), count(*) FROM mention") == (1, 1)
    assert dangling(path) == []


def test_usage_counts_once(path):
    usage = {"prompt_tokens": 42, "completion_tokens": 9, "cost": 0.5}
    write(
        path,
        RunRecord(id="t:a", name="agent", kind="agent", **usage),
        RunRecord(id="t:o", parent="t:a", name="outer", kind="llm", **usage),
        RunRecord(id="t:i", parent="t:o", name="inner", kind="llm", **usage),
        RunRecord(id="t:x", parent="t:a", kind="llm", response_id="r", started_at=10**15, ended_at=10**15 + 9, **usage),
        RunRecord(
            id="t:y", parent="t:a", kind="llm", response_id="r", started_at=10**15 + 1, ended_at=10**15 + 8, **usage
        ),
    )
    assert one(path, "SELECT prompt_tokens, completion_tokens, cost FROM trace") == (84, 18, 1.0)


def test_a_hostile_cycle_ends(path):
    write(path, RunRecord(id="t:a", trace="t", parent="t:b"), RunRecord(id="t:b", trace="t", parent="t:a"))
    write(path, RunRecord(id="t:a", trace="t", parent="t:a", name="self"))
    assert one(path, "SELECT count(*) FROM run WHERE parent IS NOT NULL") == (1,)


def test_late_start_does_not_overwrite_the_end(path):
    write(path, RunRecord(id="t:1", phase=2, outputs={"answer": 42}, ended_at=10**15 + 5, error="E: x"))
    write(path, RunRecord(id="t:1", phase=1, name="n", kind="tool", outputs={}, started_at=10**15, error=""))
    row = one(path, "SELECT name, kind, status, outputs, phase FROM run")
    assert row == ("n", "tool", "error", b'{"answer":42}', 2)


def test_names_and_numbers_that_no_column_can_hold(path):
    write(path, RunRecord(id="t:1", name="bad \ud800", prompt_tokens=2**70, metadata={"x": float("nan"), "y": 2**70}))
    assert one(path, "SELECT name, prompt_tokens, metadata ->> 'x' FROM run") == ("bad \ufffd\ufffd\ufffd", None, None)


def test_a_thread_whose_id_says_nothing_is_called_after_what_it_holds(path):
    ident = "0d3a8e6f-290f-4105-a327-a2496e5e2a83"
    later = RunRecord(id="t:2", name="turn", trace_name="and the tests?", session=ident, started_at=10**15 + 9)
    write(path, later, RunRecord(id="t:1", name="turn", trace_name="mend the build", session=ident, started_at=10**15))
    assert one(path, "SELECT name FROM thread") == ("mend the build",)
    write(path, RunRecord(id="t:2", metadata={"title": "A green build"}))
    assert one(path, "SELECT name FROM thread") == ("A green build",)
    write(path, RunRecord(id="t:3", name="x", session="checkout-7f3a"))
    assert one(path, "SELECT name FROM thread WHERE id = 'checkout-7f3a'") == (None,)
