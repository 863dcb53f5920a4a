"""Scores that people give, with undo and redo that outlive a restart.

An edit is one step of a person: it is opened, its rows are written in short transactions, then it is done. A kill in
the middle leaves it open; it is closed as done when its author's next Scorer opens, so that it can be undone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tracetui.model import jsonx
from tracetui.model.errors import InputError
from tracetui.model.ids import feedback_id
from tracetui.model.kinds import Level, Source
from tracetui.model.rows import FeedbackKey
from tracetui.model.times import now_us
from tracetui.store import feedback, keys
from tracetui.store.content import Contents, Encoder
from tracetui.store.db import Checkpointer, connect_write, writing
from tracetui.store.feedback import FeedbackData
from tracetui.store.rollup import recompute_thread, recompute_trace

CHUNK = 40
PAUSE_S = 0.002
_OPEN_US = 10 * 60 * 1_000_000
"""An edit that has been open for longer was cut off."""

Target = tuple[Level, int]
Progress = Callable[[int, int], None]


class Unset:
    """Not given, where `None` is a value of its own."""


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class EditResult:
    """What a step did: its number, its name, how many rows it changed, and which targets."""

    edit: int
    label: str
    changed: int
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What undo or redo did; `left` rows were changed by others since and stay as they are."""

    label: str
    changed: int
    left: int
    targets: tuple[Target, ...]


