"""Finding patterns in texts, each distinct text once.

Agents repeat themselves: the same message stands in the input of every later call. A matcher remembers what it found
in a text, so a text costs one search however many runs hold it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import regex

from tracetui.evaluate.findings import PatternTimeoutError
from tracetui.store.parts import Part

TIMEOUT_S = 0.5
"""Default limit for one text of up to a million characters; longer ones get it per started million."""
MAX_COUNT = 1000
"""Matches of one text that are counted."""
_MEMO_CHARS = 32_000_000
_MILLION = 1_000_000
_UNSEEN: Final = object()


@dataclass(frozen=True, slots=True)
class Found:
    """The first match in a text, and how many there are."""

    start: int
    end: int
    count: int


@dataclass(slots=True)
class Hits:
    """What was found in some texts: how often, and where first. `slow` counts texts that took too long."""

    count: int = 0
    text: str | None = None
    first: Found | None = None
    slow: int = 0

    def add(self, other: Hits) -> None:
        """Add what was found after it."""
        self.count += other.count
        self.slow += other.slow
        if self.first is None:
            self.text, self.first = other.text, other.first


class Matcher(ABC):
    """A pattern with its memory: what it found in a text, and in a part that several values share.

    Bounded by the characters of the texts it keeps.
    """

    def __init__(self) -> None:
        self._young: dict[str | Part, Hits | None] = {}
        self._old: dict[str | Part, Hits | None] = {}
        self._chars = 0
        self.searched = 0
        """How many texts were really searched."""

    @abstractmethod
    def search(self, text: str) -> Found | None:
        """Look at one text. Raises `PatternTimeoutError` where it takes too long."""

    def scan(self, part: Part, into: Hits, seen: set[str | Part] | None = None) -> None:
        """Add to `into` what is in the texts of a part. Texts that are in `seen` are left out, and noted there."""
        known = self._young
        for item in part.items:
            found: Any = known.get(item, _UNSEEN)
            if found is _UNSEEN:
                found = self._look(item)
                known = self._young
            if found is None:
                continue
            if seen is None:
                into.add(found)
            elif item not in seen:
                seen.add(item)
                if isinstance(item, str):
                    into.add(found)
                else:
                    self.scan(item, into, seen)

    def _look(self, item: str | Part) -> Hits | None:
        found: Any = self._old.get(item, _UNSEEN)
        if found is _UNSEEN:
            found = self._first_look(item)
        if self._chars > _MEMO_CHARS // 2:
            self._old, self._young, self._chars = self._young, {}, 0
        self._young[item] = found
        self._chars += 100 + (len(item) if isinstance(item, str) else 0)
        result: Hits | None = found
        return result

    def _first_look(self, item: str | Part) -> Hits | None:
        if isinstance(item, Part):
            inside = Hits()
            self.scan(item, inside)
            return inside if inside.count or inside.slow else None
        self.searched += 1
        try:
            found = self.search(item)
        except PatternTimeoutError:
            return Hits(slow=1)
        return None if found is None else Hits(found.count, item, found)


class Pattern(Matcher):
    """A regular expression of the library `regex`, stopped by a time limit per text."""

    def __init__(self, compiled: Any, timeout: float = TIMEOUT_S) -> None:
        super().__init__()
        self._compiled = compiled
        self._timeout = timeout

    def search(self, text: str) -> Found | None:
        """The first match and the count of all. Raises `PatternTimeoutError`."""
        limit = self._timeout * (1 + len(text) // _MILLION)
        try:
            first = self._compiled.search(text, timeout=limit)
            if first is None:
                return None
            count = 0
            for _ in self._compiled.finditer(text, timeout=limit):
                count += 1
                if count == MAX_COUNT:
                    break
        except TimeoutError:
            raise PatternTimeoutError(f"the pattern took over {limit:g} s on one text") from None
        return Found(first.start(), first.end(), count)


class Words(Matcher):
    """A list of literal texts, any of them; capitals make no difference unless `case`."""

    def __init__(self, words: tuple[str, ...], *, case: bool = False) -> None:
        super().__init__()
        self._case = case
        self._words = words if case else tuple(word.casefold() for word in words)

    def search(self, text: str) -> Found | None:
        """The first of the words that stands in the text, and how often all of them do."""
        folded = text if self._case else text.casefold()
        present = [word for word in self._words if word in folded]
        if not present:
            return None
        start, end = min((folded.find(word), folded.find(word) + len(word)) for word in present)
        count = min(sum(folded.count(word) for word in present), MAX_COUNT)
        if len(folded) != len(text):
            start, end = _unfolded(text, start), _unfolded(text, end)
        return Found(start, end, count)


def _unfolded(text: str, offset: int) -> int:
    """Where an offset of the case-folded text stands in the text itself: folding can lengthen characters."""
    for index, reached in enumerate(accumulate(len(char.casefold()) for char in text)):
        if reached > offset:
            return index
    return len(text)


FLAGS: Final = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X, "w": regex.W, "a": regex.A, "f": regex.F}
"""Letters of flags -> the library's flags."""


class Matchers:
    """The matchers of a process: rules with the same pattern share one, and its memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Matcher] = {}

    def pattern(self, pattern: str, flags: str = "", timeout: float = TIMEOUT_S) -> Matcher:
        """A regular expression. Raises `regex.error` for a wrong one, `KeyError` for an unknown flag."""
        bits = regex.V0
        for letter in flags:
            bits |= FLAGS[letter]
        key = ("pattern", pattern, bits, timeout)
        if key not in self._known:
            self._known[key] = Pattern(regex.compile(pattern, bits), timeout)
        return self._known[key]

    def words(self, words: tuple[str, ...], *, case: bool = False) -> Matcher:
        """A list of literal texts."""
        key = ("words", words, case)
        if key not in self._known:
            self._known[key] = Words(words, case=case)
        return self._known[key]
