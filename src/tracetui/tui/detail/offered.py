"""The tools that were offered to a call, with their descriptions and parameters, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tracetui.model.chat import ToolDefinition
from tracetui.model.text import display
from tracetui.tui import cells
from tracetui.tui.detail.line import BLANK, Line, Page, Span, indented
from tracetui.tui.detail.prose import text_lines, wrap
from tracetui.tui.detail.values import value_lines
from tracetui.tui.figures import counted

_PARAMETERS = 60


def tools_lines(page: Page, tools: Sequence[ToolDefinition], called: Sequence[str]) -> Iterator[Line]:
    """Each tool: name, description, parameters. `called` are the names that the call used."""
    if not tools:
        yield Line((Span("no tools are known to have been offered", "off"),))
        return
    yield Line((Span(counted(len(tools), "tool") + " offered", "muted"),))
    for number, tool in enumerate(tools):
        yield BLANK
        used = (Span("called", "accent"),) if tool.name in called else ()
        sign = page.glyphs.kind("tool")
        yield Line((Span(f"{sign} ", "text-2"), Span(display(tool.name, limit=80), "text", bold=True)), used)
        if tool.description.strip():
            yield from text_lines(page, tool.description, ("tool", number), role="text-2", lines=30)
        else:
            yield Line((Span("  no description", "warn"),))
        yield from _parameter_lines(page, tool.parameters, number)


def _parameter_lines(page: Page, schema: Any, number: int) -> Iterator[Line]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        if schema:
            yield from indented(value_lines(page.shifted(4), schema, ("schema", number), depth=1), 4)
        return
    needed = schema.get("required")
    required = [name for name in needed if isinstance(name, str)] if isinstance(needed, list) else []
    for name, about in list(properties.items())[:_PARAMETERS]:
        yield from _parameter(page, name, about if isinstance(about, dict) else {}, name in required)
    if len(properties) > _PARAMETERS:
        yield Line((Span(f"    {len(properties) - _PARAMETERS} more parameters", "muted"),))


def _parameter(page: Page, name: str, about: dict[str, Any], required: bool) -> Iterator[Line]:
    label = display(name, limit=40)
    kind = _type(about) + ("" if required else ", optional")
    yield Line((Span(f"    {label}", "text"), Span(f"  {kind}", "muted")))
    description = about.get("description")
    if isinstance(description, str) and description.strip():
        width = page.narrower(6)
        for row in wrap(display(description, limit=2000), width):
            yield Line((Span("      "), Span(row, "text-2")))


def _type(about: dict[str, Any]) -> str:
    values = about.get("enum")
    if isinstance(values, list) and values:
        shown = ", ".join(display(str(value), limit=20) for value in values[:8])
        return cells.cut("one of " + shown + (", …" if len(values) > 8 else ""), 60)
    kind = about.get("type")
    if isinstance(kind, list):
        kind = " or ".join(str(each) for each in kind if each != "null")
    return display(kind, limit=40) if isinstance(kind, str) and kind else "any"
