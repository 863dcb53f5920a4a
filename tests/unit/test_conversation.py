"""What is new in a call, read from a store; the tool runs after it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tracetui.ingest.documents import Options
from tracetui.ingest.importer import import_paths
from tracetui.model.chat import Role
from tracetui.model.kinds import Kind, Level
from tracetui.model.messages import input_messages
from tracetui.model.records import Batch, RunRecord
from tracetui.store import conversation
from tracetui.store.db import connect_read
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

LONG = "a long answer that is kept as a node of its own, " * 10


def llm(number: int, trace: str, messages: list, answer: str, parent: str | None = None) -> RunRecord:
    return RunRecord(
        id=f"{trace}/{number}", trace=trace, parent=parent, position=number, name="m", kind=Kind.LLM, session="s",
        inputs={"messages": messages}, outputs={"role": "assistant", "content": answer},
    )  # fmt: skip


def tool(number: int, trace: str, **more) -> RunRecord:
    return RunRecord(id=f"{trace}/{number}", trace=trace, position=number, name="look", kind=Kind.TOOL, **more)


def texts(reader: Reader, ident: str) -> list[str]:
    [row] = reader.find(ident)
    new = reader.conversations.new_in(row.pk)
    return [message.text for message in new.new]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_turns_in_traces_of_their_own_are_one_conversation(path: Path) -> None:
    hi, there = {"role": "user", "content": "hi"}, {"role": "assistant", "content": LONG}
    with Writer(path, create=True) as writer:
        writer.write(
            Batch((llm(1, "t1", [hi], LONG), llm(2, "t2", [hi, there, {"role": "user", "content": "bye"}], "x")))
        )
        with Reader(path) as reader:
            assert texts(reader, "t1/1") == ["hi"]
            assert texts(reader, "t2/2") == ["bye"]
            [row] = reader.find("t2/2")
            assert reader.conversations.new_in(row.pk).predecessor == reader.find("t1/1")[0].pk
            # another call comes, then the last one changes: what was remembered is still right
            more = [hi, there, {"role": "user", "content": "bye"}, {"role": "assistant", "content": "x"}, hi]
            writer.write(Batch((llm(3, "t2", more, "y"),)))
            assert texts(reader, "t2/3") == ["hi"]
            writer.write(Batch((llm(3, "t2", [*more, {"role": "user", "content": "hello?"}], "z"),)))
            assert texts(reader, "t2/3") == ["hi", "hello?"]


def test_the_tool_runs_after_a_call_up_to_the_next_one(path: Path) -> None:
    asked = {"role": "user", "content": "go"}
    runs = (
        RunRecord(id="t/0", trace="t", position=0, name="agent", kind=Kind.AGENT),
        llm(1, "t", [asked], "a", parent="t/0"),
        tool(2, "t", parent="t/0", inputs={"n": 2}),
        llm(3, "t", [asked], "inside the tool", parent="t/2"),
        tool(4, "t", parent="t/0", inputs={"n": 4}, outputs=LONG, error="ValueError: no"),
        llm(5, "t", [asked], "b", parent="t/0"),
        tool(6, "t", parent="t/0", inputs={"n": 6}),
    )
    with Writer(path, create=True) as writer:
        writer.write(Batch(runs))
    with Reader(path) as reader:
        [row] = reader.find("t/1")
        after = reader.conversations.tools_after(row.pk)
        assert [(run.inputs["n"], run.sibling) for run in after] == [(2, True), (4, True), (6, False)]
        assert (after[1].outputs, after[1].error) == (LONG, "ValueError: no")
        assert reader.conversations.step(row.pk) == (1, 6)
        assert reader.conversations.new_in(reader.find("t/2")[0].pk) is None


@pytest.mark.parametrize(
    ("sql", "params", "indexes"),
    [
        (conversation.CALLS_SQL, (1,), ("trace_thread (thread=?)", "run_tree (trace=?)")),
        (conversation.FOLLOWING_SQL, (1, 1, "x", 64), ("run_tree (trace=?)",)),
        (conversation.STEPS_SQL, (1,), ("INTEGER PRIMARY KEY (rowid=?)", "run_tree (trace=?)")),
        (conversation.THREAD_SQL, (1,), ("INTEGER PRIMARY KEY (rowid=?)",)),
    ],
)
def test_each_read_finds_its_rows_by_an_index(path: Path, sql: str, params: tuple, indexes: tuple[str, ...]) -> None:
    Writer(path, create=True).close()
    conn, _ = connect_read(path)
    plan = " ".join(row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}", params))
    conn.close()
    assert all(index in plan for index in indexes), plan
    assert "SCAN" not in plan


def test_in_real_sessions_each_message_of_a_person_is_new_in_exactly_one_call(shared: Path, path: Path) -> None:
    archive = shared / "data" / "claude-code" / "claude-code_sessions.tar.xz"
    with Writer(path, create=True) as writer:
        import_paths(writer, [str(archive)], Options())
    checked = 0
    with Reader(path) as reader:
        for page in reader.all_keys(Level.THREAD):
            for thread in page:
                typed, given, new = count_messages(reader, thread)
                assert {text: new[text] for text in typed} == {
                    text: times if text in given else 0 for text, times in typed.items()
                }
                checked += sum(times for text, times in typed.items() if text in given)
    assert checked == 90


def count_messages(reader: Reader, thread: int) -> tuple[Counter[bytes], set[bytes], Counter[bytes]]:
    """How often each message was typed, which of them any call was given, and in how many calls each is new."""
    typed: Counter[bytes] = Counter()
    given: set[bytes] = set()
    new: Counter[bytes] = Counter()
    for trace in reader.keys(Level.TRACE, parent=thread).pks:
        for row in reader.runs_of(trace):
            if row.kind == Kind.LLM:
                found = reader.conversations.new_in(row.pk)
                given |= {message.identity for message in found.inputs}
                new.update(message.identity for message in found.new)
            elif row.parent_pk is None:
                asked = input_messages(reader.run(row.pk).inputs)
                typed.update(message.identity for message in asked if message.role is Role.USER)
    return typed, given, new
