"""Reading one transcript file together with the files around it."""

from __future__ import annotations

import posixpath
import threading
from collections import OrderedDict
from collections.abc import Iterator

from tracetui.ingest.claude.mapping import SessionRuns
from tracetui.ingest.claude.rows import rows
from tracetui.ingest.claude.sessions import load
from tracetui.ingest.claude.survey import Survey
from tracetui.ingest.documents import Document, Options, Refusal
from tracetui.model.records import Batch

_SUBAGENTS = "subagents"
_KEPT = 2
_KEPT_BYTES = 16 * 1024 * 1024
"""Of files whose sessions stay in memory (several times as large there)."""


class Neighbourhood:
    """A project directory: what is known of its files, and the sessions that were read last.

    The files of a session need not come one after the other, so some sessions are kept.
    """

    def __init__(self) -> None:
        self._survey = Survey()
        self._sessions: OrderedDict[tuple[object, ...], tuple[SessionRuns, int]] = OrderedDict()

    def read(self, doc: Document, home: str, name: str, options: Options) -> Iterator[Batch | Refusal]:
        """The records that stand in a document, and its lines that cannot be read."""
        facts = self._survey.update(doc, home, name)
        if facts.bad:
            yield from (row for row in rows(doc) if isinstance(row, Refusal))
        for session in facts.sessions:
            yield from self._session(session, doc, home, name, options).batches(name)

    def _session(self, session: str, doc: Document, home: str, name: str, options: Options) -> SessionRuns:
        files = self._files(session, doc, home, name)
        key = (
            session,
            options.project,
            self._survey.generation,
            *((file, other.packed_size) for file, other in files.items()),
        )
        known = self._sessions.pop(key, None)
        size = sum(other.packed_size for other in files.values())
        if known is None:
            while self._sessions and sum(held for _, held in self._sessions.values()) + size > _KEPT_BYTES:
                self._sessions.popitem(last=False)
            loaded = load(session, files, self._survey)
            known = SessionRuns(loaded, self._survey.best_answer, options.project), size
        self._sessions[key] = known
        return known[0]

    def _files(self, session: str, doc: Document, home: str, name: str) -> dict[str, Document]:
        """The files that hold lines of a session: its own ones the earliest first, then those of subagents."""
        found: dict[str, Document] = {}
        for file in (*self._survey.files_of(session), f"{session}.jsonl"):
            other = doc if file == name else doc.sibling(f"{home}/{file}") if "/" not in file else None
            if other is not None:
                found[file] = other
        for other in doc.list(f"{home}/{session}/{_SUBAGENTS}") if _is_plain(session) else ():
            if other.name.startswith("agent-") and ".jsonl" in other.name:
                found[f"{session}/{_SUBAGENTS}/{other.name}"] = other
        found.setdefault(name, doc)
        return found


def _is_plain(session: str) -> bool:
    """Whether a session id can be the name of a directory (it comes from a file)."""
    return "/" not in session and session not in (".", "..")


class _Kept(threading.local):
    """The directories read last. An import reads in one thread, and what it knows of files ends with it."""

    def __init__(self) -> None:
        self.directories: OrderedDict[str, Neighbourhood] = OrderedDict()


_kept = _Kept()


def read(doc: Document, options: Options) -> Iterator[Batch | Refusal]:
    """What stands in one file."""
    home, name = _place(doc)
    directory = posixpath.normpath(posixpath.join(posixpath.dirname(doc.path), home))
    neighbourhood = _kept.directories.pop(directory, None) or Neighbourhood()
    _kept.directories[directory] = neighbourhood
    while len(_kept.directories) > _KEPT:
        _kept.directories.popitem(last=False)
    yield from neighbourhood.read(doc, home, name, options)


def _place(doc: Document) -> tuple[str, str]:
    """The way to the project directory, and the document's path from there.

    Subagents lie in `<session>/subagents/`, those of a workflow some directories deeper.
    """
    parts = doc.path.split("/")[:-1]
    if _SUBAGENTS not in parts[-3:]:
        return ".", doc.name
    depth = parts[::-1].index(_SUBAGENTS) + 2
    return "/".join([".."] * depth), "/".join([*parts[-depth:], doc.name])
