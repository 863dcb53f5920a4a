"""Which files of a project directory belong together, and which of them a line belongs to that stands in several.

Claude Code copies lines: a resumed or forked session begins with those of the session it goes on from, under the same
uuids, with its own session id or the old one. A copy that names another session than its original belongs to the
earliest file. Only hashes are kept of what was read, so a directory of gigabytes costs some megabytes.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.claude import records
from tracetui.ingest.claude.rows import rows, sniff
from tracetui.ingest.documents import Document, Refusal
from tracetui.model import jsonx
from tracetui.model.times import to_us

_MASK = (1 << 64) - 1
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.xz", ".jsonl.zst")


@dataclass(slots=True)
class Facts:
    """What is kept of one file."""

    stamp: tuple[int, int]
    """Size and hash of the beginning: another stamp, another file."""
    bad: int = 0
    """Lines that hold no JSON object."""
    sessions: list[str] = field(default_factory=list)
    keys: array[int] = field(default_factory=lambda: array("Q"))
    """`copy_key` of each line, beside it its time and the index of its session."""
    times: array[int] = field(default_factory=lambda: array("q"))
    named: array[int] = field(default_factory=lambda: array("L"))
    answers: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By hash of the message id: `answer_rank` of its last line with a usage."""


class Survey:
    """The transcript files of one directory, as one of them sees it."""

    def __init__(self) -> None:
        self._files: dict[str, Facts] = {}
        self._inner: dict[str, Facts] = {}
        """Files of subagents in directories of their own: nothing copies their lines."""
        self._by_session: dict[str, list[str]] = {}
        self._copies: dict[int, list[tuple[str, str]]] = {}
        self._best: dict[int, tuple[int, int]] = {}
        self._order: dict[str, tuple[int, int, str]] = {}
        self._sharing: set[str] = set()
        """Files with lines that stand under several sessions."""
        self.generation = 0
        """Rises when what was known of a file no longer holds."""

    def update(self, doc: Document, home: str, name: str) -> Facts:
        """The facts of a document, after a look at what lies beside it where something changed.

        `home` is the path from the document's directory to the directory of the project, `name` the document's path
        from there.
        """
        inner = "/" in name
        known = (self._inner if inner else self._files).get(name)
        if known is not None and known.stamp == stamp_of(doc) and self._still_there(doc, home, name):
            return known
        if not inner or not self._files:
            beside = {other.name: other for other in doc.list(home) if other.name.endswith(_SUFFIXES)}
            if not inner:
                beside[name] = doc
            self._files = {key: self._facts(key, other) for key, other in beside.items()}
            self._relate()
        if inner:
            self.generation += known is not None
            self._inner[name] = look(doc)
        return (self._inner if inner else self._files)[name]

    def files_of(self, session: str) -> list[str]:
        """The files in which a session has lines, the earliest first."""
        return self._by_session.get(session, [])

    def owner(self, key: int) -> str | None:
        """The session that a line belongs to which stands under several sessions; `None` for all other lines."""
        copies = self._copies.get(key)
        return min(copies, key=lambda copy: self._order[copy[0]])[1] if copies else None

    def best_answer(self, message_id: str) -> tuple[int, int] | None:
        """The rank of the line that counts for a message id standing in several files."""
        return self._best.get(hash(message_id) & _MASK)

    def _still_there(self, doc: Document, home: str, name: str) -> bool:
        """Whether the files that a file shares lines with are as they were."""
        if name not in self._sharing:
            return True
        others = ((other, doc.sibling(f"{home}/{other}")) for other in self._sharing if other != name)
        return all(found is not None and found.packed_size == self._files[other].stamp[0] for other, found in others)

    def _facts(self, name: str, doc: Document) -> Facts:
        known = self._files.get(name)
        return known if known is not None and known.stamp == stamp_of(doc) else look(doc)

    def _relate(self) -> None:
        self.generation += 1
        holders: dict[int, tuple[str, str]] = {}
        copies: dict[int, list[tuple[str, str]]] = defaultdict(list)
        seen: dict[int, str] = {}
        best: dict[int, tuple[int, int]] = {}
        for name, facts in self._files.items():
            for key, number in zip(facts.keys, facts.named, strict=True):
                place = (name, facts.sessions[number])
                first = holders.setdefault(key, place)
                if first[1] != place[1]:
                    copies[key] = [*(copies[key] or [first]), place]
            for message, rank in facts.answers.items():
                if seen.setdefault(message, name) != name:
                    best[message] = max(best.get(message, rank), rank, self._files[seen[message]].answers[message])
        self._copies, self._best = dict(copies), best
        self._sharing = {file for places in copies.values() for file, _ in places}
        self._order = {name: self._order_of(name, facts) for name, facts in self._files.items()}
        by_session: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self._files, key=self._order.__getitem__):
            for session in self._files[name].sessions:
                by_session[session].append(name)
        self._by_session = dict(by_session)

    def _order_of(self, name: str, facts: Facts) -> tuple[int, int, str]:
        """Earliest first: by the first line of its own; a file that was copied as a whole has none."""
        own = (at for key, at in zip(facts.keys, facts.times, strict=True) if at and key not in self._copies)
        return min(own, default=0), max(facts.times, default=0), name


def stamp_of(doc: Document) -> tuple[int, int]:
    """What tells a file from a later state of it, as far as that can be had without reading it."""
    return doc.packed_size, hash(doc.head)


def look(doc: Document) -> Facts:
    """Read a file for its facts; it has none where it is no transcript."""
    facts = Facts(stamp_of(doc))
    if not sniff(doc):
        return facts
    numbers: dict[str, int] = {}
    fallback = first_session(doc)
    for row in rows(doc):
        if isinstance(row, Refusal):
            facts.bad += 1
            continue
        raw = row[1]
        uuid = records.uuid_of(raw)
        if uuid is None:
            continue
        number = numbers.setdefault(records.session_of(raw) or fallback, len(numbers))
        at = to_us(raw.get("timestamp")) or 0
        key = copy_key(raw, uuid)
        if key is not None:
            facts.keys.append(key)
            facts.times.append(at)
            facts.named.append(number)
        if raw.get("type") == "assistant":
            message = records.message_of(raw)
            name = records.string(message.get("id"))
            if name and isinstance(message.get("usage"), dict):
                facts.answers[hash(name) & _MASK] = answer_rank(at, uuid)
    facts.sessions = list(numbers)
    return facts


def first_session(doc: Document) -> str:
    """The session of lines that name none: the first one the file names, else the file's own name."""
    for row in rows(doc):
        if not isinstance(row, Refusal) and (session := records.session_of(row[1])):
            return session
    return doc.stem


def answer_rank(at: int, uuid: str) -> tuple[int, int]:
    """Which of the lines that repeat a message is the last one: by time, then by uuid (its first eight bytes)."""
    return at, int.from_bytes(uuid.encode("utf-8", "surrogatepass")[:8].ljust(8, b"\0"), "big")


def copy_key(raw: dict[str, Any], uuid: str) -> int | None:
    """Equal for a line and its copies, whatever session they name; `None` for what is no one's in particular."""
    if raw.get("isMeta") is True:
        return None
    content = raw.get("message") or raw.get("attachment") or raw.get("content")
    return hash((uuid, jsonx.dumps(content))) & _MASK
