"""Rules over a store: history and news, versions, failures, claims."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rule_views import call, make_store, root, rule_text

from tracetui.evaluate import engine as engine_module
from tracetui.evaluate import following
from tracetui.evaluate.engine import Engine
from tracetui.evaluate.foreground import evaluate, read_condition
from tracetui.evaluate.rules import parse_rules
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord
from tracetui.model.times import now_us
from tracetui.store import claims
from tracetui.store import rules as stored
from tracetui.store.db import connect_write
from tracetui.store.doctor import Weight, examine
from tracetui.store.reading import Reader
from tracetui.store.targets import Target
from tracetui.store.verdicts import KeyForm, LeaseLostError, Passed, Said, Verdict, VerdictWriter
from tracetui.store.writer import Writer

ANGRY = rule_text(where="kind:llm", type="regex", text="input", pattern="wtf")


def follow(path: Path, text: str) -> stored.SyncReport:
    conn = connect_write(path)
    try:
        return following.sync(conn, parse_rules(text))
    finally:
        conn.close()


def work(path: Path, **options: Any) -> None:
    engine = Engine(path, **options)
    try:
        while engine.turn():
            pass
    finally:
        engine.close()


def said(path: Path) -> dict[str, tuple[Any, ...]]:
    """Live feedback of rules by id of its target."""
    conn = connect_write(path)
    try:
        rows = conn.execute(
            """SELECT coalesce(r.id, t.id, h.id), f.key, f.score, f.value, f.version FROM feedback f
            LEFT JOIN run r ON f.level = 'run' AND r.pk = f.target LEFT JOIN trace t ON f.level = 'trace'
            AND t.pk = f.target LEFT JOIN thread h ON f.level = 'thread' AND h.pk = f.target
            WHERE f.source = 'rule' AND f.deleted = 0 ORDER BY 1"""
        ).fetchall()
    finally:
        conn.close()
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def lane(path: Path, name: str) -> stored.Lane:
    conn = connect_write(path)
    try:
        return next(one for one in stored.lanes(conn).values() if one.lane == name)
    finally:
        conn.close()


def expected(traces: int, calls: int = 3, angry: int = 7) -> set[str]:
    return {f"x:t{n // calls}/{n % calls + 1}" for n in range(traces * calls) if n % angry == 0}


def clean(path: Path) -> None:
    assert not [finding for finding in examine(path) if finding.weight is Weight.FAULT]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return make_store(tmp_path / "s.db", 40)


def test_a_new_rule_judges_what_is_there_and_then_what_comes(store):
    follow(store, ANGRY)
    work(store)
    assert set(said(store)) == expected(40)
    assert lane(store, "backfill").state == "done"
    assert lane(store, "backfill").seen == 120
    with Writer(store) as writer:
        writer.write(Batch((root("new"), call("new", 1, "wtf now"), call("new", 2, "fine"))))
    work(store)
    assert set(said(store)) == expected(40) | {"x:new/1"}
    assert lane(store, "live").seen == 2
    clean(store)


def test_a_run_is_judged_when_it_ends_and_again_when_its_data_changes(store):
    follow(store, ANGRY)
    work(store)
    before = said(store)
    with Writer(store) as writer:
        writer.write(Batch((root("new", ended=False), call("new", 1, "wtf", ended=False))))
        work(store)
        assert said(store) == before
        writer.write(Batch((call("new", 1, "wtf"),)))
        work(store)
        assert "x:new/1" in said(store)
        writer.write(Batch((call("new", 1, "all is well"),)))
        work(store)
    assert said(store) == before
    clean(store)


def test_rules_do_not_wake_themselves_nor_does_feedback(store):
    follow(store, ANGRY + rule_text("trace", name="t", key="k2", type="regex", text="input", pattern="wtf"))
    work(store)
    seen = lane(store, "live").seen
    with Writer(store) as writer:
        writer.write(Batch((), (FeedbackRecord(level=Level.RUN, target="x:t0/1", key="correct", score=1.0),)))
    engine = Engine(store)
    assert not engine.turn()
    engine.close()
    assert lane(store, "live").seen == seen


def test_a_new_version_takes_over_verdict_by_verdict(store):
    follow(store, ANGRY)
    work(store)
    follow(store, ANGRY.replace("'''wtf'''", "'''wtf \\d*[02468] '''"))
    reader = Reader(store)
    [row] = [row for row in reader.find("x:t0/1") if row.level is Level.RUN]
    assert [one.superseded for one in reader.feedback(Level.RUN, row.pk)] == [True]
    work(store)
    even = {name for name in expected(40) if int(name[3:].split("/")[0]) % 2 == 0}
    assert set(said(store)) == even
    assert {row[3] for row in said(store).values()} == {2}
    assert [one.superseded for one in reader.feedback(Level.RUN, row.pk)] == [False]
    reader.close()
    clean(store)


@pytest.mark.parametrize(
    "other",
    [
        ANGRY.replace("kind:llm", "kind:tool"),
        rule_text("trace", type="regex", text="input", pattern="wtf"),
        ANGRY.replace("'k'", "'other'"),
        ANGRY.replace("on =", "sample = 0.3\non ="),
    ],
)
def test_what_an_older_version_said_goes_when_the_new_one_does_not_say_it(store, other):
    follow(store, ANGRY)
    work(store)
    follow(store, other)
    work(store)
    assert {row[3] for row in said(store).values()} <= {2}
    clean(store)


def test_without_history_a_version_judges_only_what_comes(store):
    follow(store, ANGRY.replace("on =", "history = false\non ="))
    work(store)
    assert said(store) == {}
    with Writer(store) as writer:
        writer.write(Batch((root("new"), call("new", 1, "wtf"))))
    work(store)
    assert set(said(store)) == {"x:new/1"}
    evaluate(store, names=["rule"])
    assert set(said(store)) == expected(40) | {"x:new/1"}


def test_off_removed_and_back(store):
    report = follow(store, ANGRY.replace("on =", "enabled = false\non ="))
    assert report.added == ("rule",)
    work(store)
    assert said(store) == {}
    conn = connect_write(store)
    assert stored.set_enabled(conn, "rule", True)
    assert not stored.set_enabled(conn, "rule", True)
    conn.close()
    work(store)
    assert set(said(store)) == expected(40)
    assert follow(store, "").removed == ("rule",)
    with Writer(store) as writer:
        writer.write(Batch((root("new"), call("new", 1, "wtf"))))
    work(store)
    assert set(said(store)) == expected(40), "feedback of a removed rule stays"
    assert follow(store, ANGRY).back == ("rule",)
    work(store)
    assert set(said(store)) == expected(40) | {"x:new/1"}, "what came meanwhile is judged"
    assert not follow(store, ANGRY)
    assert next(iter(said(store).values()))[3] == 1


def test_every_verdict_is_recorded_where_that_is_asked(store):
    follow(store, ANGRY.replace("on =", "record = 'all'\non ="))
    work(store)
    rows = said(store)
    assert len(rows) == 120
    assert {name for name, row in rows.items() if row[1] == 1} == expected(40)
    assert lane(store, "backfill").hits == len(expected(40))
    clean(store)


def test_scores_and_labels(store):
    text = ANGRY + "score = 'count'\nvalue = 'angry'\n"
    follow(store, text.replace("'''wtf'''", "'''w'''"))
    work(store)
    assert said(store)["x:t0/1"][:3] == ("k", 41.0, "angry")
    follow(store, ANGRY + "value = 'angry'\n")
    work(store)
    assert said(store)["x:t0/1"][:3] == ("k", None, "angry")


def test_the_sample_is_by_the_id(tmp_path):
    found = []
    for name in ("a.db", "b.db"):
        path = make_store(tmp_path / name, 40 if name == "a.db" else 60, angry=1)
        follow(path, ANGRY.replace("on =", "sample = 0.5\non ="))
        work(path)
        found.append(set(said(path)))
    assert found[0] < found[1]
    assert 40 < len(found[0]) < 80


def test_on_a_thread_without_a_session_it_speaks_of_the_trace(tmp_path):
    path = make_store(tmp_path / "s.db", 4, angry=1)
    with Writer(path) as writer:
        writer.write(Batch((root("own", session="chat"), call("own", 1, "wtf", session="chat"))))
    follow(path, rule_text("thread", type="regex", text="input", pattern="wtf"))
    evaluate(path)
    assert set(said(path)) == {"x:t0", "x:t1", "x:t2", "x:t3", "chat"}
    result = evaluate(path, conditions=[read_condition("k>=1")])
    assert (result.outcomes[0].judged, result.outcomes[0].hits) == (5, 5)
    assert result.failed
    clean(path)


def test_runs_that_need_their_trace_wait_for_it(tmp_path):
    path = make_store(tmp_path / "s.db", 1)
    follow(path, rule_text("run", type="sequence", order="llm then llm within 1"))
    with Writer(path) as writer:
        writer.write(Batch((root("new", ended=False), call("new", 1, "a"), call("new", 2, "b"))))
        work(path)
        assert set(said(path)) == {"x:t0/2", "x:t0/3"}
        writer.write(Batch((root("new"),)))
        work(path)
    assert set(said(path)) == {"x:t0/2", "x:t0/3", "x:new/2"}
    clean(path)


SLOW = ANGRY.replace("'''wtf'''", "'''(?:w |w w )+[^w ]'''") + "timeout = 0.001\n"


def test_a_rule_that_fails_on_most_stops_itself_and_says_why(store):
    told: list[tuple[str, str, str]] = []
    follow(store, SLOW + ANGRY.replace("'rule'", "'good'").replace("'k'", "'g'"))
    work(store, tell=told.append)
    assert ("stopped", "rule") in [event[:2] for event in told]
    assert {row[0] for row in said(store).values()} == {"g"}, "the others go on"
    conn = connect_write(store)
    shown = {one.name: one for one in stored.progress(conn) if one.lane == "backfill"}
    assert shown["rule"].state == "stopped"
    assert "time limit" in (shown["rule"].reason or "")
    assert conn.execute("SELECT count(*) FROM rule_failure").fetchone()[0] >= 10
    assert stored.set_enabled(conn, "rule", True)
    assert {one.state for one in stored.lanes(conn).values() if one.lane == "live"} == {"ready"}
    conn.close()
    follow(store, ANGRY + ANGRY.replace("'rule'", "'good'").replace("'k'", "'g'"))
    work(store)
    conn = connect_write(store)
    assert conn.execute("SELECT count(*) FROM rule_failure").fetchone()[0] == 0
    conn.close()


def test_a_failure_on_one_target_is_noted_and_goes_with_its_cause(tmp_path):
    path = make_store(tmp_path / "s.db", 20, angry=1)
    with Writer(path) as writer:
        writer.write(Batch((root("bad"), call("bad", 1, "a" * 5000 + "!"))))
    follow(path, rule_text(where="kind:llm", type="regex", text="input", pattern="(a|aa)+$", timeout=0.02))
    work(path)
    conn = connect_write(path)
    [(target, message)] = conn.execute("SELECT target, message FROM rule_failure").fetchall()
    assert conn.execute("SELECT id FROM run WHERE pk = ?", (target,)).fetchone()[0] == "x:bad/1"
    assert "time limit" in message
    with Writer(path) as writer:
        writer.write(Batch((call("bad", 1, "short"),)))
    work(path)
    assert conn.execute("SELECT count(*) FROM rule_failure").fetchone()[0] == 0
    conn.close()


def test_whoever_lost_a_lane_writes_nothing(store):
    follow(store, ANGRY)
    conn = connect_write(store)
    rule = stored.stored_rules(conn)["rule"]
    [(_, free)] = claims.pending(conn, now_us())[0]
    [mine] = claims.claim(conn, "host/1/1", [free], now_us())
    assert claims.claim(conn, "host/2/1", [free], now_us()) == [], "it was seen before the other claimed it"
    [other] = claims.claim(conn, "host/2/1", [mine], now_us())
    pk, ready = conn.execute("SELECT pk, ready_rev FROM run WHERE id = 'x:t0/1'").fetchone()
    passed = [Passed(pk, ready, 1, (Said(Target(Level.RUN, pk, "x:t0/1", 1), Verdict(1.0, None, None, None)),))]
    with pytest.raises(LeaseLostError):
        VerdictWriter(conn).commit(rule, mine, Level.RUN, KeyForm("k", True, True), passed, now_us())
    assert said(store) == {}
    VerdictWriter(conn).commit(rule, other, Level.RUN, KeyForm("k", True, True), passed, now_us())
    assert set(said(store)) == {"x:t0/1"}
    conn.close()


def test_what_changed_while_it_was_judged_is_left_for_the_next_time(store):
    follow(store, ANGRY)
    conn = connect_write(store)
    rule = stored.stored_rules(conn)["rule"]
    [(_, free)] = claims.pending(conn, now_us())[0]
    [mine] = claims.claim(conn, claims.own_name(), [free], now_us())
    pk, ready = conn.execute("SELECT pk, ready_rev FROM run WHERE id = 'x:t0/1'").fetchone()
    with Writer(store) as writer:
        writer.write(Batch((call("t0", 1, "peace"),)))
    passed = [Passed(pk, ready, 1, (Said(Target(Level.RUN, pk, "x:t0/1", 1), Verdict(1.0, None, None, None)),))]
    VerdictWriter(conn).commit(rule, mine, Level.RUN, KeyForm("k", True, True), passed, now_us())
    assert said(store) == {}
    claims.release(conn, [mine])
    conn.close()
    work(store)
    assert set(said(store)) == expected(40) - {"x:t0/1"}


def test_a_dead_worker_is_seen_and_its_lanes_are_free(store):
    follow(store, ANGRY)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = claims.own_name(child.pid)
    conn = connect_write(store)
    [(_, free)] = claims.pending(conn, now_us())[0]
    claims.claim(conn, name, [free], now_us())
    assert claims.pending(conn, now_us())[0] == []
    child.kill()
    child.wait()
    assert len(claims.pending(conn, now_us())[0]) == 1
    assert not claims.is_dead("elsewhere/boot.1/1/1"), "of other machines only the lease tells"
    conn.close()


def test_two_workers_share_the_rules(store, monkeypatch):
    rules = [ANGRY.replace("'rule'", f"'r{n}'").replace("'k'", f"'k{n}'") for n in range(4)]
    follow(store, "".join(rules))
    monkeypatch.setattr(engine_module, "_PAGE", 10)
    monkeypatch.setattr(engine_module, "_FIRST_PAGE", 10)
    monkeypatch.setattr(engine_module, "TURN_S", 0.0)
    one, two = Engine(store), Engine(store)
    two.owner = "elsewhere/boot.1/1/1"
    assert one.turn()
    assert not two.turn(), "all lanes are taken"
    two._blocked_since = -10.0
    assert two.turn()
    conn = connect_write(store)
    owners = [one_lane.owner for one_lane in stored.lanes(conn).values() if one_lane.lane == "backfill"]
    conn.close()
    assert sorted(map(owners.count, set(owners))) == [2, 2]
    busy = True
    while busy:
        busy = one.turn() | two.turn()
    one.close()
    two.close()
    assert {row[0] for row in said_keys(store)} == {"k0", "k1", "k2", "k3"}
    assert len(said_keys(store)) == 4 * len(expected(40))


def said_keys(path: Path) -> list[tuple[str, int]]:
    conn = connect_write(path)
    try:
        return conn.execute("SELECT key, target FROM feedback WHERE source = 'rule' AND deleted = 0").fetchall()
    finally:
        conn.close()


def test_evaluate_over_a_part_and_its_conditions(store):
    follow(store, ANGRY.replace("on =", "history = false\non ="))
    asked = [read_condition("k > 0.1"), read_condition("k<=0.1")]
    result = evaluate(store, where="trace:t0", conditions=asked)
    assert set(said(store)) == {"x:t0/1"}
    [outcome] = result.outcomes
    assert (outcome.judged, outcome.hits) == (3, 1)
    assert [condition.holds(value) for condition, value in result.conditions] == [True, False]
    whole = evaluate(store, conditions=asked)
    assert (whole.outcomes[0].judged, whole.outcomes[0].hits) == (120, 18)
    seen = lane(store, "backfill").seen
    evaluate(store)
    assert lane(store, "backfill").seen == seen, "what this version has judged is not judged again"
    with pytest.raises(InputError, match="no rule writes kk"):
        evaluate(store, conditions=[read_condition("kk>0")])
    with pytest.raises(InputError):
        read_condition("k=1")
    with pytest.raises(InputError, match="no rule ruel"):
        evaluate(store, names=["ruel"])


def test_a_condition_on_nothing_does_not_hold(tmp_path):
    path = make_store(tmp_path / "s.db", 1)
    follow(path, ANGRY.replace("kind:llm", "kind:embedding"))
    result = evaluate(path, conditions=[read_condition("k<1")])
    assert result.conditions[0][1] is None
    assert not result.failed
