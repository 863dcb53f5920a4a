"""Import rate and store size: `python benchmarks/bench_import.py [ROUNDS]`.

The bare baseline reads the same archive (mini-swe-agent part A, 231 trajectories), parses it with orjson and writes one
row a model call with its inputs and outputs as JSON text by `executemany`, one transaction a trajectory. Both run in
processes of their own, in turn; medians of the ratios are printed. Goals: rate >= 0.8 of it, size <= 1/20.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import orjson

SHARED = Path(__file__).resolve().parents[2] / "shared"
ARCHIVE = SHARED / "data/mini-swe-agent/gemini-3-pro_swebench-verified_part-A.tar.xz"
CALLS = 9302


def bare(path: Path) -> None:
    """The baseline: raw JSON, inline."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute("CREATE TABLE run(id TEXT PRIMARY KEY, inputs TEXT, outputs TEXT)")
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if not member.name.endswith(".traj.json"):
                continue
            file = archive.extractfile(member)
            assert file is not None
            document = orjson.loads(file.read())
            plain = [{"role": m["role"], "content": m["content"]} for m in document["messages"]]
            rows = (
                (f"{document['instance_id']}/{at}", orjson.dumps({"messages": plain[:at]}).decode(),
                 orjson.dumps(message).decode())
                for at, message in enumerate(document["messages"]) if message["role"] == "assistant"
            )  # fmt: skip
            conn.execute("BEGIN")
            conn.executemany("INSERT INTO run VALUES (?, ?, ?)", rows)
            conn.execute("COMMIT")
    conn.close()


def timed(command: list[str | Path]) -> float:
    """Seconds of a process."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main(rounds: int) -> None:
    """Run both in turn."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            base, ours = Path(folder) / f"base{turn}.db", Path(folder) / f"ours{turn}.db"
            seconds = timed([sys.executable, __file__, "--bare", base])
            own = timed([sys.executable, "-m", "tracetui", "import", ours, ARCHIVE])
            ratios.append(seconds / own)
            size, own_size = base.stat().st_size, ours.stat().st_size
            print(
                f"bare {CALLS / seconds:7,.0f} calls/s {size / 1e6:6.1f} MB   tracetui {CALLS / own:7,.0f} calls/s "
                f"{own_size / 1e6:5.1f} MB   rate {seconds / own:.2f} of bare, size 1/{size / own_size:.1f}"
            )
            base.unlink()
            ours.unlink()
    print(f"median rate: {statistics.median(ratios):.2f} of bare")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--bare"]:
        bare(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
