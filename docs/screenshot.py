"""Make `docs/screenshot.svg`: the explorer on the demo store, as it opens. Run it from the checkout."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

SIZE = (120, 40)
PLACE = Path(__file__).resolve().parent / "screenshot.svg"
SETTLED = "third time"
"""Words of the detail: when they stand there, everything else does."""


async def picture(store: Path) -> str:
    """The screen as SVG, without the fonts from the network that it would ask for."""
    from tracetui.cli.demo import focus
    from tracetui.tui.app import prepare

    app = prepare(store, author="you", focus=focus())
    try:
        async with app.run_test(size=SIZE) as pilot:
            svg = ""
            while SETTLED not in re.sub(r"<[^>]*>|&#160;", " ", svg):
                await pilot.pause(0.1)
                svg = app.export_screenshot(title="tracetui demo")
            await pilot.pause(0.5)
            svg = app.export_screenshot(title="tracetui demo")
    finally:
        app.end()
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)


def main() -> None:
    """Make the store, draw it, write the file."""
    from tracetui.cli.demo import build

    os.environ["COLORTERM"] = "truecolor"
    with tempfile.TemporaryDirectory() as directory:
        store = Path(directory) / "demo.db"
        build(store, print)
        PLACE.write_text(asyncio.run(picture(store)), encoding="utf-8")


if __name__ == "__main__":
    main()
