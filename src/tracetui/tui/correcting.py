"""A correction in the person's own editor: what the row should have said."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from tracetui.model import jsonx
from tracetui.model.errors import InputError
from tracetui.model.kinds import Level
from tracetui.model.rows import Row
from tracetui.tui.feed import NOW

if TYPE_CHECKING:
    from tracetui.store.reading import Reader
    from tracetui.tui.screens.explorer import Explorer

_LIMIT = 5_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What the editor opens on."""

    row: Row
    text: str
    json: bool
    """The text is the JSON of a value that is no plain text."""


def ask(explorer: Explorer, row: Row) -> None:
    """Read what was said there; the answer opens the editor."""
    author, key = explorer.author, explorer.judge.current
    explorer.far.ask("correct", lambda reader: draft(reader, row, author, key), NOW)


def correct(explorer: Explorer, before: Draft) -> None:
    """Open the editor on a draft, and keep what comes out."""
    try:
        with explorer.app.suspend():
            text = edit(before.text, ".json" if before.json else ".txt")
    except SuspendNotSupported:
        explorer.say("no editor here", "this terminal cannot be handed over")
        return
    except InputError as error:
        explorer.trouble(error)
        return
    finally:
        explorer.refresh()
    if text == before.text:
        explorer.say("unchanged", "nothing was corrected")
    else:
        explorer.judge.comment("", before.row, value_of(text, json=before.json), correct=True)


def draft(reader: Reader, row: Row, author: str, key: str | None) -> Draft:
    """What an editor opens on: one's own correction, else what came out."""
    for said in reader.feedback(row.level, row.pk):
        if said.author == author and said.correction is not None and key in (None, said.key):
            return _draft(row, said.correction)
    pk = row.pk
    if row.level != Level.RUN:
        trace = row.pk if row.level == Level.TRACE else None
        roots = reader.keys(Level.RUN, parent=trace, limit=1).pks if trace is not None else ()
        if not roots:
            return _draft(row, row.output_preview or "")
        pk = roots[0]
    return _draft(row, reader.run(pk).outputs)


def _draft(row: Row, value: Any) -> Draft:
    if value is None or isinstance(value, str):
        return Draft(row, value or "", json=False)
    import json

    return Draft(row, json.dumps(value, indent=2, ensure_ascii=False) + "\n", json=True)


def value_of(text: str, *, json: bool) -> Any:
    """The correction that a text is: the JSON value where there was one and it still reads as such."""
    if json:
        try:
            return jsonx.loads(text)
        except ValueError:
            return text  # the person wrote something else: kept as it is
    return text.removesuffix("\n")


def editor() -> list[str]:
    """The person's editor. Raises `InputError` where there is none."""
    line = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if not words:
        raise InputError("No editor", f"EDITOR is {line!r}.", "Set EDITOR to a program.")
    return words


def edit(text: str, suffix: str) -> str:
    """The text after the person edited it. Raises `InputError` where the editor cannot run or fails."""
    with tempfile.TemporaryDirectory(prefix="tracetui-") as folder:
        path = Path(folder) / f"correction{suffix}"
        path.write_text(text, "utf-8", errors="surrogatepass")
        words = editor()
        try:
            done = subprocess.run([*words, str(path)], check=False)
        except OSError as error:
            raise InputError("No editor", f"{words[0]}: {error.strerror}", "Set EDITOR to a program.") from None
        if done.returncode:
            raise InputError("The editor failed", f"{words[0]} ended with {done.returncode}.", "Nothing was changed.")
        with path.open("rb") as file:
            return file.read(_LIMIT).decode("utf-8", "replace")
