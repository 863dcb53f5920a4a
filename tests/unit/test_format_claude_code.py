"""Claude Code transcripts: the figures of real sessions, and each thing a transcript can do to a conversation."""

from __future__ import annotations

import json
import random
import sqlite3
import tarfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.formats import claude_code
from tracetui.ingest.importer import import_paths
from tracetui.ingest.walk import documents, files
from tracetui.model.kinds import Level
from tracetui.model.messages import input_messages, output_messages
from tracetui.model.novelty import Novelty
from tracetui.model.records import FeedbackRecord, RunRecord
from tracetui.store.writer import Writer


class Taken:
    """What a format made of some documents; a run said twice must be said the same."""

    def __init__(self) -> None:
        self.runs: dict[str, RunRecord] = {}
        self.feedback: dict[str, FeedbackRecord] = {}
        self.refused: list[Refusal] = []

    def read(self, doc: Document) -> None:
        for item in claude_code.read(doc, Options()):
            if isinstance(item, Refusal):
                self.refused.append(item)
                continue
            for run in item.runs:
                assert self.runs.setdefault(run.id, run) == run
            for said in item.feedback:
                assert said.id is not None
                self.feedback[said.id] = said

    def of(self, kind: str) -> list[RunRecord]:
        return sorted((run for run in self.runs.values() if run.kind == kind), key=lambda run: run.started_at or 0)

    def total(self, field: str) -> int:
        return sum(getattr(run, field) or 0 for run in self.runs.values())

    def new(self) -> Counter[tuple[str | None, str]]:
        """How often each text of the user's side is new in a call of its thread."""
        calls: dict[str | None, list[RunRecord]] = defaultdict(list)
        for run in self.of("llm"):
            calls[run.session].append(run)
        found: Counter[tuple[str | None, str]] = Counter()
        for session, runs in calls.items():
            known = Novelty()
            for run in sorted(runs, key=lambda run: (run.started_at or run.position or 0, run.id)):
                new = known.add(run.id, input_messages(run.inputs), output_messages(run.outputs)).new
                found.update((session, message.text) for message in new if message.role == "user")
        return found


def docs_of(path: Path) -> list[Document]:
    found = [each for each in files([str(path)]) if not isinstance(each, Refusal)]
    inner = [each for file in found for each in documents(*file) if not isinstance(each, Refusal)]
    return [each.doc for each in inner if claude_code.sniff(each.doc)]


def taken(*paths: Path) -> Taken:
    out = Taken()
    for path in paths:
        for doc in docs_of(path):
            out.read(doc)
    return out


