"""The tables, as SQLModel classes: the one definition.

`python -m tracetui.store.tables` writes `schema.sql` from them; new stores are made from that file by `sqlite3` alone,
since importing SQLModel costs half a second. A test holds classes and file equal. Meaning and invariants of every
column: docs/data-model.md. Times are integer microseconds UTC, `rev` is the store's revision at a row's last change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field, SQLModel

from tracetui.store.version import APPLICATION_ID, SCHEMA_VERSION


class _Any(UserDefinedType[Any]):
    """SQLite's ANY: keeps what it is given, as it is given, also in a STRICT table."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "ANY"


def _text(*, null: bool = True, **more: Any) -> Any:
    return Field(default=None, sa_column=Column(Text, nullable=null, **more))


def _int(*args: Any, null: bool = True, default: int | None = None) -> Any:
    server = None if default is None else text(str(default))
    return Field(default=None, sa_column=Column(Integer, *args, nullable=null, server_default=server))


def _real() -> Any:
    return Field(default=None, sa_column=Column(REAL, nullable=True))


def _blob(*, null: bool = True, **more: Any) -> Any:
    return Field(default=None, sa_column=Column(LargeBinary, nullable=null, **more))


def _pk(**more: Any) -> Any:
    return Field(default=None, sa_column=Column(Integer, primary_key=True, **more))


_STRICT = {"sqlite_strict": True}
_KEYED = {"sqlite_strict": True, "sqlite_with_rowid": False}


class Meta(SQLModel, table=True):
    """Facts of the store: `rev`, `store_id`, `authorities` (JSON list of id prefixes)."""

    __tablename__ = "meta"
    __table_args__ = (_KEYED,)
    key: str = Field(sa_column=Column(Text, primary_key=True))
    value: Any = Field(default=None, sa_column=Column(_Any, nullable=True))


class Thread(SQLModel, table=True):
    """A conversation: traces of one session. `implicit`: made for a trace that has no session."""

    __tablename__ = "thread"
    __table_args__ = (
        UniqueConstraint("project", "id"),
        Index("thread_page", text("sort_at DESC"), text("pk DESC"), sqlite_where=text("run_count > 0")),
        Index("thread_id", "id"),
        Index("thread_ready", "ready_rev", "pk"),
        Index("thread_open", "touched_at", sqlite_where=text("ready_rev IS NULL")),
        Index("thread_rev", "rev"),
        _STRICT,
    )
    pk: int = _pk()
    project: str = _text(null=False, server_default="")
    id: str = _text(null=False)
    implicit: int = _int(null=False)
    name: str | None = _text()
    user: str | None = _text()
    sort_at: int = _int(null=False)
    started_at: int | None = _int()
    ended_at: int | None = _int()
    trace_count: int = _int(null=False, default=0)
    run_count: int = _int(null=False, default=0)
    error_count: int = _int(null=False, default=0)
    llm_calls: int = _int(null=False, default=0)
    tool_calls: int = _int(null=False, default=0)
    prompt_tokens: int | None = _int()
    completion_tokens: int | None = _int()
    cache_read_tokens: int | None = _int()
    cache_write_tokens: int | None = _int()
    reasoning_tokens: int | None = _int()
    cost: float | None = _real()
    feedback: str | None = _text()
    touched_at: int = _int(null=False)
    ready_rev: int | None = _int()
    rev: int = _int(null=False)


class Trace(SQLModel, table=True):
    """One run of an agent, from its root run down."""

    __tablename__ = "trace"
    __table_args__ = (
        CheckConstraint("metadata IS NULL OR json_valid(metadata)"),
        Index("trace_page", text("sort_at DESC"), text("pk DESC"), sqlite_where=text("run_count > 0")),
        Index("trace_thread", "thread", "sort_at", "pk"),
        Index("trace_error", text("sort_at DESC"), text("pk DESC"), sqlite_where=text("error_count > 0")),
        Index("trace_ready", "ready_rev", "pk"),
        Index("trace_open", "touched_at", sqlite_where=text("ready_rev IS NULL")),
        Index("trace_running", "touched_at", sqlite_where=text("running > 0")),
        Index("trace_rev", "rev"),
        _STRICT,
    )
    pk: int = _pk()
    id: str = _text(null=False, unique=True)
    thread: int = _int(ForeignKey("thread.pk"), null=False)
    project: str | None = _text()
    name: str | None = _text()
    status: str | None = _text()
    root: int | None = _int(ForeignKey("run.pk"))
    sort_at: int = _int(null=False)
    started_at: int | None = _int()
    ended_at: int | None = _int()
    run_count: int = _int(null=False, default=0)
    error_count: int = _int(null=False, default=0)
    running: int = _int(null=False, default=0)
    llm_calls: int = _int(null=False, default=0)
    tool_calls: int = _int(null=False, default=0)
    prompt_tokens: int | None = _int()
    completion_tokens: int | None = _int()
    cache_read_tokens: int | None = _int()
    cache_write_tokens: int | None = _int()
    reasoning_tokens: int | None = _int()
    cost: float | None = _real()
    tags: str | None = _text()
    metadata_: str | None = Field(default=None, sa_column=Column("metadata", Text, nullable=True))
    input_preview: str | None = _text()
    output_preview: str | None = _text()
    feedback: str | None = _text()
    received_at: int = _int(null=False)
    touched_at: int = _int(null=False)
    ready_rev: int | None = _int()
    rev: int = _int(null=False)


