"""The worker as a process: killed again and again, two at once, ended with its parent, beside a person's scores."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rule_views import call, make_store, root, rule_text

from tracetui.model.kinds import Level
from tracetui.model.records import Batch
from tracetui.store.doctor import Weight, examine
from tracetui.store.writer import Writer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]
# slow on purpose, a little: a target takes about a millisecond, so that kills land in the middle
RULES = rule_text(
    where="kind:llm", name="angry", key="angry", type="regex", text="input", pattern=r"(?:\w+\s+)*?wtf(?=(?:\s|\w)*$)"
) + rule_text("trace", name="calls", key="calls", type="threshold", measure="llm_calls", max=0, score="value")


_started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def nothing_stays():
    """A test that fails leaves no worker behind."""
    yield
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.kill()
            process.communicate()


def start(store: Path, *options: str, **given: object) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "tracetui", "worker", str(store), *options]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, **given)  # type: ignore[call-overload]
    _started.append(process)
    return process  # type: ignore[no-any-return]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so; a failure is a test that hangs, said."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


class Look:
    """What a store says, asked over and over."""

    def __init__(self, path: Path) -> None:
        self._conn = sqlite3.connect(path, timeout=10)

    def hits(self, rule: str) -> list[str]:
        rows = self._conn.execute(
            """SELECT coalesce(run.id, trace.id) FROM feedback f LEFT JOIN run ON f.level = 'run' AND run.pk = f.target
            LEFT JOIN trace ON f.level = 'trace' AND trace.pk = f.target
            WHERE author = ? AND source = 'rule' AND deleted = 0""",
            (rule,),
        )
        return sorted(row[0] for row in rows)

    def lane(self, rule: str, lane: str) -> tuple[str, int, int]:
        found = self._conn.execute(
            "SELECT state, seen, hits FROM rule JOIN rule_work w ON w.rule = rule.pk WHERE name = ? AND lane = ?",
            (rule, lane),
        ).fetchone()
        return found or ("", 0, 0)

    def done(self, *rules: str) -> bool:
        return all(self.lane(rule, "backfill")[0] == "done" for rule in rules)


def prepared(tmp_path: Path, traces: int) -> tuple[Path, list[str]]:
    store = make_store(tmp_path / "s.db", traces, calls=4)
    (tmp_path / "rules.toml").write_text(RULES)
    angry = [f"x:t{n // 4}/{n % 4 + 1}" for n in range(traces * 4) if n % 7 == 0]
    return store, sorted(angry)


def test_killed_again_and_again_two_workers_judge_everything_once(tmp_path):
    traces = 1500
    store, angry = prepared(tmp_path, traces)
    chance = random.Random(11)
    look = Look(store)
    workers: list[subprocess.Popen[str]] = []
    kills = 0
    progress = -1
    while not look.done("angry", "calls"):
        while len(workers) < 2:
            workers.append(start(store))
        seen = look.lane("angry", "backfill")[1] + look.lane("calls", "backfill")[1]
        if seen > progress and seen and kills < 20:
            progress = seen
            time.sleep(chance.random() * 0.02)  # a kill at any moment of a turn
            victim = workers.pop(chance.randrange(len(workers)))
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            kills += 1
        time.sleep(0.005)
    for worker in workers:
        worker.terminate()
        worker.communicate(timeout=20)
        assert worker.returncode == 0
    assert kills >= 5
    assert look.hits("angry") == angry
    assert look.hits("calls") == sorted(f"x:t{n}" for n in range(traces))
    assert look.lane("angry", "backfill") == ("done", traces * 4, len(angry))
    assert look.lane("calls", "backfill") == ("done", traces, traces)
    assert not [finding for finding in examine(store) if finding.weight is Weight.FAULT]


def test_targets_that_change_meanwhile_are_judged_as_they_end_up(tmp_path):
    traces = 600
    store, _ = prepared(tmp_path, traces)
    chance = random.Random(5)
    look = Look(store)
    worker = start(store)
    final: dict[str, bool] = {f"x:t{n // 4}/{n % 4 + 1}": n % 7 == 0 for n in range(traces * 4)}
    with Writer(store) as writer:
        for step in range(120):
            number, n = chance.randrange(traces), chance.randint(1, 4)
            angry = chance.random() < 0.5
            writer.write(Batch((call(f"t{number}", n, f"{'wtf' if angry else 'calm'} again {step}"),)))
            final[f"x:t{number}/{n}"] = angry
            if step % 30 == 10:
                worker.send_signal(signal.SIGKILL)
                worker.communicate()
                worker = start(store)
    wanted = sorted(name for name, angry in final.items() if angry)
    wait_for(lambda: look.done("angry", "calls") and look.hits("angry") == wanted)
    worker.terminate()
    worker.communicate(timeout=20)
    assert look.hits("angry") == wanted
    assert not [finding for finding in examine(store) if finding.weight is Weight.FAULT]


def test_what_ends_now_is_judged_while_history_still_runs(tmp_path):
    store, _ = prepared(tmp_path, 1000)
    slow = r"wtf|(?:\w|\s)*(?:\w|\s)*(?:\w|\s)*zzz"  # some ten milliseconds a text: history takes a minute
    rule = rule_text(where="kind:llm", name="angry", key="angry", type="regex", text="input", pattern=slow)
    (tmp_path / "rules.toml").write_text(rule)
    look = Look(store)
    worker = start(store)
    wait_for(lambda: look.lane("angry", "backfill")[1])
    with Writer(store) as writer:
        writer.write(Batch((root("now"), call("now", 1, "wtf now"))))
    wait_for(lambda: "x:now/1" in look.hits("angry"))
    assert look.lane("angry", "backfill")[0] == "ready", "history was still at work"
    worker.terminate()
    worker.communicate(timeout=20)


PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "tracetui", "worker", sys.argv[1], "--parent-fd", "0"],
                         stdin=subprocess.PIPE)
print(child.pid, flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look at a process that is no child")
def test_a_worker_ends_with_its_parent_even_when_that_is_killed(tmp_path):
    store, _ = prepared(tmp_path, 300)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(store)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    look = Look(store)
    wait_for(lambda: look.lane("angry", "backfill")[1])
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    wait_for(lambda: gone(pid), 10)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)])
def test_signals_end_it_cleanly(tmp_path, number, code):
    store, _ = prepared(tmp_path, 300)
    look = Look(store)
    worker = start(store)
    wait_for(lambda: look.lane("angry", "backfill")[1])
    worker.send_signal(number)
    _, words = worker.communicate(timeout=20)
    assert worker.returncode == code
    assert "Traceback" not in words
    owners = sqlite3.connect(store).execute("SELECT count(*) FROM rule_work WHERE owner IS NOT NULL").fetchone()
    assert owners == (0,), "lanes are given back"


def test_a_changed_rules_file_is_followed_and_a_broken_one_changes_nothing(tmp_path):
    store, angry = prepared(tmp_path, 30)
    file = tmp_path / "rules.toml"
    look = Look(store)
    worker = start(store)
    wait_for(lambda: look.done("angry", "calls"))
    file.write_text(RULES + "[[rule]]\nname = 'half\n")
    conn = sqlite3.connect(store)
    wait_for(lambda: conn.execute("SELECT value FROM meta WHERE key = 'rules_trouble'").fetchone())
    [(trouble,)] = conn.execute("SELECT value FROM meta WHERE key = 'rules_trouble'").fetchall()
    assert "rules.toml, line" in trouble
    assert look.hits("angry") == angry
    file.write_text(RULES.replace("'angry'", "'cross'"))
    wait_for(lambda: look.lane("cross", "backfill")[0] == "done")
    assert look.hits("cross") == angry
    assert conn.execute("SELECT count(*) FROM meta WHERE key = 'rules_trouble'").fetchone() == (0,)
    assert conn.execute("SELECT enabled FROM rule WHERE name = 'angry'").fetchone() == (0,)
    worker.terminate()
    _, words = worker.communicate(timeout=20)
    assert "line" in words


def test_every_score_beside_a_busy_worker_is_written(tmp_path):
    from tracetui.store.people import Scorer

    store, _ = prepared(tmp_path, 1500)
    look = Look(store)
    worker = start(store)
    wait_for(lambda: look.lane("calls", "backfill")[1])
    scorer = Scorer(store, "mira")
    target = sqlite3.connect(store).execute("SELECT pk FROM trace ORDER BY pk LIMIT 1").fetchone()[0]
    for n in range(50):
        scorer.score([(Level.TRACE, target)], "correct", score=float(n % 2))
    scorer.close()
    wait_for(lambda: look.done("angry", "calls"))
    worker.terminate()
    worker.communicate(timeout=20)
    assert worker.returncode == 0
    conn = sqlite3.connect(store)
    assert conn.execute("SELECT count(*) FROM edit WHERE author = 'mira'").fetchone() == (50,)
    assert conn.execute("SELECT score FROM feedback WHERE author = 'mira'").fetchall() == [(1.0,)]
    assert not [finding for finding in examine(store) if finding.weight is Weight.FAULT]


def test_evaluate_in_the_foreground_can_be_killed_and_goes_on(tmp_path):
    traces = 1500
    store, angry = prepared(tmp_path, traces)
    look = Look(store)
    line = [sys.executable, "-m", "tracetui", "evaluate", str(store), "--json"]
    first = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: look.lane("angry", "backfill")[1])
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert 0 < look.lane("angry", "backfill")[1] < traces * 4
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert look.hits("angry") == angry
    assert look.lane("angry", "backfill") == ("done", traces * 4, len(angry))
