"""What a turn is called: the first words of what the person typed."""

from __future__ import annotations

import re

from tracetui.ingest.claude import records
from tracetui.ingest.claude.records import Record, Sort

_MAX = 80
_READ = 2000
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?>")
_BESIDE = ("<ide_", "<system-reminder>")


def title_of(record: Record) -> str:
    """One line of at most 80 characters; empty where there is no text."""
    if record.sort is Sort.COMMAND and (command := _command(record.text)):
        return _short(command)
    texts = [records.text_of(block) for block in record.blocks if block.get("type") == "text"]
    typed = [text for text in texts if not text.lstrip().startswith(_BESIDE)]
    text = " ".join(typed or texts)[:_READ]
    if text.lstrip().startswith("<"):
        text = _inner(text, "summary") or _TAG.sub(" ", text)
    return _short(text)


def _command(text: str) -> str:
    shell = _inner(text, "bash-input")
    if shell:
        return f"! {shell}"
    return f"{_inner(text, 'command-name')} {_inner(text, 'command-args')}"


def _inner(text: str, tag: str) -> str:
    _, found, rest = text.partition(f"<{tag}>")
    return rest.partition(f"</{tag}>")[0].strip() if found else ""


def _short(text: str) -> str:
    words = " ".join(text[:_READ].split())
    return words if len(words) <= _MAX else words[: _MAX - 1].rstrip() + "…"
