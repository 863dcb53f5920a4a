"""Make a big store: `python benchmarks/seed.py STORE [--threads 20000]`.

Five traces a thread, ten runs a trace: an agent, model calls that repeat a growing history, tool calls of which some
fail, user feedback on some traces; and one trace of 50,000 runs with a call of 300 messages. The same every time.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.writer import Writer

BEGIN = 1_760_000_000_000_000
_TOOLS = ("lookup_order", "search", "refund")
BIG_TRACE = 50_000
LONG_CALL = 300
_WORDS = """order refund parcel address invoice agent policy search result customer total error retry plan file test
""".split()  # noqa: SIM905


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)) + f" {chance.randrange(10**6)}"


def small_trace(number: int, chance: random.Random) -> tuple[list[RunRecord], list[FeedbackRecord]]:
    """One trace of ten runs, and perhaps what a user said of it."""
    ident, begin = f"seed:{number}", BEGIN + number * 7_000_000
    history: list[dict[str, Any]] = [
        {"role": "system", "content": "You are a support agent of a shop. Follow the policy. " * 12},
        {"role": "user", "content": _text(chance, 25)},
    ]
    common: dict[str, Any] = {"trace": ident, "session": f"thread-{number // 5}", "project": "shop"}
    runs = [RunRecord(
        id=ident, kind="agent", name="support-agent", started_at=begin, ended_at=begin + 6_000_000,
        inputs={"question": history[1]["content"]}, outputs={"answer": _text(chance, 30)},
        metadata={"version": f"v{1 + number % 3}"}, **common,
    )]  # fmt: skip
    for step in range(1, 10):
        at = begin + step * 500_000
        if step % 2:
            answer = {"role": "assistant", "content": _text(chance, 40)}
            runs.append(RunRecord(
                id=f"{ident}/{step}", parent=ident, kind="llm", name="gpt-4.1", model="gpt-4.1", provider="openai",
                started_at=at, ended_at=at + 450_000, inputs={"messages": list(history)}, outputs=answer,
                prompt_tokens=400 + 60 * step, completion_tokens=50, cost=0.001 * step, **common,
            ))  # fmt: skip
            history.append(answer)
        else:
            result = _text(chance, 60)
            runs.append(RunRecord(
                id=f"{ident}/{step}", parent=ident, kind="tool", name=chance.choice(_TOOLS),
                started_at=at, ended_at=at + 200_000, inputs={"id": chance.randrange(9999)}, outputs=result,
                error="KeyError: no such order" if chance.random() < 0.02 else None, **common,
            ))  # fmt: skip
            history.append({"role": "tool", "content": result})
    said = []
    if number % 10 == 0:
        said.append(FeedbackRecord(
            level=Level.TRACE, target=ident, key="helpful", score=round(chance.random(), 2), source="user", author="u",
        ))  # fmt: skip
    return runs, said


def big_trace(chance: random.Random, size: int) -> list[RunRecord]:
    """One trace of many runs below one agent; its last run is a call of 300 messages."""
    ident, begin = "seed:big", BEGIN + 10**12
    messages = [{"role": ("user", "assistant")[index % 2], "content": _text(chance, 80)} for index in range(LONG_CALL)]
    runs = [RunRecord(id=ident, trace=ident, kind="agent", name="big", session="big", started_at=begin,
                      ended_at=begin + size * 1000)]  # fmt: skip
    runs += [
        RunRecord(
            id=f"{ident}/{step}", trace=ident, parent=ident, kind="tool", name="crawl", started_at=begin + step * 1000,
            ended_at=begin + step * 1000 + 900, inputs={"page": step}, outputs={"ok": True},
        )
        for step in range(1, size - 1)
    ]  # fmt: skip
    runs.append(RunRecord(
        id=f"{ident}/long", trace=ident, parent=ident, kind="llm", name="gpt-4.1", model="gpt-4.1",
        started_at=begin + size * 1000, ended_at=begin + size * 1000 + 900, inputs={"messages": messages},
        outputs={"role": "assistant", "content": _text(chance, 80)}, prompt_tokens=40_000, completion_tokens=90,
    ))  # fmt: skip
    return runs


def batches(threads: int, big: int) -> Iterator[Batch]:
    """All of it, some hundred runs at a time."""
    chance = random.Random(20261124)
    runs: list[RunRecord] = []
    said: list[FeedbackRecord] = []
    for number in range(threads * 5):
        more, told = small_trace(number, chance)
        runs += more
        said += told
        if len(runs) >= 400:
            yield Batch(tuple(runs), tuple(said))
            runs, said = [], []
    yield Batch(tuple(runs), tuple(said))
    if big:
        yield Batch(tuple(big_trace(chance, big)))


def seed(path: Path, threads: int, big: int = BIG_TRACE) -> None:
    """Fill a new store."""
    done, begin = 0, time.monotonic()
    with Writer(path, create=True) as writer:
        for number, batch in enumerate(batches(threads, big)):
            done += writer.write(batch).runs
            if number % 50 == 0 and sys.stderr.isatty():
                print(f"\r{done:,} runs, {done / (time.monotonic() - begin):,.0f}/s", end="", file=sys.stderr)
    print(f"\n{done:,} runs in {time.monotonic() - begin:.0f} s: {path}", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--threads", type=int, default=20_000)
    parser.add_argument("--big", type=int, default=BIG_TRACE, help="runs of the one big trace")
    options = parser.parse_args()
    seed(options.store, options.threads, options.big)
