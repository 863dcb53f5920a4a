"""What the tree shows and how it gets there: questions to the feed, and their answers put into outline and shelf."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from tracetui.model.kinds import Level, Status
from tracetui.model.rows import Row
from tracetui.model.times import now_us
from tracetui.tui import questions
from tracetui.tui.feed import LATER, NOW, SOON, Answer, Feed
from tracetui.tui.outline import Key, Path
from tracetui.tui.questions import Kids, Way
from tracetui.tui.shelf import Shelf
from tracetui.tui.widgets.tree import Tree

if TYPE_CHECKING:
    from tracetui.store.filters import Where
    from tracetui.store.reading import Changes, Reader

Step = Literal["error", "unscored", "feedback", "match"]


class Browser:
    """Keeps the tree filled. `near` reads what is in sight; `lists` what a filter may make long."""

    def __init__(self, near: Feed, lists: Feed, tree: Tree, shelf: Shelf) -> None:
        self.near, self.lists = near, lists
        self.tree, self.shelf = tree, shelf
        self.where: Where | None = None
        """The filter, at the level of traces."""
        self.new = 0
        """Threads that came in above since somebody looked."""
        self.follow = False
        """Whether the cursor goes to what comes in at the top."""
        self.loaded = False
        self.painted = False
        """The first page is on the screen: only then more is read."""
        self._after: questions.After = None
        self._owner: dict[Key, int] = {}
        """Unfolded rows -> the trace they belong to, or are."""
        self._asked: set[Key] = set()
        self._stale: set[Key] = set()
        self._then: Callable[[bool], None] | None = None
        self._loaded: Callable[[], None] | None = None
        self._handlers: dict[str, Callable[[Any], None]] = {
            "first": self._first,
            "threads": self._more_threads,
            "rows": self._rows,
            "axes": self._axes,
            "matching": self._matching,
            "way": self._way,
            "fresh": self._fresh_threads,
            "refreshed": self._refreshed,
            "dim": self._dim,
        }

    # -- answers

    def hear(self, answer: Answer) -> bool:
        """Take an answer in; whether it was for the tree."""
        handler = self._handlers.get(answer.topic)
        if handler is not None:
            handler(answer.value)
            return True
        if answer.topic.startswith("kids "):
            self._kids(answer.value)
            return True
        if answer.topic.startswith("more "):
            self._more_kids(answer.value)
            return True
        return False

    # -- the list of threads

    def begin(self, lines: int) -> None:
        """Read the first page."""
        self.lists.ask("first", partial(questions.first, where=self.where, lines=lines), NOW)

    def filter(self, where: Where | None, then: Callable[[], None] | None = None) -> None:
        """Show what a filter matches; everything for `None`. `then` is called when its first page is there."""
        self.where = where
        self._loaded = then
        self.tree.filtered = where is not None
        self.shelf.matching.clear()
        self.shelf.dimmed.clear()
        self._owner.clear()
        self._asked.clear()
        self.new = 0
        for topic in ("rows", "matching", "way", "dim", "fresh", "refreshed"):
            self.near.forget(topic)
        for topic in ("threads", "way"):
            self.lists.forget(topic)
        self.begin(self.tree.size.height + 1)

    def open(self, first: questions.First, where: Where | None) -> None:
        """Show the first page of a store, filtered as it was left."""
        self.where = where
        self.tree.filtered = where is not None
        self._first(first)

    def _first(self, first: questions.First) -> None:
        outline = self.tree.outline
        for node in list(outline.opened()):
            if node.key is not None and not first.kids.pks:
                outline.fold(node.key)
        outline.replace(None, [], complete=False)
        self.shelf.keys = first.keys
        self.shelf.put(first.rows)
        outline.replace(None, first.kids.pks, complete=first.kids.after is None)
        self._after = first.kids.after
        self.loaded = True
        self.tree.cursor = self.tree.top = 0
        self.tree.restyle()
        self.tree.reflow(outline.path(0) if len(outline) else (), 0)
        self.tree.post_message(Tree.Moved(0))
        if self.painted:
            self._ask_threads()
        then, self._loaded = self._loaded, None
        if then is not None:
            then()

    def go_on(self) -> None:
        """The first page is painted: read what is around it."""
        self.painted = True
        self._ask_threads()
        self.fill()

    def _ask_threads(self) -> None:
        if self._after is not None:
            ask = partial(questions.threads, where=self.where, after=self._after)
            self.lists.ask("threads", ask, LATER)

    def _more_threads(self, kids: Kids) -> None:
        path, offset = self.tree.path, self.tree.offset_of_cursor
        known = set(self.tree.outline.root.kids[: self.new]) if self.new else set()
        pks = [pk for pk in kids.pks if pk not in known]
        self._after = kids.after
        self.tree.outline.extend(None, pks, complete=kids.after is None)
        self.tree.reflow(path, offset)
        self._ask_threads()

    # -- rows in sight

    def fill(self) -> None:
        """Ask for what is in sight, or nearly, and not known."""
        if not self.painted:
            return
        missing: list[Key] = []
        traces: dict[int, Row] = {}
        threads: list[int] = []
        for spot in self.tree.wanted():
            row = self.shelf.rows.get(spot.key)
            if row is None or spot.key in self._stale:
                missing.append(spot.key)
            elif row.level == Level.TRACE and row.pk not in self.shelf.axes:
                traces[row.pk] = row
            if self.where is not None and spot.key[0] == Level.THREAD and spot.key[1] not in self.shelf.matching:
                threads.append(spot.key[1])
        if missing:
            self.near.ask("rows", partial(questions.rows, keys=missing), NOW)
        if traces:
            self.near.ask("axes", partial(questions.axes, traces=list(traces.values()), now_us=now_us()), SOON)
        if threads and self.where is not None:
            self.near.ask("matching", partial(questions.matching, thread_pks=threads, where=self.where), SOON)

    def _rows(self, rows: dict[Key, Row]) -> None:
        self._stale -= rows.keys()
        self.shelf.put(rows)
        self.tree.redraw(set(rows))
        if self.tree.spot is not None and self.tree.spot.key in rows:
            self.tree.post_message(Tree.Moved(self.tree.cursor))
        self.fill()

    def reread(self, keys: Iterable[Key]) -> None:
        """Read these again where they are shown."""
        self._stale.update(keys)
        self.fill()

    def _axes(self, axes: dict[int, Any]) -> None:
        for trace, axis in axes.items():
            self.shelf.axes.put(trace, axis)
        self.tree.refresh()

    def _matching(self, counts: dict[int, int]) -> None:
        for thread, count in counts.items():
            self.shelf.matching.put(thread, count)
            key = (Level.THREAD, thread)
            if not count:
                self.shelf.dimmed.add(key)
            else:
                self.shelf.dimmed.discard(key)
        self.tree.refresh()

    # -- folding

    def unfold(self, path: Path) -> None:
        """Unfold a row; its children come when they are read."""
        key = path[-1]
        if not self.tree.outline.is_open(key) and key not in self._asked:
            self._asked.add(key)
            self.near.ask(f"kids {key[0]} {key[1]}", partial(questions.kids, key=key, where=self.where), NOW)

    def fold(self, key: Key) -> None:
        """Fold a row."""
        path, offset = self.tree.path, self.tree.offset_of_cursor
        self.tree.outline.fold(key)
        self._owner = {one: trace for one, trace in self._owner.items() if self.tree.outline.is_open(one)}
        self.tree.reflow(path, offset)

    def _kids(self, kids: Kids) -> None:
        assert kids.key is not None
        self._asked.discard(kids.key)
        path, offset = self.tree.path, self.tree.offset_of_cursor
        above = self._path_of(kids.key)
        if above is not None:
            self._open(above, kids)
            self.tree.reflow(path, offset)

    def _path_of(self, key: Key) -> Path | None:
        """The path of a row in sight or of an unfolded one."""
        node = self.tree.outline.node(key)
        if node is not None:
            return self.tree.outline.above(node)
        if self.tree.path and self.tree.path[-1] == key:
            return self.tree.path
        for row in range(self.tree.top, min(self.tree.top + self.tree.size.height, len(self.tree.outline))):
            if self.tree.outline.at(row).key == key:
                return self.tree.outline.path(row)
        return None

    def _open(self, path: Path, kids: Kids) -> None:
        outline = self.tree.outline
        if outline.is_open(path[-1]):
            outline.replace(path[-1], kids.pks, complete=kids.after is None)
        else:
            outline.unfold(path, kids.level, kids.pks, complete=kids.after is None)
        self._own(path)
        if kids.after is not None:
            ask = partial(questions.kids, key=path[-1], where=self.where, after=kids.after, chain=0)
            self.near.ask(f"more {path[-1][0]} {path[-1][1]}", ask, LATER)
        if kids.only is not None:
            self._open((*path, (kids.level, kids.pks[0])), kids.only)

    def _own(self, path: Path) -> None:
        """Note which trace an unfolded row belongs to, so that news of the trace reaches its children."""
        key = path[-1]
        row = self.shelf.rows.get(key)
        if key[0] == Level.TRACE:
            self._owner[key] = key[1]
        elif key[0] == Level.RUN and path[-2] in self._owner:
            self._owner[key] = self._owner[path[-2]]
        elif row is not None and row.level == Level.TRACE:  # a thread that stands for its only trace
            self._owner[key] = row.pk

    def _more_kids(self, kids: Kids) -> None:
        assert kids.key is not None
        path, offset = self.tree.path, self.tree.offset_of_cursor
        self.tree.outline.extend(kids.key, kids.pks, complete=kids.after is None)
        self.tree.reflow(path, offset)
        if kids.after is not None:
            ask = partial(questions.kids, key=kids.key, where=self.where, after=kids.after, chain=0)
            self.near.ask(f"more {kids.key[0]} {kids.key[1]}", ask, LATER)

    # -- going somewhere

    def go(self, target: Key, then: Callable[[bool], None] | None = None) -> None:
        """Put the cursor on a row wherever it is; `then` hears whether it was found."""
        self._then = then
        self._ask_way(partial(self._find_way, target=target))

    def step(
        self, what: Step, at: Key | None, *, forward: bool, key: str | None, then: Callable[[bool], None],
        where: Where | None = None,
    ) -> None:  # fmt: skip
        """Go to the next (or previous) row of a sort."""
        self._then = then
        known = self._known()

        def read(reader: Reader) -> Way | None:
            target = reader.step(what, at, forward, where=where or self.where, key=key)
            return None if target is None else questions.way(reader, target, self.where, *known)

        self._ask_way(read)

    def _ask_way(self, read: Callable[[Reader], Way | None]) -> None:
        """Ask now; what a filter is still being read for waits, and goes on when the way is found."""
        self.near.forget("way")
        self.lists.forget("way")
        self.lists.forget("threads")
        (self.near if self.where is None else self.lists).ask("way", read, NOW)

    def _known(self) -> tuple[frozenset[Key], questions.After, bool]:
        outline = self.tree.outline
        unfolded = frozenset(node.key for node in outline.opened() if node.complete and node.key is not None)
        return unfolded, self._after, outline.root.complete

    def _find_way(self, reader: Reader, target: Key) -> Way | None:
        return questions.way(reader, target, self.where, *self._known())

    def _way(self, way: Way | None) -> None:
        then, self._then = self._then, None
        outline = self.tree.outline
        found = False
        if way is not None:
            self.shelf.put(way.rows)
            path, offset = self.tree.path, self.tree.offset_of_cursor
            if way.rest is not None and not outline.root.complete:
                outline.extend(None, way.rest.pks, complete=way.rest.after is None)
                self._after = way.rest.after
            for kids in way.kids:
                assert kids.key is not None
                place = way.path.index(kids.key)
                self._open(way.path[: place + 1], kids)
            self.tree.reflow(path, offset)
            row = outline.row(way.path)
            if row is not None:
                found = True
                self.tree.move(row, jump=True)
                self.tree.post_message(Tree.Moved(row))
        self._ask_threads()
        if then is not None:
            then(found)

    # -- changes made elsewhere

    def changed(self, changes: Changes) -> None:
        """Somebody wrote: read again what is shown of it, and take in what is new."""
        traces, threads = set(changes.traces), set(changes.threads)
        touched: set[Key] = {(Level.THREAD, pk) for pk in threads} | {(Level.TRACE, pk) for pk in traces}
        touched |= {(level, pk) for level, pk in changes.feedback}
        for key, row in self.shelf.rows.items():
            trace = row.pk if row.level == Level.TRACE else row.trace_pk
            if key in touched or trace in traces:
                self._stale.add(key)
        for trace in traces:
            self.shelf.axes.pop(trace, None)
        known = set(self.tree.outline.root.kids)
        new = [pk for pk in changes.threads if pk not in known]
        if new:
            self.near.ask("fresh", partial(questions.fresh, pks=new, where=self.where), SOON)
        again = [key for key, trace in self._owner.items() if trace in traces]
        again += [key for key in touched if key[0] == Level.THREAD and self.tree.outline.is_open(key)]
        if again:
            self.near.ask("refreshed", partial(questions.again, keys=list(dict.fromkeys(again)), where=self.where))
        if self.where is not None:
            for thread in threads:
                self.shelf.matching.pop(thread, None)
            if traces:
                self.near.ask("dim", partial(questions.fallen, traces=sorted(traces), where=self.where), SOON)
        self.fill()

    def _fresh_threads(self, pks: list[int]) -> None:
        known = set(self.tree.outline.root.kids)
        pks = [pk for pk in pks if pk not in known]
        if not pks:
            return
        path, offset = self.tree.path, self.tree.offset_of_cursor
        self.tree.outline.prepend(pks)
        self.new += len(pks)
        if self.follow or not path:
            self.tree.reflow(self.tree.outline.path(0), 0)
            self.tree.move(0)
            self.new = 0
        else:
            self.tree.reflow(path, offset)
        self.tree.post_message(Tree.Scrolled())

    def _refreshed(self, found: list[Kids]) -> None:
        path, offset = self.tree.path, self.tree.offset_of_cursor
        for kids in found:
            node = self.tree.outline.node(kids.key)
            if node is None or node.level != kids.level:
                continue
            pks = kids.pks
            if self.where is not None:  # what fell out of the filter stays, dimmed, until the list is left
                known = set(node.kids)
                pks = node.kids + array("q", [pk for pk in kids.pks if pk not in known])
            if node.kids != pks:
                self.tree.outline.replace(kids.key, pks, complete=True)
        self.tree.reflow(path, offset)

    def _dim(self, fallen: tuple[list[int], list[int]]) -> None:
        gone, back = fallen
        shown = {row.pk: key for key, row in self.shelf.rows.items() if row.level == Level.TRACE}
        self.shelf.dimmed |= {shown[pk] for pk in gone if pk in shown}
        self.shelf.dimmed -= {shown[pk] for pk in back if pk in shown}
        self.tree.refresh()

    @property
    def running(self) -> bool:
        """Whether a row in sight is at work."""
        return any(
            row is not None and row.status == Status.RUNNING
            for row in (self.shelf.rows.get(spot.key) for spot in self.tree.wanted())
        )
