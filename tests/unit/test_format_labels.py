"""Labels: what is written down comes back, what is wrong is refused with its line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracetui.ingest.documents import Options, Refusal, Target
from tracetui.ingest.formats import labels
from tracetui.ingest.walk import document
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level, Source
from tracetui.model.records import Batch, FeedbackRecord

HEADING = "id,key,score,value,comment,level,source,author,at\n"

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\r"), max_size=20)
WORD = TEXT.map(str.strip).filter(bool)
ROW = st.fixed_dictionaries(
    {
        "id": WORD,
        "key": WORD,
        "score": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "value": st.none() | WORD,
        "comment": WORD,
        "level": st.none() | st.sampled_from(["run", "trace", "thread"]),
        "source": st.none() | st.sampled_from(sorted(Source)),
        "author": st.none() | WORD,
        "at": st.none() | st.just("2026-11-24T03:38:47Z"),
    }
)


def read(path: Path, options: Options | None = None) -> tuple[list[FeedbackRecord], list[tuple[str, str]]]:
    doc = document(str(path), path.stat().st_size)
    assert labels.sniff(doc)
    items = list(labels.read(doc, options or Options()))
    said = [each for item in items if isinstance(item, Batch) for each in item.feedback]
    return said, [(item.place, item.why) for item in items if isinstance(item, Refusal)]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def expected(row: dict[str, Any]) -> FeedbackRecord:
    return FeedbackRecord(
        level=row["level"] or "trace",
        target=row["id"],
        key=row["key"],
        score=row["score"],
        value=row["value"],
        comment=row["comment"],
        source=row["source"] or "unknown",
        author=row["author"] or "",
        created_at=None if row["at"] is None else 1795491527_000000,
    )


@given(st.lists(ROW, min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_a_table_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], delimiter: str
) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = write(tmp_path_factory.getbasetemp() / "labels.csv", out.getvalue())
    assert read(path) == ([expected(row) for row in rows], [])


@given(st.lists(ROW, min_size=1, max_size=5))
def test_json_lines_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path = write(tmp_path_factory.getbasetemp() / "labels.jsonl", text)
    assert read(path) == ([expected(row) for row in rows], [])


@given(st.binary(max_size=200))
def test_any_bytes_under_a_heading_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    good = b"x,k,1,,,,,,\n"
    said, refused = read(write(tmp_path_factory.getbasetemp() / "any.csv", HEADING.encode() + good + data))
    assert said[0] == FeedbackRecord(level=Level.TRACE, target="x", key="k", score=1.0)
    assert all(place.startswith(("line ", "after line ")) for place, _ in refused)


def test_wrong_rows_are_refused_with_their_line_and_the_rest_is_taken(tmp_path: Path) -> None:
    rows = [
        "a,k,1,,,,,,",
        ",k,1,,,,,,",
        "a,,1,,,,,,",
        "a,k,,,,,,,",
        "a,k,good,,,,,,",
        "a,k,nan,,,,,,",
        "a,k,1,,,span,,,",
        "a,k,1,,,,humans,,",
        "a,k,1,,,,,,yesterday",
        "a,k,1,,,,,,,,",
        '"a\nb",k,1,,,,,,',
        'a,k,"1"2,,,,,,',
        "",
        "a,k,TRUE,,,Run,Human,me,1795491527",
        "short,k,0.5",
    ]
    said, refused = read(write(tmp_path / "x.csv", HEADING + "\n".join(rows) + "\n"))
    assert [(each.target, each.score, each.boolean) for each in said] == [
        ("a", 1.0, False),
        ("a\nb", 1.0, False),
        ("a", 1.0, True),
        ("short", 0.5, False),
    ]
    assert (said[2].level, said[2].source, said[2].author) == ("run", "human", "me")
    assert refused == [
        ("line 3", "`id` is empty"),
        ("line 4", "`key` is empty"),
        ("line 5", "it says nothing: score, value and comment are empty"),
        ("line 6", "the score `good` is no number (a text goes under `value`)"),
        ("line 7", "the score is no number"),
        ("line 8", "`span` is no level: thread, trace, run"),
        ("line 9", "`humans` is no source: user, outcome, human, rule, judge, unknown; did you mean `human`?"),
        ("line 10", "`at` is no time: `yesterday` (ISO 8601, or seconds since 1970)"),
        ("line 11", "11 cells under 9 headings"),
        ("line 14", "no row: ',' expected after '\"'"),
    ]


def test_a_file_that_ends_too_early(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", HEADING + "a,k,1,,,,,,\nb,k")) == (
        [FeedbackRecord(level=Level.TRACE, target="a", key="k", score=1.0)],
        [("line 3", "the file ends inside this line (half written?)")],
    )
    open_quote = read(write(tmp_path / "b.csv", HEADING + 'a,k,1,,"never\nclosed'))
    assert open_quote == ([], [("line 2", "a quote is opened and never closed")])
    assert read(write(tmp_path / "c.jsonl", '{"id":"a","key":"k","score":1}\n{"id":"b"'))[1] == [
        ("line 2", "the file ends inside this line (half written?)")
    ]


def test_a_misspelt_column_is_told(tmp_path: Path) -> None:
    said, refused = read(write(tmp_path / "x.csv", "ID; Key ;comment;scoer;notes\na;k;c;1;n\n"))
    assert [(each.score, each.comment) for each in said] == [(None, "c")]
    assert refused == [("line 1", "the column `scoer` is not known (did you mean `score`?)")]


def test_json_values(tmp_path: Path) -> None:
    rows = [
        {"id": 17, "key": "k", "score": True, "value": {"a": 1}, "correction": {"x": [1]}},
        {"id": "a", "key": "k", "score": "0.5", "value": None},
        {"id": "a", "key": "k", "score": [1]},
        ["id"],
    ]
    said, refused = read(write(tmp_path / "x.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert [(s.target, s.score, s.boolean, s.value, s.correction) for s in said] == [
        ("17", 1.0, True, '{"a":1}', {"x": [1]}),
        ("a", 0.5, False, None, None),
    ]
    assert refused == [("line 3", "the score is no number"), ("line 4", "not an object")]


def test_ids_are_resolved_where_the_store_is_asked(tmp_path: Path) -> None:
    asked: list[tuple[str, Level | None]] = []

    def resolve(given: str, level: Level | None) -> Target:
        asked.append((given, level))
        if given == "gone":
            raise InputError("Not there", "no run has the id `gone`", "look again")
        return Target(Level.THREAD, f"found {given}", "project")

    path = write(tmp_path / "x.csv", "id,key,score,level\na,k,1,\ngone,k,1,run\n")
    said, refused = read(path, Options(resolve=resolve))
    assert asked == [("a", None), ("gone", Level.RUN)]
    assert [(s.level, s.target, s.project) for s in said] == [("thread", "found a", "project")]
    assert refused == [("line 3", "no run has the id `gone`; look again")]


@pytest.mark.parametrize(
    "head",
    [
        b"id,key\n",
        b"name,score\n",
        b"\x00id,key,score",
        b'{"id":1,"key":2}',
        b'{"run_id":1,"id":1,"key":2,"score":3}',
        b"",
    ],
)
def test_what_is_no_table_of_labels(tmp_path: Path, head: bytes) -> None:
    path = write(tmp_path / "x", head)
    assert not labels.sniff(document(str(path), len(head)))
