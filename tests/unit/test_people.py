"""People's scores: typed by their key, undone and redone across restarts, one step however many rows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tracetui.model.errors import InputError
from tracetui.model.kinds import KeyType, Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.model.rows import Category, FeedbackKey
from tracetui.store.keys import parse_score
from tracetui.store.people import Scorer
from tracetui.store.writer import Writer

RUNS = 100


@pytest.fixture
def path(tmp_path) -> Path:
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        runs = tuple(RunRecord(id=f"t:{index}", name="run", session=f"s{index % 7}") for index in range(RUNS))
        writer.write(Batch(runs))
    return store


def live(path: Path) -> dict[tuple[str, int, str, str], tuple[float | None, str | None, str | None]]:
    conn = sqlite3.connect(path)
    rows = conn.execute(
        "SELECT level, target, key, author, score, value, comment FROM feedback WHERE deleted = 0"
    ).fetchall()
    conn.close()
    return {row[:4]: row[4:] for row in rows}


def scorer(path: Path, author: str = "mira") -> Scorer:
    return Scorer(path, author)


def traces(path: Path) -> list[tuple[Level, int]]:
    conn = sqlite3.connect(path)
    rows = conn.execute("SELECT pk FROM trace ORDER BY pk").fetchall()
    conn.close()
    return [(Level.TRACE, row[0]) for row in rows]


def test_one_opinion_per_author_and_key(path):
    me, other = scorer(path), scorer(path, "tom")
    target = traces(path)[0]
    me.score([target], "correct", score=1, boolean=True)
    me.score([target], "correct", score=0)
    me.score([target], "correct", comment="because")
    other.score([target], "correct", score=1)
    assert live(path) == {
        ("trace", target[1], "correct", "mira"): (0.0, None, "because"),
        ("trace", target[1], "correct", "tom"): (1.0, None, None),
    }
    cells = sqlite3.connect(path).execute("SELECT feedback FROM trace WHERE pk = ?", (target[1],)).fetchone()[0]
    assert cells == '{"correct":[2,0.5,0.0,1.0,{},"H",0]}'


def test_undo_and_redo_survive_a_restart(path):
    targets = traces(path)
    me = scorer(path)
    me.score(targets[:1], "correct", score=1, boolean=True)
    me.score(targets, "cause", value="harness", label="all")
    before = live(path)
    me.close()
    me = scorer(path)
    undone = me.undo()
    assert undone is not None and (undone.label, undone.changed, undone.left) == ("all", RUNS, 0)
    assert len(live(path)) == 1
    me.close()
    me = scorer(path)
    redone = me.redo()
    assert redone is not None and redone.changed == RUNS
    assert live(path) == before
    assert me.redo() is None


def test_a_new_step_ends_redo(path):
    me = scorer(path)
    targets = traces(path)
    me.score(targets[:1], "a", score=1)
    me.undo()
    me.score(targets[:1], "b", score=1)
    assert me.redo() is None
    assert me.undo().label == "b=1"
    assert me.undo() is None, "an undone step does not come back by undo"


def test_what_others_changed_since_is_left(path):
    me = scorer(path)
    targets = traces(path)
    step = me.score(targets[:3], "a", score=1)
    conn = sqlite3.connect(path)
    conn.execute("UPDATE feedback SET score = 5 WHERE target = ?", (targets[1][1],))
    conn.commit()
    conn.close()
    undone = me.undo()
    assert (step.changed, undone.changed, undone.left) == (3, 2, 1)
    assert [row[0] for row in live(path).values()] == [5.0]


def test_take_back_and_its_undo(path):
    me = scorer(path)
    target = traces(path)[:1]
    me.score(target, "a", score=1, comment="x")
    assert me.take_back(target, "a").changed == 1
    assert me.take_back(target, "a").changed == 0
    assert live(path) == {}
    me.undo()
    assert [*live(path).values()] == [(1.0, None, "x")]


def test_scoring_again_after_undo_or_take_back(path):
    me = scorer(path)
    target = traces(path)[:1]
    for again in (me.undo, lambda: me.take_back(target, "correct")):
        me.score(target, "correct", score=1, boolean=True, comment="first")
        again()
        me.score(target, "correct", score=0)
        assert [*live(path).values()] == [(0.0, None, None)], "the comment went with what was taken back"
        me.undo()
        assert live(path) == {}
    me.redo()
    assert [*live(path).values()] == [(0.0, None, None)]


def test_a_cancelled_bulk_is_one_step_that_can_be_undone(path):
    me = scorer(path)
    seen: list[int] = []
    result = me.score(
        traces(path), "a", score=1, progress=lambda done, total: seen.append(done), cancelled=lambda: len(seen) >= 1
    )
    assert 0 < result.changed < RUNS
    assert len(live(path)) == result.changed
    assert me.undo().changed == result.changed
    assert live(path) == {}


def test_a_wrong_value_is_refused_and_writes_nothing(path):
    me = scorer(path)
    me.define(FeedbackKey(key="stars", type=KeyType.RATING, min=1, max=5))
    with pytest.raises(InputError, match="does not allow 7") as error:
        me.score(traces(path)[:1], "stars", score=7)
    assert "from 1 to 5" in error.value.hint
    assert live(path) == {}
    assert me.undo() is None


def test_feedback_on_an_implicit_thread_goes_to_its_trace(tmp_path):
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        writer.write(Batch((RunRecord(id="t:1", name="x"),)))
    me = scorer(store)
    me.score([(Level.THREAD, 1)], "ok", score=1)
    assert [key[0] for key in live(store)] == ["trace"]


def test_a_deleted_score_does_not_come_back_by_import(path):
    said = FeedbackRecord(level=Level.TRACE, target="t:0", key="a", score=1, source="human", author="mira")
    me = scorer(path)
    me.score(traces(path)[:1], "a", score=1)
    me.take_back(traces(path)[:1], "a")
    with Writer(path) as writer:
        writer.write(Batch(feedback=(said,)))
    assert live(path) == {}


RATING = FeedbackKey(key="k", type=KeyType.RATING, min=1, max=5)
BOOLEAN = FeedbackKey(key="k", type=KeyType.BOOLEAN, min=0, max=1)
CONTINUOUS = FeedbackKey(key="k", type=KeyType.CONTINUOUS, min=0)
CAUSE = FeedbackKey(key="k", type=KeyType.CATEGORICAL, categories=(Category("model", 0.0), Category("harness")))
FREE = FeedbackKey(key="k", type=KeyType.FREEFORM)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        (None, "0.5", (0.5, None)), (None, "true", (1.0, None)), (None, "good", (None, "good")),
        (RATING, "3", (3.0, None)), (BOOLEAN, "no", (0.0, None)), (BOOLEAN, "1", (1.0, None)),
        (CONTINUOUS, "1e3", (1000.0, None)), (CAUSE, "model", (0.0, "model")), (CAUSE, "harness", (None, "harness")),
        (FREE, "3", (None, "3")),
    ],
)  # fmt: skip
def test_scores_are_read_by_their_key(key, text, expected):
    assert parse_score(key, text) == expected


@pytest.mark.parametrize(
    ("key", "text", "hint"),
    [
        (RATING, "2.5", "whole numbers from 1 to 5"), (RATING, "6", "from 1 to 5"), (BOOLEAN, "2", "true, false"),
        (CONTINUOUS, "-1", "from 0 up"), (CONTINUOUS, "much", "from 0 up"), (CAUSE, "wether", "model, harness"),
        (None, "  ", "A number"), (CONTINUOUS, "nan", "from 0"),
    ],
)  # fmt: skip
def test_wrong_scores_name_what_is_allowed(key, text, hint):
    with pytest.raises(InputError) as error:
        parse_score(key, text)
    assert hint in error.value.hint
