"""Every command in the README and the docs runs, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.M | re.S)
SET_UP = re.compile(r"^(python3 -m venv|\.venv/bin/)")
"""Lines that need a network or run these tests: `.ci/run` runs the README's."""
EXPLORER = re.compile(r"^tracetui (traces\.db|demo)$")


def commands(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line and not SET_UP.match(line)]


WITH_COMMANDS = [page for page in PAGES if commands(page)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what the pages speak of: a store, some runs, labels."""
    scratch = tmp_path_factory.mktemp("docs")
    (scratch / "runs").mkdir()
    shutil.copy(ROOT / "fixtures" / "demo.jsonl.zst", scratch / "runs")
    (scratch / "labels.csv").write_text("id,key,score,comment\ncheckout-7f3a,seen,1,by a test\n")
    run(scratch, "tracetui import traces.db runs")
    run(scratch, f"tracetui import traces.db {ROOT / 'fixtures' / 'demo-labels.jsonl'}")
    return scratch


def environment(scratch: Path) -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "HOME": str(scratch),
        "XDG_STATE_HOME": str(scratch / "state"),
        "XDG_DATA_HOME": str(scratch / "data"),
        "TRACETUI_STORE": str(scratch / "traces.db"),
    }


def run(scratch: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=scratch, env=environment(scratch), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_of_a_page_runs(page: Path, prepared: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    shutil.copytree(prepared, scratch)
    for command in commands(page):
        if EXPLORER.match(command):
            with Terminal(["bash", "-c", command], cwd=scratch, env=environment(scratch)) as terminal:
                terminal.wait_for("checkout-")
                terminal.send("q")
                assert terminal.wait() == 0, f"{page.name}: {command}"
            continue
        done = run(scratch, command)
        assert done.returncode == 0, f"{page.name}: {command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def test_the_rules_that_are_shown_are_rules() -> None:
    from tracetui.evaluate.rules import parse_rules

    blocks = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "rules.md").read_text("utf-8"), re.M | re.S)
    assert blocks
    for block in blocks:
        assert parse_rules(block, "docs/rules.md").rules


def test_every_verb_is_described() -> None:
    from tracetui.cli.main import VERBS

    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    missing = [verb for verb in VERBS if not re.search(rf"^\| `{verb}\b", page, re.M)]
    assert not missing


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
