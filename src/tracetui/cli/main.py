"""The `tracetui` command: the explorer when a store is named, else a verb.

Each verb is a module of this package that holds a click command called `command`; it is imported when its
verb is used and not before, so that `--help`, `--version` and the verbs that print data start fast and
without textual.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem
from click_default_group import DefaultGroup

from tracetui import __version__
from tracetui.cli import errors
from tracetui.cli.explore import explore
from tracetui.cli.params import STORE, default_store
from tracetui.model.errors import ExitCode, InputError, StoreError, TracetuiError

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Open a store of made-up agents that fail in telling ways."),
    "import": ("import_", "Read traces and labels from files and directories."),
    "query": ("query", "List what a filter finds, for people and for pipes."),
    "show": ("show", "Print one thread, trace or run."),
    "score": ("score", "Give feedback from a script."),
    "rules": ("rules", "See, test and switch the rules that give feedback."),
    "evaluate": ("evaluate", "Run rules now, in the foreground."),
    "worker": ("worker", "Run rules until stopped."),
    "stats": ("stats", "Say what is in a store."),
    "doctor": ("doctor", "Check a store, and repair it."),
    "keys": ("keys", "Print the keys of the explorer."),
}
"""Verb -> its module in this package, and its line in `tracetui --help`."""

HELP = """\
See why an agent did it, and say so.

With a store and no verb, opens the explorer on it; with nothing at all, on your default store. `@` stands
for the default store in every verb (TRACETUI_STORE, else a file in your data directory).

\b
  tracetui demo                          something to look at
  tracetui import traces.db ./runs       read trajectories
  tracetui traces.db                     look at them
  tracetui query traces.db status:error  the same for a pipe
"""


class Verbs(DefaultGroup):  # type: ignore[misc]  # the library has no types
    """The verbs, each imported when it is used; what is no verb is the path of a store."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order people meet them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now; the explorer's where the name is no verb."""
        if cmd_name in VERBS and cmd_name not in self.commands:
            module, _ = VERBS[cmd_name]
            self.add_command(import_module(f"tracetui.cli.{module}").command, cmd_name)
        command: click.Command | None = super().get_command(ctx, cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An empty line opens the default store, but not while a shell asks what could stand there."""
        if ctx.resilient_parsing:
            return click.Group.parse_args(self, ctx, args)
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, from the table and without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both forms of the line."""
        formatter.write_usage(ctx.command_path, "[STORE] [--read-only]")
        formatter.write_usage(ctx.command_path, "VERB [ARGS]...", prefix="       ")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs, and files for the explorer."""
        verbs = [CompletionItem(v, help=line) for v, (_, line) in VERBS.items() if v.startswith(incomplete)]
        return [*verbs, CompletionItem(incomplete, type="file")]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a reader that went away (`| head`) ends it quietly."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # what is left in the buffer must not be written again when the interpreter ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.DONE
        return result


@click.group(
    cls=Verbs,
    default="open",
    default_if_no_args=True,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="tracetui", message="%(prog)s %(version)s")
def cli() -> None:
    """The whole line; `HELP` is what people read."""


@click.command("open", hidden=True)
@click.argument("store", type=STORE, required=False)
@click.argument("more", nargs=-1)
@click.option("--read-only", is_flag=True, help="Change nothing.")
def open_(store: Path | None, more: tuple[str, ...], read_only: bool) -> None:
    """Open the explorer on a store."""
    path = default_store() if store is None else store
    if more or not path.exists():
        raise _no_store(path, "@" if store is None else str(path), more)
    explore(path, read_only=read_only)


cli.add_command(open_)


def _no_store(path: Path, said: str, more: tuple[str, ...]) -> TracetuiError:
    if more and path.exists():
        return InputError("One store at a time", f"after {path} there is `{more[0]}`", "A verb comes before its store")
    nearest = get_close_matches(said, VERBS, n=1)
    if nearest or more:
        hint = f"Did you mean `tracetui {nearest[0]}`?" if nearest else "tracetui --help lists the verbs"
        return InputError("No such verb", f"`{said}` is neither a verb nor a store", hint)
    hint = f"`tracetui import {said} FILES...` makes it, `tracetui demo` has something to look at"
    return StoreError("No such store", f"{path} does not exist", hint)


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name); its exit code. Errors are shown, not raised."""
    return errors.guarded(lambda: _run(args))


def _run(args: Sequence[str] | None) -> int:
    try:
        result = cli.main(args=None if args is None else list(args), prog_name="tracetui", standalone_mode=False)
    except click.Abort:
        return int(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        return errors.report_usage(error)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)
