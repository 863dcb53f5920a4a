"""Rules over a store: `python benchmarks/bench_worker.py [ROUNDS]`.

Real data (mini-swe-agent part A: 9,302 model calls) is imported; then 1 and 10 regex rules judge every call, in turn
with two bare baselines in the same process. One is a loop of `regex` over the distinct texts of the store, held in
memory, without a time limit. The other loop does what any rule has to: it reads the texts from the store (select,
decompress, parse, once) and stops a text after half a second, which alone costs `regex` up to 60 %. CPU seconds,
medians of the ratios. Goal: at least 0.8.
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
CALLS = 9302
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
    """CPU seconds of the loop alone, and of the one that reads and limits."""
    begin = time.process_time()
    texts = read_texts(store)
    read = time.process_time()
    searches = [regex.compile(pattern, regex.I).search for pattern in PATTERNS[:count]]
    for search in searches:
        sum(1 for text in texts if search(text))
    looped = time.process_time()
    for search in searches:
        sum(1 for text in texts if search(text, timeout=0.5))
    limited = time.process_time()
    return looped - read, (read - begin) + (limited - looped)


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
        for count in (1, 10):
            alone, same, rates = [], [], []
            for _ in range(rounds):
                loop, full_loop = bare(store, count)
                own = ours(store, count, "any", folder)
                alone.append(loop / own)
                same.append(full_loop / own)
                rates.append(CALLS * count / own)
            print(
                f"{count:2} rules over all texts: {statistics.median(rates):8,.0f} verdicts/s, "
                f"{statistics.median(same):.2f} of the loop that reads and limits, "
                f"{statistics.median(alone):.2f} of the loop in memory without a limit"
            )
        rate = statistics.median(CALLS / ours(store, 1, "new user messages", folder) for _ in range(rounds))
        print(f" 1 rule over new user messages: {rate:,.0f} verdicts/s (what is new takes the conversation apart)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
