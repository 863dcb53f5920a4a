"""What belongs to one session, read from the files in which it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracetui.ingest.claude import records
from tracetui.ingest.claude.records import Record, Sort
from tracetui.ingest.claude.rows import rows
from tracetui.ingest.claude.survey import Survey, copy_key, first_session
from tracetui.ingest.documents import Document, Refusal
from tracetui.model import jsonx
from tracetui.model.errors import InputError

MAIN = None
"""The key of the conversation with the person."""


@dataclass(slots=True)
class Session:
    """The records of a session in their order, each uuid once."""

    id: str
    records: list[Record]
    titles: list[str] = field(default_factory=list)
    """Names the session was given, the last one last."""
    summaries: dict[str, str] = field(default_factory=dict)
    """By the uuid of the record that they end with."""
    agents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is written beside the files of subagents: type, description, id of the call."""

    def conversation(self, agent: str | None) -> list[Record]:
        """The records of the main conversation or of one subagent."""
        return [record for record in self.records if record.agent == agent]


def load(session: str, files: Mapping[str, Document], survey: Survey) -> Session:
    """Read a session from its files (the earliest first, by name)."""
    found = Session(session, [])
    by_uuid: dict[str, list[Record]] = {}
    elsewhere: set[str] = set()
    for rank, (name, doc) in enumerate(files.items()):
        fallback = first_session(doc)
        for row in rows(doc):
            if isinstance(row, Refusal):
                continue
            line, raw = row
            _note(found, raw)
            record = records.read(raw, line, rank, name)
            if record is None:
                continue
            if (records.session_of(raw) or fallback) != session or _is_a_copy(record, session, survey):
                elsewhere.add(record.uuid)
                continue
            _add(by_uuid.setdefault(record.uuid, []), record)
        if _agent_name(name) is not None and (meta := _meta(doc)):
            found.agents[_agent_name(name) or ""] = meta
    everything = (record for variants in by_uuid.values() for record in variants)
    found.records = sorted(everything, key=lambda record: (record.file, record.line))
    names = list(files)
    for order, record in enumerate(found.records):
        record.order = order
    _link(found.records, by_uuid, elsewhere)
    _assign_agents(found.records, names)
    return found


def _note(session: Session, raw: dict[str, Any]) -> None:
    """Names of sessions stand on lines of their own."""
    if raw.get("type") == "summary":
        leaf, summary = records.string(raw.get("leafUuid")), records.string(raw.get("summary"))
        if leaf and summary:
            session.summaries[leaf] = summary
    elif raw.get("type") in ("custom-title", "ai-title") and raw.get("sessionId") == session.id:
        title = records.string(raw.get("customTitle") or raw.get("aiTitle") or raw.get("title"))
        if title is not None:
            session.titles.append(title)


def _is_a_copy(record: Record, session: str, survey: Survey) -> bool:
    key = copy_key(record.raw, record.uuid)
    owner = survey.owner(key) if key is not None else None
    return owner is not None and owner != session


def _add(variants: list[Record], record: Record) -> None:
    """Take a record among those of its uuid: copies in several files are one, a line said again replaces the first.

    Different lines with one uuid in different files (no program writes them) are all kept.
    """
    for index, known in enumerate(variants):
        if _says_the_same(known, record):
            known.files |= record.files
            return
        if known.files & record.files:
            record.uuid, record.files = known.uuid, known.files
            variants[index] = record
            return
    if variants:
        record.uuid = f"{record.uuid}~{hashlib.blake2b(jsonx.dumps(record.raw), digest_size=4).hexdigest()}"
    variants.append(record)


def _says_the_same(known: Record, record: Record) -> bool:
    parts = ("attachment", "content")
    return known.message == record.message and all(known.raw.get(key) == record.raw.get(key) for key in parts)


def _agent_name(name: str) -> str | None:
    """The id of a subagent from the name of its file."""
    stem = name.rpartition("/")[2].partition(".")[0]
    return stem.removeprefix("agent-") if stem.startswith("agent-") else None


def _meta(doc: Document) -> Mapping[str, Any]:
    beside = doc.sibling(f"{doc.name.partition('.')[0]}.meta.json")
    if beside is None:
        return {}
    try:
        value = jsonx.loads(beside.read())
    except (ValueError, InputError):
        return {}
    return value if isinstance(value, dict) else {}


def _link(ordered: list[Record], by_uuid: Mapping[str, list[Record]], elsewhere: set[str]) -> None:
    """Find the parent of every record.

    Where a parent is missing (a line that cannot be read, a transcript without parents) the line before it in the
    file takes its place; a parent that belongs to another session, or is far away, is none.
    """
    chained = {_lane(record) for record in ordered if record.parent_uuid in by_uuid}
    before: dict[tuple[int, object], Record] = {}
    for record in ordered:
        lane = _lane(record)
        place = (record.file, lane)
        wanted = record.parent_uuid
        if wanted is not None and wanted in by_uuid:
            variants = by_uuid[wanted]
            record.parent = next((known for known in variants if known.files & record.files), variants[0])
        elif wanted is None:
            if lane not in chained or not _may_begin(record):
                record.parent = before.get(place)
        elif wanted not in elsewhere:
            record.parent = before.get(place)
        before[place] = record
    _break_cycles(ordered)


def _lane(record: Record) -> object:
    """Records that follow each other where nothing is said: of the main conversation, of one subagent."""
    return records.string(record.raw.get("agentId")) or bool(record.raw.get("isSidechain"))


def _may_begin(record: Record) -> bool:
    """Whether a record can be the first of a conversation: in a transcript with parents, one without is."""
    return record.sort in (Sort.PROMPT, Sort.COMMAND, Sort.META, Sort.EVENT, Sort.LINK)


def _break_cycles(ordered: list[Record]) -> None:
    safe: set[int] = set()
    for record in ordered:
        path: dict[int, Record] = {}
        here: Record | None = record
        while here is not None and here.order not in safe:
            path[here.order] = here
            if here.parent is not None and here.parent.order in path:
                here.parent = None
            here = here.parent
        safe |= path.keys()


def _assign_agents(ordered: list[Record], names: list[str]) -> None:
    """Say of every record which conversation it belongs to.

    Subagents have files of their own and an id; old transcripts have them in the main file, as a chain of their own.
    """
    for record in ordered:
        name = _agent_name(names[record.file])
        if not (record.raw.get("isSidechain") is True or name is not None):
            continue
        said = records.string(record.raw.get("agentId")) or name
        record.agent = said if said is not None else f"sidechain-{_first_of_sidechain(record).uuid}"


def _first_of_sidechain(record: Record) -> Record:
    here = record
    while here.parent is not None and here.parent.raw.get("isSidechain") is True:
        here = here.parent
    return here
