"""The virtual tree of threads, traces and runs: rows are drawn when they are looked at, never before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tracetui.model.kinds import Level, Status
from tracetui.model.rows import Row
from tracetui.model.times import now_us
from tracetui.tui import layout
from tracetui.tui.ink import Glyphs, Ink, weave
from tracetui.tui.outline import Key, Outline, Path, Spot
from tracetui.tui.rows import Look, Place, header, pieces, placeholder
from tracetui.tui.shelf import Bounded, Shelf
from tracetui.tui.waterfall import Axis

_STRIPS = 600


@dataclass(slots=True)
class _Drawn:
    """A strip and what it was drawn of; another object there means that it is stale."""

    row: Row | None
    axis: Axis | None
    strip: Strip


class Tree(Widget):
    """Rows of an outline. The first line is the header; `top` is the row under it."""

    DEFAULT_CSS = "Tree { height: 1fr; }"

    @dataclass
    class Moved(Message):
        """The cursor stands on another row now."""

        row: int

    class Scrolled(Message):
        """Other rows are in sight: some may have to be read."""

    class Clicked(Message):
        """The row under the cursor was clicked again."""

    def __init__(self, ink: Ink, glyphs: Glyphs, outline: Outline, shelf: Shelf) -> None:
        super().__init__()
        self._ink, self._glyphs = ink, glyphs
        self.outline, self.shelf = outline, shelf
        self.cursor = 0
        self.top = 0
        self.covered = 0
        """Lines at the bottom that something is drawn over."""
        self.focused_here = True
        """Whether the keys go here: the cursor is bright then."""
        self.marks: set[Key] = set()
        self.filtered = False
        self.rule = False
        """Whether the rule between the panes is drawn at the right."""
        self.empty: list[tuple[str, str]] = []
        """What stands in place of rows when there are none: text and role."""
        self.late = False
        """Rows are being read for so long that it should be said."""
        self._strips: Bounded[tuple[object, ...], _Drawn] = Bounded(_STRIPS)
        self._now_us = now_us()

    # -- where things are

    @property
    def page(self) -> int:
        """Rows in sight."""
        return max(self.size.height - 1 - self.covered, 1)

    @property
    def path(self) -> Path:
        """The path of the row under the cursor; `()` in an empty tree."""
        return self.outline.path(self.cursor) if len(self.outline) else ()

    @property
    def spot(self) -> Spot | None:
        """What stands under the cursor."""
        return self.outline.at(self.cursor) if len(self.outline) else None

    @property
    def current(self) -> Row | None:
        """The row under the cursor, where it has been read."""
        spot = self.spot
        return None if spot is None else self.shelf.row(spot.key)

    def is_marked(self, key: Key) -> bool:
        """Whether a row is marked, by its place in the tree or by what it is in the store."""
        if not self.marks:
            return False
        row = self.shelf.rows.get(key)
        return key in self.marks or (row is not None and (row.level, row.pk) in self.marks)

    def wanted(self) -> Iterator[Spot]:
        """What should be known: the rows in sight, a page before and a page after, and the rows above them."""
        page = max(self.size.height, 1)
        seen: set[Key] = set()
        for row in range(max(self.top - page, 0), min(self.top + 2 * page, len(self.outline))):
            spot = self.outline.at(row)
            node = spot.parent
            yield spot
            if node.key is not None and node.key not in seen:
                seen.add(node.key)
                for depth, key in enumerate(self.outline.above(node)):
                    above = self.outline.node(key)
                    if above is not None and above.parent is not None:
                        yield Spot(key, depth, 0, above.parent, above)

    # -- moving

    def move(self, row: int, *, jump: bool = False) -> None:
        """Put the cursor on a row. A jump out of sight leaves a third of the page above it."""
        last = len(self.outline) - 1
        row = max(min(row, last), 0)
        before, self.cursor = self.cursor, row
        top = self.top
        if row < top:
            top = row - (self.page // 3 if jump else 0)
        elif row >= top + self.page:
            top = row - (self.page // 3 if jump else self.page - 1)
        self._scroll(top)
        self._redraw(before, row)
        if row != before:
            self.post_message(self.Moved(row))

    def turn(self, rows: int) -> None:
        """Turn pages: cursor and page move by so many rows."""
        self._scroll(self.top + rows)
        self.move(self.cursor + rows)

    def reflow(self, path: Path, offset: int) -> None:
        """Rows came or went: the cursor stays on the row of `path`, `offset` lines below the header."""
        row = self.outline.nearest(path)
        self.cursor = max(min(self.cursor if row is None else row, len(self.outline) - 1), 0)
        self.top = self._bounded(self.cursor - offset)
        if not self.top <= self.cursor < self.top + self.page:
            self.top = self._bounded(self.cursor - self.page + 1)
        self.refresh()
        self.post_message(self.Scrolled())
        if self.path != path:
            self.post_message(self.Moved(self.cursor))

    @property
    def offset_of_cursor(self) -> int:
        """Lines between the header and the cursor's row."""
        return self.cursor - self.top

    def cover(self, lines: int) -> None:
        """Something is drawn over the last lines: the cursor's row stays in sight."""
        self.covered = min(lines, max(self.size.height - 4, 0))
        if self.cursor >= self.top + self.page:
            self._scroll(self.cursor - self.page + 1)

    def _bounded(self, top: int) -> int:
        return max(min(top, len(self.outline) - self.page), 0)

    def _scroll(self, top: int) -> None:
        top = self._bounded(top)
        if top != self.top:
            self.top = top
            self.refresh()
            self.post_message(self.Scrolled())

    # -- drawing

    def redraw(self, keys: set[Key]) -> None:
        """These rows changed: draw them again where they are in sight."""
        for row in range(self.top, min(self.top + self.size.height - 1, len(self.outline))):
            if self.outline.at(row).key in keys:
                self._redraw(row)

    def tick(self, now: int) -> None:
        """Time went on: rows of running work are drawn again."""
        self._now_us = now
        for row in range(self.top, min(self.top + self.size.height - 1, len(self.outline))):
            known = self.shelf.rows.get(self.outline.at(row).key)
            if known is not None and known.status == Status.RUNNING:
                self._redraw(row)

    def _redraw(self, *rows: int) -> None:
        for row in rows:
            if self.top <= row < self.top + self.size.height - 1:
                self.refresh(Region(0, row - self.top + 1, self.size.width, 1))

    @property
    def look(self) -> Look:
        """What all rows share just now."""
        columns = layout.columns(self.size.width - (1 if self.rule else 0))
        return Look(self._ink, self._glyphs, columns, self.shelf.keys, self._now_us, self.filtered)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they are: they bring ground and colours, so no CSS style or filter is to be put on them."""
        x, y, width, height = crop
        lines = [self.render_line(number) for number in range(y, y + height)]
        return lines if (x, width) == (0, self.size.width) else [line.crop(x, x + width) for line in lines]

    def render_line(self, y: int) -> Strip:
        """The header, or the row under it."""
        width = self.size.width
        if y == 0:
            return self._finish(weave(header(self.look)), "bg", width)
        row = self.top + y - 1
        if row < len(self.outline):
            return self._row(row, width)
        if not len(self.outline) and y - 1 < len(self.empty):
            text, role = self.empty[y - 1]
            return self._finish([Segment("   " + text, self._ink.on(role))], "bg", width)
        return self._finish([], "bg", width)

    def _row(self, number: int, width: int) -> Strip:
        spot = self.outline.at(number)
        row = self.shelf.row(spot.key)
        axis = None if row is None else self.shelf.axis(row)
        place = self._place(number, spot, axis)
        age = self._now_us // 1_000_000 if row is not None and row.status == Status.RUNNING else 0
        mark = (spot.key, place.opened, place.cursor, place.marked, place.dimmed, place.matching, width, self.late, age)
        known = self.shelf.rows.get(spot.key)
        drawn = self._strips.use(mark)
        if drawn is not None and drawn.row is known and drawn.axis is axis:
            return drawn.strip
        look = self.look
        made = placeholder(place, look, "reading" if self.late else "") if row is None else pieces(row, place, look)
        strip = self._finish(weave(made), place.ground, width)
        self._strips.put(mark, _Drawn(known, axis, strip))
        return strip

    def _place(self, number: int, spot: Spot, axis: Axis | None) -> Place:
        guides = []
        node = spot.parent
        for depth in range(spot.depth - 1, -1, -1):
            if node.key is not None and node.key[0] == Level.RUN:
                guides.append(depth)
            assert node.parent is not None
            node = node.parent
        at_cursor = number == self.cursor
        level, pk = spot.key
        return Place(
            depth=spot.depth,
            opened=spot.node is not None,
            guides=tuple(reversed(guides)),
            cursor=("cursor" if self.focused_here else "blur") if at_cursor else "",
            marked=self.is_marked(spot.key),
            dimmed=spot.key in self.shelf.dimmed,
            axis=axis,
            matching=self.shelf.matching.get(pk) if self.filtered and level == Level.THREAD else None,
        )

    def _finish(self, segments: list[Segment], ground: str, width: int) -> Strip:
        rule = 1 if self.rule else 0
        strip = Strip(segments)
        length = strip.cell_length
        if length > width - rule:
            segments = list(strip.crop(0, width - rule))
        elif length < width - rule:
            segments = [*segments, Segment(" " * (width - rule - length), self._ink.on("text-2", ground))]
        if rule:
            segments = [*segments, Segment(self._glyphs.rule, self._ink.on("rule"))]
        return Strip(segments, width)

    def restyle(self) -> None:
        """Drop what is drawn: keys, filter or theme are others."""
        self._strips.clear()
        self.refresh()

    # -- mouse

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; on the cursor's own row it opens it."""
        row = self.top + event.y - 1
        if event.y < 1 or row >= len(self.outline):
            return
        if row == self.cursor:
            self.post_message(self.Clicked())
        else:
            self.move(row)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel turns the page, the cursor stays in sight."""
        event.stop()
        self._wheel(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel turns the page, the cursor stays in sight."""
        event.stop()
        self._wheel(-3)

    def _wheel(self, rows: int) -> None:
        self._scroll(self.top + rows)
        self.move(max(min(self.cursor, self.top + self.page - 1), self.top))

    def on_resize(self) -> None:
        """Another size: what is drawn no longer fits."""
        self._strips.clear()
        self.top = self._bounded(self.top)
        self.move(self.cursor)
        self.refresh()
        self.post_message(self.Scrolled())
