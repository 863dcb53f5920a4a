"""The threads beside the screen: the one that reads and the one that writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue

import pytest
from driving import make_store, said_in, trace

from tracetui.model.errors import InputError, StoreError
from tracetui.model.kinds import Level
from tracetui.model.records import Batch
from tracetui.store.db import connect_write, immediate
from tracetui.store.reading import Reader
from tracetui.store.writer import Writer
from tracetui.tui.feed import CHANGED, Answer, Feed
from tracetui.tui.writing import Job, Writing, Written


@pytest.fixture
def heard() -> Queue[Answer]:
    return Queue()


@pytest.fixture
def feed(store: Path, heard: Queue[Answer]) -> Iterator[Feed]:
    feed = Feed(store, watch=True)
    feed.start()
    feed.listen(heard.put)
    yield feed
    feed.close()


def test_questions_are_answered_and_errors_are_answers(feed: Feed, heard: Queue[Answer]) -> None:
    feed.ask("totals", lambda reader: reader.totals().traces)
    assert heard.get(timeout=10) == Answer("totals", 12)

    def gone(reader: Reader) -> object:
        return reader.run(99_999)

    feed.ask("run", gone)
    assert isinstance(heard.get(timeout=10).error, InputError)


def test_asking_again_interrupts_the_question_before(feed: Feed, heard: Queue[Answer]) -> None:
    begun = threading.Event()

    def endless(reader: Reader) -> object:
        begun.set()
        return reader._access.first(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        )

    feed.ask("count", endless)
    assert begun.wait(10)
    answer = None
    while answer is None:  # an interrupt is lost where the query has not begun yet: whoever asks again tries again
        feed.ask("count", lambda reader: 7)
        with suppress(Empty):
            answer = heard.get(timeout=0.05)
    assert answer == Answer("count", 7), "the answer of the first one is never heard"


def test_answers_wait_for_whoever_listens(store: Path, heard: Queue[Answer]) -> None:
    feed = Feed(store)
    feed.ask("one", lambda reader: 1)
    feed.start()
    feed.opened()
    while feed.busy:
        pass
    feed.listen(heard.put)
    assert heard.get(timeout=10) == Answer("one", 1)
    feed.close()


def test_what_others_write_is_heard(store: Path, feed: Feed, heard: Queue[Answer]) -> None:
    feed.opened()
    with Writer(store) as writer:
        writer.write(Batch(tuple(trace(70))))
    answer = heard.get(timeout=10)
    assert answer.topic == CHANGED and len(answer.value.traces) == 1


def test_a_store_that_cannot_be_opened_is_refused_at_once(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "nothing.db")
    feed.start()
    with pytest.raises(StoreError):
        feed.opened()
    feed.close()


def test_a_busy_store_is_waited_for_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(tmp_path / "busy.db", threads=1, singles=0)
    news: Queue[Written] = Queue()
    writing = Writing(store, "me")
    writing.start(news.put)
    with Reader(store) as reader:
        pk = reader.keys(Level.TRACE).pks[0]
    other = connect_write(store)
    with immediate(other):
        writing.submit(Job("score", lambda scorer, job: scorer.score([(Level.TRACE, pk)], "stars", score=4)))
        assert writing.waiting()[0] == 1
        assert news.empty()
    assert news.get(timeout=10).value.changed == 1
    writing.close()
    other.close()
    assert said_in(store, Level.TRACE, "t:2") == {"stars": 4.0}


def test_closing_writes_what_is_left(store: Path) -> None:
    writing = Writing(store, "me")
    with Reader(store) as reader:
        pks = reader.keys(Level.TRACE).pks
    for pk in pks:
        writing.submit(Job("score", lambda scorer, job, pk=pk: scorer.score([(Level.TRACE, pk)], "stars", score=2)))
    writing.start(lambda news: None)
    writing.close()
    assert said_in(store, Level.TRACE, "t:0") == {"helpful": 0.2, "stars": 2.0}
