"""`tracetui demo`: a store of made-up agents, made fresh, with the explorer on its most telling failure."""

from __future__ import annotations

import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracetui.model.records import Batch, FeedbackRecord, RunRecord
from tracetui.model.rows import Category, FeedbackKey
from tracetui.model.times import now_us

if TYPE_CHECKING:
    from tracetui.store.reading import Totals

HELP = """\
Open a store of made-up agents that fail in telling ways.

A support agent, a coding agent and a research agent; feedback of users, outcomes, reviewers, judges and rules. The
store is made anew each time, with its newest trace running now. With --headless it stays, and the verb says where.

\b
  tracetui demo
  tracetui demo --headless
"""
_HOUR = 3_600_000_000


@click.command(help=HELP, short_help="Open a store of made-up agents that fail in telling ways.")
@click.option("--headless", is_flag=True, help="Make the store, say where it is and what is in it, and end.")
def command(headless: bool) -> None:
    """Make the store and show it."""
    if headless:
        path = _kept_place()
        totals = build(path, _say)
        click.echo(path)
        _say(f"{totals.threads} threads, {totals.traces} traces, {totals.runs} runs, {totals.errors} errors")
        _say(f"tracetui {path} opens it")
        return
    from tracetui.cli.explore import need_terminal

    need_terminal("tracetui demo --headless makes the store without a terminal")
    with tempfile.TemporaryDirectory(prefix="tracetui-") as directory:
        path = Path(directory) / "demo.db"
        build(path, _say)
        from tracetui.tui.app import run

        run(path, focus=focus())


def focus() -> str:
    """The id of the run on which the demo opens."""
    return str(_told()["focus"])


def build(path: Path, say: Callable[[str], None], *, now: int | None = None) -> Totals:
    """Make the demo store at `path`, with its rules beside it.

    Its times are moved so that its newest trace began just before `now` (microseconds UTC).
    """
    from tracetui.evaluate.following import default_file
    from tracetui.evaluate.foreground import evaluate_all
    from tracetui.store.people import Scorer
    from tracetui.store.reading import Reader
    from tracetui.store.writer import Writer

    say("making the demo store ...")
    runs = list(_batches("demo.jsonl.zst"))
    newest = max(run.started_at or 0 for batch in runs for run in batch.runs)
    shift = (now or now_us()) - newest - 41_000_000
    with Writer(path, create=True) as writer:
        scorer = Scorer(path, "demo")
        for key in _told()["key"]:
            scorer.define(_key(key))
        scorer.close()
        for batch in runs:
            writer.write(Batch(tuple(_run(run, newest, shift) for run in batch.runs)))
        for batch in _batches("demo-labels.jsonl"):
            writer.write(Batch((), tuple(_feedback(said, shift) for said in batch.feedback)))
    say("running the rules ...")
    shutil.copyfile(fixtures_dir() / "demo-rules.toml", default_file(path))
    evaluate_all(path)
    reader = Reader(path)
    try:
        return reader.totals()
    finally:
        reader.close()


def fixtures_dir() -> Path:
    """Where the demo's files are: in the installed package, else in the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "fixtures"
    return inside if inside.is_dir() else package.parent.parent / "fixtures"


def _kept_place() -> Path:
    from platformdirs import user_state_path

    place = user_state_path("tracetui", appauthor=False) / "demo"
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    return place / "demo.db"


def _say(words: str) -> None:
    print(words, file=sys.stderr)  # noqa: T201  # words go to stderr


def _told() -> dict[str, Any]:
    return tomllib.loads((fixtures_dir() / "demo.toml").read_text("utf-8"))


def _key(told: dict[str, Any]) -> FeedbackKey:
    categories = tuple(Category(**item) for item in told.get("categories", ()))
    return FeedbackKey(**{**told, "categories": categories})


def _batches(name: str) -> Iterator[Batch]:
    from tracetui.ingest.documents import Options
    from tracetui.ingest.formats import FORMATS
    from tracetui.ingest.walk import Found, documents

    file = fixtures_dir() / name
    for found in documents(str(file), file.stat().st_size, True):
        if isinstance(found, Found):
            form = next(form for form in FORMATS if form.sniff(found.doc))
            yield from (batch for batch in form.read(found.doc, Options()) if isinstance(batch, Batch))


def _run(run: RunRecord, newest: int, shift: int) -> RunRecord:
    """A run moved in time. Its trace is called by its intent; what began long ago and has no end was abandoned."""
    started = run.started_at or newest
    return replace(
        run,
        started_at=started + shift,
        ended_at=None if run.ended_at is None else run.ended_at + shift,
        trace_name=run.metadata.get("intent"),
        status="abandoned" if run.ended_at is None and started < newest - _HOUR else run.status,
    )


def _feedback(said: FeedbackRecord, shift: int) -> FeedbackRecord:
    return replace(said, created_at=None if said.created_at is None else said.created_at + shift)
