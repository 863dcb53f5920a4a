"""A small store, and an explorer opened on it that tests drive with keys."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from tracetui.model.kinds import Level
from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer
from tracetui.tui.app import prepare
from tracetui.tui.program import Tracetui

S = 1_000_000
BEGIN = 1_763_000_000 * S
"""2025-11-13 in UTC."""


def trace(
    number: int, *, session: str | None = None, fails: bool = False, name: str = "support-agent"
) -> list[RunRecord]:
    """An agent, a call of a model and a tool; a minute after the trace before it."""
    begin, ident = BEGIN + number * 60 * S, f"t:{number}"
    common = {"trace": ident, "session": session}
    return [
        RunRecord(
            id=f"{ident}/1", kind="agent", name=name, trace_name=f"question {number}", started_at=begin,
            ended_at=begin + 4 * S, inputs={"messages": [{"role": "user", "content": f"question {number}?"}]},
            outputs={"answer": f"answer {number}"}, **common,
        ),
        RunRecord(
            id=f"{ident}/2", parent=f"{ident}/1", kind="llm", name="llm", model="gpt-4.1", started_at=begin,
            ended_at=begin + S, prompt_tokens=1000, completion_tokens=50,
            inputs={"messages": [{"role": "user", "content": f"question {number}?"}]},
            outputs={"role": "assistant", "content": "let me see"}, **common,
        ),
        RunRecord(
            id=f"{ident}/3", parent=f"{ident}/1", kind="tool", name="lookup_order", started_at=begin + S,
            ended_at=begin + 2 * S, inputs={"id": str(number)}, outputs=None if fails else {"found": True},
            error=f"KeyError: no order {number}" if fails else None, **common,
        ),
    ]  # fmt: skip


def make_store(path: Path, *, threads: int = 3, singles: int = 3) -> Path:
    """Threads of three traces, of which the second fails; traces without a session; one user's opinion."""
    with Writer(path, create=True) as writer:
        number = 0
        for thread in range(threads):
            for nth in range(3):
                runs = trace(number, session=f"thread-{thread}", fails=nth == 1)
                writer.write(Batch(tuple(runs)))
                number += 1
        for _ in range(singles):
            writer.write(Batch(tuple(trace(number))))
            number += 1
        said = FeedbackRecord(level=Level.TRACE, target="t:0", key="helpful", score=0.2, source="user", author="u1")
        writer.write(Batch(feedback=(said,)))
    return path


class Driver:
    """An explorer and its keys."""

    def __init__(self, app: Tracetui, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot
        self.explorer = app.explorer
        self.tree = app.explorer.listing

    async def press(self, *keys: str) -> None:
        """Press keys (as `keys.ACTIONS` spells them), and wait until the explorer is quiet after each."""
        for key in keys:
            self.explorer.press(key)
            await self.quiet()

    async def type(self, text: str) -> None:
        """Type text into what is open."""
        for char in text:
            self.explorer.press("space" if char == " " else char)
        await self.quiet()

    async def until(self, what: Callable[[], object]) -> None:
        """Wait until something holds."""
        limit = time.monotonic() + 10
        while not what():
            assert time.monotonic() < limit, "it never came:\n" + "\n".join(self.lines())
            await self.pilot.pause(0.01)

    async def quiet(self) -> None:
        """Wait until nothing is being read, written or painted."""
        feeds = (self.explorer.browser.near, self.explorer.browser.lists, self.explorer.far)

        def still() -> bool:
            writing = self.explorer.writing
            return not any(feed.busy for feed in feeds) and (writing is None or not writing.waiting()[0])

        await self.pilot.pause()
        while not still():
            await self.until(still)
            await self.pilot.pause()

    def lines(self) -> list[str]:
        """The screen as text."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines())

    @property
    def at(self) -> str:
        """What is written in the row of the cursor."""
        return self.tree.render_line(self.tree.cursor - self.tree.top + 1).text.strip()

    @property
    def bar(self) -> str:
        """The filter bar."""
        return self.lines()[1]

    @property
    def footer(self) -> str:
        return self.lines()[-1]

    @property
    def said(self) -> str:
        """The line above the footer."""
        return self.lines()[-2].strip()


@asynccontextmanager
async def driving(
    path: Path, size: tuple[int, int] = (120, 40), *, read_only: bool = False, author: str = "me"
) -> AsyncIterator[Driver]:
    """An explorer on a store, its first page painted."""
    app = prepare(path, read_only=read_only, author=author)
    try:
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            await driver.until(lambda: app.explorer.browser.painted)
            await driver.quiet()
            yield driver
    finally:
        app.end()


def said_in(path: Path, level: Level, ident: str) -> dict[str, float | str | None]:
    """What the store has on a row: key -> score or value."""
    with Reader(path) as reader:
        row = next(row for row in reader.find(ident) if row.level == level)
        return {one.key: one.score if one.value is None else one.value for one in reader.feedback(level, row.pk)}
