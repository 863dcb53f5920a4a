"""The explorer at a million runs, as a person at a terminal meets it.

`python benchmarks/bench_explorer.py STORE [ROUNDS]`; STORE is made by `seed.py`. Each figure is a median over rounds;
the start is a ratio to a bare Textual hello world that is measured in turn with it. Uses the pty bench of the shared
tools. Goals: spawn to first page <= 1.5 x the hello world, <= 100 MB, a key <= 10 ms (median), expanding a thread
<= 50 ms, a trace of 50,000 runs <= 200 ms to its first rows, the detail of a call of 300 messages <= 100 ms.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parents[2] / "shared/tools/ptybench.py"
HELLO = """
from textual.app import App
from textual.widgets import Static
class Hello(App):
    BINDINGS = [("q", "quit", "q")]
    def compose(self):
        yield Static("READY-MARK")
Hello().run()
"""


def measure(expect: str, keys: str, command: list[str]) -> dict[str, Any]:
    """One run of the pty bench."""
    with tempfile.TemporaryDirectory() as folder:  # also for what an explorer remembers of its last time
        file = Path(folder) / "found.json"
        line = [sys.executable, str(BENCH), "--expect", expect, "--quit", "q", "--json", str(file)]
        if keys:
            line += ["--keys", keys]
        # an installed program finds its compiled modules; some machines forbid writing them
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["XDG_STATE_HOME"] = folder
        subprocess.run([*line, "--", *command], check=True, stdout=subprocess.DEVNULL, env=env)
        found: dict[str, Any] = json.loads(file.read_text())
        return found


def step(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One step of a run."""
    return next(each for each in found["steps"] if each["step"] == name)


def main(store: str, rounds: int) -> None:
    """Measure and print."""
    explorer = [sys.executable, "-m", "tracetui", store]
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        starts, ratios = [], []
        for _ in range(rounds):
            bare = measure("READY-MARK", "", [sys.executable, str(hello)])["expect"][0]["seconds"]
            ours = measure(r"thread-\d", "", explorer)["expect"][0]["seconds"]
            starts.append(ours)
            ratios.append(ours / bare)
    print(f"spawn to first page       {statistics.median(starts):.2f} s, {statistics.median(ratios):.2f} x hello world")
    keys = "down*60;hold:down*100@30;pgdn*20;!g;down*2;right;!left;down;right"
    runs = [measure(r"thread-\d", keys, explorer) for _ in range(rounds)]
    for name in ("down*60", "pgdn*20", "right"):
        steps = [step(found, name) for found in runs]
        middle = statistics.median(each["stable_ms"]["p50"] for each in steps)
        worst = statistics.median(each["stable_ms"]["p99"] for each in steps)
        size = statistics.median(each["bytes_per_key"]["p50"] for each in steps)
        print(f"{name:25} median {middle:.1f} ms, p99 {worst:.1f} ms, {size:,.0f} bytes")
    print(f"memory                    {max(found['rss_peak_mib'] for found in runs):.0f} MiB at most")
    keys = "!/;type:thread:big;!enter;wait:1 trace, exact;stable;right;stable;!G;wait:step 49,999"
    found = [measure("thread", keys, explorer) for _ in range(rounds)]
    rows = statistics.median(step(each, "right")["stable_ms"]["p50"] for each in found)
    detail = statistics.median(step(each, "wait:step 49,999")["seconds"] for each in found)
    print(f"trace of 50,000 runs      {rows:.0f} ms until its rows stand")
    print(f"call of 300 messages      {detail * 1000:.0f} ms to its detail")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
