"""What a person reads on stderr when a verb cannot do what was asked. Never a traceback."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from tracetui.model.errors import ExitCode, TracetuiError
from tracetui.model.text import display

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

_BUG_EXIT = 70  # EX_SOFTWARE of sysexits.h: no code of the contract, so that scripts can tell


def guarded(act: Callable[[], int | None]) -> int:
    """Do something and give its exit code; what goes wrong is shown, not raised."""
    try:
        return act() or int(ExitCode.DONE)
    except TracetuiError as error:
        return report(error)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except OSError as error:
        return report_system(error)
    except Exception as error:  # noqa: BLE001  # the last floor: a mistake of ours must not print a traceback
        return report_bug(error)


def report(error: TracetuiError) -> int:
    """Show an error (a panel on a terminal, plain lines in a pipe) and give its exit code."""
    _show(error.title, error.message, error.hint)
    return int(error.exit_code)


def report_usage(error: click.ClickException) -> int:
    """Show what is wrong with a command line, with the nearest help."""
    context = getattr(error, "ctx", None)
    command = context.command_path.removesuffix(" open") if context is not None else "tracetui"
    _show("Wrong usage", error.format_message(), f"{command} --help shows how it is used")
    return int(ExitCode.USAGE)


def report_system(error: OSError) -> int:
    """Show what the operating system refused, naming the file."""
    place = f"{error.filename}: " if error.filename else ""
    _show("The system refused", f"{place}{error.strerror or error}", "")
    return int(ExitCode.USAGE)


def report_bug(error: BaseException) -> int:
    """Keep the details of a mistake of ours in a file and say where it is."""
    from tempfile import NamedTemporaryFile

    text = "".join(traceback.format_exception(error))
    with NamedTemporaryFile("w", prefix="tracetui-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(text)
    _show(
        "A mistake in tracetui",
        f"{type(error).__name__}: {error}",
        f"The store is safe. What happened in detail is in {file.name}; please report it with that file.",
    )
    return _BUG_EXIT


def _show(title: str, message: str, hint: str) -> None:
    # a message names files and values, which may hold anything
    title, message, hint = display(title), display(message, lines=True), display(hint, lines=True)
    if not sys.stderr.isatty():
        lines = [f"{title}: {message}", *([hint] if hint else [])]
        print("\n".join(lines), file=sys.stderr)  # noqa: T201  # words go to stderr
        return
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    body = Text(message)
    if hint:
        body.append(f"\n\n{hint}", style="dim")
    Console(stderr=True).print(Panel(body, title=Text(title), title_align="left", border_style="red"))
