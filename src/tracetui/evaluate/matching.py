"""Finding patterns in texts, each distinct text once per pattern.

Agents repeat themselves: the same message stands in the input of every later call. So what was found in a text, or in a
part that several values share, is remembered; and rules that look at the same texts look at them together.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any, Final

import regex

from tracetui.store.parts import Part

TIMEOUT_S = 0.5
"""Default limit for one text of up to a million characters; longer ones get it per started million."""
MAX_COUNT = 1000
"""Matches of one text that are counted."""
_MEMO_CHARS = 32_000_000
_MILLION = 1_000_000


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
    """One pattern. `bit` names it in a set of patterns."""

    def __init__(self, bit: int) -> None:
        self.bit = bit
        self.searched = 0
        """Texts that were really searched."""
        self.spent = 0.0
        """Seconds that took."""

    @abstractmethod
    def look(self, text: str) -> Hits | None:
        """Look at one text; one that takes too long is counted."""


class Pattern(Matcher):
    """A regular expression of the library `regex`, stopped by a time limit per text."""

    def __init__(self, bit: int, compiled: Any, timeout: float) -> None:
        super().__init__(bit)
        self._compiled = compiled
        self._timeout = timeout

    def look(self, text: str) -> Hits | None:
        """The first match and the count of all."""
        self.searched += 1
        limit = self._timeout if len(text) < _MILLION else self._timeout * (1 + len(text) // _MILLION)
        begin = time.perf_counter()
        try:
            first = self._compiled.search(text, timeout=limit)
            if first is None:
                return None
            count = sum(1 for _ in islice(self._compiled.finditer(text, timeout=limit), MAX_COUNT))
        except TimeoutError:
            return Hits(slow=1)
        finally:
            self.spent += time.perf_counter() - begin
        return Hits(count, text, Found(first.start(), first.end(), count))


class Words(Matcher):
    """A list of literal texts, any of them; capitals make no difference unless `case`."""

    def __init__(self, bit: int, words: tuple[str, ...], *, case: bool) -> None:
        super().__init__(bit)
        self._case = case
        self._words = words if case else tuple(word.casefold() for word in words)

    def look(self, text: str) -> Hits | None:
        """The first of the words that stands in the text, and how often all of them do."""
        self.searched += 1
        begin = time.perf_counter()
        folded = text if self._case else text.casefold()
        present = [word for word in self._words if word in folded]
        self.spent += time.perf_counter() - begin
        if not present:
            return None
        start, end = min((folded.find(word), folded.find(word) + len(word)) for word in present)
        count = min(sum(folded.count(word) for word in present), MAX_COUNT)
        if len(folded) != len(text):
            start, end = _unfolded(text, start), _unfolded(text, end)
        return Hits(count, text, Found(start, end, count))


def _unfolded(text: str, offset: int) -> int:
    """Where an offset of the case-folded text stands in the text itself: folding can lengthen characters."""
    for index, reached in enumerate(accumulate(len(char.casefold()) for char in text)):
        if reached > offset:
            return index
    return len(text)


FLAGS: Final = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X, "w": regex.W, "a": regex.A, "f": regex.F}
"""Letters of flags -> the library's flags."""

_Remembered = tuple[int, tuple[tuple[int, Hits], ...]]
"""The set of patterns that looked, as bits, and what they found."""


class Matchers:
    """All patterns of a process with what they found: rules with the same pattern share one.

    A *set* of patterns is the sum of their bits. Bounded by the characters of the texts that are remembered.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Matcher] = {}
        self._by_bit: dict[int, Matcher] = {}
        self._young: dict[str | Part, _Remembered] = {}
        self._old: dict[str | Part, _Remembered] = {}
        self._chars = 0

    def pattern(self, pattern: str, flags: str = "", timeout: float = TIMEOUT_S) -> Matcher:
        """A regular expression. Raises `regex.error` for a wrong one, `KeyError` for an unknown flag."""
        bits = regex.V0
        for letter in flags:
            bits |= FLAGS[letter]
        key = ("pattern", pattern, bits, timeout)
        return self._known.get(key) or self._add(key, Pattern(self._bit(), regex.compile(pattern, bits), timeout))

    def words(self, words: tuple[str, ...], *, case: bool = False) -> Matcher:
        """A list of literal texts."""
        key = ("words", words, case)
        return self._known.get(key) or self._add(key, Words(self._bit(), words, case=case))

    def _bit(self) -> int:
        return 1 << len(self._known)

    def _add(self, key: tuple[Any, ...], matcher: Matcher) -> Matcher:
        self._known[key] = self._by_bit[matcher.bit] = matcher
        return matcher

    def scan(self, part: Part, wanted: int, into: dict[int, Hits], seen: set[str | Part] | None = None) -> None:
        """Add what a set of patterns finds in the texts of a part to `into`, by bit.

        Texts that are in `seen` are left out, and noted there.
        """
        known = self._young
        for item in part.items:
            remembered = known.get(item)
            if remembered is None or wanted & ~remembered[0]:
                remembered = self._look(item, wanted)
                known = self._young
            if not remembered[1]:
                continue
            if seen is not None:
                if item in seen:
                    continue
                seen.add(item)
                if isinstance(item, Part):
                    self.scan(item, wanted, into, seen)
                    continue
            for bit, hits in remembered[1]:
                if bit & wanted:
                    if bit in into:
                        into[bit].add(hits)
                    else:
                        into[bit] = Hits(hits.count, hits.text, hits.first, hits.slow)

    def _look(self, item: str | Part, wanted: int) -> _Remembered:
        """What is known of a text or a part, with the patterns added that have not looked yet."""
        looked, found = self._young.get(item) or self._old.get(item) or (0, ())
        missing = wanted & ~looked
        if missing:
            if isinstance(item, Part):
                inside: dict[int, Hits] = {}
                self.scan(item, missing, inside)
                new = tuple(inside.items())
            else:
                new = self._search(item, missing)
            found = found + new
        if self._chars > _MEMO_CHARS // 2:
            self._old, self._young, self._chars = self._young, {}, 0
        self._young[item] = remembered = (looked | missing, found)
        self._chars += 100 + (len(item) if isinstance(item, str) else 0)
        return remembered

    def _search(self, text: str, wanted: int) -> tuple[tuple[int, Hits], ...]:
        found: list[tuple[int, Hits]] = []
        while wanted:
            bit = wanted & -wanted
            wanted ^= bit
            hits = self._by_bit[bit].look(text)
            if hits is not None:
                found.append((bit, hits))
        return tuple(found)
