"""What must not be imported, seen in fresh interpreters."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tracetui
from tracetui.model.records import Batch, RunRecord
from tracetui.store.writer import Writer

BELOW_TUI = ("model", "query", "store", "ingest", "label", "evaluate")
PACKAGES = {name for _, name, is_package in pkgutil.iter_modules(tracetui.__path__) if is_package}
DATA_VERBS = ("import", "query", "show", "score", "rules", "evaluate", "worker", "stats", "doctor", "keys", "demo")
HEAVY = {"sqlalchemy", "sqlmodel", "pydantic", "httpx", "httpx2", "openai", "genai_prices"}


def imported(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running some code."""
    code += "\nimport json, sys\nsys.stdout = sys.__stdout__\n"
    code += "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules_of(package: str) -> list[str]:
    root = Path(tracetui.__path__[0])
    files = sorted((root / package).rglob("*.py"))
    return [".".join(("tracetui", *file.relative_to(root).with_suffix("").parts)) for file in files]


@pytest.mark.parametrize("package", sorted(set(BELOW_TUI) & PACKAGES))
def test_nothing_below_the_tui_imports_textual(package: str) -> None:
    names = [name.removesuffix(".__init__") for name in modules_of(package)]
    assert names
    assert "textual" not in imported("".join(f"import {name}\n" for name in names))


@pytest.mark.parametrize("line", [["--help"], ["--version"], [], *([verb, "--help"] for verb in DATA_VERBS)])
def test_words_of_the_command_line_import_no_textual(line: list[str]) -> None:
    code = (
        f"import os, sys; sys.stdout = open(os.devnull, 'w')\nfrom tracetui.cli.main import run\ncode = run({line!r})"
    )
    code += f"\nassert code == 0 or not {line!r}, code"
    got = imported(code)
    assert "textual" not in got
    assert not got & (HEAVY - {"pydantic"}), "help must be quick"


FIRST_PAGE = """
import asyncio
from pathlib import Path
from tracetui.tui.app import prepare

async def look():
    app = prepare(Path({store!r}), author="ann")
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            while "first-talk" not in app.export_screenshot():
                await pilot.pause(0.01)
    finally:
        app.end()

asyncio.run(look())
"""


def test_the_way_to_the_first_page_imports_nothing_heavy(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    with Writer(store, create=True) as writer:
        writer.write(Batch((RunRecord(id="x:1", name="agent", kind="agent", session="first-talk"),)))
    got = imported(FIRST_PAGE.format(store=str(store)))
    assert "textual" in got
    assert not got & HEAVY
