"""`tracetui score` on a small store."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tracetui.cli import main
from tracetui.model.errors import ExitCode
from tracetui.model.kinds import KeyType, Level
from tracetui.model.records import Batch, RunRecord
from tracetui.model.rows import FeedbackKey, FeedbackRow
from tracetui.store.people import Scorer
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two threads of a trace each; as with LangSmith a trace and its root run have one id."""
    path = tmp_path / "s.db"
    with Writer(path, create=True) as writer:
        for name in ("a", "b"):
            root = RunRecord(id=f"ls:{name}", trace=f"ls:{name}", name="agent", kind="agent", session=f"talk-{name}")
            call = RunRecord(id=f"ls:{name}1", trace=f"ls:{name}", parent=f"ls:{name}", name="gpt", kind="llm")
            writer.write(Batch((root, call)))
    return path


def said(store: Path, id: str, level: Level) -> tuple[FeedbackRow, ...]:
    reader = Reader(store)
    [pk] = [row.pk for row in reader.find(id) if row.level == level]
    rows = reader.feedback(level, pk)
    reader.close()
    return rows


def test_a_number_is_a_score_and_a_word_a_value(store: Path) -> None:
    assert main.run(["score", str(store), "ls:a1", "helpful=0.5", "cause=harness", "--by", "ann"]) == ExitCode.DONE
    rows = {row.key: row for row in said(store, "ls:a1", Level.RUN)}
    assert (rows["helpful"].score, rows["helpful"].value) == (0.5, None)
    assert (rows["cause"].score, rows["cause"].value) == (None, "harness")
    assert {row.author for row in rows.values()} == {"ann"}
    assert {row.source for row in rows.values()} == {"human"}


def test_an_id_of_both_means_the_trace_unless_said(store: Path) -> None:
    main.run(["score", str(store), "a", "correct=true", "--source", "outcome"])
    main.run(["score", str(store), "a", "seen=1", "--on", "run"])
    assert [row.key for row in said(store, "ls:a", Level.TRACE)] == ["correct"]
    assert [row.key for row in said(store, "ls:a", Level.RUN)] == ["seen"]


def test_ids_come_on_stdin(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("talk-a\n\ntalk-b\n"))
    assert main.run(["score", str(store), "-", "csat=4", "--comment", "by phone"]) == ExitCode.DONE
    for thread in ("talk-a", "talk-b"):
        [row] = said(store, thread, Level.THREAD)
        assert (row.score, row.comment) == (4.0, "by phone")


def test_what_is_not_there_is_listed_and_the_rest_scored(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(store), "ls:zz", "ls:b1", "ok=1"]) == ExitCode.PARTLY
    assert "ls:zz" in capsys.readouterr().err
    assert len(said(store, "ls:b1", Level.RUN)) == 1
    assert main.run(["score", str(store), "ls:zz", "ok=1"]) == ExitCode.USAGE


def test_a_typed_key_refuses_and_names_what_it_allows(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scorer = Scorer(store, "ann")
    scorer.define(FeedbackKey(key="tone", type=KeyType.RATING, min=1, max=5))
    scorer.close()
    assert main.run(["score", str(store), "ls:a1", "tone=7"]) == ExitCode.USAGE
    assert "1 to 5" in capsys.readouterr().err
    assert said(store, "ls:a1", Level.RUN) == ()


@pytest.mark.parametrize(
    ("text", "value"), [('{"order": "4411-B"}', {"order": "4411-B"}), ("4411-B, please", "4411-B, please")]
)
def test_a_correction_is_json_or_text(store: Path, tmp_path: Path, text: str, value: object) -> None:
    file = tmp_path / "better"
    file.write_text(text)
    main.run(["score", str(store), "ls:a1", "correct=0", "--correction", str(file)])
    assert said(store, "ls:a1", Level.RUN)[0].correction == value


@pytest.mark.parametrize("line", [["ls:a1"], ["ok=1"], ["ok=1", "ls:a1"]])
def test_half_a_line_is_told_what_is_missing(store: Path, line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["score", str(store), *line]) == ExitCode.USAGE
    assert capsys.readouterr().err
