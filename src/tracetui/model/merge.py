"""How two messages about one run become one run. Pure, and the same whatever the order they come in.

A field takes the incoming value where that says something and (the incoming message is of the same or a later phase,
or nothing is known yet). Emptiness has a rank: absent = null < `{}` `[]` `""` < a value; so a started run's `{}` never
erases outputs, and an empty tool result is kept where there is nothing better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracetui.model.kinds import Kind, Phase, Status

ABSENT, EMPTY, VALUE = 0, 1, 2
_KINDS = frozenset(str(kind) for kind in Kind)
ABANDONED_AFTER_US = 30 * 60 * 1_000_000
"""Wall clock without news of its trace after which a running run is shown as abandoned."""


def rank(value: Any) -> int:
    """How much a value says: absent, empty, or something."""
    if value is None:
        return ABSENT
    return EMPTY if isinstance(value, str | dict | list | tuple | bytes) and len(value) == 0 else VALUE


def pick(stored: Any, incoming: Any, *, later: bool) -> Any:
    """The value that stays. `later`: the incoming message's phase is the stored row's or a later one."""
    new = rank(incoming)
    if new == ABSENT:
        return stored
    old = rank(stored)
    if new > old or (new == old and later):
        return incoming
    return stored


def merge_maps(stored: Mapping[str, Any], incoming: Mapping[str, Any], *, later: bool) -> dict[str, Any]:
    """Key by key under the same rule; keys keep the order in which they came."""
    out = dict(stored)
    for key, value in incoming.items():
        out[key] = pick(out.get(key), value, later=later) if key in out else value
    return out


def merge_tags(stored: tuple[str, ...], incoming: tuple[str, ...]) -> tuple[str, ...]:
    """The union, sorted: tags are a set."""
    return tuple(sorted({*stored, *incoming}))


def status_of(phase: int, error: str | None, said: str | None, *, abandoned: bool = False) -> str | None:
    """The status of a run: an error text wins, then what the source said, then whether it ended."""
    if phase == Phase.STUB:
        return None
    if error is not None or said == Status.ERROR:
        return Status.ERROR
    if said == Status.ABANDONED:
        return Status.ABANDONED
    if phase >= Phase.ENDED:
        return Status.SUCCESS
    return Status.ABANDONED if abandoned else Status.RUNNING


def kind_of(kind: str | None) -> str:
    """A known kind, else `other`."""
    return kind if kind is not None and kind in _KINDS else Kind.OTHER
