"""Claude Code transcripts: `~/.claude/projects/<project>/<session>.jsonl` and the files of their subagents."""

from __future__ import annotations

from tracetui.ingest.claude.reader import read
from tracetui.ingest.claude.rows import sniff

__all__ = ["DESCRIPTION", "NAME", "read", "sniff"]

NAME = "claude-code"
DESCRIPTION = "Claude Code transcripts (a session's JSONL, with its subagents)"
