"""What stands in place of rows where there are none: what is missing, and what would bring some. Pure."""

from __future__ import annotations

from tracetui.model.text import display
from tracetui.tui.filtering import Count

Line = tuple[str, str]
"""A text and its role."""


def nothing_matches(count: Count | None) -> list[Line]:
    """A filter that matches nothing; the nearest change that does."""
    out: list[Line] = [("No trace matches.", "text"), ("", "muted")]
    if count is not None and count.instead is not None:
        text, found = count.instead
        out.append((f"Without {display(text)} there {'is' if found == 1 else 'are'} {found:,}.", "text-2"))
    return [*out, ("esc shows everything,  / changes the filter", "muted")]


def no_traces(store: str) -> list[Line]:
    """A store that holds nothing yet."""
    return [
        ("No traces yet.", "text"),
        ("", "muted"),
        ("read some from files", "text-2"),
        (f"  tracetui import {display(store)} PATH...", "text"),
        ("  Claude Code sessions, mini-swe-agent and tau-bench results, LangSmith and OTLP exports", "muted"),
        ("", "muted"),
        ("They show here as they come in.", "muted"),
        ("", "muted"),
        ("or look at the demo", "text-2"),
        ("  tracetui demo", "text"),
    ]