@pytest.fixture(scope="module")
def sessions(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("claude-code")
    with tarfile.open(shared / "data/claude-code/claude-code_sessions.tar.xz") as archive:
        archive.extractall(target, filter="data")
    return target


# -- real sessions


def test_the_figures_of_the_real_sessions(sessions: Path) -> None:
    got = taken(sessions)
    assert len({run.session for run in got.runs.values()}) == 43
    assert [each.place for each in got.refused] == ["line 13", "line 15", "line 16"]
    assert {Path(each.path).name for each in got.refused} == {"edge_cases.jsonl"}
    read, write = got.total("cache_read_tokens"), got.total("cache_write_tokens")
    assert (read, write) == (16_117_235, 1_151_951)
    assert got.total("prompt_tokens") - read - write == 13_114
    assert got.total("completion_tokens") == 83_690
    assert Counter(said.key for said in got.feedback.values()) == {"interrupted": 5, "tool_rejected": 5}
    assert all(said.source == "outcome" and said.boolean for said in got.feedback.values())
    assert sum(run.error is not None for run in got.of("tool")) == 43
    assert all(run.parent is not None for run in got.of("llm") + got.of("tool"))


def typed_in(path: Path) -> dict[tuple[str, str], str]:
    """What people typed: by session and uuid, without what the program put in."""
    found: dict[tuple[str, str], str] = {}
    for file in path.rglob("*.jsonl"):
        for line in file.read_text().splitlines():
            raw = json.loads(line)
            if not isinstance(raw, dict) or raw.get("type") != "user" or raw.get("isMeta") or raw.get("isSidechain"):
                continue
            content = raw["message"].get("content") if isinstance(raw["message"], dict) else raw["message"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
            blocks = [block for block in blocks if isinstance(block, dict)]
            text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
            if text.strip() and not any(block["type"] == "tool_result" for block in blocks):
                found[raw["sessionId"], raw["uuid"]] = text
    return found


def test_what_a_person_typed_is_new_in_exactly_one_call(sessions: Path) -> None:
    typed = typed_in(sessions)
    assert len(typed) == 110
    got = taken(sessions)
    given = {(run.session, message.text) for run in got.of("llm") for message in input_messages(run.inputs)}
    times = Counter((session, text) for (session, _), text in typed.items())
    new = got.new()
    for said, count in times.items():
        if said in given and said[0] not in ("s1", "edge_cases"):  # hand-made files use the uuids of others
            assert new[said] == count, said
    assert sum(said in given for said in times) >= 76


def test_any_order_of_the_files_gives_the_same_records(sessions: Path) -> None:
    whole = taken(sessions)
    for seed in range(2):
        mixed = docs_of(sessions)
        random.Random(seed).shuffle(mixed)
        got = Taken()
        for doc in mixed:
            got.read(doc)
        assert got.runs == whole.runs
        assert got.feedback == whole.feedback


def test_a_subagent_stands_below_the_call_that_started_it(shared: Path) -> None:
    got = taken(shared / "captures/files/claude_code")
    (agent,) = [run for run in got.of("agent") if run.name == "general-purpose"]
    assert agent.parent == f"claude:{agent.session}/toolu_01abc"
    assert got.runs[agent.parent].name == "Agent"
    assert [run.parent for run in got.of("llm")].count(agent.id) == 1
    assert {run.trace for run in got.runs.values() if run.session == agent.session} == {agent.trace}
    assert {(run.prompt_tokens, run.completion_tokens) for run in got.of("llm")} == {(57, 9)}


def test_the_store_takes_the_sessions_and_again_nothing(sessions: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        first = import_paths(writer, [str(sessions)], Options(), form=claude_code)
        again = import_paths(writer, [str(sessions)], Options(), form=claude_code)
    assert first.counts.threads == 43
    assert (again.counts.threads, again.counts.traces, again.counts.runs, again.counts.feedback) == (0, 0, 0, 0)
    conn = sqlite3.connect(store)
    sums = "sum(prompt_tokens), sum(completion_tokens), sum(cache_read_tokens), sum(error_count)"
    assert conn.execute(f"SELECT {sums} FROM thread").fetchone() == (17_282_300, 83_690, 16_117_235, 43)
    assert conn.execute("SELECT count(*) FROM run WHERE phase = 0").fetchone() == (0,)
    conn.close()


def test_other_transcripts_with_less_in_them(shared: Path, tmp_path: Path) -> None:
    with tarfile.open(shared / "data/other-transcripts/claude_codex_gemini_fixtures.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    got = taken(tmp_path)
    assert {run.session for run in got.runs.values()} == {"test-session-id", "sample_session", "valid_session"}
    assert set(got.new().values()) == {1}
    assert got.refused == []


# -- made ones


class Transcript:
    """Writes lines as Claude Code does: each below the one before."""

    def __init__(self, path: Path, session: str) -> None:
        self.path = path
        self.session = session
        self.lines: list[dict[str, Any]] = []
        self.at = 0

    def add(self, kind: str, uuid: str, content: Any, parent: str | None = "", **more: Any) -> dict[str, Any]:
        self.at += 1
        before = self.lines[-1]["uuid"] if self.lines else None
        line: dict[str, Any] = {
            "parentUuid": before if parent == "" else parent, "sessionId": self.session, "type": kind, "uuid": uuid,
            "isSidechain": False, "timestamp": f"2026-01-01T10:{self.at // 60:02}:{self.at % 60:02}.000Z",
        }  # fmt: skip
        if kind in ("user", "assistant"):
            line["message"] = {"role": kind, "content": content}
        line.update(more)
        self.lines.append(line)
        return line

    def user(self, uuid: str, content: Any, parent: str | None = "", **more: Any) -> None:
        self.add("user", uuid, content, parent, **more)

    def answer(
        self, uuid: str, *blocks: dict[str, Any] | str, id: str = "", parent: str | None = "", out: int = 1, **more: Any
    ) -> None:
        content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
        line = self.add("assistant", uuid, content, parent, **more)
        line["message"] |= {
            "id": id or f"msg_{uuid}", "model": "claude-opus-4-5",
            "usage": {"input_tokens": 10, "output_tokens": out, "cache_read_input_tokens": 5},
        }  # fmt: skip

    def save(self, *others: dict[str, Any]) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(line) + "\n" for line in [*others, *self.lines]))
        return self.path


def use(id: str, name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": arguments}


def result(id: str, content: Any = "done", **more: Any) -> list[dict[str, Any]]:
    return [{"type": "tool_result", "tool_use_id": id, "content": content, **more}]


def given_to(run: RunRecord) -> list[str]:
    return [message.text or message.tool_calls[0].name for message in input_messages(run.inputs)]


@pytest.fixture
def session(tmp_path: Path) -> Transcript:
    return Transcript(tmp_path / "A.jsonl", "A")


def test_an_answer_over_several_lines_is_one_call(session: Transcript) -> None:
    session.user("u1", "Look around")
    session.answer("a1", {"type": "thinking", "thinking": "hm", "signature": "s"}, id="m1", out=1)
    session.answer("a2", "Looking.", id="m1", out=1)
    session.answer("a3", use("t1"), id="m1", out=9)
    session.user("r1", result("t1", "a file"))
    session.answer("a4", "One file.", id="m2")
    got = taken(session.save())
    first, second = got.of("llm")
    assert [block["type"] for block in first.outputs["content"]] == ["thinking", "text", "tool_use"]
    assert (first.prompt_tokens, first.completion_tokens) == (15, 9)
    assert given_to(second) == ["Look around", "Looking.", "a file"]
    assert second.inputs["messages"][1] is first.outputs
    (tool,) = got.of("tool")
    assert (tool.name, tool.outputs) == ("Bash", "a file")
    assert (tool.started_at, tool.ended_at) == (first.ended_at, second.started_at)
    (root,) = got.of("agent")
    assert {run.parent for run in (first, second, tool)} == {root.id}
    assert (root.trace_name, root.outputs) == ("Look around", second.outputs)


def test_parallel_calls_branch_and_no_result_is_lost(session: Transcript) -> None:
    session.user("u1", "Both")
    session.answer("a1", use("t1"), id="m1")
    session.answer("a2", use("t2"), id="m1")
    session.user("r2", result("t2", "second"), parent="a2")
    session.user("r1", result("t1", "first"), parent="a1")
    session.answer("a3", "Done", parent="r1")
    got = taken(session.save())
    assert given_to(got.of("llm")[1]) == ["Both", "Bash", "second", "first"]


def test_a_rewind_makes_a_branch(session: Transcript) -> None:
    session.user("u1", "One")
    session.answer("a1", "First")
    session.user("u2", "Wrong")
    session.answer("a2", "Sorry")
    session.user("u3", "Right", parent="a1")
    session.answer("a3", "Good")
    got = taken(session.save())
    assert given_to(got.of("llm")[2]) == ["One", "First", "Right"]
    assert set(got.new().values()) == {1} and len(got.new()) == 3
    assert len(got.of("agent")) == 3


def test_a_compaction_cuts_what_a_call_is_given(session: Transcript) -> None:
    session.user("u1", "Begin")
    session.answer("a1", "Working")
    session.user("u2", "Go on")
    session.add("system", "c1", None, None, subtype="compact_boundary", logicalParentUuid="u2")
    session.user("s1", "This session is being continued", isCompactSummary=True)
    session.answer("a2", "Going on")
    session.user("u3", "And now?")
    session.answer("a3", "Done")
    got = taken(session.save())
    calls = got.of("llm")
    assert given_to(calls[1]) == ["Go on", "This session is being continued"]
    assert given_to(calls[2]) == [*given_to(calls[1]), "Going on", "And now?"]
    assert set(got.new().values()) == {1}
    assert [run.trace_name for run in got.of("agent")] == ["Begin", "Go on", "And now?"]
    assert calls[1].parent == got.of("agent")[1].id


def test_a_message_typed_while_the_model_works(session: Transcript) -> None:
    session.user("u1", "Begin")
    session.answer("a1", use("t1"))
    session.user("r1", result("t1"))
    session.add("attachment", "q1", None, attachment={"type": "queued_command", "prompt": "Hurry up"})
    session.answer("a2", "Done")
    got = taken(session.save())
    assert given_to(got.of("llm")[1]) == ["Begin", "Bash", "done", "Hurry up"]
    assert len(got.of("agent")) == 1


def test_interruptions_and_refusals_are_feedback(session: Transcript) -> None:
    refused = (
        "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit,"
    )
    session.user("u1", "Delete it")
    session.answer("a1", use("t1"))
    session.user(
        "r1", result("t1", f"{refused} ...). To tell you how to proceed, the user said:\nask first", is_error=True)
    )
    session.user("i1", [{"type": "text", "text": "[Request interrupted by user for tool use]"}])
    session.user("u2", "Think")
    session.user("i2", [{"type": "text", "text": "[Request interrupted by user]"}])
    session.user("u3", "Fine")
    session.answer("a2", "Thanks")
    got = taken(session.save())
    said = sorted((each.key, each.level, each.target, each.comment) for each in got.feedback.values())
    assert said == [
        ("interrupted", Level.TRACE, "claude:A/u1", None),
        ("interrupted", Level.TRACE, "claude:A/u2", None),
        ("tool_rejected", Level.RUN, "claude:A/t1", "ask first"),
    ]
    assert got.runs["claude:A/t1"].error is not None
    assert set(got.new().values()) == {1} and ("A", "Think") in got.new()


def test_a_failed_request_is_an_error_without_a_price(session: Transcript) -> None:
    session.user("u1", "Hello")
    session.answer("a1", "API Error: 529 overloaded", isApiErrorMessage=True)
    session.lines[-1]["message"] |= {"model": "<synthetic>", "usage": {"input_tokens": 0, "output_tokens": 0}}
    (call,) = taken(session.save()).of("llm")
    assert call.error == "API Error: 529 overloaded"
    assert (call.provider, call.prompt_tokens) == (None, None)


def test_commands_before_a_message_belong_to_its_turn(session: Transcript) -> None:
    session.user("c1", "Caveat: The messages below were generated by the user while running", isMeta=True)
    session.user("c2", "<command-name>/clear</command-name><command-args></command-args>")
    session.user("c3", "<local-command-stdout></local-command-stdout>")
    session.user("u1", "Now work")
    session.answer("a1", "Done")
    session.user("c4", "<bash-input>make</bash-input>")
    session.user("c5", "<bash-stdout>built</bash-stdout>")
    got = taken(session.save())
    assert [run.trace_name for run in got.of("agent")] == ["Now work", "! make"]
    assert got.of("agent")[1].outputs is None


def test_what_is_open_at_the_end_runs_and_what_was_left_is_abandoned(session: Transcript) -> None:
    session.user("u1", "Go")
    session.answer("a1", use("t1"))
    session.user("u2", "Never mind")
    session.answer("a2", use("t2"))
    tools = {run.id[-2:]: run for run in taken(session.save()).of("tool")}
    assert (tools["t1"].phase, tools["t1"].status) == (2, "abandoned")
    assert (tools["t2"].phase, tools["t2"].status) == (1, None)


def test_lines_that_cannot_be_read_cost_only_themselves(session: Transcript) -> None:
    session.user("u1", "One")
    session.answer("a1", "First")
    session.user("u2", "Two")
    session.answer("a2", "Second")
    lines = [json.dumps(line) for line in session.lines]
    broken = [lines[0], lines[1][:40], "7", lines[2], lines[3], lines[0][:60]]
    session.path.write_text("\n".join(broken))
    got = taken(session.path)
    assert [each.place for each in got.refused] == ["line 2", "line 3", "line 6"]
    assert "half written" in got.refused[-1].why
    assert given_to(got.of("llm")[0]) == ["One", "Two"]


def test_titles_and_unknown_lines(session: Transcript) -> None:
    session.user("u1", "Hello there")
    session.answer("a1", "Hi")
    session.save(
        {"type": "summary", "summary": "A greeting", "leafUuid": "a1"},
        {"type": "custom-title", "customTitle": "Greetings", "sessionId": "A"},
        {"type": "invented-tomorrow", "sessionId": "A", "x": 1},
        {"silly": True},
    )
    got = taken(session.path)
    (root,) = got.of("agent")
    assert (root.metadata["title"], root.metadata["summary"]) == ("Greetings", "A greeting")
    assert got.refused == []


# -- sessions that go on from others


def fork(tmp_path: Path, rewrite: str | None) -> tuple[Path, Path]:
    """A session, and one that begins with a copy of it: with its own session id, the old one, or both named."""
    first = Transcript(tmp_path / "p/A.jsonl", "A")
    first.user("u1", "One")
    first.answer("a1", "First")
    first.user("u2", "Two")
    first.answer("a2", "Second")
    second = Transcript(tmp_path / "p/B.jsonl", "B")
    second.at = first.at
    for line in first.lines:
        copy = dict(line)
        if rewrite == "session":
            copy["sessionId"] = "B"
        elif rewrite == "forked":
            copy |= {"sessionId": "B", "uuid": f"new-{line['uuid']}"}
            copy["forkedFrom"] = {"sessionId": "A", "messageUuid": line["uuid"]}
        second.lines.append(copy)
    second.user("u3", "Three")
    second.answer("a3", "Third")
    return first.save(), second.save()


@pytest.mark.parametrize("rewrite", [None, "session", "forked"])
def test_what_a_session_copied_belongs_to_the_one_it_came_from(tmp_path: Path, rewrite: str | None) -> None:
    first, second = fork(tmp_path, rewrite)
    got = taken(second, first)
    assert got.runs == taken(first, second).runs == taken(tmp_path).runs
    assert [(run.session, run.completion_tokens) for run in got.of("llm")] == [("A", 1), ("A", 1), ("B", 1)]
    assert got.new() == {("A", "One"): 1, ("A", "Two"): 1, ("B", "Three"): 1}
    assert given_to(got.of("llm")[2]) == ["Three"]


def test_a_copy_read_without_its_original_keeps_the_session_it_names(tmp_path: Path) -> None:
    first, second = fork(tmp_path, None)
    first.unlink()
    assert [run.session for run in taken(second).of("llm")] == ["A", "A", "B"]


def test_files_that_change_between_two_readings(tmp_path: Path) -> None:
    first, second = fork(tmp_path, "session")
    assert [run.session for run in taken(second).of("llm")] == ["B"]
    first.unlink()
    assert [run.session for run in taken(second).of("llm")] == ["B", "B", "B"]
    grown = Transcript(tmp_path / "p/C.jsonl", "C")
    grown.user("x1", "Begin")
    assert len(taken(grown.save()).runs) == 1
    grown.answer("x2", "Done")
    got = taken(grown.save())
    assert [run.kind for run in got.runs.values()] == ["agent", "llm"]
    assert got.of("agent")[0].outputs == got.of("llm")[0].outputs


def test_the_same_answer_in_two_sessions_counts_once(tmp_path: Path) -> None:
    for name, uuid in (("A", "x"), ("B", "y")):
        made = Transcript(tmp_path / f"{name}.jsonl", name)
        made.user(f"u{uuid}", f"Prompt {name}")
        made.answer(uuid, "Same", id="msg_same", out=7)
        made.save()
    got = taken(tmp_path)
    assert len(got.of("llm")) == 2
    assert got.total("completion_tokens") == 7


def test_a_sidechain_in_the_main_file(session: Transcript) -> None:
    session.user("u1", "Delegate")
    session.answer("a1", use("t1", "Task", prompt="Find it", subagent_type="Explore"))
    session.user("s1", "Find it", parent=None, isSidechain=True)
    session.answer("s2", use("t2", "Grep"), isSidechain=True)
    session.user("s3", result("t2", "here"), isSidechain=True)
    session.answer("s4", "Found", isSidechain=True)
    session.user("r1", result("t1", "Found"), parent="a1")
    session.answer("a2", "It is here")
    got = taken(session.save())
    (agent,) = [run for run in got.of("agent") if run.name == "Explore"]
    assert agent.parent == "claude:A/t1"
    assert [given_to(run) for run in got.of("llm") if run.parent == agent.id] == [
        ["Find it"],
        ["Find it", "Grep", "here"],
    ]
    assert given_to(got.of("llm")[-1]) == ["Delegate", "Task", "Found"]


def test_a_subagent_alone_is_a_trace_until_its_session_comes(tmp_path: Path) -> None:
    project = tmp_path / "p"
    main = Transcript(project / "A.jsonl", "A")
    main.user("u1", "Delegate")
    main.answer("a1", use("t1", "Agent", prompt="Find it"))
    main.user("r1", result("t1", "Found"))
    side = Transcript(project / "A/subagents/agent-7.jsonl", "A")
    side.user("s1", "Find it", agentId="7", isSidechain=True)
    side.answer("s2", "Found", agentId="7", isSidechain=True)
    path = side.save()
    path.with_suffix(".meta.json").write_text(json.dumps({"agentType": "Explore", "toolUseId": "t1"}))
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        import_paths(writer, [str(path)], Options(), form=claude_code)
        import_paths(writer, [str(main.save())], Options(), form=claude_code)
    conn = sqlite3.connect(store)
    rows = conn.execute(
        "SELECT r.id, p.id, t.id FROM run r LEFT JOIN run p ON p.pk = r.parent JOIN trace t ON t.pk = r.trace"
    )
    found = {run: (parent, trace) for run, parent, trace in rows}
    conn.close()
    assert found["claude:A/agent-7"] == ("claude:A/t1", "claude:A/u1")
    assert found["claude:A/msg_s2"] == ("claude:A/agent-7", "claude:A/u1")
    assert found["claude:A/t1"] == ("claude:A/u1/turn", "claude:A/u1")


# -- anything at all

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BLOCK = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "tool_use", "tool_result", "thinking", "image", 3]),
        "text": st.text(max_size=5) | VALUE,
        "id": st.sampled_from(["t1", "t2", "", 4]),
        "tool_use_id": st.sampled_from(["t1", "t2", None]),
        "name": st.sampled_from(["Bash", "Task", None]),
        "input": VALUE,
        "content": VALUE,
        "is_error": st.sampled_from([True, False, "x"]),
    },
)
LINE = st.fixed_dictionaries(
    {"type": st.sampled_from(["user", "assistant", "system", "attachment", "summary", "progress", "new"])},
    optional={
        "uuid": st.sampled_from(["a", "b", "c", "d", 5]),
        "parentUuid": st.sampled_from(["a", "b", "c", "d", "z", None, []]),
        "sessionId": st.sampled_from(["A", "B", None, {}]),
        "isSidechain": st.booleans(),
        "isMeta": st.booleans(),
        "agentId": st.sampled_from(["7", None, 7]),
        "timestamp": st.sampled_from(["2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z", "never", 17, None]),
        "subtype": st.sampled_from(["compact_boundary", "x"]),
        "attachment": VALUE,
        "toolUseResult": VALUE,
        "message": st.fixed_dictionaries(
            {},
            optional={
                "role": st.sampled_from(["user", "assistant", None]),
                "content": VALUE | st.lists(BLOCK, max_size=3) | st.just("[Request interrupted by user]"),
                "id": st.sampled_from(["m1", "m2", None, 3]),
                "model": st.sampled_from(["claude-x", "<synthetic>", None]),
                "usage": VALUE | st.fixed_dictionaries({"input_tokens": VALUE | st.floats(), "output_tokens": VALUE}),
            },
        )
        | VALUE,
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(LINE, max_size=8), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_any_lines_in_any_order_of_files(
    tmp_path_factory: pytest.TempPathFactory, contents: list[list[dict[str, Any]]], dice: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("any")
    paths = [folder / f"{number}.jsonl" for number in range(len(contents))]
    for path, lines in zip(paths, contents, strict=True):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    inner = [each for path in paths for each in documents(str(path), path.stat().st_size, False)]
    docs = [each.doc for each in inner if not isinstance(each, Refusal)]
    straight, mixed = Taken(), Taken()
    for doc in docs:
        straight.read(doc)
    dice.shuffle(docs)
    for doc in docs:
        mixed.read(doc)
    assert straight.refused == []
    assert mixed.runs == straight.runs
    assert mixed.feedback == straight.feedback
