"""The rules that `tracetui rules STORE init` writes."""

from __future__ import annotations

from pathlib import Path

NAME = "starter-rules.toml"


def text() -> str:
    """The text of the file: from the installed package, else from the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "fixtures" / NAME
    file = inside if inside.is_file() else package.parent.parent / "fixtures" / NAME
    return file.read_text(encoding="utf-8")
