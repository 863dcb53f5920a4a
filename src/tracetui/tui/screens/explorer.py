"""The main screen: the tree, the detail beside it, what is filtered, what can be pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tracetui.model.errors import TracetuiError
from tracetui.model.kinds import Level
from tracetui.model.text import display
from tracetui.model.times import now_us
from tracetui.tui import keys, layout
from tracetui.tui.acts import DETAIL, HANDLERS, moving
from tracetui.tui.browser import Browser
from tracetui.tui.feed import CHANGED, Answer, Feed
from tracetui.tui.filtering import Filters
from tracetui.tui.ink import Glyphs, Ink, Piece
from tracetui.tui.judge import Judge
from tracetui.tui.keys import Action, Keymap, Where
from tracetui.tui.marking import Marking
from tracetui.tui.memory import Memory
from tracetui.tui.modes.base import Mode
from tracetui.tui.opening import Opening, refusal
from tracetui.tui.outline import Key, Outline
from tracetui.tui.places import Places
from tracetui.tui.reasons import State, why_not
from tracetui.tui.rows import title
from tracetui.tui.scoring import rubric, verdict
from tracetui.tui.shelf import Shelf
from tracetui.tui.status import TICK_S, Status
from tracetui.tui.widgets.filterbar import bar, faults
from tracetui.tui.widgets.footer import footer
from tracetui.tui.widgets.lines import Lines
from tracetui.tui.widgets.small import too_small
from tracetui.tui.widgets.topbar import top
from tracetui.tui.widgets.tree import Tree
from tracetui.tui.writing import Writing, Written

if TYPE_CHECKING:
    from tracetui.tui.modes.bar import BarMode
    from tracetui.tui.widgets.detail import DetailPane

_LATE_S = 0.2


class Panes(Widget):
    """Tree and detail side by side."""

    DEFAULT_CSS = "Panes { layout: horizontal; height: 1fr; }"


class Explorer(Screen[None]):
    """The explorer of one store."""

    DEFAULT_CSS = """
    Explorer { layers: default over; layout: vertical; overflow: hidden; }
    #bars { dock: top; }
    #footer { dock: bottom; }
    #drawer { layer: over; dock: bottom; margin-bottom: 1; display: none; }
    #faults { layer: over; dock: top; margin-top: 2; display: none; }
    #small { layer: over; dock: top; display: none; }
    """

    @dataclass
    class Heard(Message):
        """An answer of a feed."""

        answer: Answer

    @dataclass
    class Wrote(Message):
        """News of the writing thread."""

        news: Written

    def __init__(
        self,
        path: Path,
        near: Feed,
        far: Feed,
        writing: Writing | None,
        *,
        ink: Ink,
        glyphs: Glyphs,
        author: str,
        read_only: str = "",
        focus: str | None = None,
    ) -> None:
        super().__init__()
        self.path, self.far, self.writing = path, far, writing
        self.ink, self.glyphs, self.memory = ink, glyphs, Memory()
        self.author, self.read_only = author, read_only
        self.memory_changed = False
        self.keymap = Keymap()
        self.shelf = Shelf()
        self.listing = Tree(ink, glyphs, Outline(), self.shelf)
        self.detail: DetailPane | None = None
        self.browser = Browser(near, far, self.listing, self.shelf)
        self.filters, self.judge = Filters(self), Judge(self)
        self.status = Status(self)
        self.modes: list[Mode] = []
        self.places, self.marking = Places(self), Marking(self)
        self._focus = focus
        self._store_id = ""
        self._near = near
        self._in_detail = False
        self._zoomed = self._came_from_detail = False
        self._said: list[Piece] = []
        self._delayed: dict[str, Timer] = {}
        self._bars = Lines(ink, lines=2, id="bars")
        self._footer = Lines(ink, id="footer")
        self._drawer = Lines(ink, id="drawer")
        self._faults = Lines(ink, id="faults")
        self._small = Lines(ink, "bg", id="small")

    # -- building

    def compose(self) -> ComposeResult:
        """Bars, panes, footer, and what is drawn over them."""
        yield self._bars
        with Panes():
            yield self.listing
        yield self._footer
        yield self._drawer
        yield self._faults
        yield self._small

    def on_mount(self) -> None:
        """Begin to listen: the first page may be there already."""
        for feed in (self._near, self.far):
            feed.listen(self._hear)
        if self.writing is not None:
            self.writing.start(self._wrote)
        self.later("late", _LATE_S, self._late)

    def _hear(self, answer: Answer) -> None:
        self.post_message(self.Heard(answer))

    def _wrote(self, news: Written) -> None:
        self.post_message(self.Wrote(news))

    def _furnish(self) -> None:
        """What the first page does not need, once it is painted."""
        self.far.start()
        self.set_interval(TICK_S, self._tick)
        self.browser.go_on()
        self.status.tick()
        from tracetui.tui.widgets.detail import DetailPane

        self.detail = DetailPane(self.ink, self.glyphs, self.path)
        self.query_one(Panes).mount(self.detail)
        self._arrange()
        self._show_row()

    def _late(self) -> None:
        if not self.browser.loaded:
            self.listing.empty = [("reading", "off")]
            self.listing.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Another size: one pane or two."""
        self._small.display = self.too_small
        if self.too_small:
            width, height = self.size
            self._small.show(too_small(self.ink, width, height))
            return
        self._arrange()
        self.redraw_bars()
        self.redraw_mode()

    @property
    def too_small(self) -> bool:
        """Whether there is no room to show anything of use."""
        return self.size.width < layout.MIN_WIDTH or self.size.height < layout.MIN_HEIGHT

    @property
    def split(self) -> bool:
        """Whether both panes are on the screen."""
        return layout.panes(self.size.width).split and not self._zoomed

    def _arrange(self) -> None:
        widths = layout.panes(self.size.width)
        both = widths.split and not self._zoomed and self.detail is not None
        in_detail = self._in_detail and self.detail is not None
        self.listing.display = both or not in_detail
        self.listing.rule = both
        self.listing.styles.width = widths.tree + 1 if both else "1fr"
        if self.detail is not None:
            self.detail.display = both or in_detail
            self.detail.styles.width = "1fr"
            self.detail.focused_here = in_detail
        self.listing.focused_here = not in_detail
        self.listing.restyle()

    # -- keys

    @property
    def place(self) -> Where:
        """Where keys go when no mode takes them."""
        return Where.DETAIL if self._in_detail else Where.ROWS

    @property
    def state(self) -> State:
        """What decides which keys do something."""
        return State(
            row=self.listing.spot is not None,
            read_only=self.read_only,
            current=self.judge.current,
            key=self.judge.key,
            filtered=self.filters.active,
            marked=bool(self.listing.marks),
            back=bool(self.places.been),
            forward=bool(self.places.ahead),
            repeat=self.judge.last is not None,
            split=self.split,
            detail=self.detail is not None,
        )

    def on_key(self, event: events.Key) -> None:
        """Every key comes here: to the mode that is open, else to the action bound to it."""
        event.stop()
        event.prevent_default()
        key = keys.spelled(event.key, event.character)
        self.press(key)

    def press(self, key: str) -> None:
        """Do what a key does."""
        if self.too_small:
            if key in ("q", "ctrl+c"):
                self.app.exit()
            return
        if self._said:
            self.unsay()
        if self.modes:
            mode = self.modes[-1]
            action = self.keymap.press(mode.where, key)
            if action is not None:
                mode.act(action.id)
            elif key == "ctrl+c":
                mode.leave()
            else:
                mode.type(key)
            return
        pending = self.keymap.pending
        action = self.keymap.press(self.place, key)
        if action is not None:
            self.do(action)
        elif pending and key != "esc":
            self.say(f"{pending}{key}", "is no key")
        if pending or self.keymap.pending:
            self.redraw_footer()

    def do(self, action: Action) -> None:
        """Do an action, or say why not."""
        reason = why_not(action, self.state)
        if reason:
            self.say(action.description, reason)
        else:
            (DETAIL if self._in_detail else HANDLERS)[action.id](self)

    def stroke(self, stroke: str) -> None:
        """Score with the current key."""
        made = verdict(self.judge.current, self.judge.key, stroke)
        if isinstance(made, str):
            self.say(made)
        else:
            self.judge.give(made)
            self.redraw_footer()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text goes to what is being typed; elsewhere it is no keys."""
        event.stop()
        if self.modes:
            self.modes[-1].paste(event.text)

    # -- modes

    def enter(self, mode: Mode) -> None:
        """Open a mode."""
        self.modes.append(mode)
        self._said = []
        self.redraw_mode()
        self.redraw_bars()

    def leave(self, mode: Mode) -> None:
        """Close a mode."""
        if mode in self.modes:
            self.modes.remove(mode)
        self.redraw_mode()
        self.redraw_bars()

    def redraw_mode(self) -> None:
        """Draw what stands above the footer: the mode that is open, or what is said once."""
        lines = self.modes[-1].lines(self.size.width, self.size.height - 4) if self.modes else []
        ground = "surface"
        if not lines and self._said:
            lines, ground = [self._said], "bg"
        if self._drawer.display != bool(lines):
            self._drawer.display = bool(lines)
        if lines:
            self._drawer.show(lines[: max(self.size.height - 4, 1)], ground)
        self.listing.cover(len(lines))
        self.redraw_footer()

    def redraw_footer(self) -> None:
        """Draw the footer."""
        if self.modes:
            items, end = self.modes[-1].items(), self.modes[-1].end()
        else:
            items, end = self.status.footer()
        self._footer.show([footer(items, end, self.ink, self.size.width)])

    def redraw_bars(self) -> None:
        """Draw the two lines at the top, and what is wrong with the filter below them."""
        mode = self.modes[-1] if self.modes else None
        said = self.filters.bar(cast("BarMode", mode) if mode is not None and mode.where == Where.BAR else None)
        width = self.size.width
        self._bars.show([
            top(self.status.top(), self.ink, self.glyphs, width), bar(said, self.ink, self.glyphs, width),
        ])  # fmt: skip
        wrong = faults(said, self.ink, self.glyphs, width)
        if self._faults.display != bool(wrong):
            self._faults.display = bool(wrong)
        if wrong:
            self._faults.show(wrong)
        self._say_new()
        self.redraw_footer()

    def say(self, what: str, more: str = "", *, undo: bool = False) -> None:
        """Say something once: it is gone at the next key."""
        muted, accent = self.ink.on("muted"), self.ink.on("accent", bold=True)
        self._said = [
            ("   " + display(what), self.ink.on("text")),
            (f" {display(more)}" if more else "", self.ink.on("text-2")),
        ]
        if undo:
            self._said += [("   ", muted), ("u", accent), (" undo   ", muted), (".", accent), (" again", muted)]
        self.redraw_mode()

    def unsay(self) -> None:
        """What was said is over."""
        self._said = []
        self.redraw_mode()

    def _say_new(self) -> None:
        if self.browser.new and not self._said and not self.modes:
            muted = self.ink.on("muted")
            self._said = [
                (f"   {self.browser.new:,} new", self.ink.on("accent")),
                ("   ", muted), ("g", self.ink.on("accent", bold=True)), (" goes there", muted),
            ]  # fmt: skip
            self.redraw_mode()

    def trouble(self, error: Exception) -> None:
        """Say that something went wrong, in words that can be copied."""
        from tracetui.tui.screens.trouble import Trouble

        if not isinstance(error, TracetuiError):
            error = TracetuiError("Something is wrong", f"{type(error).__name__}: {error}", "Please report it.")
        self.app.push_screen(Trouble(error, self.ink))

    # -- panes

    def show_detail(self) -> None:
        """The keys go to the detail."""
        if self.detail is not None:
            self._in_detail = True
            self._arrange()
            self._show_row()
            self.redraw_footer()

    def show_tree(self) -> None:
        """The keys go to the tree."""
        self._in_detail = self._zoomed = False
        self._arrange()
        self.redraw_footer()

    def zoom(self) -> None:
        """The detail alone, or both again."""
        self._zoomed = not self._zoomed
        if self._zoomed:
            self._came_from_detail, self._in_detail = self._in_detail, True
        else:
            self._in_detail = self._came_from_detail
        self._arrange()
        self.redraw_footer()

    def _show_row(self) -> None:
        row = self.listing.current
        if self.detail is not None and row is not None and self.detail.display:
            self.detail.show(row.level, row.pk)

    @property
    def target(self) -> Key | None:
        """What the cursor's row is in the store."""
        row = self.listing.current
        if row is not None:
            return row.level, row.pk
        spot = self.listing.spot
        return None if spot is None else spot.key

    @property
    def called(self) -> str:
        """The name of the cursor's row."""
        row = self.listing.current
        return "" if row is None else title(row)[0]

    # -- what is heard

    def on_explorer_heard(self, message: Heard) -> None:
        """An answer: put it where it belongs."""
        answer = message.answer
        if answer.error is not None:
            self.trouble(answer.error)
            return
        match answer.topic:
            case "opening":
                self._opened(answer.value)
            case "count" | "typed":
                self.filters.hear(answer)
                self._say_empty()
            case "totals" | "rules":
                self.status.hear(answer)
            case "find":
                self.filters.found(answer.value, self.modes[-1] if self.modes else None)
            case "reopen":
                if answer.value:
                    self.browser.go((answer.value[0].level, answer.value[0].pk))
            case "spread":
                self.judge.hear(answer)
            case "correct":
                from tracetui.tui.correcting import correct

                correct(self, answer.value)
            case "all":
                self.marking.take_all(answer.value)
            case "keys":
                self.shelf.keys = {
                    **answer.value,
                    **{k: v for k, v in self.shelf.keys.items() if k not in answer.value},
                }
                self.listing.restyle()
                if self.detail is not None:
                    self.detail.keys = self.shelf.keys
                self.redraw_footer()
            case topic if topic == CHANGED:
                self._changed(answer)
            case _:
                self.browser.hear(answer)
                if answer.topic == "rows":
                    self.judge.settled(answer.value)

    def _opened(self, opening: Opening) -> None:
        """The store is open, and its first page is here."""
        self._store_id, self.memory = opening.store_id, opening.memory
        if not self.read_only:
            self.read_only = refusal(opening)
        self.status.watch = not opening.frozen
        self.listing.empty = []
        if opening.node is not None:
            self.filters.restore(opening.memory.filter, opening.node)
        self.browser.open(opening.first, opening.where)
        self.call_after_refresh(self._furnish)
        self.judge.current = opening.memory.key or rubric(self.shelf.keys.values())
        self._say_empty()
        self.redraw_bars()
        at = self._focus or opening.memory.at
        if at and len(self.listing.outline):
            level = "" if self._focus else opening.memory.level
            self.far.ask("reopen", lambda reader: [row for row in reader.find(at) if level in ("", row.level)])

    def _say_empty(self) -> None:
        if not len(self.listing.outline) and self.browser.loaded:
            from tracetui.tui.empty import no_traces, nothing_matches

            active = self.filters.active
            self.listing.empty = nothing_matches(self.filters.count) if active else no_traces(str(self.path))
            self.listing.refresh()

    def _changed(self, answer: Answer) -> None:
        self.browser.changed(answer.value)
        self.status.changed()
        if answer.value.feedback or not self.shelf.keys:
            from tracetui.tui.questions import feedback_keys

            self.far.ask("keys", feedback_keys)
        if self.filters.active:
            self.later("recount", 0.3, self.filters.recount)
        row = self.listing.current
        if self.detail is not None and row is not None:
            touched = {(Level.TRACE, pk) for pk in answer.value.traces} | set(answer.value.feedback)
            if (row.level, row.pk) in touched or (Level.TRACE, row.trace_pk) in touched:
                self.detail.reload()

    def on_explorer_wrote(self, message: Wrote) -> None:
        """News of what was written."""
        self.judge.wrote(message.news)

    def on_tree_moved(self, message: Tree.Moved) -> None:
        """The cursor stands elsewhere: the detail follows."""
        if self.marking.stretching:
            self.marking.stretch()
        self._show_row()

    def on_tree_scrolled(self) -> None:
        """Other rows are in sight."""
        self.browser.fill()
        self._say_new()

    def on_tree_clicked(self) -> None:
        """A click on the cursor's row."""
        if not self.modes:
            moving.open_(self)

    # -- time

    def later(self, name: str, seconds: float, act: Callable[[], object]) -> None:
        """Do something a moment from now, in place of what was to be done under that name."""
        timer = self._delayed.pop(name, None)
        if timer is not None:
            timer.stop()
        self._delayed[name] = self.set_timer(seconds, act)

    def _tick(self) -> None:
        self.listing.tick(now_us())
        if self.detail is not None:
            self.detail.tick()
        self.status.tick()
        waiting, age = self.writing.waiting() if self.writing is not None else (0, 0.0)
        if waiting and age > 1:
            self.redraw_bars()
        if self.memory_changed:
            self.memory_changed = False
            self.keep()

    def keep(self) -> None:
        """Remember filter, cursor, key and drafts in the person's own file."""
        from tracetui.tui import memory

        row = self.listing.current
        self.memory = replace(
            self.memory,
            filter=self.filters.text,
            at=row.id if row is not None else "",
            level=row.level.value if row is not None else "",
            key=self.judge.current or "",
        )
        if self._store_id:
            memory.keep(self._store_id, self.memory)
