"""Rules in the store: their versions, how far they have come, and who works on them.

A rule has two lanes. `live` follows what becomes ready from now on; `backfill` judges what was ready before, up to
`stop`. A lane's cursor is `(ready_rev, pk)` of the last target it passed. A worker claims a lane by raising its token;
every commit checks the token, so that whoever lost the lane (killed, stopped, too slow) writes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tracetui.model import jsonx
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level
from tracetui.store.db import Unchanged, writing

LEASE_US = 30 * 1_000_000
LIVE, BACKFILL = "live", "backfill"
READY, DONE, REMOVED, STOPPED = "ready", "done", "removed", "stopped"
"""States of a lane. A rule that stopped itself has `stopped: why`."""
TABLES = {Level.RUN: "run", Level.TRACE: "trace", Level.THREAD: "thread"}

Cursor = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Definition:
    """A rule as the store needs it: what it means as a digest and as JSON, and how a new version starts."""

    name: str
    digest: str
    spec: str
    enabled: bool
    history: bool


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule of the store with its current version."""

    pk: int
    name: str
    version: int
    digest: str
    spec: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """How far a rule has come in one lane."""

    rule: int
    lane: str
    version: int
    cursor: Cursor
    stop: int | None
    filter: str | None
    state: str
    owner: str | None
    token: int
    lease_until: int
    seen: int
    hits: int

    @property
    def key(self) -> tuple[int, str]:
        """What names it."""
        return self.rule, self.lane

    @property
    def reason(self) -> str | None:
        """Why the rule stopped itself, if it did."""
        state, _, reason = self.state.partition(": ")
        return reason if state == STOPPED else None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What following a rules file changed, by name of rule."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Those with a new version."""
    removed: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    """Those that had been removed from the file and stand in it again."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.back)


_LANE = "rule, lane, version, cursor_rev, cursor_pk, stop, filter, state, owner, token, lease_until, seen, hits"


def stored_rules(conn: sqlite3.Connection) -> dict[str, StoredRule]:
    """All rules of the store by name."""
    rows = conn.execute("SELECT pk, name, version, digest, spec, enabled FROM rule ORDER BY pk").fetchall()
    return {name: StoredRule(pk, name, version, digest, spec, bool(on)) for pk, name, version, digest, spec, on in rows}


def lanes(conn: sqlite3.Connection) -> dict[tuple[int, str], Lane]:
    """All lanes by rule and name."""
    rows = conn.execute(f"SELECT {_LANE} FROM rule_work").fetchall()
    return {(row[0], row[1]): _lane(row) for row in rows}


def _lane(row: Sequence[object]) -> Lane:
    rule, lane, version, rev, pk, *rest = row
    return Lane(rule, lane, version, (rev, pk), *rest)  # type: ignore[arg-type]  # the columns' own types


def sync(conn: sqlite3.Connection, definitions: Iterable[Definition]) -> SyncReport:
    """Make the store's rules those of a file. What is in no file any more is switched off; its feedback stays."""
    added: list[str] = []
    changed: list[str] = []
    back: list[str] = []
    with writing(conn) as rev:
        stored = stored_rules(conn)
        known = lanes(conn)
        touched = False
        names: set[str] = set()
        for one in definitions:
            names.add(one.name)
            old = stored.get(one.name)
            if old is None:
                _add(conn, one, rev)
                added.append(one.name)
            elif old.digest != one.digest:
                _new_version(conn, old, one, known, rev)
                changed.append(one.name)
            else:
                if old.spec != one.spec:
                    conn.execute("UPDATE rule SET spec = ? WHERE pk = ?", (one.spec, old.pk))
                    touched = True
                if _was_removed(old, known):
                    back.append(one.name)
                    _bring_back(conn, old, one)
        removed = [
            old for name, old in stored.items() if name not in names and (old.enabled or not _was_removed(old, known))
        ]
        for old in removed:
            _remove(conn, old)
        report = SyncReport(tuple(added), tuple(changed), tuple(old.name for old in removed), tuple(back))
        if not report and not touched:
            raise Unchanged
    return report


def _add(conn: sqlite3.Connection, one: Definition, rev: int) -> None:
    cursor = conn.execute(
        "INSERT INTO rule(name, version, digest, spec, enabled) VALUES (?, 1, ?, ?, ?)",
        (one.name, one.digest, one.spec, int(one.enabled)),
    )
    assert cursor.lastrowid is not None
    _start(conn, cursor.lastrowid, 1, rev, history=one.history)


