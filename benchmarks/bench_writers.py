"""A person's score beside a running import: `python benchmarks/bench_writers.py [STORE SIZE IN TRACES]`.

The same score is written 300 times alone and 300 times while another process imports as fast as it can; prints both
and their ratio (goal: p95 beside an import <= 50 ms), and how large the WAL became, once with a reader that pauses.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tracetui.model.kinds import Level
from tracetui.store.people import Scorer
from tracetui.store.reading import Reader

SCORES = 300
HERE = Path(__file__).parent


def scores(scorer: Scorer) -> list[float]:
    """Milliseconds of each of `SCORES` scores, 5 ms apart."""
    out = []
    for number in range(SCORES):
        begin = time.perf_counter()
        scorer.score([(Level.TRACE, 1 + number % 50)], "stars", score=number % 5 + 1)
        out.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.005)
    return out


def show(name: str, waits: list[float]) -> float:
    """Print one line; returns the p95."""
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(f"{name:28} median {statistics.median(waits):6.2f} ms   p95 {p95:6.2f} ms   max {max(waits):6.2f} ms")
    return p95


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "s.db"
        subprocess.run([sys.executable, HERE / "seed.py", store, "--threads", "50", "--big", "0"], check=True)
        scorer, reader = Scorer(store, "me"), Reader(store)
        alone = show("alone", scores(scorer))
        fill = [sys.executable, HERE / "seed.py", store, "--threads", "4000", "--big", "0"]
        with subprocess.Popen(fill, stderr=subprocess.DEVNULL) as child:
            time.sleep(1)
            beside = show("beside an import", scores(scorer))
            largest = 0
            pks = list(reader.keys(Level.THREAD, limit=100).pks)
            for _ in range(20):
                reader.rows(Level.THREAD, pks)
                time.sleep(0.1)  # a reader that pauses keeps no cursor open meanwhile
                largest = max(largest, Path(f"{store}-wal").stat().st_size)
            child.kill()
        print(f"ratio of the p95: {beside / alone:.1f}; largest WAL {largest / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
