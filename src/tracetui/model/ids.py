"""Identity of feedback, and stable ids for sources that have none."""

from __future__ import annotations

import hashlib
import uuid

_NAMESPACE = uuid.UUID("6f0d7f1e-5a0c-5b6e-9d57-7472616365ff")


def feedback_id(level: str, target: str, key: str, source: str, author: str, project: str = "") -> str:
    """The id of feedback whose source gives none: one opinion per level, target, key, source and author.

    `project` counts for thread targets only (a thread's id is unique within its project). A rule's feedback has
    source `rule` and the rule's name as author; its version is not part of the identity.
    """
    scope = project if level == "thread" else ""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((level, scope, target, key, source, author))))


def content_id(authority: str, *parts: str | bytes) -> str:
    """An id made from content, the same every time: `authority:<20 hex digits>`."""
    digest = hashlib.blake2b(digest_size=10)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return f"{authority}:{digest.hexdigest()}"