class Run(SQLModel, table=True):
    """One step: a model call, a tool call, an agent, ... `phase` 0 = only referred to, 1 = started, 2 = ended."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("metadata IS NULL OR json_valid(metadata)"),
        Index("run_page", text("position DESC"), text("pk DESC"), sqlite_where=text("phase > 0")),
        Index("run_tree", "trace", "parent", "position", "pk"),
        Index("run_parent", "parent", sqlite_where=text("parent IS NOT NULL")),
        Index("run_session", "trace", sqlite_where=text("session IS NOT NULL")),
        Index("run_error", text("position DESC"), text("pk DESC"), sqlite_where=text("status = 'error'")),
        Index("run_stub", "trace", "parent", sqlite_where=text("phase = 0")),
        Index("run_ready", "ready_rev", "pk"),
        _STRICT,
    )
    pk: int = _pk()
    id: str = _text(null=False, unique=True)
    trace: int = _int(ForeignKey("trace.pk"), null=False)
    parent: int | None = _int(ForeignKey("run.pk"))
    phase: int = _int(null=False)
    position: int = _int(null=False)
    name: str | None = _text()
    trace_name: str | None = _text()
    kind: str | None = _text()
    status: str | None = _text()
    error: str | None = _text()
    session: str | None = _text()
    user: str | None = _text()
    project: str | None = _text()
    started_at: int | None = _int()
    ended_at: int | None = _int()
    first_token_us: int | None = _int()
    model: str | None = _text()
    provider: str | None = _text()
    response_id: str | None = _text()
    prompt_tokens: int | None = _int()
    completion_tokens: int | None = _int()
    cache_read_tokens: int | None = _int()
    cache_write_tokens: int | None = _int()
    reasoning_tokens: int | None = _int()
    cost: float | None = _real()
    cost_source: str | None = _text()
    counts_usage: int = _int(null=False, default=0)
    tags: str | None = _text()
    metadata_: str | None = Field(default=None, sa_column=Column("metadata", Text, nullable=True))
    inputs: bytes | None = _blob()
    outputs: bytes | None = _blob()
    extra: bytes | None = _blob()
    ready_rev: int | None = _int()
    rev: int = _int(null=False)


class Content(SQLModel, table=True):
    """A JSON subtree kept once. `hash` = blake2b-128 of the body, `size` = bytes of the body before its codec."""

    __tablename__ = "content"
    __table_args__ = ({"sqlite_strict": True, "sqlite_autoincrement": True},)
    pk: int = _pk()
    hash: bytes = _blob(null=False, unique=True)
    codec: int = _int(null=False)
    size: int = _int(null=False)
    body: bytes = _blob(null=False)


class Mention(SQLModel, table=True):
    """A content that a trace reaches, and the run it first appeared in (least `at`)."""

    __tablename__ = "mention"
    __table_args__ = (Index("mention_trace", "trace"), _KEYED)
    content: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    trace: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    run: int = _int(null=False)
    at: int = _int(null=False)


class Feedback(SQLModel, table=True):
    """What somebody says of a run, trace or thread. `trace` is NULL for threads only."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("level IN ('run', 'trace', 'thread')"),
        CheckConstraint("(level = 'thread') = (trace IS NULL)"),
        Index("feedback_target", "level", "target"),
        Index("feedback_trace", "trace", sqlite_where=text("trace IS NOT NULL")),
        Index("feedback_score", "key", "score", "pk", sqlite_where=text("deleted = 0")),
        Index("feedback_rev", "rev"),
        _STRICT,
    )
    pk: int = _pk()
    id: str = _text(null=False, unique=True)
    level: str = _text(null=False)
    target: int = _int(null=False)
    trace: int | None = _int()
    key: str = _text(null=False)
    score: float | None = _real()
    value: str | None = _text()
    comment: str | None = _text()
    correction: bytes | None = _blob()
    source: str = _text(null=False)
    author: str = _text(null=False, server_default="")
    version: int | None = _int()
    evidence: str | None = _text()
    source_run: str | None = _text()
    deleted: int = _int(null=False, default=0)
    created_at: int = _int(null=False)
    modified_at: int = _int(null=False)
    rev: int = _int(null=False)


