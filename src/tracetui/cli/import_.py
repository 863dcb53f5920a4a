"""`tracetui import`: traces and labels from files and directories."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from tracetui.cli.params import STORE, default_store
from tracetui.cli.progress import Advance, progress_bar
from tracetui.ingest.documents import Options
from tracetui.ingest.formats import FORMATS, recognise
from tracetui.ingest.importer import Progress, Summary, import_paths, total_bytes
from tracetui.ingest.resolve import Resolver
from tracetui.ingest.walk import document
from tracetui.model import jsonx
from tracetui.model.errors import ExitCode, InputError, StoreError
from tracetui.model.text import display

if TYPE_CHECKING:
    from tracetui.store.behind import WriterProcess
    from tracetui.store.writer import Writer

_SHOWN = 20
_MUCH_BYTES = 1_000_000
_SQLITE = b"SQLite format 3\0"

HELP = """\
Read traces and labels from files and directories into a store, which is made where it is missing.

The format is seen by the content, also inside gzip, bzip2, xz, zstd and tar. The same file twice changes nothing.
What cannot be read is listed with file, line and cause while the rest goes on.

\b
  tracetui import traces.db results.json
  tracetui import traces.db ~/.claude/projects
  tracetui import traces.db runs.tar.xz labels.csv --project nightly
  tracetui import traces.db exports/ --json | jq .refused

\b
Formats:
""" + "\n".join(f"  {each.NAME:<16}{each.DESCRIPTION}" for each in FORMATS)


class _FormatChoice(click.Choice[str]):
    """The names of the formats; a wrong one is answered with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as it is."""
        names = [each.NAME for each in FORMATS]
        if value not in names:
            nearest = get_close_matches(str(value), names, n=1, cutoff=0.4)
            meant = f" Did you mean `{nearest[0]}`?" if nearest else ""
            self.fail(f"`{value}` is no format: {', '.join(names)}.{meant}", param, ctx)
        return str(value)


@click.command(help=HELP, short_help="Read traces and labels from files and directories.")
@click.argument("store", type=STORE)
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--format",
    "form",
    type=_FormatChoice([each.NAME for each in FORMATS]),
    help="Read the files named on the line as this format.",
)
@click.option("--project", metavar="P", help="The project of everything imported; wins over what runs say.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts of what was new, and what was refused.")
def command(store: Path, paths: tuple[str, ...], form: str | None, project: str | None, as_json: bool) -> int:
    """Import the paths; the exit code says whether all of it went in."""
    _check(store, paths)
    if store == default_store():
        store.parent.mkdir(parents=True, exist_ok=True)
    summary = Summary()
    shield = _Shield()
    chosen = next((each for each in FORMATS if form == each.NAME), None)
    interrupted = False
    with _writer(store, paths) as writer, closing(Resolver(store, project)) as resolver, shield.installed():
        options = Options(project=project, resolve=resolver)
        try:
            with progress_bar("Importing", lambda: total_bytes(paths), of_bytes=True) as advance:
                import_paths(
                    writer,
                    paths,
                    options,
                    form=chosen,
                    summary=summary,
                    progress=None if advance is None else _rate(advance),
                    shield=shield,
                )
        except KeyboardInterrupt:
            interrupted = True
            summary.counts.add(writer.flush())  # what was handed over is written
        except StoreError:
            _tell(summary, store, as_json, "Stopped. What is written stays:")
            raise
    _tell(
        summary,
        store,
        as_json,
        "Interrupted. What is written stays; the same line again goes on:" if interrupted else "",
    )
    if interrupted:
        return ExitCode.INTERRUPTED
    if summary.refused:
        return ExitCode.PARTLY if summary.files else ExitCode.USAGE
    return ExitCode.DONE


def _writer(store: Path, paths: Sequence[str]) -> Writer | WriterProcess:
    """A writer beside the reading where there is much to read, else one in this process."""
    if total_bytes(paths) > _MUCH_BYTES:
        from tracetui.store.behind import WriterProcess

        return WriterProcess(store, create=True)
    from tracetui.store.writer import Writer

    return Writer(store, create=True)


def _check(store: Path, paths: Sequence[str]) -> None:
    """Refuse a line on which the store was forgotten, or of whose paths none is there."""
    what = _trace_format(store)
    if what is not None:
        rest = " ".join(paths)
        raise InputError(
            "Did you forget the store?",
            f"{store} is {what}, not a store",
            f"the store comes first: `tracetui import traces.db {store} {rest}".rstrip() + "`",
        )
    if not paths:
        raise click.UsageError("Missing argument 'PATH...': what is to be imported")
    missing = [path for path in paths if not Path(path).exists()]
    if len(missing) == len(paths):
        first = Path(missing[0])
        why = "is a link to a file that does not exist" if first.is_symlink() else "does not exist"
        raise InputError("Nothing to import", f"{first} {why}", _nearest(first))


def _trace_format(store: Path) -> str | None:
    """What a path is that stands where the store should, or `None` where it may be a store."""
    if store.is_dir():
        return "a directory"
    if not store.is_file() or not store.stat().st_size or not os.access(store, os.R_OK):
        return None
    doc = document(str(store), store.stat().st_size)
    if doc.head.startswith(_SQLITE):
        return None
    found = recognise(doc)
    if found is not None:
        return f"a trace file ({found.NAME})"
    return "a packed file" if doc.size is None else None


def _nearest(path: Path) -> str:
    names = [each.name for each in path.parent.iterdir() if each.exists()] if path.parent.is_dir() else []
    found = get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / found[0]}?" if found else ""


def _rate(advance: Advance) -> Callable[[Progress], None]:
    begin = time.monotonic()

    def tell(progress: Progress) -> None:
        rate = f"{progress.runs / max(time.monotonic() - begin, 0.001):,.0f} runs/s"
        what = rate if progress.unpacking is None else f"unpacked {progress.unpacking:.0%}"
        advance(progress.done_bytes, f"{what}  {Path(progress.path).name}")

    return tell


class _Shield:
    """Keeps Ctrl-C from landing inside a write: it is raised right behind it, so that the counts are true."""

    def __init__(self) -> None:
        self._writing = False
        self._pressed = False

    def __enter__(self) -> None:
        self._writing = True

    def __exit__(self, *_: object) -> None:
        self._writing = False
        if self._pressed:
            self._pressed = False
            raise KeyboardInterrupt

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take the signal while the block runs."""
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._writing or self._pressed:
            raise KeyboardInterrupt
        self._pressed = True


