"""Every read goes by an index. What reads a whole table is named here with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable

import naive_filters as naive
import pytest

from tracetui.model.kinds import Level
from tracetui.query import parse
from tracetui.store.filters import Where, compile_filter
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer

THREAD, TRACE, RUN = Level.THREAD, Level.TRACE, Level.RUN
BIG = "thread|trace|run|feedback|content|mention|f\\d*"


def where(text: str, level: Level) -> Where:
    return compile_filter(parse(text), level)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("plans") / "s.db"
    with Writer(path, create=True) as writer:
        for batch in naive.make(31)[0]:
            writer.write(batch)
    with Reader(path) as opened:
        yield opened


def steps_of(reader: Reader, act: Callable[[Reader], object], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The plans of all queries of an act, line by line."""
    access, lines = reader._access, []
    plain = access.all

    def recording(sql, params=()):
        params = tuple(params)
        lines.extend(row[3] for row in plain(f"EXPLAIN QUERY PLAN {sql}", params))
        return plain(sql, params)

    monkeypatch.setattr(access, "all", recording, raising=True)
    act(reader)
    assert lines
    return lines


def scans(lines: list[str]) -> list[str]:
    """The lines that read a whole table or index, other than in a list's own order."""
    order = {"thread_page", "trace_page", "trace_error", "run_page", "run_error"}
    found = []
    for line in lines:
        scanned = re.match(rf"SCAN ({BIG})\b(?: USING (?:COVERING )?INDEX (\w+))?", line)
        if scanned and scanned[2] not in order:
            found.append(line)
    return found


BY_INDEX: dict[str, Callable[[Reader], object]] = {
    "threads": lambda r: r.keys(THREAD, after=(1, 1)),
    "traces": lambda r: r.keys(TRACE, after=(1, 1)),
    "runs": lambda r: r.keys(RUN, after=(1, 1)),
    "traces of a thread": lambda r: r.keys(TRACE, parent=1, after=(1, 1)),
    "root runs": lambda r: r.keys(RUN, parent=1, after=(1, 1)),
    "children": lambda r: r.children(1, after=(1, 1)),
    "rows": lambda r: [r.rows(level, [1, 2, 3]) for level in Level],
    "runs of a trace": lambda r: r.runs_of(1),
    "find": lambda r: r.find("run0-0-0") and r.find("Thread-1") and r.find("nothing"),
    "path": lambda r: r.path_to(RUN, 3),
    "a run": lambda r: r.run(3),
    "feedback": lambda r: [r.feedback(level, 1, below=True) for level in Level],
    "changes": lambda r: r.changes(1),
    "failed traces": lambda r: r.keys(TRACE, where=where("status:error", TRACE), after=(1, 1)),
    "failed runs": lambda r: r.keys(RUN, where=where("status:error kind:tool", RUN), after=(1, 1)),
    "threads of failed traces": lambda r: r.keys(THREAD, where=where("status:error", TRACE)),
    "few scores": lambda r: [r.keys(level, where=where("feedback.helpful:<0.5", level)) for level in Level],
    "threads of few scores": lambda r: r.keys(THREAD, where=where("feedback.cause:harness", TRACE)),
    "without a key": lambda r: [r.keys(level, where=where("-feedback.helpful:*", level)) for level in Level],
    "something below": lambda r: [
        r.keys(level, where=where("kind:tool model:x errors:>0", level)) for level in (THREAD, TRACE)
    ],
    "next failed run": lambda r: [r.step("error", at, way) for at in (None, (RUN, 3)) for way in (True, False)],
    "next unscored": lambda r: [r.step("unscored", at, key="k") for at in ((THREAD, 1), (TRACE, 1), (RUN, 3))],
    "next feedback": lambda r: r.step("feedback", (TRACE, 1), False),
    "next match": lambda r: [r.step("match", None, where=where("kind:tool", level)) for level in Level],
}


@pytest.mark.parametrize("name", BY_INDEX)
def test_reads_go_by_an_index(reader, monkeypatch, name):
    assert scans(steps_of(reader, BY_INDEX[name], monkeypatch)) == []


def test_what_is_many_is_looked_for_along_the_list_and_what_is_rare_by_its_index(reader, monkeypatch):
    act = BY_INDEX["few scores"]
    assert any("feedback_score" in line for line in steps_of(reader, act, monkeypatch))
    monkeypatch.undo()
    monkeypatch.setattr("tracetui.store.pages.FEW", 0)
    lines = steps_of(reader, act, monkeypatch)
    assert any("trace_page" in line for line in lines) and any("feedback_trace" in line for line in lines)
    assert scans(lines) == []


WHOLE: dict[str, tuple[str, Callable[[Reader], object]]] = {
    "totals": ("thread", lambda r: r.totals()),  # sums the rollups of all threads: a count is of all of them
    "count": ("thread", lambda r: r.count(RUN)),  # likewise
    "thread by id": ("thread", lambda r: r.keys(RUN, where=where("thread:x", RUN))),  # ids compare without case
    "trace by id": ("trace", lambda r: r.keys(RUN, where=where("trace:x*", RUN))),  # likewise
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_table_is_read_only_where_that_is_meant(reader, monkeypatch, name):
    table, act = WHOLE[name]
    lines = steps_of(reader, act, monkeypatch)
    assert any(re.match(rf"SCAN {table}\b", line) for line in lines)
    assert all(line.split()[1] == table for line in scans(lines))
