"""What the explorer does with the answers of its feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracetui.model.kinds import Level
from tracetui.model.rows import FeedbackKey
from tracetui.tui.feed import CHANGED, Answer
from tracetui.tui.opening import Opening, refusal
from tracetui.tui.scoring import rubric

if TYPE_CHECKING:
    from tracetui.store.reading import Changes
    from tracetui.tui.screens.explorer import Explorer


def hear(explorer: Explorer, answer: Answer) -> None:
    """Put an answer where it belongs."""
    if answer.error is not None:
        explorer.trouble(answer.error)
        return
    match answer.topic:
        case "opening":
            _opened(explorer, answer.value)
        case "reopen" if answer.value:
            explorer.browser.go((answer.value[0].level, answer.value[0].pk))
        case "count" | "typed":
            explorer.filters.hear(answer)
            say_empty(explorer)
        case "find":
            explorer.filters.found(answer.value, explorer.mode)
        case "totals" | "rules":
            explorer.status.hear(answer)
        case "spread":
            explorer.judge.hear(answer)
        case "correct":
            from tracetui.tui.correcting import correct

            correct(explorer, answer.value)
        case "all":
            explorer.marking.take_all(answer.value)
        case "keys":
            _take_keys(explorer, answer.value)
        case topic if topic == CHANGED:
            _changed(explorer, answer.value)
        case _:
            explorer.browser.hear(answer)
            if answer.topic == "first":
                say_empty(explorer)
            if answer.topic == "rows":
                explorer.judge.settled(answer.value)


def _opened(explorer: Explorer, opening: Opening) -> None:
    """The store is open, and its first page is here."""
    explorer.store_id, explorer.memory = opening.store_id, opening.memory
    if not explorer.read_only:
        explorer.read_only = refusal(opening)
    explorer.status.watch = not opening.frozen
    explorer.listing.empty = []
    if opening.node is not None:
        explorer.filters.restore(opening.memory.filter, opening.node)
    explorer.browser.open(opening.first, opening.where)
    explorer.judge.current = opening.memory.key or rubric(explorer.shelf.keys.values())
    say_empty(explorer)
    explorer.redraw_bars()
    explorer.call_after_refresh(explorer.furnish)
    at = explorer.focus_on or opening.memory.at
    if at and len(explorer.listing.outline):
        level = "" if explorer.focus_on else opening.memory.level
        explorer.far.ask("reopen", lambda reader: [row for row in reader.find(at) if level in ("", row.level)])


def say_empty(explorer: Explorer) -> None:
    """Where there are no rows: what is missing, and what would bring some."""
    if not len(explorer.listing.outline) and explorer.browser.loaded:
        from tracetui.tui.empty import no_traces, nothing_matches

        filters = explorer.filters
        explorer.listing.empty = nothing_matches(filters.count) if filters.active else no_traces(str(explorer.path))
        explorer.listing.refresh()


def _take_keys(explorer: Explorer, keys: dict[str, FeedbackKey]) -> None:
    """The feedback keys of the store; those that were only made a moment ago stay."""
    shelf = explorer.shelf
    shelf.keys = {**{name: key for name, key in shelf.keys.items() if name not in keys}, **keys}
    explorer.listing.restyle()
    if explorer.panes.detail is not None:
        explorer.panes.detail.keys = shelf.keys
    explorer.redraw_footer()


def _changed(explorer: Explorer, changes: Changes) -> None:
    """Somebody wrote."""
    explorer.browser.changed(changes)
    explorer.status.changed()
    if changes.feedback or not explorer.shelf.keys:
        from tracetui.tui.questions import feedback_keys

        explorer.far.ask("keys", feedback_keys)
    if explorer.filters.active:
        explorer.later("recount", 0.3, explorer.filters.recount)
    row, detail = explorer.listing.current, explorer.panes.detail
    if detail is not None and row is not None:
        touched = {(Level.TRACE, pk) for pk in changes.traces} | set(changes.feedback)
        if (row.level, row.pk) in touched or (Level.TRACE, row.trace_pk) in touched:
            detail.reload()