def _tell(summary: Summary, store: Path, as_json: bool, first: str) -> None:
    """Data on stdout, words on stderr."""
    if as_json:
        click.echo(jsonx.dumps(summary.as_json()))
    else:
        click.echo(_sentence(summary))
    words = [first] if first else []
    words += [_refusal_line(each.path, each.place, each.why) for each in summary.refused[:_SHOWN]]
    more = len(summary.refused) - _SHOWN
    if more > 0:
        words.append(f"and {more:,} more refused" + ("" if as_json else "; --json lists them all"))
    if summary.passed_over:
        words.append(f"{_counted(summary.passed_over, 'file')} passed over: no traces.")
    if not first and not as_json and summary.files and sys.stdout.isatty():
        words.append(f"tracetui {store} opens it.")
    for line in words:
        click.echo(line, err=True)


def _refusal_line(path: str, place: str, why: str) -> str:
    at = f"{path}, {place}" if place else path
    return display(f"refused: {at}: {why}")


def _sentence(summary: Summary) -> str:
    counts = summary.counts
    new = [
        _counted(counts.threads, "thread"),
        _counted(counts.traces, "trace"),
        _counted(counts.runs, "run"),
        f"{counts.feedback:,} feedback",
    ]
    what = ", ".join(new) + " new" if counts.threads + counts.traces + counts.runs + counts.feedback else "nothing new"
    return f"{_counted(summary.files, 'file')}: {what}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