class Scorer:
    """Writes one author's feedback. Safe to call from several threads."""

    def __init__(self, path: str | Path, author: str, *, clock: Callable[[], int] = now_us) -> None:
        self.author = author
        self._conn = connect_write(path)
        self._encoder = Encoder(self._conn)
        self._contents = Contents(self._conn)
        self._checkpoints = Checkpointer(path)
        self._clock = clock
        self._lock = threading.Lock()
        with writing(self._conn):
            self._conn.execute(
                "UPDATE edit SET state = 'done' WHERE author = ? AND state = 'open' AND at < ?",
                (author, clock() - _OPEN_US),
            )

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            self._checkpoints.close()
            self._conn.close()

    # -- keys

    def keys(self) -> tuple[FeedbackKey, ...]:
        """All keys of the store."""
        with self._lock:
            return feedback.read_keys(self._conn)

    def define(self, key: FeedbackKey) -> None:
        """Define a key. Raises `InputError` for a name or bounds that make no sense."""
        if not key.key.strip() or any(not char.isprintable() for char in key.key):
            raise InputError("Not a key", f"{key.key!r} is no name for a key.", "Use letters, digits, - and _.")
        if key.min is not None and key.max is not None and key.min > key.max:
            raise InputError("Not a range", f"{key.min:g} is above {key.max:g}.", "Give the smaller number first.")
        with self._lock, writing(self._conn):
            feedback.write_key(self._conn, key)

    # -- scoring

    def score(
        self,
        targets: Sequence[Target],
        key: str,
        *,
        score: float | None = None,
        value: str | None = None,
        comment: str | Unset | None = UNSET,
        correction: Any = UNSET,
        source: str = Source.HUMAN,
        boolean: bool = False,
        label: str = "",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> EditResult:
        """Say something of targets under one key: one step, however many they are.

        Without score and value what this author said before stays and only comment or correction change. Raises
        `InputError` where the key does not allow it; then nothing is written. `cancelled` is asked between short
        transactions; what was written till then is one step that can be undone.
        """
        with self._lock:
            known = feedback.read_key(self._conn, key)
            if known is not None and (score is not None or value is not None):
                keys.check(known, score, value)
            score = None if score is None else float(score)
            value, comment = _clean(value), comment if isinstance(comment, Unset) else _clean(comment)

            def change(old: FeedbackData | None, fresh: FeedbackData) -> FeedbackData:
                if old is not None and old.deleted:  # taken back or undone: its row stays, and is said anew
                    row = replace(fresh, pk=old.pk, created_at=old.created_at)
                else:
                    row = fresh if old is None else replace(old)
                if score is not None or value is not None:
                    row.score, row.value = score, value
                if not isinstance(comment, Unset):
                    row.comment = comment or None
                if not isinstance(correction, Unset):
                    row.correction = None if correction is None else self._encoder.encode(correction)
                row.deleted = 0
                return row

            def ensure() -> None:
                feedback.ensure_key(self._conn, key, boolean=boolean, score=score, value=value)

            shown = label or f"{key}={value if value is not None else f'{score:g}' if score is not None else '...'}"
            return self._edit(targets, key, source, shown, change, ensure, progress, cancelled)

    def said(self, target: Target, key: str, *, source: str = Source.HUMAN) -> bool:
        """Whether this author has scored a target under a key."""
        with self._lock:
            ident = self._fresh(target, key, source, 0).id
            row = feedback.load(self._conn, [ident]).get(ident)
        return row is not None and not row.deleted and (row.score is not None or row.value is not None)

    def take_back(
        self, targets: Sequence[Target], key: str, *, source: str = Source.HUMAN, label: str = "",
        progress: Progress | None = None, cancelled: Callable[[], bool] | None = None,
    ) -> EditResult:  # fmt: skip
        """Delete what this author said of targets under a key."""

        def change(old: FeedbackData | None, fresh: FeedbackData) -> FeedbackData | None:
            return None if old is None or old.deleted else replace(old, deleted=1)

        with self._lock:
            return self._edit(
                targets, key, source, label or f"take back {key}", change, lambda: None, progress, cancelled
            )

    def _edit(
        self,
        targets: Sequence[Target],
        key: str,
        source: str,
        label: str,
        change: Callable[[FeedbackData | None, FeedbackData], FeedbackData | None],
        ensure: Callable[[], None],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> EditResult:
        edit = 0
        changed: list[Target] = []
        at = 0
        while at < len(targets) or at == 0:
            if at and cancelled is not None and cancelled():
                break
            chunk = targets[at : at + CHUNK]
            with writing(self._conn) as rev:
                now = self._clock()
                if not edit:
                    edit = self._open(label, now)
                    ensure()
                changed += self._apply(edit, chunk, key, source, change, rev, now)
                if at + CHUNK >= len(targets):
                    self._close_edit(edit, bool(changed))
            at += CHUNK
            self._checkpoints.after_commit()
            if progress is not None:
                progress(min(at, len(targets)), len(targets))
            if at < len(targets):
                time.sleep(PAUSE_S)
        else:
            return EditResult(edit, label, len(changed), tuple(changed))
        with writing(self._conn):
            self._close_edit(edit, bool(changed))
        return EditResult(edit, label, len(changed), tuple(changed))

    def _open(self, label: str, now: int) -> int:
        cursor = self._conn.execute(
            "INSERT INTO edit(author, at, label, state) VALUES (?, ?, ?, 'open')", (self.author, now, label)
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _close_edit(self, edit: int, changed: bool) -> None:
        if not changed:
            self._conn.execute("DELETE FROM edit WHERE pk = ?", (edit,))
            return
        self._conn.execute("UPDATE edit SET state = 'dead' WHERE author = ? AND state = 'undone'", (self.author,))
        self._conn.execute("UPDATE edit SET state = 'done' WHERE pk = ?", (edit,))

    def _apply(
        self, edit: int, targets: Sequence[Target], key: str, source: str,
        change: Callable[[FeedbackData | None, FeedbackData], FeedbackData | None], rev: int, now: int,
    ) -> list[Target]:  # fmt: skip
        fresh = [self._fresh(target, key, source, now) for target in targets]
        stored = feedback.load(self._conn, [row.id for row in fresh])
        self._encoder.begin(alone=False)
        rows: list[FeedbackData] = []
        done: list[Target] = []
        for target, blank in zip(targets, fresh, strict=True):
            old = stored.get(blank.id)
            new = change(old, blank)
            if new is None or (old is not None and old.said() == new.said()):
                continue
            new.modified_at, new.rev = now, rev
            self._conn.execute(
                "INSERT INTO edit_item(edit, feedback, before, after) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(edit, feedback) DO UPDATE SET after = excluded.after",
                (edit, new.id, _text(old), _text(new)),
            )
            rows.append(new)
            done.append(target)
        self._save(rows, rev, now)
        return done

    def _fresh(self, target: Target, key: str, source: str, now: int) -> FeedbackData:
        """A blank row of this author on a target. Feedback on an implicit thread goes to its trace."""
        level, pk = target
        table = {Level.RUN: "run", Level.TRACE: "trace", Level.THREAD: "thread"}[Level(level)]
        found = self._conn.execute(f"SELECT id FROM {table} WHERE pk = ?", (pk,)).fetchone()
        if found is None:
            raise InputError("Gone", f"This {table} is no longer in the store.", "Open it anew.")
        ident, project, trace = found[0], "", None
        if level == Level.THREAD:
            project, implicit = self._conn.execute(
                "SELECT project, implicit FROM thread WHERE pk = ?", (pk,)
            ).fetchone()
            if implicit:
                only = self._conn.execute("SELECT pk FROM trace WHERE thread = ? LIMIT 1", (pk,)).fetchone()
                if only is None:
                    raise InputError("Gone", "This trace is no longer in the store.", "Open it anew.")
                return self._fresh((Level.TRACE, only[0]), key, source, now)
        elif level == Level.TRACE:
            trace = pk
        else:
            trace = self._conn.execute("SELECT trace FROM run WHERE pk = ?", (pk,)).fetchone()[0]
        return FeedbackData(
            pk=None, id=feedback_id(level, ident, key, source, self.author, project), level=level, target=pk,
            trace=trace, key=key, source=source, author=self.author, created_at=now, modified_at=now,
        )  # fmt: skip

    def _save(self, rows: list[FeedbackData], rev: int, now: int) -> None:
        self._encoder.flush()
        feedback.save(self._conn, rows)
        traces, threads = feedback.touched_by(rows)
        for trace in sorted(traces):
            recompute_trace(self._conn, trace, rev, now, self._contents, data=False)
            threads.add(self._conn.execute("SELECT thread FROM trace WHERE pk = ?", (trace,)).fetchone()[0])
        for thread in sorted(threads):
            recompute_thread(self._conn, thread, rev, now, data=False)

    # -- undo and redo

    def undo(self) -> UndoResult | None:
        """Take back this author's last step; `None` where there is none."""
        with self._lock:
            return self._step("done", "DESC", "undone", forward=False)

    def redo(self) -> UndoResult | None:
        """Do again what was undone last; `None` where there is nothing."""
        with self._lock:
            return self._step("undone", "ASC", "done", forward=True)

    def _step(self, state: str, order: str, becomes: str, *, forward: bool) -> UndoResult | None:
        found = self._conn.execute(
            f"SELECT pk, label FROM edit WHERE author = ? AND state = ? ORDER BY pk {order} LIMIT 1",
            (self.author, state),
        ).fetchone()
        if found is None:
            return None
        edit, label = found
        items = self._conn.execute(
            "SELECT feedback, before, after FROM edit_item WHERE edit = ? ORDER BY feedback", (edit,)
        ).fetchall()
        targets: list[Target] = []
        left = 0
        for at in range(0, max(len(items), 1), CHUNK):
            with writing(self._conn) as rev:
                now = self._clock()
                rows = self._reverse(items[at : at + CHUNK], forward)
                left += sum(row is None for row in rows)
                real = [row for row in rows if row is not None]
                for row in real:
                    row.modified_at, row.rev = now, rev
                self._save(real, rev, now)
                targets += [(Level(row.level), row.target) for row in real]
                if at + CHUNK >= len(items):
                    self._conn.execute("UPDATE edit SET state = ? WHERE pk = ?", (becomes, edit))
            self._checkpoints.after_commit()
        return UndoResult(label, len(targets), left, tuple(targets))

    def _reverse(self, items: list[tuple[str, str | None, str | None]], forward: bool) -> list[FeedbackData | None]:
        """The rows to write for these items; `None` for one that changed since."""
        stored = feedback.load(self._conn, [item[0] for item in items])
        out: list[FeedbackData | None] = []
        for ident, before, after in items:
            here, there = (before, after) if forward else (after, before)
            now_row = stored.get(ident)
            if _text(now_row) != here:
                # a killed undo comes here again for rows it had written: those are as they should be
                out += [] if _text(now_row) == there else [None]
                continue
            out.append(_row(there, now_row))
        return out


def _text(row: FeedbackData | None) -> str | None:
    """A row as the edit log keeps it: what is said, without times. A deleted row is as good as none."""
    if row is None or row.deleted:
        return None
    data = asdict(row)
    for name in ("pk", "rev", "modified_at", "trace", "created_at"):
        del data[name]
    if row.correction is not None:
        data["correction"] = row.correction.decode()
    return jsonx.dumps(data).decode()


def _row(text: str | None, stored: FeedbackData | None) -> FeedbackData:
    """The row that an edit item describes, to be written over the stored one."""
    assert stored is not None, "feedback rows are never removed, only marked as deleted"
    if text is None:
        return replace(stored, deleted=1)
    data = jsonx.loads(text)
    if data["correction"] is not None:
        data["correction"] = data["correction"].encode()
    return FeedbackData(pk=stored.pk, trace=stored.trace, created_at=stored.created_at, **data)


def _clean(text: str | None) -> str | None:
    """Lone surrogates (from a terminal or an editor) are no text that a column can hold."""
    return None if text is None else text.encode("utf-8", "replace").decode()
