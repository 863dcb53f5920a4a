"""The import: every document of the paths, read by its format and written into a store.

Knows nothing of terminals: it tells a callback how far it is and fills a `Summary`, which is right at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.ingest.finish import finished
from tracetui.ingest.formats import FORMATS, Format, labels, recognise
from tracetui.ingest.walk import Found, documents, files
from tracetui.model.errors import InputError
from tracetui.model.records import Batch, Counts

_MAX_REFUSED = 1000
"""Refusals kept of one file; the others are counted."""
_RUNS = 64
"""Records that are worth a transaction."""
_ODD_SHAPE = (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError)


class Sink(Protocol):
    """Where batches go: a store's `Writer`."""

    def write(self, batch: Batch) -> Counts:
        """Take a batch in and say what was new, in it or in batches that were taken before."""

    def flush(self) -> Counts:
        """Wait until all is written; say what was new in the rest."""


@dataclass(slots=True)
class Summary:
    """What an import did so far."""

    files: int = 0
    """Documents read, also where nothing in them was new."""
    passed_over: int = 0
    """Files of directories and archives that are no traces."""
    counts: Counts = field(default_factory=Counts)
    refused: list[Refusal] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The object that `import --json` prints: counts of what was new."""
        refused = [{"path": each.path, "place": each.place, "why": each.why} for each in self.refused]
        counts = self.counts
        return {
            "files": self.files,
            "threads": counts.threads,
            "traces": counts.traces,
            "runs": counts.runs,
            "feedback": counts.feedback,
            "unchanged": counts.unchanged,
            "refused": refused,
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. Bytes are those on disk."""

    path: str
    done_bytes: int
    runs: int
    """Run records read so far."""
    unpacking: float | None = None
    """While an archive is unpacked: how much of it is, 0 to 1."""


def import_paths(
    sink: Sink,
    paths: Iterable[str],
    options: Options,
    *,
    form: Format | None = None,
    summary: Summary | None = None,
    progress: Callable[[Progress], None] | None = None,
    shield: AbstractContextManager[Any] | None = None,
) -> Summary:
    """Import files and directories; what cannot be read is in the summary's refusals, the rest goes on.

    `form` is the format where the person named it. `shield` is entered around every write. Raises `StoreError`
    where the store cannot be written; what was written before stays.
    """
    work = _Import(sink, options, form, summary or Summary(), progress, shield or nullcontext())
    work.run(paths)
    return work.summary


def total_bytes(paths: Iterable[str]) -> int:
    """The size of everything that an import of these paths will read."""
    return sum(each[1] for each in files(paths) if not isinstance(each, Refusal))


