"""What tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and captures beside the repository; tests that read it skip where it is absent."""
    if not (SHARED / "README.md").is_file():
        pytest.skip("the shared data is not beside this checkout")
    return SHARED
