"""`tracetui stats`: what is in a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracetui.cli.params import STORE
from tracetui.cli.progress import progress_bar
from tracetui.model.errors import ExitCode

if TYPE_CHECKING:
    from tracetui.store.stats import Stats

HELP = """\
Say what is in a store.

Tokens and cost are those of llm and embedding runs, each usage once; what nobody said is left out, not 0.

\b
  tracetui stats traces.db
  tracetui stats traces.db --json | jq .feedback.helpful.mean
"""


@click.command(help=HELP, short_help="Say what is in a store.")
@click.argument("store", type=STORE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(store: Path, as_json: bool) -> int:
    """Print the figures."""
    from tracetui.store.access import Access
    from tracetui.store.stats import content_count, stats

    def total() -> int:
        access = Access(store)
        try:
            return content_count(access)
        finally:
            access.close()

    with progress_bar("Counting", total) as advance:
        found = stats(store, None if advance is None else lambda done: advance(done, ""))
    if as_json:
        from tracetui.model import jsonx

        click.echo(jsonx.dumps(asdict(found)).decode())
    else:
        for line in _lines(found):
            click.echo(line)
    return ExitCode.DONE


def _lines(found: Stats) -> Iterable[str]:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in found.runs_by_kind.items())
    yield f"{'threads':<12}{found.threads:>14,}"
    yield f"{'traces':<12}{found.traces:>14,}"
    yield f"{'runs':<12}{found.runs:>14,}" + (f"   {kinds}" if kinds else "")
    yield f"{'failed':<12}{found.errors:>14,}"
    for name, tokens in (
        ("prompt", found.prompt_tokens),
        ("completion", found.completion_tokens),
        ("cache read", found.cache_read_tokens),
    ):
        if tokens is not None:
            yield f"{name:<12}{tokens:>14,}   tokens"
    if found.cost is not None:
        yield f"{'cost':<12}{f'${found.cost:,.4f}':>14}"
    content = found.content
    yield (
        f"{'content':<12}{content.stored:>14,}   {_size(content.logical_bytes)} of JSON kept in "
        f"{_size(content.stored_bytes)}"
    )
    yield f"{'file':<12}{_size(found.file_bytes):>14}"
    if found.feedback:
        yield ""
        yield from _feedback(found)


def _feedback(found: Stats) -> Iterable[str]:
    from tracetui.model.text import display

    width = min(max(len(display(key, limit=30)) for key in found.feedback), 30)
    yield f"{'feedback':<{width}}  {'n':>8}  {'mean':>8}  who, what"
    for key, said in found.feedback.items():
        mean = "" if said.mean is None else f"{said.mean:.3g}"
        parts = [f"{n:,} {source}" for source, n in said.by_source.items()]
        common = sorted(said.values.items(), key=lambda one: (-one[1], one[0]))
        parts += [f"{display(value, limit=20)} {n:,}" for value, n in common[:4]]
        parts += [f"{len(common) - 4} more"] if len(common) > 4 else []
        yield f"{display(key, limit=30):<{width}}  {said.n:>8,}  {mean:>8}  {', '.join(parts)}"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
