"""The filter of the tree: run, counted as it is typed, and how much of it has been judged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, cast

from tracetui.model.kinds import Level
from tracetui.model.rows import Row
from tracetui.tui.feed import LATER, NOW, Answer
from tracetui.tui.figures import counted
from tracetui.tui.keys import Where as Place
from tracetui.tui.widgets.filterbar import Bar

if TYPE_CHECKING:
    from tracetui.query.ast import Node
    from tracetui.store.filters import Where
    from tracetui.store.reading import Reader
    from tracetui.tui.modes.bar import BarMode
    from tracetui.tui.modes.base import Mode
    from tracetui.tui.screens.explorer import Explorer

_ID_LENGTH = 3
"""Shorter words are no ids."""
TYPED_S = 0.08
"""A count begins when nothing was typed for so long."""


class Named(NamedTuple):
    """What a word is the id of."""

    text: str
    rows: tuple[Row, ...]


class Count(NamedTuple):
    """How many traces a filter matches, and how many there are to be judged where it asks for unjudged ones."""

    text: str
    left: int
    total: int | None = None
    instead: tuple[str, int] | None = None
    """Where nothing matches: a condition without which something would, and how much."""


class Filters:
    """What is filtered and what is being typed."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self.text = ""
        self.node: Node | None = None
        self.count: Count | None = None
        self._typing: Count | None = None
        self._began = 0.0
        self._judged_at_first: int | None = None

    @property
    def active(self) -> bool:
        """Whether anything is filtered."""
        return self.node is not None

    # -- typing

    def typed(self, bar: BarMode) -> None:
        """Another filter is being typed: count what it finds, a moment from now."""
        self._typing = None
        self._explorer.far.forget("typed")
        self._find(bar.line.text.strip())
        if bar.node is not None and bar.line.text.strip():
            self._explorer.later("typed", TYPED_S, lambda: self._count("typed", bar.line.text.strip(), bar.node))

    def _find(self, text: str) -> None:
        """A single word may be the id of a row."""
        if len(text) >= _ID_LENGTH and not any(char.isspace() or char == "*" for char in text):
            self._explorer.far.ask("find", lambda reader: Named(text, tuple(reader.find(text.strip('"')))), NOW)
        else:
            self._explorer.far.forget("find")

    def found(self, named: Named, mode: Mode | None) -> None:
        """An id was looked up: while it is typed the bar says so, after that it is gone to."""
        if not named.rows:
            return
        row = named.rows[0]
        if mode is not None and mode.where == Place.BAR:
            bar = cast("BarMode", mode)
            if bar.line.text.strip() == named.text:
                bar.row = row
                self._explorer.redraw_bars()
        elif self.text == named.text:
            self.go(row)

    def go(self, row: Row) -> None:
        """To a row that was named by its id, whatever the filter."""
        if self.active:
            self.clear()
        self._explorer.places.remember()
        self._explorer.places.go((row.level, row.pk))

    def dropped(self) -> None:
        """The filter that was typed is not wanted."""
        self._typing = None
        self._explorer.far.forget("typed")
        self._explorer.redraw_bars()

    def _count(self, topic: str, text: str, node: Node | None) -> None:
        if node is None:
            return
        wanted = node

        def read(reader: Reader) -> Count:
            return count(reader, text, wanted)

        self._explorer.far.ask(topic, read, NOW if topic == "typed" else LATER)

    # -- running

    def run(self, text: str, node: Node) -> None:
        """Show what a filter matches; a single word that is an id goes to its row instead."""
        from tracetui.query.ast import EVERYTHING, feedback_keys
        from tracetui.store.filters import compile_filter

        self._typing = None
        self.count = None
        if node == EVERYTHING:
            self.clear()
            return
        self.text, self.node = text, node
        self._find(text)
        self._began, self._judged_at_first = time.monotonic(), None
        named = feedback_keys(node)
        if len(named) == 1:
            self._explorer.judge.current = named[0]
        self._mark_words(node)
        then = None if unjudged(node) is None else self._to_first_trace
        self._explorer.browser.filter(compile_filter(node, Level.TRACE), then)
        self.recount()
        self._explorer.redraw_bars()

    def _mark_words(self, node: Node | None) -> None:
        """What the filter looks for is marked where it stands in the detail."""
        from tracetui.query.ast import Words, leaves

        if self._explorer.panes.detail is not None:
            found = () if node is None else [leaf.text for leaf in leaves(node) if isinstance(leaf, Words)]
            self._explorer.panes.detail.highlight(found)

    def _to_first_trace(self) -> None:
        """What is to be judged are traces: the first one is unfolded and under the cursor."""
        self._explorer.browser.step("match", None, forward=True, key=None, then=lambda found: None)

    def restore(self, text: str, node: Node) -> None:
        """This filter was on when the store was left, and is on now."""
        self.text, self.node = text, node
        self._began = time.monotonic()
        self.recount()

    def clear(self) -> None:
        """Show everything."""
        self.text, self.node, self.count = "", None, None
        self._mark_words(None)
        self._explorer.far.forget("count")
        self._explorer.browser.filter(None)
        self._explorer.redraw_bars()

    def recount(self) -> None:
        """Count again what the filter matches."""
        if self.node is not None:
            self._count("count", self.text, self.node)

    def of_runs(self) -> Where | None:
        """The filter at the level of runs."""
        return self.at(Level.RUN)

    def at(self, level: Level) -> Where | None:
        """The filter at a level."""
        from tracetui.store.filters import compile_filter

        return None if self.node is None else compile_filter(self.node, level)

    def hear(self, answer: Answer) -> None:
        """Take a count in."""
        if answer.topic == "typed":
            self._typing = answer.value
        elif self.node is not None and answer.value.text == self.text:
            self.count = answer.value
            if self._judged_at_first is None and answer.value.total is not None:
                self._judged_at_first = answer.value.total - answer.value.left
        self._explorer.redraw_bars()

    # -- what the bar says

    def bar(self, mode: BarMode | None) -> Bar:
        """The filter bar."""
        marks = self._explorer.listing.marks
        if mode is not None:
            return self._typed_bar(mode)
        if marks:
            note = "marked, all of the filter" if self._explorer.marking.everything else "marked"
            return Bar(text=self.text, sign="*", number=f"{len(marks):,}", note=note)
        if not self.active:
            return Bar()
        if self.count is None:
            return Bar(text=self.text, note="counting")
        if self.count.total is not None:
            return Bar(text=self.text, number=f"{self.judged:,}", note=f"of {self.count.total:,} judged{self._pace()}")
        return Bar(text=self.text, number=f"{self.count.left:,}", note=_traces(self.count.left))

    def _typed_bar(self, mode: BarMode) -> Bar:
        faults = mode.faults or mode.notes
        lead = count = note = ""
        if mode.row is not None:
            faults, note = (), f"the {mode.row.level.value} of this id"
        elif mode.faults:
            if self.count is not None:
                lead, count = "shown: the last filter that reads,", f"{self.count.left:,}"
                note = "trace" if self.count.left == 1 else "traces"
        elif self._typing is not None and self._typing.text == mode.line.text.strip():
            count, note = f"{self._typing.left:,}", _traces(self._typing.left)
        elif mode.line.text.strip():
            note = "counting"
        return Bar(text=mode.line.text, at=mode.line.at, faults=faults, lead=lead, number=count, note=note)

    @property
    def judged(self) -> int:
        """How many of those to be judged have been."""
        return 0 if self.count is None or self.count.total is None else self.count.total - self.count.left

    def _pace(self) -> str:
        """`   6/min   27 min left`, once there is a pace."""
        if self.count is None or self._judged_at_first is None:
            return ""
        done, minutes = self.judged - self._judged_at_first, (time.monotonic() - self._began) / 60
        if done < 3 or minutes < 0.2:
            return ""
        pace = done / minutes
        return f"   {pace:.0f}/min   {counted(max(round(self.count.left / pace), 1), 'min', 'min')} left"


