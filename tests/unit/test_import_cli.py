"""`tracetui import`: what goes in, what is refused, what it says, and what an interruption leaves."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tracetui.cli.main import run
from tracetui.store.reading import Reader

KEYS = {"files", "threads", "traces", "runs", "feedback", "unchanged", "refused"}


def langsmith_run(number: int, **more: Any) -> dict[str, Any]:
    id = f"00000000-0000-0000-0000-{number:012}"
    start, end = 1795491527 + number, 1795491528 + number
    return {"id": id, "trace_id": id, "name": "r", "run_type": "llm", "start_time": start, "end_time": end, **more}


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store" / "traces.db"


@pytest.fixture
def source(tmp_path: Path, store: Path) -> Path:
    store.parent.mkdir()
    path = tmp_path / "source"
    path.mkdir()
    return path


@pytest.fixture
def imported(store: Path, capsys: pytest.CaptureFixture[str]):
    def call(*args: str | Path) -> tuple[int, dict[str, Any], str]:
        code = run(["import", str(store), *map(str, args), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return call


def query(store: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(store) as conn:
        return conn.execute(sql).fetchall()


def test_a_directory_of_everything(source: Path, store: Path, imported) -> None:
    (source / "b").mkdir()
    (source / "a.jsonl").write_text(lines(langsmith_run(1), langsmith_run(2)))
    (source / "b" / "c.json.gz").write_bytes(gzip.compress(json.dumps([langsmith_run(3)]).encode()))
    (source / "b" / "README.md").write_text("# no trace")
    (source / "0-labels.csv").write_text("id,key,score\n00000000-0000-0000-0000-000000000003,good,true\n")
    with tarfile.open(source / "d.tar.xz", "w:xz") as archive:
        archive.add(source / "a.jsonl", "inner/same.jsonl")
        archive.add(source / "b" / "README.md", "inner/README.md")
    code, out, err = imported(source)
    assert code == 0
    assert out == {"files": 4, "threads": 3, "traces": 3, "runs": 3, "feedback": 1, "unchanged": 2, "refused": []}
    assert "2 files passed over: no traces." in err
    # the label stands in a file before its trace's; its id is bare, and means the trace
    assert query(store, "SELECT level, key, score FROM feedback") == [("trace", "good", 1.0)]
    code, out, _ = imported(source)
    assert code == 0
    assert out == {"files": 4, "threads": 0, "traces": 0, "runs": 0, "feedback": 0, "unchanged": 5, "refused": []}


def test_refusals_name_file_place_and_cause_while_the_rest_goes_on(source: Path, imported) -> None:
    (source / "good.jsonl").write_text(lines(langsmith_run(1)))
    (source / "half.jsonl").write_text(lines(langsmith_run(2)) + "{]\n" + json.dumps(langsmith_run(3))[:50])
    packed = gzip.compress(lines(*map(langsmith_run, range(10, 2000))).encode())
    (source / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (source / "note.txt").write_text("hello")
    code, out, err = imported(source, source / "note.txt", source / "absent.jsonl")
    assert code == 1
    assert out["files"] == 3 and out["runs"] > 100, out
    refused = [(Path(each["path"]).name, each["place"].split(" ")[0], each["why"]) for each in out["refused"]]
    assert refused == [
        ("cut.jsonl.gz", "after", "the gzip data ends too early (cut off?)"),
        ("half.jsonl", "line", "not JSON: expecting property name enclosed in double quotes at column 2"),
        ("half.jsonl", "line", "the file ends inside this line (half written?)"),
        ("note.txt", "", refused[3][2]),
        ("absent.jsonl", "", "no such file or directory"),
    ]
    assert refused[3][2].startswith("no format that is known: ")
    assert "half.jsonl, line 2: not JSON" in err


def test_all_refused_is_wrong_input_and_an_empty_file_holds_nothing(source: Path, imported) -> None:
    (source / "note.txt").write_text("hello")
    (source / "empty.jsonl").write_text("")
    code, out, _ = imported(source / "note.txt")
    assert (code, out["files"], len(out["refused"])) == (2, 0, 1)
    (source / "list.json").write_text("[]")
    code, out, _ = imported(source / "empty.jsonl", source / "list.json")
    assert (code, out["files"], out["refused"]) == (0, 2, [])


def test_an_odd_shape_costs_its_file(source: Path, imported, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracetui.ingest.formats import langsmith

    monkeypatch.setattr(langsmith, "is_feedback", lambda value: value["name"].startswith("x"))
    (source / "a.jsonl").write_text(lines(langsmith_run(1, name=5)))
    (source / "b.jsonl").write_text(lines(langsmith_run(2)))
    code, out, _ = imported(source, "--format", "langsmith")
    assert (code, out["runs"]) == (1, 1)
    assert out["refused"][0]["why"].startswith("not as langsmith should be (")


def test_the_project_named_wins(source: Path, store: Path, imported) -> None:
    metadata = {"metadata": {"thread_id": "t"}}
    (source / "a.jsonl").write_text(lines(langsmith_run(1, session_name="theirs", extra=metadata)))
    assert imported(source, "--project", "mine")[0] == 0
    assert query(store, "SELECT project, id FROM thread") == [("mine", "t")]


def test_costs_are_estimated_where_the_model_is_known(source: Path, store: Path, imported) -> None:
    def priced(number: int, model: str, **usage: Any) -> dict[str, Any]:
        tokens = {"input_tokens": 42, "output_tokens": 9, "input_token_details": {"cache_read": 10}, **usage}
        outputs = {"usage_metadata": tokens}
        return langsmith_run(number, extra={"metadata": {"ls_model_name": model}}, outputs=outputs)

    (source / "a.jsonl").write_text(
        lines(
            priced(1, "gpt-4o-mini-2024-07-18"),
            priced(2, "nobody-knows-it"),
            priced(3, "gpt-4o-mini", total_cost=0.5),
            priced(4, "openai/gpt-4o-mini", total_cost=0),
        )
    )
    assert imported(source)[0] == 0
    rows = query(store, "SELECT cost, cost_source FROM run ORDER BY id")
    assert rows[0][0] == pytest.approx(0.00001095) and rows[0][1].startswith("genai-prices ")
    assert rows[1:3] == [(None, None), (0.5, "source")]
    assert rows[3][0] == pytest.approx(0.00001095)


def test_labels_with_ids_that_mean_nothing_or_several_things(source: Path, store: Path, imported) -> None:
    def of(number: int, project: str) -> dict[str, Any]:
        return langsmith_run(number, session_name=project, extra={"metadata": {"thread_id": "t"}})

    (source / "a.jsonl").write_text(lines(of(1, "one"), of(2, "two"), langsmith_run(3)))
    bare = "00000000-0000-0000-0000-000000000003"
    (source / "l.csv").write_text(
        f"id,key,score,level\nt,k,1,thread\n{bare},k,1,run\nls:{bare},k,2,\nnope,k,1,\nnope,k,1,run\nls:later,k,1,run\n"
    )
    code, out, _ = imported(source)
    assert (code, out["feedback"]) == (1, 3)
    assert [(each["place"], each["why"]) for each in out["refused"]] == [
        ("line 2", "the id `t` means 2 things: thread t, thread t; name its project by --project"),
        ("line 5", "no thread, trace or run of the store has the id `nope`"),
        ("line 6", "no run of the store has the id `nope`"),
    ]
    assert query(store, "SELECT level, score FROM feedback ORDER BY level, score") == [
        ("run", 1.0),
        ("run", 1.0),
        ("trace", 2.0),
    ]
    assert imported(source / "l.csv", "--project", "two")[1]["feedback"] == 1


def test_a_forgotten_store(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = source / "a.jsonl"
    trace.write_text(lines(langsmith_run(1)))
    packed = source / "b.gz"
    packed.write_bytes(gzip.compress(b"x"))
    for args in ([trace], [trace, trace], [source], [packed, trace]):
        assert run(["import", *map(str, args)]) == 2
        assert "Did you forget the store?" in capsys.readouterr().err
    assert trace.read_text() == lines(langsmith_run(1))


def test_lines_that_cannot_be_done(source: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "traces.jsonl").write_text(lines(langsmith_run(1)))
    (source / "note.txt").write_text("no store")
    for args, code, said in (
        ([store, source / "trace.jsonl"], 2, f"did you mean {source / 'traces.jsonl'}?"),
        ([store], 2, "Missing argument 'PATH...'"),
        ([store, source, "--format", "langsmit"], 2, "Did you mean `langsmith`?"),
        ([source / "note.txt", source / "traces.jsonl"], 3, "note.txt"),
    ):
        assert run(["import", *map(str, args)]) == code
        assert said in capsys.readouterr().err
    assert not store.exists()
    assert (source / "note.txt").read_text() == "no store"


def test_the_default_store_and_its_directory_are_made(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "a.jsonl").write_text(lines(langsmith_run(1)))
    monkeypatch.setenv("TRACETUI_STORE", str(tmp_path / "new" / "deep" / "traces.db"))
    assert run(["import", "@", str(source)]) == 0
    assert query(tmp_path / "new" / "deep" / "traces.db", "SELECT count(*) FROM run") == [(1,)]


def test_words_go_to_stderr_and_are_harmless(source: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "a.jsonl").write_text(lines(langsmith_run(1)))
    (source / "evil\x1b[31m.jsonl").write_text(lines(langsmith_run(2)) + "{\n")
    assert run(["import", str(store), str(source)]) == 1
    out, err = capsys.readouterr()
    assert out == "2 files: 2 threads, 2 traces, 2 runs, 0 feedback new.\n"
    assert "\x1b" not in err and "evil\\x1b[31m.jsonl, line 2" in err


def test_ctrl_c_keeps_what_is_written_and_says_so(source: Path, store: Path) -> None:
    with (source / "big.jsonl").open("w") as file:
        file.writelines(lines(langsmith_run(number, inputs={"text": f"{number} " * 200})) for number in range(60_000))
    command = [sys.executable, "-m", "tracetui", "import", str(store), str(source), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not _has_runs(store):
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert "Interrupted. What is written stays" in err and "Traceback" not in err
    said = json.loads(out)
    assert 0 < said["runs"] < 60_000
    reader = Reader(store)
    assert reader.totals().runs == said["runs"]
    reader.close()


def _has_runs(store: Path) -> bool:
    try:
        return bool(query(store, "SELECT 1 FROM run LIMIT 1"))
    except sqlite3.Error:
        return False


def test_the_real_data_gives_its_figures(shared: Path, store: Path, source: Path, imported) -> None:
    code, out, _ = imported(shared / "data/tau-bench", shared / "data/tau2-bench", "--project", "tau")
    assert code == 0
    assert (out["files"], out["traces"], out["runs"], out["feedback"]) == (2, 250, 3818 + 1136, 250)
    code, out, _ = imported(shared / "data/tau-bench")
    assert (out["runs"], out["traces"], out["feedback"]) == (0, 0, 0)


@pytest.mark.slow
def test_mini_swe_agent_through_the_store(shared: Path, store: Path, source: Path, imported) -> None:
    code, out, err = imported(shared / "data/mini-swe-agent")
    assert (code, out["files"], out["traces"], out["threads"]) == (0, 231, 231, 231)
    assert "passed over" in err
    assert query(store, "SELECT count(*), sum(prompt_tokens), sum(completion_tokens) FROM run WHERE kind = 'llm'") == [
        (9302, 152_546_254, 2_524_378)
    ]
    assert query(store, "SELECT sum(prompt_tokens), sum(error_count) FROM trace") == [(152_546_254, 636)]
    assert query(store, "SELECT type FROM feedback_key WHERE key = 'resolved'") == [("boolean",)]
    assert query(store, "SELECT count(*), sum(score) FROM feedback WHERE source = 'outcome'") == [(231, 170)]


def test_the_store_itself_is_no_input(source: Path, store: Path, imported) -> None:
    (store.parent / "a.jsonl").write_text(lines(langsmith_run(1)))
    code, out, _ = imported(store.parent, source)
    assert (code, out["runs"], out["refused"]) == (0, 1, [])
    with sqlite3.connect(store) as other:
        other.execute("SELECT count(*) FROM run").fetchone()  # it is open elsewhere, as it is while it is imported into
        code, out, _ = imported(store)
    assert code == 2
    assert "a database, not a trace file" in out["refused"][0]["why"]


def test_big_imports_are_written_by_a_process_of_their_own(source: Path, store: Path, imported) -> None:
    text = "a long answer that no other run gives, number "
    runs = [langsmith_run(number, outputs={"text": f"{text}{number} " * 40}) for number in range(600)]
    (source / "a.jsonl").write_text(lines(*runs))
    assert (source / "a.jsonl").stat().st_size > 1_000_000
    code, out, _ = imported(source)
    assert (code, out["runs"], out["refused"]) == (0, 600, [])
    assert query(store, "SELECT count(*) FROM run WHERE phase = 2") == [(600,)]
    assert imported(source)[1]["unchanged"] == 600


def test_a_value_as_deep_as_json_is_read_reaches_that_process(source: Path, store: Path, imported) -> None:
    text = lines(langsmith_run(1, outputs={"deep": "HERE"}, inputs={"filler": "x" * 1_000_000}))
    (source / "a.jsonl").write_text(text.replace('"HERE"', "[" * 950 + '"at the bottom"' + "]" * 950))
    code, out, _ = imported(source)
    assert (code, out["runs"], out["refused"]) == (0, 1, [])


def test_an_id_with_a_nul_is_found_again(source: Path, store: Path, imported) -> None:
    said = {"id": "m\0sg", "role": "assistant", "model": "m\0odel", "content": [{"type": "text", "text": "hi"}]}
    record = {"type": "assistant", "uuid": "u-1", "parentUuid": None, "sessionId": "s\0", "message": said}
    (source / "a.jsonl").write_text(lines({**record, "timestamp": "2025-01-01T00:00:01.000Z"}))
    for new in (1, 0):
        code, out, _ = imported(source)
        assert (code, out["traces"], out["refused"]) == (0, new, [])