class _Import:
    def __init__(
        self,
        sink: Sink,
        options: Options,
        form: Format | None,
        summary: Summary,
        progress: Callable[[Progress], None] | None,
        shield: AbstractContextManager[Any],
    ) -> None:
        self.summary = summary
        self._sink = sink
        self._options = options
        self._form = form
        self._progress = progress
        self._shield = shield
        self._done_bytes = 0.0
        self._runs = 0

    def run(self, paths: Iterable[str]) -> None:
        """Traces first, then labels: a label names what has to be there, whatever the order of the files."""
        labelled: list[tuple[str, int, bool]] = []
        self._write(self._traces(paths, labelled))
        self._write(self._labels(labelled))

    def _write(self, batches: Iterator[Batch]) -> None:
        for batch in _together(batches):
            with self._shield:
                self.summary.counts.add(self._sink.write(batch))
        with self._shield:
            self.summary.counts.add(self._sink.flush())

    def _traces(self, paths: Iterable[str], labelled: list[tuple[str, int, bool]]) -> Iterator[Batch]:
        for each in files(paths):
            if isinstance(each, Refusal):
                self._refuse([each])
            elif (yield from self._file(*each, labels_now=False)):
                labelled.append(each)

    def _labels(self, labelled: list[tuple[str, int, bool]]) -> Iterator[Batch]:
        for path, size, named in labelled:
            yield from self._file(path, size, named, labels_now=True)

    def _file(self, path: str, size: int, named: bool, *, labels_now: bool) -> Generator[Batch, None, bool]:
        """The batches of one file on disk, or of its labels. Returns whether labels in it were left for later."""
        later = False
        done = self._done_bytes
        for each in documents(path, size, named, self._unpacking):
            if isinstance(each, Refusal):
                self._refuse([] if labels_now else [each])
                continue
            form = self._format_of(each)
            if (form is labels) != labels_now:
                later |= form is labels
            elif form is not None:
                yield from self._document(form, each)
            else:
                self._unknown(each)
            self._done_bytes += 0 if labels_now else each.weight
            self._tell(each.doc)
        self._done_bytes = done if labels_now else done + size
        return later

    def _format_of(self, found: Found) -> Format | None:
        if self._form is None:
            return recognise(found.doc)
        return self._form if found.named or self._form.sniff(found.doc) else None

    def _unknown(self, found: Found) -> None:
        doc = found.doc
        if doc.damage:
            self._refuse([Refusal(doc.path, "", doc.damage.removeprefix(f"{doc.path}: "))])
        elif not found.named:
            self.summary.passed_over += 1
        elif doc.head.strip() not in (b"", b"[]", b"{}"):
            self._refuse([Refusal(doc.path, "", _what_it_is(doc))])
        else:
            self.summary.files += 1  # an empty file holds nothing

    def _document(self, form: Format, found: Found) -> Iterator[Batch]:
        doc = found.doc
        taken = False
        refused: list[Refusal] = []
        for item in _items(form, doc, self._options):
            if isinstance(item, Refusal):
                refused.append(item)
                continue
            taken = True
            self._runs += len(item.runs)
            yield finished(item, self._options.project)
            self._tell(doc, found.weight * doc.consumed() / (doc.packed_size or 1))
        self._refuse(refused)
        if taken or not refused:
            self.summary.files += 1

    def _refuse(self, refused: list[Refusal]) -> None:
        self.summary.refused += refused[:_MAX_REFUSED]
        more = len(refused) - _MAX_REFUSED
        if more > 0:
            self.summary.refused.append(Refusal(refused[0].path, "", f"and {more:,} more places in it"))

    def _unpacking(self, archive: Document) -> None:
        if self._progress is not None:
            part = archive.consumed() / (archive.packed_size or 1)
            self._progress(Progress(archive.path, int(self._done_bytes), self._runs, part))

    def _tell(self, doc: Document, part: float = 0.0) -> None:
        if self._progress is not None:
            self._progress(Progress(doc.path, int(self._done_bytes + part), self._runs))


def _together(batches: Iterator[Batch], runs: int = _RUNS) -> Iterator[Batch]:
    """Small batches as one: many transactions of a few runs cost more than few of many."""
    held: list[Batch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += len(batch.runs) + len(batch.feedback)
        if size >= runs:
            yield _one(held)
            held, size = [], 0
    if held:
        yield _one(held)


def _one(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    return Batch(
        tuple(run for batch in batches for run in batch.runs),
        tuple(said for batch in batches for said in batch.feedback),
    )


def _items(form: Format, doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """What a format makes of a document. Damage, and a shape that the format did not foresee, cost the rest of
    this document and not the import.
    """
    items = form.read(doc, options)
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except InputError as error:
            yield Refusal(doc.path, "", error.message.removeprefix(f"{doc.path}: "))
            return
        except _ODD_SHAPE as error:
            why = f"not as {form.NAME} should be ({type(error).__name__}: {str(error)[:200]})"
            yield Refusal(doc.path, "", why)
            return
        yield item


def _what_it_is(doc: Document) -> str:
    """Why a file that a person named is not read."""
    if doc.head.startswith(b"SQLite format 3\0"):
        return "a database, not a trace file (the store comes first on the line)"
    return "no format that is known: " + ", ".join(each.NAME for each in FORMATS)
