"""The detail pane: what happened in a row, in tabs, drawn line by line as it is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tracetui.model.errors import TracetuiError
from tracetui.model.kinds import Level
from tracetui.model.rows import FeedbackKey
from tracetui.model.times import now_us
from tracetui.tui.detail import tabs
from tracetui.tui.detail.draw import MARGIN, MAX_WIDTH, Brush, words_pattern
from tracetui.tui.detail.failure import trouble_lines
from tracetui.tui.detail.header import header_lines
from tracetui.tui.detail.line import BLANK, Act, Folds, Line, Page, Source, Span
from tracetui.tui.detail.loaded import Loaded, load
from tracetui.tui.feed import NOW, Answer, Feed
from tracetui.tui.ink import Glyphs, Ink

DEBOUNCE_S = 0.06
"""A row is read when the cursor has stood on it so long."""
LATE_S = 0.2
"""Reading that takes longer is said."""
MOST_LINES = 50_000
"""Lines that are made to reach the end of a tab."""
_TOPIC = "detail"
_READING = Span("reading", "off")


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a person was in a tab: the line of the cursor and the first line in sight."""

    cursor: int = 0
    top: int = 0


class DetailPane(Widget):
    """Shows one row: `show` it. The keys' actions are the methods; the screen binds and calls them.

    Reads in a thread of its own, after the cursor stood still; what was shown stays until the new is there. A row
    shown again (`reload`) keeps its folds and the place in it.
    """

    DEFAULT_CSS = "DetailPane { width: 1fr; height: 1fr; }"

    @dataclass
    class Shown(Message):
        """Another row is shown now."""

        level: Level
        pk: int

    @dataclass
    class _Came(Message):
        answer: Answer

    def __init__(self, ink: Ink, glyphs: Glyphs, path: Path, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ink, self._glyphs = ink, glyphs
        self._feed = Feed(path)
        self._keys: Mapping[str, FeedbackKey] = {}
        self._words: re.Pattern[str] | None = None
        self._wanted: tuple[Level, int] | None = None
        self._timer: Timer | None = None
        self._late: Timer | None = None
        self.late = False
        """Reading takes so long that it is said."""
        self.loaded: Loaded | None = None
        """What is shown."""
        self.error: TracetuiError | None = None
        """Why nothing is shown."""
        self.tab = ""
        self._favourite = ""
        self._folds = Folds()
        self._spots: dict[str, _Spot] = {}
        self._source = Source(())
        self._header: list[Line] = []
        self.cursor = 0
        self.top = 0
        self.focused_here = False
        """Whether the keys go here: the cursor is drawn then."""

    # -- what is shown

    def on_mount(self) -> None:
        """Begin to read."""
        self._feed.listen(self._take)
        self._feed.start()

    def _take(self, answer: Answer) -> None:
        self.post_message(self._Came(answer))

    def on_unmount(self) -> None:
        """Stop reading."""
        self._feed.close()

    def show(self, level: Level, pk: int, *, now: bool = False) -> None:
        """Show a row, a moment after the last call; at once if `now`."""
        if self._wanted == (level, pk) and not now:
            return
        self._wanted = (level, pk)
        self._feed.forget(_TOPIC)
        if self._timer is not None:
            self._timer.stop()
        self._timer = None if now else self.set_timer(DEBOUNCE_S, self.reload)
        if now:
            self.reload()

    def reload(self) -> None:
        """Read the row again: it changed, or it is wanted now."""
        if self._wanted is None:
            return
        level, pk = self._wanted
        self._feed.ask(_TOPIC, lambda reader: load(reader, level, pk), NOW)
        if self._late is None:
            self._late = self.set_timer(LATE_S, self._say_late)

    def clear(self) -> None:
        """Show nothing: there is no row."""
        self._wanted, self.loaded, self.error = None, None, None
        self._feed.forget(_TOPIC)
        self._made_again()

    def _say_late(self) -> None:
        self._late = None
        if self._feed.asked(_TOPIC):
            self.late = True
            self.refresh(Region(0, 1, self.size.width, 1))

    def on_detail_pane__came(self, came: _Came) -> None:
        """The row was read, or could not be."""
        if self._late is not None:
            self._late.stop()
        self._late, self.late = None, False
        answer = came.answer
        if answer.error is not None:
            self.error = _in_words(answer.error)
            self.loaded = None
            self._made_again()
            return
        before = self.loaded
        loaded: Loaded = answer.value
        same = before is not None and (before.level, before.row.pk) == (loaded.level, loaded.row.pk)
        self.loaded, self.error, self._keys = loaded, None, loaded.keys
        if not same:
            self._folds, self._spots = Folds(), {}
            self.cursor = self.top = 0
        names = tabs.tabs_of(loaded)
        self.tab = self._favourite if self._favourite in names else self.tab if same and self.tab in names else names[0]
        self._made_again()
        if not same:
            self.post_message(self.Shown(loaded.level, loaded.row.pk))

    @property
    def keys(self) -> Mapping[str, FeedbackKey]:
        """The feedback keys of the store, for directions and colours."""
        return self._keys

    @keys.setter
    def keys(self, keys: Mapping[str, FeedbackKey]) -> None:
        self._keys = keys
        self._made_again()

    def highlight(self, words: Iterable[str]) -> None:
        """Mark every place where one of these words stands, whatever its capitals."""
        self._words = words_pattern(words)
        self.refresh()

    # -- lines

    @property
    def page(self) -> Page:
        """What makers of lines need to know."""
        width = max(min(self.size.width - MARGIN, MAX_WIDTH), 10)
        return Page(width, self._glyphs, self._folds, self._keys, now_us())

    @property
    def room(self) -> int:
        """Lines in sight below the header."""
        return max(self.size.height - len(self._header), 1)

    def _made_again(self) -> None:
        """Folds, size or content are others: lines are made again as they are looked at."""
        if self.loaded is None:
            self._header = []
            self._source = Source(() if self.error is None else trouble_lines(self.page, self.error))
        else:
            page = self.page
            names = tabs.tabs_of(self.loaded)
            self._header = header_lines(page, self.loaded, names, self.tab)
            if self.size.height < 16:
                self._header = [line for line in self._header if line != BLANK]
            self._source = Source(tabs.lines_of(page, self.loaded, self.tab))
        self._move_to(self.cursor, self.top)
        self.refresh()

    def _move_to(self, cursor: int, top: int | None = None) -> None:
        """Put the cursor on a line that exists, and that line in sight."""
        top = self.top if top is None else top
        known = self._source.make(max(cursor, top) + self.room + 1)
        cursor = max(min(cursor, known - 1), 0)
        top = max(min(top, known - self.room), 0)
        top = min(top, cursor)
        top = max(top, cursor - self.room + 1)
        before = (self.cursor, self.top)
        self.cursor, self.top = cursor, top
        if top != before[1]:
            self.refresh()
        elif cursor != before[0]:
            for line in (cursor, before[0]):
                self.refresh(Region(0, len(self._header) + line - top, self.size.width, 1))

    def line_at_cursor(self) -> Line | None:
        """The line under the cursor."""
        return self._source.get(self.cursor)

    def text(self) -> list[str]:
        """What is in sight as plain lines."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]

    # -- what keys do

    def action_cursor_down(self) -> None:
        """One line down."""
        self._move_to(self.cursor + 1)

    def action_cursor_up(self) -> None:
        """One line up."""
        self._move_to(self.cursor - 1)

    def action_cursor_first(self) -> None:
        """To the first line."""
        self._move_to(0, 0)

    def action_cursor_last(self) -> None:
        """To the last line."""
        self._move_to(self._source.make(MOST_LINES) - 1)

    def action_page_down(self) -> None:
        """A page down."""
        self._turn(self.room - 1)

    def action_page_up(self) -> None:
        """A page up."""
        self._turn(1 - self.room)

    def action_page_half_down(self) -> None:
        """Half a page down."""
        self._turn(self.room // 2)

    def action_page_half_up(self) -> None:
        """Half a page up."""
        self._turn(-(self.room // 2))

    def _turn(self, lines: int) -> None:
        self._move_to(self.cursor + lines, max(self.top + lines, 0))

    def action_next_tab(self) -> None:
        """The tab to the right, after the last the first."""
        self._walk(1)

    def action_prev_tab(self) -> None:
        """The tab to the left, before the first the last."""
        self._walk(-1)

    def _walk(self, by: int) -> None:
        if self.loaded is not None:
            names = tabs.tabs_of(self.loaded)
            self.open_tab(names[(names.index(self.tab) + by) % len(names)])

    def action_tab(self, number: int) -> None:
        """The tab of a number, from 1; nothing where there is none."""
        if self.loaded is not None and 0 < number <= len(names := tabs.tabs_of(self.loaded)):
            self.open_tab(names[number - 1])

    def open_tab(self, name: str) -> None:
        """Open a tab by name; where one was in it is where one is again."""
        if self.loaded is None or name not in tabs.tabs_of(self.loaded) or name == self.tab:
            return
        self._spots[self.tab] = _Spot(self.cursor, self.top)
        self.tab = name
        first = name == tabs.tabs_of(self.loaded)[0]
        self._favourite = "" if first else name
        spot = self._spots.get(name, _Spot())
        self.cursor, self.top = spot.cursor, spot.top
        self._made_again()

    def action_open(self) -> bool:
        """Fold or unfold the part under the cursor, or show more of it; whether there was one."""
        line = self.line_at_cursor()
        if line is None or line.part is None:
            return False
        self._folds.press(line.part)
        offset = self.cursor - self.top
        self._made_again()
        if line.part.act is Act.FOLD:
            self._move_to(self._place_of(line), max(self._place_of(line) - offset, 0))
        return True

    def _place_of(self, line: Line) -> int:
        """Where the line of the same part stands now: what is above it may have another length."""
        for number in range(max(self.cursor - 1, 0), self.cursor + 2):
            found = self._source.get(number)
            if found is not None and found.part == line.part:
                return number
        return self.cursor

    def action_earlier(self) -> None:
        """Unfold the messages that are not new, or fold them; from another tab, in the first one."""
        if self.loaded is None or not self.loaded.is_call:
            return
        self.open_tab("new")
        self._folds.turned ^= {tabs.EARLIER}
        self._made_again()
        self._move_to(0, 0)

    # -- drawing

    def on_resize(self) -> None:
        """Another width: lines break elsewhere."""
        self._made_again()

    def tick(self) -> None:
        """Time went on: what runs is drawn again."""
        if self.loaded is not None and self.loaded.row.status == "running":
            self._header[: len(self._header)] = header_lines(
                self.page, self.loaded, tabs.tabs_of(self.loaded), self.tab
            )[: len(self._header)]
            self.refresh(Region(0, 0, self.size.width, len(self._header)))

    def restyle(self, ink: Ink, glyphs: Glyphs) -> None:
        """Draw in another theme."""
        self._ink, self._glyphs = ink, glyphs
        self._made_again()

    def render_line(self, y: int) -> Strip:
        """A line of the header, or of the tab."""
        width = self.size.width
        if y < len(self._header):
            line = self._header[y]
            if self.late and y == 1:
                line = Line(line.spans, (_READING,))
            return Brush(self._ink, self._glyphs).strip(line, width)
        number = self.top + y - len(self._header)
        at_cursor = self.focused_here and number == self.cursor
        made = self._source.get(number)
        if made is None:
            nothing_yet = y == 0 and self.late and self.loaded is None
            made = Line((_READING,)) if nothing_yet else BLANK
        ground = "cursor" if at_cursor else "bg"
        return Brush(self._ink, self._glyphs, self._words).strip(made, width, ground)

    # -- mouse

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; on a part that folds it folds it, on a tab it opens it."""
        number = self.top + event.y - len(self._header)
        if event.y >= len(self._header) and number < len(self._source):
            self._move_to(number)
            self.action_open()
        elif self.loaded is not None and event.y < len(self._header):
            self._click_tab(event.y, event.x - 1)

    def _click_tab(self, y: int, x: int) -> None:
        if self._header[y].part is not None or self.loaded is None:
            return
        names = tabs.tabs_of(self.loaded)
        at = 0
        for span in self._header[y].spans:
            if at <= x < at + len(span.text) and span.text in names:
                self.open_tab(span.text)
                return
            at += len(span.text)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel turns the page."""
        event.stop()
        self._turn(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel turns the page."""
        event.stop()
        self._turn(-3)


def _in_words(error: Exception) -> TracetuiError:
    if isinstance(error, TracetuiError):
        return error
    return TracetuiError("This cannot be shown", f"{type(error).__name__}: {error}", "")
