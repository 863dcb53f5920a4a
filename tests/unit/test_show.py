"""`tracetui show`: everything about one row, for people, for tickets and for programs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracetui.cli import main
from tracetui.cli.show_json import pieces
from tracetui.model import jsonx
from tracetui.model.errors import ExitCode
from tracetui.model.kinds import Kind, Level, Source
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

NOW = 1_764_000_000_000_000
CALL = {"id": "c1", "type": "function", "function": {"name": "lookup_order", "arguments": '{"id": "4411"}'}}
FIRST = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "wtf, where is my money?"}]
ASKS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": 'KeyError: no order "4411"'}
ODD = {"big": 2**70, "zero": -0.0, "order": {"b": 1, "a": 2}, "": "empty key", "escape": "\x1b[31m\ud800"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    common: dict[str, Any] = {"trace": "shop:t", "parent": "shop:a"}
    runs = (
        RunRecord(
            id="shop:a", trace="shop:t", name="support-agent", trace_name="refund flow", kind=Kind.AGENT,
            session="chat-1", started_at=NOW, ended_at=NOW + 14_200_000, inputs=ODD, outputs={"output": "sorry"},
            metadata={"plan": "pro"},
        ),
        RunRecord(
            id="shop:1", name="gpt-4.1", kind=Kind.LLM, started_at=NOW + 1, ended_at=NOW + 1_840_001,
            prompt_tokens=3204, completion_tokens=211, inputs={"messages": FIRST}, outputs=ASKS, **common,
        ),
        RunRecord(
            id="shop:2", name="lookup_order", kind=Kind.TOOL, started_at=NOW + 2_000_000, ended_at=NOW + 2_200_000,
            inputs={"id": "4411"}, error='KeyError: no order "4411"', extra={"tool_call_id": "c1"}, **common,
        ),
        RunRecord(
            id="shop:3", name="gpt-4.1", kind=Kind.LLM, started_at=NOW + 3_000_000, ended_at=NOW + 4_000_000,
            inputs={"messages": [*FIRST, ASKS, RESULT]}, outputs="# Sorry\n```\nno fence ends here", **common,
        ),
        RunRecord(id="shop:4", name="policy", kind=Kind.RETRIEVER, started_at=NOW + 5_000_000, ended_at=NOW + 5_300_000,
                  inputs={"query": "refund"}, outputs=["a", "b"], **common),
    )  # fmt: skip
    feedback = (
        FeedbackRecord(level=Level.TRACE, target="shop:t", key="helpful", score=0.2, source=Source.USER, comment="a|b"),
        FeedbackRecord(level=Level.RUN, target="shop:1", key="cause", value="model", source=Source.HUMAN, author="mira",
                       correction={"say": "4411-B"}),
    )  # fmt: skip
    with Writer(path, create=True) as writer:
        writer.write(Batch(runs, feedback))
    return path


def shown(capsys: pytest.CaptureFixture[str], *line: object) -> str:
    assert main.run(["show", *map(str, line)]) == ExitCode.DONE
    out = capsys.readouterr().out
    harmful = {char for char in out if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not harmful
    return out


def test_a_trace_as_text_is_its_tree_and_one_conversation(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, store, "shop:t").splitlines()
    assert lines[0] == "refund flow"
    assert "5 runs   1 error   14.2s" in lines[1]
    assert any(line.startswith("▌helpful  .2  U") for line in lines)
    assert any(line.startswith("×   ƒ lookup_order  KeyError") and line.endswith("0.2s") for line in lines)
    text = "\n".join(lines)
    assert text.count("wtf, where is my money?") == 1
    assert text.count('ƒ lookup_order  id="4411"') == 1, "the call stands beside its result, and once"
    assert text.count("Be kind.") == 1
    in_order = ["wtf", 'ƒ lookup_order  id="4411"', "# Sorry", '¶ policy  query="refund"']
    assert sorted(in_order, key=text.index) == in_order


def test_a_run_as_text_is_what_is_new_in_it_and_all_with_full(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = shown(capsys, store, "3")
    assert "▸ 3 earlier messages   --full" in short
    assert "wtf" not in short
    assert 'KeyError  no order "4411"' in short or 'KeyError: no order "4411"' in short
    full = shown(capsys, store, "shop:3", "--full")
    assert "wtf" in full
    assert "--full" not in full


def test_a_thread_as_text_lists_its_traces(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, store, "chat-1")
    assert text.startswith("chat-1\n1 trace   5 runs   1 error")
    assert "refund flow  helpful .2 U" in text
    assert "• gpt-4.1" in text


def test_markdown_survives_what_messages_hold(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, store, "shop:t", "--format", "md").splitlines()
    assert lines[0] == "# refund flow"
    assert any("| helpful | .2 |  | user |  | a\\|b |" in line for line in lines)
    at = lines.index("> # Sorry")
    assert lines[at : at + 3] == ["> # Sorry", "> ```", "> no fence ends here"]
    fences = [line for line in lines if line.startswith("```")]
    assert len(fences) % 2 == 0


def test_json_is_what_came_in(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["show", str(store), "shop:t", "--format", "json"]) == ExitCode.DONE
    value = jsonx.loads(capsys.readouterr().out)
    assert (value["level"], value["id"], value["name"]) == ("trace", "shop:t", "refund flow")
    [root] = value["children"]
    assert jsonx.dumps(root["inputs"]) == jsonx.dumps(ODD)
    assert [run["id"] for run in root["children"]] == ["shop:1", "shop:2", "shop:3", "shop:4"]
    first = root["children"][0]
    assert (first["inputs"], first["outputs"], first["metadata"]) == ({"messages": FIRST}, ASKS, {})
    [said] = first["feedback"]
    assert (said["key"], said["value"], said["source"], said["author"]) == ("cause", "model", "human", "mira")
    assert said["correction"] == {"say": "4411-B"}
    assert [one["score"] for one in value["feedback"]] == [0.2]
    assert value["feedback"][0]["comment"] == "a|b"


def test_a_thread_and_a_run_as_json(store: Path) -> None:
    with Reader(store) as reader:
        [thread], [run] = reader.find("chat-1"), reader.find("2")
        whole = json.loads(b"".join(pieces(reader, thread)))
        assert [trace["id"] for trace in whole["children"]] == ["shop:t"]
        assert whole["children"][0]["children"][0]["id"] == "shop:a"
        one = json.loads(b"".join(pieces(reader, run)))
        assert (one["id"], one["parent"], one["children"]) == ("shop:2", "shop:a", [])


parents = st.lists(st.integers(-1, 11), min_size=1, max_size=12)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parents)
def test_every_run_of_any_tree_stands_in_the_json_once(tmp_path: Path, parents: list[int]) -> None:
    """Also where a source says that runs hang below each other."""
    path = tmp_path / f"{abs(hash(tuple(parents)))}.db"
    runs = tuple(
        RunRecord(id=f"x:{n}", trace="x:t", parent=None if above < 0 or above >= len(parents) else f"x:{above}",
                  position=n, name="r", kind=Kind.CHAIN, inputs={"n": n})
        for n, above in enumerate(parents)
    )  # fmt: skip
    with Writer(path, create=True) as writer:
        writer.write(Batch(runs))
    with Reader(path) as reader:
        value = json.loads(b"".join(pieces(reader, next(row for row in reader.find("x:t")))))
    found: list[int] = []
    stack = list(value["children"])
    while stack:
        run = stack.pop()
        found.append(run["inputs"]["n"])
        stack += run["children"]
    assert sorted(found) == list(range(len(parents)))


def test_an_id_that_names_nothing_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["show", str(store), "nonesuch\x1b[2J"]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert "nonesuch\\x1b[2J" in said.err
    assert "tracetui query" in said.err


def test_a_pipe_gets_no_colour_and_a_terminal_does(store: Path) -> None:
    line = [sys.executable, "-m", "tracetui", "show", str(store), "shop:t"]
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    piped = subprocess.run(line, capture_output=True, check=True, env=env).stdout
    assert b"\x1b" not in piped
    assert on_terminal(line, {**env, "TERM": "xterm-256color"}).count(b"\x1b[") > 10
    plain = on_terminal(line, {**env, "TERM": "xterm-256color", "NO_COLOR": "1"})
    assert b"refund flow" in plain
    assert b"\x1b" not in plain


def on_terminal(line: list[str], env: dict[str, str]) -> bytes:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    out = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the terminal is gone with its last user
            break
        if not piece:
            break
        out += piece
    os.close(ours)
    assert process.wait() == 0
    return out


def test_it_starts_without_textual(store: Path) -> None:
    code = (
        "import sys; from tracetui.cli import main; "
        f"[main.run(['show', {str(store)!r}, 'shop:t', '--format', form]) for form in ('text', 'md', 'json')]; "
        "sys.exit(any(name.split('.')[0] in ('textual', 'sqlalchemy', 'sqlmodel', 'pydantic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0
