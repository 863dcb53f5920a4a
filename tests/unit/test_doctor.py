"""The doctor finds each thing that can be wrong, mends what can be mended, and leaves a sound store alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import naive_filters as naive
import pytest

from tracetui.cli.main import run as cli
from tracetui.model.errors import StoreError
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.doctor import Finding, examine
from tracetui.store.people import Scorer
from tracetui.store.reading import Reader
from tracetui.store.repair import repair
from tracetui.store.writer import Writer

LONG = "a text that is long enough to be a content of its own " * 8


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doctor") / "sound.db"
    batches, _ = naive.make(41)
    with Writer(path, create=True) as writer:
        for batch in batches:
            writer.write(Batch(batch.runs))
        writer.write(
            Batch(
                (
                    RunRecord(id="x:a", trace="x:t", session="s", kind="llm", prompt_tokens=5, cost=0.1,
                              inputs={"m": [LONG, "short"]}, outputs=LONG + "!", started_at=1_700_000_000_000_000,
                              ended_at=1_700_000_001_000_000),
                    RunRecord(id="x:b", trace="x:t", parent="x:a", kind="tool", error="E", inputs=[{"m": [LONG]}]),
                    RunRecord(id="x:alone", trace="x:u", started_at=1_700_000_000_000_000, phase=1),
                ),
                (FeedbackRecord(level=Level.RUN, target="x:b", key="loop", score=1.0, source="rule", author="loop"),),
            )
        )  # fmt: skip
    scorer = Scorer(path, "mira")
    reader = Reader(path)
    scorer.score([(Level.TRACE, reader.find("x:t")[0].pk)], "correct", score=0.0, correction={"answer": LONG + "?"})
    reader.close()
    scorer.close()  # last: who only reads cannot bring the WAL into the file, which is copied below
    return path


def checks(path: Path) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(path)}


def test_a_sound_store_has_no_finding(sound: Path):
    assert examine(sound) == []
    assert repair(sound, []) == []


DAMAGE: dict[str, str] = {
    "unnamed": "UPDATE run SET kind = NULL WHERE id = 'x:b'",
    "parent_elsewhere": "UPDATE run SET parent = (SELECT pk FROM run WHERE id = 'x:alone') WHERE id = 'x:b'",
    "parent_cycle": "UPDATE run SET parent = (SELECT pk FROM run WHERE id = 'x:b') WHERE id = 'x:a'",
    "trace_sums": "UPDATE trace SET prompt_tokens = 6 WHERE id = 'x:t'",
    "thread_sums": "UPDATE thread SET error_count = 9 WHERE id = 's'",
    "empty_trace": "INSERT INTO trace(id, thread, sort_at, received_at, touched_at, rev) "
    "SELECT 'x:none', pk, 1, 1, 1, 1 FROM thread WHERE id = 's'",
    "empty_thread": "INSERT INTO thread(id, implicit, sort_at, touched_at, rev) VALUES ('none', 1, 1, 1, 1)",
    "wrong_thread": "UPDATE trace SET thread = (SELECT thread FROM trace WHERE id = 'x:u') WHERE id = 'x:t'",
    "future_rev": "UPDATE feedback SET rev = 1000000",
    "ready_running": "UPDATE run SET ready_rev = 1 WHERE id = 'x:alone'",
    "lost_target": "UPDATE feedback SET target = 1000000 WHERE key = 'loop'",
    "feedback_elsewhere": "UPDATE feedback SET trace = (SELECT pk FROM trace WHERE id = 'x:u') WHERE key = 'loop'",
    "feedback_on_implicit": "UPDATE feedback SET level = 'thread', trace = NULL, "
    "target = (SELECT thread FROM trace WHERE id = 'x:u') WHERE key = 'loop'",
    "verdict_twice": "INSERT INTO feedback(id, level, target, trace, key, score, source, author, created_at, "
    "modified_at, rev) SELECT 'again', level, target, trace, key, 0, source, author, 1, 1, 1 FROM feedback "
    "WHERE key = 'loop'",
    "not_mentioned": "DELETE FROM mention WHERE trace = (SELECT pk FROM trace WHERE id = 'x:t')",
    "mentioned_in_vain": "UPDATE run SET outputs = NULL WHERE id = 'x:a'",
    "garbage": "INSERT INTO content(hash, codec, size, body) "
    "VALUES (x'2afb9b83f9314e5d029766197f539792', 0, 2, x'7b7d')",
    "missing_content": "DELETE FROM content WHERE pk = (SELECT max(pk) FROM content)",
    "damaged_content": "UPDATE content SET body = x'0011' WHERE pk = (SELECT max(pk) FROM content)",
    "usage_counted": "UPDATE run SET counts_usage = 0 WHERE id = 'x:a'",
    "wrong_root": "UPDATE trace SET root = (SELECT pk FROM run WHERE id = 'x:b') WHERE id = 'x:t'",
    "trace_feedback": "UPDATE trace SET feedback = NULL WHERE id = 'x:t'",
    "thread_feedback": "UPDATE thread SET feedback = '{}' WHERE id = 's'",
    "outside_key": "UPDATE feedback_key SET type = 'categorical' WHERE key = 'correct'",
    "not_adopted": "UPDATE feedback SET level = 'thread', trace = NULL, target = 999 WHERE key = 'loop'; "
    "INSERT INTO thread(pk, id, implicit, sort_at, touched_at, rev) VALUES (999, 'early', 0, 1, 1, 1)",
    "rule_version": "INSERT INTO rule(pk, name, version, digest, spec, enabled) VALUES (1, 'r', 1, '', '{}', 1); "
    "INSERT INTO rule_work(rule, lane, version, state) VALUES (1, 'live', 2, 'ready')",
    "open_edit": "INSERT INTO edit(author, at, label, state) VALUES ('mira', 1, 'correct=1', 'open')",
    "reference": "UPDATE run SET parent = 1000000 WHERE id = 'x:b'",
}
FOR_PEOPLE = {"missing_content", "damaged_content", "outside_key", "not_adopted", "rule_version", "reference"}
"""What no program can mend."""


@pytest.mark.parametrize("check", DAMAGE)
def test_each_damage_is_found_and_mended(sound: Path, tmp_path: Path, check: str):
    path = tmp_path / "s.db"
    shutil.copy(sound, path)
    conn = sqlite3.connect(path)
    conn.executescript(DAMAGE[check])
    conn.close()
    found = checks(path)
    assert check in found and found[check].count >= 1 and all(found[check].samples)
    for _ in range(3):
        repair(path, examine(path))
    left = checks(path)
    assert (check in left) == (check in FOR_PEOPLE)
    assert set(left) <= FOR_PEOPLE


def test_mending_removes_nothing_that_was_said(sound: Path, tmp_path: Path):
    path = tmp_path / "s.db"
    shutil.copy(sound, path)
    conn = sqlite3.connect(path)
    before = conn.execute("SELECT id, key, score, value FROM feedback ORDER BY id").fetchall()
    for check in ("lost_target", "feedback_on_implicit", "wrong_thread", "parent_cycle"):
        conn.executescript(DAMAGE[check])
    conn.close()
    for _ in range(3):
        repair(path, examine(path))
    assert examine(path) == []
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT id, key, score, value FROM feedback ORDER BY id").fetchall() == before
    conn.close()


def test_corrections_and_what_undo_brings_back_are_no_garbage(sound: Path, tmp_path: Path):
    path = tmp_path / "s.db"
    shutil.copy(sound, path)
    reader, scorer = Reader(path), Scorer(path, "mira")
    trace = reader.find("x:t")[0]
    scorer.score([(Level.TRACE, trace.pk)], "correct", correction={"answer": LONG + "another"})
    assert checks(path) == {}
    scorer.undo()
    assert reader.feedback(Level.TRACE, trace.pk)[0].correction == {"answer": LONG + "?"}
    reader.close()
    scorer.close()


def test_a_store_that_is_written_to_is_not_faulted(sound: Path, tmp_path: Path):
    path = tmp_path / "s.db"
    shutil.copy(sound, path)
    with Writer(path) as writer:
        writes = iter(range(1000))

        def write(_: int) -> None:
            number = next(writes)
            runs = (RunRecord(id=f"x:w{number}", trace="x:t", parent="x:a", outputs=LONG + str(number), error="E"),)
            writer.write(Batch(runs))

        assert examine(path, write) == []
        assert next(writes) > 1
    assert examine(path) == []


def test_a_file_that_is_cut_or_scrambled_is_reported(sound: Path, tmp_path: Path):
    path = tmp_path / "s.db"
    data = bytearray(sound.read_bytes())
    data[8192 * 4 : 8192 * 6] = b"\xff" * 8192 * 2
    path.write_bytes(data)
    assert "integrity" in checks(path)
    with pytest.raises(StoreError):
        examine(tmp_path / "missing.db")


def test_a_content_that_is_scrambled_takes_nothing_with_it(sound: Path, tmp_path: Path, capsys):
    path = tmp_path / "s.db"
    shutil.copy(sound, path)
    conn = sqlite3.connect(path)
    (scrambled,) = conn.execute("SELECT max(pk) FROM content WHERE codec = 1 AND pk IN (SELECT content FROM mention)")
    conn.execute("UPDATE content SET body = CAST(x'28b52ffd' || zeroblob(40) AS BLOB) WHERE pk = ?", scrambled)
    before = conn.execute("SELECT count(*) FROM content").fetchone()
    trace = conn.execute("SELECT id FROM trace WHERE pk IN (SELECT trace FROM mention WHERE content = ?)", scrambled)
    (ident,) = trace.fetchone()
    conn.commit()
    assert "damaged_content" in checks(path)
    assert not checks(path).keys() & {"mentioned_in_vain", "garbage"}
    assert cli(["doctor", str(path), "--repair"]) == 1
    assert conn.execute("SELECT count(*) FROM content").fetchone() == before
    conn.close()
    capsys.readouterr()
    for verb in (["stats", str(path)], ["show", str(path), ident, "--full"]):
        assert cli(verb) == 3
        assert "A damaged store" in capsys.readouterr().err


def test_the_verb(sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "s.db"
    shutil.copy(sound, path)
    assert cli(["doctor", str(path)]) == 0
    assert capsys.readouterr() == ("", "Nothing is wrong.\n")
    conn = sqlite3.connect(path)
    conn.executescript(DAMAGE["thread_sums"] + ";" + DAMAGE["mentioned_in_vain"])
    conn.close()
    assert cli(["doctor", str(path)]) == 1
    out = capsys.readouterr().out
    assert "x 1 threads whose sums are not those of their traces: s" in out
    assert cli(["doctor", str(path), "--repair"]) == 0
    assert "(mended)" in capsys.readouterr().out
    assert cli(["doctor", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "repaired": False, "findings": []}
    assert cli(["doctor", str(tmp_path / "missing.db")]) == 3
