"""Why an action cannot be done just now, in a few words. Pure: all it knows is `State`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tracetui.model.kinds import KeyType
from tracetui.model.rows import FeedbackKey
from tracetui.tui.keys import Action
from tracetui.tui.scoring import scale, verdict


class State(NamedTuple):
    """What decides which keys do something."""

    row: bool = False
    """A row stands under the cursor."""
    read_only: str = ""
    """Why nothing can be written; empty: it can."""
    current: str | None = None
    """The current feedback key."""
    key: FeedbackKey | None = None
    """Its type, where the store has it."""
    filtered: bool = False
    marked: bool = False
    back: bool = False
    forward: bool = False
    repeat: bool = False
    split: bool = True
    """Both panes are on the screen."""
    detail: bool = True
    """There is a detail pane."""
    wrong: str = ""
    """What is wrong with the filter being typed."""
    fix: str = ""
    """What would mend it."""


def why_not(action: Action, state: State) -> str:
    """Why an action cannot be done; empty where it can."""
    return REASONS[action.reason](state, action) if action.reason else ""


def _row(state: State, _action: Action) -> str:
    return "" if state.row else "nothing here"


def _store(state: State, _action: Action) -> str:
    return state.read_only


def _write(state: State, action: Action) -> str:
    return state.read_only or _row(state, action)


def _stroke(state: State, action: Action) -> str:
    refused = _write(state, action)
    if refused:
        return refused
    made = verdict(state.current, state.key, action.keys[0])
    return made if isinstance(made, str) else ""


def _repeat(state: State, action: Action) -> str:
    return _write(state, action) or ("" if state.repeat else "nothing yet")


def _current(state: State, action: Action) -> str:
    return _row(state, action) or ("" if state.current else "no key yet")


def _filter(state: State, _action: Action) -> str:
    return "" if state.filtered else "no filter"


def _marked(state: State, _action: Action) -> str:
    return "" if state.marked else "nothing marked"


def _back(state: State, _action: Action) -> str:
    return "" if state.back else "no jump yet"


def _forward(state: State, _action: Action) -> str:
    return "" if state.forward else "nowhere"


def _pane(state: State, _action: Action) -> str:
    return "" if state.detail else "no detail here"


def _reads(state: State, _action: Action) -> str:
    return state.wrong


def _fix(state: State, _action: Action) -> str:
    return "" if state.fix else "nothing to mend"


REASONS: dict[str, Callable[[State, Action], str]] = {
    "row": _row,
    "store": _store,
    "write": _write,
    "stroke": _stroke,
    "repeat": _repeat,
    "current": _current,
    "filter": _filter,
    "marked": _marked,
    "back": _back,
    "forward": _forward,
    "pane": _pane,
    "reads": _reads,
    "fix": _fix,
}
"""By `Action.reason`."""


REMEDIES = {
    "no key yet": "s chooses or makes one",
    "no filter": "/ makes one",
    "nothing marked": "space marks",
    "nothing yet": "score something first",
}
"""What would make an action possible, by the reason why it is not."""


def what_scores(state: State) -> str:
    """How the current key is scored, for the help: `helpful is 1-5`."""
    if state.current is None:
        return "no key yet"
    if state.key is None:
        return f"{state.current}: its first score decides its type"
    if state.key.type == KeyType.CATEGORICAL:
        return f"{state.current}: s shows its letters"
    return f"{state.current} is {scale(state.key)}"
