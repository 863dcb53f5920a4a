"""Where things stand in a TOML text: the parser gives values without their lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HEADER = re.compile(r"\s*\[(\[?)\s*([^\[\]#]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")


@dataclass(slots=True)
class RuleLines:
    """The lines (from 1) of one `[[rule]]`: of itself and of each dotted key in it."""

    start: int
    keys: dict[str, int] = field(default_factory=dict)

    def line(self, path: str) -> int:
        """The line of a dotted key, else of the nearest table around it, else of the rule."""
        while path:
            if path in self.keys:
                return self.keys[path]
            path = path.rpartition(".")[0]
        return self.start


def rule_lines(text: str) -> list[RuleLines]:
    """The rules of a file in their order, each with its lines."""
    rules: list[RuleLines] = []
    prefix = ""
    closing: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if closing is not None:
            if closing in line:
                closing = None
            continue
        header = _HEADER.match(line)
        if header is not None:
            prefix = _dotted(header[2])
            if header[1] and prefix == "rule":
                rules.append(RuleLines(number))
            elif rules and prefix.startswith("rule."):
                rules[-1].keys.setdefault(prefix.removeprefix("rule."), number)
            continue
        key = _KEY.match(line)
        if key is not None and rules and (prefix == "rule" or prefix.startswith("rule.")):
            rules[-1].keys.setdefault(f"{prefix}.{_dotted(key[1])}".removeprefix("rule."), number)
        closing = _opened(line)
    return rules


def _dotted(text: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in text.split("."))


def _opened(line: str) -> str | None:
    """The marks that end a text of several lines which this line begins, if it does."""
    at = 0
    while at < len(line):
        if line[at] == "#":
            return None
        for marks in ("'''", '"""'):
            if line.startswith(marks, at):
                end = line.find(marks, at + 3)
                if end < 0:
                    return marks
                at = end + 2
                break
        else:
            if line[at] in "'\"":
                end = line.find(line[at], at + 1)
                while line[at] == '"' and end > 0 and line[end - 1] == "\\":
                    end = line.find('"', end + 1)
                at = end if end > 0 else len(line)
        at += 1
    return None
