"""One hierarchy of errors: what a person reads when something does not work."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a verb's exit code says. A contract for scripts."""

    DONE = 0
    PARTLY = 1
    """Done in part: what was refused is listed on stderr. `doctor`: something was found."""
    USAGE = 2
    """Wrong usage or input."""
    STORE = 3
    """The store cannot be opened."""
    CONDITION = 4
    """The condition of `--fail-on` holds."""
    INTERRUPTED = 130


class TracetuiError(Exception):
    """Something a person can be told: what, why, and the nearest right thing.

    `title` is a few words, `message` names the file, line or key that is wrong, `hint` says what to do now.
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, title: str, message: str, hint: str = "") -> None:
        super().__init__(f"{title}: {message}")
        self.title = title
        self.message = message
        self.hint = hint


class StoreError(TracetuiError):
    """The store cannot be opened, read or written."""

    exit_code = ExitCode.STORE


class InputError(TracetuiError):
    """What the person gave (a filter, a score, an id, a file) is wrong."""


class RulesError(InputError):
    """A rules file is wrong; the message names file and line."""


class FilterError(InputError):
    """A filter cannot be read. `start` and `end` are offsets of the wrong part in the text."""

    def __init__(self, message: str, hint: str = "", start: int = 0, end: int = 0) -> None:
        super().__init__("The filter cannot be read", message, hint)
        self.start = start
        self.end = end
