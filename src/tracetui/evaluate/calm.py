"""Less work for the garbage collector while much is decoded."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OFTEN = 100_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """While the block runs, garbage is looked for every 100,000 new objects.

    Decoded texts are trees without cycles, which go by themselves; looking through all that caches keep cost a tenth
    of a worker's time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_OFTEN, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
