"""A row of the tree as styled cells. Pure: what it needs of the world comes in as `Look` and `Place`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tracetui.model.kinds import Kind, Level, Status
from tracetui.model.rows import FeedbackKey, Row
from tracetui.model.text import display
from tracetui.tui import cells, figures
from tracetui.tui.chips import Chip, Tone, chips
from tracetui.tui.ink import Glyphs, Ink, Piece
from tracetui.tui.layout import Columns
from tracetui.tui.waterfall import Axis, bar, marked

TEXT_LIMIT = 200
"""Characters of a name or an error that are looked at: more never fits a row."""
_INDENTED_LEVELS = 6
_CLASS = re.compile(r"(?:\w+\.)*([A-Za-z_]\w*)(?=[:(])")
"""The class an error begins with, without its modules."""


class Look(NamedTuple):
    """What all rows of a screen share."""

    ink: Ink
    glyphs: Glyphs
    columns: Columns
    keys: Mapping[str, FeedbackKey]
    now_us: int
    filtered: bool = False


class Place(NamedTuple):
    """Where a row stands and how it is just now."""

    depth: int
    opened: bool = False
    guides: tuple[int, ...] = ()
    """Depths of the runs above it: where its guides are drawn."""
    cursor: str = ""
    """`cursor`, `blur` or nothing: the ground of the row with the cursor."""
    marked: bool = False
    dimmed: bool = False
    """It fell out of the filter while it was worked on."""
    axis: Axis | None = None
    matching: int | None = None
    """Traces of a thread that the filter matches."""

    def failed_inside(self, row: Row) -> int:
        """How many runs failed in a thread or trace, or below a run."""
        if row.level != Level.RUN:
            return row.error_count
        return 0 if self.axis is None else self.axis.inside.get(row.pk, 0)

    @property
    def ground(self) -> str:
        """The ground it stands on."""
        return self.cursor or ("mark-bg" if self.marked else "bg")


def indent(depth: int) -> int:
    """Cells before a row of that depth: two a level, from level 6 on one."""
    return 2 * min(depth, _INDENTED_LEVELS) + max(depth - _INDENTED_LEVELS, 0)


def pieces(row: Row, place: Place, look: Look) -> list[Piece]:
    """The cells of a row, exactly as wide as its columns."""
    ink, columns, ground = look.ink, look.columns, place.ground
    out = [*_gutter(row, place, look), *_name(row, place, look)]
    blank = ink.on("text-2", ground)
    if columns.where:
        out += [(" ", blank), *_where(row, place, look)]
    number = "off" if place.dimmed else "text" if row.level == Level.TRACE else "text-2"
    if row.level == Level.THREAD:
        clock = "now" if row.status == Status.RUNNING else figures.clock(_last_at(row), look.now_us)
        time, number = ("" if columns.clock else clock), "off" if place.dimmed else "muted"
    else:
        clock, time = figures.clock(row.started_at, look.now_us), figures.duration(row.latency_us)
    out.append((" " + cells.right(time, columns.time), ink.on(number, ground)))
    quiet = ink.on("off" if place.dimmed else "text-2", ground)
    if columns.tokens:
        out.append((" " + cells.right(figures.amount(_tokens(row)), columns.tokens), quiet))
    if columns.cost:
        out.append((" " + cells.right(figures.money(row.cost), columns.cost), quiet))
    if columns.clock:
        faint = ink.on("off" if place.dimmed else "muted", ground)
        out.append((" " + cells.right(clock, columns.clock), faint))
    if columns.last:
        out.append((" ", blank))
        out += _last(row, place, look)
    out.append((" ", blank))
    return out


def header(look: Look) -> list[Piece]:
    """The line above the rows."""
    columns, muted = look.columns, look.ink.on("muted")
    text = "   " + cells.left("thread / trace / run", columns.name)
    for title, size in (
        ("in trace", columns.where),
        ("time", columns.time),
        ("tokens", columns.tokens),
        ("cost", columns.cost),
        ("at", columns.clock),
    ):
        if size:
            text += " " + (cells.left if title == "in trace" else cells.right)(title, size)
    if columns.last:
        text += "  " + cells.left("error or feedback", columns.last)
    return [(text + " ", muted)]


def placeholder(place: Place, look: Look, text: str = "") -> list[Piece]:
    """A row that is not read yet."""
    ground = place.ground
    edge = _edge(place, look)
    lead = " " * (2 + indent(place.depth))
    return [edge, (lead + text, look.ink.on("off", ground))]


def _edge(place: Place, look: Look) -> Piece:
    if place.marked:
        return look.glyphs.marked, look.ink.on("accent", place.ground)
    if place.cursor == "cursor":
        return look.glyphs.edge, look.ink.on("accent", place.ground)
    if place.cursor:
        return look.glyphs.blur_edge, look.ink.on("muted", place.ground)
    return " ", look.ink.on("text-2", place.ground)


def _gutter(row: Row, place: Place, look: Look) -> Iterator[Piece]:
    ink, ground = look.ink, place.ground
    yield _edge(place, look)
    if row.status == Status.ERROR and row.level == Level.RUN and not _only_passed_on(row, place):
        yield look.glyphs.failed, ink.cell("bad")
    elif place.failed_inside(row) and not place.opened:
        yield look.glyphs.failed, ink.on("bad", ground, bold=True)
    elif row.status == Status.RUNNING and not place.opened:
        yield look.glyphs.running, ink.on("accent", ground)
    elif row.status == Status.ABANDONED and not place.opened:
        yield look.glyphs.abandoned, ink.on("muted", ground)
    else:
        yield " ", ink.on("text-2", ground)
    yield " ", ink.on("text-2", ground)


def _only_passed_on(row: Row, place: Place) -> bool:
    """An open row leaves a failure to the child that had it."""
    return place.opened and place.failed_inside(row) > 0


def _name(row: Row, place: Place, look: Look) -> Iterator[Piece]:
    ink, glyphs, ground = look.ink, look.glyphs, place.ground
    room = look.columns.name
    lead = min(indent(place.depth), max(room - 12, 0))
    drawn = 0
    for depth in place.guides:
        at = indent(depth)
        if drawn <= at < lead:
            yield " " * (at - drawn), ink.on("text-2", ground)
            yield glyphs.guide, ink.on("guide", ground)
            drawn = at + 1
    yield " " * (lead - drawn), ink.on("text-2", ground)
    room -= lead
    signs = ""
    if row.child_count:
        signs += (glyphs.open if place.opened else glyphs.folded) + " "
    if row.level == Level.RUN:
        signs += glyphs.kind(row.kind) + " "
    elif not row.child_count:
        signs += "  "
    yield signs, ink.on("off" if place.dimmed else "muted", ground)
    room -= cells.width(signs)
    yield from _named(row, place, look, max(room, 0))


def _named(row: Row, place: Place, look: Look, room: int) -> Iterator[Piece]:
    ink, ground, ellipsis = look.ink, place.ground, look.glyphs.ellipsis
    name, rest = title(row)
    if row.level == Level.THREAD:
        rest = _traces(row, place)
        rest = rest if len(rest) + 8 <= room else ""
        shorten = cells.cut if " " in name else cells.cut_middle  # prose tells by its beginning, an id by both ends
        name = shorten(name, room - (len(rest) + 2 if rest else 0), ellipsis)
    role = "off" if place.dimmed else "text" if row.level != Level.RUN or place.cursor else "text-2"
    style = ink.on(role, ground, bold=row.level == Level.THREAD)
    if place.cursor == "cursor" and ink.colours["cursor"] is None:
        style = ink.cell("text")
    shown = cells.cut(name, room, ellipsis)
    room -= cells.width(shown)
    yield shown, style
    gap = 2 if row.level == Level.THREAD else 1
    if rest and room > gap + 1:
        quiet = "off" if place.dimmed else "muted" if row.level == Level.THREAD else role
        path = "/" in rest and " " not in rest
        shown = " " * gap + (cells.cut_middle if path else cells.cut)(rest, room - gap, ellipsis)
        room -= cells.width(shown)
        yield shown, ink.on(quiet, ground)
    yield " " * room, ink.on("text-2", ground)


def title(row: Row) -> tuple[str, str]:
    """What a row is called, and what stands behind it: a call's arguments, an unusual name's model."""
    name = display(row.name or row.id, limit=TEXT_LIMIT)
    if row.level != Level.RUN:
        return name, ""
    if row.kind == Kind.LLM and row.model:
        model = display(row.model, limit=TEXT_LIMIT)
        return (model, "") if _says_nothing(name, model) else (name, model)
    rest = display(row.input_preview, limit=TEXT_LIMIT) if row.kind == Kind.TOOL and row.input_preview else ""
    return name, rest


def _says_nothing(name: str, model: str) -> bool:
    """A name that adds nothing to the model: `llm`, `ChatOpenAI`, `chat gpt-4.1`."""
    low = name.lower()
    return low in {"llm", "completion", "message", "generation"} or low.startswith("chat") or model.lower() in low


def _traces(row: Row, place: Place) -> str:
    if place.matching is None:  # of one trace nothing is said: the name takes the room
        return figures.counted(row.trace_count, "trace") if row.trace_count != 1 else ""
    return f"{place.matching} of {row.trace_count}"


def _where(row: Row, place: Place, look: Look) -> Iterator[Piece]:
    width, glyphs, ink, ground = look.columns.where, look.glyphs, look.ink, place.ground
    blank = ink.on("text-2", ground)
    axis = place.axis
    if axis is None or row.level == Level.THREAD:
        yield " " * width, blank
        return
    line = ink.on("axis" if ground == "bg" else "bar", ground)
    if row.level == Level.TRACE:
        failed = marked(axis.marks, width)
        for cell in range(width):
            yield (glyphs.failed, ink.on("bad", ground, bold=True)) if cell in failed else (glyphs.line, line)
        return
    span = axis.span(row, look.now_us)
    if span is None:
        yield " " * width, blank
    elif place.opened or row.pk in axis.aside:
        yield bar(span, width, glyphs.thin), line if place.opened else ink.on("bar", ground)
    else:
        failed_here = row.status == Status.ERROR
        role = "bad" if failed_here else "bar-hot" if place.cursor else "bar"
        yield bar(span, width, glyphs.thick), ink.on(role, ground)


def _last_at(row: Row) -> int | None:
    return row.ended_at if row.ended_at is not None else row.started_at


def _tokens(row: Row) -> int | None:
    if row.prompt_tokens is None and row.completion_tokens is None:
        return None
    return (row.prompt_tokens or 0) + (row.completion_tokens or 0)


def _last(row: Row, place: Place, look: Look) -> Iterator[Piece]:
    """The last column and the cell before it, where the edge of a bad chip stands."""
    ink, ground, width = look.ink, place.ground, look.columns.last
    blank = ink.on("text-2", ground)
    made = chips(row.feedback, look.keys)
    said = _said(row, place, look, made, width)
    if said is not None:
        text, style = said
        more = f" +{len(made)}" if made else ""
        shown = cells.cut(text, width - len(more), look.glyphs.ellipsis)
        yield " ", blank
        yield shown, style
        yield cells.left(more, width - cells.width(shown)), ink.on("muted", ground)
    elif made:
        yield from _chip(made[0], len(made) - 1, place, look)
    else:
        yield " " * (width + 1), blank


def _said(row: Row, place: Place, look: Look, made: list[Chip], width: int) -> Piece | None:
    """Words that go before the chips (an error, running), or in their place (how many errors)."""
    ink, ground = look.ink, place.ground
    since = row.sort_at if row.level == Level.THREAD else row.started_at  # of a thread its last trace
    if row.status == Status.RUNNING and since is not None:
        return f"running, {figures.age(look.now_us - since)}", ink.on("accent", ground)
    if row.level == Level.RUN and row.status == Status.ERROR and not _only_passed_on(row, place):
        return error_words(row.error, width), ink.on("off" if place.dimmed else "bad", ground)
    if made:
        return None
    if row.status == Status.ABANDONED:
        return "abandoned, no end", ink.on("muted", ground)
    if (failed := place.failed_inside(row)) and not (place.opened and row.level == Level.RUN):
        return figures.counted(failed, "error"), ink.on("off" if place.dimmed else "muted", ground)
    return None


def error_words(error: str | None, width: int) -> str:
    """An error in at most about `width` cells: its first line, or its class where the line is longer."""
    if not error:
        return "failed"
    error = error.lstrip()
    for empty in ("Error: ", "Exception: "):  # a class that says nothing
        error = error.removeprefix(empty)
    line = display(error.lstrip().partition("\n")[0], limit=TEXT_LIMIT).strip() or "failed"
    named = _CLASS.match(line)
    return named.group(1) if named is not None and cells.width(line) > width else line


def _chip(one: Chip, more: int, place: Place, look: Look) -> Iterator[Piece]:
    ink, ground, glyphs = look.ink, place.ground, look.glyphs
    width = look.columns.last
    bad = one.tone == Tone.BAD and not place.dimmed
    fill = "bad-bg" if bad and ink.colours["bad-bg"] else ground
    letters = glyphs.differ.join(one.sources) if one.tone == Tone.DIFFER else one.sources
    value = cells.cut(one.value, max(width - 8, 1), glyphs.ellipsis)
    tail = len(letters) + 1 + (1 if bad else 0)
    key = cells.cut(one.key, max(width - cells.width(value) - 1 - tail, 1), glyphs.ellipsis)
    word = "off" if place.dimmed else {Tone.BAD: "bad", Tone.GOOD: "good"}.get(one.tone, "text-2")
    loud = "off" if place.dimmed else {Tone.BAD: "text", Tone.GOOD: "good"}.get(one.tone, "text-2")
    yield (glyphs.bad_edge if bad else " "), ink.on("bad", ground)
    used = cells.width(key)
    yield key, ink.on(word, fill, bold=bad and fill == ground)
    if value:
        used += 1 + cells.width(value)
        yield " ", ink.on(word, fill)
        yield value, ink.on(loud, fill, bold=bad)
    if letters and used + 1 + len(letters) <= width:
        used += 1 + len(letters)
        yield " ", ink.on("muted" if not bad else "bad", fill)
        yield from _letters(letters, word if bad else "muted", fill, look)
    if bad and used < width:
        used += 1
        yield " ", ink.on("bad", fill)
    rest = f"+{more}" if more else ""
    if rest and not bad:
        rest = " " + rest
    rest = rest if used + len(rest) <= width else ""
    yield cells.left(rest, width - used), ink.on("off" if place.dimmed else "muted", ground)


def _letters(letters: str, role: str, fill: str, look: Look) -> Iterator[Piece]:
    for letter in letters:
        yield letter, look.ink.on("warn" if letter == look.glyphs.differ else role, fill)
