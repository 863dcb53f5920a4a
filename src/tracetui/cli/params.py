"""What the verbs share on their command lines: the STORE argument."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


def default_store() -> Path:
    """Where `@` and bare `tracetui` point: `TRACETUI_STORE`, else a file in the platform's data directory."""
    named = os.environ.get("TRACETUI_STORE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("tracetui", appauthor=False) / "traces.db"


class StoreParam(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """A path to a store; `@` is the default one. Whether it exists is for the verb to say."""

    name = "store"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path as given, `~` expanded."""
        if isinstance(value, Path):
            return value
        return default_store() if value == "@" else Path(value).expanduser()

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files, by the shell's own completion."""
        return [CompletionItem(incomplete, type="file")]


STORE = StoreParam()
"""The type of every verb's first argument: `@click.argument("store", type=STORE)` gives a `Path`."""
