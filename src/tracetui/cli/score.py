"""`tracetui score`: feedback from scripts and CI."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracetui.cli.params import STORE
from tracetui.model.errors import ExitCode, InputError
from tracetui.model.kinds import Level, Source
from tracetui.model.rows import Row

if TYPE_CHECKING:
    from tracetui.store.people import Scorer
    from tracetui.store.reading import Reader

_KEY = re.compile(r"[\w.\-]+=")
_SOURCES = (Source.HUMAN, Source.USER, Source.OUTCOME, Source.JUDGE)
_MAX_CORRECTION = 16 * 2**20

HELP = """\
Give feedback on threads, traces or runs.

An ID may stand with or without its authority (`ls:...`); `-` reads one a line from stdin. A number or true/false
is a score, any other text a value; a key that is defined refuses what it does not allow. An id that is both a
trace's and its root run's means the trace: --on says otherwise.

\b
  tracetui score traces.db ls:0d2e... correct=0 --comment 'wrong parcel'
  tracetui query traces.db status:error --format ids | tracetui score traces.db - correct=false
  tracetui score traces.db run-17 tests_pass=true --source outcome --by ci
"""


@click.command(help=HELP, short_help="Give feedback from a script.")
@click.argument("store", type=STORE)
@click.argument("what", nargs=-1, required=True, metavar="ID... KEY=VALUE...")
@click.option("--comment", metavar="TEXT", help="Why.")
@click.option(
    "--correction",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What the output should have been: JSON or text.",
)
@click.option("--source", type=click.Choice([s.value for s in _SOURCES]), default="human", show_default=True)
@click.option("--by", "author", metavar="NAME", help="Who says it. Default: your login name.")
@click.option("--on", "level", type=click.Choice([level.value for level in Level]), help="Which level the ids are of.")
def command(
    store: Path,
    what: tuple[str, ...],
    comment: str | None,
    correction: Path | None,
    source: str,
    author: str | None,
    level: str | None,
) -> int:
    """Score what the ids name; ids that name nothing are listed on stderr."""
    from tracetui.store.people import UNSET, Scorer
    from tracetui.store.reading import Reader

    names, said = _split(what)
    better = UNSET if correction is None else _correction(correction)
    reader = Reader(store)
    try:
        targets, unknown = _find(reader, _ids(names), level)
    finally:
        reader.close()
    if targets:
        scorer = Scorer(store, author or getpass.getuser())
        try:
            for key, text in said:
                _score(scorer, targets, key, text, comment, better, source)
        finally:
            scorer.close()
    for why in unknown:
        click.echo(why, err=True)
    click.echo(f"{len(targets)} scored, {len(unknown)} not found", err=True)
    if not unknown:
        return ExitCode.DONE
    return ExitCode.PARTLY if targets else ExitCode.USAGE


def _split(what: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The ids, and the KEY=VALUE pairs after them."""
    first = next((i for i, part in enumerate(what) if _KEY.match(part)), len(what))
    pairs = []
    for part in what[first:]:
        key, equals, text = part.partition("=")
        if not equals:
            raise InputError("An id among the scores", f"`{part}` is not KEY=VALUE", "Ids come first")
        pairs.append((key, text))
    if not pairs:
        raise InputError("Nothing to say", "there is no KEY=VALUE", "For example: correct=0")
    if not first:
        raise InputError("On what?", f"there is no ID before `{what[0]}`", "`-` reads ids from stdin")
    return list(what[:first]), pairs


def _ids(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        if name == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield name


def _correction(file: Path) -> Any:
    """What a file says the output should have been: its JSON value, else its text."""
    from tracetui.model import jsonx

    if file.stat().st_size > _MAX_CORRECTION:
        raise InputError("The correction is too long", f"{file} is over {_MAX_CORRECTION >> 20} MB")
    data = file.read_bytes()
    try:
        return jsonx.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _find(reader: Reader, ids: Iterable[str], level: str | None) -> tuple[list[tuple[Level, int]], list[str]]:
    """What the ids name, each once, and why others name nothing."""
    targets: dict[tuple[Level, int], None] = {}
    unknown: list[str] = []
    for name in ids:
        rows = [row for row in reader.find(name) if level is None or row.level == level]
        if level is None:
            rows = _prefer_trace(rows)
        if len(rows) == 1:
            targets[rows[0].level, rows[0].pk] = None
        elif rows:
            unknown.append(f"{name}: {len(rows)} rows have this id: {', '.join(r.id for r in rows[:4])}")
        else:
            unknown.append(f"{name}: no {level or 'thread, trace or run'} has this id")
    return list(targets), unknown


def _prefer_trace(rows: list[Row]) -> list[Row]:
    traces = {row.id for row in rows if row.level == Level.TRACE}
    return [row for row in rows if row.level != Level.RUN or row.id not in traces]


def _score(
    scorer: Scorer,
    targets: Sequence[tuple[Level, int]],
    key: str,
    text: str,
    comment: str | None,
    correction: Any,
    source: str,
) -> None:
    from tracetui.store.keys import parse_score
    from tracetui.store.people import UNSET

    known = scorer.keys()
    defined = {k.key: k for k in known}
    score, value = parse_score(defined.get(key), text)
    scorer.score(
        targets,
        key,
        score=score,
        value=value,
        comment=UNSET if comment is None else comment,
        correction=correction,
        source=source,
        boolean=text.strip().lower() in ("true", "false"),
    )
