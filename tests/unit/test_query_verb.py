"""`tracetui query`: what comes out for people and for pipes."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import naive_filters as naive
import pytest
from hypothesis import given, settings
from test_filters_meaning import combined, conditions

from tracetui.cli.main import run as cli
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.query import parse
from tracetui.query.printing import to_text
from tracetui.store.access import Access
from tracetui.store.filters import compile_for_feedback
from tracetui.store.listing import FIELDS, feedback_count
from tracetui.store.pages import everything
from tracetui.store.writer import Writer

T0 = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("query") / "s.db"
    runs = [
        RunRecord(id="ls:a", trace="ls:a", name="refund\tflow", session="s|1", started_at=T0, ended_at=T0 + 1_500_000,
                  tags=("prod",), metadata={"v": 3}, inputs={"q": "a,b"}, outputs="done", project="shop"),
        RunRecord(id="ls:b", trace="ls:a", parent="ls:a", kind="llm", model="gpt-4.1", prompt_tokens=7,
                  completion_tokens=3, cost=0.5, started_at=T0 + 10, name="call", first_token_us=250_000),
        RunRecord(id="ls:c", trace="ls:a", parent="ls:a", kind="tool", error="KeyError: \x1b[31mx", name="lookup"),
        RunRecord(id="ls:d", trace="ls:d", started_at=T0 + 9_000_000, name="later"),
    ]  # fmt: skip
    said = [
        FeedbackRecord(level=Level.TRACE, target="ls:a", key="helpful", score=0.25, source="user"),
        FeedbackRecord(level=Level.RUN, target="ls:c", key="cause", value="harness", source="human", author="mira",
                       comment="no", correction={"a": 1}, created_at=T0),
        FeedbackRecord(level=Level.THREAD, target="s|1", key="helpful", score=0.75, source="rule", project="shop"),
    ]  # fmt: skip
    with Writer(path, create=True) as writer:
        writer.write(Batch(tuple(runs), tuple(said)))
    return path


def query(capsys: pytest.CaptureFixture[str], *line: str, code: int = 0) -> str:
    capsys.readouterr()
    assert cli(["query", *line]) == code
    return capsys.readouterr().out


def test_jsonl_has_the_fields_scripts_count_on(store: Path, capsys):
    rows = [json.loads(line) for line in query(capsys, str(store), "--format", "jsonl").splitlines()]
    assert [row["id"] for row in rows] == ["ls:d", "ls:a"]
    helpful = {"n": 1, "mean": 0.25, "min": 0.25, "max": 0.25, "values": {}, "sources": ["user"]}
    cause = {"n": 1, "mean": None, "min": None, "max": None, "values": {"harness": 1}, "sources": ["human"]}
    assert rows[1] == {
        "id": "ls:a", "thread": "s|1", "trace": "ls:a", "name": "refund\tflow", "kind": None, "status": "success",
        "started_at": "2023-11-14T22:13:20.000000Z", "latency_us": 1_500_000, "tokens": 10, "cost": 0.5,
        "feedback": {"cause": cause, "helpful": helpful},
    }  # fmt: skip
    assert rows[0]["thread"] is None and rows[0]["cost"] is None and rows[0]["feedback"] == {}


def test_any_field_can_be_asked_for_at_any_level(store: Path, capsys):
    for listed in ("threads", "traces", "runs"):
        out = query(capsys, str(store), "--list", listed, "--format", "jsonl", "--fields", ",".join(FIELDS))
        assert all(len(json.loads(line)) == len(FIELDS) for line in out.splitlines())
    fields = "id,thread,trace,project,latency,first_token,tag,metadata,input,output,errors,steps,feedback.helpful,model"
    root, call = [
        json.loads(query(capsys, str(store), f"id:{name}", "--list", "runs", "--format", "jsonl", "--fields", fields))
        for name in ("a", "ls:b")
    ]
    assert root == {
        "id": "ls:a", "thread": "s|1", "trace": "ls:a", "project": "shop", "latency_us": 1_500_000,
        "first_token_us": None, "tag": ["prod"], "metadata": {"v": 3}, "input": {"q": "a,b"}, "output": "done",
        "errors": 1, "steps": 2, "feedback.helpful": None, "model": None,
    }  # fmt: skip
    assert (call["first_token_us"], call["model"]) == (250_000, "gpt-4.1")
    trace = query(capsys, str(store), "name:refund*", "--format", "jsonl", "--fields", "input,feedback.helpful,tag")
    assert json.loads(trace) == {"input": {"q": "a,b"}, "feedback.helpful": 0.25, "tag": ["prod"]}
    thread = query(capsys, str(store), "thread:*", "--list", "threads", "--format", "jsonl", "--fields", "id,feedback")
    assert json.loads(thread)["feedback"]["helpful"]["n"] == 2


def test_feedback_as_a_list(store: Path, capsys):
    out = query(capsys, str(store), "--list", "feedback", "--format", "jsonl")
    rows = {row["key"] + row["level"]: row for row in map(json.loads, out.splitlines())}
    assert set(rows) == {"helpfultrace", "causerun", "helpfulthread"}
    assert rows["causerun"] | {"id": ""} | {"modified_at": ""} == {
        "id": "", "level": "run", "target": "ls:c", "key": "cause", "score": None, "value": "harness", "comment": "no",
        "correction": {"a": 1}, "source": "human", "author": "mira", "version": None, "evidence": None,
        "created_at": "2023-11-14T22:13:20.000000Z", "modified_at": "",
    }  # fmt: skip
    count = ["--list", "feedback", "--count"]
    for text, number in [
        ("", 3), ("feedback.helpful:<0.5", 1), ("-feedback.cause:*", 2), ("kind:tool", 3),
        ("feedback.*.source:rule", 1), ("error:*", 3), ("kind:tool status:error", 1),
        ("status:success", 2), ("feedback.helpful:>0 feedback.helpful.source:user", 1), ("lookup", 3), ("nothing", 0),
    ]:  # fmt: skip
        assert query(capsys, str(store), text, *count) == f"{number}\n", text


def test_csv_md_ids_and_tables(store: Path, capsys):
    fields = ["--fields", "id,name,tag,metadata,error"]
    rows = list(csv.reader(io.StringIO(query(capsys, str(store), "--list", "runs", "--format", "csv", *fields))))
    assert rows[0] == ["id", "name", "tag", "metadata", "error"]
    assert ["ls:a", "refund\tflow", '["prod"]', '{"v":3}', ""] in rows
    assert query(capsys, str(store), "--format", "ids", "--limit", "1") == "ls:d\n"
    md = query(capsys, str(store), "--list", "threads", "--format", "md", "--fields", "id,cost").splitlines()
    assert md == ["| id | cost |", "|---|---|", "| trace:ls:d |  |", "| s\\|1 | $0.5000 |"]
    table = query(capsys, str(store), "--list", "runs").splitlines()
    assert len(table) == 5 and table[0].split()[:3] == ["id", "name", "kind"]
    assert "\x1b" not in "".join(table) and "KeyError: \\x1b[31mx" in "".join(table) and "refund flow" in "".join(table)
    assert query(capsys, str(store), "nothing") == ""


def test_counts_conditions_and_exit_codes(store: Path, capsys):
    path = str(store)
    assert query(capsys, path, "status:success", "--count") == "2\n"
    assert query(capsys, path, "-feedback.helpful:*", "--count", "--fail-on", ">0", code=4) == "1\n"
    assert query(capsys, path, "--count", "--fail-on", "<2") == "2\n"
    assert query(capsys, path, "--count", "--limit", "1") == "1\n"
    assert query(capsys, path, "--count", "--", "-kind:tool") == "1\n"
    assert query(capsys, path, "kind:tool", "name:refund*", "--count") == "1\n"
    query(capsys, path, "--fail-on", ">0", code=2)
    query(capsys, path, "--count", "--fail-on", "many", code=2)
    query(capsys, path, "--list", "spans", code=2)
    query(capsys, str(store) + "x", code=3)


def test_what_is_wrong_is_shown_with_its_place(store: Path, capsys):
    assert cli(["query", str(store), "kind:tool staus:error"]) == 2
    said = capsys.readouterr().err
    assert "kind:tool staus:error\n            ^^^^^" in said and "did you mean status?" in said
    assert cli(["query", str(store), "--fields", "id,latancy"]) == 2
    assert "Did you mean latency?" in capsys.readouterr().err


def test_a_key_or_tag_that_occurs_nowhere_is_a_hint(store: Path, capsys):
    assert cli(["query", str(store), "feedback.helpfull:<1 OR tag:prodd", "--count"]) == 0
    out, said = capsys.readouterr()
    assert out == "0\n"
    assert "did you mean helpful?" in said and "nothing has the tag prodd" in said
    assert cli(["query", str(store), "feedback.helpful:<1 tag:PROD", "--count"]) == 0
    assert capsys.readouterr() == ("1\n", "")


def test_the_sql_it_prints_runs(store: Path, capsys):
    conn = sqlite3.connect(store)
    lines = (["latency:>1s"], ["kind:tool", "--list", "runs"], ["tokens:10", "--count"], ["--list", "feedback"])
    for line in lines:
        assert conn.execute(query(capsys, str(store), *line, "--sql")).fetchall()
    conn.close()


def test_nothing_is_held_between_two_pages(tmp_path: Path):
    path = tmp_path / "s.db"
    runs = tuple(RunRecord(id=f"x:{i}", trace="x:t", position=i) for i in range(1200))
    with Writer(path, create=True) as writer:
        writer.write(Batch(runs))
        access = Access(path)
        sizes = []
        for page in everything(access, Level.RUN, None, None):
            sizes.append(len(page))
            conn = sqlite3.connect(path, timeout=0)
            assert conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "a reader held the log"
            conn.close()
        assert sizes == [500, 500, 200]
        access.close()


def test_a_pipe_that_closes_early_ends_it_quietly(tmp_path: Path):
    path = tmp_path / "s.db"
    runs = tuple(RunRecord(id=f"x:{i}", trace="x:t", name="n" * 200, position=i) for i in range(3000))
    with Writer(path, create=True) as writer:
        writer.write(Batch(runs))
    line = [sys.executable, "-m", "tracetui", "query", str(path), "--list", "runs", "--format", "jsonl"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ})
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["name"] == "n" * 200
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0


# -- lists of feedback against the slow evaluator


@pytest.fixture(scope="module")
def feedback_stores(tmp_path_factory: pytest.TempPathFactory):
    made = []
    for seed in (61, 62, 63):
        batches, threads = naive.make(seed)
        path = tmp_path_factory.mktemp("feedback") / "s.db"
        with Writer(path, create=True) as writer:
            for batch in batches:
                writer.write(batch)
        made.append((Access(path), threads))
    yield made
    for access, _ in made:
        access.close()


@settings(deadline=None, max_examples=150)
@given(combined(conditions).map(to_text))
def test_a_list_of_feedback_is_that_of_the_slow_evaluator(feedback_stores, text):
    for access, threads in feedback_stores:
        expected = sum(
            naive.matches_feedback(parse(text), one, node)
            for thread in threads
            for node in naive.walk(thread)
            for one in node.feedback
        )
        assert feedback_count(access, compile_for_feedback(parse(text))) == expected
