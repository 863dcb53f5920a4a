"""Every statement of the worker's reading finds its rows by an index; the few that scan say so where they stand."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from rule_views import make_store, rule_text

from tracetui.evaluate import following
from tracetui.evaluate.rules import parse_rules
from tracetui.model.kinds import Level
from tracetui.query import parse
from tracetui.store import claims, rules, targets, verdicts
from tracetui.store.access import Access
from tracetui.store.db import connect_write
from tracetui.store.filters import compile_filter
from tracetui.store.parts import Parts

BIG = re.compile(r"\bSCAN (run|trace|thread|feedback|content|t|r|f)\b")


@pytest.fixture(scope="module")
def conn(tmp_path_factory):
    path = make_store(tmp_path_factory.mktemp("plans") / "s.db", 30)
    writing = connect_write(path)
    following.sync(writing, parse_rules(rule_text(type="loop")))
    writing.close()
    access = Access(path)
    yield access.conn
    access.close()


WHERE = compile_filter(parse("kind:llm status:success feedback.k:<0.5"), Level.RUN)
READS: list[tuple[str, Callable[[sqlite3.Connection], Any]]] = [
    *((f"ready {level}", lambda conn, level=level: targets.ready_page(conn, level, (3, 5), 90, 10)) for level in Level),
    *((f"newest {level}", lambda conn, level=level: targets.newest(conn, level, 50, 10)) for level in Level),
    ("matching", lambda conn: targets.matching(conn, Level.RUN, [1, 2, 3], [WHERE])),
    ("runs", lambda conn: targets.run_rows(conn, [1, 2])),
    ("runs of a trace", lambda conn: targets.runs_of(conn, 1)),
    ("traces", lambda conn: targets.trace_rows(conn, [1])),
    ("traces of a thread", lambda conn: targets.traces_of(conn, 1)),
    ("threads", lambda conn: targets.thread_rows(conn, [1])),
    ("threads of traces", lambda conn: targets.threads_of(conn, [1])),
    ("model calls", lambda conn: targets.model_calls_of(conn, 1)),
    ("chat", lambda conn: targets.chat_of(conn, 1)),
    ("implicit", lambda conn: targets.trace_of_implicit(conn, 1)),
    ("last", lambda conn: targets.last_pk(conn, Level.RUN)),
    ("pending", lambda conn: claims.pending(conn, 0)),
    ("progress", rules.progress),
    ("spoken", lambda conn: verdicts.spoken_of(conn, "rule", Level.RUN, [1, 2])),
    ("failures", lambda conn: verdicts.failures(conn, 1)),
    ("contents", lambda conn: Parts(conn).fetch([b'{"":1}', b'{"":2}'])),
]


@pytest.mark.parametrize(("name", "read"), READS, ids=[name for name, _ in READS])
def test_it_is_found_by_an_index(conn, name, read):
    seen: list[str] = []
    conn.set_trace_callback(seen.append)
    read(conn)
    conn.set_trace_callback(None)
    assert seen
    for sql in seen:
        plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
        scans = [step for step in plan if BIG.search(step) and "USING" not in step]
        assert not scans, f"{sql}\n{plan}"
