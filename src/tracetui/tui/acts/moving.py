"""Actions that move the cursor, fold and unfold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.model.kinds import Level

if TYPE_CHECKING:
    from tracetui.tui.browser import Step
    from tracetui.tui.screens.explorer import Explorer

Handler = Callable[["Explorer"], None]


def _move(explorer: Explorer, row: int) -> None:
    explorer.browser.follow = False
    explorer.listing.move(row)


def _down(explorer: Explorer) -> None:
    _move(explorer, explorer.listing.cursor + 1)


def _up(explorer: Explorer) -> None:
    _move(explorer, explorer.listing.cursor - 1)


def _turn(share: float) -> Handler:
    def turn(explorer: Explorer) -> None:
        explorer.browser.follow = False
        explorer.listing.turn(round(explorer.listing.page * share))

    return turn


def _first(explorer: Explorer) -> None:
    explorer.places.remember()
    explorer.browser.follow = True
    explorer.browser.new = 0
    explorer.listing.move(0)
    explorer.redraw_bars()


def _last(explorer: Explorer) -> None:
    explorer.places.remember()
    _move(explorer, len(explorer.listing.outline) - 1)


def _fold(explorer: Explorer) -> None:
    tree, spot = explorer.listing, explorer.listing.spot
    if spot is None:
        return
    if spot.node is not None:
        explorer.browser.fold(spot.key)
    elif len(tree.path) > 1:
        row = tree.outline.row(tree.path[:-1])
        if row is not None:
            _move(explorer, row)


def _unfold(explorer: Explorer) -> None:
    tree, spot = explorer.listing, explorer.listing.spot
    if spot is None:
        return
    if spot.node is not None:
        if spot.node.size:
            _move(explorer, tree.cursor + 1)
        return
    row = tree.current
    if row is None or row.child_count:
        explorer.browser.unfold(tree.path)


def open_(explorer: Explorer) -> None:
    """Into it: a thread and a trace unfold, then the cursor goes in; a run opens its detail."""
    spot = explorer.listing.spot
    if spot is None:
        return
    if spot.key[0] == Level.RUN or (spot.node is not None and not spot.node.size):
        explorer.panes.to_detail()
    else:
        _unfold(explorer)


def _step(what: Step, *, forward: bool, words: str) -> Handler:
    def step(explorer: Explorer) -> None:
        explorer.places.remember()
        key = explorer.judge.current if what == "unscored" else None
        then = explorer.places.found(words, forward=forward)
        explorer.browser.step(what, explorer.target, forward=forward, key=key, then=then)

    return step


def _match(*, forward: bool) -> Handler:
    def step(explorer: Explorer) -> None:
        explorer.places.remember()
        explorer.places.step_match(forward=forward, then=explorer.places.found("match", forward=forward))

    return step


def _marked(*, forward: bool) -> Handler:
    def step(explorer: Explorer) -> None:
        tree = explorer.listing
        rows = range(tree.cursor + 1, len(tree.outline)) if forward else range(tree.cursor - 1, -1, -1)
        for row in rows:
            if tree.is_marked(tree.outline.at(row).key):
                explorer.places.remember()
                _move(explorer, row)
                return
        explorer.say("no further mark here" if forward else "no mark before this")

    return step


def _beside(level: Level, *, forward: bool) -> Handler:
    """The next thread or trace: at once where the tree knows it, else the store is asked."""

    def step(explorer: Explorer) -> None:
        places = explorer.places
        places.remember()
        row = places.beside(level, forward=forward)
        if row is not None:
            explorer.listing.move(row, jump=True)
        else:
            places.step_match(forward=forward, level=level, then=places.found(level.value, forward=forward))

    return step


def _back(explorer: Explorer) -> None:
    explorer.places.jump(-1)


def _forward(explorer: Explorer) -> None:
    explorer.places.jump(1)


HANDLERS: dict[str, Handler] = {
    "cursor.down": _down,
    "cursor.up": _up,
    "cursor.first": _first,
    "cursor.last": _last,
    "page.down": _turn(1),
    "page.up": _turn(-1),
    "page.half_down": _turn(0.5),
    "page.half_up": _turn(-0.5),
    "tree.fold": _fold,
    "tree.unfold": _unfold,
    "open": open_,
    "next.error": _step("error", forward=True, words="error"),
    "prev.error": _step("error", forward=False, words="error"),
    "next.unscored": _step("unscored", forward=True, words="unscored row"),
    "prev.unscored": _step("unscored", forward=False, words="unscored row"),
    "next.feedback": _step("feedback", forward=True, words="feedback"),
    "prev.feedback": _step("feedback", forward=False, words="feedback"),
    "next.match": _match(forward=True),
    "prev.match": _match(forward=False),
    "next.marked": _marked(forward=True),
    "prev.marked": _marked(forward=False),
    "next.trace": _beside(Level.TRACE, forward=True),
    "prev.trace": _beside(Level.TRACE, forward=False),
    "next.thread": _beside(Level.THREAD, forward=True),
    "prev.thread": _beside(Level.THREAD, forward=False),
    "jump.back": _back,
    "jump.forward": _forward,
}