def _traces(n: int) -> str:
    return "trace, exact" if n == 1 else "traces, exact"


def count(reader: Reader, text: str, node: Node) -> Count:
    """How many traces a filter matches."""
    from tracetui.query.ast import And
    from tracetui.query.printing import to_text
    from tracetui.store.filters import compile_filter

    left = reader.count(Level.TRACE, compile_filter(node, Level.TRACE))
    rest = unjudged(node)
    total = None if rest is None else reader.count(Level.TRACE, compile_filter(rest, Level.TRACE))
    instead = None
    if not left and isinstance(node, And):
        for item in reversed(node.items):
            others = And(tuple(one for one in node.items if one is not item))
            found = reader.count(Level.TRACE, compile_filter(others, Level.TRACE))
            if found:
                instead = (to_text(item), found)
                break
    return Count(text, left, total, instead)


def unjudged(node: Node) -> Node | None:
    """A filter without its `-feedback.KEY:*`: all that were to be judged; `None` where it has none."""
    from tracetui.query.ast import And, Field, Has, Not

    items = node.items if isinstance(node, And) else (node,)
    asked = [
        item
        for item in items
        if isinstance(item, Not)
        and isinstance(item.item, Field)
        and item.item.name == "feedback"
        and item.item.key is not None
        and not item.item.part
        and isinstance(item.item.test, Has)
    ]
    return And(tuple(item for item in items if item not in asked)) if len(asked) == 1 else None
