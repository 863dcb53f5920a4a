"""Colours and signs: a theme file gives roles, a role on a ground is a style, the locale chooses glyphs."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rich.color import Color, ColorParseError
from rich.segment import Segment
from rich.style import Style

from tracetui.model.errors import InputError

ROLES: dict[str, str] = {
    "bg": "ground",
    "surface": "ground of bars and drawers",
    "cursor": "ground of the cursor's row",
    "blur": "ground of the cursor's row in the pane without keys",
    "mark-bg": "ground of a marked row",
    "text": "facts",
    "text-2": "ordinary rows",
    "muted": "labels, times, counts",
    "off": "keys that do not work now, things not loaded",
    "rule": "lines that carry no fact",
    "guide": "guides of the tree",
    "axis": "a trace's own axis",
    "bar": "waterfall",
    "bar-hot": "waterfall of the cursor's row",
    "accent": "keys, cursor edge, progress, running",
    "bad": "errors, and scores that are bad by their key's own direction",
    "bad-bg": "ground of a bad chip",
    "warn": "suspicious, sources that differ",
    "good": "good scores, live",
    "good-bg": "ground of added text",
    "match": "what a filter found",
    "match-bg": "ground of what a filter found",
}
"""Every role of a theme and what it is for."""

GROUNDS = ("bg", "surface", "cursor", "blur", "mark-bg", "bad-bg", "good-bg", "match-bg")
_ATTRIBUTES = ("bold", "dim", "underline", "reverse")


@dataclass(frozen=True, slots=True)
class Ink:
    """A theme: styles by role and ground. A ground without a colour is the terminal's own."""

    name: str
    dark: bool
    colours: Mapping[str, str | None]
    attributes: Mapping[str, frozenset[str]]
    _made: dict[tuple[str, str, bool], Style] = field(default_factory=dict, compare=False, repr=False)

    def on(self, role: str, ground: str = "bg", *, bold: bool = False) -> Style:
        """The style of a role on a ground (one of `GROUNDS`)."""
        key = (role, ground, bold)
        style = self._made.get(key)
        if style is None:
            style = self._made[key] = self._make(role, ground, bold)
        return style

    def cell(self, role: str, ground: str = "bg") -> Style:
        """A filled cell: the ground's colour on the role's."""
        key = (role, ground + "!", True)
        style = self._made.get(key)
        if style is None:
            fill = self.colours[role] if self.colours[ground] else None
            if fill is None:
                style = self._make(role, ground, False) + Style(reverse=True)
            else:
                style = Style(color=self.colours[ground], bgcolor=fill, bold=True)
            self._made[key] = style
        return style

    def under(self, role: str, ground: str = "bg") -> Style:
        """The style of a role on a ground, underlined."""
        key = (role, ground + "_", False)
        style = self._made.get(key)
        if style is None:
            style = self._made[key] = self._make(role, ground, False) + Style(underline=True)
        return style

    def _make(self, role: str, ground: str, bold: bool) -> Style:
        attributes = self.attributes.get(role, frozenset())
        return Style(
            color=self.colours[role],
            bgcolor=self.colours[ground],
            bold=bold or "bold" in attributes or None,
            dim="dim" in attributes or None,
            underline="underline" in attributes or None,
            reverse="reverse" in attributes or None,
        )


def themes_dir() -> Path:
    """Where the themes that ship are."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent.parent / "themes"


def load(path: Path) -> Ink:
    """The theme of a file. Raises `InputError` naming the file and the role that is wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError("The theme cannot be read", f"{path}: {error.strerror}", "") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("The theme cannot be read", f"{path}: {error}", "A theme is a TOML file.") from None
    return _theme(path, data)


def default(*, colour: bool = True) -> Ink:
    """The default theme; without `colour` the one that has none."""
    return load(themes_dir() / ("dark.toml" if colour else "plain.toml"))


