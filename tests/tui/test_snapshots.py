"""The main screen as a picture. After a change on purpose: `pytest tests/tui/test_snapshots.py --snapshot-update`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import BEGIN, Driver, S
from textual.pilot import Pilot

from tracetui.tui import ink
from tracetui.tui.app import prepare


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """One moment, one time zone, one set of signs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("tracetui.tui.widgets.tree.now_us", lambda: BEGIN + 3600 * S)
    monkeypatch.setattr("tracetui.tui.screens.explorer.now_us", lambda: BEGIN + 3600 * S)
    monkeypatch.setattr("tracetui.tui.widgets.detail.now_us", lambda: BEGIN + 3600 * S)
    monkeypatch.setattr(ink, "glyphs", lambda: ink.UNICODE)


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_the_main_screen(snap_compare: Callable[..., bool], store: Path, size: tuple[int, int]) -> None:
    app = prepare(store, author="me")

    async def look(pilot: Pilot[None]) -> None:
        drive = Driver(app, pilot)
        await drive.until(lambda: app.explorer.browser.painted)
        await drive.press("]", "e", "k")
        await drive.until(lambda: "3 threads" not in drive.text and "6 threads" in drive.text)
        detail, row = app.explorer.panes.detail, drive.tree.current
        assert detail is not None and row is not None
        await drive.until(lambda: not detail.display or (detail.loaded and detail.loaded.row.pk == row.pk))
        await drive.quiet()

    try:
        assert snap_compare(app, terminal_size=size, run_before=look)
    finally:
        app.end()
