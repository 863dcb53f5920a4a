"""The program's first step. `tracetui FILE` opens the explorer without reading the command line's grammar first.

That grammar (click and the verbs) takes some 25 ms, which is a tenth of what a person waits for the first page.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """The program."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the shell (`>&-`): no file of ours may get its number
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    sys.exit(_run(sys.argv[1:]))


def _run(args: list[str]) -> int:
    if len(args) == 1 and _is_path(args[0]):
        from tracetui.cli.errors import guarded
        from tracetui.cli.explore import explore

        return guarded(lambda: explore(Path(args[0])))
    from tracetui.cli.main import run

    return run(args)


def _is_path(text: str) -> bool:
    """Whether an argument can only be a file: no option, and no verb (those have neither a dot nor a slash)."""
    return not text.startswith("-") and any(mark in text for mark in "./") and Path(text).is_file()
