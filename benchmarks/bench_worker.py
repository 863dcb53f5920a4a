"""Rules over a store: `python benchmarks/bench_worker.py [ROUNDS]`.

Real data (mini-swe-agent part A: 9,302 model calls) is imported; then 1 and 10 regex rules judge every call, in turn with
two bare baselines in the same process: a loop of `regex` over the distinct texts of the store, held in memory; and the
same loop with the reading (select, decompress, parse) of those texts, once. CPU seconds, medians of the ratios. Goal: at
least 0.8 of the loop.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import regex

from tracetui.evaluate.foreground import evaluate
from tracetui.model import jsonx
from tracetui.store.content import unpack
from tracetui.store.db import connect_read
from tracetui.store.parts import strings_of

SHARED = Path(__file__).resolve().parents[2] / "shared"
ARCHIVE = SHARED / "data/mini-swe-agent/gemini-3-pro_swebench-verified_part-A.tar.xz"
PATTERNS = (
    r"\b(wtf|ffs|this sucks|so frustrating|useless|horrible|awful)\b",
    r"\brm\s+-rf\s+/(?!tmp)",
    r"\bgit\s+push\s+--force\b",
    r"\bi(?:'m| am) (?:so |very )?sorry\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\bsk-[a-z0-9]{20,}",
    r"\bpassword\s*[:=]\s*['\"]\w{8,}",
    r"\bsegmentation fault\b",
    r"\bdrop\s+table\b",
    r"\bas an ai (?:language )?model\b",
)


def rules_text(count: int, text: str) -> str:
    """Rules over every model call, one per pattern."""
    rule = "[[rule]]\nname = 'r{0}'\nkey = 'k{0}'\nwhere = 'kind:llm'\n[rule.evaluate]\ntype = 'regex'\n"
    return "".join(
        rule.format(n) + f"text = '{text}'\nflags = 'i'\npattern = '''{pattern}'''\n"
        for n, pattern in enumerate(PATTERNS[:count])
    )


def read_texts(store: Path) -> list[str]:
    """Every distinct text of the store, once."""
    conn, _ = connect_read(store)
    found: dict[str, None] = {}
    for codec, body in conn.execute("SELECT codec, body FROM content"):
        found.update(dict.fromkeys(strings_of(jsonx.loads(unpack(codec, body)))))
    for inputs, outputs in conn.execute("SELECT inputs, outputs FROM run WHERE kind = 'llm'"):
        for blob in (inputs, outputs):
            found.update(dict.fromkeys(strings_of(jsonx.loads(blob))) if blob else {})
    conn.close()
    return list(found)


def bare(store: Path, count: int) -> tuple[float, float]:
    """CPU seconds of the loop alone, and with the reading."""
    begin = time.process_time()
    texts = read_texts(store)
    looped = time.process_time()
    for pattern in PATTERNS[:count]:
        search = regex.compile(pattern, regex.I).search
        sum(1 for text in texts if search(text))
    end = time.process_time()
    return end - looped, end - begin


def ours(store: Path, count: int, text: str, folder: Path) -> float:
    """CPU seconds of judging everything."""
    for old in folder.glob("copy.db*"):
        old.unlink()
    copy, rules = folder / "copy.db", folder / "rules.toml"
    shutil.copy(store, copy)
    rules.write_text(rules_text(count, text), encoding="utf-8")
    begin = time.process_time()
    evaluate(copy, rules)
    return time.process_time() - begin


def main(rounds: int) -> None:
    """Measure in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = folder / "real.db"
        subprocess.run([sys.executable, "-m", "tracetui", "import", store, ARCHIVE], check=True, capture_output=True)
        for text in ("any", "output", "new user messages"):
            for count in (1, 10):
                alone, reading, rates = [], [], []
                for _ in range(rounds):
                    loop, loop_reading = bare(store, count)
                    own = ours(store, count, text, folder)
                    alone.append(loop / own)
                    reading.append(loop_reading / own)
                    rates.append(9302 * count / own)
                print(
                    f"{count:2} rules over {text!r}: {statistics.median(rates):9,.0f} verdicts/s, "
                    f"{statistics.median(alone):.2f} of the bare loop, "
                    f"{statistics.median(reading):.2f} of the loop with its reading"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
