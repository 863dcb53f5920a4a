"""Several processes on one store: nobody waits long, nobody sees a lock, a kill loses nothing that was committed."""

from __future__ import annotations

import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracetui.model.kinds import Level
from tracetui.model.records import Batch, RunRecord
from tracetui.store.doctor import examine
from tracetui.store.people import Scorer
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

WRITE_FOREVER = """
import sys, itertools
from tracetui.model.records import Batch, RunRecord
from tracetui.store.writer import Writer
path, name = sys.argv[1:]
writer = Writer(path, create=True)
for trace in itertools.count():
    root = f"{name}:{trace}"
    history = [{"role": "user", "content": f"{index} of {trace} " + "text " * 80} for index in range(20)]
    runs = [RunRecord(id=root, trace=root, kind="agent", name="a", session=f"s{trace % 50}")]
    runs += [
        RunRecord(id=f"{root}/{i}", trace=root, parent=root, kind="llm", name="m", position=i, prompt_tokens=i,
                  inputs={"messages": history[:i]}, outputs=f"{trace} {i} " + "answer " * 60)
        for i in range(1, 20)
    ]
    writer.write(Batch(tuple(runs)))
    print(trace, flush=True)
"""


def start(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(path), name], stdout=subprocess.PIPE, text=True, bufsize=1
    )


def first(path: Path) -> None:
    with Writer(path, create=True) as writer:
        writer.write(Batch((RunRecord(id="t:1", name="x", session="s"),)))


@pytest.mark.slow
@pytest.mark.xdist_group("processes")
def test_fifty_kills_lose_nothing_that_was_committed(tmp_path):
    path = tmp_path / "s.db"
    chance = random.Random(7)
    acknowledged: set[str] = set()
    for attempt in range(50):
        child = start(path, f"k{attempt}")
        assert child.stdout is not None
        last = child.stdout.readline()
        for _ in range(chance.randrange(8)):
            last = child.stdout.readline()
        time.sleep(chance.random() * 0.02)  # a kill at any moment of a write, not only right after one
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.wait()
        newest = int((rest.split() or [last])[-1])
        acknowledged |= {f"k{attempt}:{trace}" for trace in range(newest + 1)}
    conn = sqlite3.connect(path)
    stored = {row[0]: row[1] for row in conn.execute("SELECT id, run_count FROM trace")}
    conn.close()
    assert {trace: stored.get(trace) for trace in acknowledged} == dict.fromkeys(acknowledged, 20)
    assert [finding for finding in examine(path) if finding.serious] == []


@pytest.mark.slow
@pytest.mark.xdist_group("processes")
def test_scores_beside_two_imports_and_a_reader(tmp_path):
    path = tmp_path / "s.db"
    first(path)
    children = [start(path, name) for name in ("a", "b")]
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        scorer, reader = Scorer(path, "me"), Reader(path)
        waits = []
        for number in range(150):
            begin = time.perf_counter()
            scorer.score([(Level.TRACE, 1)], "stars", score=number % 5)
            waits.append(time.perf_counter() - begin)
            reader.rows(Level.THREAD, list(reader.keys(Level.THREAD, limit=50).pks))
        assert all(child.poll() is None for child in children), "no writer gave up on a lock"
    finally:
        for child in children:
            child.kill()
            child.wait()
    # no bound on the time: that is the benchmark's; here every score was written, none saw a lock
    assert len(waits) == 150
    assert statistics.median(waits) > 0
    assert [finding for finding in examine(path) if finding.serious] == []
