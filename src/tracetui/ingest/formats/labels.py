"""Labels: feedback from a table or from JSON lines, `id,key,score,value,comment` and `level,source,author,at`."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from tracetui.ingest.documents import Document, Options, Refusal, Target
from tracetui.ingest.split import records
from tracetui.ingest.trajectory import named
from tracetui.model import jsonx
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level, Source
from tracetui.model.records import Batch, FeedbackRecord
from tracetui.model.times import to_us

NAME = "labels"
DESCRIPTION = "feedback as CSV or JSON lines: id,key,score,value,comment"

COLUMNS = ("id", "key", "score", "value", "comment", "level", "source", "author", "at", "correction")
_SAYING = ("score", "value", "comment", "correction")
_MAX_CELL = 16 * 1024 * 1024
_MAX_BATCH = 500
_DELIMITERS = ",;\t"


class _WrongError(ValueError):
    """Why a row is refused."""


def sniff(doc: Document) -> bool:
    """A heading with `id`, `key` and something to say, or objects with these keys."""
    if not doc.glimpse:
        return _delimiter(doc) is not None
    first = doc.glimpse[0]
    value = first[0] if isinstance(first, list) and first else first
    return isinstance(value, dict) and _has_columns(value) and not {"run_type", "run_id"} & value.keys()


def _has_columns(names: Iterable[str]) -> bool:
    known = {name.strip().lower() for name in names}
    return {"id", "key"} <= known and any(name in known for name in _SAYING)


def _delimiter(doc: Document) -> str | None:
    heading = doc.head.split(b"\n", 1)[0].decode("utf-8", "replace")
    return next((each for each in _DELIMITERS if _has_columns(_cells(heading, each))), None)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def read(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """Feedback in batches; every wrong row is refused with its line, the others are taken."""
    batch: list[FeedbackRecord] = []
    for row in _table(doc) if _delimiter(doc) else _objects(doc):
        if isinstance(row, Refusal):
            yield row
            continue
        place, cells = row
        try:
            batch.append(_record(cells, options))
        except _WrongError as error:
            yield Refusal(doc.path, place, str(error))
        except InputError as error:
            yield Refusal(doc.path, place, f"{error.message}; {error.hint}" if error.hint else error.message)
        if len(batch) == _MAX_BATCH:
            yield Batch(feedback=tuple(batch))
            batch = []
    if batch:
        yield Batch(feedback=tuple(batch))


def _objects(doc: Document) -> Iterator[tuple[str, Mapping[str, Any]] | Refusal]:
    for record in records(doc, "label"):
        if isinstance(record, Refusal):
            yield record
        elif isinstance(record.value, dict):
            yield record.place, {name.strip().lower(): value for name, value in record.value.items()}
        else:
            yield Refusal(doc.path, record.place, "not an object")


class _Lines:
    """The lines of a table as `csv` wants them, and where in the file it is."""

    def __init__(self, doc: Document) -> None:
        self._lines = doc.numbered()
        self.number = 0
        self.ended = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.number, line, self.ended = next(self._lines)
        return line.decode("utf-8", "surrogateescape") + "\n"


def _table(doc: Document) -> Iterator[tuple[str, Mapping[str, Any]] | Refusal]:
    lines = _Lines(doc)
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(lines, delimiter=_delimiter(doc) or ",", strict=True)
    heading = [name.strip().lower() for name in next(reader, [])]
    yield from _misspelt(doc, heading)
    while True:
        place = f"line {lines.number + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cut = "unexpected end" in str(error)
            yield Refusal(doc.path, place, "a quote is opened and never closed" if cut else f"no row: {error}")
            continue
        except InputError as error:
            yield Refusal(doc.path, f"after line {lines.number}", error.message.removeprefix(f"{doc.path}: "))
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(heading):
            yield Refusal(doc.path, place, f"{len(cells)} cells under {len(heading)} headings")
        elif len(cells) < len(heading) and not lines.ended:
            yield Refusal(doc.path, place, "the file ends inside this line (half written?)")
        elif any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
            yield Refusal(doc.path, place, "not UTF-8")
        else:
            yield place, dict(zip(heading, cells, strict=False))


def _misspelt(doc: Document, heading: Iterable[str]) -> Iterator[Refusal]:
    for name in heading:
        nearest = get_close_matches(name, COLUMNS, n=1, cutoff=0.75) if name not in COLUMNS else []
        if nearest:
            yield Refusal(doc.path, "line 1", f"the column `{name}` is not known (did you mean `{nearest[0]}`?)")


def _record(cells: Mapping[str, Any], options: Options) -> FeedbackRecord:
    """One row as feedback. Raises `_WrongError`, and what `options.resolve` raises."""
    key = _required(cells, "key")
    score, boolean = _score(cells.get("score"))
    value, comment = _text(cells.get("value")), _text(cells.get("comment"))
    correction = cells.get("correction") or None
    if score is None and value is None and comment is None and correction is None:
        raise _WrongError("it says nothing: score, value and comment are empty")
    level = _one_of(cells.get("level"), Level, "level")
    target = _target(_required(cells, "id"), Level(level) if level else None, options)
    return FeedbackRecord(
        level=target.level,
        target=target.id,
        project=target.project,
        key=key,
        score=score,
        boolean=boolean,
        value=value,
        comment=comment,
        correction=correction,
        source=_one_of(cells.get("source"), Source, "source") or Source.UNKNOWN,
        author=_text(cells.get("author")) or "",
        created_at=_time(cells.get("at")),
    )


def _target(given: str, level: Level | None, options: Options) -> Target:
    if options.resolve is not None:
        return options.resolve(given, level)
    level = level or Level.TRACE
    return Target(level, given, options.project or "" if level is Level.THREAD else "")


def _required(cells: Mapping[str, Any], name: str) -> str:
    value = cells.get(name)
    text = named(value.strip() if isinstance(value, str) else value)
    if text is None:
        raise _WrongError(f"`{name}` is empty")
    return text


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    return jsonx.dumps(value).decode()


def _score(value: Any) -> tuple[float | None, bool]:
    """A score, and whether it was given as true or false."""
    if isinstance(value, bool):
        return float(value), True
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in ("true", "false"):
            return float(text.lower() == "true"), True
        try:
            value = float(text) if text else None
        except ValueError:
            raise _WrongError(f"the score `{text[:40]}` is no number (a text goes under `value`)") from None
    if value is None:
        return None, False
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise _WrongError("the score is no number")
    return float(value), False


def _one_of(value: Any, allowed: type[StrEnum], name: str) -> str | None:
    text = (_text(value) or "").lower()
    if not text:
        return None
    names = [str(each) for each in allowed]
    if text not in names:
        nearest = get_close_matches(text, names, n=1)
        meant = f"; did you mean `{nearest[0]}`?" if nearest else ""
        raise _WrongError(f"`{text[:40]}` is no {name}: {', '.join(names)}{meant}")
    return text


def _time(value: Any) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    at = to_us(value)
    if at is None:
        raise _WrongError(f"`at` is no time: `{str(value)[:40]}` (ISO 8601, or seconds since 1970)")
    return at
