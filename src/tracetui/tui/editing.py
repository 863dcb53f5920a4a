"""One line of text being typed: text, place of the cursor, and the keys that change them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tracetui.model.text import display

LIMIT = 10_000


@dataclass(slots=True)
class Line:
    """A line being typed. `at` is the place of the cursor in characters."""

    text: str = ""
    at: int = 0

    def set(self, text: str) -> None:
        """Another text, the cursor behind it."""
        self.text, self.at = text[:LIMIT], len(text[:LIMIT])

    def insert(self, text: str) -> None:
        """Text at the cursor. Line breaks become blanks; what could act on a terminal is named."""
        text = display(text)[: max(LIMIT - len(self.text), 0)]
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def press(self, key: str) -> bool:
        """Do what a key does (`keys.spelled`); whether it does anything here."""
        if key == "space":
            self.insert(" ")
        elif len(key) == 1:
            self.insert(key)
        elif key in ("left", "right", "home", "end", "ctrl+a", "ctrl+e", "ctrl+left", "ctrl+right"):
            self._move(key)
        elif key in ("backspace", "ctrl+h"):
            self._remove(self.at - 1, self.at)
        elif key == "del":
            self._remove(self.at, self.at + 1)
        elif key in ("ctrl+w", "ctrl+backspace", "alt+backspace"):
            self._remove(self._word(-1), self.at)
        elif key == "ctrl+u":
            self._remove(0, self.at)
        elif key == "ctrl+k":
            self._remove(self.at, len(self.text))
        else:
            return False
        return True

    def _move(self, key: str) -> None:
        match key:
            case "left":
                self.at = max(self.at - 1, 0)
            case "right":
                self.at = min(self.at + 1, len(self.text))
            case "home" | "ctrl+a":
                self.at = 0
            case "end" | "ctrl+e":
                self.at = len(self.text)
            case "ctrl+left":
                self.at = self._word(-1)
            case _:
                self.at = self._word(1)

    def _remove(self, start: int, end: int) -> None:
        start, end = max(start, 0), min(end, len(self.text))
        self.text = self.text[:start] + self.text[end:]
        self.at = min(start, len(self.text))

    def _word(self, step: int) -> int:
        at = self.at
        if step < 0:
            while at and self.text[at - 1] == " ":
                at -= 1
            while at and self.text[at - 1] != " ":
                at -= 1
            return at
        while at < len(self.text) and self.text[at] == " ":
            at += 1
        while at < len(self.text) and self.text[at] != " ":
            at += 1
        return at