def _new_version(
    conn: sqlite3.Connection, old: StoredRule, one: Definition, known: dict[tuple[int, str], Lane], rev: int
) -> None:
    enabled = one.enabled if _was_removed(old, known) else old.enabled
    conn.execute(
        "UPDATE rule SET version = ?, digest = ?, spec = ?, enabled = ? WHERE pk = ?",
        (old.version + 1, one.digest, one.spec, int(enabled), old.pk),
    )
    conn.execute("DELETE FROM rule_failure WHERE rule = ?", (old.pk,))
    _start(conn, old.pk, old.version + 1, rev, history=one.history)


def _start(conn: sqlite3.Connection, rule: int, version: int, rev: int, *, history: bool) -> None:
    """Begin a version: `live` at the present, `backfill` over what is there."""
    conn.execute("DELETE FROM rule_work WHERE rule = ? AND lane = ? AND ?", (rule, BACKFILL, not history))
    _restart(conn, rule, LIVE, version, rev, None, None)
    if history:
        _restart(conn, rule, BACKFILL, version, 0, rev, None)


def _restart(
    conn: sqlite3.Connection, rule: int, lane: str, version: int, cursor_rev: int, stop: int | None, where: str | None
) -> None:
    # the token goes on rising over the life of a lane: an old claim never fits again
    conn.execute(
        "INSERT INTO rule_work(rule, lane, version, cursor_rev, stop, filter, state) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(rule, lane) DO UPDATE SET version = excluded.version, cursor_rev = excluded.cursor_rev, "
        "cursor_pk = 0, stop = excluded.stop, filter = excluded.filter, state = excluded.state, owner = NULL, "
        "token = token + 1, lease_until = 0, seen = 0, hits = 0",
        (rule, lane, version, cursor_rev, stop, where, READY),
    )


def _was_removed(rule: StoredRule, known: dict[tuple[int, str], Lane]) -> bool:
    live = known.get((rule.pk, LIVE))
    return live is not None and live.state == REMOVED


def _remove(conn: sqlite3.Connection, rule: StoredRule) -> None:
    conn.execute("UPDATE rule SET enabled = 0 WHERE pk = ?", (rule.pk,))
    conn.execute(
        "UPDATE rule_work SET state = ?, owner = NULL, token = token + 1, lease_until = 0 "
        "WHERE rule = ? AND NOT (lane = ? AND state = ?)",
        (REMOVED, rule.pk, BACKFILL, DONE),
    )


def _bring_back(conn: sqlite3.Connection, old: StoredRule, one: Definition) -> None:
    """The same meaning as when it was removed: it goes on where it was."""
    conn.execute("UPDATE rule SET enabled = ? WHERE pk = ?", (int(one.enabled), old.pk))
    conn.execute("UPDATE rule_work SET state = ? WHERE rule = ? AND state = ?", (READY, old.pk, REMOVED))


def note_trouble(conn: sqlite3.Connection, trouble: str | None) -> None:
    """Note why the rules file cannot be followed, for every explorer to show; `None`: it can."""
    with writing(conn):
        if trouble == rules_trouble(conn):
            raise Unchanged
        conn.execute("DELETE FROM meta WHERE key = 'rules_trouble'")
        if trouble is not None:
            conn.execute("INSERT INTO meta(key, value) VALUES ('rules_trouble', ?)", (trouble,))


def rules_trouble(conn: sqlite3.Connection) -> str | None:
    """Why the rules file cannot be followed, with file and line; `None` where it can."""
    found = conn.execute("SELECT value FROM meta WHERE key = 'rules_trouble'").fetchone()
    return None if found is None else str(found[0])


def set_enabled(conn: sqlite3.Connection, name: str, on: bool) -> bool:
    """Switch a rule on or off; returns whether that changed anything. Raises `InputError` for an unknown name.

    A rule that is switched on goes on where it was, so it judges what came meanwhile; one that had stopped itself
    tries again.
    """
    changed = False
    with writing(conn):
        rule = find_rule(conn, name)
        known = lanes(conn)
        halted = [lane for lane in known.values() if lane.rule == rule.pk and lane.state.startswith(STOPPED)]
        if _was_removed(rule, known):
            raise InputError("Not in the rules file", f"{name} is no longer in the rules file.", "Put it back there.")
        if rule.enabled == on and not (on and halted):
            raise Unchanged
        conn.execute("UPDATE rule SET enabled = ? WHERE pk = ?", (int(on), rule.pk))
        if on:
            conn.execute(
                "UPDATE rule_work SET state = ? WHERE rule = ? AND state LIKE ?", (READY, rule.pk, f"{STOPPED}%")
            )
        else:
            conn.execute(
                "UPDATE rule_work SET owner = NULL, token = token + 1, lease_until = 0 WHERE rule = ?", (rule.pk,)
            )
        changed = True
    return changed


