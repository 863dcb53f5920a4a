"""Errors in lines: what went wrong first, then the stack with our own frames open and those of libraries counted."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import groupby

from tracetui.model.errors import TracetuiError
from tracetui.model.text import display
from tracetui.tui.detail.line import Act, Line, Page, Part, Span
from tracetui.tui.detail.prose import text_lines, wrap, wrapped
from tracetui.tui.figures import counted

_LIMIT = 100_000
_REPR = re.compile(r"([A-Za-z_]\w{0,120})\(.{0,2000}\)")
_CLASS = re.compile(
    r"([A-Za-z_][\w.]{0,120}(?:Error|Exception|Warning|Interrupt|Exit|Failure|Timeout)|[A-Z]\w{2,60})(?::\s*|$)"
)
_PYTHON = re.compile(r'^\s*File "(?P<file>[^"]{1,400})", line (?P<line>\d{1,9})(?:, in (?P<name>.{0,200}))?$')
_SCRIPT = re.compile(r"^\s*at (?:(?P<name>[^()]{1,200}) \()?(?P<file>[^()\s]{1,400}):(?P<line>\d{1,9}):\d{1,9}\)?$")
_PACKAGE = re.compile(r"(?:site-packages|dist-packages|node_modules)/(?P<package>(?:@[^/]+/)?[^/]+)")
_RUNTIME = re.compile(r"/lib/python3|^<frozen |^node:|internal/(?:process|modules)")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stack."""

    file: str
    line: str
    name: str
    code: tuple[str, ...] = ()

    @property
    def library(self) -> str:
        """The library it is in; empty for the program's own."""
        found = _PACKAGE.search(self.file)
        if found:
            return found["package"].removesuffix(".py")
        return "the runtime" if _RUNTIME.search(self.file) else ""


def error_lines(page: Page, error: str, key: Hashable, *, indent: int = 0) -> Iterator[Line]:
    """An error: its class and message, what else it says, and its stack."""
    title, rest = split_error(error)
    lead = " " * indent
    found = _CLASS.match(title)
    name = found[1] if found else ""
    message = title[found.end() :] if found else title
    width = page.narrower(indent + 2)
    first = True
    gap = "" if not name or not message or message.startswith("(") else "  "
    for row in wrap(display(name + gap + message), width):
        sign = Span(page.glyphs.failed, "bad", filled=True) if first else Span(" ")
        bold = len(name) if first else 0
        yield Line((Span(lead), sign, Span(" "), Span(row[:bold], "bad", bold=True), Span(row[bold:], "bad")))
        first = False
    frames, words = stack_of(rest)
    words = "\n".join(line for line in words.split("\n") if line.strip() != title.strip())
    if words:
        yield from text_lines(
            page, words, ("error", key), lead=(Span(lead + "  "),), role="muted" if frames else "text-2", lines=12
        )
    if frames:
        yield from _stack_lines(page, frames, ("stack", key), lead + "  ")


def split_error(error: str) -> tuple[str, str]:
    """The line that says what went wrong, and the rest. A traceback says it last."""
    text = error[:_LIMIT].strip("\n")
    first, _, rest = text.partition("\n")
    if first.startswith("Traceback (most recent call last)"):
        body, _, last = text.rstrip().rpartition("\n")
        return (last, body) if last and not last[0].isspace() else ("error", text)
    shown = _REPR.fullmatch(first)
    body, _, last = rest.rstrip().rpartition("\n")
    if shown and last.startswith(f"{shown[1]}:"):  # LangSmith writes the repr before the traceback that says it plainly
        return last, body
    return first[:2000], rest


def stack_of(text: str) -> tuple[list[Frame], str]:
    """The frames of a stack, and what else the text says."""
    frames: list[Frame] = []
    words: list[str] = []
    code: list[str] = []

    def close() -> None:
        if frames and code:
            last = frames[-1]
            frames[-1] = Frame(last.file, last.line, last.name, tuple(code))
        code.clear()

    for line in text.split("\n"):
        found = _PYTHON.match(line) or _SCRIPT.match(line)
        if found:
            close()
            frames.append(Frame(found["file"], found["line"], found["name"] or ""))
        elif frames and line.startswith((" ", "\t")) and line.strip():
            if len(code) < 4 and line.strip(" ^~"):
                code.append(line.strip())
        elif line.strip() and not line.startswith("Traceback (most recent"):
            words.append(line)
    close()
    return frames, "\n".join(words)


def _stack_lines(page: Page, frames: list[Frame], key: Hashable, lead: str) -> Iterator[Line]:
    is_open = page.folds.is_open(key, default=True)
    title = f"{page.fold_sign(is_open)} stack, {counted(len(frames), 'frame')}"
    yield Line((Span(lead), Span(title, "muted")), (), Part(Act.FOLD, key))
    if not is_open:
        return
    place = 0
    for library, group in groupby(frames, key=lambda frame: frame.library):
        members = list(group)
        inner = ("frames", key, place)
        place += len(members)
        if library:
            unfolded = page.folds.is_open(inner, default=False)
            text = f"{page.fold_sign(unfolded)} {counted(len(members), 'frame')} of {display(library)}"
            yield Line((Span(lead + "  "), Span(text, "muted")), (), Part(Act.FOLD, inner))
            if not unfolded:
                continue
        for frame in members:
            yield from _frame_lines(page, frame, lead + "  ")


def _frame_lines(page: Page, frame: Frame, lead: str) -> Iterator[Line]:
    place = display(f"{frame.file}:{frame.line}")
    yield Line((Span(lead), Span(place, "text-2"), Span("  " + display(frame.name), "muted")))
    width = page.narrower(len(lead) + 2)
    for code in frame.code:
        for row in wrap(display(code, limit=400), width):
            yield Line((Span(lead + "  "), Span(row, "text")))


def trouble_lines(page: Page, error: TracetuiError) -> Iterator[Line]:
    """Why a row cannot be shown, in place of it: what, why, what now."""
    sign = Span(page.glyphs.failed, "bad", filled=True)
    yield Line((sign, Span(" " + display(error.title), "text", bold=True)))
    for text, role in ((error.message, "text-2"), (error.hint, "muted")):
        for row in wrapped(display(text, limit=4000, lines=True), page.narrower(2)) if text else ():
            yield Line((Span("  " + row, role),))
