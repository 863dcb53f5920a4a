"""Actions that open, close, filter, help, leave; and those of the detail pane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracetui.tui.keys import Where

if TYPE_CHECKING:
    from tracetui.tui.screens.explorer import Explorer
    from tracetui.tui.widgets.detail import DetailPane

Handler = Callable[["Explorer"], None]


def _close(explorer: Explorer) -> None:
    """Out of what is transient: marks, then the detail, then the filter."""
    if explorer.marking.stretching or explorer.listing.marks:
        explorer.marking.clear()
    elif explorer.place == Where.DETAIL:
        explorer.panes.to_tree()
    elif explorer.filters.active:
        explorer.filters.clear()


def _other(explorer: Explorer) -> None:
    if explorer.place == Where.DETAIL:
        explorer.panes.to_tree()
    else:
        explorer.panes.to_detail()


def _zoom(explorer: Explorer) -> None:
    explorer.panes.zoom()


def _filter(explorer: Explorer) -> None:
    from tracetui.tui.modes.bar import BarMode

    text = explorer.filters.text
    explorer.enter(BarMode(explorer, f"{text} " if text else ""))


def _help(explorer: Explorer) -> None:
    from tracetui.tui.modes.help import HelpMode

    explorer.enter(HelpMode(explorer, explorer.place))


def _quit(explorer: Explorer) -> None:
    explorer.app.exit()


def _stop(explorer: Explorer) -> None:
    if explorer.writing is not None and explorer.writing.cancel():
        explorer.say("stopping")
    else:
        explorer.say("nothing runs", "q leaves")


def _in_detail(act: Callable[[DetailPane], object]) -> Handler:
    """Something the detail pane does."""

    def do(explorer: Explorer) -> None:
        if explorer.panes.detail is not None:
            act(explorer.panes.detail)

    return do


def _tab(number: int) -> Handler:
    return _in_detail(lambda pane: pane.action_tab(number))


DETAIL: dict[str, Handler] = {
    "cursor.down": _in_detail(lambda pane: pane.action_cursor_down()),
    "cursor.up": _in_detail(lambda pane: pane.action_cursor_up()),
    "cursor.first": _in_detail(lambda pane: pane.action_cursor_first()),
    "cursor.last": _in_detail(lambda pane: pane.action_cursor_last()),
    "page.down": _in_detail(lambda pane: pane.action_page_down()),
    "page.up": _in_detail(lambda pane: pane.action_page_up()),
    "page.half_down": _in_detail(lambda pane: pane.action_page_half_down()),
    "page.half_up": _in_detail(lambda pane: pane.action_page_half_up()),
    "open": _in_detail(lambda pane: pane.action_open()),
    "detail.prev": _in_detail(lambda pane: pane.action_prev_tab()),
    "detail.next": _in_detail(lambda pane: pane.action_next_tab()),
    **{f"detail.tab{n}": _tab(n) for n in range(1, 10)},
}
"""What actions do where the detail has the keys, and the tree would do something else."""

HANDLERS: dict[str, Handler] = {
    "close": _close,
    "pane.other": _other,
    "view.zoom": _zoom,
    "view.earlier": _in_detail(lambda pane: pane.action_earlier()),
    "filter.edit": _filter,
    "help": _help,
    "quit": _quit,
    "stop": _stop,
}
