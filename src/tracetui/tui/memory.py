"""What one person's screen remembers of a store: filter, cursor, current key, drafts. A file beside no store."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tracetui.model import jsonx

_LIMIT = 1_000_000


@dataclass(slots=True)
class Memory:
    """One store's memory. Ids, not pks: they hold when the store is copied."""

    filter: str = ""
    at: str = ""
    """Id of the row under the cursor."""
    level: str = ""
    key: str = ""
    """The current feedback key."""
    drafts: dict[str, str] = field(default_factory=dict)
    """Comments being written: id of the row -> text."""


def state_dir() -> Path:
    """Where the memories are."""
    given = os.environ.get("TRACETUI_STATE")
    if given:
        return Path(given)
    from platformdirs import user_state_path

    return user_state_path("tracetui", appauthor=False)


def recall(store_id: str, root: Path | None = None) -> Memory:
    """What is remembered of a store; nothing where there is no file or a broken one."""
    path = (root or state_dir()) / f"{store_id}.json"
    try:
        with path.open("rb") as file:
            data = jsonx.loads(file.read(_LIMIT))
    except (OSError, ValueError):
        return Memory()
    memory = Memory()
    if not isinstance(data, dict):
        return memory
    for name in ("filter", "at", "level", "key"):
        if isinstance(data.get(name), str):
            setattr(memory, name, data[name])
    drafts = data.get("drafts")
    if isinstance(drafts, dict):
        memory.drafts = {str(key): text for key, text in drafts.items() if isinstance(text, str)}
    return memory


def keep(store_id: str, memory: Memory, root: Path | None = None) -> None:
    """Remember. A state directory that cannot be written is no reason to stop anybody."""
    folder = root or state_dir()
    path = folder / f"{store_id}.json"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_bytes(jsonx.dumps(asdict(memory)))
        fresh.replace(path)
