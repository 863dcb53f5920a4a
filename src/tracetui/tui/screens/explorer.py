"""The main screen: the tree, the detail beside it, what is filtered, what can be pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from tracetui.model.text import display
from tracetui.model.times import now_us
from tracetui.tui import keys, layout
from tracetui.tui.acts import DETAIL, HANDLERS, moving
from tracetui.tui.browser import Browser
from tracetui.tui.feed import Answer, Feed
from tracetui.tui.filtering import Filters
from tracetui.tui.hearing import hear
from tracetui.tui.ink import Glyphs, Ink, Piece
from tracetui.tui.judge import Judge
from tracetui.tui.keys import Action, Keymap, Where
from tracetui.tui.marking import Marking
from tracetui.tui.memory import Memory, keep
from tracetui.tui.modes.base import Mode
from tracetui.tui.outline import Key, Outline
from tracetui.tui.panes import Panes
from tracetui.tui.places import Places
from tracetui.tui.reasons import REMEDIES, State, why_not
from tracetui.tui.rows import title
from tracetui.tui.scoring import verdict
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

_LATE_S = 0.2


class Explorer(Screen[None]):
    """The explorer of one store."""

    DEFAULT_CSS = """
    Explorer { layers: default over; layout: vertical; overflow: hidden; }
    #panes { layout: horizontal; height: 1fr; }
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
        lists: Feed,
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
        self.browser = Browser(near, lists, self.listing, self.shelf)
        self.filters, self.judge = Filters(self), Judge(self)
        self.status = Status(self)
        self.modes: list[Mode] = []
        self.panes, self.places, self.marking = Panes(self), Places(self), Marking(self)
        self.focus_on = focus
        """Id of the row to open on."""
        self.store_id = ""
        self._said: list[Piece] = []
        self._told = ""
        """The trouble that was said last."""
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
        with Widget(id="panes"):
            yield self.listing
        yield self._footer
        yield self._drawer
        yield self._faults
        yield self._small

    def on_mount(self) -> None:
        """Begin to listen: the first page may be there already."""
        for feed in (self.browser.near, self.browser.lists, self.far):
            feed.listen(self._hear)
        self.later("late", _LATE_S, self._late)

    def _hear(self, answer: Answer) -> None:
        self.post_message(self.Heard(answer))

    def _wrote(self, news: Written) -> None:
        self.post_message(self.Wrote(news))

    def furnish(self) -> None:
        """What the first page does not need, once it is painted."""
        self.browser.lists.start()
        self.far.start()
        if self.writing is not None:
            self.writing.start(self._wrote)
        self.set_interval(TICK_S, self._tick)
        self.browser.go_on()
        self.status.tick()
        detail = self.panes.furnish()
        self.query_one("#panes").mount(detail)
        detail.keys = self.shelf.keys
        self.panes.arrange()
        self.panes.show_row()

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
        self.panes.arrange()
        self.redraw_bars()
        self.redraw_mode()

    @property
    def too_small(self) -> bool:
        """Whether there is no room to show anything of use."""
        return not layout.fits(*self.size)

    # -- keys

    @property
    def place(self) -> Where:
        """Where keys go when no mode takes them."""
        return self.panes.place

    @property
    def mode(self) -> Mode | None:
        """What takes the keys, if anything does."""
        return self.modes[-1] if self.modes else None

    @property
    def state(self) -> State:
        """What decides which keys do something."""
        return self.status.state

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
        elif not self.keymap.pending and len(key) == 1:
            self.say(f"{key} is no key here", "? has them all")
        if pending or self.keymap.pending:
            self.redraw_footer()

    def do(self, action: Action) -> None:
        """Do an action, or say why not."""
        reason = why_not(action, self.state)
        if reason:
            self.say(reason, REMEDIES.get(reason, f"so {keys.shown(action.keys[0])} does nothing"))
        else:
            (DETAIL if self.place == Where.DETAIL else HANDLERS)[action.id](self)

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
        if len(lines) > 1 and self.ink.colours["surface"] is None:  # no ground sets the drawer apart: a line does
            lines = [[(self.glyphs.line * self.size.width, self.ink.on("rule"))], *lines]
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
        mode = self.mode
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

    def say(self, what: str, more: str = "", *, undo: bool = False, again: bool = False) -> None:
        """Say something once: it is gone at the next key. `undo`, `again`: with the keys that do so."""
        muted, accent = self.ink.on("muted"), self.ink.on("accent", bold=True)
        self._said = [
            ("   " + display(what), self.ink.on("text")),
            (f" {display(more)}" if more else "", self.ink.on("text-2")),
        ]
        if undo:
            self._said += [("   ", muted), ("u", accent), (" undo", muted)]
        if again:
            self._said += [("   ", muted), (".", accent), (" again", muted)]
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
        """Say that something went wrong. A store that cannot be read says so at every try: once is enough."""
        from tracetui.tui.screens.trouble import Trouble, in_words

        if not isinstance(self.app.screen, Trouble) and str(error) != self._told:
            self._told = str(error)
            self.app.push_screen(Trouble(in_words(error), self.ink, self.glyphs))

    # -- where one is

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
        return "" if (row := self.listing.current) is None else title(row)[0]

    # -- what is heard

    def on_explorer_heard(self, message: Heard) -> None:
        """An answer of a feed."""
        hear(self, message.answer)

    def on_explorer_wrote(self, message: Wrote) -> None:
        """News of what was written."""
        self.judge.wrote(message.news)

    def on_tree_moved(self, message: Tree.Moved) -> None:
        """The cursor stands elsewhere: the detail follows."""
        if self.marking.stretching:
            self.marking.stretch()
        self.panes.show_row()

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
        if self.panes.detail is not None:
            self.panes.detail.tick()
        self.status.tick()
        waiting, age = self.writing.waiting() if self.writing is not None else (0, 0.0)
        if waiting and age > 1:
            self.redraw_bars()
        if self.memory_changed:
            self.memory_changed = False
            self.keep()

    def keep(self) -> None:
        """Remember filter, cursor, key and drafts in the person's own file."""
        row = self.listing.current
        self.memory.filter, self.memory.key = self.filters.text, self.judge.current or ""
        self.memory.at, self.memory.level = (row.id, row.level.value) if row is not None else ("", "")
        if self.store_id:
            keep(self.store_id, self.memory)