def _theme(path: Path, data: Mapping[str, Any]) -> Ink:
    given = data.get("colours", {})
    if not isinstance(given, dict):
        raise _wrong(path, "colours is no table")
    for role in given:
        if role not in ROLES:
            raise _wrong(path, f"there is no role {role!r}")
    colours: dict[str, str | None] = {}
    for role in ROLES:
        colour = given.get(role, "")
        colours[role] = _colour(path, role, colour) if colour else None
    attributes: dict[str, frozenset[str]] = {}
    for role, names in data.get("attributes", {}).items():
        if role not in ROLES or not isinstance(names, list) or any(name not in _ATTRIBUTES for name in names):
            raise _wrong(path, f"attributes of {role!r}: a list of {', '.join(_ATTRIBUTES)}")
        attributes[role] = frozenset(names)
    return Ink(str(data.get("name", path.stem)), bool(data.get("dark", True)), colours, attributes)


def _colour(path: Path, role: str, colour: Any) -> str:
    try:
        Color.parse(str(colour))
    except ColorParseError:
        raise _wrong(path, f"{role} = {colour!r} is no colour") from None
    return str(colour)


def _wrong(path: Path, what: str) -> InputError:
    return InputError("The theme cannot be used", f"{path}: {what}", f"Roles are: {', '.join(ROLES)}.")


_KINDS = {
    "llm": ("•", "L"),
    "tool": ("ƒ", "T"),
    "agent": ("@", "A"),
    "chain": ("»", "C"),
    "retriever": ("¶", "R"),
    "embedding": ("≈", "E"),
    "guardrail": ("#", "G"),
    "reranker": ("↑", "K"),
    "prompt": ("§", "P"),
    "evaluator": ("Δ", "V"),
}


class Glyphs(NamedTuple):
    """The signs of the screen, one cell each."""

    failed: str
    suspicious: str
    running: str
    abandoned: str
    edge: str
    blur_edge: str
    marked: str
    folded: str
    open: str
    guide: str
    thick: str
    """Waterfall: a full cell, its right half, its left half."""
    thin: str
    progress: str
    """Done, half done, to do."""
    bad_edge: str
    differ: str
    ellipsis: str
    rule: str
    line: str
    quote: str
    """Bar at the left of a text that someone said."""
    other: str
    kinds: Mapping[str, str]

    def kind(self, kind: str | None) -> str:
        """The sign of a kind of run."""
        return self.kinds.get(kind or "", self.other)


UNICODE = Glyphs(
    failed="×", suspicious="!", running="…", abandoned="†", edge="▌", blur_edge="▏", marked="*",
    folded="▸", open="▾", guide="│", thick="━╺╸", thin="─╶╴", progress="━╸─", bad_edge="▌", differ="≠",
    ellipsis="…", rule="│", line="─", quote="▎", other="·",
    kinds={kind: signs[0] for kind, signs in _KINDS.items()},
)  # fmt: skip
ASCII = Glyphs(
    failed="x", suspicious="!", running="~", abandoned="-", edge=">", blur_edge=">", marked="*",
    folded=">", open="v", guide="|", thick="===", thin="---", progress="=--", bad_edge="!", differ="/",
    ellipsis="~", rule="|", line="-", quote="|", other=".",
    kinds={kind: signs[1] for kind, signs in _KINDS.items()},
)  # fmt: skip


def glyphs() -> Glyphs:
    """The signs this terminal's locale can show.

    By the variables and not by Python's own encoding, which is UTF-8 in the C locale too.
    """
    named = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "utf-8")
    return UNICODE if "utf" in named.lower() else ASCII


Piece = tuple[str, Style]
"""A text and its style: what rows are made of before they become segments."""


def weave(pieces: Iterable[Piece]) -> list[Segment]:
    """Segments of pieces, neighbours of one style joined.

    A blank takes the style of the cell before it when the ground is the same: without that rule a page is
    twice as many bytes on the wire.
    """
    out: list[Segment] = []
    text, style = "", Style.null()
    for full, ink in pieces:
        piece = full
        if not piece:
            continue
        if text and (ink is style or ink == style or (_plain_blank(piece, style, ink))):
            text += piece
            continue
        lead = len(piece) - len(piece.lstrip(" "))
        if text and lead and lead < len(piece) and _plain_blank(" ", style, ink):
            text += piece[:lead]
            piece = piece[lead:]
        if text:
            out.append(Segment(text, style))
        text, style = piece, ink
    if text:
        out.append(Segment(text, style))
    return out


def _plain_blank(piece: str, before: Style, ink: Style) -> bool:
    if not piece.isspace() or before.bgcolor != ink.bgcolor:
        return False
    return not (before.underline or before.reverse or ink.underline or ink.reverse)