def resume(conn: sqlite3.Connection, name: str) -> None:
    """Let a rule that stopped itself try again, on or off."""
    with writing(conn):
        rule = find_rule(conn, name)
        if not conn.execute(
            "UPDATE rule_work SET state = ? WHERE rule = ? AND state LIKE ?", (READY, rule.pk, f"{STOPPED}%")
        ).rowcount:
            raise Unchanged


def find_rule(conn: sqlite3.Connection, name: str) -> StoredRule:
    """A rule by name. Raises `InputError` naming the nearest one."""
    from difflib import get_close_matches

    known = stored_rules(conn)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        if near:
            hint = f"Did you mean {near[0]}?"
        else:
            hint = f"There are {', '.join(known)}." if known else "tracetui rules STORE init writes a first set."
        raise InputError("No such rule", f"The store has no rule {name}.", hint)
    return known[name]


def request_backfill(conn: sqlite3.Connection, name: str, where: str | None = None) -> bool:
    """Have a rule judge what was there before it, all of it or what a filter finds. Returns whether there is work.

    What this version has judged is not judged again: a backfill over everything that is done, or on its way, stays.
    """
    asked = False
    with writing(conn) as rev:
        rule = find_rule(conn, name)
        lane = lanes(conn).get((rule.pk, BACKFILL))
        if lane is not None and lane.version == rule.version and lane.filter is None and lane.state in (READY, DONE):
            if lane.state == READY:
                asked = True
            raise Unchanged
        _restart(conn, rule.pk, BACKFILL, rule.version, 0, rev, where)
        asked = True
    return asked


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a lane is: targets passed, targets there are, of them judged, hits."""

    name: str
    version: int
    on: bool
    lane: str
    state: Literal["running", "waiting", "done", "off", "stopped"]
    passed: int
    total: int
    judged: int
    hits: int
    reason: str | None = None


def progress(conn: sqlite3.Connection) -> tuple[Progress, ...]:
    """Every lane of every rule. Costs some milliseconds per million targets that are still to do: ask once a second."""
    by_rule = {rule.pk: rule for rule in stored_rules(conn).values()}
    counts = _Counts(conn)
    out: list[Progress] = []
    for lane in lanes(conn).values():
        rule = by_rule[lane.rule]
        level = walked_level(rule.spec)
        total = counts.ready(level)
        left = 0 if lane.state == DONE else min(total, counts.after(level, lane.cursor, lane.stop))
        if lane.stop is not None:
            total -= min(total - left, counts.after(level, (lane.stop, _MAX_PK), None))
        out.append(
            Progress(rule.name, rule.version, rule.enabled, lane.lane, _state(rule, lane, left),
                     total - left, total, lane.seen, lane.hits, lane.reason)
        )  # fmt: skip
    return tuple(out)


class _Counts:
    """Counts of ready targets, each asked for once."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._known: dict[tuple[object, ...], int] = {}

    def ready(self, level: Level) -> int:
        """How many are ready; of very many about how many, by their row numbers."""
        table = TABLES[level]
        if (level,) not in self._known:
            most = self._conn.execute(f"SELECT max(pk) FROM {table}").fetchone()[0] or 0
            if most <= _EXACT:
                found = self._conn.execute(f"SELECT count(*) FROM {table} WHERE ready_rev > 0").fetchone()
            else:
                found = self._conn.execute(
                    f"SELECT ? - count(*) FROM {table} WHERE ready_rev IS NULL", (most,)
                ).fetchone()
            self._known[level,] = int(found[0])
        return self._known[level,]

    def after(self, level: Level, cursor: Cursor, stop: int | None) -> int:
        """How many are ready after a cursor, up to and with a revision."""
        if (level, cursor, stop) not in self._known:
            found = self._conn.execute(
                f"SELECT count(*) FROM {TABLES[level]} WHERE (ready_rev, pk) > (?, ?) AND ready_rev <= ?",
                (*cursor, _MAX_PK if stop is None else stop),
            ).fetchone()
            self._known[level, cursor, stop] = int(found[0])
        return self._known[level, cursor, stop]


_EXACT = 50_000
_MAX_PK = 2**62


def walked_level(spec: str) -> Level:
    """The level whose targets a rule goes through, from its stored text: not always the one that it judges."""
    return Level(jsonx.loads(spec)["walks"])


def _state(rule: StoredRule, lane: Lane, left: int) -> Literal["running", "waiting", "done", "off", "stopped"]:
    if lane.reason is not None:
        return "stopped"
    if not rule.enabled:
        return "off"
    if lane.state == DONE:
        return "done"
    return "running" if left or lane.lane == BACKFILL else "waiting"