class FeedbackKey(SQLModel, table=True):
    """The type of a feedback key and which way is better."""

    __tablename__ = "feedback_key"
    __table_args__ = (_STRICT,)
    key: str = Field(sa_column=Column(Text, primary_key=True))
    type: str = _text(null=False)
    min: float | None = _real()
    max: float | None = _real()
    categories: str | None = _text()
    lower_is_better: int = _int(null=False, default=0)
    keystroke: str | None = _text()
    description: str | None = _text()


class Edit(SQLModel, table=True):
    """One undoable step of a person."""

    __tablename__ = "edit"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'done', 'undone', 'dead')"),
        Index("edit_author", "author", "state", "pk"),
        _STRICT,
    )
    pk: int = _pk()
    author: str = _text(null=False)
    at: int = _int(null=False)
    label: str = _text(null=False)
    state: str = _text(null=False)


class EditItem(SQLModel, table=True):
    """One feedback row that an edit changed, as JSON before and after."""

    __tablename__ = "edit_item"
    __table_args__ = (_KEYED,)
    edit: int = Field(sa_column=Column(Integer, ForeignKey("edit.pk"), primary_key=True, autoincrement=False))
    feedback: str = Field(sa_column=Column(Text, primary_key=True))
    before: str | None = _text()
    after: str | None = _text()


class Rule(SQLModel, table=True):
    """A rule as this store has run it; `digest` tells when its meaning changed."""

    __tablename__ = "rule"
    __table_args__ = (_STRICT,)
    pk: int = _pk()
    name: str = _text(null=False, unique=True)
    version: int = _int(null=False)
    digest: str = _text(null=False)
    spec: str = _text(null=False)
    enabled: int = _int(null=False)


class RuleWork(SQLModel, table=True):
    """How far a rule has come in a lane; `owner`, `token` and `lease_until` are the claim of a worker."""

    __tablename__ = "rule_work"
    __table_args__ = (CheckConstraint("lane IN ('live', 'backfill')"), _KEYED)
    rule: int = Field(sa_column=Column(Integer, ForeignKey("rule.pk"), primary_key=True, autoincrement=False))
    lane: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = _int(null=False)
    cursor_rev: int = _int(null=False, default=0)
    cursor_pk: int = _int(null=False, default=0)
    stop: int | None = _int()
    filter: str | None = _text()
    state: str = _text(null=False)
    owner: str | None = _text()
    token: int = _int(null=False, default=0)
    lease_until: int = _int(null=False, default=0)
    seen: int = _int(null=False, default=0)
    hits: int = _int(null=False, default=0)


class RuleFailure(SQLModel, table=True):
    """A target on which a rule failed, and why."""

    __tablename__ = "rule_failure"
    __table_args__ = (_KEYED,)
    rule: int = Field(sa_column=Column(Integer, ForeignKey("rule.pk"), primary_key=True, autoincrement=False))
    level: str = Field(sa_column=Column(Text, primary_key=True))
    target: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    version: int = _int(null=False)
    at: int = _int(null=False)
    message: str = _text(null=False)


TABLES: tuple[type[SQLModel], ...] = (
    Meta, Thread, Trace, Run, Content, Mention, Feedback, FeedbackKey, Edit, EditItem, Rule, RuleWork, RuleFailure,
)  # fmt: skip


def ddl() -> str:
    """The SQL text that makes an empty store."""
    dialect = sqlite.dialect()
    out = [
        "-- made by `python -m tracetui.store.tables`; change the classes there, not this file",
        f"PRAGMA application_id = {APPLICATION_ID};",
        f"PRAGMA user_version = {SCHEMA_VERSION};",
    ]
    for model in TABLES:
        table = model.__table__  # type: ignore[attr-defined]
        out.append(_tidy(str(CreateTable(table).compile(dialect=dialect))))
    for model in TABLES:
        table = model.__table__  # type: ignore[attr-defined]
        indexes = sorted(table.indexes, key=lambda item: str(item.name))
        out += [_tidy(str(CreateIndex(index).compile(dialect=dialect))) for index in indexes]
    return "\n".join(out) + "\n"


def _tidy(statement: str) -> str:
    lines = [line.strip().replace(" \n", "\n") for line in statement.strip().splitlines()]
    body = " ".join(line for line in lines if line)
    return body.replace("( ", "(").replace(" )", ")") + ";"


def main() -> None:
    """Write `schema.sql` beside this file."""
    Path(__file__).with_name("schema.sql").write_text(ddl(), encoding="utf-8")


if __name__ == "__main__":
    main()
