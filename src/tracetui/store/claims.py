"""Who works on which lane of a rule: claims by token, leases, and taking over from the dead.

A worker is named `host/boot/pid/start`, so that another one on the same machine sees at once whether it still lives;
elsewhere its lease has to run out.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from tracetui.store.db import immediate
from tracetui.store.rules import LEASE_US, READY, TABLES, Lane, StoredRule, lanes, stored_rules, walked_level


def own_name(pid: int | None = None) -> str:
    """The name of a process of this machine (this one) as an owner of lanes."""
    number = os.getpid() if pid is None else pid
    return f"{_place()}/{number}/{_started(number)}"


def _place() -> str:
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    space = ""
    with suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink()).removeprefix("pid:").strip("[]")
    return f"{socket.gethostname()}/{boot}.{space}"


def _started(pid: int) -> str:
    """When a process began, by its own count; empty where the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""


def is_dead(owner: str) -> bool:
    """Whether a worker is surely gone: it ran on this machine and no such process is there any more."""
    place, _, rest = owner.rpartition("/")
    place, _, number = place.rpartition("/")
    if place != _place() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return bool(rest) and _started(int(number)) != rest


def pending(
    conn: sqlite3.Connection, now: int, only: frozenset[str] | None = None
) -> tuple[list[tuple[StoredRule, Lane]], list[tuple[StoredRule, Lane]]]:
    """The lanes that have something to do: those free to claim, and those that a living worker has.

    Of the rules that are switched on, or of those named by `only`.
    """
    free: list[tuple[StoredRule, Lane]] = []
    taken: list[tuple[StoredRule, Lane]] = []
    rules = {
        rule.pk: rule for rule in stored_rules(conn).values() if (rule.enabled if only is None else rule.name in only)
    }
    dead: dict[str, bool] = {}
    for lane in lanes(conn).values():
        rule = rules.get(lane.rule)
        if rule is None or lane.state != READY or lane.version != rule.version:
            continue
        if lane.lane == "live" and not has_work(conn, rule, lane):
            continue
        if lane.lease_until >= now and lane.owner is not None:
            if lane.owner not in dead:
                dead[lane.owner] = is_dead(lane.owner)
            if not dead[lane.owner]:
                taken.append((rule, lane))
                continue
        free.append((rule, lane))
    return free, taken


def has_work(conn: sqlite3.Connection, rule: StoredRule, lane: Lane) -> bool:
    """Whether a target became ready after the lane's cursor."""
    table = TABLES[walked_level(rule.spec)]
    found = conn.execute(f"SELECT 1 FROM {table} WHERE (ready_rev, pk) > (?, ?) LIMIT 1", lane.cursor).fetchone()
    return found is not None


def claim(conn: sqlite3.Connection, owner: str, wanted: Sequence[Lane], now: int) -> list[Lane]:
    """Take lanes as they were seen; one that somebody else took or moved meanwhile is left out."""
    got: list[Lane] = []
    if not wanted:
        return got
    with immediate(conn):
        for lane in wanted:
            done = conn.execute(
                "UPDATE rule_work SET owner = ?, token = token + 1, lease_until = ? "
                "WHERE rule = ? AND lane = ? AND token = ? AND state = ?",
                (owner, now + LEASE_US, lane.rule, lane.lane, lane.token, READY),
            ).rowcount
            if done:
                got.append(lane)
    after = lanes(conn)
    return [after[lane.key] for lane in got if lane.key in after and after[lane.key].token == lane.token + 1]


def renew(conn: sqlite3.Connection, held: Iterable[Lane], now: int) -> None:
    """Keep lanes while a batch takes long."""
    with immediate(conn):
        conn.executemany(
            "UPDATE rule_work SET lease_until = ? WHERE rule = ? AND lane = ? AND token = ?",
            [(now + LEASE_US, lane.rule, lane.lane, lane.token) for lane in held],
        )


def finish(conn: sqlite3.Connection, lane: Lane, state: str) -> bool:
    """Give a lane back in another state (`done`, or `stopped: why`). Returns whether it was still ours."""
    with immediate(conn):
        done = conn.execute(
            "UPDATE rule_work SET state = ?, owner = NULL, lease_until = 0 WHERE rule = ? AND lane = ? AND token = ?",
            (state, lane.rule, lane.lane, lane.token),
        ).rowcount
    return bool(done)


def release(conn: sqlite3.Connection, held: Iterable[Lane]) -> None:
    """Give lanes back."""
    rows = [(lane.rule, lane.lane, lane.token) for lane in held]
    if rows:
        with immediate(conn):
            conn.executemany(
                "UPDATE rule_work SET owner = NULL, lease_until = 0 WHERE rule = ? AND lane = ? AND token = ?", rows
            )
