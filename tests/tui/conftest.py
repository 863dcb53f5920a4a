"""What the tests of the explorer share."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import make_store


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a screen remembers goes to the test's own folder; the terminal is one with colours and UTF-8."""
    monkeypatch.setenv("TRACETUI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three threads of three traces, and three traces alone."""
    return make_store(tmp_path / "shop.db")
